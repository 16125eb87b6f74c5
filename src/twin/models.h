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

/* A set made anew: `old` but for the models that are left out, plus interfaces as gm_models_extend
 * takes them. */
struct gm_models_rebuild {
    const struct gm_models *old;
    bool (*left_out)(void *ctx, const struct gm_model *model); /* NULL: none */
    void *ctx;
    yyjson_mut_val *const *interfaces;
    size_t count;
    struct gm_model_errors *errors; /* where to put what is wrong; or NULL */
};
gm_rc gm_models_rebuild(const struct gm_models_rebuild *rebuild, struct gm_models **out_models,
                        struct gm_err *err) GM_MUST_CHECK;
/* Rows of single models, in the caller's write transaction. */
gm_rc gm_model_update_row(struct gm_db *db, const struct gm_model *model, struct gm_err *err)
    GM_MUST_CHECK;
/* Together with what it inherits from. */
gm_rc gm_model_replace_row(struct gm_db *db, const struct gm_model *model, struct gm_err *err)
    GM_MUST_CHECK;
gm_rc gm_model_delete_row(struct gm_db *db, int64_t num, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_model_has_twins(struct gm_db *db, int64_t num, bool *out_any, struct gm_err *err)
    GM_MUST_CHECK;

/* Whether `model` cannot be without `other`: it extends it, directly or not, or has it as a
 * component. Targets of relationships need not be there. */
bool gm_model_needs(const struct gm_model *model, const struct gm_model *other);
/* The model as the service lists it: {"id","description","displayName","decommissioned",
 * "uploadTime","model"?}. NULL: no room. */
yyjson_mut_val *gm_model_json(yyjson_mut_doc *doc, const struct gm_model *model,
                              bool with_definition);

#endif
