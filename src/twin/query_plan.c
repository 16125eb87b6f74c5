/* From the tree to a plan: collections, what is selected, and which ranges of twins to walk. */
#include "twin/query_plan.h"

#include <stdio.h>

#include "twin_sql.h"

static int add_collection(struct gm_plan *plan, bool relationship, struct gm_str alias)
{
    GM_ASSERT(plan->collection_count < GM_PLAN_COLLECTIONS_MAX);
    int index = plan->collection_count++;
    struct gm_plan_collection *collection = &plan->collections[index];
    *collection = (struct gm_plan_collection){.relationship = relationship, .alias = alias};
    (void)snprintf(collection->table, sizeof(collection->table), "%c%d", relationship ? 'r' : 't',
                   index);
    return index;
}

static gm_rc check_new(const struct gm_plan *plan, struct gm_str alias, int32_t line,
                       int32_t column, struct gm_err *err)
{
    if (gm_plan_find(plan, alias) >= 0) {
        return gm_fail(err, GM_E_INVALID,
                       "line %d, column %d: expected a new name, found `" GM_STR_FMT "` once more",
                       line, column, GM_STR_ARG(alias));
    }
    return GM_OK;
}

/* The ids of a relationship's ends: those of the collections that it joins; looked up where it may
 * go either way. */
static void set_ends(struct gm_plan *plan, const struct gm_plan_edge *edge)
{
    struct gm_plan_collection *relationship = &plan->collections[edge->relationship];
    bool out = edge->direction == GM_QUERY_OUT;
    bool any = edge->direction == GM_QUERY_ANY;
    /* Copies, since everything lies in the plan. */
    struct gm_plan_collection own = *relationship;
    struct gm_plan_collection source = plan->collections[out ? edge->from : edge->to];
    struct gm_plan_collection target = plan->collections[out ? edge->to : edge->from];
    if (any) {
        (void)snprintf(relationship->source_id, GM_PLAN_SQL_NAME_SIZE,
                       "(SELECT n.id FROM %s AS n WHERE n.num = %s.source)", plan->twins_z,
                       own.table);
        (void)snprintf(relationship->target_id, GM_PLAN_SQL_NAME_SIZE,
                       "(SELECT n.id FROM %s AS n WHERE n.num = %s.target)", plan->twins_z,
                       own.table);
        return;
    }
    (void)snprintf(relationship->source_id, GM_PLAN_SQL_NAME_SIZE, "%s.id", source.table);
    (void)snprintf(relationship->target_id, GM_PLAN_SQL_NAME_SIZE, "%s.id", target.table);
}

static gm_rc add_join(struct gm_plan *plan, const struct gm_query_join *join, struct gm_err *err)
{
    struct gm_plan_edge *edge = &plan->edges[plan->edge_count];
    *edge = (struct gm_plan_edge){.from = gm_plan_find(plan, join->source),
                                  .names = &join->name,
                                  .name_count = 1,
                                  .direction = GM_QUERY_OUT,
                                  .hops_min = 1,
                                  .hops_max = 1};
    if (edge->from < 0 || plan->collections[edge->from].relationship) {
        return gm_fail(err, GM_E_INVALID,
                       "line %d, column %d: expected twins that FROM or an earlier JOIN names, "
                       "found `" GM_STR_FMT "`",
                       join->line, join->column, GM_STR_ARG(join->source));
    }
    GM_TRY(check_new(plan, join->target, join->line, join->column, err));
    edge->to = add_collection(plan, false, join->target);
    GM_TRY(check_new(plan, join->variable, join->line, join->column, err));
    edge->relationship = add_collection(plan, true, join->variable);
    plan->collections[edge->relationship].relationship_name = join->name;
    set_ends(plan, edge);
    plan->edge_count++;
    return GM_OK;
}

/* A name that comes again in a pattern is the same twin. */
static gm_rc find_node(struct gm_plan *plan, struct gm_str alias, const struct gm_query_edge *edge,
                       int *out_index, struct gm_err *err)
{
    *out_index = gm_plan_find(plan, alias);
    if (*out_index < 0) {
        *out_index = add_collection(plan, false, alias);
    } else if (plan->collections[*out_index].relationship) {
        return gm_fail(err, GM_E_INVALID,
                       "line %d, column %d: expected a twin, found the relationship `" GM_STR_FMT
                       "`",
                       edge->line, edge->column, GM_STR_ARG(alias));
    }
    return GM_OK;
}

static gm_rc add_match(struct gm_plan *plan, struct gm_err *err)
{
    const struct gm_query *query = plan->query;
    int node = add_collection(plan, false, query->nodes[0]);
    for (size_t i = 0; i < query->edge_count; i++) {
        const struct gm_query_edge *tree = &query->edges[i];
        struct gm_plan_edge *edge = &plan->edges[plan->edge_count++];
        *edge = (struct gm_plan_edge){.from = node,
                                      .relationship = -1,
                                      .names = tree->names,
                                      .name_count = tree->name_count,
                                      .direction = tree->direction,
                                      .hops_min = tree->hops_min,
                                      .hops_max = tree->hops_max};
        GM_TRY(find_node(plan, query->nodes[i + 1], tree, &edge->to, err));
        if (edge->hops_max == 1) {
            GM_TRY(check_new(plan, tree->variable, tree->line, tree->column, err));
            edge->relationship = add_collection(plan, true, tree->variable);
            set_ends(plan, edge);
        }
        node = edge->to;
    }
    return GM_OK;
}

static gm_rc add_collections(struct gm_plan *plan, struct gm_err *err)
{
    const struct gm_query *query = plan->query;
    if (query->node_count > 0) {
        if (query->alias.n > 0) {
            return gm_fail(err, GM_E_INVALID,
                           "line %d, column %d: expected no name for the collection, since MATCH "
                           "names its twins",
                           query->line, query->column);
        }
        return add_match(plan, err);
    }
    int first = add_collection(plan, query->relationships, query->alias);
    if (query->relationships) {
        (void)snprintf(plan->collections[first].source_id, GM_PLAN_SQL_NAME_SIZE, "s0.id");
        (void)snprintf(plan->collections[first].target_id, GM_PLAN_SQL_NAME_SIZE, "e0.id");
    }
    for (size_t i = 0; i < query->join_count; i++) {
        GM_TRY(add_join(plan, &query->joins[i], err));
    }
    return GM_OK;
}

/* ---- what rows need ---- */

static gm_rc resolve_selects(struct gm_plan *plan, struct gm_err *err)
{
    const struct gm_query *query = plan->query;
    plan->collections[0].selected = query->all;
    plan->selects =
        gm_arena_zalloc(plan->arena, (query->select_count + 1) * sizeof(plan->selects[0]));
    if (plan->selects == NULL) {
        return gm_fail(err, GM_E_LIMIT, "the query is too large");
    }
    for (size_t i = 0; i < query->select_count; i++) {
        const struct gm_query_select *tree = &query->selects[i];
        struct gm_plan_select path = {.segments = tree->segments,
                                      .segment_count = tree->segment_count,
                                      .name = tree->name,
                                      .line = tree->line,
                                      .column = tree->column};
        if (tree->segment_count == 0) {
            continue; /* COUNT() */
        }
        GM_TRY(gm_plan_resolve(plan, &path, &plan->selects[i], err));
        plan->collections[plan->selects[i].collection].selected = true;
    }
    return GM_OK;
}

/* ---- ranges ---- */

/* Whether the term pins twins by their ids: then the engine starts there, and ranges would only
 * repeat that. */
static bool pins_id(const struct gm_expr *term)
{
    static const char *const names[] = {"$dtId", "$sourceId", "$targetId"};
    bool equals = term->type == GM_EXPR_COMPARE && term->op == GM_OP_EQ;
    bool within = term->type == GM_EXPR_IN && !term->negated;
    const struct gm_expr *path = equals || within ? term->args[0] : NULL;
    bool pins = false;
    for (size_t i = 0; path != NULL && path->type == GM_EXPR_PATH && i < GM_ARRAY_COUNT(names);
         i++) {
        pins = pins || gm_str_same(path->segments[path->segment_count - 1], gm_str_z(names[i]));
    }
    return pins;
}

/* Keeps in `set` what is in `other` too; both ascend. */
static void intersect(struct gm_model_set *set, const struct gm_model_set *other)
{
    size_t n = 0;
    for (size_t i = 0, k = 0; i < set->count; i++) {
        while (k < other->count && other->nums[k] < set->nums[i]) {
            k++;
        }
        if (k < other->count && other->nums[k] == set->nums[i]) {
            set->nums[n++] = set->nums[i];
        }
    }
    set->count = n;
}

static gm_rc set_ranges(struct gm_plan *plan, const struct gm_model_set *set, struct gm_err *err)
{
    plan->ranged = true;
    plan->ranges = gm_arena_alloc(plan->arena, (set->count + 1) * sizeof(plan->ranges[0]));
    if (plan->ranges == NULL) {
        return gm_fail(err, GM_E_LIMIT, "the query is too large");
    }
    for (size_t i = 0; i < set->count; i++) {
        struct gm_plan_range range = {set->nums[i] << 32, (set->nums[i] << 32) + UINT32_MAX};
        if (plan->range_count > 0 && plan->ranges[plan->range_count - 1].high + 1 == range.low) {
            plan->ranges[plan->range_count - 1].high = range.high;
        } else {
            plan->ranges[plan->range_count++] = range;
        }
    }
    return GM_OK;
}

static void find_pins(struct gm_plan *plan)
{
    for (size_t i = 0; i < plan->terms.count; i++) {
        plan->pinned = plan->pinned || pins_id(plan->terms.at[i]);
    }
}

/* Takes the terms about the first collection's model out and makes ranges of them. */
static gm_rc take_ranges(struct gm_plan *plan, struct gm_err *err)
{
    struct gm_expr_list *terms = &plan->terms;
    /* Ranges are walked one after the other, which is not an order that somebody asked for, nor
     * that of ids, in which the past is told. */
    if (plan->pinned || plan->collections[0].relationship || plan->whole != NULL || plan->in_past) {
        return GM_OK;
    }
    struct gm_model_set all = {NULL, 0};
    size_t kept = 0;
    for (size_t i = 0; i < terms->count; i++) {
        struct gm_model_test test;
        GM_TRY(gm_plan_model_test(plan, terms->at[i], &test, err));
        if (!test.is || test.collection != 0) {
            terms->at[kept++] = terms->at[i];
        } else if (all.nums == NULL) {
            all = test.set;
        } else {
            intersect(&all, &test.set);
        }
    }
    terms->count = kept;
    return all.nums != NULL ? set_ranges(plan, &all, err) : GM_OK;
}

/* ---- legs ---- */

static gm_rc count_legs(struct gm_plan *plan, struct gm_err *err)
{
    plan->leg_count = 1;
    int tables = plan->collection_count + 2;
    for (int i = 0; i < plan->edge_count; i++) {
        const struct gm_plan_edge *edge = &plan->edges[i];
        plan->leg_count *= (size_t)(edge->hops_max - edge->hops_min + 1);
        int per_hop = edge->direction == GM_QUERY_ANY ? 2 : 1;
        tables += edge->relationship < 0 ? edge->hops_max * per_hop : 0;
        if (plan->leg_count > GM_QUERY_LEGS_MAX || tables > GM_PLAN_TABLES_MAX) {
            return gm_fail(
                err, GM_E_INVALID,
                "the pattern is too long: at most %d combinations of hops and %d twins and "
                "relationships on a path",
                GM_QUERY_LEGS_MAX, GM_PLAN_TABLES_MAX);
        }
    }
    return GM_OK;
}

gm_rc gm_plan_make(struct gm_plan *plan, struct gm_db *db, struct gm_err *err)
{
    plan->lookup = -1;
    plan->in_past = plan->query->in_past;
    plan->twins_z = plan->in_past ? "past_twins" : "twins";
    plan->relationships_z = plan->in_past ? "past_relationships" : "relationships";
    GM_TRY(add_collections(plan, err));
    GM_TRY(resolve_selects(plan, err));
    GM_TRY(gm_plan_make_whole(plan, err));
    if (plan->query->where != NULL) {
        GM_TRY(gm_plan_flatten(plan->arena, plan->query->where, GM_EXPR_AND, &plan->terms, err));
        find_pins(plan);
        GM_TRY(gm_plan_find_lookups(plan, db, err));
        GM_TRY(take_ranges(plan, err));
    }
    return count_legs(plan, err);
}

/* ---- counting ---- */

bool gm_plan_counts_models(const struct gm_plan *plan)
{
    return plan->query->count && plan->collection_count == 1 && !plan->query->relationships &&
           !plan->in_past && !plan->pinned && plan->terms.count == 0;
}

static bool in_ranges(const struct gm_plan *plan, int64_t model_num)
{
    bool in = !plan->ranged;
    for (size_t i = 0; i < plan->range_count && !in; i++) {
        in = model_num << 32 >= plan->ranges[i].low && model_num << 32 <= plan->ranges[i].high;
    }
    return in;
}

gm_rc gm_plan_count_twins(const struct gm_plan *plan, struct gm_db *db, int64_t *out_count,
                          struct gm_err *err)
{
    struct gm_stmt *stmt;
    int64_t count = 0;
    gm_rc rc;
    GM_TRY(gm_db_prepare(db, GM_SQL_MODEL_COUNTS, &stmt, err));
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        count += in_ranges(plan, gm_column_i64(stmt, 0)) ? gm_column_i64(stmt, 1) : 0;
    }
    gm_stmt_finalize(stmt);
    *out_count = count;
    return rc == GM_E_END ? GM_OK : rc;
}
