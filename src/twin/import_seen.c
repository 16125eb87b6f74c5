/* A set of hashes, open addressing with linear probing, at most half full. */
#include "twin/import_internal.h"

enum { CAPACITY_FIRST = 1024 };

/* The slot where `hash` is or belongs. */
static size_t find_slot(const uint64_t *slots, size_t capacity, uint64_t hash)
{
    size_t at = (size_t)hash & (capacity - 1);
    while (slots[at] != 0 && slots[at] != hash) {
        at = (at + 1) & (capacity - 1);
    }
    return at;
}

static void grow(struct gm_import_seen *seen)
{
    size_t capacity = seen->capacity > 0 ? seen->capacity * 2 : CAPACITY_FIRST;
    uint64_t *slots = gm_alloc_array(capacity, sizeof(slots[0]));
    for (size_t i = 0; i < seen->capacity; i++) {
        if (seen->slots[i] != 0) {
            slots[find_slot(slots, capacity, seen->slots[i])] = seen->slots[i];
        }
    }
    gm_free(seen->slots);
    seen->slots = slots;
    seen->capacity = capacity;
}

bool gm_import_seen_add(struct gm_import_seen *seen, uint64_t hash)
{
    hash = hash != 0 ? hash : 1;
    if (seen->count * 2 >= seen->capacity && seen->count < GM_IMPORT_SEEN_MAX) {
        grow(seen);
    }
    size_t at = find_slot(seen->slots, seen->capacity, hash);
    if (seen->slots[at] == hash) {
        return true;
    }
    if (seen->count < GM_IMPORT_SEEN_MAX) {
        seen->slots[at] = hash;
        seen->count++;
    }
    return false;
}

void gm_import_seen_deinit(struct gm_import_seen *seen)
{
    gm_free(seen->slots);
    *seen = (struct gm_import_seen){0};
}
