/* Commands: what somebody else does between looking and appending, and schemas. */
#include "command/commands.h"

#include "base/mem.h"
#include "support/check.h"
#include "support/tmp.h"

static const char conf_text[] =
    "streams:\n"
    "  things:\n"
    "    versions: true\n"
    "    state: merge\n"
    "    types:\n"
    "      made: { required: { id: integer }, optional: { a.b: string, left: integer } }\n"
    "commands:\n"
    "  make: { stream: things, key: 't-{id}', event: made, when: new }\n"
    "  take:\n"
    "    { stream: things, key: 't-{id}', event: made, when: existing,\n"
    "      require: '$entity.version < 3 OR left > $command.left',\n"
    "      fields: { a.b: { min: 2, max: 3 }, id: { values: [1, 2.0] } } }\n";

struct conf {
    struct gm_conf_map streams, commands;
};
static const struct gm_field fields[] = {
    GM_FIELD_MAP(struct conf, streams, .fields = gm_stream_fields,
                 .item_size = sizeof(struct gm_stream_conf)),
    GM_FIELD_MAP(struct conf, commands, .fields = gm_command_fields,
                 .item_size = sizeof(struct gm_command_conf)),
    GM_FIELD_END,
};

struct world {
    struct tmp *tmp;
    struct gm_conf_doc *doc;
    struct conf conf;
    struct gm_hub *hub;
    struct gm_commands *commands;
    struct gm_arena *arena;
    struct gm_err err;
};

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    world->tmp = tmp_new();
    world->arena = gm_arena_new(GM_COMMAND_ARENA_SIZE);
    world->doc = gm_conf_doc_new(NULL);
    gm_conf_decode(world->doc, gm_conf_load(world->doc, "c.yaml", gm_str_z(conf_text)), fields,
                   &world->conf);
    gm_command_conf_check(world->doc, &world->conf.commands, &world->conf.streams);
    assert_int_equal(gm_conf_error_count(world->doc), 0);
    const struct gm_hub_options hub = {.streams = &world->conf.streams,
                                       .folder_z = tmp_path(world->tmp, "data"),
                                       .clock = gm_clock_system()};
    check_ok(gm_hub_open(&hub, &world->hub, &world->err), world->err);
    const struct gm_commands_options commands = {.commands = &world->conf.commands,
                                                 .hub = world->hub};
    check_ok(gm_commands_open(&commands, &world->commands, &world->err), world->err);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_commands_close(world->commands);
    gm_hub_close(world->hub);
    gm_conf_doc_free(world->doc);
    gm_arena_free(world->arena);
    tmp_free(world->tmp);
    gm_free(world);
    return 0;
}

static struct gm_command_call *begin(struct world *world, const char *name_z, const char *body_z,
                                     const char *once_z)
{
    struct gm_command_ask *ask = gm_arena_zalloc(world->arena, sizeof(*ask));
    assert_non_null(ask);
    *ask = (struct gm_command_ask){.name = gm_str_z(name_z),
                                   .body = gm_str_z(body_z),
                                   .who = GM_STR("me"),
                                   .once = gm_str_z(once_z)};
    return gm_command_call_new(world->commands, ask, world->arena);
}

static const struct gm_command_answer *run(struct world *world, const char *name_z,
                                           const char *body_z)
{
    struct gm_command_call *call = begin(world, name_z, body_z, NULL);
    gm_command_call_run(call);
    return &call->answer;
}

/* The append of a call that was prepared. True: it has to look again. */
static bool append(struct world *world, struct gm_command_call *call)
{
    gm_rc rc = gm_stream_append(call->stream, &call->append, NULL, &world->err);
    return gm_command_call_settle(call, rc, &world->err);
}

static void check_code(const struct gm_command_answer *answer, int status, const char *code_z)
{
    assert_int_equal(answer->status, status);
    check_str(gm_str_z(answer->code_z), code_z);
}

static void who_comes_second_finds_what_the_first_made(void **state)
{
    struct world *world = *state;
    struct gm_command_call *first = begin(world, "make", "{\"id\":1}", NULL);
    struct gm_command_call *second = begin(world, "make", "{\"id\":1}", NULL);
    assert_true(gm_command_call_prepare(first));
    assert_true(gm_command_call_prepare(second));
    assert_false(append(world, second));
    assert_int_equal(second->answer.status, 201);
    assert_true(append(world, first));
    assert_false(gm_command_call_prepare(first));
    check_code(&first->answer, 409, "EntityExists");
}

static void who_is_overtaken_again_and_again_gives_up(void **state)
{
    struct world *world = *state;
    assert_int_equal(run(world, "make", "{\"id\":1}")->status, 201);
    struct gm_command_call *slow = begin(world, "take", "{\"id\":1,\"left\":-1}", NULL);
    int tries = 0;
    while (gm_command_call_prepare(slow)) {
        tries++;
        assert_int_equal(run(world, "take", "{\"id\":1,\"left\":0}")->status,
                         tries < 2 ? 200 : 409);
        const struct gm_event other = {
            .key = GM_STR("t-1"), .type = GM_STR("made"), .body = GM_STR("{\"left\":0}")};
        struct gm_append between = {.events = &other, .count = 1};
        check_ok(gm_stream_append(slow->stream, &between, NULL, &world->err), world->err);
        if (!append(world, slow)) {
            break;
        }
    }
    assert_int_equal(tries, GM_COMMAND_TRIES_MAX);
    check_code(&slow->answer, 503, "EntityBusy");
}

static void two_of_one_key_are_one(void **state)
{
    struct world *world = *state;
    struct gm_command_call *first = begin(world, "make", "{\"id\":1}", "k");
    struct gm_command_call *second = begin(world, "make", "{\"id\":1}", "k");
    assert_true(gm_command_call_prepare(first));
    assert_true(gm_command_call_prepare(second));
    assert_false(append(world, first));
    assert_true(append(world, second));
    assert_false(gm_command_call_prepare(second));
    assert_int_equal(second->answer.status, 201);
    assert_int_equal(second->answer.version, 1);
    assert_int_equal(second->answer.offset, first->answer.offset);
    assert_true(second->answer.repeated);
}

static void what_a_command_wants_of_a_state(void **state)
{
    struct world *world = *state;
    check_code(run(world, "take", "{\"id\":1}"), 404, "EntityNotFound");
    (void)run(world, "make", "{\"id\":1,\"left\":5}");
    assert_int_equal(run(world, "take", "{\"id\":1,\"left\":9}")->version, 2);
    assert_int_equal(run(world, "take", "{\"id\":1,\"left\":8}")->version, 3);
    check_code(run(world, "take", "{\"id\":1,\"left\":8}"), 409, "ConditionFailed");
    assert_int_equal(run(world, "take", "{\"id\":1,\"left\":7}")->version, 4);
}

static void bounds_are_of_numbers_characters_and_lists(void **state)
{
    struct world *world = *state;
    const struct {
        const char *body_z;
        bool right;
    } cases[] = {
        {"{\"id\":1,\"a\":{\"b\":\"\xc3\xa4\xc3\xb6\"}}", true},
        {"{\"id\":1,\"a\":{\"b\":\"\xc3\xa4\"}}", false},
        {"{\"id\":1,\"a\":{\"b\":\"abcd\"}}", false},
        {"{\"id\":1,\"a\":null}", true},
        {"{\"id\":1,\"a\":{\"b\":null}}", true},
        {"{\"id\":2}", true},
        {"{\"id\":3}", false},
        {"{\"id\":null}", false},
        {"{\"id\":1,\"a\":{\"c\":1}}", false},
        {"", false},
    };
    (void)run(world, "make", "{\"id\":1}");
    (void)run(world, "make", "{\"id\":2}");
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        const struct gm_command_answer *answer = run(world, "take", cases[i].body_z);
        assert_int_equal(answer->status == 400, !cases[i].right);
    }
}

int main(void)
{
#define COMMANDS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        COMMANDS_TEST(who_comes_second_finds_what_the_first_made),
        COMMANDS_TEST(who_is_overtaken_again_and_again_gives_up),
        COMMANDS_TEST(two_of_one_key_are_one),
        COMMANDS_TEST(what_a_command_wants_of_a_state),
        COMMANDS_TEST(bounds_are_of_numbers_characters_and_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
