/* Elements to models: contents, own and inherited, and what they hold. */
#include <stdlib.h>

#include "dtdl/set.h"

struct builder {
    struct gm_models *models;
    struct gm_dtdl_parser *parser;
    bool full;
};

static void *alloc(struct builder *builder, size_t count, size_t size)
{
    size_t total;
    void *p = __builtin_mul_overflow(count, size, &total)
                  ? NULL
                  : gm_arena_zalloc(builder->models->arena, total);
    builder->full = builder->full || p == NULL;
    return p;
}

static struct gm_str dup(struct builder *builder, struct gm_str s)
{
    struct gm_str copy = gm_arena_dup(builder->models->arena, s);
    builder->full = builder->full || copy.p == NULL;
    return copy;
}

static int compare_contents(const void *a, const void *b)
{
    const struct gm_content *first = a;
    const struct gm_content *second = b;
    return gm_str_cmp(first->name, second->name);
}

/* ---- one content ---- */

/* Values that stand in the definition itself: they must fit the schema. */
static void check_values(struct builder *builder, const struct gm_dtdl_element *element,
                         const struct gm_schema *schema)
{
    for (const struct gm_dtdl_extra_value *value = element->extras; value != NULL;
         value = value->next) {
        struct gm_err err = {0};
        if (value->extra->kind != GM_DTDL_KIND_JSON || element->trusted ||
            gm_schema_check(schema, value->json, &err) == GM_OK) {
            continue;
        }
        gm_dtdl_report(
            builder->parser->errors,
            &(struct gm_dtdl_report){.kind = GM_DTDL_E_NON_CONFORMANT_PROPERTY_VALUE,
                                     .at = element,
                                     .primary = element->id,
                                     .property = gm_dtdl_term_of(gm_str_z(value->extra->id_z)),
                                     .value = gm_str_z(err.text)});
    }
}

static void build_value(struct builder *builder, const struct gm_dtdl_element *element,
                        struct gm_content *content)
{
    content->schema = gm_dtdl_schema_build(builder->models->arena,
                                           gm_dtdl_edge_to(element, GM_DTDL_PROPERTY_SCHEMA));
    builder->full = builder->full || content->schema == NULL;
    if (content->schema != NULL && element->extras != NULL) {
        check_values(builder, element, content->schema);
    }
}

static void build_relationship(struct builder *builder, const struct gm_dtdl_element *element,
                               struct gm_content *content)
{
    size_t count = 0;
    const struct gm_dtdl_edge *edge = NULL;
    while ((edge = gm_dtdl_edge_next(element, edge, GM_DTDL_PROPERTY_PROPERTIES)) != NULL) {
        count++;
    }
    struct gm_content *properties = alloc(builder, count, sizeof(*properties));
    if (properties == NULL) {
        return;
    }
    if (element->literal.type == GM_DTDL_TEXT) {
        content->target = dup(builder, element->literal.text);
    }
    size_t n = 0;
    edge = NULL;
    while ((edge = gm_dtdl_edge_next(element, edge, GM_DTDL_PROPERTY_PROPERTIES)) != NULL) {
        properties[n].type = GM_CONTENT_PROPERTY;
        properties[n].declared_by = content->declared_by;
        properties[n].name = dup(builder, edge->to->name);
        build_value(builder, edge->to, &properties[n++]);
    }
    qsort(properties, n, sizeof(*properties), compare_contents);
    content->properties = properties;
    content->property_count = n;
}

static void build_content(struct builder *builder, const struct gm_dtdl_element *element,
                          struct gm_content *content)
{
    content->name = dup(builder, element->name);
    switch (element->class) {
    case GM_DTDL_CLASS_PROPERTY:
        content->type = GM_CONTENT_PROPERTY;
        build_value(builder, element, content);
        break;
    case GM_DTDL_CLASS_TELEMETRY:
        content->type = GM_CONTENT_TELEMETRY;
        build_value(builder, element, content);
        break;
    case GM_DTDL_CLASS_RELATIONSHIP:
        content->type = GM_CONTENT_RELATIONSHIP;
        build_relationship(builder, element, content);
        break;
    case GM_DTDL_CLASS_COMPONENT:
        content->type = GM_CONTENT_COMPONENT;
        content->component =
            &gm_dtdl_set_find(builder->models,
                              gm_dtdl_edge_to(element, GM_DTDL_PROPERTY_SCHEMA)->id)
                 ->model;
        break;
    default:
        GM_ASSERT(element->class == GM_DTDL_CLASS_COMMAND);
        content->type = GM_CONTENT_COMMAND; /* not kept beyond its name */
        break;
    }
}

static void build_own(struct builder *builder, struct gm_dtdl_model *model)
{
    const struct gm_dtdl_edge *edge = NULL;
    size_t count = 0;
    while ((edge = gm_dtdl_edge_next(model->element, edge, GM_DTDL_PROPERTY_CONTENTS)) != NULL) {
        count += !edge->inherited;
    }
    struct gm_content *own = alloc(builder, count, sizeof(*own));
    if (own == NULL) {
        return;
    }
    size_t n = 0;
    while ((edge = gm_dtdl_edge_next(model->element, edge, GM_DTDL_PROPERTY_CONTENTS)) != NULL) {
        if (!edge->inherited) {
            own[n].declared_by = &model->model;
            build_content(builder, edge->to, &own[n++]);
        }
    }
    qsort(own, n, sizeof(*own), compare_contents);
    model->own = own;
    model->own_count = n;
}

/* ---- contents of all bases ---- */

static struct gm_dtdl_model *model_of(const struct builder *builder,
                                      const struct gm_dtdl_element *interface)
{
    return gm_dtdl_set_find(builder->models, interface->id);
}

static void build_bases(struct builder *builder, struct gm_dtdl_model *model)
{
    const struct gm_dtdl_element *interface = model->element;
    const struct gm_model **bases = alloc(builder, interface->base_count, sizeof(*bases));
    for (size_t i = 0; i < interface->base_count && bases != NULL; i++) {
        bases[i] = &model_of(builder, interface->bases[i])->model;
    }
    model->model.bases = bases;
    model->model.base_count = bases != NULL ? interface->base_count : 0;
}

/* The only interface it extends directly; NULL: none, or several. */
static struct gm_dtdl_element *only_base(const struct gm_dtdl_element *interface)
{
    const struct gm_dtdl_edge *edge = gm_dtdl_edge_next(interface, NULL, GM_DTDL_PROPERTY_EXTENDS);
    return edge != NULL && gm_dtdl_edge_next(interface, edge, GM_DTDL_PROPERTY_EXTENDS) == NULL
               ? edge->to
               : NULL;
}

static void merge(struct builder *builder, struct gm_dtdl_model *model)
{
    size_t count = model->own_count;
    for (size_t i = 0; i < model->model.base_count; i++) {
        count += model_of(builder, model->element->bases[i])->own_count;
    }
    const struct gm_content *at = model->own;
    if (count > model->own_count) {
        struct gm_content *contents = alloc(builder, count, sizeof(*contents));
        if (contents == NULL) {
            return;
        }
        size_t n = 0;
        for (size_t i = 0; i <= model->model.base_count; i++) {
            const struct gm_dtdl_model *from =
                i == 0 ? model : model_of(builder, model->element->bases[i - 1]);
            if (from->own_count > 0) {
                memcpy(&contents[n], from->own, from->own_count * sizeof(*contents));
            }
            n += from->own_count;
        }
        qsort(contents, count, sizeof(*contents), compare_contents);
        at = contents;
    }
    builder->full = !gm_dtdl_contents_index(builder->models->arena, at, count, &model->contents) ||
                    builder->full;
}

/* The base whose table is taken over comes first; chains of them are as short as `extends`
 * allows. */
static void build_table(struct builder *builder, struct gm_dtdl_model *model)
{
    if (model->visit == GM_DTDL_VISIT_DONE) {
        return;
    }
    model->visit = GM_DTDL_VISIT_DONE;
    struct gm_dtdl_element *base = model->own_count == 0 ? only_base(model->element) : NULL;
    if (base != NULL) {
        build_table(builder, model_of(builder, base));
        model->contents = model_of(builder, base)->contents;
    } else {
        merge(builder, model);
    }
    model->model.contents = model->contents.at;
    model->model.content_count = model->contents.count;
}

gm_rc gm_dtdl_build(struct gm_models *models, struct gm_dtdl_parser *parser, struct gm_err *err)
{
    struct builder builder = {.models = models, .parser = parser};
    for (size_t i = 0; i < models->count && !builder.full; i++) {
        build_bases(&builder, models->order[i]);
        build_own(&builder, models->order[i]);
    }
    for (size_t i = 0; i < models->count && !builder.full; i++) {
        build_table(&builder, models->order[i]);
    }
    return builder.full ? gm_fail(err, GM_E_LIMIT,
                                  "models: the set takes more memory than is allowed; split it")
                        : GM_OK;
}
