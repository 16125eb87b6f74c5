/* pass.*: events of one stream through a pipeline into another, each once: a filter alone, and a
 * filter with a map. */
#include "base/arena.h"
#include "base/mem.h"
#include "bench.h"
#include "os/file.h"
#include "stream/stream.h"

enum { ROUNDS = 3, EVENTS = 1000000, BATCH = 4096 };

#define HEAD                                                                                       \
    "data: ./pass\n"                                                                               \
    "admin: { enabled: false }\n"                                                                  \
    "log: { level: error }\n"                                                                      \
    "api: { enabled: false }\n"                                                                    \
    "streams: { telemetry: {}, hot: {} }\n"                                                        \
    "pipelines:\n"                                                                                 \
    "  warm:\n"                                                                                    \
    "    source: { stream: { name: telemetry } }\n"                                                \
    "    steps: [{ filter: \"machine.temperature > 0\" }]\n"                                       \
    "    sink: { stream: { name: hot } }\n"

static const struct {
    const char *name_z;
    const char *configuration_z;
} kinds[] = {
    {"pass.filter", HEAD},
    {"pass.map", HEAD "    map: { machine: machine.machineId, t: machine.temperature }\n"},
};

static void remove_folder(const struct bench *bench)
{
    GM_AUTO_FREE char *command_z = gm_format_z("rm -rf '%s/pass'", bench->folder_z);
    (void)bench_command(command_z);
}

static void append_batch(struct gm_stream *stream, int64_t first, struct gm_arena *arena)
{
    static struct gm_event events[BATCH];
    struct gm_err err = {0};
    struct gm_buf text;
    size_t count = 0;
    gm_buf_init(&text, 4096);
    gm_arena_reset(arena);
    for (int64_t n = first; count < BATCH && n < EVENTS; n++) {
        gm_buf_reset(&text);
        bench_add_reading(&text, n, n / BENCH_SENSORS);
        events[count++] = (struct gm_event){
            .key = gm_arena_format(arena, "sensor-%lld", (long long)(n % BENCH_SENSORS)),
            .time = n / BENCH_SENSORS * GM_SECOND + 1,
            .body = gm_arena_dup(arena, gm_buf_str(&text))};
    }
    gm_buf_deinit(&text);
    struct gm_append append = {.events = events, .count = count, .checked = true};
    bench_must(gm_stream_append(stream, &append, NULL, &err), &err);
}

static void fill(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)arg;
    struct gm_err err = {0};
    struct gm_stream *stream;
    struct gm_arena *arena = gm_arena_new(64 << 20);
    GM_AUTO_FREE char *path_z = gm_format_z("%s/pass/streams/telemetry.db", bench->folder_z);
    const struct gm_stream_options options = {.path_z = path_z, .clock = gm_clock_system()};
    bench_must(gm_stream_open(&options, &stream, &err), &err);
    for (int64_t n = 0; n < EVENTS; n += BATCH) {
        append_batch(stream, n, arena);
    }
    result->rows = gm_stream_next(stream, 0);
    gm_stream_close(stream);
    gm_arena_free(arena);
}

static void measure(const struct bench *bench, const char *name_z, const char *configuration_z)
{
    double rates[ROUNDS];
    struct gm_err err = {0};
    GM_AUTO_FREE char *config_z = gm_format_z("%s/pass.yaml", bench->folder_z);
    bench_must(gm_file_write_atomic(config_z, gm_str_z(configuration_z), 0600, &err), &err);
    for (int round = 0; round < ROUNDS; round++) {
        remove_folder(bench);
        (void)bench_measure(bench, fill, NULL);
        struct bench_result result = bench_measure(bench, bench_run_pipeline, "pass.yaml");
        if (result.failed || result.rows != EVENTS || result.created != EVENTS) {
            bench_die("%s: %lld events read, %lld written", name_z, (long long)result.rows,
                      (long long)result.created);
        }
        rates[round] = (double)EVENTS / result.seconds;
    }
    remove_folder(bench);
    bench_print(bench, &(struct bench_line){.name_z = name_z,
                                            .value = bench_median(rates, ROUNDS),
                                            .unit_z = "events/s"});
}

void bench_pass(const struct bench *bench)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(kinds); i++) {
        if (bench_wants(bench, kinds[i].name_z)) {
            measure(bench, kinds[i].name_z, kinds[i].configuration_z);
        }
    }
}
