/* Functions over stored JSON, for SQLite. */
#include "db/sqlite_functions.h"

#include "base/num.h"
#include "base/time.h"
#include "json/scan.h"

enum { TEXT_SIZE_MAX = 64 << 20 };

static struct gm_str text_of(sqlite3_value *value)
{
    const unsigned char *p = sqlite3_value_text(value);
    return (struct gm_str){(const char *)p, p != NULL ? (size_t)sqlite3_value_bytes(value) : 0};
}

static void find(sqlite3_value **args, struct gm_json_span *out_span)
{
    gm_json_scan(text_of(args[0]), text_of(args[1]), out_span);
}

/* ---- results ---- */

static void give_number(sqlite3_context *ctx, struct gm_str raw)
{
    int64_t i;
    double d;
    if (gm_parse_i64(raw, &i)) {
        sqlite3_result_int64(ctx, i);
    } else if (gm_parse_double(raw, &d)) {
        sqlite3_result_double(ctx, d);
    }
}

static void give_text(sqlite3_context *ctx, const struct gm_json_span *span)
{
    if (!span->escaped) {
        sqlite3_result_text64(ctx, span->raw.p, span->raw.n, SQLITE_TRANSIENT, SQLITE_UTF8);
        return;
    }
    struct gm_buf buf;
    gm_buf_init(&buf, TEXT_SIZE_MAX);
    gm_json_scan_text(span, &buf);
    if (gm_buf_failed(&buf)) {
        sqlite3_result_error_toobig(ctx);
    } else {
        sqlite3_result_text64(ctx, buf.p, buf.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    gm_buf_deinit(&buf);
}

/* ---- one value ---- */

static void rank(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    (void)count;
    struct gm_json_span span;
    find(args, &span);
    sqlite3_result_int(ctx, (int)span.rank);
}

static void number(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    (void)count;
    struct gm_json_span span;
    find(args, &span);
    if (span.rank == GM_JSON_RANK_NUMBER) {
        give_number(ctx, span.raw);
    }
}

static void text(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    (void)count;
    struct gm_json_span span;
    find(args, &span);
    if (span.rank == GM_JSON_RANK_TEXT) {
        give_text(ctx, &span);
    }
}

static void boolean(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    (void)count;
    struct gm_json_span span;
    find(args, &span);
    if (span.rank == GM_JSON_RANK_BOOL) {
        sqlite3_result_int(ctx, span.raw.p[0] == 't');
    }
}

static void container(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    (void)count;
    struct gm_json_span span;
    find(args, &span);
    if (span.rank >= GM_JSON_RANK_ARRAY) {
        sqlite3_result_text64(ctx, span.raw.p, span.raw.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    }
}

/* ---- arrays ---- */

typedef bool (*equals_fn)(const struct gm_json_span *span, sqlite3_value *value);

static bool equals_number(const struct gm_json_span *span, sqlite3_value *value)
{
    int64_t i;
    double d;
    if (span->rank != GM_JSON_RANK_NUMBER) {
        return false;
    }
    if (sqlite3_value_type(value) == SQLITE_INTEGER && gm_parse_i64(span->raw, &i)) {
        return i == sqlite3_value_int64(value);
    }
    return gm_parse_double(span->raw, &d) && d == sqlite3_value_double(value);
}

static bool equals_text(const struct gm_json_span *span, sqlite3_value *value)
{
    struct gm_str wanted = text_of(value);
    if (span->rank != GM_JSON_RANK_TEXT || !span->escaped) {
        return span->rank == GM_JSON_RANK_TEXT && gm_str_eq(span->raw, wanted);
    }
    struct gm_buf buf;
    gm_buf_init(&buf, TEXT_SIZE_MAX);
    gm_json_scan_text(span, &buf);
    bool same = gm_str_eq(gm_buf_str(&buf), wanted);
    gm_buf_deinit(&buf);
    return same;
}

static bool equals_bool(const struct gm_json_span *span, sqlite3_value *value)
{
    return span->rank == GM_JSON_RANK_BOOL &&
           (span->raw.p[0] == 't') == (sqlite3_value_int(value) != 0);
}

/* NULL in, NULL out: whether a value that is not there is in the array is not known. */
static void has(sqlite3_context *ctx, sqlite3_value **args, equals_fn equals)
{
    struct gm_json_span array, item;
    find(args, &array);
    if (sqlite3_value_type(args[2]) == SQLITE_NULL) {
        return;
    }
    bool found = false;
    if (array.rank == GM_JSON_RANK_ARRAY) {
        for (size_t at = 0; !found && gm_json_scan_item(array.raw, &at, &item);) {
            found = equals(&item, args[2]);
        }
    }
    sqlite3_result_int(ctx, found);
}

static void has_number(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    (void)count;
    has(ctx, args, equals_number);
}

static void has_text(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    (void)count;
    has(ctx, args, equals_text);
}

static void has_bool(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    (void)count;
    has(ctx, args, equals_bool);
}

/* ---- times of properties: NAME: nanoseconds, or [nanoseconds, "source's time"] ---- */

static void written(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    (void)count;
    struct gm_json_span span, item;
    size_t at = 0;
    find(args, &span);
    if (span.rank == GM_JSON_RANK_ARRAY && gm_json_scan_item(span.raw, &at, &item)) {
        span = item;
    }
    if (span.rank == GM_JSON_RANK_NUMBER) {
        give_number(ctx, span.raw);
    }
}

static void source_time(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    (void)count;
    struct gm_json_span span, item;
    size_t at = 0;
    gm_ns time;
    find(args, &span);
    bool there = span.rank == GM_JSON_RANK_ARRAY && gm_json_scan_item(span.raw, &at, &item) &&
                 gm_json_scan_item(span.raw, &at, &item) && item.rank == GM_JSON_RANK_TEXT;
    if (there && gm_time_parse(item.raw, &time)) {
        sqlite3_result_int64(ctx, time / 100);
    }
}

int gm_sqlite_add_functions(sqlite3 *handle)
{
    static const struct {
        const char *name_z;
        int arg_count;
        void (*fn)(sqlite3_context *, int, sqlite3_value **);
    } functions[] = {
        {"gm_rank", 2, rank},         {"gm_number", 2, number},
        {"gm_text", 2, text},         {"gm_bool", 2, boolean},
        {"gm_json", 2, container},    {"gm_has_number", 3, has_number},
        {"gm_has_text", 3, has_text}, {"gm_has_bool", 3, has_bool},
        {"gm_written", 2, written},   {"gm_source_time", 2, source_time},
    };
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    for (size_t i = 0; i < GM_ARRAY_COUNT(functions); i++) {
        int rc = sqlite3_create_function_v2(handle, functions[i].name_z, functions[i].arg_count,
                                            flags, NULL, functions[i].fn, NULL, NULL, NULL);
        if (rc != SQLITE_OK) {
            return rc;
        }
    }
    return SQLITE_OK;
}
