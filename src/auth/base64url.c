#include "auth/base64url.h"

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
