#include "cli/sample_parts.h"

#include "base/mem.h"
#include "cli/embedded.h"
#include "cli_sql.h"
#include "db/db.h"
#include "os/file.h"

/* erp.db, the business system. Each table is a line of `tables`: the statement that inserts a row,
 * how many rows there are, and the function that binds the values of one. All is one transaction
 * into a file beside the final one, which is renamed when it is complete. */

struct table {
    struct sample *sample;
    struct gm_rng rng;
    struct gm_stmt *insert;
    int64_t rows; /* written so far */
};

typedef gm_rc (*row_fn)(struct table *table, int64_t index, struct gm_err *err);

static void bind_z(struct gm_stmt *stmt, int at, const char *z)
{
    gm_bind_text(stmt, at, gm_str_z(z));
}

/* Text that is made for this row alone dies before the row is written: so the row is written
 * here. */
static gm_rc put_row(struct table *table, struct gm_err *err)
{
    table->rows++;
    return gm_stmt_run(table->insert, NULL, err);
}

static gm_rc put_factory(struct table *table, int64_t index, struct gm_err *err)
{
    const struct sample_factory *factory = &sample_factories[index];
    const char *const texts[] = {factory->code,   factory->name,  factory->street,
                                 factory->city,   factory->state, factory->postal_code,
                                 factory->country};
    gm_bind_i64(table->insert, 1, index + 1);
    for (int i = 0; i < (int)GM_ARRAY_COUNT(texts); i++) {
        bind_z(table->insert, 2 + i, texts[i]);
    }
    gm_bind_double(table->insert, 9, factory->latitude);
    gm_bind_double(table->insert, 10, factory->longitude);
    bind_z(table->insert, 11, factory->in_service_since);
    return put_row(table, err);
}

static gm_rc put_line(struct table *table, int64_t index, struct gm_err *err)
{
    static const char *const purposes[] = {"moulding", "machining", "assembly", "printing",
                                           "packing"};
    const char *purpose = purposes[gm_rng_below(&table->rng, GM_ARRAY_COUNT(purposes))];
    int64_t factory = index / table->sample->lines_per_factory;
    char code[SAMPLE_TEXT_SIZE];
    char day[GM_TIME_TEXT_SIZE];
    sample_line_code(table->sample, index, code);
    sample_day_text(sample_past(&table->rng, 400, 4000), day);
    GM_AUTO_FREE char *name = gm_format_z("%s, %s line", sample_factories[factory].name, purpose);
    gm_bind_i64(table->insert, 1, index + 1);
    bind_z(table->insert, 2, code);
    gm_bind_i64(table->insert, 3, factory + 1);
    bind_z(table->insert, 4, name);
    bind_z(table->insert, 5, purpose);
    gm_bind_i64(table->insert, 6, 60 * sample_between(&table->rng, 2, 40));
    bind_z(table->insert, 7, day);
    return put_row(table, err);
}

/* Columns 2-10 of suppliers and customers. A tenth has no contact, as such tables are. */
static void bind_party(struct table *table, const struct sample_party *party)
{
    bool contact = !sample_chance(&table->rng, 0.1);
    const char *const texts[] = {party->name,
                                 contact ? party->contact : NULL,
                                 contact ? party->email : NULL,
                                 party->phone,
                                 party->street,
                                 party->city,
                                 party->state,
                                 party->postal_code,
                                 party->country};
    for (int i = 0; i < (int)GM_ARRAY_COUNT(texts); i++) {
        bind_z(table->insert, 2 + i, texts[i]);
    }
}

static gm_rc put_supplier(struct table *table, int64_t index, struct gm_err *err)
{
    static const char *const ratings[] = {"P", "A", "A", "A", "X"};
    struct sample_party party;
    sample_party(&table->rng, &party);
    gm_bind_i64(table->insert, 1, index + 1);
    bind_party(table, &party);
    bind_z(table->insert, 11, ratings[gm_rng_below(&table->rng, GM_ARRAY_COUNT(ratings))]);
    gm_bind_i64(table->insert, 12, sample_between(&table->rng, 2, 60));
    return put_row(table, err);
}

static gm_rc put_product_group(struct table *table, int64_t index, struct gm_err *err)
{
    gm_bind_i64(table->insert, 1, index + 1);
    bind_z(table->insert, 2, sample_group_name(index + 1));
    return put_row(table, err);
}

static char *sku_z(int64_t index)
{
    return gm_format_z("WWI-%05lld", (long long)index + 1);
}

static gm_rc put_product(struct table *table, int64_t index, struct gm_err *err)
{
    struct sample_product product;
    char modified[GM_TIME_TEXT_SIZE];
    GM_AUTO_FREE char *sku = sku_z(index);
    sample_product(&table->rng, &product);
    sample_time_text(sample_past(&table->rng, 1, 700), modified);
    bind_z(table->insert, 1, sku);
    bind_z(table->insert, 2, product.name);
    gm_bind_i64(table->insert, 3, product.group);
    gm_bind_i64(table->insert, 4, sample_between(&table->rng, 1, table->sample->suppliers));
    double share = gm_rng_double(&table->rng);
    gm_bind_double(table->insert, 5, sample_rounded(1 + 250 * share * share * share, 2));
    if (sample_chance(&table->rng, 0.03)) {
        gm_bind_null(table->insert, 6);
    } else {
        gm_bind_double(table->insert, 6, sample_rounded(0.02 + 12 * share, 3));
    }
    gm_bind_i64(table->insert, 7, sample_chance(&table->rng, 0.04));
    bind_z(table->insert, 8, product.tags);
    bind_z(table->insert, 9, product.attributes);
    bind_z(table->insert, 10, modified);
    return put_row(table, err);
}

/* Two thirds of the products are made in house, each on one to three lines; the first is
 * preferred. */
static gm_rc put_product_lines(struct table *table, int64_t index, struct gm_err *err)
{
    GM_AUTO_FREE char *sku = sku_z(index);
    int64_t lines = table->sample->report.lines;
    int64_t first = sample_between(&table->rng, 0, lines - 1);
    int64_t count = sample_between(&table->rng, -1, 3);
    for (int64_t i = 0; i < count && i < lines; i++) {
        bind_z(table->insert, 1, sku);
        gm_bind_i64(table->insert, 2, (first + i) % lines + 1);
        gm_bind_double(table->insert, 3, sample_rounded(2 + 40 * gm_rng_double(&table->rng), 1));
        gm_bind_i64(table->insert, 4, i == 0);
        GM_TRY(put_row(table, err));
    }
    return GM_OK;
}

static gm_rc put_customer(struct table *table, int64_t index, struct gm_err *err)
{
    static const char *const segments[] = {"retail", "retail", "wholesale", "online", "export"};
    struct sample_party party;
    char since[GM_TIME_TEXT_SIZE];
    char modified[GM_TIME_TEXT_SIZE];
    sample_party(&table->rng, &party);
    sample_day_text(sample_past(&table->rng, 400, 5000), since);
    sample_time_text(sample_past(&table->rng, 1, 400), modified);
    gm_bind_i64(table->insert, 1, index + 1);
    bind_party(table, &party);
    bind_z(table->insert, 11, segments[gm_rng_below(&table->rng, GM_ARRAY_COUNT(segments))]);
    if (sample_chance(&table->rng, 0.2)) {
        gm_bind_null(table->insert, 12);
    } else {
        gm_bind_double(table->insert, 12, 500.0 * (double)sample_between(&table->rng, 1, 100));
    }
    bind_z(table->insert, 13, since);
    bind_z(table->insert, 14, modified);
    return put_row(table, err);
}

/* Orders of the last weeks are on their way, older ones have arrived; a few were cancelled. */
static const char *order_status(struct gm_rng *rng, int64_t days_ago)
{
    if (sample_chance(rng, 0.02)) {
        return "cancelled";
    }
    return days_ago > 20  ? "delivered"
           : days_ago > 7 ? "shipped"
           : days_ago > 2 ? "picking"
                          : "open";
}

static gm_rc put_order(struct table *table, int64_t index, struct gm_err *err)
{
    static const char *const comments[] = {"call before delivery", "partial delivery is fine",
                                           "deliver to gate 3, \"north\" entrance"};
    struct gm_rng *rng = &table->rng;
    int64_t days_ago = sample_between(rng, 1, 365);
    gm_ns ordered = sample_past(rng, days_ago, days_ago);
    gm_ns shipped = ordered + sample_between(rng, 2, 6) * GM_DAY;
    const char *status = order_status(rng, days_ago);
    bool left = gm_str_is(gm_str_z(status), "shipped") || gm_str_is(gm_str_z(status), "delivered");
    char texts[4][GM_TIME_TEXT_SIZE];
    sample_day_text(ordered, texts[0]);
    sample_day_text(ordered + sample_between(rng, 5, 21) * GM_DAY, texts[1]);
    sample_time_text(shipped, texts[2]);
    sample_time_text(left ? shipped : ordered, texts[3]);
    gm_bind_i64(table->insert, 1, SAMPLE_ORDER_FIRST + index);
    gm_bind_i64(table->insert, 2, sample_between(rng, 1, table->sample->customers));
    gm_bind_i64(table->insert, 3, sample_between(rng, 1, SAMPLE_FACTORIES));
    bind_z(table->insert, 4, texts[0]);
    bind_z(table->insert, 5, texts[1]);
    bind_z(table->insert, 6, left ? texts[2] : NULL);
    bind_z(table->insert, 7, status);
    bind_z(table->insert, 8,
           sample_chance(rng, 0.05) ? comments[gm_rng_below(rng, GM_ARRAY_COUNT(comments))] : NULL);
    bind_z(table->insert, 9, texts[3]);
    return put_row(table, err);
}

static gm_rc put_order_lines(struct table *table, int64_t index, struct gm_err *err)
{
    struct gm_rng *rng = &table->rng;
    int64_t count = sample_between(rng, 1, 5);
    for (int64_t i = 0; i < count; i++) {
        GM_AUTO_FREE char *sku = sku_z(sample_between(rng, 0, table->sample->products - 1));
        gm_bind_i64(table->insert, 1, SAMPLE_ORDER_FIRST + index);
        gm_bind_i64(table->insert, 2, i + 1);
        bind_z(table->insert, 3, sku);
        gm_bind_i64(table->insert, 4, sample_between(rng, 1, 144));
        gm_bind_double(table->insert, 5, sample_rounded(1 + 80 * gm_rng_double(rng), 2));
        gm_bind_double(table->insert, 6, sample_chance(rng, 0.15) ? 0.1 : 0.0);
        GM_TRY(put_row(table, err));
    }
    return GM_OK;
}

struct fill {
    const char *name_z; /* seeds the table's chance */
    const char *insert_z;
    row_fn put;
    int64_t count; /* how often `put` is called */
    int64_t *written;
};

static gm_rc fill_table(struct sample *sample, struct gm_db *db, const struct fill *fill,
                        struct gm_err *err)
{
    struct table table = {.sample = sample, .rng = sample_rng(sample, fill->name_z)};
    GM_TRY(gm_db_prepare(db, fill->insert_z, &table.insert, err));
    for (int64_t index = 0; index < fill->count; index++) {
        GM_TRY(fill->put(&table, index, err));
    }
    *fill->written = table.rows;
    gm_stmt_finalize(table.insert);
    return GM_OK;
}

static gm_rc fill_tables(struct sample *sample, struct gm_db *db, struct gm_err *err)
{
    struct gm_sample_report *n = &sample->report;
    int64_t lines = SAMPLE_FACTORIES * sample->lines_per_factory;
    /* In the order of their foreign keys. */
    const struct fill fills[] = {
        {"factories", GM_SQL_SAMPLE_FACTORY, put_factory, SAMPLE_FACTORIES, &n->factories},
        {"lines", GM_SQL_SAMPLE_LINE, put_line, lines, &n->lines},
        {"suppliers", GM_SQL_SAMPLE_SUPPLIER, put_supplier, sample->suppliers, &n->suppliers},
        {"product_groups", GM_SQL_SAMPLE_PRODUCT_GROUP, put_product_group, sample_group_count(),
         &n->product_groups},
        {"products", GM_SQL_SAMPLE_PRODUCT, put_product, sample->products, &n->products},
        {"product_lines", GM_SQL_SAMPLE_PRODUCT_LINE, put_product_lines, sample->products,
         &n->product_lines},
        {"customers", GM_SQL_SAMPLE_CUSTOMER, put_customer, sample->customers, &n->customers},
        {"orders", GM_SQL_SAMPLE_ORDER, put_order, sample->orders, &n->orders},
        {"order_lines", GM_SQL_SAMPLE_ORDER_LINE, put_order_lines, sample->orders, &n->order_lines},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(fills); i++) {
        GM_TRY(fill_table(sample, db, &fills[i], err));
    }
    return GM_OK;
}

static gm_rc make_schema(struct gm_db *db, struct gm_err *err)
{
    for (const struct gm_embedded_file *file = gm_sample_files; file->path_z != NULL; file++) {
        if (gm_str_is(gm_str_z(file->path_z), "erp.sql")) {
            GM_AUTO_FREE char *sql = gm_str_dup_z(file->content);
            return gm_db_exec(db, sql, err);
        }
    }
    GM_ASSERT(false);
    return GM_E_CORRUPT;
}

static gm_rc make_database(struct sample *sample, const char *path_z, struct gm_err *err)
{
    GM_AUTO_FREE char *url = gm_format_z("sqlite:%s", path_z);
    struct gm_db_options options = {.url_z = url, .mode = GM_DB_WRITE};
    struct gm_db *db = NULL;
    GM_TRY(gm_db_open(&options, &db, err));
    /* tidy: sql: a setting of the connection, not a statement on data */
    gm_rc rc = gm_db_exec(db, "PRAGMA foreign_keys=ON", err);
    rc = rc == GM_OK ? make_schema(db, err) : rc;
    rc = rc == GM_OK ? gm_db_begin(db, err) : rc;
    rc = rc == GM_OK ? fill_tables(sample, db, err) : rc;
    rc = rc == GM_OK ? gm_db_commit(db, err) : rc;
    gm_db_close(db);
    return rc;
}

/* A database is more than one file while it is open, and when its last user was killed. */
static gm_rc remove_database(const char *path_z, struct gm_err *err)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(endings); i++) {
        GM_AUTO_FREE char *file = gm_format_z("%s%s", path_z, endings[i]);
        GM_TRY(gm_file_remove(file, err));
    }
    return GM_OK;
}

gm_rc sample_write_erp(struct sample *sample, struct gm_err *err)
{
    struct gm_str folder = gm_str_z(sample->folder_z);
    GM_AUTO_FREE char *made = gm_path_join_z(folder, GM_STR("erp.db.new"));
    GM_AUTO_FREE char *final = gm_path_join_z(folder, GM_STR("erp.db"));
    GM_TRY(remove_database(made, err));
    GM_TRY(make_database(sample, made, err));
    GM_TRY(remove_database(final, err));
    return gm_file_rename(made, final, err);
}
