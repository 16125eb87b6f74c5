/* A bounded first-in first-out queue of pointers between threads. When it is full the producer
 * waits: that is how a slow writer slows its sources instead of filling memory.
 *
 *     struct gm_queue *queue = gm_queue_new(4);
 *     if (!gm_queue_push(queue, batch)) { … }               // closed; the item is the caller's
 *     while ((batch = gm_queue_pop(queue)) != NULL) { … }   // NULL: closed and empty
 *
 * Closing lets consumers drain what is there.
 * Thread rule: any number of producers and consumers. */
#ifndef GM_OS_QUEUE_H
#define GM_OS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/time.h"

struct gm_queue;

enum { GM_QUEUE_DEPTH_MAX = 1 << 20 };

struct gm_queue *gm_queue_new(size_t depth_max); /* 1 … GM_QUEUE_DEPTH_MAX */
void gm_queue_free(struct gm_queue *queue); /* items left in it stay the caller's; NULL is fine */
/* `item` is not NULL. */
bool gm_queue_push(struct gm_queue *queue, void *item);
void *gm_queue_pop(struct gm_queue *queue);
void *gm_queue_pop_for(struct gm_queue *queue, gm_ns span); /* NULL also when `span` passed */
void *gm_queue_try_pop(struct gm_queue *queue);
void gm_queue_close(struct gm_queue *queue);
bool gm_queue_closed(const struct gm_queue *queue);
size_t gm_queue_count(const struct gm_queue *queue);

#endif
