#include "connect/csv/rows.h"

void gm_csv_reader_init(struct gm_csv_reader *reader, struct gm_csv_dialect dialect)
{
    *reader = (struct gm_csv_reader){.dialect = dialect, .line = 1};
    reader->stop[(unsigned char)dialect.delimiter] = true;
    reader->stop['\n'] = true;
}

/* ---- searching a row ---- */

enum scan { SCAN_GOES_ON, SCAN_ROW, SCAN_MORE, SCAN_OPEN_QUOTE };

struct scanner {
    struct gm_csv_reader *reader;
    const char *start;
    const char *p;
    const char *end;
    bool last; /* nothing follows `end` */
};

static void add_field(struct scanner *scanner, const char *from, const char *to, bool quoted,
                      bool escaped)
{
    struct gm_csv_reader *reader = scanner->reader;
    if (reader->field_count < GM_COLUMNS_MAX) {
        reader->fields[reader->field_count] = (struct gm_csv_field){
            .start = (uint32_t)(from - scanner->start),
            .size = (uint32_t)(to - from),
            .quoted = quoted,
            .escaped = escaped,
        };
    }
    reader->field_count++;
}

/* Behind a field: at a delimiter, a line end, or the end. */
static enum scan end_field(struct scanner *scanner)
{
    if (scanner->p == scanner->end) {
        return SCAN_ROW;
    }
    bool line_end = *scanner->p++ == '\n';
    return line_end ? SCAN_ROW : SCAN_GOES_ON;
}

static const char *find_stop(const struct scanner *scanner, const char *p)
{
    const bool *stop = scanner->reader->stop;
    while (p < scanner->end && !stop[(unsigned char)*p]) {
        p++;
    }
    return p;
}

static enum scan scan_plain(struct scanner *scanner)
{
    const char *from = scanner->p;
    const char *to = find_stop(scanner, from);
    if (to == scanner->end && !scanner->last) {
        return SCAN_MORE;
    }
    scanner->p = to;
    bool line_ends = to == scanner->end || *to == '\n';
    if (line_ends && to > from && to[-1] == '\r') {
        to--;
    }
    add_field(scanner, from, to, false, false);
    return end_field(scanner);
}

/* The closing quote of the field that begins at `from`; NULL: not there. */
static const char *find_closing(const struct scanner *scanner, const char *from, bool *out_escaped)
{
    char quote = scanner->reader->dialect.quote;
    *out_escaped = false;
    for (const char *p = from; p < scanner->end; p += 2) {
        p = memchr(p, quote, (size_t)(scanner->end - p));
        if (p == NULL || p + 1 == scanner->end) {
            return scanner->last ? p : NULL; /* the next byte may double it */
        }
        if (p[1] != quote) {
            return p;
        }
        *out_escaped = true;
    }
    return NULL;
}

static uint64_t count_line_ends(const char *p, const char *end)
{
    uint64_t count = 0;
    while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        count++;
        p++;
    }
    return count;
}

static enum scan scan_quoted(struct scanner *scanner)
{
    struct gm_csv_reader *reader = scanner->reader;
    const char *from = scanner->p + 1;
    bool escaped;
    const char *closing = find_closing(scanner, from, &escaped);
    if (closing == NULL) {
        return scanner->last ? SCAN_OPEN_QUOTE : SCAN_MORE;
    }
    const char *stop = find_stop(scanner, closing + 1);
    if (stop == scanner->end && !scanner->last) {
        return SCAN_MORE;
    }
    bool line_ends = stop == scanner->end || *stop == '\n';
    bool only_cr = line_ends && stop == closing + 2 && closing[1] == '\r';
    if (stop != closing + 1 && !only_cr && reader->stray == SIZE_MAX) {
        reader->stray = reader->field_count;
    }
    reader->line_ends += count_line_ends(from, closing);
    add_field(scanner, from, closing, true, escaped);
    scanner->p = stop;
    return end_field(scanner);
}

/* Finds the borders of the row at the start of `text`. SCAN_ROW: *out_size bytes are of it. */
static enum scan scan_row(struct gm_csv_reader *reader, struct gm_str text, bool last,
                          size_t *out_size)
{
    struct scanner scanner = {
        .reader = reader, .start = text.p, .p = text.p, .end = text.p + text.n, .last = last};
    reader->field_count = 0;
    reader->stray = SIZE_MAX;
    reader->line_ends = 0;
    enum scan scan;
    do {
        if (scanner.p == scanner.end && !last) {
            return SCAN_MORE;
        }
        bool quoted = scanner.p < scanner.end && *scanner.p == reader->dialect.quote;
        scan = quoted ? scan_quoted(&scanner) : scan_plain(&scanner);
    } while (scan == SCAN_GOES_ON);
    *out_size = (size_t)(scanner.p - scanner.start);
    return scan;
}

/* ---- rows that are too large ---- */

enum skip { SKIP_FIELD_START, SKIP_PLAIN, SKIP_QUOTED, SKIP_QUOTE, SKIP_DONE };

/* The same grammar, a byte at a time, without a memory of what was. */
static enum skip skip_byte(struct gm_csv_reader *reader, enum skip state, char c)
{
    char quote = reader->dialect.quote;
    if (state == SKIP_QUOTED) {
        reader->line_ends += c == '\n';
        return c == quote ? SKIP_QUOTE : SKIP_QUOTED;
    }
    if (c == quote && (state == SKIP_FIELD_START || state == SKIP_QUOTE)) {
        return SKIP_QUOTED;
    }
    if (c == '\n') {
        return SKIP_DONE;
    }
    return c == reader->dialect.delimiter ? SKIP_FIELD_START : SKIP_PLAIN;
}

static gm_rc cut(const struct gm_csv_reader *reader, struct gm_err *err)
{
    return gm_fail(err, GM_E_RETRY, "the text ends in the middle of line %llu",
                   (unsigned long long)reader->line);
}

/* Passes over the row at the start of the window, however long it is. */
static gm_rc skip_row(struct gm_csv_reader *reader, struct gm_window *window, struct gm_err *err)
{
    enum skip state = SKIP_FIELD_START;
    reader->line_ends = 0;
    while (state != SKIP_DONE) {
        struct gm_str text = gm_window_bytes(window);
        if (text.n == 0 && window->ended) {
            return cut(reader, err);
        }
        size_t i = 0;
        while (i < text.n && state != SKIP_DONE) {
            state = skip_byte(reader, state, text.p[i++]);
        }
        gm_window_skip(window, i);
        if (state != SKIP_DONE && !window->ended) {
            GM_TRY(gm_window_more(window, err));
        }
    }
    reader->line += reader->line_ends + 1;
    return GM_OK;
}

/* ---- rows ---- */

gm_rc gm_csv_next(struct gm_csv_reader *reader, struct gm_window *window,
                  struct gm_csv_row *out_row, struct gm_err *err)
{
    if (reader->skip_rest) {
        GM_TRY(skip_row(reader, window, err));
        reader->skip_rest = false;
    }
    size_t size = 0;
    for (;;) {
        struct gm_str text = gm_window_bytes(window);
        if (text.n == 0 && window->ended) {
            return GM_E_END;
        }
        enum scan scan = scan_row(reader, text, window->ended, &size);
        if (scan == SCAN_ROW) {
            break;
        }
        if (scan == SCAN_OPEN_QUOTE) {
            return cut(reader, err);
        }
        gm_rc rc = gm_window_more(window, err);
        if (rc == GM_E_LIMIT) {
            reader->skip_rest = true;
            size = gm_window_bytes(window).n;
            break;
        }
        GM_TRY(rc);
    }
    struct gm_str bytes = {gm_window_bytes(window).p, size};
    *out_row = (struct gm_csv_row){
        .bytes = bytes,
        .line = reader->line,
        .fields = reader->fields,
        .field_count = reader->field_count,
        .stray = reader->stray,
        .ended = !reader->skip_rest && bytes.p[size - 1] == '\n',
        .too_large = reader->skip_rest,
    };
    if (!reader->skip_rest) {
        gm_window_skip(window, size);
        reader->line += reader->line_ends + 1;
    }
    return GM_OK;
}

bool gm_csv_row_is_blank(const struct gm_csv_row *row)
{
    return row->field_count == 1 && row->fields[0].size == 0 && !row->fields[0].quoted &&
           !row->too_large;
}

struct gm_str gm_csv_field_text(const struct gm_csv_field *field, char quote, char *bytes)
{
    char *text = bytes + field->start;
    if (!field->escaped) {
        return (struct gm_str){text, field->size};
    }
    size_t n = 0;
    for (size_t i = 0; i < field->size; i++) {
        text[n++] = text[i];
        i += text[i] == quote; /* of a doubled quote the second one is left out */
    }
    return (struct gm_str){text, n};
}
