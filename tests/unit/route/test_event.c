/* Events of changes: what the log does not say outright. The common shapes are tested through the
 * twin API, in tests/api/test_routes.py. */
#include "unit/route/world.h"

#include "route/event.h"

struct fixture {
    struct world *world;
    struct gm_db *db;
    struct gm_event_maker *maker;
    struct gm_events events;
    struct gm_buf text;
};
static struct fixture fixture;

static int setup(void **state)
{
    struct gm_err err = {0};
    assert_int_equal(world_setup(state), 0);
    fixture.world = *state;
    check_ok(gm_store_reader(fixture.world->store, &fixture.db, &err), err);
    check_ok(gm_event_maker_new(
                 &(struct gm_event_source){fixture.world->store, fixture.db, GM_STR("t.example")},
                 &fixture.maker, &err),
             err);
    fixture.events = (struct gm_events){.arena = gm_arena_new(16 << 20)};
    gm_buf_init(&fixture.text, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    gm_event_maker_free(fixture.maker);
    gm_db_close(fixture.db);
    gm_arena_free(fixture.events.arena);
    gm_buf_deinit(&fixture.text);
    return world_teardown(state);
}

static void make(struct gm_change change)
{
    struct gm_err err = {0};
    change.data = world_quoted(fixture.world, change.data.p, '\'', '"');
    check_ok(gm_event_make(fixture.maker, &change, &fixture.events, &err), err);
}

/* The data of event `index`, with single quotes. */
static struct gm_str data_of(size_t index)
{
    assert_true(index < fixture.events.count);
    gm_buf_reset(&fixture.text);
    gm_json_write(fixture.events.at[index].data, &fixture.text);
    return world_quoted(fixture.world, fixture.text.p, '"', '\'');
}

static void each_relationship_of_a_change_is_an_event_of_its_own(void **state)
{
    (void)state;
    make((struct gm_change){
        .num = 7,
        .kind = GM_CHANGE_RELATIONSHIPS,
        .twin = GM_STR("a"),
        .data = GM_STR("[{'op':'wait','$relationshipId':'w','$relationshipName':'near',"
                       "'$targetId':'x'},"
                       "{'op':'remove','$relationshipId':'r','$relationshipName':'near',"
                       "'$targetId':'b','since':3},"
                       "{'op':'add','$relationshipId':'s','$relationshipName':'near',"
                       "'$targetId':'c'}]")});
    assert_int_equal(fixture.events.count, 2);
    assert_int_equal(fixture.events.at[0].type, GM_EVENT_RELATIONSHIP_DELETE);
    check_str(fixture.events.at[0].subject, "a/relationships/r");
    check_str(data_of(0), "{'$relationshipId':'r','$sourceId':'a','$targetId':'b',"
                          "'$relationshipName':'near','since':3}");
    assert_int_equal(fixture.events.at[1].type, GM_EVENT_RELATIONSHIP_CREATE);
    check_str(fixture.events.at[1].subject, "a/relationships/s");
    assert_int_equal(fixture.events.at[1].part, 1);
    assert_false(gm_str_eq(fixture.events.at[0].id, fixture.events.at[1].id));
}

static void the_same_change_gives_the_same_ids(void **state)
{
    (void)state;
    const struct gm_change change = {.num = 3,
                                     .time = 5 * GM_SECOND,
                                     .kind = GM_CHANGE_UPDATE,
                                     .twin = GM_STR("a"),
                                     .data = GM_STR("[]")};
    make(change);
    struct gm_str first = gm_arena_dup(fixture.world->arena, fixture.events.at[0].id);
    make(change);
    assert_true(gm_str_eq(first, fixture.events.at[0].id));
    struct gm_change other = change;
    other.num = 4;
    make(other);
    assert_false(gm_str_eq(first, fixture.events.at[0].id));
}

static void source_times_are_told_of_what_is_created(void **state)
{
    (void)state;
    make((struct gm_change){
        .num = 1,
        .kind = GM_CHANGE_CREATE,
        .twin = GM_STR("a"),
        .data = GM_STR("{'$metadata':{'$model':'dtmi:t:Room;1','temp':{'sourceTime':'T1'}},"
                       "'door':{'$metadata':{'open':{'sourceTime':'T2'}},'open':true},"
                       "'temp':1.5}")});
    check_str(data_of(0),
              "{'$dtId':'a','door':{'open':true,'$metadata':{"
              "'$lastUpdateTime':'1970-01-01T00:00:00.0000000Z','open':{"
              "'lastUpdateTime':'1970-01-01T00:00:00.0000000Z','sourceTime':'T2'}}},'temp':1.5,"
              "'$metadata':{'$model':'dtmi:t:Room;1',"
              "'$lastUpdateTime':'1970-01-01T00:00:00.0000000Z','temp':{"
              "'lastUpdateTime':'1970-01-01T00:00:00.0000000Z','sourceTime':'T1'}}}");
}

static void a_twin_of_a_model_that_is_gone_is_told_as_the_log_has_it(void **state)
{
    (void)state;
    make((struct gm_change){.num = 1,
                            .kind = GM_CHANGE_CREATE,
                            .twin = GM_STR("a"),
                            .data = GM_STR("{'$metadata':{'$model':'dtmi:t:Gone;1'},'temp':1.5}")});
    check_str(data_of(0), "{'$dtId':'a','$metadata':{'$model':'dtmi:t:Gone;1'},'temp':1.5}");
}

static void the_model_of_an_update_is_found_in_the_history(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_change_reader *log;
    struct gm_change change;
    world_make(world, "a"); /* 1: a Hall */
    world_set(world, "a", 1);
    (void)world_edit(world, GM_EDIT_PATCH_TWIN, "a",
                     "[{'op':'replace','path':'/$metadata/$model','value':'dtmi:t:Room;1'},"
                     "{'op':'add','path':'/door','value':{'$metadata':{}}}]");
    world_set(world, "a", 2);
    (void)world_edit(world, GM_EDIT_DELETE_TWIN, "a", NULL);
    world_make(world, "a"); /* again a Hall */
    check_ok(gm_change_reader_open(fixture.db, &log, &err), err);
    static const struct {
        int64_t num;
        const char *model_z;
    } cases[] = {{4, "dtmi:t:Room;1"}, {2, "dtmi:t:Hall;1"}, {3, "dtmi:t:Room;1"}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_event_maker *fresh; /* that has seen nothing before */
        check_ok(gm_event_maker_new(
                     &(struct gm_event_source){world->store, fixture.db, GM_STR("t.example")},
                     &fresh, &err),
                 err);
        check_ok(gm_change_read(log, cases[i].num, &change, &err), err);
        check_ok(gm_event_make(fresh, &change, &fixture.events, &err), err);
        check_str(gm_json_member_str(fixture.events.at[0].data, "modelId"), cases[i].model_z);
        gm_event_maker_free(fresh);
    }
    gm_change_reader_close(log);
}

static void what_the_log_should_not_hold_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum gm_change_kind kind;
        const char *data_z;
    } cases[] = {{GM_CHANGE_CREATE, "[]"},
                 {GM_CHANGE_UPDATE, "{}"},
                 {GM_CHANGE_RELATIONSHIPS, "[1]"},
                 {GM_CHANGE_DELETE, "{"},
                 {GM_CHANGE_TELEMETRY, "7"}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_err err = {0};
        const struct gm_change change = {.num = 9,
                                         .kind = cases[i].kind,
                                         .twin = GM_STR("a"),
                                         .data = gm_str_z(cases[i].data_z)};
        check_rc(gm_event_make(fixture.maker, &change, &fixture.events, &err), GM_E_CORRUPT, err);
        check_err_says(err, "change 9 of twin \"a\"");
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_relationship_of_a_change_is_an_event_of_its_own),
        TEST(the_same_change_gives_the_same_ids),
        TEST(source_times_are_told_of_what_is_created),
        TEST(a_twin_of_a_model_that_is_gone_is_told_as_the_log_has_it),
        TEST(the_model_of_an_update_is_found_in_the_history),
        TEST(what_the_log_should_not_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
