#include "fixture.h"

static void members_are_found_by_name(void **state)
{
    struct fixture *f = *state;
    yyjson_mut_val *object = parsed(f, "{\"a\":1,\"b\":\"text\",\"\":null}");
    assert_int_equal(yyjson_mut_get_int(gm_json_member(object, GM_STR("a"))), 1);
    assert_non_null(gm_json_member(object, GM_STR("")));
    assert_null(gm_json_member(object, GM_STR("c")));
    assert_null(gm_json_member(parsed(f, "[1]"), GM_STR("a")));
    assert_null(gm_json_member(NULL, GM_STR("a")));
    assert_true(gm_str_is(gm_json_member_str(object, "b"), "text"));
    assert_null(gm_json_member_str(object, "a").p);
    assert_null(gm_json_member_str(object, "c").p);
}

static void setting_replaces_in_place_or_appends(void **state)
{
    struct fixture *f = *state;
    yyjson_mut_val *object = yyjson_mut_obj(f->doc);
    assert_true(gm_json_set(f->doc, object, GM_STR("a"), yyjson_mut_int(f->doc, 1)));
    assert_true(gm_json_set(f->doc, object, GM_STR("b"), yyjson_mut_int(f->doc, 2)));
    assert_true(gm_json_set(f->doc, object, GM_STR("a"), yyjson_mut_int(f->doc, 3)));
    yyjson_mut_val *list = yyjson_mut_arr(f->doc);
    assert_true(gm_json_set(f->doc, object, GM_STR("b"), list));
    yyjson_mut_arr_add_int(f->doc, list, 7); /* the value that was set is the one in the tree */
    assert_true(gm_json_set(f->doc, object, GM_STR("b"), list)); /* once more, the same */
    assert_string_equal(compact(f, object), "{\"a\":3,\"b\":[7]}");
    assert_false(gm_json_set(f->doc, object, GM_STR("c"), NULL));
    assert_string_equal(compact(f, object), "{\"a\":3,\"b\":[7]}");
}

static void removing_keeps_the_other_members(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"a", "b", "c"};
    static const char *const left[] = {"{\"b\":2,\"c\":3}", "{\"a\":1,\"c\":3}",
                                       "{\"a\":1,\"b\":2}"};
    for (size_t i = 0; i < 3; i++) {
        yyjson_mut_val *object = parsed(f, "{\"a\":1,\"b\":2,\"c\":3}");
        assert_true(gm_json_remove(object, gm_str_z(names[i])));
        assert_false(gm_json_remove(object, gm_str_z(names[i])));
        assert_string_equal(compact(f, object), left[i]);
        assert_true(gm_json_set(f->doc, object, GM_STR("z"), yyjson_mut_int(f->doc, 9)));
        assert_int_equal(yyjson_mut_get_int(gm_json_member(object, GM_STR("z"))), 9);
    }
    yyjson_mut_val *object = parsed(f, "{\"a\":1}");
    assert_true(gm_json_remove(object, GM_STR("a")));
    assert_string_equal(compact(f, object), "{}");
    assert_true(gm_json_set(f->doc, object, GM_STR("b"), yyjson_mut_null(f->doc)));
    assert_string_equal(compact(f, object), "{\"b\":null}");
}

static void strings_are_copied_or_borrowed(void **state)
{
    struct fixture *f = *state;
    char text[] = "abc";
    yyjson_mut_val *copy = gm_json_strcpy(f->doc, gm_str_z(text));
    yyjson_mut_val *reference = gm_json_strref(f->doc, gm_str_z(text));
    text[0] = 'x';
    assert_string_equal(compact(f, copy), "\"abc\"");
    assert_string_equal(compact(f, reference), "\"xbc\"");
    assert_string_equal(compact(f, gm_json_strcpy(f->doc, (struct gm_str){NULL, 0})), "\"\"");
    assert_string_equal(compact(f, gm_json_strref(f->doc, (struct gm_str){NULL, 0})), "\"\"");
}

static void equality_ignores_the_order_of_members_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}", true},
        {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
        {"[1,2]", "[2,1]", false},
        {"[1,2]", "[1,2]", true},
        {"[]", "{}", false},
        {"1", "1.0", false},
        {"0.0", "-0.0", false},
        {"1.5", "1.5", true},
        {"\"1\"", "1", false},
        {"true", "false", false},
        {"null", "false", false},
        {"null", "null", true},
        {"\"a\"", "\"\\u0061\"", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        yyjson_mut_val *a = parsed(f, cases[i].a);
        yyjson_mut_val *b = parsed(f, cases[i].b);
        assert_int_equal(gm_json_equal(a, b), cases[i].equal);
        assert_int_equal(gm_json_equal(b, a), cases[i].equal);
    }
}

static void large_objects_are_compared_in_any_order(void **state)
{
    struct fixture *f = *state;
    enum { MEMBERS = 20000 };
    yyjson_mut_val *a = yyjson_mut_obj(f->doc);
    yyjson_mut_val *b = yyjson_mut_obj(f->doc);
    for (size_t i = 0; i < MEMBERS; i++) {
        struct gm_str name = gm_arena_format(f->arena, "n%zu", i);
        struct gm_str other = gm_arena_format(f->arena, "n%zu", MEMBERS - 1 - i);
        yyjson_mut_obj_add(a, gm_json_strref(f->doc, name), yyjson_mut_uint(f->doc, i));
        yyjson_mut_obj_add(b, gm_json_strref(f->doc, other),
                           yyjson_mut_uint(f->doc, MEMBERS - 1 - i));
    }
    assert_true(gm_json_equal(a, b));
    gm_json_set(f->doc, b, GM_STR("n77"), yyjson_mut_uint(f->doc, 78));
    assert_false(gm_json_equal(a, b));
}

static void pointers_resolve_as_rfc_6901_says(void **state)
{
    struct fixture *f = *state;
    yyjson_mut_val *value =
        parsed(f, "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,"
                  "\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}");
    static const struct {
        const char *pointer, *expected;
    } cases[] = {
        {"/foo", "[\"bar\",\"baz\"]"},
        {"/foo/0", "\"bar\""},
        {"/foo/1", "\"baz\""},
        {"/", "0"},
        {"/a~1b", "1"},
        {"/c%d", "2"},
        {"/e^f", "3"},
        {"/g|h", "4"},
        {"/i\\j", "5"},
        {"/k\"l", "6"},
        {"/ ", "7"},
        {"/m~0n", "8"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(compact(f, gm_json_pointer(value, gm_str_z(cases[i].pointer))),
                            cases[i].expected);
    }
    assert_ptr_equal(gm_json_pointer(value, GM_STR("")), value);
    static const char *const nowhere[] = {"foo",
                                          "/foo/2",
                                          "/foo/-",
                                          "/foo/01",
                                          "/foo/ 1",
                                          "/foo/1e0",
                                          "/nope",
                                          "/m~2n",
                                          "/m~",
                                          "/foo/0/x",
                                          "//",
                                          "/foo/",
                                          "/foo/99999999999999999999"};
    for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
        assert_null(gm_json_pointer(value, gm_str_z(nowhere[i])));
    }
}

static void copies_are_independent(void **state)
{
    struct fixture *f = *state;
    yyjson_mut_val *value = parsed(f, "{\"a\":[1,{\"b\":\"c\"}]}");
    yyjson_mut_val *copy = gm_json_copy(f->doc, value);
    assert_true(gm_json_equal(copy, value));
    yyjson_mut_arr_clear(gm_json_member(value, GM_STR("a")));
    assert_string_equal(compact(f, copy), "{\"a\":[1,{\"b\":\"c\"}]}");
    assert_null(gm_json_copy(f->doc, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(members_are_found_by_name),
        TEST(setting_replaces_in_place_or_appends),
        TEST(removing_keeps_the_other_members),
        TEST(strings_are_copied_or_borrowed),
        TEST(equality_ignores_the_order_of_members_and_nothing_else),
        TEST(large_objects_are_compared_in_any_order),
        TEST(pointers_resolve_as_rfc_6901_says),
        TEST(copies_are_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
