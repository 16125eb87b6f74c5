/* Texts with paths in braces (flow/pattern.h), of settings by name. Internal to this folder.
 *
 *     GM_TRY(gm_hub_template_parse(arena, "key", text_z, &template, err));
 *     … for i: template.literals[i], the text at template.paths[i], …, the last literal …
 *
 * Without braces the whole text is a path. Thread rule: values, read-only once parsed. */
#ifndef GM_HUB_TEMPLATE_H
#define GM_HUB_TEMPLATE_H

#include "base/num.h"
#include "flow/pattern.h"

/* `text_z` NULL: none. Literals are in the arena, paths borrow from the text. Messages call it
 * `name_z`. */
gm_rc gm_hub_template_parse(struct gm_arena *arena, const char *name_z, const char *text_z,
                            struct gm_pattern *out_template, struct gm_err *err) GM_MUST_CHECK;

/* The text of a string, number or truth value, in `digits` where it has to be made. n 0: null, or
 * nothing. p NULL and n 1: an object or an array. */
struct gm_str gm_scalar_text(yyjson_val *value, char digits[GM_NUM_TEXT_SIZE]);

#endif
