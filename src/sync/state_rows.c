/* Sync state, read row by row: for verification and people. */
#include "sync/rows.h"
#include "sync/state.h"
#include "sync_sql.h"

const char *gm_state_name(enum gm_state state)
{
    static const char *const names[] = {
        [GM_STATE_COMPLETED] = "completed", [GM_STATE_PENDING] = "pending",
        [GM_STATE_FAILED] = "failed",       [GM_STATE_DEAD] = "dead",
        [GM_STATE_DELETED] = "deleted",
    };
    GM_ASSERT(state >= GM_STATE_COMPLETED && state <= GM_STATE_DELETED);
    return names[state];
}

static gm_rc hand_out(const struct gm_stmt *stmt, gm_state_fn fn, void *ctx, struct gm_err *err)
{
    int64_t state = gm_column_i64(stmt, 2);
    struct gm_state_row row = {
        .key = gm_column_text(stmt, 0),
        .slot = gm_column_i64(stmt, 1),
        .state = (enum gm_state)state,
        .target = gm_column_i64(stmt, 4),
        .target_id = gm_column_text(stmt, 5),
        .run = gm_column_i64(stmt, 6),
        .changed = gm_column_i64(stmt, 7),
        .version = gm_column_i64(stmt, 8),
        .attempts = gm_column_i64(stmt, 9),
        .last_error = gm_column_text(stmt, 10),
        .missed_runs = gm_column_i64(stmt, 11),
        .missed_since = gm_column_i64(stmt, 12),
        .missed_in = gm_column_i64(stmt, 13),
    };
    if (state < GM_STATE_COMPLETED || state > GM_STATE_DELETED) {
        return gm_fail(err, GM_E_CORRUPT,
                       "sync state of key \"" GM_STR_FMT "\": unknown state %lld",
                       GM_STR_ARG(row.key), (long long)state);
    }
    GM_TRY(gm_column_hash(stmt, 3, row.key, &row.hash, err));
    return fn(ctx, &row, err);
}

gm_rc gm_states_list(struct gm_db *db, int64_t pipeline, gm_state_fn fn, void *ctx,
                     struct gm_err *err)
{
    GM_AUTO_STMT struct gm_stmt *stmt = NULL;
    GM_TRY(gm_db_prepare(db, GM_SQL_STATES_LIST, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    gm_rc rc;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        GM_TRY(hand_out(stmt, fn, ctx, err));
    }
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_state_get(struct gm_db *db, const struct gm_state_key *key, gm_state_fn fn, void *ctx,
                   struct gm_err *err)
{
    GM_AUTO_STMT struct gm_stmt *stmt = NULL;
    GM_TRY(gm_db_prepare(db, GM_SQL_STATE_GET, &stmt, err));
    gm_bind_i64(stmt, 1, key->pipeline);
    gm_bind_text(stmt, 2, key->key);
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_E_END) {
        return gm_fail(err, GM_E_END, "the pipeline knows no key \"" GM_STR_FMT "\"",
                       GM_STR_ARG(key->key));
    }
    GM_TRY(rc);
    return hand_out(stmt, fn, ctx, err);
}

gm_rc gm_state_note(struct gm_db *db, const struct gm_state_key *key, struct gm_str error,
                    struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_STATE_NOTE, &stmt, err));
    gm_bind_i64(stmt, 1, key->pipeline);
    gm_bind_text(stmt, 2, key->key);
    gm_bind_text(stmt, 3, error);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_state_kind(struct gm_db *db, int64_t pipeline, enum gm_state_kind *out_kind,
                    struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_STATE_KIND, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_E_END) {
        *out_kind = GM_STATE_KIND_NONE;
        return GM_OK;
    }
    GM_TRY(rc);
    int64_t kind = gm_column_i64(stmt, 0);
    *out_kind = kind == 3   ? GM_STATE_KIND_STREAM
                : kind == 2 ? GM_STATE_KIND_OUTSIDE
                            : GM_STATE_KIND_STORE;
    gm_reset(stmt);
    return GM_OK;
}

gm_rc gm_states_count(struct gm_db *db, int64_t pipeline, int64_t out_counts[6], struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_STATES_COUNT, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    GM_TRY(gm_step(stmt, err));
    out_counts[0] = 0;
    for (int i = 0; i < 5; i++) {
        out_counts[i + 1] = gm_column_i64(stmt, i);
    }
    gm_reset(stmt);
    return GM_OK;
}

/* No record has the hash of zeros: it is what differs from all. */
gm_rc gm_states_unsettle(struct gm_db *db, struct gm_err *err)
{
    struct gm_stmt *stmt;
    uint8_t bytes[GM_HASH128_SIZE];
    GM_TRY(gm_db_prepare_once(db, GM_SQL_STATES_UNSETTLE, &stmt, err));
    gm_bind_hash(stmt, 1, (struct gm_hash128){0}, bytes);
    GM_TRY(gm_stmt_run(stmt, NULL, err));
    GM_TRY(gm_db_prepare_once(db, GM_SQL_PIPELINES_REWIND, &stmt, err));
    return gm_stmt_run(stmt, NULL, err);
}
