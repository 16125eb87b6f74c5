/* A wall clock that a test may set while a program runs: loaded in front of the C library
 * (LD_PRELOAD). It adds to the time of day what stands in the file that GEMEL_TEST_CLOCK names, as
 * 8 bytes of nanoseconds in the machine's order; a step is one write into that file.
 *
 * The monotonic clock stays as it is, as it does when somebody sets a real clock. (libfaketime,
 * which does more, ends timed waits on that clock at once when it is told to leave it alone.) */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SECOND_NS = 1000000000, MICRO_NS = 1000 };

typedef int read_clock_fn(clockid_t id, struct timespec *now);

static read_clock_fn *read_clock;
static const volatile int64_t *offset_ns; /* NULL: nobody sets it */

__attribute__((constructor)) static void open_clock(void)
{
    union {
        void *object;
        read_clock_fn *function;
    } found = {.object = dlsym(RTLD_NEXT, "clock_gettime")};
    const char *path_z = getenv("GEMEL_TEST_CLOCK");
    int fd = path_z != NULL ? open(path_z, O_RDONLY | O_CLOEXEC) : -1;
    read_clock = found.function;
    if (fd >= 0) {
        void *mapped = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
        offset_ns = mapped != MAP_FAILED ? mapped : NULL;
        (void)close(fd);
    }
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    if (read_clock == NULL) { /* somebody's constructor ran first */
        open_clock();
    }
    int rc = read_clock(id, now);
    if (rc == 0 && offset_ns != NULL && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t ns = *offset_ns + now->tv_nsec;
        now->tv_sec += ns / SECOND_NS;
        now->tv_nsec = ns % SECOND_NS;
        if (now->tv_nsec < 0) {
            now->tv_nsec += SECOND_NS;
            now->tv_sec--;
        }
    }
    return rc;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec at;
    (void)zone;
    int rc = clock_gettime(CLOCK_REALTIME, &at);
    if (rc == 0) {
        now->tv_sec = at.tv_sec;
        now->tv_usec = at.tv_nsec / MICRO_NS;
    }
    return rc;
}

time_t time(time_t *out_now)
{
    struct timespec at = {0};
    (void)clock_gettime(CLOCK_REALTIME, &at);
    if (out_now != NULL) {
        *out_now = at.tv_sec;
    }
    return at.tv_sec;
}
