/* Entities: states are what events come to, receipts say what became of an append. */
#include "stream/entity.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "stream/receipt.h"
#include "support/check.h"
#include "support/faultvfs.h"
#include "support/tmp.h"

struct world {
    struct tmp *tmp;
    char *path_z;
    const char *vfs_z; /* NULL: SQLite's own */
    struct gm_stream *stream;
    struct gm_arena *arena;
    struct gm_err err;
};

static void open_stream(struct world *world, bool merges)
{
    gm_stream_close(world->stream);
    world->stream = NULL;
    const struct gm_stream_options options = {.path_z = world->path_z,
                                              .partitions = 2,
                                              .versions = true,
                                              .merges = merges,
                                              .clock = gm_clock_system(),
                                              .vfs_z = world->vfs_z};
    check_ok(gm_stream_open(&options, &world->stream, &world->err), world->err);
}

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    world->tmp = tmp_new();
    world->path_z = gm_strdup_z(tmp_path(world->tmp, "s.db"));
    world->arena = gm_arena_new(1 << 20);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_stream_close(world->stream);
    gm_arena_free(world->arena);
    gm_free(world->path_z);
    tmp_free(world->tmp);
    gm_free(world);
    return 0;
}

static void append(struct world *world, const char *key_z, struct gm_str body)
{
    const struct gm_event event = {.key = gm_str_z(key_z), .body = body};
    struct gm_append one = {.events = &event, .count = 1, .checked = true};
    check_ok(gm_stream_append(world->stream, &one, NULL, &world->err), world->err);
    assert_int_equal(one.appended, 1);
}

static void check_state(struct world *world, const char *key_z, int64_t version, const char *state)
{
    struct gm_entity *entity;
    const struct gm_entity_query query = {.key = gm_str_z(key_z), .after = -1, .limit = 1000};
    check_ok(gm_entity_open(world->stream, &query, &entity, &world->err), world->err);
    assert_int_equal(entity->version, version);
    assert_int_equal(entity->count, 0);
    assert_true(entity->merges);
    check_str(entity->merged, state);
    gm_entity_close(entity);
}

static void bodies_are_merged_in_the_commit_of_their_events(void **state)
{
    struct world *world = *state;
    open_stream(world, true);
    const struct gm_event events[] = {
        {.key = GM_STR("a"), .body = GM_STR("{\"x\":1,\"in\":{\"y\":1,\"z\":2}}")},
        {.key = GM_STR("b"), .body = GM_STR("[1]")},
        {.key = GM_STR("a"), .body = GM_STR("{\"x\":null,\"in\":{\"y\":5},\"w\":[1,{}]}")},
        {.key = GM_STR("b"), .body = GM_STR("{\"n\":{\"m\":null}}")},
        /* a name that comes twice: the last counts */
        {.key = GM_STR("a"), .body = GM_STR("{\"w\":1,\"w\":2}")},
    };
    struct gm_append all = {.events = events, .count = 5, .checked = true};
    check_ok(gm_stream_append(world->stream, &all, NULL, &world->err), world->err);
    check_state(world, "a", 3, "{\"in\":{\"y\":5,\"z\":2},\"w\":2}");
    check_state(world, "b", 2, "{\"n\":{}}");
    open_stream(world, true);
    append(world, "a", GM_STR("{\"in\":7}"));
    check_state(world, "a", 4, "{\"in\":7,\"w\":2}");
    check_state(world, "none", 0, "");
}

static void what_came_before_the_stream_merged_is_caught_up_with(void **state)
{
    struct world *world = *state;
    char body[64];
    open_stream(world, false);
    for (int i = 0; i < 700; i++) {
        snprintf(body, sizeof(body), "{\"n\":%d,\"m%d\":%d}", i, i % 3, i);
        append(world, i % 2 == 0 ? "a" : "b", gm_str_z(body));
    }
    open_stream(world, true);
    append(world, "a", GM_STR("{\"n\":null}"));
    check_state(world, "a", 351, "{\"m0\":696,\"m2\":698,\"m1\":694}");
    append(world, "a", GM_STR("{\"m0\":null,\"m1\":null}"));
    check_state(world, "a", 352, "{\"m2\":698}");
    check_state(world, "b", 350, "{\"n\":699,\"m1\":697,\"m0\":699,\"m2\":695}");
    open_stream(world, false);
    append(world, "a", GM_STR("{\"later\":1}"));
    open_stream(world, true);
    check_state(world, "a", 353, "{\"m2\":698,\"later\":1}");
}

static void a_state_that_is_too_large_is_said_to_be_unknown(void **state)
{
    struct world *world = *state;
    struct gm_buf body;
    open_stream(world, true);
    gm_buf_init(&body, 1 << 20);
    append(world, "a", GM_STR("{\"x\":1}"));
    for (int i = 0; i < 2; i++) {
        gm_buf_reset(&body);
        gm_buf_addf(&body, "{\"long%d\":\"", i);
        for (int k = 0; k < 40000; k++) {
            gm_buf_add_char(&body, 'x');
        }
        gm_buf_add_z(&body, "\"}");
        append(world, "a", gm_buf_str(&body));
    }
    gm_buf_deinit(&body);
    check_state(world, "a", 3, "");
    /* it fits again, but only those who fold it know */
    append(world, "a", GM_STR("{\"long0\":null,\"long1\":null}"));
    check_state(world, "a", 4, "{\"x\":1}");
    append(world, "b", GM_STR("{}"));
    check_state(world, "b", 1, "{}");
}

static void a_stream_that_merges_takes_no_snapshots(void **state)
{
    struct world *world = *state;
    open_stream(world, true);
    append(world, "a", GM_STR("{}"));
    const struct gm_stream_snapshot snapshot = {GM_STR("a"), 1, GM_STR("{}")};
    struct gm_append put = {.snapshot = &snapshot};
    check_rc(gm_stream_append(world->stream, &put, NULL, &world->err), GM_E_CONFIG, world->err);
}

static void an_append_says_the_version_that_its_key_has_then(void **state)
{
    struct world *world = *state;
    open_stream(world, false);
    for (int i = 1; i <= 3; i++) {
        const struct gm_event event = {
            .key = GM_STR("a"), .body = GM_STR("{}"), .id = i < 3 ? GM_STR("") : GM_STR("i")};
        struct gm_append one = {.events = &event, .count = 1};
        check_ok(gm_stream_append(world->stream, &one, NULL, &world->err), world->err);
        assert_int_equal(one.version, i);
        if (i == 3) { /* once more: nothing is appended, the version stays */
            one.events = &event;
            check_ok(gm_stream_append(world->stream, &one, NULL, &world->err), world->err);
            assert_int_equal(one.duplicates, 1);
            assert_int_equal(one.version, 3);
        }
    }
}

static void a_receipt_tells_what_became_of_an_append(void **state)
{
    struct world *world = *state;
    open_stream(world, false);
    append(world, "a", GM_STR("{}"));
    struct gm_stream_receipt receipt = {.name = GM_STR("me/k"), .hash = UINT64_MAX - 1};
    struct gm_stream_receipt found = receipt;
    check_rc(gm_stream_receipt_find(world->stream, world->arena, &found, &world->err), GM_E_END,
             world->err);
    const struct gm_event event = {
        .key = GM_STR("a"), .origin = GM_STR("me"), .id = GM_STR("k"), .body = GM_STR("{}")};
    int64_t offset;
    for (int i = 0; i < 2; i++) {
        struct gm_append one = {
            .events = &event, .count = 1, .receipt = &receipt, .offsets = &offset};
        check_ok(gm_stream_append(world->stream, &one, NULL, &world->err), world->err);
        assert_int_equal(one.appended, 1 - i);
        append(world, "a", GM_STR("{}"));
        open_stream(world, false);
    }
    check_ok(gm_stream_receipt_find(world->stream, world->arena, &found, &world->err), world->err);
    check_str(found.key, "a");
    assert_true(found.hash == UINT64_MAX - 1);
    assert_int_equal(found.version, 2);
    assert_int_equal(found.offset, 1);
    assert_int_equal(found.partition, gm_stream_partition(world->stream, GM_STR("a")));
    const struct gm_event two[] = {event, event};
    struct gm_append wrong = {.events = two, .count = 2, .receipt = &receipt};
    check_rc(gm_stream_append(world->stream, &wrong, NULL, &world->err), GM_E_INVALID, world->err);
}

/* Until one fails; how many were acknowledged. */
static int append_named(struct world *world, int count)
{
    for (int i = 0; i < count; i++) {
        char body[32], name[16];
        snprintf(body, sizeof(body), "{\"n\":%d}", i);
        snprintf(name, sizeof(name), "k%d", i);
        const struct gm_stream_receipt receipt = {.name = gm_str_z(name)};
        const struct gm_event event = {
            .key = GM_STR("a"), .body = gm_str_z(body), .id = gm_str_z(name)};
        struct gm_append one = {.events = &event, .count = 1, .checked = true, .receipt = &receipt};
        if (gm_stream_append(world->stream, &one, NULL, &world->err) != GM_OK) {
            return i;
        }
    }
    return count;
}

/* State, version and receipts are of the same events, and none that was acknowledged is missing. */
static void check_whole(struct world *world, int acknowledged, int count)
{
    int64_t version;
    char state[32] = "";
    check_ok(gm_stream_version(world->stream, GM_STR("a"), &version, &world->err), world->err);
    assert_true(version >= acknowledged && version <= count);
    if (version > 0) {
        snprintf(state, sizeof(state), "{\"n\":%d}", (int)version - 1);
    }
    check_state(world, "a", version, state);
    for (int i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof(name), "k%d", i);
        struct gm_stream_receipt found = {.name = gm_str_z(name)};
        gm_rc rc = gm_stream_receipt_find(world->stream, world->arena, &found, &world->err);
        check_rc(rc, i < version ? GM_OK : GM_E_END, world->err);
        assert_true(rc != GM_OK || found.version == i + 1);
    }
}

static void states_and_receipts_survive_every_failure_and_power_cut(void **state)
{
    enum { COUNT = 6 };
    struct world *world = *state;
    bool happened = true;
    for (uint64_t at = 1; happened; at++) {
        struct faultvfs *disk = faultvfs_new("gemel-entity-disk");
        GM_AUTO_FREE char *path_z = gm_format_z("%s-%d", world->path_z, (int)at);
        char *plain_z = world->path_z;
        world->path_z = path_z;
        world->vfs_z = "gemel-entity-disk";
        open_stream(world, true);
        if (at % 2 == 0) {
            faultvfs_fail_at(disk, at / 2, FAULTVFS_IO_ERROR);
        } else {
            faultvfs_cut_at(disk, at / 2 + 1, at);
        }
        int acknowledged = append_named(world, COUNT);
        happened = faultvfs_happened(disk) || at < 4;
        gm_stream_close(world->stream);
        world->stream = NULL;
        faultvfs_restore(disk);
        world->vfs_z = NULL;
        open_stream(world, true);
        check_whole(world, acknowledged, COUNT);
        gm_stream_close(world->stream);
        world->stream = NULL;
        world->path_z = plain_z;
        faultvfs_free(disk);
    }
}

int main(void)
{
#define ENTITY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        ENTITY_TEST(bodies_are_merged_in_the_commit_of_their_events),
        ENTITY_TEST(what_came_before_the_stream_merged_is_caught_up_with),
        ENTITY_TEST(a_state_that_is_too_large_is_said_to_be_unknown),
        ENTITY_TEST(a_stream_that_merges_takes_no_snapshots),
        ENTITY_TEST(an_append_says_the_version_that_its_key_has_then),
        ENTITY_TEST(a_receipt_tells_what_became_of_an_append),
        ENTITY_TEST(states_and_receipts_survive_every_failure_and_power_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
