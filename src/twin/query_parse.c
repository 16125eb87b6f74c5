/* The parser of queries: everything but conditions (expr/) and MATCH's patterns (query_match.c). */
#include "twin/query_tree.h"

#include "base/num.h"

enum { PATH_SEGMENTS_MAX = 32 };

static gm_rc no_room(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "the query is too large");
}

bool gm_query_same_word(struct gm_str a, const char *word_z)
{
    size_t i = 0;
    while (i < a.n && word_z[i] != '\0' && gm_query_lower(a.p[i]) == gm_query_lower(word_z[i])) {
        i++;
    }
    return i == a.n && word_z[i] == '\0';
}

static gm_rc take_keyword(struct gm_lexer *lexer, const char *keyword_z, struct gm_err *err)
{
    if (!gm_lexer_at_keyword(lexer, keyword_z)) {
        return gm_lexer_fail(lexer, keyword_z, err);
    }
    return gm_lexer_next(lexer, err);
}

static gm_rc take_symbol(struct gm_lexer *lexer, const char *symbol_z, const char *expected_z,
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

static gm_rc take_name(struct gm_lexer *lexer, const char *expected_z, struct gm_str *out_name,
                       struct gm_err *err)
{
    if (!at_name(lexer) || at_reserved(lexer)) {
        return gm_lexer_fail(lexer, expected_z, err);
    }
    *out_name = lexer->token.text;
    return gm_lexer_next(lexer, err);
}

/* An alias that may be left out. */
static gm_rc take_alias(struct gm_lexer *lexer, struct gm_str *out_alias, struct gm_err *err)
{
    if (!at_name(lexer) || at_reserved(lexer)) {
        return GM_OK;
    }
    *out_alias = lexer->token.text;
    return gm_lexer_next(lexer, err);
}

/* segment {'.' segment}; the first one may have been taken already. */
static gm_rc take_path(struct gm_lexer *lexer, struct gm_str first,
                       struct gm_query_select *out_path, struct gm_err *err)
{
    struct gm_str segments[PATH_SEGMENTS_MAX];
    size_t count = 0;
    if (first.p != NULL) {
        segments[count++] = first;
    } else {
        GM_TRY(take_name(lexer, "a property or collection", &segments[count++], err));
    }
    while (gm_lexer_at_symbol(lexer, ".")) {
        GM_TRY(gm_lexer_next(lexer, err));
        if (count == PATH_SEGMENTS_MAX || !at_name(lexer)) {
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

/* ---- SELECT ---- */

static gm_rc take_top(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    if (!gm_lexer_at_symbol(lexer, "(")) {
        return gm_lexer_fail(lexer, "( and a number of rows behind TOP", err);
    }
    GM_TRY(gm_lexer_next(lexer, err));
    if (lexer->token.type != GM_TOKEN_NUMBER || !gm_parse_i64(lexer->token.text, &query->top) ||
        query->top < 0) {
        return gm_lexer_fail(lexer, "a whole number of rows", err);
    }
    GM_TRY(gm_lexer_next(lexer, err));
    return take_symbol(lexer, ")", ")", err);
}

static gm_rc take_count(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    GM_TRY(gm_lexer_next(lexer, err));
    if (gm_lexer_at_symbol(lexer, "*")) {
        GM_TRY(gm_lexer_next(lexer, err));
    }
    query->count = true;
    return take_symbol(lexer, ")", ") behind COUNT(", err);
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

/* A selected path; its first segment may have been taken already. */
static gm_rc take_select(struct gm_lexer *lexer, struct gm_query *query,
                         const struct gm_token *first, struct gm_err *err)
{
    if (query->select_count == GM_QUERY_SELECT_MAX) {
        return gm_lexer_fail(lexer, "at most 256 columns", err);
    }
    const struct gm_token *token = first != NULL ? first : &lexer->token;
    struct gm_query_select *select = &query->selects[query->select_count];
    *select = (struct gm_query_select){.line = token->line, .column = token->column};
    GM_TRY(take_path(lexer, first != NULL ? first->text : (struct gm_str){NULL, 0}, select, err));
    select->name = select->segments[select->segment_count - 1];
    if (gm_lexer_at_keyword(lexer, "AS")) {
        GM_TRY(gm_lexer_next(lexer, err));
        GM_TRY(take_name(lexer, "a name behind AS", &select->name, err));
    }
    GM_TRY(check_new_name(query, select, err));
    query->select_count++;
    return GM_OK;
}

static gm_rc take_selects(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    if (gm_lexer_at_symbol(lexer, "*")) {
        query->all = true;
        return gm_lexer_next(lexer, err);
    }
    if (query->top >= 0 && gm_lexer_at_keyword(lexer, "FROM")) {
        query->all = true;
        return GM_OK;
    }
    query->selects = gm_arena_zalloc(lexer->arena, GM_QUERY_SELECT_MAX * sizeof(query->selects[0]));
    if (query->selects == NULL) {
        return no_room(err);
    }
    if (!at_name(lexer) || at_reserved(lexer)) {
        return gm_lexer_fail(lexer, "*, COUNT() or what to select", err);
    }
    bool maybe_count = gm_lexer_at_keyword(lexer, "COUNT");
    struct gm_token first = lexer->token;
    GM_TRY(gm_lexer_next(lexer, err));
    if (maybe_count && gm_lexer_at_symbol(lexer, "(")) {
        return take_count(lexer, query, err);
    }
    GM_TRY(take_select(lexer, query, &first, err));
    while (gm_lexer_at_symbol(lexer, ",")) {
        GM_TRY(gm_lexer_next(lexer, err));
        GM_TRY(take_select(lexer, query, NULL, err));
    }
    return GM_OK;
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
    GM_TRY(take_name(lexer, "a name for the twins that JOIN brings in", &join->target, err));
    GM_TRY(take_keyword(lexer, "RELATED", err));
    join->line = lexer->token.line;
    join->column = lexer->token.column;
    GM_TRY(take_name(lexer, "a collection", &join->source, err));
    GM_TRY(take_symbol(lexer, ".", "`.` and the relationship's name", err));
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

static gm_rc parse(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    GM_TRY(take_keyword(lexer, "SELECT", err));
    if (gm_lexer_at_keyword(lexer, "TOP")) {
        GM_TRY(gm_lexer_next(lexer, err));
        GM_TRY(take_top(lexer, query, err));
    }
    GM_TRY(take_selects(lexer, query, err));
    GM_TRY(take_keyword(lexer, "FROM", err));
    GM_TRY(take_source(lexer, query, err));
    GM_TRY(take_joins(lexer, query, err));
    if (gm_lexer_at_keyword(lexer, "MATCH")) {
        if (query->join_count > 0) {
            return gm_lexer_fail(lexer, "either JOIN or MATCH", err);
        }
        GM_TRY(gm_query_parse_match(lexer, query, err));
    }
    if (gm_lexer_at_keyword(lexer, "WHERE")) {
        GM_TRY(gm_lexer_next(lexer, err));
        GM_TRY(gm_expr_parse_at(lexer, &query->where, err));
    }
    if (lexer->token.type != GM_TOKEN_END) {
        return gm_lexer_fail(lexer,
                             query->where != NULL ? "AND, OR or the end of the query"
                                                  : "JOIN, MATCH, WHERE or the end of the query",
                             err);
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
