/* Routes at work, with an endpoint that does what a test tells it to. */
#include "unit/route/world.h"

#include "base/vec.h"
#include "connect/endpoint.h"
#include "os/thread.h"
#include "route/route.h"

#define PATIENCE (20 * GM_SECOND)

/* ---- the endpoint ---- */

struct fake_conf {
    struct gm_endpoint_conf endpoint;
};

/* What arrived: "twin=value", newest last. */
static struct {
    struct gm_mutex *mu;
    struct gm_cond *cond;
    GM_VEC(char *) taken;               /* guarded by mu */
    GM_VEC(char *) ids;                 /* guarded by mu */
    size_t calls;                       /* guarded by mu */
    gm_rc (*judge)(const char *what_z); /* guarded by mu */
} fake;

static char *describe_z(struct gm_str event)
{
    struct gm_err err = {0};
    struct gm_arena *arena = gm_arena_new(1 << 20);
    yyjson_mut_val *root;
    check_ok(gm_json_parse(gm_json_doc_new(arena), event, &root, &err), err);
    struct gm_str twin = gm_json_member_str(root, "subject");
    yyjson_mut_val *patch = gm_json_member(gm_json_member(root, GM_STR("data")), GM_STR("patch"));
    yyjson_mut_val *value = gm_json_member(gm_json_first(patch), GM_STR("value"));
    char *text_z = patch != NULL ? gm_format_z(GM_STR_FMT "=%d", GM_STR_ARG(twin),
                                               (int)yyjson_mut_get_num(value))
                                 : gm_format_z(GM_STR_FMT, GM_STR_ARG(twin));
    gm_arena_free(arena);
    return text_z;
}

static gm_rc fake_open(const void *conf, const struct gm_stream_directory *streams, void **out_self,
                       struct gm_err *err)
{
    (void)streams;
    (void)conf;
    (void)err;
    *out_self = gm_alloc(1);
    return GM_OK;
}

static gm_rc fake_deliver(void *self, struct gm_delivery *delivery, struct gm_err *err)
{
    (void)self;
    gm_rc rc = GM_OK;
    delivery->taken = 0;
    gm_mutex_lock(fake.mu);
    fake.calls++;
    for (size_t i = 0; rc == GM_OK && i < delivery->count; i++) {
        char *what_z = describe_z(delivery->events[i]);
        rc = fake.judge != NULL ? fake.judge(what_z) : GM_OK;
        if (rc == GM_OK) {
            *gm_vec_push(&fake.taken) = what_z;
            *gm_vec_push(&fake.ids) = gm_str_dup_z(delivery->events[i]);
            delivery->taken++;
        } else {
            gm_free(what_z);
        }
    }
    gm_cond_broadcast(fake.cond);
    gm_mutex_unlock(fake.mu);
    return rc == GM_OK ? rc : gm_fail(err, rc, "told to");
}

static void fake_close(void *self)
{
    gm_free(self);
}

static const struct gm_field fake_fields[] = {GM_FIELD_END};
static const struct gm_endpoint fake_endpoint = {
    .name_z = "fake",
    .fields = fake_fields,
    .conf_size = sizeof(struct fake_conf),
    .self = &fake_endpoint,
    .open = fake_open,
    .deliver = fake_deliver,
    .close = fake_close,
};

static void forget_taken(void)
{
    for (size_t i = 0; i < fake.taken.n; i++) {
        gm_free(fake.taken.at[i]);
        gm_free(fake.ids.at[i]);
    }
    fake.taken.n = 0;
    fake.ids.n = 0;
}

static void judge_by(gm_rc (*judge)(const char *what_z))
{
    gm_mutex_lock(fake.mu);
    fake.judge = judge;
    gm_mutex_unlock(fake.mu);
}

/* Waits until `count` events were taken, and tells them, with spaces between. */
static void check_taken(struct world *world, size_t count, const char *wanted_z)
{
    struct gm_deadline deadline = gm_deadline_in(PATIENCE, NULL);
    struct gm_buf text;
    (void)world;
    gm_buf_init(&text, 1 << 20);
    gm_mutex_lock(fake.mu);
    while (fake.taken.n < count && !gm_deadline_passed(&deadline)) {
        (void)gm_cond_wait_for(fake.cond, fake.mu, gm_deadline_left(&deadline));
    }
    for (size_t i = 0; i < fake.taken.n; i++) {
        gm_buf_addf(&text, "%s%s", i > 0 ? " " : "", fake.taken.at[i]);
    }
    gm_mutex_unlock(fake.mu);
    check_str(gm_buf_str(&text), wanted_z);
    gm_buf_deinit(&text);
}

/* ---- routes ---- */

static struct gm_endpoint_conf quick(void)
{
    return (struct gm_endpoint_conf){
        .first = GM_MS, .longest = 2 * GM_MS, .give_up = GM_HOUR, .max_letters = 3};
}

static struct fake_conf conf;
static struct gm_conf_choice choice;
static struct gm_conf_map_entry entry;
static struct gm_conf_map endpoints;

static struct gm_routes *start_routes(struct world *world)
{
    struct gm_err err = {0};
    struct gm_routes *routes;
    choice = (struct gm_conf_choice){.alternative = &fake_endpoint.alternative, .conf = &conf};
    entry = (struct gm_conf_map_entry){.name_z = "fake", .value = &choice};
    endpoints = (struct gm_conf_map){&entry, 1};
    check_ok(gm_routes_open(&(struct gm_routes_options){.store = world->store,
                                                        .endpoints = &endpoints,
                                                        .source = GM_STR("test.example")},
                            &routes, &err),
             err);
    check_ok(gm_routes_start(routes, &err), err);
    return routes;
}

static gm_rc put_job(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    int64_t newest;
    GM_TRY(gm_graph_newest_change(tx->graph, &newest, err));
    return gm_event_route_put(tx->db, ctx, newest, err);
}

static void put_route(struct world *world, struct gm_routes *routes, const char *endpoint_z)
{
    struct gm_err err = {0};
    struct gm_event_route route = {.id = GM_STR("r"),
                                   .endpoint = gm_str_z(endpoint_z),
                                   .filter = GM_STR("true"),
                                   .created = gm_clock_wall_now()};
    check_ok(gm_store_write(world->store, put_job, &route, &err), err);
    gm_routes_refresh(routes, GM_STR("r"));
}

struct state {
    int64_t position, letters;
    bool failing;
    char error[GM_ERR_TEXT_SIZE];
};

static gm_rc take_state(void *ctx, const struct gm_event_route *route, struct gm_err *err)
{
    (void)err;
    struct state *state = ctx;
    *state = (struct state){route->position, route->letters, route->failing_since != 0, ""};
    if (route->error.p != NULL) {
        memcpy(state->error, route->error.p, route->error.n);
        state->error[route->error.n] = '\0';
    }
    return GM_OK;
}

static struct state state_of(struct world *world)
{
    struct gm_err err = {0};
    struct gm_db *db;
    struct state state = {0};
    check_ok(gm_store_reader(world->store, &db, &err), err);
    check_ok(gm_event_routes_list(db, &(struct gm_event_routes_query){0}, take_state, &state, &err),
             err);
    gm_db_close(db);
    return state;
}

/* What is kept follows what happens within a moment. */
static struct state wait_for_letters(struct world *world, int64_t letters)
{
    struct gm_stop *stop = gm_stop_new();
    struct gm_deadline deadline = gm_deadline_in(PATIENCE, NULL);
    struct state state = state_of(world);
    while (state.letters != letters && !gm_deadline_passed(&deadline)) {
        (void)gm_stop_wait(stop, 5 * GM_MS);
        state = state_of(world);
    }
    gm_stop_free(stop);
    assert_int_equal(state.letters, letters);
    return state;
}

static int setup(void **state)
{
    conf.endpoint = quick();
    fake.mu = gm_mutex_new();
    fake.cond = gm_cond_new();
    fake.judge = NULL;
    fake.calls = 0;
    return world_setup(state);
}

static int teardown(void **state)
{
    forget_taken();
    gm_vec_deinit(&fake.taken);
    gm_vec_deinit(&fake.ids);
    gm_cond_free(fake.cond);
    gm_mutex_free(fake.mu);
    return world_teardown(state);
}

/* ---- tests ---- */

static void a_new_route_begins_with_what_comes_and_goes_on_after_a_restart(void **state)
{
    struct world *world = *state;
    struct gm_routes *routes = start_routes(world);
    world_make(world, "a");
    put_route(world, routes, "fake");
    world_set(world, "a", 1);
    world_set(world, "a", 2);
    check_taken(world, 2, "a=1 a=2");
    gm_routes_close(routes);
    assert_int_equal(state_of(world).position, 3);
    world_set(world, "a", 3);
    routes = start_routes(world);
    world_set(world, "a", 4);
    check_taken(world, 4, "a=1 a=2 a=3 a=4");
    gm_routes_close(routes);
}

static int fails_left;

static gm_rc fail_some(const char *what_z)
{
    (void)what_z;
    return fails_left > 0 && fails_left-- % 3 != 0 ? GM_E_RETRY : GM_OK;
}

static void what_fails_is_tried_again_in_order(void **state)
{
    struct world *world = *state;
    struct gm_routes *routes = start_routes(world);
    world_make(world, "a");
    fails_left = 30;
    judge_by(fail_some);
    put_route(world, routes, "fake");
    for (int value = 1; value <= 6; value++) {
        world_set(world, "a", value);
    }
    check_taken(world, 6, "a=1 a=2 a=3 a=4 a=5 a=6");
    gm_routes_close(routes);
    assert_false(state_of(world).failing);
}

static gm_rc refuse_a1(const char *what_z)
{
    return strcmp(what_z, "a=1") == 0 ? GM_E_INVALID : GM_OK;
}

static void a_refused_event_holds_back_its_twin_and_no_other(void **state)
{
    struct world *world = *state;
    struct gm_routes *routes = start_routes(world);
    world_make(world, "a");
    world_make(world, "b");
    judge_by(refuse_a1);
    put_route(world, routes, "fake");
    world_set(world, "b", 1);
    world_set(world, "a", 1);
    world_set(world, "b", 2);
    world_set(world, "a", 2);
    world_set(world, "b", 3);
    check_taken(world, 3, "b=1 b=2 b=3");
    (void)wait_for_letters(world, 2);
    gm_routes_close(routes);
    routes = start_routes(world); /* it is still held */
    world_set(world, "a", 3);
    world_set(world, "b", 4);
    check_taken(world, 4, "b=1 b=2 b=3 b=4");
    (void)wait_for_letters(world, 3);
    gm_routes_close(routes);
}

static gm_rc redrive_job(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    return gm_route_letters_redrive(
        tx->db, &(struct gm_route_choice){.route = GM_STR("r"), .twin = GM_STR("a")}, ctx, err);
}

static void letters_are_redriven_in_order_before_what_comes(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_routes *routes = start_routes(world);
    int64_t count;
    world_make(world, "a");
    judge_by(refuse_a1);
    put_route(world, routes, "fake");
    for (int value = 1; value <= 3; value++) {
        world_set(world, "a", value);
    }
    (void)wait_for_letters(world, 3);
    world_set(world, "a", 4); /* one more than there may be: the route waits */
    judge_by(NULL);
    check_ok(gm_store_write(world->store, redrive_job, &count, &err), err);
    assert_int_equal(count, 3);
    gm_routes_refresh(routes, GM_STR("r"));
    check_taken(world, 4, "a=1 a=2 a=3 a=4");
    (void)wait_for_letters(world, 0);
    gm_routes_close(routes);
}

static gm_rc always_busy(const char *what_z)
{
    (void)what_z;
    return GM_E_RETRY;
}

static gm_rc rewind_job(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    (void)ctx;
    return gm_db_exec(tx->db, "UPDATE routes SET position = 1", err);
}

static void an_event_comes_again_as_it_was(void **state)
{
    struct world *world = *state;
    struct gm_routes *routes = start_routes(world);
    world_make(world, "a");
    put_route(world, routes, "fake");
    world_set(world, "a", 1);
    check_taken(world, 1, "a=1");
    GM_AUTO_FREE char *first_z = gm_strdup_z(fake.ids.at[0]);
    gm_routes_close(routes);
    /* as after a crash: the position is that of before */
    struct gm_err err = {0};
    check_ok(gm_store_write(world->store, rewind_job, NULL, &err), err);
    forget_taken();
    routes = start_routes(world);
    check_taken(world, 1, "a=1");
    assert_string_equal(fake.ids.at[0], first_z);
    gm_routes_close(routes);
}

static void a_stop_breaks_off_the_pause_between_attempts(void **state)
{
    struct world *world = *state;
    conf.endpoint.first = conf.endpoint.longest = GM_HOUR;
    struct gm_routes *routes = start_routes(world);
    world_make(world, "a");
    judge_by(always_busy);
    put_route(world, routes, "fake");
    world_set(world, "a", 1);
    gm_mutex_lock(fake.mu);
    while (fake.calls == 0) {
        gm_cond_wait(fake.cond, fake.mu);
    }
    gm_mutex_unlock(fake.mu);
    gm_routes_close(routes); /* returns */
    assert_int_equal(state_of(world).position, 1);
}

static void a_route_to_nowhere_says_so_and_loses_nothing(void **state)
{
    struct world *world = *state;
    struct gm_routes *routes = start_routes(world);
    world_make(world, "a");
    put_route(world, routes, "elsewhere");
    world_set(world, "a", 1);
    struct state at = state_of(world);
    while (!at.failing) { /* the worker says so once, at its start */
        at = state_of(world);
    }
    assert_string_equal(at.error, "there is no endpoint `elsewhere` in the configuration");
    put_route(world, routes, "fake");
    check_taken(world, 1, "a=1");
    gm_routes_close(routes);
    assert_false(state_of(world).failing);
}

static gm_rc trim_job(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    (void)ctx;
    return gm_db_exec(tx->db, "DELETE FROM changes WHERE first <= 2", err);
}

static void behind_a_trimmed_log_a_route_goes_on_where_it_begins(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_routes *routes = start_routes(world);
    put_route(world, routes, "fake");
    gm_routes_close(routes);
    world_make(world, "a");
    world_set(world, "a", 1);
    world_set(world, "a", 2);
    check_ok(gm_store_write(world->store, trim_job, NULL, &err), err);
    routes = start_routes(world);
    check_taken(world, 1, "a=2");
    gm_routes_close(routes);
    assert_int_equal(state_of(world).position, 3);
}

static gm_rc delete_job(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    (void)ctx;
    return gm_event_route_delete(tx->db, GM_STR("r"), err);
}

static void a_deleted_route_is_silent_and_wants_no_telemetry(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_routes *routes = start_routes(world);
    assert_false(gm_routes_wants_telemetry(routes));
    for (int round = 1; round <= 20; round++) {
        put_route(world, routes, "fake");
        assert_true(gm_routes_wants_telemetry(routes));
        check_ok(gm_store_write(world->store, delete_job, NULL, &err), err);
        gm_routes_refresh(routes, GM_STR("r"));
    }
    world_make(world, "a");
    put_route(world, routes, "fake");
    world_set(world, "a", 1);
    check_taken(world, 1, "a=1");
    gm_routes_close(routes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_route_begins_with_what_comes_and_goes_on_after_a_restart),
        TEST(what_fails_is_tried_again_in_order),
        TEST(a_refused_event_holds_back_its_twin_and_no_other),
        TEST(letters_are_redriven_in_order_before_what_comes),
        TEST(an_event_comes_again_as_it_was),
        TEST(a_stop_breaks_off_the_pause_between_attempts),
        TEST(a_route_to_nowhere_says_so_and_loses_nothing),
        TEST(behind_a_trimmed_log_a_route_goes_on_where_it_begins),
        TEST(a_deleted_route_is_silent_and_wants_no_telemetry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
