#include "base/hash.h"

#include "base/coding.h"

/* The whole of xxHash is compiled in here: keys are short, and a call through the library costs as
 * much as the hash. */
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t gm_hash64(struct gm_str s, uint64_t seed)
{
    return XXH3_64bits_withSeed(s.p, s.n, seed);
}

struct gm_hash128 gm_hash128(struct gm_str s, uint64_t seed)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(s.p, s.n, seed);
    return (struct gm_hash128){.high = hash.high64, .low = hash.low64};
}

void gm_hash128_store(struct gm_hash128 hash, uint8_t out[GM_HASH128_SIZE])
{
    for (int i = 0; i < 8; i++) {
        out[i] = (uint8_t)(hash.high >> (56 - 8 * i));
        out[8 + i] = (uint8_t)(hash.low >> (56 - 8 * i));
    }
}

struct gm_hash128 gm_hash128_load(const uint8_t in[GM_HASH128_SIZE])
{
    struct gm_hash128 hash = {0, 0};
    for (int i = 0; i < 8; i++) {
        hash.high = hash.high << 8 | in[i];
        hash.low = hash.low << 8 | in[8 + i];
    }
    return hash;
}

void gm_hash128_hex(struct gm_hash128 hash, char out[GM_HASH128_HEX_SIZE])
{
    uint8_t bytes[GM_HASH128_SIZE];
    gm_hash128_store(hash, bytes);
    gm_hex_z(bytes, sizeof(bytes), out);
}

struct gm_hash128 gm_hash128_sum(struct gm_hash128 a, struct gm_hash128 b)
{
    struct gm_hash128 sum = {.high = a.high + b.high, .low = a.low + b.low};
    sum.high += sum.low < a.low ? 1 : 0;
    return sum;
}
