#include "cli/models_service.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "dtdl/model.h"
#include "net/http.h"

enum {
    CALL_SIZE_MAX = 4 << 20, /* of a call's text; one model has at most 1 MiB */
    TEXT_SHOWN_MAX = 300,
};

static const char version_z[] = "2023-10-31";

struct sending {
    const struct gm_models_service *service;
    yyjson_mut_doc *doc;
    struct gm_map *placed;                 /* ids that are there, or stand in `order` */
    GM_VEC(const struct gm_model *) order; /* what is missing, what others need first */
    size_t sent;                           /* of `order` */
    struct gm_buf body;
};

/* The answer's JSON; anything but `status` is an error with what the service says. */
static gm_rc ask(struct sending *sending, struct gm_http_request *request, long status,
                 yyjson_mut_val **out_value, struct gm_err *err)
{
    struct gm_http_answer answer;
    struct gm_err parse_err;
    yyjson_mut_val *value = NULL;
    request->authorization_z = sending->service->authorization_z;
    request->ca_file_z = sending->service->ca_file_z;
    request->timeout = 2 * GM_MINUTE;
    GM_TRY(gm_http_send(request, &answer, err));
    gm_rc rc = gm_json_parse(sending->doc, gm_buf_str(&answer.body), &value, &parse_err);
    if (rc != GM_OK || answer.status != status) {
        struct gm_str text = gm_json_member_str(gm_json_member(value, GM_STR("error")), "message");
        text = text.p != NULL ? text : gm_buf_str(&answer.body);
        text.n = text.n < TEXT_SHOWN_MAX ? text.n : TEXT_SHOWN_MAX;
        rc = gm_fail(err, answer.status >= 500 ? GM_E_IO : GM_E_INVALID,
                     "%s answered %ld: " GM_STR_FMT, sending->service->url_z, answer.status,
                     GM_STR_ARG(text));
    }
    gm_http_answer_free(&answer);
    *out_value = value;
    return rc;
}

/* ---- what is there ---- */

/* Appends the definitions of one page; *next_z is the next one's address, NULL behind the last. */
static gm_rc take_page(struct sending *sending, yyjson_mut_val *page, yyjson_mut_val *there,
                       char **next_z, struct gm_err *err)
{
    yyjson_mut_val *item;
    size_t index, max;
    yyjson_mut_arr_foreach(gm_json_member(page, GM_STR("value")), index, max, item)
    {
        yyjson_mut_val *model = gm_json_copy(sending->doc, gm_json_member(item, GM_STR("model")));
        if (model == NULL || !yyjson_mut_arr_append(there, model)) {
            return gm_fail(err, GM_E_LIMIT, "no room for the service's models");
        }
    }
    struct gm_str next = gm_json_member_str(page, "nextLink");
    *next_z = NULL;
    if (next.n == 0) {
        return GM_OK;
    }
    /* The token is for this service and no other. */
    if (!gm_str_starts(next, gm_str_z(sending->service->url_z))) {
        return gm_fail(err, GM_E_INVALID, "%s: its next page is at another service: " GM_STR_FMT,
                       sending->service->url_z, GM_STR_ARG(next));
    }
    *next_z = gm_str_dup_z(next);
    return GM_OK;
}

static gm_rc read_there(struct sending *sending, yyjson_mut_val *there, struct gm_err *err)
{
    gm_rc rc = GM_OK;
    char *url_z = gm_format_z("%s/models?api-version=%s&includeModelDefinition=true",
                              sending->service->url_z, version_z);
    while (rc == GM_OK && url_z != NULL) {
        yyjson_mut_val *page;
        char *next_z = NULL;
        struct gm_http_request request = {.method_z = "GET", .url_z = url_z};
        rc = ask(sending, &request, 200, &page, err);
        rc = rc == GM_OK ? take_page(sending, page, there, &next_z, err) : rc;
        gm_free(url_z);
        url_z = next_z;
    }
    gm_free(url_z);
    return rc;
}

/* ---- the order ---- */

/* The depth is bounded by the rules of DTDL. */
static void place(struct sending *sending, const struct gm_model *model)
{
    if (!gm_map_set(sending->placed, model->id, 1)) {
        return;
    }
    for (size_t i = 0; i < model->base_count; i++) {
        place(sending, model->bases[i]);
    }
    for (size_t i = 0; i < model->content_count; i++) {
        if (model->contents[i].type == GM_CONTENT_COMPONENT) {
            place(sending, model->contents[i].component);
        }
    }
    *gm_vec_push(&sending->order) = model;
}

/* ---- sending ---- */

static gm_rc send_some(struct sending *sending, struct gm_err *err)
{
    GM_AUTO_FREE char *url_z =
        gm_format_z("%s/models?api-version=%s", sending->service->url_z, version_z);
    yyjson_mut_val *ignored;
    size_t count = 0;
    gm_buf_reset(&sending->body);
    while (count < GM_MODELS_PER_CALL && sending->sent + count < sending->order.n) {
        struct gm_str text = sending->order.at[sending->sent + count]->text;
        if (count > 0 && sending->body.n + text.n + 2 > CALL_SIZE_MAX) {
            break;
        }
        gm_buf_add_char(&sending->body, count == 0 ? '[' : ',');
        gm_buf_add(&sending->body, text);
        count++;
    }
    gm_buf_add_char(&sending->body, ']');
    struct gm_http_request request = {
        .method_z = "POST", .url_z = url_z, .body = gm_buf_str(&sending->body)};
    GM_TRY(ask(sending, &request, 201, &ignored, err));
    sending->sent += count;
    return GM_OK;
}

static gm_rc send_missing(struct sending *sending, yyjson_mut_val *interfaces, struct gm_err *err)
{
    struct gm_models *base = NULL, *models = NULL;
    size_t added;
    yyjson_mut_val *there = yyjson_mut_arr(sending->doc);
    GM_TRY(read_there(sending, there, err));
    struct gm_models_request request = {.interfaces = &there, .count = 1, .trusted = true};
    gm_rc rc = gm_models_make(&request, &base, &added, err);
    rc = rc == GM_OK ? gm_models_extend(base, &interfaces, 1, &models, &added, err) : rc;
    for (size_t i = 0; rc == GM_OK && i < gm_models_count(models); i++) {
        const struct gm_model *model = gm_models_at(models, i);
        if (gm_models_find(base, model->id) != NULL) {
            gm_map_set(sending->placed, model->id, 1);
        }
    }
    for (size_t i = 0; rc == GM_OK && i < gm_models_count(models); i++) {
        place(sending, gm_models_at(models, i));
    }
    while (rc == GM_OK && sending->sent < sending->order.n) {
        rc = send_some(sending, err);
    }
    gm_models_free(base);
    gm_models_free(models);
    return rc;
}

gm_rc gm_models_send(const struct gm_models_service *service, yyjson_mut_doc *doc,
                     yyjson_mut_val *interfaces, size_t *out_added, struct gm_err *err)
{
    struct sending sending = {.service = service, .doc = doc, .placed = gm_map_new()};
    gm_buf_init(&sending.body, CALL_SIZE_MAX + GM_MODEL_SIZE_MAX + 2);
    gm_rc rc = send_missing(&sending, interfaces, err);
    *out_added = sending.sent;
    gm_map_free(sending.placed);
    gm_vec_deinit(&sending.order);
    gm_buf_deinit(&sending.body);
    return rc;
}
