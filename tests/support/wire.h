/* An HTTP client that does what it is told, byte by byte: for tests of servers.
 *
 *     struct wire *wire = wire_open(gm_http_server_url_z(server), NULL);
 *     wire_send(wire, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
 *     assert_int_equal(wire_status(wire), 200);        // reads the whole answer
 *     check_str(wire_body(wire), "{}");
 *     wire_close(wire);
 *
 * Waits 30 seconds at most for anything, and fails the test then. */
#ifndef GM_TESTS_SUPPORT_WIRE_H
#define GM_TESTS_SUPPORT_WIRE_H

#include "base/str.h"

struct wire;
/* "http://127.0.0.1:1" or https. `trust_z`: PEM text of the authority that is trusted, and the
 * server has to be "localhost"; NULL: none is asked for. NULL: no connection, or no handshake. */
struct wire *wire_try_open(const char *url_z, const char *trust_z);
struct wire *wire_open(const char *url_z, const char *trust_z); /* fails the test instead */
void wire_close(struct wire *wire);                             /* NULL is fine */

/* False: the other side is gone. */
bool wire_try_send(struct wire *wire, struct gm_str bytes);
void wire_send(struct wire *wire, const char *text_z);
/* One byte after the other until the other side hangs up, `pause_ms` between them. How many went
 * out. */
size_t wire_trickle(struct wire *wire, const char *text_z, int pause_ms);

/* The next answer's status, 0 when the connection ends instead. What follows is for it. */
int wire_try_status(struct wire *wire);
int wire_status(struct wire *wire); /* fails the test instead */
struct gm_str wire_body(const struct wire *wire);
/* {NULL,0}: there is none */
struct gm_str wire_header(const struct wire *wire, const char *name_z);
/* The other side has nothing more to say, and has hung up. */
bool wire_ended(struct wire *wire);

/* GET of a path, as one call each. */
int wire_get(struct wire *wire, const char *path_z);
/* For answers without a body, which have a length all the same. */
int wire_head(struct wire *wire, const char *path_z);

#endif
