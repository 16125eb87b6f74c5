/* Events as HTTP requests (https://github.com/cloudevents/spec, HTTP protocol binding, structured
 * or batched mode). 2xx confirms. */
#include "base/mem.h"
#include "connect/endpoint.h"
#include "net/client.h"

enum {
    REQUEST_SIZE_MAX = 64 << 20,
    REASON_SIZE_MAX = 200, /* of an answer's text, for messages */
};
/* How long a stop request may go unnoticed while an answer is awaited. */
#define STOP_PERIOD (200 * GM_MS)

struct webhook_conf {
    struct gm_endpoint_conf endpoint;
    const char *url;
    const char *authorization;
    const char *ca;
    gm_ns timeout;
    int64_t batch;
};

static const struct gm_field webhook_fields[] = {
    GM_FIELD_SECRET(struct webhook_conf, url, .flags = GM_F_REQUIRED,
                    .example = "https://events.example/twins", .help = "Where events are posted."),
    GM_FIELD_SECRET(struct webhook_conf, authorization, .example = "\"Bearer ${env:EVENTS_TOKEN}\"",
                    .help = "Value of the `Authorization` header."),
    GM_FIELD_PATH(struct webhook_conf, ca, .example = "./ca.pem",
                  .help = "Who signs the server's certificate (PEM). Without it the system's "
                          "authorities are trusted."),
    GM_FIELD_SPAN(struct webhook_conf, timeout, .def = "10s", .min = "100ms", .max = "10m",
                  .help = "Longest time one request may take."),
    GM_FIELD_INT(struct webhook_conf, batch, .def = "1", .min = "1", .max = "1000",
                 .help = "With more than 1, requests carry up to so many events, as a JSON array "
                         "(`application/cloudevents-batch+json`)."),
    GM_ENDPOINT_FIELDS(struct webhook_conf),
    GM_FIELD_END,
};

struct webhook {
    const struct webhook_conf *conf;
    struct gm_http_client *client;
    struct gm_buf body;
};

static gm_rc webhook_open(const void *conf, const struct gm_stream_directory *streams,
                          void **out_self, struct gm_err *err)
{
    (void)streams;
    (void)err;
    struct webhook *webhook = gm_alloc(sizeof(*webhook));
    webhook->conf = conf;
    webhook->client = gm_http_client_new(1);
    gm_buf_init(&webhook->body, REQUEST_SIZE_MAX);
    *out_self = webhook;
    return GM_OK;
}

static void webhook_close(void *self)
{
    struct webhook *webhook = self;
    if (webhook != NULL) {
        gm_http_client_free(webhook->client);
        gm_buf_deinit(&webhook->body);
        gm_free(webhook);
    }
}

/* One request, until there is an answer or a stop request. After the latter the connection goes,
 * and the answer with it. */
static gm_rc exchange(struct webhook *webhook, const struct gm_stop *stop,
                      struct gm_http_answer *out_answer, struct gm_err *err)
{
    const struct webhook_conf *conf = webhook->conf;
    bool batch = conf->batch > 1;
    struct gm_http_request request = {
        .method_z = "POST",
        .url_z = conf->url,
        .authorization_z = conf->authorization,
        .content_type_z = batch ? "application/cloudevents-batch+json; charset=utf-8"
                                : "application/cloudevents+json; charset=utf-8",
        .body = gm_buf_str(&webhook->body),
        .ca_file_z = conf->ca,
        .timeout = conf->timeout,
    };
    struct gm_http_done done;
    gm_http_client_start(webhook->client, &request, NULL);
    while (!gm_http_client_next(webhook->client, STOP_PERIOD, &done)) {
        if (stop != NULL && gm_stop_requested(stop)) {
            gm_http_client_free(webhook->client);
            webhook->client = gm_http_client_new(1);
            return gm_fail(err, GM_E_CANCELLED, "stopped");
        }
    }
    *err = done.err;
    *out_answer = done.answer;
    return done.rc;
}

/* An address may hold a secret, and messages are kept: the client puts it in front of its own. */
static void hide_address(struct gm_err *err)
{
    const char *end = strstr(err->text, ": ");
    if (gm_str_starts(gm_str_z(err->text), GM_STR("http")) && end != NULL) {
        memmove(err->text, end + 2, strlen(end + 2) + 1);
    }
}

static bool is_refusal(long status)
{
    return status == 400 || status == 413 || status == 415 || status == 422;
}

static gm_rc judge(const struct gm_http_answer *answer, struct gm_err *err)
{
    struct gm_str reason = gm_str_trim(gm_buf_str(&answer->body));
    if (answer->status >= 200 && answer->status < 300) {
        return GM_OK;
    }
    reason.n = reason.n < REASON_SIZE_MAX ? reason.n : REASON_SIZE_MAX;
    while (reason.n > 0 && !gm_utf8_valid(reason, NULL)) {
        reason.n--;
    }
    return gm_fail(err, is_refusal(answer->status) ? GM_E_INVALID : GM_E_RETRY,
                   "answered %ld%s" GM_STR_FMT, answer->status, reason.n > 0 ? ": " : "",
                   GM_STR_ARG(reason));
}

/* Sends `count` events in one request. */
static gm_rc post(struct webhook *webhook, struct gm_delivery *delivery, size_t count,
                  struct gm_err *err)
{
    struct gm_http_answer answer;
    bool batch = webhook->conf->batch > 1;
    gm_buf_reset(&webhook->body);
    gm_buf_add(&webhook->body, batch ? GM_STR("[") : GM_STR(""));
    for (size_t i = 0; i < count; i++) {
        gm_buf_add(&webhook->body, i > 0 ? GM_STR(",") : GM_STR(""));
        gm_buf_add(&webhook->body, delivery->events[delivery->taken + i]);
    }
    gm_buf_add(&webhook->body, batch ? GM_STR("]") : GM_STR(""));
    if (gm_buf_failed(&webhook->body)) {
        return gm_fail(err, GM_E_INVALID, "a request has at most %d MB", REQUEST_SIZE_MAX >> 20);
    }
    gm_rc rc = exchange(webhook, delivery->stop, &answer, err);
    if (rc != GM_OK) {
        hide_address(err);
        return rc;
    }
    rc = judge(&answer, err);
    delivery->retry_after = rc == GM_OK ? 0 : answer.retry_after;
    gm_http_answer_free(&answer);
    delivery->taken += rc == GM_OK ? count : 0;
    return rc;
}

/* One bad event must not hold back its whole batch: a batch that is refused goes one by one. */
static gm_rc webhook_deliver(void *self, struct gm_delivery *delivery, struct gm_err *err)
{
    struct webhook *webhook = self;
    size_t most = (size_t)webhook->conf->batch, alone = 0;
    delivery->taken = 0;
    delivery->retry_after = 0;
    while (delivery->taken < delivery->count) {
        size_t left = delivery->count - delivery->taken;
        size_t count = alone > 0 ? 1 : left < most ? left : most;
        gm_rc rc = post(webhook, delivery, count, err);
        if (rc == GM_E_INVALID && count > 1) {
            alone = count;
            continue;
        }
        GM_TRY(rc);
        alone -= alone > 0 ? 1 : 0;
    }
    return GM_OK;
}

const struct gm_endpoint gm_endpoint_webhook = {
    .name_z = "webhook",
    .help_z = "Posts each event to an address. An answer of 2xx confirms it.",
    .fields = webhook_fields,
    .conf_size = sizeof(struct webhook_conf),
    .self = &gm_endpoint_webhook,
    .open = webhook_open,
    .deliver = webhook_deliver,
    .close = webhook_close,
};
