#include "connect/sql/mark.h"

#include "base/num.h"
#include "base/time.h"

void gm_sql_mark_deinit(struct gm_sql_mark *mark)
{
    gm_buf_deinit(&mark->text);
    *mark = (struct gm_sql_mark){0};
}

/* False: it cannot be stored as part of a cursor. */
static bool set_text(struct gm_sql_mark *mark, struct gm_str text)
{
    text = text.p != NULL ? text : GM_STR("");
    if (text.n > GM_SQL_MARK_SIZE_MAX || !gm_utf8_valid(text, NULL) ||
        memchr(text.p, '\0', text.n) != NULL) {
        return false;
    }
    if (mark->text.limit == 0) {
        gm_buf_init(&mark->text, GM_SQL_MARK_SIZE_MAX);
    }
    gm_buf_reset(&mark->text);
    gm_buf_add(&mark->text, text);
    mark->type = GM_CELL_TEXT;
    return true;
}

bool gm_sql_mark_set(struct gm_sql_mark *mark, const struct gm_cell *cell)
{
    switch (cell->type) {
    case GM_CELL_INT:
        mark->i = cell->as.i;
        break;
    case GM_CELL_DOUBLE:
        if (cell->as.d - cell->as.d != 0) {
            return false; /* NaN and infinities: nothing comes behind them */
        }
        mark->d = cell->as.d;
        break;
    case GM_CELL_TEXT:
        return set_text(mark, cell->as.s);
    case GM_CELL_NULL:
        break;
    case GM_CELL_BOOL:
    case GM_CELL_BYTES:
    case GM_CELL_JSON:
        return false;
    }
    mark->type = cell->type;
    return true;
}

bool gm_sql_mark_is(const struct gm_sql_mark *mark, const struct gm_cell *cell)
{
    if (mark->type != cell->type) {
        return false;
    }
    switch (cell->type) {
    case GM_CELL_INT:
        return mark->i == cell->as.i;
    case GM_CELL_DOUBLE:
        return mark->d == cell->as.d;
    case GM_CELL_TEXT:
        return gm_str_eq(gm_buf_str(&mark->text), cell->as.s);
    default:
        return true;
    }
}

void gm_sql_mark_copy(struct gm_sql_mark *to, const struct gm_sql_mark *from)
{
    if (from->type == GM_CELL_TEXT) {
        (void)set_text(to, gm_buf_str(&from->text));
    }
    to->type = from->type;
    to->i = from->i;
    to->d = from->d;
}

/* ---- cursors: COLUMN=TYPE:VALUE ---- */

void gm_sql_mark_write(const struct gm_sql_mark *mark, struct gm_str column, struct gm_buf *out)
{
    if (mark->type == GM_CELL_NULL) {
        return;
    }
    char number[GM_NUM_TEXT_SIZE];
    gm_buf_add(out, column);
    if (mark->type == GM_CELL_INT) {
        gm_buf_add_z(out, "=int:");
        gm_buf_add(out, (struct gm_str){number, gm_format_i64(mark->i, number)});
    } else if (mark->type == GM_CELL_DOUBLE) {
        gm_buf_add_z(out, "=double:");
        gm_buf_add(out, (struct gm_str){number, gm_format_double(mark->d, number)});
    } else {
        gm_buf_add_z(out, "=text:");
        gm_buf_add(out, gm_buf_str(&mark->text));
    }
}

bool gm_sql_mark_read(struct gm_sql_mark *mark, struct gm_str column, struct gm_str cursor)
{
    mark->type = GM_CELL_NULL;
    if (!gm_str_starts(cursor, column) || cursor.n == column.n || cursor.p[column.n] != '=') {
        return false;
    }
    struct gm_str type;
    struct gm_str value;
    struct gm_str typed = {cursor.p + column.n + 1, cursor.n - column.n - 1};
    if (!gm_str_cut(typed, ':', &type, &value)) {
        return false;
    }
    if (gm_str_is(type, "int") && gm_parse_i64(value, &mark->i)) {
        mark->type = GM_CELL_INT;
    } else if (gm_str_is(type, "double") && gm_parse_double(value, &mark->d)) {
        mark->type = GM_CELL_DOUBLE;
    } else if (gm_str_is(type, "text")) {
        return set_text(mark, value);
    }
    return mark->type != GM_CELL_NULL;
}

/* ---- going back ---- */

/* Where a time's offset begins ("Z", "+02", "+02:00"), and what it is; s.n when there is none. */
static size_t find_offset(struct gm_str s, gm_ns *out_offset)
{
    enum { CLOCK_AT = 11 }; /* behind "2026-11-20 " */
    *out_offset = 0;
    for (size_t i = CLOCK_AT; i < s.n; i++) {
        char c = s.p[i];
        if (c != 'Z' && c != '+' && c != '-') {
            continue;
        }
        /* How far the same clock time lies from the same clock time at offset zero. */
        gm_ns with;
        gm_ns without;
        struct gm_str clock = {s.p, i};
        if (gm_time_parse(s, &with) && gm_time_parse(clock, &without)) {
            *out_offset = without - with;
        }
        return i;
    }
    return s.n;
}

/* Writes `t` in the spelling of `like`: its separator, its number of digits, its offset. */
static void write_like(gm_ns t, struct gm_str like, struct gm_buf *out)
{
    enum { DATE_SIZE = 10, SECONDS_END = 19, DIGITS_MAX = 9 };
    gm_ns offset = 0;
    size_t offset_at = like.n > DATE_SIZE ? find_offset(like, &offset) : like.n;
    struct gm_date date;
    gm_time_split(t + offset, &date);
    gm_buf_addf(out, "%04d-%02d-%02d", date.year, date.month, date.day);
    if (like.n <= DATE_SIZE) {
        return;
    }
    gm_buf_addf(out, "%c%02d:%02d:%02d", like.p[DATE_SIZE], date.hour, date.minute, date.second);
    size_t digits = offset_at > SECONDS_END ? offset_at - SECONDS_END - 1 : 0;
    if (digits > 0) {
        char fraction[DIGITS_MAX + 1] = {0};
        int32_t nanos = date.nanos;
        for (int i = DIGITS_MAX - 1; i >= 0; i--, nanos /= 10) {
            fraction[i] = (char)('0' + nanos % 10);
        }
        gm_buf_add_char(out, '.');
        gm_buf_add(out, (struct gm_str){fraction, digits < DIGITS_MAX ? digits : DIGITS_MAX});
    }
    gm_buf_add(out, (struct gm_str){like.p + offset_at, like.n - offset_at});
}

gm_rc gm_sql_mark_back(struct gm_sql_mark *mark, gm_ns span, struct gm_err *err)
{
    if (mark->type == GM_CELL_NULL) {
        return GM_OK;
    }
    gm_ns t;
    struct gm_str text = mark->type == GM_CELL_TEXT ? gm_buf_str(&mark->text) : GM_STR("a number");
    if (mark->type != GM_CELL_TEXT || !gm_time_parse(text, &t) || t < INT64_MIN + span) {
        return gm_fail(err, GM_E_CONFIG,
                       "`overlap` needs a watermark of dates or times (2026-11-20 17:09:55), but "
                       "it is " GM_STR_FMT,
                       GM_STR_ARG(text));
    }
    struct gm_buf earlier;
    gm_buf_init(&earlier, GM_SQL_MARK_SIZE_MAX);
    write_like(t - span, text, &earlier);
    bool fits = set_text(mark, gm_buf_str(&earlier));
    GM_ASSERT(fits);
    gm_buf_deinit(&earlier);
    return GM_OK;
}

void gm_sql_mark_bind(const struct gm_sql_mark *mark, struct gm_stmt *stmt, int index)
{
    switch (mark->type) {
    case GM_CELL_INT:
        gm_bind_i64(stmt, index, mark->i);
        break;
    case GM_CELL_DOUBLE:
        gm_bind_double(stmt, index, mark->d);
        break;
    case GM_CELL_TEXT:
        gm_bind_text(stmt, index, gm_buf_str(&mark->text));
        break;
    default:
        gm_bind_null(stmt, index);
        break;
    }
}

int64_t gm_sql_version(const struct gm_cell *cell)
{
    gm_ns t;
    if (cell->type == GM_CELL_INT) {
        return cell->as.i;
    }
    return cell->type == GM_CELL_TEXT && gm_time_parse(cell->as.s, &t) ? t : 0;
}
