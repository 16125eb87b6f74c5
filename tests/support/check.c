#include "support/check.h"

#include <string.h>

void check_rc_at(gm_rc got, gm_rc wanted, const struct gm_err *err, const struct check_place *place)
{
    if (got != wanted) {
        print_error("%s is %s, not %s: %s\n", place->expr_z, gm_rc_name(got), gm_rc_name(wanted),
                    got != GM_OK ? err->text : "");
        _fail(place->file_z, place->line);
    }
}

void check_str_at(struct gm_str got, const char *wanted_z, const struct check_place *place)
{
    if (!gm_str_is(got, wanted_z)) {
        print_error("%s is \"" GM_STR_FMT "\", not \"%s\"\n", place->expr_z, GM_STR_ARG(got),
                    wanted_z);
        _fail(place->file_z, place->line);
    }
}

void check_err_says_at(const struct gm_err *err, const char *part_z,
                       const struct check_place *place)
{
    if (strstr(err->text, part_z) == NULL) {
        print_error("%s says \"%s\", which lacks \"%s\"\n", place->expr_z, err->text, part_z);
        _fail(place->file_z, place->line);
    }
}

bool check_memory_counts(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#elif defined(__has_feature)
    return !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
    return true;
#endif
}
