/* The list of steps of a pipeline: checked, compiled, applied. */
#include "step/convert.h"

struct step {
    struct gm_match *filter; /* one of the two */
    struct gm_jq *jq;
};

struct gm_steps {
    struct gm_arena *arena;
    struct gm_columns columns;
    GM_VEC(struct step) steps;
    struct gm_projection *map; /* NULL: none */
};

struct step_conf {
    const char *filter;
    const char *jq;
};

const struct gm_field gm_step_fields[] = {
    GM_FIELD_STR(
        struct step_conf, filter, .example = "\"Discontinued = 0 AND UnitPrice > 0\"",
        .help = "Keeps the records for which the condition holds, in the condition language of "
                "queries; names are columns, or members of JSON records. A comparison with null is "
                "false, and `x = null` asks for it; text beside a number is read as a number."),
    GM_FIELD_STR(
        struct step_conf, jq, .example = "\".Name |= ascii_downcase\"",
        .help = "A jq program that turns the record, as an object, into another object. No output "
                "leaves the record out; several are an error. `include` and `import` look in the "
                "configuration's folder. For plain projections `map` is ten times as fast."),
    GM_FIELD_END,
};

/* ---- compiling ---- */

static void compile_filter(struct gm_step_compile *c, const struct gm_node *node,
                           const char *text_z, struct step *step)
{
    c->step_z = "filter";
    step->filter = gm_filter_compile(c, node, gm_str_z(text_z));
}

static void compile_jq(struct gm_step_compile *c, const struct gm_node *node, const char *folder_z,
                       const char *text_z, struct step *step)
{
    struct gm_err err = {0};
    c->step_z = "jq";
    if (gm_jq_new(text_z, folder_z, &step->jq, &err) != GM_OK) {
        gm_conf_error(c->doc, &node->place, "%s", err.text);
    }
    c->bodies = true;
}

static void compile_step(struct gm_step_compile *c, const struct gm_node *node,
                         const char *folder_z, struct step *step)
{
    struct step_conf conf = {0};
    size_t errors_before = gm_conf_error_count(c->doc);
    gm_conf_decode(c->doc, node, gm_step_fields, &conf);
    if (gm_conf_error_count(c->doc) > errors_before) {
        return;
    }
    if ((conf.filter == NULL) == (conf.jq == NULL)) {
        gm_conf_error(c->doc, &node->place, "a step is one of filter: … and jq: …");
    } else if (conf.filter != NULL) {
        compile_filter(c, gm_node_member(node, GM_STR("filter")), conf.filter, step);
    } else {
        compile_jq(c, gm_node_member(node, GM_STR("jq")), folder_z, conf.jq, step);
    }
}

/* Errors go into `doc`; the result is good only when there are none. */
static struct gm_steps *build(struct gm_conf_doc *doc, const struct gm_steps_conf *conf,
                              const struct gm_models *models)
{
    struct gm_steps *steps = gm_alloc(sizeof(*steps));
    steps->arena = gm_arena_new(GM_STEP_ARENA_SIZE);
    struct gm_step_compile c = {.doc = doc,
                                .models = models,
                                .arena = steps->arena,
                                .columns = &steps->columns,
                                .any_body = conf->any_body};
    c.json = gm_json_doc_new(steps->arena);
    GM_ASSERT(c.json != NULL);
    if (conf->steps != NULL && conf->steps->type != GM_NODE_LIST &&
        conf->steps->type != GM_NODE_NULL) {
        gm_conf_error(doc, &conf->steps->place,
                      "`steps` is a list, as in - filter: \"UnitPrice > 0\"");
    } else if (conf->steps != NULL) {
        for (size_t i = 0; i < conf->steps->item_count; i++) {
            compile_step(&c, conf->steps->items[i], conf->folder_z, gm_vec_push(&steps->steps));
        }
    }
    if (conf->map != NULL) {
        c.step_z = "map";
        steps->map = gm_map_compile(&c, conf->map);
    }
    return steps;
}

void gm_steps_lint(struct gm_conf_doc *doc, const struct gm_steps_conf *conf,
                   const struct gm_models *models)
{
    gm_steps_free(build(doc, conf, models));
}

/* All errors of the doc on one line. */
static gm_rc fail_joined(const struct gm_conf_doc *doc, struct gm_err *err)
{
    struct gm_buf text;
    gm_buf_init(&text, GM_CONF_SIZE_MAX);
    gm_conf_print_errors(doc, &text);
    struct gm_str lines = gm_str_trim(gm_buf_str(&text));
    struct gm_buf joined;
    gm_buf_init(&joined, GM_CONF_SIZE_MAX);
    while (lines.n > 0) {
        struct gm_str line;
        (void)gm_str_cut(lines, '\n', &line, &lines);
        gm_buf_add(&joined, line);
        gm_buf_add_z(&joined, lines.n > 0 ? "; " : "");
    }
    gm_rc rc =
        gm_fail(err, GM_E_CONFIG, "%s", joined.p != NULL ? joined.p : "the steps do not compile");
    gm_buf_deinit(&joined);
    gm_buf_deinit(&text);
    return rc;
}

gm_rc gm_steps_compile(const struct gm_steps_conf *conf, const struct gm_models *models,
                       struct gm_steps **out_steps, struct gm_err *err)
{
    struct gm_conf_doc *doc = gm_conf_doc_new(NULL);
    struct gm_steps *steps = build(doc, conf, models);
    gm_rc rc = GM_OK;
    if (gm_conf_error_count(doc) > 0) {
        rc = fail_joined(doc, err);
        gm_steps_free(steps);
    } else {
        *out_steps = steps;
    }
    gm_conf_doc_free(doc);
    return rc;
}

void gm_steps_free(struct gm_steps *steps)
{
    if (steps == NULL) {
        return;
    }
    for (size_t i = 0; i < steps->steps.n; i++) {
        gm_jq_free(steps->steps.at[i].jq);
    }
    gm_vec_deinit(&steps->steps);
    gm_vec_deinit(&steps->columns.paths);
    gm_arena_free(steps->arena);
    gm_free(steps);
}

/* ---- applying ---- */

/* Says whether the record goes on. */
static gm_rc apply_step(const struct step *step, const struct gm_step_run *run, bool *out_goes_on,
                        struct gm_err *err)
{
    if (step->filter != NULL) {
        return gm_filter_match(step->filter, run, out_goes_on, err);
    }
    yyjson_mut_val *body;
    GM_TRY(gm_jq_apply(step->jq, run->batch, run->record, &body, err));
    *out_goes_on = body != NULL;
    run->record->body = body;
    return GM_OK;
}

static gm_rc make_body(const struct gm_steps *steps, const struct gm_step_run *run,
                       yyjson_mut_val **out_body, struct gm_err *err)
{
    if (steps->map != NULL) {
        return gm_map_apply(steps->map, run, out_body, err);
    }
    *out_body = gm_record_json(run->batch, run->record);
    return *out_body != NULL ? GM_OK : gm_convert_fail_full(err);
}

static gm_rc apply_all(struct gm_steps *steps, const struct gm_step_run *run, bool *out_goes_on,
                       struct gm_err *err)
{
    struct gm_record *record = run->record;
    if (record->body == NULL && record->cells != NULL) {
        GM_TRY(gm_columns_check(&steps->columns, run->batch, err));
    }
    *out_goes_on = true;
    for (size_t i = 0; i < steps->steps.n && *out_goes_on; i++) {
        GM_TRY(apply_step(&steps->steps.at[i], run, out_goes_on, err));
    }
    if (*out_goes_on) {
        yyjson_mut_val *body;
        GM_TRY(make_body(steps, run, &body, err));
        *out_goes_on = body != NULL;
        record->body = body;
    }
    return GM_OK;
}

gm_rc gm_steps_apply(struct gm_steps *steps, struct gm_batch *batch, struct gm_record *record,
                     struct gm_err *err)
{
    if (record->rc != GM_OK || record->kind == GM_RECORD_DELETE) {
        return GM_OK;
    }
    struct gm_step_run run = {.columns = &steps->columns, .batch = batch, .record = record};
    /* not zeroed: this runs once a record, and its text is read only after it was written */
    struct gm_err own;
    bool goes_on = false;
    yyjson_mut_val *before = record->body;
    gm_rc rc = apply_all(steps, &run, &goes_on, &own);
    if (rc != GM_OK || !goes_on) {
        record->body = before;
    }
    if (rc == GM_E_INVALID) {
        gm_record_fail(batch, record, GM_E_INVALID, "%s", own.text);
        return GM_OK;
    }
    if (rc != GM_OK) {
        return gm_fail(err, rc, "%s", own.text);
    }
    if (!goes_on) {
        record->verdict = GM_VERDICT_FILTERED;
    }
    return GM_OK;
}

void gm_steps_targets(const struct gm_steps *steps, const struct gm_str **out_names,
                      size_t *out_count, bool *out_open)
{
    *out_open = steps->map == NULL;
    *out_names = steps->map != NULL ? steps->map->targets : NULL;
    *out_count = steps->map != NULL ? steps->map->target_count : 0;
}
