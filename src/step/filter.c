/* `filter`: a condition over the values of a record, by the rules of expr/match.h, with types
 * blurred as tables and CSV files blur them. */
#include "expr/match.h"
#include "flow/operand.h"
#include "step/internal.h"

static gm_rc resolve(void *ctx, const struct gm_expr *expr, void **out_handle, struct gm_err *err)
{
    struct gm_step_compile *c = ctx;
    struct gm_path path;
    struct gm_path *kept;
    if (gm_path_of(c->arena, expr->segments, expr->segment_count, &path, err) != GM_OK ||
        gm_step_path_keep(c, &path, &kept, err) != GM_OK) {
        return gm_expr_fail(err, expr, "%s", err->text);
    }
    *out_handle = kept;
    return GM_OK;
}

static gm_rc compile(struct gm_step_compile *c, struct gm_str text, struct gm_match **out_match,
                     struct gm_err *err)
{
    static const struct gm_match_language language = {
        .functions = GM_MATCH_VALUE_FUNCTIONS,
        .function_z = "IS_OF_MODEL is for twins; records of a source have no model",
        .loose = true,
        .resolve = resolve,
    };
    struct gm_expr *expr;
    GM_TRY(gm_expr_parse(c->arena, gm_step_keep(c, text), &expr, err));
    const struct gm_match_user user = {&language, c};
    return gm_match_new(c->arena, expr, &user, out_match, err);
}

struct gm_match *gm_filter_compile(struct gm_step_compile *c, const struct gm_node *node,
                                   struct gm_str text)
{
    struct gm_match *match;
    struct gm_err err = {0};
    if (compile(c, text, &match, &err) != GM_OK) {
        gm_conf_error(c->doc, &node->place, "filter: %s", err.text);
        return NULL;
    }
    return match;
}

static gm_rc get(void *ctx, void *path, struct gm_operand *out_value, struct gm_err *err)
{
    struct gm_cell cell;
    bool absent;
    GM_TRY(gm_step_get(ctx, path, &cell, &absent, err));
    gm_operand_of_cell(out_value, &cell);
    if (absent) {
        out_value->type = GM_OPERAND_ABSENT;
    }
    return GM_OK;
}

gm_rc gm_filter_match(const struct gm_match *filter, const struct gm_step_run *run, bool *out_match,
                      struct gm_err *err)
{
    static const struct gm_match_values values = {.get = get, .next = gm_operand_next_mut};
    struct gm_step_run asked = *run;
    return gm_match_holds(filter, &values, &asked, out_match, err);
}
