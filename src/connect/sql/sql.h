/* Source `sql`: the rows of a table or a query on SQLite or PostgreSQL, streamed from one
 * consistent snapshot per pass. Start reading in sql.c; statement.h makes the SQL, mark.h keeps the
 * watermark. */
#ifndef GM_CONNECT_SQL_SQL_H
#define GM_CONNECT_SQL_SQL_H

#include "connect/connector.h"

struct gm_sql_source_conf {
    const char *url;
    const char *password;
    const char *table;
    const char *query;
    struct gm_conf_strs key;
    const char *watermark;
    gm_ns overlap;
    gm_ns connect_timeout;
    gm_ns busy_timeout;
};

extern const struct gm_field gm_sql_fields[];
void gm_sql_lint(struct gm_conf_doc *doc, const struct gm_node *node, const void *conf);

extern const struct gm_connector gm_connector_sql;

#endif
