/* One batch on the writer's thread: effects, sync state, dead letters and cursor in one
 * transaction. */
#include "engine/run_internal.h"

struct run_counters gm_run_save_counters(const struct run_work *work)
{
    return (struct run_counters){work->row.last_slot, work->row.live_count, work->letters};
}

void gm_run_restore_counters(struct run_work *work, const struct run_counters *saved)
{
    work->row.last_slot = saved->last_slot;
    work->row.live_count = saved->live_count;
    work->letters = saved->letters;
}

/* The record as its source gave it. */
static void write_original(struct gm_batch *batch, const struct gm_record *record,
                           struct gm_buf *out)
{
    struct gm_record original = *record;
    original.body = record->original;
    yyjson_mut_val *json = gm_record_json(batch, &original);
    if (json != NULL) {
        gm_json_write(json, out);
    }
    if (json == NULL || gm_buf_failed(out)) {
        gm_buf_reset(out);
        gm_buf_add(out, GM_STR("null")); /* too large to keep: its place in the source is known */
    }
}

/* A batch in its transaction. */
struct application {
    struct run_work *work;
    const struct gm_store_tx *tx;
    struct gm_batch *batch;
    gm_ns now;
};

static gm_rc park(const struct application *application, struct gm_record *record,
                  struct gm_err *err)
{
    struct run_work *work = application->work;
    struct gm_batch *batch = application->batch;
    struct gm_buf text;
    gm_buf_init(&text, (size_t)4 * GM_RECORD_SIZE_MAX);
    write_original(batch, record, &text);
    struct gm_dead_letter letter = {
        .pipeline = work->row.num,
        .key = record->key,
        .held = record->rc == GM_E_CONFLICT,
        .run = work->run->num,
        .parked = application->now,
        .last_attempt = application->now,
        .attempts = 1,
        .hash = record->hash,
        .version = record->version,
        .kind = record->kind,
        .origin = batch->origin,
        .position = (int64_t)record->position,
        .code = gm_str_z(gm_rc_name(record->rc)),
        .error = record->error,
        .record = gm_buf_str(&text),
    };
    gm_rc rc = gm_dead_letter_put(application->tx->db, &letter, &record->newly_parked, err);
    gm_buf_deinit(&text);
    GM_TRY(rc);
    record->verdict = GM_VERDICT_PARKED;
    work->letters += record->newly_parked ? 1 : 0;
    /* A row that repeats a key with other content is parked by every run, after the key's first row
     * freed its letter: the same trouble as last time, which must not trip the breaker. */
    uint64_t ignored;
    if (gm_map_count(work->freed_keys) > 0 && gm_map_get(work->freed_keys, record->key, &ignored)) {
        record->newly_parked = false;
    }
    if (work->letters > work->conf->errors.max_letters) {
        return gm_fail(err, GM_E_LIMIT,
                       "pipeline %s has more than %lld dead letters; look at `gemel dead-letters "
                       "list`, or raise errors.max_letters",
                       work->pipeline->name_z, (long long)work->conf->errors.max_letters);
    }
    return GM_OK;
}

static bool took_effect(const struct gm_record *record)
{
    return record->verdict == GM_VERDICT_CREATED || record->verdict == GM_VERDICT_UPDATED ||
           record->verdict == GM_VERDICT_SAME ||
           (record->verdict == GM_VERDICT_UNCHANGED && record->revive);
}

/* Of events that pass there is no state to be written. */
static gm_rc park_events(const struct application *application, struct gm_err *err)
{
    struct gm_batch *batch = application->batch;
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->records[i].rc != GM_OK) {
            GM_TRY(park(application, &batch->records[i], err));
        }
    }
    return GM_OK;
}

static gm_rc write_states(const struct application *application, struct gm_err *err)
{
    struct run_work *work = application->work;
    const struct gm_store_tx *tx = application->tx;
    struct gm_batch *batch = application->batch;
    struct gm_state_cause cause = {.pipeline = work->row.num,
                                   .run = work->run->num,
                                   .now = application->now,
                                   .last_slot = &work->row.last_slot,
                                   .live_count = &work->row.live_count};
    struct gm_state_gather gather = {.count = 0};
    if (gm_run_passes_events(work)) {
        return park_events(application, err);
    }
    for (size_t i = 0; i < batch->count; i++) {
        struct gm_record *record = &batch->records[i];
        if (record->rc != GM_OK) {
            GM_TRY(park(application, record, err));
        } else if (!took_effect(record)) {
            if (record->verdict == GM_VERDICT_STALE && record->revive) {
                /* seen, so missing no more */
                GM_TRY(gm_state_write_some(tx->states, &cause, &gather, record, err));
            }
            continue;
        } else if (work->letters > 0) {
            int64_t removed;
            GM_TRY(gm_dead_letters_remove_key(tx->db, work->row.num, record->key, &removed, err));
            work->letters -= removed;
            if (removed > 0 && record->verdict == GM_VERDICT_UNCHANGED) {
                gm_map_set(work->freed_keys, record->key, 1);
            }
        }
        if (!record->unkeyed && !record->repeated) {
            GM_TRY(gm_state_write_some(tx->states, &cause, &gather, record, err));
        }
    }
    return gm_state_write_rest(tx->states, &cause, &gather, err);
}

/* Effects in the store, or what became of those outside of it. */
static gm_rc make_effects(struct run_work *work, const struct gm_sink_work *sink_work,
                          struct gm_batch *batch, struct gm_err *err)
{
    const struct gm_connector *sink = work->pipeline->sink;
    if (sink->outside == NULL) {
        return sink->apply(work->sink, sink_work, batch, err);
    }
    return work->options->plan ? GM_OK : sink->outside->keep(work->sink, sink_work, err);
}

static gm_rc apply_batch(const struct batch_job *job, const struct gm_store_tx *tx,
                         struct gm_err *err)
{
    struct run_work *work = job->work;
    struct gm_batch *batch = job->batch;
    const struct gm_clock *clock = gm_store_clock(work->options->store);
    gm_ns now = clock->wall(clock);
    struct gm_sink_work sink_work = {
        .db = tx->db, .pipeline = work->row.num, .run = work->run->num, .now = now};
    GM_TRY(make_effects(work, &sink_work, batch, err));
    struct application application = {work, tx, batch, now};
    GM_TRY(write_states(&application, err));
    if (work->options->plan) {
        return GM_OK;
    }
    bool moves = batch->cursor.n > 0 && !job->partial;
    if (moves) {
        work->row.cursor = batch->cursor;
    }
    gm_rc rc = gm_pipeline_update(tx->db, &work->row, err);
    if (moves) {
        /* the batch's memory goes */
        work->row.cursor = gm_arena_dup(work->report->arena, batch->cursor);
    }
    return rc;
}

static gm_rc run_batch_job(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct batch_job *job = ctx;
    struct run_counters saved = gm_run_save_counters(job->work);
    if (job->work->broken) { /* the cursor must not pass what is not there */
        return gm_fail(err, GM_E_CANCELLED, "an earlier batch of the run failed");
    }
    gm_rc rc = apply_batch(job, tx, err);
    if (rc == GM_OK && job->work->options->plan) {
        rc = RUN_UNDO;
    }
    if (rc != GM_OK) {
        gm_run_restore_counters(job->work, &saved);
    }
    return rc;
}

static void batch_job_done(void *ctx, gm_rc rc, const struct gm_err *err)
{
    struct batch_job *job = ctx;
    bool planned = rc == RUN_UNDO && job->work->options->plan;
    job->rc = planned ? GM_OK : rc;
    if (job->rc != GM_OK) {
        job->work->broken = true;
        job->err = *err;
    }
    GM_ASSERT(gm_queue_push(job->done, job->slot));
}

gm_rc gm_run_submit_batch(struct batch_job *job, struct gm_err *err)
{
    /* Batches that were sent together have little to write, and share a commit. */
    bool outside = job->work->pipeline->sink->outside != NULL;
    job->job = (struct gm_store_job){
        .fn = run_batch_job, .done = batch_job_done, .ctx = job, .alone = !outside};
    return gm_store_submit(job->work->options->store, &job->job, err);
}
