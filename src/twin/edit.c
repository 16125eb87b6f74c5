/* Single edits of twins. */
#include "twin/edit.h"

#include "twin/edit_internal.h"
#include "twin/twin_json.h"
#include "twin_sql.h"

gm_rc gm_edit_refuse(struct gm_edit *edit, enum gm_edit_outcome outcome)
{
    edit->outcome = outcome;
    return GM_OK;
}

gm_rc gm_edit_refuse_value(struct gm_edit *edit, enum gm_edit_outcome outcome, gm_rc rc,
                           struct gm_err *err)
{
    if (rc != GM_E_INVALID) {
        return rc;
    }
    edit->why = *err;
    return gm_edit_refuse(edit, outcome);
}

void gm_edit_check_condition(struct gm_edit *edit, struct gm_str etag)
{
    bool exists = etag.n > 0;
    if (edit->condition.kind == GM_IF_ABSENT && exists) {
        edit->outcome = GM_EDIT_EXISTS;
    } else if (edit->condition.kind == GM_IF_MATCH &&
               !(exists &&
                 (gm_str_is(edit->condition.etag, "*") || gm_str_eq(edit->condition.etag, etag)))) {
        edit->outcome = GM_EDIT_MOVED;
    }
}

/* ---- what every edit of a twin does ---- */

/* Reads the row, and looks at the condition. */
static gm_rc find_twin(struct gm_edit_work *work, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    gm_rc rc = gm_graph_row_by_id(work->graph, edit->twin, &work->row, err);
    if (rc == GM_E_END) {
        work->row.num = 0;
        if (edit->kind != GM_EDIT_PUT_TWIN) {
            return gm_edit_refuse(edit, GM_EDIT_NO_TWIN);
        }
        gm_edit_check_condition(edit, (struct gm_str){NULL, 0});
        return GM_OK;
    }
    GM_TRY(rc);
    char etag[GM_ETAG_SIZE];
    size_t n = gm_twin_etag(work->row.num, work->row.version, etag);
    gm_edit_check_condition(edit, (struct gm_str){etag, n});
    work->old_model = gm_models_by_num(work->graph->models, gm_twin_model_num(work->row.num));
    return GM_OK;
}

static gm_rc no_room(const struct gm_edit *edit, struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "twin \"" GM_STR_FMT "\": no room for the edit",
                   GM_STR_ARG(edit->twin));
}

/* The model that the twin has from now on. */
static gm_rc take_model(struct gm_edit_work *work, struct gm_str id)
{
    work->model = gm_models_find(work->graph->models, id);
    if (work->model == NULL) {
        work->edit->detail = id;
        return gm_edit_refuse(work->edit, GM_EDIT_NO_MODEL);
    }
    if (work->model->decommissioned && work->model != work->old_model) {
        work->edit->detail = work->model->id;
        return gm_edit_refuse(work->edit, GM_EDIT_DECOMMISSIONED);
    }
    return GM_OK;
}

static gm_rc check_components(const struct gm_edit_work *work)
{
    for (size_t i = 0; i < work->model->content_count; i++) {
        const struct gm_content *content = &work->model->contents[i];
        if (content->type == GM_CONTENT_COMPONENT &&
            gm_json_member(work->body, content->name) == NULL) {
            return gm_edit_refuse_with(work->edit, GM_EDIT_INVALID,
                                       "component \"" GM_STR_FMT
                                       "\" is missing; a twin has all components of its model, at "
                                       "least as {\"$metadata\":{}}",
                                       GM_STR_ARG(content->name));
        }
    }
    return GM_OK;
}

/* Checks the new body; its canonical text is in the session's arena then. */
static gm_rc check_body(struct gm_edit_work *work, struct gm_str *out_text, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    struct gm_graph *graph = work->graph;
    if (work->check_components) {
        GM_TRY(check_components(work));
    }
    gm_rc rc = gm_edit_refused(edit) ? GM_OK : gm_model_check_body(work->model, work->body, err);
    if (rc != GM_OK) {
        return gm_edit_refuse_value(edit, GM_EDIT_INVALID, rc, err);
    }
    if (gm_edit_refused(edit)) {
        return GM_OK;
    }
    gm_buf_reset(&graph->text);
    gm_json_canonical(edit->doc, work->body, &graph->text);
    size_t size_max = edit->limits != NULL && edit->limits->twin_size_max != 0
                          ? edit->limits->twin_size_max
                          : GM_TWIN_BODY_SIZE_MAX;
    if (graph->text.n > size_max) {
        return gm_edit_refuse_with(edit, GM_EDIT_TOO_LARGE, "%zu bytes; a twin has at most %zu",
                                   graph->text.n, size_max);
    }
    *out_text = gm_graph_keep(graph, gm_buf_str(&graph->text));
    return GM_OK;
}

/* ---- writing ---- */

static bool is_touched(const void *ctx, struct gm_str path)
{
    const struct gm_edit_work *work = ctx;
    for (size_t i = 0; i < work->touched.n; i++) {
        struct gm_str touched = work->touched.at[i];
        if (gm_str_starts(path, touched) && (path.n == touched.n || path.p[touched.n] == '/')) {
            return true;
        }
    }
    return false;
}

static struct gm_str times_after(struct gm_edit_work *work)
{
    struct gm_graph *graph = work->graph;
    struct gm_times_after after = {.model = work->model,
                                   .body = work->body,
                                   .before = work->times,
                                   .updated = work->row.updated,
                                   .now = graph->cause.now,
                                   .touched = work->whole ? NULL : is_touched,
                                   .ctx = work,
                                   .sources = work->sources};
    gm_buf_reset(&graph->text);
    gm_times_write(&after, &graph->text);
    return graph->text.n > 0 ? gm_graph_keep(graph, gm_buf_str(&graph->text))
                             : (struct gm_str){NULL, 0};
}

/* A PUT's patch: from the former document to the new one. */
static gm_rc diff_whole(struct gm_edit_work *work, yyjson_mut_val *patch, struct gm_err *err)
{
    yyjson_mut_doc *doc = work->edit->doc;
    yyjson_mut_val *before;
    GM_TRY(gm_json_parse(doc, work->row.body, &before, err));
    yyjson_mut_val *diff = gm_json_diff(doc, before, work->body);
    yyjson_mut_val *operation = yyjson_mut_obj(doc);
    if (diff == NULL || operation == NULL) {
        return no_room(work->edit, err);
    }
    if (work->model != work->old_model &&
        !(yyjson_mut_obj_add_str(doc, operation, "op", "replace") &&
          yyjson_mut_obj_add_str(doc, operation, "path", "/$metadata/$model") &&
          gm_json_set(doc, operation, GM_STR("value"), gm_json_strref(doc, work->model->id)) &&
          yyjson_mut_arr_append(patch, operation))) {
        return no_room(work->edit, err);
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(diff);
    for (yyjson_mut_val *item; (item = yyjson_mut_arr_iter_next(&iter)) != NULL;) {
        yyjson_mut_val *copy = gm_json_copy(doc, item);
        if (copy == NULL || !yyjson_mut_arr_append(patch, copy)) {
            return no_room(work->edit, err);
        }
    }
    return GM_OK;
}

/* The times before, but for components that the patch set as a whole: what the log's document said
 * of them went with them. */
static yyjson_mut_val *kept_times(const struct gm_edit_work *work)
{
    yyjson_mut_val *kept = work->times;
    for (size_t i = 0; i < work->touched.n && kept != NULL; i++) {
        const struct gm_content *content = gm_model_content(work->model, work->touched.at[i]);
        if (content == NULL || content->type != GM_CONTENT_COMPONENT) {
            continue;
        }
        kept = kept == work->times ? gm_json_copy(work->edit->doc, kept) : kept;
        yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(kept);
        for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
            struct gm_str head, rest;
            if (gm_str_cut(gm_json_str(key), '/', &head, &rest) && gm_str_eq(head, content->name)) {
                (void)yyjson_mut_obj_iter_remove(&iter);
            }
        }
    }
    return kept;
}

/* The change log's text: the client's operations or a PUT's difference, and then what happens to
 * source times. */
static gm_rc write_log(struct gm_edit_work *work, struct gm_str times, struct gm_str *out_text,
                       struct gm_err *err)
{
    yyjson_mut_doc *doc = work->edit->doc;
    struct gm_buf *text = &work->graph->text;
    yyjson_mut_val *patch = NULL;
    bool sources = gm_times_have_source(work->row.times) || gm_times_have_source(times);
    if (work->whole || sources) {
        patch = yyjson_mut_arr(doc);
    }
    if (work->whole) {
        GM_TRY(diff_whole(work, patch, err));
    }
    struct gm_times_patch of_times = {doc, patch, work->body, sources ? kept_times(work) : NULL,
                                      gm_graph_parse_times(doc, times)};
    if (sources && !gm_times_add_patch(&of_times)) {
        return no_room(work->edit, err);
    }
    gm_buf_reset(text);
    gm_buf_add_char(text, '[');
    if (!work->whole) {
        gm_edit_write_patch(work, text);
    }
    size_t index, max;
    yyjson_mut_val *item;
    yyjson_mut_arr_foreach(patch, index, max, item)
    {
        if (text->n > 1) {
            gm_buf_add_char(text, ',');
        }
        gm_json_write(item, text);
    }
    gm_buf_add_char(text, ']');
    *out_text = gm_graph_keep(work->graph, gm_buf_str(text));
    return GM_OK;
}

static gm_rc write_row(struct gm_edit_work *work, struct gm_str body, struct gm_err *err)
{
    struct gm_graph *graph = work->graph;
    struct gm_edit *edit = work->edit;
    int64_t num = work->row.num;
    struct gm_str times = times_after(work), log;
    GM_TRY(write_log(work, times, &log, err));
    if (work->model->num != gm_twin_model_num(num)) {
        GM_TRY(gm_graph_renumber(graph, &work->row, work->model->num, &num, err));
    }
    struct gm_graph_entry *entry;
    int64_t change =
        gm_graph_add_entry(graph, GM_CHANGE_UPDATE, work->row.id, work->row.last_change, &entry);
    entry->position = edit->position;
    entry->data = log;
    struct gm_stmt *update = graph->stmts[STMT_TWIN_UPDATE];
    gm_bind_i64(update, 1, num);
    gm_bind_i64(update, 2, change);
    gm_bind_i64(update, 3, graph->cause.now);
    gm_bind_i64(update, 4, work->row.sources);
    gm_bind_i64(update, 5, work->row.creator);
    gm_bind_text(update, 6, times);
    gm_bind_text(update, 7, body);
    GM_TRY(gm_stmt_run(update, NULL, err));
    work->row.num = num;
    work->row.version++;
    work->row.updated = graph->cause.now;
    work->row.times = times;
    work->row.body = body;
    return GM_OK;
}

static gm_rc insert_row(struct gm_edit_work *work, struct gm_str body, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    struct gm_twin_put put = {.id = gm_graph_keep(work->graph, edit->twin),
                              .model = work->model,
                              .doc = edit->doc,
                              .body = work->body,
                              .text = body,
                              .sources = work->sources,
                              .position = edit->position};
    bool created;
    GM_TRY(gm_graph_try_create(work->graph, &put, &created, err));
    GM_ASSERT(created);
    edit->created = true;
    work->row = (struct gm_twin){.num = put.num,
                                 .id = edit->twin,
                                 .version = 1,
                                 .created = work->graph->cause.now,
                                 .updated = work->graph->cause.now,
                                 .body = body};
    if (work->sources != NULL) {
        work->row.times = times_after(work);
    }
    return GM_OK;
}

/* Checks and writes what became of the twin. */
static gm_rc finish(struct gm_edit_work *work, struct gm_err *err)
{
    struct gm_str body = {NULL, 0};
    GM_TRY(check_body(work, &body, err));
    if (gm_edit_refused(work->edit)) {
        return GM_OK;
    }
    GM_TRY(work->row.num == 0 ? insert_row(work, body, err) : write_row(work, body, err));
    size_t n = gm_twin_etag(work->row.num, work->row.version, work->edit->etag);
    work->edit->etag[n] = '\0';
    return GM_OK;
}

/* ---- the kinds ---- */

/* Takes the members that are not the body's out of a PUT's value: source times, and the model. */
static gm_rc take_metadata(struct gm_edit_work *work, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    yyjson_mut_val *metadata = gm_json_member(work->body, GM_STR("$metadata"));
    struct gm_str model = gm_json_member_str(metadata, "$model");
    if (model.n == 0) {
        return gm_edit_refuse_with(edit, GM_EDIT_INVALID,
                                   "a twin names its model: \"$metadata\":{\"$model\":\"dtmi:…\"}");
    }
    GM_TRY(take_model(work, model));
    if (gm_edit_refused(edit)) {
        return GM_OK;
    }
    struct gm_times_source sources = {.doc = edit->doc};
    gm_rc rc = gm_times_take_sources(&sources, (struct gm_str){NULL, 0}, metadata, err);
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(work->body, index, max, key, value)
    {
        const struct gm_content *content = gm_model_content(work->model, gm_json_str(key));
        if (rc == GM_OK && content != NULL && content->type == GM_CONTENT_COMPONENT) {
            yyjson_mut_val *own = gm_json_member(value, GM_STR("$metadata"));
            rc = gm_times_take_sources(&sources, content->name, own, err);
            if (own != NULL) {
                (void)gm_json_remove(value, GM_STR("$metadata"));
            }
        }
    }
    if (rc != GM_OK) {
        return gm_edit_refuse_value(edit, GM_EDIT_INVALID, rc, err);
    }
    work->sources = sources.sources;
    (void)gm_json_remove(work->body, GM_STR("$metadata"));
    (void)gm_json_remove(work->body, GM_STR("$dtId"));
    (void)gm_json_remove(work->body, GM_STR("$etag"));
    (void)gm_json_remove(work->body, GM_STR("$lastUpdateTime"));
    return GM_OK;
}

static gm_rc put_twin(struct gm_edit_work *work, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    gm_rc rc = gm_twin_id_check_any(edit->twin, err);
    if (rc != GM_OK) {
        return gm_edit_refuse_value(edit, GM_EDIT_BAD_ID, rc, err);
    }
    GM_TRY(find_twin(work, err));
    if (gm_edit_refused(edit)) {
        return GM_OK;
    }
    if (!yyjson_mut_is_obj(edit->value)) {
        return gm_edit_refuse_with(edit, GM_EDIT_INVALID, "expected a twin as a JSON object");
    }
    work->body = edit->value;
    work->whole = true;
    work->check_components = true;
    GM_TRY(take_metadata(work, err));
    if (gm_edit_refused(edit)) {
        return GM_OK;
    }
    if (work->row.num != 0) {
        work->times = gm_graph_parse_times(edit->doc, work->row.times);
    }
    GM_TRY(finish(work, err));
    return gm_edit_refused(edit)
               ? GM_OK
               : gm_twin_json(edit->doc, work->graph->models, &work->row, &edit->result, err);
}

static gm_rc patch_twin(struct gm_edit_work *work, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    GM_TRY(find_twin(work, err));
    if (gm_edit_refused(edit)) {
        return GM_OK;
    }
    gm_rc rc = gm_json_parse(edit->doc, work->row.body, &work->body, err);
    if (rc == GM_E_INVALID) {
        return gm_fail(err, GM_E_CORRUPT, "twin \"" GM_STR_FMT "\": its stored body is not JSON",
                       GM_STR_ARG(work->row.id));
    }
    GM_TRY(rc);
    work->times = gm_graph_parse_times(edit->doc, work->row.times);
    GM_TRY(gm_edit_apply_patch(work, err));
    if (!gm_edit_refused(edit) && !gm_edit_has_model(work->model)) {
        edit->detail = work->model != NULL ? work->model->id : work->row.id;
        return gm_edit_refuse(edit, GM_EDIT_NO_MODEL);
    }
    if (!gm_edit_refused(edit) && work->model != work->old_model) {
        work->check_components = true;
        GM_TRY(take_model(work, work->model->id));
    }
    return gm_edit_refused(edit) ? GM_OK : finish(work, err);
}

/* One relationship of the twin at that side; *out_id p NULL: none. */
static gm_rc find_relationship(struct gm_edit_work *work, enum gm_graph_stmt side,
                               struct gm_str *out_id, struct gm_err *err)
{
    struct gm_stmt *stmt = work->graph->stmts[side];
    gm_bind_i64(stmt, 1, work->row.num);
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_OK) {
        *out_id = gm_graph_keep(work->graph, gm_column_text(stmt, 0));
        gm_reset(stmt);
    }
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc delete_twin(struct gm_edit_work *work, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    GM_TRY(find_twin(work, err));
    if (gm_edit_refused(edit)) {
        return GM_OK;
    }
    struct gm_str id = {NULL, 0};
    GM_TRY(find_relationship(work, STMT_RELATIONSHIPS_OUT, &id, err));
    if (id.p == NULL) {
        GM_TRY(find_relationship(work, STMT_RELATIONSHIPS_IN, &id, err));
    }
    if (id.p != NULL) {
        yyjson_mut_val *copy = gm_json_strcpy(edit->doc, id);
        edit->detail = gm_json_str(copy);
        return gm_edit_refuse(edit, GM_EDIT_HAS_RELATIONSHIPS);
    }
    return gm_graph_delete_row(work->graph, &work->row, edit->position, 0, err);
}

gm_rc gm_graph_edit(struct gm_graph *graph, struct gm_edit *edit, struct gm_err *err)
{
    struct gm_edit_work work = {.graph = graph, .edit = edit};
    edit->outcome = GM_EDIT_DONE;
    edit->created = false;
    edit->etag[0] = '\0';
    edit->result = NULL;
    edit->detail = (struct gm_str){NULL, 0};
    gm_rc rc = GM_OK;
    switch (edit->kind) {
    case GM_EDIT_PUT_TWIN:
        rc = put_twin(&work, err);
        break;
    case GM_EDIT_PATCH_TWIN:
    case GM_EDIT_PATCH_COMPONENT:
        rc = patch_twin(&work, err);
        break;
    case GM_EDIT_DELETE_TWIN:
        rc = delete_twin(&work, err);
        break;
    case GM_EDIT_PUT_RELATIONSHIP:
    case GM_EDIT_PATCH_RELATIONSHIP:
    case GM_EDIT_DELETE_RELATIONSHIP:
        rc = gm_edit_relationship(graph, edit, err);
        break;
    }
    gm_vec_deinit(&work.touched);
    return rc;
}
