#include "flow/operand.h"

/* Values are put where they are wanted, piece by piece: to hand over the struct would read at once
 * what was just written in pieces, which processors are slow at. */

static void put_array(struct gm_operand *out, const void *array, size_t count)
{
    out->type = GM_OPERAND_ARRAY;
    out->as.array.p = array;
    out->as.array.count = count;
}

static void put_number(struct gm_operand *out, yyjson_val *value)
{
    if (yyjson_is_sint(value) ||
        (yyjson_is_uint(value) && unsafe_yyjson_get_uint(value) <= INT64_MAX)) {
        out->type = GM_OPERAND_INT;
        out->as.i = unsafe_yyjson_get_sint(value);
    } else {
        out->type = GM_OPERAND_DOUBLE;
        out->as.d = yyjson_get_num(value);
    }
}

void gm_operand_of_json(struct gm_operand *out, yyjson_val *value)
{
    switch (value != NULL ? unsafe_yyjson_get_type(value) : YYJSON_TYPE_NONE) {
    case YYJSON_TYPE_NONE:
        out->type = GM_OPERAND_ABSENT;
        break;
    case YYJSON_TYPE_STR:
        out->type = GM_OPERAND_TEXT;
        out->as.text.p = unsafe_yyjson_get_str(value);
        out->as.text.n = unsafe_yyjson_get_len(value);
        break;
    case YYJSON_TYPE_NUM:
        put_number(out, value);
        break;
    case YYJSON_TYPE_BOOL:
        out->type = GM_OPERAND_BOOL;
        out->as.b = unsafe_yyjson_get_bool(value);
        break;
    case YYJSON_TYPE_ARR:
        put_array(out, value, unsafe_yyjson_get_len(value));
        break;
    case YYJSON_TYPE_OBJ:
        out->type = GM_OPERAND_OBJECT;
        break;
    default:
        out->type = GM_OPERAND_NULL;
        break;
    }
}

void gm_operand_of_cell(struct gm_operand *out, const struct gm_cell *cell)
{
    switch (cell->type) {
    case GM_CELL_NULL:
        out->type = GM_OPERAND_NULL;
        break;
    case GM_CELL_BOOL:
        out->type = GM_OPERAND_BOOL;
        out->as.b = cell->as.b;
        break;
    case GM_CELL_INT:
        out->type = GM_OPERAND_INT;
        out->as.i = cell->as.i;
        break;
    case GM_CELL_DOUBLE:
        out->type = GM_OPERAND_DOUBLE;
        out->as.d = cell->as.d;
        break;
    case GM_CELL_TEXT:
        out->type = GM_OPERAND_TEXT;
        out->as.text.p = cell->as.s.p;
        out->as.text.n = cell->as.s.n;
        break;
    case GM_CELL_BYTES:
        out->type = GM_OPERAND_OTHER;
        break;
    case GM_CELL_JSON:
        out->type = GM_OPERAND_OBJECT;
        if (yyjson_mut_is_arr(cell->as.json)) {
            put_array(out, cell->as.json, yyjson_mut_arr_size(cell->as.json));
        }
        break;
    }
}

void gm_operand_of_mut(struct gm_operand *out, yyjson_mut_val *value)
{
    struct gm_cell cell = gm_cell_of_json(value);
    gm_operand_of_cell(out, &cell);
    if (value == NULL) {
        out->type = GM_OPERAND_ABSENT;
    }
}

/* ---- items of arrays ---- */

/* yyjson's readers take values that are not const, and change none: hence the unions. */

const void *gm_operand_next_json(const struct gm_operand *array, const void *item,
                                 struct gm_operand *out_value)
{
    union {
        const void *in;
        yyjson_val *value;
    } at = {.in = item != NULL ? item : array->as.array.p};
    at.value = item != NULL ? unsafe_yyjson_get_next(at.value) : unsafe_yyjson_get_first(at.value);
    gm_operand_of_json(out_value, at.value);
    return at.value;
}

const void *gm_operand_next_mut(const struct gm_operand *array, const void *item,
                                struct gm_operand *out_value)
{
    union {
        const void *in;
        yyjson_mut_val *value;
    } at = {.in = item != NULL ? item : array->as.array.p};
    at.value = item != NULL ? at.value->next : yyjson_mut_arr_get_first(at.value);
    gm_operand_of_mut(out_value, at.value);
    return at.value;
}
