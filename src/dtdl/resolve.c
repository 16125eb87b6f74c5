/* Elements to models: what they inherit, what they refer to. */
#include <stdlib.h>

#include "dtdl/dtmi.h"
#include "dtdl/set.h"

enum {
    BASE_DEPTH_MAX = 10,   /* levels of `extends` above an interface */
    BASES_MAX = 1024,      /* v3: all it inherits from */
    CONTENTS_MAX = 100000, /* v3: own and inherited */
};

/* ---- finding other interfaces ---- */

static gm_rc find_interface(const struct gm_models *models, const struct gm_dtdl_element *element,
                            const struct gm_dtdl_value *value, struct gm_dtdl_model **out_model,
                            struct gm_err *err)
{
    const char *role_z = element->class == GM_DTDL_CLASS_INTERFACE ? "extends" : "schema";
    struct gm_str id = value->type == GM_DTDL_VALUE_ELEMENT ? value->element->id : value->string;
    int version = element->context->dtdl_version;
    if (!gm_dtmi_valid(id, version)) {
        return gm_dtdl_fail(err, element,
                            "%s \"" GM_STR_FMT "\" is not a DTMI of DTDL %d; write the @id of an "
                            "interface",
                            role_z, GM_STR_ARG(id), version);
    }
    struct gm_dtdl_model *model = gm_dtdl_set_find(models, id);
    if (model == NULL) {
        struct gm_str nearest = gm_models_nearest(models, id);
        if (nearest.p != NULL) {
            return gm_dtdl_fail(err, element,
                                "%s \"" GM_STR_FMT
                                "\": there is no such interface; did you mean \"" GM_STR_FMT "\"?",
                                role_z, GM_STR_ARG(id), GM_STR_ARG(nearest));
        }
        return gm_dtdl_fail(err, element,
                            "%s \"" GM_STR_FMT "\": there is no such interface; add it to the "
                            "models",
                            role_z, GM_STR_ARG(id));
    }
    if (model->element->context->dtdl_version > version) {
        return gm_dtdl_fail(err, element,
                            "%s \"" GM_STR_FMT
                            "\" is written in DTDL %d; DTDL %d can only refer to "
                            "its own or an older version",
                            role_z, GM_STR_ARG(id), model->element->context->dtdl_version, version);
    }
    *out_model = model;
    return GM_OK;
}

/* ---- bases ---- */

/* What an interface extends itself. */
struct direct {
    struct gm_dtdl_model **at;
    size_t n;
};

static bool has_base(const struct gm_model *const *bases, size_t count, const struct gm_model *base)
{
    for (size_t i = 0; i < count; i++) {
        if (bases[i] == base) {
            return true;
        }
    }
    return false;
}

/* All bases of the direct ones, each once. */
static gm_rc collect_bases(struct gm_models *models, struct gm_dtdl_model *model,
                           const struct direct *direct, struct gm_err *err)
{
    size_t room = direct->n;
    for (size_t i = 0; i < direct->n; i++) {
        room += direct->at[i]->model.base_count;
    }
    const struct gm_model **bases = gm_dtdl_alloc(models->arena, room, sizeof(*bases), err);
    if (bases == NULL) {
        return GM_E_LIMIT;
    }
    size_t count = 0;
    for (size_t i = 0; i < direct->n; i++) {
        const struct gm_model *base = &direct->at[i]->model;
        for (size_t j = 0; j <= base->base_count; j++) {
            const struct gm_model *add = j == 0 ? base : base->bases[j - 1];
            if (!has_base(bases, count, add)) {
                bases[count++] = add;
            }
            if (count > BASES_MAX) {
                return gm_dtdl_fail(err, model->element, "it inherits from more than %d interfaces",
                                    BASES_MAX);
            }
        }
        if (direct->at[i]->depth >= model->depth) {
            model->depth = direct->at[i]->depth + 1;
        }
    }
    model->model.bases = bases;
    model->model.base_count = count;
    return GM_OK;
}

/* ---- contents ---- */

static int compare_contents(const void *a, const void *b)
{
    const struct gm_content *first = a;
    const struct gm_content *second = b;
    return gm_str_cmp(first->name, second->name);
}

/* A property or telemetry. */
static gm_rc build_value(struct gm_models *models, const struct gm_dtdl_model *owner,
                         const struct gm_dtdl_element *element, struct gm_content *content,
                         struct gm_err *err)
{
    struct gm_dtdl_schema_use use;
    GM_TRY(gm_dtdl_schema_resolve(models, owner, element, &use, err));
    if (use.arrays && element->class == GM_DTDL_CLASS_PROPERTY &&
        element->context->dtdl_version == 2) {
        return gm_dtdl_fail(err, element,
                            "DTDL 2 has no arrays in properties; use a map, or "
                            "dtmi:dtdl:context;3");
    }
    content->schema = use.schema;
    return gm_dtdl_dup(models->arena, element->name, &content->name, err);
}

static gm_rc build_relationship(struct gm_models *models, const struct gm_dtdl_model *owner,
                                const struct gm_dtdl_element *element, struct gm_content *content,
                                struct gm_err *err)
{
    const struct gm_dtdl_value *target = gm_dtdl_value(element, GM_DTDL_PROPERTY_TARGET);
    if (target != NULL) {
        GM_TRY(gm_dtdl_dup(models->arena, target->string, &content->target, err));
    }
    struct gm_dtdl_values values = gm_dtdl_values(element, GM_DTDL_PROPERTY_PROPERTIES);
    struct gm_content *properties =
        gm_dtdl_alloc(models->arena, values.n, sizeof(*properties), err);
    if (properties == NULL) {
        return GM_E_LIMIT;
    }
    for (size_t i = 0; i < values.n; i++) {
        properties[i].type = GM_CONTENT_PROPERTY;
        properties[i].declared_by = &owner->model;
        GM_TRY(build_value(models, owner, values.at[i].element, &properties[i], err));
    }
    qsort(properties, values.n, sizeof(*properties), compare_contents);
    content->properties = properties;
    content->property_count = values.n;
    return gm_dtdl_dup(models->arena, element->name, &content->name, err);
}

static gm_rc build_component(struct gm_models *models, const struct gm_dtdl_element *element,
                             struct gm_content *content, struct gm_err *err)
{
    const struct gm_dtdl_value *schema = gm_dtdl_value(element, GM_DTDL_PROPERTY_SCHEMA);
    struct gm_dtdl_model *component;
    GM_TRY(find_interface(models, element, schema, &component, err));
    content->component = &component->model;
    return gm_dtdl_dup(models->arena, element->name, &content->name, err);
}

/* Commands are not kept beyond their names, but what they say must be right. */
static gm_rc build_command(struct gm_models *models, const struct gm_dtdl_model *owner,
                           const struct gm_dtdl_element *element, struct gm_content *content,
                           struct gm_err *err)
{
    static const enum gm_dtdl_property payloads[] = {GM_DTDL_PROPERTY_REQUEST,
                                                     GM_DTDL_PROPERTY_RESPONSE};
    for (size_t i = 0; i < GM_ARRAY_COUNT(payloads); i++) {
        const struct gm_dtdl_value *payload = gm_dtdl_value(element, payloads[i]);
        struct gm_dtdl_schema_use use;
        if (payload != NULL) {
            GM_TRY(gm_dtdl_schema_resolve(models, owner, payload->element, &use, err));
        }
    }
    return gm_dtdl_dup(models->arena, element->name, &content->name, err);
}

static gm_rc build_content(struct gm_models *models, const struct gm_dtdl_model *owner,
                           const struct gm_dtdl_element *element, struct gm_content *content,
                           struct gm_err *err)
{
    content->declared_by = &owner->model;
    switch (element->class) {
    case GM_DTDL_CLASS_PROPERTY:
        content->type = GM_CONTENT_PROPERTY;
        return build_value(models, owner, element, content, err);
    case GM_DTDL_CLASS_TELEMETRY:
        content->type = GM_CONTENT_TELEMETRY;
        return build_value(models, owner, element, content, err);
    case GM_DTDL_CLASS_RELATIONSHIP:
        content->type = GM_CONTENT_RELATIONSHIP;
        return build_relationship(models, owner, element, content, err);
    case GM_DTDL_CLASS_COMPONENT:
        content->type = GM_CONTENT_COMPONENT;
        return build_component(models, element, content, err);
    default:
        GM_ASSERT(element->class == GM_DTDL_CLASS_COMMAND);
        content->type = GM_CONTENT_COMMAND;
        return build_command(models, owner, element, content, err);
    }
}

/* Drops what came over two ways, and refuses two declarations of one name. */
static gm_rc merge_sorted(const struct gm_dtdl_model *model, struct gm_content *contents,
                          size_t *count, struct gm_err *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        const struct gm_content *last = kept > 0 ? &contents[kept - 1] : NULL;
        if (last == NULL || !gm_str_eq(last->name, contents[i].name)) {
            contents[kept++] = contents[i];
            continue;
        }
        if (last->declared_by != contents[i].declared_by) {
            return gm_dtdl_fail(err, model->element,
                                "\"" GM_STR_FMT "\" is declared by " GM_STR_FMT
                                " and by " GM_STR_FMT "; what is inherited cannot be declared "
                                "again, rename or remove one",
                                GM_STR_ARG(last->name), GM_STR_ARG(last->declared_by->id),
                                GM_STR_ARG(contents[i].declared_by->id));
        }
    }
    *count = kept;
    return GM_OK;
}

static void set_contents(struct gm_dtdl_model *model, const struct gm_dtdl_contents *contents)
{
    model->contents = *contents;
    model->model.contents = contents->at;
    model->model.content_count = contents->count;
}

static gm_rc collect_contents(struct gm_models *models, struct gm_dtdl_model *model,
                              const struct direct *direct, struct gm_err *err)
{
    struct gm_dtdl_values own = gm_dtdl_values(model->element, GM_DTDL_PROPERTY_CONTENTS);
    if (own.n == 0 && direct->n == 1) {
        set_contents(model, &direct->at[0]->contents);
        return GM_OK;
    }
    size_t count = own.n;
    for (size_t i = 0; i < direct->n; i++) {
        count += direct->at[i]->contents.count;
    }
    struct gm_content *contents = gm_dtdl_alloc(models->arena, count, sizeof(*contents), err);
    if (contents == NULL) {
        return GM_E_LIMIT;
    }
    for (size_t i = 0; i < own.n; i++) {
        GM_TRY(build_content(models, model, own.at[i].element, &contents[i], err));
    }
    size_t at = own.n;
    for (size_t i = 0; i < direct->n; i++) {
        if (direct->at[i]->contents.count > 0) {
            memcpy(&contents[at], direct->at[i]->contents.at,
                   direct->at[i]->contents.count * sizeof(*contents));
        }
        at += direct->at[i]->contents.count;
    }
    qsort(contents, count, sizeof(*contents), compare_contents);
    GM_TRY(merge_sorted(model, contents, &count, err));
    if (count > CONTENTS_MAX) {
        return gm_dtdl_fail(err, model->element, "more than %d contents, own and inherited",
                            CONTENTS_MAX);
    }
    struct gm_dtdl_contents indexed;
    GM_TRY(gm_dtdl_contents_index(models->arena, contents, count, &indexed, err));
    set_contents(model, &indexed);
    return GM_OK;
}

/* ---- models ---- */

static gm_rc resolve_model(struct gm_models *models, struct gm_dtdl_model *model, int level,
                           struct gm_err *err);

/* Bases first. */
static gm_rc resolve_direct(struct gm_models *models, struct gm_dtdl_model *model, int level,
                            struct direct *out_direct, struct gm_err *err)
{
    struct gm_dtdl_values extends = gm_dtdl_values(model->element, GM_DTDL_PROPERTY_EXTENDS);
    struct direct direct = {.n = extends.n};
    direct.at = gm_dtdl_alloc(models->arena, extends.n, sizeof(*direct.at), err);
    if (direct.at == NULL) {
        return GM_E_LIMIT;
    }
    for (size_t i = 0; i < extends.n; i++) {
        struct gm_dtdl_model *base;
        GM_TRY(find_interface(models, model->element, &extends.at[i], &base, err));
        if (base->state == GM_DTDL_STATE_OPEN) {
            return gm_dtdl_fail(err, model->element,
                                "extends \"" GM_STR_FMT "\", which extends it in turn; break the "
                                "circle",
                                GM_STR_ARG(base->model.id));
        }
        GM_TRY(resolve_model(models, base, level + 1, err));
        direct.at[i] = base;
    }
    *out_direct = direct;
    return GM_OK;
}

static gm_rc resolve_model(struct gm_models *models, struct gm_dtdl_model *model, int level,
                           struct gm_err *err)
{
    if (model->state == GM_DTDL_STATE_DONE) {
        return GM_OK;
    }
    if (level > BASE_DEPTH_MAX) { /* also bounds this recursion */
        return gm_dtdl_fail(err, model->element, "interfaces extend it over more than %d levels",
                            BASE_DEPTH_MAX);
    }
    struct direct direct;
    model->state = GM_DTDL_STATE_OPEN;
    GM_TRY(resolve_direct(models, model, level, &direct, err));
    GM_TRY(collect_bases(models, model, &direct, err));
    if (model->depth > BASE_DEPTH_MAX) {
        return gm_dtdl_fail(err, model->element, "extends others over more than %d levels",
                            BASE_DEPTH_MAX);
    }
    GM_TRY(gm_dtdl_schema_resolve_all(models, model, err));
    GM_TRY(collect_contents(models, model, &direct, err));
    model->state = GM_DTDL_STATE_DONE;
    return GM_OK;
}

/* Components are one level deep, with what their interfaces inherit. Needs all models resolved. */
static gm_rc check_components(const struct gm_dtdl_model *model, struct gm_err *err)
{
    struct gm_dtdl_values own = gm_dtdl_values(model->element, GM_DTDL_PROPERTY_CONTENTS);
    for (size_t i = 0; i < own.n; i++) {
        const struct gm_dtdl_element *element = own.at[i].element;
        if (element->class != GM_DTDL_CLASS_COMPONENT) {
            continue;
        }
        const struct gm_model *component =
            gm_model_content(&model->model, element->name)->component;
        for (size_t j = 0; j < component->content_count; j++) {
            const struct gm_content *content = &component->contents[j];
            if (content->type == GM_CONTENT_COMPONENT) {
                return gm_dtdl_fail(err, element,
                                    GM_STR_FMT " has a component itself, \"" GM_STR_FMT
                                               "\"; components are one level deep, use a "
                                               "relationship",
                                    GM_STR_ARG(component->id), GM_STR_ARG(content->name));
            }
        }
    }
    return GM_OK;
}

gm_rc gm_dtdl_resolve(struct gm_models *models, struct gm_err *err)
{
    for (size_t i = 0; i < models->count; i++) {
        GM_TRY(resolve_model(models, models->order[i], 0, err));
    }
    for (size_t i = 0; i < models->count; i++) {
        GM_TRY(check_components(models->order[i], err));
    }
    return GM_OK;
}
