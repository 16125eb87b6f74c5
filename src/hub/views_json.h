/* Views as JSON: the same over HTTP and from commands.
 *
 *     {"value":[{"name":"per_minute","stream":"telemetry","keys":50000,"watermark":…,"lag":0,…}]}
 *     {"value":[ROW, …],"continuationToken":TEXT or null}
 *
 * What rows look like stands in view/view.h; times in questions are RFC 3339. */
#ifndef GM_HUB_VIEWS_JSON_H
#define GM_HUB_VIEWS_JSON_H

#include "hub/views.h"

enum { GM_VIEWS_ROWS = 100, GM_VIEWS_ROWS_MAX = 10000 };

void gm_views_write_list(struct gm_views *views, struct gm_buf *out);

/* As it was asked; p NULL or n 0: not given. */
struct gm_views_ask {
    struct gm_str name, key, from, to, limit, after;
};
/* `views` NULL: `view` is looked at. GM_E_INVALID: a part of the question is wrong. GM_E_END: there
 * is no such view. */
struct gm_view_source {
    struct gm_views *views;
    struct gm_view *view;
};
gm_rc gm_views_write_rows(const struct gm_view_source *source, const struct gm_views_ask *ask,
                          struct gm_buf *out, struct gm_err *err) GM_MUST_CHECK;

#endif
