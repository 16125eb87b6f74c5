#include "base/arena.h"

#include "base/rng.h"
#include "support/check.h"

static void allocations_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static struct {
        unsigned char *p;
        size_t n;
    } made[COUNT];
    struct gm_arena *arena = gm_arena_new(64 << 20);
    struct gm_rng rng;
    gm_rng_init(&rng, 5);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            made[i].n = gm_rng_below(&rng, i % 50 == 0 ? 100000 : 200);
            made[i].p = gm_arena_alloc(arena, made[i].n);
            assert_non_null(made[i].p);
            assert_int_equal((uintptr_t)made[i].p % GM_ARENA_ALIGN, 0);
            memset(made[i].p, (int)(i % 251), made[i].n);
        }
        for (size_t i = 0; i < COUNT; i++) {
            for (size_t j = 0; j < made[i].n; j++) {
                assert_int_equal(made[i].p[j], i % 251);
            }
        }
        gm_arena_reset(arena);
        assert_int_equal(gm_arena_used(arena), 0);
    }
    gm_arena_free(arena);
    gm_arena_free(NULL);
}

static void the_limit_holds_whatever_the_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 16, 100, 1000, 5000, 70000};
    for (size_t i = 0; i < GM_ARRAY_COUNT(sizes); i++) {
        struct gm_arena *arena = gm_arena_new(300000);
        for (int round = 0; round < 2; round++) {
            size_t rounded = (sizes[i] + 15) / 16 * 16;
            size_t count = 0;
            while (gm_arena_alloc(arena, sizes[i]) != NULL) {
                count++;
            }
            assert_int_equal(count, 300000 / rounded);
            assert_int_equal(gm_arena_used(arena), count * rounded);
            assert_null(gm_arena_alloc(arena, 300001));
            assert_null(gm_arena_alloc(arena, SIZE_MAX));
            assert_null(gm_arena_alloc(arena, SIZE_MAX - 8));
            assert_non_null(gm_arena_alloc(arena, 0));
            gm_arena_reset(arena);
        }
        gm_arena_free(arena);
    }
}

static void large_and_small_together_stay_below_the_limit(void **state)
{
    (void)state;
    struct gm_arena *arena = gm_arena_new(100000);
    assert_non_null(gm_arena_alloc(arena, 16));
    assert_non_null(gm_arena_alloc(arena, 99000)); /* has its own chunk */
    size_t rest = 0;
    while (gm_arena_alloc(arena, 16) != NULL) {
        rest += 16;
    }
    assert_int_equal(16 + 99008 + rest, 100000);
    assert_int_equal(gm_arena_used(arena), 100000);
    gm_arena_free(arena);
}

static void no_bytes_have_an_address_even_without_a_chunk(void **state)
{
    (void)state;
    struct gm_arena *arena = gm_arena_new(0);
    assert_non_null(gm_arena_alloc(arena, 0));
    assert_non_null(gm_arena_zalloc(arena, 0));
    assert_null(gm_arena_alloc(arena, 1));
    assert_null(gm_arena_zalloc(arena, 1));
    assert_null(gm_arena_dup(arena, GM_STR("")).p);
    gm_arena_free(arena);
}

static void zeroed_memory_is_zero_after_a_reset(void **state)
{
    (void)state;
    struct gm_arena *arena = gm_arena_new(1 << 20);
    memset(gm_arena_alloc(arena, 1000), 0xFF, 1000);
    gm_arena_reset(arena);
    const char *p = gm_arena_zalloc(arena, 1000);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(p[i], 0);
    }
    gm_arena_free(arena);
}

static void growing_the_last_allocation_stays_in_place(void **state)
{
    (void)state;
    struct gm_arena *arena = gm_arena_new(1 << 20);
    char *p = gm_arena_alloc(arena, 10);
    memcpy(p, "123456789", 10);
    assert_ptr_equal(gm_arena_realloc(arena, p, 10, 400), p);
    assert_int_equal(gm_arena_used(arena), 400);
    assert_ptr_equal(gm_arena_realloc(arena, p, 400, 20), p); /* and gives back */
    assert_int_equal(gm_arena_used(arena), 32);
    char *q = gm_arena_alloc(arena, 1);
    char *moved = gm_arena_realloc(arena, p, 20, 40);
    assert_ptr_not_equal(moved, p);
    assert_string_equal(moved, "123456789");
    assert_ptr_equal(gm_arena_realloc(arena, p, 20, 5), p); /* not the last: nothing happens */
    assert_ptr_not_equal(q, moved);
    assert_non_null(gm_arena_realloc(arena, NULL, 0, 8));
    gm_arena_free(arena);
}

static void growing_beyond_chunk_or_limit_keeps_the_bytes(void **state)
{
    (void)state;
    struct gm_arena *arena = gm_arena_new(1 << 20);
    size_t n = 1;
    char *p = gm_arena_alloc(arena, n);
    *p = 'a';
    while (n < 200000) {
        p = gm_arena_realloc(arena, p, n, n * 2);
        assert_non_null(p);
        memset(p + n, 'a' + (int)(n % 26), n);
        n *= 2;
        assert_int_equal(p[0], 'a');
    }
    assert_null(gm_arena_realloc(arena, p, n, 1 << 21));
    assert_int_equal(p[n - 1], 'a' + (int)(n / 2 % 26));
    gm_arena_free(arena);
}

static void copies_have_a_nul_behind_them(void **state)
{
    (void)state;
    struct gm_arena *arena = gm_arena_new(1000);
    struct gm_str copy = gm_arena_dup(arena, (struct gm_str){"abcdef", 3});
    assert_int_equal(copy.n, 3);
    assert_string_equal(copy.p, "abc");
    copy = gm_arena_dup(arena, (struct gm_str){NULL, 0});
    assert_string_equal(copy.p, "");
    copy = gm_arena_format(arena, "%s-%03d", "x", 7);
    check_str(copy, "x-007");
    assert_string_equal(copy.p, "x-007");
    copy = gm_arena_format(arena, "%2000d", 7);
    assert_null(copy.p);
    assert_int_equal(copy.n, 0);
    gm_arena_free(arena);
}

static void a_reset_keeps_memory_but_not_without_bound(void **state)
{
    (void)state;
    struct gm_arena *arena = gm_arena_new(256 << 20);
    const char *first = gm_arena_alloc(arena, 100);
    gm_arena_reset(arena);
    assert_ptr_equal(gm_arena_alloc(arena, 100), first);
    gm_arena_reset(arena);
    /* One allocation above what is kept: freed at the reset, which the address sanitizer would
     * notice if used. */
    assert_non_null(gm_arena_alloc(arena, (size_t)GM_ARENA_KEEP_SIZE * 2));
    gm_arena_reset(arena);
    for (size_t i = 0; i < 40; i++) {
        memset(gm_arena_alloc(arena, 1 << 20), 1, 1 << 20);
    }
    assert_int_equal(gm_arena_used(arena), 40 << 20);
    gm_arena_reset(arena);
    for (size_t i = 0; i < 40; i++) {
        memset(gm_arena_alloc(arena, 1 << 20), 1, 1 << 20);
    }
    gm_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_do_not_overlap),
        cmocka_unit_test(the_limit_holds_whatever_the_sizes),
        cmocka_unit_test(large_and_small_together_stay_below_the_limit),
        cmocka_unit_test(no_bytes_have_an_address_even_without_a_chunk),
        cmocka_unit_test(zeroed_memory_is_zero_after_a_reset),
        cmocka_unit_test(growing_the_last_allocation_stays_in_place),
        cmocka_unit_test(growing_beyond_chunk_or_limit_keeps_the_bytes),
        cmocka_unit_test(copies_have_a_nul_behind_them),
        cmocka_unit_test(a_reset_keeps_memory_but_not_without_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
