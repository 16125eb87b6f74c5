/* What runs, redrives, approvals and verification work with: a pipeline's row, steps and sink,
 * opened and closed. */
#include "base/mem.h"
#include "engine/run_internal.h"
#include "hub/hub.h"
#include "sync/outbox.h"

enum { REPORT_ARENA_SIZE = 16 << 20, NAMES_MAX = 4096 };

/* Names that the map wrote when the last complete run went, and no longer does: they are taken off
 * the twins. */
static void find_dropped_names(struct run_work *work)
{
    struct gm_str rest = work->row.step_targets, name;
    bool same_steps = gm_str_is(work->row.step_fingerprint, work->pipeline->step_fingerprint_z);
    if (rest.n == 0 || same_steps || work->open_names) {
        return;
    }
    struct gm_str *dropped = gm_arena_alloc(work->report->arena, NAMES_MAX * sizeof(*dropped));
    size_t count = 0;
    while (rest.n > 0 && count < NAMES_MAX) {
        (void)gm_str_cut(rest, '\n', &name, &rest);
        bool kept = name.n == 0;
        for (size_t i = 0; !kept && i < work->names.n; i++) {
            kept = gm_str_eq(work->names.at[i], name);
        }
        if (!kept) {
            dropped[count++] = name;
        }
    }
    work->dropped_names = (struct gm_strs){dropped, count};
}

/* The steps against the newest models. Those that were deleted, by a deletion job for one, come
 * back from the configuration's folder. */
static gm_rc compile_steps(struct run_work *work, struct gm_err *err)
{
    const struct gm_run_options *options = work->options;
    struct gm_steps_conf conf = {.steps = work->conf->steps,
                                 .map = work->conf->map,
                                 .folder_z = options->folder_z,
                                 .any_body = (work->pipeline->sink->caps & GM_CAP_ANY_BODY) != 0};
    work->models = gm_store_models_hold(options->store);
    gm_rc rc = gm_steps_compile(&conf, work->models, &work->steps, err);
    if (rc != GM_E_CONFIG || options->models_z == NULL) {
        return rc;
    }
    size_t added;
    struct gm_err ignored; /* what is wrong with the pipeline is the better news */
    if (gm_store_add_models(options->store, options->models_z, &added, &ignored) != GM_OK ||
        added == 0) {
        return rc;
    }
    gm_store_models_release(options->store, work->models);
    work->models = gm_store_models_hold(options->store);
    return gm_steps_compile(&conf, work->models, &work->steps, err);
}

static gm_rc open_steps_and_sink(struct run_work *work, struct gm_err *err)
{
    const struct gm_run_options *options = work->options;
    GM_TRY(compile_steps(work, err));
    gm_steps_targets(work->steps, &work->names.at, &work->names.n, &work->open_names);
    find_dropped_names(work);
    struct gm_sink_env env = {.models = work->models,
                              .graph = gm_store_graph(options->store),
                              .governors = gm_store_governors(options->store),
                              .clock = gm_store_clock(options->store),
                              .names = work->names,
                              .dropped_names = work->dropped_names,
                              .open_names = work->open_names,
                              .pipeline = gm_str_z(work->pipeline->name_z),
                              .streams = gm_store_streams(options->store),
                              .events = gm_run_passes_events(work)};
    return work->pipeline->sink->sink_open(work->conf->sink.conf, &env, &work->sink, err);
}

static gm_rc insert_pipeline(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct run_work *work = ctx;
    return gm_pipeline_insert(tx->db, work->row.name, &work->row.num, err);
}

static gm_rc find_pipeline(struct run_work *work, struct gm_err *err)
{
    work->row.name = gm_str_z(work->pipeline->name_z);
    gm_rc rc = gm_pipeline_find(work->db, work->report->arena, &work->row, err);
    if (rc != GM_E_END) {
        return rc;
    }
    work->row = (struct gm_pipeline_row){.name = gm_str_z(work->pipeline->name_z)};
    if (work->options->plan) {
        work->row.num = INT64_MAX; /* nothing is known of it, and nothing will be */
        return GM_OK;
    }
    return gm_store_write(work->options->store, insert_pipeline, work, err);
}

static enum gm_state_kind kind_of(const struct gm_connector *sink)
{
    return sink->outside != NULL  ? GM_STATE_KIND_OUTSIDE
           : sink->behind != NULL ? GM_STATE_KIND_STREAM
                                  : GM_STATE_KIND_STORE;
}

/* What it has delivered so far: also of events, which leave no states. */
static gm_rc find_kind(struct run_work *work, enum gm_state_kind *out_kind, struct gm_err *err)
{
    struct gm_outbox outbox;
    struct gm_err ignored;
    GM_TRY(gm_state_kind(work->db, work->row.num, out_kind, err));
    if (*out_kind != GM_STATE_KIND_NONE) {
        return GM_OK;
    }
    gm_rc rc = gm_outbox_get(work->db, work->report->arena, work->row.num, &outbox, &ignored);
    if (rc == GM_OK) {
        *out_kind = GM_STATE_KIND_STREAM;
    } else if (rc != GM_E_END) {
        *err = ignored;
        return rc;
    }
    return GM_OK;
}

/* A target's number means something else to another kind of sink. */
static gm_rc check_kind(struct run_work *work, struct gm_err *err)
{
    static const char *const places[] = {[GM_STATE_KIND_STORE] =
                                             "into the graph of this data directory",
                                         [GM_STATE_KIND_OUTSIDE] = "to another service",
                                         [GM_STATE_KIND_STREAM] = "into a stream"};
    enum gm_state_kind kind;
    GM_TRY(find_kind(work, &kind, err));
    if (kind == GM_STATE_KIND_NONE || kind == kind_of(work->pipeline->sink)) {
        return GM_OK;
    }
    return gm_fail(err, GM_E_CONFIG,
                   "pipeline %s has delivered %s so far, and its sink is `%s` now; give it another "
                   "name, or `gemel forget %s` first",
                   work->pipeline->name_z, places[kind], work->pipeline->sink->name_z,
                   work->pipeline->name_z);
}

gm_rc gm_run_work_open(struct run_work *work, const struct gm_run_options *options,
                       struct gm_run_report *report, struct gm_err *err)
{
    *work = (struct run_work){.options = options,
                              .pipeline = options->pipeline,
                              .conf = options->pipeline->conf,
                              .report = report,
                              .run = &report->run};
    if (report->arena == NULL) {
        report->arena = gm_arena_new(REPORT_ARENA_SIZE);
    }
    work->parked_keys = gm_map_new();
    work->freed_keys = gm_map_new();
    work->breaker.window = (size_t)work->conf->errors.window;
    work->breaker.ring = gm_alloc(work->breaker.window);
    GM_TRY(gm_store_reader(options->store, &work->db, err));
    GM_TRY(find_pipeline(work, err));
    GM_TRY(check_kind(work, err));
    GM_TRY(gm_state_reader_open(work->db, &work->states, err));
    GM_TRY(gm_dead_letters_count(work->db, work->row.num, &work->letters, err));
    return open_steps_and_sink(work, err);
}

gm_rc gm_run_streams_open(struct gm_run_streams *streams, const struct gm_run_options *options,
                          const struct gm_config *config, struct gm_err *err)
{
    *streams = (struct gm_run_streams){.store = options->store};
    if (options->pipeline->sink->behind == NULL || gm_store_streams(options->store) != NULL) {
        return GM_OK;
    }
    const struct gm_hub_options hub = {.streams = &gm_config_root(config)->streams,
                                       .folder_z = gm_store_folder_z(options->store),
                                       .clock = gm_store_clock(options->store)};
    GM_TRY(gm_hub_open(&hub, &streams->hub, err));
    gm_store_set_streams(options->store, gm_hub_directory(streams->hub));
    return GM_OK;
}

void gm_run_streams_close(struct gm_run_streams *streams)
{
    if (streams->hub != NULL) {
        gm_store_set_streams(streams->store, NULL);
        gm_hub_close(streams->hub);
    }
}

struct gm_sink_work gm_run_sink_work(const struct run_work *work, const struct gm_stop *stop)
{
    const struct gm_clock *clock = gm_store_clock(work->options->store);
    return (struct gm_sink_work){.db = work->db,
                                 .pipeline = work->row.num,
                                 .run = work->run->num,
                                 .now = clock->wall(clock),
                                 .stop = stop,
                                 .dry = work->options->plan,
                                 .resync = work->options->resync};
}

gm_rc gm_run_begin_behind(struct run_work *work, const struct gm_stop *stop, struct gm_err *err)
{
    const struct gm_behind *behind = work->pipeline->sink->behind;
    struct gm_sink_work sink_work = gm_run_sink_work(work, stop);
    return behind != NULL ? behind->begin(work->sink, &sink_work, err) : GM_OK;
}

gm_rc gm_run_deliver(struct run_work *work, struct gm_batch *batch, const struct gm_stop *stop,
                     struct gm_err *err)
{
    const struct gm_behind *behind = work->pipeline->sink->behind;
    if (behind == NULL || work->options->plan) {
        return GM_OK;
    }
    struct gm_sink_work sink_work = gm_run_sink_work(work, stop);
    return behind->deliver(work->sink, &sink_work, batch, err);
}

void gm_run_work_close(struct run_work *work)
{
    if (work->sink != NULL) {
        work->pipeline->sink->sink_close(work->sink);
    }
    gm_steps_free(work->steps);
    if (work->models != NULL) {
        gm_store_models_release(work->options->store, work->models);
    }
    gm_state_reader_close(work->states);
    gm_db_close(work->db);
    gm_seen_free(work->seen);
    gm_map_free(work->parked_keys);
    gm_map_free(work->freed_keys);
    gm_free(work->breaker.ring);
}

gm_rc gm_run_open_source(struct run_work *work, const struct gm_stop *stop, void **out_source,
                         struct gm_err *err)
{
    struct gm_connect_env env = {.folder_z = work->options->folder_z,
                                 .clock = gm_store_clock(work->options->store),
                                 .stop = stop,
                                 .streams = gm_store_streams(work->options->store),
                                 .data_z = gm_store_folder_z(work->options->store),
                                 .waits = work->options->waits,
                                 .wanted = &work->options->handle->wanted,
                                 .each = gm_run_passes_events(work),
                                 .hash_seed = work->pipeline->hash_seed};
    return work->pipeline->source->open(work->conf->source.conf, &env, out_source, err);
}

void gm_run_add_sample(struct run_work *work, struct gm_run_samples *samples, struct gm_str key,
                       struct gm_str text)
{
    if (!work->options->plan || samples->count >= GM_RUN_SAMPLES_MAX) {
        return;
    }
    samples->at[samples->count++] = (struct gm_run_sample){gm_arena_dup(work->report->arena, key),
                                                           gm_arena_dup(work->report->arena, text)};
}

void gm_run_report_free(struct gm_run_report *report)
{
    gm_arena_free(report->arena);
    report->arena = NULL;
}
