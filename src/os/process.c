#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/num.h"

const char *gm_env_z(const char *name_z)
{
    return getenv(name_z); // NOLINT(concurrency-mt-unsafe): nobody changes the environment
}

bool gm_is_terminal(int fd)
{
    return isatty(fd) == 1;
}

int gm_terminal_width(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return 80;
    }
    return size.ws_col;
}

int gm_terminal_height(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) {
        return 24;
    }
    return size.ws_row;
}

/* The beginning of a small file of /proc; empty when it cannot be read. */
static struct gm_str read_proc(const char *path_z, char *to, size_t size)
{
    struct gm_str text = {to, 0};
    int fd = open(path_z, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return text;
    }
    ssize_t n = read(fd, to, size);
    (void)close(fd);
    text.n = n > 0 ? (size_t)n : 0;
    return text;
}

uint64_t gm_resident_bytes(void)
{
    /* proc(5): "size resident shared …" in pages. */
    char bytes[128];
    struct gm_str size;
    struct gm_str resident;
    struct gm_str rest = read_proc("/proc/self/statm", bytes, sizeof(bytes));
    int64_t pages;
    if (!gm_str_cut(rest, ' ', &size, &rest) || !gm_str_cut(rest, ' ', &resident, &rest) ||
        !gm_parse_i64(resident, &pages)) {
        return 0;
    }
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

int64_t gm_process_id(void)
{
    return (int64_t)getpid();
}

unsigned gm_cpu_count(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

uint64_t gm_descriptors_raise(uint64_t wanted)
{
    struct rlimit limit;
    GM_ASSERT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_cur < wanted) {
        struct rlimit higher = {.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted,
                                .rlim_max = limit.rlim_max};
        limit = setrlimit(RLIMIT_NOFILE, &higher) == 0 ? higher : limit;
    }
    return limit.rlim_cur;
}

void gm_host_name(char out[GM_HOST_NAME_SIZE])
{
    if (gethostname(out, GM_HOST_NAME_SIZE) != 0) {
        out[0] = '\0';
    }
    out[GM_HOST_NAME_SIZE - 1] = '\0'; /* a name that was cut has none */
}

void gm_random_bytes(void *out, size_t n)
{
    char *to = out;
    while (n > 0) {
        ssize_t got = getrandom(to, n, 0);
        GM_ASSERT(got >= 0 || errno == EINTR);
        if (got > 0) {
            to += got;
            n -= (size_t)got;
        }
    }
}

void gm_write_stderr(const char *line, size_t n)
{
    while (n > 0) {
        ssize_t written = write(STDERR_FILENO, line, n);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return;
        }
        line += written;
        n -= (size_t)written;
    }
}
