/* Absence is not deletion: each gate on its own, and pages over their borders. */
#include <stdio.h>

#include "sync/dead_letter.h"
#include "sync/sweep.h"
#include "unit/sync/fixture.h"

/* A run over the source that showed some objects: what it missed is marked, and the gates
 * decide. */
struct sweep_run {
    struct gm_run run;
    struct gm_sweep_policy policy;
    struct gm_sweep_task task;
    struct gm_seen *seen;
    struct gm_sweep_decision decision;
};

static struct sweep_run sweep_run_of(struct fixture *f, int64_t num)
{
    return (struct sweep_run){
        .run = {.num = num, .pipeline = PIPELINE, .counts = {.read = 1}},
        .policy = {.enabled = true, .delete_after_runs = 1, .max_share = 1},
        .task = {.db = f->db, .now = NOW + num},
    };
}

static void begin_sweep(struct sweep_run *run)
{
    run->task.run = &run->run;
    run->task.policy = &run->policy;
    run->seen = gm_seen_new();
}

static void see(struct fixture *f, struct sweep_run *run, const char *key_z)
{
    assert_true(gm_seen_add(run->seen, row_of(f, key_z).slot));
}

/* Marks what was not seen; returns how many. */
static int64_t mark(struct fixture *f, struct sweep_run *run)
{
    struct gm_sweep_page *page = gm_sweep_page_new();
    int64_t missing = 0;
    gm_rc rc;
    while ((rc = gm_sweep_find_missing(f->db, PIPELINE, run->seen, page, &f->err)) == GM_OK) {
        check_ok(gm_sweep_mark(&run->task, page, &f->err), f->err);
        missing += (int64_t)page->count;
    }
    check_rc(rc, GM_E_END, f->err);
    assert_int_equal(page->count, 0);
    gm_sweep_page_free(page);
    return missing;
}

static void end_sweep(struct fixture *f, struct sweep_run *run)
{
    (void)mark(f, run);
    check_ok(gm_sweep_decide(&run->task, &run->decision, &f->err), f->err);
    gm_seen_free(run->seen);
}

/* Deletes what is due, as the engine does; returns how many. */
static int64_t delete_due(struct fixture *f, struct sweep_run *run)
{
    struct gm_sweep_page *page = gm_sweep_page_new();
    int64_t deleted = 0;
    gm_rc rc;
    while ((rc = gm_sweep_find_due(&run->task, page, &f->err)) == GM_OK) {
        check_ok(gm_sweep_forget(&run->task, page, &f->live_count, &f->err), f->err);
        deleted += (int64_t)page->count;
    }
    check_rc(rc, GM_E_END, f->err);
    gm_sweep_page_free(page);
    return deleted;
}

static void check_decision(const struct sweep_run *run, enum gm_sweep sweep, int64_t count,
                           const char *reason_z)
{
    assert_string_equal(run->decision.reason, reason_z);
    assert_string_equal(gm_sweep_name(run->decision.sweep), gm_sweep_name(sweep));
    assert_int_equal(run->decision.count, count);
}

/* One run that sees `seen_z` (one-letter keys) of all there are. */
static void run_that_sees(struct fixture *f, struct sweep_run *run, const char *seen_z)
{
    begin_sweep(run);
    for (; *seen_z != '\0'; seen_z++) {
        see(f, run, (const char[]){*seen_z, '\0'});
    }
    end_sweep(f, run);
}

static void deliver_letters(struct fixture *f, const char *keys_z)
{
    for (; *keys_z != '\0'; keys_z++) {
        deliver(f, (const char[]){*keys_z, '\0'}, "1", TARGET(3, *keys_z));
    }
}

/* ---- what happens ---- */

static void nothing_missing_is_nothing_to_do(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "abc");
    struct sweep_run run = sweep_run_of(f, 1);
    run_that_sees(f, &run, "abc");
    check_decision(&run, GM_SWEEP_NONE, 0, "");
    assert_int_equal(delete_due(f, &run), 0);
}

static void what_is_missing_is_deleted_and_stays_as_a_grave(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "abc");
    struct gm_record *record = show(f, "d", "1");
    record->verdict = GM_VERDICT_CREATED;
    record->target_id = GM_STR("x/likes");
    record->version = 7;
    write_state(f, record);
    struct gm_dead_letter letter = {
        .pipeline = PIPELINE, .key = GM_STR("d"), .code = GM_STR("invalid")};
    bool new;
    int64_t letters;
    check_ok(gm_dead_letter_put(f->db, &letter, &new, &f->err), f->err);
    struct sweep_run run = sweep_run_of(f, 5);
    run_that_sees(f, &run, "ac");
    check_decision(&run, GM_SWEEP_DONE, 2, "");
    assert_int_equal(delete_due(f, &run), 2);
    assert_int_equal(f->live_count, 2);
    struct gm_state_row row = row_of(f, "d");
    assert_int_equal(row.state, GM_STATE_DELETED);
    assert_int_equal(row.slot, 4);
    assert_int_equal(row.run, 5);
    assert_int_equal(row.changed, NOW + 5);
    assert_int_equal(row.target + row.version + row.missed_in + row.missed_runs, 0);
    assert_null(row.target_id.p);
    assert_true(gm_hash128_eq(row.hash, (struct gm_hash128){0}));
    check_ok(gm_dead_letters_count(f->db, PIPELINE, &letters, &f->err), f->err);
    assert_int_equal(letters, 0);
    run = sweep_run_of(f, 6);
    run_that_sees(f, &run, "ac");
    check_decision(&run, GM_SWEEP_NONE, 0, "");
}

static void objects_of_other_pipelines_are_not_missing(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "ab");
    check_ok(gm_db_exec(f->db, "UPDATE sync_state SET pipeline = 4 WHERE key = 'b'", &f->err),
             f->err);
    struct sweep_run run = sweep_run_of(f, 1);
    run_that_sees(f, &run, "a");
    check_decision(&run, GM_SWEEP_NONE, 0, "");
}

/* ---- the gates, each on its own ---- */

static void deletion_can_be_turned_off(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "ab");
    struct sweep_run run = sweep_run_of(f, 1);
    run.policy.enabled = false;
    run_that_sees(f, &run, "a");
    check_decision(&run, GM_SWEEP_NONE, 0, "");
}

static void an_object_must_be_missed_in_several_runs_in_a_row(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "abc");
    struct sweep_run run;
    for (int64_t num = 1; num <= 3; num++) {
        run = sweep_run_of(f, num);
        run.policy.delete_after_runs = 3;
        run_that_sees(f, &run, "ac");
        if (num < 3) {
            check_decision(&run, GM_SWEEP_WAITING, 1,
                           num == 1 ? "1 object is missing since 1 of 3 runs"
                                    : "1 object is missing since 2 of 3 runs");
            assert_int_equal(delete_due(f, &run), 0);
        }
    }
    assert_int_equal(row_of(f, "b").missed_runs, 3);
    assert_int_equal(row_of(f, "b").missed_since, NOW + 1);
    assert_int_equal(row_of(f, "b").missed_in, 3);
    check_decision(&run, GM_SWEEP_DONE, 1, "");
    assert_int_equal(delete_due(f, &run), 1);
}

static void an_object_that_comes_back_begins_anew(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "abc");
    for (int64_t num = 1; num <= 4; num++) {
        struct sweep_run run = sweep_run_of(f, num);
        run.policy.delete_after_runs = 2;
        if (num == 2) {
            write_state(f, show(f, "b", "1"));
        }
        run_that_sees(f, &run, num == 2 ? "abc" : "ac");
        enum gm_sweep expected[] = {GM_SWEEP_NONE, GM_SWEEP_WAITING, GM_SWEEP_NONE,
                                    GM_SWEEP_WAITING, GM_SWEEP_DONE};
        assert_int_equal(run.decision.sweep, expected[num]);
    }
}

static void a_run_counts_once_however_often_a_page_comes(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "ab");
    struct sweep_run run = sweep_run_of(f, 1);
    begin_sweep(&run);
    see(f, &run, "a");
    assert_int_equal(mark(f, &run), 1);
    run.task.now += 5;
    assert_int_equal(mark(f, &run), 1);
    assert_int_equal(row_of(f, "b").missed_runs, 1);
    assert_int_equal(row_of(f, "b").missed_since, NOW + 1);
    gm_seen_free(run.seen);
}

static void an_object_must_be_missing_for_some_time(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "abc");
    struct sweep_run run = sweep_run_of(f, 1);
    run.policy.min_age = GM_HOUR;
    run_that_sees(f, &run, "c");
    check_decision(&run, GM_SWEEP_WAITING, 2, "2 objects are missing for 0s; min_age is 1h");
    run = sweep_run_of(f, 2);
    run.policy.min_age = GM_HOUR;
    run.task.now = NOW + 1 + GM_HOUR - 1;
    run_that_sees(f, &run, "c");
    assert_int_equal(run.decision.sweep, GM_SWEEP_WAITING);
    assert_int_equal(delete_due(f, &run), 0);
    run = sweep_run_of(f, 3);
    run.policy.min_age = GM_HOUR;
    run.task.now = NOW + 1 + GM_HOUR;
    run_that_sees(f, &run, "c");
    check_decision(&run, GM_SWEEP_DONE, 2, "");
}

static void what_is_due_goes_while_the_rest_waits(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "abcd");
    struct sweep_run run = sweep_run_of(f, 1);
    run.policy.delete_after_runs = 2;
    run_that_sees(f, &run, "abd");
    run = sweep_run_of(f, 2);
    run.policy.delete_after_runs = 2;
    run_that_sees(f, &run, "a");
    check_decision(&run, GM_SWEEP_DONE, 1, "2 more objects are missing since 1 of 2 runs");
    assert_int_equal(delete_due(f, &run), 1);
    assert_int_equal(row_of(f, "c").state, GM_STATE_DELETED);
    assert_int_equal(row_of(f, "b").state, GM_STATE_COMPLETED);
}

static void a_run_that_is_not_trusted_marks_but_does_not_count(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "abc");
    struct sweep_run run = sweep_run_of(f, 1);
    run.task.untrusted_z = "the filters were changed";
    run_that_sees(f, &run, "a");
    check_decision(&run, GM_SWEEP_BLOCKED, 2,
                   "2 objects are missing, but the filters were changed; check the source, then "
                   "`gemel runs approve 1`");
    assert_int_equal(row_of(f, "b").missed_in, 1);
    assert_int_equal(row_of(f, "b").missed_runs, 0);
    assert_int_equal(row_of(f, "b").missed_since, 0);
    assert_int_equal(delete_due(f, &run), 0); /* whatever the caller makes of the decision */
}

static void misses_are_carried_over_a_run_that_is_not_trusted(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "abc");
    for (int64_t num = 1; num <= 3; num++) {
        struct sweep_run run = sweep_run_of(f, num);
        run.policy.delete_after_runs = 2;
        run.task.untrusted_z = num == 2 ? "some records could not be read" : NULL;
        run_that_sees(f, &run, "ac");
        assert_int_equal(row_of(f, "b").missed_runs, num == 1 || num == 2 ? 1 : 2);
        assert_int_equal(run.decision.sweep, num == 1   ? GM_SWEEP_WAITING
                                             : num == 2 ? GM_SWEEP_BLOCKED
                                                        : GM_SWEEP_DONE);
    }
}

static void a_run_that_read_nothing_is_not_trusted(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "a");
    struct sweep_run run = sweep_run_of(f, 1);
    run.run.counts.read = 0;
    run_that_sees(f, &run, "");
    check_decision(&run, GM_SWEEP_BLOCKED, 1,
                   "1 object is missing, but the source has no records at all; check the source, "
                   "then `gemel runs approve 1`");
    assert_int_equal(row_of(f, "a").missed_runs, 0);
    assert_int_equal(delete_due(f, &run), 0);
}

/* `count` objects of a type, the first `missing` of which no run sees. */
static void deliver_type(struct fixture *f, int64_t type, int count, int missing)
{
    char key[32];
    for (int i = 0; i < count; i++) {
        (void)snprintf(key, sizeof(key), "%s-%d-%d", i < missing ? "gone" : "here", (int)type, i);
        deliver(f, key, "1", TARGET(type, i + 1));
    }
}

static void see_what_is_here(struct fixture *f, struct sweep_run *run)
{
    struct gm_stmt *stmt =
        world_prepare(f->world, f->db, "SELECT slot FROM sync_state WHERE key LIKE 'here%'");
    begin_sweep(run);
    while (gm_step(stmt, &f->err) == GM_OK) {
        (void)gm_seen_add(run->seen, gm_column_i64(stmt, 0));
    }
    gm_stmt_finalize(stmt);
    end_sweep(f, run);
}

static void no_more_than_a_share_of_a_type_may_go(void **state)
{
    struct fixture *f = *state;
    deliver_type(f, 3, 77, 34);
    deliver_type(f, 4, 100, 5);
    struct sweep_run run = sweep_run_of(f, 17);
    run.policy.max_share = 0.05;
    see_what_is_here(f, &run);
    check_decision(
        &run, GM_SWEEP_BLOCKED, 39,
        "34 of 77 objects of type 3 are missing (44.2 %), more than max_share 5 %; check "
        "the source, then `gemel runs approve 17`");
    assert_int_equal(run.decision.type, 3);
    assert_int_equal(row_of(f, "gone-3-0").missed_runs, 1); /* carried forward */
}

static const char *name_type(void *ctx, int64_t type)
{
    (void)ctx;
    return type == 3 ? "dtmi:shop:Product;1" : NULL;
}

static void a_type_is_called_by_its_name_where_there_is_one(void **state)
{
    struct fixture *f = *state;
    deliver_type(f, 3, 4, 2);
    struct sweep_run run = sweep_run_of(f, 17);
    run.policy.max_share = 0.05;
    run.task.type_name_z = name_type;
    see_what_is_here(f, &run);
    assert_string_equal(run.decision.reason,
                        "2 of 4 objects of dtmi:shop:Product;1 are missing (50.0 %), more than "
                        "max_share 5 %; check the source, then `gemel runs approve 17`");
}

static void the_share_itself_is_allowed(void **state)
{
    struct fixture *f = *state;
    deliver_type(f, 3, 100, 29); /* 0.29 * 100 is below 29 for doubles */
    struct sweep_run run = sweep_run_of(f, 1);
    run.policy.max_share = 0.29;
    see_what_is_here(f, &run);
    check_decision(&run, GM_SWEEP_DONE, 29, "");
}

static void one_more_than_the_share_is_not(void **state)
{
    struct fixture *f = *state;
    deliver_type(f, 3, 100, 30);
    struct sweep_run run = sweep_run_of(f, 1);
    run.policy.max_share = 0.29;
    see_what_is_here(f, &run);
    assert_int_equal(run.decision.sweep, GM_SWEEP_BLOCKED);
}

static void one_object_of_a_type_may_always_go(void **state)
{
    struct fixture *f = *state;
    deliver_type(f, 3, 2, 1);
    deliver_type(f, 4, 1, 1);
    struct sweep_run run = sweep_run_of(f, 1);
    run.policy.max_share = 0;
    see_what_is_here(f, &run);
    check_decision(&run, GM_SWEEP_DONE, 2, "");
    assert_int_equal(run.decision.type, -1);
}

static void targets_without_a_number_are_a_type_of_their_own(void **state)
{
    struct fixture *f = *state;
    deliver_type(f, 3, 10, 0);
    for (int i = 0; i < 3; i++) {
        struct gm_record *record = show(f, i == 0 ? "x" : i == 1 ? "y" : "z", "1");
        record->verdict = GM_VERDICT_CREATED;
        record->target_id = GM_STR("a/likes");
        write_state(f, record);
    }
    struct sweep_run run = sweep_run_of(f, 1);
    run.policy.max_share = 0.5;
    see_what_is_here(f, &run);
    check_decision(&run, GM_SWEEP_BLOCKED, 3,
                   "3 of 3 objects are missing (100.0 %), more than max_share 50 %; check the "
                   "source, then `gemel runs approve 1`");
    assert_int_equal(run.decision.type, 0);
}

static void what_was_never_delivered_does_not_count_towards_a_share(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "a");
    fail_to_deliver(f, "x", "bad");
    fail_to_deliver(f, "y", "bad");
    struct sweep_run run = sweep_run_of(f, 1);
    run.policy.max_share = 0.05;
    run_that_sees(f, &run, "a");
    check_decision(&run, GM_SWEEP_DONE, 2, "");
    assert_int_equal(delete_due(f, &run), 2);
    assert_int_equal(f->live_count, 1);
}

/* ---- approval ---- */

static void approval_waives_the_share(void **state)
{
    struct fixture *f = *state;
    deliver_type(f, 3, 10, 8);
    struct sweep_run run = sweep_run_of(f, 1);
    run.policy.max_share = 0.05;
    see_what_is_here(f, &run);
    assert_int_equal(run.decision.sweep, GM_SWEEP_BLOCKED);
    run.task.approved = true;
    check_ok(gm_sweep_decide(&run.task, &run.decision, &f->err), f->err);
    check_decision(&run, GM_SWEEP_APPROVED, 8, "");
    assert_int_equal(delete_due(f, &run), 8);
    assert_int_equal(f->live_count, 2);
}

static void approval_of_a_trusted_run_keeps_the_number_of_misses(void **state)
{
    struct fixture *f = *state;
    deliver_type(f, 3, 10, 8);
    struct sweep_run run = sweep_run_of(f, 1);
    run.policy.delete_after_runs = 2;
    see_what_is_here(f, &run);
    run.task.approved = true;
    check_ok(gm_sweep_decide(&run.task, &run.decision, &f->err), f->err);
    check_decision(&run, GM_SWEEP_WAITING, 8, "8 objects are missing since 1 of 2 runs");
    assert_int_equal(delete_due(f, &run), 0);
}

static void approval_of_an_untrusted_run_takes_all_it_missed(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "abcd");
    struct sweep_run earlier = sweep_run_of(f, 1);
    run_that_sees(f, &earlier, "bcd"); /* misses a, which comes back */
    struct sweep_run run = sweep_run_of(f, 2);
    run.policy = (struct gm_sweep_policy){
        .enabled = true, .delete_after_runs = 3, .max_share = 0.05, .min_age = GM_DAY};
    run.task.untrusted_z = "the query was changed";
    run_that_sees(f, &run, "ab");
    assert_int_equal(run.decision.sweep, GM_SWEEP_BLOCKED);
    run.task.approved = true;
    check_ok(gm_sweep_decide(&run.task, &run.decision, &f->err), f->err);
    check_decision(&run, GM_SWEEP_APPROVED, 2, "");
    assert_int_equal(delete_due(f, &run), 2);
    assert_int_equal(row_of(f, "a").state, GM_STATE_COMPLETED);
    assert_int_equal(row_of(f, "c").state, GM_STATE_DELETED);
}

/* ---- pages ---- */

static void make_many(struct fixture *f, int count)
{
    check_ok(gm_db_begin(f->db, &f->err), f->err);
    gm_batch_reset(f->batch);
    for (int i = 0; i < count; i++) {
        struct gm_str key = gm_arena_format(f->batch->arena, "%d", i);
        struct gm_record *record = add(f, i == 0 ? GM_STR("") : key, "1");
        record->verdict = GM_VERDICT_CREATED;
        record->target = TARGET(1, i + 1);
        write_state(f, record);
    }
    check_ok(gm_db_commit(f->db, &f->err), f->err);
}

static void check_pages(struct fixture *f, const struct gm_seen *seen, const size_t sizes[])
{
    struct gm_sweep_page *page = gm_sweep_page_new();
    char before[GM_KEY_SIZE_MAX] = "";
    size_t before_size = 0;
    bool first = true;
    for (; *sizes != 0; sizes++) {
        check_ok(gm_sweep_find_missing(f->db, PIPELINE, seen, page, &f->err), f->err);
        assert_int_equal(page->count, *sizes);
        for (size_t i = 0; i < page->count; i++) {
            struct gm_str key = page->items[i].key;
            assert_true(first || gm_str_cmp(key, (struct gm_str){before, before_size}) > 0);
            assert_false(gm_seen_has(seen, page->items[i].slot));
            assert_int_equal(page->items[i].target, TARGET(1, page->items[i].slot));
            memcpy(before, key.p, key.n);
            before_size = key.n;
            first = false;
        }
    }
    check_rc(gm_sweep_find_missing(f->db, PIPELINE, seen, page, &f->err), GM_E_END, f->err);
    assert_int_equal(page->count, 0);
    gm_sweep_page_free(page);
}

static void every_missing_object_is_on_exactly_one_page(void **state)
{
    struct fixture *f = *state;
    make_many(f, 3 * GM_SWEEP_PAGE);
    struct gm_seen *seen = gm_seen_new();
    check_pages(f, seen, (const size_t[]){GM_SWEEP_PAGE, GM_SWEEP_PAGE, GM_SWEEP_PAGE, 0});
    (void)gm_seen_add(seen, 1); /* the empty key */
    check_pages(f, seen, (const size_t[]){GM_SWEEP_PAGE, GM_SWEEP_PAGE, GM_SWEEP_PAGE - 1, 0});
    for (int64_t slot = 2; slot <= 2 * GM_SWEEP_PAGE - 1; slot++) {
        (void)gm_seen_add(seen, slot);
    }
    check_pages(f, seen, (const size_t[]){GM_SWEEP_PAGE, 1, 0});
    (void)gm_seen_add(seen, 2 * GM_SWEEP_PAGE);
    check_pages(f, seen, (const size_t[]){GM_SWEEP_PAGE, 0});
    for (int64_t slot = 2 * GM_SWEEP_PAGE + 1; slot <= 3 * GM_SWEEP_PAGE; slot++) {
        (void)gm_seen_add(seen, slot);
    }
    check_pages(f, seen, (const size_t[]){0});
    gm_seen_free(seen);
}

static void deletions_go_over_page_borders(void **state)
{
    struct fixture *f = *state;
    make_many(f, 2 * GM_SWEEP_PAGE + 1);
    struct sweep_run run = sweep_run_of(f, 1);
    run_that_sees(f, &run, "7");
    check_decision(&run, GM_SWEEP_DONE, 2 * GM_SWEEP_PAGE, "");
    check_ok(gm_db_begin(f->db, &f->err), f->err);
    assert_int_equal(delete_due(f, &run), 2 * GM_SWEEP_PAGE);
    check_ok(gm_db_commit(f->db, &f->err), f->err);
    assert_int_equal(f->live_count, 1);
    assert_int_equal(row_of(f, "").state, GM_STATE_DELETED);
    assert_int_equal(row_of(f, "7").state, GM_STATE_COMPLETED);
}

static void forgetting_a_page_twice_counts_once(void **state)
{
    struct fixture *f = *state;
    deliver_letters(f, "abc");
    struct sweep_run run = sweep_run_of(f, 1);
    run_that_sees(f, &run, "a");
    struct gm_sweep_page *page = gm_sweep_page_new();
    check_ok(gm_sweep_find_due(&run.task, page, &f->err), f->err);
    check_ok(gm_sweep_forget(&run.task, page, &f->live_count, &f->err), f->err);
    check_ok(gm_sweep_forget(&run.task, page, &f->live_count, &f->err), f->err);
    assert_int_equal(f->live_count, 1);
    gm_sweep_page_free(page);
}

static void what_a_crash_left_is_found_by_the_next_approval(void **state)
{
    struct fixture *f = *state;
    make_many(f, 2 * GM_SWEEP_PAGE + 1);
    struct sweep_run run = sweep_run_of(f, 1);
    run_that_sees(f, &run, "7");
    struct gm_sweep_page *page = gm_sweep_page_new();
    check_ok(gm_sweep_find_due(&run.task, page, &f->err), f->err);
    check_ok(gm_sweep_forget(&run.task, page, &f->live_count, &f->err), f->err);
    gm_sweep_page_free(page); /* and here the process ends */
    run.task.approved = true;
    check_ok(gm_sweep_decide(&run.task, &run.decision, &f->err), f->err);
    check_decision(&run, GM_SWEEP_APPROVED, GM_SWEEP_PAGE, "");
    assert_int_equal(delete_due(f, &run), GM_SWEEP_PAGE);
    assert_int_equal(f->live_count, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(nothing_missing_is_nothing_to_do),
        FIXTURE_TEST(what_is_missing_is_deleted_and_stays_as_a_grave),
        FIXTURE_TEST(objects_of_other_pipelines_are_not_missing),
        FIXTURE_TEST(deletion_can_be_turned_off),
        FIXTURE_TEST(an_object_must_be_missed_in_several_runs_in_a_row),
        FIXTURE_TEST(an_object_that_comes_back_begins_anew),
        FIXTURE_TEST(a_run_counts_once_however_often_a_page_comes),
        FIXTURE_TEST(an_object_must_be_missing_for_some_time),
        FIXTURE_TEST(what_is_due_goes_while_the_rest_waits),
        FIXTURE_TEST(a_run_that_is_not_trusted_marks_but_does_not_count),
        FIXTURE_TEST(misses_are_carried_over_a_run_that_is_not_trusted),
        FIXTURE_TEST(a_run_that_read_nothing_is_not_trusted),
        FIXTURE_TEST(no_more_than_a_share_of_a_type_may_go),
        FIXTURE_TEST(a_type_is_called_by_its_name_where_there_is_one),
        FIXTURE_TEST(the_share_itself_is_allowed),
        FIXTURE_TEST(one_more_than_the_share_is_not),
        FIXTURE_TEST(one_object_of_a_type_may_always_go),
        FIXTURE_TEST(targets_without_a_number_are_a_type_of_their_own),
        FIXTURE_TEST(what_was_never_delivered_does_not_count_towards_a_share),
        FIXTURE_TEST(approval_waives_the_share),
        FIXTURE_TEST(approval_of_a_trusted_run_keeps_the_number_of_misses),
        FIXTURE_TEST(approval_of_an_untrusted_run_takes_all_it_missed),
        FIXTURE_TEST(every_missing_object_is_on_exactly_one_page),
        FIXTURE_TEST(deletions_go_over_page_borders),
        FIXTURE_TEST(forgetting_a_page_twice_counts_once),
        FIXTURE_TEST(what_a_crash_left_is_found_by_the_next_approval),
    };
    WORLD_RUN_ON_BOTH(tests);
}
