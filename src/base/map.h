/* A hash map from byte strings to pointers or integers. Keys are copied into the map.
 *
 *     struct gm_map *map = gm_map_new();
 *     gm_map_set(map, GM_STR("a"), 1);
 *     uint64_t v;
 *     if (gm_map_get(map, GM_STR("a"), &v)) { … }
 *     gm_map_free(map);
 *
 * Iteration is in order of insertion (removal swaps in the last), so that output is deterministic.
 * Pointers are stored through gm_map_set_ptr; the map never owns them. Keys that the map hands out
 * are NUL-terminated and stay valid until the next removal or reset. Growth aborts when memory is
 * out: use it where the program, or a checked limit, bounds the keys.
 * Thread rule: one owner; any number of readers while nobody writes. */
#ifndef GM_BASE_MAP_H
#define GM_BASE_MAP_H

#include <stdint.h>

#include "base/str.h"

struct gm_map;

struct gm_map *gm_map_new(void);
void gm_map_free(struct gm_map *map); /* NULL is fine */
void gm_map_reset(struct gm_map *map);
size_t gm_map_count(const struct gm_map *map);
bool gm_map_set(struct gm_map *map, struct gm_str key, uint64_t value); /* true: the key is new */
bool gm_map_get(const struct gm_map *map, struct gm_str key, uint64_t *out_value);
bool gm_map_remove(struct gm_map *map, struct gm_str key);
bool gm_map_set_ptr(struct gm_map *map, struct gm_str key, void *value);
void *gm_map_get_ptr(const struct gm_map *map, struct gm_str key); /* NULL: not there */
/* Entry `index` of 0 … count-1. */
struct gm_str gm_map_key_at(const struct gm_map *map, size_t index);
uint64_t gm_map_value_at(const struct gm_map *map, size_t index);

#endif
