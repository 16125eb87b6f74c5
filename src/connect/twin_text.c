/* The canonical form of what is delivered for one key: see twin_item.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "connect/twin_item.h"

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

void gm_twin_text_link(struct gm_buf *out, struct gm_str id, const struct gm_str parts[3])
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

void gm_twin_text_head(struct gm_buf *out, struct gm_str id, struct gm_str model)
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

void gm_twin_text_members(const struct gm_sink_env *env, yyjson_mut_doc *doc, yyjson_mut_val *body,
                          struct gm_buf *out)
{
    size_t index, max;
    yyjson_mut_val *key, *value;
    gm_json_sort(doc, body);
    yyjson_mut_obj_foreach(body, index, max, key, value)
    {
        struct gm_str name = gm_json_str(key);
        if (yyjson_mut_is_obj(value)) {
            keep_written(env, name, value);
        }
        bool empty = yyjson_mut_is_null(value) ||
                     (yyjson_mut_is_obj(value) && yyjson_mut_obj_size(value) == 0);
        if (!empty && (yyjson_mut_is_obj(value) || is_written(env, name))) {
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

void gm_twin_text_item(const struct gm_sink_env *env, struct gm_batch *batch,
                       const struct gm_record *record, struct gm_buf *out)
{
    const struct gm_twin_item *item = record->prepared;
    if (item->is_link) {
        const struct gm_relationship_put *put = &item->link.relationship;
        gm_twin_text_link(out, item->link_id,
                          (const struct gm_str[]){put->name, put->target_id, put->text});
        return;
    }
    const struct gm_twin_put *put = &item->twin;
    gm_twin_text_head(out, put->id, put->model->id);
    if (put->relationship_count > 1) {
        qsort(put->relationships, put->relationship_count, sizeof(*put->relationships), by_id);
    }
    for (size_t i = 0; i < put->relationship_count; i++) {
        const struct gm_relationship_put *relationship = &put->relationships[i];
        gm_buf_add(out, i > 0 ? GM_STR(",") : GM_STR(""));
        gm_twin_text_link(out, relationship->id,
                          (const struct gm_str[]){relationship->name, relationship->target_id,
                                                  relationship->text});
    }
    gm_buf_add_char(out, ']');
    gm_twin_text_members(env, batch->doc, put->body, out);
}
