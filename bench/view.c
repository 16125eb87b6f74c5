/* view.*: events folded into views, in memory and from a stream. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "bench.h"
#include "stream/stream.h"
#include "view/view.h"

enum { ROUNDS = 3, SENSORS = 50000, VIEWS = 3, READINGS = 3, SLICE = 4096 };

static const struct gm_view_value latest_values[READINGS] = {
    {.name = {"temperature", 11}, .path = {"temperature", 11}},
    {.name = {"pressure", 8}, .path = {"pressure", 8}},
    {.name = {"power", 5}, .path = {"power", 5}},
};
#define WINDOWED (GM_AGG_COUNT | GM_AGG_MEAN | GM_AGG_MIN | GM_AGG_MAX)
static const struct gm_view_value window_values[READINGS] = {
    {.name = {"temperature", 11}, .path = {"temperature", 11}, .aggregates = WINDOWED},
    {.name = {"pressure", 8}, .path = {"pressure", 8}, .aggregates = WINDOWED},
    {.name = {"power", 5}, .path = {"power", 5}, .aggregates = WINDOWED},
};
static const struct gm_view_spec specs[VIEWS] = {
    {.name = {"latest", 6}, .by = {"$key", 4}, .values = latest_values, .value_count = READINGS},
    {.name = {"minutes", 7},
     .by = {"$key", 4},
     .size = GM_MINUTE,
     .lateness = 10 * GM_SECOND,
     .values = window_values,
     .value_count = READINGS},
    {.name = {"hours", 5},
     .by = {"$key", 4},
     .size = GM_HOUR,
     .lateness = 10 * GM_SECOND,
     .values = window_values,
     .value_count = READINGS},
};

static void open_views(const struct bench *bench, struct gm_view *views[VIEWS])
{
    struct gm_err err = {0};
    for (int i = 0; i < VIEWS; i++) {
        GM_AUTO_FREE char *path_z = gm_format_z("%s/view-%d.db", bench->folder_z, i);
        GM_AUTO_FREE char *remove_z = gm_format_z("rm -f '%s'*", path_z);
        (void)bench_command(remove_z);
        const struct gm_view_options options = {
            .spec = &specs[i], .path_z = path_z, .partitions = 1};
        bench_must(gm_view_open(&options, &views[i], &err), &err);
    }
}

static void save_views(struct gm_view *views[VIEWS])
{
    struct gm_err err = {0};
    for (int i = 0; i < VIEWS; i++) {
        bench_must(gm_view_checkpoint(views[i], &err), &err);
    }
}

static void close_views(struct gm_view *views[VIEWS])
{
    for (int i = 0; i < VIEWS; i++) {
        gm_view_close(views[i]);
    }
}

/* One reading of every sensor. */
static struct gm_event *make_events(struct gm_arena *arena)
{
    struct gm_event *events = gm_arena_zalloc(arena, SENSORS * sizeof(events[0]));
    for (int i = 0; i < SENSORS; i++) {
        events[i].key = gm_arena_format(arena, "sensor-%d", i);
        events[i].origin = GM_STR("bench");
        events[i].body = gm_arena_format(
            arena, "{\"temperature\":%.1f,\"pressure\":%.1f,\"power\":%.1f,\"sensor\":%d}",
            50 + (double)(i * 7 % 97) / 10, 7500 + (double)(i * 13 % 801) / 10,
            27 + (double)(i * 3 % 53) / 10, i);
    }
    return events;
}

static void set_second(struct gm_event *events, int64_t second)
{
    for (int i = 0; i < SENSORS; i++) {
        events[i].offset = second * SENSORS + i;
        events[i].sequence = (uint64_t)(second * SENSORS + i) + 1;
        events[i].time = (1700000000 + second) * GM_SECOND;
    }
}

static int64_t seconds_of(const struct bench *bench)
{
    return bench->rows * 4 / SENSORS > 0 ? bench->rows * 4 / SENSORS : 1;
}

/* In memory alone: parsed bodies into cells, without a checkpoint. */
static void fold_events(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)arg;
    struct gm_err err = {0};
    struct gm_view *views[VIEWS];
    struct gm_arena *arena = gm_arena_new(256 << 20);
    struct gm_event *events = make_events(arena);
    open_views(bench, views);
    for (int64_t second = 0; second < seconds_of(bench); second++) {
        set_second(events, second);
        double start = bench_now();
        for (int i = 0; i < SENSORS; i += SLICE) {
            size_t n = (size_t)(SENSORS - i < SLICE ? SENSORS - i : SLICE);
            const struct gm_view_slice slice = {0, events + i, n};
            bench_must(gm_views_fold(views, VIEWS, &slice, &err), &err);
        }
        result->seconds += bench_now() - start;
        result->rows += SENSORS;
    }
    close_views(views);
}

static void fill_stream(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)arg;
    struct gm_err err = {0};
    struct gm_stream *stream;
    struct gm_arena *arena = gm_arena_new(256 << 20);
    struct gm_event *events = make_events(arena);
    GM_AUTO_FREE char *path_z = gm_format_z("%s/views.db", bench->folder_z);
    const struct gm_stream_options options = {.path_z = path_z, .clock = gm_clock_system()};
    bench_must(gm_stream_open(&options, &stream, &err), &err);
    for (int64_t second = 0; second < seconds_of(bench); second++) {
        set_second(events, second);
        struct gm_append append = {.events = events, .count = SENSORS, .checked = true};
        bench_must(gm_stream_append(stream, &append, NULL, &err), &err);
        result->rows += (int64_t)append.appended;
    }
    gm_stream_close(stream);
}

static void rebuild_views(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)arg;
    struct gm_err err = {0};
    struct gm_stream *stream;
    struct gm_stream_reader *reader;
    struct gm_view *views[VIEWS];
    gm_rc rc;
    GM_AUTO_FREE char *path_z = gm_format_z("%s/views.db", bench->folder_z);
    const struct gm_stream_options options = {
        .path_z = path_z, .clock = gm_clock_system(), .read_only = true};
    const struct gm_stream_place from = {0, 0};
    bench_must(gm_stream_open(&options, &stream, &err), &err);
    bench_must(gm_stream_reader_open(stream, &from, &reader, &err), &err);
    open_views(bench, views);
    double start = bench_now();
    struct gm_view_slice slice = {0};
    while ((rc = gm_stream_read(reader, &slice.events, &slice.count, &err)) == GM_OK) {
        bench_must(gm_views_fold(views, VIEWS, &slice, &err), &err);
        result->rows += (int64_t)slice.count;
    }
    if (rc != GM_E_END) {
        bench_must(rc, &err);
    }
    save_views(views);
    result->seconds = bench_now() - start;
    close_views(views);
    gm_stream_reader_close(reader);
    gm_stream_close(stream);
}

void bench_view(const struct bench *bench)
{
    double folds[ROUNDS], rebuilds[ROUNDS], memory = 0;
    if (!bench_wants(bench, "view.fold") && !bench_wants(bench, "view.rebuild") &&
        !bench_wants(bench, "memory.sensors")) {
        return;
    }
    struct bench_result filled = bench_measure(bench, fill_stream, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        struct bench_result fold = bench_measure(bench, fold_events, NULL);
        struct bench_result rebuild = bench_measure(bench, rebuild_views, NULL);
        if (rebuild.rows != filled.rows) {
            bench_die("view.rebuild: %lld events, not %lld", (long long)rebuild.rows,
                      (long long)filled.rows);
        }
        folds[i] = (double)fold.rows * VIEWS * READINGS / fold.seconds;
        rebuilds[i] = (double)rebuild.rows / rebuild.seconds;
        memory = rebuild.peak_mb;
    }
    bench_print(bench, &(struct bench_line){.name_z = "view.fold",
                                            .value = bench_median(folds, ROUNDS),
                                            .unit_z = "updates/s"});
    bench_print(bench, &(struct bench_line){.name_z = "view.rebuild",
                                            .value = bench_median(rebuilds, ROUNDS),
                                            .unit_z = "events/s"});
    bench_print(bench,
                &(struct bench_line){.name_z = "memory.sensors", .value = memory, .unit_z = "MB"});
}
