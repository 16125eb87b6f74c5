/* Checkpoints of the store: SQLite's write-ahead log is copied into the database file, most of it
 * on a thread of its own, so that the writer does not wait for it. Internal to this folder.
 *
 *     db->checkpointer = gm_checkpointer_new(handle, page_size);     // no thread yet
 *     gm_checkpointer_committed(checkpointer, frames);               // from the WAL hook
 *     if (gm_checkpointer_failure(checkpointer) != SQLITE_OK) { … }  // before each transaction
 *     gm_checkpointer_free(checkpointer);                            // before the handle is closed
 *
 * The log starts again at its beginning when a transaction begins at a moment at which all of it is
 * in the file and nobody reads from it. A copier beside a writer that goes on never brings that
 * moment about: what is committed while it copies is always left. So the work is shared:
 *
 *   - The copier (a thread with a second connection to the file) is asked for a pass whenever the
 *     log has grown by GM_CHECKPOINT_BYTES. It copies what is committed when the pass begins.
 *   - Once the log has GM_LOG_BYTES_USUAL and all but a little is copied, the writing connection
 *     copies that rest itself, behind the commit. Its next transaction starts the log again.
 *   - A log of GM_LOG_BYTES_MAX means that the copier cannot follow, or that readers are in the
 *     way. The writer waits for the copier's pass and copies everything itself after every commit,
 *     and each time the log has grown by GM_CHECKPOINT_BYTES more it waits a moment for readers to
 *     leave the log.
 *
 * So the log stays under GM_LOG_BYTES_MAX and one transaction, except behind a reader that keeps
 * one snapshot for long; behind it nothing can be copied, and the log grows until it ends.
 *
 * At most one connection checkpoints at a time, and a pass of the copier is asked for only when
 * there is something to copy. This is more than good manners: SQLite before 3.51.3 loses what is in
 * the log when one connection begins to checkpoint a log that is copied completely while another
 * starts that log again ("the WAL-reset bug", https://sqlite.org/wal.html). Here the log cannot
 * start again between the request and the end of a pass, because something is not copied until that
 * end. Nothing else in this process may checkpoint the file of an open store.
 *
 * A failed pass (I/O, disk full, corrupt) is final: the writer's next transaction is refused with
 * its code. A lock that somebody else has is no failure. A thread or connection that cannot be had
 * is none either: the writer then copies by itself.
 *
 * Thread rule: all calls from the thread that has the writing connection. */
#ifndef GM_DB_CHECKPOINT_H
#define GM_DB_CHECKPOINT_H

#include <stdbool.h>

enum {
    GM_CHECKPOINT_BYTES = 16 << 20,
    GM_LOG_BYTES_USUAL = 32 << 20,
    GM_LOG_BYTES_MAX = 128 << 20,
};

struct sqlite3;
struct gm_checkpointer;

/* Keeps `handle`, the writing connection in WAL mode. */
struct gm_checkpointer *gm_checkpointer_new(struct sqlite3 *handle, int page_size);
/* Waits for the pass under way; what is not copied stays in the log. NULL is fine. */
void gm_checkpointer_free(struct gm_checkpointer *checkpointer);
/* After each commit, outside of any transaction: the log holds `frames` pages now. May call the
 * handle's busy handler. */
void gm_checkpointer_committed(struct gm_checkpointer *checkpointer, int frames);
/* The first failure, an extended result code; SQLITE_OK: none. */
int gm_checkpointer_failure(const struct gm_checkpointer *checkpointer);

#endif
