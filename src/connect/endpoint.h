/* Endpoints: where event routes deliver. Adding one is a file below connect/endpoint/ and its line
 * in endpoint.c.
 *
 *     const struct gm_endpoint *endpoint = conf->alternative->self;
 *     GM_TRY(endpoint->open(conf->conf, streams, &self, err));
 *     struct gm_delivery delivery = {.events = texts, .twins = ids, .count = n, .stop = stop};
 *     rc = endpoint->deliver(self, &delivery, err);      // delivery.taken of them are safe there
 *     endpoint->close(self);
 *
 * An event is a CloudEvent in its JSON format (https://cloudevents.io, 1.0), one line of text.
 *
 * Contract: `open` does no I/O, so configurations lint offline. `deliver` hands events over in
 * order and counts in `taken` those that the endpoint has confirmed: they are not given again. On
 * failure the event behind them is the one it failed at: GM_E_INVALID when the endpoint refuses
 * that event, GM_E_RETRY and GM_E_CONFIG when it takes none now, GM_E_CANCELLED at a stop request.
 * What a failed attempt left behind may be delivered twice, and must not be half an event. An
 * endpoint does not retry, sleep, log or start threads.
 *
 * Thread rule: an instance is used by one thread at a time. Of an endpoint that is `shared` there
 * is one instance for all routes, else one for each. */
#ifndef GM_CONNECT_ENDPOINT_H
#define GM_CONNECT_ENDPOINT_H

#include "conf/conf.h"
#include "os/clock.h"

struct gm_stream_directory; /* stream/directory.h */

struct gm_delivery {
    const struct gm_str *events;
    const struct gm_str *twins; /* of each event: whose order it keeps */
    size_t count;
    const struct gm_stop *stop;
    size_t taken;      /* out */
    gm_ns retry_after; /* out: how long the endpoint asks to be left alone; 0: it does not say */
};

struct gm_endpoint {
    /* The first members are those of a choice in the configuration. */
    union {
        struct gm_alternative alternative;
        struct {
            const char *name_z;
            const char *help_z;
            const struct gm_field *fields;
            size_t conf_size;
            const void *self; /* the endpoint */
        };
    };
    bool shared;
    /* The stream of the configuration that it cannot be without. NULL: it needs none. */
    const char *(*stream_z)(const void *conf);
    /* `conf` begins with struct gm_endpoint_conf, and is kept; `streams` (NULL: there are none)
     * outlives the instance. */
    gm_rc (*open)(const void *conf, const struct gm_stream_directory *streams, void **out_self,
                  struct gm_err *err);
    gm_rc (*deliver)(void *self, struct gm_delivery *delivery, struct gm_err *err);
    void (*close)(void *self);
};

/* What every endpoint has: settings of the routes that lead there. */
struct gm_endpoint_conf {
    int64_t attempts; /* 0: any number */
    gm_ns give_up;    /* 0: never */
    gm_ns first;
    gm_ns longest;
    int64_t max_letters;
};
extern const struct gm_field gm_endpoint_retry_fields[];
#define GM_ENDPOINT_FIELDS(conf)                                                                   \
    {                                                                                              \
        .name_z = "retry", .type = GM_T_STRUCT, .offset = offsetof(conf, endpoint),                \
        .fields = gm_endpoint_retry_fields,                                                        \
        .help = "What happens to an event that the endpoint does not take."                        \
    }

extern const struct gm_endpoint gm_endpoint_webhook, gm_endpoint_file, gm_endpoint_stream;
/* NULL-terminated; `self` of each is its struct gm_endpoint. */
const struct gm_alternative *const *gm_endpoint_alternatives(void);

#endif
