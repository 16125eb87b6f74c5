/* Runs of one pipeline on a real store, with a source that follows a script. */
#include "engine/run.h"

#include <stdio.h>

#include "support/script.h"

static int setup(void **state)
{
    *state = script_new();
    return 0;
}

static int teardown(void **state)
{
    script_free(*state);
    return 0;
}

/* "read 3, created 2, …" as people see it. */
static void check_counts_at(struct script *s, const char *expected_z,
                            const struct check_place *place)
{
    struct gm_buf text;
    gm_buf_init(&text, 1 << 16);
    gm_run_counts_write(&s->report.run.counts, &text);
    check_str_at(gm_buf_str(&text), expected_z, place);
    gm_buf_deinit(&text);
}
#define check_counts(s, expected_z) check_counts_at((s), (expected_z), CHECK_PLACE("counts"))

static int64_t letters(struct script *s)
{
    return script_number(s, "SELECT count(*) FROM dead_letters");
}

/* The graph that the rows of `s` make on a store that nothing ever disturbed. */
static char *undisturbed_graph(const struct script *s)
{
    struct script *other = script_new();
    for (size_t i = 0; i < s->rows.n; i++) {
        struct script_row *row = gm_vec_push(&other->rows);
        for (size_t c = 0; c < SCRIPT_COLUMNS; c++) {
            row->cells[c] = gm_strdup_z(s->rows.at[i].cells[c]);
        }
    }
    check_ok(script_run(other), other->err);
    char *graph_z = gm_str_dup_z(script_graph(other));
    script_free(other);
    return graph_z;
}

#define check_converges(s) check_converges_at((s), CHECK_PLACE("graph"))
static void check_converges_at(struct script *s, const struct check_place *place)
{
    check_rc_at(script_run(s), GM_OK, &s->err, place);
    GM_AUTO_FREE char *expected_z = undisturbed_graph(s);
    check_str_at(script_graph(s), expected_z, place);
}

/* ---- the ordinary ---- */

static void a_second_run_writes_nothing_and_a_changed_row_one_twin(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple,2.5,2 2,pear 3,plum,1");
    check_ok(script_run(s), s->err);
    check_counts(s, "read 3, created 3");
    check_ok(script_run(s), s->err);
    check_counts(s, "read 3, unchanged 3");
    script_show(s, "1,apple,2.5,2 2,pear 3,plum,4");
    check_ok(script_run(s), s->err);
    check_counts(s, "read 3, updated 1, unchanged 2");
    check_str(script_graph(s), "t-1 {\"name\":\"apple\",\"size\":2.5}\n"
                               "t-2 {\"name\":\"pear\"}\n"
                               "t-3 {\"name\":\"plum\",\"size\":4.0}\n"
                               "t-1 likes t-2\n");
}

static void
a_target_that_comes_later_is_waited_for_and_a_moved_key_moves_the_relationship(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple,,2");
    check_ok(script_run(s), s->err);
    check_str(script_graph(s), "t-1 {\"name\":\"apple\"}\n");
    script_show(s, "1,apple,,2 2,pear 3,plum");
    check_ok(script_run(s), s->err);
    check_str(script_graph(s), "t-1 {\"name\":\"apple\"}\nt-2 {\"name\":\"pear\"}\nt-3 "
                               "{\"name\":\"plum\"}\nt-1 likes t-2\n");
    script_show(s, "1,apple,,3 2,pear 3,plum");
    check_ok(script_run(s), s->err);
    check_str(script_graph(s), "t-1 {\"name\":\"apple\"}\nt-2 {\"name\":\"pear\"}\nt-3 "
                               "{\"name\":\"plum\"}\nt-1 likes t-3\n");
}

static void many_small_batches_go_round(void **state)
{
    struct script *s = *state;
    s->batch_rows = 1;
    script_add_many(s, 1, 150, 1);
    check_ok(script_run(s), s->err);
    check_counts(s, "read 150, created 150");
    check_ok(script_run(s), s->err);
    check_counts(s, "read 150, unchanged 150");
    /* Batches that need the writer and batches that do not, mixed. */
    script_show(s, "");
    for (size_t i = 1; i <= 150; i++) {
        script_add_many(s, i, 1, i % 2 == 0 ? 1 : 2);
    }
    check_converges(s);
    assert_int_equal(s->report.run.counts.unchanged, 75);
    assert_int_equal(s->report.run.counts.updated, 75);
}

static void count_twins_on_ack(struct script *s)
{
    assert_int_equal(script_number(s, "SELECT count(*) FROM twins"), 40);
}

static void the_source_is_told_after_everything_is_durable(void **state)
{
    struct script *s = *state;
    s->batch_rows = 3;
    s->on_ack = count_twins_on_ack;
    script_add_many(s, 1, 40, 1);
    check_ok(script_run(s), s->err);
    assert_int_equal(s->acks, 1);
}

/* ---- a source that breaks ---- */

static void a_source_that_breaks_in_the_middle_is_tried_again(void **state)
{
    struct script *s = *state;
    s->batch_rows = 2;
    script_add_many(s, 1, 20, 1);
    s->breaks = (struct script_breaks){.times = 2, .after = 7, .rc = GM_E_RETRY};
    check_ok(script_run(s), s->err);
    assert_int_equal(s->report.run.status, GM_RUN_SUCCEEDED);
    assert_int_equal(s->report.run.attempts, 2);
    assert_int_equal(s->connects, 3);
    check_counts(s, "read 20, created 20, unchanged 7");
    assert_int_equal(s->acks, 1);
    check_converges(s);
}

static void a_source_that_stays_broken_fails_the_run_and_says_why(void **state)
{
    struct script *s = *state;
    s->batch_rows = 2;
    script_add_many(s, 1, 20, 1);
    s->breaks = (struct script_breaks){.times = 3, .after = 7, .rc = GM_E_RETRY};
    check_rc(script_run(s), GM_E_RETRY, s->err);
    check_err_says(s->err, "the script says: broken");
    assert_int_equal(s->report.run.status, GM_RUN_FAILED);
    check_str(s->report.run.error, "the script says: broken");
    check_str(s->report.run.error_code, "retry");
    assert_false(s->report.run.complete);
    assert_int_equal(s->acks, 0);
    assert_int_equal(script_number(s, "SELECT count(*) FROM runs WHERE status = 'failed'"), 1);
    assert_int_equal(script_number(s, "SELECT count(*) FROM twins"), 7); /* what was read is good */
    check_converges(s);
}

static void a_source_that_cannot_be_reached_is_tried_again(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple");
    s->breaks = (struct script_breaks){.times = 2, .connecting = true, .rc = GM_E_RETRY};
    check_ok(script_run(s), s->err);
    assert_int_equal(s->report.run.attempts, 2);
    check_counts(s, "read 1, created 1");
}

static void what_the_user_must_change_is_not_tried_again(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple");
    s->breaks = (struct script_breaks){.times = 1, .connecting = true, .rc = GM_E_CONFIG};
    check_rc(script_run(s), GM_E_CONFIG, s->err);
    assert_int_equal(s->connects, 1);
    assert_int_equal(s->report.run.status, GM_RUN_FAILED);
    check_converges(s);
}

static void what_a_broken_pass_did_not_show_is_not_missing(void **state)
{
    struct script *s = *state;
    script_add_many(s, 1, 20, 1);
    check_ok(script_run(s), s->err);
    s->batch_rows = 2;
    s->breaks = (struct script_breaks){.times = 3, .after = 4, .rc = GM_E_RETRY};
    check_rc(script_run(s), GM_E_RETRY, s->err);
    assert_int_equal(s->report.run.counts.missing, 0);
    assert_int_equal(s->report.run.counts.deleted, 0);
    assert_int_equal(script_number(s, "SELECT count(*) FROM twins"), 20);
    assert_int_equal(script_number(s, "SELECT count(*) FROM sync_state WHERE missed_runs > 0"), 0);
}

/* What the first attempt saw must not keep the second from missing it. */
static void show_less_at_the_second_attempt(struct script *s, size_t delivered)
{
    if (s->connects == 2 && delivered == 4) {
        script_show(s, "1,apple 2,pear");
    }
}

static void what_went_between_two_attempts_is_missing(void **state)
{
    struct script *s = *state;
    s->batch_rows = 2;
    script_show(s, "1,apple 2,pear 3,plum 4,fig 5,date 6,lime");
    check_ok(script_run(s), s->err);
    s->on_read = show_less_at_the_second_attempt;
    s->breaks = (struct script_breaks){.times = 1, .after = 4, .rc = GM_E_RETRY};
    check_ok(script_run(s), s->err);
    check_counts(s, "read 2, deleted 4, unchanged 2, missing 4");
    check_converges(s);
}

/* ---- rows that change during the run ---- */

static void change_rows_in_the_middle(struct script *s, size_t delivered)
{
    if (delivered == 4) {
        script_show(s, "1,apple-2 2,pear 7,new");
    }
}

static void a_run_shows_the_rows_as_they_were_when_it_began(void **state)
{
    struct script *s = *state;
    s->batch_rows = 2;
    s->on_read = change_rows_in_the_middle;
    script_show(s, "1,apple 2,pear 3,plum 4,fig 5,date 6,lime");
    check_ok(script_run(s), s->err);
    check_counts(s, "read 6, created 6");
    s->on_read = NULL;
    check_converges(s);
    check_counts(s, "read 3, created 1, updated 1, deleted 4, unchanged 1, missing 4");
}

/* ---- the same key twice ---- */

static void an_equal_row_twice_is_one_object(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple 2,pear 1,apple");
    check_ok(script_run(s), s->err);
    check_counts(s, "read 3, created 2, unchanged 1");
    check_ok(script_run(s), s->err);
    check_counts(s, "read 3, unchanged 3");
    assert_int_equal(letters(s), 0);
}

static void check_second_of_a_key_is_parked(struct script *s)
{
    script_show(s, "1,apple 2,pear 1,other");
    check_ok(script_run(s), s->err);
    check_counts(s, "read 3, created 2, parked 1");
    check_str(script_graph(s), "t-1 {\"name\":\"apple\"}\nt-2 {\"name\":\"pear\"}\n");
    assert_int_equal(letters(s), 1);
    check_ok(script_run(s), s->err); /* again: one letter with one attempt more, and no flip */
    check_counts(s, "read 3, unchanged 2, parked 1");
    check_str(script_graph(s), "t-1 {\"name\":\"apple\"}\nt-2 {\"name\":\"pear\"}\n");
    assert_int_equal(letters(s), 1);
}

static void a_different_row_of_the_same_key_is_parked_within_a_batch(void **state)
{
    check_second_of_a_key_is_parked(*state);
}

static void a_different_row_of_the_same_key_is_parked_across_batches(void **state)
{
    struct script *s = *state;
    s->batch_rows = 1;
    check_second_of_a_key_is_parked(s);
}

/* A sink that prepares a batch without the first row only when that one is committed: then the rows
 * behind it are compared while its batch is on its way back. */
static struct {
    struct script *script;
    const struct gm_connector *real;
} late_sink;

static gm_rc prepare_late(void *self, struct gm_batch *batch, struct gm_err *err)
{
    struct script *s = late_sink.script;
    gm_ns until = s->clock.mono(&s->clock) + GM_MINUTE;
    while (gm_str_is(batch->records[0].key, "2") && s->clock.mono(&s->clock) < until &&
           script_number(s, "SELECT count(*) FROM twins") == 0) {
    }
    return late_sink.real->prepare(self, batch, err);
}

static void a_different_row_is_parked_when_the_first_is_committed_and_not_back_yet(void **state)
{
    struct script *s = *state;
    struct gm_connector sink = *s->pipeline.sink;
    late_sink.script = s;
    late_sink.real = s->pipeline.sink;
    sink.prepare = prepare_late;
    s->pipeline.sink = &sink;
    s->batch_rows = 1;
    script_show(s, "1,apple 2,pear 1,other");
    check_ok(script_run(s), s->err);
    s->pipeline.sink = late_sink.real;
    check_counts(s, "read 3, created 2, parked 1");
    check_str(script_graph(s), "t-1 {\"name\":\"apple\"}\nt-2 {\"name\":\"pear\"}\n");
}

static void a_source_of_repeated_keys_stays_readable(void **state)
{
    struct script *s = *state;
    s->batch_rows = 100;
    script_add_many(s, 1, 400, 1);
    script_add_many(s, 1, 300, 2);
    check_ok(script_run(s), s->err);
    check_counts(s, "read 700, created 400, parked 300");
    GM_AUTO_FREE char *graph_z = gm_str_dup_z(script_graph(s));
    for (int i = 0; i < 2; i++) { /* the breaker knows these letters */
        check_ok(script_run(s), s->err);
        check_counts(s, "read 700, unchanged 400, parked 300");
        check_str(script_graph(s), graph_z);
        assert_int_equal(letters(s), 300);
    }
}

static void equal_rows_across_batches_are_one_object(void **state)
{
    struct script *s = *state;
    s->batch_rows = 1;
    script_show(s, "1,apple 1,apple 2,pear 1,apple 2,pear 1,apple");
    check_ok(script_run(s), s->err);
    check_counts(s, "read 6, created 2, unchanged 4");
    assert_int_equal(script_number(s, "SELECT sum(count) FROM changes"), 2);
    assert_int_equal(script_number(s, "SELECT live_count FROM pipelines"), 2);
}

/* ---- records that cannot be applied ---- */

static void a_bad_record_is_parked_alone(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple 2,pear,big 3,plum");
    check_ok(script_run(s), s->err);
    check_counts(s, "read 3, created 2, parked 1");
    assert_int_equal(letters(s), 1);
    script_show(s, "1,apple 2,pear,3 3,plum");
    check_converges(s);
    assert_int_equal(letters(s), 0); /* superseded */
}

static void a_bad_change_leaves_what_is_applied(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple,1 2,pear");
    check_ok(script_run(s), s->err);
    script_show(s, "1,apple,big 2,pear");
    check_ok(script_run(s), s->err);
    check_counts(s, "read 2, unchanged 1, parked 1");
    check_str(script_graph(s), "t-1 {\"name\":\"apple\",\"size\":1.0}\nt-2 {\"name\":\"pear\"}\n");
    script_show(s, "1,apple,1 2,pear"); /* what is applied comes back */
    check_ok(script_run(s), s->err);
    assert_int_equal(letters(s), 0);
    check_converges(s);
}

static void a_parked_record_holds_back_its_key_and_no_other(void **state)
{
    struct script *s = *state;
    s->batch_rows = 1;
    script_show(s, "1,apple,big 2,pear 3,a 4,b 5,c 6,d 7,e 1,apple,2");
    check_ok(script_run(s), s->err);
    check_counts(s, "read 8, created 6, parked 2");
    assert_int_equal(letters(s), 2);
    assert_int_equal(script_number(s, "SELECT count(*) FROM twins"), 6);
}

static void a_parked_object_is_not_missing(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple,1 2,pear 3,plum");
    check_ok(script_run(s), s->err);
    script_show(s, "1,apple,big 2,pear 3,plum");
    check_ok(script_run(s), s->err);
    check_counts(s, "read 3, unchanged 2, parked 1");
    assert_int_equal(script_number(s, "SELECT count(*) FROM twins"), 3);
}

static void too_many_bad_records_stop_the_run(void **state)
{
    struct script *s = *state;
    s->batch_rows = 50;
    for (int i = 0; i < 150; i++) {
        script_add_many(s, s->rows.n + 1, 1, 1);
        gm_free(s->rows.at[s->rows.n - 1].cells[2]);
        s->rows.at[s->rows.n - 1].cells[2] = gm_strdup_z("big");
    }
    script_add_many(s, 151, 3000, 1);
    check_rc(script_run(s), GM_E_CONFIG, s->err);
    check_err_says(s->err, "of the last");
    check_err_says(s->err, "could not be applied (errors.stop_share is 50%)");
    assert_int_equal(s->report.run.status, GM_RUN_FAILED);
    assert_true(script_number(s, "SELECT count(*) FROM twins") < 3000);
    assert_true(letters(s) >= 100);
    for (size_t i = 0; i < 150; i++) {
        gm_free(s->rows.at[i].cells[2]);
        s->rows.at[i].cells[2] = NULL;
    }
    check_converges(s);
    assert_int_equal(letters(s), 0);
}

static void letters_that_were_there_stop_no_later_run(void **state)
{
    struct script *s = *state;
    for (int i = 0; i < 120; i++) {
        script_add_many(s, s->rows.n + 1, 1, 1);
        gm_free(s->rows.at[s->rows.n - 1].cells[2]);
        s->rows.at[s->rows.n - 1].cells[2] = gm_strdup_z("big");
    }
    check_rc(script_run(s), GM_E_CONFIG, s->err);
    script_add_many(s, 121, 200, 1);
    check_ok(script_run(s), s->err);
    check_counts(s, "read 320, created 200, parked 120");
}

static void more_letters_than_are_allowed_stop_the_run(void **state)
{
    struct script *s = *state;
    s->conf.errors.max_letters = 2;
    script_show(s, "1,a,big 2,b,big");
    check_ok(script_run(s), s->err);
    script_show(s, "1,a,big 2,b,big 3,c,big 4,d 5,e 6,f 7,g");
    check_rc(script_run(s), GM_E_LIMIT, s->err);
    check_err_says(s->err, "errors.max_letters");
    assert_int_equal(letters(s), 2);
    script_show(s, "1,a 2,b 3,c 4,d 5,e 6,f 7,g");
    check_converges(s);
}

/* ---- stopping ---- */

static void stop_in_the_middle(struct script *s, size_t delivered)
{
    if (delivered == 6) {
        gm_run_handle_stop(s->handle);
    }
}

static void a_run_can_be_stopped_in_the_middle(void **state)
{
    struct script *s = *state;
    script_add_many(s, 1, 30, 1);
    check_ok(script_run(s), s->err);
    s->batch_rows = 2;
    s->on_read = stop_in_the_middle;
    script_show(s, "");
    script_add_many(s, 1, 30, 2);
    check_rc(script_run(s), GM_E_CANCELLED, s->err);
    assert_int_equal(s->report.run.status, GM_RUN_STOPPED);
    assert_false(s->report.run.complete);
    assert_int_equal(s->report.run.counts.deleted, 0);
    assert_int_equal(s->acks, 1); /* of the first run */
    assert_int_equal(script_number(s, "SELECT count(*) FROM runs WHERE status = 'stopped'"), 1);
    s->on_read = NULL;
    script_close(s);
    check_converges(s);
}

static void stop_at_once(struct script *s, size_t delivered)
{
    (void)delivered;
    gm_run_handle_stop(s->handle);
}

static void a_pause_between_attempts_can_be_cut_short(void **state)
{
    struct script *s = *state;
    s->conf.retry.first = s->conf.retry.longest = 10 * GM_HOUR;
    s->on_read = stop_at_once;
    s->breaks = (struct script_breaks){.times = 3, .after = 0, .rc = GM_E_RETRY};
    script_show(s, "1,apple");
    check_rc(script_run(s), GM_E_CANCELLED, s->err);
    assert_int_equal(s->report.run.status, GM_RUN_STOPPED);
}

static void a_stopped_handle_starts_nothing(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple");
    check_ok(script_open(s), s->err);
    gm_run_handle_stop(s->handle);
    check_rc(script_run(s), GM_E_CANCELLED, s->err);
    assert_int_equal(s->report.run.status, GM_RUN_STOPPED);
    assert_int_equal(script_number(s, "SELECT count(*) FROM twins"), 0);
}

/* ---- plans ---- */

static void a_plan_tells_and_leaves_nothing(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple,2.5,2 2,pear 3,plum,big");
    s->plan = true;
    check_ok(script_run(s), s->err);
    check_counts(s, "read 3, created 2, parked 1");
    assert_int_equal(s->report.created.count, 2);
    check_str(s->report.created.at[0].key, "1");
    assert_int_equal(s->report.parked.count, 1);
    assert_int_equal(s->acks, 0);
    static const char *const tables[] = {
        "SELECT count(*) FROM runs",        "SELECT count(*) FROM twins",
        "SELECT count(*) FROM pipelines",   "SELECT count(*) FROM sync_state",
        "SELECT count(*) FROM changes",     "SELECT count(*) FROM relationships",
        "SELECT count(*) FROM dead_letters"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(tables); i++) {
        assert_int_equal(script_number(s, tables[i]), 0);
    }
    s->plan = false;
    check_ok(script_run(s), s->err);
    check_counts(s, "read 3, created 2, parked 1");
}

static void a_plan_of_changes_and_deletions_leaves_the_store_as_it_is(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple,2.5,2 2,pear 3,plum 4,fig");
    check_ok(script_run(s), s->err);
    GM_AUTO_FREE char *before_z = gm_str_dup_z(script_graph(s));
    int64_t changes = script_number(s, "SELECT sum(count) FROM changes");
    script_show(s, "1,apple,9,2 2,pear 5,lime");
    s->plan = true;
    check_ok(script_run(s), s->err);
    check_counts(s, "read 3, created 1, updated 1, deleted 2, unchanged 1, missing 2");
    assert_int_equal(s->report.deleted.count, 2);
    check_str(s->report.deleted.at[0].key, "3");
    check_str(script_graph(s), before_z);
    assert_int_equal(script_number(s, "SELECT sum(count) FROM changes"), changes);
    assert_int_equal(script_number(s, "SELECT count(*) FROM sync_state WHERE missed_runs > 0"), 0);
    assert_int_equal(script_number(s, "SELECT count(*) FROM runs"), 1);
    s->plan = false;
    check_converges(s);
    check_counts(s, "read 3, created 1, updated 1, deleted 2, unchanged 1, missing 2");
}

static void a_plan_in_many_batches_leaves_nothing(void **state)
{
    struct script *s = *state;
    s->batch_rows = 2;
    s->plan = true;
    script_add_many(s, 1, 40, 1);
    check_ok(script_run(s), s->err);
    check_counts(s, "read 40, created 40");
    assert_int_equal(script_number(s, "SELECT count(*) FROM twins"), 0);
    s->plan = false;
    check_converges(s);
}

/* ---- increments ---- */

static void an_incremental_run_goes_on_behind_its_cursor(void **state)
{
    struct script *s = *state;
    s->incremental = true;
    s->batch_rows = 2;
    script_show(s, "1,apple 2,pear 3,plum");
    check_ok(script_run(s), s->err);
    assert_string_equal(s->from_cursor, "");
    assert_true(s->report.run.complete);
    script_show(s, "1,gone-unseen 2,pear 3,plum 4,fig 1,apple-2");
    check_ok(script_run(s), s->err);
    assert_string_equal(s->from_cursor, "3");
    assert_false(s->report.run.complete); /* says nothing about deletions */
    check_counts(s, "read 2, created 1, updated 1");
    check_str(script_graph(s), "t-1 {\"name\":\"apple-2\"}\nt-2 {\"name\":\"pear\"}\nt-3 "
                               "{\"name\":\"plum\"}\nt-4 {\"name\":\"fig\"}\n");
    script_close(s);
    check_ok(script_run(s), s->err);
    assert_string_equal(s->from_cursor, "5");
    check_counts(s, "read 0");
}

static void a_full_pass_comes_when_it_is_due(void **state)
{
    struct script *s = *state;
    s->incremental = true;
    script_show(s, "1,apple 2,pear 3,plum");
    check_ok(script_run(s), s->err);
    script_show(s, "1,apple 2,pear");
    s->now += s->conf.full_every - 1;
    check_ok(script_run(s), s->err);
    assert_string_equal(s->from_cursor, "3");
    assert_int_equal(s->report.run.counts.deleted, 0);
    s->now += 1;
    check_ok(script_run(s), s->err);
    assert_string_equal(s->from_cursor, "");
    check_counts(s, "read 2, deleted 1, unchanged 2, missing 1");
}

static void an_incremental_run_that_breaks_begins_where_it_began(void **state)
{
    struct script *s = *state;
    s->incremental = true;
    s->batch_rows = 2;
    script_show(s, "1,apple 2,pear");
    check_ok(script_run(s), s->err);
    script_show(s, "1,apple 2,pear 3,plum 4,fig 5,date 6,lime");
    s->breaks = (struct script_breaks){.times = 3, .after = 3, .rc = GM_E_RETRY};
    check_rc(script_run(s), GM_E_RETRY, s->err);
    assert_string_equal(s->from_cursor, "2");
    check_ok(script_run(s), s->err);
    assert_true(strcmp(s->from_cursor, "4") <= 0);
    check_str(script_graph(s), "t-1 {\"name\":\"apple\"}\nt-2 {\"name\":\"pear\"}\nt-3 "
                               "{\"name\":\"plum\"}\nt-4 {\"name\":\"fig\"}\n"
                               "t-5 {\"name\":\"date\"}\nt-6 {\"name\":\"lime\"}\n");
}

static void another_map_reads_everything_again_and_takes_away_what_it_no_longer_writes(void **state)
{
    struct script *s = *state;
    s->incremental = true;
    script_show(s, "1,apple,2.5,2 2,pear,1");
    check_ok(script_run(s), s->err);
    script_map(s, "      size: size\n");
    check_ok(script_run(s), s->err);
    assert_string_equal(s->from_cursor, "");
    check_str(script_graph(s), "t-1 {\"size\":2.5}\nt-2 {\"size\":1.0}\n");
    script_map(s, NULL);
    check_converges(s);
}

static gm_rc change_a_twin(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    (void)ctx;
    return gm_db_exec(tx->db, "DELETE FROM relationships", err);
}

static void a_resync_puts_right_what_was_changed_behind_its_back(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple,2.5,2 2,pear");
    check_ok(script_run(s), s->err);
    check_ok(gm_store_write(s->store, change_a_twin, NULL, &s->err), s->err);
    check_ok(script_run(s), s->err);
    check_str(script_graph(s), "t-1 {\"name\":\"apple\",\"size\":2.5}\nt-2 {\"name\":\"pear\"}\n");
    s->resync = true;
    check_converges(s);
}

/* ---- the gates of deletion ---- */

static void an_object_goes_after_the_configured_number_of_misses(void **state)
{
    struct script *s = *state;
    s->conf.missing.delete_after_runs = 2;
    script_show(s, "1,apple,,2 2,pear");
    check_ok(script_run(s), s->err);
    script_show(s, "1,apple,,2");
    check_ok(script_run(s), s->err);
    assert_int_equal(s->report.run.sweep, GM_SWEEP_WAITING);
    check_counts(s, "read 1, unchanged 1, missing 1");
    check_ok(script_run(s), s->err);
    assert_int_equal(s->report.run.sweep, GM_SWEEP_DONE);
    check_str(script_graph(s), "t-1 {\"name\":\"apple\"}\n"); /* the relationship went with it */
    script_show(s, "1,apple,,2 2,pear");
    check_converges(s);
}

static void an_empty_source_deletes_nothing(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple 2,pear");
    check_ok(script_run(s), s->err);
    script_show(s, "");
    check_ok(script_run(s), s->err);
    assert_int_equal(s->report.run.sweep, GM_SWEEP_BLOCKED);
    check_str(s->report.run.sweep_reason, "2 objects are missing, but the source has no records at "
                                          "all; check the source, then `gemel runs approve 2`");
    assert_int_equal(script_number(s, "SELECT count(*) FROM twins"), 2);
    s->plan = true;
    check_ok(script_run(s), s->err);
    check_str(s->report.run.sweep_reason,
              "2 objects are missing, but the source has no records at all; check the source");
}

static void a_changed_source_deletes_nothing_until_it_is_approved(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple 2,pear 3,plum");
    check_ok(script_run(s), s->err);
    s->pipeline.source_fingerprint_z = "another";
    script_show(s, "1,apple");
    for (int i = 0; i < 3; i++) {
        check_ok(script_run(s), s->err);
        assert_int_equal(s->report.run.sweep, GM_SWEEP_BLOCKED);
        assert_int_equal(s->report.run.sweep_count, 2);
    }
    assert_int_equal(script_number(s, "SELECT count(*) FROM twins"), 3);
    int64_t deleted = 0;
    struct gm_operation operation = script_operation(s);
    check_rc(gm_approve_run(&operation, s->report.run.num - 1, &deleted, &s->err), GM_E_INVALID,
             s->err);
    check_err_says(s->err, "not the newest complete run");
    check_rc(gm_approve_run(&operation, 999, &deleted, &s->err), GM_E_INVALID, s->err);
    check_ok(gm_approve_run(&operation, s->report.run.num, &deleted, &s->err), s->err);
    assert_int_equal(deleted, 2);
    check_rc(gm_approve_run(&operation, s->report.run.num, &deleted, &s->err), GM_E_INVALID,
             s->err);
    check_converges(s);
    script_show(s, "4,fig"); /* trusted from now on */
    check_converges(s);
    assert_int_equal(s->report.run.sweep, GM_SWEEP_DONE);
}

static void a_share_above_the_limit_is_blocked_until_it_is_approved(void **state)
{
    struct script *s = *state;
    s->conf.missing.max_share = 0.1;
    script_add_many(s, 1, 40, 1);
    check_ok(script_run(s), s->err);
    script_show(s, "");
    script_add_many(s, 1, 30, 1);
    check_ok(script_run(s), s->err);
    assert_int_equal(s->report.run.sweep, GM_SWEEP_BLOCKED);
    assert_int_equal(s->report.run.sweep_count, 10);
    int64_t deleted = 0;
    struct gm_operation operation = script_operation(s);
    check_ok(gm_approve_run(&operation, s->report.run.num, &deleted, &s->err), s->err);
    assert_int_equal(deleted, 10);
    check_converges(s);
}

static void a_record_without_a_readable_key_deletes_nothing(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple 2,pear");
    check_ok(script_run(s), s->err);
    script_show(s, "1,apple ?,pear");
    check_ok(script_run(s), s->err);
    check_counts(s, "read 2, unchanged 1, parked 1, missing 1");
    assert_int_equal(s->report.run.sweep, GM_SWEEP_BLOCKED);
    assert_int_equal(script_number(s, "SELECT count(*) FROM twins"), 2);
}

/* ---- letters ---- */

static void a_redrive_applies_what_the_steps_can_take_now(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple,big,2 2,pear 3,plum,bigger");
    check_ok(script_run(s), s->err);
    struct gm_operation operation = script_operation(s);
    struct gm_redrive_counts counts;
    check_ok(gm_redrive(&operation, &(struct gm_letter_choice){0}, &counts, &s->err), s->err);
    assert_int_equal(counts.failed, 2);
    assert_int_equal(letters(s), 2);
    script_map(s, "      name: name\n");
    check_ok(script_open(s), s->err);
    operation = script_operation(s);
    check_ok(gm_redrive(&operation, &(struct gm_letter_choice){0}, &counts, &s->err), s->err);
    assert_int_equal(counts.applied, 2);
    assert_int_equal(letters(s), 0);
    check_str(script_graph(s),
              "t-1 {\"name\":\"apple\"}\nt-2 {\"name\":\"pear\"}\nt-3 {\"name\":\"plum\"}\n");
}

static void a_redrive_goes_in_order_and_stops_at_the_first_of_a_key_that_fails(void **state)
{
    struct script *s = *state;
    s->batch_rows = 1;
    script_show(s, "1,apple,big 2,pear 3,a 4,b 5,c 6,d 7,e 1,apple,2");
    check_ok(script_run(s), s->err);
    struct gm_operation operation = script_operation(s);
    struct gm_redrive_counts counts;
    check_ok(
        gm_redrive(&operation, &(struct gm_letter_choice){.key = GM_STR("1")}, &counts, &s->err),
        s->err);
    assert_int_equal(counts.failed, 1);
    assert_int_equal(counts.held, 1);
    int64_t dropped;
    int64_t first = script_number(s, "SELECT min(num) FROM dead_letters");
    check_ok(
        gm_drop_letters(&operation, &(struct gm_letter_choice){.num = first}, &dropped, &s->err),
        s->err);
    assert_int_equal(dropped, 1);
    check_ok(
        gm_redrive(&operation, &(struct gm_letter_choice){.key = GM_STR("1")}, &counts, &s->err),
        s->err);
    assert_int_equal(counts.applied, 1);
    assert_int_equal(letters(s), 0);
    assert_int_equal(script_number(s, "SELECT count(*) FROM twins"), 7);
}

static void what_is_asked_of_a_letter_that_is_not_there_is_refused(void **state)
{
    struct script *s = *state;
    script_show(s, "1,apple");
    check_ok(script_run(s), s->err);
    struct gm_operation operation = script_operation(s);
    struct gm_redrive_counts counts;
    int64_t dropped;
    check_rc(gm_redrive(&operation, &(struct gm_letter_choice){.num = 7}, &counts, &s->err),
             GM_E_INVALID, s->err);
    check_err_says(s->err, "has no dead letter 7");
    check_rc(gm_drop_letters(&operation, &(struct gm_letter_choice){.num = 7}, &dropped, &s->err),
             GM_E_INVALID, s->err);
}

/* ---- verification ---- */

static void verify_names_the_keys_that_differ(void **state)
{
    struct script *s = *state;
    script_add_many(s, 1, 500, 1);
    check_ok(script_run(s), s->err);
    struct gm_operation operation = script_operation(s);
    struct gm_stop *stop = gm_stop_new();
    struct gm_verify_report report;
    check_ok(gm_verify(&operation, stop, &report, &s->err), s->err);
    assert_int_equal(report.differences_total, 0);
    assert_int_equal(report.source_count, 500);
    assert_int_equal(report.sink_count, 500);
    assert_true(gm_hash128_eq(report.source_digest, report.sink_digest));
    GM_AUTO_FREE char *artifact_z = gm_str_dup_z(report.artifact);
    gm_verify_report_free(&report);

    gm_free(s->rows.at[6].cells[1]);
    s->rows.at[6].cells[1] = gm_strdup_z("other");
    gm_free(s->rows.at[499].cells[0]);
    s->rows.at[499].cells[0] = gm_strdup_z("9000");
    check_ok(gm_verify(&operation, stop, &report, &s->err), s->err);
    assert_int_equal(report.differences_total, 3);
    assert_int_equal(report.difference_count, 3);
    check_str(report.differences[0].key, "500");
    assert_int_equal(report.differences[0].kind, GM_VERIFY_EXTRA);
    check_str(report.differences[1].key, "7");
    assert_int_equal(report.differences[1].kind, GM_VERIFY_DIFFERENT);
    check_str(report.differences[2].key, "9000");
    assert_int_equal(report.differences[2].kind, GM_VERIFY_MISSING);
    gm_verify_report_free(&report);

    struct gm_artifact_check check;
    check_ok(gm_verify_check_artifact(&operation, gm_str_z(artifact_z), &check, &s->err), s->err);
    assert_true(check.sealed);
    assert_true(check.same);
    check_ok(script_run(s), s->err); /* makes the differences good */
    check_ok(gm_verify(&operation, stop, &report, &s->err), s->err);
    assert_int_equal(report.differences_total, 0);
    gm_verify_report_free(&report);
    check_ok(gm_verify_check_artifact(&operation, gm_str_z(artifact_z), &check, &s->err), s->err);
    assert_true(check.sealed);
    assert_false(check.same);
    char *count = strstr(artifact_z, "500");
    assert_non_null(count);
    *count = '6';
    check_ok(gm_verify_check_artifact(&operation, gm_str_z(artifact_z), &check, &s->err), s->err);
    assert_false(check.sealed);
    gm_stop_free(stop);
}

#define RUN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(a_second_run_writes_nothing_and_a_changed_row_one_twin),
        RUN_TEST(a_target_that_comes_later_is_waited_for_and_a_moved_key_moves_the_relationship),
        RUN_TEST(many_small_batches_go_round),
        RUN_TEST(the_source_is_told_after_everything_is_durable),
        RUN_TEST(a_source_that_breaks_in_the_middle_is_tried_again),
        RUN_TEST(a_source_that_stays_broken_fails_the_run_and_says_why),
        RUN_TEST(a_source_that_cannot_be_reached_is_tried_again),
        RUN_TEST(what_the_user_must_change_is_not_tried_again),
        RUN_TEST(what_a_broken_pass_did_not_show_is_not_missing),
        RUN_TEST(what_went_between_two_attempts_is_missing),
        RUN_TEST(a_run_shows_the_rows_as_they_were_when_it_began),
        RUN_TEST(an_equal_row_twice_is_one_object),
        RUN_TEST(a_different_row_of_the_same_key_is_parked_within_a_batch),
        RUN_TEST(a_different_row_of_the_same_key_is_parked_across_batches),
        RUN_TEST(a_different_row_is_parked_when_the_first_is_committed_and_not_back_yet),
        RUN_TEST(a_source_of_repeated_keys_stays_readable),
        RUN_TEST(equal_rows_across_batches_are_one_object),
        RUN_TEST(a_bad_record_is_parked_alone),
        RUN_TEST(a_bad_change_leaves_what_is_applied),
        RUN_TEST(a_parked_record_holds_back_its_key_and_no_other),
        RUN_TEST(a_parked_object_is_not_missing),
        RUN_TEST(too_many_bad_records_stop_the_run),
        RUN_TEST(letters_that_were_there_stop_no_later_run),
        RUN_TEST(more_letters_than_are_allowed_stop_the_run),
        RUN_TEST(a_run_can_be_stopped_in_the_middle),
        RUN_TEST(a_pause_between_attempts_can_be_cut_short),
        RUN_TEST(a_stopped_handle_starts_nothing),
        RUN_TEST(a_plan_tells_and_leaves_nothing),
        RUN_TEST(a_plan_of_changes_and_deletions_leaves_the_store_as_it_is),
        RUN_TEST(a_plan_in_many_batches_leaves_nothing),
        RUN_TEST(an_incremental_run_goes_on_behind_its_cursor),
        RUN_TEST(a_full_pass_comes_when_it_is_due),
        RUN_TEST(an_incremental_run_that_breaks_begins_where_it_began),
        RUN_TEST(another_map_reads_everything_again_and_takes_away_what_it_no_longer_writes),
        RUN_TEST(a_resync_puts_right_what_was_changed_behind_its_back),
        RUN_TEST(an_object_goes_after_the_configured_number_of_misses),
        RUN_TEST(an_empty_source_deletes_nothing),
        RUN_TEST(a_changed_source_deletes_nothing_until_it_is_approved),
        RUN_TEST(a_share_above_the_limit_is_blocked_until_it_is_approved),
        RUN_TEST(a_record_without_a_readable_key_deletes_nothing),
        RUN_TEST(a_redrive_applies_what_the_steps_can_take_now),
        RUN_TEST(a_redrive_goes_in_order_and_stops_at_the_first_of_a_key_that_fails),
        RUN_TEST(what_is_asked_of_a_letter_that_is_not_there_is_refused),
        RUN_TEST(verify_names_the_keys_that_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
