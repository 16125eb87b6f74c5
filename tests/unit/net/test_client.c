/* Many requests at a time against a server of this process. */
#include "net/client.h"

#include <stdio.h>

#include "base/mem.h"
#include "net/server.h"
#include "os/thread.h"
#include "support/check.h"

struct world {
    struct gm_http_server *server;
    struct gm_http_client *client;
    struct gm_mutex *mu;
    int calls; /* guarded by mu */
};

/* Answers with the request's body, its path in a header and 404 for /none. */
static void answer(void *ctx, struct gm_http_call *call)
{
    struct world *world = ctx;
    gm_mutex_lock(world->mu);
    world->calls++;
    gm_mutex_unlock(world->mu);
    if (strcmp(call->path_z, "/none") == 0) {
        gm_http_reply_error(&call->reply, 404, "NotFound", "nothing");
    } else {
        gm_buf_add(&call->reply.body, call->body);
        gm_http_reply_header(call, "ETag", gm_str_z(call->path_z));
        const char *mark_z = gm_http_call_header(call, "X-Mark");
        gm_http_reply_header(call, "X-Method", gm_str_z(call->method_z));
        if (mark_z != NULL) {
            gm_http_reply_header(call, "X-Mark", gm_str_z(mark_z));
        }
    }
    gm_http_call_answer(call);
}

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    struct gm_err err = {0};
    world->mu = gm_mutex_new();
    struct gm_http_server_options options = {
        .address_z = "127.0.0.1:0", .handle = answer, .ctx = world};
    check_ok(gm_http_server_start(&options, &world->server, &err), err);
    world->client = gm_http_client_new(8);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_http_client_free(world->client);
    gm_http_server_stop(world->server);
    gm_mutex_free(world->mu);
    gm_free(world);
    return 0;
}

static void start(struct world *world, const char *method_z, const char *path_z, struct gm_str body,
                  void *ctx)
{
    GM_AUTO_FREE char *url_z = gm_format_z("%s%s", gm_http_server_url_z(world->server), path_z);
    struct gm_http_header header = {"X-Mark", "yes"};
    struct gm_http_request request = {.method_z = method_z,
                                      .url_z = url_z,
                                      .headers = &header,
                                      .header_count = 1,
                                      .body = body,
                                      .timeout = 20 * GM_SECOND};
    gm_http_client_start(world->client, &request, ctx);
}

static void every_request_is_answered_once_with_its_own_answer(void **state)
{
    enum { COUNT = 300 };
    struct world *world = *state;
    bool seen[COUNT] = {false};
    char bodies[COUNT][16];
    for (size_t i = 0; i < COUNT; i++) {
        size_t n = (size_t)snprintf(bodies[i], sizeof(bodies[i]), "body %zu", i);
        start(world, "PUT", "/a", (struct gm_str){bodies[i], n}, bodies[i]);
    }
    assert_int_equal(gm_http_client_count(world->client), COUNT);
    struct gm_http_done done;
    while (gm_http_client_count(world->client) > 0) {
        assert_true(gm_http_client_next(world->client, 20 * GM_SECOND, &done));
        check_ok(done.rc, done.err);
        size_t index = (size_t)((char(*)[16])done.ctx - bodies);
        assert_false(seen[index]);
        seen[index] = true;
        assert_int_equal(done.answer.status, 200);
        check_str(gm_buf_str(&done.answer.body), bodies[index]);
        assert_true(done.took > 0);
        gm_http_done_free(&done);
    }
    assert_int_equal(world->calls, COUNT);
}

static void headers_and_status_of_answers_are_told(void **state)
{
    struct world *world = *state;
    struct gm_http_done done;
    start(world, "PATCH", "/twin", GM_STR("[]"), NULL);
    assert_true(gm_http_client_next(world->client, 20 * GM_SECOND, &done));
    check_str(gm_http_answer_header(&done.answer, "etag"), "/twin");
    check_str(gm_http_answer_header(&done.answer, "X-Method"), "PATCH");
    check_str(gm_http_answer_header(&done.answer, "x-mark"), "yes");
    gm_http_done_free(&done);
    start(world, "GET", "/none", (struct gm_str){NULL, 0}, NULL);
    assert_true(gm_http_client_next(world->client, 20 * GM_SECOND, &done));
    check_ok(done.rc, done.err);
    assert_int_equal(done.answer.status, 404);
    gm_http_done_free(&done);
}

static void a_server_that_is_not_there_is_worth_a_retry(void **state)
{
    struct world *world = *state;
    struct gm_http_done done;
    struct gm_http_request request = {
        .method_z = "GET", .url_z = "http://127.0.0.1:1/", .timeout = 20 * GM_SECOND};
    gm_http_client_start(world->client, &request, world);
    assert_true(gm_http_client_next(world->client, 20 * GM_SECOND, &done));
    check_rc(done.rc, GM_E_RETRY, done.err);
    assert_ptr_equal(done.ctx, world);
    gm_http_done_free(&done);
    request.url_z = "ftp://127.0.0.1/";
    gm_http_client_start(world->client, &request, world);
    assert_true(gm_http_client_next(world->client, 20 * GM_SECOND, &done));
    check_rc(done.rc, GM_E_CONFIG, done.err);
    gm_http_done_free(&done);
}

static void what_is_under_way_can_be_dropped(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < 20; i++) {
        start(world, "GET", "/dropped", (struct gm_str){NULL, 0}, NULL);
    }
    gm_http_client_free(world->client);
    world->client = gm_http_client_new(1);
    struct gm_http_done done;
    assert_false(gm_http_client_next(world->client, GM_MS, &done));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_request_is_answered_once_with_its_own_answer, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(headers_and_status_of_answers_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_server_that_is_not_there_is_worth_a_retry, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_under_way_can_be_dropped, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
