#include "support/wire.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "os/poll.h"
#include "support/check.h"

enum { WAIT_S = 30, ANSWER_SIZE_MAX = 128 << 20 };

struct wire {
    int fd;
    gnutls_session_t tls; /* NULL: plain */
    gnutls_certificate_credentials_t credentials;
    struct gm_buf in;
    size_t answer_size; /* of the answer at the beginning of `in` */
    size_t body_at;
};

static int connect_to(const char *url_z)
{
    const char *colon_z = strrchr(url_z, ':');
    int64_t port = 0;
    int yes = 1;
    assert_true(gm_parse_i64(gm_str_z(colon_z + 1), &port));
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = WAIT_S};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool shake_hands(struct wire *wire, const char *trust_z)
{
    assert_int_equal(gnutls_certificate_allocate_credentials(&wire->credentials), 0);
    assert_int_equal(gnutls_init(&wire->tls, GNUTLS_CLIENT), 0);
    assert_int_equal(gnutls_set_default_priority(wire->tls), 0);
    if (trust_z != NULL) {
        GM_AUTO_FREE char *copy_z = gm_strdup_z(trust_z);
        gnutls_datum_t pem = {(unsigned char *)copy_z, (unsigned)strlen(copy_z)};
        assert_int_equal(
            gnutls_certificate_set_x509_trust_mem(wire->credentials, &pem, GNUTLS_X509_FMT_PEM), 1);
        gnutls_session_set_verify_cert(wire->tls, "localhost", 0);
    }
    assert_int_equal(gnutls_credentials_set(wire->tls, GNUTLS_CRD_CERTIFICATE, wire->credentials),
                     0);
    gnutls_transport_set_int(wire->tls, wire->fd);
    int error;
    do {
        error = gnutls_handshake(wire->tls);
    } while (error < 0 && gnutls_error_is_fatal(error) == 0);
    return error == 0;
}

struct wire *wire_try_open(const char *url_z, const char *trust_z)
{
    int fd = connect_to(url_z);
    if (fd < 0) {
        return NULL;
    }
    struct wire *wire = gm_alloc(sizeof(*wire));
    wire->fd = fd;
    gm_buf_init(&wire->in, ANSWER_SIZE_MAX);
    if (strncmp(url_z, "https:", 6) == 0 && !shake_hands(wire, trust_z)) {
        wire_close(wire);
        return NULL;
    }
    return wire;
}

struct wire *wire_open(const char *url_z, const char *trust_z)
{
    struct wire *wire = wire_try_open(url_z, trust_z);
    assert_non_null(wire);
    return wire;
}

void wire_close(struct wire *wire)
{
    if (wire == NULL) {
        return;
    }
    if (wire->tls != NULL) {
        gnutls_deinit(wire->tls);
        gnutls_certificate_free_credentials(wire->credentials);
    }
    (void)close(wire->fd);
    gm_buf_deinit(&wire->in);
    gm_free(wire);
}

bool wire_try_send(struct wire *wire, struct gm_str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = wire->tls != NULL ? gnutls_record_send(wire->tls, bytes.p, bytes.n)
                                      : send(wire->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        bytes = (struct gm_str){bytes.p + n, bytes.n - (size_t)n};
    }
    return true;
}

void wire_send(struct wire *wire, const char *text_z)
{
    assert_true(wire_try_send(wire, gm_str_z(text_z)));
}

/* False: the end. */
static bool receive(struct wire *wire)
{
    enum { PIECE_SIZE = 16 << 10 };
    char *to = gm_buf_reserve(&wire->in, PIECE_SIZE);
    assert_non_null(to);
    ssize_t n = wire->tls != NULL ? gnutls_record_recv(wire->tls, to, PIECE_SIZE)
                                  : recv(wire->fd, to, PIECE_SIZE, 0);
    if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) {
        return wire->tls != NULL;
    }
    if (n > 0) {
        gm_buf_commit(&wire->in, (size_t)n);
    }
    return n > 0;
}

size_t wire_trickle(struct wire *wire, const char *text_z, int pause_ms)
{
    size_t sent = 0;
    for (; text_z[sent] != '\0'; sent++) {
        struct gm_deadline pause = gm_deadline_in(pause_ms * GM_MS, NULL);
        if (!wire_try_send(wire, (struct gm_str){text_z + sent, 1}) ||
            gm_poll(wire->fd, GM_POLL_READ, &pause) == GM_OK) {
            break;
        }
    }
    return sent;
}

/* Where the first answer's headers end, with the empty line; 0: they are not whole. */
static size_t headers_end(const struct wire *wire)
{
    const char *end = wire->in.n > 0 ? strstr(wire->in.p, "\r\n\r\n") : NULL;
    return end != NULL ? (size_t)(end - wire->in.p) + 4 : 0;
}

static int read_answer(struct wire *wire, bool body)
{
    int64_t length = 0, status = 0;
    if (wire->answer_size > 0) {
        wire->in.n -= wire->answer_size;
        memmove(wire->in.p, wire->in.p + wire->answer_size, wire->in.n + 1); /* with its NUL */
    }
    wire->answer_size = 0;
    while ((wire->body_at = headers_end(wire)) == 0) {
        if (!receive(wire)) {
            return 0;
        }
    }
    assert_true(gm_parse_i64((struct gm_str){wire->in.p + strlen("HTTP/1.1 "), 3}, &status));
    struct gm_str text = wire_header(wire, "Content-Length");
    assert_true(text.p == NULL || gm_parse_i64(text, &length));
    length = body ? length : 0;
    while (wire->in.n < wire->body_at + (size_t)length) {
        if (!receive(wire)) {
            return 0;
        }
    }
    wire->answer_size = wire->body_at + (size_t)length;
    return (int)status;
}

int wire_try_status(struct wire *wire)
{
    return read_answer(wire, true);
}

int wire_status(struct wire *wire)
{
    int status = wire_try_status(wire);
    assert_int_not_equal(status, 0);
    return status;
}

struct gm_str wire_body(const struct wire *wire)
{
    return (struct gm_str){wire->in.p + wire->body_at, wire->answer_size - wire->body_at};
}

struct gm_str wire_header(const struct wire *wire, const char *name_z)
{
    struct gm_str rest = {wire->in.p, wire->body_at}, line, name, value;
    while (rest.n > 0) {
        (void)gm_str_cut(rest, '\n', &line, &rest);
        if (gm_str_cut(line, ':', &name, &value) && name.n == strlen(name_z) &&
            strncasecmp(name.p, name_z, name.n) == 0) {
            return gm_str_trim(value);
        }
    }
    return (struct gm_str){NULL, 0};
}

bool wire_ended(struct wire *wire)
{
    size_t before = wire->in.n;
    return !receive(wire) && wire->in.n == before;
}

static int ask(struct wire *wire, const char *method_z, const char *path_z)
{
    GM_AUTO_FREE char *text_z =
        gm_format_z("%s %s HTTP/1.1\r\nHost: localhost\r\n\r\n", method_z, path_z);
    return wire_try_send(wire, gm_str_z(text_z)) ? read_answer(wire, strcmp(method_z, "HEAD") != 0)
                                                 : 0;
}

int wire_get(struct wire *wire, const char *path_z)
{
    return ask(wire, "GET", path_z);
}

int wire_head(struct wire *wire, const char *path_z)
{
    return ask(wire, "HEAD", path_z);
}
