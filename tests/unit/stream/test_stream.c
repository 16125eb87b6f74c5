/* Streams: what was taken is there once, in order, whatever happens around it. */
#include "stream/stream.h"

#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/vec.h"
#include "db/db.h"
#include "os/thread.h"
#include "support/check.h"
#include "support/tmp.h"

struct world {
    struct tmp *tmp;
    struct gm_clock clock;
    gm_ns now;
    struct gm_stream_options options;
    struct gm_stream *stream;
    struct gm_arena *arena;
    struct gm_err err;
};

static gm_ns world_now(const struct gm_clock *clock)
{
    return ((struct world *)clock->self)->now;
}

static void open_stream(struct world *world)
{
    check_ok(gm_stream_open(&world->options, &world->stream, &world->err), world->err);
}

static void reopen(struct world *world)
{
    gm_stream_close(world->stream);
    world->stream = NULL;
    open_stream(world);
}

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    world->tmp = tmp_new();
    world->now = 1000 * GM_SECOND;
    world->clock = (struct gm_clock){.wall = world_now, .mono = world_now, .self = world};
    world->options = (struct gm_stream_options){
        .path_z = gm_strdup_z(tmp_path(world->tmp, "streams/s.db")), .clock = &world->clock};
    world->arena = gm_arena_new(1 << 30);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_stream_close(world->stream);
    gm_free((char *)(uintptr_t)world->options.path_z);
    gm_arena_free(world->arena);
    tmp_free(world->tmp);
    gm_free(world);
    return 0;
}

/* "KEY ORIGIN SEQUENCE": `-` is none. */
static struct gm_event make(struct world *world, const char *text_z)
{
    struct gm_str key, origin, sequence, rest;
    assert_true(gm_str_cut(gm_str_z(text_z), ' ', &key, &rest));
    assert_true(gm_str_cut(rest, ' ', &origin, &sequence));
    struct gm_event event = {.key = gm_arena_dup(world->arena, key),
                             .origin = gm_arena_dup(world->arena, origin),
                             .body = gm_arena_format(world->arena, "{\"of\":\"%s\"}", text_z),
                             .time = 5};
    event.origin.n = gm_str_is(origin, "-") ? 0 : event.origin.n;
    if (sequence.p[0] == '#') {
        event.id = gm_arena_dup(world->arena, (struct gm_str){sequence.p + 1, sequence.n - 1});
    } else if (!gm_str_is(sequence, "-")) {
        int64_t number;
        assert_true(gm_parse_i64(sequence, &number));
        event.sequence = (uint64_t)number;
    }
    return event;
}

/* Events separated by ','; how many were new. */
static size_t append(struct world *world, const char *list_z)
{
    GM_VEC(struct gm_event) events = {0};
    struct gm_str rest = gm_str_z(list_z), item;
    while (rest.n > 0) {
        (void)gm_str_cut(rest, ',', &item, &rest);
        GM_AUTO_FREE char *item_z = gm_str_dup_z(item);
        *gm_vec_push(&events) = make(world, item_z);
    }
    struct gm_append append = {.events = events.at, .count = events.n};
    check_ok(gm_stream_append(world->stream, &append, NULL, &world->err), world->err);
    assert_int_equal(append.appended + append.duplicates, events.n);
    gm_vec_deinit(&events);
    return append.appended;
}

/* Keys in order, with their offsets: "a0 b1 ". */
static const char *keys_of(struct world *world, int partition)
{
    struct gm_stream_reader *reader;
    struct gm_buf text;
    const struct gm_event *events;
    size_t count;
    gm_rc rc;
    gm_buf_init(&text, 1 << 24);
    const struct gm_stream_place from = {partition, -1};
    check_ok(gm_stream_reader_open(world->stream, &from, &reader, &world->err), world->err);
    while ((rc = gm_stream_read(reader, &events, &count, &world->err)) == GM_OK) {
        for (size_t i = 0; i < count; i++) {
            gm_buf_addf(&text, GM_STR_FMT "%lld ", GM_STR_ARG(events[i].key),
                        (long long)events[i].offset);
        }
    }
    check_rc(rc, GM_E_END, world->err);
    gm_stream_reader_close(reader);
    const char *copy_z = gm_arena_dup(world->arena, text.n > 0 ? gm_buf_str(&text) : GM_STR("")).p;
    gm_buf_deinit(&text);
    return copy_z;
}

/* ---- taking ---- */

static void events_come_out_in_order_with_all_they_had(void **state)
{
    struct world *world = *state;
    open_stream(world);
    struct gm_event events[] = {
        {.key = GM_STR("m1"),
         .type = GM_STR("Telemetry"),
         .origin = GM_STR("edge"),
         .sequence = 7,
         .id = GM_STR("x"),
         .time = -3,
         .body = GM_STR("{\"t\":1.5}")},
        {.key = GM_STR("m2"),
         .type = GM_STR("Telemetry"),
         .origin = GM_STR("edge"),
         .sequence = 9,
         .time = 12345678901234567,
         .body = GM_STR("null")},
        {.key = GM_STR("m1"), .body = GM_STR("[]")},
    };
    int64_t offsets[3];
    struct gm_append append = {.events = events, .count = 3, .offsets = offsets};
    check_ok(gm_stream_append(world->stream, &append, NULL, &world->err), world->err);
    assert_int_equal(append.appended, 3);
    assert_int_equal(offsets[2], 2);
    reopen(world);
    struct gm_stream_reader *reader;
    const struct gm_event *got;
    size_t count;
    const struct gm_stream_place from = {0, 1};
    check_ok(gm_stream_reader_open(world->stream, &from, &reader, &world->err), world->err);
    check_ok(gm_stream_read(reader, &got, &count, &world->err), world->err);
    assert_int_equal(count, 2);
    check_str(got[0].key, "m2");
    check_str(got[0].type, "Telemetry");
    check_str(got[0].origin, "edge");
    assert_int_equal(got[0].sequence, 9);
    assert_int_equal(got[0].id.n, 0);
    assert_int_equal(got[0].time, 12345678901234567);
    assert_int_equal(got[0].offset, 1);
    assert_int_equal(got[0].appended, world->now);
    check_str(got[1].body, "[]");
    assert_int_equal(got[1].time, world->now); /* it said none */
    assert_int_equal(got[1].type.n, 0);
    check_rc(gm_stream_read(reader, &got, &count, &world->err), GM_E_END, world->err);
    gm_stream_seek(reader, 0);
    check_ok(gm_stream_read(reader, &got, &count, &world->err), world->err);
    assert_int_equal(got[0].time, -3);
    check_str(got[0].id, "x");
    gm_stream_reader_close(reader);
}

static void what_was_taken_before_is_passed_over(void **state)
{
    struct world *world = *state;
    open_stream(world);
    assert_int_equal(append(world, "a e 1,b e 2,a e 1,c e 5,d e 4,d e 4"), 4);
    assert_int_equal(append(world, "x e 3,y e 4,z f 1"), 2);
    assert_int_equal(append(world, "p - #id1,q - #id2,p - #id1,r g #id1"), 3);
    check_str(gm_str_z(keys_of(world, 0)), "a0 b1 c2 d3 x4 z5 p6 q7 r8 ");
    reopen(world); /* it is known from the events themselves */
    assert_int_equal(append(world, "x e 3,y e 6,p - #id1,q - #id2,n - #id3"), 2);
    check_str(gm_str_z(keys_of(world, 0)), "a0 b1 c2 d3 x4 z5 p6 q7 r8 y9 n10 ");
}

static void sequences_far_below_the_highest_are_passed_over(void **state)
{
    struct world *world = *state;
    open_stream(world);
    char text[64];
    assert_int_equal(append(world, "a e 10"), 1);
    snprintf(text, sizeof(text), "b e %d", 10 + GM_STREAM_REORDER_MAX - 1);
    assert_int_equal(append(world, text), 1);
    assert_int_equal(append(world, "c e 10"), 0);
    assert_int_equal(append(world, "c e 11"), 1);
    snprintf(text, sizeof(text), "d e %d", 100000);
    assert_int_equal(append(world, text), 1);
    snprintf(text, sizeof(text), "d e %d", 100000 - GM_STREAM_REORDER_MAX);
    assert_int_equal(append(world, text), 0);
    snprintf(text, sizeof(text), "d e %d", 100000 - GM_STREAM_REORDER_MAX + 1);
    assert_int_equal(append(world, text), 1);
}

/* More than GM_STREAM_IDS_MAX / 2 events: what is known of origins has gone to its table. */
static void origins_of_long_ago_are_known_after_opening(void **state)
{
    enum { MANY = GM_STREAM_IDS_MAX / 2 + 1000 };
    struct world *world = *state;
    open_stream(world);
    assert_int_equal(append(world, "a early 7,b - 3"), 2);
    struct gm_event *events = gm_alloc_array(MANY, sizeof(events[0]));
    for (int i = 0; i < MANY; i++) {
        events[i] = (struct gm_event){.key = GM_STR("k"),
                                      .origin = GM_STR("late"),
                                      .sequence = (uint64_t)i + 1,
                                      .body = GM_STR("1")};
    }
    for (int round = 0; round < 3; round++) {
        struct gm_append bulk = {.events = events, .count = MANY, .checked = true};
        check_ok(gm_stream_append(world->stream, &bulk, NULL, &world->err), world->err);
        assert_int_equal(bulk.appended, round < 2 ? MANY : 0);
        for (int i = 0; i < MANY && round == 0; i++) {
            events[i].origin = GM_STR("later");
        }
        reopen(world);
        assert_int_equal(append(world, "a early 7,b - 3"), 0);
    }
    gm_free(events);
    assert_int_equal(append(world, "a early 8,b - 2"), 2);
}

static void keys_keep_their_order_within_their_partition(void **state)
{
    struct world *world = *state;
    world->options.partitions = 4;
    open_stream(world);
    char text[64];
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof(text), "k%d e %d", i % 10, i + 1);
        assert_int_equal(append(world, text), 1);
    }
    size_t all = 0, used = 0;
    for (int p = 0; p < 4; p++) {
        struct gm_stream_info info;
        check_ok(gm_stream_info(world->stream, p, &info, &world->err), world->err);
        all += (size_t)info.next;
        used += info.next > 0;
        assert_true(info.chunks < GM_STREAM_TAIL_MAX + 2);
    }
    assert_int_equal(all, 200);
    assert_true(used > 1);
    reopen(world);
    assert_int_equal(gm_stream_partitions(world->stream), 4);
    gm_stream_close(world->stream);
    world->stream = NULL;
    world->options.partitions = 2;
    check_rc(gm_stream_open(&world->options, &world->stream, &world->err), GM_E_CONFIG, world->err);
    check_err_says(world->err, "made with 4 partitions, not 2");
}

static void wrong_events_are_refused_before_anything_is_taken(void **state)
{
    struct world *world = *state;
    open_stream(world);
    struct gm_event good = {.key = GM_STR("k"), .body = GM_STR("{}")};
    struct gm_event wrong[] = {{.key = GM_STR(""), .body = GM_STR("{}")},
                               {.key = GM_STR("k"), .body = GM_STR("{")},
                               {.key = GM_STR("k"), .body = GM_STR("")}};
    const char *says[] = {"event 2: its key has 0 bytes", "event 2: its body", "event 2: its body"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(wrong); i++) {
        struct gm_event events[] = {good, wrong[i]};
        struct gm_append append = {.events = events, .count = 2};
        check_rc(gm_stream_append(world->stream, &append, NULL, &world->err), GM_E_INVALID,
                 world->err);
        check_err_says(world->err, says[i]);
    }
    check_str(gm_str_z(keys_of(world, 0)), "");
}

static void an_entity_that_moved_is_not_written(void **state)
{
    struct world *world = *state;
    world->options.versions = true;
    open_stream(world);
    struct gm_event events[] = {{.key = GM_STR("machine-1"), .body = GM_STR("{}")},
                                {.key = GM_STR("machine-1"), .body = GM_STR("{}")}};
    const struct {
        int64_t expected, version;
        bool moved;
    } cases[] = {{0, 2, false}, {0, 2, true}, {3, 2, true}, {2, 4, false}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_append append = {
            .events = events, .count = 2, .expects = true, .expected = cases[i].expected};
        check_ok(gm_stream_append(world->stream, &append, NULL, &world->err), world->err);
        assert_int_equal(append.moved, cases[i].moved);
        assert_int_equal(append.version, cases[i].version);
        reopen(world);
    }
    int64_t version;
    check_ok(gm_stream_version(world->stream, GM_STR("machine-1"), &version, &world->err),
             world->err);
    assert_int_equal(version, 4);
}

/* ---- chunks ---- */

static void small_appends_end_up_in_few_chunks(void **state)
{
    struct world *world = *state;
    open_stream(world);
    char text[64];
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "k e %d", i + 1);
        assert_int_equal(append(world, text), 1);
    }
    struct gm_stream_info info;
    check_ok(gm_stream_info(world->stream, 0, &info, &world->err), world->err);
    assert_int_equal(info.next, 1000);
    assert_true(info.chunks <= GM_STREAM_TAIL_MAX);
    assert_true(info.data_bytes < info.body_bytes);
    const char *before_z = keys_of(world, 0);
    reopen(world);
    check_str(gm_str_z(keys_of(world, 0)), before_z);
}

static void count_damage(void *ctx, const struct gm_stream_damage *damage)
{
    struct gm_stream_damage *last = ctx;
    assert_int_equal(last->count, 0);
    *last = *damage;
    last->text_z = NULL;
}

static void damage_is_found_named_and_never_served(void **state)
{
    struct world *world = *state;
    open_stream(world);
    assert_int_equal(append(world, "a e 1,b e 2"), 2);
    assert_int_equal(append(world, "c e 3,d e 4,e e 5"), 3);
    assert_int_equal(append(world, "f e 6"), 1);
    gm_stream_close(world->stream);
    world->stream = NULL;
    struct gm_db *db;
    GM_AUTO_FREE char *url_z = gm_format_z("sqlite:%s", world->options.path_z);
    check_ok(
        gm_db_open(&(struct gm_db_options){.url_z = url_z, .mode = GM_DB_WRITE}, &db, &world->err),
        world->err);
    check_ok(
        gm_db_exec(db,
                   "UPDATE chunks SET data = CAST(substr(data, 1, length(data) - 3) || x'00ff01' "
                   "AS BLOB) WHERE place = 2",
                   &world->err),
        world->err);
    gm_db_close(db);
    struct gm_stream_damage damage = {0};
    check_ok(gm_stream_check(world->options.path_z, count_damage, &damage, &world->err),
             world->err);
    assert_int_equal(damage.first, 2);
    assert_int_equal(damage.count, 3);
    open_stream(world);
    struct gm_stream_reader *reader;
    const struct gm_event *events;
    size_t count;
    const struct gm_stream_place from = {0, 0};
    check_ok(gm_stream_reader_open(world->stream, &from, &reader, &world->err), world->err);
    check_ok(gm_stream_read(reader, &events, &count, &world->err), world->err);
    assert_int_equal(count, 2);
    for (int i = 0; i < 2; i++) {
        check_rc(gm_stream_read(reader, &events, &count, &world->err), GM_E_CORRUPT, world->err);
        check_err_says(world->err, "partition 0, chunk of events 2 to 4 is damaged");
    }
    gm_stream_skip_damaged(reader);
    check_ok(gm_stream_read(reader, &events, &count, &world->err), world->err);
    check_str(events[0].key, "f");
    gm_stream_reader_close(reader);
    assert_int_equal(append(world, "g e 7"), 1);
}

static void retention_takes_the_oldest_chunks_and_says_so(void **state)
{
    struct world *world = *state;
    world->options.retain_age = 100 * GM_SECOND;
    open_stream(world);
    int64_t gone;
    assert_int_equal(append(world, "a e 1"), 1);
    world->now += 90 * GM_SECOND;
    assert_int_equal(append(world, "b e 2"), 1);
    check_ok(gm_stream_trim(world->stream, &gone, &world->err), world->err);
    assert_int_equal(gone, 0);
    world->now += 20 * GM_SECOND;
    check_ok(gm_stream_trim(world->stream, &gone, &world->err), world->err);
    assert_int_equal(gone, 1);
    check_str(gm_str_z(keys_of(world, 0)), "b1 ");
    struct gm_stream_reader *reader;
    const struct gm_event *events;
    size_t count;
    const struct gm_stream_place from = {0, 0};
    check_ok(gm_stream_reader_open(world->stream, &from, &reader, &world->err), world->err);
    check_rc(gm_stream_read(reader, &events, &count, &world->err), GM_E_LIMIT, world->err);
    check_err_says(world->err, "event 0 is no longer kept; the oldest is 1");
    gm_stream_reader_close(reader);
    reopen(world); /* what went is still known to have been taken */
    assert_int_equal(append(world, "b e 2,c e 3"), 1);
    check_str(gm_str_z(keys_of(world, 0)), "b1 c2 ");
}

/* ---- readers beside the writer ---- */

struct follower {
    struct world *world;
    struct gm_stream_reader *reader;
    int64_t seen;
    int64_t wanted;
};

static void follow(void *arg)
{
    struct follower *follower = arg;
    const struct gm_event *events;
    size_t count;
    struct gm_err err;
    while (follower->seen < follower->wanted &&
           gm_stream_wait(follower->reader, 20 * GM_SECOND) == GM_OK) {
        while (gm_stream_read(follower->reader, &events, &count, &err) == GM_OK) {
            for (size_t i = 0; i < count; i++) {
                follower->seen += events[i].offset == follower->seen;
            }
        }
    }
}

struct producer {
    struct gm_stream *stream;
    const char *origin_z;
    int count;
    gm_rc rc;
};

static void produce(void *arg)
{
    struct producer *producer = arg;
    for (int i = 0; i < producer->count && producer->rc == GM_OK; i++) {
        struct gm_event event = {.key = gm_str_z(producer->origin_z),
                                 .origin = gm_str_z(producer->origin_z),
                                 .sequence = (uint64_t)i + 1,
                                 .body = GM_STR("{\"value\":1}")};
        struct gm_append append = {.events = &event, .count = 1};
        struct gm_err err;
        producer->rc = gm_stream_append(producer->stream, &append, NULL, &err);
    }
}

static void many_producers_share_commits_and_followers_see_all(void **state)
{
    enum { PRODUCERS = 8, EACH = 100 };
    struct world *world = *state;
    world->options.clock = gm_clock_system();
    open_stream(world);
    static const char *const names[PRODUCERS] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct follower follower = {.world = world, .wanted = PRODUCERS * EACH};
    struct producer producers[PRODUCERS];
    struct gm_thread *threads[PRODUCERS], *thread;
    const struct gm_stream_place from = {0, 0};
    check_ok(gm_stream_reader_open(world->stream, &from, &follower.reader, &world->err),
             world->err);
    check_ok(gm_thread_start("follow", follow, &follower, &thread, &world->err), world->err);
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){world->stream, names[i], EACH, GM_OK};
        check_ok(gm_thread_start("produce", produce, &producers[i], &threads[i], &world->err),
                 world->err);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        gm_thread_join(threads[i]);
        assert_int_equal(producers[i].rc, GM_OK);
    }
    gm_thread_join(thread);
    assert_int_equal(follower.seen, PRODUCERS * EACH);
    gm_stream_reader_close(follower.reader);
}

static void another_process_can_look(void **state)
{
    struct world *world = *state;
    open_stream(world);
    assert_int_equal(append(world, "a e 1"), 1);
    struct gm_stream *owner = world->stream;
    struct gm_stream_options options = world->options;
    options.read_only = true;
    check_ok(gm_stream_open(&options, &world->stream, &world->err), world->err);
    check_str(gm_str_z(keys_of(world, 0)), "a0 ");
    struct gm_append append = {0};
    struct gm_event event = {.key = GM_STR("b"), .body = GM_STR("1")};
    append.events = &event;
    append.count = 1;
    check_rc(gm_stream_submit(world->stream, &append, &world->err), GM_E_CONFIG, world->err);
    gm_stream_close(world->stream);
    world->stream = owner;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define STREAM_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        STREAM_TEST(events_come_out_in_order_with_all_they_had),
        STREAM_TEST(what_was_taken_before_is_passed_over),
        STREAM_TEST(sequences_far_below_the_highest_are_passed_over),
        STREAM_TEST(origins_of_long_ago_are_known_after_opening),
        STREAM_TEST(keys_keep_their_order_within_their_partition),
        STREAM_TEST(wrong_events_are_refused_before_anything_is_taken),
        STREAM_TEST(an_entity_that_moved_is_not_written),
        STREAM_TEST(small_appends_end_up_in_few_chunks),
        STREAM_TEST(damage_is_found_named_and_never_served),
        STREAM_TEST(retention_takes_the_oldest_chunks_and_says_so),
        STREAM_TEST(many_producers_share_commits_and_followers_see_all),
        STREAM_TEST(another_process_can_look),
#undef STREAM_TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
