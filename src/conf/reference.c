/* The reference page (Markdown) and the help (plain text) of a field table. */
#include "conf/inside.h"

enum { PATH_SIZE_MAX = 4096, HEADING_LEVEL_MAX = 6 };

struct page {
    struct gm_buf *out;
    struct gm_buf path; /* of the settings that are described */
    int level;          /* of headings */
};

/* Text in a cell of a table: one line, and no bar. */
static void add_cell(struct gm_buf *out, const char *text_z)
{
    for (const char *p = text_z != NULL ? text_z : ""; *p != '\0'; p++) {
        if (*p == '|') {
            gm_buf_add_z(out, "\\|");
        } else if (*p == '\n') {
            gm_buf_add_char(out, ' ');
        } else {
            gm_buf_add_char(out, *p);
        }
    }
}

static void add_default(struct gm_buf *out, const struct gm_field *field)
{
    if ((field->flags & GM_F_REQUIRED) != 0) {
        gm_buf_add_z(out, "required");
    } else if (field->def != NULL) {
        gm_buf_add_char(out, '`');
        add_cell(out, field->def);
        gm_buf_add_char(out, '`');
    }
}

static void add_row(struct page *page, const struct gm_field *field)
{
    struct gm_buf *out = page->out;
    gm_buf_addf(out, "| `%s` | ", field->name_z);
    gm_conf_add_type(out, field);
    size_t before = out->n;
    gm_buf_add_z(out, ", ");
    size_t start = out->n;
    gm_conf_add_bounds(out, field);
    if (out->n == start && !gm_buf_failed(out)) {
        out->n = before; /* no bounds: take the comma back */
    }
    gm_buf_add_z(out, " | ");
    add_default(out, field);
    gm_buf_add_z(out, " | ");
    add_cell(out, field->help);
    if (field->example != NULL) {
        gm_buf_addf(out, "%sExample: `", field->help != NULL ? " " : "");
        add_cell(out, field->example);
        gm_buf_add_char(out, '`');
    }
    gm_buf_add_z(out, " |\n");
}

static void add_heading(struct page *page, const char *help_z)
{
    gm_buf_add_char(page->out, '\n');
    int level = page->level < HEADING_LEVEL_MAX ? page->level : HEADING_LEVEL_MAX;
    for (int i = 0; i < level; i++) {
        gm_buf_add_char(page->out, '#');
    }
    gm_buf_addf(page->out, " `%s`\n\n", page->path.p);
    if (help_z != NULL) {
        gm_buf_addf(page->out, "%s\n\n", help_z);
    }
}

static void add_tables(struct page *page, const struct gm_field *fields);

static void add_alternatives(struct page *page, const struct gm_field *field)
{
    size_t path_n = page->path.n;
    for (size_t i = 0; field->alternatives()[i] != NULL; i++) {
        gm_buf_addf(&page->path, ".%s", field->alternatives()[i]->name_z);
        add_heading(page, field->alternatives()[i]->help_z);
        add_tables(page, field->alternatives()[i]->fields);
        page->path.n = path_n;
    }
}

/* The sections of what has settings of its own. */
static void add_sections(struct page *page, const struct gm_field *fields)
{
    size_t path_n = page->path.n;
    const struct gm_field *field;
    for (size_t i = 0; (field = gm_conf_field_at(fields, i)) != NULL; i++) {
        if (!gm_conf_has_settings(field)) {
            continue;
        }
        gm_conf_add_path(&page->path, field);
        page->level++;
        if (field->alternatives != NULL) {
            add_alternatives(page, field);
        } else {
            add_heading(page, field->help);
            add_tables(page, field->fields);
        }
        page->level--;
        page->path.n = path_n;
    }
}

static void add_tables(struct page *page, const struct gm_field *fields)
{
    if (fields[0].type == GM_T_END) {
        gm_buf_add_z(page->out, "No settings.\n");
        return;
    }
    gm_buf_add_z(page->out, "| setting | type | default | meaning |\n|---|---|---|---|\n");
    const struct gm_field *field;
    for (size_t i = 0; (field = gm_conf_field_at(fields, i)) != NULL; i++) {
        add_row(page, field);
    }
    add_sections(page, fields);
}

void gm_conf_write_reference(const struct gm_field *fields, int heading_level, struct gm_buf *out)
{
    /* Sections begin one level below where the walk stands. */
    struct page page = {.out = out, .level = heading_level - 1};
    gm_buf_init(&page.path, PATH_SIZE_MAX);
    add_tables(&page, fields);
    gm_buf_deinit(&page.path);
}

/* ---- help ---- */

enum { INDENT = 4 };

static void add_indent(struct gm_buf *out, int depth)
{
    for (int i = 0; i < depth * INDENT; i++) {
        gm_buf_add_char(out, ' ');
    }
}

static void add_line(struct gm_buf *out, int depth, const char *text_z)
{
    add_indent(out, depth);
    for (const char *p = text_z; *p != '\0'; p++) {
        gm_buf_add_char(out, *p);
        if (*p == '\n') {
            add_indent(out, depth);
        }
    }
    gm_buf_add_char(out, '\n');
}

static void add_help(struct gm_buf *out, const struct gm_field *fields, int depth);

static void add_field_help(struct gm_buf *out, const struct gm_field *field, int depth)
{
    add_indent(out, depth);
    gm_buf_addf(out, "%s: ", field->name_z);
    gm_conf_add_type(out, field);
    if (field->min != NULL || field->max != NULL) {
        gm_buf_add_z(out, ", ");
        gm_conf_add_bounds(out, field);
    }
    if ((field->flags & GM_F_REQUIRED) != 0) {
        gm_buf_add_z(out, " (required)");
    } else if (field->def != NULL) {
        gm_buf_addf(out, " (default: %s)", field->def);
    }
    gm_buf_add_char(out, '\n');
    if (field->help != NULL) {
        add_line(out, depth + 1, field->help);
    }
    if (field->example != NULL) {
        add_indent(out, depth + 1);
        gm_buf_addf(out, "Example: %s: %s\n", field->name_z, field->example);
    }
    if (field->alternatives != NULL) {
        for (size_t i = 0; field->alternatives()[i] != NULL; i++) {
            add_indent(out, depth + 1);
            gm_buf_addf(out, "%s:\n", field->alternatives()[i]->name_z);
            if (field->alternatives()[i]->help_z != NULL) {
                add_line(out, depth + 2, field->alternatives()[i]->help_z);
            }
            add_help(out, field->alternatives()[i]->fields, depth + 2);
        }
    } else if (gm_conf_has_settings(field)) {
        add_help(out, field->fields, depth + 1);
    }
}

static void add_help(struct gm_buf *out, const struct gm_field *fields, int depth)
{
    const struct gm_field *field;
    for (size_t i = 0; (field = gm_conf_field_at(fields, i)) != NULL; i++) {
        add_field_help(out, field, depth);
    }
}

void gm_conf_write_help(const struct gm_field *fields, struct gm_buf *out)
{
    add_help(out, fields, 0);
}
