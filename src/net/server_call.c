/* Calls of the HTTP server: what handlers ask of them, and answers. */
#include "base/mem.h"
#include "net/server_inside.h"
#include "json/json.h"

enum {
    /* What a second of time to deliver an answer stands for: a client that takes less is cut
     * off. */
    SLOWEST_BYTES_PER_SECOND = 64 << 10,
    STREAM_PIECE_SIZE = 16 << 10,
};

/* ---- requests ---- */

const char *gm_http_call_header(const struct gm_http_call *call, const char *name_z)
{
    const struct gm_link *link = call->private_;
    return MHD_lookup_connection_value(link->connection, MHD_HEADER_KIND, name_z);
}

struct query_walk {
    bool (*fn)(void *ctx, const char *name_z, const char *value_z);
    void *ctx;
};

static enum MHD_Result visit_query(void *ctx, enum MHD_ValueKind kind, const char *name_z,
                                   const char *value_z)
{
    (void)kind;
    const struct query_walk *walk = ctx;
    return walk->fn(walk->ctx, name_z, value_z != NULL ? value_z : "") ? MHD_YES : MHD_NO;
}

void gm_http_call_each_query(const struct gm_http_call *call,
                             bool (*fn)(void *ctx, const char *name_z, const char *value_z),
                             void *ctx)
{
    struct query_walk walk = {fn, ctx};
    const struct gm_link *link = call->private_;
    (void)MHD_get_connection_values(link->connection, MHD_GET_ARGUMENT_KIND, visit_query, &walk);
}

/* ---- answers ---- */

void gm_http_reply_error(struct gm_http_reply *reply, int status, const char *code_z,
                         const char *message_z)
{
    reply->status = status;
    reply->content_type_z = NULL;
    gm_buf_reset(&reply->body);
    gm_buf_add_z(&reply->body, "{\"error\":{\"code\":");
    gm_json_quote(&reply->body, gm_str_z(code_z));
    gm_buf_add_z(&reply->body, ",\"message\":");
    gm_json_quote(&reply->body, gm_str_z(message_z));
    gm_buf_add_z(&reply->body, "}}");
}

void gm_http_reply_header(struct gm_http_call *call, const char *name_z, struct gm_str value)
{
    struct gm_http_reply *reply = &call->reply;
    GM_ASSERT(reply->header_count < GM_HTTP_REPLY_HEADERS_MAX);
    struct gm_str copy = gm_arena_dup(call->arena, value);
    if (copy.p != NULL) { /* else the handler filled its arena, and answers a failure of its own */
        reply->headers[reply->header_count++] = (struct gm_http_header){name_z, copy.p};
    }
}

static bool has_header(const struct gm_http_reply *reply, const char *name_z)
{
    for (size_t i = 0; i < reply->header_count; i++) {
        if (strcmp(reply->headers[i].name_z, name_z) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- streams ---- */

static ssize_t on_produce(void *ctx, uint64_t at, char *to, size_t size)
{
    struct gm_link *link = ctx;
    int before = GM_STREAM_AWAKE;
    (void)at;
    atomic_store(&link->stream_state, GM_STREAM_AWAKE);
    int64_t n = link->stream.produce(link->stream.ctx, to, size);
    if (n != 0) {
        return n > 0 ? (ssize_t)n : MHD_CONTENT_READER_END_OF_STREAM;
    }
    MHD_suspend_connection(link->connection);
    if (!atomic_compare_exchange_strong(&link->stream_state, &before, GM_STREAM_ASLEEP)) {
        MHD_resume_connection(link->connection); /* woken in between */
    }
    return 0;
}

void gm_http_stream_wake(struct gm_http_call *call)
{
    struct gm_link *link = call->private_;
    if (atomic_exchange(&link->stream_state, GM_STREAM_WOKEN) == GM_STREAM_ASLEEP) {
        MHD_resume_connection(link->connection);
    }
}

void gm_http_call_stream(struct gm_http_call *call, const struct gm_http_stream *stream)
{
    struct gm_link *link = call->private_;
    link->stream = *stream;
    link->streaming = true;
    atomic_store(&link->stream_state, GM_STREAM_AWAKE);
    gm_http_call_answer(call);
}

/* ---- sending ---- */

static bool add_headers(const struct gm_link *link, struct MHD_Response *response)
{
    const struct gm_http_reply *reply = &link->call.reply;
    bool ok =
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") == MHD_YES &&
        MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") == MHD_YES;
    if (ok && (reply->body.n > 0 || link->streaming)) {
        ok = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                     reply->content_type_z != NULL ? reply->content_type_z
                                                                   : "application/json") == MHD_YES;
    }
    for (size_t i = 0; ok && i < reply->header_count; i++) {
        /* MHD_NO: a line end within; what a client may have put there is not passed on */
        ok = MHD_add_response_header(response, reply->headers[i].name_z,
                                     reply->headers[i].value_z) == MHD_YES;
    }
    if (ok && reply->status == MHD_HTTP_UNAUTHORIZED &&
        !has_header(reply, MHD_HTTP_HEADER_WWW_AUTHENTICATE)) {
        ok = MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer") ==
             MHD_YES;
    }
    if (ok && atomic_load_explicit(&link->server->stopping, memory_order_relaxed)) {
        ok = MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
    }
    return ok;
}

static struct MHD_Response *make_response(struct gm_link *link)
{
    struct gm_buf *body = &link->call.reply.body;
    if (link->streaming) {
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_PIECE_SIZE, on_produce,
                                                 link, NULL);
    }
    gm_buf_add_z(body, ""); /* so that there are bytes to point at */
    /* The bytes stay where they are until the request is completed. */
    return MHD_create_response_from_buffer(body->n, body->p, MHD_RESPMEM_PERSISTENT);
}

void gm_link_word(struct gm_link *link, int status, const char *code_z, const char *message_z)
{
    const struct gm_http_server_options *options = &link->server->options;
    if (options->refuse != NULL) {
        options->refuse(&link->call, status, code_z, message_z);
    } else {
        gm_http_reply_error(&link->call.reply, status, code_z, message_z);
    }
}

enum MHD_Result gm_link_send(struct gm_link *link)
{
    struct gm_http_reply *reply = &link->call.reply;
    if (gm_buf_failed(&reply->body)) {
        reply->header_count = 0; /* those of the answer that could not be made */
        gm_link_word(link, MHD_HTTP_INTERNAL_SERVER_ERROR, "limit",
                     "the answer is too large; ask for less of it");
    }
    struct MHD_Response *response = make_response(link);
    if (response == NULL) {
        return MHD_NO;
    }
    /* A stream may take as long as it likes; the library notices a client that takes nothing. */
    gm_ns due = gm_clock_system()->mono(gm_clock_system()) + link->server->options.transfer_time +
                (gm_ns)(reply->body.n / SLOWEST_BYTES_PER_SECOND) * GM_SECOND;
    atomic_store_explicit(&link->due, link->streaming ? 0 : due, memory_order_relaxed);
    enum MHD_Result ok =
        add_headers(link, response)
            ? MHD_queue_response(link->connection, (unsigned)reply->status, response)
            : MHD_NO;
    MHD_destroy_response(response);
    return ok;
}

/* One call less in the hands of handlers. */
static void leave(struct gm_http_server *server)
{
    if (atomic_fetch_sub(&server->unanswered, 2) == (2 | 1)) {
        gm_mutex_lock(server->mu);
        server->all_answered = true;
        gm_cond_broadcast(server->moved);
        gm_mutex_unlock(server->mu);
    }
}

void gm_http_call_answer(struct gm_http_call *call)
{
    struct gm_link *link = call->private_;
    struct gm_http_server *server = link->server;
    struct MHD_Connection *connection = link->connection;
    int before = atomic_exchange(&link->state, GM_CALL_ANSWERED);
    GM_ASSERT(before != GM_CALL_ANSWERED);
    /* From here on the call is gone, unless it is suspended: then so until it resumes. */
    if (before == GM_CALL_SUSPENDED) {
        MHD_resume_connection(connection);
    }
    leave(server);
}

static void run_work(void *ctx)
{
    struct gm_link *link = ctx;
    link->work_fn(link->work_ctx, &link->call);
}

bool gm_http_call_work(struct gm_http_call *call, void (*fn)(void *ctx, struct gm_http_call *call),
                       void *ctx)
{
    struct gm_link *link = call->private_;
    link->work = (struct gm_work){.fn = run_work, .ctx = link};
    link->work_fn = fn;
    link->work_ctx = ctx;
    return gm_workers_give(link->server->workers, &link->work);
}
