/* The rate governor on a clock of the test's own. */
#include "sync/governor.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "base/vec.h"
#include "os/process.h"
#include "support/check.h"

struct grant {
    gm_ns at;
    double cost;
};

struct world {
    struct gm_governors *governors;
    gm_ns now;
    GM_VEC(struct grant) grants;
};

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    world->governors = gm_governors_new();
    world->now = 1000 * GM_SECOND;
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_governors_free(world->governors);
    gm_vec_deinit(&world->grants);
    gm_free(world);
    return 0;
}

static struct gm_governor_user *join(struct world *world, double rate)
{
    struct gm_rate_limits limits = {.per_second = {rate}};
    return gm_governors_join(world->governors, GM_STR("https://a"), &limits);
}

static bool ask(struct world *world, struct gm_governor_user *user, double cost, gm_ns *out_wait)
{
    struct gm_rate_ask one = {.cost = cost};
    *out_wait = gm_governor_reserve(user, &one, world->now);
    if (*out_wait == 0) {
        *gm_vec_push(&world->grants) = (struct grant){world->now, cost};
    }
    return *out_wait == 0;
}

static double sum(const struct world *world)
{
    double total = 0;
    for (size_t i = 0; i < world->grants.n; i++) {
        total += world->grants.at[i].cost;
    }
    return total;
}

/* The most that any second has, wherever it begins. */
static double busiest_second(const struct world *world)
{
    double most = 0, in = 0;
    size_t first = 0;
    for (size_t i = 0; i < world->grants.n; i++) {
        in += world->grants.at[i].cost;
        while (world->grants.at[i].at - world->grants.at[first].at >= GM_SECOND) {
            in -= world->grants.at[first++].cost;
        }
        most = in > most ? in : most;
    }
    return most;
}

/* ---- budgets ---- */

static void check_spend(struct world *world, double rate, gm_ns span)
{
    struct gm_governor_user *user = join(world, rate);
    gm_ns begin = world->now, wait;
    world->grants.n = 0;
    while (world->now < begin + span) {
        if (!ask(world, user, 1, &wait)) {
            assert_true(wait > 0 && wait <= GM_SECOND + GM_SECOND / 10);
            world->now += wait;
        }
    }
    double budget = rate * (double)span / (double)GM_SECOND;
    print_message("%g/s: %.2f %% spent\n", rate, 100 * sum(world) / budget);
    assert_true(sum(world) <= budget);
    assert_true(sum(world) >= 0.95 * budget - 1);
    assert_true(busiest_second(world) <= rate);
    gm_governor_leave(user);
}

static void with_enough_work_the_spend_is_within_five_percent_and_never_above(void **state)
{
    check_spend(*state, 1000, 20 * GM_SECOND);
    check_spend(*state, 500, 20 * GM_SECOND);
    check_spend(*state, 10, 60 * GM_SECOND);
    check_spend(*state, 3, 100 * GM_SECOND);
    check_spend(*state, 20000, 5 * GM_SECOND);
}

static uint64_t seed_of_test(void)
{
    const char *given_z = gm_env_z("GEMEL_TEST_SEED");
    int64_t seed = 20261120;
    if (given_z != NULL) {
        assert_true(gm_parse_i64(gm_str_z(given_z), &seed));
    }
    print_message("GEMEL_TEST_SEED=%lld\n", (long long)seed);
    return (uint64_t)seed;
}

/* Costs that are not known before, stalls, several users, refusals: no second is above. */
static void whatever_happens_no_second_is_above_the_budget(void **state)
{
    struct world *world = *state;
    struct gm_rng rng;
    gm_rng_init(&rng, seed_of_test());
    for (int round = 0; round < 40; round++) {
        double rate = 20 + (double)gm_rng_below(&rng, 2000);
        struct gm_governor_user *users[3];
        for (size_t i = 0; i < 3; i++) {
            users[i] = join(world, rate);
        }
        world->grants.n = 0;
        world->now += 10 * GM_SECOND;
        for (int i = 0; i < 20000; i++) {
            gm_ns wait = 0;
            double cost = (double)(1 + gm_rng_below(&rng, 3));
            if (!ask(world, users[gm_rng_below(&rng, 3)], cost, &wait)) {
                world->now += (gm_ns)gm_rng_below(&rng, (uint64_t)wait + 1);
            }
            uint64_t event = gm_rng_below(&rng, 4000);
            if (event == 0) {
                world->now += (gm_ns)gm_rng_below(&rng, (uint64_t)(3 * GM_SECOND)); /* a stall */
            } else if (event == 1) {
                gm_governor_refused(users[0], 0, gm_rng_double(&rng), world->now);
            } else if (event < 10) {
                gm_governor_accepted(users[0]);
            }
        }
        assert_true(busiest_second(world) <= rate);
        for (size_t i = 0; i < 3; i++) {
            gm_governor_leave(users[i]);
        }
    }
}

static void what_a_short_stall_missed_is_caught_up(void **state)
{
    struct world *world = *state;
    struct gm_governor_user *user = join(world, 1000);
    gm_ns begin = world->now, wait;
    while (world->now < begin + 10 * GM_SECOND) {
        if (!ask(world, user, 1, &wait)) {
            world->now += 80 * GM_MS; /* a caller that looks now and then only */
        }
    }
    assert_true(sum(world) >= 9500);
    assert_true(busiest_second(world) <= 1000);
    gm_governor_leave(user);
}

/* ---- settling ---- */

static void what_was_used_beyond_the_estimate_is_paid_before_the_next(void **state)
{
    struct world *world = *state;
    struct gm_governor_user *user = join(world, 100);
    struct gm_rate_ask one = {.cost = 1};
    gm_ns wait;
    (void)ask(world, user, 1, &wait);
    world->now += GM_SECOND;
    assert_true(ask(world, user, 1, &wait));
    gm_governor_settle(user, &one, 90, world->now);
    assert_false(ask(world, user, 1, &wait));
    assert_true(wait > 300 * GM_MS && wait < 600 * GM_MS);
    gm_governor_leave(user);
}

static void what_was_not_used_of_the_estimate_comes_back(void **state)
{
    struct world *world = *state;
    struct gm_governor_user *user = join(world, 100);
    struct gm_rate_ask large = {.cost = 38};
    gm_ns wait;
    (void)ask(world, user, 1, &wait);
    world->now += GM_SECOND;
    assert_int_equal(gm_governor_reserve(user, &large, world->now), 0);
    assert_false(ask(world, user, 5, &wait));
    gm_governor_settle(user, &large, 1, world->now);
    assert_true(ask(world, user, 5, &wait));
    gm_governor_leave(user);
}

static void spending_over_time_is_the_budget_also_when_estimates_are_wrong(void **state)
{
    struct world *world = *state;
    struct gm_governor_user *user = join(world, 4000);
    struct gm_rng rng;
    struct gm_rate_ask one = {.cost = 10};
    gm_rng_init(&rng, 7);
    gm_ns begin = world->now;
    double actual_sum = 0;
    while (world->now < begin + 30 * GM_SECOND) {
        gm_ns wait = gm_governor_reserve(user, &one, world->now);
        if (wait > 0) {
            world->now += wait;
            continue;
        }
        double actual = (double)gm_rng_below(&rng, 40);
        actual_sum += actual;
        gm_governor_settle(user, &one, actual, world->now);
    }
    assert_true(actual_sum <= 30 * 4000.0 && actual_sum >= 0.95 * 30 * 4000.0);
    gm_governor_leave(user);
}

/* ---- users ---- */

static void share(struct world *world, struct gm_governor_user *const users[2], gm_ns span,
                  double out_sums[2])
{
    gm_ns begin = world->now, wait;
    out_sums[0] = out_sums[1] = 0;
    while (world->now < begin + span) {
        for (size_t i = 0; i < 2; i++) {
            while (users[i] != NULL && ask(world, users[i], 1, &wait)) {
                out_sums[i]++;
            }
        }
        world->now += GM_MS;
    }
}

static void users_that_are_short_get_equal_shares_and_one_alone_gets_all(void **state)
{
    struct world *world = *state;
    struct gm_governor_user *a = join(world, 1000), *b = join(world, 1000);
    double sums[2];
    share(world, (struct gm_governor_user *[]){a, b}, 10 * GM_SECOND, sums);
    assert_true(sums[0] > 4600 && sums[0] < 5100 && sums[1] > 4600 && sums[1] < 5100);
    share(world, (struct gm_governor_user *[]){a, NULL}, 10 * GM_SECOND, sums);
    assert_true(sums[0] > 9500);
    /* What b did not want meanwhile is not owed to it. */
    share(world, (struct gm_governor_user *[]){a, b}, 10 * GM_SECOND, sums);
    assert_true(sums[0] > 4500 && sums[1] > 4500);
    gm_governor_leave(a);
    gm_governor_leave(b);
}

static void the_lowest_limit_of_all_users_holds(void **state)
{
    struct world *world = *state;
    struct gm_governor_user *a = join(world, 1000), *b = join(world, 100);
    double sums[2];
    share(world, (struct gm_governor_user *[]){a, NULL}, 10 * GM_SECOND, sums);
    assert_true(sums[0] <= 1000 && sums[0] > 950);
    gm_governor_leave(a);
    gm_governor_leave(b);
    a = join(world, 1000); /* nobody is left who asked for less */
    share(world, (struct gm_governor_user *[]){a, NULL}, 10 * GM_SECOND, sums);
    assert_true(sums[0] > 9500);
    gm_governor_leave(a);
}

static void other_targets_have_budgets_of_their_own(void **state)
{
    struct world *world = *state;
    struct gm_rate_limits limits = {.per_second = {1000}};
    struct gm_governor_user *a = join(world, 1000);
    struct gm_governor_user *b = gm_governors_join(world->governors, GM_STR("https://b"), &limits);
    double sums[2];
    share(world, (struct gm_governor_user *[]){a, b}, 5 * GM_SECOND, sums);
    assert_true(sums[0] > 4750 && sums[1] > 4750);
    gm_governor_leave(a);
    gm_governor_leave(b);
}

/* ---- objects ---- */

static void one_object_is_not_asked_more_often_than_its_limit(void **state)
{
    struct world *world = *state;
    struct gm_rate_limits limits = {.per_second = {1000}, .per_object = 10};
    struct gm_governor_user *user =
        gm_governors_join(world->governors, GM_STR("https://a"), &limits);
    struct gm_rate_ask hot = {.cost = 1, .object = 17}, other = {.cost = 1, .object = 18};
    gm_ns begin = world->now;
    while (world->now < begin + 20 * GM_SECOND) {
        if (gm_governor_reserve(user, &hot, world->now) == 0) {
            *gm_vec_push(&world->grants) = (struct grant){world->now, 1};
        }
        world->now += GM_MS;
    }
    assert_true(busiest_second(world) <= 10);
    assert_true(world->grants.n >= 190);
    world->now += GM_MS;
    assert_int_equal(gm_governor_reserve(user, &other, world->now), 0);
    gm_governor_leave(user);
}

/* ---- refusals ---- */

static void a_refusal_stops_everybody_until_the_target_wants_to_be_asked(void **state)
{
    struct world *world = *state;
    struct gm_governor_user *a = join(world, 1000), *b = join(world, 1000);
    gm_ns wait;
    (void)ask(world, a, 1, &wait);
    world->now += GM_SECOND;
    gm_governor_refused(a, 7 * GM_SECOND, 0, world->now);
    assert_false(ask(world, b, 1, &wait));
    assert_true(wait == 7 * GM_SECOND);
    world->now += 7 * GM_SECOND + 10 * GM_MS;
    assert_true(ask(world, b, 1, &wait));
    gm_governor_leave(a);
    gm_governor_leave(b);
}

static void pauses_of_refusals_in_a_row_double_and_have_a_bound(void **state)
{
    struct world *world = *state;
    struct gm_governor_user *user = join(world, 1000);
    gm_ns wait, before = 0;
    for (int i = 0; i < 20; i++) {
        gm_governor_refused(user, 0, 1, world->now);
        assert_false(ask(world, user, 1, &wait));
        assert_true(wait >= before && wait <= 61 * GM_SECOND);
        assert_true(i == 0 || i > 8 || wait > before);
        before = wait;
        world->now += wait;
    }
    gm_governor_accepted(user);
    gm_governor_refused(user, 0, 1, world->now);
    (void)ask(world, user, 1, &wait);
    assert_true(wait <= 102 * GM_MS);
    gm_governor_leave(user);
}

static void check_speed(struct world *world, double budget, double granted)
{
    struct gm_governor_user *user = join(world, budget);
    double level = granted, refused = 0, done = 0;
    gm_ns begin = world->now, before = world->now, wait;
    while (world->now < begin + 120 * GM_SECOND) {
        level += granted * (double)(world->now - before) / (double)GM_SECOND;
        level = level < granted ? level : granted;
        before = world->now;
        if (!ask(world, user, 1, &wait)) {
            world->now += wait;
            continue;
        }
        world->now += 100 * GM_US; /* as fast as a caller can */
        if (level >= 1) {
            level--;
            done++;
            gm_governor_accepted(user);
        } else {
            refused++;
            gm_governor_refused(user, GM_SECOND, 0, world->now);
        }
    }
    print_message("%g done, %g refused\n", done, refused);
    assert_true(done > 0.7 * 120 * granted);
    assert_true(refused < 120);
    gm_governor_leave(user);
}

/* A target that grants half of the budget is asked about half as often, not twice; and one whose
 * limits are not known about as often as it grants. */
static void the_speed_settles_near_what_the_target_grants(void **state)
{
    check_speed(*state, 1000, 500);
    check_speed(*state, 0, 200);
}

/* ---- slots ---- */

static void answer_all(struct gm_slots *slots, int count, gm_ns took)
{
    for (int i = 0; i < count; i++) {
        gm_slots_answered(slots, took, true);
    }
}

static void slots_grow_while_latency_is_what_it_was_and_halve_when_refused(void **state)
{
    (void)state;
    struct gm_slots slots;
    gm_ns now = GM_SECOND;
    gm_slots_init(&slots, 32);
    answer_all(&slots, 4 + 9 + 19, 2 * GM_MS); /* doubles at first */
    assert_int_equal(gm_slots_count(&slots), 32);
    gm_slots_refused(&slots, now += GM_SECOND);
    gm_slots_refused(&slots, now); /* of the same storm */
    assert_int_equal(gm_slots_count(&slots), 16);
    for (int i = 0; i < 20; i++) {
        gm_slots_refused(&slots, now += 10 * GM_SECOND);
    }
    assert_int_equal(gm_slots_count(&slots), 1);
}

static void slots_shrink_when_answers_take_much_longer_until_that_is_usual(void **state)
{
    (void)state;
    struct gm_slots slots;
    gm_slots_init(&slots, 32);
    answer_all(&slots, 1500, 5 * GM_MS);
    answer_all(&slots, 90, 100 * GM_MS);
    assert_true(gm_slots_count(&slots) < 30);
    answer_all(&slots, 3000, 100 * GM_MS); /* a disk that is as slow as that */
    assert_int_equal(gm_slots_count(&slots), 32);
}

static void slots_that_are_not_used_do_not_grow(void **state)
{
    (void)state;
    struct gm_slots slots;
    gm_slots_init(&slots, 32);
    for (int i = 0; i < 1000; i++) {
        gm_slots_answered(&slots, GM_MS, false);
    }
    assert_int_equal(gm_slots_count(&slots), 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(with_enough_work_the_spend_is_within_five_percent_and_never_above),
        TEST(whatever_happens_no_second_is_above_the_budget),
        TEST(what_a_short_stall_missed_is_caught_up),
        TEST(what_was_used_beyond_the_estimate_is_paid_before_the_next),
        TEST(what_was_not_used_of_the_estimate_comes_back),
        TEST(spending_over_time_is_the_budget_also_when_estimates_are_wrong),
        TEST(users_that_are_short_get_equal_shares_and_one_alone_gets_all),
        TEST(the_lowest_limit_of_all_users_holds),
        TEST(other_targets_have_budgets_of_their_own),
        TEST(one_object_is_not_asked_more_often_than_its_limit),
        TEST(a_refusal_stops_everybody_until_the_target_wants_to_be_asked),
        TEST(pauses_of_refusals_in_a_row_double_and_have_a_bound),
        TEST(the_speed_settles_near_what_the_target_grants),
        TEST(slots_grow_while_latency_is_what_it_was_and_halve_when_refused),
        TEST(slots_shrink_when_answers_take_much_longer_until_that_is_usual),
        TEST(slots_that_are_not_used_do_not_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
