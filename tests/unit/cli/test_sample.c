#include "base/mem.h"
#include "cli/sample.h"
#include "db/db.h"
#include "dtdl/model.h"
#include "support/check.h"
#include "support/tmp.h"

static struct gm_sample_report make(const char *folder_z, uint64_t seed, double scale)
{
    struct gm_err err = {0};
    struct gm_sample_report report;
    struct gm_sample_options options = {.folder_z = folder_z, .seed = seed, .scale = scale};
    check_ok(gm_sample_company(&options, &report, &err), err);
    return report;
}

static int64_t query_i64(struct tmp *tmp, const char *file_z, const char *sql_z)
{
    struct gm_err err = {0};
    struct gm_db *db;
    struct gm_stmt *stmt;
    struct gm_db_options options = {.url_z = tmp_url(tmp, "sqlite:", file_z), .source = true};
    check_ok(gm_db_open(&options, &db, &err), err);
    check_ok(gm_db_prepare(db, sql_z, &stmt, &err), err);
    gm_rc rc = gm_step(stmt, &err);
    int64_t value = rc == GM_OK ? gm_column_i64(stmt, 0) : -1;
    assert_true(rc == GM_OK || rc == GM_E_END);
    gm_db_close(db);
    return value;
}

static void the_full_company_has_the_size_of_the_scenario(void **state)
{
    struct tmp *tmp = *state;
    struct gm_sample_report report = make(tmp_path(tmp, "full"), GM_SAMPLE_SEED, 1);
    assert_int_equal(report.factories, 5);
    assert_int_equal(report.machines, 10000);
    assert_in_range(report.sensors, 49000, 51000);
    assert_int_equal(report.products, 9000);
    assert_int_equal(report.orders, 10000);
    assert_true(report.order_lines > 2 * report.orders);
}

static void the_same_seed_makes_the_same_company(void **state)
{
    static const char *const files[] = {"machines.csv", "sensors.csv.gz", "work-orders.jsonl"};
    struct tmp *tmp = *state;
    make(tmp_path(tmp, "a"), 7, 0.01);
    make(tmp_path(tmp, "b"), 7, 0.01);
    make(tmp_path(tmp, "c"), 8, 0.01);
    for (size_t i = 0; i < GM_ARRAY_COUNT(files); i++) {
        GM_AUTO_FREE char *a = gm_format_z("a/%s", files[i]);
        GM_AUTO_FREE char *b = gm_format_z("b/%s", files[i]);
        GM_AUTO_FREE char *c = gm_format_z("c/%s", files[i]);
        assert_true(gm_str_eq(tmp_read(tmp, a), tmp_read(tmp, b)));
        assert_false(gm_str_eq(tmp_read(tmp, a), tmp_read(tmp, c)));
    }
    const char *sum = "SELECT sum(CAST(unit_price * 100 AS INTEGER) * length(name)) FROM products";
    assert_int_equal(query_i64(tmp, "a/erp.db", sum), query_i64(tmp, "b/erp.db", sum));
    assert_int_not_equal(query_i64(tmp, "a/erp.db", sum), query_i64(tmp, "c/erp.db", sum));
}

static void foreign_keys_of_the_database_hold(void **state)
{
    struct tmp *tmp = *state;
    make(tmp_path(tmp, "a"), GM_SAMPLE_SEED, 0.02);
    assert_int_equal(query_i64(tmp, "a/erp.db", "SELECT count(*) FROM pragma_foreign_key_check"),
                     0);
    assert_true(query_i64(tmp, "a/erp.db", "SELECT count(*) FROM order_lines") > 0);
}

static void a_change_by_hand_moves_the_watermark(void **state)
{
    struct tmp *tmp = *state;
    struct gm_err err = {0};
    struct gm_db *db;
    make(tmp_path(tmp, "a"), GM_SAMPLE_SEED, 0.01);
    const char *newest = "SELECT CAST(strftime('%s', max(modified_at)) AS INTEGER) FROM products";
    int64_t before = query_i64(tmp, "a/erp.db", newest);
    struct gm_db_options options = {.url_z = tmp_url(tmp, "sqlite:", "a/erp.db"),
                                    .mode = GM_DB_WRITE};
    check_ok(gm_db_open(&options, &db, &err), err);
    check_ok(gm_db_exec(db, "UPDATE products SET unit_price = 1 WHERE sku = 'WWI-00001'", &err),
             err);
    gm_db_close(db);
    assert_true(query_i64(tmp, "a/erp.db", newest) > before);
}

static void the_models_are_valid_and_found_by_their_ids(void **state)
{
    struct tmp *tmp = *state;
    struct gm_err err = {0};
    yyjson_mut_val **interfaces;
    size_t count;
    size_t added;
    struct gm_models *models;
    make(tmp_path(tmp, "a"), GM_SAMPLE_SEED, 0.01);
    struct gm_arena *arena = gm_arena_new(16 << 20);
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    check_ok(gm_models_read_folder(doc, tmp_path(tmp, "a/models"), &interfaces, &count, &err), err);
    check_ok(gm_models_extend(NULL, interfaces, count, &models, &added, &err), err);
    assert_int_equal(added, 13);
    const struct gm_model *sensor = gm_models_find(models, GM_STR("dtmi:wwi:Sensor;1"));
    const struct gm_model *asset = gm_models_find(models, GM_STR("dtmi:wwi:Asset;1"));
    assert_true(gm_model_is(sensor, asset));
    gm_models_free(models);
    gm_arena_free(arena);
}

static void a_sample_that_is_there_is_kept_unless_forced(void **state)
{
    struct tmp *tmp = *state;
    struct gm_err err = {0};
    struct gm_sample_options options = {
        .folder_z = tmp_path(tmp, "a"), .seed = GM_SAMPLE_SEED, .scale = 0.01};
    check_ok(gm_sample_company(&options, NULL, &err), err);
    check_rc(gm_sample_company(&options, NULL, &err), GM_E_CONFIG, err);
    check_err_says(err, "--force");
    options.force = true;
    check_ok(gm_sample_company(&options, NULL, &err), err);
}

static void a_senseless_scale_is_refused(void **state)
{
    struct gm_err err = {0};
    struct gm_sample_options options = {.folder_z = tmp_path(*state, "a"), .scale = 0};
    check_rc(gm_sample_company(&options, NULL, &err), GM_E_CONFIG, err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_full_company_has_the_size_of_the_scenario, tmp_setup,
                                        tmp_teardown),
        cmocka_unit_test_setup_teardown(the_same_seed_makes_the_same_company, tmp_setup,
                                        tmp_teardown),
        cmocka_unit_test_setup_teardown(foreign_keys_of_the_database_hold, tmp_setup, tmp_teardown),
        cmocka_unit_test_setup_teardown(a_change_by_hand_moves_the_watermark, tmp_setup,
                                        tmp_teardown),
        cmocka_unit_test_setup_teardown(a_sample_that_is_there_is_kept_unless_forced, tmp_setup,
                                        tmp_teardown),
        cmocka_unit_test_setup_teardown(the_models_are_valid_and_found_by_their_ids, tmp_setup,
                                        tmp_teardown),
        cmocka_unit_test_setup_teardown(a_senseless_scale_is_refused, tmp_setup, tmp_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
