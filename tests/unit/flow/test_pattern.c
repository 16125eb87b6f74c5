/* Texts with paths in them. */
#include "flow/pattern.h"
#include "support/check.h"

static int make_arena(void **state)
{
    *state = gm_arena_new(1 << 16);
    return 0;
}

static int free_arena(void **state)
{
    gm_arena_free(*state);
    return 0;
}

static struct gm_pattern parsed(struct gm_arena *arena, const char *text_z)
{
    struct gm_pattern pattern;
    struct gm_err err = {0};
    check_ok(gm_pattern_parse(arena, gm_str_z(text_z), &pattern, &err), err);
    return pattern;
}

static void expect_error(struct gm_arena *arena, const char *text_z, const char *part_z)
{
    struct gm_pattern pattern;
    struct gm_err err = {0};
    assert_true(gm_pattern_parse(arena, gm_str_z(text_z), &pattern, &err) != GM_OK);
    check_err_says(err, part_z);
}

static void without_braces_a_text_is_a_path(void **state)
{
    struct gm_pattern pattern = parsed(*state, "machine.id");
    assert_true(gm_pattern_is_path(&pattern));
    assert_int_equal(pattern.paths[0].count, 2);
}

static void literals_stand_around_paths(void **state)
{
    struct gm_pattern pattern = parsed(*state, "m-{{{a.b}}}/{ c }");
    assert_int_equal(pattern.count, 2);
    check_str(pattern.literals[0], "m-{");
    check_str(pattern.paths[0].segments[1], "b");
    check_str(pattern.literals[1], "}/");
    check_str(pattern.paths[1].segments[0], "c");
    check_str(pattern.literals[2], "");
    assert_false(gm_pattern_is_path(&pattern));
    pattern = parsed(*state, "{a}");
    assert_true(gm_pattern_is_path(&pattern));
}

static void what_is_wrong_is_said(void **state)
{
    expect_error(*state, "m-{a", "a `{` without its `}`");
    expect_error(*state, "{a}}", "a `}` without its `{`");
    expect_error(*state, "{{a}}", "there is no {path} in it");
    expect_error(*state, "{a}{a}{a}{a}{a}{a}{a}{a}{a}", "more than 8 paths");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_braces_a_text_is_a_path, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(literals_stand_around_paths, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_said, make_arena, free_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
