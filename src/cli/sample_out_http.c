/* Readings to a stream of a Gemel, in batches of NDJSON over connections that are kept. See
 * sample_out.h.
 *
 * Each connection is a lane with gateways of its own. A lane fills one batch while the batch before
 * is under way, and sends no other until that one is answered: so what a gateway sends arrives in
 * its order, also when an answer is 429 or none comes and the batch is sent again. */
#include "base/mem.h"
#include "cli/sample_out.h"
#include "net/client.h"

static const gm_ns PAUSE_FIRST = 100 * GM_MS;
static const gm_ns PAUSE_MAX = 10 * GM_SECOND;
static const gm_ns REQUEST_TIMEOUT = 60 * GM_SECOND;

struct lane {
    struct gm_buf filling, sending;
    int64_t count; /* readings in `filling` */
    bool under_way;
    gm_ns again_at; /* monotonic; 0: `sending` does not wait to be sent again */
    gm_ns pause;    /* the last one */
    gm_ns progress; /* when an answer was last a good one */
};

struct http_way {
    struct gm_http_client *client;
    char *authorization_z;
    struct lane *lanes;
};

static gm_ns now_mono(void)
{
    const struct gm_clock *clock = gm_clock_system();
    return clock->mono(clock);
}

static gm_rc open_http(struct gm_load_out *out, struct gm_err *err)
{
    struct http_way *way = gm_alloc(sizeof(*way));
    (void)err;
    out->own = way;
    way->client = gm_http_client_new((size_t)out->options.connections);
    way->lanes = gm_alloc_array((size_t)out->options.connections, sizeof(*way->lanes));
    for (int64_t i = 0; i < out->options.connections; i++) {
        size_t limit = (size_t)(out->options.batch + 1) * GM_LOAD_LINE_SIZE_MAX;
        gm_buf_init(&way->lanes[i].filling, limit);
        gm_buf_init(&way->lanes[i].sending, limit);
        way->lanes[i].progress = now_mono();
    }
    if (out->options.token_z != NULL) {
        way->authorization_z = gm_format_z("Bearer %s", out->options.token_z);
    }
    return GM_OK;
}

static void send_lane(struct gm_load_out *out, struct lane *lane)
{
    struct http_way *way = out->own;
    const struct gm_http_request request = {.method_z = "POST",
                                            .url_z = out->options.to_z,
                                            .authorization_z = way->authorization_z,
                                            .content_type_z = "application/x-ndjson",
                                            .body = gm_buf_str(&lane->sending),
                                            .ca_file_z = out->options.ca_file_z,
                                            .timeout = REQUEST_TIMEOUT};
    out->figures.requests++;
    lane->under_way = true;
    lane->again_at = 0;
    gm_http_client_start(way->client, &request, lane);
}

static gm_rc send_later(struct gm_load_out *out, struct lane *lane, gm_ns wanted,
                        struct gm_err *err)
{
    gm_ns now = now_mono();
    if (out->options.patience > 0 && now - lane->progress > out->options.patience) {
        return gm_fail_within(err, "%s: given up", out->options.to_z);
    }
    lane->pause = lane->pause == 0 ? PAUSE_FIRST : 2 * lane->pause;
    lane->pause = lane->pause < PAUSE_MAX ? lane->pause : PAUSE_MAX;
    lane->again_at = now + (wanted > 0 ? wanted : lane->pause);
    out->figures.again++;
    return GM_OK;
}

static gm_rc take_answer(struct gm_load_out *out, struct gm_http_done *done, struct gm_err *err)
{
    struct lane *lane = done->ctx;
    lane->under_way = false;
    if (done->rc == GM_E_RETRY) {
        *err = done->err;
        return send_later(out, lane, 0, err);
    }
    if (done->rc != GM_OK) {
        *err = done->err;
        return done->rc;
    }
    long status = done->answer.status;
    if (status >= 200 && status < 300) {
        lane->progress = now_mono();
        lane->pause = 0;
        gm_buf_reset(&lane->sending);
        return GM_OK;
    }
    struct gm_str said = gm_buf_str(&done->answer.body);
    said.n = said.n < 300 ? said.n : 300;
    gm_rc rc = gm_fail(err, GM_E_INVALID, "answer %ld: " GM_STR_FMT, status, GM_STR_ARG(said));
    if (status == 429 || status >= 500) {
        out->figures.throttled += status == 429 || status == 503;
        return send_later(out, lane, done->answer.retry_after, err);
    }
    return rc;
}

/* Takes answers for up to `span`, and sends again what has waited. */
static gm_rc pump(struct gm_load_out *out, gm_ns span, struct gm_err *err)
{
    struct http_way *way = out->own;
    struct gm_http_done done;
    if (out->options.stop != NULL && gm_stop_requested(out->options.stop)) {
        return gm_fail(err, GM_E_CANCELLED, "stopped");
    }
    gm_ns now = now_mono();
    for (int64_t i = 0; i < out->options.connections; i++) {
        if (way->lanes[i].again_at != 0 && way->lanes[i].again_at <= now) {
            send_lane(out, &way->lanes[i]);
        }
    }
    while (gm_http_client_next(way->client, span, &done)) {
        gm_rc rc = take_answer(out, &done, err);
        gm_http_done_free(&done);
        GM_TRY(rc);
        span = 0;
    }
    return GM_OK;
}

static gm_rc start_lane(struct gm_load_out *out, struct lane *lane, struct gm_err *err)
{
    while (lane->sending.n > 0) {
        GM_TRY(pump(out, 50 * GM_MS, err));
    }
    struct gm_buf full = lane->filling;
    lane->filling = lane->sending;
    lane->sending = full;
    lane->count = 0;
    send_lane(out, lane);
    return GM_OK;
}

static gm_rc put_http(struct gm_load_out *out, const struct gm_load_event *event,
                      struct gm_err *err)
{
    struct http_way *way = out->own;
    uint32_t gateway = gm_load_sensor(out->options.load, event->sensor)->gateway;
    struct lane *lane = &way->lanes[gateway % (uint32_t)out->options.connections];
    gm_load_write(out->options.load, event, &lane->filling);
    gm_buf_add_char(&lane->filling, '\n');
    lane->count++;
    return lane->count >= out->options.batch ? start_lane(out, lane, err) : GM_OK;
}

static gm_rc flush_http(struct gm_load_out *out, struct gm_err *err)
{
    struct http_way *way = out->own;
    for (int64_t i = 0; i < out->options.connections; i++) {
        if (way->lanes[i].count > 0) {
            GM_TRY(start_lane(out, &way->lanes[i], err));
        }
    }
    return pump(out, 0, err);
}

static gm_rc finish_http(struct gm_load_out *out, struct gm_err *err)
{
    struct http_way *way = out->own;
    GM_TRY(flush_http(out, err));
    for (int64_t i = 0; i < out->options.connections; i++) {
        while (way->lanes[i].sending.n > 0) {
            GM_TRY(pump(out, 50 * GM_MS, err));
        }
    }
    return GM_OK;
}

static void close_http(struct gm_load_out *out)
{
    struct http_way *way = out->own;
    gm_http_client_free(way->client);
    for (int64_t i = 0; i < out->options.connections; i++) {
        gm_buf_deinit(&way->lanes[i].filling);
        gm_buf_deinit(&way->lanes[i].sending);
    }
    gm_free(way->lanes);
    gm_free(way->authorization_z);
    gm_free(way);
}

const struct gm_load_way gm_load_way_http = {open_http, put_http, flush_http, finish_http,
                                             close_http};
