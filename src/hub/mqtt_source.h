/* Messages of an MQTT broker into a stream: a message is acknowledged when its events are
 * committed.
 *
 *     struct gm_mqtt_source_options options = {.conf = conf, .stream = stream, …};
 *     GM_TRY(gm_mqtt_source_start(&options, &source, err));
 *     gm_mqtt_source_stop(source);                  // what is unsettled comes again
 *
 * Each connection has a thread: read until the broker has nothing, or GM_MQTT_BATCH_* is reached;
 * append, and wait for the commit; acknowledge. So a slow stream is a connection that nobody reads:
 * the broker stops at `in_flight` messages and keeps the rest, and memory stays as it is.
 *
 * A message is an event, an array of events, or lines of them. What is no event is logged and
 * counted, put into the stream `refused` where there is one, and acknowledged: it would be no event
 * the next time either. A message that is delivered again is taken once when its events have
 * (origin, sequence) or an id.
 *
 * A connection that is lost, or not to be had, is tried again after a pause with jitter, up to a
 * minute; so is one that the broker refuses, which is logged as an error. Only a stream that fails
 * ends a source.
 *
 * Thread rule: started and stopped by one thread; looked at by any. */
#ifndef GM_HUB_MQTT_SOURCE_H
#define GM_HUB_MQTT_SOURCE_H

#include "hub/decode.h"
#include "hub/mqtt_conf.h"
#include "stream/stream.h"

enum {
    GM_MQTT_BATCH_MESSAGES = 5000,
    GM_MQTT_BATCH_BYTES = 8 << 20,         /* a message that reaches it is the batch's last */
    GM_MQTT_BATCH_BYTES_LIMIT = 128 << 20, /* with all that is made of it; beyond: start again */
};

/* All of it is kept until the stop. */
struct gm_mqtt_source_options {
    struct gm_str stream_name, name; /* for people, and for the client id */
    const struct gm_mqtt_conf *conf;
    const struct gm_decoder *decoder;
    struct gm_stream *stream;
    struct gm_stream *refused; /* NULL: none */
};

struct gm_mqtt_source;
gm_rc gm_mqtt_source_start(const struct gm_mqtt_source_options *options,
                           struct gm_mqtt_source **out_source, struct gm_err *err) GM_MUST_CHECK;
void gm_mqtt_source_stop(struct gm_mqtt_source *source); /* NULL is fine */

/* Sums over connections, since the start. */
struct gm_mqtt_figures {
    int64_t connections; /* that are up now */
    int64_t messages, events, duplicates, refused, reconnects;
    struct gm_err why; /* rc GM_OK: all are up; else why the last one is not */
};
void gm_mqtt_source_figures(const struct gm_mqtt_source *source,
                            struct gm_mqtt_figures *out_figures);

#endif
