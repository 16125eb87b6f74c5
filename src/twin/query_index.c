/* Conditions that an index of values (values.h) answers.
 *
 * Whether an index helps depends on the values, so it is asked: how many entries fit, counted up to
 * a bound. The condition itself stays in the statement; the index only says where to look. */
#include "base/num.h"
#include "twin/query_plan.h"
#include "twin/values.h"
#include "twin_sql.h"

enum { PROBES_MAX = 8, FEW_ENTRIES = 100, ITEMS_MAX = 1000 /* of IN */ };

/* ---- which conditions ---- */

static bool is_number(const struct gm_expr *expr)
{
    return expr->type == GM_EXPR_INT || expr->type == GM_EXPR_DOUBLE;
}

/* All of one type that an index has: numbers, or texts. */
static bool are_literals(struct gm_expr *const *items, size_t count, bool *out_is_text)
{
    bool numbers = count > 0 && count <= ITEMS_MAX, texts = numbers;
    for (size_t i = 0; i < count && (numbers || texts); i++) {
        numbers = numbers && is_number(items[i]);
        texts = texts && items[i]->type == GM_EXPR_STRING;
    }
    *out_is_text = texts;
    return numbers || texts;
}

/* The path of a condition of a form that an index answers; NULL: none. */
static const struct gm_expr *path_of(const struct gm_expr *term, bool *out_is_text)
{
    const struct gm_expr *path = NULL;
    switch (term->type) {
    case GM_EXPR_COMPARE: {
        bool turned = term->args[1]->type == GM_EXPR_PATH;
        path = term->args[turned ? 1 : 0];
        if (term->op == GM_OP_NE || !are_literals(&term->args[turned ? 0 : 1], 1, out_is_text)) {
            return NULL;
        }
        break;
    }
    case GM_EXPR_IN:
        path = term->args[0];
        if (term->negated || !are_literals(term->args + 1, term->arg_count - 1, out_is_text)) {
            return NULL;
        }
        break;
    case GM_EXPR_CALL:
        path = term->args[0];
        if (term->function != GM_FN_STARTSWITH || term->arg_count != 2 ||
            !are_literals(term->args + 1, 1, out_is_text) || !*out_is_text ||
            term->args[1]->string.n == 0) {
            return NULL;
        }
        break;
    default:
        return NULL;
    }
    return path->type == GM_EXPR_PATH ? path : NULL;
}

/* A property in a twin's body: not what starts with a `$`. */
static bool find_property(const struct gm_plan *plan, const struct gm_expr *path,
                          struct gm_plan_lookup *lookup)
{
    struct gm_plan_select resolved = {.segments = path->segments,
                                      .segment_count = path->segment_count};
    struct gm_err ignored;
    if (gm_plan_resolve(plan, &resolved, &resolved, &ignored) != GM_OK ||
        plan->collections[resolved.collection].relationship || resolved.segment_count == 0) {
        return false;
    }
    for (size_t i = 0; i < resolved.segment_count; i++) {
        if (resolved.segments[i].n == 0 || resolved.segments[i].p[0] == '$') {
            return false;
        }
    }
    lookup->collection = resolved.collection;
    lookup->path =
        gm_dialect_path(plan->engine, plan->arena, resolved.segments, resolved.segment_count);
    return lookup->path.p != NULL;
}

static void find_terms(struct gm_plan *plan)
{
    for (size_t i = 0; i < plan->terms.count && plan->lookup_count < GM_PLAN_LOOKUPS_MAX; i++) {
        struct gm_plan_lookup lookup = {.term = plan->terms.at[i], .entries = -1};
        const struct gm_expr *path = path_of(lookup.term, &lookup.is_text);
        if (path != NULL && find_property(plan, path, &lookup)) {
            plan->lookups[plan->lookup_count++] = lookup;
        }
    }
}

static gm_rc find_indexes(struct gm_plan *plan, struct gm_db *db, struct gm_err *err)
{
    struct gm_stmt *stmt;
    gm_rc rc;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_VALUE_INDEXES_READY, &stmt, err));
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        for (int i = 0; i < plan->lookup_count; i++) {
            if (gm_str_eq(plan->lookups[i].path, gm_column_text(stmt, 1))) {
                plan->lookups[i].index = gm_column_i64(stmt, 0);
            }
        }
    }
    return rc == GM_E_END ? GM_OK : rc;
}

/* ---- conditions on entries ---- */

/* The first characters, as many as an index has. */
static struct gm_str beginning(struct gm_str text, bool *out_cut)
{
    size_t characters = 0, i = 0;
    while (i < text.n) {
        characters += ((unsigned char)text.p[i] & 0xC0) != 0x80;
        if (characters > GM_VALUE_TEXT_MAX) {
            break;
        }
        i++;
    }
    *out_cut = i < text.n;
    return (struct gm_str){text.p, i};
}

static struct gm_str literal_piece(struct gm_sql *sql, const struct gm_expr *literal, bool *out_cut)
{
    *out_cut = false;
    int param = literal->type == GM_EXPR_INT ? gm_sql_i64(sql, literal->i)
                : literal->type == GM_EXPR_DOUBLE
                    ? gm_sql_double(sql, literal->d)
                    : gm_sql_text(sql, beginning(literal->string, out_cut));
    enum gm_sql_kind kind = literal->type == GM_EXPR_STRING ? GM_SQL_TEXT : GM_SQL_NUMBER;
    return gm_sql_render(sql, sql->dialect->param_z[kind], &(struct gm_sql_args){.param = param});
}

/* v.value compared with the literal. Of a text that is cut only its beginning is known. */
static void add_comparison(struct gm_sql *sql, enum gm_expr_op op, const struct gm_expr *literal)
{
    bool cut;
    struct gm_sql_args args = {.a = literal_piece(sql, literal, &cut)};
    bool loose = literal->type == GM_EXPR_STRING;
    const char *piece_z = op == GM_OP_EQ   ? "v.value = %1"
                          : op == GM_OP_LT ? (loose ? "v.value <= %1" : "v.value < %1")
                          : op == GM_OP_LE ? "v.value <= %1"
                          : op == GM_OP_GT ? (loose ? "v.value >= %1" : "v.value > %1")
                                           : "v.value >= %1";
    gm_sql_add(sql, piece_z, &args);
}

static enum gm_expr_op turned(enum gm_expr_op op)
{
    switch (op) {
    case GM_OP_LT:
        return GM_OP_GT;
    case GM_OP_LE:
        return GM_OP_GE;
    case GM_OP_GT:
        return GM_OP_LT;
    case GM_OP_GE:
        return GM_OP_LE;
    default:
        return op;
    }
}

/* From the beginning on to what comes behind all that start with it: its last character one higher,
 * where that is plain ASCII; else the whole tail, which the condition itself sorts out. */
static void add_prefix(struct gm_sql *sql, const struct gm_expr *literal)
{
    bool cut;
    struct gm_str text = beginning(literal->string, &cut);
    add_comparison(sql, GM_OP_GE, literal);
    if (text.n == 0 || (unsigned char)text.p[text.n - 1] >= 0x7e) {
        return;
    }
    char *end = gm_arena_alloc(sql->arena, text.n);
    if (end == NULL) {
        return;
    }
    memcpy(end, text.p, text.n);
    end[text.n - 1]++;
    int param = gm_sql_text(sql, (struct gm_str){end, text.n});
    gm_sql_add(sql, " AND v.value < ", NULL);
    gm_sql_add(sql, sql->dialect->param_z[GM_SQL_TEXT], &(struct gm_sql_args){.param = param});
}

static void add_items(struct gm_sql *sql, const struct gm_expr *term)
{
    bool cut;
    for (size_t i = 1; i < term->arg_count; i++) {
        gm_sql_add(sql, i == 1 ? "v.value IN (%1" : ", %1",
                   &(struct gm_sql_args){.a = literal_piece(sql, term->args[i], &cut)});
    }
    gm_sql_add(sql, ")", NULL);
}

/* "twin_numbers AS v WHERE v.property = … AND v.value …" */
static void add_entries(struct gm_sql *sql, const struct gm_plan_lookup *lookup)
{
    const struct gm_expr *term = lookup->term;
    int param = gm_sql_i64(sql, lookup->index);
    gm_sql_add(sql, lookup->is_text ? "twin_texts" : "twin_numbers", NULL);
    gm_sql_add(sql, " AS v WHERE v.property = ", NULL);
    gm_sql_add(sql, sql->dialect->int_param_z, &(struct gm_sql_args){.param = param});
    gm_sql_add(sql, " AND ", NULL);
    if (term->type == GM_EXPR_IN) {
        add_items(sql, term);
    } else if (term->type == GM_EXPR_CALL) {
        add_prefix(sql, term->args[1]);
    } else if (term->args[0]->type == GM_EXPR_PATH) {
        add_comparison(sql, term->op, term->args[1]);
    } else {
        add_comparison(sql, turned(term->op), term->args[0]);
    }
}

void gm_plan_add_lookup(const struct gm_plan *plan, struct gm_sql *sql)
{
    const struct gm_plan_lookup *lookup = &plan->lookups[plan->lookup];
    gm_sql_add(sql, "%b.num IN (SELECT v.twin FROM ",
               &(struct gm_sql_args){.body_z = plan->collections[lookup->collection].table});
    add_entries(sql, lookup);
    gm_sql_add(sql, ")", NULL);
}

/* ---- choosing ---- */

static gm_rc count_entries(const struct gm_plan *plan, struct gm_db *db,
                           struct gm_plan_lookup *lookup, struct gm_err *err)
{
    struct gm_sql sql;
    struct gm_stmt *stmt = NULL;
    gm_sql_init(&sql, plan->engine, plan->arena);
    gm_sql_add(&sql, "SELECT COUNT(*) FROM (SELECT 1 FROM ", NULL);
    add_entries(&sql, lookup);
    int param = gm_sql_i64(&sql, GM_PLAN_LOOKUP_MAX + 1);
    gm_sql_add(&sql, " LIMIT ", NULL);
    gm_sql_add(&sql, sql.dialect->int_param_z, &(struct gm_sql_args){.param = param});
    gm_sql_add(&sql, ") AS p", NULL);
    gm_rc rc = gm_sql_finish(&sql, err);
    rc = rc == GM_OK ? gm_db_prepare(db, sql.text.p, &stmt, err) : rc;
    if (rc == GM_OK) {
        gm_sql_bind_all(stmt, &sql);
        rc = gm_step(stmt, err);
        lookup->entries = rc == GM_OK ? gm_column_i64(stmt, 0) : -1;
        gm_stmt_finalize(stmt);
    }
    gm_sql_deinit(&sql);
    return rc;
}

gm_rc gm_plan_find_lookups(struct gm_plan *plan, struct gm_db *db, struct gm_err *err)
{
    if (db == NULL || plan->pinned || plan->in_past) {
        return GM_OK;
    }
    find_terms(plan);
    if (plan->lookup_count == 0) {
        return GM_OK;
    }
    GM_TRY(find_indexes(plan, db, err));
    int64_t fewest = GM_PLAN_LOOKUP_MAX + 1;
    for (int i = 0, probes = 0; i < plan->lookup_count && probes < PROBES_MAX; i++) {
        struct gm_plan_lookup *lookup = &plan->lookups[i];
        if (lookup->index == 0 || fewest <= FEW_ENTRIES) {
            continue;
        }
        GM_TRY(count_entries(plan, db, lookup, err));
        probes++;
        if (lookup->entries < fewest) {
            fewest = lookup->entries;
            plan->lookup = i;
        }
    }
    plan->pinned = plan->lookup >= 0;
    return GM_OK;
}
