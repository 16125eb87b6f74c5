#include "step/condition.h"

#include "base/mem.h"
#include "step/internal.h"

struct gm_condition {
    struct gm_arena *arena;
    struct gm_columns columns; /* stays empty: values are no rows */
    struct gm_filter *filter;
};

/* The compiler tells errors with their place in a file; here there is none. */
static gm_rc compile(struct gm_condition *condition, struct gm_str text, struct gm_err *err)
{
    struct gm_expr *expr;
    struct gm_conf_doc *doc = gm_conf_doc_new(NULL);
    const struct gm_node node = {.type = GM_NODE_SCALAR, .place = {.file_z = "condition"}};
    struct gm_step_compile c = {.doc = doc,
                                .arena = condition->arena,
                                .columns = &condition->columns,
                                .step_z = "filter",
                                .bodies = true};
    if (gm_expr_parse(condition->arena, text, &expr, err) != GM_OK) {
        gm_conf_doc_free(doc);
        struct gm_err why = *err;
        return gm_fail(err, GM_E_CONFIG, "`" GM_STR_FMT "`: %s", GM_STR_ARG(text), why.text);
    }
    condition->filter = gm_filter_compile(&c, &node, text);
    gm_conf_doc_free(doc);
    return condition->filter != NULL
               ? GM_OK
               : gm_fail(err, GM_E_CONFIG,
                         "`" GM_STR_FMT "`: IS_OF_MODEL, and paths of more than %d segments, "
                         "cannot be asked here",
                         GM_STR_ARG(text), GM_PATH_SEGMENTS_MAX);
}

gm_rc gm_condition_new(struct gm_str text, struct gm_condition **out_condition, struct gm_err *err)
{
    struct gm_condition *condition = gm_alloc(sizeof(*condition));
    condition->arena = gm_arena_new(GM_STEP_ARENA_SIZE);
    gm_rc rc = compile(condition, text, err);
    if (rc != GM_OK) {
        gm_condition_free(condition);
        return rc;
    }
    *out_condition = condition;
    return GM_OK;
}

void gm_condition_free(struct gm_condition *condition)
{
    if (condition != NULL) {
        gm_vec_deinit(&condition->columns.paths);
        gm_arena_free(condition->arena);
        gm_free(condition);
    }
}

bool gm_condition_holds(const struct gm_condition *condition, yyjson_mut_val *value)
{
    struct gm_record record = {.body = value};
    const struct gm_step_run run = {.record = &record};
    struct gm_err err = {0};
    bool holds = false;
    gm_rc rc = gm_filter_match(condition->filter, &run, &holds, &err);
    GM_ASSERT(rc == GM_OK); /* only columns of rows can be missing */
    return holds;
}
