#include "base/coding.h"

/* ---- hexadecimal ---- */

int gm_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = gm_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void gm_hex_z(const void *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = bytes;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * n] = '\0';
}

bool gm_hex_read(struct gm_str text, void *out)
{
    unsigned char *to = out;
    for (size_t i = 0; i + 1 < text.n; i += 2) {
        int high = gm_hex_digit(text.p[i]), low = gm_hex_digit(text.p[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        to[i / 2] = (unsigned char)(high * 16 + low);
    }
    return text.n % 2 == 0;
}

/* ---- base64 ---- */

void gm_base64(struct gm_str bytes, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = (const unsigned char *)bytes.p;
    for (size_t i = 0; i < bytes.n; i += 3, out += 4) {
        size_t left = bytes.n - i;
        unsigned triple = (unsigned)in[i] << 16 | (left > 1 ? (unsigned)in[i + 1] << 8 : 0) |
                          (left > 2 ? (unsigned)in[i + 2] : 0);
        out[0] = digits[triple >> 18];
        out[1] = digits[triple >> 12 & 63];
        out[2] = left > 1 ? digits[triple >> 6 & 63] : '=';
        out[3] = left > 2 ? digits[triple & 63] : '=';
    }
}

void gm_base64url_add(struct gm_buf *out, struct gm_str bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    unsigned count = 0; /* of bits that wait */
    for (size_t i = 0; i < bytes.n; i++) {
        bits = bits << 8 | (unsigned char)bytes.p[i];
        for (count += 8; count >= 6; count -= 6) {
            gm_buf_add_char(out, digits[bits >> (count - 6) & 63]);
        }
    }
    if (count > 0) {
        gm_buf_add_char(out, digits[bits << (6 - count) & 63]);
    }
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool gm_base64url_take(struct gm_buf *out, struct gm_str text)
{
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < text.n; i++) {
        int value = value_of(text.p[i]);
        if (value < 0) {
            return false;
        }
        bits = (bits << 6 | (uint32_t)value) & 0xffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            gm_buf_add_char(out, (char)(bits >> count & 0xff));
        }
    }
    /* 4 characters are 3 bytes: what is left over is 2 or 4 bits, which are zero */
    return count < 6 && (bits & ((1U << count) - 1)) == 0 && !gm_buf_failed(out);
}

/* ---- percent escapes ---- */

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void gm_percent_add(struct gm_buf *out, struct gm_str text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (is_unreserved(text.p[i])) {
            gm_buf_add_char(out, text.p[i]);
        } else {
            char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};
            gm_buf_add(out, (struct gm_str){escaped, sizeof(escaped)});
        }
    }
}

bool gm_percent_take(struct gm_buf *out, struct gm_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '%') {
            int high = i + 2 < text.n ? gm_hex_digit(text.p[i + 1]) : -1;
            int low = i + 2 < text.n ? gm_hex_digit(text.p[i + 2]) : -1;
            c = (char)(high * 16 + low);
            if (high < 0 || low < 0 || c == '\0') {
                return false;
            }
            i += 2;
        }
        gm_buf_add_char(out, c);
    }
    return !gm_buf_failed(out) && gm_utf8_valid(gm_buf_str(out), NULL);
}
