#include "os/error.h"

#include <errno.h>
#include <string.h>

static const struct {
    int error;
    gm_rc rc;
    const char *cure_z;
} outcomes[] = {
    {ENOENT, GM_E_CONFIG, "check the path"},
    {ENOTDIR, GM_E_CONFIG, "a part of the path is not a folder"},
    {EISDIR, GM_E_CONFIG, "name a file in it"},
    {EEXIST, GM_E_CONFIG, "it is there already; choose another name"},
    {ENOTEMPTY, GM_E_CONFIG, "empty it, or choose another name"},
    {EACCES, GM_E_CONFIG, "give this process's user access to it"},
    {EPERM, GM_E_CONFIG, "give this process's user access to it"},
    {EROFS, GM_E_CONFIG, "choose a folder that can be written to"},
    {ELOOP, GM_E_CONFIG, "links lead round in a circle; check the path"},
    {ENAMETOOLONG, GM_E_CONFIG, "choose a shorter path"},
    {EXDEV, GM_E_CONFIG, "both paths must be on the same file system"},
    {ENOSPC, GM_E_IO, "free some space on the disk"},
    {EDQUOT, GM_E_IO, "free some space, or raise the quota of this process's user"},
    {EIO, GM_E_IO, "look into the system's log: the disk may be failing"},
    {EMFILE, GM_E_RETRY, "raise the limit of open files (ulimit -n)"},
    {ENFILE, GM_E_RETRY, "the system has too many open files"},
    {ENOMEM, GM_E_RETRY, "the system is out of memory"},
    {EAGAIN, GM_E_RETRY, "try again"},
};

gm_rc gm_os_describe(struct gm_err *err, int error, const char *path_z, const char *action_z)
{
    char said[128];
    if (strerror_r(error, said, sizeof(said)) != 0) {
        said[0] = '\0';
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(outcomes); i++) {
        if (outcomes[i].error == error) {
            return gm_fail(err, outcomes[i].rc, "%s: cannot %s: %s; %s", path_z, action_z, said,
                           outcomes[i].cure_z);
        }
    }
    return gm_fail(err, GM_E_IO, "%s: cannot %s: %s (error %d)", path_z, action_z, said, error);
}
