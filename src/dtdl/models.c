/* Sets of models: made once, then only read. */
#include <stdlib.h>

#include "base/mem.h"
#include "dtdl/dtmi.h"
#include "dtdl/set.h"

/* A set may be as large as what 10,000 models with long texts take; beyond that input is refused.
 */
static const size_t set_size_max = (size_t)1 << 30;

/* What is needed while a set is made. */
struct maker {
    struct gm_models *models;
    struct gm_arena *scratch;
    yyjson_mut_doc *doc; /* lives in scratch */
    struct gm_dtdl_parser parser;
    struct gm_buf text;
    size_t room; /* of models->order */
};

static gm_rc fail_full(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "models: the set takes more memory than is allowed; split it");
}

/* ---- one interface ---- */

/* The canonical text, in maker->text. */
static gm_rc write_text(struct maker *maker, const struct gm_dtdl_element *interface,
                        yyjson_mut_val *json, struct gm_err *err)
{
    gm_buf_reset(&maker->text);
    gm_json_canonical(maker->doc, json, &maker->text);
    if (gm_buf_failed(&maker->text)) {
        return gm_dtdl_fail(err, interface, "the definition has more than %d bytes",
                            GM_MODEL_SIZE_MAX);
    }
    return GM_OK;
}

/* An interface that was defined inside of another one says itself what its @context is. */
static bool set_context(struct maker *maker, const struct gm_dtdl_element *interface,
                        yyjson_mut_val *json)
{
    const struct gm_dtdl_context *context = interface->context;
    struct gm_str language =
        context->dtdl_version == 2 ? GM_STR("dtmi:dtdl:context;2") : GM_STR("dtmi:dtdl:context;3");
    yyjson_mut_val *first = gm_json_strref(maker->doc, language);
    if (context->name_count == 0) {
        return gm_json_set(maker->doc, json, GM_STR("@context"), first);
    }
    yyjson_mut_val *array = yyjson_mut_arr(maker->doc);
    if (array == NULL || first == NULL || !yyjson_mut_arr_append(array, first)) {
        return false;
    }
    for (size_t i = 0; i < context->name_count; i++) {
        yyjson_mut_val *name = gm_json_strcpy(maker->doc, context->names[i]);
        if (name == NULL || !yyjson_mut_arr_append(array, name)) {
            return false;
        }
    }
    return gm_json_set(maker->doc, json, GM_STR("@context"), array);
}

static void append_model(struct maker *maker, struct gm_dtdl_model *model)
{
    struct gm_models *models = maker->models;
    if (models->count == maker->room) {
        maker->room = maker->room == 0 ? 64 : 2 * maker->room;
        models->order = gm_realloc(models->order, maker->room * sizeof(*models->order));
    }
    models->order[models->count++] = model;
    gm_map_set_ptr(models->by_id, model->model.id, model);
}

/* A new entry, or none when it is there with the same text. */
static gm_rc add_model(struct maker *maker, struct gm_dtdl_element *interface, struct gm_err *err)
{
    struct gm_models *models = maker->models;
    struct gm_str text = gm_buf_str(&maker->text);
    const struct gm_dtdl_model *known = gm_dtdl_set_find(models, interface->id);
    if (known != NULL && gm_str_eq(known->model.text, text)) {
        return GM_OK;
    }
    if (known != NULL) {
        (void)gm_dtdl_fail(err, interface,
                           "it is there already with another definition; give the changed one a "
                           "new version");
        if (err != NULL) {
            err->rc = GM_E_CONFLICT;
        }
        return GM_E_CONFLICT;
    }
    struct gm_dtmi dtmi;
    bool valid = gm_dtmi_parse(interface->id, &dtmi);
    GM_ASSERT(valid);
    struct gm_dtdl_model *model = gm_dtdl_alloc(models->arena, 1, sizeof(*model), err);
    if (model == NULL) {
        return GM_E_LIMIT;
    }
    model->element = interface;
    GM_TRY(gm_dtdl_dup(models->arena, interface->id, &model->model.id, err));
    GM_TRY(gm_dtdl_dup(models->arena, text, &model->model.text, err));
    model->model.id_base = (struct gm_str){model->model.id.p, dtmi.base.n};
    model->model.version_major = dtmi.major;
    model->model.version_minor = dtmi.minor;
    model->model.dtdl_version = interface->context->dtdl_version;
    append_model(maker, model);
    return GM_OK;
}

/* The interface itself and those defined inside of it. */
static gm_rc add_interface(struct maker *maker, yyjson_mut_val *json, size_t index,
                           struct gm_err *err)
{
    maker->parser = (struct gm_dtdl_parser){.arena = maker->scratch};
    GM_TRY(gm_dtdl_parse(&maker->parser, json, index, err));
    for (struct gm_dtdl_element *interface = maker->parser.first; interface != NULL;
         interface = interface->next) {
        /* Sorting must not disturb the caller's value. */
        yyjson_mut_val *copy = gm_json_copy(maker->doc, interface->json);
        bool nested = interface->parent != NULL;
        if (copy == NULL || (nested && !set_context(maker, interface, copy))) {
            return fail_full(err);
        }
        GM_TRY(write_text(maker, interface, copy, err));
        GM_TRY(gm_dtdl_validate(interface, err));
        GM_TRY(add_model(maker, interface, err));
    }
    return GM_OK;
}

/* ---- many ---- */

/* Interfaces of a set are taken over by parsing their texts again: that is cheap (a store's models
 * take milliseconds), and a set never depends on another's memory. */
static gm_rc add_old(struct maker *maker, const struct gm_models *old, struct gm_err *err)
{
    for (size_t i = 0; i < old->count; i++) {
        const struct gm_model *model = &old->order[i]->model;
        yyjson_mut_val *json;
        GM_TRY(gm_json_parse(maker->doc, model->text, &json, err));
        GM_TRY(add_interface(maker, json, i, err));
    }
    for (size_t i = 0; i < old->count; i++) {
        const struct gm_model *model = &old->order[i]->model;
        bool there = gm_models_set_stored(maker->models, model->id, model->num, model->uploaded,
                                          model->decommissioned);
        GM_ASSERT(there);
    }
    return GM_OK;
}

static gm_rc add_new(struct maker *maker, yyjson_mut_val *const *interfaces, size_t count,
                     struct gm_err *err)
{
    size_t index = 0;
    for (size_t i = 0; i < count; i++) {
        if (gm_json_type(interfaces[i]) != YYJSON_TYPE_ARR) {
            GM_TRY(add_interface(maker, interfaces[i], index++, err));
            continue;
        }
        size_t j, n;
        yyjson_mut_val *item;
        yyjson_mut_arr_foreach(interfaces[i], j, n, item)
        {
            GM_TRY(add_interface(maker, item, index++, err));
        }
    }
    return GM_OK;
}

static gm_rc make(struct maker *maker, const struct gm_models *old,
                  yyjson_mut_val *const *interfaces, size_t count, struct gm_err *err)
{
    if (maker->doc == NULL) {
        return fail_full(err);
    }
    if (old != NULL) {
        GM_TRY(add_old(maker, old, err));
    }
    GM_TRY(add_new(maker, interfaces, count, err));
    GM_TRY(gm_dtdl_resolve(maker->models, err));
    for (size_t i = 0; i < maker->models->count; i++) {
        maker->models->order[i]->element = NULL; /* dies with the scratch arena */
    }
    return GM_OK;
}

/* tidy: params: called by many, each argument its own thing */
gm_rc gm_models_extend(const struct gm_models *old, yyjson_mut_val *const *interfaces, size_t count,
                       struct gm_models **out_models, size_t *out_added, struct gm_err *err)
{
    struct gm_models *models = gm_alloc(sizeof(*models));
    models->arena = gm_arena_new(set_size_max);
    models->by_id = gm_map_new();
    struct maker maker = {.models = models, .scratch = gm_arena_new(set_size_max)};
    maker.doc = gm_json_doc_new(maker.scratch);
    gm_buf_init(&maker.text, GM_MODEL_SIZE_MAX);
    gm_rc rc = make(&maker, old, interfaces, count, err);
    gm_buf_deinit(&maker.text);
    gm_arena_free(maker.scratch);
    if (rc != GM_OK) {
        gm_models_free(models);
        return rc;
    }
    *out_models = models;
    *out_added = models->count - (old != NULL ? old->count : 0);
    return GM_OK;
}

void gm_models_free(struct gm_models *models)
{
    if (models == NULL) {
        return;
    }
    gm_map_free(models->by_id);
    gm_free(models->order);
    gm_arena_free(models->arena);
    gm_free(models);
}

/* ---- stored ones ---- */

/* Puts the model at `from` where its number belongs among the stored ones. Numbers usually come in
 * order: no moves then. */
static void place_stored(struct gm_models *models, size_t from)
{
    struct gm_dtdl_model *model = models->order[from];
    size_t to = from < models->stored_count ? models->stored_count - 1 : models->stored_count;
    /* Close the gap it leaves, up to the end of the stored ones; then sink to its place. */
    for (; from > to; from--) {
        models->order[from] = models->order[from - 1];
    }
    for (; from < to; from++) {
        models->order[from] = models->order[from + 1];
    }
    for (; to > 0 && models->order[to - 1]->model.num > model->model.num; to--) {
        models->order[to] = models->order[to - 1];
    }
    models->order[to] = model;
}

bool gm_models_set_stored(struct gm_models *models, struct gm_str id, int64_t num, gm_ns uploaded,
                          bool decommissioned)
{
    struct gm_dtdl_model *model = gm_dtdl_set_find(models, id);
    if (model == NULL) {
        return false;
    }
    bool was_stored = model->model.num > 0;
    model->model.num = num;
    model->model.uploaded = uploaded;
    model->model.decommissioned = decommissioned;
    if (num > 0) {
        size_t at = was_stored ? 0 : models->stored_count;
        while (models->order[at] != model) {
            at++;
        }
        place_stored(models, at);
        models->stored_count += !was_stored;
    }
    return true;
}

/* ---- reading ---- */

size_t gm_models_count(const struct gm_models *models)
{
    return models->count;
}

const struct gm_model *gm_models_at(const struct gm_models *models, size_t index)
{
    GM_ASSERT(index < models->count);
    return &models->order[index]->model;
}

const struct gm_model *gm_models_find(const struct gm_models *models, struct gm_str id)
{
    const struct gm_dtdl_model *model = gm_dtdl_set_find(models, id);
    return model != NULL ? &model->model : NULL;
}

const struct gm_model *gm_models_by_num(const struct gm_models *models, int64_t num)
{
    /* As long as nothing was deleted, number n stands at n - 1. */
    size_t guess = (size_t)num - 1;
    if (num > 0 && guess < models->stored_count && models->order[guess]->model.num == num) {
        return &models->order[guess]->model;
    }
    size_t low = 0;
    size_t high = models->stored_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct gm_model *model = &models->order[middle]->model;
        if (model->num == num) {
            return model;
        }
        if (model->num < num) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

struct gm_str gm_models_nearest(const struct gm_models *models, struct gm_str id)
{
    struct gm_str nearest = {NULL, 0};
    size_t best = id.n / 10 + 2; /* a wrong version or a slip or two, in long ids a few more */
    for (size_t i = 0; i < models->count && best > 1; i++) {
        struct gm_str known = models->order[i]->model.id;
        size_t distance = gm_str_distance(id, known, best - 1);
        if (distance > 0 && distance < best) {
            best = distance;
            nearest = known;
        }
    }
    return nearest;
}

bool gm_model_is(const struct gm_model *model, const struct gm_model *base)
{
    for (size_t i = 0; i < model->base_count; i++) {
        if (model->bases[i] == base) {
            return true;
        }
    }
    return model == base;
}
