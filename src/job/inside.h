/* What the files of this part share. Internal to this folder. */
#ifndef GM_JOB_INSIDE_H
#define GM_JOB_INSIDE_H

#include "job/job.h"
#include "os/thread.h"

struct gm_jobs {
    struct gm_jobs_options options;
    const struct gm_clock *clock;
    char *folder_z;       /* DATA/jobs */
    struct gm_db *reader; /* the jobs' thread's */
    struct gm_thread *thread;
    struct gm_stop *closing;
    struct gm_mutex *mu;
    struct gm_cond *news;
    bool asked;           /* guarded by mu; there may be work */
    bool closed;          /* guarded by mu */
    int64_t current;      /* guarded by mu; number of the job under way, 0: none */
    struct gm_stop *stop; /* guarded by mu; of the job under way */
};

/* ---- rows.c; inside write transactions, but for `next` and `outdated` ---- */

gm_rc gm_job_insert(struct gm_db *db, const struct gm_job_request *request, gm_ns now,
                    bool *out_inserted, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_job_count_open(struct gm_db *db, int64_t *out_count, struct gm_err *err) GM_MUST_CHECK;
/* The job to do now; GM_E_END: none. */
gm_rc gm_job_next(struct gm_db *db, struct gm_arena *arena, struct gm_job *out_job,
                  struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_job_set_status(struct gm_db *db, int64_t num, enum gm_job_status status, gm_ns now,
                        struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_job_set_progress(struct gm_db *db, int64_t num, struct gm_str progress, struct gm_err *err)
    GM_MUST_CHECK;
/* With its status, the time in `finished`, and error when there is one. */
gm_rc gm_job_finish(struct gm_db *db, const struct gm_job *job, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_job_remove(struct gm_db *db, int64_t num, struct gm_err *err) GM_MUST_CHECK;
/* Numbers of jobs that finished before `time`. */
enum { GM_JOBS_OUTDATED_MAX = 100 }; /* a call's, as the statement has it */
struct gm_job_nums {
    int64_t at[GM_JOBS_OUTDATED_MAX];
    size_t n;
};
gm_rc gm_jobs_outdated(struct gm_db *db, gm_ns time, struct gm_job_nums *out_nums,
                       struct gm_err *err) GM_MUST_CHECK;

/* ---- log.c: what an import says ---- */

struct gm_job_log;
/* `fresh`: the job begins, not goes on. */
gm_rc gm_job_log_open(const struct gm_jobs *jobs, const struct gm_job *job, bool fresh,
                      struct gm_job_log **out_log, struct gm_err *err) GM_MUST_CHECK;
/* {"timestamp":…,"jobId":…,"jobType":"Import","logType":…,"details":DETAILS}; details are JSON. */
void gm_job_log_add(struct gm_job_log *log, const char *type_z, const char *fmt, ...)
    GM_PRINTF(3, 4);
/* Writes what was added; when it is time, or with `all`, publishes. */
gm_rc gm_job_log_flush(struct gm_job_log *log, bool all, struct gm_err *err) GM_MUST_CHECK;
void gm_job_log_close(struct gm_job_log *log); /* NULL is fine */

/* ---- the work; GM_E_CANCELLED: `stop` was requested ---- */

struct gm_job_work {
    struct gm_jobs *jobs;
    const struct gm_job *job;
    struct gm_stop *stop;
    struct gm_arena *arena;
};
/* GM_E_INVALID: it went to its end, but not all could be imported. */
gm_rc gm_job_import(const struct gm_job_work *work, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_job_delete_all(const struct gm_job_work *work, struct gm_err *err) GM_MUST_CHECK;

/* DATA/jobs/NUM.input and the like; returns owned. */
char *gm_job_file_z(const struct gm_jobs *jobs, int64_t num, const char *suffix_z);
/* Whether a file may be read or written for a job. */
gm_rc gm_job_check_file(const struct gm_jobs *jobs, const char *path_z, struct gm_err *err)
    GM_MUST_CHECK;
/* Tries again what is GM_E_RETRY, GM_JOB_FETCH_ATTEMPTS times in all, with pauses. */
gm_rc gm_job_persist(const struct gm_job_work *work, gm_rc (*fn)(void *ctx, struct gm_err *err),
                     void *ctx, struct gm_err *err) GM_MUST_CHECK;

#endif
