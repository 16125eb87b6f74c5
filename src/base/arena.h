/* Arenas: memory that is freed all at once. A batch owns one; what flows is allocated there and
 * dies with it.
 *
 *     struct gm_arena *arena = gm_arena_new(64 << 20);
 *     char *p = gm_arena_alloc(arena, n);          // NULL: the limit is reached
 *     gm_arena_reset(arena);                       // keeps the memory for the next batch
 *     gm_arena_free(arena);
 *
 * Memory is aligned to 16 bytes and not zeroed. The limit counts bytes handed out, in steps of 16;
 * it is how input-sized memory is bounded, and NULL is also the answer when the process has no
 * memory left. Memory comes in chunks that grow from 4 KiB to 1 MiB; what is larger than a quarter
 * of the next chunk gets one of its own. gm_arena_reset keeps at most GM_ARENA_KEEP_SIZE so that
 * one huge batch does not raise the level for ever.
 * Thread rule: one owner at a time; an arena travels with its batch through queues. */
#ifndef GM_BASE_ARENA_H
#define GM_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/status.h"
#include "base/str.h"

enum { GM_ARENA_KEEP_SIZE = 16 << 20, GM_ARENA_ALIGN = 16 };

/* Shown for the inline allocation only; the fields belong to arena.c. */
struct gm_arena_chunk;
struct gm_arena {
    char *next; /* free bytes of the current chunk, cut to what the limit still allows; both aligned
                 */
    char *end;
    struct gm_arena_chunk *used;  /* newest first */
    struct gm_arena_chunk *spare; /* kept by a reset */
    char *start;                  /* of the current chunk's bytes */
    size_t used_before;           /* bytes handed out elsewhere than between start and next */
    size_t limit;
    size_t chunk_size; /* of the next one */
};

struct gm_arena *gm_arena_new(size_t limit_bytes);
void gm_arena_free(struct gm_arena *arena); /* NULL is fine */
void gm_arena_reset(struct gm_arena *arena);
size_t gm_arena_used(const struct gm_arena *arena);

/* The part of gm_arena_alloc that goes for another chunk. */
void *gm_arena_alloc_slow(struct gm_arena *arena, size_t size);

/* NULL when the limit would be passed. size 0 gives a valid pointer. */
static inline void *gm_arena_alloc(struct gm_arena *arena, size_t size)
{
    /* What is left is a multiple of 16: when `size` fits, so does its rounded form. */
    if (size > (size_t)(arena->end - arena->next)) {
        return gm_arena_alloc_slow(arena, size);
    }
    char *p = arena->next;
    arena->next += (size + (GM_ARENA_ALIGN - 1)) & ~(size_t)(GM_ARENA_ALIGN - 1);
    return p;
}

void *gm_arena_zalloc(struct gm_arena *arena, size_t size);

/* Grows in place when `p` was the last allocation, else copies. NULL at the limit; `p` stays valid.
 * Shrinking never moves, and gives the last allocation's bytes back. `p` may be NULL when old_size
 * is 0. */
void *gm_arena_realloc(struct gm_arena *arena, void *p, size_t old_size, size_t size);

/* Copies; the copy has a NUL behind it that n does not count. p is NULL at the limit. */
struct gm_str gm_arena_dup(struct gm_arena *arena, struct gm_str s);
struct gm_str gm_arena_format(struct gm_arena *arena, const char *fmt, ...) GM_PRINTF(2, 3);
struct gm_str gm_arena_vformat(struct gm_arena *arena, const char *fmt, va_list args)
    GM_PRINTF(2, 0);

#endif
