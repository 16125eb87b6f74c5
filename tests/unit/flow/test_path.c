/* Paths into rows and bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/record.h"

static const struct gm_str names[] = {{"id", 2}, {"a.b", 3}, {"a", 1}, {"Order Details", 13}};
static const struct gm_shape shape = {4, names};

static struct gm_path path_of(const char *text_z)
{
    struct gm_path path;
    struct gm_err err = {0};
    assert_int_equal(gm_path_parse(gm_str_z(text_z), &path, &err), GM_OK);
    return path;
}

static int make_batch(void **state)
{
    *state = gm_batch_new();
    return 0;
}

static int free_batch(void **state)
{
    gm_batch_free(*state);
    return 0;
}

static yyjson_mut_val *parse(struct gm_batch *batch, const char *text_z)
{
    struct gm_err err = {0};
    yyjson_mut_val *value = NULL;
    assert_int_equal(gm_json_parse(batch->doc, gm_str_z(text_z), &value, &err), GM_OK);
    return value;
}

static struct gm_record *add_row(struct gm_batch *batch)
{
    batch->shape = &shape;
    struct gm_record *record = gm_batch_add(batch);
    struct gm_cell *cells = gm_batch_cells(batch);
    cells[0] = (struct gm_cell){.type = GM_CELL_INT, .as.i = 1};
    cells[1] = (struct gm_cell){.type = GM_CELL_INT, .as.i = 2};
    cells[2] = (struct gm_cell){
        .type = GM_CELL_JSON, .as.json = parse(batch, "{\"b\":3,\"c\":{\"d\":[4,5]},\"n\":null}")};
    record->cells = cells;
    return record;
}

static struct gm_cell get(struct gm_batch *batch, const struct gm_record *record,
                          const char *text_z, bool *out_absent)
{
    struct gm_path path = path_of(text_z);
    return gm_path_get(&path, batch, record, out_absent);
}

static void paths_split_at_dots_and_keep_bracketed_names_whole(void **state)
{
    (void)state;
    struct gm_path path = path_of("[[a.b]].c.[[d]]");
    assert_int_equal(path.count, 3);
    assert_true(gm_str_is(path.segments[0], "a.b"));
    assert_true(gm_str_is(path.segments[1], "c"));
    assert_true(gm_str_is(path.segments[2], "d"));
}

static void malformed_paths_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",    ".",    "a.",     ".a",    "a..b",
                                        "[[a", "[[]]", "[[a]]b", "[[a]]."};
    for (size_t i = 0; i < GM_ARRAY_COUNT(wrong); i++) {
        struct gm_path path;
        struct gm_err err = {0};
        assert_int_equal(gm_path_parse(gm_str_z(wrong[i]), &path, &err), GM_E_CONFIG);
        assert_non_null(strstr(err.text, "path `"));
    }
    struct gm_path path;
    struct gm_err err = {0};
    assert_int_equal(gm_path_parse(GM_STR("1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16"), &path, &err),
                     GM_OK);
    assert_int_equal(
        gm_path_parse(GM_STR("1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17"), &path, &err),
        GM_E_CONFIG);
}

static void a_column_named_like_the_whole_path_wins(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_record *record = add_row(batch);
    bool absent = true;
    assert_int_equal(get(batch, record, "a.b", &absent).as.i, 2);
    assert_false(absent);
    assert_int_equal(get(batch, record, "[[a]].b", &absent).as.i, 3);
    assert_int_equal(get(batch, record, "a.c.d.1", &absent).as.i, 5);
}

static void absent_and_null_are_told_apart(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_record *record = add_row(batch);
    bool absent = false;
    static const char *const missing[] = {"nope", "a.x", "a.c.d.2", "a.c.d.-1", "id.x", "a.b.c"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(missing); i++) {
        assert_int_equal(get(batch, record, missing[i], &absent).type, GM_CELL_NULL);
        assert_true(absent);
    }
    static const char *const nulls[] = {"Order Details", "a.n"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(nulls); i++) {
        assert_int_equal(get(batch, record, nulls[i], &absent).type, GM_CELL_NULL);
        assert_false(absent);
    }
}

static void bodies_are_walked_the_same_way(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_record *record = gm_batch_add(batch);
    record->body = parse(batch, "{\"a\":{\"b\":1},\"a.c\":2,\"l\":[{\"k\":\"v\"}]}");
    bool absent = true;
    assert_int_equal(get(batch, record, "a.b", &absent).as.i, 1);
    assert_int_equal(get(batch, record, "a.c", &absent).as.i, 2);
    assert_true(gm_str_is(get(batch, record, "l.0.k", &absent).as.s, "v"));
    assert_false(absent);
    (void)get(batch, record, "l.k", &absent);
    assert_true(absent);
}

static void values_are_walked_by_members_and_numbers(void **state)
{
    static const char text[] = "{\"a\":{\"b\":[10,{\"c\":11}]},\"a.b\":12,\"0\":13}";
    static const struct {
        const char *path_z;
        int wanted; /* 0: nothing there */
    } cases[] = {{"a.b.0", 10}, {"a.b.1.c", 11}, {"[[a.b]]", 12}, {"0", 13},
                 {"a.b.2", 0},  {"a.b.-1", 0},   {"a.b.c", 0},    {"a.b.0.x", 0},
                 {"a.0", 0},    {"x", 0},        {"a.b.+1", 0},   {"[[a]].[[b]].00", 10}};
    yyjson_mut_val *made = parse(*state, text);
    yyjson_doc *read = yyjson_read(text, sizeof(text) - 1, YYJSON_READ_NOFLAG);
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_path path = path_of(cases[i].path_z);
        yyjson_val *value = gm_path_in(&path, yyjson_doc_get_root(read));
        yyjson_mut_val *other = gm_path_in_mut(&path, made);
        assert_int_equal(yyjson_get_int(value), cases[i].wanted);
        assert_int_equal(yyjson_mut_get_int(other), cases[i].wanted);
        assert_int_equal(value == NULL, cases[i].wanted == 0);
    }
    struct gm_path nowhere = {0};
    assert_null(gm_path_in(&nowhere, yyjson_doc_get_root(read)));
    yyjson_doc_free(read);
}

static void a_path_is_made_of_its_segments(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_str segments[GM_PATH_SEGMENTS_MAX + 1] = {GM_STR("a.b"), GM_STR("c")};
    struct gm_path path;
    struct gm_err err = {0};
    assert_int_equal(gm_path_of(batch->arena, segments, 2, &path, &err), GM_OK);
    assert_int_equal(path.count, 2);
    assert_true(gm_str_is(path.text, "a.b.c"));
    assert_true(gm_str_is(path.segments[0], "a.b"));
    assert_int_equal(gm_path_of(batch->arena, segments, GM_PATH_SEGMENTS_MAX + 1, &path, &err),
                     GM_E_CONFIG);
}

static void a_path_notices_that_the_shape_changed(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_record *record = add_row(batch);
    struct gm_path path = path_of("id");
    assert_int_equal(gm_path_get(&path, batch, record, NULL).as.i, 1);
    /* Even when the new one lies at the same address. */
    static struct gm_str moved[] = {{"id", 2}, {"x", 1}};
    struct gm_shape other = {2, moved};
    batch->shape = &other;
    assert_int_equal(gm_path_get(&path, batch, record, NULL).as.i, 1);
    moved[0] = GM_STR("x");
    moved[1] = GM_STR("id");
    assert_int_equal(gm_path_get(&path, batch, record, NULL).as.i, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_batch, free_batch)
    const struct CMUnitTest tests[] = {
        TEST(paths_split_at_dots_and_keep_bracketed_names_whole),
        TEST(malformed_paths_are_refused),
        TEST(a_column_named_like_the_whole_path_wins),
        TEST(absent_and_null_are_told_apart),
        TEST(bodies_are_walked_the_same_way),
        TEST(values_are_walked_by_members_and_numbers),
        TEST(a_path_is_made_of_its_segments),
        TEST(a_path_notices_that_the_shape_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
