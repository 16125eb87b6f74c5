/* The engine: the pipelines of a configuration, run on their schedules or once.
 *
 *     struct gm_engine *engine;
 *     struct gm_engine_options options = {.config = config, .store = store};
 *     GM_TRY(gm_engine_open(&options, &engine, err));
 *     GM_TRY(gm_engine_start(engine, err));      // schedules, until gm_engine_stop
 *     …
 *     gm_engine_stop(engine);                    // asks runs to end, waits for them
 *     gm_engine_close(engine);
 *
 * Threads: `concurrency` runners, each taking the next pipeline that is due (and the two threads of
 * its run); one scheduler. A pipeline never overlaps itself: when it is due while it runs, that
 * time is skipped and counted. A pipeline that never ran runs at start; one with a schedule
 * otherwise runs when its time comes; one without a schedule runs at start and when asked. */
#ifndef GM_ENGINE_ENGINE_H
#define GM_ENGINE_ENGINE_H

#include "engine/config.h"
#include "engine/run.h"
#include "store/store.h"

struct gm_engine_options {
    const struct gm_config *config; /* keeps */
    struct gm_store *store;         /* keeps */
    /* After each run, on its runner's thread. NULL: none. */
    void (*on_run)(void *ctx, const struct gm_pipeline *pipeline,
                   const struct gm_run_report *report);
    void *ctx;
    bool resync; /* runs compare effects even where the source's record is unchanged */
};

struct gm_engine;
gm_rc gm_engine_open(const struct gm_engine_options *options, struct gm_engine **out_engine,
                     struct gm_err *err) GM_MUST_CHECK;
void gm_engine_close(struct gm_engine *engine); /* stops first; NULL is fine */

gm_rc gm_engine_start(struct gm_engine *engine, struct gm_err *err) GM_MUST_CHECK;
/* Runs each enabled pipeline once (or `pipeline` alone), `concurrency` at a time, and returns when
 * all are done. *out_failed: how many did not succeed. */
gm_rc gm_engine_run_once(struct gm_engine *engine, const struct gm_pipeline *pipeline,
                         size_t *out_failed, struct gm_err *err) GM_MUST_CHECK;
void gm_engine_stop(struct gm_engine *engine); /* any thread but the engine's own */

/* Runs a pipeline as soon as a runner is free. GM_E_CONFLICT: it is under way or waiting already.
 * GM_E_CANCELLED: the engine stops. */
gm_rc gm_engine_trigger(struct gm_engine *engine, const struct gm_pipeline *pipeline,
                        struct gm_err *err) GM_MUST_CHECK;

/* Keeps a pipeline from running while something else works on its state: waits for a run under way
 * to end, which one that waits for more events does soon. Every begin needs its end. GM_E_CANCELLED
 * when the engine stops. */
gm_rc gm_engine_exclusive_begin(struct gm_engine *engine, const struct gm_pipeline *pipeline,
                                struct gm_err *err) GM_MUST_CHECK;
void gm_engine_exclusive_end(struct gm_engine *engine, const struct gm_pipeline *pipeline);

/* How a pipeline stands now. */
struct gm_engine_pipeline_status {
    bool running, waiting;
    gm_ns next;      /* wall clock; 0: not scheduled */
    int64_t skipped; /* times that were skipped since it still ran */
    struct gm_run_progress progress;
};
void gm_engine_status(struct gm_engine *engine, const struct gm_pipeline *pipeline,
                      struct gm_engine_pipeline_status *out_status);
/* No run is under way or waiting, but for those that never end. */
bool gm_engine_idle(struct gm_engine *engine);

const struct gm_config *gm_engine_config(const struct gm_engine *engine);
struct gm_store *gm_engine_store(const struct gm_engine *engine);

#endif
