/* Conditions over JSON values, in both forms that such values have. */
#include "support/check.h"

#include "flow/condition.h"

static const char json[] =
    "{\"kind\":\"a\",\"n\":7,\"big\":18446744073709551615,\"deep\":{\"er\":true,\"a.b\":1},"
    "\"a.b\":2,\"list\":[1,\"two\",null,{\"x\":5}],\"empty\":[],\"none\":null,\"f\":-1.5}";

/* True when both forms say so; they must agree. */
static bool holds(struct gm_arena *arena, const char *text_z)
{
    struct gm_condition *condition;
    struct gm_err err = {0};
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    yyjson_mut_val *made;
    yyjson_doc *read = yyjson_read(json, sizeof(json) - 1, YYJSON_READ_NOFLAG);
    check_ok(gm_json_parse(doc, gm_str_z(json), &made, &err), err);
    check_ok(gm_condition_new(gm_str_z(text_z), &condition, &err), err);
    bool of_read = gm_condition_holds(condition, yyjson_doc_get_root(read));
    if (of_read != gm_condition_holds_mut(condition, made)) {
        fail_msg("%s: the two forms of a value differ", text_z);
    }
    gm_condition_free(condition);
    yyjson_doc_free(read);
    return of_read;
}

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

static void both_forms_of_json_values_are_asked_alike(void **state)
{
    static const char *const yes[] = {"kind = 'a' AND n >= 7",
                                      "big > 9223372036854775807",
                                      "deep.er",
                                      "deep.[[a.b]] = 1",
                                      "[[a.b]] = 2",
                                      "list.[[3]].x = 5",
                                      "list.[[0]] = 1",
                                      "ARRAY_CONTAINS(list, 'two')",
                                      "ARRAY_CONTAINS(list, null)",
                                      "IS_DEFINED(none) AND IS_NULL(none)",
                                      "f < -1.25",
                                      "IS_OBJECT(deep) AND NOT IS_OBJECT(list)",
                                      "gone = null",
                                      "n IN ['7', 7]",
                                      "NOT n = '7'",
                                      NULL};
    static const char *const no[] = {"list.x = 5",
                                     "list.[[4]] = 1",
                                     "list.[[-1]] != null",
                                     "kind.x != null",
                                     "ARRAY_CONTAINS(empty, null)",
                                     "ARRAY_CONTAINS(kind, 'a')",
                                     "a.b = 2",
                                     "gone != 1",
                                     "deep.er = 1",
                                     "n",
                                     NULL};
    for (size_t i = 0; yes[i] != NULL; i++) {
        if (!holds(*state, yes[i])) {
            fail_msg("%s: expected true", yes[i]);
        }
    }
    for (size_t i = 0; no[i] != NULL; i++) {
        if (holds(*state, no[i])) {
            fail_msg("%s: expected false", no[i]);
        }
    }
}

static void nothing_stands_in_no_value(void **state)
{
    (void)state;
    struct gm_condition *condition;
    struct gm_err err = {0};
    check_ok(gm_condition_new(GM_STR("a = null AND NOT IS_DEFINED(a.b)"), &condition, &err), err);
    assert_true(gm_condition_holds(condition, NULL));
    assert_true(gm_condition_holds_mut(condition, NULL));
    gm_condition_free(condition);
}

static void what_is_no_condition_is_said_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text_z, *says_z;
    } cases[] = {
        {"a =", "`a =`: line 1, column 4: expected"},
        {"a = 1 OR\n IS_OF_MODEL('dtmi:x;1')", "line 2, column 2: IS_OF_MODEL is for twins"},
        {"b AND a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "line 1, column 7: a path of more than 16"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_err err = {0};
        struct gm_condition *condition = NULL;
        check_rc(gm_condition_new(gm_str_z(cases[i].text_z), &condition, &err), GM_E_CONFIG, err);
        check_err_says(err, cases[i].says_z);
        assert_null(condition);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(both_forms_of_json_values_are_asked_alike),
        TEST(nothing_stands_in_no_value),
        TEST(what_is_no_condition_is_said_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
