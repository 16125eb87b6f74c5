/* What pipelines are to bring to a stream behind their commits: noted in the transaction that
 * decides it, sent afterwards, again and again until it is known to be there.
 *
 *     GM_TRY(gm_outbox_draw(db, pipeline, count, &first, err));        // numbers, for good
 *     GM_TRY(gm_outbox_add(db, &(struct gm_outbox_part){pipeline, first, count, bytes}, err));
 *     … commit; the events are sent under these numbers …
 *     GM_TRY(gm_outbox_settle(db, pipeline, first + count, err));      // with a later commit
 *
 * Numbers count from 0 without gaps, whatever is undone. Who receives them passes over those that
 * it has (stream/stream.h, "Links"), under the name of an epoch: as long as a pipeline writes into
 * one and the same stream. Parts are opaque here.
 *
 * Thread rule: as the connection. */
#ifndef GM_SYNC_OUTBOX_H
#define GM_SYNC_OUTBOX_H

#include "base/arena.h"
#include "db/db.h"

struct gm_outbox {
    int64_t pipeline;
    struct gm_str stream; /* its name */
    int64_t identity;     /* which file of that name it is */
    struct gm_str epoch;
    int64_t next; /* the number of the next event; of gm_outbox_put it is not looked at */
};
/* Texts in `arena`. GM_E_END: the pipeline has none. */
gm_rc gm_outbox_get(struct gm_db *db, struct gm_arena *arena, int64_t pipeline,
                    struct gm_outbox *out_outbox, struct gm_err *err) GM_MUST_CHECK;

struct gm_outbox_part {
    int64_t pipeline;
    int64_t first, count; /* numbers */
    struct gm_str bytes;
};
/* The first part of part->pipeline from number part->first on; its bytes in `arena`. GM_E_END:
 * none, and nothing is changed. */
gm_rc gm_outbox_from(struct gm_db *db, struct gm_arena *arena, struct gm_outbox_part *part,
                     struct gm_err *err) GM_MUST_CHECK;

/* Inside write transactions. `put` makes it, or begins another epoch, when nothing is noted any
 * more: numbers begin at 0 then. */
gm_rc gm_outbox_put(struct gm_db *db, const struct gm_outbox *outbox, struct gm_err *err)
    GM_MUST_CHECK;
gm_rc gm_outbox_draw(struct gm_db *db, int64_t pipeline, int64_t count, int64_t *out_first,
                     struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_outbox_add(struct gm_db *db, const struct gm_outbox_part *part, struct gm_err *err)
    GM_MUST_CHECK;
/* Parts that begin before `next` are there. */
gm_rc gm_outbox_settle(struct gm_db *db, int64_t pipeline, int64_t next, struct gm_err *err)
    GM_MUST_CHECK;
/* Also what was not sent yet. */
gm_rc gm_outbox_forget(struct gm_db *db, int64_t pipeline, struct gm_err *err) GM_MUST_CHECK;

#endif
