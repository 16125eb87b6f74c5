/* See forward.h. */
#include "hub/forward.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/num.h"
#include "base/rng.h"
#include "net/client.h"
#include "os/process.h"
#include "os/thread.h"
#include "stream/parcel.h"

#define REQUEST_TIMEOUT GM_MINUTE
#define ANSWER_LOOK (250 * GM_MS) /* how often a stop is looked at while a request is under way */
#define IDLE_SPAN GM_MINUTE
#define SAVE_PERIOD GM_SECOND
#define PAUSE_FIRST (200 * GM_MS)
#define PAUSE_MAX (30 * GM_SECOND)
#define FAILURE_LOG_PERIOD GM_MINUTE
#define LATE_AGE (10 * GM_SECOND) /* since they came in: no longer live */
enum { BATCH_MIN = 64 << 10, BUDGET_STEPS = 10 /* a second */ };

/* One partition. Of the thread. */
struct lane {
    struct gm_stream_reader *reader;
    char *link_z;
    int64_t next;  /* what the other wants */
    int64_t known; /* the highest `next` of all: what is lost below it is lost to nobody */
    int64_t lost;
    bool unsaved;
};

/* What is in the parcel. */
struct load {
    int64_t first, after;
    gm_ns appended; /* of the first event */
};

struct gm_forward {
    const struct gm_hub_stream *stream;
    const struct gm_forward_conf *conf;
    struct gm_stop *stop;
    struct gm_thread *thread;

    /* the thread's */
    struct lane *lanes;
    int lane_count;
    struct gm_http_client *client;
    struct gm_parcel *parcel;
    struct gm_rng rng;
    char *url_z, *late_url_z, *authorization_z;
    size_t batch; /* bytes; smaller than configured once the other said that it is too large */
    double budget;
    int64_t taken; /* events that the stream ever took, when the budget was looked at */
    gm_ns budget_at, saved_at, logged_at, pause, retry_after;

    struct gm_mutex *mu;
    struct gm_forward_status status; /* guarded by mu; without lag */
    int64_t next_sum;                /* guarded by mu; of all lanes */
};

struct gm_forwards {
    struct gm_forward *all;
    size_t count;
};

static gm_ns now_mono(void)
{
    const struct gm_clock *clock = gm_clock_system();
    return clock->mono(clock);
}

/* ---- the cursor ---- */

static gm_rc save(struct gm_forward *forward, struct gm_err *err)
{
    for (int p = 0; p < forward->lane_count; p++) {
        struct lane *lane = &forward->lanes[p];
        if (lane->unsaved) {
            const struct gm_stream_consumer consumer = {.name = GM_STR(GM_FORWARD_CONSUMER),
                                                        .partition = p,
                                                        .next = lane->next,
                                                        .lost = lane->lost};
            GM_TRY(gm_stream_consumer_set(forward->stream->stream, &consumer, err));
            lane->unsaved = false;
        }
    }
    forward->saved_at = now_mono();
    return GM_OK;
}

static bool is_unsaved(const struct gm_forward *forward)
{
    bool unsaved = false;
    for (int p = 0; p < forward->lane_count; p++) {
        unsaved = unsaved || forward->lanes[p].unsaved;
    }
    return unsaved;
}

static int64_t lag_of(const struct gm_forward *forward)
{
    int64_t lag = 0;
    for (int p = 0; p < forward->lane_count; p++) {
        int64_t next = gm_stream_next(forward->stream->stream, p);
        lag += next > forward->lanes[p].next ? next - forward->lanes[p].next : 0;
    }
    return lag;
}

/* For those who look, after a lane's `next` was set. */
static void show_next(struct gm_forward *forward)
{
    int64_t sum = 0;
    for (int p = 0; p < forward->lane_count; p++) {
        sum += forward->lanes[p].next;
    }
    gm_mutex_lock(forward->mu);
    forward->next_sum = sum;
    gm_mutex_unlock(forward->mu);
}

/* ---- how fast ---- */

/* What came in meanwhile may go on, and `rate` of the backlog a second. */
static void fill_budget(struct gm_forward *forward)
{
    gm_ns now = now_mono();
    double rate = (double)forward->conf->rate, most = rate + GM_FORWARD_EVENTS_MAX;
    int64_t taken = 0;
    for (int p = 0; p < forward->lane_count; p++) {
        taken += gm_stream_next(forward->stream->stream, p);
    }
    forward->budget += (double)(taken - forward->taken) +
                       rate * (double)(now - forward->budget_at) / (double)GM_SECOND;
    forward->budget = forward->budget < most ? forward->budget : most;
    forward->taken = taken;
    forward->budget_at = now;
}

/* How many events may be sent now; waits until they are worth a request. 0: a stop. */
static size_t wait_for_budget(struct gm_forward *forward)
{
    double step = (double)forward->conf->rate / BUDGET_STEPS;
    if (forward->conf->rate == 0) {
        return GM_FORWARD_EVENTS_MAX;
    }
    step = step < 1 ? 1 : step > GM_FORWARD_EVENTS_MAX ? GM_FORWARD_EVENTS_MAX : step;
    fill_budget(forward);
    int64_t lag = lag_of(forward);
    double wanted = (double)lag < step ? (double)lag : step;
    while (forward->budget < wanted) {
        double missing = (wanted - forward->budget) / (double)forward->conf->rate;
        if (gm_stop_wait(forward->stop, (gm_ns)(missing * (double)GM_SECOND) + GM_MS) != GM_OK) {
            return 0;
        }
        fill_budget(forward);
    }
    return forward->budget < 1                       ? 1
           : forward->budget > GM_FORWARD_EVENTS_MAX ? GM_FORWARD_EVENTS_MAX
                                                     : (size_t)forward->budget;
}

/* ---- loading ---- */

static size_t size_of(const struct gm_event *event)
{
    enum { OVERHEAD = 32 };
    return event->key.n + event->type.n + event->origin.n + event->id.n + event->body.n + OVERHEAD;
}

/* As many as fit, and one at least into an empty parcel. */
static size_t count_that_fit(const struct gm_forward *forward, const struct gm_event *events,
                             size_t count)
{
    size_t bytes = gm_parcel_size(forward->parcel), fit = 0;
    while (fit < count && bytes + size_of(&events[fit]) <= forward->batch) {
        bytes += size_of(&events[fit++]);
    }
    return fit == 0 && gm_parcel_count(forward->parcel) == 0 ? 1 : fit;
}

/* The next events of a lane. What retention took, and what is damaged, is passed over: the gap is
 * seen by the offset of what follows. */
static gm_rc read_next(struct gm_forward *forward, struct lane *lane,
                       const struct gm_event **out_events, size_t *out_count, struct gm_err *err)
{
    for (;;) {
        gm_rc rc = gm_stream_read(lane->reader, out_events, out_count, err);
        if (rc == GM_E_LIMIT) {
            gm_stream_seek(lane->reader, -1);
        } else if (rc == GM_E_CORRUPT) {
            gm_log_error("forward.damaged", GM_L_STR("stream", forward->stream->name),
                         GM_L_Z("error", err->text));
            gm_stream_skip_damaged(lane->reader);
        } else {
            return rc;
        }
    }
}

/* Up to `count_max` events that lie behind each other. GM_E_END: there are none. */
static gm_rc load_parcel(struct gm_forward *forward, struct lane *lane, size_t count_max,
                         struct load *out_load, struct gm_err *err)
{
    const struct gm_event *events;
    size_t count;
    gm_rc rc;
    gm_parcel_begin(forward->parcel);
    while ((rc = read_next(forward, lane, &events, &count, err)) == GM_OK) {
        int64_t loaded = gm_parcel_count(forward->parcel), first = events[0].offset;
        if (loaded == 0) {
            *out_load = (struct load){.first = first,
                                      .after = lane->next < first ? lane->next : first,
                                      .appended = events[0].appended};
        }
        size_t room = count_max - (size_t)loaded;
        size_t fit = first == out_load->first + loaded
                         ? count_that_fit(forward, events, count < room ? count : room)
                         : 0;
        gm_parcel_add(forward->parcel, events, fit);
        if (fit < count) {
            gm_stream_seek(lane->reader, first + (int64_t)fit);
            return GM_OK;
        }
        if (gm_parcel_count(forward->parcel) == (int64_t)count_max) {
            return GM_OK;
        }
    }
    return rc == GM_E_END && gm_parcel_count(forward->parcel) > 0 ? GM_OK : rc;
}

/* ---- sending ---- */

static gm_rc exchange(struct gm_forward *forward, const struct gm_http_request *request,
                      struct gm_http_answer *out_answer, struct gm_err *err)
{
    struct gm_http_done done;
    gm_http_client_start(forward->client, request, NULL);
    while (!gm_http_client_next(forward->client, ANSWER_LOOK, &done)) {
        if (gm_stop_requested(forward->stop)) {
            gm_http_client_free(forward->client); /* which lets go of the body */
            forward->client = gm_http_client_new(1);
            return GM_E_CANCELLED;
        }
    }
    if (done.rc != GM_OK) {
        *err = done.err;
        gm_rc rc = done.rc;
        gm_http_done_free(&done);
        return rc;
    }
    *out_answer = done.answer; /* whose buffers are taken over */
    return GM_OK;
}

/* The lane's reader is put back to `offset`. */
static void go_back(struct lane *lane, int64_t offset)
{
    gm_stream_seek(lane->reader, offset);
}

static void note_confirmed(struct gm_forward *forward, int64_t count, int64_t duplicates)
{
    struct gm_str name = forward->stream->name;
    gm_mutex_lock(forward->mu);
    forward->status.events += count;
    forward->status.duplicates += duplicates;
    forward->status.confirmed = gm_clock_wall_now();
    bool failed = forward->status.why.text[0] != '\0';
    forward->status.why = (struct gm_err){0};
    gm_mutex_unlock(forward->mu);
    gm_metric_add(GM_M_FORWARD_EVENTS, name, (double)count);
    gm_metric_add(GM_M_FORWARD_DUPLICATES, name, (double)duplicates);
    forward->pause = 0;
    if (failed) {
        gm_log_info("forward.resumed", GM_L_STR("stream", name), GM_L_INT("lag", lag_of(forward)));
        forward->logged_at = 0;
    }
}

/* Events between what was confirmed and what is sent are gone. */
static void note_lost(struct gm_forward *forward, struct lane *lane, const struct load *load)
{
    int64_t from = lane->known > lane->next ? lane->known : lane->next;
    int64_t lost = load->first - from;
    if (lost <= 0) {
        return;
    }
    lane->lost += lost;
    gm_log_error("forward.lost", GM_L_STR("stream", forward->stream->name),
                 GM_L_INT("partition", (int64_t)(lane - forward->lanes)), GM_L_INT("events", lost),
                 GM_L_INT("from", from), GM_L_INT("to", load->first));
    gm_metric_add(GM_M_FORWARD_LOST, forward->stream->name, (double)lost);
    gm_mutex_lock(forward->mu);
    forward->status.lost += lost;
    gm_mutex_unlock(forward->mu);
}

/* The other has taken all up to *next. */
static gm_rc take_confirmation(struct gm_forward *forward, struct lane *lane,
                               const struct load *load, int64_t next, struct gm_err *err)
{
    int partition = (int)(lane - forward->lanes);
    int64_t end = load->first + gm_parcel_count(forward->parcel);
    if (next < end) {
        go_back(lane, load->first);
        return gm_fail(err, GM_E_CONFIG, "%s does not answer as a Gemel does", forward->conf->url);
    }
    if (next > gm_stream_next(forward->stream->stream, partition)) {
        go_back(lane, load->first);
        return gm_fail(err, GM_E_CONFIG,
                       "the other has events of partition %d up to %lld, and this stream has %lld: "
                       "it is an older copy; give `forward.as` another name to send it anew",
                       partition, (long long)next,
                       (long long)gm_stream_next(forward->stream->stream, partition));
    }
    note_lost(forward, lane, load);
    lane->next = next;
    lane->known = lane->known > next ? lane->known : next;
    lane->unsaved = true;
    show_next(forward);
    if (next > end) {
        gm_stream_seek(lane->reader, next);
    }
    forward->budget -= (double)gm_parcel_count(forward->parcel);
    return GM_OK;
}

/* The other lacks events in front of these: it was put back, or is new. */
static gm_rc take_refusal(struct gm_forward *forward, struct lane *lane, const struct load *load,
                          int64_t next, struct gm_err *err)
{
    if (next < 0 || next >= load->after) {
        go_back(lane, load->first);
        return gm_fail(err, GM_E_CONFIG, "the other refuses the link: it has too many");
    }
    if (load->after > 0 && lane->known > 0) {
        gm_log_warn("forward.again", GM_L_STR("stream", forward->stream->name),
                    GM_L_INT("partition", (int64_t)(lane - forward->lanes)), GM_L_INT("from", next),
                    GM_L_INT("had", load->after));
    }
    lane->next = next;
    lane->unsaved = true;
    show_next(forward);
    go_back(lane, next);
    return GM_OK;
}

static gm_rc refuse(struct gm_forward *forward, const struct gm_http_answer *answer,
                    struct gm_err *err)
{
    enum { SHOWN = 200 };
    size_t n = answer->body.n < SHOWN ? answer->body.n : SHOWN;
    bool passing = answer->status >= 500 || answer->status == 429 || answer->status == 408;
    forward->retry_after = answer->retry_after;
    if (answer->status == 413 && forward->batch / 2 >= BATCH_MIN) {
        forward->batch /= 2;
        passing = true;
    }
    return gm_fail(err, passing ? GM_E_RETRY : GM_E_CONFIG, "%s answers %ld: %.*s",
                   forward->conf->url, answer->status, (int)n,
                   answer->body.p != NULL ? answer->body.p : "");
}

static gm_rc judge(struct gm_forward *forward, struct lane *lane, const struct load *load,
                   const struct gm_http_answer *answer, struct gm_err *err)
{
    int64_t next;
    bool told = gm_parse_i64(gm_str_trim(gm_http_answer_header(answer, "Gemel-Next")), &next);
    if (answer->status == 200 && told) {
        int64_t count = gm_parcel_count(forward->parcel), fresh = 0;
        (void)gm_parse_i64(gm_str_trim(gm_http_answer_header(answer, "Gemel-Appended")), &fresh);
        GM_TRY(take_confirmation(forward, lane, load, next, err));
        note_confirmed(forward, count, count - fresh);
        return GM_OK;
    }
    if (answer->status == 409 && told) {
        return take_refusal(forward, lane, load, next, err);
    }
    go_back(lane, load->first);
    if (answer->status == 200) {
        return gm_fail(err, GM_E_CONFIG, "%s does not answer as a Gemel does", forward->conf->url);
    }
    return refuse(forward, answer, err);
}

/* GM_E_END: the lane has nothing to send. */
static gm_rc forward_lane(struct gm_forward *forward, struct lane *lane, struct gm_err *err)
{
    struct load load = {0};
    struct gm_str bytes;
    struct gm_http_answer answer;
    if (lane->next >= gm_stream_next(forward->stream->stream, (int)(lane - forward->lanes))) {
        return GM_E_END;
    }
    size_t count_max = wait_for_budget(forward);
    if (count_max == 0) {
        return GM_E_CANCELLED;
    }
    GM_TRY(load_parcel(forward, lane, count_max, &load, err));
    const struct gm_link link = {
        .name = gm_str_z(lane->link_z), .first = load.first, .after = load.after};
    gm_parcel_end(forward->parcel, &link, &bytes);
    bool late = load.appended < gm_clock_wall_now() - LATE_AGE;
    const struct gm_http_request request = {.method_z = "POST",
                                            .url_z = late ? forward->late_url_z : forward->url_z,
                                            .authorization_z = forward->authorization_z,
                                            .content_type_z = GM_PARCEL_TYPE,
                                            .body = bytes,
                                            .ca_file_z = forward->conf->ca,
                                            .timeout = REQUEST_TIMEOUT};
    gm_rc rc = exchange(forward, &request, &answer, err);
    if (rc != GM_OK) {
        go_back(lane, load.first);
        return rc;
    }
    rc = judge(forward, lane, &load, &answer, err);
    gm_http_answer_free(&answer);
    return rc;
}

/* ---- the thread ---- */

static void note_failure(struct gm_forward *forward, gm_rc rc, const struct gm_err *err)
{
    gm_ns now = now_mono();
    gm_mutex_lock(forward->mu);
    forward->status.failures++;
    forward->status.why = *err;
    gm_mutex_unlock(forward->mu);
    gm_metric_add(GM_M_FORWARD_FAILURES, forward->stream->name, 1);
    if (forward->logged_at == 0 || now - forward->logged_at >= FAILURE_LOG_PERIOD) {
        forward->logged_at = now;
        gm_log_event(rc == GM_E_RETRY ? GM_LOG_WARN : GM_LOG_ERROR, "forward.failed",
                     GM_LOG_FIELDS(GM_L_STR("stream", forward->stream->name),
                                   GM_L_Z("error", err->text), GM_L_INT("lag", lag_of(forward))));
    }
}

/* Full jitter: anything up to a bound that doubles; and no less than the other asks for. */
static void pause_before_retry(struct gm_forward *forward)
{
    forward->pause = forward->pause == 0 ? PAUSE_FIRST : 2 * forward->pause;
    forward->pause = forward->pause < PAUSE_MAX ? forward->pause : PAUSE_MAX;
    gm_ns span = (gm_ns)gm_rng_below(&forward->rng, (uint64_t)forward->pause) + 1;
    (void)gm_stop_wait(forward->stop, forward->retry_after + span);
    forward->retry_after = 0;
}

/* Each lane in turn, one request; GM_E_END: none had anything to send. */
static gm_rc forward_lanes(struct gm_forward *forward, struct gm_err *err)
{
    gm_rc all = GM_E_END;
    for (int p = 0; p < forward->lane_count && !gm_stop_requested(forward->stop); p++) {
        gm_rc rc = forward_lane(forward, &forward->lanes[p], err);
        if (rc != GM_OK && rc != GM_E_END) {
            return rc;
        }
        all = rc == GM_OK ? GM_OK : all;
    }
    if (is_unsaved(forward) && now_mono() - forward->saved_at >= SAVE_PERIOD) {
        GM_TRY(save(forward, err));
    }
    return all;
}

static void forward_main(void *arg)
{
    struct gm_forward *forward = arg;
    uint64_t seen = 0;
    struct gm_err err = {0};
    while (!gm_stop_requested(forward->stop)) {
        gm_rc rc = forward_lanes(forward, &err);
        gm_metric_set(GM_M_FORWARD_LAG, forward->stream->name, (double)lag_of(forward));
        if (rc == GM_E_END) {
            gm_ns span = is_unsaved(forward) ? SAVE_PERIOD : IDLE_SPAN;
            rc = gm_stream_wait_news(forward->stream->stream, &seen, span);
        }
        if (rc != GM_OK && rc != GM_E_END && rc != GM_E_CANCELLED) {
            note_failure(forward, rc, &err);
            pause_before_retry(forward);
        }
    }
    (void)save(forward, &err); /* else the other passes over what comes again */
}

/* ---- life ---- */

/* The identity keeps apart streams that follow each other under one name: offsets begin anew. */
static gm_rc open_lane(struct gm_forward *forward, int partition, struct gm_err *err)
{
    struct gm_stream *stream = forward->stream->stream;
    struct lane *lane = &forward->lanes[partition];
    struct gm_stream_consumer consumer;
    struct gm_stream_info info;
    char host[GM_HOST_NAME_SIZE];
    gm_host_name(host);
    lane->link_z = gm_format_z("%s/" GM_STR_FMT "/%016llx/%d",
                               forward->conf->as != NULL ? forward->conf->as : host,
                               GM_STR_ARG(forward->stream->name),
                               (unsigned long long)gm_stream_identity(stream), partition);
    if (!gm_stream_consumer_get(stream, GM_STR(GM_FORWARD_CONSUMER), partition, &consumer)) {
        /* What was there before it was to be forwarded, and is not kept, is lost to nobody. */
        GM_TRY(gm_stream_info(stream, partition, &info, err));
        consumer.next = info.oldest;
    }
    lane->next = lane->known = consumer.next;
    lane->lost = consumer.lost;
    lane->unsaved = true;
    forward->status.lost += lane->lost;
    const struct gm_stream_place place = {partition, lane->next};
    return gm_stream_reader_open(stream, &place, &lane->reader, err);
}

static void make_urls(struct gm_forward *forward)
{
    const struct gm_forward_conf *conf = forward->conf;
    struct gm_str url = gm_str_z(conf->url);
    struct gm_str name = conf->stream != NULL ? gm_str_z(conf->stream) : forward->stream->name;
    while (url.n > 0 && url.p[url.n - 1] == '/') {
        url.n--;
    }
    forward->url_z =
        gm_format_z(GM_STR_FMT "/streams/" GM_STR_FMT "/events", GM_STR_ARG(url), GM_STR_ARG(name));
    forward->late_url_z = gm_format_z("%s?late=true", forward->url_z);
    forward->authorization_z = conf->token != NULL ? gm_format_z("Bearer %s", conf->token) : NULL;
}

static gm_rc start_forward(struct gm_forward *forward, const struct gm_hub_stream *stream,
                           struct gm_err *err)
{
    uint64_t seed;
    gm_random_bytes(&seed, sizeof(seed));
    gm_rng_init(&forward->rng, seed);
    forward->stream = stream;
    forward->conf = &stream->conf->forward;
    forward->stop = gm_stop_new();
    forward->mu = gm_mutex_new();
    forward->client = gm_http_client_new(1);
    forward->parcel = gm_parcel_new();
    forward->batch = (size_t)forward->conf->batch;
    forward->budget_at = now_mono();
    forward->status.url_z = forward->conf->url;
    forward->lane_count = gm_stream_partitions(stream->stream);
    forward->lanes = gm_alloc_array((size_t)forward->lane_count, sizeof(*forward->lanes));
    make_urls(forward);
    for (int p = 0; p < forward->lane_count; p++) {
        GM_TRY(open_lane(forward, p, err));
        forward->taken += gm_stream_next(stream->stream, p);
    }
    show_next(forward);
    GM_TRY(save(forward, err)); /* from now on the stream is held for it */
    return gm_thread_start("gemel-forward", forward_main, forward, &forward->thread, err);
}

gm_rc gm_forwards_start(const struct gm_hub *hub, struct gm_forwards **out_forwards,
                        struct gm_err *err)
{
    struct gm_forwards *forwards = gm_alloc(sizeof(*forwards));
    gm_rc rc = GM_OK;
    forwards->all = gm_alloc_array(gm_hub_count(hub) + 1, sizeof(*forwards->all));
    for (size_t i = 0; i < gm_hub_count(hub) && rc == GM_OK; i++) {
        const struct gm_hub_stream *stream = gm_hub_at(hub, i);
        if (stream->conf->forward.url != NULL) {
            rc = start_forward(&forwards->all[forwards->count++], stream, err);
            rc = rc == GM_OK ? rc
                             : gm_fail_within(err, "streams." GM_STR_FMT ".forward",
                                              GM_STR_ARG(stream->name));
        }
    }
    if (rc != GM_OK) {
        gm_forwards_stop(forwards);
        return rc;
    }
    *out_forwards = forwards;
    return GM_OK;
}

static void stop_forward(struct gm_forward *forward)
{
    gm_stop_request(forward->stop);
    gm_stream_stir(forward->stream->stream);
    gm_thread_join(forward->thread);
    for (int p = 0; p < forward->lane_count; p++) {
        gm_stream_reader_close(forward->lanes[p].reader);
        gm_free(forward->lanes[p].link_z);
    }
    gm_free(forward->lanes);
    gm_http_client_free(forward->client);
    gm_parcel_free(forward->parcel);
    gm_mutex_free(forward->mu);
    gm_stop_free(forward->stop);
    gm_free(forward->url_z);
    gm_free(forward->late_url_z);
    gm_free(forward->authorization_z);
}

void gm_forwards_stop(struct gm_forwards *forwards)
{
    if (forwards == NULL) {
        return;
    }
    for (size_t i = 0; i < forwards->count; i++) {
        gm_stop_request(forwards->all[i].stop); /* all of them end at the same time */
    }
    for (size_t i = 0; i < forwards->count; i++) {
        stop_forward(&forwards->all[i]);
    }
    gm_free(forwards->all);
    gm_free(forwards);
}

bool gm_forwards_status(const struct gm_forwards *forwards, struct gm_str stream,
                        struct gm_forward_status *out_status)
{
    for (size_t i = 0; forwards != NULL && i < forwards->count; i++) {
        const struct gm_forward *forward = &forwards->all[i];
        if (gm_str_eq(forward->stream->name, stream)) {
            gm_mutex_lock(forward->mu);
            *out_status = forward->status;
            out_status->lag = -forward->next_sum;
            gm_mutex_unlock(forward->mu);
            for (int p = 0; p < forward->lane_count; p++) {
                out_status->lag += gm_stream_next(forward->stream->stream, p);
            }
            return true;
        }
    }
    return false;
}
