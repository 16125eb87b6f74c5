/* Elements that the language and its extensions bring: primitive schemas, shapes on the earth,
 * types of commands, units. They are made when a model refers to them. */
#include "dtdl/element.h"

static struct gm_dtdl_element *make(struct gm_dtdl_parser *parser, enum gm_dtdl_class class,
                                    int dtdl_version, struct gm_str id)
{
    struct gm_dtdl_element *element = gm_dtdl_alloc(parser, 1, sizeof(*element));
    struct gm_str copy = gm_arena_dup(parser->arena, id);
    if (element == NULL || copy.p == NULL) {
        parser->full = true;
        return NULL;
    }
    element->class = class;
    element->dtdl_version = dtdl_version;
    element->id = copy;
    element->standard = true;
    gm_dtdl_element_add(parser, element);
    return element;
}

/* Cuts "prefix" and ";2" off. False: it is not of that form. */
static bool cut(struct gm_str id, const char *prefix_z, struct gm_str *out_name, char *out_version)
{
    struct gm_str prefix = gm_str_z(prefix_z);
    struct gm_str version;
    if (!gm_str_starts(id, prefix) ||
        !gm_str_cut((struct gm_str){id.p + prefix.n, id.n - prefix.n}, ';', out_name, &version) ||
        version.n != 1 || version.p[0] < '2' || version.p[0] > '3') {
        return false;
    }
    *out_version = version.p[0];
    return true;
}

/* ---- single ones ---- */

static const struct {
    const char *term_z;
    enum gm_dtdl_class class;
} primitives[] = {
    {"boolean", GM_DTDL_CLASS_BOOLEAN},    {"date", GM_DTDL_CLASS_DATE},
    {"dateTime", GM_DTDL_CLASS_DATE_TIME}, {"double", GM_DTDL_CLASS_DOUBLE},
    {"duration", GM_DTDL_CLASS_DURATION},  {"float", GM_DTDL_CLASS_FLOAT},
    {"integer", GM_DTDL_CLASS_INTEGER},    {"long", GM_DTDL_CLASS_LONG},
    {"string", GM_DTDL_CLASS_STRING},      {"time", GM_DTDL_CLASS_TIME},
};

static struct gm_dtdl_element *make_primitive(struct gm_dtdl_parser *parser, struct gm_str id)
{
    struct gm_str name;
    char version;
    if (!cut(id, "dtmi:dtdl:instance:Schema:", &name, &version)) {
        return NULL;
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(primitives); i++) {
        if (gm_str_is(name, primitives[i].term_z)) {
            return make(parser, primitives[i].class, 2, id);
        }
    }
    return NULL;
}

static struct gm_dtdl_element *make_command_type(struct gm_dtdl_parser *parser, struct gm_str id)
{
    struct gm_str name;
    char version;
    bool there = cut(id, "dtmi:dtdl:instance:CommandType:", &name, &version) &&
                 gm_dtdl_word_in("asynchronous synchronous", name);
    return there ? make(parser, GM_DTDL_CLASS_COMMAND_TYPE, version - '0', id) : NULL;
}

/* ---- shapes: written in the language itself, `@` for its version ---- */

#define GEO "dtmi:standard:schema:geospatial"
#define DOUBLE "\"dtmi:dtdl:instance:Schema:double;2\""
#define KIND(name)                                                                                 \
    "{\"@id\":\"" GEO name "Type;@\",\"@type\":\"Enum\",\"valueSchema\":"                          \
    "\"dtmi:dtdl:instance:Schema:string;2\",\"enumValues\":[{\"name\":\"it\",\"enumValue\":"       \
    "\"" name "\"}]}"
#define SHAPE(id, name, coordinates)                                                               \
    {                                                                                              \
        GEO ":" id,                                                                                \
            "{\"@type\":\"Object\",\"@id\":\"" GEO ":" id                                          \
            ";@\",\"fields\":[{\"name\":\"type\",\"schema\":" KIND(                                \
                name) "},{\"name\":\"coordinates\",\"schema\":\"" GEO ":" coordinates ";@\"}]}"    \
    }
#define COORDINATES(id, item)                                                                      \
    {                                                                                              \
        GEO ":" id,                                                                                \
            "{\"@type\":\"Array\",\"@id\":\"" GEO ":" id ";@\",\"elementSchema\":" item "}"        \
    }
#define ITEM(id) "\"" GEO ":" id ";@\""
#define FIELD(name) "{\"name\":\"" name "\",\"schema\":" DOUBLE "}"
#define CENTRAL(id, fields)                                                                        \
    {                                                                                              \
        "dtmi:iotcentral:schema:" id, "{\"@type\":\"Object\",\"@id\":\"dtmi:iotcentral:schema:" id \
                                      ";@\",\"fields\":[" fields "]}"                              \
    }

static const struct {
    const char *id_z, *text_z;
} written[] = {
    COORDINATES("position", DOUBLE),
    COORDINATES("positionArray", ITEM("position")),
    COORDINATES("lineStringCoordinateArray", ITEM("position")),
    COORDINATES("lineStringCoordinateArrayArray", ITEM("lineStringCoordinateArray")),
    COORDINATES("linearRingCoordinateArray", ITEM("position")),
    COORDINATES("polygonCoordinateArray", ITEM("linearRingCoordinateArray")),
    COORDINATES("polygonCoordinateArrayArray", ITEM("polygonCoordinateArray")),
    SHAPE("point", "Point", "position"),
    SHAPE("multiPoint", "MultiPoint", "positionArray"),
    SHAPE("lineString", "LineString", "lineStringCoordinateArray"),
    SHAPE("multiLineString", "MultiLineString", "lineStringCoordinateArrayArray"),
    SHAPE("polygon", "Polygon", "polygonCoordinateArray"),
    SHAPE("multiPolygon", "MultiPolygon", "polygonCoordinateArrayArray"),
    CENTRAL("vector", FIELD("x") "," FIELD("y") "," FIELD("z")),
    CENTRAL("geopoint", FIELD("lon") "," FIELD("lat") "," FIELD("alt")),
};

static const struct gm_dtdl_context contexts[] = {{.dtdl_version = 2}, {.dtdl_version = 3}};

/* Parses a text of the table above, as the element of `id`. */
static struct gm_dtdl_element *parse_written(struct gm_dtdl_parser *parser, const char *text_z,
                                             char version, struct gm_str id)
{
    struct gm_str text = gm_arena_dup(parser->arena, gm_str_z(text_z));
    char *p = gm_dtdl_alloc(parser, text.n + 1, 1);
    yyjson_mut_val *json;
    if (text.p == NULL || p == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < text.n; i++) {
        p[i] = text.p[i] == '@' && text.p[i - 1] == ';' ? version : text.p[i];
    }
    struct gm_err err;
    if (gm_json_parse(parser->doc, (struct gm_str){p, text.n}, &json, &err) != GM_OK) {
        parser->full = true;
        return NULL;
    }
    /* A standard element stands in nothing: what it is put into for parsing is not kept. */
    struct gm_dtdl_element holder = {.class = GM_DTDL_CLASS_INTERFACE,
                                     .dtdl_version = version - '0',
                                     .context = &contexts[version - '2'],
                                     .standard = true};
    struct gm_dtdl_place place = {
        .parent = &holder,
        .rule = gm_dtdl_rule_find(GM_DTDL_CLASS_INTERFACE, GM_DTDL_PROPERTY_SCHEMAS)};
    size_t first = parser->elements.n;
    bool stopped = parser->stopped;
    parser->stopped = false;
    struct gm_dtdl_element *element = gm_dtdl_element_parse(parser, &place, json);
    parser->stopped = stopped || parser->full;
    GM_ASSERT(parser->full || (element != NULL && gm_str_eq(element->id, id)));
    for (size_t i = first; i < parser->elements.n; i++) {
        struct gm_dtdl_element *made = parser->elements.at[i];
        made->partition = NULL;
        if (made->parent == &holder) {
            made->parent = NULL;
            made->child_of = (struct gm_str){NULL, 0};
        }
    }
    return element;
}

static struct gm_dtdl_element *make_written(struct gm_dtdl_parser *parser, struct gm_str id)
{
    struct gm_str name;
    char version;
    if (!cut(id, "", &name, &version)) {
        return NULL;
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(written); i++) {
        if (gm_str_is(name, written[i].id_z)) {
            return parse_written(parser, written[i].text_z, version, id);
        }
    }
    return NULL;
}

/* ---- units ---- */

static const struct gm_dtdl_family *family_of(struct gm_str unit, int known)
{
    for (size_t i = 0; i < gm_dtdl_family_count; i++) {
        if ((gm_dtdl_families[i].known >> known & 1) != 0 &&
            gm_dtdl_word_in(gm_dtdl_families[i].units_z, unit)) {
            return &gm_dtdl_families[i];
        }
    }
    return NULL;
}

/* v2: elements of their own class, with their family as a type. */
static struct gm_dtdl_element *make_unit(struct gm_dtdl_parser *parser, struct gm_str id)
{
    struct gm_str name;
    char version;
    bool unit = cut(id, "dtmi:standard:unit:", &name, &version);
    if ((!unit && !cut(id, "dtmi:standard:unitprefix:", &name, &version)) || version != '2') {
        return NULL;
    }
    const struct gm_dtdl_family *family = family_of(name, GM_DTDL_KNOWN_V2);
    if (family == NULL) {
        return NULL;
    }
    struct gm_dtdl_element *element =
        make(parser, unit ? GM_DTDL_CLASS_UNIT : GM_DTDL_CLASS_UNIT_ATTRIBUTE, 2, id);
    const struct gm_dtdl_cotype **cotypes = gm_dtdl_alloc(parser, 1, sizeof(cotypes[0]));
    if (element != NULL && cotypes != NULL) {
        cotypes[0] =
            gm_dtdl_cotype_find(gm_dtdl_format(parser, "dtmi:standard:class:%s;2", family->name_z));
        element->cotypes = cotypes;
        element->cotype_count = 1;
    }
    return element;
}

/* The extension: values of an enum for each family. */
static struct gm_dtdl_element *make_quantity(struct gm_dtdl_parser *parser, struct gm_str id)
{
    struct gm_str prefix = GM_STR("dtmi:dtdl:extension:quantitativeTypes:v");
    struct gm_str kind, name;
    if (!gm_str_starts(id, prefix) || id.n < prefix.n + 3 || id.p[prefix.n + 1] != ':' ||
        id.p[prefix.n] < '1' || id.p[prefix.n] > '3' ||
        !gm_str_cut((struct gm_str){id.p + prefix.n + 2, id.n - prefix.n - 2}, ':', &kind, &name)) {
        return NULL;
    }
    char version = id.p[prefix.n];
    int known = GM_DTDL_KNOWN_QUANTITATIVE_1 + version - '1';
    if (gm_str_is(kind, "enum")) {
        for (size_t i = 0; i < gm_dtdl_family_count; i++) {
            if ((gm_dtdl_families[i].known >> known & 1) != 0 &&
                gm_str_is(name, gm_dtdl_families[i].name_z)) {
                struct gm_dtdl_element *element = make(parser, GM_DTDL_CLASS_ENUM, 3, id);
                if (element != NULL) {
                    element->family = &gm_dtdl_families[i];
                }
                return element;
            }
        }
        return NULL;
    }
    const struct gm_dtdl_family *family =
        gm_dtdl_word_in("unit unitprefix", kind) ? family_of(name, known) : NULL;
    if (family == NULL) {
        return NULL;
    }
    struct gm_dtdl_element *element = make(parser, GM_DTDL_CLASS_ENUM_VALUE, 3, id);
    if (element != NULL) {
        element->child_of = gm_dtdl_format(parser, GM_STR_FMT "%c:enum:%s", GM_STR_ARG(prefix),
                                           version, family->name_z);
    }
    return element;
}

/* ---- all ---- */

bool gm_dtdl_reserved(struct gm_str id)
{
    return gm_str_starts(id, GM_STR("dtmi:dtdl:")) || gm_str_starts(id, GM_STR("dtmi:standard:")) ||
           gm_str_starts(id, GM_STR("dtmi:iotcentral:")) ||
           gm_str_starts(id, GM_STR("dtmi:iotoperations:"));
}

struct gm_dtdl_element *gm_dtdl_standard(struct gm_dtdl_parser *parser, struct gm_str *id)
{
    static struct gm_dtdl_element *(*const makers[])(struct gm_dtdl_parser *, struct gm_str) = {
        make_primitive, make_command_type, make_written, make_unit, make_quantity,
    };
    struct gm_str name;
    char version;
    /* Primitive schemas are the same ones in v2 and v3. */
    if (cut(*id, "dtmi:dtdl:instance:Schema:", &name, &version) && version == '3') {
        *id =
            gm_dtdl_format(parser, "dtmi:dtdl:instance:Schema:" GM_STR_FMT ";2", GM_STR_ARG(name));
    }
    struct gm_dtdl_element *element = gm_map_get_ptr(parser->by_id, *id);
    for (size_t i = 0; i < GM_ARRAY_COUNT(makers) && element == NULL; i++) {
        element = makers[i](parser, *id);
    }
    return element;
}
