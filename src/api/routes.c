#include "api/routes.h"

#include "api/call.h"

/* The order is that of the handlers' call->query. */
static const struct gm_route_field runs_query[] = {
    {"pipeline", "Only runs of this pipeline."},
    {"limit", "At most so many (default: 20, at most 1000)."},
    {0},
};
static const struct gm_route_field letters_query[] = {
    {"pipeline", "Only letters of this pipeline."},
    {"key", "Only letters of this key."},
    {"after", "Only letters behind this one: `next` of the answer before."},
    {"limit", "At most so many (default: 50, at most 1000)."},
    {0},
};
static const struct gm_route_field changes_query[] = {
    {"from", "Begin at this number (default: 1): `next` of the answer before."},
    {"limit", "At most so many (default: 100, at most 1000)."},
    {"wait",
     "When there is none yet: how long to wait for one, as `30s` (default: 0, at most `60s`)."},
    {0},
};
static const struct gm_route_field history_query[] = {
    {"before", "Only changes before this number: the last one of the answer before."},
    {"limit", "At most so many (default: 20, at most 1000)."},
    {0},
};
static const struct gm_route_field view_query[] = {
    {"key", "Only rows of this key."},
    {"from", "Only windows that begin at this time or later, as `2026-11-20T17:00:00Z`."},
    {"to", "Only windows that begin before this time."},
    {"limit", "At most so many (default: 100, at most 10000)."},
    {"after", "Go on behind a page: its `continuationToken`."},
    {0},
};
static const struct gm_route_field view_changes_query[] = {
    {"key", "Only rows of this key."},
    {"from",
     "`oldest`: all rows, then what changes; `newest`; or `cursor` of the answer before (default: "
     "`oldest`)."},
    {"limit", "At most so many (default: 100, at most 10000)."},
    {"wait", "When there is none yet: how long to wait for one, as `30s` (at most `60s`)."},
    {0},
};
static const struct gm_route_field route_letters_query[] = {
    {"after", "Only letters behind this one: `next` of the answer before."},
    {"limit", "At most so many (default: 50, at most 1000)."},
    {0},
};
static const struct gm_route_field route_body[] = {
    {"endpointName", "An endpoint of the configuration."},
    {"filter", "Which events are delivered (default: `true`, all of them)."},
    {0},
};
static const struct gm_route_field route_choice_body[] = {
    {"num", "Of a redrive: this letter's twin. Of dropping: this letter."},
    {"twin", "All letters of this twin. Neither of the two: all of the route."},
    {0},
};
static const struct gm_route_field choice_body[] = {
    {"num", "This letter; for a redrive, what stands before it of its key as well."},
    {"key", "All letters of this key. Neither of the two: all of the pipeline."},
    {0},
};
static const struct gm_route_field command_body[] = {
    {"body", "The command's body: JSON, as a text."},
    {"ifMatch", "The version that the entity must have (default: any)."},
    {"once", "A key of the command's own: sent again with it, it is done once."},
    {0},
};
static const struct gm_route_field models_body[] = {
    {"models", "An array of DTDL interfaces, in any order. Those that are there already with the "
               "same definition are passed over."},
    {0},
};
static const struct gm_route_field decommission_body[] = {
    {"decommissioned", "false takes it back (default: true)."},
    {0},
};
static const struct gm_route_field append_query[] = {
    {"line", "Number of the first line (default: 1): what is wrong is named by it."},
    {"key", "Events without an id and a sequence get an id of it and their line's number: sent "
            "again, they are taken once."},
    {"partial", "`true`: the lines that are right are taken, also when others are not."},
    {0},
};
static const struct gm_route_field plan_body[] = {
    {"resync", "true: look at every object, also where its source is unchanged."},
    {0},
};
static const struct gm_route_field verify_body[] = {
    {"check", "The text of an artifact: not source and graph are compared, but the artifact is "
              "checked, as `gemel verify --check` does."},
    {0},
};

const struct gm_route_field gm_route_raw_body[] = {{0}};

static const struct gm_route routes[] = {
    {"GET", "/health", "200 while the process lives.", NULL, NULL,
     "{\"status\":\"up\",\"version\":\"0.1.0\"}", gm_admin_health},
    {"GET", "/ready",
     "200 when the store takes work and every enabled pipeline has read its source to the end "
     "once, or is at work continuously; 503 else.",
     NULL, NULL, "{\"ready\":false,\"reasons\":[\"pipeline products has not succeeded yet\"]}",
     gm_admin_ready},
    {"GET", "/metrics", "The [metrics](metrics.md) in Prometheus' text format.", NULL, NULL, NULL,
     gm_admin_metrics},
    {"GET", "/pipelines",
     "How each pipeline stands, in the order of the configuration; `progress` is of the run under "
     "way, or null.",
     NULL, NULL,
     "{\"pipelines\":[{\"pipeline\":\"products\",\"enabled\":true,\"schedule\":\"every "
     "10m\",\"state\":\"running\","
     "\"next\":\"2026-11-20T17:19:55Z\",\"skipped\":0,\"objects\":9000,\"dead_letters\":0,"
     "\"progress\":{\"seconds\":1.250,\"read\":125000,\"written\":9,\"parked\":0,\"rows_estimate\":"
     "1000000,\"read_bytes\":0,"
     "\"bytes_estimate\":0,\"sweeping\":false},\"last_run\":null}]}",
     gm_admin_pipelines},
    {"GET", "/runs", "Run reports, newest first, each as `gemel runs --json` shows it.", runs_query,
     NULL, "{\"runs\":[]}", gm_admin_runs},
    {"GET", "/dead-letters",
     "Dead letters in order of number. `next` is for `after` of the next request, or null at the "
     "end; a page ends early when it is large.",
     letters_query, NULL, "{\"dead_letters\":[],\"next\":null}", gm_admin_dead_letters},
    {"GET", "/changes",
     "The change feed, in order of numbers: each change with its cause. `next` is for `from` of "
     "the "
     "next request. 410 when the log does not reach back to `from`; `oldest` says how far it does.",
     changes_query, NULL,
     "{\"changes\":[{\"num\":4711,\"time\":\"2026-11-20T17:09:55.1234567Z\",\"kind\":\"update\","
     "\"twin\":\"product-42\",\"pipeline\":3,\"pipelineName\":\"products\",\"run\":17,"
     "\"actor\":\"Products\",\"position\":42,\"previous\":17,\"data\":[{\"op\":\"replace\","
     "\"path\":\"/unitPrice\",\"value\":18.5}]}],\"next\":4712,\"oldest\":1,\"newest\":4711}",
     gm_admin_changes},
    {"GET", "/consumers",
     "Who reads streams: pipelines, views, forwarders, and clients that are sent events, with what "
     "each has not had yet in `lag`, and with `error` while it does not go on.",
     NULL, NULL,
     "[{\"kind\":\"view\",\"name\":\"per_minute\",\"stream\":\"telemetry\",\"lag\":0},"
     "{\"kind\":\"follower\",\"name\":\"telemetry/7\",\"stream\":\"telemetry\",\"lag\":412}]",
     gm_admin_consumers},
    {"GET", "/views", "The views, and how far each is behind its stream.", NULL, NULL,
     "{\"value\":[{\"name\":\"per_minute\",\"stream\":\"telemetry\",\"keys\":50000,"
     "\"watermark\":\"2026-11-20T17:09:45Z\",\"lag\":0,\"late\":0,\"ungrouped\":0,"
     "\"rebuilding\":false}]}",
     gm_admin_views},
    {"GET", "/views/{name}", "Rows of a view, in order of windows and keys.", view_query, NULL,
     "{\"value\":[{\"key\":\"machine-7\",\"start\":\"2026-11-20T17:00:00Z\",\"end\":"
     "\"2026-11-20T17:01:00Z\",\"closed\":true,\"corrections\":0,\"temperature\":{\"mean\":52.9}}],"
     "\"continuationToken\":null}",
     gm_admin_view_rows},
    {"GET", "/views/{name}/changes",
     "Rows of a view that changed, as they are now. 409: the cursor is of a view that is no more; "
     "begin with `oldest`.",
     view_changes_query, NULL,
     "{\"value\":[{\"key\":\"machine-7\",\"temperature\":{\"value\":52.9,\"time\":"
     "\"2026-11-20T17:00:00Z\"}}],\"cursor\":\"8d1f0a7c22e91b43:120,77:-\"}",
     gm_admin_view_changes},
    {"GET", "/twins/{id}/history",
     "What happened to a twin, newest first. `next` is for `before` of the next request, or null "
     "at "
     "the end.",
     history_query, NULL, "{\"changes\":[],\"next\":null}", gm_admin_history},
    {"GET", "/routes",
     "Event routes, with how far each has come: `lag` counts changes that are not settled; "
     "`failingSince`, `attempts` and `error` tell what it is stuck at.",
     NULL, NULL,
     "{\"routes\":[{\"id\":\"alerts\",\"endpointName\":\"alerts\",\"filter\":\"true\",\"created\":"
     "\"2026-11-20T17:09:55Z\",\"position\":4711,\"lag\":0,\"failingSince\":null,\"attempts\":0,"
     "\"error\":null,\"deadLetters\":0}]}",
     gm_admin_routes_list},
    {"GET", "/routes/{id}/dead-letters",
     "Events of a route that are parked or wait behind one that is, in the order of the log.",
     route_letters_query, NULL, "{\"dead_letters\":[],\"next\":null}", gm_admin_route_letters},
    {"POST", "/routes/{id}",
     "Makes an event route, which begins with what comes, or replaces one, which goes on where it "
     "was.",
     NULL, route_body, "{\"id\":\"alerts\"}", gm_admin_route_put},
    {"POST", "/routes/{id}/delete", "Deletes an event route with its dead letters.", NULL, NULL,
     "{\"id\":\"alerts\"}", gm_admin_route_delete},
    {"POST", "/routes/{id}/redrive",
     "Dead letters are to be delivered again, in order, by the route.", NULL, route_choice_body,
     "{\"accepted\":2}", gm_admin_route_redrive},
    {"POST", "/routes/{id}/drop-letters",
     "Throws dead letters away; what only waited behind them is delivered.", NULL,
     route_choice_body, "{\"dropped\":2}", gm_admin_route_drop},
    {"POST", "/models",
     "Uploads models, all of them or none. 409: one is there with another "
     "definition.",
     NULL, models_body, "{\"added\":13}", gm_admin_models_upload},
    {"POST", "/models/{id}/decommission",
     "No new twins can be made of the model. 409: models that need it come first.", NULL,
     decommission_body, "{\"decommissioned\":true}", gm_admin_model_decommission},
    {"POST", "/models/{id}/delete", "Deletes a model. 409: models that need it come first.", NULL,
     NULL, "{\"deleted\":true}", gm_admin_model_delete},
    {"POST", "/pipelines/{name}/run",
     "202: the pipeline runs as soon as it can. 409: it is under way.", NULL, NULL,
     "{\"accepted\":true}", gm_admin_run},
    {"POST", "/pipelines/{name}/plan", "What a run would do; writes nothing.", NULL, plan_body,
     "{\"pipeline\":\"products\",\"seconds\":0.012,\"report\":{},\"samples\":{\"created\":[],"
     "\"updated\":[],\"deleted\":[],\"parked\":[]}}",
     gm_admin_plan},
    {"POST", "/pipelines/{name}/verify",
     "Compares source and graph. The artifact comes as a string, since its seal is over its bytes.",
     NULL, verify_body,
     "{\"pipeline\":\"products\",\"source_count\":77,\"sink_count\":77,\"unreadable\":0,\"equal\":"
     "true,\"differences_total\":0,"
     "\"differences\":[],\"artifact\":\"…\"}",
     gm_admin_verify},
    {"POST", "/pipelines/{name}/redrive", "Applies dead letters again, in order per key.", NULL,
     choice_body, "{\"applied\":2,\"failed\":0,\"held\":0}", gm_admin_redrive},
    {"POST", "/pipelines/{name}/drop-letters", "Throws dead letters away.", NULL, choice_body,
     "{\"dropped\":2}", gm_admin_drop_letters},
    {"POST", "/streams/{name}/append",
     "Appends events, lines of JSON of up to 2 MiB, and answers after the commit; for `gemel "
     "append`. With lines that are wrong nothing is taken, unless `partial`. Programs use the "
     "[streams' API](streams-api.md).",
     append_query, gm_route_raw_body,
     "{\"appended\":499,\"duplicates\":0,\"wrongCount\":1,\"wrong\":[{\"number\":17,\"reason\":"
     "\"no JSON\"}]}",
     gm_admin_append},
    {"POST", "/views/{name}/rebuild",
     "202: makes the view anew from its stream, while the old one serves.", NULL, NULL,
     "{\"accepted\":true}", gm_admin_view_rebuild},
    {"POST", "/commands/{name}",
     "Does a command, as `POST /commands/NAME` of the twin API: the same answers and codes. 201: "
     "the entity is new.",
     NULL, command_body, "{\"key\":\"machine-12345\",\"version\":1,\"partition\":0,\"offset\":17}",
     gm_admin_command},
    {"POST", "/runs/{num}/approve", "Releases the deletions that a run blocked.", NULL, NULL,
     "{\"deleted\":12}", gm_admin_approve},
    {0},
};

const struct gm_route *gm_admin_routes(void)
{
    return routes;
}

static bool path_fits(struct gm_str pattern, struct gm_str path, struct gm_str *out_part)
{
    struct gm_str wanted, got;
    *out_part = (struct gm_str){NULL, 0};
    while (pattern.n > 0 && path.n > 0) {
        (void)gm_str_cut(pattern, '/', &wanted, &pattern);
        (void)gm_str_cut(path, '/', &got, &path);
        if (wanted.n > 0 && wanted.p[0] == '{' && got.n > 0) {
            *out_part = got;
        } else if (!gm_str_eq(wanted, got)) {
            return false;
        }
    }
    return pattern.n == 0 && path.n == 0;
}

enum gm_route_match gm_route_find(const char *method_z, const char *path_z,
                                  const struct gm_route **out_route, struct gm_str *out_part)
{
    enum gm_route_match match = GM_ROUTE_NO_PATH;
    struct gm_str part;
    for (const struct gm_route *route = routes; route->method_z != NULL; route++) {
        if (!path_fits(gm_str_z(route->path_z), gm_str_z(path_z), &part)) {
            continue;
        }
        *out_route = route;
        *out_part = part;
        if (strcmp(route->method_z, method_z) == 0) {
            return GM_ROUTE_FOUND;
        }
        match = GM_ROUTE_NO_METHOD;
    }
    return match;
}
