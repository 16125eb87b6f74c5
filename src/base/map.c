/* Layout: `entries` holds keys and values in order of insertion; `slots` is an open-addressing
 * table (linear probing, at most three quarters full) of entry numbers, each with 32 bits of the
 * key's hash so that a probe seldom touches an entry that is not the one. Removal shifts the slots
 * behind it back (Knuth, TAOCP 6.4, algorithm R), so there are no tombstones. Key bytes lie in
 * chunks; what removals leave behind is thrown out when it is more than half. */
#include "base/map.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/status.h"

enum { SLOTS_MIN = 16, KEY_CHUNK_MIN = 512, KEY_CHUNK_MAX = 64 << 10, KEY_DEAD_MIN = 64 << 10 };
static const size_t entries_max = UINT32_MAX - 1;

struct entry {
    const char *key;
    size_t key_n;
    uint64_t value;
    uint64_t hash;
};

struct slot {
    uint32_t number; /* of the entry, plus 1; 0: empty */
    uint32_t tag;    /* upper half of the hash */
};

struct key_chunk {
    struct key_chunk *next;
    char bytes[];
};

struct gm_map {
    struct slot *slots;
    size_t slots_n; /* a power of two, or 0 */
    struct entry *entries;
    size_t entries_n;
    size_t entries_capacity;
    struct key_chunk *chunks; /* newest first */
    char *chunk_at;           /* free bytes of the newest chunk */
    size_t chunk_left;
    size_t chunk_size; /* of the next one */
    size_t keys_live;  /* bytes of keys in the map, with their NULs */
    size_t keys_dead;  /* bytes that removals left behind */
};

struct gm_map *gm_map_new(void)
{
    struct gm_map *map = gm_alloc(sizeof(*map));
    map->chunk_size = KEY_CHUNK_MIN;
    return map;
}

static void free_keys(struct key_chunk *chunk)
{
    while (chunk != NULL) {
        struct key_chunk *next = chunk->next;
        gm_free(chunk);
        chunk = next;
    }
}

void gm_map_free(struct gm_map *map)
{
    if (map == NULL) {
        return;
    }
    free_keys(map->chunks);
    gm_free(map->slots);
    gm_free(map->entries);
    gm_free(map);
}

static void forget_keys(struct gm_map *map)
{
    map->chunks = NULL;
    map->chunk_at = NULL;
    map->chunk_left = 0;
    map->keys_live = 0;
    map->keys_dead = 0;
}

void gm_map_reset(struct gm_map *map)
{
    free_keys(map->chunks);
    forget_keys(map);
    if (map->slots_n > 0) {
        memset(map->slots, 0, map->slots_n * sizeof(map->slots[0]));
    }
    map->entries_n = 0;
}

size_t gm_map_count(const struct gm_map *map)
{
    return map->entries_n;
}

static const char *copy_key(struct gm_map *map, struct gm_str key)
{
    size_t size = key.n + 1;
    if (size > map->chunk_left) {
        size_t chunk_size = size > map->chunk_size ? size : map->chunk_size;
        struct key_chunk *chunk = gm_realloc(NULL, sizeof(*chunk) + chunk_size);
        chunk->next = map->chunks;
        map->chunks = chunk;
        map->chunk_at = chunk->bytes;
        map->chunk_left = chunk_size;
        map->chunk_size = map->chunk_size < KEY_CHUNK_MAX ? map->chunk_size * 2 : KEY_CHUNK_MAX;
    }
    char *copy = map->chunk_at;
    GM_ASSERT(copy != NULL);
    map->chunk_at += size;
    map->chunk_left -= size;
    map->keys_live += size;
    if (key.n > 0) {
        memcpy(copy, key.p, key.n);
    }
    copy[key.n] = '\0';
    return copy;
}

/* The lower half of a hash chooses the slot, the upper half is the tag. */
static size_t home_of(const struct gm_map *map, uint64_t hash)
{
    return (size_t)hash & (map->slots_n - 1);
}

/* The slot that holds `key`, or the empty one where it would go. There is always an empty one. */
static size_t find_slot(const struct gm_map *map, struct gm_str key, uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    size_t at = home_of(map, hash);
    for (;; at = (at + 1) & (map->slots_n - 1)) {
        struct slot slot = map->slots[at];
        if (slot.number == 0) {
            return at;
        }
        if (slot.tag == tag) {
            const struct entry *entry = &map->entries[slot.number - 1];
            if (entry->hash == hash && gm_str_eq((struct gm_str){entry->key, entry->key_n}, key)) {
                return at;
            }
        }
    }
}

/* The slot of an entry that is known to be there. */
static size_t slot_of_entry(const struct gm_map *map, size_t index)
{
    size_t at = home_of(map, map->entries[index].hash);
    while (map->slots[at].number != index + 1) {
        at = (at + 1) & (map->slots_n - 1);
    }
    return at;
}

/* Keeps the table at most three quarters full, counting the entry that is about to come. */
static void make_room(struct gm_map *map)
{
    if (map->entries_n < map->slots_n / 4 * 3) {
        return;
    }
    GM_ASSERT(map->entries_n < entries_max);
    size_t larger = map->slots_n > 0 ? map->slots_n * 2 : SLOTS_MIN;
    gm_free(map->slots);
    map->slots = gm_alloc_array(larger, sizeof(map->slots[0]));
    map->slots_n = larger;
    for (size_t i = 0; i < map->entries_n; i++) {
        uint64_t hash = map->entries[i].hash;
        size_t at = home_of(map, hash);
        while (map->slots[at].number != 0) {
            at = (at + 1) & (larger - 1);
        }
        map->slots[at] = (struct slot){(uint32_t)(i + 1), (uint32_t)(hash >> 32)};
    }
}

static void add_entry(struct gm_map *map, const struct entry *entry)
{
    if (map->entries_n == map->entries_capacity) {
        size_t larger = map->entries_capacity > 0 ? map->entries_capacity * 2 : SLOTS_MIN;
        map->entries = gm_realloc(map->entries, larger * sizeof(map->entries[0]));
        map->entries_capacity = larger;
    }
    map->entries[map->entries_n++] = *entry;
}

bool gm_map_set(struct gm_map *map, struct gm_str key, uint64_t value)
{
    make_room(map);
    uint64_t hash = gm_hash64(key, 0);
    size_t at = find_slot(map, key, hash);
    if (map->slots[at].number != 0) {
        map->entries[map->slots[at].number - 1].value = value;
        return false;
    }
    struct entry entry = {copy_key(map, key), key.n, value, hash};
    add_entry(map, &entry);
    map->slots[at] = (struct slot){(uint32_t)map->entries_n, (uint32_t)(hash >> 32)};
    return true;
}

static const struct entry *find_entry(const struct gm_map *map, struct gm_str key)
{
    if (map->entries_n == 0) {
        return NULL;
    }
    uint32_t number = map->slots[find_slot(map, key, gm_hash64(key, 0))].number;
    return number != 0 ? &map->entries[number - 1] : NULL;
}

bool gm_map_get(const struct gm_map *map, struct gm_str key, uint64_t *out_value)
{
    const struct entry *entry = find_entry(map, key);
    if (entry == NULL) {
        return false;
    }
    *out_value = entry->value;
    return true;
}

/* Empties a slot and moves back those behind it that would no longer be found past the hole. */
static void empty_slot(struct gm_map *map, size_t hole)
{
    size_t mask = map->slots_n - 1;
    for (size_t at = (hole + 1) & mask; map->slots[at].number != 0; at = (at + 1) & mask) {
        size_t home = home_of(map, map->entries[map->slots[at].number - 1].hash);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole] = (struct slot){0, 0};
}

static void drop_dead_keys(struct gm_map *map)
{
    if (map->keys_dead < KEY_DEAD_MIN || map->keys_dead < map->keys_live) {
        return;
    }
    struct key_chunk *old = map->chunks;
    forget_keys(map);
    for (size_t i = 0; i < map->entries_n; i++) {
        struct entry *entry = &map->entries[i];
        entry->key = copy_key(map, (struct gm_str){entry->key, entry->key_n});
    }
    free_keys(old);
}

bool gm_map_remove(struct gm_map *map, struct gm_str key)
{
    const struct entry *found = find_entry(map, key);
    if (found == NULL) {
        return false;
    }
    size_t index = (size_t)(found - map->entries);
    size_t last = map->entries_n - 1;
    map->keys_live -= found->key_n + 1;
    map->keys_dead += found->key_n + 1;
    empty_slot(map, slot_of_entry(map, index));
    if (index != last) {
        map->slots[slot_of_entry(map, last)].number = (uint32_t)(index + 1);
        map->entries[index] = map->entries[last];
    }
    map->entries_n = last;
    drop_dead_keys(map);
    return true;
}

bool gm_map_set_ptr(struct gm_map *map, struct gm_str key, void *value)
{
    return gm_map_set(map, key, (uint64_t)(uintptr_t)value);
}

void *gm_map_get_ptr(const struct gm_map *map, struct gm_str key)
{
    const struct entry *entry = find_entry(map, key);
    return entry != NULL ? (void *)(uintptr_t)entry->value
                         : NULL; // NOLINT(performance-no-int-to-ptr)
}

struct gm_str gm_map_key_at(const struct gm_map *map, size_t index)
{
    GM_ASSERT(index < map->entries_n);
    return (struct gm_str){map->entries[index].key, map->entries[index].key_n};
}

uint64_t gm_map_value_at(const struct gm_map *map, size_t index)
{
    GM_ASSERT(index < map->entries_n);
    return map->entries[index].value;
}
