#include "os/queue.h"

#include "base/mem.h"
#include "os/clock.h"
#include "os/thread.h"

struct gm_queue {
    struct gm_mutex *mu;
    struct gm_cond *not_empty;
    struct gm_cond *not_full;
    size_t depth_max;
    size_t first;  /* guarded by mu */
    size_t count;  /* guarded by mu */
    bool closed;   /* guarded by mu */
    void *items[]; /* guarded by mu; a ring */
};

struct gm_queue *gm_queue_new(size_t depth_max)
{
    GM_ASSERT(depth_max > 0 && depth_max <= GM_QUEUE_DEPTH_MAX);
    struct gm_queue *queue = gm_alloc(sizeof(*queue) + depth_max * sizeof(queue->items[0]));
    queue->mu = gm_mutex_new();
    queue->not_empty = gm_cond_new();
    queue->not_full = gm_cond_new();
    queue->depth_max = depth_max;
    return queue;
}

void gm_queue_free(struct gm_queue *queue)
{
    if (queue == NULL) {
        return;
    }
    gm_cond_free(queue->not_full);
    gm_cond_free(queue->not_empty);
    gm_mutex_free(queue->mu);
    gm_free(queue);
}

bool gm_queue_push(struct gm_queue *queue, void *item)
{
    GM_ASSERT(item != NULL);
    gm_mutex_lock(queue->mu);
    while (queue->count == queue->depth_max && !queue->closed) {
        gm_cond_wait(queue->not_full, queue->mu);
    }
    bool taken = !queue->closed;
    if (taken) {
        queue->items[(queue->first + queue->count) % queue->depth_max] = item;
        queue->count++;
        gm_cond_signal(queue->not_empty);
    }
    gm_mutex_unlock(queue->mu);
    return taken;
}

/* Under mu. */
static void *take_first(struct gm_queue *queue)
{
    if (queue->count == 0) {
        return NULL;
    }
    void *item = queue->items[queue->first];
    queue->first = (queue->first + 1) % queue->depth_max;
    queue->count--;
    gm_cond_signal(queue->not_full);
    return item;
}

void *gm_queue_pop(struct gm_queue *queue)
{
    gm_mutex_lock(queue->mu);
    while (queue->count == 0 && !queue->closed) {
        gm_cond_wait(queue->not_empty, queue->mu);
    }
    void *item = take_first(queue);
    gm_mutex_unlock(queue->mu);
    return item;
}

void *gm_queue_pop_for(struct gm_queue *queue, gm_ns span)
{
    struct gm_deadline until = gm_deadline_in(span, NULL);
    gm_mutex_lock(queue->mu);
    gm_ns left = gm_deadline_left(&until);
    while (queue->count == 0 && !queue->closed && left > 0) {
        (void)gm_cond_wait_for(queue->not_empty, queue->mu, left);
        left = gm_deadline_left(&until);
    }
    void *item = take_first(queue);
    gm_mutex_unlock(queue->mu);
    return item;
}

void *gm_queue_try_pop(struct gm_queue *queue)
{
    gm_mutex_lock(queue->mu);
    void *item = take_first(queue);
    gm_mutex_unlock(queue->mu);
    return item;
}

void gm_queue_close(struct gm_queue *queue)
{
    gm_mutex_lock(queue->mu);
    queue->closed = true;
    gm_cond_broadcast(queue->not_empty);
    gm_cond_broadcast(queue->not_full);
    gm_mutex_unlock(queue->mu);
}

bool gm_queue_closed(const struct gm_queue *queue)
{
    gm_mutex_lock(queue->mu);
    bool closed = queue->closed;
    gm_mutex_unlock(queue->mu);
    return closed;
}

size_t gm_queue_count(const struct gm_queue *queue)
{
    gm_mutex_lock(queue->mu);
    size_t count = queue->count;
    gm_mutex_unlock(queue->mu);
    return count;
}
