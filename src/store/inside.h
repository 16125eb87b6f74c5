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

#endif
