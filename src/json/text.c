/* Strings and numbers as JSON text. */
#include "json/text.h"

#include <math.h>

#include "base/num.h"
#include "json/json.h"

/* Bytes reserved at a time: a small record's text takes one window. */
enum { WINDOW_SIZE = 1024 };

void gm_json_text_begin(struct gm_json_text *text, struct gm_buf *buf)
{
    *text = (struct gm_json_text){.buf = buf};
}

void gm_json_text_end(struct gm_json_text *text)
{
    if (text->at > text->start) {
        gm_buf_commit(text->buf, (size_t)(text->at - text->start));
    }
    text->start = text->at = text->end = NULL;
}

char *gm_json_text_grow(struct gm_json_text *text, size_t n)
{
    gm_json_text_end(text);
    if (gm_buf_failed(text->buf)) {
        return NULL;
    }
    /* Near the limit the window must not ask for more than is needed. */
    size_t room = text->buf->limit - text->buf->n;
    size_t window = room < WINDOW_SIZE ? room : WINDOW_SIZE;
    window = n > window ? n : window;
    char *p = gm_buf_reserve(text->buf, window);
    if (p != NULL) {
        text->start = text->at = p;
        text->end = p + window;
    }
    return p;
}

/* For each byte what the writer does with it: 0 as it is, 'u' \u00XX, 'h' part of a UTF-8 sequence,
 * else a backslash and this. */
#define U8_(c) c, c, c, c, c, c, c, c
#define U32_(c) U8_(c), U8_(c), U8_(c), U8_(c)
static const char escapes[256] = {
    U8_('u'),  'b',       't',       'n',      'u',         'f',           'r',
    'u',       'u',       U8_('u'),  U8_('u'), ['"'] = '"', ['\\'] = '\\', [128] = U32_('h'),
    U32_('h'), U32_('h'), U32_('h'),
};

static inline char escape_of(char c)
{
    return escapes[(unsigned char)c];
}

/* True when one of eight bytes is a control character, a quote, a backslash or not ASCII. */
static inline bool has_special(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t tops = 0x8080808080808080u;
    uint64_t quote = word ^ (ones * '"');
    uint64_t backslash = word ^ (ones * '\\');
    return ((((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
             ((backslash - ones) & ~backslash) | word) &
            tops) != 0;
}

/* Copies the string when nothing in it needs an escape, eight bytes at a time; the last eight
 * overlap those before. What a false leaves in `out` has no meaning. */
static inline bool copy_plain(char *out, const char *p, size_t n)
{
    uint64_t word;
    if (n < sizeof(word)) {
        char special = 0;
        for (size_t i = 0; i < n; i++) {
            special = (char)(special | escape_of(p[i]));
            out[i] = p[i];
        }
        return special == 0;
    }
    for (size_t i = 0;; i += sizeof(word)) {
        i = i < n - sizeof(word) ? i : n - sizeof(word);
        memcpy(&word, p + i, sizeof(word));
        if (has_special(word)) {
            return false;
        }
        memcpy(out + i, &word, sizeof(word));
        if (i + sizeof(word) == n) {
            return true;
        }
    }
}

/* How many bytes at the start go out as they are. */
static size_t plain_run(const char *p, size_t n)
{
    size_t i = 0;
    for (uint64_t word; n - i >= sizeof(word); i += sizeof(word)) {
        memcpy(&word, p + i, sizeof(word));
        if (has_special(word)) {
            break;
        }
    }
    while (i < n && escape_of(p[i]) == 0) {
        i++;
    }
    return i;
}

static void write_escape(struct gm_json_text *text, unsigned char c, char escape)
{
    static const char hex[] = "0123456789abcdef";
    if (escape == 'u') {
        char bytes[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        gm_json_text_bytes(text, bytes, sizeof(bytes));
    } else {
        char bytes[2] = {'\\', escape};
        gm_json_text_bytes(text, bytes, sizeof(bytes));
    }
}

/* A stretch of bytes that are not ASCII: up to the next ASCII byte, or to the first that is not
 * well-formed, which becomes U+FFFD. Returns how many bytes were consumed, at least one. */
static size_t write_multibyte(struct gm_json_text *text, struct gm_str s)
{
    size_t n = 1;
    while (n < s.n && ((unsigned char)s.p[n] & 0x80) != 0) {
        n++;
    }
    size_t bad_at;
    if (gm_utf8_valid((struct gm_str){s.p, n}, &bad_at)) {
        gm_json_text_bytes(text, s.p, n);
        return n;
    }
    gm_json_text_bytes(text, s.p, bad_at);
    gm_json_text_bytes(text, "\xEF\xBF\xBD", 3);
    return bad_at + 1;
}

static void write_string_rest(struct gm_json_text *text, struct gm_str s)
{
    while (s.n > 0 && !gm_buf_failed(text->buf)) {
        size_t n = plain_run(s.p, s.n);
        if (n > 0) {
            gm_json_text_bytes(text, s.p, n);
        } else {
            char escape = escape_of(*s.p);
            if (escape == 'h') {
                n = write_multibyte(text, s);
            } else {
                write_escape(text, (unsigned char)*s.p, escape);
                n = 1;
            }
        }
        s.p += n;
        s.n -= n;
    }
    gm_json_text_char(text, '"');
}

void gm_json_text_string(struct gm_json_text *text, struct gm_str s)
{
    char *out = gm_json_text_need(text, s.n + 2);
    if (out == NULL) {
        return;
    }
    *out++ = '"';
    if (copy_plain(out, s.p, s.n)) {
        out[s.n] = '"';
        text->at = out + s.n + 1;
    } else {
        text->at = out;
        write_string_rest(text, s);
    }
}

void gm_json_quote(struct gm_buf *out, struct gm_str s)
{
    struct gm_json_text text;
    gm_json_text_begin(&text, out);
    gm_json_text_string(&text, s);
    gm_json_text_end(&text);
}

enum { U64_DIGITS_MAX = 20 };

/* Writes the digits that end in front of `end`; returns where they begin. */
static char *digits_before(char *end, uint64_t v)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    while (v >= 100) {
        end -= 2;
        memcpy(end, pairs + 2 * (v % 100), 2);
        v /= 100;
    }
    if (v >= 10) {
        end -= 2;
        memcpy(end, pairs + 2 * v, 2);
    } else {
        *--end = (char)('0' + v);
    }
    return end;
}

void gm_json_text_u64(struct gm_json_text *text, uint64_t v)
{
    char digits[U64_DIGITS_MAX];
    char *start = digits_before(digits + sizeof(digits), v);
    gm_json_text_bytes(text, start, (size_t)(digits + sizeof(digits) - start));
}

void gm_json_text_i64(struct gm_json_text *text, int64_t v)
{
    char digits[U64_DIGITS_MAX + 1];
    uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    char *start = digits_before(digits + sizeof(digits), magnitude);
    if (v < 0) {
        *--start = '-';
    }
    gm_json_text_bytes(text, start, (size_t)(digits + sizeof(digits) - start));
}

void gm_json_text_double(struct gm_json_text *text, double v)
{
    char digits[GM_NUM_TEXT_SIZE];
    if (!isfinite(v)) {
        gm_json_text_bytes(text, "null", 4);
        return;
    }
    gm_json_text_bytes(text, digits, gm_format_double(v, digits));
}
