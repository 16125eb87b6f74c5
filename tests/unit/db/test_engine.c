/* What db.h promises, on both engines. */
#include <math.h>

#include "base/buf.h"
#include "base/mem.h"
#include "db/migrate.h"
#include "os/process.h"
#include "unit/db/world.h"

/* Rows 1 … n of a result that no table holds. */
#define COUNT_TO(n)                                                                                \
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < " #n ") "

static void make_table(struct world *world)
{
    world_exec(world, world->db, "CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)");
}

static void insert(struct world *world, int64_t id, int64_t n)
{
    struct gm_stmt *stmt = world_prepare(world, world->db, "INSERT INTO t VALUES ($1, $2)");
    gm_bind_i64(stmt, 1, id);
    gm_bind_i64(stmt, 2, n);
    check_ok(gm_stmt_run(stmt, NULL, &world->err), world->err);
    gm_stmt_finalize(stmt);
}

/* ---- values ---- */

struct value {
    int64_t i;
    double d;
    struct gm_str text, blob;
};

static void check_value(struct gm_stmt *stmt, const struct value *value)
{
    assert_int_equal(gm_column_type(stmt, 0), GM_COLUMN_INT);
    assert_int_equal(gm_column_i64(stmt, 0), value->i);
    assert_int_equal(gm_column_type(stmt, 1), GM_COLUMN_DOUBLE);
    assert_true(gm_column_double(stmt, 1) == value->d);
    assert_int_equal(gm_column_type(stmt, 2), GM_COLUMN_TEXT);
    assert_true(gm_str_eq(gm_column_text(stmt, 2), value->text));
    assert_int_equal(gm_column_type(stmt, 3), GM_COLUMN_BLOB);
    assert_true(gm_str_eq(gm_column_blob(stmt, 3), value->blob));
    assert_true(gm_str_eq(gm_column_blob(stmt, 3), value->blob)); /* asking twice changes nothing */
    assert_non_null(gm_column_blob(stmt, 3).p);
    assert_int_equal(gm_column_type(stmt, 4), GM_COLUMN_NULL);
    assert_int_equal(gm_column_i64(stmt, 4), 0);
    assert_true(gm_column_double(stmt, 4) == 0);
    assert_null(gm_column_text(stmt, 4).p);
    assert_null(gm_column_blob(stmt, 4).p);
}

static void values_of_every_type_come_back_equal(void **state)
{
    static const struct value values[] = {
        {0, 0.5, {"", 0}, {"", 0}},
        {INT64_MAX,
         1.7976931348623157e308,
         {"Käse 🧀 'quoted' \"x\" \\ $1", 28},
         {"\0\1\377\0", 4}},
        {INT64_MIN, -0.1, {"\n\t", 2}, {"\\x41", 4}},
        {-1, 5e-324, {"x", 1}, {"text", 4}},
    };
    struct world *world = *state;
    world_exec(world, world->db,
               "CREATE TABLE v (k BIGINT, i BIGINT, d DOUBLE PRECISION, t TEXT, b BYTEA, n TEXT)");
    struct gm_stmt *put =
        world_prepare(world, world->db, "INSERT INTO v VALUES ($1, $2, $3, $4, $5, $6)");
    for (size_t i = 0; i < GM_ARRAY_COUNT(values); i++) {
        gm_bind_i64(put, 1, (int64_t)i);
        gm_bind_i64(put, 2, values[i].i);
        gm_bind_double(put, 3, values[i].d);
        gm_bind_text(put, 4, values[i].text);
        gm_bind_blob(put, 5, values[i].blob);
        gm_bind_null(put, 6);
        check_ok(gm_stmt_run(put, NULL, &world->err), world->err);
    }
    struct gm_stmt *get = world_prepare(world, world->db, "SELECT i, d, t, b, n FROM v ORDER BY k");
    for (size_t i = 0; i < GM_ARRAY_COUNT(values); i++) {
        check_ok(gm_step(get, &world->err), world->err);
        check_value(get, &values[i]);
    }
    check_rc(gm_step(get, &world->err), GM_E_END, world->err);
}

static void a_null_view_binds_null_and_an_empty_one_binds_empty_text(void **state)
{
    struct world *world = *state;
    struct gm_stmt *stmt = world_prepare(
        world, world->db, "SELECT CAST($1 AS TEXT) IS NULL AND CAST($2 AS TEXT) = ''");
    gm_bind_text(stmt, 1, (struct gm_str){NULL, 0});
    gm_bind_text(stmt, 2, GM_STR(""));
    check_ok(gm_step(stmt, &world->err), world->err);
    assert_int_equal(gm_column_i64(stmt, 0), 1);
}

static void a_cell_of_10_mb_passes_both_ways(void **state)
{
    struct world *world = *state;
    size_t n = 10 << 20;
    GM_AUTO_FREE char *big = gm_alloc(n);
    memset(big, 'x', n);
    big[n - 1] = 'y';
    world_exec(world, world->db, "CREATE TABLE big (t TEXT)");
    struct gm_stmt *put = world_prepare(world, world->db, "INSERT INTO big VALUES ($1)");
    gm_bind_text(put, 1, (struct gm_str){big, n});
    check_ok(gm_stmt_run(put, NULL, &world->err), world->err);
    struct gm_stmt *get = world_prepare(world, world->db, "SELECT t FROM big");
    check_ok(gm_step(get, &world->err), world->err);
    assert_true(gm_str_eq(gm_column_text(get, 0), (struct gm_str){big, n}));
}

static void numbers_bound_to_other_types_are_converted(void **state)
{
    struct world *world = *state;
    world_exec(
        world, world->db,
        "CREATE TABLE c (i INTEGER, s SMALLINT, d DOUBLE PRECISION, b BIGINT, n NUMERIC(9,2))");
    struct gm_stmt *put =
        world_prepare(world, world->db, "INSERT INTO c VALUES ($1, $2, $3, $4, $5)");
    gm_bind_i64(put, 1, -7);
    gm_bind_double(put, 2, 12.0);
    gm_bind_i64(put, 3, 3);
    gm_bind_text(put, 4, GM_STR("9007199254740993"));
    gm_bind_double(put, 5, 18.5);
    check_ok(gm_stmt_run(put, NULL, &world->err), world->err);
    struct gm_stmt *get = world_prepare(world, world->db, "SELECT i, s, d, b, n FROM c");
    check_ok(gm_step(get, &world->err), world->err);
    assert_int_equal(gm_column_i64(get, 0), -7);
    assert_int_equal(gm_column_i64(get, 1), 12);
    assert_true(gm_column_double(get, 2) == 3);
    assert_int_equal(gm_column_i64(get, 3), 9007199254740993);
    assert_true(gm_column_double(get, 4) == 18.5);
}

/* ---- statements ---- */

static void parameters_are_bound_by_number_in_any_order_and_number(void **state)
{
    struct world *world = *state;
    struct gm_stmt *stmt = world_prepare(
        world, world->db,
        "SELECT CAST($2 AS BIGINT) * 100 + CAST($1 AS BIGINT) * 10 + CAST($2 AS BIGINT), "
        "CAST($11 AS BIGINT), CAST($3 AS BIGINT) + CAST($4 AS BIGINT) + CAST($5 AS BIGINT)"
        " + CAST($6 AS BIGINT) + CAST($7 AS BIGINT) + CAST($8 AS BIGINT)"
        " + CAST($9 AS BIGINT) + CAST($10 AS BIGINT)");
    for (int i = 1; i <= 11; i++) {
        gm_bind_i64(stmt, i, i);
    }
    check_ok(gm_step(stmt, &world->err), world->err);
    assert_int_equal(gm_column_i64(stmt, 0), 212);
    assert_int_equal(gm_column_i64(stmt, 1), 11);
    assert_int_equal(gm_column_i64(stmt, 2), 52);
}

static void a_parameter_that_does_not_exist_is_told_at_the_step(void **state)
{
    struct world *world = *state;
    struct gm_stmt *stmt = world_prepare(world, world->db, "SELECT CAST($1 AS BIGINT)");
    gm_bind_i64(stmt, 1, 5);
    gm_bind_i64(stmt, 2, 6);
    check_rc(gm_step(stmt, &world->err), GM_E_CONFIG, world->err);
    check_err_says(world->err, "no parameter $2");
    check_ok(gm_step(stmt, &world->err), world->err); /* the mistake is told once */
    assert_int_equal(gm_column_i64(stmt, 0), 5);
}

static void bindings_stay_over_a_reset(void **state)
{
    struct world *world = *state;
    struct gm_stmt *stmt =
        world_prepare(world, world->db, "SELECT CAST($1 AS BIGINT) + CAST($2 AS BIGINT)");
    gm_bind_i64(stmt, 1, 5);
    gm_bind_i64(stmt, 2, 6);
    check_ok(gm_step(stmt, &world->err), world->err);
    gm_reset(stmt);
    gm_bind_i64(stmt, 2, 7);
    check_ok(gm_step(stmt, &world->err), world->err);
    assert_int_equal(gm_column_i64(stmt, 0), 12);
}

static void a_statement_that_is_kept_is_the_same_one_and_comes_reset(void **state)
{
    static const char sql_z[] = "SELECT id FROM t ORDER BY id";
    struct world *world = *state;
    struct gm_stmt *first, *again;
    make_table(world);
    insert(world, 1, 1);
    insert(world, 2, 2);
    check_ok(gm_db_prepare_once(world->db, sql_z, &first, &world->err), world->err);
    check_ok(gm_step(first, &world->err), world->err);
    check_ok(gm_db_prepare_once(world->db, sql_z, &again, &world->err), world->err);
    assert_ptr_equal(first, again);
    check_ok(gm_step(again, &world->err), world->err);
    assert_int_equal(gm_column_i64(again, 0), 1); /* from the beginning */
    check_rc(gm_db_prepare_once(world->db, "SELECT nothing FROM t", &again, &world->err),
             GM_E_CONFIG, world->err);
    assert_ptr_equal(first, again);
}

static void a_connection_tells_whether_a_transaction_is_open(void **state)
{
    struct world *world = *state;
    assert_false(gm_db_in_transaction(world->db));
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    assert_true(gm_db_in_transaction(world->db));
    check_ok(gm_db_commit(world->db, &world->err), world->err);
    assert_false(gm_db_in_transaction(world->db));
    check_ok(gm_db_begin_snapshot(world->db, &world->err), world->err);
    assert_true(gm_db_in_transaction(world->db));
    gm_db_rollback(world->db);
    assert_false(gm_db_in_transaction(world->db));
}

static void columns_are_known_after_prepare(void **state)
{
    struct world *world = *state;
    struct gm_stmt *stmt =
        world_prepare(world, world->db, "SELECT 1 AS \"Product ID\", 'x' AS name");
    assert_int_equal(gm_column_count(stmt), 2);
    check_str(gm_column_name(stmt, 0), "Product ID");
    check_str(gm_column_name(stmt, 1), "name");
    make_table(world);
    assert_int_equal(gm_column_count(world_prepare(world, world->db, "DELETE FROM t")), 0);
}

static void one_prepare_takes_one_statement(void **state)
{
    struct world *world = *state;
    struct gm_stmt *stmt = NULL;
    check_rc(gm_db_prepare(world->db, "SELECT 1; SELECT 2", &stmt, &world->err), GM_E_CONFIG,
             world->err);
    check_ok(gm_db_prepare(world->db, "SELECT 1; -- and no more", &stmt, &world->err), world->err);
    gm_stmt_finalize(stmt);
    stmt = NULL;
    gm_rc rc = gm_db_prepare(world->db, " -- nothing", &stmt, &world->err);
    if (rc == GM_OK) { /* PostgreSQL notices when it runs */
        rc = gm_step(stmt, &world->err);
    }
    check_rc(rc, GM_E_CONFIG, world->err);
    check_err_says(world->err, "empty");
}

static void run_tells_how_many_rows_changed(void **state)
{
    struct world *world = *state;
    make_table(world);
    struct gm_stmt *put = world_prepare(world, world->db,
                                        "INSERT INTO t VALUES ($1, $2) ON CONFLICT (id) DO UPDATE "
                                        "SET n = excluded.n WHERE t.n < excluded.n RETURNING id");
    static const struct {
        int64_t id, n, changes;
    } puts[] = {{1, 5, 1}, {2, 5, 1}, {1, 6, 1}, {1, 6, 0}, {3, 1, 1}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(puts); i++) {
        int64_t changes = -1;
        gm_bind_i64(put, 1, puts[i].id);
        gm_bind_i64(put, 2, puts[i].n);
        check_ok(gm_stmt_run(put, &changes, &world->err), world->err);
        assert_int_equal(changes, puts[i].changes);
    }
    int64_t changes = -1;
    struct gm_stmt *get = world_prepare(world, world->db, "SELECT * FROM t");
    check_ok(gm_stmt_run(get, &changes, &world->err), world->err);
    assert_int_equal(changes, 0);
    struct gm_stmt *del = world_prepare(world, world->db, "DELETE FROM t");
    check_ok(gm_stmt_run(del, &changes, &world->err), world->err);
    assert_int_equal(changes, 3);
    check_ok(gm_stmt_run(del, &changes, &world->err), world->err);
    assert_int_equal(changes, 0);
}

static void names_are_quoted(void **state)
{
    struct world *world = *state;
    struct gm_buf sql;
    gm_buf_init(&sql, 1000);
    gm_buf_add(&sql, GM_STR("SELECT 1 AS "));
    gm_db_quote_name(&sql, GM_STR("a\"b; DROP"));
    struct gm_stmt *stmt = world_prepare(world, world->db, sql.p);
    check_str(gm_column_name(stmt, 0), "a\"b; DROP");
    gm_buf_deinit(&sql);
}

/* ---- streaming ---- */

static void a_large_result_streams_without_holding_it(void **state)
{
    struct world *world = *state;
    struct gm_stmt *stmt = world_prepare(
        world, world->db,
        COUNT_TO(
            300000) "SELECT i, 'a text of some length that fills memory if it is kept' FROM c");
    uint64_t before = 0;
    int64_t count = 0;
    gm_rc rc;
    while ((rc = gm_step(stmt, &world->err)) == GM_OK) {
        assert_int_equal(gm_column_i64(stmt, 0), ++count);
        before = count == 10000 ? gm_resident_bytes() : before;
    }
    check_rc(rc, GM_E_END, world->err);
    assert_int_equal(count, 300000);
    assert_true(!check_memory_counts() || gm_resident_bytes() < before + (8 << 20));
}

static void statements_of_a_connection_can_run_while_another_is_read(void **state)
{
    struct world *world = *state;
    make_table(world);
    world_exec(world, world->db, "INSERT INTO t " COUNT_TO(500) "SELECT i, 0 FROM c");
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    struct gm_stmt *get = world_prepare(world, world->db, "SELECT id FROM t ORDER BY id");
    struct gm_stmt *look = world_prepare(world, world->db, "SELECT n FROM t WHERE id = $1");
    struct gm_stmt *put = world_prepare(world, world->db, "UPDATE t SET n = $2 WHERE id = $1");
    int64_t count = 0;
    while (gm_step(get, &world->err) == GM_OK) {
        int64_t id = gm_column_i64(get, 0);
        assert_int_equal(id, ++count);
        gm_bind_i64(look, 1, id);
        check_ok(gm_step(look, &world->err), world->err);
        gm_reset(look);
        gm_bind_i64(put, 1, id);
        gm_bind_i64(put, 2, id * 2);
        check_ok(gm_stmt_run(put, NULL, &world->err), world->err);
    }
    assert_int_equal(count, 500);
    check_ok(gm_db_commit(world->db, &world->err), world->err);
    assert_int_equal(world_number(world, world->db, "SELECT sum(n) FROM t"), 500 * 501);
}

static void a_reset_in_the_middle_of_a_result_leaves_the_connection_usable(void **state)
{
    struct world *world = *state;
    struct gm_stmt *stmt = world_prepare(world, world->db, COUNT_TO(1000000) "SELECT i FROM c");
    static const bool in_tx[] = {false, true};
    for (size_t i = 0; i < GM_ARRAY_COUNT(in_tx); i++) {
        if (in_tx[i]) {
            check_ok(gm_db_begin_snapshot(world->db, &world->err), world->err);
        }
        for (int again = 0; again < 3; again++) {
            check_ok(gm_step(stmt, &world->err), world->err);
            check_ok(gm_step(stmt, &world->err), world->err);
            assert_int_equal(gm_column_i64(stmt, 0), 2);
            gm_reset(stmt);
        }
        check_ok(gm_step(stmt, &world->err), world->err);
        gm_reset(stmt);
        if (in_tx[i]) {
            check_ok(gm_db_commit(world->db, &world->err), world->err);
        }
    }
    assert_int_equal(world_number(world, world->db, "SELECT 42"), 42);
}

static void closing_finalizes_statements_and_undoes_the_transaction(void **state)
{
    struct world *world = *state;
    make_table(world);
    struct gm_db *db = world_open(world, GM_DB_WRITE);
    check_ok(gm_db_begin(db, &world->err), world->err);
    world_exec(world, db, "INSERT INTO t " COUNT_TO(5000) "SELECT i, 0 FROM c");
    check_ok(gm_step(world_prepare(world, db, "SELECT id FROM t"), &world->err), world->err);
    gm_db_close(db);
    assert_int_equal(world_number(world, world->db, "SELECT count(*) FROM t"), 0);
}

/* ---- transactions ---- */

static void what_is_committed_is_seen_by_others_and_what_is_rolled_back_by_nobody(void **state)
{
    struct world *world = *state;
    make_table(world);
    struct gm_db *other = world_open(world, GM_DB_READ);
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    insert(world, 1, 1);
    assert_int_equal(world_number(world, other, "SELECT count(*) FROM t"), 0);
    check_ok(gm_db_commit(world->db, &world->err), world->err);
    assert_int_equal(world_number(world, other, "SELECT count(*) FROM t"), 1);
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    insert(world, 2, 2);
    gm_db_rollback(world->db);
    gm_db_rollback(world->db); /* fine without a transaction */
    assert_int_equal(world_number(world, other, "SELECT count(*) FROM t"), 1);
    gm_db_close(other);
}

static void a_snapshot_is_chosen_at_begin_and_stays(void **state)
{
    struct world *world = *state;
    make_table(world);
    insert(world, 1, 1);
    struct gm_db *other = world_open(world, GM_DB_READ);
    check_ok(gm_db_begin_snapshot(other, &world->err), world->err);
    insert(world, 2, 2);
    assert_int_equal(world_number(world, other, "SELECT count(*) FROM t"), 1);
    insert(world, 3, 3);
    assert_int_equal(world_number(world, other, "SELECT count(*) FROM t"), 1);
    check_ok(gm_db_commit(other, &world->err), world->err);
    assert_int_equal(world_number(world, other, "SELECT count(*) FROM t"), 3);
    gm_db_close(other);
}

static void a_savepoint_undoes_a_failed_part_alone(void **state)
{
    struct world *world = *state;
    make_table(world);
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    insert(world, 1, 1);
    check_ok(gm_db_savepoint(world->db, &world->err), world->err);
    insert(world, 2, 2);
    struct gm_stmt *stmt = world_prepare(world, world->db, "INSERT INTO t VALUES (1, 0)");
    check_rc(gm_stmt_run(stmt, NULL, &world->err), GM_E_CONFLICT, world->err);
    check_ok(gm_db_savepoint_rollback(world->db, &world->err), world->err);
    check_ok(gm_db_savepoint(world->db, &world->err), world->err);
    insert(world, 3, 3);
    check_ok(gm_db_savepoint_release(world->db, &world->err), world->err);
    check_ok(gm_db_commit(world->db, &world->err), world->err);
    assert_int_equal(world_number(world, world->db, "SELECT sum(id) FROM t"), 4);
}

/* The pages that a savepoint may have to put back are more than SQLite keeps in memory, or its VFS
 * writes at once. */
static void a_savepoint_may_be_of_any_size(void **state)
{
    struct world *world = *state;
    enum { ROWS = 600, BODY = 6000 };
    char body[BODY];
    memset(body, 'a', sizeof(body));
    world_exec(world, world->db, "CREATE TABLE large (id BIGINT PRIMARY KEY, body TEXT)");
    struct gm_stmt *insert = world_prepare(world, world->db, "INSERT INTO large VALUES ($1, $2)");
    struct gm_stmt *update =
        world_prepare(world, world->db, "UPDATE large SET body = $2 WHERE id = $1");
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    for (int64_t i = 0; i < ROWS; i++) {
        gm_bind_i64(insert, 1, i);
        gm_bind_text(insert, 2, (struct gm_str){body, sizeof(body)});
        check_ok(gm_stmt_run(insert, NULL, &world->err), world->err);
    }
    check_ok(gm_db_commit(world->db, &world->err), world->err);
    body[0] = 'b';
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    for (int half = 0; half < 2; half++) {
        check_ok(gm_db_savepoint(world->db, &world->err), world->err);
        for (int64_t i = half; i < ROWS; i += 2) {
            gm_bind_i64(update, 1, i);
            gm_bind_text(update, 2, (struct gm_str){body, sizeof(body)});
            check_ok(gm_stmt_run(update, NULL, &world->err), world->err);
        }
        check_ok(half == 0 ? gm_db_savepoint_release(world->db, &world->err)
                           : gm_db_savepoint_rollback(world->db, &world->err),
                 world->err);
    }
    check_ok(gm_db_commit(world->db, &world->err), world->err);
    assert_int_equal(
        world_number(world, world->db, "SELECT count(*) FROM large WHERE body LIKE 'b%'"),
        ROWS / 2);
    gm_stmt_finalize(insert);
    gm_stmt_finalize(update);
}

static void a_reader_cannot_write(void **state)
{
    struct world *world = *state;
    make_table(world);
    struct gm_db *other = world_open(world, GM_DB_READ);
    check_rc(gm_db_exec(other, "INSERT INTO t VALUES (1, 1)", &world->err), GM_E_CONFIG,
             world->err);
    assert_int_equal(world_number(world, other, "SELECT count(*) FROM t"), 0);
    gm_db_close(other);
}

/* ---- errors ---- */

static void errors_are_sorted_by_what_to_do(void **state)
{
    struct world *world = *state;
    make_table(world);
    insert(world, 1, 1);
    struct gm_stmt *stmt = NULL;
    check_rc(gm_db_prepare(world->db, "SELEC 1", &stmt, &world->err), GM_E_CONFIG, world->err);
    check_err_says(world->err, "SELEC");
    check_rc(gm_db_prepare(world->db, "SELECT * FROM none", &stmt, &world->err), GM_E_CONFIG,
             world->err);
    check_err_says(world->err, "none");
    check_rc(gm_db_prepare(world->db, "SELECT none FROM t", &stmt, &world->err), GM_E_CONFIG,
             world->err);
    check_rc(gm_db_exec(world->db, "INSERT INTO t VALUES (1, 1)", &world->err), GM_E_CONFLICT,
             world->err);
    check_rc(gm_db_exec(world->db, "INSERT INTO t VALUES (2, NULL)", &world->err), GM_E_CONFLICT,
             world->err);
    stmt =
        world_prepare(world, world->db, "SELECT -CAST($1 AS BIGINT) - 2, abs(CAST($1 AS BIGINT))");
    gm_bind_i64(stmt, 1, INT64_MIN);
    check_rc(gm_step(stmt, &world->err), GM_E_INVALID, world->err);
    gm_bind_i64(stmt, 1, -8);
    check_ok(gm_step(stmt, &world->err), world->err);
    assert_int_equal(gm_column_i64(stmt, 0), 6);
    gm_reset(stmt);
    check_rc(
        gm_db_open(&(struct gm_db_options){.url_z = "mysql://root:secret@x"}, NULL, &world->err),
        GM_E_CONFIG, world->err);
    check_err_says(world->err, "sqlite:PATH");
    assert_null(strstr(world->err.text, "secret"));
}

static void a_table_that_disappears_is_the_users_to_mend(void **state)
{
    struct world *world = *state;
    make_table(world);
    struct gm_stmt *stmt = world_prepare(world, world->db, "SELECT * FROM t");
    struct gm_db *other = world_open(world, GM_DB_WRITE);
    world_exec(world, other, "DROP TABLE t");
    gm_db_close(other);
    check_rc(gm_step(stmt, &world->err), GM_E_CONFIG, world->err);
}

static void a_deadline_cancels_a_long_statement_and_the_connection_goes_on(void **state)
{
    struct world *world = *state;
    struct gm_stmt *stmt =
        world_prepare(world, world->db, COUNT_TO(2000000000) "SELECT count(*) FROM c");
    struct gm_deadline deadline = gm_deadline_in(30 * GM_MS, NULL);
    gm_db_set_deadline(world->db, &deadline);
    gm_ns before = gm_clock_system()->mono(gm_clock_system());
    check_rc(gm_step(stmt, &world->err), GM_E_CANCELLED, world->err);
    assert_true(gm_clock_system()->mono(gm_clock_system()) - before < 5 * GM_SECOND);
    gm_db_set_deadline(world->db, NULL);
    assert_int_equal(world_number(world, world->db, "SELECT 42"), 42);
}

static void a_stop_request_cancels_as_a_deadline_does(void **state)
{
    struct world *world = *state;
    struct gm_stop *stop = gm_stop_new();
    gm_stop_request(stop);
    struct gm_deadline deadline = {.at = 0, .stop = stop};
    gm_db_set_deadline(world->db, &deadline);
    check_rc(gm_db_exec(world->db, COUNT_TO(2000000000) "SELECT count(*) FROM c", &world->err),
             GM_E_CANCELLED, world->err);
    gm_db_set_deadline(world->db, NULL);
    gm_stop_free(stop);
    assert_int_equal(world_number(world, world->db, "SELECT 42"), 42);
}

static void a_transaction_that_was_cut_short_cannot_be_committed(void **state)
{
    struct world *world = *state;
    make_table(world);
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    insert(world, 1, 1);
    struct gm_deadline deadline = gm_deadline_in(30 * GM_MS, NULL);
    gm_db_set_deadline(world->db, &deadline);
    check_rc(gm_db_exec(world->db, "INSERT INTO t " COUNT_TO(2000000000) "SELECT 10 + i, 0 FROM c",
                        &world->err),
             GM_E_CANCELLED, world->err);
    gm_db_set_deadline(world->db, NULL);
    check_rc(gm_db_commit(world->db, &world->err), GM_E_RETRY, world->err);
    assert_int_equal(world_number(world, world->db, "SELECT count(*) FROM t"), 0);
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    insert(world, 1, 1);
    check_ok(gm_db_commit(world->db, &world->err), world->err);
}

/* ---- migrations ---- */

static const struct gm_migration steps[] = {
    {1, "first", {"CREATE TABLE a (i BIGINT);", "CREATE TABLE a (i BIGINT);"}},
    {2,
     "second",
     {"INSERT INTO a VALUES (1); CREATE TABLE b (i BIGINT);",
      "INSERT INTO a VALUES (1); CREATE TABLE b (i BIGINT);"}},
    {3,
     "faulty",
     {"INSERT INTO a VALUES (2); INSERT INTO none VALUES (1);",
      "INSERT INTO a VALUES (2); INSERT INTO none VALUES (1);"}},
    {0, NULL, {0}},
};

static void migrations_run_once_each_and_a_faulty_one_leaves_no_trace(void **state)
{
    struct world *world = *state;
    struct gm_err *err = &world->err;
    check_ok(gm_migrate_list(world->db, steps, 0, err), world->err);
    check_ok(gm_migrate_list(world->db, steps, 1, err), world->err);
    assert_int_equal(world_number(world, world->db, "SELECT count(*) FROM a"), 0);
    check_ok(gm_migrate_list(world->db, steps, 2, err), world->err);
    check_ok(gm_migrate_list(world->db, steps, 2, err), world->err);
    check_ok(gm_migrate_list(world->db, steps, 1, err), world->err);
    check_rc(gm_migrate_list(world->db, steps, 3, err), GM_E_CONFIG, world->err);
    check_err_says(world->err, "schema step 3 (faulty)");
    assert_int_equal(world_number(world, world->db, "SELECT count(*) FROM a"), 1);
    assert_int_equal(world_number(world, world->db, "SELECT max(version) FROM schema_version"), 2);
}

static void a_store_of_a_newer_version_is_refused(void **state)
{
    struct world *world = *state;
    check_ok(gm_migrate_list(world->db, steps, 2, &world->err), world->err);
    static const struct gm_migration fewer[] = {{1, "first", {"", ""}}, {0, NULL, {0}}};
    check_rc(gm_migrate_list(world->db, fewer, 1, &world->err), GM_E_CONFIG, world->err);
    check_err_says(world->err, "newer Gemel");
}

static void the_store_migrates_from_every_older_version(void **state)
{
    struct world *world = *state;
    int newest = gm_db_schema_newest();
    assert_true(newest >= 1);
    for (int version = 1; version <= newest; version++) {
        check_ok(gm_db_migrate_to(world->db, version, &world->err), world->err);
    }
    check_ok(gm_db_migrate(world->db, &world->err), world->err);
    assert_int_equal(world_number(world, world->db, "SELECT count(*) FROM schema_version"), newest);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WORLD_TEST(values_of_every_type_come_back_equal),
        WORLD_TEST(a_null_view_binds_null_and_an_empty_one_binds_empty_text),
        WORLD_TEST(a_cell_of_10_mb_passes_both_ways),
        WORLD_TEST(numbers_bound_to_other_types_are_converted),
        WORLD_TEST(parameters_are_bound_by_number_in_any_order_and_number),
        WORLD_TEST(a_parameter_that_does_not_exist_is_told_at_the_step),
        WORLD_TEST(bindings_stay_over_a_reset),
        WORLD_TEST(a_statement_that_is_kept_is_the_same_one_and_comes_reset),
        WORLD_TEST(a_connection_tells_whether_a_transaction_is_open),
        WORLD_TEST(columns_are_known_after_prepare),
        WORLD_TEST(one_prepare_takes_one_statement),
        WORLD_TEST(run_tells_how_many_rows_changed),
        WORLD_TEST(names_are_quoted),
        WORLD_TEST(a_large_result_streams_without_holding_it),
        WORLD_TEST(statements_of_a_connection_can_run_while_another_is_read),
        WORLD_TEST(a_reset_in_the_middle_of_a_result_leaves_the_connection_usable),
        WORLD_TEST(closing_finalizes_statements_and_undoes_the_transaction),
        WORLD_TEST(what_is_committed_is_seen_by_others_and_what_is_rolled_back_by_nobody),
        WORLD_TEST(a_snapshot_is_chosen_at_begin_and_stays),
        WORLD_TEST(a_savepoint_undoes_a_failed_part_alone),
        WORLD_TEST(a_savepoint_may_be_of_any_size),
        WORLD_TEST(a_reader_cannot_write),
        WORLD_TEST(errors_are_sorted_by_what_to_do),
        WORLD_TEST(a_table_that_disappears_is_the_users_to_mend),
        WORLD_TEST(a_deadline_cancels_a_long_statement_and_the_connection_goes_on),
        WORLD_TEST(a_stop_request_cancels_as_a_deadline_does),
        WORLD_TEST(a_transaction_that_was_cut_short_cannot_be_committed),
        WORLD_TEST(migrations_run_once_each_and_a_faulty_one_leaves_no_trace),
        WORLD_TEST(a_store_of_a_newer_version_is_refused),
        WORLD_TEST(the_store_migrates_from_every_older_version),
    };
    WORLD_RUN_ON_BOTH(tests);
}
