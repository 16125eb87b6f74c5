/* What a handler of the admin API works with. Internal to this folder. */
#ifndef GM_API_CALL_H
#define GM_API_CALL_H

#include "api/http_server.h"
#include "api/routes.h"
#include "engine/engine.h"
#include "json/json.h"

/* Operations that wait for their pipeline, or work on it, at the same time: fewer than there are connections, so that looking goes on. */
enum { GM_OPERATIONS_MAX = 16 };

/* Operations under way. */
struct gm_desk {
    struct gm_mutex *mu;
    struct gm_stop *stop;
    size_t count;                                      /* guarded by mu */
    struct gm_run_handle *handles[GM_OPERATIONS_MAX]; /* guarded by mu; of plans, so that they can be stopped */
};

struct gm_call {
    struct gm_engine *engine;
    struct gm_desk *desk;
    const struct gm_http_call *http;
    const struct gm_route *route;
    struct gm_str part;         /* of the path, unescaped */
    const yyjson_mut_val *body; /* an object; of POST alone */
    struct gm_arena *arena;     /* of this request */
    struct gm_http_reply *reply;
};

/* A handler writes its answer to call->reply->body and returns GM_OK, or says what is wrong: GM_E_END is 404, GM_E_INVALID and
 * GM_E_CONFIG 400, GM_E_CONFLICT 409, GM_E_LIMIT and GM_E_RETRY and GM_E_CANCELLED 503, the rest 500. */
gm_rc gm_admin_health(struct gm_call *call, struct gm_err *err);
gm_rc gm_admin_metrics(struct gm_call *call, struct gm_err *err);

#endif
