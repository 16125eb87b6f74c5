/* The models of the store, as the service's operations have them: uploaded, decommissioned,
 * deleted, listed.
 *
 *     struct gm_model_answer answer = {.arena = arena};
 *     struct gm_model_upload upload = {.interfaces = array, .limits = &limits};
 *     GM_TRY(gm_store_upload_models(store, &upload, &answer, err));
 *     if (answer.outcome == GM_MODEL_DONE) { … gm_store_models_hold() has them … }
 *
 * What a client did wrong is an outcome, and nothing is written; a returned failure is one of the
 * store. A change is committed, and in the newest set, when its function returns.
 *
 * A model that others extend or have as a component is neither deleted nor, as long as one of them
 * is not, decommissioned. A model that has twins may be deleted, as the service has it: its twins
 * stay, can be read, queried, deleted and given another model, and not be edited otherwise. The
 * model is kept for them, out of sight (GM_MODEL_GONE), until they are gone or it is uploaded anew,
 * whatever its definition is then.
 *
 * Thread rule: any thread but the writer's; the calls wait for a commit. */
#ifndef GM_STORE_MODEL_SERVICE_H
#define GM_STORE_MODEL_SERVICE_H

#include "store/store.h"

enum gm_model_outcome {
    GM_MODEL_DONE,
    GM_MODEL_NOTHING,     /* nothing was given, or something that is no array of objects */
    GM_MODEL_TOO_MANY,    /* `why` */
    GM_MODEL_BAD_VERSION, /* of DTDL; `why` */
    GM_MODEL_EXISTS,      /* detail: the ids that are there already, with ", " between */
    GM_MODEL_INVALID,     /* `why`: interface, element, rule; detail: all that is wrong, or empty */
    GM_MODEL_NOT_FOUND,   /* detail: its id */
    GM_MODEL_REFERENCED,  /* detail: the ids of those that need it */
};

struct gm_model_answer {
    struct gm_arena *arena; /* for `detail` */
    enum gm_model_outcome outcome;
    struct gm_str detail;
    struct gm_err why;
};

struct gm_model_limits {
    size_t per_call_max; /* models; 0: any number */
    size_t total_max;    /* in the store; 0: any number */
};

struct gm_model_upload {
    yyjson_mut_val *interfaces; /* an array; all or nothing */
    const struct gm_model_limits *limits;
    bool skip_equal; /* models that are there with the same definition are passed over */
    size_t added;    /* out */
};
gm_rc gm_store_upload_models(struct gm_store *store, struct gm_model_upload *upload,
                             struct gm_model_answer *answer, struct gm_err *err) GM_MUST_CHECK;
/* Of a decommissioned model no twin can be made; false takes it back. */
gm_rc gm_store_decommission_model(struct gm_store *store, struct gm_str id, bool decommissioned,
                                  struct gm_model_answer *answer, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_store_delete_model(struct gm_store *store, struct gm_str id,
                            struct gm_model_answer *answer, struct gm_err *err) GM_MUST_CHECK;
/* All of them; those that have twins as above. */
gm_rc gm_store_delete_models(struct gm_store *store, struct gm_err *err) GM_MUST_CHECK;

/* An outcome as an error, for those who answer people: GM_OK for DONE, GM_E_INVALID and
 * GM_E_CONFLICT with a text that says what to do. */
gm_rc gm_model_answer_error(const struct gm_model_answer *answer, struct gm_err *err) GM_MUST_CHECK;

/* The models `ids`, and all that they need (what they extend and their components, and so on), in
 * order of their numbers; ids.n 0: all models. GM_E_END: one is not there, *out_missing says which.
 * The array lives in `arena`. */
struct gm_model_list {
    const struct gm_model **at;
    size_t count;
};
gm_rc gm_models_list(const struct gm_models *models, struct gm_strs ids, struct gm_arena *arena,
                     struct gm_model_list *out_list, struct gm_str *out_missing) GM_MUST_CHECK;

#endif
