#include "stream/dedupe.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"

enum { WORD_BITS = 64, WORDS = GM_STREAM_REORDER_MAX / WORD_BITS, IDS_FIRST = 1024 };

/* Bit `sequence % GM_STREAM_REORDER_MAX` tells of each of the newest sequences whether it came. */
struct origin {
    uint64_t high;
    uint64_t bits[WORDS];
    bool changed;
};

/* Ids as 128-bit hashes, open addressing, at most half full. */
struct id_set {
    struct gm_hash128 *slots; /* all zeros: empty */
    size_t capacity;          /* power of two */
    size_t count;
};

struct gm_dedupe {
    struct gm_map *numbers; /* origin → index */
    GM_VEC(struct origin) origins;
    GM_VEC(uint32_t) changed;
    struct gm_str last;   /* the origin seen last, in the map's keeping, */
    size_t last_index;    /* since most events come in runs of one origin */
    struct id_set ids[2]; /* [0]: the newest; [1]: those before them */
};

struct gm_dedupe *gm_dedupe_new(void)
{
    struct gm_dedupe *dedupe = gm_alloc(sizeof(*dedupe));
    dedupe->numbers = gm_map_new();
    return dedupe;
}

void gm_dedupe_free(struct gm_dedupe *dedupe)
{
    if (dedupe != NULL) {
        gm_map_free(dedupe->numbers);
        gm_vec_deinit(&dedupe->origins);
        gm_vec_deinit(&dedupe->changed);
        gm_free(dedupe->ids[0].slots);
        gm_free(dedupe->ids[1].slots);
        gm_free(dedupe);
    }
}

/* ---- sequences ---- */

static size_t find_origin(struct gm_dedupe *dedupe, struct gm_str name)
{
    uint64_t index;
    if (dedupe->origins.n > 0 && gm_str_eq(dedupe->last, name)) {
        return dedupe->last_index;
    }
    if (!gm_map_get(dedupe->numbers, name, &index)) {
        index = dedupe->origins.n;
        (void)gm_vec_push(&dedupe->origins);
        (void)gm_map_set(dedupe->numbers, name, index);
    }
    dedupe->last = gm_map_key_at(dedupe->numbers, (size_t)index);
    dedupe->last_index = (size_t)index;
    return (size_t)index;
}

static void clear_between(struct origin *origin, uint64_t after, uint64_t before)
{
    if (before - after > GM_STREAM_REORDER_MAX) {
        memset(origin->bits, 0, sizeof(origin->bits));
        return;
    }
    for (uint64_t s = after + 1; s < before; s++) {
        uint64_t bit = s % GM_STREAM_REORDER_MAX;
        origin->bits[bit / WORD_BITS] &= ~((uint64_t)1 << (bit % WORD_BITS));
    }
}

static bool take_sequence(struct gm_dedupe *dedupe, const struct gm_event *event)
{
    size_t index = find_origin(dedupe, event->origin);
    struct origin *origin = &dedupe->origins.at[index];
    uint64_t sequence = event->sequence, bit = sequence % GM_STREAM_REORDER_MAX;
    uint64_t *word = &origin->bits[bit / WORD_BITS], mask = (uint64_t)1 << (bit % WORD_BITS);
    if (sequence > origin->high) {
        clear_between(origin, origin->high, sequence);
        origin->high = sequence;
    } else if (origin->high - sequence >= GM_STREAM_REORDER_MAX || (*word & mask) != 0) {
        return false;
    }
    *word |= mask;
    if (!origin->changed) {
        origin->changed = true;
        *gm_vec_push(&dedupe->changed) = (uint32_t)index;
    }
    return true;
}

static void store_bits(const struct origin *origin, uint8_t out[GM_ORIGIN_BITS_SIZE])
{
    for (size_t i = 0; i < GM_ORIGIN_BITS_SIZE; i++) {
        out[i] = (uint8_t)(origin->bits[i / 8] >> (8 * (i % 8)));
    }
}

void gm_dedupe_each_changed(struct gm_dedupe *dedupe,
                            void (*fn)(void *ctx, const struct gm_origin_row *row), void *ctx)
{
    for (size_t i = 0; i < dedupe->changed.n; i++) {
        size_t index = dedupe->changed.at[i];
        struct origin *origin = &dedupe->origins.at[index];
        struct gm_origin_row row = {.origin = gm_map_key_at(dedupe->numbers, index),
                                    .high = origin->high};
        store_bits(origin, row.bits);
        fn(ctx, &row);
        origin->changed = false;
    }
    dedupe->changed.n = 0;
}

void gm_dedupe_load(struct gm_dedupe *dedupe, const struct gm_origin_row *row)
{
    size_t index = find_origin(dedupe, row->origin); /* may move them */
    struct origin *origin = &dedupe->origins.at[index];
    origin->high = row->high;
    memset(origin->bits, 0, sizeof(origin->bits));
    for (size_t i = 0; i < GM_ORIGIN_BITS_SIZE; i++) {
        origin->bits[i / 8] |= (uint64_t)row->bits[i] << (8 * (i % 8));
    }
}

/* ---- ids ---- */

static size_t find_slot(const struct id_set *set, struct gm_hash128 hash)
{
    static const struct gm_hash128 empty = {0, 0};
    size_t at = (size_t)hash.low & (set->capacity - 1);
    while (!gm_hash128_eq(set->slots[at], empty) && !gm_hash128_eq(set->slots[at], hash)) {
        at = (at + 1) & (set->capacity - 1);
    }
    return at;
}

static bool has_id(const struct id_set *set, struct gm_hash128 hash)
{
    return set->count > 0 && gm_hash128_eq(set->slots[find_slot(set, hash)], hash);
}

static void enlarge(struct id_set *set)
{
    struct id_set larger = {.capacity = set->capacity > 0 ? 2 * set->capacity : IDS_FIRST,
                            .count = set->count};
    larger.slots = gm_alloc_array(larger.capacity, sizeof(larger.slots[0]));
    for (size_t i = 0; i < set->capacity; i++) {
        if (set->slots[i].high != 0 || set->slots[i].low != 0) {
            larger.slots[find_slot(&larger, set->slots[i])] = set->slots[i];
        }
    }
    gm_free(set->slots);
    *set = larger;
}

static void add_id(struct gm_dedupe *dedupe, struct gm_hash128 hash)
{
    struct id_set *newest = &dedupe->ids[0];
    if (newest->count == GM_STREAM_IDS_MAX / 2) {
        struct id_set oldest = dedupe->ids[1];
        dedupe->ids[1] = *newest;
        *newest = oldest;
        newest->count = 0;
        if (newest->slots != NULL) {
            memset(newest->slots, 0, newest->capacity * sizeof(newest->slots[0]));
        }
    }
    if (newest->count * 2 >= newest->capacity) {
        enlarge(newest);
    }
    GM_ASSERT(newest->slots != NULL);
    newest->slots[find_slot(newest, hash)] = hash;
    newest->count++;
}

static struct gm_hash128 hash_of(const struct gm_event *event)
{
    struct gm_hash128 hash = gm_hash128(event->id, gm_hash64(event->origin, 0));
    hash.low |= hash.high == 0 && hash.low == 0; /* zeros are an empty slot */
    return hash;
}

static bool take_id(struct gm_dedupe *dedupe, const struct gm_event *event)
{
    struct gm_hash128 hash = hash_of(event);
    if (has_id(&dedupe->ids[0], hash) || has_id(&dedupe->ids[1], hash)) {
        return false;
    }
    add_id(dedupe, hash);
    return true;
}

/* An event that has both is known by its sequence, which is remembered for ever. */
bool gm_dedupe_take(struct gm_dedupe *dedupe, const struct gm_event *event)
{
    if (event->sequence > 0) {
        return take_sequence(dedupe, event);
    }
    return event->id.n == 0 || take_id(dedupe, event);
}

static bool knows_sequence(const struct gm_dedupe *dedupe, const struct gm_event *event)
{
    uint64_t index, bit = event->sequence % GM_STREAM_REORDER_MAX;
    if (!gm_map_get(dedupe->numbers, event->origin, &index)) {
        return false;
    }
    const struct origin *origin = &dedupe->origins.at[index];
    return event->sequence <= origin->high &&
           (origin->high - event->sequence >= GM_STREAM_REORDER_MAX ||
            (origin->bits[bit / WORD_BITS] >> (bit % WORD_BITS) & 1) != 0);
}

bool gm_dedupe_knows(const struct gm_dedupe *dedupe, const struct gm_event *event)
{
    if (event->sequence > 0) {
        return knows_sequence(dedupe, event);
    }
    return event->id.n > 0 &&
           (has_id(&dedupe->ids[0], hash_of(event)) || has_id(&dedupe->ids[1], hash_of(event)));
}
