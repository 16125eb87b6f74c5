#include "route/route.h"

#include <stdatomic.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/vec.h"
#include "route/filter.h"
#include "route/worker.h"

enum { FILTER_ARENA_SIZE = 16 << 20 };

struct gm_routes {
    struct gm_store *store;
    struct gm_str source; /* owned */
    struct gm_outlet *outlets;
    size_t outlet_count;
    _Atomic size_t alive;
    struct gm_mutex *mu;
    bool running;                             /* guarded by mu */
    GM_VEC(struct gm_route_worker *) workers; /* guarded by mu; those that ended go with the next
                                                 refresh */
};

gm_rc gm_routes_open(const struct gm_routes_options *options, struct gm_routes **out_routes,
                     struct gm_err *err)
{
    (void)err;
    const struct gm_conf_map *endpoints = options->endpoints;
    struct gm_routes *routes = gm_alloc(sizeof(*routes));
    routes->store = options->store;
    routes->source = (struct gm_str){gm_str_dup_z(options->source), options->source.n};
    routes->mu = gm_mutex_new();
    routes->outlets = gm_alloc_array(endpoints->n, sizeof(struct gm_outlet));
    for (size_t i = 0; i < endpoints->n; i++) {
        gm_outlet_init(&routes->outlets[i], endpoints->at[i].name_z, endpoints->at[i].value);
    }
    routes->outlet_count = endpoints->n;
    *out_routes = routes;
    return GM_OK;
}

/* ---- workers ---- */

/* Under mu. A thread is started there, which is quick and waits for nothing. */
static gm_rc start_worker(struct gm_routes *routes, struct gm_str id, struct gm_err *err)
{
    struct gm_route_worker_options options = {.store = routes->store,
                                              .outlets = routes->outlets,
                                              .outlet_count = routes->outlet_count,
                                              .source = routes->source,
                                              .id = id,
                                              .alive = &routes->alive};
    struct gm_route_worker *worker;
    GM_TRY(gm_route_worker_start(&options, &worker, err));
    *gm_vec_push(&routes->workers) = worker;
    return GM_OK;
}

/* Under mu: frees workers that have ended; their threads are at their last instructions. */
static void reap(struct gm_routes *routes)
{
    size_t kept = 0;
    for (size_t i = 0; i < routes->workers.n; i++) {
        struct gm_route_worker *worker = routes->workers.at[i];
        if (gm_route_worker_gone(worker)) {
            gm_metric_set(GM_M_ROUTE_LAG, gm_route_worker_id(worker), 0);
            gm_metric_set(GM_M_ROUTE_LETTERS, gm_route_worker_id(worker), 0);
            gm_route_worker_join(worker);
        } else {
            routes->workers.at[kept++] = worker;
        }
    }
    routes->workers.n = kept;
}

static gm_rc start_one(void *ctx, const struct gm_event_route *route, struct gm_err *err)
{
    struct gm_routes *routes = ctx;
    gm_mutex_lock(routes->mu);
    gm_rc rc = start_worker(routes, route->id, err);
    gm_mutex_unlock(routes->mu);
    return rc;
}

gm_rc gm_routes_start(struct gm_routes *routes, struct gm_err *err)
{
    struct gm_db *db;
    GM_TRY(gm_store_reader(routes->store, &db, err));
    gm_mutex_lock(routes->mu);
    routes->running = true;
    gm_mutex_unlock(routes->mu);
    gm_rc rc = gm_event_routes_list(db, &(struct gm_event_routes_query){0}, start_one, routes, err);
    gm_db_close(db);
    return rc;
}

void gm_routes_close(struct gm_routes *routes)
{
    if (routes == NULL) {
        return;
    }
    gm_mutex_lock(routes->mu);
    routes->running = false;
    for (size_t i = 0; i < routes->workers.n; i++) {
        (void)gm_route_worker_poke(routes->workers.at[i], true);
    }
    gm_mutex_unlock(routes->mu);
    /* nobody adds or frees workers any more */
    for (size_t i = 0; i < routes->workers.n; i++) {
        gm_route_worker_join(routes->workers.at[i]);
    }
    gm_vec_deinit(&routes->workers);
    for (size_t i = 0; i < routes->outlet_count; i++) {
        gm_outlet_deinit(&routes->outlets[i]);
    }
    gm_free(routes->outlets);
    gm_mutex_free(routes->mu);
    gm_free((char *)(uintptr_t)routes->source.p);
    gm_free(routes);
}

void gm_routes_refresh(struct gm_routes *routes, struct gm_str id)
{
    bool told = false;
    struct gm_err err = {0};
    if (routes == NULL) {
        return;
    }
    gm_mutex_lock(routes->mu);
    reap(routes);
    for (size_t i = 0; i < routes->workers.n && !told; i++) {
        struct gm_route_worker *worker = routes->workers.at[i];
        told = gm_str_eq(gm_route_worker_id(worker), id) && gm_route_worker_poke(worker, false);
    }
    gm_rc rc = told || !routes->running ? GM_OK : start_worker(routes, id, &err);
    gm_mutex_unlock(routes->mu);
    if (rc != GM_OK) {
        gm_log_error("route.failed", GM_L_STR("route", id), GM_L_Z("error", err.text));
    }
}

/* ---- looking ---- */

bool gm_routes_wants_telemetry(const struct gm_routes *routes)
{
    return routes != NULL && atomic_load(&routes->alive) > 0;
}

bool gm_routes_has_endpoint(const struct gm_routes *routes, struct gm_str name)
{
    for (size_t i = 0; routes != NULL && i < routes->outlet_count; i++) {
        if (gm_str_is(name, routes->outlets[i].name_z)) {
            return true;
        }
    }
    return false;
}

static bool is_id(struct gm_str id)
{
    static const char others[] = "-._~";
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c != '\0' && strchr(others, c) != NULL);
        if (!fits) {
            return false;
        }
    }
    return id.n > 0 && id.n <= GM_EVENT_ROUTE_ID_SIZE_MAX;
}

enum gm_route_fault gm_routes_check(const struct gm_routes *routes,
                                    const struct gm_event_route *route, struct gm_err *err)
{
    if (!is_id(route->id)) {
        (void)gm_fail(err, GM_E_INVALID, "a route's id has 1 to %d letters, digits and -._~",
                      GM_EVENT_ROUTE_ID_SIZE_MAX);
        return GM_ROUTE_BAD_ID;
    }
    if (!gm_routes_has_endpoint(routes, route->endpoint)) {
        (void)gm_fail(err, GM_E_INVALID, "there is no endpoint `" GM_STR_FMT "`",
                      GM_STR_ARG(route->endpoint));
        return GM_ROUTE_BAD_ENDPOINT;
    }
    struct gm_event_filter *filter;
    struct gm_arena *arena = gm_arena_new(FILTER_ARENA_SIZE);
    gm_rc rc = gm_event_filter_parse(arena, route->filter, &filter, err);
    gm_arena_free(arena);
    return rc == GM_OK ? GM_ROUTE_FINE : GM_ROUTE_BAD_FILTER;
}

void gm_routes_measure(struct gm_routes *routes)
{
    int64_t newest = gm_store_newest_change(routes->store);
    gm_mutex_lock(routes->mu);
    for (size_t i = 0; i < routes->workers.n; i++) {
        int64_t position, letters;
        struct gm_str id = gm_route_worker_id(routes->workers.at[i]);
        gm_route_worker_look(routes->workers.at[i], &position, &letters);
        gm_metric_set(GM_M_ROUTE_LAG, id, (double)(newest > position ? newest - position : 0));
        gm_metric_set(GM_M_ROUTE_LETTERS, id, (double)letters);
    }
    gm_mutex_unlock(routes->mu);
}
