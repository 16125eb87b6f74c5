/* Checkpoints beside a writer that goes on: the log stays bounded, a failure of the copier stops
 * the writer, and nothing that was acknowledged is lost, whatever the copier was doing. */
#include "db/checkpoint.h"

#include <dirent.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "db/db.h"
#include "os/file.h"
#include "os/process.h"
#include "os/thread.h"
#include "support/check.h"
#include "support/faultvfs.h"
#include "support/tmp.h"

enum { MB = 1 << 20, STEP_COMMITS = GM_CHECKPOINT_BYTES / MB, MAX_COMMITS = GM_LOG_BYTES_MAX / MB };

static const char disk_name_z[] = "gemel-test-disk";

/* One row of a megabyte, which says in every byte and in its number which commit wrote it. */
struct store {
    struct tmp *tmp;
    struct gm_db *db;
    struct gm_stmt *update;
    int64_t commits; /* acknowledged */
    char *body;
    struct gm_err err;
};

static struct gm_db *open_database(struct store *store, enum gm_db_mode mode, const char *vfs_z)
{
    struct gm_db *db = NULL;
    struct gm_db_options options = {
        .url_z = tmp_url(store->tmp, "sqlite:", "store.db"), .mode = mode, .vfs_z = vfs_z};
    check_ok(gm_db_open(&options, &db, &store->err), store->err);
    return db;
}

static struct store *new_store(const char *vfs_z)
{
    struct store *store = gm_alloc(sizeof(*store));
    store->tmp = tmp_new();
    store->body = gm_alloc(MB);
    store->db = open_database(store, GM_DB_WRITE, vfs_z);
    check_ok(gm_db_exec(store->db,
                        "CREATE TABLE rows (id BIGINT PRIMARY KEY, made BIGINT, body BLOB);"
                        "INSERT INTO rows VALUES (1, 0, zeroblob(1048576))",
                        &store->err),
             store->err);
    check_ok(gm_db_prepare(store->db, "UPDATE rows SET made = $1, body = $2 WHERE id = 1",
                           &store->update, &store->err),
             store->err);
    return store;
}

static void free_store(struct store *store)
{
    gm_db_close(store->db);
    tmp_free(store->tmp);
    gm_free(store->body);
    gm_free(store);
}

static gm_rc try_commit(struct store *store)
{
    int64_t number = store->commits + 1;
    memset(store->body, (int)(number % 251), MB);
    GM_TRY(gm_db_begin(store->db, &store->err));
    gm_bind_i64(store->update, 1, number);
    gm_bind_blob(store->update, 2, (struct gm_str){store->body, MB});
    gm_rc rc = gm_stmt_run(store->update, NULL, &store->err);
    if (rc != GM_OK) {
        gm_db_rollback(store->db);
        return rc;
    }
    GM_TRY(gm_db_commit(store->db, &store->err));
    store->commits = number;
    return GM_OK;
}

static void must_commit(struct store *store, int times)
{
    for (int i = 0; i < times; i++) {
        check_ok(try_commit(store), store->err);
    }
}

static uint64_t log_size(struct store *store)
{
    struct gm_file_info info = {0};
    check_ok(gm_file_info(tmp_path(store->tmp, "store.db-wal"), &info, &store->err), store->err);
    return info.size_bytes;
}

static int64_t number_of(struct store *store, struct gm_db *db, const char *sql_z)
{
    struct gm_stmt *stmt = NULL;
    check_ok(gm_db_prepare(db, sql_z, &stmt, &store->err), store->err);
    check_ok(gm_step(stmt, &store->err), store->err);
    int64_t v = gm_column_i64(stmt, 0);
    gm_stmt_finalize(stmt);
    return v;
}

static const char commit_there[] = "SELECT made FROM rows";

/* Opens the store anew with the plain VFS: it holds the last acknowledged commit, or the one whose
 * outcome nobody heard, whole. */
static void check_reopened(struct store *store, bool last_is_unknown)
{
    gm_db_close(store->db);
    store->db = open_database(store, GM_DB_WRITE, NULL);
    int64_t made = number_of(store, store->db, commit_there);
    assert_true(made == store->commits || (last_is_unknown && made == store->commits + 1));
    struct gm_stmt *get = NULL;
    check_ok(gm_db_prepare(store->db, "SELECT body FROM rows", &get, &store->err), store->err);
    check_ok(gm_step(get, &store->err), store->err);
    struct gm_str body = gm_column_blob(get, 0);
    assert_int_equal(body.n, MB);
    memset(store->body, (int)(made % 251), MB);
    assert_memory_equal(body.p, store->body, MB);
    gm_stmt_finalize(get);
    assert_int_equal(number_of(store, store->db,
                               "SELECT count(*) FROM pragma_integrity_check "
                               "WHERE integrity_check <> 'ok'"),
                     0);
}

static int thread_count(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

static void a_thread_is_there_only_once_the_log_needs_it(void **state)
{
    (void)state;
    struct store *store = new_store(NULL);
    int before = thread_count();
    must_commit(store, STEP_COMMITS / 2);
    assert_int_equal(thread_count(), before);
    must_commit(store, STEP_COMMITS);
    assert_true(thread_count() > before); /* a sanitizer starts one of its own with the first */
    check_reopened(store, false);
    free_store(store);
}

/* ---- the log's size ---- */

static void the_log_stays_bounded_under_a_writer_that_goes_on(void **state)
{
    (void)state;
    struct store *store = new_store(NULL);
    for (int i = 0; i < 3 * MAX_COMMITS; i++) {
        must_commit(store, 1);
        assert_true(log_size(store) < GM_LOG_BYTES_MAX + 2 * MB);
    }
    check_reopened(store, false);
    free_store(store);
}

static void a_long_reader_is_not_disturbed_and_the_log_shrinks_after_it(void **state)
{
    (void)state;
    struct store *store = new_store(NULL);
    must_commit(store, 1);
    struct gm_db *reader = open_database(store, GM_DB_READ, NULL);
    check_ok(gm_db_begin_snapshot(reader, &store->err), store->err);
    must_commit(store, MAX_COMMITS + 2 * STEP_COMMITS);
    assert_true(log_size(store) > GM_LOG_BYTES_MAX);
    assert_int_equal(number_of(store, reader, commit_there), 1);
    gm_db_rollback(reader);
    /* The first commit copies everything, the next one starts the log again and cuts it back. */
    must_commit(store, 2);
    assert_true(log_size(store) <= GM_LOG_BYTES_MAX);
    assert_int_equal(number_of(store, reader, commit_there), store->commits);
    gm_db_close(reader);
    check_reopened(store, false);
    free_store(store);
}

/* Two readers of which always one is in the log: each leaves when the other has begun again. */
struct relay {
    struct store *store;
    struct gm_mutex *mu;
    struct gm_cond *changed;
    int64_t begun[2]; /* guarded by mu; snapshots so far */
    bool stopping;    /* guarded by mu */
};

struct runner {
    struct relay *relay;
    int index;
    struct gm_db *db;
    struct gm_thread *thread;
    bool failed; /* the thread's; read after it is joined */
};

static void run_reader(void *arg)
{
    struct runner *runner = arg;
    struct relay *relay = runner->relay;
    int other = 1 - runner->index;
    bool stopping = false;
    while (!stopping && !runner->failed) {
        struct gm_err err;
        runner->failed = gm_db_begin_snapshot(runner->db, &err) != GM_OK;
        gm_mutex_lock(relay->mu);
        int64_t seen = relay->begun[other];
        relay->begun[runner->index]++;
        gm_cond_broadcast(relay->changed);
        while (relay->begun[other] == seen && !relay->stopping) {
            gm_cond_wait(relay->changed, relay->mu);
        }
        stopping = relay->stopping;
        gm_mutex_unlock(relay->mu);
        gm_db_rollback(runner->db);
    }
}

static void readers_that_relieve_one_another_do_not_keep_the_log_for_ever(void **state)
{
    (void)state;
    struct store *store = new_store(NULL);
    struct relay relay = {.store = store, .mu = gm_mutex_new(), .changed = gm_cond_new()};
    struct runner runners[2];
    for (int i = 0; i < 2; i++) {
        runners[i] = (struct runner){
            .relay = &relay, .index = i, .db = open_database(store, GM_DB_READ, NULL)};
        check_ok(
            gm_thread_start("reader", run_reader, &runners[i], &runners[i].thread, &store->err),
            store->err);
    }
    uint64_t size_max = 0;
    for (int i = 0; i < 6 * MAX_COMMITS; i++) {
        must_commit(store, 1);
        uint64_t size = log_size(store);
        size_max = size > size_max ? size : size_max;
    }
    gm_mutex_lock(relay.mu);
    relay.stopping = true;
    gm_cond_broadcast(relay.changed);
    gm_mutex_unlock(relay.mu);
    for (int i = 0; i < 2; i++) {
        gm_thread_join(runners[i].thread);
        assert_false(runners[i].failed);
        gm_db_close(runners[i].db);
    }
    assert_true(size_max < (uint64_t)3 * GM_LOG_BYTES_MAX);
    gm_cond_free(relay.changed);
    gm_mutex_free(relay.mu);
    check_reopened(store, false);
    free_store(store);
}

/* ---- failures ---- */

/* The operation on the file fails: only checkpoints write to it. */
static void fail_checkpoint_at(uint64_t operation, enum faultvfs_kind kind)
{
    struct faultvfs *disk = faultvfs_new(disk_name_z);
    struct store *store = new_store(disk_name_z);
    faultvfs_only(disk, "store.db");
    faultvfs_fail_at(disk, operation, kind);
    gm_rc rc = GM_OK;
    int after_failure = 0;
    while (rc == GM_OK) {
        bool had_happened = faultvfs_happened(disk);
        rc = try_commit(store);
        after_failure += had_happened && rc == GM_OK;
        /* At the latest the writer hears of it when it waits for the copier. */
        assert_true(after_failure < MAX_COMMITS + 1 && store->commits < 20 * MAX_COMMITS);
    }
    assert_true(faultvfs_happened(disk));
    check_rc(rc, GM_E_IO, store->err);
    check_err_says(store->err, kind == FAULTVFS_FULL ? "full" : "log");
    check_rc(gm_db_begin(store->db, &store->err), GM_E_IO, store->err);
    check_err_says(store->err, "refused after an earlier failure");
    /* A full disk may refuse the log itself before the failure of the copier is seen. */
    check_reopened(store, kind == FAULTVFS_FULL);
    free_store(store);
    faultvfs_free(disk);
}

/* A pass over the one row writes some 130 pages and syncs once, so these fall on first, inner and
 * last writes and on syncs, of the copier and of the writer that copies the rest. */
static void a_failure_of_the_copier_stops_the_writer(void **state)
{
    (void)state;
    for (uint64_t operation = 1; operation <= 600; operation += operation < 10 ? 3 : 53) {
        fail_checkpoint_at(operation, FAULTVFS_IO_ERROR);
    }
}

static void a_full_disk_under_the_copier_stops_the_writer(void **state)
{
    (void)state;
    for (uint64_t operation = 1; operation <= 400; operation += 131) {
        fail_checkpoint_at(operation, FAULTVFS_FULL);
    }
}

/* The power goes while both connections write. */
static void cut_at(uint64_t operation, uint64_t seed, const char *only_z)
{
    struct faultvfs *disk = faultvfs_new(disk_name_z);
    struct store *store = new_store(disk_name_z);
    faultvfs_only(disk, only_z);
    faultvfs_cut_at(disk, operation, seed);
    while (try_commit(store) == GM_OK) {
        assert_true(store->commits < 20 * MAX_COMMITS);
    }
    assert_int_equal(store->err.rc, GM_E_IO);
    gm_db_close(store->db);
    store->db = NULL;
    faultvfs_restore(disk);
    check_reopened(store, true);
    free_store(store);
    faultvfs_free(disk);
}

static void a_power_cut_under_the_copier_loses_nothing(void **state)
{
    (void)state;
    enum { SAMPLES = 5 };
    uint64_t drawn;
    gm_random_bytes(&drawn, sizeof(drawn));
    int64_t seed = (int64_t)(drawn % 1000);
    const char *seed_z = gm_env_z("GEMEL_SEED");
    assert_true(seed_z == NULL || gm_parse_i64(gm_str_z(seed_z), &seed));
    print_message("repeat with GEMEL_SEED=%lld\n", (long long)seed);
    struct gm_rng rng;
    gm_rng_init(&rng, (uint64_t)seed + 1);
    for (uint64_t i = 0; i < SAMPLES; i++) {
        /* In the midst of copying, and of both; some 260 operations write a commit to the log. */
        cut_at(1 + gm_rng_below(&rng, 600), i, "store.db");
        cut_at((uint64_t)260 * STEP_COMMITS + gm_rng_below(&rng, 260 * STEP_COMMITS), i, NULL);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_is_there_only_once_the_log_needs_it),
        cmocka_unit_test(the_log_stays_bounded_under_a_writer_that_goes_on),
        cmocka_unit_test(a_long_reader_is_not_disturbed_and_the_log_shrinks_after_it),
        cmocka_unit_test(readers_that_relieve_one_another_do_not_keep_the_log_for_ever),
        cmocka_unit_test(a_failure_of_the_copier_stops_the_writer),
        cmocka_unit_test(a_full_disk_under_the_copier_stops_the_writer),
        cmocka_unit_test(a_power_cut_under_the_copier_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
