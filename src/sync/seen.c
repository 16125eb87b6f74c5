/* One bit an object: a table of chunks that come when a slot of theirs is first seen. Slots are
 * dense, so nearly all of a chunk is used; a hundred million objects take 12.5 MB. */
#include "base/mem.h"
#include "sync/state.h"

enum {
    CHUNK_BYTES = 64 << 10,
    CHUNK_WORDS = CHUNK_BYTES / 8,
};
#define CHUNK_BITS ((int64_t)CHUNK_BYTES * 8)
#define CHUNKS_MAX ((size_t)(GM_SLOT_MAX / CHUNK_BITS + 1))

struct gm_seen {
    uint64_t **chunks; /* NULL where nothing was seen */
    size_t chunk_count;
    int64_t count;
};

struct gm_seen *gm_seen_new(void)
{
    return gm_alloc(sizeof(struct gm_seen));
}

void gm_seen_free(struct gm_seen *seen)
{
    if (seen == NULL) {
        return;
    }
    for (size_t i = 0; i < seen->chunk_count; i++) {
        gm_free(seen->chunks[i]);
    }
    gm_free(seen->chunks);
    gm_free(seen);
}

/* The table doubles, so that growing slot by slot costs no more than the chunks themselves. */
static void make_room(struct gm_seen *seen, size_t chunk)
{
    size_t count = seen->chunk_count > 0 ? seen->chunk_count : 1;
    while (count <= chunk) {
        count *= 2;
    }
    count = count < CHUNKS_MAX ? count : CHUNKS_MAX;
    seen->chunks = gm_realloc(seen->chunks, count * sizeof(*seen->chunks));
    memset(seen->chunks + seen->chunk_count, 0,
           (count - seen->chunk_count) * sizeof(*seen->chunks));
    seen->chunk_count = count;
}

bool gm_seen_add(struct gm_seen *seen, int64_t slot)
{
    GM_ASSERT(slot > 0 && slot <= GM_SLOT_MAX);
    size_t chunk = (size_t)(slot / CHUNK_BITS);
    if (chunk >= seen->chunk_count) {
        make_room(seen, chunk);
    }
    if (seen->chunks[chunk] == NULL) {
        seen->chunks[chunk] = gm_alloc_array(CHUNK_WORDS, sizeof(uint64_t));
    }
    uint64_t *word = &seen->chunks[chunk][slot % CHUNK_BITS / 64];
    uint64_t bit = (uint64_t)1 << (slot % 64);
    if ((*word & bit) != 0) {
        return false;
    }
    *word |= bit;
    seen->count++;
    return true;
}

void gm_seen_remove(struct gm_seen *seen, int64_t slot)
{
    if (gm_seen_has(seen, slot)) {
        seen->chunks[slot / CHUNK_BITS][slot % CHUNK_BITS / 64] &= ~((uint64_t)1 << (slot % 64));
        seen->count--;
    }
}

bool gm_seen_has(const struct gm_seen *seen, int64_t slot)
{
    if (slot <= 0 || slot > GM_SLOT_MAX) {
        return false;
    }
    size_t chunk = (size_t)(slot / CHUNK_BITS);
    if (chunk >= seen->chunk_count || seen->chunks[chunk] == NULL) {
        return false;
    }
    return (seen->chunks[chunk][slot % CHUNK_BITS / 64] >> (slot % 64) & 1) != 0;
}

int64_t gm_seen_count(const struct gm_seen *seen)
{
    return seen->count;
}
