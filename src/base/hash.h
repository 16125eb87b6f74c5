/* Hashes: xxHash's XXH3 (https://xxhash.com), 64 and 128 bits. Stored as 16 bytes, most significant
 * first, as the library's canonical form has it. Not for secrets.
 *
 *     struct gm_hash128 hash = gm_hash128(canonical_text, 0);
 *     if (!gm_hash128_eq(hash, gm_hash128_load(stored))) { … }
 *
 * Thread rule: values, no shared state. */
#ifndef GM_BASE_HASH_H
#define GM_BASE_HASH_H

#include <stdint.h>

#include "base/str.h"

struct gm_hash128 {
    uint64_t high;
    uint64_t low;
};

enum { GM_HASH128_SIZE = 16, GM_HASH128_HEX_SIZE = 33 };

uint64_t gm_hash64(struct gm_str s, uint64_t seed);
struct gm_hash128 gm_hash128(struct gm_str s, uint64_t seed);

static inline bool gm_hash128_eq(struct gm_hash128 a, struct gm_hash128 b)
{
    return a.high == b.high && a.low == b.low;
}

void gm_hash128_store(struct gm_hash128 hash, uint8_t out[GM_HASH128_SIZE]);
struct gm_hash128 gm_hash128_load(const uint8_t in[GM_HASH128_SIZE]);
void gm_hash128_hex(struct gm_hash128 hash,
                    char out[GM_HASH128_HEX_SIZE]); /* lower case, NUL at the end */

/* Adds commutatively (128-bit sum): the digest of a set, whatever the order its members are visited
 * in. */
struct gm_hash128 gm_hash128_sum(struct gm_hash128 a, struct gm_hash128 b);

#endif
