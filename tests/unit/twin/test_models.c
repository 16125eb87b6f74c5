/* Models in the store, on both engines. */
#include <string.h>

#include "base/arena.h"
#include "twin/models.h"
#include "unit/db/world.h"

static const char shop_z[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:shop:Book;1\",\"@type\":\"Interface\","
    "\"extends\":\"dtmi:shop:Product;1\"},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:shop:Product;1\",\"@type\":\"Interface\","
    "\"contents\":[{\"@type\":\"Property\",\"name\":\"price\",\"schema\":\"double\"}]}]";
static const char thing_z[] =
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:shop:Atlas;1\",\"@type\":\"Interface\","
    "\"extends\":\"dtmi:shop:Book;1\",\"description\":\"maps \\u00e9\"}";

static struct gm_models *extended(struct world *world, const struct gm_models *old,
                                  const char *text_z)
{
    struct gm_arena *arena = gm_arena_new(1 << 20);
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    yyjson_mut_val *interface;
    struct gm_models *models = NULL;
    size_t added;
    check_ok(gm_json_parse(doc, gm_str_z(text_z), &interface, &world->err), world->err);
    check_ok(gm_models_extend(old, &interface, 1, &models, &added, &world->err), world->err);
    gm_arena_free(arena);
    return models;
}

static struct gm_models *loaded(struct world *world)
{
    struct gm_models *models = NULL;
    check_ok(gm_models_load(world->db, &models, &world->err), world->err);
    return models;
}

static gm_rc store(struct world *world, struct gm_models *models, gm_ns now)
{
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    gm_rc rc = gm_models_store(models, world->db, now, &world->err);
    if (rc == GM_OK) {
        rc = gm_db_commit(world->db, &world->err);
    } else {
        gm_db_rollback(world->db);
    }
    return rc;
}

static int setup(void **state)
{
    int failed = world_setup(state);
    struct world *world = *state;
    check_ok(gm_db_migrate(world->db, &world->err), world->err);
    return failed;
}

static int64_t num_of(const struct gm_models *models, const char *id_z)
{
    const struct gm_model *model = gm_models_find(models, gm_str_z(id_z));
    assert_non_null(model);
    return model->num;
}

static void an_empty_store_has_no_models(void **state)
{
    struct gm_models *models = loaded(*state);
    assert_int_equal(gm_models_count(models), 0);
    assert_int_equal(store(*state, models, 5), GM_OK);
    gm_models_free(models);
}

static void what_is_stored_is_loaded_equal(void **state)
{
    struct world *world = *state;
    struct gm_models *first = extended(world, NULL, shop_z);
    check_ok(store(world, first, 1000), world->err);
    struct gm_models *second = extended(world, first, thing_z);
    check_ok(store(world, second, 2000), world->err);

    struct gm_models *models = loaded(world);
    assert_int_equal(gm_models_count(models), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct gm_model *model = gm_models_at(models, i);
        const struct gm_model *other = gm_models_at(second, i);
        assert_int_equal(model->num, i + 1);
        assert_int_equal(other->num, i + 1);
        assert_true(gm_str_eq(model->id, other->id));
        assert_true(gm_str_eq(model->text, other->text));
        assert_int_equal(model->uploaded, i < 2 ? 1000 : 2000);
        assert_false(model->decommissioned);
    }
    assert_non_null(gm_model_content(gm_models_by_num(models, 3), GM_STR("price")));
    gm_models_free(first);
    gm_models_free(second);
    gm_models_free(models);
}

static void the_table_of_bases_answers_what_derives_from_what(void **state)
{
    struct world *world = *state;
    struct gm_models *models = extended(world, NULL, shop_z);
    check_ok(store(world, models, 1), world->err);
    struct gm_models *more = extended(world, models, thing_z);
    check_ok(store(world, more, 2), world->err);
    assert_int_equal(num_of(more, "dtmi:shop:Product;1"), 2);
    assert_int_equal(world_number(world, world->db, "SELECT count(*) FROM model_bases"), 6);
    assert_int_equal(
        world_number(world, world->db, "SELECT count(*) FROM model_bases WHERE base = 2"), 3);
    assert_int_equal(
        world_number(world, world->db, "SELECT count(*) FROM model_bases WHERE model = 3"), 3);
    gm_models_free(models);
    gm_models_free(more);
}

static void storing_again_writes_nothing(void **state)
{
    struct world *world = *state;
    struct gm_models *models = extended(world, NULL, shop_z);
    check_ok(store(world, models, 1), world->err);
    check_ok(store(world, models, 2), world->err);
    assert_int_equal(world_number(world, world->db, "SELECT max(uploaded) FROM models"), 1);
    gm_models_free(models);
}

static void numbers_are_never_given_again(void **state)
{
    struct world *world = *state;
    struct gm_models *models = extended(world, NULL, shop_z);
    check_ok(store(world, models, 1), world->err);
    world_exec(world, world->db, "DELETE FROM models; DELETE FROM model_bases");
    struct gm_models *again = extended(world, NULL, shop_z);
    check_ok(store(world, again, 2), world->err);
    assert_int_equal(num_of(again, "dtmi:shop:Book;1"), 3);
    assert_int_equal(num_of(again, "dtmi:shop:Product;1"), 4);
    gm_models_free(models);
    gm_models_free(again);
}

static void a_set_that_could_not_be_stored_can_be_stored_later(void **state)
{
    struct world *world = *state;
    struct gm_models *models = extended(world, NULL, shop_z);
    world_exec(world, world->db, "ALTER TABLE model_bases RENAME TO away");
    check_rc(store(world, models, 1), GM_E_CONFIG, world->err);
    assert_int_equal(num_of(models, "dtmi:shop:Book;1"), 0);
    assert_int_equal(world_number(world, world->db, "SELECT count(*) FROM models"), 0);
    world_exec(world, world->db, "ALTER TABLE away RENAME TO model_bases");
    check_ok(store(world, models, 1), world->err);
    assert_int_equal(num_of(models, "dtmi:shop:Book;1"), 1);
    gm_models_free(models);
}

static void a_model_that_came_from_elsewhere_is_a_conflict(void **state)
{
    struct world *world = *state;
    struct gm_models *mine = extended(world, NULL, shop_z);
    struct gm_models *other = extended(world, NULL, shop_z);
    check_ok(store(world, other, 1), world->err);
    check_rc(store(world, mine, 1), GM_E_CONFLICT, world->err);
    gm_models_free(mine);
    gm_models_free(other);
}

static void what_only_the_store_knows_is_loaded(void **state)
{
    struct world *world = *state;
    struct gm_models *models = extended(world, NULL, shop_z);
    check_ok(store(world, models, 7), world->err);
    gm_models_free(models);
    world_exec(world, world->db, "UPDATE models SET decommissioned = 1 WHERE num = 2");
    models = loaded(world);
    assert_false(gm_models_by_num(models, 1)->decommissioned);
    assert_true(gm_models_by_num(models, 2)->decommissioned);
    gm_models_free(models);
}

static void definitions_that_make_no_models_are_corrupt(void **state)
{
    struct world *world = *state;
    struct gm_models *models = extended(world, NULL, shop_z);
    check_ok(store(world, models, 1), world->err);
    gm_models_free(models);
    world_exec(world, world->db, "DELETE FROM models WHERE num = 2");
    check_rc(gm_models_load(world->db, &models, &world->err), GM_E_CORRUPT, world->err);
    check_err_says(world->err, "models in the store: dtmi:shop:Book;1: extends refers to "
                               "dtmi:shop:Product;1, which is not there");
    world_exec(world, world->db,
               "UPDATE models SET id = 'dtmi:x:Y;1', body = "
               "'{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:x:Z;1\","
               "\"@type\":\"Interface\"}'");
    check_rc(gm_models_load(world->db, &models, &world->err), GM_E_CORRUPT, world->err);
    check_err_says(world->err, "its definition has another @id");
}

#define MODELS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODELS_TEST(an_empty_store_has_no_models),
        MODELS_TEST(what_is_stored_is_loaded_equal),
        MODELS_TEST(the_table_of_bases_answers_what_derives_from_what),
        MODELS_TEST(storing_again_writes_nothing),
        MODELS_TEST(numbers_are_never_given_again),
        MODELS_TEST(a_set_that_could_not_be_stored_can_be_stored_later),
        MODELS_TEST(a_model_that_came_from_elsewhere_is_a_conflict),
        MODELS_TEST(what_only_the_store_knows_is_loaded),
        MODELS_TEST(definitions_that_make_no_models_are_corrupt),
    };
    WORLD_RUN_ON_BOTH(tests);
}
