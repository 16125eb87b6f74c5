/* Descriptors and whole files. Folders are in folder.c, the lock in lock.c. */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/error.h"
#include "os/process.h"

enum { READ_SIZE = 64 << 10 };

gm_rc gm_file_info(const char *path_z, struct gm_file_info *out_info, struct gm_err *err)
{
    struct stat st;
    if (stat(path_z, &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            *out_info = (struct gm_file_info){.type = GM_FILE_MISSING};
            return GM_OK;
        }
        return gm_os_fail(err, errno, path_z, "look at it");
    }
    *out_info = (struct gm_file_info){
        .type = S_ISREG(st.st_mode)   ? GM_FILE_REGULAR
                : S_ISDIR(st.st_mode) ? GM_FILE_FOLDER
                                      : GM_FILE_OTHER,
        .size_bytes = (uint64_t)st.st_size,
        .modified = (gm_ns)st.st_mtim.tv_sec * GM_SECOND + (gm_ns)st.st_mtim.tv_nsec,
        .inode = (uint64_t)st.st_ino,
    };
    return GM_OK;
}

struct gm_file {
    int fd;
    const char *path_z;
    char *path_owned_z; /* NULL: a standard stream */
};

/* Nobody closes these. */
static struct gm_file standard_in = {.fd = STDIN_FILENO, .path_z = "standard input"};
static struct gm_file standard_out = {.fd = STDOUT_FILENO, .path_z = "standard output"};

struct gm_file *gm_file_stdin(void)
{
    return &standard_in;
}

struct gm_file *gm_file_stdout(void)
{
    return &standard_out;
}

static gm_rc open_file(const char *path_z, int flags, mode_t mode, struct gm_file **out_file,
                       struct gm_err *err)
{
    int fd;
    do {
        fd = open(path_z, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return gm_os_fail(err, errno, path_z, (flags & O_CREAT) != 0 ? "create it" : "open it");
    }
    struct gm_file *file = gm_alloc(sizeof(*file));
    file->fd = fd;
    file->path_z = file->path_owned_z = gm_strdup_z(path_z);
    *out_file = file;
    return GM_OK;
}

gm_rc gm_file_open(const char *path_z, struct gm_file **out_file, struct gm_err *err)
{
    return open_file(path_z, O_RDONLY, 0, out_file, err);
}

gm_rc gm_file_create(const char *path_z, struct gm_file **out_file, struct gm_err *err)
{
    return open_file(path_z, O_WRONLY | O_CREAT | O_TRUNC, 0666, out_file, err);
}

gm_rc gm_file_append(const char *path_z, struct gm_file **out_file, struct gm_err *err)
{
    return open_file(path_z, O_WRONLY | O_CREAT | O_APPEND, 0666, out_file, err);
}

gm_rc gm_file_seek(struct gm_file *file, uint64_t offset, struct gm_err *err)
{
    if (lseek(file->fd, (off_t)offset, SEEK_SET) < 0) {
        return gm_os_fail(err, errno, file->path_z, "go to a place in it");
    }
    return GM_OK;
}

gm_rc gm_file_read(struct gm_file *file, void *to, size_t size, size_t *out_n, struct gm_err *err)
{
    ssize_t n;
    do {
        n = read(file->fd, to, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return gm_os_fail(err, errno, file->path_z, "read it");
    }
    *out_n = (size_t)n;
    return GM_OK;
}

gm_rc gm_file_write(struct gm_file *file, struct gm_str bytes, struct gm_err *err)
{
    while (bytes.n > 0) {
        ssize_t n = write(file->fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return gm_os_fail(err, errno, file->path_z, "write to it");
        }
        bytes.p += n;
        bytes.n -= (size_t)n;
    }
    return GM_OK;
}

gm_rc gm_file_cut(struct gm_file *file, uint64_t size, struct gm_err *err)
{
    int rc;
    do {
        rc = ftruncate(file->fd, (off_t)size);
    } while (rc != 0 && errno == EINTR);
    return rc == 0 ? GM_OK : gm_os_fail(err, errno, file->path_z, "cut it");
}

/* Up to `size` bytes from `at`; fewer at the end of the file only. */
static gm_rc read_at(struct gm_file *file, char *to, size_t size, uint64_t at, struct gm_err *err)
{
    while (size > 0) {
        ssize_t n = pread(file->fd, to, size, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return gm_os_fail(err, errno, file->path_z, "read it");
        }
        if (n == 0) {
            break;
        }
        to += n;
        size -= (size_t)n;
        at += (uint64_t)n;
    }
    return GM_OK;
}

/* The size of what ends with a line, looked for from the end. */
static gm_rc find_last_line(struct gm_file *file, uint64_t size, uint64_t *out_size,
                            struct gm_err *err)
{
    char block[4096];
    for (uint64_t end = size; end > 0;) {
        size_t n = end < sizeof(block) ? (size_t)end : sizeof(block);
        GM_TRY(read_at(file, block, n, end - n, err));
        for (size_t i = n; i > 0; i--) {
            if (block[i - 1] == '\n') {
                *out_size = end - n + i;
                return GM_OK;
            }
        }
        end -= n;
    }
    *out_size = 0;
    return GM_OK;
}

gm_rc gm_file_append_lines(const char *path_z, struct gm_file **out_file, uint64_t *out_size,
                           struct gm_err *err)
{
    struct gm_file *file;
    struct stat st;
    GM_TRY(open_file(path_z, O_RDWR | O_CREAT | O_APPEND, 0666, &file, err));
    gm_rc rc = fstat(file->fd, &st) == 0 ? GM_OK : gm_os_fail(err, errno, path_z, "look at it");
    uint64_t size = rc == GM_OK && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    uint64_t whole = 0;
    rc = rc == GM_OK ? find_last_line(file, size, &whole, err) : rc;
    if (rc == GM_OK && whole < size) {
        rc = gm_file_cut(file, whole, err);
    }
    rc = rc == GM_OK ? gm_folder_sync_parent(path_z, err) : rc;
    if (rc != GM_OK) {
        gm_file_close(file);
        return rc;
    }
    *out_file = file;
    *out_size = whole;
    return GM_OK;
}

gm_rc gm_file_sync(struct gm_file *file, struct gm_err *err)
{
    /* EINVAL: a pipe or a terminal, where there is nothing to sync. */
    if (fsync(file->fd) != 0 && errno != EINVAL) {
        return gm_os_fail(err, errno, file->path_z, "sync it to disk");
    }
    return GM_OK;
}

void gm_file_close(struct gm_file *file)
{
    if (file == NULL || file == &standard_in || file == &standard_out) {
        return;
    }
    /* What close could report, gm_file_sync has reported before to those who care. */
    (void)close(file->fd);
    gm_free(file->path_owned_z);
    gm_free(file);
}

/* Reads to the end of the file, and one byte beyond the limit to know that there is no more. */
static gm_rc read_rest(struct gm_file *file, struct gm_buf *out, struct gm_err *err)
{
    for (;;) {
        size_t left = out->limit - out->n;
        size_t n = 0;
        char beyond;
        if (left == 0) {
            GM_TRY(gm_file_read(file, &beyond, 1, &n, err));
            if (n > 0) {
                return gm_fail(err, GM_E_LIMIT, "%s: larger than %zu bytes", file->path_z,
                               out->limit);
            }
            return GM_OK;
        }
        size_t size = left < READ_SIZE ? left : READ_SIZE;
        char *to = gm_buf_reserve(out, size);
        if (to == NULL) {
            return gm_fail(err, GM_E_LIMIT, "%s: no memory to read it", file->path_z);
        }
        GM_TRY(gm_file_read(file, to, size, &n, err));
        gm_buf_commit(out, n);
        if (n == 0) {
            return GM_OK;
        }
    }
}

gm_rc gm_file_read_all(const char *path_z, struct gm_buf *out, struct gm_err *err)
{
    struct gm_file *file;
    GM_TRY(gm_file_open(path_z, &file, err));
    size_t before = out->n;
    gm_rc rc = read_rest(file, out, err);
    if (rc != GM_OK && out->p != NULL) {
        out->n = before;
        out->p[before] = '\0';
    }
    gm_file_close(file);
    return rc;
}

/* The folder a path lies in; returns owned. */
static char *parent_of_z(const char *path_z)
{
    struct gm_str path = gm_str_z(path_z);
    while (path.n > 1 && path.p[path.n - 1] == '/') {
        path.n--;
    }
    while (path.n > 0 && path.p[path.n - 1] != '/') {
        path.n--;
    }
    while (path.n > 1 && path.p[path.n - 1] == '/') {
        path.n--;
    }
    return path.n > 0 ? gm_str_dup_z(path) : gm_strdup_z(".");
}

gm_rc gm_folder_sync_parent(const char *path_z, struct gm_err *err)
{
    GM_AUTO_FREE char *parent_z = parent_of_z(path_z);
    struct gm_file *folder;
    GM_TRY(open_file(parent_z, O_RDONLY | O_DIRECTORY, 0, &folder, err));
    gm_rc rc = gm_file_sync(folder, err);
    gm_file_close(folder);
    return rc;
}

gm_rc gm_file_rename(const char *from_z, const char *to_z, struct gm_err *err)
{
    if (rename(from_z, to_z) != 0) {
        int error = errno;
        GM_AUTO_FREE char *action_z = gm_format_z("rename it to %s", to_z);
        return gm_os_fail(err, error, from_z, action_z);
    }
    return gm_folder_sync_parent(to_z, err);
}

gm_rc gm_file_remove(const char *path_z, struct gm_err *err)
{
    if (unlink(path_z) != 0 && errno != ENOENT) {
        return gm_os_fail(err, errno, path_z, "remove it");
    }
    return GM_OK;
}

static gm_rc write_synced(const char *path_z, struct gm_str content, mode_t mode,
                          struct gm_err *err)
{
    struct gm_file *file;
    GM_TRY(open_file(path_z, O_WRONLY | O_CREAT | O_EXCL, mode, &file, err));
    gm_rc rc = gm_file_write(file, content, err);
    if (rc == GM_OK) {
        rc = gm_file_sync(file, err);
    }
    gm_file_close(file);
    return rc;
}

gm_rc gm_file_write_atomic(const char *path_z, struct gm_str content, uint32_t mode,
                           struct gm_err *err)
{
    /* Random, so that two processes which write the same file do not meet, whatever their ids. */
    uint64_t random;
    gm_random_bytes(&random, sizeof(random));
    GM_AUTO_FREE char *temporary_z =
        gm_format_z("%s.%016llx.tmp", path_z, (unsigned long long)random);
    gm_rc rc = write_synced(temporary_z, content, (mode_t)mode, err);
    if (rc == GM_OK) {
        rc = gm_file_rename(temporary_z, path_z, err);
    }
    if (rc != GM_OK) {
        (void)unlink(temporary_z);
    }
    return rc;
}

char *gm_path_join_z(struct gm_str folder, struct gm_str name)
{
    if (folder.n == 0 || (name.n > 0 && name.p[0] == '/')) {
        return gm_str_dup_z(name);
    }
    while (folder.n > 1 && folder.p[folder.n - 1] == '/') {
        folder.n--;
    }
    bool root = folder.n == 1 && folder.p[0] == '/';
    return gm_format_z(GM_STR_FMT "%s" GM_STR_FMT, GM_STR_ARG(folder), root ? "" : "/",
                       GM_STR_ARG(name));
}

gm_rc gm_path_absolute(const char *path_z, char **out_path_z, struct gm_err *err)
{
    enum { WORKING_SIZE_MAX = 4096 };
    char working[WORKING_SIZE_MAX] = "";
    if (path_z[0] != '/' && getcwd(working, sizeof(working)) == NULL) {
        return gm_os_fail(err, errno, path_z, "tell the working folder");
    }
    struct gm_buf path;
    gm_buf_init(&path, (size_t)2 * WORKING_SIZE_MAX);
    gm_buf_add_z(&path, working);
    for (struct gm_str part, rest = gm_str_z(path_z); rest.n > 0;) {
        (void)gm_str_cut(rest, '/', &part, &rest);
        if (part.n > 0 && !gm_str_is(part, ".")) {
            gm_buf_add_char(&path, '/');
            gm_buf_add(&path, part);
        }
    }
    if (gm_buf_failed(&path)) {
        gm_buf_deinit(&path);
        return gm_fail(err, GM_E_CONFIG, "%s: the path is too long", path_z);
    }
    if (path.n == 0) {
        gm_buf_add_char(&path, '/');
    }
    *out_path_z = gm_buf_take_z(&path);
    return GM_OK;
}
