/* Telemetry: operations 17 and 18. A message is checked and, when there are event routes that could
 * hear of it, written to the change log, from where they take it. */
#include "api/adt/edit.h"
#include "base/time.h"
#include "route/route.h"

static bool check_request(struct gm_adt_call *call)
{
    size_t size_max = (size_t)call->adt->conf->limits.telemetry_size;
    const char *id_z = gm_adt_header_z(call, "Message-Id");
    const char *time_z = gm_adt_header_z(call, "Telemetry-Source-Time");
    gm_ns ignored;
    if (id_z == NULL || gm_str_trim(gm_str_z(id_z)).n == 0) {
        gm_adt_refuse(call, 400, "ValidationFailed",
                      "The header Message-Id is missing: each message needs one of its own.");
        return false;
    }
    if (time_z != NULL && !gm_time_parse(gm_str_trim(gm_str_z(time_z)), &ignored)) {
        gm_adt_refuse(call, 400, "ValidationFailed",
                      "Telemetry-Source-Time is not a time as RFC 3339 has it.");
        return false;
    }
    if (call->http->body.n > size_max) {
        gm_adt_refuse(call, 413, "RequestEntityTooLarge",
                      "The message has %zu bytes; %zu are allowed.", call->http->body.n, size_max);
        return false;
    }
    return true;
}

/* The model that the message is of: the twin's, or its component's. GM_E_END: no such twin;
 * *out_model is NULL when it has no such component. */
static gm_rc find_model(struct gm_adt_call *call, struct gm_adt_reader *reader,
                        const struct gm_model **out_model, struct gm_err *err)
{
    struct gm_twin twin;
    GM_TRY(gm_twin_by_id(reader->twins, call->parts[0], &twin, err));
    int64_t num = gm_twin_model_num(twin.num);
    const struct gm_model *model = gm_models_by_num(gm_adt_models(call), num);
    model = model != NULL ? model : gm_models_by_num(gm_adt_models_again(call), num);
    if (model != NULL && call->parts[1].p != NULL) {
        const struct gm_content *content = gm_model_content(model, call->parts[1]);
        bool is_component = content != NULL && content->type == GM_CONTENT_COMPONENT;
        model = is_component ? content->component : NULL;
    }
    *out_model = model;
    return GM_OK;
}

/* Members that the model declares as telemetry fit their schemas; others are the sender's own. */
static gm_rc check_message(const struct gm_model *model, const yyjson_mut_val *message,
                           struct gm_err *err)
{
    const yyjson_mut_val *name = gm_json_first(message);
    size_t count = gm_json_type(message) == YYJSON_TYPE_OBJ ? gm_json_count(message) : 0;
    for (size_t i = 0; i < count; i++, name = name->next->next) {
        const struct gm_content *content = gm_model_content(model, gm_json_str(name));
        if (content == NULL || content->type != GM_CONTENT_TELEMETRY) {
            continue;
        }
        gm_rc rc = gm_schema_check(content->schema, name->next, err);
        if (rc != GM_OK) {
            return gm_fail_within(err, GM_STR_FMT, GM_STR_ARG(content->name));
        }
    }
    return GM_OK;
}

static gm_rc log_message(struct gm_adt_call *call, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct gm_telemetry *telemetry = call->data;
    struct gm_cause cause = {.actor = call->identity, .now = call->now};
    GM_TRY(gm_graph_begin(tx->graph, &cause, err));
    GM_TRY(gm_graph_telemetry(tx->graph, telemetry, err));
    return gm_graph_end(tx->graph, err);
}

/* The twin may have gone, or changed its model, since it was looked at. */
static void answer_logged(struct gm_adt_call *call)
{
    const struct gm_telemetry *telemetry = call->data;
    switch (telemetry->outcome) {
    case GM_EDIT_DONE:
        gm_adt_answer(call, 204);
        return;
    case GM_EDIT_NO_COMPONENT:
        gm_adt_refuse_no_component(call);
        return;
    default:
        gm_adt_refuse_no_twin(call);
    }
}

/* ends */
static void publish(struct gm_adt_call *call, const yyjson_mut_val *message)
{
    struct gm_telemetry *telemetry = gm_arena_zalloc(call->arena, sizeof(*telemetry));
    const char *time_z = gm_adt_header_z(call, "Telemetry-Source-Time");
    GM_ASSERT(telemetry != NULL); /* the arena holds the largest body many times over */
    *telemetry = (struct gm_telemetry){
        .twin = call->parts[0],
        .component = call->parts[1],
        .message_id = gm_str_trim(gm_str_z(gm_adt_header_z(call, "Message-Id"))),
        .source_time = time_z != NULL ? gm_str_trim(gm_str_z(time_z)) : GM_STR(""),
        .payload = message,
    };
    call->data = telemetry;
    gm_adt_write(call, log_message, answer_logged);
}

void gm_adt_telemetry(struct gm_adt_call *call)
{
    struct gm_err err = {0};
    const struct gm_model *model = NULL;
    const yyjson_mut_val *message = check_request(call) ? gm_adt_body(call) : NULL;
    struct gm_adt_reader *reader = message != NULL ? gm_adt_reader_take(call) : NULL;
    if (reader == NULL) {
        return;
    }
    gm_rc rc = find_model(call, reader, &model, &err);
    gm_adt_reader_give(call->adt, reader);
    if (rc == GM_E_END) {
        gm_adt_refuse_no_twin(call);
    } else if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
    } else if (model == NULL) {
        gm_adt_refuse_no_component(call);
    } else if (check_message(model, message, &err) != GM_OK) {
        gm_adt_refuse(call, 400, "ValidationFailed", "Invalid telemetry: %s", err.text);
    } else if (gm_routes_wants_telemetry(call->adt->routes)) {
        publish(call, message);
    } else {
        gm_adt_answer(call, 204);
    }
}

void gm_adt_component_telemetry(struct gm_adt_call *call)
{
    gm_adt_telemetry(call);
}
