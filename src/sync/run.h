/* Pipelines and their runs, as the store knows them.
 *
 * A run is one pass of a pipeline, with a correlation id that stands in its report, its log lines,
 * its webhook and (by number) in each change it made. Rows of `runs` are kept: they are the
 * report. */
#ifndef GM_SYNC_RUN_H
#define GM_SYNC_RUN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "db/db.h"

/* ---- pipelines ---- */

struct gm_pipeline_row {
    int64_t num; /* 0: not in the store yet */
    struct gm_str name;
    struct gm_str source_fingerprint; /* of the last complete, trusted run; p NULL: none yet */
    struct gm_str step_fingerprint;
    struct gm_str step_targets; /* names that were written then, separated by '\n' */
    struct gm_str cursor;
    int64_t last_slot;
    int64_t last_full_run;
    gm_ns last_full_time;
    int64_t live_count;
};
/* By name, or by number when the name's p is NULL; texts in `arena`. GM_E_END: no such pipeline. */
gm_rc gm_pipeline_find(struct gm_db *db, struct gm_arena *arena, struct gm_pipeline_row *pipeline,
                       struct gm_err *err) GM_MUST_CHECK;
/* All, in order of name: `fn` is called for each; texts are borrowed for the call. */
typedef gm_rc (*gm_pipeline_fn)(void *ctx, const struct gm_pipeline_row *pipeline,
                                struct gm_err *err);
gm_rc gm_pipelines_list(struct gm_db *db, gm_pipeline_fn fn, void *ctx, struct gm_err *err)
    GM_MUST_CHECK;
/* Inside a write transaction. */
gm_rc gm_pipeline_insert(struct gm_db *db, struct gm_str name, int64_t *out_num, struct gm_err *err)
    GM_MUST_CHECK;
gm_rc gm_pipeline_update(struct gm_db *db, const struct gm_pipeline_row *pipeline,
                         struct gm_err *err) GM_MUST_CHECK;

/* ---- runs ---- */

enum { GM_RUN_ID_SIZE = 33 };

/* What happened to the records of a run. */
struct gm_run_counts {
    int64_t read, unchanged, filtered, created, updated, same, stale, deleted, parked, missing;
    int64_t read_bytes;
};

/* running; succeeded: complete; stopped: by the user; failed: see error; interrupted: the process
 * ended; skipped: never stored */
enum gm_run_status {
    GM_RUN_RUNNING,
    GM_RUN_SUCCEEDED,
    GM_RUN_FAILED,
    GM_RUN_STOPPED,
    GM_RUN_INTERRUPTED
};
const char *gm_run_status_name(enum gm_run_status status);

/* none: nothing was missing, or the pass was not complete; done; waiting: missing, but not often or
 * long enough; blocked; approved */
enum gm_sweep {
    GM_SWEEP_NONE,
    GM_SWEEP_DONE,
    GM_SWEEP_WAITING,
    GM_SWEEP_BLOCKED,
    GM_SWEEP_APPROVED
};
const char *gm_sweep_name(enum gm_sweep sweep);

struct gm_run {
    int64_t num;
    int64_t pipeline;
    struct gm_str pipeline_name; /* when listed */
    char id[GM_RUN_ID_SIZE]; /* correlation id: 32 hexadecimal digits, usable as a W3C trace id */
    struct gm_str cause;     /* "schedule", "once", "manual" */
    enum gm_run_status status;
    gm_ns started, finished;
    bool complete; /* the pass was full and went to the end */
    struct gm_run_counts counts;
    int64_t attempts; /* connections to the source that failed and were tried again */
    enum gm_sweep sweep;
    bool trusted;               /* its misses count towards deletion */
    struct gm_str sweep_reason; /* why it was blocked or waits */
    int64_t sweep_count;        /* objects concerned */
    struct gm_str fingerprint;  /* of source and filters */
    struct gm_str error_code;   /* gm_rc_name, p NULL: none */
    struct gm_str error;
};

/* Inside write transactions. `begin` fills num; the id is given. */
gm_rc gm_run_begin(struct gm_db *db, struct gm_run *run, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_run_update(struct gm_db *db, const struct gm_run *run, struct gm_err *err) GM_MUST_CHECK;
/* Runs that were under way when the process ended. */
gm_rc gm_runs_mark_interrupted(struct gm_db *db, gm_ns now, int64_t *out_count, struct gm_err *err)
    GM_MUST_CHECK;
/* Keeps the newest `keep` (≥ 1) of a pipeline. */
gm_rc gm_runs_trim(struct gm_db *db, int64_t pipeline, int64_t keep, struct gm_err *err)
    GM_MUST_CHECK;

/* Newest first. Texts are borrowed for the call. */
struct gm_run_query {
    int64_t pipeline; /* 0: of all */
    int64_t limit;    /* 0: no limit */
};
typedef gm_rc (*gm_run_fn)(void *ctx, const struct gm_run *run, struct gm_err *err);
gm_rc gm_runs_list(struct gm_db *db, const struct gm_run_query *query, gm_run_fn fn, void *ctx,
                   struct gm_err *err) GM_MUST_CHECK;
/* By number. GM_E_END: no such run. */
gm_rc gm_run_get(struct gm_db *db, int64_t num, gm_run_fn fn, void *ctx, struct gm_err *err)
    GM_MUST_CHECK;

/* "created 77, unchanged 0, …" without zeros but for read: one line for people. */
void gm_run_counts_write(const struct gm_run_counts *counts, struct gm_buf *out);
/* The report as a JSON object, the same everywhere: `gemel runs --json`, the admin API, the
 * webhook. */
void gm_run_write_json(const struct gm_run *run, struct gm_buf *out);

#endif
