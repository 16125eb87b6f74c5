/* Calls through an exchange, to a server of this process that refuses, fails and breaks off. */
#include "connect/exchange.h"

#include <stdio.h>

#include "base/mem.h"
#include "net/server.h"
#include "os/thread.h"
#include "support/check.h"

struct world {
    struct gm_http_server *server;
    struct gm_governors *governors;
    struct gm_governor_user *user;
    struct gm_credential *credential;
    struct gm_exchange *exchange;
    struct gm_mutex *mu;
    /* guarded by mu */
    int calls;
    int refuse, fail; /* so many of the next ones */
    int status;       /* of those that fail */
    /* of the test's thread */
    int answered, last_status;
    struct gm_call *again; /* added from the function of the first one answered */
};

static void answer(void *ctx, struct gm_http_call *call)
{
    struct world *world = ctx;
    gm_mutex_lock(world->mu);
    world->calls++;
    if (world->refuse > 0) {
        world->refuse--;
        gm_http_reply_header(call, "Retry-After", GM_STR("0.05"));
        call->reply.status = 429;
    } else if (world->fail > 0) {
        world->fail--;
        call->reply.status = world->status;
    } else if (strcmp(call->path_z, "/none") == 0) {
        call->reply.status = 404;
    }
    gm_mutex_unlock(world->mu);
    gm_http_call_answer(call);
}

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    struct gm_err err = {0};
    struct gm_conf_choice none = {0};
    struct gm_rate_limits limits = {.per_second = {0}};
    world->mu = gm_mutex_new();
    world->status = 500;
    struct gm_http_server_options options = {
        .address_z = "127.0.0.1:0", .handle = answer, .ctx = world};
    check_ok(gm_http_server_start(&options, &world->server, &err), err);
    world->governors = gm_governors_new();
    world->user = gm_governors_join(world->governors, GM_STR("x"), &limits);
    world->credential = gm_credential_new(&none, gm_clock_system());
    world->exchange =
        gm_exchange_new(&(struct gm_exchange_options){.url_z = gm_http_server_url_z(world->server),
                                                      .timeout = 20 * GM_SECOND,
                                                      .patience = GM_MINUTE,
                                                      .concurrency_max = 8,
                                                      .clock = gm_clock_system(),
                                                      .credential = world->credential,
                                                      .governor = world->user});
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_exchange_free(world->exchange);
    gm_credential_free(world->credential);
    gm_governor_leave(world->user);
    gm_governors_free(world->governors);
    gm_http_server_stop(world->server);
    gm_mutex_free(world->mu);
    gm_free(world);
    return 0;
}

static void take(struct gm_call *call, const struct gm_http_answer *got)
{
    struct world *world = call->ctx;
    struct gm_call *again = world->again;
    world->answered++;
    world->last_status = (int)got->status;
    world->again = NULL;
    if (again != NULL) {
        gm_exchange_add(world->exchange, again);
    }
}

static struct gm_call call_to(struct world *world, const char *path_z)
{
    return (struct gm_call){
        .method_z = "GET", .path_z = path_z, .ask = {.cost = 1}, .answered = take, .ctx = world};
}

static void every_call_is_answered_once(void **state)
{
    enum { COUNT = 200 };
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_call calls[COUNT], another = call_to(world, "/b");
    world->again = &another;
    for (size_t i = 0; i < COUNT; i++) {
        calls[i] = call_to(world, "/a");
        gm_exchange_add(world->exchange, &calls[i]);
    }
    check_ok(gm_exchange_run(world->exchange, NULL, &err), err);
    assert_int_equal(world->answered, COUNT + 1);
    assert_int_equal(world->calls, COUNT + 1);
    assert_true(another.sent && !another.repeated);
}

static void refusals_are_waited_for_and_are_no_answers(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_call call = call_to(world, "/a");
    world->refuse = 3;
    gm_exchange_add(world->exchange, &call);
    check_ok(gm_exchange_run(world->exchange, NULL, &err), err);
    assert_int_equal(world->answered, 1);
    assert_int_equal(world->calls, 4);
    assert_false(call.repeated); /* what was refused has had no effect */
}

static void failures_are_tried_again_and_told_as_repeated(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_call call = call_to(world, "/a");
    world->fail = 2;
    gm_exchange_add(world->exchange, &call);
    check_ok(gm_exchange_run(world->exchange, NULL, &err), err);
    assert_int_equal(world->answered, 1);
    assert_true(call.repeated);
}

static void too_many_failures_end_the_run_and_the_next_one_begins_anew(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_call call = call_to(world, "/a"), other = call_to(world, "/a");
    world->fail = GM_CALL_ATTEMPTS_MAX;
    gm_exchange_add(world->exchange, &call);
    check_rc(gm_exchange_run(world->exchange, NULL, &err), GM_E_RETRY, err);
    check_err_says(err, "500");
    assert_int_equal(world->answered, 0);
    gm_exchange_add(world->exchange, &other);
    check_ok(gm_exchange_run(world->exchange, NULL, &err), err);
    assert_int_equal(world->answered, 1);
}

static void refused_credentials_are_for_people(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_call call = call_to(world, "/a");
    world->fail = 1;
    world->status = 401;
    gm_exchange_add(world->exchange, &call);
    check_rc(gm_exchange_run(world->exchange, NULL, &err), GM_E_CONFIG, err);
    check_err_says(err, "auth");
}

static void other_answers_are_the_callers(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_call call = call_to(world, "/none");
    gm_exchange_add(world->exchange, &call);
    check_ok(gm_exchange_run(world->exchange, NULL, &err), err);
    assert_int_equal(world->last_status, 404);
}

static void a_stop_ends_a_run(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_stop *stop = gm_stop_new();
    struct gm_call call = call_to(world, "/a");
    world->refuse = 1000000;
    gm_stop_request(stop);
    gm_exchange_add(world->exchange, &call);
    check_rc(gm_exchange_run(world->exchange, stop, &err), GM_E_CANCELLED, err);
    gm_stop_free(stop);
}

static void a_failure_that_a_caller_found_ends_the_run(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_call call = call_to(world, "/a");
    gm_exchange_add(world->exchange, &call);
    gm_exchange_fail(world->exchange, GM_E_LIMIT, "too much");
    check_rc(gm_exchange_run(world->exchange, NULL, &err), GM_E_LIMIT, err);
    assert_int_equal(world->calls, 0);
    assert_false(call.sent);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_call_is_answered_once),
        TEST(refusals_are_waited_for_and_are_no_answers),
        TEST(failures_are_tried_again_and_told_as_repeated),
        TEST(too_many_failures_end_the_run_and_the_next_one_begins_anew),
        TEST(refused_credentials_are_for_people),
        TEST(other_answers_are_the_callers),
        TEST(a_stop_ends_a_run),
        TEST(a_failure_that_a_caller_found_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
