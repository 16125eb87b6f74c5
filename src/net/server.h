/* An HTTP server: whole requests in, whole answers out; plain or over TLS. Over libmicrohttpd,
 * which is included in server*.c only.
 *
 *     static void handle(void *ctx, struct gm_http_call *call)
 *     {
 *         gm_buf_add_z(&call->reply.body, "{}");
 *         gm_http_call_answer(call);                 // now, or later from any thread
 *     }
 *     struct gm_http_server_options options = {.address_z = "127.0.0.1:0", .handle = handle};
 *     GM_TRY(gm_http_server_start(&options, &server, err));
 *     gm_http_server_stop(server);
 *
 * A call is answered exactly once. Between its handler's return and its answer it costs memory, no
 * thread: a write is answered by the thread that committed it. What takes long or blocks (a query,
 * a run that is waited for) goes to the server's workers with gm_http_call_work.
 *
 * Bounded, by options: connections (more are closed at once), bytes of body (413 beyond), silence,
 * time for a request to come in and for its answer to go out (the connection is closed), workers
 * and what waits for them; and address and headers (414 and 431), parameters of the address (256,
 * the connection is closed). What the server answers by itself is an error as gm_http_reply_error
 * writes it, or options.refuse, but for what is no HTTP, or too much of it, before a call exists:
 * that is answered in the library's words.
 *
 * Threads: a few that serve all connections, on which handlers run, and workers. */
#ifndef GM_NET_SERVER_H
#define GM_NET_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/time.h"
#include "net/header.h"

enum {
    GM_HTTP_CONNECTIONS_MAX = 64,    /* unless options say otherwise */
    GM_HTTP_BODY_SIZE_MAX = 1 << 20, /* likewise */
    GM_HTTP_HEADERS_SIZE_MAX = 32 << 10,
    GM_HTTP_IDLE_S = 30,     /* likewise */
    GM_HTTP_TRANSFER_S = 30, /* likewise */
    GM_HTTP_REPLY_SIZE_MAX = 64 << 20,
    GM_HTTP_REPLY_HEADERS_MAX = 8,
    GM_HTTP_WORKERS_MAX = 64,
};

struct gm_http_reply {
    int status;                 /* 200 unless changed */
    const char *content_type_z; /* application/json when left alone */
    struct gm_buf body;         /* up to GM_HTTP_REPLY_SIZE_MAX; more becomes a 500 */
    struct gm_http_header headers[GM_HTTP_REPLY_HEADERS_MAX];
    size_t header_count;
};

/* One request. It lives until it is answered; so does what it points at. */
struct gm_http_call {
    const char *method_z;
    const char *path_z; /* as it was sent: percent signs and all; without the query */
    struct gm_str body;
    struct gm_arena *arena; /* for the handler */
    struct gm_http_reply reply;
    void *user;     /* the handler's own */
    void *private_; /* of the server */
};
/* NULL: there is none. Header names do not mind case. */
const char *gm_http_call_header(const struct gm_http_call *call, const char *name_z);
/* Each parameter of the query, as it was sent but for `+`, which is a space; the value is "" when
 * there is none. False from `fn` ends the walk. */
void gm_http_call_each_query(const struct gm_http_call *call,
                             bool (*fn)(void *ctx, const char *name_z, const char *value_z),
                             void *ctx);
/* Adds a header to the answer; name and value (copied) are text without line ends. */
void gm_http_reply_header(struct gm_http_call *call, const char *name_z, struct gm_str value);
/* {"error":{"code":…,"message":…}}, in place of what the body had. */
void gm_http_reply_error(struct gm_http_reply *reply, int status, const char *code_z,
                         const char *message_z);

/* Sends call->reply. The call is gone then. */
void gm_http_call_answer(struct gm_http_call *call);
/* A body that is made while it is sent, for as long as both sides like: server-sent events.
 *
 * Whoever gives one ends it (produce gives -1) before the server is stopped. */
struct gm_http_stream {
    /* On the thread that serves the connection; does not block. How many of up to `size` bytes it
     * wrote to `to`; 0: none now, the connection sleeps until it is woken; -1: that was all. */
    int64_t (*produce)(void *ctx, char *to, size_t size);
    /* It is at its end, or the client went away, which is noticed when there is something to send.
     * The call is gone behind it. */
    void (*closed)(void *ctx);
    void *ctx;
};
/* In place of gm_http_call_answer: sends status and headers of call->reply, then the stream. The
 * call stays until `closed`. */
void gm_http_call_stream(struct gm_http_call *call, const struct gm_http_stream *stream);
/* There is something to send. Any thread, until `closed` is called. */
void gm_http_stream_wake(struct gm_http_call *call);
/* Runs fn(ctx, call) on a worker, which answers the call. False: too many wait for one; the call is
 * still the caller's. */
bool gm_http_call_work(struct gm_http_call *call, void (*fn)(void *ctx, struct gm_http_call *call),
                       void *ctx) GM_MUST_CHECK;

/* PEM texts; copied. */
struct gm_http_tls {
    const char *certificate_z; /* the server's first, then what signed it */
    const char *key_z;
};
struct gm_http_server_options {
    const char *address_z;         /* see os/listen.h */
    const struct gm_http_tls *tls; /* NULL: plain HTTP */
    void (*handle)(void *ctx, struct gm_http_call *call);
    void *ctx;
    bool blocking;          /* handlers may block: each call runs on a worker */
    size_t connections_max; /* 0: GM_HTTP_CONNECTIONS_MAX; fewer where descriptors are short */
    size_t body_size_max;   /* 0: GM_HTTP_BODY_SIZE_MAX */
    /* How large this call's body may be, body_size_max at most: asked when its headers are there
     * and its body of `length` bytes (UINT64_MAX: the client does not say) is not read yet, so that
     * not everybody can fill memory. NULL: body_size_max. On the thread that serves the
     * connection. */
    size_t (*admit)(void *ctx, const struct gm_http_call *call, uint64_t length);
    /* Words what the server refuses by itself, as gm_http_reply_error does, which is meant by NULL.
     * On the thread that serves the connection. */
    void (*refuse)(struct gm_http_call *call, int status, const char *code_z,
                   const char *message_z);
    size_t workers_max; /* 0: GM_HTTP_WORKERS_MAX */
    size_t threads;     /* that serve connections; 0: one per processor, 4 at most */
    gm_ns idle_time;    /* of silence; 0: GM_HTTP_IDLE_S */
    /* for a request to come in, and for its answer to go out, each with one second more per 64 KiB
     * of body; 0: GM_HTTP_TRANSFER_S */
    gm_ns transfer_time;
};

struct gm_http_server;
/* GM_E_CONFIG: the address is taken or not to be had, or certificate and key are no good. */
gm_rc gm_http_server_start(const struct gm_http_server_options *options,
                           struct gm_http_server **out_server, struct gm_err *err) GM_MUST_CHECK;
/* "https://127.0.0.1:8443" */
const char *gm_http_server_url_z(const struct gm_http_server *server);
/* Another certificate for the connections to come; of a server that was started with one.
 * GM_E_CONFIG: certificate and key are no good, and the former ones stay. Any thread. */
gm_rc gm_http_server_renew(struct gm_http_server *server, const struct gm_http_tls *tls,
                           struct gm_err *err) GM_MUST_CHECK;
/* Takes no more connections, and refuses further calls of those that there are (503). Waits until
 * all calls under way are answered, without a bound: whoever they wait for has to go on, or to end
 * them, meanwhile. Then gives the answers two seconds to reach their clients. NULL is fine */
void gm_http_server_stop(struct gm_http_server *server);

#endif
