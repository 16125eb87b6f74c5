/* Writing and decoding of the change log; its format stands in changes.h. */
#include "twin/changes.h"

#include <zstd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "twin_sql.h"
#include "json/json.h"

enum {
    FORMAT_VERSION = 1,
    CODEC_ZSTD = 1,
    /* Level 1: about 950 MB/s here, and JSON of one kind shrinks eightfold already. */
    ZSTD_LEVEL = 1,
    /* One change may carry a whole twin or a long patch; what is larger than this is a bug
     * above. */
    CHANGE_SIZE_MAX = 16 << 20,
    CHUNK_SIZE_MAX = GM_CHANGES_CHUNK_SIZE + CHANGE_SIZE_MAX,
    PACKED_SIZE_MAX = 1 << 30, /* of one transaction; its bodies are bounded far below */
};

/* A chunk that is compressed and waits for the flush; its bytes stand in `packed`, one behind the
 * other. */
struct packed_chunk {
    int64_t first, count, size, checksum;
    size_t packed_size;
};

struct gm_change_log {
    struct gm_stmt *last;
    struct gm_stmt *insert;
    ZSTD_CCtx *compressor;
    struct gm_buf chunk; /* uncompressed, under construction */
    struct gm_buf packed;
    GM_VEC(struct packed_chunk) chunks;
    struct gm_buf actor; /* of the change before, for "same again" */
    struct gm_buf twin;
    int64_t next;  /* number of the next change; 0: not known */
    int64_t first; /* of the chunk under construction */
    int64_t count;
    gm_ns time;       /* of the change before */
    bool spell_out;   /* what `actor` and `twin` hold is not the change before */
    uint64_t flushes; /* ever */
};

gm_rc gm_change_log_open(struct gm_db *db, struct gm_change_log **out_log, struct gm_err *err)
{
    struct gm_change_log *log = gm_alloc(sizeof(*log));
    gm_buf_init(&log->chunk, CHUNK_SIZE_MAX);
    gm_buf_init(&log->packed, PACKED_SIZE_MAX);
    gm_buf_init(&log->actor, CHUNK_SIZE_MAX);
    gm_buf_init(&log->twin, CHUNK_SIZE_MAX);
    log->compressor = ZSTD_createCCtx();
    GM_ASSERT(log->compressor != NULL);
    gm_rc rc = gm_db_prepare(db, GM_SQL_CHANGE_LAST, &log->last, err);
    if (rc == GM_OK) {
        rc = gm_db_prepare(db, GM_SQL_CHANGE_INSERT, &log->insert, err);
    }
    if (rc != GM_OK) {
        gm_change_log_close(log);
        return rc;
    }
    *out_log = log;
    return GM_OK;
}

void gm_change_log_close(struct gm_change_log *log)
{
    if (log == NULL) {
        return;
    }
    gm_stmt_finalize(log->last);
    gm_stmt_finalize(log->insert);
    ZSTD_freeCCtx(log->compressor);
    gm_buf_deinit(&log->chunk);
    gm_buf_deinit(&log->packed);
    gm_vec_deinit(&log->chunks);
    gm_buf_deinit(&log->actor);
    gm_buf_deinit(&log->twin);
    gm_free(log);
}

gm_rc gm_change_log_next(struct gm_change_log *log, int64_t *out_num, struct gm_err *err)
{
    if (log->next == 0) {
        gm_rc rc = gm_step(log->last, err);
        if (rc == GM_OK) {
            log->next = gm_column_i64(log->last, 0) + gm_column_i64(log->last, 1);
            gm_reset(log->last);
        } else if (rc == GM_E_END) {
            log->next = 1;
        } else {
            return rc;
        }
    }
    *out_num = log->next;
    return GM_OK;
}

/* Length 0 says "as before"; so an empty text that is not as before cannot be told, and no caller
 * has one behind a full one but "no actor", which then is written as one space. */
static void put_repeated(struct gm_buf *chunk, struct gm_buf *before, struct gm_str text,
                         bool first)
{
    if (!first && gm_str_eq(gm_buf_str(before), text)) {
        gm_buf_put_varint(chunk, 0);
        return;
    }
    gm_buf_put_bytes(chunk, text.n != 0 ? text : GM_STR(" "));
    gm_buf_reset(before);
    gm_buf_add(before, text);
}

/* The chunk under construction, compressed behind those that wait for the flush. */
static void pack(struct gm_change_log *log)
{
    size_t bound = ZSTD_compressBound(log->chunk.n);
    char *to = gm_buf_reserve(&log->packed, bound);
    GM_ASSERT(to != NULL);
    size_t n =
        ZSTD_compressCCtx(log->compressor, to, bound, log->chunk.p, log->chunk.n, ZSTD_LEVEL);
    GM_ASSERT(!ZSTD_isError(n));
    gm_buf_commit(&log->packed, n);
    *gm_vec_push(&log->chunks) = (struct packed_chunk){
        .first = log->first,
        .count = log->count,
        .size = (int64_t)log->chunk.n,
        .checksum = (int64_t)gm_hash64(gm_buf_str(&log->chunk), 0),
        .packed_size = n,
    };
    log->count = 0;
}

gm_rc gm_change_log_add(struct gm_change_log *log, const struct gm_change *change,
                        struct gm_err *err)
{
    GM_ASSERT(log->next != 0 && change->num == log->next);
    GM_ASSERT(change->previous < change->num);
    if (change->data.n > CHANGE_SIZE_MAX) {
        return gm_fail(err, GM_E_LIMIT,
                       "twin \"" GM_STR_FMT "\": a change of %zu bytes; at most %d",
                       GM_STR_ARG(change->twin), change->data.n, CHANGE_SIZE_MAX);
    }
    bool first = log->count == 0 || log->spell_out;
    if (log->count == 0) {
        gm_buf_reset(&log->chunk);
        gm_buf_put_varint(&log->chunk, FORMAT_VERSION);
        log->first = change->num;
        log->time = 0;
    }
    gm_buf_put_varint(&log->chunk, change->kind);
    gm_buf_put_zigzag(&log->chunk, change->time - log->time);
    gm_buf_put_varint(&log->chunk,
                      change->previous == 0 ? 0 : (uint64_t)(change->num - change->previous));
    gm_buf_put_zigzag(&log->chunk, change->pipeline);
    gm_buf_put_varint(&log->chunk, (uint64_t)change->run);
    gm_buf_put_varint(&log->chunk, change->position);
    put_repeated(&log->chunk, &log->actor, change->actor, first);
    put_repeated(&log->chunk, &log->twin, change->twin, first);
    gm_buf_put_bytes(&log->chunk, change->data);
    GM_ASSERT(!gm_buf_failed(&log->chunk));
    log->spell_out = false;
    log->time = change->time;
    log->count++;
    log->next++;
    if (log->chunk.n >= GM_CHANGES_CHUNK_SIZE || log->count >= GM_CHANGES_CHUNK_COUNT) {
        pack(log);
    }
    return GM_OK;
}

gm_rc gm_change_log_flush(struct gm_change_log *log, struct gm_err *err)
{
    size_t at = 0;
    log->flushes++;
    if (log->count > 0) {
        pack(log);
    }
    for (size_t i = 0; i < log->chunks.n; i++) {
        const struct packed_chunk *chunk = &log->chunks.at[i];
        gm_bind_i64(log->insert, 1, chunk->first);
        gm_bind_i64(log->insert, 2, chunk->count);
        gm_bind_i64(log->insert, 3, CODEC_ZSTD);
        gm_bind_i64(log->insert, 4, chunk->size);
        gm_bind_i64(log->insert, 5, chunk->checksum);
        gm_bind_blob(log->insert, 6, (struct gm_str){log->packed.p + at, chunk->packed_size});
        GM_TRY(gm_stmt_run(log->insert, NULL, err));
        at += chunk->packed_size;
    }
    log->chunks.n = 0;
    gm_buf_reset(&log->packed);
    return GM_OK;
}

void gm_change_log_forget(struct gm_change_log *log)
{
    log->next = 0;
    log->count = 0;
    log->chunks.n = 0;
    gm_buf_reset(&log->packed);
    gm_reset(log->insert);
    gm_reset(log->last);
}

void gm_change_log_mark(const struct gm_change_log *log, struct gm_change_mark *out_mark)
{
    *out_mark = (struct gm_change_mark){
        .next = log->next,
        .first = log->first,
        .count = log->count,
        .time = log->time,
        .chunk_size = log->count > 0 ? log->chunk.n : 0,
        .packed_size = log->packed.n,
        .packed_count = log->chunks.n,
        .flushes = log->flushes,
    };
}

/* The chunk that was under construction at the mark has been closed since: it is opened again. */
static void reopen(struct gm_change_log *log, const struct gm_change_mark *mark)
{
    const struct packed_chunk *chunk = &log->chunks.at[mark->packed_count];
    gm_buf_reset(&log->chunk);
    char *to = gm_buf_reserve(&log->chunk, (size_t)chunk->size);
    GM_ASSERT(to != NULL);
    size_t n = ZSTD_decompress(to, (size_t)chunk->size, log->packed.p + mark->packed_size,
                               chunk->packed_size);
    GM_ASSERT(n == (size_t)chunk->size);
    gm_buf_commit(&log->chunk, n);
}

void gm_change_log_rewind(struct gm_change_log *log, const struct gm_change_mark *mark)
{
    if (mark->next == 0) {
        gm_change_log_forget(log);
        return;
    }
    GM_ASSERT(mark->flushes == log->flushes);
    if (mark->count > 0) {
        if (log->chunks.n > mark->packed_count) {
            reopen(log, mark);
        }
        log->chunk.n = mark->chunk_size;
    }
    log->chunks.n = mark->packed_count;
    log->packed.n = mark->packed_size;
    log->next = mark->next;
    log->first = mark->first;
    log->count = mark->count;
    log->time = mark->time;
    log->spell_out = true;
}

/* ---- decoding ---- */

static struct gm_str read_repeated(struct gm_reader *reader, struct gm_str before)
{
    struct gm_str text = gm_read_bytes(reader);
    if (text.n == 0) {
        return before;
    }
    return gm_str_is(text, " ") ? (struct gm_str){"", 0} : text;
}

gm_rc gm_changes_decode(const struct gm_changes_chunk *chunk, gm_change_fn fn, void *ctx,
                        struct gm_err *err)
{
    struct gm_reader reader;
    gm_reader_init(&reader, chunk->bytes);
    uint64_t version = gm_read_varint(&reader);
    if (reader.bad || version != FORMAT_VERSION) {
        return gm_fail(err, GM_E_CORRUPT, "change chunk %lld: unknown format",
                       (long long)chunk->first);
    }
    struct gm_change change = {.num = chunk->first};
    for (size_t i = 0; i < chunk->count; i++, change.num++) {
        uint64_t kind = gm_read_varint(&reader);
        change.kind = (enum gm_change_kind)kind;
        change.time = (gm_ns)((uint64_t)change.time + (uint64_t)gm_read_zigzag(&reader));
        uint64_t back = gm_read_varint(&reader);
        change.previous = back == 0 ? 0 : change.num - (int64_t)(back & INT64_MAX);
        change.pipeline = gm_read_zigzag(&reader);
        change.run = (int64_t)gm_read_varint(&reader);
        change.position = gm_read_varint(&reader);
        change.actor = read_repeated(&reader, change.actor);
        change.twin = read_repeated(&reader, change.twin);
        change.data = gm_read_bytes(&reader);
        if (reader.bad || kind < GM_CHANGE_CREATE || kind > GM_CHANGE_TELEMETRY ||
            change.previous < 0) {
            return gm_fail(err, GM_E_CORRUPT, "change %lld: its bytes do not decode",
                           (long long)change.num);
        }
        GM_TRY(fn(ctx, &change, err));
    }
    if (reader.p != reader.end) {
        return gm_fail(err, GM_E_CORRUPT, "change chunk %lld: bytes behind its last change",
                       (long long)chunk->first);
    }
    return GM_OK;
}

/* ---- reading ---- */

struct gm_change_reader {
    struct gm_stmt *find;
    ZSTD_DCtx *decompressor;
    struct gm_buf chunk;              /* uncompressed; what `changes` point into */
    GM_VEC(struct gm_change) changes; /* of the chunk read last, without gaps */
};

gm_rc gm_change_reader_open(struct gm_db *db, struct gm_change_reader **out_reader,
                            struct gm_err *err)
{
    struct gm_change_reader *reader = gm_alloc(sizeof(*reader));
    gm_buf_init(&reader->chunk, CHUNK_SIZE_MAX);
    reader->decompressor = ZSTD_createDCtx();
    GM_ASSERT(reader->decompressor != NULL);
    gm_rc rc = gm_db_prepare(db, GM_SQL_CHANGE_CHUNK, &reader->find, err);
    if (rc != GM_OK) {
        gm_change_reader_close(reader);
        return rc;
    }
    *out_reader = reader;
    return GM_OK;
}

void gm_change_reader_close(struct gm_change_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    gm_stmt_finalize(reader->find);
    ZSTD_freeDCtx(reader->decompressor);
    gm_buf_deinit(&reader->chunk);
    gm_vec_deinit(&reader->changes);
    gm_free(reader);
}

static gm_rc keep_change(void *ctx, const struct gm_change *change, struct gm_err *err)
{
    (void)err;
    struct gm_change_reader *reader = ctx;
    *gm_vec_push(&reader->changes) = *change;
    return GM_OK;
}

/* The row `find` stands on, checked, decompressed and decoded into the reader. */
static gm_rc load_chunk(struct gm_change_reader *reader, struct gm_err *err)
{
    int64_t first = gm_column_i64(reader->find, 0);
    int64_t count = gm_column_i64(reader->find, 1);
    int64_t size = gm_column_i64(reader->find, 3);
    struct gm_str data = gm_column_blob(reader->find, 5);
    if (gm_column_i64(reader->find, 2) != CODEC_ZSTD || size < 1 || size > CHUNK_SIZE_MAX ||
        count < 1) {
        return gm_fail(err, GM_E_CORRUPT, "change chunk %lld: its row is damaged",
                       (long long)first);
    }
    gm_buf_reset(&reader->chunk);
    reader->changes.n = 0;
    char *to = gm_buf_reserve(&reader->chunk, (size_t)size);
    GM_ASSERT(to != NULL);
    size_t n = ZSTD_decompressDCtx(reader->decompressor, to, (size_t)size, data.p, data.n);
    if (ZSTD_isError(n) || n != (size_t)size) {
        return gm_fail(err, GM_E_CORRUPT, "change chunk %lld: does not decompress",
                       (long long)first);
    }
    gm_buf_commit(&reader->chunk, n);
    if ((int64_t)gm_hash64(gm_buf_str(&reader->chunk), 0) != gm_column_i64(reader->find, 4)) {
        return gm_fail(err, GM_E_CORRUPT, "change chunk %lld: the checksum does not match",
                       (long long)first);
    }
    struct gm_changes_chunk chunk = {gm_buf_str(&reader->chunk), first, (size_t)count};
    return gm_changes_decode(&chunk, keep_change, reader, err);
}

gm_rc gm_change_read(struct gm_change_reader *reader, int64_t num, struct gm_change *out_change,
                     struct gm_err *err)
{
    size_t n = reader->changes.n;
    if (n == 0 || num < reader->changes.at[0].num || num > reader->changes.at[n - 1].num) {
        gm_bind_i64(reader->find, 1, num);
        GM_TRY(gm_step(reader->find, err));
        int64_t behind = gm_column_i64(reader->find, 0) + gm_column_i64(reader->find, 1);
        gm_rc rc = num < behind ? load_chunk(reader, err) : GM_E_END;
        gm_reset(reader->find);
        if (rc == GM_E_END) {
            return rc;
        }
        if (rc != GM_OK) {
            reader->changes.n = 0;
            return rc;
        }
    }
    *out_change = reader->changes.at[num - reader->changes.at[0].num];
    return GM_OK;
}

gm_rc gm_changes_range(struct gm_db *db, int64_t *out_oldest, int64_t *out_newest,
                       struct gm_err *err)
{
    struct gm_stmt *stmt;
    *out_oldest = 1;
    *out_newest = 0;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_CHANGE_FIRST, &stmt, err));
    gm_rc rc = gm_step(stmt, err);
    if (rc != GM_OK) {
        return rc == GM_E_END ? GM_OK : rc;
    }
    *out_oldest = gm_column_i64(stmt, 0);
    gm_reset(stmt);
    GM_TRY(gm_db_prepare_once(db, GM_SQL_CHANGE_LAST, &stmt, err));
    GM_TRY(gm_step(stmt, err));
    *out_newest = gm_column_i64(stmt, 0) + gm_column_i64(stmt, 1) - 1;
    gm_reset(stmt);
    return GM_OK;
}

gm_rc gm_changes_sizes(struct gm_db *db, int64_t first, struct gm_stmt **out_stmt,
                       struct gm_err *err)
{
    GM_TRY(gm_db_prepare_once(db, GM_SQL_CHANGE_SIZES, out_stmt, err));
    gm_bind_i64(*out_stmt, 1, first);
    return GM_OK;
}

gm_rc gm_changes_trim(struct gm_db *db, int64_t until, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_CHANGE_TRIM, &stmt, err));
    gm_bind_i64(stmt, 1, until);
    return gm_stmt_run(stmt, NULL, err);
}

/* ---- for people and programs ---- */

const char *gm_change_kind_name(enum gm_change_kind kind)
{
    static const char *const names[] = {
        [GM_CHANGE_CREATE] = "create",       [GM_CHANGE_UPDATE] = "update",
        [GM_CHANGE_DELETE] = "delete",       [GM_CHANGE_RELATIONSHIPS] = "relationships",
        [GM_CHANGE_TELEMETRY] = "telemetry",
    };
    return names[kind];
}

void gm_change_write_json(const struct gm_change *change, struct gm_str pipeline_name,
                          struct gm_buf *out)
{
    char time[GM_TIME_TEXT_SIZE];
    gm_time_format(change->time, time);
    gm_buf_addf(out,
                "{\"num\":%lld,\"time\":\"%s\",\"kind\":\"%s\",\"twin\":", (long long)change->num,
                time, gm_change_kind_name(change->kind));
    gm_json_quote(out, change->twin);
    gm_buf_addf(out, ",\"pipeline\":%lld", (long long)change->pipeline);
    if (pipeline_name.p != NULL) {
        gm_buf_add(out, GM_STR(",\"pipelineName\":"));
        gm_json_quote(out, pipeline_name);
    }
    gm_buf_addf(out, ",\"run\":%lld,\"actor\":", (long long)change->run);
    gm_json_quote(out, change->actor);
    gm_buf_addf(out, ",\"position\":%llu,\"previous\":%lld,\"data\":",
                (unsigned long long)change->position, (long long)change->previous);
    gm_buf_add(out, change->data.n > 0 ? change->data : GM_STR("null"));
    gm_buf_add_char(out, '}');
}
