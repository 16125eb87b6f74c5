/* What a session writes to the store: before anything is sent what is in doubt from then on, and
 * after it what became of it. */
#include "connect/adt/sink.h"

static struct gm_str link_to(const struct adt_thing *thing, const yyjson_mut_val *value)
{
    return thing->is_link ? gm_json_member_str(value, "$target") : (struct gm_str){NULL, 0};
}

static struct gm_object row_of(const struct adt_thing *thing)
{
    struct gm_object row = {.pipeline = thing->pipeline,
                            .id = thing->id,
                            .key = thing->key,
                            .target = thing->sink->target,
                            .owned = thing->owned};
    row.link_to = link_to(thing, thing->goal == ADT_BE ? thing->wanted_value : thing->there);
    return row;
}

/* As it was before: nothing was done to it. */
static gm_rc restore(const struct adt_thing *thing, struct gm_db *db, struct gm_err *err)
{
    if (thing->known != NULL) {
        return gm_object_put(db, thing->known, err);
    }
    return gm_object_remove(db, thing->pipeline, thing->id, err);
}

/* ---- before ---- */

/* A write that is in doubt already may have left its members there, too: the body of what is in
 * doubt stands for all that may have to be taken off. */
static gm_rc intend_change(const struct adt_thing *thing, struct gm_object *row, struct gm_db *db,
                           struct gm_err *err)
{
    struct adt_sink *sink = thing->sink;
    const struct gm_object *known = thing->known;
    row->body = known->body;
    if (known->next.p != NULL) {
        yyjson_mut_val *all, *more;
        GM_TRY(gm_json_parse(sink->doc, known->body, &all, err));
        GM_TRY(gm_json_parse(sink->doc, known->next, &more, err));
        all = gm_json_merge_patch(sink->doc, all, more);
        gm_buf_reset(&sink->text);
        gm_json_canonical(sink->doc, all, &sink->text);
        row->body = gm_buf_str(&sink->text);
    }
    return gm_object_put(db, row, err);
}

static gm_rc intend_creation(const struct adt_thing *thing, struct gm_object *row, struct gm_db *db,
                             struct gm_err *err)
{
    const struct gm_object *known = thing->known;
    bool doubtful = known != NULL && known->body.p == NULL && known->next.p != NULL &&
                    known->waiting_for.p == NULL;
    if (doubtful) {
        GM_TRY(adt_remember_tried(thing, &row->next, err));
    }
    return gm_object_put(db, row, err);
}

static gm_rc intend_one(const struct adt_thing *thing, struct gm_db *db, struct gm_err *err)
{
    struct gm_object row = row_of(thing);
    const struct gm_object *known = thing->known;
    if (thing->goal == ADT_BE) {
        if (thing->record == NULL) {
            return GM_OK; /* it waits, and a row that waits may be there already */
        }
        row.next = thing->wanted;
        return known == NULL || known->body.p == NULL ? intend_creation(thing, &row, db, err)
                                                      : intend_change(thing, &row, db, err);
    }
    if (known == NULL || known->body.p == NULL) {
        return GM_OK; /* in doubt already, or of another service */
    }
    row = *known;
    row.next = known->body;
    return gm_object_put(db, &row, err);
}

gm_rc adt_intend(void *self, const struct gm_sink_work *work, struct gm_err *err)
{
    struct adt_sink *sink = self;
    for (size_t i = 0; i < sink->things.n; i++) {
        if (sink->things.at[i]->to_send) {
            GM_TRY(intend_one(sink->things.at[i], work->db, err));
        }
    }
    return GM_OK;
}

/* ---- after ---- */

/* Another pipeline delivers the twin that this one created: it is that one's from now on. */
static gm_rc hand_over(const struct adt_thing *thing, struct gm_db *db, struct gm_err *err)
{
    if (!thing->owned || thing->others == NULL || thing->is_link) {
        return GM_OK;
    }
    struct gm_object heir = *thing->others;
    heir.owned = true;
    return gm_object_put(db, &heir, err);
}

static gm_rc keep_settled(const struct adt_thing *thing, struct gm_db *db, struct gm_err *err)
{
    struct gm_object row = row_of(thing);
    row.body = thing->wanted;
    if (thing->record == NULL) { /* it waited: what was said of it is over */
        struct gm_state_key key = {thing->pipeline, thing->key};
        GM_TRY(gm_state_note(db, &key, (struct gm_str){NULL, 0}, err));
    }
    return gm_object_put(db, &row, err);
}

static gm_rc keep_waiting(const struct adt_thing *thing, struct gm_db *db, struct gm_err *err)
{
    struct gm_object row = row_of(thing);
    row.owned = false;
    row.waiting_for = thing->waiting_for;
    if (thing->goal == ADT_BE) {
        row.next = thing->wanted;
    } else {
        row.next = thing->known->body.p != NULL ? thing->known->body : adt_newest_try(thing);
        row.link_to = thing->known->link_to;
    }
    return gm_object_put(db, &row, err);
}

/* What was refused had no effect, but for the deletion of a relationship that was to be made
 * anew. */
static gm_rc keep_refused(const struct adt_thing *thing, struct gm_db *db, struct gm_err *err)
{
    if (thing->known != NULL && thing->known->waiting_for.p != NULL && thing->record == NULL) {
        /* Nobody stands behind it who could be told: it goes on waiting, with the reason. */
        GM_TRY(gm_object_put(db, thing->known, err));
        struct gm_state_key key = {thing->pipeline, thing->key};
        return gm_state_note(db, &key, thing->refusal, err);
    }
    if (thing->known == NULL || (thing->sure && thing->there == NULL && thing->goal == ADT_BE)) {
        return gm_object_remove(db, thing->pipeline, thing->id, err);
    }
    struct gm_object row = *thing->known;
    if (row.body.p != NULL && thing->sure && thing->known->next.p == NULL) {
        row.next = (struct gm_str){NULL, 0};
    }
    return gm_object_put(db, &row, err);
}

static gm_rc keep_one(const struct adt_thing *thing, struct gm_db *db, struct gm_err *err)
{
    switch (thing->outcome) {
    case ADT_SETTLED:
        return keep_settled(thing, db, err);
    case ADT_WAITING:
        return keep_waiting(thing, db, err);
    case ADT_GONE:
        GM_TRY(hand_over(thing, db, err));
        return gm_object_remove(db, thing->pipeline, thing->id, err);
    case ADT_REFUSED:
        return keep_refused(thing, db, err);
    case ADT_UNDECIDED:
        break;
    }
    return thing->started ? GM_OK : restore(thing, db, err);
}

gm_rc adt_keep(void *self, const struct gm_sink_work *work, struct gm_err *err)
{
    struct adt_sink *sink = self;
    for (size_t i = 0; i < sink->things.n; i++) {
        const struct adt_thing *thing = sink->things.at[i];
        if (thing->to_send || thing->started) {
            GM_TRY(keep_one(thing, work->db, err));
        }
    }
    /* Kept once: a job without a look of its own keeps nothing. */
    sink->things.n = 0;
    gm_map_reset(sink->by_id);
    return GM_OK;
}
