/* Schemas: primitive ones by name, complex ones from their elements, shared by all that refer to
 * them. */
#include <stdlib.h>

#include "dtdl/set.h"

#define LITERAL(text)                                                                              \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static const struct gm_schema primitives[] = {
    {.type = GM_SCHEMA_BOOLEAN, .name = LITERAL("boolean")},
    {.type = GM_SCHEMA_INTEGER, .name = LITERAL("integer")},
    {.type = GM_SCHEMA_LONG, .name = LITERAL("long")},
    {.type = GM_SCHEMA_FLOAT, .name = LITERAL("float")},
    {.type = GM_SCHEMA_DOUBLE, .name = LITERAL("double")},
    {.type = GM_SCHEMA_STRING, .name = LITERAL("string")},
    {.type = GM_SCHEMA_DATE, .name = LITERAL("date")},
    {.type = GM_SCHEMA_DATETIME, .name = LITERAL("dateTime")},
    {.type = GM_SCHEMA_TIME, .name = LITERAL("time")},
    {.type = GM_SCHEMA_DURATION, .name = LITERAL("duration")},
};

static const struct gm_schema geo_schemas[] = {
    {.type = GM_SCHEMA_GEO, .name = LITERAL("point"), .geo_type = LITERAL("Point")},
    {.type = GM_SCHEMA_GEO, .name = LITERAL("multiPoint"), .geo_type = LITERAL("MultiPoint")},
    {.type = GM_SCHEMA_GEO, .name = LITERAL("lineString"), .geo_type = LITERAL("LineString")},
    {.type = GM_SCHEMA_GEO,
     .name = LITERAL("multiLineString"),
     .geo_type = LITERAL("MultiLineString")},
    {.type = GM_SCHEMA_GEO, .name = LITERAL("polygon"), .geo_type = LITERAL("Polygon")},
    {.type = GM_SCHEMA_GEO, .name = LITERAL("multiPolygon"), .geo_type = LITERAL("MultiPolygon")},
};

/* IoT Central brings two objects of numbers. */
static const struct gm_schema_field geopoint_fields[] = {
    {LITERAL("alt"), &primitives[4]},
    {LITERAL("lat"), &primitives[4]},
    {LITERAL("lon"), &primitives[4]},
};
static const struct gm_schema_field vector_fields[] = {
    {LITERAL("x"), &primitives[4]},
    {LITERAL("y"), &primitives[4]},
    {LITERAL("z"), &primitives[4]},
};
static const struct gm_schema central_schemas[] = {
    {.type = GM_SCHEMA_OBJECT,
     .name = LITERAL("geopoint"),
     .fields = geopoint_fields,
     .field_count = GM_ARRAY_COUNT(geopoint_fields)},
    {.type = GM_SCHEMA_OBJECT,
     .name = LITERAL("vector"),
     .fields = vector_fields,
     .field_count = GM_ARRAY_COUNT(vector_fields)},
};

/* One use of schemas while it is being resolved. */
struct walk {
    const struct gm_models *models;
    const struct gm_dtdl_model *owner;
    int level; /* of complex schemas entered, from the outermost */
};

static gm_rc resolve_use(const struct walk *walk, const struct gm_dtdl_element *element,
                         enum gm_dtdl_property property, struct gm_dtdl_schema_use *out_use,
                         struct gm_err *err);

/* ---- schemas by name ---- */

static const struct gm_schema *find_in(const struct gm_schema *table, size_t count,
                                       struct gm_str term)
{
    for (size_t i = 0; i < count; i++) {
        if (gm_str_eq(table[i].name, term)) {
            return &table[i];
        }
    }
    return NULL;
}

static const struct gm_schema *find_built_in(const struct gm_dtdl_context *context,
                                             struct gm_str text)
{
    const struct gm_schema *schema = NULL;
    struct gm_str term;
    if (gm_dtdl_term(text, "dtmi:dtdl:instance:Schema:", context->dtdl_version, &term)) {
        schema = find_in(primitives, GM_ARRAY_COUNT(primitives), term);
    }
    if (schema == NULL &&
        gm_dtdl_term(text, "dtmi:standard:schema:geospatial:", context->dtdl_version, &term)) {
        schema = find_in(geo_schemas, GM_ARRAY_COUNT(geo_schemas), term);
    }
    if (schema == NULL && context->dtdl_version == 2 &&
        context->extensions[GM_DTDL_EXTENSION_IOT_CENTRAL] > 0 &&
        gm_dtdl_term(text, "dtmi:iotcentral:schema:", context->dtdl_version, &term)) {
        schema = find_in(central_schemas, GM_ARRAY_COUNT(central_schemas), term);
    }
    return schema;
}

static int compare_strings(const void *a, const void *b)
{
    return gm_str_cmp(*(const struct gm_str *)a, *(const struct gm_str *)b);
}

static int compare_integers(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a;
    int64_t second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

/* v3's quantities bring an enum for each family of units, "TemperatureUnit" and so on. */
static gm_rc find_unit_enum(const struct walk *walk, const struct gm_dtdl_context *context,
                            struct gm_str text, const struct gm_schema **out_schema,
                            struct gm_err *err)
{
    const struct gm_str prefix = GM_STR("dtmi:dtdl:extension:quantitativeTypes:v1:enum:");
    struct gm_str family = text;
    const char *lists[2];
    if (gm_str_starts(text, prefix)) {
        family = (struct gm_str){text.p + prefix.n, text.n - prefix.n};
    }
    *out_schema = NULL;
    if (context->dtdl_version < 3 || context->extensions[GM_DTDL_EXTENSION_QUANTITATIVE] == 0 ||
        !gm_dtdl_units(family, &lists[0], &lists[1])) {
        return GM_OK;
    }
    size_t count = 0;
    struct gm_str word;
    for (size_t i = 0; i < 2; i++) {
        for (const char *rest_z = lists[i]; gm_dtdl_word_next(&rest_z, &word);) {
            count++;
        }
    }
    struct gm_arena *arena = walk->models->arena;
    struct gm_str *strings = gm_dtdl_alloc(arena, count, sizeof(*strings), err);
    struct gm_schema *schema = gm_dtdl_alloc(arena, 1, sizeof(*schema), err);
    if (strings == NULL || schema == NULL) {
        return GM_E_LIMIT;
    }
    size_t n = 0;
    for (size_t i = 0; i < 2; i++) {
        for (const char *rest_z = lists[i]; gm_dtdl_word_next(&rest_z, &word);) {
            strings[n++] = word;
        }
    }
    qsort(strings, count, sizeof(*strings), compare_strings);
    *schema = (struct gm_schema){.type = GM_SCHEMA_ENUM,
                                 .name = GM_STR("Enum"),
                                 .enum_of_strings = true,
                                 .enum_strings = strings,
                                 .enum_count = count};
    *out_schema = schema;
    return GM_OK;
}

/* ---- schemas by reference ---- */

static const struct gm_dtdl_model *behind(const struct gm_model *model)
{
    return (const struct gm_dtdl_model *)(const void *)model;
}

/* Own ones first, then inherited ones. */
static struct gm_dtdl_element *find_element(const struct walk *walk, struct gm_str id)
{
    const struct gm_model *owner = &walk->owner->model;
    struct gm_dtdl_element *element = gm_dtdl_identified(walk->owner->element, id);
    for (size_t i = 0; i < owner->base_count && element == NULL; i++) {
        element = gm_dtdl_identified(behind(owner->bases[i])->element, id);
    }
    return element;
}

static struct gm_str nearest_term(struct gm_str text)
{
    struct gm_str nearest = {NULL, 0};
    size_t best = text.n > 4 ? 4 : 3;
    for (size_t i = 0; i < GM_ARRAY_COUNT(primitives) + GM_ARRAY_COUNT(geo_schemas); i++) {
        struct gm_str name = i < GM_ARRAY_COUNT(primitives)
                                 ? primitives[i].name
                                 : geo_schemas[i - GM_ARRAY_COUNT(primitives)].name;
        size_t distance = gm_str_distance(text, name, best - 1);
        if (distance < best) {
            best = distance;
            nearest = name;
        }
    }
    return nearest;
}

static gm_rc fail_unknown(const struct walk *walk, const struct gm_dtdl_element *element,
                          struct gm_str text, struct gm_err *err)
{
    if (gm_dtdl_set_find(walk->models, text) != NULL) {
        return gm_dtdl_fail(err, element,
                            "schema \"" GM_STR_FMT "\" is an interface; make this a Component, or "
                            "a Relationship to it",
                            GM_STR_ARG(text));
    }
    for (size_t i = 0; i < walk->models->count; i++) {
        const struct gm_dtdl_model *other = walk->models->order[i];
        if (gm_dtdl_identified(other->element, text) != NULL) {
            return gm_dtdl_fail(err, element,
                                "schema \"" GM_STR_FMT "\" belongs to " GM_STR_FMT
                                ", which is not extended here; define it in `schemas` here",
                                GM_STR_ARG(text), GM_STR_ARG(other->model.id));
        }
    }
    struct gm_str nearest = nearest_term(text);
    if (nearest.p != NULL) {
        return gm_dtdl_fail(err, element,
                            "unknown schema \"" GM_STR_FMT "\"; did you mean \"" GM_STR_FMT "\"?",
                            GM_STR_ARG(text), GM_STR_ARG(nearest));
    }
    if (gm_str_starts(text, GM_STR("dtmi:"))) {
        return gm_dtdl_fail(err, element,
                            "unknown schema \"" GM_STR_FMT "\"; define it in `schemas` of this "
                            "interface or of one it extends",
                            GM_STR_ARG(text));
    }
    return gm_dtdl_fail(err, element,
                        "unknown schema \"" GM_STR_FMT "\"; write a primitive one such as double, "
                        "or an object with @type Enum, Object, Map or Array",
                        GM_STR_ARG(text));
}

/* ---- complex schemas ---- */

static gm_rc build_enum(struct gm_arena *arena, const struct gm_dtdl_element *element,
                        struct gm_schema *schema, struct gm_err *err)
{
    struct gm_dtdl_values values = gm_dtdl_values(element, GM_DTDL_PROPERTY_ENUM_VALUES);
    schema->enum_of_strings =
        gm_str_is(gm_dtdl_value(element, GM_DTDL_PROPERTY_VALUE_SCHEMA)->string, "string");
    struct gm_str *strings = NULL;
    int64_t *integers = NULL;
    if (schema->enum_of_strings) {
        strings = gm_dtdl_alloc(arena, values.n, sizeof(*strings), err);
    } else {
        integers = gm_dtdl_alloc(arena, values.n, sizeof(*integers), err);
    }
    if (strings == NULL && integers == NULL) {
        return GM_E_LIMIT;
    }
    for (size_t i = 0; i < values.n; i++) {
        const struct gm_dtdl_value *value =
            gm_dtdl_value(values.at[i].element, GM_DTDL_PROPERTY_ENUM_VALUE);
        if (integers != NULL) {
            integers[i] = value->integer;
            continue;
        }
        GM_TRY(gm_dtdl_dup(arena, value->string, &strings[i], err));
    }
    if (strings != NULL) {
        qsort(strings, values.n, sizeof(*strings), compare_strings);
    } else {
        qsort(integers, values.n, sizeof(*integers), compare_integers);
    }
    schema->enum_strings = strings;
    schema->enum_integers = integers;
    schema->enum_count = values.n;
    return GM_OK;
}

static int compare_fields(const void *a, const void *b)
{
    const struct gm_schema_field *first = a;
    const struct gm_schema_field *second = b;
    return gm_str_cmp(first->name, second->name);
}

static void include_use(struct gm_dtdl_element *element, const struct gm_dtdl_schema_use *use)
{
    if (use->depth >= element->schema_depth) {
        element->schema_depth = use->depth + 1;
    }
    element->schema_arrays = element->schema_arrays || use->arrays;
}

static gm_rc build_object(const struct walk *walk, struct gm_dtdl_element *element,
                          struct gm_schema *schema, struct gm_err *err)
{
    struct gm_arena *arena = walk->models->arena;
    struct gm_dtdl_values values = gm_dtdl_values(element, GM_DTDL_PROPERTY_FIELDS);
    struct gm_schema_field *fields = gm_dtdl_alloc(arena, values.n, sizeof(*fields), err);
    if (fields == NULL) {
        return GM_E_LIMIT;
    }
    for (size_t i = 0; i < values.n; i++) {
        const struct gm_dtdl_element *field = values.at[i].element;
        struct gm_dtdl_schema_use use = {0};
        GM_TRY(resolve_use(walk, field, GM_DTDL_PROPERTY_SCHEMA, &use, err));
        GM_TRY(gm_dtdl_dup(arena, field->name, &fields[i].name, err));
        fields[i].schema = use.schema;
        include_use(element, &use);
    }
    qsort(fields, values.n, sizeof(*fields), compare_fields);
    schema->fields = fields;
    schema->field_count = values.n;
    return GM_OK;
}

static gm_rc build_item(const struct walk *walk, struct gm_dtdl_element *element,
                        struct gm_schema *schema, struct gm_err *err)
{
    struct gm_dtdl_schema_use use = {0};
    if (element->class == GM_DTDL_CLASS_MAP) {
        const struct gm_dtdl_value *value = gm_dtdl_value(element, GM_DTDL_PROPERTY_MAP_VALUE);
        GM_TRY(resolve_use(walk, value->element, GM_DTDL_PROPERTY_SCHEMA, &use, err));
    } else {
        GM_TRY(resolve_use(walk, element, GM_DTDL_PROPERTY_ELEMENT_SCHEMA, &use, err));
    }
    schema->item = use.schema;
    include_use(element, &use);
    return GM_OK;
}

static gm_rc build(const struct walk *walk, struct gm_dtdl_element *element, struct gm_err *err)
{
    struct gm_schema *schema = gm_dtdl_alloc(walk->models->arena, 1, sizeof(*schema), err);
    if (schema == NULL) {
        return GM_E_LIMIT;
    }
    schema->name = gm_str_z(gm_dtdl_class_name_z(element->class));
    switch (element->class) {
    case GM_DTDL_CLASS_ENUM:
        schema->type = GM_SCHEMA_ENUM;
        GM_TRY(build_enum(walk->models->arena, element, schema, err));
        break;
    case GM_DTDL_CLASS_OBJECT:
        schema->type = GM_SCHEMA_OBJECT;
        GM_TRY(build_object(walk, element, schema, err));
        break;
    case GM_DTDL_CLASS_MAP:
        schema->type = GM_SCHEMA_MAP;
        GM_TRY(build_item(walk, element, schema, err));
        break;
    default:
        GM_ASSERT(element->class == GM_DTDL_CLASS_ARRAY);
        schema->type = GM_SCHEMA_ARRAY;
        element->schema_arrays = true;
        GM_TRY(build_item(walk, element, schema, err));
        break;
    }
    element->schema = schema;
    return GM_OK;
}

/* Builds a complex schema unless that was done for an earlier use. */
static gm_rc resolve_element(const struct walk *walk, struct gm_dtdl_element *element,
                             struct gm_err *err)
{
    if (element->schema_open) {
        return gm_dtdl_fail(err, element, "this schema contains itself; DTDL has no recursion");
    }
    if (element->schema == NULL) {
        struct walk inner = *walk;
        inner.level++;
        /* The innermost may be an enum or an empty object, which adds no depth. */
        if (inner.level <= GM_DTDL_SCHEMA_DEPTH_MAX + 1) {
            element->schema_open = true;
            GM_TRY(build(&inner, element, err));
            element->schema_open = false;
        }
    }
    if (element->schema == NULL || element->schema_depth > GM_DTDL_SCHEMA_DEPTH_MAX) {
        return gm_dtdl_fail(err, element, "schemas are nested more than %d levels deep",
                            GM_DTDL_SCHEMA_DEPTH_MAX);
    }
    return GM_OK;
}

static bool is_numeric(const struct gm_schema *schema)
{
    return schema->type == GM_SCHEMA_INTEGER || schema->type == GM_SCHEMA_LONG ||
           schema->type == GM_SCHEMA_FLOAT || schema->type == GM_SCHEMA_DOUBLE;
}

static gm_rc check_cotypes(const struct gm_dtdl_element *element, const struct gm_schema *schema,
                           struct gm_err *err)
{
    for (size_t i = 0; i < element->cotype_count; i++) {
        const struct gm_dtdl_cotype *cotype = element->cotypes[i];
        if (cotype->schemas_z != NULL && !gm_dtdl_word_in(cotype->schemas_z, schema->name) &&
            !(is_numeric(schema) && gm_dtdl_word_in(cotype->schemas_z, GM_STR("number")))) {
            return gm_dtdl_fail(err, element, "schema " GM_STR_FMT ": a %s takes one of: %s",
                                GM_STR_ARG(schema->name), cotype->name_z, cotype->schemas_z);
        }
    }
    return GM_OK;
}

static gm_rc resolve_use(const struct walk *walk, const struct gm_dtdl_element *element,
                         enum gm_dtdl_property property, struct gm_dtdl_schema_use *out_use,
                         struct gm_err *err)
{
    const struct gm_dtdl_value *value = gm_dtdl_value(element, property);
    struct gm_dtdl_element *complex = value->element;
    struct gm_dtdl_schema_use use = {0};
    if (value->type == GM_DTDL_VALUE_STRING) {
        use.schema = find_built_in(element->context, value->string);
        if (use.schema == NULL) {
            GM_TRY(find_unit_enum(walk, element->context, value->string, &use.schema, err));
        }
        if (use.schema == NULL) {
            complex = find_element(walk, value->string);
            if (complex == NULL) {
                return fail_unknown(walk, element, value->string, err);
            }
        }
    }
    if (complex != NULL && (GM_DTDL_SCHEMA_CLASSES >> complex->class & 1) == 0) {
        return gm_dtdl_fail(err, element, "schema \"" GM_STR_FMT "\" is a %s",
                            GM_STR_ARG(complex->id), gm_dtdl_class_name_z(complex->class));
    }
    if (complex != NULL) {
        GM_TRY(resolve_element(walk, complex, err));
        use.schema = complex->schema;
        use.depth = complex->schema_depth;
        use.arrays = complex->schema_arrays;
    }
    GM_TRY(check_cotypes(element, use.schema, err));
    *out_use = use;
    return GM_OK;
}

gm_rc gm_dtdl_schema_resolve(const struct gm_models *models, const struct gm_dtdl_model *owner,
                             const struct gm_dtdl_element *element,
                             struct gm_dtdl_schema_use *out_use, struct gm_err *err)
{
    struct walk walk = {.models = models, .owner = owner};
    return resolve_use(&walk, element, GM_DTDL_PROPERTY_SCHEMA, out_use, err);
}

gm_rc gm_dtdl_schema_resolve_all(const struct gm_models *models, const struct gm_dtdl_model *owner,
                                 struct gm_err *err)
{
    struct walk walk = {.models = models, .owner = owner};
    struct gm_dtdl_values schemas = gm_dtdl_values(owner->element, GM_DTDL_PROPERTY_SCHEMAS);
    for (size_t i = 0; i < schemas.n; i++) {
        GM_TRY(resolve_element(&walk, schemas.at[i].element, err));
    }
    return GM_OK;
}
