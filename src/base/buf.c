#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

enum { BUF_CAPACITY_MIN = 64, VARINT_SIZE_MAX = 10 };

void gm_buf_init(struct gm_buf *buf, size_t limit_bytes)
{
    /* Half of the address space is the most there can be; sums of sizes cannot overflow below it.
     */
    size_t limit = limit_bytes < SIZE_MAX / 2 ? limit_bytes : SIZE_MAX / 2;
    *buf = (struct gm_buf){.limit = limit};
}

void gm_buf_deinit(struct gm_buf *buf)
{
    gm_free(buf->p);
    *buf = (struct gm_buf){.limit = buf->limit};
}

void gm_buf_reset(struct gm_buf *buf)
{
    buf->n = 0;
    buf->failed = false;
    if (buf->p != NULL) {
        buf->p[0] = '\0';
    }
}

bool gm_buf_failed(const struct gm_buf *buf)
{
    return buf->failed;
}

char *gm_buf_reserve_slow(struct gm_buf *buf, size_t n)
{
    if (buf->failed || n > buf->limit - buf->n) {
        buf->failed = true;
        return NULL;
    }
    size_t needed = buf->n + n + 1;
    if (needed > buf->capacity) {
        size_t larger = buf->capacity > 0 ? buf->capacity * 2 : BUF_CAPACITY_MIN;
        larger = larger > buf->limit + 1 ? buf->limit + 1 : larger;
        larger = larger < needed ? needed : larger;
        char *moved = gm_realloc_try(buf->p, larger);
        if (moved == NULL) {
            buf->failed = true;
            return NULL;
        }
        buf->p = moved;
        buf->capacity = larger;
        buf->p[buf->n] = '\0';
    }
    return buf->p + buf->n;
}

void gm_buf_add_z(struct gm_buf *buf, const char *z)
{
    gm_buf_add(buf, gm_str_z(z));
}

void gm_buf_addf(struct gm_buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    size_t room = buf->failed ? 0 : buf->capacity - buf->n;
    int n = vsnprintf(room > 0 ? buf->p + buf->n : NULL, room, fmt, args);
    va_end(args);
    GM_ASSERT(n >= 0);
    if ((size_t)n >= room) {
        char *to = gm_buf_reserve(buf, (size_t)n);
        if (to != NULL) {
            (void)vsnprintf(to, (size_t)n + 1, fmt, again);
            gm_buf_commit(buf, (size_t)n);
        } else if (room > 0) {
            buf->p[buf->n] = '\0'; /* takes back the part that was written */
        }
    } else {
        gm_buf_commit(buf, (size_t)n);
    }
    va_end(again);
}

char *gm_buf_take_z(struct gm_buf *buf)
{
    char *z = buf->p != NULL ? buf->p : gm_alloc(1);
    *buf = (struct gm_buf){.limit = buf->limit};
    return z;
}

static void put_little_endian(struct gm_buf *buf, uint64_t v, size_t n)
{
    char *to = gm_buf_reserve(buf, n);
    if (to == NULL) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        to[i] = (char)(unsigned char)(v >> (8 * i));
    }
    gm_buf_commit(buf, n);
}

void gm_buf_put_u8(struct gm_buf *buf, uint8_t v)
{
    put_little_endian(buf, v, sizeof(v));
}

void gm_buf_put_u32(struct gm_buf *buf, uint32_t v)
{
    put_little_endian(buf, v, sizeof(v));
}

void gm_buf_put_u64(struct gm_buf *buf, uint64_t v)
{
    put_little_endian(buf, v, sizeof(v));
}

void gm_buf_put_varint(struct gm_buf *buf, uint64_t v)
{
    char bytes[VARINT_SIZE_MAX];
    size_t n = 0;
    while (v >= 0x80) {
        bytes[n++] = (char)(unsigned char)(v | 0x80);
        v >>= 7;
    }
    bytes[n++] = (char)v;
    gm_buf_add(buf, (struct gm_str){bytes, n});
}

void gm_buf_put_zigzag(struct gm_buf *buf, int64_t v)
{
    uint64_t u = (uint64_t)v;
    gm_buf_put_varint(buf, u << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

void gm_buf_put_bytes(struct gm_buf *buf, struct gm_str s)
{
    size_t n = buf->n;
    gm_buf_put_varint(buf, s.n);
    gm_buf_add(buf, s);
    if (buf->failed && buf->n > n) {
        buf->n = n; /* no length without its bytes */
        buf->p[n] = '\0';
    }
}

void gm_reader_init(struct gm_reader *reader, struct gm_str s)
{
    static const char nothing[1] = "";
    const char *p = s.p != NULL ? s.p : nothing;
    *reader = (struct gm_reader){.p = (const uint8_t *)p, .end = (const uint8_t *)p + s.n};
}

/* The next `n` bytes, or NULL, and the reader is at its end, when they are not there. */
static const uint8_t *take(struct gm_reader *reader, uint64_t n)
{
    if (n > (uint64_t)(reader->end - reader->p)) {
        reader->bad = true;
        reader->p = reader->end;
        return NULL;
    }
    const uint8_t *p = reader->p;
    reader->p += n;
    return p;
}

static uint64_t read_little_endian(struct gm_reader *reader, size_t n)
{
    const uint8_t *p = take(reader, n);
    uint64_t v = 0;
    for (size_t i = 0; p != NULL && i < n; i++) {
        v |= (uint64_t)p[i] << (8 * i);
    }
    return v;
}

uint8_t gm_read_u8(struct gm_reader *reader)
{
    return (uint8_t)read_little_endian(reader, sizeof(uint8_t));
}

uint32_t gm_read_u32(struct gm_reader *reader)
{
    return (uint32_t)read_little_endian(reader, sizeof(uint32_t));
}

uint64_t gm_read_u64(struct gm_reader *reader)
{
    return read_little_endian(reader, sizeof(uint64_t));
}

uint64_t gm_read_varint(struct gm_reader *reader)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && reader->p < reader->end; shift += 7) {
        uint8_t byte = *reader->p++;
        uint64_t bits = byte & 0x7FU;
        if (shift == 63 && bits > 1) {
            break; /* more than 64 bits */
        }
        v |= bits << shift;
        if (byte < 0x80) {
            return v;
        }
    }
    reader->bad = true;
    reader->p = reader->end;
    return 0;
}

int64_t gm_read_zigzag(struct gm_reader *reader)
{
    uint64_t u = gm_read_varint(reader);
    int64_t half = (int64_t)(u >> 1);
    return (u & 1) != 0 ? -half - 1 : half;
}

struct gm_str gm_read_bytes(struct gm_reader *reader)
{
    uint64_t n = gm_read_varint(reader);
    const uint8_t *p = take(reader, n);
    return p != NULL ? (struct gm_str){(const char *)p, (size_t)n} : (struct gm_str){NULL, 0};
}
