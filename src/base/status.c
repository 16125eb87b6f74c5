#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secrets.h"

/* Texts are formatted with room to spare, so that a secret at the place where they are cut is still
 * whole when it is looked for. */
enum { ROOM = 1024 };

static const char ellipsis[] = "…";

/* Cuts `text`, which holds `size` bytes, so that it ends in "…" and never in half a character. */
static void cut_text(char *text, size_t size)
{
    size_t at = size - sizeof(ellipsis);
    while (at > 0 && ((unsigned char)text[at] & 0xC0U) == 0x80U) {
        at--;
    }
    memcpy(text + at, ellipsis, sizeof(ellipsis));
}

/* Values that were put into a message may hold line ends; a message is one line wherever it is
 * shown. */
static void flatten(char *text)
{
    for (char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20U || *p == 0x7F) {
            *p = ' ';
        }
    }
}

__attribute__((format(printf, 2, 0))) static void format_text(char text[GM_ERR_TEXT_SIZE],
                                                              const char *fmt, va_list args)
{
    char whole[GM_ERR_TEXT_SIZE + ROOM] = "";
    (void)vsnprintf(whole, sizeof(whole), fmt, args);
    size_t n = gm_secrets_scrub(whole, strlen(whole));
    whole[n] = '\0';
    if (n >= GM_ERR_TEXT_SIZE) {
        cut_text(whole, GM_ERR_TEXT_SIZE);
        n = strlen(whole);
    }
    flatten(whole);
    memcpy(text, whole, n + 1);
}

gm_rc(gm_fail)(struct gm_err *err, gm_rc rc, const char *fmt, ...)
{
    if (err == NULL) {
        return rc;
    }
    /* Formatted aside, since an argument may be the text of `err` itself. */
    char text[GM_ERR_TEXT_SIZE];
    va_list args;
    va_start(args, fmt);
    format_text(text, fmt, args);
    va_end(args);
    err->rc = rc;
    memcpy(err->text, text, sizeof(text));
    return rc;
}

gm_rc gm_fail_within(struct gm_err *err, const char *fmt, ...)
{
    GM_ASSERT(err != NULL);
    char text[GM_ERR_TEXT_SIZE];
    va_list args;
    va_start(args, fmt);
    format_text(text, fmt, args);
    va_end(args);

    char whole[GM_ERR_TEXT_SIZE];
    int n = snprintf(whole, sizeof(whole), "%s: %s", text, err->text);
    if (n >= (int)sizeof(whole)) {
        cut_text(whole, sizeof(whole));
    }
    memcpy(err->text, whole, sizeof(whole));
    return err->rc;
}

const char *gm_rc_name(gm_rc rc)
{
    switch (rc) {
    case GM_OK:
        return "ok";
    case GM_E_RETRY:
        return "retry";
    case GM_E_CONFIG:
        return "config";
    case GM_E_CONFLICT:
        return "conflict";
    case GM_E_LIMIT:
        return "limit";
    case GM_E_IO:
        return "io";
    case GM_E_CORRUPT:
        return "corrupt";
    case GM_E_CANCELLED:
        return "cancelled";
    case GM_E_END:
        return "end";
    case GM_E_INVALID:
        return "invalid";
    }
    return "unknown";
}

_Noreturn void gm_assert_failed(const char *expr, const char *file, int line)
{
    /* The one place where base speaks by itself: the process ends here, and no layer above can be
     * trusted any more. */
    (void)fprintf(stderr, "gemel: bug: %s:%d: %s does not hold; stopping\n", file, line, expr);
    abort();
}
