/* The service's life, the way of a call up to its handler, and how it is passed on. */
#include "api/adt/adt.h"

#include "api/adt/call.h"
#include "auth/access.h"
#include "auth/tls.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"

enum { LARGE_BODIES = 32 }; /* times what one model may have: the body of a call with many */

/* ---- the way of a call ---- */

static bool check_version(struct gm_adt_call *call)
{
    struct gm_str version = gm_adt_param(call, "api-version");
    if (version.n == 0) {
        gm_adt_refuse(call, 400, "MissingApiVersionParameter",
                      "The api-version query parameter (?api-version=) is required for all "
                      "requests.");
        return false;
    }
    for (size_t i = 0; i < GM_ADT_VERSION_COUNT; i++) {
        if (gm_str_is(version, gm_adt_versions[i])) {
            return true;
        }
    }
    struct gm_buf known;
    gm_buf_init(&known, 256);
    for (size_t i = 0; i < GM_ADT_VERSION_COUNT; i++) {
        gm_buf_addf(&known, "%s%s", i > 0 ? "," : "", gm_adt_versions[i]);
    }
    gm_adt_refuse(call, 400, "UnsupportedApiVersionValue",
                  "Unsupported api-version '" GM_STR_FMT
                  "'. The supported api-versions are '" GM_STR_FMT "'.",
                  GM_STR_ARG(version), GM_STR_ARG(gm_buf_str(&known)));
    gm_buf_deinit(&known);
    return false;
}

static bool check_size(struct gm_adt_call *call)
{
    const struct gm_api_limits_conf *limits = &call->adt->conf->limits;
    if (call->operation->size == GM_ADT_LARGE || call->http->body.n <= limits->request_size) {
        return true;
    }
    gm_adt_refuse(call, 413, "RequestEntityTooLarge",
                  "The request's body has %zu bytes; %llu are allowed.", call->http->body.n,
                  (unsigned long long)limits->request_size);
    return false;
}

static bool decode_parts(struct gm_adt_call *call)
{
    for (size_t i = 0; i < GM_ADT_PARTS_MAX && call->parts[i].p != NULL; i++) {
        if (!gm_adt_unescape(call->arena, call->parts[i], &call->parts[i])) {
            gm_adt_refuse(call, 400, "InvalidArgument",
                          "The address has a bad percent escape, or is not UTF-8.");
            return false;
        }
    }
    return true;
}

static void refuse_access(struct gm_adt_call *call, enum gm_access_answer answer, int64_t after_s)
{
    char number[GM_NUM_TEXT_SIZE];
    struct gm_str after = {number, gm_format_i64(after_s, number)};
    switch (answer) {
    case GM_ACCESS_TOO_FAST:
        gm_adt_reply_header(call, "Retry-After", after);
        gm_adt_refuse(call, 429, "QuotaReachedError",
                      "Too many requests. Please retry after " GM_STR_FMT " seconds.",
                      GM_STR_ARG(after));
        return;
    case GM_ACCESS_LATER:
        gm_adt_reply_header(call, "Retry-After", after);
        gm_adt_refuse(call, 503, "ServiceUnavailable",
                      "The keys that tokens are checked with cannot be had now.");
        return;
    default:
        gm_adt_reply_header(call, "WWW-Authenticate", gm_str_z(gm_access_challenge_z(answer)));
        gm_adt_refuse(call, 401, "Unauthorized",
                      answer == GM_ACCESS_NO_TOKEN
                          ? "The request has no bearer token. Send `Authorization: Bearer TOKEN`."
                          : "The bearer token is not valid here: it is unknown, expired, or was "
                            "issued for another service.");
        return;
    }
}

/* Who asks is known: the rest of the way. */
static void go_on(struct gm_adt_call *call, const struct gm_identity *who)
{
    static const enum gm_access_role needed[] = {
        [GM_ADT_READER] = GM_ACCESS_READER,
        [GM_ADT_WRITER] = GM_ACCESS_WRITER,
        [GM_ADT_ADMIN] = GM_ACCESS_ADMIN,
    };
    if (who->role < needed[call->operation->role]) {
        gm_adt_refuse(call, 403, "AuthorizationFailed",
                      "\"%s\" has the role %s; this operation needs the role %s.", who->name,
                      gm_access_role_name(who->role), gm_adt_role_name(call->operation->role));
        return;
    }
    call->identity = gm_arena_dup(call->arena, gm_str_z(who->name));
    if (check_version(call) && decode_parts(call) && check_size(call)) {
        call->operation->handle(call);
    }
}

static void check_access_waiting(struct gm_adt_call *call)
{
    struct gm_identity who;
    int64_t after_s = 1;
    enum gm_access_answer answer = gm_access_check_waiting(
        call->adt->access, gm_adt_header_z(call, "Authorization"), &who, &after_s);
    if (answer == GM_ACCESS_GRANTED) {
        go_on(call, &who);
    } else {
        refuse_access(call, answer, after_s);
    }
}

static void check_access(struct gm_adt_call *call)
{
    struct gm_identity who;
    int64_t after_s = 1;
    enum gm_access_answer answer =
        gm_access_check(call->adt->access, gm_adt_header_z(call, "Authorization"), &who, &after_s);
    if (answer == GM_ACCESS_GRANTED) {
        go_on(call, &who);
    } else if (answer == GM_ACCESS_LATER) {
        gm_adt_work(call, check_access_waiting);
    } else {
        refuse_access(call, answer, after_s);
    }
}

static void handle(void *ctx, struct gm_http_call *http)
{
    struct gm_adt *adt = ctx;
    struct gm_adt_call *call = gm_arena_zalloc(http->arena, sizeof(*call));
    yyjson_mut_doc *doc = gm_json_doc_new(http->arena);
    GM_ASSERT(call != NULL && doc != NULL); /* the arena is empty */
    call->adt = adt;
    call->http = http;
    call->arena = http->arena;
    call->doc = doc;
    call->now = adt->clock->wall(adt->clock);
    switch (gm_adt_find(http->method_z, http->path_z, &call->operation, call->parts)) {
    case GM_ADT_NO_PATH:
        gm_adt_refuse(call, 404, "NotFound", "There is no such resource in this API.");
        return;
    case GM_ADT_NO_METHOD:
        gm_adt_reply_header(call, "Allow", gm_str_z(call->operation->method_z));
        gm_adt_refuse(call, 405, "MethodNotAllowed", "The resource does not take this method.");
        return;
    case GM_ADT_FOUND:
        check_access(call);
        return;
    }
}

/* ---- reading ---- */

static void close_reader(struct gm_adt_reader *reader)
{
    gm_twin_reader_close(reader->twins);
    gm_relationship_reader_close(reader->relationships);
    gm_db_close(reader->db);
    gm_free(reader);
}

static gm_rc open_reader(struct gm_adt *adt, struct gm_adt_reader **out_reader, struct gm_err *err)
{
    struct gm_adt_reader *reader = gm_alloc(sizeof(*reader));
    gm_rc rc = gm_store_reader(adt->store, &reader->db, err);
    rc = rc == GM_OK ? gm_twin_reader_open(reader->db, &reader->twins, err) : rc;
    rc = rc == GM_OK ? gm_relationship_reader_open(reader->db, &reader->relationships, err) : rc;
    if (rc != GM_OK) {
        close_reader(reader);
        return rc;
    }
    *out_reader = reader;
    return GM_OK;
}

/* Both handed out newest first: what was used last is warm. As many come into being as threads ever
 * read at once: those that serve, and the workers. */
struct gm_adt_reader *gm_adt_reader_take(struct gm_adt_call *call)
{
    struct gm_adt *adt = call->adt;
    gm_mutex_lock(adt->mu);
    struct gm_adt_reader *reader = adt->readers;
    adt->readers = reader != NULL ? reader->next_ : NULL;
    gm_mutex_unlock(adt->mu);
    if (reader != NULL) {
        return reader;
    }
    struct gm_err err = {0};
    gm_rc rc = open_reader(adt, &reader, &err);
    if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
        return NULL;
    }
    return reader;
}

/* A statement that still stands on a row holds its snapshot: the next call would see the past, and
 * the log behind it could not be emptied. */
void gm_adt_reader_give(struct gm_adt *adt, struct gm_adt_reader *reader)
{
    gm_twin_reader_reset(reader->twins);
    gm_relationship_reader_reset(reader->relationships);
    gm_mutex_lock(adt->mu);
    reader->next_ = adt->readers;
    adt->readers = reader;
    gm_mutex_unlock(adt->mu);
}

const struct gm_models *gm_adt_models(struct gm_adt_call *call)
{
    return gm_store_models(call->adt->store);
}

/* ---- passing on ---- */

static gm_rc run_write(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct gm_adt_call *call = ctx;
    return call->write_(call, tx, err);
}

static void count_written(struct gm_adt *adt)
{
    gm_mutex_lock(adt->mu);
    adt->writes--;
    gm_cond_signal(adt->written);
    gm_mutex_unlock(adt->mu);
}

static void finish_write(void *ctx, gm_rc rc, const struct gm_err *err)
{
    struct gm_adt_call *call = ctx;
    struct gm_adt *adt = call->adt;
    if (rc == GM_OK) {
        call->written_(call);
    } else {
        gm_adt_fail(call, rc, err);
    }
    count_written(adt);
}

static bool reserve_write(struct gm_adt *adt)
{
    gm_mutex_lock(adt->mu);
    bool room = adt->writes < GM_ADT_WRITES_MAX;
    adt->writes += room ? 1 : 0;
    gm_mutex_unlock(adt->mu);
    return room;
}

void gm_adt_write(struct gm_adt_call *call,
                  gm_rc (*write)(struct gm_adt_call *call, const struct gm_store_tx *tx,
                                 struct gm_err *err),
                  void (*written)(struct gm_adt_call *call))
{
    struct gm_adt *adt = call->adt;
    struct gm_err err = {0};
    if (!reserve_write(adt)) {
        gm_adt_reply_header(call, "Retry-After", GM_STR("1"));
        gm_adt_refuse(call, 503, "ServiceUnavailable",
                      "Too many writes wait for the store. Please retry after 1 second.");
        return;
    }
    call->write_ = write;
    call->written_ = written;
    call->job_ = (struct gm_store_job){.fn = run_write, .done = finish_write, .ctx = call};
    gm_rc rc = gm_store_submit(adt->store, &call->job_, &err);
    if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
        count_written(adt);
    }
}

static void run_work(void *ctx, struct gm_http_call *http)
{
    (void)http;
    struct gm_adt_call *call = ctx;
    call->work_(call);
}

void gm_adt_work(struct gm_adt_call *call, void (*work)(struct gm_adt_call *call))
{
    call->work_ = work;
    if (!gm_http_call_work(call->http, run_work, call)) {
        gm_adt_reply_header(call, "Retry-After", GM_STR("1"));
        gm_adt_refuse(call, 503, "ServiceUnavailable",
                      "Too many long requests are under way. Please retry after 1 second.");
    }
}

/* ---- life ---- */

static gm_rc open_access(struct gm_adt *adt, struct gm_err *err)
{
    const struct gm_api_conf *conf = adt->conf;
    GM_AUTO_FREE struct gm_access_role_map *roles =
        gm_alloc_array(conf->jwt.roles.n + 1, sizeof(*roles));
    const struct gm_api_role_conf *given = conf->jwt.roles.at;
    for (size_t i = 0; i < conf->jwt.roles.n; i++) {
        roles[i] = (struct gm_access_role_map){given[i].value, (enum gm_access_role)given[i].role};
    }
    return gm_access_open(
        &(struct gm_access_options){
            .data_z = gm_store_folder_z(adt->store),
            .development = conf->tokens.development,
            .file_z = conf->tokens.file,
            .jwt = {.jwks_z = conf->jwt.jwks,
                    .issuer_z = conf->jwt.issuer,
                    .audiences = conf->jwt.audience.at,
                    .audience_count = conf->jwt.audience.n,
                    .role_claim_z = conf->jwt.role_claim,
                    .roles = roles,
                    .role_count = conf->jwt.roles.n,
                    .default_role = (enum gm_access_role)conf->jwt.default_role,
                    .skew = conf->jwt.skew},
            .rate_per_second = conf->rate_limit.per_second,
            .rate_burst = conf->rate_limit.burst,
            .clock = adt->clock},
        &adt->access, err);
}

static gm_rc load_tls(const struct gm_adt *adt, struct gm_tls_pair *out_pair, struct gm_err *err)
{
    const struct gm_api_conf *conf = adt->conf;
    gm_ns now = adt->clock->wall(adt->clock);
    if (conf->tls.certificate != NULL) {
        return gm_tls_load(conf->tls.certificate, conf->tls.key, now, out_pair, err);
    }
    GM_AUTO_FREE char *folder_z = gm_format_z("%s/tls", gm_store_folder_z(adt->store));
    return gm_tls_local(
        &(struct gm_tls_options){
            .folder_z = folder_z, .names = conf->names.at, .name_count = conf->names.n, .now = now},
        out_pair, err);
}

static gm_rc start_server(struct gm_adt *adt, struct gm_err *err)
{
    const struct gm_api_limits_conf *limits = &adt->conf->limits;
    uint64_t large = limits->model_size * LARGE_BODIES;
    struct gm_tls_pair pair = {0};
    if (!adt->conf->tls.off) {
        GM_TRY(load_tls(adt, &pair, err));
    }
    struct gm_http_tls tls = {pair.certificate_z, pair.key_z};
    const struct gm_http_server_options options = {
        .address_z = adt->conf->listen,
        .tls = adt->conf->tls.off ? NULL : &tls,
        .handle = handle,
        .ctx = adt,
        .connections_max = (size_t)limits->connections,
        .body_size_max = (size_t)(large > limits->request_size ? large : limits->request_size),
        .workers_max = (size_t)limits->workers,
    };
    gm_rc rc = gm_http_server_start(&options, &adt->server, err);
    gm_tls_pair_free(&pair);
    if (rc == GM_E_CONFIG) {
        return gm_fail_within(err, "api.listen");
    }
    return rc;
}

gm_rc gm_adt_start(const struct gm_adt_options *options, struct gm_adt **out_adt,
                   struct gm_err *err)
{
    const struct gm_api_conf *conf = &gm_config_root(options->config)->api;
    if (!conf->enabled) {
        *out_adt = NULL;
        return GM_OK;
    }
    struct gm_adt *adt = gm_alloc(sizeof(*adt));
    adt->store = options->store;
    adt->jobs = options->jobs;
    adt->routes = options->routes;
    adt->conf = conf;
    adt->clock = gm_store_clock(options->store);
    adt->stop = gm_stop_new();
    adt->mu = gm_mutex_new();
    adt->written = gm_cond_new();
    gm_rc rc = open_access(adt, err);
    rc = rc == GM_OK ? start_server(adt, err) : rc;
    if (rc != GM_OK) {
        gm_adt_stop(adt);
        return rc;
    }
    gm_log_info("api.listening", GM_L_Z("url", gm_adt_url_z(adt)));
    *out_adt = adt;
    return GM_OK;
}

const char *gm_adt_url_z(const struct gm_adt *adt)
{
    return gm_http_server_url_z(adt->server);
}

/* Writes that are in the store's queue are answered before the server ends, and touch the service
 * for the last time when they are counted off. */
static void wait_for_writes(struct gm_adt *adt)
{
    gm_mutex_lock(adt->mu);
    while (adt->writes > 0) {
        gm_cond_wait(adt->written, adt->mu);
    }
    gm_mutex_unlock(adt->mu);
}

void gm_adt_stop(struct gm_adt *adt)
{
    if (adt == NULL) {
        return;
    }
    gm_stop_request(adt->stop);
    gm_http_server_stop(adt->server);
    wait_for_writes(adt);
    gm_access_close(adt->access);
    while (adt->readers != NULL) {
        struct gm_adt_reader *reader = adt->readers;
        adt->readers = reader->next_;
        close_reader(reader);
    }
    gm_cond_free(adt->written);
    gm_mutex_free(adt->mu);
    gm_stop_free(adt->stop);
    gm_free(adt);
}
