/* Views over the admin API: for commands of the same user. */
#include "api/call.h"
#include "hub/view_feed.h"
#include "hub/views_json.h"
#include "os/thread.h"

static gm_rc wants_views(const struct gm_call *call, struct gm_err *err)
{
    return call->views != NULL ? GM_OK
                               : gm_fail(err, GM_E_RETRY, "views are not served by this process");
}

gm_rc gm_admin_views(struct gm_call *call, struct gm_err *err)
{
    (void)err;
    gm_views_write_list(call->views, &call->reply->body);
    return GM_OK;
}

gm_rc gm_admin_view_rows(struct gm_call *call, struct gm_err *err)
{
    GM_TRY(wants_views(call, err));
    const struct gm_views_ask ask = {.name = call->part,
                                     .key = call->query[0],
                                     .from = call->query[1],
                                     .to = call->query[2],
                                     .limit = call->query[3],
                                     .after = call->query[4]};
    const struct gm_view_source source = {.views = call->views};
    return gm_views_write_rows(&source, &ask, &call->reply->body, err);
}

gm_rc gm_admin_view_rebuild(struct gm_call *call, struct gm_err *err)
{
    GM_TRY(wants_views(call, err));
    GM_TRY(gm_views_rebuild(call->views, call->part, err));
    call->reply->status = 202;
    gm_buf_add_z(&call->reply->body, "{\"accepted\":true}");
    return GM_OK;
}

/* ---- changes ---- */

enum { CHANGES_LIMIT = 100, CHANGES_LIMIT_MAX = 10000, CHANGES_SIZE_MAX = 8 << 20 };
#define CHANGES_WAIT_MAX GM_MINUTE

struct view_changes {
    int64_t limit;
    gm_ns wait;
};

static gm_rc read_changes_query(const struct gm_call *call, struct view_changes *asked,
                                struct gm_err *err)
{
    struct gm_str wait = call->query[3];
    *asked = (struct view_changes){.limit = CHANGES_LIMIT};
    GM_TRY(gm_admin_number(call->query[2], "limit", &asked->limit, err));
    if (asked->limit < 1 || asked->limit > CHANGES_LIMIT_MAX) {
        return gm_fail(err, GM_E_INVALID, "`limit` is at least 1 and at most %d",
                       CHANGES_LIMIT_MAX);
    }
    if (wait.n > 0 &&
        (!gm_span_parse(wait, &asked->wait) || asked->wait < 0 || asked->wait > CHANGES_WAIT_MAX)) {
        return gm_fail(err, GM_E_INVALID, "`wait` is a span of time of at most 60s");
    }
    return GM_OK;
}

/* A worker waits with the request, so these are few. */
static gm_rc begin_wait(struct gm_desk *desk, struct gm_err *err)
{
    gm_mutex_lock(desk->mu);
    bool room = desk->view_waits < GM_CHANGE_WAITS_MAX;
    desk->view_waits += room ? 1 : 0;
    gm_mutex_unlock(desk->mu);
    return room ? GM_OK
                : gm_fail(err, GM_E_RETRY, "%d requests wait for views already; try again later",
                          GM_CHANGE_WAITS_MAX);
}

static void end_wait(struct gm_desk *desk)
{
    gm_mutex_lock(desk->mu);
    desk->view_waits--;
    gm_mutex_unlock(desk->mu);
}

static gm_rc fill_page(const struct gm_call *call, struct gm_view_feed *feed,
                       struct gm_view_feed_page *page, gm_ns wait, struct gm_err *err)
{
    const struct gm_clock *clock = gm_clock_system();
    gm_ns until = clock->mono(clock) + wait;
    uint64_t seen = 0;
    gm_rc rc = GM_OK;
    while (rc == GM_OK) {
        rc = gm_view_feed_page(feed, page, err);
        gm_ns left = until - clock->mono(clock);
        bool waits = rc == GM_E_END && page->count == 0 && left > 0;
        if (waits && !gm_stop_requested(call->desk->stop)) {
            (void)!gm_views_wait(call->views, &seen, left);
            rc = GM_OK;
        }
    }
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc write_changes(const struct gm_call *call, struct gm_view_feed *feed,
                           const struct view_changes *asked, struct gm_err *err)
{
    struct gm_buf *body = &call->reply->body;
    struct gm_view_feed_page page = {
        .out = body, .count_max = (size_t)asked->limit, .size_max = CHANGES_SIZE_MAX};
    gm_buf_add_z(body, "{\"value\":[");
    GM_TRY(fill_page(call, feed, &page, asked->wait, err));
    gm_buf_add_z(body, "],\"cursor\":\"");
    gm_view_feed_cursor(feed, body);
    gm_buf_add_char(body, '"');
    gm_view_feed_write_watermark(feed, ",", body);
    gm_buf_add_char(body, '}');
    return GM_OK;
}

gm_rc gm_admin_view_changes(struct gm_call *call, struct gm_err *err)
{
    struct view_changes asked;
    struct gm_view_feed *feed;
    GM_TRY(wants_views(call, err));
    GM_TRY(read_changes_query(call, &asked, err));
    GM_TRY(begin_wait(call->desk, err));
    const struct gm_view_feed_options options = {
        .views = call->views, .name = call->part, .key = call->query[0], .from = call->query[1]};
    gm_rc rc = gm_view_feed_open(&options, &feed, err);
    if (rc == GM_OK) {
        rc = write_changes(call, feed, &asked, err);
        gm_view_feed_close(feed);
    }
    end_wait(call->desk);
    return rc;
}
