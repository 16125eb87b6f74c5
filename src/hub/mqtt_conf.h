/* The settings of an MQTT broker as a source of a stream.
 *
 *     streams:
 *       telemetry:
 *         from:
 *           plant: { mqtt: { url: "mqtt://broker", topics: "factory/{factory}/#" } }
 *
 * Thread rule: values, read-only once decoded. */
#ifndef GM_HUB_MQTT_CONF_H
#define GM_HUB_MQTT_CONF_H

#include "conf/conf.h"

enum gm_mqtt_version { GM_MQTT_VERSION_311, GM_MQTT_VERSION_5 };

struct gm_mqtt_conf {
    const char *url;
    struct gm_conf_strs topics;
    int32_t version;
    int64_t qos;
    const char *client_id; /* NULL: made of the names of machine, stream and source */
    const char *user, *password;
    const char *ca, *certificate, *certificate_key;
    int64_t connections;
    const char *share; /* NULL: the subscription is not shared */
    int64_t in_flight;
    gm_ns keepalive, session;
    bool retained;
    bool payload_ids;
    const char *key, *type, *origin; /* templates of topic parts; NULL: none */
    const char *refused;             /* a stream; NULL: none */
};

extern const struct gm_field gm_mqtt_fields[];

/* Checks across fields, reported into the doc; `streams` knows the names of all streams. */
void gm_mqtt_conf_check(struct gm_conf_doc *doc, const struct gm_conf_choice *source,
                        const struct gm_conf_map *streams);

#endif
