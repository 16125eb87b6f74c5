/* Forgetting a pipeline: its objects are given up, or deleted, page by page. */
#include "base/mem.h"
#include "engine/operations.h"
#include "engine/run_internal.h"
#include "sync/objects.h"
#include "sync/outbox.h"
#include "sync/sweep.h"

struct forgetting {
    struct gm_store *store;
    const struct gm_sweep_task *task;
    struct gm_sweep_page *page;
    struct gm_pipeline_row row;
    bool delete;
    gm_store_fn fn;                     /* forgets a page */
    const struct gm_pipeline *pipeline; /* of the configuration, when its sink is needed */
};

/* Nothing is trusted of a source that begins anew. */
static void distrust(struct gm_pipeline_row *row)
{
    row->cursor = row->source_fingerprint = row->step_fingerprint = row->step_targets =
        (struct gm_str){NULL, 0};
}

/* The states of a page, in its transaction. */
static gm_rc forget_rows(struct forgetting *forgetting, const struct gm_store_tx *tx,
                         struct gm_err *err)
{
    struct gm_sweep_task task = *forgetting->task;
    struct gm_pipeline_row row = forgetting->row;
    task.db = tx->db;
    GM_TRY(gm_sweep_forget(&task, forgetting->page, &row.live_count, err));
    distrust(&row);
    GM_TRY(gm_pipeline_update(tx->db, &row, err));
    forgetting->row = row;
    return GM_OK;
}

static gm_rc forget_page(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct forgetting *forgetting = ctx;
    struct gm_sweep_task task = *forgetting->task;
    task.db = tx->db;
    GM_TRY(gm_graph_begin(tx->graph,
                          &(struct gm_cause){.pipeline = forgetting->row.num,
                                             .run = task.run->num,
                                             .actor = GM_STR("forget"),
                                             .now = task.now},
                          err));
    for (size_t i = 0; i < forgetting->page->count; i++) {
        const struct gm_sweep_item *item = &forgetting->page->items[i];
        struct gm_str source, id;
        bool deleted;
        if (item->target == 0 && (item->target_id.p == NULL || !forgetting->delete)) {
            continue;
        }
        if (!forgetting->delete) {
            GM_TRY(gm_graph_disown(tx->graph, item->target, err));
        } else if (gm_str_cut(item->target_id, '/', &source, &id)) {
            GM_TRY(gm_graph_remove_link(tx->graph, source, id, 0, err));
        } else {
            GM_TRY(gm_graph_release_twin(tx->graph, item->target, (struct gm_strs){NULL, 0},
                                         &deleted, err));
        }
    }
    GM_TRY(gm_graph_end(tx->graph, err));
    return forget_rows(forgetting, tx, err);
}

static gm_rc forget_all(struct forgetting *forgetting, struct gm_db *db, int64_t *out_count,
                        struct gm_err *err)
{
    struct gm_seen *nothing = gm_seen_new();
    gm_rc rc;
    while ((rc = gm_sweep_find_missing(db, forgetting->row.num, nothing, forgetting->page, err)) ==
           GM_OK) {
        rc = gm_store_write(forgetting->store, forgetting->fn, forgetting, err);
        if (rc != GM_OK) {
            break;
        }
        *out_count += (int64_t)forgetting->page->count;
    }
    gm_seen_free(nothing);
    return rc == GM_E_END ? GM_OK : rc;
}

/* ---- other services ---- */

/* The rows go; what they tell of stays where it is. */
static gm_rc leave_page(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct forgetting *forgetting = ctx;
    for (size_t i = 0; i < forgetting->page->count; i++) {
        struct gm_state_key key = {forgetting->row.num, forgetting->page->items[i].key};
        GM_TRY(gm_objects_forget_key(tx->db, &key, err));
    }
    return forget_rows(forgetting, tx, err);
}

static gm_rc leave_all(struct forgetting *forgetting, struct gm_db *db, int64_t *out_count,
                       struct gm_err *err)
{
    forgetting->fn = leave_page;
    return forget_all(forgetting, db, out_count, err);
}

static gm_rc delete_with(struct run_work *work, struct forgetting *forgetting, int64_t *out_count,
                         struct gm_err *err)
{
    struct gm_seen *nothing = gm_seen_new();
    gm_rc rc = gm_run_begin_behind(work, NULL, err);
    work->run->num = forgetting->row.last_full_run;
    distrust(&work->row);
    while (rc == GM_OK && (rc = gm_sweep_find_missing(work->db, work->row.num, nothing,
                                                      forgetting->page, err)) == GM_OK) {
        int64_t gone = 0;
        struct gm_run_removal removal = {work, forgetting->task, forgetting->page, NULL};
        rc = gm_run_delete_page(&removal, &gone, err);
        *out_count += gone;
    }
    gm_seen_free(nothing);
    if (rc == GM_E_END && work->kept_count > 0) {
        return gm_fail(err, GM_E_CONFLICT, "%lld could not be deleted; the first: " GM_STR_FMT,
                       (long long)work->kept_count, GM_STR_ARG(work->kept_error));
    }
    return rc == GM_E_END ? GM_OK : rc;
}

/* Deletes page by page, with a sink of its own. What is refused stays known, and is said. */
static gm_rc delete_elsewhere(const struct gm_forgetting *request, struct forgetting *forgetting,
                              int64_t *out_count, struct gm_err *err)
{
    struct run_work work = {0};
    struct gm_run_streams streams;
    struct gm_run_report report = {0};
    struct gm_run_options options = {.store = request->store,
                                     .pipeline = forgetting->pipeline,
                                     .folder_z = gm_config_folder_z(request->config),
                                     .handle = gm_run_handle_new(),
                                     .cause_z = "forget"};
    gm_rc rc = gm_run_streams_open(&streams, &options, request->config, err);
    rc = rc == GM_OK ? gm_run_work_open(&work, &options, &report, err) : rc;
    if (rc == GM_OK) {
        rc = delete_with(&work, forgetting, out_count, err);
        forgetting->row.live_count = work.row.live_count;
    }
    gm_run_work_close(&work);
    gm_run_streams_close(&streams);
    gm_run_report_free(&report);
    gm_run_handle_free(options.handle);
    return rc;
}

static gm_rc forget_elsewhere(const struct gm_forgetting *request, struct forgetting *forgetting,
                              struct gm_db *db, int64_t *out_count, struct gm_err *err)
{
    if (!request->delete) {
        return leave_all(forgetting, db, out_count, err);
    }
    if (request->config != NULL) {
        forgetting->pipeline = gm_config_find(request->config, request->name_z, NULL);
    }
    if (forgetting->pipeline == NULL || (forgetting->pipeline->sink->outside == NULL &&
                                         forgetting->pipeline->sink->behind == NULL)) {
        return gm_fail(err, GM_E_CONFIG,
                       "pipeline %s delivered to another service or into a stream; to delete there "
                       "its sink must stand in the configuration (--config), or forget it without "
                       "--delete",
                       request->name_z);
    }
    return delete_elsewhere(request, forgetting, out_count, err);
}

/* What it wrote into a stream, its place in the source, and its letters: of events there are some
 * without a state. */
static gm_rc forget_rest(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct forgetting *forgetting = ctx;
    struct gm_pipeline_row row = forgetting->row;
    distrust(&row);
    GM_TRY(gm_outbox_forget(tx->db, row.num, err));
    GM_TRY(gm_dead_letters_forget(tx->db, row.num, err));
    return gm_pipeline_update(tx->db, &row, err);
}

static gm_rc forget(const struct gm_forgetting *request, struct forgetting *forgetting,
                    struct gm_db *db, int64_t *out_count, struct gm_err *err)
{
    enum gm_state_kind kind;
    GM_TRY(gm_state_kind(db, forgetting->row.num, &kind, err));
    if (kind == GM_STATE_KIND_OUTSIDE || kind == GM_STATE_KIND_STREAM) {
        GM_TRY(forget_elsewhere(request, forgetting, db, out_count, err));
    } else {
        forgetting->fn = forget_page;
        GM_TRY(forget_all(forgetting, db, out_count, err));
    }
    return gm_store_write(request->store, forget_rest, forgetting, err);
}

gm_rc gm_forget_pipeline(const struct gm_forgetting *request, int64_t *out_count,
                         struct gm_err *err)
{
    const struct gm_clock *clock = gm_store_clock(request->store);
    struct forgetting forgetting = {.store = request->store,
                                    .row = {.name = gm_str_z(request->name_z)},
                                    .delete = request->delete};
    struct gm_arena *arena = gm_arena_new(16 << 20);
    struct gm_db *db;
    *out_count = 0;
    gm_rc rc = gm_store_reader(request->store, &db, err);
    if (rc == GM_OK) {
        rc = gm_pipeline_find(db, arena, &forgetting.row, err);
        rc = rc == GM_E_END
                 ? gm_fail(err, GM_E_CONFIG, "no pipeline `%s` has run here; see `gemel status`",
                           request->name_z)
                 : rc;
        if (rc == GM_OK) {
            struct gm_run run = {.num = forgetting.row.last_full_run,
                                 .pipeline = forgetting.row.num};
            struct gm_sweep_task task = {.db = db, .run = &run, .now = clock->wall(clock)};
            forgetting.task = &task;
            forgetting.page = gm_sweep_page_new();
            rc = forget(request, &forgetting, db, out_count, err);
            gm_sweep_page_free(forgetting.page);
        }
        gm_db_close(db);
    }
    gm_arena_free(arena);
    return rc;
}
