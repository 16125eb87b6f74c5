/* Running a plan: legs and ranges one after the other, rows as JSON, pages. */
#include "twin/past.h"
#include "twin/query_plan.h"
#include "twin/twin_json.h"

struct run {
    struct gm_db *db;
    struct gm_plan *plan;
    const struct gm_query_request *request;
    struct gm_query_outcome *outcome;
    struct gm_arena *row_arena;
    int64_t want; /* rows of this page; -1: all */
    bool probe;   /* look for one row more, to know whether there is a next page */
    bool done;
    size_t bytes;                      /* of the rows delivered, about */
    int64_t count;                     /* of COUNT() */
    struct gm_query_position position; /* where it began; where the page ended, once it is full */
};

/* ---- rows ---- */

static gm_rc keep_position(struct run *run, const struct gm_plan_leg *leg, struct gm_stmt *stmt,
                           struct gm_err *err)
{
    run->position.key_count = leg->key_count;
    for (int i = 0; i < leg->key_count; i++) {
        struct gm_sql_param *key = &run->position.keys[i];
        enum gm_column_type type = gm_column_type(stmt, i);
        bool is_text = leg->key_kinds[i] == GM_PLAN_KEY_TEXT ||
                       (leg->key_kinds[i] == GM_PLAN_KEY_NUMBER && type == GM_COLUMN_TEXT);
        if (is_text) {
            key->type = GM_SQL_PARAM_TEXT;
            key->s = gm_arena_dup(run->plan->arena, gm_column_text(stmt, i));
        } else if (type == GM_COLUMN_DOUBLE) {
            key->type = GM_SQL_PARAM_DOUBLE;
            key->d = gm_column_double(stmt, i);
        } else {
            key->type = GM_SQL_PARAM_I64;
            key->i = gm_column_i64(stmt, i);
        }
        if (is_text && key->s.p == NULL) {
            return gm_fail(err, GM_E_LIMIT, "no room for the continuation token");
        }
    }
    return GM_OK;
}

static bool is_full(const struct run *run)
{
    size_t bytes_max = run->request->bytes_max;
    return (run->want >= 0 && (int64_t)run->outcome->rows >= run->want) ||
           (bytes_max > 0 && run->bytes >= bytes_max);
}

static gm_rc deliver(struct run *run, const struct gm_plan_leg *leg, struct gm_stmt *stmt,
                     struct gm_err *err)
{
    gm_arena_reset(run->row_arena);
    yyjson_mut_doc *doc = gm_json_doc_new(run->row_arena);
    if (doc == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for a row");
    }
    struct gm_plan_row row = {.plan = run->plan,
                              .stmt = stmt,
                              .doc = doc, /* a statement without keys has a filler */
                              .column = leg->key_count > 0 ? leg->key_count : 1};
    yyjson_mut_val *value;
    GM_TRY(gm_plan_row_make(&row, &value, err));
    run->outcome->rows++;
    run->bytes += row.bytes;
    if (is_full(run)) {
        GM_TRY(keep_position(run, leg, stmt, err));
        run->done = !run->probe;
    }
    return run->request->fn(run->request->ctx, doc, value, err);
}

/* ---- statements ---- */

/* Steps through what one execution gives. */
static gm_rc step_all(struct run *run, const struct gm_plan_leg *leg, struct gm_stmt *stmt,
                      struct gm_err *err)
{
    while (!run->done) {
        gm_rc rc = gm_step(stmt, err);
        if (rc != GM_OK) {
            return rc == GM_E_END ? GM_OK : rc;
        }
        if (run->plan->query->count) {
            run->count += gm_column_i64(stmt, 0);
        } else if (is_full(run)) {
            run->outcome->more = true;
            run->done = true;
        } else {
            GM_TRY(deliver(run, leg, stmt, err));
        }
    }
    gm_reset(stmt);
    return GM_OK;
}

static void bind_limit(const struct run *run, const struct gm_plan_leg *leg, struct gm_stmt *stmt)
{
    if (leg->limit_param == 0) {
        return;
    }
    int64_t limit =
        run->want < 0 ? INT64_MAX : run->want - (int64_t)run->outcome->rows + (run->probe ? 1 : 0);
    gm_bind_i64(stmt, leg->limit_param, limit);
}

static gm_rc step_ranges(struct run *run, const struct gm_plan_leg *leg, struct gm_stmt *stmt,
                         struct gm_err *err)
{
    const struct gm_plan *plan = run->plan;
    int64_t from = leg->after_param > 0 ? run->position.keys[0].i : INT64_MIN;
    for (size_t i = 0; i < plan->range_count && !run->done; i++) {
        if (plan->ranges[i].high < from) {
            continue;
        }
        gm_bind_i64(stmt, leg->low_param, plan->ranges[i].low);
        gm_bind_i64(stmt, leg->high_param, plan->ranges[i].high);
        bind_limit(run, leg, stmt);
        GM_TRY(step_all(run, leg, stmt, err));
    }
    return GM_OK;
}

/* Numbers come as the engine has them: PostgreSQL's as text. */
static bool fits(enum gm_sql_param_type type, enum gm_plan_key_kind kind)
{
    return kind == GM_PLAN_KEY_NUMBER || (type == GM_SQL_PARAM_TEXT) == (kind == GM_PLAN_KEY_TEXT);
}

static gm_rc bind_after(const struct run *run, const struct gm_plan_leg *leg, struct gm_stmt *stmt,
                        struct gm_err *err)
{
    if (leg->after_param == 0) {
        return GM_OK;
    }
    if (leg->key_count != run->position.key_count) {
        return gm_query_token_refuse(err);
    }
    for (int i = 0; i < leg->key_count; i++) {
        if (!fits(run->position.keys[i].type, leg->key_kinds[i])) {
            return gm_query_token_refuse(err);
        }
        gm_sql_bind(stmt, leg->after_param + i, &run->position.keys[i]);
    }
    return GM_OK;
}

static gm_rc run_statement(struct run *run, const struct gm_plan_leg *leg, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare(run->db, leg->sql.text.p, &stmt, err));
    gm_sql_bind_all(stmt, &leg->sql);
    gm_rc rc = bind_after(run, leg, stmt, err);
    if (rc == GM_OK && run->plan->ranged) {
        rc = step_ranges(run, leg, stmt, err);
    } else if (rc == GM_OK) {
        bind_limit(run, leg, stmt);
        rc = step_all(run, leg, stmt, err);
    }
    gm_stmt_finalize(stmt);
    return rc;
}

static gm_rc run_leg(struct run *run, size_t index, bool after, struct gm_err *err)
{
    struct gm_plan_leg leg;
    struct gm_plan_leg_options options = {
        .index = index, .ranged = run->plan->ranged, .after = after};
    gm_rc rc = run->plan->whole != NULL ? gm_plan_whole_make(run->plan, after, &leg, err)
                                        : gm_plan_leg_make(run->plan, &options, &leg, err);
    if (rc == GM_OK) {
        run->position.leg = is_full(run) ? run->position.leg : index;
        rc = run_statement(run, &leg, err);
    }
    gm_sql_deinit(&leg.sql);
    return rc;
}

static gm_rc deliver_count(struct run *run, struct gm_err *err)
{
    yyjson_mut_doc *doc = gm_json_doc_new(run->row_arena);
    yyjson_mut_val *row = doc != NULL ? yyjson_mut_obj(doc) : NULL;
    if (row == NULL || !yyjson_mut_obj_add_sint(doc, row, "COUNT", run->count)) {
        return gm_fail(err, GM_E_LIMIT, "no room for a row");
    }
    run->outcome->rows = 1;
    return run->request->fn(run->request->ctx, doc, row, err);
}

static gm_rc run_legs(struct run *run, struct gm_err *err)
{
    size_t first = run->position.leg;
    bool after = run->position.key_count > 0;
    size_t count = run->plan->whole != NULL ? 1 : run->plan->leg_count;
    for (size_t i = first; i < count && !run->done; i++) {
        GM_TRY(run_leg(run, i, after && i == first, err));
    }
    return run->plan->query->count ? deliver_count(run, err) : GM_OK;
}

/* ---- functions that the SQL calls ---- */

static void twin_etag(const struct gm_db_value *args, struct gm_buf *out)
{
    char etag[GM_ETAG_SIZE];
    size_t n = gm_twin_etag(args[0].i, args[1].i, etag);
    gm_buf_add(out, (struct gm_str){etag, n});
}

static void relationship_etag(const struct gm_db_value *args, struct gm_buf *out)
{
    char etag[GM_ETAG_SIZE];
    struct gm_relationship relationship = {
        .source = args[0].i, .version = args[1].i, .id = args[2].s};
    size_t n = gm_relationship_etag(&relationship, etag);
    gm_buf_add(out, (struct gm_str){etag, n});
}

gm_rc gm_query_add_functions(struct gm_db *db, struct gm_err *err)
{
    static const struct gm_db_function twin = {"gm_twin_etag", 2, twin_etag};
    static const struct gm_db_function relationship = {"gm_relationship_etag", 3,
                                                       relationship_etag};
    if (gm_db_engine(db) != GM_DB_SQLITE) {
        return GM_OK;
    }
    GM_TRY(gm_db_add_function(db, &twin, err));
    return gm_db_add_function(db, &relationship, err);
}

/* ---- the whole ---- */

/* How many rows this page may have: the page's size, and what TOP leaves. */
static void set_want(struct run *run)
{
    size_t rows_max = run->request->rows_max;
    int64_t left = run->position.left;
    bool page_is_bound = rows_max > 0 && (left < 0 || (uint64_t)left > rows_max);
    run->want = page_is_bound ? (int64_t)rows_max : left;
    run->probe = page_is_bound || run->request->bytes_max > 0;
}

/* A page that was full so soon has seen few twins, however many there are. */
static const gm_ns SHORT_WALK = 5 * GM_MS;

/* Says which indexes were used and which would have been. */
static gm_rc tell_accesses(struct run *run, gm_ns took, struct gm_err *err)
{
    const struct gm_plan *plan = run->plan;
    const struct gm_query_request *request = run->request;
    int64_t twins = 0;
    bool walked = plan->lookup < 0 && (!run->outcome->more || took > SHORT_WALK);
    if (request->on_access == NULL || plan->lookup_count == 0 || (plan->lookup < 0 && !walked)) {
        return GM_OK;
    }
    GM_TRY(gm_plan_count_twins(plan, run->db, &twins, err));
    for (int i = 0; i < plan->lookup_count; i++) {
        const struct gm_plan_lookup *lookup = &plan->lookups[i];
        bool wanted = walked && lookup->index == 0;
        if (wanted || i == plan->lookup) {
            request->on_access(request->access_ctx,
                               &(struct gm_query_access){.path = lookup->path,
                                                         .index = lookup->index,
                                                         .twins = wanted ? twins : 0});
        }
    }
    return GM_OK;
}

static gm_rc run_here(struct run *run, struct gm_err *err)
{
    GM_TRY(gm_plan_make(run->plan, run->db, err));
    set_want(run);
    if (gm_plan_counts_models(run->plan)) {
        GM_TRY(gm_plan_count_twins(run->plan, run->db, &run->count, err));
        return deliver_count(run, err);
    }
    const struct gm_clock *clock = gm_clock_system();
    gm_ns before = clock->mono(clock);
    GM_TRY(run_legs(run, err));
    return tell_accesses(run, clock->mono(clock) - before, err);
}

static gm_rc run_in_past(struct run *run, struct gm_err *err)
{
    GM_TRY(gm_past_begin(run->db, run->plan->models, run->plan->query->as_of, err));
    gm_rc rc = run_here(run, err);
    gm_past_end(run->db);
    return rc;
}

/* What is planned depends on what the store has, so both see the same. */
static gm_rc run_in_snapshot(struct run *run, struct gm_err *err)
{
    bool in_past = run->plan->query->in_past;
    gm_rc (*fn)(struct run *, struct gm_err *) = in_past ? run_in_past : run_here;
    if (in_past) {
        GM_TRY(gm_past_prepare(run->db, err));
    }
    if (run->request->in_transaction) {
        return fn(run, err);
    }
    GM_TRY(gm_db_begin_snapshot(run->db, err));
    gm_rc rc = fn(run, err);
    gm_db_rollback(run->db);
    return rc;
}

static gm_rc run_planned(struct run *run, struct gm_err *err)
{
    const struct gm_query_request *request = run->request;
    struct gm_query_position *position = &run->position;
    struct gm_query query;
    position->text = request->text;
    if (request->continuation.n > 0) {
        yyjson_mut_doc *doc = gm_json_doc_new(run->plan->arena);
        GM_ASSERT(doc != NULL);
        GM_TRY(gm_query_token_read(doc, request->continuation, position, err));
    }
    GM_TRY(gm_query_check_size(position->text, &request->limits, err));
    GM_TRY(gm_query_parse(run->plan->arena, position->text, &query, err));
    GM_TRY(gm_query_check_limits(&query, &request->limits, err));
    GM_TRY(gm_query_add_functions(run->db, err));
    run->plan->query = &query;
    if (request->continuation.n == 0) {
        position->left = query.top;
    }
    GM_TRY(run_in_snapshot(run, err));
    if (run->outcome->more && request->next != NULL) {
        position->left -= position->left > 0 ? (int64_t)run->outcome->rows : 0;
        return gm_query_token_write(position, request->next, err);
    }
    return GM_OK;
}

struct gm_plan *gm_plan_new(const struct gm_models *models, enum gm_db_engine engine, char *note)
{
    struct gm_plan *plan = gm_alloc(sizeof(*plan));
    plan->arena = gm_arena_new(GM_QUERY_ROW_SIZE_MAX);
    plan->models = models;
    plan->engine = engine;
    plan->note = note;
    return plan;
}

void gm_plan_free(struct gm_plan *plan)
{
    gm_arena_free(plan->arena);
    gm_free(plan);
}

gm_rc gm_query_run(struct gm_db *db, const struct gm_query_request *request,
                   struct gm_query_outcome *out_outcome, struct gm_err *err)
{
    struct gm_err own = {0};
    *out_outcome = (struct gm_query_outcome){0};
    err = err != NULL ? err : &own;
    struct run *run = gm_alloc(sizeof(*run));
    run->db = db;
    run->plan = gm_plan_new(request->models, gm_db_engine(db), out_outcome->note);
    run->request = request;
    run->outcome = out_outcome;
    run->row_arena = gm_arena_new(GM_QUERY_ROW_SIZE_MAX);
    gm_rc rc = run_planned(run, err);
    if (rc == GM_E_INVALID) {
        gm_query_fault_of(err, &out_outcome->fault);
    }
    gm_arena_free(run->row_arena);
    gm_plan_free(run->plan);
    gm_free(run);
    return rc;
}
