/* A leg of a plan as one SQL statement:
 *
 *     SELECT keys, columns of what is selected
 *     FROM twins AS t0, relationships AS r1, twins AS t2, …
 *     WHERE how they hang together AND the conditions AND the range AND behind the last page
 *     ORDER BY keys LIMIT n
 *
 * The keys tell a row's place: the first twin's number, then each relationship. Which relationships
 * were taken, and from which twin on, tells everything else, so keys are unique. In the order of
 * JOINs they are the order in which SQLite walks the tables by itself, so that nothing is
 * sorted. */
#include <stdio.h>

#include "twin/query_plan.h"

/* One step along a relationship. */
struct hop {
    char relationship[8];   /* its table's name */
    char middle[8];         /* table of the twin it leads to, when that is in a pattern's middle */
    struct gm_str from, to; /* SQL of the numbers of the twins that it joins */
    const struct gm_plan_edge *edge;
    bool last; /* of its edge */
};

struct assembly {
    const struct gm_plan *plan;
    struct gm_plan_leg *leg;
    struct hop hops[GM_PLAN_TABLES_MAX];
    int hop_count;
    const char *key_z[GM_PLAN_KEYS_MAX];
    char key_text[GM_PLAN_KEYS_MAX][16];
};

static void add(struct assembly *assembly, const char *piece_z)
{
    gm_sql_add(&assembly->leg->sql, piece_z, NULL);
}

static void add_pair(struct assembly *assembly, const char *piece_z, const char *a_z,
                     const char *b_z)
{
    gm_sql_add(&assembly->leg->sql, piece_z,
               &(struct gm_sql_args){.a = gm_str_z(a_z), .b = gm_str_z(b_z)});
}

static bool needs_ends(const struct gm_plan *plan)
{
    return plan->query->relationships && (!plan->query->count || plan->query->where != NULL);
}

/* ---- hops ---- */

/* The number of hops of each edge in this leg: the leg's index in mixed radix, the last edge
 * fastest. */
static int hops_of(const struct gm_plan *plan, int edge_index, size_t leg_index)
{
    for (int i = plan->edge_count - 1; i > edge_index; i--) {
        leg_index /= (size_t)(plan->edges[i].hops_max - plan->edges[i].hops_min + 1);
    }
    const struct gm_plan_edge *edge = &plan->edges[edge_index];
    return edge->hops_min + (int)(leg_index % (size_t)(edge->hops_max - edge->hops_min + 1));
}

/* Where the hop leads: to a twin of the query, or to one in the middle of a pattern. That needs a
 * table of its own only where it may stand at either end of the relationship. */
static struct gm_str place_behind(struct assembly *assembly, struct hop *hop)
{
    const struct gm_plan_edge *edge = hop->edge;
    struct gm_sql *sql = &assembly->leg->sql;
    struct gm_sql_args args = {.body_z = hop->relationship};
    if (hop->last) {
        args.body_z = assembly->plan->collections[edge->to].table;
        return gm_sql_render(sql, "%b.num", &args);
    }
    if (edge->direction != GM_QUERY_ANY) {
        return gm_sql_render(sql, edge->direction == GM_QUERY_OUT ? "%b.target" : "%b.source",
                             &args);
    }
    (void)snprintf(hop->middle, sizeof(hop->middle), "m%d", (int)(hop - assembly->hops));
    args.body_z = hop->middle;
    return gm_sql_render(sql, "%b.num", &args);
}

/* Appends the hops of one edge. */
static void lay_edge(struct assembly *assembly, const struct gm_plan_edge *edge, int count)
{
    const struct gm_plan *plan = assembly->plan;
    struct gm_sql_args start = {.body_z = plan->collections[edge->from].table};
    struct gm_str place = gm_sql_render(&assembly->leg->sql, "%b.num", &start);
    for (int i = 0; i < count; i++) {
        int index = assembly->hop_count++;
        struct hop *hop = &assembly->hops[index];
        hop->edge = edge;
        hop->from = place;
        if (edge->relationship >= 0) {
            memcpy(hop->relationship, plan->collections[edge->relationship].table,
                   sizeof(hop->relationship));
        } else {
            (void)snprintf(hop->relationship, sizeof(hop->relationship), "h%d", index);
        }
        hop->last = i == count - 1;
        hop->to = place_behind(assembly, hop);
        place = hop->to;
    }
}

static void lay_hops(struct assembly *assembly, size_t leg_index)
{
    for (int i = 0; i < assembly->plan->edge_count; i++) {
        lay_edge(assembly, &assembly->plan->edges[i], hops_of(assembly->plan, i, leg_index));
    }
}

/* ---- SELECT ---- */

static void add_key(struct assembly *assembly, const char *table_z, const char *column_z,
                    bool is_text)
{
    struct gm_plan_leg *leg = assembly->leg;
    GM_ASSERT(leg->key_count < GM_PLAN_KEYS_MAX);
    char *text = assembly->key_text[leg->key_count];
    (void)snprintf(text, sizeof(assembly->key_text[0]), "%s.%s", table_z, column_z);
    assembly->key_z[leg->key_count] = text;
    leg->key_is_text[leg->key_count++] = is_text;
}

static void lay_keys(struct assembly *assembly)
{
    const struct gm_plan *plan = assembly->plan;
    if (plan->query->relationships) {
        add_key(assembly, "r0", "source", false);
        add_key(assembly, "r0", "id", true);
        return;
    }
    add_key(assembly, plan->collections[0].table, "num", false);
    for (int i = 0; i < assembly->hop_count; i++) {
        const struct hop *hop = &assembly->hops[i];
        if (hop->edge->direction != GM_QUERY_OUT) {
            add_key(assembly, hop->relationship, "source", false);
        }
        add_key(assembly, hop->relationship, "id", true);
    }
}

static void add_columns(struct assembly *assembly)
{
    const struct gm_plan *plan = assembly->plan;
    struct gm_sql *sql = &assembly->leg->sql;
    if (plan->query->count) {
        add(assembly, "SELECT COUNT(*)");
        return;
    }
    for (int i = 0; i < assembly->leg->key_count; i++) {
        add_pair(assembly, i == 0 ? "SELECT %1" : ", %1", assembly->key_z[i], "");
    }
    for (int i = 0; i < plan->collection_count; i++) {
        const struct gm_plan_collection *collection = &plan->collections[i];
        struct gm_sql_args args = {.body_z = collection->table,
                                   .a = gm_str_z(collection->source_id),
                                   .b = gm_str_z(collection->target_id)};
        if (collection->selected) {
            gm_sql_add(
                sql,
                collection->relationship
                    ? ", %b.source, %b.id, %b.name, %1, %2, %b.version, %b.body"
                    : ", %b.num, %b.id, %b.version, %b.created, %b.updated, %b.times, %b.body",
                &args);
        }
    }
}

/* ---- FROM ---- */

/* Where ids pin some twins, the engine finds the best order by itself. Where none do, it is told to
 * go along the pattern, so that rows come in their order and the first page needs no sorting of
 * all. */
static const char *separator(const struct gm_plan *plan)
{
    return plan->pinned ? ", " : " CROSS JOIN ";
}

static void add_twins(struct assembly *assembly, const char *table_z)
{
    add(assembly, separator(assembly->plan));
    add_pair(assembly, "twins AS %1", table_z, "");
}

/* The tables of a hop: its relationship, and the twin it leads to unless that is there already. */
static void add_hop_tables(struct assembly *assembly, const struct hop *hop, uint64_t *there)
{
    add(assembly, separator(assembly->plan));
    add_pair(assembly, "relationships AS %1", hop->relationship, "");
    if (hop->middle[0] != '\0') {
        add_twins(assembly, hop->middle);
    } else if (hop->last && (*there >> hop->edge->to & 1) == 0) {
        add_twins(assembly, assembly->plan->collections[hop->edge->to].table);
        *there |= (uint64_t)1 << hop->edge->to;
    }
}

static void add_tables(struct assembly *assembly)
{
    const struct gm_plan *plan = assembly->plan;
    const struct gm_plan_collection *first = &plan->collections[0];
    uint64_t there = 1; /* bits: collections in the list */
    add_pair(assembly, first->relationship ? " FROM relationships AS %1" : " FROM twins AS %1",
             first->table, "");
    if (needs_ends(plan)) {
        add(assembly, ", twins AS s0, twins AS e0");
    }
    for (int i = 0; i < assembly->hop_count; i++) {
        add_hop_tables(assembly, &assembly->hops[i], &there);
    }
}

/* ---- WHERE ---- */

static void begin_term(struct assembly *assembly, bool *first)
{
    add(assembly, *first ? " WHERE " : " AND ");
    *first = false;
}

static void add_names(struct assembly *assembly, const struct hop *hop)
{
    struct gm_sql *sql = &assembly->leg->sql;
    add_pair(assembly, "%1.name IN (", hop->relationship, "");
    for (size_t i = 0; i < hop->edge->name_count; i++) {
        struct gm_sql_args args = {.param = gm_sql_text(sql, hop->edge->names[i])};
        add(assembly, i == 0 ? "" : ", ");
        gm_sql_add(sql, sql->dialect->text_param_z, &args);
    }
    add(assembly, ")");
}

/* How the hop's relationship hangs together with the twins at its ends. In the middle of a directed
 * pattern the far end is the relationship's own column, which the next hop takes up. */
static void add_hop(struct assembly *assembly, const struct hop *hop, bool *first)
{
    struct gm_sql_args args = {.body_z = hop->relationship, .a = hop->from, .b = hop->to};
    const char *piece_z =
        "((%b.source = %1 AND %b.target = %2) OR (%b.target = %1 AND %b.source = %2))";
    if (hop->edge->direction == GM_QUERY_OUT) {
        piece_z = hop->last ? "%b.source = %1 AND %b.target = %2" : "%b.source = %1";
    } else if (hop->edge->direction == GM_QUERY_IN) {
        piece_z = hop->last ? "%b.target = %1 AND %b.source = %2" : "%b.target = %1";
    }
    begin_term(assembly, first);
    gm_sql_add(&assembly->leg->sql, piece_z, &args);
    if (hop->edge->name_count > 0) {
        begin_term(assembly, first);
        add_names(assembly, hop);
    }
}

/* A path takes each relationship once. JOINs are no path: two may take the same one. */
static void add_differences(struct assembly *assembly, bool *first)
{
    for (int i = 0; i < assembly->hop_count && assembly->plan->query->node_count > 0; i++) {
        for (int k = 0; k < i; k++) {
            begin_term(assembly, first);
            add_pair(assembly, "(%1.source <> %2.source OR %1.id <> %2.id)",
                     assembly->hops[k].relationship, assembly->hops[i].relationship);
        }
    }
}

static struct gm_str int_param(struct gm_sql *sql, int *out_param)
{
    *out_param = gm_sql_i64(sql, 0);
    return gm_sql_render(sql, sql->dialect->int_param_z,
                         &(struct gm_sql_args){.param = *out_param});
}

static void add_range(struct assembly *assembly, bool *first)
{
    struct gm_plan_leg *leg = assembly->leg;
    struct gm_sql_args args = {.body_z = assembly->plan->collections[0].table};
    begin_term(assembly, first);
    args.a = int_param(&leg->sql, &leg->low_param);
    args.b = int_param(&leg->sql, &leg->high_param);
    gm_sql_add(&leg->sql, "%b.num BETWEEN %1 AND %2", &args);
}

/* (k1, k2, …) > ($a, $b, …), and k1 >= $a by itself, which an index answers. */
static void add_after(struct assembly *assembly, bool *first)
{
    struct gm_plan_leg *leg = assembly->leg;
    struct gm_sql *sql = &leg->sql;
    begin_term(assembly, first);
    add(assembly, "(");
    for (int i = 0; i < leg->key_count; i++) {
        add_pair(assembly, i == 0 ? "%1" : ", %1", assembly->key_z[i], "");
    }
    add(assembly, ") > (");
    for (int i = 0; i < leg->key_count; i++) {
        bool is_text = leg->key_is_text[i];
        int param = is_text ? gm_sql_text(sql, (struct gm_str){NULL, 0}) : gm_sql_i64(sql, 0);
        leg->after_param = i == 0 ? param : leg->after_param;
        add(assembly, i == 0 ? "" : ", ");
        gm_sql_add(sql, is_text ? sql->dialect->text_param_z : sql->dialect->int_param_z,
                   &(struct gm_sql_args){.param = param});
    }
    add(assembly, ")");
    if (leg->key_count > 1) {
        struct gm_sql_args args = {.body_z = assembly->key_z[0], .param = leg->after_param};
        begin_term(assembly, first);
        gm_sql_add(sql, "%b >= ", &args);
        gm_sql_add(sql, sql->dialect->int_param_z, &args);
    }
}

static gm_rc add_where(struct assembly *assembly, const struct gm_plan_leg_options *options,
                       struct gm_err *err)
{
    const struct gm_plan *plan = assembly->plan;
    bool first = true;
    if (needs_ends(plan)) {
        begin_term(assembly, &first);
        add(assembly, "s0.num = r0.source AND e0.num = r0.target");
    }
    for (int i = 0; i < assembly->hop_count; i++) {
        add_hop(assembly, &assembly->hops[i], &first);
    }
    add_differences(assembly, &first);
    for (size_t i = 0; i < plan->terms.count; i++) {
        begin_term(assembly, &first);
        add(assembly, "(");
        GM_TRY(gm_plan_add_condition(plan, &assembly->leg->sql, plan->terms.at[i], err));
        add(assembly, ")");
    }
    if (options->ranged) {
        add_range(assembly, &first);
    }
    if (options->after) {
        add_after(assembly, &first);
    }
    return GM_OK;
}

/* ---- the whole ---- */

static void add_order(struct assembly *assembly)
{
    struct gm_plan_leg *leg = assembly->leg;
    if (assembly->plan->query->count) {
        return;
    }
    for (int i = 0; i < leg->key_count; i++) {
        add_pair(assembly, i == 0 ? " ORDER BY %1" : ", %1", assembly->key_z[i], "");
    }
    struct gm_str limit = int_param(&leg->sql, &leg->limit_param);
    gm_sql_add(&leg->sql, " LIMIT %1", &(struct gm_sql_args){.a = limit});
}

gm_rc gm_plan_leg_make(const struct gm_plan *plan, const struct gm_plan_leg_options *options,
                       struct gm_plan_leg *out_leg, struct gm_err *err)
{
    *out_leg = (struct gm_plan_leg){0};
    gm_sql_init(&out_leg->sql, plan->engine, plan->arena);
    struct assembly *assembly = gm_alloc(sizeof(*assembly));
    assembly->plan = plan;
    assembly->leg = out_leg;
    lay_hops(assembly, options->index);
    lay_keys(assembly);
    add_columns(assembly);
    add_tables(assembly);
    gm_rc rc = add_where(assembly, options, err);
    add_order(assembly);
    gm_free(assembly);
    GM_TRY(rc);
    GM_TRY(gm_sql_finish(&out_leg->sql, err));
    int *const places[] = {&out_leg->low_param, &out_leg->high_param, &out_leg->limit_param,
                           &out_leg->after_param};
    for (size_t i = 0; i < GM_ARRAY_COUNT(places); i++) {
        *places[i] = out_leg->sql.numbers[*places[i]];
    }
    return GM_OK;
}
