/* Relationships: putting, waiting for an end, and going with their twins.
 *
 * A relationship of a pipeline is in one of two tables: `relationships` when both ends are there
 * and their models fit, else `relationships_waiting` under the id of the end that is missing. Each
 * function here keeps it in exactly one. */
#include "twin/graph_internal.h"
#include "twin/twin_json.h"
#include "twin_sql.h"

/* One relationship with both ends as far as they are known. */
struct link {
    struct gm_graph *graph;
    struct gm_str source_id, target_id, id, name, text;
    int64_t source, target; /* 0: not there */
    int64_t pipeline, run;
    uint64_t position;
    struct gm_str waiting_for; /* p NULL: it can be */
    struct gm_str problem;     /* why it waits although its ends are there */
    /* what happened: "add", "replace", "remove", "wait"; NULL: nothing */
    const char *op_z;
    struct gm_str patch; /* of "replace" */
    int64_t version;     /* of what goes; 0: not known */
};

/* ---- the two tables ---- */

static void find_obstacle(struct link *link)
{
    const struct gm_models *models = link->graph->models;
    link->waiting_for = (struct gm_str){NULL, 0};
    link->problem = (struct gm_str){NULL, 0};
    if (link->source == 0 || link->target == 0) {
        link->waiting_for = link->source == 0 ? link->source_id : link->target_id;
        return;
    }
    const struct gm_model *source = gm_models_by_num(models, gm_twin_model_num(link->source));
    const struct gm_model *target = gm_models_by_num(models, gm_twin_model_num(link->target));
    struct gm_err err = {0};
    if (source == NULL || target == NULL ||
        gm_model_check_relationship(source, link->name, models, target, NULL, &err) != GM_OK) {
        link->waiting_for = link->target_id;
        link->problem = gm_graph_keep(link->graph, gm_str_z(err.text));
    }
}

static gm_rc remove_waiting(struct link *link, bool *out_removed, struct gm_err *err)
{
    *out_removed = false;
    if (link->graph->waiting == 0) {
        return GM_OK;
    }
    struct gm_stmt *stmt = link->graph->stmts[STMT_WAITING_DELETE];
    gm_bind_text(stmt, 1, link->source_id);
    gm_bind_text(stmt, 2, link->id);
    int64_t changes = 0;
    GM_TRY(gm_stmt_run(stmt, &changes, err));
    link->graph->waiting -= changes;
    *out_removed = changes != 0;
    return GM_OK;
}

/* Whether the row that is there says the same already. */
static gm_rc waits_already(struct link *link, bool *out_there, bool *out_same, struct gm_err *err)
{
    struct gm_stmt *get = link->graph->stmts[STMT_WAITING_GET];
    gm_bind_text(get, 1, link->source_id);
    gm_bind_text(get, 2, link->id);
    gm_rc rc = gm_step(get, err);
    *out_there = rc == GM_OK;
    *out_same = false;
    if (rc == GM_E_END) {
        return GM_OK;
    }
    GM_TRY(rc);
    *out_same = gm_str_eq(gm_column_text(get, 0), link->name) &&
                gm_str_eq(gm_column_text(get, 1), link->target_id) &&
                gm_column_i64(get, 2) == link->pipeline &&
                gm_str_eq(gm_column_text(get, 3), link->waiting_for) &&
                gm_str_eq(gm_column_text(get, 4), link->problem) &&
                gm_str_eq(gm_column_text(get, 5), link->text);
    gm_reset(get);
    return GM_OK;
}

static gm_rc put_waiting(struct link *link, struct gm_err *err)
{
    bool there, same;
    GM_TRY(waits_already(link, &there, &same, err));
    if (same) {
        return GM_OK;
    }
    struct gm_stmt *put = link->graph->stmts[STMT_WAITING_PUT];
    gm_bind_text(put, 1, link->source_id);
    gm_bind_text(put, 2, link->id);
    gm_bind_text(put, 3, link->waiting_for);
    gm_bind_text(put, 4, link->name);
    gm_bind_text(put, 5, link->target_id);
    gm_bind_i64(put, 6, link->pipeline);
    gm_bind_i64(put, 7, link->run);
    gm_bind_i64(put, 8, (int64_t)link->position);
    gm_bind_text(put, 9, link->problem);
    gm_bind_text(put, 10, link->text);
    link->graph->waiting += there ? 0 : 1;
    link->op_z = "wait";
    return gm_stmt_run(put, NULL, err);
}

static gm_rc remove_standing(struct link *link, bool *out_removed, struct gm_err *err)
{
    *out_removed = false;
    if (link->source == 0) {
        return GM_OK;
    }
    struct gm_stmt *stmt = link->graph->stmts[STMT_RELATIONSHIP_DELETE];
    gm_bind_i64(stmt, 1, link->source);
    gm_bind_text(stmt, 2, link->id);
    int64_t changes = 0;
    GM_TRY(gm_stmt_run(stmt, &changes, err));
    *out_removed = changes != 0;
    return GM_OK;
}

static gm_rc insert_standing(struct link *link, bool *out_inserted, struct gm_err *err)
{
    struct gm_stmt *insert = link->graph->stmts[STMT_RELATIONSHIP_INSERT];
    gm_bind_i64(insert, 1, link->source);
    gm_bind_text(insert, 2, link->id);
    gm_bind_text(insert, 3, link->name);
    gm_bind_i64(insert, 4, link->target);
    gm_bind_i64(insert, 5, link->pipeline);
    gm_bind_i64(insert, 6, link->graph->cause.now);
    gm_bind_text(insert, 7, link->text);
    gm_bind_i64(insert, 8, gm_graph_next_change(link->graph));
    int64_t changes = 0;
    GM_TRY(gm_stmt_run(insert, &changes, err));
    *out_inserted = changes == 1;
    return GM_OK;
}

/* A relationship's members that may change, as one object. */
static gm_rc changeable(struct gm_graph *graph, yyjson_mut_doc *doc,
                        const struct gm_graph_relationship *relationship,
                        yyjson_mut_val **out_value, struct gm_err *err)
{
    struct gm_str target_id = relationship->target_id;
    yyjson_mut_val *value = yyjson_mut_obj(doc);
    if (relationship->text.n > 0) {
        GM_TRY(gm_json_parse(doc, relationship->text, &value, err));
    }
    if (target_id.p == NULL) {
        struct gm_twin row;
        GM_TRY(gm_graph_row_by_num(graph, relationship->target, &row, err));
        target_id = row.id;
    }
    return gm_json_set(doc, value, GM_STR("$relationshipName"),
                       gm_json_strref(doc, relationship->name)) &&
                   gm_json_set(doc, value, GM_STR("$targetId"), gm_json_strref(doc, target_id))
               ? (*out_value = value, GM_OK)
               : gm_fail(err, GM_E_LIMIT, "no room for a relationship's change");
}

gm_rc gm_graph_relationship_patch(struct gm_graph *graph, const struct gm_graph_relationship *then,
                                  const struct gm_graph_relationship *now, struct gm_str *out_patch,
                                  struct gm_err *err)
{
    yyjson_mut_doc *doc = gm_json_doc_new(graph->arena);
    yyjson_mut_val *from, *to;
    if (doc == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for a relationship's change");
    }
    GM_TRY(changeable(graph, doc, then, &from, err));
    GM_TRY(changeable(graph, doc, now, &to, err));
    yyjson_mut_val *patch = gm_json_diff(doc, from, to);
    if (patch == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for a relationship's change");
    }
    gm_buf_reset(&graph->text);
    gm_json_write(patch, &graph->text);
    *out_patch = gm_graph_keep(graph, gm_buf_str(&graph->text));
    return GM_OK;
}

static gm_rc refuse_owner(const struct link *link, struct gm_err *own_err)
{
    return gm_fail(own_err, GM_E_INVALID,
                   "relationship \"" GM_STR_FMT "\" of twin \"" GM_STR_FMT
                   "\" is there already and not this pipeline's; "
                   "give the map another `id`",
                   GM_STR_ARG(link->id), GM_STR_ARG(link->source_id));
}

/* Whose the standing relationship of this id is; -1: there is none. */
static gm_rc find_owner(const struct link *link, int64_t *out_owner, struct gm_err *err)
{
    *out_owner = -1;
    if (link->source == 0) {
        return GM_OK;
    }
    struct gm_stmt *get = link->graph->stmts[STMT_RELATIONSHIP_GET];
    gm_bind_i64(get, 1, link->source);
    gm_bind_text(get, 2, link->id);
    gm_rc rc = gm_step(get, err);
    if (rc == GM_OK) {
        *out_owner = gm_column_i64(get, 2);
        gm_reset(get);
    }
    return rc == GM_E_END ? GM_OK : rc;
}

/* Likewise of the one that waits. */
static gm_rc find_waiting_owner(const struct link *link, int64_t *out_owner, struct gm_err *err)
{
    *out_owner = -1;
    if (link->graph->waiting == 0) {
        return GM_OK;
    }
    struct gm_stmt *get = link->graph->stmts[STMT_WAITING_GET];
    gm_bind_text(get, 1, link->source_id);
    gm_bind_text(get, 2, link->id);
    gm_rc rc = gm_step(get, err);
    if (rc == GM_OK) {
        *out_owner = gm_column_i64(get, 2);
        gm_reset(get);
    }
    return rc == GM_E_END ? GM_OK : rc;
}

/* One of this id is there: it becomes this one, unless it is somebody else's. */
static gm_rc replace_standing(struct link *link, struct gm_err *own_err, struct gm_err *err)
{
    struct gm_stmt *get = link->graph->stmts[STMT_RELATIONSHIP_GET];
    gm_bind_i64(get, 1, link->source);
    gm_bind_text(get, 2, link->id);
    gm_rc rc = gm_step(get, err);
    GM_ASSERT(rc != GM_E_END);
    GM_TRY(rc);
    int64_t owner = gm_column_i64(get, 2);
    struct gm_graph_relationship then = {
        .name = gm_graph_keep(link->graph, gm_column_text(get, 0)),
        .target = gm_column_i64(get, 1),
        .text = gm_graph_keep(link->graph, gm_column_text(get, 3)),
    };
    gm_reset(get);
    if (gm_str_eq(then.name, link->name) && then.target == link->target &&
        gm_str_eq(then.text, link->text)) {
        return GM_OK;
    }
    if (owner != link->pipeline) {
        return refuse_owner(link, own_err);
    }
    struct gm_graph_relationship now = {.name = link->name,
                                        .target = link->target,
                                        .target_id = link->target_id,
                                        .text = link->text};
    GM_TRY(gm_graph_relationship_patch(link->graph, &then, &now, &link->patch, err));
    struct gm_stmt *update = link->graph->stmts[STMT_RELATIONSHIP_UPDATE];
    gm_bind_i64(update, 1, link->source);
    gm_bind_text(update, 2, link->id);
    gm_bind_text(update, 3, link->name);
    gm_bind_i64(update, 4, link->target);
    gm_bind_i64(update, 5, link->graph->cause.now);
    gm_bind_text(update, 6, link->text);
    gm_bind_i64(update, 7, gm_graph_next_change(link->graph));
    link->op_z = "replace";
    return gm_stmt_run(update, NULL, err);
}

/* Puts it where it belongs. GM_E_INVALID with own_err: it belongs to somebody else; nothing was
 * written. */
static gm_rc settle(struct link *link, struct gm_err *own_err, struct gm_err *err)
{
    find_obstacle(link);
    bool removed;
    if (link->waiting_for.p != NULL) {
        int64_t owner;
        GM_TRY(find_owner(link, &owner, err));
        if (owner >= 0 && owner != link->pipeline) {
            return refuse_owner(link, own_err);
        }
        GM_TRY(remove_standing(link, &removed, err));
        return put_waiting(link, err);
    }
    bool inserted;
    GM_TRY(insert_standing(link, &inserted, err));
    if (!inserted) {
        GM_TRY(replace_standing(link, own_err, err));
    } else {
        link->op_z = "add";
    }
    return remove_waiting(link, &removed, err);
}

/* ---- changes ---- */

void gm_graph_add_operation(struct gm_buf *out, const struct gm_graph_operation *operation)
{
    gm_buf_add(out, out->n <= 1 ? GM_STR("{\"op\":\"") : GM_STR(",{\"op\":\""));
    gm_buf_add_z(out, operation->op_z);
    gm_buf_add(out, GM_STR("\",\"$relationshipId\":"));
    gm_json_quote(out, operation->id);
    gm_buf_add(out, GM_STR(",\"$relationshipName\":"));
    gm_json_quote(out, operation->name);
    gm_buf_add(out, GM_STR(",\"$targetId\":"));
    gm_json_quote(out, operation->target_id);
    if (operation->etag.n > 0) {
        gm_buf_add(out, GM_STR(",\"$etag\":"));
        gm_json_quote(out, operation->etag);
    }
    if (operation->patch.p != NULL) {
        gm_buf_add(out, GM_STR(",\"$patch\":"));
        gm_buf_add(out, operation->patch);
    }
    if (operation->text.n > 2) {
        gm_buf_add_char(out, ',');
        gm_buf_add(out, (struct gm_str){operation->text.p + 1, operation->text.n - 2});
    }
    gm_buf_add_char(out, '}');
}

static void add_operation(struct gm_buf *out, const struct link *link)
{
    char etag[GM_ETAG_SIZE];
    struct gm_str last = {etag, 0};
    if (link->version != 0 && strcmp(link->op_z, "remove") == 0) {
        last.n = gm_relationship_etag(&(struct gm_relationship){.source = link->source,
                                                                .id = link->id,
                                                                .version = link->version},
                                      etag);
    }
    gm_graph_add_operation(out, &(struct gm_graph_operation){.op_z = link->op_z,
                                                             .id = link->id,
                                                             .name = link->name,
                                                             .target_id = link->target_id,
                                                             .text = link->text,
                                                             .patch = link->patch,
                                                             .etag = last});
}

gm_rc gm_graph_log_operations(struct gm_graph *graph, const struct gm_graph_operations *operations,
                              struct gm_err *err)
{
    struct gm_twin row;
    GM_TRY(gm_graph_row_by_num(graph, operations->source, &row, err));
    struct gm_graph_entry *entry;
    int64_t change =
        gm_graph_add_entry(graph, GM_CHANGE_RELATIONSHIPS, row.id, row.last_change, &entry);
    entry->position = operations->position;
    entry->pipeline = operations->pipeline;
    entry->run = operations->run;
    entry->data = gm_graph_keep(graph, operations->text);
    struct gm_stmt *set = graph->stmts[STMT_TWIN_SET_LAST_CHANGE];
    gm_bind_i64(set, 1, operations->source);
    gm_bind_i64(set, 2, change);
    return gm_stmt_run(set, NULL, err);
}

static gm_rc log_operations(struct gm_graph *graph, const struct link *link,
                            struct gm_str operations, struct gm_err *err)
{
    return gm_graph_log_operations(graph,
                                   &(struct gm_graph_operations){.source = link->source,
                                                                 .pipeline = link->pipeline,
                                                                 .run = link->run,
                                                                 .position = link->position,
                                                                 .text = operations},
                                   err);
}

static gm_rc log_one(struct gm_graph *graph, const struct link *link, struct gm_err *err)
{
    if (link->op_z == NULL || link->source == 0) {
        return GM_OK;
    }
    gm_buf_reset(&graph->text);
    gm_buf_add_char(&graph->text, '[');
    add_operation(&graph->text, link);
    gm_buf_add_char(&graph->text, ']');
    return log_operations(graph, link, gm_buf_str(&graph->text), err);
}

/* ---- a twin's own relationships ---- */

static bool is_wanted(const struct gm_twin_put *put, struct gm_str id, struct gm_str name)
{
    for (size_t i = 0; i < put->kept.n; i++) {
        if (gm_str_eq(put->kept.at[i], name)) {
            return true;
        }
    }
    for (size_t i = 0; i < put->relationship_count; i++) {
        if (gm_str_eq(put->relationships[i].id, id)) {
            return true;
        }
    }
    return false;
}

typedef GM_VEC(struct gm_str) id_list;

static gm_rc list_unwanted(struct gm_graph *graph, struct gm_stmt *stmt,
                           const struct gm_twin_put *put, id_list *ids, struct gm_err *err)
{
    gm_rc rc;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        struct gm_str id = gm_column_text(stmt, 0);
        if (put == NULL || !is_wanted(put, id, gm_column_text(stmt, 1))) {
            *gm_vec_push(ids) = gm_graph_keep(graph, id);
        }
    }
    return rc == GM_E_END ? GM_OK : rc;
}

/* What a relationship is that is about to go, for the log. */
static gm_rc describe(struct link *link, struct gm_err *err)
{
    struct gm_graph *graph = link->graph;
    struct gm_stmt *get = graph->stmts[STMT_RELATIONSHIP_GET];
    gm_bind_i64(get, 1, link->source);
    gm_bind_text(get, 2, link->id);
    gm_rc rc = gm_step(get, err);
    if (rc != GM_OK) {
        return rc;
    }
    link->name = gm_graph_keep(graph, gm_column_text(get, 0));
    link->text = gm_graph_keep(graph, gm_column_text(get, 3));
    link->version = gm_column_i64(get, 4);
    int64_t target = gm_column_i64(get, 1);
    gm_reset(get);
    struct gm_twin row;
    GM_TRY(gm_graph_row_by_num(graph, target, &row, err));
    link->target_id = row.id;
    return GM_OK;
}

/* Removes those of `pipeline` that `put` (NULL: none) does not want; says so in `operations`. */
static gm_rc remove_unwanted(struct link *base, const struct gm_twin_put *put,
                             struct gm_buf *operations, struct gm_err *err)
{
    struct gm_graph *graph = base->graph;
    id_list standing = {0}, waiting = {0};
    gm_bind_i64(graph->stmts[STMT_RELATIONSHIPS_OF_PIPELINE], 1, base->source);
    gm_bind_i64(graph->stmts[STMT_RELATIONSHIPS_OF_PIPELINE], 2, base->pipeline);
    gm_rc rc =
        list_unwanted(graph, graph->stmts[STMT_RELATIONSHIPS_OF_PIPELINE], put, &standing, err);
    if (rc == GM_OK && graph->waiting > 0) {
        gm_bind_text(graph->stmts[STMT_WAITING_OF_PIPELINE], 1, base->source_id);
        gm_bind_i64(graph->stmts[STMT_WAITING_OF_PIPELINE], 2, base->pipeline);
        rc = list_unwanted(graph, graph->stmts[STMT_WAITING_OF_PIPELINE], put, &waiting, err);
    }
    bool removed;
    for (size_t i = 0; rc == GM_OK && i < standing.n; i++) {
        struct link link = *base;
        link.id = standing.at[i];
        link.op_z = "remove";
        rc = describe(&link, err);
        if (rc == GM_OK) {
            rc = remove_standing(&link, &removed, err);
            add_operation(operations, &link);
        }
    }
    for (size_t i = 0; rc == GM_OK && i < waiting.n; i++) {
        struct link link = *base;
        link.id = waiting.at[i];
        rc = remove_waiting(&link, &removed, err);
    }
    gm_vec_deinit(&standing);
    gm_vec_deinit(&waiting);
    return rc;
}

static struct link link_of_put(struct gm_graph *graph,
                               const struct gm_relationship_put *relationship)
{
    return (struct link){
        .graph = graph,
        .id = relationship->id,
        .name = relationship->name,
        .target_id = relationship->target_id,
        .text = relationship->text,
        .pipeline = graph->cause.pipeline,
        .run = graph->cause.run,
    };
}

static gm_rc put_wanted(struct gm_graph *graph, struct gm_twin_put *put, struct gm_buf *operations,
                        struct gm_err *err)
{
    for (size_t i = 0; i < put->relationship_count; i++) {
        struct link link = link_of_put(graph, &put->relationships[i]);
        link.source_id = put->id;
        link.source = put->num;
        link.position = put->position;
        GM_TRY(gm_graph_find_num(graph, link.target_id, &link.target, err));
        gm_rc rc = settle(&link, put->err, err);
        if (rc == GM_E_INVALID) {
            put->rc = rc;
            continue;
        }
        GM_TRY(rc);
        if (link.op_z != NULL) {
            add_operation(operations, &link);
        }
    }
    return GM_OK;
}

gm_rc gm_graph_put_relationships(struct gm_graph *graph, struct gm_twin_put *put,
                                 struct gm_err *err)
{
    bool nothing_before = put->outcome == GM_PUT_CREATED;
    if (put->rc != GM_OK || !put->has_relationships ||
        (nothing_before && put->relationship_count == 0)) {
        return GM_OK;
    }
    struct link base = {.graph = graph,
                        .source_id = put->id,
                        .source = put->num,
                        .pipeline = graph->cause.pipeline,
                        .run = graph->cause.run,
                        .position = put->position};
    struct gm_buf operations;
    gm_buf_init(&operations, GM_JSON_DEPTH_MAX << 20);
    gm_buf_add_char(&operations, '[');
    gm_rc rc = GM_OK;
    if (!nothing_before || graph->waiting > 0) {
        rc = remove_unwanted(&base, put, &operations, err);
    }
    if (rc == GM_OK) {
        rc = put_wanted(graph, put, &operations, err);
    }
    bool any = operations.n > 1;
    gm_buf_add_char(&operations, ']');
    if (rc == GM_OK && put->change_ != 0) {
        gm_graph_entry_at(graph, put->change_)->data =
            gm_graph_keep(graph, gm_buf_str(&operations));
    } else if (rc == GM_OK && any) {
        rc = log_operations(graph, &base, gm_buf_str(&operations), err);
        if (put->outcome == GM_PUT_SAME) {
            put->outcome = GM_PUT_UPDATED;
        }
    }
    gm_buf_deinit(&operations);
    return rc;
}

gm_rc gm_graph_drop_pipeline_relationships(struct gm_graph *graph, const struct gm_twin *twin,
                                           int64_t pipeline, struct gm_err *err)
{
    struct link base = {.graph = graph,
                        .source_id = twin->id,
                        .source = twin->num,
                        .pipeline = pipeline,
                        .run = graph->cause.run};
    struct gm_buf operations;
    gm_buf_init(&operations, GM_JSON_DEPTH_MAX << 20);
    gm_buf_add_char(&operations, '[');
    gm_rc rc = remove_unwanted(&base, NULL, &operations, err);
    bool any = operations.n > 1;
    gm_buf_add_char(&operations, ']');
    if (rc == GM_OK && any) {
        rc = log_operations(graph, &base, gm_buf_str(&operations), err);
    }
    gm_buf_deinit(&operations);
    return rc;
}

/* ---- relationships that stand for themselves ---- */

gm_rc gm_graph_put_link(struct gm_graph *graph, struct gm_link_put *put, struct gm_err *err)
{
    struct link link = link_of_put(graph, &put->relationship);
    link.source_id = put->source_id;
    link.position = put->position;
    put->rc = GM_OK;
    put->outcome = GM_PUT_SAME;
    GM_TRY(gm_graph_find_num(graph, link.source_id, &link.source, err));
    GM_TRY(gm_graph_find_num(graph, link.target_id, &link.target, err));
    gm_rc rc = settle(&link, put->err, err);
    if (rc == GM_E_INVALID) {
        put->rc = rc;
        return GM_OK;
    }
    GM_TRY(rc);
    if (link.op_z != NULL) {
        put->outcome = strcmp(link.op_z, "replace") == 0 ? GM_PUT_UPDATED : GM_PUT_CREATED;
    }
    return log_one(graph, &link, err);
}

gm_rc gm_graph_remove_link(struct gm_graph *graph, struct gm_str source_id,
                           struct gm_str relationship_id, uint64_t position, struct gm_err *err)
{
    struct link link = {.graph = graph,
                        .source_id = source_id,
                        .id = relationship_id,
                        .pipeline = graph->cause.pipeline,
                        .run = graph->cause.run,
                        .position = position};
    bool removed;
    int64_t owner;
    GM_TRY(find_waiting_owner(&link, &owner, err));
    if (owner == link.pipeline) {
        GM_TRY(remove_waiting(&link, &removed, err));
    }
    GM_TRY(gm_graph_find_num(graph, source_id, &link.source, err));
    GM_TRY(find_owner(&link, &owner, err));
    if (owner != link.pipeline) {
        return GM_OK; /* not there, or somebody else's */
    }
    gm_rc rc = describe(&link, err);
    if (rc == GM_E_END) {
        return GM_OK;
    }
    GM_TRY(rc);
    GM_TRY(remove_standing(&link, &removed, err));
    link.op_z = "remove";
    return log_one(graph, &link, err);
}

/* ---- when twins come ---- */

typedef GM_VEC(struct link) link_list;

static gm_rc list_waiting(struct gm_graph *graph, struct gm_str twin_id, link_list *links,
                          struct gm_err *err)
{
    struct gm_stmt *stmt = graph->stmts[STMT_WAITING_FOR_TWIN];
    gm_bind_text(stmt, 1, twin_id);
    gm_rc rc;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        *gm_vec_push(links) = (struct link){
            .graph = graph,
            .source_id = gm_graph_keep(graph, gm_column_text(stmt, 0)),
            .id = gm_graph_keep(graph, gm_column_text(stmt, 1)),
            .name = gm_graph_keep(graph, gm_column_text(stmt, 2)),
            .target_id = gm_graph_keep(graph, gm_column_text(stmt, 3)),
            .pipeline = gm_column_i64(stmt, 4),
            .run = gm_column_i64(stmt, 5),
            .position = (uint64_t)gm_column_i64(stmt, 6),
            .text = gm_graph_keep(graph, gm_column_text(stmt, 7)),
        };
    }
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_graph_wake_waiting(struct gm_graph *graph, struct gm_str twin_id, struct gm_err *err)
{
    if (graph->waiting == 0) {
        return GM_OK;
    }
    link_list links = {0};
    gm_rc rc = list_waiting(graph, twin_id, &links, err);
    for (size_t i = 0; rc == GM_OK && i < links.n; i++) {
        struct link *link = &links.at[i];
        rc = gm_graph_find_num(graph, link->source_id, &link->source, err);
        if (rc == GM_OK) {
            rc = gm_graph_find_num(graph, link->target_id, &link->target, err);
        }
        struct gm_err own = {0};
        if (rc == GM_OK) {
            rc = settle(link, &own, err);
        }
        /* the place was taken meanwhile: it goes on waiting, and says why */
        if (rc == GM_E_INVALID) {
            link->waiting_for = link->target_id;
            link->problem = gm_graph_keep(graph, gm_str_z(own.text));
            rc = put_waiting(link, err);
        }
        if (rc == GM_OK) {
            rc = log_one(graph, link, err);
        }
    }
    gm_vec_deinit(&links);
    return rc;
}

/* ---- when twins go ---- */

/* The relationships at one side of a twin. */
static gm_rc list_side(struct gm_graph *graph, const struct gm_twin *twin, bool outgoing,
                       link_list *links, struct gm_err *err)
{
    struct gm_stmt *stmt = graph->stmts[outgoing ? STMT_RELATIONSHIPS_OUT : STMT_RELATIONSHIPS_IN];
    gm_bind_i64(stmt, 1, twin->num);
    gm_rc rc;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        struct gm_str other = gm_graph_keep(graph, gm_column_text(stmt, 2));
        *gm_vec_push(links) = (struct link){
            .graph = graph,
            .id = gm_graph_keep(graph, gm_column_text(stmt, 0)),
            .name = gm_graph_keep(graph, gm_column_text(stmt, 1)),
            .source_id = outgoing ? twin->id : other,
            .target_id = outgoing ? other : twin->id,
            .source = outgoing ? twin->num : gm_column_i64(stmt, 6),
            .pipeline = gm_column_i64(stmt, 3),
            .run = graph->cause.run,
            .text = gm_graph_keep(graph, gm_column_text(stmt, 4)),
            .version = gm_column_i64(stmt, 5),
        };
    }
    return rc == GM_E_END ? GM_OK : rc;
}

/* Takes one away that loses an end; a pipeline's waits for the end to come back, since its source
 * still says so. */
static gm_rc unlink_one(struct link *link, struct gm_str missing, bool waits, struct gm_err *err)
{
    bool removed;
    GM_TRY(remove_standing(link, &removed, err));
    link->op_z = "remove";
    if (waits) {
        link->waiting_for = missing;
        GM_TRY(put_waiting(link, err));
    }
    return GM_OK;
}

/* Those that lead here are changes of the twins that they come from. */
static gm_rc drop_incoming(struct gm_graph *graph, const struct gm_twin *twin, struct gm_err *err)
{
    link_list links = {0};
    gm_rc rc = list_side(graph, twin, false, &links, err);
    for (size_t i = 0; rc == GM_OK && i < links.n; i++) {
        struct link *link = &links.at[i];
        rc = unlink_one(link, twin->id, link->pipeline != 0, err);
        rc = rc == GM_OK ? log_one(graph, link, err) : rc;
    }
    gm_vec_deinit(&links);
    return rc;
}

/* Those that go out are one change, right before the twin's deletion. */
static gm_rc drop_outgoing(struct gm_graph *graph, const struct gm_twin *twin, int64_t pipeline,
                           struct gm_err *err)
{
    link_list links = {0};
    struct gm_buf operations;
    gm_buf_init(&operations, GM_JSON_DEPTH_MAX << 20);
    gm_buf_add_char(&operations, '[');
    gm_rc rc = list_side(graph, twin, true, &links, err);
    for (size_t i = 0; rc == GM_OK && i < links.n; i++) {
        struct link *link = &links.at[i];
        bool deleters = link->pipeline == pipeline;
        rc = unlink_one(link, twin->id, link->pipeline != 0 && !deleters, err);
        add_operation(&operations, link);
    }
    gm_buf_add_char(&operations, ']');
    if (rc == GM_OK && links.n > 0) {
        struct link base = {.graph = graph,
                            .source_id = twin->id,
                            .source = twin->num,
                            .pipeline = pipeline,
                            .run = graph->cause.run};
        rc = log_operations(graph, &base, gm_buf_str(&operations), err);
    }
    gm_buf_deinit(&operations);
    gm_vec_deinit(&links);
    return rc;
}

gm_rc gm_graph_drop_relationships(struct gm_graph *graph, const struct gm_twin *twin,
                                  int64_t pipeline, struct gm_err *err)
{
    GM_TRY(drop_outgoing(graph, twin, pipeline, err));
    GM_TRY(drop_incoming(graph, twin, err));
    if (graph->waiting == 0 || pipeline == 0) {
        return GM_OK;
    }
    struct link base = {
        .graph = graph, .source_id = twin->id, .source = twin->num, .pipeline = pipeline};
    struct gm_buf nothing;
    gm_buf_init(&nothing, GM_JSON_DEPTH_MAX << 20);
    gm_rc rc = remove_unwanted(&base, NULL, &nothing, err);
    gm_buf_deinit(&nothing);
    return rc;
}

static gm_rc count_with(struct gm_db *db, const char *sql_z, int64_t *out_count, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare(db, sql_z, &stmt, err));
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_OK) {
        *out_count = gm_column_i64(stmt, 0);
    }
    gm_stmt_finalize(stmt);
    return rc;
}

gm_rc gm_graph_twin_count(struct gm_db *db, int64_t *out_count, struct gm_err *err)
{
    return count_with(db, GM_SQL_TWIN_COUNT, out_count, err);
}

gm_rc gm_graph_relationship_count(struct gm_db *db, int64_t *out_count, struct gm_err *err)
{
    return count_with(db, GM_SQL_RELATIONSHIP_COUNT, out_count, err);
}

gm_rc gm_graph_waiting_count(struct gm_db *db, int64_t *out_count, struct gm_err *err)
{
    return count_with(db, GM_SQL_WAITING_COUNT, out_count, err);
}
