/* When a pipeline runs: `continuous` (for ever, where the source can wait for more), `every 10m`,
 * or five cron fields `minute hour day month weekday` in UTC (as crontab(5) has them: lists,
 * ranges, steps, names of months and weekdays; day and weekday both restricted means either; one
 * that begins with `*` is not restricted).
 *
 *     struct gm_schedule schedule;
 *     GM_TRY(gm_schedule_parse(GM_STR("every 10m"), &schedule, err));
 *     gm_ns next = gm_schedule_next(&schedule, last_start, now);
 *
 * A pure value: no clock, no threads. */
#ifndef GM_ENGINE_SCHEDULE_H
#define GM_ENGINE_SCHEDULE_H

#include "base/status.h"
#include "base/str.h"
#include "base/time.h"

enum gm_schedule_type {
    GM_SCHEDULE_NONE,
    GM_SCHEDULE_EVERY,
    GM_SCHEDULE_CRON,
    GM_SCHEDULE_CONTINUOUS
};

struct gm_schedule {
    enum gm_schedule_type type; /* NONE: at start, and when asked */
    gm_ns every;
    uint64_t minutes; /* bit per value */
    uint32_t hours, days, months, weekdays;
    bool any_day, any_weekday;
};

/* GM_E_CONFIG with what is wrong and what to write. */
gm_rc gm_schedule_parse(struct gm_str text, struct gm_schedule *out_schedule, struct gm_err *err)
    GM_MUST_CHECK;
/* The first time after `now` (wall clock) at which to run. EVERY counts from `last_start` (0: never
 * ran: now) and does not try to catch up on times that passed. CONTINUOUS: a second after `now`.
 * INT64_MAX: never. */
gm_ns gm_schedule_next(const struct gm_schedule *schedule, gm_ns last_start, gm_ns now);

#endif
