/* Configuration: YAML text → tree of nodes with places → typed structs, through field tables.
 *
 *     struct shop_conf { const char *url; gm_ns every; };
 *     static const struct gm_field shop_fields[] = {
 *         GM_FIELD_STR(struct shop_conf, url, .flags = GM_F_REQUIRED, .example = "sqlite:erp.db",
 *                      .help = "Database."),
 *         GM_FIELD_SPAN(struct shop_conf, every, .def = "10m", .min = "1s", .help = "Pause."),
 *         GM_FIELD_END,
 *     };
 *     struct gm_conf_doc *doc = gm_conf_doc_new(resolver);
 *     const struct gm_node *root = gm_conf_load(doc, "gemel.yaml", text);
 *     struct shop_conf conf = {0};
 *     gm_conf_decode(doc, root, shop_fields, &conf);
 *     if (gm_conf_error_count(doc) > 0) { gm_conf_print_errors(doc, &out); }
 *
 * The field table is the only place where a setting is described. From it come: decoding, ranges,
 * unknown keys with the nearest name, help, the reference page, the JSON schema, and what is kept
 * out of errors and logs as a secret (base/secrets.h). Decoding reports every error, not the first,
 * each with file, line, column, the path of the setting, and what to write. Everything decoded
 * lives as long as the doc. Thread rule: one owner thread; a decoded configuration is read-only and
 * may be shared. */
#ifndef GM_CONF_CONF_H
#define GM_CONF_CONF_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/status.h"
#include "base/str.h"
#include "base/time.h"

/* ---- nodes ---- */

enum gm_node_type { GM_NODE_NULL, GM_NODE_SCALAR, GM_NODE_LIST, GM_NODE_MAP };

struct gm_place {
    const char *file_z;
    int32_t line;   /* from 1 */
    int32_t column; /* from 1 */
};

struct gm_node {
    enum gm_node_type type;
    bool quoted; /* a scalar in quotes, or a block of text, is always text */
    bool secret; /* set by decoding: the text of a GM_T_SECRET */
    struct gm_place place;
    struct gm_str text; /* scalar */
    struct gm_str key;  /* its name, when it is a member of a map */
    struct gm_place key_place;
    struct gm_node **items; /* list or map, in the order of the file */
    size_t item_count;
    const struct gm_node *parent; /* NULL: the root */
};
/* NULL: absent, or no map */
struct gm_node *gm_node_member(const struct gm_node *map, struct gm_str name);
/* Appends where the node stands: "pipelines.products.steps[1].jq"; nothing for the root. */
void gm_conf_path(const struct gm_node *node, struct gm_buf *out);

/* ---- fields ---- */

/* The member's C type stands behind each. In secrets $${ is ${ itself. What references gave is
 * scrubbed from what is said, as it is, as JSON spells it, and percent-encoded; in a secret without
 * references, the password of a URL, or else the whole text. */
enum gm_field_type {
    GM_T_END,
    GM_T_STR,    /* const char * (NUL-terminated) */
    GM_T_SECRET, /* const char *: text in which ${env:NAME} and ${file:PATH} are replaced */
    GM_T_PATH,   /* const char *: made relative to the configuration file's folder */
    GM_T_BOOL,   /* bool */
    GM_T_INT,    /* int64_t */
    GM_T_DOUBLE, /* double */
    GM_T_SPAN,   /* gm_ns */
    GM_T_SIZE,   /* uint64_t bytes */
    GM_T_SHARE,  /* double 0 … 1, "5%" */
    GM_T_ENUM,   /* int32_t, index into .names */
    GM_T_CHAR,   /* char : one ASCII character, also "tab" */
    GM_T_STRS,   /* struct gm_conf_strs : a list of texts; one text alone is a list of one */
    GM_T_STRUCT, /* nested struct in place, .fields */
    GM_T_LIST,   /* struct gm_conf_list of structs, .fields, .item_size */
    /* struct gm_conf_map name → struct, .fields, .item_size; with .alternatives in place of
     * .fields: name → struct gm_conf_choice */
    GM_T_MAP,
    GM_T_CHOICE, /* struct gm_conf_choice : exactly one of .alternatives */
    GM_T_NODE,   /* const struct gm_node * : decoded by its owner */
};

enum gm_field_flags {
    GM_F_REQUIRED = 1,
    GM_F_ADVANCED = 2, /* listed last in the reference */
};

struct gm_conf_strs {
    const char **at;
    size_t n;
};
struct gm_conf_list {
    void *at; /* n structs of item_size */
    size_t n;
};
struct gm_conf_map_entry {
    const char *name_z;
    void *value; /* a struct of item_size */
    const struct gm_node *node;
};
struct gm_conf_map {
    struct gm_conf_map_entry *at;
    size_t n;
};
/* One of several shapes, chosen by name: `source: { csv: { … } }`. */
struct gm_alternative {
    const char *name_z;
    const char *help_z;
    const struct gm_field *fields;
    size_t conf_size;
    const void *self; /* the owner's description, e.g. a connector */
};
struct gm_conf_choice {
    const struct gm_alternative *alternative; /* NULL: absent and not required */
    void *conf;                               /* decoded struct of alternative->conf_size */
    const struct gm_node *node;
};

/* A field table ends with GM_FIELD_END. Tables are trees: none contains itself. */
struct gm_field {
    const char *name_z; /* as written in YAML */
    enum gm_field_type type;
    uint32_t flags;
    size_t offset;
    size_t item_size;              /* LIST, MAP: size of one struct */
    const struct gm_field *fields; /* STRUCT, LIST, MAP */
    const char *const *names;      /* ENUM: NULL-terminated */
    /* CHOICE, MAP: gives a NULL-terminated list of pointers */
    const struct gm_alternative *const *(*alternatives)(void);
    const char *def; /* default, as a user would write it; NULL: zero value */
    const char *min; /* bounds, as a user would write them; of STRS, LIST and MAP: how many */
    const char *max;
    const char *example; /* as written in YAML, behind "name: " */
    const char *help;    /* one or two sentences, Markdown */
};

/* The macros check the member's C type at compile time. GM_FIELD_NAMED is for settings whose names
 * C does not allow:
 *     GM_FIELD_NAMED("default", struct x, fallback, const char *, GM_T_STR, .help = "…") */
#define GM_FIELD_(conf, member, ctype, ftype, ...)                                                 \
    GM_FIELD_NAMED(#member, conf, member, ctype, ftype, __VA_ARGS__)
#define GM_FIELD_NAMED(name, conf, member, ctype, ftype, ...)                                      \
    {                                                                                              \
        .name_z = (name), .type = (ftype),                                                         \
        .offset = offsetof(conf, member) + 0 * sizeof(_Generic(((conf *)0)->member, ctype          \
                                                               : (char)0)),                        \
        __VA_ARGS__                                                                                \
    }
#define GM_FIELD_STR(conf, member, ...) GM_FIELD_(conf, member, const char *, GM_T_STR, __VA_ARGS__)
#define GM_FIELD_SECRET(conf, member, ...)                                                         \
    GM_FIELD_(conf, member, const char *, GM_T_SECRET, __VA_ARGS__)
#define GM_FIELD_PATH(conf, member, ...)                                                           \
    GM_FIELD_(conf, member, const char *, GM_T_PATH, __VA_ARGS__)
#define GM_FIELD_BOOL(conf, member, ...) GM_FIELD_(conf, member, bool, GM_T_BOOL, __VA_ARGS__)
#define GM_FIELD_INT(conf, member, ...) GM_FIELD_(conf, member, int64_t, GM_T_INT, __VA_ARGS__)
#define GM_FIELD_DOUBLE(conf, member, ...) GM_FIELD_(conf, member, double, GM_T_DOUBLE, __VA_ARGS__)
#define GM_FIELD_SPAN(conf, member, ...) GM_FIELD_(conf, member, gm_ns, GM_T_SPAN, __VA_ARGS__)
#define GM_FIELD_SIZE(conf, member, ...) GM_FIELD_(conf, member, uint64_t, GM_T_SIZE, __VA_ARGS__)
#define GM_FIELD_SHARE(conf, member, ...) GM_FIELD_(conf, member, double, GM_T_SHARE, __VA_ARGS__)
#define GM_FIELD_ENUM(conf, member, ...) GM_FIELD_(conf, member, int32_t, GM_T_ENUM, __VA_ARGS__)
#define GM_FIELD_CHAR(conf, member, ...) GM_FIELD_(conf, member, char, GM_T_CHAR, __VA_ARGS__)
#define GM_FIELD_STRS(conf, member, ...)                                                           \
    GM_FIELD_(conf, member, struct gm_conf_strs, GM_T_STRS, __VA_ARGS__)
#define GM_FIELD_LIST(conf, member, ...)                                                           \
    GM_FIELD_(conf, member, struct gm_conf_list, GM_T_LIST, __VA_ARGS__)
#define GM_FIELD_MAP(conf, member, ...)                                                            \
    GM_FIELD_(conf, member, struct gm_conf_map, GM_T_MAP, __VA_ARGS__)
#define GM_FIELD_CHOICE(conf, member, ...)                                                         \
    GM_FIELD_(conf, member, struct gm_conf_choice, GM_T_CHOICE, __VA_ARGS__)
#define GM_FIELD_NODE(conf, member, ...)                                                           \
    GM_FIELD_(conf, member, const struct gm_node *, GM_T_NODE, __VA_ARGS__)
#define GM_FIELD_STRUCT(conf, member, ...)                                                         \
    {                                                                                              \
        .name_z = #member, .type = GM_T_STRUCT, .offset = offsetof(conf, member), __VA_ARGS__      \
    }
#define GM_FIELD_END                                                                               \
    {                                                                                              \
        .type = GM_T_END                                                                           \
    }

/* ---- documents ---- */

/* Where ${env:NAME} and ${file:PATH} are looked up; a relative PATH is already made relative to the
 * configuration's folder. A line end at the end of a file's content is not part of the secret.
 * Offline linting passes one that says "there" for everything. */
struct gm_conf_resolver {
    gm_rc (*lookup)(void *ctx, struct gm_str kind, struct gm_str name, struct gm_buf *out,
                    struct gm_err *err);
    void *ctx;
};

struct gm_conf_doc;
/* copies; NULL: references are errors */
struct gm_conf_doc *gm_conf_doc_new(const struct gm_conf_resolver *resolver);
void gm_conf_doc_free(struct gm_conf_doc *doc);
struct gm_arena *gm_conf_arena(struct gm_conf_doc *doc);

enum {
    GM_CONF_SIZE_MAX = 4 << 20,     /* of a text */
    GM_CONF_DEPTH_MAX = 32,         /* levels of maps and lists */
    GM_CONF_NODES_MAX = 200 * 1000, /* with what aliases multiply */
    GM_CONF_ERRORS_MAX = 200,       /* kept; the others are counted */
};

/* Parses YAML (1.2, one document, UTF-8). Anchors, aliases and merge keys (<<) work, and leave a
 * plain tree; tags are refused. Syntax errors, duplicate keys and depth are reported into the doc;
 * NULL then. An empty text gives a GM_NODE_NULL. */
const struct gm_node *gm_conf_load(struct gm_conf_doc *doc, const char *file_z, struct gm_str text);
/* Fills `conf` (zeroed by the caller). Errors are collected in the doc; decoding goes on behind
 * each. A setting without a value (`name:`) counts as absent. `node` may be NULL (the load failed):
 * nothing is done then. */
void gm_conf_decode(struct gm_conf_doc *doc, const struct gm_node *node,
                    const struct gm_field *fields, void *conf);

/* Reports an error at a node: for owners of GM_T_NODE and for checks across fields. */
void gm_conf_error(struct gm_conf_doc *doc, const struct gm_place *place, const char *fmt, ...)
    GM_PRINTF(3, 4);
/* The nearest of `names` to `wrong` within a third of its length, rounded up, swapped neighbours
 * counting once; NULL: none. */
const char *gm_conf_nearest(struct gm_str wrong, const char *const *names, size_t count);

/* `path` relative to the folder of the configuration file; lives as long as the doc. NULL at the
 * memory limit. */
const char *gm_conf_resolve_path(struct gm_conf_doc *doc, const char *file_z, struct gm_str path);

size_t gm_conf_error_count(const struct gm_conf_doc *doc);
/* "gemel.yaml:12:5: error: unknown setting `shedule`; did you mean `schedule`?", sorted by place,
 * one a line. */
void gm_conf_print_errors(const struct gm_conf_doc *doc, struct gm_buf *out);
/* array of {file,line,column,message} */
void gm_conf_errors_json(const struct gm_conf_doc *doc, struct gm_buf *out);

/* ---- derived from field tables ---- */

/* JSON Schema 2020-12 */
void gm_conf_write_schema(const struct gm_field *fields, const char *title_z, struct gm_buf *out);
/* Markdown */
void gm_conf_write_reference(const struct gm_field *fields, int heading_level, struct gm_buf *out);
/* plain text */
void gm_conf_write_help(const struct gm_field *fields, struct gm_buf *out);
/* Deterministic text of the settings below `node`, which was decoded: what fingerprints are made
 * of. Order, comments, quotes and layout do not show. Secrets are replaced by the hash of what is
 * written, so a new value behind ${env:NAME} changes nothing. */
void gm_conf_write_canonical(const struct gm_node *node, struct gm_buf *out);

#endif
