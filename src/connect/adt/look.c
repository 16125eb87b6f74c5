/* What a session is about, and what there is to send: found out from the store alone. */
#include "base/mem.h"
#include "connect/adt/sink.h"

/* ---- things ---- */

gm_rc adt_too_much(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "a batch and what is known of it hold more than %d MB",
                   ADT_ARENA_SIZE >> 20);
}

void adt_session_begin(struct adt_sink *sink, const struct gm_sink_work *work)
{
    gm_arena_reset(sink->arena);
    sink->doc = gm_json_doc_new(sink->arena);
    sink->work = *work;
    sink->batch = NULL;
    sink->removals = NULL;
    sink->removal_count = 0;
    sink->things.n = 0;
    gm_map_reset(sink->by_id);
}

struct adt_thing *adt_add_thing(struct adt_sink *sink, struct gm_str key, struct gm_str id)
{
    struct adt_thing *thing = gm_arena_zalloc(sink->arena, sizeof(*thing));
    struct gm_str head, rest;
    if (thing == NULL) {
        return NULL;
    }
    thing->sink = sink;
    thing->pipeline = sink->work.pipeline;
    thing->key = key;
    thing->id = id;
    thing->is_link = gm_str_cut(id, '/', &head, &rest);
    thing->twin_id = head;
    thing->link_id = rest;
    *gm_vec_push(&sink->things) = thing;
    (void)gm_map_set_ptr(sink->by_id, id, thing);
    return thing;
}

gm_rc adt_know(struct adt_thing *thing, struct gm_object *known, struct gm_err *err)
{
    struct adt_sink *sink = thing->sink;
    thing->sure = true;
    if (known == NULL || known->target != sink->target) {
        return GM_OK; /* of another service, where this pipeline delivered before: it stays there */
    }
    thing->known = known;
    thing->owned = known->owned;
    thing->doubt = known->body.p == NULL;
    bool waits = known->waiting_for.p != NULL;
    thing->sure = known->next.p == NULL && !sink->work.resync;
    if (waits && thing->goal == ADT_BE) {
        thing->sure = true; /* as far as is known: a creation finds out */
    }
    if (known->body.p != NULL) {
        yyjson_mut_val *value;
        GM_TRY(gm_json_parse(sink->doc, known->body, &value, err));
        thing->there = value;
    }
    if (thing->model == NULL && !thing->is_link) {
        thing->model =
            gm_models_find(sink->preparer.env.models, gm_json_member_str(thing->there, "$model"));
    }
    return GM_OK;
}

/* ---- what is wanted ---- */

/* {"$model":…,members…}: the canonical text of what is kept, from the prepared text "{…}". */
static struct gm_str with_head(struct adt_sink *sink, const struct gm_str head[2][2],
                               struct gm_str members)
{
    struct gm_buf *out = &sink->text;
    gm_buf_reset(out);
    for (size_t i = 0; i < 2; i++) {
        if (head[i][0].p != NULL) {
            gm_buf_add_char(out, i == 0 ? '{' : ',');
            gm_json_quote(out, head[i][0]);
            gm_buf_add_char(out, ':');
            gm_json_quote(out, head[i][1]);
        }
    }
    if (members.n > 2) {
        gm_buf_add_char(out, ',');
        gm_buf_add(out, (struct gm_str){members.p + 1, members.n - 1});
    } else {
        gm_buf_add_char(out, '}');
    }
    return gm_arena_dup(sink->arena, gm_buf_str(out));
}

static gm_rc want(struct adt_thing *thing, struct gm_str text, yyjson_mut_val *nulls_of,
                  struct gm_err *err)
{
    struct adt_sink *sink = thing->sink;
    if (text.p == NULL) {
        return adt_too_much(err);
    }
    thing->goal = ADT_BE;
    thing->wanted = text;
    GM_TRY(gm_json_parse(sink->doc, text, &thing->wanted_value, err));
    /* What the prepared body says has to go; its text does not have it. */
    size_t index, max, inner, inner_max;
    yyjson_mut_val *key, *value, *name, *member;
    if (nulls_of == NULL) {
        return GM_OK;
    }
    yyjson_mut_obj_foreach(nulls_of, index, max, key, value)
    {
        if (yyjson_mut_is_null(value) &&
            !gm_json_set(sink->doc, thing->wanted_value, gm_json_str(key),
                         yyjson_mut_null(sink->doc))) {
            return adt_too_much(err);
        }
        yyjson_mut_val *into = gm_json_member(thing->wanted_value, gm_json_str(key));
        if (!yyjson_mut_is_obj(into) || !yyjson_mut_is_obj(value)) {
            continue;
        }
        yyjson_mut_obj_foreach(value, inner, inner_max, name, member)
        {
            if (yyjson_mut_is_null(member) &&
                !gm_json_set(sink->doc, into, gm_json_str(name), yyjson_mut_null(sink->doc))) {
                return adt_too_much(err);
            }
        }
    }
    return GM_OK;
}

/* Sets the members of `body` in `object`; null takes one away. Of components (`inner` false) member
 * by member, objects as a whole. False: there is no memory. */
static bool overlay(yyjson_mut_doc *doc, yyjson_mut_val *object, yyjson_mut_val *body, bool inner)
{
    size_t index, max;
    yyjson_mut_val *key, *value;
    bool fine = true;
    yyjson_mut_obj_foreach(body, index, max, key, value)
    {
        struct gm_str name = gm_json_str(key);
        yyjson_mut_val *into = gm_json_member(object, name);
        bool component = !inner && gm_json_member(value, GM_STR("$metadata")) != NULL;
        if (yyjson_mut_is_null(value)) {
            (void)gm_json_remove(object, name);
        } else if (component && yyjson_mut_is_obj(into)) {
            fine = fine && overlay(doc, into, value, true);
        } else {
            fine = fine && gm_json_set(doc, object, name, gm_json_copy(doc, value));
        }
    }
    return fine;
}

/* A patch says what changed: the rest is as it was delivered. p NULL: there is no memory. */
static struct gm_str members_of_patch(struct adt_sink *sink, yyjson_mut_val *there,
                                      const struct gm_twin_put *put)
{
    yyjson_mut_val *object = gm_json_copy(sink->doc, there);
    if (object == NULL || !overlay(sink->doc, object, put->body, false)) {
        return (struct gm_str){NULL, 0};
    }
    (void)gm_json_remove(object, GM_STR("$model"));
    gm_buf_reset(&sink->text);
    gm_json_canonical(sink->doc, object, &sink->text);
    return gm_buf_failed(&sink->text) ? (struct gm_str){NULL, 0}
                                      : gm_arena_dup(sink->arena, gm_buf_str(&sink->text));
}

static struct gm_str text_of_twin(const struct adt_thing *thing, const struct gm_twin_put *put)
{
    struct adt_sink *sink = thing->sink;
    bool patch = thing->record->kind == GM_RECORD_PATCH && thing->there != NULL;
    struct gm_str members = patch ? members_of_patch(sink, thing->there, put) : put->text;
    if (members.p == NULL) {
        return members;
    }
    const struct gm_str head[2][2] = {{GM_STR("$model"), put->model->id}, {{NULL, 0}, {NULL, 0}}};
    return with_head(sink, head, members);
}

static struct gm_str text_of_link(struct adt_sink *sink, const struct gm_relationship_put *put)
{
    const struct gm_str head[2][2] = {{GM_STR("$name"), put->name},
                                      {GM_STR("$target"), put->target_id}};
    return with_head(sink, head, put->text);
}

/* Whether anything differs from what is known. */
static bool differs(struct adt_thing *thing)
{
    struct adt_sink *sink = thing->sink;
    if (thing->known == NULL || !thing->sure || thing->there == NULL) {
        return true;
    }
    const char *const ends[] = {"$name", "$target"};
    for (size_t i = 0; thing->is_link && i < 2; i++) {
        if (!gm_str_eq(gm_json_member_str(thing->wanted_value, ends[i]),
                       gm_json_member_str(thing->there, ends[i]))) {
            return true;
        }
    }
    gm_buf_reset(&sink->text);
    yyjson_mut_val *const before[2] = {thing->there, NULL};
    return adt_write_patch(thing, thing->there, before, &sink->text) > 0;
}

static bool still_waits(const struct adt_thing *thing)
{
    const struct gm_object *known = thing->known;
    return known != NULL && known->waiting_for.p != NULL && gm_str_eq(known->next, thing->wanted);
}

/* ---- records ---- */

struct look {
    struct adt_sink *sink;
    struct gm_record *record;
    struct gm_object *known; /* of its key */
    struct adt_thing *first;
    bool open; /* something is to be sent */
};

static struct gm_object *find_known(const struct look *look, struct gm_str id)
{
    for (struct gm_object *known = look->known; known != NULL; known = known->behind) {
        if (gm_str_eq(known->id, id)) {
            return known;
        }
    }
    return NULL;
}

/* GM_E_END: the record was refused. */
static gm_rc add_wanted(struct look *look, struct gm_str id, struct adt_thing **out_thing,
                        struct gm_err *err)
{
    struct adt_sink *sink = look->sink;
    struct gm_object *known = find_known(look, id);
    const struct adt_thing *other = gm_map_get_ptr(sink->by_id, id);
    struct gm_str owner = other != NULL ? other->key : (struct gm_str){NULL, 0};
    if (other == NULL && known == NULL) {
        struct gm_object *row = NULL;
        GM_TRY(gm_object_get(sink->work.db, sink->arena,
                             &(struct gm_state_key){sink->work.pipeline, id}, &row, err));
        owner = row != NULL && row->target == sink->target ? row->key : owner;
    }
    if (owner.p != NULL) {
        gm_record_fail(sink->batch, look->record, GM_E_INVALID,
                       "\"" GM_STR_FMT "\" is delivered for key \"" GM_STR_FMT
                       "\" already; make the id of what tells records apart",
                       GM_STR_ARG(id), GM_STR_ARG(owner));
        return GM_E_END;
    }
    struct gm_str kept = gm_arena_dup(sink->arena, id);
    struct adt_thing *thing = kept.p != NULL ? adt_add_thing(sink, look->record->key, kept) : NULL;
    if (thing == NULL) {
        return adt_too_much(err);
    }
    thing->record = look->record;
    thing->batch = sink->batch;
    thing->behind = look->first;
    look->first = thing;
    GM_TRY(adt_know(thing, known, err));
    *out_thing = thing;
    return GM_OK;
}

static void decide(struct look *look, struct adt_thing *thing)
{
    thing->to_send = !still_waits(thing) && differs(thing);
    look->open = look->open || thing->to_send;
}

static gm_rc look_at_link(struct look *look, struct gm_str id,
                          const struct gm_relationship_put *put, struct gm_err *err)
{
    struct adt_thing *thing;
    GM_TRY(add_wanted(look, id, &thing, err));
    GM_TRY(want(thing, text_of_link(look->sink, put), NULL, err));
    decide(look, thing);
    return GM_OK;
}

static gm_rc look_at_twin(struct look *look, const struct gm_twin_put *put, struct gm_err *err)
{
    struct adt_sink *sink = look->sink;
    struct adt_thing *thing;
    GM_TRY(add_wanted(look, put->id, &thing, err));
    thing->model = put->model;
    GM_TRY(want(thing, text_of_twin(thing, put), put->body, err));
    decide(look, thing);
    for (size_t i = 0; i < put->relationship_count; i++) {
        const struct gm_relationship_put *one = &put->relationships[i];
        struct gm_str id = gm_arena_format(sink->arena, GM_STR_FMT "/" GM_STR_FMT,
                                           GM_STR_ARG(put->id), GM_STR_ARG(one->id));
        if (id.p == NULL) {
            return adt_too_much(err);
        }
        GM_TRY(look_at_link(look, id, one, err));
    }
    return GM_OK;
}

/* A relationship of the twin of which the record says nothing. */
static bool is_left_alone(struct adt_sink *sink, const struct gm_object *known,
                          const struct gm_twin_item *item)
{
    struct gm_str source, rest;
    struct gm_err ignored;
    yyjson_mut_val *body = NULL;
    const struct gm_twin_put *put = &item->twin;
    if (item->is_link || !gm_str_cut(known->id, '/', &source, &rest) ||
        !gm_str_eq(source, put->id)) {
        return false;
    }
    bool some = put->kept.n > 0 && known->body.n > 0 &&
                gm_json_parse(gm_json_doc_new(sink->arena), known->body, &body, &ignored) == GM_OK;
    for (size_t i = 0; some && i < put->kept.n; i++) {
        if (gm_str_eq(gm_json_member_str(body, "$name"), put->kept.at[i])) {
            return true;
        }
    }
    return !put->has_relationships;
}

/* What the record delivered before and does not any more. */
static gm_rc look_at_former(struct look *look, const struct gm_twin_item *item, struct gm_err *err)
{
    struct adt_sink *sink = look->sink;
    for (struct gm_object *known = look->known; known != NULL; known = known->behind) {
        const struct adt_thing *there = gm_map_get_ptr(sink->by_id, known->id);
        if (there != NULL || is_left_alone(sink, known, item)) {
            continue;
        }
        struct adt_thing *thing = adt_add_thing(sink, known->key, known->id);
        if (thing == NULL) {
            return adt_too_much(err);
        }
        thing->goal = ADT_GO;
        thing->record = look->record;
        thing->batch = sink->batch;
        thing->batch = sink->batch;
        thing->behind = look->first;
        look->first = thing;
        GM_TRY(adt_know(thing, known, err));
        struct gm_object_place place = {sink->target, known->id, sink->work.pipeline};
        GM_TRY(gm_objects_of_others(sink->work.db, sink->arena, &place, &thing->others, err));
        thing->to_send = true;
        look->open = true;
    }
    return GM_OK;
}

static void name_record(struct gm_record *record, const struct gm_twin_item *item)
{
    record->delivered = item->is_link ? item->link_id : item->twin.id;
    record->target_id = record->delivered;
    record->target = item->is_link ? 1 : (int64_t)((uint64_t)item->twin.model->num << 32) + 1;
}

static gm_rc look_at(struct adt_sink *sink, struct gm_record *record, struct gm_err *err)
{
    const struct gm_twin_item *item = record->prepared;
    struct look look = {.sink = sink, .record = record};
    GM_TRY(gm_objects_of_key(sink->work.db, sink->arena,
                             &(struct gm_state_key){sink->work.pipeline, record->key}, &look.known,
                             err));
    gm_rc rc = item->is_link ? look_at_link(&look, item->link_id, &item->link.relationship, err)
                             : look_at_twin(&look, &item->twin, err);
    rc = rc == GM_OK ? look_at_former(&look, item, err) : rc;
    if (rc == GM_E_END) { /* the record is refused, and nothing of it is sent */
        for (struct adt_thing *thing = look.first; thing != NULL; thing = thing->behind) {
            thing->to_send = false;
        }
        return GM_OK;
    }
    GM_TRY(rc);
    for (struct adt_thing *thing = look.first; thing != NULL; thing = thing->behind) {
        thing->first_of_record = look.first;
    }
    bool was_there = find_known(&look, item->is_link ? item->link_id : item->twin.id) != NULL;
    name_record(record, item);
    if (!look.open) {
        record->verdict = GM_VERDICT_SAME;
    } else if (sink->work.dry) {
        record->verdict = was_there ? GM_VERDICT_UPDATED : GM_VERDICT_CREATED;
    }
    return GM_OK;
}

/* ---- what waits ---- */

gm_rc adt_add_waiting(struct adt_sink *sink, struct gm_object *row, struct gm_err *err)
{
    if (row->target != sink->target || gm_map_get_ptr(sink->by_id, row->id) != NULL) {
        return GM_OK;
    }
    struct adt_thing *thing = adt_add_thing(sink, row->key, row->id);
    if (thing == NULL) {
        return adt_too_much(err);
    }
    GM_TRY(adt_know(thing, row, err));
    thing->to_send = true;
    return want(thing, row->next, NULL, err);
}

/* The next page of those that were not tried in this run. GM_E_END: there is none. */
static gm_rc look_at_waiting(struct adt_sink *sink, struct gm_err *err)
{
    struct gm_object *row;
    uint64_t ignored;
    struct gm_object after = {
        .pipeline = sink->work.pipeline,
        .waiting_for = gm_str_z(sink->after_end_z != NULL ? sink->after_end_z : ""),
        .id = gm_str_z(sink->after_id_z != NULL ? sink->after_id_z : ""),
    };
    GM_TRY(gm_objects_waiting(sink->work.db, sink->arena, &after, &row, err));
    if (row == NULL) {
        return GM_E_END;
    }
    for (; row != NULL; row = row->behind) {
        if (!gm_map_get(sink->tried, row->id, &ignored)) {
            GM_TRY(adt_add_waiting(sink, row, err));
        }
        if (row->behind == NULL) {
            gm_free(sink->after_end_z);
            gm_free(sink->after_id_z);
            sink->after_end_z = gm_str_dup_z(row->waiting_for);
            sink->after_id_z = gm_str_dup_z(row->id);
        }
    }
    return GM_OK;
}

gm_rc adt_look(void *self, const struct gm_sink_work *work, struct gm_batch *batch,
               struct gm_err *err)
{
    struct adt_sink *sink = self;
    if (!work->more) {
        adt_session_begin(sink, work);
    }
    sink->work.db = work->db;
    sink->batch = batch;
    if (sink->doc == NULL) {
        return adt_too_much(err);
    }
    GM_TRY(gm_db_begin_snapshot(work->db, err));
    gm_rc rc = work->last ? look_at_waiting(sink, err) : GM_OK;
    for (size_t i = 0; rc == GM_OK && i < batch->count; i++) {
        struct gm_record *record = &batch->records[i];
        if (record->prepared != NULL && record->rc == GM_OK && record->verdict == GM_VERDICT_NONE) {
            rc = look_at(sink, record, err);
        }
    }
    gm_db_rollback(work->db);
    return rc;
}

/* ---- removals ---- */

static gm_rc look_at_removal(struct adt_sink *sink, struct gm_removal *removal, struct gm_err *err)
{
    struct gm_object *known;
    GM_TRY(gm_objects_of_key(sink->work.db, sink->arena,
                             &(struct gm_state_key){sink->work.pipeline, removal->target.key},
                             &known, err));
    for (; known != NULL; known = known->behind) {
        struct adt_thing *thing = adt_add_thing(sink, known->key, known->id);
        if (thing == NULL) {
            return adt_too_much(err);
        }
        thing->goal = ADT_GO;
        thing->removal = removal;
        thing->to_send = true;
        GM_TRY(adt_know(thing, known, err));
        struct gm_object_place place = {sink->target, known->id, sink->work.pipeline};
        GM_TRY(gm_objects_of_others(sink->work.db, sink->arena, &place, &thing->others, err));
    }
    return GM_OK;
}

/* Relationships of ours to a twin that will be deleted. */
static gm_rc look_at_incoming(struct adt_thing *twin, struct gm_err *err)
{
    struct adt_sink *sink = twin->sink;
    struct gm_object *row;
    struct gm_object_place place = {sink->target, twin->id, 0};
    GM_TRY(gm_objects_linked_to(sink->work.db, sink->arena, &place, &row, err));
    for (; row != NULL; row = row->behind) {
        if (row->waiting_for.p != NULL || gm_map_get_ptr(sink->by_id, row->id) != NULL) {
            continue;
        }
        struct adt_thing *thing = adt_add_thing(sink, row->key, row->id);
        if (thing == NULL) {
            return adt_too_much(err);
        }
        thing->goal = ADT_PART;
        thing->pipeline = row->pipeline;
        thing->to_send = true;
        thing->waiting_for = twin->id;
        GM_TRY(adt_know(thing, row, err));
    }
    return GM_OK;
}

static gm_rc look_at_removals(struct adt_sink *sink, struct gm_err *err)
{
    for (size_t i = 0; i < sink->removal_count; i++) {
        GM_TRY(look_at_removal(sink, &sink->removals[i], err));
    }
    size_t count = sink->things.n; /* more are added behind */
    for (size_t i = 0; i < count; i++) {
        struct adt_thing *thing = sink->things.at[i];
        if (!thing->is_link && thing->owned && thing->others == NULL) {
            GM_TRY(look_at_incoming(thing, err));
        }
    }
    return GM_OK;
}

gm_rc adt_look_removals(void *self, const struct gm_sink_work *work, struct gm_removal *removals,
                        size_t count, struct gm_err *err)
{
    struct adt_sink *sink = self;
    adt_session_begin(sink, work);
    sink->removals = removals;
    sink->removal_count = count;
    if (sink->doc == NULL) {
        return adt_too_much(err);
    }
    GM_TRY(gm_db_begin_snapshot(work->db, err));
    gm_rc rc = look_at_removals(sink, err);
    gm_db_rollback(work->db);
    return rc;
}
