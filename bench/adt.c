/* adt.*: the twin API over TLS with keep-alive, durable. The server is a process of its own; the
 * client, on the same processors, keeps a request under way on each of its connections. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "api/adt/adt.h"
#include "base/mem.h"
#include "base/num.h"
#include "bench.h"
#include "os/file.h"
#include "os/thread.h"

enum {
    THREADS = 2,
    CONNECTIONS = 128, /* of each thread: as many writes can share a sync */
    TWINS = 40000,
    BUFFER_SIZE = 16 << 10,
    SECONDS = 4, /* of a measurement that has no number of its own */
};

/* ---- the server ---- */

struct server {
    struct bench_server process;
    char *token_z;
    char *authority_z;
};

static const char configuration[] = "data: ./adt\n"
                                    "admin: { enabled: false }\n"
                                    "log: { level: warn }\n"
                                    "api: { listen: \"127.0.0.1:0\" }\n";
static const char model[] =
    "{\"@id\":\"dtmi:bench:Machine;1\",\"@type\":\"Interface\",\"@context\":\"dtmi:dtdl:context;"
    "3\","
    "\"contents\":[{\"@type\":\"Property\",\"name\":\"name\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"site\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"temperature\",\"schema\":\"double\"},"
    "{\"@type\":\"Property\",\"name\":\"speed\",\"schema\":\"integer\"},"
    "{\"@type\":\"Property\",\"name\":\"running\",\"schema\":\"boolean\"}]}";

static struct server start_server(const struct bench *bench)
{
    struct gm_err err = {0};
    GM_AUTO_FREE char *config_z = gm_format_z("%s/adt.yaml", bench->folder_z);
    GM_AUTO_FREE char *model_z = gm_format_z("%s/adt-model.json", bench->folder_z);
    GM_AUTO_FREE char *data_z = gm_format_z("%s/adt", bench->folder_z);
    bench_must(gm_file_write_atomic(config_z, gm_str_z(configuration), 0600, &err), &err);
    bench_must(gm_file_write_atomic(model_z, gm_str_z(model), 0600, &err), &err);
    return (struct server){.process = bench_server_start(config_z, model_z),
                           .token_z = bench_server_token(data_z),
                           .authority_z = gm_format_z("%s/tls/ca.pem", data_z)};
}

static void stop_server(struct server *server)
{
    bench_server_stop(&server->process);
    gm_free(server->token_z);
    gm_free(server->authority_z);
}

/* ---- a connection ---- */

struct connection {
    gnutls_session_t tls;
    int fd;
    size_t filled; /* bytes of `in` */
    char in[BUFFER_SIZE];
};

static void must_tls(int rc, const char *what_z)
{
    if (rc < 0) {
        bench_die("%s: %s", what_z, gnutls_strerror(rc));
    }
}

static void open_connection(struct connection *connection, const struct server *server,
                            gnutls_certificate_credentials_t credentials)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)server->process.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, rc;
    connection->filled = 0;
    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        bench_die("connect: %s", strerror(errno));
    }
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    must_tls(gnutls_init(&connection->tls, GNUTLS_CLIENT), "TLS");
    must_tls(gnutls_set_default_priority(connection->tls), "TLS");
    must_tls(gnutls_credentials_set(connection->tls, GNUTLS_CRD_CERTIFICATE, credentials), "TLS");
    gnutls_session_set_verify_cert(connection->tls, "localhost", 0);
    gnutls_transport_set_int(connection->tls, connection->fd);
    do {
        rc = gnutls_handshake(connection->tls);
    } while (rc < 0 && !gnutls_error_is_fatal(rc));
    must_tls(rc, "handshake");
}

static void close_connection(struct connection *connection)
{
    gnutls_deinit(connection->tls);
    close(connection->fd);
}

static void send_request(struct connection *connection, struct gm_str request)
{
    ssize_t n = gnutls_record_send(connection->tls, request.p, request.n);
    if (n != (ssize_t)request.n) {
        bench_die("a request was not sent");
    }
}

/* The number that text begins with. */
static size_t number_at(const char *text)
{
    int64_t number = 0;
    size_t n = strspn(text, "0123456789");
    return gm_parse_i64((struct gm_str){text, n}, &number) ? (size_t)number : 0;
}

/* How many bytes the answer at the beginning of `in` has; SIZE_MAX: its headers are not there
 * yet. */
static size_t answer_size(struct connection *connection)
{
    static const char name[] = "\r\nContent-Length: ";
    connection->in[connection->filled] = '\0';
    const char *end = strstr(connection->in, "\r\n\r\n");
    const char *length = end != NULL ? strstr(connection->in, name) : NULL;
    size_t body = length != NULL && length < end ? number_at(length + sizeof(name) - 1) : 0;
    return end != NULL ? (size_t)(end - connection->in) + 4 + body : SIZE_MAX;
}

/* The status of the next answer, which is read to its end. */
static int read_answer(struct connection *connection)
{
    size_t size;
    while ((size = answer_size(connection)) > connection->filled) {
        ssize_t n = gnutls_record_recv(connection->tls, connection->in + connection->filled,
                                       BUFFER_SIZE - 1 - connection->filled);
        if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) {
            continue;
        }
        if (n <= 0) {
            bench_die("an answer did not come: %s", gnutls_strerror((int)n));
        }
        connection->filled += (size_t)n;
    }
    int status = (int)number_at(connection->in + 9);
    memmove(connection->in, connection->in + size, connection->filled - size);
    connection->filled -= size;
    return status;
}

/* ---- the load ---- */

struct load {
    const struct server *server;
    const char *method_z;
    int status;             /* that each answer must have */
    int64_t total;          /* requests; 0: as many as go in SECONDS */
    bool one;               /* always the same twin */
    _Atomic int64_t number; /* of the next request */
    double until;
};

/* Scatters requests over the twins, each of which is met about as often as the others. */
static int64_t twin_of(const struct load *load, int64_t number)
{
    return load->one ? 0 : load->total > 0 ? number : number * 7919 % TWINS;
}

static void write_request(const struct load *load, int64_t number, struct gm_buf *out)
{
    char body[512];
    long long twin = twin_of(load, number);
    int n = 0;
    if (strcmp(load->method_z, "PUT") == 0) {
        n = snprintf(body, sizeof(body),
                     "{\"$metadata\":{\"$model\":\"dtmi:bench:Machine;1\"},\"name\":\"machine "
                     "%lld\",\"site\":\"site-%lld\",\"temperature\":%lld.5,\"speed\":%lld,"
                     "\"running\":true}",
                     twin, twin % 50, twin % 90, twin % 3000);
    } else if (strcmp(load->method_z, "PATCH") == 0) {
        n = snprintf(body, sizeof(body),
                     "[{\"op\":\"replace\",\"path\":\"/temperature\",\"value\":%lld.25}]",
                     (long long)(number % 1000));
    }
    gm_buf_reset(out);
    gm_buf_addf(out,
                "%s /digitaltwins/machine-%lld?api-version=2023-10-31 HTTP/1.1\r\nHost: "
                "localhost\r\nAuthorization: Bearer %s\r\n",
                load->method_z, twin, load->server->token_z);
    if (n > 0) {
        gm_buf_addf(out, "Content-Type: application/json\r\nContent-Length: %d\r\n", n);
    }
    gm_buf_add_z(out, "\r\n");
    gm_buf_add(out, (struct gm_str){body, (size_t)n});
}

/* False: no more requests are to be sent. */
static bool send_next(struct load *load, struct connection *connection, struct gm_buf *request)
{
    int64_t number = atomic_fetch_add(&load->number, 1);
    if (load->total > 0 ? number >= load->total : bench_now() >= load->until) {
        atomic_fetch_sub(&load->number, 1);
        return false;
    }
    write_request(load, number, request);
    send_request(connection, gm_buf_str(request));
    return true;
}

static void run_client(void *arg)
{
    struct load *load = arg;
    struct connection *connections = gm_alloc_array(CONNECTIONS, sizeof(*connections));
    bool waiting[CONNECTIONS];
    gnutls_certificate_credentials_t credentials;
    struct gm_buf request;
    gm_buf_init(&request, BUFFER_SIZE);
    must_tls(gnutls_certificate_allocate_credentials(&credentials), "TLS");
    must_tls(gnutls_certificate_set_x509_trust_file(credentials, load->server->authority_z,
                                                    GNUTLS_X509_FMT_PEM),
             "the authority");
    for (size_t i = 0; i < CONNECTIONS; i++) {
        open_connection(&connections[i], load->server, credentials);
    }
    size_t under_way = 0;
    for (size_t i = 0; i < CONNECTIONS; i++) {
        waiting[i] = send_next(load, &connections[i], &request);
        under_way += waiting[i];
    }
    for (size_t i = 0; under_way > 0; i = (i + 1) % CONNECTIONS) {
        if (!waiting[i]) {
            continue;
        }
        int status = read_answer(&connections[i]);
        if (status != load->status) {
            bench_die("%s was answered %d", load->method_z, status);
        }
        waiting[i] = send_next(load, &connections[i], &request);
        under_way -= !waiting[i];
    }
    for (size_t i = 0; i < CONNECTIONS; i++) {
        close_connection(&connections[i]);
    }
    gnutls_certificate_free_credentials(credentials);
    gm_buf_deinit(&request);
    gm_free(connections);
}

/* What to measure, and the result's count of requests. */
struct measurement {
    const char *name_z;
    const char *method_z;
    int64_t total;
    int status;
    bool one;
};

static void run_load(const struct bench *bench, const void *arg, struct bench_result *result)
{
    const struct measurement *measurement = arg;
    struct gm_err err = {0};
    struct gm_thread *threads[THREADS];
    struct server server = start_server(bench);
    struct load load = {.server = &server,
                        .method_z = measurement->method_z,
                        .status = measurement->status,
                        .total = measurement->total,
                        .one = measurement->one};
    double before = bench_now();
    load.until = before + SECONDS;
    for (size_t i = 0; i < THREADS; i++) {
        bench_must(gm_thread_start("client", run_client, &load, &threads[i], &err), &err);
    }
    for (size_t i = 0; i < THREADS; i++) {
        gm_thread_join(threads[i]);
    }
    result->seconds = bench_now() - before;
    result->rows = atomic_load(&load.number);
    stop_server(&server);
}

/* Every answered write is there: one change each. */
static void check_changes(const struct bench *bench, int64_t wanted)
{
    struct gm_err err = {0};
    struct gm_db *db;
    struct gm_stmt *stmt;
    GM_AUTO_FREE char *folder_z = gm_format_z("%s/adt", bench->folder_z);
    bench_must(gm_store_open_reader(folder_z, &db, &err), &err);
    bench_must(gm_db_prepare(db, "SELECT SUM(count) FROM changes", &stmt, &err), &err);
    bench_must(gm_step(stmt, &err), &err);
    if (gm_column_i64(stmt, 0) != wanted) {
        bench_die("adt: %lld changes, not %lld", (long long)gm_column_i64(stmt, 0),
                  (long long)wanted);
    }
    gm_db_close(db);
}

void bench_adt(const struct bench *bench)
{
    static const struct measurement measurements[] = {
        {"adt.create", "PUT", TWINS, 200, false},
        {"adt.read", "GET", 0, 200, false},
        {"adt.patch", "PATCH", 0, 204, false},
        {"adt.one_twin", "PATCH", 0, 204, true},
    };
    int64_t changes = 0;
    if (bench->only_z != NULL && strncmp(bench->only_z, "adt", strlen("adt")) != 0) {
        return;
    }
    GM_AUTO_FREE char *remove_z = gm_format_z("rm -rf '%s/adt'", bench->folder_z);
    (void)bench_command(remove_z);
    for (size_t i = 0; i < GM_ARRAY_COUNT(measurements); i++) {
        const struct measurement *measurement = &measurements[i];
        bool wanted = bench_wants(bench, measurement->name_z);
        if (!wanted && measurement->total == 0) {
            continue; /* what makes the twins is needed always */
        }
        struct bench_result result = bench_measure(bench, run_load, measurement);
        changes += strcmp(measurement->method_z, "GET") != 0 ? result.rows : 0;
        check_changes(bench, changes);
        if (wanted) {
            bench_print(bench, &(struct bench_line){measurement->name_z,
                                                    (double)result.rows / result.seconds, "calls/s",
                                                    NULL, 0});
        }
    }
}
