/* Group commit: the thread takes one job, then whatever else waits, and commits them together.
 * While it syncs, the next group gathers in the queue, so that the cost of a sync is shared by all
 * who wait, and a lone job does not wait for company.
 *
 * Each job of a group stands behind a savepoint: its failure undoes its own statements only. A
 * group of one needs none. */
#include "db/writer.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "os/queue.h"
#include "os/thread.h"

struct gm_writer {
    struct gm_db *db; /* the thread's */
    struct gm_queue *queue;
    struct gm_thread *thread;
    struct gm_writer_hooks hooks;
    struct gm_err failure; /* the thread's; rc not GM_OK: storage failed, every job gets this */
    /* Set once, behind `failure`, which does not change then: whoever sees it may read that. */
    _Atomic bool failed;
};

struct item {
    struct gm_writer_job job;
    struct gm_err err; /* the outcome; rc GM_OK: committed */
};

static bool is_final(gm_rc rc)
{
    return rc == GM_E_IO || rc == GM_E_CORRUPT;
}

/* Gives an item that has no failure of its own the group's. */
static void fail_item(struct item *item, const struct gm_err *err)
{
    if (item->err.rc == GM_OK) {
        item->err = *err;
    }
}

static void finish_item(struct item *item)
{
    if (item->job.done != NULL) {
        item->job.done(item->job.ctx, item->err.rc, &item->err);
    }
    gm_free(item);
}

/* Runs one job; its failure is its own unless the savepoint cannot bring back what was before it.
 */
static gm_rc run_item(struct gm_db *db, struct item *item, bool behind_savepoint,
                      struct gm_err *err)
{
    if (behind_savepoint) {
        GM_TRY(gm_db_savepoint(db, err));
    }
    gm_rc rc = item->job.fn(item->job.ctx, db, &item->err);
    item->err.rc = rc;
    if (rc != GM_OK && (is_final(rc) || !behind_savepoint)) {
        *err = item->err;
        return rc;
    }
    if (!behind_savepoint) {
        return GM_OK;
    }
    return rc == GM_OK ? gm_db_savepoint_release(db, err) : gm_db_savepoint_rollback(db, err);
}

static gm_rc commit(struct gm_writer *writer, struct gm_err *err)
{
    const struct gm_writer_hooks *hooks = &writer->hooks;
    const struct gm_clock *clock = gm_clock_system();
    if (hooks->before_commit != NULL) {
        GM_TRY(hooks->before_commit(hooks->ctx, writer->db, err));
    }
    gm_ns before = clock->mono(clock);
    GM_TRY(gm_db_commit(writer->db, err));
    if (hooks->committed != NULL) {
        hooks->committed(hooks->ctx, clock->mono(clock) - before);
    }
    return GM_OK;
}

static void undo(struct gm_writer *writer)
{
    gm_db_rollback(writer->db);
    if (writer->hooks.undone != NULL) {
        writer->hooks.undone(writer->hooks.ctx);
    }
}

static gm_rc run_in_transaction(struct gm_writer *writer, struct item **items, size_t count,
                                struct gm_err *err)
{
    GM_TRY(gm_db_begin(writer->db, err));
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        GM_TRY(run_item(writer->db, items[i], count > 1, err));
        done += items[i]->err.rc == GM_OK;
    }
    if (done == 0) {
        undo(writer);
        return GM_OK;
    }
    return commit(writer, err);
}

static void run_group(struct gm_writer *writer, struct item **items, size_t count)
{
    struct gm_err err = writer->failure;
    if (err.rc == GM_OK) {
        err.rc = run_in_transaction(writer, items, count, &err);
    }
    if (err.rc != GM_OK) {
        undo(writer);
    }
    if (is_final(err.rc) && writer->failure.rc == GM_OK) {
        writer->failure = err;
        atomic_store_explicit(&writer->failed, true, memory_order_release);
    }
    for (size_t i = 0; i < count; i++) {
        if (err.rc != GM_OK) {
            fail_item(items[i], &err);
        }
        finish_item(items[i]);
    }
}

static void run_thread(void *arg)
{
    struct gm_writer *writer = arg;
    struct item *group[GM_WRITER_GROUP_MAX];
    struct item *next = gm_queue_pop(writer->queue);
    while (next != NULL) {
        size_t count = 0;
        group[count++] = next;
        bool alone = next->job.alone;
        next = NULL;
        while (!alone && count < GM_WRITER_GROUP_MAX &&
               (next = gm_queue_try_pop(writer->queue)) != NULL && !next->job.alone) {
            group[count++] = next;
            next = NULL;
        }
        run_group(writer, group, count);
        if (next == NULL) {
            next = gm_queue_pop(writer->queue);
        }
    }
}

gm_rc gm_writer_start(struct gm_db *db, const struct gm_writer_hooks *hooks,
                      struct gm_writer **out_writer, struct gm_err *err)
{
    struct gm_writer *writer = gm_alloc(sizeof(*writer));
    writer->db = db;
    if (hooks != NULL) {
        writer->hooks = *hooks;
    }
    writer->queue = gm_queue_new(GM_WRITER_QUEUE_MAX);
    gm_rc rc = gm_thread_start("gemel-writer", run_thread, writer, &writer->thread, err);
    if (rc != GM_OK) {
        gm_queue_free(writer->queue);
        gm_db_close(db);
        gm_free(writer);
        return rc;
    }
    *out_writer = writer;
    return GM_OK;
}

void gm_writer_stop(struct gm_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    gm_queue_close(writer->queue);
    gm_thread_join(writer->thread);
    gm_queue_free(writer->queue);
    gm_db_close(writer->db);
    gm_free(writer);
}

gm_rc gm_writer_failure(const struct gm_writer *writer, struct gm_err *err)
{
    if (!atomic_load_explicit(&writer->failed, memory_order_acquire)) {
        return GM_OK;
    }
    *err = writer->failure;
    return err->rc;
}

gm_rc gm_writer_submit(struct gm_writer *writer, const struct gm_writer_job *job,
                       struct gm_err *err)
{
    struct item *item = gm_alloc(sizeof(*item));
    item->job = *job;
    if (!gm_queue_push(writer->queue, item)) {
        gm_free(item);
        return gm_fail(err, GM_E_CANCELLED, "the store's writer is stopping");
    }
    return GM_OK;
}

/* ---- waiting for the outcome ---- */

struct waiter {
    gm_writer_fn fn;
    void *ctx;
    struct gm_mutex *mutex;
    struct gm_cond *cond;
    bool finished;      /* guarded by mutex */
    struct gm_err *err; /* borrows; written before `finished` */
    gm_rc rc;           /* guarded by mutex */
};

static gm_rc run_waiter(void *ctx, struct gm_db *db, struct gm_err *err)
{
    struct waiter *waiter = ctx;
    return waiter->fn(waiter->ctx, db, err);
}

static void wake_waiter(void *ctx, gm_rc rc, const struct gm_err *err)
{
    struct waiter *waiter = ctx;
    gm_mutex_lock(waiter->mutex);
    waiter->rc = rc;
    if (rc != GM_OK && waiter->err != NULL) {
        *waiter->err = *err;
    }
    waiter->finished = true;
    gm_cond_signal(waiter->cond);
    gm_mutex_unlock(waiter->mutex);
}

gm_rc gm_writer_run(struct gm_writer *writer, gm_writer_fn fn, void *ctx, struct gm_err *err)
{
    struct waiter waiter = {
        .fn = fn, .ctx = ctx, .mutex = gm_mutex_new(), .cond = gm_cond_new(), .err = err};
    struct gm_writer_job job = {.fn = run_waiter, .done = wake_waiter, .ctx = &waiter};
    gm_rc rc = gm_writer_submit(writer, &job, err);
    if (rc == GM_OK) {
        gm_mutex_lock(waiter.mutex);
        while (!waiter.finished) {
            gm_cond_wait(waiter.cond, waiter.mutex);
        }
        rc = waiter.rc;
        gm_mutex_unlock(waiter.mutex);
    }
    gm_cond_free(waiter.cond);
    gm_mutex_free(waiter.mutex);
    return rc;
}
