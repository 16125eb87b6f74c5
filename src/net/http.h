/* An HTTP client: one request, one bounded answer. Over libcurl, which is included in http.c only.
 *
 *     struct gm_http_answer answer;
 *     struct gm_http_request request = {.method_z = "POST", .url_z = url_z, .body = json,
 *                                       .timeout = 10 * GM_SECOND};
 *     gm_rc rc = gm_http_send(&request, &answer, err);
 *     …
 *     gm_http_answer_free(&answer);
 *
 * An answer that may be of any size is not kept but handed on as it comes: request.take.
 *
 * http and https only; redirects are not followed; certificates are checked. Thread rule: any
 * thread, each request stands alone. */
#ifndef GM_NET_HTTP_H
#define GM_NET_HTTP_H

#include "base/buf.h"
#include "net/header.h"
#include "os/clock.h"

enum { GM_HTTP_ANSWER_SIZE_MAX = 64 << 20, GM_HTTP_ANSWER_HEADERS_SIZE_MAX = 64 << 10 };

struct gm_http_request {
    const char *method_z; /* "GET", "POST", … */
    const char *url_z;
    const char *authorization_z;          /* NULL: no such header */
    const char *content_type_z;           /* NULL: application/json when there is a body */
    const struct gm_http_header *headers; /* others */
    size_t header_count;
    struct gm_str body;
    /* The body of an answer whose status is 2xx, in pieces; of others, and when NULL, answer.body.
     * Anything but GM_OK ends the request with that. */
    gm_rc (*take)(void *ctx, struct gm_str bytes, struct gm_err *err);
    void *take_ctx;
    const char *ca_file_z;      /* who signs servers' certificates (PEM); NULL: the system's */
    gm_ns timeout;              /* of the whole request; 0: none */
    gm_ns idle_timeout;         /* of silence; 0: none */
    const struct gm_stop *stop; /* NULL: cannot be stopped */
};

struct gm_http_answer {
    long status;
    gm_ns retry_after;     /* what Retry-After asks for, from now on, at most a day; 0: nothing */
    struct gm_buf headers; /* as they came */
    struct gm_buf body;
};

/* GM_OK: there is an answer, whatever its status. GM_E_RETRY: none came (refused, timed out, cut
 * off); GM_E_CONFIG: the address or the certificate is wrong; GM_E_LIMIT: the answer is too large;
 * GM_E_CANCELLED. The answer is freed by the caller after GM_OK. */
gm_rc gm_http_send(const struct gm_http_request *request, struct gm_http_answer *out_answer,
                   struct gm_err *err) GM_MUST_CHECK;
/* The first header of that name, in any case; p NULL: there is none. */
struct gm_str gm_http_answer_header(const struct gm_http_answer *answer, const char *name_z);
void gm_http_answer_free(struct gm_http_answer *answer);

#endif
