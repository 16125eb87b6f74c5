#include "base/hash.h"

#include "base/rng.h"
#include "base/status.h"
#include "support/check.h"

static void hashes_are_those_of_xxh3(void **state)
{
    (void)state;
    /* XXH3_64bits and XXH3_128bits of nothing, as the library's own tests have them. */
    assert_true(gm_hash64((struct gm_str){NULL, 0}, 0) == UINT64_C(0x2D06800538D394C2));
    struct gm_hash128 hash = gm_hash128(GM_STR(""), 0);
    assert_true(hash.high == UINT64_C(0x99AA06D3014798D8));
    assert_true(hash.low == UINT64_C(0x6001C324468D497F));
    assert_true(gm_hash64(GM_STR("a"), 0) != gm_hash64(GM_STR("a"), 1));
    assert_false(gm_hash128_eq(gm_hash128(GM_STR("a"), 0), gm_hash128(GM_STR("b"), 0)));
    assert_true(gm_hash128_eq(gm_hash128(GM_STR("a"), 7), gm_hash128(GM_STR("a"), 7)));
}

static void hashes_are_stored_most_significant_byte_first(void **state)
{
    (void)state;
    struct gm_hash128 hash = {UINT64_C(0x0123456789ABCDEF), UINT64_C(0xFEDCBA9876543210)};
    uint8_t bytes[GM_HASH128_SIZE];
    gm_hash128_store(hash, bytes);
    assert_memory_equal(bytes, "\x01\x23\x45\x67\x89\xAB\xCD\xEF\xFE\xDC\xBA\x98\x76\x54\x32\x10",
                        16);
    assert_true(gm_hash128_eq(gm_hash128_load(bytes), hash));
    char hex[GM_HASH128_HEX_SIZE];
    gm_hash128_hex(hash, hex);
    assert_string_equal(hex, "0123456789abcdeffedcba9876543210");
}

static void a_sum_does_not_depend_on_order_and_carries(void **state)
{
    (void)state;
    struct gm_hash128 a = {1, UINT64_MAX};
    struct gm_hash128 b = {2, 1};
    assert_true(gm_hash128_eq(gm_hash128_sum(a, b), (struct gm_hash128){4, 0}));
    struct gm_hash128 forth = {0, 0};
    struct gm_hash128 back = {0, 0};
    for (uint64_t i = 0; i < 100; i++) {
        forth = gm_hash128_sum(forth, gm_hash128(GM_STR("x"), i));
        back = gm_hash128_sum(back, gm_hash128(GM_STR("x"), 99 - i));
    }
    assert_true(gm_hash128_eq(forth, back));
}

static void the_generator_is_xoshiro256starstar(void **state)
{
    (void)state;
    /* The authors' C code, started from the state 1, 2, 3, 4. */
    struct gm_rng rng = {{1, 2, 3, 4}};
    static const uint64_t wanted[] = {11520, 0, 1509978240, UINT64_C(1215971899390074240)};
    for (size_t i = 0; i < GM_ARRAY_COUNT(wanted); i++) {
        assert_true(gm_rng_next(&rng) == wanted[i]);
    }
    /* splitmix64 from the seed 0. */
    gm_rng_init(&rng, 0);
    assert_true(rng.s[0] == UINT64_C(0xE220A8397B1DCDAF));
}

static void draws_below_a_bound_are_even(void **state)
{
    (void)state;
    struct gm_rng rng;
    gm_rng_init(&rng, 9);
    int counts[7] = {0};
    for (int i = 0; i < 70000; i++) {
        counts[gm_rng_below(&rng, 7)]++;
    }
    for (int i = 0; i < 7; i++) {
        assert_in_range(counts[i], 9500, 10500);
    }
    assert_int_equal(gm_rng_below(&rng, 1), 0);
    for (int i = 0; i < 1000; i++) {
        assert_true(gm_rng_below(&rng, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
    }
}

static void fractions_are_even_and_below_one(void **state)
{
    (void)state;
    struct gm_rng rng;
    gm_rng_init(&rng, 9);
    double sum = 0;
    const int count = 100000;
    for (int i = 0; i < count; i++) {
        double u = gm_rng_double(&rng);
        assert_true(u >= 0 && u < 1);
        sum += u;
    }
    assert_true(sum / count > 0.495 && sum / count < 0.505);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_xxh3),
        cmocka_unit_test(hashes_are_stored_most_significant_byte_first),
        cmocka_unit_test(a_sum_does_not_depend_on_order_and_carries),
        cmocka_unit_test(the_generator_is_xoshiro256starstar),
        cmocka_unit_test(draws_below_a_bound_are_even),
        cmocka_unit_test(fractions_are_even_and_below_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
