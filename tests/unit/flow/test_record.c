/* Batches, hashes, cells and keys. */
#include "flow/record.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct gm_str two_names[] = {{"id", 2}, {"name", 4}};
static const struct gm_shape two_columns = {2, two_names};

static struct gm_cell int_cell(int64_t v)
{
    return (struct gm_cell){.type = GM_CELL_INT, .as.i = v};
}

static struct gm_cell text_cell(const char *z)
{
    return (struct gm_cell){.type = GM_CELL_TEXT, .as.s = gm_str_z(z)};
}

static struct gm_cell bytes_cell(const char *p, size_t n)
{
    return (struct gm_cell){.type = GM_CELL_BYTES, .as.s = {p, n}};
}

static yyjson_mut_val *parse(struct gm_batch *batch, const char *text_z)
{
    struct gm_err err = {0};
    yyjson_mut_val *value = NULL;
    assert_int_equal(gm_json_parse(batch->doc, gm_str_z(text_z), &value, &err), GM_OK);
    return value;
}

static void assert_str(struct gm_str s, const char *expected_z)
{
    assert_non_null(s.p);
    assert_int_equal(s.n, strlen(expected_z));
    assert_memory_equal(s.p, expected_z, s.n);
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

static struct gm_record *add_row(struct gm_batch *batch, struct gm_cell first,
                                 struct gm_cell second)
{
    batch->shape = &two_columns;
    struct gm_record *record = gm_batch_add(batch);
    assert_non_null(record);
    struct gm_cell *cells = gm_batch_cells(batch);
    cells[0] = first;
    cells[1] = second;
    record->cells = cells;
    return record;
}

static void a_batch_takes_its_limit_of_records_and_no_more(void **state)
{
    struct gm_batch *batch = *state;
    for (int i = 0; i < GM_BATCH_RECORDS_MAX; i++) {
        assert_false(gm_batch_full(batch));
        assert_non_null(gm_batch_add(batch));
    }
    assert_true(gm_batch_full(batch));
    assert_null(gm_batch_add(batch));
    gm_batch_drop_last(batch);
    assert_non_null(gm_batch_add(batch));
    gm_batch_reset(batch);
    assert_int_equal(batch->count, 0);
    assert_false(gm_batch_full(batch));
}

static void a_batch_is_full_when_its_bytes_reach_the_target(void **state)
{
    struct gm_batch *batch = *state;
    assert_non_null(gm_batch_add(batch));
    assert_non_null(gm_arena_alloc(batch->arena, GM_BATCH_SIZE_TARGET));
    assert_true(gm_batch_full(batch));
    assert_null(gm_batch_add(batch));
}

static void a_reused_record_starts_zeroed(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_record *record = gm_batch_add(batch);
    record->version = 7;
    gm_record_fail(batch, record, GM_E_INVALID, "x");
    gm_batch_reset(batch);
    record = gm_batch_add(batch);
    assert_int_equal(record->version, 0);
    assert_int_equal(record->rc, GM_OK);
    assert_null(record->error.p);
}

static void the_first_failure_of_a_record_is_kept(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_record *record = gm_batch_add(batch);
    gm_record_fail(batch, record, GM_E_INVALID, "column `%s`", "a");
    gm_record_fail(batch, record, GM_E_LIMIT, "column `%s`", "b");
    assert_int_equal(record->rc, GM_E_INVALID);
    assert_str(record->error, "column `a`");
}

static void a_failure_stands_even_when_the_arena_is_full(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_record *record = gm_batch_add(batch);
    while (gm_arena_alloc(batch->arena, 1 << 20) != NULL) {
    }
    while (gm_arena_alloc(batch->arena, 1) != NULL) {
    }
    gm_record_fail(batch, record, GM_E_INVALID, "reason");
    assert_int_equal(record->rc, GM_E_INVALID);
    assert_true(record->error.n > 0);
}

static void equal_rows_have_equal_hashes_in_any_batch(void **state)
{
    struct gm_record *a = add_row(*state, int_cell(1), text_cell("one"));
    gm_record_hash(*state, a, 5);
    struct gm_batch *other = gm_batch_new();
    add_row(other, int_cell(9), text_cell("nine"));
    struct gm_record *b = add_row(other, int_cell(1), text_cell("one"));
    gm_record_hash(other, b, 5);
    assert_true(gm_hash128_eq(a->hash, b->hash));
    gm_batch_free(other);
}

/* Each pair once collided in some product: text that looks like a number, null and empty, borders
 * between columns. */
static void rows_that_differ_have_different_hashes(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_cell null_cell = {.type = GM_CELL_NULL};
    struct gm_cell json = {.type = GM_CELL_JSON, .as.json = parse(batch, "[1]")};
    struct gm_cell double_one = {.type = GM_CELL_DOUBLE, .as.d = 1.0};
    struct gm_cell yes = {.type = GM_CELL_BOOL, .as.b = true};
    struct gm_cell no = {.type = GM_CELL_BOOL, .as.b = false};
    struct gm_cell rows[][2] = {
        {int_cell(1), text_cell("one")},
        {text_cell("1"), text_cell("one")},
        {double_one, text_cell("one")},
        {yes, text_cell("one")},
        {no, text_cell("one")},
        {null_cell, text_cell("one")},
        {text_cell(""), text_cell("one")},
        {text_cell("1o"), text_cell("ne")},
        {text_cell("one"), int_cell(1)},
        {bytes_cell("1", 1), text_cell("one")},
        {json, text_cell("one")},
        {text_cell("[1]"), text_cell("one")},
    };
    size_t count = GM_ARRAY_COUNT(rows);
    for (size_t i = 0; i < count; i++) {
        gm_record_hash(batch, add_row(batch, rows[i][0], rows[i][1]), 5);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_false(gm_hash128_eq(batch->records[i].hash, batch->records[j].hash));
        }
    }
}

static void seed_kind_and_column_names_are_part_of_the_hash(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_record *record = add_row(batch, int_cell(1), text_cell("one"));
    gm_record_hash(batch, record, 5);
    struct gm_hash128 first = record->hash;
    gm_record_hash(batch, record, 6);
    assert_false(gm_hash128_eq(first, record->hash));
    record->kind = GM_RECORD_DELETE;
    gm_record_hash(batch, record, 5);
    assert_false(gm_hash128_eq(first, record->hash));
    record->kind = GM_RECORD_UPSERT;
    static const struct gm_str swapped[] = {{"name", 4}, {"id", 2}};
    static const struct gm_shape other = {2, swapped};
    batch->shape = &other;
    gm_record_hash(batch, record, 5);
    assert_false(gm_hash128_eq(first, record->hash));
    batch->shape = &two_columns;
    gm_record_hash(batch, record, 5);
    assert_true(gm_hash128_eq(first, record->hash));
}

static void bodies_hash_by_value_and_not_by_order_of_members(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_record *a = gm_batch_add(batch);
    struct gm_record *b = gm_batch_add(batch);
    a->body = parse(batch, "{\"a\":1,\"b\":{\"d\":2,\"c\":3}}");
    b->body = parse(batch, "{\"b\":{\"c\":3,\"d\":2},\"a\":1}");
    gm_record_hash(batch, a, 1);
    gm_record_hash(batch, b, 1);
    assert_true(gm_hash128_eq(a->hash, b->hash));
    b->body = parse(batch, "{\"b\":{\"c\":3,\"d\":2},\"a\":1.0}");
    gm_record_hash(batch, b, 1);
    assert_false(gm_hash128_eq(a->hash, b->hash));
}

static void a_huge_cell_is_hashed_too(void **state)
{
    struct gm_batch *batch = *state;
    size_t size = 10 << 20;
    char *huge = gm_arena_zalloc(batch->arena, size);
    batch->shape = &two_columns;
    struct gm_record *record = &batch->records[0];
    batch->count = 1;
    struct gm_cell *cells = gm_batch_cells(batch);
    cells[1] = bytes_cell(huge, size);
    record->cells = cells;
    gm_record_hash(batch, record, 1);
    struct gm_hash128 first = record->hash;
    huge[size - 1] = 1;
    gm_record_hash(batch, record, 1);
    assert_int_equal(record->rc, GM_OK);
    assert_false(gm_hash128_eq(first, record->hash));
}

static void cells_have_their_canonical_text(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_arena *arena = batch->arena;
    struct gm_cell cell = int_cell(-42);
    assert_str(gm_cell_text(arena, &cell), "-42");
    cell = (struct gm_cell){.type = GM_CELL_DOUBLE, .as.d = 18};
    assert_str(gm_cell_text(arena, &cell), "18.0");
    cell.as.d = 1e308 * 10;
    assert_str(gm_cell_text(arena, &cell), "Infinity");
    cell = (struct gm_cell){.type = GM_CELL_BOOL, .as.b = true};
    assert_str(gm_cell_text(arena, &cell), "true");
    cell = text_cell("");
    assert_str(gm_cell_text(arena, &cell), "");
    cell = (struct gm_cell){.type = GM_CELL_JSON, .as.json = parse(batch, "{\"b\":1,\"a\":[]}")};
    assert_str(gm_cell_text(arena, &cell), "{\"a\":[],\"b\":1}");
    cell = (struct gm_cell){.type = GM_CELL_NULL};
    assert_null(gm_cell_text(arena, &cell).p);
}

/* The vectors of RFC 4648, section 10. */
static void bytes_are_written_as_base64(void **state)
{
    struct gm_batch *batch = *state;
    static const char *const vectors[][2] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe\xfd", "//79"}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(vectors); i++) {
        struct gm_cell cell = bytes_cell(vectors[i][0], strlen(vectors[i][0]));
        assert_str(gm_cell_text(batch->arena, &cell), vectors[i][1]);
    }
}

static void a_row_becomes_an_object_by_column_names(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_record *record = add_row(batch, int_cell(7),
                                       text_cell("a\xff"
                                                 "b\xc3"));
    struct gm_buf buf;
    gm_buf_init(&buf, 1000);
    gm_json_write(gm_record_json(batch, record), &buf);
    assert_str(gm_buf_str(&buf), "{\"id\":7,\"name\":\"a\xEF\xBF\xBD"
                                 "b\xEF\xBF\xBD\"}");
    gm_buf_deinit(&buf);
}

static void a_json_cell_is_copied_into_the_object(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_cell json = {.type = GM_CELL_JSON, .as.json = parse(batch, "{\"x\":[1,2]}")};
    struct gm_record *record = add_row(batch, json, json);
    struct gm_buf buf;
    gm_buf_init(&buf, 1000);
    gm_json_write(gm_record_json(batch, record), &buf);
    assert_str(gm_buf_str(&buf), "{\"id\":{\"x\":[1,2]},\"name\":{\"x\":[1,2]}}");
    gm_buf_deinit(&buf);
}

static void scalars_go_to_json_and_back(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_cell cells[] = {
        {.type = GM_CELL_NULL}, {.type = GM_CELL_BOOL, .as.b = true},  int_cell(INT64_MIN),
        int_cell(INT64_MAX),    {.type = GM_CELL_DOUBLE, .as.d = 0.5}, text_cell("tĕxt"),
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cells); i++) {
        struct gm_cell back = gm_cell_of_json(gm_cell_json(batch->doc, batch->arena, &cells[i]));
        assert_int_equal(back.type, cells[i].type);
        struct gm_str a = gm_cell_text(batch->arena, &cells[i]);
        struct gm_str b = gm_cell_text(batch->arena, &back);
        assert_true(gm_str_eq(a, b));
    }
    assert_int_equal(gm_cell_of_json(NULL).type, GM_CELL_NULL);
    assert_int_equal(gm_cell_of_json(parse(batch, "18446744073709551615")).type, GM_CELL_DOUBLE);
    assert_int_equal(gm_cell_of_json(parse(batch, "18")).as.i, 18);
}

static void parts_of_a_key_cannot_run_into_each_other(void **state)
{
    struct gm_batch *batch = *state;
    struct gm_str one[] = {GM_STR("a|b\\c")};
    assert_str(gm_key_join(batch->arena, one, 1), "a|b\\c");
    struct gm_str two[] = {GM_STR("a|b"), GM_STR("c\\")};
    assert_str(gm_key_join(batch->arena, two, 2), "a\\|b|c\\\\");
    struct gm_str empty[] = {GM_STR(""), GM_STR("")};
    assert_str(gm_key_join(batch->arena, empty, 2), "|");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_batch, free_batch)
    const struct CMUnitTest tests[] = {
        TEST(a_batch_takes_its_limit_of_records_and_no_more),
        TEST(a_batch_is_full_when_its_bytes_reach_the_target),
        TEST(a_reused_record_starts_zeroed),
        TEST(the_first_failure_of_a_record_is_kept),
        TEST(a_failure_stands_even_when_the_arena_is_full),
        TEST(equal_rows_have_equal_hashes_in_any_batch),
        TEST(rows_that_differ_have_different_hashes),
        TEST(seed_kind_and_column_names_are_part_of_the_hash),
        TEST(bodies_hash_by_value_and_not_by_order_of_members),
        TEST(a_huge_cell_is_hashed_too),
        TEST(cells_have_their_canonical_text),
        TEST(bytes_are_written_as_base64),
        TEST(a_row_becomes_an_object_by_column_names),
        TEST(a_json_cell_is_copied_into_the_object),
        TEST(scalars_go_to_json_and_back),
        TEST(parts_of_a_key_cannot_run_into_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
