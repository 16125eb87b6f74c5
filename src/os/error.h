/* Failures of system calls as outcomes; for use inside os/ only.
 *
 *     if (fsync(fd) != 0) {
 *         return gm_os_fail(err, errno, path_z, "sync");
 *     }
 *
 * The message has the form "PATH: cannot ACTION: what the OS said; the cure".
 * Thread rule: any thread. */
#ifndef GM_OS_ERROR_H
#define GM_OS_ERROR_H

#include "base/status.h"

gm_rc gm_os_describe(struct gm_err *err, int error, const char *path_z, const char *action_z);

/* `error` is an errno value. Callers, and static analysis, may rely on the outcome not being
 * GM_OK. */
static inline gm_rc gm_os_fail(struct gm_err *err, int error, const char *path_z,
                               const char *action_z)
{
    gm_rc rc = gm_os_describe(err, error, path_z, action_z);
    GM_ASSERT(rc != GM_OK);
    return rc;
}

#endif
