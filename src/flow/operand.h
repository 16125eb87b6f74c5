/* JSON values, and cells of records, as operands of conditions (expr/match.h).
 *
 *     gm_operand_of_json(out_value, gm_path_in(path, root));
 *
 * Whole numbers above the range of 64 bits with sign are doubles. Texts borrow from the value.
 * Thread rule: values, no shared state. */
#ifndef GM_FLOW_OPERAND_H
#define GM_FLOW_OPERAND_H

#include "expr/match.h"
#include "flow/record.h"

void gm_operand_of_json(struct gm_operand *out, yyjson_val *value); /* NULL: absent */
void gm_operand_of_mut(struct gm_operand *out, yyjson_mut_val *value);
void gm_operand_of_cell(struct gm_operand *out, const struct gm_cell *cell); /* never absent */

/* struct gm_match_values.next, of arrays of the first; and of the others. */
const void *gm_operand_next_json(const struct gm_operand *array, const void *item,
                                 struct gm_operand *out_value);
const void *gm_operand_next_mut(const struct gm_operand *array, const void *item,
                                struct gm_operand *out_value);

#endif
