#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn static void out_of_memory(size_t size)
{
    (void)fprintf(stderr, "gemel: out of memory: %zu bytes are not to be had; stopping\n", size);
    abort();
}

void *gm_alloc(size_t size)
{
    void *p = calloc(1, size > 0 ? size : 1);
    if (p == NULL) {
        out_of_memory(size);
    }
    return p;
}

void *gm_alloc_array(size_t count, size_t size)
{
    GM_ASSERT(size == 0 || count <= SIZE_MAX / size);
    return gm_alloc(count * size);
}

void *gm_realloc_try(void *p, size_t size)
{
    return realloc(p, size > 0 ? size : 1);
}

void *gm_realloc(void *p, size_t size)
{
    void *moved = gm_realloc_try(p, size);
    if (moved == NULL) {
        out_of_memory(size);
    }
    return moved;
}

void gm_free(void *p)
{
    free(p);
}

char *gm_strdup_z(const char *z)
{
    return z != NULL ? gm_str_dup_z(gm_str_z(z)) : NULL;
}

char *gm_str_dup_z(struct gm_str s)
{
    char *copy = gm_realloc(NULL, s.n + 1);
    if (s.n > 0) {
        memcpy(copy, s.p, s.n);
    }
    copy[s.n] = '\0';
    return copy;
}

char *gm_format_z(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    GM_ASSERT(n >= 0);
    char *text = gm_realloc(NULL, (size_t)n + 1);
    (void)vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

void gm_free_cleanup(void *pp)
{
    void *p;
    memcpy(&p, pp, sizeof(p)); /* pp points to a pointer of any type: copied, not cast */
    gm_free(p);
}
