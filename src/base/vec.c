#include "base/vec.h"

#include <stdint.h>

enum { VEC_CAPACITY_MIN = 8 };

void *gm_vec_enlarge(void *at, size_t *capacity, size_t item_size)
{
    GM_ASSERT(*capacity <= SIZE_MAX / 2 / item_size);
    size_t larger = *capacity > 0 ? *capacity * 2 : VEC_CAPACITY_MIN;
    at = gm_realloc(at, larger * item_size);
    *capacity = larger;
    return at;
}
