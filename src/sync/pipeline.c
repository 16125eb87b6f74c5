/* The rows of `pipelines`. */
#include "sync/rows.h"
#include "sync/run.h"
#include "sync_sql.h"

static void read_row(const struct gm_stmt *stmt, struct gm_pipeline_row *out_row)
{
    *out_row = (struct gm_pipeline_row){
        .num = gm_column_i64(stmt, 0),
        .name = gm_column_text(stmt, 1),
        .source_fingerprint = gm_column_text(stmt, 2),
        .step_fingerprint = gm_column_text(stmt, 3),
        .step_targets = gm_column_text(stmt, 4),
        .cursor = gm_column_text(stmt, 5),
        .last_slot = gm_column_i64(stmt, 6),
        .last_full_run = gm_column_i64(stmt, 7),
        .last_full_time = gm_column_i64(stmt, 8),
        .live_count = gm_column_i64(stmt, 9),
    };
}

/* Null stays null. */
static bool keep_text(struct gm_arena *arena, struct gm_str *text)
{
    if (text->p != NULL) {
        *text = gm_arena_dup(arena, *text);
        return text->p != NULL;
    }
    return true;
}

static gm_rc keep_texts(struct gm_arena *arena, struct gm_pipeline_row *row, struct gm_err *err)
{
    int64_t num = row->num;
    bool kept = keep_text(arena, &row->name) && keep_text(arena, &row->source_fingerprint) &&
                keep_text(arena, &row->step_fingerprint) && keep_text(arena, &row->step_targets) &&
                keep_text(arena, &row->cursor);
    return kept ? GM_OK
                : gm_fail(err, GM_E_LIMIT, "pipeline number %lld: no memory left for its texts",
                          (long long)num);
}

gm_rc gm_pipeline_find(struct gm_db *db, struct gm_arena *arena, struct gm_pipeline_row *pipeline,
                       struct gm_err *err)
{
    bool by_name = pipeline->name.p != NULL;
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, by_name ? GM_SQL_PIPELINE_BY_NAME : GM_SQL_PIPELINE_BY_NUM, &stmt,
                              err));
    if (by_name) {
        gm_bind_text(stmt, 1, pipeline->name);
    } else {
        gm_bind_i64(stmt, 1, pipeline->num);
    }
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_E_END && by_name) {
        return gm_fail(err, GM_E_END, "there is no pipeline " GM_STR_FMT " in the store",
                       GM_STR_ARG(pipeline->name));
    }
    if (rc == GM_E_END) {
        return gm_fail(err, GM_E_END, "there is no pipeline with the number %lld in the store",
                       (long long)pipeline->num);
    }
    struct gm_pipeline_row row = {0};
    if (rc == GM_OK) {
        read_row(stmt, &row);
        rc = keep_texts(arena, &row, err);
    }
    gm_reset(stmt);
    if (rc == GM_OK) {
        *pipeline = row;
    }
    return rc;
}

gm_rc gm_pipelines_list(struct gm_db *db, gm_pipeline_fn fn, void *ctx, struct gm_err *err)
{
    GM_AUTO_STMT struct gm_stmt *stmt = NULL;
    GM_TRY(gm_db_prepare(db, GM_SQL_PIPELINES_LIST, &stmt, err));
    gm_rc rc;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        struct gm_pipeline_row row;
        read_row(stmt, &row);
        GM_TRY(fn(ctx, &row, err));
    }
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_pipeline_insert(struct gm_db *db, struct gm_str name, int64_t *out_num, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_PIPELINE_INSERT, &stmt, err));
    gm_bind_text(stmt, 1, name);
    return gm_step_number(stmt, out_num, err);
}

gm_rc gm_pipeline_update(struct gm_db *db, const struct gm_pipeline_row *pipeline,
                         struct gm_err *err)
{
    struct gm_stmt *stmt;
    int64_t changes;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_PIPELINE_UPDATE, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline->num);
    gm_bind_text(stmt, 2, pipeline->source_fingerprint);
    gm_bind_text(stmt, 3, pipeline->step_fingerprint);
    gm_bind_text(stmt, 4, pipeline->step_targets);
    gm_bind_text(stmt, 5, pipeline->cursor);
    gm_bind_i64(stmt, 6, pipeline->last_slot);
    gm_bind_i64(stmt, 7, pipeline->last_full_run);
    gm_bind_i64(stmt, 8, pipeline->last_full_time);
    gm_bind_i64(stmt, 9, pipeline->live_count);
    GM_TRY(gm_stmt_run(stmt, &changes, err));
    if (changes != 1) {
        return gm_fail(err, GM_E_CORRUPT, "the store has no pipeline number %lld (" GM_STR_FMT ")",
                       (long long)pipeline->num, GM_STR_ARG(pipeline->name));
    }
    return GM_OK;
}
