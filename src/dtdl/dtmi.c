#include "dtdl/dtmi.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool gm_dtdl_name_valid(struct gm_str name)
{
    if (name.n == 0 || !is_letter(name.p[0]) || name.p[name.n - 1] == '_') {
        return false;
    }
    for (size_t i = 1; i < name.n; i++) {
        if (!is_letter(name.p[i]) && !is_digit(name.p[i]) && name.p[i] != '_') {
            return false;
        }
    }
    return true;
}

/* [1-9][0-9]* of at most `digits_max` digits. */
static bool parse_version(struct gm_str s, size_t digits_max, int64_t *out_version)
{
    if (s.n == 0 || s.n > digits_max || s.p[0] == '0') {
        return false;
    }
    int64_t version = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i])) {
            return false;
        }
        version = version * 10 + (s.p[i] - '0');
    }
    *out_version = version;
    return true;
}

static bool parse_versions(struct gm_str s, struct gm_dtmi *dtmi)
{
    struct gm_str major, minor;
    bool has_minor = gm_str_cut(s, '.', &major, &minor);
    return parse_version(major, 9, &dtmi->major) &&
           (!has_minor || parse_version(minor, 6, &dtmi->minor));
}

/* As a name, behind any number of underscores when `loose`. */
static bool segment_valid(struct gm_str segment, bool loose)
{
    size_t skip = 0;
    while (loose && skip < segment.n && segment.p[skip] == '_') {
        skip++;
    }
    if (skip > 0 && skip < segment.n && is_digit(segment.p[skip])) {
        skip++; /* behind underscores a digit may be first */
        if (skip == segment.n) {
            return true;
        }
        segment = (struct gm_str){segment.p + skip, segment.n - skip};
        for (size_t i = 0; i < segment.n; i++) {
            if (!is_letter(segment.p[i]) && !is_digit(segment.p[i]) && segment.p[i] != '_') {
                return false;
            }
        }
        return segment.p[segment.n - 1] != '_';
    }
    return gm_dtdl_name_valid((struct gm_str){segment.p + skip, segment.n - skip});
}

static bool parse(struct gm_str id, bool loose, struct gm_dtmi *out_dtmi)
{
    struct gm_dtmi dtmi = {.major = -1, .minor = -1};
    struct gm_str versions;
    bool has_version = gm_str_cut(id, ';', &dtmi.base, &versions);
    struct gm_str segment, rest;
    if (!gm_str_cut(dtmi.base, ':', &segment, &rest) || !gm_str_is(segment, "dtmi")) {
        return false;
    }
    bool more;
    do {
        more = gm_str_cut(rest, ':', &segment, &rest);
        if (!segment_valid(segment, loose)) {
            return false;
        }
    } while (more);
    if (has_version && !parse_versions(versions, &dtmi)) {
        return false;
    }
    *out_dtmi = dtmi;
    return true;
}

bool gm_dtmi_parse(struct gm_str id, struct gm_dtmi *out_dtmi)
{
    return id.n <= GM_DTMI_SIZE_MAX && parse(id, false, out_dtmi);
}

bool gm_dtmi_parse_any(struct gm_str id, struct gm_dtmi *out_dtmi)
{
    struct gm_str head, fragment;
    bool has_fragment = gm_str_cut(id, '#', &head, &fragment);
    if (!parse(head, true, out_dtmi) ||
        (has_fragment && fragment.n > 0 && !segment_valid(fragment, true))) {
        return false;
    }
    out_dtmi->fragment = fragment;
    return true;
}

bool gm_dtmi_valid(struct gm_str id, int dtdl_version)
{
    struct gm_dtmi dtmi;
    if (!gm_dtmi_parse(id, &dtmi)) {
        return false;
    }
    return dtdl_version > 2 || (dtmi.major >= 0 && dtmi.minor < 0);
}
