/* The store's models: loading, and adding what is new. */
#ifndef GM_TWIN_MODELS_H
#define GM_TWIN_MODELS_H

#include "db/db.h"
#include "dtdl/model.h"

/* What the store has, in the caller's transaction or none. */
gm_rc gm_models_load(struct gm_db *db, struct gm_models **out_models, struct gm_err *err) GM_MUST_CHECK;
/* Writes the interfaces that `models` has and the store has not, with the table of what derives from what, inside the caller's
 * write transaction. Assigns their numbers. */
gm_rc gm_models_store(struct gm_models *models, struct gm_db *db, gm_ns now, struct gm_err *err) GM_MUST_CHECK;

#endif
