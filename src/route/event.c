#include "route/event.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "route_sql.h"
#include "twin/relationships.h"

/* Twins whose model is remembered: a busy twin is looked up once. */
enum { MODELS_REMEMBERED_MAX = 65536 };

struct gm_event_maker {
    struct gm_store *store;
    struct gm_db *db;
    struct gm_twin_reader *twins;
    struct gm_relationship_reader *relationships;
    struct gm_change_reader *log; /* for histories; beside that of the feed, whose place it keeps */
    struct gm_str source;         /* owned */
    struct gm_map *models;        /* twin → number of its model at the change that is looked at */
    const struct gm_models *held; /* the store's newest, of the last call */
};

/* One change on its way. */
struct making {
    struct gm_event_maker *maker;
    const struct gm_change *change;
    struct gm_events *events;
    yyjson_mut_doc *doc;
};

const char *gm_event_type_name(enum gm_event_type type)
{
    static const char *const names[GM_EVENT_TYPE_COUNT] = {
        [GM_EVENT_TWIN_CREATE] = "Microsoft.DigitalTwins.Twin.Create",
        [GM_EVENT_TWIN_UPDATE] = "Microsoft.DigitalTwins.Twin.Update",
        [GM_EVENT_TWIN_DELETE] = "Microsoft.DigitalTwins.Twin.Delete",
        [GM_EVENT_RELATIONSHIP_CREATE] = "Microsoft.DigitalTwins.Relationship.Create",
        [GM_EVENT_RELATIONSHIP_UPDATE] = "Microsoft.DigitalTwins.Relationship.Update",
        [GM_EVENT_RELATIONSHIP_DELETE] = "Microsoft.DigitalTwins.Relationship.Delete",
        [GM_EVENT_TELEMETRY] = "microsoft.iot.telemetry",
    };
    return names[type];
}

gm_rc gm_event_maker_new(const struct gm_event_source *source, struct gm_event_maker **out_maker,
                         struct gm_err *err)
{
    struct gm_event_maker *maker = gm_alloc(sizeof(*maker));
    maker->store = source->store;
    maker->db = source->db;
    maker->source = (struct gm_str){gm_str_dup_z(source->source), source->source.n};
    maker->models = gm_map_new();
    maker->held = gm_store_models_hold(maker->store);
    gm_rc rc = gm_twin_reader_open(maker->db, &maker->twins, err);
    rc = rc == GM_OK ? gm_relationship_reader_open(maker->db, &maker->relationships, err) : rc;
    rc = rc == GM_OK ? gm_change_reader_open(maker->db, &maker->log, err) : rc;
    if (rc != GM_OK) {
        gm_event_maker_free(maker);
        return rc;
    }
    *out_maker = maker;
    return GM_OK;
}

void gm_event_maker_free(struct gm_event_maker *maker)
{
    if (maker == NULL) {
        return;
    }
    gm_twin_reader_close(maker->twins);
    gm_relationship_reader_close(maker->relationships);
    gm_change_reader_close(maker->log);
    gm_map_free(maker->models);
    gm_store_models_release(maker->store, maker->held);
    gm_free((void *)(uintptr_t)maker->source.p);
    gm_free(maker);
}

static gm_rc no_room(const struct making *making, struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "change %lld: no room for its events",
                   (long long)making->change->num);
}

static gm_rc damaged(const struct gm_change *change, struct gm_err *err)
{
    return gm_fail(err, GM_E_CORRUPT,
                   "change %lld of twin \"" GM_STR_FMT "\" is not what the log should hold",
                   (long long)change->num, GM_STR_ARG(change->twin));
}

/* ---- the model that a twin had ---- */

static const struct gm_models *models_of(const struct gm_event_maker *maker)
{
    return maker->held;
}

static void remember(struct gm_event_maker *maker, struct gm_str twin, struct gm_str model_id)
{
    const struct gm_model *model = gm_models_find(models_of(maker), model_id);
    if (model == NULL) { /* it is gone: the next look tells so again */
        gm_map_remove(maker->models, twin);
        return;
    }
    if (gm_map_count(maker->models) >= MODELS_REMEMBERED_MAX) {
        gm_map_reset(maker->models);
    }
    gm_map_set(maker->models, twin, (uint64_t)(uintptr_t)model->num);
}

/* What a patch makes the model; p NULL: nothing. */
static struct gm_str model_in_patch(const yyjson_mut_val *patch)
{
    struct gm_str found = {NULL, 0};
    const yyjson_mut_val *operation = gm_json_first(patch);
    for (size_t i = 0; i < gm_json_count(patch); i++, operation = operation->next) {
        struct gm_str path = gm_json_member_str(operation, "path");
        if (gm_str_is(path, "/$metadata/$model")) {
            found = gm_json_member_str(operation, "value");
        }
    }
    return found;
}

static struct gm_str model_in_twin(const yyjson_mut_val *twin)
{
    return gm_json_member_str(gm_json_member(twin, GM_STR("$metadata")), "$model");
}

/* A twin that is there, was there at the change, and never moved to another model: its number
 * tells. *out_num is 0 when that does not hold. */
static gm_rc current_num(struct gm_event_maker *maker, const struct gm_change *change,
                         int64_t *out_num, struct gm_err *err)
{
    struct gm_twin twin;
    struct gm_stmt *moved;
    *out_num = 0;
    gm_rc rc = gm_twin_by_id(maker->twins, change->twin, &twin, err);
    gm_twin_reader_reset(maker->twins); /* numbers are all that is wanted of the row */
    if (rc == GM_E_END || (rc == GM_OK && twin.created > change->time)) {
        return GM_OK;
    }
    GM_TRY(rc);
    GM_TRY(gm_db_prepare_once(maker->db, GM_SQL_TWIN_HAS_MOVED, &moved, err));
    gm_bind_i64(moved, 1, twin.num);
    rc = gm_step(moved, err);
    if (rc == GM_E_END) {
        *out_num = twin.num;
        return GM_OK;
    }
    gm_reset(moved);
    return rc;
}

/* Backwards from the change to what set the model last. */
static gm_rc model_in_history(struct gm_event_maker *maker, const struct gm_change *change,
                              yyjson_mut_doc *doc, struct gm_str *out_id, struct gm_err *err)
{
    struct gm_change step = *change;
    while (step.previous != 0) {
        gm_rc rc = gm_change_read(maker->log, step.previous, &step, err);
        yyjson_mut_val *data;
        if (rc == GM_E_END) {
            break; /* trimmed */
        }
        GM_TRY(rc);
        if (step.kind != GM_CHANGE_CREATE && step.kind != GM_CHANGE_UPDATE) {
            continue;
        }
        GM_TRY(gm_json_parse(doc, step.data, &data, err));
        *out_id = step.kind == GM_CHANGE_CREATE ? model_in_twin(data) : model_in_patch(data);
        if (out_id->p != NULL || step.kind == GM_CHANGE_CREATE) {
            return GM_OK;
        }
    }
    *out_id = GM_STR("");
    return GM_OK;
}

/* The model at the change, in the document of `making`. */
static gm_rc find_model(const struct making *making, struct gm_str *out_id, struct gm_err *err)
{
    struct gm_event_maker *maker = making->maker;
    uint64_t known = 0;
    int64_t num = 0;
    if (!gm_map_get(maker->models, making->change->twin, &known)) {
        GM_TRY(current_num(maker, making->change, &num, err));
        known = num != 0 ? (uint64_t)gm_twin_model_num(num) : 0;
    }
    const struct gm_model *model =
        known != 0 ? gm_models_by_num(models_of(maker), (int64_t)known) : NULL;
    if (model != NULL) {
        *out_id = gm_arena_dup(making->events->arena, model->id);
        if (out_id->p == NULL) {
            return no_room(making, err);
        }
    } else {
        GM_TRY(model_in_history(maker, making->change, making->doc, out_id, err));
    }
    remember(maker, making->change->twin, *out_id);
    return GM_OK;
}

/* ---- events ---- */

/* In the form of a GUID. */
static struct gm_str place_id(const struct making *making, int64_t part)
{
    const struct gm_change *change = making->change;
    struct gm_str text =
        gm_arena_format(making->events->arena, "%lld/%lld/%lld", (long long)change->num,
                        (long long)part, (long long)change->time);
    struct gm_hash128 hash = gm_hash128(text, 0);
    return gm_arena_format(making->events->arena, "%08x-%04x-%04x-%04x-%012llx",
                           (unsigned)(hash.high >> 32), (unsigned)(hash.high >> 16) & 0xffff,
                           (unsigned)hash.high & 0xffff, (unsigned)(hash.low >> 48),
                           (unsigned long long)hash.low & 0xffffffffffffULL);
}

static gm_rc add_event(const struct making *making, enum gm_event_type type,
                       struct gm_event **out_event, struct gm_err *err)
{
    struct gm_events *events = making->events;
    const struct gm_change *change = making->change;
    size_t size = sizeof(struct gm_event);
    struct gm_event *at = gm_arena_realloc(events->arena, events->at, events->count * size,
                                           (events->count + 1) * size);
    if (at == NULL) {
        return no_room(making, err);
    }
    events->at = at;
    struct gm_event *event = &at[events->count];
    *event = (struct gm_event){
        .type = type,
        .change = change->num,
        .part = (int64_t)events->count,
        .twin = gm_arena_dup(events->arena, change->twin),
        .id = place_id(making, (int64_t)events->count),
        .source = gm_arena_dup(events->arena, making->maker->source),
        .time = change->time,
    };
    event->subject = event->twin;
    if (event->twin.p == NULL || event->id.p == NULL || event->source.p == NULL) {
        return no_room(making, err);
    }
    events->count++;
    *out_event = event;
    return GM_OK;
}

static gm_rc update_data(const struct making *making, yyjson_mut_val *patch, struct gm_str model,
                         yyjson_mut_val **out_data, struct gm_err *err)
{
    yyjson_mut_doc *doc = making->doc;
    yyjson_mut_val *data = yyjson_mut_obj(doc);
    bool ok = data != NULL &&
              gm_json_set(doc, data, GM_STR("modelId"), gm_json_strcpy(doc, model)) &&
              gm_json_set(doc, data, GM_STR("patch"), patch);
    *out_data = data;
    return ok ? GM_OK : no_room(making, err);
}

/* Copies {"sourceTime":…} of each name into the $metadata that clients see. */
static bool add_source_times(yyjson_mut_doc *doc, const yyjson_mut_val *from, yyjson_mut_val *to)
{
    const yyjson_mut_val *name = gm_json_first(from);
    bool ok = true;
    for (size_t i = 0; i < gm_json_count(from); i++, name = name->next->next) {
        yyjson_mut_val *time = gm_json_member(name->next, GM_STR("sourceTime"));
        yyjson_mut_val *entry = gm_json_member(to, gm_json_str(name));
        if (time != NULL && yyjson_mut_is_obj(entry)) {
            ok = ok && gm_json_set(doc, entry, GM_STR("sourceTime"), gm_json_copy(doc, time));
        }
    }
    return ok;
}

static bool keep_source_times(yyjson_mut_doc *doc, const yyjson_mut_val *from, yyjson_mut_val *to)
{
    bool ok = add_source_times(doc, gm_json_member(from, GM_STR("$metadata")),
                               gm_json_member(to, GM_STR("$metadata")));
    const yyjson_mut_val *name = gm_json_first(from);
    for (size_t i = 0; i < gm_json_count(from); i++, name = name->next->next) {
        const yyjson_mut_val *metadata = gm_json_member(name->next, GM_STR("$metadata"));
        yyjson_mut_val *component = gm_json_member(to, gm_json_str(name));
        if (metadata != NULL && component != NULL) {
            ok = ok &&
                 add_source_times(doc, metadata, gm_json_member(component, GM_STR("$metadata")));
        }
    }
    return ok;
}

/* A twin of a model that is gone: nobody knows its components any more. */
static gm_rc bare_twin(const struct making *making, yyjson_mut_val *twin,
                       yyjson_mut_val **out_value, struct gm_err *err)
{
    yyjson_mut_val *key = gm_json_strref(making->doc, GM_STR("$dtId"));
    yyjson_mut_val *id = gm_json_strcpy(making->doc, making->change->twin);
    if (key == NULL || id == NULL || !yyjson_mut_obj_insert(twin, key, id, 0)) {
        return no_room(making, err);
    }
    *out_value = twin;
    return GM_OK;
}

/* The twin as it was answered when it was created. */
static gm_rc created_twin(const struct making *making, yyjson_mut_val *logged,
                          yyjson_mut_val **out_value, struct gm_err *err)
{
    const struct gm_change *change = making->change;
    const struct gm_models *models = models_of(making->maker);
    const struct gm_model *model = gm_models_find(models, model_in_twin(logged));
    int64_t num;
    if (model == NULL) {
        return bare_twin(making, logged, out_value, err);
    }
    GM_TRY(current_num(making->maker, change, &num, err));
    bool known = num != 0 && gm_twin_model_num(num) == model->num;
    yyjson_mut_val *body = gm_json_copy(making->doc, logged);
    struct gm_buf text;
    if (body == NULL) {
        return no_room(making, err);
    }
    (void)gm_json_remove(body, GM_STR("$metadata"));
    gm_buf_init(&text, GM_EVENT_SIZE_MAX);
    gm_json_write(body, &text);
    struct gm_twin twin = {.num = known ? num : model->num << 32,
                           .id = change->twin,
                           .version = 1,
                           .created = change->time,
                           .updated = change->time,
                           .body = gm_buf_str(&text)};
    gm_rc rc = gm_twin_json(making->doc, models, &twin, out_value, err);
    gm_buf_deinit(&text);
    GM_TRY(rc);
    if (!known) {
        (void)gm_json_remove(*out_value, GM_STR("$etag"));
    }
    return keep_source_times(making->doc, logged, *out_value) ? GM_OK : no_room(making, err);
}

static gm_rc make_twin_event(const struct making *making, yyjson_mut_val *data, struct gm_err *err)
{
    struct gm_event_maker *maker = making->maker;
    struct gm_str twin = making->change->twin, model;
    struct gm_event *event;
    switch (making->change->kind) {
    case GM_CHANGE_CREATE:
        GM_TRY(add_event(making, GM_EVENT_TWIN_CREATE, &event, err));
        remember(maker, twin, model_in_twin(data));
        return created_twin(making, data, &event->data, err);
    case GM_CHANGE_DELETE:
        GM_TRY(add_event(making, GM_EVENT_TWIN_DELETE, &event, err));
        event->data = data;
        gm_map_remove(maker->models, twin);
        return GM_OK;
    default:
        GM_TRY(add_event(making, GM_EVENT_TWIN_UPDATE, &event, err));
        model = model_in_patch(data);
        if (model.p != NULL) {
            remember(maker, twin, model);
        } else {
            GM_TRY(find_model(making, &model, err));
        }
        return update_data(making, data, model, &event->data, err);
    }
}

/* ---- relationships ---- */

/* Source and version of a relationship as it was made; source 0: they are not known. A client's has
 * the number of its change for its version, a pipeline's may have that of another one: what is
 * there tells, while it has not been written again. */
static gm_rc find_version(const struct making *making, struct gm_relationship *relationship,
                          struct gm_err *err)
{
    const struct gm_change *change = making->change;
    struct gm_relationship there;
    struct gm_twin source = {.id = change->twin};
    GM_TRY(current_num(making->maker, change, &source.num, err));
    if (source.num == 0) {
        return GM_OK;
    }
    gm_rc rc =
        gm_relationship_read(making->maker->relationships, &source, relationship->id, &there, err);
    gm_relationship_reader_reset(making->maker->relationships);
    if (rc != GM_OK && rc != GM_E_END) {
        return rc;
    }
    bool same = rc == GM_OK && there.updated == change->time;
    if (same || change->pipeline == 0) {
        relationship->source = source.num;
        relationship->version = same ? there.version : change->num;
    }
    return GM_OK;
}

/* {"$relationshipId","$etag","$sourceId","$targetId","$relationshipName", properties…} of an
 * operation of the log. */
static gm_rc relationship_data(const struct making *making, yyjson_mut_val *operation, bool created,
                               yyjson_mut_val **out_data, struct gm_err *err)
{
    yyjson_mut_doc *doc = making->doc;
    struct gm_relationship relationship = {
        .id = gm_json_member_str(operation, "$relationshipId"),
        .name = gm_json_member_str(operation, "$relationshipName"),
        .source_id = making->change->twin,
        .target_id = gm_json_member_str(operation, "$targetId"),
    };
    static const char *const named[] = {"op",        "$relationshipId",   "$etag", "$sourceId",
                                        "$targetId", "$relationshipName", "$patch"};
    yyjson_mut_val *etag = gm_json_copy(doc, gm_json_member(operation, GM_STR("$etag")));
    if (created) {
        GM_TRY(find_version(making, &relationship, err));
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(named); i++) {
        (void)gm_json_remove(operation, gm_str_z(named[i]));
    }
    struct gm_buf text;
    gm_buf_init(&text, GM_EVENT_SIZE_MAX);
    gm_json_write(operation, &text);
    relationship.body = gm_buf_str(&text);
    gm_rc rc = gm_relationship_json(doc, &relationship, out_data, err);
    gm_buf_deinit(&text);
    GM_TRY(rc);
    if (etag != NULL) {
        return gm_json_set(doc, *out_data, GM_STR("$etag"), etag) ? GM_OK : no_room(making, err);
    }
    if (relationship.source == 0) {
        (void)gm_json_remove(*out_data, GM_STR("$etag"));
    }
    return GM_OK;
}

static gm_rc make_relationship_event(const struct making *making, yyjson_mut_val *operation,
                                     struct gm_err *err)
{
    struct gm_str op = gm_json_member_str(operation, "op"), model;
    struct gm_str id = gm_json_member_str(operation, "$relationshipId");
    bool created = gm_str_is(op, "add");
    struct gm_event *event;
    if (gm_str_is(op, "wait")) {
        return GM_OK;
    }
    GM_TRY(add_event(making,
                     created                    ? GM_EVENT_RELATIONSHIP_CREATE
                     : gm_str_is(op, "replace") ? GM_EVENT_RELATIONSHIP_UPDATE
                                                : GM_EVENT_RELATIONSHIP_DELETE,
                     &event, err));
    event->subject = gm_arena_format(making->events->arena, GM_STR_FMT "/relationships/" GM_STR_FMT,
                                     GM_STR_ARG(event->twin), GM_STR_ARG(id));
    if (event->subject.p == NULL) {
        return no_room(making, err);
    }
    if (event->type != GM_EVENT_RELATIONSHIP_UPDATE) {
        return relationship_data(making, operation, created, &event->data, err);
    }
    yyjson_mut_val *patch = gm_json_copy(making->doc, gm_json_member(operation, GM_STR("$patch")));
    GM_TRY(find_model(making, &model, err));
    return update_data(making, patch != NULL ? patch : yyjson_mut_arr(making->doc), model,
                       &event->data, err);
}

static gm_rc make_relationship_events(const struct making *making, yyjson_mut_val *operations,
                                      struct gm_err *err)
{
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(operations);
    for (yyjson_mut_val *at; (at = yyjson_mut_arr_iter_next(&iter)) != NULL;) {
        if (!yyjson_mut_is_obj(at)) {
            return damaged(making->change, err);
        }
        GM_TRY(make_relationship_event(making, at, err));
    }
    return GM_OK;
}

/* ---- telemetry ---- */

/* The log has the twin's model; what a component says is of the component's. */
static struct gm_str telemetry_model(const struct making *making, const yyjson_mut_val *data)
{
    struct gm_str id = gm_json_member_str(data, "$model");
    struct gm_str component = gm_json_member_str(data, "$component");
    const struct gm_model *model = gm_models_find(models_of(making->maker), id);
    if (component.n == 0 || model == NULL) {
        return id;
    }
    const struct gm_content *content = gm_model_content(model, component);
    bool is_component = content != NULL && content->type == GM_CONTENT_COMPONENT;
    return is_component ? content->component->id : id;
}

static gm_rc make_telemetry_event(const struct making *making, yyjson_mut_val *data,
                                  struct gm_err *err)
{
    struct gm_arena *arena = making->events->arena;
    struct gm_event *event;
    gm_ns sent;
    GM_TRY(add_event(making, GM_EVENT_TELEMETRY, &event, err));
    struct gm_str id = gm_json_member_str(data, "messageId");
    struct gm_str time = gm_json_member_str(data, "sourceTime");
    event->id = id.n > 0 ? id : event->id;
    event->source = gm_arena_format(arena, GM_STR_FMT "/digitaltwins/" GM_STR_FMT,
                                    GM_STR_ARG(event->source), GM_STR_ARG(event->twin));
    event->subject = gm_json_member_str(data, "$component");
    event->dataschema = telemetry_model(making, data);
    event->time = time.n > 0 && gm_time_parse(time, &sent) ? sent : event->time;
    event->data = gm_json_member(data, GM_STR("payload"));
    return event->source.p != NULL ? GM_OK : no_room(making, err);
}

gm_rc gm_event_make(struct gm_event_maker *maker, const struct gm_change *change,
                    struct gm_events *events, struct gm_err *err)
{
    struct making making = {.maker = maker, .change = change, .events = events};
    yyjson_mut_val *data;
    events->at = NULL;
    events->count = 0;
    gm_store_models_release(maker->store, maker->held);
    maker->held = gm_store_models_hold(maker->store);
    making.doc = gm_json_doc_new(events->arena);
    if (making.doc == NULL) {
        return no_room(&making, err);
    }
    gm_rc rc = gm_json_parse(making.doc, change->data, &data, err);
    if (rc != GM_OK) {
        return rc == GM_E_LIMIT ? no_room(&making, err) : damaged(change, err);
    }
    bool is_list = change->kind == GM_CHANGE_UPDATE || change->kind == GM_CHANGE_RELATIONSHIPS;
    if (is_list ? !yyjson_mut_is_arr(data) : !yyjson_mut_is_obj(data)) {
        return damaged(change, err);
    }
    switch (change->kind) {
    case GM_CHANGE_RELATIONSHIPS:
        return make_relationship_events(&making, data, err);
    case GM_CHANGE_TELEMETRY:
        return make_telemetry_event(&making, data, err);
    default:
        return make_twin_event(&making, data, err);
    }
}

/* ---- text ---- */

static void add_member(struct gm_buf *out, const char *name_z, struct gm_str value)
{
    gm_buf_addf(out, ",\"%s\":", name_z);
    gm_json_quote(out, value);
}

void gm_event_write(const struct gm_event *event, struct gm_buf *out)
{
    char time[GM_TIME_TEXT_SIZE];
    size_t n = gm_time_format(event->time, time);
    gm_buf_add(out, GM_STR("{\"specversion\":\"1.0\""));
    add_member(out, "id", event->id);
    add_member(out, "type", gm_str_z(gm_event_type_name(event->type)));
    add_member(out, "source", event->source);
    if (event->subject.n > 0) {
        add_member(out, "subject", event->subject);
    }
    add_member(out, "time", (struct gm_str){time, n});
    add_member(out, "datacontenttype", GM_STR("application/json"));
    if (event->dataschema.n > 0) {
        add_member(out, "dataschema", event->dataschema);
    }
    gm_buf_add(out, GM_STR(",\"data\":"));
    if (event->data != NULL) {
        gm_json_write(event->data, out);
    } else {
        gm_buf_add(out, GM_STR("null"));
    }
    gm_buf_add_char(out, '}');
}
