/* Doing: what the POST routes answer. */
#include "api/call.h"
#include "base/mem.h"
#include "base/num.h"
#include "engine/operations.h"
#include "os/thread.h"

/* ---- one operation at its pipeline ---- */

static gm_rc find_pipeline(const struct gm_call *call, struct gm_str name,
                           const struct gm_pipeline **out_pipeline, struct gm_err *err)
{
    const char *nearest_z = NULL;
    GM_AUTO_FREE char *name_z = gm_str_dup_z(name);
    *out_pipeline = gm_config_find(gm_engine_config(call->engine), name_z, &nearest_z);
    if (*out_pipeline != NULL) {
        return GM_OK;
    }
    if (nearest_z != NULL) {
        return gm_fail(err, GM_E_END, "no pipeline `%s`; did you mean `%s`?", name_z, nearest_z);
    }
    return gm_fail(err, GM_E_END, "no pipeline `%s`", name_z);
}

static gm_rc enter(struct gm_desk *desk, struct gm_err *err)
{
    gm_mutex_lock(desk->mu);
    bool full = desk->count == GM_OPERATIONS_MAX;
    desk->count += !full;
    gm_mutex_unlock(desk->mu);
    return full ? gm_fail(err, GM_E_RETRY, "%d operations are under way already; try again later",
                          GM_OPERATIONS_MAX)
                : GM_OK;
}

static void leave(struct gm_desk *desk)
{
    gm_mutex_lock(desk->mu);
    desk->count--;
    gm_mutex_unlock(desk->mu);
}

typedef gm_rc (*operation_fn)(struct gm_call *call, const struct gm_operation *operation, void *ctx,
                              struct gm_err *err);

/* Calls `fn` while no run of the pipeline is under way. */
static gm_rc operate(struct gm_call *call, struct gm_str name, operation_fn fn, void *ctx,
                     struct gm_err *err)
{
    struct gm_operation operation = {.store = gm_engine_store(call->engine),
                                     .config = gm_engine_config(call->engine)};
    GM_TRY(find_pipeline(call, name, &operation.pipeline, err));
    GM_TRY(enter(call->desk, err));
    gm_rc rc = gm_engine_exclusive_begin(call->engine, operation.pipeline, err);
    if (rc == GM_OK) {
        rc = fn(call, &operation, ctx, err);
        gm_engine_exclusive_end(call->engine, operation.pipeline);
    }
    leave(call->desk);
    return rc;
}

/* ---- runs ---- */

gm_rc gm_admin_run(struct gm_call *call, struct gm_err *err)
{
    const struct gm_pipeline *pipeline;
    GM_TRY(find_pipeline(call, call->part, &pipeline, err));
    GM_TRY(gm_engine_trigger(call->engine, pipeline, err));
    call->reply->status = 202;
    gm_buf_add_z(&call->reply->body, "{\"accepted\":true}");
    return GM_OK;
}

static gm_rc take_pipeline_name(void *ctx, const struct gm_run *run, struct gm_err *err)
{
    (void)err;
    struct gm_call *call = ctx;
    call->part = gm_arena_dup(call->arena, run->pipeline_name);
    return GM_OK;
}

static gm_rc approve(struct gm_call *call, const struct gm_operation *operation, void *ctx,
                     struct gm_err *err)
{
    int64_t deleted;
    GM_TRY(gm_approve_run(operation, *(const int64_t *)ctx, &deleted, err));
    gm_buf_addf(&call->reply->body, "{\"deleted\":%lld}", (long long)deleted);
    return GM_OK;
}

gm_rc gm_admin_approve(struct gm_call *call, struct gm_err *err)
{
    struct gm_db *db;
    int64_t num;
    if (!gm_parse_i64(call->part, &num)) {
        return gm_fail(err, GM_E_END, "`" GM_STR_FMT "` is no run number", GM_STR_ARG(call->part));
    }
    GM_TRY(gm_store_reader(gm_engine_store(call->engine), &db, err));
    gm_rc rc = gm_run_get(db, num, take_pipeline_name, call, err);
    gm_db_close(db);
    if (rc == GM_E_END) {
        return gm_fail(err, GM_E_END, "there is no run %lld", (long long)num);
    }
    GM_TRY(rc);
    return operate(call, call->part, approve, &num, err);
}

/* ---- letters ---- */

static gm_rc take_choice(const struct gm_call *call, struct gm_letter_choice *out_choice,
                         struct gm_err *err)
{
    yyjson_mut_val *num = gm_json_member(call->body, GM_STR("num")),
                   *key = gm_json_member(call->body, GM_STR("key"));
    *out_choice = (struct gm_letter_choice){.key = gm_json_str(key)};
    if (num != NULL && key != NULL) {
        return gm_fail(err, GM_E_INVALID, "give `num` or `key`, not both");
    }
    if (key != NULL && out_choice->key.p == NULL) {
        return gm_fail(err, GM_E_INVALID, "`key` is no string");
    }
    if (num != NULL && (!yyjson_mut_is_int(num) || yyjson_mut_get_sint(num) < 1)) {
        return gm_fail(err, GM_E_INVALID, "`num` is no letter's number");
    }
    out_choice->num = yyjson_mut_get_sint(num);
    return GM_OK;
}

static gm_rc redrive(struct gm_call *call, const struct gm_operation *operation, void *ctx,
                     struct gm_err *err)
{
    struct gm_redrive_counts counts;
    GM_TRY(gm_redrive(operation, ctx, &counts, err));
    gm_buf_addf(&call->reply->body, "{\"applied\":%lld,\"failed\":%lld,\"held\":%lld}",
                (long long)counts.applied, (long long)counts.failed, (long long)counts.held);
    return GM_OK;
}

gm_rc gm_admin_redrive(struct gm_call *call, struct gm_err *err)
{
    struct gm_letter_choice choice;
    GM_TRY(take_choice(call, &choice, err));
    return operate(call, call->part, redrive, &choice, err);
}

static gm_rc drop(struct gm_call *call, const struct gm_operation *operation, void *ctx,
                  struct gm_err *err)
{
    int64_t count;
    GM_TRY(gm_drop_letters(operation, ctx, &count, err));
    gm_buf_addf(&call->reply->body, "{\"dropped\":%lld}", (long long)count);
    return GM_OK;
}

gm_rc gm_admin_drop_letters(struct gm_call *call, struct gm_err *err)
{
    struct gm_letter_choice choice;
    GM_TRY(take_choice(call, &choice, err));
    return operate(call, call->part, drop, &choice, err);
}

/* ---- plans ---- */

/* The admin API's end stops the plan: its handle lies on the desk meanwhile. */
static size_t lay_down(struct gm_desk *desk, struct gm_run_handle *handle)
{
    size_t at = 0;
    gm_mutex_lock(desk->mu);
    while (desk->handles[at] != NULL) { /* a place is free: there are as many as operations */
        at++;
    }
    desk->handles[at] = handle;
    if (gm_stop_requested(desk->stop)) {
        gm_run_handle_stop(handle);
    }
    gm_mutex_unlock(desk->mu);
    return at;
}

static void take_up(struct gm_desk *desk, size_t at)
{
    gm_mutex_lock(desk->mu);
    desk->handles[at] = NULL;
    gm_mutex_unlock(desk->mu);
}

static gm_rc plan(struct gm_call *call, const struct gm_operation *operation, void *ctx,
                  struct gm_err *err)
{
    struct gm_run_handle *handle = gm_run_handle_new();
    size_t at = lay_down(call->desk, handle);
    gm_rc rc = gm_plan_write_json(
        &(struct gm_plan){.operation = *operation, .handle = handle, .resync = *(const bool *)ctx},
        &call->reply->body, err);
    take_up(call->desk, at);
    gm_run_handle_free(handle);
    return rc;
}

gm_rc gm_admin_plan(struct gm_call *call, struct gm_err *err)
{
    yyjson_mut_val *resync = gm_json_member(call->body, GM_STR("resync"));
    bool all = yyjson_mut_is_true(resync);
    if (resync != NULL && !yyjson_mut_is_bool(resync)) {
        return gm_fail(err, GM_E_INVALID, "`resync` is neither true nor false");
    }
    return operate(call, call->part, plan, &all, err);
}

/* ---- verification ---- */

static gm_rc verify(struct gm_call *call, const struct gm_operation *operation, void *ctx,
                    struct gm_err *err)
{
    (void)ctx;
    struct gm_verify_report report;
    GM_TRY(gm_verify(operation, call->desk->stop, &report, err));
    gm_verify_write_json(operation->pipeline, &report, &call->reply->body);
    gm_verify_report_free(&report);
    return GM_OK;
}

static gm_rc check(struct gm_call *call, const struct gm_operation *operation, void *ctx,
                   struct gm_err *err)
{
    struct gm_artifact_check result;
    GM_TRY(gm_verify_check_artifact(operation, *(const struct gm_str *)ctx, &result, err));
    gm_verify_check_write_json(&result, &call->reply->body);
    return GM_OK;
}

gm_rc gm_admin_verify(struct gm_call *call, struct gm_err *err)
{
    const yyjson_mut_val *given = gm_json_member(call->body, GM_STR("check"));
    struct gm_str artifact = gm_json_str(given);
    if (given != NULL && artifact.p == NULL) {
        return gm_fail(err, GM_E_INVALID, "`check` is not the text of an artifact");
    }
    return given != NULL ? operate(call, call->part, check, &artifact, err)
                         : operate(call, call->part, verify, NULL, err);
}
