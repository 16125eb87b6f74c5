#include "os/thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/mem.h"
#include "os/error.h"

enum { THREAD_NAME_SIZE = 16 };

struct gm_thread {
    pthread_t id;
    gm_thread_fn fn;
    void *arg;
    char name_z[THREAD_NAME_SIZE];
};

static void *thread_main(void *arg)
{
    struct gm_thread *thread = arg;
    (void)prctl(PR_SET_NAME, thread->name_z, 0, 0, 0);
    thread->fn(thread->arg);
    return NULL;
}

gm_rc gm_thread_start(const char *name_z, gm_thread_fn fn, void *arg, struct gm_thread **out_thread,
                      struct gm_err *err)
{
    struct gm_thread *thread = gm_alloc(sizeof(*thread));
    GM_ASSERT(strlen(name_z) < sizeof(thread->name_z));
    memcpy(thread->name_z, name_z, strlen(name_z) + 1);
    thread->fn = fn;
    thread->arg = arg;

    /* A thread inherits its creator's mask: signals stay with the threads that are made for them.
     */
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    GM_ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    int error = pthread_create(&thread->id, NULL, thread_main, thread);
    GM_ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (error != 0) {
        gm_free(thread);
        return gm_os_fail(err, error, name_z, "start this thread");
    }
    *out_thread = thread;
    return GM_OK;
}

void gm_thread_join(struct gm_thread *thread)
{
    if (thread == NULL) {
        return;
    }
    GM_ASSERT(pthread_join(thread->id, NULL) == 0);
    gm_free(thread);
}

struct gm_mutex {
    pthread_mutex_t mu;
};

struct gm_mutex *gm_mutex_new(void)
{
    struct gm_mutex *mutex = gm_alloc(sizeof(*mutex));
    pthread_mutexattr_t attr;
    GM_ASSERT(pthread_mutexattr_init(&attr) == 0);
    /* Locking twice and unlocking what is not locked become errors, which abort below. */
    GM_ASSERT(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK) == 0);
    GM_ASSERT(pthread_mutex_init(&mutex->mu, &attr) == 0);
    (void)pthread_mutexattr_destroy(&attr);
    return mutex;
}

void gm_mutex_free(struct gm_mutex *mutex)
{
    if (mutex == NULL) {
        return;
    }
    GM_ASSERT(pthread_mutex_destroy(&mutex->mu) == 0);
    gm_free(mutex);
}

void gm_mutex_lock(struct gm_mutex *mutex)
{
    GM_ASSERT(pthread_mutex_lock(&mutex->mu) == 0);
}

void gm_mutex_unlock(struct gm_mutex *mutex)
{
    GM_ASSERT(pthread_mutex_unlock(&mutex->mu) == 0);
}

struct gm_cond {
    pthread_cond_t cond;
};

struct gm_cond *gm_cond_new(void)
{
    struct gm_cond *cond = gm_alloc(sizeof(*cond));
    pthread_condattr_t attr;
    GM_ASSERT(pthread_condattr_init(&attr) == 0);
    /* The wall clock jumps when somebody sets it; spans must not. */
    GM_ASSERT(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    GM_ASSERT(pthread_cond_init(&cond->cond, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    return cond;
}

void gm_cond_free(struct gm_cond *cond)
{
    if (cond == NULL) {
        return;
    }
    GM_ASSERT(pthread_cond_destroy(&cond->cond) == 0);
    gm_free(cond);
}

void gm_cond_wait(struct gm_cond *cond, struct gm_mutex *mutex)
{
    GM_ASSERT(pthread_cond_wait(&cond->cond, &mutex->mu) == 0);
}

bool gm_cond_wait_for(struct gm_cond *cond, struct gm_mutex *mutex, gm_ns span)
{
    static const gm_ns span_max = 365 * GM_DAY; /* longer is for ever, and cannot overflow */
    struct timespec at;
    GM_ASSERT(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
    span = span < 0 ? 0 : span > span_max ? span_max : span;
    at.tv_sec += (time_t)(span / GM_SECOND);
    at.tv_nsec += (long)(span % GM_SECOND);
    if (at.tv_nsec >= GM_SECOND) {
        at.tv_sec++;
        at.tv_nsec -= (long)GM_SECOND;
    }
    int error = pthread_cond_timedwait(&cond->cond, &mutex->mu, &at);
    GM_ASSERT(error == 0 || error == ETIMEDOUT);
    return error == 0;
}

void gm_cond_signal(struct gm_cond *cond)
{
    GM_ASSERT(pthread_cond_signal(&cond->cond) == 0);
}

void gm_cond_broadcast(struct gm_cond *cond)
{
    GM_ASSERT(pthread_cond_broadcast(&cond->cond) == 0);
}
