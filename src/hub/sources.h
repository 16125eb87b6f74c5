/* What brings events into streams by itself: the `from:` of a stream.
 *
 *     GM_TRY(gm_sources_start(hub, &sources, err));
 *     gm_sources_stop(sources);                     // before the hub is closed
 *
 * A kind of source is an alternative in sources.c: a field table, and what is started with what it
 * decodes.
 *
 * What each does stands in the metrics (gemel_intake_…) and in the log.
 *
 * Thread rule: one thread. */
#ifndef GM_HUB_SOURCES_H
#define GM_HUB_SOURCES_H

#include "hub/hub.h"

struct gm_sources;
/* `hub` is kept. */
gm_rc gm_sources_start(const struct gm_hub *hub, struct gm_sources **out_sources,
                       struct gm_err *err) GM_MUST_CHECK;
void gm_sources_stop(struct gm_sources *sources); /* NULL is fine */

#endif
