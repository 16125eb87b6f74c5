/* Loading the configuration: the top-level field tables, checks across fields, and what is
 * derived. */
#include "engine/config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/vec.h"
#include "connect/endpoint.h"
#include "os/file.h"
#include "os/process.h"
#include "step/step.h"

static const char *const log_levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const log_formats[] = {"logfmt", "json", NULL};

static const struct gm_field admin_fields[] = {
    GM_FIELD_BOOL(struct gm_admin_conf, enabled, .def = "true",
                  .help = "Whether `gemel run` serves the admin API."),
    GM_FIELD_STR(struct gm_admin_conf, listen, .def = "127.0.0.1:8070", .example = "127.0.0.1:8070",
                 .help = "Address of the admin API (health, metrics, pipelines, runs). Only "
                         "loopback addresses are accepted: "
                         "it speaks plain HTTP."),
    GM_FIELD_END,
};
static const struct gm_field log_fields[] = {
    GM_FIELD_ENUM(struct gm_log_conf, level, .names = log_levels, .def = "info",
                  .help = "The least important lines that are written."),
    GM_FIELD_ENUM(struct gm_log_conf, format, .names = log_formats, .def = "logfmt",
                  .help = "`logfmt` for people, `json` for machines."),
    GM_FIELD_END,
};
static const struct gm_field webhook_fields[] = {
    GM_FIELD_SECRET(
        struct gm_webhook_conf, url, .example = "https://alerts.example/gemel",
        .help = "Where the report of a failed run, or of a blocked sweep, is posted as JSON."),
    GM_FIELD_SECRET(struct gm_webhook_conf, authorization,
                    .example = "\"Bearer ${env:ALERT_TOKEN}\"",
                    .help = "Value of the `Authorization` header."),
    GM_FIELD_SPAN(struct gm_webhook_conf, timeout, .def = "10s", .min = "100ms", .max = "5m",
                  .help = "Longest time one attempt may take."),
    GM_FIELD_END,
};
static const struct gm_field notify_fields[] = {
    GM_FIELD_STRUCT(struct gm_notify_conf, webhook, .fields = webhook_fields,
                    .help = "Called when a run fails."),
    GM_FIELD_END,
};
static const struct gm_field missing_fields[] = {
    GM_FIELD_BOOL(struct gm_missing_conf, delete, .def = "true",
                  .help = "`false` keeps objects for ever that the source no longer shows."),
    GM_FIELD_INT(
        struct gm_missing_conf, delete_after_runs, .def = "2", .min = "1", .max = "1000",
        .help =
            "In how many complete runs in a row an object must be missing before it is deleted."),
    GM_FIELD_SHARE(struct gm_missing_conf, max_share, .def = "5%",
                   .help = "The largest share of a type's objects that one run may delete (one "
                           "object is always allowed). More "
                           "blocks the sweep until `gemel runs approve`."),
    GM_FIELD_SPAN(struct gm_missing_conf, min_age, .def = "0",
                  .help = "How long an object must have been missing before it is deleted."),
    GM_FIELD_END,
};
static const struct gm_field errors_fields[] = {
    GM_FIELD_SHARE(struct gm_errors_conf, stop_share, .def = "50%",
                   .help = "The run stops when more than this share of the last `window` records "
                           "had to be parked."),
    GM_FIELD_INT(struct gm_errors_conf, window, .def = "1000", .min = "10", .max = "100000",
                 .help = "Records over which `stop_share` is taken."),
    GM_FIELD_INT(struct gm_errors_conf, max_letters, .def = "100000", .min = "1",
                 .help = "The most dead letters the pipeline may have; one more stops the run."),
    GM_FIELD_END,
};
static const struct gm_field retry_fields[] = {
    GM_FIELD_INT(
        struct gm_retry_conf, attempts, .def = "5", .min = "1", .max = "100",
        .help = "How often a run tries a source that is down, locked or too busy before it fails."),
    GM_FIELD_SPAN(struct gm_retry_conf, first, .def = "1s", .min = "1ms",
                  .help =
                      "The pause before the second attempt; it doubles with each, with jitter."),
    GM_FIELD_SPAN(struct gm_retry_conf, longest, .def = "5m", .min = "1ms",
                  .help = "The longest pause."),
    GM_FIELD_END,
};

static const struct gm_field pipeline_fields[] = {
    GM_FIELD_CHOICE(struct gm_pipeline_conf, source, .flags = GM_F_REQUIRED,
                    .alternatives = gm_source_alternatives,
                    .help = "Where records come from: exactly one connector."),
    GM_FIELD_NODE(struct gm_pipeline_conf, steps,
                  .help = "Steps before the map, in order: a list of `filter` and `jq`.",
                  .example = "[{ filter: \"Discontinued = 0\" }]"),
    GM_FIELD_NODE(struct gm_pipeline_conf, map,
                  .help = "Typed projection of a record into a twin or a relationship.",
                  .example = "{ $dtId: \"product-{ProductID}\", $model: \"dtmi:shop:Product;1\", "
                             "name: ProductName }"),
    GM_FIELD_CHOICE(struct gm_pipeline_conf, sink, .flags = GM_F_REQUIRED,
                    .alternatives = gm_sink_alternatives, .example = "twins",
                    .help = "Where records take effect: exactly one connector."),
    GM_FIELD_STR(struct gm_pipeline_conf, schedule, .example = "every 10m",
                 .help =
                     "When it runs: `every 10m`, or five cron fields in UTC (`*/15 6-22 * * "
                     "mon-fri`), or, of a stream, `continuous`: for ever. Without one it runs once "
                     "at start. "
                     "A run that is still under way is not overlapped: the next one is skipped "
                     "and counted."),
    GM_FIELD_SPAN(struct gm_pipeline_conf, full_every, .def = "24h",
                  .help = "Of a source that reads increments (`watermark`): how often everything "
                          "is read, which is what finds deletions."),
    GM_FIELD_BOOL(struct gm_pipeline_conf, enabled, .def = "true",
                  .help = "`false` keeps it from running."),
    GM_FIELD_STRUCT(struct gm_pipeline_conf, missing, .fields = missing_fields,
                    .help = "What happens to objects that the source no longer shows."),
    GM_FIELD_STRUCT(struct gm_pipeline_conf, errors, .fields = errors_fields,
                    .help = "How many records may be parked as dead letters."),
    GM_FIELD_STRUCT(struct gm_pipeline_conf, retry, .fields = retry_fields,
                    .help = "What happens when the source cannot be read now."),
    GM_FIELD_END,
};

static const struct gm_field changes_retain_fields[] = {
    GM_FIELD_SPAN(struct gm_retain_conf, age, .def = "0", .example = "90d",
                  .help = "Changes that were made longer ago go; 0: none do."),
    GM_FIELD_SIZE(struct gm_retain_conf, size, .def = "0", .example = "10GB",
                  .help = "The oldest changes go when all take more than this, compressed; 0: none "
                          "do."),
    GM_FIELD_END,
};
static const struct gm_field changes_fields[] = {
    GM_FIELD_STRUCT(struct gm_changes_conf, retain, .fields = changes_retain_fields,
                    .help = "How long changes are kept. Without a bound: for ever."),
    GM_FIELD_END,
};

const struct gm_field gm_config_fields[] = {
    GM_FIELD_PATH(struct gm_config_root, data, .def = "./data",
                  .help = "The data directory. One process at a time works in it."),
    GM_FIELD_PATH(struct gm_config_root, models, .example = "./models",
                  .help = "A folder (or file) of DTDL models, read at start in any order; what is "
                          "new is added to the store."),
    GM_FIELD_MAP(struct gm_config_root, streams, .fields = gm_stream_fields,
                 .item_size = sizeof(struct gm_stream_conf),
                 .help = "The streams, by name: durable logs of events, DATA/streams/NAME.db each.",
                 .example = "{ telemetry: { key: machine.machineId, time: timeCreated } }"),
    GM_FIELD_MAP(struct gm_config_root, commands, .fields = gm_command_fields,
                 .item_size = sizeof(struct gm_command_conf),
                 .help =
                     "What may be asked of entities, by name: checked, and appended to a stream "
                     "as an event.",
                 .example = "{ register_machine: { stream: machines, key: \"machine-{machineId}\", "
                            "event: registered, when: new } }"),
    GM_FIELD_MAP(struct gm_config_root, views, .fields = gm_view_fields,
                 .item_size = sizeof(struct gm_view_conf),
                 .help = "Read models folded from streams, by name: latest values, and aggregates "
                         "over windows of time.",
                 .example = "{ per_minute: { stream: telemetry, window: 1m, values: { temperature: "
                            "{ of: machine.temperature } } } }"),
    GM_FIELD_MAP(struct gm_config_root, pipelines, .fields = pipeline_fields,
                 .item_size = sizeof(struct gm_pipeline_conf),
                 .help = "The pipelines, by name. Without any, `gemel run` serves the twin API "
                         "alone."),
    GM_FIELD_MAP(struct gm_config_root, endpoints, .alternatives = gm_endpoint_alternatives,
                 .item_size = sizeof(struct gm_conf_choice),
                 .help =
                     "Where event routes may deliver, by name: of each exactly one of the kinds "
                     "below. Routes themselves are made over the twin API, or with `gemel "
                     "routes put`.",
                 .example = "{ alerts: { webhook: { url: https://events.example/twins } } }"),
    GM_FIELD_STR(struct gm_config_root, event_source, .example = "twins.example",
                 .help = "The `source` of events: the host name that clients know the service by. "
                         "Without it the first of `api.names`, or else `api.listen`."),
    GM_FIELD_INT(struct gm_config_root, concurrency, .def = "2", .min = "1", .max = "64",
                 .help = "How many runs may be under way at a time."),
    GM_FIELD_INT(struct gm_config_root, keep_runs, .def = "1000", .min = "1", .max = "1000000",
                 .help = "How many run reports are kept per pipeline."),
    GM_FIELD_STRUCT(struct gm_config_root, changes, .fields = changes_fields,
                    .help = "The log of all changes of twins: their history."),
    GM_FIELD_STRUCT(struct gm_config_root, admin, .fields = admin_fields, .help = "The admin API."),
    GM_FIELD_STRUCT(struct gm_config_root, api, .fields = gm_api_fields,
                    .help = "The twin API, for clients of Azure Digital Twins."),
    GM_FIELD_MAP(struct gm_config_root, blobs, .fields = gm_blob_fields,
                 .item_size = sizeof(struct gm_blob_conf),
                 .help = "Accounts of Azure Storage, by name, for URLs of jobs that carry no "
                         "signature of their own."),
    GM_FIELD_STRUCT(struct gm_config_root, log, .fields = log_fields,
                    .help = "Log lines on standard error."),
    GM_FIELD_STRUCT(struct gm_config_root, notify, .fields = notify_fields,
                    .help = "Who is told of failures."),
    GM_FIELD_END,
};

struct gm_config {
    struct gm_conf_doc *doc;
    char *path_z;
    char *folder_z;
    struct gm_config_root root;
    GM_VEC(struct gm_pipeline) pipelines;
};

/* ---- references of secrets ---- */

enum { SECRET_SIZE_MAX = 64 << 10 };

static gm_rc resolve(void *ctx, struct gm_str kind, struct gm_str name, struct gm_buf *out,
                     struct gm_err *err)
{
    const struct gm_config *config = ctx;
    if (gm_str_is(kind, "env")) {
        GM_AUTO_FREE char *name_z = gm_str_dup_z(name);
        const char *value_z = gm_env_z(name_z);
        if (value_z == NULL) {
            return gm_fail(err, GM_E_CONFIG, "environment variable %s is not set", name_z);
        }
        gm_buf_add_z(out, value_z);
        return GM_OK;
    }
    if (gm_str_is(kind, "file")) {
        GM_AUTO_FREE char *path_z = gm_path_join_z(gm_str_z(config->folder_z), name);
        struct gm_buf text;
        gm_buf_init(&text, SECRET_SIZE_MAX);
        gm_rc rc = gm_file_read_all(path_z, &text, err);
        if (rc == GM_OK) {
            gm_buf_add(out, gm_str_trim(gm_buf_str(&text)));
        }
        gm_buf_deinit(&text);
        return rc;
    }
    return gm_fail(err, GM_E_CONFIG,
                   "unknown reference ${" GM_STR_FMT ":…}; write ${env:NAME} or ${file:PATH}",
                   GM_STR_ARG(kind));
}

static gm_rc resolve_nothing(void *ctx, struct gm_str kind, struct gm_str name, struct gm_buf *out,
                             struct gm_err *err)
{
    (void)ctx;
    if (!gm_str_is(kind, "env") && !gm_str_is(kind, "file")) {
        return gm_fail(err, GM_E_CONFIG,
                       "unknown reference ${" GM_STR_FMT ":…}; write ${env:NAME} or ${file:PATH}",
                       GM_STR_ARG(kind));
    }
    gm_buf_addf(out, "${" GM_STR_FMT "}", GM_STR_ARG(name));
    return GM_OK;
}

/* ---- what is derived ---- */

static const char *fingerprint_z(struct gm_conf_doc *doc, const struct gm_node *const *nodes,
                                 size_t count)
{
    struct gm_buf text;
    gm_buf_init(&text, GM_CONF_SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        if (nodes[i] != NULL) {
            gm_conf_write_canonical(nodes[i], &text);
        }
        gm_buf_add_char(&text, '\n');
    }
    char hex[GM_HASH128_HEX_SIZE];
    gm_hash128_hex(gm_hash128(gm_buf_str(&text), 0), hex);
    gm_buf_deinit(&text);
    struct gm_str kept = gm_arena_dup(gm_conf_arena(doc), gm_str_z(hex));
    GM_ASSERT(kept.p != NULL);
    return kept.p;
}

static bool is_pipeline_name(const char *name_z)
{
    size_t n = strlen(name_z);
    return n >= 1 && n <= 100 &&
           strspn(name_z, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == n;
}

/* `stream_z` NULL: that is told already. */
static bool has_stream(const struct gm_config *config, const char *stream_z)
{
    const struct gm_conf_map *streams = &config->root.streams;
    bool known = stream_z == NULL;
    for (size_t s = 0; s < streams->n && !known; s++) {
        known = strcmp(streams->at[s].name_z, stream_z) == 0;
    }
    return known;
}

static void check_declared(struct gm_config *config, const struct gm_node *node,
                           const char *where_z, const char *stream_z)
{
    if (!has_stream(config, stream_z)) {
        gm_conf_error(config->doc, &node->place,
                      "%s.stream.name: there is no stream `%s`; declare it under `streams:`",
                      where_z, stream_z);
    }
}

/* What a stream declares has to have the types that the sink is known to write. */
static void check_types(struct gm_config *config, const struct gm_pipeline *pipeline,
                        const char *stream_z)
{
    const struct gm_conf_map *streams = &config->root.streams;
    const struct gm_conf_choice *sink = &pipeline->conf->sink;
    for (size_t s = 0; s < streams->n; s++) {
        const struct gm_stream_conf *conf = streams->at[s].value;
        if (strcmp(streams->at[s].name_z, stream_z) != 0 || conf->types.n == 0) {
            continue;
        }
        for (size_t i = 0; pipeline->sink->sink_type_z(sink->conf, i) != NULL; i++) {
            const char *type_z = pipeline->sink->sink_type_z(sink->conf, i);
            bool declared = false;
            for (size_t k = 0; k < conf->types.n && !declared; k++) {
                declared = strcmp(conf->types.at[k].name_z, type_z) == 0;
            }
            if (!declared) {
                gm_conf_error(config->doc, &sink->node->place,
                              "sink.stream: `%s` declares types, and `%s` is none of them; declare "
                              "it, or name the types that are meant (`created`, `updated`, "
                              "`deleted`)",
                              stream_z, type_z);
            }
        }
    }
}

/* Streams that a pipeline reads and writes are declared, and not one and the same: it would feed
 * itself for ever. */
static void check_pipeline_streams(struct gm_config *config, const struct gm_pipeline *pipeline,
                                   const struct gm_conf_map_entry *entry)
{
    const struct gm_pipeline_conf *conf = pipeline->conf;
    const char *from_z = NULL, *to_z = NULL;
    if (pipeline->source != NULL && pipeline->source->source_stream_z != NULL) {
        from_z = pipeline->source->source_stream_z(conf->source.conf);
        check_declared(config, conf->source.node, "source", from_z);
    }
    if (pipeline->sink != NULL && pipeline->sink->sink_stream_z != NULL) {
        to_z = pipeline->sink->sink_stream_z(conf->sink.conf);
        check_declared(config, conf->sink.node, "sink", to_z);
    }
    if (from_z != NULL && to_z != NULL && strcmp(from_z, to_z) == 0) {
        gm_conf_error(config->doc, &conf->sink.node->place,
                      "pipelines.%s: it reads the stream `%s` and writes it, so it would read what "
                      "it wrote, for ever; write another stream",
                      entry->name_z, to_z);
    }
    if (to_z != NULL && pipeline->source != NULL && (pipeline->source->caps & GM_CAP_EVENTS) == 0) {
        check_types(config, pipeline, to_z);
    }
}

static void add_pipeline(struct gm_config *config, const struct gm_conf_map_entry *entry)
{
    const struct gm_pipeline_conf *conf = entry->value;
    struct gm_pipeline *pipeline = gm_vec_push(&config->pipelines);
    pipeline->name_z = entry->name_z;
    pipeline->conf = conf;
    if (!is_pipeline_name(entry->name_z)) {
        gm_conf_error(config->doc, &entry->node->key_place,
                      "pipelines: the name `%s` has characters other than letters, digits and -_.",
                      entry->name_z);
    }
    if (conf->source.alternative != NULL) {
        pipeline->source = conf->source.alternative->self;
        if (pipeline->source->lint != NULL) {
            pipeline->source->lint(config->doc, conf->source.node, conf->source.conf);
        }
    }
    if (conf->sink.alternative != NULL) {
        pipeline->sink = conf->sink.alternative->self;
        bool both = pipeline->sink->as_sink.fields != NULL; /* then `lint` is of the source */
        void (*lint)(struct gm_conf_doc *, const struct gm_node *, const void *) =
            both ? pipeline->sink->sink_lint : pipeline->sink->lint;
        if (lint != NULL) {
            lint(config->doc, conf->sink.node, conf->sink.conf);
        }
    }
    check_pipeline_streams(config, pipeline, entry);
    struct gm_err err = {0};
    if (conf->schedule != NULL &&
        gm_schedule_parse(gm_str_z(conf->schedule), &pipeline->schedule, &err) != GM_OK) {
        const struct gm_node *node = gm_node_member(entry->node, GM_STR("schedule"));
        gm_conf_error(config->doc, &node->place, "pipelines.%s.schedule: %s", entry->name_z,
                      err.text);
    }
    gm_steps_lint(
        config->doc,
        &(struct gm_steps_conf){.steps = conf->steps,
                                .map = conf->map,
                                .folder_z = config->folder_z,
                                .any_body = pipeline->sink != NULL &&
                                            (pipeline->sink->caps & GM_CAP_ANY_BODY) != 0},
        NULL);
    if (pipeline->schedule.type == GM_SCHEDULE_CONTINUOUS && pipeline->source != NULL &&
        (pipeline->source->caps & GM_CAP_EVENTS) == 0) {
        const struct gm_node *node = gm_node_member(entry->node, GM_STR("schedule"));
        gm_conf_error(config->doc, &node->place,
                      "pipelines.%s.schedule: the source `%s` comes to an end; `continuous` is for "
                      "streams; write `every 10m`",
                      entry->name_z, pipeline->source->name_z);
    }
    const struct gm_node *source_parts[] = {conf->source.node, conf->steps};
    const struct gm_node *step_parts[] = {conf->steps, conf->map, conf->sink.node};
    pipeline->source_fingerprint_z =
        fingerprint_z(config->doc, source_parts, GM_ARRAY_COUNT(source_parts));
    pipeline->step_fingerprint_z =
        fingerprint_z(config->doc, step_parts, GM_ARRAY_COUNT(step_parts));
    pipeline->hash_seed = gm_hash64(gm_str_z(pipeline->step_fingerprint_z), 0);
}

static void check_listen(struct gm_config *config, const struct gm_node *root)
{
    struct gm_str listen = gm_str_z(config->root.admin.listen);
    bool loopback = gm_str_starts(listen, GM_STR("127.")) ||
                    gm_str_starts(listen, GM_STR("localhost:")) ||
                    gm_str_starts(listen, GM_STR("[::1]:"));
    if (!loopback) {
        const struct gm_node *node =
            gm_node_member(gm_node_member(root, GM_STR("admin")), GM_STR("listen"));
        gm_conf_error(config->doc, node != NULL ? &node->place : &root->place,
                      "admin.listen: `%s` is not a loopback address; write 127.0.0.1:PORT",
                      config->root.admin.listen);
    }
}

/* Streams of views and endpoints must be those of the configuration. */
static void check_streams(struct gm_config *config)
{
    const struct gm_conf_map *views = &config->root.views, *endpoints = &config->root.endpoints;
    for (size_t v = 0; v < views->n; v++) {
        const struct gm_view_conf *conf = views->at[v].value;
        if (!has_stream(config, conf->stream)) {
            gm_conf_error(config->doc, &views->at[v].node->place,
                          "views.%s.stream: there is no stream `%s`; declare it under `streams:`",
                          views->at[v].name_z, conf->stream);
        }
    }
    for (size_t e = 0; e < endpoints->n; e++) {
        const struct gm_conf_choice *choice = endpoints->at[e].value;
        const struct gm_endpoint *endpoint =
            choice->alternative != NULL ? choice->alternative->self : NULL;
        const char *stream_z = endpoint != NULL && endpoint->stream_z != NULL
                                   ? endpoint->stream_z(choice->conf)
                                   : NULL;
        if (!has_stream(config, stream_z)) {
            gm_conf_error(
                config->doc, &endpoints->at[e].node->place,
                "endpoints.%s.stream.name: there is no stream `%s`; declare it under `streams:`",
                endpoints->at[e].name_z, stream_z);
        }
    }
}

static void decode(struct gm_config *config, const struct gm_node *root)
{
    gm_conf_decode(config->doc, root, gm_config_fields, &config->root);
    if (root->type != GM_NODE_MAP) {
        return;
    }
    gm_stream_conf_check(config->doc, &config->root.streams);
    gm_command_conf_check(config->doc, &config->root.commands, &config->root.streams);
    gm_view_conf_check(config->doc, &config->root.views);
    check_streams(config);
    for (size_t i = 0; i < config->root.pipelines.n; i++) {
        add_pipeline(config, &config->root.pipelines.at[i]);
    }
    if (config->root.admin.listen != NULL) {
        check_listen(config, root);
    }
    gm_api_conf_check(config->doc, gm_node_member(root, GM_STR("api")), &config->root.api);
}

static gm_rc load(const char *path_z, bool offline, struct gm_config **out_config,
                  struct gm_err *err)
{
    struct gm_config *config = gm_alloc(sizeof(*config));
    const char *slash = strrchr(path_z, '/');
    config->path_z = gm_strdup_z(path_z);
    config->folder_z =
        slash != NULL
            ? gm_str_dup_z((struct gm_str){path_z, (size_t)(slash - path_z) + (slash == path_z)})
            : gm_strdup_z(".");
    config->doc =
        gm_conf_doc_new(&(struct gm_conf_resolver){offline ? resolve_nothing : resolve, config});
    *out_config = config;
    struct gm_buf text;
    gm_buf_init(&text, GM_CONF_SIZE_MAX);
    gm_rc rc = gm_file_read_all(path_z, &text, err);
    if (rc == GM_OK) {
        const struct gm_node *root = gm_conf_load(config->doc, config->path_z, gm_buf_str(&text));
        if (root != NULL) {
            decode(config, root);
        }
    }
    gm_buf_deinit(&text);
    GM_TRY(rc);
    size_t errors = gm_conf_error_count(config->doc);
    if (errors > 0) {
        return gm_fail(err, GM_E_CONFIG, "%s: %zu error%s", path_z, errors, errors == 1 ? "" : "s");
    }
    return GM_OK;
}

gm_rc gm_config_load(const char *path_z, struct gm_config **out_config, struct gm_err *err)
{
    return load(path_z, false, out_config, err);
}

gm_rc gm_config_lint(const char *path_z, struct gm_config **out_config, struct gm_err *err)
{
    return load(path_z, true, out_config, err);
}

void gm_config_free(struct gm_config *config)
{
    if (config == NULL) {
        return;
    }
    gm_vec_deinit(&config->pipelines);
    gm_conf_doc_free(config->doc);
    gm_free(config->path_z);
    gm_free(config->folder_z);
    gm_free(config);
}

struct gm_conf_doc *gm_config_doc(struct gm_config *config)
{
    return config->doc;
}

const struct gm_config_root *gm_config_root(const struct gm_config *config)
{
    return &config->root;
}

const char *gm_config_event_source_z(const struct gm_config *config)
{
    const struct gm_api_conf *api = &config->root.api;
    if (config->root.event_source != NULL) {
        return config->root.event_source;
    }
    return api->names.n > 0 ? api->names.at[0] : api->listen;
}

const char *gm_config_folder_z(const struct gm_config *config)
{
    return config->folder_z;
}

size_t gm_config_pipeline_count(const struct gm_config *config)
{
    return config->pipelines.n;
}

const struct gm_pipeline *gm_config_pipeline(const struct gm_config *config, size_t index)
{
    return &config->pipelines.at[index];
}

const struct gm_pipeline *gm_config_find(const struct gm_config *config, const char *name_z,
                                         const char **out_nearest_z)
{
    GM_VEC(const char *) names = {0};
    const struct gm_pipeline *found = NULL;
    for (size_t i = 0; i < config->pipelines.n && found == NULL; i++) {
        *gm_vec_push(&names) = config->pipelines.at[i].name_z;
        found =
            strcmp(config->pipelines.at[i].name_z, name_z) == 0 ? &config->pipelines.at[i] : NULL;
    }
    if (found == NULL && out_nearest_z != NULL) {
        *out_nearest_z = gm_conf_nearest(gm_str_z(name_z), names.at, names.n);
    }
    gm_vec_deinit(&names);
    return found;
}
