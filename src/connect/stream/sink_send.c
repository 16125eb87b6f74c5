/* What was noted goes into the stream: see the contract in sink.h. On the pipeline's worker. */
#include "base/coding.h"
#include "base/mem.h"
#include "connect/stream/sink.h"
#include "os/process.h"
#include "stream/directory.h"

/* ---- appending ---- */

/* Where events go, and under which name they are counted. */
struct target {
    struct gm_stream *stream;
    const char *name_z; /* of the stream */
    struct gm_str link;
    const struct gm_stop *stop;
};

static gm_rc append_failed(const struct target *target, gm_rc rc, struct gm_err *err)
{
    struct gm_err why = *err;
    if (rc == GM_E_CANCELLED) {
        return rc;
    }
    /* A disk that is full or failing may be seen to, and the store is not what failed: so it is
     * tried again, from what is noted. */
    return gm_fail(err, GM_E_RETRY, "sink `stream`: `%s`: %s", target->name_z, why.text);
}

static gm_rc append(const struct target *target, struct gm_append *append, struct gm_err *err)
{
    const struct gm_deadline until = {.stop = target->stop};
    append->checked = true;
    gm_rc rc = gm_stream_append(target->stream, append, &until, err);
    if (rc != GM_OK) {
        return append_failed(target, rc, err);
    }
    if (append->moved && append->version < 0) {
        return gm_fail(err, GM_E_CONFIG,
                       "sink `stream`: `%s` counts for %d writers already; no other can begin",
                       target->name_z, GM_STREAM_LINKS_MAX);
    }
    return append->moved
               ? gm_fail(err, GM_E_RETRY, "sink `stream`: `%s` lacks events from number %lld on",
                         target->name_z, (long long)append->version)
               : GM_OK;
}

/* How far the stream has come: the number that it wants next. */
static gm_rc ask(const struct target *target, int64_t *out_next, struct gm_err *err)
{
    const struct gm_link link = {.name = target->link};
    struct gm_append asking = {.link = &link};
    GM_TRY(append(target, &asking, err));
    *out_next = asking.version;
    return GM_OK;
}

/* ---- what an earlier process noted ---- */

enum { HEAD_SIZE_MAX = 64 << 10, PART_ROOM = 256 << 20 };

struct rest {
    struct stream_sink *sink;
    const struct gm_sink_work *work;
    struct gm_arena *arena; /* of a part */
    struct gm_unpacker *unpacker;
    struct gm_outbox head;
    struct target target; /* the stream that the head names */
    struct gm_outbox_part part;
    bool gaps;  /* what is missing in front of a part is known to be lost */
    bool renew; /* another epoch begins */
};

static gm_rc bring_part(struct rest *rest, int64_t next, struct gm_err *err)
{
    const struct gm_outbox_part *part = &rest->part;
    struct gm_received received;
    const struct gm_events *events;
    GM_TRY(gm_parcel_read(part->bytes, &received, err));
    GM_TRY(gm_unpacker_unpack(rest->unpacker, &received.chunk, &events, err));
    const struct gm_link link = {.name = rest->target.link,
                                 .first = part->first,
                                 .after = rest->gaps && next < part->first ? next : part->first};
    struct gm_append sending = {.events = events->at, .count = events->n, .link = &link};
    return append(&rest->target, &sending, err);
}

static gm_rc next_part(struct rest *rest, int64_t from, struct gm_err *err)
{
    gm_arena_reset(rest->arena);
    rest->part = (struct gm_outbox_part){.pipeline = rest->work->pipeline, .first = from};
    return gm_outbox_from(rest->work->db, rest->arena, &rest->part, err);
}

static gm_rc not_there(const struct rest *rest, struct gm_err *err)
{
    return gm_fail(err, GM_E_CONFIG,
                   "sink `stream`: what this pipeline wrote last was for the stream `%s`, which is "
                   "not declared any more, and may not have come there: declare it again, or "
                   "`gemel forget " GM_STR_FMT "`",
                   rest->target.name_z, GM_STR_ARG(rest->sink->env.pipeline));
}

/* Store and stream are of one time, unless one of them was replaced by an older copy: then numbers
 * would be passed over, or be missing, in silence. */
static gm_rc check_position(struct rest *rest, int64_t next, int64_t oldest, struct gm_err *err)
{
    bool other_file = gm_stream_identity(rest->target.stream) != (uint64_t)rest->head.identity;
    bool differs = !other_file && (next > rest->head.next || next < oldest);
    rest->gaps = other_file || rest->work->resync;
    rest->renew = other_file || differs;
    if (!differs || rest->work->resync) {
        return GM_OK;
    }
    return gm_fail(err, GM_E_CONFIG,
                   "sink `stream`: `%s` has %lld events of this pipeline, the store knows of %lld: "
                   "one of them is an older copy; run it with --resync to go on as they are",
                   rest->target.name_z, (long long)next, (long long)rest->head.next);
}

static gm_rc bring_rest(struct rest *rest, struct gm_err *err)
{
    gm_rc rc = next_part(rest, 0, err);
    int64_t next;
    if (rest->target.stream == NULL) {
        rest->renew = true;
        return rc == GM_E_END ? GM_OK : rc == GM_OK ? not_there(rest, err) : rc;
    }
    if (rc != GM_OK && rc != GM_E_END) {
        return rc;
    }
    GM_TRY(ask(&rest->target, &next, err));
    GM_TRY(check_position(rest, next, rc == GM_OK ? rest->part.first : rest->head.next, err));
    while (rc == GM_OK) {
        int64_t end = rest->part.first + rest->part.count;
        if (end > next) {
            GM_TRY(bring_part(rest, next, err));
            next = end;
        }
        rc = next_part(rest, end, err);
    }
    return rc == GM_E_END ? GM_OK : rc;
}

/* ---- begin ---- */

static char *link_of(const struct stream_sink *sink, struct gm_str epoch)
{
    return gm_format_z("pipeline/" GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(sink->env.pipeline),
                       GM_STR_ARG(epoch));
}

static void set_epoch(struct stream_sink *sink, struct gm_str epoch)
{
    GM_ASSERT(epoch.n == STREAM_EPOCH_SIZE);
    memcpy(sink->epoch, epoch.p, epoch.n);
    gm_free(sink->link_z);
    sink->link_z = link_of(sink, epoch);
}

static void new_epoch(struct stream_sink *sink)
{
    char epoch[STREAM_EPOCH_SIZE + 1];
    uint64_t bits;
    gm_random_bytes(&bits, sizeof(bits));
    gm_hex_z(&bits, sizeof(bits), epoch);
    set_epoch(sink, gm_str_z(epoch));
    sink->unsaved = true;
}

static gm_rc bring_noted(struct stream_sink *sink, const struct gm_sink_work *work,
                         struct rest *rest, struct gm_err *err)
{
    GM_AUTO_FREE char *name_z = gm_str_dup_z(rest->head.stream);
    GM_AUTO_FREE char *link_z = link_of(sink, rest->head.epoch);
    rest->target = (struct target){.stream = gm_stream_find(sink->env.streams, rest->head.stream),
                                   .name_z = name_z,
                                   .link = gm_str_z(link_z),
                                   .stop = work->stop};
    rest->arena = gm_arena_new(PART_ROOM);
    rest->unpacker = gm_unpacker_new();
    gm_rc rc = bring_rest(rest, err);
    gm_unpacker_free(rest->unpacker);
    gm_arena_free(rest->arena);
    return rc;
}

/* With what is known of the pipeline; `known`: rest->head is. */
static gm_rc begin_with(struct stream_sink *sink, const struct gm_sink_work *work,
                        struct rest *rest, bool known, struct gm_err *err)
{
    const char *name_z = sink->conf->name;
    bool same = known && gm_str_is(rest->head.stream, name_z);
    sink->dry = work->dry;
    if (!work->dry) {
        sink->stream = gm_stream_find(sink->env.streams, gm_str_z(name_z));
        if (sink->stream == NULL) {
            return gm_fail(err, GM_E_CONFIG,
                           "sink `stream`: there is no stream `%s`; declare it under `streams`",
                           name_z);
        }
        sink->identity = gm_stream_identity(sink->stream);
        if (known) {
            GM_TRY(bring_noted(sink, work, rest, err));
        }
    }
    if (same && !rest->renew) {
        set_epoch(sink, rest->head.epoch);
    } else {
        new_epoch(sink);
    }
    return GM_OK;
}

static gm_rc stream_begin(void *self, const struct gm_sink_work *work, struct gm_err *err)
{
    struct stream_sink *sink = self;
    struct rest rest = {.sink = sink, .work = work};
    struct gm_arena *arena = gm_arena_new(HEAD_SIZE_MAX);
    sink->broken = true;
    sink->unsaved = false;
    gm_rc rc = gm_outbox_get(work->db, arena, work->pipeline, &rest.head, err);
    bool known = rc == GM_OK;
    if (rc == GM_OK || rc == GM_E_END) {
        rc = begin_with(sink, work, &rest, known, err);
    }
    if (rc == GM_OK) {
        /* All that was noted is there; of a plan nothing is known of that. */
        atomic_store(&sink->delivered, sink->unsaved || work->dry ? 0 : rest.head.next);
        sink->broken = false;
    }
    gm_arena_free(arena);
    return rc;
}

/* ---- deliver and settle ---- */

static gm_rc deliver_load(struct stream_sink *sink, const struct gm_sink_work *work,
                          const struct stream_load *load, struct gm_err *err)
{
    const struct target target = {.stream = sink->stream,
                                  .name_z = sink->conf->name,
                                  .link = gm_str_z(sink->link_z),
                                  .stop = work->stop};
    for (size_t i = 0; i < load->part_count; i++) {
        const struct stream_part *part = &load->parts[i];
        int64_t first = load->first + (int64_t)part->at;
        const struct gm_link link = {.name = target.link, .first = first, .after = first};
        struct gm_append sending = {
            .events = &load->events[part->at], .count = part->count, .link = &link};
        GM_TRY(append(&target, &sending, err));
        atomic_store(&sink->delivered, first + (int64_t)part->count);
    }
    return GM_OK;
}

static gm_rc stream_deliver(void *self, const struct gm_sink_work *work, struct gm_batch *batch,
                            struct gm_err *err)
{
    struct stream_sink *sink = self;
    if (sink->broken) { /* numbers must come in order */
        return gm_fail(err, GM_E_RETRY, "sink `stream`: `%s`: events before these are not there",
                       sink->conf->name);
    }
    gm_rc rc = deliver_load(sink, work, batch != NULL ? batch->prepared : &sink->removals, err);
    sink->broken = rc != GM_OK;
    return rc;
}

static gm_rc stream_settle(void *self, const struct gm_sink_work *work, struct gm_err *err)
{
    struct stream_sink *sink = self;
    return gm_outbox_settle(work->db, work->pipeline, atomic_load(&sink->delivered), err);
}

const struct gm_behind gm_stream_behind = {
    .begin = stream_begin,
    .deliver = stream_deliver,
    .settle = stream_settle,
};
