/* Waiting for a socket of a client library, without missing a deadline or a stop request. */
#ifndef GM_OS_POLL_H
#define GM_OS_POLL_H

#include "os/clock.h"

enum {
    GM_POLL_READ = 1,
    GM_POLL_WRITE = 2,
};

/* Waits until `fd` is ready for one of `want` (bits above); errors and hang-ups count as ready, the
 * next call on the socket tells. GM_E_CANCELLED when the deadline (NULL: none) passes first. */
gm_rc gm_poll(int fd, int want, const struct gm_deadline *deadline) GM_MUST_CHECK;

/* While a TCP socket is held, small writes wait and go out together; letting go sends them at once.
 * Nothing happens where the system has no such thing. */
void gm_socket_hold(int fd, bool hold);

#endif
