/* Where the keys of JSON web tokens come from: a file, looked at now and then, or a URL, fetched by
 * a thread of its own. Internal to auth/.
 *
 *     struct gm_key_source *source;
 *     GM_TRY(gm_key_source_open(&options, &source, err));
 *     struct gm_keys *keys = gm_key_source_take(source, &round);   // counted: gm_keys_release
 *     … no such key: gm_key_source_want(source, round, may_wait, &retry_after_s) …
 *     gm_key_source_close(source);
 *
 * Keys stay when a fetch fails, or brings nothing of use: the failure is told once by
 * gm_key_source_problem. Thread rule: any thread. */
#ifndef GM_AUTH_KEY_SOURCE_H
#define GM_AUTH_KEY_SOURCE_H

#include "auth/keys.h"
#include "os/clock.h"

struct gm_key_source_options {
    const char *place_z;   /* path, or http(s) URL */
    const char *ca_file_z; /* keeps; NULL: the system's authorities */
    gm_ns pause;           /* between fetches for unknown keys; 0: 30 s */
    gm_ns age;             /* after which keys are fetched anew; 0: 1 h */
    gm_ns timeout;         /* of one fetch; 0: 10 s */
    const struct gm_clock *clock;
};

struct gm_key_source;
/* GM_E_CONFIG: the file is not there, or wrong. A URL is fetched in the background. */
gm_rc gm_key_source_open(const struct gm_key_source_options *options,
                         struct gm_key_source **out_source, struct gm_err *err) GM_MUST_CHECK;
void gm_key_source_close(struct gm_key_source *source); /* NULL is fine */

/* NULL: there are none yet. */
struct gm_keys *gm_key_source_take(struct gm_key_source *source, uint64_t *out_round);
/* Grows with each change of the keys. */
uint64_t gm_key_source_round(struct gm_key_source *source);
/* To be called now and then: reads a file that changed, has keys fetched that are old. */
void gm_key_source_look(struct gm_key_source *source);

enum gm_keys_wanted {
    GM_KEYS_CURRENT,     /* they were fetched just now: there are no others */
    GM_KEYS_FETCHED,     /* look again */
    GM_KEYS_UNREACHABLE, /* not now; *out_retry_after_s is set */
};
/* A key is not known among those of `round`. Has them fetched, unless that was done less than
 * `pause` ago, and waits for it when it may. */
enum gm_keys_wanted gm_key_source_want(struct gm_key_source *source, uint64_t round, bool may_wait,
                                       int64_t *out_retry_after_s);
bool gm_key_source_problem(struct gm_key_source *source, char out_text[GM_ERR_TEXT_SIZE]);

#endif
