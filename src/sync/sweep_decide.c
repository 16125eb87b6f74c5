/* Whether what is missing may be deleted, and the words that say why not. */
#include <stdio.h>

#include "sync/rows.h"
#include "sync/sweep_internal.h"
#include "sync_sql.h"

const char *gm_sweep_distrust_z(const struct gm_sweep_task *task)
{
    if (task->untrusted_z != NULL) {
        return task->untrusted_z;
    }
    return task->run->counts.read == 0 ? "the source has no records at all" : NULL;
}

/* Approval of a run that was not trusted takes all that it missed: its misses were never
 * counted. */
struct gm_sweep_bounds gm_sweep_bounds(const struct gm_sweep_task *task)
{
    if (gm_sweep_distrust_z(task) != NULL) {
        return (struct gm_sweep_bounds){0, INT64_MAX};
    }
    const struct gm_sweep_policy *policy = task->policy;
    return (struct gm_sweep_bounds){policy->delete_after_runs, task->now - policy->min_age};
}

/* ---- counting ---- */

struct missing {
    int64_t all, due;
    int64_t runs_max; /* of those not due: the most runs that one was missed in */
    gm_ns since_min;  /* likewise: the first time that one was missed */
};

static gm_rc count_missing(const struct gm_sweep_task *task, const struct gm_sweep_bounds *bounds,
                           struct missing *out_missing, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(task->db, GM_SQL_SWEEP_COUNT, &stmt, err));
    gm_bind_i64(stmt, 1, task->run->pipeline);
    gm_bind_i64(stmt, 2, task->run->num);
    gm_bind_i64(stmt, 3, bounds->runs_min);
    gm_bind_i64(stmt, 4, bounds->since_max);
    GM_TRY(gm_step(stmt, err));
    *out_missing = (struct missing){
        .all = gm_column_i64(stmt, 0),
        .due = gm_column_i64(stmt, 1),
        .runs_max = gm_column_i64(stmt, 2),
        .since_min = gm_column_i64(stmt, 3),
    };
    gm_reset(stmt);
    return GM_OK;
}

/* The type most of which would go, of those above the limit. */
struct excess {
    int64_t type, due, live;
};

static bool is_above(int64_t due, int64_t live, double max_share)
{
    /* One object may always go; the factor keeps 29 of 100 within 29 % for doubles as well. */
    return due > 1 && (double)due > max_share * (double)live * (1 + 1e-12);
}

static gm_rc find_excess(const struct gm_sweep_task *task, const struct gm_sweep_bounds *bounds,
                         struct excess *out_excess, struct gm_err *err)
{
    struct gm_stmt *stmt;
    struct excess worst = {.type = -1};
    GM_TRY(gm_db_prepare_once(task->db, GM_SQL_SWEEP_SHARES, &stmt, err));
    gm_bind_i64(stmt, 1, task->run->pipeline);
    gm_bind_i64(stmt, 2, task->run->num);
    gm_bind_i64(stmt, 3, bounds->runs_min);
    gm_bind_i64(stmt, 4, bounds->since_max);
    gm_rc rc;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        struct excess one = {gm_column_i64(stmt, 0), gm_column_i64(stmt, 1),
                             gm_column_i64(stmt, 2)};
        bool worse = worst.type < 0 ||
                     (double)one.due * (double)worst.live > (double)worst.due * (double)one.live;
        if (is_above(one.due, one.live, task->policy->max_share) && worse) {
            worst = one;
        }
    }
    *out_excess = worst;
    return rc == GM_E_END ? GM_OK : rc;
}

/* ---- words ---- */

static const char *are_missing(int64_t count)
{
    return count == 1 ? "object is missing" : "objects are missing";
}

static void say_waiting(const struct gm_sweep_task *task, const struct missing *missing,
                        struct gm_sweep_decision *decision)
{
    const struct gm_sweep_policy *policy = task->policy;
    const char *more = missing->due > 0 ? " more" : "";
    int64_t count = missing->all - missing->due;
    if (missing->runs_max < policy->delete_after_runs) {
        (void)snprintf(decision->reason, sizeof(decision->reason),
                       "%lld%s %s since %lld of %lld runs", (long long)count, more,
                       are_missing(count), (long long)missing->runs_max,
                       (long long)policy->delete_after_runs);
        return;
    }
    char age[GM_TIME_TEXT_SIZE], least[GM_TIME_TEXT_SIZE];
    (void)gm_span_format(task->now - missing->since_min, age);
    (void)gm_span_format(policy->min_age, least);
    (void)snprintf(decision->reason, sizeof(decision->reason), "%lld%s %s for %s; min_age is %s",
                   (long long)count, more, are_missing(count), age, least);
}

static void say_untrusted(const struct gm_sweep_task *task, int64_t count,
                          struct gm_sweep_decision *decision)
{
    (void)snprintf(decision->reason, sizeof(decision->reason),
                   "%lld %s, but %s; check the source, then `gemel runs approve %lld`",
                   (long long)count, are_missing(count), gm_sweep_distrust_z(task),
                   (long long)task->run->num);
}

static void say_excess(const struct gm_sweep_task *task, const struct excess *excess,
                       struct gm_sweep_decision *decision)
{
    const char *name_z =
        task->type_name_z != NULL ? task->type_name_z(task->type_ctx, excess->type) : NULL;
    char kind[GM_ERR_TEXT_SIZE / 2] = ""; /* type 0: targets that have no number, all of one kind */
    if (name_z != NULL) {
        (void)snprintf(kind, sizeof(kind), " of %s", name_z);
    } else if (excess->type != 0) {
        (void)snprintf(kind, sizeof(kind), " of type %lld", (long long)excess->type);
    }
    (void)snprintf(
        decision->reason, sizeof(decision->reason),
        "%lld of %lld objects%s are missing (%.1f %%), more than max_share %g %%; check the "
        "source, then `gemel runs approve %lld`",
        (long long)excess->due, (long long)excess->live, kind,
        100 * (double)excess->due / (double)excess->live, 100 * task->policy->max_share,
        (long long)task->run->num);
}

/* ---- the gates ---- */

static gm_rc limit_share(const struct gm_sweep_task *task, const struct gm_sweep_bounds *bounds,
                         struct gm_sweep_decision *decision, struct gm_err *err)
{
    struct excess excess;
    GM_TRY(find_excess(task, bounds, &excess, err));
    if (excess.type >= 0) {
        decision->sweep = GM_SWEEP_BLOCKED;
        decision->type = excess.type;
        say_excess(task, &excess, decision);
    }
    return GM_OK;
}

gm_rc gm_sweep_decide(const struct gm_sweep_task *task, struct gm_sweep_decision *out_decision,
                      struct gm_err *err)
{
    struct gm_sweep_bounds bounds = gm_sweep_bounds(task);
    struct gm_sweep_decision decision = {.sweep = GM_SWEEP_NONE, .type = -1};
    struct missing missing;
    GM_TRY(count_missing(task, &bounds, &missing, err));
    decision.count = missing.due > 0 ? missing.due : missing.all;
    if (missing.all == 0 || !task->policy->enabled) {
        decision.count = 0;
    } else if (gm_sweep_distrust_z(task) != NULL && !task->approved) {
        decision.sweep = GM_SWEEP_BLOCKED;
        say_untrusted(task, missing.all, &decision);
    } else if (missing.due == 0) {
        decision.sweep = GM_SWEEP_WAITING;
        say_waiting(task, &missing, &decision);
    } else {
        decision.sweep = task->approved ? GM_SWEEP_APPROVED : GM_SWEEP_DONE;
        if (missing.all > missing.due) {
            say_waiting(task, &missing, &decision);
        }
        if (!task->approved) {
            GM_TRY(limit_share(task, &bounds, &decision, err));
        }
    }
    *out_decision = decision;
    return GM_OK;
}
