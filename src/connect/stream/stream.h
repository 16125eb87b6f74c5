/* The source `stream`: events of a stream of this data directory, as records by key. */
#ifndef GM_CONNECT_STREAM_STREAM_H
#define GM_CONNECT_STREAM_STREAM_H

#include "connect/connector.h"

extern const struct gm_connector gm_connector_stream;

#endif
