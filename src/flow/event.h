/* An event: something that happened to a thing, told once. What streams hold and views fold.
 *
 * Events of one key are in order; of different keys nothing is said. `time` is when it happened, by
 * its source's clock: late and out of order at will. Who sends an event twice says so by (origin,
 * sequence) or (origin, id): the stream takes it once.
 *
 * Thread rule: values; texts are borrowed from whoever made the event. */
#ifndef GM_FLOW_EVENT_H
#define GM_FLOW_EVENT_H

#include "base/str.h"
#include "base/time.h"

enum {
    GM_EVENT_TEXT_SIZE_MAX = 1024, /* of key, type, origin, id each */
    GM_EVENT_BODY_SIZE_MAX = 1 << 20,
};

struct gm_event {
    struct gm_str key;    /* what it is about; at least one byte */
    struct gm_str type;   /* n 0: none */
    struct gm_str origin; /* who tells: a device, a gateway, a file; n 0: not known */
    struct gm_str id;     /* unique within its origin; n 0: none */
    uint64_t sequence;    /* within its origin, ascending from 1, gaps allowed; 0: none */
    gm_ns time;           /* when it happened */
    struct gm_str body;   /* JSON text */

    /* Set by the stream. */
    int64_t offset; /* within its partition, from 0, without gaps */
    gm_ns appended; /* when it came in, by our clock */
};

#endif
