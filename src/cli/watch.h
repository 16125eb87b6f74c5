/* A query that is asked again and again: `gemel query … --watch 1s`.
 *
 *     struct gm_watch_options options = {.every = GM_SECOND, .text = query, .ask = ask};
 *     GM_TRY(gm_watch_run(&options, err));              // until Ctrl-C
 *
 * On a terminal the rows are a table that is drawn over the one before, as large as the terminal
 * is; elsewhere each round prints its rows, a line of JSON each. A round that fails after the first
 * one is told, and asked again: what is looked at may just be made anew.
 *
 * Thread rule: the main thread. */
#ifndef GM_CLI_WATCH_H
#define GM_CLI_WATCH_H

#include "base/time.h"
#include "json/json.h"

#define GM_WATCH_EVERY_MIN (50 * GM_MS)
#define GM_WATCH_EVERY_MAX GM_DAY

typedef gm_rc (*gm_watch_row_fn)(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *row,
                                 struct gm_err *err);
/* One round: what to ask for, and what came of it. */
struct gm_watch_round {
    size_t rows_max;     /* 0: all */
    gm_watch_row_fn row; /* of each row, which is borrowed for the call */
    void *row_ctx;
    bool more; /* out: there are more rows */
};
struct gm_watch_options {
    gm_ns every; /* from the beginning of a round to that of the next */
    struct gm_str text;
    bool json;       /* lines of JSON on a terminal, too */
    size_t rows_max; /* of a round; 0: as many as the terminal has lines, or all */
    gm_rc (*ask)(void *ctx, struct gm_watch_round *round, struct gm_err *err);
    void *ctx;
};

/* GM_OK: Ctrl-C. Else why the first round failed. */
gm_rc gm_watch_run(const struct gm_watch_options *options, struct gm_err *err) GM_MUST_CHECK;

#endif
