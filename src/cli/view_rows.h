/* Rows of a view on standard output: those of the `gemel run` that keeps it up, where there is one,
 * else those of its last save.
 *
 *     const struct gm_view_rows_options options = {.name_z = name_z, .limit = 100};
 *     GM_TRY(gm_view_rows_print(args, &options, err));
 *
 * What is asked for are the command's options key, from, to, limit (0: all) and next. Any number of
 * rows is asked for page by page, so memory is bounded.
 *
 * Thread rule: the main thread's. */
#ifndef GM_CLI_VIEW_ROWS_H
#define GM_CLI_VIEW_ROWS_H

#include "cli/command.h"

struct gm_view_rows_options {
    const char *name_z;
    int64_t limit; /* where --limit is not given */
    bool whole;    /* one JSON value, as of the API; else rows, one a line */
};
gm_rc gm_view_rows_print(struct gm_args *args, const struct gm_view_rows_options *options,
                         struct gm_err *err) GM_MUST_CHECK;

#endif
