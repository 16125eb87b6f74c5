/* The admin API's life, and the way of a request: route, token, body, handler, outcome. */
#include "api/admin.h"

#include "api/call.h"
#include "base/coding.h"
#include "base/log.h"
#include "base/mem.h"
#include "hub/ingest.h"
#include "os/file.h"
#include "os/process.h"
#include "os/thread.h"

enum {
    MODELS_SIZE_MAX = 32 << 20, /* whole ontologies are uploaded */
    TOKEN_SIZE = 32,            /* random bytes: cannot be guessed */
};

struct gm_admin {
    struct gm_engine *engine;
    struct gm_routes *routes;
    struct gm_views *views;
    const struct gm_hub *hub;
    struct gm_commands *commands;
    struct gm_consumers_options consumers;
    struct gm_http_server *server;
    struct gm_desk desk;
    char *file_z; /* DATA/admin.json */
    char token[2 * TOKEN_SIZE + 1];
};

/* ---- who may ask ---- */

/* Takes the same time wherever the difference is. */
static bool same_token(const char *a_z, const char *b_z, size_t n)
{
    unsigned difference = 0;
    for (size_t i = 0; i < n; i++) {
        difference |= (unsigned)(unsigned char)a_z[i] ^ (unsigned char)b_z[i];
    }
    return difference == 0;
}

static bool has_token(const struct gm_admin *admin, const struct gm_http_call *http)
{
    static const char scheme[] = "Bearer ";
    const char *given_z = gm_http_call_header(http, "Authorization");
    if (given_z == NULL || !gm_str_starts(gm_str_z(given_z), GM_STR(scheme))) {
        return false;
    }
    given_z += sizeof(scheme) - 1;
    return strlen(given_z) == sizeof(admin->token) - 1 &&
           same_token(given_z, admin->token, sizeof(admin->token) - 1);
}

/* A page of the web that resolves its own name to this machine must not read along through the
 * user's browser. */
static bool host_is_loopback(const struct gm_http_call *http)
{
    const char *host_z = gm_http_call_header(http, "Host");
    struct gm_str host = gm_str_z(host_z), name, port;
    if (host_z == NULL || gm_str_is(host, "[::1]") || gm_str_starts(host, GM_STR("[::1]:"))) {
        return true;
    }
    (void)gm_str_cut(host, ':', &name, &port);
    if (gm_str_is(name, "localhost")) {
        return true;
    }
    /* digits and dots alone: a name that begins with 127. is none of ours */
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] != '.' && (name.p[i] < '0' || name.p[i] > '9')) {
            return false;
        }
    }
    return gm_str_starts(name, GM_STR("127."));
}

/* ---- one request ---- */

static void reply_failure(const struct gm_call *call, gm_rc rc, const struct gm_err *err)
{
    static const struct {
        gm_rc rc;
        int status;
    } statuses[] = {
        {GM_E_END, 404},   {GM_E_INVALID, 400}, {GM_E_CONFIG, 422},    {GM_E_CONFLICT, 409},
        {GM_E_LIMIT, 413}, {GM_E_RETRY, 503},   {GM_E_CANCELLED, 503},
    };
    int status = 500;
    for (size_t i = 0; i < GM_ARRAY_COUNT(statuses); i++) {
        status = statuses[i].rc == rc ? statuses[i].status : status;
    }
    gm_http_reply_error(call->reply, status, rc == GM_E_END ? "not-found" : gm_rc_name(rc),
                        err->text);
    if (status == 500) {
        gm_log_error("admin.failed", GM_L_Z("method", call->http->method_z),
                     GM_L_Z("path", call->http->path_z), GM_L_Z("code", gm_rc_name(rc)),
                     GM_L_Z("error", err->text));
    }
}

static gm_rc unescape(struct gm_call *call, struct gm_str text, struct gm_str *out_text,
                      struct gm_err *err)
{
    struct gm_buf plain;
    gm_buf_init(&plain, GM_HTTP_HEADERS_SIZE_MAX);
    gm_buf_add_z(&plain, ""); /* an empty value is one that was given */
    bool fine = gm_percent_take(&plain, text);
    *out_text = gm_arena_dup(call->arena, gm_buf_str(&plain));
    gm_buf_deinit(&plain);
    return fine ? GM_OK
                : gm_fail(err, GM_E_INVALID, "the address has a bad escape, or is not UTF-8");
}

struct query {
    struct gm_call *call;
    gm_rc rc;
    struct gm_err *err;
};

static bool take_parameter(void *ctx, const char *name_z, const char *value_z)
{
    struct query *query = ctx;
    const struct gm_route_field *fields = query->call->route->query;
    for (size_t i = 0; fields[i].name_z != NULL; i++) {
        if (strcmp(fields[i].name_z, name_z) == 0) {
            query->rc =
                unescape(query->call, gm_str_z(value_z), &query->call->query[i], query->err);
            return query->rc == GM_OK;
        }
    }
    query->rc = gm_fail(query->err, GM_E_INVALID, "the query's `%s` is not known here", name_z);
    return false;
}

static gm_rc take_query(struct gm_call *call, struct gm_err *err)
{
    struct query query = {.call = call, .err = err};
    if (call->route->query != NULL) {
        gm_http_call_each_query(call->http, take_parameter, &query);
    }
    return query.rc;
}

static bool field_known(const struct gm_route_field *fields, struct gm_str name)
{
    for (; fields != NULL && fields->name_z != NULL; fields++) {
        if (gm_str_is(name, fields->name_z)) {
            return true;
        }
    }
    return false;
}

static gm_rc take_body(struct gm_call *call, struct gm_err *err)
{
    yyjson_mut_doc *doc = gm_json_doc_new(call->arena);
    struct gm_str text = gm_str_trim(call->http->body);
    yyjson_mut_val *body;
    GM_TRY(gm_json_parse(doc, text.n > 0 ? text : GM_STR("{}"), &body, err) == GM_OK
               ? GM_OK
               : gm_fail_within(err, "the body"));
    if (!yyjson_mut_is_obj(body)) {
        return gm_fail(err, GM_E_INVALID, "the body is no JSON object");
    }
    const yyjson_mut_val *name = gm_json_first(body);
    for (size_t i = 0; i < gm_json_count(body); i++, name = name->next->next) {
        /* a choice misspelt must not become "all of them" */
        if (!field_known(call->route->body, gm_json_str(name))) {
            return gm_fail(err, GM_E_INVALID, "the body's `" GM_STR_FMT "` is not known here",
                           GM_STR_ARG(gm_json_str(name)));
        }
    }
    call->body = body;
    return GM_OK;
}

static gm_rc handle_call(struct gm_call *call, struct gm_err *err)
{
    GM_TRY(unescape(call, call->part, &call->part, err));
    GM_TRY(take_query(call, err));
    if (strcmp(call->route->method_z, "POST") == 0 && call->route->body != gm_route_raw_body) {
        GM_TRY(take_body(call, err));
    }
    return call->route->handle(call, err);
}

static void answer_request(void *ctx, struct gm_http_call *http)
{
    struct gm_admin *admin = ctx;
    struct gm_http_reply *reply = &http->reply;
    struct gm_call call = {.engine = admin->engine,
                           .routes = admin->routes,
                           .views = admin->views,
                           .hub = admin->hub,
                           .commands = admin->commands,
                           .consumers = &admin->consumers,
                           .desk = &admin->desk,
                           .http = http,
                           .reply = reply,
                           .arena = http->arena};
    struct gm_err err = {0};
    if (!host_is_loopback(http)) {
        gm_http_reply_error(reply, 403, "forbidden",
                            "the Host header is not of this machine; ask 127.0.0.1 or localhost");
        return;
    }
    /* HEAD is GET without the body, which the server leaves out. */
    const char *method_z = strcmp(http->method_z, "HEAD") == 0 ? "GET" : http->method_z;
    switch (gm_route_find(method_z, http->path_z, &call.route, &call.part)) {
    case GM_ROUTE_NO_PATH:
        gm_http_reply_error(reply, 404, "not-found",
                            "there is no such address; see the admin-api page of the reference");
        return;
    case GM_ROUTE_NO_METHOD:
        gm_http_reply_header(http, "Allow", gm_str_z(call.route->method_z));
        gm_http_reply_error(reply, 405, "method-not-allowed",
                            "this address takes another method; see the Allow header");
        return;
    case GM_ROUTE_FOUND:
        break;
    }
    if (strcmp(call.route->method_z, "GET") != 0 && !has_token(admin, http)) {
        gm_http_reply_error(
            reply, 401, "unauthorized",
            "send `Authorization: Bearer TOKEN`; the token stands in DATA/admin.json");
        return;
    }
    gm_rc rc = handle_call(&call, &err);
    if (strcmp(call.route->method_z, "GET") != 0 &&
        !(call.route->body == gm_route_raw_body && rc == GM_OK)) {
        gm_log_info("admin.request", GM_L_Z("path", http->path_z),
                    GM_L_Z("outcome", rc == GM_OK ? "done" : gm_rc_name(rc)),
                    GM_L_Z("error", rc == GM_OK ? "" : err.text));
    }
    if (rc != GM_OK) {
        reply_failure(&call, rc, &err);
    }
}

static void handle_request(void *ctx, struct gm_http_call *http)
{
    answer_request(ctx, http);
    gm_http_call_answer(http);
}

/* ---- life ---- */

static void make_token(struct gm_admin *admin)
{
    unsigned char bytes[TOKEN_SIZE];
    gm_random_bytes(bytes, sizeof(bytes));
    gm_hex_z(bytes, sizeof(bytes), admin->token);
}

static gm_rc write_file(const struct gm_admin *admin, const char *api_url_z, struct gm_err *err)
{
    GM_AUTO_FREE char *api_z =
        api_url_z != NULL ? gm_format_z(",\"api\":\"%s\"", api_url_z) : gm_strdup_z("");
    GM_AUTO_FREE char *text_z =
        gm_format_z("{\"url\":\"%s\",\"token\":\"%s\"%s}\n", gm_http_server_url_z(admin->server),
                    admin->token, api_z);
    return gm_file_write_atomic(admin->file_z, gm_str_z(text_z), 0600, err);
}

/* Much memory is for uploads of models, for commands, and for pieces of what is appended, by those
 * who have the token. */
static size_t admit(void *ctx, const struct gm_http_call *http, uint64_t length)
{
    const struct gm_admin *admin = ctx;
    struct gm_str path = gm_str_z(http->path_z);
    size_t size_max = gm_str_is(path, "/models")                  ? MODELS_SIZE_MAX
                      : gm_str_starts(path, GM_STR("/commands/")) ? MODELS_SIZE_MAX
                      : gm_str_starts(path, GM_STR("/streams/"))  ? GM_INGEST_PIECE_SIZE
                                                                  : GM_HTTP_BODY_SIZE_MAX;
    bool large = length > GM_HTTP_BODY_SIZE_MAX && size_max > GM_HTTP_BODY_SIZE_MAX;
    return large && has_token(admin, http) ? size_max : GM_HTTP_BODY_SIZE_MAX;
}

static gm_rc start(struct gm_admin *admin, const char *listen_z, const char *api_url_z,
                   struct gm_err *err)
{
    const struct gm_http_server_options options = {.address_z = listen_z,
                                                   .handle = handle_request,
                                                   .ctx = admin,
                                                   .blocking = true,
                                                   .admit = admit,
                                                   .body_size_max = MODELS_SIZE_MAX};
    gm_rc rc = gm_http_server_start(&options, &admin->server, err);
    if (rc == GM_E_CONFIG) {
        GM_AUTO_FREE char *why_z = gm_strdup_z(err->text);
        return gm_fail(
            err, rc,
            "admin.listen: %s; set `admin.listen` to another address, or `admin.enabled: false`",
            why_z);
    }
    GM_TRY(rc);
    return write_file(admin, api_url_z, err);
}

gm_rc gm_admin_start(const struct gm_admin_options *options, struct gm_admin **out_admin,
                     struct gm_err *err)
{
    struct gm_engine *engine = options->engine;
    const struct gm_admin_conf *conf = &gm_config_root(gm_engine_config(engine))->admin;
    struct gm_admin *admin = gm_alloc(sizeof(*admin));
    admin->engine = engine;
    admin->routes = options->routes;
    admin->views = options->views;
    admin->hub = options->hub;
    admin->commands = options->commands;
    admin->consumers = options->consumers;
    admin->desk.mu = gm_mutex_new();
    admin->desk.stop = gm_stop_new();
    admin->file_z = gm_format_z("%s/admin.json", gm_store_folder_z(gm_engine_store(engine)));
    make_token(admin);
    gm_rc rc = conf->enabled ? start(admin, conf->listen, options->api_url_z, err) : GM_OK;
    if (rc != GM_OK || !conf->enabled) {
        gm_admin_stop(admin);
        *out_admin = NULL;
        return rc;
    }
    gm_log_info("admin.listening", GM_L_Z("url", gm_http_server_url_z(admin->server)));
    *out_admin = admin;
    return GM_OK;
}

void gm_admin_stop(struct gm_admin *admin)
{
    if (admin == NULL) {
        return;
    }
    struct gm_err err;
    if (gm_file_remove(admin->file_z, &err) != GM_OK) {
        gm_log_warn("admin.file", GM_L_Z("error", err.text));
    }
    gm_stop_request(admin->desk.stop);
    gm_mutex_lock(admin->desk.mu);
    for (size_t i = 0; i < GM_OPERATIONS_MAX; i++) {
        if (admin->desk.handles[i] != NULL) {
            gm_run_handle_stop(admin->desk.handles[i]);
        }
    }
    for (size_t i = 0; i < GM_CHANGE_WAITS_MAX; i++) {
        if (admin->desk.feeds[i] != NULL) {
            gm_feed_wake(admin->desk.feeds[i]);
        }
    }
    gm_mutex_unlock(admin->desk.mu);
    if (admin->views != NULL) {
        gm_views_stir(admin->views);
    }
    gm_http_server_stop(admin->server);
    gm_stop_free(admin->desk.stop);
    gm_mutex_free(admin->desk.mu);
    gm_free(admin->file_z);
    gm_free(admin);
}
