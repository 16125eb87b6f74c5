/* A query as it was written, and the parser. For the query's own files. */
#ifndef GM_TWIN_QUERY_TREE_H
#define GM_TWIN_QUERY_TREE_H

#include "base/time.h"
#include "expr/expr.h"
#include "twin/query.h"

enum gm_query_aggregate {
    GM_QUERY_NO_AGGREGATE,
    GM_QUERY_COUNT,
    GM_QUERY_SUM,
    GM_QUERY_AVG,
    GM_QUERY_MIN,
    GM_QUERY_MAX,
};

struct gm_query_select {
    enum gm_query_aggregate aggregate;
    struct gm_str *segments; /* of the path, or of what is aggregated */
    size_t segment_count;    /* 0: COUNT() */
    struct gm_str name;      /* of the member in a row */
    int32_t line, column;
};

struct gm_query_order {
    struct gm_query_select by;
    bool descending;
};

struct gm_query_join {
    struct gm_str target;   /* alias that it brings in */
    struct gm_str source;   /* alias that it goes out from */
    struct gm_str name;     /* of the relationship */
    struct gm_str variable; /* alias of the relationship; n 0: none */
    int32_t line, column;
};

enum gm_query_direction { GM_QUERY_OUT, GM_QUERY_IN, GM_QUERY_ANY };

struct gm_query_edge {
    struct gm_str variable; /* n 0: none */
    struct gm_str *names;   /* none: any relationship */
    size_t name_count;
    int hops_min, hops_max;
    enum gm_query_direction direction; /* as seen from the node on its left */
    int32_t line, column;
};

struct gm_query {
    int64_t top; /* -1: no limit */
    bool all;    /* SELECT * */
    bool count;  /* SELECT COUNT() and nothing else */
    bool distinct;
    struct gm_query_select *selects;
    size_t select_count;

    bool relationships; /* FROM RELATIONSHIPS */
    struct gm_str alias;
    int32_t line, column; /* of FROM's collection */
    struct gm_query_join *joins;
    size_t join_count;
    struct gm_str *nodes; /* MATCH: aliases, n 0: unnamed; one more than edges */
    size_t node_count;    /* 0: no MATCH */
    struct gm_query_edge *edges;
    size_t edge_count;
    struct gm_expr *where; /* NULL: everything */
    struct gm_query_select *groups;
    size_t group_count;
    struct gm_query_order *orders;
    size_t order_count;
    bool in_past; /* AS OF */
    gm_ns as_of;
};

/* The tree lives in `arena`; its texts may borrow from `text`. */
gm_rc gm_query_parse(struct gm_arena *arena, struct gm_str text, struct gm_query *out_query,
                     struct gm_err *err) GM_MUST_CHECK;

/* MATCH and its pattern, from where the lexer stands. */
gm_rc gm_query_parse_match(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
    GM_MUST_CHECK;

/* ---- query_parse_select.c: what is selected, grouped and ordered ---- */

/* From behind SELECT to FROM. */
gm_rc gm_query_parse_select(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
    GM_MUST_CHECK;
/* GROUP BY and ORDER BY, where they are there. */
gm_rc gm_query_parse_order(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
    GM_MUST_CHECK;

/* ---- pieces that the parser's files share ---- */

gm_rc gm_query_take_symbol(struct gm_lexer *lexer, const char *symbol_z, const char *expected_z,
                           struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_query_take_keyword(struct gm_lexer *lexer, const char *keyword_z, struct gm_err *err)
    GM_MUST_CHECK;
/* At a name that is no word of the language. */
bool gm_query_at_name(const struct gm_lexer *lexer);
gm_rc gm_query_take_name(struct gm_lexer *lexer, const char *expected_z, struct gm_str *out_name,
                         struct gm_err *err) GM_MUST_CHECK;

#endif
