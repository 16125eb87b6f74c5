/* What there is: streams, pages of events, changes. */
#include "api/streams/inside.h"
#include "base/num.h"
#include "store/feed.h"

enum { PAGE_COUNT = 100, PAGE_COUNT_MAX = 10000 };
#define WAIT_MAX (5 * GM_MINUTE)

/* ---- streams ---- */

/* Everybody who reads the stream and says how far: summed over partitions. */
static void write_consumers(struct gm_stream *stream, struct gm_buf *out)
{
    struct gm_stream_consumer all[GM_STREAM_PARTITIONS_MAX];
    size_t count = gm_stream_consumers(stream, all, GM_ARRAY_COUNT(all));
    gm_buf_add_z(out, ",\"consumers\":[");
    for (size_t i = 0; i < count;) {
        struct gm_str name = all[i].name;
        int64_t lag = 0, lost = 0;
        gm_buf_add_z(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        gm_json_quote(out, name);
        for (; i < count && gm_str_eq(all[i].name, name); i++) {
            lag += gm_stream_next(stream, all[i].partition) - all[i].next;
            lost += all[i].lost;
        }
        gm_buf_addf(out, ",\"lag\":%lld,\"lost\":%lld}", (long long)lag, (long long)lost);
    }
    gm_buf_add_char(out, ']');
}

static void write_forward(const struct gm_forward_status *status, struct gm_buf *out)
{
    char text[GM_TIME_TEXT_SIZE];
    gm_buf_add_z(out, ",\"forward\":{\"url\":");
    gm_json_quote(out, gm_str_z(status->url_z));
    gm_buf_addf(out,
                ",\"events\":%lld,\"duplicates\":%lld,\"failures\":%lld,\"lost\":%lld,"
                "\"lag\":%lld",
                (long long)status->events, (long long)status->duplicates,
                (long long)status->failures, (long long)status->lost, (long long)status->lag);
    if (status->confirmed != 0) {
        (void)gm_time_format_short(status->confirmed, text);
        gm_buf_addf(out, ",\"confirmed\":\"%s\"", text);
    }
    if (status->why.text[0] != '\0') {
        gm_buf_add_z(out, ",\"error\":");
        gm_json_quote(out, gm_str_z(status->why.text));
    }
    gm_buf_add_char(out, '}');
}

static gm_rc write_stream(const struct gm_streams_api *api, const struct gm_hub_stream *stream,
                          struct gm_buf *out, struct gm_err *err)
{
    struct gm_hub_figures figures;
    char first[GM_TIME_TEXT_SIZE] = "", last[GM_TIME_TEXT_SIZE] = "";
    GM_TRY(gm_hub_figures(stream, &figures, err));
    if (figures.last_appended != 0) {
        (void)gm_time_format_short(figures.first_appended, first);
        (void)gm_time_format_short(figures.last_appended, last);
    }
    gm_buf_add_z(out, "{\"name\":");
    gm_json_quote(out, stream->name);
    gm_buf_addf(out,
                ",\"partitions\":%d,\"events\":%lld,\"taken\":%lld,\"bytes\":%llu,"
                "\"bodyBytes\":%llu",
                gm_stream_partitions(stream->stream), (long long)figures.events,
                (long long)figures.taken, (unsigned long long)figures.data_bytes,
                (unsigned long long)figures.body_bytes);
    if (first[0] != '\0') {
        gm_buf_addf(out, ",\"oldest\":\"%s\",\"newest\":\"%s\"", first, last);
    }
    write_consumers(stream->stream, out);
    struct gm_forward_status status;
    if (gm_forwards_status(api->options.forwards, stream->name, &status)) {
        write_forward(&status, out);
    }
    gm_buf_add_char(out, '}');
    return GM_OK;
}

void gm_streams_list(struct gm_adt_call *call)
{
    const struct gm_streams_api *api = call->mount;
    struct gm_buf *body = &call->http->reply.body;
    struct gm_err err = {0};
    gm_rc rc = GM_OK;
    gm_buf_add_z(body, "{\"value\":[");
    for (size_t i = 0; i < gm_hub_count(api->options.hub) && rc == GM_OK; i++) {
        gm_buf_add_z(body, i > 0 ? "," : "");
        rc = write_stream(api, gm_hub_at(api->options.hub, i), body, &err);
    }
    gm_buf_add_z(body, "]}");
    if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
    } else {
        gm_adt_answer(call, 200);
    }
}

void gm_streams_get(struct gm_adt_call *call)
{
    struct gm_err err = {0};
    const struct gm_hub_stream *stream = gm_streams_find(call);
    if (stream == NULL) {
        return;
    }
    gm_rc rc = write_stream(call->mount, stream, &call->http->reply.body, &err);
    if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
    } else {
        gm_adt_answer(call, 200);
    }
}

/* ---- pages ---- */

bool gm_follow_read_asked(struct gm_adt_call *call, struct gm_follow_asked *asked)
{
    const char *accept_z = gm_adt_header_z(call, "Accept");
    const char *last_z = gm_adt_header_z(call, "Last-Event-ID");
    struct gm_str limit = gm_adt_param(call, "limit"), wait = gm_adt_param(call, "wait");
    *asked = (struct gm_follow_asked){.limit = PAGE_COUNT, .from = gm_adt_param(call, "from")};
    asked->events = accept_z != NULL && strstr(accept_z, "text/event-stream") != NULL;
    if (asked->events && last_z != NULL && last_z[0] != '\0') {
        asked->from = gm_str_z(last_z);
    }
    if (limit.n > 0 && (!gm_parse_i64(limit, &asked->limit) || asked->limit < 1)) {
        gm_adt_refuse(call, 400, GM_STREAMS_INVALID, "`limit` is a number from 1.");
        return false;
    }
    if (wait.n > 0 && (!gm_span_parse(wait, &asked->wait) || asked->wait < 0)) {
        gm_adt_refuse(call, 400, GM_STREAMS_INVALID, "`wait` is a span, such as 30s.");
        return false;
    }
    asked->limit = asked->limit < PAGE_COUNT_MAX ? asked->limit : PAGE_COUNT_MAX;
    asked->wait = asked->wait < WAIT_MAX ? asked->wait : WAIT_MAX;
    return true;
}

void gm_follow(struct gm_adt_call *call, const struct gm_follow_asked *asked,
               struct gm_following *following)
{
    following->count_max = (size_t)asked->limit;
    if (asked->events) {
        gm_follow_events(call, following);
    } else {
        gm_follow_poll(call, following, asked->wait);
    }
}

/* ends, when it is not GM_OK */
static gm_rc refuse_start(struct gm_adt_call *call, gm_rc rc, const struct gm_err *err)
{
    if (rc == GM_E_INVALID) {
        gm_adt_refuse(call, 400, GM_STREAMS_INVALID, "%s", err->text);
    } else if (rc != GM_OK) {
        gm_adt_fail(call, rc, err);
    }
    return rc;
}

static void events_work(struct gm_adt_call *call)
{
    struct gm_follow_asked asked;
    struct gm_err err = {0};
    struct gm_stream_cursor from;
    struct gm_following following = {0};
    const struct gm_hub_stream *stream = gm_streams_find(call);
    if (stream == NULL || !gm_follow_read_asked(call, &asked)) {
        return;
    }
    int partitions = gm_stream_partitions(stream->stream);
    gm_rc rc = gm_stream_cursor_parse(asked.from, partitions, &from, &err);
    rc = rc == GM_OK ? gm_stream_follow_open(stream->stream, &from, &following.stream, &err) : rc;
    following.key = gm_adt_param(call, "key");
    following.what_z = gm_arena_format(call->arena, GM_STR_FMT, GM_STR_ARG(stream->name)).p;
    if (refuse_start(call, rc, &err) == GM_OK) {
        gm_follow(call, &asked, &following);
    }
}

void gm_streams_events(struct gm_adt_call *call)
{
    gm_adt_work(call, events_work);
}

/* ---- changes ---- */

static gm_rc find_change(const struct gm_streams_api *api, struct gm_str from, int64_t *out_num,
                         struct gm_err *err)
{
    if (gm_str_is(from, "newest") || from.n == 0) {
        *out_num = gm_store_newest_change(api->options.store) + 1;
        return GM_OK;
    }
    if (!gm_parse_i64(from, out_num) || *out_num < 1) {
        return gm_fail(err, GM_E_INVALID, "`from` is the number of a change, or newest.");
    }
    return GM_OK;
}

static void changes_work(struct gm_adt_call *call)
{
    const struct gm_streams_api *api = call->mount;
    struct gm_follow_asked asked;
    struct gm_err err = {0};
    struct gm_following following = {.what_z = "changes"};
    if (!gm_follow_read_asked(call, &asked)) {
        return;
    }
    gm_rc rc = find_change(api, asked.from, &following.num, &err);
    rc = rc == GM_OK ? gm_feed_open(api->options.store, &following.feed, &err) : rc;
    if (refuse_start(call, rc, &err) == GM_OK) {
        gm_follow(call, &asked, &following);
    }
}

void gm_streams_changes(struct gm_adt_call *call)
{
    gm_adt_work(call, changes_work);
}
