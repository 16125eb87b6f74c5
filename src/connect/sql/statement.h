/* The SQL that a pass runs, and what the database's planner says of it.
 *
 * For a table the statement is built of quoted names; a query is the user's own and runs as it is,
 * or as a subquery where a condition must be added. Every value is bound. */
#ifndef GM_CONNECT_SQL_STATEMENT_H
#define GM_CONNECT_SQL_STATEMENT_H

#include "base/buf.h"
#include "connect/sql/mark.h"
#include "db/db.h"

enum { GM_SQL_TEXT_MAX = 8 << 20 };

/* What rows are read from; exactly one of table and query. */
struct gm_sql_origin {
    const char *table_z; /* "Products", "sales.orders"; [[ ]] around names with dots */
    const char *query_z;
};

/* "SELECT * FROM …", appended. */
void gm_sql_write_all(const struct gm_sql_origin *origin, struct gm_buf *out);
/* The rows whose `column` is greater than $1, in its order. */
void gm_sql_write_since(const struct gm_sql_origin *origin, struct gm_str column,
                        struct gm_buf *out);
void gm_sql_write_max(const struct gm_sql_origin *origin, struct gm_str column, struct gm_buf *out);
void gm_sql_write_count(const struct gm_sql_origin *origin, struct gm_buf *out);
/* " ORDER BY …", appended to what gm_sql_write_all wrote. */
void gm_sql_write_order(const struct gm_str *columns, size_t count, struct gm_buf *out);

/* How the database would run a statement: one line of text a step. `mark` binds $1; NULL: there is
 * no parameter. */
gm_rc gm_sql_explain(struct gm_db *db, struct gm_str sql, const struct gm_sql_mark *mark,
                     struct gm_buf *out_plan, struct gm_err *err) GM_MUST_CHECK;
/* True when the order comes for free: `ordered` is the plan with it, `plain` the one without. */
bool gm_sql_order_is_cheap(enum gm_db_engine engine, struct gm_str plain, struct gm_str ordered);
/* PostgreSQL's planner expects so many rows; 0: it does not say. */
uint64_t gm_sql_plan_rows(struct gm_str plan);

/* "; did you mean `Products`?" behind the text of an error about a table that is not there. */
void gm_sql_suggest_table(struct gm_db *db, const char *table_z, struct gm_err *err);

#endif
