/* sync.*: tables and files into twins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/mem.h"
#include "base/vec.h"
#include "bench.h"
#include "engine/engine.h"
#include "support/pg.h"

enum { ROUNDS = 3 };

static void remove_store(const struct bench *bench)
{
    GM_AUTO_FREE char *command_z = gm_format_z("rm -rf '%s/data'", bench->folder_z);
    (void)bench_command(command_z);
}

static struct bench_result first_load(const struct bench *bench, const char *config_z)
{
    remove_store(bench);
    struct bench_result result = bench_measure(bench, bench_run_pipeline, config_z);
    if (result.created != bench->rows) {
        bench_die("%s: %lld twins created, not %lld", config_z, (long long)result.created,
                  (long long)bench->rows);
    }
    return result;
}

/* ---- plain inserts ---- */

enum { PLAIN_ROWS_PER_COMMIT = GM_BATCH_RECORDS_MAX };

struct documents {
    struct gm_arena *arena;
    GM_VEC(struct gm_str) ids;
    GM_VEC(struct gm_str) bodies;
};

/* The documents of the first load as the pipeline made them, in their order. */
static void read_documents(const struct bench *bench, struct documents *documents)
{
    struct gm_err err = {0};
    struct gm_db *db;
    struct gm_stmt *stmt;
    gm_rc rc;
    GM_AUTO_FREE char *url_z = gm_format_z("sqlite:%s/data/store.db", bench->folder_z);
    documents->arena = gm_arena_new((size_t)16 << 30);
    bench_must(gm_db_open(&(struct gm_db_options){.url_z = url_z, .mode = GM_DB_READ}, &db, &err),
               &err);
    bench_must(gm_db_prepare(db, "SELECT id, body FROM twins ORDER BY num", &stmt, &err), &err);
    while ((rc = gm_step(stmt, &err)) == GM_OK) {
        *gm_vec_push(&documents->ids) = gm_arena_dup(documents->arena, gm_column_text(stmt, 0));
        struct gm_str id = gm_column_text(stmt, 0), body = gm_column_text(stmt, 1);
        *gm_vec_push(&documents->bodies) =
            gm_arena_format(documents->arena,
                            "{\"$dtId\":\"" GM_STR_FMT
                            "\",\"$metadata\":{\"$model\":\"dtmi:bench:Article;1\"}," GM_STR_FMT,
                            GM_STR_ARG(id), (int)body.n - 1, body.p + 1);
    }
    gm_db_close(db);
    if (rc != GM_E_END || documents->ids.n != (size_t)bench->rows) {
        bench_die("%zu documents read, not %lld", documents->ids.n, (long long)bench->rows);
    }
}

static void plain_exec(sqlite3 *db, const char *sql_z)
{
    char *text = NULL;
    if (sqlite3_exec(db, sql_z, NULL, NULL, &text) != SQLITE_OK) {
        bench_die("%s: %s", sql_z, text);
    }
}

static sqlite3 *open_plain(const struct bench *bench, bool tuned)
{
    sqlite3 *db;
    GM_AUTO_FREE char *path_z = gm_format_z("%s/plain.db", bench->folder_z);
    GM_AUTO_FREE char *remove_z = gm_format_z("rm -f '%s'*", path_z);
    (void)bench_command(remove_z);
    if (sqlite3_open(path_z, &db) != SQLITE_OK) {
        bench_die("%s cannot be made", path_z);
    }
    if (tuned) {
        plain_exec(
            db, "PRAGMA page_size=8192; PRAGMA cache_size=-49152; PRAGMA wal_autocheckpoint=4096");
    }
    plain_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    plain_exec(db, "CREATE TABLE documents (id TEXT PRIMARY KEY, document TEXT)");
    return db;
}

/* Prepared inserts of the same documents, whole, under their ids, as many a commit and as durable:
 * what a loader by hand does. `arg`: whether with the settings of SQLite that the store has (page
 * size, cache, checkpoints), or SQLite's own. */
static void insert_plainly(const struct bench *bench, const void *arg, struct bench_result *result)
{
    struct documents documents = {0};
    sqlite3_stmt *insert;
    read_documents(bench, &documents);
    sqlite3 *db = open_plain(bench, *(const bool *)arg);
    if (sqlite3_prepare_v2(db, "INSERT INTO documents VALUES (?1, ?2)", -1, &insert, NULL) !=
        SQLITE_OK) {
        bench_die("%s", sqlite3_errmsg(db));
    }
    double before = bench_now();
    plain_exec(db, "BEGIN");
    for (size_t i = 0; i < documents.ids.n; i++) {
        sqlite3_bind_text(insert, 1, documents.ids.at[i].p, (int)documents.ids.at[i].n,
                          SQLITE_STATIC);
        sqlite3_bind_text(insert, 2, documents.bodies.at[i].p, (int)documents.bodies.at[i].n,
                          SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE || sqlite3_reset(insert) != SQLITE_OK) {
            bench_die("%s", sqlite3_errmsg(db));
        }
        if ((i + 1) % PLAIN_ROWS_PER_COMMIT == 0) {
            plain_exec(db, "COMMIT");
            plain_exec(db, "BEGIN");
        }
    }
    plain_exec(db, "COMMIT");
    result->seconds = bench_now() - before;
    result->rows = (int64_t)documents.ids.n;
    sqlite3_finalize(insert);
    sqlite3_close(db);
}

/* ---- measurements ---- */

static double rate(const struct bench *bench, double seconds)
{
    return (double)bench->rows / seconds;
}

static void measure_first_load(const struct bench *bench)
{
    static const bool tuned[] = {false, true};
    double load[ROUNDS], plain[2][ROUNDS], peak = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct bench_result result = first_load(bench, "sqlite.yaml");
        load[i] = result.seconds;
        peak = result.peak_mb > peak ? result.peak_mb : peak;
        plain[0][i] = bench_measure(bench, insert_plainly, &tuned[0]).seconds;
        plain[1][i] = bench_measure(bench, insert_plainly, &tuned[1]).seconds;
    }
    double load_rate = rate(bench, bench_median(load, ROUNDS));
    double plain_rate = rate(bench, bench_median(plain[0], ROUNDS)),
           tuned_rate = rate(bench, bench_median(plain[1], ROUNDS));
    bench_print(bench,
                &(struct bench_line){"sync.first_load", load_rate, "rows/s",
                                     "plain prepared SQLite inserts", load_rate / plain_rate});
    bench_print(bench, &(struct bench_line){"sync.plain_inserts", plain_rate, "rows/s", NULL, 0});
    bench_print(bench,
                &(struct bench_line){"sync.tuned_inserts", tuned_rate, "rows/s",
                                     "plain prepared SQLite inserts", tuned_rate / plain_rate});
    bench_print(bench, &(struct bench_line){"sync.first_load_memory", peak, "MB", NULL, 0});
}

static void measure_unchanged(const struct bench *bench)
{
    double seconds[ROUNDS], peak = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct bench_result result = bench_measure(bench, bench_run_pipeline, "sqlite.yaml");
        if (result.unchanged != bench->rows) {
            bench_die("%lld rows unchanged, not %lld", (long long)result.unchanged,
                      (long long)bench->rows);
        }
        seconds[i] = result.seconds;
        peak = result.peak_mb > peak ? result.peak_mb : peak;
    }
    bench_print(bench,
                &(struct bench_line){"sync.unchanged", rate(bench, bench_median(seconds, ROUNDS)),
                                     "rows/s", NULL, 0});
    bench_print(bench, &(struct bench_line){"sync.unchanged_memory", peak, "MB", NULL, 0});
}

static void measure_churn(const struct bench *bench)
{
    bench_churn(bench);
    struct bench_result result = bench_measure(bench, bench_run_pipeline, "sqlite.yaml");
    if (result.updated != bench->rows / 100 ||
        result.unchanged != bench->rows - bench->rows / 100) {
        bench_die("%lld rows updated, not %lld", (long long)result.updated,
                  (long long)(bench->rows / 100));
    }
    bench_print(bench, &(struct bench_line){"sync.churn_1pct", rate(bench, result.seconds),
                                            "rows/s", NULL, 0});
    bench_print(bench, &(struct bench_line){"sync.churn_1pct_written", (double)result.updated,
                                            "twins", NULL, 0});
}

static void measure_csv(const struct bench *bench)
{
    GM_AUTO_FREE char *import_z =
        gm_format_z("rm -f '%s'/import.db* && sqlite3 '%s/import.db' 'PRAGMA journal_mode=WAL' "
                    "'CREATE TABLE articles (id INTEGER PRIMARY KEY, name TEXT, price REAL, stock "
                    "INTEGER, discontinued INTEGER, category TEXT, "
                    "quantity TEXT, reorder_level INTEGER, supplier TEXT, changed TEXT)' '.import "
                    "--csv --skip 1 \"%s/articles.csv\" articles' >/dev/null",
                    bench->folder_z, bench->folder_z, bench->folder_z);
    struct bench_result result = first_load(bench, "csv.yaml");
    double load_rate = rate(bench, result.seconds),
           import_rate = rate(bench, bench_command(import_z));
    bench_print(bench,
                &(struct bench_line){"sync.csv", load_rate, "rows/s",
                                     "sqlite3 .import of the same file", load_rate / import_rate});
    bench_print(bench, &(struct bench_line){"sync.csv_memory", result.peak_mb, "MB", NULL, 0});
}

static void measure_postgresql(const struct bench *bench)
{
    struct pg_server *server = pg_server_start();
    if (server == NULL) {
        fprintf(stderr, "sync.postgres: skipped, PostgreSQL is not installed\n");
        return;
    }
    const char *url_z = pg_server_new_database(server);
    GM_AUTO_FREE char *create_z =
        gm_format_z("psql -q '%s' -c 'CREATE TABLE articles (id BIGINT PRIMARY KEY, name TEXT, "
                    "price DOUBLE PRECISION, stock INTEGER, "
                    "discontinued INTEGER, category TEXT, quantity TEXT, reorder_level INTEGER, "
                    "supplier TEXT, changed TEXT)'",
                    url_z);
    GM_AUTO_FREE char *copy_z =
        gm_format_z("psql -q '%s' -c '\\copy articles from %s/articles.csv csv header'", url_z,
                    bench->folder_z);
    (void)bench_command(create_z);
    double copy_rate = rate(bench, bench_command(copy_z));
    setenv("GEMEL_BENCH_PG", url_z, 1);
    struct bench_result result = first_load(bench, "postgresql.yaml");
    double load_rate = rate(bench, result.seconds);
    bench_print(bench, &(struct bench_line){"sync.postgres", load_rate, "rows/s",
                                            "COPY of the same rows into PostgreSQL",
                                            load_rate / copy_rate});
    bench_print(bench, &(struct bench_line){"sync.postgres_memory", result.peak_mb, "MB", NULL, 0});
    pg_server_stop(server);
}

void bench_sync(const struct bench *bench)
{
    if (bench_wants(bench, "sync.first_load") || bench_wants(bench, "sync.unchanged") ||
        bench_wants(bench, "sync.churn")) {
        measure_first_load(bench);
        measure_unchanged(bench);
        measure_churn(bench);
    }
    if (bench_wants(bench, "sync.csv")) {
        measure_csv(bench);
    }
    if (bench_wants(bench, "sync.postgres")) {
        measure_postgresql(bench);
    }
}
