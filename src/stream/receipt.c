#include "stream/receipt.h"

#include "stream/inside.h"
#include "stream_sql.h"

/* ---- writing, on the committing thread ---- */

static gm_rc write_receipt(struct gm_stmt *stmt, const struct gm_group_receipt *at,
                           struct gm_err *err)
{
    const struct gm_append *append = at->append;
    gm_bind_text(stmt, 1, append->receipt->name);
    gm_bind_i64(stmt, 2, (int64_t)append->receipt->hash);
    gm_bind_text(stmt, 3, append->events[0].key);
    gm_bind_i64(stmt, 4, at->version);
    gm_bind_i64(stmt, 5, at->place);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_stream_write_receipts(struct gm_stream *stream, const struct gm_group *group,
                               struct gm_err *err)
{
    struct gm_stmt *put, *trim;
    if (group->receipts.n == 0) {
        return GM_OK;
    }
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_RECEIPT_PUT, &put, err));
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_RECEIPTS_TRIM, &trim, err));
    for (size_t i = 0; i < group->receipts.n; i++) {
        GM_TRY(write_receipt(put, &group->receipts.at[i], err));
    }
    gm_bind_i64(trim, 1, GM_STREAM_RECEIPTS_MAX);
    return gm_stmt_run(trim, NULL, err);
}

/* ---- finding ---- */

static gm_rc find(struct gm_db *db, struct gm_arena *arena, struct gm_stream_receipt *receipt,
                  struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_STREAM_RECEIPT_GET, &stmt, err));
    gm_bind_text(stmt, 1, receipt->name);
    GM_TRY(gm_step(stmt, err));
    int64_t place = gm_column_i64(stmt, 3);
    receipt->hash = (uint64_t)gm_column_i64(stmt, 0);
    receipt->key = gm_arena_dup(arena, gm_column_text(stmt, 1));
    receipt->version = gm_column_i64(stmt, 2);
    receipt->partition = (int)(place >> GM_STREAM_PLACE_BITS);
    receipt->offset = gm_place_offset(place);
    gm_reset(stmt);
    return receipt->key.p != NULL ? GM_OK : gm_fail(err, GM_E_LIMIT, "the request is too large");
}

gm_rc gm_stream_receipt_find(struct gm_stream *stream, struct gm_arena *arena,
                             struct gm_stream_receipt *receipt, struct gm_err *err)
{
    struct gm_db *db;
    GM_TRY(gm_stream_file_reader(&stream->options, &db, err));
    gm_rc rc = find(db, arena, receipt, err);
    gm_db_close(db);
    return rc;
}
