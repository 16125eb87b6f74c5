/* What `gemel run` serves beside its pipelines: jobs, event routes, the twin API.
 *
 *     struct gm_services services = {0};
 *     GM_TRY(gm_services_start(&services, config, store, err));
 *     gm_services_stop(&services);
 *
 * Thread rule: the main thread's. */
#ifndef GM_CLI_SERVICES_H
#define GM_CLI_SERVICES_H

#include "api/adt/adt.h"
#include "engine/config.h"
#include "job/job.h"
#include "route/route.h"

struct gm_services {
    struct gm_jobs *jobs;
    struct gm_routes *routes;
    struct gm_blob_account *accounts; /* of the configuration; the jobs look at them */
    char *files_z;                    /* the folder of jobs' files; NULL: any */
    struct gm_adt *adt;               /* NULL: off */
};

/* `config` and `store` are kept until the stop. On failure nothing is left. */
gm_rc gm_services_start(struct gm_services *services, const struct gm_config *config,
                        struct gm_store *store, struct gm_err *err) GM_MUST_CHECK;
/* Ends them between two transactions; fine when they were not started. */
void gm_services_stop(struct gm_services *services);

#endif
