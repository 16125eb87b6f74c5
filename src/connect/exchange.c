#include "connect/exchange.h"

#include "base/mem.h"
#include "base/metrics.h"
#include "base/num.h"
#include "base/rng.h"
#include "os/process.h"

enum {
    LOOKS_MAX = 64, /* calls that must wait, looked at in one round */
    URL_SIZE_MAX = 16 << 10,
    TEXT_SHOWN_MAX = 200,
};
#define ROUND_LONGEST (100 * GM_MS) /* a stop is heard within this */
#define DRAIN_LONGEST (5 * GM_SECOND)
#define PAUSE_FIRST (200 * GM_MS)
#define PAUSE_LONGEST (30 * GM_SECOND)

struct gm_exchange {
    struct gm_exchange_options options;
    struct gm_http_client *client;
    struct gm_slots slots;
    struct gm_rng rng;
    struct gm_call *first, **last;     /* those that wait, in order */
    gm_ns progress;                    /* when a call was last answered */
    int64_t answered, refused, failed; /* since the metrics were told */
    gm_rc rc;                          /* not GM_OK: the run ends */
    struct gm_err err;
};

struct gm_exchange *gm_exchange_new(const struct gm_exchange_options *options)
{
    struct gm_exchange *exchange = gm_alloc(sizeof(*exchange));
    uint64_t seed;
    gm_random_bytes(&seed, sizeof(seed));
    gm_rng_init(&exchange->rng, seed);
    exchange->options = *options;
    exchange->client = gm_http_client_new(options->concurrency_max);
    exchange->last = &exchange->first;
    gm_slots_init(&exchange->slots, options->concurrency_max);
    return exchange;
}

void gm_exchange_free(struct gm_exchange *exchange)
{
    if (exchange != NULL) {
        gm_http_client_free(exchange->client);
        gm_free(exchange);
    }
}

static gm_ns now_of(const struct gm_exchange *exchange)
{
    return exchange->options.clock->mono(exchange->options.clock);
}

static void append(struct gm_exchange *exchange, struct gm_call *call)
{
    call->behind_ = NULL;
    *exchange->last = call;
    exchange->last = &call->behind_;
}

void gm_exchange_add(struct gm_exchange *exchange, struct gm_call *call)
{
    call->sent = false;
    call->repeated = false;
    call->attempts_ = 0;
    call->renewed_ = false;
    call->not_before_ = 0;
    append(exchange, call);
}

void gm_exchange_fail(struct gm_exchange *exchange, gm_rc rc, const char *text_z)
{
    if (exchange->rc == GM_OK) {
        exchange->rc = gm_fail(&exchange->err, rc, "%s", text_z);
    }
}

/* ---- starting ---- */

static void start(struct gm_exchange *exchange, struct gm_call *call, const char *authorization_z)
{
    GM_AUTO_FREE char *url_z = gm_format_z("%s%s", exchange->options.url_z, call->path_z);
    struct gm_http_header headers[2];
    size_t count = 0;
    if (call->if_match_z != NULL) {
        headers[count++] = (struct gm_http_header){"If-Match", call->if_match_z};
    }
    if (call->if_none_match_z != NULL) {
        headers[count++] = (struct gm_http_header){"If-None-Match", call->if_none_match_z};
    }
    struct gm_http_request request = {.method_z = call->method_z,
                                      .url_z = url_z,
                                      .authorization_z = authorization_z,
                                      .content_type_z = call->content_type_z,
                                      .headers = headers,
                                      .header_count = count,
                                      .body = call->body,
                                      .ca_file_z = exchange->options.ca_file_z,
                                      .timeout = exchange->options.timeout};
    gm_http_client_start(exchange->client, &request, call);
}

/* Takes calls out of the queue and starts them, as many as slots and governor allow. Returns how
 * long until it is worth to look again. */
static gm_ns start_some(struct gm_exchange *exchange, const struct gm_stop *stop)
{
    gm_ns wait = ROUND_LONGEST;
    int looked = 0;
    struct gm_call **at = &exchange->first;
    while (*at != NULL && looked < LOOKS_MAX && exchange->rc == GM_OK &&
           gm_http_client_count(exchange->client) < gm_slots_count(&exchange->slots)) {
        struct gm_call *call = *at;
        const char *authorization_z = NULL;
        gm_ns now = now_of(exchange);
        gm_ns one = call->not_before_ > now ? call->not_before_ - now : 0;
        if (one == 0) {
            exchange->rc = gm_credential_header(exchange->options.credential, stop,
                                                &authorization_z, &exchange->err);
            if (exchange->rc != GM_OK) {
                break;
            }
            one = gm_governor_reserve(exchange->options.governor, &call->ask, now);
        }
        if (one > 0) {
            wait = one < wait ? one : wait;
            at = &call->behind_;
            looked++;
            continue;
        }
        *at = call->behind_;
        if (*at == NULL) {
            exchange->last = at;
        }
        call->sent = true;
        call->generation_ = gm_credential_generation(exchange->options.credential);
        start(exchange, call, authorization_z);
    }
    return wait;
}

/* ---- answers ---- */

/* Retry-After in seconds; a date (RFC 9110, 10.2.3) is rare, and counts as a minute at most. */
static gm_ns retry_after_of(const struct gm_http_answer *answer)
{
    struct gm_str text = gm_http_answer_header(answer, "Retry-After");
    double seconds;
    if (text.n == 0) {
        return 0;
    }
    if (!gm_parse_double(text, &seconds) || seconds < 0) {
        return GM_MINUTE;
    }
    return seconds < 3600 ? (gm_ns)(seconds * (double)GM_SECOND) + GM_MS : GM_HOUR;
}

static void try_again(struct gm_exchange *exchange, struct gm_call *call, const char *why_z)
{
    gm_ns longest = PAUSE_FIRST;
    exchange->failed++;
    call->attempts_++;
    call->repeated = true;
    if (call->attempts_ >= GM_CALL_ATTEMPTS_MAX) {
        GM_AUTO_FREE char *text_z = gm_format_z("%s, %d times", why_z, call->attempts_);
        gm_exchange_fail(exchange, GM_E_RETRY, text_z);
    }
    for (int i = 1; i < call->attempts_ && longest < PAUSE_LONGEST; i++) {
        longest *= 2;
    }
    call->not_before_ =
        now_of(exchange) + (gm_ns)gm_rng_below(&exchange->rng, (uint64_t)longest + 1);
    append(exchange, call);
}

static void take_refusal(struct gm_exchange *exchange, struct gm_call *call,
                         const struct gm_http_answer *answer)
{
    gm_ns now = now_of(exchange);
    exchange->refused++;
    gm_governor_refused(exchange->options.governor, retry_after_of(answer),
                        gm_rng_double(&exchange->rng), now);
    gm_slots_refused(&exchange->slots, now);
    call->repeated = call->repeated || answer->status != 429;
    append(exchange, call);
}

static void take_unauthorized(struct gm_exchange *exchange, struct gm_call *call,
                              const struct gm_http_answer *answer)
{
    if (!call->renewed_ && gm_credential_renew(exchange->options.credential, call->generation_)) {
        call->renewed_ = true;
        append(exchange, call);
        return;
    }
    GM_AUTO_FREE char *text_z =
        gm_format_z("%s: answered %ld: the credentials of `auth` are refused",
                    exchange->options.url_z, answer->status);
    gm_exchange_fail(exchange, GM_E_CONFIG, text_z);
}

static void take_trouble(struct gm_exchange *exchange, struct gm_call *call,
                         const struct gm_http_answer *answer)
{
    struct gm_str body = gm_buf_str(&answer->body);
    body.n = body.n < TEXT_SHOWN_MAX ? body.n : TEXT_SHOWN_MAX;
    GM_AUTO_FREE char *why_z =
        gm_format_z("%s: %s answered %ld " GM_STR_FMT, exchange->options.url_z, call->method_z,
                    answer->status, GM_STR_ARG(body));
    try_again(exchange, call, why_z);
}

static void take_done(struct gm_exchange *exchange, struct gm_http_done *done)
{
    struct gm_call *call = done->ctx;
    const struct gm_http_answer *answer = &done->answer;
    if (done->rc == GM_E_RETRY) {
        try_again(exchange, call, done->err.text);
    } else if (done->rc != GM_OK) {
        gm_exchange_fail(exchange, done->rc, done->err.text);
    } else if (answer->status == 429 || answer->status == 503) {
        take_refusal(exchange, call, answer);
    } else if (answer->status == 401) {
        take_unauthorized(exchange, call, answer);
    } else if (answer->status == 408 || answer->status >= 500) {
        take_trouble(exchange, call, answer);
    } else {
        gm_ns now = now_of(exchange);
        bool busy = gm_http_client_count(exchange->client) + 1 >= gm_slots_count(&exchange->slots);
        exchange->progress = now;
        exchange->answered++;
        gm_governor_accepted(exchange->options.governor);
        gm_slots_answered(&exchange->slots, done->took, busy);
        call->answered(call, answer);
    }
    gm_http_done_free(done);
}

/* ---- the run ---- */

/* What is under way still tells what it did; nothing new is started. */
static void drain(struct gm_exchange *exchange)
{
    struct gm_http_done done;
    const struct gm_deadline until = gm_deadline_in(DRAIN_LONGEST, NULL);
    while (gm_http_client_count(exchange->client) > 0 && !gm_deadline_passed(&until)) {
        if (gm_http_client_next(exchange->client, gm_deadline_left(&until), &done)) {
            take_done(exchange, &done);
        }
    }
    if (gm_http_client_count(exchange->client) > 0) {
        gm_http_client_free(exchange->client);
        exchange->client = gm_http_client_new(exchange->options.concurrency_max);
    }
    exchange->first = NULL;
    exchange->last = &exchange->first;
}

static void check_patience(struct gm_exchange *exchange)
{
    gm_ns since = now_of(exchange) - exchange->progress;
    if (since > exchange->options.patience) {
        char text[GM_TIME_TEXT_SIZE];
        (void)gm_span_format(exchange->options.patience, text);
        GM_AUTO_FREE char *why_z = gm_format_z("%s: nothing was answered but refusals for %s",
                                               exchange->options.url_z, text);
        gm_exchange_fail(exchange, GM_E_RETRY, why_z);
    }
}

static void tell_metrics(struct gm_exchange *exchange)
{
    struct gm_str label = gm_str_z(exchange->options.url_z);
    gm_metric_add(GM_M_TARGET_CALLS, label, (double)exchange->answered);
    gm_metric_add(GM_M_TARGET_REFUSALS, label, (double)exchange->refused);
    gm_metric_add(GM_M_TARGET_FAILURES, label, (double)exchange->failed);
    exchange->answered = exchange->refused = exchange->failed = 0;
}

gm_rc gm_exchange_run(struct gm_exchange *exchange, const struct gm_stop *stop, struct gm_err *err)
{
    exchange->progress = now_of(exchange);
    while (exchange->rc == GM_OK &&
           (exchange->first != NULL || gm_http_client_count(exchange->client) > 0)) {
        struct gm_http_done done;
        gm_ns wait = start_some(exchange, stop);
        while (exchange->rc == GM_OK && gm_http_client_next(exchange->client, wait, &done)) {
            take_done(exchange, &done);
            wait = 0;
        }
        check_patience(exchange);
        if (stop != NULL && gm_stop_requested(stop)) {
            gm_exchange_fail(exchange, GM_E_CANCELLED, "stopped");
        }
    }
    drain(exchange);
    tell_metrics(exchange);
    gm_rc rc = exchange->rc;
    if (rc != GM_OK) {
        *err = exchange->err;
    }
    exchange->rc = GM_OK;
    return rc;
}
