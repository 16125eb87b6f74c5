/* Arguments and what commands are made of: configuration, data directory, store, tables. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/vec.h"
#include "cli/command.h"
#include "sync/run.h"
#include "twin/models.h"

enum { LOOK_SIZE_MAX = 1 << 30 };

bool gm_args_has(const struct gm_args *args, const char *option_z)
{
    for (size_t i = 0; i < args->option_count; i++) {
        if (strcmp(args->options[i].name_z, option_z) == 0) {
            return true;
        }
    }
    return false;
}

const char *gm_args_value(const struct gm_args *args, const char *option_z)
{
    for (size_t i = 0; i < args->option_count; i++) {
        if (strcmp(args->options[i].name_z, option_z) == 0) {
            return args->options[i].value_z;
        }
    }
    return NULL;
}

gm_rc gm_args_int(const struct gm_args *args, const char *option_z, int64_t def, int64_t *out_value,
                  struct gm_err *err)
{
    const char *value_z = gm_args_value(args, option_z);
    *out_value = def;
    if (value_z != NULL && (!gm_parse_i64(gm_str_z(value_z), out_value) || *out_value < 0)) {
        return gm_fail(err, GM_E_CONFIG, "--%s: `%s` is no whole number", option_z, value_z);
    }
    return GM_OK;
}

int gm_args_fail(const struct gm_args *args, gm_rc rc, const struct gm_err *err)
{
    fprintf(stderr, "gemel %s: %s\n", args->command->name_z, err->text);
    switch (rc) {
    case GM_E_CONFIG:
        return GM_EXIT_USAGE;
    case GM_E_RETRY:
    case GM_E_IO:
    case GM_E_CORRUPT:
        return GM_EXIT_ENVIRONMENT;
    default:
        return GM_EXIT_FAILED;
    }
}

/* ---- configuration and store ---- */

const char *gm_args_config_path(const struct gm_args *args)
{
    if (args->command->config_first && args->word_count > 0) {
        return args->words[0];
    }
    const char *path_z = gm_args_value(args, "config");
    return path_z != NULL ? path_z : "gemel.yaml";
}

static void print_config_errors(struct gm_config *config)
{
    if (config == NULL || gm_conf_error_count(gm_config_doc(config)) == 0) {
        return;
    }
    struct gm_buf text;
    gm_buf_init(&text, GM_CONF_SIZE_MAX);
    gm_conf_print_errors(gm_config_doc(config), &text);
    fwrite(text.p, 1, text.n, stderr);
    gm_buf_deinit(&text);
}

gm_rc gm_args_config(struct gm_args *args, const struct gm_config **out_config, struct gm_err *err)
{
    if (args->config == NULL) {
        gm_rc rc = gm_config_load(gm_args_config_path(args), &args->config, err);
        print_config_errors(args->config);
        GM_TRY(rc);
    }
    *out_config = args->config;
    return GM_OK;
}

gm_rc gm_args_settings(struct gm_args *args, const struct gm_config **out_config,
                       struct gm_err *err)
{
    if (args->config == NULL && args->settings == NULL) {
        gm_rc rc = gm_config_lint(gm_args_config_path(args), &args->settings, err);
        print_config_errors(args->settings);
        GM_TRY(rc);
    }
    *out_config = args->config != NULL ? args->config : args->settings;
    return GM_OK;
}

gm_rc gm_args_pipeline(struct gm_args *args, const char *name_z,
                       const struct gm_pipeline **out_pipeline, struct gm_err *err)
{
    const struct gm_config *config;
    const char *nearest_z = NULL;
    GM_TRY(gm_args_config(args, &config, err));
    const struct gm_pipeline *pipeline = gm_config_find(config, name_z, &nearest_z);
    if (pipeline == NULL && nearest_z != NULL) {
        return gm_fail(err, GM_E_CONFIG, "no pipeline `%s`; did you mean `%s`?", name_z, nearest_z);
    }
    if (pipeline == NULL) {
        return gm_fail(err, GM_E_CONFIG, "no pipeline `%s` in %s", name_z,
                       gm_args_config_path(args));
    }
    *out_pipeline = pipeline;
    return GM_OK;
}

gm_rc gm_args_data(struct gm_args *args, const char **out_folder_z, struct gm_err *err)
{
    const struct gm_config *config;
    const char *data_z = gm_args_value(args, "data");
    if (data_z == NULL) {
        GM_TRY(gm_args_settings(args, &config, err));
        data_z = gm_config_root(config)->data;
    }
    *out_folder_z = data_z;
    return GM_OK;
}

gm_rc gm_args_reader(struct gm_args *args, struct gm_db **out_db, struct gm_err *err)
{
    const char *folder_z;
    GM_TRY(gm_args_data(args, &folder_z, err));
    return gm_store_open_reader(folder_z, out_db, err);
}

gm_rc gm_look_open(struct gm_args *args, struct gm_look *out_look, struct gm_err *err)
{
    *out_look = (struct gm_look){.arena = gm_arena_new(LOOK_SIZE_MAX)};
    GM_TRY(gm_args_reader(args, &out_look->db, err));
    return gm_models_load(out_look->db, &out_look->models, err);
}

void gm_look_close(struct gm_look *look)
{
    gm_models_free(look->models);
    gm_db_close(look->db);
    gm_arena_free(look->arena);
}

gm_rc gm_args_store(struct gm_args *args, struct gm_store **out_store, struct gm_err *err)
{
    const char *folder_z;
    GM_TRY(gm_args_data(args, &folder_z, err));
    return gm_store_open(&(struct gm_store_options){.folder_z = folder_z}, out_store, err);
}

gm_rc gm_args_pipeline_num(struct gm_db *db, const char *name_z, int64_t *out_num,
                           struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(16 << 20);
    struct gm_pipeline_row row = {.name = gm_str_z(name_z)};
    gm_rc rc = gm_pipeline_find(db, arena, &row, err);
    *out_num = row.num;
    gm_arena_free(arena);
    return rc == GM_E_END ? gm_fail(err, GM_E_CONFIG,
                                    "no pipeline `%s` has run here; see `gemel status`", name_z)
                          : rc;
}

/* ---- output ---- */

struct gm_table {
    size_t column_count;
    const char *const *heads;
    GM_VEC(char *) cells; /* row after row */
    size_t *widths;
};

/* Characters, not bytes: UTF-8 continuation bytes take no place. */
static size_t display_width(const char *text_z)
{
    size_t width = 0;
    for (const char *p = text_z; *p != '\0'; p++) {
        width += ((unsigned char)*p & 0xc0) != 0x80;
    }
    return width;
}

struct gm_table *gm_table_new(const char *const *heads, size_t column_count)
{
    struct gm_table *table = gm_alloc(sizeof(*table));
    table->column_count = column_count;
    table->heads = heads;
    table->widths = gm_alloc_array(column_count, sizeof(*table->widths));
    for (size_t i = 0; i < column_count; i++) {
        table->widths[i] = display_width(heads[i]);
    }
    return table;
}

void gm_table_add(struct gm_table *table, const struct gm_str *cells)
{
    for (size_t i = 0; i < table->column_count; i++) {
        char *cell_z = gm_str_dup_z(cells[i]);
        for (char *p = cell_z; *p != '\0'; p++) {
            *p = (unsigned char)*p < ' ' ? ' '
                                         : *p; /* what was stored must not steer the terminal */
        }
        size_t width = display_width(cell_z);
        table->widths[i] = width > table->widths[i] ? width : table->widths[i];
        *gm_vec_push(&table->cells) = cell_z;
    }
}

/* As much of a text as has `width` characters. */
static struct gm_str cut_text(const char *text_z, size_t width)
{
    const char *p = text_z;
    for (; *p != '\0'; p++) {
        bool begins = ((unsigned char)*p & 0xc0) != 0x80;
        if (begins && width-- == 0) {
            break;
        }
    }
    return (struct gm_str){text_z, (size_t)(p - text_z)};
}

void gm_table_write(const struct gm_table *table, size_t width_max, struct gm_buf *out)
{
    size_t columns = table->column_count;
    GM_ASSERT(columns > 0);
    for (size_t row = 0; row <= table->cells.n / columns; row++) {
        size_t left = width_max;
        for (size_t i = 0; i < columns && left > 0; i++) {
            const char *text_z =
                row == 0 ? table->heads[i] : table->cells.at[(row - 1) * columns + i];
            size_t width = display_width(text_z);
            gm_buf_add(out, cut_text(text_z, left));
            left -= width < left ? width : left;
            size_t gap = table->widths[i] - width + 2;
            gap = i + 1 == columns ? 0 : gap < left ? gap : left;
            gm_buf_addf(out, "%*s", (int)gap, "");
            left -= gap;
        }
        gm_buf_add_char(out, '\n');
    }
}

void gm_table_print(const struct gm_table *table)
{
    enum { TABLE_SIZE_MAX = 1 << 30 };
    struct gm_buf text;
    gm_buf_init(&text, TABLE_SIZE_MAX);
    gm_table_write(table, SIZE_MAX, &text);
    fwrite(text.p, 1, text.n, stdout);
    gm_buf_deinit(&text);
}

void gm_table_free(struct gm_table *table)
{
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->cells.n; i++) {
        gm_free(table->cells.at[i]);
    }
    gm_vec_deinit(&table->cells);
    gm_free(table->widths);
    gm_free(table);
}

void gm_print_json(struct gm_buf *json)
{
    /* One call of stdio, so that lines of threads that print at once stay lines. */
    gm_buf_add_char(json, '\n');
    fwrite(json->p, 1, json->n, stdout);
}

void gm_print_time(gm_ns t, char out[GM_TIME_TEXT_SIZE])
{
    struct gm_date date;
    if (t == 0) {
        snprintf(out, GM_TIME_TEXT_SIZE, "-");
        return;
    }
    gm_time_split(t, &date);
    snprintf(out, GM_TIME_TEXT_SIZE, "%04d-%02d-%02d %02d:%02d:%02d", date.year, date.month,
             date.day, date.hour, date.minute, date.second);
}
