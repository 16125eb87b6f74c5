/* Models: uploaded, decommissioned and deleted for the command line, while this process has the
 * store. */
#include "api/call.h"
#include "store/model_service.h"

static struct gm_model_limits limits_of(const struct gm_call *call)
{
    const struct gm_config_root *root = gm_config_root(gm_engine_config(call->engine));
    return (struct gm_model_limits){.total_max = (size_t)root->api.limits.models};
}

gm_rc gm_admin_models_upload(struct gm_call *call, struct gm_err *err)
{
    struct gm_model_answer answer = {.arena = call->arena};
    struct gm_model_limits limits = limits_of(call);
    struct gm_model_upload upload = {
        .interfaces = gm_json_member(call->body, GM_STR("models")),
        .limits = &limits,
        .skip_equal = true,
    };
    GM_TRY(gm_store_upload_models(gm_engine_store(call->engine), &upload, &answer, err));
    GM_TRY(gm_model_answer_error(&answer, err));
    gm_buf_addf(&call->reply->body, "{\"added\":%zu}", upload.added);
    return GM_OK;
}

gm_rc gm_admin_model_decommission(struct gm_call *call, struct gm_err *err)
{
    struct gm_model_answer answer = {.arena = call->arena};
    yyjson_mut_val *value = gm_json_member(call->body, GM_STR("decommissioned"));
    if (value != NULL && !yyjson_mut_is_bool(value)) {
        return gm_fail(err, GM_E_INVALID, "`decommissioned` is true or false");
    }
    bool decommissioned = value == NULL || yyjson_mut_get_bool(value);
    GM_TRY(gm_store_decommission_model(gm_engine_store(call->engine), call->part, decommissioned,
                                       &answer, err));
    GM_TRY(gm_model_answer_error(&answer, err));
    gm_buf_addf(&call->reply->body, "{\"decommissioned\":%s}", decommissioned ? "true" : "false");
    return GM_OK;
}

gm_rc gm_admin_model_delete(struct gm_call *call, struct gm_err *err)
{
    struct gm_model_answer answer = {.arena = call->arena};
    GM_TRY(gm_store_delete_model(gm_engine_store(call->engine), call->part, &answer, err));
    GM_TRY(gm_model_answer_error(&answer, err));
    gm_buf_add_z(&call->reply->body, "{\"deleted\":true}");
    return GM_OK;
}
