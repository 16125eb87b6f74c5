/* Where the readings of `gemel sample factory` go: a file, a stream over HTTP, or an MQTT broker.
 *
 *     GM_TRY(gm_load_out_open(&options, &out, err));
 *     while (gm_load_next(load, &event)) { GM_TRY(gm_load_out_put(out, &event, err)); }
 *     GM_TRY(gm_load_out_finish(out, err));       // all of it is taken over there
 *     gm_load_out_close(out);
 *
 * Readings of one gateway take one way and keep their order: over HTTP and MQTT each connection has
 * gateways of its own. What is not confirmed is sent again, so a reading may arrive twice; a stream
 * knows it by origin and sequence.
 * Thread rule: one owner. */
#ifndef GM_CLI_SAMPLE_OUT_H
#define GM_CLI_SAMPLE_OUT_H

#include "cli/sample_load.h"
#include "os/clock.h"

enum { GM_LOAD_CONNECTIONS_MAX = 32, GM_LOAD_BATCH_MAX = 100000 };

struct gm_load_out_options {
    struct gm_load *load;
    const char *to_z;    /* a path, "-", http(s)://…, mqtt(s)://… */
    const char *token_z; /* of HTTP; NULL: none */
    const char *ca_file_z, *user_z, *password_z, *certificate_z, *key_z;
    int64_t connections;
    int64_t batch;        /* readings in a request, or (of one machine) in an MQTT message */
    int64_t qos;          /* of MQTT */
    bool version5;        /* of MQTT */
    gm_ns patience;       /* without progress */
    struct gm_stop *stop; /* NULL: none */
};
struct gm_load_figures {
    int64_t readings;  /* put, so far */
    int64_t requests;  /* or messages */
    int64_t throttled; /* answers 429 and 503 */
    int64_t again;     /* requests that were sent again */
};

struct gm_load_out;
gm_rc gm_load_out_open(const struct gm_load_out_options *options, struct gm_load_out **out_out,
                       struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_load_out_put(struct gm_load_out *out, const struct gm_load_event *event,
                      struct gm_err *err) GM_MUST_CHECK;
/* Sends what is there, also when a batch is not full; waits for nothing but room. */
gm_rc gm_load_out_flush(struct gm_load_out *out, struct gm_err *err) GM_MUST_CHECK;
/* The same, and until all is confirmed. */
gm_rc gm_load_out_finish(struct gm_load_out *out, struct gm_err *err) GM_MUST_CHECK;
void gm_load_out_figures(const struct gm_load_out *out, struct gm_load_figures *out_figures);
void gm_load_out_close(struct gm_load_out *out); /* NULL is fine */

/* ---- for sample_out*.c ---- */

/* Of one kind of place. */
struct gm_load_way {
    gm_rc (*open)(struct gm_load_out *out, struct gm_err *err);
    gm_rc (*put)(struct gm_load_out *out, const struct gm_load_event *event, struct gm_err *err);
    gm_rc (*flush)(struct gm_load_out *out, struct gm_err *err);
    gm_rc (*finish)(struct gm_load_out *out, struct gm_err *err);
    void (*close)(struct gm_load_out *out);
};
struct gm_load_out {
    struct gm_load_out_options options;
    const struct gm_load_way *way;
    void *own; /* the way's */
    struct gm_load_figures figures;
};
extern const struct gm_load_way gm_load_way_file, gm_load_way_http, gm_load_way_mqtt;

#endif
