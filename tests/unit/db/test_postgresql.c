/* What is PostgreSQL's alone: login, types, the connection. */
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "db/pg_text.h"
#include "unit/db/world.h"

static gm_rc open_url(const char *url_z, const char *password_z, struct gm_db **out_db,
                      struct gm_err *err)
{
    struct gm_db_options options = {.url_z = url_z,
                                    .password_z = password_z,
                                    .mode = GM_DB_READ,
                                    .source = true,
                                    .connect_timeout = 300 * GM_MS};
    return gm_db_open(&options, out_db, err);
}

static const char *url_with(struct world *world, const char *login_z, const char *database_z)
{
    static char url[256];
    (void)world;
    (void)snprintf(url, sizeof(url), "postgresql://%s@127.0.0.1:%d/%s", login_z,
                   pg_server_port(world_server), database_z);
    return url;
}

static void check_refused(const char *url_z, const char *password_z, gm_rc rc, const char *says_z)
{
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    check_rc(open_url(url_z, password_z, &db, &err), rc, err);
    check_err_says(err, says_z);
    assert_null(db);
    static const char *const secrets[] = {"sesame", "wr/ong", "wr%2Fong", "ong"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(secrets); i++) {
        assert_null(strstr(err.text, secrets[i]));
    }
}

/* ---- login ---- */

static void a_refused_login_is_the_users_to_mend_and_never_shows_the_password(void **state)
{
    struct world *world = *state;
    check_refused(url_with(world, "gemel:wr%2Fong", "postgres"), NULL, GM_E_CONFIG,
                  "password authentication failed for user \"gemel\"");
    check_refused(url_with(world, "gemel", "postgres"), "wr/ong", GM_E_CONFIG,
                  "password authentication failed");
    check_refused(url_with(world, "gemel", "postgres"), NULL, GM_E_CONFIG, "no password supplied");
    check_refused(url_with(world, PG_USER ":" PG_PASSWORD_IN_URL, "none"), NULL, GM_E_CONFIG,
                  "database \"none\" does not exist");
}

static void a_url_that_cannot_be_parsed_is_not_repeated(void **state)
{
    struct world *world = *state;
    check_refused(url_with(world, "gemel:wr/ong", "postgres"), NULL, GM_E_CONFIG, "%2F");
    check_refused(url_with(world, "gemel:wr/ong@sesame", "postgres"), NULL, GM_E_CONFIG, "%40");
    check_refused("postgresql://gemel:sesame@[::1/x", NULL, GM_E_CONFIG, "cannot be parsed");
    check_refused("postgresql://gemel:sesame@h/x?nonsense=sesame", NULL, GM_E_CONFIG,
                  "cannot be parsed");
}

static void the_password_may_come_from_outside_the_url(void **state)
{
    struct world *world = *state;
    struct gm_db *db = NULL;
    check_ok(open_url(url_with(world, "gemel", "postgres"), PG_PASSWORD, &db, &world->err),
             world->err);
    gm_db_close(db);
}

static void a_server_that_is_down_is_tried_again(void **state)
{
    struct world *world = *state;
    char url[100];
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    struct sockaddr *generic = (struct sockaddr *)(void *)&address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, generic, size), 0);
    assert_int_equal(getsockname(fd, generic, &size), 0);
    (void)snprintf(url, sizeof(url), "postgresql://u@127.0.0.1:%d/x", ntohs(address.sin_port));
    check_refused(url, NULL, GM_E_RETRY, "Connection refused");
    assert_int_equal(listen(fd, 1), 0); /* now somebody takes the call, and says nothing */
    check_refused(url, NULL, GM_E_RETRY, "no answer");
    (void)close(fd);
    (void)world;
}

/* ---- values ---- */

struct cell {
    const char *sql_z;
    enum gm_column_type type;
    const char *text_z;
};

static const struct cell cells[] = {
    {"12345678901234567890.50::numeric", GM_COLUMN_TEXT, "12345678901234567890.50"},
    {"'NaN'::numeric", GM_COLUMN_TEXT, "NaN"},
    {"0.1::float8", GM_COLUMN_DOUBLE, "0.1"},
    {"0.1::float4", GM_COLUMN_DOUBLE, "0.1"},
    {"(-32768)::int2", GM_COLUMN_INT, "-32768"},
    {"4294967295::oid", GM_COLUMN_INT, "4294967295"},
    {"true", GM_COLUMN_BOOL, "true"},
    {"false", GM_COLUMN_BOOL, "false"},
    {"'2024-02-29'::date", GM_COLUMN_TEXT, "2024-02-29"},
    {"'2024-02-29 12:34:56.789'::timestamp", GM_COLUMN_TEXT, "2024-02-29 12:34:56.789"},
    {"'2024-02-29 12:34:56+05:30'::timestamptz", GM_COLUMN_TEXT, "2024-02-29 07:04:56+00"},
    {"'infinity'::timestamptz", GM_COLUMN_TEXT, "infinity"},
    {"'1 day 02:03:04'::interval", GM_COLUMN_TEXT, "P1DT2H3M4S"},
    {"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", GM_COLUMN_TEXT,
     "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
    {"'{\"b\": 1,  \"a\":2}'::json", GM_COLUMN_JSON, "{\"b\": 1,  \"a\":2}"},
    {"'{\"b\": 1,  \"a\":2}'::jsonb", GM_COLUMN_JSON, "{\"a\": 2, \"b\": 1}"},
    {"ARRAY[1,2]", GM_COLUMN_TEXT, "{1,2}"},
    {"1234.5::money", GM_COLUMN_TEXT, "$1,234.50"},
    {"'\\x00ff'::bytea", GM_COLUMN_BLOB, NULL},
    {"NULL::int", GM_COLUMN_NULL, NULL},
};

static void every_type_has_its_iso_text(void **state)
{
    struct world *world = *state;
    world_exec(world, world->db,
               "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET datestyle = ''German''; "
               "ALTER DATABASE %I SET timezone = ''Asia/Tokyo''; "
               "ALTER DATABASE %I SET bytea_output = escape', current_database(), "
               "current_database(), current_database()); END $$");
    struct gm_db *db = world_open(world, GM_DB_READ);
    for (size_t i = 0; i < GM_ARRAY_COUNT(cells); i++) {
        GM_AUTO_FREE char *sql_z = gm_format_z("SELECT %s", cells[i].sql_z);
        struct gm_stmt *stmt = world_prepare(world, db, sql_z);
        check_ok(gm_step(stmt, &world->err), world->err);
        assert_int_equal(gm_column_type(stmt, 0), cells[i].type);
        if (cells[i].text_z != NULL) {
            check_str(gm_column_text(stmt, 0), cells[i].text_z);
        }
        if (cells[i].type == GM_COLUMN_BLOB) {
            assert_int_equal(gm_column_blob(stmt, 0).n, 2);
            assert_memory_equal(gm_column_blob(stmt, 0).p, "\0\377", 2);
        }
        gm_stmt_finalize(stmt);
    }
    gm_db_close(db);
}

static void numbers_that_are_none_are_zero_or_infinite(void **state)
{
    (void)state;
    assert_int_equal(gm_pg_i64(GM_STR("1.9")), 1);
    assert_int_equal(gm_pg_i64(GM_STR("1e300")), INT64_MAX);
    assert_int_equal(gm_pg_i64(GM_STR("-Infinity")), INT64_MIN);
    assert_int_equal(gm_pg_i64(GM_STR("NaN")), 0);
    assert_int_equal(gm_pg_i64(GM_STR("x")), 0);
    assert_int_equal(gm_pg_i64(GM_STR("t")), 1);
    assert_true(isnan(gm_pg_double(GM_STR("NaN"))));
    assert_true(isinf(gm_pg_double(GM_STR("-Infinity"))));
}

static void states_become_outcomes(void **state)
{
    (void)state;
    static const struct {
        const char *state_z;
        gm_rc rc;
    } known[] = {{"08006", GM_E_RETRY},   {"57P01", GM_E_RETRY},    {"53300", GM_E_RETRY},
                 {"53100", GM_E_IO},      {"28P01", GM_E_CONFIG},   {"40001", GM_E_RETRY},
                 {"40P01", GM_E_RETRY},   {"23505", GM_E_CONFLICT}, {"22P02", GM_E_INVALID},
                 {"42P01", GM_E_CONFIG},  {"3D000", GM_E_CONFIG},   {"58030", GM_E_IO},
                 {"XX001", GM_E_CORRUPT}, {"XX000", GM_E_IO},       {"25006", GM_E_CONFIG},
                 {"25P02", GM_E_RETRY},   {"55P03", GM_E_RETRY},    {"99999", GM_E_CONFIG}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(known); i++) {
        assert_int_equal(gm_pg_classify(known[i].state_z), known[i].rc);
    }
}

static void a_text_postgresql_cannot_hold_is_that_records_fault(void **state)
{
    struct world *world = *state;
    world_exec(world, world->db, "CREATE TABLE t (s TEXT, d DATE)");
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    struct gm_stmt *stmt = world_prepare(world, world->db, "INSERT INTO t VALUES ($1, $2)");
    gm_bind_text(stmt, 1, GM_STR("a\0b"));
    check_rc(gm_stmt_run(stmt, NULL, &world->err), GM_E_INVALID, world->err);
    check_err_says(world->err, "parameter $1: the text holds a NUL byte");
    gm_bind_text(stmt, 1, GM_STR("good"));
    gm_bind_text(stmt, 2, GM_STR("2024-02-29"));
    check_ok(gm_stmt_run(stmt, NULL, &world->err), world->err); /* the transaction is unharmed */
    check_ok(gm_db_commit(world->db, &world->err), world->err);
    gm_bind_text(stmt, 1, GM_STR("\377"));
    check_rc(gm_stmt_run(stmt, NULL, &world->err), GM_E_INVALID, world->err);
    gm_bind_text(stmt, 1, GM_STR("good"));
    gm_bind_text(stmt, 2, GM_STR("2023-02-29"));
    check_rc(gm_stmt_run(stmt, NULL, &world->err), GM_E_INVALID, world->err);
    check_err_says(world->err, "SQLSTATE 22008");
}

/* ---- transactions and the connection ---- */

static void a_commit_that_the_server_turns_into_a_rollback_is_a_failure(void **state)
{
    struct world *world = *state;
    world_exec(world, world->db, "CREATE TABLE t (i INT PRIMARY KEY)");
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    world_exec(world, world->db, "INSERT INTO t VALUES (1)");
    check_rc(gm_db_exec(world->db, "INSERT INTO t VALUES (1)", &world->err), GM_E_CONFLICT,
             world->err);
    check_rc(gm_db_commit(world->db, &world->err), GM_E_RETRY, world->err);
    check_err_says(world->err, "undone");
    assert_int_equal(world_number(world, world->db, "SELECT count(*) FROM t"), 0);
}

static void a_commit_is_durable_whatever_the_database_says(void **state)
{
    struct world *world = *state;
    world_exec(world, world->db,
               "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', "
               "current_database()); END $$");
    struct gm_db *db = world_open(world, GM_DB_WRITE);
    assert_int_equal(
        world_number(world, db, "SELECT (current_setting('synchronous_commit') = 'on')::int"), 1);
    gm_db_close(db);
}

static void a_row_locked_by_another_is_retried(void **state)
{
    struct world *world = *state;
    world_exec(world, world->db, "CREATE TABLE t (i INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    struct gm_db *other = NULL;
    struct gm_db_options options = {
        .url_z = world->url_z, .mode = GM_DB_WRITE, .busy_timeout = 30 * GM_MS};
    check_ok(gm_db_open(&options, &other, &world->err), world->err);
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    world_exec(world, world->db, "UPDATE t SET i = 2");
    check_rc(gm_db_exec(other, "UPDATE t SET i = 3", &world->err), GM_E_RETRY, world->err);
    gm_db_close(other);
}

static void rows_that_nobody_read_are_kept_only_to_a_limit(void **state)
{
    struct world *world = *state;
    struct gm_stmt *stmt = world_prepare(
        world, world->db, "SELECT i, repeat('x', 1000) FROM generate_series(1, 1000000) AS i");
    check_ok(gm_step(stmt, &world->err), world->err);
    check_rc(gm_db_exec(world->db, "SELECT 1", &world->err), GM_E_LIMIT, world->err);
    check_err_says(world->err, "64 MiB");
    for (int64_t i = 2; i <= 100000; i++) { /* the rows themselves are all still there */
        check_ok(gm_step(stmt, &world->err), world->err);
        assert_int_equal(gm_column_i64(stmt, 0), i);
    }
    gm_reset(stmt);
    assert_int_equal(world_number(world, world->db, "SELECT 42"), 42);
}

static void a_failure_in_the_middle_of_a_result_comes_after_its_rows(void **state)
{
    struct world *world = *state;
    struct gm_stmt *stmt =
        world_prepare(world, world->db, "SELECT 1 / (5 - i) FROM generate_series(1, 10) AS i");
    for (int i = 1; i < 5; i++) {
        check_ok(gm_step(stmt, &world->err), world->err);
    }
    check_rc(gm_step(stmt, &world->err), GM_E_INVALID, world->err);
    check_err_says(world->err, "division by zero");
    assert_int_equal(world_number(world, world->db, "SELECT 42"), 42);
}

static void a_rollback_takes_the_rows_that_were_being_read(void **state)
{
    struct world *world = *state;
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    struct gm_stmt *stmt =
        world_prepare(world, world->db, "SELECT i FROM generate_series(1, 1000000) AS i");
    check_ok(gm_step(stmt, &world->err), world->err);
    gm_db_rollback(world->db);
    check_rc(gm_step(stmt, &world->err), GM_E_RETRY, world->err);
    check_ok(gm_step(stmt, &world->err), world->err); /* from the start */
    assert_int_equal(gm_column_i64(stmt, 0), 1);
}

static void copy_is_refused_and_costs_the_connection(void **state)
{
    struct world *world = *state;
    struct gm_db *db = world_open(world, GM_DB_READ);
    check_rc(gm_db_exec(db, "COPY (SELECT 1) TO STDOUT", &world->err), GM_E_CONFIG, world->err);
    check_rc(gm_db_exec(db, "SELECT 1", &world->err), GM_E_RETRY, world->err);
    gm_db_close(db);
}

static void finalized_statements_are_forgotten_by_the_server(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 50; i++) {
        gm_stmt_finalize(world_prepare(world, world->db, "SELECT 1"));
    }
    assert_true(world_number(world, world->db, "SELECT count(*) FROM pg_prepared_statements") <= 2);
}

static void a_connection_that_ends_is_told_and_stays_lost(void **state)
{
    struct world *world = *state;
    struct gm_db *db = world_open(world, GM_DB_READ);
    struct gm_stmt *stmt =
        world_prepare(world, db, "SELECT i FROM generate_series(1, 10000000) AS i");
    check_ok(gm_step(stmt, &world->err), world->err);
    world_exec(world, world->db,
               "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
               "WHERE datname = current_database() AND pid <> pg_backend_pid()");
    gm_rc rc;
    while ((rc = gm_step(stmt, &world->err)) == GM_OK) {
    }
    check_rc(rc, GM_E_RETRY, world->err);
    struct gm_stmt *other = NULL;
    check_rc(gm_db_prepare(db, "SELECT 1", &other, &world->err), GM_E_RETRY, world->err);
    check_rc(gm_db_begin_snapshot(db, &world->err), GM_E_RETRY, world->err);
    gm_db_close(db);
}

static void a_server_that_dies_in_a_transaction_loses_it_and_says_so(void **state)
{
    struct world *world = *state;
    world_exec(world, world->db, "CREATE TABLE t (i INT)");
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    world_exec(world, world->db, "INSERT INTO t VALUES (1)");
    pg_server_halt(world_server);
    check_rc(gm_db_commit(world->db, &world->err), GM_E_RETRY, world->err);
    check_rc(gm_db_begin(world->db, &world->err), GM_E_RETRY, world->err);
    pg_server_resume(world_server);
    gm_db_close(world->db);
    world->db = world_open(world, GM_DB_WRITE);
    assert_int_equal(world_number(world, world->db, "SELECT count(*) FROM t"), 0);
}

static void a_deadline_leaves_the_server_idle(void **state)
{
    struct world *world = *state;
    struct gm_db *db = world_open(world, GM_DB_READ);
    struct gm_deadline deadline = gm_deadline_in(20 * GM_MS, NULL);
    gm_db_set_deadline(db, &deadline);
    check_rc(gm_db_exec(db, "SELECT pg_sleep(600)", &world->err), GM_E_CANCELLED, world->err);
    assert_int_equal(world_number(world, world->db,
                                  "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
                                  "AND datname = current_database() AND pid <> pg_backend_pid()"),
                     0);
    gm_db_close(db);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WORLD_TEST(a_refused_login_is_the_users_to_mend_and_never_shows_the_password),
        WORLD_TEST(a_url_that_cannot_be_parsed_is_not_repeated),
        WORLD_TEST(the_password_may_come_from_outside_the_url),
        WORLD_TEST(a_server_that_is_down_is_tried_again),
        WORLD_TEST(every_type_has_its_iso_text),
        WORLD_TEST(numbers_that_are_none_are_zero_or_infinite),
        WORLD_TEST(states_become_outcomes),
        WORLD_TEST(a_text_postgresql_cannot_hold_is_that_records_fault),
        WORLD_TEST(a_commit_that_the_server_turns_into_a_rollback_is_a_failure),
        WORLD_TEST(a_commit_is_durable_whatever_the_database_says),
        WORLD_TEST(a_row_locked_by_another_is_retried),
        WORLD_TEST(rows_that_nobody_read_are_kept_only_to_a_limit),
        WORLD_TEST(a_failure_in_the_middle_of_a_result_comes_after_its_rows),
        WORLD_TEST(a_rollback_takes_the_rows_that_were_being_read),
        WORLD_TEST(copy_is_refused_and_costs_the_connection),
        WORLD_TEST(finalized_statements_are_forgotten_by_the_server),
        WORLD_TEST(a_connection_that_ends_is_told_and_stays_lost),
        WORLD_TEST(a_deadline_leaves_the_server_idle),
        WORLD_TEST(a_server_that_dies_in_a_transaction_loses_it_and_says_so),
    };
    world_server = pg_server_start();
    if (world_server == NULL) {
        return PG_SKIPPED;
    }
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    pg_server_stop(world_server);
    return failures;
}
