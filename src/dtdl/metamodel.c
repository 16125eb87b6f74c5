#include "dtdl/metamodel.h"

#include "base/num.h"
#include "base/status.h"

enum { V2 = 1 << 2, V3 = 1 << 3 };

static const struct {
    const char *name_z;
    const char *label_z;
    unsigned dtdl_versions;
    bool inferred;
} classes[GM_DTDL_CLASS_COUNT] = {
    [GM_DTDL_CLASS_NONE] = {"", "element", 0, false},
    [GM_DTDL_CLASS_INTERFACE] = {"Interface", "interface", V2 | V3, false},
    [GM_DTDL_CLASS_PROPERTY] = {"Property", "property", V2 | V3, false},
    [GM_DTDL_CLASS_TELEMETRY] = {"Telemetry", "telemetry", V2 | V3, false},
    [GM_DTDL_CLASS_COMMAND] = {"Command", "command", V2 | V3, false},
    [GM_DTDL_CLASS_RELATIONSHIP] = {"Relationship", "relationship", V2 | V3, false},
    [GM_DTDL_CLASS_COMPONENT] = {"Component", "component", V2 | V3, false},
    [GM_DTDL_CLASS_ENUM] = {"Enum", "enum", V2 | V3, false},
    [GM_DTDL_CLASS_OBJECT] = {"Object", "object", V2 | V3, false},
    [GM_DTDL_CLASS_MAP] = {"Map", "map", V2 | V3, false},
    [GM_DTDL_CLASS_ARRAY] = {"Array", "array", V2 | V3, false},
    [GM_DTDL_CLASS_ENUM_VALUE] = {"EnumValue", "enum value", V2 | V3, true},
    [GM_DTDL_CLASS_FIELD] = {"Field", "field", V2 | V3, true},
    [GM_DTDL_CLASS_MAP_KEY] = {"MapKey", "map key", V2 | V3, true},
    [GM_DTDL_CLASS_MAP_VALUE] = {"MapValue", "map value", V2 | V3, true},
    [GM_DTDL_CLASS_COMMAND_PAYLOAD] = {"CommandPayload", "payload", V2, true},
    [GM_DTDL_CLASS_COMMAND_REQUEST] = {"CommandRequest", "request", V3, true},
    [GM_DTDL_CLASS_COMMAND_RESPONSE] = {"CommandResponse", "response", V3, true},
};

static const char *const property_names[GM_DTDL_PROPERTY_COUNT] = {
    [GM_DTDL_PROPERTY_NONE] = "",
    [GM_DTDL_PROPERTY_COMMENT] = "comment",
    [GM_DTDL_PROPERTY_DESCRIPTION] = "description",
    [GM_DTDL_PROPERTY_DISPLAY_NAME] = "displayName",
    [GM_DTDL_PROPERTY_NAME] = "name",
    [GM_DTDL_PROPERTY_CONTENTS] = "contents",
    [GM_DTDL_PROPERTY_EXTENDS] = "extends",
    [GM_DTDL_PROPERTY_SCHEMAS] = "schemas",
    [GM_DTDL_PROPERTY_SCHEMA] = "schema",
    [GM_DTDL_PROPERTY_WRITABLE] = "writable",
    [GM_DTDL_PROPERTY_TARGET] = "target",
    [GM_DTDL_PROPERTY_PROPERTIES] = "properties",
    [GM_DTDL_PROPERTY_MIN_MULTIPLICITY] = "minMultiplicity",
    [GM_DTDL_PROPERTY_MAX_MULTIPLICITY] = "maxMultiplicity",
    [GM_DTDL_PROPERTY_ENUM_VALUES] = "enumValues",
    [GM_DTDL_PROPERTY_ENUM_VALUE] = "enumValue",
    [GM_DTDL_PROPERTY_VALUE_SCHEMA] = "valueSchema",
    [GM_DTDL_PROPERTY_FIELDS] = "fields",
    [GM_DTDL_PROPERTY_MAP_KEY] = "mapKey",
    [GM_DTDL_PROPERTY_MAP_VALUE] = "mapValue",
    [GM_DTDL_PROPERTY_ELEMENT_SCHEMA] = "elementSchema",
    [GM_DTDL_PROPERTY_COMMAND_TYPE] = "commandType",
    [GM_DTDL_PROPERTY_REQUEST] = "request",
    [GM_DTDL_PROPERTY_RESPONSE] = "response",
};

#define BIT(name) GM_DTDL_BIT(name)
#define ALL_CLASSES (~0u)
#define NAMED_CLASSES                                                                              \
    (GM_DTDL_CONTENT_CLASSES | GM_DTDL_PAYLOAD_CLASSES | BIT(ENUM_VALUE) | BIT(FIELD) |            \
     BIT(MAP_KEY) | BIT(MAP_VALUE))
#define SCHEMA_OWNERS                                                                              \
    (BIT(PROPERTY) | BIT(TELEMETRY) | BIT(FIELD) | BIT(MAP_VALUE) | GM_DTDL_PAYLOAD_CLASSES)
#define MANY UINT32_MAX
/* count_min, count_max, size_max, value_min, value_max; what is left out is 0. */
#define LIMITS(...) FIRST_FIVE(__VA_ARGS__, 0, 0, 0, 0)
#define FIRST_FIVE(a, b, c, d, e, ...)                                                             \
    {                                                                                              \
        a, b, c, d, e                                                                              \
    }
#define BOTH(...)                                                                                  \
    {                                                                                              \
        LIMITS(__VA_ARGS__), LIMITS(__VA_ARGS__)                                                   \
    }
#define RULE(property_, classes_, kind_)                                                           \
    .property = GM_DTDL_PROPERTY_##property_, .classes = (classes_), .kind = GM_DTDL_KIND_##kind_
static const char schema_instances[] = "dtmi:dtdl:instance:Schema:";
/* 100,000 contents are what v3 allows in the whole hierarchy; so no member holds more. */
enum { CONTENTS_MAX = 100000, EXTENDS_MAX = 1024 };

static const struct gm_dtdl_rule rules[] = {
    {RULE(COMMENT, ALL_CLASSES, STRING), .limits = BOTH(0, 1, 512)},
    {RULE(DESCRIPTION, ALL_CLASSES, TEXT), .limits = BOTH(0, MANY, 512)},
    {RULE(DISPLAY_NAME, ALL_CLASSES, TEXT), .limits = {LIMITS(0, MANY, 64), LIMITS(0, MANY, 512)}},
    {RULE(NAME, NAMED_CLASSES, STRING), .limits = {LIMITS(1, 1, 64), LIMITS(1, 1, 512)}},
    {RULE(CONTENTS, BIT(INTERFACE), ELEMENT), .value_classes = GM_DTDL_CONTENT_CLASSES,
     .older = true, .limits = {LIMITS(0, 300), LIMITS(0, CONTENTS_MAX)}},
    {RULE(EXTENDS, BIT(INTERFACE), INTERFACE), .value_classes = BIT(INTERFACE), .older = true,
     .limits = {LIMITS(0, 2), LIMITS(0, EXTENDS_MAX)}},
    {RULE(SCHEMAS, BIT(INTERFACE), ELEMENT), .value_classes = GM_DTDL_SCHEMA_CLASSES,
     .limits = BOTH(0, MANY)},
    {RULE(SCHEMA, SCHEMA_OWNERS, SCHEMA), .value_classes = GM_DTDL_SCHEMA_CLASSES, .older = true,
     .limits = BOTH(1, 1)},
    {RULE(SCHEMA, BIT(COMPONENT), INTERFACE), .value_classes = BIT(INTERFACE), .older = true,
     .limits = BOTH(1, 1)},
    {RULE(SCHEMA, BIT(MAP_KEY), TERM), .terms_z = "string", .instances_z = schema_instances,
     .limits = BOTH(1, 1)},
    {RULE(WRITABLE, BIT(PROPERTY) | BIT(RELATIONSHIP), BOOLEAN), .limits = BOTH(0, 1)},
    {RULE(TARGET, BIT(RELATIONSHIP), ID), .limits = BOTH(0, 1, 2048)},
    {RULE(PROPERTIES, BIT(RELATIONSHIP), ELEMENT), .value_classes = BIT(PROPERTY), .older = true,
     .limits = {LIMITS(0, 300), LIMITS(0, CONTENTS_MAX)}},
    {RULE(MIN_MULTIPLICITY, BIT(RELATIONSHIP), INTEGER), .limits = BOTH(0, 1, 0, 0, 0)},
    {RULE(MAX_MULTIPLICITY, BIT(RELATIONSHIP), INTEGER),
     .limits = {LIMITS(0, 1, 0, 1, 500), LIMITS(0, 1, 0, 1, INT32_MAX)}},
    {RULE(ENUM_VALUES, BIT(ENUM), ELEMENT), .value_classes = BIT(ENUM_VALUE),
     .limits = {LIMITS(1, 100), LIMITS(0, MANY)}},
    {RULE(ENUM_VALUE, BIT(ENUM_VALUE), SCALAR), .limits = BOTH(1, 1)},
    {RULE(VALUE_SCHEMA, BIT(ENUM), TERM), .terms_z = "integer string",
     .instances_z = schema_instances, .limits = BOTH(1, 1)},
    {RULE(FIELDS, BIT(OBJECT), ELEMENT), .value_classes = BIT(FIELD),
     .limits = {LIMITS(1, 30), LIMITS(0, MANY)}},
    {RULE(MAP_KEY, BIT(MAP), ELEMENT), .value_classes = BIT(MAP_KEY), .limits = BOTH(1, 1)},
    {RULE(MAP_VALUE, BIT(MAP), ELEMENT), .value_classes = BIT(MAP_VALUE), .limits = BOTH(1, 1)},
    {RULE(ELEMENT_SCHEMA, BIT(ARRAY), SCHEMA), .value_classes = GM_DTDL_SCHEMA_CLASSES,
     .older = true, .limits = BOTH(1, 1)},
    {RULE(COMMAND_TYPE, BIT(COMMAND), TERM), .terms_z = "asynchronous synchronous",
     .instances_z = "dtmi:dtdl:instance:CommandType:", .limits = BOTH(0, 1)},
    {RULE(REQUEST, BIT(COMMAND), ELEMENT),
     .value_classes = BIT(COMMAND_PAYLOAD) | BIT(COMMAND_REQUEST), .limits = BOTH(0, 1)},
    {RULE(RESPONSE, BIT(COMMAND), ELEMENT),
     .value_classes = BIT(COMMAND_PAYLOAD) | BIT(COMMAND_RESPONSE), .limits = BOTH(0, 1)},
};

const struct gm_dtdl_rule *gm_dtdl_rule_find(enum gm_dtdl_class class,
                                             enum gm_dtdl_property property)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(rules); i++) {
        if (rules[i].property == property && (rules[i].classes & (1u << class)) != 0) {
            return &rules[i];
        }
    }
    return NULL;
}

const struct gm_dtdl_rule *gm_dtdl_rule_at(size_t index)
{
    return index < GM_ARRAY_COUNT(rules) ? &rules[index] : NULL;
}

const char *gm_dtdl_class_name_z(enum gm_dtdl_class class)
{
    return classes[class].name_z;
}

const char *gm_dtdl_class_label_z(enum gm_dtdl_class class)
{
    return classes[class].label_z;
}

bool gm_dtdl_class_in(enum gm_dtdl_class class, int dtdl_version)
{
    return (classes[class].dtdl_versions & (1u << dtdl_version)) != 0;
}

bool gm_dtdl_class_inferred(enum gm_dtdl_class class)
{
    return classes[class].inferred;
}

const char *gm_dtdl_property_name_z(enum gm_dtdl_property property)
{
    return property_names[property];
}

bool gm_dtdl_term(struct gm_str text, const char *prefix_z, int dtdl_version,
                  struct gm_str *out_term)
{
    if (text.n == 0 || memchr(text.p, ':', text.n) == NULL) {
        *out_term = text;
        return text.n > 0;
    }
    struct gm_str prefix = gm_str_z(prefix_z);
    struct gm_str term, version_text;
    int64_t version = 0;
    if (!gm_str_starts(text, prefix) ||
        !gm_str_cut((struct gm_str){text.p + prefix.n, text.n - prefix.n}, ';', &term,
                    &version_text) ||
        !gm_parse_i64(version_text, &version) || version < 2 || version > dtdl_version) {
        return false;
    }
    *out_term = term;
    return true;
}

enum gm_dtdl_class gm_dtdl_class_of(struct gm_str term, int dtdl_version)
{
    struct gm_str name;
    if (gm_dtdl_term(term, "dtmi:dtdl:class:", dtdl_version, &name)) {
        for (int class = 1; class < GM_DTDL_CLASS_COUNT; class ++) {
            if (gm_str_is(name, classes[class].name_z)) {
                return (enum gm_dtdl_class) class;
            }
        }
    }
    return GM_DTDL_CLASS_NONE;
}

enum gm_dtdl_property gm_dtdl_property_of(struct gm_str term, int dtdl_version)
{
    struct gm_str name;
    if (gm_dtdl_term(term, "dtmi:dtdl:property:", dtdl_version, &name)) {
        for (int property = 1; property < GM_DTDL_PROPERTY_COUNT; property++) {
            if (gm_str_is(name, property_names[property])) {
                return (enum gm_dtdl_property)property;
            }
        }
    }
    return GM_DTDL_PROPERTY_NONE;
}

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

bool gm_dtdl_word_in(const char *list_z, struct gm_str term)
{
    struct gm_str word;
    while (gm_dtdl_word_next(&list_z, &word)) {
        if (gm_str_eq(word, term)) {
            return true;
        }
    }
    return false;
}
