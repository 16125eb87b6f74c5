/* Parcels from anywhere: refused, or events within their bounds. The sum in front is put right
 * first, or nothing would get past it. */
#include "base/hash.h"
#include "base/mem.h"
#include "stream/parcel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SUM_AT = 4, HEAD_SIZE = 12, UNPACKED_MAX = 1 << 20 };

static void check(const struct gm_events *events, const struct gm_received *received)
{
    GM_ASSERT(events->n == (size_t)received->chunk.count);
    for (size_t i = 0; i < events->n; i++) {
        const struct gm_event *event = &events->at[i];
        GM_ASSERT(event->offset == received->link.first + (int64_t)i);
        GM_ASSERT(event->key.n > 0 && event->key.n <= GM_EVENT_TEXT_SIZE_MAX);
        GM_ASSERT(event->body.n <= GM_EVENT_BODY_SIZE_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gm_err err = {0};
    struct gm_received received;
    const struct gm_events *events;
    const struct gm_str text = {(const char *)data, size};
    if (size < HEAD_SIZE) {
        return 0;
    }
    GM_AUTO_FREE char *copy = gm_str_dup_z(text);
    uint64_t sum = gm_hash64((struct gm_str){copy + HEAD_SIZE, size - HEAD_SIZE}, 0);
    for (size_t i = 0; i < HEAD_SIZE - SUM_AT; i++) {
        copy[SUM_AT + i] = (char)(sum >> (8 * i));
    }
    if (gm_parcel_read((struct gm_str){copy, size}, &received, &err) == GM_OK &&
        received.chunk.size <= UNPACKED_MAX) {
        struct gm_unpacker *unpacker = gm_unpacker_new();
        GM_ASSERT(received.link.after <= received.link.first && received.link.after >= 0);
        if (gm_unpacker_unpack(unpacker, &received.chunk, &events, &err) == GM_OK) {
            check(events, &received);
        }
        gm_unpacker_free(unpacker);
    }
    return 0;
}
