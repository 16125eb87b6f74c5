/* The webhook. */
#include "engine/notify.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "net/http.h"

enum { ATTEMPTS = 3, BODY_SIZE_MAX = 256 << 10 };

/* GM_E_RETRY: worth another attempt. The address is a secret as a whole, so it is not repeated. */
static gm_rc post_once(const struct gm_webhook_conf *conf, const struct gm_buf *body,
                       struct gm_stop *stop, struct gm_err *err)
{
    struct gm_http_answer answer;
    struct gm_err send_err = {0};
    gm_rc rc = gm_http_send(&(struct gm_http_request){.method_z = "POST",
                                                      .url_z = conf->url,
                                                      .authorization_z = conf->authorization,
                                                      .body = gm_buf_str(body),
                                                      .timeout = conf->timeout,
                                                      .stop = stop},
                            &answer, &send_err);
    if (rc != GM_OK) {
        const char *reason_z = strrchr(send_err.text, ':');
        return gm_fail(err, rc, "no answer%s", reason_z != NULL ? reason_z : "");
    }
    gm_http_answer_free(&answer);
    if (answer.status >= 200 && answer.status < 300) {
        return GM_OK;
    }
    bool again = answer.status == 429 || answer.status >= 500;
    return gm_fail(err, again ? GM_E_RETRY : GM_E_CONFIG, "answered %ld", answer.status);
}

static void post(const struct gm_webhook_conf *conf, const struct gm_buf *body,
                 const struct gm_run *run, struct gm_stop *stop)
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

void gm_notify_run(const struct gm_notify_conf *conf, const struct gm_run *run,
                   struct gm_stop *stop)
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
