#include "cli/services.h"

#include "base/mem.h"

static gm_rc start_jobs(struct gm_services *services, const struct gm_config_root *root,
                        struct gm_store *store, struct gm_err *err)
{
    services->accounts = gm_alloc_array(root->blobs.n + 1, sizeof(services->accounts[0]));
    for (size_t i = 0; i < root->blobs.n; i++) {
        const struct gm_blob_conf *blob = root->blobs.at[i].value;
        services->accounts[i] = (struct gm_blob_account){blob->url, blob->account, blob->key};
    }
    const struct gm_jobs_options options = {
        .store = store,
        .blobs = {.accounts = services->accounts, .account_count = root->blobs.n},
        .files_z = root->api.jobs.files,
        .keep = root->api.jobs.keep};
    return gm_jobs_open(&options, &services->jobs, err);
}

gm_rc gm_services_start(struct gm_services *services, const struct gm_config *config,
                        struct gm_store *store, struct gm_err *err)
{
    const struct gm_config_root *root = gm_config_root(config);
    gm_rc rc = start_jobs(services, root, store, err);
    if (rc != GM_OK) {
        gm_services_stop(services);
    }
    return rc;
}

void gm_services_stop(struct gm_services *services)
{
    gm_jobs_close(services->jobs);
    gm_free(services->accounts);
    *services = (struct gm_services){0};
}
