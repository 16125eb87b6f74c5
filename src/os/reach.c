#include "os/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/poll.h"

/* 0, or an errno value. */
static int try_address(const struct addrinfo *address, const struct gm_deadline *deadline)
{
    int error = 0;
    socklen_t size = sizeof(error);
    int fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (fd < 0) {
        return errno;
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        error = errno;
    } else if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        error = errno;
        if (error == EINPROGRESS) {
            error = gm_poll(fd, GM_POLL_WRITE, deadline) != GM_OK              ? ETIMEDOUT
                    : getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 ? errno
                                                                               : error;
        }
    }
    (void)close(fd);
    return error;
}

gm_rc gm_reach(const char *host_z, int port, const struct gm_deadline *deadline, struct gm_err *err)
{
    char service[16];
    struct addrinfo *found = NULL;
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    (void)snprintf(service, sizeof(service), "%d", port);
    int rc = getaddrinfo(host_z, service, &wanted, &found);
    if (rc != 0) {
        return gm_fail(err, GM_E_RETRY, "%s: %s", host_z, gai_strerror(rc));
    }
    int error = ENOENT;
    for (const struct addrinfo *at = found; at != NULL && error != 0; at = at->ai_next) {
        error = try_address(at, deadline);
    }
    freeaddrinfo(found);
    if (error != 0 && deadline->stop != NULL && gm_stop_requested(deadline->stop)) {
        return gm_fail(err, GM_E_CANCELLED, "%s:%d: stopped", host_z, port);
    }
    return error == 0 ? GM_OK
                      : gm_fail(err, GM_E_RETRY, "%s:%d: %s", host_z, port, strerror(error));
}
