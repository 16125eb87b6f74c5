/* Entities: what they are now, and snapshots. */
#include "api/streams/inside.h"
#include "base/num.h"
#include "hub/event_json.h"
#include "stream/entity.h"

enum { EVENTS_DEFAULT = 1000, EVENTS_MAX = 100000 };

/* ---- reading ---- */

/* NULL: the call is ended. */
static struct gm_entity *open_entity(struct gm_adt_call *call, int64_t after, size_t limit)
{
    struct gm_err err = {0};
    struct gm_entity *entity;
    const struct gm_hub_stream *stream = gm_streams_find(call);
    if (stream == NULL) {
        return NULL;
    }
    const struct gm_entity_query query = {.key = call->parts[1], .after = after, .limit = limit};
    gm_rc rc = gm_entity_open(stream->stream, &query, &entity, &err);
    if (rc == GM_OK && entity->version == 0) {
        gm_entity_close(entity);
        gm_adt_refuse(call, 404, "EntityNotFound", "The entity " GM_STR_FMT " has no events.",
                      GM_STR_ARG(call->parts[1]));
        return NULL;
    }
    if (rc == GM_OK) {
        return entity;
    }
    if (rc == GM_E_CONFIG || rc == GM_E_LIMIT) {
        gm_adt_refuse(call, 400, GM_STREAMS_INVALID, "%s", err.text);
    } else {
        gm_adt_fail(call, rc, &err);
    }
    return NULL;
}

static void write_snapshot(const struct gm_entity *entity, struct gm_buf *out)
{
    char taken[GM_TIME_TEXT_SIZE];
    (void)gm_time_format_short(entity->state_taken, taken);
    gm_buf_addf(out,
                "{\"version\":%lld,\"taken\":\"%s\",\"state\":", (long long)entity->state_version,
                taken);
    gm_buf_add(out, entity->state);
    gm_buf_add_char(out, '}');
}

static void answer_entity(struct gm_adt_call *call, const struct gm_entity *entity)
{
    struct gm_buf *out = &call->http->reply.body;
    gm_buf_add_z(out, "{\"key\":");
    gm_json_quote(out, call->parts[1]);
    gm_buf_addf(out, ",\"version\":%lld", (long long)entity->version);
    if (entity->merges) {
        gm_buf_add_z(out, ",\"state\":");
        gm_buf_add(out, entity->merged.n > 0 ? entity->merged : GM_STR("null"));
    }
    if (entity->state.n > 0) {
        gm_buf_add_z(out, ",\"snapshot\":");
        write_snapshot(entity, out);
    }
    if (entity->trimmed) {
        gm_buf_add_z(out, ",\"trimmed\":true");
    }
    gm_buf_addf(out, ",\"first\":%lld,\"events\":[", (long long)entity->first);
    for (size_t i = 0; i < entity->count; i++) {
        gm_buf_add_z(out, i > 0 ? "," : "");
        gm_event_write_json(&entity->events[i], -1, out);
    }
    gm_buf_add_z(out, "]}");
    gm_adt_reply_header(call, "ETag",
                        gm_arena_format(call->arena, "\"%lld\"", (long long)entity->version));
    gm_adt_answer(call, 200);
}

static void entity_work(struct gm_adt_call *call)
{
    int64_t after = -1, limit = EVENTS_DEFAULT;
    struct gm_str after_text = gm_adt_param(call, "after"),
                  limit_text = gm_adt_param(call, "limit");
    if ((after_text.n > 0 && (!gm_parse_i64(after_text, &after) || after < 0)) ||
        (limit_text.n > 0 && (!gm_parse_i64(limit_text, &limit) || limit < 0))) {
        gm_adt_refuse(call, 400, GM_STREAMS_INVALID, "`after` and `limit` are numbers from 0.");
        return;
    }
    struct gm_entity *entity =
        open_entity(call, after, (size_t)(limit < EVENTS_MAX ? limit : EVENTS_MAX));
    if (entity != NULL) {
        answer_entity(call, entity);
        gm_entity_close(entity);
    }
}

void gm_streams_entity_get(struct gm_adt_call *call)
{
    gm_adt_work(call, entity_work);
}

static void snapshot_work(struct gm_adt_call *call)
{
    struct gm_entity *entity = open_entity(call, -1, 0);
    if (entity == NULL) {
        return;
    }
    if (entity->state.n == 0) {
        gm_adt_refuse(call, 404, "SnapshotNotFound", "The entity " GM_STR_FMT " has no snapshot.",
                      GM_STR_ARG(call->parts[1]));
    } else {
        write_snapshot(entity, &call->http->reply.body);
        gm_adt_answer(call, 200);
    }
    gm_entity_close(entity);
}

void gm_streams_snapshot_get(struct gm_adt_call *call)
{
    gm_adt_work(call, snapshot_work);
}

/* ---- putting a snapshot ---- */

struct snapshot_put {
    struct gm_adt_call *call;
    struct gm_append append;
    struct gm_stream_snapshot snapshot;
};

static void put_committed(void *ctx, gm_rc rc, const struct gm_err *err)
{
    const struct snapshot_put *put = ctx; /* in the call's arena */
    struct gm_adt_call *call = put->call;
    if (rc != GM_OK) {
        gm_adt_fail(call, rc, err);
    } else if (put->append.moved) {
        gm_adt_refuse(call, 409, "VersionConflict",
                      "The entity " GM_STR_FMT " has version %lld; a snapshot of version %lld "
                      "cannot be.",
                      GM_STR_ARG(call->parts[1]), (long long)put->append.version,
                      (long long)put->snapshot.version);
    } else {
        gm_buf_addf(&call->http->reply.body, "{\"version\":%lld}",
                    (long long)put->snapshot.version);
        gm_adt_answer(call, 200);
    }
}

static bool keep_state(struct gm_adt_call *call, const yyjson_mut_val *state, struct gm_str *out)
{
    struct gm_buf text;
    gm_buf_init(&text, GM_EVENT_BODY_SIZE_MAX);
    gm_json_write(state, &text);
    *out = gm_buf_failed(&text) ? (struct gm_str){NULL, 0}
                                : gm_arena_dup(call->arena, gm_buf_str(&text));
    gm_buf_deinit(&text);
    if (out->p == NULL) {
        gm_adt_refuse(call, 413, "RequestEntityTooLarge", "The state has more than %d bytes.",
                      GM_EVENT_BODY_SIZE_MAX);
    }
    return out->p != NULL;
}

void gm_streams_snapshot_put(struct gm_adt_call *call)
{
    struct gm_err err = {0};
    const struct gm_hub_stream *stream = gm_streams_find(call);
    yyjson_mut_val *body = stream != NULL ? gm_adt_body(call) : NULL;
    if (body == NULL) {
        return;
    }
    const yyjson_mut_val *version = gm_json_member(body, GM_STR("version"));
    const yyjson_mut_val *state = gm_json_member(body, GM_STR("state"));
    bool whole = gm_json_type(version) == YYJSON_TYPE_NUM && version->uni.i64 > 0 &&
                 (version->tag & YYJSON_SUBTYPE_MASK) != YYJSON_SUBTYPE_REAL;
    if (!whole || state == NULL) {
        gm_adt_refuse(call, 400, GM_STREAMS_INVALID,
                      "The body is {\"version\":…,\"state\":…}, with a version from 1.");
        return;
    }
    struct snapshot_put *put = gm_arena_zalloc(call->arena, sizeof(*put));
    GM_ASSERT(put != NULL); /* the arena takes far more than a body */
    put->call = call;
    put->snapshot = (struct gm_stream_snapshot){.key = call->parts[1], .version = version->uni.i64};
    if (!keep_state(call, state, &put->snapshot.state)) {
        return;
    }
    put->append = (struct gm_append){.snapshot = &put->snapshot, .done = put_committed, .ctx = put};
    gm_rc rc = gm_stream_submit(stream->stream, &put->append, &err);
    if (rc == GM_E_CONFIG || rc == GM_E_INVALID) {
        gm_adt_refuse(call, 400, GM_STREAMS_INVALID, "%s", err.text);
    } else if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
    }
}
