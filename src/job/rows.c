/* The rows of `jobs`. */
#include "job/inside.h"
#include "job_sql.h"

static const char *const kind_names[] = {
    [GM_JOB_IMPORT] = "import",
    [GM_JOB_DELETION] = "deletion",
};
static const char *const status_names[] = {
    [GM_JOB_NOT_STARTED] = "notstarted", [GM_JOB_RUNNING] = "running",
    [GM_JOB_CANCELLING] = "cancelling",  [GM_JOB_SUCCEEDED] = "succeeded",
    [GM_JOB_FAILED] = "failed",          [GM_JOB_CANCELLED] = "cancelled",
};

const char *gm_job_kind_name(enum gm_job_kind kind)
{
    return kind_names[kind];
}

const char *gm_job_status_name(enum gm_job_status status)
{
    return status_names[status];
}

gm_ns gm_job_purge_time(const struct gm_job *job, gm_ns keep)
{
    return job->finished > 0 ? job->finished + keep : 0;
}

/* ---- reading ---- */

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

/* Texts borrow from the statement. */
static gm_rc take_row(struct gm_stmt *stmt, struct gm_job *out_job, struct gm_err *err)
{
    int kind = find_name(kind_names, GM_ARRAY_COUNT(kind_names), gm_column_text(stmt, 1));
    int status = find_name(status_names, GM_ARRAY_COUNT(status_names), gm_column_text(stmt, 3));
    if (kind < 0 || status < 0) {
        return gm_fail(err, GM_E_CORRUPT, "job %lld has a kind or status that is not known",
                       (long long)gm_column_i64(stmt, 0));
    }
    *out_job = (struct gm_job){.num = gm_column_i64(stmt, 0),
                               .kind = (enum gm_job_kind)kind,
                               .id = gm_column_text(stmt, 2),
                               .status = (enum gm_job_status)status,
                               .input = gm_column_text(stmt, 4),
                               .output = gm_column_text(stmt, 5),
                               .timeout = gm_column_i64(stmt, 6),
                               .created = gm_column_i64(stmt, 7),
                               .acted = gm_column_i64(stmt, 8),
                               .finished = gm_column_i64(stmt, 9),
                               .progress = gm_column_text(stmt, 10),
                               .error_code = gm_column_text(stmt, 11),
                               .error = gm_column_text(stmt, 12)};
    return GM_OK;
}

static struct gm_str keep(struct gm_arena *arena, struct gm_str text)
{
    return text.p != NULL ? gm_arena_dup(arena, text) : text;
}

/* The statement's one row; resets it. */
static gm_rc take_one(struct gm_stmt *stmt, struct gm_arena *arena, struct gm_job *out_job,
                      struct gm_err *err)
{
    struct gm_job job;
    gm_rc rc = gm_step(stmt, err);
    if (rc != GM_OK) {
        return rc;
    }
    rc = take_row(stmt, &job, err);
    if (rc == GM_OK) {
        job.id = keep(arena, job.id);
        job.input = keep(arena, job.input);
        job.output = keep(arena, job.output);
        job.progress = keep(arena, job.progress);
        job.error_code = keep(arena, job.error_code);
        job.error = keep(arena, job.error);
        *out_job = job;
    }
    gm_reset(stmt);
    return rc;
}

gm_rc gm_job_get(struct gm_db *db, const struct gm_job_name *name, struct gm_arena *arena,
                 struct gm_job *out_job, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_JOB_GET, &stmt, err));
    gm_bind_text(stmt, 1, gm_str_z(kind_names[name->kind]));
    gm_bind_text(stmt, 2, name->id);
    return take_one(stmt, arena, out_job, err);
}

gm_rc gm_job_next(struct gm_db *db, struct gm_arena *arena, struct gm_job *out_job,
                  struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_JOB_NEXT, &stmt, err));
    return take_one(stmt, arena, out_job, err);
}

gm_rc gm_jobs_list(struct gm_db *db, const struct gm_job_query *query, gm_job_fn fn, void *ctx,
                   struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare(db, GM_SQL_JOB_LIST, &stmt, err));
    gm_bind_text(stmt, 1, gm_str_z(kind_names[query->kind]));
    gm_bind_i64(stmt, 2, query->after);
    gm_bind_i64(stmt, 3, query->limit);
    gm_rc rc;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        struct gm_job job;
        rc = take_row(stmt, &job, err);
        rc = rc == GM_OK ? fn(ctx, &job, err) : rc;
        if (rc != GM_OK) {
            break;
        }
    }
    gm_stmt_finalize(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_job_count_open(struct gm_db *db, int64_t *out_count, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_JOB_OPEN_COUNT, &stmt, err));
    GM_TRY(gm_step(stmt, err));
    *out_count = gm_column_i64(stmt, 0);
    gm_reset(stmt);
    return GM_OK;
}

gm_rc gm_jobs_outdated(struct gm_db *db, gm_ns time, struct gm_job_nums *out_nums,
                       struct gm_err *err)
{
    struct gm_stmt *stmt;
    gm_rc rc;
    out_nums->n = 0;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_JOB_OUTDATED, &stmt, err));
    gm_bind_i64(stmt, 1, time);
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        GM_ASSERT(out_nums->n < GM_JOBS_OUTDATED_MAX);
        out_nums->at[out_nums->n++] = gm_column_i64(stmt, 0);
    }
    return rc == GM_E_END ? GM_OK : rc;
}

/* ---- writing ---- */

gm_rc gm_job_insert(struct gm_db *db, const struct gm_job_request *request, gm_ns now,
                    bool *out_inserted, struct gm_err *err)
{
    struct gm_stmt *stmt;
    int64_t changes;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_JOB_INSERT, &stmt, err));
    gm_bind_text(stmt, 1, gm_str_z(kind_names[request->name.kind]));
    gm_bind_text(stmt, 2, request->name.id);
    gm_bind_text(stmt, 3, request->input);
    gm_bind_text(stmt, 4, request->output);
    gm_bind_i64(stmt, 5, request->timeout);
    gm_bind_i64(stmt, 6, now);
    GM_TRY(gm_stmt_run(stmt, &changes, err));
    *out_inserted = changes == 1;
    return GM_OK;
}

gm_rc gm_job_set_status(struct gm_db *db, int64_t num, enum gm_job_status status, gm_ns now,
                        struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_JOB_SET_STATUS, &stmt, err));
    gm_bind_i64(stmt, 1, num);
    gm_bind_text(stmt, 2, gm_str_z(status_names[status]));
    gm_bind_i64(stmt, 3, now);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_job_set_progress(struct gm_db *db, int64_t num, struct gm_str progress, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_JOB_SET_PROGRESS, &stmt, err));
    gm_bind_i64(stmt, 1, num);
    gm_bind_text(stmt, 2, progress);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_job_finish(struct gm_db *db, const struct gm_job *job, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_JOB_FINISH, &stmt, err));
    gm_bind_i64(stmt, 1, job->num);
    gm_bind_text(stmt, 2, gm_str_z(status_names[job->status]));
    gm_bind_i64(stmt, 3, job->finished);
    gm_bind_text(stmt, 4, job->error_code);
    gm_bind_text(stmt, 5, job->error);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_job_remove(struct gm_db *db, int64_t num, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_JOB_REMOVE, &stmt, err));
    gm_bind_i64(stmt, 1, num);
    return gm_stmt_run(stmt, NULL, err);
}
