/* The plan of a query: its collections, what selects from them, and the statements ("legs") that
 * give its rows, one after the other, each once per range of twin numbers. For the query's own
 * files.
 *
 * A leg is one combination of hop counts of MATCH's patterns; a query without such patterns has one
 * leg. Ranges come from models that the first collection's twins must have: twins lie together by
 * model, so each range is a walk through a piece of the table, in the order that rows are delivered
 * in. */
#ifndef GM_TWIN_QUERY_PLAN_H
#define GM_TWIN_QUERY_PLAN_H

#include "twin/query_sql.h"
#include "twin/query_tree.h"

enum {
    GM_PLAN_COLLECTIONS_MAX = GM_QUERY_NODES_MAX * 2 + GM_QUERY_JOINS_MAX * 2 + 1,
    GM_PLAN_TABLES_MAX = 60, /* in one statement; SQLite joins up to 64 */
    GM_PLAN_ORDERS_MAX = 16, /* of ORDER BY; and of GROUP BY */
    /* what tells a row's place: up to two columns a table, four an item that rows are ordered by */
    GM_PLAN_KEYS_MAX = GM_PLAN_TABLES_MAX * 2 + 2 + GM_PLAN_ORDERS_MAX * 8,
    GM_PLAN_SQL_NAME_SIZE = 96,
};

struct gm_plan_collection {
    bool relationship;
    struct gm_str alias;                   /* n 0: unnamed */
    struct gm_str relationship_name;       /* of a JOIN */
    char table[8];                         /* its name in the SQL: t0, r1 */
    char source_id[GM_PLAN_SQL_NAME_SIZE]; /* relationship: SQL of its ends' ids */
    char target_id[GM_PLAN_SQL_NAME_SIZE];
    bool selected; /* rows need it */
};

struct gm_plan_edge {
    int from, to;     /* collections */
    int relationship; /* its collection; -1: several hops, never named */
    const struct gm_str *names;
    size_t name_count;
    enum gm_query_direction direction;
    int hops_min, hops_max;
};

struct gm_plan_select {
    int collection;
    const struct gm_str *segments; /* behind the alias */
    size_t segment_count;
    struct gm_str name;
    int32_t line, column;
};

/* Twin numbers from `low` to `high`. */
struct gm_plan_range {
    int64_t low, high;
};

/* Numbers of models, ascending. */
struct gm_model_set {
    int64_t *nums;
    size_t count;
};

struct gm_expr_list {
    const struct gm_expr **at;
    size_t count;
};

/* ---- what is ordered, grouped or made distinct: query_whole.c ---- */

/* A value that is computed for each row before rows are put together: three columns, so that values
 * of all types have one order. cNr: the rank (json/scan.h), 7 for a time; cNn: the number, of a
 * boolean 0 or 1, of a time hundreds of nanoseconds; cNt: the text, or an array's or object's JSON.
 * What does not apply is 0 or ''. A cell without segments stands for the collection itself: cNn is
 * the twin's number or that of the relationship's source, cNt the relationship's id; in the past,
 * where numbers are good for one run only, cNt is the id and a relationship's cNx its source's. */
struct gm_plan_cell {
    struct gm_plan_select path;
};
enum { GM_PLAN_RANK_TIME = 7 };

struct gm_plan_aggregate { /* columns aNr, aNn, aNt */
    enum gm_query_aggregate function;
    int cell; /* -1: COUNT() */
};

/* A select item of a query that is grouped. */
struct gm_plan_item {
    bool aggregate;
    int index; /* of the aggregate, or the cell */
};

struct gm_plan_order {
    bool aggregate;
    int index;
    bool descending;
};

struct gm_plan_whole {
    bool grouped; /* rows are groups; else they are those of the legs */
    bool has_aggregates;
    struct gm_plan_cell *cells;
    int cell_count;
    int group_count; /* the first cells are what is grouped by */
    struct gm_plan_aggregate *aggregates;
    int aggregate_count;
    struct gm_plan_item *items; /* grouped: one per selected item */
    struct gm_plan_order orders[GM_PLAN_ORDERS_MAX];
    int order_count;
    int identities[GM_PLAN_COLLECTIONS_MAX]; /* cell of a collection that rows need; -1: none */
    int hop_slots; /* places for relationships among the keys of a leg's rows */
};

/* ---- query_index.c: properties with an index ---- */

/* A condition that an index could answer: PROPERTY compared with literals of one type. */
struct gm_plan_lookup {
    const struct gm_expr *term;
    int collection;
    struct gm_str path; /* values.h */
    bool is_text;       /* what it is compared with */
    int64_t index;      /* 0: the property has none */
    int64_t entries;    /* of the index that fit, at most GM_PLAN_LOOKUP_MAX + 1; -1: not counted */
};
enum {
    GM_PLAN_LOOKUP_MAX = 20000, /* above that many twins, walking the table is no slower */
    GM_PLAN_LOOKUPS_MAX = 16,   /* conditions looked at */
};

struct gm_plan {
    struct gm_arena *arena;
    const struct gm_query *query;
    const struct gm_models *models;
    enum gm_db_engine engine;
    struct gm_plan_collection collections[GM_PLAN_COLLECTIONS_MAX];
    int collection_count;
    struct gm_plan_edge edges[GM_QUERY_NODES_MAX + GM_QUERY_JOINS_MAX];
    int edge_count;
    struct gm_plan_select *selects; /* query->select_count of them */
    struct gm_plan_whole *whole;    /* NULL: rows are delivered as legs give them */
    bool in_past;                   /* AS OF: tables are those of query_past.c */
    const char *twins_z, *relationships_z;
    struct gm_expr_list terms; /* all must hold; without those that the ranges stand for */
    struct gm_plan_lookup lookups[GM_PLAN_LOOKUPS_MAX];
    int lookup_count;
    int lookup;  /* the one that is used; -1: none */
    bool pinned; /* ids pin some of the twins: that is where to start */
    bool ranged;
    struct gm_plan_range *ranges; /* when ranged */
    size_t range_count;
    size_t leg_count;
    char *note; /* GM_ERR_TEXT_SIZE bytes for the user */
};

struct gm_plan *gm_plan_new(const struct gm_models *models, enum gm_db_engine engine, char *note);
void gm_plan_free(struct gm_plan *plan);
/* The functions that generated SQL calls on SQLite beyond those of every connection. */
gm_rc gm_query_add_functions(struct gm_db *db, struct gm_err *err) GM_MUST_CHECK;
/* Everything lives in `arena`; query, models and note are borrowed for the plan's life. `db` tells
 * what has an index; NULL: nothing. */
gm_rc gm_plan_make(struct gm_plan *plan, struct gm_db *db, struct gm_err *err) GM_MUST_CHECK;
/* Whether the query asks for nothing but how many twins there are of some models, or of all. */
bool gm_plan_counts_models(const struct gm_plan *plan);
/* Twins of the models that the first collection's must be of. */
gm_rc gm_plan_count_twins(const struct gm_plan *plan, struct gm_db *db, int64_t *out_count,
                          struct gm_err *err) GM_MUST_CHECK;

/* Finds conditions that an index could answer, and chooses the index with the fewest entries. */
gm_rc gm_plan_find_lookups(struct gm_plan *plan, struct gm_db *db, struct gm_err *err)
    GM_MUST_CHECK;
/* "t0.num IN (…)" of the lookup that is used. */
void gm_plan_add_lookup(const struct gm_plan *plan, struct gm_sql *sql);

/* How a column of a row's place is compared, and stands in a token. */
enum gm_plan_key_kind { GM_PLAN_KEY_INT, GM_PLAN_KEY_TEXT, GM_PLAN_KEY_NUMBER };

/* A statement, and where its parameters are that change from run to run; 0: it has none such. */
struct gm_plan_leg {
    struct gm_sql sql;
    int low_param, high_param; /* of the range */
    int limit_param;
    int after_param; /* the first of key_count */
    int key_count;   /* result columns that tell where a row stands: the first ones */
    enum gm_plan_key_kind key_kinds[GM_PLAN_KEYS_MAX];
};
struct gm_plan_leg_options {
    size_t index;
    bool ranged; /* within a range */
    bool after;  /* only rows behind a position */
};
/* The leg is released with gm_sql_deinit(&leg->sql), after a failure too. */
gm_rc gm_plan_leg_make(const struct gm_plan *plan, const struct gm_plan_leg_options *options,
                       struct gm_plan_leg *out_leg, struct gm_err *err) GM_MUST_CHECK;

/* Adds a leg as a sub-select for `whole`: its keys as k0, k1, … (unless rows are grouped) and the
 * cells. The same columns for each leg; out_leg->key_count and kinds are set. */
gm_rc gm_plan_leg_add_cells(const struct gm_plan *plan, size_t index, struct gm_plan_leg *leg,
                            struct gm_err *err) GM_MUST_CHECK;
/* ", columns" of a collection whose table is `table_z`, for query_row.c. */
void gm_plan_add_columns(const struct gm_plan *plan, struct gm_sql *sql,
                         const struct gm_plan_collection *collection, const char *table_z);
/* Numbers parameters anew; the last thing that is done to a leg. */
gm_rc gm_plan_leg_finish(struct gm_plan_leg *leg, struct gm_err *err) GM_MUST_CHECK;

/* ---- query_whole.c, query_whole_sql.c ---- */

/* What the query orders and groups by, when it does. */
gm_rc gm_plan_make_whole(struct gm_plan *plan, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_plan_whole_make(const struct gm_plan *plan, bool after, struct gm_plan_leg *out_leg,
                         struct gm_err *err) GM_MUST_CHECK;

/* ---- query_resolve.c: what names mean ---- */

/* A path's collection, and what is behind the alias; `out_resolved` may be `path`. */
gm_rc gm_plan_resolve(const struct gm_plan *plan, const struct gm_plan_select *path,
                      struct gm_plan_select *out_resolved, struct gm_err *err) GM_MUST_CHECK;
int gm_plan_find(const struct gm_plan *plan, struct gm_str alias); /* -1: none */

/* A condition about the model of one collection's twins alone: IS_OF_MODEL, or $metadata.$model =
 * or IN. */
struct gm_model_test {
    bool is; /* the condition is one */
    int collection;
    struct gm_model_set set;
};
gm_rc gm_plan_model_test(const struct gm_plan *plan, const struct gm_expr *expr,
                         struct gm_model_test *out_test, struct gm_err *err) GM_MUST_CHECK;

/* ---- query_where.c: conditions as SQL ---- */

/* What is joined by AND (or OR) at the top of a condition: one item when it is something else. */
gm_rc gm_plan_flatten(struct gm_arena *arena, const struct gm_expr *expr, enum gm_expr_type type,
                      struct gm_expr_list *out_list, struct gm_err *err) GM_MUST_CHECK;

gm_rc gm_plan_add_condition(const struct gm_plan *plan, struct gm_sql *sql,
                            const struct gm_expr *expr, struct gm_err *err) GM_MUST_CHECK;

/* Appends ", … AS cNr, … AS cNn, … AS cNt" of a cell that has segments. */
gm_rc gm_plan_add_cell(const struct gm_plan *plan, struct gm_sql *sql,
                       const struct gm_plan_cell *cell, int index, struct gm_err *err);

/* ---- query_row.c: rows as JSON ---- */

/* A row of the result on its way to JSON. */
struct gm_plan_row {
    const struct gm_plan *plan;
    struct gm_stmt *stmt;
    yyjson_mut_doc *doc;
    int column;   /* the next to be read */
    size_t bytes; /* of the texts read */
};
gm_rc gm_plan_row_make(struct gm_plan_row *row, yyjson_mut_val **out_value, struct gm_err *err)
    GM_MUST_CHECK;

/* ---- query_token.c: where a page ended, and the next one begins ---- */

struct gm_query_position {
    struct gm_str text; /* of the query */
    int64_t left;       /* rows that TOP still allows; -1: no TOP */
    size_t leg;
    int key_count; /* 0: at the start */
    struct gm_sql_param keys[GM_PLAN_KEYS_MAX];
};
gm_rc gm_query_token_write(const struct gm_query_position *position, struct gm_buf *out,
                           struct gm_err *err) GM_MUST_CHECK;
/* Texts live in `doc`. A position that has a text takes no token of another query. */
gm_rc gm_query_token_read(yyjson_mut_doc *doc, struct gm_str token,
                          struct gm_query_position *position, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_query_token_refuse(struct gm_err *err);

/* ---- query_limits.c ---- */

gm_rc gm_query_check_size(struct gm_str text, const struct gm_query_limits *limits,
                          struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_query_check_limits(const struct gm_query *query, const struct gm_query_limits *limits,
                            struct gm_err *err) GM_MUST_CHECK;

/* ---- query_fault.c ---- */

/* From an error of GM_E_INVALID. */
void gm_query_fault_of(const struct gm_err *err, struct gm_query_fault *out_fault);

#endif
