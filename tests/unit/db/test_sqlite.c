/* What is SQLite's alone: files, locks, other people's databases. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db.h"
#include "os/file.h"
#include "support/check.h"
#include "support/tmp.h"

static gm_rc open_as(const char *url_z, enum gm_db_mode mode, bool source, struct gm_db **out_db,
                     struct gm_err *err)
{
    struct gm_db_options options = {
        .url_z = url_z, .mode = mode, .source = source, .busy_timeout = 40 * GM_MS};
    return gm_db_open(&options, out_db, err);
}

static struct gm_db *must_open(const char *url_z, enum gm_db_mode mode, bool source)
{
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    check_ok(open_as(url_z, mode, source, &db, &err), err);
    return db;
}

static void must_exec(struct gm_db *db, const char *sql_z)
{
    struct gm_err err = {0};
    check_ok(gm_db_exec(db, sql_z, &err), err);
}

static struct gm_str text_of(struct gm_db *db, const char *sql_z, char *out, size_t size)
{
    struct gm_err err = {0};
    struct gm_stmt *stmt = NULL;
    check_ok(gm_db_prepare(db, sql_z, &stmt, &err), err);
    check_ok(gm_step(stmt, &err), err);
    struct gm_str text = gm_column_text(stmt, 0);
    assert_true(text.n < size);
    memcpy(out, text.p, text.n);
    gm_stmt_finalize(stmt);
    return (struct gm_str){out, text.n};
}

#define check_text(db, sql_z, wanted_z)                                                            \
    do {                                                                                           \
        char text_[64];                                                                            \
        check_str(text_of((db), (sql_z), text_, sizeof(text_)), (wanted_z));                       \
    } while (0)

/* Runs `fn` in a process of its own, which dies without closing anything; true when it returned
 * true. */
static bool in_process(bool (*fn)(const char *url_z), const char *url_z, bool as_nobody)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (as_nobody && geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
            _exit(2);
        }
        _exit(fn(url_z) ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status == 0;
}

/* A database of somebody else: rollback journal, small pages. */
static const char *make_source(struct tmp *tmp)
{
    const char *url_z = tmp_url(tmp, "sqlite:", "erp.db");
    struct gm_db *db = must_open(url_z, GM_DB_WRITE, false);
    must_exec(db, "CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT);"
                  "INSERT INTO products VALUES (1, 'Chai'), (2, 'Chang');"
                  "PRAGMA journal_mode=DELETE");
    gm_db_close(db);
    return url_z;
}

/* ---- the store ---- */

static void a_store_is_opened_in_wal_mode_and_synced_fully(void **state)
{
    const char *url_z = tmp_url(*state, "sqlite:", "store.db");
    struct gm_db *db = must_open(url_z, GM_DB_WRITE, false);
    check_text(db, "PRAGMA journal_mode", "wal");
    check_text(db, "PRAGMA synchronous", "2");
    check_text(db, "PRAGMA page_size", "8192");
    check_text(db, "PRAGMA cache_size", "-16384");
    assert_int_equal(gm_db_engine(db), GM_DB_SQLITE);
    gm_db_close(db);
}

static void names_that_mean_something_to_sqlite_are_file_names(void **state)
{
    const char *cwd_z = tmp_folder(*state);
    char before[4096];
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(cwd_z), 0);
    static const char *const urls[] = {"sqlite::memory:", "sqlite:file:x?mode=memory"};
    static const char *const names[] = {":memory:", "file:x?mode=memory"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(urls); i++) {
        gm_db_close(must_open(urls[i], GM_DB_WRITE, false));
        struct gm_file_info info;
        struct gm_err err = {0};
        check_ok(gm_file_info(tmp_path(*state, names[i]), &info, &err), err);
        assert_int_equal(info.type, GM_FILE_REGULAR);
    }
    assert_int_equal(chdir(before), 0);
}

static bool read_snapshot_elsewhere(const char *url_z)
{
    struct gm_db *db = must_open(url_z, GM_DB_READ, false);
    struct gm_err err = {0};
    check_ok(gm_db_begin_snapshot(db, &err), err);
    check_text(db, "SELECT count(*) FROM t", "1");
    return true;
}

static void another_process_reads_while_a_write_is_under_way(void **state)
{
    const char *url_z = tmp_url(*state, "sqlite:", "store.db");
    struct gm_db *db = must_open(url_z, GM_DB_WRITE, false);
    must_exec(db, "CREATE TABLE t (i); INSERT INTO t VALUES (1)");
    struct gm_err err = {0};
    check_ok(gm_db_begin(db, &err), err);
    must_exec(db, "INSERT INTO t VALUES (2)");
    assert_true(in_process(read_snapshot_elsewhere, url_z, false));
    check_ok(gm_db_commit(db, &err), err);
    gm_db_close(db);
}

static void a_second_writer_waits_and_then_is_told_to_retry(void **state)
{
    const char *url_z = tmp_url(*state, "sqlite:", "store.db");
    struct gm_db *one = must_open(url_z, GM_DB_WRITE, false);
    struct gm_db *two = must_open(url_z, GM_DB_WRITE, false);
    struct gm_err err = {0};
    check_ok(gm_db_begin(one, &err), err);
    gm_ns before = gm_clock_system()->mono(gm_clock_system());
    check_rc(gm_db_begin(two, &err), GM_E_RETRY, err);
    assert_true(gm_clock_system()->mono(gm_clock_system()) - before >= 39 * GM_MS);
    check_err_says(err, "waited 40ms");
    struct gm_deadline deadline = gm_deadline_in(-1, NULL);
    gm_db_set_deadline(two, &deadline);
    before = gm_clock_system()->mono(gm_clock_system());
    check_rc(gm_db_begin(two, &err), GM_E_RETRY, err);
    assert_true(gm_clock_system()->mono(gm_clock_system()) - before < 39 * GM_MS);
    gm_db_set_deadline(two, NULL);
    gm_db_rollback(one);
    check_ok(gm_db_begin(two, &err), err);
    gm_db_close(one);
    gm_db_close(two);
}

/* ---- what cannot be opened ---- */

static void a_missing_file_is_the_users_to_mend(void **state)
{
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    const char *url_z = tmp_url(*state, "sqlite:", "none.db");
    check_rc(open_as(url_z, GM_DB_READ, false, &db, &err), GM_E_CONFIG, err);
    check_err_says(err, "/none.db: there is no such file; check the path in the url");
    check_rc(open_as(url_z, GM_DB_READ, true, &db, &err), GM_E_CONFIG, err);
    check_rc(open_as(url_z, GM_DB_WRITE, true, &db, &err), GM_E_CONFIG, err);
    struct gm_file_info info;
    check_ok(gm_file_info(tmp_path(*state, "none.db"), &info, &err), err);
    assert_int_equal(info.type, GM_FILE_MISSING);
    url_z = tmp_url(*state, "sqlite:", "no/folder/store.db");
    check_rc(open_as(url_z, GM_DB_WRITE, false, &db, &err), GM_E_CONFIG, err);
    check_err_says(err, "No such file or directory");
    check_rc(open_as("sqlite:", GM_DB_WRITE, false, &db, &err), GM_E_CONFIG, err);
    assert_null(db);
}

static void a_folder_is_no_database(void **state)
{
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    const char *url_z = tmp_url(*state, "sqlite:", ".");
    check_rc(open_as(url_z, GM_DB_READ, true, &db, &err), GM_E_CONFIG, err);
    check_err_says(err, "is a folder");
    check_rc(open_as(url_z, GM_DB_WRITE, false, &db, &err), GM_E_CONFIG, err);
    check_err_says(err, "is a folder");
}

static void a_file_of_another_format_is_corrupt(void **state)
{
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    struct gm_str text =
        GM_STR("id,name\n1,Chai\nthis is a table, but not of SQLite's kind at all\n");
    tmp_write(*state, "products.csv", text);
    const char *url_z = tmp_url(*state, "sqlite:", "products.csv");
    check_rc(open_as(url_z, GM_DB_READ, true, &db, &err), GM_E_CORRUPT, err);
    check_err_says(err, "products.csv");
    check_rc(open_as(url_z, GM_DB_WRITE, false, &db, &err), GM_E_CORRUPT, err);
    assert_true(gm_str_eq(tmp_read(*state, "products.csv"), text));
}

static bool open_unreadable(const char *url_z)
{
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    check_rc(open_as(url_z, GM_DB_READ, true, &db, &err), GM_E_CONFIG, err);
    check_err_says(err, "Permission denied");
    return true;
}

static bool open_unwritable(const char *url_z)
{
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    check_rc(open_as(url_z, GM_DB_WRITE, false, &db, &err), GM_E_CONFIG, err);
    check_err_says(err, "cannot be written");
    return true;
}

static void missing_permissions_are_named(void **state)
{
    const char *url_z = make_source(*state);
    assert_int_equal(chmod(tmp_folder(*state), 0755), 0);
    assert_int_equal(chmod(tmp_path(*state, "erp.db"), 0444), 0);
    assert_true(in_process(open_unwritable, url_z, true));
    assert_int_equal(chmod(tmp_path(*state, "erp.db"), 0000), 0);
    assert_true(in_process(open_unreadable, url_z, true));
}

/* ---- somebody else's database ---- */

static void reading_a_source_changes_nothing(void **state)
{
    const char *url_z = make_source(*state);
    struct gm_str before = tmp_read(*state, "erp.db");
    struct gm_db *db = must_open(url_z, GM_DB_READ, true);
    struct gm_err err = {0};
    check_ok(gm_db_begin_snapshot(db, &err), err);
    check_text(db, "SELECT name FROM products WHERE id = 2", "Chang");
    check_ok(gm_db_commit(db, &err), err);
    check_rc(gm_db_exec(db, "DELETE FROM products", &err), GM_E_CONFIG, err);
    check_rc(gm_db_exec(db, "ATTACH 'other.db' AS other", &err), GM_E_CONFIG, err);
    gm_db_close(db);
    assert_true(gm_str_eq(tmp_read(*state, "erp.db"), before));
    struct gm_file_info info;
    check_ok(gm_file_info(tmp_path(*state, "erp.db-wal"), &info, &err), err);
    assert_int_equal(info.type, GM_FILE_MISSING);
}

static void a_source_stays_as_it_is_while_its_owner_writes(void **state)
{
    const char *url_z = make_source(*state);
    struct gm_db *owner = must_open(url_z, GM_DB_WRITE, false); /* in WAL mode from here on */
    struct gm_db *db = must_open(url_z, GM_DB_READ, true);
    struct gm_err err = {0};
    check_ok(gm_db_begin_snapshot(db, &err), err);
    must_exec(owner, "INSERT INTO products VALUES (3, 'Aniseed Syrup')");
    check_text(db, "SELECT count(*) FROM products", "2");
    check_ok(gm_db_commit(db, &err), err);
    check_text(db, "SELECT count(*) FROM products", "3");
    gm_db_close(db);
    gm_db_close(owner);
}

static void a_locked_source_is_retried(void **state)
{
    const char *url_z = make_source(*state);
    struct gm_db *db = must_open(url_z, GM_DB_READ, true);
    struct gm_db *owner = must_open(url_z, GM_DB_WRITE, false);
    must_exec(owner, "PRAGMA journal_mode=DELETE; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
    struct gm_err err = {0};
    check_rc(gm_db_begin_snapshot(db, &err), GM_E_RETRY, err);
    check_err_says(err, "another program has it locked");
    struct gm_db *late = NULL;
    check_rc(open_as(url_z, GM_DB_READ, true, &late, &err), GM_E_RETRY, err);
    gm_db_close(owner);
    check_ok(gm_db_begin_snapshot(db, &err), err);
    gm_db_close(db);
}

/* Its pages reach the file before the commit, because the cache is small; then it dies. */
static bool die_in_transaction(const char *url_z)
{
    struct gm_db *db = must_open(url_z, GM_DB_WRITE, false);
    must_exec(db, "PRAGMA journal_mode=DELETE; PRAGMA cache_size=2; BEGIN;"
                  "UPDATE products SET name = 'lost';"
                  "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 500) "
                  "INSERT INTO products SELECT i + 10, hex(randomblob(1000)) FROM c");
    return true;
}

static void a_source_whose_owner_died_is_read_as_before_the_transaction(void **state)
{
    const char *url_z = make_source(*state);
    assert_true(in_process(die_in_transaction, url_z, false));
    struct gm_file_info info;
    struct gm_err err = {0};
    check_ok(gm_file_info(tmp_path(*state, "erp.db-journal"), &info, &err), err);
    assert_true(info.size_bytes > 0);
    struct gm_db *db = must_open(url_z, GM_DB_READ, true);
    check_text(db, "SELECT group_concat(name) FROM products", "Chai,Chang");
    check_rc(gm_db_exec(db, "DELETE FROM products", &err), GM_E_CONFIG, err);
    gm_db_close(db);
}

static bool open_interrupted(const char *url_z)
{
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    check_rc(open_as(url_z, GM_DB_READ, true, &db, &err), GM_E_CONFIG, err);
    check_err_says(err, "its owner stopped in the middle of a transaction");
    return true;
}

static void a_source_whose_owner_died_needs_somebody_who_may_write(void **state)
{
    const char *url_z = make_source(*state);
    assert_true(in_process(die_in_transaction, url_z, false));
    assert_int_equal(chmod(tmp_folder(*state), 0555), 0);
    assert_int_equal(chmod(tmp_path(*state, "erp.db"), 0444), 0);
    assert_int_equal(chmod(tmp_path(*state, "erp.db-journal"), 0444), 0);
    assert_true(in_process(open_interrupted, url_z, true));
    assert_int_equal(chmod(tmp_folder(*state), 0755), 0);
}

static bool die_after_commit(const char *url_z)
{
    struct gm_db *db = must_open(url_z, GM_DB_WRITE, false);
    must_exec(db, "INSERT INTO products VALUES (3, 'Aniseed Syrup')");
    must_exec(db, "BEGIN; INSERT INTO products VALUES (4, 'never')");
    return true;
}

static void a_log_that_a_dead_owner_left_is_read_and_left(void **state)
{
    const char *url_z = make_source(*state);
    assert_true(in_process(die_after_commit, url_z, false));
    struct gm_str file = tmp_read(*state, "erp.db");
    struct gm_str log = tmp_read(*state, "erp.db-wal");
    assert_true(log.n > 0);
    struct gm_db *db = must_open(url_z, GM_DB_READ, true);
    check_text(db, "SELECT count(*) FROM products", "3");
    gm_db_close(db);
    assert_true(gm_str_eq(tmp_read(*state, "erp.db"), file));
    assert_true(gm_str_eq(tmp_read(*state, "erp.db-wal"), log));
}

static bool read_in_unwritable_folder(const char *url_z)
{
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    check_rc(open_as(url_z, GM_DB_READ, true, &db, &err), GM_E_CONFIG, err);
    check_err_says(err, "WAL mode");
    check_err_says(err, "write permission to its folder");
    return true;
}

static void a_wal_source_in_an_unwritable_folder_is_explained(void **state)
{
    const char *url_z = make_source(*state);
    gm_db_close(must_open(url_z, GM_DB_WRITE, false)); /* in WAL mode, log removed */
    assert_int_equal(chmod(tmp_folder(*state), 0555), 0);
    assert_true(in_process(read_in_unwritable_folder, url_z, true));
    assert_int_equal(chmod(tmp_folder(*state), 0755), 0);
}

static void a_text_with_nul_bytes_and_broken_utf8_comes_as_it_is(void **state)
{
    const char *url_z = make_source(*state);
    struct gm_db *db = must_open(url_z, GM_DB_READ, true);
    struct gm_err err = {0};
    struct gm_stmt *stmt = NULL;
    check_ok(gm_db_prepare(db, "SELECT CAST(x'6100ff62' AS TEXT)", &stmt, &err), err);
    check_ok(gm_step(stmt, &err), err);
    assert_int_equal(gm_column_type(stmt, 0), GM_COLUMN_TEXT);
    struct gm_str text = gm_column_text(stmt, 0);
    assert_int_equal(text.n, 4);
    assert_memory_equal(text.p, "a\0\377b", 4);
    gm_db_close(db);
}

static void damage_inside_a_file_is_corrupt(void **state)
{
    const char *url_z = make_source(*state);
    struct gm_str bytes = tmp_read(*state, "erp.db");
    char damaged[1 << 16];
    assert_true(bytes.n <= sizeof(damaged) && bytes.n > 2 * 8192 - 1);
    memcpy(damaged, bytes.p, bytes.n);
    memset(damaged + 8192, 0x5a, 8192); /* the page of the table */
    tmp_write(*state, "erp.db", (struct gm_str){damaged, bytes.n});
    struct gm_db *db = must_open(url_z, GM_DB_READ, true);
    struct gm_err err = {0};
    check_rc(gm_db_exec(db, "SELECT * FROM products", &err), GM_E_CORRUPT, err);
    gm_db_close(db);
    db = must_open(url_z, GM_DB_WRITE, false);
    check_rc(gm_db_exec(db, "INSERT INTO products VALUES (9, 'x')", &err), GM_E_CORRUPT, err);
    check_rc(gm_db_begin(db, &err), GM_E_CORRUPT, err); /* nothing is written any more */
    gm_db_close(db);
}

#define TMP_TEST(name) cmocka_unit_test_setup_teardown(name, tmp_setup, tmp_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TMP_TEST(a_store_is_opened_in_wal_mode_and_synced_fully),
        TMP_TEST(names_that_mean_something_to_sqlite_are_file_names),
        TMP_TEST(another_process_reads_while_a_write_is_under_way),
        TMP_TEST(a_second_writer_waits_and_then_is_told_to_retry),
        TMP_TEST(a_missing_file_is_the_users_to_mend),
        TMP_TEST(a_folder_is_no_database),
        TMP_TEST(a_file_of_another_format_is_corrupt),
        TMP_TEST(missing_permissions_are_named),
        TMP_TEST(reading_a_source_changes_nothing),
        TMP_TEST(a_source_stays_as_it_is_while_its_owner_writes),
        TMP_TEST(a_locked_source_is_retried),
        TMP_TEST(a_source_whose_owner_died_is_read_as_before_the_transaction),
        TMP_TEST(a_source_whose_owner_died_needs_somebody_who_may_write),
        TMP_TEST(a_log_that_a_dead_owner_left_is_read_and_left),
        TMP_TEST(a_wal_source_in_an_unwritable_folder_is_explained),
        TMP_TEST(a_text_with_nul_bytes_and_broken_utf8_comes_as_it_is),
        TMP_TEST(damage_inside_a_file_is_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
