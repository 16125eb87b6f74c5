/* Source `sql` on SQLite: columns, keys, watermarks, snapshots, what is wrong with rows and what
 * with the database. test_sql_pg.c runs what differs on PostgreSQL. */
#include "connect/sql/mark.h"
#include "db/db.h"
#include "os/file.h"
#include "support/source.h"

static void exec(struct tmp *tmp, const char *sql_z)
{
    struct gm_db_options options = {.url_z = tmp_url(tmp, "sqlite:", "erp.db"),
                                    .mode = GM_DB_WRITE};
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    check_ok(gm_db_open(&options, &db, &err), err);
    check_ok(gm_db_exec(db, sql_z, &err), err);
    gm_db_close(db);
}

static struct source *sql_of(const char *settings_z, const char *sql_z)
{
    struct source *source = source_new("sql", settings_z);
    exec(source->tmp, sql_z);
    return source;
}

static void expect_connect_fails(const char *settings_z, const char *sql_z, gm_rc rc,
                                 const char *says_z)
{
    struct source *source = sql_of(settings_z, sql_z);
    check_rc(source_connect(source, ""), rc, source->err);
    check_err_says(source->err, says_z);
    source_end(source);
}

static void every_type_of_sqlite_becomes_a_cell(void **state)
{
    (void)state;
    struct source *source = sql_of("{url: 'sqlite:erp.db', table: t, key: k}",
                                   "CREATE TABLE t(k INTEGER PRIMARY KEY, a, b, c, d);"
                                   "INSERT INTO t VALUES(-5, 1.5, 'text', x'00ff', NULL);"
                                   "INSERT INTO t VALUES(9223372036854775807, '', x'', 2.0, 'ü')");
    source_pass(source, "");
    check_rows(source, "-5 {\"a\":1.5,\"b\":\"text\",\"c\":\"AP8=\",\"d\":null,\"k\":-5}\n"
                       "9223372036854775807 "
                       "{\"a\":\"\",\"b\":\"\",\"c\":2.0,\"d\":\"ü\",\"k\":9223372036854775807}\n");
    assert_true(source->pass.full);
    assert_int_equal(source->pass.rows_estimate, 2);
    assert_string_equal(source->rows.at[1].origin_z, "t");
    assert_int_equal(source->rows.at[1].position, 2);
    assert_string_equal(source->cursor_z, "");
    source_end(source);
}

static void names_are_quoted(void **state)
{
    (void)state;
    struct source *source = sql_of("{url: 'sqlite:erp.db', table: 'Order \"Details\"', "
                                   "key: [Order ID, 'a\"b']}",
                                   "CREATE TABLE \"Order \"\"Details\"\"\"(\"Order ID\", "
                                   "\"a\"\"b\", PRIMARY KEY(\"Order ID\", \"a\"\"b\")) "
                                   "WITHOUT ROWID;"
                                   "INSERT INTO \"Order \"\"Details\"\"\" VALUES(2,'x|y'),(1,'z')");
    source_pass(source, "");
    check_rows(source, "1|z {\"Order ID\":1,\"a\\\"b\":\"z\"}\n"
                       "2|x\\|y {\"Order ID\":2,\"a\\\"b\":\"x|y\"}\n");
    source_end(source);
}

static void a_query_runs_as_it_is(void **state)
{
    (void)state;
    struct source *source =
        sql_of("{url: 'sqlite:erp.db', key: id, query: \"SELECT k AS id FROM t ORDER BY k DESC; "
               "-- newest first\"}",
               "CREATE TABLE t(k); INSERT INTO t VALUES(1),(3),(2)");
    source_pass(source, "");
    check_rows(source, "3 {\"id\":3}\n2 {\"id\":2}\n1 {\"id\":1}\n");
    assert_string_equal(source->rows.at[0].origin_z, "query");
    source_end(source);
}

static void a_table_is_read_in_the_order_of_its_key_when_that_is_free(void **state)
{
    (void)state;
    struct source *source = sql_of("{url: 'sqlite:erp.db', table: t, key: k}",
                                   "CREATE TABLE t(k TEXT PRIMARY KEY) WITHOUT ROWID;"
                                   "INSERT INTO t VALUES('b'),('c'),('a')");
    source_pass(source, "");
    check_rows(source, "a {\"k\":\"a\"}\nb {\"k\":\"b\"}\nc {\"k\":\"c\"}\n");
    source_end(source);
    /* Here the order would cost a sort: rows come as they lie. */
    source = sql_of("{url: 'sqlite:erp.db', table: t, key: k}",
                    "CREATE TABLE t(k TEXT); INSERT INTO t VALUES('b'),('c'),('a')");
    source_pass(source, "");
    check_rows(source, "b {\"k\":\"b\"}\nc {\"k\":\"c\"}\na {\"k\":\"a\"}\n");
    source_end(source);
}

static void rows_without_a_usable_key_are_wrong_alone(void **state)
{
    (void)state;
    struct source *source =
        sql_of("{url: 'sqlite:erp.db', query: 'SELECT * FROM t ORDER BY n', key: k}",
               "CREATE TABLE t(n, k); INSERT INTO t VALUES(1, 'a'), (2, NULL),"
               "(3, CAST(x'ff' AS TEXT)), (4, CAST(x'610062' AS TEXT)), (5, hex(zeroblob(513))),"
               "(6, 'b')");
    source_pass(source, "");
    check_rows(source, "a {\"k\":\"a\",\"n\":1}\n"
                       "row 2 !key column `k` is null\n"
                       "row 3 !key column `k` is not UTF-8\n"
                       "row 4 !key column `k` contains a NUL byte\n"
                       "row 5 !key column `k` is too long for a key (1024 bytes at most)\n"
                       "b {\"k\":\"b\",\"n\":6}\n");
    assert_int_equal(source->rows.at[1].rc, GM_E_INVALID);
    source_end(source);
}

static void a_cell_above_the_limit_makes_its_row_wrong_alone(void **state)
{
    (void)state;
    struct source *source =
        sql_of("{url: 'sqlite:erp.db', table: t, key: k}",
               "CREATE TABLE t(k INTEGER PRIMARY KEY, photo, note);"
               "INSERT INTO t VALUES(1, zeroblob(10000000), 'a'), (2, zeroblob(17000000), 'b'),"
               "(3, zeroblob(10000000), 'c'), (4, x'', 'd')");
    source_pass(source, "");
    assert_int_equal(source->rows.n, 4);
    assert_int_equal(source->rows.at[0].rc, GM_OK);
    assert_int_equal(source->rows.at[1].rc, GM_E_LIMIT);
    assert_string_equal(source->rows.at[1].key_z, "2");
    assert_string_equal(source->rows.at[1].error_z,
                        "column `photo` holds 17000000 bytes; a record may hold 16777216");
    assert_int_equal(source->rows.at[2].rc, GM_OK);
    assert_string_equal(source->rows.at[3].json_z, "{\"k\":4,\"note\":\"d\",\"photo\":\"\"}");
    assert_true(source->batches >= 3); /* a batch ends when its bytes reach the target */
    source_end(source);
}

static void mistakes_in_names_are_named_with_the_nearest(void **state)
{
    (void)state;
    const char *sql_z = "CREATE TABLE Products(ProductID INTEGER PRIMARY KEY, Name, Changed)";
    expect_connect_fails("{url: 'sqlite:erp.db', table: Product, key: ProductID}", sql_z,
                         GM_E_CONFIG, "did you mean `Products`?");
    expect_connect_fails("{url: 'sqlite:erp.db', table: Products, key: ProduktID}", sql_z,
                         GM_E_CONFIG,
                         "`key`: there is no column `ProduktID`; did you mean `ProductID`?");
    expect_connect_fails("{url: 'sqlite:erp.db', table: Products, key: Name, watermark: Change}",
                         sql_z, GM_E_CONFIG, "did you mean `Changed`?");
    expect_connect_fails("{url: 'sqlite:erp.db', query: 'SELECT Name, 1 AS Name FROM Products', "
                         "key: Name}",
                         sql_z, GM_E_CONFIG, "two columns are named `Name`");
    expect_connect_fails("{url: 'sqlite:erp.db', query: 'SELEC 1', key: Name}", sql_z, GM_E_CONFIG,
                         "syntax error");
    expect_connect_fails("{url: 'sqlite:erp.db', query: 'SELECT 1 AS a; SELECT 2', key: a}", sql_z,
                         GM_E_CONFIG, "exactly one SQL statement");
}

static void a_query_cannot_change_the_source(void **state)
{
    (void)state;
    struct source *source = sql_of("{url: 'sqlite:erp.db', key: k, query: "
                                   "'DELETE FROM t RETURNING k'}",
                                   "CREATE TABLE t(k); INSERT INTO t VALUES(1)");
    gm_rc rc = source_connect(source, "");
    if (rc == GM_OK) {
        rc = source_read_all(source);
    }
    check_rc(rc, GM_E_CONFIG, source->err);
    source_end(source);
}

static void a_missing_database_is_an_error_and_not_an_empty_one(void **state)
{
    (void)state;
    struct source *source = source_new("sql", "{url: 'sqlite:none.db', table: t, key: k}");
    check_rc(source_connect(source, ""), GM_E_CONFIG, source->err);
    check_err_says(source->err, "none.db");
    tmp_write(source->tmp, "none.db", GM_STR("this is not a database, and long enough to tell"));
    check_rc(source_connect(source, ""), GM_E_CONFIG, source->err);
    source_end(source);
}

static void a_locked_database_is_worth_another_try(void **state)
{
    (void)state;
    struct source *source = sql_of("{url: 'sqlite:erp.db', table: t, key: k, busy_timeout: 1ms}",
                                   "CREATE TABLE t(k); INSERT INTO t VALUES(1)");
    struct gm_db_options options = {.url_z = tmp_url(source->tmp, "sqlite:", "erp.db"),
                                    .mode = GM_DB_WRITE};
    struct gm_db *db = NULL;
    check_ok(gm_db_open(&options, &db, &source->err), source->err);
    check_ok(gm_db_exec(db, "PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE", &source->err),
             source->err);
    check_rc(source_connect(source, ""), GM_E_RETRY, source->err);
    check_err_says(source->err, "another program has it locked");
    check_ok(gm_db_exec(db, "ROLLBACK", &source->err), source->err);
    gm_db_close(db);
    source_pass(source, "");
    check_rows(source, "1 {\"k\":1}\n");
    source_end(source);
}

/* ---- watermarks ---- */

static const char *const counter_z = "{url: 'sqlite:erp.db', table: t, key: k, watermark: v}";

static void a_full_pass_ends_with_the_greatest_watermark(void **state)
{
    (void)state;
    struct source *source =
        sql_of(counter_z, "CREATE TABLE t(k INTEGER PRIMARY KEY, v);"
                          "INSERT INTO t VALUES(1, 30), (2, 10), (3, NULL), (4, 20)");
    source_pass(source, "");
    assert_true(source->pass.full);
    assert_int_equal(source->rows.n, 4);
    assert_int_equal(source->rows.at[0].version, 30);
    assert_int_equal(source->rows.at[2].version, 0);
    assert_string_equal(source->cursor_z, "v=int:30");
    source_end(source);
}

static void a_cursor_shows_what_came_since(void **state)
{
    (void)state;
    struct source *source = sql_of(counter_z, "CREATE TABLE t(k INTEGER PRIMARY KEY, v);"
                                              "INSERT INTO t VALUES(1, 1), (2, 2)");
    source_pass(source, "");
    source_pass(source, source->cursor_z);
    assert_false(source->pass.full);
    check_rows(source, "");
    assert_string_equal(source->cursor_z, "v=int:2");
    exec(source->tmp, "UPDATE t SET v = 9007199254740993 WHERE k = 1;"
                      "INSERT INTO t VALUES(3, 7), (4, 2)");
    source_pass(source, source->cursor_z);
    check_rows(source, "3 {\"k\":3,\"v\":7}\n1 {\"k\":1,\"v\":9007199254740993}\n");
    assert_string_equal(source->cursor_z, "v=int:9007199254740993");
    source_end(source);
}

/* Rows with one value may lie on both sides of a batch's end: its cursor must be behind neither. */
static void a_cursor_never_cuts_through_rows_of_one_value(void **state)
{
    (void)state;
    struct source *source =
        sql_of(counter_z, "CREATE TABLE t(k INTEGER PRIMARY KEY, v);"
                          "INSERT INTO t SELECT value, min(value, 10) FROM "
                          "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n "
                          "WHERE value < 40000) SELECT value FROM n)");
    source_connect_ok(source, "v=int:5");
    check_rc(source_read(source), GM_OK, source->err);
    assert_int_equal(source->rows.n, GM_BATCH_RECORDS_MAX);
    assert_string_equal(source->cursor_z, "v=int:9");
    source_pass(source, source->cursor_z);
    assert_int_equal(source->rows.n, 40000 - 9);
    assert_string_equal(source->first_batch_cursor_z, "v=int:9");
    assert_string_equal(source->cursor_z, "v=int:10");
    source_end(source);
}

static void a_query_can_have_a_watermark(void **state)
{
    (void)state;
    struct source *source =
        sql_of("{url: 'sqlite:erp.db', key: k, watermark: at, "
               "query: 'SELECT k, at FROM t WHERE k > 0 -- all'}",
               "CREATE TABLE t(k, at); INSERT INTO t VALUES(1, '2026-01-01'), (2, '2026-03-01'),"
               "(3, '2026-02-01')");
    source_pass(source, "at=text:2026-01-15");
    check_rows(source, "3 {\"at\":\"2026-02-01\",\"k\":3}\n2 {\"at\":\"2026-03-01\",\"k\":2}\n");
    assert_string_equal(source->cursor_z, "at=text:2026-03-01");
    source_pass(source, "");
    assert_int_equal(source->rows.n, 3);
    assert_string_equal(source->cursor_z, "at=text:2026-03-01");
    source_end(source);
}

static void a_cursor_of_something_else_starts_from_the_beginning(void **state)
{
    (void)state;
    struct source *source = sql_of(counter_z, "CREATE TABLE t(k INTEGER PRIMARY KEY, v);"
                                              "INSERT INTO t VALUES(1, 1)");
    static const char *const strange[] = {"w=int:9", "v=int:x", "v=blob:9", "v", "9", "vv=int:9"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(strange); i++) {
        source_pass(source, strange[i]);
        assert_true(source->pass.full);
        assert_int_equal(source->rows.n, 1);
    }
    source_end(source);
}

static void an_overlap_reads_again_but_never_moves_the_cursor_back(void **state)
{
    (void)state;
    struct source *source =
        sql_of("{url: 'sqlite:erp.db', table: t, key: k, watermark: at, overlap: 10s}",
               "CREATE TABLE t(k, at); INSERT INTO t VALUES(1, '2026-01-01 00:00:00.5'),"
               "(2, '2026-01-01 00:00:05.5')");
    source_pass(source, "");
    assert_string_equal(source->cursor_z, "at=text:2026-01-01 00:00:05.5");
    assert_int_equal(source->rows.at[0].version, 1767225600500000000);
    /* Committed late: it was stamped before what was seen. */
    exec(source->tmp, "INSERT INTO t VALUES(3, '2026-01-01 00:00:01.0');"
                      "DELETE FROM t WHERE k = 2");
    source_pass(source, source->cursor_z);
    check_rows(source, "1 {\"at\":\"2026-01-01 00:00:00.5\",\"k\":1}\n"
                       "3 {\"at\":\"2026-01-01 00:00:01.0\",\"k\":3}\n");
    assert_string_equal(source->cursor_z, "at=text:2026-01-01 00:00:05.5");
    source_end(source);
    expect_connect_fails("{url: 'sqlite:erp.db', table: t, key: k, watermark: v, overlap: 1m}",
                         "CREATE TABLE t(k, v); INSERT INTO t VALUES(1, 1)", GM_E_CONFIG,
                         "`overlap` needs a watermark of dates or times");
}

static void a_watermark_that_cannot_be_continued_from_is_refused(void **state)
{
    (void)state;
    expect_connect_fails(counter_z, "CREATE TABLE t(k, v); INSERT INTO t VALUES(1, x'00')",
                         GM_E_CONFIG, "cannot be continued from");
}

static void going_back_keeps_the_spelling_of_a_time(void **state)
{
    (void)state;
    static const char *const times[][2] = {
        {"2026-03-01 00:00:05", "2026-02-28 23:58:35"},
        {"2026-03-01T00:00:05Z", "2026-02-28T23:58:35Z"},
        {"2026-03-01 00:00:05.123456+02", "2026-02-28 23:58:35.123456+02"},
        {"2026-03-01 00:00:05.1-05:30", "2026-02-28 23:58:35.1-05:30"},
        {"2026-03-01T00:00:05.1234567Z", "2026-02-28T23:58:35.1234567Z"},
        {"2026-03-01", "2026-02-28"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(times); i++) {
        struct gm_sql_mark mark = {0};
        struct gm_err err = {0};
        struct gm_cell cell = {.type = GM_CELL_TEXT, .as.s = gm_str_z(times[i][0])};
        assert_true(gm_sql_mark_set(&mark, &cell));
        check_ok(gm_sql_mark_back(&mark, 90 * GM_SECOND, &err), err);
        check_str(gm_buf_str(&mark.text), times[i][1]);
        gm_sql_mark_deinit(&mark);
    }
}

/* ---- one consistent state ---- */

static void a_pass_does_not_see_what_is_written_meanwhile(void **state)
{
    (void)state;
    struct source *source =
        sql_of(counter_z, "CREATE TABLE t(k INTEGER PRIMARY KEY, v);"
                          "INSERT INTO t SELECT value, value FROM "
                          "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n "
                          "WHERE value < 20000) SELECT value FROM n)");
    source_connect_ok(source, "");
    exec(source->tmp, "UPDATE t SET v = -1 WHERE k = 1; DELETE FROM t WHERE k = 20000;"
                      "INSERT INTO t VALUES(30000, 30000)");
    check_rc(source_read(source), GM_OK, source->err);
    exec(source->tmp, "DELETE FROM t");
    check_rc(source_read_all(source), GM_E_END, source->err);
    assert_int_equal(source->rows.n, 20000);
    assert_string_equal(source->rows.at[0].json_z, "{\"k\":1,\"v\":1}");
    assert_string_equal(source->rows.at[19999].json_z, "{\"k\":20000,\"v\":20000}");
    assert_string_equal(source->cursor_z, "v=int:20000");
    source_end(source);
}

/* Larger than what the connection keeps in memory. */
static void a_file_that_is_cut_while_it_is_read_breaks_the_pass(void **state)
{
    (void)state;
    struct source *source =
        sql_of("{url: 'sqlite:erp.db', table: t, key: k}",
               "CREATE TABLE t(k INTEGER PRIMARY KEY, v);"
               "INSERT INTO t SELECT value, zeroblob(2000) FROM "
               "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n "
               "WHERE value < 20000) SELECT value FROM n)");
    source_connect_ok(source, "");
    check_rc(source_read(source), GM_OK, source->err);
    struct gm_file *file = NULL;
    check_ok(gm_file_create(tmp_path(source->tmp, "erp.db"), &file, &source->err), source->err);
    gm_file_close(file);
    gm_rc rc = source_read_all(source);
    assert_true(rc == GM_E_RETRY || rc == GM_E_CONFIG);
    check_err_says(source->err, "erp.db");
    source_end(source);
}

static void equal_rows_hash_alike_in_every_pass(void **state)
{
    (void)state;
    struct source *source = sql_of(counter_z, "CREATE TABLE t(k INTEGER PRIMARY KEY, v, w);"
                                              "INSERT INTO t VALUES(1, 1, 'a'), (2, 2, 'b')");
    source_pass(source, "");
    struct gm_hash128 one = source->rows.at[0].hash;
    struct gm_hash128 two = source->rows.at[1].hash;
    exec(source->tmp, "UPDATE t SET w = 'c' WHERE k = 2");
    source_pass(source, "");
    assert_true(gm_hash128_eq(one, source->rows.at[0].hash));
    assert_false(gm_hash128_eq(two, source->rows.at[1].hash));
    source_end(source);
}

static void settings_are_linted(void **state)
{
    (void)state;
    assert_string_equal(source_lint("sql", "{url: 'sqlite:erp.db', table: t, key: id}"), "");
    static const char *const wrong[][2] = {
        {"{url: 'mysql://x', table: t, key: id}", "unknown scheme"},
        {"{url: 'sqlite:erp.db', key: id}", "exactly one of `table` and `query`"},
        {"{url: 'sqlite:erp.db', table: t, query: q, key: id}", "exactly one of `table`"},
        {"{url: 'sqlite:erp.db', table: t}", "key"},
        {"{url: 'sqlite:erp.db', table: t, key: id, overlap: 5m}",
         "only together with `watermark`"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(wrong); i++) {
        const char *said_z = source_lint("sql", wrong[i][0]);
        if (strstr(said_z, wrong[i][1]) == NULL) {
            fail_msg("%s: said `%s`, not `%s`", wrong[i][0], said_z, wrong[i][1]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_sqlite_becomes_a_cell),
        cmocka_unit_test(names_are_quoted),
        cmocka_unit_test(a_query_runs_as_it_is),
        cmocka_unit_test(a_table_is_read_in_the_order_of_its_key_when_that_is_free),
        cmocka_unit_test(rows_without_a_usable_key_are_wrong_alone),
        cmocka_unit_test(a_cell_above_the_limit_makes_its_row_wrong_alone),
        cmocka_unit_test(mistakes_in_names_are_named_with_the_nearest),
        cmocka_unit_test(a_query_cannot_change_the_source),
        cmocka_unit_test(a_missing_database_is_an_error_and_not_an_empty_one),
        cmocka_unit_test(a_locked_database_is_worth_another_try),
        cmocka_unit_test(a_full_pass_ends_with_the_greatest_watermark),
        cmocka_unit_test(a_cursor_shows_what_came_since),
        cmocka_unit_test(a_cursor_never_cuts_through_rows_of_one_value),
        cmocka_unit_test(a_query_can_have_a_watermark),
        cmocka_unit_test(a_cursor_of_something_else_starts_from_the_beginning),
        cmocka_unit_test(an_overlap_reads_again_but_never_moves_the_cursor_back),
        cmocka_unit_test(a_watermark_that_cannot_be_continued_from_is_refused),
        cmocka_unit_test(going_back_keeps_the_spelling_of_a_time),
        cmocka_unit_test(a_pass_does_not_see_what_is_written_meanwhile),
        cmocka_unit_test(a_file_that_is_cut_while_it_is_read_breaks_the_pass),
        cmocka_unit_test(equal_rows_hash_alike_in_every_pass),
        cmocka_unit_test(settings_are_linted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
