/* Import and deletion jobs: operations 25-32. */
#include "job/job.h"

#include <stdio.h>

#include "api/adt/call.h"
#include "base/num.h"
#include "os/process.h"

enum { PAGE_COUNT = 100, GUID_SIZE = 37 };

/* ---- shapes ---- */

static bool set_text(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *name_z,
                     struct gm_str text)
{
    yyjson_mut_val *value = text.p != NULL ? gm_json_strcpy(doc, text) : yyjson_mut_null(doc);
    return gm_json_set(doc, object, gm_str_z(name_z), value);
}

/* Null when it has not come. */
static bool set_time(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *name_z, gm_ns time)
{
    char text[GM_TIME_TEXT_SIZE];
    struct gm_str value = {text, gm_time_format(time, text)};
    return set_text(doc, object, name_z, time > 0 ? value : (struct gm_str){NULL, 0});
}

static bool set_error(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct gm_job *job)
{
    yyjson_mut_val *error = yyjson_mut_null(doc);
    bool ok = true;
    if (job->error_code.p != NULL) {
        error = yyjson_mut_obj(doc);
        ok = set_text(doc, error, "code", job->error_code) &&
             set_text(doc, error, "message", job->error);
    }
    return ok && gm_json_set(doc, object, GM_STR("error"), error);
}

/* NULL: the arena is full. */
static yyjson_mut_val *job_json(const struct gm_adt_call *call, const struct gm_job *job)
{
    yyjson_mut_doc *doc = call->doc;
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    bool import = job->kind == GM_JOB_IMPORT;
    bool ok = object != NULL && set_text(doc, object, "id", job->id);
    if (import) {
        ok = ok && set_text(doc, object, "inputBlobUri", job->input) &&
             set_text(doc, object, "outputBlobUri", job->output);
    }
    ok = ok && set_text(doc, object, "status", gm_str_z(gm_job_status_name(job->status))) &&
         set_time(doc, object, "createdDateTime", job->created);
    if (import) {
        ok = ok && set_time(doc, object, "lastActionDateTime", job->acted);
    }
    ok = ok && set_time(doc, object, "finishedDateTime", job->finished) &&
         set_time(doc, object, "purgeDateTime",
                  gm_job_purge_time(job, gm_jobs_keep(call->adt->jobs))) &&
         set_error(doc, object, job);
    return ok ? object : NULL;
}

/* ---- looking ---- */

/* What a call is about; ->next_text: see answer_list. */
struct inquiry {
    struct gm_job_name name;
    struct gm_job_request request;
    gm_rc (*act)(struct gm_jobs *jobs, const struct gm_job_name *name,
                 struct gm_job_answer *out_answer, struct gm_err *err);
    int status; /* of the answer */
    bool bare;  /* the answer has no body */
    struct gm_adt_page page;
    yyjson_mut_val *items;
    int64_t last; /* number of the last item */
    bool more;
};

static struct inquiry *new_inquiry(struct gm_adt_call *call, enum gm_job_kind kind)
{
    struct inquiry *inquiry = gm_arena_zalloc(call->arena, sizeof(*inquiry));
    GM_ASSERT(inquiry != NULL); /* the arena is all but empty yet */
    inquiry->name = (struct gm_job_name){kind, call->parts[0]};
    inquiry->status = 200;
    call->data = inquiry;
    return inquiry;
}

static void refuse_missing(struct gm_adt_call *call)
{
    const struct inquiry *inquiry = call->data;
    gm_adt_refuse(call, 404, "JobNotFound", "There is no %s job with the ID " GM_STR_FMT ".",
                  gm_job_kind_name(inquiry->name.kind), GM_STR_ARG(inquiry->name.id));
}

/* The job as it is now. */
static void answer_job(struct gm_adt_call *call)
{
    const struct inquiry *inquiry = call->data;
    struct gm_err err = {0};
    struct gm_job job;
    struct gm_adt_reader *reader = gm_adt_reader_take(call);
    if (reader == NULL) {
        return;
    }
    gm_rc rc = gm_job_get(reader->db, &inquiry->name, call->arena, &job, &err);
    gm_adt_reader_give(call->adt, reader);
    yyjson_mut_val *value = rc == GM_OK ? job_json(call, &job) : NULL;
    if (rc == GM_E_END) {
        refuse_missing(call);
    } else if (rc != GM_OK || value == NULL) {
        gm_adt_fail(call, rc, &err);
    } else {
        gm_adt_answer_json(call, inquiry->status, value);
    }
}

void gm_adt_import_get(struct gm_adt_call *call)
{
    (void)new_inquiry(call, GM_JOB_IMPORT);
    answer_job(call);
}

void gm_adt_deletion_get(struct gm_adt_call *call)
{
    (void)new_inquiry(call, GM_JOB_DELETION);
    answer_job(call);
}

static gm_rc add_item(void *ctx, const struct gm_job *job, struct gm_err *err)
{
    struct gm_adt_call *call = ctx;
    struct inquiry *inquiry = call->data;
    inquiry->more = yyjson_mut_arr_size(inquiry->items) == inquiry->page.count_max;
    if (inquiry->more) {
        return GM_OK;
    }
    yyjson_mut_val *value = job_json(call, job);
    inquiry->last = job->num;
    return value != NULL && yyjson_mut_arr_append(inquiry->items, value)
               ? GM_OK
               : gm_fail(err, GM_E_LIMIT, "the page is too large; ask for fewer items a page");
}

static void answer_list(struct gm_adt_call *call)
{
    struct inquiry *inquiry = call->data;
    struct gm_err err = {0};
    char next[GM_NUM_TEXT_SIZE];
    struct gm_job_query query = {.kind = inquiry->name.kind,
                                 .limit = (int64_t)inquiry->page.count_max + 1};
    if (inquiry->page.after.p != NULL && !gm_parse_i64(inquiry->page.after, &query.after)) {
        gm_adt_refuse(call, 400, "InvalidArgument",
                      "The continuation token is invalid: it is one of another listing.");
        return;
    }
    struct gm_adt_reader *reader = gm_adt_reader_take(call);
    if (reader == NULL) {
        return;
    }
    gm_rc rc = gm_jobs_list(reader->db, &query, add_item, call, &err);
    gm_adt_reader_give(call->adt, reader);
    if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
        return;
    }
    struct gm_str token = {next, gm_format_i64(inquiry->last, next)};
    gm_adt_answer_page(call, inquiry->items, inquiry->more ? token : (struct gm_str){NULL, 0});
}

static void list(struct gm_adt_call *call, enum gm_job_kind kind)
{
    struct inquiry *inquiry = new_inquiry(call, kind);
    inquiry->items = yyjson_mut_arr(call->doc);
    GM_ASSERT(inquiry->items != NULL);
    if (gm_adt_page(call, PAGE_COUNT, PAGE_COUNT, &inquiry->page)) {
        answer_list(call);
    }
}

void gm_adt_imports_list(struct gm_adt_call *call)
{
    list(call, GM_JOB_IMPORT);
}

void gm_adt_deletions_list(struct gm_adt_call *call)
{
    list(call, GM_JOB_DELETION);
}

/* ---- doing; on workers, since it waits for the store ---- */

/* Ends the call unless the outcome is DONE. */
static bool refuse_outcome(struct gm_adt_call *call, const struct gm_job_answer *answer)
{
    const struct inquiry *inquiry = call->data;
    struct gm_str id = inquiry->name.id;
    switch (answer->outcome) {
    case GM_JOB_DONE:
        return false;
    case GM_JOB_EXISTS:
        gm_adt_refuse(call, 409, "JobAlreadyExists",
                      "A job with the ID " GM_STR_FMT
                      " exists already. Please specify a different job id.",
                      GM_STR_ARG(id));
        break;
    case GM_JOB_TOO_MANY:
        gm_adt_refuse(call, 400, "JobLimitReached",
                      "%d jobs wait or are under way: no more can be created until one has ended.",
                      GM_JOBS_OPEN_MAX);
        break;
    case GM_JOB_INVALID:
        gm_adt_refuse(call, 400, "ValidationFailed", "Invalid job specified: %s.",
                      answer->why.text);
        break;
    case GM_JOB_MISSING:
        refuse_missing(call);
        break;
    case GM_JOB_FINISHED:
        gm_adt_refuse(call, 400, "JobAlreadyFinished",
                      "The job " GM_STR_FMT " has ended and cannot be cancelled.", GM_STR_ARG(id));
        break;
    case GM_JOB_BUSY:
        gm_adt_refuse(call, 400, "JobNotFinished",
                      "The job " GM_STR_FMT
                      " is under way. Cancel it, and delete it when it has ended.",
                      GM_STR_ARG(id));
        break;
    }
    return true;
}

static void add_job(struct gm_adt_call *call)
{
    struct inquiry *inquiry = call->data;
    struct gm_job_answer answer;
    struct gm_err err = {0};
    inquiry->request.name = inquiry->name;
    gm_rc rc = gm_jobs_add(call->adt->jobs, &inquiry->request, &answer, &err);
    if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
    } else if (!refuse_outcome(call, &answer)) {
        answer_job(call);
    }
}

static void act(struct gm_adt_call *call)
{
    const struct inquiry *inquiry = call->data;
    struct gm_job_answer answer;
    struct gm_err err = {0};
    gm_rc rc = inquiry->act(call->adt->jobs, &inquiry->name, &answer, &err);
    if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
    } else if (!refuse_outcome(call, &answer)) {
        if (inquiry->bare) {
            gm_adt_answer(call, inquiry->status);
        } else {
            answer_job(call);
        }
    }
}

void gm_adt_import_put(struct gm_adt_call *call)
{
    yyjson_mut_val *body = gm_adt_body(call);
    if (body == NULL) {
        return;
    }
    struct inquiry *inquiry = new_inquiry(call, GM_JOB_IMPORT);
    inquiry->status = 201;
    inquiry->request.input = gm_json_member_str(body, "inputBlobUri");
    inquiry->request.output = gm_json_member_str(body, "outputBlobUri");
    gm_adt_work(call, add_job);
}

void gm_adt_import_cancel(struct gm_adt_call *call)
{
    new_inquiry(call, GM_JOB_IMPORT)->act = gm_jobs_cancel;
    gm_adt_work(call, act);
}

void gm_adt_import_delete(struct gm_adt_call *call)
{
    struct inquiry *inquiry = new_inquiry(call, GM_JOB_IMPORT);
    inquiry->act = gm_jobs_remove;
    inquiry->status = 204;
    inquiry->bare = true;
    gm_adt_work(call, act);
}

/* ---- deletions ---- */

/* Random, version 4 (RFC 9562). */
static struct gm_str make_guid(struct gm_arena *arena)
{
    unsigned char b[16];
    gm_random_bytes(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    return gm_arena_format(
        arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
        b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* Minutes; 0: not given. False: the call is ended. */
static bool take_timeout(struct gm_adt_call *call, gm_ns *out_timeout)
{
    struct gm_str text = gm_adt_param(call, "timeoutInMinutes");
    int64_t minutes = 0;
    if (text.n > 0 && (!gm_parse_i64(text, &minutes) || minutes < GM_JOB_TIMEOUT_MIN / GM_MINUTE ||
                       minutes > GM_JOB_TIMEOUT_MAX / GM_MINUTE)) {
        gm_adt_refuse(call, 400, "InvalidArgument",
                      "timeoutInMinutes is a number from 15 to 1440.");
        return false;
    }
    *out_timeout = minutes * GM_MINUTE;
    return true;
}

void gm_adt_deletion_post(struct gm_adt_call *call)
{
    struct inquiry *inquiry = new_inquiry(call, GM_JOB_DELETION);
    const char *id_z = gm_adt_header_z(call, "operation-id");
    if (!take_timeout(call, &inquiry->request.timeout)) {
        return;
    }
    inquiry->name.id = id_z != NULL && id_z[0] != '\0' ? gm_arena_dup(call->arena, gm_str_z(id_z))
                                                       : make_guid(call->arena);
    inquiry->status = 202;
    struct gm_buf location;
    gm_buf_init(&location, GM_HTTP_HEADERS_SIZE_MAX * (size_t)2);
    gm_adt_write_origin(call, &location);
    gm_buf_addf(&location, "/jobs/deletions/" GM_STR_FMT "?api-version=" GM_STR_FMT,
                GM_STR_ARG(inquiry->name.id), GM_STR_ARG(gm_adt_param(call, "api-version")));
    gm_adt_reply_header(call, "Operation-Location", gm_buf_str(&location));
    gm_buf_deinit(&location);
    gm_adt_work(call, add_job);
}
