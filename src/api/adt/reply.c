/* How calls are answered: JSON, the service's error bodies, pages. */
#include <stdarg.h>
#include <stdio.h>

#include "api/adt/call.h"
#include "api/adt/inside.h"
#include "base/coding.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/num.h"

enum { MESSAGE_SIZE_MAX = 2048 };

/* ---- answers ---- */

void gm_adt_reply_header(struct gm_adt_call *call, const char *name_z, struct gm_str value)
{
    gm_http_reply_header(call->http, name_z, value);
}

/* 00-<trace id>-<span id>-<flags> (https://www.w3.org/TR/trace-context/#traceparent-header). */
static bool is_trace_parent(struct gm_str text)
{
    if (text.n != 55) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool dash = i == 2 || i == 35 || i == 52;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (dash ? c != '-' : !hex) {
            return false;
        }
    }
    return true;
}

static void count_call(const struct gm_adt_call *call)
{
    const struct gm_adt_operation *operation = call->operation;
    const struct gm_clock *clock = call->adt->clock;
    char label[128];
    int n = snprintf(label, sizeof(label), "%s %s", operation->method_z, operation->path_z);
    struct gm_str name = {label, n > 0 && (size_t)n < sizeof(label) ? (size_t)n : 0};
    gm_metric_add(GM_M_API_CALLS, name, 1);
    gm_metric_add(GM_M_API_SECONDS, name,
                  (double)(clock->mono(clock) - call->began) / (double)GM_SECOND);
}

static void finish_reply(struct gm_adt_call *call, int status)
{
    if (call->matched) {
        count_call(call);
    }
    struct gm_str trace = gm_str_z(gm_adt_header_z(call, "traceparent"));
    if (is_trace_parent(trace)) {
        gm_adt_reply_header(call, "traceresponse", trace);
    }
    if (call->http->reply.content_type_z == NULL) {
        call->http->reply.content_type_z = "application/json; charset=utf-8";
    }
    call->http->reply.status = status;
    gm_store_models_release(call->adt->store, call->models_);
    call->models_ = NULL;
}

void gm_adt_answer(struct gm_adt_call *call, int status)
{
    finish_reply(call, status);
    gm_http_call_answer(call->http);
}

void gm_adt_stream(struct gm_adt_call *call, const struct gm_http_stream *stream)
{
    finish_reply(call, 200);
    gm_http_call_stream(call->http, stream);
}

void gm_adt_answer_json(struct gm_adt_call *call, int status, const yyjson_mut_val *value)
{
    gm_json_write(value, &call->http->reply.body);
    gm_adt_answer(call, status);
}

/* ---- errors ---- */

static void write_pair(struct gm_buf *out, const char *code_z, struct gm_str message)
{
    gm_buf_add_z(out, "\"code\":");
    gm_json_quote(out, gm_str_z(code_z));
    gm_buf_add_z(out, ",\"message\":");
    gm_json_quote(out, message);
}

void gm_adt_refuse_detailed(struct gm_adt_call *call, const struct gm_adt_refusal *refusal)
{
    struct gm_buf *body = &call->http->reply.body;
    gm_buf_reset(body);
    gm_buf_add_z(body, "{\"error\":{");
    write_pair(body, refusal->code_z, refusal->message);
    for (size_t i = 0; i < refusal->detail_count; i++) {
        gm_buf_add_z(body, i == 0 ? ",\"details\":[{" : ",{");
        write_pair(body, refusal->details[i].code_z, refusal->details[i].message);
        if (refusal->details[i].target.p != NULL) {
            gm_buf_add_z(body, ",\"target\":");
            gm_json_quote(body, refusal->details[i].target);
        }
        gm_buf_add_z(body, i + 1 == refusal->detail_count ? "}]" : "}");
    }
    gm_buf_add_z(body, "}}");
    gm_adt_reply_header(call, "x-ms-error-code", gm_str_z(refusal->code_z));
    gm_metric_add(GM_M_API_REFUSED, gm_str_z(refusal->code_z), 1);
    gm_adt_answer(call, refusal->status);
}

void gm_adt_refuse(struct gm_adt_call *call, int status, const char *code_z, const char *fmt, ...)
{
    char text[MESSAGE_SIZE_MAX];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    size_t size = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    gm_adt_refuse_detailed(call, &(struct gm_adt_refusal){
                                     .status = status, .code_z = code_z, .message = {text, size}});
}

void gm_adt_fail(struct gm_adt_call *call, gm_rc rc, const struct gm_err *err)
{
    if (rc == GM_E_RETRY || rc == GM_E_CANCELLED || rc == GM_E_CONFLICT) {
        gm_adt_reply_header(call, "Retry-After", GM_STR("1"));
        gm_adt_refuse(call, 503, "ServiceUnavailable", "%s", err->text);
        return;
    }
    gm_log_error("api.failed", GM_L_Z("method", call->http->method_z),
                 GM_L_Z("path", call->http->path_z), GM_L_Z("code", gm_rc_name(rc)),
                 GM_L_Z("error", err->text));
    gm_adt_refuse(call, 500, "InternalServerError",
                  "The request could not be done; the server's log says why.");
}

void gm_adt_word_refusal(struct gm_http_call *http, int status, const char *code_z,
                         const char *message_z)
{
    static const struct {
        int status;
        const char *code_z;
    } codes[] = {{400, "InvalidArgument"},
                 {413, "RequestEntityTooLarge"},
                 {500, "InternalServerError"},
                 {503, "ServiceUnavailable"}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(codes); i++) {
        code_z = codes[i].status == status ? codes[i].code_z : code_z;
    }
    gm_http_reply_error(&http->reply, status, code_z, message_z);
    http->reply.content_type_z = "application/json; charset=utf-8";
    gm_http_reply_header(http, "x-ms-error-code", gm_str_z(code_z));
    gm_metric_add(GM_M_API_REFUSED, gm_str_z(code_z), 1);
}

/* ---- continuation tokens ---- */

void gm_adt_token_write(struct gm_str text, struct gm_buf *out)
{
    char *to = gm_buf_reserve(out, 2 * text.n + 1); /* with the NUL, which is not kept */
    if (to != NULL) {
        gm_hex_z(text.p, text.n, to);
        gm_buf_commit(out, 2 * text.n);
    }
}

bool gm_adt_token_read(struct gm_arena *arena, struct gm_str token, struct gm_str *out_text)
{
    char *text = gm_arena_alloc(arena, token.n / 2 + 1);
    if (text == NULL || !gm_hex_read(token, text)) {
        return false;
    }
    text[token.n / 2] = '\0';
    *out_text = (struct gm_str){text, token.n / 2};
    return gm_utf8_valid(*out_text, NULL);
}

/* ---- pages ---- */

bool gm_adt_page_size(struct gm_adt_call *call, size_t count_default, size_t count_max,
                      size_t *out_count)
{
    const char *text_z = gm_adt_header_z(call, "max-items-per-page");
    int64_t count = (int64_t)count_default;
    if (text_z != NULL && (!gm_parse_i64(gm_str_trim(gm_str_z(text_z)), &count) || count < 1)) {
        gm_adt_refuse(
            call, 400, "InvalidArgument",
            "Invalid max-items-per-page header value. It must be a number greater than 0.");
        return false;
    }
    *out_count = (uint64_t)count < count_max ? (size_t)count : count_max;
    return true;
}

bool gm_adt_page(struct gm_adt_call *call, size_t count_default, size_t count_max,
                 struct gm_adt_page *out_page)
{
    struct gm_adt_page page = {0};
    if (!gm_adt_page_size(call, count_default, count_max, &page.count_max)) {
        return false;
    }
    struct gm_str token = gm_adt_param(call, "continuationToken");
    if (token.n > 0 && !gm_adt_token_read(call->arena, token, &page.after)) {
        gm_adt_refuse(
            call, 400, "InvalidArgument",
            "The continuation token is invalid. Use the nextLink of a former page as it is.");
        return false;
    }
    *out_page = page;
    return true;
}

static bool has_parameter(struct gm_str link, struct gm_str parameter)
{
    struct gm_str one;
    bool more = link.n > 0;
    while (more) {
        more = gm_str_cut(link, '&', &one, &link);
        if (gm_str_eq(one, parameter)) {
            return true;
        }
    }
    return false;
}

/* A client may add its own parameters to the link that it was given, so those of the request that
 * the next page needs as well are taken once each: links do not grow from page to page. */
static bool add_parameter(void *ctx, const char *name_z, const char *value_z)
{
    struct gm_buf *out = ctx;
    static const char *const kept[] = {"dependenciesFor", "includeModelDefinition",
                                       "relationshipName"};
    size_t which = 0;
    while (which < GM_ARRAY_COUNT(kept) && !gm_str_same(gm_str_z(name_z), gm_str_z(kept[which]))) {
        which++;
    }
    if (which == GM_ARRAY_COUNT(kept)) {
        return true;
    }
    struct gm_buf parameter;
    gm_buf_init(&parameter, GM_HTTP_HEADERS_SIZE_MAX * (size_t)3);
    gm_buf_addf(&parameter, "%s=", kept[which]);
    for (const char *at = value_z; *at != '\0'; at++) {
        if (*at == ' ') {
            gm_buf_add_z(&parameter, "%20"); /* what a plus sign became */
        } else {
            gm_buf_add_char(&parameter, *at);
        }
    }
    struct gm_str text = gm_buf_str(&parameter);
    if (text.p != NULL && !has_parameter(gm_buf_str(out), text)) {
        gm_buf_add_char(out, '&');
        gm_buf_add(out, text);
    }
    gm_buf_deinit(&parameter);
    return true;
}

void gm_adt_write_origin(const struct gm_adt_call *call, struct gm_buf *out)
{
    const char *host_z = gm_adt_header_z(call, "Host");
    const char *url_z = gm_http_server_url_z(call->adt->server);
    struct gm_str scheme, rest;
    (void)gm_str_cut(gm_str_z(url_z), ':', &scheme, &rest);
    if (host_z != NULL && host_z[0] != '\0') {
        gm_buf_add(out, scheme);
        gm_buf_add_z(out, "://");
        gm_buf_add_z(out, host_z);
    } else {
        gm_buf_add_z(out, url_z);
    }
}

static void write_next_link(struct gm_adt_call *call, struct gm_str next, struct gm_buf *out)
{
    gm_adt_write_origin(call, out);
    gm_buf_add_z(out, call->http->path_z);
    gm_buf_add_z(out, "?continuationToken=");
    gm_adt_token_write(next, out);
    gm_buf_add_z(out, "&api-version=");
    gm_buf_add(out, gm_adt_param(call, "api-version"));
    gm_http_call_each_query(call->http, add_parameter, out);
}

void gm_adt_answer_page(struct gm_adt_call *call, yyjson_mut_val *items, struct gm_str next)
{
    struct gm_buf *body = &call->http->reply.body;
    gm_buf_add_z(body, "{\"value\":");
    gm_json_write(items, body);
    gm_buf_add_z(body, ",\"nextLink\":");
    if (next.p == NULL) {
        gm_buf_add_z(body, "null}");
    } else {
        struct gm_buf link;
        gm_buf_init(&link, (size_t)2 * GM_HTTP_HEADERS_SIZE_MAX);
        write_next_link(call, next, &link);
        gm_json_quote(body, gm_buf_str(&link));
        gm_buf_add_char(body, '}');
        gm_buf_deinit(&link);
    }
    gm_adt_answer(call, 200);
}
