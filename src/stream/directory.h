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
    /* False: the stream declares types, and the event is of none of them; `why` says what is wrong.
     * NULL: none declares any. */
    bool (*allows)(void *ctx, struct gm_str name, const struct gm_event *event, struct gm_err *why);
};
/* NULL: there is none of that name, or no directory. */
static inline struct gm_stream *gm_stream_find(const struct gm_stream_directory *streams,
                                               struct gm_str name)
{
    return streams != NULL ? streams->find(streams->ctx, name) : NULL;
}
static inline bool gm_stream_allows(const struct gm_stream_directory *streams, struct gm_str name,
                                    const struct gm_event *event, struct gm_err *why)
{
    return streams == NULL || streams->allows == NULL ||
           streams->allows(streams->ctx, name, event, why);
}

#endif
