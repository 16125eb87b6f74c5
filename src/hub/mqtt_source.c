/* See mqtt_source.h. */
#include "hub/mqtt_source.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "hub/inside.h"
#include "hub/topic.h"
#include "net/mqtt.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/thread.h"
#include "json/json.h"

static const gm_ns ANSWER_TIMEOUT = 20 * GM_SECOND;
static const gm_ns PAUSE_FIRST = 500 * GM_MS;
static const gm_ns PAUSE_MAX = GM_MINUTE;
static const gm_ns IDLE_SPAN = 10 * GM_SECOND; /* the longest wait for a message in one call */
static const gm_ns REFUSED_LOG_PERIOD = 10 * GM_SECOND;

/* A message that held something that is no event. */
struct refusal {
    struct gm_str topic, payload, reason;
};

/* One connection. Its thread owns it, but for what is guarded. */
struct connection {
    struct gm_mqtt_source *source;
    struct gm_thread *thread;
    char *client_id_z;
    struct gm_mqtt *mqtt;
    struct gm_rng rng;
    gm_ns pause;
    struct gm_decoded *decoded; /* the batch */
    GM_VEC(struct refusal) refusals;
    size_t messages, bytes; /* of the batch */
    bool overflow;          /* it holds more than GM_MQTT_BATCH_BYTES_LIMIT */
    gm_ns refused_logged;   /* when the last line about a refusal was written */
    int64_t refused_silent; /* since then */
    bool up;                /* guarded by source->mu */
};

struct gm_mqtt_source {
    struct gm_mqtt_source_options options;
    struct gm_topics *topics;
    struct gm_stop *stop;
    char *label_z; /* "telemetry/plant" */
    struct connection *connections;
    size_t count;
    struct gm_mutex *mu;
    struct gm_mqtt_figures figures; /* guarded by mu */
};

static gm_ns now_mono(void)
{
    const struct gm_clock *clock = gm_clock_system();
    return clock->mono(clock);
}

/* ---- a message ---- */

struct parts {
    struct connection *connection;
    struct gm_str topic;
    struct gm_event known;
};

static void decode_value(void *ctx, struct gm_str value, size_t number)
{
    struct parts *parts = ctx;
    struct connection *connection = parts->connection;
    struct gm_decoded *decoded = connection->decoded;
    struct gm_event known = parts->known;
    if (connection->source->options.conf->payload_ids) {
        char hex[GM_HASH128_HEX_SIZE];
        gm_hash128_hex(gm_hash128(value, gm_hash64(parts->topic, 0)), hex);
        known.id = gm_arena_dup(decoded->arena, gm_str_z(hex));
    }
    gm_decode_value(connection->source->options.decoder,
                    &(struct gm_one){.text = value, .number = number, .known = &known}, decoded);
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* Several lines, each a value by itself: the first one ends where its line does. */
static bool are_lines(struct gm_str text)
{
    size_t end = 0;
    while (end < text.n && !is_line_end(text.p[end])) {
        end++;
    }
    return end > 1 && end < text.n && text.p[0] == '{' &&
           gm_str_ends(gm_str_trim((struct gm_str){text.p, end}), GM_STR("}"));
}

static void decode_payload(struct parts *parts, struct gm_str payload)
{
    struct gm_str line;
    const char *why_z;
    size_t number = 1;
    payload = gm_str_trim(payload);
    if (payload.n > 0 && payload.p[0] == '[') {
        if (!gm_split_array(payload, decode_value, parts, &why_z)) {
            gm_decoded_refuse(parts->connection->decoded, number, "%s", why_z);
        }
    } else if (are_lines(payload)) {
        while (payload.n > 0) {
            (void)gm_str_cut(payload, '\n', &line, &payload);
            line = gm_str_trim(line);
            if (line.n > 0) {
                decode_value(parts, line, number);
            }
            number++;
        }
    } else {
        decode_value(parts, payload, number);
    }
}

static void note_refusal(struct connection *connection, const struct parts *parts,
                         struct gm_str payload, size_t wrong_before)
{
    struct gm_decoded *decoded = connection->decoded;
    struct refusal *refusal = gm_vec_push(&connection->refusals);
    struct gm_str reason = decoded->wrong.n > wrong_before ? decoded->wrong.at[wrong_before].reason
                                                           : GM_STR("it is no event");
    *refusal = (struct refusal){parts->topic, payload, reason};
}

/* For net/mqtt.h. */
static bool take_message(void *ctx, const struct gm_mqtt_message *message)
{
    struct connection *connection = ctx;
    const struct gm_mqtt_source *source = connection->source;
    struct gm_decoded *decoded = connection->decoded;
    struct parts parts = {.connection = connection};
    connection->messages++;
    if (message->retained && !source->options.conf->retained) {
        return true;
    }
    /* Events point into what they were made of, and the library's memory ends with this call. */
    struct gm_str payload = gm_arena_dup(decoded->arena, message->payload);
    parts.topic = gm_arena_dup(decoded->arena, message->topic);
    if (payload.p == NULL || parts.topic.p == NULL ||
        !gm_topics_read(source->topics, parts.topic, decoded->arena, &parts.known)) {
        connection->overflow = true;
        return false;
    }
    size_t wrong = decoded->wrong.n, count = decoded->wrong_count;
    decode_payload(&parts, payload);
    if (decoded->wrong_count > count) {
        note_refusal(connection, &parts, payload, wrong);
    }
    connection->bytes += message->payload.n;
    return connection->bytes < GM_MQTT_BATCH_BYTES && connection->messages < GM_MQTT_BATCH_MESSAGES;
}

/* ---- the batch ---- */

static void reset_batch(struct connection *connection)
{
    gm_decoded_reset(connection->decoded);
    connection->refusals.n = 0;
    connection->messages = connection->bytes = 0;
    connection->overflow = false;
}

/* Waits for room and for the commit, as long as nobody stops it. */
static gm_rc append(const struct connection *connection, struct gm_stream *stream,
                    struct gm_append *append, struct gm_err *err)
{
    const struct gm_deadline deadline = {.stop = connection->source->stop};
    return gm_stream_append(stream, append, &deadline, err);
}

static void log_refusals(struct connection *connection)
{
    const struct gm_mqtt_source *source = connection->source;
    gm_ns now = now_mono();
    connection->refused_silent += (int64_t)connection->refusals.n;
    if (connection->refused_logged != 0 && now - connection->refused_logged < REFUSED_LOG_PERIOD) {
        return;
    }
    const struct refusal *first = &connection->refusals.at[0];
    struct gm_str shown = {first->payload.p, first->payload.n < 200 ? first->payload.n : 200};
    gm_log_warn("mqtt.refused", GM_L_Z("source", source->label_z), GM_L_STR("topic", first->topic),
                GM_L_STR("reason", first->reason), GM_L_STR("payload", shown),
                GM_L_INT("messages", connection->refused_silent));
    connection->refused_logged = now;
    connection->refused_silent = 0;
}

/* One by one, where the stream does not take them together: what breaks a bound is refused. */
static gm_rc append_singly(struct connection *connection, struct gm_append *sum, struct gm_err *err)
{
    for (size_t i = 0; i < connection->decoded->events.n; i++) {
        const struct gm_event *event = &connection->decoded->events.at[i];
        struct gm_append one = {.events = event, .count = 1, .checked = true};
        gm_rc rc = append(connection, connection->source->options.stream, &one, err);
        if (rc == GM_E_INVALID) {
            struct gm_str reason = gm_arena_dup(connection->decoded->arena, gm_str_z(err->text));
            *gm_vec_push(&connection->refusals) = (struct refusal){event->key, event->body, reason};
        } else if (rc != GM_OK) {
            return rc;
        }
        sum->appended += one.appended;
        sum->duplicates += one.duplicates;
    }
    return GM_OK;
}

/* What is no event goes to a stream of its own, as {topic, reason, payload}. */
static gm_rc keep_refusals(struct connection *connection, struct gm_err *err)
{
    struct gm_stream *stream = connection->source->options.refused;
    size_t count = connection->refusals.n;
    if (stream == NULL) {
        return GM_OK;
    }
    struct gm_buf body;
    struct gm_event *events = gm_alloc_array(count, sizeof(*events));
    size_t made = 0;
    gm_buf_init(&body, GM_EVENT_BODY_SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct refusal *refusal = &connection->refusals.at[i];
        gm_buf_reset(&body);
        gm_buf_add_z(&body, "{\"topic\":");
        gm_json_quote(&body, refusal->topic);
        gm_buf_add_z(&body, ",\"reason\":");
        gm_json_quote(&body, refusal->reason);
        gm_buf_add_z(&body, ",\"payload\":");
        size_t before = body.n;
        gm_json_quote(&body, refusal->payload);
        if (gm_buf_failed(&body)) { /* too large with its escapes: without it, then */
            body.failed = false;
            body.n = before;
            gm_buf_add_z(&body, "null");
        }
        gm_buf_add_char(&body, '}');
        struct gm_str text = gm_arena_dup(connection->decoded->arena, gm_buf_str(&body));
        struct gm_str key = refusal->topic;
        key.n = key.n < GM_EVENT_TEXT_SIZE_MAX ? key.n : GM_EVENT_TEXT_SIZE_MAX;
        if (text.p != NULL && !gm_buf_failed(&body)) {
            events[made++] =
                (struct gm_event){.key = key, .time = gm_clock_wall_now(), .body = text};
        }
    }
    struct gm_append all = {.events = events, .count = made, .checked = true};
    gm_rc rc = made > 0 ? append(connection, stream, &all, err) : GM_OK;
    gm_buf_deinit(&body);
    gm_free(events);
    return rc;
}

static gm_rc commit_batch(struct connection *connection, struct gm_err *err)
{
    struct gm_mqtt_source *source = connection->source;
    struct gm_decoded *decoded = connection->decoded;
    struct gm_append all = {
        .events = decoded->events.at, .count = decoded->events.n, .checked = true};
    if (connection->overflow) {
        return gm_fail(err, GM_E_RETRY,
                       "messages beyond %d bytes in one batch; a smaller "
                       "`in_flight` helps",
                       GM_MQTT_BATCH_BYTES_LIMIT);
    }
    if (all.count > 0) {
        gm_rc rc = append(connection, source->options.stream, &all, err);
        GM_TRY(rc == GM_E_INVALID ? append_singly(connection, &all, err) : rc);
    }
    if (connection->refusals.n > 0) {
        log_refusals(connection);
        GM_TRY(keep_refusals(connection, err));
    }
    struct gm_str label = gm_str_z(source->label_z);
    gm_metric_add(GM_M_INTAKE_MESSAGES, label, (double)connection->messages);
    gm_metric_add(GM_M_INTAKE_EVENTS, label, (double)all.appended);
    gm_metric_add(GM_M_INTAKE_DUPLICATES, label, (double)all.duplicates);
    gm_metric_add(GM_M_INTAKE_REFUSED, label, (double)connection->refusals.n);
    gm_mutex_lock(source->mu);
    source->figures.messages += (int64_t)connection->messages;
    source->figures.events += (int64_t)all.appended;
    source->figures.duplicates += (int64_t)all.duplicates;
    source->figures.refused += (int64_t)connection->refusals.n;
    gm_mutex_unlock(source->mu);
    return GM_OK;
}

/* ---- a connection ---- */

static void set_up(struct connection *connection, bool up, const struct gm_err *why)
{
    struct gm_mqtt_source *source = connection->source;
    gm_mutex_lock(source->mu);
    source->figures.connections += (int64_t)up - (int64_t)connection->up;
    source->figures.reconnects += !up && connection->up;
    source->figures.why = up ? (struct gm_err){0} : *why;
    connection->up = up;
    gm_metric_set(GM_M_INTAKE_CONNECTIONS, gm_str_z(source->label_z),
                  (double)source->figures.connections);
    gm_mutex_unlock(source->mu);
}

static gm_rc make_client(struct connection *connection, struct gm_err *err)
{
    const struct gm_mqtt_conf *conf = connection->source->options.conf;
    const struct gm_mqtt_options options = {.url_z = conf->url,
                                            .version5 = conf->version == GM_MQTT_VERSION_5,
                                            .client_id_z = connection->client_id_z,
                                            .user_z = conf->user,
                                            .password_z = conf->password,
                                            .ca_file_z = conf->ca,
                                            .certificate_z = conf->certificate,
                                            .key_z = conf->certificate_key,
                                            .keepalive = conf->keepalive,
                                            .session = conf->session,
                                            .receive_max = (int)conf->in_flight,
                                            .send_max = 1,
                                            .takes_retained = conf->retained,
                                            .message = take_message,
                                            .ctx = connection};
    return gm_mqtt_new(&options, &connection->mqtt, err);
}

static gm_rc connect_once(struct connection *connection, struct gm_err *err)
{
    const struct gm_mqtt_source *source = connection->source;
    const struct gm_deadline deadline = gm_deadline_in(ANSWER_TIMEOUT, source->stop);
    const struct gm_mqtt_subscription wanted = {gm_topics_filters(source->topics),
                                                gm_topics_count(source->topics),
                                                (int)source->options.conf->qos};
    bool resumed = false;
    if (connection->mqtt == NULL) {
        GM_TRY(make_client(connection, err));
    }
    GM_TRY(gm_mqtt_connect(connection->mqtt, &deadline, &resumed, err));
    GM_TRY(gm_mqtt_subscribe(connection->mqtt, &wanted, &deadline, err));
    set_up(connection, true, NULL);
    connection->pause = 0;
    gm_log_info("mqtt.connected", GM_L_Z("source", source->label_z),
                GM_L_Z("client", connection->client_id_z), GM_L_INT("resumed", resumed));
    return GM_OK;
}

/* Takes, commits and settles until the connection or the stream fails, or a stop. */
static gm_rc work(struct connection *connection, struct gm_err *err)
{
    const struct gm_stop *stop = connection->source->stop;
    while (!gm_stop_requested(stop)) {
        if (connection->messages == 0) { /* else they came while it subscribed */
            const struct gm_deadline deadline = gm_deadline_in(IDLE_SPAN, stop);
            size_t count;
            GM_TRY(gm_mqtt_take(connection->mqtt, GM_MQTT_BATCH_MESSAGES, &deadline, &count, err));
        }
        if (connection->messages > 0) {
            const struct gm_deadline deadline = gm_deadline_in(ANSWER_TIMEOUT, stop);
            GM_TRY(commit_batch(connection, err));
            gm_rc rc = gm_mqtt_settle(connection->mqtt, &deadline, err);
            if (rc != GM_OK) {
                return rc == GM_E_CANCELLED && !gm_stop_requested(stop)
                           ? gm_fail(err, GM_E_RETRY, "the broker takes no acknowledgements")
                           : rc;
            }
            reset_batch(connection);
        }
    }
    return GM_E_CANCELLED;
}

/* Full jitter: anything up to a bound that doubles. */
static void pause_before_retry(struct connection *connection)
{
    connection->pause = connection->pause == 0 ? PAUSE_FIRST : 2 * connection->pause;
    connection->pause = connection->pause < PAUSE_MAX ? connection->pause : PAUSE_MAX;
    gm_ns span = (gm_ns)gm_rng_below(&connection->rng, (uint64_t)connection->pause) + 1;
    (void)gm_stop_wait(connection->source->stop, span);
}

static void note_failure(struct connection *connection, gm_rc rc, const struct gm_err *err)
{
    const struct gm_mqtt_source *source = connection->source;
    set_up(connection, false, err);
    gm_log_event(rc == GM_E_RETRY ? GM_LOG_WARN : GM_LOG_ERROR,
                 rc == GM_E_RETRY || rc == GM_E_CONFIG ? "mqtt.disconnected" : "mqtt.ended",
                 GM_LOG_FIELDS(GM_L_Z("source", source->label_z),
                               GM_L_Z("client", connection->client_id_z),
                               GM_L_Z("error", err->text)));
}

static void connection_main(void *arg)
{
    struct connection *connection = arg;
    struct gm_mqtt_source *source = connection->source;
    while (!gm_stop_requested(source->stop)) {
        struct gm_err err = {0};
        reset_batch(connection);
        gm_rc rc = connect_once(connection, &err);
        rc = rc == GM_OK ? work(connection, &err) : rc;
        if (gm_stop_requested(source->stop)) {
            break;
        }
        note_failure(connection, rc, &err);
        if (rc != GM_E_RETRY && rc != GM_E_CONFIG) {
            break; /* the stream's storage failed: whoever owns it ends the process */
        }
        /* A new client: nothing of the old connection is left. */
        gm_mqtt_free(connection->mqtt);
        connection->mqtt = NULL;
        pause_before_retry(connection);
    }
    gm_mqtt_free(connection->mqtt);
    connection->mqtt = NULL;
}

/* ---- life ---- */

/* The same after every start, or the broker's session would not be found again. */
static char *make_client_id_z(const struct gm_mqtt_source *source, size_t index)
{
    const struct gm_mqtt_conf *conf = source->options.conf;
    char host[GM_HOST_NAME_SIZE];
    gm_host_name(host);
    GM_AUTO_FREE char *base_z = conf->client_id != NULL
                                    ? gm_strdup_z(conf->client_id)
                                    : gm_format_z("gemel-%s-" GM_STR_FMT "-" GM_STR_FMT, host,
                                                  GM_STR_ARG(source->options.stream_name),
                                                  GM_STR_ARG(source->options.name));
    return conf->connections > 1 ? gm_format_z("%s-%zu", base_z, index + 1) : gm_strdup_z(base_z);
}

static gm_rc start_connections(struct gm_mqtt_source *source, struct gm_err *err)
{
    size_t count = (size_t)source->options.conf->connections;
    source->connections = gm_alloc_array(count, sizeof(*source->connections));
    for (size_t i = 0; i < count; i++) {
        struct connection *connection = &source->connections[i];
        connection->source = source;
        connection->client_id_z = make_client_id_z(source, i);
        connection->decoded = gm_decoded_new(GM_MQTT_BATCH_BYTES_LIMIT);
        gm_rng_init(&connection->rng,
                    gm_hash64(gm_str_z(connection->client_id_z), (uint64_t)gm_clock_wall_now()));
        source->count++;
        GM_TRY(
            gm_thread_start("gemel-mqtt", connection_main, connection, &connection->thread, err));
    }
    return GM_OK;
}

gm_rc gm_mqtt_source_start(const struct gm_mqtt_source_options *options,
                           struct gm_mqtt_source **out_source, struct gm_err *err)
{
    struct gm_topics *topics;
    GM_TRY(gm_topics_new(options->conf, &topics, err));
    struct gm_mqtt_source *source = gm_alloc(sizeof(*source));
    source->options = *options;
    source->topics = topics;
    source->stop = gm_stop_new();
    source->mu = gm_mutex_new();
    source->label_z = gm_format_z(GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(options->stream_name),
                                  GM_STR_ARG(options->name));
    gm_rc rc = start_connections(source, err);
    if (rc != GM_OK) {
        gm_mqtt_source_stop(source);
        return rc;
    }
    *out_source = source;
    return GM_OK;
}

void gm_mqtt_source_stop(struct gm_mqtt_source *source)
{
    if (source == NULL) {
        return;
    }
    gm_stop_request(source->stop);
    for (size_t i = 0; i < source->count; i++) {
        struct connection *connection = &source->connections[i];
        gm_thread_join(connection->thread);
        gm_decoded_free(connection->decoded);
        gm_vec_deinit(&connection->refusals);
        gm_free(connection->client_id_z);
    }
    gm_free(source->connections);
    gm_topics_free(source->topics);
    gm_mutex_free(source->mu);
    gm_stop_free(source->stop);
    gm_free(source->label_z);
    gm_free(source);
}

void gm_mqtt_source_figures(const struct gm_mqtt_source *source,
                            struct gm_mqtt_figures *out_figures)
{
    gm_mutex_lock(source->mu);
    *out_figures = source->figures;
    gm_mutex_unlock(source->mu);
}
