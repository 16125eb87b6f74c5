#include "stream/chunk.h"

#include <zstd.h>

#include "base/hash.h"

enum {
    FORMAT_VERSION = 1,
    FRAME_HEADER_SIZE = 16,
    /* Level 1: fast enough for a million events a second beside everything else, and JSON of one
     * kind shrinks eightfold already. */
    ZSTD_LEVEL = 1,
    VARINT_SIZE_MAX = 10,
    VARINTS_OF_EVENT = 7,
};

/* ---- writing ---- */

void gm_frame_init(struct gm_frame *frame)
{
    *frame = (struct gm_frame){0};
    gm_buf_init(&frame->bytes, GM_CHUNK_SIZE_MAX);
}

void gm_frame_deinit(struct gm_frame *frame)
{
    gm_buf_deinit(&frame->bytes);
}

static void store(char *to, uint64_t v, int size)
{
    for (int i = 0; i < size; i++) {
        to[i] = (char)(v >> (8 * i));
    }
}

void gm_frame_begin(struct gm_frame *frame, gm_ns appended)
{
    gm_buf_reset(&frame->bytes);
    char *to = gm_buf_reserve(&frame->bytes, FRAME_HEADER_SIZE);
    GM_ASSERT(to != NULL);
    memset(to, 0, FRAME_HEADER_SIZE);
    gm_buf_commit(&frame->bytes, FRAME_HEADER_SIZE);
    frame->count = 0;
    frame->appended = appended;
    frame->time = 0;
    frame->sequence = 0;
    frame->first_time = INT64_MAX;
    frame->last_time = INT64_MIN;
    frame->type = (struct gm_str){"", 0};
    frame->origin = (struct gm_str){"", 0};
}

/* Room for the longest was reserved. */
static inline char *put_varint(char *to, uint64_t v)
{
    while (v >= 0x80) {
        *to++ = (char)(v | 0x80);
        v >>= 7;
    }
    *to++ = (char)v;
    return to;
}

static inline uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline char *put_text(char *to, struct gm_str text)
{
    if (text.n > 0) {
        memcpy(to, text.p, text.n);
    }
    return to + text.n;
}

static inline char *put_repeated(char *to, struct gm_str *before, struct gm_str text)
{
    if (gm_str_eq(*before, text)) {
        *to++ = 0;
        return to;
    }
    *before = text;
    return put_text(put_varint(to, text.n + 1), text);
}

void gm_frame_add(struct gm_frame *frame, const struct gm_event *event, gm_ns time)
{
    size_t bound = (size_t)VARINTS_OF_EVENT * VARINT_SIZE_MAX + event->type.n + event->origin.n +
                   event->id.n + event->key.n + event->body.n;
    char *start = gm_buf_reserve(&frame->bytes, bound), *to = start;
    GM_ASSERT(to != NULL); /* what waits for a commit is bounded below this */
    to = put_varint(to, zigzag((int64_t)((uint64_t)time - (uint64_t)frame->time)));
    to = put_varint(to, zigzag((int64_t)(event->sequence - frame->sequence)));
    to = put_repeated(to, &frame->type, event->type);
    to = put_repeated(to, &frame->origin, event->origin);
    to = put_text(put_varint(to, event->id.n), event->id);
    to = put_text(put_varint(to, event->key.n), event->key);
    to = put_text(put_varint(to, event->body.n), event->body);
    gm_buf_commit(&frame->bytes, (size_t)(to - start));
    frame->time = time;
    frame->sequence = event->sequence;
    frame->first_time = time < frame->first_time ? time : frame->first_time;
    frame->last_time = time > frame->last_time ? time : frame->last_time;
    frame->count++;
}

struct gm_str gm_frame_end(struct gm_frame *frame)
{
    store(frame->bytes.p, frame->count, 4);
    store(frame->bytes.p + 4, frame->bytes.n - FRAME_HEADER_SIZE, 4);
    store(frame->bytes.p + 8, (uint64_t)frame->appended, 8);
    return gm_buf_str(&frame->bytes);
}

struct gm_packer {
    ZSTD_CCtx *compressor;
    struct gm_buf bytes;
};

struct gm_packer *gm_packer_new(void)
{
    struct gm_packer *packer = gm_alloc(sizeof(*packer));
    packer->compressor = ZSTD_createCCtx();
    GM_ASSERT(packer->compressor != NULL);
    gm_buf_init(&packer->bytes, (size_t)2 * GM_CHUNK_SIZE_MAX);
    return packer;
}

void gm_packer_free(struct gm_packer *packer)
{
    if (packer != NULL) {
        ZSTD_freeCCtx(packer->compressor);
        gm_buf_deinit(&packer->bytes);
        gm_free(packer);
    }
}

void gm_packer_pack(struct gm_packer *packer, const struct gm_str *frames, size_t count,
                    struct gm_buf *out, struct gm_chunk *chunk)
{
    struct gm_buf *bytes = &packer->bytes;
    gm_buf_reset(bytes);
    gm_buf_put_varint(bytes, FORMAT_VERSION);
    for (size_t i = 0; i < count; i++) {
        gm_buf_add(bytes, frames[i]);
    }
    size_t bound = ZSTD_compressBound(bytes->n);
    char *to = gm_buf_reserve(out, bound);
    GM_ASSERT(!gm_buf_failed(bytes) && to != NULL);
    size_t n = ZSTD_compressCCtx(packer->compressor, to, bound, bytes->p, bytes->n, ZSTD_LEVEL);
    GM_ASSERT(!ZSTD_isError(n));
    gm_buf_commit(out, n);
    chunk->codec = GM_CHUNK_CODEC_ZSTD;
    chunk->size = (int64_t)bytes->n;
    chunk->checksum = (int64_t)gm_hash64(gm_buf_str(bytes), 0);
}

/* ---- reading ---- */

static struct gm_str read_repeated(struct gm_reader *reader, struct gm_str before)
{
    uint64_t n = gm_read_varint(reader);
    if (n == 0) {
        return before;
    }
    struct gm_str text = {(const char *)reader->p, (size_t)(n - 1)};
    if (n - 1 > (uint64_t)(reader->end - reader->p)) {
        reader->bad = true;
        return before;
    }
    reader->p += n - 1;
    return text;
}

static bool is_sound(const struct gm_event *event)
{
    return event->key.n > 0 && event->key.n <= GM_EVENT_TEXT_SIZE_MAX &&
           event->type.n <= GM_EVENT_TEXT_SIZE_MAX && event->origin.n <= GM_EVENT_TEXT_SIZE_MAX &&
           event->id.n <= GM_EVENT_TEXT_SIZE_MAX && event->body.n <= GM_EVENT_BODY_SIZE_MAX;
}

static bool decode_frame(struct gm_reader *reader, const struct gm_chunk *chunk,
                         struct gm_events *events)
{
    uint32_t count = gm_read_u32(reader), size = gm_read_u32(reader);
    gm_ns appended = (gm_ns)gm_read_u64(reader);
    if (reader->bad || size > (size_t)(reader->end - reader->p) ||
        events->n + count > (size_t)chunk->count) {
        return false;
    }
    const uint8_t *end = reader->p + size;
    struct gm_event event = {.type = {"", 0}, .origin = {"", 0}, .appended = appended};
    for (uint32_t i = 0; i < count; i++) {
        event.time = (gm_ns)((uint64_t)event.time + (uint64_t)gm_read_zigzag(reader));
        event.sequence += (uint64_t)gm_read_zigzag(reader);
        event.type = read_repeated(reader, event.type);
        event.origin = read_repeated(reader, event.origin);
        event.id = gm_read_bytes(reader);
        event.key = gm_read_bytes(reader);
        event.body = gm_read_bytes(reader);
        if (reader->bad || reader->p > end || !is_sound(&event)) {
            return false;
        }
        event.offset = chunk->first + (int64_t)events->n;
        *gm_vec_push(events) = event;
    }
    return reader->p == end;
}

gm_rc gm_chunk_decode(struct gm_str bytes, const struct gm_chunk *chunk, struct gm_events *events,
                      struct gm_err *err)
{
    struct gm_reader reader;
    events->n = 0;
    gm_reader_init(&reader, bytes);
    uint64_t version = gm_read_varint(&reader);
    if (reader.bad || version != FORMAT_VERSION) {
        return gm_fail(err, GM_E_CORRUPT, "its format is not known");
    }
    while (reader.p < reader.end) {
        if (!decode_frame(&reader, chunk, events)) {
            return gm_fail(err, GM_E_CORRUPT, "its bytes do not decode behind event %lld",
                           (long long)(chunk->first + (int64_t)events->n));
        }
    }
    if (events->n != (size_t)chunk->count) {
        return gm_fail(err, GM_E_CORRUPT, "it holds %zu events; %lld were expected", events->n,
                       (long long)chunk->count);
    }
    return GM_OK;
}

struct gm_unpacker {
    ZSTD_DCtx *decompressor;
    struct gm_buf bytes; /* what the events point into */
    struct gm_events events;
};

struct gm_unpacker *gm_unpacker_new(void)
{
    struct gm_unpacker *unpacker = gm_alloc(sizeof(*unpacker));
    unpacker->decompressor = ZSTD_createDCtx();
    GM_ASSERT(unpacker->decompressor != NULL);
    gm_buf_init(&unpacker->bytes, (size_t)2 * GM_CHUNK_SIZE_MAX);
    return unpacker;
}

void gm_unpacker_free(struct gm_unpacker *unpacker)
{
    if (unpacker != NULL) {
        ZSTD_freeDCtx(unpacker->decompressor);
        gm_buf_deinit(&unpacker->bytes);
        gm_vec_deinit(&unpacker->events);
        gm_free(unpacker);
    }
}

gm_rc gm_unpacker_unpack(struct gm_unpacker *unpacker, const struct gm_chunk *chunk,
                         const struct gm_events **out_events, struct gm_err *err)
{
    if (chunk->codec != GM_CHUNK_CODEC_ZSTD || chunk->size <= 0 ||
        chunk->size > 2 * (int64_t)GM_CHUNK_SIZE_MAX - 1 || chunk->count <= 0 ||
        chunk->count > GM_CHUNK_COUNT_MAX) {
        return gm_fail(err, GM_E_CORRUPT, "its size, count or codec cannot be");
    }
    gm_buf_reset(&unpacker->bytes);
    char *to = gm_buf_reserve(&unpacker->bytes, (size_t)chunk->size);
    GM_ASSERT(to != NULL);
    size_t n = ZSTD_decompressDCtx(unpacker->decompressor, to, (size_t)chunk->size, chunk->data.p,
                                   chunk->data.n);
    if (ZSTD_isError(n) || n != (size_t)chunk->size) {
        return gm_fail(err, GM_E_CORRUPT, "it does not decompress to %lld bytes",
                       (long long)chunk->size);
    }
    gm_buf_commit(&unpacker->bytes, n);
    if ((int64_t)gm_hash64(gm_buf_str(&unpacker->bytes), 0) != chunk->checksum) {
        return gm_fail(err, GM_E_CORRUPT, "its checksum does not match");
    }
    GM_TRY(gm_chunk_decode(gm_buf_str(&unpacker->bytes), chunk, &unpacker->events, err));
    *out_events = &unpacker->events;
    return GM_OK;
}
