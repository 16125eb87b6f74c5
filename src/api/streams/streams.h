/* Streams over HTTP, beside the twin API on its server: events in, events out, entities.
 *
 *     GM_TRY(gm_streams_api_open(&options, &streams, err));
 *     adt_options.mount = (struct gm_adt_mount){gm_streams_api_operations(), streams};
 *     …
 *     gm_streams_api_stop(streams);       // ends those who wait, so that the server can stop
 *     gm_adt_stop(adt);
 *     gm_streams_api_close(streams);
 *
 * Taking in. A request is decoded on the thread that serves it, handed to the stream's writer, and
 * answered by that after the commit; in between it is memory, no thread. When too much waits for
 * the commit, the answer is 429.
 *
 * Giving out. Who waits for events (long poll, server-sent events) is a follower. One thread,
 * woken by commits, reads for all of them in turn, a bounded piece each; what a client does not
 * take stays in the stream, so a slow one holds up nobody. Followers of views have a thread of
 * their own, since that may wait for a view that is folded or made anew.
 *
 * Threads: `gemel-follow`, `gemel-view-feed` and `gemel-changes`. */
#ifndef GM_API_STREAMS_STREAMS_H
#define GM_API_STREAMS_STREAMS_H

#include "api/adt/operations.h"
#include "command/commands.h"
#include "hub/forward.h"
#include "hub/hub.h"
#include "hub/views.h"
#include "store/store.h"

enum { GM_FOLLOWERS_MAX = 256 }; /* of views as many again */

struct gm_streams_api_options {
    const struct gm_hub *hub;           /* keeps */
    struct gm_store *store;             /* keeps */
    struct gm_views *views;             /* keeps */
    const struct gm_forwards *forwards; /* keeps */
    struct gm_commands *commands;       /* keeps */
};
struct gm_streams_api;
gm_rc gm_streams_api_open(const struct gm_streams_api_options *options,
                          struct gm_streams_api **out_streams, struct gm_err *err) GM_MUST_CHECK;
/* Takes no more followers and ends those there are. NULL is fine. */
void gm_streams_api_stop(struct gm_streams_api *streams);
void gm_streams_api_close(struct gm_streams_api *streams); /* NULL is fine */

/* A client that is sent events (server-sent events): long polls come and go. */
struct gm_follower_status {
    const char *name_z; /* "telemetry/7": what it follows, and a number of its own */
    const char *what_z; /* a stream, a view, or "changes" */
    int64_t lag;        /* events, or changes, that it has not been sent */
};
typedef void (*gm_follower_fn)(void *ctx, const struct gm_follower_status *status);
/* Each of them; borrowed for the call. NULL is fine: there are none. */
void gm_streams_api_followers(struct gm_streams_api *streams, gm_follower_fn fn, void *ctx);
const struct gm_adt_operation *gm_streams_api_operations(void);

#endif
