/* The past of twins. */
#include "twin/history.h"

#include <stdio.h>

#include "world.h"

#define THING "dtmi:t:Thing;1"

static int64_t last_change(struct world *world, const char *id_z)
{
    struct gm_err err = {0};
    struct gm_twin_reader *reader;
    struct gm_twin twin;
    check_ok(gm_twin_reader_open(world->db, &reader, &err), err);
    check_ok(gm_twin_by_id(reader, gm_str_z(id_z), &twin, &err), err);
    int64_t change = twin.last_change;
    gm_twin_reader_close(reader);
    return change;
}

static void delete_twin(struct world *world, const char *id_z)
{
    struct gm_err err = {0};
    struct gm_twin_reader *reader;
    struct gm_twin twin;
    check_ok(gm_twin_reader_open(world->db, &reader, &err), err);
    check_ok(gm_twin_by_id(reader, gm_str_z(id_z), &twin, &err), err);
    int64_t num = twin.num;
    gm_twin_reader_close(reader);
    world_begin(world, 0);
    check_ok(gm_graph_delete_twin(world->graph, num, 9, &err), err);
    world_commit(world);
}

/* ---- walking ---- */

static gm_rc tell(void *ctx, const struct gm_change *change, struct gm_err *err)
{
    static const char letters[] = " CUDR";
    (void)err;
    gm_buf_addf(ctx, "%lld%c ", (long long)change->num, letters[change->kind]);
    return GM_OK;
}

static void check_walk(struct world *world, struct gm_history_query query, const char *wanted_z)
{
    struct gm_err err = {0};
    struct gm_buf told;
    gm_buf_init(&told, 1 << 16);
    check_ok(gm_history_walk(world->db, &query, tell, &told, &err), err);
    check_str(gm_buf_str(&told), wanted_z);
    gm_buf_deinit(&told);
}

static void make_past(struct world *world)
{
    world_put(world, (struct world_put){.id = "b", .model = THING, .body = "{}"});           /* 1 */
    world_put(world, (struct world_put){.id = "a", .model = THING, .body = "{\"size\":1}"}); /* 2 */
    world_put(world, (struct world_put){.id = "a", .model = THING, .body = "{\"size\":2}"}); /* 3 */
    world_put(world, (struct world_put){.id = "b", .model = THING, .body = "{\"size\":2}"}); /* 4 */
    world_put(world, (struct world_put){.id = "a",
                                        .model = THING,
                                        .body = "{}",
                                        .links = "[[\"r\",\"likes\",\"b\"]]"}); /* 5 */
}

static void changes_are_told_newest_first(void **state)
{
    struct world *world = *state;
    make_past(world);
    check_walk(world, (struct gm_history_query){.twin = GM_STR("a")}, "5R 3U 2C ");
    check_walk(world, (struct gm_history_query){.twin = GM_STR("b")}, "4U 1C ");
    check_walk(world, (struct gm_history_query){.twin = GM_STR("a"), .limit = 2}, "5R 3U ");
    check_walk(world, (struct gm_history_query){.twin = GM_STR("a"), .before = 5}, "3U 2C ");
    check_walk(world, (struct gm_history_query){.twin = GM_STR("a"), .before = 4}, "3U 2C ");
    check_walk(world, (struct gm_history_query){.twin = GM_STR("a"), .before = 4, .limit = 1},
               "3U ");
    check_walk(world, (struct gm_history_query){.twin = GM_STR("a"), .before = 99}, "5R 3U 2C ");
}

static void the_past_goes_on_through_death_and_return(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_buf told;
    gm_buf_init(&told, 1 << 16);
    world_put(world, (struct world_put){.id = "a", .model = THING, .body = "{\"size\":1}"});
    delete_twin(world, "a");
    check_walk(world, (struct gm_history_query){.twin = GM_STR("a")}, "2D 1C ");
    world_put(world, (struct world_put){.id = "a", .model = THING, .body = "{\"size\":2}"});
    check_walk(world, (struct gm_history_query){.twin = GM_STR("a")}, "3C 2D 1C ");
    struct gm_history_query nobody = {.twin = GM_STR("nobody")};
    check_rc(gm_history_walk(world->db, &nobody, tell, &told, &err), GM_E_END, err);
    gm_buf_deinit(&told);
}

static gm_rc stop(void *ctx, const struct gm_change *change, struct gm_err *err)
{
    (void)ctx;
    (void)change;
    return gm_fail(err, GM_E_CANCELLED, "enough");
}

static void a_listener_can_end_the_walk(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    make_past(world);
    struct gm_history_query query = {.twin = GM_STR("a")};
    check_rc(gm_history_walk(world->db, &query, stop, NULL, &err), GM_E_CANCELLED, err);
}

static void a_chain_that_leads_to_another_twin_is_found(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_buf told;
    gm_buf_init(&told, 1 << 16);
    make_past(world);
    check_ok(gm_db_exec(world->db, "UPDATE twins SET last_change = 4 WHERE id = 'a'", &err), err);
    struct gm_history_query query = {.twin = GM_STR("a")};
    check_rc(gm_history_walk(world->db, &query, tell, &told, &err), GM_E_CORRUPT, err);
    check_err_says(err, "twin \"a\"");
    gm_buf_deinit(&told);
}

/* ---- where it comes from ---- */

/* "path=change/pipeline/position", one a line. */
static void check_origins(struct world *world, const char *id_z, const char *wanted_z)
{
    struct gm_err err = {0};
    struct gm_origins origins = {.arena = world->arena};
    struct gm_buf told;
    gm_buf_init(&told, 1 << 16);
    check_ok(gm_provenance(world->db, world->models, gm_str_z(id_z), &origins, &err), err);
    for (size_t i = 0; i < origins.count; i++) {
        const struct gm_origin *origin = &origins.at[i];
        gm_buf_addf(&told, "%s" GM_STR_FMT "=%lld/%lld\n", origin->relationship ? "->" : "",
                    GM_STR_ARG(origin->path), (long long)origin->change,
                    (long long)origin->pipeline);
        assert_int_equal(origin->run, 7);
        assert_int_equal(origin->position, 3);
        check_str(origin->actor, "rows");
        assert_true(origin->time > 1000);
    }
    check_str(gm_buf_str(&told), wanted_z);
    gm_buf_deinit(&told);
}

static void every_property_is_traced_to_the_change_that_wrote_it(void **state)
{
    struct world *world = *state;
    world_put(world, (struct world_put){.id = "b", .model = THING, .body = "{}", .pipeline = 1});
    world_put(world,
              (struct world_put){.id = "a",
                                 .model = THING,
                                 .body = "{\"name\":\"x\",\"size\":1,\"place\":{\"city\":\"Ulm\"}}",
                                 .links = "[[\"r1\",\"likes\",\"b\"],[\"r2\",\"knows\",\"b\"]]",
                                 .pipeline = 1}); /* 2, 3 */
    world_put(world, (struct world_put){.id = "a",
                                        .model = THING,
                                        .body = "{\"place\":{\"zip\":\"89073\"}}",
                                        .pipeline = 2}); /* 4 */
    world_put(world, (struct world_put){
                         .id = "a", .model = THING, .body = "{\"size\":5}", .pipeline = 3}); /* 5 */
    check_origins(world, "a",
                  "/$metadata/$model=2/1\n/name=2/1\n/place/city=2/1\n/place/zip=4/2\n/size=5/3\n"
                  "->r1=3/1\n->r2=3/1\n");
}

static void what_is_written_again_comes_from_the_later_change(void **state)
{
    struct world *world = *state;
    world_put(world, (struct world_put){.id = "a", .model = THING, .body = "{\"size\":1}"});
    world_put(world, (struct world_put){.id = "a", .model = THING, .body = "{\"size\":null}"});
    world_put(world, (struct world_put){.id = "a", .model = THING, .body = "{\"size\":1}"});
    check_origins(world, "a", "/$metadata/$model=1/0\n/size=3/0\n");
    delete_twin(world, "a");
    world_put(world, (struct world_put){.id = "a", .model = THING, .body = "{\"size\":1}"});
    check_origins(world, "a", "/$metadata/$model=5/0\n/size=5/0\n");
}

static void a_changed_model_is_traced(void **state)
{
    struct world *world = *state;
    world_put(world, (struct world_put){.id = "a", .model = THING, .body = "{\"size\":1}"});
    world_put(world, (struct world_put){.id = "a", .model = "dtmi:t:Big;1", .body = "{}"});
    check_origins(world, "a", "/$metadata/$model=2/0\n/size=1/0\n");
}

static void a_relationship_that_waited_is_traced_to_its_coming(void **state)
{
    struct world *world = *state;
    world_put(world, (struct world_put){.id = "a",
                                        .model = THING,
                                        .body = "{}",
                                        .links = "[[\"r\",\"likes\",\"b\"]]",
                                        .pipeline = 1}); /* 1, 2: waits */
    world_put(world, (struct world_put){.id = "b", .model = THING, .body = "{}", .pipeline = 1});
    check_origins(world, "a", "/$metadata/$model=1/1\n->r=4/1\n");
}

static void nobody_comes_from_nowhere(void **state)
{
    struct world *world = *state;
    struct gm_err err = {0};
    struct gm_origins origins = {.arena = world->arena};
    check_rc(gm_provenance(world->db, world->models, GM_STR("nobody"), &origins, &err), GM_E_END,
             err);
}

/* ---- as it was ---- */

static gm_rc at(struct world *world, const char *id_z, int64_t change, struct gm_str *out_text)
{
    struct gm_err err = {0};
    yyjson_mut_val *value;
    struct gm_history_point point = {gm_str_z(id_z), change};
    gm_rc rc = gm_history_at(world->db, &point, world->doc, &value, &err);
    if (rc == GM_OK) {
        *out_text = world_text(world, value);
    } else {
        assert_true(rc == GM_E_END);
    }
    return rc;
}

static void check_at(struct world *world, const char *id_z, int64_t change, const char *wanted_z)
{
    struct gm_str text = {NULL, 0};
    gm_rc rc = at(world, id_z, change, &text);
    check_str(rc == GM_OK ? text : GM_STR("gone"), wanted_z);
}

static void a_twin_is_shown_as_it_was_at_each_change(void **state)
{
    struct world *world = *state;
    make_past(world);
    delete_twin(world, "b"); /* 6: b's end, 7 or so: a loses its relationship */
#define A "{\"$dtId\":\"a\",\"$metadata\":{\"$model\":\"" THING "\"},\"$relationships\":["
    check_at(world, "a", 1, "gone");
    check_at(world, "a", 2, A "],\"size\":1}");
    check_at(world, "a", 3, A "],\"size\":2}");
    check_at(world, "a", 4, A "],\"size\":2}");
    check_at(world, "a", 5,
             A "{\"$relationshipId\":\"r\",\"$relationshipName\":\"likes\",\"$targetId\":\"b\"}],"
               "\"size\":2}");
    check_at(world, "a", INT64_MAX, A "],\"size\":2}");
    check_at(world, "b", 1,
             "{\"$dtId\":\"b\",\"$metadata\":{\"$model\":\"" THING "\"},\"$relationships\":[]}");
    check_at(world, "b", INT64_MAX, "gone");
    check_at(world, "nobody", INT64_MAX, "gone");
#undef A
}

static void each_life_of_a_twin_is_its_own(void **state)
{
    struct world *world = *state;
    world_put(world, (struct world_put){.id = "a", .model = THING, .body = "{\"size\":1}"});
    delete_twin(world, "a");
    world_put(world, (struct world_put){.id = "a", .model = "dtmi:t:Big;1", .body = "{}"});
    check_at(world, "a", 1,
             "{\"$dtId\":\"a\",\"$metadata\":{\"$model\":\"" THING
             "\"},\"$relationships\":[],\"size\":1}");
    check_at(world, "a", 2, "gone");
    check_at(world, "a", 3,
             "{\"$dtId\":\"a\",\"$metadata\":{\"$model\":\"dtmi:t:Big;1\"},\"$relationships\":[]}");
}

/* Patches that together are larger than the memory a fold may use at a time. */
static void a_long_past_is_folded_in_bounded_memory(void **state)
{
    enum { CHANGES = 6000, NAME_SIZE = 20000 };
    struct world *world = *state;
    struct gm_err err = {0};
    world_put(world, (struct world_put){.id = "b", .model = THING, .body = "{}"});
    world_put(world,
              (struct world_put){
                  .id = "a", .model = THING, .body = "{}", .links = "[[\"r\",\"likes\",\"b\"]]"});
    char *name = gm_alloc(NAME_SIZE + 1);
    memset(name, 'x', NAME_SIZE);
    for (int done = 0; done < CHANGES;) {
        world_begin(world, 0);
        for (int i = 0; i < 500; i++, done++) {
            struct gm_arena *arena = gm_arena_new(16 << 20);
            yyjson_mut_doc *doc = gm_json_doc_new(arena);
            int n = snprintf(name, NAME_SIZE, "%d", done);
            name[n] = 'x';
            struct gm_twin_put put = {.id = GM_STR("a"), .doc = doc, .err = &world->own};
            put.model = gm_models_find(world->models, GM_STR(THING));
            put.body = yyjson_mut_obj(doc);
            gm_json_set(doc, put.body, GM_STR("name"), gm_json_strref(doc, gm_str_z(name)));
            put.text = GM_STR("{}");
            check_ok(gm_graph_put_twin(world->graph, &put, &err), err);
            gm_arena_free(arena);
        }
        world_commit(world);
    }
    struct gm_str text = {NULL, 0};
    int64_t last = last_change(world, "a");
    check_ok(at(world, "a", last, &text), err);
    assert_non_null(strstr(text.p, "\"name\":\"5999xxx"));
    assert_non_null(strstr(text.p, "\"$relationshipId\":\"r\""));
    check_ok(at(world, "a", last - 1000, &text), err);
    assert_non_null(strstr(text.p, "\"name\":\"4999xxx"));
    gm_free(name);
}

#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(changes_are_told_newest_first),
        test(the_past_goes_on_through_death_and_return),
        test(a_listener_can_end_the_walk),
        test(a_chain_that_leads_to_another_twin_is_found),
        test(every_property_is_traced_to_the_change_that_wrote_it),
        test(what_is_written_again_comes_from_the_later_change),
        test(a_changed_model_is_traced),
        test(a_relationship_that_waited_is_traced_to_its_coming),
        test(nobody_comes_from_nowhere),
        test(a_twin_is_shown_as_it_was_at_each_change),
        test(each_life_of_a_twin_is_its_own),
        test(a_long_past_is_folded_in_bounded_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
