/* Streams: durable, ordered logs of events, in partitions by key. What cannot be read again is put
 * here before anybody is told that it was taken.
 *
 *     struct gm_stream_options options = {.path_z = "data/streams/telemetry.db", .clock = clock};
 *     GM_TRY(gm_stream_open(&options, &stream, err));
 *     struct gm_append append = {.events = events, .count = n, .done = answer, .ctx = call};
 *     GM_TRY(gm_stream_submit(stream, &append, err));   // `done` is called after the commit
 *
 *     struct gm_stream_place from = {.partition = 0, .offset = next};
 *     GM_TRY(gm_stream_reader_open(stream, &from, &reader, err));
 *     while ((rc = gm_stream_read(reader, &events, &count, err)) == GM_OK) { … next += count … }
 *     gm_stream_wait(reader, GM_MINUTE);                // GM_E_END: nothing new came
 *
 * A stream is one SQLite file with one writer, apart from the store's, so that neither waits for
 * the other. Appends are grouped: one commit serves every producer that waits. Readers have
 * connections of their own and never block the writer. An event's partition is the XXH3-64 of its
 * key modulo their number, which is fixed when the stream is made.
 *
 * Taking once. Of an origin with sequences, a sequence that was taken is passed over for ever: the
 * highest is known, and which of the GM_STREAM_REORDER_MAX below it came; what is older than these
 * is passed over as well. Of events with an id, the newest GM_STREAM_IDS_MAX / 2 to
 * GM_STREAM_IDS_MAX are known. What is passed over is counted and said to the producer: for it, the
 * event is taken. All of this follows from the events themselves: it is read from the newest of
 * them when the stream is opened, and what origins had before from a table that is brought up to
 * date every GM_STREAM_IDS_MAX / 2 events.
 *
 * Links. Events that are forwarded from another stream say where they lay in it (struct gm_link).
 * How far each link has come is kept in the table `links`, in the commit of its events: what comes
 * again is passed over, whatever was lost of the answers, for ever, and a gap is refused. Whether
 * such an event was taken by its origin's sequence or by its id was decided by the stream that it
 * comes from, so it is not asked again: partitions that come one behind the other, and gateways of
 * one name in two factories, lose nothing by it.
 *
 * Consumers. How far somebody has come who reads the stream is kept with it (table `consumers`).
 * What `held_for` has not read yet stays, beyond retention, up to a bound of its own.
 *
 * Entities. In a stream with `versions` an append may name the version it expects of its one key:
 * the number of events of that key so far. When it is another, nothing is written,
 * unless all of its events were taken before: then they are passed over as ever. Reading an
 * entity, its state, and snapshots: stream/entity.h.
 *
 * Stored bytes (table `chunks`, one row a chunk of one partition): first offset, count, codec (1:
 * zstd), size before compression, checksum (XXH3-64 of the uncompressed bytes), earliest and latest
 * time, when the last came in, data. Uncompressed chunk, integers as LEB128 varints, signed ones in
 * zigzag form:
 *     format version (1)
 *     then frames, each: number of events, of bytes behind this header (4 bytes each), when
 *     they came in (8 bytes), events
 *     an event: time (signed, difference to the one before), sequence (signed, difference to the
 *     one before), type, origin, id, key, body (each length and bytes; of type and origin, length
 *     + 1, and 0 repeats that of the event before in the frame)
 * A group of small appends is a chunk of one frame. When as many of them lie behind each other that
 * they fill a chunk, or GM_STREAM_TAIL_MAX, one chunk of all their frames takes their place in the
 * commit of the next.
 *
 * A chunk that is torn, cut or flipped is GM_E_CORRUPT: the text names file, partition, first
 * offset and count; nothing of it is served.
 *
 * Threads: one a stream that orders, encodes and compresses, one that commits. Calls from any
 * thread; a reader belongs to one. */
#ifndef GM_STREAM_STREAM_H
#define GM_STREAM_STREAM_H

#include "base/status.h"
#include "flow/event.h"
#include "os/clock.h"

enum {
    GM_STREAM_PARTITIONS_MAX = 64,
    GM_STREAM_REORDER_MAX = 1024, /* sequences */
    GM_STREAM_IDS_MAX = 1 << 20,
    GM_STREAM_CHUNK_SIZE = 1 << 20,        /* bytes before compression, about */
    GM_STREAM_TAIL_MAX = 32,               /* chunks */
    GM_STREAM_PENDING_SIZE_MAX = 64 << 20, /* bytes that wait for their commit; more is refused */
    GM_STREAM_LATE_SIZE_MAX = 16 << 20,    /* likewise, for appends that are `late` */
    GM_STREAM_LINKS_MAX = 1 << 16,
    GM_STREAM_CONSUMERS_MAX = 1024, /* names and partitions */
};

struct gm_stream_options {
    const char *path_z;     /* made with its folder when it is not there */
    int partitions;         /* of a new stream; 0: 1 */
    bool versions;          /* keys are entities: each event counts its key's version up */
    bool merges;            /* with versions: states of entities are kept, see entity.h */
    gm_ns retain_age;       /* chunks that came in longer ago go; 0: none do */
    uint64_t retain_size;   /* bytes of data; the oldest chunks go; 0: none do */
    const char *held_for_z; /* what this consumer has not read stays beyond that; NULL: nobody */
    gm_ns held_age;         /* as long as this; 0: no bound */
    uint64_t held_size;     /* likewise */
    bool read_only;         /* for looking while another process owns it: nothing is made */
    const struct gm_clock *clock;
    const char *vfs_z; /* see db/db.h */
};

struct gm_stream;
gm_rc gm_stream_open(const struct gm_stream_options *options, struct gm_stream **out_stream,
                     struct gm_err *err) GM_MUST_CHECK;
void gm_stream_close(struct gm_stream *stream); /* waits for appends under way; NULL is fine */
/* GM_OK, or why its file is not written any more: that is final, and another opening finds out what
 * is there. */
gm_rc gm_stream_failure(struct gm_stream *stream, struct gm_err *err) GM_MUST_CHECK;
int gm_stream_partitions(const struct gm_stream *stream);
int gm_stream_partition(const struct gm_stream *stream, struct gm_str key); /* of the key */
bool gm_stream_has_versions(const struct gm_stream *stream); /* it was made with them */
/* Offset that the partition's next event will have. Not of a stream that is only read. */
int64_t gm_stream_next(struct gm_stream *stream, int partition);
/* A number drawn when the stream was made: another stream in its place has another one. */
uint64_t gm_stream_identity(const struct gm_stream *stream);

/* ---- appending ---- */

struct gm_stream_receipt; /* stream/receipt.h */

/* See stream/entity.h. */
struct gm_stream_snapshot {
    struct gm_str key;
    int64_t version;     /* from 1, no later than the key's */
    struct gm_str state; /* JSON, checked by the caller; GM_EVENT_BODY_SIZE_MAX at most */
};

/* The events of an append lie behind each other in a partition of another stream. */
struct gm_link {
    struct gm_str name; /* of that partition, in all the world; 1 to GM_EVENT_TEXT_SIZE_MAX bytes */
    int64_t first;      /* offset of the first event there */
    int64_t after; /* what was between this offset and `first` is known to be lost; else first */
};

struct gm_append {
    const struct gm_event *events; /* with their texts: kept until `done` */
    size_t count;
    bool checked; /* bodies are known to be JSON */
    bool expects; /* all are of one key, whose version must be `expected` */
    bool late;    /* gives way to what is not: refused as soon as GM_STREAM_LATE_SIZE_MAX waits */
    /* In place of events: puts a snapshot. An older one than there is is passed over. */
    const struct gm_stream_snapshot *snapshot;
    int64_t expected;
    /* Events in front of what the link has come to are passed over. When it has not come to `after`
     * nothing is written: `moved`, and `version` is the offset that it wants, or -1 when there are
     * GM_STREAM_LINKS_MAX others. Kept until `done`; NULL: none. */
    const struct gm_link *link;
    /* Of an append of one event: kept in its commit, see stream/receipt.h. NULL: none. */
    const struct gm_stream_receipt *receipt;
    /* On the stream's writer, after the commit or with the failure. */
    void (*done)(void *ctx, gm_rc rc, const struct gm_err *err);
    void *ctx;
    int64_t *offsets; /* out, when not NULL: of each event; -1: it had been taken before */

    size_t appended, duplicates; /* out */
    bool moved;                  /* out: nothing was written, the version was another: */
    int64_t version; /* out: the version of the last event's key; of a link, what it wants next */
    struct gm_append *next_; /* private, and what follows */
    size_t size_;
    bool trims_;
    const struct gm_stream_consumer *consumer_;
    const struct gm_stream_snapshot *state_;
};
/* GM_E_INVALID: the event breaks a bound of flow/event.h; its body is not parsed. */
gm_rc gm_event_check(const struct gm_event *event, struct gm_err *err) GM_MUST_CHECK;
/* GM_E_INVALID: an event breaks a bound of flow/event.h or its body is no JSON (the text says which
 * one); GM_E_RETRY: too much waits, ask again in a moment. In both cases nothing was taken and
 * `done` is not called. */
gm_rc gm_stream_submit(struct gm_stream *stream, struct gm_append *append, struct gm_err *err)
    GM_MUST_CHECK;
/* The same, and waits: for room until the deadline (NULL: none), and for the commit. `done` is not
 * called. */
gm_rc gm_stream_append(struct gm_stream *stream, struct gm_append *append,
                       const struct gm_deadline *deadline, struct gm_err *err) GM_MUST_CHECK;

/* ---- reading ---- */

struct gm_stream_place {
    int partition;
    int64_t offset; /* of the next event; -1: the oldest there is; INT64_MAX: behind the newest */
};
struct gm_stream_reader;
gm_rc gm_stream_reader_open(struct gm_stream *stream, const struct gm_stream_place *from,
                            struct gm_stream_reader **out_reader, struct gm_err *err) GM_MUST_CHECK;
void gm_stream_reader_close(struct gm_stream_reader *reader); /* NULL is fine */
/* The next events, as many as lie in one chunk; they borrow until the next call. GM_E_END: there
 * are no more now. GM_E_LIMIT: retention has taken them; the text names the oldest offset.
 * GM_E_CORRUPT: see above; the reader stays in front of the chunk. */
gm_rc gm_stream_read(struct gm_stream_reader *reader, const struct gm_event **out_events,
                     size_t *out_count, struct gm_err *err) GM_MUST_CHECK;
void gm_stream_seek(struct gm_stream_reader *reader, int64_t offset);
/* After GM_E_CORRUPT: goes on behind the damaged chunk. */
void gm_stream_skip_damaged(struct gm_stream_reader *reader);
/* To the partition's first event that happened at `time` or later; behind all when none did. When a
 * chunk that has one is damaged: to its beginning, so that reading tells. */
gm_rc gm_stream_seek_time(struct gm_stream_reader *reader, gm_ns time, struct gm_err *err)
    GM_MUST_CHECK;
/* Until there is something to read. GM_E_END: `span` passed; GM_E_CANCELLED: the reader was
 * woken. */
gm_rc gm_stream_wait(struct gm_stream_reader *reader, gm_ns span) GM_MUST_CHECK;
void gm_stream_wake(struct gm_stream_reader *reader); /* from any thread */

/* Until something was committed, in any partition, since *seen (0 at first), or somebody stirred.
 * GM_E_END: `span` passed. */
gm_rc gm_stream_wait_news(struct gm_stream *stream, uint64_t *seen, gm_ns span) GM_MUST_CHECK;
void gm_stream_stir(struct gm_stream *stream);

/* `fn` is called after each commit, on the stream's writer: it must not wait. One for a stream;
 * NULL takes it away, and waits until it is not running. */
void gm_stream_on_commit(struct gm_stream *stream, void (*fn)(void *ctx), void *ctx);

/* ---- consumers ---- */

struct gm_stream_consumer {
    struct gm_str name;
    int partition;
    int64_t next; /* offset of its next event */
    int64_t lost; /* events that it never had */
};
/* Waits for the commit. GM_E_LIMIT: there are GM_STREAM_CONSUMERS_MAX. */
gm_rc gm_stream_consumer_set(struct gm_stream *stream, const struct gm_stream_consumer *consumer,
                             struct gm_err *err) GM_MUST_CHECK;
/* False: it is not known; *out_consumer is as at its start then. The name is the caller's. */
bool gm_stream_consumer_get(struct gm_stream *stream, struct gm_str name, int partition,
                            struct gm_stream_consumer *out_consumer);
/* All of them, up to `count_max`; how many were written. Names live as long as the stream. */
size_t gm_stream_consumers(struct gm_stream *stream, struct gm_stream_consumer *out_consumers,
                           size_t count_max);

/* ---- looking ---- */

struct gm_stream_info {
    int64_t oldest, next; /* offsets */
    int64_t chunks;
    uint64_t data_bytes; /* compressed */
    uint64_t body_bytes; /* before compression */
    gm_ns first_appended, last_appended;
};
gm_rc gm_stream_info(struct gm_stream *stream, int partition, struct gm_stream_info *out_info,
                     struct gm_err *err) GM_MUST_CHECK;
/* Version of a key, in a stream with `versions`; 0: it has no events. */
gm_rc gm_stream_version(struct gm_stream *stream, struct gm_str key, int64_t *out_version,
                        struct gm_err *err) GM_MUST_CHECK;
/* Removes what retention no longer keeps; called now and then by whoever owns the stream. */
gm_rc gm_stream_trim(struct gm_stream *stream, int64_t *out_chunks, struct gm_err *err)
    GM_MUST_CHECK;
/* Reads every chunk and checks it; `damaged` is told of each that is not whole. For another
 * process's stream: opened for reading alone, by its path. */
struct gm_stream_damage {
    int partition;
    int64_t first, count;
    const char *text_z;
};
gm_rc gm_stream_check(const char *path_z,
                      void (*damaged)(void *ctx, const struct gm_stream_damage *damage), void *ctx,
                      struct gm_err *err) GM_MUST_CHECK;

#endif
