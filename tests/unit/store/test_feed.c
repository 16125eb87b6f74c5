/* The change feed: reading onward, waiting for commits, being woken, a log that was trimmed. */
#include "unit/route/world.h"

#include "os/thread.h"
#include "store/feed.h"

static struct gm_feed *open_feed(struct world *world)
{
    struct gm_err err = {0};
    struct gm_feed *feed;
    check_ok(gm_feed_open(world->store, &feed, &err), err);
    return feed;
}

static void changes_are_read_by_number_as_they_are_committed(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_change change;
    struct gm_feed *feed = open_feed(world);
    check_rc(gm_feed_read(feed, 1, &change, &err), GM_E_END, err);
    assert_int_equal(gm_store_newest_change(world->store), 0);
    world_make(world, "a");
    for (int value = 1; value <= 3; value++) {
        world_set(world, "a", value);
        check_ok(gm_feed_read(feed, value + 1, &change, &err), err);
        assert_int_equal(change.kind, GM_CHANGE_UPDATE);
        assert_int_equal(change.num, value + 1);
        check_str(change.actor, "test");
        check_rc(gm_feed_read(feed, value + 2, &change, &err), GM_E_END, err);
    }
    assert_int_equal(gm_store_newest_change(world->store), 4);
    check_ok(gm_feed_read(feed, 1, &change, &err), err);
    assert_int_equal(change.kind, GM_CHANGE_CREATE);
    gm_feed_close(feed);
}

struct reading {
    struct gm_feed *feed;
    int64_t until, seen;
    gm_rc rc;
};

static void read_until(void *arg)
{
    struct reading *reading = arg;
    struct gm_err err = {0};
    while (reading->rc == GM_OK && reading->seen < reading->until) {
        struct gm_change change;
        reading->rc = gm_feed_wait(reading->feed, reading->seen + 1, GM_MINUTE);
        if (reading->rc == GM_OK) {
            reading->rc = gm_feed_read(reading->feed, reading->seen + 1, &change, &err);
            reading->seen += reading->rc == GM_OK ? 1 : 0;
        }
    }
}

static void every_commit_wakes_all_who_wait_for_it(void **state)
{
    enum { READERS = 4, CHANGES = 200 };
    struct world *world = *state;
    struct reading readings[READERS] = {0};
    struct gm_thread *threads[READERS];
    struct gm_err err = {0};
    for (size_t i = 0; i < READERS; i++) {
        readings[i] = (struct reading){.feed = open_feed(world), .until = CHANGES};
        check_ok(gm_thread_start("reader", read_until, &readings[i], &threads[i], &err), err);
    }
    world_make(world, "a");
    for (int value = 1; value < CHANGES; value++) {
        world_set(world, "a", value);
    }
    for (size_t i = 0; i < READERS; i++) {
        gm_thread_join(threads[i]);
        assert_int_equal(readings[i].rc, GM_OK);
        assert_int_equal(readings[i].seen, CHANGES);
        gm_feed_close(readings[i].feed);
    }
}

static void who_waits_can_be_woken(void **state)
{
    struct world *world = *state;
    struct gm_feed *feed = open_feed(world);
    gm_feed_wake(feed);
    assert_int_equal(gm_feed_wait(feed, 1, GM_MINUTE), GM_E_CANCELLED);
    assert_int_equal(gm_feed_wait(feed, 1, GM_MS), GM_E_END);
    struct reading reading = {.feed = feed, .until = 1};
    struct gm_thread *thread;
    struct gm_err err = {0};
    check_ok(gm_thread_start("reader", read_until, &reading, &thread, &err), err);
    gm_feed_wake(feed);
    gm_thread_join(thread);
    assert_int_equal(reading.rc, GM_E_CANCELLED);
    gm_feed_close(feed);
}

static void a_job_that_is_undone_tells_nobody_of_changes(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct world_edit job = {.edit = {.kind = GM_EDIT_PUT_TWIN,
                                      .twin = GM_STR("x"),
                                      .doc = world->doc,
                                      .value = world_json(world, "{}")}};
    check_ok(gm_store_write(world->store, world_write, &job, &err), err);
    assert_int_not_equal(job.edit.outcome, GM_EDIT_DONE);
    assert_int_equal(gm_store_newest_change(world->store), 0);
}

static gm_rc trim(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    (void)ctx;
    return gm_db_exec(tx->db, "DELETE FROM changes WHERE first <= 2", err);
}

static void a_log_that_was_trimmed_says_where_it_begins(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_change change;
    int64_t oldest, newest;
    struct gm_feed *feed = open_feed(world);
    check_ok(gm_changes_range(gm_feed_db(feed), &oldest, &newest, &err), err);
    assert_int_equal(oldest, 1);
    assert_int_equal(newest, 0);
    world_make(world, "a");
    world_set(world, "a", 1);
    world_set(world, "a", 2);
    check_ok(gm_store_write(world->store, trim, NULL, &err), err);
    check_rc(gm_feed_read(feed, 1, &change, &err), GM_E_LIMIT, err);
    check_err_says(err, "change 1 is not kept any more: the change log begins at 3");
    check_ok(gm_feed_read(feed, 3, &change, &err), err);
    check_ok(gm_changes_range(gm_feed_db(feed), &oldest, &newest, &err), err);
    assert_int_equal(oldest, 3);
    assert_int_equal(newest, 3);
    gm_feed_close(feed);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(changes_are_read_by_number_as_they_are_committed),
        TEST(every_commit_wakes_all_who_wait_for_it),
        TEST(who_waits_can_be_woken),
        TEST(a_job_that_is_undone_tells_nobody_of_changes),
        TEST(a_log_that_was_trimmed_says_where_it_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
