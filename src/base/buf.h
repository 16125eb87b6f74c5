/* A growing byte buffer with a limit.
 *
 *     struct gm_buf buf;
 *     gm_buf_init(&buf, 1 << 20);
 *     gm_buf_add(&buf, GM_STR("id="));
 *     gm_buf_addf(&buf, "%d", 7);
 *     if (gm_buf_failed(&buf)) { … the limit was reached … }
 *     gm_buf_deinit(&buf);
 *
 * Writes after the limit was reached are dropped and remembered, so that callers check once at the
 * end. There is always a NUL behind the content: buf.p is usable as a C string once something was
 * added. The limit counts content. No memory left in the process is the same as the limit reached.
 * Thread rule: one owner at a time. */
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
void gm_buf_add_z(struct gm_buf *buf, const char *z);
void gm_buf_addf(struct gm_buf *buf, const char *fmt, ...) GM_PRINTF(2, 3);
/* The part of gm_buf_reserve that grows the buffer. */
char *gm_buf_reserve_slow(struct gm_buf *buf, size_t n);

/* Makes room for `n` more bytes and returns where they go, or NULL at the limit; then gm_buf_commit
 * of as many as were written. */
static inline char *gm_buf_reserve(struct gm_buf *buf, size_t n)
{
    /* One byte more than `n`: the NUL behind the content. */
    if (buf->failed || n >= buf->capacity - buf->n) {
        return gm_buf_reserve_slow(buf, n);
    }
    return buf->p + buf->n;
}

static inline void gm_buf_commit(struct gm_buf *buf, size_t n)
{
    buf->n += n;
    buf->p[buf->n] = '\0';
}

static inline void gm_buf_add(struct gm_buf *buf, struct gm_str s)
{
    char *to = gm_buf_reserve(buf, s.n);
    if (to != NULL) {
        if (s.n > 0) {
            memcpy(to, s.p, s.n);
        }
        gm_buf_commit(buf, s.n);
    }
}

static inline void gm_buf_add_char(struct gm_buf *buf, char c)
{
    char *to = gm_buf_reserve(buf, 1);
    if (to != NULL) {
        *to = c;
        gm_buf_commit(buf, 1);
    }
}

char *gm_buf_take_z(
    struct gm_buf *buf); /* returns owned (gm_free), never NULL; the buffer is empty then */

static inline struct gm_str gm_buf_str(const struct gm_buf *buf)
{
    return (struct gm_str){buf->p, buf->n};
}

/* Little-endian encoders for stored bytes; varints are LEB128 (unsigned) and zigzag LEB128
 * (signed). */
void gm_buf_put_u8(struct gm_buf *buf, uint8_t v);
void gm_buf_put_u32(struct gm_buf *buf, uint32_t v);
void gm_buf_put_u64(struct gm_buf *buf, uint64_t v);
void gm_buf_put_varint(struct gm_buf *buf, uint64_t v);
void gm_buf_put_zigzag(struct gm_buf *buf, int64_t v);
void gm_buf_put_bytes(struct gm_buf *buf, struct gm_str s); /* varint length, then bytes */

/* Decoder over a view. After any short or malformed read `bad` is set and reads give zero: check
 * once at the end. */
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
