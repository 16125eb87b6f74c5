/* The lock of a data folder. flock(2) and not fcntl(2): its lock belongs to the descriptor, so that
 * closing another descriptor of the same file does not let go of it, and two openings within one
 * process exclude each other, too. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "os/error.h"
#include "os/file.h"
#include "os/process.h"

struct gm_lock {
    int fd;
};

static gm_rc fail_held(int fd, const char *path_z, struct gm_err *err)
{
    char text[GM_NUM_TEXT_SIZE];
    ssize_t n = pread(fd, text, sizeof(text), 0);
    int64_t id;
    if (n > 0 && gm_parse_i64(gm_str_trim((struct gm_str){text, (size_t)n}), &id)) {
        return gm_fail(err, GM_E_RETRY,
                       "%s: process %lld holds it; stop that process or use another folder", path_z,
                       (long long)id);
    }
    return gm_fail(err, GM_E_RETRY,
                   "%s: another process holds it; stop that process or use another folder", path_z);
}

/* Who holds the lock is for people to read; a failure to write it down changes nothing about the
 * lock. */
static void write_owner(int fd)
{
    char text[GM_NUM_TEXT_SIZE + 1];
    size_t n = gm_format_i64(gm_process_id(), text);
    text[n++] = '\n';
    if (ftruncate(fd, 0) == 0) {
        ssize_t written = pwrite(fd, text, n, 0);
        (void)written;
    }
}

gm_rc gm_lock_take(const char *path_z, struct gm_lock **out_lock, struct gm_err *err)
{
    int fd = open(path_z, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        return gm_os_fail(err, errno, path_z, "open it");
    }
    int failed;
    do {
        failed = flock(fd, LOCK_EX | LOCK_NB);
    } while (failed != 0 && errno == EINTR);
    if (failed != 0) {
        gm_rc rc = errno == EWOULDBLOCK ? fail_held(fd, path_z, err)
                                        : gm_os_fail(err, errno, path_z, "lock it");
        (void)close(fd);
        return rc;
    }
    write_owner(fd);
    struct gm_lock *lock = gm_alloc(sizeof(*lock));
    lock->fd = fd;
    *out_lock = lock;
    return GM_OK;
}

void gm_lock_release(struct gm_lock *lock)
{
    if (lock == NULL) {
        return;
    }
    int failed = ftruncate(lock->fd, 0);
    (void)failed;
    /* The file stays: whoever removed it could take it away under a process that has just locked
     * it. */
    (void)close(lock->fd);
    gm_free(lock);
}
