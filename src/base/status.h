/* Outcomes: how a function says what its caller should do next.
 *
 *     static gm_rc load(const char *path_z, struct gm_conf *out_conf, struct gm_err *err)
 *     {
 *         GM_TRY(read_it(path_z, err));
 *         return gm_fail(err, GM_E_CONFIG, "%s: no pipelines; add one under `pipelines:`", path_z);
 *     }
 *
 * Every function that can fail returns gm_rc and takes a struct gm_err as its last parameter. The
 * error text is a fixed buffer, so error paths never allocate. A message names the object, the
 * value, and the cure.
 *
 * GM_ASSERT is for bugs, never for input. It stays on in release builds.
 * Thread rule: an error belongs to one thread at a time. */
#ifndef GM_BASE_STATUS_H
#define GM_BASE_STATUS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Named after what the caller does next, not after the cause. */
typedef enum gm_rc {
    GM_OK = 0,
    GM_E_RETRY = -1,     /* transient: back off and try again */
    GM_E_CONFIG = -2,    /* the user must change something */
    GM_E_CONFLICT = -3,  /* version moved: re-read, then decide */
    GM_E_LIMIT = -4,     /* a stated bound was reached */
    GM_E_IO = -5,        /* storage failed: stop this writer */
    GM_E_CORRUPT = -6,   /* checksum or format: never retry */
    GM_E_CANCELLED = -7, /* deadline or shutdown */
    GM_E_END = -8,       /* no more data; not a failure */
    GM_E_INVALID = -9,   /* this record or request is wrong: reject it, go on */
} gm_rc;

#define GM_MUST_CHECK __attribute__((warn_unused_result))
#define GM_PRINTF(fmt_index, args_index) __attribute__((format(printf, fmt_index, args_index)))

enum { GM_ERR_TEXT_SIZE = 512 };

/* An error's text. Zero-initialise; valid after a call that returned something other than GM_OK. */
struct gm_err {
    gm_rc rc;
    char text[GM_ERR_TEXT_SIZE]; /* NUL-terminated, one line, cut with "…" when too long */
};

/* Sets the error and returns `rc`, so that `return gm_fail(err, …)` reads in one line. `err` may be
 * NULL. */
gm_rc gm_fail(struct gm_err *err, gm_rc rc, const char *fmt, ...) GM_PRINTF(3, 4);
#ifdef __clang_analyzer__
/* Static analysis sees one file at a time: this tells it which outcome a failure has. */
#define gm_fail(err, rc, ...) ((void)(gm_fail)((err), (rc), __VA_ARGS__), (rc))
#endif

/* Puts "prefix: " in front of the text that is there and returns err->rc. */
gm_rc gm_fail_within(struct gm_err *err, const char *fmt, ...) GM_PRINTF(2, 3);

/* "retry", "config", … : stable words, used in logs, stored states and metrics labels. */
const char *gm_rc_name(gm_rc rc);

/* Returns from the calling function on anything but GM_OK: the only macro that hides control flow.
 */
#define GM_TRY(expr)                                                                               \
    do {                                                                                           \
        gm_rc gm_try_rc_ = (expr);                                                                 \
        if (gm_try_rc_ != GM_OK) {                                                                 \
            return gm_try_rc_;                                                                     \
        }                                                                                          \
    } while (0)

_Noreturn void gm_assert_failed(const char *expr, const char *file, int line);
#define GM_ASSERT(cond) ((cond) ? (void)0 : gm_assert_failed(#cond, __FILE__, __LINE__))

#define GM_ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
