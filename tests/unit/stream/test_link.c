/* What comes from another stream is taken once and without gaps; who reads is known, and waited
 * for. */
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "stream/parcel.h"
#include "stream/stream.h"
#include "support/check.h"
#include "support/tmp.h"

struct world {
    struct tmp *tmp;
    struct gm_clock clock;
    gm_ns now;
    char *path_z;
    struct gm_stream_options options;
    struct gm_stream *stream;
    struct gm_err err;
};

static gm_ns world_now(const struct gm_clock *clock)
{
    return ((struct world *)clock->self)->now;
}

static void open_stream(struct world *world)
{
    gm_stream_close(world->stream);
    world->stream = NULL;
    check_ok(gm_stream_open(&world->options, &world->stream, &world->err), world->err);
}

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    world->tmp = tmp_new();
    world->now = 1000 * GM_SECOND;
    world->clock = (struct gm_clock){.wall = world_now, .mono = world_now, .self = world};
    world->path_z = gm_strdup_z(tmp_path(world->tmp, "streams/s.db"));
    world->options = (struct gm_stream_options){.path_z = world->path_z, .clock = &world->clock};
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_stream_close(world->stream);
    tmp_free(world->tmp);
    gm_free(world->path_z);
    gm_free(world);
    return 0;
}

enum { EVENTS = 3 };

/* EVENTS events that lie from `first` on in their stream; all with one origin and sequence. */
static struct gm_append bring(struct world *world, const char *name_z, int64_t first, int64_t after)
{
    static const struct gm_event one = {.key = {"k", 1},
                                        .origin = {"gw", 2},
                                        .id = {"i", 1},
                                        .sequence = 7,
                                        .time = 5,
                                        .body = {"{}", 2}};
    const struct gm_event events[EVENTS] = {one, one, one};
    const struct gm_link link = {gm_str_z(name_z), first, after};
    struct gm_append append = {.events = events, .count = EVENTS, .link = &link};
    check_ok(gm_stream_append(world->stream, &append, NULL, &world->err), world->err);
    return append;
}

static void check_brought(const struct gm_append *append, size_t appended, int64_t next)
{
    assert_false(append->moved);
    assert_int_equal(append->appended, appended);
    assert_int_equal(append->duplicates, EVENTS - appended);
    assert_int_equal(append->version, next);
}

static void what_a_link_brings_again_is_passed_over_also_after_a_restart(void **state)
{
    struct world *world = *state;
    open_stream(world);
    struct gm_append append = bring(world, "a", 0, 0);
    check_brought(&append, 3, 3);
    append = bring(world, "a", 0, 0);
    check_brought(&append, 0, 3);
    append = bring(world, "a", 2, 2);
    check_brought(&append, 2, 5);
    open_stream(world);
    append = bring(world, "a", 2, 2);
    check_brought(&append, 0, 5);
    append = bring(world, "a", 1, 1);
    check_brought(&append, 0, 5);
    assert_int_equal(gm_stream_next(world->stream, 0), 5);
}

static void links_hide_nothing_of_each_other(void **state)
{
    struct world *world = *state;
    open_stream(world);
    struct gm_append append = bring(world, "a", 0, 0);
    check_brought(&append, 3, 3);
    append = bring(world, "b", 0, 0);
    check_brought(&append, 3, 3);
}

static void a_gap_is_refused_unless_it_is_known_to_be_lost(void **state)
{
    struct world *world = *state;
    open_stream(world);
    struct gm_append append = bring(world, "a", 10, 10);
    assert_true(append.moved);
    assert_int_equal(append.version, 0);
    assert_int_equal(append.appended, 0);
    append = bring(world, "a", 10, 0);
    check_brought(&append, 3, 13);
    append = bring(world, "a", 14, 14);
    assert_true(append.moved);
    assert_int_equal(append.version, 13);
    assert_int_equal(gm_stream_next(world->stream, 0), 3);
}

static void offsets_that_cannot_be_are_refused(void **state)
{
    struct world *world = *state;
    open_stream(world);
    const struct gm_event event = {.key = GM_STR("k"), .body = GM_STR("{}")};
    const struct gm_link wrong[] = {
        {GM_STR(""), 0, 0}, {GM_STR("a"), 1, 2}, {GM_STR("a"), 1, -1}, {GM_STR("a"), INT64_MAX, 0}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(wrong); i++) {
        struct gm_append append = {.events = &event, .count = 1, .link = &wrong[i]};
        check_rc(gm_stream_append(world->stream, &append, NULL, &world->err), GM_E_INVALID,
                 world->err);
    }
}

static void a_stream_made_anew_has_another_identity(void **state)
{
    struct world *world = *state;
    open_stream(world);
    uint64_t identity = gm_stream_identity(world->stream);
    open_stream(world);
    assert_true(identity == gm_stream_identity(world->stream));
    gm_free(world->path_z);
    world->path_z = gm_strdup_z(tmp_path(world->tmp, "streams/other.db"));
    world->options.path_z = world->path_z;
    open_stream(world);
    assert_false(identity == gm_stream_identity(world->stream));
}

/* ---- consumers ---- */

static void set_consumer(struct world *world, int64_t next, int64_t lost)
{
    const struct gm_stream_consumer consumer = {GM_STR("c"), 0, next, lost};
    check_ok(gm_stream_consumer_set(world->stream, &consumer, &world->err), world->err);
}

static void cursors_of_consumers_are_kept(void **state)
{
    struct world *world = *state;
    struct gm_stream_consumer got;
    open_stream(world);
    assert_false(gm_stream_consumer_get(world->stream, GM_STR("c"), 0, &got));
    assert_int_equal(got.next, 0);
    set_consumer(world, 3, 0);
    set_consumer(world, 5, 2);
    assert_int_equal(gm_stream_consumers(world->stream, &got, 1), 1);
    check_str(got.name, "c");
    open_stream(world);
    assert_true(gm_stream_consumer_get(world->stream, GM_STR("c"), 0, &got));
    assert_int_equal(got.next, 5);
    assert_int_equal(got.lost, 2);
    world->options.read_only = true; /* others may look */
    open_stream(world);
    assert_int_equal(gm_stream_consumers(world->stream, &got, 1), 1);
    check_rc(gm_stream_consumer_set(world->stream, &got, &world->err), GM_E_CONFIG, world->err);
}

static int64_t trim(struct world *world)
{
    int64_t gone;
    check_ok(gm_stream_trim(world->stream, &gone, &world->err), world->err);
    return gone;
}

static void retention_waits_for_who_is_held_for_up_to_its_bound(void **state)
{
    struct world *world = *state;
    world->options.retain_age = 100 * GM_SECOND;
    world->options.held_for_z = "c";
    world->options.held_age = 1000 * GM_SECOND;
    open_stream(world);
    for (int64_t i = 0; i < 4; i++) {
        (void)bring(world, "a", EVENTS * i, EVENTS * i); /* each a chunk */
    }
    world->now += 200 * GM_SECOND;
    assert_int_equal(trim(world), 0); /* it has not even been heard of */
    set_consumer(world, EVENTS + 1, 0);
    assert_int_equal(trim(world), 1); /* it is within the second */
    set_consumer(world, 2 * EVENTS, 0);
    assert_int_equal(trim(world), 1);
    assert_int_equal(trim(world), 0);
    world->now += 1000 * GM_SECOND;
    assert_int_equal(trim(world), 1); /* the newest stays always */
    struct gm_stream_info info;
    check_ok(gm_stream_info(world->stream, 0, &info, &world->err), world->err);
    assert_int_equal(info.oldest, 3 * EVENTS);
}

static void a_bound_of_what_is_held_takes_nothing_that_retention_leaves(void **state)
{
    struct world *world = *state;
    world->options.held_for_z = "c";
    world->options.held_age = GM_SECOND;
    open_stream(world);
    (void)bring(world, "a", 0, 0);
    (void)bring(world, "a", EVENTS, EVENTS);
    world->now += 10 * GM_SECOND;
    assert_int_equal(trim(world), 0);
}

static void who_waits_for_news_hears_of_commits_and_is_stirred(void **state)
{
    struct world *world = *state;
    uint64_t seen = 0;
    open_stream(world);
    check_rc(gm_stream_wait_news(world->stream, &seen, 0), GM_E_END, world->err);
    (void)bring(world, "a", 0, 0);
    check_rc(gm_stream_wait_news(world->stream, &seen, GM_MINUTE), GM_OK, world->err);
    check_rc(gm_stream_wait_news(world->stream, &seen, 0), GM_E_END, world->err);
    gm_stream_stir(world->stream);
    check_rc(gm_stream_wait_news(world->stream, &seen, GM_MINUTE), GM_OK, world->err);
}

/* ---- parcels ---- */

static struct gm_str pack(struct gm_parcel *parcel)
{
    const struct gm_event first = {.key = GM_STR("a"),
                                   .type = GM_STR("t"),
                                   .origin = GM_STR("gw"),
                                   .id = GM_STR("x"),
                                   .sequence = 9,
                                   .time = -3,
                                   .body = GM_STR("{\"v\":1}")};
    const struct gm_event second = {.key = GM_STR("b"), .time = 4, .body = GM_STR("[]")};
    const struct gm_link link = {GM_STR("edge/s/1/0"), 41, 40};
    struct gm_str bytes;
    gm_parcel_begin(parcel);
    gm_parcel_add(parcel, &first, 1);
    gm_parcel_add(parcel, &second, 1);
    gm_parcel_add(parcel, NULL, 0);
    assert_int_equal(gm_parcel_count(parcel), 2);
    gm_parcel_end(parcel, &link, &bytes);
    return bytes;
}

static void a_parcel_keeps_all_of_its_events(void **state)
{
    struct world *world = *state;
    struct gm_parcel *parcel = gm_parcel_new();
    struct gm_unpacker *unpacker = gm_unpacker_new();
    struct gm_received got;
    const struct gm_events *events;
    check_ok(gm_parcel_read(pack(parcel), &got, &world->err), world->err);
    check_str(got.link.name, "edge/s/1/0");
    assert_int_equal(got.link.first, 41);
    assert_int_equal(got.link.after, 40);
    check_ok(gm_unpacker_unpack(unpacker, &got.chunk, &events, &world->err), world->err);
    assert_int_equal(events->n, 2);
    check_str(events->at[0].id, "x");
    check_str(events->at[0].origin, "gw");
    assert_int_equal(events->at[0].sequence, 9);
    assert_int_equal(events->at[0].time, -3);
    assert_int_equal(events->at[0].offset, 41);
    check_str(events->at[1].key, "b");
    assert_int_equal(events->at[1].origin.n, 0);
    check_str(events->at[1].body, "[]");
    gm_unpacker_free(unpacker);
    gm_parcel_free(parcel);
}

static void any_byte_that_is_changed_or_cut_off_is_noticed(void **state)
{
    struct world *world = *state;
    struct gm_parcel *parcel = gm_parcel_new();
    struct gm_str bytes = pack(parcel);
    struct gm_received got;
    GM_AUTO_FREE char *copy = gm_str_dup_z(bytes);
    for (size_t i = 0; i < bytes.n; i++) {
        copy[i] = (char)(copy[i] ^ 0x10);
        check_rc(gm_parcel_read((struct gm_str){copy, bytes.n}, &got, &world->err), GM_E_INVALID,
                 world->err);
        copy[i] = (char)(copy[i] ^ 0x10);
        check_rc(gm_parcel_read((struct gm_str){copy, i}, &got, &world->err), GM_E_INVALID,
                 world->err);
    }
    gm_parcel_free(parcel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(what_a_link_brings_again_is_passed_over_also_after_a_restart),
        T(links_hide_nothing_of_each_other),
        T(a_gap_is_refused_unless_it_is_known_to_be_lost),
        T(offsets_that_cannot_be_are_refused),
        T(a_stream_made_anew_has_another_identity),
        T(cursors_of_consumers_are_kept),
        T(retention_waits_for_who_is_held_for_up_to_its_bound),
        T(a_bound_of_what_is_held_takes_nothing_that_retention_leaves),
        T(who_waits_for_news_hears_of_commits_and_is_stirred),
        T(a_parcel_keeps_all_of_its_events),
        T(any_byte_that_is_changed_or_cut_off_is_noticed),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
