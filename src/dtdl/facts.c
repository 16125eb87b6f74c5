/* The tables that are small or irregular, and how all of them are searched. */
#include "dtdl/facts.h"

#include "base/num.h"
#include "dtdl/dtmi.h"

/* ---- classes ---- */

#define V2 (1u << 2)
#define V3 (1u << 3)

/* One fact a line reads better than what the formatter would make of them. */
/* clang-format off */
static const struct {
    const char *name_z, *label_z;
    enum gm_dtdl_class parent;
    unsigned named;    /* versions of the language in which the class has a name */
    unsigned concrete; /* in which elements are of it */
} classes[GM_DTDL_CLASS_COUNT] = {
#define CLASS(class, name, label, parent, named, concrete)                                         \
    [GM_DTDL_CLASS_##class] = {name, label, GM_DTDL_CLASS_##parent, named, concrete}
    CLASS(NONE, "", "element", NONE, 0, 0),
    CLASS(ENTITY, "Entity", "element", NONE, V2 | V3, 0),
    CLASS(NAMED_ENTITY, "NamedEntity", "element", ENTITY, V2 | V3, 0),
    CLASS(INTERFACE, "Interface", "interface", ENTITY, V2 | V3, V2 | V3),
    CLASS(CONTENT, "Content", "content", NAMED_ENTITY, V2 | V3, 0),
    CLASS(COMMAND, "Command", "command", CONTENT, V2 | V3, V2 | V3),
    CLASS(COMPONENT, "Component", "component", CONTENT, V2 | V3, V2 | V3),
    CLASS(PROPERTY, "Property", "property", CONTENT, V2 | V3, V2 | V3),
    CLASS(RELATIONSHIP, "Relationship", "relationship", CONTENT, V2 | V3, V2 | V3),
    CLASS(TELEMETRY, "Telemetry", "telemetry", CONTENT, V2 | V3, V2 | V3),
    CLASS(COMMAND_TYPE, "CommandType", "command type", ENTITY, V2 | V3, V2 | V3),
    CLASS(SCHEMA, "Schema", "schema", ENTITY, V2 | V3, 0),
    CLASS(COMPLEX_SCHEMA, "ComplexSchema", "schema", SCHEMA, V2 | V3, 0),
    CLASS(ARRAY, "Array", "array", COMPLEX_SCHEMA, V2 | V3, V2 | V3),
    CLASS(ENUM, "Enum", "enum", COMPLEX_SCHEMA, V2 | V3, V2 | V3),
    CLASS(MAP, "Map", "map", COMPLEX_SCHEMA, V2 | V3, V2 | V3),
    CLASS(OBJECT, "Object", "object", COMPLEX_SCHEMA, V2 | V3, V2 | V3),
    CLASS(PRIMITIVE_SCHEMA, "PrimitiveSchema", "schema", SCHEMA, V2 | V3, 0),
    CLASS(BOOLEAN, "Boolean", "schema", PRIMITIVE_SCHEMA, V2 | V3, V2 | V3),
    CLASS(STRING, "String", "schema", PRIMITIVE_SCHEMA, V2 | V3, V2 | V3),
    CLASS(NUMERIC_SCHEMA, "NumericSchema", "schema", PRIMITIVE_SCHEMA, V2 | V3, 0),
    CLASS(DOUBLE, "Double", "schema", NUMERIC_SCHEMA, V2 | V3, V2 | V3),
    CLASS(FLOAT, "Float", "schema", NUMERIC_SCHEMA, V2 | V3, V2 | V3),
    CLASS(INTEGER, "Integer", "schema", NUMERIC_SCHEMA, V2 | V3, V2 | V3),
    CLASS(LONG, "Long", "schema", NUMERIC_SCHEMA, V2 | V3, V2 | V3),
    CLASS(TEMPORAL_SCHEMA, "TemporalSchema", "schema", PRIMITIVE_SCHEMA, V2 | V3, 0),
    CLASS(DATE, "Date", "schema", TEMPORAL_SCHEMA, V2 | V3, V2 | V3),
    CLASS(DATE_TIME, "DateTime", "schema", TEMPORAL_SCHEMA, V2 | V3, V2 | V3),
    CLASS(DURATION, "Duration", "schema", TEMPORAL_SCHEMA, V2 | V3, V2 | V3),
    CLASS(TIME, "Time", "schema", TEMPORAL_SCHEMA, V2 | V3, V2 | V3),
    CLASS(ENUM_VALUE, "EnumValue", "enum value", NAMED_ENTITY, V2 | V3, V2 | V3),
    CLASS(MAP_KEY, "MapKey", "map key", NAMED_ENTITY, V2 | V3, V2 | V3),
    CLASS(SCHEMA_FIELD, "SchemaField", "field", NAMED_ENTITY, V2 | V3, 0),
    CLASS(FIELD, "Field", "field", SCHEMA_FIELD, V2 | V3, V2 | V3),
    CLASS(MAP_VALUE, "MapValue", "map value", SCHEMA_FIELD, V2 | V3, V2 | V3),
    CLASS(COMMAND_PAYLOAD, "CommandPayload", "payload", SCHEMA_FIELD, V2 | V3, V2),
    CLASS(COMMAND_REQUEST, "CommandRequest", "request", COMMAND_PAYLOAD, V3, V3),
    CLASS(COMMAND_RESPONSE, "CommandResponse", "response", COMMAND_PAYLOAD, V3, V3),
    CLASS(LATENT_TYPE, "LatentType", "element", ENTITY, V3, 0),
    CLASS(NAMED_LATENT_TYPE, "NamedLatentType", "element", NAMED_ENTITY, V3, 0),
    CLASS(UNIT, "Unit", "unit", ENTITY, V2 | V3, 0),
    CLASS(UNIT_ATTRIBUTE, "UnitAttribute", "unit attribute", NAMED_ENTITY, V2 | V3, 0),
#undef CLASS
};
/* clang-format on */

/* Classes that only v4 has: known as such, so that a message can say so. */
static const char later_classes_z[] = "Byte Bytes Decimal Short UnsignedByte UnsignedInteger "
                                      "UnsignedLong UnsignedShort Uuid";
static const struct gm_str class_prefix = {"dtmi:dtdl:class:", 16};

const char *gm_dtdl_class_name_z(enum gm_dtdl_class class)
{
    return classes[class].name_z;
}

const char *gm_dtdl_class_label_z(enum gm_dtdl_class class)
{
    return classes[class].label_z;
}

/* Cuts "dtmi:dtdl:class:Name;3" into name and version; 0 for a name alone. False: another DTMI. */
static bool cut_id(struct gm_str text, struct gm_str prefix, struct gm_str *out_name,
                   int64_t *out_version)
{
    *out_version = 0;
    *out_name = text;
    if (text.n == 0 || memchr(text.p, ':', text.n) == NULL) {
        return true;
    }
    struct gm_str version_text;
    return gm_str_starts(text, prefix) &&
           gm_str_cut((struct gm_str){text.p + prefix.n, text.n - prefix.n}, ';', out_name,
                      &version_text) &&
           gm_parse_i64(version_text, out_version) && *out_version >= GM_DTDL_VERSION_MIN;
}

static enum gm_dtdl_class class_named(struct gm_str name)
{
    for (int class = 1; class < GM_DTDL_CLASS_COUNT; class ++) {
        if (gm_str_is(name, classes[class].name_z)) {
            return (enum gm_dtdl_class) class;
        }
    }
    return GM_DTDL_CLASS_NONE;
}

enum gm_dtdl_class gm_dtdl_class_of(struct gm_str type, int dtdl_version)
{
    struct gm_str name;
    int64_t version;
    if (!cut_id(type, class_prefix, &name, &version) || (version != 0 && version != dtdl_version)) {
        return GM_DTDL_CLASS_NONE;
    }
    enum gm_dtdl_class class = class_named(name);
    return (classes[class].named >> dtdl_version & 1) != 0 ? class : GM_DTDL_CLASS_NONE;
}

bool gm_dtdl_is_class(struct gm_str type)
{
    struct gm_str name;
    int64_t version;
    if (!cut_id(type, class_prefix, &name, &version) || version > GM_DTDL_VERSION_MAX + 1) {
        return false;
    }
    if (gm_dtdl_word_in(later_classes_z, name)) {
        return version == 0 || version > GM_DTDL_VERSION_MAX;
    }
    enum gm_dtdl_class class = class_named(name);
    return class != GM_DTDL_CLASS_NONE && (version == 0 || version > GM_DTDL_VERSION_MAX ||
                                           (classes[class].named >> version & 1) != 0);
}

static bool derived(enum gm_dtdl_class class, enum gm_dtdl_class from)
{
    while (class != from && class != GM_DTDL_CLASS_NONE) {
        class = classes[class].parent;
    }
    return class == from;
}

uint64_t gm_dtdl_class_concrete(enum gm_dtdl_class class, int dtdl_version)
{
    if ((classes[class].concrete >> dtdl_version & 1) != 0) {
        return (uint64_t)1 << class;
    }
    uint64_t set = 0;
    for (int each = 1; each < GM_DTDL_CLASS_COUNT; each++) {
        if ((classes[each].concrete >> dtdl_version & 1) != 0 &&
            derived((enum gm_dtdl_class)each, class)) {
            set |= (uint64_t)1 << each;
        }
    }
    return set;
}

bool gm_dtdl_class_has_type(enum gm_dtdl_class class, struct gm_str type_id)
{
    struct gm_str name;
    int64_t version;
    if (!gm_str_starts(type_id, class_prefix) || !cut_id(type_id, class_prefix, &name, &version)) {
        return false;
    }
    enum gm_dtdl_class wanted = class_named(name);
    return wanted != GM_DTDL_CLASS_NONE && derived(class, wanted);
}

/* ---- members ---- */

static const char *const property_names[GM_DTDL_PROPERTY_COUNT] = {
    "",           "comment",       "description", "displayName",     "name",
    "contents",   "extends",       "schemas",     "commandType",     "request",
    "response",   "elementSchema", "enumValue",   "enumValues",      "valueSchema",
    "fields",     "mapKey",        "mapValue",    "maxMultiplicity", "minMultiplicity",
    "properties", "target",        "schema",      "writable",
};

#define BIT(name) GM_DTDL_BIT(name)
#define VALUES (BIT(PROPERTY) | BIT(TELEMETRY))
#define PAYLOADS (BIT(COMMAND_PAYLOAD) | BIT(COMMAND_REQUEST) | BIT(COMMAND_RESPONSE))
#define CONTENTS (VALUES | BIT(COMMAND) | BIT(COMPONENT) | BIT(RELATIONSHIP))
#define NAMED (CONTENTS | PAYLOADS | BIT(ENUM_VALUE) | BIT(FIELD) | BIT(MAP_KEY) | BIT(MAP_VALUE))
#define SCHEMA_OWNERS (VALUES | PAYLOADS | BIT(FIELD) | BIT(MAP_VALUE))
#define RULE(property_, classes_, kind_)                                                           \
    .property = GM_DTDL_PROPERTY_##property_, .classes = (classes_), .kind = GM_DTDL_KIND_##kind_
#define RANGE(min, max) .value_min = (min), .value_max = (max)
#define SIZES(v2, v3)                                                                              \
    .limits = {{.size_max = (v2), .class = GM_DTDL_CLASS_ENTITY},                                  \
               {.size_max = (v3), .class = GM_DTDL_CLASS_ENTITY}}
#define PRESENT .limits = {{.class = GM_DTDL_CLASS_ENTITY}, {.class = GM_DTDL_CLASS_ENTITY}}
#define OF(class_) .class = GM_DTDL_CLASS_##class_
#define ONE(class_) .limits = {{OF(class_), .wanted = true}, {OF(class_), .wanted = true}}
#define MANY(class_, v2_max) .limits = {{OF(class_), .count_max = (v2_max)}, {OF(class_)}}

/* One fact a line reads better than what the formatter would make of them. */
/* clang-format off */
static const struct gm_dtdl_rule rules[] = {
    {RULE(COMMENT, GM_DTDL_EVERY_CLASS, STRING), .optional = true, SIZES(512, 512)},
    {RULE(DESCRIPTION, GM_DTDL_EVERY_CLASS, TEXT), .optional = true, .plural = true,
     SIZES(512, 512)},
    {RULE(DISPLAY_NAME, GM_DTDL_EVERY_CLASS, TEXT), .optional = true, .plural = true,
     SIZES(64, 512)},
    {RULE(NAME, NAMED, STRING), SIZES(64, 512)},
    {RULE(CONTENTS, BIT(INTERFACE), ELEMENT), .optional = true, .plural = true, .named = true,
     .keyed = true, .older = true, MANY(CONTENT, 300)},
    {RULE(EXTENDS, BIT(INTERFACE), ELEMENT), .optional = true, .plural = true, .id_required = true,
     .older = true, MANY(INTERFACE, 2)},
    {RULE(SCHEMAS, BIT(INTERFACE), ELEMENT), .optional = true, .plural = true, .id_required = true,
     MANY(COMPLEX_SCHEMA, 0)},
    {RULE(COMMAND_TYPE, BIT(COMMAND), ELEMENT), .optional = true, .id_required = true,
     .terms_z = "asynchronous synchronous", MANY(COMMAND_TYPE, 1)},
    {RULE(REQUEST, BIT(COMMAND), ELEMENT), .optional = true, .type_optional = true,
     .limits = {{OF(COMMAND_PAYLOAD)}, {OF(COMMAND_REQUEST)}}},
    {RULE(RESPONSE, BIT(COMMAND), ELEMENT), .optional = true, .type_optional = true,
     .limits = {{OF(COMMAND_PAYLOAD)}, {OF(COMMAND_RESPONSE)}}},
    {RULE(ELEMENT_SCHEMA, BIT(ARRAY), ELEMENT), .older = true, ONE(SCHEMA)},
    {RULE(ENUM_VALUE, BIT(ENUM_VALUE), LITERAL), PRESENT},
    {RULE(ENUM_VALUES, BIT(ENUM), ELEMENT), .optional = true, .plural = true, .named = true,
     .type_optional = true, .unique_z = "name enumValue",
     .limits = {{OF(ENUM_VALUE), .wanted = true, .count_max = 100}, {OF(ENUM_VALUE)}}},
    {RULE(VALUE_SCHEMA, BIT(ENUM), ELEMENT), .id_required = true, .older = true,
     .terms_z = "integer string", ONE(PRIMITIVE_SCHEMA)},
    {RULE(FIELDS, BIT(OBJECT), ELEMENT), .optional = true, .plural = true, .named = true,
     .type_optional = true, .unique_z = "name",
     .limits = {{OF(FIELD), .wanted = true, .count_max = 30}, {OF(FIELD)}}},
    {RULE(MAP_KEY, BIT(MAP), ELEMENT), .type_optional = true, ONE(MAP_KEY)},
    {RULE(MAP_VALUE, BIT(MAP), ELEMENT), .type_optional = true, ONE(MAP_VALUE)},
    {RULE(MAX_MULTIPLICITY, BIT(RELATIONSHIP), INTEGER), .optional = true,
     .limits = {{OF(ENTITY), RANGE(1, 500)}, {OF(ENTITY), RANGE(1, INT32_MAX)}}},
    {RULE(MIN_MULTIPLICITY, BIT(RELATIONSHIP), INTEGER), .optional = true,
     .limits = {{OF(ENTITY), RANGE(0, 0)}, {OF(ENTITY), RANGE(0, 0)}}},
    {RULE(PROPERTIES, BIT(RELATIONSHIP), ELEMENT), .optional = true, .plural = true, .named = true,
     .older = true, .unique_z = "name", MANY(PROPERTY, 300)},
    {RULE(TARGET, BIT(RELATIONSHIP), IDENTIFIER), .optional = true, SIZES(2048, 2048)},
    {RULE(SCHEMA, BIT(COMPONENT), ELEMENT), .id_required = true, .older = true, ONE(INTERFACE)},
    {RULE(SCHEMA, BIT(MAP_KEY), ELEMENT), .id_required = true, .older = true, .terms_z = "string",
     ONE(STRING)},
    {RULE(SCHEMA, SCHEMA_OWNERS, ELEMENT), .older = true, ONE(SCHEMA)},
    {RULE(WRITABLE, BIT(PROPERTY) | BIT(RELATIONSHIP), BOOLEAN), .optional = true, PRESENT},
};
/* clang-format on */

const struct gm_dtdl_rule *gm_dtdl_rule_find(enum gm_dtdl_class class,
                                             enum gm_dtdl_property property)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(rules); i++) {
        if (rules[i].property == property && (rules[i].classes >> class & 1) != 0) {
            return &rules[i];
        }
    }
    return NULL;
}

const struct gm_dtdl_rule *gm_dtdl_rule_at(size_t index)
{
    return index < GM_ARRAY_COUNT(rules) ? &rules[index] : NULL;
}

const char *gm_dtdl_property_name_z(enum gm_dtdl_property property)
{
    return property_names[property];
}

enum gm_dtdl_property gm_dtdl_property_of(struct gm_str name, int dtdl_version)
{
    struct gm_str term;
    int64_t version;
    if (!cut_id(name, GM_STR("dtmi:dtdl:property:"), &term, &version) ||
        (version != 0 && version != dtdl_version)) {
        return GM_DTDL_PROPERTY_NONE;
    }
    for (int property = 1; property < GM_DTDL_PROPERTY_COUNT; property++) {
        if (gm_str_is(term, property_names[property])) {
            return (enum gm_dtdl_property)property;
        }
    }
    return GM_DTDL_PROPERTY_NONE;
}

/* ---- contexts and terms ---- */

const struct gm_dtdl_known gm_dtdl_known[GM_DTDL_KNOWN_COUNT] = {
    {"dtmi:dtdl:context", 2},
    {"dtmi:dtdl:context", 3},
    {"dtmi:dtdl:extension:quantitativeTypes", 1},
    {"dtmi:dtdl:extension:quantitativeTypes", 2},
    {"dtmi:dtdl:extension:quantitativeTypes", 3},
    {"dtmi:dtdl:extension:annotation", 1},
    {"dtmi:dtdl:extension:annotation", 2},
    {"dtmi:dtdl:extension:historization", 1},
    {"dtmi:dtdl:extension:historization", 2},
    {"dtmi:dtdl:extension:mqtt", 1},
    {"dtmi:dtdl:extension:mqtt", 2},
    {"dtmi:dtdl:extension:mqtt", 3},
    {"dtmi:dtdl:extension:mqtt", 4},
    {"dtmi:dtdl:extension:overriding", 1},
    {"dtmi:dtdl:extension:overriding", 2},
    {"dtmi:dtdl:extension:requirement", 1},
    {"dtmi:dtdl:extension:requirement", 2},
    {"dtmi:dtdl:extension:initialization", 1},
    {"dtmi:dtdl:extension:initialization", 2},
    {"dtmi:iotcentral:context", 2},
    {"dtmi:iotoperations:context", 4},
};

int gm_dtdl_known_find(struct gm_str base, int version, bool *out_base_known)
{
    *out_base_known = false;
    for (int i = 0; i < GM_DTDL_KNOWN_COUNT; i++) {
        if (gm_str_is(base, gm_dtdl_known[i].base_z)) {
            *out_base_known = true;
            if (gm_dtdl_known[i].version == version) {
                return i;
            }
        }
    }
    return -1;
}

static const struct gm_dtdl_term *term_find(struct gm_str term)
{
    size_t low = 0;
    size_t high = gm_dtdl_term_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = gm_str_cmp(gm_str_z(gm_dtdl_terms[middle].term_z), term);
        if (order == 0) {
            return &gm_dtdl_terms[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

bool gm_dtdl_term_id(struct gm_arena *arena, int known, struct gm_str term, struct gm_str *out_id)
{
    for (size_t i = 0; i < gm_dtdl_odd_term_count; i++) {
        const struct gm_dtdl_odd_term *odd = &gm_dtdl_odd_terms[i];
        if (odd->known == known && gm_str_is(term, odd->term_z)) {
            *out_id = gm_str_z(odd->id_z);
            return true;
        }
    }
    const struct gm_dtdl_term *found = term_find(term);
    for (uint64_t rest = found != NULL ? found->spaces : 0; rest != 0; rest &= rest - 1) {
        const struct gm_dtdl_space *space = &gm_dtdl_spaces[__builtin_ctzll(rest)];
        if (space->known == known) {
            *out_id = gm_arena_format(arena, "%s" GM_STR_FMT "%s", space->prefix_z,
                                      GM_STR_ARG(term), space->suffix_z);
            return out_id->p != NULL;
        }
    }
    *out_id = (struct gm_str){NULL, 0};
    return false;
}

struct gm_str gm_dtdl_term_of(struct gm_str id)
{
    for (size_t i = 0; i < gm_dtdl_space_count; i++) {
        struct gm_str prefix = gm_str_z(gm_dtdl_spaces[i].prefix_z);
        struct gm_str suffix = gm_str_z(gm_dtdl_spaces[i].suffix_z);
        if (id.n <= prefix.n + suffix.n || !gm_str_starts(id, prefix) || !gm_str_ends(id, suffix)) {
            continue;
        }
        struct gm_str term = {id.p + prefix.n, id.n - prefix.n - suffix.n};
        const struct gm_dtdl_term *found = term_find(term);
        if (found != NULL && (found->spaces >> i & 1) != 0) {
            return term;
        }
    }
    for (size_t i = 0; i < gm_dtdl_odd_term_count; i++) {
        if (gm_str_is(id, gm_dtdl_odd_terms[i].id_z)) {
            return gm_str_z(gm_dtdl_odd_terms[i].term_z);
        }
    }
    return id;
}

/* ---- types beside the class ---- */

static const struct gm_dtdl_cotype *search(const struct gm_dtdl_cotype *table, size_t count,
                                           struct gm_str id)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = gm_str_cmp(gm_str_z(table[middle].id_z), id);
        if (order == 0) {
            return &table[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const struct gm_dtdl_cotype *gm_dtdl_cotype_find(struct gm_str id)
{
    const struct gm_dtdl_cotype *cotype = search(gm_dtdl_cotypes, gm_dtdl_cotype_count, id);
    return cotype != NULL ? cotype : search(gm_dtdl_quantities, gm_dtdl_quantity_count, id);
}

static const struct gm_dtdl_cotype *parent_of(const struct gm_dtdl_cotype *cotype)
{
    return cotype->parent_z != NULL ? gm_dtdl_cotype_find(gm_str_z(cotype->parent_z)) : NULL;
}

const struct gm_dtdl_extra *gm_dtdl_cotype_extra(const struct gm_dtdl_cotype *cotype,
                                                 struct gm_str id)
{
    for (; cotype != NULL; cotype = parent_of(cotype)) {
        for (size_t i = 0; i < cotype->extra_count; i++) {
            if (gm_str_is(id, cotype->extras[i].id_z)) {
                return &cotype->extras[i];
            }
        }
    }
    return NULL;
}

bool gm_dtdl_cotype_is(const struct gm_dtdl_cotype *cotype, struct gm_str id)
{
    while (cotype != NULL && !gm_str_is(id, cotype->id_z)) {
        cotype = parent_of(cotype);
    }
    return cotype != NULL;
}

/* ---- patterns ---- */

/* [!$-*,-.0-z|~], and for the first of a topic without $: what MQTT allows in a level of a
 * topic. */
static bool is_label_char(char c)
{
    return c == '!' || (c >= '$' && c <= '*') || (c >= ',' && c <= '.') || (c >= '0' && c <= 'z') ||
           c == '|' || c == '~';
}

static bool is_label(struct gm_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_label_char(s.p[i])) {
            return false;
        }
    }
    return s.n > 0;
}

/* {(?:[A-Za-z]+:)?[A-Za-z]+} */
static bool is_token(struct gm_str s)
{
    if (s.n < 3 || s.p[0] != '{' || s.p[s.n - 1] != '}') {
        return false;
    }
    size_t colons = 0;
    for (size_t i = 1; i + 1 < s.n; i++) {
        bool letter = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z');
        bool inside = i > 1 && i + 2 < s.n;
        if (!letter && (s.p[i] != ':' || !inside || colons++ > 0)) {
            return false;
        }
    }
    return true;
}

static bool is_topic(struct gm_str s)
{
    struct gm_str level, rest = s;
    bool more;
    for (bool first = true;; first = false) {
        more = gm_str_cut(rest, '/', &level, &rest);
        if (!is_token(level) && (!is_label(level) || (first && level.p[0] == '$'))) {
            return false;
        }
        if (!more) {
            return true;
        }
    }
}

bool gm_dtdl_pattern_matches(enum gm_dtdl_pattern pattern, struct gm_str s)
{
    switch (pattern) {
    case GM_DTDL_PATTERN_NAME:
        return gm_dtdl_name_valid(s);
    case GM_DTDL_PATTERN_TOPIC:
        return is_topic(s);
    case GM_DTDL_PATTERN_LABEL:
        return is_label(s);
    default:
        return true;
    }
}

const char *gm_dtdl_pattern_words_z(enum gm_dtdl_pattern pattern)
{
    switch (pattern) {
    case GM_DTDL_PATTERN_NAME:
        return "letters, digits and underscores, a letter first, no underscore last";
    case GM_DTDL_PATTERN_TOPIC:
        return "labels without spaces, quotes, + and #, or {tokens}, separated by slashes";
    case GM_DTDL_PATTERN_LABEL:
        return "printable ASCII characters but space, quote, +, #, {, } and /";
    default:
        return "anything";
    }
}

/* ---- words ---- */

bool gm_dtdl_word_next(const char **list_z, struct gm_str *out_word)
{
    const char *p = *list_z;
    if (p == NULL || *p == '\0') {
        return false;
    }
    size_t n = strcspn(p, " ");
    *out_word = (struct gm_str){p, n};
    *list_z = p[n] == ' ' ? p + n + 1 : p + n;
    return true;
}

bool gm_dtdl_word_in(const char *list_z, struct gm_str word)
{
    struct gm_str each;
    while (gm_dtdl_word_next(&list_z, &each)) {
        if (gm_str_eq(each, word)) {
            return true;
        }
    }
    return false;
}
