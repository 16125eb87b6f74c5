#include "os/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"
#include "base/str.h"

enum { BACKLOG = 128 };

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at;
    socklen_t size;
};

static bool parse_host(const char *host_z, bool bracketed, in_port_t port,
                       struct address *out_address)
{
    *out_address = (struct address){0};
    if (bracketed) {
        out_address->at.v6.sin6_family = AF_INET6;
        out_address->at.v6.sin6_port = port;
        out_address->size = sizeof(out_address->at.v6);
        return inet_pton(AF_INET6, host_z, &out_address->at.v6.sin6_addr) == 1;
    }
    out_address->at.v4.sin_family = AF_INET;
    out_address->at.v4.sin_port = port;
    out_address->size = sizeof(out_address->at.v4);
    return inet_pton(AF_INET, strcmp(host_z, "localhost") == 0 ? "127.0.0.1" : host_z,
                     &out_address->at.v4.sin_addr) == 1;
}

static gm_rc parse(const char *address_z, struct address *out_address, struct gm_err *err)
{
    char host[INET6_ADDRSTRLEN];
    int64_t port;
    const char *colon_z = strrchr(address_z, ':');
    bool bracketed =
        address_z[0] == '[' && colon_z != NULL && colon_z > address_z && colon_z[-1] == ']';
    if (colon_z != NULL && gm_parse_i64(gm_str_z(colon_z + 1), &port) && port >= 0 &&
        port <= 65535) {
        const char *from_z = address_z + (bracketed ? 1 : 0);
        size_t n = (size_t)(colon_z - from_z) - (bracketed ? 1 : 0);
        if (n < sizeof(host)) {
            memcpy(host, from_z, n);
            host[n] = '\0';
            if (parse_host(host, bracketed, htons((uint16_t)port), out_address)) {
                return GM_OK;
            }
        }
    }
    return gm_fail(err, GM_E_CONFIG, "%s: no address to listen at; write 127.0.0.1:PORT",
                   address_z);
}

static gm_rc fail(const char *address_z, int error, struct gm_err *err)
{
    if (error == EADDRINUSE) {
        return gm_fail(err, GM_E_CONFIG, "%s: another process listens there", address_z);
    }
    return gm_fail(err, GM_E_CONFIG, "%s: cannot listen there: %s", address_z, strerror(error));
}

static bool open_socket(const struct address *address, int *out_fd)
{
    int yes = 1;
    int fd = socket(address->at.any.sa_family, SOCK_STREAM, 0);
    *out_fd = fd;
    return fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
           bind(fd, &address->at.any, address->size) == 0 && listen(fd, BACKLOG) == 0;
}

static bool write_bound(int fd, char out_address[GM_ADDRESS_TEXT_SIZE])
{
    char host[INET6_ADDRSTRLEN];
    struct address bound = {.size = sizeof(bound.at)};
    if (getsockname(fd, &bound.at.any, &bound.size) != 0) {
        return false;
    }
    bool v6 = bound.at.any.sa_family == AF_INET6;
    const void *bytes =
        v6 ? (const void *)&bound.at.v6.sin6_addr : (const void *)&bound.at.v4.sin_addr;
    if (inet_ntop(bound.at.any.sa_family, bytes, host, sizeof(host)) == NULL) {
        return false;
    }
    snprintf(out_address, GM_ADDRESS_TEXT_SIZE, v6 ? "[%s]:%u" : "%s:%u", host,
             (unsigned)ntohs(v6 ? bound.at.v6.sin6_port : bound.at.v4.sin_port));
    return true;
}

gm_rc gm_listen(const char *address_z, int *out_fd, char out_address[GM_ADDRESS_TEXT_SIZE],
                struct gm_err *err)
{
    struct address address;
    int fd;
    GM_TRY(parse(address_z, &address, err));
    if (!open_socket(&address, &fd) || !write_bound(fd, out_address)) {
        gm_rc rc = fail(address_z, errno, err);
        gm_listen_close(fd);
        return rc;
    }
    *out_fd = fd;
    return GM_OK;
}

void gm_listen_close(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

void gm_socket_shutdown(int fd)
{
    (void)shutdown(fd, SHUT_RDWR); /* fails when the other side was faster */
}
