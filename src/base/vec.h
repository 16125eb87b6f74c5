/* Growing arrays of values.
 *
 *     GM_VEC(int) numbers = {0};
 *     *gm_vec_push(&numbers) = 7;
 *     for (size_t i = 0; i < numbers.n; i++) { use(numbers.at[i]); }
 *     gm_vec_deinit(&numbers);
 *
 * Items move when the array grows: a pointer from gm_vec_push holds until the next push. Setting
 * `n` to less drops items and keeps the memory. Growth aborts when memory is out: use it where the
 * program, or a checked limit, bounds the count. The macros evaluate `vec` several times: pass a
 * plain pointer.
 * Thread rule: one owner. */
#ifndef GM_BASE_VEC_H
#define GM_BASE_VEC_H

#include <stddef.h>
#include <string.h>

#include "base/mem.h"

#define GM_VEC(type)                                                                               \
    struct {                                                                                       \
        type *at;                                                                                  \
        size_t n;                                                                                  \
        size_t capacity;                                                                           \
    }

/* Makes the array larger and returns where it is now. For use by gm_vec_grow only. */
void *gm_vec_enlarge(void *at, size_t *capacity, size_t item_size);

/* Makes room for one more, zeroes it, and returns where the array is now. For use by gm_vec_push
 * only. */
static inline void *gm_vec_grow(void *at, size_t *capacity, size_t n, size_t item_size)
{
    if (n == *capacity) {
        at = gm_vec_enlarge(at, capacity, item_size);
    }
    memset((char *)at + n * item_size, 0, item_size);
    return at;
}

/* A pointer to a new, zeroed last item. */
#define gm_vec_push(vec)                                                                           \
    ((vec)->at = gm_vec_grow((vec)->at, &(vec)->capacity, (vec)->n, sizeof(*(vec)->at)),           \
     &(vec)->at[(vec)->n++])

#define gm_vec_deinit(vec) (gm_free((vec)->at), (vec)->at = NULL, (vec)->n = 0, (vec)->capacity = 0)

#endif
