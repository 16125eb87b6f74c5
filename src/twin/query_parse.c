/* The parser of queries: everything but conditions (expr/), MATCH's patterns (query_match.c), and
 * what is selected and ordered (query_parse_select.c). */
#include "twin/query_tree.h"

static gm_rc no_room(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "the query is too large");
}

gm_rc gm_query_take_keyword(struct gm_lexer *lexer, const char *keyword_z, struct gm_err *err)
{
    if (!gm_lexer_at_keyword(lexer, keyword_z)) {
        return gm_lexer_fail(lexer, keyword_z, err);
    }
    return gm_lexer_next(lexer, err);
}

gm_rc gm_query_take_symbol(struct gm_lexer *lexer, const char *symbol_z, const char *expected_z,
                           struct gm_err *err)
{
    if (!gm_lexer_at_symbol(lexer, symbol_z)) {
        return gm_lexer_fail(lexer, expected_z, err);
    }
    return gm_lexer_next(lexer, err);
}

static bool at_name(const struct gm_lexer *lexer)
{
    return lexer->token.type == GM_TOKEN_NAME || lexer->token.type == GM_TOKEN_RAW_NAME;
}

/* Words that end a collection's alias or a list, and so are names only within [[…]]. */
static bool at_reserved(const struct gm_lexer *lexer)
{
    static const char *const words[] = {"SELECT", "FROM", "JOIN",  "RELATED", "MATCH",
                                        "WHERE",  "AS",   "ORDER", "GROUP",   "HAVING",
                                        "AND",    "OR",   "NOT"};
    for (size_t i = 0; lexer->token.type == GM_TOKEN_NAME && i < GM_ARRAY_COUNT(words); i++) {
        if (gm_lexer_at_keyword(lexer, words[i])) {
            return true;
        }
    }
    return false;
}

bool gm_query_at_name(const struct gm_lexer *lexer)
{
    return at_name(lexer) && !at_reserved(lexer);
}

gm_rc gm_query_take_name(struct gm_lexer *lexer, const char *expected_z, struct gm_str *out_name,
                         struct gm_err *err)
{
    if (!gm_query_at_name(lexer)) {
        return gm_lexer_fail(lexer, expected_z, err);
    }
    *out_name = lexer->token.text;
    return gm_lexer_next(lexer, err);
}

/* An alias that may be left out. */
static gm_rc take_alias(struct gm_lexer *lexer, struct gm_str *out_alias, struct gm_err *err)
{
    if (!gm_query_at_name(lexer)) {
        return GM_OK;
    }
    *out_alias = lexer->token.text;
    return gm_lexer_next(lexer, err);
}

/* ---- FROM, JOIN ---- */

static gm_rc take_source(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    query->line = lexer->token.line;
    query->column = lexer->token.column;
    query->relationships = gm_lexer_at_keyword(lexer, "RELATIONSHIPS");
    if (!query->relationships && !gm_lexer_at_keyword(lexer, "DIGITALTWINS")) {
        return gm_lexer_fail(lexer, "DIGITALTWINS or RELATIONSHIPS", err);
    }
    GM_TRY(gm_lexer_next(lexer, err));
    return take_alias(lexer, &query->alias, err);
}

static gm_rc take_join(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    if (query->join_count == GM_QUERY_JOINS_MAX) {
        return gm_lexer_fail(lexer, "at most 10 JOINs", err);
    }
    GM_TRY(gm_lexer_next(lexer, err));
    struct gm_query_join *join = &query->joins[query->join_count++];
    GM_TRY(
        gm_query_take_name(lexer, "a name for the twins that JOIN brings in", &join->target, err));
    GM_TRY(gm_query_take_keyword(lexer, "RELATED", err));
    join->line = lexer->token.line;
    join->column = lexer->token.column;
    GM_TRY(gm_query_take_name(lexer, "a collection", &join->source, err));
    GM_TRY(gm_query_take_symbol(lexer, ".", "`.` and the relationship's name", err));
    if (!at_name(lexer)) {
        return gm_lexer_fail(lexer, "the relationship's name", err);
    }
    join->name = lexer->token.text;
    GM_TRY(gm_lexer_next(lexer, err));
    return take_alias(lexer, &join->variable, err);
}

static gm_rc take_joins(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    query->joins = gm_arena_zalloc(lexer->arena, GM_QUERY_JOINS_MAX * sizeof(query->joins[0]));
    if (query->joins == NULL) {
        return no_room(err);
    }
    while (gm_lexer_at_keyword(lexer, "JOIN")) {
        GM_TRY(take_join(lexer, query, err));
    }
    return GM_OK;
}

/* ---- the whole ---- */

static gm_rc check_shape(const struct gm_query *query, struct gm_err *err)
{
    bool graph = query->join_count > 0 || query->node_count > 0;
    if (query->relationships && graph) {
        return gm_fail(err, GM_E_INVALID,
                       "line %d, column %d: expected DIGITALTWINS, since %s starts from twins, "
                       "found RELATIONSHIPS",
                       query->line, query->column, query->node_count > 0 ? "MATCH" : "JOIN");
    }
    if (query->all && (query->join_count > 0 || query->edge_count > 0)) {
        return gm_fail(
            err, GM_E_INVALID,
            "line 1, column 1: SELECT * is for one collection; name those wanted: SELECT T, CT");
    }
    return GM_OK;
}

/* AS OF 'time', wherever it stands. */
static gm_rc take_as_of(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    if (!gm_lexer_at_keyword(lexer, "AS")) {
        return GM_OK;
    }
    if (query->in_past) {
        return gm_lexer_fail(lexer, "one AS OF", err);
    }
    GM_TRY(gm_lexer_next(lexer, err));
    GM_TRY(gm_query_take_keyword(lexer, "OF", err));
    if (lexer->token.type != GM_TOKEN_STRING || !gm_time_parse(lexer->token.text, &query->as_of)) {
        return gm_lexer_fail(lexer, "a time like '2026-11-20T17:09:55Z' behind AS OF", err);
    }
    query->in_past = true;
    return gm_lexer_next(lexer, err);
}

static gm_rc take_match(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    if (!gm_lexer_at_keyword(lexer, "MATCH")) {
        return GM_OK;
    }
    if (query->join_count > 0) {
        return gm_lexer_fail(lexer, "either JOIN or MATCH", err);
    }
    return gm_query_parse_match(lexer, query, err);
}

static gm_rc take_where(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    if (!gm_lexer_at_keyword(lexer, "WHERE")) {
        return GM_OK;
    }
    GM_TRY(gm_lexer_next(lexer, err));
    return gm_expr_parse_at(lexer, &query->where, err);
}

static const char *next_clauses(const struct gm_query *query)
{
    return query->order_count > 0   ? "`,`, ASC, DESC or the end of the query"
           : query->group_count > 0 ? "`,`, ORDER BY or the end of the query"
           : query->where != NULL   ? "AND, OR, GROUP BY, ORDER BY or the end of the query"
                                    : "JOIN, MATCH, WHERE, GROUP BY, ORDER BY or the end of the "
                                      "query";
}

static gm_rc parse(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    GM_TRY(gm_query_take_keyword(lexer, "SELECT", err));
    GM_TRY(gm_query_parse_select(lexer, query, err));
    GM_TRY(gm_query_take_keyword(lexer, "FROM", err));
    GM_TRY(take_source(lexer, query, err));
    GM_TRY(take_as_of(lexer, query, err));
    GM_TRY(take_joins(lexer, query, err));
    GM_TRY(take_match(lexer, query, err));
    GM_TRY(take_where(lexer, query, err));
    GM_TRY(take_as_of(lexer, query, err));
    GM_TRY(gm_query_parse_order(lexer, query, err));
    GM_TRY(take_as_of(lexer, query, err));
    if (lexer->token.type != GM_TOKEN_END) {
        return gm_lexer_fail(lexer, next_clauses(query), err);
    }
    return check_shape(query, err);
}

gm_rc gm_query_parse(struct gm_arena *arena, struct gm_str text, struct gm_query *out_query,
                     struct gm_err *err)
{
    struct gm_query query = {.top = -1};
    struct gm_lexer lexer;
    GM_TRY(gm_lexer_init(&lexer, arena, text, err));
    GM_TRY(parse(&lexer, &query, err));
    *out_query = query;
    return GM_OK;
}

gm_rc gm_query_check(struct gm_str text, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(GM_QUERY_ROW_SIZE_MAX);
    struct gm_query query;
    gm_rc rc = gm_query_parse(arena, text, &query, err);
    gm_arena_free(arena);
    return rc;
}
