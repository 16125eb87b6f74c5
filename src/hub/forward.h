/* Forwarding: a stream's events go to a stream of another Gemel, each once and in order per key,
 * however often the link is cut and either side is killed. The stream is the buffer.
 *
 *     GM_TRY(gm_forwards_start(hub, &forwards, err));
 *     gm_forwards_stop(forwards);                     // before the hub is closed
 *
 * Each partition has a link to the other stream: a name in all the world, and the offset that the
 * other has come to, which it keeps in the commit of the events (stream/stream.h: links). Events
 * are read from there on, packed (stream/parcel.h), sent to POST /streams/NAME/events, and answered
 * after the commit with the offset that is wanted next. A request whose answer was lost is sent
 * again, and what the other has is passed over. The cursor that is kept here, as the consumer
 * GM_FORWARD_CONSUMER, saves asking: were it lost, or the other one put back to an older copy, the
 * other says where to go on (409).
 *
 * Order: one request is under way at a time, and partitions take turns. Nothing overtakes within a
 * partition, so live events wait behind their own backlog; what is limited is how much faster than
 * new events come in a backlog is sent (`rate`), and a request with old events says that it is
 * late: the other refuses it (429) while much waits, and so keeps room for what is live.
 *
 * What fails is tried again for ever, after a pause with full jitter up to PAUSE_MAX, or as long as
 * the other asks for; a refusal that needs somebody's hand is logged once a minute. Events that are
 * gone before they were sent (retention beyond `keep`, damage) are counted as lost, with the
 * cursor.
 *
 * Threads: one for each stream that is forwarded. Memory: one batch, compressed and not. Calls from
 * any thread. */
#ifndef GM_HUB_FORWARD_H
#define GM_HUB_FORWARD_H

#include "hub/hub.h"

#define GM_FORWARD_CONSUMER "forward"
enum { GM_FORWARD_EVENTS_MAX = 10000 }; /* in one request */

struct gm_forwards;
/* `hub` is kept. */
gm_rc gm_forwards_start(const struct gm_hub *hub, struct gm_forwards **out_forwards,
                        struct gm_err *err) GM_MUST_CHECK;
void gm_forwards_stop(struct gm_forwards *forwards); /* NULL is fine */

/* Since the start, but for lost and lag. */
struct gm_forward_status {
    const char *url_z;
    int64_t events;     /* that the other confirmed */
    int64_t duplicates; /* of them: it had them already */
    int64_t failures;   /* requests */
    int64_t lost;       /* ever: events that were gone before they were sent */
    int64_t lag;        /* events that are not confirmed yet */
    gm_ns confirmed;    /* when the last one was (wall clock); 0: none was */
    struct gm_err why;  /* rc GM_OK: it goes on; else why not */
};
/* False: the stream is not forwarded. `forwards` NULL is fine. */
bool gm_forwards_status(const struct gm_forwards *forwards, struct gm_str stream,
                        struct gm_forward_status *out_status);

#endif
