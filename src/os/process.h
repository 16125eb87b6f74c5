/* The process: environment, terminal, signals, memory, output.
 *
 *     struct gm_stop *stop = gm_stop_new();
 *     GM_TRY(gm_signals_start(stop, err));
 *     while (gm_stop_wait(stop, GM_MINUTE) == GM_OK) { … if (gm_signals_take_reload()) { … } }
 *     gm_signals_stop();
 *
 * Thread rule: gm_signals_start and gm_signals_stop from the main thread; the rest from any. */
#ifndef GM_OS_PROCESS_H
#define GM_OS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "os/clock.h"

const char *gm_env_z(const char *name_z); /* NULL: not set. Borrows from the process. */
bool gm_is_terminal(int fd);
int gm_terminal_width(int fd);  /* 80 when unknown */
int gm_terminal_height(int fd); /* 24 when unknown */
uint64_t gm_resident_bytes(void);
int64_t gm_process_id(void);
unsigned gm_cpu_count(void);
/* Lets the process open `wanted` files and sockets, as far as it may; how many it may open then. */
uint64_t gm_descriptors_raise(uint64_t wanted);
enum { GM_HOST_NAME_SIZE = 256 };
/* What the machine calls itself; "" when it has no name. */
void gm_host_name(char out[GM_HOST_NAME_SIZE]);
/* Random bytes from the kernel, fit for secrets. */
void gm_random_bytes(void *out, size_t n);

/* Writes all of it, retrying short writes; failures are ignored: there is nobody left to tell. */
void gm_write_stderr(const char *line, size_t n);

/* From here on SIGINT and SIGTERM request `stop` (a second one ends the process at once with code
 * 130), SIGHUP calls for a reload, SIGPIPE and SIGXFSZ are ignored. A thread reads the signal
 * pipe. */
gm_rc gm_signals_start(struct gm_stop *stop, struct gm_err *err) GM_MUST_CHECK;
bool gm_signals_take_reload(void); /* true once per SIGHUP */
/* Signals do again what they did before; ends the thread. Fine when not started. */
void gm_signals_stop(void);

#endif
