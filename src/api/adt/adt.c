/* The service's life: who may ask, certificates, the server. */
#include "api/adt/adt.h"

#include "api/adt/inside.h"
#include "auth/access.h"
#include "auth/tls.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

/* How often it is looked whether another certificate is due, or there. */
#define CERTIFICATE_PERIOD GM_HOUR
/* Less of it left is told; the local authority's never gets there. */
#define CERTIFICATE_LEFT_MIN (14 * GM_DAY)
/* Clients keep connections for later; one that is closed just when it is used again costs a retry,
 * so it is for the client to tire first. */
#define IDLE_TIME (2 * GM_MINUTE)

/* ---- life ---- */

static gm_rc open_access(struct gm_adt *adt, struct gm_err *err)
{
    const struct gm_api_conf *conf = adt->conf;
    GM_AUTO_FREE struct gm_access_role_map *roles =
        gm_alloc_array(conf->jwt.roles.n + 1, sizeof(*roles));
    const struct gm_api_role_conf *given = conf->jwt.roles.at;
    for (size_t i = 0; i < conf->jwt.roles.n; i++) {
        roles[i] = (struct gm_access_role_map){given[i].value, (enum gm_access_role)given[i].role};
    }
    return gm_access_open(
        &(struct gm_access_options){
            .data_z = gm_store_folder_z(adt->store),
            .development = conf->tokens.development,
            .file_z = conf->tokens.file,
            .jwt = {.jwks_z = conf->jwt.jwks,
                    .ca_file_z = conf->jwt.ca,
                    .issuer_z = conf->jwt.issuer,
                    .audiences = conf->jwt.audience.at,
                    .audience_count = conf->jwt.audience.n,
                    .role_claim_z = conf->jwt.role_claim,
                    .roles = roles,
                    .role_count = conf->jwt.roles.n,
                    .default_role = (enum gm_access_role)conf->jwt.default_role,
                    .skew = conf->jwt.skew},
            .rate_per_second = conf->rate_limit.per_second,
            .rate_burst = conf->rate_limit.burst,
            .clock = adt->clock},
        &adt->access, err);
}

static gm_rc load_tls(const struct gm_adt *adt, struct gm_tls_pair *out_pair, struct gm_err *err)
{
    const struct gm_api_conf *conf = adt->conf;
    gm_ns now = adt->clock->wall(adt->clock);
    if (conf->tls.certificate != NULL) {
        return gm_tls_load(conf->tls.certificate, conf->tls.key, now, out_pair, err);
    }
    GM_AUTO_FREE char *folder_z = gm_format_z("%s/tls", gm_store_folder_z(adt->store));
    return gm_tls_local(
        &(struct gm_tls_options){
            .folder_z = folder_z, .names = conf->names.at, .name_count = conf->names.n, .now = now},
        out_pair, err);
}

static size_t largest_body(const struct gm_api_limits_conf *limits)
{
    uint64_t large = limits->model_size * GM_ADT_LARGE_BODIES;
    large = limits->request_size > large ? limits->request_size : large;
    return (size_t)(limits->events_size > large ? limits->events_size : large);
}

static gm_rc start_server(struct gm_adt *adt, struct gm_err *err)
{
    const struct gm_api_limits_conf *limits = &adt->conf->limits;
    struct gm_tls_pair pair = {0};
    if (!adt->conf->tls.off) {
        GM_TRY(load_tls(adt, &pair, err));
    }
    struct gm_http_tls tls = {pair.certificate_z, pair.key_z};
    const struct gm_http_server_options options = {
        .address_z = adt->conf->listen,
        .tls = adt->conf->tls.off ? NULL : &tls,
        .handle = gm_adt_handle,
        .admit = gm_adt_admit,
        .refuse = gm_adt_word_refusal,
        .ctx = adt,
        .connections_max = (size_t)limits->connections,
        .body_size_max = largest_body(limits),
        .workers_max = (size_t)limits->workers,
        .idle_time = IDLE_TIME,
    };
    gm_rc rc = gm_http_server_start(&options, &adt->server, err);
    adt->certificate_hash = gm_hash64(gm_str_z(pair.certificate_z), 0);
    adt->certificate_due = adt->clock->mono(adt->clock) + CERTIFICATE_PERIOD;
    gm_tls_pair_free(&pair);
    if (rc == GM_E_CONFIG) {
        return gm_fail_within(err, "api.listen");
    }
    return rc;
}

gm_rc gm_adt_start(const struct gm_adt_options *options, struct gm_adt **out_adt,
                   struct gm_err *err)
{
    const struct gm_api_conf *conf = &gm_config_root(options->config)->api;
    if (!conf->enabled) {
        *out_adt = NULL;
        return GM_OK;
    }
    struct gm_adt *adt = gm_alloc(sizeof(*adt));
    adt->store = options->store;
    adt->jobs = options->jobs;
    adt->routes = options->routes;
    adt->mount = options->mount;
    adt->conf = conf;
    adt->clock = gm_store_clock(options->store);
    adt->stop = gm_stop_new();
    adt->mu = gm_mutex_new();
    adt->written = gm_cond_new();
    gm_rc rc = open_access(adt, err);
    rc = rc == GM_OK ? start_server(adt, err) : rc;
    if (rc != GM_OK) {
        gm_adt_stop(adt);
        return rc;
    }
    gm_log_info("api.listening", GM_L_Z("url", gm_adt_url_z(adt)));
    *out_adt = adt;
    return GM_OK;
}

const char *gm_adt_url_z(const struct gm_adt *adt)
{
    return gm_http_server_url_z(adt->server);
}

/* ---- upkeep ---- */

/* The local authority's certificate is made anew before it expires, the user's own is replaced by
 * who made it. */
static void renew_certificate(struct gm_adt *adt)
{
    struct gm_err err = {0};
    struct gm_tls_pair pair = {0};
    gm_rc rc = load_tls(adt, &pair, &err);
    uint64_t hash = rc == GM_OK ? gm_hash64(gm_str_z(pair.certificate_z), 0) : 0;
    if (rc == GM_OK && hash != adt->certificate_hash) {
        rc = gm_http_server_renew(adt->server,
                                  &(struct gm_http_tls){pair.certificate_z, pair.key_z}, &err);
        if (rc == GM_OK) {
            adt->certificate_hash = hash;
            gm_log_info("api.certificate", GM_L_Z("state", "renewed"));
        }
    }
    if (rc != GM_OK) {
        gm_log_warn("api.certificate", GM_L_Z("state", "kept"), GM_L_Z("error", err.text));
    } else if (pair.until - adt->clock->wall(adt->clock) < CERTIFICATE_LEFT_MIN) {
        gm_log_warn("api.certificate", GM_L_Z("state", "expires soon"),
                    GM_L_INT("days", (pair.until - adt->clock->wall(adt->clock)) / GM_DAY));
    }
    gm_tls_pair_free(&pair);
}

void gm_adt_tend(struct gm_adt *adt)
{
    char text[GM_ERR_TEXT_SIZE];
    if (adt == NULL) {
        return;
    }
    if (gm_access_problem(adt->access, text)) {
        gm_log_warn("api.access", GM_L_Z("error", text));
    }
    if (!adt->conf->tls.off && adt->clock->mono(adt->clock) >= adt->certificate_due) {
        adt->certificate_due = adt->clock->mono(adt->clock) + CERTIFICATE_PERIOD;
        renew_certificate(adt);
    }
}

/* Writes that are in the store's queue are answered before the server ends, and touch the service
 * for the last time when they are counted off. */
static void wait_for_writes(struct gm_adt *adt)
{
    gm_mutex_lock(adt->mu);
    while (adt->writes > 0) {
        gm_cond_wait(adt->written, adt->mu);
    }
    gm_mutex_unlock(adt->mu);
}

void gm_adt_stop(struct gm_adt *adt)
{
    if (adt == NULL) {
        return;
    }
    gm_stop_request(adt->stop);
    gm_http_server_stop(adt->server);
    wait_for_writes(adt);
    gm_access_close(adt->access);
    while (adt->readers != NULL) {
        struct gm_adt_reader *reader = adt->readers;
        adt->readers = reader->next_;
        gm_adt_reader_close(reader);
    }
    gm_cond_free(adt->written);
    gm_mutex_free(adt->mu);
    gm_stop_free(adt->stop);
    gm_free(adt);
}
