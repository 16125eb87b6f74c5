/* The models of an import: all at once, or, when some are wrong, those that are right. */
#include "base/hash.h"
#include "twin/import_internal.h"

void gm_import_read_model(struct gm_import *import, struct gm_str line)
{
    struct gm_import_model model = {.line = import->reader.line};
    struct gm_err own = {0};
    if (gm_import_parse(import->model_doc, line, &model.value, &own) != GM_OK) {
        gm_import_problem(import, model.line, own.text);
        return;
    }
    struct gm_str id = gm_json_member_str(model.value, "@id");
    if (id.n > 0 && gm_import_seen_add(&import->seen, gm_hash64(id, 0))) {
        (void)gm_fail(&own, GM_E_INVALID, "model `" GM_STR_FMT "` came before in this file",
                      GM_STR_ARG(id));
        gm_import_problem(import, model.line, own.text);
        return;
    }
    *gm_vec_push(&import->interfaces) = model;
}

/* Tries one more interface on top of *set. */
static bool fits(const struct gm_import *import, struct gm_models **set,
                 const struct gm_import_model *model, struct gm_err *err)
{
    struct gm_models *next;
    size_t added;
    if (gm_models_extend(*set != NULL ? *set : import->models, &model->value, 1, &next, &added,
                         err) != GM_OK) {
        return false;
    }
    gm_models_free(*set);
    *set = next;
    return true;
}

/* Moves those that are right to the front, in an order in which each has what it needs in front of
 * it: tries one by one, and again those that failed, while that helps. Reports the others. */
static void sort_out(struct gm_import *import)
{
    struct gm_import_model *models = import->interfaces.at;
    struct gm_models *set = NULL;
    struct gm_err own;
    size_t good = 0;
    for (bool progress = true; progress;) {
        progress = false;
        for (size_t i = good; i < import->interfaces.n; i++) {
            own = (struct gm_err){0};
            if (fits(import, &set, &models[i], &own)) {
                struct gm_import_model fit = models[i];
                memmove(&models[good + 1], &models[good], (i - good) * sizeof(models[0]));
                models[good++] = fit;
                progress = true;
            }
        }
    }
    for (size_t i = good; i < import->interfaces.n; i++) {
        own = (struct gm_err){0};
        GM_ASSERT(!fits(import, &set, &models[i], &own));
        gm_import_problem(import, models[i].line, own.text);
    }
    gm_models_free(set);
    import->interfaces.n = good;
}

static gm_rc add_all(struct gm_import *import, size_t *out_added, struct gm_err *err)
{
    const struct gm_import_store *store = import->store;
    struct gm_import_interfaces interfaces = {.count = import->interfaces.n};
    *out_added = 0;
    if (interfaces.count == 0) {
        return GM_OK;
    }
    yyjson_mut_val **values = gm_alloc_array(interfaces.count, sizeof(values[0]));
    for (size_t i = 0; i < interfaces.count; i++) {
        values[i] = import->interfaces.at[i].value;
    }
    interfaces.at = values;
    gm_rc rc = store->add_interfaces(store->ctx, &interfaces, err);
    gm_free(values);
    if (rc == GM_OK) {
        *out_added = interfaces.added;
        import->models = interfaces.models;
    }
    return rc;
}

gm_rc gm_import_apply_models(struct gm_import *import, struct gm_err *err)
{
    if (import->interfaces.n == 0) {
        return GM_OK;
    }
    size_t added;
    gm_rc rc = add_all(import, &added, err);
    if (rc == GM_E_INVALID || rc == GM_E_CONFLICT) {
        sort_out(import);
        rc = add_all(import, &added, err);
    }
    GM_TRY(rc);
    import->counts->models_created += (int64_t)added;
    import->counts->models_same += (int64_t)(import->interfaces.n - added);
    import->interfaces.n = 0;
    gm_arena_reset(import->model_arena);
    import->model_doc = gm_json_doc_new(import->model_arena);
    GM_ASSERT(import->model_doc != NULL);
    return GM_OK;
}
