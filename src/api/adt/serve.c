/* The way of a call up to its handler, what it reads with, and how it is passed on. */
#include "api/adt/call.h"
#include "api/adt/inside.h"
#include "base/coding.h"
#include "base/mem.h"
#include "base/num.h"

/* Idle ones, each with a cache of its own: for the threads that serve, and a few workers. */
enum { READERS_KEPT = 8 };

/* ---- the way of a call ---- */

/* *out_mounted: it is none of the service's own. */
static enum gm_adt_match find_operation(const struct gm_adt *adt, const struct gm_http_call *http,
                                        const struct gm_adt_operation **out_operation,
                                        struct gm_str out_parts[GM_ADT_PARTS_MAX],
                                        bool *out_mounted)
{
    enum gm_adt_match match = gm_adt_find(http->method_z, http->path_z, out_operation, out_parts);
    *out_mounted = match == GM_ADT_NO_PATH && adt->mount.operations != NULL;
    return *out_mounted ? gm_adt_find_in(adt->mount.operations, http->method_z, http->path_z,
                                         out_operation, out_parts)
                        : match;
}

static bool check_version(struct gm_adt_call *call)
{
    if (call->mount != NULL) { /* no operation of the service */
        return true;
    }
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

static uint64_t size_limit(const struct gm_api_limits_conf *limits, enum gm_adt_size size)
{
    uint64_t large = limits->model_size * GM_ADT_LARGE_BODIES;
    switch (size) {
    case GM_ADT_SMALL:
        return limits->request_size;
    case GM_ADT_LARGE:
        return large > limits->request_size ? large : limits->request_size;
    case GM_ADT_EVENTS:
        return limits->events_size;
    }
    return 0;
}

static bool check_size(struct gm_adt_call *call)
{
    uint64_t size_max = size_limit(&call->adt->conf->limits, call->operation->size);
    if (call->http->body.n <= size_max) {
        return true;
    }
    gm_adt_refuse(call, 413, "RequestEntityTooLarge",
                  "The request's body has %zu bytes; %llu are allowed.", call->http->body.n,
                  (unsigned long long)size_max);
    return false;
}

static bool parameter_fits(void *ctx, const char *name_z, const char *value_z)
{
    bool *fits = ctx;
    struct gm_str value = gm_str_z(value_z);
    struct gm_buf plain;
    (void)name_z;
    if (memchr(value.p, '%', value.n) == NULL) {
        *fits = gm_utf8_valid(value, NULL);
        return *fits;
    }
    gm_buf_init(&plain, GM_HTTP_HEADERS_SIZE_MAX);
    *fits = gm_percent_take(&plain, value);
    gm_buf_deinit(&plain);
    return *fits;
}

/* A parameter that cannot be read must not be taken for one that was not sent: without its filter
 * a listing is another one. */
static bool decode_address(struct gm_adt_call *call)
{
    bool fits = true;
    gm_http_call_each_query(call->http, parameter_fits, &fits);
    for (size_t i = 0; fits && i < GM_ADT_PARTS_MAX && call->parts[i].p != NULL; i++) {
        fits = gm_adt_unescape(call->arena, call->parts[i], &call->parts[i]);
    }
    if (!fits) {
        gm_adt_refuse(call, 400, "InvalidArgument",
                      "The address has a bad percent escape, or is not UTF-8.");
    }
    return fits;
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
    if (check_version(call) && decode_address(call) && check_size(call)) {
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

void gm_adt_handle(void *ctx, struct gm_http_call *http)
{
    bool mounted;
    struct gm_adt *adt = ctx;
    struct gm_adt_call *call = gm_arena_zalloc(http->arena, sizeof(*call));
    yyjson_mut_doc *doc = gm_json_doc_new(http->arena);
    GM_ASSERT(call != NULL && doc != NULL); /* the arena is empty */
    call->adt = adt;
    call->http = http;
    call->arena = http->arena;
    call->doc = doc;
    call->now = adt->clock->wall(adt->clock);
    call->began = adt->clock->mono(adt->clock);
    enum gm_adt_match match = find_operation(adt, http, &call->operation, call->parts, &mounted);
    call->mount = mounted ? adt->mount.ctx : NULL;
    switch (match) {
    case GM_ADT_NO_PATH:
        gm_adt_refuse(call, 404, "NotFound", "There is no such resource in this API.");
        return;
    case GM_ADT_NO_METHOD:
        gm_adt_reply_header(call, "Allow", gm_str_z(call->operation->method_z));
        gm_adt_refuse(call, 405, "MethodNotAllowed", "The resource does not take this method.");
        return;
    case GM_ADT_FOUND:
        call->matched = true;
        check_access(call);
        return;
    }
}

/* ---- large bodies ---- */

/* Bodies of ordinary writes come in whoever sends them, and what is too large is told by the
 * handler; more memory is for those who may use it. */
size_t gm_adt_admit(void *ctx, const struct gm_http_call *http, uint64_t length)
{
    struct gm_adt *adt = ctx;
    const struct gm_api_limits_conf *limits = &adt->conf->limits;
    const struct gm_adt_operation *operation = NULL;
    struct gm_str parts[GM_ADT_PARTS_MAX];
    struct gm_identity who;
    int64_t after_s;
    if (length <= GM_ADT_FREE_SIZE) {
        return GM_ADT_FREE_SIZE;
    }
    bool mounted;
    if (find_operation(adt, http, &operation, parts, &mounted) != GM_ADT_FOUND) {
        return GM_ADT_FREE_SIZE;
    }
    enum gm_access_answer answer =
        gm_access_check(adt->access, gm_http_call_header(http, "Authorization"), &who, &after_s);
    if (answer != GM_ACCESS_GRANTED && answer != GM_ACCESS_LATER) {
        return GM_ADT_FREE_SIZE;
    }
    return (size_t)size_limit(limits, operation->size);
}

/* ---- reading ---- */

void gm_adt_reader_close(struct gm_adt_reader *reader)
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
        gm_adt_reader_close(reader);
        return rc;
    }
    *out_reader = reader;
    return GM_OK;
}

/* Handed out newest first: what was used last is warm. As many come into being as threads ever
 * read at once: those that serve, and the workers. */
struct gm_adt_reader *gm_adt_reader_take(struct gm_adt_call *call)
{
    struct gm_adt *adt = call->adt;
    gm_mutex_lock(adt->mu);
    struct gm_adt_reader *reader = adt->readers;
    adt->readers = reader != NULL ? reader->next_ : NULL;
    adt->idle_readers -= reader != NULL ? 1 : 0;
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
    bool keep = adt->idle_readers < READERS_KEPT;
    if (keep) {
        reader->next_ = adt->readers;
        adt->readers = reader;
        adt->idle_readers++;
    }
    gm_mutex_unlock(adt->mu);
    if (!keep) {
        gm_adt_reader_close(reader);
    }
}

const struct gm_models *gm_adt_models(struct gm_adt_call *call)
{
    if (call->models_ == NULL) {
        call->models_ = gm_store_models_hold(call->adt->store);
    }
    return call->models_;
}

const struct gm_models *gm_adt_models_again(struct gm_adt_call *call)
{
    gm_store_models_release(call->adt->store, call->models_);
    call->models_ = NULL;
    return gm_adt_models(call);
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
    if (rc == GM_OK || call->undone) {
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
