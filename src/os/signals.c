/* Signals through a pipe: the handler only writes the signal's number, a thread reads it and acts.
 * Signals belong to the process as a whole, so what stands here is process-wide; it is the one
 * place outside base/ with mutable globals. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/error.h"
#include "os/process.h"
#include "os/thread.h"

enum { EXIT_INTERRUPTED = 130 };

static const int handled[] = {SIGINT, SIGTERM, SIGHUP};

/* Made by the first start and never closed: a handler may still be running in another thread when
 * signals are stopped, and must not write to a descriptor that has come to mean something else. */
static int signal_pipe[2] = {-1, -1};

/* From start to stop; owned by the thread that calls those. */
static struct gm_thread *signal_thread;
static struct sigaction actions_before[GM_ARRAY_COUNT(handled)];
/* Each of these is an error where something is written, and not the end of the process: a peer that
 * went away (EPIPE), a file that may not grow (EFBIG). */
static const int ignored[] = {SIGPIPE, SIGXFSZ};
static struct sigaction ignored_before[GM_ARRAY_COUNT(ignored)];

static atomic_bool reload_wanted; /* set by the signal thread, taken by whoever asks */

static void write_signal(unsigned char number)
{
    int error = errno;
    /* When the pipe is full, enough of the same is waiting in it. */
    ssize_t n = write(signal_pipe[1], &number, 1);
    (void)n;
    errno = error;
}

static void on_signal(int number)
{
    write_signal((unsigned char)number);
}

static void signal_main(void *arg)
{
    struct gm_stop *stop = arg;
    bool requested = false;
    for (;;) {
        unsigned char number;
        ssize_t n = read(signal_pipe[0], &number, 1);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n != 1 || number == 0) {
            return; /* gm_signals_stop */
        }
        if (number == SIGHUP) {
            atomic_store(&reload_wanted, true);
            continue;
        }
        if (requested) {
            /* Somebody insists. Nothing is lost: what was acknowledged is durable, the rest is read
             * again. */
            _exit(EXIT_INTERRUPTED);
        }
        requested = true;
        gm_stop_request(stop);
    }
}

static gm_rc make_pipe(struct gm_err *err)
{
    if (signal_pipe[0] >= 0) {
        return GM_OK;
    }
    if (pipe(signal_pipe) != 0) {
        return gm_os_fail(err, errno, "signal pipe", "make it");
    }
    bool done = fcntl(signal_pipe[0], F_SETFD, FD_CLOEXEC) == 0 &&
                fcntl(signal_pipe[1], F_SETFD, FD_CLOEXEC) == 0 &&
                fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK) == 0;
    GM_ASSERT(done);
    return GM_OK;
}

gm_rc gm_signals_start(struct gm_stop *stop, struct gm_err *err)
{
    GM_ASSERT(signal_thread == NULL);
    GM_TRY(make_pipe(err));
    GM_TRY(gm_thread_start("signals", signal_main, stop, &signal_thread, err));

    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < GM_ARRAY_COUNT(handled); i++) {
        GM_ASSERT(sigaction(handled[i], &action, &actions_before[i]) == 0);
    }
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigemptyset(&ignore.sa_mask);
    for (size_t i = 0; i < GM_ARRAY_COUNT(ignored); i++) {
        GM_ASSERT(sigaction(ignored[i], &ignore, &ignored_before[i]) == 0);
    }
    return GM_OK;
}

bool gm_signals_take_reload(void)
{
    return atomic_exchange(&reload_wanted, false);
}

void gm_signals_stop(void)
{
    if (signal_thread == NULL) {
        return;
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(handled); i++) {
        GM_ASSERT(sigaction(handled[i], &actions_before[i], NULL) == 0);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(ignored); i++) {
        GM_ASSERT(sigaction(ignored[i], &ignored_before[i], NULL) == 0);
    }
    write_signal(0);
    gm_thread_join(signal_thread);
    signal_thread = NULL;
}
