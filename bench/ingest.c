/* ingest.*: readings of 50,000 sensors into a durable stream: lines of a file, and requests of 500
 * over HTTP on loopback, the server a process of its own.
 *
 * `ingest.file` ends when all lines are committed and three views (latest, a minute, an hour) have
 * folded them; `ingest.file_stream` is the same without views. Beside it the status quo
 * (status_quo.c). */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "bench.h"
#include "engine/config.h"
#include "hub/hub.h"
#include "hub/ingest.h"
#include "hub/views.h"
#include "os/file.h"
#include "os/thread.h"
#include "store/store.h"

enum {
    ROUNDS = 3,
    FILE_EVENTS = 2000000,
    BATCH = 500, /* events in a request */
    CONNECTIONS = 16,
    REQUESTS = 250, /* of each connection */
    REQUEST_SIZE_MAX = 1 << 20,
    ANSWER_SIZE = 4096,
};

static const char configuration[] =
    "data: ./ingest\n"
    "admin: { enabled: false }\n"
    "log: { level: warn }\n"
    "api: { listen: \"127.0.0.1:0\", tls: { off: true } }\n"
    "streams: { telemetry: { key: machine.machineId, time: timeCreated } }\n";
static const char views[] =
    "views:\n"
    "  latest:\n"
    "    stream: telemetry\n"
    "    values: { t: { of: machine.temperature }, p: { of: machine.pressure },\n"
    "              e: { of: machine.electricityUtilization } }\n"
    "  minutes:\n"
    "    stream: telemetry\n"
    "    window: 1m\n"
    "    values: &windowed\n"
    "      t: { of: machine.temperature, as: [count, mean, min, max] }\n"
    "      p: { of: machine.pressure, as: [count, mean, min, max] }\n"
    "      e: { of: machine.electricityUtilization, as: [count, mean, min, max] }\n"
    "  hours: { stream: telemetry, window: 1h, values: *windowed }\n";

static void add_line(struct gm_buf *out, int64_t n)
{
    bench_add_reading(out, n, n / BENCH_SENSORS);
    gm_buf_add_char(out, '\n');
}

/* ---- what both open ---- */

struct world {
    struct gm_config *config;
    struct gm_store *store;
    struct gm_hub *hub;
    struct gm_views *views;
};

static char *write_config(const struct bench *bench, const char *views_z)
{
    struct gm_err err = {0};
    char *config_z = gm_format_z("%s/ingest.yaml", bench->folder_z);
    GM_AUTO_FREE char *text_z = gm_format_z("%s%s", configuration, views_z);
    bench_must(gm_file_write_atomic(config_z, gm_str_z(text_z), 0600, &err), &err);
    return config_z;
}

static void open_world(const struct bench *bench, const char *views_z, struct world *world)
{
    struct gm_err err = {0};
    GM_AUTO_FREE char *config_z = write_config(bench, views_z);
    bench_must(gm_config_load(config_z, &world->config, &err), &err);
    const struct gm_config_root *root = gm_config_root(world->config);
    const struct gm_store_options store = {.folder_z = root->data};
    bench_must(gm_store_open(&store, &world->store, &err), &err);
    const struct gm_hub_options hub = {
        .streams = &root->streams, .folder_z = root->data, .clock = gm_clock_system()};
    bench_must(gm_hub_open(&hub, &world->hub, &err), &err);
    const struct gm_views_options followed = {.views = &root->views,
                                              .streams = gm_hub_directory(world->hub),
                                              .store = world->store,
                                              .folder_z = root->data};
    bench_must(gm_views_open(&followed, &world->views, &err), &err);
}

static void close_world(struct world *world)
{
    gm_views_close(world->views);
    gm_hub_close(world->hub);
    gm_store_close(world->store);
    gm_config_free(world->config);
}

static void remove_world(const struct bench *bench)
{
    GM_AUTO_FREE char *command_z = gm_format_z("rm -rf '%s/ingest'", bench->folder_z);
    (void)bench_command(command_z);
}

/* ---- a file ---- */

static void write_file(const char *path_z)
{
    struct gm_file *file;
    struct gm_err err = {0};
    struct gm_buf text;
    gm_buf_init(&text, 4 << 20);
    bench_must(gm_file_create(path_z, &file, &err), &err);
    for (int64_t n = 0; n < FILE_EVENTS; n++) {
        add_line(&text, n);
        if (text.n > (1 << 20) || n + 1 == FILE_EVENTS) {
            bench_must(gm_file_write(file, gm_buf_str(&text), &err), &err);
            gm_buf_reset(&text);
        }
    }
    gm_file_close(file);
    gm_buf_deinit(&text);
}

static gm_rc read_file(void *ctx, void *to, size_t size, size_t *out_n, struct gm_err *err)
{
    return gm_file_read(ctx, to, size, out_n, err);
}

/* Until every view has folded what is committed. */
static void await_views(struct world *world)
{
    struct gm_stop *never = gm_stop_new();
    for (size_t i = 0; i < gm_views_count(world->views); i++) {
        struct gm_views_status status;
        gm_views_status(world->views, i, &status);
        while (status.rc == GM_OK && status.lag > 0) {
            (void)gm_stop_wait(never, GM_MS);
            gm_views_status(world->views, i, &status);
        }
        bench_must(status.rc, &status.why);
        if (status.info.keys != BENCH_SENSORS) {
            bench_die("ingest.file: a view of %zu keys", status.info.keys);
        }
    }
    gm_stop_free(never);
}

struct filing {
    const char *path_z;
    const char *views_z; /* of the configuration; "": none */
};

static void ingest_file(const struct bench *bench, const void *arg, struct bench_result *result)
{
    const struct filing *filing = arg;
    struct gm_err err = {0};
    struct world world;
    struct gm_file *file;
    open_world(bench, filing->views_z, &world);
    const struct gm_hub_stream *stream = gm_hub_find(world.hub, GM_STR("telemetry"));
    bench_must(gm_file_open(filing->path_z, &file, &err), &err);
    struct gm_ingest ingest = {
        .stream = stream->stream, .decoder = stream->decoder, .read = read_file, .ctx = file};
    double start = bench_now();
    bench_must(gm_ingest_run(&ingest, &err), &err);
    await_views(&world);
    result->seconds = bench_now() - start;
    result->rows = ingest.appended;
    gm_file_close(file);
    close_world(&world);
}

/* Returns events a second. */
static double measure_file(const struct bench *bench, const struct filing *filing, double *memory)
{
    double rates[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        remove_world(bench);
        struct bench_result result = bench_measure(bench, ingest_file, filing);
        if (result.rows != FILE_EVENTS) {
            bench_die("ingest.file: %lld events appended", (long long)result.rows);
        }
        rates[i] = (double)result.rows / result.seconds;
        *memory = result.peak_mb;
    }
    return bench_median(rates, ROUNDS);
}

static void bench_file(const struct bench *bench)
{
    double memory;
    GM_AUTO_FREE char *path_z = gm_format_z("%s/ingest.ndjson", bench->folder_z);
    const struct filing alone = {path_z, ""}, viewed = {path_z, views};
    double status_quo = bench_status_quo(bench);
    write_file(path_z);
    double rate = measure_file(bench, &viewed, &memory);
    bench_print(bench,
                &(struct bench_line){.name_z = "ingest.file",
                                     .value = rate,
                                     .unit_z = "events/s",
                                     .baseline_z = status_quo > 0 ? "ingest.status_quo" : NULL,
                                     .ratio = status_quo > 0 ? rate / status_quo : 0});
    bench_print(bench, &(struct bench_line){
                           .name_z = "ingest.file.memory", .value = memory, .unit_z = "MB"});
    bench_print(bench, &(struct bench_line){.name_z = "ingest.file_stream",
                                            .value = measure_file(bench, &alone, &memory),
                                            .unit_z = "events/s"});
}

/* ---- HTTP ---- */

struct client {
    struct gm_thread *thread;
    struct gm_buf request;
    int port;
    int64_t appended;
};

static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        bench_die("connect: %s", strerror(errno));
    }
    return fd;
}

static void send_all(int fd, struct gm_str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(fd, bytes.p, bytes.n, 0);
        if (n <= 0) {
            bench_die("send: %s", strerror(errno));
        }
        bytes = (struct gm_str){bytes.p + n, bytes.n - (size_t)n};
    }
}

/* An answer is short, and its body ends with a brace. */
static void read_answer(int fd)
{
    char text[ANSWER_SIZE + 1];
    size_t n = 0;
    do {
        ssize_t got = recv(fd, text + n, ANSWER_SIZE - n, 0);
        if (got <= 0) {
            bench_die("recv: %s", strerror(errno));
        }
        n += (size_t)got;
        text[n] = '\0';
    } while (n < ANSWER_SIZE && text[n - 1] != '}');
    if (strstr(text, "\"appended\":500") == NULL) {
        bench_die("ingest.http: %s", text);
    }
}

static void send_requests(void *arg)
{
    struct client *client = arg;
    int fd = connect_to(client->port);
    for (int i = 0; i < REQUESTS; i++) {
        send_all(fd, gm_buf_str(&client->request));
        read_answer(fd);
        client->appended += BATCH;
    }
    close(fd);
}

static void make_request(const struct bench *bench, struct client *client, int index)
{
    struct gm_buf body;
    GM_AUTO_FREE char *data_z = gm_format_z("%s/ingest", bench->folder_z);
    GM_AUTO_FREE char *token_z = bench_server_token(data_z);
    gm_buf_init(&body, REQUEST_SIZE_MAX);
    gm_buf_init(&client->request, REQUEST_SIZE_MAX);
    for (int i = 0; i < BATCH; i++) {
        add_line(&body, (int64_t)index * BATCH + i);
    }
    gm_buf_addf(&client->request,
                "POST /streams/telemetry/events HTTP/1.1\r\nHost: localhost\r\n"
                "Authorization: Bearer %s\r\nContent-Type: application/x-ndjson\r\n"
                "Content-Length: %zu\r\n\r\n",
                token_z, body.n);
    gm_buf_add(&client->request, gm_buf_str(&body));
    gm_buf_deinit(&body);
}

static int64_t send_from_all(const struct bench *bench, int port)
{
    struct client clients[CONNECTIONS] = {0};
    struct gm_err err = {0};
    int64_t appended = 0;
    for (int i = 0; i < CONNECTIONS; i++) {
        clients[i].port = port;
        make_request(bench, &clients[i], i);
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        bench_must(gm_thread_start("bench", send_requests, &clients[i], &clients[i].thread, &err),
                   &err);
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        gm_thread_join(clients[i].thread);
        gm_buf_deinit(&clients[i].request);
        appended += clients[i].appended;
    }
    return appended;
}

static void ingest_http(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)arg;
    GM_AUTO_FREE char *config_z = write_config(bench, "");
    struct bench_server server = bench_server_start(config_z, NULL);
    double start = bench_now();
    result->rows = send_from_all(bench, server.port);
    result->seconds = bench_now() - start;
    bench_server_stop(&server);
}

static void bench_http(const struct bench *bench)
{
    double rates[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        remove_world(bench);
        struct bench_result result = bench_measure(bench, ingest_http, NULL);
        rates[i] = (double)result.rows / result.seconds;
    }
    bench_print(bench, &(struct bench_line){.name_z = "ingest.http",
                                            .value = bench_median(rates, ROUNDS),
                                            .unit_z = "events/s"});
}

void bench_ingest(const struct bench *bench)
{
    if (bench_wants(bench, "ingest.file") || bench_wants(bench, "ingest.status_quo")) {
        bench_file(bench);
    }
    if (bench_wants(bench, "ingest.http")) {
        bench_http(bench);
    }
}
