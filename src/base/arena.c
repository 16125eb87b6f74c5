#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { CHUNK_SIZE_MIN = 4 << 10, CHUNK_SIZE_MAX = 1 << 20 };

struct gm_arena_chunk {
    struct gm_arena_chunk *next;
    size_t size; /* of bytes; a multiple of GM_ARENA_ALIGN */
    _Alignas(GM_ARENA_ALIGN) char bytes[];
};

static size_t round_up(size_t size)
{
    return (size + (GM_ARENA_ALIGN - 1)) & ~(size_t)(GM_ARENA_ALIGN - 1);
}

/* What an arena without a chunk points at: empty, but a valid address for allocations of no bytes.
 */
static void forget_current(struct gm_arena *arena)
{
    static _Alignas(GM_ARENA_ALIGN) char nothing[GM_ARENA_ALIGN];
    arena->start = arena->next = arena->end = nothing;
}

struct gm_arena *gm_arena_new(size_t limit_bytes)
{
    struct gm_arena *arena = gm_alloc(sizeof(*arena));
    arena->limit = limit_bytes <= SIZE_MAX / 2 ? round_up(limit_bytes) : SIZE_MAX / 2 + 1;
    arena->chunk_size = CHUNK_SIZE_MIN;
    forget_current(arena);
    return arena;
}

static void free_chunks(struct gm_arena_chunk *chunk)
{
    while (chunk != NULL) {
        struct gm_arena_chunk *next = chunk->next;
        gm_free(chunk);
        chunk = next;
    }
}

void gm_arena_free(struct gm_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    free_chunks(arena->used);
    free_chunks(arena->spare);
    gm_free(arena);
}

/* Moves chunks of *from to *to while they fit into *budget; frees the others. */
static void keep_chunks(struct gm_arena_chunk *from, struct gm_arena_chunk **to, size_t *budget)
{
    while (from != NULL) {
        struct gm_arena_chunk *next = from->next;
        if (from->size <= *budget) {
            *budget -= from->size;
            from->next = *to;
            *to = from;
        } else {
            gm_free(from);
        }
        from = next;
    }
}

void gm_arena_reset(struct gm_arena *arena)
{
    struct gm_arena_chunk *kept = NULL;
    size_t budget = GM_ARENA_KEEP_SIZE;
    keep_chunks(arena->used, &kept, &budget);
    keep_chunks(arena->spare, &kept, &budget);
    arena->used = NULL;
    arena->spare = kept;
    arena->used_before = 0;
    forget_current(arena);
}

size_t gm_arena_used(const struct gm_arena *arena)
{
    return arena->used_before + (size_t)(arena->next - arena->start);
}

/* Takes the first spare chunk that is large enough, else makes one of `size` bytes. NULL: no
 * memory. */
static struct gm_arena_chunk *take_chunk(struct gm_arena *arena, size_t size_min, size_t size)
{
    for (struct gm_arena_chunk **at = &arena->spare; *at != NULL; at = &(*at)->next) {
        if ((*at)->size >= size_min) {
            struct gm_arena_chunk *chunk = *at;
            *at = chunk->next;
            return chunk;
        }
    }
    struct gm_arena_chunk *chunk = gm_realloc_try(NULL, sizeof(*chunk) + size);
    if (chunk != NULL) {
        chunk->size = size;
    }
    return chunk;
}

static void link_chunk(struct gm_arena *arena, struct gm_arena_chunk *chunk)
{
    chunk->next = arena->used;
    arena->used = chunk;
}

void *gm_arena_alloc_slow(struct gm_arena *arena, size_t size)
{
    size_t used = gm_arena_used(arena);
    if (size > arena->limit - used) {
        return NULL;
    }
    size = round_up(size);
    if (size > arena->chunk_size / 4) {
        /* One of its own; the current chunk goes on serving small allocations. */
        struct gm_arena_chunk *chunk = take_chunk(arena, size, size);
        if (chunk == NULL) {
            return NULL;
        }
        link_chunk(arena, chunk);
        arena->used_before += size;
        size_t left = arena->limit - used - size;
        if (left < (size_t)(arena->end - arena->next)) {
            arena->end = arena->next + left;
        }
        return chunk->bytes;
    }

    struct gm_arena_chunk *chunk = take_chunk(arena, size, arena->chunk_size);
    if (chunk == NULL) {
        return NULL;
    }
    link_chunk(arena, chunk);
    if (arena->chunk_size < CHUNK_SIZE_MAX) {
        arena->chunk_size *= 2;
    }
    arena->used_before = used;
    arena->start = arena->next = chunk->bytes;
    size_t left = arena->limit - used;
    arena->end = arena->start + (chunk->size < left ? chunk->size : left);
    arena->next += size;
    return chunk->bytes;
}

void *gm_arena_zalloc(struct gm_arena *arena, size_t size)
{
    void *p = gm_arena_alloc(arena, size);
    if (p != NULL) {
        memset(p, 0, size);
    }
    return p;
}

void *gm_arena_realloc(struct gm_arena *arena, void *p, size_t old_size, size_t size)
{
    if (p == NULL) {
        return gm_arena_alloc(arena, size);
    }
    /* Only an address inside the current chunk can be the last allocation: an own chunk's end may
     * by chance lie where the current chunk begins. */
    char *old = p;
    bool last = old >= arena->start && old < arena->next && old + round_up(old_size) == arena->next;
    if (last && size <= (size_t)(arena->end - old)) {
        arena->next = old + round_up(size);
        return p;
    }
    if (size <= old_size) {
        return p;
    }
    void *moved = gm_arena_alloc(arena, size);
    if (moved != NULL) {
        memcpy(moved, p, old_size);
    }
    return moved;
}

struct gm_str gm_arena_dup(struct gm_arena *arena, struct gm_str s)
{
    char *copy = s.n < SIZE_MAX ? gm_arena_alloc(arena, s.n + 1) : NULL;
    if (copy == NULL) {
        return (struct gm_str){NULL, 0};
    }
    if (s.n > 0) {
        memcpy(copy, s.p, s.n);
    }
    copy[s.n] = '\0';
    return (struct gm_str){copy, s.n};
}

struct gm_str gm_arena_vformat(struct gm_arena *arena, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *text = n >= 0 ? gm_arena_alloc(arena, (size_t)n + 1) : NULL;
    if (text != NULL) {
        (void)vsnprintf(text, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    return (struct gm_str){text, text != NULL ? (size_t)n : 0};
}

struct gm_str gm_arena_format(struct gm_arena *arena, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct gm_str text = gm_arena_vformat(arena, fmt, args);
    va_end(args);
    return text;
}
