#include "os/clock.h"

#include <time.h>

#include "base/mem.h"
#include "os/thread.h"

static gm_ns read_clock(clockid_t id)
{
    struct timespec now;
    GM_ASSERT(clock_gettime(id, &now) == 0);
    return (gm_ns)now.tv_sec * GM_SECOND + (gm_ns)now.tv_nsec;
}

static gm_ns system_wall(const struct gm_clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_REALTIME);
}

static gm_ns system_mono(const struct gm_clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_MONOTONIC);
}

const struct gm_clock *gm_clock_system(void)
{
    static const struct gm_clock clock = {.wall = system_wall, .mono = system_mono, .self = NULL};
    return &clock;
}

gm_ns gm_clock_wall_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

struct gm_stop {
    atomic_bool requested; /* stored under mu, so that no waiter misses it; loaded without */
    struct gm_mutex *mu;
    struct gm_cond *changed;
};

struct gm_stop *gm_stop_new(void)
{
    struct gm_stop *stop = gm_alloc(sizeof(*stop));
    atomic_init(&stop->requested, false);
    stop->mu = gm_mutex_new();
    stop->changed = gm_cond_new();
    return stop;
}

void gm_stop_free(struct gm_stop *stop)
{
    if (stop == NULL) {
        return;
    }
    gm_cond_free(stop->changed);
    gm_mutex_free(stop->mu);
    gm_free(stop);
}

void gm_stop_request(struct gm_stop *stop)
{
    gm_mutex_lock(stop->mu);
    /* Pairs with the load in gm_stop_requested: what was done before the request is seen by who
     * sees it. */
    atomic_store_explicit(&stop->requested, true, memory_order_release);
    gm_cond_broadcast(stop->changed);
    gm_mutex_unlock(stop->mu);
}

bool gm_stop_requested(const struct gm_stop *stop)
{
    return atomic_load_explicit(&stop->requested, memory_order_acquire);
}

gm_rc gm_stop_wait(struct gm_stop *stop, gm_ns span)
{
    struct gm_deadline until = gm_deadline_in(span, NULL);
    gm_mutex_lock(stop->mu);
    gm_ns left = gm_deadline_left(&until);
    while (!gm_stop_requested(stop) && left > 0) {
        (void)gm_cond_wait_for(stop->changed, stop->mu, left);
        left = gm_deadline_left(&until);
    }
    gm_mutex_unlock(stop->mu);
    return gm_stop_requested(stop) ? GM_E_CANCELLED : GM_OK;
}

struct gm_deadline gm_deadline_in(gm_ns span, const struct gm_stop *stop)
{
    struct gm_deadline deadline = {.at = 0, .stop = stop};
    if (__builtin_add_overflow(read_clock(CLOCK_MONOTONIC), span, &deadline.at)) {
        deadline.at = INT64_MAX;
    }
    if (deadline.at <= 0) {
        deadline.at = 1; /* 0 would mean that there is none */
    }
    return deadline;
}

gm_ns gm_deadline_left(const struct gm_deadline *deadline)
{
    if (deadline->stop != NULL && gm_stop_requested(deadline->stop)) {
        return 0;
    }
    if (deadline->at == 0) {
        return GM_DAY;
    }
    gm_ns left = deadline->at - read_clock(CLOCK_MONOTONIC);
    return left > 0 ? left : 0;
}

bool gm_deadline_passed(const struct gm_deadline *deadline)
{
    return gm_deadline_left(deadline) == 0;
}
