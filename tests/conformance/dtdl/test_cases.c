/* The DTDL parser's own cases: what is valid is taken, and what is not is refused with the errors
 * that the cases list. Read from the folder in GEMEL_TEST_SHARED; skipped when it is not there.
 * With GEMEL_TEST_CASES_LIST set, every case that is judged wrong is printed, with a table by
 * kind; set to a part of a name, all that is found in cases of such a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "dtdl/model.h"
#include "os/file.h"
#include "support/check.h"
#include "json/json.h"

static const char *shared_z;
static const char *list_z;

enum { CASE_ARENA_MAX = 64 << 20, KINDS_MAX = 200 };

struct one {
    struct gm_arena *arena;
    yyjson_mut_doc *doc;
    yyjson_mut_val *json;
    struct gm_str name;
    bool valid;
};

/* Adds the interfaces of a list of texts, each of which has one or several. */
static void add_texts(struct one *one, yyjson_mut_val *all, yyjson_mut_val *from)
{
    size_t i, n;
    yyjson_mut_val *item;
    yyjson_mut_arr_foreach(from, i, n, item)
    {
        size_t j, m;
        yyjson_mut_val *inner;
        if (gm_json_type(item) != YYJSON_TYPE_ARR) {
            yyjson_mut_arr_append(all, gm_json_copy(one->doc, item));
        }
        yyjson_mut_arr_foreach(item, j, m, inner)
        {
            yyjson_mut_arr_append(all, gm_json_copy(one->doc, inner));
        }
    }
}

/* The case's interfaces with those that its resolver would have brought. */
static yyjson_mut_val *input_of(struct one *one)
{
    yyjson_mut_val *all = yyjson_mut_arr(one->doc);
    add_texts(one, all, gm_json_member(one->json, GM_STR("input")));
    size_t i, n;
    yyjson_mut_val *step;
    yyjson_mut_arr_foreach(gm_json_member(one->json, GM_STR("resolution")), i, n, step)
    {
        add_texts(one, all, gm_json_member(step, GM_STR("response")));
    }
    return all;
}

static bool has_option(const struct one *one, const char *option_z)
{
    size_t i, n;
    yyjson_mut_val *option;
    yyjson_mut_arr_foreach(gm_json_member(one->json, GM_STR("options")), i, n, option)
    {
        if (gm_str_is(gm_json_str(option), option_z)) {
            return true;
        }
    }
    return false;
}

static gm_rc parse(struct one *one, struct gm_model_errors *errors, struct gm_err *err)
{
    yyjson_mut_val *input = input_of(one);
    struct gm_models_request request = {.interfaces = &input, .count = 1, .errors = errors};
    if (has_option(one, "AllowUndefinedExtensions")) {
        request.undefined = GM_MODELS_UNDEFINED_ALLOWED;
    } else if (has_option(one, "DisallowUndefinedExtensions")) {
        request.undefined = GM_MODELS_UNDEFINED_REFUSED;
    }
    yyjson_mut_val *version = gm_json_member(one->json, GM_STR("maxDtdlVersion"));
    if (version != NULL) {
        request.dtdl_version_max = (int)yyjson_mut_get_sint(version);
    }
    struct gm_models *models = NULL;
    size_t added;
    gm_rc rc = gm_models_make(&request, &models, &added, err);
    gm_models_free(models);
    return rc;
}

/* ---- what is expected ---- */

static bool is_one_of(struct gm_str found, yyjson_mut_val *wanted)
{
    if (gm_json_type(wanted) == YYJSON_TYPE_NULL) {
        return found.p == NULL;
    }
    if (gm_json_type(wanted) == YYJSON_TYPE_ARR) {
        size_t i, n;
        yyjson_mut_val *item;
        yyjson_mut_arr_foreach(wanted, i, n, item)
        {
            if (is_one_of(found, item)) {
                return true;
            }
        }
        return false;
    }
    if (gm_json_type(wanted) == YYJSON_TYPE_STR) {
        return found.p != NULL && gm_str_eq(found, gm_json_str(wanted));
    }
    char number[32];
    (void)snprintf(number, sizeof(number), "%lld", (long long)yyjson_mut_get_sint(wanted));
    return found.p != NULL && gm_str_is(found, number);
}

static struct gm_str behind_prefix(struct gm_str kind)
{
    size_t n = strlen(GM_MODEL_ERROR_PREFIX);
    return (struct gm_str){kind.p + n, kind.n - n};
}

static bool fits(const struct gm_model_error *error, const yyjson_mut_val *expected)
{
    struct gm_str kind = gm_json_member_str(expected, "ValidationID");
    if (!gm_str_starts(kind, GM_STR(GM_MODEL_ERROR_PREFIX)) ||
        !gm_str_is(behind_prefix(kind), error->kind_z)) {
        return false;
    }
    const struct {
        const char *name_z;
        struct gm_str found;
    } fields[] = {
        {"PrimaryID", error->primary_id},
        {"SecondaryID", error->secondary_id},
        {"Property", error->property},
        {"AuxProperty", error->aux_property},
        {"Type", error->type},
        {"Value", error->value},
        {"Restriction", error->restriction},
        {"Transformation", error->transformation},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(fields); i++) {
        yyjson_mut_val *wanted = gm_json_member(expected, gm_str_z(fields[i].name_z));
        if (wanted != NULL && !is_one_of(fields[i].found, wanted)) {
            return false;
        }
    }
    return true;
}

static bool is_expected(const struct one *one, const struct gm_model_error *error)
{
    yyjson_mut_val *expect = gm_json_member(one->json, GM_STR("expect"));
    size_t i, n;
    yyjson_mut_val *expected;
    yyjson_mut_val *unresolved = gm_json_member(expect, GM_STR("unresolvedIdentifiers"));
    if (unresolved != NULL && strcmp(error->kind_z, "undefinedIdentifier") == 0 &&
        is_one_of(error->secondary_id, unresolved)) {
        return true;
    }
    yyjson_mut_arr_foreach(gm_json_member(expect, GM_STR("parsingErrors")), i, n, expected)
    {
        if (fits(error, expected)) {
            return true;
        }
    }
    return false;
}

static void print_field(const char *name_z, struct gm_str value)
{
    if (value.p != NULL) {
        printf(" %s=" GM_STR_FMT, name_z, GM_STR_ARG(value));
    }
}

static void show_error(const struct gm_model_error *error, bool expected)
{
    printf("    %s %s", expected ? "as expected:" : "NOT EXPECTED:", error->kind_z);
    print_field("primary", error->primary_id);
    print_field("secondary", error->secondary_id);
    print_field("property", error->property);
    print_field("aux", error->aux_property);
    print_field("type", error->type);
    print_field("value", error->value);
    print_field("restriction", error->restriction);
    print_field("transformation", error->transformation);
    printf("\n        " GM_STR_FMT "\n", GM_STR_ARG(error->text));
}

/* The DTDL parser stops behind the first text with errors, and this one does not. */
static bool judge_errors(const struct one *one, const struct gm_model_errors *errors, bool print)
{
    bool right = gm_model_errors_count(errors) > 0;
    for (size_t i = 0; i < gm_model_errors_count(errors); i++) {
        const struct gm_model_error *error = gm_model_errors_at(errors, i);
        if (error->document != gm_model_errors_at(errors, 0)->document) {
            continue;
        }
        bool expected = is_expected(one, error);
        right = right && expected;
        if (print) {
            show_error(error, expected);
        }
    }
    if (print) {
        struct gm_buf text;
        gm_buf_init(&text, 1 << 20);
        gm_json_write(gm_json_member(one->json, GM_STR("expect")), &text);
        printf("    expected: %.*s\n", (int)(text.n < 1500 ? text.n : 1500), (const char *)text.p);
        gm_buf_deinit(&text);
    }
    return right;
}

/* ---- the table ---- */

struct tally {
    struct {
        char kind[64];
        int right, wrong;
    } rows[KINDS_MAX];
    size_t count;
    int right, wrong, valid;
};

static void count_case(struct tally *tally, const struct one *one, bool right)
{
    const yyjson_mut_val *first =
        gm_json_pointer(one->json, GM_STR("/expect/parsingErrors/0/ValidationID"));
    struct gm_str kind = one->valid      ? GM_STR("(valid)")
                         : first == NULL ? GM_STR("(undefined)")
                                         : gm_json_str(first);
    if (gm_str_starts(kind, GM_STR(GM_MODEL_ERROR_PREFIX))) {
        kind = behind_prefix(kind);
    }
    size_t i = 0;
    while (i < tally->count && !gm_str_is(kind, tally->rows[i].kind)) {
        i++;
    }
    if (i == KINDS_MAX) {
        return;
    }
    if (i == tally->count) {
        tally->count++;
        (void)snprintf(tally->rows[i].kind, sizeof(tally->rows[i].kind), GM_STR_FMT,
                       GM_STR_ARG(kind));
    }
    tally->rows[i].right += right;
    tally->rows[i].wrong += !right;
    tally->right += right;
    tally->wrong += !right;
    tally->valid += one->valid;
}

static bool judge(struct one *one)
{
    struct gm_model_errors *errors = gm_model_errors_new();
    struct gm_err err = {0};
    gm_rc rc = parse(one, errors, &err);
    bool right = one->valid ? rc == GM_OK : rc == GM_E_INVALID && judge_errors(one, errors, false);
    bool named = list_z != NULL && list_z[0] != '\0' &&
                 strstr(gm_arena_format(one->arena, GM_STR_FMT, GM_STR_ARG(one->name)).p, list_z);
    if ((list_z != NULL && list_z[0] == '\0' && !right) || named) {
        printf(GM_STR_FMT ": %s and %s: %s\n", GM_STR_ARG(one->name),
               one->valid ? "valid" : "not valid", rc == GM_OK ? "taken" : "refused", err.text);
        (void)judge_errors(one, errors, true);
    }
    gm_model_errors_free(errors);
    return right;
}

static void judge_line(struct tally *tally, struct gm_str line)
{
    struct one one = {.arena = gm_arena_new(CASE_ARENA_MAX)};
    struct gm_err err = {0};
    one.doc = gm_json_doc_new(one.arena);
    check_ok(gm_json_parse(one.doc, line, &one.json, &err), err);
    one.name = gm_json_member_str(one.json, "name");
    one.valid = yyjson_mut_get_bool(gm_json_member(one.json, GM_STR("valid")));
    count_case(tally, &one, judge(&one));
    gm_arena_free(one.arena);
}

static void every_case_is_judged_as_the_parser_does(void **state)
{
    (void)state;
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/dtdl/cases-generated.ndjson", shared_z ? shared_z : "");
    struct gm_file_info info = {.type = GM_FILE_MISSING};
    struct gm_err err = {0};
    if (gm_file_info(path, &info, &err) != GM_OK || info.type == GM_FILE_MISSING) {
        skip();
    }
    struct gm_buf buf;
    gm_buf_init(&buf, 64 << 20);
    check_ok(gm_file_read_all(path, &buf, &err), err);
    static struct tally tally; /* large, and this is its only user */
    struct gm_str rest = gm_buf_str(&buf), line;
    while (rest.n > 0) {
        (void)gm_str_cut(rest, '\n', &line, &rest);
        if (gm_str_trim(line).n > 0) {
            judge_line(&tally, line);
        }
    }
    gm_buf_deinit(&buf);
    for (size_t i = 0; i < tally.count; i++) {
        if (tally.rows[i].wrong > 0 || (list_z != NULL && list_z[0] == '\0')) {
            printf("%-40s %4d right %4d wrong\n", tally.rows[i].kind, tally.rows[i].right,
                   tally.rows[i].wrong);
        }
    }
    printf("%d right, %d wrong\n", tally.right, tally.wrong);
    assert_int_equal(tally.wrong, 0);
    assert_int_equal(tally.right, 1348);
    assert_int_equal(tally.valid, 337);
}

int main(void)
{
    shared_z = getenv("GEMEL_TEST_SHARED");
    list_z = getenv("GEMEL_TEST_CASES_LIST");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_judged_as_the_parser_does),
    };
    return cmocka_run_group_tests_name("conformance/dtdl", tests, NULL, NULL);
}
