/* A growing byte buffer with a limit.
 *
 *     struct gm_buf buf;
 *     gm_buf_init(&buf, 1 << 20);
 *     gm_buf_add(&buf, GM_STR("id="));
 *     gm_buf_addf(&buf, "%d", 7);
 *     if (gm_buf_failed(&buf)) { … the limit was reached … }
 *     gm_buf_deinit(&buf);
 *
 * Writes after the limit was reached are dropped and remembered, so that callers check once at the end.
 * There is always a NUL behind the content: buf.p is usable as a C string once something was added. */
#ifndef GM_BASE_BUF_H
#define GM_BASE_BUF_H

#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

struct gm_buf {
    char *p;
    size_t n;
    size_t capacity;
    size_t limit;
    bool failed;
};

void gm_buf_init(struct gm_buf *buf, size_t limit_bytes);
void gm_buf_deinit(struct gm_buf *buf);
void gm_buf_reset(struct gm_buf *buf); /* empty, not failed, keeps the memory */
bool gm_buf_failed(const struct gm_buf *buf);
void gm_buf_add(struct gm_buf *buf, struct gm_str s);
void gm_buf_add_z(struct gm_buf *buf, const char *z);
void gm_buf_add_char(struct gm_buf *buf, char c);
void gm_buf_addf(struct gm_buf *buf, const char *fmt, ...) GM_PRINTF(2, 3);
/* Makes room for `n` more bytes and returns where they go, or NULL at the limit; then gm_buf_commit(n). */
char *gm_buf_reserve(struct gm_buf *buf, size_t n);
void gm_buf_commit(struct gm_buf *buf, size_t n);
char *gm_buf_take_z(struct gm_buf *buf); /* returns owned (gm_free); the buffer is empty then */

static inline struct gm_str gm_buf_str(const struct gm_buf *buf)
{
    return (struct gm_str){buf->p, buf->n};
}

/* Little-endian encoders for stored bytes; varints are LEB128 (unsigned) and zigzag LEB128 (signed). */
void gm_buf_put_u8(struct gm_buf *buf, uint8_t v);
void gm_buf_put_u32(struct gm_buf *buf, uint32_t v);
void gm_buf_put_u64(struct gm_buf *buf, uint64_t v);
void gm_buf_put_varint(struct gm_buf *buf, uint64_t v);
void gm_buf_put_zigzag(struct gm_buf *buf, int64_t v);
void gm_buf_put_bytes(struct gm_buf *buf, struct gm_str s); /* varint length, then bytes */

/* Decoder over a view. After any short or malformed read `bad` is set and reads give zero: check once at the end. */
struct gm_reader {
    const uint8_t *p;
    const uint8_t *end;
    bool bad;
};

void gm_reader_init(struct gm_reader *reader, struct gm_str s);
uint8_t gm_read_u8(struct gm_reader *reader);
uint32_t gm_read_u32(struct gm_reader *reader);
uint64_t gm_read_u64(struct gm_reader *reader);
uint64_t gm_read_varint(struct gm_reader *reader);
int64_t gm_read_zigzag(struct gm_reader *reader);
struct gm_str gm_read_bytes(struct gm_reader *reader); /* borrows from the view */

#endif
