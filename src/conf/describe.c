/* Words about fields, for messages and for everything that is derived from field tables. */
#include "conf/inside.h"

static const struct {
    const char *noun_z;
    const char *phrase_z;
} types[] = {
    [GM_T_END] = {"", ""},
    [GM_T_STR] = {"text", "a text"},
    [GM_T_SECRET] = {"secret", "a text or a reference such as ${env:NAME}"},
    [GM_T_PATH] = {"path", "a path"},
    [GM_T_BOOL] = {"true or false", "true or false"},
    [GM_T_INT] = {"whole number", "a whole number such as 10"},
    [GM_T_DOUBLE] = {"number", "a number such as 0.5"},
    [GM_T_SPAN] = {"duration", "a duration such as 30s"},
    [GM_T_SIZE] = {"size", "a size such as 64MiB"},
    [GM_T_SHARE] = {"share", "a share such as 5%"},
    [GM_T_ENUM] = {"one of", "a name"},
    [GM_T_CHAR] = {"character", "one ASCII character, or `tab`"},
    [GM_T_STRS] = {"list of texts", "a text or a list of texts"},
    [GM_T_STRUCT] = {"settings", "settings"},
    [GM_T_LIST] = {"list of settings", "a list of settings"},
    [GM_T_MAP] = {"settings by name", "settings by name"},
    [GM_T_CHOICE] = {"one of", "one of several choices"},
    [GM_T_NODE] = {"any", "any value"},
};

const char *gm_conf_type_phrase(enum gm_field_type type)
{
    return types[type].phrase_z;
}

static void add_code(struct gm_buf *out, size_t index, const char *name_z)
{
    gm_buf_addf(out, "%s`%s`", index > 0 ? ", " : " ", name_z);
}

void gm_conf_add_type(struct gm_buf *out, const struct gm_field *field)
{
    gm_buf_add_z(out, types[field->type].noun_z);
    if (field->type == GM_T_ENUM) {
        for (size_t i = 0; field->names[i] != NULL; i++) {
            add_code(out, i, field->names[i]);
        }
    } else if (field->type == GM_T_CHOICE) {
        for (size_t i = 0; field->alternatives()[i] != NULL; i++) {
            add_code(out, i, field->alternatives()[i]->name_z);
        }
    }
}

void gm_conf_add_bounds(struct gm_buf *out, const struct gm_field *field)
{
    if (field->min != NULL) {
        gm_buf_addf(out, "at least %s", field->min);
    }
    if (field->max != NULL) {
        gm_buf_addf(out, "%sat most %s", field->min != NULL ? ", " : "", field->max);
    }
}

bool gm_conf_has_settings(const struct gm_field *field)
{
    return field->type == GM_T_STRUCT || field->type == GM_T_LIST || field->type == GM_T_MAP ||
           field->type == GM_T_CHOICE;
}

const struct gm_field *gm_conf_field_at(const struct gm_field *fields, size_t index)
{
    for (uint32_t advanced = 0; advanced <= GM_F_ADVANCED; advanced += GM_F_ADVANCED) {
        for (const struct gm_field *field = fields; field->type != GM_T_END; field++) {
            if ((field->flags & GM_F_ADVANCED) == advanced && index-- == 0) {
                return field;
            }
        }
    }
    return NULL;
}

void gm_conf_add_path(struct gm_buf *path, const struct gm_field *field)
{
    gm_buf_addf(path, "%s%s", path->n > 0 ? "." : "", field->name_z);
    if (field->type == GM_T_MAP) {
        gm_buf_add_z(path, ".NAME");
    } else if (field->type == GM_T_LIST) {
        gm_buf_add_z(path, "[]");
    }
}

bool gm_conf_all_optional(const struct gm_field *fields)
{
    for (const struct gm_field *field = fields; field->type != GM_T_END; field++) {
        if ((field->flags & GM_F_REQUIRED) != 0) {
            return false;
        }
    }
    return true;
}
