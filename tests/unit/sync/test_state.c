/* What writing leaves in the sync state, and what the counters of the pipeline say then. */
#include "unit/sync/fixture.h"

/* ---- taking effect ---- */

static void a_new_object_gets_the_next_slot(void **state)
{
    struct fixture *f = *state;
    struct gm_record *record = show(f, "a", "1");
    record->verdict = GM_VERDICT_CREATED;
    record->target = TARGET(2, 7);
    record->version = 12;
    write_state(f, record);
    assert_int_equal(record->slot, 1);
    assert_int_equal(deliver(f, "b", "1", 9)->slot, 2);
    assert_int_equal(f->last_slot, 2);
    assert_int_equal(f->live_count, 2);
    struct gm_state_row row = row_of(f, "a");
    check_str(row.key, "a");
    assert_int_equal(row.slot, 1);
    assert_int_equal(row.state, GM_STATE_COMPLETED);
    check_hash(row.hash, "1");
    assert_int_equal(row.target, TARGET(2, 7));
    assert_null(row.target_id.p);
    assert_int_equal(row.run, RUN);
    assert_int_equal(row.changed, NOW);
    assert_int_equal(row.version, 12);
    assert_int_equal(row.attempts, 0);
    assert_null(row.last_error.p);
    assert_int_equal(row.missed_runs, 0);
}

static void a_changed_object_keeps_its_slot(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    deliver(f, "b", "1", 9);
    f->cause.run = RUN + 1;
    f->cause.now = NOW + 5;
    struct gm_record *record = deliver(f, "a", "2", 10);
    assert_int_equal(record->slot, 1);
    assert_int_equal(f->last_slot, 2);
    assert_int_equal(f->live_count, 2);
    struct gm_state_row row = row_of(f, "a");
    check_hash(row.hash, "2");
    assert_int_equal(row.slot, 1);
    assert_int_equal(row.target, 10);
    assert_int_equal(row.run, RUN + 1);
    assert_int_equal(row.changed, NOW + 5);
}

static void taking_effect_ends_misses_and_errors(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    set_row(f, "a",
            "state = 4, attempts = 3, last_error = 'x', missed_runs = 1, missed_since = 2, "
            "missed_in = 3, version = 8");
    deliver(f, "a", "2", 9);
    struct gm_state_row row = row_of(f, "a");
    assert_int_equal(row.state, GM_STATE_COMPLETED);
    assert_int_equal(row.attempts + row.missed_runs + row.missed_since + row.missed_in, 0);
    assert_int_equal(row.version, 0);
    assert_null(row.last_error.p);
}

static void a_deleted_object_that_is_back_gets_its_old_slot(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    deliver(f, "b", "1", 9);
    set_row(f, "a", "state = 5");
    f->live_count = 1;
    struct gm_record *record = deliver(f, "a", "1", 10);
    assert_int_equal(record->slot, 1);
    assert_int_equal(record->verdict, GM_VERDICT_CREATED);
    assert_int_equal(f->live_count, 2);
    assert_int_equal(f->last_slot, 2);
    assert_int_equal(row_of(f, "a").state, GM_STATE_COMPLETED);
    assert_int_equal(row_of(f, "a").target, 10);
}

static void slots_end_at_their_limit(void **state)
{
    struct fixture *f = *state;
    f->last_slot = GM_SLOT_MAX - 1;
    assert_int_equal(deliver(f, "a", "1", 9)->slot, GM_SLOT_MAX);
    assert_int_equal(show(f, "a", "1")->slot, GM_SLOT_MAX);
    struct gm_record *record = show(f, "b", "1");
    record->verdict = GM_VERDICT_CREATED;
    check_rc(gm_state_write(f->writer, &f->cause, record, &f->err), GM_E_LIMIT, f->err);
    assert_int_equal(f->last_slot, GM_SLOT_MAX);
    assert_int_equal(f->live_count, 1);
}

static void a_row_that_went_away_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    struct gm_record *record = show(f, "a", "2");
    check_ok(gm_db_exec(f->db, "DELETE FROM sync_state", &f->err), f->err);
    record->verdict = GM_VERDICT_UPDATED;
    check_rc(gm_state_write(f->writer, &f->cause, record, &f->err), GM_E_CONFLICT, f->err);
    check_err_says(f->err, "\"a\"");
}

/* ---- many at once ---- */

/* `count` records "key1"…, which took effect; not compared. */
static void gather_batch(struct fixture *f, int count)
{
    gm_batch_reset(f->batch);
    for (int i = 1; i <= count; i++) {
        struct gm_record *record =
            add(f, gm_arena_format(f->arena, "key%d", i), i % 2 == 0 ? "even" : "odd");
        record->verdict = GM_VERDICT_CREATED;
        record->target = TARGET(2, i);
    }
}

static void write_batch(struct fixture *f)
{
    struct gm_state_gather gather = {.count = 0};
    for (size_t i = 0; i < f->batch->count; i++) {
        check_ok(gm_state_write_some(f->writer, &f->cause, &gather, &f->batch->records[i], &f->err),
                 f->err);
    }
    check_ok(gm_state_write_rest(f->writer, &f->cause, &gather, &f->err), f->err);
    assert_int_equal(gather.count, 0);
}

static void check_batch(struct fixture *f)
{
    for (size_t i = 0; i < f->batch->count; i++) {
        const struct gm_record *record = &f->batch->records[i];
        struct gm_state_row row =
            row_of(f, gm_arena_format(f->arena, GM_STR_FMT, GM_STR_ARG(record->key)).p);
        assert_int_equal(row.slot, record->slot);
        assert_int_equal(row.state, GM_STATE_COMPLETED);
        assert_int_equal(row.target, record->target);
        assert_int_equal(row.run, RUN);
        assert_int_equal(row.changed, NOW);
        assert_true(gm_hash128_eq(row.hash, record->hash));
    }
    assert_int_equal(
        world_number(f->world, f->db, "SELECT count(*) - count(DISTINCT slot) FROM sync_state"), 0);
}

static void many_new_objects_are_written_as_each_by_itself(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 2 * GM_STATE_GATHER_MAX + 5 };
    gather_batch(f, COUNT);
    write_batch(f);
    check_batch(f);
    assert_int_equal(f->last_slot, COUNT);
    assert_int_equal(f->live_count, COUNT);
}

static void known_and_repeated_and_deleted_keys_among_many_are_told_apart(void **state)
{
    struct fixture *f = *state;
    deliver(f, "key3", "x", 9);
    deliver(f, "key5", "x", 9);
    set_row(f, "key5", "state = 5");
    f->live_count = 1;
    gather_batch(f, GM_STATE_GATHER_MAX);
    struct gm_record *repeated = &f->batch->records[9];
    repeated->key = GM_STR("key9");
    repeated->hash = f->batch->records[8].hash;
    repeated->target = f->batch->records[8].target;
    write_batch(f);
    check_batch(f);
    assert_int_equal(f->batch->records[2].slot, 1);
    assert_int_equal(f->batch->records[4].slot, 2);
    assert_int_equal(repeated->slot, f->batch->records[8].slot);
    assert_int_equal(f->live_count, GM_STATE_GATHER_MAX - 1);
    assert_true(f->last_slot >= world_number(f->world, f->db, "SELECT max(slot) FROM sync_state"));
}

static void what_was_gathered_is_written_before_what_is_not(void **state)
{
    struct fixture *f = *state;
    gather_batch(f, 3);
    struct gm_record *parked = &f->batch->records[2];
    parked->key = GM_STR("key1");
    parked->rc = GM_E_INVALID;
    parked->error = GM_STR("bad");
    write_batch(f);
    struct gm_state_row row = row_of(f, "key1");
    assert_int_equal(row.state, GM_STATE_DEAD);
    assert_int_equal(row.target, TARGET(2, 1)); /* what is applied stays */
    assert_int_equal(f->live_count, 2);
}

static void many_slots_end_at_their_limit_too(void **state)
{
    struct fixture *f = *state;
    struct gm_state_gather gather = {.count = 0};
    f->last_slot = GM_SLOT_MAX - 3;
    gather_batch(f, GM_STATE_GATHER_MAX);
    gm_rc rc = GM_OK;
    for (size_t i = 0; rc == GM_OK && i < f->batch->count; i++) {
        rc = gm_state_write_some(f->writer, &f->cause, &gather, &f->batch->records[i], &f->err);
    }
    check_rc(rc, GM_E_LIMIT, f->err);
    assert_int_equal(f->last_slot, GM_SLOT_MAX);
}

/* ---- coming back ---- */

static void a_missing_object_that_is_back_unchanged_is_missing_no_more(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    set_row(f, "a", "missed_runs = 1, missed_since = 2, missed_in = 3");
    struct gm_record *record = show(f, "a", "1");
    write_state(f, record);
    struct gm_state_row row = row_of(f, "a");
    assert_int_equal(row.state, GM_STATE_COMPLETED);
    assert_int_equal(row.missed_runs + row.missed_since + row.missed_in, 0);
    check_hash(row.hash, "1");
    assert_int_equal(row.target, 9);
    assert_int_equal(f->live_count, 1);
}

static void a_missing_object_that_shows_an_old_version_is_missing_no_more(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    set_row(
        f, "a",
        "state = 4, version = 7, attempts = 2, missed_runs = 1, missed_since = 2, missed_in = 3");
    gm_batch_reset(f->batch);
    struct gm_record *record = add(f, GM_STR("a"), "0");
    record->version = 6;
    compare(f);
    assert_int_equal(record->verdict, GM_VERDICT_STALE);
    write_state(f, record);
    struct gm_state_row row = row_of(f, "a");
    assert_int_equal(row.missed_runs + row.missed_since + row.missed_in, 0);
    assert_int_equal(row.state, GM_STATE_DEAD); /* nothing was applied */
    assert_int_equal(row.attempts, 2);
    assert_int_equal(row.version, 7);
    check_hash(row.hash, "1");
}

static void a_dead_object_that_shows_what_is_applied_is_completed(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    fail_to_deliver(f, "a", "bad");
    write_state(f, show(f, "a", "1"));
    struct gm_state_row row = row_of(f, "a");
    assert_int_equal(row.state, GM_STATE_COMPLETED);
    assert_int_equal(row.attempts, 0);
    assert_null(row.last_error.p);
    assert_int_equal(f->live_count, 1);
}

/* ---- being parked ---- */

static void a_parked_object_keeps_what_is_applied(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    set_row(f, "a", "version = 7, missed_in = 3, missed_runs = 1, missed_since = 1");
    f->cause.run = RUN + 1;
    struct gm_record *record = fail_to_deliver(f, "a", "bad");
    assert_int_equal(record->slot, 1);
    struct gm_state_row row = row_of(f, "a");
    assert_int_equal(row.state, GM_STATE_DEAD);
    check_hash(row.hash, "1");
    assert_int_equal(row.target, 9);
    assert_int_equal(row.version, 7);
    assert_int_equal(row.attempts, 1);
    check_str(row.last_error, "no good: bad");
    assert_int_equal(row.run, RUN + 1);
    assert_int_equal(row.missed_in, 0); /* it was seen */
    fail_to_deliver(f, "a", "worse");
    row = row_of(f, "a");
    assert_int_equal(row.attempts, 2);
    check_str(row.last_error, "no good: worse");
    assert_int_equal(f->live_count, 1);
}

static void a_new_object_that_is_parked_has_a_slot_and_nothing_applied(void **state)
{
    struct fixture *f = *state;
    struct gm_record *record = fail_to_deliver(f, "a", "bad");
    assert_int_equal(record->slot, 1);
    struct gm_state_row row = row_of(f, "a");
    assert_int_equal(row.state, GM_STATE_DEAD);
    assert_true(gm_hash128_eq(row.hash, (struct gm_hash128){0}));
    assert_int_equal(row.target, 0);
    assert_int_equal(row.attempts, 1);
    assert_int_equal(f->live_count, 1);
    assert_int_equal(deliver(f, "a", "good", 9)->slot, 1);
    assert_int_equal(f->live_count, 1);
    assert_int_equal(row_of(f, "a").state, GM_STATE_COMPLETED);
}

static void a_record_of_a_key_that_its_own_batch_made_is_parked_on_its_row(void **state)
{
    struct fixture *f = *state;
    gm_batch_reset(f->batch);
    struct gm_record *first = add(f, GM_STR("a"), "1");
    struct gm_record *later = add(f, GM_STR("a"), "2");
    compare(f);
    first->verdict = GM_VERDICT_CREATED;
    write_state(f, first);
    write_state(f, later);
    assert_int_equal(later->slot, 1);
    assert_int_equal(f->last_slot, 1);
    assert_int_equal(f->live_count, 1);
    struct gm_state_row row = row_of(f, "a");
    assert_int_equal(row.state, GM_STATE_DEAD);
    check_hash(row.hash, "1");
}

static void a_deleted_key_shown_twice_counts_once(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "0", 9);
    set_row(f, "a", "state = 5");
    f->live_count = 0;
    gm_batch_reset(f->batch);
    struct gm_record *first = add(f, GM_STR("a"), "1");
    struct gm_record *later = add(f, GM_STR("a"), "2");
    compare(f);
    first->verdict = GM_VERDICT_CREATED;
    write_state(f, first);
    write_state(f, later);
    assert_int_equal(f->live_count, 1);
}

/* ---- looking ---- */

struct listed {
    size_t count;
    char keys[64];
};

static gm_rc list_key(void *ctx, const struct gm_state_row *row, struct gm_err *err)
{
    (void)err;
    struct listed *listed = ctx;
    listed->count++;
    assert_int_equal(row->key.n, 1);
    listed->keys[listed->count - 1] = row->key.p[0];
    return GM_OK;
}

static gm_rc refuse_row(void *ctx, const struct gm_state_row *row, struct gm_err *err)
{
    (void)ctx;
    (void)row;
    return gm_fail(err, GM_E_CANCELLED, "enough");
}

static void rows_are_listed_in_order_without_deleted_ones(void **state)
{
    struct fixture *f = *state;
    deliver(f, "c", "1", 9);
    deliver(f, "a", "1", 9);
    deliver(f, "b", "1", 9);
    fail_to_deliver(f, "d", "1");
    set_row(f, "b", "state = 5");
    struct listed listed = {0};
    check_ok(gm_states_list(f->db, PIPELINE, list_key, &listed, &f->err), f->err);
    assert_string_equal(listed.keys, "acd");
    check_rc(gm_states_list(f->db, PIPELINE, refuse_row, NULL, &f->err), GM_E_CANCELLED, f->err);
    int64_t counts[6];
    check_ok(gm_states_count(f->db, PIPELINE, counts, &f->err), f->err);
    assert_int_equal(counts[GM_STATE_COMPLETED], 2);
    assert_int_equal(counts[GM_STATE_PENDING], 0);
    assert_int_equal(counts[GM_STATE_FAILED], 0);
    assert_int_equal(counts[GM_STATE_DEAD], 1);
    assert_int_equal(counts[GM_STATE_DELETED], 1);
}

static void an_unknown_key_is_told_by_name(void **state)
{
    struct fixture *f = *state;
    struct gm_state_key key = {PIPELINE, GM_STR("nobody")};
    check_rc(gm_state_get(f->db, &key, refuse_row, NULL, &f->err), GM_E_END, f->err);
    check_err_says(f->err, "\"nobody\"");
}

static void an_unknown_state_is_corruption(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    set_row(f, "a", "state = 9");
    check_rc(gm_states_list(f->db, PIPELINE, list_key, &(struct listed){0}, &f->err), GM_E_CORRUPT,
             f->err);
}

static void states_have_names(void **state)
{
    (void)state;
    assert_string_equal(gm_state_name(GM_STATE_COMPLETED), "completed");
    assert_string_equal(gm_state_name(GM_STATE_DEAD), "dead");
    assert_string_equal(gm_state_name(GM_STATE_DELETED), "deleted");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_new_object_gets_the_next_slot),
        FIXTURE_TEST(a_changed_object_keeps_its_slot),
        FIXTURE_TEST(taking_effect_ends_misses_and_errors),
        FIXTURE_TEST(a_deleted_object_that_is_back_gets_its_old_slot),
        FIXTURE_TEST(slots_end_at_their_limit),
        FIXTURE_TEST(a_row_that_went_away_is_a_conflict),
        FIXTURE_TEST(many_new_objects_are_written_as_each_by_itself),
        FIXTURE_TEST(known_and_repeated_and_deleted_keys_among_many_are_told_apart),
        FIXTURE_TEST(what_was_gathered_is_written_before_what_is_not),
        FIXTURE_TEST(many_slots_end_at_their_limit_too),
        FIXTURE_TEST(a_missing_object_that_is_back_unchanged_is_missing_no_more),
        FIXTURE_TEST(a_missing_object_that_shows_an_old_version_is_missing_no_more),
        FIXTURE_TEST(a_dead_object_that_shows_what_is_applied_is_completed),
        FIXTURE_TEST(a_parked_object_keeps_what_is_applied),
        FIXTURE_TEST(a_new_object_that_is_parked_has_a_slot_and_nothing_applied),
        FIXTURE_TEST(a_record_of_a_key_that_its_own_batch_made_is_parked_on_its_row),
        FIXTURE_TEST(a_deleted_key_shown_twice_counts_once),
        FIXTURE_TEST(rows_are_listed_in_order_without_deleted_ones),
        FIXTURE_TEST(an_unknown_key_is_told_by_name),
        FIXTURE_TEST(an_unknown_state_is_corruption),
        FIXTURE_TEST(states_have_names),
    };
    WORLD_RUN_ON_BOTH(tests);
}
