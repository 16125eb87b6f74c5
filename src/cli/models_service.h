/* Models into a service that speaks the twin API, over its own operations: another Gemel, or Azure
 * Digital Twins. */
#ifndef GM_CLI_MODELS_SERVICE_H
#define GM_CLI_MODELS_SERVICE_H

#include "json/json.h"

enum { GM_MODELS_PER_CALL = 250 }; /* what the service takes */

struct gm_models_service {
    const char *url_z;
    const char *authorization_z; /* "Bearer …" */
    const char *ca_file_z;       /* NULL: the system's */
};
/* Uploads what the service does not have yet, what others need first, in as few calls as it allows.
 * `interfaces` is an array; `doc` is for what is read. *out_added counts what was uploaded, also
 * when a later call fails. */
gm_rc gm_models_send(const struct gm_models_service *service, yyjson_mut_doc *doc,
                     yyjson_mut_val *interfaces, size_t *out_added, struct gm_err *err)
    GM_MUST_CHECK;

#endif
