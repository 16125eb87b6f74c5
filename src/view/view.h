/* Views: read models folded from the events of one stream. Latest values, or aggregates over
 * windows of event time; by any key, or by what a key belongs to.
 *
 *     struct gm_view_value values[] = {{.name = GM_STR("temperature"),
 *                                       .path = GM_STR("machine.temperature"),
 *                                       .aggregates = GM_AGG_COUNT | GM_AGG_MEAN | GM_AGG_MAX}};
 *     struct gm_view_spec spec = {.name = GM_STR("per_minute"), .by = GM_STR("$key"),
 *                                 .size = GM_MINUTE, .values = values, .value_count = 1};
 *     GM_TRY(gm_view_open(&options, &view, err));
 *     while (… events from the stream, behind gm_view_next(view, partition) …) {
 *         GM_TRY(gm_view_fold(view, &slice, err));
 *     }
 *     GM_TRY(gm_view_checkpoint(view, err));             // state and cursor, one commit
 *     GM_TRY(gm_view_query(view, &query, &err));
 *
 * What a view holds is a function of its stream's events in their order, and of nothing else: not
 * of when checkpoints were made, what was in memory, or how often a process ended. So a view that
 * is made anew from its stream equals the old one (gm_view_dump gives the same bytes).
 *
 * Event time. The watermark of a partition is the latest time that its events had, less `lateness`.
 * A window is closed when the watermark has passed its end; an event that comes later still is
 * folded into it, and counted as a correction. Only windows that ended `keep` before the watermark
 * are gone: an event for one of them is passed over.
 *
 * State. Each partition of the stream has state of its own (keys, windows, watermark); a row is
 * merged from its partitions, in their order, when it is looked at. A cell is what is known of one
 * key in one window. Cells that were touched lately are in memory, dense; the others in the view's
 * SQLite file, from where they are fetched one by one. A process that ends without a checkpoint
 * goes on from the last one.
 *
 * Groups. `by` may lead from a key to what it belongs to (a sensor's machine) through `group_of`.
 * The answers are part of the view's source: they are kept in its file with the offset from which
 * they hold, and a view that is made anew takes them from the old one.
 *
 * Values that are not there, or no numbers where numbers are needed, are passed over. Mean and
 * deviation are Welford's (1962), merged as Chan, Golub and LeVeque (1979) have it; quantiles come
 * from a sketch with a relative error of 1 % (DDSketch, Masson, Rim and Lee, VLDB 2019).
 *
 * Thread rule: any thread; folding and checkpoints are one caller's, looking is anybody's. */
#ifndef GM_VIEW_VIEW_H
#define GM_VIEW_VIEW_H

#include "base/buf.h"
#include "base/status.h"
#include "base/vec.h"
#include "flow/event.h"
#include "os/clock.h"

enum {
    GM_VIEW_VALUES_MAX = 32,
    GM_VIEW_QUANTILES_MAX = 8,
    GM_VIEW_HOPS_MAX = 64,       /* windows that one event belongs to */
    GM_VIEW_TEXT_SIZE_MAX = 256, /* of a latest value that is a text; longer ones are cut */
    GM_VIEW_PARTITIONS_MAX = 64,
};

enum gm_aggregate {
    GM_AGG_COUNT = 1,
    GM_AGG_SUM = 2,
    GM_AGG_MEAN = 4,
    GM_AGG_MIN = 8,
    GM_AGG_MAX = 16,
    GM_AGG_STDDEV = 32, /* of the values themselves (population) */
    GM_AGG_FIRST = 64,  /* by event time, then by order in the stream */
    GM_AGG_LAST = 128,
    GM_AGG_QUANTILES = 256,
};

struct gm_view_value {
    struct gm_str name;
    struct gm_str path;  /* in the body: "machine.temperature" */
    struct gm_str when;  /* a condition on the body: only events of which it is true; n 0: all */
    unsigned aggregates; /* enum gm_aggregate; of a view of latest values: none */
    unsigned quantiles;  /* which of the view's are shown, a bit each; 0: all of them */
};

struct gm_view_spec {
    struct gm_str name;
    struct gm_str stream;
    struct gm_str by;    /* "$key", "$origin", "$type", or a path in the body */
    struct gm_str group; /* how `group_of` finds what a key belongs to, as text; n 0: it is NULL */
    gm_ns size;          /* of windows; 0: latest values */
    gm_ns hop;           /* from one window's beginning to the next; 0: size */
    gm_ns lateness;
    gm_ns keep; /* 0: for ever */
    const struct gm_view_value *values;
    size_t value_count;
    double quantiles[GM_VIEW_QUANTILES_MAX]; /* 0 … 1 */
    size_t quantile_count;
};

struct gm_view_options {
    const struct gm_view_spec *spec; /* keeps */
    const char *path_z;              /* of the view's file */
    int partitions;                  /* of its stream */
    /* What a key belongs to, in `out`; nothing: to nothing, and the event is passed over. NULL: a
     * key is its own group. */
    gm_rc (*group_of)(void *ctx, struct gm_str key, struct gm_buf *out, struct gm_err *err);
    void *ctx;
    const char *groups_from_z; /* of a view made anew: the old one's file. NULL: none */
    const char *vfs_z;         /* see db/db.h */
    /* Where the stream's partitions end now; borrowed while it is opened. What keys belonged to for
     * events in front of it is not asked again, see gm_view_keep_groups. NULL: no matter. */
    const int64_t *ends;
};

struct gm_view;
/* GM_E_CONFLICT: the file is of another spec; make the view anew. */
gm_rc gm_view_open(const struct gm_view_options *options, struct gm_view **out_view,
                   struct gm_err *err) GM_MUST_CHECK;
void gm_view_close(struct gm_view *view); /* without a checkpoint; NULL is fine */

/* Offset of the first event of a partition that is not in the view. */
int64_t gm_view_next(struct gm_view *view, int partition);
/* The same of all partitions, as a view's file has them: for another process's view. */
gm_rc gm_view_saved(const char *path_z, int partitions, int64_t *out_next, struct gm_err *err)
    GM_MUST_CHECK;
/* Events of one partition, in order, from gm_view_next on or before: what is in the view already is
 * passed over. */
struct gm_view_slice {
    int partition;
    const struct gm_event *events;
    size_t count;
};
gm_rc gm_view_fold(struct gm_view *view, const struct gm_view_slice *slice, struct gm_err *err)
    GM_MUST_CHECK;
/* The same for several views of one stream, in order of their addresses' locks as they stand in the
 * array (the same order everywhere): each body is parsed once. A view that fails holds up no other;
 * the failure of the first is returned. */
gm_rc gm_views_fold(struct gm_view *const *views, size_t count, const struct gm_view_slice *slice,
                    struct gm_err *err) GM_MUST_CHECK;
/* GM_OK, or why the view folds nothing more: close it, and open it anew. */
gm_rc gm_view_failure(struct gm_view *view, struct gm_err *err) GM_MUST_CHECK;
/* What keys belong to may have changed: asked again from the next event on. */
void gm_view_regroup(struct gm_view *view);
/* Brings the file up to what was folded, and lets go of windows that are closed. Folding and
 * looking go on meanwhile. After a failure the view folds nothing more: close it, and open it
 * anew. */
gm_rc gm_view_checkpoint(struct gm_view *view, struct gm_err *err) GM_MUST_CHECK;

/* ---- looking ---- */

struct gm_view_query {
    struct gm_str key;   /* p NULL: all */
    gm_ns from, to;      /* beginnings of windows: from <= begin < to; 0: no bound */
    struct gm_str after; /* `next` of the page before; p NULL: from the start */
    size_t limit;
    void *ctx;
    /* A row as a JSON object, in order of windows and then of keys' bytes; borrowed for the
     * call. */
    gm_rc (*row)(void *ctx, struct gm_str json, struct gm_err *err);
    struct gm_buf *next; /* out: where to go on; stays empty at the end */
    /* What rows say of being closed is said as of this watermark; NULL: the view's own. */
    const gm_ns *closed_as_of;
};
gm_rc gm_view_query(struct gm_view *view, const struct gm_view_query *query, struct gm_err *err)
    GM_MUST_CHECK;
/* False: `after` is not what a query's `next` was. */
bool gm_view_token_check(struct gm_str after);
/* Every row, a line each, and the watermarks: the view's content as bytes. */
gm_rc gm_view_dump(struct gm_view *view,
                   gm_rc (*write)(void *ctx, struct gm_str bytes, struct gm_err *err), void *ctx,
                   struct gm_err *err) GM_MUST_CHECK;

/* ---- following ----
 *
 * Which rows events have changed follows from the events, so whoever wants to know of changes reads
 * the stream behind the view, and then the rows: hub/view_feed.h. */

/* How far a view is, seen at once. */
struct gm_view_place {
    /* Rows changed by events alone as long as it stays; a view that is made anew has another one,
     * unless it is the same to the byte. */
    uint64_t identity;
    int64_t next[GM_VIEW_PARTITIONS_MAX]; /* see gm_view_next */
    gm_ns watermark;                      /* as in gm_view_info */
};
void gm_view_place(struct gm_view *view, struct gm_view_place *out_place);

/* Rows by name; numbers of keys hold until the view is closed. */
struct gm_view_row {
    gm_ns start; /* of the window; 0 of latest values */
    uint32_t key;
};
struct gm_view_touched {
    GM_VEC(struct gm_view_row) rows;
};
/* Adds the rows that events have touched, all of which the view has folded; of one key, unless
 * `key` has p NULL. A row is there once for each event; gm_view_touched_settle sorts them, and
 * leaves each once. GM_E_RETRY: it could not be saved, and will be opened anew. */
gm_rc gm_view_touch(struct gm_view *view, const struct gm_view_slice *slice, struct gm_str key,
                    struct gm_view_touched *touched, struct gm_err *err) GM_MUST_CHECK;
void gm_view_touched_settle(struct gm_view_touched *touched);
/* Tells those rows of `rows` that there are, as they are now, by the query's `row`, `ctx` and
 * `closed_as_of`; of the query nothing else counts. */
gm_rc gm_view_pick(struct gm_view *view, const struct gm_view_row *rows, size_t count,
                   const struct gm_view_query *query, struct gm_err *err) GM_MUST_CHECK;
/* Before somebody is told of rows: what keys belong to, as it was counted, holds from now on
 * whatever becomes of the process, for events that are folded and those folded next. Does nothing
 * most of the time, and where a key is its own group. GM_E_RETRY: a checkpoint is being written;
 * later. */
gm_rc gm_view_keep_groups(struct gm_view *view, struct gm_err *err) GM_MUST_CHECK;
/* Of a view that is made anew and has caught up: takes the identity of the old one when it was
 * folded from the same events, counted for the same groups. Kept with the next checkpoint. */
void gm_view_inherit(struct gm_view *view, struct gm_view *old);

struct gm_view_info {
    size_t keys;
    size_t cells;      /* in memory */
    gm_ns watermark;   /* the lowest of its partitions; INT64_MIN: no event yet */
    int64_t late;      /* events for windows that are gone; since it was opened */
    int64_t ungrouped; /* events whose key belongs to nothing; since it was opened */
};
void gm_view_info(struct gm_view *view, struct gm_view_info *out_info);

#endif
