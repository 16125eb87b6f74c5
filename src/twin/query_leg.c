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
    struct gm_str keys[GM_PLAN_KEYS_MAX]; /* SQL */
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

static void add_key(struct assembly *assembly, const char *piece_z, const char *table_z,
                    enum gm_plan_key_kind kind)
{
    struct gm_plan_leg *leg = assembly->leg;
    GM_ASSERT(leg->key_count < GM_PLAN_KEYS_MAX);
    assembly->keys[leg->key_count] =
        gm_sql_render(&leg->sql, piece_z, &(struct gm_sql_args){.body_z = table_z});
    leg->key_kinds[leg->key_count++] = kind;
}

/* A twin's place; in the past by its id, since numbers of twins that are gone are made up. */
static void add_twin_key(struct assembly *assembly, const char *table_z)
{
    bool in_past = assembly->plan->in_past;
    add_key(assembly, in_past ? "%b.id" : "%b.num", table_z,
            in_past ? GM_PLAN_KEY_TEXT : GM_PLAN_KEY_INT);
}

static void add_source_key(struct assembly *assembly, const char *table_z)
{
    if (assembly->plan->in_past) {
        add_key(assembly, "(SELECT n.id FROM past_twins AS n WHERE n.num = %b.source)", table_z,
                GM_PLAN_KEY_TEXT);
    } else {
        add_key(assembly, "%b.source", table_z, GM_PLAN_KEY_INT);
    }
}

static void lay_keys(struct assembly *assembly)
{
    const struct gm_plan *plan = assembly->plan;
    if (plan->query->relationships) {
        add_source_key(assembly, "r0");
        add_key(assembly, "%b.id", "r0", GM_PLAN_KEY_TEXT);
        return;
    }
    add_twin_key(assembly, plan->collections[0].table);
    for (int i = 0; i < assembly->hop_count; i++) {
        const struct hop *hop = &assembly->hops[i];
        if (hop->edge->direction != GM_QUERY_OUT) {
            add_source_key(assembly, hop->relationship);
        }
        add_key(assembly, "%b.id", hop->relationship, GM_PLAN_KEY_TEXT);
    }
}

/* The same kinds of keys whatever the number of hops: the leg, the first twin, and for each hop
 * that any leg has the relationship's source and id. */
static void lay_uniform_keys(struct assembly *assembly, size_t leg_index)
{
    const struct gm_plan *plan = assembly->plan;
    char index[24];
    (void)snprintf(index, sizeof(index), "%zu", leg_index);
    add_key(assembly, "%b", index, GM_PLAN_KEY_INT);
    if (plan->query->relationships) {
        lay_keys(assembly);
        return;
    }
    add_twin_key(assembly, plan->collections[0].table);
    for (int i = 0; i < plan->whole->hop_slots; i++) {
        if (i < assembly->hop_count) {
            add_source_key(assembly, assembly->hops[i].relationship);
            add_key(assembly, "%b.id", assembly->hops[i].relationship, GM_PLAN_KEY_TEXT);
        } else {
            const char *empty_z = assembly->leg->sql.dialect->empty_text_z;
            add_key(assembly, plan->in_past ? empty_z : "0", "",
                    plan->in_past ? GM_PLAN_KEY_TEXT : GM_PLAN_KEY_INT);
            add_key(assembly, empty_z, "", GM_PLAN_KEY_TEXT);
        }
    }
}

void gm_plan_add_columns(const struct gm_plan *plan, struct gm_sql *sql,
                         const struct gm_plan_collection *collection, const char *table_z)
{
    (void)plan;
    struct gm_sql_args args = {.body_z = table_z,
                               .a = gm_str_z(collection->source_id),
                               .b = gm_str_z(collection->target_id)};
    gm_sql_add(sql,
               collection->relationship
                   ? ", %b.source, %b.id, %b.name, %1, %2, %b.version, %b.body"
                   : ", %b.num, %b.id, %b.version, %b.created, %b.updated, %b.times, %b.body",
               &args);
}

static void add_columns(struct assembly *assembly)
{
    const struct gm_plan *plan = assembly->plan;
    struct gm_sql *sql = &assembly->leg->sql;
    if (plan->query->count) {
        /* The past is a view of two halves, which SQLite takes apart only where nothing is
         * aggregated. */
        add(assembly, plan->in_past ? "SELECT COUNT(*) FROM (SELECT 1 AS one" : "SELECT COUNT(*)");
        return;
    }
    for (int i = 0; i < assembly->leg->key_count; i++) {
        gm_sql_add(sql, i == 0 ? "SELECT %1" : ", %1",
                   &(struct gm_sql_args){.a = assembly->keys[i]});
    }
    for (int i = 0; i < plan->collection_count; i++) {
        const struct gm_plan_collection *collection = &plan->collections[i];
        if (collection->selected) {
            gm_plan_add_columns(plan, sql, collection, collection->table);
        }
    }
}

/* ---- cells ---- */

/* What stands for a collection itself. */
static void add_identity(struct assembly *assembly, const struct gm_plan_collection *collection,
                         int index)
{
    bool in_past = assembly->plan->in_past;
    struct gm_sql *sql = &assembly->leg->sql;
    const char *empty_z = sql->dialect->empty_text_z;
    struct gm_sql_args args = {.body_z = collection->table, .a = gm_str_z(collection->source_id)};
    gm_buf_addf(&sql->text, ", 0 AS c%dr, ", index);
    gm_sql_add(sql, collection->relationship ? "%b.source" : "%b.num", &args);
    gm_buf_addf(&sql->text, " AS c%dn, ", index);
    gm_sql_add(sql, collection->relationship || in_past ? "%b.id" : empty_z, &args);
    gm_buf_addf(&sql->text, " AS c%dt, ", index);
    gm_sql_add(sql, collection->relationship && in_past ? "%1" : empty_z, &args);
    gm_buf_addf(&sql->text, " AS c%dx", index);
}

static gm_rc add_cells(struct assembly *assembly, struct gm_err *err)
{
    const struct gm_plan *plan = assembly->plan;
    struct gm_sql *sql = &assembly->leg->sql;
    add(assembly, "SELECT 0 AS one");
    for (int i = 0; i < assembly->leg->key_count && !plan->whole->grouped; i++) {
        gm_sql_add(sql, ", %1", &(struct gm_sql_args){.a = assembly->keys[i]});
        gm_buf_addf(&sql->text, " AS k%d", i);
    }
    for (int i = 0; i < plan->whole->cell_count; i++) {
        const struct gm_plan_cell *cell = &plan->whole->cells[i];
        if (cell->path.segment_count == 0) {
            add_identity(assembly, &plan->collections[cell->path.collection], i);
        } else {
            GM_TRY(gm_plan_add_cell(plan, sql, cell, i, err));
        }
    }
    return GM_OK;
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
    add_pair(assembly, "%2 AS %1", table_z, assembly->plan->twins_z);
}

/* The tables of a hop: its relationship, and the twin it leads to unless that is there already. */
static void add_hop_tables(struct assembly *assembly, const struct hop *hop, uint64_t *there)
{
    add(assembly, separator(assembly->plan));
    add_pair(assembly, "%2 AS %1", hop->relationship, assembly->plan->relationships_z);
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
    add_pair(assembly, " FROM %2 AS %1", first->table,
             first->relationship ? plan->relationships_z : plan->twins_z);
    if (needs_ends(plan)) {
        add_pair(assembly, ", %1 AS s0, %1 AS e0", plan->twins_z, "");
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

static struct gm_str key_param(struct gm_sql *sql, enum gm_plan_key_kind kind, int *out_param)
{
    *out_param =
        kind == GM_PLAN_KEY_TEXT ? gm_sql_text(sql, (struct gm_str){NULL, 0}) : gm_sql_i64(sql, 0);
    return gm_sql_render(
        sql, kind == GM_PLAN_KEY_TEXT ? sql->dialect->text_param_z : sql->dialect->int_param_z,
        &(struct gm_sql_args){.param = *out_param});
}

/* (k1, k2, …) > ($a, $b, …), and k1 >= $a by itself, which an index answers. */
static void add_after(struct assembly *assembly, bool *first)
{
    struct gm_plan_leg *leg = assembly->leg;
    struct gm_sql *sql = &leg->sql;
    struct gm_str first_param = {NULL, 0};
    begin_term(assembly, first);
    add(assembly, "(");
    for (int i = 0; i < leg->key_count; i++) {
        gm_sql_add(sql, i == 0 ? "%1" : ", %1", &(struct gm_sql_args){.a = assembly->keys[i]});
    }
    add(assembly, ") > (");
    for (int i = 0; i < leg->key_count; i++) {
        int param;
        struct gm_str piece = key_param(sql, leg->key_kinds[i], &param);
        leg->after_param = i == 0 ? param : leg->after_param;
        first_param = i == 0 ? piece : first_param;
        gm_sql_add(sql, i == 0 ? "%1" : ", %1", &(struct gm_sql_args){.a = piece});
    }
    add(assembly, ")");
    if (leg->key_count > 1) {
        begin_term(assembly, first);
        gm_sql_add(sql, "%1 >= %2",
                   &(struct gm_sql_args){.a = assembly->keys[0], .b = first_param});
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
    if (plan->lookup >= 0) {
        begin_term(assembly, &first);
        gm_plan_add_lookup(plan, &assembly->leg->sql);
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
        /* Without the LIMIT the inner select would be merged into the one that counts. */
        bool sqlite = assembly->plan->engine == GM_DB_SQLITE;
        add(assembly, !assembly->plan->in_past ? "" : sqlite ? " LIMIT -1) AS c" : ") AS c");
        return;
    }
    for (int i = 0; i < leg->key_count; i++) {
        if (assembly->plan->in_past) { /* by column, as the halves of a view must be ordered */
            gm_buf_addf(&leg->sql.text, "%s%d", i == 0 ? " ORDER BY " : ", ", i + 1);
            continue;
        }
        gm_sql_add(&leg->sql, i == 0 ? " ORDER BY %1" : ", %1",
                   &(struct gm_sql_args){.a = assembly->keys[i]});
    }
    struct gm_str limit = int_param(&leg->sql, &leg->limit_param);
    gm_sql_add(&leg->sql, " LIMIT %1", &(struct gm_sql_args){.a = limit});
}

gm_rc gm_plan_leg_finish(struct gm_plan_leg *leg, struct gm_err *err)
{
    GM_TRY(gm_sql_finish(&leg->sql, err));
    int *const places[] = {&leg->low_param, &leg->high_param, &leg->limit_param, &leg->after_param};
    for (size_t i = 0; i < GM_ARRAY_COUNT(places); i++) {
        *places[i] = leg->sql.numbers[*places[i]];
    }
    return GM_OK;
}

static struct assembly *new_assembly(const struct gm_plan *plan, struct gm_plan_leg *leg,
                                     size_t leg_index)
{
    struct assembly *assembly = gm_alloc(sizeof(*assembly));
    assembly->plan = plan;
    assembly->leg = leg;
    lay_hops(assembly, leg_index);
    return assembly;
}

gm_rc gm_plan_leg_make(const struct gm_plan *plan, const struct gm_plan_leg_options *options,
                       struct gm_plan_leg *out_leg, struct gm_err *err)
{
    *out_leg = (struct gm_plan_leg){0};
    gm_sql_init(&out_leg->sql, plan->engine, plan->arena);
    struct assembly *assembly = new_assembly(plan, out_leg, options->index);
    lay_keys(assembly);
    add_columns(assembly);
    add_tables(assembly);
    gm_rc rc = add_where(assembly, options, err);
    add_order(assembly);
    gm_free(assembly);
    GM_TRY(rc);
    return gm_plan_leg_finish(out_leg, err);
}

gm_rc gm_plan_leg_add_cells(const struct gm_plan *plan, size_t index, struct gm_plan_leg *leg,
                            struct gm_err *err)
{
    const struct gm_plan_leg_options options = {.index = index};
    struct assembly *assembly = new_assembly(plan, leg, index);
    leg->key_count = 0;
    lay_uniform_keys(assembly, index);
    gm_rc rc = add_cells(assembly, err);
    add_tables(assembly);
    rc = rc == GM_OK ? add_where(assembly, &options, err) : rc;
    gm_free(assembly);
    return rc;
}
