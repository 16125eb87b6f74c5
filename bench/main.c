/* usage: gemel_bench [--json] [--rows N] [--only PREFIX] [--folder DIR] */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "bench.h"

void bench_die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("gemel_bench: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void bench_must(gm_rc rc, const struct gm_err *err)
{
    if (rc != GM_OK) {
        bench_die("%s", err->text);
    }
}

double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double bench_command(const char *command_z)
{
    double before = bench_now();
    /* tidy: calls: the tools it is measured against are commands */
    if (system(command_z) != 0) { /* NOLINT(cert-env33-c) */
        bench_die("%s failed", command_z);
    }
    return bench_now() - before;
}

static void run_child(const struct bench *bench, bench_fn fn, const void *arg, int to)
{
    struct bench_result result = {0};
    fn(bench, arg, &result);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    result.peak_mb = (double)usage.ru_maxrss / 1024;
    if (write(to, &result, sizeof(result)) != (ssize_t)sizeof(result)) {
        _exit(1);
    }
    _exit(0);
}

struct bench_result bench_measure(const struct bench *bench, bench_fn fn, const void *arg)
{
    int ends[2];
    struct bench_result result = {0};
    fflush(stdout);
    if (pipe(ends) != 0) {
        bench_die("pipe: %s", strerror(errno));
    }
    pid_t child = fork();
    if (child < 0) {
        bench_die("fork: %s", strerror(errno));
    }
    if (child == 0) {
        close(ends[0]);
        run_child(bench, fn, arg, ends[1]);
    }
    close(ends[1]);
    ssize_t n = read(ends[0], &result, sizeof(result));
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    if (n != (ssize_t)sizeof(result) || status != 0 || result.failed) {
        bench_die("a measurement failed");
    }
    return result;
}

bool bench_wants(const struct bench *bench, const char *name_z)
{
    size_t n = bench->only_z == NULL ? 0 : strlen(bench->only_z);
    size_t wanted = strlen(name_z);
    return strncmp(name_z, bench->only_z != NULL ? bench->only_z : "", n < wanted ? n : wanted) ==
           0;
}

void bench_print(const struct bench *bench, const struct bench_line *line)
{
    if (bench->json) {
        printf("{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"", line->name_z, line->value,
               line->unit_z);
        if (line->baseline_z != NULL) {
            printf(",\"ratio\":%.4f,\"baseline\":\"%s\"", line->ratio, line->baseline_z);
        }
        puts("}");
    } else {
        printf("%-28s %14.*f %-8s", line->name_z, line->value < 100 ? 2 : 0, line->value,
               line->unit_z);
        if (line->baseline_z != NULL) {
            printf(" %6.1f %% of %s", 100 * line->ratio, line->baseline_z);
        }
        putchar('\n');
    }
    fflush(stdout);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double bench_median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof(*values), by_value);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void parse(int argc, char **argv, struct bench *bench)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            bench->json = true;
        } else if (strcmp(argv[i], "--rows") == 0 && i + 1 < argc) {
            bench->rows = gm_parse_i64(gm_str_z(argv[++i]), &bench->rows) ? bench->rows : 0;
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            bench->only_z = argv[++i];
        } else if (strcmp(argv[i], "--folder") == 0 && i + 1 < argc) {
            bench->folder_z = argv[++i];
        } else {
            bench_die("usage: gemel_bench [--json] [--rows N] [--only PREFIX] [--folder DIR]");
        }
    }
    if (bench->rows < 1000) {
        bench_die("--rows: at least 1000");
    }
}

int main(int argc, char **argv)
{
    struct bench bench = {.rows = 1000000};
    char folder[] = "/tmp/gemel-bench-XXXXXX";
    parse(argc, argv, &bench);
    bool temporary = bench.folder_z == NULL;
    if (temporary && (bench.folder_z = mkdtemp(folder)) == NULL) {
        bench_die("mkdtemp: %s", strerror(errno));
    }
    if (bench_wants(&bench, "sync.")) {
        bench_make_data(&bench);
        bench_sync(&bench);
    }
    bench_edit(&bench);
    bench_stream(&bench);
    bench_ingest(&bench);
    bench_pass(&bench);
    bench_mqtt(&bench);
    bench_view(&bench);
    bench_adt(&bench);
    bench_sink(&bench);
    bench_query(&bench);
    if (temporary) {
        char command[128];
        snprintf(command, sizeof(command), "rm -rf '%s'", bench.folder_z);
        (void)bench_command(command);
    }
    return 0;
}
