#include "hub/forward_conf.h"

#include <string.h>

static const struct gm_field keep_fields[] = {
    GM_FIELD_SPAN(struct gm_forward_keep_conf, age, .def = "0", .example = "14d",
                  .help = "Events that came in longer ago go, forwarded or not; 0: none do."),
    GM_FIELD_SIZE(struct gm_forward_keep_conf, size, .def = "0", .example = "200GB",
                  .help = "The oldest events go, forwarded or not, when the stream takes more than "
                          "this on disk; 0: none do."),
    GM_FIELD_END,
};
const struct gm_field gm_forward_fields[] = {
    GM_FIELD_STR(struct gm_forward_conf, url, .example = "https://centre.example:8443",
                 .help = "The other Gemel. Without it the stream is not forwarded."),
    GM_FIELD_STR(struct gm_forward_conf, stream, .example = "telemetry",
                 .help = "Its stream. Without it: the one of the same name."),
    GM_FIELD_SECRET(struct gm_forward_conf, token, .example = "${file:centre.token}",
                    .help = "A token of the other Gemel that may write."),
    GM_FIELD_PATH(struct gm_forward_conf, ca, .example = "centre-ca.pem",
                  .help = "Who signs its certificate (PEM). Without it: the authorities that the "
                          "system trusts."),
    GM_FIELD_STR(struct gm_forward_conf, as, .example = "factory-3",
                 .help = "What this Gemel is called there. Without it: the name of the machine. "
                         "With another name everything that is kept is sent again."),
    GM_FIELD_INT(
        struct gm_forward_conf, rate, .def = "0", .min = "0", .max = "10000000", .example = "20000",
        .help = "Events a second that may be caught up after an interruption, beside those "
                "that come in meanwhile; 0: as fast as it goes."),
    GM_FIELD_SIZE(struct gm_forward_conf, batch, .def = "1MiB", .min = "1KiB", .max = "8MiB",
                  .help = "Bytes of events in one request, before compression."),
    GM_FIELD_STRUCT(struct gm_forward_conf, keep, .fields = keep_fields,
                    .help = "Events that were not forwarded yet stay even where `retain` would "
                            "take them, up to these bounds. What goes beyond them is lost to the "
                            "other Gemel: it is logged, counted and shown."),
    GM_FIELD_END,
};

void gm_forward_conf_check(struct gm_conf_doc *doc, const struct gm_node *node,
                           const struct gm_forward_conf *conf)
{
    if (conf->url == NULL) {
        if (conf->stream != NULL || conf->token != NULL || conf->ca != NULL || conf->as != NULL) {
            gm_conf_error(doc, &node->place, "`forward` needs `url`");
        }
        return;
    }
    bool tls = strncmp(conf->url, "https://", 8) == 0;
    if (!tls && strncmp(conf->url, "http://", 7) != 0) {
        gm_conf_error(doc, &node->place, "`forward.url`: write https://HOST:PORT");
    }
    if (!tls && conf->ca != NULL) {
        gm_conf_error(doc, &node->place, "`forward.ca` needs an address that begins with https://");
    }
    if (conf->as != NULL && (conf->as[0] == '\0' || strlen(conf->as) > 200)) {
        gm_conf_error(doc, &node->place, "`forward.as`: a name of 1 to 200 bytes");
    }
}
