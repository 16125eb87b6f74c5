#include "hub/view_feed.h"

#include "base/coding.h"
#include "base/mem.h"
#include "base/num.h"
#include "stream/follow.h"
#include "view/extract.h"

enum {
    HELD_ROWS_MAX = 256,    /* told while the view is held */
    HELD_EVENTS_MAX = 1024, /* looked at while it is held */
    ROW_SIZE_MAX = 1 << 20,
    TOKEN_SIZE_MAX = 4 << 10,
    IDENTITY_TEXT_SIZE = 2 * sizeof(uint64_t),
    PAGE_LOOKS_MAX = 64,        /* at the view, in one call */
    PAGE_SLICE_ROWS_MAX = 1024, /* which are answered together */
};

/* Rows that are told because of their windows, not of events. */
struct scan {
    bool on;
    gm_ns from, to;      /* beginnings of windows; 0: no bound */
    struct gm_buf after; /* as a query's `next`; n 0: from the start */
};

struct gm_view_feed {
    struct gm_views *views;
    size_t index; /* of the view */
    const struct gm_view_spec *spec;
    struct gm_str key; /* p NULL: any; owned */
    struct gm_views_guest guest;

    /* The cursor. */
    uint64_t identity;
    struct gm_stream_cursor at;
    gm_ns watermark;
    struct scan scan;

    struct gm_stream_follow *follow; /* in front of what comes behind the slice; NULL: not opened */
    uint64_t epoch;                  /* of the view that `touched` is about */
    struct gm_view_place place;      /* of the view, when it was looked at last */
    struct gm_view_touched touched;  /* by the slice */
    size_t told;                     /* of these */
    bool in_slice;
    struct gm_stream_cursor behind; /* the slice */
    /* The newest row, which is told when it is known whether another one follows: the last one of a
     * slice carries the cursor behind it. */
    struct gm_buf row;
    bool has_row;
};

/* ---- cursors ---- */

static void write_bound(gm_ns bound, gm_ns none, struct gm_buf *out)
{
    if (bound == none) {
        gm_buf_add_char(out, '-');
    } else {
        gm_buf_addf(out, "%lld", (long long)bound);
    }
}

static bool read_bound(struct gm_str text, gm_ns none, gm_ns *out_bound)
{
    *out_bound = none;
    return gm_str_is(text, "-") || gm_parse_i64(text, out_bound);
}

void gm_view_feed_cursor(const struct gm_view_feed *feed, struct gm_buf *out)
{
    gm_buf_addf(out, "%016llx:", (unsigned long long)feed->identity);
    gm_stream_cursor_write(&feed->at, out);
    gm_buf_add_char(out, ':');
    write_bound(feed->watermark, INT64_MIN, out);
    if (feed->scan.on) {
        gm_buf_add_char(out, ':');
        write_bound(feed->scan.from, 0, out);
        gm_buf_add_char(out, ':');
        write_bound(feed->scan.to, 0, out);
        gm_buf_add_char(out, ':');
        gm_base64url_add(out, gm_buf_str(&feed->scan.after));
    }
}

static bool read_identity(struct gm_str text, uint64_t *out_identity)
{
    uint64_t identity = 0;
    if (text.n != IDENTITY_TEXT_SIZE) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        int digit = gm_hex_digit(text.p[i]);
        if (digit < 0) {
            return false;
        }
        identity = identity << 4 | (unsigned)digit;
    }
    *out_identity = identity;
    return true;
}

/* FROM ":" TO ":" AFTER */
static bool read_scan(struct gm_str text, struct scan *scan)
{
    struct gm_str from, to;
    scan->on = true;
    if (!gm_str_cut(text, ':', &from, &text) || !gm_str_cut(text, ':', &to, &text) ||
        !read_bound(from, 0, &scan->from) || !read_bound(to, 0, &scan->to) ||
        !gm_base64url_take(&scan->after, text)) {
        return false;
    }
    return scan->after.n == 0 || gm_view_token_check(gm_buf_str(&scan->after));
}

static bool read_offsets(struct gm_str text, struct gm_stream *stream,
                         struct gm_stream_cursor *out_cursor)
{
    struct gm_err ignored;
    if (text.n == 0 || gm_hex_digit(text.p[0]) < 0 ||
        gm_stream_cursor_parse(text, gm_stream_partitions(stream), out_cursor, &ignored) != GM_OK) {
        return false;
    }
    for (int p = 0; p < out_cursor->count; p++) {
        if (out_cursor->next[p] < 0 || out_cursor->next[p] > gm_stream_next(stream, p)) {
            return false; /* nobody was ever there */
        }
    }
    return true;
}

static gm_rc read_cursor(struct gm_view_feed *feed, struct gm_str text, struct gm_err *err)
{
    struct gm_stream *stream = gm_views_stream(feed->views, feed->index);
    struct gm_str identity, offsets, watermark, rest = text;
    bool fine = gm_str_cut(rest, ':', &identity, &rest) && gm_str_cut(rest, ':', &offsets, &rest);
    bool scans = fine && gm_str_cut(rest, ':', &watermark, &rest);
    fine = fine && read_identity(identity, &feed->identity) &&
           read_offsets(offsets, stream, &feed->at) &&
           read_bound(watermark, INT64_MIN, &feed->watermark) &&
           (!scans || read_scan(rest, &feed->scan));
    return fine ? GM_OK
                : gm_fail(err, GM_E_INVALID,
                          "`" GM_STR_FMT "` is no cursor of view `" GM_STR_FMT
                          "`: write oldest, newest, or what was told by the view's changes",
                          GM_STR_ARG(text), GM_STR_ARG(feed->spec->name));
}

/* ---- life ---- */

static void note(struct gm_view_feed *feed)
{
    int64_t seen = 0;
    for (int p = 0; p < feed->at.count; p++) {
        seen += feed->at.next[p];
    }
    gm_views_note(feed->views, &feed->guest, seen);
}

int64_t gm_view_feed_lag(const struct gm_view_feed *feed)
{
    struct gm_stream *stream = gm_views_stream(feed->views, feed->index);
    int64_t lag = 0;
    for (int p = 0; p < feed->at.count; p++) {
        lag += gm_stream_next(stream, p) - feed->at.next[p];
    }
    return lag;
}

static void drop_slice(struct gm_view_feed *feed)
{
    gm_stream_follow_close(feed->follow);
    feed->follow = NULL;
    feed->touched.rows.n = 0;
    feed->told = 0;
    feed->in_slice = false;
}

static gm_rc stand_here(void *ctx, struct gm_view *view, uint64_t epoch, struct gm_err *err)
{
    struct gm_view_feed *feed = ctx;
    (void)err;
    gm_view_place(view, &feed->place);
    feed->epoch = epoch;
    feed->identity = feed->place.identity;
    feed->watermark = feed->spec->size > 0 ? feed->place.watermark : INT64_MIN;
    feed->at.count = gm_stream_partitions(gm_views_stream(feed->views, feed->index));
    for (int p = 0; p < feed->at.count; p++) {
        feed->at.next[p] = feed->place.next[p];
    }
    return GM_OK;
}

static gm_rc stand_at_newest(struct gm_view_feed *feed, struct gm_err *err)
{
    return gm_views_use(feed->views, feed->index, &(struct gm_views_use){stand_here, feed}, err);
}

gm_rc gm_view_feed_restart(struct gm_view_feed *feed, struct gm_err *err)
{
    drop_slice(feed);
    GM_TRY(stand_at_newest(feed, err));
    gm_buf_reset(&feed->scan.after);
    feed->scan.on = true;
    feed->scan.from = 0;
    feed->scan.to = 0;
    note(feed);
    return GM_OK;
}

static gm_rc start(struct gm_view_feed *feed, struct gm_str from, struct gm_err *err)
{
    if (from.n == 0 || gm_str_is(from, "oldest")) {
        return gm_view_feed_restart(feed, err);
    }
    GM_TRY(gm_str_is(from, "newest") ? stand_at_newest(feed, err) : read_cursor(feed, from, err));
    note(feed);
    return GM_OK;
}

gm_rc gm_view_feed_open(const struct gm_view_feed_options *options, struct gm_view_feed **out_feed,
                        struct gm_err *err)
{
    size_t index = gm_views_find(options->views, options->name);
    if (index == gm_views_count(options->views)) {
        return gm_fail(err, GM_E_END, "there is no view `" GM_STR_FMT "`",
                       GM_STR_ARG(options->name));
    }
    struct gm_view_feed *feed = gm_alloc(sizeof(*feed));
    feed->views = options->views;
    feed->index = index;
    feed->spec = gm_views_spec(options->views, index);
    feed->guest.index = index;
    if (options->key.n > 0) {
        feed->key = gm_str_z(gm_str_dup_z(options->key));
    }
    gm_buf_init(&feed->scan.after, TOKEN_SIZE_MAX);
    gm_buf_init(&feed->row, ROW_SIZE_MAX);
    gm_views_enter(feed->views, &feed->guest);
    gm_rc rc = start(feed, options->from, err);
    if (rc != GM_OK) {
        gm_view_feed_close(feed);
        return rc;
    }
    *out_feed = feed;
    return GM_OK;
}

void gm_view_feed_close(struct gm_view_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    union {
        const char *in;
        char *p;
    } key = {.in = feed->key.p};
    gm_views_leave(feed->views, &feed->guest);
    drop_slice(feed);
    gm_vec_deinit(&feed->touched.rows);
    gm_buf_deinit(&feed->scan.after);
    gm_buf_deinit(&feed->row);
    gm_free(key.p);
    gm_free(feed);
}

bool gm_view_feed_between(const struct gm_view_feed *feed)
{
    return !feed->in_slice;
}

/* ---- telling ---- */

struct telling {
    struct gm_view_feed *feed;
    const struct gm_view_feed_out *out;
    bool reads; /* out: there is nothing to tell but what the stream has */
};

static void tell_held(struct telling *telling)
{
    struct gm_view_feed *feed = telling->feed;
    if (feed->has_row) {
        telling->out->tell(telling->out->ctx, GM_VIEW_ROW, gm_buf_str(&feed->row));
        feed->has_row = false;
    }
}

static gm_rc take_row(void *ctx, struct gm_str json, struct gm_err *err)
{
    struct telling *telling = ctx;
    struct gm_view_feed *feed = telling->feed;
    (void)err;
    tell_held(telling);
    gm_buf_reset(&feed->row);
    gm_buf_add(&feed->row, json);
    feed->has_row = true;
    return GM_OK;
}

void gm_view_feed_write_watermark(const struct gm_view_feed *feed, const char *before_z,
                                  struct gm_buf *out)
{
    char time[GM_TIME_TEXT_SIZE];
    if (feed->spec->size == 0 || feed->watermark == INT64_MIN) {
        return;
    }
    (void)gm_time_format_short(feed->watermark, time);
    gm_buf_addf(out, "%s\"watermark\":\"%s\"", before_z, time);
    if (feed->spec->keep > 0) {
        gm_ns hop = feed->spec->hop > 0 ? feed->spec->hop : feed->spec->size;
        gm_ns horizon = feed->watermark - feed->spec->keep - feed->spec->size;
        gm_ns rest = horizon % hop;
        (void)gm_time_format_short(horizon - (rest < 0 ? rest + hop : rest) + hop, time);
        gm_buf_addf(out, ",\"keptFrom\":\"%s\"", time);
    }
}

static void tell_watermark(struct telling *telling)
{
    struct gm_view_feed *feed = telling->feed;
    gm_buf_reset(&feed->row);
    gm_view_feed_write_watermark(feed, "{", &feed->row);
    if (feed->row.n > 0) {
        gm_buf_add_char(&feed->row, '}');
        telling->out->tell(telling->out->ctx, GM_VIEW_WATERMARK, gm_buf_str(&feed->row));
    }
}

static size_t rows_at_once(const struct telling *telling)
{
    return telling->out->rows_max < HELD_ROWS_MAX ? telling->out->rows_max : HELD_ROWS_MAX;
}

static gm_rc tell_scan(struct telling *telling, struct gm_view *view, struct gm_err *err)
{
    struct gm_view_feed *feed = telling->feed;
    struct scan *scan = &feed->scan;
    struct gm_buf next;
    gm_buf_init(&next, TOKEN_SIZE_MAX);
    const struct gm_view_query query = {.key = feed->key,
                                        .from = scan->from,
                                        .to = scan->to,
                                        .after = scan->after.n > 0 ? gm_buf_str(&scan->after)
                                                                   : (struct gm_str){NULL, 0},
                                        .limit = rows_at_once(telling),
                                        .ctx = telling,
                                        .row = take_row,
                                        .next = &next,
                                        .closed_as_of = &feed->watermark};
    gm_rc rc = gm_view_query(view, &query, err);
    if (rc == GM_OK) {
        gm_buf_reset(&scan->after);
        gm_buf_add(&scan->after, gm_buf_str(&next));
        scan->on = next.n > 0;
        tell_held(telling);
    }
    if (rc == GM_OK && !scan->on) {
        tell_watermark(telling);
    }
    feed->has_row = false;
    gm_buf_deinit(&next);
    return rc;
}

static gm_rc tell_slice(struct telling *telling, struct gm_view *view, struct gm_err *err)
{
    struct gm_view_feed *feed = telling->feed;
    const struct gm_view_query query = {
        .ctx = telling, .row = take_row, .closed_as_of = &feed->watermark};
    size_t left = feed->touched.rows.n - feed->told, most = rows_at_once(telling);
    size_t count = left < most ? left : most;
    GM_TRY(gm_view_pick(view, feed->touched.rows.at + feed->told, count, &query, err));
    feed->told += count;
    if (feed->told == feed->touched.rows.n) {
        feed->at = feed->behind;
        feed->in_slice = false;
        feed->touched.rows.n = 0;
        feed->told = 0;
    }
    tell_held(telling);
    return GM_OK;
}

/* Rows of windows that end between the two watermarks say something else of being closed now. A
 * watermark goes back when a partition has its first event. */
static void pass_watermark(struct gm_view_feed *feed)
{
    const struct gm_view_spec *spec = feed->spec;
    gm_ns one = feed->watermark, other = feed->place.watermark;
    gm_ns low = one < other ? one : other, high = one < other ? other : one;
    gm_ns hop = spec->hop > 0 ? spec->hop : spec->size, to = high - spec->size + 1;
    gm_ns last = (to - 1) - (((to - 1) % hop) + hop) % hop; /* beginning of the last window */
    feed->watermark = other;
    if (low != INT64_MIN && last <= low - spec->size) {
        return;
    }
    gm_buf_reset(&feed->scan.after);
    feed->scan.on = true;
    feed->scan.from = low != INT64_MIN ? low - spec->size + 1 : 0;
    feed->scan.to = to != 0 ? to : 1; /* 0 would be no bound */
}

static bool has_come_to(const struct gm_view_feed *feed)
{
    for (int p = 0; p < feed->at.count; p++) {
        if (feed->place.next[p] < feed->at.next[p]) {
            return false;
        }
    }
    return true;
}

/* Under the view's lock: what can be told without the stream. */
static gm_rc look(void *ctx, struct gm_view *view, uint64_t epoch, struct gm_err *err)
{
    struct telling *telling = ctx;
    struct gm_view_feed *feed = telling->feed;
    gm_view_place(view, &feed->place);
    feed->has_row = false;
    if (feed->epoch != epoch) {
        drop_slice(feed);
        feed->epoch = epoch;
    }
    if (feed->identity != feed->place.identity) {
        return gm_fail(err, GM_E_CONFLICT,
                       "view `" GM_STR_FMT "` is another one since it was made anew",
                       GM_STR_ARG(feed->spec->name));
    }
    if (!has_come_to(feed)) {
        return GM_E_END;
    }
    GM_TRY(gm_view_keep_groups(view, err)); /* GM_E_RETRY: there is news when it is saved */
    if (feed->in_slice) {
        return tell_slice(telling, view, err);
    }
    if (!feed->scan.on && feed->spec->size > 0 && feed->place.watermark != feed->watermark) {
        pass_watermark(feed);
    }
    if (feed->scan.on) {
        return tell_scan(telling, view, err);
    }
    telling->reads = true;
    return GM_OK;
}

/* ---- reading a slice ---- */

struct touching {
    struct gm_view_feed *feed;
    struct gm_view_slice slice;
};

static gm_rc touch(void *ctx, struct gm_view *view, uint64_t epoch, struct gm_err *err)
{
    struct touching *touching = ctx;
    struct gm_view_feed *feed = touching->feed;
    if (epoch != feed->epoch) {
        return GM_E_RETRY; /* seen by the next look */
    }
    return gm_view_touch(view, &touching->slice, feed->key, &feed->touched, err);
}

/* Up to *count events that the view has folded; how many it were. GM_E_END: there are none. */
static gm_rc read_events(struct gm_view_feed *feed, size_t *count, struct gm_err *err)
{
    struct gm_stream_page page;
    GM_TRY(gm_stream_follow_read(feed->follow, *count, &page, err));
    int64_t folded = feed->place.next[page.partition];
    size_t usable = page.count;
    while (usable > 0 && page.events[usable - 1].offset >= folded) {
        usable--;
    }
    if (usable < page.count) {
        gm_stream_follow_unread(feed->follow, page.count - usable);
    }
    if (usable == 0) {
        return GM_E_END;
    }
    *count = usable;
    struct touching touching = {feed, {page.partition, page.events, usable}};
    return gm_views_use(feed->views, feed->index, &(struct gm_views_use){touch, &touching}, err);
}

static size_t windows_of_event(const struct gm_view_spec *spec)
{
    gm_ns hop = spec->hop > 0 ? spec->hop : spec->size;
    return spec->size > 0 ? (size_t)((spec->size + hop - 1) / hop) : 1;
}

/* Events of one slice, until its rows are as many as there may be. Rows are sorted when there seem
 * to be enough, or twice as many as at the last time, not for each chunk. */
static gm_rc gather(struct gm_view_feed *feed, size_t rows_max, struct gm_err *err)
{
    size_t each = windows_of_event(feed->spec), settled = 0, looked = 0;
    gm_rc rc = GM_OK;
    while (rc == GM_OK && looked < GM_VIEW_FEED_EVENTS_MAX) {
        size_t rows = feed->touched.rows.n;
        if (rows + each > rows_max || rows > 2 * settled) {
            gm_view_touched_settle(&feed->touched);
            rows = settled = feed->touched.rows.n;
        }
        size_t count = rows_max > rows ? (rows_max - rows) / each : 0;
        if (count == 0 && looked > 0) {
            return GM_OK;
        }
        count = count > 0 ? count : 1;
        count = count < HELD_EVENTS_MAX ? count : HELD_EVENTS_MAX;
        rc = read_events(feed, &count, err);
        looked += count;
    }
    gm_view_touched_settle(&feed->touched);
    return rc;
}

static bool moved(const struct gm_stream_cursor *from, const struct gm_stream_cursor *to)
{
    return memcmp(from->next, to->next, (size_t)from->count * sizeof(from->next[0])) != 0;
}

static gm_rc read_slice(struct gm_view_feed *feed, size_t rows_max, struct gm_err *err)
{
    gm_rc rc = GM_OK;
    if (feed->follow == NULL) {
        struct gm_stream *stream = gm_views_stream(feed->views, feed->index);
        rc = gm_stream_follow_open(stream, &feed->at, &feed->follow, err);
    }
    rc = rc == GM_OK ? gather(feed, rows_max, err) : rc;
    if (rc == GM_E_RETRY) {
        drop_slice(feed);
        return GM_OK;
    }
    if (rc == GM_E_LIMIT || rc == GM_E_CORRUPT) {
        struct gm_err why = *err;
        drop_slice(feed);
        return gm_fail(err, GM_E_CONFLICT, "what changed in view `" GM_STR_FMT "` is not known: %s",
                       GM_STR_ARG(feed->spec->name), why.text);
    }
    if (rc != GM_OK && rc != GM_E_END) {
        drop_slice(feed);
        return rc;
    }
    feed->behind = *gm_stream_follow_cursor(feed->follow);
    feed->in_slice = feed->touched.rows.n > 0;
    bool got_on = moved(&feed->at, &feed->behind);
    if (!feed->in_slice) {
        feed->at = feed->behind; /* nothing of the view was in it */
    }
    return got_on ? GM_OK : GM_E_END;
}

gm_rc gm_view_feed_read(struct gm_view_feed *feed, const struct gm_view_feed_out *out,
                        struct gm_err *err)
{
    struct telling telling = {.feed = feed, .out = out};
    size_t rows_max = out->rows_max < GM_VIEW_FEED_ROWS_MAX ? out->rows_max : GM_VIEW_FEED_ROWS_MAX;
    gm_rc rc = gm_views_use(feed->views, feed->index, &(struct gm_views_use){look, &telling}, err);
    if (rc == GM_E_RETRY) {
        return GM_E_END; /* made anew: it serves in a while */
    }
    if (rc == GM_OK && telling.reads) {
        rc = read_slice(feed, rows_max, err);
    }
    note(feed);
    return rc;
}

static void add_to_page(void *ctx, enum gm_view_message message, struct gm_str json)
{
    struct gm_view_feed_page *page = ctx;
    if (message == GM_VIEW_ROW) {
        gm_buf_add_z(page->out, page->count > 0 ? "," : "");
        gm_buf_add(page->out, json);
        page->count++;
    }
}

gm_rc gm_view_feed_page(struct gm_view_feed *feed, struct gm_view_feed_page *page,
                        struct gm_err *err)
{
    for (int looks = 0; looks < PAGE_LOOKS_MAX; looks++) {
        bool enough = page->count >= page->count_max || page->out->n >= page->size_max;
        if (enough && !feed->in_slice) {
            return GM_E_END;
        }
        size_t left = page->count_max > page->count ? page->count_max - page->count : 1;
        const struct gm_view_feed_out out = {
            .tell = add_to_page,
            .ctx = page,
            .rows_max = left < PAGE_SLICE_ROWS_MAX ? left : PAGE_SLICE_ROWS_MAX};
        GM_TRY(gm_view_feed_read(feed, &out, err));
    }
    return GM_OK;
}
