/* Which events a value is taken from: a condition on their bodies. Internal to this folder.
 *
 *     GM_TRY(gm_view_when_new(arena, GM_STR("kind = 'temperature'"), &when, err));
 *     if (gm_view_when_is(when, body)) { … }
 *
 * Conditions are those of expr/expr.h, as far as they compare what stands at a path of the body
 * with a value: = != < <= > >=, IN, IS_DEFINED, AND, OR, NOT. Texts compare by their bytes, numbers
 * as numbers; what is of another kind, or absent, is equal to nothing and neither less nor greater.
 *
 * Thread rule: read-only once made; it lives in the arena and borrows from the text. */
#ifndef GM_VIEW_WHEN_H
#define GM_VIEW_WHEN_H

#include "base/arena.h"
#include "json/json.h"

struct gm_view_when;
/* GM_E_INVALID: the text is no such condition; where and why. */
gm_rc gm_view_when_new(struct gm_arena *arena, struct gm_str text, struct gm_view_when **out_when,
                       struct gm_err *err) GM_MUST_CHECK;
/* body NULL: nothing stands in it */
bool gm_view_when_is(const struct gm_view_when *when, yyjson_val *body);

#endif
