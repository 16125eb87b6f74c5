/* Over libmicrohttpd: its callbacks become one call per request. */
#include "net/server.h"

#include <microhttpd.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "os/listen.h"
#include "os/thread.h"
#include "json/json.h"

enum {
    /* So much of a body that is too large is read and thrown away, for clients that read an answer
     * only after they sent all. */
    DISCARDED_SIZE_MAX = 8 << 20,
};

/* How long the end waits for an answer to be handed over, each time. A client that does not read
 * loses its answer. */
#define DRAIN_TIME (2 * GM_SECOND)

struct gm_http_server {
    struct gm_http_server_options options;
    struct MHD_Daemon *daemon;
    char *url_z;
    struct gm_mutex *mu;
    struct gm_cond *answered;
    /* guarded by mu; exchanges from their handler's beginning to the answer's end */
    size_t answering;
};

enum { CALL_ARENA_SIZE_MAX = 64 << 20 }; /* what a handler takes for one request */

/* One request, from its headers to its answer. */
struct exchange {
    struct gm_http_server *server;
    struct MHD_Connection *connection;
    struct gm_buf body;
    uint64_t body_size; /* also of what was thrown away */
    bool answering;
    bool answered; /* guarded by server->mu */
    struct gm_http_call call;
};

/* ---- requests ---- */

const char *gm_http_call_header(const struct gm_http_call *call, const char *name_z)
{
    const struct exchange *exchange = call->private_;
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name_z);
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
    const struct exchange *exchange = call->private_;
    (void)MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, visit_query,
                                    &walk);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool gm_http_unescape(struct gm_str text, struct gm_buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '%') {
            int high = i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
            int low = i + 2 < text.n ? hex_digit(text.p[i + 2]) : -1;
            c = (char)(high * 16 + low);
            if (high < 0 || low < 0 || c == '\0') {
                return false;
            }
            i += 2;
        }
        gm_buf_add_char(out, c);
    }
    return !gm_buf_failed(out) && gm_utf8_valid(gm_buf_str(out), NULL);
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
    reply->headers[reply->header_count++] =
        (struct gm_http_header){name_z, gm_arena_dup(call->arena, value).p};
}

/* The library frees the bytes with free(3), which is not ours to call: it gets a copy. */
static enum MHD_Result send_reply(struct MHD_Connection *connection, struct gm_http_reply *reply)
{
    if (gm_buf_failed(&reply->body)) {
        gm_http_reply_error(reply, MHD_HTTP_INTERNAL_SERVER_ERROR, "limit",
                            "the answer is too large; ask for less of it");
    }
    gm_buf_add_z(&reply->body, ""); /* so that there are bytes to point at */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.n, reply->body.p, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) {
        return MHD_NO;
    }
    const char *type_z = reply->content_type_z != NULL ? reply->content_type_z : "application/json";
    enum MHD_Result ok = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type_z);
    ok = ok == MHD_YES
             ? MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store")
             : ok;
    ok =
        ok == MHD_YES ? MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") : ok;
    for (size_t i = 0; ok == MHD_YES && i < reply->header_count; i++) {
        ok = MHD_add_response_header(response, reply->headers[i].name_z, reply->headers[i].value_z);
    }
    if (ok == MHD_YES && reply->status == MHD_HTTP_UNAUTHORIZED) {
        ok = MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    }
    ok = ok == MHD_YES ? MHD_queue_response(connection, (unsigned)reply->status, response) : ok;
    MHD_destroy_response(response);
    return ok;
}

static enum MHD_Result refuse_body(struct MHD_Connection *connection)
{
    struct gm_http_reply reply = {0};
    gm_buf_init(&reply.body, GM_HTTP_REPLY_SIZE_MAX);
    gm_http_reply_error(&reply, MHD_HTTP_CONTENT_TOO_LARGE, "too-large",
                        "the body is larger than 1 MiB");
    enum MHD_Result ok = send_reply(connection, &reply);
    gm_buf_deinit(&reply.body);
    return ok;
}

void gm_http_call_answer(struct gm_http_call *call)
{
    struct exchange *exchange = call->private_;
    gm_mutex_lock(exchange->server->mu);
    exchange->answered = true;
    gm_cond_broadcast(exchange->server->answered);
    gm_mutex_unlock(exchange->server->mu);
}

bool gm_http_call_work(struct gm_http_call *call, void (*fn)(void *ctx, struct gm_http_call *call),
                       void *ctx)
{
    fn(ctx, call);
    return true;
}

static enum MHD_Result answer(struct gm_http_server *server, struct exchange *exchange)
{
    struct gm_http_call *call = &exchange->call;
    call->private_ = exchange;
    call->reply.status = MHD_HTTP_OK;
    call->arena = gm_arena_new(CALL_ARENA_SIZE_MAX);
    gm_buf_init(&call->reply.body, GM_HTTP_REPLY_SIZE_MAX);
    server->options.handle(server->options.ctx, call);
    gm_mutex_lock(server->mu);
    while (!exchange->answered) {
        gm_cond_wait(server->answered, server->mu);
    }
    gm_mutex_unlock(server->mu);
    enum MHD_Result ok = send_reply(exchange->connection, &call->reply);
    gm_buf_deinit(&call->reply.body);
    gm_arena_free(call->arena);
    return ok;
}

/* ---- the library's callbacks ---- */

static enum MHD_Result begin_exchange(struct MHD_Connection *connection, void **state)
{
    const char *length_z =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    int64_t length;
    if (length_z != NULL && gm_parse_i64(gm_str_z(length_z), &length) &&
        length > DISCARDED_SIZE_MAX) {
        return refuse_body(connection);
    }
    struct exchange *exchange = gm_alloc(sizeof(*exchange));
    gm_buf_init(&exchange->body, GM_HTTP_BODY_SIZE_MAX);
    *state = exchange;
    return MHD_YES;
}

static void begin_answer(struct gm_http_server *server, struct exchange *exchange)
{
    exchange->answering = true;
    gm_mutex_lock(server->mu);
    server->answering++;
    gm_mutex_unlock(server->mu);
}

static void end_answer(struct gm_http_server *server)
{
    gm_mutex_lock(server->mu);
    server->answering--;
    gm_cond_broadcast(server->answered);
    gm_mutex_unlock(server->mu);
}

/* Called once with the headers (*state NULL), then for each piece of the body, then once more. */
/* tidy: params: the library's signature */
static enum MHD_Result on_access(void *ctx, struct MHD_Connection *connection, const char *path_z,
                                 const char *method_z, const char *version_z, const char *data,
                                 size_t *data_size, void **state)
{
    (void)version_z;
    struct exchange *exchange = *state;
    if (exchange == NULL) {
        return begin_exchange(connection, state);
    }
    if (*data_size > 0) {
        exchange->body_size += *data_size;
        gm_buf_add(&exchange->body, (struct gm_str){data, *data_size});
        *data_size = 0;
        /* MHD_NO closes the connection */
        return exchange->body_size <= DISCARDED_SIZE_MAX ? MHD_YES : MHD_NO;
    }
    if (gm_buf_failed(&exchange->body)) {
        return refuse_body(connection);
    }
    begin_answer(ctx, exchange);
    exchange->server = ctx;
    exchange->connection = connection;
    exchange->call.method_z = method_z;
    exchange->call.path_z = path_z;
    exchange->call.body = gm_buf_str(&exchange->body);
    return answer(ctx, exchange);
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how)
{
    (void)connection;
    (void)how;
    struct exchange *exchange = *state;
    if (exchange != NULL) {
        if (exchange->answering) {
            end_answer(ctx);
        }
        gm_buf_deinit(&exchange->body);
        gm_free(exchange);
        *state = NULL;
    }
}

/* Left as it was sent: a slash or a NUL in a name must not become one of the path. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *connection, char *text_z)
{
    (void)ctx;
    (void)connection;
    return strlen(text_z);
}

static void log_line(void *ctx, const char *format_z, va_list args) GM_PRINTF(2, 0);
static void log_line(void *ctx, const char *format_z, va_list args)
{
    (void)ctx;
    char line[512];
    if (vsnprintf(line, sizeof(line), format_z, args) > 0) {
        gm_log_debug("http.library", GM_L_STR("message", gm_str_trim(gm_str_z(line))));
    }
}

/* ---- life ---- */

gm_rc gm_http_server_start(const struct gm_http_server_options *options,
                           struct gm_http_server **out_server, struct gm_err *err)
{
    int fd;
    char address[GM_ADDRESS_TEXT_SIZE];
    GM_TRY(gm_listen(options->address_z, &fd, address, err));
    struct gm_http_server *server = gm_alloc(sizeof(*server));
    server->options = *options;
    server->mu = gm_mutex_new();
    server->answered = gm_cond_new();
    server->url_z = gm_format_z("http://%s", address);
    unsigned flags = MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC |
                     MHD_USE_ERROR_LOG;
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_access, server, MHD_OPTION_EXTERNAL_LOGGER, log_line, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)GM_HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)GM_HTTP_IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)GM_HTTP_HEADERS_SIZE_MAX,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escapes, NULL, MHD_OPTION_END);
    if (server->daemon == NULL) {
        gm_listen_close(fd);
        gm_http_server_stop(server);
        return gm_fail(
            err, GM_E_RETRY,
            "%s: the HTTP server does not start; are there threads and descriptors left?",
            options->address_z);
    }
    *out_server = server;
    return GM_OK;
}

const char *gm_http_server_url_z(const struct gm_http_server *server)
{
    return server->url_z;
}

/* Takes no more connections, and lets answers that are under way reach their clients: ending the
 * library's part cuts them off. */
static void drain(struct gm_http_server *server)
{
    gm_listen_close(MHD_quiesce_daemon(server->daemon));
    bool in_time = true;
    gm_mutex_lock(server->mu);
    while (server->answering > 0 && in_time) {
        in_time = gm_cond_wait_for(server->answered, server->mu, DRAIN_TIME);
    }
    gm_mutex_unlock(server->mu);
}

void gm_http_server_stop(struct gm_http_server *server)
{
    if (server == NULL) {
        return;
    }
    if (server->daemon != NULL) {
        drain(server);
        MHD_stop_daemon(server->daemon);
    }
    gm_cond_free(server->answered);
    gm_mutex_free(server->mu);
    gm_free(server->url_z);
    gm_free(server);
}
