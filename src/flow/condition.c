#include "flow/condition.h"

#include "base/mem.h"
#include "flow/operand.h"

struct gm_condition {
    struct gm_arena *arena;
    struct gm_match *match;
};

/* Ten times what the longest text can ask for. */
enum { CONDITION_SIZE_MAX = 256 << 20 };

/* ---- compiling ---- */

static gm_rc resolve(void *ctx, const struct gm_expr *expr, void **out_handle, struct gm_err *err)
{
    struct gm_arena *arena = ctx;
    struct gm_path *path = gm_arena_alloc(arena, sizeof(*path));
    if (path == NULL ||
        gm_path_of(arena, expr->segments, expr->segment_count, path, err) != GM_OK) {
        return gm_expr_fail(err, expr, "%s", path != NULL ? err->text : "no room for a path");
    }
    *out_handle = path;
    return GM_OK;
}

static gm_rc compile(struct gm_condition *condition, struct gm_str text, struct gm_err *err)
{
    static const struct gm_match_language language = {
        .functions = GM_MATCH_VALUE_FUNCTIONS,
        .function_z = "IS_OF_MODEL is for twins; what is asked here has no model",
        .resolve = resolve,
    };
    struct gm_expr *expr;
    struct gm_str copy = gm_arena_dup(condition->arena, text);
    if (copy.p == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for a condition of this size");
    }
    GM_TRY(gm_expr_parse(condition->arena, copy, &expr, err));
    const struct gm_match_user user = {&language, condition->arena};
    return gm_match_new(condition->arena, expr, &user, &condition->match, err);
}

gm_rc gm_condition_new(struct gm_str text, struct gm_condition **out_condition, struct gm_err *err)
{
    struct gm_condition *condition = gm_alloc(sizeof(*condition));
    condition->arena = gm_arena_new(CONDITION_SIZE_MAX);
    if (compile(condition, text, err) != GM_OK) {
        struct gm_err why = *err;
        gm_condition_free(condition);
        return gm_fail(err, GM_E_CONFIG, "`" GM_STR_FMT "`: %s", GM_STR_ARG(text), why.text);
    }
    *out_condition = condition;
    return GM_OK;
}

void gm_condition_free(struct gm_condition *condition)
{
    if (condition != NULL) {
        gm_arena_free(condition->arena);
        gm_free(condition);
    }
}

/* ---- asking ---- */

static gm_rc get(void *ctx, void *path, struct gm_operand *out_value, struct gm_err *err)
{
    (void)err;
    gm_operand_of_json(out_value, gm_path_in(path, ctx));
    return GM_OK;
}

static gm_rc get_mut(void *ctx, void *path, struct gm_operand *out_value, struct gm_err *err)
{
    (void)err;
    gm_operand_of_mut(out_value, gm_path_in_mut(path, ctx));
    return GM_OK;
}

static bool holds(const struct gm_condition *condition, const struct gm_match_values *values,
                  void *root)
{
    bool holds = false;
    gm_rc rc = gm_match_holds(condition->match, values, root, &holds, NULL);
    GM_ASSERT(rc == GM_OK); /* both ways to get a value never fail */
    return holds;
}

bool gm_condition_holds(const struct gm_condition *condition, yyjson_val *value)
{
    static const struct gm_match_values values = {.get = get, .next = gm_operand_next_json};
    return holds(condition, &values, value);
}

bool gm_condition_holds_mut(const struct gm_condition *condition, yyjson_mut_val *value)
{
    static const struct gm_match_values values = {.get = get_mut, .next = gm_operand_next_mut};
    return holds(condition, &values, value);
}
