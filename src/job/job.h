/* Jobs: imports of a file into the graph, and deletion of everything in it, done in the background,
 * one at a time, in the order in which they were asked for.
 *
 *     GM_TRY(gm_jobs_open(&options, &jobs, err));            // goes on with what was under way
 *     GM_TRY(gm_jobs_add(jobs, &request, &outcome, err));
 *     GM_TRY(gm_job_get(db, &name, arena, &job, err));       // on any reading connection
 *     gm_jobs_close(jobs);
 *
 * They are the jobs of Azure Digital Twins' data plane (import: NDJSON of twin/transfer.h;
 * deletion: all relationships, twins and models). Neither is atomic: what was done before a failure
 * or a cancellation stays.
 *
 * An import reads its input from a file or fetches it first, to DATA/jobs/NUM.input. What it meets
 * is told line by line, as JSON, in its output: appended to a file as it comes, or kept in
 * DATA/jobs/NUM.log and published every GM_JOB_PUBLISH_PERIOD and at the end. Lines of the file
 * that cannot be imported are in the output, each with its number and why; the job then fails, with
 * how many they were.
 *
 * How far an import is stands in its row, written in the transaction of each batch. A process that
 * ends, however, leaves the job as it is, and the next one goes on behind the last commit; lines of
 * the output around that place may be there twice.
 *
 * After a deletion nothing is in the graph but what pipelines bring: each is made to deliver all
 * its objects anew by its next run.
 *
 * Finished jobs are kept for `keep`. Threads: `gemel-jobs` does the work; calls from any thread. */
#ifndef GM_JOB_JOB_H
#define GM_JOB_JOB_H

#include "net/blob.h"
#include "store/store.h"

enum {
    GM_JOBS_OPEN_MAX = 64, /* waiting or under way */
    GM_JOB_ID_SIZE_MAX = 128,
    GM_JOB_URI_SIZE_MAX = 4096,
    GM_JOB_FETCH_ATTEMPTS = 5,
};
#define GM_JOB_PUBLISH_PERIOD (10 * GM_SECOND)
#define GM_JOB_KEEP (30 * GM_DAY)
#define GM_JOB_TIMEOUT_MIN (15 * GM_MINUTE) /* of deletions */
#define GM_JOB_TIMEOUT_MAX (24 * GM_HOUR)
#define GM_JOB_TIMEOUT (12 * GM_HOUR)

enum gm_job_kind { GM_JOB_IMPORT, GM_JOB_DELETION };
const char *gm_job_kind_name(enum gm_job_kind kind); /* "import" */

enum gm_job_status {
    GM_JOB_NOT_STARTED,
    GM_JOB_RUNNING,
    GM_JOB_CANCELLING,
    GM_JOB_SUCCEEDED,
    GM_JOB_FAILED,
    GM_JOB_CANCELLED,
};
const char *gm_job_status_name(enum gm_job_status status); /* as the service writes it */

struct gm_job {
    int64_t num;
    enum gm_job_kind kind;
    struct gm_str id;
    enum gm_job_status status;
    struct gm_str input, output;     /* URLs; p NULL: none. Queries in them may be secret */
    gm_ns timeout;                   /* of a deletion */
    gm_ns created, acted;            /* acted: the last change of its status */
    gm_ns finished;                  /* 0: not yet */
    struct gm_str progress;          /* JSON; p NULL: none */
    struct gm_str error_code, error; /* p NULL: none */
};
/* When a finished job goes; 0: it is not finished. */
gm_ns gm_job_purge_time(const struct gm_job *job, gm_ns keep);

/* ---- looking, on any connection ---- */

struct gm_job_name {
    enum gm_job_kind kind;
    struct gm_str id;
};
/* Texts in `arena`. GM_E_END: no such job. */
gm_rc gm_job_get(struct gm_db *db, const struct gm_job_name *name, struct gm_arena *arena,
                 struct gm_job *out_job, struct gm_err *err) GM_MUST_CHECK;
/* Of one kind, in order of their numbers; texts are borrowed for the call. */
struct gm_job_query {
    enum gm_job_kind kind;
    int64_t after; /* number */
    int64_t limit;
};
typedef gm_rc (*gm_job_fn)(void *ctx, const struct gm_job *job, struct gm_err *err);
gm_rc gm_jobs_list(struct gm_db *db, const struct gm_job_query *query, gm_job_fn fn, void *ctx,
                   struct gm_err *err) GM_MUST_CHECK;

/* ---- doing ---- */

struct gm_jobs_options {
    struct gm_store *store;      /* keeps */
    struct gm_blob_client blobs; /* what it points at is kept; `stop` is set by the jobs */
    const char *files_z;         /* files of jobs must lie below this folder; NULL: anywhere */
    gm_ns keep;                  /* of finished jobs; 0: GM_JOB_KEEP */
};

struct gm_jobs;
gm_rc gm_jobs_open(const struct gm_jobs_options *options, struct gm_jobs **out_jobs,
                   struct gm_err *err) GM_MUST_CHECK;
/* Ends what is under way between two transactions, to be gone on with. NULL is fine. */
void gm_jobs_close(struct gm_jobs *jobs);
gm_ns gm_jobs_keep(const struct gm_jobs *jobs);

struct gm_job_request {
    struct gm_job_name name;
    struct gm_str input, output; /* of an import */
    gm_ns timeout;               /* of a deletion; 0: GM_JOB_TIMEOUT */
};
/* DONE: it is in the store. Else nothing was written, and `why` of the request's fault says so. */
enum gm_job_outcome {
    GM_JOB_DONE,
    GM_JOB_EXISTS,   /* one of this id */
    GM_JOB_TOO_MANY, /* GM_JOBS_OPEN_MAX */
    GM_JOB_INVALID,  /* id, URLs or timeout */
    GM_JOB_MISSING,  /* there is none of this id */
    GM_JOB_FINISHED, /* it cannot be cancelled any more */
    GM_JOB_BUSY,     /* it is under way and cannot be removed: cancel it */
};
struct gm_job_answer {
    enum gm_job_outcome outcome;
    struct gm_err why; /* INVALID */
};
gm_rc gm_jobs_add(struct gm_jobs *jobs, const struct gm_job_request *request,
                  struct gm_job_answer *out_answer, struct gm_err *err) GM_MUST_CHECK;
/* It ends soon: its status is `cancelling`, then `cancelled`. */
gm_rc gm_jobs_cancel(struct gm_jobs *jobs, const struct gm_job_name *name,
                     struct gm_job_answer *out_answer, struct gm_err *err) GM_MUST_CHECK;
/* Forgets a finished job, or one that was not begun. The end of one that is being cancelled is
 * waited for, for seconds at most. */
gm_rc gm_jobs_remove(struct gm_jobs *jobs, const struct gm_job_name *name,
                     struct gm_job_answer *out_answer, struct gm_err *err) GM_MUST_CHECK;

#endif
