/* The HTTP server, asked over sockets by clients that behave, and by some that do not. */
#include "net/server.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/queue.h"
#include "os/thread.h"
#include "support/check.h"
#include "support/wire.h"

struct world {
    struct gm_http_server *server;
    struct gm_queue *calls; /* that wait for an answer */
    struct gm_thread *answerer;
    struct gm_stop *gate; /* what handlers of /gate wait for */
    _Atomic size_t answered;
    _Atomic uint64_t asked_length; /* what `admit` was told last */
    struct gm_err err;
};

static void start(struct world *world, struct gm_http_server_options options)
{
    options.address_z = "127.0.0.1:0";
    options.ctx = world;
    check_ok(gm_http_server_start(&options, &world->server, &world->err), world->err);
}

static const char *url_z(const struct world *world)
{
    return gm_http_server_url_z(world->server);
}

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    world->calls = gm_queue_new(1024);
    world->gate = gm_stop_new();
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_stop_request(world->gate);
    gm_http_server_stop(world->server);
    gm_queue_close(world->calls);
    gm_thread_join(world->answerer);
    gm_queue_free(world->calls);
    gm_stop_free(world->gate);
    gm_free(world);
    return 0;
}

/* ---- handlers ---- */

static void answer_echo(struct gm_http_call *call)
{
    gm_buf_addf(&call->reply.body, "%s %s %zu", call->method_z, call->path_z, call->body.n);
    call->reply.content_type_z = "text/plain";
    gm_http_call_answer(call);
}

static void handle_echo(void *ctx, struct gm_http_call *call)
{
    (void)ctx;
    answer_echo(call);
}

/* To be answered by another thread. */
static void handle_later(void *ctx, struct gm_http_call *call)
{
    struct world *world = ctx;
    assert_true(gm_queue_push(world->calls, call));
}

static void answer_main(void *arg)
{
    struct world *world = arg;
    struct gm_http_call *call;
    while ((call = gm_queue_pop(world->calls)) != NULL) {
        answer_echo(call);
        atomic_fetch_add(&world->answered, 1);
    }
}

static void start_answerer(struct world *world)
{
    check_ok(gm_thread_start("answerer", answer_main, world, &world->answerer, &world->err),
             world->err);
}

static void wait_at_gate(void *ctx, struct gm_http_call *call)
{
    struct world *world = ctx;
    (void)gm_stop_wait(world->gate, GM_MINUTE);
    answer_echo(call);
}

static void handle_with_workers(void *ctx, struct gm_http_call *call)
{
    if (strcmp(call->path_z, "/gate") != 0) {
        answer_echo(call);
    } else if (!gm_http_call_work(call, wait_at_gate, ctx)) {
        gm_http_reply_error(&call->reply, 503, "retry", "full");
        gm_http_call_answer(call);
    }
}

static bool note_parameter(void *ctx, const char *name_z, const char *value_z)
{
    gm_buf_addf(ctx, "%s=%s;", name_z, value_z);
    return true;
}

static void handle_parts(void *ctx, struct gm_http_call *call)
{
    (void)ctx;
    const char *etag_z = gm_http_call_header(call, "if-match");
    gm_buf_addf(&call->reply.body, "%s|%s|", call->path_z, etag_z != NULL ? etag_z : "none");
    gm_http_call_each_query(call, note_parameter, &call->reply.body);
    gm_http_reply_header(call, "ETag", GM_STR("W/\"1\""));
    gm_http_call_answer(call);
}

static void handle_nothing(void *ctx, struct gm_http_call *call)
{
    (void)ctx;
    call->reply.status = 204;
    gm_http_call_answer(call);
}

static void handle_denied(void *ctx, struct gm_http_call *call)
{
    (void)ctx;
    gm_http_reply_error(&call->reply, 401, "unauthorized", "no \"token\"");
    if (strcmp(call->path_z, "/own") == 0) {
        gm_http_reply_header(call, "WWW-Authenticate", GM_STR("Bearer error=\"invalid_token\""));
    }
    gm_http_call_answer(call);
}

enum { MUCH = 3 << 20 };

static void handle_much(void *ctx, struct gm_http_call *call)
{
    (void)ctx;
    memset(gm_buf_reserve(&call->reply.body, MUCH), 'x', MUCH);
    gm_buf_commit(&call->reply.body, MUCH);
    gm_http_call_answer(call);
}

/* ---- requests and answers ---- */

static void a_call_has_its_parts_as_they_were_sent(void **state)
{
    struct world *world = *state;
    start(world, (struct gm_http_server_options){.handle = handle_parts});
    struct wire *wire = wire_open(url_z(world), NULL);
    wire_send(wire, "GET /a%2Fb/%00?x=1+2&y&x=%41 HTTP/1.1\r\nHost: localhost\r\n"
                    "IF-MATCH: W/\"7\"\r\n\r\n");
    assert_int_equal(wire_status(wire), 200);
    check_str(wire_body(wire), "/a%2Fb/%00|W/\"7\"|x=1 2;y=;x=%41;");
    check_str(wire_header(wire, "ETag"), "W/\"1\"");
    check_str(wire_header(wire, "Content-Type"), "application/json");
    check_str(wire_header(wire, "X-Content-Type-Options"), "nosniff");
    assert_int_equal(wire_get(wire, "/next"), 200);
    check_str(wire_body(wire), "/next|none|");
    wire_close(wire);
}

static void head_has_the_length_and_no_body(void **state)
{
    struct world *world = *state;
    start(world, (struct gm_http_server_options){.handle = handle_much});
    struct wire *wire = wire_open(url_z(world), NULL);
    assert_int_equal(wire_head(wire, "/"), 200);
    check_str(wire_header(wire, "Content-Length"), "3145728");
    assert_int_equal(wire_get(wire, "/"), 200);
    assert_int_equal(wire_body(wire).n, MUCH);
    wire_close(wire);
}

static void an_answer_without_a_body_has_no_type(void **state)
{
    struct world *world = *state;
    start(world, (struct gm_http_server_options){.handle = handle_nothing});
    struct wire *wire = wire_open(url_z(world), NULL);
    assert_int_equal(wire_get(wire, "/"), 204);
    assert_null(wire_header(wire, "Content-Type").p);
    assert_int_equal(wire_get(wire, "/"), 204);
    wire_close(wire);
}

static void a_401_says_how_to_authenticate(void **state)
{
    struct world *world = *state;
    start(world, (struct gm_http_server_options){.handle = handle_denied});
    struct wire *wire = wire_open(url_z(world), NULL);
    assert_int_equal(wire_get(wire, "/"), 401);
    check_str(wire_header(wire, "WWW-Authenticate"), "Bearer");
    check_str(wire_body(wire),
              "{\"error\":{\"code\":\"unauthorized\",\"message\":\"no \\\"token\\\"\"}}");
    assert_int_equal(wire_get(wire, "/own"), 401);
    check_str(wire_header(wire, "WWW-Authenticate"), "Bearer error=\"invalid_token\"");
    wire_close(wire);
}

/* ---- bodies ---- */

static void post(struct wire *wire, size_t size, const char *more_z)
{
    GM_AUTO_FREE char *head_z = gm_format_z(
        "POST /p HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n", more_z, size);
    wire_send(wire, head_z);
}

static void send_body(struct wire *wire, size_t size)
{
    char *bytes = gm_alloc(size);
    memset(bytes, 'x', size);
    assert_true(wire_try_send(wire, (struct gm_str){bytes, size}));
    gm_free(bytes);
}

static void a_body_may_be_as_large_as_the_limit(void **state)
{
    struct world *world = *state;
    start(world, (struct gm_http_server_options){.handle = handle_echo, .body_size_max = 2 << 20});
    struct wire *wire = wire_open(url_z(world), NULL);
    post(wire, 2 << 20, "");
    send_body(wire, 2 << 20);
    assert_int_equal(wire_status(wire), 200);
    check_str(wire_body(wire), "POST /p 2097152");
    post(wire, 0, "");
    assert_int_equal(wire_status(wire), 200);
    check_str(wire_body(wire), "POST /p 0");
    wire_close(wire);
}

static void a_larger_body_is_refused_and_the_connection_goes_on(void **state)
{
    struct world *world = *state;
    start(world, (struct gm_http_server_options){.handle = handle_echo, .body_size_max = 1000});
    struct wire *wire = wire_open(url_z(world), NULL);
    post(wire, 1001, "");
    send_body(wire, 1001);
    assert_int_equal(wire_status(wire), 413);
    check_str(wire_body(wire),
              "{\"error\":{\"code\":\"too-large\",\"message\":\"the body is larger "
              "than 1000 bytes\"}}");
    assert_int_equal(wire_get(wire, "/next"), 200);
    wire_send(wire, "POST /p HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3e8\r\n");
    send_body(wire, 1000);
    wire_send(wire, "\r\n1\r\nx\r\n0\r\n\r\n");
    assert_int_equal(wire_status(wire), 413);
    wire_close(wire);
}

/* Only who has the word may send much. */
static size_t admit_friends(void *ctx, const struct gm_http_call *call, uint64_t length)
{
    struct world *world = ctx;
    atomic_store(&world->asked_length, length);
    return gm_http_call_header(call, "Friend") != NULL ? 1 << 30 : 1000;
}

static void how_large_a_body_may_be_depends_on_who_asks(void **state)
{
    struct world *world = *state;
    start(world, (struct gm_http_server_options){
                     .handle = handle_echo, .admit = admit_friends, .body_size_max = 100000});
    struct wire *wire = wire_open(url_z(world), NULL);
    post(wire, 100000, "Friend: yes\r\n");
    send_body(wire, 100000);
    assert_int_equal(wire_status(wire), 200);
    assert_int_equal(atomic_load(&world->asked_length), 100000);
    post(wire, 1001, "");
    send_body(wire, 1001);
    assert_int_equal(wire_status(wire), 413);
    wire_send(wire, "POST /p HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3e9\r\n");
    send_body(wire, 1001);
    wire_send(wire, "\r\n0\r\n\r\n");
    assert_int_equal(wire_status(wire), 413);
    assert_true(atomic_load(&world->asked_length) == UINT64_MAX);
    post(wire, 100001, "Friend: yes\r\n");
    send_body(wire, 100001);
    assert_int_equal(wire_status(wire), 413);
    assert_int_equal(wire_get(wire, "/next"), 200);
    wire_close(wire);
}

static void a_huge_body_is_refused_before_it_comes(void **state)
{
    struct world *world = *state;
    start(world, (struct gm_http_server_options){.handle = handle_echo, .body_size_max = 1000});
    struct wire *wire = wire_open(url_z(world), NULL);
    post(wire, 1 << 30, "");
    assert_int_equal(wire_status(wire), 413);
    assert_true(wire_ended(wire));
    wire_close(wire);
}

/* More than a connection has memory for. */
static void a_flood_of_parameters_ends_the_connection(void **state)
{
    enum { COUNT = 2000 };
    struct world *world = *state;
    start(world, (struct gm_http_server_options){.handle = handle_echo});
    struct gm_buf request;
    gm_buf_init(&request, 1 << 20);
    gm_buf_add_z(&request, "GET /p?a=");
    for (size_t i = 0; i < COUNT; i++) {
        gm_buf_add_z(&request, "&b=");
    }
    gm_buf_add_z(&request, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    gm_buf_add_char(&request, '\0');
    struct wire *wire = wire_open(url_z(world), NULL);
    wire_send(wire, request.p);
    assert_true(wire_ended(wire));
    wire_close(wire);
    gm_buf_deinit(&request);
    wire = wire_open(url_z(world), NULL);
    assert_int_equal(wire_get(wire, "/next?a=1&b=2"), 200);
    wire_close(wire);
}

static void a_client_that_asks_before_it_sends_is_told(void **state)
{
    struct world *world = *state;
    start(world, (struct gm_http_server_options){.handle = handle_echo, .body_size_max = 1000});
    struct wire *wire = wire_open(url_z(world), NULL);
    post(wire, 10, "Expect: 100-continue\r\n");
    assert_int_equal(wire_status(wire), 100);
    send_body(wire, 10);
    assert_int_equal(wire_status(wire), 200);
    check_str(wire_body(wire), "POST /p 10");
    post(wire, 1001, "Expect: 100-continue\r\n");
    assert_int_equal(wire_status(wire), 413);
    wire_close(wire);
}

static void a_request_whose_end_has_two_readings_is_refused(void **state)
{
    static const char *const heads[] = {
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\ncontent-length: 5\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Content-Length\t: 5\r\n",
        "Host: other\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5x\r\n",
    };
    struct world *world = *state;
    start(world, (struct gm_http_server_options){.handle = handle_echo});
    for (size_t i = 0; i < GM_ARRAY_COUNT(heads); i++) {
        struct wire *wire = wire_open(url_z(world), NULL);
        GM_AUTO_FREE char *text_z =
            gm_format_z("POST /a HTTP/1.1\r\nHost: localhost\r\n%s\r\n0\r\n\r\n"
                        "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n",
                        heads[i]);
        wire_send(wire, text_z);
        assert_int_equal(wire_status(wire), 400);
        while (!wire_ended(wire)) { /* nothing of what stands behind is a request */
            assert_null(strstr(wire_body(wire).p, "/hidden"));
        }
        wire_close(wire);
    }
}

/* ---- answers from elsewhere ---- */

struct crowd {
    const char *url_z;
    size_t requests;
    _Atomic size_t done;
};

static void crowd_main(void *arg)
{
    struct crowd *crowd = arg;
    struct wire *wire = wire_open(crowd->url_z, NULL);
    for (size_t i = 0; i < crowd->requests; i++) {
        assert_int_equal(wire_get(wire, "/later"), 200);
        check_str(wire_body(wire), "GET /later 0");
        atomic_fetch_add(&crowd->done, 1);
    }
    wire_close(wire);
}

static void run_crowd(struct world *world, size_t clients, size_t requests)
{
    struct crowd crowd = {.url_z = url_z(world), .requests = requests};
    struct gm_thread *threads[16];
    assert_true(clients <= GM_ARRAY_COUNT(threads));
    for (size_t i = 0; i < clients; i++) {
        check_ok(gm_thread_start("client", crowd_main, &crowd, &threads[i], &world->err),
                 world->err);
    }
    for (size_t i = 0; i < clients; i++) {
        gm_thread_join(threads[i]);
    }
    assert_int_equal(crowd.done, clients * requests);
}

static void calls_are_answered_by_other_threads(void **state)
{
    struct world *world = *state;
    start_answerer(world);
    start(world, (struct gm_http_server_options){.handle = handle_later});
    run_crowd(world, 8, 300);
}

static void calls_are_answered_with_any_number_of_threads(void **state)
{
    struct world *world = *state;
    start_answerer(world);
    start(world, (struct gm_http_server_options){.handle = handle_later, .threads = 1});
    run_crowd(world, 4, 100);
    gm_http_server_stop(world->server);
    start(world, (struct gm_http_server_options){.handle = handle_later, .threads = 4});
    run_crowd(world, 4, 100);
}

static void handlers_that_block_run_on_workers(void **state)
{
    struct world *world = *state;
    start(world, (struct gm_http_server_options){
                     .handle = handle_with_workers, .blocking = true, .workers_max = 3});
    run_crowd(world, 8, 100);
}

static void a_client_that_went_away_harms_nobody(void **state)
{
    struct world *world = *state;
    start(world, (struct gm_http_server_options){.handle = handle_later, .threads = 1});
    struct wire *gone[8];
    struct gm_http_call *calls[8];
    for (size_t i = 0; i < GM_ARRAY_COUNT(gone); i++) {
        gone[i] = wire_open(url_z(world), NULL);
        wire_send(gone[i], "GET /gone HTTP/1.1\r\nHost: localhost\r\n\r\n");
        calls[i] = gm_queue_pop(world->calls);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(gone); i++) {
        wire_close(gone[i]);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(gone); i++) {
        assert_string_equal(calls[i]->path_z, "/gone"); /* it is all there */
        answer_echo(calls[i]);
    }
    start_answerer(world);
    run_crowd(world, 2, 10);
}

/* ---- workers ---- */

static void no_more_work_waits_than_there_is_room_for(void **state)
{
    enum { WAITING = 16 };
    struct world *world = *state;
    start(world, (struct gm_http_server_options){.handle = handle_with_workers, .workers_max = 1});
    struct wire *wires[WAITING + 2];
    size_t full = 0;
    for (size_t i = 0; i < GM_ARRAY_COUNT(wires); i++) {
        wires[i] = wire_open(url_z(world), NULL);
        wire_send(wires[i], "GET /gate HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    /* One is with the worker, 16 wait, the one that comes last is refused: all others are
     * silent. */
    struct wire *other = wire_open(url_z(world), NULL);
    assert_int_equal(wire_get(other, "/"), 200);
    wire_close(other);
    gm_stop_request(world->gate);
    for (size_t i = 0; i < GM_ARRAY_COUNT(wires); i++) {
        full += wire_status(wires[i]) == 503;
        wire_close(wires[i]);
    }
    assert_in_range(full, 1, 2); /* the worker may not have taken its first yet */
}

/* ---- clients that take their time ---- */

static const struct gm_http_server_options slow_options = {
    .handle = handle_echo, .transfer_time = 150 * GM_MS, .idle_time = GM_SECOND};

static void a_request_that_drips_in_is_cut_off(void **state)
{
    struct world *world = *state;
    char body[2000];
    memset(body, 'x', sizeof(body));
    body[sizeof(body) - 1] = '\0';
    start(world, slow_options);
    struct wire *wire = wire_open(url_z(world), NULL);
    post(wire, sizeof(body), "");
    assert_true(wire_trickle(wire, body, 10) < 200);
    assert_true(wire_ended(wire));
    wire_close(wire);
    /* so are headers */
    wire = wire_open(url_z(world), NULL);
    wire_send(wire, "GET / HTTP/1.1\r\nHost: localhost\r\nX: ");
    assert_true(wire_trickle(wire, body, 10) < sizeof(body) - 1);
    wire_close(wire);
}

static void a_client_that_does_not_read_is_cut_off(void **state)
{
    struct world *world = *state;
    struct gm_http_server_options options = slow_options;
    options.handle = handle_much;
    start(world, options);
    struct wire *wire = wire_open(url_z(world), NULL);
    for (int i = 0; i < 20; i++) { /* 60 MiB of answers: more than sockets hold */
        wire_send(wire, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    /* The server cuts it off although nothing is read: then nothing can be sent any more. */
    struct gm_deadline until = gm_deadline_in(60 * GM_SECOND, NULL);
    bool gone = false;
    while (!gone && !gm_deadline_passed(&until)) {
        struct wire *other = wire_open(url_z(world), NULL);
        assert_int_equal(wire_get(other, "/"), 200); /* others are served meanwhile */
        wire_close(other);
        gone = !wire_try_send(wire, GM_STR("G"));
    }
    assert_true(gone);
    wire_close(wire);
}

static void a_connection_may_be_silent_between_requests(void **state)
{
    struct world *world = *state;
    start(world, slow_options);
    struct wire *wire = wire_open(url_z(world), NULL);
    assert_int_equal(wire_get(wire, "/"), 200);
    struct gm_stop *never = gm_stop_new();
    assert_int_equal(gm_stop_wait(never, 300 * GM_MS), GM_OK); /* longer than a transfer may take */
    gm_stop_free(never);
    assert_int_equal(wire_get(wire, "/"), 200);
    assert_true(wire_ended(wire)); /* but not for ever */
    wire_close(wire);
}

static void more_connections_than_there_may_be_are_closed(void **state)
{
    struct world *world = *state;
    start(world, (struct gm_http_server_options){.handle = handle_echo, .connections_max = 3});
    struct wire *wires[3];
    for (size_t i = 0; i < GM_ARRAY_COUNT(wires); i++) {
        wires[i] = wire_open(url_z(world), NULL);
        assert_int_equal(wire_get(wires[i], "/"), 200);
    }
    struct wire *more = wire_open(url_z(world), NULL);
    assert_true(wire_ended(more));
    wire_close(more);
    assert_int_equal(wire_get(wires[0], "/"), 200);
    for (size_t i = 0; i < GM_ARRAY_COUNT(wires); i++) {
        wire_close(wires[i]);
    }
}

/* ---- the end ---- */

static void stop_main(void *arg)
{
    struct world *world = arg;
    gm_http_server_stop(world->server);
    gm_queue_close(world->calls);
}

static void the_end_waits_for_calls_under_way_and_their_answers(void **state)
{
    struct world *world = *state;
    struct gm_thread *stopper;
    start(world, (struct gm_http_server_options){.handle = handle_later});
    GM_AUTO_FREE char *kept_z = gm_strdup_z(url_z(world));
    struct wire *wire = wire_open(url_z(world), NULL);
    struct wire *idle = wire_open(url_z(world), NULL);
    wire_send(wire, "GET /last HTTP/1.1\r\nHost: localhost\r\n\r\n");
    struct gm_http_call *call = gm_queue_pop(world->calls);
    check_ok(gm_thread_start("stopper", stop_main, world, &stopper, &world->err), world->err);
    /* Once no connection is taken, it waits for this one call. */
    struct wire *late;
    while ((late = wire_try_open(kept_z, NULL)) != NULL) {
        wire_close(late);
    }
    assert_false(gm_queue_closed(world->calls));
    answer_echo(call);
    assert_int_equal(wire_status(wire), 200);
    check_str(wire_body(wire), "GET /last 0");
    assert_true(wire_ended(wire));
    gm_thread_join(stopper);
    world->server = NULL;
    wire_close(idle);
    wire_close(wire);
}

static void hammer_main(void *arg)
{
    struct crowd *crowd = arg;
    struct wire *wire;
    while ((wire = wire_try_open(crowd->url_z, NULL)) != NULL) {
        int status;
        while ((status = wire_get(wire, "/load")) == 200) {
            check_str(wire_body(wire), "GET /load 0"); /* whole, or not at all */
            atomic_fetch_add(&crowd->done, 1);
        }
        assert_true(status == 0 || status == 503);
        wire_close(wire);
    }
}

static void it_stops_under_load(void **state)
{
    struct world *world = *state;
    struct gm_thread *threads[8];
    start_answerer(world);
    start(world, (struct gm_http_server_options){.handle = handle_later});
    GM_AUTO_FREE char *kept_z = gm_strdup_z(url_z(world)); /* the server's goes with it */
    struct crowd crowd = {.url_z = kept_z};
    for (size_t i = 0; i < GM_ARRAY_COUNT(threads); i++) {
        check_ok(gm_thread_start("hammer", hammer_main, &crowd, &threads[i], &world->err),
                 world->err);
    }
    while (atomic_load(&crowd.done) < 500) {
        struct wire *wire = wire_open(url_z(world), NULL);
        assert_int_equal(wire_get(wire, "/load"), 200);
        wire_close(wire);
    }
    gm_http_server_stop(world->server);
    world->server = NULL;
    for (size_t i = 0; i < GM_ARRAY_COUNT(threads); i++) {
        gm_thread_join(threads[i]);
    }
    assert_null(wire_try_open(kept_z, NULL));
    assert_true(atomic_load(&world->answered) >= crowd.done);
}

/* ---- what cannot be started ---- */

static void what_cannot_be_started_is_told(void **state)
{
    struct world *world = *state;
    struct gm_http_server *second;
    start(world, (struct gm_http_server_options){.handle = handle_echo});
    const char *taken_z = url_z(world) + strlen("http://");
    struct gm_http_server_options options = {.address_z = taken_z, .handle = handle_echo};
    check_rc(gm_http_server_start(&options, &second, &world->err), GM_E_CONFIG, world->err);
    check_err_says(world->err, "another process listens there");
    options.tls = &(struct gm_http_tls){"no", "pem"};
    check_rc(gm_http_server_start(&options, &second, &world->err), GM_E_CONFIG, world->err);
    check_err_says(world->err, "the certificate cannot be used");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_has_its_parts_as_they_were_sent),
        TEST(head_has_the_length_and_no_body),
        TEST(an_answer_without_a_body_has_no_type),
        TEST(a_401_says_how_to_authenticate),
        TEST(a_body_may_be_as_large_as_the_limit),
        TEST(a_larger_body_is_refused_and_the_connection_goes_on),
        TEST(how_large_a_body_may_be_depends_on_who_asks),
        TEST(a_huge_body_is_refused_before_it_comes),
        TEST(a_flood_of_parameters_ends_the_connection),
        TEST(a_client_that_asks_before_it_sends_is_told),
        TEST(a_request_whose_end_has_two_readings_is_refused),
        TEST(calls_are_answered_by_other_threads),
        TEST(calls_are_answered_with_any_number_of_threads),
        TEST(handlers_that_block_run_on_workers),
        TEST(a_client_that_went_away_harms_nobody),
        TEST(no_more_work_waits_than_there_is_room_for),
        TEST(a_request_that_drips_in_is_cut_off),
        TEST(a_client_that_does_not_read_is_cut_off),
        TEST(a_connection_may_be_silent_between_requests),
        TEST(more_connections_than_there_may_be_are_closed),
        TEST(the_end_waits_for_calls_under_way_and_their_answers),
        TEST(it_stops_under_load),
        TEST(what_cannot_be_started_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
