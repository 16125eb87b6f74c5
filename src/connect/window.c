#include "connect/window.h"

#include <string.h>

enum { STEP_SIZE_MIN = 256 << 10 };

void gm_window_init(struct gm_window *window, size_t limit_bytes, gm_window_read read, void *ctx)
{
    *window = (struct gm_window){.read = read, .ctx = ctx};
    gm_buf_init(&window->bytes, limit_bytes);
    gm_buf_add_z(&window->bytes, ""); /* views are never NULL */
}

void gm_window_deinit(struct gm_window *window)
{
    gm_buf_deinit(&window->bytes);
}

static void drop_done(struct gm_window *window)
{
    size_t left = window->bytes.n - window->at;
    memmove(window->bytes.p, window->bytes.p + window->at, left);
    window->bytes.n = left;
    window->at = 0;
}

gm_rc gm_window_more(struct gm_window *window, struct gm_err *err)
{
    if (window->at > 0) {
        drop_done(window);
    }
    size_t seen = window->bytes.n;
    size_t want = seen > STEP_SIZE_MIN ? seen : STEP_SIZE_MIN;
    size_t left = window->bytes.limit - seen;
    want = want < left ? want : left;
    char *to = want > 0 ? gm_buf_reserve(&window->bytes, want) : NULL;
    if (to == NULL) {
        return gm_fail(err, GM_E_LIMIT, "more than %zu bytes in one line", window->bytes.limit);
    }
    for (size_t got = 0; got < want && !window->ended;) {
        size_t n;
        GM_TRY(window->read(window->ctx, to + got, want - got, &n, err));
        gm_buf_commit(&window->bytes, n);
        got += n;
        window->ended = n == 0;
    }
    return GM_OK;
}
