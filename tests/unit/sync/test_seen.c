/* One bit an object. */
#include "base/rng.h"
#include "support/check.h"
#include "sync/state.h"

enum { MANY = 2000000 };

static int make_seen(void **state)
{
    *state = gm_seen_new();
    return 0;
}

static int free_seen(void **state)
{
    gm_seen_free(*state);
    return 0;
}

static void what_was_added_is_there_and_nothing_else(void **state)
{
    struct gm_seen *seen = *state;
    assert_false(gm_seen_has(seen, 1));
    assert_true(gm_seen_add(seen, 7));
    assert_true(gm_seen_has(seen, 7));
    assert_false(gm_seen_has(seen, 6));
    assert_false(gm_seen_has(seen, 8));
    assert_false(gm_seen_has(seen, 7 + 64));
    assert_int_equal(gm_seen_count(seen), 1);
}

static void adding_again_says_so_and_counts_once(void **state)
{
    struct gm_seen *seen = *state;
    assert_true(gm_seen_add(seen, 7));
    assert_false(gm_seen_add(seen, 7));
    assert_int_equal(gm_seen_count(seen), 1);
}

static void slots_up_to_the_last_possible_have_their_bit(void **state)
{
    struct gm_seen *seen = *state;
    const int64_t slots[] = {GM_SLOT_MAX, 1, 63, 64, 524287, 524288, 524289, GM_SLOT_MAX - 1};
    for (size_t i = 0; i < GM_ARRAY_COUNT(slots); i++) {
        assert_false(gm_seen_has(seen, slots[i]));
        assert_true(gm_seen_add(seen, slots[i]));
        assert_true(gm_seen_has(seen, slots[i]));
    }
    assert_int_equal(gm_seen_count(seen), GM_ARRAY_COUNT(slots));
    assert_false(gm_seen_has(seen, 0));
    assert_false(gm_seen_has(seen, -1));
    assert_false(gm_seen_has(seen, GM_SLOT_MAX + 1));
    assert_false(gm_seen_has(seen, INT64_MAX));
}

static void it_grows_over_many_chunks_in_any_order(void **state)
{
    struct gm_seen *seen = *state;
    struct gm_rng rng;
    gm_rng_init(&rng, 1);
    int64_t added = 0;
    for (int i = 0; i < MANY / 4; i++) {
        int64_t slot = 1 + (int64_t)gm_rng_below(&rng, MANY);
        added += !gm_seen_has(seen, slot);
        (void)gm_seen_add(seen, slot);
        assert_true(gm_seen_has(seen, slot));
    }
    int64_t found = 0;
    for (int64_t slot = 1; slot <= MANY; slot++) {
        found += gm_seen_has(seen, slot);
    }
    assert_int_equal(found, added);
    assert_int_equal(gm_seen_count(seen), added);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_seen, free_seen)
    static const struct CMUnitTest tests[] = {
        TEST(what_was_added_is_there_and_nothing_else),
        TEST(adding_again_says_so_and_counts_once),
        TEST(slots_up_to_the_last_possible_have_their_bit),
        TEST(it_grows_over_many_chunks_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
