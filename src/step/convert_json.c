/* Objects, maps, arrays and components out of JSON values, or out of text that holds JSON. */
#include "step/convert.h"

gm_rc gm_convert_parse(const struct gm_convert *to, struct gm_cell *cell, struct gm_err *err)
{
    if (cell->type != GM_CELL_TEXT) {
        return GM_OK;
    }
    yyjson_mut_val *value;
    struct gm_err own = {0};
    gm_rc rc = gm_json_parse(to->doc, cell->as.s, &value, &own);
    if (rc != GM_OK) {
        return rc == GM_E_INVALID ? gm_fail(err, rc, "the text is no JSON: %s", own.text)
                                  : gm_convert_fail_full(err);
    }
    *cell = gm_cell_of_json(value);
    return GM_OK;
}

/* The cell as a JSON object or array. */
static gm_rc get_json(const struct gm_convert *to, const struct gm_cell *cell,
                      const char *expected_z, yyjson_mut_val **out_json, struct gm_err *err)
{
    struct gm_cell parsed = *cell;
    bool is_json = cell->type == GM_CELL_JSON;
    if (cell->type == GM_CELL_TEXT && cell->as.s.n > 0 &&
        (cell->as.s.p[0] == '{' || cell->as.s.p[0] == '[')) {
        GM_TRY(gm_convert_parse(to, &parsed, err));
        is_json = parsed.type == GM_CELL_JSON;
    }
    if (!is_json || yyjson_mut_is_arr(parsed.as.json) != (strcmp(expected_z, "array") == 0)) {
        return gm_convert_fail(expected_z, &parsed, err);
    }
    *out_json = parsed.as.json;
    return GM_OK;
}

static gm_rc member_add(const struct gm_convert *to, yyjson_mut_val *object, struct gm_str name,
                        yyjson_mut_val *value, struct gm_err *err)
{
    yyjson_mut_val *key = gm_json_strref(to->doc, name);
    return key != NULL && yyjson_mut_obj_add(object, key, value) ? GM_OK
                                                                 : gm_convert_fail_full(err);
}

/* An object whose members are converted one by one. */
struct members {
    const struct gm_convert *to;
    yyjson_mut_val *json;
    size_t seen; /* members of `json` that were asked for */
};

/* *out_value is NULL when the member is absent or null. */
static gm_rc member_convert(struct members *members, const struct gm_schema_field *field,
                            yyjson_mut_val **out_value, struct gm_err *err)
{
    yyjson_mut_val *value = gm_json_member(members->json, field->name);
    *out_value = NULL;
    members->seen += value != NULL ? 1 : 0;
    if (value == NULL || yyjson_mut_is_null(value)) {
        return GM_OK;
    }
    struct gm_cell cell = gm_cell_of_json(value);
    gm_rc rc = gm_convert_cell(members->to, field->schema, &cell, out_value, err);
    return rc == GM_E_INVALID ? gm_fail_within(err, "`" GM_STR_FMT "`", GM_STR_ARG(field->name))
                              : rc;
}

/* Names the first member that `knows` does not know. */
static gm_rc fail_unknown(yyjson_mut_val *json, bool (*knows)(const void *ctx, struct gm_str name),
                          const void *ctx,
                          struct gm_nearest (*nearest)(const void *ctx, struct gm_str name),
                          struct gm_err *err)
{
    size_t index;
    size_t max;
    yyjson_mut_val *key;
    yyjson_mut_val *value;
    yyjson_mut_obj_foreach(json, index, max, key, value)
    {
        struct gm_str name = gm_json_str(key);
        if (!knows(ctx, name)) {
            char text[GM_NEAREST_TEXT_SIZE];
            struct gm_nearest near = nearest(ctx, name);
            return gm_fail(err, GM_E_INVALID, "`" GM_STR_FMT "` is not in the model%s",
                           GM_STR_ARG(name), gm_nearest_text(&near, text));
        }
    }
    return GM_OK;
}

/* ---- objects ---- */

static bool schema_knows(const void *ctx, struct gm_str name)
{
    const struct gm_schema *schema = ctx;
    for (size_t i = 0; i < schema->field_count; i++) {
        if (gm_str_eq(schema->fields[i].name, name)) {
            return true;
        }
    }
    return false;
}

static struct gm_nearest schema_nearest(const void *ctx, struct gm_str name)
{
    const struct gm_schema *schema = ctx;
    struct gm_nearest nearest = gm_nearest_to(name);
    for (size_t i = 0; i < schema->field_count; i++) {
        gm_nearest_try(&nearest, schema->fields[i].name);
    }
    return nearest;
}

static gm_rc to_object(const struct gm_convert *to, const struct gm_schema *schema,
                       yyjson_mut_val *json, yyjson_mut_val **out_value, struct gm_err *err)
{
    yyjson_mut_val *object = yyjson_mut_obj(to->doc);
    struct members members = {.to = to, .json = json};
    for (size_t i = 0; object != NULL && i < schema->field_count; i++) {
        yyjson_mut_val *value;
        GM_TRY(member_convert(&members, &schema->fields[i], &value, err));
        if (value != NULL) {
            GM_TRY(member_add(to, object, schema->fields[i].name, value, err));
        }
    }
    if (object == NULL) {
        return gm_convert_fail_full(err);
    }
    *out_value = object;
    return members.seen == gm_json_count(json)
               ? GM_OK
               : fail_unknown(json, schema_knows, schema, schema_nearest, err);
}

static gm_rc to_map(const struct gm_convert *to, const struct gm_schema *schema,
                    yyjson_mut_val *json, yyjson_mut_val **out_value, struct gm_err *err)
{
    yyjson_mut_val *object = yyjson_mut_obj(to->doc);
    size_t index;
    size_t max;
    yyjson_mut_val *key;
    yyjson_mut_val *item;
    if (object == NULL) {
        return gm_convert_fail_full(err);
    }
    yyjson_mut_obj_foreach(json, index, max, key, item)
    {
        struct gm_cell cell = gm_cell_of_json(item);
        struct gm_str name = gm_json_str(key);
        if (cell.type == GM_CELL_NULL) {
            continue;
        }
        yyjson_mut_val *value;
        gm_rc rc = gm_convert_cell(to, schema->item, &cell, &value, err);
        if (rc != GM_OK) {
            return rc == GM_E_INVALID ? gm_fail_within(err, "`" GM_STR_FMT "`", GM_STR_ARG(name))
                                      : rc;
        }
        GM_TRY(member_add(to, object, name, value, err));
    }
    gm_json_sort(to->doc, object);
    *out_value = object;
    return GM_OK;
}

static gm_rc to_array(const struct gm_convert *to, const struct gm_schema *schema,
                      yyjson_mut_val *json, yyjson_mut_val **out_value, struct gm_err *err)
{
    yyjson_mut_val *array = yyjson_mut_arr(to->doc);
    size_t index;
    size_t max;
    yyjson_mut_val *item;
    if (array == NULL) {
        return gm_convert_fail_full(err);
    }
    yyjson_mut_arr_foreach(json, index, max, item)
    {
        struct gm_cell cell = gm_cell_of_json(item);
        yyjson_mut_val *value;
        gm_rc rc = cell.type == GM_CELL_NULL
                       ? gm_convert_fail("a value", &cell, err)
                       : gm_convert_cell(to, schema->item, &cell, &value, err);
        if (rc != GM_OK) {
            return rc == GM_E_INVALID ? gm_fail_within(err, "item %zu", index) : rc;
        }
        if (!yyjson_mut_arr_append(array, value)) {
            return gm_convert_fail_full(err);
        }
    }
    *out_value = array;
    return GM_OK;
}

static gm_rc to_geo(const struct gm_convert *to, const struct gm_schema *schema,
                    yyjson_mut_val *json, yyjson_mut_val **out_value, struct gm_err *err)
{
    yyjson_mut_val *value = gm_json_copy(to->doc, json);
    if (value == NULL) {
        return gm_convert_fail_full(err);
    }
    gm_json_sort(to->doc, value);
    *out_value = value;
    return gm_schema_check(schema, value, err);
}

gm_rc gm_convert_structure(const struct gm_convert *to, const struct gm_schema *schema,
                           const struct gm_cell *cell, yyjson_mut_val **out_value,
                           struct gm_err *err)
{
    yyjson_mut_val *json = NULL;
    GM_TRY(get_json(to, cell, schema->type == GM_SCHEMA_ARRAY ? "array" : "object", &json, err));
    switch (schema->type) {
    case GM_SCHEMA_ARRAY:
        return to_array(to, schema, json, out_value, err);
    case GM_SCHEMA_MAP:
        return to_map(to, schema, json, out_value, err);
    case GM_SCHEMA_GEO:
        return to_geo(to, schema, json, out_value, err);
    default:
        return to_object(to, schema, json, out_value, err);
    }
}

gm_rc gm_convert_split(const struct gm_convert *to, const struct gm_split *split,
                       struct gm_str text, yyjson_mut_val **out_value, struct gm_err *err)
{
    yyjson_mut_val *array = yyjson_mut_arr(to->doc);
    struct gm_str rest = text;
    bool last = false;
    while (array != NULL && !last) {
        size_t n = 0;
        while (n < rest.n &&
               !gm_str_starts((struct gm_str){rest.p + n, rest.n - n}, split->separator)) {
            n++;
        }
        last = n == rest.n;
        struct gm_cell piece = {.type = GM_CELL_TEXT,
                                .as.s = gm_str_trim((struct gm_str){rest.p, n})};
        rest = last ? rest
                    : (struct gm_str){rest.p + n + split->separator.n,
                                      rest.n - n - split->separator.n};
        if (piece.as.s.n == 0) {
            continue;
        }
        yyjson_mut_val *value;
        GM_TRY(gm_convert_cell(to, split->item, &piece, &value, err));
        if (!yyjson_mut_arr_append(array, value)) {
            return gm_convert_fail_full(err);
        }
    }
    if (array == NULL) {
        return gm_convert_fail_full(err);
    }
    *out_value = array;
    return GM_OK;
}

/* ---- components ---- */

static bool model_knows(const void *ctx, struct gm_str name)
{
    const struct gm_content *content = gm_model_content(ctx, name);
    return gm_str_is(name, "$metadata") ||
           (content != NULL && content->type == GM_CONTENT_PROPERTY);
}

static struct gm_nearest model_nearest(const void *ctx, struct gm_str name)
{
    const struct gm_model *model = ctx;
    struct gm_nearest nearest = gm_nearest_to(name);
    for (size_t i = 0; i < model->content_count; i++) {
        if (model->contents[i].type == GM_CONTENT_PROPERTY) {
            gm_nearest_try(&nearest, model->contents[i].name);
        }
    }
    return nearest;
}

gm_rc gm_convert_component(const struct gm_convert *to, const struct gm_model *model,
                           const struct gm_cell *cell, yyjson_mut_val **out_value,
                           struct gm_err *err)
{
    yyjson_mut_val *json = NULL;
    GM_TRY(get_json(to, cell, "object", &json, err));
    yyjson_mut_val *object = yyjson_mut_obj(to->doc);
    yyjson_mut_val *metadata = yyjson_mut_obj(to->doc);
    if (object == NULL || metadata == NULL) {
        return gm_convert_fail_full(err);
    }
    GM_TRY(member_add(to, object, GM_STR("$metadata"), metadata, err));
    struct members members = {.to = to, .json = json};
    members.seen = gm_json_member(json, GM_STR("$metadata")) != NULL ? 1 : 0;
    for (size_t i = 0; i < model->content_count; i++) {
        const struct gm_content *content = &model->contents[i];
        if (content->type != GM_CONTENT_PROPERTY) {
            continue;
        }
        yyjson_mut_val *value;
        struct gm_schema_field field = {content->name, content->schema};
        GM_TRY(member_convert(&members, &field, &value, err));
        if (value != NULL) {
            GM_TRY(member_add(to, object, content->name, value, err));
        }
    }
    *out_value = object;
    return members.seen == gm_json_count(json)
               ? GM_OK
               : fail_unknown(json, model_knows, model, model_nearest, err);
}
