/* Consumers of all partitions, and entities: nothing is missed, nothing comes twice. */
#include "stream/follow.h"

#include "base/arena.h"
#include "base/mem.h"
#include "stream/entity.h"
#include "support/check.h"
#include "support/tmp.h"

struct world {
    struct tmp *tmp;
    struct gm_clock clock;
    gm_ns now;
    size_t pad; /* bytes that each body has more */
    struct gm_stream_options options;
    struct gm_stream *stream;
    struct gm_arena *arena;
    struct gm_err err;
};

static gm_ns world_now(const struct gm_clock *clock)
{
    return ((struct world *)clock->self)->now;
}

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    world->tmp = tmp_new();
    world->now = 1000 * GM_SECOND;
    world->clock = (struct gm_clock){.wall = world_now, .mono = world_now, .self = world};
    world->options =
        (struct gm_stream_options){.path_z = gm_strdup_z(tmp_path(world->tmp, "streams/s.db")),
                                   .partitions = 3,
                                   .versions = true,
                                   .clock = &world->clock};
    world->arena = gm_arena_new(1 << 30);
    check_ok(gm_stream_open(&world->options, &world->stream, &world->err), world->err);
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

/* `count` events of the keys k0, k1, … in turn, whose bodies are numbers from `first` on;
 * each happened at the second behind its number. */
static void append(struct world *world, int keys, int64_t first, int64_t count)
{
    struct gm_event *events = gm_alloc_array((size_t)count, sizeof(*events));
    for (int64_t i = 0; i < count; i++) {
        events[i].key = gm_arena_format(world->arena, "k%d", (int)((first + i) % keys));
        events[i].body =
            gm_arena_format(world->arena, "%*s%lld", (int)world->pad, "", (long long)(first + i));
        events[i].time = (1 + first + i) * GM_SECOND;
    }
    struct gm_append one = {.events = events, .count = (size_t)count, .checked = true};
    check_ok(gm_stream_append(world->stream, &one, NULL, &world->err), world->err);
    gm_free(events);
}

static struct gm_stream_follow *follow_from(struct world *world, const char *cursor_z)
{
    struct gm_stream_cursor cursor;
    struct gm_stream_follow *follow;
    check_ok(gm_stream_cursor_parse(gm_str_z(cursor_z), 3, &cursor, &world->err), world->err);
    check_ok(gm_stream_follow_open(world->stream, &cursor, &follow, &world->err), world->err);
    return follow;
}

/* The numbers of all that is there, added up; pages of 7, of which 2 are read again. */
static int64_t sum_of(struct world *world, struct gm_stream_follow *follow)
{
    struct gm_stream_page page;
    int64_t sum = 0;
    gm_rc rc;
    while ((rc = gm_stream_follow_read(follow, 7, &page, &world->err)) == GM_OK) {
        size_t taken = page.count > 4 ? page.count - 2 : page.count;
        for (size_t i = 0; i < taken; i++) {
            int64_t number = 0;
            for (size_t k = 0; k < page.events[i].body.n; k++) {
                number = number * 10 + (page.events[i].body.p[k] - '0');
            }
            sum += number;
        }
        gm_stream_follow_unread(follow, page.count - taken);
    }
    assert_int_equal(rc, GM_E_END);
    return sum;
}

static void a_consumer_goes_on_where_its_cursor_is(void **state)
{
    struct world *world = *state;
    struct gm_buf cursor;
    append(world, 50, 0, 1000);
    struct gm_stream_follow *follow = follow_from(world, "oldest");
    assert_int_equal(gm_stream_follow_lag(follow), 1000);
    assert_int_equal(sum_of(world, follow), 999 * 500);
    assert_int_equal(gm_stream_follow_lag(follow), 0);
    gm_buf_init(&cursor, 1000);
    gm_stream_cursor_write(gm_stream_follow_cursor(follow), &cursor);
    gm_stream_follow_close(follow);
    append(world, 50, 1000, 10);
    follow = follow_from(world, cursor.p);
    assert_int_equal(sum_of(world, follow), 10045);
    gm_stream_follow_close(follow);
    follow = follow_from(world, "newest");
    assert_int_equal(sum_of(world, follow), 0);
    append(world, 50, 7, 1);
    assert_int_equal(gm_stream_follow_wait(follow, GM_MINUTE), GM_OK);
    assert_int_equal(sum_of(world, follow), 7);
    gm_stream_follow_wake(follow);
    assert_int_equal(gm_stream_follow_wait(follow, GM_MINUTE), GM_E_CANCELLED);
    gm_stream_follow_close(follow);
    gm_buf_deinit(&cursor);
}

static void a_consumer_may_begin_at_a_time(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *from_z;
        int64_t sum;
    } cases[] = {
        {"1970-01-01T00:08:21Z", 999 * 500 - 499 * 250},
        {"1970-01-01T00:08:20.5Z", 999 * 500 - 499 * 250},
        {"1969-07-20T20:17:40Z", 999 * 500},
        {"1970-01-01T00:16:40Z", 999},
        {"1970-01-01T00:16:40.001Z", 0},
    };
    for (int64_t first = 0; first < 1000; first += 100) {
        append(world, 50, first, 100);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_stream_follow *follow = follow_from(world, cases[i].from_z);
        assert_int_equal(sum_of(world, follow), cases[i].sum);
        gm_stream_follow_close(follow);
    }
}

static void cursors_that_are_none_are_refused(void **state)
{
    struct world *world = *state;
    static const char *const wrong[] = {"1,2", "1,2,3,4", "1,x,3", "1,2,-2", "1,2,3,", "later"};
    struct gm_stream_cursor cursor;
    for (size_t i = 0; i < GM_ARRAY_COUNT(wrong); i++) {
        check_rc(gm_stream_cursor_parse(gm_str_z(wrong[i]), 3, &cursor, &world->err), GM_E_INVALID,
                 world->err);
    }
}

static struct gm_entity *entity_of(struct world *world, const char *key_z, int64_t after)
{
    struct gm_entity *entity;
    const struct gm_entity_query query = {.key = gm_str_z(key_z), .after = after, .limit = 1000};
    check_ok(gm_entity_open(world->stream, &query, &entity, &world->err), world->err);
    return entity;
}

static void put_snapshot(struct world *world, int64_t version, bool moves)
{
    const struct gm_stream_snapshot snapshot = {GM_STR("k1"), version, GM_STR("{\"x\":1}")};
    struct gm_append append = {.snapshot = &snapshot};
    check_ok(gm_stream_append(world->stream, &append, NULL, &world->err), world->err);
    assert_int_equal(append.moved, moves);
}

static void an_entity_is_its_snapshot_and_the_events_since(void **state)
{
    struct world *world = *state;
    for (int64_t n = 0; n < 40; n++) {
        append(world, 5, n * 10, 10);
    }
    struct gm_entity *entity = entity_of(world, "k1", -1);
    assert_int_equal(entity->version, 80);
    assert_int_equal(entity->count, 80);
    assert_int_equal(entity->first, 1);
    check_str(entity->events[79].body, "396");
    gm_entity_close(entity);
    put_snapshot(world, 81, true);
    put_snapshot(world, 75, false);
    put_snapshot(world, 70, false); /* older: passed over */
    entity = entity_of(world, "k1", -1);
    assert_int_equal(entity->state_version, 75);
    check_str(entity->state, "{\"x\":1}");
    assert_int_equal(entity->count, 5);
    assert_int_equal(entity->first, 76);
    assert_false(entity->trimmed);
    gm_entity_close(entity);
    entity = entity_of(world, "nobody", -1);
    assert_int_equal(entity->version, 0);
    assert_int_equal(entity->count, 0);
    gm_entity_close(entity);
}

static void what_retention_took_of_an_entity_is_said(void **state)
{
    struct world *world = *state;
    gm_stream_close(world->stream);
    world->options.retain_age = 100 * GM_SECOND;
    check_ok(gm_stream_open(&world->options, &world->stream, &world->err), world->err);
    world->pad = 60000; /* so that chunks fill, and are not replaced any more */
    for (int64_t n = 0; n < 40; n++) {
        append(world, 5, n * 10, 10);
        world->now += 10 * GM_SECOND;
    }
    int64_t chunks;
    check_ok(gm_stream_trim(world->stream, &chunks, &world->err), world->err);
    assert_true(chunks > 0);
    struct gm_entity *entity = entity_of(world, "k1", 0);
    assert_int_equal(entity->version, 80);
    assert_true(entity->trimmed);
    assert_true(entity->count > 0 && entity->count < 80);
    assert_int_equal(entity->first + (int64_t)entity->count - 1, 80);
    gm_entity_close(entity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define FOLLOW_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        FOLLOW_TEST(a_consumer_goes_on_where_its_cursor_is),
        FOLLOW_TEST(a_consumer_may_begin_at_a_time),
        FOLLOW_TEST(cursors_that_are_none_are_refused),
        FOLLOW_TEST(an_entity_is_its_snapshot_and_the_events_since),
        FOLLOW_TEST(what_retention_took_of_an_entity_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
