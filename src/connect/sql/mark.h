/* Watermarks: the value of a column that only grows, as far as a source was read.
 *
 *     struct gm_sql_mark mark = {0};
 *     gm_sql_mark_set(&mark, &cell);             // false: such a value cannot be compared
 *     gm_sql_mark_write(&mark, GM_STR("updated"), &out);
 *     gm_sql_mark_deinit(&mark);                 // out: "updated=text:2026-11-20 17:09:55.123456"
 *
 * The value is kept as the database gave it, so that nothing is lost to rounding, and compared by
 * the database alone: texts are ordered by its collation, and instants may come in any spelling.
 * The cursor names the column; a cursor of another column is no cursor. Thread rule: a value. */
#ifndef GM_CONNECT_SQL_MARK_H
#define GM_CONNECT_SQL_MARK_H

#include "base/buf.h"
#include "db/db.h"
#include "flow/record.h"

enum { GM_SQL_MARK_SIZE_MAX = 4096 };

/* Zero-initialise: GM_CELL_NULL is "none". */
struct gm_sql_mark {
    enum gm_cell_type type; /* NULL, INT, DOUBLE or TEXT */
    int64_t i;
    double d;
    struct gm_buf text;
};

void gm_sql_mark_deinit(struct gm_sql_mark *mark);
bool gm_sql_mark_set(struct gm_sql_mark *mark, const struct gm_cell *cell);
bool gm_sql_mark_is(const struct gm_sql_mark *mark, const struct gm_cell *cell);
void gm_sql_mark_copy(struct gm_sql_mark *to, const struct gm_sql_mark *from);

/* The cursor's text; nothing when there is no mark. */
void gm_sql_mark_write(const struct gm_sql_mark *mark, struct gm_str column, struct gm_buf *out);
/* False: not a cursor of this column; the mark is none then. */
bool gm_sql_mark_read(struct gm_sql_mark *mark, struct gm_str column, struct gm_str cursor);

/* Goes back by `span`, keeping the spelling of a date or time. GM_E_CONFIG for other values. */
gm_rc gm_sql_mark_back(struct gm_sql_mark *mark, gm_ns span, struct gm_err *err) GM_MUST_CHECK;
void gm_sql_mark_bind(const struct gm_sql_mark *mark, struct gm_stmt *stmt, int index);

/* What orders versions of one object: integers as they are, dates and times in nanoseconds; 0: no
 * order is known. */
int64_t gm_sql_version(const struct gm_cell *cell);

#endif
