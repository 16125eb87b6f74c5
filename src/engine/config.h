/* The configuration file, decoded: one data directory, models, pipelines.
 *
 *     struct gm_config *config;
 *     rc = gm_config_load("gemel.yaml", &config, err);
 *     // GM_E_CONFIG: err sums up, gm_config_doc() has all errors
 *     gm_config_free(config);
 *
 * Read-only once loaded; threads share it. Loading does no I/O but reading the file and the
 * references of its secrets. */
#ifndef GM_ENGINE_CONFIG_H
#define GM_ENGINE_CONFIG_H

#include "command/conf.h"
#include "conf/conf.h"
#include "connect/connector.h"
#include "engine/api_config.h"
#include "engine/schedule.h"
#include "hub/stream_conf.h"
#include "sync/sweep.h"
#include "view/conf.h"

struct gm_admin_conf {
    bool enabled;
    const char *listen; /* host:port */
};
struct gm_log_conf {
    int32_t level;  /* enum gm_log_level */
    int32_t format; /* enum gm_log_format */
};
struct gm_webhook_conf {
    const char *url; /* NULL: none */
    const char *authorization;
    gm_ns timeout;
};
struct gm_notify_conf {
    struct gm_webhook_conf webhook;
};

struct gm_missing_conf {
    bool delete;
    int64_t delete_after_runs;
    double max_share;
    gm_ns min_age;
};
struct gm_errors_conf {
    double stop_share;
    int64_t window;
    int64_t max_letters;
};
struct gm_retry_conf {
    int64_t attempts;
    gm_ns first;
    gm_ns longest;
};

struct gm_pipeline_conf {
    bool enabled;
    struct gm_conf_choice source;
    const struct gm_node *steps;
    const struct gm_node *map;
    struct gm_conf_choice sink;
    const char *schedule;
    gm_ns full_every;
    struct gm_missing_conf missing;
    struct gm_errors_conf errors;
    struct gm_retry_conf retry;
};

struct gm_changes_conf {
    struct gm_retain_conf retain;
};

struct gm_config_root {
    const char *data;
    const char *models;
    int64_t concurrency;
    int64_t keep_runs;
    struct gm_changes_conf changes;
    struct gm_admin_conf admin;
    struct gm_api_conf api;
    struct gm_log_conf log;
    struct gm_notify_conf notify;
    struct gm_conf_map blobs;     /* of struct gm_blob_conf */
    struct gm_conf_map streams;   /* of struct gm_stream_conf */
    struct gm_conf_map commands;  /* of struct gm_command_conf */
    struct gm_conf_map views;     /* of struct gm_view_conf */
    struct gm_conf_map pipelines; /* of struct gm_pipeline_conf */
    struct gm_conf_map endpoints; /* of struct gm_conf_choice: connect/endpoint.h */
    const char *event_source;     /* NULL: see gm_config_event_source_z */
};

/* One pipeline, with what is derived from its settings. */
struct gm_pipeline {
    const char *name_z;
    const struct gm_pipeline_conf *conf;
    const struct gm_connector *source;
    const struct gm_connector *sink;
    struct gm_schedule schedule;
    const char *source_fingerprint_z; /* of source and steps: what is read and filtered */
    const char *step_fingerprint_z;   /* of steps, map and sink: what is made of it */
    uint64_t hash_seed;               /* for records' hashes */
};

struct gm_config;
extern const struct gm_field gm_config_fields[];

/* `*out_config` is set on GM_E_CONFIG as well, so that all errors can be printed; free it in any
 * case. */
gm_rc gm_config_load(const char *path_z, struct gm_config **out_config, struct gm_err *err)
    GM_MUST_CHECK;
/* The same without resolving ${…} references: for linting anywhere. */
gm_rc gm_config_lint(const char *path_z, struct gm_config **out_config, struct gm_err *err)
    GM_MUST_CHECK;
void gm_config_free(struct gm_config *config); /* NULL is fine */

struct gm_conf_doc *gm_config_doc(struct gm_config *config);
const struct gm_config_root *gm_config_root(const struct gm_config *config);
/* The host name that events come from: event_source, else the first of api.names, else
 * api.listen. */
const char *gm_config_event_source_z(const struct gm_config *config);
const char *gm_config_folder_z(const struct gm_config *config); /* of the file */
size_t gm_config_pipeline_count(const struct gm_config *config);
/* in the order of the file */
const struct gm_pipeline *gm_config_pipeline(const struct gm_config *config, size_t index);
/* NULL: none of that name; then *out_nearest_z (may be NULL) is the nearest one, or NULL. */
const struct gm_pipeline *gm_config_find(const struct gm_config *config, const char *name_z,
                                         const char **out_nearest_z);

#endif
