/* The phases of a session: twins, then relationships, then what goes. */
#include "base/mem.h"
#include "connect/adt/sink.h"

typedef bool (*thing_fn)(const struct adt_thing *thing);

static bool is_refused(const struct adt_thing *thing)
{
    return (thing->record != NULL && thing->record->rc != GM_OK) ||
           (thing->removal != NULL && thing->removal->err.rc != GM_OK);
}

static bool is_twin_to_be(const struct adt_thing *thing)
{
    return !thing->is_link && thing->goal == ADT_BE;
}

static bool is_link(const struct adt_thing *thing)
{
    return thing->is_link;
}

static bool is_twin_to_go(const struct adt_thing *thing)
{
    return !thing->is_link && thing->goal != ADT_BE;
}

/* Brings all that `fn` chooses to their goals. Things that are added meanwhile are not of this
 * phase. */
static gm_rc run_phase(struct adt_sink *sink, thing_fn fn, struct gm_err *err)
{
    size_t count = sink->things.n;
    for (size_t i = 0; i < count; i++) {
        struct adt_thing *thing = sink->things.at[i];
        if (!thing->to_send || thing->outcome != ADT_UNDECIDED || is_refused(thing) || !fn(thing)) {
            continue;
        }
        if (thing->goal == ADT_BE) {
            adt_bring(thing);
        } else {
            adt_withdraw(thing);
        }
    }
    return gm_exchange_run(sink->exchange, sink->work.stop, err);
}

/* ---- between the phases ---- */

/* A twin that was made, or made anew, has no relationships: those that wait for it are tried, and
 * its own that were thought to be there are made. */
static gm_rc follow_twin(struct adt_thing *twin, struct gm_err *err)
{
    struct adt_sink *sink = twin->sink;
    struct gm_object *row;
    GM_TRY(gm_objects_waiting_for(sink->work.db, sink->arena,
                                  &(struct gm_state_key){sink->work.pipeline, twin->id}, &row,
                                  err));
    for (; row != NULL; row = row->behind) {
        struct adt_thing *known = gm_map_get_ptr(sink->by_id, row->id);
        if (known != NULL) {
            known->to_send = known->goal == ADT_BE ? true : known->to_send;
            continue;
        }
        GM_TRY(adt_add_waiting(sink, row, err));
    }
    if (!twin->lost) {
        return GM_OK;
    }
    for (size_t i = 0; i < sink->things.n; i++) {
        struct adt_thing *link = sink->things.at[i];
        if (link->is_link && link->goal == ADT_BE && gm_str_eq(link->twin_id, twin->id)) {
            link->to_send = true;
            link->there = NULL;
            link->sure = true;
        }
    }
    return GM_OK;
}

static gm_rc follow_twins(struct adt_sink *sink, struct gm_err *err)
{
    size_t count = sink->things.n;
    for (size_t i = 0; i < count; i++) {
        struct adt_thing *thing = sink->things.at[i];
        if (is_twin_to_be(thing) && thing->outcome == ADT_SETTLED && thing->created) {
            GM_TRY(follow_twin(thing, err));
        }
    }
    return GM_OK;
}

/* ---- verdicts ---- */

/* What one thing of a record came to. */
static enum gm_verdict verdict_of(const struct adt_thing *thing)
{
    if (thing->to_send && thing->outcome == ADT_UNDECIDED) {
        return GM_VERDICT_NONE;
    }
    bool is_record = !thing->is_link || thing->record->target == 1; /* not a part of a twin's */
    if (thing->goal == ADT_BE && is_record && (thing->created || thing->outcome == ADT_WAITING)) {
        return GM_VERDICT_CREATED;
    }
    bool effect = thing->created || thing->changed || thing->outcome == ADT_WAITING;
    return effect || thing->goal != ADT_BE ? GM_VERDICT_UPDATED : GM_VERDICT_SAME;
}

static int weight_of(enum gm_verdict verdict)
{
    return verdict == GM_VERDICT_NONE      ? 3
           : verdict == GM_VERDICT_CREATED ? 2
           : verdict == GM_VERDICT_UPDATED ? 1
                                           : 0;
}

/* A record is undecided while one of its things is; otherwise the greatest effect counts. */
static void judge_records(struct adt_sink *sink)
{
    for (size_t i = 0; i < sink->things.n; i++) {
        struct adt_thing *thing = sink->things.at[i];
        if (thing->record != NULL && thing->record->rc == GM_OK && !thing->judged) {
            enum gm_verdict most = GM_VERDICT_SAME;
            struct adt_thing *one = thing->first_of_record;
            for (; one != NULL; one = one->behind) {
                enum gm_verdict verdict = verdict_of(one);
                most = weight_of(verdict) > weight_of(most) ? verdict : most;
                one->judged = true;
            }
            thing->record->verdict = most;
        }
    }
}

static void judge_removals(struct adt_sink *sink)
{
    for (size_t i = 0; i < sink->removal_count; i++) {
        sink->removals[i].gone = sink->removals[i].err.rc == GM_OK;
    }
    for (size_t i = 0; i < sink->things.n; i++) {
        struct adt_thing *thing = sink->things.at[i];
        if (thing->removal != NULL && thing->outcome != ADT_GONE) {
            thing->removal->gone = false;
        }
    }
}

static void note_tried(struct adt_sink *sink)
{
    for (size_t i = 0; i < sink->things.n; i++) {
        const struct adt_thing *thing = sink->things.at[i];
        if (thing->outcome == ADT_WAITING && thing->goal == ADT_BE) {
            gm_map_set(sink->tried, thing->id, 1);
        }
    }
}

static gm_rc send_all(struct adt_sink *sink, struct gm_err *err)
{
    if (sink->conf->upload_models && !sink->models_done) {
        GM_TRY(adt_upload_models(sink, err));
        sink->models_done = true;
    }
    GM_TRY(run_phase(sink, is_twin_to_be, err));
    GM_TRY(follow_twins(sink, err));
    GM_TRY(run_phase(sink, is_link, err));
    return run_phase(sink, is_twin_to_go, err);
}

gm_rc adt_send(void *self, const struct gm_sink_work *work, struct gm_err *err)
{
    struct adt_sink *sink = self;
    sink->work.db = work->db;
    sink->work.stop = work->stop;
    gm_rc rc = send_all(sink, err);
    /* What was put into the queue and never left it was not done. */
    for (size_t i = 0; i < sink->things.n; i++) {
        struct adt_thing *thing = sink->things.at[i];
        bool once = thing->rounds <= 1;
        if (thing->outcome == ADT_UNDECIDED && thing->started && once && !thing->call.sent) {
            thing->started = false;
        }
    }
    judge_records(sink);
    judge_removals(sink);
    note_tried(sink);
    return rc;
}
