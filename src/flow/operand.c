#include "flow/operand.h"

static struct gm_operand array_of(const void *array, size_t count)
{
    return (struct gm_operand){
        .type = GM_OPERAND_ARRAY, .as.array.p = array, .as.array.count = count};
}

struct gm_operand gm_operand_of_json(yyjson_val *value)
{
    if (value == NULL) {
        return (struct gm_operand){.type = GM_OPERAND_ABSENT};
    }
    switch (unsafe_yyjson_get_type(value)) {
    case YYJSON_TYPE_STR:
        return (struct gm_operand){
            .type = GM_OPERAND_TEXT,
            .as.text = {unsafe_yyjson_get_str(value), unsafe_yyjson_get_len(value)}};
    case YYJSON_TYPE_NUM:
        if (yyjson_is_sint(value) ||
            (yyjson_is_uint(value) && unsafe_yyjson_get_uint(value) <= INT64_MAX)) {
            return (struct gm_operand){.type = GM_OPERAND_INT,
                                       .as.i = unsafe_yyjson_get_sint(value)};
        }
        return (struct gm_operand){.type = GM_OPERAND_DOUBLE, .as.d = yyjson_get_num(value)};
    case YYJSON_TYPE_BOOL:
        return (struct gm_operand){.type = GM_OPERAND_BOOL, .as.b = unsafe_yyjson_get_bool(value)};
    case YYJSON_TYPE_ARR:
        return array_of(value, unsafe_yyjson_get_len(value));
    case YYJSON_TYPE_OBJ:
        return (struct gm_operand){.type = GM_OPERAND_OBJECT};
    default:
        return (struct gm_operand){.type = GM_OPERAND_NULL};
    }
}

const void *gm_operand_next_json(const struct gm_operand *array, const void *item,
                                 struct gm_operand *out_value)
{
    /* yyjson's readers take values that are not const, and change none. */
    union {
        const void *in;
        yyjson_val *value;
    } at = {.in = item != NULL ? item : array->as.array.p};
    at.value = item != NULL ? unsafe_yyjson_get_next(at.value) : unsafe_yyjson_get_first(at.value);
    *out_value = gm_operand_of_json(at.value);
    return at.value;
}

struct gm_operand gm_operand_of_mut(yyjson_mut_val *value)
{
    if (value == NULL) {
        return (struct gm_operand){.type = GM_OPERAND_ABSENT};
    }
    struct gm_cell cell = gm_cell_of_json(value);
    return gm_operand_of_cell(&cell);
}

const void *gm_operand_next_mut(const struct gm_operand *array, const void *item,
                                struct gm_operand *out_value)
{
    union {
        const void *in;
        yyjson_mut_val *value;
    } at = {.in = item != NULL ? item : array->as.array.p};
    at.value = item != NULL ? at.value->next : yyjson_mut_arr_get_first(at.value);
    *out_value = gm_operand_of_mut(at.value);
    return at.value;
}

struct gm_operand gm_operand_of_cell(const struct gm_cell *cell)
{
    switch (cell->type) {
    case GM_CELL_BOOL:
        return (struct gm_operand){.type = GM_OPERAND_BOOL, .as.b = cell->as.b};
    case GM_CELL_INT:
        return (struct gm_operand){.type = GM_OPERAND_INT, .as.i = cell->as.i};
    case GM_CELL_DOUBLE:
        return (struct gm_operand){.type = GM_OPERAND_DOUBLE, .as.d = cell->as.d};
    case GM_CELL_TEXT:
        return (struct gm_operand){.type = GM_OPERAND_TEXT, .as.text = cell->as.s};
    case GM_CELL_BYTES:
        return (struct gm_operand){.type = GM_OPERAND_OTHER};
    case GM_CELL_JSON:
        return yyjson_mut_is_arr(cell->as.json)
                   ? array_of(cell->as.json, yyjson_mut_arr_size(cell->as.json))
                   : (struct gm_operand){.type = GM_OPERAND_OBJECT};
    case GM_CELL_NULL:
        break;
    }
    return (struct gm_operand){.type = GM_OPERAND_NULL};
}
