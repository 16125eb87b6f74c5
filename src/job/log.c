/* What an import says, as lines of JSON: to a file, or kept and published. */
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "job/inside.h"
#include "os/file.h"
#include "json/json.h"

enum { LINE_SIZE_MAX = 8 << 10, PENDING_SIZE_MAX = 64 << 20, WRITE_SIZE = 256 << 10 };

struct gm_job_log {
    const struct gm_jobs *jobs;
    const struct gm_job *job;
    struct gm_blob_place place;
    char *path_z; /* of the file that is appended to */
    struct gm_file *file;
    struct gm_buf pending;
    gm_ns published; /* when; monotonic */
};

static gm_rc open_file(struct gm_job_log *log, bool fresh, struct gm_err *err)
{
    const struct gm_jobs *jobs = log->jobs;
    if (log->place.path_z != NULL) {
        GM_TRY(gm_job_check_file(jobs, log->place.path_z, err));
        log->path_z = gm_strdup_z(log->place.path_z);
    } else {
        log->path_z = gm_job_file_z(jobs, log->job->num, "log");
        if (fresh) {
            GM_TRY(gm_file_remove(log->path_z, err));
            GM_TRY(gm_blob_begin(&jobs->options.blobs, &log->place, err));
        }
    }
    return gm_file_append(log->path_z, &log->file, err);
}

gm_rc gm_job_log_open(const struct gm_jobs *jobs, const struct gm_job *job, bool fresh,
                      struct gm_job_log **out_log, struct gm_err *err)
{
    struct gm_job_log *log = gm_alloc(sizeof(*log));
    log->jobs = jobs;
    log->job = job;
    log->published = jobs->clock->mono(jobs->clock);
    gm_buf_init(&log->pending, PENDING_SIZE_MAX);
    GM_AUTO_FREE char *url_z = gm_str_dup_z(job->output);
    gm_rc rc = gm_blob_locate(&jobs->options.blobs, url_z, &log->place, err);
    rc = rc == GM_OK ? open_file(log, fresh, err) : rc;
    if (rc != GM_OK) {
        gm_job_log_close(log);
        return gm_fail_within(err, "outputBlobUri");
    }
    *out_log = log;
    return GM_OK;
}

void gm_job_log_close(struct gm_job_log *log)
{
    if (log != NULL) {
        gm_file_close(log->file);
        gm_buf_deinit(&log->pending);
        gm_blob_place_deinit(&log->place);
        gm_free(log->path_z);
        gm_free(log);
    }
}

void gm_job_log_add(struct gm_job_log *log, const char *type_z, const char *fmt, ...)
{
    char time[GM_TIME_TEXT_SIZE], details[LINE_SIZE_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(details, sizeof(details), fmt, args);
    va_end(args);
    (void)gm_time_format(log->jobs->clock->wall(log->jobs->clock), time);
    gm_buf_addf(&log->pending, "{\"timestamp\":\"%s\",\"jobId\":", time);
    gm_json_quote(&log->pending, log->job->id);
    gm_buf_addf(&log->pending, ",\"jobType\":\"Import\",\"logType\":\"%s\",\"details\":%s}\n",
                type_z, details);
}

static gm_rc write_pending(struct gm_job_log *log, struct gm_err *err)
{
    if (gm_buf_failed(&log->pending)) {
        return gm_fail(err, GM_E_LIMIT, "the job's log has more than %d bytes at once",
                       PENDING_SIZE_MAX);
    }
    GM_TRY(gm_file_write(log->file, gm_buf_str(&log->pending), err));
    gm_buf_reset(&log->pending);
    return GM_OK;
}

gm_rc gm_job_log_flush(struct gm_job_log *log, bool all, struct gm_err *err)
{
    const struct gm_jobs *jobs = log->jobs;
    gm_ns now = jobs->clock->mono(jobs->clock);
    GM_TRY(write_pending(log, err));
    if (all) {
        GM_TRY(gm_file_sync(log->file, err));
    }
    bool appends = log->place.kind == GM_BLOB_AZURE;
    bool due = all || (appends && now - log->published >= GM_JOB_PUBLISH_PERIOD);
    if (log->place.path_z != NULL || !due) {
        return GM_OK;
    }
    GM_TRY(gm_blob_publish(&jobs->options.blobs, &log->place, log->path_z, err));
    log->published = now;
    return GM_OK;
}
