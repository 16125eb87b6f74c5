/* What the store's files share. Not for others. */
#ifndef GM_STORE_INSIDE_H
#define GM_STORE_INSIDE_H

#include "base/vec.h"
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

/* ---- sets.c ---- */

struct gm_store_set {
    struct gm_models *models;
    size_t holders;
};
struct gm_store_sets {
    struct gm_mutex *mu;
    GM_VEC(struct gm_store_set) list; /* guarded by mu; the newest last, before it what is held */
    /* the writer thread's: what the transaction under way makes the newest; NULL: nothing */
    struct gm_models *tip;
};
struct gm_store_sets *gm_store_sets(struct gm_store *store);
void gm_store_sets_init(struct gm_store_sets *sets);
void gm_store_sets_deinit(struct gm_store_sets *sets);
void gm_store_sets_add(struct gm_store_sets *sets, struct gm_models *models); /* takes */
/* On the writer's thread: after the commit; and when the transaction, or the job before which the
 * tip was `tip_before`, was undone. */
void gm_store_sets_committed(struct gm_store_sets *sets);
void gm_store_sets_undone(struct gm_store_sets *sets, struct gm_models *tip_before,
                          struct gm_graph *graph);

/* A new set in place of the newest. When another change comes first, or `store` says GM_E_CONFLICT,
 * both functions run again, on the set that is the newest then. */
struct gm_store_models_change {
    void *ctx;
    /* On the caller's thread. *out_models = NULL: nothing is to be changed. */
    gm_rc (*make)(void *ctx, const struct gm_models *old, struct gm_models **out_models,
                  struct gm_err *err);
    /* On the writer's, in its transaction: writes what is new in `models`, or nothing. */
    gm_rc (*store)(void *ctx, struct gm_db *db, struct gm_models *models, struct gm_err *err);
};
gm_rc gm_store_change_models(struct gm_store *store, const struct gm_store_models_change *change,
                             struct gm_err *err) GM_MUST_CHECK;

/* ---- model_service.c ---- */

/* JSON arrays or single objects. */
struct gm_store_interfaces {
    yyjson_mut_val *const *at;
    size_t count;
    size_t added;                   /* out */
    struct gm_model_errors *errors; /* where to put what is wrong with them; or NULL */
};
/* `old` with the interfaces; models that were gone and come back keep their numbers. */
gm_rc gm_store_models_with(const struct gm_models *old, struct gm_store_interfaces *given,
                           gm_ns now, struct gm_models **out_models, struct gm_err *err)
    GM_MUST_CHECK;
/* On the writer's thread: what is new in them, and what came back. */
gm_rc gm_store_write_models(struct gm_db *db, const struct gm_models *old, struct gm_models *models,
                            gm_ns now, struct gm_err *err) GM_MUST_CHECK;

#endif
