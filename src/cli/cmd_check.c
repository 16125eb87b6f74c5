/* gemel check, schema, connector list, connector help: what can be told without a store. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "cli/commands.h"
#include "step/step.h"

enum { TEXT_SIZE_MAX = 4 << 20 };

/* ---- check ---- */

static const struct gm_option check_options[] = {
    {"resolve", NULL, "Look up ${env:…} and ${file:…} references as `gemel run` would."},
    {0},
};

/* With the models at hand the maps are checked against them as well. */
static void check_maps(struct gm_config *config, struct gm_models *models)
{
    for (size_t i = 0; i < gm_config_pipeline_count(config); i++) {
        const struct gm_pipeline *pipeline = gm_config_pipeline(config, i);
        const struct gm_pipeline_conf *conf = pipeline->conf;
        bool any_body = pipeline->sink != NULL && (pipeline->sink->caps & GM_CAP_ANY_BODY) != 0;
        gm_steps_lint(gm_config_doc(config),
                      &(struct gm_steps_conf){.steps = conf->steps,
                                              .map = conf->map,
                                              .folder_z = gm_config_folder_z(config),
                                              .any_body = any_body},
                      models);
    }
}

static gm_rc check_models(struct gm_config *config, struct gm_model_errors *errors,
                          size_t *out_count, struct gm_err *err)
{
    const char *path_z = gm_config_root(config)->models;
    *out_count = 0;
    if (path_z == NULL) {
        return GM_OK;
    }
    struct gm_arena *arena = gm_arena_new((size_t)1 << 30);
    yyjson_mut_val **interfaces;
    struct gm_models *models = NULL;
    size_t count;
    gm_rc rc = gm_models_read_folder(gm_json_doc_new(arena), path_z, &interfaces, &count, err);
    if (rc == GM_OK) {
        rc = gm_models_make(
            &(struct gm_models_request){.interfaces = interfaces, .count = count, .errors = errors},
            &models, out_count, err);
    }
    if (rc == GM_OK) {
        check_maps(config, models);
    }
    gm_models_free(models);
    gm_arena_free(arena);
    return rc;
}

/* ---- what was found ---- */

struct findings {
    struct gm_config *config;
    struct gm_model_errors *models;
    struct gm_err model_err; /* rc: GM_OK when the models are right; told when `models` has none */
};

static void add_json_member(struct gm_buf *out, const char *name_z, struct gm_str value)
{
    if (value.p != NULL) {
        gm_buf_addf(out, "\"%s\":", name_z);
        gm_json_quote(out, value);
        gm_buf_add_char(out, ',');
    }
}

/* Behind the errors of the configuration, in the same array. */
static void add_json_error(struct gm_buf *out, const struct gm_model_error *error)
{
    gm_buf_add_z(out, out->p[out->n - 1] == '[' ? "{" : ",{");
    add_json_member(out, "kind", gm_str_z(error->kind_z));
    add_json_member(out, "element", error->primary_id);
    add_json_member(out, "other", error->secondary_id);
    add_json_member(out, "property", error->property);
    add_json_member(out, "value", error->value);
    gm_buf_add_z(out, "\"message\":");
    gm_json_quote(out, error->text);
    gm_buf_add_char(out, '}');
}

static void print_json(const struct findings *findings)
{
    struct gm_buf text;
    gm_buf_init(&text, TEXT_SIZE_MAX);
    gm_conf_errors_json(gm_config_doc(findings->config), &text);
    size_t count = gm_model_errors_count(findings->models);
    if (findings->model_err.rc != GM_OK && text.n > 0) {
        text.n--; /* the bracket that closes the array */
        for (size_t i = 0; i < count; i++) {
            add_json_error(&text, gm_model_errors_at(findings->models, i));
        }
        if (count == 0) {
            add_json_error(&text,
                           &(struct gm_model_error){.text = gm_str_z(findings->model_err.text)});
        }
        gm_buf_add_char(&text, ']');
    }
    gm_print_json(&text);
    gm_buf_deinit(&text);
}

static void print_text(const struct gm_args *args, const struct findings *findings)
{
    struct gm_buf text;
    gm_buf_init(&text, TEXT_SIZE_MAX);
    gm_conf_print_errors(gm_config_doc(findings->config), &text);
    size_t count = gm_model_errors_count(findings->models);
    size_t more = gm_model_errors_total(findings->models) - count;
    for (size_t i = 0; i < count; i++) {
        struct gm_str line = gm_model_errors_at(findings->models, i)->text;
        gm_buf_addf(&text, "gemel check: " GM_STR_FMT "\n", GM_STR_ARG(line));
    }
    if (more > 0) {
        gm_buf_addf(&text, "gemel check: and %zu more errors in the models\n", more);
    }
    fwrite(text.p, 1, text.n, stderr);
    gm_buf_deinit(&text);
    if (count == 0 && findings->model_err.rc != GM_OK) {
        (void)gm_args_fail(args, GM_E_CONFIG, &findings->model_err);
    }
}

static int check(struct gm_args *args)
{
    const char *path_z = gm_args_config_path(args);
    struct gm_err err = {0};
    struct gm_config *config = NULL;
    size_t model_count = 0;
    gm_rc rc = gm_args_has(args, "resolve") ? gm_config_load(path_z, &config, &err)
                                            : gm_config_lint(path_z, &config, &err);
    size_t config_errors = config != NULL ? gm_conf_error_count(gm_config_doc(config)) : 0;
    if (rc != GM_OK && config_errors == 0) { /* the file itself could not be read */
        gm_config_free(config);
        return gm_args_fail(args, GM_E_CONFIG, &err);
    }
    struct findings findings = {.config = config, .models = gm_model_errors_new()};
    gm_rc model_rc = check_models(config, findings.models, &model_count, &findings.model_err);
    size_t errors = gm_conf_error_count(gm_config_doc(config));
    if (args->json) {
        print_json(&findings);
    } else {
        print_text(args, &findings);
    }
    if (errors == 0 && model_rc == GM_OK && !args->json) {
        printf("%s: %zu pipelines, %zu models, no errors\n", path_z,
               gm_config_pipeline_count(config), model_count);
    }
    gm_model_errors_free(findings.models);
    gm_config_free(config);
    return errors > 0 || model_rc != GM_OK ? GM_EXIT_USAGE : GM_EXIT_OK;
}

const struct gm_command gm_command_check = {
    .name_z = "check",
    .args_z = "[CONFIG]",
    .args_max = 1,
    .config_first = true,
    .summary_z = "Check a configuration and its models, offline.",
    .help_z = "Reports every error with file, line and column, and what to write. Opens no "
              "database and no connection.",
    .example_z = "gemel check demo/gemel.yaml",
    .options = check_options,
    .run = check,
};

/* ---- schema ---- */

static int schema(struct gm_args *args)
{
    (void)args;
    struct gm_buf text;
    gm_buf_init(&text, TEXT_SIZE_MAX);
    gm_conf_write_schema(gm_config_fields, "Gemel configuration", &text);
    gm_print_json(&text);
    gm_buf_deinit(&text);
    return GM_EXIT_OK;
}

const struct gm_command gm_command_schema = {
    .name_z = "schema",
    .summary_z = "Print the JSON Schema of the configuration.",
    .help_z = "Editors that know JSON Schema complete and check gemel.yaml with it.",
    .example_z = "gemel schema > gemel.schema.json",
    .run = schema,
};

/* ---- connectors ---- */

static const char *role_name(const struct gm_connector *connector)
{
    return (connector->roles & GM_ROLE_SOURCE) == 0 ? "sink"
           : (connector->roles & GM_ROLE_SINK) == 0 ? "source"
                                                    : "source, sink";
}

/* Up to the first full stop. */
static struct gm_str first_sentence(const char *text_z)
{
    const char *end = strstr(text_z, ". ");
    return end != NULL ? (struct gm_str){text_z, (size_t)(end - text_z) + 1} : gm_str_z(text_z);
}

static int connector_list(struct gm_args *args)
{
    static const char *const heads[] = {"NAME", "ROLE", "WHAT"};
    const struct gm_connector *const *connectors = gm_connectors();
    if (args->json) {
        struct gm_buf json;
        gm_buf_init(&json, TEXT_SIZE_MAX);
        for (size_t i = 0; connectors[i] != NULL; i++) {
            gm_buf_addf(&json, "%s{\"name\":\"%s\",\"role\":\"%s\",\"help\":", i > 0 ? "," : "[",
                        connectors[i]->name_z, role_name(connectors[i]));
            gm_json_quote(&json, gm_str_z(connectors[i]->help_z));
            gm_buf_add_char(&json, '}');
        }
        gm_buf_add_char(&json, ']');
        gm_print_json(&json);
        gm_buf_deinit(&json);
        return GM_EXIT_OK;
    }
    struct gm_table *table = gm_table_new(heads, GM_ARRAY_COUNT(heads));
    for (size_t i = 0; connectors[i] != NULL; i++) {
        gm_table_add(table, (const struct gm_str[]){gm_str_z(connectors[i]->name_z),
                                                    gm_str_z(role_name(connectors[i])),
                                                    first_sentence(connectors[i]->help_z)});
    }
    gm_table_print(table);
    gm_table_free(table);
    return GM_EXIT_OK;
}

const struct gm_command gm_command_connector_list = {
    .name_z = "connector list",
    .summary_z = "List the connectors.",
    .run = connector_list,
};

static int connector_help(struct gm_args *args)
{
    const struct gm_connector *connector = gm_connector_find(gm_str_z(args->words[0]));
    struct gm_err err = {0};
    if (connector == NULL) {
        GM_VEC(const char *) names = {0};
        for (size_t i = 0; gm_connectors()[i] != NULL; i++) {
            *gm_vec_push(&names) = gm_connectors()[i]->name_z;
        }
        const char *near_z = gm_conf_nearest(gm_str_z(args->words[0]), names.at, names.n);
        gm_vec_deinit(&names);
        return gm_args_fail(
            args,
            near_z != NULL
                ? gm_fail(&err, GM_E_CONFIG, "no connector `%s`; did you mean `%s`?",
                          args->words[0], near_z)
                : gm_fail(&err, GM_E_CONFIG, "no connector `%s`; see `gemel connector list`",
                          args->words[0]),
            &err);
    }
    struct gm_buf text;
    gm_buf_init(&text, TEXT_SIZE_MAX);
    gm_buf_addf(&text, "%s (%s)\n\n%s\n", connector->name_z, role_name(connector),
                connector->help_z);
    if (connector->fields[0].type != GM_T_END) {
        gm_buf_add(&text, GM_STR("\nSettings:\n"));
        gm_conf_write_help(connector->fields, &text);
    }
    gm_buf_addf(&text, "\nExample:\n%s", connector->example_z);
    if (connector->as_sink.fields != NULL) {
        gm_buf_addf(&text, "\nAs a sink: %s\n\nSettings:\n", connector->as_sink.help_z);
        gm_conf_write_help(connector->as_sink.fields, &text);
        gm_buf_addf(&text, "\nExample:\n%s", connector->sink_example_z);
    }
    fwrite(text.p, 1, text.n, stdout);
    gm_buf_deinit(&text);
    return GM_EXIT_OK;
}

const struct gm_command gm_command_connector_help = {
    .name_z = "connector help",
    .args_z = "NAME",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Tell a connector's settings.",
    .example_z = "gemel connector help sql",
    .run = connector_help,
};
