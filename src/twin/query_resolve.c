/* What the names of a query mean: aliases, paths, models. */
#include "twin/query_plan.h"

#include "base/num.h"

/* What a name that is no collection's must mean when there are several: one that differs in the
 * case of letters alone, or the relationship of a JOIN that gave it no name, by its own. -1:
 * neither, or several. */
static int find_loosely(const struct gm_plan *plan, struct gm_str name)
{
    int found = -1;
    for (int i = 0; i < plan->collection_count && plan->collection_count > 1; i++) {
        const struct gm_plan_collection *collection = &plan->collections[i];
        bool same = collection->alias.n > 0 ? gm_str_same(collection->alias, name)
                                            : gm_str_eq(collection->relationship_name, name);
        if (same && found >= 0) {
            return -1;
        }
        found = same ? i : found;
    }
    return found;
}

int gm_plan_find(const struct gm_plan *plan, struct gm_str alias)
{
    for (int i = 0; i < plan->collection_count && alias.n > 0; i++) {
        if (gm_str_eq(plan->collections[i].alias, alias)) {
            return i;
        }
    }
    return -1;
}

/* "T, CT, R", for messages. */
static void list_aliases(const struct gm_plan *plan, struct gm_buf *out)
{
    for (int i = 0; i < plan->collection_count; i++) {
        if (plan->collections[i].alias.n > 0) {
            gm_buf_add_z(out, out->n > 0 ? ", " : "");
            gm_buf_add(out, plan->collections[i].alias);
        }
    }
}

gm_rc gm_plan_resolve(const struct gm_plan *plan, const struct gm_plan_select *path,
                      struct gm_plan_select *out_resolved, struct gm_err *err)
{
    struct gm_str first = path->segments[0];
    int found = gm_plan_find(plan, first);
    found = found >= 0 ? found : find_loosely(plan, first);
    *out_resolved = *path;
    if (found >= 0) {
        out_resolved->collection = found;
        out_resolved->segments++;
        out_resolved->segment_count--;
        return GM_OK;
    }
    if (plan->collection_count == 1) {
        out_resolved->collection = 0;
        return GM_OK;
    }
    struct gm_buf names;
    gm_buf_init(&names, GM_ERR_TEXT_SIZE);
    list_aliases(plan, &names);
    gm_rc rc = gm_fail(err, GM_E_INVALID,
                       "line %d, column %d: expected one of the query's collections (" GM_STR_FMT
                       "), found `" GM_STR_FMT "`",
                       path->line, path->column, GM_STR_ARG(gm_buf_str(&names)), GM_STR_ARG(first));
    gm_buf_deinit(&names);
    return rc;
}

/* ---- models ---- */

/* "dtmi:a:b;2.1" → "dtmi:a:b", 2, 1. False: no number where one should be. */
static bool split_dtmi(struct gm_str id, struct gm_str *out_base, int64_t *out_major,
                       int64_t *out_minor)
{
    struct gm_str version, major, minor;
    *out_major = *out_minor = -1;
    if (!gm_str_cut(id, ';', out_base, &version)) {
        return true;
    }
    bool has_minor = gm_str_cut(version, '.', &major, &minor);
    return gm_parse_i64(major, out_major) && (!has_minor || gm_parse_i64(minor, out_minor));
}

static bool is_at_least(const struct gm_model *model, struct gm_str base, int64_t major,
                        int64_t minor)
{
    return gm_str_eq(model->id_base, base) &&
           (model->version_major > major ||
            (model->version_major == major && model->version_minor >= minor));
}

static bool is_of_model(const struct gm_model *model, struct gm_str base, int64_t major,
                        int64_t minor)
{
    bool is = is_at_least(model, base, major, minor);
    for (size_t i = 0; i < model->base_count && !is; i++) {
        is = is_at_least(model->bases[i], base, major, minor);
    }
    return is;
}

static void note_unknown(const struct gm_plan *plan, struct gm_str id)
{
    struct gm_str near = gm_models_nearest(plan->models, id);
    struct gm_err note = {0};
    if (near.n > 0) {
        (void)gm_fail(&note, GM_E_INVALID,
                      "there is no model `" GM_STR_FMT "`; the nearest is `" GM_STR_FMT "`",
                      GM_STR_ARG(id), GM_STR_ARG(near));
    } else {
        (void)gm_fail(&note, GM_E_INVALID, "there is no model `" GM_STR_FMT "`", GM_STR_ARG(id));
    }
    memcpy(plan->note, note.text, GM_ERR_TEXT_SIZE);
}

/* Adds the model `id` itself to a set that has room for it. */
static void add_exact(const struct gm_plan *plan, struct gm_str id, struct gm_model_set *set)
{
    const struct gm_model *model = gm_models_find(plan->models, id);
    if (model == NULL) {
        note_unknown(plan, id);
    } else if (model->num > 0) {
        set->nums[set->count++] = model->num;
    }
}

/* Adds what is of model `id` to a set that has room for all models. */
static void add_derived(const struct gm_plan *plan, struct gm_str id, struct gm_model_set *set)
{
    struct gm_str base;
    int64_t major, minor;
    bool sound = split_dtmi(id, &base, &major, &minor);
    for (size_t i = 0; sound && i < gm_models_count(plan->models); i++) {
        const struct gm_model *model = gm_models_at(plan->models, i);
        if (model->num > 0 && is_of_model(model, base, major, minor)) {
            set->nums[set->count++] = model->num;
        }
    }
    if (set->count == 0) {
        note_unknown(plan, id);
    }
}

static gm_rc new_set(const struct gm_plan *plan, size_t room, struct gm_model_set *out_set,
                     struct gm_err *err)
{
    out_set->count = 0;
    out_set->nums = gm_arena_alloc(plan->arena, (room > 0 ? room : 1) * sizeof(out_set->nums[0]));
    return out_set->nums != NULL ? GM_OK : gm_fail(err, GM_E_LIMIT, "the query is too large");
}

/* The collection that an IS_OF_MODEL is about. */
static gm_rc collection_of_call(const struct gm_plan *plan, const struct gm_expr *call,
                                int *out_collection, struct gm_err *err)
{
    const struct gm_expr *alias = call->arg_count == 2 ? call->args[0] : NULL;
    int collection = 0;
    if (alias != NULL) {
        struct gm_str name = alias->segments[alias->segment_count - 1];
        collection = alias->segment_count == 1 ? gm_plan_find(plan, name) : -1;
        if (collection < 0) {
            return gm_fail(err, GM_E_INVALID,
                           "line %d, column %d: expected a collection of the query, found "
                           "`" GM_STR_FMT "`",
                           alias->line, alias->column, GM_STR_ARG(name));
        }
    } else if (plan->collection_count > 1) {
        return gm_fail(err, GM_E_INVALID,
                       "line %d, column %d: expected IS_OF_MODEL(collection, 'model'), since there "
                       "are several collections",
                       call->line, call->column);
    }
    if (plan->collections[collection].relationship) {
        return gm_fail(err, GM_E_INVALID,
                       "line %d, column %d: expected twins in IS_OF_MODEL, found relationships",
                       call->line, call->column);
    }
    *out_collection = collection;
    return GM_OK;
}

static gm_rc of_model_call(const struct gm_plan *plan, const struct gm_expr *call,
                           struct gm_model_test *out_test, struct gm_err *err)
{
    out_test->is = true;
    GM_TRY(collection_of_call(plan, call, &out_test->collection, err));
    GM_TRY(new_set(plan, gm_models_count(plan->models), &out_test->set, err));
    struct gm_str id = call->args[call->arg_count - 1]->string;
    if (call->exact) {
        add_exact(plan, id, &out_test->set);
    } else {
        add_derived(plan, id, &out_test->set);
    }
    return GM_OK;
}

/* T.$metadata.$model of a collection of twins. */
static bool is_model_path(const struct gm_plan *plan, const struct gm_expr *expr,
                          int *out_collection)
{
    struct gm_plan_select resolved;
    struct gm_plan_select path = {.segments = expr->segments, .segment_count = expr->segment_count};
    struct gm_err ignored;
    bool is = expr->type == GM_EXPR_PATH &&
              gm_plan_resolve(plan, &path, &resolved, &ignored) == GM_OK &&
              resolved.segment_count == 2 && gm_str_is(resolved.segments[0], "$metadata") &&
              gm_str_is(resolved.segments[1], "$model") &&
              !plan->collections[resolved.collection].relationship;
    if (is) {
        *out_collection = resolved.collection;
    }
    return is;
}

/* Keeps each number once, ascending. Sets are small or come sorted, so that insertion does. */
static void sort_set(struct gm_model_set *set)
{
    size_t n = 0;
    for (size_t i = 0; i < set->count; i++) {
        int64_t num = set->nums[i];
        size_t at = n;
        while (at > 0 && set->nums[at - 1] > num) {
            at--;
        }
        if (at > 0 && set->nums[at - 1] == num) {
            continue;
        }
        memmove(&set->nums[at + 1], &set->nums[at], (n - at) * sizeof(set->nums[0]));
        set->nums[at] = num;
        n++;
    }
    set->count = n;
}

gm_rc gm_plan_model_test(const struct gm_plan *plan, const struct gm_expr *expr,
                         struct gm_model_test *out_test, struct gm_err *err)
{
    *out_test = (struct gm_model_test){.is = false};
    if (expr->type == GM_EXPR_CALL && expr->function == GM_FN_IS_OF_MODEL) {
        return of_model_call(plan, expr, out_test, err);
    }
    bool equals = expr->type == GM_EXPR_COMPARE && expr->op == GM_OP_EQ;
    bool within = expr->type == GM_EXPR_IN && !expr->negated;
    if ((!equals && !within) || !is_model_path(plan, expr->args[0], &out_test->collection)) {
        return GM_OK;
    }
    for (size_t i = 1; i < expr->arg_count; i++) {
        if (expr->args[i]->type != GM_EXPR_STRING) {
            return GM_OK;
        }
    }
    GM_TRY(new_set(plan, expr->arg_count - 1, &out_test->set, err));
    for (size_t i = 1; i < expr->arg_count; i++) {
        add_exact(plan, expr->args[i]->string, &out_test->set);
    }
    sort_set(&out_test->set);
    out_test->is = true;
    return GM_OK;
}
