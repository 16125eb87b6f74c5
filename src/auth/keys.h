/* The public keys that sign JSON web tokens: a JWKS (RFC 7517), read. Internal to auth/.
 *
 *     struct gm_keys *keys;
 *     GM_TRY(gm_keys_parse(text, &keys, err));
 *     … gm_keys_verify(keys, …) …
 *     gm_keys_release(keys);
 *
 * RSA keys of 2048 bits and more, and EC keys on P-256 and P-384, for signatures. Others are passed
 * over, secret ones (`oct`) among them: they must not be public.
 *
 * Thread rule: read-only once parsed; counted, so that a set may be replaced while it is used. */
#ifndef GM_AUTH_KEYS_H
#define GM_AUTH_KEYS_H

#include "base/status.h"
#include "base/str.h"

enum { GM_KEYS_MAX = 256, GM_KEYS_TEXT_SIZE_MAX = 1 << 20 };

struct gm_keys;
/* GM_E_INVALID: no JSON, no JWKS, or no key of use in it. */
gm_rc gm_keys_parse(struct gm_str text, struct gm_keys **out_keys, struct gm_err *err)
    GM_MUST_CHECK;
struct gm_keys *gm_keys_retain(struct gm_keys *keys); /* NULL is fine */
void gm_keys_release(struct gm_keys *keys);           /* NULL is fine */
size_t gm_keys_count(const struct gm_keys *keys);
/* Of the same text. */
bool gm_keys_same(const struct gm_keys *a, const struct gm_keys *b);

enum gm_keys_answer {
    GM_KEYS_GOOD,
    GM_KEYS_BAD,     /* the signature is not by the key, or the algorithm not for it */
    GM_KEYS_UNKNOWN, /* there is no key of that name */
};
bool gm_keys_algorithm_known(struct gm_str alg);
/* `kid`: p NULL when the token names none: then each key that fits is tried. `keys` may be NULL. */
enum gm_keys_answer gm_keys_verify(const struct gm_keys *keys, struct gm_str alg, struct gm_str kid,
                                   struct gm_str signed_text, struct gm_str signature);

#endif
