/* POST of events: decoded on the thread that serves the connection, appended by the stream's
 * writer, which answers after the commit. */
#include "api/streams/inside.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "net/content.h"
#include "stream/parcel.h"

enum {
    SPARE_MAX = 32,
    KEPT_SIZE_MAX = 1 << 20, /* of the unpacked body, by one that is spare */
    IDEMPOTENCY_KEY_MAX = 200,
};

/* One request under way. */
struct gm_push {
    struct gm_adt_call *call;
    const struct gm_hub_stream *stream;
    struct gm_append append;
    struct gm_decoded *decoded;
    struct gm_buf plain; /* the body, unpacked */
    struct gm_event known;
    struct gm_received received;  /* of a parcel */
    struct gm_unpacker *unpacker; /* what its events borrow from; NULL: it is none */
    bool entity;
    struct gm_push *next;
};

/* ---- those that nobody uses ---- */

static void free_push(struct gm_push *push)
{
    gm_decoded_free(push->decoded);
    gm_buf_deinit(&push->plain);
    gm_free(push);
}

void gm_push_free_all(struct gm_streams_api *api)
{
    gm_mutex_lock(api->pool_mu);
    while (api->push_count > 0) {
        gm_cond_wait(api->given, api->pool_mu);
    }
    gm_mutex_unlock(api->pool_mu);
    while (api->spare != NULL) {
        struct gm_push *push = api->spare;
        api->spare = push->next;
        free_push(push);
    }
}

static struct gm_push *take_push(struct gm_streams_api *api, size_t size_max)
{
    gm_mutex_lock(api->pool_mu);
    struct gm_push *push = api->spare;
    api->push_count++;
    if (push != NULL) {
        api->spare = push->next;
        api->spare_count--;
    }
    gm_mutex_unlock(api->pool_mu);
    if (push == NULL) {
        push = gm_alloc(sizeof(*push));
        push->decoded = gm_decoded_new(2 * size_max);
        gm_buf_init(&push->plain, size_max);
    }
    push->append = (struct gm_append){0};
    push->known = (struct gm_event){0};
    push->entity = false;
    return push;
}

static void give_push(struct gm_streams_api *api, struct gm_push *push)
{
    gm_decoded_reset(push->decoded);
    gm_buf_reset(&push->plain);
    gm_unpacker_free(push->unpacker);
    push->unpacker = NULL;
    gm_mutex_lock(api->pool_mu);
    bool kept = push->plain.capacity <= KEPT_SIZE_MAX && api->spare_count < SPARE_MAX;
    if (kept) {
        push->next = api->spare;
        api->spare = push;
        api->spare_count++;
    }
    api->push_count--;
    gm_cond_signal(api->given);
    gm_mutex_unlock(api->pool_mu);
    if (!kept) {
        free_push(push);
    }
}

/* ---- the body ---- */

static gm_rc unpack(struct gm_push *push, struct gm_str *out_text, struct gm_err *err)
{
    struct gm_adt_call *call = push->call;
    enum gm_coding coding = gm_coding_find(gm_adt_header_z(call, "Content-Encoding"));
    if (coding == GM_CODING_NONE) {
        *out_text = call->http->body;
        return GM_OK;
    }
    GM_TRY(gm_content_decode(coding, call->http->body, &push->plain, err));
    *out_text = gm_buf_str(&push->plain);
    return GM_OK;
}

static struct gm_str media_type(struct gm_adt_call *call)
{
    struct gm_str type, rest;
    struct gm_str header = gm_str_z(gm_adt_header_z(call, "Content-Type"));
    (void)gm_str_cut(header, ';', &type, &rest);
    return gm_arena_dup(call->arena, gm_str_trim(type)); /* with a NUL behind */
}

static struct gm_str header_text(struct gm_adt_call *call, const char *name_z)
{
    struct gm_str text = {NULL, 0};
    const char *value_z = gm_adt_header_z(call, name_z);
    return value_z != NULL && gm_adt_unescape(call->arena, gm_str_z(value_z), &text)
               ? text
               : (struct gm_str){NULL, 0};
}

/* A CloudEvent in binary mode: attributes in headers, data in the body. */
static void decode_binary(struct gm_push *push, struct gm_str text)
{
    struct gm_adt_call *call = push->call;
    struct gm_event known = push->known;
    struct gm_str time = header_text(call, "ce-time");
    known.id = header_text(call, "ce-id");
    known.origin = header_text(call, "ce-source");
    known.type = header_text(call, "ce-type");
    if (known.key.n == 0) {
        known.key = header_text(call, "ce-partitionkey");
    }
    if (known.key.n == 0) {
        known.key = header_text(call, "ce-subject");
    }
    if (known.id.n == 0 || known.origin.n == 0 || known.type.n == 0) {
        gm_decoded_refuse(push->decoded, 1,
                          "no CloudEvent: the headers ce-id, ce-source and ce-type are wanted");
    } else if (time.n > 0 && !gm_time_parse(time, &known.time)) {
        gm_decoded_refuse(push->decoded, 1, "`ce-time`: a time (RFC 3339) is wanted");
    } else {
        gm_decode_one(push->stream->decoder, text, &known, push->decoded);
    }
}

/* False: nobody knows how to read it. */
static bool decode_body(struct gm_push *push, struct gm_str text)
{
    static const struct {
        const char *type_z;
        enum gm_form form;
    } forms[] = {
        {"application/cloudevents+json", GM_FORM_CLOUD},
        {"application/cloudevents-batch+json", GM_FORM_CLOUD_BATCH},
        {"application/x-ndjson", GM_FORM_LINES},
        {"application/ndjson", GM_FORM_LINES},
        {"application/jsonl", GM_FORM_LINES},
        {"application/x-jsonlines", GM_FORM_LINES},
        {"application/json", GM_FORM_JSON},
        {"text/json", GM_FORM_JSON},
        {"text/plain", GM_FORM_JSON},
        {"application/x-www-form-urlencoded", GM_FORM_JSON}, /* what curl sends unasked */
        {"", GM_FORM_JSON},
    };
    struct gm_str type = media_type(push->call);
    size_t at = 0;
    while (at < GM_ARRAY_COUNT(forms) && !gm_str_same(type, gm_str_z(forms[at].type_z))) {
        at++;
    }
    bool structured = at < 2;
    if (!structured && gm_adt_header_z(push->call, "ce-specversion") != NULL) {
        decode_binary(push, text);
        return true;
    }
    if (at < GM_ARRAY_COUNT(forms)) {
        gm_decode(push->stream->decoder, forms[at].form, text, push->decoded);
    }
    return at < GM_ARRAY_COUNT(forms);
}

/* ---- answers ---- */

/* How far a link has come, for the Gemel at its other end. */
static void say_next(struct gm_push *push)
{
    struct gm_adt_call *call = push->call;
    gm_adt_reply_header(call, "Gemel-Next",
                        gm_arena_format(call->arena, "%lld", (long long)push->append.version));
    gm_adt_reply_header(call, "Gemel-Appended",
                        gm_arena_format(call->arena, "%zu", push->append.appended));
}

static void answer_taken(struct gm_push *push)
{
    struct gm_adt_call *call = push->call;
    struct gm_buf *body = &call->http->reply.body;
    const struct gm_append *append = &push->append;
    gm_buf_addf(body, "{\"appended\":%zu,\"duplicates\":%zu", append->appended, append->duplicates);
    if (push->entity) {
        struct gm_str etag = gm_arena_format(call->arena, "\"%lld\"", (long long)append->version);
        gm_buf_addf(body, ",\"version\":%lld", (long long)append->version);
        gm_adt_reply_header(call, "ETag", etag);
    }
    if (append->link != NULL) {
        say_next(push);
    }
    if (push->decoded->wrong_count > 0) {
        gm_decoded_write_wrong(push->decoded, body);
    }
    gm_buf_add_char(body, '}');
    gm_adt_answer(call, 200);
}

static void answer_moved(struct gm_push *push)
{
    const struct gm_append *append = &push->append;
    if (append->link != NULL) {
        say_next(push);
        gm_adt_refuse(push->call, 409, "LinkBroken",
                      "Events are missing between %lld, which the link has come to, and %lld.",
                      (long long)append->version, (long long)append->link->after);
        return;
    }
    gm_adt_refuse(
        push->call, 409, "VersionConflict", "The entity " GM_STR_FMT " has version %lld, not %lld.",
        GM_STR_ARG(push->call->parts[1]), (long long)append->version, (long long)append->expected);
}

/* The events that are wrong, with their reasons; nothing was taken. */
static void answer_wrong(struct gm_push *push)
{
    const struct gm_decoded *decoded = push->decoded;
    struct gm_adt_call *call = push->call;
    struct gm_adt_detail *details =
        gm_arena_alloc(call->arena, decoded->wrong.n * sizeof(*details));
    for (size_t i = 0; details != NULL && i < decoded->wrong.n; i++) {
        const struct gm_wrong *wrong = &decoded->wrong.at[i];
        details[i] = (struct gm_adt_detail){
            .code_z = "InvalidEvent",
            .message = gm_arena_format(call->arena, "event %zu: " GM_STR_FMT, wrong->number,
                                       GM_STR_ARG(wrong->reason))};
    }
    gm_adt_refuse_detailed(
        call,
        &(struct gm_adt_refusal){.status = 400,
                                 .code_z = "InvalidEvents",
                                 .message = gm_arena_format(
                                     call->arena, "%zu of the events are wrong; nothing was taken.",
                                     decoded->wrong_count),
                                 .details = details,
                                 .detail_count = details != NULL ? decoded->wrong.n : 0});
}

/* ---- appending ---- */

/* Nothing of it was taken. What the storage says is for whoever runs this, and so is the end of
 * this process, which is near when storage failed: to the producer it is as if nobody were here. */
static void fail(struct gm_adt_call *call, gm_rc rc, const struct gm_err *err)
{
    if (rc != GM_E_IO && rc != GM_E_CORRUPT) {
        gm_adt_fail(call, rc, err);
        return;
    }
    gm_log_error("stream.failed", GM_L_Z("path", call->http->path_z), GM_L_Z("error", err->text));
    gm_adt_reply_header(call, "Retry-After", GM_STR("5"));
    gm_adt_refuse(call, 503, "ServiceUnavailable",
                  "The stream cannot be written now; the server's log says why.");
}

/* On the stream's writer, after the commit. */
static void committed(void *ctx, gm_rc rc, const struct gm_err *err)
{
    struct gm_push *push = ctx;
    struct gm_streams_api *api = push->call->mount;
    if (rc != GM_OK) {
        fail(push->call, rc, err);
    } else if (push->append.moved) {
        answer_moved(push);
    } else {
        answer_taken(push);
    }
    give_push(api, push);
}

/* A repeated request has the same events at the same places. */
static gm_rc derive_ids(struct gm_push *push, struct gm_err *err)
{
    const char *key_z = gm_adt_header_z(push->call, "Idempotency-Key");
    if (key_z == NULL) {
        return GM_OK;
    }
    if (strlen(key_z) == 0 || strlen(key_z) > IDEMPOTENCY_KEY_MAX) {
        return gm_fail(err, GM_E_INVALID, "The Idempotency-Key has 1 to %d characters.",
                       IDEMPOTENCY_KEY_MAX);
    }
    gm_rc rc = gm_decoded_derive_ids(push->decoded, key_z, err);
    return rc == GM_E_LIMIT ? gm_fail(err, GM_E_INVALID, "The request has too many events.") : rc;
}

gm_rc gm_streams_expected(struct gm_adt_call *call, bool *out_expects, int64_t *out_expected,
                          struct gm_err *err)
{
    struct gm_str text = gm_adt_param(call, "expected");
    const char *match_z = gm_adt_header_z(call, "If-Match");
    if (match_z != NULL) {
        text = gm_str_trim(gm_str_z(match_z));
        if (text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"') {
            text = (struct gm_str){text.p + 1, text.n - 2};
        }
    }
    if (match_z == NULL && text.n == 0) {
        return GM_OK;
    }
    *out_expects = true;
    if (!gm_parse_i64(text, out_expected) || *out_expected < 0) {
        return gm_fail(err, GM_E_INVALID,
                       "The expected version `" GM_STR_FMT "` is no number from 0.",
                       GM_STR_ARG(text));
    }
    return GM_OK;
}

static gm_rc check_entity(struct gm_push *push, struct gm_err *err)
{
    const struct gm_decoded *decoded = push->decoded;
    if (!push->entity) {
        return GM_OK;
    }
    for (size_t i = 0; i < decoded->events.n; i++) {
        if (!gm_str_eq(decoded->events.at[i].key, push->call->parts[1])) {
            return gm_fail(err, GM_E_INVALID,
                           "Event %zu is about `" GM_STR_FMT "`, not about this entity.",
                           decoded->numbers.at[i], GM_STR_ARG(decoded->events.at[i].key));
        }
    }
    return gm_streams_expected(push->call, &push->append.expects, &push->append.expected, err);
}

/* True: the stream's writer has it. Otherwise the call is ended. */
static bool submit(struct gm_push *push)
{
    struct gm_adt_call *call = push->call;
    struct gm_err err = {0};
    push->append.done = committed;
    push->append.ctx = push;
    gm_rc rc = GM_OK;
    if (push->append.link == NULL) {
        push->append.events = push->decoded->events.at;
        push->append.count = push->decoded->events.n;
        push->append.checked = true;
        rc = derive_ids(push, &err);
        rc = rc == GM_OK ? check_entity(push, &err) : rc;
    }
    rc = rc == GM_OK ? gm_stream_submit(push->stream->stream, &push->append, &err) : rc;
    switch (rc) {
    case GM_OK:
        return true;
    case GM_E_RETRY:
        gm_adt_reply_header(call, "Retry-After", GM_STR("1"));
        gm_adt_refuse(call, 429, "TooManyRequests", "%s", err.text);
        return false;
    case GM_E_INVALID:
    case GM_E_CONFIG:
        gm_adt_refuse(call, 400, GM_STREAMS_INVALID, "%s", err.text);
        return false;
    default:
        fail(call, rc, &err);
        return false;
    }
}

/* Events of another Gemel's stream: as that took them, so types are not looked at again. */
static gm_rc open_parcel(struct gm_push *push, struct gm_str text, struct gm_err *err)
{
    const struct gm_events *events;
    struct gm_received *received = &push->received;
    uint64_t limit = push->call->adt->conf->limits.events_size;
    GM_TRY(gm_parcel_read(text, received, err));
    if ((uint64_t)received->chunk.size > limit) {
        return gm_fail(err, GM_E_LIMIT, "its events have %lld bytes, %llu are allowed",
                       (long long)received->chunk.size, (unsigned long long)limit);
    }
    push->unpacker = gm_unpacker_new();
    GM_TRY(gm_unpacker_unpack(push->unpacker, &received->chunk, &events, err));
    GM_TRY(gm_decoded_check(push->decoded, events->at, events->n, err));
    push->append.events = events->at;
    push->append.count = events->n;
    push->append.checked = true;
    push->append.link = &received->link;
    push->append.late = gm_str_is(gm_adt_param(push->call, "late"), "true");
    return GM_OK;
}

/* True: the stream's writer has it. Otherwise the call is ended. */
static bool push_parcel(struct gm_push *push, struct gm_str text)
{
    struct gm_err err = {0};
    gm_rc rc = push->entity
                   ? gm_fail(&err, GM_E_INVALID, "A parcel is for a stream, not for an entity.")
                   : open_parcel(push, text, &err);
    if (rc == GM_E_LIMIT) {
        gm_adt_refuse(push->call, 413, "RequestEntityTooLarge", "The parcel is too large: %s.",
                      err.text);
    } else if (rc != GM_OK) {
        gm_adt_refuse(push->call, 400, GM_STREAMS_INVALID, "The parcel is wrong: %s.", err.text);
    }
    return rc == GM_OK && submit(push);
}

/* True: the stream's writer has it. Otherwise the call is ended. */
static bool push_events(struct gm_push *push)
{
    struct gm_adt_call *call = push->call;
    struct gm_err err = {0};
    struct gm_str text;
    gm_rc rc = unpack(push, &text, &err);
    if (rc == GM_E_LIMIT) {
        gm_adt_refuse(call, 413, "RequestEntityTooLarge", "The request's body is too large: %s.",
                      err.text);
        return false;
    }
    if (rc != GM_OK) {
        gm_adt_refuse(call, rc == GM_E_RETRY ? 503 : 400, GM_STREAMS_INVALID,
                      "The request's body cannot be unpacked: %s.", err.text);
        return false;
    }
    struct gm_str type = media_type(call);
    if (gm_str_same(type, GM_STR(GM_PARCEL_TYPE))) {
        return push_parcel(push, text);
    }
    push->decoded->known = &push->known;
    if (!decode_body(push, text)) {
        gm_adt_refuse(call, 415, "UnsupportedMediaType",
                      "The Content-Type is not one that is understood: application/x-ndjson, "
                      "application/json, application/cloudevents+json, "
                      "application/cloudevents-batch+json.");
        return false;
    }
    struct gm_str partial = gm_adt_param(call, "partial");
    if (push->decoded->wrong_count > 0 && !gm_str_is(partial, "true")) {
        answer_wrong(push);
        return false;
    }
    return submit(push);
}

static void push_call(struct gm_adt_call *call, bool entity)
{
    struct gm_streams_api *api = call->mount;
    const struct gm_hub_stream *stream = gm_streams_find(call);
    if (stream == NULL) {
        return;
    }
    struct gm_push *push = take_push(api, (size_t)call->adt->conf->limits.events_size);
    push->call = call;
    push->stream = stream;
    push->entity = entity;
    push->known.key = entity ? call->parts[1] : (struct gm_str){NULL, 0};
    if (!push_events(push)) {
        give_push(api, push);
    }
}

void gm_streams_push(struct gm_adt_call *call)
{
    push_call(call, false);
}

void gm_streams_entity_push(struct gm_adt_call *call)
{
    push_call(call, true);
}
