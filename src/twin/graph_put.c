/* Creating and updating twins. */
#include "twin/graph_internal.h"
#include "twin/times.h"

/* What a put found and made, on its way. */
struct put_work {
    struct gm_graph *graph;
    struct gm_twin_put *put;
    struct gm_twin row;    /* the twin as it is */
    yyjson_mut_val *patch; /* from the old body to the new one */
    yyjson_mut_val *body;  /* the new body */
    yyjson_mut_val *times; /* the row's, parsed; NULL: none */
    int64_t num;           /* the new number: another one when the model changes */
    bool joins;            /* the pipeline did not deliver this twin before */
};

static gm_rc refuse(struct gm_twin_put *put, gm_rc rc)
{
    put->rc = rc;
    put->outcome = GM_PUT_NONE;
    return GM_OK;
}

/* Reserves the changes of a twin: its own, and one more for its relationships when it is created
 * with some. */
static int64_t add_twin_entries(struct gm_graph *graph, struct gm_twin_put *put,
                                enum gm_change_kind kind, int64_t previous, struct gm_str data)
{
    struct gm_graph_entry *entry;
    int64_t change = gm_graph_add_entry(graph, kind, put->id, previous, &entry);
    entry->position = put->position;
    entry->model = put->model;
    entry->data = data;
    put->change_ = 0;
    if (kind == GM_CHANGE_CREATE && put->relationship_count > 0) {
        put->change_ = gm_graph_add_entry(graph, GM_CHANGE_RELATIONSHIPS, put->id, change, &entry);
        entry->position = put->position;
        entry->data = GM_STR("[]");
        return put->change_;
    }
    return change;
}

/* The last change of a twin of this id that was deleted: the new one's history goes on from
 * there. */
static gm_rc open_grave(struct gm_graph *graph, struct gm_str id, int64_t *out_last_change,
                        struct gm_err *err)
{
    *out_last_change = 0;
    if (graph->graves == 0) {
        return GM_OK;
    }
    struct gm_stmt *get = graph->stmts[STMT_GRAVE_GET];
    gm_bind_text(get, 1, id);
    gm_rc rc = gm_step(get, err);
    if (rc == GM_E_END) {
        return GM_OK;
    }
    GM_TRY(rc);
    *out_last_change = gm_column_i64(get, 0);
    gm_reset(get);
    gm_bind_text(graph->stmts[STMT_GRAVE_DELETE], 1, id);
    graph->graves--;
    return gm_stmt_run(graph->stmts[STMT_GRAVE_DELETE], NULL, err);
}

/* A damaged text costs the precision of these times, not the write. */
yyjson_mut_val *gm_graph_parse_times(yyjson_mut_doc *doc, struct gm_str text)
{
    yyjson_mut_val *times;
    struct gm_err ignored;
    return text.p != NULL && gm_json_parse(doc, text, &times, &ignored) == GM_OK &&
                   yyjson_mut_is_obj(times)
               ? times
               : NULL;
}

/* A new twin's number, and its source times: its column, and its document in the change log. */
struct creation {
    int64_t num;
    struct gm_str times;    /* p NULL: none */
    struct gm_str document; /* p NULL: made of model and text */
};

static gm_rc add_sources(struct gm_graph *graph, const struct gm_twin_put *put,
                         struct creation *out, struct gm_err *err)
{
    yyjson_mut_doc *doc = put->doc;
    struct gm_times_after after = {
        .model = put->model, .body = put->body, .now = graph->cause.now, .sources = put->sources};
    gm_buf_reset(&graph->text);
    gm_times_write(&after, &graph->text);
    if (graph->text.n == 0) {
        return GM_OK;
    }
    out->times = gm_graph_keep(graph, gm_buf_str(&graph->text));
    yyjson_mut_val *document, *metadata = yyjson_mut_obj(doc);
    GM_TRY(gm_json_parse(doc, put->text, &document, err));
    if (!gm_json_set(doc, metadata, GM_STR("$model"), gm_json_strref(doc, put->model->id)) ||
        !gm_json_set(doc, document, GM_STR("$metadata"), metadata) ||
        !gm_times_add_metadata(doc, document, gm_graph_parse_times(doc, out->times))) {
        return gm_fail(err, GM_E_LIMIT, "no room for a twin's times");
    }
    gm_buf_reset(&graph->text);
    gm_json_canonical(doc, document, &graph->text);
    out->document = gm_graph_keep(graph, gm_buf_str(&graph->text));
    return GM_OK;
}

/* The number of the change that creates it, when `next` is that of the session's next change. */
static int64_t creating_change(const struct gm_twin_put *put, int64_t next)
{
    return next + (put->relationship_count > 0 ? 1 : 0);
}

static int64_t next_change(const struct gm_graph *graph)
{
    return graph->first_change + (int64_t)graph->entries.n;
}

/* What else a new row moves. */
static gm_rc finish_creation(struct gm_graph *graph, struct gm_twin_put *put,
                             const struct creation *creation, struct gm_err *err)
{
    GM_TRY(gm_graph_count_twins(graph, creation->num, 1, err));
    int64_t previous, change = next_change(graph);
    GM_TRY(open_grave(graph, put->id, &previous, err));
    int64_t logged = add_twin_entries(graph, put, GM_CHANGE_CREATE, previous, put->text);
    GM_ASSERT(logged == creating_change(put, change)); /* the row says so */
    if (creation->document.p != NULL) {
        struct gm_graph_entry *entry = gm_graph_entry_at(graph, change);
        entry->model = NULL;
        entry->data = creation->document;
    }
    put->num = creation->num;
    put->joined = true;
    put->outcome = GM_PUT_CREATED;
    return gm_graph_wake_waiting(graph, put->id, err);
}

gm_rc gm_graph_try_create(struct gm_graph *graph, struct gm_twin_put *put, bool *out_created,
                          struct gm_err *err)
{
    struct creation creation = {0};
    if (put->sources != NULL) {
        GM_TRY(add_sources(graph, put, &creation, err));
    }
    GM_TRY(gm_graph_next_num(graph, put->model->num, &creation.num, err));
    struct gm_stmt *insert = graph->stmts[STMT_TWIN_INSERT];
    gm_bind_i64(insert, 1, creation.num);
    gm_bind_text(insert, 2, put->id);
    gm_bind_i64(insert, 3, creating_change(put, next_change(graph)));
    gm_bind_text(insert, 7, put->text);
    gm_bind_text(insert, 8, creation.times);
    int64_t changes = 0;
    GM_TRY(gm_stmt_run(insert, &changes, err));
    *out_created = changes == 1;
    return *out_created ? finish_creation(graph, put, &creation, err) : GM_OK;
}

static gm_rc undo_rows(struct gm_graph *graph, const int64_t nums[GM_GRAPH_TOGETHER],
                       struct gm_err *err)
{
    for (int i = 0; i < GM_GRAPH_TOGETHER; i++) {
        gm_bind_i64(graph->stmts[STMT_TWIN_DELETE], 1, nums[i]);
        GM_TRY(gm_stmt_run(graph->stmts[STMT_TWIN_DELETE], NULL, err));
    }
    return GM_OK;
}

gm_rc gm_graph_create_twins(struct gm_graph *graph, struct gm_twin_put *puts[GM_GRAPH_TOGETHER],
                            bool *out_created, struct gm_err *err)
{
    *out_created = false;
    if (graph->waiting != 0) { /* changes of relationships would come between those of the twins */
        return GM_OK;
    }
    for (int i = 0; i < GM_GRAPH_TOGETHER; i++) {
        if (puts[i]->sources != NULL) {
            return GM_OK;
        }
    }
    struct gm_stmt *insert = graph->stmts[STMT_TWIN_INSERT_MANY];
    int64_t nums[GM_GRAPH_TOGETHER], changes, next = next_change(graph);
    for (int i = 0; i < GM_GRAPH_TOGETHER; i++) {
        int at = 4 + 4 * i;
        GM_TRY(gm_graph_next_num(graph, puts[i]->model->num, &nums[i], err));
        gm_bind_i64(insert, at, nums[i]);
        gm_bind_text(insert, at + 1, puts[i]->id);
        gm_bind_i64(insert, at + 2, creating_change(puts[i], next));
        gm_bind_text(insert, at + 3, puts[i]->text);
        next = creating_change(puts[i], next) + 1;
    }
    GM_TRY(gm_stmt_run(insert, &changes, err));
    if (changes != GM_GRAPH_TOGETHER) {
        return undo_rows(graph, nums, err);
    }
    for (int i = 0; i < GM_GRAPH_TOGETHER; i++) {
        puts[i]->rc = GM_OK;
        puts[i]->change_ = 0;
        GM_TRY(finish_creation(graph, puts[i], &(struct creation){.num = nums[i]}, err));
    }
    GM_ASSERT(next == next_change(graph));
    *out_created = true;
    return GM_OK;
}

/* ---- update ---- */

/* The pipeline's state names the twin by number, which may be one from before its model changed. */
static gm_rc find_whether_joins(struct put_work *work, struct gm_err *err)
{
    const struct gm_twin_put *put = work->put;
    work->joins = false;
    if (work->graph->cause.pipeline == 0) {
        return GM_OK;
    }
    work->joins = put->fresh || put->expected_num == 0;
    if (work->joins || put->expected_num == work->row.num) {
        return GM_OK;
    }
    struct gm_twin expected;
    gm_rc rc = gm_graph_row_by_num(work->graph, put->expected_num, &expected, err);
    work->joins = rc == GM_E_END || (rc == GM_OK && expected.num != work->row.num);
    return rc == GM_E_END ? GM_OK : rc;
}

/* Whether this pipeline may write this twin under this key and model. */
static gm_rc check_owner(const struct put_work *work)
{
    const struct gm_twin_put *put = work->put;
    int64_t pipeline = work->graph->cause.pipeline;
    bool ours = pipeline != 0 && work->row.creator == pipeline;
    if (ours && work->joins) {
        return gm_fail(
            put->err, GM_E_INVALID,
            "twin \"" GM_STR_FMT
            "\" is made from another key of this pipeline already; let $dtId depend on the "
            "whole key, or `gemel forget` the pipeline when its keys were changed",
            GM_STR_ARG(put->id));
    }
    if (gm_twin_model_num(work->row.num) != put->model->num && pipeline != 0 && !ours &&
        work->row.creator != -1) {
        const struct gm_model *model =
            gm_models_by_num(work->graph->models, gm_twin_model_num(work->row.num));
        return gm_fail(put->err, GM_E_INVALID,
                       "twin \"" GM_STR_FMT "\" is of model " GM_STR_FMT
                       ", the map says " GM_STR_FMT
                       "; only the pipeline that created a twin may change its model",
                       GM_STR_ARG(put->id), GM_STR_ARG(model != NULL ? model->id : GM_STR("?")),
                       GM_STR_ARG(put->model->id));
    }
    return GM_OK;
}

/* Members of a component are set one by one: two pipelines may each own some. Everything else is
 * replaced whole. */
static void merge_body(struct put_work *work, yyjson_mut_val *into, yyjson_mut_val *members,
                       const struct gm_model *model)
{
    yyjson_mut_doc *doc = work->put->doc;
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(members);
    for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        yyjson_mut_val *value = yyjson_mut_obj_iter_get_val(key);
        struct gm_str name = gm_json_str(key);
        const struct gm_content *content = model != NULL ? gm_model_content(model, name) : NULL;
        yyjson_mut_val *there = gm_json_member(into, name);
        if (content != NULL && content->type == GM_CONTENT_COMPONENT && yyjson_mut_is_obj(value)) {
            if (!yyjson_mut_is_obj(there)) {
                there = yyjson_mut_obj(doc);
                gm_json_set(doc, into, name, there);
            }
            merge_body(work, there, value, NULL);
        } else if (yyjson_mut_is_null(value)) {
            gm_json_remove(into, name);
        } else {
            gm_json_set(doc, into, name, yyjson_mut_val_mut_copy(doc, value));
        }
    }
}

/* With another model, members that it does not have go. */
static void drop_foreign_members(struct put_work *work)
{
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(work->body);
    for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        const struct gm_content *content = gm_model_content(work->put->model, gm_json_str(key));
        if (content == NULL ||
            (content->type != GM_CONTENT_PROPERTY && content->type != GM_CONTENT_COMPONENT)) {
            yyjson_mut_obj_iter_remove(&iter);
        }
    }
}

static gm_rc merge(struct put_work *work, struct gm_err *err)
{
    yyjson_mut_doc *doc = work->put->doc;
    yyjson_mut_val *old;
    GM_TRY(gm_json_parse(doc, work->row.body, &old, err));
    work->body = yyjson_mut_val_mut_copy(doc, old);
    merge_body(work, work->body, work->put->body, work->put->model);
    bool moves = gm_twin_model_num(work->row.num) != work->put->model->num;
    if (moves) {
        drop_foreign_members(work);
    }
    gm_json_sort(doc, work->body);
    work->patch = gm_json_diff(doc, old, work->body);
    if (moves) {
        yyjson_mut_val *op = yyjson_mut_obj(doc);
        yyjson_mut_obj_add_str(doc, op, "op", "replace");
        yyjson_mut_obj_add_str(doc, op, "path", "/$metadata/$model");
        yyjson_mut_obj_add_val(doc, op, "value", gm_json_strref(doc, work->put->model->id));
        yyjson_mut_arr_prepend(work->patch, op);
    }
    return GM_OK;
}

/* A twin's number tells its model, so another model is another number, and relationships follow. */
gm_rc gm_graph_renumber(struct gm_graph *graph, const struct gm_twin *row, int64_t model_num,
                        int64_t *out_num, struct gm_err *err)
{
    static const enum gm_graph_stmt moves[] = {STMT_TWIN_RENUMBER, STMT_RELATIONSHIPS_MOVE_SOURCE,
                                               STMT_RELATIONSHIPS_MOVE_TARGET,
                                               STMT_TWIN_MOVE_FOLLOW, STMT_TWIN_MOVE_INSERT};
    int64_t num;
    GM_TRY(gm_graph_next_num(graph, model_num, &num, err));
    for (size_t i = 0; i < GM_ARRAY_COUNT(moves); i++) {
        gm_bind_i64(graph->stmts[moves[i]], 1, row->num);
        gm_bind_i64(graph->stmts[moves[i]], 2, num);
        GM_TRY(gm_stmt_run(graph->stmts[moves[i]], NULL, err));
    }
    gm_map_remove(graph->nums, row->id);
    GM_TRY(gm_graph_count_twins(graph, row->num, -1, err));
    *out_num = num;
    return gm_graph_count_twins(graph, num, 1, err);
}

/* ---- times of properties ---- */

/* `path` without the leading slash: "name", or "component/name". */
static bool patch_touches(yyjson_mut_val *patch, struct gm_str path)
{
    size_t index, max;
    yyjson_mut_val *op;
    yyjson_mut_arr_foreach(patch, index, max, op)
    {
        struct gm_str at = gm_json_member_str(op, "path");
        struct gm_str tail = {at.p + 1, at.n - 1};
        bool same = gm_str_eq(tail, path);
        bool below =
            tail.n > path.n && tail.p[path.n] == '/' && memcmp(tail.p, path.p, path.n) == 0;
        bool above =
            path.n > tail.n && path.p[tail.n] == '/' && memcmp(tail.p, path.p, tail.n) == 0;
        if (same || below || above) {
            return true;
        }
    }
    return false;
}

static bool put_touches(const void *ctx, struct gm_str path)
{
    const struct put_work *work = ctx;
    return patch_touches(work->patch, path);
}

/* `times` of the row after this write: what the patch does not touch keeps its time. p NULL when
 * all are of now. Where source times come or go, the patch tells it. */
static gm_rc times_after(struct put_work *work, struct gm_str *out_times, struct gm_err *err)
{
    struct gm_graph *graph = work->graph;
    yyjson_mut_doc *doc = work->put->doc;
    struct gm_times_after after = {.model = work->put->model,
                                   .body = work->body,
                                   .before = work->times,
                                   .updated = work->row.updated,
                                   .now = graph->cause.now,
                                   .touched = put_touches,
                                   .ctx = work,
                                   .sources = work->put->sources};
    gm_buf_reset(&graph->text);
    gm_times_write(&after, &graph->text);
    *out_times = graph->text.n > 0 ? gm_graph_keep(graph, gm_buf_str(&graph->text))
                                   : (struct gm_str){NULL, 0};
    if (!gm_times_have_source(work->row.times) && !gm_times_have_source(*out_times)) {
        return GM_OK;
    }
    struct gm_times_patch patch = {doc, work->patch, work->body, work->times,
                                   gm_graph_parse_times(doc, *out_times)};
    return gm_times_add_patch(&patch) ? GM_OK
                                      : gm_fail(err, GM_E_LIMIT, "no room for a twin's times");
}

static gm_rc write_update(struct put_work *work, struct gm_str body, int64_t sources,
                          int64_t creator, struct gm_err *err)
{
    struct gm_graph *graph = work->graph;
    struct gm_twin_put *put = work->put;
    struct gm_str times;
    GM_TRY(times_after(work, &times, err));
    gm_buf_reset(&graph->text);
    gm_json_write(work->patch, &graph->text);
    int64_t change = add_twin_entries(graph, put, GM_CHANGE_UPDATE, work->row.last_change,
                                      gm_graph_keep(graph, gm_buf_str(&graph->text)));
    struct gm_stmt *update = graph->stmts[STMT_TWIN_UPDATE];
    gm_bind_i64(update, 1, work->num);
    gm_bind_i64(update, 2, change);
    gm_bind_i64(update, 3, graph->cause.now);
    gm_bind_i64(update, 4, sources);
    gm_bind_i64(update, 5, creator);
    gm_bind_text(update, 6, times);
    gm_bind_text(update, 7, body);
    GM_TRY(gm_stmt_run(update, NULL, err));
    put->outcome = GM_PUT_UPDATED;
    return GM_OK;
}

static bool sources_differ(const struct put_work *work)
{
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(work->put->sources, index, max, key, value)
    {
        struct gm_str now = gm_json_str(value),
                      then = gm_times_get(work->times, gm_json_str(key), 0).source;
        if ((now.p != NULL) != (then.p != NULL) || !gm_str_eq(now, then)) {
            return true;
        }
    }
    return false;
}

static gm_rc update(struct put_work *work, struct gm_err *err)
{
    struct gm_graph *graph = work->graph;
    struct gm_twin_put *put = work->put;
    GM_TRY(find_whether_joins(work, err));
    if (check_owner(work) != GM_OK) {
        return refuse(put, GM_E_INVALID);
    }
    GM_TRY(merge(work, err));
    work->times = gm_graph_parse_times(put->doc, work->row.times);
    gm_buf_reset(&graph->text);
    gm_json_canonical(put->doc, work->body, &graph->text);
    struct gm_str body = gm_graph_keep(graph, gm_buf_str(&graph->text));
    if (body.n > GM_TWIN_BODY_SIZE_MAX) {
        return refuse(put, gm_fail(put->err, GM_E_INVALID,
                                   "twin \"" GM_STR_FMT
                                   "\": %zu bytes with what is there already; at most %d",
                                   GM_STR_ARG(put->id), body.n, GM_TWIN_BODY_SIZE_MAX));
    }
    bool joins = work->joins;
    int64_t sources = work->row.sources + (joins ? 1 : 0);
    int64_t creator = joins && work->row.creator == -1 ? graph->cause.pipeline : work->row.creator;
    work->num = work->row.num;
    if (gm_twin_model_num(work->row.num) != put->model->num) {
        GM_TRY(gm_graph_renumber(graph, &work->row, put->model->num, &work->num, err));
    }
    put->num = work->num;
    put->joined = work->joins;
    if (yyjson_mut_arr_size(work->patch) > 0 || sources_differ(work)) {
        return write_update(work, body, sources, creator, err);
    }
    put->outcome = GM_PUT_SAME;
    if (!joins) {
        return GM_OK;
    }
    struct gm_stmt *set = graph->stmts[STMT_TWIN_SET_SOURCES];
    gm_bind_i64(set, 1, work->num);
    gm_bind_i64(set, 2, sources);
    gm_bind_i64(set, 3, creator);
    return gm_stmt_run(set, NULL, err);
}

gm_rc gm_graph_put_twin(struct gm_graph *graph, struct gm_twin_put *put, struct gm_err *err)
{
    put->rc = GM_OK;
    put->change_ = 0;
    if (put->expected_num == 0) {
        bool created;
        GM_TRY(gm_graph_try_create(graph, put, &created, err));
        if (created) {
            return GM_OK;
        }
    }
    struct put_work work = {.graph = graph, .put = put};
    gm_rc rc = gm_graph_row_by_id(graph, put->id, &work.row, err);
    if (rc == GM_E_END) {
        bool created;
        rc = gm_graph_try_create(graph, put, &created, err);
        GM_ASSERT(rc != GM_OK || created);
        return rc;
    }
    GM_TRY(rc);
    return update(&work, err);
}
