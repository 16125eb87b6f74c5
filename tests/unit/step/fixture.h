/* What the tests of step/ share: a configuration in YAML, rows as JSON arrays, and what became of a
 * record as text. ' stands for " in JSON. */
#ifndef TESTS_UNIT_STEP_FIXTURE_H
#define TESTS_UNIT_STEP_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "step/step.h"
#include "support/check.h"

enum { COLUMNS_MAX = 32 };

struct fixture {
    struct gm_conf_doc *conf;
    struct gm_steps_conf steps_conf;
    struct gm_models *models;
    struct gm_steps *steps;
    struct gm_batch *batch;
    struct gm_shape shape;
    struct gm_str names[COLUMNS_MAX];
    char *columns;
    struct gm_buf out;
    struct gm_err err;
};

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->conf = gm_conf_doc_new(NULL);
    f->batch = gm_batch_new();
    gm_buf_init(&f->out, 16 << 20);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    gm_steps_free(f->steps);
    gm_models_free(f->models);
    gm_batch_free(f->batch);
    gm_conf_doc_free(f->conf);
    gm_buf_deinit(&f->out);
    free(f->columns);
    free(f);
    return 0;
}

static inline char *double_quoted(struct fixture *f, const char *text_z)
{
    size_t n = strlen(text_z);
    char *copy = gm_arena_alloc(f->batch->arena, n + 1);
    for (size_t i = 0; i <= n; i++) {
        copy[i] = text_z[i] == '\'' ? '"' : text_z[i];
    }
    return copy;
}

static inline yyjson_mut_val *parsed(struct fixture *f, const char *text_z)
{
    yyjson_mut_val *value = NULL;
    check_ok(gm_json_parse(f->batch->doc, gm_str_z(double_quoted(f, text_z)), &value, &f->err),
             f->err);
    return value;
}

/* A JSON array of DTDL interfaces. */
static inline void with_models(struct fixture *f, const char *text_z)
{
    yyjson_mut_val *interfaces = parsed(f, text_z);
    size_t added;
    check_ok(gm_models_extend(NULL, &interfaces, 1, &f->models, &added, &f->err), f->err);
}

/* YAML with `steps` and `map` at the top. */
static inline const struct gm_steps_conf *configured(struct fixture *f, const char *yaml_z)
{
    const struct gm_node *root = gm_conf_load(f->conf, "t.yaml", gm_str_z(yaml_z));
    if (root == NULL) {
        gm_conf_print_errors(f->conf, &f->out);
        fail_msg("%s", f->out.p);
    }
    f->steps_conf.steps = gm_node_member(root, GM_STR("steps"));
    f->steps_conf.map = gm_node_member(root, GM_STR("map"));
    return &f->steps_conf;
}

static inline void compiled(struct fixture *f, const char *yaml_z)
{
    gm_steps_free(f->steps);
    f->steps = NULL;
    check_ok(gm_steps_compile(configured(f, yaml_z), f->models, &f->steps, &f->err), f->err);
}

/* jq 1.7 calls the end of a program by another name. */
static inline void in_words_of_jq_16(char *text_z)
{
    static const char end[] = "end of file";
    for (char *at = strstr(text_z, end); at != NULL; at = strstr(at, end)) {
        char *rest = at + sizeof(end) - 1;
        memcpy(at, "$end", 4);
        memmove(at + 4, rest, strlen(rest) + 1);
    }
}

/* All errors of lint, one a line without "t.yaml:" and "error: ". */
static inline void expect_errors(struct fixture *f, const char *yaml_z, const char *errors_z)
{
    gm_conf_doc_free(f->conf);
    f->conf = gm_conf_doc_new(NULL);
    gm_steps_lint(f->conf, configured(f, yaml_z), f->models);
    gm_buf_reset(&f->out);
    gm_conf_print_errors(f->conf, &f->out);
    struct gm_buf text;
    gm_buf_init(&text, 1 << 20);
    struct gm_str rest = gm_buf_str(&f->out);
    while (rest.n > 0) {
        struct gm_str line;
        struct gm_str head;
        gm_str_cut(rest, '\n', &line, &rest);
        gm_str_cut(line, ':', &head, &line);
        const char *error = strstr(line.p, " error: ");
        gm_buf_add(&text, (struct gm_str){line.p, (size_t)(error - line.p)});
        gm_buf_add_char(&text, ' ');
        gm_buf_add(&text, (struct gm_str){error + 8, line.n - (size_t)(error - line.p) - 8});
        gm_buf_add_char(&text, '\n');
    }
    gm_buf_add_z(&text, "");
    char *got = gm_buf_take_z(&text);
    in_words_of_jq_16(got);
    assert_string_equal(got, errors_z);
    gm_free(got);
}

/* "A,B,C": the columns of the rows from now on. */
static inline void with_columns(struct fixture *f, const char *names_z)
{
    free(f->columns);
    f->columns = calloc(1, strlen(names_z) + 1);
    memcpy(f->columns, names_z, strlen(names_z));
    f->shape = (struct gm_shape){.names = f->names};
    struct gm_str rest = gm_str_z(f->columns);
    while (rest.n > 0) {
        gm_str_cut(rest, ',', &f->names[f->shape.count++], &rest);
    }
    f->batch->shape = &f->shape;
    f->batch->origin = GM_STR("Products");
}

static inline struct gm_record *record_new(struct fixture *f)
{
    struct gm_record *record = gm_batch_add(f->batch);
    assert_non_null(record);
    return record;
}

/* A row out of a JSON array. */
static inline struct gm_record *row(struct fixture *f, const char *values_z)
{
    struct gm_record *record = record_new(f);
    struct gm_cell *cells = gm_batch_cells(f->batch);
    yyjson_mut_val *values = parsed(f, values_z);
    assert_int_equal(gm_json_count(values), f->shape.count);
    for (size_t i = 0; i < f->shape.count; i++) {
        cells[i] = gm_cell_of_json(yyjson_mut_arr_get(values, i));
    }
    record->cells = cells;
    return record;
}

static inline struct gm_record *body(struct fixture *f, const char *json_z)
{
    struct gm_record *record = record_new(f);
    record->body = parsed(f, json_z);
    return record;
}

/* Canonical text of the body with ' for ", or "filtered", or the error. Valid until the next
 * call. */
static inline const char *outcome(struct fixture *f, struct gm_record *record)
{
    check_ok(gm_steps_apply(f->steps, f->batch, record, &f->err), f->err);
    gm_buf_reset(&f->out);
    if (record->rc != GM_OK) {
        gm_buf_add(&f->out, record->error);
        return f->out.p;
    }
    if (record->verdict == GM_VERDICT_FILTERED) {
        return "filtered";
    }
    gm_json_write(record->body, &f->out); /* in the order the members stand */
    for (size_t i = 0; i < f->out.n; i++) {
        f->out.p[i] = f->out.p[i] == '"' ? '\'' : f->out.p[i];
    }
    return f->out.p;
}

#define expect_row(f, values_z, outcome_z)                                                         \
    assert_string_equal(outcome((f), row((f), (values_z))), (outcome_z))
#define expect_body(f, json_z, outcome_z)                                                          \
    assert_string_equal(outcome((f), body((f), (json_z))), (outcome_z))

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
