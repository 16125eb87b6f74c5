/* The `api:` section of the configuration: the twin service's address, certificates, tokens, rate
 * and limits. Part of engine/config.h.
 *
 *     const struct gm_api_conf *api = &gm_config_root(config)->api;
 *     if (api->enabled) { … listen at api->listen … }
 */
#ifndef GM_ENGINE_API_CONFIG_H
#define GM_ENGINE_API_CONFIG_H

#include "conf/conf.h"

struct gm_api_tls_conf {
    bool off;                /* plain HTTP; on loopback only */
    const char *certificate; /* PEM file; NULL: the local authority's */
    const char *key;         /* NULL exactly when certificate is */
};
struct gm_api_tokens_conf {
    bool development;
    const char *file; /* NULL: none */
};
struct gm_api_role_conf {
    const char *value; /* of the claim */
    int32_t role;      /* enum gm_access_role */
};
struct gm_api_jwt_conf {
    const char *jwks; /* path (made relative to the configuration) or URL; NULL: no JWTs */
    const char *ca;   /* who signs the URL's certificate; NULL: the system's */
    const char *issuer;
    struct gm_conf_strs audience;
    const char *role_claim;    /* NULL: roles, then scp */
    struct gm_conf_list roles; /* of struct gm_api_role_conf */
    int32_t default_role;      /* enum gm_access_role */
    gm_ns skew;
};
struct gm_api_rate_conf {
    double per_second; /* 0: none */
    double burst;
};
/* 0 stands for no limit where the help says so. */
struct gm_api_limits_conf {
    uint64_t twin_size;
    uint64_t request_size; /* of any body but models' and events' */
    uint64_t events_size;  /* of a body of events, as it came and unpacked */
    uint64_t telemetry_size;
    int64_t models;
    int64_t models_per_call;
    uint64_t model_size;
    int64_t twins;              /* 0: any number */
    int64_t relationships;      /* of the graph; 0: any number */
    int64_t twin_relationships; /* in, and separately out, of one twin */
    int64_t models_page;
    int64_t query_page;
    int64_t query_length; /* characters */
    int64_t query_conditions;
    int64_t query_in_items;
    int64_t query_joins;
    gm_ns query_time;
    uint64_t query_memory;
    int64_t routes;
    int64_t connections;
    int64_t workers;
};
struct gm_api_jobs_conf {
    const char *files; /* NULL: anywhere */
    gm_ns keep;
};
/* An account of Azure Storage, or of an emulator. */
struct gm_blob_conf {
    const char *url;
    const char *account;
    const char *key;
};
struct gm_api_conf {
    bool enabled;
    const char *listen;        /* host:port */
    struct gm_conf_strs names; /* further host names and addresses of the local certificate */
    struct gm_api_tls_conf tls;
    struct gm_api_tokens_conf tokens;
    struct gm_api_jwt_conf jwt;
    struct gm_api_rate_conf rate_limit;
    struct gm_api_limits_conf limits;
    struct gm_api_jobs_conf jobs;
};

extern const struct gm_field gm_api_fields[];
extern const struct gm_field gm_blob_fields[];

/* Checks across fields, reported into the doc. `node` is the section, NULL when it is absent. */
void gm_api_conf_check(struct gm_conf_doc *doc, const struct gm_node *node,
                       struct gm_api_conf *conf);

#endif
