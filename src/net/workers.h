/* Threads that do what may block: made when work waits, ended when there has been none for a while.
 * Internal to net/.
 *
 *     struct gm_workers *workers = gm_workers_new("gemel-work", 16, 256);
 *     call->work = (struct gm_work){.fn = run, .ctx = call};
 *     if (!gm_workers_give(workers, &call->work)) { … too much waits … }
 *     gm_workers_free(workers);
 *
 * Thread rule: any thread; gm_workers_free when nobody gives any more. */
#ifndef GM_NET_WORKERS_H
#define GM_NET_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

struct gm_work {
    void (*fn)(void *ctx);
    void *ctx;
    struct gm_work *next; /* of the pool */
};

struct gm_workers;
/* At most `threads_max` threads; beyond them `waiting_max` pieces of work wait. */
struct gm_workers *gm_workers_new(const char *name_z, size_t threads_max, size_t waiting_max);
/* Keeps `work` until its function is called, and does not touch it after that. False: too much
 * waits, or no thread could be made and there is none. */
bool gm_workers_give(struct gm_workers *workers, struct gm_work *work);
/* Does what waits, and ends all threads. NULL is fine */
void gm_workers_free(struct gm_workers *workers);

#endif
