/* Scheduling and supervision: who runs when. */
#include "engine/engine.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "engine/notify.h"
#include "os/thread.h"

/* Less is an adjustment of the clock, not a step. */
#define CLOCK_STEP_MIN GM_SECOND

enum task_state { TASK_IDLE, TASK_WAITING, TASK_RUNNING, TASK_HELD };

/* One pipeline. All fields but the handle are guarded by engine->mu. */
struct task {
    const struct gm_pipeline *pipeline;
    struct gm_run_handle *handle;
    enum task_state state;
    const char *cause_z;
    gm_ns next; /* wall clock; INT64_MAX: not scheduled */
    int64_t skipped;
};

struct gm_engine {
    struct gm_engine_options options;
    const struct gm_config_root *root;
    struct task *tasks;
    size_t task_count;
    struct gm_mutex *mu;
    struct gm_cond *changed; /* a task's state, or stopping */
    bool stopping;           /* guarded by mu */
    bool scheduling;         /* set before the runners start */
    gm_ns clock_ahead;       /* guarded by mu; the wall clock less the monotonic one, last seen */
    struct gm_stop *stop;    /* for pauses outside mu */
    struct gm_thread *scheduler;
    struct gm_thread **runners;
    size_t runner_count;
    size_t failed; /* guarded by mu: runs that did not succeed since the last run_once */
};

static gm_ns wall_now(const struct gm_engine *engine)
{
    const struct gm_clock *clock = gm_store_clock(engine->options.store);
    return clock->wall(clock);
}

static gm_ns clock_ahead(const struct gm_engine *engine)
{
    const struct gm_clock *clock = gm_store_clock(engine->options.store);
    return clock->wall(clock) - clock->mono(clock);
}

static struct task *task_of(struct gm_engine *engine, const struct gm_pipeline *pipeline)
{
    for (size_t i = 0; i < engine->task_count; i++) {
        if (engine->tasks[i].pipeline == pipeline) {
            return &engine->tasks[i];
        }
    }
    GM_ASSERT(false && "a pipeline of another configuration");
    return NULL;
}

/* Its runs end by being stopped, and by nothing else that is as it should be. */
static bool is_endless(const struct gm_pipeline *pipeline)
{
    return pipeline->schedule.type == GM_SCHEDULE_CONTINUOUS;
}

static bool was_only_stopped(const struct gm_pipeline *pipeline, const struct gm_run *run)
{
    return run->status == GM_RUN_STOPPED && is_endless(pipeline);
}

static bool is_continuous(const struct task *task)
{
    return is_endless(task->pipeline);
}

/* How many runs may be under way: those that never end take nobody's place. */
static size_t runners_max(const struct gm_engine *engine)
{
    size_t count = (size_t)engine->root->concurrency;
    for (size_t i = 0; i < engine->task_count; i++) {
        count += is_continuous(&engine->tasks[i]) ? 1 : 0;
    }
    return count;
}

/* ---- one run ---- */

static void count_run(const struct gm_pipeline *pipeline, const struct gm_run *run)
{
    const struct gm_run_counts *counts = &run->counts;
    const struct {
        enum gm_metric metric;
        int64_t value;
    } sums[] = {
        {GM_M_RECORDS_READ, counts->read},
        {GM_M_RECORDS_UNCHANGED, counts->unchanged},
        {GM_M_RECORDS_CREATED, counts->created},
        {GM_M_RECORDS_UPDATED, counts->updated},
        {GM_M_RECORDS_DELETED, counts->deleted},
        {GM_M_RECORDS_PARKED, counts->parked},
        {run->status == GM_RUN_SUCCEEDED ? GM_M_RUNS_SUCCEEDED : GM_M_RUNS_FAILED,
         was_only_stopped(pipeline, run) ? 0 : 1},
    };
    struct gm_str label = gm_str_z(pipeline->name_z);
    for (size_t i = 0; i < GM_ARRAY_COUNT(sums); i++) {
        gm_metric_add(sums[i].metric, label, (double)sums[i].value);
    }
    gm_metric_set(GM_M_RUN_LAST_SECONDS, label,
                  (double)(run->finished - run->started) / (double)GM_SECOND);
    if (run->status == GM_RUN_SUCCEEDED) {
        gm_ns whole_seconds = run->finished / GM_SECOND;
        gm_metric_set(GM_M_RUN_LAST_SUCCESS_TIME, label, (double)whole_seconds);
    }
}

static void log_run(const struct gm_pipeline *pipeline, const struct gm_run *run)
{
    struct gm_buf counts;
    gm_buf_init(&counts, 1024);
    gm_run_counts_write(&run->counts, &counts);
    if (run->status == GM_RUN_SUCCEEDED) {
        gm_log_info("run.done", GM_L_Z("pipeline", pipeline->name_z), GM_L_Z("run", run->id),
                    GM_L_INT("num", run->num), GM_L_STR("counts", gm_buf_str(&counts)),
                    GM_L_INT("ms", (run->finished - run->started) / GM_MS));
    } else if (was_only_stopped(pipeline, run)) {
        gm_log_info("run.stopped", GM_L_Z("pipeline", pipeline->name_z), GM_L_Z("run", run->id),
                    GM_L_INT("num", run->num), GM_L_STR("counts", gm_buf_str(&counts)));
    } else {
        gm_log_error("run.failed", GM_L_Z("pipeline", pipeline->name_z), GM_L_Z("run", run->id),
                     GM_L_INT("num", run->num), GM_L_Z("status", gm_run_status_name(run->status)),
                     GM_L_STR("code", run->error_code), GM_L_STR("error", run->error),
                     GM_L_STR("counts", gm_buf_str(&counts)));
    }
    if (run->sweep == GM_SWEEP_BLOCKED) {
        gm_log_warn("sweep.blocked", GM_L_Z("pipeline", pipeline->name_z), GM_L_Z("run", run->id),
                    GM_L_INT("num", run->num), GM_L_INT("objects", run->sweep_count),
                    GM_L_STR("reason", run->sweep_reason));
    }
    gm_buf_deinit(&counts);
}

static void run_task(struct gm_engine *engine, struct task *task, const char *cause_z)
{
    const struct gm_pipeline *pipeline = task->pipeline;
    struct gm_str label = gm_str_z(pipeline->name_z);
    struct gm_run_report report;
    struct gm_err err = {0};
    gm_metric_add(GM_M_RUNS_STARTED, label, 1);
    gm_metric_set(GM_M_RUN_RUNNING, label, 1);
    gm_log_info("run.start", GM_L_Z("pipeline", pipeline->name_z), GM_L_Z("cause", cause_z));
    gm_rc rc = gm_pipeline_run(
        &(struct gm_run_options){.store = engine->options.store,
                                 .pipeline = pipeline,
                                 .folder_z = gm_config_folder_z(engine->options.config),
                                 .models_z = engine->root->models,
                                 .handle = task->handle,
                                 .cause_z = cause_z,
                                 .keep_runs = engine->root->keep_runs,
                                 .waits = engine->scheduling && is_continuous(task),
                                 .resync = engine->options.resync},
        &report, &err);
    gm_metric_set(GM_M_RUN_RUNNING, label, 0);
    count_run(pipeline, &report.run);
    log_run(pipeline, &report.run);
    if (engine->options.on_run != NULL) {
        engine->options.on_run(engine->options.ctx, pipeline, &report);
    }
    gm_notify_run(&engine->root->notify, &report.run, engine->stop);
    gm_run_report_free(&report);
    gm_mutex_lock(engine->mu);
    engine->failed += rc != GM_OK;
    gm_mutex_unlock(engine->mu);
}

/* ---- runners ---- */

/* NULL: the engine stops. Under mu. */
static struct task *next_waiting(struct gm_engine *engine)
{
    while (!engine->stopping) {
        for (size_t i = 0; i < engine->task_count; i++) {
            if (engine->tasks[i].state == TASK_WAITING) {
                return &engine->tasks[i];
            }
        }
        gm_cond_wait(engine->changed, engine->mu);
    }
    return NULL;
}

static void run_tasks(void *arg)
{
    struct gm_engine *engine = arg;
    struct task *task;
    gm_mutex_lock(engine->mu);
    while ((task = next_waiting(engine)) != NULL) {
        const char *cause_z = task->cause_z;
        task->state = TASK_RUNNING;
        gm_mutex_unlock(engine->mu);
        run_task(engine, task, cause_z);
        gm_mutex_lock(engine->mu);
        task->state = TASK_IDLE;
        gm_cond_broadcast(engine->changed);
    }
    gm_mutex_unlock(engine->mu);
}

static gm_rc start_runners(struct gm_engine *engine, struct gm_err *err)
{
    while (engine->runner_count < runners_max(engine)) {
        GM_TRY(gm_thread_start("gemel-run", run_tasks, engine,
                               &engine->runners[engine->runner_count], err));
        engine->runner_count++;
    }
    return GM_OK;
}

/* ---- the scheduler ---- */

/* Under mu. */
static void schedule_due(struct gm_engine *engine, gm_ns now)
{
    for (size_t i = 0; i < engine->task_count; i++) {
        struct task *task = &engine->tasks[i];
        if (task->next > now) {
            continue;
        }
        if (is_continuous(task) && task->state != TASK_IDLE) {
            /* as it should be */
        } else if (task->state == TASK_IDLE) {
            task->state = TASK_WAITING;
            task->cause_z = "schedule";
            gm_cond_broadcast(engine->changed);
        } else {
            task->skipped++;
            gm_metric_add(GM_M_RUNS_SKIPPED, gm_str_z(task->pipeline->name_z), 1);
        }
        task->next = gm_schedule_next(&task->pipeline->schedule, now, now);
    }
}

/* Somebody set the wall clock: what runs after a span goes on counting, and what runs at a time of
 * day is looked for anew where the clock went back. Times that it passed over are due. Under mu. */
static void follow_clock(struct gm_engine *engine)
{
    gm_ns ahead = clock_ahead(engine), step = ahead - engine->clock_ahead;
    engine->clock_ahead = ahead;
    if (step > -CLOCK_STEP_MIN && step < CLOCK_STEP_MIN) {
        return; /* it is adjusted slowly */
    }
    gm_ns now = wall_now(engine);
    for (size_t i = 0; i < engine->task_count; i++) {
        struct task *task = &engine->tasks[i];
        const struct gm_schedule *schedule = &task->pipeline->schedule;
        if (task->next == INT64_MAX) {
            continue;
        }
        if (schedule->type != GM_SCHEDULE_CRON) {
            task->next += step;
        } else if (step < 0) {
            task->next = gm_schedule_next(schedule, now, now);
        }
    }
    gm_log_info("clock.set", GM_L_INT("seconds", step / GM_SECOND));
}

static void keep_schedule(void *arg)
{
    struct gm_engine *engine = arg;
    gm_mutex_lock(engine->mu);
    while (!engine->stopping) {
        follow_clock(engine);
        gm_ns now = wall_now(engine);
        schedule_due(engine, now);
        gm_ns next = INT64_MAX;
        for (size_t i = 0; i < engine->task_count; i++) {
            next = engine->tasks[i].next < next ? engine->tasks[i].next : next;
        }
        /* The wall clock may be set meanwhile: look again every minute at the latest. */
        gm_ns span = next == INT64_MAX || next - now > GM_MINUTE ? GM_MINUTE : next - now;
        (void)gm_cond_wait_for(engine->changed, engine->mu, span);
    }
    gm_mutex_unlock(engine->mu);
}

/* When the newest run of a pipeline began. */
static gm_rc take_start(void *ctx, const struct gm_run *run, struct gm_err *err)
{
    (void)err;
    *(gm_ns *)ctx = run->started;
    return GM_OK;
}

static gm_rc find_last_start(struct gm_db *db, const char *name_z, gm_ns *out_start,
                             struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(1 << 20);
    struct gm_pipeline_row row = {.name = gm_str_z(name_z)};
    *out_start = 0;
    gm_rc rc = gm_pipeline_find(db, arena, &row, err);
    if (rc == GM_OK) {
        rc = gm_runs_list(db, &(struct gm_run_query){.pipeline = row.num, .limit = 1}, take_start,
                          out_start, err);
    }
    gm_arena_free(arena);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc set_first_times(struct gm_engine *engine, struct gm_err *err)
{
    struct gm_db *db;
    gm_ns now = wall_now(engine);
    engine->clock_ahead = clock_ahead(engine);
    GM_TRY(gm_store_reader(engine->options.store, &db, err));
    gm_rc rc = GM_OK;
    for (size_t i = 0; rc == GM_OK && i < engine->task_count; i++) {
        struct task *task = &engine->tasks[i];
        gm_ns last = 0;
        if (!task->pipeline->conf->enabled) {
            continue;
        }
        rc = find_last_start(db, task->pipeline->name_z, &last, err);
        bool at_start = last == 0 || task->pipeline->schedule.type == GM_SCHEDULE_NONE;
        task->next = at_start ? now : gm_schedule_next(&task->pipeline->schedule, last, now);
    }
    gm_db_close(db);
    return rc;
}

/* ---- the interface ---- */

gm_rc gm_engine_open(const struct gm_engine_options *options, struct gm_engine **out_engine,
                     struct gm_err *err)
{
    struct gm_engine *engine = gm_alloc(sizeof(*engine));
    engine->options = *options;
    engine->root = gm_config_root(options->config);
    engine->mu = gm_mutex_new();
    engine->changed = gm_cond_new();
    engine->stop = gm_stop_new();
    engine->task_count = gm_config_pipeline_count(options->config);
    engine->tasks = gm_alloc_array(engine->task_count, sizeof(*engine->tasks));
    for (size_t i = 0; i < engine->task_count; i++) {
        engine->tasks[i].pipeline = gm_config_pipeline(options->config, i);
        engine->tasks[i].handle = gm_run_handle_new();
        engine->tasks[i].next = INT64_MAX;
    }
    engine->runners = gm_alloc_array(runners_max(engine), sizeof(*engine->runners));
    gm_rc rc = GM_OK;
    if (engine->root->models != NULL) {
        size_t added;
        rc = gm_store_add_models(options->store, engine->root->models, &added, err);
        if (rc == GM_OK && added > 0) {
            gm_log_info("models.added", GM_L_INT("count", added),
                        GM_L_Z("from", engine->root->models));
        }
    }
    if (rc != GM_OK) {
        gm_engine_close(engine);
        return rc;
    }
    *out_engine = engine;
    return GM_OK;
}

gm_rc gm_engine_start(struct gm_engine *engine, struct gm_err *err)
{
    GM_TRY(set_first_times(engine, err));
    engine->scheduling = true;
    GM_TRY(start_runners(engine, err));
    return gm_thread_start("gemel-schedule", keep_schedule, engine, &engine->scheduler, err);
}

gm_rc gm_engine_run_once(struct gm_engine *engine, const struct gm_pipeline *pipeline,
                         size_t *out_failed, struct gm_err *err)
{
    GM_TRY(start_runners(engine, err));
    gm_mutex_lock(engine->mu);
    engine->failed = 0;
    for (size_t i = 0; i < engine->task_count; i++) {
        struct task *task = &engine->tasks[i];
        bool wanted = pipeline != NULL ? task->pipeline == pipeline : task->pipeline->conf->enabled;
        if (wanted && task->state == TASK_IDLE) {
            task->state = TASK_WAITING;
            task->cause_z = "once";
        }
    }
    gm_cond_broadcast(engine->changed);
    gm_mutex_unlock(engine->mu);
    gm_mutex_lock(engine->mu);
    bool busy = true;
    while (busy && !engine->stopping) {
        busy = false;
        for (size_t i = 0; i < engine->task_count; i++) {
            busy = busy || engine->tasks[i].state != TASK_IDLE;
        }
        if (busy) {
            gm_cond_wait(engine->changed, engine->mu);
        }
    }
    *out_failed = engine->failed;
    bool stopped = engine->stopping;
    gm_mutex_unlock(engine->mu);
    return stopped ? gm_fail(err, GM_E_CANCELLED, "stopped") : GM_OK;
}

void gm_engine_stop(struct gm_engine *engine)
{
    gm_mutex_lock(engine->mu);
    engine->stopping = true;
    gm_cond_broadcast(engine->changed);
    gm_mutex_unlock(engine->mu);
    gm_stop_request(engine->stop);
    for (size_t i = 0; i < engine->task_count; i++) {
        gm_run_handle_stop(engine->tasks[i].handle);
    }
    gm_thread_join(engine->scheduler);
    engine->scheduler = NULL;
    for (size_t i = 0; i < engine->runner_count; i++) {
        gm_thread_join(engine->runners[i]);
    }
    engine->runner_count = 0;
}

void gm_engine_close(struct gm_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    gm_engine_stop(engine);
    for (size_t i = 0; i < engine->task_count; i++) {
        gm_run_handle_free(engine->tasks[i].handle);
    }
    gm_cond_free(engine->changed);
    gm_mutex_free(engine->mu);
    gm_stop_free(engine->stop);
    gm_free(engine->tasks);
    gm_free(engine->runners);
    gm_free(engine);
}

gm_rc gm_engine_trigger(struct gm_engine *engine, const struct gm_pipeline *pipeline,
                        struct gm_err *err)
{
    gm_rc rc = GM_OK;
    gm_mutex_lock(engine->mu);
    struct task *task = task_of(engine, pipeline);
    if (engine->stopping) {
        rc = gm_fail(err, GM_E_CANCELLED, "the engine is stopping");
    } else if (task->state == TASK_IDLE) {
        task->state = TASK_WAITING;
        task->cause_z = "manual";
        gm_cond_broadcast(engine->changed);
    } else {
        rc = gm_fail(err, GM_E_CONFLICT, "pipeline %s is under way already", pipeline->name_z);
    }
    gm_mutex_unlock(engine->mu);
    return rc;
}

gm_rc gm_engine_exclusive_begin(struct gm_engine *engine, const struct gm_pipeline *pipeline,
                                struct gm_err *err)
{
    gm_mutex_lock(engine->mu);
    struct task *task = task_of(engine, pipeline);
    gm_run_handle_yield(task->handle); /* one that never ends would not let go */
    while (!engine->stopping && task->state != TASK_IDLE) {
        gm_cond_wait(engine->changed, engine->mu);
    }
    gm_run_handle_resume(task->handle);
    bool stopping = engine->stopping;
    if (!stopping) {
        task->state = TASK_HELD;
    }
    gm_mutex_unlock(engine->mu);
    return stopping ? gm_fail(err, GM_E_CANCELLED, "the engine is stopping") : GM_OK;
}

void gm_engine_exclusive_end(struct gm_engine *engine, const struct gm_pipeline *pipeline)
{
    gm_mutex_lock(engine->mu);
    task_of(engine, pipeline)->state = TASK_IDLE;
    gm_cond_broadcast(engine->changed);
    gm_mutex_unlock(engine->mu);
}

void gm_engine_status(struct gm_engine *engine, const struct gm_pipeline *pipeline,
                      struct gm_engine_pipeline_status *out_status)
{
    gm_mutex_lock(engine->mu);
    struct task *task = task_of(engine, pipeline);
    *out_status = (struct gm_engine_pipeline_status){
        .running = task->state == TASK_RUNNING,
        .waiting = task->state == TASK_WAITING,
        .next = task->next == INT64_MAX ? 0 : task->next,
        .skipped = task->skipped,
    };
    gm_mutex_unlock(engine->mu);
    gm_run_handle_progress(task->handle, &out_status->progress);
}

bool gm_engine_idle(struct gm_engine *engine)
{
    bool idle = true;
    gm_mutex_lock(engine->mu);
    for (size_t i = 0; i < engine->task_count; i++) {
        const struct task *task = &engine->tasks[i];
        idle = idle && (task->state == TASK_IDLE || is_continuous(task));
    }
    gm_mutex_unlock(engine->mu);
    return idle;
}

const struct gm_config *gm_engine_config(const struct gm_engine *engine)
{
    return engine->options.config;
}

struct gm_store *gm_engine_store(const struct gm_engine *engine)
{
    return engine->options.store;
}
