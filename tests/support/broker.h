/* A real Mosquitto for a test program: on a free port of 127.0.0.1, gone with the program however
 * that ends. What it knows of sessions outlives a halt.
 *
 *     struct broker *broker = broker_start(&(struct broker_options){.settings_z = ""});
 *     if (broker == NULL) { return BROKER_SKIPPED; }          // not installed
 *     const char *url_z = broker_url(broker);                  // "mqtt://127.0.0.1:49321"
 *     broker_halt(broker); broker_resume(broker);
 *     broker_stop(broker);
 *
 * Thread rule: one thread. */
#ifndef GM_TESTS_SUPPORT_BROKER_H
#define GM_TESTS_SUPPORT_BROKER_H

#include <stdbool.h>

enum { BROKER_SKIPPED = 77 };

struct broker_options {
    const char *settings_z; /* more lines of mosquitto.conf; NULL: anonymous clients are let in */
    bool tls;               /* the settings name the certificates */
};

struct broker;
struct broker *broker_start(const struct broker_options *options); /* NULL: not installed */
void broker_stop(struct broker *broker);                           /* NULL is fine */
const char *broker_url(const struct broker *broker);
int broker_port(const struct broker *broker);
void broker_halt(struct broker *broker);   /* SIGTERM: it writes down its sessions */
void broker_resume(struct broker *broker); /* on the same port */

#endif
