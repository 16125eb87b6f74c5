/* Calls to a service over HTTP, many at a time, at the speed that its governor allows: what sinks
 * outside the store send through.
 *
 *     struct gm_exchange *exchange = gm_exchange_new(&options);
 *     call->answered = take_answer;                       // may add further calls
 *     gm_exchange_add(exchange, call);
 *     rc = gm_exchange_run(exchange, stop, err);          // until all are answered
 *     gm_exchange_free(exchange);
 *
 * What is wrong with the service, and not with a call, never reaches the caller's function: a
 * refusal (429, 503) waits as long as the service says, for everybody who uses it; a lost
 * connection, a timeout and a 5xx are tried again with full jitter, GM_CALL_ATTEMPTS_MAX times; a
 * 401 renews the credential once. When that does not help, or nothing was answered for `patience`,
 * the run ends with GM_E_RETRY or GM_E_CONFIG: calls that were not answered are dropped then, and
 * whether they took effect is not known.
 *
 * A call whose first attempt got no answer may have taken effect: call->repeated says so.
 *
 * Thread rule: one owner; the governor is shared. */
#ifndef GM_CONNECT_EXCHANGE_H
#define GM_CONNECT_EXCHANGE_H

#include "connect/credential.h"
#include "net/client.h"
#include "sync/governor.h"

enum { GM_CALL_ATTEMPTS_MAX = 6 };

struct gm_call;
typedef void (*gm_call_fn)(struct gm_call *call, const struct gm_http_answer *answer);

/* The caller's memory until it is answered or the run ends; may be added again from its
 * function. */
struct gm_call {
    const char *method_z;
    const char *path_z; /* "/digitaltwins/a?api-version=…", escaped */
    const char *content_type_z;
    const char *if_match_z, *if_none_match_z;
    struct gm_str body;
    struct gm_rate_ask ask;
    gm_call_fn answered;
    void *ctx;
    bool sent;     /* out: it left the queue once at least */
    bool repeated; /* out: an earlier attempt may have taken effect */

    int attempts_; /* private from here on */
    bool renewed_;
    uint64_t generation_; /* of the credential it was sent with */
    gm_ns not_before_;
    struct gm_call *behind_;
};

struct gm_exchange_options {
    const char *url_z; /* in front of all paths; without a slash at its end */
    const char *ca_file_z;
    gm_ns timeout;
    gm_ns patience;
    size_t concurrency_max;
    const struct gm_clock *clock;
    struct gm_credential *credential;  /* keeps */
    struct gm_governor_user *governor; /* keeps */
};

struct gm_exchange;
struct gm_exchange *gm_exchange_new(const struct gm_exchange_options *options);
void gm_exchange_free(struct gm_exchange *exchange); /* NULL is fine */
void gm_exchange_add(struct gm_exchange *exchange, struct gm_call *call);
gm_rc gm_exchange_run(struct gm_exchange *exchange, const struct gm_stop *stop, struct gm_err *err)
    GM_MUST_CHECK;
/* Something means that nothing more can be sent: the run, or the next one, ends with that. */
void gm_exchange_fail(struct gm_exchange *exchange, gm_rc rc, const char *text_z);

#endif
