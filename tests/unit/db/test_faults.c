/* The store on a disk that fails or loses power at every single operation: what was acknowledged is
 * there, what was not is there wholly or not at all, and nothing follows a failure of storage but
 * refusals. */
#include <stdio.h>

#include "base/mem.h"
#include "db/writer.h"
#include "support/check.h"
#include "support/faultvfs.h"
#include "support/tmp.h"

enum { TRANSACTIONS = 5, ROWS = 12 };

static const char disk_name_z[] = "gemel-test-disk";

struct store {
    struct tmp *tmp;
    const char *url_z;
    int64_t acknowledged; /* transactions whose commit was reported done */
};

static gm_rc open_store(const struct store *store, const char *vfs_z, struct gm_db **out_db,
                        struct gm_err *err)
{
    struct gm_db_options options = {.url_z = store->url_z, .mode = GM_DB_WRITE, .vfs_z = vfs_z};
    return gm_db_open(&options, out_db, err);
}

static gm_rc make_tables(struct gm_db *db, struct gm_err *err)
{
    return gm_db_exec(
        db,
        "CREATE TABLE IF NOT EXISTS done (transaction_number BIGINT PRIMARY KEY);"
        "CREATE TABLE IF NOT EXISTS rows (id BIGINT PRIMARY KEY, made BIGINT, body TEXT)",
        err);
}

/* Transaction `number` writes new rows of a few pages, and changes all old ones. */
static gm_rc write_rows(struct gm_db *db, int64_t number, struct gm_err *err)
{
    struct gm_stmt *change = NULL;
    struct gm_stmt *insert = NULL;
    struct gm_stmt *done = NULL;
    GM_TRY(gm_db_prepare(db, "UPDATE rows SET made = $1", &change, err));
    GM_TRY(gm_db_prepare(db, "INSERT INTO rows VALUES ($1, $2, $3)", &insert, err));
    GM_TRY(gm_db_prepare(db, "INSERT INTO done VALUES ($1)", &done, err));
    gm_bind_i64(change, 1, number);
    gm_rc rc = gm_stmt_run(change, NULL, err);
    char body[3000];
    memset(body, 'a' + (int)number, sizeof(body));
    for (int64_t i = 0; rc == GM_OK && i < ROWS; i++) {
        gm_bind_i64(insert, 1, number * ROWS + i);
        gm_bind_i64(insert, 2, number);
        gm_bind_text(insert, 3, (struct gm_str){body, sizeof(body)});
        rc = gm_stmt_run(insert, NULL, err);
    }
    if (rc == GM_OK) {
        gm_bind_i64(done, 1, number);
        rc = gm_stmt_run(done, NULL, err);
    }
    gm_stmt_finalize(change);
    gm_stmt_finalize(insert);
    gm_stmt_finalize(done);
    return rc;
}

static gm_rc run_transactions(struct store *store, struct gm_db *db, struct gm_err *err)
{
    GM_TRY(gm_db_begin(db, err));
    GM_TRY(make_tables(db, err));
    GM_TRY(gm_db_commit(db, err));
    for (int64_t number = 1; number <= TRANSACTIONS; number++) {
        GM_TRY(gm_db_begin(db, err));
        GM_TRY(write_rows(db, number, err));
        GM_TRY(gm_db_commit(db, err));
        store->acknowledged = number;
        if (number == 3) { /* puts the file itself, and a new start of the log, into the sweep */
            GM_TRY(gm_db_exec(db, "PRAGMA wal_checkpoint(RESTART)", err));
        }
    }
    return GM_OK;
}

static int64_t number_of(struct gm_db *db, const char *sql_z)
{
    struct gm_err err = {0};
    struct gm_stmt *stmt = NULL;
    check_ok(gm_db_prepare(db, sql_z, &stmt, &err), err);
    check_ok(gm_step(stmt, &err), err);
    int64_t v = gm_column_i64(stmt, 0);
    gm_stmt_finalize(stmt);
    return v;
}

/* Everything of the first n transactions and nothing else, n being what was acknowledged or one
 * more: of a commit that failed nobody knows how it ended. */
static void check_store(const struct store *store)
{
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    check_ok(open_store(store, NULL, &db, &err), err);
    check_ok(gm_db_exec(db, "PRAGMA synchronous=OFF", &err), err); /* the machine's disk is slow */
    check_ok(make_tables(db, &err), err);
    int64_t n = number_of(db, "SELECT count(*) FROM done");
    assert_true(n == store->acknowledged || n == store->acknowledged + 1);
    assert_int_equal(number_of(db, "SELECT count(*) FROM rows"), n * ROWS);
    assert_int_equal(number_of(db, "SELECT count(*) FROM rows WHERE made = "
                                   "(SELECT max(transaction_number) FROM done)"),
                     n * ROWS);
    assert_int_equal(number_of(db, "SELECT count(*) FROM rows WHERE length(body) = 3000 AND "
                                   "unicode(body) = 97 + id / 12"),
                     n * ROWS);
    assert_int_equal(number_of(db, "SELECT count(*) FROM pragma_integrity_check "
                                   "WHERE integrity_check <> 'ok'"),
                     0);
    check_ok(gm_db_begin(db, &err), err);
    check_ok(write_rows(db, n + 1, &err), err);
    check_ok(gm_db_commit(db, &err), err);
    gm_db_close(db);
}

/* Runs the transactions on the disk as planned, then looks at what is left. False: the plan came to
 * its end. */
static bool try_once(struct faultvfs *disk, bool cuts)
{
    struct store store = {.tmp = tmp_new()};
    store.url_z = tmp_url(store.tmp, "sqlite:", "store.db");
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    gm_rc rc = open_store(&store, disk_name_z, &db, &err);
    if (rc == GM_OK) {
        rc = run_transactions(&store, db, &err);
    }
    bool happened = faultvfs_happened(disk);
    if (happened && rc != GM_OK) {
        assert_int_equal(rc, GM_E_IO);
        assert_non_null(strstr(err.text, "store.db"));
    }
    if (!happened) {
        check_ok(rc, err);
    }
    if (db != NULL && rc != GM_OK) { /* no way back but opening again */
        gm_db_rollback(db);
        check_rc(gm_db_begin(db, &err), GM_E_IO, err);
        check_err_says(err, "refused after an earlier failure");
        check_rc(gm_db_exec(db, "SELECT 1", &err), GM_E_IO, err);
    }
    gm_db_close(db);
    if (cuts) {
        faultvfs_restore(disk);
    }
    check_store(&store);
    tmp_free(store.tmp);
    return happened;
}

static void sweep_failures(enum faultvfs_kind kind)
{
    bool happened = true;
    uint64_t at = 1;
    for (; happened; at++) {
        struct faultvfs *disk = faultvfs_new(disk_name_z);
        faultvfs_fail_at(disk, at, kind);
        happened = try_once(disk, false);
        faultvfs_free(disk);
    }
    assert_true(at > 50); /* the sweep swept something */
}

static void the_store_survives_an_io_error_at_every_operation(void **state)
{
    (void)state;
    sweep_failures(FAULTVFS_IO_ERROR);
}

static void the_store_survives_a_full_disk_at_every_operation(void **state)
{
    (void)state;
    sweep_failures(FAULTVFS_FULL);
}

static void the_store_survives_a_power_cut_at_every_operation(void **state)
{
    (void)state;
    static const uint64_t seeds[] = {0, 1, 2};
    for (size_t i = 0; i < GM_ARRAY_COUNT(seeds); i++) {
        bool happened = true;
        for (uint64_t at = 1; happened; at++) {
            struct faultvfs *disk = faultvfs_new(disk_name_z);
            faultvfs_cut_at(disk, at, seeds[i] == 0 ? 0 : seeds[i] * 1000 + at);
            happened = try_once(disk, true);
            faultvfs_free(disk);
        }
    }
}

/* ---- the writer ---- */

struct job {
    int64_t number;
    bool acknowledged;
    gm_rc rc;
    struct store *store;
};

static gm_rc run_job(void *ctx, struct gm_db *db, struct gm_err *err)
{
    struct job *job = ctx;
    return write_rows(db, job->number, err);
}

static void job_done(void *ctx, gm_rc rc, const struct gm_err *err)
{
    struct job *job = ctx;
    job->rc = rc;
    job->acknowledged = rc == GM_OK;
    assert_true(rc == GM_OK || err->text[0] != '\0');
}

static bool run_writer(struct store *store, struct faultvfs *disk, uint64_t at)
{
    enum { JOBS = 8 };
    struct job jobs[JOBS] = {0};
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    struct gm_writer *writer = NULL;
    check_ok(open_store(store, disk_name_z, &db, &err), err);
    check_ok(make_tables(db, &err), err);
    faultvfs_fail_at(disk, at, FAULTVFS_FULL);
    check_ok(gm_writer_start(db, NULL, &writer, &err), err);
    for (int64_t i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){.number = i + 1, .store = store};
        struct gm_writer_job job = {.fn = run_job, .done = job_done, .ctx = &jobs[i]};
        job.alone = i % 3 == 0;
        check_ok(gm_writer_submit(writer, &job, &err), err);
    }
    gm_writer_stop(writer);
    bool happened = faultvfs_happened(disk);
    check_ok(open_store(store, NULL, &db, &err), err);
    bool failed = false;
    for (int64_t i = 0; i < JOBS; i++) {
        char sql[80];
        (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM done WHERE transaction_number = %d",
                       (int)i + 1);
        int64_t there = number_of(db, sql);
        assert_true(there == 1 || !jobs[i].acknowledged);
        assert_true(!failed || jobs[i].rc == GM_E_IO); /* after a failure nothing is taken */
        failed = failed || jobs[i].rc != GM_OK;
    }
    gm_db_close(db);
    return happened;
}

static void the_writer_acknowledges_nothing_that_a_full_disk_loses(void **state)
{
    (void)state;
    bool happened = true;
    for (uint64_t at = 1; happened; at++) {
        struct faultvfs *disk = faultvfs_new(disk_name_z);
        struct store store = {.tmp = tmp_new()};
        store.url_z = tmp_url(store.tmp, "sqlite:", "store.db");
        happened = run_writer(&store, disk, at);
        tmp_free(store.tmp);
        faultvfs_free(disk);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_survives_an_io_error_at_every_operation),
        cmocka_unit_test(the_store_survives_a_full_disk_at_every_operation),
        cmocka_unit_test(the_store_survives_a_power_cut_at_every_operation),
        cmocka_unit_test(the_writer_acknowledges_nothing_that_a_full_disk_loses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
