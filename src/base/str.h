/* String views: a pointer and a length, not NUL-terminated unless the name ends in `_z`.
 *
 *     struct gm_str head, rest;
 *     struct gm_str url = gm_str_z("sqlite:erp.db");
 *     if (gm_str_cut(url, ':', &head, &rest) && gm_str_is(head, "sqlite")) { … }
 *     printf("path is " GM_STR_FMT "\n", GM_STR_ARG(rest));
 *
 * A view borrows its bytes: who made it says how long they live.
 * Thread rule: values, no shared state. */
#ifndef GM_BASE_STR_H
#define GM_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct gm_str {
    const char *p; /* may be NULL when n is 0 */
    size_t n;
};

/* Several, borrowed. */
struct gm_strs {
    const struct gm_str *at;
    size_t n;
};

#define GM_STR(literal) ((struct gm_str){(literal), sizeof(literal) - 1})
#define GM_STR_FMT "%.*s"
#define GM_STR_ARG(s) (int)(s).n, ((s).p != NULL ? (s).p : "")

static inline struct gm_str gm_str_z(const char *z)
{
    return (struct gm_str){z, z != NULL ? strlen(z) : 0};
}

static inline bool gm_str_eq(struct gm_str a, struct gm_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Of ASCII letters alone, whatever the locale says. */
static inline char gm_ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Equal but for the case of ASCII letters. */
bool gm_str_same(struct gm_str a, struct gm_str b);

/* Byte order (memcmp, then length): the order of keys everywhere, equal to SQLite's BINARY and
 * PostgreSQL's "C". */
int gm_str_cmp(struct gm_str a, struct gm_str b);

bool gm_str_is(struct gm_str s, const char *z);
bool gm_str_starts(struct gm_str s, struct gm_str prefix);
bool gm_str_contains(struct gm_str s, struct gm_str part); /* an empty part: always */
bool gm_str_ends(struct gm_str s, struct gm_str suffix);

/* Splits at the first `sep`. False, and *out_head = s, *out_rest empty, when there is none. */
bool gm_str_cut(struct gm_str s, char sep, struct gm_str *out_head, struct gm_str *out_rest);

/* Without leading and trailing ASCII white space. */
struct gm_str gm_str_trim(struct gm_str s);

/* True when `s` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). NUL bytes are
 * well-formed. On failure *out_bad_at (may be NULL) is the offset of the first bad byte. */
bool gm_utf8_valid(struct gm_str s, size_t *out_bad_at);

/* Edit distance (Levenshtein) with an upper bound, for "did you mean": returns max + 1 when it is
 * above `max`. */
size_t gm_str_distance(struct gm_str a, struct gm_str b, size_t max);

#endif
