/* A query that orders or groups, as one statement:
 *
 *     SELECT place, what is selected
 *     FROM (SELECT * FROM (
 *               [SELECT groups, aggregates FROM (]
 *                   leg UNION ALL leg …               -- places and cells, no documents
 *               [) AS u GROUP BY groups]
 *           ) AS g WHERE behind the last page ORDER BY place LIMIT n) AS q,
 *          twins AS l0, …                             -- documents of the page alone
 *     ORDER BY place
 *
 * A row's place is what it is ordered by and then what tells it apart: so pages continue where the
 * last one ended whatever is written meanwhile. Only cells are sorted, never documents; both
 * engines keep a bounded part of that in memory and the rest in temporary files. */
#include <stdio.h>

#include "twin/query_plan.h"

enum { COLUMN_SIZE = 12 };

/* A column of a row's place. */
struct place {
    char column[COLUMN_SIZE]; /* "c3n" */
    bool descending;
};

struct building {
    const struct gm_plan *plan;
    const struct gm_plan_whole *whole;
    struct gm_plan_leg *leg;
    struct gm_buf *text;
    struct place places[GM_PLAN_KEYS_MAX];
    int place_count;
};

static void add_place(struct building *building, enum gm_plan_key_kind kind, bool descending,
                      const char *column_z)
{
    GM_ASSERT(building->place_count < GM_PLAN_KEYS_MAX);
    struct place *place = &building->places[building->place_count];
    place->descending = descending;
    (void)snprintf(place->column, sizeof(place->column), "%s", column_z);
    building->leg->key_kinds[building->place_count++] = kind;
}

/* A cell's or aggregate's columns of the given letters. */
static void add_places(struct building *building, char prefix, int index, const char *letters_z,
                       bool descending)
{
    for (const char *letter = letters_z; *letter != '\0'; letter++) {
        char column[COLUMN_SIZE];
        (void)snprintf(column, sizeof(column), "%c%d%c", prefix, index, *letter);
        enum gm_plan_key_kind kind = *letter == 'r'   ? GM_PLAN_KEY_INT
                                     : *letter == 'n' ? GM_PLAN_KEY_NUMBER
                                                      : GM_PLAN_KEY_TEXT;
        add_place(building, kind, descending, column);
    }
}

/* The columns that tell one group's cell from another's, the same from page to page. */
static const char *letters_of(const struct gm_plan *plan, const struct gm_plan_cell *cell)
{
    if (cell->path.segment_count > 0) {
        return "rnt";
    }
    bool relationship = plan->collections[cell->path.collection].relationship;
    return plan->in_past ? (relationship ? "xt" : "t") : relationship ? "nt" : "n";
}

/* `leg` has the kinds of its own keys, which come behind what is ordered by. */
static void lay_places(struct building *building, const struct gm_plan_leg *leg)
{
    const struct gm_plan_whole *whole = building->whole;
    for (int i = 0; i < whole->order_count; i++) {
        const struct gm_plan_order *order = &whole->orders[i];
        add_places(building, order->aggregate ? 'a' : 'c', order->index, "rnt", order->descending);
    }
    for (int i = 0; i < whole->group_count; i++) {
        add_places(building, 'c', i, letters_of(building->plan, &whole->cells[i]), false);
    }
    for (int i = 0; i < leg->key_count && !whole->grouped; i++) {
        char column[COLUMN_SIZE];
        (void)snprintf(column, sizeof(column), "k%d", i);
        add_place(building, leg->key_kinds[i], false, column);
    }
}

static void add_z(struct building *building, const char *text_z)
{
    gm_buf_add_z(building->text, text_z);
}

/* ---- groups ---- */

/* The numbers and the texts of a cell, each NULL where the value is of another type. */
static void add_aggregate(struct building *building, int index)
{
    const struct gm_plan_aggregate *aggregate = &building->whole->aggregates[index];
    struct gm_sql *sql = &building->leg->sql;
    char cell[16], numbers[96], texts[96];
    (void)snprintf(cell, sizeof(cell), "u.c%d", aggregate->cell);
    (void)snprintf(numbers, sizeof(numbers), "CASE WHEN %sr %s THEN %sn END", cell,
                   aggregate->function >= GM_QUERY_MIN ? "IN (3, 7)" : "= 3", cell);
    (void)snprintf(texts, sizeof(texts), "CASE WHEN %sr = 4 THEN %st END", cell, cell);
    struct gm_sql_args args = {.body_z = cell, .a = gm_str_z(numbers), .b = gm_str_z(texts)};
    const char *rank_z = "3", *number_z = "COUNT(*)", *text_z = sql->dialect->empty_text_z;
    switch (aggregate->function) {
    case GM_QUERY_COUNT:
        number_z = aggregate->cell < 0 ? number_z : "COUNT(CASE WHEN %br > 0 THEN 1 END)";
        break;
    case GM_QUERY_SUM:
    case GM_QUERY_AVG:
        rank_z = "CASE WHEN COUNT(%1) > 0 THEN 3 ELSE 0 END";
        number_z = "COALESCE(SUM(%1), 0)";
        break;
    case GM_QUERY_MIN:
        rank_z = "CASE WHEN COUNT(%1) > 0 THEN MAX(CASE WHEN %br IN (3, 7) THEN %br END) "
                 "WHEN COUNT(%2) > 0 THEN 4 ELSE 0 END";
        number_z = "COALESCE(MIN(%1), 0)";
        text_z = "CASE WHEN COUNT(%1) > 0 THEN '' ELSE COALESCE(MIN(%2), '') END";
        break;
    default:
        rank_z = "CASE WHEN COUNT(%2) > 0 THEN 4 WHEN COUNT(%1) > 0 THEN "
                 "MAX(CASE WHEN %br IN (3, 7) THEN %br END) ELSE 0 END";
        number_z = "CASE WHEN COUNT(%2) > 0 THEN 0 ELSE COALESCE(MAX(%1), 0) END";
        text_z = "COALESCE(MAX(%2), '')";
        break;
    }
    gm_sql_add(sql, ", ", NULL);
    gm_sql_add(sql, rank_z, &args);
    gm_buf_addf(building->text, " AS a%dr, ", index);
    if (aggregate->function == GM_QUERY_AVG) {
        args.a = gm_sql_render(sql, sql->dialect->average_z, &args);
        number_z = "COALESCE(%1, 0)";
    }
    gm_sql_add(sql, number_z, &args);
    gm_buf_addf(building->text, " AS a%dn, ", index);
    gm_sql_add(sql, text_z, &args);
    gm_buf_addf(building->text, " AS a%dt", index);
}

/* "c0r, c0n, c0t" of what is grouped by, each behind `prefix_z`. */
static void add_group_columns(struct building *building, const char *prefix_z)
{
    for (int i = 0; i < building->whole->group_count; i++) {
        for (const char *letter = building->whole->cells[i].path.segment_count == 0 ? "rntx"
                                                                                    : "rnt";
             *letter != '\0'; letter++) {
            gm_buf_addf(building->text, "%su.c%d%c", i == 0 && *letter == 'r' ? prefix_z : ", ", i,
                        *letter);
        }
    }
}

static void begin_groups(struct building *building)
{
    add_z(building, "SELECT 0 AS one");
    add_group_columns(building, ", ");
    for (int i = 0; i < building->whole->aggregate_count; i++) {
        add_aggregate(building, i);
    }
    add_z(building, " FROM (");
}

/* ---- places ---- */

static void add_order(struct building *building, const char *table_z)
{
    const char *collate_z = building->leg->sql.dialect->collate_z;
    for (int i = 0; i < building->place_count; i++) {
        const struct place *place = &building->places[i];
        bool is_text = building->leg->key_kinds[i] == GM_PLAN_KEY_TEXT;
        gm_buf_addf(building->text, "%s%s.%s%s%s", i == 0 ? " ORDER BY " : ", ", table_z,
                    place->column, is_text ? collate_z : "", place->descending ? " DESC" : "");
    }
}

/* Columns from `first` on that are ordered the same way. */
static int end_of_run(const struct building *building, int first)
{
    int end = first + 1;
    while (end < building->place_count &&
           building->places[end].descending == building->places[first].descending) {
        end++;
    }
    return end;
}

/* "(g.k0, g.k1) > ($1, $2)" of one run. */
static void add_run(struct building *building, int first, const char *operator_z,
                    const struct gm_str *params)
{
    const char *collate_z = building->leg->sql.dialect->collate_z;
    int end = end_of_run(building, first);
    for (int i = first; i < end; i++) {
        bool is_text = building->leg->key_kinds[i] == GM_PLAN_KEY_TEXT;
        gm_buf_addf(building->text, "%sg.%s%s", i == first ? "(" : ", ", building->places[i].column,
                    is_text ? collate_z : "");
    }
    gm_buf_addf(building->text, ") %s ", operator_z);
    for (int i = first; i < end; i++) {
        add_z(building, i == first ? "(" : ", ");
        gm_buf_add(building->text, params[i]);
    }
    add_z(building, ")");
}

/* Behind the place: run0 > $0 OR run0 = $0 AND run1 < $1 OR …, since orders may go either way. It
 * stays flat, because SQLite bounds how deep parentheses nest. */
static void add_after(struct building *building)
{
    struct gm_plan_leg *leg = building->leg;
    struct gm_sql *sql = &leg->sql;
    struct gm_str params[GM_PLAN_KEYS_MAX];
    for (int i = 0; i < building->place_count; i++) {
        enum gm_plan_key_kind kind = leg->key_kinds[i];
        int param = gm_sql_i64(sql, 0);
        leg->after_param = i == 0 ? param : leg->after_param;
        params[i] =
            gm_sql_render(sql,
                          kind == GM_PLAN_KEY_TEXT     ? sql->dialect->text_param_z
                          : kind == GM_PLAN_KEY_NUMBER ? sql->dialect->param_z[GM_SQL_NUMBER]
                                                       : sql->dialect->int_param_z,
                          &(struct gm_sql_args){.param = param});
    }
    add_z(building, " WHERE ");
    for (int run = 0; run < building->place_count; run = end_of_run(building, run)) {
        add_z(building, run > 0 ? " OR " : "");
        for (int before = 0; before < run; before = end_of_run(building, before)) {
            add_run(building, before, "=", params);
            add_z(building, " AND ");
        }
        add_run(building, run, building->places[run].descending ? "<" : ">", params);
    }
}

/* ---- documents ---- */

static bool is_late(const struct building *building, int collection)
{
    return building->whole->identities[collection] >= 0;
}

static void add_late_columns(struct building *building, int index)
{
    const struct gm_plan *plan = building->plan;
    struct gm_plan_collection collection = plan->collections[index];
    char table[16];
    (void)snprintf(table, sizeof(table), "l%d", index);
    (void)snprintf(collection.source_id, sizeof(collection.source_id),
                   "(SELECT n.id FROM %s AS n WHERE n.num = %s.source)", plan->twins_z, table);
    (void)snprintf(collection.target_id, sizeof(collection.target_id),
                   "(SELECT n.id FROM %s AS n WHERE n.num = %s.target)", plan->twins_z, table);
    gm_plan_add_columns(plan, &building->leg->sql, &collection, table);
}

static void add_items(struct building *building)
{
    const struct gm_plan *plan = building->plan;
    for (int i = 0; i < plan->collection_count && !building->whole->grouped; i++) {
        if (is_late(building, i)) {
            add_late_columns(building, i);
        }
    }
    for (size_t i = 0; building->whole->grouped && i < plan->query->select_count; i++) {
        const struct gm_plan_item *item = &building->whole->items[i];
        const struct gm_plan_select *path = &building->whole->cells[item->index].path;
        if (!item->aggregate && path->segment_count == 0) {
            add_late_columns(building, path->collection);
            continue;
        }
        char prefix = item->aggregate ? 'a' : 'c';
        gm_buf_addf(building->text, ", q.%c%dr, q.%c%dn, q.%c%dt", prefix, item->index, prefix,
                    item->index, prefix, item->index);
    }
}

static void add_late_tables(struct building *building)
{
    const struct gm_plan *plan = building->plan;
    const char *word_z = " WHERE ";
    for (int i = 0; i < plan->collection_count; i++) {
        if (is_late(building, i)) {
            gm_buf_addf(building->text, " CROSS JOIN %s AS l%d",
                        plan->collections[i].relationship ? plan->relationships_z : plan->twins_z,
                        i);
        }
    }
    for (int i = 0; i < plan->collection_count; i++) {
        int cell = building->whole->identities[i];
        if (cell < 0) {
            continue;
        }
        bool by_num = !plan->in_past;
        add_z(building, word_z);
        if (plan->collections[i].relationship) {
            gm_buf_addf(building->text, "l%d.source = q.c%dn AND l%d.id = q.c%dt", i, cell, i,
                        cell);
        } else {
            gm_buf_addf(building->text, by_num ? "l%d.num = q.c%dn" : "l%d.id = q.c%dt", i, cell);
        }
        word_z = " AND ";
    }
}

/* ---- the whole ---- */

static gm_rc add_legs(struct building *building, struct gm_plan_leg *leg, struct gm_err *err)
{
    for (size_t i = 0; i < building->plan->leg_count; i++) {
        add_z(building, i > 0 ? " UNION ALL " : "");
        GM_TRY(gm_plan_leg_add_cells(building->plan, i, leg, err));
    }
    /* Keeps a single leg from being merged into the select that makes groups, where SQLite does not
     * take the views of the past apart. */
    const struct gm_plan *plan = building->plan;
    bool alone = plan->leg_count == 1 && building->whole->grouped;
    add_z(building, alone && plan->in_past && plan->engine == GM_DB_SQLITE ? " LIMIT -1" : "");
    return GM_OK;
}

/* The inner part into `inner`, so that the kinds of the legs' keys are known when the outer part,
 * which stands in front of it, is written. */
static gm_rc build_inner(struct building *building, struct gm_err *err)
{
    const struct gm_plan_whole *whole = building->whole;
    if (whole->grouped) {
        begin_groups(building);
    }
    GM_TRY(add_legs(building, building->leg, err));
    if (whole->grouped) {
        add_z(building, ") AS u");
        add_group_columns(building, " GROUP BY ");
    }
    return GM_OK;
}

static void build_outer(struct building *building, const struct gm_buf *inner, bool after)
{
    struct gm_plan_leg *leg = building->leg;
    struct gm_sql *sql = &leg->sql;
    const struct gm_plan_leg keys = *leg;
    lay_places(building, &keys);
    leg->key_count = building->place_count;
    add_z(building, building->place_count == 0 ? "SELECT q.one" : "SELECT ");
    for (int i = 0; i < building->place_count; i++) {
        gm_buf_addf(building->text, "%sq.%s", i > 0 ? ", " : "", building->places[i].column);
    }
    add_items(building);
    add_z(building, " FROM (SELECT * FROM (");
    gm_buf_add(building->text, gm_buf_str(inner));
    add_z(building, ") AS g");
    if (after && building->place_count > 0) {
        add_after(building);
    }
    if (building->place_count > 0) {
        add_order(building, "g");
        leg->limit_param = gm_sql_i64(sql, 0);
        gm_sql_add(sql, " LIMIT ", NULL);
        gm_sql_add(sql, sql->dialect->int_param_z,
                   &(struct gm_sql_args){.param = leg->limit_param});
    }
    add_z(building, ") AS q");
    add_late_tables(building);
    add_order(building, "q");
}

gm_rc gm_plan_whole_make(const struct gm_plan *plan, bool after, struct gm_plan_leg *out_leg,
                         struct gm_err *err)
{
    *out_leg = (struct gm_plan_leg){0};
    struct gm_sql *sql = &out_leg->sql;
    gm_sql_init(sql, plan->engine, plan->arena);
    struct building *building = gm_alloc(sizeof(*building));
    *building =
        (struct building){.plan = plan, .whole = plan->whole, .leg = out_leg, .text = &sql->text};
    gm_rc rc = build_inner(building, err);
    if (rc == GM_OK) {
        struct gm_buf inner = sql->text;
        gm_buf_init(&sql->text, GM_QUERY_SQL_SIZE_MAX);
        build_outer(building, &inner, after);
        sql->failed = sql->failed || gm_buf_failed(&inner);
        gm_buf_deinit(&inner);
        rc = gm_plan_leg_finish(out_leg, err);
    }
    gm_free(building);
    return rc;
}
