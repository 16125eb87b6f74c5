/* An HTTP server: whole requests in, whole answers out. Over libmicrohttpd, which is included in
 * http_server.c only.
 *
 *     static void handle(void *ctx, const struct gm_http_call *call, struct gm_http_reply *reply)
 *     {
 *         reply->status = 200;
 *         gm_buf_add_z(&reply->body, "{}");
 *     }
 *     struct gm_http_server_options options = {.address_z = "127.0.0.1:0", .handle = handle};
 *     GM_TRY(gm_http_server_start(&options, &server, err));
 *     gm_http_server_stop(server);
 *
 * Bounded: GM_HTTP_CONNECTIONS_MAX connections (more are closed at once),
 * GM_HTTP_BODY_SIZE_MAX bytes of body (413 beyond), GM_HTTP_HEADERS_SIZE_MAX of address and headers
 * (431), GM_HTTP_IDLE_S of silence. What the server answers by itself, short of nonsense that is no
 * HTTP at all, is an error as gm_http_reply_error writes it.
 *
 * Threads: one that accepts, and one a connection. A handler runs on its connection's thread, so it
 * may take its time. */
#ifndef GM_API_HTTP_SERVER_H
#define GM_API_HTTP_SERVER_H

#include "base/buf.h"
#include "base/status.h"

enum {
    GM_HTTP_CONNECTIONS_MAX = 64,
    GM_HTTP_BODY_SIZE_MAX = 1 << 20,
    GM_HTTP_HEADERS_SIZE_MAX = 32 << 10,
    GM_HTTP_IDLE_S = 30,
    GM_HTTP_REPLY_SIZE_MAX = 64 << 20,
};

/* Borrowed for the call. */
struct gm_http_call {
    const char *method_z;
    const char *path_z; /* as it was sent: percent signs and all; without the query */
    struct gm_str body;
    void *connection; /* private */
};
/* NULL: there is none. Header names do not mind case. */
const char *gm_http_call_header(const struct gm_http_call *call, const char *name_z);
/* Each parameter of the query, as it was sent but for `+`, which is a space; the value is "" when
 * there is none. False from `fn` ends the walk. */
void gm_http_call_each_query(const struct gm_http_call *call,
                             bool (*fn)(void *ctx, const char *name_z, const char *value_z),
                             void *ctx);
/* Percent signs taken apart, in `out`. False: a bad escape, a NUL, or not UTF-8. */
bool gm_http_unescape(struct gm_str text, struct gm_buf *out) GM_MUST_CHECK;

struct gm_http_reply {
    int status;
    const char *content_type_z; /* application/json when left alone */
    const char *allow_z;        /* of a 405: the methods that are; lives as long as the server */
    struct gm_buf body;         /* up to GM_HTTP_REPLY_SIZE_MAX; more becomes a 500 */
};
/* {"error":{"code":…,"message":…}}, in place of what the body had. */
void gm_http_reply_error(struct gm_http_reply *reply, int status, const char *code_z,
                         const char *message_z);

struct gm_http_server_options {
    const char *address_z; /* see os/listen.h */
    void (*handle)(void *ctx, const struct gm_http_call *call, struct gm_http_reply *reply);
    void *ctx;
};

struct gm_http_server;
/* GM_E_CONFIG: the address is taken or not to be had. */
gm_rc gm_http_server_start(const struct gm_http_server_options *options,
                           struct gm_http_server **out_server, struct gm_err *err) GM_MUST_CHECK;
const char *gm_http_server_url_z(const struct gm_http_server *server); /* "http://127.0.0.1:8070" */
/* waits for handlers under way; NULL is fine */
void gm_http_server_stop(struct gm_http_server *server);

#endif
