/* The view's file: opening, cells, and saving. */
#include "os/file.h"
#include "base/coding.h"
#include "base/mem.h"
#include "os/process.h"
#include "view/inside.h"
#include "view_sql.h"

enum {
    FORMAT_VERSION = 1,
    CACHE_SIZE = 8 << 20,
    FINGERPRINT_SIZE_MAX = 64 << 10,
    SNAPSHOT_SIZE_MAX = 1 << 30,
    IDENTITY_TEXT_SIZE = 2 * sizeof(uint64_t) + 1,
};

/* ---- facts ---- */

/* The spec as text: what a file's cells depend on. */
static void write_fingerprint(const struct gm_view *view, struct gm_buf *out)
{
    const struct gm_view_spec *spec = view->spec;
    gm_buf_addf(out,
                "%d by=" GM_STR_FMT " group=" GM_STR_FMT
                " size=%lld hop=%lld lateness=%lld keep=%lld "
                "parts=%d",
                FORMAT_VERSION, GM_STR_ARG(spec->by), GM_STR_ARG(spec->group),
                (long long)spec->size, (long long)gm_view_hop(spec), (long long)spec->lateness,
                (long long)spec->keep, view->options.partitions);
    for (size_t i = 0; i < spec->value_count; i++) {
        gm_buf_addf(out, " " GM_STR_FMT "=" GM_STR_FMT ":%u", GM_STR_ARG(spec->values[i].name),
                    GM_STR_ARG(spec->values[i].path), spec->values[i].aggregates);
        if (spec->values[i].when.n > 0) {
            /* The word is another one whenever conditions come to mean something else. */
            gm_buf_addf(out, " where %zu " GM_STR_FMT, spec->values[i].when.n,
                        GM_STR_ARG(spec->values[i].when));
        }
    }
}

static gm_rc put_fact(struct gm_db *db, const char *name_z, struct gm_str value, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_VIEW_FACT_PUT, &stmt, err));
    gm_bind_text(stmt, 1, gm_str_z(name_z));
    gm_bind_text(stmt, 2, value.p != NULL ? value : GM_STR(""));
    return gm_stmt_run(stmt, NULL, err);
}

/* In place of what it was. */
static gm_rc set_fact(struct gm_db *db, const char *name_z, struct gm_str value, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_VIEW_FACT_SET, &stmt, err));
    gm_bind_text(stmt, 1, gm_str_z(name_z));
    gm_bind_text(stmt, 2, value);
    return gm_stmt_run(stmt, NULL, err);
}

static gm_rc is_fact(struct gm_db *db, const char *name_z, struct gm_str value, bool *out_is,
                     struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_VIEW_FACT_GET, &stmt, err));
    gm_bind_text(stmt, 1, gm_str_z(name_z));
    gm_rc rc = gm_step(stmt, err);
    *out_is = rc == GM_OK && gm_str_eq(gm_column_text(stmt, 0), value);
    gm_reset(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc check_fingerprint(struct gm_view *view, struct gm_err *err)
{
    struct gm_buf text;
    bool same = false;
    gm_buf_init(&text, FINGERPRINT_SIZE_MAX);
    write_fingerprint(view, &text);
    GM_ASSERT(text.p != NULL);
    gm_rc rc = put_fact(view->db, "spec", gm_buf_str(&text), err);
    rc = rc == GM_OK ? put_fact(view->db, "group", view->spec->group, err) : rc;
    rc = rc == GM_OK ? is_fact(view->db, "spec", gm_buf_str(&text), &same, err) : rc;
    if (rc == GM_OK && !same) {
        rc = gm_fail(err, GM_E_CONFLICT, "the view was made by other settings");
    }
    gm_buf_deinit(&text);
    return rc;
}

/* ---- identity, and what it stands for ---- */

static gm_rc read_identity(struct gm_view *view, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_FACT_GET, &stmt, err));
    gm_bind_text(stmt, 1, GM_STR("identity"));
    gm_rc rc = gm_step(stmt, err);
    struct gm_str text = rc == GM_OK ? gm_column_text(stmt, 0) : GM_STR("");
    bool fine = text.n == IDENTITY_TEXT_SIZE - 1 && gm_hex_read(text, &view->identity);
    gm_reset(stmt);
    if (rc != GM_OK && rc != GM_E_END) {
        return rc;
    }
    if (!fine) { /* made just now; kept at once, since whoever follows may have heard of it */
        char made[IDENTITY_TEXT_SIZE];
        gm_random_bytes(&view->identity, sizeof(view->identity));
        gm_hex_z(&view->identity, sizeof(view->identity), made);
        return set_fact(view->db, "identity", gm_str_z(made), err);
    }
    return GM_OK;
}

/* A fact that is "0,17": a number of each partition. Those that are not there stay as they are. */
static gm_rc read_numbers(struct gm_view *view, const char *name_z, int64_t *numbers,
                          struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_FACT_GET, &stmt, err));
    gm_bind_text(stmt, 1, gm_str_z(name_z));
    gm_rc rc = gm_step(stmt, err);
    struct gm_str one, rest = rc == GM_OK ? gm_column_text(stmt, 0) : GM_STR("");
    for (int p = 0; p < view->options.partitions && rest.n > 0; p++) {
        (void)gm_str_cut(rest, ',', &one, &rest);
        if (!gm_parse_i64(one, &numbers[p])) {
            rc = gm_fail(err, GM_E_CORRUPT, "its `%s` is damaged", name_z);
            break;
        }
    }
    gm_reset(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc write_numbers(const struct gm_view *view, const char *name_z, const int64_t *numbers,
                           struct gm_err *err)
{
    char text[GM_VIEW_PARTITIONS_MAX * GM_NUM_TEXT_SIZE];
    size_t n = 0;
    for (int p = 0; p < view->options.partitions; p++) {
        text[n] = ',';
        n += p > 0 ? 1 : 0;
        n += gm_format_i64(numbers[p], text + n);
    }
    return set_fact(view->saver, name_z, (struct gm_str){text, n}, err);
}

static gm_rc read_parts_facts(struct gm_view *view, struct gm_err *err)
{
    int64_t missing[GM_VIEW_PARTITIONS_MAX] = {0}, kept[GM_VIEW_PARTITIONS_MAX] = {0};
    const int64_t *ends = view->options.ends;
    GM_TRY(read_numbers(view, "missing", missing, err));
    GM_TRY(read_numbers(view, "kept", kept, err));
    for (int p = 0; p < view->options.partitions; p++) {
        struct gm_part *part = &view->parts[p];
        part->missing = missing[p];
        part->settled_until = ends == NULL ? 0 : ends[p] < kept[p] ? ends[p] : kept[p];
    }
    return GM_OK;
}

/* ---- loading ---- */

static gm_rc load_keys(struct gm_view *view, struct gm_err *err)
{
    struct gm_stmt *stmt;
    gm_rc rc;
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_KEYS_ALL, &stmt, err));
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        if (gm_column_i64(stmt, 0) != gm_view_key_number(view, gm_column_text(stmt, 1))) {
            gm_reset(stmt);
            return gm_fail(err, GM_E_CORRUPT, "its keys have gaps");
        }
    }
    view->stored_keys = (uint32_t)gm_map_count(view->numbers);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc load_part(struct gm_view *view, int partition, struct gm_err *err)
{
    struct gm_part *part = &view->parts[partition];
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_PART_GET, &stmt, err));
    gm_bind_i64(stmt, 1, partition);
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_OK) {
        part->next = gm_column_i64(stmt, 0);
        part->has_latest = gm_column_type(stmt, 1) != GM_COLUMN_NULL;
        part->latest = gm_column_i64(stmt, 1);
    }
    gm_reset(stmt);
    if (rc != GM_OK && rc != GM_E_END) {
        return rc;
    }
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_START_LAST, &stmt, err));
    gm_bind_i64(stmt, 1, partition);
    GM_TRY(gm_step(stmt, err));
    part->last_stored =
        gm_column_type(stmt, 0) != GM_COLUMN_NULL ? gm_column_i64(stmt, 0) : INT64_MIN;
    gm_reset(stmt);
    return GM_OK;
}

static gm_rc load_members(struct gm_view *view, struct gm_db *db, struct gm_err *err)
{
    struct gm_stmt *stmt;
    gm_rc rc;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_VIEW_MEMBERS_ALL, &stmt, err));
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        int64_t part = gm_column_i64(stmt, 0);
        if (part >= 0 && part < view->options.partitions) {
            gm_view_load_member(view, (int)part, gm_column_text(stmt, 1), gm_column_i64(stmt, 2),
                                gm_column_text(stmt, 3));
        }
    }
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc load_known(struct gm_part *part, int partition, struct gm_db *db, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_VIEW_PART_GET, &stmt, err));
    gm_bind_i64(stmt, 1, partition);
    gm_rc rc = gm_step(stmt, err);
    part->known_until = rc == GM_OK ? gm_column_i64(stmt, 0) : 0;
    gm_reset(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc load_old(struct gm_view *view, struct gm_db *db, struct gm_err *err)
{
    bool same;
    GM_TRY(is_fact(db, "group", view->spec->group, &same, err));
    if (!same) {
        return GM_OK; /* keys belonged to other things then */
    }
    GM_TRY(load_members(view, db, err));
    for (int p = 0; p < view->options.partitions; p++) {
        GM_TRY(load_known(&view->parts[p], p, db, err));
    }
    return GM_OK;
}

/* What keys belonged to, from the view that this one is made anew of; goes into the file with the
 * first save. */
static gm_rc take_members(struct gm_view *view, struct gm_err *err)
{
    struct gm_db *db;
    if (view->options.groups_from_z == NULL || view->options.group_of == NULL) {
        return GM_OK;
    }
    GM_AUTO_FREE char *url_z = gm_format_z("sqlite:%s", view->options.groups_from_z);
    GM_TRY(gm_db_open(&(struct gm_db_options){.url_z = url_z, .mode = GM_DB_READ}, &db, err));
    gm_rc rc = load_old(view, db, err);
    gm_db_close(db);
    for (int p = 0; p < view->options.partitions && rc == GM_OK; p++) {
        struct gm_part *part = &view->parts[p];
        for (size_t m = 0; m < part->members.n; m++) {
            for (size_t i = 0; i < part->members.at[m].at.n; i++) {
                *gm_vec_push(&view->new_members) =
                    (struct gm_new_member){p, (uint32_t)m, part->members.at[m].at.at[i]};
            }
        }
    }
    return rc;
}

static gm_rc load(struct gm_view *view, struct gm_err *err)
{
    static const char *const tables[] = {GM_SQL_VIEW_CREATE_FACTS, GM_SQL_VIEW_CREATE_PARTS,
                                         GM_SQL_VIEW_CREATE_KEYS, GM_SQL_VIEW_CREATE_CELLS,
                                         GM_SQL_VIEW_CREATE_MEMBERS};
    for (size_t i = 0; i < GM_ARRAY_COUNT(tables); i++) {
        GM_TRY(gm_db_exec(view->db, tables[i], err));
    }
    GM_TRY(check_fingerprint(view, err));
    GM_TRY(load_keys(view, err));
    for (int p = 0; p < view->options.partitions; p++) {
        GM_TRY(load_part(view, p, err));
    }
    GM_TRY(load_members(view, view->db, err));
    GM_TRY(read_identity(view, err));
    GM_TRY(read_parts_facts(view, err));
    return take_members(view, err);
}

gm_rc gm_view_file_open(struct gm_view *view, struct gm_err *err)
{
    const char *slash = strrchr(view->path_z, '/');
    if (slash != NULL && slash != view->path_z) {
        GM_AUTO_FREE char *folder_z =
            gm_str_dup_z((struct gm_str){view->path_z, (size_t)(slash - view->path_z)});
        GM_TRY(gm_folder_make(folder_z, err));
    }
    GM_AUTO_FREE char *url_z = gm_format_z("sqlite:%s", view->path_z);
    struct gm_db_options options = {.url_z = url_z,
                                    .mode = GM_DB_WRITE,
                                    .cache_bytes = CACHE_SIZE,
                                    .vfs_z = view->options.vfs_z};
    GM_TRY(gm_db_open(&options, &view->saver, err));
    view->db = view->saver; /* until everything is there */
    gm_rc rc = gm_db_begin(view->db, err);
    rc = rc == GM_OK ? load(view, err) : rc;
    rc = rc == GM_OK ? gm_db_commit(view->db, err) : rc;
    view->db = NULL; /* each is closed once */
    if (rc != GM_OK) {
        gm_db_rollback(view->saver);
        return gm_fail_within(err, "%s", view->path_z);
    }
    options.mode = GM_DB_READ;
    return gm_db_open(&options, &view->db, err);
}

gm_rc gm_view_saved(const char *path_z, int partitions, int64_t *out_next, struct gm_err *err)
{
    struct gm_db *db;
    struct gm_stmt *stmt;
    GM_AUTO_FREE char *url_z = gm_format_z("sqlite:%s", path_z);
    GM_TRY(gm_db_open(&(struct gm_db_options){.url_z = url_z, .mode = GM_DB_READ}, &db, err));
    gm_rc rc = GM_OK;
    for (int p = 0; p < partitions && (rc == GM_OK || rc == GM_E_END); p++) {
        rc = gm_db_prepare_once(db, GM_SQL_VIEW_PART_GET, &stmt, err);
        if (rc == GM_OK) {
            gm_bind_i64(stmt, 1, p);
            rc = gm_step(stmt, err);
            out_next[p] = rc == GM_OK ? gm_column_i64(stmt, 0) : 0;
            gm_reset(stmt);
        }
    }
    gm_db_close(db);
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_view_file_cell(struct gm_view *view, const struct gm_cell_at *at, uint64_t *cell,
                        bool *out_found, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_CELL_GET, &stmt, err));
    gm_bind_i64(stmt, 1, at->partition);
    gm_bind_i64(stmt, 2, at->start);
    gm_bind_i64(stmt, 3, at->key);
    gm_rc rc = gm_step(stmt, err);
    *out_found = rc == GM_OK;
    if (rc == GM_OK && !gm_cell_decode(&view->layout, gm_column_blob(stmt, 0), cell)) {
        rc = gm_fail(err, GM_E_CORRUPT, "%s: what is known of key " GM_STR_FMT " is damaged",
                     view->path_z, GM_STR_ARG(gm_map_key_at(view->numbers, at->key)));
    }
    gm_reset(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

/* ---- saving: what is to be written is gathered under the lock, written without it ---- */

struct gm_snapshot {
    struct gm_buf cells; /* partition, beginning, key and state of each */
    size_t cell_count;
    struct gm_buf keys; /* those that are new */
    uint32_t key_from, key_to;
    struct gm_buf members; /* partition, key, offset and group of each */
    size_t member_count;
    uint64_t identity;
    struct {
        int64_t next, missing;
        gm_ns latest, expires; /* expires: windows that begin before it go */
        bool has_latest;
    } parts[GM_VIEW_PARTITIONS_MAX];
};

struct gm_snapshot *gm_snapshot_new(void)
{
    struct gm_snapshot *snapshot = gm_alloc(sizeof(*snapshot));
    gm_buf_init(&snapshot->cells, SNAPSHOT_SIZE_MAX);
    gm_buf_init(&snapshot->keys, SNAPSHOT_SIZE_MAX);
    gm_buf_init(&snapshot->members, SNAPSHOT_SIZE_MAX);
    return snapshot;
}

void gm_snapshot_free(struct gm_snapshot *snapshot)
{
    if (snapshot != NULL) {
        gm_buf_deinit(&snapshot->cells);
        gm_buf_deinit(&snapshot->keys);
        gm_buf_deinit(&snapshot->members);
        gm_free(snapshot);
    }
}

static void gather_keys(const struct gm_view *view, struct gm_snapshot *snapshot)
{
    gm_buf_reset(&snapshot->keys);
    snapshot->key_from = view->stored_keys;
    snapshot->key_to = (uint32_t)gm_map_count(view->numbers);
    for (uint32_t i = snapshot->key_from; i < snapshot->key_to; i++) {
        gm_buf_put_bytes(&snapshot->keys, gm_map_key_at(view->numbers, i));
    }
}

static void gather_members(const struct gm_view *view, struct gm_snapshot *snapshot)
{
    gm_buf_reset(&snapshot->members);
    snapshot->member_count = view->new_members.n;
    for (size_t i = 0; i < view->new_members.n; i++) {
        const struct gm_new_member *new = &view->new_members.at[i];
        bool some = new->membership.group != UINT32_MAX;
        gm_buf_put_u8(&snapshot->members, (uint8_t) new->part);
        gm_buf_put_bytes(&snapshot->members,
                         gm_map_key_at(view->parts[new->part].member_numbers, new->member));
        gm_buf_put_zigzag(&snapshot->members, new->membership.first);
        gm_buf_put_bytes(&snapshot->members,
                         some ? gm_map_key_at(view->numbers, new->membership.group) : GM_STR(""));
    }
}

static void gather_page(struct gm_view *view, struct gm_snapshot *snapshot,
                        const struct gm_cell_at *first, struct gm_page *page)
{
    for (uint32_t i = 0; page != NULL && i < GM_VIEW_PAGE_KEYS; i++) {
        if (page->states[i] != GM_CELL_DIRTY) {
            continue;
        }
        gm_buf_reset(&view->text);
        gm_cell_encode(&view->layout, &page->cells[i * view->layout.words], &view->text);
        gm_buf_put_u8(&snapshot->cells, (uint8_t)first->partition);
        gm_buf_put_zigzag(&snapshot->cells, first->start);
        gm_buf_put_varint(&snapshot->cells, first->key + i);
        gm_buf_put_bytes(&snapshot->cells, gm_buf_str(&view->text));
        snapshot->cell_count++;
        page->states[i] = GM_CELL_CLEAN;
    }
}

static void gather_part(struct gm_view *view, struct gm_snapshot *snapshot, int partition)
{
    const struct gm_part *part = &view->parts[partition];
    const struct gm_view_spec *spec = view->spec;
    bool expires = spec->keep > 0 && spec->size > 0 && part->has_latest;
    snapshot->parts[partition].next = part->next;
    snapshot->parts[partition].missing = part->missing;
    snapshot->parts[partition].latest = part->latest;
    snapshot->parts[partition].has_latest = part->has_latest;
    snapshot->parts[partition].expires =
        expires ? gm_part_watermark(view, part) - spec->keep - spec->size : INT64_MIN;
    for (size_t w = 0; w < part->windows.n; w++) {
        struct gm_window *window = part->windows.at[w];
        for (size_t p = 0; p < window->pages.n; p++) {
            const struct gm_cell_at first = {partition, window->start,
                                             (uint32_t)(p * GM_VIEW_PAGE_KEYS)};
            gather_page(view, snapshot, &first, window->pages.at[p]);
        }
        window->stored = true; /* when this is written; until then it stays in memory */
    }
}

void gm_view_gather(struct gm_view *view, struct gm_snapshot *snapshot)
{
    gm_buf_reset(&snapshot->cells);
    snapshot->cell_count = 0;
    snapshot->identity = view->identity;
    gather_keys(view, snapshot);
    gather_members(view, snapshot);
    for (int p = 0; p < view->options.partitions; p++) {
        gather_part(view, snapshot, p);
    }
    GM_ASSERT(!gm_buf_failed(&snapshot->cells) && !gm_buf_failed(&snapshot->keys) &&
              !gm_buf_failed(&snapshot->members));
}

static gm_rc write_keys(struct gm_db *db, const struct gm_snapshot *snapshot, struct gm_err *err)
{
    struct gm_stmt *stmt;
    struct gm_reader reader;
    gm_reader_init(&reader, gm_buf_str(&snapshot->keys));
    GM_TRY(gm_db_prepare_once(db, GM_SQL_VIEW_KEY_INSERT, &stmt, err));
    for (uint32_t i = snapshot->key_from; i < snapshot->key_to; i++) {
        gm_bind_i64(stmt, 1, i);
        gm_bind_text(stmt, 2, gm_read_bytes(&reader));
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    return GM_OK;
}

static gm_rc write_members(struct gm_db *db, const struct gm_snapshot *snapshot, struct gm_err *err)
{
    struct gm_stmt *stmt;
    struct gm_reader reader;
    gm_reader_init(&reader, gm_buf_str(&snapshot->members));
    GM_TRY(gm_db_prepare_once(db, GM_SQL_VIEW_MEMBER_PUT, &stmt, err));
    for (size_t i = 0; i < snapshot->member_count; i++) {
        gm_bind_i64(stmt, 1, gm_read_u8(&reader));
        gm_bind_text(stmt, 2, gm_read_bytes(&reader));
        gm_bind_i64(stmt, 3, gm_read_zigzag(&reader));
        gm_bind_text(stmt, 4, gm_read_bytes(&reader));
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    return GM_OK;
}

static gm_rc write_cells(struct gm_db *db, const struct gm_snapshot *snapshot, struct gm_err *err)
{
    struct gm_stmt *stmt;
    struct gm_reader reader;
    gm_reader_init(&reader, gm_buf_str(&snapshot->cells));
    GM_TRY(gm_db_prepare_once(db, GM_SQL_VIEW_CELL_PUT, &stmt, err));
    for (size_t i = 0; i < snapshot->cell_count; i++) {
        gm_bind_i64(stmt, 1, gm_read_u8(&reader));
        gm_bind_i64(stmt, 2, gm_read_zigzag(&reader));
        gm_bind_i64(stmt, 3, (int64_t)gm_read_varint(&reader));
        gm_bind_blob(stmt, 4, gm_read_bytes(&reader));
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    return GM_OK;
}

static gm_rc write_part(struct gm_db *db, const struct gm_snapshot *snapshot, int partition,
                        struct gm_err *err)
{
    struct gm_stmt *stmt;
    if (snapshot->parts[partition].expires != INT64_MIN) {
        GM_TRY(gm_db_prepare_once(db, GM_SQL_VIEW_CELLS_EXPIRE, &stmt, err));
        gm_bind_i64(stmt, 1, partition);
        gm_bind_i64(stmt, 2, snapshot->parts[partition].expires);
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    GM_TRY(gm_db_prepare_once(db, GM_SQL_VIEW_PART_PUT, &stmt, err));
    gm_bind_i64(stmt, 1, partition);
    gm_bind_i64(stmt, 2, snapshot->parts[partition].next);
    if (snapshot->parts[partition].has_latest) {
        gm_bind_i64(stmt, 3, snapshot->parts[partition].latest);
    } else {
        gm_bind_null(stmt, 3);
    }
    return gm_stmt_run(stmt, NULL, err);
}

static gm_rc write_facts(const struct gm_view *view, const struct gm_snapshot *snapshot,
                         struct gm_err *err)
{
    char identity[IDENTITY_TEXT_SIZE];
    int64_t missing[GM_VIEW_PARTITIONS_MAX], kept[GM_VIEW_PARTITIONS_MAX];
    for (int p = 0; p < view->options.partitions; p++) {
        missing[p] = snapshot->parts[p].missing;
        kept[p] = snapshot->parts[p].next;
    }
    gm_hex_z(&snapshot->identity, sizeof(snapshot->identity), identity);
    GM_TRY(set_fact(view->saver, "identity", gm_str_z(identity), err));
    GM_TRY(write_numbers(view, "missing", missing, err));
    return write_numbers(view, "kept", kept, err);
}

static gm_rc write_all(const struct gm_view *view, const struct gm_snapshot *snapshot,
                       struct gm_err *err)
{
    GM_TRY(write_keys(view->saver, snapshot, err));
    GM_TRY(write_members(view->saver, snapshot, err));
    GM_TRY(write_cells(view->saver, snapshot, err));
    for (int p = 0; p < view->options.partitions; p++) {
        GM_TRY(write_part(view->saver, snapshot, p, err));
    }
    return write_facts(view, snapshot, err);
}

gm_rc gm_view_write(const struct gm_view *view, const struct gm_snapshot *snapshot,
                    struct gm_err *err)
{
    GM_TRY(gm_db_begin(view->saver, err));
    gm_rc rc = write_all(view, snapshot, err);
    rc = rc == GM_OK ? gm_db_commit(view->saver, err) : rc;
    if (rc != GM_OK) {
        gm_db_rollback(view->saver);
        return gm_fail_within(err, "%s", view->path_z);
    }
    return GM_OK;
}

static gm_rc write_groups(const struct gm_view *view, const int64_t *kept_until, struct gm_err *err)
{
    GM_TRY(write_members(view->saver, view->snapshot, err));
    return write_numbers(view, "kept", kept_until, err);
}

gm_rc gm_view_write_groups(const struct gm_view *view, const int64_t *kept_until,
                           struct gm_err *err)
{
    gather_members(view, view->snapshot);
    GM_ASSERT(!gm_buf_failed(&view->snapshot->members));
    GM_TRY(gm_db_begin(view->saver, err));
    gm_rc rc = write_groups(view, kept_until, err);
    rc = rc == GM_OK ? gm_db_commit(view->saver, err) : rc;
    if (rc != GM_OK) {
        gm_db_rollback(view->saver);
        return gm_fail_within(err, "%s", view->path_z);
    }
    return GM_OK;
}

static bool has_dirty(const struct gm_window *window)
{
    for (size_t p = 0; p < window->pages.n; p++) {
        const struct gm_page *page = window->pages.at[p];
        if (page != NULL && memchr(page->states, GM_CELL_DIRTY, GM_VIEW_PAGE_KEYS) != NULL) {
            return true;
        }
    }
    return false;
}

/* Windows that are closed are let go of. */
static void settle_part(struct gm_view *view, struct gm_part *part)
{
    size_t kept = 0;
    gm_ns watermark = gm_part_watermark(view, part);
    for (size_t w = 0; w < part->windows.n; w++) {
        struct gm_window *window = part->windows.at[w];
        part->last_stored =
            window->stored && window->start > part->last_stored ? window->start : part->last_stored;
        bool closed = view->spec->size > 0 && window->start + view->spec->size <= watermark;
        if (closed && window->stored && !has_dirty(window)) {
            gm_window_free(&view->layout, window);
        } else {
            part->windows.at[kept++] = window;
        }
    }
    part->windows.n = kept;
    part->window = 0;
}

void gm_view_settle(struct gm_view *view, const struct gm_snapshot *snapshot)
{
    view->stored_keys = snapshot->key_to;
    size_t left = view->new_members.n - snapshot->member_count;
    if (left > 0) {
        memmove(view->new_members.at, view->new_members.at + snapshot->member_count,
                left * sizeof(view->new_members.at[0]));
    }
    view->new_members.n = left;
    for (int p = 0; p < view->options.partitions; p++) {
        view->parts[p].kept_until = snapshot->parts[p].next;
        settle_part(view, &view->parts[p]);
    }
}
