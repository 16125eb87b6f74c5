/* Whether twins that commands refer to are there. Internal to this folder.
 *
 * Thread rule: locked inside. */
#ifndef GM_COMMAND_TWINS_H
#define GM_COMMAND_TWINS_H

#include "store/store.h"

struct gm_command_twins;
gm_rc gm_command_twins_new(struct gm_store *store, struct gm_command_twins **out_twins,
                           struct gm_err *err) GM_MUST_CHECK;
void gm_command_twins_free(struct gm_command_twins *twins); /* NULL is fine */
/* GM_E_END: there is no such twin, or it is of another model (n 0: any). */
gm_rc gm_command_twins_find(struct gm_command_twins *twins, struct gm_str id, struct gm_str model,
                            struct gm_err *err) GM_MUST_CHECK;

#endif
