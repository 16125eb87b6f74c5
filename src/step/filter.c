/* `filter`: a condition of src/expr over the values of a record.
 *
 * There are two truth values. A comparison with null, or with what is not there, is false, and so
 * is a comparison of values that cannot be compared; NOT turns that into true like any false. The
 * exception is the literal: `x = null` is true when x is null or absent, `x != null` when it is
 * neither. NOT IN is the negation of IN.
 *
 * What can be compared: numbers with numbers, exactly, also integers with doubles; texts with
 * texts, by bytes; truth values with truth values. Tables and CSV files blur types, so a text
 * beside a number is read as a number, a text beside a truth value as true/false, yes/no, 1/0, and
 * a number beside a truth value as 1/0; text that is not readable so cannot be compared. A path
 * alone means `path = true`. */
#include "base/num.h"
#include "step/convert.h"

#include <stdlib.h>

enum order { LESS = -1, EQUAL = 0, GREATER = 1, NOT_COMPARABLE = 2 };

struct operand {
    struct gm_path *path; /* NULL: the value below */
    struct gm_cell value;
};

struct gm_filter {
    const struct gm_expr *expr; /* for type, op, function, negated */
    struct gm_filter *parts;    /* OR, AND, NOT */
    size_t part_count;
    struct operand *operands; /* of a test: the arguments of expr, or expr itself */
    size_t operand_count;
    struct gm_str *texts; /* IN with many texts: sorted, in place of operands[1…] */
};

/* Above this, a list of texts is searched by halves. */
enum { SEARCHED_ITEMS_MIN = 16 };

/* ---- compiling ---- */

static bool compile_operand(struct gm_step_compile *c, const struct gm_node *node,
                            const struct gm_expr *expr, struct operand *out)
{
    switch (expr->type) {
    case GM_EXPR_PATH:
        out->path = gm_step_path_of(c, expr->segments, expr->segment_count, &node->place);
        return out->path != NULL;
    case GM_EXPR_STRING:
        out->value = (struct gm_cell){.type = GM_CELL_TEXT, .as.s = expr->string};
        return true;
    case GM_EXPR_INT:
        out->value = (struct gm_cell){.type = GM_CELL_INT, .as.i = expr->i};
        return true;
    case GM_EXPR_DOUBLE:
        out->value = (struct gm_cell){.type = GM_CELL_DOUBLE, .as.d = expr->d};
        return true;
    case GM_EXPR_BOOL:
        out->value = (struct gm_cell){.type = GM_CELL_BOOL, .as.b = expr->b};
        return true;
    default:
        out->value = (struct gm_cell){.type = GM_CELL_NULL};
        return true;
    }
}

static int text_order(const void *a, const void *b)
{
    return gm_str_cmp(*(const struct gm_str *)a, *(const struct gm_str *)b);
}

static void sort_items(struct gm_step_compile *c, struct gm_filter *filter)
{
    size_t count = filter->operand_count - 1;
    for (size_t i = 1; i <= count; i++) {
        if (filter->operands[i].value.type != GM_CELL_TEXT) {
            return;
        }
    }
    filter->texts = gm_step_alloc(c, count, sizeof(struct gm_str));
    for (size_t i = 0; i < count; i++) {
        filter->texts[i] = filter->operands[i + 1].value.as.s;
    }
    qsort(filter->texts, count, sizeof(struct gm_str), text_order);
}

static bool compile_test(struct gm_step_compile *c, const struct gm_node *node,
                         const struct gm_expr *expr, struct gm_filter *filter)
{
    bool alone =
        expr->type != GM_EXPR_COMPARE && expr->type != GM_EXPR_IN && expr->type != GM_EXPR_CALL;
    if (expr->type == GM_EXPR_CALL && expr->function == GM_FN_IS_OF_MODEL) {
        gm_conf_error(c->doc, &node->place,
                      "filter: IS_OF_MODEL is for twins; records of a source have no model");
        return false;
    }
    filter->operand_count = alone ? 1 : expr->arg_count;
    filter->operands = gm_step_alloc(c, filter->operand_count, sizeof(struct operand));
    for (size_t i = 0; i < filter->operand_count; i++) {
        if (!compile_operand(c, node, alone ? expr : expr->args[i], &filter->operands[i])) {
            return false;
        }
    }
    if (expr->type == GM_EXPR_IN && filter->operand_count > SEARCHED_ITEMS_MIN) {
        sort_items(c, filter);
    }
    return true;
}

static bool compile(struct gm_step_compile *c, const struct gm_node *node,
                    const struct gm_expr *expr, struct gm_filter *filter)
{
    filter->expr = expr;
    if (expr->type != GM_EXPR_OR && expr->type != GM_EXPR_AND && expr->type != GM_EXPR_NOT) {
        return compile_test(c, node, expr, filter);
    }
    filter->part_count = expr->arg_count;
    filter->parts = gm_step_alloc(c, expr->arg_count, sizeof(struct gm_filter));
    for (size_t i = 0; i < expr->arg_count; i++) {
        if (!compile(c, node, expr->args[i], &filter->parts[i])) {
            return false;
        }
    }
    return true;
}

struct gm_filter *gm_filter_compile(struct gm_step_compile *c, const struct gm_node *node,
                                    struct gm_str text)
{
    struct gm_expr *expr;
    struct gm_err err = {0};
    if (gm_expr_parse(c->arena, gm_step_keep(c, text), &expr, &err) != GM_OK) {
        gm_conf_error(c->doc, &node->place, "filter: %s", err.text);
        return NULL;
    }
    struct gm_filter *filter = gm_step_alloc(c, 1, sizeof(*filter));
    return compile(c, node, expr, filter) ? filter : NULL;
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

static enum order compare_numbers(const struct gm_cell *a, const struct gm_cell *b)
{
    if (a->type == GM_CELL_INT) {
        return b->type == GM_CELL_INT ? order_of(a->as.i<b->as.i, a->as.i> b->as.i)
                                      : compare_int_double(a->as.i, b->as.d);
    }
    if (b->type == GM_CELL_INT) {
        enum order order = compare_int_double(b->as.i, a->as.d);
        return order == NOT_COMPARABLE ? order : (enum order)(-(int)order);
    }
    bool comparable = a->as.d == a->as.d && b->as.d == b->as.d;
    return comparable ? order_of(a->as.d<b->as.d, a->as.d> b->as.d) : NOT_COMPARABLE;
}

static bool is_number(const struct gm_cell *cell)
{
    return cell->type == GM_CELL_INT || cell->type == GM_CELL_DOUBLE;
}

/* `cell` as it reads beside `other`; false: it does not. */
static bool read_beside(const struct gm_cell *cell, const struct gm_cell *other,
                        struct gm_cell *out)
{
    *out = *cell;
    if (cell->type == GM_CELL_TEXT && is_number(other)) {
        out->type = GM_CELL_INT;
        if (gm_parse_i64(cell->as.s, &out->as.i)) {
            return true;
        }
        out->type = GM_CELL_DOUBLE;
        return gm_parse_double(cell->as.s, &out->as.d);
    }
    if (cell->type == GM_CELL_TEXT && other->type == GM_CELL_BOOL) {
        out->type = GM_CELL_BOOL;
        return gm_convert_bool(cell->as.s, &out->as.b);
    }
    if (cell->type == GM_CELL_BOOL && is_number(other)) {
        out->type = GM_CELL_INT;
        out->as.i = cell->as.b ? 1 : 0;
    }
    return true;
}

static enum order compare(const struct gm_cell *left, const struct gm_cell *right)
{
    struct gm_cell a;
    struct gm_cell b;
    if (!read_beside(left, right, &a) || !read_beside(right, left, &b)) {
        return NOT_COMPARABLE;
    }
    if (is_number(&a) && is_number(&b)) {
        return compare_numbers(&a, &b);
    }
    if (a.type == GM_CELL_TEXT && b.type == GM_CELL_TEXT) {
        int order = gm_str_cmp(a.as.s, b.as.s);
        return order_of(order<0, order> 0);
    }
    if (a.type == GM_CELL_BOOL && b.type == GM_CELL_BOOL) {
        return order_of(a.as.b<b.as.b, a.as.b> b.as.b);
    }
    return NOT_COMPARABLE;
}

/* ---- evaluating ---- */

/* The record at hand, and the values of a test's operands. */
struct eval {
    const struct gm_step_run *run;
    struct gm_err *err;
};

static gm_rc get(const struct eval *eval, const struct operand *operand, struct gm_cell *out_cell,
                 bool *out_absent)
{
    if (operand->path == NULL) {
        *out_cell = operand->value;
        *out_absent = false;
        return GM_OK;
    }
    return gm_step_get(eval->run, operand->path, out_cell, out_absent, eval->err);
}

static bool is_null_literal(const struct operand *operand)
{
    return operand->path == NULL && operand->value.type == GM_CELL_NULL;
}

static bool holds(enum gm_expr_op op, enum order order)
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

static gm_rc eval_compare(const struct eval *eval, const struct gm_filter *filter, bool *out_match)
{
    struct gm_cell a;
    struct gm_cell b;
    bool absent;
    GM_TRY(get(eval, &filter->operands[0], &a, &absent));
    GM_TRY(get(eval, &filter->operands[1], &b, &absent));
    enum gm_expr_op op = filter->expr->op;
    if ((op == GM_OP_EQ || op == GM_OP_NE) &&
        (is_null_literal(&filter->operands[0]) || is_null_literal(&filter->operands[1]))) {
        bool both = a.type == GM_CELL_NULL && b.type == GM_CELL_NULL;
        *out_match = both == (op == GM_OP_EQ);
        return GM_OK;
    }
    *out_match = holds(op, compare(&a, &b));
    return GM_OK;
}

static bool is_item(const struct gm_filter *filter, const struct gm_cell *cell)
{
    if (filter->texts != NULL && cell->type == GM_CELL_TEXT) {
        return bsearch(&cell->as.s, filter->texts, filter->operand_count - 1, sizeof(struct gm_str),
                       text_order) != NULL;
    }
    for (size_t i = 1; i < filter->operand_count; i++) {
        const struct gm_cell *item = &filter->operands[i].value;
        bool both_null = item->type == GM_CELL_NULL && cell->type == GM_CELL_NULL;
        if (both_null || compare(cell, item) == EQUAL) {
            return true;
        }
    }
    return false;
}

static bool array_contains(const struct gm_cell *array, const struct gm_cell *wanted)
{
    if (array->type != GM_CELL_JSON || !yyjson_mut_is_arr(array->as.json)) {
        return false;
    }
    size_t index;
    size_t max;
    yyjson_mut_val *value;
    yyjson_mut_arr_foreach(array->as.json, index, max, value)
    {
        struct gm_cell item = gm_cell_of_json(value);
        if (compare(&item, wanted) == EQUAL ||
            (item.type == GM_CELL_NULL && wanted->type == GM_CELL_NULL)) {
            return true;
        }
    }
    return false;
}

static bool test_text(enum gm_expr_function function, const struct gm_cell *text,
                      const struct gm_cell *part)
{
    if (text->type != GM_CELL_TEXT || part->type != GM_CELL_TEXT) {
        return false;
    }
    switch (function) {
    case GM_FN_STARTSWITH:
        return gm_str_starts(text->as.s, part->as.s);
    case GM_FN_ENDSWITH:
        return gm_str_ends(text->as.s, part->as.s);
    default:
        return gm_str_contains(text->as.s, part->as.s);
    }
}

static bool test_type(enum gm_expr_function function, const struct gm_cell *cell, bool absent)
{
    switch (function) {
    case GM_FN_IS_DEFINED:
        return !absent;
    case GM_FN_IS_NULL:
        return !absent && cell->type == GM_CELL_NULL;
    case GM_FN_IS_BOOL:
        return cell->type == GM_CELL_BOOL;
    case GM_FN_IS_NUMBER:
        return is_number(cell);
    case GM_FN_IS_STRING:
        return cell->type == GM_CELL_TEXT;
    case GM_FN_IS_OBJECT:
        return cell->type == GM_CELL_JSON && yyjson_mut_is_obj(cell->as.json);
    case GM_FN_IS_PRIMITIVE:
        return !absent && cell->type != GM_CELL_JSON && cell->type != GM_CELL_BYTES;
    default:
        return false;
    }
}

static gm_rc eval_call(const struct eval *eval, const struct gm_filter *filter, bool *out_match)
{
    struct gm_cell first;
    struct gm_cell second = {.type = GM_CELL_NULL};
    bool absent;
    bool second_absent;
    GM_TRY(get(eval, &filter->operands[0], &first, &absent));
    if (filter->operand_count > 1) {
        GM_TRY(get(eval, &filter->operands[1], &second, &second_absent));
    }
    switch (filter->expr->function) {
    case GM_FN_STARTSWITH:
    case GM_FN_ENDSWITH:
    case GM_FN_CONTAINS:
        *out_match = test_text(filter->expr->function, &first, &second);
        break;
    case GM_FN_ARRAY_CONTAINS:
        *out_match = array_contains(&first, &second);
        break;
    default:
        *out_match = test_type(filter->expr->function, &first, absent);
        break;
    }
    return GM_OK;
}

static gm_rc eval_test(const struct eval *eval, const struct gm_filter *filter, bool *out_match)
{
    static const struct gm_cell truth = {.type = GM_CELL_BOOL, .as.b = true};
    struct gm_cell cell;
    bool absent;
    switch (filter->expr->type) {
    case GM_EXPR_COMPARE:
        return eval_compare(eval, filter, out_match);
    case GM_EXPR_CALL:
        return eval_call(eval, filter, out_match);
    case GM_EXPR_IN:
        GM_TRY(get(eval, &filter->operands[0], &cell, &absent));
        *out_match = is_item(filter, &cell) != filter->expr->negated;
        return GM_OK;
    default:
        GM_TRY(get(eval, &filter->operands[0], &cell, &absent));
        *out_match = compare(&cell, &truth) == EQUAL;
        return GM_OK;
    }
}

static gm_rc evaluate(const struct eval *eval, const struct gm_filter *filter, bool *out_match)
{
    if (filter->part_count == 0) {
        return eval_test(eval, filter, out_match);
    }
    if (filter->expr->type == GM_EXPR_NOT) {
        GM_TRY(evaluate(eval, &filter->parts[0], out_match));
        *out_match = !*out_match;
        return GM_OK;
    }
    bool decides = filter->expr->type == GM_EXPR_OR;
    for (size_t i = 0; i < filter->part_count; i++) {
        GM_TRY(evaluate(eval, &filter->parts[i], out_match));
        if (*out_match == decides) {
            break;
        }
    }
    return GM_OK;
}

gm_rc gm_filter_match(const struct gm_filter *filter, const struct gm_step_run *run,
                      bool *out_match, struct gm_err *err)
{
    struct eval eval = {.run = run, .err = err};
    return evaluate(&eval, filter, out_match);
}
