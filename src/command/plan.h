/* A command, compiled: what its body must be like, the key that it makes, what has to be there.
 * Internal to this folder.
 *
 *     struct gm_command_plan *plan;
 *     GM_TRY(gm_command_plan_new(entry, stream_conf, &plan, err));
 *     gm_fields_check(plan->fields, body, &problems);
 *
 * Thread rule: read-only once made. */
#ifndef GM_COMMAND_PLAN_H
#define GM_COMMAND_PLAN_H

#include "command/conf.h"
#include "command/fields.h"
#include "flow/condition.h"
#include "hub/stream_conf.h"
#include "hub/template.h"

struct gm_command_refer {
    const struct gm_command_refer_conf *conf;
    struct gm_pattern id; /* of a twin, or the entity's key */
};
struct gm_command_plan {
    const char *name_z;
    const struct gm_command_conf *conf;
    struct gm_arena *arena; /* of templates */
    struct gm_fields *fields;
    struct gm_pattern key;
    struct gm_command_refer *refers; /* conf->refers.n of them */
    struct gm_condition *require;    /* NULL: none */
};

/* Both configurations are kept. GM_E_CONFIG: what is wrong with it. */
gm_rc gm_command_plan_new(const struct gm_conf_map_entry *entry,
                          const struct gm_stream_conf *stream, struct gm_command_plan **out_plan,
                          struct gm_err *err) GM_MUST_CHECK;
/* As GET /commands has it. */
void gm_command_plan_write(const struct gm_command_plan *plan, struct gm_buf *out);
void gm_command_plan_free(struct gm_command_plan *plan); /* NULL is fine */

#endif
