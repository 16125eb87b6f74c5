#include "fixture.h"

static void with_program(struct fixture *f, const char *program_z)
{
    char *yaml = gm_format_z("steps:\n  - jq: |\n      %s\n", program_z);
    compiled(f, yaml);
    gm_free(yaml);
}

static void expect_program(struct fixture *f, const char *program_z, const char *json_z,
                           const char *outcome_z)
{
    with_program(f, program_z);
    expect_body(f, json_z, outcome_z);
}

static void a_program_makes_the_new_body(void **state)
{
    struct fixture *f = *state;
    with_columns(f, "Name,Price");
    with_program(f, ".Name |= ascii_downcase | .a = [.Price, null, true, \"é\", {b: 1.5}]");
    expect_row(f, "['CHAI', 18]", "{'Name':'chai','Price':18,'a':[18,null,true,'é',{'b':1.5}]}");
    expect_row(f, "['Chang', 19.5]",
               "{'Name':'chang','Price':19.5,'a':[19.5,null,true,'é',{'b':1.5}]}");
}

static void no_output_filters_and_several_are_an_error(void **state)
{
    struct fixture *f = *state;
    expect_program(f, "select(.a > 1)", "{'a':1}", "filtered");
    expect_program(f, "., .", "{'a':1}",
                   "jq: the program gave more than one output; a record has one body");
    expect_program(f, "repeat(.)", "{'a':1}",
                   "jq: the program gave more than one output; a record has one body");
}

static void what_is_no_object_is_an_error(void **state)
{
    struct fixture *f = *state;
    expect_program(f, ".a", "{'a':1}", "jq: the program gave number; a record's body is an object");
    expect_program(f, "[.]", "{'a':1}", "jq: the program gave array; a record's body is an object");
}

static void errors_have_the_text_of_jq(void **state)
{
    struct fixture *f = *state;
    expect_program(f, ".a.b", "{'a':1}", "jq: Cannot index number with string \"b\"");
    expect_program(f, "error(\"mine\")", "{}", "jq: mine");
    expect_program(f, "error({a: 1})", "{}", "jq: {\"a\":1}");
    expect_program(f, "error(null)", "{}", "jq: null");
    expect_program(f, "halt", "{}",
                   "jq: the program called halt; use `empty` to leave a record out");
}

static void an_error_of_one_record_does_not_touch_the_next(void **state)
{
    struct fixture *f = *state;
    with_program(f, "if .a then ., . else {ok: .b} end");
    expect_body(f, "{'a':true}",
                "jq: the program gave more than one output; a record has one body");
    expect_body(f, "{'b':2}", "{'ok':2}");
}

static void the_world_outside_is_out_of_reach(void **state)
{
    struct fixture *f = *state;
    expect_program(f, "{a: $ENV, b: env}", "{}", "{'a':{},'b':{}}");
    expect_program(f, "input", "{}",
                   "jq: there is no further input: a program sees one record at a time");
    expect_program(f, "stderr | debug", "{'a':1}", "{'a':1}");
    expect_program(f, "{n: input_filename}", "{}", "{'n':null}");
}

static void integers_beyond_doubles_are_refused_not_changed(void **state)
{
    struct fixture *f = *state;
    expect_program(f, ".", "{'a':9007199254740992,'b':-9007199254740992}",
                   "{'a':9007199254740992,'b':-9007199254740992}");
    expect_program(f, ".", "{'a':[9007199254740993]}",
                   "jq: `a`: expected a number that jq holds exactly (up to 2^53; deliver it as "
                   "text), found `9007199254740993`");
    with_columns(f, "id");
    with_program(f, ".");
    expect_row(f, "[9007199254740993]",
               "jq: column `id`: expected a number that jq holds exactly (up to 2^53; deliver it "
               "as text), found `9007199254740993`");
    expect_program(f, "{a: nan}", "{}",
                   "jq: the program made a number that JSON lacks (nan or infinite)");
}

static void values_are_bounded_in_depth(void **state)
{
    struct fixture *f = *state;
    expect_program(f, "reduce range(200) as $i (.; {a: .})", "{}",
                   "jq: the program made a value nested deeper than 128 levels");
    expect_program(f, "reduce range(127) as $i (.; {a: .}) | {ok: true}", "{}", "{'ok':true}");
}

/* What libjq 1.6 does on its own: ends the process, or never ends. */
static void flaws_of_the_library_are_mended(void **state)
{
    struct fixture *f = *state;
    with_program(f, "{a: (.t | todate)}"); /* jq 1.6 misspells "error" */
    assert_non_null(strstr(outcome(f, body(f, "{'t':1e18}")),
                           "converting number of seconds since epoch to datetime"));
    expect_program(f, "{a: (.t | todate), b: (.t | strftime(\"%Y\"))}", "{'t':0}",
                   "{'a':'1970-01-01T00:00:00Z','b':'1970'}");
    expect_program(f, "{a: (.t | gsub(\"^ *\"; \"\"))}", "{'t':'  x'}", "{'a':'x'}");
    expect_program(f,
                   "{a: (.t | gsub(\"(?<v>[aeiou])\"; \"<\\(.v)>\")), b: (.t | sub(\"q\"; \"r\"))}",
                   "{'t':'banana'}", "{'a':'b<a>n<a>n<a>','b':'banana'}");
    expect_program(f, "{a: (.t | gsub(\"X\"; \"-\"; \"i\"))}", "{'t':'axbXc'}", "{'a':'a-b-c'}");
}

static void programs_include_modules_of_the_folder(void **state)
{
    struct fixture *f = *state;
    char folder[] = "/tmp/gemel-jq-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *path = gm_format_z("%s/shape.jq", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("def shape: {shaped: .a};", file);
    assert_int_equal(fclose(file), 0);
    f->steps_conf.folder_z = folder;
    expect_program(
        f, "# a comment; with a semicolon\n      include \"shape\";\n      shape + {e: $ENV}",
        "{'a':1}", "{'e':{},'shaped':1}");
    expect_program(f, "import \"shape\" as s; s::shape", "{'a':1}", "{'shaped':1}");
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(folder), 0);
    gm_free(path);
}

static void a_program_of_nothing_but_a_comment_changes_nothing(void **state)
{
    struct fixture *f = *state;
    expect_program(f, "# as it is", "{'a':1}", "{'a':1}");
}

static void of_two_columns_of_one_name_the_first_counts(void **state)
{
    struct fixture *f = *state;
    with_columns(f, "a,a");
    with_program(f, "{b: .a}");
    expect_row(f, "[1, 2]", "{'b':1}");
    compiled(f, "map:\n  $dtId: x\n  $model: dtmi:x;1\n  b: a\n");
    expect_row(f, "[1, 2]", "{'$dtId':'x','$metadata':{'$model':'dtmi:x;1'},'b':1}");
}

static void steps_follow_each_other(void **state)
{
    struct fixture *f = *state;
    with_columns(f, "a");
    compiled(f, "steps:\n  - filter: a > 1\n  - jq: \"{b: (.a * 2)}\"\n  - filter: b < 10\nmap:\n  "
                "$dtId: \"x{b}\"\n  $model: dtmi:x;1\n  c: b\n");
    expect_row(f, "[1]", "filtered");
    expect_row(f, "[2]", "{'$dtId':'x4','$metadata':{'$model':'dtmi:x;1'},'c':4}");
    expect_row(f, "[5]", "filtered");
}

static void programs_that_do_not_compile_are_reported(void **state)
{
    struct fixture *f = *state;
    expect_errors(
        f, "steps:\n- jq: .a | foo\n- jq: |\n    .a\n    | {\n- jq: include \"nowhere\"; .\n",
        "2:7: jq: foo/0 is not defined at line 1\n"
        "4:1: jq: syntax error, unexpected $end at line 2\n"
        "6:7: jq: module not found: nowhere\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_program_makes_the_new_body),
        TEST(no_output_filters_and_several_are_an_error),
        TEST(what_is_no_object_is_an_error),
        TEST(errors_have_the_text_of_jq),
        TEST(an_error_of_one_record_does_not_touch_the_next),
        TEST(the_world_outside_is_out_of_reach),
        TEST(integers_beyond_doubles_are_refused_not_changed),
        TEST(values_are_bounded_in_depth),
        TEST(flaws_of_the_library_are_mended),
        TEST(programs_include_modules_of_the_folder),
        TEST(a_program_of_nothing_but_a_comment_changes_nothing),
        TEST(of_two_columns_of_one_name_the_first_counts),
        TEST(steps_follow_each_other),
        TEST(programs_that_do_not_compile_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
