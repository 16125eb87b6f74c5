/* The metamodel of DTDL v2 and v3 as tables: which elements there are, which members each takes,
 * how many, how long, of what kind; which types of extensions can be added to them; units.
 *
 *     const struct gm_dtdl_rule *rule =
 *         gm_dtdl_rule_find(GM_DTDL_CLASS_FIELD, GM_DTDL_PROPERTY_SCHEMA);
 *     const struct gm_dtdl_limits *limits = gm_dtdl_limits_of(rule, 3);
 *
 * The parser builds what the tables describe, the validator enforces their limits: a rule stands
 * here once. "Property" means two things in DTDL: the element of that name, and any member of an
 * element; here gm_dtdl_property is the latter. Sources: the language descriptions of DTDL v2 and
 * v3, and the DTDL parser's metamodel. */
#ifndef GM_DTDL_METAMODEL_H
#define GM_DTDL_METAMODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum gm_dtdl_class {
    GM_DTDL_CLASS_NONE, /* not known yet */
    GM_DTDL_CLASS_INTERFACE,
    GM_DTDL_CLASS_PROPERTY,
    GM_DTDL_CLASS_TELEMETRY,
    GM_DTDL_CLASS_COMMAND,
    GM_DTDL_CLASS_RELATIONSHIP,
    GM_DTDL_CLASS_COMPONENT,
    GM_DTDL_CLASS_ENUM,
    GM_DTDL_CLASS_OBJECT,
    GM_DTDL_CLASS_MAP,
    GM_DTDL_CLASS_ARRAY,
    GM_DTDL_CLASS_ENUM_VALUE,
    GM_DTDL_CLASS_FIELD,
    GM_DTDL_CLASS_MAP_KEY,
    GM_DTDL_CLASS_MAP_VALUE,
    GM_DTDL_CLASS_COMMAND_PAYLOAD,  /* v2 */
    GM_DTDL_CLASS_COMMAND_REQUEST,  /* v3 */
    GM_DTDL_CLASS_COMMAND_RESPONSE, /* v3 */
    GM_DTDL_CLASS_COUNT
};

/* Sets of classes are bits. */
#define GM_DTDL_BIT(name) (1u << GM_DTDL_CLASS_##name)
#define GM_DTDL_CONTENT_CLASSES                                                                    \
    (GM_DTDL_BIT(PROPERTY) | GM_DTDL_BIT(TELEMETRY) | GM_DTDL_BIT(COMMAND) |                       \
     GM_DTDL_BIT(RELATIONSHIP) | GM_DTDL_BIT(COMPONENT))
#define GM_DTDL_SCHEMA_CLASSES                                                                     \
    (GM_DTDL_BIT(ENUM) | GM_DTDL_BIT(OBJECT) | GM_DTDL_BIT(MAP) | GM_DTDL_BIT(ARRAY))
#define GM_DTDL_PAYLOAD_CLASSES                                                                    \
    (GM_DTDL_BIT(COMMAND_PAYLOAD) | GM_DTDL_BIT(COMMAND_REQUEST) | GM_DTDL_BIT(COMMAND_RESPONSE))

enum gm_dtdl_property {
    GM_DTDL_PROPERTY_NONE,
    GM_DTDL_PROPERTY_COMMENT,
    GM_DTDL_PROPERTY_DESCRIPTION,
    GM_DTDL_PROPERTY_DISPLAY_NAME,
    GM_DTDL_PROPERTY_NAME,
    GM_DTDL_PROPERTY_CONTENTS,
    GM_DTDL_PROPERTY_EXTENDS,
    GM_DTDL_PROPERTY_SCHEMAS,
    GM_DTDL_PROPERTY_SCHEMA,
    GM_DTDL_PROPERTY_WRITABLE,
    GM_DTDL_PROPERTY_TARGET,
    GM_DTDL_PROPERTY_PROPERTIES,
    GM_DTDL_PROPERTY_MIN_MULTIPLICITY,
    GM_DTDL_PROPERTY_MAX_MULTIPLICITY,
    GM_DTDL_PROPERTY_ENUM_VALUES,
    GM_DTDL_PROPERTY_ENUM_VALUE,
    GM_DTDL_PROPERTY_VALUE_SCHEMA,
    GM_DTDL_PROPERTY_FIELDS,
    GM_DTDL_PROPERTY_MAP_KEY,
    GM_DTDL_PROPERTY_MAP_VALUE,
    GM_DTDL_PROPERTY_ELEMENT_SCHEMA,
    GM_DTDL_PROPERTY_COMMAND_TYPE,
    GM_DTDL_PROPERTY_REQUEST,
    GM_DTDL_PROPERTY_RESPONSE,
    GM_DTDL_PROPERTY_COUNT
};

enum gm_dtdl_kind {
    GM_DTDL_KIND_STRING,
    GM_DTDL_KIND_TEXT, /* a string, or strings by language */
    GM_DTDL_KIND_BOOLEAN,
    GM_DTDL_KIND_INTEGER,
    GM_DTDL_KIND_SCALAR,    /* a string or an integer */
    GM_DTDL_KIND_ID,        /* a DTMI; what it names need not be there */
    GM_DTDL_KIND_TERM,      /* one of rule->terms_z */
    GM_DTDL_KIND_ELEMENT,   /* an element in place */
    GM_DTDL_KIND_SCHEMA,    /* an element in place, the name of a primitive schema, or the DTMI of a
                               schema */
    GM_DTDL_KIND_INTERFACE, /* an interface in place, or its DTMI */
};

struct gm_dtdl_limits {
    uint32_t count_min, count_max;
    uint32_t size_max;            /* of a string, in UTF-16 units as the language counts; 0: none */
    int64_t value_min, value_max; /* of an integer */
};

struct gm_dtdl_rule {
    enum gm_dtdl_property property;
    unsigned classes; /* that have this member */
    enum gm_dtdl_kind kind;
    unsigned value_classes;          /* ELEMENT, SCHEMA, INTERFACE */
    bool older;                      /* in v3 it takes elements of v2, too */
    const char *terms_z;             /* TERM: separated by spaces */
    const char *instances_z;         /* TERM: how the DTMI of a term begins */
    struct gm_dtdl_limits limits[2]; /* of v2, v3 */
};

static inline const struct gm_dtdl_limits *gm_dtdl_limits_of(const struct gm_dtdl_rule *rule,
                                                             int dtdl_version)
{
    return &rule->limits[dtdl_version - 2];
}

/* NULL: elements of this class have no such member. */
const struct gm_dtdl_rule *gm_dtdl_rule_find(enum gm_dtdl_class class,
                                             enum gm_dtdl_property property);
/* Rule `index` of all; NULL behind the last. */
const struct gm_dtdl_rule *gm_dtdl_rule_at(size_t index);

const char *gm_dtdl_class_name_z(enum gm_dtdl_class class);  /* "EnumValue" */
const char *gm_dtdl_class_label_z(enum gm_dtdl_class class); /* "enum value" */
bool gm_dtdl_class_in(enum gm_dtdl_class class, int dtdl_version);
/* @type may be left out where only one class is possible: enum values, fields, keys and values of
 * maps, payloads. */
bool gm_dtdl_class_inferred(enum gm_dtdl_class class);
const char *gm_dtdl_property_name_z(enum gm_dtdl_property property);

/* By term ("Property") or DTMI ("dtmi:dtdl:class:Property;2"). NONE: there is no such. */
enum gm_dtdl_class gm_dtdl_class_of(struct gm_str term, int dtdl_version);
enum gm_dtdl_property gm_dtdl_property_of(struct gm_str term, int dtdl_version);

/* Takes "dtmi:dtdl:class:" and ";2" off the DTMI of a built-in thing; a term without colons stays
 * as it is. The version may not be above `dtdl_version`. False: another DTMI. */
bool gm_dtdl_term(struct gm_str text, const char *prefix_z, int dtdl_version,
                  struct gm_str *out_term);
/* Is `term` one of the words in `list_z`? Words are separated by single spaces. */
bool gm_dtdl_word_in(const char *list_z, struct gm_str term);
/* Cuts the next word off *list_z. False: no more. */
bool gm_dtdl_word_next(const char **list_z, struct gm_str *out_word);

/* ---- extensions ---- */

enum gm_dtdl_extension {
    GM_DTDL_EXTENSION_NONE, /* in the language itself */
    GM_DTDL_EXTENSION_QUANTITATIVE,
    GM_DTDL_EXTENSION_ANNOTATION,
    GM_DTDL_EXTENSION_HISTORIZATION,
    GM_DTDL_EXTENSION_INITIALIZATION,
    GM_DTDL_EXTENSION_OVERRIDING,
    GM_DTDL_EXTENSION_MQTT,
    GM_DTDL_EXTENSION_REQUIREMENT,
    GM_DTDL_EXTENSION_IOT_CENTRAL,
    GM_DTDL_EXTENSION_COUNT
};

/* "dtmi:dtdl:extension:annotation;2" → ANNOTATION, 2. NONE: no extension that is known.
 * *out_usable: this version of the language has it. */
enum gm_dtdl_extension gm_dtdl_extension_of(struct gm_str context, int dtdl_version,
                                            int *out_version, bool *out_usable);

/* A type that elements carry beside their class, and what it brings. */
struct gm_dtdl_cotype {
    const char *name_z;
    enum gm_dtdl_extension extension;
    unsigned versions;  /* of the extension, as bits 1 << version; NONE: of the language */
    unsigned classes;   /* it can be added to */
    const char *unit_z; /* the family of units that the member `unit` takes; NULL: no such member */
    const char *needed_z; /* members it demands; NULL: none */
    const char *more_z;   /* members it allows; NULL: none */
    const char
        *schemas_z;     /* what the schema must be one of: names of schemas, "number"; NULL: any */
    const char *with_z; /* another cotype that must be there, too; NULL: none */
};

/* The cotype called `term`, or given by its DTMI, with the extensions that are in force (`versions`
 * of each; 0: not) */
const struct gm_dtdl_cotype *gm_dtdl_cotype_find(struct gm_str term, int dtdl_version,
                                                 const uint8_t *versions);
/* What a type is that is no class and no cotype in force. */
enum gm_dtdl_foreign_type {
    GM_DTDL_FOREIGN_UNKNOWN,   /* a term that nobody here knows: an unknown extension's, perhaps */
    GM_DTDL_FOREIGN_EXTENSION, /* a cotype of an extension that @context does not name */
    GM_DTDL_FOREIGN_VERSION, /* one that @context names, but this version of the language has not */
    GM_DTDL_FOREIGN_TAKEN,   /* something else in the language, or any DTMI */
    GM_DTDL_FOREIGN_URI,     /* no term and no DTMI */
    GM_DTDL_FOREIGN_MALFORMED, /* looks like a DTMI and is none, or is empty */
};
enum gm_dtdl_foreign_type gm_dtdl_foreign_type_of(struct gm_str type, const uint8_t *versions);

/* The units of a family, separated by spaces; false: no such family. *out_more_z: those that v2 has
 * not. */
bool gm_dtdl_units(struct gm_str family, const char **out_units_z, const char **out_more_z);

#endif
