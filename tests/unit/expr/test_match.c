/* What conditions mean, asked of values that are told by name. */
#include "support/check.h"

#include "expr/match.h"

/* ---- a user with a few names ---- */

struct thing {
    const char *name_z;
    struct gm_operand value;
};
#define TEXT(z)                                                                                    \
    {                                                                                              \
        .type = GM_OPERAND_TEXT, .as.text = { z, sizeof(z) - 1 }                                   \
    }
#define INT(v)                                                                                     \
    {                                                                                              \
        .type = GM_OPERAND_INT, .as.i = (v)                                                        \
    }
#define DOUBLE(v)                                                                                  \
    {                                                                                              \
        .type = GM_OPERAND_DOUBLE, .as.d = (v)                                                     \
    }

static const struct gm_operand items[] = {INT(1), TEXT("x"), {.type = GM_OPERAND_NULL}};
static struct thing things[] = {
    {"text", TEXT("abc")},
    {"five", TEXT("5")},
    {"yes", TEXT("Yes")},
    {"int", INT(5)},
    {"one", INT(1)},
    {"half", DOUBLE(5.5)},
    {"large", INT(9007199254740993)},
    {"nan", DOUBLE(0.0 / 0.0)},
    {"on", {.type = GM_OPERAND_BOOL, .as.b = true}},
    {"null", {.type = GM_OPERAND_NULL}},
    {"gone", {.type = GM_OPERAND_ABSENT}},
    {"list", {.type = GM_OPERAND_ARRAY, .as.array = {items, GM_ARRAY_COUNT(items)}}},
    {"object", {.type = GM_OPERAND_OBJECT}},
    {"bytes", {.type = GM_OPERAND_OTHER}},
};

static gm_rc resolve(void *ctx, const struct gm_expr *path, void **out_handle, struct gm_err *err)
{
    (void)ctx;
    for (size_t i = 0; i < GM_ARRAY_COUNT(things); i++) {
        if (path->segment_count == 1 && gm_str_is(path->segments[0], things[i].name_z)) {
            *out_handle = &things[i];
            return GM_OK;
        }
    }
    return gm_expr_fail(err, path, "there is no " GM_STR_FMT, GM_STR_ARG(path->segments[0]));
}

/* ctx: how many more values there are before one fails; NULL: all. */
static gm_rc get(void *ctx, void *handle, struct gm_operand *out_value, struct gm_err *err)
{
    int *left = ctx;
    const struct thing *thing = handle;
    if (left != NULL && (*left)-- <= 0) {
        return gm_fail(err, GM_E_CONFIG, "%s cannot be got", thing->name_z);
    }
    *out_value = thing->value;
    return GM_OK;
}

static const void *next(const struct gm_operand *array, const void *item,
                        struct gm_operand *out_value)
{
    const struct gm_operand *at = item;
    at = at != NULL ? at + 1 : array->as.array.p;
    *out_value = *at;
    return at;
}

static const struct gm_match_values values = {.get = get, .next = next};
static const struct gm_match_language strict = {
    .functions = GM_MATCH_VALUE_FUNCTIONS, .function_z = "not that one", .resolve = resolve};
static const struct gm_match_language loose = {.functions = GM_MATCH_VALUE_FUNCTIONS,
                                               .function_z = "not that one",
                                               .loose = true,
                                               .resolve = resolve};

/* ---- asking ---- */

static int setup(void **state)
{
    *state = gm_arena_new(16 << 20);
    return 0;
}

static int teardown(void **state)
{
    gm_arena_free(*state);
    return 0;
}

static gm_rc compile(struct gm_arena *arena, const struct gm_match_language *language,
                     const char *text_z, struct gm_match **out_match, struct gm_err *err)
{
    struct gm_expr *expr;
    const struct gm_match_user user = {.language = language};
    GM_TRY(gm_expr_parse(arena, gm_str_z(text_z), &expr, err));
    return gm_match_new(arena, expr, &user, out_match, err);
}

static void all_are(struct gm_arena *arena, const struct gm_match_language *language,
                    const char *const *texts, bool wanted)
{
    for (; *texts != NULL; texts++) {
        struct gm_match *match;
        struct gm_err err = {0};
        bool holds = !wanted;
        check_ok(compile(arena, language, *texts, &match, &err), err);
        check_ok(gm_match_holds(match, &values, NULL, &holds, &err), err);
        if (holds != wanted) {
            fail_msg("%s: expected %s", *texts, wanted ? "true" : "false");
        }
    }
}

static void what_cannot_be_compared_is_neither_equal_nor_different(void **state)
{
    static const char *const no[] = {
        "text = 1", "text != 1", "gone != 1",   "[[null]] != 'a'", "nan = nan",
        "nan != 1", "nan < 1",   "object != 1", "list = 1",        "bytes != ''",
        "gone",     "text",      "gone < null", "object = object", NULL};
    static const char *const yes[] = {
        "NOT gone = 1", "NOT gone != 1", "NOT (nan <= nan)", "NOT text", "on", NULL};
    all_are(*state, &strict, no, false);
    all_are(*state, &strict, yes, true);
    all_are(*state, &loose, no, false);
    all_are(*state, &loose, yes, true);
}

static void the_literal_null_asks_for_nothing(void **state)
{
    static const char *const yes[] = {"gone = null",    "[[null]] = null",   "text != null",
                                      "object != null", "null = gone",       "gone IN ['a', null]",
                                      "null = null",    "gone NOT IN ['a']", NULL};
    static const char *const no[] = {"gone != null",  "[[null]] != null", "text = null",
                                     "gone IN ['a']", "text NIN ['abc']", NULL};
    all_are(*state, &strict, yes, true);
    all_are(*state, &strict, no, false);
}

static void numbers_compare_exactly(void **state)
{
    static const char *const yes[] = {"large > 9007199254740992.0",
                                      "large != 9007199254740992.0",
                                      "int = 5.0",
                                      "half > int",
                                      "5.5 = half",
                                      "int < half",
                                      "large < 1e300",
                                      "large > -1e300",
                                      "large < 9223372036854775808",
                                      NULL};
    all_are(*state, &strict, yes, true);
}

static void types_are_blurred_where_that_is_wanted(void **state)
{
    static const char *const blurred[] = {"five = 5",    "five = int",   "5 >= five", "yes = true",
                                          "yes",         "one = on",     "on = 1",    "one",
                                          "five IN [5]", "int IN ['5']", NULL};
    static const char *const never[] = {"text = 5", "text = true",          "five = on",
                                        "int = on", "STARTSWITH(int, '5')", NULL};
    all_are(*state, &loose, blurred, true);
    all_are(*state, &strict, blurred, false);
    all_are(*state, &loose, never, false);
    all_are(*state, &strict, never, false);
}

#define LIST "'q','w','e','r','t','z','u','i','o','p','a','s','d','f','g','h','j'"

static void long_lists_are_searched(void **state)
{
    static const char *const yes[] = {"text IN [" LIST ",'abc']", "text NOT IN [" LIST "]",
                                      "gone NOT IN [" LIST "]",   "gone IN [" LIST ",null]",
                                      "int IN [" LIST ",5.0]",    NULL};
    static const char *const number[] = {"int IN [" LIST ",'5']", NULL};
    all_are(*state, &strict, yes, true);
    all_are(*state, &loose, yes, true);
    all_are(*state, &strict, number, false);
    all_are(*state, &loose, number, true);
}

static void functions_tell_kinds_and_look_into_texts_and_arrays(void **state)
{
    static const char *const yes[] = {"STARTSWITH(text, 'ab') AND ENDS_WITH(text, 'bc')",
                                      "CONTAINS(text, '')",
                                      "ARRAY_CONTAINS(list, 'x') AND ARRAY_CONTAINS(list, 1.0)",
                                      "ARRAY_CONTAINS(list, null)",
                                      "IS_DEFINED([[null]]) AND NOT IS_DEFINED(gone)",
                                      "IS_NULL([[null]]) AND NOT IS_NULL(gone)",
                                      "IS_OBJECT(object) AND NOT IS_OBJECT(list)",
                                      "IS_PRIMITIVE([[null]]) AND IS_PRIMITIVE(half)",
                                      "IS_BOOL(on) AND IS_NUMBER(int) AND IS_STRING(five)",
                                      NULL};
    static const char *const no[] = {"ARRAY_CONTAINS(list, 2)", "ARRAY_CONTAINS(text, 'abc')",
                                     "CONTAINS(gone, '')",      "IS_PRIMITIVE(gone)",
                                     "IS_PRIMITIVE(list)",      "IS_PRIMITIVE(bytes)",
                                     "IS_NUMBER(five)",         NULL};
    all_are(*state, &strict, yes, true);
    all_are(*state, &strict, no, false);
}

static void what_a_language_lacks_is_refused_with_its_place(void **state)
{
    static const struct gm_match_language small = {.functions = 1u << GM_FN_CONTAINS,
                                                   .function_z = "CONTAINS only",
                                                   .only_z = "a comparison is wanted",
                                                   .resolve = resolve};
    static const struct {
        const char *text_z, *says_z;
    } cases[] = {
        {"int = 1 AND\n  IS_NULL(int)", "line 2, column 3: CONTAINS only"},
        {"int IN [1]", "line 1, column 5: a comparison is wanted"},
        {"true OR int", "line 1, column 9: a comparison is wanted"},
        {"NOT int < nobody", "line 1, column 11: there is no nobody"},
        {"CONTAINS(text, who)", "line 1, column 16: there is no who"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_err err = {0};
        struct gm_match *match = NULL;
        check_rc(compile(*state, &small, cases[i].text_z, &match, &err), GM_E_INVALID, err);
        check_err_says(err, cases[i].says_z);
        assert_null(match);
    }
    static const char *const yes[] = {"true", "NOT false", "CONTAINS(text, 'b')", NULL};
    all_are(*state, &small, yes, true);
}

static void a_value_that_cannot_be_got_ends_it(void **state)
{
    struct gm_match *match;
    struct gm_err err = {0};
    check_ok(compile(*state, &strict, "int = 6 OR NOT half = one OR text = 'x'", &match, &err),
             err);
    for (int left = 0; left < 3; left++) {
        static const char *const names[] = {"int", "half", "one"};
        int countdown = left;
        bool holds = false;
        check_rc(gm_match_holds(match, &values, &countdown, &holds, &err), GM_E_CONFIG, err);
        check_err_says(err, names[left]);
        assert_false(holds);
        assert_int_equal(countdown, -1);
    }
    int enough = 3; /* the third part is not looked at */
    bool holds = false;
    check_ok(gm_match_holds(match, &values, &enough, &holds, &err), err);
    assert_true(holds);
}

static void a_condition_that_does_not_fit_is_refused(void **state)
{
    struct gm_expr *expr;
    struct gm_err err = {0};
    check_ok(
        gm_expr_parse(*state, GM_STR("int = 1 OR int IN [" LIST "] OR NOT one = 2"), &expr, &err),
        err);
    gm_rc rc = GM_E_LIMIT;
    for (size_t limit = 1; rc != GM_OK; limit *= 2) {
        struct gm_arena *arena = gm_arena_new(limit);
        const struct gm_match_user user = {.language = &strict};
        struct gm_match *match;
        rc = gm_match_new(arena, expr, &user, &match, &err);
        assert_true(rc == GM_OK || rc == GM_E_LIMIT);
        assert_true(limit < 1 << 20);
        gm_arena_free(arena);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_cannot_be_compared_is_neither_equal_nor_different),
        TEST(the_literal_null_asks_for_nothing),
        TEST(numbers_compare_exactly),
        TEST(types_are_blurred_where_that_is_wanted),
        TEST(long_lists_are_searched),
        TEST(functions_tell_kinds_and_look_into_texts_and_arrays),
        TEST(what_a_language_lacks_is_refused_with_its_place),
        TEST(a_value_that_cannot_be_got_ends_it),
        TEST(a_condition_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
