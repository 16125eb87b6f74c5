/* Failures of system calls as outcomes; for use inside os/ only.
 *
 *     if (fsync(fd) != 0) {
 *         return gm_os_fail(err, errno, path_z, "sync");
 *     }
 *
 * The message has the form "PATH: cannot ACTION: what the OS said; the cure". Thread rule: any
 * thread. */
#ifndef GM_OS_ERROR_H
#define GM_OS_ERROR_H

#include "base/status.h"

gm_rc gm_os_fail(struct gm_err *err, int error, const char *path_z, const char *action_z);

#endif
