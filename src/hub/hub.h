/* The streams of a configuration: opened together, found by name, trimmed now and then.
 *
 *     struct gm_hub_options options = {.streams = &root->streams, .folder_z = data, …};
 *     GM_TRY(gm_hub_open(&options, &hub, err));
 *     const struct gm_hub_stream *telemetry = gm_hub_find(hub, GM_STR("telemetry"));
 *     gm_hub_close(hub);
 *
 * Each is one file, DATA/streams/NAME.db, with one writer: who opens a hub for writing holds the
 * data directory (os/file.h: gm_lock_take). For looking while another process has it a hub is
 * opened `read_only`; a stream that has no file yet is not there then (`stream` is NULL).
 *
 * Streams that are no longer in the configuration stay on disk and are not looked at.
 *
 * Threads: one that trims. Calls from any thread. */
#ifndef GM_HUB_HUB_H
#define GM_HUB_HUB_H

#include "hub/decode.h"
#include "hub/stream_conf.h"
#include "os/clock.h"
#include "stream/directory.h"
#include "stream/stream.h"

struct gm_hub_options {
    const struct gm_conf_map *streams; /* of struct gm_stream_conf; kept */
    const char *folder_z;              /* the data directory */
    const struct gm_clock *clock;
    bool read_only;
};
struct gm_hub_stream {
    struct gm_str name;
    const struct gm_stream_conf *conf;
    const struct gm_decoder *decoder;
    struct gm_stream *stream; /* NULL: read_only, and there is no file */
    char *path_z;
};

struct gm_hub;
gm_rc gm_hub_open(const struct gm_hub_options *options, struct gm_hub **out_hub, struct gm_err *err)
    GM_MUST_CHECK;
void gm_hub_close(struct gm_hub *hub); /* waits for appends under way; NULL is fine */
size_t gm_hub_count(const struct gm_hub *hub);
const struct gm_hub_stream *gm_hub_at(const struct gm_hub *hub, size_t index);
const struct gm_hub_stream *gm_hub_find(const struct gm_hub *hub, struct gm_str name);
/* GM_OK, or the failure of the first stream whose file is not written any more. Of a hub that is
 * open for writing. */
gm_rc gm_hub_failure(const struct gm_hub *hub, struct gm_err *err) GM_MUST_CHECK;
/* Lives as long as the hub; NULL for NULL. */
const struct gm_stream_directory *gm_hub_directory(const struct gm_hub *hub);

/* Sums over a stream's partitions. */
struct gm_hub_figures {
    int64_t events; /* that are kept */
    int64_t taken;  /* ever */
    int64_t chunks;
    uint64_t data_bytes, body_bytes;
    gm_ns first_appended, last_appended;
    int64_t forward_lag; /* events that were not forwarded yet, where it is forwarded */
    int64_t forward_lost;
};
gm_rc gm_hub_figures(const struct gm_hub_stream *stream, struct gm_hub_figures *out_figures,
                     struct gm_err *err) GM_MUST_CHECK;

#endif
