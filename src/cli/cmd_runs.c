/* gemel runs list, runs show, runs approve; gemel status. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/vec.h"
#include "cli/commands.h"
#include "cli/consumers.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "cli/routes_table.h"
#include "route/rows.h"
#include "sync/dead_letter.h"
#include "sync/run.h"
#include "sync/state.h"

enum { OUTPUT_SIZE_MAX = 64 << 20 };

/* ---- lists ---- */

/* What a person wants to know of a run at the end of its line. */
static struct gm_str remark(struct gm_arena *arena, const struct gm_run *run)
{
    if (run->error.p != NULL) {
        return gm_arena_dup(arena, run->error);
    }
    if (run->sweep == GM_SWEEP_BLOCKED) {
        return gm_arena_format(arena, "deletion blocked: " GM_STR_FMT,
                               GM_STR_ARG(run->sweep_reason));
    }
    if (run->sweep == GM_SWEEP_WAITING) {
        return gm_arena_dup(arena, run->sweep_reason);
    }
    return GM_STR("");
}

static gm_rc list_run(void *ctx, const struct gm_run *run, struct gm_err *err)
{
    (void)err;
    struct gm_listing *listing = ctx;
    struct gm_arena *arena = listing->arena;
    struct gm_buf *json = gm_listing_item(listing);
    if (json != NULL) {
        gm_run_write_json(run, json);
        return GM_OK;
    }
    char took[GM_TIME_TEXT_SIZE] = "-";
    if (run->finished != 0) {
        gm_ns span = run->finished - run->started;
        gm_span_format(span - span % GM_MS, took);
    }
    const struct gm_run_counts *counts = &run->counts;
    gm_table_add(listing->table,
                 (const struct gm_str[]){
                     gm_arena_format(arena, "%lld", (long long)run->num),
                     gm_arena_dup(arena, run->pipeline_name),
                     gm_str_z(gm_run_status_name(run->status)), gm_time_text(arena, run->started),
                     gm_arena_dup(arena, gm_str_z(took)), gm_count_text(arena, counts->read),
                     gm_count_text(arena, counts->created), gm_count_text(arena, counts->updated),
                     gm_count_text(arena, counts->deleted), gm_count_text(arena, counts->parked),
                     remark(arena, run)});
    return GM_OK;
}

static gm_rc list_runs(struct gm_args *args, struct gm_listing *listing, struct gm_err *err)
{
    struct gm_db *db;
    int64_t limit, pipeline = 0;
    GM_TRY(gm_args_int(args, "limit", 20, &limit, err));
    GM_TRY(gm_args_reader(args, &db, err));
    gm_rc rc =
        args->word_count > 0 ? gm_args_pipeline_num(db, args->words[0], &pipeline, err) : GM_OK;
    rc = rc == GM_OK
             ? gm_runs_list(db, &(struct gm_run_query){.pipeline = pipeline, .limit = limit},
                            list_run, listing, err)
             : rc;
    gm_db_close(db);
    return rc;
}

static int runs_list(struct gm_args *args)
{
    static const char *const heads[] = {"RUN",     "PIPELINE", "STATUS",  "STARTED (UTC)",
                                        "TOOK",    "READ",     "CREATED", "UPDATED",
                                        "DELETED", "PARKED",   ""};
    struct gm_listing listing;
    struct gm_err err = {0};
    gm_listing_init(&listing, args, heads, GM_ARRAY_COUNT(heads));
    gm_rc rc = list_runs(args, &listing, &err);
    gm_listing_end(&listing, rc == GM_OK, NULL);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

static const struct gm_option limit_options[] = {
    {"limit", "N", "Print at most N (default: 20)."},
    {0},
};

const struct gm_command gm_command_runs = {
    .name_z = "runs",
    .args_z = "[PIPELINE]",
    .args_max = 1,
    .summary_z = "List runs, newest first.",
    .options = limit_options,
    .run = runs_list,
};

/* ---- one run ---- */

static gm_rc show_run(void *ctx, const struct gm_run *run, struct gm_err *err)
{
    (void)err;
    const struct gm_args *args = ctx;
    struct gm_buf text;
    gm_buf_init(&text, OUTPUT_SIZE_MAX);
    if (args->json) {
        gm_run_write_json(run, &text);
        gm_print_json(&text);
        gm_buf_deinit(&text);
        return GM_OK;
    }
    char started[GM_TIME_TEXT_SIZE], finished[GM_TIME_TEXT_SIZE];
    gm_print_time(run->started, started);
    gm_print_time(run->finished, finished);
    gm_run_counts_write(&run->counts, &text);
    printf("run        %lld (%s)\npipeline   " GM_STR_FMT "\ncause      " GM_STR_FMT
           "\nstatus     %s\nstarted    %s\nfinished   %s\n",
           (long long)run->num, run->id, GM_STR_ARG(run->pipeline_name), GM_STR_ARG(run->cause),
           gm_run_status_name(run->status), started, finished);
    printf("records    " GM_STR_FMT "\n", GM_STR_ARG(gm_buf_str(&text)));
    if (run->attempts > 0) {
        printf("retried    the source %lld times\n", (long long)run->attempts);
    }
    printf("deletion   %s", gm_sweep_name(run->sweep));
    if (run->sweep_reason.n > 0) {
        printf(": " GM_STR_FMT, GM_STR_ARG(run->sweep_reason));
    }
    putchar('\n');
    if (run->error.p != NULL) {
        printf("error      " GM_STR_FMT " (" GM_STR_FMT ")\n", GM_STR_ARG(run->error),
               GM_STR_ARG(run->error_code));
    }
    gm_buf_deinit(&text);
    return GM_OK;
}

static gm_rc parse_run(struct gm_args *args, const char *word_z, int64_t *out_num,
                       struct gm_err *err)
{
    (void)args;
    if (!gm_parse_i64(gm_str_z(word_z), out_num) || *out_num < 1) {
        return gm_fail(err, GM_E_CONFIG, "`%s` is no run number; see `gemel runs`", word_z);
    }
    return GM_OK;
}

static int runs_show(struct gm_args *args)
{
    struct gm_db *db = NULL;
    struct gm_err err = {0};
    int64_t num = 0;
    gm_rc rc = parse_run(args, args->words[0], &num, &err);
    rc = rc == GM_OK ? gm_args_reader(args, &db, &err) : rc;
    rc = rc == GM_OK ? gm_run_get(db, num, show_run, args, &err) : rc;
    if (rc == GM_E_END) {
        rc = gm_fail(&err, GM_E_INVALID, "there is no run %lld; see `gemel runs`", (long long)num);
    }
    gm_db_close(db);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_runs_show = {
    .name_z = "runs show",
    .args_z = "RUN",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Show one run's report.",
    .run = runs_show,
};

/* ---- approving ---- */

static gm_rc take_pipeline_name(void *ctx, const struct gm_run *run, struct gm_err *err)
{
    (void)err;
    *(char **)ctx = gm_str_dup_z(run->pipeline_name);
    return GM_OK;
}

static gm_rc approve_here(struct gm_args *args, struct gm_store *store, int64_t num,
                          int64_t *out_deleted, struct gm_err *err)
{
    GM_AUTO_FREE char *name_z = NULL;
    struct gm_db *db;
    struct gm_operation operation = {.store = store};
    GM_TRY(gm_args_config(args, &operation.config, err));
    GM_TRY(gm_store_reader(store, &db, err));
    gm_rc rc = gm_run_get(db, num, take_pipeline_name, &name_z, err);
    gm_db_close(db);
    if (rc == GM_E_END) {
        return gm_fail(err, GM_E_INVALID, "there is no run %lld; see `gemel runs`", (long long)num);
    }
    GM_TRY(rc);
    GM_TRY(gm_args_pipeline(args, name_z, &operation.pipeline, err));
    return gm_approve_run(&operation, num, out_deleted, err);
}

static gm_rc approve_there(struct gm_args *args, int64_t num, int64_t *out_deleted,
                           struct gm_err *err)
{
    struct gm_http_answer answer;
    GM_AUTO_FREE char *path_z = gm_format_z("/runs/%lld/approve", (long long)num);
    GM_TRY(gm_remote_post(args, path_z, GM_STR("{}"), &answer, err));
    *out_deleted = gm_remote_number(&answer, "deleted");
    gm_http_answer_free(&answer);
    return GM_OK;
}

static int runs_approve(struct gm_args *args)
{
    struct gm_store *store = NULL;
    struct gm_err err = {0};
    int64_t num = 0, deleted = 0;
    gm_rc rc = parse_run(args, args->words[0], &num, &err);
    rc = rc == GM_OK ? gm_remote_or_store(args, &store, &err) : rc;
    if (rc == GM_OK) {
        rc = store != NULL ? approve_here(args, store, num, &deleted, &err)
                           : approve_there(args, num, &deleted, &err);
    }
    gm_store_close(store);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    printf(args->json ? "{\"deleted\":%lld}\n" : "%lld objects deleted\n", (long long)deleted);
    return GM_EXIT_OK;
}

const struct gm_command gm_command_runs_approve = {
    .name_z = "runs approve",
    .args_z = "RUN",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Release the deletions that a run blocked.",
    .help_z = "Deletes what the run found missing, and takes its source settings and filters for "
              "the trusted ones. Only the newest complete\n"
              "run of a pipeline can be approved. `gemel plan` shows beforehand what would go.",
    .example_z = "gemel runs approve 17",
    .run = runs_approve,
};

/* ---- status ---- */

struct status {
    struct gm_db *db;
    struct gm_listing listing;
};

static gm_rc copy_newest(void *ctx, const struct gm_run *run, struct gm_err *err)
{
    (void)err;
    gm_run_write_json(run, ctx);
    return GM_OK;
}

static gm_rc add_status_json(struct status *status, const struct gm_pipeline_row *row,
                             const int64_t states[6], int64_t letters, struct gm_err *err)
{
    struct gm_buf *json = gm_listing_item(&status->listing);
    gm_buf_add_z(json, "{\"pipeline\":");
    gm_json_quote(json, row->name);
    gm_buf_addf(json, ",\"objects\":%lld,\"states\":{", (long long)row->live_count);
    for (int i = GM_STATE_COMPLETED; i <= GM_STATE_DELETED; i++) {
        gm_buf_addf(json, "%s\"%s\":%lld", i > GM_STATE_COMPLETED ? "," : "",
                    gm_state_name((enum gm_state)i), (long long)states[i]);
    }
    gm_buf_addf(json, "},\"dead_letters\":%lld,\"last_run\":", (long long)letters);
    size_t before = json->n;
    GM_TRY(gm_runs_list(status->db, &(struct gm_run_query){.pipeline = row->num, .limit = 1},
                        copy_newest, json, err));
    gm_buf_add(json, json->n == before ? GM_STR("null}") : GM_STR("}"));
    return GM_OK;
}

/* A pipeline and what its line is made of. */
struct status_row {
    struct status *status;
    const struct gm_pipeline_row *row;
    const int64_t *states;
    int64_t letters;
    bool shown;
};

static gm_rc add_status_row(void *ctx, const struct gm_run *run, struct gm_err *err)
{
    (void)err;
    struct status_row *line = ctx;
    struct gm_listing *listing = &line->status->listing;
    struct gm_arena *arena = listing->arena;
    line->shown = true;
    gm_table_add(listing->table,
                 (const struct gm_str[]){
                     gm_arena_dup(arena, line->row->name),
                     gm_count_text(arena, line->row->live_count),
                     gm_count_text(arena, line->letters),
                     run != NULL ? gm_str_z(gm_run_status_name(run->status)) : GM_STR("never ran"),
                     run != NULL ? gm_time_text(arena, run->started) : GM_STR("-"),
                     run != NULL ? remark(arena, run) : GM_STR("")});
    return GM_OK;
}

static gm_rc add_status(void *ctx, const struct gm_pipeline_row *row, struct gm_err *err)
{
    struct status *status = ctx;
    int64_t states[6] = {0}, letters;
    GM_TRY(gm_states_count(status->db, row->num, states, err));
    GM_TRY(gm_dead_letters_count(status->db, row->num, &letters, err));
    if (status->listing.table == NULL) {
        return add_status_json(status, row, states, letters, err);
    }
    struct status_row line = {.status = status, .row = row, .states = states, .letters = letters};
    GM_TRY(gm_runs_list(status->db, &(struct gm_run_query){.pipeline = row->num, .limit = 1},
                        add_status_row, &line, err));
    return line.shown ? GM_OK : add_status_row(&line, NULL, err);
}

static gm_rc show_status(struct gm_args *args, struct status *status, int64_t *out_waiting,
                         struct gm_err *err)
{
    GM_TRY(gm_args_reader(args, &status->db, err));
    GM_TRY(gm_db_begin_snapshot(status->db, err));
    GM_TRY(gm_pipelines_list(status->db, add_status, status, err));
    GM_TRY(gm_graph_waiting_count(status->db, out_waiting, err));
    return gm_db_commit(status->db, err);
}

static gm_rc show_routes(struct gm_db *db, struct gm_err *err)
{
    int64_t count;
    size_t shown;
    GM_TRY(gm_event_routes_count(db, GM_STR(""), &count, err));
    if (count == 0) {
        return GM_OK;
    }
    putchar('\n');
    return gm_routes_print(db, &shown, err);
}

static int status(struct gm_args *args)
{
    static const char *const heads[] = {"PIPELINE", "OBJECTS",       "DEAD LETTERS",
                                        "LAST RUN", "STARTED (UTC)", ""};
    struct status work = {0};
    struct gm_err err = {0};
    int64_t waiting = 0;
    gm_listing_init(&work.listing, args, heads, GM_ARRAY_COUNT(heads));
    gm_rc rc = show_status(args, &work, &waiting, &err);
    if (rc == GM_OK && args->json) {
        struct gm_buf json;
        gm_buf_init(&json, OUTPUT_SIZE_MAX);
        gm_buf_addf(&json, "{\"waiting_relationships\":%lld,\"pipelines\":" GM_STR_FMT "],",
                    (long long)waiting, GM_STR_ARG(gm_buf_str(&work.listing.json)));
        gm_buf_add(&json, GM_STR("\"routes\":"));
        rc = gm_routes_write_json(work.db, &json, &err);
        gm_buf_add_z(&json, ",\"consumers\":");
        rc = rc == GM_OK ? gm_consumers_json(args, &json, &err) : rc;
        gm_buf_add_char(&json, '}');
        if (rc == GM_OK) {
            gm_print_json(&json);
        }
        gm_buf_deinit(&json);
    }
    gm_listing_end(&work.listing, rc == GM_OK && !args->json, NULL);
    if (rc == GM_OK && !args->json && waiting > 0) {
        printf("\n%lld relationships wait for a twin that is not there yet, or of another model: "
               "`gemel waiting` lists them\n",
               (long long)waiting);
    }
    if (rc == GM_OK && !args->json) {
        rc = show_routes(work.db, &err);
        rc = rc == GM_OK ? gm_consumers_print(args, &err) : rc;
    }
    gm_db_close(work.db);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_status = {
    .name_z = "status",
    .summary_z =
        "Show how the pipelines and event routes stand, and how far behind who reads streams is.",
    .run = status,
};
