/* A condition over one JSON value, as `filter` understands it (step/filter.c): for whoever has a
 * value and no pipeline.
 *
 *     struct gm_condition *condition;
 *     GM_TRY(gm_condition_new(GM_STR("status = 'running' AND hours < 500"), &condition, err));
 *     if (gm_condition_holds(condition, value)) { … }
 *     gm_condition_free(condition);
 *
 * Thread rule: read-only once made, and shared. */
#ifndef GM_STEP_CONDITION_H
#define GM_STEP_CONDITION_H

#include "base/status.h"
#include "json/json.h"

struct gm_condition;
/* `text` is copied. GM_E_CONFIG: it is no condition. */
gm_rc gm_condition_new(struct gm_str text, struct gm_condition **out_condition, struct gm_err *err)
    GM_MUST_CHECK;
void gm_condition_free(struct gm_condition *condition); /* NULL is fine */
/* Paths begin at `value`, an object. */
bool gm_condition_holds(const struct gm_condition *condition, yyjson_mut_val *value);

#endif
