/* Parcels: events on their way from a stream to one elsewhere, with their place in it.
 *
 *     gm_parcel_begin(parcel);
 *     gm_parcel_add(parcel, events, count);                     // as often as there are some
 *     gm_parcel_end(parcel, &link, &bytes);                     // what is sent
 *
 *     GM_TRY(gm_parcel_read(text, &received, err));             // checked; link, count, size
 *     GM_TRY(gm_unpacker_unpack(unpacker, &received.chunk, &events, err));
 *
 * All of an event is kept, but for its offset and when it came in. Media type GM_PARCEL_TYPE.
 *
 * Bytes: "GMP1", XXH3-64 of all that follows (8 bytes, little-endian), name of the link (length and
 * bytes), first, after, count, size, checksum (8 bytes), compressed chunk to the end; numbers as
 * LEB128 varints. The chunk is one as stream.h describes; the events lie behind each other from the
 * offset `first` on.
 *
 * Thread rule: one owner. */
#ifndef GM_STREAM_PARCEL_H
#define GM_STREAM_PARCEL_H

#include "stream/chunk.h"
#include "stream/stream.h"

#define GM_PARCEL_TYPE "application/vnd.gemel.parcel"

struct gm_parcel;
struct gm_parcel *gm_parcel_new(void);
void gm_parcel_free(struct gm_parcel *parcel); /* NULL is fine */
void gm_parcel_begin(struct gm_parcel *parcel);
/* Copies them. */
void gm_parcel_add(struct gm_parcel *parcel, const struct gm_event *events, size_t count);
/* Of `link` all is set. The bytes are borrowed until the next parcel is begun. */
void gm_parcel_end(struct gm_parcel *parcel, const struct gm_link *link, struct gm_str *out_bytes);
int64_t gm_parcel_count(const struct gm_parcel *parcel);
size_t gm_parcel_size(const struct gm_parcel *parcel); /* bytes before compression */

struct gm_received {
    struct gm_link link;   /* borrows from the bytes */
    struct gm_chunk chunk; /* likewise; `size` is what it needs when it is unpacked */
};
/* GM_E_INVALID: it is none, or was damaged on its way. */
gm_rc gm_parcel_read(struct gm_str bytes, struct gm_received *out_received, struct gm_err *err)
    GM_MUST_CHECK;

#endif
