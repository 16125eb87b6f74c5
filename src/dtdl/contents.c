/* The contents of models: an index by name, for the twins that are checked against them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "dtdl/set.h"

bool gm_dtdl_contents_index(struct gm_arena *arena, const struct gm_content *contents, size_t count,
                            struct gm_dtdl_contents *out_contents)
{
    size_t slot_count = 4;
    while (slot_count < 2 * count) {
        slot_count *= 2;
    }
    uint32_t *slots = gm_arena_zalloc(arena, slot_count * sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    uint32_t mask = (uint32_t)slot_count - 1;
    for (size_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)gm_hash64(contents[i].name, 0) & mask;
        while (slots[at] != 0) {
            at = (at + 1) & mask;
        }
        slots[at] = (uint32_t)i + 1;
    }
    *out_contents = (struct gm_dtdl_contents){contents, count, slots, mask};
    return true;
}

const struct gm_content *gm_model_content(const struct gm_model *model, struct gm_str name)
{
    const struct gm_dtdl_contents *contents =
        &((const struct gm_dtdl_model *)(const void *)model)->contents;
    uint32_t at = (uint32_t)gm_hash64(name, 0) & contents->slot_mask;
    for (;; at = (at + 1) & contents->slot_mask) {
        uint32_t slot = contents->slots[at];
        if (slot == 0) {
            return NULL;
        }
        if (gm_str_eq(contents->at[slot - 1].name, name)) {
            return &contents->at[slot - 1];
        }
    }
}

const struct gm_content *gm_dtdl_content_search(const struct gm_content *contents, size_t count,
                                                struct gm_str name)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = gm_str_cmp(contents[middle].name, name);
        if (order == 0) {
            return &contents[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const char *gm_dtdl_content_hint_z(const struct gm_content *contents, size_t count,
                                   struct gm_str name, char out[GM_DTDL_HINT_SIZE])
{
    struct gm_str nearest = {NULL, 0};
    size_t best = name.n > 5 ? 4 : 3;
    for (size_t i = 0; i < count && best > 1; i++) {
        size_t distance = gm_str_distance(name, contents[i].name, best - 1);
        if (distance < best) {
            best = distance;
            nearest = contents[i].name;
        }
    }
    out[0] = '\0';
    if (nearest.p != NULL) {
        (void)snprintf(out, GM_DTDL_HINT_SIZE, "; did you mean \"" GM_STR_FMT "\"?",
                       GM_STR_ARG(nearest));
    }
    return out;
}
