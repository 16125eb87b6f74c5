/* The rows of `runs`. */
#include "sync/run.h"

#include "sync/rows.h"
#include "sync_sql.h"

static const char *const status_names[] = {
    [GM_RUN_RUNNING] = "running", [GM_RUN_SUCCEEDED] = "succeeded",     [GM_RUN_FAILED] = "failed",
    [GM_RUN_STOPPED] = "stopped", [GM_RUN_INTERRUPTED] = "interrupted",
};
static const char *const sweep_names[] = {
    [GM_SWEEP_NONE] = "none",         [GM_SWEEP_DONE] = "done",
    [GM_SWEEP_WAITING] = "waiting",   [GM_SWEEP_BLOCKED] = "blocked",
    [GM_SWEEP_APPROVED] = "approved",
};

const char *gm_run_status_name(enum gm_run_status status)
{
    return status_names[status];
}

const char *gm_sweep_name(enum gm_sweep sweep)
{
    return sweep_names[sweep];
}

/* Index of `name`, or -1. */
static int find_name(const char *const names[], size_t count, struct gm_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (gm_str_is(name, names[i])) {
            return (int)i;
        }
    }
    return -1;
}

/* ---- writing ---- */

gm_rc gm_run_begin(struct gm_db *db, struct gm_run *run, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_RUN_INSERT, &stmt, err));
    gm_bind_i64(stmt, 1, run->pipeline);
    gm_bind_text(stmt, 2, gm_str_z(run->id));
    gm_bind_text(stmt, 3, run->cause);
    gm_bind_text(stmt, 4, gm_str_z(gm_run_status_name(run->status)));
    gm_bind_i64(stmt, 5, run->started);
    gm_bind_text(stmt, 6, run->fingerprint);
    return gm_step_number(stmt, &run->num, err);
}

static void bind_counts(struct gm_stmt *stmt, int first, const struct gm_run_counts *counts)
{
    const int64_t values[] = {
        counts->read,    counts->unchanged, counts->filtered,   counts->created,
        counts->updated, counts->same,      counts->stale,      counts->deleted,
        counts->parked,  counts->missing,   counts->read_bytes,
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(values); i++) {
        gm_bind_i64(stmt, first + (int)i, values[i]);
    }
}

gm_rc gm_run_update(struct gm_db *db, const struct gm_run *run, struct gm_err *err)
{
    struct gm_stmt *stmt;
    int64_t changes;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_RUN_UPDATE, &stmt, err));
    gm_bind_i64(stmt, 1, run->num);
    gm_bind_text(stmt, 2, gm_str_z(gm_run_status_name(run->status)));
    gm_bind_i64(stmt, 3, run->finished);
    gm_bind_i64(stmt, 4, run->complete);
    bind_counts(stmt, 5, &run->counts);
    gm_bind_i64(stmt, 16, run->attempts);
    gm_bind_text(stmt, 17, gm_str_z(gm_sweep_name(run->sweep)));
    gm_bind_i64(stmt, 18, run->trusted);
    gm_bind_text(stmt, 19, run->sweep_reason);
    gm_bind_i64(stmt, 20, run->sweep_count);
    gm_bind_text(stmt, 21, run->fingerprint);
    gm_bind_text(stmt, 22, run->error_code);
    gm_bind_text(stmt, 23, run->error);
    GM_TRY(gm_stmt_run(stmt, &changes, err));
    return changes == 1
               ? GM_OK
               : gm_fail(err, GM_E_CORRUPT, "the store has no run %lld", (long long)run->num);
}

gm_rc gm_runs_mark_interrupted(struct gm_db *db, gm_ns now, int64_t *out_count, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_RUNS_MARK_INTERRUPTED, &stmt, err));
    gm_bind_text(stmt, 1, gm_str_z(gm_run_status_name(GM_RUN_INTERRUPTED)));
    gm_bind_i64(stmt, 2, now);
    gm_bind_text(stmt, 3, gm_str_z(gm_rc_name(GM_E_CANCELLED)));
    gm_bind_text(stmt, 4, GM_STR("the process ended while the run was under way"));
    gm_bind_text(stmt, 5, gm_str_z(gm_run_status_name(GM_RUN_RUNNING)));
    return gm_stmt_run(stmt, out_count, err);
}

gm_rc gm_runs_trim(struct gm_db *db, int64_t pipeline, int64_t keep, struct gm_err *err)
{
    GM_ASSERT(keep > 0); /* the newest stays in any case: its number must not come back */
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_RUNS_TRIM, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    gm_bind_i64(stmt, 2, keep);
    return gm_stmt_run(stmt, NULL, err);
}

/* ---- reading ---- */

static void read_counts(const struct gm_stmt *stmt, int first, struct gm_run_counts *counts)
{
    int64_t *const values[] = {
        &counts->read,    &counts->unchanged, &counts->filtered,   &counts->created,
        &counts->updated, &counts->same,      &counts->stale,      &counts->deleted,
        &counts->parked,  &counts->missing,   &counts->read_bytes,
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(values); i++) {
        *values[i] = gm_column_i64(stmt, first + (int)i);
    }
}

static gm_rc read_row(const struct gm_stmt *stmt, struct gm_run *out_run, struct gm_err *err)
{
    struct gm_run run = {
        .num = gm_column_i64(stmt, 0),
        .pipeline = gm_column_i64(stmt, 1),
        .pipeline_name = gm_column_text(stmt, 2),
        .cause = gm_column_text(stmt, 4),
        .started = gm_column_i64(stmt, 6),
        .finished = gm_column_i64(stmt, 7),
        .complete = gm_column_i64(stmt, 8) != 0,
        .attempts = gm_column_i64(stmt, 20),
        .trusted = gm_column_i64(stmt, 22) != 0,
        .sweep_reason = gm_column_text(stmt, 23),
        .sweep_count = gm_column_i64(stmt, 24),
        .fingerprint = gm_column_text(stmt, 25),
        .error_code = gm_column_text(stmt, 26),
        .error = gm_column_text(stmt, 27),
    };
    read_counts(stmt, 9, &run.counts);
    struct gm_str id = gm_column_text(stmt, 3);
    int status = find_name(status_names, GM_ARRAY_COUNT(status_names), gm_column_text(stmt, 5));
    int sweep = find_name(sweep_names, GM_ARRAY_COUNT(sweep_names), gm_column_text(stmt, 21));
    if (status < 0 || sweep < 0 || id.n >= GM_RUN_ID_SIZE) {
        return gm_fail(err, GM_E_CORRUPT,
                       "run %lld of the store has an unknown status, sweep or id",
                       (long long)run.num);
    }
    run.status = (enum gm_run_status)status;
    run.sweep = (enum gm_sweep)sweep;
    memcpy(run.id, id.p, id.n);
    *out_run = run;
    return GM_OK;
}

static gm_rc hand_out(const struct gm_stmt *stmt, gm_run_fn fn, void *ctx, struct gm_err *err)
{
    struct gm_run run;
    GM_TRY(read_row(stmt, &run, err));
    return fn(ctx, &run, err);
}

gm_rc gm_runs_list(struct gm_db *db, const struct gm_run_query *query, gm_run_fn fn, void *ctx,
                   struct gm_err *err)
{
    GM_AUTO_STMT struct gm_stmt *stmt = NULL;
    GM_TRY(gm_db_prepare(db, GM_SQL_RUNS_LIST, &stmt, err));
    gm_bind_i64(stmt, 1, query->pipeline);
    gm_bind_i64(stmt, 2, query->limit > 0 ? query->limit : INT64_MAX);
    gm_rc rc;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        GM_TRY(hand_out(stmt, fn, ctx, err));
    }
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_run_get(struct gm_db *db, int64_t num, gm_run_fn fn, void *ctx, struct gm_err *err)
{
    GM_AUTO_STMT struct gm_stmt *stmt = NULL;
    GM_TRY(gm_db_prepare(db, GM_SQL_RUN_GET, &stmt, err));
    gm_bind_i64(stmt, 1, num);
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_E_END) {
        return gm_fail(err, GM_E_END, "there is no run %lld; see `gemel runs`", (long long)num);
    }
    GM_TRY(rc);
    return hand_out(stmt, fn, ctx, err);
}
