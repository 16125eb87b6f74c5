/* Event routes: operations 21-24. */
#include "api/adt/call.h"
#include "route/route.h"

enum { PAGE_COUNT = 100 };

#define NO_ROUTE "There is no route available that matches the provided input."

/* ---- looking ---- */

struct listing {
    struct gm_adt_call *call;
    yyjson_mut_val *items;
    size_t count_max;
    struct gm_str last; /* id of the last item */
    bool more;
};

static bool add_member(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *name_z,
                       struct gm_str value)
{
    return gm_json_set(doc, object, gm_str_z(name_z), gm_json_strcpy(doc, value));
}

static gm_rc add_route(void *ctx, const struct gm_event_route *route, struct gm_err *err)
{
    struct listing *listing = ctx;
    yyjson_mut_doc *doc = listing->call->doc;
    if (yyjson_mut_arr_size(listing->items) == listing->count_max) {
        listing->more = true;
        return GM_OK;
    }
    yyjson_mut_val *item = yyjson_mut_obj(doc);
    listing->last = gm_arena_dup(listing->call->arena, route->id);
    bool ok = item != NULL && listing->last.p != NULL && add_member(doc, item, "id", route->id) &&
              add_member(doc, item, "endpointName", route->endpoint) &&
              add_member(doc, item, "filter", route->filter) &&
              yyjson_mut_arr_append(listing->items, item);
    return ok ? GM_OK : gm_fail(err, GM_E_LIMIT, "no room for the routes");
}

/* Reads into listing->items; the call is ended when that fails. */
static bool read_routes(struct listing *listing, const struct gm_event_routes_query *query)
{
    struct gm_err err = {0};
    struct gm_adt_call *call = listing->call;
    struct gm_adt_reader *reader = gm_adt_reader_take(call);
    if (reader == NULL) {
        return false;
    }
    listing->items = yyjson_mut_arr(call->doc);
    gm_rc rc = gm_event_routes_list(reader->db, query, add_route, listing, &err);
    gm_adt_reader_give(call->adt, reader);
    if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
    }
    return rc == GM_OK;
}

void gm_adt_routes_list(struct gm_adt_call *call)
{
    struct gm_adt_page page;
    struct listing listing = {.call = call};
    if (!gm_adt_page(call, PAGE_COUNT, PAGE_COUNT, &page)) {
        return;
    }
    listing.count_max = page.count_max;
    struct gm_event_routes_query query = {.after = page.after,
                                          .limit = (int64_t)page.count_max + 1};
    if (read_routes(&listing, &query)) {
        gm_adt_answer_page(call, listing.items,
                           listing.more ? listing.last : (struct gm_str){NULL, 0});
    }
}

void gm_adt_route_get(struct gm_adt_call *call)
{
    struct listing listing = {.call = call, .count_max = 1};
    if (!read_routes(&listing, &(struct gm_event_routes_query){.id = call->parts[0]})) {
        return;
    }
    yyjson_mut_val *route = yyjson_mut_arr_get_first(listing.items);
    if (route == NULL) {
        gm_adt_refuse(call, 404, "EventRouteNotFound", NO_ROUTE);
    } else {
        gm_adt_answer_json(call, 200, route);
    }
}

/* ---- writing ---- */

struct route_job {
    struct gm_event_route route;
    bool full;    /* there are as many as may be */
    bool missing; /* there is none to delete */
};

static gm_rc write_route(struct gm_adt_call *call, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct route_job *job = call->data;
    int64_t limit = call->adt->conf->limits.routes, others, newest;
    GM_TRY(gm_event_routes_count(tx->db, job->route.id, &others, err));
    job->full = limit > 0 && others >= limit;
    if (job->full) {
        return GM_OK;
    }
    GM_TRY(gm_graph_newest_change(tx->graph, &newest, err));
    return gm_event_route_put(tx->db, &job->route, newest, err);
}

static void route_written(struct gm_adt_call *call)
{
    const struct route_job *job = call->data;
    if (job->full) {
        gm_adt_refuse(
            call, 400, "LimitExceeded",
            "The service has as many event routes as it may have, %lld. Delete one first.",
            (long long)call->adt->conf->limits.routes);
        return;
    }
    gm_routes_refresh(call->adt->routes, job->route.id);
    gm_adt_answer(call, 204);
}

/* What is wrong with the route, told to the client; true: nothing. */
static bool check_route(struct gm_adt_call *call, const struct gm_event_route *route)
{
    struct gm_err err = {0};
    switch (gm_routes_check(call->adt->routes, route, &err)) {
    case GM_ROUTE_FINE:
        return true;
    case GM_ROUTE_BAD_ID:
        gm_adt_refuse(call, 400, "EventRouteIdInvalid", "The event route id is not valid: %s.",
                      err.text);
        return false;
    case GM_ROUTE_BAD_ENDPOINT:
        gm_adt_refuse(call, 400, "EventRouteEndpointInvalid",
                      "The endpoint provided does not exist or is not active. %s: endpoints are "
                      "declared in the configuration.",
                      err.text);
        return false;
    case GM_ROUTE_BAD_FILTER:
        gm_adt_refuse(call, 400, "EventRouteFilterInvalid", "The filter provided is not valid: %s.",
                      err.text);
        return false;
    }
    return false;
}

void gm_adt_route_put(struct gm_adt_call *call)
{
    yyjson_mut_val *body = gm_adt_body(call);
    struct route_job *job = body != NULL ? gm_arena_zalloc(call->arena, sizeof(*job)) : NULL;
    if (body == NULL) {
        return;
    }
    GM_ASSERT(job != NULL); /* the arena holds the largest body many times over */
    yyjson_mut_val *filter = gm_json_member(body, GM_STR("filter"));
    bool none = filter == NULL || yyjson_mut_is_null(filter);
    job->route = (struct gm_event_route){
        .id = call->parts[0],
        .endpoint = gm_json_member_str(body, "endpointName"),
        .filter = none ? GM_STR("true") : gm_json_str(filter),
        .created = call->now,
    };
    call->data = job;
    if (check_route(call, &job->route)) {
        gm_adt_write(call, write_route, route_written);
    }
}

static gm_rc delete_route(struct gm_adt_call *call, const struct gm_store_tx *tx,
                          struct gm_err *err)
{
    struct route_job *job = call->data;
    gm_rc rc = gm_event_route_delete(tx->db, call->parts[0], err);
    job->missing = rc == GM_E_END;
    return job->missing ? GM_OK : rc;
}

static void route_deleted(struct gm_adt_call *call)
{
    const struct route_job *job = call->data;
    if (job->missing) {
        gm_adt_refuse(call, 404, "EventRouteNotFound", NO_ROUTE);
        return;
    }
    gm_routes_refresh(call->adt->routes, call->parts[0]);
    gm_adt_answer(call, 204);
}

void gm_adt_route_delete(struct gm_adt_call *call)
{
    call->data = gm_arena_zalloc(call->arena, sizeof(struct route_job));
    GM_ASSERT(call->data != NULL);
    gm_adt_write(call, delete_route, route_deleted);
}
