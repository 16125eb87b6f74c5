/* Who may do what: bearer tokens (RFC 6750) with roles, of three kinds.
 *
 *     struct gm_access_options options = {.data_z = "./data", .development = true};
 *     GM_TRY(gm_access_open(&options, &access, err));
 *     struct gm_identity who;
 *     int64_t retry_after_s;
 *     switch (gm_access_check(access, gm_http_call_header(call, "Authorization"), &who,
 *                             &retry_after_s)) {
 *     case GM_ACCESS_GRANTED: if (who.role < GM_ACCESS_WRITER) { … 403 … }
 *     case GM_ACCESS_LATER: … gm_http_call_work(), gm_access_check_waiting() there …
 *     case GM_ACCESS_TOO_FAST: … 429, Retry-After …
 *     default: … 401, gm_access_challenge_z() …
 *     }
 *     gm_access_close(access);
 *
 * 1. The development token: made on first start, role admin, in DATA/tokens/development (mode
 *    0600), printed by `gemel token`.
 * 2. Tokens of a file, which holds their SHA-256 and no secret:
 *
 *        tokens:
 *          - { name: erp, role: writer, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b…,
 *              expires: 2027-06-30 }
 *
 *    It is read again when it changes; a file with an error leaves the former tokens in place, and
 *    the error is told by gm_access_problem().
 * 3. JSON web tokens (RFC 7519) signed with RS256, RS384, RS512, PS256, ES256 or ES384 by a key of
 *    a JWKS (RFC 7517), from a file or a URL. `alg` must be one of these and fit the key: neither
 *    "none" nor a key used as an HMAC secret gets through. Issuer, audience, exp and nbf are
 *    checked; roles come from a claim. Microsoft Entra ID issues such tokens.
 *
 * What was found out about a token is kept under its SHA-256 (for a JWT, until it expires, and not
 * beyond a change of the keys), so a token that comes again costs a hash and a look-up. Tokens are
 * compared by their hashes alone. No error, log line or name holds one.
 *
 * Keys behind a URL are fetched by a thread of their own: at the start, when a token names a key
 * that is not known (at most once in `keys_pause`), and once they are older than
 * `keys_age`. gm_access_check never waits for them.
 *
 * Bounded: 4096 JWTs and 4096 rates are kept, the oldest make room; a token is 16 KiB at most, a
 * JWKS 1 MiB, a token file 1 MiB.
 *
 * Thread rule: any thread after gm_access_open; close it when nobody uses it. */
#ifndef GM_AUTH_ACCESS_H
#define GM_AUTH_ACCESS_H

#include <stdint.h>

#include "base/status.h"
#include "os/clock.h"

/* Each may do what those before it may. */
enum gm_access_role {
    GM_ACCESS_NONE,   /* a good token that carries no role of ours */
    GM_ACCESS_READER, /* reads and queries */
    GM_ACCESS_WRITER, /* twins and relationships too */
    GM_ACCESS_ADMIN,  /* models, routes, jobs too */
};
const char *gm_access_role_name(enum gm_access_role role); /* "none", "reader", … */
/* "none", "reader", "writer", "admin", NULL: for field tables */
extern const char *const gm_access_role_names[];

enum gm_access_answer {
    GM_ACCESS_GRANTED,  /* the identity is set: look at its role */
    GM_ACCESS_NO_TOKEN, /* 401: no Authorization header, or not a Bearer token */
    GM_ACCESS_REFUSED,  /* 401: unknown, expired, badly signed, of another issuer or audience */
    GM_ACCESS_TOO_FAST, /* 429: over its rate; *out_retry_after_s is set */
    GM_ACCESS_LATER,    /* keys must be fetched first. Of gm_access_check: ask again with
                           gm_access_check_waiting, on a thread that may block. Of that: they
                           cannot be had now, 503 with *out_retry_after_s */
};

enum { GM_IDENTITY_NAME_SIZE = 128 };
/* A value; names: "development", a token's name, "jwt:" and the token's subject. */
struct gm_identity {
    enum gm_access_role role;
    char name[GM_IDENTITY_NAME_SIZE]; /* NUL-terminated, printable, cut when longer */
};

/* Which claim's value gives which role. */
struct gm_access_role_map {
    const char *value_z;
    enum gm_access_role role;
};
struct gm_access_jwt {
    const char *jwks_z;    /* path, or http(s) URL; NULL: no JWTs */
    const char *ca_file_z; /* PEM: who signs the URL's certificate; NULL: those the system knows */
    const char *issuer_z;
    const char *const *audiences; /* one of them must be the token's, or among them */
    size_t audience_count;
    /* the claim that holds roles: an array of texts, or one text of words (as `scp`); NULL: "roles"
     * and, when that is absent, "scp" */
    const char *role_claim_z;
    const struct gm_access_role_map *roles; /* none: the claim's values are our names */
    size_t role_count;
    enum gm_access_role default_role; /* of a token without a role that is known */
    gm_ns skew;                       /* by which clocks may differ */
};

struct gm_access_options {
    const char *data_z; /* the data directory */
    bool development;   /* the development token is good */
    const char *file_z; /* token file; NULL: none */
    struct gm_access_jwt jwt;
    double rate_per_second;       /* requests of one identity; 0: any number */
    double rate_burst;            /* that may come at once; at least 1 */
    gm_ns keys_pause;             /* between fetches for unknown keys; 0: 30 s */
    gm_ns keys_age;               /* after which keys are fetched anew; 0: 1 h */
    gm_ns keys_timeout;           /* of one fetch; 0: 10 s */
    const struct gm_clock *clock; /* NULL: the system's */
};

struct gm_access;
/* Copies the options. GM_E_CONFIG: a file is wrong or cannot be read. A URL that does not answer
 * now is no failure. */
gm_rc gm_access_open(const struct gm_access_options *options, struct gm_access **out_access,
                     struct gm_err *err) GM_MUST_CHECK;
void gm_access_close(struct gm_access *access); /* NULL is fine */

/* `authorization_z`: the header's value, NULL when there is none. *out_identity is set when GRANTED
 * or TOO_FAST, *out_retry_after_s (seconds, at least 1) when TOO_FAST or LATER. Never waits. */
enum gm_access_answer gm_access_check(struct gm_access *access, const char *authorization_z,
                                      struct gm_identity *out_identity, int64_t *out_retry_after_s);
/* The same, and waits for keys (keys_timeout at most) where that gives LATER. */
enum gm_access_answer gm_access_check_waiting(struct gm_access *access, const char *authorization_z,
                                              struct gm_identity *out_identity,
                                              int64_t *out_retry_after_s);

/* What to send as WWW-Authenticate with a 401: RFC 6750, section 3. */
const char *gm_access_challenge_z(enum gm_access_answer answer);

/* What is wrong with the token file or the keys since it was last asked: false when nothing is new.
 * For the log of whoever owns it. */
bool gm_access_problem(struct gm_access *access, char out_text[GM_ERR_TEXT_SIZE]);

#endif
