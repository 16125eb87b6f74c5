/* Uploading models: what the service does not have yet, what others need first, in as few calls as
 * the service's limits allow. */
#include "base/mem.h"
#include "connect/adt/sink.h"

enum {
    MODELS_PER_CALL = 250,
    CALL_SIZE_MAX = 4 << 20, /* of a call's text; one model has at most 1 MiB */
    PATH_SIZE = 256,
};

struct upload {
    struct adt_sink *sink;
    struct gm_call call;
    struct gm_map *there;                  /* ids */
    struct gm_map *placed;                 /* ids that stand in `order` */
    GM_VEC(const struct gm_model *) order; /* what is missing, what others need first */
    size_t sent;                           /* of `order` */
    struct gm_buf body;
};

/* ---- what is there ---- */

static void fail_with(struct upload *upload, const struct gm_http_answer *answer)
{
    struct gm_str body = gm_buf_str(&answer->body);
    body.n = body.n < 300 ? body.n : 300;
    GM_AUTO_FREE char *text_z = gm_format_z("%s: uploading models: answered %ld " GM_STR_FMT,
                                            upload->sink->url_z, answer->status, GM_STR_ARG(body));
    gm_exchange_fail(upload->sink->exchange, GM_E_CONFIG, text_z);
}

static void take_page(struct gm_call *call, const struct gm_http_answer *answer)
{
    struct upload *upload = call->ctx;
    struct adt_sink *sink = upload->sink;
    yyjson_mut_val *page = NULL, *item;
    struct gm_err ignored;
    size_t index, max;
    if (answer->status != 200 ||
        gm_json_parse(sink->doc, gm_buf_str(&answer->body), &page, &ignored) != GM_OK) {
        fail_with(upload, answer);
        return;
    }
    yyjson_mut_arr_foreach(gm_json_member(page, GM_STR("value")), index, max, item)
    {
        gm_map_set(upload->there, gm_json_member_str(item, "id"), 1);
    }
    struct gm_str next = gm_json_member_str(page, "nextLink");
    const char *path_z = next.n > 0 ? adt_path_of_link(sink, next) : NULL;
    if (path_z != NULL) {
        upload->call.path_z = path_z;
        gm_exchange_add(sink->exchange, &upload->call);
    }
}

static gm_rc list(struct upload *upload, struct gm_err *err)
{
    struct adt_sink *sink = upload->sink;
    GM_AUTO_FREE char *path_z =
        gm_format_z("/models?api-version=%s&includeModelDefinition=false", sink->conf->api_version);
    upload->call = (struct gm_call){.method_z = "GET",
                                    .path_z = path_z,
                                    .ask = {.class = ADT_MODELS, .cost = 1},
                                    .answered = take_page,
                                    .ctx = upload};
    gm_exchange_add(sink->exchange, &upload->call);
    return gm_exchange_run(sink->exchange, sink->work.stop, err);
}

/* ---- the order ---- */

/* Bases and components are declared before what needs them, and models do not need themselves: the
 * depth is bounded by the rules of DTDL. */
static void place(struct upload *upload, const struct gm_model *model)
{
    uint64_t ignored;
    if (gm_map_get(upload->there, model->id, &ignored) ||
        !gm_map_set(upload->placed, model->id, 1)) {
        return;
    }
    for (size_t i = 0; i < model->base_count; i++) {
        place(upload, model->bases[i]);
    }
    for (size_t i = 0; i < model->content_count; i++) {
        if (model->contents[i].type == GM_CONTENT_COMPONENT) {
            place(upload, model->contents[i].component);
        }
    }
    *gm_vec_push(&upload->order) = model;
}

/* ---- sending ---- */

static void take_uploaded(struct gm_call *call, const struct gm_http_answer *answer)
{
    struct upload *upload = call->ctx;
    /* 409: somebody uploads the same; an attempt of ours may be it. */
    if (answer->status != 201 && answer->status != 200 && answer->status != 409) {
        fail_with(upload, answer);
    }
}

static gm_rc send_some(struct upload *upload, struct gm_err *err)
{
    struct adt_sink *sink = upload->sink;
    GM_AUTO_FREE char *path_z = gm_format_z("/models?api-version=%s", sink->conf->api_version);
    gm_buf_reset(&upload->body);
    for (size_t n = 0; n < MODELS_PER_CALL && upload->sent < upload->order.n; n++) {
        struct gm_str text = upload->order.at[upload->sent]->text;
        if (n > 0 && upload->body.n + text.n + 2 > CALL_SIZE_MAX) {
            break;
        }
        gm_buf_add_char(&upload->body, n == 0 ? '[' : ',');
        gm_buf_add(&upload->body, text);
        upload->sent++;
    }
    gm_buf_add_char(&upload->body, ']');
    upload->call = (struct gm_call){.method_z = "POST",
                                    .path_z = path_z,
                                    .body = gm_buf_str(&upload->body),
                                    .ask = {.class = ADT_MODELS, .cost = 1},
                                    .answered = take_uploaded,
                                    .ctx = upload};
    gm_exchange_add(sink->exchange, &upload->call);
    return gm_exchange_run(sink->exchange, sink->work.stop, err);
}

gm_rc adt_upload_models(struct adt_sink *sink, struct gm_err *err)
{
    struct upload upload = {.sink = sink, .there = gm_map_new(), .placed = gm_map_new()};
    const struct gm_models *models = sink->preparer.env.models;
    gm_buf_init(&upload.body, (size_t)2 * CALL_SIZE_MAX);
    gm_rc rc = list(&upload, err);
    for (size_t i = 0; rc == GM_OK && i < gm_models_count(models); i++) {
        const struct gm_model *model = gm_models_at(models, i);
        if (!model->decommissioned) {
            place(&upload, model);
        }
    }
    while (rc == GM_OK && upload.sent < upload.order.n) {
        rc = send_some(&upload, err);
    }
    gm_buf_deinit(&upload.body);
    gm_map_free(upload.there);
    gm_map_free(upload.placed);
    gm_vec_deinit(&upload.order);
    return rc;
}
