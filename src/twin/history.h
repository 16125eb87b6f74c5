/* The past of a twin, told from the change log.
 *
 *     struct gm_history_query query = {.twin = GM_STR("press-1"), .limit = 20};
 *     gm_history_walk(db, &query, print, ctx, err);
 *     gm_provenance(db, models, GM_STR("press-1"), &origins, err);
 *     gm_history_at(db, &(struct gm_history_point){GM_STR("press-1"), 1712}, doc, &value, err);
 *
 * A twin's changes are a chain, the newest first; it goes on through its deletion and coming back,
 * so that a twin that is gone has a history too. Each call reads the log through a reader of its
 * own on `db`, which may be in the caller's transaction; without one, changes that are committed
 * meanwhile are not told. Thread rule: the connection's thread. */
#ifndef GM_TWIN_HISTORY_H
#define GM_TWIN_HISTORY_H

#include "dtdl/model.h"
#include "twin/changes.h"
#include "json/json.h"

enum {
    GM_HISTORY_STEPS_MAX = 4 << 20,    /* changes of one twin that a call walks over */
    GM_HISTORY_STATE_SIZE = 256 << 20, /* memory for folding a twin's changes */
};

struct gm_history_query {
    struct gm_str twin;
    int64_t before; /* only changes with a lower number; 0: from the newest */
    size_t limit;   /* 0: all */
};
/* Newest first, as far back as the log goes; texts are borrowed for the call. GM_E_END: there never
 * was such a twin. Anything but GM_OK from `fn` ends the walk with that. */
gm_rc gm_history_walk(struct gm_db *db, const struct gm_history_query *query, gm_change_fn fn,
                      void *ctx, struct gm_err *err) GM_MUST_CHECK;

/* Where a property or a relationship comes from: the change that wrote it last. */
struct gm_origin {
    /* "/unitPrice", of a component "/drive/rpm", the model "/$metadata/$model"; a relationship's
     * id */
    struct gm_str path;
    bool relationship;
    int64_t change; /* 0: the log does not tell */
    gm_ns time;
    int64_t pipeline, run;
    struct gm_str actor;
    uint64_t position;
};
struct gm_origins {
    struct gm_arena *arena; /* given by the caller: what it holds lives there */
    struct gm_origin *at;   /* the model, properties as the body has them, relationships by id */
    size_t count;
};
/* Of everything that the twin has now. GM_E_END: there is no such twin. GM_E_CONFLICT: its model is
 * newer than `models`. */
gm_rc gm_provenance(struct gm_db *db, const struct gm_models *models, struct gm_str twin,
                    struct gm_origins *origins, struct gm_err *err) GM_MUST_CHECK;

/* The twin as it was when change number `change` had been made (its own or any other's):
 * {"$dtId":"…","$metadata":{"$model":"…"}, body…, "$relationships":[{"$relationshipId",
 * "$relationshipName", "$targetId", properties…}]}. GM_E_END: it did not exist then. GM_E_LIMIT:
 * not all changes that made it are kept any more. */
struct gm_history_point {
    struct gm_str twin;
    int64_t change;
};
gm_rc gm_history_at(struct gm_db *db, const struct gm_history_point *point, yyjson_mut_doc *doc,
                    yyjson_mut_val **out_value, struct gm_err *err) GM_MUST_CHECK;

#endif
