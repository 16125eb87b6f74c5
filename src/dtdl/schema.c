/* Schemas as values are checked against them: primitive ones by name, complex ones from their
 * elements, shared by all that refer to them. */
#include <stdlib.h>

#include "dtdl/set.h"

#define LITERAL(text)                                                                              \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static const struct gm_schema primitives[GM_DTDL_CLASS_COUNT] = {
    [GM_DTDL_CLASS_BOOLEAN] = {.type = GM_SCHEMA_BOOLEAN, .name = LITERAL("boolean")},
    [GM_DTDL_CLASS_INTEGER] = {.type = GM_SCHEMA_INTEGER, .name = LITERAL("integer")},
    [GM_DTDL_CLASS_LONG] = {.type = GM_SCHEMA_LONG, .name = LITERAL("long")},
    [GM_DTDL_CLASS_FLOAT] = {.type = GM_SCHEMA_FLOAT, .name = LITERAL("float")},
    [GM_DTDL_CLASS_DOUBLE] = {.type = GM_SCHEMA_DOUBLE, .name = LITERAL("double")},
    [GM_DTDL_CLASS_STRING] = {.type = GM_SCHEMA_STRING, .name = LITERAL("string")},
    [GM_DTDL_CLASS_DATE] = {.type = GM_SCHEMA_DATE, .name = LITERAL("date")},
    [GM_DTDL_CLASS_DATE_TIME] = {.type = GM_SCHEMA_DATETIME, .name = LITERAL("dateTime")},
    [GM_DTDL_CLASS_TIME] = {.type = GM_SCHEMA_TIME, .name = LITERAL("time")},
    [GM_DTDL_CLASS_DURATION] = {.type = GM_SCHEMA_DURATION, .name = LITERAL("duration")},
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

static const struct gm_schema *find_geo(struct gm_str id)
{
    struct gm_str prefix = GM_STR("dtmi:standard:schema:geospatial:");
    struct gm_str name, version;
    if (!gm_str_starts(id, prefix)) {
        return NULL;
    }
    (void)gm_str_cut((struct gm_str){id.p + prefix.n, id.n - prefix.n}, ';', &name, &version);
    for (size_t i = 0; i < GM_ARRAY_COUNT(geo_schemas); i++) {
        if (gm_str_eq(geo_schemas[i].name, name)) {
            return &geo_schemas[i];
        }
    }
    return NULL;
}

/* ---- enums ---- */

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

static size_t count_edges(const struct gm_dtdl_element *element, enum gm_dtdl_property property)
{
    size_t count = 0;
    const struct gm_dtdl_edge *edge = NULL;
    while ((edge = gm_dtdl_edge_next(element, edge, property)) != NULL) {
        count++;
    }
    return count;
}

/* The units of a family. */
static bool build_family(struct gm_arena *arena, const struct gm_dtdl_element *element,
                         struct gm_schema *schema)
{
    size_t count = 0;
    struct gm_str word;
    for (const char *rest_z = element->family->units_z; gm_dtdl_word_next(&rest_z, &word);) {
        count++;
    }
    struct gm_str *strings = gm_arena_alloc(arena, count * sizeof(*strings));
    if (strings == NULL) {
        return false;
    }
    size_t n = 0;
    for (const char *rest_z = element->family->units_z; gm_dtdl_word_next(&rest_z, &word);) {
        strings[n++] = word;
    }
    qsort(strings, count, sizeof(*strings), compare_strings);
    schema->enum_of_strings = true;
    schema->enum_strings = strings;
    schema->enum_count = count;
    return true;
}

static bool build_enum(struct gm_arena *arena, const struct gm_dtdl_element *element,
                       struct gm_schema *schema)
{
    if (element->family != NULL) {
        return build_family(arena, element, schema);
    }
    size_t count = count_edges(element, GM_DTDL_PROPERTY_ENUM_VALUES);
    schema->enum_of_strings =
        gm_dtdl_edge_to(element, GM_DTDL_PROPERTY_VALUE_SCHEMA)->class == GM_DTDL_CLASS_STRING;
    struct gm_str *strings = gm_arena_zalloc(arena, count * sizeof(*strings));
    int64_t *integers = gm_arena_zalloc(arena, count * sizeof(*integers));
    if (strings == NULL || integers == NULL) {
        return false;
    }
    size_t n = 0;
    const struct gm_dtdl_edge *edge = NULL;
    while ((edge = gm_dtdl_edge_next(element, edge, GM_DTDL_PROPERTY_ENUM_VALUES)) != NULL) {
        const struct gm_dtdl_literal *literal = &edge->to->literal;
        if (schema->enum_of_strings) {
            strings[n] = gm_arena_dup(arena, literal->text);
            if (strings[n].p == NULL) {
                return false;
            }
        } else {
            integers[n] = literal->integer;
        }
        n++;
    }
    if (schema->enum_of_strings) {
        qsort(strings, n, sizeof(*strings), compare_strings);
    } else {
        qsort(integers, n, sizeof(*integers), compare_integers);
    }
    schema->enum_strings = strings;
    schema->enum_integers = integers;
    schema->enum_count = n;
    return true;
}

/* ---- containers ---- */

static int compare_fields(const void *a, const void *b)
{
    const struct gm_schema_field *first = a;
    const struct gm_schema_field *second = b;
    return gm_str_cmp(first->name, second->name);
}

static bool build_object(struct gm_arena *arena, const struct gm_dtdl_element *element,
                         struct gm_schema *schema)
{
    size_t count = count_edges(element, GM_DTDL_PROPERTY_FIELDS);
    struct gm_schema_field *fields = gm_arena_zalloc(arena, count * sizeof(*fields));
    if (fields == NULL) {
        return false;
    }
    size_t n = 0;
    const struct gm_dtdl_edge *edge = NULL;
    while ((edge = gm_dtdl_edge_next(element, edge, GM_DTDL_PROPERTY_FIELDS)) != NULL) {
        struct gm_dtdl_element *held = gm_dtdl_edge_to(edge->to, GM_DTDL_PROPERTY_SCHEMA);
        fields[n].name = gm_arena_dup(arena, edge->to->name);
        fields[n].schema = gm_dtdl_schema_build(arena, held);
        if (fields[n].name.p == NULL || fields[n].schema == NULL) {
            return false;
        }
        n++;
    }
    qsort(fields, n, sizeof(*fields), compare_fields);
    schema->fields = fields;
    schema->field_count = n;
    return true;
}

static bool build_item(struct gm_arena *arena, const struct gm_dtdl_element *element,
                       struct gm_schema *schema)
{
    struct gm_dtdl_element *item =
        element->class == GM_DTDL_CLASS_MAP
            ? gm_dtdl_edge_to(gm_dtdl_edge_to(element, GM_DTDL_PROPERTY_MAP_VALUE),
                              GM_DTDL_PROPERTY_SCHEMA)
            : gm_dtdl_edge_to(element, GM_DTDL_PROPERTY_ELEMENT_SCHEMA);
    schema->item = gm_dtdl_schema_build(arena, item);
    return schema->item != NULL;
}

static bool build_complex(struct gm_arena *arena, const struct gm_dtdl_element *element,
                          struct gm_schema *schema)
{
    switch (element->class) {
    case GM_DTDL_CLASS_ENUM:
        schema->type = GM_SCHEMA_ENUM;
        return build_enum(arena, element, schema);
    case GM_DTDL_CLASS_OBJECT:
        schema->type = GM_SCHEMA_OBJECT;
        return build_object(arena, element, schema);
    case GM_DTDL_CLASS_MAP:
        schema->type = GM_SCHEMA_MAP;
        return build_item(arena, element, schema);
    default:
        GM_ASSERT(element->class == GM_DTDL_CLASS_ARRAY);
        schema->type = GM_SCHEMA_ARRAY;
        return build_item(arena, element, schema);
    }
}

/* Schemas are not deeper than is allowed: that bounds the recursion. */
const struct gm_schema *gm_dtdl_schema_build(struct gm_arena *arena,
                                             struct gm_dtdl_element *element)
{
    if (element->schema != NULL) {
        return element->schema;
    }
    element->schema = element->standard ? find_geo(element->id) : NULL;
    if (element->schema == NULL && primitives[element->class].name.p != NULL) {
        element->schema = &primitives[element->class];
    }
    if (element->schema == NULL) {
        struct gm_schema *schema = gm_arena_zalloc(arena, sizeof(*schema));
        if (schema == NULL) {
            return NULL;
        }
        schema->name = gm_str_z(gm_dtdl_class_name_z(element->class));
        element->schema = build_complex(arena, element, schema) ? schema : NULL;
    }
    return element->schema;
}
