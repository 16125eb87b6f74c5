/* Indexes that the store makes by itself for properties that queries filter on. */
#include "base/mem.h"
#include "store/store.h"
#include "support/check.h"
#include "support/tmp.h"
#include "twin/values.h"

struct desk {
    struct tmp *tmp;
    struct gm_store *store;
    struct gm_clock clock;
    gm_ns now;
    struct gm_arena *arena;
    struct gm_err err;
};

static gm_ns desk_now(const struct gm_clock *clock)
{
    return ((const struct desk *)clock->self)->now;
}

static void open_store(struct desk *desk)
{
    struct gm_store_options options = {
        .folder_z = tmp_path(desk->tmp, "data"),
        .clock = &desk->clock,
        .indexes = {.twins_min = 100, .walks_min = 3, .indexes_max = 2}};
    check_ok(gm_store_open(&options, &desk->store, &desk->err), desk->err);
}

static int setup(void **state)
{
    struct desk *desk = gm_alloc(sizeof(*desk));
    desk->tmp = tmp_new();
    desk->now = (gm_ns)1700000000 * GM_SECOND;
    desk->clock = (struct gm_clock){.wall = desk_now, .mono = desk_now, .self = desk};
    desk->arena = gm_arena_new(1 << 20);
    open_store(desk);
    *state = desk;
    return 0;
}

static int teardown(void **state)
{
    struct desk *desk = *state;
    gm_store_close(desk->store);
    gm_arena_free(desk->arena);
    tmp_free(desk->tmp);
    gm_free(desk);
    return 0;
}

static void walk(struct desk *desk, const char *path_z, int64_t twins, int times)
{
    for (int i = 0; i < times; i++) {
        struct gm_query_access access = {.path = gm_str_z(path_z), .twins = twins};
        gm_store_note_access(desk->store, &access);
    }
    gm_store_await_indexes(desk->store);
}

/* "$.\"a\"+ $.\"b\"~": ready, or not. */
static void check_indexes(struct desk *desk, const char *wanted_z)
{
    struct gm_db *db;
    struct gm_value_indexes indexes;
    struct gm_buf text;
    gm_buf_init(&text, 1 << 16);
    gm_buf_add_z(&text, "");
    check_ok(gm_store_reader(desk->store, &db, &desk->err), desk->err);
    check_ok(gm_value_indexes_read(db, desk->arena, &indexes, &desk->err), desk->err);
    for (size_t i = 0; i < indexes.count; i++) {
        gm_buf_addf(&text, "%s" GM_STR_FMT "%c", i > 0 ? " " : "", GM_STR_ARG(indexes.at[i].path),
                    indexes.at[i].state == GM_VALUE_READY ? '+' : '~');
    }
    gm_db_close(db);
    check_str(gm_buf_str(&text), wanted_z);
    gm_buf_deinit(&text);
}

static void a_property_gets_an_index_after_enough_long_walks(void **state)
{
    struct desk *desk = *state;
    walk(desk, "a", 99, 10);
    walk(desk, "a", 100, 2);
    check_indexes(desk, "");
    walk(desk, "a", 100, 1);
    check_indexes(desk, "a+");
    walk(desk, "b", 1000, 5);
    check_indexes(desk, "a+ b+");
}

static void an_index_that_nobody_used_for_long_makes_room(void **state)
{
    struct desk *desk = *state;
    walk(desk, "a", 100, 3);
    desk->now += GM_MINUTE;
    walk(desk, "b", 100, 3);
    walk(desk, "c", 100, 3);
    check_indexes(desk, "a+ b+"); /* both may still be wanted */
    desk->now += 2 * GM_HOUR;
    gm_store_note_access(desk->store, &(struct gm_query_access){.index = 1});
    walk(desk, "c", 100, 3);
    check_indexes(desk, "a+ c+");
}

static gm_rc begin_index(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    (void)ctx;
    return gm_value_index_add(tx->db, GM_STR("$.\"x\""), 1, err);
}

static void an_index_that_was_not_finished_is_after_the_next_start(void **state)
{
    struct desk *desk = *state;
    check_ok(gm_store_write(desk->store, begin_index, NULL, &desk->err), desk->err);
    check_indexes(desk, "$.\"x\"~");
    gm_store_close(desk->store);
    open_store(desk);
    gm_store_await_indexes(desk->store);
    check_indexes(desk, "$.\"x\"+");
}

static void many_properties_are_counted_within_bounds(void **state)
{
    struct desk *desk = *state;
    for (int i = 0; i < 1000; i++) {
        char *path_z = gm_format_z("property %d", i);
        walk(desk, path_z, 100, 2);
        gm_free(path_z);
    }
    check_indexes(desk, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_property_gets_an_index_after_enough_long_walks, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_index_that_nobody_used_for_long_makes_room, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_index_that_was_not_finished_is_after_the_next_start,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(many_properties_are_counted_within_bounds, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
