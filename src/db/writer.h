/* The store's one writer: a thread that owns the write connection of a database file and commits
 * work in groups.
 *
 *     static gm_rc put(void *ctx, struct gm_db *db, struct gm_err *err) { … statements … }
 *     rc = gm_writer_run(writer, put, &ctx, err);   // returns after the commit that holds its
 * effects
 *
 * Jobs run in the order they were submitted, inside a transaction that serves every job that waits
 * (up to GM_WRITER_GROUP_MAX). A job that fails is undone alone (savepoint) unless the failure is
 * GM_E_IO or GM_E_CORRUPT, which stops the writer: its group is rolled back, all its jobs and all
 * later ones get that error, and the process must open the store anew. Nobody hears GM_OK before
 * the commit returned. The queue is bounded; producers wait.
 *
 * A job's function runs on the writer's thread: no waiting, no locks held outside, statements only.
 */
#ifndef GM_DB_WRITER_H
#define GM_DB_WRITER_H

#include "base/status.h"
#include "db/db.h"

struct gm_writer;
typedef gm_rc (*gm_writer_fn)(void *ctx, struct gm_db *db, struct gm_err *err);

enum { GM_WRITER_QUEUE_MAX = 1024, GM_WRITER_GROUP_MAX = 256 };

/* What the jobs' owner keeps beside the database, and when it hears of it: on the writer's thread,
 * each may be NULL. */
struct gm_writer_hooks {
    void *ctx;
    /* Before a transaction commits, after the last of its jobs: writes what they left in memory. A
     * failure is the failure of them all. */
    gm_rc (*before_commit)(void *ctx, struct gm_db *db, struct gm_err *err);
    void (*committed)(void *ctx, gm_ns took);
    void (*undone)(void *ctx); /* the transaction as a whole; its jobs hear of it afterwards */
};

/* Takes `db` (closes it). `hooks` is copied; NULL: none. */
gm_rc gm_writer_start(struct gm_db *db, const struct gm_writer_hooks *hooks,
                      struct gm_writer **out_writer, struct gm_err *err) GM_MUST_CHECK;
/* Waits for queued jobs, closes the connection. */
void gm_writer_stop(struct gm_writer *writer);
gm_rc gm_writer_run(struct gm_writer *writer, gm_writer_fn fn, void *ctx, struct gm_err *err)
    GM_MUST_CHECK;

/* GM_OK, or what failed for good: from then on every job gets this. Any thread. */
gm_rc gm_writer_failure(const struct gm_writer *writer, struct gm_err *err);

/* Without waiting: `done` is called on the writer's thread after the commit (or with the failure).
 * Waits only while the queue is full. */
struct gm_writer_job {
    gm_writer_fn fn;
    void (*done)(void *ctx, gm_rc rc, const struct gm_err *err);
    void *ctx;
    bool alone; /* its own transaction, without a savepoint: for large batches */
};
gm_rc gm_writer_submit(struct gm_writer *writer, const struct gm_writer_job *job,
                       struct gm_err *err) GM_MUST_CHECK;

#endif
