/* One route at work: a thread that reads the change feed behind the route's position, makes events,
 * filters them and delivers what is left. Not for others than route/.
 *
 *     struct gm_route_worker *worker;
 *     GM_TRY(gm_route_worker_start(&options, &worker, err));
 *     gm_route_worker_poke(worker, false);      // its row or its letters have changed: look
 *     gm_route_worker_poke(worker, true);       // come to an end
 *     gm_route_worker_join(worker);
 *
 * Order: events are delivered in the order of the log, one call at a time. The position is kept
 * after the endpoint has confirmed, at most once a second while all goes well; so after a crash the
 * events of up to a second come again, and none is left out. An event that fails is tried again
 * until it is taken or given up; then it becomes a dead letter in the transaction that moves the
 * position behind it, and so do later events of its twin.
 *
 * A worker whose route is gone from the store ends by itself. Thread rule: poke and look from any
 * thread. */
#ifndef GM_ROUTE_WORKER_H
#define GM_ROUTE_WORKER_H

#include <stdatomic.h>

#include "route/outlet.h"
#include "store/store.h"

struct gm_route_worker_options {
    struct gm_store *store;
    struct gm_outlet *outlets; /* of the configuration */
    size_t outlet_count;
    struct gm_str source;  /* as gm_event_source has it; kept */
    struct gm_str id;      /* copied */
    _Atomic size_t *alive; /* how many workers have not ended: counted down at the end */
};

struct gm_route_worker;
gm_rc gm_route_worker_start(const struct gm_route_worker_options *options,
                            struct gm_route_worker **out_worker, struct gm_err *err) GM_MUST_CHECK;
struct gm_str gm_route_worker_id(const struct gm_route_worker *worker);
/* False: it has ended, and sees nothing any more. */
bool gm_route_worker_poke(struct gm_route_worker *worker, bool end);
/* Joining it would not wait. */
bool gm_route_worker_gone(struct gm_route_worker *worker);
void gm_route_worker_join(struct gm_route_worker *worker); /* waits for the end; frees */
/* How far it has come and how many dead letters there are, for metrics. */
void gm_route_worker_look(struct gm_route_worker *worker, int64_t *out_position,
                          int64_t *out_letters);

#endif
