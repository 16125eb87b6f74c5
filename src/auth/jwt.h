/* JSON web tokens (RFC 7519) in JWS compact form (RFC 7515), checked. Internal to auth/.
 *
 *     struct gm_jwt jwt;
 *     switch (gm_jwt_check(&rules, keys, token, now, &jwt)) {
 *     case GM_JWT_GOOD: … jwt.identity, until jwt.expires …
 *
 * Thread rule: any thread. */
#ifndef GM_AUTH_JWT_H
#define GM_AUTH_JWT_H

#include "auth/access.h"
#include "auth/keys.h"

enum { GM_JWT_SIZE_MAX = 16 << 10 };

enum gm_jwt_answer {
    GM_JWT_GOOD,
    GM_JWT_NONE,    /* this is no JWT: not three parts with a JSON header */
    GM_JWT_BAD,     /* jwt.why_z says why, in words without anything of the token */
    GM_JWT_UNKNOWN, /* all is well but that no key of that name is known */
};
struct gm_jwt {
    struct gm_identity identity;
    gm_ns expires; /* wall clock, with the skew; of a good one */
    const char *why_z;
};
/* `now`: wall clock. */
enum gm_jwt_answer gm_jwt_check(const struct gm_access_jwt *rules, const struct gm_keys *keys,
                                struct gm_str token, gm_ns now, struct gm_jwt *out_jwt);

#endif
