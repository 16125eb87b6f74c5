/* Inside of conf/: the document, and what its files share. */
#ifndef GM_CONF_INSIDE_H
#define GM_CONF_INSIDE_H

#include "base/vec.h"
#include "conf/conf.h"

struct gm_conf_problem {
    struct gm_place place;
    const char *text_z;
    size_t order; /* of reporting, which decides between equal places */
};

struct gm_conf_doc {
    struct gm_arena *arena;
    struct gm_conf_resolver resolver;
    GM_VEC(struct gm_conf_problem) problems; /* at most GM_CONF_ERRORS_MAX */
    size_t problem_count;                    /* with those that were not kept */
    bool full;                               /* the memory limit was reached and reported */
};

/* Zeroed memory of the doc. NULL at the limit, which is reported here, once. */
void *gm_conf_alloc(struct gm_conf_doc *doc, size_t size);
/* A NUL-terminated copy, or NULL at the limit. */
const char *gm_conf_dup_z(struct gm_conf_doc *doc, struct gm_str s);
bool gm_conf_wants_errors(const struct gm_conf_doc *doc); /* false: more would only be counted */

/* yaml.c: the only file that knows libfyaml. NULL when an error was reported. */
struct gm_node *gm_conf_parse_yaml(struct gm_conf_doc *doc, const char *file_z, struct gm_str text);

/* The path of a setting, in backquotes-free form, in the doc's memory; name_z NULL: of the node
 * itself. Never NULL. */
const char *gm_conf_setting_path(struct gm_conf_doc *doc, const struct gm_node *node,
                                 const char *name_z);
/* Where to point at for a node: its name when it has one. */
const struct gm_place *gm_conf_place_of(const struct gm_node *node);

/* scalar.c: one value of a type that is written as one text. False: an error was reported. */
bool gm_conf_decode_scalar(struct gm_conf_doc *doc, const struct gm_field *field,
                           struct gm_node *node, void *slot);
/* Reports when a count is outside of the field's bounds. */
bool gm_conf_check_count(struct gm_conf_doc *doc, const struct gm_field *field,
                         const struct gm_node *node, size_t count);
/* Reports `expected …, found …`. */
void gm_conf_expected(struct gm_conf_doc *doc, const struct gm_node *node, const char *expected_z);
enum { GM_CONF_FOUND_SIZE = 128 };
/* What stands there, for messages: "soon" in quotes and cut, `settings`, `a list`, `nothing`. */
void gm_conf_found(const struct gm_node *node, char out[GM_CONF_FOUND_SIZE]);

/* secret.c: resolves the references of a secret. NULL: an error was reported. */
const char *gm_conf_decode_secret(struct gm_conf_doc *doc, struct gm_node *node);
bool gm_conf_has_reference(struct gm_str text); /* a well-formed ${env:…} or ${file:…} */

/* emit.c: JSON text. */
void gm_conf_add_json(struct gm_buf *out, struct gm_str s); /* a literal with its quotes */

/* doc.c: "a, b, c" for messages, cut with "…" after `count_max` names. */
void gm_conf_add_names(struct gm_buf *out, const char *const *names, size_t count,
                       size_t count_max);
size_t gm_conf_name_count(const char *const *names); /* of a list that ends in NULL */

/* describe.c: what messages, the schema, the reference and the help say alike. */
const char *gm_conf_type_phrase(enum gm_field_type type); /* "a duration such as 30s" */
void gm_conf_add_type(struct gm_buf *out,
                      const struct gm_field *field); /* "duration", "one of `a`, `b`" */
void gm_conf_add_bounds(struct gm_buf *out,
                        const struct gm_field *field);   /* "at least 1s, at most 1d", or nothing */
bool gm_conf_has_settings(const struct gm_field *field); /* of its own, below it */
/* The fields in the order of descriptions: advanced ones last. `index` from 0; NULL behind the
 * last. */
const struct gm_field *gm_conf_field_at(const struct gm_field *fields, size_t index);
/* "pipelines" → "pipelines.NAME", "steps" → "steps[]": what a path looks like below a field. */
void gm_conf_add_path(struct gm_buf *path, const struct gm_field *field);
/* True when an empty map is accepted: nothing in it is required. */
bool gm_conf_all_optional(const struct gm_field *fields);

#endif
