/* Over libmicrohttpd: its callbacks become one call per request. A few of its threads serve all
 * connections; see server_inside.h for the way of a call. */
#include "net/server.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "net/server_tls.h"
#include "os/listen.h"
#include "os/process.h"
#include "json/json.h"

enum {
    /* So much of a body that is too large is read and thrown away, for clients that read an answer
     * only after they sent all. */
    DISCARDED_SIZE_MAX = 8 << 20,
    CALL_ARENA_SIZE_MAX = 64 << 20, /* what a handler takes for one request */
    /* What a connection keeps for its next call; more is given back. */
    KEPT_SIZE_MAX = 64 << 10,
    SLOWEST_BYTES_PER_SECOND = 64 << 10,
    THREADS_MAX = 4,         /* unless options say otherwise: more than that waits for the store */
    OTHER_DESCRIPTORS = 256, /* of the process: files, databases, sinks */
    CONNECTIONS_MIN = 16,
    WAITING_PER_WORKER = 16, /* calls */
    /* Of one request. Each takes about 70 bytes of the connection's GM_HTTP_HEADERS_SIZE_MAX. */
    PARAMETERS_MAX = 256,
};

/* How long the end waits for answers to be handed over. A client that does not read loses its
 * answer. */
#define DRAIN_TIME (2 * GM_SECOND)

static gm_ns now(void)
{
    return gm_clock_system()->mono(gm_clock_system());
}

static void set_due(struct gm_link *link, gm_ns due)
{
    atomic_store_explicit(&link->due, due, memory_order_relaxed);
}

/* ---- connections ---- */

static enum MHD_Result on_accept(void *ctx, const struct sockaddr *address, socklen_t size)
{
    (void)address;
    (void)size;
    struct gm_http_server *server = ctx;
    /* Connections that two threads accept at the same moment may both pass: the library has a limit
     * of its own above ours. */
    return atomic_load(&server->links_count) < server->options.connections_max ? MHD_YES : MHD_NO;
}

static void open_link(struct gm_http_server *server, struct MHD_Connection *connection,
                      void **out_link)
{
    struct gm_link *link = gm_alloc(sizeof(*link));
    link->server = server;
    link->connection = connection;
    link->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    link->call.private_ = link;
    gm_buf_init(&link->body, server->options.body_size_max);
    gm_buf_init(&link->call.reply.body, GM_HTTP_REPLY_SIZE_MAX);
    link->call.arena = gm_arena_new(CALL_ARENA_SIZE_MAX);
    set_due(link, now() + server->options.idle_time + server->options.transfer_time);
    atomic_fetch_add(&server->links_count, 1);
    gm_mutex_lock(server->mu);
    link->next = server->links;
    if (link->next != NULL) {
        link->next->prev = link;
    } else {
        gm_cond_signal(server->due);
    }
    server->links = link;
    gm_mutex_unlock(server->mu);
    *out_link = link;
}

static void close_link(struct gm_http_server *server, struct gm_link *link)
{
    gm_mutex_lock(server->mu);
    if (link->prev != NULL) {
        link->prev->next = link->next;
    } else {
        server->links = link->next;
    }
    if (link->next != NULL) {
        link->next->prev = link->prev;
    }
    gm_mutex_unlock(server->mu);
    atomic_fetch_sub(&server->links_count, 1);
    gm_buf_deinit(&link->body);
    gm_buf_deinit(&link->call.reply.body);
    gm_arena_free(link->call.arena);
    gm_free(link);
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **link,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        open_link(ctx, connection, link);
    } else if (*link != NULL) {
        close_link(ctx, *link);
        *link = NULL;
    }
}

/* Cuts off connections that take too long: the library knows silence only, and a client that sends
 * a byte now and then is never silent. */
static void watch_main(void *arg)
{
    struct gm_http_server *server = arg;
    gm_mutex_lock(server->mu);
    while (!server->closed) {
        gm_ns at = now();
        /* Whatever is set while this sleeps is due no earlier than then. */
        gm_ns next = at + server->options.transfer_time;
        for (struct gm_link *link = server->links; link != NULL; link = link->next) {
            gm_ns due = atomic_load_explicit(&link->due, memory_order_relaxed);
            if (due != 0 && due <= at) {
                /* Under the mutex, which keeps the descriptor from being closed; it does not
                 * block. The thread that serves it sees the end of the connection. */
                gm_socket_shutdown(link->fd);
                set_due(link, 0);
            } else if (due != 0 && due < next) {
                next = due;
            }
        }
        if (server->links == NULL) {
            gm_cond_wait(server->due, server->mu);
        } else {
            (void)gm_cond_wait_for(server->due, server->mu, next - at);
        }
    }
    gm_mutex_unlock(server->mu);
}

/* ---- requests ---- */

static void trim_buf(struct gm_buf *buf, size_t limit)
{
    if (buf->capacity > KEPT_SIZE_MAX) {
        gm_buf_deinit(buf);
        gm_buf_init(buf, limit);
    } else {
        gm_buf_reset(buf);
    }
}

/* Makes the connection's call a new one. */
static void reset_call(struct gm_link *link)
{
    struct gm_http_call *call = &link->call;
    trim_buf(&link->body, link->server->options.body_size_max);
    link->body.limit = link->server->options.body_size_max;
    trim_buf(&call->reply.body, GM_HTTP_REPLY_SIZE_MAX);
    if (gm_arena_used(call->arena) > KEPT_SIZE_MAX) {
        gm_arena_free(call->arena);
        call->arena = gm_arena_new(CALL_ARENA_SIZE_MAX);
    } else {
        gm_arena_reset(call->arena);
    }
    call->body = (struct gm_str){NULL, 0};
    call->reply.status = MHD_HTTP_OK;
    call->reply.content_type_z = NULL;
    call->reply.header_count = 0;
    call->user = NULL;
    link->body_size = 0;
    atomic_store_explicit(&link->state, GM_CALL_HANDLED, memory_order_relaxed);
}

static enum MHD_Result refuse(struct gm_link *link, int status, const char *code_z,
                              const char *message_z)
{
    gm_link_word(link, status, code_z, message_z);
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE) {
        gm_http_reply_header(&link->call, MHD_HTTP_HEADER_RETRY_AFTER, GM_STR("1"));
    }
    atomic_store_explicit(&link->state, GM_CALL_ANSWERED, memory_order_relaxed);
    return gm_link_send(link);
}

static enum MHD_Result refuse_body(struct gm_link *link)
{
    GM_AUTO_FREE char *message_z =
        gm_format_z("the body is larger than %zu bytes", link->body.limit);
    return refuse(link, MHD_HTTP_CONTENT_TOO_LARGE, "too-large", message_z);
}

static void admit(struct gm_link *link, uint64_t length)
{
    const struct gm_http_server_options *options = &link->server->options;
    if (options->admit == NULL) {
        return;
    }
    size_t size_max = options->admit(options->ctx, &link->call, length);
    link->body.limit = size_max < options->body_size_max ? size_max : options->body_size_max;
}

/* Where the next request begins cannot be told. */
static enum MHD_Result refuse_framing(struct gm_link *link, const char *why_z)
{
    gm_http_reply_header(&link->call, MHD_HTTP_HEADER_CONNECTION, GM_STR("close"));
    return refuse(link, MHD_HTTP_BAD_REQUEST, "invalid", why_z);
}

/* The headers are there. A body that will be too large is refused now when the client waits for
 * leave to send it, or when it is too large even to be thrown away. */
static enum MHD_Result begin_request(struct gm_link *link)
{
    int64_t length;
    struct gm_framing framing;
    reset_call(link);
    link->began = now();
    set_due(link, link->began + link->server->options.transfer_time);
    gm_link_framing(link, &framing);
    if (framing.wrong_z != NULL) {
        return refuse_framing(link, framing.wrong_z);
    }
    bool told = framing.length_z != NULL && gm_parse_i64(gm_str_z(framing.length_z), &length) &&
                length >= 0;
    if (told ? length > 0 : framing.chunked) {
        admit(link, told ? (uint64_t)length : UINT64_MAX);
    }
    if (!told || (uint64_t)length <= link->body.limit) {
        return MHD_YES;
    }
    return framing.expects || (uint64_t)length > link->body.limit + DISCARDED_SIZE_MAX
               ? refuse_body(link)
               : MHD_YES;
}

static enum MHD_Result take_body(struct gm_link *link, const char *data, size_t *data_size)
{
    link->body_size += *data_size;
    gm_buf_add(&link->body, (struct gm_str){data, *data_size});
    *data_size = 0;
    set_due(link, link->began + link->server->options.transfer_time +
                      (gm_ns)(link->body_size / SLOWEST_BYTES_PER_SECOND) * GM_SECOND);
    /* MHD_NO closes the connection */
    return link->body_size <= link->body.limit + DISCARDED_SIZE_MAX ? MHD_YES : MHD_NO;
}

static void handle_on_worker(void *ctx)
{
    struct gm_link *link = ctx;
    link->server->options.handle(link->server->options.ctx, &link->call);
}

/* Counts the call as one in a handler's hands; false when the server stops. */
static bool enter(struct gm_http_server *server)
{
    if ((atomic_fetch_add(&server->unanswered, 2) & 1) == 0) {
        return true;
    }
    if (atomic_fetch_sub(&server->unanswered, 2) == (2 | 1)) {
        gm_mutex_lock(server->mu);
        server->all_answered = true;
        gm_cond_broadcast(server->moved);
        gm_mutex_unlock(server->mu);
    }
    return false;
}

static enum MHD_Result handle(struct gm_link *link)
{
    struct gm_http_server *server = link->server;
    int before = GM_CALL_HANDLED;
    if (!enter(server)) {
        return refuse(link, MHD_HTTP_SERVICE_UNAVAILABLE, "cancelled", "the server stops");
    }
    link->delivering = true;
    atomic_fetch_add(&server->delivering, 1);
    set_due(link, 0);
    if (!server->options.blocking) {
        server->options.handle(server->options.ctx, &link->call);
    } else {
        link->work = (struct gm_work){.fn = handle_on_worker, .ctx = link};
        if (!gm_workers_give(server->workers, &link->work)) {
            gm_link_word(link, MHD_HTTP_SERVICE_UNAVAILABLE, "retry",
                         "too many requests are under way; try again later");
            gm_http_reply_header(&link->call, MHD_HTTP_HEADER_RETRY_AFTER, GM_STR("1"));
            gm_http_call_answer(&link->call);
        }
    }
    if (atomic_load(&link->state) == GM_CALL_ANSWERED) {
        return gm_link_send(link);
    }
    MHD_suspend_connection(link->connection);
    if (!atomic_compare_exchange_strong(&link->state, &before, GM_CALL_SUSPENDED)) {
        MHD_resume_connection(link->connection); /* answered in between */
    }
    return MHD_YES;
}

/* ---- the library's callbacks ---- */

/* Called once with the headers (*state NULL), then for each piece of the body, then once more; and
 * again after a suspended connection resumed. */
/* tidy: params: the library's signature */
static enum MHD_Result on_access(void *ctx, struct MHD_Connection *connection, const char *path_z,
                                 const char *method_z, const char *version_z, const char *data,
                                 size_t *data_size, void **state)
{
    (void)ctx;
    (void)version_z;
    struct gm_link *link = *state;
    if (link == NULL) {
        link =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
        *state = link;
        link->call.method_z = method_z;
        link->call.path_z = path_z;
        return begin_request(link);
    }
    if (*data_size > 0) {
        return take_body(link, data, data_size);
    }
    if (atomic_load(&link->state) == GM_CALL_ANSWERED) {
        return gm_link_send(link);
    }
    if (gm_buf_failed(&link->body)) {
        return refuse_body(link);
    }
    link->call.body = gm_buf_str(&link->body);
    return handle(link);
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how)
{
    (void)connection;
    (void)how;
    struct gm_http_server *server = ctx;
    struct gm_link *link = *state;
    if (link == NULL) {
        return;
    }
    set_due(link, now() + server->options.idle_time + server->options.transfer_time);
    if (link->streaming) {
        link->streaming = false;
        link->stream.closed(link->stream.ctx);
    }
    if (link->delivering) {
        link->delivering = false;
        /* Then the flag is read: its setter then reads the count. One of both sees the other. */
        atomic_fetch_sub(&server->delivering, 1);
        if (atomic_load(&server->stopping)) {
            gm_mutex_lock(server->mu);
            gm_cond_broadcast(server->moved);
            gm_mutex_unlock(server->mu);
        }
    }
    *state = NULL;
}

/* Left as it was sent: a slash or a NUL in a name must not become one of the path. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *connection, char *text_z)
{
    (void)ctx;
    (void)connection;
    return strlen(text_z);
}

/* The library (0.9.75) neither answers nor closes when parameters fill a connection's memory, so
 * too many of them end the connection here, before they are parted. */
static void *on_address(void *ctx, const char *address_z, struct MHD_Connection *connection)
{
    (void)ctx;
    size_t count = 1;
    for (const char *at = strchr(address_z, '&'); at != NULL; at = strchr(at + 1, '&')) {
        count++;
    }
    if (count > PARAMETERS_MAX) {
        struct gm_link *link =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
        gm_socket_shutdown(link->fd);
        gm_log_debug("http.parameters", GM_L_INT("count", count));
    }
    return NULL; /* as if nobody had looked: the first call of on_access is told by it */
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

static void set_options(struct gm_http_server *server, const struct gm_http_server_options *options)
{
    struct gm_http_server_options *to = &server->options;
    unsigned cpus = gm_cpu_count();
    *to = *options;
    to->address_z = NULL; /* of the caller, and so is tls */
    to->tls = NULL;
    to->connections_max = to->connections_max != 0 ? to->connections_max : GM_HTTP_CONNECTIONS_MAX;
    to->body_size_max = to->body_size_max != 0 ? to->body_size_max : GM_HTTP_BODY_SIZE_MAX;
    to->workers_max = to->workers_max != 0 ? to->workers_max : GM_HTTP_WORKERS_MAX;
    to->idle_time = to->idle_time != 0 ? to->idle_time : GM_HTTP_IDLE_S * GM_SECOND;
    to->transfer_time = to->transfer_time != 0 ? to->transfer_time : GM_HTTP_TRANSFER_S * GM_SECOND;
    to->threads = to->threads != 0 ? to->threads : cpus < THREADS_MAX ? cpus : THREADS_MAX;
}

/* Connections that eat up all descriptors would keep the store from opening its files. */
static void fit_descriptors(struct gm_http_server *server)
{
    size_t wanted = server->options.connections_max + OTHER_DESCRIPTORS;
    uint64_t there = gm_descriptors_raise(wanted);
    if (there < wanted) {
        server->options.connections_max = there > OTHER_DESCRIPTORS + CONNECTIONS_MIN
                                              ? there - OTHER_DESCRIPTORS
                                              : CONNECTIONS_MIN;
        gm_log_warn("http.connections", GM_L_Z("why", "the process may not open more files"),
                    GM_L_INT("descriptors", there),
                    GM_L_INT("connections", server->options.connections_max));
    }
}

/* Takes `fd` over when it succeeds. */
static bool start_daemon(struct gm_http_server *server, int fd)
{
    const struct gm_http_server_options *options = &server->options;
    /* Not epoll: there the library (0.9.75) watches edges, and under load it missed some of TLS
     * connections, whose requests then were never read. */
    unsigned flags =
        MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem more[8] = {{MHD_OPTION_END, 0, NULL}};
    size_t n = 0;
    if (options->threads > 1) { /* a pool of one is refused */
        more[n++] =
            (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)options->threads, NULL};
    }
    if (server->identity != NULL) {
        flags |= MHD_USE_TLS;
        /* the table has data pointers alone; the callback's type is the option's */
        union {
            int (*fn)(gnutls_session_t, const gnutls_datum_t *, int, const gnutls_pk_algorithm_t *,
                      int, gnutls_pcert_st **, unsigned *, gnutls_privkey_t *);
            void *data;
        } choose = {.fn = gm_server_identity_choose};
        union {
            const char *text_z;
            void *data;
        } priorities = {.text_z = GM_SERVER_PRIORITIES};
        more[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, choose.data};
        more[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, priorities.data};
    }
    more[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    /* Shared out among the threads; each gets as many as there may be, since nobody can say which
     * of them accepts. on_accept keeps the sum. */
    unsigned connections = (unsigned)((options->connections_max + 1) * options->threads);
    unsigned idle_s = (unsigned)((options->idle_time + GM_SECOND - 1) / GM_SECOND);
    server->daemon = MHD_start_daemon(
        flags, 0, on_accept, server, on_access, server, MHD_OPTION_EXTERNAL_LOGGER, log_line, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)GM_HTTP_HEADERS_SIZE_MAX, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escapes, NULL, MHD_OPTION_URI_LOG_CALLBACK, on_address, NULL,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
    return server->daemon != NULL;
}

static gm_rc start(struct gm_http_server *server, int fd, struct gm_err *err)
{
    GM_TRY(gm_thread_start("gemel-http", watch_main, server, &server->watch, err));
    return start_daemon(server, fd) ? GM_OK
                                    : gm_fail(err, GM_E_RETRY,
                                              "the HTTP server does not start; are there threads "
                                              "and descriptors left?");
}

gm_rc gm_http_server_start(const struct gm_http_server_options *options,
                           struct gm_http_server **out_server, struct gm_err *err)
{
    int fd;
    char address[GM_ADDRESS_TEXT_SIZE];
    struct gm_server_identity *identity = NULL;
    if (options->tls != NULL) {
        GM_TRY(gm_server_identity_new(options->tls, &identity, err));
    }
    gm_rc rc = gm_listen(options->address_z, &fd, address, err);
    if (rc != GM_OK) {
        gm_server_identity_free(identity);
        return rc;
    }
    struct gm_http_server *server = gm_alloc(sizeof(*server));
    set_options(server, options);
    fit_descriptors(server);
    server->identity = identity;
    server->mu = gm_mutex_new();
    server->moved = gm_cond_new();
    server->due = gm_cond_new();
    server->url_z = gm_format_z("%s://%s", identity != NULL ? "https" : "http", address);
    server->workers = gm_workers_new("gemel-work", server->options.workers_max,
                                     server->options.workers_max * WAITING_PER_WORKER);
    rc = start(server, fd, err);
    if (rc != GM_OK) {
        gm_listen_close(fd);
        gm_http_server_stop(server);
        return gm_fail_within(err, "%s", options->address_z);
    }
    *out_server = server;
    return GM_OK;
}

const char *gm_http_server_url_z(const struct gm_http_server *server)
{
    return server->url_z;
}

/* Takes no more connections, waits until every call is answered, and lets the answers reach their
 * clients for a while: ending the library's part cuts them off. */
static void drain(struct gm_http_server *server)
{
    gm_listen_close(MHD_quiesce_daemon(server->daemon));
    gm_mutex_lock(server->mu);
    /* Under the mutex, so that the one who takes the last call away finds the waiter. */
    atomic_store(&server->stopping, true);
    server->all_answered = atomic_fetch_or(&server->unanswered, 1) == 0;
    while (!server->all_answered) {
        gm_cond_wait(server->moved, server->mu);
    }
    bool in_time = true;
    struct gm_deadline until = gm_deadline_in(DRAIN_TIME, NULL);
    while (atomic_load(&server->delivering) > 0 && in_time) {
        (void)gm_cond_wait_for(server->moved, server->mu, gm_deadline_left(&until));
        in_time = !gm_deadline_passed(&until);
    }
    gm_mutex_unlock(server->mu);
}

static void stop_watch(struct gm_http_server *server)
{
    gm_mutex_lock(server->mu);
    server->closed = true;
    gm_cond_signal(server->due);
    gm_mutex_unlock(server->mu);
    gm_thread_join(server->watch);
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
    stop_watch(server);
    gm_workers_free(server->workers);
    gm_server_identity_free(server->identity);
    gm_cond_free(server->due);
    gm_cond_free(server->moved);
    gm_mutex_free(server->mu);
    gm_free(server->url_z);
    gm_free(server);
}
