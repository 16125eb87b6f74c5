/* Declared types of events: what each must have, and may have. */
#include "base/mem.h"
#include "hub/inside.h"

struct typed_field {
    struct gm_path path;
    const struct gm_simple_type *type;
    bool required;
};
struct event_type {
    struct gm_str name;
    GM_VEC(struct typed_field) fields;
};
struct gm_event_types {
    GM_VEC(struct event_type) types;
};

/* ---- simple types, by the names of DTDL's schemas ---- */

static struct gm_str text_of(yyjson_val *value)
{
    return (struct gm_str){yyjson_get_str(value), yyjson_get_len(value)};
}
static bool is_any(yyjson_val *value)
{
    return value != NULL;
}
static bool is_string(yyjson_val *value)
{
    return yyjson_is_str(value);
}
static bool is_boolean(yyjson_val *value)
{
    return yyjson_is_bool(value);
}
static bool is_number(yyjson_val *value)
{
    return yyjson_is_num(value);
}
static bool is_long(yyjson_val *value)
{
    return yyjson_is_sint(value) || (yyjson_is_uint(value) && yyjson_get_uint(value) <= INT64_MAX);
}
static bool is_integer(yyjson_val *value)
{
    return is_long(value) && yyjson_get_sint(value) >= INT32_MIN &&
           yyjson_get_sint(value) <= INT32_MAX;
}
static bool is_date(yyjson_val *value)
{
    return yyjson_is_str(value) && gm_date_valid(text_of(value));
}
static bool is_clock_time(yyjson_val *value)
{
    return yyjson_is_str(value) && gm_clock_time_valid(text_of(value));
}
static bool is_date_time(yyjson_val *value)
{
    return yyjson_is_str(value) && gm_datetime_valid(text_of(value));
}
static bool is_duration(yyjson_val *value)
{
    return yyjson_is_str(value) && gm_iso_duration_valid(text_of(value));
}
static bool is_object(yyjson_val *value)
{
    return yyjson_is_obj(value);
}
static bool is_array(yyjson_val *value)
{
    return yyjson_is_arr(value);
}

static const struct gm_simple_type simple_types[] = {
    {"string", is_string, "\"type\":\"string\""},
    {"integer", is_integer, "\"type\":\"integer\",\"format\":\"int32\""},
    {"long", is_long, "\"type\":\"integer\",\"format\":\"int64\""},
    {"float", is_number, "\"type\":\"number\""},
    {"double", is_number, "\"type\":\"number\""},
    {"boolean", is_boolean, "\"type\":\"boolean\""},
    {"date", is_date, "\"type\":\"string\",\"format\":\"date\""},
    {"time", is_clock_time, "\"type\":\"string\",\"format\":\"time\""},
    {"dateTime", is_date_time, "\"type\":\"string\",\"format\":\"date-time\""},
    {"duration", is_duration, "\"type\":\"string\",\"format\":\"duration\""},
    {"object", is_object, "\"type\":\"object\""},
    {"array", is_array, "\"type\":\"array\""},
    {"any", is_any, "\"title\":\"any\""},
};

const struct gm_simple_type *gm_simple_type_find(struct gm_str name)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(simple_types); i++) {
        if (gm_str_is(name, simple_types[i].name_z)) {
            return &simple_types[i];
        }
    }
    return NULL;
}

/* ---- what is declared ---- */

static gm_rc add_field(struct event_type *type, const struct gm_node *node, bool required,
                       struct gm_err *err)
{
    struct typed_field *field = gm_vec_push(&type->fields);
    field->required = required;
    GM_TRY(gm_path_parse(node->key, &field->path, err));
    field->type = node->type == GM_NODE_SCALAR ? gm_simple_type_find(node->text) : NULL;
    return field->type != NULL
               ? GM_OK
               : gm_fail(err, GM_E_CONFIG, "`" GM_STR_FMT "`: write its type: " GM_SIMPLE_TYPES,
                         GM_STR_ARG(node->key));
}

static gm_rc add_fields(struct event_type *type, const struct gm_node *map, bool required,
                        struct gm_err *err)
{
    if (map == NULL || map->type == GM_NODE_NULL) {
        return GM_OK;
    }
    if (map->type != GM_NODE_MAP) {
        return gm_fail(err, GM_E_CONFIG, "write a map: path: type");
    }
    for (size_t i = 0; i < map->item_count; i++) {
        GM_TRY(add_field(type, map->items[i], required, err));
    }
    return GM_OK;
}

gm_rc gm_event_types_new(const struct gm_conf_map *conf, struct gm_event_types **out_types,
                         struct gm_err *err)
{
    *out_types = NULL;
    if (conf->n == 0) {
        return GM_OK;
    }
    struct gm_event_types *types = gm_alloc(sizeof(*types));
    for (size_t i = 0; i < conf->n; i++) {
        const struct gm_event_type_conf *declared = conf->at[i].value;
        struct event_type *type = gm_vec_push(&types->types);
        type->name = gm_str_z(conf->at[i].name_z);
        gm_rc rc = add_fields(type, declared->required, true, err);
        rc = rc == GM_OK ? add_fields(type, declared->optional, false, err) : rc;
        if (rc != GM_OK) {
            gm_event_types_free(types);
            return gm_fail_within(err, "types.%s", conf->at[i].name_z);
        }
    }
    *out_types = types;
    return GM_OK;
}

void gm_event_types_free(struct gm_event_types *types)
{
    if (types == NULL) {
        return;
    }
    for (size_t i = 0; i < types->types.n; i++) {
        gm_vec_deinit(&types->types.at[i].fields);
    }
    gm_vec_deinit(&types->types);
    gm_free(types);
}

/* ---- checking ---- */

static const struct event_type *find_type(const struct gm_event_types *types, struct gm_str name)
{
    for (size_t i = 0; i < types->types.n; i++) {
        if (gm_str_eq(types->types.at[i].name, name)) {
            return &types->types.at[i];
        }
    }
    return NULL;
}

bool gm_event_types_allow(const struct gm_event_types *types, struct gm_str type, yyjson_val *root,
                          struct gm_err *why)
{
    const struct event_type *found = find_type(types, type);
    if (type.n == 0) {
        (void)gm_fail(why, GM_E_INVALID, "it has no type");
        return false;
    }
    if (found == NULL) {
        (void)gm_fail(why, GM_E_INVALID, "its type `" GM_STR_FMT "` is not declared",
                      GM_STR_ARG(type));
        return false;
    }
    for (size_t i = 0; i < found->fields.n; i++) {
        const struct typed_field *field = &found->fields.at[i];
        yyjson_val *value = gm_path_in(&field->path, root);
        bool absent = value == NULL || yyjson_is_null(value);
        if (absent ? field->required : !field->type->fits(value)) {
            (void)gm_fail(why, GM_E_INVALID,
                          "`" GM_STR_FMT "` of a `" GM_STR_FMT "`: %s is wanted%s",
                          GM_STR_ARG(field->path.text), GM_STR_ARG(type), field->type->name_z,
                          absent ? "; there is nothing" : "");
            return false;
        }
    }
    return true;
}
