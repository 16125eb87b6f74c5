/* The sink `stream`: records become events of a stream of this data directory. Private to this
 * folder.
 *
 * An event is decided once, in the transaction that holds the record's state, the letters and the
 * source's cursor: there it gets its number in the pipeline's outbox (sync/outbox.h). Behind that
 * commit it goes into the stream's own file, with its number as its place in a link of the
 * stream's (stream/stream.h, "Links"), by which the stream knows for ever how far the pipeline has
 * come. So whatever a crash left in doubt is sent again under its old number, first and in order,
 * and is there once.
 *
 *     worker: prepare ──▶ writer: apply, number, note, commit ──▶ worker: deliver ──▶ stream
 *        ▲                                                                              │
 *        └──────────── begin: what was noted and is not there yet ◀─────── how far? ────┘
 *
 * An epoch is the time in which a pipeline writes into one and the same file: the name of the link.
 * What an object's last event said is kept in its state (target_id): "EPOCH/HASH/KEY". An object
 * that was told in another epoch is new to the stream. */
#ifndef GM_CONNECT_STREAM_SINK_H
#define GM_CONNECT_STREAM_SINK_H

#include <stdatomic.h>

#include "base/map.h"
#include "base/vec.h"
#include "connect/connector.h"
#include "flow/event.h"
#include "flow/pattern.h"
#include "stream/parcel.h"
#include "stream/stream.h"
#include "sync/outbox.h"

struct gm_stream_sink_conf {
    const char *name;
    const char *key, *type, *time; /* NULL: see the help */
    int32_t time_unit;
    const char *created, *updated, *deleted;
};
extern const struct gm_field gm_stream_sink_fields[];
extern const char gm_stream_sink_help[];

enum { STREAM_EPOCH_SIZE = 16 }; /* hexadecimal digits */

/* Events that are decided together, and their parts for the outbox. */
struct stream_load {
    struct gm_event *events;
    size_t count;
    struct stream_part {
        size_t at, count; /* of `events` */
        struct gm_str bytes;
    } * parts;
    size_t part_count;
    int64_t first; /* number of events[0], once it is drawn */
};

/* A record that was prepared. */
struct stream_item {
    enum gm_verdict verdict;
    struct gm_str target_id; /* what its state will say */
};

struct stream_sink {
    const struct gm_stream_sink_conf *conf;
    struct gm_sink_env env;
    struct gm_arena *texts; /* of patterns */
    struct gm_pattern key, type;
    struct gm_path time; /* count 0: none */

    /* The worker's. */
    struct gm_buf text;
    struct gm_map *failed; /* keys of the batch that is prepared, whose events wait from now on */
    struct gm_parcel *parcel;
    struct gm_stream *stream;          /* NULL: not begun, or nothing is delivered */
    char epoch[STREAM_EPOCH_SIZE + 1]; /* empty: none is known */
    char *link_z;
    uint64_t identity;
    bool broken; /* nothing more is delivered before another `begin` */
    /* Numbers before it are in the stream. The worker stores, the writer loads: what it forgets
     * then may be forgotten. */
    _Atomic int64_t delivered;

    /* The writer's, handed over with `apply` and `remove`. */
    bool dry;
    bool unsaved; /* the epoch is not in the store */
    struct gm_parcel *removal_parcel;
    struct gm_arena *removal_arena;
    struct stream_load removals; /* the worker's again behind the commit */
};

/* ---- sink_event.c: records become events ---- */

/* Reads the settings' patterns. GM_E_CONFIG names the setting. */
gm_rc stream_sink_compile(struct stream_sink *sink, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_stream_sink_prepare(void *self, struct gm_batch *batch, struct gm_err *err) GM_MUST_CHECK;
/* Cuts a load into parts, encoded. */
gm_rc stream_load_pack(struct stream_load *load, struct gm_parcel *parcel, struct gm_arena *arena,
                       struct gm_err *err) GM_MUST_CHECK;
/* What was told of a target is gone. Its texts are in `arena`: p NULL when it is full. */
struct gm_event stream_gone_event(const struct stream_sink *sink, struct gm_arena *arena,
                                  const struct gm_sink_target *target);
/* The parts of a state's target_id. False: it is none of this sink's. */
struct stream_told {
    struct gm_str epoch, hash, key;
};
bool stream_told_read(struct gm_str target_id, struct stream_told *out_told);

/* ---- sink_send.c: behind the commit ---- */

extern const struct gm_behind gm_stream_behind;

/* ---- sink.c ---- */

void gm_stream_sink_lint(struct gm_conf_doc *doc, const struct gm_node *node, const void *conf);
const char *gm_stream_sink_stream_z(const void *conf);
const char *gm_stream_sink_type_z(const void *conf, size_t index);
gm_rc gm_stream_sink_open(const void *conf, const struct gm_sink_env *env, void **out_self,
                          struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_stream_sink_apply(void *self, const struct gm_sink_work *work, struct gm_batch *batch,
                           struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_stream_sink_remove(void *self, const struct gm_sink_work *work,
                            const struct gm_sink_target *targets, size_t count, struct gm_err *err)
    GM_MUST_CHECK;
gm_rc gm_stream_sink_expect(void *self, struct gm_batch *batch, const struct gm_record *record,
                            struct gm_buf *out, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_stream_sink_actual(void *self, const struct gm_sink_work *work,
                            const struct gm_sink_target *target, struct gm_buf *out,
                            struct gm_err *err) GM_MUST_CHECK;
void gm_stream_sink_close(void *self);

#endif
