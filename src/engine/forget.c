/* Forgetting a pipeline: its objects are given up, or deleted, page by page. */
#include "base/mem.h"
#include "engine/operations.h"
#include "sync/sweep.h"

struct forgetting {
    struct gm_store *store;
    const struct gm_sweep_task *task;
    struct gm_sweep_page *page;
    struct gm_pipeline_row row;
    bool delete;
};

static gm_rc forget_page(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct forgetting *forgetting = ctx;
    struct gm_sweep_task task = *forgetting->task;
    struct gm_pipeline_row row = forgetting->row;
    task.db = tx->db;
    GM_TRY(gm_graph_begin(
        tx->graph,
        &(struct gm_cause){
            .pipeline = row.num, .run = task.run->num, .actor = GM_STR("forget"), .now = task.now},
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
    GM_TRY(gm_sweep_forget(&task, forgetting->page, &row.live_count, err));
    /* Nothing is trusted of a source that begins anew. */
    row.cursor = row.source_fingerprint = row.step_fingerprint = row.step_targets =
        (struct gm_str){NULL, 0};
    GM_TRY(gm_pipeline_update(tx->db, &row, err));
    forgetting->row = row;
    return GM_OK;
}

static gm_rc forget_all(struct forgetting *forgetting, struct gm_db *db, int64_t *out_count,
                        struct gm_err *err)
{
    struct gm_seen *nothing = gm_seen_new();
    gm_rc rc;
    while ((rc = gm_sweep_find_missing(db, forgetting->row.num, nothing, forgetting->page, err)) ==
           GM_OK) {
        rc = gm_store_write(forgetting->store, forget_page, forgetting, err);
        if (rc != GM_OK) {
            break;
        }
        *out_count += (int64_t)forgetting->page->count;
    }
    gm_seen_free(nothing);
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_forget_pipeline(struct gm_store *store, const char *name_z, bool delete,
                         int64_t *out_count, struct gm_err *err)
{
    const struct gm_clock *clock = gm_store_clock(store);
    struct forgetting forgetting = {
        .store = store, .row = {.name = gm_str_z(name_z)}, .delete = delete};
    struct gm_arena *arena = gm_arena_new(16 << 20);
    struct gm_db *db;
    *out_count = 0;
    gm_rc rc = gm_store_reader(store, &db, err);
    if (rc == GM_OK) {
        rc = gm_pipeline_find(db, arena, &forgetting.row, err);
        rc = rc == GM_E_END ? gm_fail(err, GM_E_CONFIG,
                                      "no pipeline `%s` has run here; see `gemel status`", name_z)
                            : rc;
        if (rc == GM_OK) {
            struct gm_run run = {.num = forgetting.row.last_full_run,
                                 .pipeline = forgetting.row.num};
            struct gm_sweep_task task = {.db = db, .run = &run, .now = clock->wall(clock)};
            forgetting.task = &task;
            forgetting.page = gm_sweep_page_new();
            rc = forget_all(&forgetting, db, out_count, err);
            gm_sweep_page_free(forgetting.page);
        }
        gm_db_close(db);
    }
    gm_arena_free(arena);
    return rc;
}
