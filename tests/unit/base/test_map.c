#include "base/map.h"

#include <stdio.h>

#include "base/num.h"
#include "base/rng.h"
#include "base/status.h"
#include "base/vec.h"
#include "support/check.h"

static struct gm_str key_of(uint64_t v, char text[32])
{
    int n = snprintf(text, 32, "key-%llu", (unsigned long long)v);
    return (struct gm_str){text, (size_t)n};
}

static void what_was_set_is_found(void **state)
{
    (void)state;
    struct gm_map *map = gm_map_new();
    uint64_t v = 42;
    assert_false(gm_map_get(map, GM_STR("a"), &v));
    assert_false(gm_map_remove(map, GM_STR("a")));
    assert_int_equal(v, 42);
    assert_true(gm_map_set(map, GM_STR("a"), 1));
    assert_false(gm_map_set(map, GM_STR("a"), 2));
    assert_true(gm_map_get(map, GM_STR("a"), &v));
    assert_int_equal(v, 2);
    assert_int_equal(gm_map_count(map), 1);
    assert_true(gm_map_set(map, GM_STR(""), 3));
    assert_false(gm_map_set(map, (struct gm_str){NULL, 0}, 4));
    assert_true(gm_map_set(map, GM_STR("a\0b"), 5));
    assert_true(gm_map_get(map, GM_STR("a\0b"), &v));
    assert_int_equal(v, 5);
    gm_map_free(map);
    gm_map_free(NULL);
}

static void pointers_come_back(void **state)
{
    (void)state;
    struct gm_map *map = gm_map_new();
    int x = 0;
    assert_null(gm_map_get_ptr(map, GM_STR("x")));
    assert_true(gm_map_set_ptr(map, GM_STR("x"), &x));
    assert_ptr_equal(gm_map_get_ptr(map, GM_STR("x")), &x);
    gm_map_free(map);
}

static void keys_are_copies_with_a_nul_behind(void **state)
{
    (void)state;
    struct gm_map *map = gm_map_new();
    char text[] = "abc";
    gm_map_set(map, gm_str_z(text), 1);
    text[0] = 'x';
    assert_string_equal(gm_map_key_at(map, 0).p, "abc");
    assert_int_equal(gm_map_key_at(map, 0).n, 3);
    gm_map_free(map);
}

static void iteration_is_in_order_of_insertion_and_removal_swaps_in_the_last(void **state)
{
    (void)state;
    struct gm_map *map = gm_map_new();
    char text[32];
    for (uint64_t i = 0; i < 1000; i++) {
        gm_map_set(map, key_of(i, text), i);
    }
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal(gm_map_value_at(map, i), i);
        assert_true(gm_str_eq(gm_map_key_at(map, i), key_of(i, text)));
    }
    assert_true(gm_map_remove(map, key_of(3, text)));
    assert_int_equal(gm_map_value_at(map, 3), 999);
    assert_int_equal(gm_map_value_at(map, 4), 4);
    assert_int_equal(gm_map_count(map), 999);
    assert_true(gm_map_remove(map, key_of(998, text)));
    assert_int_equal(gm_map_count(map), 998);
    gm_map_free(map);
}

static void any_sequence_of_changes_agrees_with_a_plain_table(void **state)
{
    (void)state;
    enum { KEYS = 700 };
    static bool there[KEYS];
    static uint64_t values[KEYS];
    size_t count = 0;
    struct gm_map *map = gm_map_new();
    struct gm_rng rng;
    gm_rng_init(&rng, 1);
    for (int i = 0; i < 300000; i++) {
        char text[32];
        uint64_t k = gm_rng_below(&rng, KEYS);
        uint64_t v = 0;
        struct gm_str key = key_of(k, text);
        /* Phases of growth and of decline. */
        uint64_t what = gm_rng_below(&rng, 10) + (i / 20000 % 2 == 0 ? 0 : 4);
        if (what < 5) {
            assert_int_equal(gm_map_set(map, key, (uint64_t)i), !there[k]);
            count += there[k] ? 0 : 1;
            there[k] = true;
            values[k] = (uint64_t)i;
        } else if (what < 8) {
            assert_int_equal(gm_map_get(map, key, &v), there[k]);
            assert_true(!there[k] || v == values[k]);
        } else {
            assert_int_equal(gm_map_remove(map, key), there[k]);
            count -= there[k] ? 1 : 0;
            there[k] = false;
        }
        assert_int_equal(gm_map_count(map), count);
    }
    for (size_t i = 0; i < count; i++) {
        int64_t k;
        struct gm_str key = gm_map_key_at(map, i);
        assert_true(gm_parse_i64((struct gm_str){key.p + 4, key.n - 4}, &k));
        assert_true(there[k] && values[k] == gm_map_value_at(map, i));
    }
    gm_map_free(map);
}

static void long_keys_and_many_removals_keep_their_bytes(void **state)
{
    (void)state;
    struct gm_map *map = gm_map_new();
    char key[5000];
    uint64_t v;
    for (uint64_t i = 0; i < 200; i++) {
        memset(key, 'a' + (int)(i % 26), sizeof(key));
        (void)snprintf(key, 16, "%08llu", (unsigned long long)i);
        assert_true(gm_map_set(map, (struct gm_str){key, sizeof(key)}, i));
        if (i >= 10) { /* only ten at a time: dead keys are thrown out again and again */
            memset(key, 'a' + (int)((i - 10) % 26), sizeof(key));
            (void)snprintf(key, 16, "%08llu", (unsigned long long)(i - 10));
            assert_true(gm_map_remove(map, (struct gm_str){key, sizeof(key)}));
        }
    }
    for (uint64_t i = 190; i < 200; i++) {
        memset(key, 'a' + (int)(i % 26), sizeof(key));
        (void)snprintf(key, 16, "%08llu", (unsigned long long)i);
        assert_true(gm_map_get(map, (struct gm_str){key, sizeof(key)}, &v));
        assert_int_equal(v, i);
    }
    gm_map_free(map);
}

static void a_reset_map_is_empty_and_usable(void **state)
{
    (void)state;
    struct gm_map *map = gm_map_new();
    char text[32];
    uint64_t v;
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < 5000; i++) {
            assert_true(gm_map_set(map, key_of(i, text), i));
        }
        gm_map_reset(map);
        assert_int_equal(gm_map_count(map), 0);
        assert_false(gm_map_get(map, key_of(7, text), &v));
    }
    gm_map_free(map);
}

static void pushed_items_are_zeroed_and_keep_their_values(void **state)
{
    (void)state;
    GM_VEC(struct {
        int a;
        const char *b;
    })
    items = {0};
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1000; i++) {
            assert_int_equal(gm_vec_push(&items)->a, 0);
            assert_null(items.at[items.n - 1].b);
            items.at[items.n - 1].a = i + 1;
            items.at[items.n - 1].b = "x";
        }
        for (int i = 0; i < 1000; i++) {
            assert_int_equal(items.at[i].a, i + 1);
        }
        items.n = 0; /* memory stays, and is zeroed again when it is pushed */
    }
    gm_vec_deinit(&items);
    assert_null(items.at);
    assert_int_equal(items.capacity, 0);
    gm_vec_push(&items)->a = 7;
    assert_int_equal(items.n, 1);
    gm_vec_deinit(&items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_set_is_found),
        cmocka_unit_test(pointers_come_back),
        cmocka_unit_test(keys_are_copies_with_a_nul_behind),
        cmocka_unit_test(iteration_is_in_order_of_insertion_and_removal_swaps_in_the_last),
        cmocka_unit_test(any_sequence_of_changes_agrees_with_a_plain_table),
        cmocka_unit_test(long_keys_and_many_removals_keep_their_bytes),
        cmocka_unit_test(a_reset_map_is_empty_and_usable),
        cmocka_unit_test(pushed_items_are_zeroed_and_keep_their_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
