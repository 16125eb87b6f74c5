/* One run of one pipeline: from a snapshot of the source to committed effects.
 *
 *     struct gm_run_handle *handle = gm_run_handle_new();
 *     struct gm_run_options options = {.store = store, .pipeline = pipeline, .handle = handle,
 *                                      .cause_z = "once"};
 *     gm_rc rc = gm_pipeline_run(&options, &report, err);
 *
 * Threads of a run: its own (the worker) and a reader; effects go to the store's writer. Batches go
 * round:
 *
 *     reader: read ──filled──▶ worker: compare, steps, prepare ──job──▶ writer: apply, commit
 *        ▲                        │ nothing to write  ▲                     │
 *        └──────── free ◀─────────┘                   └──────── done ◀──────┘
 *
 * There are RUN_SLOTS batches and no more, so a slow writer slows the reader. The worker alone
 * counts and knows what was seen. A source that breaks in the middle ends the attempt; what was
 * committed stays, and the next attempt begins anew: what is unchanged costs a comparison. A crash
 * at any point leaves whole batches: effects, state and cursor are in one commit. */
#ifndef GM_ENGINE_RUN_H
#define GM_ENGINE_RUN_H

#include "engine/config.h"
#include "store/store.h"
#include "sync/run.h"

/* How a run is watched and stopped from other threads. */
struct gm_run_handle;
struct gm_run_handle *gm_run_handle_new(void);
void gm_run_handle_free(struct gm_run_handle *handle);
/* the run ends with status stopped as soon as it can */
void gm_run_handle_stop(struct gm_run_handle *handle);

/* A run that waits for more events (options.waits) ends with what there is, and so does each that
 * follows, until as many times `resume` was called. */
void gm_run_handle_yield(struct gm_run_handle *handle);
void gm_run_handle_resume(struct gm_run_handle *handle);

struct gm_run_progress {
    bool running;
    gm_ns started; /* monotonic */
    int64_t read, written, parked;
    int64_t rows_estimate; /* 0: unknown */
    int64_t read_bytes, bytes_estimate;
    bool sweeping;
};
void gm_run_handle_progress(struct gm_run_handle *handle, struct gm_run_progress *out_progress);

struct gm_run_options {
    struct gm_store *store;
    const struct gm_pipeline *pipeline;
    const char *folder_z; /* of the configuration */
    /* its models: loaded again when the pipeline's are not in the store; NULL: none */
    const char *models_z;
    struct gm_run_handle *handle;
    const char *cause_z; /* "once", "schedule", "manual" */
    int64_t keep_runs;   /* 0: all */
    bool plan;           /* do everything, undo every transaction, keep nothing */
    bool resync;         /* compare effects even where the source's record is unchanged */
    bool waits;          /* the pass waits for more instead of ending: see GM_CAP_EVENTS */
};

/* What a plan found, a few of each kind. */
enum { GM_RUN_SAMPLES_MAX = 5 };
struct gm_run_samples {
    size_t count;
    struct gm_run_sample {
        struct gm_str key;
        struct gm_str text; /* the twin's id, or what is wrong */
    } at[GM_RUN_SAMPLES_MAX];
};

struct gm_run_report {
    struct gm_arena *arena; /* of the texts */
    struct gm_run run;
    struct gm_run_samples created, updated, deleted, parked; /* plans only */
};
void gm_run_report_free(struct gm_run_report *report);

/* GM_OK when the run succeeded; otherwise what report->run.error says as well. The report is filled
 * in any case. */
gm_rc gm_pipeline_run(const struct gm_run_options *options, struct gm_run_report *report,
                      struct gm_err *err) GM_MUST_CHECK;

#endif
