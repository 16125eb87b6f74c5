/* The source `stream`: events of a stream of this data directory, as records by key. */
#ifndef GM_CONNECT_STREAM_STREAM_H
#define GM_CONNECT_STREAM_STREAM_H

#include "connect/connector.h"
#include "stream/follow.h"

extern const struct gm_connector gm_connector_stream;

/* The stream that a source's settings name, and where its cursor (of the pipeline's row) is in it:
 * at the beginning when it is of another stream, or of another number of partitions. */
struct gm_str gm_stream_source_name(const void *conf);
void gm_stream_source_cursor(struct gm_str text, struct gm_str stream, int partitions,
                             struct gm_stream_cursor *out_cursor);

#endif
