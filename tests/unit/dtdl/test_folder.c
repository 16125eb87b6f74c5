/* Models in files. */
#include "fixture.h"
#include "support/check.h"
#include "support/tmp.h"

struct reading {
    struct gm_arena *arena;
    yyjson_mut_doc *doc;
    yyjson_mut_val **values;
    size_t count;
    struct gm_err err;
};

static gm_rc read_path(struct reading *reading, const char *path_z)
{
    *reading = (struct reading){.arena = gm_arena_new(16 << 20)};
    reading->doc = gm_json_doc_new(reading->arena);
    return gm_models_read_folder(reading->doc, path_z, &reading->values, &reading->count,
                                 &reading->err);
}

static void every_json_file_below_a_folder_is_read(void **state)
{
    struct tmp *tmp = *state;
    tmp_write(tmp, "models/b/two.json", GM_STR("[{\"n\":2},{\"n\":3}]"));
    tmp_write(tmp, "models/a.json", GM_STR("\xEF\xBB\xBF{\"n\":1}"));
    tmp_write(tmp, "models/README.md", GM_STR("# no model"));
    tmp_write(tmp, "models/.json/x.txt", GM_STR("no model"));
    struct reading reading;
    check_ok(read_path(&reading, tmp_path(tmp, "models")), reading.err);
    assert_int_equal(reading.count, 2);
    assert_int_equal(gm_json_type(reading.values[0]), YYJSON_TYPE_OBJ);
    assert_int_equal(gm_json_count(reading.values[1]), 2);
    gm_arena_free(reading.arena);
}

static void a_single_file_will_do(void **state)
{
    struct tmp *tmp = *state;
    const char *path_z = tmp_write(tmp, "all.dtdl", GM_STR("[]"));
    struct reading reading;
    check_ok(read_path(&reading, path_z), reading.err);
    assert_int_equal(reading.count, 1);
    gm_arena_free(reading.arena);
}

static void what_cannot_be_read_is_named(void **state)
{
    struct tmp *tmp = *state;
    struct reading reading;
    check_rc(read_path(&reading, tmp_path(tmp, "none")), GM_E_CONFIG, reading.err);
    check_err_says(reading.err, "none: there is no such file or folder");
    gm_arena_free(reading.arena);

    tmp_write(tmp, "empty/x.txt", GM_STR(""));
    check_rc(read_path(&reading, tmp_path(tmp, "empty")), GM_E_CONFIG, reading.err);
    check_err_says(reading.err, "empty: no *.json below it; put the models' files there");
    gm_arena_free(reading.arena);

    tmp_write(tmp, "broken/x.json", GM_STR("{\"a\":\n"));
    check_rc(read_path(&reading, tmp_path(tmp, "broken")), GM_E_INVALID, reading.err);
    check_err_says(reading.err, "broken/x.json: ");
    gm_arena_free(reading.arena);

    tmp_write(tmp, "scalar/x.json", GM_STR("7"));
    check_rc(read_path(&reading, tmp_path(tmp, "scalar")), GM_E_INVALID, reading.err);
    check_err_says(reading.err, "scalar/x.json: expected an interface or an array of interfaces");
    gm_arena_free(reading.arena);
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, tmp_setup, tmp_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(every_json_file_below_a_folder_is_read),
        FOLDER_TEST(a_single_file_will_do),
        FOLDER_TEST(what_cannot_be_read_is_named),
    };
    return cmocka_run_group_tests_name("dtdl/folder", tests, NULL, NULL);
}
