/* One run of a configuration's pipelines, measured by its report. */
#include "base/mem.h"
#include "bench.h"
#include "engine/engine.h"
#include "hub/hub.h"

static void take_report(void *ctx, const struct gm_pipeline *pipeline,
                        const struct gm_run_report *report)
{
    (void)pipeline;
    struct bench_result *result = ctx;
    const struct gm_run *run = &report->run;
    result->seconds = (double)(run->finished - run->started) / (double)GM_SECOND;
    result->rows = run->counts.read;
    result->created = run->counts.created;
    result->updated = run->counts.updated;
    result->unchanged = run->counts.unchanged;
    result->failed = run->status != GM_RUN_SUCCEEDED;
}

void bench_run_pipeline(const struct bench *bench, const void *arg, struct bench_result *result)
{
    struct gm_err err = {0};
    struct gm_config *config;
    struct gm_store *store;
    struct gm_hub *hub;
    struct gm_engine *engine;
    size_t failed;
    GM_AUTO_FREE char *path_z = gm_format_z("%s/%s", bench->folder_z, (const char *)arg);
    bench_must(gm_config_load(path_z, &config, &err), &err);
    const struct gm_store_options options = {.folder_z = gm_config_root(config)->data};
    bench_must(gm_store_open(&options, &store, &err), &err);
    const struct gm_hub_options hub_options = {.streams = &gm_config_root(config)->streams,
                                               .folder_z = options.folder_z,
                                               .clock = gm_store_clock(store)};
    bench_must(gm_hub_open(&hub_options, &hub, &err), &err);
    gm_store_set_streams(store, gm_hub_directory(hub));
    const struct gm_engine_options engine_options = {
        .config = config, .store = store, .on_run = take_report, .ctx = result};
    bench_must(gm_engine_open(&engine_options, &engine, &err), &err);
    bench_must(gm_engine_run_once(engine, NULL, &failed, &err), &err);
    gm_engine_close(engine);
    gm_store_set_streams(store, NULL);
    gm_hub_close(hub);
    gm_store_close(store);
    gm_config_free(config);
}
