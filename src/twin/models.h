/* The store's models: loading, and adding what is new.
 *
 *     struct gm_models *models;
 *     GM_TRY(gm_models_load(db, &models, err));
 *     GM_TRY(gm_models_extend(models, interfaces, count, &more, &added, err));
 *     GM_TRY(gm_models_store(more, db, now, err));          // in a write transaction
 *
 * Definitions are kept as canonical text. A model's number is never given again, not even when the
 * model is gone: twins' numbers are made of it. Thread rule: that of the connection. */
#ifndef GM_TWIN_MODELS_H
#define GM_TWIN_MODELS_H

#include "db/db.h"
#include "dtdl/model.h"

/* What the store has, in the caller's transaction or none. GM_E_CORRUPT when its definitions do not
 * make models. */
gm_rc gm_models_load(struct gm_db *db, struct gm_models **out_models, struct gm_err *err)
    GM_MUST_CHECK;
/* Writes the models that have no number yet, with the table of what derives from what, inside the
 * caller's write transaction, and assigns their numbers. On failure `models` is unchanged; when the
 * transaction fails later, throw `models` away. GM_E_CONFLICT when the store got one of them from
 * elsewhere: load, extend and store again. */
gm_rc gm_models_store(struct gm_models *models, struct gm_db *db, gm_ns now, struct gm_err *err)
    GM_MUST_CHECK;

#endif
