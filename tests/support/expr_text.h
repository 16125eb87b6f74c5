/* A condition's tree as text of the same language, with every parenthesis written: for tests and
 * the fuzzer. */
#ifndef TESTS_SUPPORT_EXPR_TEXT_H
#define TESTS_SUPPORT_EXPR_TEXT_H

#include "base/buf.h"
#include "base/num.h"
#include "expr/expr.h"

static inline void expr_text_string(struct gm_buf *out, struct gm_str s)
{
    gm_buf_add_char(out, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'' || s.p[i] == '\\') {
            gm_buf_add_char(out, '\\');
        }
        gm_buf_add_char(out, s.p[i]);
    }
    gm_buf_add_char(out, '\'');
}

static inline void expr_text_path(struct gm_buf *out, const struct gm_expr *expr)
{
    for (size_t i = 0; i < expr->segment_count; i++) {
        gm_buf_add_z(out, i > 0 ? ".[[" : "[[");
        gm_buf_add(out, expr->segments[i]);
        gm_buf_add_z(out, "]]");
    }
}

static inline void expr_text(struct gm_buf *out, const struct gm_expr *expr);

static inline void expr_text_args(struct gm_buf *out, const struct gm_expr *expr, size_t from,
                                  const char *between_z)
{
    for (size_t i = from; i < expr->arg_count; i++) {
        gm_buf_add_z(out, i > from ? between_z : "");
        expr_text(out, expr->args[i]);
    }
}

static inline void expr_text_in(struct gm_buf *out, const struct gm_expr *expr)
{
    expr_text(out, expr->args[0]);
    gm_buf_add_z(out, expr->negated ? " NOT IN [" : " IN [");
    expr_text_args(out, expr, 1, ", ");
    gm_buf_add_z(out, "]");
}

static inline void expr_text_call(struct gm_buf *out, const struct gm_expr *expr)
{
    static const char *const names[] = {"STARTSWITH", "ENDSWITH",  "CONTAINS",     "ARRAY_CONTAINS",
                                        "IS_DEFINED", "IS_NULL",   "IS_BOOL",      "IS_NUMBER",
                                        "IS_STRING",  "IS_OBJECT", "IS_PRIMITIVE", "IS_OF_MODEL"};
    gm_buf_add_z(out, names[expr->function]);
    gm_buf_add_char(out, '(');
    expr_text_args(out, expr, 0, ", ");
    gm_buf_add_z(out, expr->exact ? ", exact)" : ")");
}

static inline void expr_text_value(struct gm_buf *out, const struct gm_expr *expr)
{
    char number[GM_NUM_TEXT_SIZE];
    switch (expr->type) {
    case GM_EXPR_STRING:
        expr_text_string(out, expr->string);
        break;
    case GM_EXPR_INT:
        gm_buf_add(out, (struct gm_str){number, gm_format_i64(expr->i, number)});
        break;
    case GM_EXPR_DOUBLE:
        gm_buf_add(out, (struct gm_str){number, gm_format_double(expr->d, number)});
        break;
    case GM_EXPR_BOOL:
        gm_buf_add_z(out, expr->b ? "true" : "false");
        break;
    default:
        gm_buf_add_z(out, "null");
        break;
    }
}

static inline void expr_text(struct gm_buf *out, const struct gm_expr *expr)
{
    static const char *const ops[] = {" = ", " != ", " < ", " <= ", " > ", " >= "};
    switch (expr->type) {
    case GM_EXPR_OR:
    case GM_EXPR_AND:
        gm_buf_add_char(out, '(');
        expr_text_args(out, expr, 0, expr->type == GM_EXPR_OR ? " OR " : " AND ");
        gm_buf_add_char(out, ')');
        break;
    case GM_EXPR_NOT:
        gm_buf_add_z(out, "NOT ");
        expr_text(out, expr->args[0]);
        break;
    case GM_EXPR_COMPARE:
        expr_text_args(out, expr, 0, ops[expr->op]);
        break;
    case GM_EXPR_IN:
        expr_text_in(out, expr);
        break;
    case GM_EXPR_CALL:
        expr_text_call(out, expr);
        break;
    case GM_EXPR_PATH:
        expr_text_path(out, expr);
        break;
    default:
        expr_text_value(out, expr);
        break;
    }
}

#endif
