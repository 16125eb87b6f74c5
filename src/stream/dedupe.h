/* Which events were taken before: sequences of origins, and ids. Internal to this folder.
 *
 *     if (gm_dedupe_take(dedupe, &event)) { … it is new … }
 *
 * Follows from the events taken alone, so that it can be made again by taking them again. Thread
 * rule: one owner. */
#ifndef GM_STREAM_DEDUPE_H
#define GM_STREAM_DEDUPE_H

#include "base/buf.h"
#include "stream/stream.h"

enum { GM_ORIGIN_BITS_SIZE = GM_STREAM_REORDER_MAX / 8 };

struct gm_dedupe;
struct gm_dedupe *gm_dedupe_new(void);
void gm_dedupe_free(struct gm_dedupe *dedupe); /* NULL is fine */

/* True: it is new, and known from now on. False: it was taken before. */
bool gm_dedupe_take(struct gm_dedupe *dedupe, const struct gm_event *event);

/* It was taken before; nothing is remembered. */
bool gm_dedupe_knows(const struct gm_dedupe *dedupe, const struct gm_event *event);

/* What origins are known by, for the table: only those that changed since the last call. */
struct gm_origin_row {
    struct gm_str origin; /* borrows from the dedupe, which keeps it for good */
    uint64_t high;
    uint8_t bits[GM_ORIGIN_BITS_SIZE];
};
void gm_dedupe_each_changed(struct gm_dedupe *dedupe,
                            void (*fn)(void *ctx, const struct gm_origin_row *row), void *ctx);
/* As a row of the table has it; before events are taken. */
void gm_dedupe_load(struct gm_dedupe *dedupe, const struct gm_origin_row *row);

#endif
