/* What brings events into streams by itself: the `from:` of a stream.
 *
 *     GM_TRY(gm_sources_start(hub, &sources, err));
 *     gm_sources_stop(sources);                     // before the hub is closed
 *
 * A kind of source is an alternative in sources.c: a field table, and what is started with what it
 * decodes.
 *
 * Thread rule: started and stopped by one thread; looked at by any. */
#ifndef GM_HUB_SOURCES_H
#define GM_HUB_SOURCES_H

#include "hub/hub.h"
#include "hub/mqtt_source.h"

struct gm_sources;
/* `hub` is kept. */
gm_rc gm_sources_start(const struct gm_hub *hub, struct gm_sources **out_sources,
                       struct gm_err *err) GM_MUST_CHECK;
void gm_sources_stop(struct gm_sources *sources); /* NULL is fine */

struct gm_source_status {
    struct gm_str stream, name;
    const char *kind_z; /* "mqtt" */
    struct gm_mqtt_figures figures;
};
size_t gm_sources_count(const struct gm_sources *sources); /* NULL: 0 */
void gm_sources_status(const struct gm_sources *sources, size_t index,
                       struct gm_source_status *out_status);

#endif
