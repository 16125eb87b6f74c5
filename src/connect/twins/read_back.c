/* The canonical form of what is delivered for one key:
 *     {"$dtId":…,"$model":…,"$relationships":[[id,name,target,properties],…],"name":value,…}
 * with the members that the map writes, of components too (all of them without a map), without
 * nulls and empty components; or for a relationship
 *     ["source/id",name,target,properties]
 * Both sides are built by the same writers, so that equal things have equal texts. */
#include "connect/twins/read_back.h"

#include <stdlib.h>

#include "base/mem.h"
#include "twin_sql.h"

static bool is_written(const struct gm_sink_env *env, struct gm_str name)
{
    if (env->open_names) {
        return true;
    }
    for (size_t i = 0; i < env->names.n; i++) {
        if (gm_str_eq(env->names.at[i], name)) {
            return true;
        }
    }
    return false;
}

static void write_link(struct gm_buf *out, struct gm_str id, const struct gm_str parts[3])
{
    gm_buf_add_char(out, '[');
    gm_json_quote(out, id);
    for (size_t i = 0; i < 2; i++) {
        gm_buf_add_char(out, ',');
        gm_json_quote(out, parts[i]);
    }
    gm_buf_add_char(out, ',');
    gm_buf_add(out, parts[2].n != 0 ? parts[2] : GM_STR("{}"));
    gm_buf_add_char(out, ']');
}

static void write_head(struct gm_buf *out, struct gm_str id, struct gm_str model)
{
    gm_buf_add(out, GM_STR("{\"$dtId\":"));
    gm_json_quote(out, id);
    gm_buf_add(out, GM_STR(",\"$model\":"));
    gm_json_quote(out, model);
    gm_buf_add(out, GM_STR(",\"$relationships\":["));
}

/* Takes out what is null, and of a component that the map writes in part what others own. */
static void keep_written(const struct gm_sink_env *env, struct gm_str name, yyjson_mut_val *object)
{
    bool whole = is_written(env, name);
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(object);
    for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        struct gm_str member = gm_json_str(key);
        GM_AUTO_FREE char *path_z =
            gm_format_z(GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(name), GM_STR_ARG(member));
        if (yyjson_mut_is_null(yyjson_mut_obj_iter_get_val(key)) ||
            (!whole && !is_written(env, gm_str_z(path_z)))) {
            yyjson_mut_obj_iter_remove(&iter);
        }
    }
}

static void write_members(struct twins_sink *sink, yyjson_mut_doc *doc, yyjson_mut_val *body,
                          struct gm_buf *out)
{
    size_t index, max;
    yyjson_mut_val *key, *value;
    gm_json_sort(doc, body);
    yyjson_mut_obj_foreach(body, index, max, key, value)
    {
        struct gm_str name = gm_json_str(key);
        if (yyjson_mut_is_obj(value)) {
            keep_written(&sink->env, name, value);
        }
        bool empty = yyjson_mut_is_null(value) ||
                     (yyjson_mut_is_obj(value) && yyjson_mut_obj_size(value) == 0);
        if (!empty && (yyjson_mut_is_obj(value) || is_written(&sink->env, name))) {
            gm_buf_add_char(out, ',');
            gm_json_quote(out, name);
            gm_buf_add_char(out, ':');
            gm_json_canonical(doc, value, out);
        }
    }
    gm_buf_add_char(out, '}');
}

static int by_id(const void *a, const void *b)
{
    return gm_str_cmp(((const struct gm_relationship_put *)a)->id,
                      ((const struct gm_relationship_put *)b)->id);
}

gm_rc twins_expect(void *self, struct gm_batch *batch, const struct gm_record *record,
                   struct gm_buf *out, struct gm_err *err)
{
    (void)err;
    const struct twins_item *item = record->prepared;
    if (item->is_link) {
        const struct gm_relationship_put *put = &item->link.relationship;
        write_link(out, item->link_id,
                   (const struct gm_str[]){put->name, put->target_id, put->text});
        return GM_OK;
    }
    const struct gm_twin_put *put = &item->twin;
    write_head(out, put->id, put->model->id);
    if (put->relationship_count > 1) {
        qsort(put->relationships, put->relationship_count, sizeof(*put->relationships), by_id);
    }
    for (size_t i = 0; i < put->relationship_count; i++) {
        const struct gm_relationship_put *relationship = &put->relationships[i];
        gm_buf_add(out, i > 0 ? GM_STR(",") : GM_STR(""));
        write_link(out, relationship->id,
                   (const struct gm_str[]){relationship->name, relationship->target_id,
                                           relationship->text});
    }
    gm_buf_add_char(out, ']');
    write_members(self, batch->doc, put->body, out);
    return GM_OK;
}

/* ---- what is there ---- */

void twins_read_back_close(struct twins_sink *sink)
{
    gm_twin_reader_close(sink->twins);
    gm_stmt_finalize(sink->relationships);
    gm_stmt_finalize(sink->link);
    sink->twins = NULL;
    sink->relationships = NULL;
    sink->link = NULL;
    sink->read_db = NULL;
}

static gm_rc open_statements(struct twins_sink *sink, struct gm_db *db, struct gm_err *err)
{
    if (sink->read_db == db) {
        return GM_OK;
    }
    twins_read_back_close(sink);
    GM_TRY(gm_twin_reader_open(db, &sink->twins, err));
    GM_TRY(gm_db_prepare(db, GM_SQL_RELATIONSHIPS_DELIVERED, &sink->relationships, err));
    GM_TRY(gm_db_prepare(db, GM_SQL_LINK_DELIVERED, &sink->link, err));
    sink->read_db = db;
    return GM_OK;
}

static gm_rc actual_link(struct twins_sink *sink, const struct gm_sink_target *target,
                         struct gm_buf *out, struct gm_err *err)
{
    struct gm_str source, id;
    if (!gm_str_cut(target->id, '/', &source, &id)) {
        return GM_E_END;
    }
    gm_bind_text(sink->link, 1, source);
    gm_bind_text(sink->link, 2, id);
    GM_TRY(gm_step(sink->link, err));
    write_link(out, target->id,
               (const struct gm_str[]){gm_column_text(sink->link, 0), gm_column_text(sink->link, 1),
                                       gm_column_text(sink->link, 2)});
    gm_reset(sink->link);
    return GM_OK;
}

static gm_rc actual_relationships(struct twins_sink *sink, int64_t pipeline,
                                  const struct gm_twin *twin, struct gm_buf *out,
                                  struct gm_err *err)
{
    struct gm_stmt *stmt = sink->relationships;
    gm_bind_i64(stmt, 1, twin->num);
    gm_bind_text(stmt, 2, twin->id);
    gm_bind_i64(stmt, 3, pipeline);
    gm_rc rc;
    for (size_t i = 0; (rc = gm_step(stmt, err)) == GM_OK; i++) {
        gm_buf_add(out, i > 0 ? GM_STR(",") : GM_STR(""));
        write_link(out, gm_column_text(stmt, 0),
                   (const struct gm_str[]){gm_column_text(stmt, 1), gm_column_text(stmt, 2),
                                           gm_column_text(stmt, 3)});
    }
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc actual_twin(struct twins_sink *sink, int64_t pipeline, const struct gm_twin *twin,
                         struct gm_buf *out, struct gm_err *err)
{
    const struct gm_model *model = gm_models_by_num(sink->env.models, gm_twin_model_num(twin->num));
    write_head(out, twin->id, model != NULL ? model->id : GM_STR("?"));
    GM_TRY(actual_relationships(sink, pipeline, twin, out, err));
    gm_buf_add_char(out, ']');
    struct gm_arena *arena = gm_arena_new(16 * GM_TWIN_BODY_SIZE_MAX + (1 << 20));
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    yyjson_mut_val *body;
    gm_rc rc = gm_json_parse(doc, twin->body, &body, err);
    if (rc == GM_OK) {
        write_members(sink, doc, body, out);
    }
    gm_arena_free(arena);
    return rc;
}

gm_rc twins_actual(void *self, const struct gm_sink_work *work, const struct gm_sink_target *target,
                   struct gm_buf *out, struct gm_err *err)
{
    struct twins_sink *sink = self;
    struct gm_twin twin;
    GM_TRY(open_statements(sink, work->db, err));
    if (target->id.p != NULL) {
        return actual_link(sink, target, out, err);
    }
    GM_TRY(gm_twin_by_num(sink->twins, target->num, &twin, err));
    return actual_twin(sink, work->pipeline, &twin, out, err);
}
