/* Source `sql` on PostgreSQL: what differs from SQLite. */
#include "base/mem.h"
#include "db/db.h"
#include "support/pg.h"
#include "support/source.h"

static struct pg_server *server;

struct world {
    const char *url_z;
    struct source *source;
    struct tmp *tmp;
};

static void exec(const char *url_z, const char *sql_z)
{
    struct gm_db_options options = {.url_z = url_z, .mode = GM_DB_WRITE};
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    check_ok(gm_db_open(&options, &db, &err), err);
    check_ok(gm_db_exec(db, sql_z, &err), err);
    gm_db_close(db);
}

/* `rest_z` are the settings behind url. */
static struct world world_of(const char *rest_z, const char *sql_z)
{
    struct world world = {.url_z = pg_server_new_database(server), .tmp = tmp_new()};
    exec(world.url_z, sql_z);
    GM_AUTO_FREE char *settings_z = gm_format_z("{url: '%s', %s}", world.url_z, rest_z);
    world.source = source_new_in(world.tmp, "sql", settings_z);
    return world;
}

static void done(struct world *world)
{
    source_free(world->source);
    tmp_free(world->tmp);
}

static void types_of_postgresql_become_cells(void **state)
{
    (void)state;
    struct world world = world_of(
        "table: t, key: k",
        "CREATE TABLE t(k bigint PRIMARY KEY, b boolean, n numeric, d double precision, "
        "ts timestamptz, day date, u uuid, raw bytea, j jsonb, js json, txt text);"
        "INSERT INTO t VALUES(9007199254740993, true, 12.50, 0.1, '2026-11-20 17:09:55.123456+00', "
        "'2026-11-20', '00000000-0000-0000-0000-000000000001', '\\x00ff', '{\"a\":[1,2]}', '7', '')"
        ", (2, NULL, NULL, 'NaN', NULL, NULL, NULL, NULL, 'null', NULL, 'ü')");
    source_pass(world.source, "");
    assert_int_equal(world.source->rows.n, 2);
    const char *row_z = world.source->rows.at[0].key_z[0] == '2' ? world.source->rows.at[1].json_z
                                                                 : world.source->rows.at[0].json_z;
    assert_string_equal(row_z,
                        "{\"b\":true,\"d\":0.1,\"day\":\"2026-11-20\",\"j\":{\"a\":[1,2]},\"js\":7,"
                        "\"k\":9007199254740993,\"n\":\"12.50\",\"raw\":\"AP8=\","
                        "\"ts\":\"2026-11-20 17:09:55.123456+00\",\"txt\":\"\","
                        "\"u\":\"00000000-0000-0000-0000-000000000001\"}");
    done(&world);
}

static void schemas_and_capitals_are_taken_as_written(void **state)
{
    (void)state;
    struct world world = world_of("table: Sales.Orders, key: OrderID",
                                  "CREATE SCHEMA \"Sales\"; CREATE TABLE \"Sales\".\"Orders\""
                                  "(\"OrderID\" int PRIMARY KEY); INSERT INTO \"Sales\".\"Orders\" "
                                  "VALUES(1)");
    source_pass(world.source, "");
    check_rows(world.source, "1 {\"OrderID\":1}\n");
    done(&world);
    world = world_of("table: orders, key: OrderID", "CREATE TABLE \"Orders\"(\"OrderID\" int)");
    check_rc(source_connect(world.source, ""), GM_E_CONFIG, world.source->err);
    check_err_says(world.source->err, "did you mean `Orders`?");
    done(&world);
}

static void times_work_as_watermarks_in_full_precision(void **state)
{
    (void)state;
    struct world world = world_of("table: t, key: k, watermark: at, overlap: 1s",
                                  "CREATE TABLE t(k int PRIMARY KEY, at timestamptz); "
                                  "INSERT INTO t VALUES(1, '2026-11-20 17:09:55.123456+00'), "
                                  "(2, '2026-11-20 17:09:55.123457+00')");
    struct source *source = world.source;
    source_pass(source, "");
    assert_int_equal(source->rows.n, 2);
    assert_string_equal(source->cursor_z, "at=text:2026-11-20 17:09:55.123457+00");
    exec(world.url_z, "INSERT INTO t VALUES(3, '2026-11-20 17:09:55.123458+00'),"
                      "(4, '2026-11-20 17:09:54+00')");
    source_pass(source, source->cursor_z);
    assert_false(source->pass.full);
    assert_int_equal(source->rows.n, 3); /* 1 and 2 again, and 3 */
    assert_string_equal(source->rows.at[2].key_z, "3");
    assert_int_equal(source->rows.at[2].version, 1795194595123458000);
    assert_string_equal(source->cursor_z, "at=text:2026-11-20 17:09:55.123458+00");
    done(&world);
}

static void numeric_and_plain_timestamp_work_as_watermarks(void **state)
{
    (void)state;
    struct world world =
        world_of("query: 'SELECT k::text AS k, v, at FROM t', key: k, watermark: v",
                 "CREATE TABLE t(k int, v numeric, at timestamp);"
                 "INSERT INTO t VALUES(1, 9.5, now()), (2, 10.25, now())");
    source_pass(world.source, "");
    assert_string_equal(world.source->cursor_z, "v=text:10.25");
    exec(world.url_z, "INSERT INTO t VALUES(3, 10.250001, now()), (4, 9.75, now())");
    source_pass(world.source, world.source->cursor_z);
    assert_int_equal(world.source->rows.n, 1);
    assert_string_equal(world.source->rows.at[0].key_z, "3");
    done(&world);
}

static void the_planner_is_asked_for_rows_and_order(void **state)
{
    (void)state;
    struct world world =
        world_of("table: t, key: k",
                 "CREATE TABLE t(k int PRIMARY KEY, v text);"
                 "INSERT INTO t SELECT i, 'x' FROM generate_series(1, 50000) AS i; ANALYZE t");
    source_connect_ok(world.source, "");
    assert_in_range(world.source->pass.rows_estimate, 45000, 55000);
    check_rc(source_read_all(world.source), GM_E_END, world.source->err);
    assert_int_equal(world.source->rows.n, 50000);
    done(&world);
}

static void a_wrong_password_names_user_and_host_but_not_the_password(void **state)
{
    (void)state;
    struct tmp *tmp = tmp_new();
    GM_AUTO_FREE char *settings_z =
        gm_format_z("{url: 'postgresql://" PG_USER "@127.0.0.1:%d/postgres', "
                    "password: 'not/the%%one', table: t, key: k}",
                    pg_server_port(server));
    struct source *source = source_new_in(tmp, "sql", settings_z);
    check_rc(source_connect(source, ""), GM_E_CONFIG, source->err);
    check_err_says(source->err, PG_USER);
    check_err_says(source->err, "127.0.0.1");
    assert_null(strstr(source->err.text, "not/the%one"));
    source_free(source);
    GM_AUTO_FREE char *in_url_z =
        gm_format_z("{url: 'postgresql://" PG_USER ":hunter2@127.0.0.1:%d/postgres', "
                    "table: t, key: k}",
                    pg_server_port(server));
    source = source_new_in(tmp, "sql", in_url_z);
    check_rc(source_connect(source, ""), GM_E_CONFIG, source->err);
    assert_null(strstr(source->err.text, "hunter2"));
    source_free(source);
    tmp_free(tmp);
}

static void the_password_may_stand_beside_the_url(void **state)
{
    (void)state;
    struct tmp *tmp = tmp_new();
    GM_AUTO_FREE char *settings_z =
        gm_format_z("{url: 'postgresql://" PG_USER "@127.0.0.1:%d/postgres', "
                    "password: '" PG_PASSWORD "', query: 'SELECT 1 AS k', key: k}",
                    pg_server_port(server));
    struct source *source = source_new_in(tmp, "sql", settings_z);
    source_pass(source, "");
    check_rows(source, "1 {\"k\":1}\n");
    source_free(source);
    tmp_free(tmp);
}

static void a_server_that_is_down_is_worth_another_try(void **state)
{
    (void)state;
    struct source *source = source_new("sql", "{url: 'postgresql://x@127.0.0.1:1/x', "
                                              "table: t, key: k, connect_timeout: 1s}");
    struct tmp *tmp = source->tmp;
    check_rc(source_connect(source, ""), GM_E_RETRY, source->err);
    check_err_says(source->err, "127.0.0.1");
    source_free(source);
    tmp_free(tmp);
}

static void a_query_cannot_change_the_source(void **state)
{
    (void)state;
    struct world world = world_of("query: 'DELETE FROM t RETURNING k', key: k",
                                  "CREATE TABLE t(k int); INSERT INTO t VALUES(1)");
    gm_rc rc = source_connect(world.source, "");
    if (rc == GM_OK) {
        rc = source_read_all(world.source);
    }
    check_rc(rc, GM_E_CONFIG, world.source->err);
    done(&world);
}

static void an_error_in_the_middle_of_a_query_is_no_end(void **state)
{
    (void)state;
    struct world world = world_of(
        "query: 'SELECT i AS k, 1 / (30000 - i) AS v FROM generate_series(1, 40000) AS i', "
        "key: k",
        "SELECT 1");
    source_connect_ok(world.source, "");
    check_rc(source_read_all(world.source), GM_E_CONFIG, world.source->err);
    check_err_says(world.source->err, "division by zero");
    assert_in_range(world.source->rows.n, 16000, 29999);
    done(&world);
}

static void a_pass_does_not_see_what_is_written_meanwhile(void **state)
{
    (void)state;
    struct world world = world_of("table: t, key: k, watermark: k",
                                  "CREATE TABLE t(k int PRIMARY KEY, v int);"
                                  "INSERT INTO t SELECT i, i FROM generate_series(1, 20000) AS i");
    source_connect_ok(world.source, "");
    exec(world.url_z, "UPDATE t SET v = -1; INSERT INTO t VALUES(30000, 1)");
    check_rc(source_read_all(world.source), GM_E_END, world.source->err);
    assert_int_equal(world.source->rows.n, 20000);
    for (size_t i = 0; i < world.source->rows.n; i++) {
        assert_null(strstr(world.source->rows.at[i].json_z, "-1"));
    }
    assert_string_equal(world.source->cursor_z, "k=int:20000");
    done(&world);
}

int main(void)
{
    server = pg_server_start();
    if (server == NULL) {
        return PG_SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_of_postgresql_become_cells),
        cmocka_unit_test(schemas_and_capitals_are_taken_as_written),
        cmocka_unit_test(times_work_as_watermarks_in_full_precision),
        cmocka_unit_test(numeric_and_plain_timestamp_work_as_watermarks),
        cmocka_unit_test(the_planner_is_asked_for_rows_and_order),
        cmocka_unit_test(a_wrong_password_names_user_and_host_but_not_the_password),
        cmocka_unit_test(the_password_may_stand_beside_the_url),
        cmocka_unit_test(a_server_that_is_down_is_worth_another_try),
        cmocka_unit_test(a_query_cannot_change_the_source),
        cmocka_unit_test(an_error_in_the_middle_of_a_query_is_no_end),
        cmocka_unit_test(a_pass_does_not_see_what_is_written_meanwhile),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pg_server_stop(server);
    return failed;
}
