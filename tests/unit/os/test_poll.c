#include "os/poll.h"

#include <unistd.h>

#include "support/check.h"

static gm_ns now(void)
{
    return gm_clock_system()->mono(gm_clock_system());
}

static void a_ready_descriptor_is_told_at_once(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(gm_poll(ends[1], GM_POLL_WRITE, NULL), GM_OK);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(gm_poll(ends[0], GM_POLL_READ, NULL), GM_OK);
    (void)close(ends[1]);
    char c;
    assert_int_equal(read(ends[0], &c, 1), 1);
    assert_int_equal(gm_poll(ends[0], GM_POLL_READ, NULL),
                     GM_OK); /* hung up: the next read tells */
    (void)close(ends[0]);
}

static void waiting_ends_with_the_deadline_or_a_stop(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    gm_ns before = now();
    struct gm_deadline deadline = gm_deadline_in(20 * GM_MS, NULL);
    assert_int_equal(gm_poll(ends[0], GM_POLL_READ, &deadline), GM_E_CANCELLED);
    assert_true(now() - before >= 20 * GM_MS);
    struct gm_stop *stop = gm_stop_new();
    gm_stop_request(stop);
    deadline = (struct gm_deadline){.at = 0, .stop = stop};
    assert_int_equal(gm_poll(ends[0], GM_POLL_READ, &deadline), GM_E_CANCELLED);
    gm_stop_free(stop);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ready_descriptor_is_told_at_once),
        cmocka_unit_test(waiting_ends_with_the_deadline_or_a_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
