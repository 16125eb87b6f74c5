#include "flow/pattern.h"

static gm_rc parse_literal(struct gm_arena *arena, struct gm_str *rest, struct gm_str *out,
                           struct gm_err *err)
{
    char *to = gm_arena_alloc(arena, rest->n + 1);
    size_t n = 0, at = 0;
    if (to == NULL) {
        return gm_fail(err, GM_E_CONFIG, "a template is too long");
    }
    while (at < rest->n) {
        char c = rest->p[at];
        bool twice = at + 1 < rest->n && rest->p[at + 1] == c;
        if (c == '{' && !twice) {
            break;
        }
        if (c == '}' && !twice) {
            return gm_fail(err, GM_E_CONFIG, "a `}` without its `{`; write }} for the character");
        }
        to[n++] = c;
        at += c == '{' || c == '}' ? 2 : 1;
    }
    *rest = (struct gm_str){rest->p + at, rest->n - at};
    *out = (struct gm_str){to, n};
    return GM_OK;
}

static gm_rc parse_parts(struct gm_arena *arena, struct gm_str rest, struct gm_pattern *out,
                         struct gm_err *err)
{
    for (;;) {
        struct gm_str path;
        GM_TRY(parse_literal(arena, &rest, &out->literals[out->count], err));
        if (rest.n == 0) {
            return GM_OK;
        }
        rest = (struct gm_str){rest.p + 1, rest.n - 1}; /* behind the brace */
        if (!gm_str_cut(rest, '}', &path, &rest)) {
            return gm_fail(err, GM_E_CONFIG, "a `{` without its `}`; write {{ for the character");
        }
        if (out->count == GM_PATTERN_PATHS_MAX) {
            return gm_fail(err, GM_E_CONFIG, "more than %d paths", GM_PATTERN_PATHS_MAX);
        }
        GM_TRY(gm_path_parse(gm_str_trim(path), &out->paths[out->count], err));
        out->count++;
    }
}

gm_rc gm_pattern_parse(struct gm_arena *arena, struct gm_str text, struct gm_pattern *out_pattern,
                       struct gm_err *err)
{
    *out_pattern = (struct gm_pattern){0};
    if (memchr(text.p, '{', text.n) == NULL) {
        GM_TRY(gm_path_parse(text, &out_pattern->paths[0], err));
        out_pattern->count = 1;
        return GM_OK;
    }
    GM_TRY(parse_parts(arena, text, out_pattern, err));
    return out_pattern->count > 0 ? GM_OK : gm_fail(err, GM_E_CONFIG, "there is no {path} in it");
}
