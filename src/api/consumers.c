#include "api/consumers.h"

#include "base/mem.h"
#include "connect/stream/stream.h"
#include "os/file.h"
#include "stream/follow.h"
#include "sync/run.h"
#include "sync/state.h"
#include "view/view.h"
#include "json/json.h"

struct visit {
    const struct gm_consumers_options *options;
    struct gm_db *db;
    gm_consumer_fn fn;
    void *ctx;
};

/* What a stream has from `next` on, an offset for each partition. */
static gm_rc count_lag(const struct gm_hub_stream *stream, const int64_t *next, int64_t *out_lag,
                       struct gm_err *err)
{
    int partitions = stream->stream != NULL ? gm_stream_partitions(stream->stream) : 0;
    *out_lag = 0;
    for (int p = 0; p < partitions; p++) {
        struct gm_stream_info info;
        GM_TRY(gm_stream_info(stream->stream, p, &info, err));
        int64_t from = next[p] > info.oldest ? next[p] : info.oldest;
        *out_lag += info.next > from ? info.next - from : 0;
    }
    return GM_OK;
}

static int partitions_of(const struct gm_hub_stream *stream)
{
    return stream->stream != NULL ? gm_stream_partitions(stream->stream) : 0;
}

/* ---- pipelines ---- */

static gm_rc visit_pipeline(const struct visit *visit, const struct gm_pipeline *pipeline,
                            struct gm_err *err)
{
    enum { ROW_SIZE_MAX = 4 << 20 };
    const struct gm_hub_stream *stream =
        gm_hub_find(visit->options->hub, gm_stream_source_name(pipeline->conf->source.conf));
    if (stream == NULL) {
        return GM_OK;
    }
    struct gm_stream_cursor at;
    struct gm_consumer consumer = {
        .kind_z = "pipeline", .name = gm_str_z(pipeline->name_z), .stream = stream->name};
    struct gm_arena *arena = gm_arena_new(ROW_SIZE_MAX);
    struct gm_pipeline_row row = {.name = consumer.name};
    gm_rc rc = gm_pipeline_find(visit->db, arena, &row, err);
    if (rc == GM_OK || rc == GM_E_END) { /* END: it never ran */
        struct gm_str cursor = rc == GM_OK ? row.cursor : (struct gm_str){"", 0};
        gm_stream_source_cursor(cursor, stream->name, partitions_of(stream), &at);
        rc = count_lag(stream, at.next, &consumer.lag, err);
    }
    gm_arena_free(arena);
    if (rc == GM_OK) {
        visit->fn(visit->ctx, &consumer);
    }
    return rc;
}

static gm_rc visit_pipelines(const struct visit *visit, struct gm_err *err)
{
    const struct gm_config *config = visit->options->config;
    for (size_t i = 0; visit->db != NULL && i < gm_config_pipeline_count(config); i++) {
        const struct gm_pipeline *pipeline = gm_config_pipeline(config, i);
        if (pipeline->source == &gm_connector_stream && pipeline->conf->enabled) {
            GM_TRY(visit_pipeline(visit, pipeline, err));
        }
    }
    return GM_OK;
}

/* ---- views ---- */

static void visit_own_views(const struct visit *visit)
{
    struct gm_views *views = visit->options->views;
    for (size_t i = 0; i < gm_views_count(views); i++) {
        struct gm_views_status status;
        gm_views_status(views, i, &status);
        visit->fn(visit->ctx,
                  &(struct gm_consumer){.kind_z = "view",
                                        .name = status.name,
                                        .stream = status.stream,
                                        .lag = status.rebuilding ? status.rebuild_lag : status.lag,
                                        .why_z = status.rc != GM_OK ? status.why.text : NULL});
    }
}

/* As its file says; one that has none has folded nothing yet. */
static gm_rc visit_saved_view(const struct visit *visit, const struct gm_conf_map_entry *entry,
                              struct gm_err *err)
{
    const struct gm_view_conf *conf = entry->value;
    const struct gm_hub_stream *stream = gm_hub_find(visit->options->hub, gm_str_z(conf->stream));
    if (stream == NULL) {
        return GM_OK;
    }
    int64_t next[GM_STREAM_PARTITIONS_MAX] = {0};
    struct gm_file_info info;
    struct gm_consumer consumer = {
        .kind_z = "view", .name = gm_str_z(entry->name_z), .stream = stream->name};
    GM_AUTO_FREE char *path_z =
        gm_format_z("%s/views/%s.db", visit->options->folder_z, entry->name_z);
    GM_TRY(gm_file_info(path_z, &info, err));
    if (info.type == GM_FILE_REGULAR) {
        GM_TRY(gm_view_saved(path_z, partitions_of(stream), next, err));
    }
    GM_TRY(count_lag(stream, next, &consumer.lag, err));
    visit->fn(visit->ctx, &consumer);
    return GM_OK;
}

static gm_rc visit_views(const struct visit *visit, struct gm_err *err)
{
    const struct gm_conf_map *views = &gm_config_root(visit->options->config)->views;
    if (visit->options->views != NULL) {
        visit_own_views(visit);
        return GM_OK;
    }
    for (size_t i = 0; i < views->n; i++) {
        GM_TRY(visit_saved_view(visit, &views->at[i], err));
    }
    return GM_OK;
}

/* ---- forwarders ---- */

static gm_rc visit_forwards(const struct visit *visit, struct gm_err *err)
{
    for (size_t i = 0; i < gm_hub_count(visit->options->hub); i++) {
        const struct gm_hub_stream *stream = gm_hub_at(visit->options->hub, i);
        struct gm_forward_status status = {0};
        struct gm_hub_figures figures;
        if (stream->conf->forward.url == NULL) {
            continue;
        }
        GM_TRY(gm_hub_figures(stream, &figures, err));
        bool own = gm_forwards_status(visit->options->forwards, stream->name, &status);
        visit->fn(visit->ctx,
                  &(struct gm_consumer){.kind_z = "forward",
                                        .name = gm_str_z(stream->conf->forward.url),
                                        .stream = stream->name,
                                        .lag = own ? status.lag : figures.forward_lag,
                                        .why_z = own && status.why.text[0] != '\0' ? status.why.text
                                                                                   : NULL});
    }
    return GM_OK;
}

/* ---- all ---- */

static void visit_follower(void *ctx, const struct gm_follower_status *status)
{
    const struct visit *visit = ctx;
    visit->fn(visit->ctx, &(struct gm_consumer){.kind_z = "follower",
                                                .name = gm_str_z(status->name_z),
                                                .stream = gm_str_z(status->what_z),
                                                .lag = status->lag});
}

gm_rc gm_consumers_each(const struct gm_consumers_options *options, struct gm_db *db,
                        gm_consumer_fn fn, void *ctx, struct gm_err *err)
{
    struct visit visit = {options, db, fn, ctx};
    GM_TRY(visit_pipelines(&visit, err));
    GM_TRY(visit_views(&visit, err));
    GM_TRY(visit_forwards(&visit, err));
    gm_streams_api_followers(options->streams, visit_follower, &visit);
    return GM_OK;
}

static void write_one(void *ctx, const struct gm_consumer *consumer)
{
    struct gm_buf *out = ctx;
    gm_buf_addf(out, "%s{\"kind\":\"%s\",\"name\":", out->p[out->n - 1] == '[' ? "" : ",",
                consumer->kind_z);
    gm_json_quote(out, consumer->name);
    gm_buf_add_z(out, ",\"stream\":");
    gm_json_quote(out, consumer->stream);
    gm_buf_addf(out, ",\"lag\":%lld", (long long)consumer->lag);
    if (consumer->why_z != NULL) {
        gm_buf_add_z(out, ",\"error\":");
        gm_json_quote(out, gm_str_z(consumer->why_z));
    }
    gm_buf_add_char(out, '}');
}

gm_rc gm_consumers_write_json(const struct gm_consumers_options *options, struct gm_db *db,
                              struct gm_buf *out, struct gm_err *err)
{
    gm_buf_add_char(out, '[');
    GM_TRY(gm_consumers_each(options, db, write_one, out, err));
    gm_buf_add_char(out, ']');
    return GM_OK;
}
