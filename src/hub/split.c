/* A JSON array into the texts of its items, without building values: they are read one by one
 * afterwards, and passed on as they stand. */
#include "hub/inside.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_space(struct gm_str text, size_t at)
{
    while (at < text.n && is_space(text.p[at])) {
        at++;
    }
    return at;
}

/* Behind the string that begins at `at`; text.n: it does not end. */
static size_t skip_string(struct gm_str text, size_t at)
{
    for (at++; at < text.n; at++) {
        if (text.p[at] == '\\') {
            at++;
        } else if (text.p[at] == '"') {
            return at + 1;
        }
    }
    return text.n;
}

/* Behind the value that begins at `at`: up to a comma or a bracket of the array around it. */
static size_t skip_value(struct gm_str text, size_t at)
{
    size_t depth = 0;
    while (at < text.n) {
        switch (text.p[at]) {
        case '"':
            at = skip_string(text, at);
            continue;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (depth == 0) {
                return at;
            }
            depth--;
            break;
        case ',':
            if (depth == 0) {
                return at;
            }
            break;
        default:
            break;
        }
        at++;
    }
    return at;
}

bool gm_split_array(struct gm_str text, void (*fn)(void *ctx, struct gm_str item, size_t number),
                    void *ctx, const char **out_why_z)
{
    size_t at = skip_space(text, 0);
    *out_why_z = "it is no array";
    if (at >= text.n || text.p[at] != '[') {
        return false;
    }
    *out_why_z = "the array does not end";
    at = skip_space(text, at + 1);
    if (at < text.n && text.p[at] == ']') {
        at++;
    } else {
        for (size_t number = 1;; number++) {
            at = skip_space(text, at);
            size_t end = skip_value(text, at);
            if (end >= text.n) {
                return false;
            }
            fn(ctx, gm_str_trim((struct gm_str){text.p + at, end - at}), number);
            at = end + 1;
            if (text.p[end] != ',') {
                *out_why_z = "the array ends with a bracket of another kind";
                if (text.p[end] != ']') {
                    return false;
                }
                break;
            }
        }
    }
    *out_why_z = "there is something behind the array";
    return skip_space(text, at) == text.n;
}
