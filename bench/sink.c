/* sink.*: one Gemel feeds another over TLS. The target is a process of its own that throttles at
 * the published limits; what it was asked is counted there. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "bench.h"
#include "os/file.h"
#include "store/store.h"

enum { ROWS_MAX = 100000, FEW = 100, MANY = 10, BUDGET = 1000 };

static const char model[] =
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:bench:Part;1\",\"@type\":\"Interface\","
    "\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"name\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"price\",\"schema\":\"double\"},"
    "{\"@type\":\"Property\",\"name\":\"stock\",\"schema\":\"integer\"}]}";

static void write_file(const struct bench *bench, const char *name_z, const char *text_z)
{
    struct gm_err err = {0};
    GM_AUTO_FREE char *path_z = gm_format_z("%s/sink/%s", bench->folder_z, name_z);
    bench_must(gm_file_write_atomic(path_z, gm_str_z(text_z), 0600, &err), &err);
}

/* ---- the target ---- */

static struct bench_server start_target(const struct bench *bench, int port, const char *api_z)
{
    GM_AUTO_FREE char *config_z = gm_format_z("data: ./target\nadmin: { enabled: false }\n"
                                              "log: { level: warn }\n"
                                              "api: { listen: \"127.0.0.1:%d\"%s }\n",
                                              port, api_z);
    write_file(bench, "target.yaml", config_z);
    GM_AUTO_FREE char *path_z = gm_format_z("%s/sink/target.yaml", bench->folder_z);
    GM_AUTO_FREE char *model_z = gm_format_z("%s/sink/model.json", bench->folder_z);
    return bench_server_start(path_z, model_z);
}

/* ---- the feeding one ---- */

static void configure(const struct bench *bench, int port, const char *rate_z)
{
    GM_AUTO_FREE char *config_z =
        gm_format_z("data: ./data\nmodels: ./model.json\npipelines:\n  parts:\n    source:\n"
                    "      sql: { url: \"sqlite:erp.db\", table: parts, key: id }\n"
                    "    map: { $dtId: \"part-{id}\", $model: \"dtmi:bench:Part;1\", name: name, "
                    "price: price, stock: stock }\n"
                    "    sink:\n      adt:\n        url: \"https://127.0.0.1:%d\"\n"
                    "        ca_file: ./target/tls/ca.pem\n"
                    "        auth: { token: { value: \"${file:target/tokens/development}\" } }\n"
                    "        rate: { %s }\n",
                    port, rate_z);
    write_file(bench, "gemel.yaml", config_z);
}

static void execute(const struct bench *bench, const char *sql_z)
{
    struct gm_err err = {0};
    struct gm_db *db;
    GM_AUTO_FREE char *url_z = gm_format_z("sqlite:%s/sink/erp.db", bench->folder_z);
    bench_must(gm_db_open(&(struct gm_db_options){.url_z = url_z, .mode = GM_DB_WRITE}, &db, &err),
               &err);
    bench_must(gm_db_exec(db, sql_z, &err), &err);
    gm_db_close(db);
}

/* ---- what the target saw ---- */

struct seen {
    int64_t changes, last; /* number and time of the last one */
    double rate;           /* of the writes since `since`; 0: too few */
};

static struct seen look(const struct bench *bench, int64_t since)
{
    struct gm_err err = {0};
    struct gm_db *db;
    struct gm_stmt *stmt;
    struct seen seen = {0};
    GM_AUTO_FREE char *folder_z = gm_format_z("%s/sink/target", bench->folder_z);
    bench_must(gm_store_open_reader(folder_z, &db, &err), &err);
    bench_must(gm_db_prepare(db, "SELECT SUM(count) FROM changes", &stmt, &err), &err);
    bench_must(gm_step(stmt, &err), &err);
    seen.changes = gm_column_i64(stmt, 0);
    gm_stmt_finalize(stmt);
    bench_must(gm_db_prepare(
                   db, "SELECT COUNT(*), MIN(updated), MAX(updated) FROM twins WHERE updated > $1",
                   &stmt, &err),
               &err);
    gm_bind_i64(stmt, 1, since);
    bench_must(gm_step(stmt, &err), &err);
    int64_t first = gm_column_i64(stmt, 1), margin = GM_SECOND;
    seen.last = gm_column_i64(stmt, 2);
    gm_stmt_finalize(stmt);
    if (first == 0 || seen.last - first < 3 * margin) {
        gm_db_close(db);
        return seen;
    }
    /* Without the first second, in which connections are made, and the last one. */
    bench_must(gm_db_prepare(db, "SELECT COUNT(*) FROM twins WHERE updated > $1 AND updated <= $2",
                             &stmt, &err),
               &err);
    gm_bind_i64(stmt, 1, first + margin);
    gm_bind_i64(stmt, 2, seen.last - margin);
    bench_must(gm_step(stmt, &err), &err);
    seen.rate = (double)gm_column_i64(stmt, 0) * (double)GM_SECOND /
                (double)(seen.last - first - 2 * margin);
    gm_db_close(db);
    return seen;
}

/* The first load, as fast as both go. */
static void load(const struct bench *bench, int64_t rows)
{
    struct bench_server target = start_target(bench, 0, "");
    configure(bench, target.port, "patches: 0, creates: 0, reads: 0, per_twin: 0");
    struct bench_result result = bench_measure(bench, bench_run_pipeline, "sink/gemel.yaml");
    if (result.created != rows) {
        bench_die("sink: %lld twins created, not %lld", (long long)result.created, (long long)rows);
    }
    if (bench_wants(bench, "sink.adt_load")) {
        bench_print(bench, &(struct bench_line){"sink.adt_load", (double)rows / result.seconds,
                                                "rows/s", NULL, 0});
    }
    bench_server_stop(&target);
    GM_AUTO_FREE char *port_z = gm_format_z("%d", target.port);
    write_file(bench, "port", port_z);
}

/* Changes every `every`th row: that many calls, and none else. Returns how many a second. */
static double change_some(const struct bench *bench, int64_t rows, int every)
{
    struct seen before = look(bench, 0);
    GM_AUTO_FREE char *update_z =
        gm_format_z("UPDATE parts SET stock = stock + 1 WHERE id %% %d = 0", every);
    execute(bench, update_z);
    struct bench_result result = bench_measure(bench, bench_run_pipeline, "sink/gemel.yaml");
    struct seen after = look(bench, before.last);
    if (result.updated != rows / every || after.changes - before.changes != rows / every) {
        bench_die("sink: %lld rows changed, and it cost %lld calls", (long long)(rows / every),
                  (long long)(after.changes - before.changes));
    }
    return after.rate;
}

static void change(const struct bench *bench, int64_t rows)
{
    struct gm_buf text;
    struct gm_err err = {0};
    int64_t port = 0;
    GM_AUTO_FREE char *port_z = gm_format_z("%s/sink/port", bench->folder_z);
    GM_AUTO_FREE char *limit_z =
        gm_format_z(", rate_limit: { per_second: %d, burst: %d }", BUDGET, BUDGET);
    gm_buf_init(&text, 64);
    bench_must(gm_file_read_all(port_z, &text, &err), &err);
    (void)gm_parse_i64(gm_buf_str(&text), &port);
    gm_buf_deinit(&text);
    struct bench_server target = start_target(bench, (int)port, limit_z);
    configure(bench, (int)port, "patches: 1000, creates: 500, reads: 1000, per_twin: 10");
    /* other settings: everything is looked at */
    (void)bench_measure(bench, bench_run_pipeline, "sink/gemel.yaml");
    struct seen before = look(bench, 0);
    if (before.changes != rows) {
        bench_die("sink: nothing was changed, and it cost %lld calls",
                  (long long)(before.changes - rows));
    }
    change_some(bench, rows, FEW);
    /* Long enough that beginning and end do not count. */
    double rate = change_some(bench, rows, MANY);
    bench_print(bench,
                &(struct bench_line){"sink.adt", rate, "calls/s", "the budget", rate / BUDGET});
    bench_server_stop(&target);
}

void bench_sink(const struct bench *bench)
{
    int64_t rows = bench->rows < ROWS_MAX ? bench->rows : ROWS_MAX;
    struct gm_err err = {0};
    if (bench->only_z != NULL && strncmp(bench->only_z, "sink", strlen("sink")) != 0) {
        return;
    }
    GM_AUTO_FREE char *folder_z = gm_format_z("%s/sink", bench->folder_z);
    GM_AUTO_FREE char *remove_z = gm_format_z("rm -rf '%s'", folder_z);
    GM_AUTO_FREE char *fill_z =
        gm_format_z("CREATE TABLE parts(id INTEGER PRIMARY KEY, name TEXT, price REAL, stock "
                    "INTEGER);INSERT INTO parts WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
                    "i + 1 FROM n WHERE i < %lld) SELECT i, 'part ' || i, i / 8.0, i %% 100 FROM n",
                    (long long)rows);
    (void)bench_command(remove_z);
    bench_must(gm_folder_make(folder_z, &err), &err);
    write_file(bench, "model.json", model);
    execute(bench, fill_z);
    load(bench, rows);
    if (bench_wants(bench, "sink.adt")) {
        change(bench, rows);
    }
}
