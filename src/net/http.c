#include "net/client.h"

#include <curl/curl.h>
/* tidy: libraries: libcurl wants one initialisation per process, before any thread uses it */
#include <pthread.h>

#include "base/mem.h"

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* One request under way. */
struct exchange {
    CURL *curl;
    const struct gm_http_request *request;
    struct gm_http_answer *answer;
    gm_rc taken; /* what request->take said */
    struct gm_err *err;
};

static size_t take_body(char *data, size_t size, size_t count, void *ctx)
{
    struct exchange *exchange = ctx;
    const struct gm_str bytes = {data, size * count};
    const struct gm_http_request *request = exchange->request;
    long status = 0;
    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
    if (request->take != NULL && status >= 200 && status < 300) {
        exchange->taken = request->take(request->take_ctx, bytes, exchange->err);
        return exchange->taken == GM_OK ? bytes.n : 0; /* anything short ends the transfer */
    }
    gm_buf_add(&exchange->answer->body, bytes);
    return gm_buf_failed(&exchange->answer->body) ? 0 : bytes.n;
}

static size_t take_header(char *data, size_t size, size_t count, void *ctx)
{
    struct exchange *exchange = ctx;
    const struct gm_str line = {data, size * count};
    if (gm_str_starts(line, GM_STR("HTTP/"))) {
        gm_buf_reset(&exchange->answer->headers); /* those before were of a 100 */
    }
    gm_buf_add(&exchange->answer->headers, line);
    return gm_buf_failed(&exchange->answer->headers) ? 0 : line.n;
}

static int watch_stop(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total,
                      curl_off_t up_now)
{
    (void)total;
    (void)now;
    (void)up_total;
    (void)up_now;
    const struct gm_http_request *request = ((struct exchange *)ctx)->request;
    return request->stop != NULL && gm_stop_requested(request->stop) ? 1 : 0;
}

static struct curl_slist *make_headers(const struct gm_http_request *request)
{
    struct curl_slist *headers = NULL;
    if (request->body.p != NULL) {
        GM_AUTO_FREE char *type_z = gm_format_z("Content-Type: %s", request->content_type_z != NULL
                                                                        ? request->content_type_z
                                                                        : "application/json");
        headers = curl_slist_append(headers, type_z);
    }
    if (request->authorization_z != NULL) {
        GM_AUTO_FREE char *authorization_z =
            gm_format_z("Authorization: %s", request->authorization_z);
        headers = curl_slist_append(headers, authorization_z);
    }
    for (size_t i = 0; i < request->header_count; i++) {
        GM_AUTO_FREE char *line_z =
            gm_format_z("%s: %s", request->headers[i].name_z, request->headers[i].value_z);
        headers = curl_slist_append(headers, line_z);
    }
    return headers;
}

static void set_options(struct exchange *exchange)
{
    CURL *curl = exchange->curl;
    const struct gm_http_request *request = exchange->request;
    curl_easy_setopt(curl, CURLOPT_URL, request->url_z);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method_z);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(request->timeout / GM_MS));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch_stop);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, exchange);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "gemel/" GM_VERSION);
    if (request->idle_timeout > 0) {
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)(request->idle_timeout / GM_SECOND));
    }
    if (request->ca_file_z != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file_z);
    }
    if (strcmp(request->method_z, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    }
    if (request->body.p != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.p);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
    }
}

static gm_rc outcome(CURLcode code, const struct exchange *exchange, struct gm_err *err)
{
    struct gm_str shown, query; /* the query may hold a signature */
    (void)gm_str_cut(gm_str_z(exchange->request->url_z), '?', &shown, &query);
    if (exchange->taken != GM_OK) {
        return exchange->taken; /* it has said why */
    }
    switch (code) {
    case CURLE_OK:
        return GM_OK;
    case CURLE_ABORTED_BY_CALLBACK:
        return gm_fail(err, GM_E_CANCELLED, "stopped");
    case CURLE_WRITE_ERROR:
        if (gm_buf_failed(&exchange->answer->body) || gm_buf_failed(&exchange->answer->headers)) {
            return gm_fail(err, GM_E_LIMIT, GM_STR_FMT ": the answer is larger than %d MB",
                           GM_STR_ARG(shown), GM_HTTP_ANSWER_SIZE_MAX >> 20);
        }
        break;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return gm_fail(err, GM_E_CONFIG, GM_STR_FMT ": %s", GM_STR_ARG(shown),
                       curl_easy_strerror(code));
    default:
        break;
    }
    return gm_fail(err, GM_E_RETRY, GM_STR_FMT ": %s", GM_STR_ARG(shown), curl_easy_strerror(code));
}

static void take_status(CURL *curl, struct gm_http_answer *answer)
{
    curl_off_t seconds = 0;
    const gm_ns longest = GM_DAY / GM_SECOND;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
    answer->retry_after = (seconds < longest ? seconds : longest) * GM_SECOND;
}

gm_rc gm_http_send(const struct gm_http_request *request, struct gm_http_answer *out_answer,
                   struct gm_err *err)
{
    struct gm_http_answer answer = {0};
    (void)pthread_once(&curl_once, init_curl);
    CURL *curl = curl_easy_init();
    GM_ASSERT(curl != NULL);
    gm_buf_init(&answer.body, GM_HTTP_ANSWER_SIZE_MAX);
    gm_buf_init(&answer.headers, GM_HTTP_ANSWER_HEADERS_SIZE_MAX);
    struct exchange exchange = {.curl = curl, .request = request, .answer = &answer, .err = err};
    struct curl_slist *headers = make_headers(request);
    set_options(&exchange);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    gm_rc rc = outcome(curl_easy_perform(curl), &exchange, err);
    take_status(curl, &answer);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (rc != GM_OK) {
        gm_http_answer_free(&answer);
        return rc;
    }
    *out_answer = answer;
    return GM_OK;
}

struct gm_str gm_http_answer_header(const struct gm_http_answer *answer, const char *name_z)
{
    struct gm_str rest = gm_buf_str(&answer->headers);
    while (rest.n > 0) {
        struct gm_str line, name, value;
        (void)gm_str_cut(rest, '\n', &line, &rest);
        if (gm_str_cut(line, ':', &name, &value) && gm_str_same(name, gm_str_z(name_z))) {
            return gm_str_trim(value);
        }
    }
    return (struct gm_str){NULL, 0};
}

void gm_http_answer_free(struct gm_http_answer *answer)
{
    gm_buf_deinit(&answer->headers);
    gm_buf_deinit(&answer->body);
}

/* ---- many at a time ---- */

struct flight {
    struct gm_http_request request; /* url_z: a copy */
    struct gm_http_answer answer;
    struct exchange exchange;
    struct gm_err err;
    struct curl_slist *headers;
    void *ctx;
    struct flight *before, *behind; /* in the client's list */
};

struct gm_http_client {
    CURLM *multi;
    struct flight *first;
    size_t count;
    CURL **idle; /* handles that wait for their next request */
    size_t idle_count, idle_max;
};

struct gm_http_client *gm_http_client_new(size_t connections_max)
{
    GM_ASSERT(connections_max > 0 && connections_max <= GM_HTTP_CLIENT_CONNECTIONS_MAX);
    struct gm_http_client *client = gm_alloc(sizeof(*client));
    (void)pthread_once(&curl_once, init_curl);
    client->multi = curl_multi_init();
    GM_ASSERT(client->multi != NULL);
    client->idle_max = connections_max;
    client->idle = gm_alloc_array(connections_max, sizeof(CURL *));
    curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)connections_max);
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)connections_max);
    curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    return client;
}

void gm_http_client_start(struct gm_http_client *client, const struct gm_http_request *request,
                          void *ctx)
{
    struct flight *flight = gm_alloc(sizeof(*flight));
    CURL *curl = client->idle_count > 0 ? client->idle[--client->idle_count] : curl_easy_init();
    GM_ASSERT(curl != NULL);
    flight->request = *request;
    flight->request.url_z = gm_strdup_z(request->url_z);
    flight->request.stop = NULL;
    flight->ctx = ctx;
    flight->exchange = (struct exchange){
        .curl = curl, .request = &flight->request, .answer = &flight->answer, .err = &flight->err};
    gm_buf_init(&flight->answer.body, GM_HTTP_ANSWER_SIZE_MAX);
    gm_buf_init(&flight->answer.headers, GM_HTTP_ANSWER_HEADERS_SIZE_MAX);
    flight->headers = make_headers(request);
    set_options(&flight->exchange);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, flight->headers);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, flight);
    GM_ASSERT(curl_multi_add_handle(client->multi, curl) == CURLM_OK);
    flight->behind = client->first;
    if (client->first != NULL) {
        client->first->before = flight;
    }
    client->first = flight;
    client->count++;
}

size_t gm_http_client_count(const struct gm_http_client *client)
{
    return client->count;
}

/* The flight's memory but for its answer, which is handed on. */
static void land(struct gm_http_client *client, struct flight *flight)
{
    CURL *curl = flight->exchange.curl;
    curl_multi_remove_handle(client->multi, curl);
    *(flight->before != NULL ? &flight->before->behind : &client->first) = flight->behind;
    if (flight->behind != NULL) {
        flight->behind->before = flight->before;
    }
    client->count--;
    if (client->idle_count < client->idle_max) {
        curl_easy_reset(curl);
        client->idle[client->idle_count++] = curl;
    } else {
        curl_easy_cleanup(curl);
    }
    curl_slist_free_all(flight->headers);
    gm_free((void *)(uintptr_t)flight->request.url_z);
    gm_free(flight);
}

static bool take_done(struct gm_http_client *client, struct gm_http_done *out_done)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        struct flight *flight = NULL;
        curl_off_t took_us = 0;
        CURL *curl = message->easy_handle;
        CURLcode code = message->data.result; /* the message goes with its handle */
        curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&flight);
        take_status(curl, &flight->answer);
        curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME_T, &took_us);
        *out_done = (struct gm_http_done){.ctx = flight->ctx, .took = (gm_ns)took_us * GM_US};
        out_done->rc = outcome(code, &flight->exchange, &flight->err);
        out_done->err = flight->err;
        out_done->answer = flight->answer;
        land(client, flight);
        return true;
    }
    return false;
}

bool gm_http_client_next(struct gm_http_client *client, gm_ns span, struct gm_http_done *out_done)
{
    const struct gm_deadline until = gm_deadline_in(span, NULL);
    int running;
    while (!take_done(client, out_done)) {
        (void)curl_multi_perform(client->multi, &running);
        if (take_done(client, out_done)) {
            return true;
        }
        if (gm_deadline_passed(&until)) {
            return false;
        }
        gm_ns left = gm_deadline_left(&until);
        (void)curl_multi_poll(client->multi, NULL, 0, (int)((left + GM_MS - 1) / GM_MS), NULL);
    }
    return true;
}

void gm_http_done_free(struct gm_http_done *done)
{
    gm_http_answer_free(&done->answer);
}

void gm_http_client_free(struct gm_http_client *client)
{
    if (client == NULL) {
        return;
    }
    while (client->first != NULL) {
        gm_http_answer_free(&client->first->answer);
        land(client, client->first);
    }
    for (size_t i = 0; i < client->idle_count; i++) {
        curl_easy_cleanup(client->idle[i]);
    }
    curl_multi_cleanup(client->multi);
    gm_free(client->idle);
    gm_free(client);
}
