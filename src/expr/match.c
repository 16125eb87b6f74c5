#include "expr/match.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"

enum order { LESS = -1, EQUAL = 0, GREATER = 1, NOT_COMPARABLE = 2 };

/* A value that is written in the condition, or one that is got. */
struct term {
    void *handle; /* NULL: the value below */
    struct gm_operand value;
};

struct node {
    enum gm_expr_type type; /* OR, AND, NOT, COMPARE, IN, CALL; BOOL: a term alone */
    enum gm_expr_op op;
    enum gm_expr_function function;
    bool negated;       /* IN */
    bool is_null_asked; /* COMPARE: = or != beside the literal null */
    size_t count;       /* of parts, or of items */
    struct node *parts; /* OR, AND, NOT */
    struct term terms[2];
    struct gm_operand *items; /* IN */
    struct gm_str *texts;     /* IN: all items, sorted, when they are texts and many; else NULL */
};

struct gm_match {
    bool loose;
    struct node root;
};

/* Above this, a list of texts is searched by halves. */
enum { SEARCHED_ITEMS_MIN = 16 };

/* ---- compiling ---- */

struct compiling {
    struct gm_arena *arena;
    const struct gm_match_user *user;
    struct gm_err *err;
};

gm_rc(gm_expr_fail)(struct gm_err *err, const struct gm_expr *at, const char *fmt, ...)
{
    struct gm_err why;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(why.text, sizeof(why.text), fmt, args);
    va_end(args);
    return gm_fail(err, GM_E_INVALID, "line %d, column %d: %s", (int)at->line, (int)at->column,
                   why.text);
}

static gm_rc fail_full(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "no room for a condition of this size");
}

static struct gm_operand literal(const struct gm_expr *expr)
{
    switch (expr->type) {
    case GM_EXPR_STRING:
        return (struct gm_operand){.type = GM_OPERAND_TEXT, .as.text = expr->string};
    case GM_EXPR_INT:
        return (struct gm_operand){.type = GM_OPERAND_INT, .as.i = expr->i};
    case GM_EXPR_DOUBLE:
        return (struct gm_operand){.type = GM_OPERAND_DOUBLE, .as.d = expr->d};
    case GM_EXPR_BOOL:
        return (struct gm_operand){.type = GM_OPERAND_BOOL, .as.b = expr->b};
    default:
        return (struct gm_operand){.type = GM_OPERAND_NULL};
    }
}

static gm_rc compile_term(const struct compiling *c, const struct gm_expr *expr, struct term *out)
{
    if (expr->type != GM_EXPR_PATH) {
        out->value = literal(expr);
        return GM_OK;
    }
    GM_TRY(c->user->language->resolve(c->user->ctx, expr, &out->handle, c->err));
    GM_ASSERT(out->handle != NULL);
    return GM_OK;
}

static bool is_null_literal(const struct term *term)
{
    return term->handle == NULL && term->value.type == GM_OPERAND_NULL;
}

static int text_order(const void *a, const void *b)
{
    return gm_str_cmp(*(const struct gm_str *)a, *(const struct gm_str *)b);
}

static gm_rc sort_items(const struct compiling *c, struct node *out)
{
    for (size_t i = 0; i < out->count; i++) {
        if (out->items[i].type != GM_OPERAND_TEXT) {
            return GM_OK;
        }
    }
    out->texts = gm_arena_alloc(c->arena, out->count * sizeof(out->texts[0]));
    if (out->texts == NULL) {
        return fail_full(c->err);
    }
    for (size_t i = 0; i < out->count; i++) {
        out->texts[i] = out->items[i].as.text;
    }
    qsort(out->texts, out->count, sizeof(out->texts[0]), text_order);
    return GM_OK;
}

static gm_rc compile_list(const struct compiling *c, const struct gm_expr *expr, struct node *out)
{
    out->negated = expr->negated;
    out->count = expr->arg_count - 1;
    GM_TRY(compile_term(c, expr->args[0], &out->terms[0]));
    out->items = gm_arena_alloc(c->arena, out->count * sizeof(out->items[0]));
    if (out->items == NULL) {
        return fail_full(c->err);
    }
    for (size_t i = 0; i < out->count; i++) {
        out->items[i] = literal(expr->args[i + 1]);
    }
    return out->count >= SEARCHED_ITEMS_MIN ? sort_items(c, out) : GM_OK;
}

/* COMPARE and CALL */
static gm_rc compile_terms(const struct compiling *c, const struct gm_expr *expr, struct node *out)
{
    const struct gm_match_language *language = c->user->language;
    if (expr->type == GM_EXPR_CALL && (language->functions & (1u << expr->function)) == 0) {
        return gm_expr_fail(c->err, expr, "%s", language->function_z);
    }
    GM_ASSERT(expr->arg_count <= GM_ARRAY_COUNT(out->terms));
    for (size_t i = 0; i < expr->arg_count; i++) {
        GM_TRY(compile_term(c, expr->args[i], &out->terms[i]));
    }
    out->op = expr->op;
    out->function = expr->function;
    out->is_null_asked = expr->type == GM_EXPR_COMPARE &&
                         (expr->op == GM_OP_EQ || expr->op == GM_OP_NE) &&
                         (is_null_literal(&out->terms[0]) || is_null_literal(&out->terms[1]));
    return GM_OK;
}

static gm_rc compile(const struct compiling *c, const struct gm_expr *expr, struct node *out)
{
    const char *only_z = c->user->language->only_z;
    *out = (struct node){.type = expr->type};
    switch (expr->type) {
    case GM_EXPR_OR:
    case GM_EXPR_AND:
    case GM_EXPR_NOT:
        break;
    case GM_EXPR_COMPARE:
    case GM_EXPR_CALL:
        return compile_terms(c, expr, out);
    case GM_EXPR_IN:
        return only_z != NULL ? gm_expr_fail(c->err, expr, "%s", only_z)
                              : compile_list(c, expr, out);
    default:
        if (only_z != NULL && expr->type != GM_EXPR_BOOL) {
            return gm_expr_fail(c->err, expr, "%s", only_z);
        }
        out->type = GM_EXPR_BOOL;
        return compile_term(c, expr, &out->terms[0]);
    }
    out->count = expr->arg_count;
    out->parts = gm_arena_alloc(c->arena, out->count * sizeof(*out->parts));
    if (out->parts == NULL) {
        return fail_full(c->err);
    }
    for (size_t i = 0; i < out->count; i++) {
        GM_TRY(compile(c, expr->args[i], &out->parts[i]));
    }
    return GM_OK;
}

gm_rc gm_match_new(struct gm_arena *arena, const struct gm_expr *expr,
                   const struct gm_match_user *user, struct gm_match **out_match,
                   struct gm_err *err)
{
    const struct compiling c = {.arena = arena, .user = user, .err = err};
    struct gm_match *match = gm_arena_alloc(arena, sizeof(*match));
    if (match == NULL) {
        return fail_full(err);
    }
    match->loose = user->language->loose;
    GM_TRY(compile(&c, expr, &match->root));
    *out_match = match;
    return GM_OK;
}

/* ---- comparing ---- */

static enum order order_of(bool less, bool greater)
{
    return less ? LESS : greater ? GREATER : EQUAL;
}

/* Exact: no integer is rounded to a double on the way. */
static enum order compare_int_double(int64_t i, double d)
{
    if (d != d) {
        return NOT_COMPARABLE;
    }
    if (d >= 9223372036854775808.0) {
        return LESS;
    }
    if (d < -9223372036854775808.0) {
        return GREATER;
    }
    int64_t whole = (int64_t)d; /* cut towards zero */
    if (i != whole) {
        return i < whole ? LESS : GREATER;
    }
    double rest = d - (double)whole;
    return order_of(rest > 0, rest < 0);
}

static bool is_number(const struct gm_operand *value)
{
    return value->type == GM_OPERAND_INT || value->type == GM_OPERAND_DOUBLE;
}

static bool is_nothing(const struct gm_operand *value)
{
    return value->type == GM_OPERAND_ABSENT || value->type == GM_OPERAND_NULL;
}

static enum order compare_numbers(const struct gm_operand *a, const struct gm_operand *b)
{
    if (a->type == GM_OPERAND_INT) {
        return b->type == GM_OPERAND_INT ? order_of(a->as.i<b->as.i, a->as.i> b->as.i)
                                         : compare_int_double(a->as.i, b->as.d);
    }
    if (b->type == GM_OPERAND_INT) {
        enum order order = compare_int_double(b->as.i, a->as.d);
        return order == NOT_COMPARABLE ? order : (enum order)(-(int)order);
    }
    bool comparable = a->as.d == a->as.d && b->as.d == b->as.d;
    return comparable ? order_of(a->as.d<b->as.d, a->as.d> b->as.d) : NOT_COMPARABLE;
}

/* Values as they are typed. */
static enum order compare_strictly(const struct gm_operand *a, const struct gm_operand *b)
{
    if (is_number(a) && is_number(b)) {
        return compare_numbers(a, b);
    }
    if (a->type == GM_OPERAND_TEXT && b->type == GM_OPERAND_TEXT) {
        int order = gm_str_cmp(a->as.text, b->as.text);
        return order_of(order<0, order> 0);
    }
    if (a->type == GM_OPERAND_BOOL && b->type == GM_OPERAND_BOOL) {
        return order_of(a->as.b<b->as.b, a->as.b> b->as.b);
    }
    return NOT_COMPARABLE;
}

/* `value` as it reads beside `other`; false: it does not. */
static bool read_beside(const struct gm_operand *value, const struct gm_operand *other,
                        struct gm_operand *out)
{
    *out = *value;
    if (value->type == GM_OPERAND_TEXT && is_number(other)) {
        out->type = GM_OPERAND_INT;
        if (gm_parse_i64(value->as.text, &out->as.i)) {
            return true;
        }
        out->type = GM_OPERAND_DOUBLE;
        return gm_parse_double(value->as.text, &out->as.d);
    }
    if (value->type == GM_OPERAND_TEXT && other->type == GM_OPERAND_BOOL) {
        out->type = GM_OPERAND_BOOL;
        return gm_parse_bool(value->as.text, &out->as.b);
    }
    if (value->type == GM_OPERAND_BOOL && is_number(other)) {
        out->type = GM_OPERAND_INT;
        out->as.i = value->as.b ? 1 : 0;
    }
    return true;
}

static enum order compare(bool loose, const struct gm_operand *left, const struct gm_operand *right)
{
    struct gm_operand a;
    struct gm_operand b;
    if (!loose || left->type == right->type) {
        return compare_strictly(left, right);
    }
    bool readable = read_beside(left, right, &a) && read_beside(right, left, &b);
    return readable ? compare_strictly(&a, &b) : NOT_COMPARABLE;
}

static bool is_true_of(enum gm_expr_op op, enum order order)
{
    if (order == NOT_COMPARABLE) {
        return false;
    }
    switch (op) {
    case GM_OP_EQ:
        return order == EQUAL;
    case GM_OP_NE:
        return order != EQUAL;
    case GM_OP_LT:
        return order == LESS;
    case GM_OP_LE:
        return order != GREATER;
    case GM_OP_GT:
        return order == GREATER;
    case GM_OP_GE:
        return order != LESS;
    }
    return false;
}

/* ---- asking ---- */

struct asking {
    bool loose;
    const struct gm_match_values *values;
    void *ctx;
    struct gm_err *err;
    gm_rc rc; /* of the first value that could not be got: what is answered then means nothing */
};

/* The value of a term: the one that is written, or `room` with what was got. */
static const struct gm_operand *look(struct asking *asking, const struct term *term,
                                     struct gm_operand *room)
{
    if (term->handle == NULL) {
        return &term->value;
    }
    if (asking->rc == GM_OK) {
        asking->rc = asking->values->get(asking->ctx, term->handle, room, asking->err);
    }
    if (asking->rc != GM_OK) {
        *room = (struct gm_operand){.type = GM_OPERAND_ABSENT};
    }
    return room;
}

static bool is_equal(bool loose, const struct gm_operand *a, const struct gm_operand *b)
{
    if (a->type == GM_OPERAND_TEXT && b->type == GM_OPERAND_TEXT) {
        return gm_str_eq(a->as.text, b->as.text); /* the usual case, and seen from the lengths */
    }
    return compare(loose, a, b) == EQUAL;
}

/* Of a list or an array, where null is found as well. */
static bool is_same(bool loose, const struct gm_operand *a, const struct gm_operand *b)
{
    return (is_nothing(a) && is_nothing(b)) || is_equal(loose, a, b);
}

static bool is_item(bool loose, const struct node *node, const struct gm_operand *value)
{
    if (node->texts != NULL && (!loose || value->type == GM_OPERAND_TEXT)) {
        return value->type == GM_OPERAND_TEXT &&
               bsearch(&value->as.text, node->texts, node->count, sizeof(node->texts[0]),
                       text_order) != NULL;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (is_same(loose, value, &node->items[i])) {
            return true;
        }
    }
    return false;
}

static bool array_contains(const struct asking *asking, const struct gm_operand *array,
                           const struct gm_operand *wanted)
{
    const void *item = NULL;
    for (size_t i = 0; array->type == GM_OPERAND_ARRAY && i < array->as.array.count; i++) {
        struct gm_operand value;
        item = asking->values->next(array, item, &value);
        if (is_same(asking->loose, &value, wanted)) {
            return true;
        }
    }
    return false;
}

static bool test_text(enum gm_expr_function function, const struct gm_operand *text,
                      const struct gm_operand *part)
{
    if (text->type != GM_OPERAND_TEXT || part->type != GM_OPERAND_TEXT) {
        return false;
    }
    switch (function) {
    case GM_FN_STARTSWITH:
        return gm_str_starts(text->as.text, part->as.text);
    case GM_FN_ENDSWITH:
        return gm_str_ends(text->as.text, part->as.text);
    default:
        return gm_str_contains(text->as.text, part->as.text);
    }
}

static bool test_type(enum gm_expr_function function, const struct gm_operand *value)
{
    switch (function) {
    case GM_FN_IS_DEFINED:
        return value->type != GM_OPERAND_ABSENT;
    case GM_FN_IS_NULL:
        return value->type == GM_OPERAND_NULL;
    case GM_FN_IS_BOOL:
        return value->type == GM_OPERAND_BOOL;
    case GM_FN_IS_NUMBER:
        return is_number(value);
    case GM_FN_IS_STRING:
        return value->type == GM_OPERAND_TEXT;
    case GM_FN_IS_OBJECT:
        return value->type == GM_OPERAND_OBJECT;
    case GM_FN_IS_PRIMITIVE:
        return value->type >= GM_OPERAND_NULL && value->type <= GM_OPERAND_TEXT;
    default:
        return false;
    }
}

static bool test_call(struct asking *asking, const struct node *node)
{
    struct gm_operand rooms[2];
    const struct gm_operand *first = look(asking, &node->terms[0], &rooms[0]);
    switch (node->function) {
    case GM_FN_STARTSWITH:
    case GM_FN_ENDSWITH:
    case GM_FN_CONTAINS:
        return test_text(node->function, first, look(asking, &node->terms[1], &rooms[1]));
    case GM_FN_ARRAY_CONTAINS:
        return array_contains(asking, first, look(asking, &node->terms[1], &rooms[1]));
    default:
        return test_type(node->function, first);
    }
}

static bool test_comparison(struct asking *asking, const struct node *node)
{
    struct gm_operand rooms[2];
    const struct gm_operand *left = look(asking, &node->terms[0], &rooms[0]);
    const struct gm_operand *right = look(asking, &node->terms[1], &rooms[1]);
    if (node->is_null_asked) {
        return (is_nothing(left) && is_nothing(right)) == (node->op == GM_OP_EQ);
    }
    return node->op == GM_OP_EQ ? is_equal(asking->loose, left, right)
                                : is_true_of(node->op, compare(asking->loose, left, right));
}

static bool ask(struct asking *asking, const struct node *node)
{
    static const struct gm_operand truth = {.type = GM_OPERAND_BOOL, .as.b = true};
    struct gm_operand room;
    switch (node->type) {
    case GM_EXPR_COMPARE:
        return test_comparison(asking, node);
    case GM_EXPR_CALL:
        return test_call(asking, node);
    case GM_EXPR_IN:
        return is_item(asking->loose, node, look(asking, &node->terms[0], &room)) != node->negated;
    case GM_EXPR_NOT:
        return !ask(asking, &node->parts[0]);
    case GM_EXPR_OR:
    case GM_EXPR_AND:
        break;
    default:
        return compare(asking->loose, look(asking, &node->terms[0], &room), &truth) == EQUAL;
    }
    bool decides = node->type == GM_EXPR_OR;
    for (size_t i = 0; i < node->count; i++) {
        if (ask(asking, &node->parts[i]) == decides) {
            return decides;
        }
    }
    return !decides;
}

gm_rc gm_match_holds(const struct gm_match *match, const struct gm_match_values *values, void *ctx,
                     bool *out_holds, struct gm_err *err)
{
    struct asking asking = {.loose = match->loose, .values = values, .ctx = ctx, .err = err};
    bool holds = ask(&asking, &match->root);
    GM_TRY(asking.rc);
    *out_holds = holds;
    return GM_OK;
}
