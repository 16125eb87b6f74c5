#include "os/poll.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

/* How late a stop request may be noticed: a stop wakes condition variables, not sockets. */
static const gm_ns STOP_NOTICE = 50 * GM_MS;

static gm_ns wait_span(const struct gm_deadline *deadline)
{
    gm_ns left = gm_deadline_left(deadline);
    return deadline->stop != NULL && left > STOP_NOTICE ? STOP_NOTICE : left;
}

gm_rc gm_poll(int fd, int want, const struct gm_deadline *deadline)
{
    static const struct gm_deadline none = {0};
    deadline = deadline != NULL ? deadline : &none;
    struct pollfd entry = {.fd = fd};
    entry.events =
        (short)((want & GM_POLL_READ ? POLLIN : 0) | (want & GM_POLL_WRITE ? POLLOUT : 0));
    for (;;) {
        if (gm_deadline_passed(deadline)) {
            return GM_E_CANCELLED;
        }
        int timeout_ms = (int)((wait_span(deadline) + GM_MS - 1) / GM_MS);
        int n = poll(&entry, 1, timeout_ms);
        if (n > 0) {
            return GM_OK;
        }
        GM_ASSERT(n == 0 || errno == EINTR || errno == EAGAIN || errno == ENOMEM);
    }
}

void gm_socket_hold(int fd, bool hold)
{
#ifdef TCP_CORK
    int on = hold;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
#else
    (void)fd;
    (void)hold;
#endif
}
