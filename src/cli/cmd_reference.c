#include <stdio.h>
#include <string.h>

#include "api/adt/operations.h"
#include "api/routes.h"
#include "api/streams/streams.h"
#include "base/metrics.h"
#include "cli/commands.h"
#include "net/server.h"
#include "step/step.h"

/* gemel reference: pages of docs/reference, from the tables that also drive parsing and help. */

enum { PAGE_SIZE_MAX = 8 << 20 };

static void add_configuration(struct gm_buf *out)
{
    gm_buf_add_z(
        out, "# Configuration\n\n"
             "One YAML file, by default `gemel.yaml`. Relative paths are relative to its folder. "
             "`gemel check` finds what is wrong with it, `gemel schema` prints its JSON Schema for "
             "editors. Sources and sinks are described in [connectors](connectors.md), `steps` and "
             "`map` in [steps](steps.md).\n\n");
    gm_conf_write_reference(gm_config_fields, 2, out);
}

static const char *roles_of(const struct gm_connector *connector)
{
    switch (connector->roles) {
    case GM_ROLE_SOURCE:
        return "Source";
    case GM_ROLE_SINK:
        return "Sink";
    default:
        return "Source and sink";
    }
}

static void add_promises(const struct gm_connector *connector, struct gm_buf *out)
{
    static const struct {
        enum gm_cap cap;
        const char *text_z;
    } promises[] = {
        {GM_CAP_SNAPSHOT, "a run sees one consistent state"},
        {GM_CAP_COMPLETE, "a full run shows every object, so what is missing was deleted"},
        {GM_CAP_CURSOR, "a run can begin where the last one ended"},
    };
    gm_buf_addf(out, "%s.", roles_of(connector));
    const char *before_z = " Promises: ";
    for (size_t i = 0; i < GM_ARRAY_COUNT(promises); i++) {
        if ((connector->caps & promises[i].cap) != 0) {
            gm_buf_addf(out, "%s%s", before_z, promises[i].text_z);
            before_z = "; ";
        }
    }
    gm_buf_add_z(out, connector->caps != 0 ? ".\n\n" : "\n\n");
}

static void add_connectors(struct gm_buf *out)
{
    gm_buf_add_z(
        out,
        "# Connectors\n\n"
        "Where records come from and where they take effect. A pipeline names one under `source` "
        "and one under `sink`.\n");
    const struct gm_connector *const *connectors = gm_connectors();
    for (size_t i = 0; connectors[i] != NULL; i++) {
        const struct gm_connector *connector = connectors[i];
        gm_buf_addf(out, "\n## %s\n\n", connector->name_z);
        add_promises(connector, out);
        gm_buf_addf(out, "%s\n\n```yaml\n%s```\n\n", connector->help_z, connector->example_z);
        if (connector->fields[0].type != GM_T_END) {
            gm_conf_write_reference(connector->fields, 3, out);
        }
        if (connector->as_sink.fields != NULL) {
            gm_buf_addf(out, "\n### %s as a sink\n\n%s\n\n```yaml\nsink:\n  %s```\n\n",
                        connector->name_z, connector->as_sink.help_z, connector->sink_example_z);
            gm_conf_write_reference(connector->as_sink.fields, 4, out);
        }
    }
}

static void add_steps(struct gm_buf *out)
{
    gm_buf_add_z(
        out, "# Steps\n\n"
             "What a pipeline does with a record between source and sink: the steps of the list "
             "`steps`, in order, and `map` at the end. What a `filter` may ask, and what holds, is "
             "said in [conditions](../conditions.md).\n\n## steps\n\n");
    gm_conf_write_reference(gm_step_fields, 3, out);
    gm_buf_add_z(out, "\n## map\n\n");
    for (const char *const *section = gm_map_reference; *section != NULL; section++) {
        gm_buf_add_z(out, *section);
    }
}

static void add_options(const struct gm_option *options, struct gm_buf *out)
{
    for (; options != NULL && options->name_z != NULL; options++) {
        gm_buf_addf(out, "| `--%s%s%s` | %s |\n", options->name_z,
                    options->value_z != NULL ? " " : "",
                    options->value_z != NULL ? options->value_z : "", options->help_z);
    }
}

static void add_commands(struct gm_buf *out)
{
    gm_buf_add_z(out,
                 "# Commands\n\n"
                 "Exit codes: 0 done; 1 failed, the work was tried and did not succeed; 2 usage or "
                 "configuration; 3 environment (storage, another process, a missing file). What a "
                 "command finds goes to standard output, what goes wrong to standard error.\n\n"
                 "Every command takes:\n\n| option | |\n|---|---|\n");
    add_options(gm_common_options, out);
    for (const struct gm_command *const *at = gm_commands(); *at != NULL; at++) {
        const struct gm_command *command = *at;
        gm_buf_addf(out, "\n## gemel %s\n\n%s\n\n```\ngemel %s%s%s [options]\n```\n",
                    command->name_z, command->summary_z, command->name_z,
                    command->args_z != NULL ? " " : "",
                    command->args_z != NULL ? command->args_z : "");
        if (command->help_z != NULL) {
            gm_buf_addf(out, "\n%s\n", command->help_z);
        }
        if (command->options != NULL) {
            gm_buf_add_z(out, "\n| option | |\n|---|---|\n");
            add_options(command->options, out);
        }
        if (command->example_z != NULL) {
            gm_buf_addf(out, "\nExample: `%s`\n", command->example_z);
        }
    }
}

static void add_metrics(struct gm_buf *out)
{
    gm_buf_add_z(out,
                 "# Metrics\n\n"
                 "What `/metrics` of the admin API shows, in the text format of Prometheus.\n\n"
                 "| name | type | label | |\n|---|---|---|---|\n");
    for (enum gm_metric metric = 0; metric < GM_METRIC_COUNT; metric++) {
        const struct gm_metric_info *info = gm_metric_info(metric);
        gm_buf_addf(out, "| `%s` | %s | %s | %s |\n", info->name_z, info->type_z,
                    info->label_z != NULL ? info->label_z : "", info->help_z);
    }
}

static void add_route_fields(const char *head_z, const struct gm_route_field *fields,
                             struct gm_buf *out)
{
    if (fields == NULL || fields->name_z == NULL) {
        return;
    }
    gm_buf_addf(out, "\n| %s | |\n|---|---|\n", head_z);
    for (; fields->name_z != NULL; fields++) {
        gm_buf_addf(out, "| `%s` | %s |\n", fields->name_z, fields->help_z);
    }
}

static void add_admin_api(struct gm_buf *out)
{
    gm_buf_addf(
        out,
        "# Admin API\n"
        "\n"
        "`gemel run` serves it over HTTP at `admin.listen` of the "
        "[configuration](configuration.md), a loopback address. GET is free there. POST "
        "needs the header `Authorization: Bearer TOKEN`: the token is made at each start and "
        "stands with the address in `admin.json` of the data directory, readable for its "
        "owner only:\n"
        "\n"
        "```json\n"
        "{\"url\":\"http://127.0.0.1:8070\",\"token\":\"…\"}\n"
        "```\n"
        "\n"
        "Commands of the same user find it there when they need the data directory that "
        "`gemel run` holds.\n"
        "\n"
        "Requests and answers are JSON, the metrics excepted. A body is an object of %d MiB "
        "at most, and may be left out. Members and parameters that are not known are "
        "refused. Errors are `{\"error\":{\"code\":…,\"message\":…}}`: 400 the request is "
        "wrong, 401 no token or a wrong one, 403 a host name that is not this machine's, 404 "
        "no such address, pipeline or run, 405 another method, 409 it is under way, 413 too "
        "large, 422 the configuration or its source needs a change, 503 later. What works on "
        "a pipeline waits for its run to end; of such requests %d may be under way, of "
        "connections %d.\n",
        GM_HTTP_BODY_SIZE_MAX >> 20, GM_OPERATIONS_MAX, GM_HTTP_CONNECTIONS_MAX);
    for (const struct gm_route *route = gm_admin_routes(); route->method_z != NULL; route++) {
        gm_buf_addf(out, "\n## %s %s\n\n%s\n", route->method_z, route->path_z, route->help_z);
        add_route_fields("query", route->query, out);
        add_route_fields("body", route->body, out);
        if (route->answer_z != NULL) {
            gm_buf_addf(out, "\n```json\n%s\n```\n", route->answer_z);
        }
    }
}

static void add_operations(struct gm_buf *out, const struct gm_adt_operation *operations)
{
    gm_buf_add_z(out, "\n| operation | role | answers | |\n|---|---|---|---|\n");
    for (const struct gm_adt_operation *at = operations; at->method_z != NULL; at++) {
        gm_buf_addf(out, "| `%s %s` | %s | %s | %s |\n", at->method_z, at->path_z,
                    gm_adt_role_name(at->role), at->answer_z, at->help_z);
    }
}

static void add_twin_api(struct gm_buf *out)
{
    gm_buf_add_z(
        out,
        "# Twin API\n"
        "\n"
        "The operations of Azure Digital Twins' data plane, as `gemel run` serves them at "
        "`api.listen` of the [configuration](configuration.md). How to point a client at it, and "
        "what differs from the service, stands in [the twin API](../twin-api.md).\n"
        "\n"
        "Each operation needs a bearer token whose role is at least the one named here, and the "
        "query parameter `api-version`, one of:");
    for (size_t i = 0; i < GM_ADT_VERSION_COUNT; i++) {
        gm_buf_addf(out, "%s `%s`", i > 0 ? "," : "", gm_adt_versions[i]);
    }
    gm_buf_add_z(out, ".\n");
    add_operations(out, gm_adt_operations());
}

static void add_streams_api(struct gm_buf *out)
{
    gm_buf_add_z(out, "# Operations of streams\n\n"
                      "On the server of the [twin API](twin-api.md), at the address `api.listen`, "
                      "with its tokens "
                      "and roles, but without `api-version`. How to use them stands in "
                      "[streams](../streams.md).\n");
    add_operations(out, gm_streams_api_operations());
}

static const struct {
    const char *name_z;
    void (*add)(struct gm_buf *out);
} pages[] = {
    {"configuration", add_configuration},
    {"connectors", add_connectors},
    {"steps", add_steps},
    {"commands", add_commands},
    {"twin-api", add_twin_api},
    {"streams-api", add_streams_api},
    {"admin-api", add_admin_api},
    {"metrics", add_metrics},
};

static int reference(struct gm_args *args)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(pages); i++) {
        if (args->word_count == 0) {
            puts(pages[i].name_z);
        } else if (strcmp(args->words[0], pages[i].name_z) == 0) {
            struct gm_buf page;
            gm_buf_init(&page, PAGE_SIZE_MAX);
            pages[i].add(&page);
            GM_ASSERT(!gm_buf_failed(&page)); /* its size is the program's own */
            fwrite(page.p, 1, page.n, stdout);
            gm_buf_deinit(&page);
            return GM_EXIT_OK;
        }
    }
    if (args->word_count == 0) {
        return GM_EXIT_OK;
    }
    struct gm_err err = {0};
    return gm_args_fail(
        args,
        gm_fail(&err, GM_E_CONFIG, "no page `%s`; `gemel reference` lists them", args->words[0]),
        &err);
}

const struct gm_command gm_command_reference = {
    .name_z = "reference",
    .args_z = "[PAGE]",
    .args_max = 1,
    .summary_z = "Print a page of the reference as Markdown; without one, list the pages.",
    .help_z = "The pages come from the tables that also drive parsing and help: what "
              "docs/reference holds.",
    .example_z = "gemel reference configuration",
    .run = reference,
};
