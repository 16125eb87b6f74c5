/* Views kept up with a stream: what they show, when one is made anew, what keys belong to. */
#include "hub/views.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "os/thread.h"
#include "support/check.h"
#include "support/tmp.h"
#include "twin/transfer.h"

enum { WAIT_MS = 20000 };

struct world {
    struct tmp *tmp;
    struct gm_store *store;
    struct gm_stream *stream;
    struct gm_stream_directory directory;
    struct gm_view_value_conf value;
    struct gm_conf_map_entry value_entry, view_entry;
    struct gm_view_conf conf;
    struct gm_conf_map map;
    struct gm_views *views;
    uint64_t sequence;
    struct gm_buf text;
    struct gm_err err;
};

static struct gm_stream *find_stream(void *ctx, struct gm_str name)
{
    struct world *world = ctx;
    return gm_str_is(name, "telemetry") ? world->stream : NULL;
}

static void open_views(struct world *world)
{
    const struct gm_views_options options = {.views = &world->map,
                                             .streams = &world->directory,
                                             .store = world->store,
                                             .folder_z = tmp_path(world->tmp, "data")};
    check_ok(gm_views_open(&options, &world->views, &world->err), world->err);
}

static int setup(void **state)
{
    static const char *as[] = {"count", "sum"};
    struct world *world = gm_alloc(sizeof(*world));
    world->tmp = tmp_new();
    gm_buf_init(&world->text, 16 << 20);
    check_ok(gm_store_open(&(struct gm_store_options){.folder_z = tmp_path(world->tmp, "data")},
                           &world->store, &world->err),
             world->err);
    GM_AUTO_FREE char *path_z = gm_strdup_z(tmp_path(world->tmp, "data/streams/telemetry.db"));
    check_ok(gm_stream_open(&(struct gm_stream_options){.path_z = path_z,
                                                        .partitions = 2,
                                                        .clock = gm_clock_system()},
                            &world->stream, &world->err),
             world->err);
    world->directory = (struct gm_stream_directory){.find = find_stream, .ctx = world};
    world->value = (struct gm_view_value_conf){.as = {as, 2}};
    world->value_entry = (struct gm_conf_map_entry){.name_z = "t", .value = &world->value};
    world->conf = (struct gm_view_conf){.stream = "telemetry",
                                        .by = "$key",
                                        .window = GM_MINUTE,
                                        .values = {&world->value_entry, 1}};
    world->view_entry = (struct gm_conf_map_entry){.name_z = "minutes", .value = &world->conf};
    world->map = (struct gm_conf_map){&world->view_entry, 1};
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_views_close(world->views);
    gm_stream_close(world->stream);
    gm_store_close(world->store);
    gm_buf_deinit(&world->text);
    tmp_free(world->tmp);
    gm_free(world);
    return 0;
}

static void append(struct world *world, int count)
{
    for (int i = 0; i < count; i++) {
        char key[16], body[32];
        uint64_t n = ++world->sequence;
        snprintf(key, sizeof(key), "s%d", (int)(n % 7));
        snprintf(body, sizeof(body), "{\"t\":%d}", (int)(n % 100));
        struct gm_event event = {.key = gm_str_z(key),
                                 .origin = GM_STR("test"),
                                 .sequence = n,
                                 .time = (gm_ns)(n + 1) * GM_SECOND,
                                 .body = gm_str_z(body)};
        struct gm_append one = {.events = &event, .count = 1};
        check_ok(gm_stream_append(world->stream, &one, NULL, &world->err), world->err);
    }
}

/* Until the view has folded everything, and is not made anew. */
static void wait_for_view(struct world *world, size_t index)
{
    struct gm_stop *pause = gm_stop_new();
    struct gm_views_status status = {.lag = 1};
    for (int waited = 0;
         waited < WAIT_MS && (status.lag > 0 || status.rebuilding || status.rc != GM_OK);
         waited++) {
        gm_views_status(world->views, index, &status);
        assert_int_equal(gm_stop_wait(pause, GM_MS), GM_OK);
    }
    gm_stop_free(pause);
    assert_int_equal(status.rc, GM_OK);
    assert_int_equal(status.lag, 0);
    assert_false(status.rebuilding);
}

static void wait_until_current(struct world *world)
{
    wait_for_view(world, 0);
}

static gm_rc add_row(void *ctx, struct gm_str json, struct gm_err *err)
{
    (void)err;
    gm_buf_add(ctx, json);
    gm_buf_add_char(ctx, '\n');
    return GM_OK;
}

/* All rows; the caller frees. */
static char *rows_of_z(struct world *world, const char *name_z)
{
    gm_buf_reset(&world->text);
    gm_buf_add_z(&world->text, "");
    const struct gm_view_query query = {.ctx = &world->text, .row = add_row};
    check_ok(gm_views_query(world->views, gm_str_z(name_z), &query, &world->err), world->err);
    return gm_str_dup_z(gm_buf_str(&world->text));
}

static char *rows_z(struct world *world)
{
    return rows_of_z(world, "minutes");
}

static void a_view_follows_its_stream(void **state)
{
    struct world *world = *state;
    open_views(world);
    append(world, 20);
    wait_until_current(world);
    GM_AUTO_FREE char *first_z = rows_z(world);
    assert_non_null(strstr(first_z, "\"key\":\"s3\""));
    append(world, 200);
    wait_until_current(world);
    GM_AUTO_FREE char *more_z = rows_z(world);
    assert_string_not_equal(first_z, more_z);
    gm_views_close(world->views);
    world->views = NULL;
    open_views(world);
    wait_until_current(world);
    GM_AUTO_FREE char *again_z = rows_z(world);
    assert_string_equal(again_z, more_z);
    const struct gm_view_query query = {0};
    check_rc(gm_views_query(world->views, GM_STR("none"), &query, &world->err), GM_E_END,
             world->err);
}

static void a_view_made_anew_equals_the_old_one(void **state)
{
    struct world *world = *state;
    open_views(world);
    append(world, 500);
    wait_until_current(world);
    for (int round = 0; round < 3; round++) {
        check_ok(gm_views_rebuild(world->views, GM_STR("minutes"), &world->err), world->err);
        append(world, 20); /* while it is made */
        wait_until_current(world);
        GM_AUTO_FREE char *anew_z = rows_z(world);
        gm_views_close(world->views);
        world->views = NULL;
        open_views(world);
        wait_until_current(world);
        GM_AUTO_FREE char *again_z = rows_z(world);
        assert_string_equal(again_z, anew_z);
    }
}

/* Of all rows together. */
static int count_of_rows(struct world *world)
{
    int count = 0;
    GM_AUTO_FREE char *all_z = rows_z(world);
    for (const char *at = strstr(all_z, "\"count\":"); at != NULL;
         at = strstr(at + 1, "\"count\":")) {
        struct gm_str number, rest;
        int64_t one;
        (void)gm_str_cut(gm_str_z(at + strlen("\"count\":")), ',', &number, &rest);
        assert_true(gm_parse_i64(number, &one));
        count += (int)one;
    }
    return count;
}

enum { ROUNDS = 25, EVENTS_OF_ROUND = 150 };

static void append_round(void *world)
{
    append(world, EVENTS_OF_ROUND);
}

static void a_view_made_anew_misses_nothing_that_comes_meanwhile(void **state)
{
    struct world *world = *state;
    open_views(world);
    append(world, 500);
    for (int round = 1; round <= ROUNDS; round++) {
        struct gm_thread *thread;
        check_ok(gm_thread_start("append", append_round, world, &thread, &world->err), world->err);
        check_ok(gm_views_rebuild(world->views, GM_STR("minutes"), &world->err), world->err);
        gm_thread_join(thread);
        wait_until_current(world);
        assert_int_equal(count_of_rows(world), 500 + round * EVENTS_OF_ROUND);
    }
}

static void a_stream_may_have_any_number_of_views(void **state)
{
    enum { COUNT = 40 };
    struct world *world = *state;
    struct gm_conf_map_entry entries[COUNT];
    char names[COUNT][8];
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "v%d", i);
        entries[i] = (struct gm_conf_map_entry){.name_z = names[i], .value = &world->conf};
    }
    world->map = (struct gm_conf_map){entries, COUNT};
    open_views(world);
    append(world, 50);
    for (size_t i = 0; i < COUNT; i++) {
        wait_for_view(world, i);
    }
}

/* ---- one that fails ---- */

/* Somebody has the view's file locked, for longer than it waits. */
static void a_view_that_fails_holds_up_no_other_and_comes_back(void **state)
{
    struct world *world = *state;
    struct gm_conf_map_entry entries[] = {
        {.name_z = "stuck", .value = &world->conf},
        {.name_z = "minutes", .value = &world->conf},
    };
    struct gm_views_status status;
    world->map = (struct gm_conf_map){entries, 2};
    open_views(world);
    append(world, 20);
    wait_for_view(world, 0);
    GM_AUTO_FREE char *url_z =
        gm_format_z("sqlite:%s", tmp_path(world->tmp, "data/views/stuck.db"));
    struct gm_db *locker;
    check_ok(gm_db_open(&(struct gm_db_options){.url_z = url_z, .mode = GM_DB_WRITE}, &locker,
                        &world->err),
             world->err);
    check_ok(gm_db_begin(locker, &world->err), world->err);
    do {
        append(world, 10);
        wait_for_view(world, 1);
        gm_views_status(world->views, 0, &status);
    } while (status.rc == GM_OK);
    for (int i = 0; i < 20; i++) {
        append(world, 10);
        wait_for_view(world, 1);
    }
    gm_db_rollback(locker);
    gm_db_close(locker);
    wait_for_view(world, 0);
    GM_AUTO_FREE char *whole = rows_z(world);
    GM_AUTO_FREE char *mended = rows_of_z(world, "stuck");
    assert_string_equal(whole, mended);
}

static void other_settings_make_a_view_anew(void **state)
{
    struct world *world = *state;
    open_views(world);
    append(world, 100);
    wait_until_current(world);
    gm_views_close(world->views);
    world->views = NULL;
    world->conf.window = GM_HOUR;
    open_views(world);
    wait_until_current(world);
    GM_AUTO_FREE char *rows = rows_z(world);
    assert_non_null(strstr(rows, "\"end\":\"1970-01-01T01:00:00Z\""));
    assert_null(strstr(rows, "\"end\":\"1970-01-01T00:01:00Z\""));
}

/* ---- groups ---- */

struct import {
    struct gm_store *store;
};
struct job {
    gm_writer_fn fn;
    void *ctx;
};

static gm_rc run_job(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct job *job = ctx;
    return job->fn(job->ctx, tx->db, err);
}

static gm_rc write_job(void *ctx, gm_writer_fn fn, void *fn_ctx, struct gm_err *err)
{
    struct job job = {fn, fn_ctx};
    return gm_store_write(((struct import *)ctx)->store, run_job, &job, err);
}

static const struct gm_models *models;

static gm_rc add_interfaces(void *ctx, struct gm_import_interfaces *interfaces, struct gm_err *err)
{
    struct gm_store *store = ((struct import *)ctx)->store;
    GM_TRY(
        gm_store_add_interfaces(store, interfaces->at, interfaces->count, &interfaces->added, err));
    gm_store_models_release(store, models);
    models = interfaces->models = gm_store_models_hold(store);
    return GM_OK;
}

static void import_graph(struct world *world, const char *lines_z)
{
    struct import import = {world->store};
    models = gm_store_models_hold(world->store);
    const char *path_z = tmp_write(world->tmp, "graph.ndjson", gm_str_z(lines_z));
    const struct gm_import_store store = {.ctx = &import,
                                          .write = write_job,
                                          .add_interfaces = add_interfaces,
                                          .graph = gm_store_graph(world->store),
                                          .models = models};
    const struct gm_import_options options = {.path_z = path_z, .clock = gm_clock_system()};
    struct gm_import_counts counts;
    check_ok(gm_import_run(&store, &options, &counts, &world->err), world->err);
    assert_int_equal(counts.failed, 0);
    gm_store_models_release(world->store, models);
}

#define TWIN(id) "{\"$dtId\":\"" id "\",\"$metadata\":{\"$model\":\"dtmi:t:Thing;1\"}}\n"
#define PART(id, of)                                                                               \
    "{\"$dtId\":\"" id "\",\"$relationshipId\":\"r\",\"$relationshipName\":\"partOf\","            \
    "\"$targetId\":\"" of "\"}\n"

static void events_count_for_what_their_thing_belongs_to(void **state)
{
    struct world *world = *state;
    static const char *via[] = {"partOf", "partOf"};
    import_graph(world,
                 "{\"Section\":\"Header\"}\n{\"fileVersion\":\"1.0.0\"}\n{\"Section\":\"Models\"}\n"
                 "{\"@id\":\"dtmi:t:Thing;1\",\"@context\":\"dtmi:dtdl:context;3\",\"@type\":"
                 "\"Interface\",\"contents\":[{\"@type\":\"Relationship\",\"name\":\"partOf\"}]}\n"
                 "{\"Section\":\"Twins\"}\n" TWIN("sensor-s1") TWIN("sensor-s2") TWIN("sensor-s3")
                     TWIN("m1") TWIN("m2")
                         TWIN("line") "{\"Section\":\"Relationships\"}\n" PART("sensor-s1", "m1")
                             PART("sensor-s2", "m2") PART("sensor-s3", "m2") PART("m1", "line")
                                 PART("m2", "line"));
    world->conf.group = (struct gm_view_group_conf){.twin = "sensor-{key}", .via = {via, 1}};
    world->conf.window = GM_HOUR;
    open_views(world);
    append(world, 70); /* ten of each of s0 … s6 */
    wait_until_current(world);
    GM_AUTO_FREE char *machines = rows_z(world);
    assert_non_null(strstr(machines, "{\"key\":\"m1\""));
    assert_non_null(strstr(machines, "\"t\":{\"count\":20,"));
    struct gm_views_status status;
    gm_views_status(world->views, 0, &status);
    assert_int_equal(status.info.ungrouped, 40);
    gm_views_close(world->views);
    world->views = NULL;
    world->conf.group.via.n = 2;
    open_views(world); /* other settings: it is made anew, and asks anew */
    wait_until_current(world);
    GM_AUTO_FREE char *lines = rows_z(world);
    assert_non_null(strstr(lines, "{\"key\":\"line\""));
    assert_non_null(strstr(lines, "\"t\":{\"count\":30,"));
    assert_null(strstr(lines, "{\"key\":\"m1\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define VIEWS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        VIEWS_TEST(a_view_follows_its_stream),
        VIEWS_TEST(a_view_made_anew_equals_the_old_one),
        VIEWS_TEST(a_view_made_anew_misses_nothing_that_comes_meanwhile),
        VIEWS_TEST(a_stream_may_have_any_number_of_views),
        VIEWS_TEST(a_view_that_fails_holds_up_no_other_and_comes_back),
        VIEWS_TEST(other_settings_make_a_view_anew),
        VIEWS_TEST(events_count_for_what_their_thing_belongs_to),
#undef VIEWS_TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
