/* A listening TCP socket on a named address.
 *
 *     int fd;
 *     char address[GM_ADDRESS_TEXT_SIZE];
 *     GM_TRY(gm_listen("127.0.0.1:0", &fd, address, err));   // "127.0.0.1:49321"
 *
 * Addresses are HOST:PORT with HOST an IPv4 address, an IPv6 address in brackets, or `localhost`
 * (127.0.0.1); names are not looked up. Port 0 picks a free one. The socket does not block, is
 * closed on exec, and takes over an address whose former owner ended. Thread rule: any thread. */
#ifndef GM_OS_LISTEN_H
#define GM_OS_LISTEN_H

#include "base/status.h"

enum { GM_ADDRESS_TEXT_SIZE = 64 };

/* The caller closes the descriptor (or hands it to whoever does). GM_E_CONFIG: the text is no
 * address, it is taken, or not to be had; the message begins with the address. */
gm_rc gm_listen(const char *address_z, int *out_fd, char out_address[GM_ADDRESS_TEXT_SIZE],
                struct gm_err *err) GM_MUST_CHECK;
void gm_listen_close(int fd);
/* Ends a connection in both directions, at once; its descriptor stays open for its owner, who finds
 * the end there. Any thread. */
void gm_socket_shutdown(int fd);

#endif
