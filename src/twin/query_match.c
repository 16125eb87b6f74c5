/* MATCH's patterns: (Building)-[r:contains|has*..3]->(Sensor). */
#include "base/num.h"
#include "twin/query_tree.h"

enum { NAMES_MAX = 64 };

static gm_rc take(struct gm_lexer *lexer, const char *symbol_z, const char *expected_z,
                  struct gm_err *err)
{
    if (!gm_lexer_at_symbol(lexer, symbol_z)) {
        return gm_lexer_fail(lexer, expected_z, err);
    }
    return gm_lexer_next(lexer, err);
}

/* Takes a symbol when it is there. */
static gm_rc take_maybe(struct gm_lexer *lexer, const char *symbol_z, bool *out_taken,
                        struct gm_err *err)
{
    *out_taken = gm_lexer_at_symbol(lexer, symbol_z);
    return *out_taken ? gm_lexer_next(lexer, err) : GM_OK;
}

/* Takes a name when there is one. */
static gm_rc take_name(struct gm_lexer *lexer, struct gm_str *out_name, struct gm_err *err)
{
    *out_name = (struct gm_str){NULL, 0};
    if (lexer->token.type != GM_TOKEN_NAME && lexer->token.type != GM_TOKEN_RAW_NAME) {
        return GM_OK;
    }
    *out_name = lexer->token.text;
    return gm_lexer_next(lexer, err);
}

static gm_rc take_node(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    if (query->node_count == GM_QUERY_NODES_MAX) {
        return gm_lexer_fail(lexer, "at most 12 twins in a pattern", err);
    }
    GM_TRY(take(lexer, "(", "`(` and a name for a twin", err));
    struct gm_str *alias = &query->nodes[query->node_count++];
    GM_TRY(take_name(lexer, alias, err));
    return take(lexer, ")",
                alias->n > 0 ? "`)` behind the twin's name" : "a name for the twin, or `)`", err);
}

/* name {'|' name}; the first one may have been taken already. */
static gm_rc take_names(struct gm_lexer *lexer, struct gm_query_edge *edge, struct gm_str first,
                        struct gm_err *err)
{
    struct gm_str names[NAMES_MAX];
    size_t count = 0;
    for (bool more = true; more;) {
        struct gm_str name = first;
        if (count > 0 || first.n == 0) {
            GM_TRY(take_name(lexer, &name, err));
        }
        if (name.n == 0 || count == NAMES_MAX) {
            return gm_lexer_fail(lexer, name.n == 0 ? "a relationship's name" : "at most 64 names",
                                 err);
        }
        names[count++] = name;
        GM_TRY(take_maybe(lexer, "|", &more, err));
    }
    edge->names = gm_arena_alloc(lexer->arena, count * sizeof(names[0]));
    if (edge->names == NULL) {
        return gm_fail(err, GM_E_LIMIT, "the query is too large");
    }
    memcpy(edge->names, names, count * sizeof(names[0]));
    edge->name_count = count;
    return GM_OK;
}

static gm_rc take_hop_count(struct gm_lexer *lexer, int *out_count, struct gm_err *err)
{
    int64_t count;
    bool is_count = lexer->token.type == GM_TOKEN_NUMBER &&
                    gm_parse_i64(lexer->token.text, &count) && count <= GM_QUERY_HOPS_MAX;
    if (!is_count) {
        return gm_lexer_fail(lexer, "a number of hops, at most 10", err);
    }
    *out_count = (int)count;
    return gm_lexer_next(lexer, err);
}

/* `*3` is three hops; of a range the lower end is not part: `*1..3` is two or three, `*..2` one or
 * two. */
static gm_rc take_hops(struct gm_lexer *lexer, struct gm_query_edge *edge, struct gm_err *err)
{
    int low = 0;
    bool is_range = gm_lexer_at_symbol(lexer, "..");
    struct gm_lexer before = *lexer;
    if (!is_range) {
        GM_TRY(take_hop_count(lexer, &low, err));
    }
    GM_TRY(take_maybe(lexer, "..", &is_range, err));
    edge->hops_min = is_range ? low + 1 : low;
    edge->hops_max = low;
    if (is_range) {
        GM_TRY(take_hop_count(lexer, &edge->hops_max, err));
    }
    if (edge->hops_min < 1 || edge->hops_min > edge->hops_max) {
        return gm_lexer_fail(&before, "at least one hop (`*1..3` means two or three)", err);
    }
    return GM_OK;
}

/* What stands between [ and ]. The service's own examples leave the colon out in front of a list of
 * names, so a word that a `|` follows is a name and not a variable. */
static gm_rc take_relationship(struct gm_lexer *lexer, struct gm_query_edge *edge,
                               struct gm_err *err)
{
    struct gm_str word;
    bool taken;
    struct gm_lexer before = *lexer;
    edge->hops_min = edge->hops_max = 1;
    GM_TRY(take_name(lexer, &word, err));
    if (gm_lexer_at_symbol(lexer, "|") && word.n > 0) {
        GM_TRY(take_names(lexer, edge, word, err));
    } else {
        edge->variable = word;
        GM_TRY(take_maybe(lexer, ":", &taken, err));
        if (taken) {
            GM_TRY(take_names(lexer, edge, (struct gm_str){NULL, 0}, err));
        }
    }
    GM_TRY(take_maybe(lexer, "*", &taken, err));
    if (taken) {
        GM_TRY(take_hops(lexer, edge, err));
    }
    if (edge->variable.n > 0 && edge->hops_max > 1) {
        return gm_lexer_fail(&before, "no variable beside several hops", err);
    }
    return take(lexer, "]", "`]` behind the relationship", err);
}

static gm_rc take_edge(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    GM_ASSERT(query->edge_count < GM_QUERY_NODES_MAX);
    struct gm_query_edge *edge = &query->edges[query->edge_count++];
    edge->line = lexer->token.line;
    edge->column = lexer->token.column;
    bool in, out;
    GM_TRY(take_maybe(lexer, "<", &in, err));
    GM_TRY(take(lexer, "-", "`-[` and a relationship", err));
    GM_TRY(take(lexer, "[", "`[` and a relationship", err));
    GM_TRY(take_relationship(lexer, edge, err));
    GM_TRY(take(lexer, "-", "`-` or `->`", err));
    if (in && gm_lexer_at_symbol(lexer, ">")) {
        return gm_lexer_fail(lexer, "one direction; -[]- stands for both", err);
    }
    GM_TRY(take_maybe(lexer, ">", &out, err));
    edge->direction = in ? GM_QUERY_IN : out ? GM_QUERY_OUT : GM_QUERY_ANY;
    return GM_OK;
}

gm_rc gm_query_parse_match(struct gm_lexer *lexer, struct gm_query *query, struct gm_err *err)
{
    query->nodes = gm_arena_zalloc(lexer->arena, GM_QUERY_NODES_MAX * sizeof(query->nodes[0]));
    query->edges = gm_arena_zalloc(lexer->arena, GM_QUERY_NODES_MAX * sizeof(query->edges[0]));
    if (query->nodes == NULL || query->edges == NULL) {
        return gm_fail(err, GM_E_LIMIT, "the query is too large");
    }
    GM_TRY(gm_lexer_next(lexer, err));
    GM_TRY(take_node(lexer, query, err));
    while (gm_lexer_at_symbol(lexer, "-") || gm_lexer_at_symbol(lexer, "<")) {
        GM_TRY(take_edge(lexer, query, err));
        GM_TRY(take_node(lexer, query, err));
    }
    return GM_OK;
}
