#include "hub/mqtt_conf.h"

#include "base/mem.h"
#include "hub/topic.h"
#include "net/mqtt.h"

static const char *const versions[] = {"3.1.1", "5", NULL};

const struct gm_field gm_mqtt_fields[] = {
    GM_FIELD_STR(struct gm_mqtt_conf, url, .flags = GM_F_REQUIRED, .example = "mqtts://broker:8883",
                 .help = "Broker to connect to: `mqtt://HOST[:1883]`, or `mqtts://HOST[:8883]` for "
                         "TLS."),
    GM_FIELD_STRS(struct gm_mqtt_conf, topics, .flags = GM_F_REQUIRED, .min = "1", .max = "64",
                  .example = "\"factory/{factory}/line/{line}/#\"",
                  .help = "Topics to subscribe to. `+` stands for one level and `#` at the end for "
                          "all that follow; `{name}` is a `+` whose value `key`, `type` and "
                          "`origin` may use."),
    GM_FIELD_ENUM(struct gm_mqtt_conf, version, .names = versions, .def = "5",
                  .help = "Version of MQTT to speak."),
    GM_FIELD_INT(struct gm_mqtt_conf, qos, .def = "1", .min = "0", .max = "1",
                 .help = "1: the broker keeps a message until the events in it are committed. 0: "
                         "what is lost on the way is lost."),
    GM_FIELD_STR(struct gm_mqtt_conf, client_id, .example = "gemel-centre",
                 .help = "What the broker knows this client by; must be its own among all clients "
                         "of the broker. Without it: made of the names of machine, stream and "
                         "source. With several connections a number is put behind it."),
    GM_FIELD_STR(struct gm_mqtt_conf, user, .example = "gemel", .help = "Who logs in."),
    GM_FIELD_SECRET(struct gm_mqtt_conf, password, .example = "${env:MQTT_PASSWORD}",
                    .help = "The user's password."),
    GM_FIELD_PATH(struct gm_mqtt_conf, ca, .example = "ca.pem",
                  .help = "Who signs the broker's certificate (PEM). Without it: the authorities "
                          "that the system trusts."),
    GM_FIELD_PATH(struct gm_mqtt_conf, certificate, .example = "client.pem",
                  .help = "Certificate of this client (PEM)."),
    GM_FIELD_PATH(struct gm_mqtt_conf, certificate_key, .example = "client.key",
                  .help = "Its private key (PEM)."),
    GM_FIELD_INT(struct gm_mqtt_conf, connections, .def = "1", .min = "1", .max = "16",
                 .help = "Connections that share the work; more than one needs `share`. Events of "
                         "one key may then come in another order: give them a time."),
    GM_FIELD_STR(struct gm_mqtt_conf, share, .example = "gemel",
                 .help = "Name of a shared subscription: its messages are spread over all who "
                         "subscribe with that name."),
    GM_FIELD_INT(struct gm_mqtt_conf, in_flight, .def = "2000", .min = "1", .max = "65535",
                 .help = "Messages that the broker may send a connection before the first of them "
                         "is committed (version 5; with 3.1.1 the broker decides)."),
    GM_FIELD_SPAN(struct gm_mqtt_conf, keepalive, .def = "30s", .min = "5s", .max = "18h",
                  .help = "Longest silence before a ping."),
    GM_FIELD_SPAN(struct gm_mqtt_conf, session, .def = "7d", .min = "0",
                  .help = "How long the broker keeps messages while nobody is connected (version "
                          "5; with 3.1.1 the broker decides). 0: it keeps none."),
    GM_FIELD_BOOL(struct gm_mqtt_conf, retained, .def = "false",
                  .help = "Also take what the broker retained of each topic before the "
                          "subscription; it comes again with every new session."),
    GM_FIELD_BOOL(struct gm_mqtt_conf, payload_ids, .def = "false",
                  .help = "Events that have no id get a hash of topic and value as one, so that a "
                          "message that is delivered twice counts once. Only where two equal "
                          "values on one topic mean the same event, as when they hold a time."),
    GM_FIELD_STR(struct gm_mqtt_conf, key, .example = "\"sensor-{sensor}\"",
                 .help = "Key of events whose value has none: a template of topic parts."),
    GM_FIELD_STR(struct gm_mqtt_conf, type, .example = "\"{kind}\"",
                 .help = "Type of events whose value has none."),
    GM_FIELD_STR(struct gm_mqtt_conf, origin, .example = "\"gateway-{line}\"",
                 .help = "Origin of events whose value has none."),
    GM_FIELD_STR(struct gm_mqtt_conf, refused, .example = "refused",
                 .help = "A stream for messages that are no events, with topic, reason and "
                         "payload. Without it they are logged and counted."),
    GM_FIELD_END,
};

static void check_files(struct gm_conf_doc *doc, const struct gm_mqtt_conf *conf,
                        const struct gm_node *node)
{
    bool tls = strncmp(conf->url, "mqtts:", 6) == 0;
    if ((conf->certificate == NULL) != (conf->certificate_key == NULL)) {
        gm_conf_error(doc, &node->place, "`certificate` and `certificate_key` belong together");
    }
    if (!tls && (conf->ca != NULL || conf->certificate != NULL)) {
        gm_conf_error(doc, &node->place, "certificates need an address that begins with mqtts://");
    }
    if (conf->password != NULL && conf->user == NULL) {
        gm_conf_error(doc, &node->place, "`password` needs `user`");
    }
}

static void check_share(struct gm_conf_doc *doc, const struct gm_mqtt_conf *conf,
                        const struct gm_node *node)
{
    if (conf->connections > 1 && conf->share == NULL) {
        gm_conf_error(doc, &node->place,
                      "several `connections` need `share`, or each would get all of it");
    }
    if (conf->share != NULL && (conf->share[0] == '\0' || strpbrk(conf->share, "/+#") != NULL)) {
        gm_conf_error(doc, &node->place, "`share`: a name without / + #");
    }
}

static void check_refused(struct gm_conf_doc *doc, const struct gm_mqtt_conf *conf,
                          const struct gm_node *node, const struct gm_conf_map *streams)
{
    for (size_t i = 0; conf->refused != NULL && i < streams->n; i++) {
        if (gm_str_is(gm_str_z(streams->at[i].name_z), conf->refused)) {
            return;
        }
    }
    if (conf->refused != NULL) {
        gm_conf_error(doc, &node->place, "`refused`: there is no stream `%s`", conf->refused);
    }
}

void gm_mqtt_conf_check(struct gm_conf_doc *doc, const struct gm_conf_choice *source,
                        const struct gm_conf_map *streams)
{
    const struct gm_mqtt_conf *conf = source->conf;
    const struct gm_node *node = source->node;
    struct gm_topics *topics;
    struct gm_err err = {0};
    if (conf == NULL || conf->url == NULL || conf->topics.n == 0) {
        return; /* reported already */
    }
    if (gm_mqtt_url_check(conf->url, &err) != GM_OK) {
        gm_conf_error(doc, &node->place, "`url`: %s", err.text);
    }
    if (gm_topics_new(conf, &topics, &err) != GM_OK) {
        gm_conf_error(doc, &node->place, "%s", err.text);
    } else {
        gm_topics_free(topics);
    }
    check_files(doc, conf, node);
    check_share(doc, conf, node);
    check_refused(doc, conf, node, streams);
}
