/* Arenas: memory that is freed all at once. A batch owns one; what flows is allocated there and dies with it.
 *
 *     struct gm_arena *arena = gm_arena_new(64 << 20);
 *     char *p = gm_arena_alloc(arena, n);          // NULL: the limit is reached
 *     gm_arena_reset(arena);                       // keeps the memory for the next batch
 *     gm_arena_free(arena);
 *
 * Memory is aligned to 16 bytes and not zeroed. The limit counts bytes handed out; it is how input-sized memory is
 * bounded. gm_arena_reset keeps at most GM_ARENA_KEEP_SIZE so that one huge batch does not raise the level for ever.
 * Thread rule: one owner at a time; an arena travels with its batch through queues. */
#ifndef GM_BASE_ARENA_H
#define GM_BASE_ARENA_H

#include <stddef.h>

#include "base/status.h"
#include "base/str.h"

struct gm_arena;

enum { GM_ARENA_KEEP_SIZE = 16 << 20 };

struct gm_arena *gm_arena_new(size_t limit_bytes);
void gm_arena_free(struct gm_arena *arena); /* NULL is fine */
void gm_arena_reset(struct gm_arena *arena);
size_t gm_arena_used(const struct gm_arena *arena);

/* NULL when the limit would be passed. size 0 gives a valid pointer. */
void *gm_arena_alloc(struct gm_arena *arena, size_t size);
void *gm_arena_zalloc(struct gm_arena *arena, size_t size);

/* Grows in place when `p` was the last allocation, else copies. NULL at the limit; `p` stays valid. */
void *gm_arena_realloc(struct gm_arena *arena, void *p, size_t old_size, size_t size);

/* Copies; the copy has a NUL behind it that n does not count. p is NULL at the limit. */
struct gm_str gm_arena_dup(struct gm_arena *arena, struct gm_str s);
struct gm_str gm_arena_format(struct gm_arena *arena, const char *fmt, ...) GM_PRINTF(2, 3);

#endif
