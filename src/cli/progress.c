#include "cli/progress.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "os/process.h"

enum { STDERR = 2, LINE_SIZE_MAX = 4096 };

struct gm_progress {
    bool terminal;
};

/* Whether the terminal's last line is progress. One terminal per process, so one flag. */
static _Atomic bool line_is_open;

struct gm_progress *gm_progress_new(void)
{
    struct gm_progress *progress = gm_alloc(sizeof(*progress));
    progress->terminal = gm_is_terminal(STDERR);
    return progress;
}

void gm_progress_free(struct gm_progress *progress)
{
    gm_free(progress);
}

bool gm_progress_on_terminal(const struct gm_progress *progress)
{
    return progress->terminal;
}

size_t gm_format_count(int64_t count, char out[32])
{
    char digits[32];
    int n = snprintf(digits, sizeof(digits), "%lld", (long long)count);
    size_t to = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0 && digits[i - 1] != '-') {
            out[to++] = ',';
        }
        out[to++] = digits[i];
    }
    out[to] = '\0';
    return to;
}

void gm_progress_clear(struct gm_progress *progress)
{
    if (progress->terminal && atomic_exchange(&line_is_open, false)) {
        gm_write_stderr("\r\033[K", 4);
    }
}

void gm_progress_write_line(const char *line, size_t n)
{
    if (atomic_exchange(&line_is_open, false)) {
        gm_write_stderr("\r\033[K", 4);
    }
    gm_write_stderr(line, n);
}

void gm_progress_text(struct gm_progress *progress, const char *text_z)
{
    if (!progress->terminal) {
        return;
    }
    size_t width = (size_t)gm_terminal_width(STDERR);
    struct gm_buf line;
    gm_buf_init(&line, LINE_SIZE_MAX);
    gm_buf_add(&line, GM_STR("\r\033[K"));
    size_t n = strlen(text_z), shown = n < width ? n : width - 1;
    gm_buf_add(&line, (struct gm_str){text_z, shown});
    atomic_store(&line_is_open, true);
    gm_write_stderr(line.p, line.n);
    gm_buf_deinit(&line);
}

/* How far a run is, 0 … 1; negative: not known. */
static double share_done(const struct gm_run_progress *run)
{
    double share = -1;
    if (run->bytes_estimate > 0) {
        share = (double)run->read_bytes / (double)run->bytes_estimate;
    } else if (run->rows_estimate > 0) {
        share = (double)run->read / (double)run->rows_estimate;
    }
    return share > 1 ? 1 : share;
}

static void add_run(struct gm_buf *line, const char *name_z, const struct gm_run_progress *run,
                    gm_ns now)
{
    char count[32], rate[32], left[GM_TIME_TEXT_SIZE];
    double seconds = (double)(now - run->started) / (double)GM_SECOND;
    double share = share_done(run);
    gm_format_count(run->read, count);
    gm_format_count(seconds > 0 ? (int64_t)((double)run->read / seconds) : 0, rate);
    gm_buf_addf(line, "%s%s  %s rows  %s/s", line->n > 0 ? "  |  " : "", name_z, count, rate);
    if (run->sweeping) {
        gm_buf_add(line, GM_STR("  looking for what is gone"));
    } else if (share > 0.001) {
        gm_span_format((gm_ns)(seconds * (1 - share) / share) * GM_SECOND, left);
        gm_buf_addf(line, "  %d%%  %s left", (int)(100 * share), left);
    }
    if (run->parked > 0) {
        gm_buf_addf(line, "  %lld parked", (long long)run->parked);
    }
}

void gm_progress_show(struct gm_progress *progress, struct gm_engine *engine)
{
    if (!progress->terminal) {
        return;
    }
    const struct gm_config *config = gm_engine_config(engine);
    const struct gm_clock *clock = gm_store_clock(gm_engine_store(engine));
    struct gm_buf line;
    gm_buf_init(&line, LINE_SIZE_MAX);
    for (size_t i = 0; i < gm_config_pipeline_count(config); i++) {
        struct gm_engine_pipeline_status status;
        gm_engine_status(engine, gm_config_pipeline(config, i), &status);
        if (status.running && status.progress.running) {
            add_run(&line, gm_config_pipeline(config, i)->name_z, &status.progress,
                    clock->mono(clock));
        }
    }
    if (line.n > 0) {
        gm_progress_text(progress, line.p);
    } else {
        gm_progress_clear(progress);
    }
    gm_buf_deinit(&line);
}
