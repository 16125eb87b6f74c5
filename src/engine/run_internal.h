/* What the files of a run share. Not for others. */
#ifndef GM_ENGINE_RUN_INTERNAL_H
#define GM_ENGINE_RUN_INTERNAL_H

#include <stdatomic.h>

#include "base/map.h"
#include "engine/run.h"
#include "os/queue.h"
#include "os/thread.h"
#include "step/step.h"
#include "sync/dead_letter.h"

struct gm_run_handle {
    struct gm_mutex *mu;
    struct gm_stop *stop;   /* of the attempt under way; guarded by mu, NULL: none */
    bool stopped;           /* guarded by mu */
    _Atomic int32_t wanted; /* by how many; the reader looks at it */
    _Atomic bool running, sweeping;
    _Atomic int64_t started, read, written, parked, rows_estimate, read_bytes, bytes_estimate;
};

enum {
    RUN_SLOTS = 4,
    /* Of a sink outside the store, whose batches are gathered until there is enough to send: with a
     * commit before and after each of them, few changes in many batches would wait for the disk. */
    RUN_SLOTS_OUTSIDE = 12,
    RUN_HELD_MAX = 8,        /* batches that are gathered */
    RUN_HELD_RECORDS = 2000, /* records to be sent that are enough */
};
#define RUN_HELD_LONGEST (50 * GM_MS) /* without another batch */

/* The last `window` records that were tried: whether each had to be parked. */
struct breaker {
    uint8_t *ring;
    size_t window, at, filled, parked;
};

/* Everything of one run. The worker's, but for what apply.c uses on the writer's thread while it
 * waits for a job. */
struct run_work {
    const struct gm_run_options *options;
    const struct gm_pipeline *pipeline;
    const struct gm_pipeline_conf *conf;
    struct gm_run_report *report;
    struct gm_run *run; /* the report's */
    /* last_slot, live_count and cursor: the writer's thread while jobs are out */
    struct gm_pipeline_row row;
    struct gm_db *db; /* reading */
    struct gm_state_reader *states;
    const struct gm_models *models; /* held */
    struct gm_steps *steps;
    void *sink;
    struct gm_strs names, dropped_names;
    bool open_names;
    struct gm_pass pass;
    struct gm_seen *seen; /* of the attempt under way */
    /* Of this run, and of events of all runs: later records wait behind them. */
    struct gm_map *parked_keys;
    /* Keys whose old letters went because the object showed up as it is applied; the writer's
     * thread while jobs are out. */
    struct gm_map *freed_keys;
    struct breaker breaker;
    int64_t letters; /* of the pipeline; the writer's thread while jobs are out */
    /* a batch failed: none behind it may commit. The writer's thread while jobs are out */
    bool broken;
    int64_t unkeyed; /* records of the attempt whose key could not be told */
    /* Of a sink outside the store: removals that it refused, and what it said of the first. */
    int64_t kept_count;
    struct gm_str kept_error;
};

/* Sets the flag that gm_run_handle_stop raises; set already when that was called before. Ends with
 * gm_run_unwatch, which frees it. */
struct gm_stop *gm_run_watch(struct gm_run_handle *handle);
void gm_run_unwatch(struct gm_run_handle *handle, struct gm_stop *stop);

/* Its source has GM_CAP_EVENTS. */
static inline bool gm_run_takes_events(const struct run_work *work)
{
    return (work->pipeline->source->caps & GM_CAP_EVENTS) != 0;
}

/* Its sink takes each event as it is: no state of keys is compared or kept, several of a key come
 * in a batch, and what is parked holds its key back until its letter is gone. */
static inline bool gm_run_passes_events(const struct run_work *work)
{
    return gm_run_takes_events(work) && (work->pipeline->sink->caps & GM_CAP_EACH) != 0;
}

/* ---- attempt.c: one pass over the source ---- */

/* GM_OK: the pass went to its end and everything is committed. GM_E_RETRY: the source broke; try
 * again. */
gm_rc gm_run_attempt(struct run_work *work, struct gm_str cursor, void *source, struct gm_err *err)
    GM_MUST_CHECK;

/* ---- apply.c: one batch on the writer's thread ---- */

struct batch_job {
    struct run_work *work;
    struct gm_batch *batch;
    bool partial; /* sending broke off: records are undecided, and the cursor stays */
    struct gm_store_job job;
    struct gm_queue *done; /* gets `slot` after the commit */
    void *slot;
    gm_rc rc;
    struct gm_err err;
};
gm_rc gm_run_submit_batch(struct batch_job *job, struct gm_err *err) GM_MUST_CHECK;

/* Counters of the pipeline that a job moves; put back when it is undone. */
struct run_counters {
    int64_t last_slot, live_count, letters;
};
struct run_counters gm_run_save_counters(const struct run_work *work);
void gm_run_restore_counters(struct run_work *work, const struct run_counters *saved);

/* ---- outside.c: sinks outside the store, on the worker ---- */

/* Looks at a prepared batch; `more`: behind others that will be sent with it. *out_count: how many
 * of its records are to be sent. No job of this run is out when the first is looked at. */
gm_rc gm_run_look_at_batch(struct run_work *work, struct gm_batch *batch, bool more,
                           size_t *out_count, struct gm_err *err) GM_MUST_CHECK;
/* Notes what will be sent of batches that were looked at, and sends it. What became of it is kept
 * by the first batch's job, also when this fails. Of a plan nothing is sent. */
struct gm_run_sending {
    struct run_work *work;
    struct gm_batch *batches[RUN_HELD_MAX];
    size_t count;
    const struct gm_stop *stop;
};
gm_rc gm_run_send_batches(const struct gm_run_sending *sending, struct gm_err *err) GM_MUST_CHECK;
/* At the end of a pass: what waits in the sink is tried once more. */
gm_rc gm_run_send_last(struct run_work *work, const struct gm_stop *stop, struct gm_err *err)
    GM_MUST_CHECK;
/* Removes a page of targets. Those that are gone become deleted, those that were refused failed;
 * *out_gone: how many are gone. */
struct gm_run_removal {
    struct run_work *work;
    const struct gm_sweep_task *task;
    struct gm_sweep_page *page;
    const struct gm_stop *stop;
};
gm_rc gm_run_remove_page(const struct gm_run_removal *removal, int64_t *out_gone,
                         struct gm_err *err) GM_MUST_CHECK;

/* ---- sweep.c: what was not seen ---- */

gm_rc gm_run_sweep(struct run_work *work, struct gm_err *err) GM_MUST_CHECK;
/* The deletions of a sweep that was decided, page by page. */
gm_rc gm_run_delete_due(struct run_work *work, const struct gm_sweep_task *task, struct gm_err *err)
    GM_MUST_CHECK;

/* One page of targets that are not delivered any more; *out_count: how many are gone. */
gm_rc gm_run_delete_page(const struct gm_run_removal *removal, int64_t *out_count,
                         struct gm_err *err) GM_MUST_CHECK;

/* ---- run_work.c ---- */

/* Opens steps and sink, reads what the store knows of the pipeline. For runs, redrives, approvals
 * and verification. */
gm_rc gm_run_work_open(struct run_work *work, const struct gm_run_options *options,
                       struct gm_run_report *report, struct gm_err *err) GM_MUST_CHECK;
void gm_run_work_close(struct run_work *work);
/* Streams for sinks that write some, where the process has none open, as in commands: until they
 * are closed. */
struct gm_run_streams {
    struct gm_hub *hub;
    struct gm_store *store;
};
gm_rc gm_run_streams_open(struct gm_run_streams *streams, const struct gm_run_options *options,
                          const struct gm_config *config, struct gm_err *err) GM_MUST_CHECK;
void gm_run_streams_close(struct gm_run_streams *streams);
/* Work of the sink on the worker's thread. */
struct gm_sink_work gm_run_sink_work(const struct run_work *work, const struct gm_stop *stop);
/* Of a sink whose effects follow the commit; others have nothing to do. `begin` comes before
 * anything is prepared, `deliver` behind each commit (batch NULL: of a page of removals). */
gm_rc gm_run_begin_behind(struct run_work *work, const struct gm_stop *stop, struct gm_err *err)
    GM_MUST_CHECK;
gm_rc gm_run_deliver(struct run_work *work, struct gm_batch *batch, const struct gm_stop *stop,
                     struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_run_open_source(struct run_work *work, const struct gm_stop *stop, void **out_source,
                         struct gm_err *err) GM_MUST_CHECK;
void gm_run_add_sample(struct run_work *work, struct gm_run_samples *samples, struct gm_str key,
                       struct gm_str text);

/* For plans: a job that returns this did its work and is undone. */
#define RUN_UNDO GM_E_CANCELLED

#endif
