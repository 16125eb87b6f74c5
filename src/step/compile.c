/* What compiling steps needs: memory, paths, and constants out of the configuration. */
#include "base/num.h"
#include "step/internal.h"

/* The limits on paths, values and the configuration's size keep this far below the arena's
 * limit. */
void *gm_step_alloc(struct gm_step_compile *c, size_t count, size_t size)
{
    void *p = gm_arena_zalloc(c->arena, count * size);
    GM_ASSERT(p != NULL);
    return p;
}

struct gm_str gm_step_keep(struct gm_step_compile *c, struct gm_str text)
{
    struct gm_str copy = gm_arena_dup(c->arena, text);
    GM_ASSERT(copy.p != NULL);
    return copy;
}

gm_rc gm_step_path_keep(struct gm_step_compile *c, const struct gm_path *path,
                        struct gm_path **out_path, struct gm_err *err)
{
    if (c->path_count == GM_STEP_PATHS_MAX) {
        return gm_fail(err, GM_E_CONFIG, "more than %d paths in the steps of one pipeline",
                       GM_STEP_PATHS_MAX);
    }
    c->path_count++;
    struct gm_path *kept = gm_step_alloc(c, 1, sizeof(*kept));
    *kept = *path;
    if (!c->bodies) {
        *gm_vec_push(&c->columns->paths) = (struct gm_column_path){kept, c->step_z};
    }
    *out_path = kept;
    return GM_OK;
}

struct gm_path *gm_step_path(struct gm_step_compile *c, struct gm_str text,
                             const struct gm_place *place)
{
    struct gm_path path;
    struct gm_path *kept;
    struct gm_err err = {0};
    if (gm_path_parse(gm_step_keep(c, text), &path, &err) != GM_OK ||
        gm_step_path_keep(c, &path, &kept, &err) != GM_OK) {
        gm_conf_error(c->doc, place, "%s", err.text);
        return NULL;
    }
    return kept;
}

/* ---- constants ---- */

static bool is_one_of(struct gm_str text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (gm_str_is(text, *words)) {
            return true;
        }
    }
    return false;
}

/* https://yaml.org/spec/1.2.2/#103-core-schema, without octal and hexadecimal forms, infinities and
 * NaN. */
static yyjson_mut_val *scalar(struct gm_step_compile *c, const struct gm_node *node, bool as_text)
{
    static const char *const nulls[] = {"null", "Null", "NULL", "~", "", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    int64_t i;
    double d;
    if (!node->quoted && is_one_of(node->text, nulls)) {
        return NULL;
    }
    if (node->quoted || as_text) {
        return gm_json_strcpy(c->json, node->text);
    }
    if (is_one_of(node->text, trues) || is_one_of(node->text, falses)) {
        return yyjson_mut_bool(c->json, is_one_of(node->text, trues));
    }
    if (gm_parse_i64(node->text, &i)) {
        return i >= 0 ? yyjson_mut_uint(c->json, (uint64_t)i) : yyjson_mut_sint(c->json, i);
    }
    if (gm_parse_double(node->text, &d)) {
        return yyjson_mut_real(c->json, d);
    }
    return gm_json_strcpy(c->json, node->text);
}

static yyjson_mut_val *list(struct gm_step_compile *c, const struct gm_node *node, bool as_text)
{
    yyjson_mut_val *array = yyjson_mut_arr(c->json);
    for (size_t i = 0; i < node->item_count; i++) {
        yyjson_mut_val *item = gm_step_constant(c, node->items[i], as_text);
        yyjson_mut_arr_append(array, item != NULL ? item : yyjson_mut_null(c->json));
    }
    return array;
}

static yyjson_mut_val *map(struct gm_step_compile *c, const struct gm_node *node, bool as_text)
{
    yyjson_mut_val *object = yyjson_mut_obj(c->json);
    for (size_t i = 0; i < node->item_count; i++) {
        yyjson_mut_val *value = gm_step_constant(c, node->items[i], as_text);
        struct gm_str name = gm_step_keep(c, node->items[i]->key);
        (void)gm_json_set(c->json, object, name, value != NULL ? value : yyjson_mut_null(c->json));
    }
    return object;
}

yyjson_mut_val *gm_step_constant(struct gm_step_compile *c, const struct gm_node *node, bool text)
{
    yyjson_mut_val *value = NULL;
    switch (node->type) {
    case GM_NODE_NULL:
        return NULL;
    case GM_NODE_SCALAR:
        return scalar(c, node, text);
    case GM_NODE_LIST:
        value = list(c, node, text);
        break;
    case GM_NODE_MAP:
        value = map(c, node, text);
        break;
    }
    GM_ASSERT(value != NULL);
    return value;
}
