#include "fixture.h"

static void with_filter(struct fixture *f, const char *condition_z)
{
    char *yaml = gm_format_z("steps:\n  - filter: >-\n      %s\n", condition_z);
    compiled(f, yaml);
    gm_free(yaml);
}

static bool row_passes(struct fixture *f, const char *condition_z, const char *values_z)
{
    with_filter(f, condition_z);
    return strcmp(outcome(f, row(f, values_z)), "filtered") != 0;
}

static bool passes(struct fixture *f, const char *condition_z, const char *json_z)
{
    with_filter(f, condition_z);
    return strcmp(outcome(f, body(f, json_z)), "filtered") != 0;
}

static void rows_pass_or_are_filtered(void **state)
{
    struct fixture *f = *state;
    with_columns(f, "UnitPrice,Discontinued");
    with_filter(f, "UnitPrice > 20 AND NOT Discontinued = true");
    expect_row(f, "[21, 0]", "{'UnitPrice':21,'Discontinued':0}");
    expect_row(f, "[20, 0]", "filtered");
    expect_row(f, "[30, 1]", "filtered");
}

static void comparisons_with_null_are_false_and_not_turns_them(void **state)
{
    struct fixture *f = *state;
    static const char *const conditions[] = {"a = 1", "a != 1", "a < 1",    "a >= 1",
                                             "a = b", "a != b", "a IN [1]", "a"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(conditions); i++) {
        char *negated = gm_format_z("NOT (%s)", conditions[i]);
        assert_false(passes(f, conditions[i], "{'a':null,'b':null}"));
        assert_false(passes(f, conditions[i], "{}"));
        assert_true(passes(f, negated, "{'a':null,'b':null}"));
        assert_true(passes(f, negated, "{}"));
        gm_free(negated);
    }
    assert_true(passes(f, "a NOT IN [1]", "{'a':null}"));
}

static void the_literal_null_asks_for_null_and_absent(void **state)
{
    struct fixture *f = *state;
    assert_true(passes(f, "a = null", "{'a':null}"));
    assert_true(passes(f, "a = null", "{}"));
    assert_false(passes(f, "a = null", "{'a':0}"));
    assert_true(passes(f, "a != null", "{'a':0}"));
    assert_false(passes(f, "a != null", "{}"));
    assert_true(passes(f, "a IN ['x', null]", "{}"));
    assert_false(passes(f, "a < null", "{'a':0}"));
}

static void numbers_compare_exactly(void **state)
{
    struct fixture *f = *state;
    assert_true(passes(f, "a = 1.0", "{'a':1}"));
    assert_true(passes(f, "a > 9007199254740992.0", "{'a':9007199254740993}"));
    assert_false(passes(f, "a = 9007199254740992.0", "{'a':9007199254740993}"));
    assert_true(passes(f, "a < 9223372036854775808", "{'a':9223372036854775807}"));
    assert_true(passes(f, "a > -1e300", "{'a':-9223372036854775808}"));
    assert_true(passes(f, "a < b", "{'a':-1.5,'b':-1}"));
    assert_true(passes(f, "a > b", "{'a':2,'b':1.5}"));
}

static void texts_compare_by_bytes(void **state)
{
    struct fixture *f = *state;
    assert_true(passes(f, "a = 'x'", "{'a':'x'}"));
    assert_false(passes(f, "a = 'X'", "{'a':'x'}"));
    assert_true(passes(f, "a < 'b' AND a > 'Z'", "{'a':'a'}"));
    assert_true(passes(f, "a > 'z'", "{'a':'é'}"));
}

static void text_of_a_file_reads_as_the_literal_beside_it(void **state)
{
    struct fixture *f = *state;
    with_columns(f, "price,active");
    assert_true(row_passes(f, "price > 9", "['12.50', '']"));
    assert_true(row_passes(f, "price = 12.5", "['12.50', '']"));
    assert_true(row_passes(f, "9 < price", "['12.50', '']"));
    assert_false(row_passes(f, "price > 9", "['12,50', '']"));
    assert_false(row_passes(f, "price != 9", "['', '']"));
    assert_true(row_passes(f, "NOT price = 9", "['n/a', '']"));
    assert_true(row_passes(f, "active = true", "['', 'Yes']"));
    assert_true(row_passes(f, "active", "['', '1']"));
    assert_false(row_passes(f, "active = true", "['', 'maybe']"));
    assert_true(row_passes(f, "active = 0", "['', false]"));
    assert_true(row_passes(f, "active = true", "['', 1]"));
    assert_false(row_passes(f, "active = true", "['', 2]"));
}

static void values_of_unlike_kinds_do_not_compare(void **state)
{
    struct fixture *f = *state;
    assert_false(passes(f, "a = 'x'", "{'a':{'x':1}}"));
    assert_false(passes(f, "a != 'x'", "{'a':[1]}"));
    assert_false(passes(f, "a != true", "{'a':'x'}"));
}

static void lists_are_searched(void **state)
{
    struct fixture *f = *state;
    assert_true(passes(f, "a IN ['x', 'y']", "{'a':'y'}"));
    assert_false(passes(f, "a IN ['x', 'y']", "{'a':'z'}"));
    assert_true(passes(f, "a NOT IN ['x', 'y']", "{'a':'z'}"));
    assert_true(passes(f, "a IN [1, 2]", "{'a':'2.0'}"));
    static const char many[] =
        "a IN ['q','w','e','r','t','y','u','i','o','p','a','s','d','f','g','h','j','12']";
    assert_true(passes(f, many, "{'a':'j'}"));
    assert_true(passes(f, many, "{'a':12}"));
    assert_false(passes(f, many, "{'a':'x'}"));
    assert_false(passes(f, many, "{'a':null}"));
}

static void functions_test_texts_arrays_and_kinds(void **state)
{
    struct fixture *f = *state;
    assert_true(passes(f, "STARTSWITH(a, 'ab')", "{'a':'abc'}"));
    assert_false(passes(f, "STARTSWITH(a, 'abcd')", "{'a':'abc'}"));
    assert_true(passes(f, "ENDSWITH(a, 'bc')", "{'a':'abc'}"));
    assert_true(passes(f, "CONTAINS(a, b)", "{'a':'abcd','b':'bc'}"));
    assert_true(passes(f, "CONTAINS(a, '')", "{'a':''}"));
    assert_false(passes(f, "CONTAINS(a, '1')", "{'a':1}"));
    assert_true(passes(f, "ARRAY_CONTAINS(a, 2)", "{'a':[1,2.0]}"));
    assert_false(passes(f, "ARRAY_CONTAINS(a, 2)", "{'a':2}"));
    assert_true(passes(f, "IS_DEFINED(a) AND IS_NULL(a)", "{'a':null}"));
    assert_false(passes(f, "IS_DEFINED(a) OR IS_NULL(a)", "{}"));
    assert_true(passes(f, "IS_STRING(a) AND IS_PRIMITIVE(a)", "{'a':'1'}"));
    assert_true(passes(f, "IS_NUMBER(a) AND NOT IS_BOOL(a)", "{'a':1.5}"));
    assert_true(passes(f, "IS_OBJECT(a) AND NOT IS_PRIMITIVE(a)", "{'a':{}}"));
    assert_false(passes(f, "IS_OBJECT(a)", "{'a':[]}"));
}

static void paths_walk_into_records(void **state)
{
    struct fixture *f = *state;
    assert_true(passes(f, "address.city = 'Ulm' AND lines.[[0]].sku = 'x'",
                       "{'address':{'city':'Ulm'},'lines':[{'sku':'x'}]}"));
    assert_true(passes(f, "[[a.b]] = 1 AND [[c d]] = 2", "{'a.b':1,'c d':2}"));
}

static void a_column_that_is_not_there_stops_the_pipeline(void **state)
{
    struct fixture *f = *state;
    with_columns(f, "ProductID,UnitPrice");
    with_filter(f, "UnitPrize > 1 OR productid = 2 OR UnitPrize < 0");
    check_rc(gm_steps_apply(f->steps, f->batch, row(f, "[1, 2]"), &f->err), GM_E_CONFIG, f->err);
    assert_string_equal(
        f->err.text, "filter: `UnitPrize`: no such column in Products; did you mean `UnitPrice`?; "
                     "filter: `productid`: no such column in Products; did you mean `ProductID`?");
    /* JSON records may have a member or not. */
    expect_body(f, "{'x':1}", "filtered");
}

static void other_columns_are_looked_up_again(void **state)
{
    struct fixture *f = *state;
    with_columns(f, "a,b");
    with_filter(f, "b = 1");
    expect_row(f, "[0, 1]", "{'a':0,'b':1}");
    with_columns(f, "b,a"); /* in the same place */
    expect_row(f, "[1, 0]", "{'b':1,'a':0}");
    with_columns(f, "c");
    check_rc(gm_steps_apply(f->steps, f->batch, row(f, "[1]"), &f->err), GM_E_CONFIG, f->err);
}

static void wrong_conditions_are_reported_with_their_place(void **state)
{
    struct fixture *f = *state;
    expect_errors(f,
                  "steps:\n- filter: 'a >'\n- filter: IS_OF_MODEL('x')\n- fliter: a\n- {filter: a, "
                  "jq: .}\n- jq: .a | (\n",
                  "2:11: filter: line 1, column 4: expected a name or a value, found the end\n"
                  "3:11: filter: line 1, column 1: IS_OF_MODEL is for twins; records of a source "
                  "have no model\n"
                  "4:3: unknown setting `steps[2].fliter`; did you mean `filter`?\n"
                  "5:3: a step is one of filter: … and jq: …\n"
                  "6:7: jq: syntax error, unexpected $end at line 1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_pass_or_are_filtered),
        TEST(comparisons_with_null_are_false_and_not_turns_them),
        TEST(the_literal_null_asks_for_null_and_absent),
        TEST(numbers_compare_exactly),
        TEST(texts_compare_by_bytes),
        TEST(text_of_a_file_reads_as_the_literal_beside_it),
        TEST(values_of_unlike_kinds_do_not_compare),
        TEST(lists_are_searched),
        TEST(functions_test_texts_arrays_and_kinds),
        TEST(paths_walk_into_records),
        TEST(a_column_that_is_not_there_stops_the_pipeline),
        TEST(other_columns_are_looked_up_again),
        TEST(wrong_conditions_are_reported_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
