/* The sweep of a run: finding what was not seen, deciding, deleting. */
#include "engine/run_internal.h"

#include "base/mem.h"
#include "base/metrics.h"

/* A page of deletions, or of marks, on its way to the writer. */
struct page_job {
    struct run_work *work;
    const struct gm_sweep_task *task;
    struct gm_sweep_page *page;
};

static gm_rc mark_page(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct page_job *job = ctx;
    struct gm_sweep_task task = *job->task;
    task.db = tx->db;
    return gm_sweep_mark(&task, job->page, err);
}

/* Marks what was not seen. */
static gm_rc mark_missing(struct run_work *work, const struct gm_sweep_task *task,
                          struct gm_err *err)
{
    struct page_job job = {.work = work, .task = task, .page = gm_sweep_page_new()};
    gm_rc rc;
    while ((rc = gm_sweep_find_missing(work->db, work->row.num, work->seen, job.page, err)) ==
           GM_OK) {
        work->run->counts.missing += (int64_t)job.page->count;
        rc = gm_store_write(work->options->store, mark_page, &job, err);
        if (rc != GM_OK) {
            break;
        }
    }
    gm_sweep_page_free(job.page);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc delete_page(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct page_job *job = ctx;
    struct run_work *work = job->work;
    struct gm_sweep_task task = *job->task;
    struct gm_sink_target targets[GM_SWEEP_PAGE];
    task.db = tx->db;
    for (size_t i = 0; i < job->page->count; i++) {
        targets[i] = (struct gm_sink_target){
            job->page->items[i].target, job->page->items[i].target_id, job->page->items[i].key};
    }
    struct gm_sink_work sink_work = {
        .db = tx->db, .pipeline = work->row.num, .run = work->run->num, .now = task.now};
    GM_TRY(work->pipeline->sink->remove(work->sink, &sink_work, targets, job->page->count, err));
    int64_t live = work->row.live_count;
    GM_TRY(gm_sweep_forget(&task, job->page, &live, err));
    struct gm_pipeline_row row = work->row;
    row.live_count = live;
    GM_TRY(gm_pipeline_update(tx->db, &row, err));
    work->row.live_count = live;
    return GM_OK;
}

gm_rc gm_run_delete_page(const struct gm_run_removal *removal, int64_t *out_count,
                         struct gm_err *err)
{
    struct run_work *work = removal->work;
    struct page_job job = {.work = work, .task = removal->task, .page = removal->page};
    *out_count = 0;
    if (work->pipeline->sink->outside != NULL) {
        return gm_run_remove_page(removal, out_count, err);
    }
    GM_TRY(gm_store_write(work->options->store, delete_page, &job, err));
    *out_count = (int64_t)job.page->count;
    return gm_run_deliver(work, NULL, removal->stop, err);
}

gm_rc gm_run_delete_due(struct run_work *work, const struct gm_sweep_task *task, struct gm_err *err)
{
    struct gm_sweep_page *page = gm_sweep_page_new();
    struct gm_run_handle *handle = work->options->handle;
    struct gm_stop *stop = gm_run_watch(handle);
    gm_rc rc;
    while ((rc = gm_sweep_find_due(task, page, err)) == GM_OK) {
        int64_t count;
        rc = gm_run_delete_page(&(struct gm_run_removal){work, task, page, stop}, &count, err);
        work->run->counts.deleted += count;
        atomic_store(&handle->written, work->run->counts.created + work->run->counts.updated +
                                           work->run->counts.deleted);
        if (rc != GM_OK) {
            break;
        }
    }
    gm_run_unwatch(handle, stop);
    gm_sweep_page_free(page);
    return rc == GM_E_END ? GM_OK : rc;
}

/* Why misses of this run say nothing about deletions; NULL: they do. The text lives in the report's
 * arena. */
static const char *find_distrust(struct run_work *work)
{
    struct gm_arena *arena = work->report->arena;
    if (work->unkeyed > 0) {
        return gm_arena_format(arena,
                               "%lld records of the source could not be read, so their keys are "
                               "not known; look at "
                               "`gemel dead-letters list`",
                               (long long)work->unkeyed)
            .p;
    }
    if (work->run->counts.read == 0) {
        return "the source has no records at all";
    }
    if (work->row.source_fingerprint.p != NULL &&
        !gm_str_is(work->row.source_fingerprint, work->pipeline->source_fingerprint_z)) {
        return "the source's settings or the filters were changed since the last complete run";
    }
    return NULL;
}

static const char *type_name_z(void *ctx, int64_t type)
{
    struct run_work *work = ctx;
    const struct gm_model *model = gm_models_by_num(work->models, type);
    return model != NULL ? gm_arena_format(work->report->arena, GM_STR_FMT, GM_STR_ARG(model->id)).p
                         : NULL;
}

/* What a plan would delete, in a transaction that is undone. */
static gm_rc plan_sweep(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct page_job *job = ctx;
    struct run_work *work = job->work;
    struct gm_sweep_task task = *job->task;
    struct gm_sweep_decision decision;
    /* It has no number in the store; marks need one that no run has, also not as "never missed"
     * (0). */
    struct gm_run run = *work->run;
    run.num = INT64_MAX;
    task.run = &run;
    task.db = tx->db;
    gm_rc rc;
    while ((rc = gm_sweep_find_missing(tx->db, work->row.num, work->seen, job->page, err)) ==
           GM_OK) {
        work->run->counts.missing += (int64_t)job->page->count;
        GM_TRY(gm_sweep_mark(&task, job->page, err));
    }
    if (rc != GM_E_END) {
        return rc;
    }
    GM_TRY(gm_sweep_decide(&task, &decision, err));
    work->run->sweep = decision.sweep;
    work->run->sweep_count = decision.count;
    /* a plan cannot be approved */
    char *advice = strstr(decision.reason, ", then `gemel runs approve");
    if (advice != NULL) {
        *advice = '\0';
    }
    work->run->sweep_reason = gm_arena_dup(work->report->arena, gm_str_z(decision.reason));
    struct gm_sweep_page *page = gm_sweep_page_new();
    while (decision.sweep == GM_SWEEP_DONE && (rc = gm_sweep_find_due(&task, page, err)) == GM_OK) {
        work->run->counts.deleted += (int64_t)page->count;
        for (size_t i = 0; i < page->count; i++) {
            gm_run_add_sample(work, &work->report->deleted, page->items[i].key,
                              page->items[i].target_id);
        }
    }
    gm_sweep_page_free(page);
    return rc == GM_OK || rc == GM_E_END ? RUN_UNDO : rc;
}

static gm_rc plan_deletions(struct run_work *work, const struct gm_sweep_task *task,
                            struct gm_err *err)
{
    struct page_job job = {.work = work, .task = task, .page = gm_sweep_page_new()};
    gm_rc rc = gm_store_write(work->options->store, plan_sweep, &job, err);
    gm_sweep_page_free(job.page);
    return rc == RUN_UNDO ? GM_OK : rc;
}

gm_rc gm_run_sweep(struct run_work *work, struct gm_err *err)
{
    const struct gm_missing_conf *conf = &work->conf->missing;
    const struct gm_clock *clock = gm_store_clock(work->options->store);
    struct gm_sweep_policy policy = {.enabled = conf->delete,
                                     .delete_after_runs = conf->delete_after_runs,
                                     .max_share = conf->max_share,
                                     .min_age = conf->min_age};
    bool all_seen = gm_seen_count(work->seen) >= work->row.live_count;
    bool known = work->row.num != INT64_MAX;
    if (!policy.enabled || all_seen || !known) {
        return GM_OK;
    }
    atomic_store(&work->options->handle->sweeping, true);
    struct gm_sweep_task task = {.db = work->db,
                                 .run = work->run,
                                 .policy = &policy,
                                 .now = clock->wall(clock),
                                 .untrusted_z = find_distrust(work),
                                 .type_name_z = type_name_z,
                                 .type_ctx = work};
    work->run->trusted = task.untrusted_z == NULL;
    if (work->options->plan) {
        return plan_deletions(work, &task, err);
    }
    GM_TRY(mark_missing(work, &task, err));
    struct gm_sweep_decision decision;
    GM_TRY(gm_sweep_decide(&task, &decision, err));
    work->run->sweep = decision.sweep;
    work->run->sweep_count = decision.count;
    work->run->sweep_reason = gm_arena_dup(work->report->arena, gm_str_z(decision.reason));
    if (decision.sweep == GM_SWEEP_BLOCKED) {
        gm_metric_add(GM_M_SWEEPS_BLOCKED, work->row.name, 1);
    }
    if (decision.sweep != GM_SWEEP_DONE) {
        return GM_OK;
    }
    gm_rc rc = gm_run_delete_due(work, &task, err);
    if (work->kept_count > 0) {
        work->run->sweep_reason = gm_arena_format(
            work->report->arena,
            "%lld could not be deleted, and will be tried again; the first: " GM_STR_FMT,
            (long long)work->kept_count, GM_STR_ARG(work->kept_error));
    }
    return rc;
}
