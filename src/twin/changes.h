/* The change log: every change of a twin or its relationships, with its cause; compressed, numbered
 * without gaps from 1.
 *
 * It is the history of a twin, the answer to "where does this property come from", the change feed,
 * and what routes and point-in-time queries will read. A twin's row holds the number of its last
 * change and every change the number of the one before it of the same twin, so a twin's history is
 * walked backwards without an index of its own.
 *
 * Stored bytes (table `changes`, one row a chunk): first number, count, codec (1: zstd), size
 * before compression, checksum (XXH3-64 of the uncompressed bytes), data. Uncompressed chunk,
 * integers as LEB128 varints, signed ones in zigzag form:
 *     format version (1)
 *     then per change: kind, time (signed, difference to the one before, nanoseconds), number of
 *     the twin's change before (difference backwards from this change's number; 0: none), pipeline,
 *     run, position, actor (length and bytes; of the pipeline's source: "Products"), twin id
 *     (length, bytes), data (length, bytes)
 * `actor` and `twin id` of length 0 repeat those of the change before. A chunk is written in the
 * transaction of the changes it holds, so a crash leaves both or neither. A checksum that does not
 * match is GM_E_CORRUPT and names the chunk.
 *
 * data is JSON:
 *   CREATE         {"$metadata":{"$model":…}, members of the body…}. Where a source time is known,
 *                  $metadata has {"NAME":{"sourceTime":…}} as well, and a component a $metadata of
 *                  its own with the like
 *   UPDATE         a JSON Patch (RFC 6902) on that. A client's operations stand in it as they came,
 *                  also those that change nothing
 *   DELETE         the twin as twin_json.h has it, for the last time
 *   RELATIONSHIPS  an array of {"op":"add"|"replace"|"remove"|"wait", "$relationshipId",
 *                  "$relationshipName", "$targetId", properties…} of relationships that go out from
 *                  the twin, which is their $sourceId ("wait": the other end is missing). "replace"
 *                  also has "$patch": what made it of the former one, as a JSON Patch on its
 *                  properties, $targetId and $relationshipName; "remove" has all that the
 *                  relationship was, and "$etag", the last it had
 *   TELEMETRY      {"$component"?, "$model", "messageId", "payload", "sourceTime"?}. Has a number,
 *                  but the twin's row does not know it and no change names it as the one before:
 *                  who walks a twin's history does not meet it */
#ifndef GM_TWIN_CHANGES_H
#define GM_TWIN_CHANGES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "db/db.h"

enum gm_change_kind {
    GM_CHANGE_CREATE = 1,
    GM_CHANGE_UPDATE,
    GM_CHANGE_DELETE,
    GM_CHANGE_RELATIONSHIPS,
    GM_CHANGE_TELEMETRY, /* no change of the twin: not part of its chain */
};

struct gm_change {
    int64_t num;
    enum gm_change_kind kind;
    gm_ns time;
    int64_t previous;    /* number of this twin's change before; 0: none */
    int64_t pipeline;    /* 0: none */
    int64_t run;         /* 0: none */
    uint64_t position;   /* in `actor` */
    struct gm_str actor; /* the source's origin, or who called: "import energy.ndjson" */
    struct gm_str twin;  /* id */
    struct gm_str data;  /* JSON text */
};

const char *gm_change_kind_name(enum gm_change_kind kind); /* "create", … */
/* {"num","time","kind","twin","pipeline","run","actor","position","previous","data"}; with
 * `pipeline_name`, behind "pipeline", when that is given (p not NULL). */
void gm_change_write_json(const struct gm_change *change, struct gm_str pipeline_name,
                          struct gm_buf *out);

enum { GM_CHANGES_CHUNK_SIZE = 256 << 10, GM_CHANGES_CHUNK_COUNT = 2000 };

/* Writing: collects changes and puts them into chunks. Belongs to the writer's connection. */
struct gm_change_log;
gm_rc gm_change_log_open(struct gm_db *db, struct gm_change_log **out_log, struct gm_err *err)
    GM_MUST_CHECK;
void gm_change_log_close(struct gm_change_log *log);
/* The number the next change will get. Reads the table when nothing is known (first use, after
 * gm_change_log_forget). */
gm_rc gm_change_log_next(struct gm_change_log *log, int64_t *out_num, struct gm_err *err)
    GM_MUST_CHECK;
/* Appends, and compresses what fills a chunk; change->num must be the next number. Texts are
 * copied. Does not touch the connection: one other thread may do it, between `next` and `flush`. */
gm_rc gm_change_log_add(struct gm_change_log *log, const struct gm_change *change,
                        struct gm_err *err) GM_MUST_CHECK;
/* Writes what is collected: before the transaction commits. */
gm_rc gm_change_log_flush(struct gm_change_log *log, struct gm_err *err) GM_MUST_CHECK;
/* The transaction was undone: throws away what is collected and what is known. */
void gm_change_log_forget(struct gm_change_log *log);
/* Where the log stands, and back to there: for a part of a transaction that is undone alone. There
 * may be no flush between the two. */
struct gm_change_mark {
    int64_t next, first, count; /* private, like the rest */
    gm_ns time;
    size_t chunk_size, packed_size, packed_count;
    uint64_t flushes;
};
void gm_change_log_mark(const struct gm_change_log *log, struct gm_change_mark *out_mark);
void gm_change_log_rewind(struct gm_change_log *log, const struct gm_change_mark *mark);

/* Reading, on any connection. Keeps the chunk it read last. */
struct gm_change_reader;
gm_rc gm_change_reader_open(struct gm_db *db, struct gm_change_reader **out_reader,
                            struct gm_err *err) GM_MUST_CHECK;
void gm_change_reader_close(struct gm_change_reader *reader);
/* Change `num`; texts borrow from the reader until the next call. GM_E_END: no such change. Reading
 * onward costs one look-up a chunk. */
gm_rc gm_change_read(struct gm_change_reader *reader, int64_t num, struct gm_change *out_change,
                     struct gm_err *err) GM_MUST_CHECK;

/* Where the log begins and ends, outside of a reader. Of an empty one: 1 and 0. A log that was
 * trimmed begins later than at 1. */
gm_rc gm_changes_range(struct gm_db *db, int64_t *out_oldest, int64_t *out_newest,
                       struct gm_err *err) GM_MUST_CHECK;

/* Rows of (first, count, bytes as stored) of the chunks from the one that begins at `first` on, the
 * oldest first; the statement is the connection's, to be reset. For retention, like what
 * follows. */
gm_rc gm_changes_sizes(struct gm_db *db, int64_t first, struct gm_stmt **out_stmt,
                       struct gm_err *err) GM_MUST_CHECK;
/* In a write transaction: the chunks go that begin before change `until`, which must be the first
 * of a chunk that stays. The newest one has to: numbers go on from it. */
gm_rc gm_changes_trim(struct gm_db *db, int64_t until, struct gm_err *err) GM_MUST_CHECK;

/* One uncompressed chunk. */
struct gm_changes_chunk {
    struct gm_str bytes;
    int64_t first; /* number of its first change */
    size_t count;
};
/* Decodes it and calls `fn` for each change. For readers and the fuzzer. */
typedef gm_rc (*gm_change_fn)(void *ctx, const struct gm_change *change, struct gm_err *err);
gm_rc gm_changes_decode(const struct gm_changes_chunk *chunk, gm_change_fn fn, void *ctx,
                        struct gm_err *err) GM_MUST_CHECK;

#endif
