/* The admin API on an engine of its own, asked as its users ask it: over HTTP. */
#include "api/admin.h"

#include "api/routes.h"
#include "base/mem.h"
#include "net/http.h"
#include "support/check.h"
#include "support/tmp.h"
#include "json/json.h"

struct world {
    struct tmp *tmp;
    struct gm_config *config;
    struct gm_store *store;
    struct gm_engine *engine;
    struct gm_admin *admin;
    char *url_z;
    char *authorization_z;
    struct gm_http_answer answer;
    struct gm_err err;
};

static const char model[] =
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Thing;1\",\"@type\":\"Interface\","
    "\"contents\":[{\"@type\":\"Property\",\"name\":\"size\",\"schema\":\"double\"}]}";

static void write_config(struct world *world, const char *listen_z)
{
    GM_AUTO_FREE char *text_z = gm_format_z(
        "data: ./data\nmodels: ./models\nadmin: { listen: \"%s\" }\npipelines:\n  things:\n"
        "    source: { csv: { path: things.csv, key: id } }\n"
        "    map: { $dtId: \"t-{id}\", $model: \"dtmi:t:Thing;1\", size: { from: size, type: "
        "double } }\n"
        "    errors: { stop_share: 90%% }\n    sink: twins\n",
        listen_z);
    tmp_write(world->tmp, "gemel.yaml", gm_str_z(text_z));
}

static void read_admin_file(struct world *world)
{
    struct gm_arena *arena = gm_arena_new(1 << 20);
    yyjson_mut_val *root;
    check_ok(gm_json_parse(gm_json_doc_new(arena), tmp_read(world->tmp, "data/admin.json"), &root,
                           &world->err),
             world->err);
    world->url_z = gm_str_dup_z(gm_json_member_str(root, "url"));
    GM_AUTO_FREE char *token_z = gm_str_dup_z(gm_json_member_str(root, "token"));
    world->authorization_z = gm_format_z("Bearer %s", token_z);
    gm_arena_free(arena);
}

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    world->tmp = tmp_new();
    write_config(world, "127.0.0.1:0");
    tmp_write(world->tmp, "models/thing.json", gm_str_z(model));
    tmp_write(world->tmp, "things.csv", GM_STR("id,size\n1,1.5\n2,large\n3,huge\n"));
    check_ok(gm_config_load(tmp_path(world->tmp, "gemel.yaml"), &world->config, &world->err),
             world->err);
    check_ok(gm_store_open(&(struct gm_store_options){.folder_z = tmp_path(world->tmp, "data")},
                           &world->store, &world->err),
             world->err);
    check_ok(
        gm_engine_open(&(struct gm_engine_options){.config = world->config, .store = world->store},
                       &world->engine, &world->err),
        world->err);
    check_ok(gm_admin_start(&(struct gm_admin_options){.engine = world->engine}, &world->admin,
                            &world->err),
             world->err);
    read_admin_file(world);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_http_answer_free(&world->answer);
    gm_engine_stop(world->engine);
    gm_admin_stop(world->admin);
    gm_engine_close(world->engine);
    gm_store_close(world->store);
    gm_config_free(world->config);
    tmp_free(world->tmp);
    gm_free(world->url_z);
    gm_free(world->authorization_z);
    gm_free(world);
    return 0;
}

/* The status; the body is world->answer's. */
static long ask(struct world *world, const char *method_z, const char *path_z, const char *body_z)
{
    GM_AUTO_FREE char *url_z = gm_format_z("%s%s", world->url_z, path_z);
    gm_http_answer_free(&world->answer);
    check_ok(gm_http_send(&(struct gm_http_request){.method_z = method_z,
                                                    .url_z = url_z,
                                                    .authorization_z = world->authorization_z,
                                                    .body = gm_str_z(body_z)},
                          &world->answer, &world->err),
             world->err);
    return world->answer.status;
}

#define check_answer(world, z) check_str(gm_buf_str(&(world)->answer.body), z)

static void run_once(struct world *world)
{
    size_t failed;
    check_ok(gm_engine_run_once(world->engine, NULL, &failed, &world->err), world->err);
    assert_int_equal(failed, 0);
}

static void it_is_ready_after_the_first_success(void **state)
{
    struct world *world = *state;
    assert_int_equal(ask(world, "GET", "/health", NULL), 200);
    assert_int_equal(ask(world, "GET", "/ready", NULL), 503);
    check_answer(world,
                 "{\"ready\":false,\"reasons\":[\"pipeline things has not succeeded yet\"]}");
    run_once(world);
    assert_int_equal(ask(world, "GET", "/ready", NULL), 200);
    check_answer(world, "{\"ready\":true,\"reasons\":[]}");
}

static void letters_are_redriven_and_dropped(void **state)
{
    struct world *world = *state;
    run_once(world);
    assert_int_equal(ask(world, "POST", "/pipelines/things/redrive", "{\"key\":\"2\"}"), 200);
    check_answer(world, "{\"applied\":0,\"failed\":1,\"held\":0}");
    assert_int_equal(ask(world, "POST", "/pipelines/things/drop-letters", "{\"num\":2}"), 200);
    check_answer(world, "{\"dropped\":1}");
    assert_int_equal(ask(world, "POST", "/pipelines/things/drop-letters", NULL), 200);
    check_answer(world, "{\"dropped\":1}");
    assert_int_equal(ask(world, "GET", "/dead-letters", NULL), 200);
    check_answer(world, "{\"dead_letters\":[],\"next\":null}");
}

static void an_operation_lets_the_pipeline_go_whatever_comes_of_it(void **state)
{
    struct world *world = *state;
    run_once(world);
    assert_int_equal(ask(world, "POST", "/runs/1/approve", NULL), 400);
    check_answer(world, "{\"error\":{\"code\":\"invalid\",\"message\":\"run 1 blocks no deletion: "
                        "its sweep is none\"}}");
    assert_int_equal(ask(world, "POST", "/pipelines/things/plan", NULL), 200);
    assert_int_equal(ask(world, "POST", "/pipelines/things/verify", NULL), 200);
    assert_int_equal(ask(world, "POST", "/pipelines/things/verify", "{\"check\":\"no artifact\"}"),
                     400);
    run_once(world);
}

static void a_trigger_after_the_engine_stopped_is_refused(void **state)
{
    struct world *world = *state;
    gm_engine_stop(world->engine);
    assert_int_equal(ask(world, "POST", "/pipelines/things/run", NULL), 503);
    assert_int_equal(ask(world, "POST", "/pipelines/things/plan", NULL), 503);
    check_answer(world,
                 "{\"error\":{\"code\":\"cancelled\",\"message\":\"the engine is stopping\"}}");
    assert_int_equal(ask(world, "GET", "/health", NULL), 200);
}

static void a_second_server_cannot_have_the_same_address(void **state)
{
    struct world *world = *state;
    struct world other = {.tmp = world->tmp};
    write_config(&other, world->url_z + sizeof("http://") - 1);
    check_ok(gm_config_load(tmp_path(other.tmp, "gemel.yaml"), &other.config, &other.err),
             other.err);
    check_ok(gm_store_open(&(struct gm_store_options){.folder_z = tmp_path(other.tmp, "other")},
                           &other.store, &other.err),
             other.err);
    check_ok(
        gm_engine_open(&(struct gm_engine_options){.config = other.config, .store = other.store},
                       &other.engine, &other.err),
        other.err);
    check_rc(gm_admin_start(&(struct gm_admin_options){.engine = other.engine}, &other.admin,
                            &other.err),
             GM_E_CONFIG, other.err);
    check_err_says(other.err, "another process listens there; set `admin.listen` to another "
                              "address, or `admin.enabled: false`");
    assert_null(other.admin);
    gm_engine_close(other.engine);
    gm_store_close(other.store);
    gm_config_free(other.config);
}

/* ---- the table ---- */

static void check_route(const char *method_z, const char *path_z, const char *expected_z)
{
    const struct gm_route *route = NULL;
    struct gm_str part;
    if (expected_z == NULL) {
        assert_int_equal(gm_route_find(method_z, path_z, &route, &part), GM_ROUTE_NO_PATH);
        return;
    }
    assert_int_equal(gm_route_find(method_z, path_z, &route, &part), GM_ROUTE_FOUND);
    assert_string_equal(route->path_z, expected_z);
}

static void paths_fit_whole(void **state)
{
    (void)state;
    const struct gm_route *route;
    struct gm_str part;
    check_route("GET", "/runs", "/runs");
    check_route("GET", "/runs/", "/runs");
    check_route("POST", "/runs/17/approve", "/runs/{num}/approve");
    check_route("POST", "/pipelines/a.b-c/plan", "/pipelines/{name}/plan");
    static const char *const wrong[] = {
        "",       "/",        "runs",           "/run",
        "/runsx", "/runs/17", "/runs//approve", "/runs/17/approve/x",
        "/Runs",  "//runs"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(wrong); i++) {
        check_route("GET", wrong[i], NULL);
        check_route("POST", wrong[i], NULL);
    }
    assert_int_equal(gm_route_find("PUT", "/runs/17/approve", &route, &part), GM_ROUTE_NO_METHOD);
    check_str(part, "17");
}

static void every_route_is_documented_and_bounded(void **state)
{
    (void)state;
    for (const struct gm_route *route = gm_admin_routes(); route->method_z != NULL; route++) {
        assert_non_null(route->handle);
        assert_true(strlen(route->help_z) > 10);
        bool reads = strcmp(route->method_z, "GET") == 0;
        assert_true(reads || strcmp(route->method_z, "POST") == 0);
        assert_true(!reads || route->body == NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_ready_after_the_first_success, setup, teardown),
        cmocka_unit_test_setup_teardown(letters_are_redriven_and_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(an_operation_lets_the_pipeline_go_whatever_comes_of_it,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_trigger_after_the_engine_stopped_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_second_server_cannot_have_the_same_address, setup,
                                        teardown),
        cmocka_unit_test(paths_fit_whole),
        cmocka_unit_test(every_route_is_documented_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
