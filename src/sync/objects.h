/* What pipelines delivered to targets outside the store, object by object: so that an update sends
 * what changed and asks for nothing, a deletion takes what the pipeline made, and a crash between
 * an effect and its commit loses no knowledge.
 *
 *     struct gm_object *object;
 *     GM_TRY(gm_objects_of_key(db, arena, &(struct gm_state_key){pipeline, key}, &object, err));
 *     for (; object != NULL; object = object->behind) { … }
 *
 * Before anything is sent, what is sent is written to `next` in a transaction of its own; after it
 * was answered, another makes it the `body`. So of every object one of these holds:
 *
 *     body      next      waiting_for
 *     there     -         -            it is there as `body` says
 *     -         there     -            it was being created: it may be there or not
 *     there     there     -            it was being changed or deleted: it may be either, or gone
 *     -         there     there        a relationship one end of which is missing: it is not there
 *
 * What is in doubt is read from the target before it is written again. Thread rule: as the
 * connection. */
#ifndef GM_SYNC_OBJECTS_H
#define GM_SYNC_OBJECTS_H

#include "base/arena.h"
#include "db/db.h"
#include "sync/state.h"

struct gm_object {
    int64_t pipeline;
    struct gm_str id;
    struct gm_str key;
    int64_t target;                                 /* which service: a hash of its address */
    bool owned;                                     /* the pipeline created it */
    struct gm_str body, next, waiting_for, link_to; /* p NULL: null */
    struct gm_object *behind;
};

/* Lists in `arena`, in no order; NULL: nothing. GM_E_LIMIT: the arena is full. */
gm_rc gm_objects_of_key(struct gm_db *db, struct gm_arena *arena, const struct gm_state_key *key,
                        struct gm_object **out_first, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_object_get(struct gm_db *db, struct gm_arena *arena, const struct gm_state_key *id,
                    struct gm_object **out_object, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_objects_waiting_for(struct gm_db *db, struct gm_arena *arena,
                             const struct gm_state_key *id, struct gm_object **out_first,
                             struct gm_err *err) GM_MUST_CHECK;
/* At most GM_OBJECTS_PAGE of the pipeline's that wait, by what they wait for and id, behind `after`
 * (of which pipeline, waiting_for and id count; both texts empty: from the beginning). */
enum { GM_OBJECTS_PAGE = 1000 };
gm_rc gm_objects_waiting(struct gm_db *db, struct gm_arena *arena, const struct gm_object *after,
                         struct gm_object **out_first, struct gm_err *err) GM_MUST_CHECK;

/* An object of a service, whoever delivers it. */
struct gm_object_place {
    int64_t target;
    struct gm_str id;
    int64_t pipeline;
};
gm_rc gm_objects_linked_to(struct gm_db *db, struct gm_arena *arena,
                           const struct gm_object_place *twin, struct gm_object **out_first,
                           struct gm_err *err) GM_MUST_CHECK;
/* Those of other pipelines than place->pipeline. */
gm_rc gm_objects_of_others(struct gm_db *db, struct gm_arena *arena,
                           const struct gm_object_place *place, struct gm_object **out_first,
                           struct gm_err *err) GM_MUST_CHECK;

/* Inside write transactions. */
gm_rc gm_object_put(struct gm_db *db, const struct gm_object *object, struct gm_err *err)
    GM_MUST_CHECK;
gm_rc gm_object_remove(struct gm_db *db, int64_t pipeline, struct gm_str id, struct gm_err *err)
    GM_MUST_CHECK;
/* They stay where they are, and belong to nobody. */
gm_rc gm_objects_forget_key(struct gm_db *db, const struct gm_state_key *key, struct gm_err *err)
    GM_MUST_CHECK;

gm_rc gm_objects_count_waiting(struct gm_db *db, int64_t *out_count, struct gm_err *err)
    GM_MUST_CHECK;

#endif
