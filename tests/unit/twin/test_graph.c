/* Writing the graph: who owns what, relationships that wait, history, and what is undone. */
#include "world.h"

#include "base/num.h"

#define THING "dtmi:t:Thing;1"
#define BODY(id) "SELECT body FROM twins WHERE id = '" id "'"
#define LINKS                                                                                      \
    "SELECT COALESCE(group_concat(s.id || '-' || r.name || '-' || t.id, ' '), '') FROM "           \
    "relationships r JOIN twins s ON s.num = r.source JOIN twins t ON t.num = r.target"
#define WAITING "SELECT COUNT(*) FROM relationships_waiting"

static void a_new_twin_is_created_with_its_body(void **state)
{
    struct world *world = *state;
    struct gm_twin_put put = world_put(
        world, (struct world_put){"a", THING, "{\"name\":\"A\",\"place\":{}}", NULL, 1, 0});
    assert_int_equal(put.outcome, GM_PUT_CREATED);
    assert_int_equal(gm_twin_model_num(put.num), put.model->num);
    check_sql(world, BODY("a"), "{\"name\":\"A\",\"place\":{}}");
    check_sql(world, "SELECT creator || '/' || sources FROM twins", "1/1");
}

static void an_equal_put_writes_nothing(void **state)
{
    struct world *world = *state;
    struct gm_twin_put first = world_put(
        world, (struct world_put){"a", THING, "{\"name\":\"A\",\"size\":1.5}", NULL, 1, 0});
    struct gm_twin_put put = world_put(
        world, (struct world_put){"a", THING, "{\"name\":\"A\",\"size\":1.5}", NULL, 1, first.num});
    assert_int_equal(put.outcome, GM_PUT_SAME);
    check_sql(world, "SELECT version FROM twins", "1");
    check_sql(world, "SELECT SUM(count) FROM changes", "1");
}

static void a_null_removes_and_other_members_stay(void **state)
{
    struct world *world = *state;
    struct gm_twin_put first = world_put(
        world, (struct world_put){"a", THING, "{\"name\":\"A\",\"size\":1.5}", NULL, 1, 0});
    struct gm_twin_put put =
        world_put(world, (struct world_put){"a", THING, "{\"size\":null}", NULL, 1, first.num});
    assert_int_equal(put.outcome, GM_PUT_UPDATED);
    check_sql(world, BODY("a"), "{\"name\":\"A\"}");
    check_sql(world, "SELECT version FROM twins", "2");
}

static void two_pipelines_own_members_of_one_twin_and_of_one_component(void **state)
{
    struct world *world = *state;
    world_put(world, (struct world_put){
                         "a", THING, "{\"name\":\"A\",\"place\":{\"city\":\"Rome\"}}", NULL, 1, 0});
    struct gm_twin_put put = world_put(
        world,
        (struct world_put){"a", THING, "{\"size\":2.0,\"place\":{\"zip\":\"00100\"}}", NULL, 2, 0});
    assert_int_equal(put.outcome, GM_PUT_UPDATED);
    check_sql(world, BODY("a"),
              "{\"name\":\"A\",\"place\":{\"city\":\"Rome\",\"zip\":\"00100\"},\"size\":2.0}");
    check_sql(world, "SELECT creator || '/' || sources FROM twins", "1/2");
}

static void two_keys_of_one_pipeline_cannot_make_one_twin(void **state)
{
    struct world *world = *state;
    world_put(world, (struct world_put){"a", THING, "{\"name\":\"A\"}", NULL, 1, 0});
    struct gm_twin_put put =
        world_put(world, (struct world_put){"a", THING, "{\"name\":\"B\"}", NULL, 1, 0});
    assert_int_equal(put.rc, GM_E_INVALID);
    check_err_says(world->own, "another key of this pipeline");
    check_sql(world, BODY("a"), "{\"name\":\"A\"}");
}

static void only_the_creator_changes_a_model_and_relationships_follow(void **state)
{
    struct world *world = *state;
    struct gm_twin_put a = world_put(
        world, (struct world_put){"a", THING, "{\"name\":\"A\",\"size\":1.0}", NULL, 1, 0});
    world_put(world, (struct world_put){"b", THING, "{}", "[[\"r\",\"likes\",\"a\"]]", 1, 0});
    struct gm_twin_put refused =
        world_put(world, (struct world_put){"a", "dtmi:t:Big;1", "{}", NULL, 2, 0});
    assert_int_equal(refused.rc, GM_E_INVALID);
    check_err_says(world->own, "only the pipeline that created");
    struct gm_twin_put moved = world_put(
        world, (struct world_put){"a", "dtmi:t:Big;1", "{\"name\":\"A\"}", NULL, 1, a.num});
    assert_int_equal(moved.outcome, GM_PUT_UPDATED);
    assert_int_not_equal(moved.num, a.num);
    check_sql(world, BODY("a"), "{\"name\":\"A\",\"size\":1.0}");
    check_sql(world, LINKS, "b-likes-a");
    struct gm_twin_put again = world_put(
        world, (struct world_put){"a", "dtmi:t:Big;1", "{\"name\":\"C\"}", NULL, 1, a.num});
    assert_int_equal(again.rc, GM_OK);
    check_sql(world, BODY("a"), "{\"name\":\"C\",\"size\":1.0}");
}

static void a_relationship_waits_for_its_target(void **state)
{
    struct world *world = *state;
    world_put(world, (struct world_put){"a", THING, "{}", "[[\"r\",\"likes\",\"b\"]]", 1, 0});
    check_sql(world, LINKS, "");
    check_sql(world, WAITING, "1");
    world_put(world, (struct world_put){"b", THING, "{}", NULL, 2, 0});
    check_sql(world, LINKS, "a-likes-b");
    check_sql(world, WAITING, "0");
}

static void a_target_of_the_wrong_model_keeps_the_relationship_waiting_and_says_why(void **state)
{
    struct world *world = *state;
    world_put(world, (struct world_put){"a", THING, "{}", "[[\"r\",\"likes\",\"b\"]]", 1, 0});
    world_put(world, (struct world_put){"b", "dtmi:t:Other;1", "{}", NULL, 2, 0});
    check_sql(world, LINKS, "");
    check_sql(world, "SELECT error IS NOT NULL FROM relationships_waiting", "1");
}

static void a_moved_foreign_key_is_delete_and_create(void **state)
{
    struct world *world = *state;
    world_put(world, (struct world_put){"b", THING, "{}", NULL, 1, 0});
    world_put(world, (struct world_put){"c", THING, "{}", NULL, 1, 0});
    struct gm_twin_put a = world_put(
        world, (struct world_put){"a", THING, "{}", "[[\"likes-b\",\"likes\",\"b\"]]", 1, 0});
    struct gm_twin_put put = world_put(
        world, (struct world_put){"a", THING, "{}", "[[\"likes-c\",\"likes\",\"c\"]]", 1, a.num});
    assert_int_equal(put.outcome, GM_PUT_UPDATED);
    check_sql(world, LINKS, "a-likes-c");
    put = world_put(
        world, (struct world_put){"a", THING, "{}", "[[\"likes-c\",\"likes\",\"c\"]]", 1, a.num});
    assert_int_equal(put.outcome, GM_PUT_SAME);
}

static void release(struct world *world, int64_t num, int64_t pipeline, struct gm_strs names,
                    bool expect_deleted)
{
    struct gm_err err = {0};
    bool deleted;
    world_begin(world, pipeline);
    check_ok(gm_graph_release_twin(world->graph, num, names, &deleted, &err), err);
    world_commit(world);
    assert_int_equal(deleted, expect_deleted);
}

static void the_last_pipeline_to_release_a_twin_deletes_it(void **state)
{
    struct world *world = *state;
    static const struct gm_str name[] = {{"name", 4}};
    struct gm_twin_put a = world_put(world, (struct world_put){"a", THING, "{\"name\":\"A\"}",
                                                               "[[\"r\",\"knows\",\"b\"]]", 1, 0});
    world_put(world, (struct world_put){"b", THING, "{}", NULL, 1, 0});
    world_put(world, (struct world_put){"a", THING, "{\"size\":2.0}", NULL, 2, 0});
    release(world, a.num, 1, (struct gm_strs){name, 1}, false);
    check_sql(world, BODY("a"), "{\"size\":2.0}");
    check_sql(world, LINKS, "");
    release(world, a.num, 2, (struct gm_strs){NULL, 0}, true);
    check_sql(world, BODY("a"), "");
}

static void what_no_pipeline_created_no_pipeline_deletes(void **state)
{
    struct world *world = *state;
    static const struct gm_str size[] = {{"size", 4}};
    world_put(world, (struct world_put){"a", THING, "{\"name\":\"A\"}", NULL, 0, 0});
    struct gm_twin_put put =
        world_put(world, (struct world_put){"a", THING, "{\"size\":2.0}", NULL, 1, 0});
    release(world, put.num, 1, (struct gm_strs){size, 1}, false);
    check_sql(world, BODY("a"), "{\"name\":\"A\"}");
}

static void a_deleted_target_makes_relationships_wait_and_its_return_brings_them_back(void **state)
{
    struct world *world = *state;
    struct gm_twin_put b =
        world_put(world, (struct world_put){"b", THING, "{\"name\":\"1\"}", NULL, 2, 0});
    world_put(world, (struct world_put){"a", THING, "{}", "[[\"r\",\"likes\",\"b\"]]", 1, 0});
    release(world, b.num, 2, (struct gm_strs){NULL, 0}, true);
    check_sql(world, LINKS, "");
    check_sql(world, WAITING, "1");
    struct gm_twin_put back =
        world_put(world, (struct world_put){"b", THING, "{\"name\":\"2\"}", NULL, 2, 0});
    assert_true(back.num > b.num);
    check_sql(world, LINKS, "a-likes-b");
}

static void a_number_never_comes_back(void **state)
{
    struct world *world = *state;
    struct gm_twin_put a = world_put(world, (struct world_put){"a", THING, "{}", NULL, 1, 0});
    release(world, a.num, 1, (struct gm_strs){NULL, 0}, true);
    gm_graph_forget(world->graph);
    struct gm_twin_put b = world_put(world, (struct world_put){"b", THING, "{}", NULL, 1, 0});
    assert_true(b.num > a.num);
}

static void links_of_a_join_table_wait_for_both_ends(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_link_put link = {.source_id = GM_STR("a"),
                               .err = &world->own,
                               .relationship = {.id = GM_STR("r"),
                                                .name = GM_STR("likes"),
                                                .target_id = GM_STR("b"),
                                                .text = GM_STR("{\"since\":3}")}};
    world_begin(world, 5);
    check_ok(gm_graph_put_link(world->graph, &link, &err), err);
    world_commit(world);
    world_put(world, (struct world_put){"b", THING, "{}", NULL, 1, 0});
    check_sql(world, "SELECT waiting_for FROM relationships_waiting", "a");
    world_put(world, (struct world_put){"a", THING, "{}", NULL, 1, 0});
    check_sql(world, LINKS, "a-likes-b");
    check_sql(world, "SELECT body FROM relationships", "{\"since\":3}");
    world_begin(world, 5);
    check_ok(gm_graph_remove_link(world->graph, GM_STR("a"), GM_STR("r"), 0, &err), err);
    world_commit(world);
    check_sql(world, LINKS, "");
    check_sql(world, WAITING, "0");
}

static void unchanged_properties_keep_their_time(void **state)
{
    struct world *world = *state;
    struct gm_twin_put a = world_put(
        world,
        (struct world_put){"a", THING, "{\"name\":\"A\",\"place\":{\"city\":\"R\",\"zip\":\"1\"}}",
                           NULL, 1, 0});
    check_sql(world, "SELECT COALESCE(times, 'none') || updated FROM twins", "none1001");
    world_put(world,
              (struct world_put){"a", THING, "{\"place\":{\"city\":\"S\"}}", NULL, 1, a.num});
    check_sql(world, "SELECT times FROM twins", "{\"name\":1001,\"place/zip\":1001}");
    world_put(world, (struct world_put){"a", THING, "{\"name\":\"B\"}", NULL, 1, a.num});
    check_sql(world, "SELECT times FROM twins", "{\"place/city\":1002,\"place/zip\":1001}");
}

static void tell_history(struct world *world, const char *id_z, struct gm_buf *out)
{
    struct gm_err err = {0};
    struct gm_change_reader *reader;
    GM_AUTO_FREE char *sql_z =
        gm_format_z("SELECT last_change FROM twins WHERE id = '%s' UNION ALL SELECT last_change "
                    "FROM twin_graves WHERE id = '%s'",
                    id_z, id_z);
    int64_t num;
    assert_true(gm_parse_i64(gm_str_z(world_sql(world, sql_z)), &num));
    check_ok(gm_change_reader_open(world->db, &reader, &err), err);
    while (num != 0) {
        struct gm_change change;
        check_ok(gm_change_read(reader, num, &change, &err), err);
        gm_buf_addf(out, "%d " GM_STR_FMT " %lld@" GM_STR_FMT ":%llu " GM_STR_FMT "\n",
                    (int)change.kind, GM_STR_ARG(change.twin), (long long)change.pipeline,
                    GM_STR_ARG(change.actor), (unsigned long long)change.position,
                    GM_STR_ARG(change.data));
        num = change.previous;
    }
    gm_change_reader_close(reader);
}

static void the_history_of_a_twin_is_told_backwards_and_over_its_death(void **state)
{
    struct world *world = *state;
    struct gm_twin_put a = world_put(world, (struct world_put){"a", THING, "{\"name\":\"A\"}",
                                                               "[[\"r\",\"knows\",\"b\"]]", 1, 0});
    world_put(world, (struct world_put){"b", THING, "{}", NULL, 1, 0});
    world_put(world, (struct world_put){"a", THING, "{\"name\":\"B\"}", NULL, 1, a.num});
    release(world, a.num, 1, (struct gm_strs){NULL, 0}, true);
    world_put(world, (struct world_put){"a", THING, "{}", NULL, 2, 0});
    struct gm_buf text;
    gm_buf_init(&text, 1 << 20);
    tell_history(world, "a", &text);
    check_str(gm_buf_str(&text),
              "1 a 2@rows:3 {\"$metadata\":{\"$model\":\"dtmi:t:Thing;1\"}}\n"
              "3 a 1@rows:0 {\"$dtId\":\"a\",\"$etag\":\"W/"
              "\\\"e73a6df3-2739-bd97-8cda-1a4615412834\\\"\",\"name\":\"B\",\"$metadata\":{"
              "\"$model\":\"dtmi:t:Thing;1\",\"$lastUpdateTime\":"
              "\"1970-01-01T00:00:00.0000010Z\",\"name\":{\"lastUpdateTime\":"
              "\"1970-01-01T00:00:00.0000010Z\"}}}\n"
              "4 a 1@rows:0 "
              "[{\"op\":\"remove\",\"$relationshipId\":\"r\",\"$relationshipName\":\"knows\","
              "\"$targetId\":\"b\",\"$etag\":\"W/"
              "\\\"7894010e-29fc-f48f-0000-000000000004\\\"\"}]\n"
              "2 a 1@rows:3 [{\"op\":\"replace\",\"path\":\"/name\",\"value\":\"B\"}]\n"
              "4 a 1@rows:3 "
              "[{\"op\":\"add\",\"$relationshipId\":\"r\",\"$relationshipName\":\"knows\",\"$"
              "targetId\":\"b\"}]\n"
              "4 a 1@rows:3 "
              "[{\"op\":\"wait\",\"$relationshipId\":\"r\",\"$relationshipName\":\"knows\",\"$"
              "targetId\":\"b\"}]\n"
              "1 a 1@rows:3 {\"$metadata\":{\"$model\":\"dtmi:t:Thing;1\"},\"name\":\"A\"}\n");
    gm_buf_deinit(&text);
}

static void an_undone_transaction_leaves_nothing_behind(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    world_put(world, (struct world_put){"b", THING, "{}", NULL, 1, 0});
    struct gm_twin_put put = {.id = GM_STR("a"),
                              .model = gm_models_find(world->models, GM_STR(THING)),
                              .doc = world->doc,
                              .body = yyjson_mut_obj(world->doc),
                              .text = GM_STR("{}"),
                              .fresh = true,
                              .err = &world->own};
    world_begin(world, 1);
    check_ok(gm_graph_put_twin(world->graph, &put, &err), err);
    check_ok(gm_graph_end(world->graph, &err), err);
    gm_db_rollback(world->db);
    gm_graph_forget(world->graph);
    check_sql(world, "SELECT COUNT(*) FROM twins", "1");
    world_put(world, (struct world_put){"c", THING, "{}", NULL, 1, 0});
    check_sql(world, "SELECT SUM(count) || ' ' || MAX(first) FROM changes", "2 2");
}

/* Twins "t0"… of alternating models. */
static bool create_together(struct world *world, struct gm_twin_put puts[GM_GRAPH_TOGETHER])
{
    struct gm_err err = {0};
    struct gm_twin_put *list[GM_GRAPH_TOGETHER];
    bool created;
    for (int i = 0; i < GM_GRAPH_TOGETHER; i++) {
        puts[i] = (struct gm_twin_put){
            .id = gm_arena_format(world->arena, "t%d", i),
            .model = gm_models_find(world->models,
                                    i % 2 == 0 ? GM_STR(THING) : GM_STR("dtmi:t:Other;1")),
            .doc = world->doc,
            .body = yyjson_mut_obj(world->doc),
            .text = gm_arena_format(world->arena, "{\"name\":\"%d\"}", i),
            .relationship_count = i == 5 ? 1 : 0,
            .fresh = true,
            .err = &world->own};
        list[i] = &puts[i];
    }
    world_begin(world, 1);
    check_ok(gm_graph_create_twins(world->graph, list, &created, &err), err);
    return created;
}

static void twins_that_are_created_together_are_as_those_created_one_by_one(void **state)
{
    struct world *world = *state;
    struct gm_twin_put puts[GM_GRAPH_TOGETHER];
    assert_true(create_together(world, puts));
    world_commit(world);
    check_sql(world, "SELECT count(*) || ' ' || min(sources) || ' ' || min(creator) FROM twins",
              "16 1 1");
    for (int i = 0; i < GM_GRAPH_TOGETHER; i++) {
        assert_int_equal(puts[i].outcome, GM_PUT_CREATED);
        assert_true(puts[i].joined);
        assert_int_equal(gm_twin_model_num(puts[i].num), puts[i].model->num);
    }
    /* One more change than twins: t5 has room for its relationships, which is its last. */
    check_sql(world, "SELECT sum(count) FROM changes", "17");
    check_sql(world,
              "SELECT group_concat(last_change) FROM (SELECT last_change FROM twins WHERE id "
              "IN ('t0', 't4', 't5', 't6', 't15') ORDER BY last_change)",
              "1,5,7,8,17");
    check_sql(world, "SELECT body FROM twins WHERE id = 't7'", "{\"name\":\"7\"}");
}

static void twins_are_not_created_together_when_one_is_there(void **state)
{
    struct world *world = *state;
    struct gm_twin_put puts[GM_GRAPH_TOGETHER];
    world_put(world, (struct world_put){"t8", THING, "{\"name\":\"old\"}", NULL, 1, 0});
    assert_false(create_together(world, puts));
    check_sql(world, "SELECT count(*) || body FROM twins", "1{\"name\":\"old\"}");
    world_commit(world);
    check_sql(world, "SELECT sum(count) FROM changes", "1");
}

static void a_damaged_chunk_is_found(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_change_reader *reader;
    struct gm_change change;
    world_put(world, (struct world_put){"a", THING, "{\"name\":\"A\"}", NULL, 1, 0});
    check_ok(gm_db_exec(world->db, "UPDATE changes SET checksum = checksum + 1", &err), err);
    check_ok(gm_change_reader_open(world->db, &reader, &err), err);
    check_rc(gm_change_read(reader, 1, &change, &err), GM_E_CORRUPT, err);
    check_err_says(err, "change chunk 1");
    gm_change_reader_close(reader);
}

#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_new_twin_is_created_with_its_body),
        test(an_equal_put_writes_nothing),
        test(a_null_removes_and_other_members_stay),
        test(two_pipelines_own_members_of_one_twin_and_of_one_component),
        test(two_keys_of_one_pipeline_cannot_make_one_twin),
        test(only_the_creator_changes_a_model_and_relationships_follow),
        test(a_relationship_waits_for_its_target),
        test(a_target_of_the_wrong_model_keeps_the_relationship_waiting_and_says_why),
        test(a_moved_foreign_key_is_delete_and_create),
        test(the_last_pipeline_to_release_a_twin_deletes_it),
        test(what_no_pipeline_created_no_pipeline_deletes),
        test(a_deleted_target_makes_relationships_wait_and_its_return_brings_them_back),
        test(a_number_never_comes_back),
        test(links_of_a_join_table_wait_for_both_ends),
        test(unchanged_properties_keep_their_time),
        test(the_history_of_a_twin_is_told_backwards_and_over_its_death),
        test(an_undone_transaction_leaves_nothing_behind),
        test(twins_that_are_created_together_are_as_those_created_one_by_one),
        test(twins_are_not_created_together_when_one_is_there),
        test(a_damaged_chunk_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
