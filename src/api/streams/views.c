/* Views: their list, their rows, making one anew. */
#include "hub/views_json.h"

#include "api/streams/inside.h"

static void refuse(struct gm_adt_call *call, gm_rc rc, const struct gm_err *err)
{
    gm_buf_reset(&call->http->reply.body);
    switch (rc) {
    case GM_E_END:
        gm_adt_refuse(call, 404, "ViewNotFound", "%s.", err->text);
        break;
    case GM_E_INVALID:
        gm_adt_refuse(call, 400, GM_STREAMS_INVALID, "%s.", err->text);
        break;
    case GM_E_LIMIT:
        gm_adt_refuse(call, 400, "LimitExceeded", "%s.", err->text);
        break;
    case GM_E_CONFLICT:
        gm_adt_refuse(call, 409, "ViewIsRebuilt", "%s.", err->text);
        break;
    default:
        gm_adt_fail(call, rc, err);
        break;
    }
}

void gm_views_op_list(struct gm_adt_call *call)
{
    const struct gm_streams_api *api = call->mount;
    gm_views_write_list(api->options.views, &call->http->reply.body);
    gm_adt_answer(call, 200);
}

static void answer_rows(struct gm_adt_call *call)
{
    const struct gm_streams_api *api = call->mount;
    const struct gm_views_ask ask = {.name = call->parts[0],
                                     .key = gm_adt_param(call, "key"),
                                     .from = gm_adt_param(call, "from"),
                                     .to = gm_adt_param(call, "to"),
                                     .limit = gm_adt_param(call, "limit"),
                                     .after = gm_adt_param(call, "continuationToken")};
    const struct gm_view_source source = {.views = api->options.views};
    struct gm_err err = {0};
    gm_rc rc = gm_views_write_rows(&source, &ask, &call->http->reply.body, &err);
    if (rc != GM_OK) {
        refuse(call, rc, &err);
    } else {
        gm_adt_answer(call, 200);
    }
}

void gm_views_op_rows(struct gm_adt_call *call)
{
    gm_adt_work(call, answer_rows);
}

static void changes_work(struct gm_adt_call *call)
{
    const struct gm_streams_api *api = call->mount;
    struct gm_follow_asked asked;
    struct gm_following following = {0};
    struct gm_err err = {0};
    if (!gm_follow_read_asked(call, &asked)) {
        return;
    }
    const struct gm_view_feed_options options = {.views = api->options.views,
                                                 .name = call->parts[0],
                                                 .from = asked.from,
                                                 .key = gm_adt_param(call, "key")};
    gm_rc rc = gm_view_feed_open(&options, &following.view, &err);
    if (rc != GM_OK) {
        refuse(call, rc, &err);
    } else {
        following.what_z =
            gm_arena_format(call->arena, "views/" GM_STR_FMT, GM_STR_ARG(call->parts[0])).p;
        gm_follow(call, &asked, &following);
    }
}

void gm_views_op_changes(struct gm_adt_call *call)
{
    gm_adt_work(call, changes_work);
}

static void rebuild(struct gm_adt_call *call)
{
    const struct gm_streams_api *api = call->mount;
    struct gm_err err = {0};
    gm_rc rc = gm_views_rebuild(api->options.views, call->parts[0], &err);
    if (rc != GM_OK) {
        refuse(call, rc, &err);
    } else {
        gm_adt_answer(call, 202);
    }
}

void gm_views_op_rebuild(struct gm_adt_call *call)
{
    gm_adt_work(call, rebuild);
}
