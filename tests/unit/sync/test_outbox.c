/* What is on its way into a stream: numbers without gaps, parts until they are there. */
#include "sync/outbox.h"
#include "unit/sync/fixture.h"

static void begin(struct fixture *f)
{
    check_ok(gm_db_begin(f->db, &f->err), f->err);
}

static void commit(struct fixture *f)
{
    check_ok(gm_db_commit(f->db, &f->err), f->err);
}

static void put(struct fixture *f, const char *stream_z, const char *epoch_z)
{
    const struct gm_outbox outbox = {.pipeline = PIPELINE,
                                     .stream = gm_str_z(stream_z),
                                     .identity = -7,
                                     .epoch = gm_str_z(epoch_z)};
    check_ok(gm_outbox_put(f->db, &outbox, &f->err), f->err);
}

/* Draws numbers for `count` events and notes them. */
static int64_t note(struct fixture *f, int64_t count, const char *bytes_z)
{
    int64_t first = -1;
    check_ok(gm_outbox_draw(f->db, PIPELINE, count, &first, &f->err), f->err);
    const struct gm_outbox_part part = {PIPELINE, first, count, gm_str_z(bytes_z)};
    check_ok(gm_outbox_add(f->db, &part, &f->err), f->err);
    return first;
}

static gm_rc from(struct fixture *f, int64_t number, struct gm_outbox_part *out_part)
{
    *out_part = (struct gm_outbox_part){.pipeline = PIPELINE, .first = number};
    return gm_outbox_from(f->db, f->arena, out_part, &f->err);
}

static void a_pipeline_that_never_wrote_has_none(void **state)
{
    struct fixture *f = *state;
    struct gm_outbox outbox;
    struct gm_outbox_part part;
    check_rc(gm_outbox_get(f->db, f->arena, PIPELINE, &outbox, &f->err), GM_E_END, f->err);
    check_rc(from(f, 0, &part), GM_E_END, f->err);
}

static void it_says_where_events_go(void **state)
{
    struct fixture *f = *state;
    struct gm_outbox outbox;
    begin(f);
    put(f, "changes", "0123456789abcdef");
    commit(f);
    check_ok(gm_outbox_get(f->db, f->arena, PIPELINE, &outbox, &f->err), f->err);
    check_str(outbox.stream, "changes");
    check_str(outbox.epoch, "0123456789abcdef");
    assert_int_equal(outbox.identity, -7);
    assert_int_equal(outbox.next, 0);
}

static void numbers_have_no_gaps_whatever_is_undone(void **state)
{
    struct fixture *f = *state;
    begin(f);
    put(f, "changes", "a");
    assert_int_equal(note(f, 3, "abc"), 0);
    commit(f);
    begin(f);
    assert_int_equal(note(f, 5, "undone"), 3);
    gm_db_rollback(f->db);
    begin(f);
    assert_int_equal(note(f, 2, "de"), 3);
    assert_int_equal(note(f, 1, "f"), 5);
    commit(f);
}

static void parts_stay_in_order_until_they_are_settled(void **state)
{
    struct fixture *f = *state;
    struct gm_outbox_part part;
    begin(f);
    put(f, "changes", "a");
    (void)note(f, 3, "abc");
    (void)note(f, 2, "de");
    commit(f);
    check_ok(from(f, 0, &part), f->err);
    assert_int_equal(part.first, 0);
    assert_int_equal(part.count, 3);
    check_str(part.bytes, "abc");
    check_ok(from(f, 1, &part), f->err);
    assert_int_equal(part.first, 3);
    begin(f);
    check_ok(gm_outbox_settle(f->db, PIPELINE, 3, &f->err), f->err);
    commit(f);
    check_ok(from(f, 0, &part), f->err);
    assert_int_equal(part.first, 3);
    check_str(part.bytes, "de");
    check_rc(from(f, 4, &part), GM_E_END, f->err);
}

static void another_epoch_counts_anew(void **state)
{
    struct fixture *f = *state;
    struct gm_outbox outbox;
    begin(f);
    put(f, "changes", "a");
    (void)note(f, 3, "abc");
    check_ok(gm_outbox_settle(f->db, PIPELINE, INT64_MAX, &f->err), f->err);
    put(f, "others", "b");
    assert_int_equal(note(f, 1, "d"), 0);
    commit(f);
    check_ok(gm_outbox_get(f->db, f->arena, PIPELINE, &outbox, &f->err), f->err);
    check_str(outbox.stream, "others");
    assert_int_equal(outbox.next, 1);
}

static void what_is_forgotten_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct gm_outbox outbox;
    struct gm_outbox_part part;
    begin(f);
    put(f, "changes", "a");
    (void)note(f, 3, "abc");
    check_ok(gm_outbox_forget(f->db, PIPELINE, &f->err), f->err);
    commit(f);
    check_rc(gm_outbox_get(f->db, f->arena, PIPELINE, &outbox, &f->err), GM_E_END, f->err);
    check_rc(from(f, 0, &part), GM_E_END, f->err);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_pipeline_that_never_wrote_has_none),
        FIXTURE_TEST(it_says_where_events_go),
        FIXTURE_TEST(numbers_have_no_gaps_whatever_is_undone),
        FIXTURE_TEST(parts_stay_in_order_until_they_are_settled),
        FIXTURE_TEST(another_epoch_counts_anew),
        FIXTURE_TEST(what_is_forgotten_leaves_nothing),
    };
    WORLD_RUN_ON_BOTH(tests);
}
