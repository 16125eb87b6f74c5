/* What the store's files share. Not for others. */
#ifndef GM_STORE_INSIDE_H
#define GM_STORE_INSIDE_H

#include "os/thread.h"
#include "store/store.h"

/* How far the change log is committed, for those who wait for more. */
struct gm_change_watch {
    struct gm_mutex *mu;
    struct gm_cond *cond; /* `newest` has risen, or a feed was woken */
    int64_t newest;       /* guarded by mu */
};
struct gm_change_watch *gm_store_watch(struct gm_store *store);

/* ---- indexer.c ---- */

struct gm_indexer;
struct gm_indexer *gm_indexer_new(struct gm_store *store, const struct gm_index_policy *policy);
void gm_indexer_free(struct gm_indexer *indexer); /* after stop; NULL is fine */
/* Before the writer runs: sees whether something is left to be done. */
gm_rc gm_indexer_resume(struct gm_indexer *indexer, struct gm_db *db, struct gm_err *err)
    GM_MUST_CHECK;
void gm_indexer_start(struct gm_indexer *indexer); /* once the writer runs */
void gm_indexer_note(struct gm_indexer *indexer, const struct gm_query_access *access);
void gm_indexer_wait(struct gm_indexer *indexer);
void gm_indexer_stop(struct gm_indexer *indexer); /* while the writer still runs */

#endif
