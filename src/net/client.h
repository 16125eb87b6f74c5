/* Many HTTP requests at a time, from one thread: connections are kept and shared, over HTTP/2 where
 * the server speaks it. Over libcurl's multi interface, in http.c.
 *
 *     struct gm_http_client *client = gm_http_client_new(32);
 *     gm_http_client_start(client, &request, ctx);             // as often as there is work
 *     struct gm_http_done done;
 *     while (gm_http_client_next(client, 100 * GM_MS, &done)) {
 *         … done.ctx, done.rc, done.answer …
 *         gm_http_done_free(&done);
 *     }
 *     gm_http_client_free(client);
 *
 * How many are under way is the caller's choice; of connections there are `connections_max` at
 * most, and what finds none free waits for one within its own timeout. Thread rule: one owner. */
#ifndef GM_NET_CLIENT_H
#define GM_NET_CLIENT_H

#include "net/http.h"

enum { GM_HTTP_CLIENT_CONNECTIONS_MAX = 256 };

struct gm_http_client;
struct gm_http_client *gm_http_client_new(size_t connections_max);
/* What is under way is dropped; whether it took effect is not known. NULL is fine. */
void gm_http_client_free(struct gm_http_client *client);

/* Starts a request. Everything of it is copied but its body, which is borrowed until it is done.
 * request->stop is not looked at: the caller is not blocked. */
void gm_http_client_start(struct gm_http_client *client, const struct gm_http_request *request,
                          void *ctx);
/* Those that gm_http_client_next has not handed out yet. */
size_t gm_http_client_count(const struct gm_http_client *client);

struct gm_http_done {
    void *ctx;
    gm_rc rc; /* as that of gm_http_send; but for GM_OK there is no answer */
    struct gm_err err;
    struct gm_http_answer answer;
    gm_ns took;
};
/* Waits up to `span` for one to be done, also while none is under way: so callers pause. False:
 * none is. */
bool gm_http_client_next(struct gm_http_client *client, gm_ns span, struct gm_http_done *out_done);
void gm_http_done_free(struct gm_http_done *done);

#endif
