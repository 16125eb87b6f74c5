/* import.* and query.*: a graph of a million twins and two million relationships, imported and then
 * asked. Twin i contains twins 10i+1 … 10i+10 and feeds twin i+37. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bench.h"
#include "os/file.h"
#include "store/store.h"
#include "twin/models.h"
#include "twin/query.h"
#include "twin/transfer.h"
#include "twin/values.h"

enum { FAN_OUT = 10, FEED_STEP = 37, RUNS = 101, SCANS = 5, KINDS = 4, TEXT_SIZE = 256 << 20 };

static const char *const kinds[KINDS] = {"Press", "Pump", "Valve", "Sensor"};
static const char *const places[] = {"Hall A", "Hall B", "Yard", "Warehouse", "Roof", "Tunnel"};

/* ---- data ---- */

static void add_models(struct gm_buf *text)
{
    gm_buf_add_z(text,
                 "{\"Section\":\"Models\"}\n"
                 "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:bench:Asset;1\",\"@type\":"
                 "\"Interface\",\"contents\":["
                 "{\"@type\":\"Property\",\"name\":\"name\",\"schema\":\"string\"},"
                 "{\"@type\":\"Property\",\"name\":\"serial\",\"schema\":\"string\"},"
                 "{\"@type\":\"Property\",\"name\":\"place\",\"schema\":\"string\"},"
                 "{\"@type\":\"Property\",\"name\":\"temperature\",\"schema\":\"double\"},"
                 "{\"@type\":\"Property\",\"name\":\"pressure\",\"schema\":\"double\"},"
                 "{\"@type\":\"Property\",\"name\":\"running\",\"schema\":\"boolean\"},"
                 "{\"@type\":\"Property\",\"name\":\"hours\",\"schema\":\"integer\"},"
                 "{\"@type\":\"Property\",\"name\":\"serviced\",\"schema\":\"dateTime\"},"
                 "{\"@type\":\"Relationship\",\"name\":\"contains\"},"
                 "{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}\n");
    for (int i = 0; i < KINDS; i++) {
        gm_buf_addf(text,
                    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:bench:%s;1\",\"@type\":"
                    "\"Interface\",\"extends\":\"dtmi:bench:Asset;1\"}\n",
                    kinds[i]);
    }
}

static void add_twin(struct gm_buf *text, struct gm_rng *rng, int64_t i)
{
    gm_buf_addf(text,
                "{\"$dtId\":\"asset-%lld\",\"$metadata\":{\"$model\":\"dtmi:bench:%s;1\"},"
                "\"name\":\"Asset number %lld of the plant\",\"serial\":\"SN-%06d-%lld\","
                "\"place\":\"%s\",\"temperature\":%d.%d,\"pressure\":%d.5,\"running\":%s,"
                "\"hours\":%d,\"serviced\":\"2026-%02d-%02dT08:00:00Z\"}\n",
                (long long)i, kinds[i % KINDS], (long long)i, (int)gm_rng_below(rng, 1000000),
                (long long)i, places[gm_rng_below(rng, GM_ARRAY_COUNT(places))],
                (int)gm_rng_below(rng, 100), (int)gm_rng_below(rng, 10), (int)gm_rng_below(rng, 16),
                gm_rng_below(rng, 2) == 0 ? "true" : "false", (int)gm_rng_below(rng, 100000),
                (int)gm_rng_below(rng, 12) + 1, (int)gm_rng_below(rng, 28) + 1);
}

static void add_relationship(struct gm_buf *text, int64_t from, int64_t to, const char *name_z)
{
    gm_buf_addf(text,
                "{\"$dtId\":\"asset-%lld\",\"$relationshipId\":\"%s-%lld\",\"$targetId\":"
                "\"asset-%lld\",\"$relationshipName\":\"%s\"}\n",
                (long long)from, name_z, (long long)to, (long long)to, name_z);
}

static void flush(struct gm_buf *text, struct gm_file *file, size_t above)
{
    struct gm_err err = {0};
    if (text->n > above) {
        bench_must(gm_file_write(file, gm_buf_str(text), &err), &err);
        gm_buf_reset(text);
    }
}

static void make_file(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)result;
    struct gm_err err = {0};
    struct gm_file *file;
    struct gm_rng rng;
    struct gm_buf text;
    gm_rng_init(&rng, 1873);
    gm_buf_init(&text, TEXT_SIZE);
    bench_must(gm_file_create(arg, &file, &err), &err);
    gm_buf_add_z(&text, "{\"Section\":\"Header\"}\n{\"fileVersion\":\"1.0.0\"}\n");
    add_models(&text);
    gm_buf_add_z(&text, "{\"Section\":\"Twins\"}\n");
    for (int64_t i = 0; i < bench->rows; i++) {
        add_twin(&text, &rng, i);
        flush(&text, file, 8 << 20);
    }
    gm_buf_add_z(&text, "{\"Section\":\"Relationships\"}\n");
    for (int64_t i = 0; i < bench->rows; i++) {
        for (int64_t k = FAN_OUT * i + 1; k <= FAN_OUT * (i + 1) && k < bench->rows; k++) {
            add_relationship(&text, i, k, "contains");
        }
        add_relationship(&text, i, (i + FEED_STEP) % bench->rows, "feeds");
        flush(&text, file, 8 << 20);
    }
    flush(&text, file, 0);
    gm_file_close(file);
    gm_buf_deinit(&text);
}

/* ---- import ---- */

struct import {
    struct gm_store *store;
    double started[GM_IMPORT_SECTION_COUNT];
};

struct import_job {
    gm_writer_fn fn;
    void *ctx;
};

static gm_rc run_job(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct import_job *job = ctx;
    return job->fn(job->ctx, tx->db, err);
}

static gm_rc write_import(void *ctx, gm_writer_fn fn, void *fn_ctx, struct gm_err *err)
{
    struct import *import = ctx;
    struct import_job job = {fn, fn_ctx};
    return gm_store_write(import->store, run_job, &job, err);
}

static gm_rc add_interfaces(void *ctx, struct gm_import_interfaces *interfaces, struct gm_err *err)
{
    struct import *import = ctx;
    GM_TRY(gm_store_add_interfaces(import->store, interfaces->at, interfaces->count,
                                   &interfaces->added, err));
    interfaces->models = gm_store_models_hold(import->store);
    return GM_OK;
}

static void note_section(void *ctx, enum gm_import_section section)
{
    struct import *import = ctx;
    import->started[section] = bench_now();
}

static struct gm_store *open_store(const struct bench *bench)
{
    struct gm_err err = {0};
    struct gm_store *store;
    GM_AUTO_FREE char *folder_z = gm_format_z("%s/graph", bench->folder_z);
    bench_must(gm_store_open(&(struct gm_store_options){.folder_z = folder_z}, &store, &err), &err);
    return store;
}

/* Twins take result->seconds, relationships result->more_seconds. */
static void import_file(const struct bench *bench, const void *arg, struct bench_result *result)
{
    struct gm_err err = {0};
    struct import import = {.store = open_store(bench)};
    struct gm_import_counts counts = {0};
    struct gm_import_store target = {.ctx = &import,
                                     .write = write_import,
                                     .add_interfaces = add_interfaces,
                                     .graph = gm_store_graph(import.store),
                                     .models = gm_store_models_hold(import.store)};
    struct gm_import_options options = {
        .path_z = arg, .clock = gm_clock_system(), .ctx = &import, .section = note_section};
    bench_must(gm_import_run(&target, &options, &counts, &err), &err);
    double end = bench_now();
    gm_store_close(import.store);
    result->seconds = import.started[GM_IMPORT_RELATIONSHIPS] - import.started[GM_IMPORT_TWINS];
    result->more_seconds = end - import.started[GM_IMPORT_RELATIONSHIPS];
    result->rows = counts.twins_created;
    result->created = counts.relationships_created;
    result->failed = counts.failed != 0;
}

/* ---- queries ---- */

struct asking {
    struct gm_db *db;
    struct gm_models *models;
};

static gm_rc pass_over(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *row, struct gm_err *err)
{
    (void)doc;
    (void)err;
    int64_t *count = ctx;
    yyjson_mut_val *number = gm_json_member(row, GM_STR("COUNT"));
    *count += number != NULL ? yyjson_mut_get_sint(number) : 1;
    return GM_OK;
}

static struct asking start_asking(const struct bench *bench)
{
    struct gm_err err = {0};
    struct asking asking;
    GM_AUTO_FREE char *folder_z = gm_format_z("%s/graph", bench->folder_z);
    bench_must(gm_store_open_reader(folder_z, &asking.db, &err), &err);
    bench_must(gm_models_load(asking.db, &asking.models, &err), &err);
    return asking;
}

static void stop_asking(struct asking *asking)
{
    gm_models_free(asking->models);
    gm_db_close(asking->db);
}

/* Seconds that the query takes; it must give `rows` rows, or count them. */
static double ask(const struct asking *asking, const char *text_z, int64_t rows)
{
    struct gm_err err = {0};
    int64_t count = 0;
    struct gm_query_outcome outcome;
    struct gm_query_request request = {
        .text = gm_str_z(text_z), .models = asking->models, .fn = pass_over, .ctx = &count};
    double before = bench_now();
    bench_must(gm_query_run(asking->db, &request, &outcome, &err), &err);
    double seconds = bench_now() - before;
    if (rows >= 0 && count != rows) {
        bench_die("%s: %lld rows, not %lld", text_z, (long long)count, (long long)rows);
    }
    return seconds;
}

/* How many twins there are below asset i, counted as the data is made. */
static int64_t out_degree(const struct bench *bench, int64_t i)
{
    int64_t first = FAN_OUT * i + 1, last = FAN_OUT * (i + 1);
    last = last < bench->rows ? last : bench->rows - 1;
    return (last >= first ? last - first + 1 : 0) + 1;
}

static int64_t two_hops(const struct bench *bench, int64_t i)
{
    int64_t count = out_degree(bench, (i + FEED_STEP) % bench->rows);
    for (int64_t k = FAN_OUT * i + 1; k <= FAN_OUT * (i + 1) && k < bench->rows; k++) {
        count += out_degree(bench, k);
    }
    return count;
}

static void ask_two_hops(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)arg;
    struct asking asking = start_asking(bench);
    double seconds[RUNS];
    for (int i = 0; i < RUNS; i++) {
        int64_t from = bench->rows / 100 / RUNS * i;
        GM_AUTO_FREE char *text_z = gm_format_z("SELECT C FROM DIGITALTWINS MATCH (A)-[]->(B)-[]->"
                                                "(C) WHERE A.$dtId = 'asset-%lld'",
                                                (long long)from);
        seconds[i] = ask(&asking, text_z, two_hops(bench, from));
    }
    result->seconds = bench_median(seconds, RUNS);
    stop_asking(&asking);
}

static void ask_join(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)arg;
    struct asking asking = start_asking(bench);
    double seconds[RUNS];
    for (int i = 0; i < RUNS; i++) {
        GM_AUTO_FREE char *text_z =
            gm_format_z("SELECT C FROM DIGITALTWINS A JOIN B RELATED A.contains JOIN C RELATED "
                        "B.contains WHERE A.$dtId = 'asset-%d'",
                        i);
        seconds[i] = ask(&asking, text_z, -1);
    }
    result->seconds = bench_median(seconds, RUNS);
    stop_asking(&asking);
}

static void ask_by_property(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)arg;
    struct asking asking = start_asking(bench);
    double seconds[RUNS];
    for (int i = 0; i < RUNS; i++) {
        /* about ten twins of a million */
        GM_AUTO_FREE char *text_z =
            gm_format_z("SELECT * FROM DIGITALTWINS T WHERE T.hours = %d", 997 * i);
        seconds[i] = ask(&asking, text_z, -1);
    }
    result->seconds = bench_median(seconds, RUNS);
    stop_asking(&asking);
}

static void ask_count(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)arg;
    struct asking asking = start_asking(bench);
    double seconds[RUNS];
    for (int i = 0; i < RUNS; i++) {
        seconds[i] = ask(&asking,
                         "SELECT COUNT() FROM DIGITALTWINS T WHERE "
                         "IS_OF_MODEL(T, 'dtmi:bench:Asset;1')",
                         bench->rows);
    }
    result->seconds = bench_median(seconds, RUNS);
    stop_asking(&asking);
}

static void ask_repeatedly(const struct bench *bench, const void *arg, struct bench_result *result)
{
    struct asking asking = start_asking(bench);
    double seconds[SCANS];
    for (int i = 0; i < SCANS; i++) {
        seconds[i] = ask(&asking, arg, -1);
    }
    result->seconds = bench_median(seconds, SCANS);
    stop_asking(&asking);
}

/* ---- the index of `hours` ---- */

static gm_rc add_index(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    (void)ctx;
    return gm_value_index_add(tx->db, GM_STR("$.\"hours\""), 1, err);
}

static gm_rc step_index(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(1 << 20);
    struct gm_value_indexes indexes;
    gm_rc rc = gm_value_indexes_read(tx->db, arena, &indexes, err);
    rc = rc == GM_OK ? gm_value_index_step(tx->db, &indexes.at[0], ctx, err) : rc;
    gm_arena_free(arena);
    return rc;
}

static void build_index(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)arg;
    struct gm_err err = {0};
    struct gm_store *store = open_store(bench);
    double before = bench_now();
    bench_must(gm_store_write(store, add_index, NULL, &err), &err);
    for (bool done = false; !done;) {
        bench_must(gm_store_write(store, step_index, &done, &err), &err);
    }
    result->seconds = bench_now() - before;
    gm_store_close(store);
}

/* ---- measurements ---- */

static void print_ms(const struct bench *bench, const char *name_z, bench_fn fn, const void *arg)
{
    struct bench_result result = bench_measure(bench, fn, arg);
    bench_print(bench, &(struct bench_line){name_z, result.seconds * 1000, "ms", NULL, 0});
}

static void measure_import(const struct bench *bench)
{
    GM_AUTO_FREE char *path_z = gm_format_z("%s/graph.ndjson", bench->folder_z);
    GM_AUTO_FREE char *remove_z = gm_format_z("rm -rf '%s/graph'", bench->folder_z);
    (void)bench_measure(bench, make_file, path_z);
    (void)bench_command(remove_z);
    struct bench_result result = bench_measure(bench, import_file, path_z);
    if (result.rows != bench->rows || result.created != 2 * bench->rows - 1) {
        bench_die("%lld twins and %lld relationships imported", (long long)result.rows,
                  (long long)result.created);
    }
    bench_print(bench, &(struct bench_line){"import.ndjson", (double)result.rows / result.seconds,
                                            "twins/s", NULL, 0});
    bench_print(bench, &(struct bench_line){"import.relationships",
                                            (double)result.created / result.more_seconds, "links/s",
                                            NULL, 0});
    bench_print(bench, &(struct bench_line){"import.memory", result.peak_mb, "MB", NULL, 0});
}

static void measure_scan(const struct bench *bench)
{
    static const char scan[] =
        "SELECT COUNT() FROM DIGITALTWINS T WHERE T.temperature > 98.5 AND T.place = 'Roof'";
    static const char order[] =
        "SELECT TOP(100) T.$dtId, T.temperature FROM DIGITALTWINS T ORDER BY T.temperature DESC";
    static const char group[] = "SELECT T.place, COUNT() AS n, AVG(T.temperature) AS t FROM "
                                "DIGITALTWINS T GROUP BY T.place";
    struct bench_result result = bench_measure(bench, ask_repeatedly, scan);
    bench_print(bench, &(struct bench_line){"query.scan", (double)bench->rows / result.seconds,
                                            "twins/s", NULL, 0});
    print_ms(bench, "query.order_all", ask_repeatedly, order);
    print_ms(bench, "query.group_all", ask_repeatedly, group);
}

void bench_query(const struct bench *bench)
{
    if (!bench_wants(bench, "query.") && !bench_wants(bench, "import.")) {
        return;
    }
    measure_import(bench);
    if (!bench_wants(bench, "query.")) {
        return;
    }
    print_ms(bench, "query.two_hops", ask_two_hops, NULL);
    print_ms(bench, "query.two_joins", ask_join, NULL);
    print_ms(bench, "query.count_of_model", ask_count, NULL);
    measure_scan(bench);
    print_ms(bench, "query.index_build", build_index, NULL);
    print_ms(bench, "query.by_property", ask_by_property, NULL);
}
