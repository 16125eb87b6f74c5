/* What was asked: parameters, headers, the body. */
#include "api/adt/call.h"
#include "base/coding.h"

bool gm_adt_unescape(struct gm_arena *arena, struct gm_str text, struct gm_str *out_text)
{
    if (memchr(text.p, '%', text.n) == NULL) {
        *out_text = gm_arena_dup(arena, text);
        return out_text->p != NULL && gm_utf8_valid(*out_text, NULL);
    }
    struct gm_buf plain;
    gm_buf_init(&plain, GM_HTTP_HEADERS_SIZE_MAX);
    bool ok = gm_percent_take(&plain, text);
    *out_text = gm_arena_dup(arena, gm_buf_str(&plain));
    gm_buf_deinit(&plain);
    return ok && out_text->p != NULL;
}

/* ---- parameters ---- */

struct search {
    struct gm_adt_call *call;
    const char *name_z;
    struct gm_str found;
    void (*fn)(void *ctx, struct gm_str value); /* NULL: the first that is not empty */
    void *ctx;
};

static bool visit(void *ctx, const char *name_z, const char *value_z)
{
    struct search *search = ctx;
    struct gm_str value;
    if (value_z[0] == '\0' || !gm_str_same(gm_str_z(name_z), gm_str_z(search->name_z)) ||
        !gm_adt_unescape(search->call->arena, gm_str_z(value_z), &value)) {
        return true;
    }
    if (search->fn == NULL) {
        search->found = value;
        return false;
    }
    struct gm_str one, rest = value;
    while (rest.n > 0) {
        (void)gm_str_cut(rest, ',', &one, &rest);
        if (one.n > 0) {
            search->fn(search->ctx, one);
        }
    }
    return true;
}

struct gm_str gm_adt_param(struct gm_adt_call *call, const char *name_z)
{
    struct search search = {.call = call, .name_z = name_z};
    gm_http_call_each_query(call->http, visit, &search);
    return search.found;
}

void gm_adt_each_param(struct gm_adt_call *call, const char *name_z,
                       void (*fn)(void *ctx, struct gm_str value), void *ctx)
{
    struct search search = {.call = call, .name_z = name_z, .fn = fn, .ctx = ctx};
    gm_http_call_each_query(call->http, visit, &search);
}

const char *gm_adt_header_z(const struct gm_adt_call *call, const char *name_z)
{
    return gm_http_call_header(call->http, name_z);
}

/* ---- the body ---- */

/* The Java SDK (1.5.0) sends a body that it was given as text as a JSON string. */
static yyjson_mut_val *without_quotes(struct gm_adt_call *call, yyjson_mut_val *value)
{
    struct gm_err err = {0};
    struct gm_str text = gm_str_trim(gm_json_str(value));
    yyjson_mut_val *inner;
    bool quoted = text.n > 0 && text.p[0] == '{';
    return quoted && gm_json_parse(call->doc, text, &inner, &err) == GM_OK ? inner : value;
}

yyjson_mut_val *gm_adt_body(struct gm_adt_call *call)
{
    struct gm_err err = {0};
    yyjson_mut_val *value;
    struct gm_str text = gm_str_trim(call->http->body);
    if (text.n == 0) {
        gm_adt_refuse(call, 400, "InvalidArgument",
                      "The request has no body; this operation needs one, of JSON.");
        return NULL;
    }
    gm_rc rc = gm_json_parse(call->doc, text, &value, &err);
    if (rc == GM_E_LIMIT) {
        gm_adt_refuse(call, 413, "RequestEntityTooLarge", "The request's body is too large.");
        return NULL;
    }
    if (rc != GM_OK) {
        gm_adt_refuse(call, 400, "InvalidArgument", "The request's body is not valid JSON: %s",
                      err.text);
        return NULL;
    }
    return yyjson_mut_is_str(value) ? without_quotes(call, value) : value;
}
