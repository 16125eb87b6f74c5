/* A pass of source `sql`:
 *
 *   open the database, begin a snapshot
 *   learn the columns from the statement, find key and watermark among them
 *   no usable cursor:  full pass; the watermark's maximum, read in the same snapshot, becomes the
 *                      cursor of the end. In the order of the key when that costs nothing.
 *   a usable cursor:   rows with a greater watermark, in its order. The cursor of a batch is the
 *                      last value that no later row can share: rows of one value may be cut in
 *                      two by the end of a batch, and a cursor at that value would skip the rest.
 *   at the end, or on any failure, the connection is closed: the source is not held any longer.
 *
 * A row is copied out of the database's memory once: one block of the batch's arena takes its
 * texts. */
#include "connect/sql/sql.h"

#include "base/mem.h"
#include "connect/source.h"
#include "connect/sql/mark.h"
#include "connect/sql/statement.h"
#include "os/file.h"

/* How long rows may be counted for the progress display before a pass. */
static const gm_ns COUNT_TIME_MAX = 100 * GM_MS;
/* Records between looks at the deadline. */
enum { LOOK_INTERVAL = 256 };

struct sql_source {
    const struct gm_sql_source_conf *conf;
    struct gm_connect_env env;
    struct gm_sql_origin origin;
    char *url_z;  /* with the path resolved */
    char *name_z; /* origin of batches */
    struct gm_shapes shapes;

    /* One pass. */
    struct gm_db *db; /* NULL: not connected, or the pass is over */
    struct gm_stmt *stmt;
    struct gm_deadline idle; /* of the connection while no read is under way */
    const struct gm_shape *shape;
    struct gm_key_columns key;
    size_t watermark;           /* column; SIZE_MAX: none */
    struct gm_sql_mark from;    /* where the pass started; none: at the beginning */
    struct gm_sql_mark since;   /* bound to the statement: from, less the overlap */
    struct gm_sql_mark last;    /* full: what the cursor will be; else the value of the last row */
    struct gm_sql_mark settled; /* no later row has this value or less */
    bool full;
    bool ended;
    struct gm_err failure; /* rc not GM_OK: the pass is broken and stays so */
    uint64_t row;          /* of the pass, from 1 */
};

/* ---- instance ---- */

/* "sqlite:" paths are relative to the configuration's folder. */
static char *resolve_url_z(const char *url_z, const char *folder_z)
{
    static const struct gm_str scheme = {"sqlite:", 7};
    struct gm_str url = gm_str_z(url_z);
    if (!gm_str_starts(url, scheme) || folder_z == NULL) {
        return gm_strdup_z(url_z);
    }
    GM_AUTO_FREE char *path_z =
        gm_path_join_z(gm_str_z(folder_z), (struct gm_str){url.p + scheme.n, url.n - scheme.n});
    return gm_format_z("sqlite:%s", path_z);
}

static gm_rc sql_open(const void *conf, const struct gm_connect_env *env, void **out_self,
                      struct gm_err *err)
{
    (void)err;
    struct sql_source *source = gm_alloc(sizeof(*source));
    source->conf = conf;
    source->env = *env;
    source->origin =
        (struct gm_sql_origin){.table_z = source->conf->table, .query_z = source->conf->query};
    source->url_z = resolve_url_z(source->conf->url, env->folder_z);
    source->name_z = gm_strdup_z(source->conf->table != NULL ? source->conf->table : "query");
    *out_self = source;
    return GM_OK;
}

static void disconnect(struct sql_source *source)
{
    gm_stmt_finalize(source->stmt);
    gm_db_close(source->db);
    source->stmt = NULL;
    source->db = NULL;
}

static void sql_close(void *self)
{
    struct sql_source *source = self;
    if (source == NULL) {
        return;
    }
    disconnect(source);
    gm_sql_mark_deinit(&source->from);
    gm_sql_mark_deinit(&source->since);
    gm_sql_mark_deinit(&source->last);
    gm_sql_mark_deinit(&source->settled);
    gm_shapes_deinit(&source->shapes);
    gm_free(source->url_z);
    gm_free(source->name_z);
    gm_free(source);
}

/* ---- connect ---- */

static gm_rc open_snapshot(struct sql_source *source, struct gm_err *err)
{
    const struct gm_sql_source_conf *conf = source->conf;
    struct gm_db_options options = {
        .url_z = source->url_z,
        .password_z = conf->password,
        .mode = GM_DB_READ,
        .busy_timeout = conf->busy_timeout,
        .connect_timeout = conf->connect_timeout,
        .source = true,
    };
    GM_TRY(gm_db_open(&options, &source->db, err));
    source->idle = (struct gm_deadline){.at = 0, .stop = source->env.stop};
    gm_db_set_deadline(source->db, &source->idle);
    return gm_db_begin_snapshot(source->db, err);
}

static gm_rc prepare(struct sql_source *source, struct gm_buf *sql, struct gm_stmt **out_stmt,
                     struct gm_err *err)
{
    if (gm_buf_failed(sql)) {
        return gm_fail(err, GM_E_CONFIG, "`query` is longer than %d bytes", GM_SQL_TEXT_MAX);
    }
    return gm_db_prepare(source->db, sql->p, out_stmt, err);
}

/* Finds the columns of the statement, and among them those of key and watermark. */
static gm_rc learn_columns(struct sql_source *source, const struct gm_stmt *stmt,
                           struct gm_err *err)
{
    struct gm_str names[GM_COLUMNS_MAX];
    int count = gm_column_count(stmt);
    for (int i = 0; i < count && i < GM_COLUMNS_MAX; i++) {
        names[i] = gm_column_name(stmt, i);
    }
    GM_TRY(
        gm_shapes_get(&source->shapes, names, count > 0 ? (size_t)count : 0, &source->shape, err));
    GM_TRY(gm_key_find(&source->conf->key, source->shape, &source->key, err));
    source->watermark = SIZE_MAX;
    if (source->conf->watermark != NULL) {
        GM_TRY(gm_column_find(source->shape, "watermark", source->conf->watermark,
                              &source->watermark, err));
    }
    return GM_OK;
}

/* Prepares the plain statement over everything, to learn what it returns. */
static gm_rc learn(struct sql_source *source, struct gm_err *err)
{
    struct gm_buf sql;
    gm_buf_init(&sql, GM_SQL_TEXT_MAX);
    gm_sql_write_all(&source->origin, &sql);
    struct gm_stmt *stmt = NULL;
    gm_rc rc = prepare(source, &sql, &stmt, err);
    gm_buf_deinit(&sql);
    if (rc == GM_E_CONFIG && source->origin.table_z != NULL) {
        gm_db_rollback(source->db); /* PostgreSQL answers nothing more in a failed transaction */
        gm_sql_suggest_table(source->db, source->origin.table_z, err);
    }
    if (rc == GM_OK) {
        rc = learn_columns(source, stmt, err);
        gm_stmt_finalize(stmt);
    }
    return rc;
}

static struct gm_cell read_cell(const struct gm_stmt *stmt, int column)
{
    struct gm_cell cell = {.type = GM_CELL_NULL};
    switch (gm_column_type(stmt, column)) {
    case GM_COLUMN_NULL:
        break;
    case GM_COLUMN_INT:
        cell.type = GM_CELL_INT;
        cell.as.i = gm_column_i64(stmt, column);
        break;
    case GM_COLUMN_DOUBLE:
        cell.type = GM_CELL_DOUBLE;
        cell.as.d = gm_column_double(stmt, column);
        break;
    case GM_COLUMN_BOOL:
        cell.type = GM_CELL_BOOL;
        cell.as.b = gm_column_i64(stmt, column) != 0;
        break;
    case GM_COLUMN_JSON: /* parsed later: it needs a batch */
    case GM_COLUMN_TEXT:
        cell.type = GM_CELL_TEXT;
        cell.as.s = gm_column_text(stmt, column);
        break;
    case GM_COLUMN_BLOB:
        cell.type = GM_CELL_BYTES;
        cell.as.s = gm_column_blob(stmt, column);
        break;
    }
    return cell;
}

static gm_rc unusable_mark(const struct sql_source *source, struct gm_err *err)
{
    return gm_fail(err, GM_E_CONFIG,
                   "`watermark`: column `%s` holds a value that cannot be continued from; it must "
                   "hold numbers, texts, dates or times that only grow",
                   source->conf->watermark);
}

/* The greatest watermark of the snapshot: where the pass behind this one will begin. */
static gm_rc find_last_mark(struct sql_source *source, struct gm_err *err)
{
    struct gm_buf sql;
    gm_buf_init(&sql, GM_SQL_TEXT_MAX);
    gm_sql_write_max(&source->origin, gm_str_z(source->conf->watermark), &sql);
    struct gm_stmt *stmt = NULL;
    gm_rc rc = prepare(source, &sql, &stmt, err);
    gm_buf_deinit(&sql);
    GM_TRY(rc);
    rc = gm_step(stmt, err);
    if (rc == GM_OK) {
        struct gm_cell cell = read_cell(stmt, 0);
        rc = gm_sql_mark_set(&source->last, &cell) ? GM_OK : unusable_mark(source, err);
    }
    gm_stmt_finalize(stmt);
    if (rc != GM_OK) {
        return rc == GM_E_END ? gm_fail(err, GM_E_RETRY, "the database gave no maximum") : rc;
    }
    if (source->conf->overlap > 0) {
        /* Said in the first pass, not in the second. */
        struct gm_sql_mark probe = {0};
        gm_sql_mark_copy(&probe, &source->last);
        rc = gm_sql_mark_back(&probe, source->conf->overlap, err);
        gm_sql_mark_deinit(&probe);
    }
    return rc;
}

/* The first number that a statement without parameters returns; 0 when it fails or takes long. */
static uint64_t quick_number(struct sql_source *source, const char *sql_z)
{
    struct gm_err ignored = {0};
    struct gm_deadline soon = gm_deadline_in(COUNT_TIME_MAX, source->env.stop);
    gm_db_set_deadline(source->db, &soon);
    struct gm_stmt *stmt = NULL;
    int64_t number = 0;
    if (gm_db_prepare(source->db, sql_z, &stmt, &ignored) == GM_OK) {
        if (gm_step(stmt, &ignored) == GM_OK) {
            number = gm_column_i64(stmt, 0);
        }
        gm_stmt_finalize(stmt);
    }
    gm_db_set_deadline(source->db, &source->idle);
    return number > 0 ? (uint64_t)number : 0;
}

/* SQLite keeps no count: it counts, for a moment; a larger table's row numbers tell about it. */
static uint64_t estimate_sqlite_rows(struct sql_source *source)
{
    struct gm_buf sql;
    gm_buf_init(&sql, GM_SQL_TEXT_MAX);
    gm_sql_write_count(&source->origin, &sql);
    uint64_t rows = quick_number(source, sql.p);
    if (rows == 0 && source->origin.table_z != NULL) {
        gm_buf_reset(&sql);
        gm_sql_write_max(&source->origin, GM_STR("rowid"), &sql);
        rows = quick_number(source, sql.p);
    }
    gm_buf_deinit(&sql);
    return rows;
}

/* Writes the statement of a full pass: in the order of a table's key when that costs nothing. */
static gm_rc choose_full(struct sql_source *source, struct gm_buf *sql, uint64_t *out_rows,
                         struct gm_err *err)
{
    enum gm_db_engine engine = gm_db_engine(source->db);
    struct gm_buf plain;
    struct gm_buf ordered;
    gm_buf_init(&plain, GM_SQL_TEXT_MAX);
    gm_buf_init(&ordered, GM_SQL_TEXT_MAX);
    gm_sql_write_all(&source->origin, sql);
    gm_rc rc = gm_sql_explain(source->db, gm_buf_str(sql), NULL, &plain, err);
    if (rc == GM_OK && source->origin.table_z != NULL) {
        struct gm_str columns[GM_KEY_PARTS_MAX];
        for (size_t i = 0; i < source->key.count; i++) {
            columns[i] = source->shape->names[source->key.columns[i]];
        }
        size_t plain_size = sql->n;
        gm_sql_write_order(columns, source->key.count, sql);
        rc = gm_sql_explain(source->db, gm_buf_str(sql), NULL, &ordered, err);
        if (!gm_sql_order_is_cheap(engine, gm_buf_str(&plain), gm_buf_str(&ordered))) {
            sql->n = plain_size;
            sql->p[plain_size] = '\0';
        }
    }
    if (rc == GM_OK) {
        *out_rows = engine == GM_DB_SQLITE ? estimate_sqlite_rows(source)
                                           : gm_sql_plan_rows(gm_buf_str(&plain));
    }
    gm_buf_deinit(&plain);
    gm_buf_deinit(&ordered);
    return rc;
}

/* Writes the statement of an incremental pass. */
static gm_rc choose_since(struct sql_source *source, struct gm_buf *sql, uint64_t *out_rows,
                          struct gm_err *err)
{
    gm_sql_mark_copy(&source->since, &source->from);
    gm_sql_mark_copy(&source->last, &source->from);
    gm_sql_mark_copy(&source->settled, &source->from);
    if (source->conf->overlap > 0) {
        GM_TRY(gm_sql_mark_back(&source->since, source->conf->overlap, err));
    }
    gm_sql_write_since(&source->origin, gm_str_z(source->conf->watermark), sql);
    if (gm_db_engine(source->db) == GM_DB_SQLITE) {
        return GM_OK;
    }
    struct gm_buf plan;
    gm_buf_init(&plan, GM_SQL_TEXT_MAX);
    gm_rc rc = gm_sql_explain(source->db, gm_buf_str(sql), &source->since, &plan, err);
    *out_rows = gm_sql_plan_rows(gm_buf_str(&plan));
    gm_buf_deinit(&plan);
    return rc;
}

static gm_rc start(struct sql_source *source, struct gm_str from_cursor, struct gm_pass *out_pass,
                   struct gm_err *err)
{
    GM_TRY(open_snapshot(source, err));
    GM_TRY(learn(source, err));
    source->full =
        source->watermark == SIZE_MAX ||
        !gm_sql_mark_read(&source->from, source->shape->names[source->watermark], from_cursor);
    source->last.type = GM_CELL_NULL;
    if (source->full && source->watermark != SIZE_MAX) {
        GM_TRY(find_last_mark(source, err));
    }
    *out_pass = (struct gm_pass){.full = source->full};
    struct gm_buf sql;
    gm_buf_init(&sql, GM_SQL_TEXT_MAX);
    gm_rc rc = source->full ? choose_full(source, &sql, &out_pass->rows_estimate, err)
                            : choose_since(source, &sql, &out_pass->rows_estimate, err);
    if (rc == GM_OK) {
        rc = prepare(source, &sql, &source->stmt, err);
    }
    if (rc == GM_OK && !source->full) {
        gm_sql_mark_bind(&source->since, source->stmt, 1);
    }
    gm_buf_deinit(&sql);
    return rc;
}

static gm_rc sql_connect(void *self, struct gm_str from_cursor, struct gm_pass *out_pass,
                         struct gm_err *err)
{
    struct sql_source *source = self;
    disconnect(source);
    source->failure = (struct gm_err){0};
    source->ended = false;
    source->row = 0;
    struct gm_pass pass = {0};
    if (start(source, from_cursor, &pass, err) != GM_OK) {
        disconnect(source);
        return gm_source_failed(err);
    }
    *out_pass = pass;
    return GM_OK;
}

/* ---- read ---- */

/* Moves the cursor along with the rows of an incremental pass. What an overlap shows again does not
 * move it back. */
static void follow_mark(struct sql_source *source, const struct gm_cell *cell)
{
    if (source->conf->overlap > 0) {
        struct gm_cell from = {.type = GM_CELL_TEXT, .as.s = gm_buf_str(&source->from.text)};
        if (gm_sql_version(cell) <= gm_sql_version(&from)) {
            return;
        }
    }
    if (!gm_sql_mark_is(&source->last, cell)) {
        gm_sql_mark_copy(&source->settled, &source->last);
        (void)gm_sql_mark_set(&source->last, cell);
    }
}

/* The row is too large: its key is kept, its cells are not. */
static void refuse_row(struct sql_source *source, struct gm_batch *batch, struct gm_record *record)
{
    size_t largest = 0;
    size_t size = 0;
    for (size_t i = 0; i < source->shape->count; i++) {
        const struct gm_cell *cell = &record->cells[i];
        bool sized = cell->type == GM_CELL_TEXT || cell->type == GM_CELL_BYTES;
        if (sized && cell->as.s.n > size) {
            largest = i;
            size = cell->as.s.n;
        }
    }
    gm_record_take_key(batch, record, &source->key, "row");
    record->key = gm_arena_dup(batch->arena, record->key);
    record->cells = NULL;
    gm_record_fail(batch, record, GM_E_LIMIT,
                   "column `" GM_STR_FMT "` holds %zu bytes; a record may hold %d",
                   GM_STR_ARG(source->shape->names[largest]), size, GM_RECORD_SIZE_MAX);
}

/* Moves texts and bytes from the database's memory into the batch. */
static void keep_bytes(struct gm_cell *cells, size_t count, char *to)
{
    for (size_t i = 0; i < count; i++) {
        struct gm_cell *cell = &cells[i];
        if (cell->type != GM_CELL_TEXT && cell->type != GM_CELL_BYTES) {
            continue;
        }
        if (cell->as.s.n > 0) {
            memcpy(to, cell->as.s.p, cell->as.s.n);
        }
        cell->as.s.p = to;
        to += cell->as.s.n;
    }
}

/* Columns of json: their scalars become plain cells. */
static void parse_json(struct sql_source *source, struct gm_batch *batch, struct gm_record *record,
                       struct gm_cell *cells)
{
    for (size_t i = 0; i < source->shape->count; i++) {
        if (gm_column_type(source->stmt, (int)i) != GM_COLUMN_JSON) {
            continue;
        }
        struct gm_err err = {0};
        yyjson_mut_val *value = NULL;
        if (gm_json_parse(batch->doc, cells[i].as.s, &value, &err) == GM_OK) {
            cells[i] = gm_cell_of_json(value);
        } else {
            gm_record_fail(batch, record, err.rc, "column `" GM_STR_FMT "`: %s",
                           GM_STR_ARG(batch->shape->names[i]), err.text);
        }
    }
}

/* Makes a record of the row that the statement stands on. */
static gm_rc add_row(struct sql_source *source, struct gm_batch *batch, struct gm_err *err)
{
    size_t count = source->shape->count;
    struct gm_record *record = gm_batch_add(batch);
    struct gm_cell *cells = gm_arena_alloc(batch->arena, count * sizeof(*cells));
    if (record == NULL || cells == NULL) {
        return gm_fail(err, GM_E_RETRY, "a batch has no room for a row of %zu columns", count);
    }
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        cells[i] = read_cell(source->stmt, (int)i);
        bool sized = cells[i].type == GM_CELL_TEXT || cells[i].type == GM_CELL_BYTES;
        size += sized ? cells[i].as.s.n : 0;
    }
    batch->bytes_read += size + count;
    record->cells = cells;
    record->position = ++source->row;
    char *to = size <= GM_RECORD_SIZE_MAX ? gm_arena_alloc(batch->arena, size) : NULL;
    if (to == NULL) {
        refuse_row(source, batch, record);
        return GM_OK;
    }
    keep_bytes(cells, count, to);
    if (gm_db_engine(source->db) == GM_DB_POSTGRESQL) { /* SQLite has no such type */
        parse_json(source, batch, record, cells);
    }
    gm_record_take_key(batch, record, &source->key, "row");
    gm_record_hash(batch, record, source->env.hash_seed);
    if (source->watermark != SIZE_MAX) {
        record->version = gm_sql_version(&cells[source->watermark]);
        if (!source->full) {
            follow_mark(source, &cells[source->watermark]);
        }
    }
    return GM_OK;
}

static gm_rc fill(struct sql_source *source, struct gm_batch *batch,
                  const struct gm_deadline *deadline, struct gm_err *err)
{
    for (uint64_t i = 0; !gm_batch_full(batch); i++) {
        if (i % LOOK_INTERVAL == 0 && deadline != NULL && gm_deadline_passed(deadline)) {
            return batch->count > 0
                       ? GM_OK
                       : gm_fail(err, GM_E_CANCELLED, "reading `%s` was stopped at row %llu",
                                 source->name_z, (unsigned long long)source->row);
        }
        GM_TRY(gm_step(source->stmt, err));
        GM_TRY(add_row(source, batch, err));
    }
    return GM_OK;
}

static void write_cursor(struct sql_source *source, struct gm_batch *batch)
{
    batch->cursor = (struct gm_str){NULL, 0};
    if (source->watermark == SIZE_MAX || (source->full && !source->ended)) {
        return;
    }
    struct gm_buf text;
    gm_buf_init(&text, GM_SQL_TEXT_MAX);
    gm_sql_mark_write(source->ended ? &source->last : &source->settled,
                      source->shape->names[source->watermark], &text);
    batch->cursor = gm_arena_dup(batch->arena, gm_buf_str(&text));
    gm_buf_deinit(&text);
}

static gm_rc sql_read(void *self, struct gm_batch *batch, const struct gm_deadline *deadline,
                      struct gm_err *err)
{
    struct sql_source *source = self;
    GM_ASSERT(batch->count == 0);
    if (source->failure.rc == GM_OK && source->db == NULL && !source->ended) {
        (void)gm_fail(&source->failure, GM_E_RETRY, "`%s` is not connected", source->name_z);
    }
    if (source->failure.rc != GM_OK) {
        return gm_fail(err, source->failure.rc, "%s", source->failure.text);
    }
    batch->shape = source->shape;
    batch->origin = gm_arena_dup(batch->arena, gm_str_z(source->name_z));
    gm_rc rc = GM_E_END;
    if (!source->ended) {
        gm_db_set_deadline(source->db, deadline != NULL ? deadline : &source->idle);
        rc = fill(source, batch, deadline, err);
        gm_db_set_deadline(source->db, &source->idle);
    }
    if (rc != GM_OK && rc != GM_E_END) {
        rc = gm_source_failed(err);
        source->failure = *err;
        disconnect(source);
        return rc;
    }
    if (rc == GM_E_END) {
        source->ended = true;
        disconnect(source);
    }
    write_cursor(source, batch);
    return batch->count > 0 ? GM_OK : GM_E_END;
}

static gm_rc sql_ack(void *self, struct gm_str cursor, bool pass_done, struct gm_err *err)
{
    (void)self;
    (void)cursor;
    (void)pass_done;
    (void)err;
    return GM_OK; /* the cursor is the pipeline's to keep; a database has nothing to be told */
}

/* ---- connector ---- */

const struct gm_connector gm_connector_sql = {
    .name_z = "sql",
    .self = &gm_connector_sql,
    .help_z =
        "Rows of a table or query of SQLite or PostgreSQL.\n\n"
        "Each run reads from one consistent snapshot, row by row: neither side holds the result. "
        "While it reads, PostgreSQL and SQLite files in WAL mode are not disturbed; writers of "
        "other SQLite files wait until the run has read its last row. Nothing is written to the "
        "database.\n\n"
        "With `watermark`, runs read what is newer than the last value seen. Rows without a value "
        "there are seen by full runs only.",
    .example_z = "sql:\n"
                 "  url: \"postgresql://reader@erp.example/erp\"\n"
                 "  password: \"${env:ERP_PASSWORD}\"\n"
                 "  table: Products\n"
                 "  key: ProductID\n"
                 "  watermark: ModifiedDate\n",
    .roles = GM_ROLE_SOURCE,
    .caps = GM_CAP_SNAPSHOT | GM_CAP_COMPLETE | GM_CAP_CURSOR,
    .fields = gm_sql_fields,
    .conf_size = sizeof(struct gm_sql_source_conf),
    .lint = gm_sql_lint,
    .open = sql_open,
    .connect = sql_connect,
    .read = sql_read,
    .ack = sql_ack,
    .close = sql_close,
};
