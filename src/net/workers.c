#include "net/workers.h"

#include "base/mem.h"
#include "os/thread.h"

/* A worker without work for this long ends. */
#define IDLE_TIME (10 * GM_SECOND)

struct slot {
    struct gm_workers *workers;
    struct gm_thread *thread; /* NULL: free */
    bool ended;               /* guarded by mu; its thread is to be joined */
};

struct gm_workers {
    const char *name_z;
    struct gm_mutex *mu;
    struct gm_cond *given;
    size_t threads_max, waiting_max;
    struct gm_work *first, *last; /* guarded by mu; what waits */
    size_t waiting;               /* guarded by mu */
    size_t idle;                  /* guarded by mu */
    bool closed;                  /* guarded by mu */
    struct slot slots[];          /* guarded by mu; threads_max of them */
};

struct gm_workers *gm_workers_new(const char *name_z, size_t threads_max, size_t waiting_max)
{
    struct gm_workers *workers =
        gm_alloc(sizeof(*workers) + threads_max * sizeof(workers->slots[0]));
    workers->name_z = name_z;
    workers->mu = gm_mutex_new();
    workers->given = gm_cond_new();
    workers->threads_max = threads_max;
    workers->waiting_max = waiting_max;
    for (size_t i = 0; i < threads_max; i++) {
        workers->slots[i].workers = workers;
    }
    return workers;
}

/* Under mu. NULL: there is none, and none came in time. */
static struct gm_work *take(struct gm_workers *workers)
{
    bool in_time = true;
    workers->idle++;
    while (workers->first == NULL && !workers->closed && in_time) {
        in_time = gm_cond_wait_for(workers->given, workers->mu, IDLE_TIME);
    }
    workers->idle--;
    struct gm_work *work = workers->first;
    if (work != NULL) {
        workers->first = work->next;
        workers->last = work->next != NULL ? workers->last : NULL;
        workers->waiting--;
    }
    return work;
}

static void work_main(void *arg)
{
    struct slot *slot = arg;
    struct gm_workers *workers = slot->workers;
    struct gm_work *work;
    gm_mutex_lock(workers->mu);
    while ((work = take(workers)) != NULL) {
        gm_mutex_unlock(workers->mu);
        work->fn(work->ctx);
        gm_mutex_lock(workers->mu);
    }
    slot->ended = true;
    gm_mutex_unlock(workers->mu);
}

/* Under mu. True: one more takes work. */
static bool start_worker(struct gm_workers *workers)
{
    struct gm_err ignored;
    for (size_t i = 0; i < workers->threads_max; i++) {
        struct slot *slot = &workers->slots[i];
        if (slot->ended) { /* its last act was to unlock, so this is over at once */
            gm_thread_join(slot->thread);
            *slot = (struct slot){.workers = workers};
        }
        if (slot->thread == NULL) {
            return gm_thread_start(workers->name_z, work_main, slot, &slot->thread, &ignored) ==
                   GM_OK;
        }
    }
    return false;
}

/* Under mu. */
static bool has_worker(const struct gm_workers *workers)
{
    for (size_t i = 0; i < workers->threads_max; i++) {
        if (workers->slots[i].thread != NULL && !workers->slots[i].ended) {
            return true;
        }
    }
    return false;
}

bool gm_workers_give(struct gm_workers *workers, struct gm_work *work)
{
    work->next = NULL;
    gm_mutex_lock(workers->mu);
    GM_ASSERT(!workers->closed);
    bool taken = workers->waiting < workers->idle || start_worker(workers) ||
                 (workers->waiting < workers->waiting_max + workers->idle && has_worker(workers));
    if (taken) {
        if (workers->last != NULL) {
            workers->last->next = work;
        } else {
            workers->first = work;
        }
        workers->last = work;
        workers->waiting++;
        gm_cond_signal(workers->given);
    }
    gm_mutex_unlock(workers->mu);
    return taken;
}

void gm_workers_free(struct gm_workers *workers)
{
    if (workers == NULL) {
        return;
    }
    gm_mutex_lock(workers->mu);
    workers->closed = true;
    gm_cond_broadcast(workers->given);
    gm_mutex_unlock(workers->mu);
    for (size_t i = 0; i < workers->threads_max; i++) {
        gm_thread_join(workers->slots[i].thread);
    }
    gm_cond_free(workers->given);
    gm_mutex_free(workers->mu);
    gm_free(workers);
}
