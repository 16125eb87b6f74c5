/* Filters of event routes: what they match, and what is said of those that are wrong. */
#include <stdio.h>

#include "support/check.h"

#include "route/filter.h"

struct fixture {
    struct gm_arena *arena;
    struct gm_event event;
};

static int setup(void **state)
{
    static struct fixture fixture;
    struct gm_err err = {0};
    fixture.arena = gm_arena_new(16 << 20);
    yyjson_mut_doc *doc = gm_json_doc_new(fixture.arena);
    fixture.event = (struct gm_event){.type = GM_EVENT_TWIN_CREATE,
                                      .source = GM_STR("twins.example"),
                                      .subject = GM_STR("room-1")};
    check_ok(gm_json_parse(doc,
                           GM_STR("{\"temp\":20.5,\"count\":3,\"big\":9007199254740993,\"on\":true,"
                                  "\"label\":\"it's\",\"none\":null,\"list\":[1,2],"
                                  "\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"},\"odd name\":1}"),
                           &fixture.event.data, &err),
             err);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    gm_arena_free(((struct fixture *)*state)->arena);
    return 0;
}

static bool matches(struct fixture *fixture, const char *text_z)
{
    struct gm_err err = {0};
    struct gm_event_filter *filter;
    check_ok(gm_event_filter_parse(fixture->arena, gm_str_z(text_z), &filter, &err), err);
    return gm_event_filter_match(filter, &fixture->event);
}

static void all_match(struct fixture *fixture, const char *const *texts, bool wanted)
{
    for (; *texts != NULL; texts++) {
        if (matches(fixture, *texts) != wanted) {
            fail_msg("%s: expected %s", *texts, wanted ? "a match" : "none");
        }
    }
}

static void fields_of_the_event_are_compared(void **state)
{
    static const char *const yes[] = {"true",
                                      "type = 'Microsoft.DigitalTwins.Twin.Create'",
                                      "type != 'x'",
                                      "source = 'twins.example'",
                                      "subject >= 'room-0' AND subject < 'room-2'",
                                      "specversion = '1.0'",
                                      "datacontenttype = 'application/json'",
                                      "dataschema = null",
                                      "$eventType = 'DigitalTwinLifecycleNotification'",
                                      NULL};
    static const char *const no[] = {
        "false",           "type = 'microsoft.digitaltwins.twin.create'",
        "dataschema = ''", "dataschema != null",
        "specversion = 1", NULL};
    all_match(*state, yes, true);
    all_match(*state, no, false);
}

static void members_of_the_body_are_compared(void **state)
{
    static const char *const yes[] = {"$body.temp > 20",
                                      "$body.temp = 20.5",
                                      "$body.count = 3.0",
                                      "$body.count <= 3 AND $body.count >= 3",
                                      "$body.big = 9007199254740993",
                                      "$body.big > 9007199254740992",
                                      "$body.on = true",
                                      "$body.label = 'it\\'s'",
                                      "$body.none = null",
                                      "$body.missing = null",
                                      "$body.temp != null",
                                      "$body.$metadata.$model = 'dtmi:t:Room;1'",
                                      "$body.[[odd name]] = 1",
                                      "3 = $body.count",
                                      "NOT $body.missing > 1",
                                      NULL};
    static const char *const no[] = {"$body.temp > 20.5",
                                     "$body.temp = '20.5'",
                                     "$body.missing != 1",
                                     "$body.none != 1",
                                     "$body.list = 1",
                                     "$body.list.x = 1",
                                     "$body.label.x = null AND false",
                                     "$body.none != null",
                                     NULL};
    all_match(*state, yes, true);
    all_match(*state, no, false);
}

static void texts_have_functions(void **state)
{
    static const char *const yes[] = {"STARTS_WITH(subject, 'room')",
                                      "ends_with(type, '.Create')",
                                      "CONTAINS($body.$metadata.$model, ':t:')",
                                      "CONTAINS(subject, '')",
                                      "STARTSWITH(subject, 'room')",
                                      NULL};
    static const char *const no[] = {"STARTS_WITH(subject, 'Room')", "ENDS_WITH($body.temp, '5')",
                                     "CONTAINS($body.missing, 'a')", "CONTAINS(subject, 'room-11')",
                                     NULL};
    all_match(*state, yes, true);
    all_match(*state, no, false);
}

static void operators_bind_as_they_should(void **state)
{
    static const char *const yes[] = {"true OR true AND false", "NOT false AND true",
                                      "NOT (false AND true)",   "(false OR true) AND true",
                                      "NOT NOT true",           NULL};
    static const char *const no[] = {"(true OR true) AND false", "NOT true OR false",
                                     "NOT (false OR true)", NULL};
    all_match(*state, yes, true);
    all_match(*state, no, false);
}

static void events_of_each_type_have_their_class(void **state)
{
    struct fixture *fixture = *state;
    static const char *const classes[GM_EVENT_TYPE_COUNT] = {
        "DigitalTwinLifecycleNotification",
        "DigitalTwinChangeNotification",
        "DigitalTwinLifecycleNotification",
        "DigitalTwinRelationshipChangeNotification",
        "DigitalTwinRelationshipChangeNotification",
        "DigitalTwinRelationshipChangeNotification",
        "DigitalTwinTelemetryMessages",
    };
    for (size_t i = 0; i < GM_EVENT_TYPE_COUNT; i++) {
        char text[128];
        assert_true(snprintf(text, sizeof(text), "$eventType = '%s'", classes[i]) > 0);
        fixture->event.type = (enum gm_event_type)i;
        assert_true(matches(fixture, text));
    }
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *text_z, *says_z;
    } cases[] = {
        {"", "line 1, column 1: expected a condition, found the end"},
        {"type = 'a' AND", "line 1, column 15: expected a condition, found the end"},
        {"type = 'a'\nOR color = 'b'", "line 2, column 4: expected type, source, subject, "},
        {"type", "line 1, column 1: expected true, false, a comparison or a function"},
        {"$body", "line 1, column 1: expected true, false, a comparison or a function"},
        {"$body = 1", "line 1, column 1: expected type, source, subject, "},
        {"type.x = 1", "line 1, column 1: expected type, source, subject, "},
        {"Type = 'a'", "line 1, column 1: expected type, source, subject, "},
        {"type IN ['a']", "line 1, column 6: expected true, false, a comparison or a function"},
        {"IS_NULL($body.a)", "line 1, column 1: a filter has STARTS_WITH, ENDS_WITH and CONTAINS"},
        {"ARRAY_CONTAINS($body.a, 1)", "line 1, column 1: a filter has STARTS_WITH"},
        {"STARTS_WITH(type)", "line 1, column 17: expected `,`"},
        {"type = 'a", "line 1, column 8: the string is not closed by '"},
        {"(type = 'a'", "expected AND, OR or `)`, found the end"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_err err = {0};
        struct gm_event_filter *filter = NULL;
        check_rc(gm_event_filter_parse(fixture->arena, gm_str_z(cases[i].text_z), &filter, &err),
                 GM_E_INVALID, err);
        check_err_says(err, cases[i].says_z);
        assert_null(filter);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(fields_of_the_event_are_compared),
        TEST(members_of_the_body_are_compared),
        TEST(texts_have_functions),
        TEST(operators_bind_as_they_should),
        TEST(events_of_each_type_have_their_class),
        TEST(what_is_wrong_is_said_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
