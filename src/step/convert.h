/* Converting cells and JSON values to values of a schema. Private to step/.
 *
 * A converted value is new and belongs to `doc`; its strings borrow from the cell or lie in the
 * arena. Members stand in byte order. Errors: GM_E_INVALID, with "expected double, found `12,50`";
 * GM_E_LIMIT when the arena is full. */
#ifndef GM_STEP_CONVERT_H
#define GM_STEP_CONVERT_H

#include "step/internal.h"

struct gm_convert {
    struct gm_arena *arena;
    yyjson_mut_doc *doc; /* of the arena */
};

/* A value of `schema` (NULL: as the cell is) out of a cell that is not null. */
gm_rc gm_convert_cell(const struct gm_convert *to, const struct gm_schema *schema,
                      const struct gm_cell *cell, yyjson_mut_val **out_value, struct gm_err *err)
    GM_MUST_CHECK;
/* A component out of a JSON object: "$metadata":{}, then its properties; null ones are left out. */
gm_rc gm_convert_component(const struct gm_convert *to, const struct gm_model *model,
                           const struct gm_cell *cell, yyjson_mut_val **out_value,
                           struct gm_err *err) GM_MUST_CHECK;
/* The pieces of a text between separators, trimmed, empty ones left out, each converted to
 * `item`. */
gm_rc gm_convert_split(const struct gm_convert *to, const struct gm_split *split,
                       struct gm_str text, yyjson_mut_val **out_value, struct gm_err *err)
    GM_MUST_CHECK;
/* Text that holds JSON becomes the cell it stands for; other cells stay as they are. */
gm_rc gm_convert_parse(const struct gm_convert *to, struct gm_cell *cell, struct gm_err *err)
    GM_MUST_CHECK;

/* GEO, OBJECT, MAP and ARRAY, for gm_convert_cell. */
gm_rc gm_convert_structure(const struct gm_convert *to, const struct gm_schema *schema,
                           const struct gm_cell *cell, yyjson_mut_val **out_value,
                           struct gm_err *err) GM_MUST_CHECK;

bool gm_convert_integer_of(const struct gm_cell *cell, int64_t *out_i);
yyjson_mut_val *gm_convert_integer(const struct gm_convert *to, int64_t i);
/* "expected <what>, found <the cell, shortened>" */
gm_rc gm_convert_fail(const char *expected_z, const struct gm_cell *cell, struct gm_err *err);
gm_rc gm_convert_fail_full(struct gm_err *err);
/* GM_E_INVALID when `text` is not UTF-8 or holds a NUL. */
gm_rc gm_convert_check_text(struct gm_str text, struct gm_err *err) GM_MUST_CHECK;
/* The schema of a primitive type by its DTDL name; NULL: there is none. */
const struct gm_schema *gm_convert_primitive(struct gm_str name);
void gm_convert_nearest_primitive(struct gm_nearest *nearest);

#endif
