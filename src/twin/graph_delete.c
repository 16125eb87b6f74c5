/* Twins that go: released by a pipeline, or deleted. */
#include "twin/graph_internal.h"
#include "twin/twin_json.h"

/* The twin as clients saw it last: what tells of its deletion has nowhere else to look. */
static gm_rc last_state(struct gm_graph *graph, const struct gm_twin *twin, struct gm_str *out_text,
                        struct gm_err *err)
{
    yyjson_mut_val *value;
    GM_TRY(gm_twin_json(gm_json_doc_new(graph->arena), graph->models, twin, &value, err));
    gm_buf_reset(&graph->text);
    gm_json_write(value, &graph->text);
    *out_text = gm_graph_keep(graph, gm_buf_str(&graph->text));
    return GM_OK;
}

gm_rc gm_graph_delete_row(struct gm_graph *graph, const struct gm_twin *twin, uint64_t position,
                          int64_t deleter, struct gm_err *err)
{
    struct gm_twin row;
    struct gm_str text;
    GM_TRY(gm_graph_drop_relationships(graph, twin, deleter, err));
    GM_TRY(gm_graph_row_by_num(graph, twin->num, &row, err)); /* its last change may have moved */
    GM_TRY(last_state(graph, &row, &text, err));
    struct gm_graph_entry *entry;
    int64_t change = gm_graph_add_entry(graph, GM_CHANGE_DELETE, row.id, row.last_change, &entry);
    entry->position = position;
    entry->data = text;
    gm_bind_i64(graph->stmts[STMT_TWIN_DELETE], 1, row.num);
    GM_TRY(gm_stmt_run(graph->stmts[STMT_TWIN_DELETE], NULL, err));
    GM_TRY(gm_graph_count_twins(graph, row.num, -1, err));
    gm_map_remove(graph->nums, row.id);
    gm_bind_text(graph->stmts[STMT_GRAVE_INSERT], 1, row.id);
    gm_bind_i64(graph->stmts[STMT_GRAVE_INSERT], 2, change);
    graph->graves++;
    return gm_stmt_run(graph->stmts[STMT_GRAVE_INSERT], NULL, err);
}

gm_rc gm_graph_delete_twin(struct gm_graph *graph, int64_t num, uint64_t position,
                           struct gm_err *err)
{
    struct gm_twin twin;
    GM_TRY(gm_graph_row_by_num(graph, num, &twin, err));
    return gm_graph_delete_row(graph, &twin, position, 0, err);
}

/* Says that `name` goes: a property, a component's property ("component/property"), or all of a
 * component's. */
static void withdraw_name(yyjson_mut_doc *doc, yyjson_mut_val *body, const struct gm_model *model,
                          struct gm_str name)
{
    struct gm_str head, tail;
    bool of_component = gm_str_cut(name, '/', &head, &tail);
    const struct gm_content *content = gm_model_content(model, of_component ? head : name);
    if (content == NULL) {
        return;
    }
    if (content->type == GM_CONTENT_PROPERTY && !of_component) {
        gm_json_set(doc, body, name, yyjson_mut_null(doc));
    }
    if (content->type != GM_CONTENT_COMPONENT) {
        return;
    }
    yyjson_mut_val *component = gm_json_member(body, content->name);
    if (component == NULL) {
        component = yyjson_mut_obj(doc);
        gm_json_set(doc, body, content->name, component);
    }
    for (size_t i = 0; i < content->component->content_count; i++) {
        const struct gm_content *member = &content->component->contents[i];
        if (member->type == GM_CONTENT_PROPERTY &&
            (!of_component || gm_str_eq(member->name, tail))) {
            gm_json_set(doc, component, member->name, yyjson_mut_null(doc));
        }
    }
}

/* The twin stays, since somebody else delivers it or made it: this pipeline's members go from
 * it. */
static gm_rc withdraw(struct gm_graph *graph, const struct gm_twin *twin, struct gm_strs names,
                      struct gm_err *err)
{
    int64_t pipeline = graph->cause.pipeline;
    const struct gm_model *model = gm_models_by_num(graph->models, gm_twin_model_num(twin->num));
    if (model == NULL) {
        return gm_fail(err, GM_E_CORRUPT,
                       "twin \"" GM_STR_FMT "\": its model number %lld is not in the store",
                       GM_STR_ARG(twin->id), (long long)gm_twin_model_num(twin->num));
    }
    GM_TRY(gm_graph_drop_pipeline_relationships(graph, twin, pipeline, err));
    yyjson_mut_doc *doc = gm_json_doc_new(graph->arena);
    yyjson_mut_val *body = yyjson_mut_obj(doc);
    for (size_t i = 0; i < names.n; i++) {
        withdraw_name(doc, body, model, names.at[i]);
    }
    struct gm_err ignored;
    struct gm_twin_put put = {.id = twin->id,
                              .model = model,
                              .doc = doc,
                              .body = body,
                              .expected_num = twin->num,
                              .err = &ignored};
    GM_TRY(gm_graph_put_twin(graph, &put, err));
    int64_t creator = twin->creator == pipeline ? -1 : twin->creator;
    gm_bind_i64(graph->stmts[STMT_TWIN_SET_SOURCES], 1, twin->num);
    gm_bind_i64(graph->stmts[STMT_TWIN_SET_SOURCES], 2, twin->sources > 0 ? twin->sources - 1 : 0);
    gm_bind_i64(graph->stmts[STMT_TWIN_SET_SOURCES], 3, creator);
    return gm_stmt_run(graph->stmts[STMT_TWIN_SET_SOURCES], NULL, err);
}

gm_rc gm_graph_disown(struct gm_graph *graph, int64_t num, struct gm_err *err)
{
    gm_bind_i64(graph->stmts[STMT_TWIN_DISOWN], 1, num);
    gm_bind_i64(graph->stmts[STMT_TWIN_DISOWN], 2, graph->cause.pipeline);
    return gm_stmt_run(graph->stmts[STMT_TWIN_DISOWN], NULL, err);
}

gm_rc gm_graph_release_twin(struct gm_graph *graph, int64_t num, struct gm_strs names,
                            bool *out_deleted, struct gm_err *err)
{
    struct gm_twin twin;
    *out_deleted = false;
    gm_rc rc = gm_graph_row_by_num(graph, num, &twin, err);
    if (rc == GM_E_END) {
        return GM_OK;
    }
    GM_TRY(rc);
    if (twin.creator == 0 || twin.sources > 1) {
        return withdraw(graph, &twin, names, err);
    }
    *out_deleted = true;
    return gm_graph_delete_row(graph, &twin, 0, graph->cause.pipeline, err);
}
