/* The metamodel of DTDL v2 and v3 as tables: which classes of elements there are, which members
 * each takes, how many, how long, of what kind; which contexts there are and what terms they bring;
 * which types can be added to elements; units.
 *
 *     const struct gm_dtdl_rule *rule =
 *         gm_dtdl_rule_find(GM_DTDL_CLASS_FIELD, GM_DTDL_PROPERTY_SCHEMA);
 *     const struct gm_dtdl_limits *limits = gm_dtdl_limits_of(rule, 3);
 *
 * A rule stands here once; the parser and the checks do what the tables say. "Property" means two
 * things in DTDL: the element of that name, and any member of an element; here gm_dtdl_property is
 * the latter. Members that types bring beside their class are "extras". Sources: the language
 * descriptions of DTDL v2 and v3, and the digest of the DTDL parser's metamodel. */
#ifndef GM_DTDL_FACTS_H
#define GM_DTDL_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

/* ---- classes ---- */

enum gm_dtdl_class {
    GM_DTDL_CLASS_NONE, /* not known yet */
    GM_DTDL_CLASS_ENTITY,
    GM_DTDL_CLASS_NAMED_ENTITY,
    GM_DTDL_CLASS_INTERFACE,
    GM_DTDL_CLASS_CONTENT,
    GM_DTDL_CLASS_COMMAND,
    GM_DTDL_CLASS_COMPONENT,
    GM_DTDL_CLASS_PROPERTY,
    GM_DTDL_CLASS_RELATIONSHIP,
    GM_DTDL_CLASS_TELEMETRY,
    GM_DTDL_CLASS_COMMAND_TYPE,
    GM_DTDL_CLASS_SCHEMA,
    GM_DTDL_CLASS_COMPLEX_SCHEMA,
    GM_DTDL_CLASS_ARRAY,
    GM_DTDL_CLASS_ENUM,
    GM_DTDL_CLASS_MAP,
    GM_DTDL_CLASS_OBJECT,
    GM_DTDL_CLASS_PRIMITIVE_SCHEMA,
    GM_DTDL_CLASS_BOOLEAN,
    GM_DTDL_CLASS_STRING,
    GM_DTDL_CLASS_NUMERIC_SCHEMA,
    GM_DTDL_CLASS_DOUBLE,
    GM_DTDL_CLASS_FLOAT,
    GM_DTDL_CLASS_INTEGER,
    GM_DTDL_CLASS_LONG,
    GM_DTDL_CLASS_TEMPORAL_SCHEMA,
    GM_DTDL_CLASS_DATE,
    GM_DTDL_CLASS_DATE_TIME,
    GM_DTDL_CLASS_DURATION,
    GM_DTDL_CLASS_TIME,
    GM_DTDL_CLASS_ENUM_VALUE,
    GM_DTDL_CLASS_MAP_KEY,
    GM_DTDL_CLASS_SCHEMA_FIELD,
    GM_DTDL_CLASS_FIELD,
    GM_DTDL_CLASS_MAP_VALUE,
    GM_DTDL_CLASS_COMMAND_PAYLOAD,
    GM_DTDL_CLASS_COMMAND_REQUEST,
    GM_DTDL_CLASS_COMMAND_RESPONSE,
    GM_DTDL_CLASS_LATENT_TYPE,
    GM_DTDL_CLASS_NAMED_LATENT_TYPE,
    GM_DTDL_CLASS_UNIT,
    GM_DTDL_CLASS_UNIT_ATTRIBUTE,
    GM_DTDL_CLASS_COUNT
};

/* Sets of classes are bits. */
#define GM_DTDL_BIT(name) ((uint64_t)1 << GM_DTDL_CLASS_##name)
#define GM_DTDL_EVERY_CLASS (~(uint64_t)0)
/* Classes all of whose elements are the language's own: models refer to them. */
#define GM_DTDL_STANDARD_CLASSES                                                                   \
    (GM_DTDL_BIT(BOOLEAN) | GM_DTDL_BIT(STRING) | GM_DTDL_BIT(DOUBLE) | GM_DTDL_BIT(FLOAT) |       \
     GM_DTDL_BIT(INTEGER) | GM_DTDL_BIT(LONG) | GM_DTDL_BIT(DATE) | GM_DTDL_BIT(DATE_TIME) |       \
     GM_DTDL_BIT(DURATION) | GM_DTDL_BIT(TIME) | GM_DTDL_BIT(COMMAND_TYPE) | GM_DTDL_BIT(UNIT) |   \
     GM_DTDL_BIT(UNIT_ATTRIBUTE))

const char *gm_dtdl_class_name_z(enum gm_dtdl_class class);  /* "EnumValue" */
const char *gm_dtdl_class_label_z(enum gm_dtdl_class class); /* "enum value" */
/* The class that @type "EnumValue" or "dtmi:dtdl:class:EnumValue;3" names in a version of the
 * language. NONE: no class of it. */
enum gm_dtdl_class gm_dtdl_class_of(struct gm_str type, int dtdl_version);
/* `type` names a class in some version of the language, in v4, too. */
bool gm_dtdl_is_class(struct gm_str type);
/* The classes that elements can be of where `class` is demanded: the class itself, or those derived
 * from it. */
uint64_t gm_dtdl_class_concrete(enum gm_dtdl_class class, int dtdl_version);
/* `class` is the class of that DTMI, in whatever version, or derived from it. */
bool gm_dtdl_class_has_type(enum gm_dtdl_class class, struct gm_str type_id);

/* ---- members of classes ---- */

enum gm_dtdl_property {
    GM_DTDL_PROPERTY_NONE,
    GM_DTDL_PROPERTY_COMMENT,
    GM_DTDL_PROPERTY_DESCRIPTION,
    GM_DTDL_PROPERTY_DISPLAY_NAME,
    GM_DTDL_PROPERTY_NAME,
    GM_DTDL_PROPERTY_CONTENTS,
    GM_DTDL_PROPERTY_EXTENDS,
    GM_DTDL_PROPERTY_SCHEMAS,
    GM_DTDL_PROPERTY_COMMAND_TYPE,
    GM_DTDL_PROPERTY_REQUEST,
    GM_DTDL_PROPERTY_RESPONSE,
    GM_DTDL_PROPERTY_ELEMENT_SCHEMA,
    GM_DTDL_PROPERTY_ENUM_VALUE,
    GM_DTDL_PROPERTY_ENUM_VALUES,
    GM_DTDL_PROPERTY_VALUE_SCHEMA,
    GM_DTDL_PROPERTY_FIELDS,
    GM_DTDL_PROPERTY_MAP_KEY,
    GM_DTDL_PROPERTY_MAP_VALUE,
    GM_DTDL_PROPERTY_MAX_MULTIPLICITY,
    GM_DTDL_PROPERTY_MIN_MULTIPLICITY,
    GM_DTDL_PROPERTY_PROPERTIES,
    GM_DTDL_PROPERTY_TARGET,
    GM_DTDL_PROPERTY_SCHEMA,
    GM_DTDL_PROPERTY_WRITABLE,
    GM_DTDL_PROPERTY_COUNT
};

enum gm_dtdl_kind {
    GM_DTDL_KIND_STRING,
    GM_DTDL_KIND_TEXT, /* a string, or strings by language */
    GM_DTDL_KIND_BOOLEAN,
    GM_DTDL_KIND_INTEGER,
    GM_DTDL_KIND_LITERAL,    /* a string or a number */
    GM_DTDL_KIND_DURATION,   /* ISO 8601 */
    GM_DTDL_KIND_JSON,       /* anything */
    GM_DTDL_KIND_IDENTIFIER, /* a DTMI; what it names need not be there */
    GM_DTDL_KIND_ELEMENT,    /* an element in place, or the DTMI of one */
};

struct gm_dtdl_limits {
    enum gm_dtdl_class class; /* ELEMENT: of the values; NONE: this version has no such member */
    bool wanted;              /* at least one value, where the member is there */
    uint32_t count_max;       /* 0: any number */
    uint32_t size_max;        /* of a string, in UTF-16 units as the language counts; 0: any */
    int32_t value_min, value_max; /* INTEGER; INT32_MIN, INT32_MAX: no bound */
};

struct gm_dtdl_rule {
    uint64_t classes;                /* that have this member */
    const char *terms_z;             /* values allowed, names of standard elements; NULL: any */
    const char *unique_z;            /* members in which no two values may be equal; NULL: none */
    struct gm_dtdl_limits limits[2]; /* of v2, v3 */
    enum gm_dtdl_property property;
    enum gm_dtdl_kind kind;
    bool optional;
    bool plural;
    bool id_required;   /* elements in place have an @id of their own */
    bool type_optional; /* they may leave out @type */
    bool named;         /* the name is a segment of the id of those without one */
    bool keyed;         /* no two have one name, whatever brought them here */
    bool older;         /* in v3 it takes elements of v2, too */
};

static inline const struct gm_dtdl_limits *gm_dtdl_limits_of(const struct gm_dtdl_rule *rule,
                                                             int dtdl_version)
{
    return &rule->limits[dtdl_version - 2];
}

/* NULL: elements of this class have no such member. */
const struct gm_dtdl_rule *gm_dtdl_rule_find(enum gm_dtdl_class class,
                                             enum gm_dtdl_property property);
/* Rule `index` of all, in the order in which an element's members are walked; NULL behind the last.
 */
const struct gm_dtdl_rule *gm_dtdl_rule_at(size_t index);
const char *gm_dtdl_property_name_z(enum gm_dtdl_property property);
/* By term ("schema") or DTMI ("dtmi:dtdl:property:schema;3"). NONE: there is no such. */
enum gm_dtdl_property gm_dtdl_property_of(struct gm_str name, int dtdl_version);

/* How deep schemas and interfaces may be nested, and how many a hierarchy may have. */
enum {
    GM_DTDL_SCHEMA_DEPTH_MAX = 5,
    GM_DTDL_EXTENDS_DEPTH_MAX = 10,
    GM_DTDL_EXTENDS_MAX = 1024,    /* v3 */
    GM_DTDL_CONTENTS_MAX = 100000, /* v3 */
    GM_DTDL_INTERFACE_ID_MAX = 128,
};

/* ---- contexts and terms ---- */

enum { GM_DTDL_VERSION_MIN = 2, GM_DTDL_VERSION_MAX = 3 };

/* Contexts that are known, in the order the spaces number them. */
enum {
    GM_DTDL_KNOWN_V2,
    GM_DTDL_KNOWN_V3,
    GM_DTDL_KNOWN_QUANTITATIVE_1, /* 2 and 3 behind it */
    GM_DTDL_KNOWN_IOT_CENTRAL = 19,
    GM_DTDL_KNOWN_IOT_OPERATIONS,
    GM_DTDL_KNOWN_COUNT
};
struct gm_dtdl_known {
    const char *base_z; /* without the version */
    int version;
};
extern const struct gm_dtdl_known gm_dtdl_known[GM_DTDL_KNOWN_COUNT];
/* -1: not known. *out_base_known: another version of it is. */
int gm_dtdl_known_find(struct gm_str base, int version, bool *out_base_known);

/* A term of a context stands for prefix + term + suffix. */
struct gm_dtdl_space {
    const char *prefix_z, *suffix_z;
    int known;
};
struct gm_dtdl_odd_term {
    const char *term_z, *id_z;
    int known;
};
struct gm_dtdl_term {
    const char *term_z;
    uint64_t spaces;
};
extern const struct gm_dtdl_space gm_dtdl_spaces[];
extern const size_t gm_dtdl_space_count;
extern const struct gm_dtdl_odd_term gm_dtdl_odd_terms[];
extern const size_t gm_dtdl_odd_term_count;
extern const struct gm_dtdl_term gm_dtdl_terms[];
extern const size_t gm_dtdl_term_count;

/* What `term` stands for in a known context; the id is made in the arena. False: nothing, or the
 * arena is full (then out_id->p is NULL). */
bool gm_dtdl_term_id(struct gm_arena *arena, int known, struct gm_str term, struct gm_str *out_id);
/* The term of an id; the id itself when there is none. A view into `id`, or constant. */
struct gm_str gm_dtdl_term_of(struct gm_str id);

/* ---- types beside the class ---- */

enum gm_dtdl_cotype_kind {
    GM_DTDL_COTYPE_NONE,
    GM_DTDL_COTYPE_ADJUNCT_TYPE,
    GM_DTDL_COTYPE_SEMANTIC_TYPE,
    GM_DTDL_COTYPE_SEMANTIC_UNIT,
    GM_DTDL_COTYPE_UNIT,           /* these two stand for a class: elements of them */
    GM_DTDL_COTYPE_UNIT_ATTRIBUTE, /* are standard ones only */
};

enum gm_dtdl_pattern {
    GM_DTDL_PATTERN_NONE,
    GM_DTDL_PATTERN_NAME,
    GM_DTDL_PATTERN_TOPIC, /* labels and {tokens}, separated by slashes */
    GM_DTDL_PATTERN_LABEL, /* of a topic */
};
bool gm_dtdl_pattern_matches(enum gm_dtdl_pattern pattern, struct gm_str s);
const char *gm_dtdl_pattern_words_z(enum gm_dtdl_pattern pattern);

/* A member that a type brings: one value. Ids in lists are separated by spaces. */
struct gm_dtdl_extra {
    const char *id_z;
    enum gm_dtdl_kind kind;
    bool optional;
    bool unique;            /* among the elements beside this one */
    const char *type_z;     /* ELEMENT: what its values are */
    const char *child_of_z; /* ELEMENT: where they are defined */
    enum gm_dtdl_pattern pattern;
    int32_t value_min; /* INTEGER; 0: no bound */
};
/* What a type demands of a member of its class (or, inverse, of the element it stands in). */
struct gm_dtdl_constraint {
    enum gm_dtdl_property property;
    bool inverse;                 /* `property` is the parent's, `types_z` are the parent's types */
    const char *types_z;          /* one of them; NULL: any */
    const char *values_z;         /* one of these elements; NULL: any */
    const char *words_z;          /* types or values, for messages */
    const char *alone_z;          /* inverse: no other child has this type */
    const char *beside_z;         /* inverse: some other child has this type */
    const char *sibling_keyref_z; /* the sibling that this extra names … */
    const char *sibling_parent_of_z; /* … has an extra, named by this one: the value is where that
                                        one's values are defined */
};
/* What a type demands of the sibling that an extra names. */
struct gm_dtdl_sibling {
    const char *keyref_z;
    const char *types_z;
    const char *words_z;
    const char *refused_z; /* a type it must not have */
    const char *path_z;    /* an extra that names an extra which the sibling's types must bring */
    const char *once_z;    /* an extra: no two elements name the same sibling with the same value */
};
struct gm_dtdl_cotype {
    const char *id_z;
    enum gm_dtdl_cotype_kind kind;
    bool abstract;
    unsigned dtdl_versions; /* of elements it can be added to; bits 1 << version */
    const char *parent_z;   /* NULL, or the type it is derived from */
    uint64_t classes;       /* it can be added to */
    const struct gm_dtdl_extra *extras;
    size_t extra_count;
    const struct gm_dtdl_constraint *constraints;
    size_t constraint_count;
    const struct gm_dtdl_sibling *siblings;
    size_t sibling_count;
    const char *with_z;    /* types that must be there, too */
    const char *without_z; /* types that must not */
    const char *instead_z; /* types that make up for a class it cannot be added to */
};
extern const struct gm_dtdl_cotype gm_dtdl_cotypes[];
extern const size_t gm_dtdl_cotype_count;
extern const struct gm_dtdl_cotype gm_dtdl_quantities[];
extern const size_t gm_dtdl_quantity_count;

const struct gm_dtdl_cotype *gm_dtdl_cotype_find(struct gm_str id); /* NULL: no such */
/* The extra of that id, of the type or of one it is derived from; NULL: none. */
const struct gm_dtdl_extra *gm_dtdl_cotype_extra(const struct gm_dtdl_cotype *cotype,
                                                 struct gm_str id);
/* The type is the one of that id, or derived from it. */
bool gm_dtdl_cotype_is(const struct gm_dtdl_cotype *cotype, struct gm_str id);

/* ---- units ---- */

/* Units by family, in order; the bits are the known contexts that have it so. */
struct gm_dtdl_family {
    const char *name_z;
    unsigned known;
    const char *units_z;
};
extern const struct gm_dtdl_family gm_dtdl_families[];
extern const size_t gm_dtdl_family_count;

/* ---- words ---- */

/* Is `word` one of those in `list_z`, which are separated by single spaces? NULL is empty. */
bool gm_dtdl_word_in(const char *list_z, struct gm_str word);
/* Cuts the next word off *list_z. False: no more. */
bool gm_dtdl_word_next(const char **list_z, struct gm_str *out_word);

#endif
