/* How long changes are kept: bounds of size and age, and what those who look behind the cut are
 * told. */
#include "store/retention.h"

#include "unit/route/world.h"

#include "twin/history.h"
#include "twin/past.h"

enum { CHANGES = 3 * GM_RETENTION_SLICE };

/* One twin, each change of which is a chunk: they commit alone. */
static void make_changes(struct world *world)
{
    world_make(world, "a");
    for (int value = 1; value < CHANGES; value++) {
        world_set(world, "a", value);
    }
}

static struct gm_db *reader(struct world *world)
{
    struct gm_err err = {0};
    struct gm_db *db;
    check_ok(gm_store_reader(world->store, &db, &err), err);
    return db;
}

/* Its first column and row. */
static int64_t number_of(struct world *world, const char *sql_z)
{
    struct gm_err err = {0};
    struct gm_stmt *stmt;
    struct gm_db *db = reader(world);
    check_ok(gm_db_prepare(db, sql_z, &stmt, &err), err);
    check_ok(gm_step(stmt, &err), err);
    int64_t number = gm_column_i64(stmt, 0);
    gm_stmt_finalize(stmt);
    gm_db_close(db);
    return number;
}

static int64_t size_of(struct world *world)
{
    return number_of(world, "SELECT SUM(LENGTH(data)) FROM changes");
}

static int64_t oldest_of(struct world *world)
{
    return number_of(world, "SELECT MIN(first) FROM changes");
}

static int64_t trim(struct world *world, gm_ns age, int64_t size)
{
    struct gm_err err = {0};
    int64_t chunks;
    const struct gm_retention_options options = {
        .store = world->store, .age = age, .size = (uint64_t)size};
    check_ok(gm_retention_trim(&options, &chunks, &err), err);
    return chunks;
}

static void without_bounds_all_is_kept(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_retention *retention;
    make_changes(world);
    assert_int_equal(trim(world, 0, 0), 0);
    assert_int_equal(trim(world, GM_DAY, 1 << 30), 0);
    const struct gm_retention_options options = {.store = world->store};
    check_ok(gm_retention_start(&options, &retention, &err), err);
    assert_null(retention);
}

static void the_oldest_go_until_the_rest_fits(void **state)
{
    struct world *world = *state;
    make_changes(world);
    int64_t size = size_of(world), bound = size / 3;
    int64_t gone = trim(world, 0, bound);
    assert_true(gone > GM_RETENTION_SLICE); /* more than one transaction's */
    assert_int_equal(oldest_of(world), gone + 1);
    assert_true(size_of(world) <= bound);
    assert_int_equal(trim(world, 0, bound), 0);
    /* no more went than had to */
    assert_true(size_of(world) > bound - size / CHANGES * 2);
}

static void numbers_go_on_from_the_newest_which_always_stays(void **state)
{
    struct world *world = *state;
    make_changes(world);
    assert_int_equal(trim(world, 0, 1), CHANGES - 1);
    assert_int_equal(oldest_of(world), CHANGES);
    assert_int_equal(trim(world, 1, 0), 0);
    world_set(world, "a", 1000);
    assert_int_equal(gm_store_newest_change(world->store), CHANGES + 1);
}

static void what_is_too_old_goes(void **state)
{
    struct world *world = *state;
    make_changes(world);
    assert_int_equal(trim(world, GM_DAY, 0), 0);
    assert_int_equal(trim(world, 1, 0), CHANGES - 1);
}

static gm_rc damage(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    (void)ctx;
    return gm_db_exec(tx->db, "UPDATE changes SET checksum = checksum + 1 WHERE first IN (1, 5)",
                      err);
}

static void what_cannot_be_read_goes_with_what_is_behind_it(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    make_changes(world);
    check_ok(gm_store_write(world->store, damage, NULL, &err), err);
    assert_int_equal(trim(world, 1, 0), CHANGES - 1);
}

static void a_thread_trims_and_can_be_stopped(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_retention *retention;
    make_changes(world);
    const struct gm_retention_options options = {.store = world->store, .size = 1};
    check_ok(gm_retention_start(&options, &retention, &err), err);
    gm_retention_stop(retention); /* at any point */
    check_ok(gm_retention_start(&options, &retention, &err), err);
    gm_retention_stop(retention);
    assert_int_equal(gm_store_newest_change(world->store), CHANGES);
    assert_true(oldest_of(world) <= CHANGES);
}

/* ---- behind the cut ---- */

static gm_rc count_change(void *ctx, const struct gm_change *change, struct gm_err *err)
{
    (void)change;
    (void)err;
    ++*(int *)ctx;
    return GM_OK;
}

static void a_history_tells_what_is_left(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    int told = 0;
    make_changes(world);
    int64_t gone = trim(world, 0, size_of(world) / 2);
    struct gm_db *db = reader(world);
    const struct gm_history_query query = {.twin = GM_STR("a")};
    check_ok(gm_history_walk(db, &query, count_change, &told, &err), err);
    assert_int_equal(told, CHANGES - gone);
    gm_db_close(db);
}

static void a_past_that_is_not_kept_is_refused(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    yyjson_mut_val *value;
    make_changes(world);
    int64_t gone = trim(world, 0, size_of(world) / 2);
    struct gm_db *db = reader(world);
    const struct gm_history_point point = {GM_STR("a"), CHANGES};
    check_rc(gm_history_at(db, &point, world->doc, &value, &err), GM_E_LIMIT, err);
    check_err_says(err, "are not kept any more");
    GM_AUTO_FREE char *from_z = gm_format_z("changes before %lld", (long long)gone + 1);
    check_err_says(err, from_z);
    gm_db_close(db);
}

static void the_past_of_twins_that_are_younger_than_the_log_is_told(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    yyjson_mut_val *value;
    make_changes(world);
    (void)trim(world, 0, 1);
    world_make(world, "b");
    world_set(world, "b", 5);
    struct gm_db *db = reader(world);
    const struct gm_history_point point = {GM_STR("b"), CHANGES + 1};
    check_ok(gm_history_at(db, &point, world->doc, &value, &err), err);
    gm_db_close(db);
}

static gm_rc look_back(struct world *world, gm_ns time, struct gm_err *err)
{
    struct gm_db *db = reader(world);
    const struct gm_models *models = gm_store_models_hold(world->store);
    check_ok(gm_past_prepare(db, err), *err);
    check_ok(gm_db_begin_snapshot(db, err), *err);
    gm_rc rc = gm_past_begin(db, models, time, err);
    if (rc == GM_OK) {
        gm_past_end(db);
    }
    gm_db_rollback(db);
    gm_db_close(db);
    gm_store_models_release(world->store, models);
    return rc;
}

static void a_query_of_the_past_says_that_it_is_not_kept(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    make_changes(world);
    gm_ns then = gm_clock_wall_now();
    world_set(world, "a", 5000);
    check_ok(look_back(world, then, &err), err);
    assert_true(trim(world, 0, size_of(world) / 2) > 0);
    check_rc(look_back(world, then, &err), GM_E_INVALID, err);
    check_err_says(err, "not kept any more");
    check_rc(look_back(world, 1, &err), GM_E_INVALID, err);
    check_err_says(err, "begins later");
    check_ok(look_back(world, gm_clock_wall_now(), &err), err); /* nothing has changed since */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(without_bounds_all_is_kept),
        TEST(the_oldest_go_until_the_rest_fits),
        TEST(numbers_go_on_from_the_newest_which_always_stays),
        TEST(what_is_too_old_goes),
        TEST(what_cannot_be_read_goes_with_what_is_behind_it),
        TEST(a_thread_trims_and_can_be_stopped),
        TEST(a_history_tells_what_is_left),
        TEST(a_past_that_is_not_kept_is_refused),
        TEST(the_past_of_twins_that_are_younger_than_the_log_is_told),
        TEST(a_query_of_the_past_says_that_it_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
