/* A condition over one JSON value, by the rules of expr/match.h: of views, and of commands.
 *
 *     struct gm_condition *condition;
 *     GM_TRY(gm_condition_new(GM_STR("status = 'running' AND hours < 500"), &condition, err));
 *     if (gm_condition_holds(condition, value)) { … }
 *     gm_condition_free(condition);
 *
 * Paths begin at the value. Its types are those of JSON, so nothing is read as something else: the
 * text '5' is no number. IS_OF_MODEL cannot be asked. Thread rule: read-only once made, and shared;
 * asking allocates nothing. */
#ifndef GM_FLOW_CONDITION_H
#define GM_FLOW_CONDITION_H

#include "base/status.h"
#include "json/json.h"

struct gm_condition;
/* `text` is copied. GM_E_CONFIG: it is no condition; line and column, and why. */
gm_rc gm_condition_new(struct gm_str text, struct gm_condition **out_condition, struct gm_err *err)
    GM_MUST_CHECK;
void gm_condition_free(struct gm_condition *condition); /* NULL is fine */
/* `value` NULL: nothing stands in it. */
bool gm_condition_holds(const struct gm_condition *condition, yyjson_val *value);
bool gm_condition_holds_mut(const struct gm_condition *condition, yyjson_mut_val *value);

#endif
