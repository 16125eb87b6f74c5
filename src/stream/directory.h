/* Streams by name, for those who use them and do not own them: connectors, the API.
 *
 *     struct gm_stream *stream = gm_stream_find(streams, GM_STR("telemetry"));   // NULL: none
 *
 * Thread rule: any thread; streams found live as long as their owner. */
#ifndef GM_STREAM_DIRECTORY_H
#define GM_STREAM_DIRECTORY_H

#include "stream/stream.h"

struct gm_stream_directory {
    struct gm_stream *(*find)(void *ctx, struct gm_str name);
    void *ctx;
};
/* NULL: there is none of that name, or no directory. */
static inline struct gm_stream *gm_stream_find(const struct gm_stream_directory *streams,
                                               struct gm_str name)
{
    return streams != NULL ? streams->find(streams->ctx, name) : NULL;
}

#endif
