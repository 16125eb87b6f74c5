/* A deletion of everything: twins with their relationships, in transactions of bounded size, then
 * models. */
#include "base/mem.h"
#include "job/inside.h"
#include "job_sql.h"
#include "store/model_service.h"
#include "sync/state.h"

enum { BATCH_TWINS = 500 };

struct deletion {
    const struct gm_job_work *work;
    char *actor_z;
    bool emptied; /* out, of a transaction: no twin was left */
};

static gm_rc first_twins(struct gm_db *db, int64_t nums[BATCH_TWINS], size_t *out_count,
                         struct gm_err *err)
{
    struct gm_stmt *stmt;
    size_t count = 0;
    gm_rc rc;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_TWINS_FIRST, &stmt, err));
    gm_bind_i64(stmt, 1, BATCH_TWINS);
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        nums[count++] = gm_column_i64(stmt, 0);
    }
    *out_count = count;
    return rc == GM_E_END ? GM_OK : rc;
}

/* In the transaction that finds no twin: nothing waits for one either, and pipelines deliver
 * anew. */
static gm_rc end_deletion(const struct gm_store_tx *tx, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(tx->db, GM_SQL_WAITING_CLEAR, &stmt, err));
    GM_TRY(gm_stmt_run(stmt, NULL, err));
    return gm_states_unsettle(tx->db, err);
}

static gm_rc delete_batch(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct deletion *deletion = ctx;
    const struct gm_clock *clock = deletion->work->jobs->clock;
    int64_t nums[BATCH_TWINS];
    size_t count;
    GM_TRY(first_twins(tx->db, nums, &count, err));
    deletion->emptied = count == 0;
    if (count == 0) {
        return end_deletion(tx, err);
    }
    struct gm_cause cause = {.actor = gm_str_z(deletion->actor_z), .now = clock->wall(clock)};
    GM_TRY(gm_graph_begin(tx->graph, &cause, err));
    for (size_t i = 0; i < count; i++) {
        GM_TRY(gm_graph_delete_twin(tx->graph, nums[i], 0, err));
    }
    return gm_graph_end(tx->graph, err);
}

static gm_rc delete_twins(struct deletion *deletion, const struct gm_deadline *deadline,
                          struct gm_err *err)
{
    while (!deletion->emptied) {
        if (gm_stop_requested(deletion->work->stop)) {
            return gm_fail(err, GM_E_CANCELLED, "stopped");
        }
        if (gm_deadline_passed(deadline)) {
            return gm_fail(err, GM_E_LIMIT, "the job's time has passed; what is left stays");
        }
        GM_TRY(gm_store_write(deletion->work->jobs->options.store, delete_batch, deletion, err));
    }
    return GM_OK;
}

gm_rc gm_job_delete_all(const struct gm_job_work *work, struct gm_err *err)
{
    const struct gm_clock *clock = work->jobs->clock;
    GM_AUTO_FREE char *actor_z = gm_format_z("job " GM_STR_FMT, GM_STR_ARG(work->job->id));
    struct deletion deletion = {.work = work, .actor_z = actor_z};
    gm_ns left = work->job->created + work->job->timeout - clock->wall(clock);
    const struct gm_deadline deadline = gm_deadline_in(left > 0 ? left : 1, work->stop);
    GM_TRY(delete_twins(&deletion, &deadline, err));
    return gm_store_delete_models(work->jobs->options.store, err);
}
