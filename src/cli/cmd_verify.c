/* gemel verify, gemel plan: comparing and foretelling.
 *
 * Both work here when the store is free, and in the process that has it otherwise. Either way the
 * result is the same JSON (engine/operations.h), and what is printed is made of that. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "os/file.h"
#include "os/process.h"
#include "json/json.h"

enum { DIFFERENCES_PRINTED = 20, RESULT_SIZE_MAX = 64 << 20 };

/* What an operation found. */
struct result {
    struct gm_buf text;
    struct gm_arena *arena;
    yyjson_mut_doc *doc;
    yyjson_mut_val *root; /* once it is parsed */
};

static void result_init(struct result *result)
{
    *result = (struct result){.arena = gm_arena_new((size_t)8 * RESULT_SIZE_MAX)};
    result->doc = gm_json_doc_new(result->arena);
    gm_buf_init(&result->text, RESULT_SIZE_MAX);
}

static void result_deinit(struct result *result)
{
    gm_buf_deinit(&result->text);
    gm_arena_free(result->arena);
}

static gm_rc parse_result(struct result *result, struct gm_err *err)
{
    if (gm_buf_failed(&result->text)) {
        return gm_fail(err, GM_E_LIMIT, "the result is larger than %d MB", RESULT_SIZE_MAX >> 20);
    }
    return gm_json_parse(result->doc, gm_buf_str(&result->text), &result->root, err);
}

/* The store with the configuration's models; none when another process has it and can be asked. */
static gm_rc open_anywhere(struct gm_args *args, struct gm_operation *operation, struct gm_err *err)
{
    GM_TRY(gm_args_config(args, &operation->config, err));
    const struct gm_config_root *root = gm_config_root(operation->config);
    size_t added;
    GM_TRY(gm_remote_or_store(args, &operation->store, err));
    bool here = operation->store != NULL && root->models != NULL;
    gm_rc rc = here ? gm_store_add_models(operation->store, root->models, &added, err) : GM_OK;
    if (rc != GM_OK) {
        gm_store_close(operation->store);
        operation->store = NULL;
    }
    return rc;
}

static gm_rc ask_there(struct gm_args *args, const char *path_z, struct gm_str body,
                       struct result *result, struct gm_err *err)
{
    struct gm_http_answer answer;
    GM_TRY(gm_remote_post(args, path_z, body, &answer, err));
    gm_buf_add(&result->text, gm_buf_str(&answer.body));
    gm_http_answer_free(&answer);
    return GM_OK;
}

static int64_t number_at(const struct result *result, const char *pointer_z)
{
    return yyjson_mut_get_sint(gm_json_pointer(result->root, gm_str_z(pointer_z)));
}

static struct gm_str text_at(const struct result *result, const char *pointer_z)
{
    return gm_json_str(gm_json_pointer(result->root, gm_str_z(pointer_z)));
}

static bool true_at(const struct result *result, const char *pointer_z)
{
    return yyjson_mut_is_true(gm_json_pointer(result->root, gm_str_z(pointer_z)));
}

/* ---- verify ---- */

static const struct gm_option verify_options[] = {
    {"artifact", "FILE",
     "Where to write the artifact (default: DATA/verifications/PIPELINE-TIME.json)."},
    {"check", "FILE",
     "Check an artifact that was written before: its seal, and whether the graph is still as it "
     "says."},
    {0},
};

static gm_rc write_artifact(struct gm_args *args, struct gm_str artifact, char **out_path_z,
                            struct gm_err *err)
{
    const char *given_z = gm_args_value(args, "artifact");
    const char *folder_z;
    if (given_z != NULL) {
        *out_path_z = gm_strdup_z(given_z);
        return gm_file_write_atomic(given_z, artifact, 0644, err);
    }
    GM_TRY(gm_args_data(args, &folder_z, err));
    GM_AUTO_FREE char *into_z = gm_format_z("%s/verifications", folder_z);
    GM_TRY(gm_folder_make(into_z, err));
    struct gm_date date;
    gm_time_split(gm_clock_wall_now(), &date);
    *out_path_z = gm_format_z("%s/%s-%04d%02d%02dT%02d%02d%02dZ.json", into_z, args->words[0],
                              date.year, date.month, date.day, date.hour, date.minute, date.second);
    return gm_file_write_atomic(*out_path_z, artifact, 0644, err);
}

/* The file's path stands for what is in it. */
static void print_verification_json(struct result *result, const char *path_z)
{
    (void)gm_json_set(result->doc, result->root, GM_STR("artifact"),
                      gm_json_strcpy(result->doc, gm_str_z(path_z)));
    gm_buf_reset(&result->text);
    gm_json_write(result->root, &result->text);
    gm_print_json(&result->text);
}

static const char *kind_words(struct gm_str kind)
{
    return gm_str_is(kind, "missing") ? "in the source only"
           : gm_str_is(kind, "extra") ? "in the graph only"
                                      : "different";
}

static void print_differences(const struct result *result)
{
    yyjson_mut_val *differences = gm_json_member(result->root, GM_STR("differences"));
    yyjson_mut_val *difference;
    size_t index, max;
    yyjson_mut_arr_foreach(differences, index, max, difference)
    {
        if (index == DIFFERENCES_PRINTED) {
            puts("  … the artifact has more");
            return;
        }
        printf("  " GM_STR_FMT "  %s\n", GM_STR_ARG(gm_json_member_str(difference, "key")),
               kind_words(gm_json_member_str(difference, "kind")));
    }
}

static void print_verification(const struct result *result, const struct gm_connector *connector,
                               const char *path_z)
{
    char source[32], sink[32];
    bool told = connector->behind != NULL; /* what was told last is compared, and no stream read */
    gm_format_count(number_at(result, "/source_count"), source);
    gm_format_count(number_at(result, "/sink_count"), sink);
    printf("source: %s objects, %s: %s objects\n", source,
           told ? "what their last events said" : "graph", sink);
    int64_t unreadable = number_at(result, "/unreadable"),
            differences = number_at(result, "/differences_total");
    if (unreadable > 0) {
        printf("%lld records of the source cannot be applied; see `gemel dead-letters list`\n",
               (long long)unreadable);
    }
    if (true_at(result, "/equal")) {
        puts("equal");
    } else if (differences == 0) {
        puts("the source changed while it was read twice; verify again");
    } else {
        printf("%lld differences:\n", (long long)differences);
    }
    print_differences(result);
    printf("artifact: %s\n", path_z);
}

static gm_rc find_differences(struct gm_args *args, const struct gm_operation *operation,
                              struct result *result, struct gm_err *err)
{
    struct gm_verify_report report;
    if (operation->store == NULL) {
        GM_AUTO_FREE char *path_z =
            gm_format_z("/pipelines/%s/verify", operation->pipeline->name_z);
        return ask_there(args, path_z, GM_STR("{}"), result, err);
    }
    GM_TRY(gm_verify(operation, NULL, &report, err));
    gm_verify_write_json(operation->pipeline, &report, &result->text);
    gm_verify_report_free(&report);
    return GM_OK;
}

static gm_rc compare(struct gm_args *args, const struct gm_operation *operation, bool *out_equal,
                     struct gm_err *err)
{
    struct result result;
    GM_AUTO_FREE char *path_z = NULL;
    result_init(&result);
    gm_rc rc = find_differences(args, operation, &result, err);
    rc = rc == GM_OK ? parse_result(&result, err) : rc;
    rc = rc == GM_OK ? write_artifact(args, text_at(&result, "/artifact"), &path_z, err) : rc;
    *out_equal = rc == GM_OK && true_at(&result, "/equal");
    if (rc == GM_OK && args->json) {
        print_verification_json(&result, path_z);
    } else if (rc == GM_OK) {
        print_verification(&result, operation->pipeline->sink, path_z);
    }
    result_deinit(&result);
    return rc;
}

static gm_rc check_artifact(struct gm_args *args, const struct gm_operation *operation,
                            struct gm_str artifact, struct result *result, struct gm_err *err)
{
    struct gm_artifact_check check;
    if (operation->store != NULL) {
        GM_TRY(gm_verify_check_artifact(operation, artifact, &check, err));
        gm_verify_check_write_json(&check, &result->text);
        return GM_OK;
    }
    struct gm_buf body;
    GM_AUTO_FREE char *path_z = gm_format_z("/pipelines/%s/verify", operation->pipeline->name_z);
    gm_buf_init(&body, (size_t)2 * RESULT_SIZE_MAX);
    gm_buf_add(&body, GM_STR("{\"check\":"));
    gm_json_quote(&body, artifact);
    gm_buf_add_char(&body, '}');
    gm_rc rc = ask_there(args, path_z, gm_buf_str(&body), result, err);
    gm_buf_deinit(&body);
    return rc;
}

static void print_check(struct gm_args *args, struct result *result)
{
    if (args->json) {
        gm_print_json(&result->text);
        return;
    }
    puts(true_at(result, "/sealed")
             ? "seal: whole"
             : "seal: broken; the artifact was changed after it was written");
    if (true_at(result, "/same")) {
        puts("graph: as the artifact says");
    } else {
        printf("graph: %lld of %d ranges have moved since\n",
               (long long)number_at(result, "/ranges_moved"), GM_VERIFY_RANGES);
    }
}

static gm_rc check_file(struct gm_args *args, const struct gm_operation *operation, bool *out_good,
                        struct gm_err *err)
{
    struct result result;
    struct gm_buf artifact;
    result_init(&result);
    gm_buf_init(&artifact, RESULT_SIZE_MAX);
    gm_rc rc = gm_file_read_all(gm_args_value(args, "check"), &artifact, err);
    rc = rc == GM_OK ? check_artifact(args, operation, gm_buf_str(&artifact), &result, err) : rc;
    rc = rc == GM_OK ? parse_result(&result, err) : rc;
    if (rc == GM_OK) {
        print_check(args, &result);
        *out_good = true_at(&result, "/sealed") && true_at(&result, "/same");
    }
    gm_buf_deinit(&artifact);
    result_deinit(&result);
    return rc;
}

static int verify(struct gm_args *args)
{
    struct gm_operation operation = {0};
    struct gm_err err = {0};
    bool good = false;
    gm_rc rc = gm_args_pipeline(args, args->words[0], &operation.pipeline, &err);
    rc = rc == GM_OK ? open_anywhere(args, &operation, &err) : rc;
    if (rc == GM_OK) {
        bool check = gm_args_value(args, "check") != NULL;
        rc = check ? check_file(args, &operation, &good, &err)
                   : compare(args, &operation, &good, &err);
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
    .help_z = "Both sides are hashed by ranges of keys; ranges that differ are read again key by "
              "key. Exit code 1: they differ.\n"
              "While `gemel run` has the data directory, it does the work, between two runs of the "
              "pipeline.",
    .example_z = "gemel verify products",
    .options = verify_options,
    .run = verify,
};

/* ---- plan ---- */

static const struct gm_option plan_options[] = {
    {"resync", NULL, "Look at every object, also where its source is unchanged."},
    {0},
};

/* `what_z` is what would be done, `name_z` how the report calls it. */
static void print_samples(const struct result *result, const char *what_z, const char *name_z)
{
    GM_AUTO_FREE char *total_z = gm_format_z("/report/counts/%s", name_z);
    GM_AUTO_FREE char *samples_z = gm_format_z("/samples/%s", name_z);
    yyjson_mut_val *samples = gm_json_pointer(result->root, gm_str_z(samples_z));
    yyjson_mut_val *sample;
    int64_t total = number_at(result, total_z);
    size_t index, max;
    char count[32];
    if (total == 0) {
        return;
    }
    gm_format_count(total, count);
    printf("  %s %s\n", what_z, count);
    yyjson_mut_arr_foreach(samples, index, max, sample)
    {
        struct gm_str text = gm_json_member_str(sample, "text");
        printf("    " GM_STR_FMT "%s" GM_STR_FMT "\n",
               GM_STR_ARG(gm_json_member_str(sample, "key")), text.n > 0 ? "  " : "",
               GM_STR_ARG(text));
    }
    if ((int64_t)gm_json_count(samples) < total) {
        puts("    …");
    }
}

static void print_plan(const struct result *result)
{
    char read[32], unchanged[32], span[GM_TIME_TEXT_SIZE];
    double seconds = yyjson_mut_get_num(gm_json_member(result->root, GM_STR("seconds")));
    gm_format_count(number_at(result, "/report/counts/read"), read);
    gm_format_count(number_at(result, "/report/counts/unchanged"), unchanged);
    gm_span_format((gm_ns)(seconds * 1000 + 0.5) * GM_MS, span);
    printf(GM_STR_FMT ": would read %s records, %s of them unchanged; takes about %s\n",
           GM_STR_ARG(text_at(result, "/pipeline")), read, unchanged, span);
    print_samples(result, "create", "created");
    print_samples(result, "update", "updated");
    print_samples(result, "delete", "deleted");
    print_samples(result, "park", "parked");
    struct gm_str sweep = text_at(result, "/report/sweep/state");
    if (gm_str_is(sweep, gm_sweep_name(GM_SWEEP_BLOCKED)) ||
        gm_str_is(sweep, gm_sweep_name(GM_SWEEP_WAITING))) {
        printf("  deletion " GM_STR_FMT ": " GM_STR_FMT "\n", GM_STR_ARG(sweep),
               GM_STR_ARG(text_at(result, "/report/sweep/reason")));
    }
}

static gm_rc foretell(struct gm_args *args, const struct gm_operation *operation,
                      struct result *result, struct gm_err *err)
{
    bool resync = gm_args_has(args, "resync");
    if (operation->store == NULL) {
        GM_AUTO_FREE char *path_z = gm_format_z("/pipelines/%s/plan", operation->pipeline->name_z);
        return ask_there(args, path_z, resync ? GM_STR("{\"resync\":true}") : GM_STR("{}"), result,
                         err);
    }
    struct gm_run_handle *handle = gm_run_handle_new();
    gm_rc rc = gm_plan_write_json(
        &(struct gm_plan){.operation = *operation, .handle = handle, .resync = resync},
        &result->text, err);
    gm_run_handle_free(handle);
    return rc;
}

static gm_rc plan_one(struct gm_args *args, const struct gm_operation *operation,
                      struct gm_err *err)
{
    struct result result;
    result_init(&result);
    gm_rc rc = foretell(args, operation, &result, err);
    rc = rc == GM_OK ? parse_result(&result, err) : rc;
    if (rc == GM_OK && args->json) {
        gm_print_json(&result.text);
    } else if (rc == GM_OK) {
        print_plan(&result);
    }
    result_deinit(&result);
    return rc;
}

static int plan(struct gm_args *args)
{
    struct gm_operation operation = {0};
    struct gm_err err = {0};
    const struct gm_pipeline *only = NULL;
    gm_rc rc = args->word_count > 0 ? gm_args_pipeline(args, args->words[0], &only, &err) : GM_OK;
    rc = rc == GM_OK ? open_anywhere(args, &operation, &err) : rc;
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
    .help_z = "Reads the source and does all the work of a run, but undoes every transaction: no "
              "twin, state or report is written (models\n"
              "that are new are). Relationships between objects of one run are not followed from "
              "batch to batch.\n"
              "While `gemel run` has the data directory, it does the work, between two runs of the "
              "pipeline and with the configuration\n"
              "that it runs with.",
    .example_z = "gemel plan products",
    .options = plan_options,
    .run = plan,
};
