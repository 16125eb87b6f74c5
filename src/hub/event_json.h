/* Events as JSON, for people and consumers: {"partition","offset","key","type","origin","id",
 * "sequence","time","appended","body"}; what an event does not have is not there, and the body
 * stands as it came.
 *
 * Thread rule: no state. */
#ifndef GM_HUB_EVENT_JSON_H
#define GM_HUB_EVENT_JSON_H

#include "base/buf.h"
#include "flow/event.h"

/* partition -1: not told */
void gm_event_write_json(const struct gm_event *event, int partition, struct gm_buf *out);

#endif
