/* What a query selects, groups and orders by: paths and aggregates. */
#include "base/num.h"
#include "twin/query_tree.h"

enum { PATH_SEGMENTS_MAX = 32, ITEMS_MAX = 16 /* of GROUP BY and of ORDER BY */ };

static gm_rc no_room(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "the query is too large");
}

/* segment {'.' segment} */
static gm_rc take_path(struct gm_lexer *lexer, struct gm_query_select *out_path, struct gm_err *err)
{
    struct gm_str segments[PATH_SEGMENTS_MAX];
    size_t count = 0;
    GM_TRY(gm_query_take_name(lexer, "a property or collection", &segments[count++], err));
    while (gm_lexer_at_symbol(lexer, ".")) {
        GM_TRY(gm_lexer_next(lexer, err));
        bool named = lexer->token.type == GM_TOKEN_NAME || lexer->token.type == GM_TOKEN_RAW_NAME;
        if (count == PATH_SEGMENTS_MAX || !named) {
            return gm_lexer_fail(lexer,
                                 count == PATH_SEGMENTS_MAX ? "a path of at most 32 names"
                                                            : "a property's name",
                                 err);
        }
        segments[count++] = lexer->token.text;
        GM_TRY(gm_lexer_next(lexer, err));
    }
    out_path->segments = gm_arena_alloc(lexer->arena, count * sizeof(segments[0]));
    if (out_path->segments == NULL) {
        return no_room(err);
    }
    memcpy(out_path->segments, segments, count * sizeof(segments[0]));
    out_path->segment_count = count;
    return GM_OK;
}

/* ---- aggregates ---- */

static const char *const aggregates[] = {[GM_QUERY_COUNT] = "COUNT",
                                         [GM_QUERY_SUM] = "SUM",
                                         [GM_QUERY_AVG] = "AVG",
                                         [GM_QUERY_MIN] = "MIN",
                                         [GM_QUERY_MAX] = "MAX"};

/* An aggregate is its word with a parenthesis behind it; without one the word is a name. */
static gm_rc at_aggregate(const struct gm_lexer *lexer, enum gm_query_aggregate *out_aggregate,
                          struct gm_err *err)
{
    *out_aggregate = GM_QUERY_NO_AGGREGATE;
    for (enum gm_query_aggregate i = GM_QUERY_COUNT; i <= GM_QUERY_MAX; i++) {
        if (gm_lexer_at_keyword(lexer, aggregates[i])) {
            struct gm_lexer ahead = *lexer;
            GM_TRY(gm_lexer_next(&ahead, err));
            *out_aggregate = gm_lexer_at_symbol(&ahead, "(") ? i : GM_QUERY_NO_AGGREGATE;
        }
    }
    return GM_OK;
}

/* Behind "COUNT(": [path | '*'] ')'; behind the others a path. */
static gm_rc take_aggregated(struct gm_lexer *lexer, struct gm_query_select *select,
                             struct gm_err *err)
{
    bool count = select->aggregate == GM_QUERY_COUNT;
    if (count && gm_lexer_at_symbol(lexer, "*")) {
        GM_TRY(gm_lexer_next(lexer, err));
    } else if (!count || !gm_lexer_at_symbol(lexer, ")")) {
        GM_TRY(take_path(lexer, select, err));
    }
    return gm_query_take_symbol(lexer, ")",
                                count && select->segment_count == 0 ? ") behind COUNT(" : ")", err);
}

/* path | aggregate */
static gm_rc take_item(struct gm_lexer *lexer, struct gm_query_select *select, struct gm_err *err)
{
    *select = (struct gm_query_select){.line = lexer->token.line, .column = lexer->token.column};
    GM_TRY(at_aggregate(lexer, &select->aggregate, err));
    if (select->aggregate == GM_QUERY_NO_AGGREGATE) {
        GM_TRY(take_path(lexer, select, err));
        select->name = select->segments[select->segment_count - 1];
        return GM_OK;
    }
    select->name = gm_str_z(aggregates[select->aggregate]);
    GM_TRY(gm_lexer_next(lexer, err));
    GM_TRY(gm_lexer_next(lexer, err)); /* the parenthesis */
    return take_aggregated(lexer, select, err);
}

/* ---- SELECT ---- */

static gm_rc take_top(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    if (!gm_lexer_at_keyword(lexer, "TOP")) {
        return GM_OK;
    }
    GM_TRY(gm_lexer_next(lexer, err));
    GM_TRY(gm_query_take_symbol(lexer, "(", "( and a number of rows behind TOP", err));
    if (lexer->token.type != GM_TOKEN_NUMBER || !gm_parse_i64(lexer->token.text, &query->top) ||
        query->top < 0) {
        return gm_lexer_fail(lexer, "a whole number of rows", err);
    }
    GM_TRY(gm_lexer_next(lexer, err));
    return gm_query_take_symbol(lexer, ")", ")", err);
}

/* DISTINCT, unless it is a property of that name. */
static gm_rc take_distinct(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    static const char *const symbols[] = {",", ".", "("};
    if (!gm_lexer_at_keyword(lexer, "DISTINCT")) {
        return GM_OK;
    }
    struct gm_lexer ahead = *lexer;
    GM_TRY(gm_lexer_next(&ahead, err));
    bool is_name = gm_lexer_at_keyword(&ahead, "FROM") || gm_lexer_at_keyword(&ahead, "AS");
    for (size_t i = 0; i < GM_ARRAY_COUNT(symbols); i++) {
        is_name = is_name || gm_lexer_at_symbol(&ahead, symbols[i]);
    }
    if (!is_name) {
        query->distinct = true;
        *lexer = ahead;
    }
    return GM_OK;
}

static gm_rc check_new_name(const struct gm_query *query, const struct gm_query_select *select,
                            struct gm_err *err)
{
    for (size_t i = 0; i < query->select_count; i++) {
        if (gm_str_eq(query->selects[i].name, select->name)) {
            return gm_fail(err, GM_E_INVALID,
                           "line %d, column %d: there is a column `" GM_STR_FMT
                           "` already; name this one with AS",
                           select->line, select->column, GM_STR_ARG(select->name));
        }
    }
    return GM_OK;
}

static gm_rc take_select(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    if (query->select_count == GM_QUERY_SELECT_MAX) {
        return gm_lexer_fail(lexer, "at most 256 columns", err);
    }
    struct gm_query_select *select = &query->selects[query->select_count];
    GM_TRY(take_item(lexer, select, err));
    if (gm_lexer_at_keyword(lexer, "AS")) {
        GM_TRY(gm_lexer_next(lexer, err));
        GM_TRY(gm_query_take_name(lexer, "a name behind AS", &select->name, err));
    }
    GM_TRY(check_new_name(query, select, err));
    query->select_count++;
    return GM_OK;
}

static gm_rc take_selects(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    query->selects = gm_arena_zalloc(lexer->arena, GM_QUERY_SELECT_MAX * sizeof(query->selects[0]));
    if (query->selects == NULL) {
        return no_room(err);
    }
    if (!gm_query_at_name(lexer)) {
        return gm_lexer_fail(lexer, "*, COUNT() or what to select", err);
    }
    GM_TRY(take_select(lexer, query, err));
    while (gm_lexer_at_symbol(lexer, ",")) {
        GM_TRY(gm_lexer_next(lexer, err));
        GM_TRY(take_select(lexer, query, err));
    }
    return GM_OK;
}

gm_rc gm_query_parse_select(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    GM_TRY(take_distinct(lexer, query, err));
    GM_TRY(take_top(lexer, query, err));
    if (!query->distinct) {
        GM_TRY(take_distinct(lexer, query, err));
    }
    if (gm_lexer_at_symbol(lexer, "*")) {
        query->all = true;
        return gm_lexer_next(lexer, err);
    }
    if (query->top >= 0 && gm_lexer_at_keyword(lexer, "FROM")) {
        query->all = true;
        return GM_OK;
    }
    return take_selects(lexer, query, err);
}

/* ---- GROUP BY, ORDER BY ---- */

static gm_rc take_groups(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    query->groups = gm_arena_zalloc(lexer->arena, ITEMS_MAX * sizeof(query->groups[0]));
    if (query->groups == NULL) {
        return no_room(err);
    }
    do {
        GM_TRY(gm_lexer_next(lexer, err)); /* BY, or a comma */
        if (query->group_count == ITEMS_MAX) {
            return gm_lexer_fail(lexer, "at most 16 properties behind GROUP BY", err);
        }
        struct gm_query_select *group = &query->groups[query->group_count];
        *group = (struct gm_query_select){.line = lexer->token.line, .column = lexer->token.column};
        GM_TRY(take_path(lexer, group, err));
        query->group_count++;
    } while (gm_lexer_at_symbol(lexer, ","));
    return GM_OK;
}

static gm_rc take_orders(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    query->orders = gm_arena_zalloc(lexer->arena, ITEMS_MAX * sizeof(query->orders[0]));
    if (query->orders == NULL) {
        return no_room(err);
    }
    do {
        GM_TRY(gm_lexer_next(lexer, err)); /* BY, or a comma */
        if (query->order_count == ITEMS_MAX) {
            return gm_lexer_fail(lexer, "at most 16 items behind ORDER BY", err);
        }
        struct gm_query_order *order = &query->orders[query->order_count];
        GM_TRY(take_item(lexer, &order->by, err));
        order->descending = gm_lexer_at_keyword(lexer, "DESC");
        if (order->descending || gm_lexer_at_keyword(lexer, "ASC")) {
            GM_TRY(gm_lexer_next(lexer, err));
        }
        query->order_count++;
    } while (gm_lexer_at_symbol(lexer, ","));
    return GM_OK;
}

/* The word with BY behind it; the lexer stands on BY then. */
static gm_rc at_clause(struct gm_lexer *lexer, const char *word_z, bool *out_there,
                       struct gm_err *err)
{
    *out_there = gm_lexer_at_keyword(lexer, word_z);
    if (!*out_there) {
        return GM_OK;
    }
    GM_TRY(gm_lexer_next(lexer, err));
    return gm_lexer_at_keyword(lexer, "BY") ? GM_OK : gm_lexer_fail(lexer, "BY", err);
}

/* SELECT COUNT() alone is counted without making groups. */
static void find_plain_count(struct gm_query *query)
{
    const struct gm_query_select *select = query->selects;
    query->count = query->select_count == 1 && select->aggregate == GM_QUERY_COUNT &&
                   select->segment_count == 0 && gm_str_is(select->name, "COUNT") &&
                   query->group_count == 0 && query->order_count == 0 && !query->distinct;
    if (query->count) {
        query->select_count = 0;
    }
}

gm_rc gm_query_parse_order(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    bool there;
    GM_TRY(at_clause(lexer, "GROUP", &there, err));
    if (there) {
        GM_TRY(take_groups(lexer, query, err));
    }
    GM_TRY(at_clause(lexer, "ORDER", &there, err));
    if (there) {
        GM_TRY(take_orders(lexer, query, err));
    }
    find_plain_count(query);
    return GM_OK;
}
