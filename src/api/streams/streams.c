/* The table of operations, and the part's life. */
#include "api/streams/streams.h"

#include "api/streams/inside.h"
#include "base/mem.h"
#include "store/feed.h"

static const struct gm_adt_operation operations[] = {
    {"GET", "/streams", GM_ADT_READER, GM_ADT_SMALL, "200",
     "The streams, with their figures, in `value`.", gm_streams_list},
    {"GET", "/streams/{name}", GM_ADT_READER, GM_ADT_SMALL, "200", "A stream, with its figures.",
     gm_streams_get},
    {"POST", "/streams/{name}/events", GM_ADT_WRITER, GM_ADT_EVENTS, "200",
     "Appends events, and answers `{\"appended\":…,\"duplicates\":…}` after the commit. By "
     "`Content-Type`: `application/x-ndjson`, `application/json` (an array, a value, or lines), "
     "`application/cloudevents+json`, `application/cloudevents-batch+json`, or a CloudEvent in "
     "binary mode; `Content-Encoding` may be `gzip` or `zstd`. When one is wrong nothing is taken "
     "(400, with the list) unless `?partial=true`. The header `Idempotency-Key` makes a request "
     "that is repeated count once. Another Gemel forwards a stream with "
     "`application/vnd.gemel.parcel`. 429 with `Retry-After`: too much waits for the disk.",
     gm_streams_push},
    {"GET", "/streams/{name}/events", GM_ADT_READER, GM_ADT_SMALL, "200",
     "Events from a cursor on: `from` (`oldest`, `newest`, a time, or what `cursor` of the page "
     "before was), `limit` (100; 10000 at most), `key`, `wait` (`30s`: how long to wait for the "
     "first). "
     "With `Accept: text/event-stream` server-sent events, which go on behind `Last-Event-ID`.",
     gm_streams_events},
    {"POST", "/streams/{name}/entities/{key}/events", GM_ADT_WRITER, GM_ADT_EVENTS, "200",
     "Appends events of one entity. `If-Match`, or `?expected=`, is the version that it must have: "
     "409 when it moved. The answer has its `version` afterwards.",
     gm_streams_entity_push},
    {"GET", "/streams/{name}/entities/{key}", GM_ADT_READER, GM_ADT_SMALL, "200",
     "An entity: its `version`, its newest `snapshot`, and the `events` since; or behind the "
     "version `after`. `limit`: 1000. Of a stream with `state: merge` its `state`, and events only "
     "behind `after`.",
     gm_streams_entity_get},
    {"GET", "/streams/{name}/snapshots/{key}", GM_ADT_READER, GM_ADT_SMALL, "200",
     "The newest snapshot of an entity: `version` and `state`.", gm_streams_snapshot_get},
    {"PUT", "/streams/{name}/snapshots/{key}", GM_ADT_WRITER, GM_ADT_EVENTS, "200",
     "Keeps `{\"version\":…,\"state\":…}`: what the entity's events up to `version` come to. One "
     "that is older than what is kept is passed over.",
     gm_streams_snapshot_put},
    {"GET", "/commands", GM_ADT_READER, GM_ADT_SMALL, "200",
     "The commands, each with the JSON Schema of its body, in `value`.", gm_commands_op_list},
    {"POST", "/commands/{name}", GM_ADT_WRITER, GM_ADT_EVENTS, "200, 201",
     "Does a command: the body is checked, its event appended, and answered after the commit with "
     "`key`, `version`, `partition` and `offset`; 201 when the entity is new. 400 lists every "
     "problem in `details`. `If-Match` is the version that the entity must have (409 when it "
     "moved); without it the command looks again. With an `Idempotency-Key` a command that is sent "
     "again is appended once, and answered as the first time, with `Idempotency-Replayed`. 404: "
     "no such command, or no such entity. 409: the entity is there already, what the command "
     "refers to is not, or its condition does not hold.",
     gm_commands_op_do},
    {"GET", "/changes", GM_ADT_READER, GM_ADT_SMALL, "200",
     "The twins' changes from a number on: `from`, `limit`, `wait`, and server-sent events, as of "
     "a stream's events.",
     gm_streams_changes},
    {"GET", "/views", GM_ADT_READER, GM_ADT_SMALL, "200",
     "The views: how far each is behind its stream, in `value`.", gm_views_op_list},
    {"GET", "/views/{name}", GM_ADT_READER, GM_ADT_SMALL, "200",
     "Rows of a view in order of windows and keys: `key`, `from` and `to` (times between which "
     "windows begin), `limit` (100; 10000 at most), `continuationToken`.",
     gm_views_op_rows},
    {"GET", "/views/{name}/changes", GM_ADT_READER, GM_ADT_SMALL, "200",
     "Rows of a view that changed, as they are now, from a cursor on: `from` (`oldest`: all rows, "
     "then what changes; `newest`; or what `cursor` of the page before was), `limit`, `key`, "
     "`wait`, and server-sent events, as of a stream's events. 410: the cursor is of a view that "
     "is no more; begin with `oldest`.",
     gm_views_op_changes},
    {"POST", "/views/{name}/rebuild", GM_ADT_ADMIN, GM_ADT_SMALL, "202",
     "Makes the view anew from its stream; the old one serves until that is done.",
     gm_views_op_rebuild},
    {0},
};

const struct gm_adt_operation *gm_streams_api_operations(void)
{
    return operations;
}

/* ---- life ---- */

static void note_commit(void *ctx)
{
    struct gm_streams_api *api = ctx;
    gm_follow_room_news(&api->events);
}

static void note_fold(void *ctx)
{
    struct gm_streams_api *api = ctx;
    gm_follow_room_news(&api->views);
}

static void hook_streams(struct gm_streams_api *api, void (*fn)(void *ctx))
{
    for (size_t i = 0; i < gm_hub_count(api->options.hub); i++) {
        gm_stream_on_commit(gm_hub_at(api->options.hub, i)->stream, fn, api);
    }
}

static gm_rc start(struct gm_streams_api *api, struct gm_err *err)
{
    GM_TRY(gm_feed_open(api->options.store, &api->feed, err));
    GM_TRY(gm_follow_room_open(&api->events, "gemel-follow", err));
    GM_TRY(gm_follow_room_open(&api->views, "gemel-view-feed", err));
    hook_streams(api, note_commit);
    gm_views_on_news(api->options.views, note_fold, api);
    return gm_thread_start("gemel-changes", gm_follow_changes_main, api, &api->changes, err);
}

gm_rc gm_streams_api_open(const struct gm_streams_api_options *options,
                          struct gm_streams_api **out_streams, struct gm_err *err)
{
    struct gm_streams_api *api = gm_alloc(sizeof(*api));
    api->options = *options;
    api->pool_mu = gm_mutex_new();
    api->given = gm_cond_new();
    gm_rc rc = start(api, err);
    if (rc != GM_OK) {
        gm_streams_api_close(api);
        return rc;
    }
    *out_streams = api;
    return GM_OK;
}

void gm_streams_api_stop(struct gm_streams_api *api)
{
    if (api == NULL) {
        return;
    }
    gm_follow_room_stop(&api->events);
    gm_follow_room_stop(&api->views);
    if (api->feed != NULL) {
        gm_feed_wake(api->feed);
    }
    gm_thread_join(api->changes);
    api->changes = NULL;
}

void gm_streams_api_close(struct gm_streams_api *api)
{
    if (api == NULL) {
        return;
    }
    gm_streams_api_stop(api);
    hook_streams(api, NULL);
    gm_views_on_news(api->options.views, NULL, NULL);
    gm_feed_close(api->feed);
    gm_push_free_all(api);
    gm_cond_free(api->given);
    gm_mutex_free(api->pool_mu);
    gm_follow_room_close(&api->views);
    gm_follow_room_close(&api->events);
    gm_free(api);
}

void gm_streams_api_followers(struct gm_streams_api *api, gm_follower_fn fn, void *ctx)
{
    if (api != NULL) {
        gm_follow_room_each(&api->events, fn, ctx);
        gm_follow_room_each(&api->views, fn, ctx);
    }
}

const struct gm_hub_stream *gm_streams_find(struct gm_adt_call *call)
{
    const struct gm_streams_api *api = call->mount;
    const struct gm_hub_stream *stream = gm_hub_find(api->options.hub, call->parts[0]);
    if (stream == NULL) {
        gm_adt_refuse(call, 404, "StreamNotFound", "There is no stream " GM_STR_FMT ".",
                      GM_STR_ARG(call->parts[0]));
    }
    return stream;
}
