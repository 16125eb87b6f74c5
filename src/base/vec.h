/* Growing arrays of values.
 *
 *     GM_VEC(int) numbers = {0};
 *     *gm_vec_push(&numbers) = 7;
 *     for (size_t i = 0; i < numbers.n; i++) { use(numbers.at[i]); }
 *     gm_vec_deinit(&numbers);
 *
 * Growth aborts when memory is out: use it where the program, or a checked limit, bounds the count. */
#ifndef GM_BASE_VEC_H
#define GM_BASE_VEC_H

#include <stddef.h>

#include "base/mem.h"

#define GM_VEC(type)                                                                               \
    struct {                                                                                       \
        type *at;                                                                                  \
        size_t n;                                                                                  \
        size_t capacity;                                                                           \
    }

/* Makes room for one more and returns the new capacity's memory. For use by gm_vec_push only. */
void *gm_vec_grow(void *at, size_t *capacity, size_t n, size_t item_size);

/* A pointer to a new, zeroed last item. */
#define gm_vec_push(vec)                                                                           \
    ((vec)->at = gm_vec_grow((vec)->at, &(vec)->capacity, (vec)->n, sizeof(*(vec)->at)),           \
     &(vec)->at[(vec)->n++])

#define gm_vec_deinit(vec)                                                                         \
    (gm_free((vec)->at), (vec)->at = NULL, (vec)->n = 0, (vec)->capacity = 0)

#endif
