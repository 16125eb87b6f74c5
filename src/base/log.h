/* Structured log lines, one event a line, to stderr or a file descriptor that was set at start.
 *
 *     gm_log_info("run.done", GM_L_STR("pipeline", name), GM_L_INT("rows", rows));
 *
 * Formats: logfmt (`2026-11-20T17:09:55.123Z info run.done pipeline=products rows=77`) and JSON
 * lines. A line is built in a bounded buffer and written with one write call, so lines of threads
 * do not mix. Values over 2 KiB are cut with "…"; fields that do not fit into GM_LOG_LINE_MAX are
 * left out, and `cut=1` says so. Control characters are escaped: a value cannot forge a line. Ranks
 * 0-3 and connectors do not log: the layer that decides what happens next logs each failure once.
 * Thread rule: gm_log_init before threads start; gm_log_event from any thread. */
#ifndef GM_BASE_LOG_H
#define GM_BASE_LOG_H

#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

enum gm_log_level { GM_LOG_DEBUG, GM_LOG_INFO, GM_LOG_WARN, GM_LOG_ERROR };
enum { GM_LOG_LINE_MAX = 8192 };
enum gm_log_format { GM_LOG_LOGFMT, GM_LOG_JSON };

enum gm_log_type { GM_LOG_END, GM_LOG_STR, GM_LOG_INT, GM_LOG_DOUBLE };

struct gm_log_field {
    enum gm_log_type type;
    const char *name_z;
    struct gm_str str;
    int64_t i;
    double d;
};

#define GM_L_STR(name, value) ((struct gm_log_field){GM_LOG_STR, (name), (value), 0, 0})
#define GM_L_Z(name, value) ((struct gm_log_field){GM_LOG_STR, (name), gm_str_z(value), 0, 0})
#define GM_L_INT(name, value) ((struct gm_log_field){GM_LOG_INT, (name), {0}, (int64_t)(value), 0})
#define GM_L_DOUBLE(name, value) ((struct gm_log_field){GM_LOG_DOUBLE, (name), {0}, 0, (value)})

/* The wall clock is passed in so that base stays free of the OS; `write` receives whole lines. */
struct gm_log_sink {
    int64_t (*now_ns)(void);
    void (*write)(const char *line, size_t n);
};
/* Copies `sink`. Until the first call all events are dropped. */
void gm_log_init(const struct gm_log_sink *sink, enum gm_log_level level,
                 enum gm_log_format format);

/* `fields` ends with GM_LOG_END. For use by the macros below. */
void gm_log_event(enum gm_log_level level, const char *event_z, const struct gm_log_field *fields);

#define GM_LOG_FIELDS(...)                                                                         \
    (const struct gm_log_field[])                                                                  \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            GM_LOG_END, NULL, {0}, 0, 0                                                            \
        }                                                                                          \
    }
#define gm_log_debug(event, ...) gm_log_event(GM_LOG_DEBUG, event, GM_LOG_FIELDS(__VA_ARGS__))
#define gm_log_info(event, ...) gm_log_event(GM_LOG_INFO, event, GM_LOG_FIELDS(__VA_ARGS__))
#define gm_log_warn(event, ...) gm_log_event(GM_LOG_WARN, event, GM_LOG_FIELDS(__VA_ARGS__))
#define gm_log_error(event, ...) gm_log_event(GM_LOG_ERROR, event, GM_LOG_FIELDS(__VA_ARGS__))

#endif
