/* Bounds that a caller sets on what a query may ask. */
#include "twin/query_plan.h"

struct counts {
    size_t conditions;
    size_t items; /* of the longest list */
    const struct gm_expr *longest;
};

/* As deep as the parser goes, which is bounded. */
static void count(const struct gm_expr *expr, struct counts *counts)
{
    bool chain = expr->type == GM_EXPR_AND || expr->type == GM_EXPR_OR;
    if (chain) {
        counts->conditions += expr->arg_count - 1;
    }
    if (expr->type == GM_EXPR_IN && expr->arg_count - 1 > counts->items) {
        counts->items = expr->arg_count - 1;
        counts->longest = expr;
    }
    for (size_t i = 0; (chain || expr->type == GM_EXPR_NOT) && i < expr->arg_count; i++) {
        count(expr->args[i], counts);
    }
}

static gm_rc check_condition(const struct gm_query_limits *limits, const struct gm_expr *where,
                             struct gm_err *err)
{
    struct counts counts = {0};
    count(where, &counts);
    if (limits->conditions_max > 0 && counts.conditions > limits->conditions_max) {
        return gm_fail(err, GM_E_INVALID, "the query has %zu ANDs and ORs; at most %zu",
                       counts.conditions, limits->conditions_max);
    }
    if (limits->items_max > 0 && counts.items > limits->items_max) {
        return gm_fail(
            err, GM_E_INVALID, "line %d, column %d: the list has %zu values; at most %zu",
            counts.longest->line, counts.longest->column, counts.items, limits->items_max);
    }
    return GM_OK;
}

gm_rc gm_query_check_size(struct gm_str text, const struct gm_query_limits *limits,
                          struct gm_err *err)
{
    if (limits->size_max == 0 || text.n <= limits->size_max) {
        return GM_OK;
    }
    size_t characters = 0;
    for (size_t i = 0; i < text.n; i++) {
        characters += ((unsigned char)text.p[i] & 0xC0) != 0x80;
    }
    return characters <= limits->size_max
               ? GM_OK
               : gm_fail(err, GM_E_INVALID, "the query has %zu characters; at most %zu", characters,
                         limits->size_max);
}

gm_rc gm_query_check_limits(const struct gm_query *query, const struct gm_query_limits *limits,
                            struct gm_err *err)
{
    if (limits->joins_max > 0 && query->join_count > limits->joins_max) {
        const struct gm_query_join *join = &query->joins[limits->joins_max];
        return gm_fail(err, GM_E_INVALID,
                       "line %d, column %d: the query has %zu JOINs; at most %zu", join->line,
                       join->column, query->join_count, limits->joins_max);
    }
    for (size_t i = 0; i < query->edge_count && limits->hops_max > 0; i++) {
        const struct gm_query_edge *edge = &query->edges[i];
        if (edge->hops_max > limits->hops_max) {
            return gm_fail(err, GM_E_INVALID,
                           "line %d, column %d: the pattern has %d hops; at most %d", edge->line,
                           edge->column, edge->hops_max, limits->hops_max);
        }
    }
    return query->where != NULL ? check_condition(limits, query->where, err) : GM_OK;
}
