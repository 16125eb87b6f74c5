/* How far behind everybody is who reads a stream (api/consumers.h): as the process says that has
 * the data directory, or else as it is saved there.
 *
 *     GM_TRY(gm_consumers_print(args, err));
 *
 * Thread rule: the command's thread. */
#ifndef GM_CLI_CONSUMERS_H
#define GM_CLI_CONSUMERS_H

#include "cli/command.h"

/* [{"kind","name","stream","lag","error"}]; [] when the configuration has no streams, or is not
 * known. */
gm_rc gm_consumers_json(struct gm_args *args, struct gm_buf *out, struct gm_err *err) GM_MUST_CHECK;
/* As a table behind an empty line; nothing when there are none. */
gm_rc gm_consumers_print(struct gm_args *args, struct gm_err *err) GM_MUST_CHECK;

#endif
