/* Lines of a file into a stream, for `gemel append` where this process has the data directory. */
#include "api/call.h"
#include "base/mem.h"
#include "hub/ingest.h"

enum { KEY_SIZE_MAX = 64 };
#define ROOM_TIME (20 * GM_SECOND) /* how long a piece waits for its place in the stream */

static gm_rc read_query(const struct gm_call *call, int64_t *out_line, struct gm_err *err)
{
    *out_line = 1;
    GM_TRY(gm_admin_number(call->query[0], "line", out_line, err));
    if (*out_line < 1) {
        return gm_fail(err, GM_E_INVALID, "`line` is a number from 1");
    }
    if (call->query[1].n > KEY_SIZE_MAX) {
        return gm_fail(err, GM_E_INVALID, "`key` has at most %d characters", KEY_SIZE_MAX);
    }
    return GM_OK;
}

/* A key is of one run of a command: what is known by it already was taken by that run, whose answer
 * was lost. So it was appended, for whoever counts. */
static void count_again(const struct gm_append *append, struct gm_str key, int64_t counts[2])
{
    counts[0] = (int64_t)append->appended;
    counts[1] = (int64_t)append->duplicates;
    for (size_t i = 0; i < append->count && key.n > 0; i++) {
        struct gm_str id = append->events[i].id;
        bool own = id.n > key.n && gm_str_starts(id, key) && id.p[key.n] == '#';
        if (own && append->offsets[i] < 0) {
            counts[0]++;
            counts[1]--;
        }
    }
}

static gm_rc append_decoded(const struct gm_call *call, const struct gm_hub_stream *stream,
                            struct gm_decoded *decoded, struct gm_err *err)
{
    struct gm_append append = {0};
    int64_t counts[2] = {0, 0}; /* appended, duplicates */
    bool partial = gm_str_is(call->query[2], "true");
    if (call->query[1].n > 0) {
        GM_TRY(gm_decoded_derive_ids(decoded, call->query[1].p, err));
    }
    if (decoded->wrong_count == 0 || partial) {
        const struct gm_deadline deadline = gm_deadline_in(ROOM_TIME, call->desk->stop);
        append.events = decoded->events.at;
        append.count = decoded->events.n;
        append.checked = true;
        GM_AUTO_FREE int64_t *offsets = gm_alloc_array(append.count + 1, sizeof(*offsets));
        append.offsets = offsets;
        GM_TRY(gm_stream_append(stream->stream, &append, &deadline, err));
        count_again(&append, call->query[1], counts);
    }
    gm_buf_addf(&call->reply->body, "{\"appended\":%lld,\"duplicates\":%lld", (long long)counts[0],
                (long long)counts[1]);
    gm_decoded_write_wrong(decoded, &call->reply->body);
    gm_buf_add_char(&call->reply->body, '}');
    return GM_OK;
}

gm_rc gm_admin_append(struct gm_call *call, struct gm_err *err)
{
    int64_t line;
    const struct gm_hub_stream *stream =
        call->hub != NULL ? gm_hub_find(call->hub, call->part) : NULL;
    if (stream == NULL) {
        return gm_fail(err, GM_E_CONFIG,
                       "there is no stream `" GM_STR_FMT "` in the configuration; `gemel streams` "
                       "lists them",
                       GM_STR_ARG(call->part));
    }
    GM_TRY(read_query(call, &line, err));
    struct gm_decoded *decoded = gm_decoded_new((size_t)8 * GM_INGEST_PIECE_SIZE);
    gm_decode_lines(stream->decoder, call->http->body, (size_t)line, decoded);
    gm_rc rc = append_decoded(call, stream, decoded, err);
    gm_decoded_free(decoded);
    return rc;
}
