/* Who reads streams, and how far behind each is: the pipelines of a configuration, by the positions
 * that the store has of them, and the views of a process that keeps them up.
 *
 *     struct gm_consumers_options options = {.hub = hub, .config = config, .db = db};
 *     GM_TRY(gm_consumers_each(&options, print, ctx, err));
 *
 * Thread rule: the connection's thread. */
#ifndef GM_CLI_CONSUMERS_H
#define GM_CLI_CONSUMERS_H

#include "cli/command.h"
#include "hub/hub.h"

struct gm_consumers_options {
    const struct gm_hub *hub;
    const struct gm_config *config;
    struct gm_db *db; /* a reading connection to the store */
};
struct gm_consumer {
    const char *name_z; /* of the pipeline */
    struct gm_str stream;
    int64_t lag; /* events that are committed and were not delivered yet */
};
gm_rc gm_consumers_each(const struct gm_consumers_options *options,
                        void (*fn)(void *ctx, const struct gm_consumer *consumer), void *ctx,
                        struct gm_err *err) GM_MUST_CHECK;

/* The views of the `gemel run` at work here, as a table behind an empty line; nothing when there is
 * none, or it has none. */
void gm_consumers_print_views(struct gm_args *args);
/* As a table behind an empty line; nothing when there are none. */
gm_rc gm_consumers_print(const struct gm_hub *hub, const struct gm_config *config, struct gm_db *db,
                         struct gm_err *err) GM_MUST_CHECK;

#endif
