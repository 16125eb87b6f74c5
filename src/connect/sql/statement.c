#include "connect/sql/statement.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/vec.h"
#include "conf/conf.h"
#include "connect_sql.h"

/* ---- text ---- */

/* "sales.orders" is two names; a name that holds dots itself is written [[a.b]]. */
static void write_table(const char *table_z, struct gm_buf *out)
{
    struct gm_path path;
    struct gm_err ignored = {0};
    if (gm_path_parse(gm_str_z(table_z), &path, &ignored) != GM_OK) {
        gm_db_quote_name(out, gm_str_z(table_z));
        return;
    }
    for (size_t i = 0; i < path.count; i++) {
        if (i > 0) {
            gm_buf_add_char(out, '.');
        }
        gm_db_quote_name(out, path.segments[i]);
    }
}

/* Without the semicolon that people end statements with. */
static struct gm_str bare_query(const char *query_z)
{
    struct gm_str query = gm_str_trim(gm_str_z(query_z));
    while (query.n > 0 && query.p[query.n - 1] == ';') {
        query.n--;
        query = gm_str_trim(query);
    }
    return query;
}

static void write_from(const struct gm_sql_origin *origin, struct gm_buf *out)
{
    gm_buf_add_z(out, " FROM ");
    if (origin->table_z != NULL) {
        write_table(origin->table_z, out);
        return;
    }
    /* The line breaks end a comment that the query may end with. */
    gm_buf_add_z(out, "(\n");
    gm_buf_add(out, bare_query(origin->query_z));
    gm_buf_add_z(out, "\n) AS source");
}

void gm_sql_write_all(const struct gm_sql_origin *origin, struct gm_buf *out)
{
    if (origin->query_z != NULL) {
        gm_buf_add(out, bare_query(origin->query_z));
        return;
    }
    /* tidy: sql: the user names what is read; names are quoted, values bound */
    gm_buf_add_z(out, "SELECT *");
    write_from(origin, out);
}

void gm_sql_write_since(const struct gm_sql_origin *origin, struct gm_str column,
                        struct gm_buf *out)
{
    /* tidy: sql: the user names what is read; names are quoted, values bound */
    gm_buf_add_z(out, "SELECT *");
    write_from(origin, out);
    gm_buf_add_z(out, " WHERE ");
    gm_db_quote_name(out, column);
    gm_buf_add_z(out, " > $1");
    gm_sql_write_order(&column, 1, out);
}

void gm_sql_write_max(const struct gm_sql_origin *origin, struct gm_str column, struct gm_buf *out)
{
    /* tidy: sql: the user names what is read; names are quoted, values bound */
    gm_buf_add_z(out, "SELECT MAX(");
    gm_db_quote_name(out, column);
    gm_buf_add_z(out, ")");
    write_from(origin, out);
}

void gm_sql_write_count(const struct gm_sql_origin *origin, struct gm_buf *out)
{
    /* tidy: sql: the user names what is read; names are quoted, values bound */
    gm_buf_add_z(out, "SELECT COUNT(*)");
    write_from(origin, out);
}

void gm_sql_write_order(const struct gm_str *columns, size_t count, struct gm_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        gm_buf_add_z(out, i == 0 ? " ORDER BY " : ", ");
        gm_db_quote_name(out, columns[i]);
    }
}

/* ---- plans ---- */

gm_rc gm_sql_explain(struct gm_db *db, struct gm_str sql, const struct gm_sql_mark *mark,
                     struct gm_buf *out_plan, struct gm_err *err)
{
    bool sqlite = gm_db_engine(db) == GM_DB_SQLITE;
    int column = sqlite ? 3 : 0; /* of SQLite's id, parent, unused, detail */
    GM_AUTO_FREE char *sql_z =
        gm_format_z("%s " GM_STR_FMT, sqlite ? "EXPLAIN QUERY PLAN" : "EXPLAIN", GM_STR_ARG(sql));
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare(db, sql_z, &stmt, err));
    if (mark != NULL) {
        gm_sql_mark_bind(mark, stmt, 1);
    }
    gm_rc rc = gm_step(stmt, err);
    while (rc == GM_OK) {
        gm_buf_add(out_plan, gm_column_text(stmt, column));
        gm_buf_add_char(out_plan, '\n');
        rc = gm_step(stmt, err);
    }
    gm_stmt_finalize(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

static bool contains(struct gm_str s, struct gm_str part)
{
    for (size_t i = 0; i + part.n <= s.n; i++) {
        if (memcmp(s.p + i, part.p, part.n) == 0) {
            return true;
        }
    }
    return false;
}

/* SQLite reads in the order of the table whatever the size: any other way costs a sort, or a jump
 * per row. PostgreSQL's planner weighs an index against a sort by itself; where it would sort,
 * the order is too dear. */
bool gm_sql_order_is_cheap(enum gm_db_engine engine, struct gm_str plain, struct gm_str ordered)
{
    return engine == GM_DB_SQLITE ? gm_str_eq(plain, ordered) : !contains(ordered, GM_STR("Sort"));
}

uint64_t gm_sql_plan_rows(struct gm_str plan)
{
    /* "Seq Scan on t  (cost=0.00..22.70 rows=1270 width=36)" */
    static const struct gm_str word = {"rows=", 5};
    struct gm_str line;
    struct gm_str rest;
    (void)gm_str_cut(plan, '\n', &line, &rest);
    for (size_t i = 0; i + word.n < line.n; i++) {
        if (memcmp(line.p + i, word.p, word.n) == 0) {
            struct gm_str number;
            int64_t rows = 0;
            (void)gm_str_cut((struct gm_str){line.p + i + word.n, line.n - i - word.n}, ' ',
                             &number, &rest);
            return gm_parse_i64(number, &rows) && rows > 0 ? (uint64_t)rows : 0;
        }
    }
    return 0;
}

/* ---- names ---- */

void gm_sql_suggest_table(struct gm_db *db, const char *table_z, struct gm_err *err)
{
    const char *sql_z =
        gm_db_engine(db) == GM_DB_SQLITE ? GM_SQL_TABLES_SQLITE : GM_SQL_TABLES_POSTGRESQL;
    struct gm_err ignored = {0}; /* without a list there is no suggestion; the error stands */
    struct gm_stmt *stmt;
    if (gm_db_prepare(db, sql_z, &stmt, &ignored) != GM_OK) {
        return;
    }
    GM_VEC(char *) names = {0}; /* bounded by the statement's LIMIT */
    while (gm_step(stmt, &ignored) == GM_OK) {
        *gm_vec_push(&names) = gm_str_dup_z(gm_column_text(stmt, 0));
    }
    gm_stmt_finalize(stmt);
    const char *const *list = (const char *const *)names.at;
    const char *nearest_z = names.n > 0 ? gm_conf_nearest(gm_str_z(table_z), list, names.n) : NULL;
    if (nearest_z != NULL && !gm_str_is(gm_str_z(table_z), nearest_z)) {
        GM_AUTO_FREE char *text_z = gm_strdup_z(err->text);
        (void)gm_fail(err, err->rc, "%s; did you mean `%s`?", text_z, nearest_z);
    }
    for (size_t i = 0; i < names.n; i++) {
        gm_free(names.at[i]);
    }
    gm_vec_deinit(&names);
}
