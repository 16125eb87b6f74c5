/* One pass over the source: the reader thread, and the worker that compares, steps, prepares and
 * hands over. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "engine/run_internal.h"

/* The keys of a batch's new records while it is on its way (of events: all keys): a later batch
 * that has one of them again must wait for the state that this one writes. Open addressing; 0 marks
 * a free place. */
enum { NEW_KEYS_SIZE = 4 * GM_BATCH_RECORDS_MAX };

struct slot {
    struct gm_batch *batch;
    struct batch_job job;
    bool out;  /* with the writer */
    bool held; /* gathered, to be sent with others */
    size_t new_key_count;
    uint64_t *new_keys; /* NEW_KEYS_SIZE */
};

/* The worker waits at one queue for everything: batches that the reader filled, batches that the
 * writer is done with (slot->out tells them apart), and `end` when the reader has ended. Every slot
 * is in one place at a time, so as many places and one more suffice and nobody who pushes ever
 * waits. */
struct attempt {
    struct run_work *work;
    struct slot slots[RUN_SLOTS_OUTSIDE];
    size_t slot_count;
    struct slot *held[RUN_HELD_MAX];
    size_t held_count, held_records;
    struct slot end; /* no batch: the reader has ended */
    struct gm_queue *free, *inbox;
    /* taken out of the inbox while waiting for the writer, in order */
    struct slot *kept[RUN_SLOTS_OUTSIDE + 1];
    size_t kept_count;
    size_t out_count;
    struct gm_stop *stop;
    /* The reader's; the worker reads them after joining it. */
    void *source;
    struct gm_thread *reader;
    gm_rc reader_rc;
    struct gm_err reader_err;
};

/* ---- the reader ---- */

static void read_source(void *arg)
{
    struct attempt *attempt = arg;
    const struct gm_connector *connector = attempt->work->pipeline->source;
    struct gm_deadline deadline = {.stop = attempt->stop};
    struct slot *slot;
    gm_rc rc = GM_OK;
    while (rc == GM_OK && (slot = gm_queue_pop(attempt->free)) != NULL) {
        gm_batch_reset(slot->batch);
        rc = connector->read(attempt->source, slot->batch, &deadline, &attempt->reader_err);
        if (rc == GM_OK && gm_stop_requested(attempt->stop)) {
            rc = gm_fail(&attempt->reader_err, GM_E_CANCELLED, "stopped");
        }
        if (slot->batch->count > 0 || slot->batch->cursor.n > 0) {
            (void)gm_queue_push(attempt->inbox, slot);
        } else if (rc == GM_OK) {
            (void)gm_queue_push(attempt->free, slot);
        }
    }
    attempt->reader_rc = rc;
    (void)gm_queue_push(attempt->inbox, &attempt->end);
}

/* ---- completion ---- */

static gm_rc trip(struct run_work *work, const struct gm_batch *batch, struct gm_err *err)
{
    const struct breaker *breaker = &work->breaker;
    struct gm_str last = {NULL, 0};
    for (size_t i = 0; i < batch->count; i++) {
        last = batch->records[i].verdict == GM_VERDICT_PARKED ? batch->records[i].error : last;
    }
    return gm_fail(err, GM_E_CONFIG,
                   "stopped: %zu of the last %zu records could not be applied (errors.stop_share "
                   "is %g%%); the last one: " GM_STR_FMT,
                   breaker->parked, breaker->filled, 100 * work->conf->errors.stop_share,
                   GM_STR_ARG(last));
}

static void note_outcome(struct breaker *breaker, bool parked)
{
    if (breaker->filled == breaker->window) {
        breaker->parked -= breaker->ring[breaker->at];
    } else {
        breaker->filled++;
    }
    breaker->ring[breaker->at] = parked;
    breaker->parked += parked;
    breaker->at = (breaker->at + 1) % breaker->window;
}

static void count_record(struct run_work *work, struct gm_record *record)
{
    struct gm_run_counts *counts = &work->run->counts;
    struct gm_run_report *report = work->report;
    counts->read++;
    switch (record->verdict) {
    case GM_VERDICT_UNCHANGED:
        counts->unchanged++;
        return;
    case GM_VERDICT_FILTERED:
        counts->filtered++;
        return;
    case GM_VERDICT_STALE:
        counts->stale++;
        return;
    case GM_VERDICT_CREATED:
        counts->created++;
        gm_run_add_sample(work, &report->created, record->key, record->delivered);
        break;
    case GM_VERDICT_UPDATED:
        counts->updated++;
        gm_run_add_sample(work, &report->updated, record->key, record->delivered);
        break;
    case GM_VERDICT_SAME:
        counts->same++;
        break;
    case GM_VERDICT_PARKED:
        counts->parked++;
        gm_run_add_sample(work, &report->parked, record->key, record->error);
        if (!record->unkeyed) {
            gm_map_set(work->parked_keys, record->key, 1);
        }
        break;
    case GM_VERDICT_NONE:
    case GM_VERDICT_DELETED:
        break;
    }
    /* A letter that was there already says nothing new about the source. */
    bool known_letter = record->verdict == GM_VERDICT_PARKED && !record->newly_parked;
    /* Of a key that is often spoken of, one bad event makes many wait. */
    bool waits = gm_run_passes_events(work) && record->rc == GM_E_CONFLICT;
    if (!known_letter && !waits) {
        note_outcome(&work->breaker, record->verdict == GM_VERDICT_PARKED);
    }
}

static void publish(struct run_work *work)
{
    const struct gm_run_counts *counts = &work->run->counts;
    struct gm_run_handle *handle = work->options->handle;
    atomic_store(&handle->read, counts->read);
    atomic_store(&handle->written, counts->created + counts->updated + counts->deleted);
    atomic_store(&handle->parked, counts->parked);
    atomic_store(&handle->read_bytes, counts->read_bytes);
}

/* The batch is committed, or needed no commit: count, remember what was seen, give the memory
 * back. */
static gm_rc complete(struct attempt *attempt, struct slot *slot, struct gm_err *err)
{
    struct run_work *work = attempt->work;
    struct gm_batch *batch = slot->batch;
    gm_rc delivered = GM_OK;
    slot->new_key_count = 0;
    if (slot->out) {
        slot->out = false;
        attempt->out_count--;
        if (slot->job.rc != GM_OK) {
            *err = slot->job.err;
            return slot->job.rc;
        }
        delivered = gm_run_deliver(work, batch, attempt->stop, err);
    }
    size_t tried_before = work->breaker.filled;
    for (size_t i = 0; i < batch->count; i++) {
        struct gm_record *record = &batch->records[i];
        count_record(work, record);
        /* A plan's new objects have slots that were undone with them. */
        bool counts = record->known || !work->options->plan;
        if (record->slot > 0 && counts && record->verdict != GM_VERDICT_FILTERED) {
            (void)gm_seen_add(work->seen, record->slot);
        }
    }
    work->run->counts.read_bytes += (int64_t)batch->bytes_read;
    publish(work);
    GM_TRY(delivered);
    const struct breaker *breaker = &work->breaker;
    bool enough = breaker->filled >= breaker->window / 10 && breaker->filled >= tried_before;
    if (enough &&
        (double)breaker->parked > work->conf->errors.stop_share * (double)breaker->filled) {
        return trip(work, batch, err);
    }
    (void)gm_queue_push(attempt->free, slot);
    return GM_OK;
}

/* Waits until the writer has given every batch back; what the reader brings meanwhile is kept for
 * later. The first failure counts. */
static gm_rc complete_all(struct attempt *attempt, struct gm_err *err)
{
    gm_rc rc = GM_OK;
    while (attempt->out_count > 0) {
        struct slot *slot = gm_queue_pop(attempt->inbox);
        if (!slot->out) {
            attempt->kept[attempt->kept_count++] = slot;
            continue;
        }
        struct gm_err own;
        gm_rc one = complete(attempt, slot, rc == GM_OK ? err : &own);
        rc = rc == GM_OK ? one : rc;
    }
    return rc;
}

/* The next thing to do, in the order it came. */
static struct slot *next_slot(struct attempt *attempt)
{
    if (attempt->kept_count == 0) {
        return gm_queue_pop(attempt->inbox);
    }
    struct slot *slot = attempt->kept[0];
    attempt->kept_count--;
    memmove(attempt->kept, attempt->kept + 1, attempt->kept_count * sizeof(attempt->kept[0]));
    return slot;
}

/* ---- comparing ---- */

static uint64_t key_hash(struct gm_str key)
{
    uint64_t hash = gm_hash64(key, 0);
    return hash != 0 ? hash : 1;
}

static bool new_keys_have(const struct slot *slot, uint64_t hash)
{
    for (size_t at = hash % NEW_KEYS_SIZE; slot->new_keys[at] != 0; at = (at + 1) % NEW_KEYS_SIZE) {
        if (slot->new_keys[at] == hash) {
            return true;
        }
    }
    return false;
}

static void list_new_keys(struct slot *slot, bool every)
{
    memset(slot->new_keys, 0, NEW_KEYS_SIZE * sizeof(*slot->new_keys));
    slot->new_key_count = 0;
    for (size_t i = 0; i < slot->batch->count; i++) {
        const struct gm_record *record = &slot->batch->records[i];
        if ((record->known && !every) || record->unkeyed) {
            continue;
        }
        uint64_t hash = key_hash(record->key);
        size_t at = hash % NEW_KEYS_SIZE;
        while (slot->new_keys[at] != 0) {
            at = (at + 1) % NEW_KEYS_SIZE;
        }
        slot->new_keys[at] = hash;
        slot->new_key_count++;
    }
}

static bool meets_new_keys_underway(const struct attempt *attempt, const struct gm_batch *batch)
{
    bool every = gm_run_takes_events(attempt->work);
    for (size_t s = 0; s < attempt->slot_count; s++) {
        const struct slot *other = &attempt->slots[s];
        if ((!other->out && !other->held) || other->new_key_count == 0) {
            continue;
        }
        for (size_t i = 0; i < batch->count; i++) {
            const struct gm_record *record = &batch->records[i];
            /* One that is known and differs may be known from that batch: committed, and not back
             * yet, so that nobody has marked it as seen. */
            if ((record->verdict == GM_VERDICT_NONE || every) && !record->unkeyed &&
                new_keys_have(other, key_hash(record->key))) {
                return true;
            }
        }
    }
    return false;
}

/* An object that this pass has shown before. */
static void mark_repetitions(struct run_work *work, struct gm_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct gm_record *record = &batch->records[i];
        if (!record->known || record->slot <= 0 || record->rc != GM_OK ||
            gm_seen_add(work->seen, record->slot)) {
            continue;
        }
        if (record->verdict == GM_VERDICT_NONE && gm_hash128_eq(record->hash, record->known_hash)) {
            record->verdict = GM_VERDICT_UNCHANGED;
        }
        if (record->verdict == GM_VERDICT_NONE) {
            gm_record_fail(batch, record, GM_E_INVALID,
                           "key \"" GM_STR_FMT "\" came before in this run with other content; "
                           "make `key` name what tells records apart",
                           GM_STR_ARG(record->key));
            record->repeated = true;
        }
    }
}

/* ---- to the writer ---- */

/* `sent`: what became of sending, for sinks outside. */
static gm_rc submit(struct attempt *attempt, struct slot *slot, gm_rc sent, struct gm_err *err)
{
    slot->job = (struct batch_job){.work = attempt->work,
                                   .batch = slot->batch,
                                   .partial = sent != GM_OK,
                                   .done = attempt->inbox,
                                   .slot = slot};
    slot->out = true;
    attempt->out_count++;
    gm_rc rc = gm_run_submit_batch(&slot->job, err);
    if (rc != GM_OK) {
        slot->out = false;
        attempt->out_count--;
    }
    return rc;
}

/* Sends what was gathered. */
static gm_rc send_held(struct attempt *attempt, struct gm_err *err)
{
    struct gm_run_sending sending = {
        .work = attempt->work, .count = attempt->held_count, .stop = attempt->stop};
    if (attempt->held_count == 0) {
        return GM_OK;
    }
    for (size_t i = 0; i < attempt->held_count; i++) {
        sending.batches[i] = attempt->held[i]->batch;
    }
    attempt->held_count = attempt->held_records = 0;
    gm_rc sent = gm_run_send_batches(&sending, err);
    gm_rc rc = sent;
    for (size_t i = 0; i < sending.count; i++) {
        struct slot *slot = attempt->held[i];
        struct gm_err own;
        slot->held = false;
        gm_rc submitted = submit(attempt, slot, sent, rc == GM_OK ? err : &own);
        rc = rc == GM_OK ? submitted : rc;
    }
    return rc;
}

/* Gathers a batch for a sink outside, until there is enough to be sent. */
static gm_rc hold(struct attempt *attempt, struct slot *slot, struct gm_err *err)
{
    size_t count;
    GM_TRY(gm_run_look_at_batch(attempt->work, slot->batch, attempt->held_count > 0, &count, err));
    attempt->held[attempt->held_count++] = slot;
    attempt->held_records += count;
    slot->held = true;
    bool enough = attempt->held_records >= RUN_HELD_RECORDS || attempt->held_count == RUN_HELD_MAX;
    return enough ? send_held(attempt, err) : GM_OK;
}

static gm_rc compare(struct attempt *attempt, struct slot *slot, struct gm_err *err)
{
    struct run_work *work = attempt->work;
    struct gm_batch *batch = slot->batch;
    if (gm_run_passes_events(work)) {
        return GM_OK;
    }
    GM_TRY(gm_state_compare(work->states, work->row.num, batch, err));
    if (meets_new_keys_underway(attempt, batch)) {
        GM_TRY(send_held(attempt, err));
        GM_TRY(complete_all(attempt, err));
        GM_TRY(gm_state_compare(work->states, work->row.num, batch, err));
    }
    if (!gm_run_takes_events(work)) {
        mark_repetitions(work, batch);
    }
    for (size_t i = 0; work->options->resync && i < batch->count; i++) {
        struct gm_record *record = &batch->records[i];
        if (record->verdict == GM_VERDICT_UNCHANGED && record->slot > 0) {
            record->verdict = GM_VERDICT_NONE;
        }
    }
    return GM_OK;
}

/* ---- the worker ---- */

static gm_rc step_record(struct run_work *work, struct gm_batch *batch, struct gm_record *record,
                         struct gm_err *err)
{
    uint64_t ignored;
    record->original = record->cells == NULL ? record->body : NULL; /* also of what is parked now */
    /* Where of events the newest counts, it waits for none that was parked. */
    bool waits = !gm_run_takes_events(work) || gm_run_passes_events(work);
    if (waits && gm_map_count(work->parked_keys) > 0 &&
        gm_map_get(work->parked_keys, record->key, &ignored)) {
        gm_record_fail(batch, record, GM_E_CONFLICT,
                       "waits behind an earlier record of key \"" GM_STR_FMT "\" that is parked",
                       GM_STR_ARG(record->key));
        return GM_OK;
    }
    GM_TRY(gm_steps_apply(work->steps, batch, record, err));
    if (record->verdict == GM_VERDICT_FILTERED) {
        /* what a filter takes out is not delivered: it is missing */
        gm_seen_remove(work->seen, record->slot);
    }
    bool reads_only = (work->pipeline->sink->caps & GM_CAP_ANY_BODY) != 0;
    if (!reads_only && record->body != NULL && record->body == record->original) {
        /* the sink takes it apart */
        record->body = yyjson_mut_val_mut_copy(batch->doc, record->body);
    }
    return GM_OK;
}

static bool needs_writer(const struct gm_batch *batch)
{
    if (batch->cursor.n > 0) {
        return true;
    }
    for (size_t i = 0; i < batch->count; i++) {
        const struct gm_record *record = &batch->records[i];
        if (record->rc != GM_OK || record->revive || record->verdict == GM_VERDICT_NONE) {
            return true;
        }
    }
    return false;
}

/* The next batches are looked at before this one is committed. */
static void hold_back_later(struct run_work *work, const struct gm_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct gm_record *record = &batch->records[i];
        if (record->rc != GM_OK && !record->unkeyed) {
            (void)gm_map_set(work->parked_keys, record->key, 1);
        }
    }
}

static gm_rc process(struct attempt *attempt, struct slot *slot, struct gm_err *err)
{
    struct run_work *work = attempt->work;
    struct gm_batch *batch = slot->batch;
    bool outside = work->pipeline->sink->outside != NULL;
    for (size_t i = 0; i < batch->count; i++) {
        work->unkeyed += batch->records[i].unkeyed;
    }
    if (outside && attempt->held_count == 0) {
        /* What is known of the targets is what the batches before have committed. */
        GM_TRY(complete_all(attempt, err));
    }
    GM_TRY(compare(attempt, slot, err));
    for (size_t i = 0; i < batch->count; i++) {
        struct gm_record *record = &batch->records[i];
        if (record->rc == GM_OK && record->verdict == GM_VERDICT_NONE) {
            GM_TRY(step_record(work, batch, record, err));
        }
    }
    GM_TRY(work->pipeline->sink->prepare(work->sink, batch, err));
    if (gm_run_passes_events(work)) {
        hold_back_later(work, batch);
    }
    if (!needs_writer(batch)) {
        return complete(attempt, slot, err);
    }
    if (!gm_run_passes_events(work)) {
        list_new_keys(slot, gm_run_takes_events(work));
    }
    return outside ? hold(attempt, slot, err) : submit(attempt, slot, GM_OK, err);
}

/* The next thing to do; NULL: nothing comes for a while, so that what was gathered should be
 * sent. */
static struct slot *wait_for_slot(struct attempt *attempt)
{
    if (attempt->held_count == 0 || attempt->kept_count > 0) {
        return next_slot(attempt);
    }
    return gm_queue_pop_for(attempt->inbox, RUN_HELD_LONGEST);
}

/* Goes on with one thing. */
static gm_rc advance(struct attempt *attempt, struct slot *slot, bool good, struct gm_err *err)
{
    struct gm_err own;
    if (slot == NULL) {
        return good ? send_held(attempt, err) : GM_OK;
    }
    if (slot->out) {
        return complete(attempt, slot, good ? err : &own);
    }
    return good ? process(attempt, slot, err) : GM_OK;
}

static gm_rc work_through(struct attempt *attempt, struct gm_err *err)
{
    gm_rc rc = GM_OK;
    bool reading = true;
    while (reading || attempt->out_count > 0 || (rc == GM_OK && attempt->held_count > 0)) {
        struct slot *slot = reading || attempt->out_count > 0 ? wait_for_slot(attempt) : NULL;
        if (slot == &attempt->end) {
            reading = false;
            continue;
        }
        gm_rc one = advance(attempt, slot, rc == GM_OK, err);
        rc = rc == GM_OK ? one : rc;
        if (rc != GM_OK) { /* the reader must end, whatever it waits for */
            attempt->held_count = 0;
            gm_stop_request(attempt->stop);
            gm_queue_close(attempt->free);
        }
    }
    gm_thread_join(attempt->reader);
    if (rc != GM_OK || attempt->reader_rc == GM_E_END) {
        return rc;
    }
    *err = attempt->reader_err;
    return attempt->reader_rc != GM_OK ? attempt->reader_rc
                                       : gm_fail(err, GM_E_CANCELLED, "stopped");
}

/* ---- life ---- */

static void attempt_deinit(struct attempt *attempt)
{
    for (size_t i = 0; i < attempt->slot_count; i++) {
        gm_batch_free(attempt->slots[i].batch);
        gm_free(attempt->slots[i].new_keys);
    }
    gm_queue_free(attempt->free);
    gm_queue_free(attempt->inbox);
    gm_run_unwatch(attempt->work->options->handle, attempt->stop);
}

static void attempt_init(struct attempt *attempt)
{
    attempt->slot_count =
        attempt->work->pipeline->sink->outside != NULL ? RUN_SLOTS_OUTSIDE : RUN_SLOTS;
    attempt->free = gm_queue_new(attempt->slot_count);
    attempt->inbox = gm_queue_new(attempt->slot_count + 1);
    attempt->stop = gm_run_watch(attempt->work->options->handle);
    for (size_t i = 0; i < attempt->slot_count; i++) {
        attempt->slots[i].batch = gm_batch_new();
        attempt->slots[i].new_keys = gm_alloc_array(NEW_KEYS_SIZE, sizeof(uint64_t));
        (void)gm_queue_push(attempt->free, &attempt->slots[i]);
    }
}

/* Before the first batch: what an earlier process left to be delivered, and whose events wait. */
static gm_rc prepare_sink(struct run_work *work, const struct gm_stop *stop, struct gm_err *err)
{
    GM_TRY(gm_run_begin_behind(work, stop, err));
    return gm_run_passes_events(work)
               ? gm_dead_letters_keys(work->db, work->row.num, work->parked_keys, err)
               : GM_OK;
}

gm_rc gm_run_attempt(struct run_work *work, struct gm_str cursor, void *source, struct gm_err *err)
{
    struct attempt attempt = {.work = work, .source = source, .reader_rc = GM_OK};
    attempt_init(&attempt);
    gm_rc rc = prepare_sink(work, attempt.stop, err);
    rc = rc == GM_OK ? work->pipeline->source->connect(source, cursor, &work->pass, err) : rc;
    if (rc == GM_OK) {
        struct gm_run_handle *handle = work->options->handle;
        atomic_store(&handle->rows_estimate, (int64_t)work->pass.rows_estimate);
        atomic_store(&handle->bytes_estimate, (int64_t)work->pass.bytes_estimate);
        rc = gm_thread_start("gemel-reader", read_source, &attempt, &attempt.reader, err);
    }
    rc = rc == GM_OK ? work_through(&attempt, err) : rc;
    if (rc == GM_OK && work->pipeline->sink->outside != NULL) {
        rc = gm_run_send_last(work, attempt.stop, err);
    }
    attempt_deinit(&attempt);
    return rc;
}
