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
    const struct gm_models_request *request;
    struct gm_models *models;
    struct gm_model_errors *errors;
    struct gm_arena *scratch;
    struct gm_dtdl_parser parser;
    struct gm_buf text;
    size_t room; /* of models->order */
};

static gm_rc fail_full(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "models: the set takes more memory than is allowed; split it");
}

/* ---- texts ---- */

/* The canonical text, in maker->text. False: it is larger than a model may be, or there is no
 * memory. Sorting must not disturb the caller's value. */
static bool write_text(struct maker *maker, const yyjson_mut_val *json)
{
    yyjson_mut_val *copy = gm_json_copy(maker->parser.doc, json);
    gm_buf_reset(&maker->text);
    if (copy == NULL) {
        maker->parser.full = true;
        return false;
    }
    gm_json_canonical(maker->parser.doc, copy, &maker->text);
    return !gm_buf_failed(&maker->text);
}

/* An interface that was defined inside of another one says itself what its @context is. */
static yyjson_mut_val *with_context(struct maker *maker, const struct gm_dtdl_element *interface)
{
    yyjson_mut_doc *doc = maker->parser.doc;
    const struct gm_dtdl_context *context = interface->context;
    yyjson_mut_val *json = gm_json_copy(doc, interface->json);
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    yyjson_mut_val *language =
        gm_json_strref(doc, context->dtdl_version == 2 ? GM_STR("dtmi:dtdl:context;2")
                                                       : GM_STR("dtmi:dtdl:context;3"));
    if (context->name_count == 0) {
        return json != NULL && gm_json_set(doc, json, GM_STR("@context"), language) ? json : NULL;
    }
    if (json == NULL || array == NULL || language == NULL ||
        !yyjson_mut_arr_append(array, language)) {
        return NULL;
    }
    for (size_t i = 0; i < context->name_count; i++) {
        yyjson_mut_val *name = gm_json_strcpy(doc, context->names[i]);
        if (name == NULL || !yyjson_mut_arr_append(array, name)) {
            return NULL;
        }
    }
    return gm_json_set(doc, json, GM_STR("@context"), array) ? json : NULL;
}

static void fail_size(struct maker *maker, const struct gm_dtdl_element *interface)
{
    gm_dtdl_report(maker->errors, &(struct gm_dtdl_report){.kind = GM_DTDL_E_PARTITION_TOO_LARGE,
                                                           .at = interface,
                                                           .primary = interface->id,
                                                           .count = GM_MODEL_SIZE_MAX});
}

/* ---- models ---- */

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

static void add_model(struct maker *maker, struct gm_dtdl_element *interface, struct gm_str text)
{
    struct gm_models *models = maker->models;
    struct gm_dtmi dtmi;
    bool valid = gm_dtmi_parse(interface->id, &dtmi);
    GM_ASSERT(valid);
    struct gm_dtdl_model *model = gm_arena_zalloc(models->arena, sizeof(*model));
    struct gm_str id = gm_arena_dup(models->arena, interface->id);
    struct gm_str copy = gm_arena_dup(models->arena, text);
    if (model == NULL || id.p == NULL || copy.p == NULL) {
        maker->parser.full = true;
        return;
    }
    model->element = interface;
    model->model.id = id;
    model->model.text = copy;
    model->model.id_base = (struct gm_str){id.p, dtmi.base.n};
    model->model.version_major = dtmi.major;
    model->model.version_minor = dtmi.minor;
    model->model.dtdl_version = interface->dtdl_version;
    append_model(maker, model);
}

/* The text of a new one: what came for it, or, inside of another one, made of it. */
static void add_new_model(struct maker *maker, struct gm_dtdl_element *interface)
{
    const yyjson_mut_val *json =
        interface->parent != NULL ? with_context(maker, interface) : interface->json;
    if (json == NULL) {
        maker->parser.full = true;
    } else if (write_text(maker, json)) {
        add_model(maker, interface, gm_buf_str(&maker->text));
    } else if (!maker->parser.full) {
        fail_size(maker, interface);
    }
}

/* ---- many ---- */

/* Interfaces of a set are taken over by parsing their texts again: that is cheap (a store's models
 * take milliseconds), and a set never depends on another's memory. */
static gm_rc parse_old(struct maker *maker, struct gm_err *err)
{
    const struct gm_models *old = maker->request->old;
    maker->parser.trusted = true;
    for (size_t i = 0; i < (old != NULL ? old->count : 0); i++) {
        yyjson_mut_val *json;
        GM_TRY(gm_json_parse(maker->parser.doc, old->order[i]->model.text, &json, err));
        gm_dtdl_parse(&maker->parser, json, i);
    }
    maker->parser.trusted = maker->request->trusted;
    return GM_OK;
}

static void add_old(struct maker *maker)
{
    const struct gm_models *old = maker->request->old;
    for (size_t i = 0; i < (old != NULL ? old->count : 0) && !maker->parser.full; i++) {
        const struct gm_model *model = &old->order[i]->model;
        add_model(maker, gm_map_get_ptr(maker->parser.by_id, model->id), model->text);
        (void)gm_models_set_stored(maker->models, model->id, model->num, model->uploaded,
                                   model->decommissioned);
    }
}

/* An interface that is there with the same text is passed over. */
static gm_rc parse_new(struct maker *maker, yyjson_mut_val *json, size_t index, struct gm_err *err)
{
    struct gm_str id = gm_json_type(json) == YYJSON_TYPE_OBJ ? gm_json_member_str(json, "@id")
                                                             : (struct gm_str){NULL, 0};
    const struct gm_dtdl_model *known = id.p != NULL && maker->request->old != NULL
                                            ? gm_dtdl_set_find(maker->request->old, id)
                                            : NULL;
    if (known == NULL) {
        gm_dtdl_parse(&maker->parser, json, index);
        return GM_OK;
    }
    if (write_text(maker, json) && gm_str_eq(gm_buf_str(&maker->text), known->model.text)) {
        return GM_OK;
    }
    return gm_fail(err, GM_E_CONFLICT,
                   GM_STR_FMT ": it is there already with another definition; give the changed "
                              "one a new version",
                   GM_STR_ARG(id));
}

static gm_rc parse_all_new(struct maker *maker, struct gm_err *err)
{
    size_t index = 0;
    for (size_t i = 0; i < maker->request->count; i++) {
        struct gm_dtdl_items items = gm_dtdl_items_of(maker->request->interfaces[i]);
        for (yyjson_mut_val *item; (item = gm_dtdl_items_next(&items)) != NULL;) {
            GM_TRY(parse_new(maker, item, index++, err));
        }
    }
    return GM_OK;
}

/* In the order they came; those inside of others, which were complete before them, behind them. */
static void add_new(struct maker *maker, size_t first)
{
    struct gm_dtdl_parser *parser = &maker->parser;
    for (size_t i = first; i < parser->elements.n && !parser->full;) {
        size_t end = i + 1;
        while (end < parser->elements.n &&
               parser->elements.at[end]->document == parser->elements.at[i]->document) {
            end++;
        }
        for (size_t j = end; j > i && !parser->full; j--) {
            struct gm_dtdl_element *element = parser->elements.at[j - 1];
            if (element->class == GM_DTDL_CLASS_INTERFACE && !element->standard &&
                gm_dtdl_set_find(maker->models, element->id) == NULL) {
                add_new_model(maker, element);
            }
        }
        i = end;
    }
}

/* GM_OK: nothing is wrong so far. */
static gm_rc settled(const struct maker *maker, struct gm_err *err)
{
    if (maker->parser.full) {
        return fail_full(err);
    }
    return gm_model_errors_total(maker->errors) > 0 ? gm_dtdl_errors_sum(maker->errors, err)
                                                    : GM_OK;
}

static gm_rc make(struct maker *maker, struct gm_err *err)
{
    if (maker->parser.doc == NULL) {
        return fail_full(err);
    }
    GM_TRY(parse_old(maker, err));
    size_t first = maker->parser.elements.n;
    GM_TRY(parse_all_new(maker, err));
    GM_TRY(settled(maker, err));
    gm_dtdl_link(&maker->parser);
    GM_TRY(settled(maker, err));
    gm_dtdl_check(&maker->parser);
    GM_TRY(settled(maker, err));
    add_old(maker);
    add_new(maker, first);
    GM_TRY(settled(maker, err));
    GM_TRY(gm_dtdl_build(maker->models, &maker->parser, err));
    GM_TRY(settled(maker, err));
    for (size_t i = 0; i < maker->models->count; i++) {
        maker->models->order[i]->element = NULL; /* dies with the scratch arena */
    }
    return GM_OK;
}

static void maker_init(struct maker *maker, const struct gm_models_request *request)
{
    *maker = (struct maker){.request = request, .scratch = gm_arena_new(set_size_max)};
    maker->models = gm_alloc(sizeof(*maker->models));
    maker->models->arena = gm_arena_new(set_size_max);
    maker->models->by_id = gm_map_new();
    maker->errors = request->errors != NULL ? request->errors : gm_model_errors_new();
    gm_buf_init(&maker->text, GM_MODEL_SIZE_MAX);
    maker->parser = (struct gm_dtdl_parser){
        .arena = maker->scratch,
        .doc = gm_json_doc_new(maker->scratch),
        .errors = maker->errors,
        .undefined = request->undefined,
        .dtdl_version_max =
            request->dtdl_version_max != 0 ? request->dtdl_version_max : GM_DTDL_VERSION_MAX,
        .by_id = gm_map_new(),
        .content_keys = gm_map_new(),
    };
}

static void maker_deinit(struct maker *maker)
{
    if (maker->request->errors == NULL) {
        gm_model_errors_free(maker->errors);
    }
    gm_vec_deinit(&maker->parser.elements);
    gm_vec_deinit(&maker->parser.links);
    gm_vec_deinit(&maker->parser.walked);
    gm_map_free(maker->parser.by_id);
    gm_map_free(maker->parser.content_keys);
    gm_buf_deinit(&maker->text);
    gm_arena_free(maker->scratch);
}

gm_rc gm_models_make(const struct gm_models_request *request, struct gm_models **out_models,
                     size_t *out_added, struct gm_err *err)
{
    struct maker maker;
    maker_init(&maker, request);
    gm_rc rc = make(&maker, err);
    maker_deinit(&maker);
    if (rc != GM_OK) {
        gm_models_free(maker.models);
        return rc;
    }
    *out_models = maker.models;
    *out_added = maker.models->count - (request->old != NULL ? request->old->count : 0);
    return GM_OK;
}

/* tidy: params: called by many, each argument its own thing */
gm_rc gm_models_extend(const struct gm_models *old, yyjson_mut_val *const *interfaces, size_t count,
                       struct gm_models **out_models, size_t *out_added, struct gm_err *err)
{
    struct gm_models_request request = {.old = old, .interfaces = interfaces, .count = count};
    return gm_models_make(&request, out_models, out_added, err);
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
    return model != NULL && model->model.uploaded != GM_MODEL_GONE ? &model->model : NULL;
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
