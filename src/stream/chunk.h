/* The bytes of chunks; their format stands in stream.h. Internal to this folder. */
#ifndef GM_STREAM_CHUNK_H
#define GM_STREAM_CHUNK_H

#include "base/buf.h"
#include "base/vec.h"
#include "flow/event.h"

enum {
    GM_CHUNK_SIZE_MAX = 80 << 20, /* uncompressed; a group has no more than waits at most */
    GM_CHUNK_COUNT_MAX = 1 << 24,
    GM_CHUNK_CODEC_ZSTD = 1,
};

/* One frame under construction. Texts of the last event are borrowed until the frame is done. */
struct gm_frame {
    struct gm_buf bytes; /* with room for the header in front */
    uint32_t count;
    gm_ns appended;
    gm_ns time, first_time, last_time; /* of the event before; earliest and latest */
    uint64_t sequence;
    struct gm_str type, origin;
};
void gm_frame_init(struct gm_frame *frame);
void gm_frame_deinit(struct gm_frame *frame);
void gm_frame_begin(struct gm_frame *frame, gm_ns appended);
void gm_frame_add(struct gm_frame *frame, const struct gm_event *event, gm_ns time);
/* Its bytes, header and all; borrowed. */
struct gm_str gm_frame_end(struct gm_frame *frame);

/* A chunk as it is stored. */
struct gm_chunk {
    int64_t first; /* offset of its first event */
    int64_t count;
    int64_t codec, size, checksum;
    struct gm_str data;
};

struct gm_events {
    struct gm_event *at;
    size_t n;
    size_t capacity;
};

/* Compresses frames, one behind the other, into `out` and fills codec, size and checksum. */
struct gm_packer;
struct gm_packer *gm_packer_new(void);
void gm_packer_free(struct gm_packer *packer); /* NULL is fine */
void gm_packer_pack(struct gm_packer *packer, const struct gm_str *frames, size_t count,
                    struct gm_buf *out, struct gm_chunk *chunk);

struct gm_unpacker;
struct gm_unpacker *gm_unpacker_new(void);
void gm_unpacker_free(struct gm_unpacker *unpacker); /* NULL is fine */
/* Checks and decodes; events borrow from the unpacker until its next call. GM_E_CORRUPT. */
gm_rc gm_unpacker_unpack(struct gm_unpacker *unpacker, const struct gm_chunk *chunk,
                         const struct gm_events **out_events, struct gm_err *err) GM_MUST_CHECK;

/* Uncompressed bytes alone: for the above, and for the fuzzer. */
gm_rc gm_chunk_decode(struct gm_str bytes, const struct gm_chunk *chunk, struct gm_events *events,
                      struct gm_err *err) GM_MUST_CHECK;

#endif
