/* stream.*: events into a stream and out of it. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "bench.h"
#include "os/thread.h"
#include "stream/stream.h"

enum { ROUNDS = 3, BATCH = 4096, IN_FLIGHT = 16, EVENT_ROWS = 4 };

/* Appends under way, each with a batch of its own; what is done comes back through a list. */
struct slot {
    struct gm_append append;
    struct gm_event events[BATCH];
    struct gm_arena *arena;
    struct slot *next;
    struct desk *desk;
};
struct desk {
    struct gm_mutex *mu;
    struct gm_cond *back;
    struct slot *free_slots; /* guarded by mu */
    int free_count;          /* guarded by mu */
    gm_rc rc;                /* guarded by mu */
    struct gm_err err;       /* guarded by mu */
};

static void take_back(void *ctx, gm_rc rc, const struct gm_err *err)
{
    struct slot *slot = ctx;
    struct desk *desk = slot->desk;
    gm_mutex_lock(desk->mu);
    if (rc != GM_OK) {
        desk->rc = rc;
        desk->err = *err;
    }
    slot->next = desk->free_slots;
    desk->free_slots = slot;
    desk->free_count++;
    gm_cond_signal(desk->back);
    gm_mutex_unlock(desk->mu);
}

static struct slot *take_slot(struct desk *desk)
{
    gm_mutex_lock(desk->mu);
    while (desk->free_slots == NULL) {
        gm_cond_wait(desk->back, desk->mu);
    }
    struct slot *slot = desk->free_slots;
    desk->free_slots = slot->next;
    desk->free_count--;
    gm_mutex_unlock(desk->mu);
    return slot;
}

/* Readings in the form of the factory's devices. Bodies are made once: printing them takes longer
 * than what is measured. */
static void fill(struct slot *slot, int64_t first)
{
    for (int i = 0; i < BATCH; i++) {
        int64_t n = first + i;
        slot->events[i].sequence = (uint64_t)n + 1;
        slot->events[i].time = n / BENCH_SENSORS * GM_SECOND;
    }
}

static void make_events(struct slot *slot, int64_t first)
{
    struct gm_buf text;
    gm_buf_init(&text, 4096);
    for (int i = 0; i < BATCH; i++) {
        int64_t n = first + i, sensor = n % BENCH_SENSORS;
        struct gm_event *event = &slot->events[i];
        *event = (struct gm_event){0};
        event->key = gm_arena_format(slot->arena, "sensor-%lld", (long long)sensor);
        event->origin = GM_STR("bench");
        gm_buf_reset(&text);
        bench_add_reading(&text, n, n);
        event->body = gm_arena_dup(slot->arena, gm_buf_str(&text));
    }
    gm_buf_deinit(&text);
}

static struct gm_stream *open_stream(const struct bench *bench)
{
    struct gm_stream *stream;
    struct gm_err err = {0};
    GM_AUTO_FREE char *path_z = gm_format_z("%s/stream.db", bench->folder_z);
    bench_must(
        gm_stream_open(&(struct gm_stream_options){.path_z = path_z, .clock = gm_clock_system()},
                       &stream, &err),
        &err);
    return stream;
}

static void append_events(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)arg;
    struct gm_err err = {0};
    struct gm_stream *stream = open_stream(bench);
    struct desk desk = {.mu = gm_mutex_new(), .back = gm_cond_new()};
    for (int i = 0; i < IN_FLIGHT; i++) {
        struct slot *slot = gm_alloc(sizeof(*slot));
        slot->arena = gm_arena_new(64 << 20);
        slot->desk = &desk;
        make_events(slot, (int64_t)i * BATCH);
        take_back(slot, GM_OK, NULL);
    }
    int64_t count = bench->rows * EVENT_ROWS / BATCH * BATCH;
    double start = bench_now();
    for (int64_t n = 0; n < count; n += BATCH) {
        struct slot *slot = take_slot(&desk);
        fill(slot, n);
        slot->append = (struct gm_append){.events = slot->events,
                                          .count = BATCH,
                                          .checked = true,
                                          .done = take_back,
                                          .ctx = slot};
        bench_must(gm_stream_submit(stream, &slot->append, &err), &err);
    }
    gm_stream_close(stream);
    result->seconds = bench_now() - start;
    result->rows = count;
    bench_must(desk.rc, &desk.err);
}

static void read_events(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)arg;
    struct gm_err err = {0};
    struct gm_stream *stream = open_stream(bench);
    struct gm_stream_reader *reader;
    const struct gm_event *events;
    size_t count;
    gm_rc rc;
    const struct gm_stream_place from = {0, 0};
    bench_must(gm_stream_reader_open(stream, &from, &reader, &err), &err);
    double start = bench_now();
    while ((rc = gm_stream_read(reader, &events, &count, &err)) == GM_OK) {
        result->rows += (int64_t)count;
    }
    result->seconds = bench_now() - start;
    if (rc != GM_E_END) {
        bench_must(rc, &err);
    }
    struct gm_stream_info info;
    bench_must(gm_stream_info(stream, 0, &info, &err), &err);
    result->created = (int64_t)info.data_bytes;
    result->updated = (int64_t)info.body_bytes;
    gm_stream_reader_close(reader);
    gm_stream_close(stream);
}

void bench_stream(const struct bench *bench)
{
    double appends[ROUNDS], reads[ROUNDS], size = 0, memory = 0;
    if (!bench_wants(bench, "stream.append") && !bench_wants(bench, "stream.read") &&
        !bench_wants(bench, "stream.bytes")) {
        return;
    }
    for (int i = 0; i < ROUNDS; i++) {
        GM_AUTO_FREE char *remove_z = gm_format_z("rm -f '%s'/stream.db*", bench->folder_z);
        (void)bench_command(remove_z);
        struct bench_result appended = bench_measure(bench, append_events, NULL);
        struct bench_result read = bench_measure(bench, read_events, NULL);
        if (read.rows != appended.rows) {
            bench_die("stream: %lld events read, %lld appended", (long long)read.rows,
                      (long long)appended.rows);
        }
        appends[i] = (double)appended.rows / appended.seconds;
        reads[i] = (double)read.rows / read.seconds;
        size = (double)read.created / (double)read.rows;
        memory = appended.peak_mb;
    }
    bench_print(bench, &(struct bench_line){.name_z = "stream.append",
                                            .value = bench_median(appends, ROUNDS),
                                            .unit_z = "events/s"});
    bench_print(bench, &(struct bench_line){.name_z = "stream.read",
                                            .value = bench_median(reads, ROUNDS),
                                            .unit_z = "events/s"});
    bench_print(bench, &(struct bench_line){
                           .name_z = "stream.bytes_per_event", .value = size, .unit_z = "bytes"});
    bench_print(bench,
                &(struct bench_line){.name_z = "stream.memory", .value = memory, .unit_z = "MB"});
}
