/* Twins and their components: operations 7-10, 19 and 20. */
#include "api/adt/edit.h"
#include "twin/twin_json.h"

/* ---- reading ---- */

/* The twin as it is shown. A twin whose model came after the models at hand is read anew with
 * newer ones. */
static gm_rc read_twin(struct gm_adt_call *call, struct gm_adt_reader *reader,
                       yyjson_mut_val **out_value, struct gm_err *err)
{
    struct gm_twin twin;
    gm_rc rc = GM_E_CONFLICT;
    for (int tries = 0; rc == GM_E_CONFLICT && tries < 2; tries++) {
        const struct gm_models *models =
            tries == 0 ? gm_adt_models(call) : gm_adt_models_again(call);
        GM_TRY(gm_twin_by_id(reader->twins, call->parts[0], &twin, err));
        rc = gm_twin_json(call->doc, models, &twin, out_value, err);
    }
    return rc;
}

/* NULL: the call is ended. */
static yyjson_mut_val *get_twin(struct gm_adt_call *call)
{
    struct gm_err err = {0};
    yyjson_mut_val *value = NULL;
    struct gm_adt_reader *reader = gm_adt_reader_take(call);
    if (reader == NULL) {
        return NULL;
    }
    gm_rc rc = read_twin(call, reader, &value, &err);
    gm_adt_reader_give(call->adt, reader);
    if (rc == GM_E_END) {
        gm_adt_refuse_no_twin(call);
        return NULL;
    }
    if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
        return NULL;
    }
    return value;
}

void gm_adt_twin_get(struct gm_adt_call *call)
{
    const yyjson_mut_val *twin = get_twin(call);
    if (twin != NULL) {
        gm_adt_reply_header(call, "ETag", gm_json_member_str(twin, "$etag"));
        gm_adt_answer_json(call, 200, twin);
    }
}

/* What stands under the name in a twin's body is a component when the model says so; a member of
 * $metadata never is one, so the value's own $metadata tells. */
void gm_adt_component_get(struct gm_adt_call *call)
{
    const yyjson_mut_val *twin = get_twin(call);
    if (twin == NULL) {
        return;
    }
    struct gm_str name = call->parts[1];
    const yyjson_mut_val *component = gm_json_member(twin, name);
    bool own = name.n > 0 && name.p[0] == '$';
    if (own || gm_json_member(component, GM_STR("$metadata")) == NULL) {
        gm_adt_refuse_no_component(call);
        return;
    }
    gm_adt_reply_header(call, "ETag", gm_json_member_str(twin, "$etag"));
    gm_adt_answer_json(call, 200, component);
}

/* ---- writing ---- */

static void edit_with_body(struct gm_adt_call *call, enum gm_edit_kind kind)
{
    struct gm_edit *edit = gm_adt_edit_new(call, kind);
    if (gm_adt_condition(call, edit) && (edit->value = gm_adt_body(call)) != NULL) {
        gm_adt_edit(call, edit);
    }
}

void gm_adt_twin_put(struct gm_adt_call *call)
{
    edit_with_body(call, GM_EDIT_PUT_TWIN);
}

void gm_adt_twin_patch(struct gm_adt_call *call)
{
    edit_with_body(call, GM_EDIT_PATCH_TWIN);
}

void gm_adt_component_patch(struct gm_adt_call *call)
{
    edit_with_body(call, GM_EDIT_PATCH_COMPONENT);
}

void gm_adt_twin_delete(struct gm_adt_call *call)
{
    struct gm_edit *edit = gm_adt_edit_new(call, GM_EDIT_DELETE_TWIN);
    if (gm_adt_condition(call, edit)) {
        gm_adt_edit(call, edit);
    }
}
