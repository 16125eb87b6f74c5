#include "hub/hub.h"

#include "base/log.h"
#include "base/mem.h"
#include "hub/forward.h"
#include "os/file.h"
#include "os/thread.h"

/* How often retention is looked at. */
#define TRIM_PERIOD GM_MINUTE

struct gm_hub {
    struct gm_hub_options options;
    struct gm_hub_stream *streams;
    size_t count;
    struct gm_stream_directory directory;
    struct gm_stop *stop;
    struct gm_thread *trimmer;
};

/* ---- retention ---- */

static void trim_stream(const struct gm_hub_stream *stream)
{
    struct gm_err err = {0};
    int64_t chunks;
    if (stream->conf->retain.age == 0 && stream->conf->retain.size == 0) {
        return;
    }
    gm_rc rc = gm_stream_trim(stream->stream, &chunks, &err);
    if (rc != GM_OK) {
        gm_log_warn("stream.trim", GM_L_STR("stream", stream->name), GM_L_Z("error", err.text));
    } else if (chunks > 0) {
        gm_log_info("stream.trim", GM_L_STR("stream", stream->name), GM_L_INT("chunks", chunks));
    }
}

static void trim_main(void *arg)
{
    struct gm_hub *hub = arg;
    while (gm_stop_wait(hub->stop, TRIM_PERIOD) == GM_OK) {
        for (size_t i = 0; i < hub->count; i++) {
            trim_stream(&hub->streams[i]);
        }
    }
}

/* ---- life ---- */

static struct gm_stream *find_stream(void *ctx, struct gm_str name)
{
    const struct gm_hub_stream *stream = gm_hub_find(ctx, name);
    return stream != NULL ? stream->stream : NULL;
}

static bool allows(void *ctx, struct gm_str name, const struct gm_event *event, struct gm_err *why)
{
    const struct gm_hub_stream *stream = gm_hub_find(ctx, name);
    return stream == NULL || gm_decoder_allows(stream->decoder, event, why);
}

static gm_rc open_stream(struct gm_hub *hub, const struct gm_conf_map_entry *entry,
                         struct gm_hub_stream *stream, struct gm_err *err)
{
    const struct gm_hub_options *options = &hub->options;
    struct gm_file_info info;
    struct gm_decoder *decoder;
    stream->name = gm_str_z(entry->name_z);
    stream->conf = entry->value;
    stream->path_z = gm_format_z("%s/streams/%s.db", options->folder_z, entry->name_z);
    GM_TRY(gm_decoder_new(stream->conf, &decoder, err));
    stream->decoder = decoder;
    GM_TRY(gm_file_info(stream->path_z, &info, err));
    if (options->read_only && info.type == GM_FILE_MISSING) {
        return GM_OK;
    }
    const char *held_for_z = stream->conf->forward.url != NULL ? GM_FORWARD_CONSUMER : NULL;
    const struct gm_stream_options stream_options = {.path_z = stream->path_z,
                                                     .partitions = (int)stream->conf->partitions,
                                                     .versions = stream->conf->versions,
                                                     .merges = stream->conf->state ==
                                                               GM_STREAM_STATE_MERGE,
                                                     .retain_age = stream->conf->retain.age,
                                                     .retain_size = stream->conf->retain.size,
                                                     .held_for_z = held_for_z,
                                                     .held_age = stream->conf->forward.keep.age,
                                                     .held_size = stream->conf->forward.keep.size,
                                                     .read_only = options->read_only,
                                                     .clock = options->clock};
    return gm_stream_open(&stream_options, &stream->stream, err);
}

static gm_rc open_all(struct gm_hub *hub, struct gm_err *err)
{
    const struct gm_conf_map *streams = hub->options.streams;
    for (size_t i = 0; i < streams->n; i++) {
        hub->count++;
        if (open_stream(hub, &streams->at[i], &hub->streams[i], err) != GM_OK) {
            return gm_fail_within(err, "stream `%s`", streams->at[i].name_z);
        }
    }
    return hub->options.read_only || hub->count == 0
               ? GM_OK
               : gm_thread_start("gemel-trim", trim_main, hub, &hub->trimmer, err);
}

gm_rc gm_hub_open(const struct gm_hub_options *options, struct gm_hub **out_hub, struct gm_err *err)
{
    struct gm_hub *hub = gm_alloc(sizeof(*hub));
    hub->options = *options;
    hub->streams = gm_alloc_array(options->streams->n + 1, sizeof(*hub->streams));
    hub->directory = (struct gm_stream_directory){find_stream, hub, allows};
    hub->stop = gm_stop_new();
    gm_rc rc = open_all(hub, err);
    if (rc != GM_OK) {
        gm_hub_close(hub);
        return rc;
    }
    *out_hub = hub;
    return GM_OK;
}

/* The decoders are this hub's own; others only look at them. */
static void free_decoder(const struct gm_decoder *decoder)
{
    union {
        const struct gm_decoder *in;
        struct gm_decoder *p;
    } own = {.in = decoder};
    gm_decoder_free(own.p);
}

void gm_hub_close(struct gm_hub *hub)
{
    if (hub == NULL) {
        return;
    }
    gm_stop_request(hub->stop);
    gm_thread_join(hub->trimmer);
    for (size_t i = 0; i < hub->count; i++) {
        gm_stream_close(hub->streams[i].stream);
        free_decoder(hub->streams[i].decoder);
        gm_free(hub->streams[i].path_z);
    }
    gm_stop_free(hub->stop);
    gm_free(hub->streams);
    gm_free(hub);
}

/* ---- looking ---- */

size_t gm_hub_count(const struct gm_hub *hub)
{
    return hub->count;
}

const struct gm_hub_stream *gm_hub_at(const struct gm_hub *hub, size_t index)
{
    return &hub->streams[index];
}

const struct gm_hub_stream *gm_hub_find(const struct gm_hub *hub, struct gm_str name)
{
    for (size_t i = 0; i < hub->count; i++) {
        if (gm_str_eq(hub->streams[i].name, name)) {
            return &hub->streams[i];
        }
    }
    return NULL;
}

gm_rc gm_hub_failure(const struct gm_hub *hub, struct gm_err *err)
{
    for (size_t i = 0; i < hub->count; i++) {
        GM_TRY(gm_stream_failure(hub->streams[i].stream, err));
    }
    return GM_OK;
}

const struct gm_stream_directory *gm_hub_directory(const struct gm_hub *hub)
{
    return hub != NULL ? &hub->directory : NULL;
}

gm_rc gm_hub_figures(const struct gm_hub_stream *stream, struct gm_hub_figures *out_figures,
                     struct gm_err *err)
{
    struct gm_hub_figures sum = {0};
    int partitions = stream->stream != NULL ? gm_stream_partitions(stream->stream) : 0;
    for (int p = 0; p < partitions; p++) {
        struct gm_stream_info info;
        GM_TRY(gm_stream_info(stream->stream, p, &info, err));
        struct gm_stream_consumer forward;
        (void)gm_stream_consumer_get(stream->stream, GM_STR(GM_FORWARD_CONSUMER), p, &forward);
        if (stream->conf->forward.url != NULL) {
            sum.forward_lag += info.next - forward.next;
            sum.forward_lost += forward.lost;
        }
        sum.events += info.next - info.oldest;
        sum.taken += info.next;
        sum.chunks += info.chunks;
        sum.data_bytes += info.data_bytes;
        sum.body_bytes += info.body_bytes;
        if (info.first_appended != 0 &&
            (sum.first_appended == 0 || info.first_appended < sum.first_appended)) {
            sum.first_appended = info.first_appended;
        }
        if (info.last_appended > sum.last_appended) {
            sum.last_appended = info.last_appended;
        }
    }
    *out_figures = sum;
    return GM_OK;
}
