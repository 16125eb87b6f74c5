/* From a record's body to what the graph takes: checked against the model, in canonical text. Runs
 * on the pipeline's worker. */
#include "connect/twin_item.h"

#include "twin/times.h"

/* One record under preparation. `own`: what is wrong with it alone. */
struct work {
    struct gm_twin_preparer *preparer;
    struct gm_batch *batch;
    struct gm_record *record;
    struct gm_twin_item *item;
    struct gm_err own;
};

static gm_rc out_of_memory(const struct work *work, struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "record \"" GM_STR_FMT "\": the batch holds more than %d MB",
                   GM_STR_ARG(work->record->key), GM_BATCH_SIZE_LIMIT >> 20);
}

static gm_rc invalid(struct work *work, const char *what_z, struct gm_str value)
{
    return gm_fail(&work->own, GM_E_INVALID, "%s \"" GM_STR_FMT "\"", what_z, GM_STR_ARG(value));
}

/* Canonical text into the batch's arena. Hot: writes straight behind a small scratch buffer. */
static gm_rc keep_text(struct work *work, yyjson_mut_val *value, struct gm_str *out_text,
                       struct gm_err *err)
{
    struct gm_buf buf;
    gm_buf_init(&buf, GM_RECORD_SIZE_MAX);
    gm_json_canonical(work->batch->doc, value, &buf);
    struct gm_str copy = gm_buf_failed(&buf) ? (struct gm_str){NULL, 0}
                                             : gm_arena_dup(work->batch->arena, gm_buf_str(&buf));
    gm_buf_deinit(&buf);
    if (copy.p == NULL) {
        return out_of_memory(work, err);
    }
    *out_text = copy;
    return GM_OK;
}

/* ---- relationships ---- */

/* Takes the members that start with $ out of a relationship's object; what is left are its
 * properties. */
static gm_rc split_relationship(struct work *work, yyjson_mut_val *object,
                                struct gm_relationship_put *relationship, struct gm_str *out_source)
{
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(object);
    for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        struct gm_str name = gm_json_str(key);
        yyjson_mut_val *value = yyjson_mut_obj_iter_get_val(key);
        if (name.n == 0 || name.p[0] != '$') {
            if (yyjson_mut_is_null(value)) {
                yyjson_mut_obj_iter_remove(&iter);
            }
            continue;
        }
        struct gm_str text = gm_json_str(value);
        if (text.n == 0 && !gm_str_is(name, "$etag")) {
            return invalid(work, "relationship: expected text in", name);
        }
        if (gm_str_is(name, "$relationshipName")) {
            relationship->name = text;
        } else if (gm_str_is(name, "$targetId")) {
            relationship->target_id = text;
        } else if (gm_str_is(name, "$relationshipId")) {
            relationship->id = text;
        } else if (gm_str_is(name, "$sourceId") && out_source != NULL) {
            *out_source = text;
        } else if (!gm_str_is(name, "$etag")) {
            return invalid(work, "relationship: unknown member", name);
        }
        yyjson_mut_obj_iter_remove(&iter);
    }
    if (relationship->name.n == 0 || relationship->target_id.n == 0) {
        return gm_fail(&work->own, GM_E_INVALID, "relationship: %s is missing",
                       relationship->name.n == 0 ? "$relationshipName" : "$targetId");
    }
    return GM_OK;
}

/* "{name}-{target}"; a hash in the target's place when that is too long. */
static struct gm_str default_id(struct work *work, const struct gm_relationship_put *relationship)
{
    struct gm_arena *arena = work->batch->arena;
    if (relationship->name.n + 1 + relationship->target_id.n <= GM_RELATIONSHIP_ID_SIZE_MAX) {
        return gm_arena_format(arena, GM_STR_FMT "-" GM_STR_FMT, GM_STR_ARG(relationship->name),
                               GM_STR_ARG(relationship->target_id));
    }
    char hex[GM_HASH128_HEX_SIZE];
    gm_hash128_hex(gm_hash128(relationship->target_id, 0), hex);
    size_t n = relationship->name.n < 90 ? relationship->name.n : 90;
    return gm_arena_format(arena, "%.*s-%s", (int)n, relationship->name.p, hex);
}

/* Everything about one relationship but its source's model. */
static gm_rc encode_relationship(struct work *work, yyjson_mut_val *object, struct gm_str source_id,
                                 struct gm_relationship_put *relationship, struct gm_err *err)
{
    if (relationship->id.n == 0) {
        relationship->id = default_id(work, relationship);
        if (relationship->id.p == NULL) {
            return out_of_memory(work, err);
        }
    }
    gm_rc rc = gm_twin_id_check(relationship->target_id, &work->own);
    if (rc != GM_OK) {
        return gm_fail_within(&work->own, "relationship \"" GM_STR_FMT "\": $targetId",
                              GM_STR_ARG(relationship->name));
    }
    if (gm_twin_id_check(relationship->id, &work->own) != GM_OK) {
        return gm_fail_within(&work->own, "relationship \"" GM_STR_FMT "\": $relationshipId",
                              GM_STR_ARG(relationship->name));
    }
    if (gm_str_eq(relationship->target_id, source_id)) {
        return invalid(work, "relationship: source and target are the same twin", source_id);
    }
    if (yyjson_mut_obj_size(object) > 0) {
        relationship->properties = object;
        GM_TRY(keep_text(work, object, &relationship->text, err));
    }
    return GM_OK;
}

static gm_rc prepare_relationships(struct work *work, yyjson_mut_val *list, struct gm_err *err)
{
    struct gm_twin_put *put = &work->item->twin;
    if (!yyjson_mut_is_arr(list)) {
        return gm_fail(&work->own, GM_E_INVALID, "$relationships: expected an array");
    }
    put->has_relationships = true;
    put->relationship_count = yyjson_mut_arr_size(list);
    if (put->relationship_count == 0) {
        return GM_OK;
    }
    put->relationships =
        gm_arena_zalloc(work->batch->arena, put->relationship_count * sizeof(*put->relationships));
    if (put->relationships == NULL) {
        return out_of_memory(work, err);
    }
    size_t index, max;
    yyjson_mut_val *object;
    yyjson_mut_arr_foreach(list, index, max, object)
    {
        struct gm_relationship_put *relationship = &put->relationships[index];
        if (!yyjson_mut_is_obj(object)) {
            return gm_fail(&work->own, GM_E_INVALID, "$relationships: expected objects");
        }
        GM_TRY(split_relationship(work, object, relationship, NULL));
        GM_TRY(encode_relationship(work, object, put->id, relationship, err));
        GM_TRY(gm_model_check_relationship(put->model, relationship->name,
                                           work->preparer->env.models, NULL,
                                           relationship->properties, &work->own));
        for (size_t i = 0; i < index; i++) {
            if (gm_str_eq(put->relationships[i].id, relationship->id)) {
                return invalid(work, "two relationships of the id", relationship->id);
            }
        }
    }
    return GM_OK;
}

static gm_rc prepare_link(struct work *work, struct gm_err *err)
{
    struct gm_link_put *put = &work->item->link;
    yyjson_mut_val *body = work->record->body;
    work->item->is_link = true;
    GM_TRY(split_relationship(work, body, &put->relationship, &put->source_id));
    if (gm_twin_id_check(put->source_id, &work->own) != GM_OK) {
        return gm_fail_within(&work->own, "$sourceId");
    }
    GM_TRY(encode_relationship(work, body, put->source_id, &put->relationship, err));
    work->item->link_id =
        gm_arena_format(work->batch->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(put->source_id),
                        GM_STR_ARG(put->relationship.id));
    return work->item->link_id.p == NULL ? out_of_memory(work, err) : GM_OK;
}

/* ---- twins ---- */

static gm_rc find_model(struct work *work, struct gm_str id)
{
    struct gm_twin_preparer *preparer = work->preparer;
    if (preparer->last_model == NULL || !gm_str_eq(preparer->last_model->id, id)) {
        preparer->last_model = gm_models_find(preparer->env.models, id);
    }
    work->item->twin.model = preparer->last_model;
    if (preparer->last_model == NULL) {
        struct gm_str near = gm_models_nearest(preparer->env.models, id);
        return near.p != NULL
                   ? gm_fail(&work->own, GM_E_INVALID,
                             "unknown model \"" GM_STR_FMT "\"; did you mean \"" GM_STR_FMT "\"?",
                             GM_STR_ARG(id), GM_STR_ARG(near))
                   : gm_fail(&work->own, GM_E_INVALID,
                             "unknown model \"" GM_STR_FMT
                             "\"; put its definition into the folder of `models`",
                             GM_STR_ARG(id));
    }
    if (preparer->last_model->decommissioned) {
        return invalid(work, "decommissioned model", id);
    }
    return GM_OK;
}

/* Names of relationships of which a patch says nothing. */
static gm_rc take_kept(struct work *work, yyjson_mut_val *names)
{
    struct gm_strs *kept = &work->item->twin.kept;
    size_t count = yyjson_mut_arr_size(names), index, max;
    struct gm_str *at = gm_arena_zalloc(work->batch->arena, (count + 1) * sizeof(*at));
    yyjson_mut_val *name;
    if (at == NULL) {
        return gm_fail(&work->own, GM_E_INVALID, "it has too many relationships");
    }
    yyjson_mut_arr_foreach(names, index, max, name)
    {
        at[index] = gm_json_str(name);
    }
    *kept = (struct gm_strs){at, count};
    return GM_OK;
}

/* Takes $dtId, $metadata and $relationships out of the body. */
static gm_rc split_twin(struct work *work, yyjson_mut_val **out_relationships)
{
    struct gm_str model = {NULL, 0};
    yyjson_mut_val *metadata = NULL;
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(work->record->body);
    for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        struct gm_str name = gm_json_str(key);
        if (name.n == 0 || name.p[0] != '$') {
            continue;
        }
        yyjson_mut_val *value = yyjson_mut_obj_iter_get_val(key);
        if (gm_str_is(name, "$dtId")) {
            work->item->twin.id = gm_json_str(value);
        } else if (gm_str_is(name, "$metadata")) {
            model = gm_json_member_str(value, "$model");
            metadata = value;
        } else if (gm_str_is(name, "$relationships")) {
            *out_relationships = value;
        } else if (gm_str_is(name, "$relationshipsKept") && !work->preparer->env.open_names) {
            GM_TRY(take_kept(work, value));
        } else if (!gm_str_is(name, "$etag")) {
            return invalid(work, "unknown member", name);
        }
        yyjson_mut_obj_iter_remove(&iter);
    }
    if (work->item->twin.id.p == NULL) {
        return gm_fail(&work->own, GM_E_INVALID, "$dtId is missing or not text");
    }
    if (gm_twin_id_check(work->item->twin.id, &work->own) != GM_OK) {
        return gm_fail_within(&work->own, "$dtId");
    }
    if (model.p == NULL) {
        return gm_fail(&work->own, GM_E_INVALID, "$metadata.$model is missing or not text");
    }
    struct gm_times_source sources = {.doc = work->batch->doc};
    GM_TRY(gm_times_take_sources(&sources, (struct gm_str){NULL, 0}, metadata, &work->own));
    work->item->twin.sources = sources.sources;
    return find_model(work, model);
}

/* ---- what is to be removed ---- */

static bool writes_whole(const struct work *work, struct gm_str name)
{
    const struct gm_strs *names = &work->preparer->env.names;
    for (size_t i = 0; i < names->n; i++) {
        if (gm_str_eq(names->at[i], name)) {
            return true;
        }
    }
    return false;
}

static bool has_property(const struct gm_model *model, struct gm_str name)
{
    const struct gm_content *content = gm_model_content(model, name);
    return content != NULL && content->type == GM_CONTENT_PROPERTY;
}

/* The component `name` of `object`; made when it is not there. */
static yyjson_mut_val *component_of(struct work *work, yyjson_mut_val *object, struct gm_str name)
{
    yyjson_mut_val *component = gm_json_member(object, name);
    if (component == NULL) {
        component = yyjson_mut_obj(work->batch->doc);
        gm_json_set(work->batch->doc, object, name, component);
    }
    return component;
}

/* Takes the null members out of `object`, which is of `model`, and tells them apart in `nulls`. */
static gm_rc move_nulls(struct work *work, yyjson_mut_val *object, const struct gm_model *model,
                        yyjson_mut_val *nulls)
{
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(object);
    for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        if (!yyjson_mut_is_null(yyjson_mut_obj_iter_get_val(key))) {
            continue;
        }
        struct gm_str name = gm_json_str(key);
        const struct gm_content *content = gm_model_content(model, name);
        bool is_component = content != NULL && content->type == GM_CONTENT_COMPONENT;
        if (!is_component && !has_property(model, name)) {
            return gm_fail(&work->own, GM_E_INVALID,
                           "model " GM_STR_FMT " has no property \"" GM_STR_FMT "\"",
                           GM_STR_ARG(model->id), GM_STR_ARG(name));
        }
        if (!is_component) {
            gm_json_set(work->batch->doc, nulls, name, yyjson_mut_null(work->batch->doc));
        }
        yyjson_mut_obj_iter_remove(&iter);
    }
    return GM_OK;
}

/* Says that the properties of a component go that the body does not have. */
static void add_absent(struct work *work, const struct gm_content *content, yyjson_mut_val *nulls)
{
    yyjson_mut_val *there = gm_json_member(work->record->body, content->name);
    yyjson_mut_val *into = component_of(work, nulls, content->name);
    for (size_t i = 0; i < content->component->content_count; i++) {
        const struct gm_content *member = &content->component->contents[i];
        if (member->type == GM_CONTENT_PROPERTY && gm_json_member(there, member->name) == NULL) {
            gm_json_set(work->batch->doc, into, member->name, yyjson_mut_null(work->batch->doc));
        }
    }
}

/* Every component of the model is there, without $metadata and nulls: the stored form. Of one that
 * this pipeline writes as a whole, what is absent is to be removed; of others it belongs to
 * somebody else. */
static gm_rc complete_components(struct work *work, yyjson_mut_val *nulls)
{
    const struct gm_model *model = work->item->twin.model;
    for (size_t i = 0; i < model->content_count; i++) {
        const struct gm_content *content = &model->contents[i];
        if (content->type != GM_CONTENT_COMPONENT) {
            continue;
        }
        yyjson_mut_val *component = component_of(work, work->record->body, content->name);
        if (!yyjson_mut_is_obj(component)) {
            continue; /* refused by the check against the model */
        }
        gm_json_remove(component, GM_STR("$metadata"));
        GM_TRY(move_nulls(work, component, content->component,
                          component_of(work, nulls, content->name)));
        if (writes_whole(work, content->name)) {
            add_absent(work, content, nulls);
        }
    }
    return GM_OK;
}

/* Without a map a document is the whole twin: what it does not have goes. */
static void add_all_absent(struct work *work, yyjson_mut_val *nulls)
{
    const struct gm_model *model = work->item->twin.model;
    for (size_t i = 0; i < model->content_count; i++) {
        const struct gm_content *content = &model->contents[i];
        if (content->type == GM_CONTENT_COMPONENT) {
            add_absent(work, content, nulls);
        } else if (content->type == GM_CONTENT_PROPERTY &&
                   gm_json_member(work->record->body, content->name) == NULL) {
            gm_json_set(work->batch->doc, nulls, content->name, yyjson_mut_null(work->batch->doc));
        }
    }
}

/* A name that the map no longer has: what it wrote goes, unless the map has it in another form. */
static void add_dropped(struct work *work, struct gm_str dropped, yyjson_mut_val *nulls)
{
    yyjson_mut_doc *doc = work->batch->doc;
    struct gm_str head, tail;
    bool of_component = gm_str_cut(dropped, '/', &head, &tail);
    const struct gm_content *content =
        gm_model_content(work->item->twin.model, of_component ? head : dropped);
    bool is_component = content != NULL && content->type == GM_CONTENT_COMPONENT;
    yyjson_mut_val *body = work->record->body;
    if (is_component && !of_component) {
        add_absent(work, content, nulls);
        return;
    }
    if (of_component && !is_component) {
        return;
    }
    yyjson_mut_val *into = of_component ? component_of(work, nulls, content->name) : nulls;
    struct gm_str name = of_component ? tail : dropped;
    if (gm_json_member(of_component ? gm_json_member(body, content->name) : body, name) == NULL) {
        gm_json_set(doc, into, name, yyjson_mut_null(doc));
    }
}

/* Puts what is to be removed into the body, as nulls. */
static void add_nulls(struct work *work, yyjson_mut_val *nulls)
{
    yyjson_mut_doc *doc = work->batch->doc;
    yyjson_mut_val *body = work->record->body;
    size_t index, max, inner, inner_max;
    yyjson_mut_val *key, *value, *member, *null;
    bool some = false;
    yyjson_mut_obj_foreach(nulls, index, max, key, value)
    {
        if (yyjson_mut_is_null(value)) {
            gm_json_set(doc, body, gm_json_str(key), yyjson_mut_null(doc));
            some = true;
            continue;
        }
        yyjson_mut_val *component = gm_json_member(body, gm_json_str(key));
        yyjson_mut_obj_foreach(value, inner, inner_max, member, null)
        {
            gm_json_set(doc, component, gm_json_str(member), yyjson_mut_null(doc));
            some = true;
        }
    }
    if (some) {
        gm_json_sort(doc, body);
    }
}

/* The map made relationships before and has none any more: the twin's are taken away with an empty
 * list. */
static bool has_dropped_relationships(const struct work *work)
{
    struct gm_strs dropped = work->preparer->env.dropped_names;
    for (size_t i = 0; i < dropped.n; i++) {
        const struct gm_content *content = gm_model_content(work->item->twin.model, dropped.at[i]);
        if (content != NULL && content->type == GM_CONTENT_RELATIONSHIP) {
            return true;
        }
    }
    return false;
}

static gm_rc prepare_twin(struct work *work, struct gm_err *err)
{
    struct gm_twin_put *put = &work->item->twin;
    yyjson_mut_val *body = work->record->body;
    yyjson_mut_val *relationships = NULL, *nulls = yyjson_mut_obj(work->batch->doc);
    struct gm_strs dropped = work->preparer->env.dropped_names;
    bool is_document = work->preparer->env.open_names && work->record->kind == GM_RECORD_UPSERT;
    if (nulls == NULL) {
        return out_of_memory(work, err);
    }
    GM_TRY(split_twin(work, &relationships));
    if (relationships != NULL) {
        GM_TRY(prepare_relationships(work, relationships, err));
    } else if (work->record->kind == GM_RECORD_UPSERT) {
        put->has_relationships = is_document || has_dropped_relationships(work);
    }
    GM_TRY(move_nulls(work, body, put->model, nulls));
    GM_TRY(complete_components(work, nulls));
    if (gm_model_check_body(put->model, body, &work->own) != GM_OK) {
        return gm_fail_within(&work->own, "twin \"" GM_STR_FMT "\"", GM_STR_ARG(put->id));
    }
    GM_TRY(keep_text(work, body, &put->text, err));
    if (put->text.n > GM_TWIN_BODY_SIZE_MAX) {
        return gm_fail(&work->own, GM_E_INVALID, "twin \"" GM_STR_FMT "\": %zu bytes; at most %d",
                       GM_STR_ARG(put->id), put->text.n, GM_TWIN_BODY_SIZE_MAX);
    }
    if (is_document) {
        add_all_absent(work, nulls);
    }
    for (size_t i = 0; i < dropped.n; i++) {
        add_dropped(work, dropped.at[i], nulls);
    }
    add_nulls(work, nulls);
    put->body = body;
    put->doc = work->batch->doc;
    return GM_OK;
}

static gm_rc prepare_record(struct gm_twin_preparer *preparer, struct gm_batch *batch,
                            struct gm_record *record, struct gm_err *err)
{
    struct work work = {.preparer = preparer, .batch = batch, .record = record};
    work.item = gm_arena_zalloc(batch->arena, sizeof(*work.item));
    if (work.item == NULL) {
        return out_of_memory(&work, err);
    }
    gm_rc rc;
    if (!yyjson_mut_is_obj(record->body)) {
        rc = gm_fail(&work.own, GM_E_INVALID,
                     "expected an object with $dtId or $sourceId; write a `map`");
    } else if (gm_json_member(record->body, GM_STR("$sourceId")) != NULL) {
        rc = prepare_link(&work, err);
    } else {
        rc = prepare_twin(&work, err);
    }
    if (rc == GM_OK) {
        record->prepared = work.item;
        return GM_OK;
    }
    if (work.own.rc != GM_OK) {
        gm_record_fail(batch, record, work.own.rc, "%s", work.own.text);
        return GM_OK;
    }
    return rc;
}

gm_rc gm_twin_items_prepare(struct gm_twin_preparer *preparer, struct gm_batch *batch,
                            struct gm_err *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct gm_record *record = &batch->records[i];
        if (record->rc == GM_OK && record->verdict == GM_VERDICT_NONE) {
            GM_TRY(prepare_record(preparer, batch, record, err));
        }
    }
    return GM_OK;
}
