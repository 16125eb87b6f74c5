/* The jobs' life: asking for them, the thread that does them, how they end. */
#include "base/log.h"
#include "base/mem.h"
#include "job/inside.h"
#include "os/file.h"

enum { JOB_ARENA_SIZE = 1 << 20 };

/* How often outdated jobs are looked for, and how long the thread waits after a failure of the
 * store. */
#define IDLE_TIME GM_HOUR
#define FAILURE_TIME (5 * GM_SECOND)
/* How long who removes a job waits for its cancellation to be done. */
#define CANCELLING_TIME (10 * GM_SECOND)

char *gm_job_file_z(const struct gm_jobs *jobs, int64_t num, const char *suffix_z)
{
    return gm_format_z("%s/%lld.%s", jobs->folder_z, (long long)num, suffix_z);
}

gm_rc gm_job_check_file(const struct gm_jobs *jobs, const char *path_z, struct gm_err *err)
{
    const char *folder_z = jobs->options.files_z;
    if (folder_z == NULL) {
        return GM_OK;
    }
    struct gm_str path = gm_str_z(path_z), folder = gm_str_z(folder_z);
    while (folder.n > 1 && folder.p[folder.n - 1] == '/') {
        folder.n--;
    }
    bool below = gm_str_starts(path, folder) && path.n > folder.n && path.p[folder.n] == '/' &&
                 strstr(path_z, "/../") == NULL && !gm_str_ends(path, GM_STR("/.."));
    return below ? GM_OK
                 : gm_fail(err, GM_E_INVALID,
                           "%s is not below %s, where files of jobs must be (api.jobs.files)",
                           path_z, folder_z);
}

/* ---- asking ---- */

static bool id_is_good(struct gm_str id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && strchr("-_.", c) == NULL) {
            return false;
        }
    }
    return id.n > 0 && id.n <= GM_JOB_ID_SIZE_MAX;
}

static gm_rc check_url(const struct gm_jobs *jobs, const char *name_z, struct gm_str url,
                       struct gm_err *err)
{
    if (url.n == 0 || url.n > GM_JOB_URI_SIZE_MAX) {
        return gm_fail(err, GM_E_INVALID, "%s is missing, or longer than %d bytes", name_z,
                       GM_JOB_URI_SIZE_MAX);
    }
    GM_AUTO_FREE char *url_z = gm_str_dup_z(url);
    struct gm_blob_place place;
    gm_rc rc = gm_blob_locate(&jobs->options.blobs, url_z, &place, err);
    if (rc == GM_OK) {
        rc = place.path_z != NULL ? gm_job_check_file(jobs, place.path_z, err) : GM_OK;
        gm_blob_place_deinit(&place);
    }
    return rc == GM_OK ? rc : gm_fail_within(err, "%s", name_z);
}

static gm_rc check_request(const struct gm_jobs *jobs, const struct gm_job_request *request,
                           struct gm_err *err)
{
    if (!id_is_good(request->name.id)) {
        return gm_fail(err, GM_E_INVALID,
                       "a job's id is 1 to %d of the characters A-Z a-z 0-9 - _ .",
                       GM_JOB_ID_SIZE_MAX);
    }
    if (request->name.kind == GM_JOB_IMPORT) {
        GM_TRY(check_url(jobs, "inputBlobUri", request->input, err));
        return check_url(jobs, "outputBlobUri", request->output, err);
    }
    if (request->timeout < GM_JOB_TIMEOUT_MIN || request->timeout > GM_JOB_TIMEOUT_MAX) {
        return gm_fail(err, GM_E_INVALID, "timeoutInMinutes is from 15 to 1440");
    }
    return GM_OK;
}

/* What a call wants of the store. */
struct ask {
    struct gm_jobs *jobs;
    const struct gm_job_request *request;
    const struct gm_job_name *name;
    struct gm_job_answer *answer;
    int64_t num;     /* out: of the job concerned */
    bool cancelling; /* out: it ends by itself */
};

static void wake(struct gm_jobs *jobs)
{
    gm_mutex_lock(jobs->mu);
    jobs->asked = true;
    gm_cond_broadcast(jobs->news);
    gm_mutex_unlock(jobs->mu);
}

static gm_rc add(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct ask *ask = ctx;
    int64_t open;
    bool inserted = false;
    GM_TRY(gm_job_count_open(tx->db, &open, err));
    if (open >= GM_JOBS_OPEN_MAX) {
        ask->answer->outcome = GM_JOB_TOO_MANY;
        return GM_OK;
    }
    const struct gm_clock *clock = ask->jobs->clock;
    GM_TRY(gm_job_insert(tx->db, ask->request, clock->wall(clock), &inserted, err));
    ask->answer->outcome = inserted ? GM_JOB_DONE : GM_JOB_EXISTS;
    return GM_OK;
}

gm_rc gm_jobs_add(struct gm_jobs *jobs, const struct gm_job_request *request,
                  struct gm_job_answer *out_answer, struct gm_err *err)
{
    struct gm_job_request checked = *request;
    struct gm_job_answer answer = {0};
    if (checked.name.kind == GM_JOB_DELETION && checked.timeout == 0) {
        checked.timeout = GM_JOB_TIMEOUT;
    }
    if (check_request(jobs, &checked, &answer.why) != GM_OK) {
        answer.outcome = GM_JOB_INVALID;
        *out_answer = answer;
        return GM_OK;
    }
    struct ask ask = {.jobs = jobs, .request = &checked, .answer = &answer};
    GM_TRY(gm_store_write(jobs->options.store, add, &ask, err));
    if (answer.outcome == GM_JOB_DONE) {
        wake(jobs);
    }
    *out_answer = answer;
    return GM_OK;
}

/* The job of a name, in a write transaction; MISSING when there is none. */
static gm_rc find(struct ask *ask, struct gm_db *db, struct gm_job *out_job, bool *out_found,
                  struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(JOB_ARENA_SIZE);
    gm_rc rc = gm_job_get(db, ask->name, arena, out_job, err);
    gm_arena_free(arena); /* numbers are all that is looked at */
    *out_found = rc == GM_OK;
    if (rc == GM_E_END) {
        ask->answer->outcome = GM_JOB_MISSING;
        return GM_OK;
    }
    ask->num = rc == GM_OK ? out_job->num : 0;
    return rc;
}

static gm_rc cancel(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct ask *ask = ctx;
    struct gm_job job;
    bool found;
    GM_TRY(find(ask, tx->db, &job, &found, err));
    if (!found) {
        return GM_OK;
    }
    if (job.finished > 0) {
        ask->answer->outcome = GM_JOB_FINISHED;
        return GM_OK;
    }
    ask->answer->outcome = GM_JOB_DONE;
    gm_ns now = ask->jobs->clock->wall(ask->jobs->clock);
    if (job.status != GM_JOB_NOT_STARTED) {
        return gm_job_set_status(tx->db, job.num, GM_JOB_CANCELLING, now, err);
    }
    struct gm_job ended = {.num = job.num, .status = GM_JOB_CANCELLED, .finished = now};
    return gm_job_finish(tx->db, &ended, err);
}

gm_rc gm_jobs_cancel(struct gm_jobs *jobs, const struct gm_job_name *name,
                     struct gm_job_answer *out_answer, struct gm_err *err)
{
    *out_answer = (struct gm_job_answer){0};
    struct ask ask = {.jobs = jobs, .name = name, .answer = out_answer};
    GM_TRY(gm_store_write(jobs->options.store, cancel, &ask, err));
    gm_mutex_lock(jobs->mu);
    if (out_answer->outcome == GM_JOB_DONE && jobs->current == ask.num) {
        gm_stop_request(jobs->stop);
    }
    gm_mutex_unlock(jobs->mu);
    return GM_OK;
}

static gm_rc forget(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct ask *ask = ctx;
    struct gm_job job;
    bool found;
    GM_TRY(find(ask, tx->db, &job, &found, err));
    if (!found) {
        return GM_OK;
    }
    bool busy = job.finished == 0 && job.status != GM_JOB_NOT_STARTED;
    ask->answer->outcome = busy ? GM_JOB_BUSY : GM_JOB_DONE;
    ask->cancelling = busy && job.status == GM_JOB_CANCELLING;
    return busy ? GM_OK : gm_job_remove(tx->db, job.num, err);
}

/* Files that a finished job left; what cannot be removed only takes room. */
static void remove_files(const struct gm_jobs *jobs, int64_t num)
{
    static const char *const suffixes[] = {"input", "input.part", "log"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(suffixes); i++) {
        GM_AUTO_FREE char *path_z = gm_job_file_z(jobs, num, suffixes[i]);
        struct gm_err err;
        if (gm_file_remove(path_z, &err) != GM_OK) {
            gm_log_warn("job.file", GM_L_Z("error", err.text));
        }
    }
}

static void wait_for_end(struct gm_jobs *jobs, int64_t num)
{
    const struct gm_deadline deadline = gm_deadline_in(CANCELLING_TIME, NULL);
    gm_mutex_lock(jobs->mu);
    while (jobs->current == num && !jobs->closed && !gm_deadline_passed(&deadline)) {
        (void)gm_cond_wait_for(jobs->news, jobs->mu, gm_deadline_left(&deadline));
    }
    gm_mutex_unlock(jobs->mu);
}

gm_rc gm_jobs_remove(struct gm_jobs *jobs, const struct gm_job_name *name,
                     struct gm_job_answer *out_answer, struct gm_err *err)
{
    *out_answer = (struct gm_job_answer){0};
    struct ask ask = {.jobs = jobs, .name = name, .answer = out_answer};
    GM_TRY(gm_store_write(jobs->options.store, forget, &ask, err));
    if (ask.cancelling) {
        wait_for_end(jobs, ask.num);
        GM_TRY(gm_store_write(jobs->options.store, forget, &ask, err));
    }
    if (out_answer->outcome == GM_JOB_DONE) {
        remove_files(jobs, ask.num);
    }
    return GM_OK;
}

/* ---- one job ---- */

gm_rc gm_job_persist(const struct gm_job_work *work, gm_rc (*fn)(void *ctx, struct gm_err *err),
                     void *ctx, struct gm_err *err)
{
    gm_ns pause = GM_SECOND;
    for (int attempt = 1;; attempt++) {
        gm_rc rc = fn(ctx, err);
        if (rc != GM_E_RETRY || attempt == GM_JOB_FETCH_ATTEMPTS) {
            return rc;
        }
        gm_log_warn("job.retry", GM_L_STR("job", work->job->id), GM_L_Z("error", err->text));
        if (gm_stop_wait(work->stop, pause) != GM_OK) {
            return gm_fail(err, GM_E_CANCELLED, "stopped");
        }
        pause *= 4;
    }
}

/* A change of the job's row, as the thread makes it. */
struct change {
    const struct gm_jobs *jobs;
    struct gm_job job;
    bool begin;     /* else it is finished */
    bool cancelled; /* out, of begin: it was told to end meanwhile */
};

static gm_rc write_change(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct change *change = ctx;
    const struct gm_clock *clock = change->jobs->clock;
    if (!change->begin) {
        return gm_job_finish(tx->db, &change->job, err);
    }
    struct gm_arena *arena = gm_arena_new(JOB_ARENA_SIZE);
    struct gm_job now;
    const struct gm_job_name name = {change->job.kind, change->job.id};
    gm_rc rc = gm_job_get(tx->db, &name, arena, &now, err);
    change->cancelled =
        rc == GM_E_END || (rc == GM_OK && (now.status == GM_JOB_CANCELLING || now.finished > 0));
    if (rc == GM_OK && now.status == GM_JOB_NOT_STARTED) {
        rc = gm_job_set_status(tx->db, now.num, GM_JOB_RUNNING, clock->wall(clock), err);
    }
    gm_arena_free(arena);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc finish(const struct gm_jobs *jobs, const struct gm_job *job, gm_rc outcome,
                    const struct gm_err *why, struct gm_err *err)
{
    struct change change = {.jobs = jobs, .job = *job};
    change.job.finished = jobs->clock->wall(jobs->clock);
    change.job.error_code = (struct gm_str){NULL, 0};
    change.job.error = (struct gm_str){NULL, 0};
    change.job.status = outcome == GM_OK            ? GM_JOB_SUCCEEDED
                        : outcome == GM_E_CANCELLED ? GM_JOB_CANCELLED
                                                    : GM_JOB_FAILED;
    if (change.job.status == GM_JOB_FAILED) {
        change.job.error_code = outcome == GM_E_INVALID ? GM_STR("ValidationFailed")
                                : outcome == GM_E_LIMIT ? GM_STR("TimeoutError")
                                                        : GM_STR("JobFailed");
        change.job.error = gm_str_z(why->text);
    }
    GM_TRY(gm_store_write(jobs->options.store, write_change, &change, err));
    gm_log_info("job.finished", GM_L_Z("kind", gm_job_kind_name(job->kind)),
                GM_L_STR("job", job->id), GM_L_Z("status", gm_job_status_name(change.job.status)),
                GM_L_Z("error", change.job.status == GM_JOB_FAILED ? why->text : ""));
    GM_AUTO_FREE char *input_z = gm_job_file_z(jobs, job->num, "input");
    return gm_file_remove(input_z, err);
}

static gm_rc work_on(struct gm_jobs *jobs, const struct gm_job *job, struct gm_arena *arena,
                     struct gm_err *err)
{
    struct change change = {.jobs = jobs, .job = *job, .begin = true};
    GM_TRY(gm_store_write(jobs->options.store, write_change, &change, err));
    struct gm_job_work work = {.jobs = jobs, .job = job, .stop = jobs->stop, .arena = arena};
    struct gm_err why = {0};
    gm_rc rc = change.cancelled             ? GM_E_CANCELLED
               : job->kind == GM_JOB_IMPORT ? gm_job_import(&work, &why)
                                            : gm_job_delete_all(&work, &why);
    if (rc == GM_E_CANCELLED && gm_stop_requested(jobs->closing)) {
        return GM_OK; /* the next process goes on */
    }
    return finish(jobs, job, rc, &why, err);
}

static gm_rc do_job(struct gm_jobs *jobs, const struct gm_job *job, struct gm_arena *arena,
                    struct gm_err *err)
{
    gm_mutex_lock(jobs->mu);
    jobs->current = job->num;
    jobs->stop = gm_stop_new();
    if (jobs->closed) {
        gm_stop_request(jobs->stop);
    }
    gm_mutex_unlock(jobs->mu);
    gm_log_info("job.begun", GM_L_Z("kind", gm_job_kind_name(job->kind)), GM_L_STR("job", job->id));
    gm_rc rc = work_on(jobs, job, arena, err);
    gm_mutex_lock(jobs->mu);
    jobs->current = 0;
    gm_stop_free(jobs->stop);
    jobs->stop = NULL;
    gm_cond_broadcast(jobs->news);
    gm_mutex_unlock(jobs->mu);
    return rc;
}

/* ---- the thread ---- */

static gm_rc remove_row(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    return gm_job_remove(tx->db, *(const int64_t *)ctx, err);
}

static gm_rc remove_outdated(struct gm_jobs *jobs, struct gm_err *err)
{
    struct gm_job_nums nums;
    gm_ns before = jobs->clock->wall(jobs->clock) - gm_jobs_keep(jobs);
    GM_TRY(gm_jobs_outdated(jobs->reader, before, &nums, err));
    for (size_t i = 0; i < nums.n; i++) {
        GM_TRY(gm_store_write(jobs->options.store, remove_row, &nums.at[i], err));
        remove_files(jobs, nums.at[i]);
    }
    return GM_OK;
}

/* *out_idle: there was nothing to do. */
static gm_rc do_next(struct gm_jobs *jobs, bool *out_idle, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(JOB_ARENA_SIZE);
    struct gm_job job;
    gm_rc rc = gm_job_next(jobs->reader, arena, &job, err);
    *out_idle = rc == GM_E_END;
    if (rc == GM_OK) {
        rc = do_job(jobs, &job, arena, err);
    } else if (rc == GM_E_END) {
        rc = remove_outdated(jobs, err);
    }
    gm_arena_free(arena);
    return rc;
}

/* Waits for news, at most `span`. False: it is time to end. */
static bool wait_for_news(struct gm_jobs *jobs, gm_ns span)
{
    gm_mutex_lock(jobs->mu);
    bool in_time = true;
    while (in_time && !jobs->asked && !jobs->closed) {
        in_time = gm_cond_wait_for(jobs->news, jobs->mu, span);
    }
    jobs->asked = false;
    bool go_on = !jobs->closed;
    gm_mutex_unlock(jobs->mu);
    return go_on;
}

static void run_thread(void *arg)
{
    struct gm_jobs *jobs = arg;
    gm_ns span = 0;
    while (wait_for_news(jobs, span)) {
        bool idle;
        struct gm_err err = {0};
        gm_rc rc = do_next(jobs, &idle, &err);
        if (rc != GM_OK) {
            gm_log_error("job.store", GM_L_Z("error", err.text));
        }
        span = rc != GM_OK ? FAILURE_TIME : idle ? IDLE_TIME : 0;
    }
}

/* ---- life ---- */

gm_ns gm_jobs_keep(const struct gm_jobs *jobs)
{
    return jobs->options.keep > 0 ? jobs->options.keep : GM_JOB_KEEP;
}

static gm_rc start(struct gm_jobs *jobs, struct gm_err *err)
{
    GM_TRY(gm_folder_make(jobs->folder_z, err));
    GM_TRY(gm_store_reader(jobs->options.store, &jobs->reader, err));
    return gm_thread_start("gemel-jobs", run_thread, jobs, &jobs->thread, err);
}

gm_rc gm_jobs_open(const struct gm_jobs_options *options, struct gm_jobs **out_jobs,
                   struct gm_err *err)
{
    struct gm_jobs *jobs = gm_alloc(sizeof(*jobs));
    jobs->options = *options;
    jobs->clock = gm_store_clock(options->store);
    jobs->options.blobs.clock = jobs->clock;
    jobs->folder_z = gm_format_z("%s/jobs", gm_store_folder_z(options->store));
    jobs->closing = gm_stop_new();
    jobs->mu = gm_mutex_new();
    jobs->news = gm_cond_new();
    gm_rc rc = start(jobs, err);
    if (rc != GM_OK) {
        gm_jobs_close(jobs);
        return rc;
    }
    *out_jobs = jobs;
    return GM_OK;
}

void gm_jobs_close(struct gm_jobs *jobs)
{
    if (jobs == NULL) {
        return;
    }
    gm_stop_request(jobs->closing);
    gm_mutex_lock(jobs->mu);
    jobs->closed = true;
    if (jobs->stop != NULL) {
        gm_stop_request(jobs->stop);
    }
    gm_cond_broadcast(jobs->news);
    gm_mutex_unlock(jobs->mu);
    gm_thread_join(jobs->thread);
    gm_db_close(jobs->reader);
    gm_stop_free(jobs->closing);
    gm_cond_free(jobs->news);
    gm_mutex_free(jobs->mu);
    gm_free(jobs->folder_z);
    gm_free(jobs);
}
