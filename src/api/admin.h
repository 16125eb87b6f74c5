/* The admin API: health, readiness, metrics, pipelines, runs and what is done about them, over
 * plain HTTP on a loopback address.
 *
 *     GM_TRY(gm_admin_start(&options, &admin, err)); // listens at admin.listen
 *     gm_admin_stop(admin);
 *
 *     GET  /health                      200 while the process lives
 *     GET  /ready                       200 when the store takes work and every enabled pipeline
 *          has read its source to the end once (or is at work, where it never ends), else 503
 *          with why
 *     GET  /metrics                     Prometheus text
 *     GET  /pipelines                   how each stands, with the progress of runs under way
 *     GET  /runs?pipeline=&limit=       reports, newest first
 *     GET  /dead-letters?pipeline=&key=&after=&limit=
 *     GET  /changes?from=&limit=&wait=  the change feed; waits for what is not there yet
 *     GET  /twins/ID/history?before=&limit=
 *     GET  /routes                      event routes, with how far each has come
 *     GET  /routes/ID/dead-letters?after=&limit=
 *     POST /routes/ID                   body {"endpointName":…,"filter":…}
 *     POST /routes/ID/delete
 *     POST /routes/ID/redrive           body {"num":…} or {"twin":…} or {}
 *     POST /routes/ID/drop-letters      likewise
 *     POST /streams/NAME/append?line=&key=&partial=
 *                                       lines of JSON; for `gemel append`
 *     POST /pipelines/NAME/run          202; 409 when it is under way
 *     POST /runs/NUM/approve            200 {"deleted":N}
 *     POST /pipelines/NAME/redrive      body {"num":…} or {"key":…} or {}
 *     POST /pipelines/NAME/drop-letters likewise
 *     POST /pipelines/NAME/plan         body {"resync":true} or {}
 *     POST /pipelines/NAME/verify       body {"check":ARTIFACT} or {}
 *
 * Reading is free on loopback; POST needs `Authorization: Bearer <token>`. The token is made at
 * each start and stands, readable for the owner only, with the address (and that of the twin API,
 * `api`) in DATA/admin.json: so commands of the same user reach the process that holds the data
 * directory. Errors are {"error":{"code","message"}}.
 *
 * What a request may say and what it is answered stands in the table of routes (api/routes.h).
 * Operations on a pipeline wait for its run to end; GM_OPERATIONS_MAX of them may be under way,
 * beyond that 503.
 *
 * Threads: each request runs on a worker of the server (64 at most), so one that takes long holds
 * up no other; it reads through a connection to the store of its own. */
#ifndef GM_API_ADMIN_H
#define GM_API_ADMIN_H

#include "api/consumers.h"
#include "engine/engine.h"
#include "hub/hub.h"
#include "hub/views.h"
#include "route/route.h"

struct gm_admin;
/* *out_admin is NULL when the configuration has it off. GM_E_CONFIG: the address is taken or not to
 * be had. */
/* `routes` (may be NULL: none are served) is kept until the stop. */
struct gm_admin_options {
    struct gm_engine *engine;
    struct gm_consumers_options consumers; /* without a hub: streams are not served here */
    struct gm_routes *routes;              /* NULL: none are served here */
    struct gm_views *views;                /* likewise */
    const struct gm_hub *hub;              /* likewise */
    struct gm_commands *commands;          /* likewise */
    const char *api_url_z; /* where the twin API is, for DATA/admin.json; NULL: nowhere */
};
gm_rc gm_admin_start(const struct gm_admin_options *options, struct gm_admin **out_admin,
                     struct gm_err *err) GM_MUST_CHECK;
/* Waits for requests under way. Those that wait for a run to end do so until the engine stops: stop
 * that first. NULL is fine. */
void gm_admin_stop(struct gm_admin *admin);

#endif
