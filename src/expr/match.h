/* What a condition means: a tree of expr.h, compiled against the names of its user, asked of
 * values. Filters of pipelines, conditions of views and commands, and filters of event routes are
 * all asked here, so one text means one thing everywhere.
 *
 *     static const struct gm_match_language language = {
 *         .functions = GM_MATCH_VALUE_FUNCTIONS, .function_z = "…", .resolve = find_column};
 *     static const struct gm_match_values values = {.get = get_column, .next = next_item};
 *     struct gm_match *match;
 *     bool holds;
 *     GM_TRY(gm_match_new(arena, expr, &(struct gm_match_user){&language, columns}, &match, err));
 *     GM_TRY(gm_match_holds(match, &values, row, &holds, err));
 *
 * There are two truth values. A comparison with null, or with what is not there, is false, and so
 * is a comparison of values that cannot be compared, also with `!=`; NOT turns that into true like
 * any false. The exception is the literal: `x = null` is true when x is null or absent, `x != null`
 * when it is neither. NOT IN is the negation of IN; null in a list is found by null and absent.
 *
 * What can be compared: numbers with numbers, exactly, also integers with doubles; texts with
 * texts, by bytes; truth values with truth values. A path alone means `path = true`. STARTSWITH,
 * ENDSWITH and CONTAINS are false of what is no text. IS_DEFINED is true of null, IS_PRIMITIVE of
 * whatever is there and neither an object nor an array (nor bytes).
 *
 * Where types are blurred, as in tables and CSV files (`loose`), a text beside a number is read as
 * a number, a text beside a truth value as true/false, yes/no, 1/0, and a number beside a truth
 * value as 1/0; text that is not readable so cannot be compared.
 *
 * Asking allocates nothing. Lists of many texts are searched by halves.
 *
 * Thread rule: read-only once made, and shared; it borrows from the tree and lives in the arena. */
#ifndef GM_EXPR_MATCH_H
#define GM_EXPR_MATCH_H

#include "expr/expr.h"

/* ---- values ---- */

enum gm_operand_type {
    GM_OPERAND_ABSENT,
    GM_OPERAND_NULL,
    GM_OPERAND_BOOL,
    GM_OPERAND_INT,
    GM_OPERAND_DOUBLE,
    GM_OPERAND_TEXT,
    GM_OPERAND_ARRAY,
    GM_OPERAND_OBJECT,
    GM_OPERAND_OTHER, /* bytes: there, and like nothing else */
};
struct gm_operand {
    enum gm_operand_type type;
    union {
        bool b;
        int64_t i;
        double d;
        struct gm_str text; /* borrowed until the answer is there */
        struct {
            const void *p; /* the user's own */
            size_t count;
        } array;
    } as;
};

/* Where values come from while a condition is asked; `ctx` is the asker's. */
struct gm_match_values {
    /* What stands at a handle that `resolve` gave. A failure ends the asking with it. */
    gm_rc (*get)(void *ctx, void *handle, struct gm_operand *out_value, struct gm_err *err);
    /* The item behind `item`, of an array of at least one more; `item` NULL: the first. Returns
     * what stands for it the next time. NULL: no operand is ever an array. */
    const void *(*next)(const struct gm_operand *array, const void *item,
                        struct gm_operand *out_value);
};

/* ---- compiling ---- */

/* Everything but IS_OF_MODEL, which is of twins. */
#define GM_MATCH_VALUE_FUNCTIONS ((1u << GM_FN_IS_OF_MODEL) - 1)

/* What conditions of one kind of user may say. */
struct gm_match_language {
    unsigned functions;     /* bits: 1 << GM_FN_… */
    const char *function_z; /* what is said of the others */
    /* NULL: IN and a path alone are conditions; else what is said of them */
    const char *only_z;
    bool loose;
    /* The handle of the value at `path`, a GM_EXPR_PATH, not NULL; it fails by gm_expr_fail, so
     * that the place is told. */
    gm_rc (*resolve)(void *ctx, const struct gm_expr *path, void **out_handle, struct gm_err *err);
};
struct gm_match_user {
    const struct gm_match_language *language;
    void *ctx; /* of resolve */
};
struct gm_match;
/* GM_E_INVALID: "line L, column C: …"; GM_E_LIMIT: the arena is full; or what `resolve` failed
 * with. */
gm_rc gm_match_new(struct gm_arena *arena, const struct gm_expr *expr,
                   const struct gm_match_user *user, struct gm_match **out_match,
                   struct gm_err *err) GM_MUST_CHECK;
/* Fails with GM_E_INVALID and "line L, column C: " before the text. */
gm_rc gm_expr_fail(struct gm_err *err, const struct gm_expr *at, const char *fmt, ...)
    GM_PRINTF(3, 4);
#ifdef __clang_analyzer__
#define gm_expr_fail(...) ((void)(gm_expr_fail)(__VA_ARGS__), GM_E_INVALID)
#endif

/* ---- asking ---- */

gm_rc gm_match_holds(const struct gm_match *match, const struct gm_match_values *values, void *ctx,
                     bool *out_holds, struct gm_err *err) GM_MUST_CHECK;

#endif
