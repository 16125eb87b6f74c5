#include "stream/parcel.h"

#include "base/hash.h"
#include "base/mem.h"

static const char MAGIC[] = "GMP1";
enum { MAGIC_SIZE = 4, SUM_SIZE = 8, HEAD_SIZE = MAGIC_SIZE + SUM_SIZE };

struct gm_parcel {
    struct gm_frame frame;
    struct gm_packer *packer;
    struct gm_buf frames; /* one behind the other */
    struct gm_buf packed;
    struct gm_buf bytes;
    int64_t count;
};

struct gm_parcel *gm_parcel_new(void)
{
    struct gm_parcel *parcel = gm_alloc(sizeof(*parcel));
    gm_frame_init(&parcel->frame);
    parcel->packer = gm_packer_new();
    gm_buf_init(&parcel->frames, GM_CHUNK_SIZE_MAX);
    gm_buf_init(&parcel->packed, (size_t)2 * GM_CHUNK_SIZE_MAX);
    gm_buf_init(&parcel->bytes, (size_t)2 * GM_CHUNK_SIZE_MAX);
    return parcel;
}

void gm_parcel_free(struct gm_parcel *parcel)
{
    if (parcel != NULL) {
        gm_frame_deinit(&parcel->frame);
        gm_packer_free(parcel->packer);
        gm_buf_deinit(&parcel->frames);
        gm_buf_deinit(&parcel->packed);
        gm_buf_deinit(&parcel->bytes);
        gm_free(parcel);
    }
}

void gm_parcel_begin(struct gm_parcel *parcel)
{
    gm_buf_reset(&parcel->frames);
    parcel->count = 0;
}

/* A frame for each call: texts are borrowed while one is under construction. */
void gm_parcel_add(struct gm_parcel *parcel, const struct gm_event *events, size_t count)
{
    if (count == 0) {
        return;
    }
    gm_frame_begin(&parcel->frame, events[0].appended);
    for (size_t i = 0; i < count; i++) {
        gm_frame_add(&parcel->frame, &events[i], events[i].time);
    }
    gm_buf_add(&parcel->frames, gm_frame_end(&parcel->frame));
    parcel->count += (int64_t)count;
}

int64_t gm_parcel_count(const struct gm_parcel *parcel)
{
    return parcel->count;
}

size_t gm_parcel_size(const struct gm_parcel *parcel)
{
    return parcel->frames.n;
}

void gm_parcel_end(struct gm_parcel *parcel, const struct gm_link *link, struct gm_str *out_bytes)
{
    struct gm_chunk chunk = {.first = link->first, .count = parcel->count};
    struct gm_str frames = gm_buf_str(&parcel->frames);
    struct gm_buf *bytes = &parcel->bytes;
    gm_buf_reset(&parcel->packed);
    gm_packer_pack(parcel->packer, &frames, 1, &parcel->packed, &chunk);
    gm_buf_reset(bytes);
    gm_buf_add_z(bytes, MAGIC);
    gm_buf_put_u64(bytes, 0);
    gm_buf_put_bytes(bytes, link->name);
    gm_buf_put_varint(bytes, (uint64_t)link->first);
    gm_buf_put_varint(bytes, (uint64_t)link->after);
    gm_buf_put_varint(bytes, (uint64_t)chunk.count);
    gm_buf_put_varint(bytes, (uint64_t)chunk.size);
    gm_buf_put_u64(bytes, (uint64_t)chunk.checksum);
    gm_buf_add(bytes, gm_buf_str(&parcel->packed));
    GM_ASSERT(!gm_buf_failed(bytes));
    uint64_t sum = gm_hash64((struct gm_str){bytes->p + HEAD_SIZE, bytes->n - HEAD_SIZE}, 0);
    for (int i = 0; i < SUM_SIZE; i++) {
        bytes->p[MAGIC_SIZE + i] = (char)(sum >> (8 * i));
    }
    *out_bytes = gm_buf_str(bytes);
}

static bool read_head(struct gm_reader *reader, struct gm_received *received)
{
    struct gm_link *link = &received->link;
    struct gm_chunk *chunk = &received->chunk;
    link->name = gm_read_bytes(reader);
    uint64_t first = gm_read_varint(reader), after = gm_read_varint(reader);
    uint64_t count = gm_read_varint(reader), size = gm_read_varint(reader);
    chunk->checksum = (int64_t)gm_read_u64(reader);
    if (reader->bad || first > INT64_MAX || after > first || count == 0 ||
        count > GM_CHUNK_COUNT_MAX || size > GM_CHUNK_SIZE_MAX) {
        return false;
    }
    link->first = chunk->first = (int64_t)first;
    link->after = (int64_t)after;
    chunk->count = (int64_t)count;
    chunk->size = (int64_t)size;
    chunk->codec = GM_CHUNK_CODEC_ZSTD;
    chunk->data = (struct gm_str){(const char *)reader->p, (size_t)(reader->end - reader->p)};
    return true;
}

gm_rc gm_parcel_read(struct gm_str bytes, struct gm_received *out_received, struct gm_err *err)
{
    struct gm_reader reader;
    struct gm_received received = {0};
    if (bytes.n < HEAD_SIZE || memcmp(bytes.p, MAGIC, MAGIC_SIZE) != 0) {
        return gm_fail(err, GM_E_INVALID, "this is no parcel of events");
    }
    gm_reader_init(&reader, (struct gm_str){bytes.p + MAGIC_SIZE, bytes.n - MAGIC_SIZE});
    uint64_t sum = gm_read_u64(&reader);
    if (sum != gm_hash64((struct gm_str){bytes.p + HEAD_SIZE, bytes.n - HEAD_SIZE}, 0)) {
        return gm_fail(err, GM_E_INVALID, "the parcel was damaged on its way");
    }
    if (!read_head(&reader, &received)) {
        return gm_fail(err, GM_E_INVALID, "the parcel's head does not decode");
    }
    *out_received = received;
    return GM_OK;
}
