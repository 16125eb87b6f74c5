/* What `gemel run` serves beside its pipelines: jobs, event routes, retention of changes, the twin
 * API with the streams.
 *
 *     struct gm_services services = {0};
 *     struct gm_services_options options = {.config = config, .store = store, .hub = hub};
 *     GM_TRY(gm_services_start(&services, &options, err));
 *     gm_services_stop(&services);
 *
 * Thread rule: the main thread's. */
#ifndef GM_CLI_SERVICES_H
#define GM_CLI_SERVICES_H

#include "api/adt/adt.h"
#include "api/streams/streams.h"
#include "command/commands.h"
#include "engine/config.h"
#include "hub/forward.h"
#include "hub/hub.h"
#include "hub/sources.h"
#include "job/job.h"
#include "route/route.h"
#include "store/retention.h"

struct gm_services {
    struct gm_jobs *jobs;
    struct gm_routes *routes;
    struct gm_blob_account *accounts; /* of the configuration; the jobs look at them */
    char *files_z;                    /* the folder of jobs' files; NULL: any */
    struct gm_views *views;
    struct gm_commands *commands;
    struct gm_streams_api *streams;
    struct gm_adt *adt; /* NULL: off */
    struct gm_sources *sources;
    struct gm_forwards *forwards;
    struct gm_retention *retention;
};

/* All of it is kept until the stop. */
struct gm_services_options {
    const struct gm_config *config;
    struct gm_store *store;
    struct gm_hub *hub;
};
/* The bounds that a configuration has for the log of changes. */
struct gm_retention_options gm_services_retention(const struct gm_services_options *options);
/* On failure nothing is left. */
gm_rc gm_services_start(struct gm_services *services, const struct gm_services_options *options,
                        struct gm_err *err) GM_MUST_CHECK;
/* Ends them between two transactions; fine when they were not started. */
void gm_services_stop(struct gm_services *services);

#endif
