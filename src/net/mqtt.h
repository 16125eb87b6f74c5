/* An MQTT client (3.1.1 and 5) whose acknowledgements wait until its owner says so. Over
 * libmosquitto, which is included in mqtt.c only.
 *
 *     struct gm_mqtt_options options = {.url_z = "mqtts://broker", .message = take, .ctx = me};
 *     GM_TRY(gm_mqtt_new(&options, &mqtt, err));
 *     GM_TRY(gm_mqtt_connect(mqtt, &deadline, err));           // again, after it was lost
 *     GM_TRY(gm_mqtt_subscribe(mqtt, &subscription, &deadline, err));
 *     GM_TRY(gm_mqtt_take(mqtt, 1000, &deadline, &count, err)); // `take` is called for each
 *     … make durable what was taken …
 *     GM_TRY(gm_mqtt_settle(mqtt, &deadline, err));            // only now is it acknowledged
 *     gm_mqtt_free(mqtt);
 *
 * How acknowledgements wait. Up to 2.0 the library has no call for that: it makes the PUBACK of a
 * message when it has read it. But in the mode for programs with threads of their own it only
 * queues what it sends, until mosquitto_loop_write is called: gm_mqtt_take never does, unless
 * nothing is unsettled, and gm_mqtt_settle does. What is queued when a connection ends is thrown
 * away, and the broker sends those messages again on the next one. That nothing was sent too early
 * is checked with every message (mosquitto_want_write), so a library that works otherwise is found
 * at the first. QoS 2 is not asked for: there the library confirms before it hands over.
 *
 * Back-pressure: who does not call gm_mqtt_take reads nothing; the broker stops at
 * `receive_max` messages without an answer, and the rest waits in its queue.
 *
 * Outcomes: GM_E_RETRY: the connection is lost, or not to be had: connect again. GM_E_CONFIG: the
 * broker refuses login, client id or topics, or a certificate is wrong. GM_E_CANCELLED: deadline.
 * Thread rule: one owner. */
#ifndef GM_NET_MQTT_H
#define GM_NET_MQTT_H

#include <stdint.h>

#include "base/str.h"
#include "os/clock.h"

enum {
    GM_MQTT_RECEIVE_MAX = 65535,
    GM_MQTT_TOPIC_SIZE_MAX = 65535,
    GM_MQTT_PAYLOAD_SIZE_MAX = 16 << 20,
};

struct gm_mqtt_message {
    struct gm_str topic, payload; /* for the call */
    int qos;
    bool retained; /* the broker had it before anybody subscribed */
};

/* Texts are kept until gm_mqtt_free. */
struct gm_mqtt_options {
    const char *url_z;                 /* mqtt://HOST[:1883] or mqtts://HOST[:8883] */
    bool version5;                     /* else 3.1.1 */
    const char *client_id_z;           /* NULL: one of chance, and no session */
    const char *user_z, *password_z;   /* NULL: none */
    const char *ca_file_z;             /* NULL: the system's authorities */
    const char *certificate_z, *key_z; /* of this client; NULL: none */
    gm_ns keepalive;
    gm_ns session;   /* what the broker keeps while nobody is connected (5); 0: nothing is kept */
    int receive_max; /* messages without an answer, to here (5: told to the broker) */
    int send_max;    /* from here */
    bool takes_retained; /* else the broker is asked not to send them (5) */
    /* False: enough for now; gm_mqtt_take returns. */
    bool (*message)(void *ctx, const struct gm_mqtt_message *message);
    void *ctx;
};

/* GM_E_CONFIG when `url_z` is no such address. */
gm_rc gm_mqtt_url_check(const char *url_z, struct gm_err *err) GM_MUST_CHECK;

struct gm_mqtt;
gm_rc gm_mqtt_new(const struct gm_mqtt_options *options, struct gm_mqtt **out_mqtt,
                  struct gm_err *err) GM_MUST_CHECK;
void gm_mqtt_free(struct gm_mqtt *mqtt); /* says good-bye, whatever is unsettled; NULL is fine */

/* Until the broker has agreed. *out_resumed (may be NULL): it knew the session. */
gm_rc gm_mqtt_connect(struct gm_mqtt *mqtt, const struct gm_deadline *deadline, bool *out_resumed,
                      struct gm_err *err) GM_MUST_CHECK;
struct gm_mqtt_subscription {
    /* One that begins with "$share/NAME/" is shared with others of that NAME. */
    const char *const *filters;
    size_t count;
    int qos; /* 0 or 1 */
};
/* Until the broker has agreed. Messages may come before it returns. */
gm_rc gm_mqtt_subscribe(struct gm_mqtt *mqtt, const struct gm_mqtt_subscription *wanted,
                        const struct gm_deadline *deadline, struct gm_err *err) GM_MUST_CHECK;

/* Waits for a message until the deadline, then takes what is there, about `count_max` at most.
 * GM_OK with *out_count 0: the deadline passed. Keeps the connection alive as long as nothing is
 * unsettled. */
gm_rc gm_mqtt_take(struct gm_mqtt *mqtt, size_t count_max, const struct gm_deadline *deadline,
                   size_t *out_count, struct gm_err *err) GM_MUST_CHECK;
/* Acknowledges all that was taken. */
gm_rc gm_mqtt_settle(struct gm_mqtt *mqtt, const struct gm_deadline *deadline, struct gm_err *err)
    GM_MUST_CHECK;

/* Queues a message; gm_mqtt_exchange sends it. GM_E_LIMIT: send_max have no answer yet. */
gm_rc gm_mqtt_publish(struct gm_mqtt *mqtt, const char *topic_z, struct gm_str payload, int qos,
                      struct gm_err *err) GM_MUST_CHECK;
/* Sends what is queued and takes what has come; waits for something to happen until the deadline.
 * Not to be mixed with gm_mqtt_take: it acknowledges. */
gm_rc gm_mqtt_exchange(struct gm_mqtt *mqtt, const struct gm_deadline *deadline, struct gm_err *err)
    GM_MUST_CHECK;
/* Of QoS 1: published, and not confirmed by the broker. */
size_t gm_mqtt_unconfirmed(const struct gm_mqtt *mqtt);

#endif
