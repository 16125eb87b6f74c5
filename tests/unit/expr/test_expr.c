#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/expr_text.h"

struct fixture {
    struct gm_arena *arena;
    struct gm_buf out;
    struct gm_err err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->arena = gm_arena_new(64 << 20);
    gm_buf_init(&f->out, 1 << 20);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    gm_buf_deinit(&f->out);
    gm_arena_free(f->arena);
    free(f);
    return 0;
}

static const struct gm_expr *parsed(struct fixture *f, const char *text_z)
{
    struct gm_expr *expr = NULL;
    if (gm_expr_parse(f->arena, gm_str_z(text_z), &expr, &f->err) != GM_OK) {
        fail_msg("%s: %s", text_z, f->err.text);
    }
    return expr;
}

static void expect_tree(struct fixture *f, const char *text_z, const char *tree_z)
{
    gm_buf_reset(&f->out);
    expr_text(&f->out, parsed(f, text_z));
    assert_string_equal(f->out.p, tree_z);
}

static void expect_error(struct fixture *f, const char *text_z, const char *message_z)
{
    struct gm_expr *expr = NULL;
    assert_int_equal(gm_expr_parse(f->arena, gm_str_z(text_z), &expr, &f->err), GM_E_INVALID);
    assert_null(expr);
    assert_string_equal(f->err.text, message_z);
}

/* ---- trees ---- */

static void not_binds_closer_than_and_and_and_closer_than_or(void **state)
{
    struct fixture *f = *state;
    expect_tree(f, "a = 1 OR b = 2 AND NOT c = 3", "([[a]] = 1 OR ([[b]] = 2 AND NOT [[c]] = 3))");
    expect_tree(f, "(a = 1 OR b = 2) AND c = 3", "(([[a]] = 1 OR [[b]] = 2) AND [[c]] = 3)");
    expect_tree(f, "NOT (a = 1 AND b = 2)", "NOT ([[a]] = 1 AND [[b]] = 2)");
    expect_tree(f, "NOT NOT a", "NOT NOT [[a]]");
}

static void a_chain_of_the_same_word_is_one_node(void **state)
{
    struct fixture *f = *state;
    const struct gm_expr *expr = parsed(f, "a=1 AND b=2 AND c=3 AND d=4 AND e=5");
    assert_int_equal(expr->type, GM_EXPR_AND);
    assert_int_equal(expr->arg_count, 5);
}

static void every_comparison_is_read(void **state)
{
    struct fixture *f = *state;
    expect_tree(f, "a=1", "[[a]] = 1");
    expect_tree(f, "a != 1", "[[a]] != 1");
    expect_tree(f, "a <> 1", "[[a]] != 1");
    expect_tree(f, "a<1", "[[a]] < 1");
    expect_tree(f, "a <= 1", "[[a]] <= 1");
    expect_tree(f, "a>1", "[[a]] > 1");
    expect_tree(f, "1 >= a", "1 >= [[a]]");
    expect_tree(f, "a <-1", "[[a]] < -1");
}

static void values_keep_their_kind(void **state)
{
    struct fixture *f = *state;
    expect_tree(f, "a = -9223372036854775808", "[[a]] = -9223372036854775808");
    expect_tree(f, "a = 9223372036854775808", "[[a]] = 9.223372036854776e18");
    expect_tree(f, "a = 1.0", "[[a]] = 1.0");
    expect_tree(f, "a = 12.5e-1", "[[a]] = 1.25");
    expect_tree(f, "a = TRUE OR b = False OR c = null",
                "([[a]] = true OR [[b]] = false OR [[c]] = null)");
    expect_tree(f, "a = 'D\\'Souza \\\\ Söhne'", "[[a]] = 'D\\'Souza \\\\ Söhne'");
    expect_tree(f, "a = ''", "[[a]] = ''");
}

static void paths_have_segments(void **state)
{
    struct fixture *f = *state;
    expect_tree(f, "T.$metadata.model = 'x'", "[[T]].[[$metadata]].[[model]] = 'x'");
    expect_tree(f, "Room. Temperature > 72", "[[Room]].[[Temperature]] > 72");
    expect_tree(f, "T.[[Order Details]].Menge = 1", "[[T]].[[Order Details]].[[Menge]] = 1");
    expect_tree(f, "[[a]]] = 1", "[[a]]] = 1");
    expect_tree(f, "Größe > 1", "[[Größe]] > 1");
    expect_tree(f, "Größe\u00a0>\u20031\u202f\ufeff", "[[Größe]] > 1");
    expect_tree(f, "T.order.not.in = 1", "[[T]].[[order]].[[not]].[[in]] = 1");
    expect_tree(f, "[[Not]] = 1", "[[Not]] = 1");
}

static void a_path_or_a_truth_value_alone_is_a_condition(void **state)
{
    struct fixture *f = *state;
    expect_tree(f, "T.active AND true", "([[T]].[[active]] AND true)");
    expect_error(f, "'abc'", "line 1, column 6: expected a comparison, found the end");
}

static void lists_may_be_negated_in_two_spellings(void **state)
{
    struct fixture *f = *state;
    expect_tree(f, "a in ['x', 'y']", "[[a]] IN ['x', 'y']");
    expect_tree(f, "a NOT IN [1, -2, true, null]", "[[a]] NOT IN [1, -2, true, null]");
    expect_tree(f, "a NIN [1]", "[[a]] NOT IN [1]");
    expect_tree(f, "NOT a IN [1]", "NOT [[a]] IN [1]");
}

static void functions_are_read_and_their_names_serve_as_paths(void **state)
{
    struct fixture *f = *state;
    expect_tree(f, "STARTSWITH(T.$dtId, 'a')", "STARTSWITH([[T]].[[$dtId]], 'a')");
    expect_tree(f, "array_contains (T.floor_number, 2)",
                "ARRAY_CONTAINS([[T]].[[floor_number]], 2)");
    expect_tree(f, "IS_DEFINED ( MapObject.TemperatureReading )",
                "IS_DEFINED([[MapObject]].[[TemperatureReading]])");
    expect_tree(f, "IS_OF_MODEL('dtmi:a;1')", "IS_OF_MODEL('dtmi:a;1')");
    expect_tree(f, "IS_OF_MODEL(DT, 'dtmi:a;1', exact)", "IS_OF_MODEL([[DT]], 'dtmi:a;1', exact)");
    expect_tree(f, "Contains = 1", "[[Contains]] = 1");
    expect_tree(f, "R.contains = 1", "[[R]].[[contains]] = 1");
}

/* ---- refusals ---- */

static void errors_name_the_place_what_was_expected_and_what_was_found(void **state)
{
    struct fixture *f = *state;
    expect_error(f, "", "line 1, column 1: expected a condition, found the end");
    expect_error(f, "a >", "line 1, column 4: expected a name or a value, found the end");
    expect_error(f, "a = 1\n  AND AND", "line 2, column 7: expected a condition, found `AND`");
    expect_error(f, "ä = 1 b", "line 1, column 7: expected AND, OR or the end, found `b`");
    expect_error(f, "(a = 1", "line 1, column 7: expected AND, OR or `)`, found the end");
    expect_error(f, "a IN []",
                 "line 1, column 7: expected a string, a number, true, false or null, found `]`");
    expect_error(f, "a IN ['x' 'y']", "line 1, column 11: expected `,` or `]`, found 'y'");
    expect_error(f, "a = @id", "line 1, column 5: expected a name or a value, found `@`");
    expect_error(f, "a. = 1", "line 1, column 4: expected a name behind the `.`, found `=`");
    expect_error(f, "IS_OF_MODEL('x', most)", "line 1, column 18: expected `exact`, found `most`");
    expect_error(f, "a NOT LIKE 'x'", "line 1, column 7: expected IN behind NOT, found `LIKE`");
}

static void errors_name_the_cure(void **state)
{
    struct fixture *f = *state;
    expect_error(
        f, "START_SWITH(a, 'b')",
        "line 1, column 1: there is no function `START_SWITH`; did you mean `STARTSWITH`?");
    expect_error(f, "a = \"x\"",
                 "line 1, column 5: strings stand in single quotes, not in double ones");
    expect_error(f, "a = 'D''Souza'", "line 1, column 5: a ' inside a string is written \\'");
    expect_error(f, "a = 'x\\n'",
                 "line 1, column 5: a backslash stands before ' or \\ only; write \\\\ for the "
                 "backslash itself");
    expect_error(f, "tags.1st = 1",
                 "line 1, column 6: a number runs into a name; a name that starts with a digit is "
                 "written [[1st]]");
    expect_error(f, "a = 'x", "line 1, column 5: the string is not closed by '");
    expect_error(f, "a = 'x\\'", "line 1, column 5: the string is not closed by '");
    expect_error(f, "[[a = 1", "line 1, column 1: [[ is not closed by ]]");
    expect_error(f, "a = 1e999",
                 "line 1, column 5: expected a number within the range of a double, found `1e999`");
    expect_error(f, "a & b", "line 1, column 3: unexpected `&`");
}

static void long_text_in_errors_is_cut_between_characters(void **state)
{
    struct fixture *f = *state;
    expect_error(f, "a = 1 xääääääääääääääääääääääää",
                 "line 1, column 7: expected AND, OR or the end, found `xäääääääääääääääääää…`");
}

static void text_that_is_not_utf8_is_refused(void **state)
{
    struct fixture *f = *state;
    expect_error(f, "a = '\xff'", "byte 6 is not UTF-8");
}

static void nesting_is_bounded(void **state)
{
    struct fixture *f = *state;
    char text[4 * GM_EXPR_DEPTH_MAX + 100];
    for (int depth = GM_EXPR_DEPTH_MAX - 1; depth <= GM_EXPR_DEPTH_MAX; depth++) {
        gm_buf_reset(&f->out);
        for (int i = 0; i < depth; i++) {
            gm_buf_add_char(&f->out, '(');
        }
        gm_buf_add_z(&f->out, "a=1");
        for (int i = 0; i < depth; i++) {
            gm_buf_add_char(&f->out, ')');
        }
        snprintf(text, sizeof(text), "%s", f->out.p);
        struct gm_expr *expr;
        gm_rc rc = gm_expr_parse(f->arena, gm_str_z(text), &expr, &f->err);
        assert_int_equal(rc, depth < GM_EXPR_DEPTH_MAX ? GM_OK : GM_E_INVALID);
    }
    assert_string_equal(f->err.text, "line 1, column 65: nested deeper than 64 levels");
}

static void size_and_items_are_bounded(void **state)
{
    struct fixture *f = *state;
    gm_buf_add_z(&f->out, "a IN [0");
    for (int i = 0; i < GM_EXPR_ITEMS_MAX; i++) {
        gm_buf_add_z(&f->out, ",1");
    }
    gm_buf_add_z(&f->out, "]");
    expect_error(f, f->out.p, "line 1, column 3: a list has at most 10000 values");
    while (f->out.n <= GM_EXPR_SIZE_MAX) {
        gm_buf_add_char(&f->out, ' ');
    }
    expect_error(f, f->out.p, "65537 bytes are too long; at most 65536");
}

static void a_full_arena_is_told_apart(void **state)
{
    struct fixture *f = *state;
    for (size_t limit = 0; limit < 2000; limit += 16) {
        struct gm_arena *small = gm_arena_new(limit);
        struct gm_expr *expr = NULL;
        gm_rc rc = gm_expr_parse(small, GM_STR("a.b IN ['x\\'', -1] AND NOT (c = 1 OR IS_NULL(d))"),
                                 &expr, &f->err);
        assert_true(rc == GM_OK || (rc == GM_E_LIMIT && expr == NULL));
        gm_arena_free(small);
    }
}

/* ---- for the parser of queries ---- */

static void a_condition_within_a_text_stops_where_it_ends(void **state)
{
    struct fixture *f = *state;
    struct gm_lexer lexer;
    struct gm_expr *expr;
    assert_int_equal(gm_lexer_init(&lexer, f->arena, GM_STR("WHERE a = 1 ORDER"), &f->err), GM_OK);
    assert_true(gm_lexer_at_keyword(&lexer, "where"));
    assert_int_equal(gm_lexer_next(&lexer, &f->err), GM_OK);
    assert_int_equal(gm_expr_parse_at(&lexer, &expr, &f->err), GM_OK);
    assert_true(gm_lexer_at_keyword(&lexer, "ORDER"));
    assert_int_equal(lexer.token.offset, 12);
}

static void arrows_and_ranges_of_match_are_symbols(void **state)
{
    struct fixture *f = *state;
    static const char *const expected[] = {"(", "a", ")",  "<", "-", "[", ":", "x", "|", "y",
                                           "*", "1", "..", "3", "]", "-", ">", "(", ")"};
    struct gm_lexer lexer;
    assert_int_equal(gm_lexer_init(&lexer, f->arena, GM_STR("(a)<-[:x|y*1..3]->()"), &f->err),
                     GM_OK);
    for (size_t i = 0; i < GM_ARRAY_COUNT(expected); i++) {
        assert_true(gm_str_is(lexer.token.text, expected[i]));
        assert_int_equal(gm_lexer_next(&lexer, &f->err), GM_OK);
    }
    assert_int_equal(lexer.token.type, GM_TOKEN_END);
}

/* ---- the published statements ---- */

static char *slurp(const char *name_z)
{
    const char *shared_z = getenv("GEMEL_TEST_SHARED");
    char path[1024];
    snprintf(path, sizeof(path), "%s/query/%s", shared_z != NULL ? shared_z : "", name_z);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return NULL;
    }
    char *text = calloc(1, 1 << 20);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

/* Places for values, dots for "and so on", and one slip of the pen are not the language. */
static bool is_pseudo_code(const char *text_z)
{
    return strstr(text_z, "...") != NULL || strstr(text_z, "..'") != NULL ||
           strstr(text_z, "@") != NULL || strstr(text_z, "<prop") != NULL ||
           strstr(text_z, "<twin") != NULL || strstr(text_z, "<function") != NULL ||
           strstr(text_z, "'<") != NULL || strstr(text_z, "twin_or") != NULL;
}

static bool in_comment(const char *text, const char *at)
{
    const char *line = at;
    while (line > text && line[-1] != '\n') {
        line--;
    }
    return line[0] == '-' && line[1] == '-';
}

static int parse_conditions(struct fixture *f, char *text)
{
    int count = 0;
    for (char *at = strstr(text, "WHERE"); at != NULL; at = strstr(at + 1, "WHERE")) {
        char *end = strstr(at, "\n--");
        char *next = strstr(at + 5, "\nSELECT");
        end = next != NULL && (end == NULL || next < end) ? next : end;
        char clause[4096];
        snprintf(clause, sizeof(clause), "%.*s",
                 end != NULL ? (int)(end - at - 5) : (int)strlen(at + 5), at + 5);
        if (is_pseudo_code(clause) || in_comment(text, at)) {
            continue;
        }
        (void)parsed(f, clause);
        count++;
    }
    return count;
}

static void conditions_of_the_published_statements_are_read(void **state)
{
    struct fixture *f = *state;
    char *examples = slurp("adt-examples.sql");
    char *reference = slurp("adt-reference.sql");
    if (examples == NULL || reference == NULL) {
        free(examples);
        free(reference);
        skip();
    }
    int count = parse_conditions(f, examples) + parse_conditions(f, reference);
    free(examples);
    free(reference);
    assert_true(count >= 60);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(not_binds_closer_than_and_and_and_closer_than_or),
        TEST(a_chain_of_the_same_word_is_one_node),
        TEST(every_comparison_is_read),
        TEST(values_keep_their_kind),
        TEST(paths_have_segments),
        TEST(a_path_or_a_truth_value_alone_is_a_condition),
        TEST(lists_may_be_negated_in_two_spellings),
        TEST(functions_are_read_and_their_names_serve_as_paths),
        TEST(errors_name_the_place_what_was_expected_and_what_was_found),
        TEST(errors_name_the_cure),
        TEST(long_text_in_errors_is_cut_between_characters),
        TEST(text_that_is_not_utf8_is_refused),
        TEST(nesting_is_bounded),
        TEST(size_and_items_are_bounded),
        TEST(a_full_arena_is_told_apart),
        TEST(a_condition_within_a_text_stops_where_it_ends),
        TEST(arrows_and_ranges_of_match_are_symbols),
        TEST(conditions_of_the_published_statements_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
