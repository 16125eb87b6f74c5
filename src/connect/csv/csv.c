/* Rows of CSV files become records. Each file names its columns, or all have those of the settings;
 * a file may have other columns than the one before it, as long as those of the key are there.
 *
 * A line is wrong alone when its bytes are whole but not what the columns ask for; its key is told,
 * so that the object is not taken for missing. But where the fields do not fall into the columns,
 * as with a comma too many, any field may stand in the key's place: such a row has no key. What may
 * only be half written breaks the pass instead: the writer, not the record, is the cause. */
#include "connect/csv/csv.h"

#include "base/mem.h"
#include "connect/csv/rows.h"
#include "connect/csv/types.h"
#include "connect/file_source.h"
#include "connect/source.h"

struct csv_source {
    struct gm_file_source files; /* first: a format gets this one */
    const struct gm_csv_conf *conf;
    struct gm_str null;
    struct gm_shapes shapes;
    const struct gm_shape *typed; /* the shape that key and types are of */
    struct gm_key_columns key;
    enum gm_csv_type *types; /* per column */
    struct gm_csv_reader reader;
};

static struct csv_source *csv_of(struct gm_file_source *files)
{
    return (struct csv_source *)files;
}

/* ---- columns ---- */

static gm_rc set_types(struct csv_source *csv, const struct gm_shape *shape, struct gm_err *err)
{
    csv->types = gm_realloc(csv->types, shape->count * sizeof(*csv->types));
    for (size_t i = 0; i < shape->count; i++) {
        csv->types[i] = GM_CSV_TEXT;
    }
    const struct gm_node *types = csv->conf->types;
    for (size_t i = 0; types != NULL && i < types->item_count; i++) {
        const struct gm_node *item = types->items[i];
        GM_AUTO_FREE char *name_z = gm_str_dup_z(item->key);
        size_t column;
        GM_TRY(gm_column_find(shape, "types", name_z, &column, err));
        if (!gm_csv_type_find(item->text, &csv->types[column])) {
            return gm_fail(err, GM_E_CONFIG, "`types`: `" GM_STR_FMT "` is not a type",
                           GM_STR_ARG(item->text));
        }
    }
    return GM_OK;
}

static gm_rc set_columns(struct csv_source *csv, const struct gm_str *names, size_t count,
                         struct gm_err *err)
{
    const struct gm_shape *shape;
    GM_TRY(gm_shapes_get(&csv->shapes, names, count, &shape, err));
    if (shape != csv->typed) {
        csv->typed = NULL;
        GM_TRY(gm_key_find(&csv->conf->key, shape, &csv->key, err));
        GM_TRY(set_types(csv, shape, err));
        csv->typed = shape;
    }
    csv->files.shape = shape;
    return GM_OK;
}

static gm_rc set_columns_of_settings(struct csv_source *csv, struct gm_err *err)
{
    struct gm_str names[GM_COLUMNS_MAX];
    size_t count = csv->conf->columns.n;
    for (size_t i = 0; i < count && i < GM_COLUMNS_MAX; i++) {
        names[i] = gm_str_z(csv->conf->columns.at[i]);
    }
    return set_columns(csv, names, count, err);
}

static gm_rc set_columns_of_header(struct csv_source *csv, const struct gm_csv_row *row,
                                   struct gm_err *err)
{
    if (!row->ended) {
        return gm_file_source_cut(&csv->files, row->line, err);
    }
    if (row->stray != SIZE_MAX) {
        return gm_fail(err, GM_E_CONFIG, "there is text behind the closing quote of column %zu",
                       row->stray + 1);
    }
    GM_AUTO_FREE char *bytes = gm_str_dup_z(row->bytes);
    struct gm_str names[GM_COLUMNS_MAX];
    for (size_t i = 0; i < row->field_count && i < GM_COLUMNS_MAX; i++) {
        names[i] = gm_str_trim(gm_csv_field_text(&row->fields[i], csv->conf->quote, bytes));
    }
    return set_columns(csv, names, row->field_count, err);
}

/* The next row that is not blank. */
static gm_rc next_row(struct csv_source *csv, struct gm_csv_row *out_row, struct gm_err *err)
{
    gm_rc rc;
    do {
        rc = gm_csv_next(&csv->reader, &csv->files.window, out_row, err);
    } while (rc == GM_OK && gm_csv_row_is_blank(out_row));
    if (rc == GM_E_RETRY && !csv->files.window.ended) {
        return rc; /* of the file, not of its content */
    }
    return rc == GM_E_RETRY ? gm_file_source_cut(&csv->files, csv->reader.line, err) : rc;
}

static gm_rc csv_begin(struct gm_file_source *files, struct gm_err *err)
{
    struct csv_source *csv = csv_of(files);
    gm_csv_reader_init(&csv->reader, (struct gm_csv_dialect){.delimiter = csv->conf->delimiter,
                                                             .quote = csv->conf->quote});
    gm_rc rc;
    if (!csv->conf->header) {
        rc = set_columns_of_settings(csv, err);
    } else {
        struct gm_csv_row row;
        rc = next_row(csv, &row, err);
        if (rc == GM_E_END) {
            return gm_fail(err, GM_E_RETRY,
                           "%s: is empty, but a header was expected; it may still be written",
                           files->file_z);
        }
        if (rc != GM_OK) {
            return rc;
        }
        rc = set_columns_of_header(csv, &row, err);
    }
    return rc == GM_E_CONFIG ? gm_fail_within(err, "%s", files->file_z) : rc;
}

/* ---- records ---- */

static struct gm_str column_name(const struct csv_source *csv, size_t column)
{
    const struct gm_shape *shape = csv->files.shape;
    return column < shape->count ? shape->names[column] : GM_STR("(behind the last)");
}

/* Where a row goes. */
struct target {
    struct gm_batch *batch;
    struct gm_record *record;
    struct gm_cell *cells;
};

/* `bytes` is the batch's copy of what field->start counts in. */
static void convert_field(struct csv_source *csv, const struct target *target,
                          const struct gm_csv_field *field, size_t column, char *bytes)
{
    struct gm_str text = gm_csv_field_text(field, csv->conf->quote, bytes);
    if (!field->quoted && gm_str_eq(text, csv->null)) {
        return;
    }
    enum gm_csv_type type = csv->types[column];
    struct gm_cell *cell = &target->cells[column];
    cell->type = GM_CELL_TEXT;
    cell->as.s = text;
    if (type != GM_CSV_TEXT && !gm_csv_convert(type, text, target->batch->doc, cell)) {
        enum { SHOWN_MAX = 60 };
        bool cut = text.n > SHOWN_MAX;
        gm_record_fail(target->batch, target->record, GM_E_INVALID,
                       "line %llu, column `" GM_STR_FMT "`: expected %s, found `" GM_STR_FMT "%s`",
                       (unsigned long long)target->record->position,
                       GM_STR_ARG(column_name(csv, column)), gm_csv_type_name(type),
                       cut ? SHOWN_MAX : (int)text.n, text.p, cut ? "…" : "");
    }
}

static size_t field_at(const struct gm_csv_row *row, size_t offset)
{
    size_t field = 0;
    while (field + 1 < row->field_count && field + 1 < GM_COLUMNS_MAX &&
           row->fields[field + 1].start <= offset) {
        field++;
    }
    return field;
}

/* Marks the record when the row as a whole is wrong. False: fields may be in the wrong columns, or
 * a quote may have swallowed other rows. */
static bool check_row(const struct csv_source *csv, struct gm_batch *batch,
                      struct gm_record *record, const struct gm_csv_row *row)
{
    unsigned long long line = row->line;
    size_t count = csv->files.shape->count;
    size_t bad_at;
    bool fits = row->field_count == count && row->stray == SIZE_MAX;
    if (row->field_count != count) {
        gm_record_fail(batch, record, GM_E_INVALID,
                       "line %llu has %zu field%s, but there are %zu columns", line,
                       row->field_count, row->field_count == 1 ? "" : "s", count);
    } else if (row->stray != SIZE_MAX) {
        gm_record_fail(batch, record, GM_E_INVALID,
                       "line %llu, column `" GM_STR_FMT "`: there is text behind the closing quote",
                       line, GM_STR_ARG(column_name(csv, row->stray)));
    } else if (!gm_utf8_valid(row->bytes, &bad_at)) {
        gm_record_fail(batch, record, GM_E_INVALID,
                       "line %llu, column `" GM_STR_FMT
                       "`: not UTF-8 (byte 0x%02X); save the file as UTF-8",
                       line, GM_STR_ARG(column_name(csv, field_at(row, bad_at))),
                       (unsigned)(unsigned char)row->bytes.p[bad_at]);
    }
    return fits;
}

/* Of a row that is too large: a quote that is not closed swallows lines with the keys in them. */
static bool may_hide_lines(const struct gm_csv_row *row)
{
    return row->bytes.n > 0 && memchr(row->bytes.p, '\n', row->bytes.n) != NULL;
}

static bool is_half_written(const struct csv_source *csv, const struct gm_csv_row *row)
{
    return !row->ended && !row->too_large &&
           (row->field_count < csv->files.shape->count || !gm_utf8_valid(row->bytes, NULL));
}

/* Of a row that is too large only the key is kept, when it was among the fields that were seen. */
static void refuse_row(struct csv_source *csv, struct gm_batch *batch, struct gm_record *record,
                       const struct gm_csv_row *row)
{
    gm_record_fail(batch, record, GM_E_LIMIT,
                   "line %llu, column `" GM_STR_FMT "`: the row is larger than %d bytes",
                   (unsigned long long)row->line, GM_STR_ARG(column_name(csv, row->field_count)),
                   GM_RECORD_SIZE_MAX);
    struct gm_cell *cells = gm_batch_cells(batch);
    for (size_t i = 0; cells != NULL && i < csv->key.count; i++) {
        size_t column = csv->key.columns[i];
        if (column >= row->field_count || row->fields[column].size > 2 * GM_KEY_SIZE_MAX) {
            break;
        }
        struct gm_csv_field field = row->fields[column];
        char *bytes = gm_arena_alloc(batch->arena, field.size);
        if (bytes == NULL) {
            break;
        }
        memcpy(bytes, row->bytes.p + field.start, field.size);
        field.start = 0;
        convert_field(csv, &(struct target){batch, record, cells}, &field, column, bytes);
    }
    record->cells = cells;
    if (cells != NULL && !may_hide_lines(row)) {
        gm_record_take_key(batch, record, &csv->key, "line");
    } else {
        gm_record_number_key(batch, record, "line");
    }
    record->cells = NULL;
}

static void fill_record(struct csv_source *csv, struct gm_batch *batch, struct gm_record *record,
                        const struct gm_csv_row *row)
{
    struct gm_cell *cells = gm_batch_cells(batch);
    char *bytes = gm_arena_alloc(batch->arena, row->bytes.n);
    if (cells == NULL || bytes == NULL) {
        gm_record_number_key(batch, record, "line");
        gm_record_fail(batch, record, GM_E_LIMIT, "line %llu is too large for a batch",
                       (unsigned long long)row->line);
        return;
    }
    memcpy(bytes, row->bytes.p, row->bytes.n);
    bool fits = check_row(csv, batch, record, row);
    struct target target = {.batch = batch, .record = record, .cells = cells};
    size_t count = csv->files.shape->count;
    for (size_t i = 0; i < count && i < row->field_count; i++) {
        convert_field(csv, &target, &row->fields[i], i, bytes);
    }
    record->cells = cells;
    if (fits) {
        gm_record_take_key(batch, record, &csv->key, "line");
    } else {
        gm_record_number_key(batch, record, "line");
    }
    gm_record_hash(batch, record, csv->files.env.hash_seed);
}

static gm_rc csv_next(struct gm_file_source *files, struct gm_batch *batch, struct gm_err *err)
{
    struct csv_source *csv = csv_of(files);
    struct gm_csv_row row;
    gm_rc rc = next_row(csv, &row, err);
    if (rc != GM_OK) {
        return rc;
    }
    if (is_half_written(csv, &row)) {
        return gm_file_source_cut(files, row.line, err);
    }
    struct gm_record *record = gm_batch_add(batch);
    GM_ASSERT(record != NULL); /* the caller looked */
    record->position = row.line;
    if (row.too_large) {
        refuse_row(csv, batch, record, &row);
    } else {
        fill_record(csv, batch, record, &row);
    }
    return GM_OK;
}

/* ---- connector ---- */

static gm_rc csv_open(const void *conf, const struct gm_connect_env *env, void **out_self,
                      struct gm_err *err)
{
    (void)err;
    static const struct gm_file_format format = {.begin = csv_begin, .next = csv_next};
    struct csv_source *csv = gm_alloc(sizeof(*csv));
    csv->conf = conf;
    csv->null = gm_str_z(csv->conf->null_text);
    struct gm_file_source_setup setup = {
        .path_z = csv->conf->path, .archive_z = csv->conf->archive, .env = env};
    gm_file_source_init(&csv->files, &format, &setup);
    *out_self = csv;
    return GM_OK;
}

static gm_rc csv_connect(void *self, struct gm_str from_cursor, struct gm_pass *out_pass,
                         struct gm_err *err)
{
    (void)from_cursor; /* there are no cursors: every pass begins at the beginning */
    return gm_file_source_connect(&((struct csv_source *)self)->files, out_pass, err);
}

static gm_rc csv_read(void *self, struct gm_batch *batch, const struct gm_deadline *deadline,
                      struct gm_err *err)
{
    return gm_file_source_read(&((struct csv_source *)self)->files, batch, deadline, err);
}

static gm_rc csv_ack(void *self, struct gm_str cursor, bool pass_done, struct gm_err *err)
{
    (void)cursor;
    return gm_file_source_ack(&((struct csv_source *)self)->files, pass_done, err);
}

static void csv_close(void *self)
{
    struct csv_source *csv = self;
    if (csv == NULL) {
        return;
    }
    gm_file_source_deinit(&csv->files);
    gm_shapes_deinit(&csv->shapes);
    gm_free(csv->types);
    gm_free(csv);
}

const struct gm_connector gm_connector_csv = {
    .name_z = "csv",
    .self = &gm_connector_csv,
    .help_z =
        "Rows of CSV files (RFC 4180): one file, a folder, or those that match a pattern.\n\n"
        "Files are UTF-8, with or without a byte order mark, and may be compressed with gzip or "
        "zstd. A line that is wrong is set aside with its number; a file that ends in the middle "
        "of a line, or changes while it is read, makes the run fail and is read again by the next "
        "one. Blank lines are passed over.\n\n"
        "Without `archive` the files are the complete state: an object that is in none of them "
        "any more counts as gone.",
    .example_z = "csv:\n"
                 "  path: \"orders/*.csv\"\n"
                 "  key: OrderID\n"
                 "  types: { OrderID: int, Amount: double }\n"
                 "  archive: orders/done\n",
    .roles = GM_ROLE_SOURCE,
    .caps = GM_CAP_COMPLETE,
    .fields = gm_csv_fields,
    .conf_size = sizeof(struct gm_csv_conf),
    .lint = gm_csv_lint,
    .open = csv_open,
    .connect = csv_connect,
    .read = csv_read,
    .ack = csv_ack,
    .close = csv_close,
};
