/* Telemetry of twins: nothing of the graph changes, but the log holds it, for routes. */
#include "twin/edit_internal.h"

static void add_member(struct gm_buf *out, const char *name_z, struct gm_str value)
{
    gm_buf_addf(out, "%s\"%s\":", out->n > 1 ? "," : "", name_z);
    gm_json_quote(out, value);
}

static enum gm_edit_outcome check(const struct gm_telemetry *telemetry,
                                  const struct gm_model *model)
{
    if (!gm_edit_has_model(model)) {
        return GM_EDIT_NO_MODEL;
    }
    if (telemetry->component.n == 0) {
        return GM_EDIT_DONE;
    }
    const struct gm_content *content = gm_model_content(model, telemetry->component);
    return content != NULL && content->type == GM_CONTENT_COMPONENT ? GM_EDIT_DONE
                                                                    : GM_EDIT_NO_COMPONENT;
}

gm_rc gm_graph_telemetry(struct gm_graph *graph, struct gm_telemetry *telemetry, struct gm_err *err)
{
    struct gm_twin row;
    gm_rc rc = gm_graph_row_by_id(graph, telemetry->twin, &row, err);
    if (rc == GM_E_END) {
        telemetry->outcome = GM_EDIT_NO_TWIN;
        return GM_OK;
    }
    GM_TRY(rc);
    const struct gm_model *model = gm_models_by_num(graph->models, gm_twin_model_num(row.num));
    telemetry->outcome = check(telemetry, model);
    if (telemetry->outcome != GM_EDIT_DONE) {
        return GM_OK;
    }
    struct gm_buf *text = &graph->text;
    gm_buf_reset(text);
    gm_buf_add_char(text, '{');
    if (telemetry->component.n > 0) {
        add_member(text, "$component", telemetry->component);
    }
    add_member(text, "$model", model->id);
    add_member(text, "messageId", telemetry->message_id);
    gm_buf_add_z(text, ",\"payload\":");
    gm_json_write(telemetry->payload, text);
    if (telemetry->source_time.n > 0) {
        add_member(text, "sourceTime", telemetry->source_time);
    }
    gm_buf_add_char(text, '}');
    struct gm_graph_entry *entry;
    (void)gm_graph_add_entry(graph, GM_CHANGE_TELEMETRY, row.id, row.last_change, &entry);
    entry->position = telemetry->position;
    entry->data = gm_graph_keep(graph, gm_buf_str(text));
    return GM_OK;
}
