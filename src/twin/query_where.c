/* Conditions as SQL.
 *
 * A value of the language has a type; what is not there has none. In SQL a value is written once
 * per kind it may be compared as (number, text, boolean), and is NULL when it is of another kind:
 * so a comparison of different types, or with what is not there, is NULL, and SQL's logic of three
 * values is that of the language. */
#include "twin/query_plan.h"

enum operand_type {
    OPERAND_UNDEFINED,
    OPERAND_JSON, /* in a body */
    OPERAND_TEXT, /* a column, or a look-up, that is always there */
    OPERAND_TIME, /* hundreds of nanoseconds; compared with texts that are times */
    OPERAND_LITERAL,
};

struct operand {
    enum operand_type type;
    struct gm_sql_args json; /* JSON: body and path */
    struct gm_str sql;       /* TEXT, TIME */
    const struct gm_expr *literal;
    bool literal_is_time; /* a string that stands beside a time */
};

struct context {
    const struct gm_plan *plan;
    struct gm_sql *sql;
};

static const char undefined_z[] = "CAST(NULL AS BOOLEAN)";

/* ---- operands ---- */

static void text_operand(const struct context *ctx, const char *piece_z, const char *table_z,
                         struct operand *out)
{
    out->type = OPERAND_TEXT;
    out->sql = gm_sql_render(ctx->sql, piece_z, &(struct gm_sql_args){.body_z = table_z});
}

static void json_operand(const struct context *ctx, const char *table_z,
                         const struct gm_str *segments, size_t count, struct operand *out)
{
    struct gm_str body =
        gm_sql_render(ctx->sql, "%b.body", &(struct gm_sql_args){.body_z = table_z});
    struct gm_str path = gm_dialect_path(ctx->plan->engine, ctx->plan->arena, segments, count);
    if (path.p != NULL) {
        out->type = OPERAND_JSON;
        out->json = (struct gm_sql_args){.body_z = body.p, .param = gm_sql_text(ctx->sql, path)};
    }
}

/* NAME.lastUpdateTime, of a component's property with the component in front: the time that `times`
 * tells, or else that of the row, when the property is there. NAME.sourceTime: what a client said,
 * if it did. */
static void time_operand(const struct context *ctx, const char *table_z, struct gm_str component,
                         const struct gm_str *path, struct operand *out)
{
    struct gm_str name = path[0];
    bool of_source = gm_str_is(path[1], "sourceTime");
    struct gm_str segments[] = {component, name};
    size_t skip = component.n > 0 ? 0 : 1;
    struct operand property = {0};
    json_operand(ctx, table_z, segments + skip, GM_ARRAY_COUNT(segments) - skip, &property);
    struct gm_str key =
        gm_arena_format(ctx->plan->arena, GM_STR_FMT "%s" GM_STR_FMT, GM_STR_ARG(component),
                        skip == 0 ? "/" : "", GM_STR_ARG(name));
    struct gm_str at = gm_dialect_path(ctx->plan->engine, ctx->plan->arena, &key, 1);
    struct gm_str whole =
        gm_dialect_path(ctx->plan->engine, ctx->plan->arena, skip == 0 ? &component : &name, 1);
    if (property.type != OPERAND_JSON || at.p == NULL || whole.p == NULL) {
        return;
    }
    struct gm_sql *sql = ctx->sql;
    struct gm_str times = gm_sql_render(sql, "%b.times", &(struct gm_sql_args){.body_z = table_z});
    struct gm_sql_args own = {.body_z = times.p, .param = gm_sql_text(sql, at)};
    if (of_source) {
        out->type = OPERAND_TIME;
        out->sql = gm_sql_render(sql, sql->dialect->source_time_z, &own);
        return;
    }
    struct gm_sql_args of_component = {.body_z = times.p, .param = gm_sql_text(sql, whole)};
    struct gm_sql_args parts = {.body_z = table_z,
                                .a = gm_sql_render(sql, sql->dialect->time_z, &own),
                                .b = gm_sql_render(sql, sql->dialect->time_z, &of_component)};
    struct gm_str time = gm_sql_render(sql, "COALESCE(%1, %2, %b.updated) / 100", &parts);
    struct gm_str there = gm_sql_render(sql, sql->dialect->defined_z, &property.json);
    out->type = OPERAND_TIME;
    out->sql = gm_sql_render(sql, "CASE WHEN %1 THEN %2 END",
                             &(struct gm_sql_args){.a = there, .b = time});
}

/* What stands behind $metadata, which has `component` in front of it or nothing. */
static void metadata_operand(const struct context *ctx, const char *table_z,
                             struct gm_str component, const struct gm_plan_select *path,
                             struct operand *out)
{
    const struct gm_str *segments = path->segments;
    bool whole = component.n == 0 && path->segment_count == 1;
    if (whole && gm_str_is(segments[0], "$model")) {
        text_operand(ctx, "(SELECT m.id FROM models AS m WHERE m.num = (%b.num >> 32))", table_z,
                     out);
    } else if (whole && gm_str_is(segments[0], "$lastUpdateTime")) {
        text_operand(ctx, "%b.updated / 100", table_z, out);
        out->type = OPERAND_TIME;
    } else if (path->segment_count == 2 &&
               (gm_str_is(segments[1], "lastUpdateTime") || gm_str_is(segments[1], "sourceTime"))) {
        time_operand(ctx, table_z, component, segments, out);
    }
}

/* The path without its first segments. */
static struct gm_plan_select behind(const struct gm_plan_select *path, size_t count)
{
    struct gm_plan_select rest = *path;
    rest.segments += count;
    rest.segment_count -= count;
    return rest;
}

static void twin_operand(const struct context *ctx, const char *table_z,
                         const struct gm_plan_select *path, struct operand *out)
{
    const struct gm_str *segments = path->segments;
    size_t count = path->segment_count;
    if (count == 1 && gm_str_same(segments[0], GM_STR("$dtId"))) {
        text_operand(ctx, "%b.id", table_z, out);
    } else if (gm_str_is(segments[0], "$metadata")) {
        struct gm_plan_select rest = behind(path, 1);
        metadata_operand(ctx, table_z, (struct gm_str){NULL, 0}, &rest, out);
    } else if (count > 2 && gm_str_is(segments[1], "$metadata")) {
        struct gm_plan_select rest = behind(path, 2);
        metadata_operand(ctx, table_z, segments[0], &rest, out);
    } else {
        json_operand(ctx, table_z, segments, count, out);
    }
}

static void relationship_operand(const struct context *ctx,
                                 const struct gm_plan_collection *collection,
                                 const struct gm_plan_select *path, struct operand *out)
{
    struct gm_str name = path->segments[0];
    if (path->segment_count > 1 || name.n == 0 || name.p[0] != '$') {
        json_operand(ctx, collection->table, path->segments, path->segment_count, out);
    } else if (gm_str_is(name, "$relationshipId")) {
        text_operand(ctx, "%b.id", collection->table, out);
    } else if (gm_str_is(name, "$relationshipName")) {
        text_operand(ctx, "%b.name", collection->table, out);
    } else if (gm_str_is(name, "$sourceId")) {
        text_operand(ctx, "%b", collection->source_id, out);
    } else if (gm_str_is(name, "$targetId")) {
        text_operand(ctx, "%b", collection->target_id, out);
    }
}

static gm_rc etag_operand(const struct context *ctx, const struct gm_plan_collection *collection,
                          const struct gm_plan_select *path, struct operand *out,
                          struct gm_err *err)
{
    const char *piece_z = collection->relationship ? ctx->sql->dialect->relationship_etag_z
                                                   : ctx->sql->dialect->twin_etag_z;
    if (piece_z == NULL) {
        return gm_fail(err, GM_E_INVALID,
                       "line %d, column %d: $etag can be selected, not compared, in a store on "
                       "PostgreSQL",
                       path->line, path->column);
    }
    text_operand(ctx, piece_z, collection->table, out);
    return GM_OK;
}

static gm_rc resolved_operand(const struct context *ctx, const struct gm_plan_select *path,
                              struct operand *out, struct gm_err *err)
{
    const struct gm_plan_collection *collection = &ctx->plan->collections[path->collection];
    if (path->segment_count == 0) {
        return gm_fail(err, GM_E_INVALID,
                       "line %d, column %d: expected a property behind `" GM_STR_FMT ".`",
                       path->line, path->column, GM_STR_ARG(collection->alias));
    }
    if (path->segment_count == 1 && gm_str_is(path->segments[0], "$etag")) {
        return etag_operand(ctx, collection, path, out, err);
    }
    if (collection->relationship) {
        relationship_operand(ctx, collection, path, out);
    } else {
        twin_operand(ctx, collection->table, path, out);
    }
    return GM_OK;
}

static gm_rc path_operand(const struct context *ctx, const struct gm_expr *expr,
                          struct operand *out, struct gm_err *err)
{
    struct gm_plan_select path = {.segments = expr->segments,
                                  .segment_count = expr->segment_count,
                                  .line = expr->line,
                                  .column = expr->column};
    GM_TRY(gm_plan_resolve(ctx->plan, &path, &path, err));
    return resolved_operand(ctx, &path, out, err);
}

static gm_rc make_operand(const struct context *ctx, const struct gm_expr *expr,
                          struct operand *out, struct gm_err *err)
{
    *out = (struct operand){.type = OPERAND_UNDEFINED};
    switch (expr->type) {
    case GM_EXPR_PATH:
        return path_operand(ctx, expr, out, err);
    case GM_EXPR_STRING:
    case GM_EXPR_INT:
    case GM_EXPR_DOUBLE:
    case GM_EXPR_BOOL:
    case GM_EXPR_NULL:
        out->type = OPERAND_LITERAL;
        out->literal = expr;
        return GM_OK;
    default:
        return gm_fail(err, GM_E_INVALID, "line %d, column %d: expected a property or a literal",
                       expr->line, expr->column);
    }
}

/* ---- values ---- */

static struct gm_str literal_value(const struct context *ctx, const struct operand *operand,
                                   enum gm_sql_kind kind)
{
    const struct gm_expr *literal = operand->literal;
    struct gm_sql *sql = ctx->sql;
    struct gm_sql_args args = {0};
    const char *piece_z = sql->dialect->param_z[kind];
    gm_ns time;
    if (kind == GM_SQL_TEXT && literal->type == GM_EXPR_STRING && !operand->literal_is_time) {
        args.param = gm_sql_text(sql, literal->string);
    } else if (kind == GM_SQL_NUMBER && literal->type == GM_EXPR_STRING &&
               operand->literal_is_time && gm_time_parse(literal->string, &time)) {
        args.param = gm_sql_i64(sql, time / 100);
    } else if (kind == GM_SQL_NUMBER && literal->type == GM_EXPR_INT) {
        args.param = gm_sql_i64(sql, literal->i);
    } else if (kind == GM_SQL_NUMBER && literal->type == GM_EXPR_DOUBLE) {
        args.param = gm_sql_double(sql, literal->d);
    } else if (kind == GM_SQL_BOOL && literal->type == GM_EXPR_BOOL) {
        return literal->b ? GM_STR("TRUE") : GM_STR("FALSE");
    } else {
        return (struct gm_str){NULL, 0};
    }
    return gm_sql_render(sql, piece_z, &args);
}

/* The operand as a value of a kind; p NULL when it can never be one. */
static struct gm_str value_of(const struct context *ctx, const struct operand *operand,
                              enum gm_sql_kind kind)
{
    switch (operand->type) {
    case OPERAND_JSON:
        return gm_sql_render(ctx->sql, ctx->sql->dialect->value_z[kind], &operand->json);
    case OPERAND_TEXT:
        return kind == GM_SQL_TEXT ? operand->sql : (struct gm_str){NULL, 0};
    case OPERAND_TIME:
        return kind == GM_SQL_NUMBER ? operand->sql : (struct gm_str){NULL, 0};
    case OPERAND_LITERAL:
        return literal_value(ctx, operand, kind);
    case OPERAND_UNDEFINED:
        break;
    }
    return (struct gm_str){NULL, 0};
}

/* A text beside a time is read as a time. */
static void match_times(struct operand *a, struct operand *b)
{
    b->literal_is_time = b->type == OPERAND_LITERAL && a->type == OPERAND_TIME;
    a->literal_is_time = a->type == OPERAND_LITERAL && b->type == OPERAND_TIME;
}

/* Adds `pieces`, of which at most one is not NULL for a row, as one value. */
static void add_alternatives(struct gm_sql *sql, const struct gm_str *pieces, size_t count)
{
    if (count == 0) {
        gm_sql_add(sql, undefined_z, NULL);
        return;
    }
    gm_sql_add(sql, count > 1 ? "COALESCE(" : "(", NULL);
    for (size_t i = 0; i < count; i++) {
        gm_sql_add(sql, i > 0 ? ", " : "", NULL);
        gm_buf_add(&sql->text, pieces[i]);
    }
    gm_sql_add(sql, ")", NULL);
}

/* ---- comparisons ---- */

/* = null and != null ask about JSON's null alone. */
static gm_rc add_null_comparison(const struct context *ctx, const struct operand *operand,
                                 const struct gm_expr *expr, struct gm_err *err)
{
    struct gm_sql *sql = ctx->sql;
    if (expr->op != GM_OP_EQ && expr->op != GM_OP_NE) {
        return gm_fail(err, GM_E_INVALID, "line %d, column %d: expected = or != beside null",
                       expr->line, expr->column);
    }
    if (operand->type != OPERAND_JSON) {
        gm_sql_add(
            sql, operand->type == OPERAND_UNDEFINED || expr->op == GM_OP_EQ ? undefined_z : "TRUE",
            NULL);
        return GM_OK;
    }
    struct gm_str there = gm_sql_render(sql, sql->dialect->defined_z, &operand->json);
    struct gm_str is_null = gm_sql_render(sql, sql->dialect->is_null_z, &operand->json);
    gm_sql_add(sql,
               expr->op == GM_OP_EQ ? "CASE WHEN %1 THEN %2 END" : "CASE WHEN %1 THEN NOT %2 END",
               &(struct gm_sql_args){.a = there, .b = is_null});
    return GM_OK;
}

static bool is_null_literal(const struct operand *operand)
{
    return operand->type == OPERAND_LITERAL && operand->literal->type == GM_EXPR_NULL;
}

static gm_rc add_comparison(const struct context *ctx, const struct gm_expr *expr,
                            struct gm_err *err)
{
    static const char *const ops[] = {
        [GM_OP_EQ] = "%1 = %2",  [GM_OP_NE] = "%1 <> %2", [GM_OP_LT] = "%1 < %2",
        [GM_OP_LE] = "%1 <= %2", [GM_OP_GT] = "%1 > %2",  [GM_OP_GE] = "%1 >= %2"};
    struct operand a, b;
    GM_TRY(make_operand(ctx, expr->args[0], &a, err));
    GM_TRY(make_operand(ctx, expr->args[1], &b, err));
    if (is_null_literal(&a) || is_null_literal(&b)) {
        return add_null_comparison(ctx, is_null_literal(&b) ? &a : &b, expr, err);
    }
    match_times(&a, &b);
    struct gm_str pieces[GM_SQL_KIND_COUNT];
    size_t count = 0;
    for (enum gm_sql_kind kind = 0; kind < GM_SQL_KIND_COUNT; kind++) {
        struct gm_sql_args args = {.a = value_of(ctx, &a, kind)};
        args.b = args.a.p != NULL ? value_of(ctx, &b, kind) : args.b;
        if (args.b.p != NULL) {
            pieces[count++] = gm_sql_render(ctx->sql, ops[expr->op], &args);
        }
    }
    add_alternatives(ctx->sql, pieces, count);
    return GM_OK;
}

/* "value IN (…)" of the items of one kind; p NULL when there are none. */
static struct gm_str in_piece(const struct context *ctx, const struct operand *operand,
                              const struct gm_expr *expr, enum gm_sql_kind kind)
{
    struct gm_buf list;
    gm_buf_init(&list, GM_QUERY_SQL_SIZE_MAX);
    for (size_t i = 1; i < expr->arg_count; i++) {
        struct operand item = {.type = OPERAND_LITERAL,
                               .literal = expr->args[i],
                               .literal_is_time = operand->type == OPERAND_TIME};
        struct gm_str value = value_of(ctx, &item, kind);
        if (value.p != NULL) {
            gm_buf_add_z(&list, list.n > 0 ? ", " : "");
            gm_buf_add(&list, value);
        }
    }
    ctx->sql->failed = ctx->sql->failed || gm_buf_failed(&list);
    struct gm_sql_args args = {.b = gm_buf_str(&list)};
    args.a = list.n > 0 ? value_of(ctx, operand, kind) : args.a;
    struct gm_str piece =
        args.a.p != NULL ? gm_sql_render(ctx->sql, "%1 IN (%2)", &args) : (struct gm_str){NULL, 0};
    gm_buf_deinit(&list);
    return piece;
}

static gm_rc add_in(const struct context *ctx, const struct gm_expr *expr, struct gm_err *err)
{
    struct operand operand;
    GM_TRY(make_operand(ctx, expr->args[0], &operand, err));
    struct gm_str pieces[GM_SQL_KIND_COUNT + 1];
    size_t count = 0;
    for (enum gm_sql_kind kind = 0; kind < GM_SQL_KIND_COUNT; kind++) {
        pieces[count] = in_piece(ctx, &operand, expr, kind);
        count += pieces[count].p != NULL;
    }
    for (size_t i = 1; i < expr->arg_count && operand.type == OPERAND_JSON; i++) {
        if (expr->args[i]->type == GM_EXPR_NULL) {
            struct gm_str is_null =
                gm_sql_render(ctx->sql, ctx->sql->dialect->is_null_z, &operand.json);
            pieces[count++] = gm_sql_render(ctx->sql, "CASE WHEN %1 THEN TRUE END",
                                            &(struct gm_sql_args){.a = is_null});
            break;
        }
    }
    gm_sql_add(ctx->sql, expr->negated ? "NOT " : "", NULL);
    add_alternatives(ctx->sql, pieces, count);
    return GM_OK;
}

/* ---- functions ---- */

/* What is true of a value that is always there. */
static bool holds_for_text(enum gm_expr_function function)
{
    return function == GM_FN_IS_DEFINED || function == GM_FN_IS_STRING ||
           function == GM_FN_IS_PRIMITIVE;
}

static gm_rc add_type_test(const struct context *ctx, const struct gm_expr *expr,
                           struct gm_err *err)
{
    const struct gm_dialect *dialect = ctx->sql->dialect;
    const char *const pieces[] = {
        [GM_FN_IS_DEFINED] = dialect->defined_z,       [GM_FN_IS_NULL] = dialect->is_null_z,
        [GM_FN_IS_BOOL] = dialect->is_bool_z,          [GM_FN_IS_NUMBER] = dialect->is_number_z,
        [GM_FN_IS_STRING] = dialect->is_string_z,      [GM_FN_IS_OBJECT] = dialect->is_object_z,
        [GM_FN_IS_PRIMITIVE] = dialect->is_primitive_z};
    struct operand operand;
    GM_TRY(make_operand(ctx, expr->args[0], &operand, err));
    switch (operand.type) {
    case OPERAND_JSON:
        gm_sql_add(ctx->sql, pieces[expr->function], &operand.json);
        break;
    case OPERAND_TIME:
        gm_sql_add(ctx->sql, holds_for_text(expr->function) ? "(%1 IS NOT NULL)" : "FALSE",
                   &(struct gm_sql_args){.a = operand.sql});
        break;
    case OPERAND_TEXT:
        gm_sql_add(ctx->sql, holds_for_text(expr->function) ? "TRUE" : "FALSE", NULL);
        break;
    case OPERAND_LITERAL:
    case OPERAND_UNDEFINED:
        gm_sql_add(ctx->sql, "FALSE", NULL);
        break;
    }
    return GM_OK;
}

/* The first text, in byte order, that is behind all that start with `prefix`: its last character
 * becomes the next one. Only for ASCII, of which ids consist. False: take the general way. */
static bool end_of_prefix(struct gm_arena *arena, struct gm_str prefix, struct gm_str *out_end)
{
    if (prefix.n == 0 || (unsigned char)prefix.p[prefix.n - 1] >= 0x7e) {
        return false;
    }
    char *p = gm_arena_alloc(arena, prefix.n);
    if (p == NULL) {
        return false;
    }
    memcpy(p, prefix.p, prefix.n);
    p[prefix.n - 1]++;
    *out_end = (struct gm_str){p, prefix.n};
    return true;
}

static gm_rc add_text_function(const struct context *ctx, const struct gm_expr *expr,
                               struct gm_err *err)
{
    const struct gm_dialect *dialect = ctx->sql->dialect;
    struct operand a, b;
    GM_TRY(make_operand(ctx, expr->args[0], &a, err));
    GM_TRY(make_operand(ctx, expr->args[1], &b, err));
    struct gm_sql_args args = {.a = value_of(ctx, &a, GM_SQL_TEXT),
                               .b = value_of(ctx, &b, GM_SQL_TEXT)};
    if (args.a.p == NULL || args.b.p == NULL) {
        gm_sql_add(ctx->sql, undefined_z, NULL);
        return GM_OK;
    }
    struct gm_str end;
    bool by_range = expr->function == GM_FN_STARTSWITH && a.type == OPERAND_TEXT &&
                    b.type == OPERAND_LITERAL &&
                    end_of_prefix(ctx->plan->arena, b.literal->string, &end);
    if (by_range) {
        /* Two comparisons that an index on the column answers. */
        gm_sql_add(ctx->sql, "(%1 >= %2", &args);
        args.param = gm_sql_text(ctx->sql, end);
        args.b = gm_sql_render(ctx->sql, dialect->text_param_z, &args);
        gm_sql_add(ctx->sql, " AND %1 < %2)", &args);
        return GM_OK;
    }
    gm_sql_add(ctx->sql,
               expr->function == GM_FN_STARTSWITH ? dialect->starts_z
               : expr->function == GM_FN_ENDSWITH ? dialect->ends_z
                                                  : dialect->contains_z,
               &args);
    return GM_OK;
}

static gm_rc add_array_contains(const struct context *ctx, const struct gm_expr *expr,
                                struct gm_err *err)
{
    struct operand array, item;
    GM_TRY(make_operand(ctx, expr->args[0], &array, err));
    GM_TRY(make_operand(ctx, expr->args[1], &item, err));
    for (enum gm_sql_kind kind = 0; array.type == OPERAND_JSON && kind < GM_SQL_KIND_COUNT;
         kind++) {
        array.json.a = value_of(ctx, &item, kind);
        if (array.json.a.p != NULL) {
            gm_sql_add(ctx->sql, ctx->sql->dialect->array_contains_z[kind], &array.json);
            return GM_OK;
        }
    }
    gm_sql_add(ctx->sql, "FALSE", NULL);
    return GM_OK;
}

static gm_rc add_call(const struct context *ctx, const struct gm_expr *expr, struct gm_err *err)
{
    switch (expr->function) {
    case GM_FN_STARTSWITH:
    case GM_FN_ENDSWITH:
    case GM_FN_CONTAINS:
        return add_text_function(ctx, expr, err);
    case GM_FN_ARRAY_CONTAINS:
        return add_array_contains(ctx, expr, err);
    default:
        return add_type_test(ctx, expr, err);
    }
}

/* ---- models ---- */

static int bind_int(struct gm_sql *sql, int64_t v, struct gm_str *out_piece)
{
    int param = gm_sql_i64(sql, v);
    *out_piece =
        gm_sql_render(sql, sql->dialect->int_param_z, &(struct gm_sql_args){.param = param});
    return param;
}

/* Few models are ranges of the table, which it can seek; many are a list to check against. */
static void add_model_set(const struct context *ctx, int collection, const struct gm_model_set *set)
{
    enum { RANGES_MAX = 4 };
    struct gm_sql *sql = ctx->sql;
    const char *table_z = ctx->plan->collections[collection].table;
    struct gm_sql_args args = {.body_z = table_z};
    if (set->count == 0) {
        gm_sql_add(sql, "FALSE", NULL);
        return;
    }
    bool seek = set->count <= RANGES_MAX;
    gm_sql_add(sql, seek ? "(" : "((%b.num >> 32) IN (", &args);
    for (size_t i = 0; i < set->count; i++) {
        gm_sql_add(sql, i == 0 ? "" : seek ? " OR " : ", ", NULL);
        if (seek) {
            (void)bind_int(sql, set->nums[i] << 32, &args.a);
            (void)bind_int(sql, (set->nums[i] << 32) + UINT32_MAX, &args.b);
            gm_sql_add(sql, "%b.num BETWEEN %1 AND %2", &args);
        } else {
            (void)bind_int(sql, set->nums[i], &args.a);
            gm_sql_add(sql, "%1", &args);
        }
    }
    gm_sql_add(sql, seek ? ")" : "))", NULL);
}

/* ---- logic ---- */

static gm_rc add_condition(const struct context *ctx, const struct gm_expr *expr,
                           struct gm_err *err);

/* a AND b AND c AND d as ((a AND b) AND (c AND d)), since SQLite bounds how deep an expression
 * nests. */
static gm_rc add_chain(const struct context *ctx, struct gm_expr_list items, const char *word_z,
                       struct gm_err *err)
{
    if (items.count == 1) {
        return add_condition(ctx, items.at[0], err);
    }
    size_t half = items.count / 2;
    gm_sql_add(ctx->sql, "(", NULL);
    GM_TRY(add_chain(ctx, (struct gm_expr_list){items.at, half}, word_z, err));
    gm_sql_add(ctx->sql, word_z, NULL);
    GM_TRY(add_chain(ctx, (struct gm_expr_list){items.at + half, items.count - half}, word_z, err));
    gm_sql_add(ctx->sql, ")", NULL);
    return GM_OK;
}

static size_t count_chain(const struct gm_expr *expr, enum gm_expr_type type)
{
    if (expr->type != type) {
        return 1;
    }
    size_t count = 0;
    for (size_t i = 0; i < expr->arg_count; i++) {
        count += count_chain(expr->args[i], type);
    }
    return count;
}

static size_t collect_chain(const struct gm_expr *expr, enum gm_expr_type type,
                            const struct gm_expr **out_items)
{
    if (expr->type != type) {
        out_items[0] = expr;
        return 1;
    }
    size_t count = 0;
    for (size_t i = 0; i < expr->arg_count; i++) {
        count += collect_chain(expr->args[i], type, out_items + count);
    }
    return count;
}

gm_rc gm_plan_flatten(struct gm_arena *arena, const struct gm_expr *expr, enum gm_expr_type type,
                      struct gm_expr_list *out_list, struct gm_err *err)
{
    size_t count = count_chain(expr, type);
    out_list->at = gm_arena_alloc(arena, count * sizeof(out_list->at[0]));
    if (out_list->at == NULL) {
        return gm_fail(err, GM_E_LIMIT, "the query is too large");
    }
    out_list->count = collect_chain(expr, type, out_list->at);
    return GM_OK;
}

static gm_rc add_flattened(const struct context *ctx, const struct gm_expr *expr,
                           struct gm_err *err)
{
    struct gm_expr_list list;
    GM_TRY(gm_plan_flatten(ctx->plan->arena, expr, expr->type, &list, err));
    return add_chain(ctx, list, expr->type == GM_EXPR_AND ? " AND " : " OR ", err);
}

/* A value that stands where a condition should: it holds when it is true. */
static gm_rc add_value(const struct context *ctx, const struct gm_expr *expr, struct gm_err *err)
{
    struct operand operand;
    GM_TRY(make_operand(ctx, expr, &operand, err));
    struct gm_str value = value_of(ctx, &operand, GM_SQL_BOOL);
    add_alternatives(ctx->sql, &value, value.p != NULL);
    return GM_OK;
}

static gm_rc add_condition(const struct context *ctx, const struct gm_expr *expr,
                           struct gm_err *err)
{
    struct gm_model_test test;
    GM_TRY(gm_plan_model_test(ctx->plan, expr, &test, err));
    if (test.is) {
        add_model_set(ctx, test.collection, &test.set);
        return GM_OK;
    }
    switch (expr->type) {
    case GM_EXPR_OR:
    case GM_EXPR_AND:
        return add_flattened(ctx, expr, err);
    case GM_EXPR_NOT:
        gm_sql_add(ctx->sql, "NOT (", NULL);
        GM_TRY(add_condition(ctx, expr->args[0], err));
        gm_sql_add(ctx->sql, ")", NULL);
        return GM_OK;
    case GM_EXPR_COMPARE:
        return add_comparison(ctx, expr, err);
    case GM_EXPR_IN:
        return add_in(ctx, expr, err);
    case GM_EXPR_CALL:
        return add_call(ctx, expr, err);
    default:
        return add_value(ctx, expr, err);
    }
}

gm_rc gm_plan_add_condition(const struct gm_plan *plan, struct gm_sql *sql,
                            const struct gm_expr *expr, struct gm_err *err)
{
    struct context ctx = {plan, sql};
    return add_condition(&ctx, expr, err);
}

/* ---- cells ---- */

gm_rc gm_plan_add_cell(const struct gm_plan *plan, struct gm_sql *sql,
                       const struct gm_plan_cell *cell, int index, struct gm_err *err)
{
    struct context ctx = {plan, sql};
    const struct gm_dialect *dialect = sql->dialect;
    struct operand operand = {.type = OPERAND_UNDEFINED};
    const char *rank_z = "0", *number_z = "0", *text_z = dialect->empty_text_z;
    GM_TRY(resolved_operand(&ctx, &cell->path, &operand, err));
    struct gm_sql_args args = operand.json;
    args.a = operand.sql;
    switch (operand.type) {
    case OPERAND_JSON:
        rank_z = dialect->rank_z;
        number_z = dialect->cell_number_z;
        text_z = dialect->cell_text_z;
        break;
    case OPERAND_TEXT:
        rank_z = "4";
        text_z = "%1";
        break;
    case OPERAND_TIME:
        rank_z = "CASE WHEN %1 IS NULL THEN 0 ELSE 7 END";
        number_z = "COALESCE(%1, 0)";
        break;
    case OPERAND_LITERAL:
    case OPERAND_UNDEFINED:
        break;
    }
    const char *const pieces[] = {rank_z, number_z, text_z};
    for (size_t i = 0; i < GM_ARRAY_COUNT(pieces); i++) {
        gm_sql_add(sql, ", ", NULL);
        gm_sql_add(sql, pieces[i], &args);
        gm_buf_addf(&sql->text, " AS c%d%c", index, "rnt"[i]);
    }
    return GM_OK;
}
