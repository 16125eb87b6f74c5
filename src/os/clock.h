/* Clocks, and deadlines that a shutdown can cut short.
 *
 *     struct gm_deadline deadline = gm_deadline_in(5 * GM_SECOND, stop);
 *     while (!gm_deadline_passed(&deadline)) { … }
 *
 * Whatever may block for more than 10 ms takes a `struct gm_deadline`: an absolute monotonic time
 * and a stop flag.
 * Thread rule: clocks and stops from any thread; deadlines are values. */
#ifndef GM_OS_CLOCK_H
#define GM_OS_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/status.h"
#include "base/time.h"

/* Where time comes from. Passed in, so that tests own time. */
struct gm_clock {
    gm_ns (*wall)(const struct gm_clock *clock); /* since the epoch */
    gm_ns (*mono)(const struct gm_clock *clock); /* never goes back */
    void *self;
};
const struct gm_clock *gm_clock_system(void);
gm_ns gm_clock_wall_now(void); /* of the system clock; for logs */

/* A stop request, set once, visible to all threads. Waiters use gm_stop_wait; nobody polls with
 * sleeps. */
struct gm_stop;
struct gm_stop *gm_stop_new(void);
void gm_stop_free(struct gm_stop *stop);
void gm_stop_request(struct gm_stop *stop); /* any thread; also wakes all waiters */
bool gm_stop_requested(const struct gm_stop *stop);
/* Waits until `span` has passed (GM_OK) or stop is requested (GM_E_CANCELLED). */
gm_rc gm_stop_wait(struct gm_stop *stop, gm_ns span);

struct gm_deadline {
    gm_ns at;                   /* monotonic; 0: none */
    const struct gm_stop *stop; /* borrows; NULL: none */
};
struct gm_deadline gm_deadline_in(gm_ns span, const struct gm_stop *stop);
bool gm_deadline_passed(const struct gm_deadline *deadline); /* or stop requested */
gm_ns gm_deadline_left(
    const struct gm_deadline *deadline); /* 0 when passed; a day when there is none */

#endif
