/* ingest.status_quo: what the scenario's lab does with a reading today, done as well as it can be.
 *
 * A consumer takes readings as JSON and inserts each as a row of the lab's table `event`, with the
 * lab's columns and partitions, into a PostgreSQL that syncs. It does so in the way that is
 * fastest there: COPY, BATCH rows a transaction, over two connections at a time; its rows are made
 * beforehand. There is nothing
 * else: no dedupe, no order, no views. The lab itself inserts row by row.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include "bench.h"
#include "cli/sample_load.h"
#include "support/pg.h"

enum {
    ROUNDS = 3,
    EVENTS = 500000,
    BATCH = 5000,
    BATCHES = EVENTS / BATCH,
    CONNECTIONS = 2,
    ROW_SIZE_MAX = 1024,
};

static const char *const setup[] = {
    "CREATE TABLE event (id serial, machine_id int, event_id varchar(40), event_type varchar(70),"
    " entity_type varchar(70), entity_id varchar(40), event_data json)"
    " PARTITION BY RANGE (machine_id)",
    "CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (10000) TO (20000)",
    "CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM (20000) TO (30000)",
};
/* The server of the tests does not sync; this one does, and has room. */
static const char *const tuning[] = {
    "ALTER SYSTEM SET fsync = on",
    "ALTER SYSTEM SET full_page_writes = on",
    "ALTER SYSTEM SET max_wal_size = '4GB'",
    "ALTER SYSTEM SET checkpoint_timeout = '30min'",
    "SELECT pg_reload_conf()",
};

static PGconn *connect_to(const char *url_z)
{
    PGconn *connection = PQconnectdb(url_z);
    if (PQstatus(connection) != CONNECTION_OK) {
        bench_die("status quo: %s", PQerrorMessage(connection));
    }
    return connection;
}

static void run(PGconn *connection, const char *sql_z)
{
    PGresult *result = PQexec(connection, sql_z);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN) {
        bench_die("status quo: %s: %s", sql_z, PQerrorMessage(connection));
    }
    PQclear(result);
}

/* Until the last batch of the connection is committed. */
static void settle(PGconn *connection)
{
    PGresult *result;
    while ((result = PQgetResult(connection)) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            bench_die("status quo: %s", PQerrorMessage(connection));
        }
        PQclear(result);
    }
}

/* A row in COPY's text form. The bodies of these readings have nothing that it escapes. */
static void add_row(struct gm_buf *rows, struct gm_load *load, const struct gm_load_event *event)
{
    char hex[GM_HASH128_HEX_SIZE];
    uint64_t ids[2] = {event->sequence, event->sensor};
    gm_hash128_hex(gm_hash128((struct gm_str){(const char *)ids, sizeof(ids)}, 0), hex);
    gm_buf_addf(rows, "%lld\t%s\tTelemetry Ingest\tMachineTelemetry\t%s\t",
                (long long)gm_load_sensor(load, event->sensor)->machine, hex, hex);
    gm_load_write(load, event, rows);
    gm_buf_add_char(rows, '\n');
}

/* All rows, a batch each, before the clock runs: what is measured is the database. */
static void make_batches(struct gm_buf batches[BATCHES])
{
    struct gm_err err = {0};
    struct gm_load *load;
    struct gm_load_event event;
    const struct gm_load_options options = {.seed = 1,
                                            .company_seed = 2020,
                                            .scale = 1.1,
                                            .sensors = BENCH_SENSORS,
                                            .events = EVENTS,
                                            .interval = GM_SECOND};
    bench_must(gm_load_new(&options, &load, &err), &err);
    for (int i = 0; i < BATCHES; i++) {
        gm_buf_init(&batches[i], (size_t)BATCH * ROW_SIZE_MAX);
        for (int k = 0; k < BATCH && gm_load_next(load, &event); k++) {
            add_row(&batches[i], load, &event);
        }
    }
    gm_load_free(load);
}

static int64_t count_rows(PGconn *connection)
{
    PGresult *count = PQexec(connection, "SELECT count(*) FROM event");
    int64_t rows = 0;
    if (PQresultStatus(count) == PGRES_TUPLES_OK) {
        (void)gm_parse_i64(gm_str_z(PQgetvalue(count, 0, 0)), &rows);
    }
    PQclear(count);
    return rows;
}

static void insert_all(const struct bench *bench, const void *arg, struct bench_result *result)
{
    static const char copy_z[] = "COPY event (machine_id, event_id, event_type, entity_type, "
                                 "entity_id, event_data) FROM STDIN";
    static struct gm_buf batches[BATCHES];
    const char *url_z = arg;
    PGconn *connections[CONNECTIONS];
    (void)bench;
    make_batches(batches);
    for (int i = 0; i < CONNECTIONS; i++) {
        connections[i] = connect_to(url_z);
    }
    run(connections[0], "TRUNCATE event");
    double start = bench_now();
    for (int i = 0; i < BATCHES; i++) {
        PGconn *connection = connections[i % CONNECTIONS];
        settle(connection); /* the one before; the other connection works meanwhile */
        run(connection, copy_z);
        if (PQputCopyData(connection, batches[i].p, (int)batches[i].n) != 1 ||
            PQputCopyEnd(connection, NULL) != 1) {
            bench_die("status quo: %s", PQerrorMessage(connection));
        }
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        settle(connections[i]);
    }
    result->seconds = bench_now() - start;
    result->rows = count_rows(connections[0]);
    for (int i = 0; i < CONNECTIONS; i++) {
        PQfinish(connections[i]);
    }
    for (int i = 0; i < BATCHES; i++) {
        gm_buf_deinit(&batches[i]);
    }
}

double bench_status_quo(const struct bench *bench)
{
    double rates[ROUNDS];
    struct pg_server *server = pg_server_start();
    if (server == NULL) {
        fputs("gemel_bench: PostgreSQL is not installed: no ingest.status_quo\n", stderr);
        return 0;
    }
    const char *url_z = pg_server_new_database(server);
    PGconn *connection = connect_to(url_z);
    for (size_t i = 0; i < GM_ARRAY_COUNT(tuning); i++) {
        run(connection, tuning[i]);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(setup); i++) {
        run(connection, setup[i]);
    }
    PQfinish(connection);
    for (int i = 0; i < ROUNDS; i++) {
        struct bench_result result = bench_measure(bench, insert_all, url_z);
        if (result.rows != EVENTS) {
            bench_die("status quo: %lld rows of %d", (long long)result.rows, EVENTS);
        }
        rates[i] = (double)result.rows / result.seconds;
    }
    pg_server_stop(server);
    double rate = bench_median(rates, ROUNDS);
    bench_print(bench, &(struct bench_line){
                           .name_z = "ingest.status_quo", .value = rate, .unit_z = "events/s"});
    return rate;
}
