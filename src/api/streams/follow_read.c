/* What a follower reads: events of a stream, changes of twins, rows of a view. */
#include "api/streams/inside.h"
#include "hub/event_json.h"
#include "store/feed.h"

enum {
    LOOKED_MAX = 64 << 10, /* events in one turn, so that the others have theirs */
    VIEW_LOOKS_MAX = 64,   /* at a view in one turn, likewise */
};
/* Between two slices of a view that is followed: rows that change often are told this often. */
#define VIEW_PERIOD (50 * GM_MS)

gm_ns gm_follow_now(void)
{
    return gm_clock_system()->mono(gm_clock_system());
}

void gm_follower_write_cursor(const struct gm_follower *follower, struct gm_buf *out)
{
    const struct gm_following *following = &follower->following;
    if (following->view != NULL) {
        gm_view_feed_cursor(following->view, out);
    } else if (following->feed != NULL) {
        gm_buf_addf(out, "%lld", (long long)following->num);
    } else {
        gm_stream_cursor_write(gm_stream_follow_cursor(following->stream), out);
    }
}

/* JSON has line ends between its parts only: there a space is as good. */
void gm_follower_add_data(struct gm_buf *out, size_t from)
{
    for (size_t i = from; i < out->n; i++) {
        if (out->p[i] == '\n' || out->p[i] == '\r') {
            out->p[i] = ' ';
        }
    }
    gm_buf_add_z(out, "\n\n");
}

static bool wanted(const struct gm_follower *follower, const struct gm_event *event)
{
    const struct gm_str *key = &follower->following.key;
    return key->n == 0 || gm_str_eq(*key, event->key);
}

static void write_event(struct gm_follower *follower, const struct gm_stream_page *page, size_t at,
                        struct gm_buf *out)
{
    const struct gm_event *event = &page->events[at];
    if (!follower->sends_events) {
        gm_buf_add_z(out, follower->count > 0 ? "," : "");
        gm_event_write_json(event, page->partition, out);
        return;
    }
    struct gm_stream_cursor cursor = *gm_stream_follow_cursor(follower->following.stream);
    cursor.next[page->partition] = event->offset + 1;
    gm_buf_add_z(out, "id: ");
    gm_stream_cursor_write(&cursor, out);
    gm_buf_add_z(out, "\ndata: ");
    size_t from = out->n;
    gm_event_write_json(event, page->partition, out);
    gm_follower_add_data(out, from);
}

/* GM_OK: there may be more, but not in this turn. GM_E_END: there is no more now. */
static gm_rc read_stream(struct gm_follower *follower, size_t size_max, struct gm_buf *out,
                         struct gm_stream_page *page, struct gm_err *err)
{
    size_t looked = 0;
    while (looked < LOOKED_MAX && out->n < size_max) {
        size_t left = follower->sends_events ? 64 : follower->following.count_max - follower->count;
        if (left == 0) {
            return GM_E_END;
        }
        GM_TRY(gm_stream_follow_read(follower->following.stream, left, page, err));
        for (size_t i = 0; i < page->count; i++) {
            if (wanted(follower, &page->events[i])) {
                write_event(follower, page, i, out);
                follower->count++;
            }
        }
        looked += page->count;
    }
    return GM_OK;
}

static gm_rc read_changes(struct gm_follower *follower, size_t size_max, struct gm_buf *out,
                          struct gm_err *err)
{
    struct gm_following *following = &follower->following;
    struct gm_change change;
    for (size_t looked = 0; looked < LOOKED_MAX && out->n < size_max; looked++) {
        if (!follower->sends_events && follower->count == following->count_max) {
            return GM_E_END;
        }
        GM_TRY(gm_feed_read(following->feed, following->num, &change, err));
        following->num++;
        if (following->key.n > 0 && !gm_str_eq(following->key, change.twin)) {
            continue;
        }
        if (follower->sends_events) {
            gm_buf_addf(out, "id: %lld\ndata: ", (long long)following->num);
        } else {
            gm_buf_add_z(out, follower->count > 0 ? "," : "");
        }
        size_t from = out->n;
        gm_change_write_json(&change, (struct gm_str){NULL, 0}, out);
        if (follower->sends_events) {
            gm_follower_add_data(out, from);
        }
        follower->count++;
    }
    return GM_OK;
}

static void tell_view(void *ctx, enum gm_view_message message, struct gm_str json)
{
    struct gm_follower *follower = ctx;
    struct gm_buf *out = &follower->piece;
    gm_buf_add_z(out, message == GM_VIEW_WATERMARK ? "event: watermark\nid: " : "id: ");
    gm_view_feed_cursor(follower->following.view, out);
    gm_buf_add_z(out, "\ndata: ");
    size_t from = out->n;
    gm_buf_add(out, json);
    gm_follower_add_data(out, from);
}

static gm_rc read_view_events(struct gm_follower *follower, size_t size_max, struct gm_err *err)
{
    struct gm_view_feed *view = follower->following.view;
    const struct gm_view_feed_out out = {tell_view, follower, GM_VIEW_FEED_ROWS_MAX};
    for (int looks = 0; looks < VIEW_LOOKS_MAX && follower->piece.n < size_max; looks++) {
        bool between = gm_view_feed_between(view);
        if (between && gm_follow_now() < follower->rests_until) {
            return GM_E_END;
        }
        GM_TRY(gm_view_feed_read(view, &out, err));
        if (!between && gm_view_feed_between(view)) {
            follower->rests_until = gm_follow_now() + VIEW_PERIOD;
        }
    }
    return GM_OK;
}

static gm_rc read_view_page(struct gm_follower *follower, size_t size_max, struct gm_err *err)
{
    struct gm_view_feed_page page = {.out = &follower->piece,
                                     .count_max = follower->following.count_max,
                                     .size_max = size_max,
                                     .count = follower->count};
    gm_rc rc = gm_view_feed_page(follower->following.view, &page, err);
    follower->count = page.count;
    return rc;
}

gm_rc gm_follower_read(struct gm_follower *follower, size_t size_max, struct gm_stream_page *page,
                       struct gm_err *err)
{
    if (follower->following.view != NULL) {
        return follower->sends_events ? read_view_events(follower, size_max, err)
                                      : read_view_page(follower, size_max, err);
    }
    return follower->following.feed != NULL
               ? read_changes(follower, size_max, &follower->piece, err)
               : read_stream(follower, size_max, &follower->piece, page, err);
}
