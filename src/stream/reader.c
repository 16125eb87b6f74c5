/* Reading. */
#include "base/mem.h"
#include "stream/inside.h"
#include "stream_sql.h"

#define LOOK_TIME (100 * GM_MS)

struct gm_stream_reader {
    struct gm_stream *stream;
    struct gm_db *db;
    struct gm_stmt *find;
    struct gm_unpacker *unpacker;
    struct gm_stream_place at;      /* the next event */
    struct gm_chunk chunk;          /* decoded, or damaged; without data */
    const struct gm_events *events; /* of the chunk; NULL: none */
    bool woken;                     /* guarded by the stream's mu */
};

gm_rc gm_stream_reader_open(struct gm_stream *stream, const struct gm_stream_place *from,
                            struct gm_stream_reader **out_reader, struct gm_err *err)
{
    if (from->partition < 0 || from->partition >= stream->partition_count) {
        return gm_fail(err, GM_E_INVALID, "%s has no partition %d; it has %d", stream->path_z,
                       from->partition, stream->partition_count);
    }
    struct gm_stream_reader *reader = gm_alloc(sizeof(*reader));
    reader->stream = stream;
    reader->unpacker = gm_unpacker_new();
    reader->at.partition = from->partition;
    gm_rc rc = gm_stream_file_reader(&stream->options, &reader->db, err);
    rc = rc == GM_OK ? gm_db_prepare(reader->db, GM_SQL_STREAM_CHUNK_AT, &reader->find, err) : rc;
    if (rc != GM_OK) {
        gm_stream_reader_close(reader);
        return rc;
    }
    gm_stream_seek(reader, from->offset);
    *out_reader = reader;
    return GM_OK;
}

void gm_stream_reader_close(struct gm_stream_reader *reader)
{
    if (reader != NULL) {
        gm_stmt_finalize(reader->find);
        gm_db_close(reader->db);
        gm_unpacker_free(reader->unpacker);
        gm_free(reader);
    }
}

/* As the file says, for streams that another process writes; 0 when it does not. */
static int64_t next_in_file(const struct gm_stream_reader *reader)
{
    struct gm_stmt *stmt;
    struct gm_err ignored;
    int64_t next = 0;
    if (gm_db_prepare_once(reader->db, GM_SQL_STREAM_PARTITION_GET, &stmt, &ignored) == GM_OK) {
        gm_bind_i64(stmt, 1, reader->at.partition);
        next = gm_step(stmt, &ignored) == GM_OK ? gm_column_i64(stmt, 0) : 0;
        gm_reset(stmt);
    }
    return next;
}

static int64_t next_offset(const struct gm_stream_reader *reader)
{
    struct gm_stream *stream = reader->stream;
    if (stream->options.read_only) {
        return next_in_file(reader);
    }
    gm_mutex_lock(stream->mu);
    int64_t next = stream->partitions[reader->at.partition].next;
    gm_mutex_unlock(stream->mu);
    return next;
}

void gm_stream_seek(struct gm_stream_reader *reader, int64_t offset)
{
    reader->at.offset = offset == INT64_MAX ? next_offset(reader) : offset;
}

/* ---- chunks ---- */

static gm_rc oldest_offset(struct gm_stream_reader *reader, int64_t *out_offset, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(reader->db, GM_SQL_STREAM_CHUNK_OLDEST, &stmt, err));
    gm_bind_i64(stmt, 1, gm_place(reader->at.partition, 0));
    gm_bind_i64(stmt, 2, gm_place(reader->at.partition + 1, 0));
    gm_rc rc = gm_step(stmt, err);
    *out_offset = rc == GM_OK ? gm_place_offset(gm_column_i64(stmt, 0)) : next_offset(reader);
    gm_reset(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc trimmed(struct gm_stream_reader *reader, struct gm_err *err)
{
    int64_t oldest;
    GM_TRY(oldest_offset(reader, &oldest, err));
    return gm_fail(err, GM_E_LIMIT,
                   "%s: partition %d: event %lld is no longer kept; the oldest is %lld",
                   reader->stream->path_z, reader->at.partition, (long long)reader->at.offset,
                   (long long)oldest);
}

static bool chunk_holds(const struct gm_stream_reader *reader)
{
    return reader->events != NULL && reader->at.offset >= reader->chunk.first &&
           reader->at.offset < reader->chunk.first + reader->chunk.count;
}

/* Decodes the chunk that holds the next event. */
static gm_rc load_chunk(struct gm_stream_reader *reader, struct gm_err *err)
{
    struct gm_chunk chunk;
    reader->events = NULL;
    gm_rc rc = gm_stream_chunk_at(reader->find, &reader->at, &chunk, err);
    if (rc == GM_E_END || (rc == GM_OK && reader->at.offset >= chunk.first + chunk.count)) {
        gm_reset(reader->find);
        return trimmed(reader, err);
    }
    GM_TRY(rc);
    rc = gm_unpacker_unpack(reader->unpacker, &chunk, &reader->events, err);
    reader->chunk = chunk;
    reader->chunk.data = (struct gm_str){NULL, 0};
    gm_reset(reader->find);
    if (rc != GM_OK) {
        reader->events = NULL;
        return gm_stream_corrupt(reader->stream->path_z, reader->at.partition, &chunk, err);
    }
    return GM_OK;
}

int64_t gm_stream_reader_offset(const struct gm_stream_reader *reader)
{
    return reader->at.offset;
}

gm_rc gm_stream_reader_settle(struct gm_stream_reader *reader, struct gm_err *err)
{
    return reader->at.offset < 0 ? oldest_offset(reader, &reader->at.offset, err) : GM_OK;
}

int64_t gm_stream_reader_end(const struct gm_stream_reader *reader)
{
    return next_in_file(reader);
}

gm_rc gm_stream_read(struct gm_stream_reader *reader, const struct gm_event **out_events,
                     size_t *out_count, struct gm_err *err)
{
    *out_count = 0;
    if (reader->at.offset < 0) {
        GM_TRY(oldest_offset(reader, &reader->at.offset, err));
    }
    if (!chunk_holds(reader)) {
        if (reader->at.offset >= next_offset(reader)) {
            return GM_E_END;
        }
        GM_TRY(load_chunk(reader, err));
    }
    GM_ASSERT(reader->events != NULL);
    size_t skip = (size_t)(reader->at.offset - reader->chunk.first);
    *out_events = reader->events->at + skip;
    *out_count = reader->events->n - skip;
    reader->at.offset += (int64_t)*out_count;
    return GM_OK;
}

void gm_stream_skip_damaged(struct gm_stream_reader *reader)
{
    reader->at.offset = reader->chunk.first + reader->chunk.count;
}

gm_rc gm_stream_seek_time(struct gm_stream_reader *reader, gm_ns time, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(reader->db, GM_SQL_STREAM_CHUNK_OF_TIME, &stmt, err));
    gm_bind_i64(stmt, 1, gm_place(reader->at.partition, 0));
    gm_bind_i64(stmt, 2, gm_place(reader->at.partition + 1, 0));
    gm_bind_i64(stmt, 3, time);
    gm_rc rc = gm_step(stmt, err);
    gm_stream_seek(reader, rc == GM_OK ? gm_place_offset(gm_column_i64(stmt, 0)) : INT64_MAX);
    gm_reset(stmt);
    if (rc != GM_OK) {
        return rc == GM_E_END ? GM_OK : rc;
    }
    rc = load_chunk(reader, err);
    if (rc != GM_OK) {
        return rc == GM_E_CORRUPT ? GM_OK : rc;
    }
    GM_ASSERT(reader->events != NULL);
    /* It may have become part of a larger chunk meanwhile. */
    size_t i = (size_t)(reader->at.offset - reader->chunk.first);
    for (; i < reader->events->n && reader->events->at[i].time < time; i++) {
        reader->at.offset++;
    }
    return GM_OK;
}

/* ---- waiting ---- */

/* Commits of another process wake nobody here: the file is looked at now and then. */
static gm_rc wait_for_file(struct gm_stream_reader *reader, gm_ns span)
{
    struct gm_stream *stream = reader->stream;
    const struct gm_clock *clock = stream->options.clock;
    gm_ns until = clock->mono(clock) + span;
    bool woken = false;
    while (!woken && reader->at.offset >= next_in_file(reader)) {
        gm_ns left = until - clock->mono(clock);
        if (left <= 0) {
            return GM_E_END;
        }
        gm_mutex_lock(stream->mu);
        if (!reader->woken) {
            (void)gm_cond_wait_for(stream->committed, stream->mu,
                                   left < LOOK_TIME ? left : LOOK_TIME);
        }
        woken = reader->woken;
        reader->woken = false;
        gm_mutex_unlock(stream->mu);
    }
    return woken ? GM_E_CANCELLED : GM_OK;
}

gm_rc gm_stream_wait(struct gm_stream_reader *reader, gm_ns span)
{
    struct gm_stream *stream = reader->stream;
    if (stream->options.read_only) {
        return wait_for_file(reader, span);
    }
    gm_rc rc = GM_OK;
    gm_mutex_lock(stream->mu);
    const struct gm_partition *partition = &stream->partitions[reader->at.partition];
    while (rc == GM_OK && !reader->woken && reader->at.offset >= partition->next) {
        rc = gm_cond_wait_for(stream->committed, stream->mu, span) ? GM_OK : GM_E_END;
    }
    if (reader->woken) {
        reader->woken = false;
        rc = GM_E_CANCELLED;
    } else if (reader->at.offset < partition->next) {
        rc = GM_OK;
    }
    gm_mutex_unlock(stream->mu);
    return rc;
}

void gm_stream_wake(struct gm_stream_reader *reader)
{
    gm_mutex_lock(reader->stream->mu);
    reader->woken = true;
    gm_cond_broadcast(reader->stream->committed);
    gm_mutex_unlock(reader->stream->mu);
}
