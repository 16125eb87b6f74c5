/* A seeded random generator for samples, jitter and tests: xoshiro256** seeded by splitmix64
 * (Blackman and Vigna, https://prng.di.unimi.it). Deterministic on every platform; not for secrets.
 *
 *     struct gm_rng rng;
 *     gm_rng_init(&rng, seed);
 *     gm_ns pause = (gm_ns)gm_rng_below(&rng, (uint64_t)GM_SECOND);
 *
 * Thread rule: one owner. */
#ifndef GM_BASE_RNG_H
#define GM_BASE_RNG_H

#include <stdint.h>

struct gm_rng {
    uint64_t s[4];
};

void gm_rng_init(struct gm_rng *rng, uint64_t seed);
uint64_t gm_rng_next(struct gm_rng *rng);
uint64_t gm_rng_below(struct gm_rng *rng, uint64_t bound); /* uniform in 0 … bound-1; bound > 0 */
double gm_rng_double(struct gm_rng *rng);                  /* uniform in [0, 1) */

#endif
