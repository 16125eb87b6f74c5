#include "view/when.h"

#include "expr/expr.h"
#include "view/extract.h"

struct gm_view_when {
    enum gm_expr_type type; /* OR, AND, NOT, COMPARE, IN, CALL (IS_DEFINED), BOOL */
    enum gm_expr_op op;
    bool constant; /* BOOL; IN: it is negated */
    struct gm_view_when *parts;
    size_t part_count; /* of OR, AND, NOT */
    struct gm_str *names;
    size_t depth;               /* of the path */
    struct gm_reading *against; /* COMPARE: one, IN: its items */
    size_t against_count;
};

/* ---- compiling ---- */

static gm_rc fail_at(const struct gm_expr *expr, const char *what_z, struct gm_err *err)
{
    return gm_fail(err, GM_E_INVALID, "line %d, column %d: %s", (int)expr->line, (int)expr->column,
                   what_z);
}

static void *room(struct gm_arena *arena, size_t count, size_t size)
{
    return gm_arena_zalloc(arena, (count + 1) * size);
}

static gm_rc compile_value(const struct gm_expr *expr, struct gm_reading *out, struct gm_err *err)
{
    *out = (struct gm_reading){.integer = expr->i, .text = expr->string};
    switch (expr->type) {
    case GM_EXPR_STRING:
        out->kind = GM_READING_TEXT;
        return GM_OK;
    case GM_EXPR_INT:
        out->kind = GM_READING_INT;
        out->number = (double)expr->i;
        return GM_OK;
    case GM_EXPR_DOUBLE:
        out->kind = GM_READING_NUMBER;
        out->number = expr->d;
        return GM_OK;
    case GM_EXPR_BOOL:
        out->kind = GM_READING_BOOL;
        out->integer = expr->b;
        return GM_OK;
    case GM_EXPR_NULL:
        out->kind = GM_READING_NULL;
        return GM_OK;
    default:
        return fail_at(expr, "expected a text, a number, true, false or null", err);
    }
}

/* A path and the values behind it. */
static gm_rc compile_test(struct gm_arena *arena, const struct gm_expr *expr,
                          struct gm_view_when *out, struct gm_err *err)
{
    const struct gm_expr *path = expr->args[0];
    if (path->type != GM_EXPR_PATH || path->segment_count > GM_BODY_PATH_DEPTH_MAX) {
        return fail_at(path, "expected a path into the event's body on the left", err);
    }
    out->names = path->segments;
    out->depth = path->segment_count;
    out->against_count = expr->arg_count - 1;
    out->against = room(arena, out->against_count, sizeof(out->against[0]));
    if (out->against == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for a condition of this size");
    }
    for (size_t i = 0; i < out->against_count; i++) {
        GM_TRY(compile_value(expr->args[i + 1], &out->against[i], err));
    }
    return GM_OK;
}

static gm_rc compile(struct gm_arena *arena, const struct gm_expr *expr, struct gm_view_when *out,
                     struct gm_err *err)
{
    *out = (struct gm_view_when){.type = expr->type, .op = expr->op};
    switch (expr->type) {
    case GM_EXPR_BOOL:
        out->constant = expr->b;
        return GM_OK;
    case GM_EXPR_CALL:
        if (expr->function != GM_FN_IS_DEFINED) {
            return fail_at(expr, "of the functions there is IS_DEFINED only", err);
        }
        return compile_test(arena, expr, out, err);
    case GM_EXPR_IN:
        out->constant = expr->negated;
        return compile_test(arena, expr, out, err);
    case GM_EXPR_COMPARE:
        return compile_test(arena, expr, out, err);
    case GM_EXPR_OR:
    case GM_EXPR_AND:
    case GM_EXPR_NOT:
        break;
    default:
        return fail_at(expr, "expected a comparison, IN or IS_DEFINED", err);
    }
    out->part_count = expr->arg_count;
    out->parts = room(arena, expr->arg_count, sizeof(*out->parts));
    if (out->parts == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for a condition of this size");
    }
    for (size_t i = 0; i < expr->arg_count; i++) {
        GM_TRY(compile(arena, expr->args[i], &out->parts[i], err));
    }
    return GM_OK;
}

gm_rc gm_view_when_new(struct gm_arena *arena, struct gm_str text, struct gm_view_when **out_when,
                       struct gm_err *err)
{
    struct gm_expr *expr;
    struct gm_view_when *when = gm_arena_zalloc(arena, sizeof(*when));
    if (when == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for a condition");
    }
    GM_TRY(gm_expr_parse(arena, text, &expr, err));
    GM_TRY(compile(arena, expr, when, err));
    *out_when = when;
    return GM_OK;
}

/* ---- looking ---- */

static bool is_number(const struct gm_reading *reading)
{
    return reading->kind == GM_READING_INT || reading->kind == GM_READING_NUMBER;
}

/* False: they cannot be compared. *out_order: below, equal to or above 0. */
static bool order_of(const struct gm_reading *a, const struct gm_reading *b, int *out_order)
{
    if (is_number(a) && is_number(b)) {
        bool exact = a->kind == GM_READING_INT && b->kind == GM_READING_INT;
        *out_order = exact ? (a->integer > b->integer) - (a->integer < b->integer)
                           : (a->number > b->number) - (a->number < b->number);
        return true;
    }
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case GM_READING_TEXT:
        *out_order = gm_str_cmp(a->text, b->text);
        return true;
    case GM_READING_BOOL:
        *out_order = (a->integer > b->integer) - (a->integer < b->integer);
        return true;
    case GM_READING_NULL:
        *out_order = 0;
        return true;
    default:
        return false;
    }
}

static bool compares(enum gm_expr_op op, const struct gm_reading *a, const struct gm_reading *b)
{
    int order;
    if (!order_of(a, b, &order)) {
        return op == GM_OP_NE;
    }
    switch (op) {
    case GM_OP_EQ:
        return order == 0;
    case GM_OP_NE:
        return order != 0;
    case GM_OP_LT:
        return order < 0;
    case GM_OP_LE:
        return order <= 0;
    case GM_OP_GT:
        return order > 0;
    case GM_OP_GE:
        break;
    }
    return order >= 0;
}

static bool tests(const struct gm_view_when *when, yyjson_val *value)
{
    struct gm_reading reading = gm_reading_of(value, 0);
    if (when->type == GM_EXPR_CALL) {
        return value != NULL;
    }
    if (when->type == GM_EXPR_COMPARE) {
        return compares(when->op, &reading, &when->against[0]);
    }
    for (size_t i = 0; i < when->against_count; i++) {
        if (compares(GM_OP_EQ, &reading, &when->against[i])) {
            return !when->constant;
        }
    }
    return when->constant;
}

bool gm_view_when_is(const struct gm_view_when *when, yyjson_val *body)
{
    switch (when->type) {
    case GM_EXPR_BOOL:
        return when->constant;
    case GM_EXPR_NOT:
        return !gm_view_when_is(&when->parts[0], body);
    case GM_EXPR_OR:
    case GM_EXPR_AND:
        break;
    default:
        for (size_t i = 0; i < when->depth && body != NULL; i++) {
            body = yyjson_obj_getn(body, when->names[i].p, when->names[i].n);
        }
        return tests(when, body);
    }
    bool any = when->type == GM_EXPR_OR;
    for (size_t i = 0; i < when->part_count; i++) {
        if (gm_view_when_is(&when->parts[i], body) == any) {
            return any;
        }
    }
    return !any;
}
