/* How long changes are kept: the log's oldest chunks go when they are too old, or when all of it
 * takes too much.
 *
 *     const struct gm_retention_options options = {.store = store, .age = 30 * GM_DAY};
 *     GM_TRY(gm_retention_start(&options, &retention, err));   // at once, then every minute
 *     gm_retention_stop(retention);
 *
 * Without bounds the log only grows: every reading of a sensor that becomes a property is a change.
 * Whole chunks go, a few at a time, each slice in a transaction of its own, so that other writers
 * wait for milliseconds; the newest chunk stays, so that numbers go on. What is beyond a bound is
 * found on a reading connection: sizes are read once and then kept up, times from the last change
 * of each chunk in turn.
 *
 * What is gone is gone for everybody: a history tells what is left of it, a twin's past cannot be
 * made from less than all of its changes (and says so), and a consumer that had not come so far
 * hears of the gap. The file does not shrink; its pages are used again.
 *
 * Thread: one of its own, which owns all of it. A killed process trims later. */
#ifndef GM_STORE_RETENTION_H
#define GM_STORE_RETENTION_H

#include "store/store.h"

#define GM_RETENTION_PERIOD GM_MINUTE
enum { GM_RETENTION_SLICE = 64 /* chunks that go in one transaction */ };

struct gm_retention_options {
    struct gm_store *store; /* kept */
    gm_ns age;              /* 0: none is too old */
    uint64_t size;          /* of the chunks as they are stored; 0: they may take any */
};

struct gm_retention;
/* With no bound there is nothing to do: *out_retention is NULL. */
gm_rc gm_retention_start(const struct gm_retention_options *options,
                         struct gm_retention **out_retention, struct gm_err *err) GM_MUST_CHECK;
void gm_retention_stop(struct gm_retention *retention); /* NULL is fine */

/* What is beyond the bounds now, by the caller. */
gm_rc gm_retention_trim(const struct gm_retention_options *options, int64_t *out_chunks,
                        struct gm_err *err) GM_MUST_CHECK;

#endif
