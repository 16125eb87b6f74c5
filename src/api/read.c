/* Looking: what the GET routes answer. */
#include "api/call.h"
#include "base/metrics.h"

gm_rc gm_admin_health(struct gm_call *call, struct gm_err *err)
{
    (void)err;
    gm_buf_add_z(&call->reply->body, "{\"status\":\"up\",\"version\":\"" GM_VERSION "\"}");
    return GM_OK;
}

gm_rc gm_admin_metrics(struct gm_call *call, struct gm_err *err)
{
    (void)err;
    call->reply->content_type_z = "text/plain; version=0.0.4; charset=utf-8";
    gm_metrics_write(&call->reply->body);
    return GM_OK;
}
