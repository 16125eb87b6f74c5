/* Who reads streams, and how far behind each is: pipelines, views, forwarders, clients that follow
 * over HTTP. Event routes read the changes of twins, and are told of by route/rows.h.
 *
 *     struct gm_consumers_options options = {.config = config, .hub = hub, .folder_z = data};
 *     GM_TRY(gm_consumers_each(&options, db, print, ctx, err));
 *
 * In the process that serves them they say themselves where they are. Elsewhere that is what they
 * have saved: pipelines and forwarders with what they did, views every few seconds; followers keep
 * their places themselves, and are not there.
 *
 * Thread rule: the connection's thread. */
#ifndef GM_API_CONSUMERS_H
#define GM_API_CONSUMERS_H

#include "api/streams/streams.h"
#include "engine/config.h"
#include "hub/forward.h"
#include "hub/hub.h"
#include "hub/views.h"

struct gm_consumers_options {
    const struct gm_config *config;
    const struct gm_hub *hub;
    const char *folder_z;               /* the data directory */
    struct gm_views *views;             /* NULL: of another process, as the next two */
    const struct gm_forwards *forwards; /* likewise */
    struct gm_streams_api *streams;     /* likewise */
};
struct gm_consumer {
    const char *kind_z; /* "pipeline", "view", "forward", "follower" */
    struct gm_str name;
    struct gm_str stream; /* of a follower: what it follows */
    int64_t lag;          /* events that are committed and that it has not had yet */
    const char *why_z;    /* why it does not go on; NULL: it does */
};
typedef void (*gm_consumer_fn)(void *ctx, const struct gm_consumer *consumer);
/* `db`: a reading connection to the store. NULL: without pipelines. */
gm_rc gm_consumers_each(const struct gm_consumers_options *options, struct gm_db *db,
                        gm_consumer_fn fn, void *ctx, struct gm_err *err) GM_MUST_CHECK;
/* [{"kind","name","stream","lag","error"}] */
gm_rc gm_consumers_write_json(const struct gm_consumers_options *options, struct gm_db *db,
                              struct gm_buf *out, struct gm_err *err) GM_MUST_CHECK;

#endif
