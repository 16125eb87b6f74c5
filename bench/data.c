/* The data of the benchmark: a table of articles, as an SQLite database and as CSV, and the
 * configurations that read it. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bench.h"
#include "db/db.h"
#include "os/file.h"

enum { ROWS_PER_COMMIT = 50000 };

static const char model[] =
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:bench:Article;1\",\"@type\":"
    "\"Interface\",\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"name\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"price\",\"schema\":\"double\"},"
    "{\"@type\":\"Property\",\"name\":\"stock\",\"schema\":\"integer\"},"
    "{\"@type\":\"Property\",\"name\":\"discontinued\",\"schema\":\"boolean\"},"
    "{\"@type\":\"Property\",\"name\":\"category\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"quantity\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"reorderLevel\",\"schema\":\"integer\"},"
    "{\"@type\":\"Property\",\"name\":\"supplier\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"changed\",\"schema\":\"dateTime\"}]}";

static const char map[] =
    "    map:\n"
    "      $dtId: \"article-{id}\"\n"
    "      $model: \"dtmi:bench:Article;1\"\n"
    "      name: name\n      price: price\n      stock: stock\n      discontinued: discontinued\n"
    "      category: category\n      quantity: quantity\n      reorderLevel: reorder_level\n"
    "      supplier: supplier\n      changed: changed\n"
    "    sink: twins\n";

static void write_file(const struct bench *bench, const char *name_z, const char *text_z)
{
    struct gm_err err = {0};
    GM_AUTO_FREE char *path_z = gm_format_z("%s/%s", bench->folder_z, name_z);
    if (gm_file_write_atomic(path_z, gm_str_z(text_z), 0644, &err) != GM_OK) {
        bench_die("%s", err.text);
    }
}

static void write_configurations(const struct bench *bench)
{
    GM_AUTO_FREE char *sql_z =
        gm_format_z("data: ./data\nmodels: ./model.json\npipelines:\n  articles:\n    source:\n"
                    "      sql: { url: \"sqlite:erp.db\", table: articles, key: id }\n%s",
                    map);
    GM_AUTO_FREE char *csv_z =
        gm_format_z("data: ./data\nmodels: ./model.json\npipelines:\n  articles:\n    source:\n"
                    "      csv: { path: articles.csv, key: id }\n%s",
                    map);
    GM_AUTO_FREE char *pg_z =
        gm_format_z("data: ./data\nmodels: ./model.json\npipelines:\n  articles:\n    source:\n"
                    "      sql: { url: \"${env:GEMEL_BENCH_PG}\", table: articles, key: id }\n%s",
                    map);
    write_file(bench, "model.json", model);
    write_file(bench, "sqlite.yaml", sql_z);
    write_file(bench, "csv.yaml", csv_z);
    write_file(bench, "postgresql.yaml", pg_z);
}

static const char *const categories[] = {"Beverages", "Condiments", "Confections", "Dairy Products",
                                         "Grains",    "Meat",       "Produce",     "Seafood"};
static const char *const suppliers[] = {
    "Exotic Liquids", "New Orleans Cajun Delights", "Grandma Kelly's Homestead",
    "Tokyo Traders",  "Cooperativa de Quesos",      "Mayumi's",
    "Pavlova, Ltd.",  "Specialty Biscuits, Ltd."};

struct article {
    char name[64], quantity[64], changed[96];
    double price;
    int64_t stock, discontinued, reorder_level;
    const char *category, *supplier;
};

static void make_article(struct gm_rng *rng, int64_t id, struct article *article)
{
    snprintf(article->name, sizeof(article->name), "Article %lld of the catalogue", (long long)id);
    snprintf(article->quantity, sizeof(article->quantity), "%d boxes x %d bags",
             (int)gm_rng_below(rng, 40) + 1, (int)gm_rng_below(rng, 30) + 1);
    snprintf(article->changed, sizeof(article->changed), "2026-%02d-%02dT%02d:%02d:%02dZ",
             (int)gm_rng_below(rng, 12) + 1, (int)gm_rng_below(rng, 28) + 1,
             (int)gm_rng_below(rng, 24), (int)gm_rng_below(rng, 60), (int)gm_rng_below(rng, 60));
    article->price = (double)gm_rng_below(rng, 100000) / 100;
    article->stock = (int64_t)gm_rng_below(rng, 500);
    article->discontinued = gm_rng_below(rng, 10) == 0;
    article->reorder_level = (int64_t)gm_rng_below(rng, 50);
    article->category = categories[gm_rng_below(rng, 8)];
    article->supplier = suppliers[gm_rng_below(rng, 8)];
}

static void insert_article(struct gm_stmt *insert, int64_t id, const struct article *article,
                           struct gm_err *err)
{
    gm_bind_i64(insert, 1, id);
    gm_bind_text(insert, 2, gm_str_z(article->name));
    gm_bind_double(insert, 3, article->price);
    gm_bind_i64(insert, 4, article->stock);
    gm_bind_i64(insert, 5, article->discontinued);
    gm_bind_text(insert, 6, gm_str_z(article->category));
    gm_bind_text(insert, 7, gm_str_z(article->quantity));
    gm_bind_i64(insert, 8, article->reorder_level);
    gm_bind_text(insert, 9, gm_str_z(article->supplier));
    gm_bind_text(insert, 10, gm_str_z(article->changed));
    bench_must(gm_stmt_run(insert, NULL, err), err);
}

static void add_csv_line(struct gm_buf *csv, int64_t id, const struct article *article)
{
    gm_buf_addf(csv, "%lld,%s,%.2f,%lld,%lld,%s,%s,%lld,\"%s\",%s\n", (long long)id, article->name,
                article->price, (long long)article->stock, (long long)article->discontinued,
                article->category, article->quantity, (long long)article->reorder_level,
                article->supplier, article->changed);
}

static void fill(const struct bench *bench, struct gm_db *db, struct gm_file *csv)
{
    struct gm_err err = {0};
    struct gm_stmt *insert;
    struct gm_rng rng;
    struct gm_buf text;
    gm_buf_init(&text, 1 << 30);
    gm_rng_init(&rng, 1996);
    gm_buf_add_z(
        &text,
        "id,name,price,stock,discontinued,category,quantity,reorder_level,supplier,changed\n");
    bench_must(
        gm_db_exec(
            db,
            "CREATE TABLE articles (id INTEGER PRIMARY KEY, name TEXT, price REAL, stock INTEGER, "
            "discontinued INTEGER, "
            "category TEXT, quantity TEXT, reorder_level INTEGER, supplier TEXT, changed TEXT)",
            &err),
        &err);
    bench_must(
        gm_db_prepare(db, "INSERT INTO articles VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                      &insert, &err),
        &err);
    bench_must(gm_db_begin(db, &err), &err);
    for (int64_t id = 1; id <= bench->rows; id++) {
        struct article article;
        make_article(&rng, id, &article);
        insert_article(insert, id, &article, &err);
        add_csv_line(&text, id, &article);
        if (id % ROWS_PER_COMMIT == 0) {
            bench_must(gm_db_commit(db, &err), &err);
            bench_must(gm_db_begin(db, &err), &err);
            bench_must(gm_file_write(csv, gm_buf_str(&text), &err), &err);
            gm_buf_reset(&text);
        }
    }
    bench_must(gm_db_commit(db, &err), &err);
    bench_must(gm_file_write(csv, gm_buf_str(&text), &err), &err);
    gm_buf_deinit(&text);
}

/* In a process of its own, so that its memory is not that of the measurements. */
static void make(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)arg;
    (void)result;
    struct gm_err err = {0};
    struct gm_db *db;
    struct gm_file *csv;
    GM_AUTO_FREE char *url_z = gm_format_z("sqlite:%s/erp.db", bench->folder_z);
    GM_AUTO_FREE char *csv_z = gm_format_z("%s/articles.csv", bench->folder_z);
    write_configurations(bench);
    bench_must(gm_db_open(&(struct gm_db_options){.url_z = url_z, .mode = GM_DB_WRITE}, &db, &err),
               &err);
    bench_must(gm_file_create(csv_z, &csv, &err), &err);
    fill(bench, db, csv);
    gm_file_close(csv);
    gm_db_close(db);
}

void bench_make_data(const struct bench *bench)
{
    (void)bench_measure(bench, make, NULL);
}

static void churn(const struct bench *bench, const void *arg, struct bench_result *result)
{
    (void)arg;
    (void)result;
    struct gm_err err = {0};
    struct gm_db *db;
    GM_AUTO_FREE char *url_z = gm_format_z("sqlite:%s/erp.db", bench->folder_z);
    bench_must(gm_db_open(&(struct gm_db_options){.url_z = url_z, .mode = GM_DB_WRITE}, &db, &err),
               &err);
    bench_must(
        gm_db_exec(db,
                   "UPDATE articles SET price = price + 1, stock = stock + 1 WHERE id % 100 = 0",
                   &err),
        &err);
    gm_db_close(db);
}

void bench_churn(const struct bench *bench)
{
    (void)bench_measure(bench, churn, NULL);
}
