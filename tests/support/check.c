#include "support/check.h"

#include <string.h>

void check_rc_at(gm_rc got, gm_rc wanted, const char *expr, const struct gm_err *err,
                 const char *file, int line)
{
    if (got != wanted) {
        print_error("%s is %s, not %s: %s\n", expr, gm_rc_name(got), gm_rc_name(wanted),
                    got != GM_OK ? err->text : "");
        _fail(file, line);
    }
}

void check_str_at(struct gm_str got, const char *wanted_z, const char *file, int line)
{
    if (!gm_str_is(got, wanted_z)) {
        print_error("\"" GM_STR_FMT "\" is not \"%s\"\n", GM_STR_ARG(got), wanted_z);
        _fail(file, line);
    }
}

void check_err_says_at(const struct gm_err *err, const char *part_z, const char *file, int line)
{
    if (strstr(err->text, part_z) == NULL) {
        print_error("the error says \"%s\", which lacks \"%s\"\n", err->text, part_z);
        _fail(file, line);
    }
}
