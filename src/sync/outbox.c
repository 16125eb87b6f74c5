#include "sync/outbox.h"

#include "sync/rows.h"
#include "sync_sql.h"

gm_rc gm_outbox_get(struct gm_db *db, struct gm_arena *arena, int64_t pipeline,
                    struct gm_outbox *out_outbox, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OUTBOX_GET, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    GM_TRY(gm_step(stmt, err));
    struct gm_outbox outbox = {.pipeline = pipeline,
                               .stream = gm_arena_dup(arena, gm_column_text(stmt, 0)),
                               .identity = gm_column_i64(stmt, 1),
                               .epoch = gm_arena_dup(arena, gm_column_text(stmt, 2)),
                               .next = gm_column_i64(stmt, 3)};
    gm_reset(stmt);
    if (outbox.stream.p == NULL || outbox.epoch.p == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no memory is left for what a pipeline wrote");
    }
    *out_outbox = outbox;
    return GM_OK;
}

gm_rc gm_outbox_from(struct gm_db *db, struct gm_arena *arena, struct gm_outbox_part *part,
                     struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OUTBOX_FROM, &stmt, err));
    gm_bind_i64(stmt, 1, part->pipeline);
    gm_bind_i64(stmt, 2, part->first);
    GM_TRY(gm_step(stmt, err));
    struct gm_str bytes = gm_arena_dup(arena, gm_column_blob(stmt, 2));
    if (bytes.p != NULL) {
        part->first = gm_column_i64(stmt, 0);
        part->count = gm_column_i64(stmt, 1);
        part->bytes = bytes;
    }
    gm_reset(stmt);
    return bytes.p != NULL
               ? GM_OK
               : gm_fail(err, GM_E_LIMIT, "no memory is left for what a pipeline wrote");
}

gm_rc gm_outbox_put(struct gm_db *db, const struct gm_outbox *outbox, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OUTBOX_PUT, &stmt, err));
    gm_bind_i64(stmt, 1, outbox->pipeline);
    gm_bind_text(stmt, 2, outbox->stream);
    gm_bind_i64(stmt, 3, outbox->identity);
    gm_bind_text(stmt, 4, outbox->epoch);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_outbox_draw(struct gm_db *db, int64_t pipeline, int64_t count, int64_t *out_first,
                     struct gm_err *err)
{
    struct gm_stmt *stmt;
    int64_t next;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OUTBOX_DRAW, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    gm_bind_i64(stmt, 2, count);
    GM_TRY(gm_step_number(stmt, &next, err));
    *out_first = next - count;
    return GM_OK;
}

gm_rc gm_outbox_add(struct gm_db *db, const struct gm_outbox_part *part, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OUTBOX_ADD, &stmt, err));
    gm_bind_i64(stmt, 1, part->pipeline);
    gm_bind_i64(stmt, 2, part->first);
    gm_bind_i64(stmt, 3, part->count);
    gm_bind_blob(stmt, 4, part->bytes);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_outbox_settle(struct gm_db *db, int64_t pipeline, int64_t next, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OUTBOX_SETTLE, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    gm_bind_i64(stmt, 2, next);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_outbox_forget(struct gm_db *db, int64_t pipeline, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_outbox_settle(db, pipeline, INT64_MAX, err));
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OUTBOX_FORGET, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    return gm_stmt_run(stmt, NULL, err);
}
