/* What a handler of the admin API works with. Internal to this folder. */
#ifndef GM_API_CALL_H
#define GM_API_CALL_H

#include "api/consumers.h"
#include "api/routes.h"
#include "engine/engine.h"
#include "hub/hub.h"
#include "net/server.h"
#include "route/route.h"
#include "store/feed.h"
#include "json/json.h"

enum {
    GM_QUERY_MAX = 5,
    GM_CHANGE_WAITS_MAX = 16, /* requests that wait for changes: few of the server's workers */
};

/* Operations under way. */
struct gm_desk {
    struct gm_mutex *mu;
    struct gm_stop *stop;
    size_t count; /* guarded by mu */
    /* guarded by mu; of plans, so that they can be stopped */
    struct gm_run_handle *handles[GM_OPERATIONS_MAX];
    /* guarded by mu; of requests that wait for changes, so that they can be woken */
    struct gm_feed *feeds[GM_CHANGE_WAITS_MAX];
    size_t view_waits; /* guarded by mu; requests that wait for changes of views */
};

struct gm_call {
    struct gm_engine *engine;
    struct gm_routes *routes;     /* NULL: none are served here */
    struct gm_views *views;       /* likewise */
    const struct gm_hub *hub;     /* likewise */
    struct gm_commands *commands; /* likewise */
    const struct gm_consumers_options *consumers;
    struct gm_desk *desk;
    const struct gm_http_call *http;
    const struct gm_route *route;
    struct gm_str part; /* of the path, unescaped */
    /* in the order of route->query, unescaped; p NULL: not given */
    struct gm_str query[GM_QUERY_MAX];
    const yyjson_mut_val *body; /* an object; of POST alone */
    struct gm_arena *arena;     /* of this request */
    struct gm_http_reply *reply;
};

/* A handler writes its answer to call->reply->body and returns GM_OK, or says what is wrong:
 * GM_E_END is 404, GM_E_INVALID 400, GM_E_CONFIG 422, GM_E_CONFLICT 409, GM_E_LIMIT 413, GM_E_RETRY
 * and GM_E_CANCELLED 503, the rest 500. */
typedef gm_rc gm_handler(struct gm_call *call, struct gm_err *err);
extern gm_handler gm_admin_consumers;
extern gm_handler gm_admin_health, gm_admin_ready, gm_admin_metrics, gm_admin_pipelines,
    gm_admin_runs, gm_admin_dead_letters, gm_admin_changes, gm_admin_history, gm_admin_routes_list,
    gm_admin_route_letters, gm_admin_views, gm_admin_view_rows, gm_admin_view_changes;
extern gm_handler gm_admin_run, gm_admin_approve, gm_admin_redrive, gm_admin_drop_letters,
    gm_admin_plan, gm_admin_verify, gm_admin_route_put, gm_admin_route_delete,
    gm_admin_route_redrive, gm_admin_route_drop, gm_admin_models_upload,
    gm_admin_model_decommission, gm_admin_model_delete, gm_admin_view_rebuild, gm_admin_append,
    gm_admin_command;

/* What parameters of the query are read with: `number` stays as it is when none is given. */
gm_rc gm_admin_number(struct gm_str text, const char *name_z, int64_t *number, struct gm_err *err)
    GM_MUST_CHECK;
gm_rc gm_admin_limit(struct gm_str text, int64_t *limit, struct gm_err *err) GM_MUST_CHECK;

#endif
