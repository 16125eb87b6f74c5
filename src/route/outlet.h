/* An endpoint of the configuration, as routes use it: an instance for each route, or one for all of
 * them, which they use in turn. Not for others than route/.
 *
 * Thread rule: an outlet from any thread; what gm_outlet_open gave has one owner. */
#ifndef GM_ROUTE_OUTLET_H
#define GM_ROUTE_OUTLET_H

#include "connect/endpoint.h"
#include "os/thread.h"

struct gm_outlet {
    const char *name_z;
    const struct gm_endpoint *endpoint;
    const struct gm_endpoint_conf *conf;
    void *shared; /* of an endpoint that is shared: used by who holds the turn; NULL: not open */
    struct gm_mutex *mu;
    struct gm_cond *cond;
    bool taken; /* guarded by mu: somebody has the turn */
};

/* `choice` is kept. */
void gm_outlet_init(struct gm_outlet *outlet, const char *name_z,
                    const struct gm_conf_choice *choice);
void gm_outlet_deinit(struct gm_outlet *outlet); /* after all instances are closed */

/* An instance for one route; *out_self is NULL of one that is shared. */
gm_rc gm_outlet_open(struct gm_outlet *outlet, const struct gm_stream_directory *streams,
                     void **out_self, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_outlet_deliver(struct gm_outlet *outlet, void *self, struct gm_delivery *delivery,
                        struct gm_err *err) GM_MUST_CHECK;
void gm_outlet_close(struct gm_outlet *outlet, void *self);

#endif
