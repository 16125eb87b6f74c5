/* Equality of values, whatever the order of members. */
#include <stdlib.h>

#include "base/mem.h"
#include "json/nodes.h"

/* Objects up to this size are compared by looking each name up, larger ones through sorted
 * pointers. */
enum { LOOKUP_MAX = 32 };

static bool equal_within(const yyjson_mut_val *a, const yyjson_mut_val *b, bool by_value,
                         size_t depth);

static double number(const yyjson_mut_val *value)
{
    switch (gm_json_subtype(value)) {
    case YYJSON_SUBTYPE_UINT:
        return (double)value->uni.u64;
    case YYJSON_SUBTYPE_SINT:
        return (double)value->uni.i64;
    default:
        return value->uni.f64;
    }
}

static bool equal_numbers(const yyjson_mut_val *a, const yyjson_mut_val *b, bool by_value)
{
    bool a_real = gm_json_subtype(a) == YYJSON_SUBTYPE_REAL;
    bool b_real = gm_json_subtype(b) == YYJSON_SUBTYPE_REAL;
    if (by_value && a_real != b_real) {
        return number(a) >= number(b) && number(a) <= number(b);
    }
    if (by_value && a_real) {
        return a->uni.f64 >= b->uni.f64 && a->uni.f64 <= b->uni.f64;
    }
    if (a_real != b_real || a->uni.u64 != b->uni.u64) {
        return false; /* the bits: -0.0 and 0.0 have different canonical text */
    }
    return a_real || gm_json_subtype(a) == gm_json_subtype(b) || a->uni.i64 >= 0;
}

static bool equal_arrays(const yyjson_mut_val *a, const yyjson_mut_val *b, bool by_value,
                         size_t depth)
{
    const yyjson_mut_val *x = gm_json_first_item(a);
    const yyjson_mut_val *y = gm_json_first_item(b);
    for (size_t left = gm_json_len(a); left > 0; left--) {
        if (!equal_within(x, y, by_value, depth + 1)) {
            return false;
        }
        x = x->next;
        y = y->next;
    }
    return true;
}

static int compare_names(const void *a, const void *b)
{
    const yyjson_mut_val *const *x = a;
    const yyjson_mut_val *const *y = b;
    return gm_json_name_cmp(*x, *y);
}

static const yyjson_mut_val **sorted_names(const yyjson_mut_val *object)
{
    size_t count = gm_json_len(object);
    const yyjson_mut_val **names = gm_alloc_array(count, sizeof(*names));
    const yyjson_mut_val *name = gm_json_first_name(object);
    for (size_t i = 0; i < count; i++) {
        names[i] = name;
        name = name->next->next;
    }
    qsort(names, count, sizeof(*names), compare_names);
    return names;
}

/* A third of the memory that the objects have already: lookups would take time by the square of the
 * count. */
static bool equal_large_objects(const yyjson_mut_val *a, const yyjson_mut_val *b, bool by_value,
                                size_t depth)
{
    size_t count = gm_json_len(a);
    const yyjson_mut_val **a_names = sorted_names(a);
    const yyjson_mut_val **b_names = sorted_names(b);
    bool equal = true;
    for (size_t i = 0; i < count && equal; i++) {
        equal = gm_json_name_cmp(a_names[i], b_names[i]) == 0 &&
                equal_within(a_names[i]->next, b_names[i]->next, by_value, depth + 1);
    }
    gm_free(a_names);
    gm_free(b_names);
    return equal;
}

static bool equal_objects(const yyjson_mut_val *a, const yyjson_mut_val *b, bool by_value,
                          size_t depth)
{
    const yyjson_mut_val *x = gm_json_first_name(a);
    const yyjson_mut_val *y = gm_json_first_name(b);
    size_t count = gm_json_len(a);
    for (size_t left = count; left > 0; left--) {
        const yyjson_mut_val *other = NULL;
        if (gm_json_name_cmp(x, y) ==
            0) { /* nearly always: both sides were written by the same hand */
            other = y->next;
        } else if (count > LOOKUP_MAX) {
            return equal_large_objects(a, b, by_value, depth);
        } else {
            other = gm_json_member(b, gm_json_view(x));
        }
        if (other == NULL || !equal_within(x->next, other, by_value, depth + 1)) {
            return false;
        }
        x = x->next->next;
        y = y->next->next;
    }
    return true;
}

static bool equal_within(const yyjson_mut_val *a, const yyjson_mut_val *b, bool by_value,
                         size_t depth)
{
    yyjson_type type = gm_json_type(a);
    if (type != gm_json_type(b) || depth > GM_JSON_DEPTH_MAX + 1) {
        return false;
    }
    switch (type) {
    case YYJSON_TYPE_NULL:
        return true;
    case YYJSON_TYPE_BOOL:
        return gm_json_subtype(a) == gm_json_subtype(b);
    case YYJSON_TYPE_NUM:
        return equal_numbers(a, b, by_value);
    case YYJSON_TYPE_STR:
    case YYJSON_TYPE_RAW:
        return gm_str_eq(gm_json_view(a), gm_json_view(b));
    case YYJSON_TYPE_ARR:
        return gm_json_len(a) == gm_json_len(b) &&
               (gm_json_len(a) == 0 || equal_arrays(a, b, by_value, depth));
    case YYJSON_TYPE_OBJ:
        return gm_json_len(a) == gm_json_len(b) &&
               (gm_json_len(a) == 0 || equal_objects(a, b, by_value, depth));
    default:
        return false;
    }
}

bool gm_json_equal(const yyjson_mut_val *a, const yyjson_mut_val *b)
{
    return a == b || (a != NULL && b != NULL && equal_within(a, b, false, 1));
}

bool gm_json_equal_value(const yyjson_mut_val *a, const yyjson_mut_val *b)
{
    return equal_within(a, b, true, 1);
}
