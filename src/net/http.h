/* An HTTP client: one request, one bounded answer. Over libcurl, which is included in http.c only.
 *
 *     struct gm_http_answer answer;
 *     struct gm_http_request request = {.method_z = "POST", .url_z = url_z, .body = json,
 *                                       .timeout = 10 * GM_SECOND};
 *     gm_rc rc = gm_http_send(&request, &answer, err);
 *     …
 *     gm_http_answer_free(&answer);
 *
 * http and https only; redirects are not followed; certificates are checked. Thread rule: any
 * thread, each request stands alone. */
#ifndef GM_NET_HTTP_H
#define GM_NET_HTTP_H

#include "base/buf.h"
#include "os/clock.h"

enum { GM_HTTP_ANSWER_SIZE_MAX = 64 << 20 };

struct gm_http_request {
    const char *method_z; /* "GET", "POST", … */
    const char *url_z;
    const char *authorization_z; /* NULL: no such header */
    const char *content_type_z;  /* NULL: application/json when there is a body */
    struct gm_str body;
    gm_ns timeout;              /* of the whole request; 0: none */
    const struct gm_stop *stop; /* NULL: cannot be stopped */
};

struct gm_http_answer {
    long status;
    struct gm_buf body;
};

/* GM_OK: there is an answer, whatever its status. GM_E_RETRY: none came (refused, timed out, cut
 * off); GM_E_CONFIG: the address or the certificate is wrong; GM_E_LIMIT: the answer is too large;
 * GM_E_CANCELLED. The answer is freed by the caller after GM_OK. */
gm_rc gm_http_send(const struct gm_http_request *request, struct gm_http_answer *out_answer,
                   struct gm_err *err) GM_MUST_CHECK;
void gm_http_answer_free(struct gm_http_answer *answer);

#endif
