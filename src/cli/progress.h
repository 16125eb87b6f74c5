/* What a person sees of long work: one line that is kept up to date on a terminal, nothing
 * elsewhere (log lines tell it there).
 *
 *     products  45,000 of 100,000 (45 %)  121,000/s  0.5s left  ·  orders  12,000  98,000/s
 *
 * Thread rule: shown from the main thread; lines of other threads go through
 * gm_progress_write_line, which makes way. */
#ifndef GM_CLI_PROGRESS_H
#define GM_CLI_PROGRESS_H

#include "engine/engine.h"

#define GM_PROGRESS_PERIOD (200 * GM_MS)

struct gm_progress;
struct gm_progress *gm_progress_new(void);
void gm_progress_free(struct gm_progress *progress);
bool gm_progress_on_terminal(const struct gm_progress *progress);
/* The runs under way. */
void gm_progress_show(struct gm_progress *progress, struct gm_engine *engine);
/* Any text in the line's place, cut to the terminal's width. */
void gm_progress_text(struct gm_progress *progress, const char *text_z);
void gm_progress_clear(struct gm_progress *progress);
/* A log line: clears the progress first. For gm_log_sink. */
void gm_progress_write_line(const char *line, size_t n);

/* "12,345,678" */
size_t gm_format_count(int64_t count, char out[32]);

#endif
