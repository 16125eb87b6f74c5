/* Every statement of the query language's public examples, which lie outside the project: parsed,
 * and run on a graph that has other models, where most of them select nothing. They
 * stand between `-- <NAME>` and `-- </NAME>`; several of them are templates or miss a part, and are
 * listed here with the reason. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "building.h"
#include "os/file.h"
#include "query_world.h"

enum { SKIPPED = 77 };

/* What looks like a statement and is none; all must be refused. Blocks called …Syntax are
 * templates. */
static const struct {
    const char *name_z, *why_z;
} not_statements[] = {
    {"QueryByProperty4", "placeholders"},
    {"SelectTop", "WHERE ..."},
    {"INOperatorWithout", "a variable of another language, @buildingId"},
    {"INOperatorWith", "a list with .. in it"},
    {"FromNegativeExample", "shows what is refused"},
    {"MatchNameAllExample", "the parenthesis behind (Building is missing"},
    {"MatchVariableExample", "FROM is missing"},
    {"IsStringExample", "DIGITIALTWINS"},
};

struct corpus {
    struct world *world;
    int parsed, with_match, templates, known;
    struct gm_err err;
};

static bool is_known(const char *name_z)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(not_statements); i++) {
        if (strcmp(not_statements[i].name_z, name_z) == 0) {
            return true;
        }
    }
    return false;
}

static void check_statement(struct corpus *corpus, const char *name_z, struct gm_str text)
{
    text = gm_str_trim(text);
    if (text.n == 0 || gm_str_ends(gm_str_z(name_z), GM_STR("Syntax"))) {
        corpus->templates += text.n > 0;
        return;
    }
    gm_rc rc = gm_query_check(text, &corpus->err);
    if (is_known(name_z)) {
        check_rc(rc, GM_E_INVALID, corpus->err);
        corpus->known++;
        return;
    }
    if (rc != GM_OK) {
        fail_msg("%s: %s\n" GM_STR_FMT, name_z, corpus->err.text, GM_STR_ARG(text));
    }
    char *text_z = gm_str_dup_z(text);
    struct gm_query_outcome outcome;
    struct gm_buf rows;
    gm_buf_init(&rows, 1 << 20);
    if (world_query(corpus->world, text_z, &rows, &outcome) != GM_OK) {
        fail_msg("%s: %s\n%s", name_z, corpus->world->err.text, text_z);
    }
    gm_buf_deinit(&rows);
    corpus->parsed++;
    corpus->with_match += strstr(text_z, "MATCH") != NULL;
    gm_free(text_z);
}

/* Splits a block at blank lines that a SELECT follows. */
static void check_block(struct corpus *corpus, const char *name_z, struct gm_str block)
{
    const char *second = block.n > 0 ? strstr(block.p, "\n\nSELECT") : NULL;
    if (second != NULL) {
        size_t n = (size_t)(second - block.p);
        check_statement(corpus, name_z, (struct gm_str){block.p, n});
        check_statement(corpus, name_z, (struct gm_str){block.p + n, block.n - n});
    } else {
        check_statement(corpus, name_z, block);
    }
}

static void check_file(struct corpus *corpus, const char *path_z)
{
    struct gm_buf file, block;
    gm_buf_init(&file, 1 << 20);
    gm_buf_init(&block, 1 << 20);
    check_ok(gm_file_read_all(path_z, &file, &corpus->err), corpus->err);
    char name[64] = "";
    struct gm_str rest = gm_buf_str(&file);
    while (rest.n > 0) {
        struct gm_str line;
        (void)gm_str_cut(rest, '\n', &line, &rest);
        if (gm_str_starts(line, GM_STR("-- <")) && !gm_str_starts(line, GM_STR("-- </"))) {
            (void)snprintf(name, sizeof(name), "%.*s", (int)(line.n - 5), line.p + 4);
            gm_buf_reset(&block);
        } else if (gm_str_starts(line, GM_STR("-- </"))) {
            check_block(corpus, name, gm_buf_str(&block));
        } else if (!gm_str_starts(line, GM_STR("--"))) {
            gm_buf_add(&block, line);
            gm_buf_add_char(&block, '\n');
        }
    }
    gm_buf_deinit(&file);
    gm_buf_deinit(&block);
}

static void every_example_of_the_language_parses_and_runs(void **state)
{
    static const char *const files[] = {"query/adt-examples.sql", "query/adt-reference.sql"};
    const char *shared_z = getenv("GEMEL_TEST_SHARED");
    struct corpus corpus = {.world = *state};
    world_import(corpus.world, building_lines);
    for (size_t i = 0; i < GM_ARRAY_COUNT(files); i++) {
        char *path_z = gm_path_join_z(gm_str_z(shared_z), gm_str_z(files[i]));
        check_file(&corpus, path_z);
        gm_free(path_z);
    }
    print_message("%d statements parse, %d of them with MATCH; %d are known to be none, %d are "
                  "templates\n",
                  corpus.parsed, corpus.with_match, corpus.known, corpus.templates);
    assert_true(corpus.parsed > 70);
    assert_true(corpus.with_match > 12);
    assert_int_equal(corpus.known, (int)GM_ARRAY_COUNT(not_statements));
}

int main(void)
{
    const char *shared_z = getenv("GEMEL_TEST_SHARED");
    struct gm_file_info info;
    struct gm_err err;
    char *path_z = shared_z != NULL ? gm_path_join_z(gm_str_z(shared_z), GM_STR("query")) : NULL;
    bool there =
        path_z != NULL && gm_file_info(path_z, &info, &err) == GM_OK && info.type == GM_FILE_FOLDER;
    gm_free(path_z);
    if (!there) {
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        every_example_of_the_language_parses_and_runs, world_setup, world_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
