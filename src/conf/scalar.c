/* Values that are written as one text: numbers, durations, names of an enumeration … */
#include <stdio.h>

#include "base/num.h"
#include "conf/inside.h"

/* A number of any of the types that have bounds. */
union number {
    int64_t i;  /* INT, SPAN */
    double d;   /* DOUBLE, SHARE */
    uint64_t u; /* SIZE */
};

static bool parse_number(enum gm_field_type type, struct gm_str text, union number *out)
{
    switch (type) {
    case GM_T_INT:
        return gm_parse_i64(text, &out->i);
    case GM_T_SPAN:
        return gm_span_parse(text, &out->i);
    case GM_T_SIZE:
        return gm_parse_size(text, &out->u);
    case GM_T_DOUBLE:
        return gm_parse_double(text, &out->d);
    default:
        GM_ASSERT(type == GM_T_SHARE);
        return gm_parse_share(text, &out->d);
    }
}

static bool is_less(enum gm_field_type type, union number a, union number b)
{
    switch (type) {
    case GM_T_INT:
    case GM_T_SPAN:
        return a.i < b.i;
    case GM_T_SIZE:
        return a.u < b.u;
    default:
        return a.d < b.d;
    }
}

void gm_conf_found(const struct gm_node *node, char out[GM_CONF_FOUND_SIZE])
{
    enum { SHOWN_MAX = 60 };
    static const char *const names[] = {
        [GM_NODE_NULL] = "nothing", [GM_NODE_LIST] = "a list", [GM_NODE_MAP] = "settings"};
    if (node->type != GM_NODE_SCALAR) {
        snprintf(out, GM_CONF_FOUND_SIZE, "%s", names[node->type]);
        return;
    }
    size_t n = node->text.n < SHOWN_MAX ? node->text.n : SHOWN_MAX;
    while (n > 0 && n < node->text.n && ((unsigned char)node->text.p[n] & 0xC0U) == 0x80U) {
        n--;
    }
    snprintf(out, GM_CONF_FOUND_SIZE, "\"%.*s%s\"", (int)n, node->text.p,
             n < node->text.n ? "…" : "");
}

void gm_conf_expected(struct gm_conf_doc *doc, const struct gm_node *node, const char *expected_z)
{
    char found[GM_CONF_FOUND_SIZE];
    gm_conf_found(node, found);
    gm_conf_error(doc, &node->place, "`%s`: expected %s, found %s",
                  gm_conf_setting_path(doc, node, NULL), expected_z, found);
}

/* For types that quotes rule out: what is in quotes is text. */
static bool refuse_quotes(struct gm_conf_doc *doc, const struct gm_node *node,
                          const char *expected_z)
{
    if (!node->quoted) {
        return true;
    }
    char found[GM_CONF_FOUND_SIZE];
    gm_conf_found(node, found);
    gm_conf_error(doc, &node->place, "`%s`: expected %s, found the text %s; remove the quotes",
                  gm_conf_setting_path(doc, node, NULL), expected_z, found);
    return false;
}

static bool check_bounds(struct gm_conf_doc *doc, const struct gm_field *field,
                         const struct gm_node *node, union number value)
{
    const char *const bounds[] = {field->min, field->max};
    for (int k = 0; k < 2; k++) {
        union number bound;
        if (bounds[k] == NULL) {
            continue;
        }
        bool parsed = parse_number(field->type, gm_str_z(bounds[k]), &bound);
        GM_ASSERT(parsed); /* a mistake in the field table */
        if (k == 0 ? is_less(field->type, value, bound) : is_less(field->type, bound, value)) {
            char found[GM_CONF_FOUND_SIZE];
            gm_conf_found(node, found);
            gm_conf_error(doc, &node->place, "`%s`: must be at %s %s, found %s",
                          gm_conf_setting_path(doc, node, NULL), k == 0 ? "least" : "most",
                          bounds[k], found);
            return false;
        }
    }
    return true;
}

static bool decode_number(struct gm_conf_doc *doc, const struct gm_field *field,
                          const struct gm_node *node, void *slot)
{
    union number value;
    const char *expected_z = gm_conf_type_phrase(field->type);
    bool is_bare = field->type == GM_T_INT || field->type == GM_T_DOUBLE;
    if (is_bare && !refuse_quotes(doc, node, expected_z)) {
        return false;
    }
    if (!parse_number(field->type, node->text, &value)) {
        gm_conf_expected(doc, node, expected_z);
        return false;
    }
    if (!check_bounds(doc, field, node, value)) {
        return false;
    }
    if (field->type == GM_T_SIZE) {
        memcpy(slot, &value.u, sizeof(value.u));
    } else if (field->type == GM_T_DOUBLE || field->type == GM_T_SHARE) {
        memcpy(slot, &value.d, sizeof(value.d));
    } else {
        memcpy(slot, &value.i, sizeof(value.i));
    }
    return true;
}

static bool decode_bool(struct gm_conf_doc *doc, const struct gm_node *node, void *slot)
{
    static const char *const spellings[] = {"true", "True", "TRUE", "false", "False", "FALSE"};
    if (!refuse_quotes(doc, node, gm_conf_type_phrase(GM_T_BOOL))) {
        return false;
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(spellings); i++) {
        if (gm_str_is(node->text, spellings[i])) {
            *(bool *)slot = i < GM_ARRAY_COUNT(spellings) / 2;
            return true;
        }
    }
    gm_conf_expected(doc, node, gm_conf_type_phrase(GM_T_BOOL));
    return false;
}

static bool decode_enum(struct gm_conf_doc *doc, const struct gm_field *field,
                        const struct gm_node *node, void *slot)
{
    enum { NAMES_MAX = 30, TEXT_MAX = 500 };
    size_t count = gm_conf_name_count(field->names);
    for (size_t i = 0; i < count; i++) {
        if (gm_str_is(node->text, field->names[i])) {
            *(int32_t *)slot = (int32_t)i;
            return true;
        }
    }
    struct gm_buf names;
    gm_buf_init(&names, TEXT_MAX);
    gm_conf_add_names(&names, field->names, count, NAMES_MAX);
    char found[GM_CONF_FOUND_SIZE];
    gm_conf_found(node, found);
    const char *nearest = gm_conf_nearest(node->text, field->names, count);
    gm_conf_error(doc, &node->place, "`%s`: expected one of %s; found %s%s%s%s",
                  gm_conf_setting_path(doc, node, NULL), names.p, found,
                  nearest != NULL ? "; did you mean `" : "", nearest != NULL ? nearest : "",
                  nearest != NULL ? "`?" : "");
    gm_buf_deinit(&names);
    return false;
}

static bool decode_char(struct gm_conf_doc *doc, const struct gm_node *node, void *slot)
{
    char c = '\0';
    if (gm_str_is(node->text, "tab")) {
        c = '\t';
    } else if (node->text.n == 1) {
        c = node->text.p[0];
    }
    if (c == '\0' || (unsigned char)c >= 0x80U) {
        gm_conf_expected(doc, node, gm_conf_type_phrase(GM_T_CHAR));
        return false;
    }
    *(char *)slot = c;
    return true;
}

static bool has_zero_byte(struct gm_str text)
{
    return text.n > 0 && memchr(text.p, '\0', text.n) != NULL;
}

static bool decode_text(struct gm_conf_doc *doc, const struct gm_field *field, struct gm_node *node,
                        void *slot)
{
    const char *text_z;
    if (has_zero_byte(node->text)) {
        gm_conf_error(doc, &node->place, "`%s`: a text cannot contain a zero byte",
                      gm_conf_setting_path(doc, node, NULL));
        return false;
    }
    if (field->type == GM_T_SECRET) {
        text_z = gm_conf_decode_secret(doc, node);
    } else if (gm_conf_has_reference(node->text)) {
        gm_conf_error(
            doc, &node->place,
            "`%s`: references such as ${env:NAME} work in secrets only; write the value itself",
            gm_conf_setting_path(doc, node, NULL));
        return false;
    } else if (field->type == GM_T_PATH) {
        text_z = gm_conf_resolve_path(doc, node->place.file_z, node->text);
    } else {
        text_z = gm_conf_dup_z(doc, node->text);
    }
    if (text_z == NULL) {
        return false;
    }
    *(const char **)slot = text_z;
    return true;
}

bool gm_conf_decode_scalar(struct gm_conf_doc *doc, const struct gm_field *field,
                           struct gm_node *node, void *slot)
{
    if (node->type != GM_NODE_SCALAR) {
        gm_conf_expected(doc, node, gm_conf_type_phrase(field->type));
        return false;
    }
    switch (field->type) {
    case GM_T_BOOL:
        return decode_bool(doc, node, slot);
    case GM_T_ENUM:
        return decode_enum(doc, field, node, slot);
    case GM_T_CHAR:
        return decode_char(doc, node, slot);
    case GM_T_STR:
    case GM_T_STRS:
    case GM_T_PATH:
    case GM_T_SECRET:
        return decode_text(doc, field, node, slot);
    default:
        return decode_number(doc, field, node, slot);
    }
}

bool gm_conf_check_count(struct gm_conf_doc *doc, const struct gm_field *field,
                         const struct gm_node *node, size_t count)
{
    const char *const bounds[] = {field->min, field->max};
    for (int k = 0; k < 2; k++) {
        int64_t bound;
        if (bounds[k] == NULL) {
            continue;
        }
        bool parsed = gm_parse_i64(gm_str_z(bounds[k]), &bound);
        GM_ASSERT(parsed && bound >= 0); /* a mistake in the field table */
        if (k == 0 ? count < (size_t)bound : count > (size_t)bound) {
            gm_conf_error(doc, gm_conf_place_of(node), "`%s`: needs at %s %s, found %zu",
                          gm_conf_setting_path(doc, node, NULL), k == 0 ? "least" : "most",
                          bounds[k], count);
            return false;
        }
    }
    return true;
}
