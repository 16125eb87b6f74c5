/* The settings of forwarding a stream to another Gemel: the `forward:` of a stream.
 *
 *     streams:
 *       telemetry:
 *         forward: { url: "https://centre:8443", token: "${file:centre.token}", ca: centre-ca.pem }
 *
 * Thread rule: values, read-only once decoded. */
#ifndef GM_HUB_FORWARD_CONF_H
#define GM_HUB_FORWARD_CONF_H

#include "conf/conf.h"

struct gm_forward_keep_conf {
    gm_ns age;     /* 0: no bound */
    uint64_t size; /* likewise */
};
struct gm_forward_conf {
    const char *url;    /* NULL: the stream is not forwarded */
    const char *stream; /* NULL: one of the same name */
    const char *token;
    const char *ca;
    const char *as; /* NULL: the name of the machine */
    int64_t rate;   /* events a second; 0: no limit */
    uint64_t batch; /* bytes */
    struct gm_forward_keep_conf keep;
};
extern const struct gm_field gm_forward_fields[];

/* Checks across fields, reported into the doc. */
void gm_forward_conf_check(struct gm_conf_doc *doc, const struct gm_node *node,
                           const struct gm_forward_conf *conf);

#endif
