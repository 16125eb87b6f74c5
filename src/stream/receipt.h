/* Receipts: what became of an append that has a name, for whoever sends it once more.
 *
 *     struct gm_stream_receipt receipt = {.name = GM_STR("me/command/k-1"), .hash = hash};
 *     struct gm_append append = {.events = &event, .count = 1, .receipt = &receipt, …};
 *     …
 *     rc = gm_stream_receipt_find(stream, arena, &receipt, err);   // GM_E_END: never heard of it
 *
 * A receipt is written in the commit of its event (table `receipts`): where one is, its event is.
 * The newest GM_STREAM_RECEIPTS_MAX are kept. That the event itself is taken once is up to its id:
 * of two appends with one id that are under way together, the second is passed over, and finds the
 * receipt of the first.
 *
 * Thread rule: any thread. */
#ifndef GM_STREAM_RECEIPT_H
#define GM_STREAM_RECEIPT_H

#include "base/arena.h"
#include "stream/stream.h"

enum { GM_STREAM_RECEIPTS_MAX = GM_STREAM_IDS_MAX };

struct gm_stream_receipt {
    struct gm_str name; /* 1 to 3 * GM_EVENT_TEXT_SIZE_MAX bytes */
    uint64_t hash;      /* of what was asked for, so that a name that is used twice is noticed */

    /* Out, of its event. */
    struct gm_str key;
    int64_t version; /* 0: the stream has none */
    int partition;
    int64_t offset;
};
/* By receipt->name; the key is put into the arena. GM_E_END: there is none. */
gm_rc gm_stream_receipt_find(struct gm_stream *stream, struct gm_arena *arena,
                             struct gm_stream_receipt *receipt, struct gm_err *err) GM_MUST_CHECK;

#endif
