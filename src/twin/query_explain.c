/* How a query is run, for people. */
#include "twin/past.h"
#include "twin/query_plan.h"

typedef gm_rc (*leg_fn)(void *ctx, const struct gm_plan_leg *leg, struct gm_err *err);

/* Every statement of the plan. */
static gm_rc each_leg(const struct gm_plan *plan, leg_fn fn, void *ctx, struct gm_err *err)
{
    size_t count = plan->whole != NULL ? 1 : plan->leg_count;
    for (size_t i = 0; i < count; i++) {
        struct gm_plan_leg leg;
        struct gm_plan_leg_options options = {.index = i, .ranged = plan->ranged};
        gm_rc rc = plan->whole != NULL ? gm_plan_whole_make(plan, false, &leg, err)
                                       : gm_plan_leg_make(plan, &options, &leg, err);
        rc = rc == GM_OK ? fn(ctx, &leg, err) : rc;
        gm_sql_deinit(&leg.sql);
        GM_TRY(rc);
    }
    return GM_OK;
}

/* ---- statements alone ---- */

static gm_rc add_statement(void *ctx, const struct gm_plan_leg *leg, struct gm_err *err)
{
    (void)err;
    struct gm_buf *out = ctx;
    gm_buf_addf(out, GM_STR_FMT "\n", GM_STR_ARG(gm_buf_str(&leg->sql.text)));
    return GM_OK;
}

gm_rc gm_query_explain(struct gm_str text, const struct gm_models *models, enum gm_db_engine engine,
                       struct gm_buf *out, struct gm_err *err)
{
    char note[GM_ERR_TEXT_SIZE];
    struct gm_query query;
    struct gm_plan *plan = gm_plan_new(models, engine, note);
    gm_rc rc = gm_query_parse(plan->arena, text, &query, err);
    plan->query = &query;
    rc = rc == GM_OK ? gm_plan_make(plan, NULL, err) : rc;
    rc = rc == GM_OK ? each_leg(plan, add_statement, out, err) : rc;
    gm_plan_free(plan);
    return rc;
}

/* ---- the plan on a store ---- */

struct explaining {
    struct gm_db *db;
    struct gm_buf *out;
};

static void add_term_place(struct gm_buf *out, const struct gm_plan_lookup *lookup)
{
    gm_buf_addf(out, "condition at line %d, column %d on " GM_STR_FMT, (int)lookup->term->line,
                (int)lookup->term->column, GM_STR_ARG(lookup->path));
}

static void add_lookups(const struct gm_plan *plan, int64_t twins, struct gm_buf *out)
{
    for (int i = 0; i < plan->lookup_count; i++) {
        const struct gm_plan_lookup *lookup = &plan->lookups[i];
        add_term_place(out, lookup);
        if (i == plan->lookup) {
            gm_buf_addf(out, ": starts from its index, %lld entries\n", (long long)lookup->entries);
        } else if (lookup->index != 0 && lookup->entries > GM_PLAN_LOOKUP_MAX) {
            gm_buf_addf(out, ": has an index, but more than %d entries fit, so it is not used\n",
                        GM_PLAN_LOOKUP_MAX);
        } else if (lookup->index != 0) {
            gm_buf_add_z(out, ": has an index, another is better\n");
        } else {
            gm_buf_addf(out,
                        ": no index; up to %lld twins are looked at. One is made by the running "
                        "service when such queries come again and again\n",
                        (long long)twins);
        }
    }
}

static void add_start(const struct gm_plan *plan, int64_t twins, struct gm_buf *out)
{
    if (gm_plan_counts_models(plan)) {
        gm_buf_addf(out, "answered from the counts of models: %lld twins\n", (long long)twins);
    } else if (plan->lookup < 0 && plan->pinned) {
        gm_buf_add_z(out, "starts from ids\n");
    } else if (plan->lookup < 0 && plan->query->relationships) {
        gm_buf_add_z(out, "walks through all relationships\n");
    } else if (plan->lookup < 0) {
        gm_buf_addf(out, "walks through the twins%s: %lld\n", plan->ranged ? " of some models" : "",
                    (long long)twins);
    }
    if (plan->ranged) {
        gm_buf_addf(out, "in %zu ranges of the table, a statement each\n", plan->range_count);
    }
}

/* What SQLite makes of the statement; PostgreSQL's EXPLAIN takes no parameters. */
static gm_rc add_engine_plan(void *ctx, const struct gm_plan_leg *leg, struct gm_err *err)
{
    struct explaining *explaining = ctx;
    struct gm_buf *out = explaining->out, text;
    struct gm_stmt *stmt = NULL;
    gm_buf_addf(out, "\n" GM_STR_FMT "\n", GM_STR_ARG(gm_buf_str(&leg->sql.text)));
    if (gm_db_engine(explaining->db) != GM_DB_SQLITE) {
        return GM_OK;
    }
    gm_buf_init(&text, GM_QUERY_SQL_SIZE_MAX + 32);
    gm_buf_addf(&text, "EXPLAIN QUERY PLAN " GM_STR_FMT, GM_STR_ARG(gm_buf_str(&leg->sql.text)));
    gm_buf_add_char(&text, '\0');
    gm_rc rc = gm_db_prepare(explaining->db, text.p, &stmt, err);
    while (rc == GM_OK && (rc = gm_step(stmt, err)) == GM_OK) {
        gm_buf_addf(out, "    " GM_STR_FMT "\n", GM_STR_ARG(gm_column_text(stmt, 3)));
    }
    gm_stmt_finalize(stmt);
    gm_buf_deinit(&text);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc explain_here(struct gm_db *db, struct gm_plan *plan, struct gm_buf *out,
                          struct gm_err *err)
{
    struct explaining explaining = {db, out};
    int64_t twins;
    if (plan->query->in_past) {
        GM_TRY(gm_past_begin(db, plan->models, plan->query->as_of, err));
        gm_buf_add_z(out, "on the graph as it was, made from the change log\n");
    }
    GM_TRY(gm_plan_make(plan, db, err));
    GM_TRY(gm_plan_count_twins(plan, db, &twins, err));
    add_start(plan, twins, out);
    add_lookups(plan, twins, out);
    return each_leg(plan, add_engine_plan, &explaining, err);
}

gm_rc gm_query_explain_plan(struct gm_db *db, struct gm_str text, const struct gm_models *models,
                            struct gm_buf *out, struct gm_err *err)
{
    char note[GM_ERR_TEXT_SIZE];
    struct gm_query query;
    struct gm_plan *plan = gm_plan_new(models, gm_db_engine(db), note);
    gm_rc rc = gm_query_parse(plan->arena, text, &query, err);
    plan->query = &query;
    rc = rc == GM_OK ? gm_query_add_functions(db, err) : rc;
    rc = rc == GM_OK && plan->query->in_past ? gm_past_prepare(db, err) : rc;
    rc = rc == GM_OK ? gm_db_begin_snapshot(db, err) : rc;
    if (rc == GM_OK) {
        rc = explain_here(db, plan, out, err);
        if (plan->query->in_past) {
            gm_past_end(db);
        }
        gm_db_rollback(db);
    }
    gm_plan_free(plan);
    return rc;
}
