/* ingest.mqtt and ingest.latency_p99: readings of 50,000 sensors through a real Mosquitto into a
 * durable stream, acknowledged after the commit. Who publishes is a process of its own.
 *
 * `ingest.mqtt` has a machine's readings of one cycle in a message, as its gateway sends them;
 * `ingest.mqtt_single` a message for each reading. Latency counts from when a reading is due, at
 * 50,000 a second, to when a view of latest values shows it: a sender that falls behind counts,
 * too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench.h"
#include "cli/sample_load.h"
#include "cli/sample_out.h"
#include "engine/config.h"
#include "hub/mqtt_source.h"
#include "hub/views.h"
#include "os/file.h"
#include "os/thread.h"
#include "support/broker.h"

enum {
    ROUNDS = 3,
    SENSORS = 50000,
    PACKED = 6, /* readings in a message: a machine has five or six sensors */
    EVENTS_PACKED = 500000,
    EVENTS_SINGLE = 200000,
    LATENCY_RATE = 50000,
    LATENCY_SECONDS = 10,
    LATENCY_BUCKETS = 10000, /* of a millisecond */
};

struct flow {
    struct broker *broker;
    int64_t events, pack, rate; /* rate 0: as fast as it goes */
    bool viewed;                /* events count when a view shows them */
};

static gm_ns wall_now(void)
{
    return gm_clock_wall_now();
}

/* ---- who publishes ---- */

/* What is due in a tick goes out together. */
static void keep_pace(struct gm_load_out *out, gm_ns due)
{
    static struct gm_stop *never;
    struct gm_err err = {0};
    never = never != NULL ? never : gm_stop_new();
    gm_ns early = due - wall_now();
    if (early > 2 * GM_MS) {
        bench_must(gm_load_out_flush(out, &err), &err);
        early = due - wall_now();
        (void)gm_stop_wait(never, early > 0 ? early : 1);
    }
}

static struct gm_load_options load_options(const struct flow *flow, gm_ns start)
{
    return (struct gm_load_options){.seed = 1,
                                    .company_seed = 2020,
                                    .scale = 1.1, /* some companies of full size have fewer */
                                    .sensors = SENSORS,
                                    .events = flow->events,
                                    .start = start,
                                    .interval = GM_SECOND};
}

static void publish(const struct flow *flow, int go, int tell)
{
    struct gm_err err = {0};
    struct gm_load_event event;
    gm_ns start = 0;
    struct gm_load_options options = load_options(flow, 0);
    struct gm_load_out_options to = {.to_z = broker_url(flow->broker),
                                     .connections = 2,
                                     .batch = flow->pack,
                                     .qos = 1,
                                     .version5 = true,
                                     .patience = GM_MINUTE};
    struct gm_load_out *out;
    bench_must(gm_load_new(&options, &to.load, &err), &err);
    bench_must(gm_load_out_open(&to, &out, &err), &err);
    /* ready; the start comes back, when all are */
    if (write(tell, "", 1) != 1 || read(go, &start, sizeof(start)) != (ssize_t)sizeof(start)) {
        _exit(1);
    }
    gm_load_free(to.load);
    options.start = start;
    bench_must(gm_load_new(&options, &to.load, &err), &err);
    out->options.load = to.load;
    while (gm_load_next(to.load, &event)) {
        bench_must(gm_load_out_put(out, &event, &err), &err);
        if (flow->rate > 0 && event.slot % 50 == 0) {
            keep_pace(out, start + event.slot * GM_SECOND / flow->rate);
        }
    }
    bench_must(gm_load_out_finish(out, &err), &err);
    gm_load_out_close(out);
    _exit(0);
}

struct publisher {
    pid_t pid;
    int go, ready;
};

/* Before any thread is started. */
static void start_publisher(const struct flow *flow, struct publisher *publisher)
{
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0 || (publisher->pid = fork()) < 0) {
        bench_die("no second process");
    }
    if (publisher->pid == 0) {
        close(to[1]);
        publish(flow, to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    publisher->go = to[1];
    publisher->ready = from[0];
}

static gm_ns let_go(const struct publisher *publisher)
{
    char byte;
    gm_ns start = (wall_now() / GM_MS + 1) * GM_MS;
    if (read(publisher->ready, &byte, 1) != 1) {
        bench_die("the publisher failed");
    }
    start = (wall_now() / GM_MS + 1) * GM_MS;
    if (write(publisher->go, &start, sizeof(start)) != (ssize_t)sizeof(start)) {
        bench_die("the publisher is gone");
    }
    return start;
}

static void end_publisher(const struct publisher *publisher)
{
    int status = 1;
    if (waitpid(publisher->pid, &status, 0) != publisher->pid || status != 0) {
        bench_die("the publisher failed");
    }
}

/* ---- who takes ---- */

struct taker {
    struct gm_stream_conf stream_conf;
    struct gm_mqtt_conf conf;
    const char *topics[1];
    struct gm_decoder *decoder;
    struct gm_stream *stream;
    struct gm_mqtt_source *source;
    /* where latency is measured */
    struct gm_stream_directory directory;
    struct gm_config *config;
    struct gm_views *views; /* NULL: events count when a reader has them */
};

static struct gm_stream *find_stream(void *ctx, struct gm_str name)
{
    (void)name;
    return ((struct taker *)ctx)->stream;
}

/* One of the newest values of each sensor. */
static void start_view(const struct bench *bench, struct taker *taker)
{
    struct gm_err err = {0};
    GM_AUTO_FREE char *config_z = gm_format_z("%s/mqtt.yaml", bench->folder_z);
    GM_AUTO_FREE char *data_z = gm_format_z("%s/mqtt", bench->folder_z);
    bench_must(gm_file_write_atomic(config_z,
                                    GM_STR("streams: { bench: {} }\n"
                                           "views: { latest: { stream: bench, values: { value: {} "
                                           "} } }\n"),
                                    0600, &err),
               &err);
    bench_must(gm_config_load(config_z, &taker->config, &err), &err);
    taker->directory = (struct gm_stream_directory){.find = find_stream, .ctx = taker};
    const struct gm_views_options views = {.views = &gm_config_root(taker->config)->views,
                                           .streams = &taker->directory,
                                           .folder_z = data_z};
    bench_must(gm_views_open(&views, &taker->views, &err), &err);
}

static void start_taker(const struct bench *bench, const struct flow *flow, struct taker *taker)
{
    struct gm_err err = {0};
    GM_AUTO_FREE char *path_z = gm_format_z("%s/mqtt.db", bench->folder_z);
    *taker = (struct taker){0};
    taker->stream_conf = (struct gm_stream_conf){
        .key = "sensor", .time = "time", .origin = "origin", .sequence = "sequence"};
    taker->topics[0] = "factory/#";
    taker->conf = (struct gm_mqtt_conf){.url = broker_url(flow->broker),
                                        .topics = {taker->topics, 1},
                                        .version = GM_MQTT_VERSION_5,
                                        .qos = 1,
                                        .client_id = "bench",
                                        .connections = 2,
                                        .share = "bench",
                                        .in_flight = 2000,
                                        .keepalive = GM_MINUTE};
    bench_must(gm_decoder_new(&taker->stream_conf, &taker->decoder, &err), &err);
    bench_must(
        gm_stream_open(&(struct gm_stream_options){.path_z = path_z, .clock = gm_clock_system()},
                       &taker->stream, &err),
        &err);
    if (flow->viewed) {
        start_view(bench, taker);
    }
    const struct gm_mqtt_source_options options = {.stream_name = GM_STR("bench"),
                                                   .name = GM_STR("mqtt"),
                                                   .conf = &taker->conf,
                                                   .decoder = taker->decoder,
                                                   .stream = taker->stream};
    bench_must(gm_mqtt_source_start(&options, &taker->source, &err), &err);
    struct gm_stop *never = gm_stop_new();
    struct gm_mqtt_figures now = {0};
    while (now.connections < taker->conf.connections) {
        (void)gm_stop_wait(never, GM_MS);
        gm_mqtt_source_figures(taker->source, &now);
    }
    gm_stop_free(never);
}

static void end_taker(struct taker *taker, const struct flow *flow, struct bench_result *result)
{
    struct gm_mqtt_figures now;
    gm_mqtt_source_figures(taker->source, &now);
    if (now.events != flow->events || now.refused != 0 || now.duplicates != 0) {
        bench_die("mqtt: %lld events of %lld; %lld refused, %lld twice", (long long)now.events,
                  (long long)flow->events, (long long)now.refused, (long long)now.duplicates);
    }
    result->rows = now.events;
    gm_mqtt_source_stop(taker->source);
    gm_views_close(taker->views);
    gm_config_free(taker->config);
    gm_stream_close(taker->stream);
    gm_decoder_free(taker->decoder);
}

/* Until the view has folded the events up to `offset`. What it lacks is told of a moment at which
 * the stream may already have more than `next`: so it may be further than it seems, and never
 * less. */
static void await_view(const struct taker *taker, int64_t offset, struct gm_stop *never)
{
    for (;;) {
        struct gm_views_status status;
        int64_t next = gm_stream_next(taker->stream, 0);
        gm_views_status(taker->views, 0, &status);
        bench_must(status.rc, &status.why);
        if (next - status.lag > offset) {
            return;
        }
        (void)gm_stop_wait(never, GM_MS / 2);
    }
}

/* Reads until all events came; their latencies go into buckets. */
static void read_all(const struct taker *taker, const struct flow *flow, int64_t *buckets)
{
    struct gm_err err = {0};
    struct gm_stream_reader *reader;
    const struct gm_stream_place from = {0, 0};
    int64_t seen = 0;
    struct gm_stop *never = gm_stop_new();
    bench_must(gm_stream_reader_open(taker->stream, &from, &reader, &err), &err);
    while (seen < flow->events) {
        const struct gm_event *events;
        size_t count;
        gm_rc rc = gm_stream_read(reader, &events, &count, &err);
        if (rc == GM_E_END) {
            if (gm_stream_wait(reader, 30 * GM_SECOND) != GM_OK) {
                bench_die("mqtt: %lld events came, and no more", (long long)seen);
            }
            continue;
        }
        bench_must(rc, &err);
        if (flow->viewed && count > 0) {
            await_view(taker, events[count - 1].offset, never);
        }
        gm_ns now = wall_now();
        for (size_t i = 0; i < count; i++) {
            int64_t ms = (now - events[i].time) / GM_MS;
            buckets[ms < 0 ? 0 : ms >= LATENCY_BUCKETS ? LATENCY_BUCKETS - 1 : ms]++;
        }
        seen += (int64_t)count;
    }
    gm_stream_reader_close(reader);
    gm_stop_free(never);
}

static double percentile(const int64_t *buckets, int64_t count, double share)
{
    int64_t sum = 0;
    int i = 0;
    while (i < LATENCY_BUCKETS - 1 && (double)(sum += buckets[i]) < share * (double)count) {
        i++;
    }
    return i + 1; /* the upper end of the bucket */
}

static void measure_flow(const struct bench *bench, const void *arg, struct bench_result *result)
{
    const struct flow *flow = arg;
    struct publisher publisher;
    struct taker taker;
    int64_t *buckets = gm_alloc_array(LATENCY_BUCKETS, sizeof(*buckets));
    start_publisher(flow, &publisher);
    start_taker(bench, flow, &taker);
    (void)let_go(&publisher);
    double start = bench_now();
    read_all(&taker, flow, buckets);
    result->seconds = bench_now() - start;
    end_publisher(&publisher);
    /* what was read last may not be counted yet: its thread has just heard of the commit */
    struct gm_stop *never = gm_stop_new();
    struct gm_mqtt_figures now = {0};
    for (int i = 0; i < 1000 && now.events < flow->events; i++) {
        (void)gm_stop_wait(never, GM_MS);
        gm_mqtt_source_figures(taker.source, &now);
    }
    gm_stop_free(never);
    end_taker(&taker, flow, result);
    result->more_seconds = percentile(buckets, flow->events, 0.99) / 1000;
    result->created = (int64_t)percentile(buckets, flow->events, 0.5);
    gm_free(buckets);
}

static struct bench_result measure(const struct bench *bench, const struct flow *flow)
{
    GM_AUTO_FREE char *remove_z =
        gm_format_z("rm -rf '%s'/mqtt.db* '%s'/mqtt", bench->folder_z, bench->folder_z);
    (void)bench_command(remove_z);
    return bench_measure(bench, measure_flow, flow);
}

static void bench_rate(const struct bench *bench, const char *name_z, const struct flow *flow)
{
    double rates[ROUNDS];
    if (!bench_wants(bench, name_z)) {
        return;
    }
    for (int i = 0; i < ROUNDS; i++) {
        struct bench_result result = measure(bench, flow);
        rates[i] = (double)result.rows / result.seconds;
    }
    bench_print(bench, &(struct bench_line){.name_z = name_z,
                                            .value = bench_median(rates, ROUNDS),
                                            .unit_z = "events/s"});
}

static void bench_latency(const struct bench *bench, struct broker *broker)
{
    double p99[ROUNDS], p50[ROUNDS];
    const struct flow flow = {.broker = broker,
                              .events = (int64_t)LATENCY_RATE * LATENCY_SECONDS,
                              .pack = PACKED,
                              .rate = LATENCY_RATE,
                              .viewed = true};
    if (!bench_wants(bench, "ingest.latency")) {
        return;
    }
    for (int i = 0; i < ROUNDS; i++) {
        struct bench_result result = measure(bench, &flow);
        p99[i] = result.more_seconds * 1000;
        p50[i] = (double)result.created;
    }
    bench_print(bench, &(struct bench_line){.name_z = "ingest.latency_p99",
                                            .value = bench_median(p99, ROUNDS),
                                            .unit_z = "ms"});
    bench_print(bench, &(struct bench_line){.name_z = "ingest.latency_p50",
                                            .value = bench_median(p50, ROUNDS),
                                            .unit_z = "ms"});
}

void bench_mqtt(const struct bench *bench)
{
    if (!bench_wants(bench, "ingest.mqtt") && !bench_wants(bench, "ingest.latency")) {
        return;
    }
    struct broker *broker = broker_start(&(struct broker_options){0});
    if (broker == NULL) {
        fputs("gemel_bench: mosquitto is not installed: no ingest.mqtt, ingest.latency\n", stderr);
        return;
    }
    bench_rate(bench, "ingest.mqtt",
               &(struct flow){.broker = broker, .events = EVENTS_PACKED, .pack = PACKED});
    bench_rate(bench, "ingest.mqtt_single",
               &(struct flow){.broker = broker, .events = EVENTS_SINGLE, .pack = 1});
    bench_latency(bench, broker);
    broker_stop(broker);
}
