/* Secrets that this process knows, so that they are kept out of whatever it says: texts of errors
 * (which reach logs, reports, dead letters and answers) and log lines show *** in their place.
 *
 *     gm_secret_add(password);
 *     gm_fail(err, GM_E_CONFIG, "%s: refused", url_z);   // "postgresql://erp:***@db: refused"
 *
 * The configuration adds what its references give. What was added stays until the process ends: a
 * former configuration may still be spoken of. Thread rule: adding and scrubbing from any thread;
 * forgetting when no other thread does either. */
#ifndef GM_BASE_SECRETS_H
#define GM_BASE_SECRETS_H

#include "base/str.h"

/* Bytes: what is shorter is no secret, and scrubbing it would garble what is said. */
enum { GM_SECRET_SIZE_MIN = 4 };

/* Keeps a copy. What is known, or shorter than GM_SECRET_SIZE_MIN, adds nothing. */
void gm_secret_add(struct gm_str secret);
/* Replaces each secret in the `n` bytes of `text` by ***, in place: the longest, where several
 * begin at the same byte. Returns the new length; writes no terminator. */
size_t gm_secrets_scrub(char *text, size_t n);
void gm_secrets_forget(void); /* for tests */

#endif
