/* Patches of the sink adt: add and remove only, exactly what differs, and they lead to what is
 * wanted. */
#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "connect/adt/sink.h"
#include "os/process.h"
#include "support/check.h"

struct world {
    struct gm_arena *arena;
    yyjson_mut_doc *doc;
    struct gm_models *models;
    struct adt_sink sink;
    struct adt_thing thing;
    struct gm_buf text;
};

static yyjson_mut_val *parse(struct world *world, const char *text_z)
{
    yyjson_mut_val *value;
    struct gm_err err = {0};
    check_ok(gm_json_parse(world->doc, gm_str_z(text_z), &value, &err), err);
    return value;
}

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    struct gm_err err = {0};
    size_t added;
    world->arena = gm_arena_new(256 << 20);
    world->doc = gm_json_doc_new(world->arena);
    gm_buf_init(&world->text, 1 << 20);
    yyjson_mut_val *interfaces[] = {parse(
        world, "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Box;1\",\"@type\":"
               "\"Interface\",\"contents\":[{\"@type\":\"Property\",\"name\":\"a\",\"schema\":"
               "\"integer\"},{\"@type\":\"Property\",\"name\":\"b\",\"schema\":\"integer\"}]},"
               "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:P;1\",\"@type\":"
               "\"Interface\",\"contents\":[{\"@type\":\"Component\",\"name\":\"box\",\"schema\":"
               "\"dtmi:t:Box;1\"},{\"@type\":\"Property\",\"name\":\"a\",\"schema\":\"integer\"}]}"
               "]")};
    check_ok(gm_models_extend(NULL, interfaces, 1, &world->models, &added, &err), err);
    world->sink.doc = world->doc;
    world->thing.sink = &world->sink;
    world->thing.model = gm_models_find(world->models, GM_STR("dtmi:t:P;1"));
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_models_free(world->models);
    gm_buf_deinit(&world->text);
    gm_arena_free(world->arena);
    gm_free(world);
    return 0;
}

static struct gm_str patch(struct world *world, const char *there_z, const char *wanted_z,
                           const char *before_z)
{
    yyjson_mut_val *before[2] = {before_z != NULL ? parse(world, before_z) : NULL, NULL};
    world->thing.wanted_value = parse(world, wanted_z);
    gm_buf_reset(&world->text);
    (void)adt_write_patch(&world->thing, parse(world, there_z), before, &world->text);
    return gm_buf_str(&world->text);
}

static void equal_things_need_no_patch(void **state)
{
    check_str(patch(*state, "{\"a\":1,\"box\":{\"a\":2}}", "{\"a\":1,\"box\":{\"a\":2}}", NULL),
              "");
}

static void a_patch_has_what_differs_and_nothing_else(void **state)
{
    check_str(patch(*state, "{\"a\":1,\"c\":3}", "{\"a\":2,\"c\":3,\"d\":4}", NULL),
              "[{\"op\":\"add\",\"path\":\"/a\",\"value\":2},"
              "{\"op\":\"add\",\"path\":\"/d\",\"value\":4}]");
}

static void nulls_remove_what_is_there_only(void **state)
{
    check_str(patch(*state, "{\"a\":1}", "{\"a\":null,\"b\":null}", NULL),
              "[{\"op\":\"remove\",\"path\":\"/a\"}]");
}

static void what_was_delivered_and_is_not_wanted_goes_and_what_others_wrote_stays(void **state)
{
    check_str(patch(*state, "{\"a\":1,\"theirs\":9}", "{}", "{\"a\":7,\"gone\":1}"),
              "[{\"op\":\"remove\",\"path\":\"/a\"}]");
}

static void components_are_patched_member_by_member(void **state)
{
    check_str(patch(*state, "{\"box\":{\"a\":1,\"b\":2}}", "{\"box\":{\"a\":3,\"b\":null}}", NULL),
              "[{\"op\":\"add\",\"path\":\"/box/a\",\"value\":3},"
              "{\"op\":\"remove\",\"path\":\"/box/b\"}]");
    check_str(patch(*state, "{}", "{\"box\":{\"a\":3,\"b\":null}}", NULL),
              "[{\"op\":\"add\",\"path\":\"/box\",\"value\":{\"$metadata\":{},\"a\":3}}]");
}

static void names_are_escaped_as_pointers_are(void **state)
{
    check_str(patch(*state, "{}", "{\"a/b~c\":1}", NULL),
              "[{\"op\":\"add\",\"path\":\"/a~1b~0c\",\"value\":1}]");
}

static void a_model_is_replaced_first(void **state)
{
    check_str(
        patch(*state, "{\"$model\":\"dtmi:t:O;1\"}", "{\"$model\":\"dtmi:t:P;1\",\"a\":1}", NULL),
        "[{\"op\":\"replace\",\"path\":\"/$metadata/$model\",\"value\":\"dtmi:t:P;1\"},"
        "{\"op\":\"add\",\"path\":\"/a\",\"value\":1}]");
}

static void a_document_has_the_model_and_no_nulls(void **state)
{
    struct world *world = *state;
    world->thing.wanted_value =
        parse(world, "{\"$model\":\"dtmi:t:P;1\",\"a\":1,\"b\":null,\"box\":{\"a\":null}}");
    adt_write_document(&world->thing, &world->text);
    check_str(gm_buf_str(&world->text), "{\"$metadata\":{\"$model\":\"dtmi:t:P;1\"},\"a\":1,"
                                        "\"box\":{\"$metadata\":{}}}");
}

static void what_others_deliver_is_not_taken_back(void **state)
{
    struct world *world = *state;
    struct gm_object other = {.body = GM_STR("{\"a\":1,\"box\":{\"b\":1}}")};
    yyjson_mut_val *before[2] = {parse(world, "{\"a\":1,\"c\":1,\"box\":{\"a\":1,\"b\":1}}"), NULL};
    world->thing.others = &other;
    (void)adt_write_removal(&world->thing,
                            parse(world, "{\"a\":1,\"c\":1,\"d\":1,\"box\":{\"a\":1,\"b\":1}}"),
                            before, &world->text);
    check_str(gm_buf_str(&world->text), "[{\"op\":\"remove\",\"path\":\"/c\"},"
                                        "{\"op\":\"remove\",\"path\":\"/box/a\"}]");
}

/* ---- whatever was and is wanted ---- */

static yyjson_mut_val *random_object(struct world *world, struct gm_rng *rng, bool inside,
                                     bool nulls)
{
    static const char *const names[] = {"a", "b", "c", "d/e", "f~"};
    yyjson_mut_val *object = yyjson_mut_obj(world->doc);
    for (size_t i = 0; i < GM_ARRAY_COUNT(names); i++) {
        uint64_t pick = gm_rng_below(rng, 4);
        if (pick < 2) {
            gm_json_set(world->doc, object, gm_str_z(names[i]),
                        yyjson_mut_int(world->doc, (int64_t)pick));
        } else if (pick == 2 && nulls) {
            gm_json_set(world->doc, object, gm_str_z(names[i]), yyjson_mut_null(world->doc));
        }
    }
    if (!inside && gm_rng_below(rng, 3) > 0) {
        gm_json_set(world->doc, object, GM_STR("box"), random_object(world, rng, true, nulls));
    }
    return object;
}

/* What has to be there afterwards. */
static yyjson_mut_val *expected(struct world *world, yyjson_mut_val *there, yyjson_mut_val *wanted,
                                yyjson_mut_val *before, bool inside)
{
    yyjson_mut_val *result = gm_json_copy(world->doc, there);
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(before, index, max, key, value)
    {
        if (gm_json_member(wanted, gm_json_str(key)) == NULL) {
            (void)gm_json_remove(result, gm_json_str(key));
        }
    }
    yyjson_mut_obj_foreach(wanted, index, max, key, value)
    {
        struct gm_str name = gm_json_str(key);
        yyjson_mut_val *inner = gm_json_member(there, name);
        if (yyjson_mut_is_null(value)) {
            (void)gm_json_remove(result, name);
        } else if (!inside && gm_str_is(name, "box")) {
            bool had = inner != NULL;
            yyjson_mut_val *box = expected(world, had ? inner : yyjson_mut_obj(world->doc), value,
                                           had ? gm_json_member(before, name) : NULL, true);
            if (!had) {
                gm_json_set(world->doc, box, GM_STR("$metadata"), yyjson_mut_obj(world->doc));
            }
            gm_json_set(world->doc, result, name, box);
        } else {
            gm_json_set(world->doc, result, name, gm_json_copy(world->doc, value));
        }
    }
    return result;
}

static void a_patch_leads_to_what_is_wanted_whatever_was_there(void **state)
{
    struct world *world = *state;
    const char *given_z = gm_env_z("GEMEL_TEST_SEED");
    int64_t seed = 4711;
    if (given_z != NULL) {
        assert_true(gm_parse_i64(gm_str_z(given_z), &seed));
    }
    struct gm_rng rng;
    print_message("GEMEL_TEST_SEED=%lld\n", (long long)seed);
    gm_rng_init(&rng, (uint64_t)seed);
    for (int i = 0; i < 3000; i++) {
        struct gm_err err = {0};
        yyjson_mut_val *there = random_object(world, &rng, false, false);
        yyjson_mut_val *before[2] = {random_object(world, &rng, false, false), NULL};
        world->thing.wanted_value = random_object(world, &rng, false, true);
        gm_buf_reset(&world->text);
        size_t count = adt_write_patch(&world->thing, there, before, &world->text);
        yyjson_mut_val *wanted =
            expected(world, there, world->thing.wanted_value, before[0], false);
        if (count > 0) {
            yyjson_mut_val *operations = parse(world, world->text.p);
            assert_int_equal(yyjson_mut_arr_size(operations), count);
            check_ok(gm_json_patch(world->doc, &there, operations, &err), err);
        }
        assert_true(gm_json_equal(there, wanted));
        gm_buf_reset(&world->text);
        assert_int_equal(adt_write_patch(&world->thing, there, before, &world->text), 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(equal_things_need_no_patch),
        TEST(a_patch_has_what_differs_and_nothing_else),
        TEST(nulls_remove_what_is_there_only),
        TEST(what_was_delivered_and_is_not_wanted_goes_and_what_others_wrote_stays),
        TEST(components_are_patched_member_by_member),
        TEST(names_are_escaped_as_pointers_are),
        TEST(a_model_is_replaced_first),
        TEST(a_document_has_the_model_and_no_nulls),
        TEST(what_others_deliver_is_not_taken_back),
        TEST(a_patch_leads_to_what_is_wanted_whatever_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
