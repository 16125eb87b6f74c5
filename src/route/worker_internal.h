/* What the files of a route's worker share. Not for others. */
#ifndef GM_ROUTE_WORKER_INTERNAL_H
#define GM_ROUTE_WORKER_INTERNAL_H

#include "base/map.h"
#include "base/rng.h"
#include "base/vec.h"
#include "route/filter.h"
#include "route/rows.h"
#include "route/worker.h"
#include "store/feed.h"

/* An event that is to be delivered; texts in the group's arena. */
struct gm_route_item {
    int64_t change, part;
    struct gm_str twin, text;
};

struct gm_route_worker {
    struct gm_route_worker_options options;
    struct gm_str id; /* owned */
    const struct gm_clock *clock;
    struct gm_thread *thread;
    _Atomic int64_t position; /* written by the thread; figures for people */
    _Atomic int64_t letters;  /* likewise */

    struct gm_mutex *mu;
    struct gm_stop *stop; /* guarded by mu, replaced by the thread: ends what is under way */
    struct gm_feed *feed; /* set under mu by the thread, which owns it */
    bool poked, end;      /* guarded by mu */
    bool ended;           /* guarded by mu: it sees nothing any more */
    bool gone;            /* guarded by mu: its thread has nothing left to do */

    /* The thread's own from here. */
    const struct gm_stop *now; /* the stop at hand */
    struct gm_event_maker *maker;
    struct gm_arena *definition; /* texts of `route`, and the filter */
    struct gm_event_route route; /* as it is kept, or will be */
    char error[GM_ERR_TEXT_SIZE];
    struct gm_event_filter *filter; /* NULL: the route cannot work */
    struct gm_outlet *outlet;       /* NULL: likewise */
    void *self;                     /* of the outlet */
    bool dirty;                     /* `route` differs from what is kept */
    gm_ns saved;                    /* monotonic */
    struct gm_map *held;            /* twins that have letters */
    int64_t due;                    /* letters that are to be delivered again */
    int64_t refusals;               /* of the event that it is stuck at */
    struct gm_rng rng;

    struct gm_arena *arena;   /* of the group */
    struct gm_arena *scratch; /* of one change */
    struct gm_buf text;
    GM_VEC(struct gm_route_item) items;
    GM_VEC(struct gm_str) texts; /* of items, as endpoints want them; likewise: */
    GM_VEC(struct gm_str) twins;
};

/* worker_group.c: fills `items` with what the filter wants of changes behind the position, as far
 * as they are committed and a group holds; *out_last is the last change looked at. GM_E_END: there
 * is none. */
gm_rc gm_route_worker_gather(struct gm_route_worker *worker, int64_t *out_last, struct gm_err *err)
    GM_MUST_CHECK;

/* worker_deliver.c: brings the group to its end: delivered, or parked. */
gm_rc gm_route_worker_deliver(struct gm_route_worker *worker, int64_t last, struct gm_err *err)
    GM_MUST_CHECK;
/* Delivers letters that are due. */
gm_rc gm_route_worker_redrive(struct gm_route_worker *worker, struct gm_err *err) GM_MUST_CHECK;

/* worker.c: keeps worker->route. */
gm_rc gm_route_worker_save(struct gm_route_worker *worker, struct gm_err *err) GM_MUST_CHECK;
/* Reads which twins have letters. */
gm_rc gm_route_worker_load_letters(struct gm_route_worker *worker, struct gm_err *err)
    GM_MUST_CHECK;
/* Notes what the route is stuck at, keeps it, and says so in the log when it is new. */
gm_rc gm_route_worker_trouble(struct gm_route_worker *worker, const char *error_z,
                              struct gm_err *err) GM_MUST_CHECK;

#endif
