/* What a query orders and groups by, or makes distinct: from the tree to cells. */
#include "twin/query_plan.h"

enum { CELLS_MAX = GM_QUERY_SELECT_MAX + 4 * GM_PLAN_ORDERS_MAX + GM_PLAN_COLLECTIONS_MAX };

static bool same_path(const struct gm_plan_select *a, const struct gm_plan_select *b)
{
    bool same = a->collection == b->collection && a->segment_count == b->segment_count;
    for (size_t i = 0; same && i < a->segment_count; i++) {
        same = gm_str_eq(a->segments[i], b->segments[i]);
    }
    return same;
}

static int find_cell(const struct gm_plan_whole *whole, const struct gm_plan_select *path)
{
    for (int i = 0; i < whole->cell_count; i++) {
        if (same_path(&whole->cells[i].path, path)) {
            return i;
        }
    }
    return -1;
}

static int add_cell(struct gm_plan_whole *whole, const struct gm_plan_select *path)
{
    int found = find_cell(whole, path);
    if (found < 0) {
        GM_ASSERT(whole->cell_count < CELLS_MAX);
        found = whole->cell_count++;
        whole->cells[found].path = *path;
    }
    return found;
}

static gm_rc resolve(const struct gm_plan *plan, const struct gm_query_select *tree,
                     struct gm_plan_select *out_path, struct gm_err *err)
{
    struct gm_plan_select path = {.segments = tree->segments,
                                  .segment_count = tree->segment_count,
                                  .name = tree->name,
                                  .line = tree->line,
                                  .column = tree->column};
    return gm_plan_resolve(plan, &path, out_path, err);
}

/* ---- aggregates ---- */

static gm_rc add_aggregate(struct gm_plan *plan, const struct gm_query_select *tree, int *out_index,
                           struct gm_err *err)
{
    struct gm_plan_whole *whole = plan->whole;
    struct gm_plan_aggregate aggregate = {.function = tree->aggregate, .cell = -1};
    if (tree->segment_count > 0) {
        struct gm_plan_select path;
        GM_TRY(resolve(plan, tree, &path, err));
        if (path.segment_count == 0) {
            return gm_fail(err, GM_E_INVALID,
                           "line %d, column %d: expected a property to aggregate, found a "
                           "collection",
                           tree->line, tree->column);
        }
        aggregate.cell = add_cell(whole, &path);
    }
    for (int i = 0; i < whole->aggregate_count; i++) {
        const struct gm_plan_aggregate *there = &whole->aggregates[i];
        if (there->function == aggregate.function && there->cell == aggregate.cell) {
            *out_index = i;
            return GM_OK;
        }
    }
    whole->aggregates[whole->aggregate_count] = aggregate;
    *out_index = whole->aggregate_count++;
    return GM_OK;
}

/* ---- groups ---- */

static gm_rc add_groups(struct gm_plan *plan, struct gm_err *err)
{
    const struct gm_query *query = plan->query;
    struct gm_plan_whole *whole = plan->whole;
    for (size_t i = 0; i < query->group_count; i++) {
        struct gm_plan_select path;
        GM_TRY(resolve(plan, &query->groups[i], &path, err));
        (void)add_cell(whole, &path);
    }
    for (size_t i = 0; query->distinct && i < query->select_count; i++) {
        if (query->selects[i].aggregate != GM_QUERY_NO_AGGREGATE || query->group_count > 0) {
            return gm_fail(err, GM_E_INVALID,
                           "line %d, column %d: expected properties or collections behind "
                           "DISTINCT; groups are distinct already",
                           query->selects[i].line, query->selects[i].column);
        }
        (void)add_cell(whole, &plan->selects[i]);
    }
    whole->group_count = whole->cell_count;
    if (whole->group_count > GM_PLAN_ORDERS_MAX) {
        return gm_fail(err, GM_E_INVALID, "rows can be told apart by at most %d columns",
                       GM_PLAN_ORDERS_MAX);
    }
    return GM_OK;
}

static gm_rc not_grouped(const struct gm_query_select *tree, struct gm_err *err)
{
    return gm_fail(err, GM_E_INVALID,
                   "line %d, column %d: expected an aggregate, or what GROUP BY or DISTINCT names, "
                   "found `" GM_STR_FMT "`",
                   tree->line, tree->column, GM_STR_ARG(tree->name));
}

static gm_rc add_items(struct gm_plan *plan, struct gm_err *err)
{
    const struct gm_query *query = plan->query;
    struct gm_plan_whole *whole = plan->whole;
    if (query->all) {
        return gm_fail(err, GM_E_INVALID,
                       "line 1, column 1: expected what GROUP BY names behind SELECT, found `*`");
    }
    for (size_t i = 0; i < query->select_count; i++) {
        const struct gm_query_select *tree = &query->selects[i];
        struct gm_plan_item *item = &whole->items[i];
        item->aggregate = tree->aggregate != GM_QUERY_NO_AGGREGATE;
        if (item->aggregate) {
            GM_TRY(add_aggregate(plan, tree, &item->index, err));
            continue;
        }
        item->index = find_cell(whole, &plan->selects[i]);
        if (item->index < 0 || item->index >= whole->group_count) {
            return not_grouped(tree, err);
        }
        if (plan->selects[i].segment_count == 0) {
            whole->identities[plan->selects[i].collection] = item->index;
        }
    }
    return GM_OK;
}

/* ---- order ---- */

/* A name of the SELECT list stands for what it names; -1: it is none. */
static int find_select(const struct gm_plan *plan, const struct gm_query_select *by)
{
    const struct gm_query *query = plan->query;
    for (size_t i = 0; i < query->select_count && by->segment_count == 1; i++) {
        if (by->aggregate == GM_QUERY_NO_AGGREGATE && gm_plan_find(plan, by->segments[0]) < 0 &&
            gm_str_eq(query->selects[i].name, by->segments[0])) {
            return (int)i;
        }
    }
    return -1;
}

static gm_rc order_by_path(struct gm_plan *plan, const struct gm_query_select *by,
                           const struct gm_plan_select *path, struct gm_plan_order *order,
                           struct gm_err *err)
{
    struct gm_plan_whole *whole = plan->whole;
    if (path->segment_count == 0) {
        return gm_fail(err, GM_E_INVALID,
                       "line %d, column %d: expected a property behind `" GM_STR_FMT ".`", by->line,
                       by->column, GM_STR_ARG(by->name));
    }
    order->index = whole->grouped ? find_cell(whole, path) : add_cell(whole, path);
    bool grouped = order->index >= 0 && (!whole->grouped || order->index < whole->group_count);
    return grouped ? GM_OK : not_grouped(by, err);
}

static gm_rc add_order(struct gm_plan *plan, const struct gm_query_order *tree, struct gm_err *err)
{
    struct gm_plan_whole *whole = plan->whole;
    struct gm_plan_order *order = &whole->orders[whole->order_count++];
    struct gm_plan_select path;
    const struct gm_query_select *by = &tree->by;
    int select = find_select(plan, by);
    *order = (struct gm_plan_order){.descending = tree->descending};
    if (select >= 0) {
        by = &plan->query->selects[select];
    }
    if (by->aggregate != GM_QUERY_NO_AGGREGATE) {
        if (!whole->grouped) {
            return gm_fail(err, GM_E_INVALID,
                           "line %d, column %d: expected GROUP BY beside an aggregate in ORDER BY",
                           by->line, by->column);
        }
        order->aggregate = true;
        return add_aggregate(plan, by, &order->index, err);
    }
    GM_TRY(resolve(plan, by, &path, err));
    return order_by_path(plan, by, &path, order, err);
}

/* ---- the whole ---- */

static bool has_aggregates(const struct gm_query *query)
{
    for (size_t i = 0; i < query->select_count; i++) {
        if (query->selects[i].aggregate != GM_QUERY_NO_AGGREGATE) {
            return true;
        }
    }
    return false;
}

static gm_rc new_whole(struct gm_plan *plan, struct gm_err *err)
{
    const size_t items = plan->query->select_count + 1;
    const size_t aggregates = items + GM_PLAN_ORDERS_MAX;
    struct gm_plan_whole *whole = gm_arena_zalloc(plan->arena, sizeof(*whole));
    if (whole != NULL) {
        whole->cells = gm_arena_zalloc(plan->arena, CELLS_MAX * sizeof(whole->cells[0]));
        whole->items = gm_arena_zalloc(plan->arena, items * sizeof(whole->items[0]));
        whole->aggregates = gm_arena_zalloc(plan->arena, aggregates * sizeof(whole->aggregates[0]));
    }
    if (whole == NULL || whole->cells == NULL || whole->items == NULL ||
        whole->aggregates == NULL) {
        return gm_fail(err, GM_E_LIMIT, "the query is too large");
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(whole->identities); i++) {
        whole->identities[i] = -1;
    }
    for (int i = 0; i < plan->edge_count; i++) {
        whole->hop_slots += plan->edges[i].hops_max;
    }
    plan->whole = whole;
    return GM_OK;
}

gm_rc gm_plan_make_whole(struct gm_plan *plan, struct gm_err *err)
{
    const struct gm_query *query = plan->query;
    bool aggregates = has_aggregates(query);
    bool distinct = query->distinct && !query->all; /* twins are distinct already */
    if (query->order_count == 0 && query->group_count == 0 && !aggregates && !distinct) {
        return GM_OK;
    }
    GM_TRY(new_whole(plan, err));
    struct gm_plan_whole *whole = plan->whole;
    whole->grouped = query->group_count > 0 || aggregates || distinct;
    whole->has_aggregates = aggregates;
    if (whole->grouped) {
        GM_TRY(add_groups(plan, err));
        GM_TRY(add_items(plan, err));
    }
    for (size_t i = 0; i < query->order_count; i++) {
        GM_TRY(add_order(plan, &query->orders[i], err));
    }
    for (int i = 0; i < plan->collection_count && !whole->grouped; i++) {
        struct gm_plan_select path = {.collection = i};
        whole->identities[i] = plan->collections[i].selected ? add_cell(whole, &path) : -1;
    }
    return GM_OK;
}
