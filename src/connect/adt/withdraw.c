/* Taking back what is not delivered any more.
 *
 * A twin that this pipeline created and no other delivers is deleted. The service refuses that
 * while the twin has relationships; those that are known to be ours are taken away before, and what
 * still hinders is listed then: what is ours goes, what others made stays, and with it the twin,
 * unless the setting `other_relationships` says otherwise. From any other twin only what this
 * pipeline delivered is taken off. */
#include "base/coding.h"
#include "base/mem.h"
#include "connect/adt/sink.h"

enum { BODY_SIZE_MAX = 4 << 20, HINDRANCES_MAX = 10000 };

/* Relationships that hinder a deletion: listed page by page, outgoing ones first, then taken away
 * one by one. */
struct hindrance {
    struct gm_str source, id;
    struct hindrance *behind;
};
struct adt_listing {
    bool incoming; /* being listed */
    size_t count;
    struct hindrance *first;
    const char *path_z; /* of the call under way */
};

static void take_read(struct gm_call *call, const struct gm_http_answer *answer);
static void take_deletion(struct gm_call *call, const struct gm_http_answer *answer);
static void take_patch(struct gm_call *call, const struct gm_http_answer *answer);
static void take_list(struct gm_call *call, const struct gm_http_answer *answer);
static void take_cleared(struct gm_call *call, const struct gm_http_answer *answer);

static void finish(struct adt_thing *thing)
{
    thing->outcome = thing->goal == ADT_PART ? ADT_WAITING : ADT_GONE;
}

/* ---- the next call ---- */

static void read_it(struct adt_thing *thing)
{
    adt_call(thing,
             &(struct adt_request){.method_z = "GET", .class = ADT_READ, .answered = take_read});
}

static void delete_it(struct adt_thing *thing)
{
    adt_call(thing, &(struct adt_request){.method_z = "DELETE",
                                          .class = ADT_CREATE,
                                          .if_match = thing->etag_z != NULL,
                                          .answered = take_deletion});
}

/* Of a twin that stays: what we delivered, and nobody else does. */
static void take_back(struct adt_thing *thing)
{
    struct gm_buf body;
    yyjson_mut_val *before[2] = {adt_parse_own(thing, thing->known->body),
                                 adt_parse_own(thing, thing->known->next)};
    if (!thing->sure) {
        read_it(thing);
        return;
    }
    gm_buf_init(&body, BODY_SIZE_MAX);
    if (adt_write_removal(thing, thing->there, before, &body) > 0) {
        adt_send_patch(thing, &body, take_patch);
    } else {
        finish(thing);
    }
    gm_buf_deinit(&body);
}

void adt_withdraw(struct adt_thing *thing)
{
    const struct gm_object *known = thing->known;
    bool goes = thing->owned && thing->others == NULL;
    if (known == NULL) {
        finish(thing);
    } else if (thing->doubt) { /* whether it was made, and by whom, is not known */
        read_it(thing);
    } else if (thing->is_link) {
        if (thing->owned) {
            delete_it(thing);
        } else {
            finish(thing); /* somebody else's relationship stays */
        }
    } else if (goes) {
        delete_it(thing);
    } else {
        take_back(thing);
    }
}

/* ---- answers ---- */

static void take_read(struct gm_call *call, const struct gm_http_answer *answer)
{
    struct adt_thing *thing = call->ctx;
    struct adt_sink *sink = thing->sink;
    if (adt_is_systemic(thing, answer)) {
        return;
    }
    if (answer->status == 404) {
        finish(thing);
        return;
    }
    if (answer->status != 200) {
        adt_refuse(thing, answer);
        return;
    }
    struct gm_str etag = gm_http_answer_header(answer, "ETag");
    thing->there = adt_read_thing(sink, sink->doc, thing->is_link, gm_buf_str(&answer->body));
    thing->etag_z = etag.n > 0 ? gm_arena_dup(sink->arena, etag).p : NULL;
    thing->sure = true;
    if (!thing->doubt) {
        adt_withdraw(thing);
        return;
    }
    if (thing->there != NULL && adt_is_ours(thing)) {
        thing->doubt = false;
        thing->owned = true;
        adt_withdraw(thing);
    } else {
        finish(thing);
    }
}

static void list(struct adt_thing *thing)
{
    adt_call(thing,
             &(struct adt_request){.method_z = "GET",
                                   .class = ADT_READ,
                                   .below_z = thing->listing->incoming ? "/incomingrelationships"
                                                                       : "/relationships",
                                   .answered = take_list});
}

static void take_deletion(struct gm_call *call, const struct gm_http_answer *answer)
{
    struct adt_thing *thing = call->ctx;
    struct adt_sink *sink = thing->sink;
    if (adt_is_good(answer)) {
        finish(thing);
        return;
    }
    if (adt_is_systemic(thing, answer)) {
        return;
    }
    if (answer->status == 404) {
        finish(thing);
    } else if (answer->status == 412) {
        thing->etag_z = NULL;
        thing->doubt = thing->known->body.p == NULL;
        thing->sure = false;
        adt_withdraw(thing);
    } else if (gm_str_is(adt_error_code(sink, answer), "RelationshipsNotDeleted") &&
               thing->listing == NULL) {
        thing->listing = gm_arena_zalloc(sink->arena, sizeof(*thing->listing));
        if (thing->listing == NULL) {
            gm_exchange_fail(sink->exchange, GM_E_LIMIT, "too much to delete at a time");
        } else {
            list(thing);
        }
    } else {
        adt_refuse(thing, answer);
    }
}

static void take_patch(struct gm_call *call, const struct gm_http_answer *answer)
{
    struct adt_thing *thing = call->ctx;
    if (adt_is_good(answer)) {
        finish(thing);
        return;
    }
    if (adt_is_systemic(thing, answer)) {
        return;
    }
    bool unfit =
        answer->status == 400 && gm_str_is(adt_error_code(thing->sink, answer), "JsonPatchInvalid");
    if (answer->status == 404) {
        finish(thing);
    } else if (answer->status == 412 || (unfit && !thing->reread)) {
        thing->reread = thing->reread || unfit;
        thing->sure = false;
        take_back(thing);
    } else {
        adt_refuse(thing, answer);
    }
}

/* ---- what hinders ---- */

/* One of ours: its row, of whatever pipeline. */
static gm_rc find_row(struct adt_thing *thing, struct gm_str id, struct gm_object **out_row,
                      struct gm_err *err)
{
    struct adt_sink *sink = thing->sink;
    struct gm_object_place place = {.target = sink->target, .id = id, .pipeline = -1};
    return gm_objects_of_others(sink->work.db, sink->arena, &place, out_row, err);
}

/* Deletes the first of the list, and the twin when there is none left. */
static void clear_next(struct adt_thing *thing)
{
    struct adt_sink *sink = thing->sink;
    struct adt_listing *listing = thing->listing;
    struct hindrance *one = listing->first;
    if (one == NULL) {
        delete_it(thing);
        return;
    }
    struct gm_str id = gm_arena_format(sink->arena, GM_STR_FMT "/" GM_STR_FMT,
                                       GM_STR_ARG(one->source), GM_STR_ARG(one->id));
    struct gm_object *row = NULL;
    struct gm_err err = {0};
    if (id.p == NULL || find_row(thing, id, &row, &err) != GM_OK) {
        gm_exchange_fail(sink->exchange, id.p == NULL ? GM_E_LIMIT : err.rc,
                         id.p == NULL ? "too much to delete at a time" : err.text);
        return;
    }
    if (row == NULL && sink->conf->other_relationships == ADT_OTHERS_KEEP) {
        GM_AUTO_FREE char *why_z = gm_format_z("it cannot be deleted while relationship " GM_STR_FMT
                                               ", which Gemel did not make, is there",
                                               GM_STR_ARG(id));
        adt_refuse_because(thing, why_z);
        return;
    }
    if (row != NULL && gm_map_get_ptr(sink->by_id, id) == NULL) {
        /* Its record still says so: it waits until the twin is back. */
        struct adt_thing *part = adt_add_thing(sink, row->key, row->id);
        if (part == NULL || adt_know(part, row, &err) != GM_OK) {
            gm_exchange_fail(sink->exchange, GM_E_LIMIT, "too much to delete at a time");
            return;
        }
        part->goal = ADT_PART;
        part->to_send = part->started = true;
        part->pipeline = row->pipeline;
        part->waiting_for = thing->twin_id;
        part->outcome = ADT_WAITING;
    }
    struct gm_buf path;
    gm_buf_init(&path, 16 << 10);
    gm_buf_add(&path, GM_STR("/digitaltwins/"));
    gm_percent_add(&path, one->source);
    gm_buf_add(&path, GM_STR("/relationships/"));
    gm_percent_add(&path, one->id);
    gm_buf_addf(&path, "?api-version=%s", sink->conf->api_version);
    listing->path_z = adt_keep_z(sink, &path);
    gm_buf_deinit(&path);
    thing->call = (struct gm_call){
        .method_z = "DELETE",
        .path_z = listing->path_z,
        .ask = {.class = ADT_CREATE, .cost = 1, .object = gm_hash64(one->source, 0) | 1},
        .answered = take_cleared,
        .ctx = thing};
    if (listing->path_z != NULL) {
        gm_exchange_add(sink->exchange, &thing->call);
    }
}

static void take_cleared(struct gm_call *call, const struct gm_http_answer *answer)
{
    struct adt_thing *thing = call->ctx;
    if (!adt_is_good(answer)) {
        if (adt_is_systemic(thing, answer)) {
            return;
        }
        if (answer->status != 404) {
            adt_refuse(thing, answer);
            return;
        }
    }
    thing->listing->first = thing->listing->first->behind;
    thing->rounds = 0;
    clear_next(thing);
}

/* Outgoing ones name themselves and are this twin's; incoming ones name their source, too. */
static bool add_hindrances(struct adt_thing *thing, yyjson_mut_val *page)
{
    struct adt_listing *listing = thing->listing;
    size_t index, max;
    yyjson_mut_val *item;
    yyjson_mut_arr_foreach(gm_json_member(page, GM_STR("value")), index, max, item)
    {
        struct hindrance *one = gm_arena_zalloc(thing->sink->arena, sizeof(*one));
        if (one == NULL || ++listing->count > HINDRANCES_MAX) {
            return false;
        }
        struct gm_str source = gm_json_member_str(item, "$sourceId");
        one->source = source.p != NULL ? source : thing->twin_id;
        one->id = gm_json_member_str(item, "$relationshipId");
        one->behind = listing->first;
        listing->first = one;
    }
    return true;
}

static void take_list(struct gm_call *call, const struct gm_http_answer *answer)
{
    struct adt_thing *thing = call->ctx;
    struct adt_sink *sink = thing->sink;
    yyjson_mut_val *page = NULL;
    struct gm_err ignored;
    if (adt_is_systemic(thing, answer)) {
        return;
    }
    if (answer->status == 404) {
        finish(thing);
        return;
    }
    if (answer->status != 200 ||
        gm_json_parse(sink->doc, gm_buf_str(&answer->body), &page, &ignored) != GM_OK) {
        adt_refuse(thing, answer);
        return;
    }
    if (!add_hindrances(thing, page)) {
        adt_refuse_because(thing, "it has too many relationships to be deleted at a time");
        return;
    }
    struct gm_str next = gm_json_member_str(page, "nextLink");
    const char *path_z = next.n > 0 ? adt_path_of_link(sink, next) : NULL;
    if (path_z != NULL) {
        thing->call.path_z = path_z;
        gm_exchange_add(sink->exchange, &thing->call);
    } else if (!thing->listing->incoming) {
        thing->listing->incoming = true;
        list(thing);
    } else {
        clear_next(thing);
    }
}
