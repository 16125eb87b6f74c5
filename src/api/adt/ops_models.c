/* Models: operations 1-5. */
#include "api/adt/call.h"
#include "base/num.h"
#include "dtdl/dtmi.h"
#include "store/model_service.h"
#include "twin/models.h"

#define NOT_FOUND                                                                                  \
    "There is no Model(s) available that matches the provided id(s) " GM_STR_FMT                   \
    ". Check that the Model ID provided is valid by doing a Model_List API call."
#define NOTHING                                                                                    \
    "Operation failed as models provided was empty or of a type that is not supported. Send an "   \
    "array of DTDL interfaces. See model documentation(https://aka.ms/ADTv2Models) for supported " \
    "format."

/* What a call is about, between its functions. */
struct models_call {
    yyjson_mut_val *body;
    struct gm_model_answer answer;
    bool decommissioned;
};

static struct models_call *new_call(struct gm_adt_call *call)
{
    struct models_call *work = gm_arena_zalloc(call->arena, sizeof(*work));
    GM_ASSERT(work != NULL); /* the arena is all but empty yet */
    work->answer.arena = call->arena;
    call->data = work;
    return work;
}

/* What cannot be the id of a model is told apart from one that no model has. */
static void refuse_no_model(struct gm_adt_call *call, struct gm_str id)
{
    struct gm_dtmi dtmi;
    if (gm_dtmi_parse_any(id, &dtmi)) {
        gm_adt_refuse(call, 404, "ModelNotFound", NOT_FOUND, GM_STR_ARG(id));
    } else {
        gm_adt_refuse(call, 400, "InvalidArgument",
                      "The model id " GM_STR_FMT
                      " is not valid; ids look like dtmi:com:example:Room;1. See model "
                      "documentation(https://aka.ms/ADTv2Models) for supported format.",
                      GM_STR_ARG(id));
    }
}

static bool no_room(struct gm_adt_call *call)
{
    struct gm_err err = {0};
    gm_adt_fail(call, gm_fail(&err, GM_E_LIMIT, "no room for the models"), &err);
    return false;
}

/* With all that is wrong, however long it is. */
static void refuse_definitions(struct gm_adt_call *call, const struct gm_model_answer *answer)
{
    struct gm_str why = answer->detail.n > 0 ? answer->detail : gm_str_z(answer->why.text);
    struct gm_str message =
        gm_arena_format(call->arena,
                        "None of the models in this request could be created due to a problem with "
                        "one or more models: " GM_STR_FMT ". See model documentation"
                        "(https://aka.ms/ADTv2Models) for supported format.",
                        GM_STR_ARG(why));
    gm_adt_refuse_detailed(call,
                           &(struct gm_adt_refusal){.status = 400,
                                                    .code_z = "DTDLParserError",
                                                    .message = message.p != NULL ? message : why});
}

/* Ends the call unless the outcome is DONE. */
static bool refuse_outcome(struct gm_adt_call *call)
{
    const struct models_call *work = call->data;
    const struct gm_model_answer *answer = &work->answer;
    switch (answer->outcome) {
    case GM_MODEL_DONE:
        return false;
    case GM_MODEL_NOTHING:
        gm_adt_refuse(call, 400, "InvalidArgument", NOTHING);
        return true;
    case GM_MODEL_TOO_MANY:
        gm_adt_refuse(call, 400, "LimitExceeded", "Operation failed as there would be %s.",
                      answer->why.text);
        return true;
    case GM_MODEL_BAD_VERSION:
        gm_adt_refuse(call, 400, "ModelVersionNotSupported", "%s.", answer->why.text);
        return true;
    case GM_MODEL_EXISTS:
        gm_adt_refuse(call, 409, "ModelIdAlreadyExists",
                      "Some of the model ids already exist: " GM_STR_FMT
                      ". Use Model_List API to view models that already exist. See the Swagger "
                      "example (http://aka.ms/ModelListSwSmpl).",
                      GM_STR_ARG(answer->detail));
        return true;
    case GM_MODEL_INVALID:
        refuse_definitions(call, answer);
        return true;
    case GM_MODEL_NOT_FOUND:
        refuse_no_model(call, answer->detail);
        return true;
    case GM_MODEL_REFERENCED:
        break;
    }
    if (gm_str_is(gm_str_z(call->http->method_z), "DELETE")) {
        gm_adt_refuse(call, 409, "ModelReferencesNotDeleted",
                      "This model is currently being referenced by " GM_STR_FMT
                      ". You must delete these references before deleting the Model.. To delete "
                      "references, do Delete Model on Ids provided above.",
                      GM_STR_ARG(answer->detail));
    } else {
        gm_adt_refuse(call, 409, "ModelReferencesNotDecommissioned",
                      "This model is currently being referenced by " GM_STR_FMT
                      ". You must decommission these references before decommissioning the Model.",
                      GM_STR_ARG(answer->detail));
    }
    return true;
}

/* ---- uploads ---- */

/* In the order in which they were sent. */
static void answer_uploaded(struct gm_adt_call *call)
{
    const struct models_call *work = call->data;
    const struct gm_models *models = gm_adt_models(call);
    yyjson_mut_val *items = yyjson_mut_arr(call->doc);
    size_t index, max;
    yyjson_mut_val *interface;
    yyjson_mut_arr_foreach(work->body, index, max, interface)
    {
        const struct gm_model *model = gm_models_find(models, gm_json_member_str(interface, "@id"));
        yyjson_mut_val *item = model != NULL ? gm_model_json(call->doc, model, false) : NULL;
        if (model != NULL && (item == NULL || !yyjson_mut_arr_append(items, item))) {
            (void)no_room(call);
            return;
        }
    }
    gm_adt_answer_json(call, 201, items);
}

static void upload(struct gm_adt_call *call)
{
    struct models_call *work = call->data;
    const struct gm_api_limits_conf *conf = &call->adt->conf->limits;
    struct gm_model_limits limits = {(size_t)conf->models_per_call, (size_t)conf->models};
    struct gm_model_upload request = {.interfaces = work->body, .limits = &limits};
    struct gm_err err = {0};
    gm_rc rc = gm_store_upload_models(call->adt->store, &request, &work->answer, &err);
    if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
    } else if (!refuse_outcome(call)) {
        answer_uploaded(call);
    }
}

void gm_adt_models_post(struct gm_adt_call *call)
{
    struct models_call *work = new_call(call);
    if (gm_str_trim(call->http->body).n == 0) {
        gm_adt_refuse(call, 400, "InvalidArgument", NOTHING);
        return;
    }
    work->body = gm_adt_body(call);
    if (work->body != NULL) {
        gm_adt_work(call, upload);
    }
}

/* ---- looking ---- */

/* False: the value is none, and the call is ended. */
static bool wants_definition(struct gm_adt_call *call, bool *out_wanted)
{
    struct gm_str text = gm_adt_param(call, "includeModelDefinition");
    *out_wanted = gm_str_same(text, GM_STR("true"));
    if (text.n == 0 || *out_wanted || gm_str_same(text, GM_STR("false"))) {
        return true;
    }
    gm_adt_refuse(call, 400, "InvalidArgument",
                  "includeModelDefinition is \"" GM_STR_FMT "\"; it can be true or false.",
                  GM_STR_ARG(text));
    return false;
}

struct wanted_ids {
    struct gm_arena *arena;
    struct gm_str *at;
    size_t count, capacity;
    bool full;
};

static void add_id(void *ctx, struct gm_str id)
{
    struct wanted_ids *ids = ctx;
    if (ids->count == ids->capacity) {
        size_t capacity = ids->capacity == 0 ? 16 : 2 * ids->capacity;
        struct gm_str *at = gm_arena_realloc(ids->arena, ids->at, ids->capacity * sizeof(*at),
                                             capacity * sizeof(*at));
        ids->full = ids->full || at == NULL;
        ids->at = at != NULL ? at : ids->at;
        ids->capacity = at != NULL ? capacity : ids->capacity;
    }
    if (!ids->full) {
        ids->at[ids->count++] = id;
    }
}

/* One page of the list; false: no room. */
static bool fill_page(struct gm_adt_call *call, const struct gm_model_list *list,
                      const struct gm_adt_page *page, yyjson_mut_val *items, int64_t *last)
{
    int64_t after = *last;
    bool definition;
    if (!wants_definition(call, &definition)) {
        return false;
    }
    *last = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->at[i]->num <= after) {
            continue;
        }
        if (yyjson_mut_arr_size(items) == page->count_max) {
            return true;
        }
        yyjson_mut_val *item = gm_model_json(call->doc, list->at[i], definition);
        if (item == NULL || !yyjson_mut_arr_append(items, item)) {
            return no_room(call);
        }
        *last = list->at[i]->num;
    }
    *last = 0; /* nothing comes behind it */
    return true;
}

void gm_adt_models_list(struct gm_adt_call *call)
{
    struct wanted_ids ids = {.arena = call->arena};
    struct gm_adt_page page;
    struct gm_model_list list;
    struct gm_str missing;
    size_t page_max = (size_t)call->adt->conf->limits.models_page;
    int64_t last = 0;
    yyjson_mut_val *items = yyjson_mut_arr(call->doc);
    if (!gm_adt_page(call, page_max, page_max, &page)) {
        return;
    }
    if (page.after.p != NULL && !gm_parse_i64(page.after, &last)) {
        gm_adt_refuse(call, 400, "InvalidArgument",
                      "The continuation token is invalid: it is one of another listing.");
        return;
    }
    gm_adt_each_param(call, "dependenciesFor", add_id, &ids);
    gm_rc rc = ids.full ? GM_E_LIMIT
                        : gm_models_list(gm_adt_models(call), (struct gm_strs){ids.at, ids.count},
                                         call->arena, &list, &missing);
    if (rc == GM_E_END) {
        refuse_no_model(call, missing);
        return;
    }
    if (rc != GM_OK) {
        (void)no_room(call);
        return;
    }
    if (fill_page(call, &list, &page, items, &last)) {
        char text[GM_NUM_TEXT_SIZE];
        struct gm_str next = {text, gm_format_i64(last, text)};
        gm_adt_answer_page(call, items, last != 0 ? next : (struct gm_str){NULL, 0});
    }
}

void gm_adt_model_get(struct gm_adt_call *call)
{
    const struct gm_model *model = gm_models_find(gm_adt_models(call), call->parts[0]);
    bool definition;
    if (model == NULL) {
        refuse_no_model(call, call->parts[0]);
        return;
    }
    if (!wants_definition(call, &definition)) {
        return;
    }
    yyjson_mut_val *value = gm_model_json(call->doc, model, definition);
    if (value == NULL) {
        (void)no_room(call);
        return;
    }
    gm_adt_answer_json(call, 200, value);
}

/* ---- changing ---- */

static void decommission(struct gm_adt_call *call)
{
    struct models_call *work = call->data;
    struct gm_err err = {0};
    gm_rc rc = gm_store_decommission_model(call->adt->store, call->parts[0], work->decommissioned,
                                           &work->answer, &err);
    if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
    } else if (!refuse_outcome(call)) {
        gm_adt_answer(call, 204);
    }
}

/* The one patch that a model takes: [{"op":"replace","path":"/decommissioned","value":…}] */
static bool read_patch(struct models_call *work)
{
    size_t count = yyjson_mut_arr_size(work->body), index, max;
    yyjson_mut_val *item;
    yyjson_mut_arr_foreach(work->body, index, max, item)
    {
        yyjson_mut_val *value = gm_json_member(item, GM_STR("value"));
        if (!gm_str_is(gm_json_member_str(item, "op"), "replace") ||
            !gm_str_is(gm_json_member_str(item, "path"), "/decommissioned") ||
            !yyjson_mut_is_bool(value)) {
            return false;
        }
        work->decommissioned = yyjson_mut_get_bool(value);
    }
    return count > 0;
}

void gm_adt_model_patch(struct gm_adt_call *call)
{
    struct models_call *work = new_call(call);
    work->body = gm_adt_body(call);
    if (work->body == NULL) {
        return;
    }
    if (!read_patch(work)) {
        gm_adt_refuse(call, 400, "JsonPatchInvalid",
                      "A model takes one operation only: replace of /decommissioned by true or "
                      "false. Please provide a valid patch document. See section on update apis "
                      "in the documentation https://aka.ms/adtv2models.");
        return;
    }
    gm_adt_work(call, decommission);
}

static void delete_model(struct gm_adt_call *call)
{
    struct models_call *work = call->data;
    struct gm_err err = {0};
    gm_rc rc = gm_store_delete_model(call->adt->store, call->parts[0], &work->answer, &err);
    if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
    } else if (!refuse_outcome(call)) {
        gm_adt_answer(call, 204);
    }
}

void gm_adt_model_delete(struct gm_adt_call *call)
{
    (void)new_call(call);
    gm_adt_work(call, delete_model);
}
