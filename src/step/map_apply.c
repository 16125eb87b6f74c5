/* Applying a `map`: the hot path. Members are sorted and names are constants, so a record costs one
 * walk over the compiled map and what its values need. */
#include "step/convert.h"

/* One record under the map. */
struct work {
    const struct gm_step_run *run;
    struct gm_convert to;
    struct gm_err *err;
};

static gm_rc fail_full(const struct work *work)
{
    return gm_convert_fail_full(work->err);
}

/* `name` borrows: from the compiled map or a literal. */
static gm_rc add(const struct work *work, yyjson_mut_val *object, struct gm_str name,
                 yyjson_mut_val *value)
{
    yyjson_mut_val *key = gm_json_strref(work->to.doc, name);
    return key != NULL && yyjson_mut_obj_add(object, key, value) ? GM_OK : fail_full(work);
}

static gm_rc add_text(const struct work *work, yyjson_mut_val *object, struct gm_str name,
                      struct gm_str text)
{
    return add(work, object, name, gm_json_strref(work->to.doc, text));
}

/* A value of the compiled map as a new one of the batch: values stand in one container only. Texts
 * stay where they are. */
static gm_rc copy_constant(const struct work *work, const yyjson_mut_val *constant,
                           yyjson_mut_val **out_value)
{
    yyjson_mut_doc *doc = work->to.doc;
    yyjson_mut_val *value;
    switch (gm_json_type(constant)) {
    case YYJSON_TYPE_NONE:
        value = yyjson_mut_null(doc);
        break;
    case YYJSON_TYPE_STR:
        value = gm_json_strref(doc, gm_json_str(constant));
        break;
    default:
        value = gm_json_copy(doc, constant);
        break;
    }
    *out_value = value;
    return value != NULL ? GM_OK : fail_full(work);
}

/* ---- single values ---- */

static gm_rc translate(const struct work *work, const struct gm_map_value *value,
                       const struct gm_cell *cell, yyjson_mut_val **out_value)
{
    struct gm_str text = gm_cell_text(work->to.arena, cell);
    if (text.p == NULL) {
        return fail_full(work);
    }
    size_t low = 0;
    size_t high = value->value_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = gm_str_cmp(text, value->values[middle].from);
        if (order == 0) {
            return copy_constant(work, value->values[middle].to, out_value);
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return gm_convert_fail("a value that `values` names", cell, work->err);
}

/* A cell that is not null, as the property takes it. */
static gm_rc convert(const struct work *work, const struct gm_map_value *value,
                     struct gm_cell *cell, yyjson_mut_val **out_value)
{
    if (value->has_values) {
        return translate(work, value, cell, out_value);
    }
    if (value->component != NULL) {
        return gm_convert_component(&work->to, value->component, cell, out_value, work->err);
    }
    if (value->has_split && cell->type == GM_CELL_TEXT) {
        return gm_convert_split(&work->to, &value->split, cell->as.s, out_value, work->err);
    }
    if (value->json) {
        GM_TRY(gm_convert_parse(&work->to, cell, work->err));
        if (cell->type == GM_CELL_NULL) {
            return copy_constant(work, NULL, out_value);
        }
    }
    return gm_convert_cell(&work->to, value->schema, cell, out_value, work->err);
}

/* In a patch, what is absent says nothing; elsewhere it is null, and null takes the default. */
static gm_rc from_null(const struct work *work, const struct gm_map_value *value, bool absent,
                       yyjson_mut_val **out_value)
{
    if (absent && work->run->record->kind == GM_RECORD_PATCH) {
        *out_value = NULL;
        return GM_OK;
    }
    return copy_constant(work, value->fallback, out_value);
}

static gm_rc from_path(const struct work *work, const struct gm_map_value *value,
                       yyjson_mut_val **out_value)
{
    struct gm_cell cell;
    bool absent;
    GM_TRY(gm_step_get(work->run, value->path, &cell, &absent, work->err));
    if (cell.type == GM_CELL_NULL) {
        return from_null(work, value, absent, out_value);
    }
    gm_rc rc = convert(work, value, &cell, out_value);
    return rc == GM_E_INVALID ? gm_step_fail_at(work->run, value->path, work->err) : rc;
}

static gm_rc from_template(const struct work *work, const struct gm_map_value *value,
                           struct gm_str name, yyjson_mut_val **out_value)
{
    struct gm_cell cell = {.type = GM_CELL_TEXT};
    const struct gm_path *null_path;
    GM_TRY(gm_template_render(&value->template, work->run, &cell.as.s, &null_path, work->err));
    if (null_path != NULL) {
        return from_null(work, value, false, out_value);
    }
    gm_rc rc = convert(work, value, &cell, out_value);
    return rc == GM_E_INVALID ? gm_fail_within(work->err, "`" GM_STR_FMT "`", GM_STR_ARG(name))
                              : rc;
}

static gm_rc from_object(const struct work *work, const struct gm_map_value *value,
                         yyjson_mut_val **out_value);

/* *out_value NULL: says nothing. */
static gm_rc evaluate(const struct work *work, const struct gm_map_member *member,
                      yyjson_mut_val **out_value)
{
    switch (member->value.kind) {
    case GM_MAP_FROM:
        return from_path(work, &member->value, out_value);
    case GM_MAP_TEMPLATE:
        return from_template(work, &member->value, member->name, out_value);
    case GM_MAP_CONSTANT:
        return copy_constant(work, member->value.constant, out_value);
    case GM_MAP_OBJECT:
        return from_object(work, &member->value, out_value);
    }
    return GM_OK;
}

/* ---- objects ---- */

/* Adds the members that are not null; *out_null: there were null ones. `nulls`: adds these too. */
static gm_rc add_members(const struct work *work, yyjson_mut_val *object,
                         const struct gm_map_object *members, bool nulls, bool *out_null)
{
    *out_null = false;
    for (size_t i = 0; i < members->count; i++) {
        const struct gm_map_member *member = &members->members[i];
        yyjson_mut_val *value;
        GM_TRY(evaluate(work, member, &value));
        *out_null |= value != NULL && yyjson_mut_is_null(value);
        if (value == NULL || (yyjson_mut_is_null(value) && !nulls)) {
            continue;
        }
        GM_TRY(add(work, object, member->name, value));
    }
    return GM_OK;
}

/* Objects are replaced as a whole, so null members are left out. Nothing but nulls is null. A
 * component is always there; its members are set one by one, so null stays and says "remove". */
static gm_rc from_object(const struct work *work, const struct gm_map_value *value,
                         yyjson_mut_val **out_value)
{
    yyjson_mut_val *object = yyjson_mut_obj(work->to.doc);
    bool had_null;
    if (object == NULL) {
        return fail_full(work);
    }
    if (value->component != NULL) {
        GM_TRY(add(work, object, GM_STR("$metadata"), yyjson_mut_obj(work->to.doc)));
    }
    GM_TRY(add_members(work, object, &value->object, value->component != NULL, &had_null));
    *out_value = object;
    if (value->component == NULL && gm_json_count(object) == 0 && value->object.count > 0) {
        return had_null ? copy_constant(work, NULL, out_value)
                        : from_null(work, value, true, out_value);
    }
    return GM_OK;
}

/* The members of a twin: null stays, it says "remove". A component that is null as a whole has
 * nothing to say: the sink knows that all its properties are this map's. */
static gm_rc add_properties(const struct work *work, yyjson_mut_val *body,
                            const struct gm_map_object *members)
{
    for (size_t i = 0; i < members->count; i++) {
        const struct gm_map_member *member = &members->members[i];
        yyjson_mut_val *value;
        GM_TRY(evaluate(work, member, &value));
        if (value == NULL || (member->value.component != NULL && yyjson_mut_is_null(value))) {
            continue;
        }
        GM_TRY(add(work, body, member->name, value));
    }
    return GM_OK;
}

/* ---- ids and relationships ---- */

/* Renders what must not be null. */
static gm_rc require(const struct work *work, const struct gm_template *template,
                     const char *name_z, struct gm_str *out_text)
{
    const struct gm_path *null_path;
    gm_rc rc = gm_template_render(template, work->run, out_text, &null_path, work->err);
    if (rc == GM_OK && null_path != NULL) {
        rc = gm_fail(work->err, GM_E_INVALID, "expected a value, found null");
        (void)gm_step_fail_at(work->run, null_path, work->err);
    }
    return rc == GM_E_INVALID ? gm_fail_within(work->err, "%s", name_z) : rc;
}

/* In a patch, what a target is made of may be absent: nothing is said of the relationship then. */
static gm_rc is_unsaid(const struct work *work, const struct gm_template *target, bool *out_unsaid)
{
    *out_unsaid = false;
    if (work->run->record->kind != GM_RECORD_PATCH) {
        return GM_OK;
    }
    for (size_t i = 0; i < target->count && !*out_unsaid; i++) {
        struct gm_cell cell;
        if (target->parts[i].path != NULL) {
            GM_TRY(gm_step_get(work->run, target->parts[i].path, &cell, out_unsaid, work->err));
        }
    }
    return GM_OK;
}

/* *out_object NULL: its target is null, so it is not there. `source` n 0: it belongs to a twin. */
static gm_rc make_relationship(const struct work *work,
                               const struct gm_map_relationship *relationship, struct gm_str source,
                               yyjson_mut_val **out_object)
{
    struct gm_str target;
    struct gm_str id;
    const struct gm_path *null_path;
    bool had_null;
    *out_object = NULL;
    GM_TRY(gm_template_render(&relationship->target, work->run, &target, &null_path, work->err));
    if (null_path != NULL) {
        return GM_OK;
    }
    yyjson_mut_val *object = yyjson_mut_obj(work->to.doc);
    if (object == NULL) {
        return fail_full(work);
    }
    if (relationship->has_id) {
        GM_TRY(require(work, &relationship->id, "$relationshipId", &id));
        GM_TRY(add_text(work, object, GM_STR("$relationshipId"), id));
    }
    GM_TRY(add_text(work, object, GM_STR("$relationshipName"), relationship->name));
    if (source.n > 0) {
        GM_TRY(add_text(work, object, GM_STR("$sourceId"), source));
    }
    GM_TRY(add_text(work, object, GM_STR("$targetId"), target));
    GM_TRY(add_members(work, object, &relationship->properties, false, &had_null));
    *out_object = object;
    return GM_OK;
}

static gm_rc add_relationships(const struct work *work, yyjson_mut_val *body,
                               const struct gm_projection *map)
{
    yyjson_mut_doc *doc = work->to.doc;
    yyjson_mut_val *list = yyjson_mut_arr(doc), *kept = yyjson_mut_arr(doc);
    for (size_t i = 0; list != NULL && kept != NULL && i < map->relationship_count; i++) {
        yyjson_mut_val *object;
        bool unsaid;
        GM_TRY(is_unsaid(work, &map->relationships[i].target, &unsaid));
        if (unsaid) {
            if (!yyjson_mut_arr_append(kept, gm_json_strref(doc, map->relationships[i].name))) {
                return fail_full(work);
            }
            continue;
        }
        gm_rc rc =
            make_relationship(work, &map->relationships[i], (struct gm_str){NULL, 0}, &object);
        if (rc != GM_OK) {
            return rc == GM_E_INVALID ? gm_fail_within(work->err, "relationship `" GM_STR_FMT "`",
                                                       GM_STR_ARG(map->relationships[i].name))
                                      : rc;
        }
        if (object != NULL && !yyjson_mut_arr_append(list, object)) {
            return fail_full(work);
        }
    }
    if (list == NULL || kept == NULL) {
        return fail_full(work);
    }
    size_t kept_count = yyjson_mut_arr_size(kept);
    if (kept_count > 0 && kept_count == map->relationship_count) {
        return GM_OK; /* of none of them anything is said */
    }
    GM_TRY(add(work, body, GM_STR("$relationships"), list));
    return kept_count > 0 ? add(work, body, GM_STR("$relationshipsKept"), kept) : GM_OK;
}

/* {"NAME":{"sourceTime":…}} for each property that the body sets; none when the time is null. */
static gm_rc add_source_times(const struct work *work, yyjson_mut_val *metadata,
                              yyjson_mut_val *body, const struct gm_template *template)
{
    struct gm_str time;
    const struct gm_path *null;
    yyjson_mut_doc *doc = work->to.doc;
    size_t index, max;
    yyjson_mut_val *key, *value;
    GM_TRY(gm_template_render(template, work->run, &time, &null, work->err));
    if (time.n == 0) {
        return GM_OK;
    }
    yyjson_mut_obj_foreach(body, index, max, key, value)
    {
        struct gm_str name = gm_json_str(key);
        bool component = gm_json_member(value, GM_STR("$metadata")) != NULL;
        if (name.n == 0 || name.p[0] == '$' || yyjson_mut_is_null(value) || component) {
            continue;
        }
        yyjson_mut_val *own = yyjson_mut_obj(doc);
        GM_TRY(own != NULL ? add_text(work, own, GM_STR("sourceTime"), time) : fail_full(work));
        GM_TRY(add(work, metadata, name, own));
    }
    return GM_OK;
}

static gm_rc make_twin(const struct work *work, const struct gm_projection *map,
                       yyjson_mut_val **out_body)
{
    struct gm_str id;
    struct gm_str model;
    GM_TRY(require(work, &map->id, "$dtId", &id));
    GM_TRY(require(work, &map->model, "$model", &model));
    yyjson_mut_val *body = yyjson_mut_obj(work->to.doc);
    yyjson_mut_val *metadata = yyjson_mut_obj(work->to.doc);
    if (body == NULL || metadata == NULL) {
        return fail_full(work);
    }
    GM_TRY(add_text(work, body, GM_STR("$dtId"), id));
    GM_TRY(add_text(work, metadata, GM_STR("$model"), model));
    GM_TRY(add(work, body, GM_STR("$metadata"), metadata));
    if (map->has_relationships) {
        GM_TRY(add_relationships(work, body, map));
    }
    *out_body = body;
    GM_TRY(add_properties(work, body, &map->body));
    return map->has_source_time ? add_source_times(work, metadata, body, &map->source_time) : GM_OK;
}

static gm_rc make_link(const struct work *work, const struct gm_projection *map,
                       yyjson_mut_val **out_body)
{
    struct gm_str source;
    GM_TRY(require(work, &map->id, "$sourceId", &source));
    return make_relationship(work, &map->relationships[0], source, out_body);
}

static gm_rc make_plain(const struct work *work, const struct gm_projection *map,
                        yyjson_mut_val **out_body)
{
    yyjson_mut_val *body = yyjson_mut_obj(work->to.doc);
    if (body == NULL) {
        return fail_full(work);
    }
    *out_body = body;
    return add_properties(work, body, &map->body);
}

gm_rc gm_map_apply(const struct gm_projection *map, const struct gm_step_run *run,
                   yyjson_mut_val **out_body, struct gm_err *err)
{
    struct work work = {
        .run = run, .to = {.arena = run->batch->arena, .doc = run->batch->doc}, .err = err};
    if (map->is_plain) {
        return make_plain(&work, map, out_body);
    }
    return map->is_link ? make_link(&work, map, out_body) : make_twin(&work, map, out_body);
}
