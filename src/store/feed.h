/* The change feed: the change log read onward by number, and waiting for what comes.
 *
 *     struct gm_feed *feed;
 *     GM_TRY(gm_feed_open(store, &feed, err));
 *     for (int64_t num = from; (rc = gm_feed_wait(feed, num, GM_MINUTE)) == GM_OK; num++) {
 *         GM_TRY(gm_feed_read(feed, num, &change, err));
 *         …
 *     }
 *     gm_feed_close(feed);
 *
 * The cursor is the number of a change, so it is the consumer's own and nothing of it is kept here:
 * any number of feeds read beside each other, and none of them holds up the writer. Those who wait
 * are woken by the commit that brings what they wait for. Chunks are read and decompressed once
 * each while numbers go up.
 *
 * Thread rule: one owner; gm_feed_wake from any thread, before gm_feed_close. */
#ifndef GM_STORE_FEED_H
#define GM_STORE_FEED_H

#include "store/store.h"

struct gm_feed;
/* Reads through a connection of its own. */
gm_rc gm_feed_open(struct gm_store *store, struct gm_feed **out_feed, struct gm_err *err)
    GM_MUST_CHECK;
void gm_feed_close(struct gm_feed *feed); /* NULL is fine */
/* The connection, for what else the consumer wants to look at. */
struct gm_db *gm_feed_db(struct gm_feed *feed);

/* Texts borrow until the next call. GM_E_END: it is not committed yet. GM_E_LIMIT: the log was
 * trimmed and begins behind it; the text names the oldest number there is. */
gm_rc gm_feed_read(struct gm_feed *feed, int64_t num, struct gm_change *out_change,
                   struct gm_err *err) GM_MUST_CHECK;
/* Waits until change `num` is committed. GM_E_END: `span` passed; GM_E_CANCELLED: the feed was
 * woken since the last wait ended. */
gm_rc gm_feed_wait(struct gm_feed *feed, int64_t num, gm_ns span) GM_MUST_CHECK;
void gm_feed_wake(struct gm_feed *feed);

#endif
