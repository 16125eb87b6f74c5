/* The settings of source `sql`, and what is checked across them. */
#include "connect/source.h"
#include "connect/sql/sql.h"

const struct gm_field gm_sql_fields[] = {
    GM_FIELD_SECRET(struct gm_sql_source_conf, url, .flags = GM_F_REQUIRED,
                    .example = "\"sqlite:erp.db\"",
                    .help = "The database: `sqlite:PATH`, relative to the configuration's folder, "
                            "or `postgresql://user@host:port/database?options`."),
    GM_FIELD_SECRET(struct gm_sql_source_conf, password, .example = "\"${env:ERP_PASSWORD}\"",
                    .help = "PostgreSQL's password, when it is not part of `url`."),
    GM_FIELD_STR(struct gm_sql_source_conf, table, .example = "Products",
                 .help = "Table or view to read, also with its schema: `sales.orders`. Names are "
                         "taken as they are written; `[[a.b]]` is a name with a dot in it. Exactly "
                         "one of `table` and `query`."),
    GM_FIELD_STR(struct gm_sql_source_conf, query,
                 .example = "\"SELECT * FROM Products WHERE Discontinued = 0\"",
                 .help = "One SELECT statement in the database's own SQL. It must show every "
                         "object in every run: what it does not show counts as gone."),
    GM_FIELD_STRS(struct gm_sql_source_conf, key, .flags = GM_F_REQUIRED, .example = "ProductID",
                  .help = "Column, or list of columns, that identifies a row. A row in which one "
                          "of them is null is set aside as an error."),
    GM_FIELD_STR(struct gm_sql_source_conf, watermark, .example = "ModifiedDate",
                 .help = "Column that grows whenever a row changes: a counter, a row version, or "
                         "a date and time. Runs then read only rows with a greater value, in its "
                         "order; full runs in between find deletions. Index it."),
    GM_FIELD_SPAN(struct gm_sql_source_conf, overlap, .def = "0", .min = "0", .max = "30d",
                  .example = "5m", .flags = GM_F_ADVANCED,
                  .help = "For watermarks of dates and times: how far behind the last value a run "
                          "begins, so that transactions which were stamped earlier but committed "
                          "later are not missed. Make it longer than the longest transaction; what "
                          "is read twice is recognised as unchanged."),
    GM_FIELD_SPAN(struct gm_sql_source_conf, connect_timeout, .def = "10s", .min = "1s",
                  .max = "10m", .flags = GM_F_ADVANCED,
                  .help = "How long a connection to PostgreSQL may take."),
    GM_FIELD_SPAN(struct gm_sql_source_conf, busy_timeout, .def = "5s", .min = "1ms", .max = "10m",
                  .flags = GM_F_ADVANCED,
                  .help = "How long to wait for a lock that another program holds on an SQLite "
                          "file."),
    GM_FIELD_END,
};

/* A text as it stands in the file, or NULL when it holds references that only a run resolves. */
static const struct gm_node *plain_member(const struct gm_node *node, const char *name_z)
{
    const struct gm_node *member = gm_node_member(node, gm_str_z(name_z));
    bool referring = member == NULL || member->text.n == 0 ||
                     memchr(member->text.p, '$', member->text.n) != NULL;
    return referring ? NULL : member;
}

void gm_sql_lint(struct gm_conf_doc *doc, const struct gm_node *node, const void *conf)
{
    const struct gm_sql_source_conf *sql = conf;
    const struct gm_node *url = plain_member(node, "url");
    if (url != NULL && !gm_str_starts(url->text, GM_STR("sqlite:")) &&
        !gm_str_starts(url->text, GM_STR("postgresql://"))) {
        gm_conf_error(doc, &url->place,
                      "`url`: unknown scheme; write sqlite:PATH or "
                      "postgresql://user@host:port/database");
    }
    if ((sql->table != NULL) == (sql->query != NULL)) {
        gm_conf_error(doc, &node->place, "write exactly one of `table` and `query`");
    }
    if (sql->key.n > GM_KEY_PARTS_MAX) {
        gm_conf_error(doc, &node->place, "`key`: at most %d columns", GM_KEY_PARTS_MAX);
    }
    if (sql->overlap > 0 && sql->watermark == NULL) {
        gm_conf_error(doc, &node->place, "`overlap` has a meaning only together with `watermark`");
    }
}
