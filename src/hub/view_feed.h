/* What becomes of a view's rows, told in order from a cursor: so that others keep read models of
 * their own equal to it.
 *
 *     struct gm_view_feed_options options = {.views = views, .name = name, .from = from};
 *     GM_TRY(gm_view_feed_open(&options, &feed, err));
 *     while ((rc = gm_view_feed_read(feed, &out, err)) == GM_OK) { … out.tell was called … }
 *     gm_views_wait(views, &seen, GM_MINUTE);                       // GM_E_END: nothing now
 *     gm_view_feed_cursor(feed, &text);                             // where to go on
 *
 * No list of changes is kept. Which rows an event changes follows from the event, so a feed reads
 * the stream behind the view, gathers the rows that a slice of events touched, each once, and tells
 * them as they are when it looks, once the view has folded the slice. A row may be told more often
 * than it changed, never less; whoever puts rows in place by key and beginning of the window, in
 * the order told, ends with what the view has.
 *
 * A cursor is
 *
 *     IDENTITY ":" OFFSETS ":" WATERMARK [":" FROM ":" TO ":" AFTER]
 *
 * the view's identity (see struct gm_view_place); the offset of the next event of each partition;
 * the watermark up to which windows were told to be closed, in nanoseconds, "-": none. The rest
 * stands there while rows are told that no event touched: those of windows that begin between FROM
 * and TO ("-": no bound) and behind the row AFTER. That is done at the beginning (`oldest`: all
 * rows as they are, then what changes), and whenever the watermark passed ends of windows: their
 * rows are told once more, and then the watermark itself. Rows say `closed` as of the cursor's
 * watermark, so a window does not close twice.
 *
 * After a crash the view is behind what a cursor says until it has folded the same events again;
 * the feed waits for that. When events can no longer tell what changed (the view was made anew and
 * is another, the stream's retention was faster) it is GM_E_CONFLICT, and gm_view_feed_restart
 * begins with all rows again. Rows that `keep` lets go are not told: the watermark is told with the
 * beginning of the first window that is kept.
 *
 * Bounds: GM_VIEW_FEED_ROWS_MAX rows of a slice, GM_VIEW_FEED_EVENTS_MAX events. The view is held
 * for a few hundred rows at a time.
 *
 * Thread rule: one owner. */
#ifndef GM_HUB_VIEW_FEED_H
#define GM_HUB_VIEW_FEED_H

#include "hub/views.h"

enum {
    GM_VIEW_FEED_ROWS_MAX = 16 << 10,
    GM_VIEW_FEED_EVENTS_MAX = 64 << 10,
};

struct gm_view_feed_options {
    struct gm_views *views; /* keeps */
    struct gm_str name;
    struct gm_str from; /* "oldest" (n 0 as well), "newest", or a cursor */
    struct gm_str key;  /* only rows of this one; n 0: all. Copied */
};
struct gm_view_feed;
/* GM_E_END: there is no such view. GM_E_INVALID: `from` is no cursor of it. GM_E_RETRY: it is being
 * made anew, and there is nothing to look at yet. */
gm_rc gm_view_feed_open(const struct gm_view_feed_options *options, struct gm_view_feed **out_feed,
                        struct gm_err *err) GM_MUST_CHECK;
void gm_view_feed_close(struct gm_view_feed *feed); /* NULL is fine */

enum gm_view_message {
    GM_VIEW_ROW,       /* as gm_view_query tells it */
    GM_VIEW_WATERMARK, /* {"watermark":"…","keptFrom":"…"}; windows that end before it are closed */
};
struct gm_view_feed_out {
    /* Within it, gm_view_feed_cursor is where to go on behind this message. It borrows, and does
     * not call the views: the view is held meanwhile. */
    void (*tell)(void *ctx, enum gm_view_message message, struct gm_str json);
    void *ctx;
    size_t rows_max; /* of a slice; one event's rows stay together, though they may be more */
};
/* Tells something, or gets on: call it again. GM_E_END: there is nothing more now. GM_E_CONFLICT:
 * see above. */
gm_rc gm_view_feed_read(struct gm_view_feed *feed, const struct gm_view_feed_out *out,
                        struct gm_err *err) GM_MUST_CHECK;
/* Rows for an answer, with commas between, until there are enough: it ends between slices, so that
 * the cursor is behind all of them. GM_OK: not between slices, or there may be more; call it again.
 * GM_E_END: enough, or there is nothing more now. */
struct gm_view_feed_page {
    struct gm_buf *out;
    size_t count_max, size_max;
    size_t count; /* of rows; 0 at first */
};
gm_rc gm_view_feed_page(struct gm_view_feed *feed, struct gm_view_feed_page *page,
                        struct gm_err *err) GM_MUST_CHECK;
/* Events of the view's stream that were not looked at yet. */
int64_t gm_view_feed_lag(const struct gm_view_feed *feed);
/* All rows as they are, then what changes. */
gm_rc gm_view_feed_restart(struct gm_view_feed *feed, struct gm_err *err) GM_MUST_CHECK;
/* False: in the midst of a slice, whose rows would be told again from the cursor. */
bool gm_view_feed_between(const struct gm_view_feed *feed);
void gm_view_feed_cursor(const struct gm_view_feed *feed, struct gm_buf *out);
/* Members `"watermark":"…","keptFrom":"…"` of the cursor behind `before_z`; nothing when it has
 * none. */
void gm_view_feed_write_watermark(const struct gm_view_feed *feed, const char *before_z,
                                  struct gm_buf *out);

#endif
