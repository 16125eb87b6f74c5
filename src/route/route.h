/* Event routes: changes of twins, filtered, delivered to endpoints of the configuration as
 * CloudEvents; at least once, in the order of the log.
 *
 *     struct gm_routes *routes;
 *     struct gm_routes_options options = {.store = store, .endpoints = &root->endpoints,
 *                                         .source = GM_STR("twins.example")};
 *     GM_TRY(gm_routes_open(&options, &routes, err));
 *     GM_TRY(gm_routes_start(routes, err));
 *     … gm_event_route_put(tx->db, …) in a transaction, then, behind its commit:
 *     gm_routes_refresh(routes, id);
 *     gm_routes_close(routes);                             // stops them
 *
 * Each route is a row of the store (rows.h) and, while routes run, a thread with its own place in
 * the change feed (worker.h): an endpoint that is stuck holds up its own routes and nothing else.
 * Those of an endpoint whose type is shared (a file) deliver in turn.
 *
 * What route, filter and dead letters mean for users stands in docs/routes.md.
 *
 * Where none are served `routes` is NULL: there are no endpoints then, and refreshing does nothing.
 *
 * Thread rule: open, start and close from one thread; the rest from any. */
#ifndef GM_ROUTE_ROUTE_H
#define GM_ROUTE_ROUTE_H

#include "conf/conf.h"
#include "route/rows.h"
#include "store/store.h"

struct gm_routes_options {
    struct gm_store *store;              /* keeps */
    const struct gm_conf_map *endpoints; /* keeps; of struct gm_conf_choice */
    struct gm_str source;                /* the service's host name: `source` of events; copied */
};

struct gm_routes;
gm_rc gm_routes_open(const struct gm_routes_options *options, struct gm_routes **out_routes,
                     struct gm_err *err) GM_MUST_CHECK;
/* Starts the routes that the store has. */
gm_rc gm_routes_start(struct gm_routes *routes, struct gm_err *err) GM_MUST_CHECK;
/* Waits for what is under way to be broken off, keeps positions; NULL is fine. */
void gm_routes_close(struct gm_routes *routes);

/* Whether anybody would hear of telemetry. */
bool gm_routes_wants_telemetry(const struct gm_routes *routes);
bool gm_routes_has_endpoint(const struct gm_routes *routes, struct gm_str name);
/* The route of that id, or its letters, were written, or are gone, and that is committed. Does not
 * wait for anything; a thread that cannot be started is logged. */
void gm_routes_refresh(struct gm_routes *routes, struct gm_str id);

/* What is wrong with a route before it is put; checked in this order. */
enum gm_route_fault {
    GM_ROUTE_FINE,
    GM_ROUTE_BAD_ID,       /* 1-128 letters, digits, -._~ */
    GM_ROUTE_BAD_ENDPOINT, /* the configuration has none of that name */
    GM_ROUTE_BAD_FILTER,   /* err says where and why */
};
enum gm_route_fault gm_routes_check(const struct gm_routes *routes,
                                    const struct gm_event_route *route, struct gm_err *err);

/* Sets the gauges of routes. */
void gm_routes_measure(struct gm_routes *routes);

#endif
