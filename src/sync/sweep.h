/* Absence is not deletion: what happens to objects that a complete run did not see.
 *
 * After a run that read its source from the beginning to the end, objects without a mark in gm_seen
 * are missing. They are deleted only when all of this holds; otherwise nothing is deleted and the
 * run says why:
 *   - no record of the run was unreadable in a way that hides its key;
 *   - the run read at least one record;
 *   - source and filters are those of the last complete run (or the change was approved);
 *   - the object was missed in `delete_after_runs` complete runs in a row, and for `min_age`;
 *   - of no type more than `max_share` of the live objects would go (one may always);
 *   - the pipeline delivered it: only rows of its own sync state are looked at.
 * Misses are kept in the rows, so a skipped sweep is carried forward. Approval deletes what the
 * last complete run missed.
 *
 * The scan streams and collects pages; deletions are applied page by page in the writer's
 * transactions. A crash in between is harmless: what is left is still marked, and the next complete
 * run or approval goes on. */
#ifndef GM_SYNC_SWEEP_H
#define GM_SYNC_SWEEP_H

#include "base/time.h"
#include "db/db.h"
#include "sync/run.h"
#include "sync/state.h"

struct gm_sweep_policy {
    bool enabled;              /* false: missing objects are kept for ever */
    int64_t delete_after_runs; /* ≥ 1 */
    double max_share;          /* 0 … 1 */
    gm_ns min_age;
};

enum { GM_SWEEP_PAGE = 500 };

/* A page of objects, copied, in order of keys. */
struct gm_sweep_item {
    struct gm_str key;
    int64_t slot;
    int64_t target;
    struct gm_str target_id;
};
struct gm_sweep_page {
    struct gm_arena *arena;
    struct gm_sweep_item items[GM_SWEEP_PAGE];
    size_t count;
    struct gm_str
        /* how far the table was read, and the next page starts behind; p NULL: not at all */
        last_key;
    char last_key_bytes[GM_KEY_SIZE_MAX];
};
struct gm_sweep_page *gm_sweep_page_new(void);
void gm_sweep_page_free(struct gm_sweep_page *page);

/* The next page of live objects that `seen` has not, behind page->last_key. GM_E_END: no more (the
 * page is empty then). Reading connection. */
gm_rc gm_sweep_find_missing(struct gm_db *db, int64_t pipeline, const struct gm_seen *seen,
                            struct gm_sweep_page *page, struct gm_err *err) GM_MUST_CHECK;
/* One sweep of one run. */
struct gm_sweep_task {
    struct gm_db *db;
    const struct gm_run *run;
    const struct gm_sweep_policy *policy;
    gm_ns now;
    const char *untrusted_z; /* why the run's misses do not count; NULL: they do */
    bool
        /* trust and share limit are waived; of a trusted run, number and age of misses still
         * hold */
        approved;
    /* What to call a type of targets in reasons; NULL (or returning NULL): by its number. Borrowed
     * for the call. */
    const char *(*type_name_z)(void *ctx, int64_t type);
    void *type_ctx;
};

/* Marks a page as missed in the run; trusted runs count towards delete_after_runs. Writer. */
gm_rc gm_sweep_mark(const struct gm_sweep_task *task, const struct gm_sweep_page *page,
                    struct gm_err *err) GM_MUST_CHECK;

/* What would go after marking, and the gate that shuts. A run that read no record is never trusted,
 * whatever untrusted_z says. */
struct gm_sweep_decision {
    enum gm_sweep sweep;
    int64_t
        /* objects that are due; while nothing is due, and of an untrusted run, all that it
         * missed */
        count;
    int64_t type;                  /* of targets: the one whose share limit shut the gate, or -1 */
    char reason[GM_ERR_TEXT_SIZE]; /* one line for people; empty: nothing to say */
};
gm_rc gm_sweep_decide(const struct gm_sweep_task *task, struct gm_sweep_decision *out_decision,
                      struct gm_err *err) GM_MUST_CHECK;

/* The next page of objects that are due, behind page->last_key. GM_E_END: no more. */
gm_rc gm_sweep_find_due(const struct gm_sweep_task *task, struct gm_sweep_page *page,
                        struct gm_err *err) GM_MUST_CHECK;
/* The sink has removed them: their state becomes deleted, their dead letters go. Writer. */
gm_rc gm_sweep_forget(const struct gm_sweep_task *task, const struct gm_sweep_page *page,
                      int64_t *live_count, struct gm_err *err) GM_MUST_CHECK;

/* For targets outside the store. Before they are removed: what becomes of them is in doubt. Writer.
 */
gm_rc gm_sweep_doubt(const struct gm_sweep_task *task, const struct gm_sweep_page *page,
                     struct gm_err *err) GM_MUST_CHECK;
/* One could not be removed; it stays due. Writer. */
gm_rc gm_sweep_failed(const struct gm_sweep_task *task, struct gm_str key, struct gm_str error,
                      struct gm_err *err) GM_MUST_CHECK;

#endif
