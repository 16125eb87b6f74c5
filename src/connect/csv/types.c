#include "connect/csv/types.h"

#include "base/num.h"

const char *const gm_csv_type_names[] = {
    [GM_CSV_TEXT] = "text", [GM_CSV_INT] = "int",   [GM_CSV_DOUBLE] = "double",
    [GM_CSV_BOOL] = "bool", [GM_CSV_JSON] = "json", NULL,
};

const char *gm_csv_type_name(enum gm_csv_type type)
{
    return gm_csv_type_names[type];
}

bool gm_csv_type_find(struct gm_str name, enum gm_csv_type *out_type)
{
    for (int i = 0; gm_csv_type_names[i] != NULL; i++) {
        if (gm_str_is(name, gm_csv_type_names[i])) {
            *out_type = (enum gm_csv_type)i;
            return true;
        }
    }
    return false;
}

static bool equals_in_any_case(struct gm_str text, const char *lower_z)
{
    size_t i = 0;
    for (; i < text.n && lower_z[i] != '\0'; i++) {
        char c = text.p[i];
        if ((c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c) != lower_z[i]) {
            return false;
        }
    }
    return i == text.n && lower_z[i] == '\0';
}

static bool parse_bool(struct gm_str text, bool *out_value)
{
    static const char *const words[][2] = {
        {"false", "true"}, {"0", "1"}, {"no", "yes"}, {"f", "t"}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(words); i++) {
        for (int value = 0; value < 2; value++) {
            if (equals_in_any_case(text, words[i][value])) {
                *out_value = value == 1;
                return true;
            }
        }
    }
    return false;
}

bool gm_csv_convert(enum gm_csv_type type, struct gm_str text, yyjson_mut_doc *doc,
                    struct gm_cell *out_cell)
{
    struct gm_cell cell = {.type = GM_CELL_TEXT, .as.s = text};
    yyjson_mut_val *value = NULL;
    struct gm_err ignored = {0};
    switch (type) {
    case GM_CSV_TEXT:
        break;
    case GM_CSV_INT:
        cell.type = GM_CELL_INT;
        if (!gm_parse_i64(text, &cell.as.i)) {
            return false;
        }
        break;
    case GM_CSV_DOUBLE:
        cell.type = GM_CELL_DOUBLE;
        if (!gm_parse_double(text, &cell.as.d)) {
            return false;
        }
        break;
    case GM_CSV_BOOL:
        cell.type = GM_CELL_BOOL;
        if (!parse_bool(text, &cell.as.b)) {
            return false;
        }
        break;
    case GM_CSV_JSON:
        if (gm_json_parse(doc, text, &value, &ignored) != GM_OK) {
            return false;
        }
        cell = gm_cell_of_json(value);
        break;
    }
    *out_cell = cell;
    return true;
}
