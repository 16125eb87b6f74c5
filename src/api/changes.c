/* The change feed and the history of twins. */
#include "api/call.h"
#include "base/num.h"
#include "os/thread.h"
#include "sync/state.h"
#include "twin/history.h"

enum { PAGE_SIZE = 8 << 20 /* a page ends when it is as large as this */ };
#define WAIT_MAX GM_MINUTE

/* A page of changes under construction. */
struct page {
    struct gm_call *call;
    struct gm_db *db;
    struct gm_buf *out;
    int64_t limit, count, last;
    int64_t pipeline; /* whose name is at hand; 0: none */
    struct gm_str pipeline_name;
    bool full;
};

/* Pipelines come in runs of changes, so one name at hand is enough. */
static struct gm_str name_of(struct page *page, int64_t pipeline)
{
    struct gm_pipeline_row row = {.num = pipeline};
    struct gm_err ignored;
    if (pipeline == 0) {
        return (struct gm_str){NULL, 0};
    }
    if (pipeline != page->pipeline) {
        bool found = gm_pipeline_find(page->db, page->call->arena, &row, &ignored) == GM_OK;
        page->pipeline = pipeline;
        page->pipeline_name = found ? row.name : (struct gm_str){NULL, 0};
    }
    return page->pipeline_name;
}

static void add_change(struct page *page, const struct gm_change *change)
{
    gm_buf_add(page->out, page->count++ > 0 ? GM_STR(",") : GM_STR(""));
    gm_change_write_json(change, name_of(page, change->pipeline), page->out);
    page->last = change->num;
    page->full = page->count >= page->limit || page->out->n > PAGE_SIZE;
}

/* ---- the feed ---- */

/* A stop of the server wakes those who have a place. */
static gm_rc take_place(struct gm_desk *desk, struct gm_feed *feed, size_t *out_place,
                        struct gm_err *err)
{
    size_t place = GM_CHANGE_WAITS_MAX;
    gm_mutex_lock(desk->mu);
    for (size_t i = 0; i < GM_CHANGE_WAITS_MAX && place == GM_CHANGE_WAITS_MAX; i++) {
        if (desk->feeds[i] == NULL) {
            desk->feeds[i] = feed;
            place = i;
        }
    }
    gm_mutex_unlock(desk->mu);
    *out_place = place;
    return place < GM_CHANGE_WAITS_MAX
               ? GM_OK
               : gm_fail(err, GM_E_RETRY, "%d requests wait for changes already; try again later",
                         GM_CHANGE_WAITS_MAX);
}

static void give_place(struct gm_desk *desk, size_t place)
{
    gm_mutex_lock(desk->mu);
    desk->feeds[place] = NULL;
    gm_mutex_unlock(desk->mu);
}

static gm_rc wait_for(struct gm_call *call, struct gm_feed *feed, int64_t num, gm_ns span,
                      struct gm_err *err)
{
    size_t place;
    gm_rc rc = gm_feed_wait(feed, num, 0);
    if (rc == GM_OK || span == 0) {
        return GM_OK;
    }
    GM_TRY(take_place(call->desk, feed, &place, err));
    /* one that came after the stop was requested has been woken by nobody */
    if (!gm_stop_requested(call->desk->stop)) {
        (void)!gm_feed_wait(feed, num, span);
    }
    give_place(call->desk, place);
    return GM_OK;
}

static gm_rc add_page(struct page *page, struct gm_feed *feed, int64_t from, struct gm_err *err)
{
    gm_rc rc = GM_OK;
    page->last = from - 1;
    for (int64_t num = from; rc == GM_OK && !page->full; num++) {
        struct gm_change change;
        rc = gm_feed_read(feed, num, &change, err);
        if (rc == GM_OK) {
            add_change(page, &change);
        }
    }
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc reply_gone(struct gm_call *call, int64_t from, int64_t oldest)
{
    call->reply->status = 410;
    gm_buf_addf(&call->reply->body,
                "{\"error\":{\"code\":\"gone\",\"message\":\"change %lld is not kept any more; the "
                "log begins at %lld\"},\"oldest\":%lld}",
                (long long)from, (long long)oldest, (long long)oldest);
    return GM_OK;
}

static gm_rc tell_changes(struct page *page, struct gm_feed *feed, int64_t from, gm_ns wait,
                          struct gm_err *err)
{
    int64_t oldest, newest;
    GM_TRY(gm_changes_range(page->db, &oldest, &newest, err));
    if (from < oldest) {
        return reply_gone(page->call, from, oldest);
    }
    GM_TRY(wait_for(page->call, feed, from, wait, err));
    gm_buf_add(page->out, GM_STR("{\"changes\":["));
    GM_TRY(add_page(page, feed, from, err));
    GM_TRY(gm_changes_range(page->db, &oldest, &newest, err));
    int64_t next = page->last + 1;
    gm_buf_addf(page->out, "],\"next\":%lld,\"oldest\":%lld,\"newest\":%lld}", (long long)next,
                (long long)oldest, (long long)newest);
    return GM_OK;
}

gm_rc gm_admin_changes(struct gm_call *call, struct gm_err *err)
{
    int64_t from = 1;
    gm_ns wait = 0;
    struct gm_feed *feed;
    struct page page = {.call = call, .out = &call->reply->body, .limit = 100};
    GM_TRY(gm_admin_number(call->query[0], "from", &from, err));
    GM_TRY(gm_admin_limit(call->query[1], &page.limit, err));
    if (call->query[2].p != NULL &&
        (!gm_span_parse(call->query[2], &wait) || wait < 0 || wait > WAIT_MAX)) {
        return gm_fail(err, GM_E_INVALID, "`wait` is a time up to 60s, as 30s: " GM_STR_FMT,
                       GM_STR_ARG(call->query[2]));
    }
    GM_TRY(gm_feed_open(gm_engine_store(call->engine), &feed, err));
    page.db = gm_feed_db(feed);
    gm_rc rc = tell_changes(&page, feed, from > 0 ? from : 1, wait, err);
    gm_feed_close(feed);
    return rc;
}

/* ---- one twin ---- */

static gm_rc add_step(void *ctx, const struct gm_change *change, struct gm_err *err)
{
    (void)err;
    struct page *page = ctx;
    add_change(page, change);
    return page->full ? GM_E_CANCELLED : GM_OK;
}

gm_rc gm_admin_history(struct gm_call *call, struct gm_err *err)
{
    struct page page = {.call = call, .out = &call->reply->body, .limit = 20};
    struct gm_history_query query = {.twin = call->part};
    GM_TRY(gm_admin_number(call->query[0], "before", &query.before, err));
    GM_TRY(gm_admin_limit(call->query[1], &page.limit, err));
    GM_TRY(gm_store_reader(gm_engine_store(call->engine), &page.db, err));
    gm_buf_add(page.out, GM_STR("{\"changes\":["));
    gm_rc rc = gm_history_walk(page.db, &query, add_step, &page, err);
    gm_db_close(page.db);
    if (rc == GM_E_END) {
        return gm_fail(err, GM_E_END, "there never was a twin `" GM_STR_FMT "`",
                       GM_STR_ARG(call->part));
    }
    if (rc != GM_OK && !(rc == GM_E_CANCELLED && page.full)) {
        return rc;
    }
    if (page.full) {
        gm_buf_addf(page.out, "],\"next\":%lld}", (long long)page.last);
    } else {
        gm_buf_add(page.out, GM_STR("],\"next\":null}"));
    }
    return GM_OK;
}
