#include "base/str.h"

#include <stdint.h>

int gm_str_cmp(struct gm_str a, struct gm_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;
    if (order != 0) {
        return order;
    }
    return (a.n > b.n) - (a.n < b.n);
}

bool gm_str_same(struct gm_str a, struct gm_str b)
{
    size_t i = 0;
    while (a.n == b.n && i < a.n && gm_ascii_lower(a.p[i]) == gm_ascii_lower(b.p[i])) {
        i++;
    }
    return a.n == b.n && i == a.n;
}

bool gm_str_is(struct gm_str s, const char *z)
{
    return gm_str_eq(s, gm_str_z(z));
}

bool gm_str_starts(struct gm_str s, struct gm_str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool gm_str_contains(struct gm_str s, struct gm_str part)
{
    for (size_t i = 0; part.n <= s.n && i <= s.n - part.n; i++) {
        if (part.n == 0 || memcmp(s.p + i, part.p, part.n) == 0) {
            return true;
        }
    }
    return false;
}

bool gm_str_ends(struct gm_str s, struct gm_str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0);
}

bool gm_str_cut(struct gm_str s, char sep, struct gm_str *out_head, struct gm_str *out_rest)
{
    const char *at = s.n > 0 ? memchr(s.p, sep, s.n) : NULL;
    if (at == NULL) {
        *out_head = s;
        *out_rest = (struct gm_str){NULL, 0};
        return false;
    }
    size_t head_n = (size_t)(at - s.p);
    *out_head = (struct gm_str){s.p, head_n};
    *out_rest = (struct gm_str){at + 1, s.n - head_n - 1};
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct gm_str gm_str_trim(struct gm_str s)
{
    while (s.n > 0 && is_space(s.p[s.n - 1])) {
        s.n--;
    }
    while (s.n > 0 && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    return s;
}

/* The length of the well-formed sequence at `p`, of which `n` bytes are there; 0 when there is
 * none. The bounds of the second byte are those of the table in RFC 3629, section 4: they shut out
 * overlong forms, surrogates and what lies above U+10FFFF. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    unsigned char lead = p[0];
    if (lead < 0x80) {
        return 1;
    }
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || n < length) {
        return 0;
    }
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool gm_utf8_valid(struct gm_str s, size_t *out_bad_at)
{
    static const uint64_t high_bits = UINT64_C(0x8080808080808080);
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0;
    while (i < s.n) {
        /* Most text is ASCII: eight bytes a step while no byte has its high bit set. */
        while (s.n - i >= 8) {
            uint64_t word;
            memcpy(&word, p + i, sizeof(word));
            if ((word & high_bits) != 0) {
                break;
            }
            i += 8;
        }
        size_t stop = s.n - i > 8 ? i + 8 : s.n;
        while (i < stop) {
            size_t length = utf8_sequence(p + i, s.n - i);
            if (length == 0) {
                if (out_bad_at != NULL) {
                    *out_bad_at = i;
                }
                return false;
            }
            i += length;
        }
    }
    return true;
}

enum { DISTANCE_NAME_MAX = 255 }; /* names are shorter; what is longer is nobody's typing error */

size_t gm_str_distance(struct gm_str a, struct gm_str b, size_t max)
{
    size_t apart = a.n > b.n ? a.n - b.n : b.n - a.n;
    if (apart > max || a.n > DISTANCE_NAME_MAX || b.n > DISTANCE_NAME_MAX) {
        return max + 1;
    }
    size_t row[DISTANCE_NAME_MAX + 1];
    for (size_t j = 0; j <= b.n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        size_t best = row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t above = row[j];
            size_t cost = diagonal + (a.p[i - 1] != b.p[j - 1] ? 1 : 0);
            cost = above + 1 < cost ? above + 1 : cost;
            cost = row[j - 1] + 1 < cost ? row[j - 1] + 1 : cost;
            diagonal = above;
            row[j] = cost;
            best = cost < best ? cost : best;
        }
        if (best > max) {
            return max + 1; /* rows never get smaller */
        }
    }
    return row[b.n] > max ? max + 1 : row[b.n];
}
