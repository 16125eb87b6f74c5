/* The rate governor: how fast a target outside the store may be asked.
 *
 *     struct gm_governors *governors = gm_governors_new();           // one a process
 *     struct gm_governor_user *user = gm_governors_join(governors, GM_STR("https://x"), &limits);
 *     struct gm_rate_ask ask = {.class = 1, .cost = 1, .object = gm_hash64(twin_id, 0)};
 *     gm_ns wait = gm_governor_reserve(user, &ask, clock->mono(clock));
 *     if (wait == 0) { … send … gm_governor_settle(user, &ask, actual, now); }
 *     gm_governor_leave(user);
 *
 * What always holds, for each class with a budget of R units a second: between two settlements no
 * second, wherever it begins, has more than R units; and while there is enough work, 98 % of R are
 * spent. So the budget may be the limit that a service publishes. A bucket is filled at 98 % of R
 * and holds 0.4 of a second, so that what a stall missed is caught up; beside it the spending
 * of the last second is counted in steps of 10 ms, and what would go above R waits.
 *
 * Units that are known only after the answer (request units) are reserved as an estimate and
 * settled with the actual. What was not used comes back, what was used beyond is a debt that is
 * paid before the next reservation is granted.
 *
 * Users are the pipelines that share a target. While several are short each gets an equal share;
 * what one leaves unused the others have. A refusal by the target (429, 503) stops everybody until
 * it wants to be asked again, and lowers the speed for a while, also of classes without a limit:
 * the budget may be above what the target grants.
 *
 * `object` keeps to a limit per object beside that of its class, exactly: objects whose hashes fall
 * together share one, so it is never exceeded.
 *
 * No I/O and no clock: callers pass the time. Thread rule: any thread; a user belongs to one. */
#ifndef GM_SYNC_GOVERNOR_H
#define GM_SYNC_GOVERNOR_H

#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "base/time.h"

enum { GM_RATE_CLASSES_MAX = 8, GM_GOVERNOR_USERS_MAX = 256 };

/* Units a second; 0: no limit. */
struct gm_rate_limits {
    double per_second[GM_RATE_CLASSES_MAX];
    double per_object;
};

struct gm_governors;
struct gm_governors *gm_governors_new(void);
void gm_governors_free(struct gm_governors *governors); /* nobody uses one any more; NULL is fine */

struct gm_governor_user;
/* Joins those who use the target of that name. Where users ask for different limits the lowest
 * holds, until nobody is left. */
struct gm_governor_user *gm_governors_join(struct gm_governors *governors, struct gm_str target,
                                           const struct gm_rate_limits *limits);
void gm_governor_leave(struct gm_governor_user *user); /* NULL is fine */

struct gm_rate_ask {
    unsigned class;
    double cost;     /* estimate, in units */
    uint64_t object; /* 0: of no object */
};
/* 0: granted, go. Else how long to wait before asking again; nothing is reserved then. */
gm_ns gm_governor_reserve(struct gm_governor_user *user, const struct gm_rate_ask *ask, gm_ns now);
/* What it cost: once for everything that was granted, unless that is what was reserved. */
void gm_governor_settle(struct gm_governor_user *user, const struct gm_rate_ask *ask, double actual,
                        gm_ns now);
/* The target said that it is asked too much. `retry_after`: how long it wants to be left alone; 0:
 * it did not say, so that each refusal in a row doubles the pause, of which `random` (0 … 1)
 * chooses a part. */
void gm_governor_refused(struct gm_governor_user *user, gm_ns retry_after, double random,
                         gm_ns now);
/* It answered as it should: a row of refusals has ended. */
void gm_governor_accepted(struct gm_governor_user *user);

/* ---- how many requests at a time ---- */

/* Grows round by round while answers take as long as they did over a longer time, and shrinks when
 * they take several times as long (the gradient of Netflix' concurrency limits,
 * https://netflixtechblog.medium.com/performance-under-load-3e6fa9a60581); by half when the target
 * refuses. What is slow steadily, as a service that waits for its disk, is asked with many requests
 * at a time. A value of its owner thread. */
struct gm_slots {
    double limit;
    double max;
    double usual; /* latency over a longer time, in ns */
    double late;  /* of late */
    size_t round; /* answers since the limit was last looked at */
    bool busy;    /* in this round all slots were in use */
    bool known;   /* how much the target takes; before, the limit doubles with each round */
    gm_ns shrunk; /* when it was last refused */
};
void gm_slots_init(struct gm_slots *slots, size_t max);
size_t gm_slots_count(const struct gm_slots *slots); /* at least 1 */
/* `busy`: as many were under way as are allowed. */
void gm_slots_answered(struct gm_slots *slots, gm_ns took, bool busy);
void gm_slots_refused(struct gm_slots *slots, gm_ns now);

#endif
