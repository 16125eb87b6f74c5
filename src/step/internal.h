/* What the files of step/ share. How a step is made and applied:
 *
 *     steps.c        the list: lint, compile, apply
 *     compile.c      what compiling needs: memory, errors with places, paths, constants
 *     columns.c      paths into rows, checked against the columns that a source has
 *     filter.c       `filter`
 *     jq.c           `jq`, the only file that knows libjq
 *     template.c     "product-{ProductID}"
 *     convert.c      cells to values of a schema; convert_json.c: of objects and arrays
 *     map_compile.c  the values of a `map`; map_twin.c: its head and relationships
 *     map_apply.c    applying it
 *
 * Compiling reports errors into a gm_conf_doc and goes on behind each; what is compiled after an
 * error is never applied. What is compiled lives in one arena and copies nothing it can do without:
 * bodies that map makes borrow names and constants from it. Applying allocates from the batch only.
 * Recursion follows the nesting of the configuration (GM_CONF_DEPTH_MAX), of conditions
 * (GM_EXPR_DEPTH_MAX), of schemas (five levels by DTDL's rules), or of JSON values
 * (GM_JSON_DEPTH_MAX). */
#ifndef GM_STEP_INTERNAL_H
#define GM_STEP_INTERNAL_H

#include "base/vec.h"
#include "expr/expr.h"
#include "step/step.h"

enum {
    /* far above what the largest configuration can ask for, given the limits below */
    GM_STEP_ARENA_SIZE = 256 << 20,
    GM_STEP_PATHS_MAX = 20000,  /* in all steps of a pipeline */
    GM_STEP_VALUES_MAX = 20000, /* in a map */
    GM_TEMPLATE_PARTS_MAX = 32,
};

/* ---- paths ---- */

/* The paths that are looked up in the rows of the source: those before the body changes hands. */
struct gm_columns {
    GM_VEC(struct gm_column_path {
        struct gm_path *path;
        const char *step_z;
    }) paths;
    const struct gm_shape *checked; /* the shape whose columns are known to be there */
};

/* GM_E_CONFIG, naming all paths whose first segment is no column of batch->shape. */
gm_rc gm_columns_check(struct gm_columns *columns, const struct gm_batch *batch, struct gm_err *err)
    GM_MUST_CHECK;

/* One record on its way through one step. */
struct gm_step_run {
    struct gm_columns *columns;
    struct gm_batch *batch;
    struct gm_record *record;
};

/* The value at `path`. GM_E_CONFIG when rows have no such column. */
gm_rc gm_step_get(const struct gm_step_run *run, struct gm_path *path, struct gm_cell *out_cell,
                  bool *out_absent, struct gm_err *err) GM_MUST_CHECK;
/* Puts "column `X`: " or "member `x`: " before the text and returns its code. */
gm_rc gm_step_fail_at(const struct gm_step_run *run, const struct gm_path *path,
                      struct gm_err *err);

/* ---- compiling ---- */

struct gm_step_compile {
    struct gm_conf_doc *doc;        /* errors go here */
    const struct gm_models *models; /* NULL: not known */
    struct gm_arena *arena;
    yyjson_mut_doc *json; /* of the arena, for constants */
    struct gm_columns *columns;
    const char *step_z; /* "filter", "jq", "map" */
    bool bodies;        /* behind a jq step: records are JSON, paths are not columns */
    bool any_body;      /* see struct gm_steps_conf */
    size_t path_count, value_count;
};

void *gm_step_alloc(struct gm_step_compile *c, size_t count, size_t size); /* zeroed */
struct gm_str gm_step_keep(struct gm_step_compile *c, struct gm_str text);
/* NULL: reported. */
struct gm_path *gm_step_path(struct gm_step_compile *c, struct gm_str text,
                             const struct gm_place *place);
/* A path that is parsed already. GM_E_CONFIG: there are too many. */
gm_rc gm_step_path_keep(struct gm_step_compile *c, const struct gm_path *path,
                        struct gm_path **out_path, struct gm_err *err) GM_MUST_CHECK;
/* A configured value as it would be typed by YAML 1.2's core schema; `text`: scalars are text as
 * they stand. NULL: none (null). */
yyjson_mut_val *gm_step_constant(struct gm_step_compile *c, const struct gm_node *node, bool text);

/* The nearest of several names to a wrong one, for "did you mean": within a third of its length, or
 * equal but for case. */
struct gm_nearest {
    struct gm_str wrong, best; /* best.p NULL: none is near */
    size_t limit;
};
struct gm_nearest gm_nearest_to(struct gm_str wrong);
void gm_nearest_try(struct gm_nearest *nearest, struct gm_str name);
/* "; did you mean `X`?" or nothing, into `out`; for the end of a message. */
enum { GM_NEAREST_TEXT_SIZE = 160 };
const char *gm_nearest_text(const struct gm_nearest *nearest, char out[GM_NEAREST_TEXT_SIZE]);

/* ---- templates ---- */

struct gm_template {
    size_t count;
    struct gm_template_part {
        struct gm_str text; /* when path is NULL */
        struct gm_path *path;
        bool slug;
    } * parts;
};

/* False: reported. `name` is what messages call it. */
bool gm_template_compile(struct gm_step_compile *c, const struct gm_node *node, struct gm_str name,
                         struct gm_template *out_template);
/* Borrows from the batch. A part that is null makes the whole null: out_text->p is NULL and
 * *out_null its path. */
gm_rc gm_template_render(const struct gm_template *template, const struct gm_step_run *run,
                         struct gm_str *out_text, const struct gm_path **out_null,
                         struct gm_err *err) GM_MUST_CHECK;

/* ---- filter ---- */

struct gm_match; /* expr/match.h */
/* NULL: reported */
struct gm_match *gm_filter_compile(struct gm_step_compile *c, const struct gm_node *node,
                                   struct gm_str text);
gm_rc gm_filter_match(const struct gm_match *filter, const struct gm_step_run *run, bool *out_match,
                      struct gm_err *err) GM_MUST_CHECK;

/* ---- jq ---- */

struct gm_jq;
gm_rc gm_jq_new(const char *program_z, const char *folder_z, struct gm_jq **out_jq,
                struct gm_err *err) GM_MUST_CHECK;
void gm_jq_free(struct gm_jq *jq); /* NULL is fine */
/* *out_body NULL: the program gave nothing. GM_E_INVALID: this record alone. */
gm_rc gm_jq_apply(struct gm_jq *jq, struct gm_batch *batch, const struct gm_record *record,
                  yyjson_mut_val **out_body, struct gm_err *err) GM_MUST_CHECK;

/* ---- map ---- */

enum gm_map_kind { GM_MAP_FROM, GM_MAP_TEMPLATE, GM_MAP_CONSTANT, GM_MAP_OBJECT };

struct gm_map_object {
    size_t count;
    struct gm_map_member *members; /* in byte order of their names */
};

/* How a text becomes an array. */
struct gm_split {
    const struct gm_schema *item; /* of the pieces; NULL: text */
    struct gm_str separator;
};

struct gm_map_value {
    enum gm_map_kind kind;
    const struct gm_schema *schema;   /* NULL: as it is, or a component */
    const struct gm_model *component; /* NULL: a property */
    struct gm_path *path;             /* FROM */
    struct gm_template template;      /* TEMPLATE */
    yyjson_mut_val *constant;         /* CONSTANT; NULL: null */
    yyjson_mut_val *fallback;         /* in place of null; NULL: none */
    bool json;                        /* `type: json`: text is parsed */
    bool has_split, has_values;
    struct gm_split split;
    struct gm_map_translation {
        struct gm_str from;
        yyjson_mut_val *to; /* NULL: null */
    } * values;             /* in byte order of `from` */
    size_t value_count;
    struct gm_map_object object; /* OBJECT */
};

struct gm_map_member {
    struct gm_str name;
    struct gm_map_value value;
};

struct gm_map_relationship {
    struct gm_str name;
    struct gm_template target;
    bool has_id;
    struct gm_template id;
    struct gm_map_object properties;
};

/* A compiled `map`: a twin, a relationship that stands for itself (a link), or any object. */
struct gm_projection {
    bool is_link;
    bool is_plain;         /* an object of `body` alone */
    struct gm_template id; /* of the twin; of a link: its source */
    struct gm_template model;
    bool has_source_time;
    struct gm_template source_time; /* when what it says was true */
    struct gm_map_object body;
    bool has_relationships;
    size_t relationship_count;
    struct gm_map_relationship *relationships; /* of the twin; of a link: itself */
    size_t target_count;
    /* names of properties ("component/member" too) and relationships, in byte order, each once */
    struct gm_str *targets;
};

/* What names may stand in an object, and what they are. */
struct gm_map_scope {
    enum gm_map_scope_type {
        GM_SCOPE_ANY,          /* nothing is known */
        GM_SCOPE_MODEL,        /* a twin or component */
        GM_SCOPE_RELATIONSHIP, /* its properties */
        GM_SCOPE_SCHEMA,       /* an object or map */
    } type;
    const struct gm_model *model;
    const struct gm_content *properties; /* RELATIONSHIP */
    size_t property_count;
    const struct gm_schema *schema;
    /* what messages call it: a model's id, a relationship's or a property's name */
    struct gm_str owner;
};

/* NULL: reported */
struct gm_projection *gm_map_compile(struct gm_step_compile *c, const struct gm_node *node);
/* The members of a map node in byte order of their names. Those that `skip` (may be NULL) tells are
 * passed over. */
struct gm_map_object gm_map_compile_object(struct gm_step_compile *c, const struct gm_node *node,
                                           const struct gm_map_scope *scope,
                                           bool (*skip)(struct gm_str name));
/* *out_body NULL: a relationship whose target is null. GM_E_INVALID: this record alone. */
gm_rc gm_map_apply(const struct gm_projection *map, const struct gm_step_run *run,
                   yyjson_mut_val **out_body, struct gm_err *err) GM_MUST_CHECK;

#endif
