/* Who we are to a service over HTTP: the value of its `Authorization` header. A static token, OAuth
 * 2 client credentials (RFC 6749, 4.4), or the managed identity of the machine (Azure's instance
 * metadata service). Shared by sinks outside the store.
 *
 *     GM_FIELD_CHOICE(struct x_conf, auth, .alternatives = gm_credential_alternatives, …)
 *     struct gm_credential *credential = gm_credential_new(&conf->auth, clock);
 *     GM_TRY(gm_credential_header(credential, stop, &authorization_z, err));
 *     gm_credential_free(credential);
 *
 * Tokens are kept until shortly before they expire. No message holds a token or a secret. Thread
 * rule: one owner. */
#ifndef GM_CONNECT_CREDENTIAL_H
#define GM_CONNECT_CREDENTIAL_H

#include "conf/conf.h"
#include "os/clock.h"

const struct gm_alternative *const *gm_credential_alternatives(void);

struct gm_credential;
/* Keeps the settings. */
struct gm_credential *gm_credential_new(const struct gm_conf_choice *choice,
                                        const struct gm_clock *clock);
void gm_credential_free(struct gm_credential *credential); /* NULL is fine */

/* "Bearer …", borrowed until the next call; NULL: none was configured. Asks for a token where the
 * one at hand is about to expire. GM_E_RETRY: the issuer is down or busy; GM_E_CONFIG: it refuses.
 */
gm_rc gm_credential_header(struct gm_credential *credential, const struct gm_stop *stop,
                           const char **out_authorization_z, struct gm_err *err) GM_MUST_CHECK;
/* Which token that was: the number of those before it. */
uint64_t gm_credential_generation(const struct gm_credential *credential);
/* The service refused that token (401): the next call asks for another, unless that has happened.
 * False: there is no other. */
bool gm_credential_renew(struct gm_credential *credential, uint64_t generation);

#endif
