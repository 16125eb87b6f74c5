#include "cli/services.h"

#include "base/mem.h"
#include "os/file.h"

static gm_rc start_jobs(struct gm_services *services, const struct gm_config_root *root,
                        struct gm_store *store, struct gm_err *err)
{
    services->accounts = gm_alloc_array(root->blobs.n + 1, sizeof(services->accounts[0]));
    for (size_t i = 0; i < root->blobs.n; i++) {
        const struct gm_blob_conf *blob = root->blobs.at[i].value;
        services->accounts[i] = (struct gm_blob_account){blob->url, blob->account, blob->key};
    }
    if (root->api.jobs.files != NULL &&
        gm_path_absolute(root->api.jobs.files, &services->files_z, err) != GM_OK) {
        return gm_fail_within(err, "api.jobs.files");
    }
    const struct gm_jobs_options options = {
        .store = store,
        .blobs = {.accounts = services->accounts, .account_count = root->blobs.n},
        .files_z = services->files_z,
        .keep = root->api.jobs.keep};
    return gm_jobs_open(&options, &services->jobs, err);
}

static gm_rc start_routes(struct gm_services *services, const struct gm_config *config,
                          struct gm_store *store, struct gm_err *err)
{
    const struct gm_routes_options options = {.store = store,
                                              .endpoints = &gm_config_root(config)->endpoints,
                                              .source = gm_str_z(gm_config_event_source_z(config))};
    GM_TRY(gm_routes_open(&options, &services->routes, err));
    return gm_routes_start(services->routes, err);
}

static gm_rc start_views(struct gm_services *services, const struct gm_services_options *options,
                         struct gm_err *err)
{
    const struct gm_views_options views = {.views = &gm_config_root(options->config)->views,
                                           .streams = gm_hub_directory(options->hub),
                                           .store = options->store,
                                           .folder_z = gm_store_folder_z(options->store)};
    return gm_views_open(&views, &services->views, err);
}

static gm_rc start_commands(struct gm_services *services, const struct gm_services_options *options,
                            struct gm_err *err)
{
    const struct gm_commands_options commands = {.commands =
                                                     &gm_config_root(options->config)->commands,
                                                 .hub = options->hub,
                                                 .store = options->store};
    return gm_commands_open(&commands, &services->commands, err);
}

static gm_rc start_api(struct gm_services *services, const struct gm_services_options *options,
                       struct gm_err *err)
{
    const struct gm_streams_api_options streams = {.hub = options->hub,
                                                   .store = options->store,
                                                   .views = services->views,
                                                   .forwards = services->forwards,
                                                   .commands = services->commands};
    GM_TRY(gm_streams_api_open(&streams, &services->streams, err));
    const struct gm_adt_options adt = {.config = options->config,
                                       .store = options->store,
                                       .jobs = services->jobs,
                                       .routes = services->routes,
                                       .mount = {gm_streams_api_operations(), services->streams}};
    return gm_adt_start(&adt, &services->adt, err);
}

struct gm_retention_options gm_services_retention(const struct gm_services_options *options)
{
    const struct gm_retain_conf *retain = &gm_config_root(options->config)->changes.retain;
    return (struct gm_retention_options){
        .store = options->store, .age = retain->age, .size = retain->size};
}

gm_rc gm_services_start(struct gm_services *services, const struct gm_services_options *options,
                        struct gm_err *err)
{
    const struct gm_config_root *root = gm_config_root(options->config);
    const struct gm_retention_options retention = gm_services_retention(options);
    gm_rc rc = start_jobs(services, root, options->store, err);
    rc = rc == GM_OK ? start_routes(services, options->config, options->store, err) : rc;
    rc = rc == GM_OK ? start_views(services, options, err) : rc;
    rc = rc == GM_OK ? start_commands(services, options, err) : rc;
    rc = rc == GM_OK ? gm_forwards_start(options->hub, &services->forwards, err) : rc;
    rc = rc == GM_OK ? start_api(services, options, err) : rc;
    rc = rc == GM_OK ? gm_sources_start(options->hub, &services->sources, err) : rc;
    rc = rc == GM_OK ? gm_retention_start(&retention, &services->retention, err) : rc;
    if (rc != GM_OK) {
        gm_services_stop(services);
    }
    return rc;
}

void gm_services_stop(struct gm_services *services)
{
    gm_retention_stop(services->retention);
    gm_sources_stop(services->sources);
    gm_streams_api_stop(services->streams); /* ends those who wait for events */
    gm_adt_stop(services->adt);             /* it asks the others */
    gm_streams_api_close(services->streams);
    gm_forwards_stop(services->forwards);
    gm_commands_close(services->commands);
    gm_views_close(services->views);
    gm_routes_close(services->routes);
    gm_jobs_close(services->jobs);
    gm_free(services->accounts);
    gm_free(services->files_z);
    *services = (struct gm_services){0};
}
