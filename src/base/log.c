#include "base/log.h"

#include <math.h>

#include "base/num.h"
#include "base/secrets.h"
#include "base/time.h"

/* Set once at start, before there are threads; only read afterwards. */
static struct gm_log_sink log_sink;
static enum gm_log_level log_level = GM_LOG_INFO;
static enum gm_log_format log_format = GM_LOG_LOGFMT;

void gm_log_init(const struct gm_log_sink *sink, enum gm_log_level level, enum gm_log_format format)
{
    log_sink = *sink;
    log_level = level;
    log_format = format;
}

/* A line is built on the stack. What does not fit is left out field by field, and the line says so.
 */
enum { VALUE_SIZE_MAX = 2048, TRAILER_SIZE = 16 };

struct line {
    char text[GM_LOG_LINE_MAX];
    size_t n;
    size_t limit; /* leaves room for the trailer until the end is written */
    bool full;
};

static void put(struct line *line, struct gm_str s)
{
    if (line->full || s.n > line->limit - line->n) {
        line->full = true;
        return;
    }
    if (s.n > 0) {
        memcpy(line->text + line->n, s.p, s.n);
    }
    line->n += s.n;
}

static void put_z(struct line *line, const char *z)
{
    put(line, gm_str_z(z));
}

static void put_escaped_char(struct line *line, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    switch (c) {
    case '"':
        put_z(line, "\\\"");
        return;
    case '\\':
        put_z(line, "\\\\");
        return;
    case '\n':
        put_z(line, "\\n");
        return;
    case '\r':
        put_z(line, "\\r");
        return;
    case '\t':
        put_z(line, "\\t");
        return;
    default:
        break;
    }
    if (c < 0x20 || c == 0x7F) {
        char escape[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 0x0F]};
        put(line, (struct gm_str){escape, sizeof(escape)});
        return;
    }
    char plain = (char)c;
    put(line, (struct gm_str){&plain, 1});
}

/* In quotes, with JSON's escapes, which logfmt's readers know as well. Bytes that are not UTF-8
 * become U+FFFD. */
static void put_quoted(struct line *line, struct gm_str s)
{
    bool cut = s.n > VALUE_SIZE_MAX;
    if (cut) {
        s.n = VALUE_SIZE_MAX;
        while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xC0U) == 0x80U) {
            s.n--;
        }
    }
    put_z(line, "\"");
    while (s.n > 0) {
        size_t bad_at = s.n;
        bool valid = gm_utf8_valid(s, &bad_at);
        for (size_t i = 0; i < bad_at; i++) {
            put_escaped_char(line, (unsigned char)s.p[i]);
        }
        if (!valid) {
            put_z(line, "\xEF\xBF\xBD");
            bad_at++;
        }
        s.p += bad_at;
        s.n -= bad_at;
    }
    put_z(line, cut ? "…\"" : "\"");
}

/* True for what logfmt shows without quotes. */
static bool is_plain_word(struct gm_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\') {
            return false;
        }
    }
    return s.n > 0 && s.n <= VALUE_SIZE_MAX;
}

static void put_value(struct line *line, const struct gm_log_field *field)
{
    char number[GM_NUM_TEXT_SIZE];
    switch (field->type) {
    case GM_LOG_STR:
        if (log_format == GM_LOG_LOGFMT && is_plain_word(field->str)) {
            put(line, field->str);
        } else {
            put_quoted(line, field->str);
        }
        return;
    case GM_LOG_INT:
        put(line, (struct gm_str){number, gm_format_i64(field->i, number)});
        return;
    case GM_LOG_DOUBLE:
        if (!isfinite(field->d)) {
            put_z(line, "null"); /* JSON knows no other word for it */
            return;
        }
        put(line, (struct gm_str){number, gm_format_double(field->d, number)});
        return;
    case GM_LOG_END:
        return;
    }
}

static void put_head(struct line *line, enum gm_log_level level, const char *event_z)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    char time[GM_TIME_TEXT_SIZE];
    size_t n = gm_time_format(log_sink.now_ns(), time);
    n -= 4; /* three digits are enough for a log, of the seven */
    time[n - 1] = 'Z';
    if (log_format == GM_LOG_JSON) {
        put_z(line, "{\"time\":\"");
        put(line, (struct gm_str){time, n});
        put_z(line, "\",\"level\":\"");
        put_z(line, names[level]);
        put_z(line, "\",\"event\":");
        put_quoted(line, gm_str_z(event_z));
        return;
    }
    put(line, (struct gm_str){time, n});
    put_z(line, " ");
    put_z(line, names[level]);
    put_z(line, " ");
    put_z(line, event_z);
}

static void put_field(struct line *line, const struct gm_log_field *field)
{
    if (log_format == GM_LOG_JSON) {
        put_z(line, ",");
        put_quoted(line, gm_str_z(field->name_z));
        put_z(line, ":");
    } else {
        put_z(line, " ");
        put_z(line, field->name_z);
        put_z(line, "=");
    }
    put_value(line, field);
}

void gm_log_event(enum gm_log_level level, const char *event_z, const struct gm_log_field *fields)
{
    if (log_sink.write == NULL || level < log_level) {
        return;
    }
    struct line line;
    line.n = 0;
    line.limit = sizeof(line.text) - TRAILER_SIZE;
    line.full = false;
    bool cut = false;
    put_head(&line, level, event_z);
    for (; fields->type != GM_LOG_END; fields++) {
        size_t n = line.n;
        put_field(&line, fields);
        if (line.full) {
            line.n = n;
            line.full = false;
            cut = true;
        }
    }
    line.limit = sizeof(line.text);
    if (cut) {
        put_field(&line, &GM_L_INT("cut", 1));
    }
    put_z(&line, log_format == GM_LOG_JSON ? "}\n" : "\n");
    line.n = gm_secrets_scrub(line.text, line.n);
    log_sink.write(line.text, line.n);
}
