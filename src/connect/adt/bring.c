/* Bringing a thing to what is wanted of it. */
#include "base/mem.h"
#include "connect/adt/sink.h"

enum { BODY_SIZE_MAX = 4 << 20 };

static void take_read(struct gm_call *call, const struct gm_http_answer *answer);
static void take_creation(struct gm_call *call, const struct gm_http_answer *answer);
static void take_patch(struct gm_call *call, const struct gm_http_answer *answer);
static void take_removal(struct gm_call *call, const struct gm_http_answer *answer);

static void settle(struct adt_thing *thing)
{
    thing->outcome = ADT_SETTLED;
}

static void read_again(struct adt_thing *thing)
{
    thing->sure = false;
    adt_bring(thing);
}

/* ---- the next call ---- */

static void create(struct adt_thing *thing)
{
    struct gm_buf body;
    gm_buf_init(&body, BODY_SIZE_MAX);
    adt_write_document(thing, &body);
    size_t n = body.n;
    const char *text_z = adt_keep_z(thing->sink, &body);
    gm_buf_deinit(&body);
    if (text_z != NULL) {
        adt_call(thing, &(struct adt_request){.method_z = "PUT",
                                              .class = ADT_CREATE,
                                              .body = {text_z, n},
                                              .if_none_match = true,
                                              .answered = take_creation});
    }
}

static void change(struct adt_thing *thing)
{
    struct gm_buf body;
    yyjson_mut_val *before[2] = {NULL, NULL};
    if (thing->known != NULL) {
        before[0] = adt_parse_own(thing, thing->known->body);
        before[1] = adt_parse_own(thing, thing->known->next);
    }
    gm_buf_init(&body, BODY_SIZE_MAX);
    if (adt_write_patch(thing, thing->there, before, &body) > 0) {
        adt_send_patch(thing, &body, take_patch);
    } else {
        settle(thing);
    }
    gm_buf_deinit(&body);
}

/* A relationship's name and target cannot be patched. */
static bool has_other_ends(const struct adt_thing *thing)
{
    const yyjson_mut_val *wanted = thing->wanted_value;
    return thing->is_link && (!gm_str_eq(gm_json_member_str(wanted, "$name"),
                                         gm_json_member_str(thing->there, "$name")) ||
                              !gm_str_eq(gm_json_member_str(wanted, "$target"),
                                         gm_json_member_str(thing->there, "$target")));
}

/* Somebody else's twin keeps its model, and somebody else's relationship its ends. */
static bool may_be_ours(struct adt_thing *thing)
{
    if (thing->owned) {
        return true;
    }
    if (thing->is_link && has_other_ends(thing)) {
        adt_refuse_because(thing, "the service has another relationship of this id, which this "
                                  "pipeline did not create");
        return false;
    }
    struct gm_str there = gm_json_member_str(thing->there, "$model");
    struct gm_str wanted = gm_json_member_str(thing->wanted_value, "$model");
    if (!thing->is_link && !gm_str_eq(there, wanted)) {
        GM_AUTO_FREE char *why_z =
            gm_format_z("in the service it is of model " GM_STR_FMT
                        ", and this pipeline, which did not create it, says " GM_STR_FMT,
                        GM_STR_ARG(there), GM_STR_ARG(wanted));
        adt_refuse_because(thing, why_z);
        return false;
    }
    return true;
}

void adt_bring(struct adt_thing *thing)
{
    if (!thing->sure) {
        adt_call(thing, &(struct adt_request){
                            .method_z = "GET", .class = ADT_READ, .answered = take_read});
    } else if (thing->there == NULL) {
        create(thing);
    } else if (!may_be_ours(thing)) {
        return;
    } else if (has_other_ends(thing)) {
        adt_call(thing, &(struct adt_request){.method_z = "DELETE",
                                              .class = ADT_CREATE,
                                              .if_match = thing->etag_z != NULL,
                                              .answered = take_removal});
    } else {
        change(thing);
    }
}

/* ---- answers ---- */

/* What was there is gone, or never was. */
static void find_nothing(struct adt_thing *thing)
{
    thing->lost = thing->lost || (thing->known != NULL && thing->known->body.p != NULL);
    thing->there = NULL;
    thing->etag_z = NULL;
    thing->sure = true;
    thing->doubt = false;
    adt_bring(thing);
}

/* An end of a relationship is missing. */
static bool waits(struct adt_thing *thing, struct gm_str code)
{
    bool target = gm_str_starts(code, GM_STR("Target"));
    bool source = gm_str_is(code, "DigitalTwinNotFound");
    if (!thing->is_link || (!target && !source)) {
        return false;
    }
    thing->there = NULL;
    thing->sure = true;
    thing->waiting_for =
        target ? gm_json_member_str(thing->wanted_value, "$target") : thing->twin_id;
    thing->outcome = ADT_WAITING;
    return true;
}

static void take_read(struct gm_call *call, const struct gm_http_answer *answer)
{
    struct adt_thing *thing = call->ctx;
    if (adt_is_systemic(thing, answer)) {
        return;
    }
    if (answer->status == 404) {
        struct gm_str code = adt_error_code(thing->sink, answer);
        if (thing->is_link && gm_str_is(code, "DigitalTwinNotFound")) {
            (void)waits(thing, code);
        } else {
            find_nothing(thing);
        }
        return;
    }
    struct gm_str etag = gm_http_answer_header(answer, "ETag");
    if (answer->status != 200) {
        adt_refuse(thing, answer);
        return;
    }
    thing->there =
        adt_read_thing(thing->sink, thing->sink->doc, thing->is_link, gm_buf_str(&answer->body));
    if (thing->there == NULL) {
        adt_refuse_because(thing, "what the service has there makes no sense");
        return;
    }
    thing->etag_z = etag.n > 0 ? gm_arena_dup(thing->sink->arena, etag).p : NULL;
    thing->sure = true;
    if (thing->doubt) {
        thing->doubt = false;
        bool ours = adt_is_ours(thing);
        thing->owned = thing->owned || ours;
        thing->created = thing->created || ours;
    }
    adt_bring(thing);
}

static void take_creation(struct gm_call *call, const struct gm_http_answer *answer)
{
    struct adt_thing *thing = call->ctx;
    if (adt_is_good(answer)) {
        thing->created = thing->owned = true;
        settle(thing);
    } else if (answer->status == 412) {
        /* It is there: since before, or since an attempt of ours. */
        thing->doubt = thing->doubt || call->repeated ||
                       (thing->known != NULL && thing->known->waiting_for.p != NULL);
        thing->owned = false;
        read_again(thing);
    } else if (!adt_is_systemic(thing, answer) &&
               !waits(thing, adt_error_code(thing->sink, answer))) {
        adt_refuse(thing, answer);
    }
}

static void take_patch(struct gm_call *call, const struct gm_http_answer *answer)
{
    struct adt_thing *thing = call->ctx;
    if (adt_is_good(answer)) {
        thing->changed = true;
        settle(thing);
        return;
    }
    if (adt_is_systemic(thing, answer)) {
        return;
    }
    struct gm_str code = adt_error_code(thing->sink, answer);
    bool gone = answer->status == 404 &&
                (gm_str_is(code, "DigitalTwinNotFound") || gm_str_is(code, "RelationshipNotFound"));
    if (gone && !waits(thing, code)) {
        find_nothing(thing);
    } else if (answer->status == 412) {
        read_again(thing);
    } else if (answer->status == 400 && gm_str_is(code, "JsonPatchInvalid") && !thing->reread) {
        /* Somebody has removed what we remove: what is there tells what is left to do. */
        thing->reread = true;
        read_again(thing);
    } else if (!gone) {
        adt_refuse(thing, answer);
    }
}

static void take_removal(struct gm_call *call, const struct gm_http_answer *answer)
{
    struct adt_thing *thing = call->ctx;
    if (adt_is_good(answer) || answer->status == 404) {
        if (answer->status == 404 && adt_is_systemic(thing, answer)) {
            return;
        }
        thing->changed = true;
        thing->there = NULL;
        thing->etag_z = NULL;
        thing->owned = true;
        adt_bring(thing);
    } else if (answer->status == 412) {
        read_again(thing);
    } else if (!adt_is_systemic(thing, answer)) {
        adt_refuse(thing, answer);
    }
}
