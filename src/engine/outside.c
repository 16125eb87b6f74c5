/* Sinks outside the store: looking, noting, sending, keeping. What is sent stands in the store
 * before it is sent, and what became of it after; so a crash leaves at most what must be looked at
 * again. */
#include "base/mem.h"
#include "engine/run_internal.h"
#include "sync/objects.h"

static const struct gm_outside *outside_of(const struct run_work *work)
{
    return work->pipeline->sink->outside;
}

/* ---- batches ---- */

struct intent {
    struct run_work *work;
    const struct gm_run_sending *sending; /* NULL: no batch */
    struct gm_sink_work sink_work;
};

static bool is_to_be_sent(const struct gm_record *record)
{
    return record->rc == GM_OK && record->verdict == GM_VERDICT_NONE && record->prepared != NULL;
}

static size_t count_to_be_sent(const struct gm_batch *batch)
{
    size_t count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        count += is_to_be_sent(&batch->records[i]);
    }
    return count;
}

static gm_rc write_intent(struct intent *intent, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct run_work *work = intent->work;
    struct gm_state_cause cause = {.pipeline = work->row.num,
                                   .run = work->run->num,
                                   .now = intent->sink_work.now,
                                   .last_slot = &work->row.last_slot,
                                   .live_count = &work->row.live_count};
    for (size_t b = 0; intent->sending != NULL && b < intent->sending->count; b++) {
        struct gm_batch *batch = intent->sending->batches[b];
        for (size_t i = 0; i < batch->count; i++) {
            if (is_to_be_sent(&batch->records[i])) {
                GM_TRY(gm_state_intend(tx->states, &cause, &batch->records[i], err));
            }
        }
    }
    GM_TRY(gm_pipeline_update(tx->db, &work->row, err));
    return outside_of(work)->intend(work->sink, &intent->sink_work, err);
}

static gm_rc intend(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct intent *intent = ctx;
    struct run_counters saved = gm_run_save_counters(intent->work);
    intent->sink_work.db = tx->db;
    gm_rc rc = write_intent(intent, tx, err);
    if (rc != GM_OK) {
        gm_run_restore_counters(intent->work, &saved);
    }
    return rc;
}

gm_rc gm_run_look_at_batch(struct run_work *work, struct gm_batch *batch, bool more,
                           size_t *out_count, struct gm_err *err)
{
    struct gm_sink_work sink_work = gm_run_sink_work(work, NULL);
    sink_work.more = more;
    GM_TRY(outside_of(work)->look(work->sink, &sink_work, batch, err));
    *out_count = count_to_be_sent(batch);
    return GM_OK;
}

gm_rc gm_run_send_batches(const struct gm_run_sending *sending, struct gm_err *err)
{
    struct run_work *work = sending->work;
    struct intent intent = {
        .work = work, .sending = sending, .sink_work = gm_run_sink_work(work, sending->stop)};
    size_t count = 0;
    for (size_t i = 0; i < sending->count; i++) {
        count += count_to_be_sent(sending->batches[i]);
    }
    if (work->options->plan || count == 0) {
        return GM_OK;
    }
    GM_TRY(gm_store_write(work->options->store, intend, &intent, err));
    intent.sink_work.db = work->db;
    return outside_of(work)->send(work->sink, &intent.sink_work, err);
}

static gm_rc keep(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct intent *intent = ctx;
    intent->sink_work.db = tx->db;
    return outside_of(intent->work)->keep(intent->work->sink, &intent->sink_work, err);
}

/* One page of what waits. GM_E_END: nothing waits. */
static gm_rc send_waiting(struct run_work *work, struct gm_batch *batch, const struct gm_stop *stop,
                          struct gm_err *err)
{
    const struct gm_outside *outside = outside_of(work);
    struct intent intent = {.work = work, .sink_work = gm_run_sink_work(work, stop)};
    intent.sink_work.last = true;
    GM_TRY(outside->look(work->sink, &intent.sink_work, batch, err));
    GM_TRY(gm_store_write(work->options->store, intend, &intent, err));
    struct gm_err own;
    intent.sink_work.db = work->db;
    gm_rc rc = outside->send(work->sink, &intent.sink_work, err);
    gm_rc kept = gm_store_write(work->options->store, keep, &intent, rc == GM_OK ? err : &own);
    return rc == GM_OK ? kept : rc;
}

gm_rc gm_run_send_last(struct run_work *work, const struct gm_stop *stop, struct gm_err *err)
{
    if (work->options->plan) {
        return GM_OK;
    }
    struct gm_batch *batch = gm_batch_new();
    gm_rc rc = GM_OK;
    while (rc == GM_OK) {
        rc = send_waiting(work, batch, stop, err);
    }
    gm_batch_free(batch);
    return rc == GM_E_END ? GM_OK : rc;
}

/* ---- removals ---- */

struct removing {
    const struct gm_run_removal *removal;
    struct gm_removal *items; /* as many as the page has */
    struct gm_sink_work sink_work;
    int64_t gone, kept;
};

static gm_rc intend_removals(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct removing *removing = ctx;
    struct run_work *work = removing->removal->work;
    struct gm_sweep_task task = *removing->removal->task;
    task.db = tx->db;
    removing->sink_work.db = tx->db;
    GM_TRY(gm_sweep_doubt(&task, removing->removal->page, err));
    return outside_of(work)->intend(work->sink, &removing->sink_work, err);
}

/* The page keeps what is gone; the others are told. */
static gm_rc keep_removals(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct removing *removing = ctx;
    struct run_work *work = removing->removal->work;
    struct gm_sweep_page *page = removing->removal->page;
    struct gm_sweep_task task = *removing->removal->task;
    size_t gone = 0;
    task.db = tx->db;
    removing->sink_work.db = tx->db;
    GM_TRY(outside_of(work)->keep(work->sink, &removing->sink_work, err));
    for (size_t i = 0; i < page->count; i++) {
        const struct gm_removal *item = &removing->items[i];
        if (item->gone) {
            page->items[gone++] = page->items[i];
        } else if (item->err.rc != GM_OK) {
            GM_TRY(gm_sweep_failed(&task, item->target.key, gm_str_z(item->err.text), err));
            removing->kept++;
        }
    }
    page->count = gone;
    struct gm_pipeline_row row = work->row;
    GM_TRY(gm_sweep_forget(&task, page, &row.live_count, err));
    GM_TRY(gm_pipeline_update(tx->db, &row, err));
    work->row.live_count = row.live_count;
    removing->gone = (int64_t)gone;
    return GM_OK;
}

static void note_kept(struct run_work *work, const struct removing *removing, size_t count)
{
    for (size_t i = 0; work->kept_count == 0 && i < count; i++) {
        if (removing->items[i].err.rc != GM_OK) {
            work->kept_error =
                gm_arena_dup(work->report->arena, gm_str_z(removing->items[i].err.text));
            break;
        }
    }
    work->kept_count += removing->kept;
}

static gm_rc remove_items(struct removing *removing, struct gm_err *err)
{
    struct run_work *work = removing->removal->work;
    const struct gm_outside *outside = outside_of(work);
    size_t count = removing->removal->page->count;
    GM_TRY(outside->look_removals(work->sink, &removing->sink_work, removing->items, count, err));
    GM_TRY(gm_store_write(work->options->store, intend_removals, removing, err));
    struct gm_err own;
    removing->sink_work.db = work->db;
    gm_rc rc = outside->send(work->sink, &removing->sink_work, err);
    gm_rc kept =
        gm_store_write(work->options->store, keep_removals, removing, rc == GM_OK ? err : &own);
    note_kept(work, removing, count);
    return rc == GM_OK ? kept : rc;
}

gm_rc gm_run_remove_page(const struct gm_run_removal *removal, int64_t *out_gone,
                         struct gm_err *err)
{
    const struct gm_sweep_page *page = removal->page;
    struct removing removing = {.removal = removal,
                                .sink_work = gm_run_sink_work(removal->work, removal->stop),
                                .items = gm_alloc_array(page->count, sizeof(*removing.items))};
    for (size_t i = 0; i < page->count; i++) {
        const struct gm_sweep_item *item = &page->items[i];
        removing.items[i].target =
            (struct gm_sink_target){item->target, item->target_id, item->key};
    }
    gm_rc rc = remove_items(&removing, err);
    gm_free(removing.items);
    *out_gone = removing.gone;
    return rc;
}
