/* Events into a stream of the configuration, from where views fold them, pipelines read them and
 * clients follow them: keyed by twin, with the CloudEvent as body. CloudEvents are told apart by
 * `source` and `id`, which the stream takes once: what is delivered again is not there twice. */
#include "base/mem.h"
#include "base/vec.h"
#include "connect/endpoint.h"
#include "stream/directory.h"
#include "json/json.h"

enum { ARENA_SIZE = 64 << 20 };

struct stream_conf {
    struct gm_endpoint_conf endpoint;
    const char *name;
};

static const struct gm_field stream_fields[] = {
    GM_FIELD_STR(struct stream_conf, name, .flags = GM_F_REQUIRED, .example = "changes",
                 .help = "The stream, declared under `streams`. Its key is the twin, its body the "
                         "CloudEvent. One that feeds a pipeline into the same twins goes round "
                         "for ever."),
    GM_ENDPOINT_FIELDS(struct stream_conf),
    GM_FIELD_END,
};

struct stream_endpoint {
    struct gm_stream *stream; /* the directory's */
    struct gm_arena *arena;   /* texts of `events` */
    GM_VEC(struct gm_event) events;
};

static const char *stream_name_z(const void *conf)
{
    return ((const struct stream_conf *)conf)->name;
}

static gm_rc stream_open(const void *conf, const struct gm_stream_directory *streams,
                         void **out_self, struct gm_err *err)
{
    const char *name_z = stream_name_z(conf);
    struct gm_stream *stream = gm_stream_find(streams, gm_str_z(name_z));
    if (stream == NULL) {
        return gm_fail(err, GM_E_CONFIG, "there is no stream `%s`; declare it under `streams`",
                       name_z);
    }
    struct stream_endpoint *endpoint = gm_alloc(sizeof(*endpoint));
    endpoint->stream = stream;
    endpoint->arena = gm_arena_new(ARENA_SIZE);
    *out_self = endpoint;
    return GM_OK;
}

static void stream_close(void *self)
{
    struct stream_endpoint *endpoint = self;
    if (endpoint != NULL) {
        gm_vec_deinit(&endpoint->events);
        gm_arena_free(endpoint->arena);
        gm_free(endpoint);
    }
}

static gm_rc make_event(struct stream_endpoint *endpoint, const struct gm_delivery *delivery,
                        size_t at, struct gm_event *out_event, struct gm_err *err)
{
    struct gm_str text = delivery->events[at];
    yyjson_mut_val *value;
    *out_event = (struct gm_event){.key = delivery->twins[at], .body = text};
    GM_TRY(gm_event_check(out_event, err)); /* before so much is parsed */
    GM_TRY(gm_json_parse(gm_json_doc_new(endpoint->arena), text, &value, err));
    out_event->type = gm_json_str(yyjson_mut_obj_get(value, "type"));
    out_event->origin = gm_json_str(yyjson_mut_obj_get(value, "source"));
    out_event->id = gm_json_str(yyjson_mut_obj_get(value, "id"));
    if (!gm_time_parse(gm_json_str(yyjson_mut_obj_get(value, "time")), &out_event->time)) {
        return gm_fail(err, GM_E_INVALID, "the event has no time");
    }
    return gm_event_check(out_event, err);
}

/* As many as there is room for, up to the first that the stream cannot take. That one's error is
 * told when it is the first of a delivery. */
static gm_rc make_events(struct stream_endpoint *endpoint, const struct gm_delivery *delivery,
                         struct gm_err *err)
{
    gm_arena_reset(endpoint->arena);
    endpoint->events.n = 0;
    while (endpoint->events.n < delivery->count) {
        struct gm_event event;
        gm_rc rc = make_event(endpoint, delivery, endpoint->events.n, &event, err);
        if (rc != GM_OK) {
            return endpoint->events.n > 0 ? GM_OK : rc;
        }
        *gm_vec_push(&endpoint->events) = event;
    }
    return GM_OK;
}

static gm_rc stream_deliver(void *self, struct gm_delivery *delivery, struct gm_err *err)
{
    struct stream_endpoint *endpoint = self;
    const struct gm_deadline until = {.stop = delivery->stop};
    delivery->taken = 0;
    delivery->retry_after = 0;
    GM_TRY(make_events(endpoint, delivery, err));
    struct gm_append append = {
        .events = endpoint->events.at, .count = endpoint->events.n, .checked = true};
    gm_rc rc = gm_stream_append(endpoint->stream, &append, &until, err);
    if (rc == GM_OK) {
        delivery->taken = append.count;
        return GM_OK;
    }
    /* A disk that is full or failing may be seen to; the store's own failures are not meant. */
    return err->rc = gm_stop_requested(delivery->stop) ? GM_E_CANCELLED : GM_E_RETRY;
}

const struct gm_endpoint gm_endpoint_stream = {
    .name_z = "stream",
    .help_z = "Appends each event to a stream.",
    .fields = stream_fields,
    .conf_size = sizeof(struct stream_conf),
    .self = &gm_endpoint_stream,
    .stream_z = stream_name_z,
    .open = stream_open,
    .deliver = stream_deliver,
    .close = stream_close,
};
