/* A set of definitions as a graph of elements: between the JSON texts and the models.
 *
 *     struct gm_dtdl_parser parser = {.arena = scratch, .errors = errors, …};
 *     gm_dtdl_parse(&parser, json, index);            // each interface
 *     gm_dtdl_link(&parser);                          // references become edges
 *     gm_dtdl_check(&parser);                         // what needs the whole graph
 *
 * Parsing settles what each element is and what each of its members holds; linking, what ids refer
 * to; checking, what can be said of the graph: limits, depths, names that are inherited, what types
 * demand. Every complaint is a report in parser->errors, and work goes on as far as it makes sense:
 * an element that is wrong is left out and not complained of again; a few errors end their
 * document, as a missing @context does; linking and checking are for sets without errors so far.
 *
 * Interfaces that are defined in place become interfaces of their own. The graph borrows from the
 * JSON values and lives in the parser's arena. One thread. */
#ifndef GM_DTDL_ELEMENT_H
#define GM_DTDL_ELEMENT_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "dtdl/errors.h"
#include "dtdl/facts.h"
#include "dtdl/model.h"
#include "json/json.h"

struct gm_dtdl_element;

/* What @context says for an element and all below it. */
enum { GM_DTDL_CONTEXTS_MAX = 32 };
struct gm_dtdl_context {
    int dtdl_version;                /* 2, 3 */
    int known[GM_DTDL_CONTEXTS_MAX]; /* extensions in force, in the order they came */
    size_t known_count;
    bool incomplete; /* names one that is not known: terms may be its own */
    struct gm_str names[GM_DTDL_CONTEXTS_MAX]; /* all in force but the language's, as written */
    size_t name_count;
};

/* What JSON-LD sees in an object. */
struct gm_dtdl_node {
    yyjson_mut_val *json;
    size_t member_count;
    yyjson_mut_val *context, *id, *type, *graph, *value, *language; /* NULL: not there */
    size_t keyword_count;  /* other members that begin with @ */
    size_t property_count; /* members that do not */
};
void gm_dtdl_node_init(struct gm_dtdl_node *node, yyjson_mut_val *json);

/* Values of a member: those of an array, or one. */
struct gm_dtdl_items {
    yyjson_mut_val *at; /* the next one */
    size_t left;
    bool array;
};
struct gm_dtdl_items gm_dtdl_items_of(yyjson_mut_val *json);
yyjson_mut_val *gm_dtdl_items_next(struct gm_dtdl_items *items); /* NULL: no more */

struct gm_dtdl_literal {
    enum { GM_DTDL_NO_LITERAL, GM_DTDL_TEXT, GM_DTDL_INTEGER, GM_DTDL_REAL, GM_DTDL_TRUTH } type;
    struct gm_str text; /* TEXT: also the id an IDENTIFIER stands for */
    int32_t integer;
    double real;
    bool truth;
};

/* An element that another one's member holds. */
struct gm_dtdl_edge {
    enum gm_dtdl_property property;
    bool inherited;             /* it is a base's */
    struct gm_dtdl_element *to; /* in lists of parents: from */
    struct gm_dtdl_edge *next;
};

/* A member that a type brought. */
struct gm_dtdl_extra_value {
    const struct gm_dtdl_extra *extra;
    struct gm_dtdl_literal literal;
    yyjson_mut_val *json;
    struct gm_dtdl_element *element; /* ELEMENT, after linking */
    struct gm_dtdl_extra_value *next;
};

enum gm_dtdl_visit { GM_DTDL_VISIT_NEW, GM_DTDL_VISIT_OPEN, GM_DTDL_VISIT_DONE };

struct gm_dtdl_element {
    enum gm_dtdl_class class;
    int dtdl_version;
    const struct gm_dtdl_context *context;
    struct gm_str id;   /* given, or made of the parent's */
    struct gm_str name; /* p NULL: none */
    yyjson_mut_val *json;
    size_t document; /* the interface, among all given, that it came with */
    bool trusted;    /* was checked when it was stored */
    bool standard;   /* of the language, not of a model */

    /* Its place. */
    struct gm_dtdl_element *parent;    /* NULL: an interface on its own, or standard */
    enum gm_dtdl_property role;        /* the parent's member it stands in */
    size_t index;                      /* among that member's values */
    struct gm_dtdl_element *partition; /* the interface it is defined in; NULL for those themselves,
                                          unless they stand inside of another one */
    struct gm_str child_of;            /* the parent's id */

    const struct gm_dtdl_cotype **cotypes;
    size_t cotype_count;
    bool undefined_cotype; /* has a type that is not known, which the context allows */
    uint64_t members;      /* those that are there, as bits 1 << property */
    struct gm_dtdl_extra_value *extras;
    struct gm_dtdl_literal literal;      /* ENUM_VALUE: enumValue; RELATIONSHIP: target */
    const struct gm_dtdl_family *family; /* a standard ENUM: its values */

    /* After linking. */
    struct gm_dtdl_edge *edges, *last_edge;
    struct gm_dtdl_edge *parents; /* which elements hold it by which member */

    /* While the graph is walked. */
    enum gm_dtdl_visit extends_visit, contents_visit, array_visit, schema_visit;
    int64_t extends_count, contents_count;
    int extends_height;                /* levels of bases */
    int schema_height;                 /* levels of schemas below */
    struct gm_dtdl_element *array;     /* that a property has somewhere inside; NULL: none */
    struct gm_dtdl_element *closed_by; /* the interface whose bases were collected last */
    struct gm_dtdl_element **bases;    /* INTERFACE: all it extends, directly or not, each once */
    size_t base_count;
    const struct gm_schema *schema;
};

/* A reference that waits for all elements to be there. */
struct gm_dtdl_link {
    struct gm_dtdl_element *from;
    const struct gm_dtdl_rule *rule; /* NULL: an extra */
    struct gm_dtdl_extra_value *extra;
    struct gm_dtdl_element *to; /* an element in place; NULL: found by its id */
    struct gm_str written, id;  /* as it was written, and what that stands for */
};

struct gm_dtdl_parser {
    struct gm_arena *arena;
    yyjson_mut_doc *doc; /* in the arena */
    struct gm_model_errors *errors;
    enum gm_models_undefined undefined;
    int dtdl_version_max;

    struct gm_map *by_id;                      /* all elements that are complete */
    GM_VEC(struct gm_dtdl_element *) elements; /* in the order they were completed */
    GM_VEC(struct gm_dtdl_link) links;
    struct gm_map *content_keys;             /* of interfaces: who has which name */
    GM_VEC(struct gm_dtdl_element *) walked; /* while bases are collected */

    size_t document;
    bool trusted;
    bool stopped; /* nothing more of this document */
    bool full;    /* the arena is */
};

/* Parses one interface, number `index` of all. */
void gm_dtdl_parse(struct gm_dtdl_parser *parser, yyjson_mut_val *json, size_t index);
void gm_dtdl_link(struct gm_dtdl_parser *parser);
void gm_dtdl_check(struct gm_dtdl_parser *parser);

/* The element's next edge of that member behind `edge` (NULL: the first one). */
struct gm_dtdl_edge *gm_dtdl_edge_next(const struct gm_dtdl_element *element,
                                       const struct gm_dtdl_edge *edge,
                                       enum gm_dtdl_property property);
/* The only or first element of a member; NULL: none. */
struct gm_dtdl_element *gm_dtdl_edge_to(const struct gm_dtdl_element *element,
                                        enum gm_dtdl_property property);

/* ---- between the parser's files ---- */

/* Zeroed; NULL sets parser->full and parser->stopped. */
void *gm_dtdl_alloc(struct gm_dtdl_parser *parser, size_t count, size_t size);
struct gm_str gm_dtdl_format(struct gm_dtdl_parser *parser, const char *fmt, ...) GM_PRINTF(2, 3);

/* What the node's @context makes of the one around it (NULL: none). NULL: an error that stops. */
const struct gm_dtdl_context *gm_dtdl_context_of(struct gm_dtdl_parser *parser,
                                                 const struct gm_dtdl_node *node,
                                                 const struct gm_dtdl_element *at,
                                                 const struct gm_dtdl_context *outer);
/* The id that a DTMI or a term stands for. False: neither. */
bool gm_dtdl_context_id(struct gm_dtdl_parser *parser, const struct gm_dtdl_context *context,
                        struct gm_str text, struct gm_str *out_id);

/* The types of an element whose id is settled: class, cotypes. `type` NULL: inferred from the rule.
 * False: it is no usable element. */
bool gm_dtdl_types_parse(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                         const struct gm_dtdl_rule *rule, yyjson_mut_val *type);
/* Its members. */
void gm_dtdl_members_parse(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                           int depth);
/* An element in place. False: it is not usable. */
enum { GM_DTDL_ELEMENT_DEPTH_MAX = 64 }; /* keeps recursion bounded */
struct gm_dtdl_place {
    struct gm_dtdl_element *parent; /* NULL: on its own */
    const struct gm_dtdl_rule *rule;
    size_t index;
    int depth;
};
struct gm_dtdl_element *gm_dtdl_element_parse(struct gm_dtdl_parser *parser,
                                              const struct gm_dtdl_place *place,
                                              yyjson_mut_val *json);
/* Makes a complete element known. */
void gm_dtdl_element_add(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element);

/* What a literal must be. */
struct gm_dtdl_wanted {
    struct gm_str property;
    enum gm_dtdl_kind kind;
    bool optional;
    uint32_t size_max;
    int32_t value_min, value_max;
    enum gm_dtdl_pattern pattern;
};
/* The only value of a member. False: there is none that can be used. */
bool gm_dtdl_literal_parse(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                           const struct gm_dtdl_wanted *wanted, yyjson_mut_val *json,
                           struct gm_dtdl_literal *out_literal);
/* A literal without complaints, as the name that goes into an id. */
bool gm_dtdl_literal_peek(yyjson_mut_val *json, struct gm_dtdl_literal *out_literal);
/* A string, or strings by language. */
void gm_dtdl_text_parse(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                        const struct gm_dtdl_wanted *wanted, yyjson_mut_val *json);
size_t gm_dtdl_utf16_units(struct gm_str s);

/* The standard element of that id, made when it is asked for; NULL: there is none. *id becomes that
 * of the element where it is another's alias. */
struct gm_dtdl_element *gm_dtdl_standard(struct gm_dtdl_parser *parser, struct gm_str *id);
bool gm_dtdl_reserved(struct gm_str id); /* in a name space of the language or its extensions */

/* The element has the type of that DTMI: by its class, or by a cotype. */
bool gm_dtdl_element_is(const struct gm_dtdl_element *element, struct gm_str type_id);
const struct gm_dtdl_extra_value *gm_dtdl_extra_find(const struct gm_dtdl_element *element,
                                                     struct gm_str id);
/* Those parts of gm_dtdl_check that have a file of their own. */
void gm_dtdl_check_descent(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element);
void gm_dtdl_check_cotypes(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                           struct gm_map *references);
void gm_dtdl_check_siblings_of_value(struct gm_dtdl_parser *parser,
                                     const struct gm_dtdl_element *element);
/* The content of that name, own or inherited; NULL: none. */
struct gm_dtdl_element *gm_dtdl_content_named(struct gm_dtdl_parser *parser,
                                              const struct gm_dtdl_element *interface,
                                              struct gm_str name);
/* Remembers the content of that name. False: there is one, *out_there. */
bool gm_dtdl_content_add(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *interface,
                         struct gm_dtdl_element *content, struct gm_dtdl_element **out_there);
/* Contents of the bases become contents of the interface. */
void gm_dtdl_inherit(struct gm_dtdl_parser *parser, struct gm_dtdl_element *interface);

#endif
