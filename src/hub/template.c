#include "hub/template.h"

#include <stdio.h>

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

static gm_rc parse_parts(struct gm_arena *arena, struct gm_str rest, struct gm_hub_template *out,
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
        if (out->count == GM_HUB_TEMPLATE_PARTS_MAX) {
            return gm_fail(err, GM_E_CONFIG, "more than %d paths", GM_HUB_TEMPLATE_PARTS_MAX);
        }
        GM_TRY(gm_path_parse(gm_str_trim(path), &out->paths[out->count], err));
        out->count++;
    }
}

gm_rc gm_hub_template_parse(struct gm_arena *arena, const char *name_z, const char *text_z,
                            struct gm_hub_template *out, struct gm_err *err)
{
    gm_rc rc = GM_OK;
    struct gm_str text = gm_str_z(text_z);
    if (text_z == NULL) {
        return GM_OK;
    }
    if (memchr(text.p, '{', text.n) == NULL) {
        rc = gm_path_parse(text, &out->paths[0], err);
        out->count = 1;
    } else {
        rc = parse_parts(arena, text, out, err);
        if (rc == GM_OK && out->count == 0) {
            rc = gm_fail(err, GM_E_CONFIG, "there is no {path} in it");
        }
    }
    return rc == GM_OK ? rc : gm_fail_within(err, "`%s`", name_z);
}

struct gm_str gm_scalar_text(yyjson_val *value, char digits[GM_NUM_TEXT_SIZE])
{
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_STR:
        return (struct gm_str){yyjson_get_str(value), yyjson_get_len(value)};
    case YYJSON_TYPE_NUM:
        if (yyjson_is_real(value)) {
            return (struct gm_str){digits, gm_format_double(yyjson_get_real(value), digits)};
        }
        return (struct gm_str){digits, yyjson_is_sint(value)
                                           ? gm_format_i64(yyjson_get_sint(value), digits)
                                           : gm_format_u64(yyjson_get_uint(value), digits)};
    case YYJSON_TYPE_BOOL:
        return yyjson_get_bool(value) ? GM_STR("true") : GM_STR("false");
    case YYJSON_TYPE_ARR:
    case YYJSON_TYPE_OBJ:
        return (struct gm_str){NULL, 1};
    default: /* null, or nothing */
        return (struct gm_str){NULL, 0};
    }
}
