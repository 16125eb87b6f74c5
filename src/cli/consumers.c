#include "cli/consumers.h"

#include <stdio.h>

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "connect/stream/stream.h"
#include "stream/follow.h"
#include "sync/run.h"
#include "sync/state.h"

/* What a stream has behind a pipeline's cursor. */
static gm_rc count_lag(const struct gm_hub_stream *stream, struct gm_str cursor, int64_t *out_lag,
                       struct gm_err *err)
{
    struct gm_stream_cursor at;
    int64_t lag = 0;
    int partitions = stream->stream != NULL ? gm_stream_partitions(stream->stream) : 0;
    gm_stream_source_cursor(cursor, stream->name, partitions, &at);
    for (int p = 0; p < partitions; p++) {
        struct gm_stream_info info;
        GM_TRY(gm_stream_info(stream->stream, p, &info, err));
        int64_t from = at.next[p] > info.oldest ? at.next[p] : info.oldest;
        lag += info.next > from ? info.next - from : 0;
    }
    *out_lag = lag;
    return GM_OK;
}

static gm_rc visit(const struct gm_consumers_options *options, const struct gm_pipeline *pipeline,
                   struct gm_consumer *consumer, struct gm_err *err)
{
    enum { ROW_SIZE_MAX = 4 << 20 };
    const struct gm_hub_stream *stream =
        gm_hub_find(options->hub, gm_stream_source_name(pipeline->conf->source.conf));
    if (stream == NULL) {
        return GM_E_END;
    }
    struct gm_arena *arena = gm_arena_new(ROW_SIZE_MAX);
    struct gm_pipeline_row row = {.name = gm_str_z(pipeline->name_z)};
    gm_rc rc = gm_pipeline_find(options->db, arena, &row, err);
    if (rc == GM_OK || rc == GM_E_END) { /* END: it never ran */
        rc = count_lag(stream, rc == GM_OK ? row.cursor : (struct gm_str){"", 0}, &consumer->lag,
                       err);
    }
    consumer->name_z = pipeline->name_z;
    consumer->stream = stream->name;
    gm_arena_free(arena);
    return rc;
}

gm_rc gm_consumers_each(const struct gm_consumers_options *options,
                        void (*fn)(void *ctx, const struct gm_consumer *consumer), void *ctx,
                        struct gm_err *err)
{
    for (size_t i = 0; i < gm_config_pipeline_count(options->config); i++) {
        const struct gm_pipeline *pipeline = gm_config_pipeline(options->config, i);
        struct gm_consumer consumer = {0};
        if (pipeline->source != &gm_connector_stream || !pipeline->conf->enabled) {
            continue;
        }
        gm_rc rc = visit(options, pipeline, &consumer, err);
        if (rc == GM_OK) {
            fn(ctx, &consumer);
        } else if (rc != GM_E_END) {
            return rc;
        }
    }
    return GM_OK;
}

/* ---- printing ---- */

static void add_row(void *ctx, const struct gm_consumer *consumer)
{
    struct gm_table *table = ctx;
    char lag[32];
    gm_format_count(consumer->lag, lag);
    const struct gm_str cells[] = {gm_str_z(consumer->name_z), consumer->stream, gm_str_z(lag)};
    gm_table_add(table, cells);
}

static void count(void *ctx, const struct gm_consumer *consumer)
{
    (void)consumer;
    ++*(size_t *)ctx;
}

gm_rc gm_consumers_print(const struct gm_hub *hub, const struct gm_config *config, struct gm_db *db,
                         struct gm_err *err)
{
    static const char *const heads[] = {"PIPELINE", "STREAM", "LAG"};
    const struct gm_consumers_options options = {hub, config, db};
    struct gm_table *table = gm_table_new(heads, GM_ARRAY_COUNT(heads));
    size_t there = 0;
    gm_rc rc = gm_consumers_each(&options, count, &there, err);
    rc = rc == GM_OK ? gm_consumers_each(&options, add_row, table, err) : rc;
    if (rc == GM_OK && there > 0) {
        putchar('\n');
        gm_table_print(table);
    }
    gm_table_free(table);
    return rc;
}

/* ---- views ---- */

static void print_views(const yyjson_mut_val *views)
{
    static const char *const heads[] = {"VIEW", "STREAM", "LAG"};
    struct gm_table *table = gm_table_new(heads, GM_ARRAY_COUNT(heads));
    const yyjson_mut_val *view = gm_json_first(views);
    for (size_t i = 0; i < gm_json_count(views); i++, view = view->next) {
        char lag[32];
        gm_format_count(yyjson_mut_get_sint(gm_json_member(view, GM_STR("lag"))), lag);
        const struct gm_str cells[] = {gm_json_member_str(view, "name"),
                                       gm_json_member_str(view, "stream"), gm_str_z(lag)};
        gm_table_add(table, cells);
    }
    putchar('\n');
    gm_table_print(table);
    gm_table_free(table);
}

void gm_consumers_print_views(struct gm_args *args)
{
    enum { ANSWER_SIZE_MAX = 16 << 20 };
    struct gm_http_answer answer;
    struct gm_err ignored = {0};
    yyjson_mut_val *root;
    if (gm_remote_get(args, "/views", &answer, &ignored) != GM_OK) {
        return; /* nobody keeps them up */
    }
    struct gm_arena *arena = gm_arena_new(ANSWER_SIZE_MAX);
    if (gm_json_parse(gm_json_doc_new(arena), gm_buf_str(&answer.body), &root, &ignored) == GM_OK &&
        gm_json_count(gm_json_member(root, GM_STR("value"))) > 0) {
        print_views(gm_json_member(root, GM_STR("value")));
    }
    gm_arena_free(arena);
    gm_http_answer_free(&answer);
}
