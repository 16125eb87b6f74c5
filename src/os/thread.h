/* Threads, mutexes and condition variables: POSIX threads with this project's error rule (misuse
 * aborts).
 *
 *     struct gm_thread *thread;
 *     GM_TRY(gm_thread_start("reader", read_main, &reader, &thread, err));
 *     gm_thread_join(thread);
 *
 * Thread rule: a thread is joined once, by whoever holds the pointer. */
#ifndef GM_OS_THREAD_H
#define GM_OS_THREAD_H

#include <stdbool.h>

#include "base/status.h"
#include "base/time.h"

struct gm_thread;
typedef void (*gm_thread_fn)(void *arg);

/* `name_z` is at most 15 bytes (the kernel's limit). Signals are blocked in the new thread. */
gm_rc gm_thread_start(const char *name_z, gm_thread_fn fn, void *arg, struct gm_thread **out_thread,
                      struct gm_err *err) GM_MUST_CHECK;
void gm_thread_join(struct gm_thread *thread); /* frees it; NULL is fine */

struct gm_mutex;
struct gm_mutex *gm_mutex_new(void);
void gm_mutex_free(struct gm_mutex *mutex);
void gm_mutex_lock(struct gm_mutex *mutex);
void gm_mutex_unlock(struct gm_mutex *mutex);

struct gm_cond;
struct gm_cond *gm_cond_new(void);
void gm_cond_free(struct gm_cond *cond);
void gm_cond_wait(struct gm_cond *cond, struct gm_mutex *mutex);
/* Wakes without a reason, too: check the condition in a loop. False when `span` passed without a
 * signal (monotonic clock). */
bool gm_cond_wait_for(struct gm_cond *cond, struct gm_mutex *mutex, gm_ns span);
void gm_cond_signal(struct gm_cond *cond);
void gm_cond_broadcast(struct gm_cond *cond);

#endif
