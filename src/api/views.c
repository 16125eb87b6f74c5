/* Views over the admin API: for commands of the same user. */
#include "api/call.h"
#include "hub/views_json.h"

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
