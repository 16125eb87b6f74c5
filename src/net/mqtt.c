/* See mqtt.h. */
#include "net/mqtt.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
/* tidy: libraries: libmosquitto wants one initialisation per process, before any thread uses it */
#include <pthread.h>

#include "base/mem.h"
#include "base/num.h"
#include "os/poll.h"
#include "os/reach.h"

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void init_library(void)
{
    (void)mosquitto_lib_init();
}

enum answer { ANSWER_NONE, ANSWER_YES, ANSWER_NO };

struct gm_mqtt {
    struct gm_mqtt_options options;
    struct mosquitto *mosquitto;
    char *host_z;
    int port;
    bool tls;
    enum answer connected, subscribed;
    int reason; /* of an answer */
    bool resumed;
    size_t taken;     /* ever */
    size_t unsettled; /* messages that are taken and not acknowledged */
    size_t unconfirmed;
    bool full; /* what the owner said of the last message */
};

/* ---- addresses ---- */

struct address {
    struct gm_str host;
    int64_t port;
    bool tls;
};

static gm_rc parse_url(const char *url_z, struct address *out, struct gm_err *err)
{
    struct gm_str url = gm_str_z(url_z), port = {NULL, 0}, scheme;
    gm_str_cut(url, ':', &scheme, &url);
    bool tls = gm_str_is(scheme, "mqtts");
    if ((!tls && !gm_str_is(scheme, "mqtt")) || !gm_str_starts(url, GM_STR("//"))) {
        return gm_fail(err, GM_E_CONFIG, "`%s`: write mqtt://HOST[:PORT] or mqtts://HOST[:PORT]",
                       url_z);
    }
    url = (struct gm_str){url.p + 2, url.n - 2};
    if (url.n > 0 && url.p[url.n - 1] == '/') {
        url.n--;
    }
    if (url.n > 0 && url.p[0] == '[') { /* an IPv6 address: the colons in it are no port's */
        struct gm_str inside = {url.p + 1, url.n - 1};
        gm_str_cut(inside, ']', &out->host, &port);
        port = port.n > 0 && port.p[0] == ':' ? (struct gm_str){port.p + 1, port.n - 1} : port;
    } else {
        gm_str_cut(url, ':', &out->host, &port);
    }
    out->tls = tls;
    out->port = tls ? 8883 : 1883;
    if (out->host.n == 0 || memchr(out->host.p, '/', out->host.n) != NULL ||
        memchr(out->host.p, '@', out->host.n) != NULL ||
        (port.n > 0 && (!gm_parse_i64(port, &out->port) || out->port < 1 || out->port > 65535))) {
        return gm_fail(err, GM_E_CONFIG, "`%s`: write mqtt://HOST[:PORT] or mqtts://HOST[:PORT]",
                       url_z);
    }
    return GM_OK;
}

gm_rc gm_mqtt_url_check(const char *url_z, struct gm_err *err)
{
    struct address address;
    return parse_url(url_z, &address, err);
}

/* ---- what the library says ---- */

static gm_rc failure(const struct gm_mqtt *mqtt, int code, struct gm_err *err)
{
    const char *url_z = mqtt->options.url_z;
    switch (code) {
    case MOSQ_ERR_SUCCESS:
        return GM_OK;
    case MOSQ_ERR_TLS:
        return gm_fail(err, GM_E_CONFIG,
                       "%s: no agreement about TLS: look at the certificates on both sides", url_z);
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_NOT_SUPPORTED:
    case MOSQ_ERR_MALFORMED_UTF8:
        return gm_fail(err, GM_E_CONFIG, "%s: %s", url_z, mosquitto_strerror(code));
    case MOSQ_ERR_ERRNO:
        return gm_fail(err, GM_E_RETRY, "%s: %s", url_z, strerror(errno));
    default:
        return gm_fail(err, GM_E_RETRY, "%s: %s", url_z, mosquitto_strerror(code));
    }
}

/* Reasons of MQTT 5; those of 3.1.1 are numbered from 1. */
static bool worth_retrying(const struct gm_mqtt *mqtt, int reason)
{
    if (!mqtt->options.version5) {
        return reason == CONNACK_REFUSED_SERVER_UNAVAILABLE;
    }
    return reason == MQTT_RC_SERVER_UNAVAILABLE || reason == MQTT_RC_SERVER_BUSY ||
           reason == MQTT_RC_QUOTA_EXCEEDED || reason == MQTT_RC_CONNECTION_RATE_EXCEEDED ||
           reason == MQTT_RC_UNSPECIFIED || reason == MQTT_RC_USE_ANOTHER_SERVER;
}

static void on_connect(struct mosquitto *mosquitto, void *ctx, int reason, int flags)
{
    struct gm_mqtt *mqtt = ctx;
    (void)mosquitto;
    mqtt->connected = reason == 0 ? ANSWER_YES : ANSWER_NO;
    mqtt->reason = reason;
    mqtt->resumed = (flags & 1) != 0;
}

static void on_subscribe(struct mosquitto *mosquitto, void *ctx, int id, int count,
                         const int *granted)
{
    struct gm_mqtt *mqtt = ctx;
    (void)mosquitto;
    (void)id;
    mqtt->subscribed = ANSWER_YES;
    for (int i = 0; i < count; i++) {
        if (granted[i] >= 128) {
            mqtt->subscribed = ANSWER_NO;
            mqtt->reason = i;
        }
    }
}

static void on_message(struct mosquitto *mosquitto, void *ctx,
                       const struct mosquitto_message *message)
{
    struct gm_mqtt *mqtt = ctx;
    const struct gm_mqtt_message taken = {
        .topic = gm_str_z(message->topic),
        .payload = {message->payload, (size_t)message->payloadlen},
        .qos = message->qos,
        .retained = message->retain,
    };
    (void)mosquitto;
    mqtt->taken++;
    mqtt->unsettled += message->qos > 0;
    mqtt->full = mqtt->options.message != NULL && !mqtt->options.message(mqtt->options.ctx, &taken);
}

static void on_publish(struct mosquitto *mosquitto, void *ctx, int id)
{
    struct gm_mqtt *mqtt = ctx;
    (void)mosquitto;
    (void)id;
    mqtt->unconfirmed -= mqtt->unconfirmed > 0;
}

/* ---- life ---- */

static gm_rc set_tls(struct gm_mqtt *mqtt, struct gm_err *err)
{
    const struct gm_mqtt_options *options = &mqtt->options;
    int code;
    if (!mqtt->tls) {
        return GM_OK;
    }
    if (options->ca_file_z == NULL) {
        code = mosquitto_int_option(mqtt->mosquitto, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
        if (code == MOSQ_ERR_SUCCESS && options->certificate_z != NULL) {
            code = mosquitto_tls_set(mqtt->mosquitto, NULL, "/etc/ssl/certs",
                                     options->certificate_z, options->key_z, NULL);
        }
    } else {
        code = mosquitto_tls_set(mqtt->mosquitto, options->ca_file_z, NULL, options->certificate_z,
                                 options->key_z, NULL);
    }
    if (code != MOSQ_ERR_SUCCESS) {
        return gm_fail(err, GM_E_CONFIG, "%s: authority, certificate or key cannot be read: %s",
                       options->url_z, mosquitto_strerror(code));
    }
    return failure(mqtt, mosquitto_tls_opts_set(mqtt->mosquitto, 1, NULL, NULL), err);
}

static gm_rc set_options(struct gm_mqtt *mqtt, struct gm_err *err)
{
    const struct gm_mqtt_options *options = &mqtt->options;
    struct mosquitto *mosquitto = mqtt->mosquitto;
    GM_TRY(failure(mqtt,
                   mosquitto_int_option(mosquitto, MOSQ_OPT_PROTOCOL_VERSION,
                                        options->version5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311),
                   err));
    GM_TRY(failure(mqtt,
                   mosquitto_int_option(mosquitto, MOSQ_OPT_RECEIVE_MAXIMUM, options->receive_max),
                   err));
    GM_TRY(failure(mqtt, mosquitto_int_option(mosquitto, MOSQ_OPT_SEND_MAXIMUM, options->send_max),
                   err));
    /* What is sent waits for mosquitto_loop_write: see mqtt.h. */
    GM_TRY(failure(mqtt, mosquitto_threaded_set(mosquitto, true), err));
    if (options->user_z != NULL) {
        GM_TRY(failure(
            mqtt, mosquitto_username_pw_set(mosquitto, options->user_z, options->password_z), err));
    }
    mosquitto_connect_with_flags_callback_set(mosquitto, on_connect);
    mosquitto_subscribe_callback_set(mosquitto, on_subscribe);
    mosquitto_message_callback_set(mosquitto, on_message);
    mosquitto_publish_callback_set(mosquitto, on_publish);
    return set_tls(mqtt, err);
}

gm_rc gm_mqtt_new(const struct gm_mqtt_options *options, struct gm_mqtt **out_mqtt,
                  struct gm_err *err)
{
    struct address address;
    GM_TRY(parse_url(options->url_z, &address, err));
    (void)pthread_once(&library_once, init_library);
    struct gm_mqtt *mqtt = gm_alloc(sizeof(*mqtt));
    mqtt->options = *options;
    mqtt->host_z = gm_str_dup_z(address.host);
    mqtt->port = (int)address.port;
    mqtt->tls = address.tls;
    bool clean = options->client_id_z == NULL || options->session == 0;
    mqtt->mosquitto = mosquitto_new(options->client_id_z, clean, mqtt);
    gm_rc rc =
        mqtt->mosquitto != NULL
            ? set_options(mqtt, err)
            : gm_fail(err, GM_E_CONFIG, "%s: client id `%s`: %s", options->url_z,
                      options->client_id_z != NULL ? options->client_id_z : "", strerror(errno));
    if (rc != GM_OK) {
        gm_mqtt_free(mqtt);
        return rc;
    }
    *out_mqtt = mqtt;
    return GM_OK;
}

void gm_mqtt_free(struct gm_mqtt *mqtt)
{
    if (mqtt == NULL) {
        return;
    }
    if (mqtt->mosquitto != NULL) {
        /* A good-bye goes out behind what is queued: with acknowledgements in it, none is said,
         * and the broker finds the connection closed. */
        if (mqtt->unsettled == 0 && mosquitto_socket(mqtt->mosquitto) >= 0 &&
            mosquitto_disconnect(mqtt->mosquitto) == MOSQ_ERR_SUCCESS) {
            (void)mosquitto_loop_write(mqtt->mosquitto, 1);
        }
        mosquitto_destroy(mqtt->mosquitto);
    }
    gm_free(mqtt->host_z);
    gm_free(mqtt);
}

/* ---- moving bytes ---- */

static gm_rc wait_for(struct gm_mqtt *mqtt, int want, const struct gm_deadline *deadline,
                      struct gm_err *err)
{
    int fd = mosquitto_socket(mqtt->mosquitto);
    if (fd < 0) {
        return gm_fail(err, GM_E_RETRY, "%s: the connection is lost", mqtt->options.url_z);
    }
    return gm_poll(fd, want, deadline);
}

/* Writes what is queued as far as the socket takes it. */
static gm_rc write_some(struct gm_mqtt *mqtt, struct gm_err *err)
{
    int fd = mosquitto_socket(mqtt->mosquitto);
    if (fd < 0) {
        return gm_fail(err, GM_E_RETRY, "%s: the connection is lost", mqtt->options.url_z);
    }
    gm_socket_hold(fd, true); /* the library writes packet by packet */
    int code = mosquitto_loop_write(mqtt->mosquitto, 1);
    gm_socket_hold(fd, false);
    return failure(mqtt, code, err);
}

/* Pings, and notices a broker that is silent. */
static gm_rc keep_alive(struct gm_mqtt *mqtt, struct gm_err *err)
{
    return failure(mqtt, mosquitto_loop_misc(mqtt->mosquitto), err);
}

/* Reads and writes until `*answer` is there. */
static gm_rc await(struct gm_mqtt *mqtt, const enum answer *answer,
                   const struct gm_deadline *deadline, struct gm_err *err)
{
    while (*answer == ANSWER_NONE) {
        bool writes = mosquitto_want_write(mqtt->mosquitto) && mqtt->unsettled == 0;
        if (writes) {
            GM_TRY(write_some(mqtt, err));
            writes = mosquitto_want_write(mqtt->mosquitto);
        }
        gm_rc rc = wait_for(mqtt, GM_POLL_READ | (writes ? GM_POLL_WRITE : 0), deadline, err);
        if (rc == GM_E_CANCELLED) {
            return gm_fail(err,
                           deadline->stop != NULL && gm_stop_requested(deadline->stop)
                               ? GM_E_CANCELLED
                               : GM_E_RETRY,
                           "%s: no answer in time", mqtt->options.url_z);
        }
        GM_TRY(rc);
        GM_TRY(failure(mqtt, mosquitto_loop_read(mqtt->mosquitto, 1), err));
    }
    return GM_OK;
}

gm_rc gm_mqtt_connect(struct gm_mqtt *mqtt, const struct gm_deadline *deadline, bool *out_resumed,
                      struct gm_err *err)
{
    const struct gm_mqtt_options *options = &mqtt->options;
    mosquitto_property *properties = NULL;
    GM_TRY(
        gm_reach(mqtt->host_z, mqtt->port, deadline, err)); /* the library's connect waits long */
    int keepalive_s = (int)(options->keepalive / GM_SECOND);
    int code = MOSQ_ERR_SUCCESS;
    if (options->version5) {
        gm_ns session_s = options->session / GM_SECOND;
        code =
            mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                         session_s < UINT32_MAX ? (uint32_t)session_s : UINT32_MAX);
        if (code == MOSQ_ERR_SUCCESS) {
            code = mosquitto_property_add_int16(&properties, MQTT_PROP_RECEIVE_MAXIMUM,
                                                (uint16_t)options->receive_max);
        }
        if (code == MOSQ_ERR_SUCCESS) {
            code = mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE,
                                                GM_MQTT_PAYLOAD_SIZE_MAX);
        }
    }
    mqtt->connected = ANSWER_NONE;
    mqtt->unsettled = 0; /* the broker sends again what it heard no answer to */
    if (code == MOSQ_ERR_SUCCESS) {
        code = mosquitto_connect_bind_v5(mqtt->mosquitto, mqtt->host_z, mqtt->port,
                                         keepalive_s >= 5 ? keepalive_s : 5, NULL, properties);
    }
    mosquitto_property_free_all(&properties);
    GM_TRY(failure(mqtt, code, err));
    gm_rc rc = await(mqtt, &mqtt->connected, deadline, err);
    /* a refusal is followed by the end of the connection */
    if (mqtt->connected == ANSWER_NO) {
        const char *why_z = options->version5 ? mosquitto_reason_string(mqtt->reason)
                                              : mosquitto_connack_string(mqtt->reason);
        return gm_fail(err, worth_retrying(mqtt, mqtt->reason) ? GM_E_RETRY : GM_E_CONFIG,
                       "%s: the broker refuses: %s", options->url_z, why_z);
    }
    if (rc == GM_OK && out_resumed != NULL) {
        *out_resumed = mqtt->resumed;
    }
    return rc;
}

gm_rc gm_mqtt_subscribe(struct gm_mqtt *mqtt, const struct gm_mqtt_subscription *wanted,
                        const struct gm_deadline *deadline, struct gm_err *err)
{
    const char *url_z = mqtt->options.url_z;
    int options = mqtt->options.version5 && !mqtt->options.takes_retained
                      ? MQTT_SUB_OPT_SEND_RETAIN_NEVER
                      : 0;
    GM_ASSERT((wanted->qos == 0 || wanted->qos == 1) && wanted->count > 0);
    if (mqtt->unsettled > 0) { /* the request would go out behind acknowledgements */
        return gm_fail(err, GM_E_RETRY, "%s: messages came before the subscription", url_z);
    }
    GM_AUTO_FREE char **filters = gm_alloc_array(wanted->count, sizeof(*filters));
    for (size_t i = 0; i < wanted->count; i++) {
        union {
            const char *in;
            char *p;
        } filter = {.in = wanted->filters[i]}; /* the library changes nothing */
        filters[i] = filter.p;
        if (mosquitto_sub_topic_check(filter.in) != MOSQ_ERR_SUCCESS) {
            return gm_fail(err, GM_E_CONFIG, "%s: `%s` is no topic filter", url_z, filter.in);
        }
    }
    mqtt->subscribed = ANSWER_NONE;
    /* one packet: between two, messages could come */
    GM_TRY(failure(mqtt,
                   mosquitto_subscribe_multiple(mqtt->mosquitto, NULL, (int)wanted->count, filters,
                                                wanted->qos, options, NULL),
                   err));
    GM_TRY(await(mqtt, &mqtt->subscribed, deadline, err));
    return mqtt->subscribed == ANSWER_YES
               ? GM_OK
               : gm_fail(err, GM_E_CONFIG, "%s: the broker refuses the subscription to `%s`", url_z,
                         wanted->filters[(size_t)mqtt->reason < wanted->count ? mqtt->reason : 0]);
}

/* Reads packets until `count_max` messages more have come, or there is nothing to read now. */
static gm_rc read_some(struct gm_mqtt *mqtt, size_t count_max, struct gm_err *err)
{
    size_t before = mqtt->taken, last;
    do {
        last = mqtt->taken;
        size_t unsettled = mqtt->unsettled;
        GM_TRY(failure(mqtt, mosquitto_loop_read(mqtt->mosquitto, 1), err));
        if (mqtt->unsettled > unsettled && !mosquitto_want_write(mqtt->mosquitto)) {
            return gm_fail(err, GM_E_CONFIG,
                           "this libmosquitto acknowledges messages by itself: "
                           "a message could be lost; use version 2.0");
        }
    } while (mqtt->taken > last && !mqtt->full && mqtt->taken - before < count_max);
    return GM_OK;
}

gm_rc gm_mqtt_take(struct gm_mqtt *mqtt, size_t count_max, const struct gm_deadline *deadline,
                   size_t *out_count, struct gm_err *err)
{
    size_t before = mqtt->taken;
    while (mqtt->taken == before) {
        if (mqtt->unsettled == 0) {
            GM_TRY(keep_alive(mqtt, err));
            if (mosquitto_want_write(mqtt->mosquitto)) {
                GM_TRY(write_some(mqtt, err));
            }
        }
        /* Not longer than a second, so that pings go out. */
        gm_ns left = gm_deadline_left(deadline);
        const struct gm_deadline turn =
            gm_deadline_in(left < GM_SECOND ? left : GM_SECOND, deadline->stop);
        gm_rc rc = wait_for(mqtt, GM_POLL_READ, &turn, err);
        if (rc == GM_E_CANCELLED && gm_deadline_passed(deadline)) {
            break;
        }
        if (rc == GM_OK) {
            GM_TRY(read_some(mqtt, count_max, err));
        } else if (rc != GM_E_CANCELLED) {
            return rc;
        }
    }
    *out_count = mqtt->taken - before;
    return GM_OK;
}

gm_rc gm_mqtt_settle(struct gm_mqtt *mqtt, const struct gm_deadline *deadline, struct gm_err *err)
{
    GM_TRY(write_some(mqtt, err));
    while (mosquitto_want_write(mqtt->mosquitto)) {
        GM_TRY(wait_for(mqtt, GM_POLL_WRITE, deadline, err));
        GM_TRY(write_some(mqtt, err));
    }
    mqtt->unsettled = 0;
    return GM_OK;
}

/* ---- publishing ---- */

gm_rc gm_mqtt_publish(struct gm_mqtt *mqtt, const char *topic_z, struct gm_str payload, int qos,
                      struct gm_err *err)
{
    if (qos > 0 && mqtt->unconfirmed >= (size_t)mqtt->options.send_max) {
        return gm_fail(err, GM_E_LIMIT, "%s: %zu messages wait for the broker's answer",
                       mqtt->options.url_z, mqtt->unconfirmed);
    }
    if (payload.n > GM_MQTT_PAYLOAD_SIZE_MAX) {
        return gm_fail(err, GM_E_LIMIT, "a message of %zu bytes; %d are allowed", payload.n,
                       GM_MQTT_PAYLOAD_SIZE_MAX);
    }
    int code =
        mosquitto_publish(mqtt->mosquitto, NULL, topic_z, (int)payload.n, payload.p, qos, false);
    GM_TRY(failure(mqtt, code, err));
    mqtt->unconfirmed++; /* of QoS 0 it is confirmed when it is written */
    return GM_OK;
}

gm_rc gm_mqtt_exchange(struct gm_mqtt *mqtt, const struct gm_deadline *deadline, struct gm_err *err)
{
    GM_TRY(keep_alive(mqtt, err));
    if (mosquitto_want_write(mqtt->mosquitto)) {
        GM_TRY(write_some(mqtt, err));
    }
    int want = GM_POLL_READ | (mosquitto_want_write(mqtt->mosquitto) ? GM_POLL_WRITE : 0);
    gm_rc rc = wait_for(mqtt, want, deadline, err);
    if (rc == GM_E_CANCELLED) {
        return GM_OK;
    }
    GM_TRY(rc);
    /* Confirmations are packets of their own: as many as have come. */
    size_t before;
    do {
        before = mqtt->unconfirmed;
        GM_TRY(failure(mqtt, mosquitto_loop_read(mqtt->mosquitto, 1), err));
    } while (mqtt->unconfirmed < before);
    return GM_OK;
}

size_t gm_mqtt_unconfirmed(const struct gm_mqtt *mqtt)
{
    return mqtt->unconfirmed;
}
