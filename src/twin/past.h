/* The graph as it was at a time, for queries.
 *
 *     GM_TRY(gm_past_prepare(db, err));
 *     GM_TRY(gm_db_begin_snapshot(db, err));
 *     GM_TRY(gm_past_begin(db, models, time, err));
 *     … SELECT … FROM past_twins …, past_relationships …
 *     gm_past_end(db);
 *
 * past_twins and past_relationships are temporary views with the columns of `twins` and
 * `relationships` that queries read. They show the tables as they are, but for what has changed
 * since: that is hidden, and stands in temporary tables as it was. The point is the last change
 * that was made up to the time.
 *
 * Making them costs a walk over the changes since then, and the reading of each chunk of the log
 * that holds a part of the history of a twin that has changed, once: a late time is cheap, whatever
 * the size of the graph. Memory is bounded by GM_PAST_SIZE_MAX, above which it is GM_E_LIMIT; the
 * connection's deadline holds.
 *
 * Numbers of twins that are gone, or were of another model, are made up and good for this snapshot
 * only: what must be the same in the next one goes by ids. ETags are those of the time where a twin
 * still has its number.
 *
 * Thread rule: the connection's. */
#ifndef GM_TWIN_PAST_H
#define GM_TWIN_PAST_H

#include "base/time.h"
#include "db/db.h"
#include "dtdl/model.h"

enum { GM_PAST_SIZE_MAX = 256 << 20 };

/* Before a snapshot begins, in which PostgreSQL makes no tables; or in a write transaction. */
gm_rc gm_past_prepare(struct gm_db *db, struct gm_err *err) GM_MUST_CHECK;
/* In a transaction. GM_E_INVALID: before the log begins; a model of then is gone. */
gm_rc gm_past_begin(struct gm_db *db, const struct gm_models *models, gm_ns time,
                    struct gm_err *err) GM_MUST_CHECK;
/* Takes the views away. Rolling back does too. */
void gm_past_end(struct gm_db *db);

#endif
