#include "expr/expr.h"

#include "base/num.h"

/* Recursive descent, one function per level of precedence. Chains of AND and OR are loops;
 * parentheses and NOT are what nests, and both count into lexer->depth. */

/* What a function takes. */
enum shape {
    SHAPE_TWO_OPERANDS,
    SHAPE_PATH,
    SHAPE_PATH_AND_LITERAL,
    SHAPE_MODEL,
};

struct function {
    const char *name_z;
    enum gm_expr_function function;
    enum shape shape;
};

static const struct function functions[] = {
    {"STARTSWITH", GM_FN_STARTSWITH, SHAPE_TWO_OPERANDS},
    {"ENDSWITH", GM_FN_ENDSWITH, SHAPE_TWO_OPERANDS},
    {"CONTAINS", GM_FN_CONTAINS, SHAPE_TWO_OPERANDS},
    /* as filters of event routes spell them */
    {"STARTS_WITH", GM_FN_STARTSWITH, SHAPE_TWO_OPERANDS},
    {"ENDS_WITH", GM_FN_ENDSWITH, SHAPE_TWO_OPERANDS},
    {"ARRAY_CONTAINS", GM_FN_ARRAY_CONTAINS, SHAPE_PATH_AND_LITERAL},
    {"IS_DEFINED", GM_FN_IS_DEFINED, SHAPE_PATH},
    {"IS_NULL", GM_FN_IS_NULL, SHAPE_PATH},
    {"IS_BOOL", GM_FN_IS_BOOL, SHAPE_PATH},
    {"IS_NUMBER", GM_FN_IS_NUMBER, SHAPE_PATH},
    {"IS_STRING", GM_FN_IS_STRING, SHAPE_PATH},
    {"IS_OBJECT", GM_FN_IS_OBJECT, SHAPE_PATH},
    {"IS_PRIMITIVE", GM_FN_IS_PRIMITIVE, SHAPE_PATH},
    {"IS_OF_MODEL", GM_FN_IS_OF_MODEL, SHAPE_MODEL},
};

static gm_rc parse_or(struct gm_lexer *lexer, struct gm_expr **out_expr, struct gm_err *err);

static gm_rc fail_full(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "no room for a condition of this size");
}

static struct gm_expr *node_new(struct gm_lexer *lexer, enum gm_expr_type type,
                                const struct gm_token *token)
{
    struct gm_expr *expr = gm_arena_zalloc(lexer->arena, sizeof(*expr));
    if (expr != NULL) {
        expr->type = type;
        expr->line = token->line;
        expr->column = token->column;
    }
    return expr;
}

/* Makes room for one more of `count` items in an array that has grown by doubling. */
static void *grown(struct gm_arena *arena, void *at, size_t count, size_t item_size)
{
    bool full = count == 0 || (count >= 4 && (count & (count - 1)) == 0);
    if (!full) {
        return at;
    }
    size_t capacity = count == 0 ? 4 : count * 2;
    return gm_arena_realloc(arena, at, (count == 0 ? 0 : count) * item_size, capacity * item_size);
}

static gm_rc arg_add(struct gm_lexer *lexer, struct gm_expr *expr, struct gm_expr *arg,
                     struct gm_err *err)
{
    /* Most expressions have one or two arguments: four at once, then doubling. */
    struct gm_expr **args =
        grown(lexer->arena, expr->args, expr->arg_count, sizeof(struct gm_expr *));
    if (args == NULL || arg == NULL) {
        return fail_full(err);
    }
    expr->args = args;
    expr->args[expr->arg_count++] = arg;
    return GM_OK;
}

static gm_rc expect_symbol(struct gm_lexer *lexer, const char *symbol_z, const char *expected_z,
                           struct gm_err *err)
{
    if (!gm_lexer_at_symbol(lexer, symbol_z)) {
        return gm_lexer_fail(lexer, expected_z, err);
    }
    return gm_lexer_next(lexer, err);
}

/* Words that stand for themselves: a path does not start with one. */
static bool at_reserved(const struct gm_lexer *lexer)
{
    static const char *const words[] = {"AND", "OR", "NOT", "IN", "NIN", "TRUE", "FALSE", "NULL"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(words); i++) {
        if (gm_lexer_at_keyword(lexer, words[i])) {
            return true;
        }
    }
    return false;
}

static bool at_name(const struct gm_lexer *lexer)
{
    return lexer->token.type == GM_TOKEN_NAME || lexer->token.type == GM_TOKEN_RAW_NAME;
}

static gm_rc segment_add(struct gm_lexer *lexer, struct gm_expr *path, struct gm_str segment,
                         struct gm_err *err)
{
    struct gm_str *segments =
        grown(lexer->arena, path->segments, path->segment_count, sizeof(struct gm_str));
    if (segments == NULL) {
        return fail_full(err);
    }
    path->segments = segments;
    path->segments[path->segment_count++] = segment;
    return GM_OK;
}

/* The rest of a path whose first segment was `first`; the lexer stands behind it. */
static gm_rc parse_path_from(struct gm_lexer *lexer, const struct gm_token *first,
                             struct gm_expr **out_expr, struct gm_err *err)
{
    struct gm_expr *path = node_new(lexer, GM_EXPR_PATH, first);
    if (path == NULL) {
        return fail_full(err);
    }
    GM_TRY(segment_add(lexer, path, first->text, err));
    while (gm_lexer_at_symbol(lexer, ".")) {
        GM_TRY(gm_lexer_next(lexer, err));
        if (!at_name(lexer)) {
            return gm_lexer_fail(lexer, "a name behind the `.`", err);
        }
        GM_TRY(segment_add(lexer, path, lexer->token.text, err));
        GM_TRY(gm_lexer_next(lexer, err));
    }
    *out_expr = path;
    return GM_OK;
}

static gm_rc parse_path(struct gm_lexer *lexer, const char *expected_z, struct gm_expr **out_expr,
                        struct gm_err *err)
{
    if (!at_name(lexer) || at_reserved(lexer)) {
        return gm_lexer_fail(lexer, expected_z, err);
    }
    struct gm_token first = lexer->token;
    GM_TRY(gm_lexer_next(lexer, err));
    return parse_path_from(lexer, &first, out_expr, err);
}

static gm_rc parse_number(struct gm_lexer *lexer, struct gm_expr **out_expr, struct gm_err *err)
{
    struct gm_token start = lexer->token;
    bool negative = gm_lexer_at_symbol(lexer, "-");
    if (negative) {
        GM_TRY(gm_lexer_next(lexer, err));
        if (lexer->token.type != GM_TOKEN_NUMBER) {
            return gm_lexer_fail(lexer, "a number behind the `-`", err);
        }
    }
    struct gm_expr *number = node_new(lexer, GM_EXPR_INT, &start);
    /* The sign belongs to the digits: -9223372036854775808 has no positive twin. */
    struct gm_str digits = lexer->token.text;
    struct gm_str text =
        negative ? gm_arena_format(lexer->arena, "-" GM_STR_FMT, GM_STR_ARG(digits)) : digits;
    if (number == NULL || text.p == NULL) {
        return fail_full(err);
    }
    if (!gm_parse_i64(text, &number->i)) {
        number->type = GM_EXPR_DOUBLE;
        if (!gm_parse_double(text, &number->d)) {
            return gm_lexer_fail(lexer, "a number within the range of a double", err);
        }
    }
    *out_expr = number;
    return gm_lexer_next(lexer, err);
}

static bool at_literal(const struct gm_lexer *lexer)
{
    return lexer->token.type == GM_TOKEN_STRING || lexer->token.type == GM_TOKEN_NUMBER ||
           gm_lexer_at_symbol(lexer, "-") || gm_lexer_at_keyword(lexer, "TRUE") ||
           gm_lexer_at_keyword(lexer, "FALSE") || gm_lexer_at_keyword(lexer, "NULL");
}

static gm_rc parse_literal(struct gm_lexer *lexer, struct gm_expr **out_expr, struct gm_err *err)
{
    if (!at_literal(lexer)) {
        return gm_lexer_fail(lexer, "a string, a number, true, false or null", err);
    }
    if (lexer->token.type == GM_TOKEN_NUMBER || lexer->token.type == GM_TOKEN_SYMBOL) {
        return parse_number(lexer, out_expr, err);
    }
    struct gm_expr *literal = node_new(lexer, GM_EXPR_NULL, &lexer->token);
    if (literal == NULL) {
        return fail_full(err);
    }
    if (lexer->token.type == GM_TOKEN_STRING) {
        literal->type = GM_EXPR_STRING;
        literal->string = lexer->token.text;
    } else if (!gm_lexer_at_keyword(lexer, "NULL")) {
        literal->type = GM_EXPR_BOOL;
        literal->b = gm_lexer_at_keyword(lexer, "TRUE");
    }
    *out_expr = literal;
    return gm_lexer_next(lexer, err);
}

static gm_rc parse_operand(struct gm_lexer *lexer, struct gm_expr **out_expr, struct gm_err *err)
{
    if (at_literal(lexer)) {
        return parse_literal(lexer, out_expr, err);
    }
    return parse_path(lexer, "a name or a value", out_expr, err);
}

/* ---- functions ---- */

static const struct function *function_at(const struct gm_lexer *lexer)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(functions); i++) {
        if (gm_lexer_at_keyword(lexer, functions[i].name_z)) {
            return &functions[i];
        }
    }
    return NULL;
}

static gm_rc fail_function(const struct gm_token *token, struct gm_err *err)
{
    const char *near_z = NULL;
    size_t best = token->text.n / 3 + 1;
    for (size_t i = 0; i < GM_ARRAY_COUNT(functions); i++) {
        size_t distance = gm_str_distance(token->text, gm_str_z(functions[i].name_z), best);
        if (distance < best) {
            best = distance;
            near_z = functions[i].name_z;
        }
    }
    return gm_fail(err, GM_E_INVALID,
                   "line %d, column %d: there is no function `" GM_STR_FMT "`%s%s%s",
                   (int)token->line, (int)token->column, GM_STR_ARG(token->text),
                   near_z != NULL ? "; did you mean `" : "", near_z != NULL ? near_z : "",
                   near_z != NULL ? "`?" : "");
}

/* Behind "IS_OF_MODEL(": [alias ','] string [',' exact] */
static gm_rc parse_model_args(struct gm_lexer *lexer, struct gm_expr *call, struct gm_err *err)
{
    struct gm_expr *arg;
    if (at_name(lexer)) {
        GM_TRY(parse_path(lexer, "the name of a collection or a model's id in quotes", &arg, err));
        GM_TRY(arg_add(lexer, call, arg, err));
        GM_TRY(expect_symbol(lexer, ",", "`,` and a model's id", err));
    }
    if (lexer->token.type != GM_TOKEN_STRING) {
        return gm_lexer_fail(lexer, "a model's id in quotes", err);
    }
    GM_TRY(parse_literal(lexer, &arg, err));
    GM_TRY(arg_add(lexer, call, arg, err));
    if (gm_lexer_at_symbol(lexer, ",")) {
        GM_TRY(gm_lexer_next(lexer, err));
        if (!gm_lexer_at_keyword(lexer, "EXACT")) {
            return gm_lexer_fail(lexer, "`exact`", err);
        }
        call->exact = true;
        GM_TRY(gm_lexer_next(lexer, err));
    }
    return GM_OK;
}

static gm_rc parse_args(struct gm_lexer *lexer, enum shape shape, struct gm_expr *call,
                        struct gm_err *err)
{
    if (shape == SHAPE_MODEL) {
        return parse_model_args(lexer, call, err);
    }
    struct gm_expr *arg;
    if (shape == SHAPE_TWO_OPERANDS) {
        GM_TRY(parse_operand(lexer, &arg, err));
    } else {
        GM_TRY(parse_path(lexer, "a name", &arg, err));
    }
    GM_TRY(arg_add(lexer, call, arg, err));
    if (shape == SHAPE_PATH) {
        return GM_OK;
    }
    GM_TRY(expect_symbol(lexer, ",", "`,` and a second value", err));
    if (shape == SHAPE_TWO_OPERANDS) {
        GM_TRY(parse_operand(lexer, &arg, err));
    } else {
        GM_TRY(parse_literal(lexer, &arg, err));
    }
    return arg_add(lexer, call, arg, err);
}

/* ---- tests ---- */

static bool at_comparison(const struct gm_lexer *lexer, enum gm_expr_op *out_op)
{
    static const struct {
        const char *symbol_z;
        enum gm_expr_op op;
    } symbols[] = {{"=", GM_OP_EQ},  {"!=", GM_OP_NE}, {"<>", GM_OP_NE}, {"<", GM_OP_LT},
                   {"<=", GM_OP_LE}, {">", GM_OP_GT},  {">=", GM_OP_GE}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(symbols); i++) {
        if (gm_lexer_at_symbol(lexer, symbols[i].symbol_z)) {
            *out_op = symbols[i].op;
            return true;
        }
    }
    return false;
}

/* Behind IN or NIN. */
static gm_rc parse_items(struct gm_lexer *lexer, struct gm_expr *in, struct gm_err *err)
{
    GM_TRY(expect_symbol(lexer, "[", "`[` and a list of values", err));
    for (;;) {
        if (in->arg_count > GM_EXPR_ITEMS_MAX) {
            return gm_fail(err, GM_E_INVALID, "line %d, column %d: a list has at most %d values",
                           (int)in->line, (int)in->column, GM_EXPR_ITEMS_MAX);
        }
        struct gm_expr *item;
        GM_TRY(parse_literal(lexer, &item, err));
        GM_TRY(arg_add(lexer, in, item, err));
        if (!gm_lexer_at_symbol(lexer, ",")) {
            return expect_symbol(lexer, "]", "`,` or `]`", err);
        }
        GM_TRY(gm_lexer_next(lexer, err));
    }
}

static gm_rc parse_in(struct gm_lexer *lexer, struct gm_expr *left, struct gm_expr **out_expr,
                      struct gm_err *err)
{
    struct gm_expr *in = node_new(lexer, GM_EXPR_IN, &lexer->token);
    GM_TRY(in == NULL ? fail_full(err) : arg_add(lexer, in, left, err));
    in->negated = !gm_lexer_at_keyword(lexer, "IN");
    if (gm_lexer_at_keyword(lexer, "NOT")) {
        GM_TRY(gm_lexer_next(lexer, err));
        if (!gm_lexer_at_keyword(lexer, "IN")) {
            return gm_lexer_fail(lexer, "IN behind NOT", err);
        }
    }
    GM_TRY(gm_lexer_next(lexer, err));
    *out_expr = in;
    return parse_items(lexer, in, err);
}

static gm_rc parse_comparison(struct gm_lexer *lexer, struct gm_expr *left,
                              struct gm_expr **out_expr, struct gm_err *err)
{
    if (gm_lexer_at_keyword(lexer, "IN") || gm_lexer_at_keyword(lexer, "NIN") ||
        gm_lexer_at_keyword(lexer, "NOT")) {
        return parse_in(lexer, left, out_expr, err);
    }
    enum gm_expr_op op;
    if (!at_comparison(lexer, &op)) {
        if (left->type != GM_EXPR_PATH && left->type != GM_EXPR_BOOL) {
            return gm_lexer_fail(lexer, "a comparison", err);
        }
        *out_expr = left;
        return GM_OK;
    }
    struct gm_expr *compare = node_new(lexer, GM_EXPR_COMPARE, &lexer->token);
    GM_TRY(compare == NULL ? fail_full(err) : arg_add(lexer, compare, left, err));
    compare->op = op;
    GM_TRY(gm_lexer_next(lexer, err));
    struct gm_expr *right;
    GM_TRY(parse_operand(lexer, &right, err));
    *out_expr = compare;
    return arg_add(lexer, compare, right, err);
}

/* A name is a function's when '(' follows, else it starts a path: columns may be called Contains.
 */
static gm_rc parse_named(struct gm_lexer *lexer, struct gm_expr **out_expr, struct gm_err *err)
{
    struct gm_token name = lexer->token;
    const struct function *function = function_at(lexer);
    GM_TRY(gm_lexer_next(lexer, err));
    if (name.type == GM_TOKEN_RAW_NAME || !gm_lexer_at_symbol(lexer, "(")) {
        struct gm_expr *path;
        GM_TRY(parse_path_from(lexer, &name, &path, err));
        return parse_comparison(lexer, path, out_expr, err);
    }
    if (function == NULL) {
        return fail_function(&name, err);
    }
    GM_TRY(gm_lexer_next(lexer, err));
    struct gm_expr *call = node_new(lexer, GM_EXPR_CALL, &name);
    if (call == NULL) {
        return fail_full(err);
    }
    call->function = function->function;
    GM_TRY(parse_args(lexer, function->shape, call, err));
    *out_expr = call;
    return expect_symbol(lexer, ")", "`)`", err);
}

static gm_rc parse_test(struct gm_lexer *lexer, struct gm_expr **out_expr, struct gm_err *err)
{
    if (gm_lexer_at_symbol(lexer, "(")) {
        GM_TRY(gm_lexer_next(lexer, err));
        GM_TRY(parse_or(lexer, out_expr, err));
        return expect_symbol(lexer, ")", "AND, OR or `)`", err);
    }
    if (at_name(lexer) && !at_reserved(lexer)) {
        return parse_named(lexer, out_expr, err);
    }
    if (!at_literal(lexer)) {
        return gm_lexer_fail(lexer, "a condition", err);
    }
    struct gm_expr *left;
    GM_TRY(parse_literal(lexer, &left, err));
    return parse_comparison(lexer, left, out_expr, err);
}

/* ---- connectives ---- */

static gm_rc parse_not(struct gm_lexer *lexer, struct gm_expr **out_expr, struct gm_err *err)
{
    if (lexer->depth >= GM_EXPR_DEPTH_MAX) {
        return gm_fail(err, GM_E_INVALID, "line %d, column %d: nested deeper than %d levels",
                       (int)lexer->token.line, (int)lexer->token.column, GM_EXPR_DEPTH_MAX);
    }
    lexer->depth++;
    if (gm_lexer_at_keyword(lexer, "NOT")) {
        struct gm_expr *negation = node_new(lexer, GM_EXPR_NOT, &lexer->token);
        struct gm_expr *arg;
        GM_TRY(gm_lexer_next(lexer, err));
        GM_TRY(parse_not(lexer, &arg, err));
        GM_TRY(negation == NULL ? fail_full(err) : arg_add(lexer, negation, arg, err));
        *out_expr = negation;
    } else {
        GM_TRY(parse_test(lexer, out_expr, err));
    }
    lexer->depth--;
    return GM_OK;
}

typedef gm_rc (*parse_fn)(struct gm_lexer *lexer, struct gm_expr **out_expr, struct gm_err *err);

/* part { WORD part }: one node for the whole chain. */
static gm_rc parse_chain(struct gm_lexer *lexer, const char *word_z, parse_fn parse_part,
                         struct gm_expr **out_expr, struct gm_err *err)
{
    struct gm_expr *part;
    GM_TRY(parse_part(lexer, &part, err));
    if (!gm_lexer_at_keyword(lexer, word_z)) {
        *out_expr = part;
        return GM_OK;
    }
    struct gm_expr *chain =
        node_new(lexer, word_z[0] == 'O' ? GM_EXPR_OR : GM_EXPR_AND, &lexer->token);
    GM_TRY(chain == NULL ? fail_full(err) : arg_add(lexer, chain, part, err));
    while (gm_lexer_at_keyword(lexer, word_z)) {
        GM_TRY(gm_lexer_next(lexer, err));
        GM_TRY(parse_part(lexer, &part, err));
        GM_TRY(arg_add(lexer, chain, part, err));
    }
    *out_expr = chain;
    return GM_OK;
}

static gm_rc parse_and(struct gm_lexer *lexer, struct gm_expr **out_expr, struct gm_err *err)
{
    return parse_chain(lexer, "AND", parse_not, out_expr, err);
}

static gm_rc parse_or(struct gm_lexer *lexer, struct gm_expr **out_expr, struct gm_err *err)
{
    return parse_chain(lexer, "OR", parse_and, out_expr, err);
}

gm_rc gm_expr_parse_at(struct gm_lexer *lexer, struct gm_expr **out_expr, struct gm_err *err)
{
    struct gm_expr *expr;
    lexer->depth = 0;
    GM_TRY(parse_or(lexer, &expr, err));
    *out_expr = expr;
    return GM_OK;
}

gm_rc gm_expr_parse(struct gm_arena *arena, struct gm_str text, struct gm_expr **out_expr,
                    struct gm_err *err)
{
    struct gm_lexer lexer;
    struct gm_expr *expr;
    GM_TRY(gm_lexer_init(&lexer, arena, text, err));
    GM_TRY(gm_expr_parse_at(&lexer, &expr, err));
    if (lexer.token.type != GM_TOKEN_END) {
        return gm_lexer_fail(&lexer, "AND, OR or the end", err);
    }
    *out_expr = expr;
    return GM_OK;
}
