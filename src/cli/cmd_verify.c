/* gemel verify, gemel plan: comparing and foretelling. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "os/file.h"
#include "os/process.h"

enum { DIFFERENCES_PRINTED = 20, ARTIFACT_SIZE_MAX = 64 << 20 };

/* The store of a command that needs it for itself; says what to do when it is taken. */
static gm_rc open_alone(struct gm_args *args, struct gm_operation *operation, struct gm_err *err)
{
    GM_TRY(gm_args_config(args, &operation->config, err));
    const struct gm_config_root *root = gm_config_root(operation->config);
    size_t added;
    GM_TRY(gm_args_store(args, &operation->store, err));
    gm_rc rc = root->models != NULL ? gm_store_add_models(operation->store, root->models, &added, err) : GM_OK;
    if (rc != GM_OK) {
        gm_store_close(operation->store);
        operation->store = NULL;
    }
    return rc;
}

/* ---- verify ---- */

static const struct gm_option verify_options[] = {
    {"artifact", "FILE", "Where to write the artifact (default: DATA/verifications/PIPELINE-TIME.json)."},
    {"check", "FILE", "Check an artifact that was written before: its seal, and whether the graph is still as it says."},
    {0},
};

static const char *const kind_words[] = {"in the source only", "different", "in the graph only"};
static const char *const kind_names[] = {"missing", "different", "extra"};

static gm_rc write_artifact(struct gm_args *args, const struct gm_verify_report *report, char **out_path_z, struct gm_err *err)
{
    const char *given_z = gm_args_value(args, "artifact");
    const char *folder_z;
    if (given_z != NULL) {
        *out_path_z = gm_strdup_z(given_z);
        return gm_file_write_atomic(given_z, report->artifact, 0644, err);
    }
    GM_TRY(gm_args_data(args, &folder_z, err));
    GM_AUTO_FREE char *into_z = gm_format_z("%s/verifications", folder_z);
    GM_TRY(gm_folder_make(into_z, err));
    struct gm_date date;
    gm_time_split(gm_clock_wall_now(), &date);
    *out_path_z = gm_format_z("%s/%s-%04d%02d%02dT%02d%02d%02dZ.json", into_z, args->words[0], date.year, date.month, date.day,
                              date.hour, date.minute, date.second);
    return gm_file_write_atomic(*out_path_z, report->artifact, 0644, err);
}

static void print_verification_json(const struct gm_verify_report *report, const char *path_z)
{
    struct gm_buf json;
    gm_buf_init(&json, ARTIFACT_SIZE_MAX);
    gm_buf_addf(&json, "{\"equal\":%s,\"source_count\":%lld,\"sink_count\":%lld,\"unreadable\":%lld,\"differences_total\":%lld,\"artifact\":",
                report->ranges_differing == 0 ? "true" : "false", (long long)report->source_count, (long long)report->sink_count,
                (long long)report->unreadable, (long long)report->differences_total);
    gm_json_quote(&json, gm_str_z(path_z));
    gm_buf_add(&json, GM_STR(",\"differences\":["));
    for (size_t i = 0; i < report->difference_count; i++) {
        gm_buf_addf(&json, "%s{\"kind\":\"%s\",\"key\":", i > 0 ? "," : "", kind_names[report->differences[i].kind]);
        gm_json_quote(&json, report->differences[i].key);
        gm_buf_add_char(&json, '}');
    }
    gm_buf_add(&json, GM_STR("]}"));
    gm_print_json(&json);
    gm_buf_deinit(&json);
}

static void print_verification(const struct gm_verify_report *report, const char *path_z)
{
    char source[32], sink[32];
    gm_format_count(report->source_count, source);
    gm_format_count(report->sink_count, sink);
    printf("source: %s objects, graph: %s objects\n", source, sink);
    if (report->unreadable > 0) {
        printf("%lld records of the source cannot be applied; see `gemel dead-letters list`\n", (long long)report->unreadable);
    }
    if (report->ranges_differing == 0) {
        puts("equal");
    } else if (report->differences_total == 0) {
        puts("the source changed while it was read twice; verify again");
    } else {
        printf("%lld differences:\n", (long long)report->differences_total);
    }
    for (size_t i = 0; i < report->difference_count && i < DIFFERENCES_PRINTED; i++) {
        printf("  " GM_STR_FMT "  %s\n", GM_STR_ARG(report->differences[i].key), kind_words[report->differences[i].kind]);
    }
    if (report->difference_count > DIFFERENCES_PRINTED) {
        puts("  … the artifact has more");
    }
    printf("artifact: %s\n", path_z);
}

static gm_rc verify_here(struct gm_args *args, const struct gm_operation *operation, bool *out_equal, struct gm_err *err)
{
    struct gm_verify_report report;
    GM_AUTO_FREE char *path_z = NULL;
    GM_TRY(gm_verify(operation, NULL, &report, err));
    *out_equal = report.ranges_differing == 0;
    gm_rc rc = write_artifact(args, &report, &path_z, err);
    if (rc == GM_OK && args->json) {
        print_verification_json(&report, path_z);
    } else if (rc == GM_OK) {
        print_verification(&report, path_z);
    }
    gm_verify_report_free(&report);
    return rc;
}

static gm_rc check_here(struct gm_args *args, const struct gm_operation *operation, const char *path_z, bool *out_good,
                        struct gm_err *err)
{
    struct gm_artifact_check result;
    struct gm_buf text;
    gm_buf_init(&text, ARTIFACT_SIZE_MAX);
    gm_rc rc = gm_file_read_all(path_z, &text, err);
    rc = rc == GM_OK ? gm_verify_check_artifact(operation, gm_buf_str(&text), &result, err) : rc;
    gm_buf_deinit(&text);
    GM_TRY(rc);
    *out_good = result.sealed && result.same;
    if (args->json) {
        printf("{\"sealed\":%s,\"same\":%s,\"ranges_moved\":%lld}\n", result.sealed ? "true" : "false", result.same ? "true" : "false",
               (long long)result.ranges_moved);
        return GM_OK;
    }
    puts(result.sealed ? "seal: whole" : "seal: broken; the artifact was changed after it was written");
    if (result.same) {
        puts("graph: as the artifact says");
    } else {
        printf("graph: %lld of %d ranges have moved since\n", (long long)result.ranges_moved, GM_VERIFY_RANGES);
    }
    return GM_OK;
}

static int verify(struct gm_args *args)
{
    struct gm_operation operation = {0};
    struct gm_err err = {0};
    bool good = false;
    const char *check_z = gm_args_value(args, "check");
    gm_rc rc = gm_args_pipeline(args, args->words[0], &operation.pipeline, &err);
    rc = rc == GM_OK ? open_alone(args, &operation, &err) : rc;
    if (rc == GM_OK) {
        rc = check_z != NULL ? check_here(args, &operation, check_z, &good, &err) : verify_here(args, &operation, &good, &err);
    }
    gm_store_close(operation.store);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    return good ? GM_EXIT_OK : GM_EXIT_FAILED;
}

const struct gm_command gm_command_verify = {
    .name_z = "verify",
    .args_z = "PIPELINE",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Compare source and graph, and write an artifact that proves it.",
    .help_z = "Both sides are hashed by ranges of keys; ranges that differ are read again key by key. Exit code 1: they differ.",
    .example_z = "gemel verify products",
    .options = verify_options,
    .run = verify,
};

/* ---- plan ---- */

static const struct gm_option plan_options[] = {
    {"resync", NULL, "Look at every object, also where its source is unchanged."},
    {0},
};

static void add_samples(struct gm_buf *out, const char *name_z, const struct gm_run_samples *samples)
{
    gm_buf_addf(out, ",\"%s\":[", name_z);
    for (size_t i = 0; i < samples->count; i++) {
        gm_buf_add(out, i > 0 ? GM_STR(",{\"key\":") : GM_STR("{\"key\":"));
        gm_json_quote(out, samples->at[i].key);
        gm_buf_add(out, GM_STR(",\"text\":"));
        gm_json_quote(out, samples->at[i].text);
        gm_buf_add_char(out, '}');
    }
    gm_buf_add_char(out, ']');
}

static void print_plan_json(const struct gm_pipeline *pipeline, const struct gm_run_report *report, gm_ns took)
{
    struct gm_buf json;
    gm_buf_init(&json, 16 << 20);
    gm_buf_add(&json, GM_STR("{\"pipeline\":"));
    gm_json_quote(&json, gm_str_z(pipeline->name_z));
    gm_buf_addf(&json, ",\"seconds\":%.3f,\"report\":", (double)took / (double)GM_SECOND);
    gm_run_write_json(&report->run, &json);
    gm_buf_add(&json, GM_STR(",\"samples\":{\"pipeline\":"));
    gm_json_quote(&json, gm_str_z(pipeline->name_z));
    add_samples(&json, "created", &report->created);
    add_samples(&json, "updated", &report->updated);
    add_samples(&json, "deleted", &report->deleted);
    add_samples(&json, "parked", &report->parked);
    gm_buf_add(&json, GM_STR("}}"));
    gm_print_json(&json);
    gm_buf_deinit(&json);
}

static void print_samples(const char *what_z, int64_t total, const struct gm_run_samples *samples)
{
    char count[32];
    if (total == 0) {
        return;
    }
    gm_format_count(total, count);
    printf("  %s %s\n", what_z, count);
    for (size_t i = 0; i < samples->count; i++) {
        printf("    " GM_STR_FMT "%s" GM_STR_FMT "\n", GM_STR_ARG(samples->at[i].key), samples->at[i].text.n > 0 ? "  " : "",
               GM_STR_ARG(samples->at[i].text));
    }
    if ((int64_t)samples->count < total) {
        puts("    …");
    }
}

static void print_plan(const struct gm_pipeline *pipeline, const struct gm_run_report *report, gm_ns took)
{
    const struct gm_run_counts *counts = &report->run.counts;
    char read[32], unchanged[32], span[GM_TIME_TEXT_SIZE];
    gm_format_count(counts->read, read);
    gm_format_count(counts->unchanged, unchanged);
    gm_span_format(took - took % GM_MS, span);
    printf("%s: would read %s records, %s of them unchanged; takes about %s\n", pipeline->name_z, read, unchanged, span);
    print_samples("create", counts->created, &report->created);
    print_samples("update", counts->updated, &report->updated);
    print_samples("delete", counts->deleted, &report->deleted);
    print_samples("park", counts->parked, &report->parked);
    if (report->run.sweep == GM_SWEEP_BLOCKED || report->run.sweep == GM_SWEEP_WAITING) {
        printf("  deletion %s: " GM_STR_FMT "\n", gm_sweep_name(report->run.sweep), GM_STR_ARG(report->run.sweep_reason));
    }
}

static gm_rc plan_one(struct gm_args *args, const struct gm_operation *operation, struct gm_err *err)
{
    struct gm_run_handle *handle = gm_run_handle_new();
    struct gm_run_report report;
    const struct gm_clock *clock = gm_clock_system();
    gm_ns before = clock->mono(clock);
    gm_rc rc = gm_pipeline_run(&(struct gm_run_options){.store = operation->store, .pipeline = operation->pipeline,
                                                       .folder_z = gm_config_folder_z(operation->config), .handle = handle,
                                                       .cause_z = "plan", .plan = true, .resync = gm_args_has(args, "resync")},
                               &report, err);
    gm_ns took = clock->mono(clock) - before;
    if (rc == GM_OK && args->json) {
        print_plan_json(operation->pipeline, &report, took);
    } else if (rc == GM_OK) {
        print_plan(operation->pipeline, &report, took);
    }
    gm_run_report_free(&report);
    gm_run_handle_free(handle);
    return rc == GM_OK ? GM_OK : gm_fail_within(err, "%s", operation->pipeline->name_z);
}

static int plan(struct gm_args *args)
{
    struct gm_operation operation = {0};
    struct gm_err err = {0};
    const struct gm_pipeline *only = NULL;
    gm_rc rc = args->word_count > 0 ? gm_args_pipeline(args, args->words[0], &only, &err) : GM_OK;
    rc = rc == GM_OK ? open_alone(args, &operation, &err) : rc;
    for (size_t i = 0; rc == GM_OK && i < gm_config_pipeline_count(operation.config); i++) {
        operation.pipeline = gm_config_pipeline(operation.config, i);
        if (only == NULL ? operation.pipeline->conf->enabled : operation.pipeline == only) {
            rc = plan_one(args, &operation, &err);
        }
    }
    gm_store_close(operation.store);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_plan = {
    .name_z = "plan",
    .args_z = "[PIPELINE]",
    .args_max = 1,
    .summary_z = "Tell what a run would create, change and delete, and how long it would take.",
    .help_z = "Reads the source and does all the work of a run, but undoes every transaction: no twin, state or report is written (models\n"
              "that are new are). Relationships between objects of one run are not followed from batch to batch.",
    .example_z = "gemel plan products",
    .options = plan_options,
    .run = plan,
};
