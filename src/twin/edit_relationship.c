/* Single edits of relationships. */
#include "twin/edit_internal.h"
#include "twin/twin_json.h"

/* A relationship's edit on its way. */
struct relationship_work {
    struct gm_graph *graph;
    struct gm_edit *edit;
    int64_t source;
    bool exists;
    struct gm_graph_relationship then, now;
    int64_t then_version, pipeline;
    yyjson_mut_val *properties; /* after the edit */
};

/* ---- what is there ---- */

static gm_rc read_stored(struct relationship_work *work, struct gm_err *err)
{
    struct gm_graph *graph = work->graph;
    struct gm_stmt *get = graph->stmts[STMT_RELATIONSHIP_GET];
    gm_bind_i64(get, 1, work->source);
    gm_bind_text(get, 2, work->edit->relationship);
    gm_rc rc = gm_step(get, err);
    if (rc == GM_E_END) {
        return GM_OK;
    }
    GM_TRY(rc);
    work->exists = true;
    work->then = (struct gm_graph_relationship){
        .name = gm_graph_keep(graph, gm_column_text(get, 0)),
        .target = gm_column_i64(get, 1),
        .text = gm_graph_keep(graph, gm_column_text(get, 3)),
    };
    work->pipeline = gm_column_i64(get, 2);
    work->then_version = gm_column_i64(get, 4);
    gm_reset(get);
    struct gm_twin target;
    rc = gm_graph_row_by_num(graph, work->then.target, &target, err);
    if (rc == GM_E_END) {
        return gm_fail(err, GM_E_CORRUPT,
                       "relationship \"" GM_STR_FMT "\" of twin \"" GM_STR_FMT
                       "\" leads to no twin",
                       GM_STR_ARG(work->edit->relationship), GM_STR_ARG(work->edit->twin));
    }
    GM_TRY(rc);
    work->then.target_id = target.id;
    return GM_OK;
}

static size_t write_etag(const struct relationship_work *work, int64_t version,
                         char out[GM_ETAG_SIZE])
{
    struct gm_relationship relationship = {
        .source = work->source, .id = work->edit->relationship, .version = version};
    return gm_relationship_etag(&relationship, out);
}

/* The source, what is there, and the condition. */
static gm_rc find(struct relationship_work *work, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    GM_TRY(gm_graph_find_num(work->graph, edit->twin, &work->source, err));
    if (work->source == 0) {
        return gm_edit_refuse(edit, GM_EDIT_NO_TWIN);
    }
    GM_TRY(read_stored(work, err));
    char etag[GM_ETAG_SIZE];
    size_t n = work->exists ? write_etag(work, work->then_version, etag) : 0;
    if (!work->exists && edit->kind != GM_EDIT_PUT_RELATIONSHIP) {
        return gm_edit_refuse(edit, GM_EDIT_NO_RELATIONSHIP);
    }
    gm_edit_check_condition(edit, (struct gm_str){etag, n});
    return GM_OK;
}

/* ---- checks ---- */

/* Name, ends and properties against the models. */
static gm_rc check_models(struct relationship_work *work, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    const struct gm_models *models = work->graph->models;
    const struct gm_model *source = gm_models_by_num(models, gm_twin_model_num(work->source));
    const struct gm_model *target = gm_models_by_num(models, gm_twin_model_num(work->now.target));
    if (!gm_edit_has_model(source) || target == NULL) {
        edit->detail = target == NULL   ? work->now.target_id
                       : source == NULL ? edit->twin
                                        : source->id;
        return gm_edit_refuse(edit, GM_EDIT_NO_MODEL);
    }
    gm_rc rc = gm_model_check_relationship(source, work->now.name, models, target, NULL, err);
    if (rc != GM_OK) {
        return gm_edit_refuse_value(edit, GM_EDIT_BAD_RELATIONSHIP, rc, err);
    }
    if (work->properties != NULL) {
        rc = gm_model_check_relationship(source, work->now.name, models, target, work->properties,
                                         err);
    }
    return rc == GM_OK ? GM_OK : gm_edit_refuse_value(edit, GM_EDIT_INVALID, rc, err);
}

/* The properties' canonical text, within the limit. */
static gm_rc write_properties(struct relationship_work *work)
{
    struct gm_edit *edit = work->edit;
    struct gm_buf *text = &work->graph->text;
    size_t size_max = edit->limits != NULL && edit->limits->twin_size_max != 0
                          ? edit->limits->twin_size_max
                          : GM_TWIN_BODY_SIZE_MAX;
    if (gm_json_count(work->properties) == 0) {
        work->now.text = (struct gm_str){NULL, 0};
        return GM_OK;
    }
    gm_buf_reset(text);
    gm_json_canonical(edit->doc, work->properties, text);
    if (text->n > size_max) {
        return gm_edit_refuse_with(edit, GM_EDIT_TOO_LARGE,
                                   "%zu bytes; a relationship has at most %zu", text->n, size_max);
    }
    work->now.text = gm_graph_keep(work->graph, gm_buf_str(text));
    return GM_OK;
}

/* How many relationships a twin has at one side, counted once and then kept up by edits: an upper
 * bound that is counted again when it reaches the limit. */
static gm_rc check_count(struct relationship_work *work, bool outgoing, int64_t num,
                         struct gm_err *err)
{
    struct gm_graph *graph = work->graph;
    const struct gm_edit_limits *limits = work->edit->limits;
    if (limits == NULL || limits->relationships_max == 0) {
        return GM_OK;
    }
    const int64_t parts[2] = {num, outgoing};
    struct gm_str key = {(const char *)parts, sizeof(parts)};
    uint64_t count = 0;
    bool known = gm_map_get(graph->relationship_counts, key, &count);
    if (!known || count >= limits->relationships_max) {
        struct gm_stmt *stmt =
            graph->stmts[outgoing ? STMT_RELATIONSHIPS_OUT_COUNT : STMT_RELATIONSHIPS_IN_COUNT];
        gm_bind_i64(stmt, 1, num);
        GM_TRY(gm_step(stmt, err));
        count = (uint64_t)gm_column_i64(stmt, 0);
        gm_reset(stmt);
    }
    if (count >= limits->relationships_max) {
        return gm_edit_refuse_with(work->edit, GM_EDIT_TOO_LARGE,
                                   "twin \"" GM_STR_FMT "\" has %llu %s relationships already, the "
                                   "most one can have",
                                   GM_STR_ARG(outgoing ? work->edit->twin : work->now.target_id),
                                   (unsigned long long)count, outgoing ? "outgoing" : "incoming");
    }
    if (gm_map_count(graph->relationship_counts) >= GM_GRAPH_COUNTS_MAX) {
        gm_map_reset(graph->relationship_counts);
    }
    (void)gm_map_set(graph->relationship_counts, key, count + 1);
    return GM_OK;
}

/* ---- writing ---- */

static gm_rc log_one(struct relationship_work *work, const struct gm_graph_relationship *what,
                     const char *op_z, struct gm_str patch, struct gm_err *err)
{
    struct gm_graph *graph = work->graph;
    char etag[GM_ETAG_SIZE];
    bool goes = strcmp(op_z, "remove") == 0;
    size_t n = goes ? write_etag(work, work->then_version, etag) : 0;
    gm_buf_reset(&graph->text);
    gm_buf_add_char(&graph->text, '[');
    gm_graph_add_operation(&graph->text,
                           &(struct gm_graph_operation){.op_z = op_z,
                                                        .id = work->edit->relationship,
                                                        .name = what->name,
                                                        .target_id = what->target_id,
                                                        .text = what->text,
                                                        .patch = patch,
                                                        .etag = {etag, n}});
    gm_buf_add_char(&graph->text, ']');
    struct gm_graph_operations operations = {
        .source = work->source, .position = work->edit->position, .text = gm_buf_str(&graph->text)};
    return gm_graph_log_operations(graph, &operations, err);
}

static gm_rc insert(struct relationship_work *work, int64_t version, struct gm_err *err)
{
    struct gm_stmt *insert = work->graph->stmts[STMT_RELATIONSHIP_INSERT];
    gm_bind_i64(insert, 1, work->source);
    gm_bind_text(insert, 2, work->edit->relationship);
    gm_bind_text(insert, 3, work->now.name);
    gm_bind_i64(insert, 4, work->now.target);
    gm_bind_i64(insert, 5, 0);
    gm_bind_i64(insert, 6, work->graph->cause.now);
    gm_bind_text(insert, 7, work->now.text);
    gm_bind_i64(insert, 8, version);
    GM_TRY(gm_stmt_run(insert, NULL, err));
    work->edit->created = true;
    return log_one(work, &work->now, "add", (struct gm_str){NULL, 0}, err);
}

static gm_rc update(struct relationship_work *work, int64_t version, struct gm_err *err)
{
    struct gm_stmt *update = work->graph->stmts[STMT_RELATIONSHIP_UPDATE];
    struct gm_str patch;
    GM_TRY(gm_graph_relationship_patch(work->graph, &work->then, &work->now, &patch, err));
    gm_bind_i64(update, 1, work->source);
    gm_bind_text(update, 2, work->edit->relationship);
    gm_bind_text(update, 3, work->now.name);
    gm_bind_i64(update, 4, work->now.target);
    gm_bind_i64(update, 5, work->graph->cause.now);
    gm_bind_text(update, 6, work->now.text);
    gm_bind_i64(update, 7, version);
    GM_TRY(gm_stmt_run(update, NULL, err));
    return log_one(work, &work->now, "replace", patch, err);
}

static gm_rc write(struct relationship_work *work, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    int64_t version = gm_graph_next_change(work->graph);
    GM_TRY(write_properties(work));
    if (gm_edit_refused(edit)) {
        return GM_OK;
    }
    if (!work->exists) {
        GM_TRY(check_count(work, true, work->source, err));
    }
    if (!gm_edit_refused(edit) && (!work->exists || work->then.target != work->now.target)) {
        GM_TRY(check_count(work, false, work->now.target, err));
    }
    if (gm_edit_refused(edit)) {
        return GM_OK;
    }
    GM_TRY(work->exists ? update(work, version, err) : insert(work, version, err));
    size_t n = write_etag(work, version, edit->etag);
    edit->etag[n] = '\0';
    if (edit->kind != GM_EDIT_PUT_RELATIONSHIP) {
        return GM_OK;
    }
    struct gm_relationship relationship = {.source = work->source,
                                           .id = edit->relationship,
                                           .name = work->now.name,
                                           .source_id = edit->twin,
                                           .target_id = work->now.target_id,
                                           .version = version,
                                           .updated = work->graph->cause.now,
                                           .body = work->now.text};
    return gm_relationship_json(edit->doc, &relationship, &edit->result, err);
}

/* ---- the kinds ---- */

static gm_rc put(struct relationship_work *work, struct gm_err *err)
{
    static const char *const not_properties_z[] = {"$relationshipId", "$sourceId", "$targetId",
                                                   "$relationshipName", "$etag"};
    struct gm_edit *edit = work->edit;
    gm_rc rc = gm_twin_id_check_any(edit->relationship, err);
    if (rc != GM_OK) {
        return gm_edit_refuse_value(edit, GM_EDIT_BAD_ID, rc, err);
    }
    GM_TRY(find(work, err));
    if (gm_edit_refused(edit)) {
        return GM_OK;
    }
    work->now.target_id = gm_json_member_str(edit->value, "$targetId");
    work->now.name = gm_json_member_str(edit->value, "$relationshipName");
    if (work->now.name.n == 0) {
        return gm_edit_refuse_with(edit, GM_EDIT_BAD_RELATIONSHIP,
                                   "a relationship has a $relationshipName and a $targetId");
    }
    GM_TRY(gm_graph_find_num(work->graph, work->now.target_id, &work->now.target, err));
    if (work->now.target == 0) {
        return gm_edit_refuse(edit, GM_EDIT_NO_TARGET);
    }
    if (work->now.target == work->source) {
        return gm_edit_refuse(edit, GM_EDIT_SELF);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(not_properties_z); i++) {
        (void)gm_json_remove(edit->value, gm_str_z(not_properties_z[i]));
    }
    work->properties = edit->value;
    GM_TRY(check_models(work, err));
    return gm_edit_refused(edit) ? GM_OK : write(work, err);
}

static gm_rc apply_patch(struct relationship_work *work, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    size_t index, max;
    yyjson_mut_val *item;
    if (!yyjson_mut_is_arr(edit->value)) {
        return gm_edit_refuse_with(edit, GM_EDIT_BAD_PATCH,
                                   "A patch must be a JSON array of operations.");
    }
    yyjson_mut_arr_foreach(edit->value, index, max, item)
    {
        struct gm_edit_operation operation;
        if (!gm_edit_read_operation(edit, item, &operation)) {
            return GM_OK;
        }
        if (operation.path.n > 1 && operation.path.p[1] == '$') {
            return gm_edit_refuse_with(
                edit, GM_EDIT_BAD_PATCH,
                "The target location specified by path segment '" GM_STR_FMT "' was not found.",
                (int)(operation.path.n < 100 ? operation.path.n - 1 : 100), operation.path.p + 1);
        }
        GM_TRY(gm_edit_apply_operation(edit, work->properties, operation.path, &operation, err));
        if (gm_edit_refused(edit)) {
            return GM_OK;
        }
    }
    return GM_OK;
}

static gm_rc patch(struct relationship_work *work, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    GM_TRY(find(work, err));
    if (gm_edit_refused(edit)) {
        return GM_OK;
    }
    work->now = work->then;
    work->properties = yyjson_mut_obj(edit->doc);
    if (work->then.text.n > 0) {
        GM_TRY(gm_json_parse(edit->doc, work->then.text, &work->properties, err));
    }
    GM_TRY(apply_patch(work, err));
    if (gm_edit_refused(edit)) {
        return GM_OK;
    }
    GM_TRY(check_models(work, err));
    return gm_edit_refused(edit) ? GM_OK : write(work, err);
}

static gm_rc delete (struct relationship_work *work, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    GM_TRY(find(work, err));
    if (gm_edit_refused(edit)) {
        return GM_OK;
    }
    struct gm_stmt *stmt = work->graph->stmts[STMT_RELATIONSHIP_DELETE];
    gm_bind_i64(stmt, 1, work->source);
    gm_bind_text(stmt, 2, edit->relationship);
    GM_TRY(gm_stmt_run(stmt, NULL, err));
    return log_one(work, &work->then, "remove", (struct gm_str){NULL, 0}, err);
}

gm_rc gm_edit_relationship(struct gm_graph *graph, struct gm_edit *edit, struct gm_err *err)
{
    struct relationship_work work = {.graph = graph, .edit = edit};
    switch (edit->kind) {
    case GM_EDIT_PUT_RELATIONSHIP:
        return put(&work, err);
    case GM_EDIT_PATCH_RELATIONSHIP:
        return patch(&work, err);
    default:
        return delete (&work, err);
    }
}
