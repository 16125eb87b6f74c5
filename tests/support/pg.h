/* A real PostgreSQL for a test program: a cluster of its own in a temporary folder, made in about a
 * second, gone with the program however that ends.
 *
 *     struct pg_server *server = pg_server_start();
 *     if (server == NULL) { return PG_SKIPPED; }              // no server programs on this machine
 *     const char *url_z = pg_server_new_database(server);      // empty; for one test
 *     …
 *     pg_server_stop(server);
 *
 * It listens on a free port of 127.0.0.1, wants the password in PG_PASSWORD, and does not sync: it
 * is for tests of what runs against it. The server programs are looked for in
 * /usr/lib/postgresql/VERSION/bin and in PATH; when the tests run as root it runs as `postgres` or
 * `nobody`. Thread rule: one thread. */
#ifndef GM_TESTS_SUPPORT_PG_H
#define GM_TESTS_SUPPORT_PG_H

enum { PG_SKIPPED = 77 }; /* the exit code that CTest shows as skipped */
#define PG_USER "gemel"
#define PG_PASSWORD "open sesame/42@home"
#define PG_PASSWORD_IN_URL "open%20sesame%2F42%40home"

struct pg_server;

struct pg_server *
pg_server_start(void); /* NULL: PostgreSQL is not installed. Failing otherwise ends the program. */
void pg_server_stop(struct pg_server *server); /* NULL is fine */

int pg_server_port(const struct pg_server *server);
/* Texts live as long as the server. */
const char *pg_server_url(struct pg_server *server, const char *database_z);
const char *pg_server_new_database(struct pg_server *server);

/* As after a crash: sessions end without a word; it recovers on the next start, with the same port
 * and data. */
void pg_server_halt(struct pg_server *server);
void pg_server_resume(struct pg_server *server);

#endif
