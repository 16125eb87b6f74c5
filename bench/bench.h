/* The benchmark: what DESIGN's speed section promises, measured in one run on one machine.
 *
 * Every measurement runs in a process of its own (its peak memory is the measurement's), pairs
 * alternate A B A B, the median counts, and what was measured is checked: rows at the sink, writes
 * that must not happen. */
#ifndef GM_BENCH_BENCH_H
#define GM_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/status.h"

struct bench {
    int64_t rows;
    bool json;
    const char *only_z; /* measurements whose name begins so; NULL: all */
    const char *folder_z;
};

/* What one measurement in its own process brings home. */
struct bench_result {
    double seconds;
    double more_seconds; /* of a second part, where there is one */
    int64_t rows;        /* at the sink, or whatever was counted */
    int64_t created, updated, unchanged;
    double peak_mb; /* of the process */
    bool failed;
};
typedef void (*bench_fn)(const struct bench *bench, const void *arg, struct bench_result *result);

/* Forks, measures, waits. Ends the program when the measurement failed. */
struct bench_result bench_measure(const struct bench *bench, bench_fn fn, const void *arg);
bool bench_wants(const struct bench *bench, const char *name_z);

struct bench_line {
    const char *name_z;
    double value;
    const char *unit_z;
    const char *baseline_z; /* NULL: none */
    double ratio;           /* value / baseline's value */
};
void bench_print(const struct bench *bench, const struct bench_line *line);
double bench_median(double *values, int count);
void bench_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void bench_must(gm_rc rc, const struct gm_err *err); /* ends the program when it failed */
double bench_now(void);
/* Runs a command of the machine, which must succeed; returns the seconds it took. */
double bench_command(const char *command_z);

/* ---- data.c ---- */

/* erp.db with table items, items.csv of the same rows, models and configurations: in
 * bench->folder_z. */
void bench_make_data(const struct bench *bench);
/* Changes every hundredth row of erp.db. */
void bench_churn(const struct bench *bench);

/* ---- readings.c ---- */

enum { BENCH_SENSORS = 50000 };
/* Reading n of the sensors, one after the other, in the form of the factory's devices: a JSON
 * object, without a line's end. `second` is when it was made, within the hour. */
void bench_add_reading(struct gm_buf *out, int64_t n, int64_t second);

/* ---- server.c ---- */

struct bench_server {
    pid_t pid;
    int stop; /* closed: it ends */
    int port;
};
/* Serves the twin API as a process of its own: fork before threads are started. `model_z` is a file
 * of models, or NULL. */
struct bench_server bench_server_start(const char *config_z, const char *model_z);
void bench_server_stop(struct bench_server *server);
/* The development token of a data directory; the caller frees it. */
char *bench_server_token(const char *data_z);

/* ---- pipeline.c ---- */

/* For bench_measure: one run of all pipelines of the configuration `arg`, a path below
 * bench->folder_z, on the store as it is; counts and seconds are those of the last run's report. */
void bench_run_pipeline(const struct bench *bench, const void *arg, struct bench_result *result);

/* ---- sync.c ---- */

void bench_sync(const struct bench *bench);

/* ---- edit.c ---- */

void bench_edit(const struct bench *bench);

/* ---- stream.c ---- */

void bench_stream(const struct bench *bench);

/* ---- ingest.c ---- */

void bench_ingest(const struct bench *bench);

/* ---- pass.c ---- */

void bench_pass(const struct bench *bench);

/* ---- view.c ---- */

void bench_view(const struct bench *bench);

/* ---- mqtt.c ---- */

void bench_mqtt(const struct bench *bench);

/* ---- status_quo.c ---- */

/* Measures and prints it; 0: there is no PostgreSQL. */
double bench_status_quo(const struct bench *bench);

/* ---- adt.c ---- */

void bench_adt(const struct bench *bench);

/* ---- sink.c ---- */

/* Makes its own data: at most 100,000 rows. */
void bench_sink(const struct bench *bench);

/* ---- query.c ---- */

/* Makes its own data. */
void bench_query(const struct bench *bench);

#endif
