#include "cli/watch.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/vec.h"
#include "cli/command.h"
#include "os/process.h"

enum {
    STDOUT = 1,
    COLUMNS_MAX = 32,
    CELL_SIZE_MAX = 60, /* of objects and arrays: longer ones are cut */
    SCREEN_SIZE_MAX = 16 << 20,
    ROW_SIZE_MAX = 64 << 20,
};

struct row {
    char *cells[COLUMNS_MAX]; /* NULL: the row has nothing of that name */
};

struct watch {
    const struct gm_watch_options *options;
    bool terminal;
    struct gm_buf text; /* scratch */
    struct gm_buf screen;
    /* of a round, on a terminal */
    char *columns[COLUMNS_MAX];
    size_t column_count;
    GM_VEC(struct row) rows;
};

static void forget_round(struct watch *watch)
{
    for (size_t i = 0; i < watch->rows.n; i++) {
        for (size_t k = 0; k < watch->column_count; k++) {
            gm_free(watch->rows.at[i].cells[k]);
        }
    }
    for (size_t k = 0; k < watch->column_count; k++) {
        gm_free(watch->columns[k]);
    }
    watch->rows.n = watch->column_count = 0;
}

/* ---- rows ---- */

/* COLUMNS_MAX: there are too many. */
static size_t column_of(struct watch *watch, struct gm_str name)
{
    for (size_t i = 0; i < watch->column_count; i++) {
        if (gm_str_is(name, watch->columns[i])) {
            return i;
        }
    }
    if (watch->column_count < COLUMNS_MAX) {
        watch->columns[watch->column_count++] = gm_str_dup_z(name);
        return watch->column_count - 1;
    }
    return COLUMNS_MAX;
}

static char *cell_text(struct watch *watch, yyjson_mut_val *value)
{
    if (yyjson_mut_is_str(value)) {
        return gm_str_dup_z(gm_json_str(value));
    }
    gm_buf_reset(&watch->text);
    gm_json_write(value, &watch->text);
    struct gm_str text = gm_buf_str(&watch->text);
    if (text.n <= CELL_SIZE_MAX) {
        return gm_str_dup_z(text);
    }
    text.n = CELL_SIZE_MAX;
    while (text.n > 0 && ((unsigned char)text.p[text.n] & 0xc0) == 0x80) {
        text.n--; /* not within a character */
    }
    return gm_format_z(GM_STR_FMT "…", GM_STR_ARG(text));
}

static void keep_members(struct watch *watch, yyjson_mut_val *object)
{
    struct row row = {0};
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(object);
    for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        size_t column = column_of(watch, gm_json_str(key));
        if (column < COLUMNS_MAX && row.cells[column] == NULL) {
            row.cells[column] = cell_text(watch, yyjson_mut_obj_iter_get_val(key));
        }
    }
    *gm_vec_push(&watch->rows) = row;
}

static gm_rc take_row(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *row, struct gm_err *err)
{
    (void)doc;
    (void)err;
    struct watch *watch = ctx;
    if (watch->terminal) {
        keep_members(watch, row);
        return GM_OK;
    }
    gm_buf_reset(&watch->text);
    gm_json_write(row, &watch->text);
    gm_print_json(&watch->text);
    return GM_OK;
}

/* ---- the screen ---- */

static void add_table(const struct watch *watch, size_t width, struct gm_buf *out)
{
    struct gm_table *table = gm_table_new((const char *const *)watch->columns, watch->column_count);
    for (size_t i = 0; i < watch->rows.n; i++) {
        struct gm_str cells[COLUMNS_MAX];
        for (size_t k = 0; k < watch->column_count; k++) {
            cells[k] = gm_str_z(watch->rows.at[i].cells[k]);
            cells[k] = cells[k].p != NULL ? cells[k] : GM_STR("");
        }
        gm_table_add(table, cells);
    }
    gm_table_write(table, width, out);
    gm_table_free(table);
}

/* What a terminal must not take for commands becomes a blank. */
static void add_line(struct gm_str text, size_t width, struct gm_buf *out)
{
    const char *heads[] = {""};
    struct gm_table *table = gm_table_new(heads, 1);
    struct gm_buf lines;
    gm_buf_init(&lines, SCREEN_SIZE_MAX);
    gm_table_add(table, &text);
    gm_table_write(table, width, &lines);
    gm_buf_add(out, (struct gm_str){lines.p + 1, lines.n - 1}); /* without the empty head */
    gm_table_free(table);
    gm_buf_deinit(&lines);
}

/* Over the screen before: each line is cleared behind its text, and what is below the last one, so
 * that nothing flickers. */
static void show_screen(struct gm_str screen)
{
    struct gm_str line;
    fputs("\033[H", stdout);
    while (gm_str_cut(screen, '\n', &line, &screen)) {
        fwrite(line.p, 1, line.n, stdout);
        fputs("\033[K\n", stdout);
    }
    fputs("\033[J", stdout);
    fflush(stdout);
}

static void draw(struct watch *watch, gm_rc rc, bool more, const struct gm_err *err)
{
    size_t width = (size_t)gm_terminal_width(STDOUT);
    char every[GM_TIME_TEXT_SIZE], now[GM_TIME_TEXT_SIZE];
    struct gm_buf *out = &watch->screen;
    gm_span_format(watch->options->every, every);
    gm_print_time(gm_clock_wall_now(), now);
    gm_buf_reset(out);
    GM_AUTO_FREE char *head_z =
        gm_format_z("every %s, %s UTC, %zu rows%s: " GM_STR_FMT, every, now, watch->rows.n,
                    more ? " and more" : "", GM_STR_ARG(watch->options->text));
    add_line(gm_str_z(head_z), width, out);
    gm_buf_add_char(out, '\n');
    if (rc != GM_OK) {
        add_line(gm_str_z(err->text), width, out);
    } else if (watch->column_count > 0) {
        add_table(watch, width, out);
    }
    show_screen(gm_buf_str(out));
}

/* ---- rounds ---- */

static size_t rows_wanted(const struct watch *watch)
{
    enum { LINES_AROUND = 4 }; /* the query, a blank, the heads, and the cursor's own */
    int lines = gm_terminal_height(STDOUT) - LINES_AROUND;
    size_t wanted = watch->options->rows_max;
    size_t fitting = lines > 1 ? (size_t)lines : 1;
    return watch->terminal && (wanted == 0 || wanted > fitting) ? fitting : wanted;
}

static gm_rc round_of(struct watch *watch, bool first, struct gm_err *err)
{
    const struct gm_watch_options *options = watch->options;
    struct gm_watch_round round = {
        .rows_max = rows_wanted(watch), .row = take_row, .row_ctx = watch};
    forget_round(watch);
    gm_rc rc = options->ask(options->ctx, &round, err);
    if (rc != GM_OK && first) {
        return rc;
    }
    if (watch->terminal) {
        draw(watch, rc, round.more, err);
    } else if (rc != GM_OK) {
        fprintf(stderr, "%s\n", err->text);
    }
    return fflush(stdout) == 0 ? GM_OK : gm_fail(err, GM_E_IO, "standard output is closed");
}

static gm_rc watch_until(struct watch *watch, struct gm_stop *stop, struct gm_err *err)
{
    const struct gm_clock *clock = gm_clock_system();
    gm_ns next = clock->mono(clock);
    gm_rc rc = round_of(watch, true, err);
    while (rc == GM_OK) {
        gm_ns now = clock->mono(clock);
        next += watch->options->every;
        next = next > now ? next : now; /* a round took longer: none is made up for */
        if (gm_stop_wait(stop, next > now ? next - now : 1) != GM_OK) {
            return GM_OK;
        }
        rc = round_of(watch, false, err);
    }
    return rc;
}

gm_rc gm_watch_run(const struct gm_watch_options *options, struct gm_err *err)
{
    struct watch watch = {.options = options, .terminal = !options->json && gm_is_terminal(STDOUT)};
    struct gm_stop *stop = gm_stop_new();
    gm_buf_init(&watch.text, ROW_SIZE_MAX);
    gm_buf_init(&watch.screen, SCREEN_SIZE_MAX);
    gm_rc rc = gm_signals_start(stop, err);
    if (rc == GM_OK) {
        if (watch.terminal) {
            fputs("\033[H\033[J", stdout);
        }
        rc = watch_until(&watch, stop, err);
        gm_signals_stop();
    }
    forget_round(&watch);
    gm_vec_deinit(&watch.rows);
    gm_buf_deinit(&watch.screen);
    gm_buf_deinit(&watch.text);
    gm_stop_free(stop);
    return rc;
}
