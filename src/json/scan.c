/* Skipping through JSON text. Everything stays within [p, end): a text that ends too early is as if
 * nothing were there. */
#include "json/scan.h"

#include <string.h>

struct scanner {
    const char *p, *end;
};

static void skip_space(struct scanner *scanner)
{
    while (scanner->p < scanner->end && (unsigned char)*scanner->p <= ' ') {
        scanner->p++;
    }
}

static bool at(const struct scanner *scanner, char c)
{
    return scanner->p < scanner->end && *scanner->p == c;
}

/* From behind the opening quote to behind the closing one; the content in *out_raw. */
static bool take_string(struct scanner *scanner, struct gm_str *out_raw, bool *out_escaped)
{
    const char *start = scanner->p;
    *out_escaped = false;
    for (;;) {
        const char *quote = memchr(scanner->p, '"', (size_t)(scanner->end - scanner->p));
        if (quote == NULL) {
            scanner->p = scanner->end;
            return false;
        }
        size_t backslashes = 0;
        while (quote - backslashes > start && quote[-(ptrdiff_t)backslashes - 1] == '\\') {
            backslashes++;
        }
        scanner->p = quote + 1;
        if (backslashes % 2 == 0) {
            *out_raw = (struct gm_str){start, (size_t)(quote - start)};
            *out_escaped = memchr(start, '\\', out_raw->n) != NULL;
            return true;
        }
    }
}

/* Over an object or array, from its bracket to behind the one that closes it. */
static void skip_nested(struct scanner *scanner)
{
    size_t depth = 0;
    struct gm_str raw;
    bool escaped;
    while (scanner->p < scanner->end) {
        char c = *scanner->p++;
        if (c == '"') {
            (void)take_string(scanner, &raw, &escaped);
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return;
        }
    }
}

static bool ends_plain(char c)
{
    return c == ',' || c == '}' || c == ']' || (unsigned char)c <= ' ';
}

/* The value that begins here, and moves behind it. */
static void take_value(struct scanner *scanner, struct gm_json_span *out_span)
{
    const char *start = scanner->p;
    *out_span = (struct gm_json_span){.rank = GM_JSON_RANK_UNDEFINED};
    if (start == scanner->end) {
        return;
    }
    switch (*start) {
    case '"':
        scanner->p++;
        if (take_string(scanner, &out_span->raw, &out_span->escaped)) {
            out_span->rank = GM_JSON_RANK_TEXT;
        }
        return;
    case '{':
    case '[':
        skip_nested(scanner);
        out_span->rank = *start == '{' ? GM_JSON_RANK_OBJECT : GM_JSON_RANK_ARRAY;
        break;
    default:
        while (scanner->p < scanner->end && !ends_plain(*scanner->p)) {
            scanner->p++;
        }
        out_span->rank = *start == 'n'                    ? GM_JSON_RANK_NULL
                         : *start == 't' || *start == 'f' ? GM_JSON_RANK_BOOL
                                                          : GM_JSON_RANK_NUMBER;
        break;
    }
    out_span->raw = (struct gm_str){start, (size_t)(scanner->p - start)};
}

/* Stands on an object; moves to the value of its member. */
static bool find_member(struct scanner *scanner, struct gm_str name)
{
    struct gm_json_span skipped;
    struct gm_str key;
    bool escaped;
    scanner->p++;
    for (;;) {
        skip_space(scanner);
        if (!at(scanner, '"')) {
            return false;
        }
        scanner->p++;
        if (!take_string(scanner, &key, &escaped)) {
            return false;
        }
        skip_space(scanner);
        if (!at(scanner, ':')) {
            return false;
        }
        scanner->p++;
        skip_space(scanner);
        if (key.n == name.n && memcmp(key.p, name.p, name.n) == 0) {
            return true;
        }
        take_value(scanner, &skipped);
        skip_space(scanner);
        if (!at(scanner, ',')) {
            return false;
        }
        scanner->p++;
    }
}

/* Stands on an array; moves to its item. */
static bool find_item(struct scanner *scanner, size_t index)
{
    struct gm_json_span skipped;
    scanner->p++;
    for (;; index--) {
        skip_space(scanner);
        if (at(scanner, ']')) {
            return false;
        }
        if (index == 0) {
            return true;
        }
        take_value(scanner, &skipped);
        skip_space(scanner);
        if (!at(scanner, ',')) {
            return false;
        }
        scanner->p++;
    }
}

/* Goes one step of the path, which moves behind it. */
static bool follow(struct scanner *scanner, struct scanner *path)
{
    struct gm_str name;
    bool escaped;
    if (path->end - path->p > 2 && path->p[0] == '.' && path->p[1] == '"') {
        path->p += 2;
        return take_string(path, &name, &escaped) && at(scanner, '{') && find_member(scanner, name);
    }
    if (path->end - path->p < 3 || path->p[0] != '[') {
        return false;
    }
    size_t index = 0;
    for (path->p++; path->p < path->end && *path->p >= '0' && *path->p <= '9'; path->p++) {
        index = index > UINT32_MAX ? index : index * 10 + (size_t)(*path->p - '0');
    }
    bool closed = at(path, ']');
    path->p++;
    return closed && at(scanner, '[') && find_item(scanner, index);
}

void gm_json_scan(struct gm_str text, struct gm_str path, struct gm_json_span *out_span)
{
    *out_span = (struct gm_json_span){.rank = GM_JSON_RANK_UNDEFINED};
    if (text.n == 0 || path.n == 0) {
        return;
    }
    struct scanner scanner = {text.p, text.p + text.n};
    struct scanner steps = {path.p + 1, path.p + path.n};
    skip_space(&scanner);
    while (steps.p < steps.end) {
        if (!follow(&scanner, &steps)) {
            return;
        }
    }
    take_value(&scanner, out_span);
}

bool gm_json_scan_item(struct gm_str array, size_t *position, struct gm_json_span *out_span)
{
    struct scanner scanner = {array.p + *position, array.p + array.n};
    scanner.p += *position == 0 && array.n > 0; /* the bracket */
    skip_space(&scanner);
    if (scanner.p == scanner.end || at(&scanner, ']')) {
        return false;
    }
    take_value(&scanner, out_span);
    skip_space(&scanner);
    scanner.p += at(&scanner, ',');
    *position = (size_t)(scanner.p - array.p);
    return out_span->rank != GM_JSON_RANK_UNDEFINED;
}

/* ---- escapes ---- */

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 0;
        v = v << 4 | digit;
    }
    return v;
}

static void add_utf8(struct gm_buf *out, uint32_t c)
{
    if (c < 0x80) {
        gm_buf_add_char(out, (char)c);
    } else if (c < 0x800) {
        gm_buf_add_char(out, (char)(0xC0 | c >> 6));
        gm_buf_add_char(out, (char)(0x80 | (c & 0x3F)));
    } else {
        if (c >= 0x10000) {
            gm_buf_add_char(out, (char)(0xF0 | c >> 18));
            gm_buf_add_char(out, (char)(0x80 | (c >> 12 & 0x3F)));
        } else {
            gm_buf_add_char(out, (char)(0xE0 | c >> 12));
        }
        gm_buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3F)));
        gm_buf_add_char(out, (char)(0x80 | (c & 0x3F)));
    }
}

/* The \uXXXX at `at`, with the second half of a pair; returns the bytes it takes. */
static size_t add_unicode(struct gm_str raw, size_t at, struct gm_buf *out)
{
    if (raw.n - at < 6) {
        return raw.n - at;
    }
    uint32_t c = hex4(raw.p + at + 2);
    bool pair = c >= 0xD800 && c < 0xDC00 && raw.n - at >= 12 && raw.p[at + 6] == '\\' &&
                raw.p[at + 7] == 'u';
    if (pair) {
        c = 0x10000 + ((c - 0xD800) << 10) + ((hex4(raw.p + at + 8) - 0xDC00) & 0x3FF);
    }
    add_utf8(out, c);
    return pair ? 12 : 6;
}

void gm_json_scan_text(const struct gm_json_span *span, struct gm_buf *out)
{
    static const char names[] = "bfnrt";
    static const char bytes[] = "\b\f\n\r\t";
    struct gm_str raw = span->raw;
    for (size_t i = 0; i < raw.n;) {
        if (raw.p[i] != '\\' || i + 1 == raw.n) {
            gm_buf_add_char(out, raw.p[i++]);
        } else if (raw.p[i + 1] == 'u') {
            i += add_unicode(raw, i, out);
        } else {
            const char *name = memchr(names, raw.p[i + 1], sizeof(names) - 1);
            gm_buf_add_char(out, name != NULL ? bytes[name - names] : raw.p[i + 1]);
            i += 2;
        }
    }
}
