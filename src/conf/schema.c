/* The JSON Schema of a field table (https://json-schema.org/draft/2020-12), for editors. It says
 * what decoding accepts, except for bounds of durations and sizes, which stand in the description.
 */
#include "conf/inside.h"

/* Objects and arrays with two spaces a level. */
struct schema {
    struct gm_buf *out;
    int depth;
    bool is_empty; /* nothing was written yet in the innermost object or array */
};

static void next_line(struct schema *schema)
{
    gm_buf_add_z(schema->out, schema->is_empty ? "\n" : ",\n");
    for (int i = 0; i < schema->depth; i++) {
        gm_buf_add_z(schema->out, "  ");
    }
    schema->is_empty = false;
}

static void open_with(struct schema *schema, char bracket)
{
    gm_buf_add_char(schema->out, bracket);
    schema->depth++;
    schema->is_empty = true;
}

static void close_with(struct schema *schema, char bracket)
{
    schema->depth--;
    if (!schema->is_empty) {
        schema->is_empty = true;
        next_line(schema);
    }
    gm_buf_add_char(schema->out, bracket);
    schema->is_empty = false;
}

static void add_name(struct schema *schema, const char *name_z)
{
    next_line(schema);
    gm_conf_add_json(schema->out, gm_str_z(name_z));
    gm_buf_add_z(schema->out, ": ");
}

static void add_text(struct schema *schema, const char *name_z, const char *value_z)
{
    add_name(schema, name_z);
    gm_conf_add_json(schema->out, gm_str_z(value_z));
}

static void add_raw(struct schema *schema, const char *name_z, const char *value_z)
{
    add_name(schema, name_z);
    gm_buf_add_z(schema->out, value_z);
}

static void add_settings(struct schema *schema, const struct gm_field *fields);

/* `names:` alone is accepted as an empty map. */
static void add_object_type(struct schema *schema, const struct gm_field *fields)
{
    add_raw(schema, "type", gm_conf_all_optional(fields) ? "[\"object\", \"null\"]" : "\"object\"");
}

static void add_settings_object(struct schema *schema, const char *name_z,
                                const struct gm_field *fields)
{
    add_name(schema, name_z);
    open_with(schema, '{');
    add_object_type(schema, fields);
    add_settings(schema, fields);
    close_with(schema, '}');
}

static void add_alternative(struct schema *schema, const struct gm_alternative *alternative)
{
    next_line(schema);
    open_with(schema, '{');
    add_raw(schema, "type", "\"object\"");
    add_raw(schema, "additionalProperties", "false");
    add_name(schema, "required");
    open_with(schema, '[');
    next_line(schema);
    gm_conf_add_json(schema->out, gm_str_z(alternative->name_z));
    close_with(schema, ']');
    add_name(schema, "properties");
    open_with(schema, '{');
    add_name(schema, alternative->name_z);
    open_with(schema, '{');
    if (alternative->help_z != NULL) {
        add_text(schema, "description", alternative->help_z);
    }
    add_object_type(schema, alternative->fields);
    add_settings(schema, alternative->fields);
    close_with(schema, '}');
    close_with(schema, '}');
    close_with(schema, '}');
}

static void add_choice(struct schema *schema, const struct gm_field *field)
{
    add_name(schema, "oneOf");
    open_with(schema, '[');
    for (size_t i = 0; field->alternatives()[i] != NULL; i++) {
        add_alternative(schema, field->alternatives()[i]);
        if (gm_conf_all_optional(field->alternatives()[i]->fields)) { /* its name alone will do */
            next_line(schema);
            open_with(schema, '{');
            add_text(schema, "const", field->alternatives()[i]->name_z);
            close_with(schema, '}');
        }
    }
    close_with(schema, ']');
}

static void add_enum(struct schema *schema, const struct gm_field *field)
{
    add_name(schema, "enum");
    open_with(schema, '[');
    for (size_t i = 0; field->names[i] != NULL; i++) {
        next_line(schema);
        gm_conf_add_json(schema->out, gm_str_z(field->names[i]));
    }
    close_with(schema, ']');
}

static void add_numeric_bounds(struct schema *schema, const struct gm_field *field,
                               const char *min_z, const char *max_z)
{
    if (field->min != NULL) {
        add_raw(schema, min_z, field->min);
    }
    if (field->max != NULL) {
        add_raw(schema, max_z, field->max);
    }
}

static void add_texts(struct schema *schema, const struct gm_field *field)
{
    add_raw(schema, "type", "[\"string\", \"array\"]");
    add_raw(schema, "items", "{ \"type\": \"string\" }");
    add_numeric_bounds(schema, field, "minItems", "maxItems");
}

/* The type of what is written as one text, and what the text must look like. */
static void add_scalar_type(struct schema *schema, const struct gm_field *field)
{
    switch (field->type) {
    case GM_T_BOOL:
        add_raw(schema, "type", "\"boolean\"");
        break;
    case GM_T_INT:
        add_raw(schema, "type", "\"integer\"");
        add_numeric_bounds(schema, field, "minimum", "maximum");
        break;
    case GM_T_DOUBLE:
        add_raw(schema, "type", "\"number\"");
        add_numeric_bounds(schema, field, "minimum", "maximum");
        break;
    case GM_T_SPAN: /* the one number that needs no unit is 0 */
        add_raw(schema, "type", "[\"string\", \"integer\"]");
        add_text(schema, "pattern", "^(0|([0-9]+(\\.[0-9]+)?(d|h|m|s|ms|us|ns))+)$");
        add_raw(schema, "minimum", "0");
        add_raw(schema, "maximum", "0");
        break;
    case GM_T_SIZE:
        add_raw(schema, "type", "[\"string\", \"integer\"]");
        add_text(schema, "pattern", "^[0-9]+(B|[kKMGT]B|[KMGT]iB)?$");
        add_raw(schema, "minimum", "0");
        break;
    case GM_T_SHARE:
        add_raw(schema, "type", "[\"string\", \"number\"]");
        add_text(schema, "pattern", "^[0-9]+(\\.[0-9]+)?%?$");
        add_raw(schema, "minimum", "0");
        add_raw(schema, "maximum", "1");
        break;
    case GM_T_CHAR:
        add_raw(schema, "type", "[\"string\", \"integer\"]");
        add_text(schema, "pattern", "^([\\u0001-\\u007f]|tab)$");
        break;
    default:
        add_raw(schema, "type", "\"string\"");
        break;
    }
}

static void add_type(struct schema *schema, const struct gm_field *field)
{
    switch (field->type) {
    case GM_T_NODE:
        break; /* anything */
    case GM_T_ENUM:
        add_enum(schema, field);
        break;
    case GM_T_STRS:
        add_texts(schema, field);
        break;
    case GM_T_STRUCT:
        add_object_type(schema, field->fields);
        add_settings(schema, field->fields);
        break;
    case GM_T_LIST:
        add_raw(schema, "type", "\"array\"");
        add_numeric_bounds(schema, field, "minItems", "maxItems");
        add_settings_object(schema, "items", field->fields);
        break;
    case GM_T_MAP:
        add_raw(schema, "type", "\"object\"");
        add_numeric_bounds(schema, field, "minProperties", "maxProperties");
        if (field->alternatives != NULL) {
            add_name(schema, "additionalProperties");
            open_with(schema, '{');
            add_choice(schema, field);
            close_with(schema, '}');
        } else {
            add_settings_object(schema, "additionalProperties", field->fields);
        }
        break;
    case GM_T_CHOICE:
        add_choice(schema, field);
        break;
    default:
        add_scalar_type(schema, field);
        break;
    }
}

static void add_description(struct schema *schema, const struct gm_field *field)
{
    enum { TEXT_MAX = 4096 };
    struct gm_buf text;
    gm_buf_init(&text, TEXT_MAX);
    gm_buf_add_z(&text, field->help != NULL ? field->help : "");
    struct gm_buf bounds;
    gm_buf_init(&bounds, TEXT_MAX);
    gm_conf_add_bounds(&bounds, field);
    if (bounds.n > 0) {
        gm_buf_addf(&text, "%s(%s)", text.n > 0 ? " " : "", bounds.p);
    }
    if (text.n > 0) {
        add_text(schema, "description", text.p);
    }
    gm_buf_deinit(&bounds);
    gm_buf_deinit(&text);
}

/* A default or an example as JSON: numbers and booleans as they are, texts in quotes and without
 * YAML's. */
static void add_value(struct schema *schema, const struct gm_field *field, const char *value_z)
{
    struct gm_str value = gm_str_z(value_z);
    if (field->type == GM_T_BOOL || field->type == GM_T_INT || field->type == GM_T_DOUBLE) {
        gm_buf_add(schema->out, value);
        return;
    }
    if (value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\'') &&
        value.p[value.n - 1] == value.p[0]) {
        value = (struct gm_str){value.p + 1, value.n - 2};
    }
    gm_conf_add_json(schema->out, value);
}

static void add_field(struct schema *schema, const struct gm_field *field)
{
    add_name(schema, field->name_z);
    open_with(schema, '{');
    add_description(schema, field);
    add_type(schema, field);
    if (field->def != NULL) {
        add_name(schema, "default");
        add_value(schema, field, field->def);
    }
    bool is_flow = field->example != NULL && (field->example[0] == '{' || field->example[0] == '[');
    if (field->example != NULL && !is_flow && !gm_conf_has_settings(field) &&
        field->type != GM_T_NODE) {
        add_name(schema, "examples");
        open_with(schema, '[');
        next_line(schema);
        add_value(schema, field, field->example);
        close_with(schema, ']');
    }
    close_with(schema, '}');
}

static void add_required(struct schema *schema, const struct gm_field *fields)
{
    if (gm_conf_all_optional(fields)) {
        return;
    }
    add_name(schema, "required");
    open_with(schema, '[');
    for (const struct gm_field *field = fields; field->type != GM_T_END; field++) {
        if ((field->flags & GM_F_REQUIRED) != 0) {
            next_line(schema);
            gm_conf_add_json(schema->out, gm_str_z(field->name_z));
        }
    }
    close_with(schema, ']');
}

static void add_settings(struct schema *schema, const struct gm_field *fields)
{
    add_raw(schema, "additionalProperties", "false");
    add_required(schema, fields);
    add_name(schema, "properties");
    open_with(schema, '{');
    for (const struct gm_field *field = fields; field->type != GM_T_END; field++) {
        add_field(schema, field);
    }
    close_with(schema, '}');
}

void gm_conf_write_schema(const struct gm_field *fields, const char *title_z, struct gm_buf *out)
{
    struct schema schema = {.out = out};
    open_with(&schema, '{');
    add_text(&schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
    add_text(&schema, "title", title_z);
    add_object_type(&schema, fields);
    add_settings(&schema, fields);
    close_with(&schema, '}');
    gm_buf_add_char(out, '\n');
}
