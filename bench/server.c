/* A Gemel in a process of its own, which serves the twin API, and streams where its configuration
 * has some. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/adt/adt.h"
#include "api/streams/streams.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "bench.h"
#include "hub/hub.h"
#include "hub/views.h"
#include "os/file.h"

struct serving {
    struct gm_config *config;
    struct gm_store *store;
    struct gm_hub *hub;             /* NULL: no streams */
    struct gm_views *views;         /* likewise */
    struct gm_streams_api *streams; /* likewise */
    struct gm_adt *adt;
};

static void start_streams(struct serving *serving)
{
    struct gm_err err = {0};
    const struct gm_config_root *root = gm_config_root(serving->config);
    const struct gm_hub_options hub = {
        .streams = &root->streams, .folder_z = root->data, .clock = gm_clock_system()};
    bench_must(gm_hub_open(&hub, &serving->hub, &err), &err);
    const struct gm_views_options views = {.views = &root->views,
                                           .streams = gm_hub_directory(serving->hub),
                                           .store = serving->store,
                                           .folder_z = root->data};
    bench_must(gm_views_open(&views, &serving->views, &err), &err);
    const struct gm_streams_api_options streams = {
        .hub = serving->hub, .store = serving->store, .views = serving->views};
    bench_must(gm_streams_api_open(&streams, &serving->streams, &err), &err);
}

static void start_serving(const char *config_z, const char *model_z, struct serving *serving)
{
    struct gm_err err = {0};
    size_t added;
    bench_must(gm_config_load(config_z, &serving->config, &err), &err);
    const struct gm_config_root *root = gm_config_root(serving->config);
    bench_must(
        gm_store_open(&(struct gm_store_options){.folder_z = root->data}, &serving->store, &err),
        &err);
    if (model_z != NULL) {
        bench_must(gm_store_add_models(serving->store, model_z, &added, &err), &err);
    }
    struct gm_adt_options adt = {.config = serving->config, .store = serving->store};
    if (root->streams.n > 0) {
        start_streams(serving);
        adt.mount.operations = gm_streams_api_operations();
        adt.mount.ctx = serving->streams;
    }
    bench_must(gm_adt_start(&adt, &serving->adt, &err), &err);
}

static void stop_serving(struct serving *serving)
{
    gm_streams_api_stop(serving->streams);
    gm_adt_stop(serving->adt);
    gm_streams_api_close(serving->streams);
    gm_views_close(serving->views);
    gm_hub_close(serving->hub);
    gm_store_close(serving->store);
    gm_config_free(serving->config);
}

/* In the server's process, until the other end of `stop` is closed. */
static void serve(const char *config_z, const char *model_z, int tell, int stop)
{
    struct serving serving = {0};
    char byte;
    start_serving(config_z, model_z, &serving);
    GM_AUTO_FREE char *line_z = gm_format_z("%s\n", strrchr(gm_adt_url_z(serving.adt), ':') + 1);
    if (write(tell, line_z, strlen(line_z)) < 0) {
        bench_die("pipe: %s", strerror(errno));
    }
    while (read(stop, &byte, 1) > 0) {
    }
    stop_serving(&serving);
    _exit(0);
}

struct bench_server bench_server_start(const char *config_z, const char *model_z)
{
    int tell[2], stop[2];
    char line[32] = "";
    struct bench_server server = {0};
    fflush(stdout);
    if (pipe(tell) != 0 || pipe(stop) != 0 || (server.pid = fork()) < 0) {
        bench_die("the server does not start: %s", strerror(errno));
    }
    if (server.pid == 0) {
        close(tell[0]);
        close(stop[1]);
        serve(config_z, model_z, tell[1], stop[0]);
    }
    close(tell[1]);
    close(stop[0]);
    int64_t port = 0;
    ssize_t n = read(tell[0], line, sizeof(line) - 1);
    if (n <= 0 || !gm_parse_i64(gm_str_trim((struct gm_str){line, (size_t)n}), &port)) {
        bench_die("the server does not start");
    }
    close(tell[0]);
    server.port = (int)port;
    server.stop = stop[1];
    return server;
}

void bench_server_stop(struct bench_server *server)
{
    int status;
    close(server->stop);
    waitpid(server->pid, &status, 0);
    if (status != 0) {
        bench_die("the server failed");
    }
}

char *bench_server_token(const char *data_z)
{
    struct gm_buf token;
    struct gm_err err = {0};
    GM_AUTO_FREE char *path_z = gm_format_z("%s/tokens/development", data_z);
    gm_buf_init(&token, 4096);
    bench_must(gm_file_read_all(path_z, &token, &err), &err);
    char *text_z = gm_str_dup_z(gm_str_trim(gm_buf_str(&token)));
    gm_buf_deinit(&token);
    return text_z;
}
