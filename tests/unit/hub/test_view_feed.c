/* The feed of a view: whoever puts rows in place as they are told ends with what the view has,
 * wherever he begins again. */
#include "hub/view_feed.h"

#include <stdio.h>

#include "base/mem.h"
#include "support/check.h"
#include "support/tmp.h"

enum { WAIT_MS = 20000, KEYS = 9, SEED = 20261120 };

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
    struct gm_view_feed *feed;
    uint32_t seed;
    int64_t clock;       /* seconds of events */
    GM_VEC(char *) rows; /* the consumer's */
    char kept_from[GM_TIME_TEXT_SIZE];
    size_t told;
    struct gm_buf cursor, text;
    struct gm_err err;
};

static struct gm_stream *find_stream(void *ctx, struct gm_str name)
{
    struct world *world = ctx;
    return gm_str_is(name, "telemetry") ? world->stream : NULL;
}

static uint32_t next_random(struct world *world, uint32_t below)
{
    world->seed = world->seed * 1664525u + 1013904223u;
    return (world->seed >> 8) % below;
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
    world->seed = SEED;
    gm_buf_init(&world->text, 16 << 20);
    gm_buf_init(&world->cursor, 1 << 20);
    check_ok(gm_store_open(&(struct gm_store_options){.folder_z = tmp_path(world->tmp, "data")},
                           &world->store, &world->err),
             world->err);
    GM_AUTO_FREE char *path_z = gm_strdup_z(tmp_path(world->tmp, "data/streams/telemetry.db"));
    check_ok(gm_stream_open(&(struct gm_stream_options){.path_z = path_z,
                                                        .partitions = 3,
                                                        .retain_size = 1,
                                                        .clock = gm_clock_system()},
                            &world->stream, &world->err),
             world->err);
    world->directory = (struct gm_stream_directory){.find = find_stream, .ctx = world};
    world->value = (struct gm_view_value_conf){.as = {as, 2}};
    world->value_entry = (struct gm_conf_map_entry){.name_z = "t", .value = &world->value};
    world->conf = (struct gm_view_conf){.stream = "telemetry",
                                        .by = "$key",
                                        .window = GM_MINUTE,
                                        .hop = 20 * GM_SECOND,
                                        .lateness = 5 * GM_SECOND,
                                        .values = {&world->value_entry, 1}};
    world->view_entry = (struct gm_conf_map_entry){.name_z = "minutes", .value = &world->conf};
    world->map = (struct gm_conf_map){&world->view_entry, 1};
    *state = world;
    return 0;
}

static void forget_rows(struct world *world)
{
    for (size_t i = 0; i < world->rows.n; i++) {
        gm_free(world->rows.at[i]);
    }
    world->rows.n = 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_view_feed_close(world->feed);
    gm_views_close(world->views);
    gm_stream_close(world->stream);
    gm_store_close(world->store);
    forget_rows(world);
    gm_vec_deinit(&world->rows);
    gm_buf_deinit(&world->text);
    gm_buf_deinit(&world->cursor);
    tmp_free(world->tmp);
    gm_free(world);
    return 0;
}

/* In the order of their times, but for some that are late. */
static void append(struct world *world, int count)
{
    enum { GROUP = 10 };
    struct gm_event events[GROUP];
    char keys[GROUP][16], bodies[GROUP][32];
    for (int done = 0; done < count; done += GROUP) {
        for (int i = 0; i < GROUP; i++) {
            world->clock += next_random(world, 4);
            int64_t late = next_random(world, 10) == 0 ? next_random(world, 100) : 0;
            snprintf(keys[i], sizeof(keys[i]), "s%u", next_random(world, KEYS));
            snprintf(bodies[i], sizeof(bodies[i]), "{\"%s\":%u}",
                     next_random(world, 8) == 0 ? "other" : "t", next_random(world, 100));
            events[i] = (struct gm_event){.key = gm_str_z(keys[i]),
                                          .time = (1000 + world->clock - late) * GM_SECOND,
                                          .body = gm_str_z(bodies[i])};
        }
        struct gm_append one = {.events = events, .count = GROUP};
        check_ok(gm_stream_append(world->stream, &one, NULL, &world->err), world->err);
    }
}

static void wait_until_current(struct world *world)
{
    struct gm_stop *pause = gm_stop_new();
    struct gm_views_status status = {.lag = 1};
    for (int waited = 0; waited < WAIT_MS && (status.lag > 0 || status.rebuilding); waited++) {
        gm_views_status(world->views, 0, &status);
        assert_int_equal(gm_stop_wait(pause, GM_MS), GM_OK);
    }
    gm_stop_free(pause);
    assert_int_equal(status.rc, GM_OK);
    assert_int_equal(status.lag, 0);
    assert_false(status.rebuilding);
}

/* ---- the consumer ---- */

/* {"key":"s1","start":"…" */
static size_t name_size(const char *row_z)
{
    const char *end = strstr(row_z, ",\"end\"");
    assert_non_null(end);
    return (size_t)(end - row_z);
}

static void take(void *ctx, enum gm_view_message message, struct gm_str json)
{
    struct world *world = ctx;
    char *text_z = gm_str_dup_z(json);
    gm_buf_reset(&world->cursor);
    gm_view_feed_cursor(world->feed, &world->cursor);
    if (message == GM_VIEW_WATERMARK) {
        const char *kept = strstr(text_z, "\"keptFrom\":\"");
        snprintf(world->kept_from, sizeof(world->kept_from), "%.20s",
                 kept != NULL ? kept + strlen("\"keptFrom\":\"") : "");
        gm_free(text_z);
        return;
    }
    world->told++;
    size_t n = name_size(text_z);
    for (size_t i = 0; i < world->rows.n; i++) {
        if (strncmp(world->rows.at[i], text_z, n) == 0 && world->rows.at[i][n] == ',') {
            gm_free(world->rows.at[i]);
            world->rows.at[i] = text_z;
            return;
        }
    }
    *gm_vec_push(&world->rows) = text_z;
}

static void open_feed(struct world *world, struct gm_str from)
{
    const struct gm_view_feed_options options = {
        .views = world->views, .name = GM_STR("minutes"), .from = from};
    check_ok(gm_view_feed_open(&options, &world->feed, &world->err), world->err);
    gm_buf_reset(&world->cursor);
    gm_view_feed_cursor(world->feed, &world->cursor);
}

static void close_feed(struct world *world)
{
    gm_view_feed_close(world->feed);
    world->feed = NULL;
}

/* Where the consumer was told to go on. */
static void begin_again(struct world *world)
{
    close_feed(world);
    GM_AUTO_FREE char *from_z = gm_str_dup_z(gm_buf_str(&world->cursor));
    open_feed(world, gm_str_z(from_z));
}

static gm_rc read_once(struct world *world, size_t rows_max)
{
    const struct gm_view_feed_out out = {.tell = take, .ctx = world, .rows_max = rows_max};
    return gm_view_feed_read(world->feed, &out, &world->err);
}

static void read_all(struct world *world)
{
    gm_rc rc = GM_OK;
    while (rc == GM_OK) {
        rc = read_once(world, 1000);
    }
    check_rc(rc, GM_E_END, world->err);
}

static gm_rc check_row(void *ctx, struct gm_str json, struct gm_err *err)
{
    struct world *world = ctx;
    (void)err;
    world->told++;
    for (size_t i = 0; i < world->rows.n; i++) {
        if (gm_str_is(json, world->rows.at[i])) {
            return GM_OK;
        }
    }
    fail_msg("seed %d: not told: " GM_STR_FMT, SEED, GM_STR_ARG(json));
    return GM_OK;
}

static void check_equal(struct world *world)
{
    size_t kept = 0;
    for (size_t i = 0; i < world->rows.n; i++) {
        const char *start = strstr(world->rows.at[i], "\"start\":\"") + strlen("\"start\":\"");
        kept += strncmp(start, world->kept_from, strlen(world->kept_from)) >= 0;
    }
    const struct gm_view_query query = {.ctx = world, .row = check_row};
    world->told = 0;
    check_ok(gm_views_query(world->views, GM_STR("minutes"), &query, &world->err), world->err);
    assert_int_equal(world->told, kept);
}

/* ---- tests ---- */

static void rows_are_told_once_a_slice_and_once_more_when_they_close(void **state)
{
    struct world *world = *state;
    open_views(world);
    open_feed(world, GM_STR("newest"));
    append(world, 500);
    wait_until_current(world);
    read_all(world);
    assert_true(world->told <= 2 * world->rows.n);
    check_equal(world);
    world->told = 0;
    read_all(world);
    assert_int_equal(world->told, 0);
}

static void a_consumer_that_begins_again_anywhere_ends_equal(void **state)
{
    struct world *world = *state;
    world->conf.keep = 5 * GM_MINUTE;
    open_views(world);
    open_feed(world, GM_STR("oldest"));
    for (int step = 0; step < 300; step++) {
        switch (next_random(world, 12)) {
        case 0:
        case 1:
            append(world, 50);
            break;
        case 2:
        case 3:
            begin_again(world);
            break;
        case 4:
            close_feed(world);
            gm_views_close(world->views);
            open_views(world);
            open_feed(world, gm_buf_str(&world->cursor));
            break;
        case 5:
            wait_until_current(world);
            break;
        default:
            (void)!read_once(world, 1 + next_random(world, 60));
            break;
        }
    }
    wait_until_current(world);
    read_all(world);
    check_equal(world);
}

static void a_view_made_anew_of_the_same_events_is_followed_on(void **state)
{
    struct world *world = *state;
    open_views(world);
    open_feed(world, GM_STR("newest"));
    append(world, 200);
    wait_until_current(world);
    assert_int_equal(read_once(world, 100), GM_OK); /* a slice is under way */
    assert_int_equal(read_once(world, 100), GM_OK);
    check_ok(gm_views_rebuild(world->views, GM_STR("minutes"), &world->err), world->err);
    append(world, 100);
    wait_until_current(world);
    read_all(world);
    check_equal(world);
}

static void events_that_retention_took_begin_all_rows_anew(void **state)
{
    struct world *world = *state;
    int64_t chunks;
    open_views(world);
    open_feed(world, GM_STR("newest"));
    append(world, 2000);
    wait_until_current(world);
    check_ok(gm_stream_trim(world->stream, &chunks, &world->err), world->err);
    assert_true(chunks > 0);
    gm_rc rc = GM_OK;
    while (rc == GM_OK) {
        rc = read_once(world, 1000);
    }
    check_rc(rc, GM_E_CONFLICT, world->err);
    check_err_says(world->err, "what changed in view `minutes` is not known");
    check_ok(gm_view_feed_restart(world->feed, &world->err), world->err);
    forget_rows(world);
    read_all(world);
    check_equal(world);

    /* what is made anew has fewer events now: it is another view */
    check_ok(gm_views_rebuild(world->views, GM_STR("minutes"), &world->err), world->err);
    wait_until_current(world);
    check_rc(read_once(world, 1000), GM_E_CONFLICT, world->err);
    check_err_says(world->err, "is another one since it was made anew");
}

static void pages_end_between_slices(void **state)
{
    struct world *world = *state;
    open_views(world);
    open_feed(world, GM_STR("oldest"));
    append(world, 300);
    wait_until_current(world);
    for (size_t count_max = 1; count_max < 50; count_max += 7) {
        struct gm_view_feed_page page = {
            .out = &world->text, .count_max = count_max, .size_max = 1 << 20};
        gm_rc rc = GM_OK;
        gm_buf_reset(&world->text);
        while (rc == GM_OK) {
            rc = gm_view_feed_page(world->feed, &page, &world->err);
        }
        check_rc(rc, GM_E_END, world->err);
        assert_true(gm_view_feed_between(world->feed));
        /* an event's rows stay together */
        assert_true(page.count <= (count_max > 3 ? count_max : 3));
    }
}

static void who_follows_is_seen_with_his_lag(void **state)
{
    struct world *world = *state;
    struct gm_views_status status;
    open_views(world);
    open_feed(world, GM_STR("newest"));
    append(world, 100);
    wait_until_current(world);
    gm_views_status(world->views, 0, &status);
    assert_int_equal(status.followers, 1);
    assert_int_equal(status.follower_lag, 100);
    read_all(world);
    gm_views_status(world->views, 0, &status);
    assert_int_equal(status.follower_lag, 0);
    close_feed(world);
    gm_views_status(world->views, 0, &status);
    assert_int_equal(status.followers, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define FEED_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        FEED_TEST(rows_are_told_once_a_slice_and_once_more_when_they_close),
        FEED_TEST(a_consumer_that_begins_again_anywhere_ends_equal),
        FEED_TEST(a_view_made_anew_of_the_same_events_is_followed_on),
        FEED_TEST(events_that_retention_took_begin_all_rows_anew),
        FEED_TEST(pages_end_between_slices),
        FEED_TEST(who_follows_is_seen_with_his_lag),
#undef FEED_TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
