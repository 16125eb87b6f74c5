/* Sets of models: counted, freed when nobody holds them, one change after the other. */
#include <stdio.h>

#include "base/mem.h"
#include "os/thread.h"
#include "store/store.h"
#include "support/check.h"
#include "support/tmp.h"

enum { ARENA_SIZE = 1 << 20 };

struct place {
    struct tmp *tmp;
    struct gm_store *store;
};

static int setup(void **state)
{
    struct gm_err err = {0};
    struct place *place = gm_alloc(sizeof(*place));
    place->tmp = tmp_new();
    GM_AUTO_FREE char *folder_z = gm_strdup_z(tmp_path(place->tmp, "data"));
    check_ok(gm_store_open(&(struct gm_store_options){.folder_z = folder_z}, &place->store, &err),
             err);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    gm_store_close(place->store);
    tmp_free(place->tmp);
    gm_free(place);
    return 0;
}

/* Adds an interface "dtmi:t:M<number>;1". */
static gm_rc add_model(struct gm_store *store, int number, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(ARENA_SIZE);
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    char text[160];
    int n = snprintf(text, sizeof(text),
                     "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:M%d;1\","
                     "\"@type\":\"Interface\"}",
                     number);
    yyjson_mut_val *interface;
    size_t added = 0;
    gm_rc rc = gm_json_parse(doc, (struct gm_str){text, (size_t)n}, &interface, err);
    rc = rc == GM_OK ? gm_store_add_interfaces(store, &interface, 1, &added, err) : rc;
    gm_arena_free(arena);
    return rc;
}

static void sets_that_nobody_holds_are_freed(void **state)
{
    struct place *place = *state;
    struct gm_err err = {0};
    for (int i = 0; i < 20; i++) {
        check_ok(add_model(place->store, i, &err), err);
    }
    assert_int_equal(gm_store_models_sets(place->store), 1);
    const struct gm_models *held = gm_store_models_hold(place->store);
    assert_ptr_equal(gm_store_models_hold(place->store), held);
    check_ok(add_model(place->store, 20, &err), err);
    check_ok(add_model(place->store, 21, &err), err);
    assert_int_equal(gm_store_models_sets(place->store), 2);
    assert_int_equal(gm_models_count(held), 20);
    gm_store_models_release(place->store, held);
    assert_int_equal(gm_store_models_sets(place->store), 2);
    gm_store_models_release(place->store, held);
    assert_int_equal(gm_store_models_sets(place->store), 1);
    const struct gm_models *newest = gm_store_models_hold(place->store);
    assert_int_equal(gm_models_count(newest), 22);
    gm_store_models_release(place->store, newest);
}

enum { THREADS = 4, EACH = 12 };

struct adder {
    struct gm_store *store;
    int first;
    gm_rc rc;
    struct gm_err err;
};

static void add_some(void *arg)
{
    struct adder *adder = arg;
    for (int i = 0; i < EACH && adder->rc == GM_OK; i++) {
        adder->rc = add_model(adder->store, adder->first + i, &adder->err);
    }
}

static void nothing_is_lost_when_many_add_at_once(void **state)
{
    struct place *place = *state;
    struct gm_err err = {0};
    struct gm_thread *threads[THREADS];
    struct adder adders[THREADS];
    for (int i = 0; i < THREADS; i++) {
        adders[i] = (struct adder){.store = place->store, .first = i * EACH};
        check_ok(gm_thread_start("adder", add_some, &adders[i], &threads[i], &err), err);
    }
    for (int i = 0; i < THREADS; i++) {
        gm_thread_join(threads[i]);
        check_ok(adders[i].rc, adders[i].err);
    }
    const struct gm_models *models = gm_store_models_hold(place->store);
    assert_int_equal(gm_models_count(models), (size_t)THREADS * EACH);
    for (size_t i = 0; i < gm_models_count(models); i++) {
        assert_int_equal(gm_models_at(models, i)->num, i + 1);
    }
    gm_store_models_release(place->store, models);
    assert_int_equal(gm_store_models_sets(place->store), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sets_that_nobody_holds_are_freed, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_lost_when_many_add_at_once, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
