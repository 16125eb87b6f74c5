#include "net/http.h"

#include <curl/curl.h>
/* tidy: libraries: libcurl wants one initialisation per process, before any thread uses it */
#include <pthread.h>

#include "base/mem.h"

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take_body(char *data, size_t size, size_t count, void *ctx)
{
    struct gm_buf *body = ctx;
    gm_buf_add(body, (struct gm_str){data, size * count});
    return gm_buf_failed(body) ? 0 : size * count; /* anything short ends the transfer */
}

static int watch_stop(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total,
                      curl_off_t up_now)
{
    (void)total;
    (void)now;
    (void)up_total;
    (void)up_now;
    const struct gm_http_request *request = ctx;
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
    return headers;
}

static void set_options(CURL *curl, const struct gm_http_request *request,
                        struct gm_http_answer *answer)
{
    curl_easy_setopt(curl, CURLOPT_URL, request->url_z);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method_z);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(request->timeout / GM_MS));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer->body);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch_stop);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, request);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "gemel/" GM_VERSION);
    if (request->body.p != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.p);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
    }
}

static gm_rc outcome(CURLcode code, const struct gm_http_request *request,
                     const struct gm_http_answer *answer, struct gm_err *err)
{
    switch (code) {
    case CURLE_OK:
        return GM_OK;
    case CURLE_ABORTED_BY_CALLBACK:
        return gm_fail(err, GM_E_CANCELLED, "stopped");
    case CURLE_WRITE_ERROR:
        if (gm_buf_failed(&answer->body)) {
            return gm_fail(err, GM_E_LIMIT, "%s: the answer is larger than %d MB", request->url_z,
                           GM_HTTP_ANSWER_SIZE_MAX >> 20);
        }
        break;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return gm_fail(err, GM_E_CONFIG, "%s: %s", request->url_z, curl_easy_strerror(code));
    default:
        break;
    }
    return gm_fail(err, GM_E_RETRY, "%s: %s", request->url_z, curl_easy_strerror(code));
}

gm_rc gm_http_send(const struct gm_http_request *request, struct gm_http_answer *out_answer,
                   struct gm_err *err)
{
    struct gm_http_answer answer = {0};
    (void)pthread_once(&curl_once, init_curl);
    CURL *curl = curl_easy_init();
    GM_ASSERT(curl != NULL);
    gm_buf_init(&answer.body, GM_HTTP_ANSWER_SIZE_MAX);
    struct curl_slist *headers = make_headers(request);
    set_options(curl, request, &answer);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    gm_rc rc = outcome(curl_easy_perform(curl), request, &answer, err);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (rc != GM_OK) {
        gm_http_answer_free(&answer);
        return rc;
    }
    *out_answer = answer;
    return GM_OK;
}

void gm_http_answer_free(struct gm_http_answer *answer)
{
    gm_buf_deinit(&answer->body);
}
