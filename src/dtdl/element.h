/* A definition as a tree of elements, as it was written: between the JSON text and the models.
 *
 *     struct gm_dtdl_parser parser = {.arena = scratch};
 *     GM_TRY(gm_dtdl_parse(&parser, json, index, err));
 *     for (struct gm_dtdl_element *i = parser.first; i != NULL; i = i->next) {
 *         GM_TRY(gm_dtdl_validate(i, err));
 *     }
 *
 * Parsing settles structure: which class each element is of, which of its members the metamodel
 * knows, what kind of value each holds. Validating settles what can be said of one interface alone:
 * limits, names, identifiers, uniqueness, cotypes. Resolving (resolve.h) settles what needs other
 * interfaces, and makes models. Every complaint goes through gm_dtdl_fail, which says where.
 * Interfaces that are defined in place become interfaces of their own.
 *
 * The tree borrows from the JSON values and lives in the parser's arena. */
#ifndef GM_DTDL_ELEMENT_H
#define GM_DTDL_ELEMENT_H

#include "base/arena.h"
#include "base/status.h"
#include "dtdl/metamodel.h"
#include "json/json.h"

struct gm_schema;
struct gm_dtdl_element;

/* What @context says for an element and all below it. */
enum { GM_DTDL_CONTEXTS_MAX = 16 };
struct gm_dtdl_context {
    int dtdl_version;                            /* 2, 3 */
    uint8_t extensions[GM_DTDL_EXTENSION_COUNT]; /* their versions; 0: not in force */
    bool unknown; /* names a context that is not known here (v2 allows it): terms may be its own */
    struct gm_str names[GM_DTDL_CONTEXTS_MAX]; /* all in force but the language's own, in order */
    size_t name_count;
};

enum gm_dtdl_value_type {
    GM_DTDL_VALUE_STRING,
    GM_DTDL_VALUE_INTEGER,
    GM_DTDL_VALUE_BOOLEAN,
    GM_DTDL_VALUE_ELEMENT,
};

struct gm_dtdl_value {
    enum gm_dtdl_value_type type;
    struct gm_str string; /* STRING: also terms (their short form), identifiers and references */
    int64_t integer;
    bool boolean;
    struct gm_dtdl_element *element;
    const yyjson_mut_val *json;
};

struct gm_dtdl_member {
    const struct gm_dtdl_rule *rule;
    const struct gm_dtdl_value *values;
    size_t count;
};

/* A member that a cotype brings along. */
struct gm_dtdl_extra {
    struct gm_str name;
    yyjson_mut_val *json;
};

struct gm_dtdl_element {
    enum gm_dtdl_class class;
    const struct gm_dtdl_context *context;
    struct gm_str id;   /* p NULL: none */
    struct gm_str name; /* p NULL: none */
    yyjson_mut_val *json;

    /* Its place. */
    const struct gm_dtdl_element *parent; /* NULL: an interface on its own */
    enum gm_dtdl_property role;           /* the parent's member it stands in */
    size_t index;                         /* among that member's values, or among all interfaces */

    const struct gm_dtdl_member *members;
    size_t member_count;
    const struct gm_dtdl_cotype **cotypes;
    size_t cotype_count;
    bool unknown_cotype; /* has one that is not known here, which the context allows */
    const struct gm_dtdl_extra *extras;
    size_t extra_count;

    struct gm_dtdl_element *next; /* INTERFACE: the next one the parser found */
    struct gm_dtdl_element *
        *identified; /* INTERFACE: its elements with an id, in order of the ids, itself left out */
    size_t identified_count;

    /* Set when it is resolved: ENUM, OBJECT, MAP, ARRAY. */
    const struct gm_schema *schema;
    int schema_depth;   /* levels of schemas inside */
    bool schema_open;   /* being resolved: meeting it again is a recursion */
    bool schema_arrays; /* is or holds an array */
};

struct gm_dtdl_values {
    const struct gm_dtdl_value *at;
    size_t n;
};

/* The values of a member; none when it is absent. */
struct gm_dtdl_values gm_dtdl_values(const struct gm_dtdl_element *element,
                                     enum gm_dtdl_property property);
/* The only or first value; NULL when it is absent. */
const struct gm_dtdl_value *gm_dtdl_value(const struct gm_dtdl_element *element,
                                          enum gm_dtdl_property property);

/* GM_E_INVALID with a text like `dtmi:shop:Product;1: property "price": field "net": …`. */
gm_rc gm_dtdl_fail(struct gm_err *err, const struct gm_dtdl_element *element, const char *fmt, ...)
    GM_PRINTF(3, 4);
#ifdef __clang_analyzer__
/* As base/status.h does it for gm_fail: tells static analysis which outcome a failure has. */
#define gm_dtdl_fail(err, element, ...)                                                            \
    ((void)(gm_dtdl_fail)((err), (element), __VA_ARGS__), GM_E_INVALID)
#endif

/* Zeroed memory for `count` items. NULL with GM_E_LIMIT in *err when the arena is full. */
void *gm_dtdl_alloc(struct gm_arena *arena, size_t count, size_t size, struct gm_err *err);

/* The element of `interface` (itself left out) with this id; NULL: there is none. */
struct gm_dtdl_element *gm_dtdl_identified(const struct gm_dtdl_element *interface,
                                           struct gm_str id);

/* Copies a string into the arena. */
gm_rc gm_dtdl_dup(struct gm_arena *arena, struct gm_str s, struct gm_str *out_copy,
                  struct gm_err *err) GM_MUST_CHECK;

struct gm_dtdl_parser {
    struct gm_arena *arena;
    struct gm_dtdl_element *first, *last; /* interfaces, outer before inner */
    struct gm_dtdl_element *interface;    /* whose inside is being parsed */
};

enum { GM_DTDL_ELEMENT_DEPTH_MAX = 64 }; /* of elements in elements; keeps recursion bounded */

/* Parses one interface. `index` is its place among all, for messages about one that has no id. */
gm_rc gm_dtdl_parse(struct gm_dtdl_parser *parser, yyjson_mut_val *json, size_t index,
                    struct gm_err *err) GM_MUST_CHECK;
/* Checks an interface with all that is in it. */
gm_rc gm_dtdl_validate(const struct gm_dtdl_element *interface, struct gm_err *err) GM_MUST_CHECK;

/* ---- between the parser's files ---- */

/* Adds what the element's @context says to what holds around it (element->context; NULL: it stands
 * on its own). */
gm_rc gm_dtdl_context_parse(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                            struct gm_err *err) GM_MUST_CHECK;

/* Takes a value out of the wrapping JSON-LD allows: {"@value": …, "@type": "xsd:…"}. */
gm_rc gm_dtdl_literal_unwrap(const struct gm_dtdl_element *element, const struct gm_dtdl_rule *rule,
                             yyjson_mut_val **json, struct gm_err *err) GM_MUST_CHECK;
/* Parses a string, boolean, integer, scalar, id or term. */
gm_rc gm_dtdl_literal_parse(const struct gm_dtdl_element *element, const struct gm_dtdl_rule *rule,
                            yyjson_mut_val *json, struct gm_dtdl_value *out_value,
                            struct gm_err *err) GM_MUST_CHECK;
/* Parses a string, or strings by language, into member->values, one a string; member->rule is
 * set. */
gm_rc gm_dtdl_text_parse(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                         yyjson_mut_val *json, struct gm_dtdl_member *member, struct gm_err *err)
    GM_MUST_CHECK;

#endif
