/* Single edits: outcomes, preconditions, patches, source times, and what the log says of them. */
#include "edit_world.h"

#include "twin/history.h"

#define THING "'$metadata':{'$model':'dtmi:t:Thing;1'}"
#define BODY(id) "SELECT body FROM twins WHERE id = '" id "'"
#define PUT GM_EDIT_PUT_TWIN
#define PATCH GM_EDIT_PATCH_TWIN
#define LINK GM_EDIT_PUT_RELATIONSHIP

static void put_thing(struct world *world, const char *id_z)
{
    struct edit_case put = {.kind = PUT,
                            id_z,
                            "{" THING
                            ",'name':'A','size':1.5,'place':{'$metadata':{},'city':'Rome'}}"};
    assert_int_equal(outcome_of(world, put), GM_EDIT_DONE);
}

static void a_put_creates_and_answers_with_the_twin(void **state)
{
    struct world *world = *state;
    struct gm_edit edit = do_edit(
        world,
        (struct edit_case){.kind = PUT, "a", "{'$dtId':'other'," THING ",'name':'A','place':{}}"});
    assert_int_equal(edit.outcome, GM_EDIT_DONE);
    assert_true(edit.created);
    assert_string_equal(gm_json_member_str(edit.result, "$dtId").p, "a");
    assert_string_equal(gm_json_member_str(edit.result, "$etag").p, edit.etag);
    check_sql(world, BODY("a"), "{\"name\":\"A\",\"place\":{}}");
    check_sql(world, "SELECT creator || '/' || sources FROM twins", "0/0");
    assert_string_equal(last_change_data(world),
                        "{'$metadata':{'$model':'dtmi:t:Thing;1'},'name':'A','place':{}}");
}

static void a_put_replaces_the_whole_twin(void **state)
{
    struct world *world = *state;
    put_thing(world, "a");
    struct gm_edit edit =
        do_edit(world, (struct edit_case){.kind = PUT, "a", "{" THING ",'size':2,'place':{}}"});
    assert_false(edit.created);
    check_sql(world, BODY("a"), "{\"place\":{},\"size\":2}");
    check_sql(world, "SELECT version FROM twins", "2");
    assert_string_equal(last_change_data(world),
                        "[{'op':'remove','path':'/name'},{'op':'remove','path':'/place/city'},"
                        "{'op':'replace','path':'/size','value':2}]");
}

static void what_a_client_did_wrong_is_an_outcome_and_writes_nothing(void **state)
{
    struct world *world = *state;
    put_thing(world, "a");
    put_thing(world, "b");
    (void)do_edit(world,
                  (struct edit_case){
                      .kind = LINK, "a", "{'$targetId':'b','$relationshipName':'knows'}", "r"});
    static const struct {
        struct edit_case what;
        enum gm_edit_outcome outcome;
        const char *why;
    } cases[] = {
        {{.kind = PUT, "c\td", "{" THING "}"}, GM_EDIT_BAD_ID, "character"},
        {{.kind = PUT, "c", "[1]"}, GM_EDIT_INVALID, "object"},
        {{.kind = PUT, "c", "{'name':'A'}"}, GM_EDIT_INVALID, "$model"},
        {{.kind = PUT, "c", "{'$metadata':{'$model':'dtmi:t:None;1'}}"}, GM_EDIT_NO_MODEL, NULL},
        {{.kind = PUT, "c", "{" THING "}"}, GM_EDIT_INVALID, "place"},
        {{.kind = PUT, "c", "{" THING ",'place':{},'size':'x'}"}, GM_EDIT_INVALID, "size"},
        {{.kind = PUT, "c", "{" THING ",'place':{},'none':1}"}, GM_EDIT_INVALID, "none"},
        {{.kind = PUT, "c", "{" THING ",'place':{'none':1}}"}, GM_EDIT_INVALID, "none"},
        {{.kind = PUT, "c", "{" THING ",'place':{},'$other':1}"}, GM_EDIT_INVALID, "$other"},
        {{.kind = PUT,
          "c",
          "{'$metadata':{'$model':'dtmi:t:Thing;1','size':{'sourceTime':'x'}},'place':{},"
          "'size':1}"},
         GM_EDIT_INVALID,
         "sourceTime"},
        {{.kind = PUT, "a", "{" THING ",'place':{}}", .condition = GM_IF_ABSENT},
         GM_EDIT_EXISTS,
         NULL},
        {{.kind = PUT, "c", "{" THING ",'place':{}}", .condition = GM_IF_MATCH, .etag = "*"},
         GM_EDIT_MOVED,
         NULL},
        {{.kind = PATCH, "c", "[]"}, GM_EDIT_NO_TWIN, NULL},
        {{.kind = PATCH, "a", "[]", .condition = GM_IF_MATCH, .etag = "W/\"x\""},
         GM_EDIT_MOVED,
         NULL},
        {{.kind = GM_EDIT_DELETE_TWIN, "c", NULL}, GM_EDIT_NO_TWIN, NULL},
        {{.kind = GM_EDIT_DELETE_TWIN, "a", NULL}, GM_EDIT_HAS_RELATIONSHIPS, NULL},
        {{.kind = GM_EDIT_DELETE_TWIN, "b", NULL}, GM_EDIT_HAS_RELATIONSHIPS, NULL},
        {{.kind = LINK, "c", "{'$targetId':'b','$relationshipName':'knows'}", "x"},
         GM_EDIT_NO_TWIN,
         NULL},
        {{.kind = LINK, "a", "{'$targetId':'c','$relationshipName':'knows'}", "x"},
         GM_EDIT_NO_TARGET,
         NULL},
        {{.kind = LINK, "a", "{'$targetId':'a','$relationshipName':'knows'}", "x"},
         GM_EDIT_SELF,
         NULL},
        {{.kind = LINK, "a", "{'$targetId':'b','$relationshipName':'none'}", "x"},
         GM_EDIT_BAD_RELATIONSHIP,
         "none"},
        {{.kind = LINK, "a", "{'$targetId':'b'}", "x"},
         GM_EDIT_BAD_RELATIONSHIP,
         "$relationshipName"},
        {{.kind = LINK, "a", "{'$targetId':'b','$relationshipName':'likes','since':'x'}", "x"},
         GM_EDIT_INVALID,
         "since"},
        {{.kind = LINK,
          "a",
          "{'$targetId':'b','$relationshipName':'knows'}",
          "r",
          .condition = GM_IF_ABSENT},
         GM_EDIT_EXISTS,
         NULL},
        {{.kind = LINK, "a", "{'$targetId':'b','$relationshipName':'knows'}", "a\tb"},
         GM_EDIT_BAD_ID,
         NULL},
        {{.kind = GM_EDIT_PATCH_RELATIONSHIP, "a", "[]", "x"}, GM_EDIT_NO_RELATIONSHIP, NULL},
        {{.kind = GM_EDIT_DELETE_RELATIONSHIP, "a", NULL, "x"}, GM_EDIT_NO_RELATIONSHIP, NULL},
        {{.kind = GM_EDIT_DELETE_RELATIONSHIP, "a", NULL, "r", GM_IF_MATCH, "W/\"x\""},
         GM_EDIT_MOVED,
         NULL},
        {{.kind = GM_EDIT_PATCH_COMPONENT, "a", "[]", "size"}, GM_EDIT_NO_COMPONENT, NULL},
    };
    const char *before = world_sql(world, "SELECT MAX(first) FROM changes");
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_edit edit = do_edit(world, cases[i].what);
        if (edit.outcome != cases[i].outcome) {
            print_message("case %zu: %s\n", i, edit.why.text);
        }
        assert_int_equal(edit.outcome, cases[i].outcome);
        if (cases[i].why != NULL) {
            check_err_says(edit.why, cases[i].why);
        }
        check_sql(world, "SELECT MAX(first) FROM changes", before);
    }
}

static void wrong_patches_have_the_services_sentences(void **state)
{
    struct world *world = *state;
    put_thing(world, "a");
    static const struct {
        const char *patch, *sentence;
    } cases[] = {
        {"[{'op':'move','path':'/name'}]", "Unsupported operation type move."},
        {"[{'op':'test','path':'/name','value':1}]", "Unsupported operation type test."},
        {"[{'name':1}]", "Parameter op must not be empty."},
        {"[7]", "Parameter op must not be empty."},
        {"[{'op':'add','value':1}]", "Parameter path must not be empty."},
        {"[{'op':'add','path':'/name'}]", "Parameter value must not be empty."},
        {"[{'op':'remove','path':'/none'}]",
         "The target location specified by path segment 'none' was not found."},
        {"[{'op':'replace','path':'/place/zip','value':'1'}]",
         "The target location specified by path segment 'zip' was not found."},
        {"[{'op':'replace','path':'/other/x','value':'1'}]", "Could not resolve path /other/x."},
        {"[{'op':'add','path':'/humidity','value':1}]", "humidity does not exist on component."},
        {"[{'op':'add','path':'/$dtId','value':'b'}]", "$dtId does not exist on component."},
        {"[{'op':'remove','path':'/$metadata/size/sourceTime'}]",
         "The target location specified by path segment 'sourceTime' was not found."},
        {"[{'op':'add','path':'/$metadata/none/sourceTime','value':'2026-01-01T00:00:00Z'}]",
         "Could not resolve path none."},
        {"{}", "A patch must be a JSON array of operations."},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_edit edit =
            do_edit(world, (struct edit_case){.kind = PATCH, "a", cases[i].patch});
        assert_int_equal(edit.outcome, GM_EDIT_BAD_PATCH);
        assert_string_equal(edit.why.text, cases[i].sentence);
    }
    struct gm_edit edit =
        do_edit(world, (struct edit_case){.kind = GM_EDIT_PATCH_COMPONENT,
                                          "a",
                                          "[{'op':'replace','path':'/ComponentProp1','value':'x'}]",
                                          "Component2"});
    assert_int_equal(edit.outcome, GM_EDIT_BAD_PATCH);
    assert_string_equal(edit.why.text, "Could not resolve path /Component2/ComponentProp1.");
}

static void a_patch_sets_properties_and_those_of_components(void **state)
{
    struct world *world = *state;
    put_thing(world, "a");
    struct gm_edit edit =
        do_edit(world, (struct edit_case){.kind = PATCH,
                                          "a",
                                          "[{'op':'replace','path':'/size','value':2.5},"
                                          "{'op':'remove','path':'/name'},"
                                          "{'op':'add','path':'/place/zip','value':'00100'}]"});
    assert_int_equal(edit.outcome, GM_EDIT_DONE);
    check_sql(world, BODY("a"), "{\"place\":{\"city\":\"Rome\",\"zip\":\"00100\"},\"size\":2.5}");
    edit = do_edit(world, (struct edit_case){.kind = GM_EDIT_PATCH_COMPONENT,
                                             "a",
                                             "[{'op':'replace','path':'/city','value':'Bonn'}]",
                                             "place"});
    assert_int_equal(edit.outcome, GM_EDIT_DONE);
    check_sql(world, BODY("a"), "{\"place\":{\"city\":\"Bonn\",\"zip\":\"00100\"},\"size\":2.5}");
    assert_string_equal(last_change_data(world),
                        "[{'op':'replace','path':'/place/city','value':'Bonn'}]");
    check_sql(world, "SELECT times FROM twins", "{\"place/zip\":1002,\"size\":1002}");
}

static void a_patch_that_changes_nothing_is_done_and_has_a_time(void **state)
{
    struct world *world = *state;
    put_thing(world, "a");
    struct gm_edit edit = do_edit(
        world,
        (struct edit_case){.kind = PATCH, "a", "[{'op':'replace','path':'/size','value':1.5}]"});
    assert_int_equal(edit.outcome, GM_EDIT_DONE);
    check_sql(world, "SELECT version || times FROM twins", "2{\"name\":1001,\"place/city\":1001}");
    assert_string_equal(last_change_data(world), "[{'op':'replace','path':'/size','value':1.5}]");
}

static void a_component_cannot_go_while_the_model_has_it(void **state)
{
    struct world *world = *state;
    put_thing(world, "a");
    assert_int_equal(
        outcome_of(world,
                   (struct edit_case){.kind = PATCH, "a", "[{'op':'remove','path':'/place'}]"}),
        GM_EDIT_INVALID);
}

static void another_model_moves_the_twin_when_it_fits(void **state)
{
    struct world *world = *state;
    put_thing(world, "a");
    put_thing(world, "b");
    (void)do_edit(world,
                  (struct edit_case){
                      .kind = LINK, "b", "{'$targetId':'a','$relationshipName':'knows'}", "r"});
#define OTHER "{'op':'replace','path':'/$metadata/$model','value':'dtmi:t:Other;1'}"
    assert_int_equal(outcome_of(world, (struct edit_case){.kind = PATCH, "a", "[" OTHER "]"}),
                     GM_EDIT_INVALID);
    struct gm_edit edit =
        do_edit(world, (struct edit_case){.kind = PATCH,
                                          "a",
                                          "[" OTHER ",{'op':'remove','path':'/size'},"
                                          "{'op':'remove','path':'/place'}]"});
    assert_int_equal(edit.outcome, GM_EDIT_DONE);
    check_sql(world, BODY("a"), "{\"name\":\"A\"}");
    check_sql(world,
              "SELECT m.id FROM twins t JOIN models m ON m.num = t.num >> 32 WHERE t.id = 'a'",
              "dtmi:t:Other;1");
    check_sql(world, "SELECT t.id FROM relationships r JOIN twins t ON t.num = r.target", "a");
    edit =
        do_edit(world, (struct edit_case){.kind = PATCH, "a", "[]", NULL, GM_IF_MATCH, edit.etag});
    assert_int_equal(edit.outcome, GM_EDIT_DONE);
}

static void a_decommissioned_model_takes_no_new_twins(void **state)
{
    struct world *world = *state;
    put_thing(world, "a");
    assert_true(gm_models_set_stored(world->models, GM_STR("dtmi:t:Thing;1"),
                                     gm_models_find(world->models, GM_STR("dtmi:t:Thing;1"))->num,
                                     1, true));
    assert_int_equal(
        outcome_of(world, (struct edit_case){.kind = PUT, "b", "{" THING ",'place':{}}"}),
        GM_EDIT_DECOMMISSIONED);
    assert_int_equal(
        outcome_of(world, (struct edit_case){.kind = PUT, "a", "{" THING ",'place':{}}"}),
        GM_EDIT_DONE);
}

static void of_two_edits_with_one_etag_one_is_done(void **state)
{
    struct world *world = *state;
    struct gm_edit put =
        do_edit(world, (struct edit_case){.kind = PUT, "a", "{" THING ",'place':{}}"});
    struct edit_case patch = {
        .kind = PATCH, "a", "[{'op':'add','path':'/size','value':1}]", NULL, GM_IF_MATCH, put.etag};
    struct gm_edit first = do_edit(world, patch), second = do_edit(world, patch);
    assert_int_equal(first.outcome, GM_EDIT_DONE);
    assert_int_equal(second.outcome, GM_EDIT_MOVED);
    patch.etag = first.etag;
    assert_int_equal(outcome_of(world, patch), GM_EDIT_DONE);
}

static void a_source_time_stays_until_the_value_is_written_without_one(void **state)
{
    struct world *world = *state;
#define T1 "'2026-01-01T00:00:00.5Z'"
    (void)do_edit(
        world, (struct edit_case){.kind = PUT,
                                  "a",
                                  "{'$metadata':{'$model':'dtmi:t:Thing;1','size':{'sourceTime':" T1
                                  "}},'size':1,'name':'A','place':{'city':'X','$metadata':{'city':{"
                                  "'sourceTime':" T1 "}}}}"});
    assert_non_null(strstr(shown_twin(world, "a"), "Z','sourceTime':" T1));
    check_sql(world, "SELECT times FROM twins",
              "{\"place/city\":[1001,\"2026-01-01T00:00:00.5Z\"],"
              "\"size\":[1001,\"2026-01-01T00:00:00.5Z\"]}");
    assert_string_equal(
        last_change_data(world),
        "{'$metadata':{'$model':'dtmi:t:Thing;1','size':{'sourceTime':" T1 "}},'name':'A',"
        "'place':{'$metadata':{'city':{'sourceTime':" T1 "}},'city':'X'},'size':1}");
    (void)do_edit(world, (struct edit_case){
                             .kind = PATCH, "a", "[{'op':'replace','path':'/name','value':'B'}]"});
    check_sql(world, "SELECT times FROM twins",
              "{\"place/city\":[1001,\"2026-01-01T00:00:00.5Z\"],"
              "\"size\":[1001,\"2026-01-01T00:00:00.5Z\"]}");
    (void)do_edit(world, (struct edit_case){.kind = PATCH,
                                            "a",
                                            "[{'op':'replace','path':'/size','value':2},"
                                            "{'op':'add','path':'/name','value':'C'},"
                                            "{'op':'add','path':'/$metadata/name/sourceTime',"
                                            "'value':" T1 "}]"});
    check_sql(world, "SELECT times FROM twins",
              "{\"name\":[1003,\"2026-01-01T00:00:00.5Z\"],"
              "\"place/city\":[1001,\"2026-01-01T00:00:00.5Z\"]}");
    assert_string_equal(last_change_data(world),
                        "[{'op':'replace','path':'/size','value':2},"
                        "{'op':'add','path':'/name','value':'C'},"
                        "{'op':'remove','path':'/$metadata/size'},"
                        "{'op':'add','path':'/$metadata/name','value':{'sourceTime':" T1 "}}]");
    (void)do_edit(world, (struct edit_case){.kind = GM_EDIT_PATCH_COMPONENT,
                                            "a",
                                            "[{'op':'remove','path':'/$metadata/city/sourceTime'}]",
                                            "place"});
    check_sql(world, "SELECT times FROM twins",
              "{\"name\":[1003,\"2026-01-01T00:00:00.5Z\"],\"place/city\":1001,\"size\":1003}");
    assert_string_equal(last_change_data(world),
                        "[{'op':'add','path':'/place/$metadata','value':{}}]");
}

/* What the history folds is the twin, whatever patches went over it. */
static void history_folds_source_times_and_replaced_components(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    (void)do_edit(world, (struct edit_case){.kind = PUT,
                                            "a",
                                            "{" THING
                                            ",'place':{'city':'X','zip':'1','$metadata':{'city':{"
                                            "'sourceTime':" T1 "}}}}"});
    static const char *const patches[] = {
        "[{'op':'add','path':'/place','value':{'city':'Y','$metadata':{'city':{'sourceTime':" T1
        "}}}}]",
        "[{'op':'add','path':'/size','value':3},{'op':'add','path':'/$metadata/size','value':{"
        "'sourceTime':" T1 "}}]",
        "[{'op':'remove','path':'/size'},{'op':'add','path':'/place/zip','value':'2'}]",
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(patches); i++) {
        assert_int_equal(outcome_of(world, (struct edit_case){.kind = PATCH, "a", patches[i]}),
                         GM_EDIT_DONE);
    }
    yyjson_mut_val *value;
    struct gm_history_point point = {.twin = GM_STR("a"), .change = INT64_MAX};
    check_ok(gm_history_at(world->db, &point, world->doc, &value, &err), err);
    yyjson_mut_val *expected = quoted_json(
        world, "{'$dtId':'a','$metadata':{'$model':'dtmi:t:Thing;1'},'place':{'$metadata':{'city':"
               "{'sourceTime':" T1 "}},'city':'Y','zip':'2'},'$relationships':[]}");
    gm_json_sort(world->doc, value);
    gm_json_sort(world->doc, expected);
    assert_true(gm_json_equal(value, expected));
}

static void a_pipeline_that_writes_a_value_drops_its_source_time(void **state)
{
    struct world *world = *state;
    struct gm_twin_put first =
        world_put(world, (struct world_put){"a", "dtmi:t:Thing;1", "{\"name\":\"A\",\"size\":1}",
                                            NULL, 1, 0});
    (void)do_edit(world, (struct edit_case){.kind = PATCH,
                                            "a",
                                            "[{'op':'add','path':'/$metadata/size/sourceTime',"
                                            "'value':" T1 "}]"});
    check_sql(world, "SELECT times FROM twins",
              "{\"name\":1001,\"size\":[1001,\"2026-01-01T00:00:00.5Z\"]}");
    world_put(world,
              (struct world_put){"a", "dtmi:t:Thing;1", "{\"name\":\"B\"}", NULL, 1, first.num});
    check_sql(world, "SELECT times FROM twins", "{\"size\":[1001,\"2026-01-01T00:00:00.5Z\"]}");
    world_put(world, (struct world_put){"a", "dtmi:t:Thing;1", "{\"size\":2}", NULL, 1, first.num});
    check_sql(world, "SELECT COALESCE(times, 'none') FROM twins", "{\"name\":1003}");
}

static void relationships_are_put_patched_and_deleted(void **state)
{
    struct world *world = *state;
    put_thing(world, "a");
    put_thing(world, "b");
    put_thing(world, "c");
    struct gm_edit edit = do_edit(
        world,
        (struct edit_case){
            .kind = LINK, "a", "{'$targetId':'b','$relationshipName':'likes','since':1}", "r"});
    assert_int_equal(edit.outcome, GM_EDIT_DONE);
    assert_true(edit.created);
    assert_string_equal(gm_json_member_str(edit.result, "$sourceId").p, "a");
    assert_string_equal(last_change_data(world),
                        "[{'op':'add','$relationshipId':'r','$relationshipName':'likes',"
                        "'$targetId':'b','since':1}]");
    struct gm_edit patched =
        do_edit(world, (struct edit_case){.kind = GM_EDIT_PATCH_RELATIONSHIP,
                                          "a",
                                          "[{'op':'replace','path':'/since','value':2}]",
                                          "r",
                                          GM_IF_MATCH,
                                          edit.etag});
    assert_int_equal(patched.outcome, GM_EDIT_DONE);
    assert_string_not_equal(patched.etag, edit.etag);
    assert_string_equal(last_change_data(world),
                        "[{'op':'replace','$relationshipId':'r','$relationshipName':'likes',"
                        "'$targetId':'b','$patch':[{'op':'replace','path':'/since','value':2}],"
                        "'since':2}]");
    (void)do_edit(world,
                  (struct edit_case){
                      .kind = LINK, "a", "{'$targetId':'c','$relationshipName':'likes'}", "r"});
    assert_string_equal(
        last_change_data(world),
        "[{'op':'replace','$relationshipId':'r','$relationshipName':'likes',"
        "'$targetId':'c','$patch':[{'op':'replace','path':'/$targetId','value':'c'},"
        "{'op':'remove','path':'/since'}]}]");
    struct edit_case wrong[] = {
        {.kind = GM_EDIT_PATCH_RELATIONSHIP,
         "a",
         "[{'op':'remove','path':'/isAccessRestricted'}]",
         "r"},
        {.kind = GM_EDIT_PATCH_RELATIONSHIP,
         "a",
         "[{'op':'add','path':'/$targetId','value':'b'}]",
         "r"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(wrong); i++) {
        assert_int_equal(outcome_of(world, wrong[i]), GM_EDIT_BAD_PATCH);
    }
    assert_int_equal(
        outcome_of(world, (struct edit_case){.kind = GM_EDIT_DELETE_RELATIONSHIP, "a", NULL, "r"}),
        GM_EDIT_DONE);
    assert_string_equal(last_change_data(world),
                        "[{'op':'remove','$relationshipId':'r','$relationshipName':'likes',"
                        "'$targetId':'c',"
                        "'$etag':'W/\\'7894010e-29fc-f48f-0000-000000000006\\''}]");
    check_sql(world, "SELECT COUNT(*) FROM relationships", "0");
    assert_int_equal(outcome_of(world, (struct edit_case){.kind = GM_EDIT_DELETE_TWIN, "a", NULL}),
                     GM_EDIT_DONE);
}

static void an_etag_does_not_come_back_with_the_relationship(void **state)
{
    struct world *world = *state;
    put_thing(world, "a");
    put_thing(world, "b");
    struct edit_case put = {
        .kind = LINK, "a", "{'$targetId':'b','$relationshipName':'knows'}", "r"};
    struct gm_edit first = do_edit(world, put);
    (void)do_edit(world, (struct edit_case){.kind = GM_EDIT_DELETE_RELATIONSHIP, "a", NULL, "r"});
    (void)do_edit(world, put);
    assert_int_equal(
        outcome_of(
            world,
            (struct edit_case){
                .kind = GM_EDIT_DELETE_RELATIONSHIP, "a", NULL, "r", GM_IF_MATCH, first.etag}),
        GM_EDIT_MOVED);
}

static void limits_are_kept(void **state)
{
    struct world *world = *state;
    struct gm_edit_limits limits = {.twin_size_max = 60, .relationships_max = 1};
    put_thing(world, "a");
    put_thing(world, "b");
    put_thing(world, "c");
    struct edit_case big = {
        .kind = PATCH,
        "a",
        "[{'op':'add','path':'/name','value':'0123456789012345678901234567890123"
        "4567890123456789'}]"};
    big.limits = &limits;
    assert_int_equal(outcome_of(world, big), GM_EDIT_TOO_LARGE);
    struct edit_case link = {
        .kind = LINK, "a", "{'$targetId':'b','$relationshipName':'knows'}", "r1"};
    link.limits = &limits;
    assert_int_equal(outcome_of(world, link), GM_EDIT_DONE);
    assert_int_equal(outcome_of(world, link), GM_EDIT_DONE); /* replaced: no further one */
    link.part = "r2";
    assert_int_equal(outcome_of(world, link), GM_EDIT_TOO_LARGE);
    link.twin = "c";
    assert_int_equal(outcome_of(world, link), GM_EDIT_TOO_LARGE); /* the other side */
    struct edit_case gone = {.kind = GM_EDIT_DELETE_RELATIONSHIP, "a", NULL, "r1"};
    assert_int_equal(outcome_of(world, gone), GM_EDIT_DONE);
    assert_int_equal(outcome_of(world, link), GM_EDIT_DONE);
}

static void telemetry_is_logged_and_leaves_the_twin_alone(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    put_thing(world, "a");
    const char *before = world_sql(world, "SELECT last_change || '/' || version FROM twins");
    struct gm_telemetry telemetry = {.twin = GM_STR("a"),
                                     .component = GM_STR("place"),
                                     .message_id = GM_STR("m1"),
                                     .payload = quoted_json(world, "{'t':1}")};
    world_begin(world, 0);
    check_ok(gm_graph_telemetry(world->graph, &telemetry, &err), err);
    world_commit(world);
    assert_int_equal(telemetry.outcome, GM_EDIT_DONE);
    assert_string_equal(last_change_data(world),
                        "{'$component':'place','$model':'dtmi:t:Thing;1','messageId':'m1',"
                        "'payload':{'t':1}}");
    check_sql(world, "SELECT last_change || '/' || version FROM twins", before);
    (void)do_edit(world,
                  (struct edit_case){.kind = PATCH, "a", "[{'op':'remove','path':'/size'}]"});
    yyjson_mut_val *value;
    struct gm_history_point point = {.twin = GM_STR("a"), .change = INT64_MAX};
    check_ok(gm_history_at(world->db, &point, world->doc, &value, &err), err);
    telemetry.component = GM_STR("size");
    world_begin(world, 0);
    check_ok(gm_graph_telemetry(world->graph, &telemetry, &err), err);
    world_commit(world);
    assert_int_equal(telemetry.outcome, GM_EDIT_NO_COMPONENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_put_creates_and_answers_with_the_twin, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_put_replaces_the_whole_twin, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(what_a_client_did_wrong_is_an_outcome_and_writes_nothing,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(wrong_patches_have_the_services_sentences, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_patch_sets_properties_and_those_of_components,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_patch_that_changes_nothing_is_done_and_has_a_time,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_component_cannot_go_while_the_model_has_it, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(another_model_moves_the_twin_when_it_fits, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_decommissioned_model_takes_no_new_twins, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(of_two_edits_with_one_etag_one_is_done, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_source_time_stays_until_the_value_is_written_without_one,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(history_folds_source_times_and_replaced_components,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_pipeline_that_writes_a_value_drops_its_source_time,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(relationships_are_put_patched_and_deleted, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(an_etag_does_not_come_back_with_the_relationship,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(limits_are_kept, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(telemetry_is_logged_and_leaves_the_twin_alone, world_setup,
                                        world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
