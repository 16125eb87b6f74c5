#include "store/feed.h"

#include "base/mem.h"
#include "store/inside.h"

struct gm_feed {
    struct gm_change_watch *watch;
    struct gm_db *db;
    struct gm_change_reader *reader;
    bool woken; /* guarded by watch->mu */
};

gm_rc gm_feed_open(struct gm_store *store, struct gm_feed **out_feed, struct gm_err *err)
{
    struct gm_feed *feed = gm_alloc(sizeof(*feed));
    feed->watch = gm_store_watch(store);
    gm_rc rc = gm_store_reader(store, &feed->db, err);
    rc = rc == GM_OK ? gm_change_reader_open(feed->db, &feed->reader, err) : rc;
    if (rc != GM_OK) {
        gm_feed_close(feed);
        return rc;
    }
    *out_feed = feed;
    return GM_OK;
}

void gm_feed_close(struct gm_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    gm_change_reader_close(feed->reader);
    gm_db_close(feed->db);
    gm_free(feed);
}

struct gm_db *gm_feed_db(struct gm_feed *feed)
{
    return feed->db;
}

gm_rc gm_feed_read(struct gm_feed *feed, int64_t num, struct gm_change *out_change,
                   struct gm_err *err)
{
    gm_rc rc = gm_change_read(feed->reader, num, out_change, err);
    if (rc != GM_E_END) {
        return rc;
    }
    int64_t oldest, newest;
    GM_TRY(gm_changes_range(feed->db, &oldest, &newest, err));
    if (num < oldest) {
        return gm_fail(err, GM_E_LIMIT,
                       "change %lld is not kept any more: the change log begins at %lld",
                       (long long)num, (long long)oldest);
    }
    return GM_E_END;
}

gm_rc gm_feed_wait(struct gm_feed *feed, int64_t num, gm_ns span)
{
    struct gm_deadline deadline = gm_deadline_in(span, NULL);
    struct gm_change_watch *watch = feed->watch;
    gm_rc rc = GM_E_END;
    gm_mutex_lock(watch->mu);
    while (!feed->woken && watch->newest < num && !gm_deadline_passed(&deadline)) {
        (void)gm_cond_wait_for(watch->cond, watch->mu, gm_deadline_left(&deadline));
    }
    if (feed->woken) {
        feed->woken = false;
        rc = GM_E_CANCELLED;
    } else if (watch->newest >= num) {
        rc = GM_OK;
    }
    gm_mutex_unlock(watch->mu);
    return rc;
}

void gm_feed_wake(struct gm_feed *feed)
{
    gm_mutex_lock(feed->watch->mu);
    feed->woken = true;
    gm_cond_broadcast(feed->watch->cond);
    gm_mutex_unlock(feed->watch->mu);
}
