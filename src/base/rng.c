#include "base/rng.h"

#include "base/status.h"

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t v, int bits)
{
    return v << bits | v >> (64 - bits);
}

void gm_rng_init(struct gm_rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        rng->s[i] = splitmix64(&seed);
    }
}

uint64_t gm_rng_next(struct gm_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t gm_rng_below(struct gm_rng *rng, uint64_t bound)
{
    GM_ASSERT(bound > 0);
    /* 2^64 mod bound: the draws below it would favour small results, so they are drawn again (half
     * the time at worst). */
    uint64_t unfair = (UINT64_MAX - bound + 1) % bound;
    uint64_t draw = gm_rng_next(rng);
    while (draw < unfair) {
        draw = gm_rng_next(rng);
    }
    return draw % bound;
}

double gm_rng_double(struct gm_rng *rng)
{
    return (double)(gm_rng_next(rng) >> 11) * 0x1.0p-53;
}
