/* The life of a run: opening, attempts with backoff, sweep, report. */
#include "engine/run.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "engine/run_internal.h"
#include "os/process.h"
#include "sync/objects.h"

/* ---- handles ---- */

struct gm_run_handle *gm_run_handle_new(void)
{
    struct gm_run_handle *handle = gm_alloc(sizeof(*handle));
    handle->mu = gm_mutex_new();
    return handle;
}

void gm_run_handle_free(struct gm_run_handle *handle)
{
    if (handle != NULL) {
        gm_mutex_free(handle->mu);
        gm_free(handle);
    }
}

void gm_run_handle_stop(struct gm_run_handle *handle)
{
    gm_mutex_lock(handle->mu);
    handle->stopped = true;
    if (handle->stop != NULL) {
        gm_stop_request(handle->stop);
    }
    gm_mutex_unlock(handle->mu);
}

void gm_run_handle_yield(struct gm_run_handle *handle)
{
    atomic_fetch_add(&handle->wanted, 1);
}

void gm_run_handle_resume(struct gm_run_handle *handle)
{
    atomic_fetch_sub(&handle->wanted, 1);
}

struct gm_stop *gm_run_watch(struct gm_run_handle *handle)
{
    struct gm_stop *stop = gm_stop_new();
    gm_mutex_lock(handle->mu);
    handle->stop = stop;
    if (handle->stopped) {
        gm_stop_request(stop);
    }
    gm_mutex_unlock(handle->mu);
    return stop;
}

void gm_run_unwatch(struct gm_run_handle *handle, struct gm_stop *stop)
{
    gm_mutex_lock(handle->mu);
    handle->stop = NULL;
    gm_mutex_unlock(handle->mu);
    gm_stop_free(stop);
}

static bool was_stopped(struct gm_run_handle *handle)
{
    gm_mutex_lock(handle->mu);
    bool stopped = handle->stopped;
    gm_mutex_unlock(handle->mu);
    return stopped;
}

void gm_run_handle_progress(struct gm_run_handle *handle, struct gm_run_progress *out_progress)
{
    *out_progress = (struct gm_run_progress){
        .running = atomic_load(&handle->running),
        .sweeping = atomic_load(&handle->sweeping),
        .started = atomic_load(&handle->started),
        .read = atomic_load(&handle->read),
        .written = atomic_load(&handle->written),
        .parked = atomic_load(&handle->parked),
        .rows_estimate = atomic_load(&handle->rows_estimate),
        .read_bytes = atomic_load(&handle->read_bytes),
        .bytes_estimate = atomic_load(&handle->bytes_estimate),
    };
}

/* ---- attempts ---- */

/* Where the pass begins: behind the cursor, or anew when a full pass is due. */
static struct gm_str first_cursor(const struct run_work *work)
{
    const struct gm_clock *clock = gm_store_clock(work->options->store);
    bool can = (work->pipeline->source->caps & GM_CAP_CURSOR) != 0 && work->row.cursor.n > 0;
    bool same = gm_str_is(work->row.source_fingerprint, work->pipeline->source_fingerprint_z) &&
                gm_str_is(work->row.step_fingerprint, work->pipeline->step_fingerprint_z);
    if (gm_run_passes_events(work)) {
        return work->row.cursor; /* what was passed on is never passed on again */
    }
    if (gm_run_takes_events(work)) {
        return work->options->resync ? (struct gm_str){"", 0} : work->row.cursor;
    }
    bool due = clock->wall(clock) - work->row.last_full_time >= work->conf->full_every;
    bool incremental = can && same && !due && !work->options->resync;
    return incremental ? work->row.cursor : (struct gm_str){"", 0};
}

/* Full jitter: anything up to the doubled pause
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). */
static gm_rc pause_before(struct run_work *work, int64_t attempt, struct gm_err *err)
{
    struct gm_run_handle *handle = work->options->handle;
    gm_ns longest = work->conf->retry.first;
    for (int64_t i = 1; i < attempt && longest < work->conf->retry.longest; i++) {
        longest *= 2;
    }
    longest = longest < work->conf->retry.longest ? longest : work->conf->retry.longest;
    uint64_t seed;
    gm_random_bytes(&seed, sizeof(seed));
    struct gm_rng rng;
    gm_rng_init(&rng, seed);
    gm_ns pause = (gm_ns)gm_rng_below(&rng, (uint64_t)longest + 1);
    struct gm_stop *stop = gm_run_watch(handle);
    gm_rc rc = gm_stop_wait(stop, pause);
    gm_run_unwatch(handle, stop);
    return rc == GM_OK ? GM_OK : gm_fail(err, GM_E_CANCELLED, "stopped");
}

static void forget_attempt(struct run_work *work)
{
    struct gm_run_counts *counts = &work->run->counts;
    counts->read = counts->unchanged = counts->filtered = counts->stale = counts->parked =
        counts->same = 0;
    counts->read_bytes = 0;
    gm_map_reset(work->parked_keys);
    gm_map_reset(work->freed_keys);
    gm_seen_free(work->seen);
    work->seen = gm_seen_new();
    work->unkeyed = 0;
    work->broken = false;
}

/* GM_OK: one attempt went through; the source is open still, for ack. */
static gm_rc run_attempts(struct run_work *work, void **out_source, struct gm_err *err)
{
    struct gm_str cursor = first_cursor(work);
    gm_rc rc = GM_E_RETRY;
    for (int64_t attempt = 1; rc == GM_E_RETRY; attempt++) {
        struct gm_err attempt_err = {0};
        void *source = NULL;
        forget_attempt(work);
        rc = gm_run_open_source(work, NULL, &source, &attempt_err);
        if (rc == GM_OK) {
            rc = gm_run_attempt(work, cursor, source, &attempt_err);
        }
        if (rc == GM_OK) {
            *out_source = source;
            return GM_OK;
        }
        if (source != NULL) {
            work->pipeline->source->close(source);
        }
        *err = attempt_err;
        if (rc == GM_E_RETRY) {
            work->run->attempts++;
            if (attempt >= work->conf->retry.attempts || work->options->plan) {
                break;
            }
            rc = pause_before(work, attempt, &attempt_err) == GM_OK ? GM_E_RETRY : GM_E_CANCELLED;
        }
    }
    return rc;
}

/* ---- beginning and end ---- */

static gm_rc begin_run(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct run_work *work = ctx;
    return gm_run_begin(tx->db, work->run, err);
}

static void name_run(struct run_work *work)
{
    uint64_t bits[2];
    gm_random_bytes(bits, sizeof(bits));
    gm_hash128_hex((struct gm_hash128){bits[0], bits[1]}, work->run->id);
    const struct gm_clock *clock = gm_store_clock(work->options->store);
    work->run->pipeline = work->row.num;
    work->run->pipeline_name = work->row.name;
    work->run->cause = gm_str_z(work->options->cause_z);
    work->run->status = GM_RUN_RUNNING;
    work->run->trusted = true;
    work->run->started = clock->wall(clock);
    work->run->fingerprint = gm_str_z(work->pipeline->source_fingerprint_z);
}

/* What a complete, trusted pass tells about the pipeline. */
static void note_full_pass(struct run_work *work)
{
    bool trusted = work->run->sweep != GM_SWEEP_BLOCKED;
    work->row.last_full_run = work->run->num;
    work->row.last_full_time = work->run->started;
    if (!trusted) {
        return;
    }
    struct gm_buf names;
    gm_buf_init(&names, 1 << 20);
    for (size_t i = 0; i < work->names.n; i++) {
        gm_buf_add(&names, i > 0 ? GM_STR("\n") : GM_STR(""));
        gm_buf_add(&names, work->names.at[i]);
    }
    work->row.source_fingerprint = gm_str_z(work->pipeline->source_fingerprint_z);
    work->row.step_fingerprint = gm_str_z(work->pipeline->step_fingerprint_z);
    work->row.step_targets = gm_arena_dup(work->report->arena, gm_buf_str(&names));
    gm_buf_deinit(&names);
}

static gm_rc end_run(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct run_work *work = ctx;
    if (work->run->complete) {
        GM_TRY(gm_pipeline_update(tx->db, &work->row, err));
        GM_TRY(gm_dead_letters_remove_outdated(tx->db, work->row.num, work->run->num, err));
    }
    if (work->pipeline->sink->behind != NULL) {
        struct gm_sink_work sink_work = gm_run_sink_work(work, NULL);
        sink_work.db = tx->db;
        GM_TRY(work->pipeline->sink->behind->settle(work->sink, &sink_work, err));
    }
    if (work->options->keep_runs > 0) {
        GM_TRY(gm_runs_trim(tx->db, work->row.num, work->options->keep_runs, err));
    }
    int64_t waiting, waiting_outside;
    GM_TRY(gm_graph_waiting_count(tx->db, &waiting, err));
    GM_TRY(gm_objects_count_waiting(tx->db, &waiting_outside, err));
    gm_metric_set(GM_M_PENDING_RELATIONSHIPS, GM_STR(""), (double)(waiting + waiting_outside));
    gm_metric_set(GM_M_DEAD_LETTERS, work->row.name, (double)work->letters);
    return gm_run_update(tx->db, work->run, err);
}

static void fail_run(struct run_work *work, gm_rc rc, const struct gm_err *err)
{
    struct gm_run *run = work->run;
    bool by_user = rc == GM_E_CANCELLED && was_stopped(work->options->handle);
    run->status = by_user ? GM_RUN_STOPPED : GM_RUN_FAILED;
    run->error_code = gm_str_z(gm_rc_name(rc));
    run->error = gm_arena_dup(work->report->arena, gm_str_z(err->text));
}

/* From the first read to the sweep. */
static gm_rc run_through(struct run_work *work, struct gm_err *err)
{
    void *source = NULL;
    GM_TRY(run_attempts(work, &source, err));
    gm_rc rc = GM_OK;
    if (work->pass.full) {
        rc = gm_run_sweep(work, err);
        work->run->complete = rc == GM_OK;
    }
    if (work->run->complete) {
        note_full_pass(work);
    }
    if (rc == GM_OK && !work->options->plan && work->pipeline->source->ack != NULL) {
        rc = work->pipeline->source->ack(source, work->row.cursor, true, err);
    }
    work->pipeline->source->close(source);
    return rc;
}

static gm_rc run_opened(struct run_work *work, struct gm_err *err)
{
    const struct gm_clock *clock = gm_store_clock(work->options->store);
    name_run(work);
    if (!work->options->plan) {
        gm_rc begin_rc = gm_store_write(work->options->store, begin_run, work, err);
        if (begin_rc != GM_OK) {
            work->run->num = 0; /* it is not in the store */
            work->run->finished = clock->wall(clock);
            fail_run(work, begin_rc, err);
            return begin_rc;
        }
    }
    gm_rc rc = run_through(work, err);
    work->run->finished = clock->wall(clock);
    work->run->status = GM_RUN_SUCCEEDED;
    if (rc != GM_OK) {
        fail_run(work, rc, err);
    }
    if (work->options->plan) {
        return rc;
    }
    struct gm_err end_err = {0};
    gm_rc end_rc = gm_store_write(work->options->store, end_run, work, &end_err);
    if (rc == GM_OK && end_rc != GM_OK) {
        *err = end_err;
        fail_run(work, end_rc, err);
        rc = end_rc;
    }
    return rc;
}

gm_rc gm_pipeline_run(const struct gm_run_options *options, struct gm_run_report *report,
                      struct gm_err *err)
{
    struct run_work work;
    struct gm_run_handle *handle = options->handle;
    const struct gm_clock *clock = gm_store_clock(options->store);
    *report = (struct gm_run_report){0};
    atomic_store(&handle->started, clock->mono(clock));
    atomic_store(&handle->read, 0);
    atomic_store(&handle->running, true);
    gm_rc rc = gm_run_work_open(&work, options, report, err);
    if (rc == GM_OK) {
        rc = run_opened(&work, err);
    } else {
        name_run(&work);
        report->run.finished = report->run.started;
        fail_run(&work, rc, err);
    }
    gm_run_work_close(&work);
    atomic_store(&handle->sweeping, false);
    atomic_store(&handle->running, false);
    return rc;
}
