/* A window over a stream of bytes, for parsers that want a whole line at once.
 *
 *     struct gm_window window;
 *     gm_window_init(&window, limit_bytes, read, ctx);
 *     struct gm_str seen = gm_window_bytes(&window);
 *     … not enough of it: GM_TRY(gm_window_more(&window, err)); look again from the start …
 *     gm_window_skip(&window, line_size);
 *     gm_window_deinit(&window);
 *
 * Views are valid until the next gm_window_more. Each call doubles what is visible, so that looking
 * again from the start stays cheap. Thread rule: one owner. */
#ifndef GM_CONNECT_WINDOW_H
#define GM_CONNECT_WINDOW_H

#include "base/buf.h"

typedef gm_rc (*gm_window_read)(void *ctx, void *to, size_t size, size_t *out_n,
                                struct gm_err *err);

struct gm_window {
    struct gm_buf bytes;
    size_t at;  /* bytes before it are done with */
    bool ended; /* the stream has no more than what is visible */
    gm_window_read read;
    void *ctx;
};

void gm_window_init(struct gm_window *window, size_t limit_bytes, gm_window_read read, void *ctx);
void gm_window_deinit(struct gm_window *window);

static inline struct gm_str gm_window_bytes(const struct gm_window *window)
{
    return (struct gm_str){window->bytes.p + window->at, window->bytes.n - window->at};
}

static inline void gm_window_skip(struct gm_window *window, size_t n)
{
    window->at += n;
}

/* Makes more visible, or sets `ended`. GM_E_LIMIT: the limit is visible already. */
gm_rc gm_window_more(struct gm_window *window, struct gm_err *err) GM_MUST_CHECK;

#endif
