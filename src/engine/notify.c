/* The webhook. libcurl is included here only. */
#include "engine/notify.h"

#include <curl/curl.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

enum { ATTEMPTS = 3, BODY_SIZE_MAX = 256 << 10 };

static size_t throw_away(char *data, size_t size, size_t count, void *ctx)
{
    (void)data;
    (void)ctx;
    return size * count;
}

static int stop_transfer(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
    (void)total;
    (void)now;
    (void)up_total;
    (void)up_now;
    return gm_stop_requested(ctx) ? 1 : 0;
}

/* GM_E_RETRY: worth another attempt. GM_E_CONFIG: it will be refused again. */
static gm_rc post_once(const struct gm_webhook_conf *conf, const struct gm_buf *body, struct gm_stop *stop, struct gm_err *err)
{
    CURL *curl = curl_easy_init();
    GM_ASSERT(curl != NULL);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    GM_AUTO_FREE char *authorization_z =
        conf->authorization != NULL ? gm_format_z("Authorization: %s", conf->authorization) : NULL;
    if (authorization_z != NULL) {
        headers = curl_slist_append(headers, authorization_z);
    }
    curl_easy_setopt(curl, CURLOPT_URL, conf->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->p);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body->n);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(conf->timeout / GM_MS));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, throw_away);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stop_transfer);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, stop);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "gemel/" GM_VERSION);
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK) {
        return gm_fail(err, code == CURLE_URL_MALFORMAT ? GM_E_CONFIG : GM_E_RETRY, "webhook: %s", curl_easy_strerror(code));
    }
    if (status >= 200 && status < 300) {
        return GM_OK;
    }
    bool again = status == 429 || status >= 500;
    return gm_fail(err, again ? GM_E_RETRY : GM_E_CONFIG, "webhook: answered %ld", status);
}

static void post(const struct gm_webhook_conf *conf, const struct gm_buf *body, const struct gm_run *run, struct gm_stop *stop)
{
    struct gm_err err = {0};
    gm_rc rc = GM_E_RETRY;
    gm_ns pause = GM_SECOND;
    for (int attempt = 1; rc == GM_E_RETRY && attempt <= ATTEMPTS; attempt++, pause *= 2) {
        if (attempt > 1 && gm_stop_wait(stop, pause) != GM_OK) {
            break;
        }
        rc = post_once(conf, body, stop, &err);
    }
    if (rc != GM_OK) {
        gm_metric_add(GM_M_WEBHOOK_FAILURES, GM_STR(""), 1);
        gm_log_warn("webhook.failed", GM_L_Z("run", run->id), GM_L_Z("error", err.text));
    }
}

void gm_notify_run(const struct gm_notify_conf *conf, const struct gm_run *run, struct gm_stop *stop)
{
    bool failed = run->status == GM_RUN_FAILED;
    bool blocked = run->sweep == GM_SWEEP_BLOCKED;
    if (conf->webhook.url == NULL || (!failed && !blocked)) {
        return;
    }
    struct gm_buf body;
    gm_buf_init(&body, BODY_SIZE_MAX);
    gm_buf_addf(&body, "{\"event\":\"%s\",\"report\":", failed ? "run.failed" : "sweep.blocked");
    gm_run_write_json(run, &body);
    gm_buf_add_char(&body, '}');
    if (!gm_buf_failed(&body)) {
        post(&conf->webhook, &body, run, stop);
    }
    gm_buf_deinit(&body);
}
