#include "os/queue.h"

#include <pthread.h>
#include <signal.h>

#include "os/clock.h"
#include "os/thread.h"
#include "support/check.h"

static void items_leave_in_the_order_they_came(void **state)
{
    (void)state;
    int items[7];
    struct gm_queue *queue = gm_queue_new(3);
    assert_null(gm_queue_try_pop(queue));
    for (int round = 0; round < 5; round++) { /* around the ring */
        assert_true(gm_queue_push(queue, &items[0]));
        assert_true(gm_queue_push(queue, &items[1]));
        assert_int_equal(gm_queue_count(queue), 2);
        assert_ptr_equal(gm_queue_pop(queue), &items[0]);
        assert_ptr_equal(gm_queue_try_pop(queue), &items[1]);
    }
    assert_int_equal(gm_queue_count(queue), 0);
    gm_queue_free(queue);
    gm_queue_free(NULL);
}

static void a_closed_queue_drains_and_takes_no_more(void **state)
{
    (void)state;
    int item;
    struct gm_queue *queue = gm_queue_new(2);
    assert_true(gm_queue_push(queue, &item));
    assert_false(gm_queue_closed(queue));
    gm_queue_close(queue);
    assert_true(gm_queue_closed(queue));
    assert_false(gm_queue_push(queue, &item));
    assert_ptr_equal(gm_queue_pop(queue), &item);
    assert_null(gm_queue_pop(queue));
    assert_null(gm_queue_pop_for(queue, GM_DAY));
    gm_queue_free(queue);
}

static void a_timed_pop_gives_up(void **state)
{
    (void)state;
    int item;
    struct gm_queue *queue = gm_queue_new(2);
    assert_null(gm_queue_pop_for(queue, 2 * GM_MS));
    assert_null(gm_queue_pop_for(queue, 0));
    gm_queue_push(queue, &item);
    assert_ptr_equal(gm_queue_pop_for(queue, 0), &item);
    gm_queue_free(queue);
}

struct blocked {
    struct gm_queue *queue;
    int item;
    bool pushed;
    void *popped;
};

static void push_one(void *arg)
{
    struct blocked *blocked = arg;
    blocked->pushed = gm_queue_push(blocked->queue, &blocked->item);
}

static void pop_one(void *arg)
{
    struct blocked *blocked = arg;
    blocked->popped = gm_queue_pop(blocked->queue);
}

static void a_full_queue_makes_the_producer_wait(void **state)
{
    (void)state;
    struct gm_err err = {0};
    int first;
    struct blocked blocked = {.queue = gm_queue_new(1)};
    struct gm_thread *thread;
    assert_true(gm_queue_push(blocked.queue, &first));
    check_ok(gm_thread_start("producer", push_one, &blocked, &thread, &err), err);
    assert_int_equal(gm_queue_count(blocked.queue), 1); /* never more, whenever this is asked */
    assert_ptr_equal(gm_queue_pop(blocked.queue), &first);
    assert_ptr_equal(gm_queue_pop(blocked.queue), &blocked.item);
    gm_thread_join(thread);
    assert_true(blocked.pushed);
    gm_queue_free(blocked.queue);
}

static void closing_wakes_who_waits(void **state)
{
    (void)state;
    struct gm_err err = {0};
    int first;
    struct gm_thread *thread;
    struct blocked blocked = {.queue = gm_queue_new(1), .pushed = true};
    gm_queue_push(blocked.queue, &first);
    check_ok(gm_thread_start("producer", push_one, &blocked, &thread, &err), err);
    gm_queue_close(blocked.queue);
    gm_thread_join(thread);
    assert_false(blocked.pushed);
    gm_queue_free(blocked.queue);

    blocked = (struct blocked){.queue = gm_queue_new(1), .popped = &first};
    check_ok(gm_thread_start("consumer", pop_one, &blocked, &thread, &err), err);
    gm_queue_close(blocked.queue);
    gm_thread_join(thread);
    assert_null(blocked.popped);
    gm_queue_free(blocked.queue);
}

enum { PRODUCERS = 3, CONSUMERS = 3, ITEMS = 3000 };

struct shared {
    struct gm_queue *queue;
    struct gm_mutex *mu;
    unsigned char seen[PRODUCERS * ITEMS]; /* guarded by mu */
    int next_producer;                     /* guarded by mu */
};

static void produce(void *arg)
{
    struct shared *shared = arg;
    gm_mutex_lock(shared->mu);
    int producer = shared->next_producer++;
    gm_mutex_unlock(shared->mu);
    for (int i = 0; i < ITEMS; i++) {
        GM_ASSERT(gm_queue_push(shared->queue, &shared->seen[producer * ITEMS + i]));
    }
}

static void consume(void *arg)
{
    struct shared *shared = arg;
    for (;;) {
        unsigned char *item = gm_queue_pop(shared->queue);
        if (item == NULL) {
            return;
        }
        gm_mutex_lock(shared->mu);
        ++*item;
        gm_mutex_unlock(shared->mu);
    }
}

static void every_item_reaches_exactly_one_consumer(void **state)
{
    (void)state;
    static struct shared shared;
    struct gm_err err = {0};
    struct gm_thread *producers[PRODUCERS];
    struct gm_thread *consumers[CONSUMERS];
    shared.queue = gm_queue_new(4);
    shared.mu = gm_mutex_new();
    for (int i = 0; i < PRODUCERS; i++) {
        check_ok(gm_thread_start("producer", produce, &shared, &producers[i], &err), err);
        check_ok(gm_thread_start("consumer", consume, &shared, &consumers[i], &err), err);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        gm_thread_join(producers[i]);
    }
    gm_queue_close(shared.queue);
    for (int i = 0; i < CONSUMERS; i++) {
        gm_thread_join(consumers[i]);
    }
    for (size_t i = 0; i < sizeof(shared.seen); i++) {
        assert_int_equal(shared.seen[i], 1);
    }
    gm_mutex_free(shared.mu);
    gm_queue_free(shared.queue);
}

static void look_at_signal_mask(void *arg)
{
    sigset_t mask;
    GM_ASSERT(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
    *(int *)arg = sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGTERM) == 1 ? 1 : 0;
}

static void threads_do_not_get_signals(void **state)
{
    (void)state;
    struct gm_err err = {0};
    int blocked = 0;
    struct gm_thread *thread;
    check_ok(gm_thread_start("masked", look_at_signal_mask, &blocked, &thread, &err), err);
    gm_thread_join(thread);
    gm_thread_join(NULL);
    assert_int_equal(blocked, 1);
    sigset_t mask;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    assert_int_equal(sigismember(&mask, SIGINT), 0); /* the creator's mask is as it was */
}

static void a_timed_wait_for_a_condition_gives_up(void **state)
{
    (void)state;
    struct gm_mutex *mu = gm_mutex_new();
    struct gm_cond *cond = gm_cond_new();
    gm_mutex_lock(mu);
    const struct gm_clock *clock = gm_clock_system();
    gm_ns before = clock->mono(clock);
    while (gm_cond_wait_for(cond, mu, 2 * GM_MS)) {
        continue; /* woken without a reason */
    }
    assert_true(clock->mono(clock) - before >= 2 * GM_MS);
    gm_mutex_unlock(mu);
    gm_cond_signal(cond);
    gm_cond_broadcast(cond);
    gm_cond_free(cond);
    gm_mutex_free(mu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_leave_in_the_order_they_came),
        cmocka_unit_test(a_closed_queue_drains_and_takes_no_more),
        cmocka_unit_test(a_timed_pop_gives_up),
        cmocka_unit_test(a_full_queue_makes_the_producer_wait),
        cmocka_unit_test(closing_wakes_who_waits),
        cmocka_unit_test(every_item_reaches_exactly_one_consumer),
        cmocka_unit_test(threads_do_not_get_signals),
        cmocka_unit_test(a_timed_wait_for_a_condition_gives_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
