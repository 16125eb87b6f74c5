/* A configuration with a field of every type. */
#ifndef TESTS_UNIT_CONF_SAMPLE_H
#define TESTS_UNIT_CONF_SAMPLE_H

#include "conf/conf.h"

struct csv_conf {
    const char *path;
    char delimiter;
    struct gm_conf_strs columns;
};

struct sql_conf {
    const char *url;
    const char *query;
    const char *fallback;
};

struct missing_conf {
    int64_t after_runs;
    double max_share;
};

struct pipeline_conf {
    struct gm_conf_choice source;
    struct gm_conf_choice sink;
    gm_ns every;
    struct missing_conf missing;
    const struct gm_node *map;
};

struct rule_conf {
    const char *name;
    int32_t action;
};

struct root_conf {
    const char *name;
    const char *token;
    const char *data;
    bool enabled;
    int64_t workers;
    double ratio;
    uint64_t cache;
    struct gm_conf_list rules;
    struct gm_conf_map pipelines;
};

static const struct gm_field csv_fields[] = {
    GM_FIELD_PATH(struct csv_conf, path, .flags = GM_F_REQUIRED, .example = "products.csv",
                  .help = "File to read."),
    GM_FIELD_CHAR(struct csv_conf, delimiter, .def = ",", .help = "Between cells."),
    GM_FIELD_STRS(struct csv_conf, columns, .flags = GM_F_ADVANCED, .help = "Names | of columns."),
    GM_FIELD_END,
};
static const struct gm_field sql_fields[] = {
    GM_FIELD_SECRET(struct sql_conf, url, .flags = GM_F_REQUIRED, .example = "\"sqlite:erp.db\"",
                    .help = "Database."),
    GM_FIELD_STR(struct sql_conf, query, .help = "What to read."),
    GM_FIELD_NAMED("default", struct sql_conf, fallback, const char *, GM_T_STR,
                   .help = "For nulls."),
    GM_FIELD_END,
};
static const struct gm_field no_fields[] = {GM_FIELD_END};

static const struct gm_alternative csv_alternative = {.name_z = "csv",
                                                      .help_z = "Files.",
                                                      .fields = csv_fields,
                                                      .conf_size = sizeof(struct csv_conf)};
static const struct gm_alternative sql_alternative = {.name_z = "sql",
                                                      .help_z = "Tables.",
                                                      .fields = sql_fields,
                                                      .conf_size = sizeof(struct sql_conf)};
static const struct gm_alternative twins_alternative = {
    .name_z = "twins", .help_z = "The graph.", .fields = no_fields, .conf_size = 0};
static const struct gm_alternative *const *sources(void)
{
    static const struct gm_alternative *const list[] = {&csv_alternative, &sql_alternative, NULL};
    return list;
}
static const struct gm_alternative *const *sinks(void)
{
    static const struct gm_alternative *const list[] = {&twins_alternative, NULL};
    return list;
}

static const struct gm_field missing_fields[] = {
    GM_FIELD_INT(struct missing_conf, after_runs, .flags = GM_F_REQUIRED, .min = "1",
                 .example = "2", .help = "Runs to wait."),
    GM_FIELD_SHARE(struct missing_conf, max_share, .def = "5%", .max = "50%",
                   .help = "Most to delete."),
    GM_FIELD_END,
};
static const struct gm_field pipeline_fields[] = {
    GM_FIELD_CHOICE(struct pipeline_conf, source, .flags = GM_F_REQUIRED, .alternatives = sources,
                    .example = "{ csv: { path: products.csv } }",
                    .help = "Where records come from."),
    GM_FIELD_CHOICE(struct pipeline_conf, sink, .alternatives = sinks, .def = "twins",
                    .help = "Where they go."),
    GM_FIELD_SPAN(struct pipeline_conf, every, .def = "10m", .min = "1s", .max = "1d",
                  .help = "Pause between runs."),
    GM_FIELD_STRUCT(struct pipeline_conf, missing, .fields = missing_fields,
                    .help = "What is gone."),
    GM_FIELD_NODE(struct pipeline_conf, map, .help = "Projection."),
    GM_FIELD_END,
};

static const char *const actions[] = {"keep", "drop", "alert", NULL};
static const struct gm_field rule_fields[] = {
    GM_FIELD_STR(struct rule_conf, name, .flags = GM_F_REQUIRED, .help = "Name."),
    GM_FIELD_ENUM(struct rule_conf, action, .names = actions, .def = "drop", .help = "What to do."),
    GM_FIELD_END,
};

static const struct gm_field root_fields[] = {
    GM_FIELD_STR(struct root_conf, name, .def = "gemel", .help = "Name."),
    GM_FIELD_SECRET(struct root_conf, token, .help = "Access."),
    GM_FIELD_PATH(struct root_conf, data, .def = "data", .help = "Folder."),
    GM_FIELD_BOOL(struct root_conf, enabled, .def = "true", .help = "Off: nothing runs."),
    GM_FIELD_INT(struct root_conf, workers, .def = "2", .min = "1", .max = "64",
                 .help = "Threads."),
    GM_FIELD_DOUBLE(struct root_conf, ratio, .def = "0.5", .min = "0", .help = "Of something."),
    GM_FIELD_SIZE(struct root_conf, cache, .def = "64MiB", .min = "1MiB", .help = "Memory."),
    GM_FIELD_LIST(struct root_conf, rules, .fields = rule_fields,
                  .item_size = sizeof(struct rule_conf), .max = "3", .help = "Rules."),
    GM_FIELD_MAP(struct root_conf, pipelines, .flags = GM_F_REQUIRED, .fields = pipeline_fields,
                 .item_size = sizeof(struct pipeline_conf), .example = "{ products: … }",
                 .help = "Pipelines."),
    GM_FIELD_END,
};

#endif
