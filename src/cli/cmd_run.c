/* gemel run: the engine in the foreground, with progress on a terminal and plain lines
 * elsewhere. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "api/admin.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/vec.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/services.h"
#include "hub/hub.h"
#include "os/file.h"
#include "os/process.h"
#include "os/thread.h"

static const struct gm_option run_options[] = {
    {"once", NULL, "Run every pipeline once and end: exit code 1 when one did not succeed."},
    {"pipeline", "NAME", "With --once: this one only."},
    {"resync", NULL, "With --once: put every object right, also where its source is unchanged."},
    {0},
};

enum { REPORT_COLUMNS = 10 };

struct report_line {
    char *cells[REPORT_COLUMNS];
};

struct session {
    struct gm_args *args;
    const char *path_z;
    struct gm_stop *stop;
    struct gm_config *config;
    const struct gm_pipeline *only; /* with --once; NULL: all */
    struct gm_store *store;
    struct gm_hub *hub;
    struct gm_engine *engine;
    struct gm_admin *admin;
    struct gm_services services;
    struct gm_progress *progress;
    struct gm_mutex *mu;
    /* guarded by mu; rc set: the store failed, and this process with it */
    struct gm_err storage_err;
    GM_VEC(struct report_line) lines; /* guarded by mu; runs that no report has told yet */
    /* guarded by mu; on schedule only the first round is reported, log lines tell the rest */
    bool reported;
};

static void set_log(const struct gm_config *config, struct gm_progress *progress)
{
    const struct gm_log_conf *log = &gm_config_root(config)->log;
    gm_log_init(&(struct gm_log_sink){.now_ns = gm_clock_wall_now,
                                      .write = gm_progress_on_terminal(progress)
                                                   ? gm_progress_write_line
                                                   : gm_write_stderr},
                (enum gm_log_level)log->level, (enum gm_log_format)log->format);
}

/* ---- the report ---- */

static void add_line(struct session *session, const char *name_z, const struct gm_run *run)
{
    const struct gm_run_counts *counts = &run->counts;
    struct report_line *line = gm_vec_push(&session->lines);
    double seconds = (double)(run->finished - run->started) / (double)GM_SECOND;
    char span[GM_TIME_TEXT_SIZE];
    const int64_t numbers[] = {counts->read,
                               counts->unchanged,
                               counts->created,
                               counts->updated,
                               counts->deleted,
                               counts->parked,
                               seconds > 0 ? (int64_t)((double)counts->read / seconds) : 0};
    gm_span_format(run->finished - run->started - (run->finished - run->started) % GM_MS, span);
    line->cells[0] = gm_format_z("%s", name_z);
    line->cells[1] = gm_format_z("%s", gm_run_status_name(run->status));
    for (size_t i = 0; i < GM_ARRAY_COUNT(numbers); i++) {
        char text[32];
        gm_format_count(numbers[i], text);
        line->cells[2 + i] = gm_format_z("%s", text);
    }
    line->cells[REPORT_COLUMNS - 1] = gm_format_z("%s", span);
}

static void forget_lines(struct session *session)
{
    for (size_t i = 0; i < session->lines.n; i++) {
        for (size_t k = 0; k < REPORT_COLUMNS; k++) {
            gm_free(session->lines.at[i].cells[k]);
        }
    }
    session->lines.n = 0;
}

/* One line a run since the last report. */
static void print_report(struct session *session)
{
    static const char *const heads[REPORT_COLUMNS] = {"PIPELINE", "STATUS",  "READ",    "UNCHANGED",
                                                      "CREATED",  "UPDATED", "DELETED", "PARKED",
                                                      "ROWS/S",   "TOOK"};
    struct gm_table *table = gm_table_new(heads, REPORT_COLUMNS);
    gm_mutex_lock(session->mu);
    for (size_t i = 0; i < session->lines.n; i++) {
        struct gm_str cells[REPORT_COLUMNS];
        for (size_t k = 0; k < REPORT_COLUMNS; k++) {
            cells[k] = gm_str_z(session->lines.at[i].cells[k]);
        }
        gm_table_add(table, cells);
    }
    bool any = session->lines.n > 0;
    forget_lines(session);
    gm_mutex_unlock(session->mu);
    if (any && !session->args->json) {
        gm_table_print(table);
        fflush(stdout);
    }
    gm_table_free(table);
}

static void report_run(void *ctx, const struct gm_pipeline *pipeline,
                       const struct gm_run_report *report)
{
    struct session *session = ctx;
    gm_mutex_lock(session->mu);
    /* Sources never report these two, so it is the store: its writer takes nothing more. */
    if (gm_str_is(report->run.error_code, "io") || gm_str_is(report->run.error_code, "corrupt")) {
        (void)gm_fail(&session->storage_err, GM_E_IO, GM_STR_FMT, GM_STR_ARG(report->run.error));
    }
    if (!session->reported) {
        add_line(session, pipeline->name_z, &report->run);
    }
    gm_mutex_unlock(session->mu);
    if (session->args->json) {
        struct gm_buf json;
        gm_buf_init(&json, 1 << 20);
        gm_run_write_json(&report->run, &json);
        gm_print_json(&json);
        fflush(stdout);
        gm_buf_deinit(&json);
    }
}

static gm_rc open_engine(struct session *session, struct gm_err *err)
{
    return gm_engine_open(
        &(struct gm_engine_options){.config = session->config,
                                    .store = session->store,
                                    .on_run = report_run,
                                    .ctx = session,
                                    .resync = gm_args_has(session->args, "resync")},
        &session->engine, err);
}

/* The streams of the configuration, while the store is ours. */
static gm_rc open_hub(struct session *session, struct gm_err *err)
{
    const struct gm_hub_options options = {.streams = &gm_config_root(session->config)->streams,
                                           .folder_z = gm_store_folder_z(session->store),
                                           .clock = gm_store_clock(session->store)};
    GM_TRY(gm_hub_open(&options, &session->hub, err));
    gm_store_set_streams(session->store, gm_hub_directory(session->hub));
    return GM_OK;
}

static void close_hub(struct session *session)
{
    if (session->store != NULL) {
        gm_store_set_streams(session->store, NULL);
    }
    gm_hub_close(session->hub);
    session->hub = NULL;
}

/* ---- once ---- */

struct once {
    struct session *session;
    const struct gm_pipeline *pipeline;
    size_t failed;
    gm_rc rc;
    struct gm_err err;
    _Atomic bool done;
};

static void run_once_thread(void *arg)
{
    struct once *once = arg;
    once->rc = gm_engine_run_once(once->session->engine, once->pipeline, &once->failed, &once->err);
    atomic_store(&once->done, true);
    gm_stop_request(once->session->stop); /* wakes who waits; the process has nothing else to do */
}

static gm_rc trim_changes(struct session *session, struct gm_err *err)
{
    const struct gm_services_options options = {.config = session->config, .store = session->store};
    const struct gm_retention_options retention = gm_services_retention(&options);
    int64_t chunks;
    return gm_retention_trim(&retention, &chunks, err);
}

static gm_rc run_once(struct session *session, size_t *out_failed, struct gm_err *err)
{
    struct once once = {.session = session, .pipeline = session->only};
    struct gm_thread *thread;
    GM_TRY(gm_thread_start("gemel-once", run_once_thread, &once, &thread, err));
    while (gm_stop_wait(session->stop, GM_PROGRESS_PERIOD) == GM_OK) {
        gm_progress_show(session->progress, session->engine);
    }
    if (!atomic_load(&once.done)) {
        gm_engine_stop(session->engine);
    }
    gm_thread_join(thread);
    gm_progress_clear(session->progress);
    print_report(session);
    *out_failed = once.failed;
    *err = once.err;
    return once.rc == GM_OK ? trim_changes(session, err) : once.rc;
}

/* ---- on schedule ---- */

static void set_gauges(struct session *session)
{
    GM_AUTO_FREE char *path_z = gm_format_z("%s/store.db", gm_store_folder_z(session->store));
    struct gm_file_info info;
    struct gm_err ignored;
    if (gm_file_info(path_z, &info, &ignored) == GM_OK) {
        gm_metric_set(GM_M_STORE_SIZE_BYTES, GM_STR(""), (double)info.size_bytes);
    }
    gm_metric_set(GM_M_BUILD_INFO, GM_STR(GM_VERSION), 1);
    gm_metric_set(GM_M_RESIDENT_BYTES, GM_STR(""), (double)gm_resident_bytes());
}

static gm_rc start_engine(struct session *session, struct gm_err *err)
{
    GM_TRY(open_hub(session, err));
    GM_TRY(open_engine(session, err));
    const struct gm_services_options options = {
        .config = session->config, .store = session->store, .hub = session->hub};
    GM_TRY(gm_services_start(&session->services, &options, err));
    const char *api_url_z =
        session->services.adt != NULL ? gm_adt_url_z(session->services.adt) : NULL;
    const struct gm_consumers_options consumers = {.config = session->config,
                                                   .hub = session->hub,
                                                   .folder_z = gm_store_folder_z(session->store),
                                                   .views = session->services.views,
                                                   .forwards = session->services.forwards,
                                                   .streams = session->services.streams};
    const struct gm_admin_options admin = {.engine = session->engine,
                                           .consumers = consumers,
                                           .api_url_z = api_url_z,
                                           .routes = session->services.routes,
                                           .views = session->services.views,
                                           .hub = session->hub,
                                           .commands = session->services.commands};
    /* its address may be taken */
    GM_TRY(gm_admin_start(&admin, &session->admin, err));
    return gm_engine_start(session->engine, err);
}

/* The engine stops first, so that requests which wait for a run end. */
static void stop_engine(struct session *session)
{
    if (session->engine != NULL) {
        gm_engine_stop(session->engine);
    }
    gm_admin_stop(session->admin);
    gm_services_stop(&session->services);
    gm_engine_close(session->engine);
    close_hub(session);
    session->admin = NULL;
    session->engine = NULL;
}

/* A configuration with errors leaves the old one in force; runs under way end first. */
static gm_rc reload(struct session *session, struct gm_err *err)
{
    struct gm_config *config = NULL;
    struct gm_err load_err = {0};
    if (gm_config_load(session->path_z, &config, &load_err) != GM_OK) {
        struct gm_buf text;
        gm_buf_init(&text, GM_CONF_SIZE_MAX);
        gm_conf_print_errors(gm_config_doc(config), &text);
        gm_log_error("reload.refused", GM_L_Z("error", load_err.text),
                     GM_L_STR("details", gm_buf_str(&text)));
        gm_buf_deinit(&text);
        gm_config_free(config);
        return GM_OK;
    }
    stop_engine(session);
    gm_config_free(session->config);
    session->config = config;
    set_log(config, session->progress);
    GM_TRY(start_engine(session, err));
    gm_log_info("reload.done", GM_L_Z("config", session->path_z));
    return GM_OK;
}

/* What ran at start is over: say how it went and what comes. */
static void report_first_round(struct session *session)
{
    if (session->reported || !gm_engine_idle(session->engine)) {
        return;
    }
    gm_progress_clear(session->progress);
    print_report(session);
    gm_mutex_lock(session->mu);
    session->reported = true;
    gm_mutex_unlock(session->mu);
    if (!session->args->json) {
        if (session->services.adt != NULL) {
            printf("Twin API at %s\n", gm_adt_url_z(session->services.adt));
        }
        puts("On schedule until Ctrl-C.");
        fflush(stdout);
    }
}

/* A store or a stream that failed is opened anew by the next process, which finds out what is
 * there. */
static gm_rc storage_failure(struct session *session, struct gm_err *err)
{
    GM_TRY(gm_store_failure(session->store, err));
    GM_TRY(gm_hub_failure(session->hub, err));
    gm_mutex_lock(session->mu);
    *err = session->storage_err;
    gm_mutex_unlock(session->mu);
    return err->rc;
}

static gm_rc run_on_schedule(struct session *session, struct gm_err *err)
{
    GM_TRY(start_engine(session, err));
    gm_rc rc = GM_OK;
    while (rc == GM_OK && gm_stop_wait(session->stop, GM_PROGRESS_PERIOD) == GM_OK) {
        gm_progress_show(session->progress, session->engine);
        rc = storage_failure(session, err);
        report_first_round(session);
        set_gauges(session);
        gm_adt_tend(session->services.adt);
        if (rc == GM_OK && gm_signals_take_reload()) {
            rc = reload(session, err);
        }
    }
    gm_progress_clear(session->progress);
    gm_log_info("stopping", GM_L_Z("data", gm_store_folder_z(session->store)));
    return rc;
}

/* ---- the command ---- */

static gm_rc run_session(struct session *session, size_t *out_failed, struct gm_err *err)
{
    set_log(session->config, session->progress);
    const char *given_z = gm_args_value(session->args, "data");
    const char *folder_z = given_z != NULL ? given_z : gm_config_root(session->config)->data;
    GM_TRY(gm_store_open(&(struct gm_store_options){.folder_z = folder_z}, &session->store, err));
    if (gm_args_has(session->args, "once")) {
        GM_TRY(open_hub(session, err));
        GM_TRY(open_engine(session, err));
        return run_once(session, out_failed, err);
    }
    return run_on_schedule(session, err);
}

static int run(struct gm_args *args)
{
    struct session session = {
        .args = args, .stop = gm_stop_new(), .progress = gm_progress_new(), .mu = gm_mutex_new()};
    struct gm_err err = {0};
    size_t failed = 0;
    const struct gm_config *config;
    gm_rc rc = gm_args_config(args, &config, &err);
    const char *only_z = gm_args_value(args, "pipeline");
    if (rc == GM_OK && only_z != NULL) {
        rc = gm_args_pipeline(args, only_z, &session.only, &err);
    }
    session.path_z = gm_args_config_path(args);
    session.config = args->config;
    args->config = NULL; /* the session's now: a reload replaces it */
    if (rc == GM_OK && !gm_args_has(args, "once") &&
        (gm_args_has(args, "resync") || only_z != NULL)) {
        rc = gm_fail(&err, GM_E_CONFIG, "--resync and --pipeline go with --once");
    }
    rc = rc == GM_OK ? gm_signals_start(session.stop, &err) : rc;
    if (rc == GM_OK) {
        rc = run_session(&session, &failed, &err);
    }
    stop_engine(&session);
    gm_store_close(session.store);
    gm_signals_stop(); /* closing still writes, to files and to peers */
    gm_config_free(session.config);
    gm_progress_free(session.progress);
    forget_lines(&session); /* of a round that a signal ended */
    gm_vec_deinit(&session.lines);
    gm_mutex_free(session.mu);
    gm_stop_free(session.stop);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    return failed > 0 ? GM_EXIT_FAILED : GM_EXIT_OK;
}

const struct gm_command gm_command_run = {
    .name_z = "run",
    .args_z = "[CONFIG]",
    .args_max = 1,
    .config_first = true,
    .summary_z = "Run the pipelines on their schedules until Ctrl-C, or once.",
    .help_z = "Takes the data directory for itself, loads new models, runs what never ran or is "
              "due, and serves the twin API and the admin API.\n"
              "SIGHUP loads the configuration anew; one with errors is refused and the old one "
              "stays in force.",
    .example_z = "gemel run demo/gemel.yaml --once",
    .options = run_options,
    .run = run,
};
