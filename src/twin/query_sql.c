/* Building SQL, and where the engines differ. */
#include "twin/query_sql.h"

#include "json/json.h"

#define PG_AT "(%b #> CAST(%p AS TEXT[]))"
#define PG_TEXT "(%b #>> CAST(%p AS TEXT[]))"
#define PG_TIMES "(CAST(%b AS JSON) #> CAST(%p AS TEXT[]))"

static const struct gm_dialect sqlite = {
    .defined_z = "(gm_rank(%b, %p) > 0)",
    .is_null_z = "(gm_rank(%b, %p) = 1)",
    .is_bool_z = "(gm_rank(%b, %p) = 2)",
    .is_number_z = "(gm_rank(%b, %p) = 3)",
    .is_string_z = "(gm_rank(%b, %p) = 4)",
    .is_object_z = "(gm_rank(%b, %p) = 6)",
    .is_primitive_z = "(gm_rank(%b, %p) BETWEEN 1 AND 4)",
    .value_z = {[GM_SQL_NUMBER] = "gm_number(%b, %p)",
                [GM_SQL_TEXT] = "gm_text(%b, %p)",
                [GM_SQL_BOOL] = "gm_bool(%b, %p)"},
    .rank_z = "gm_rank(%b, %p)",
    .cell_number_z = "COALESCE(gm_number(%b, %p), gm_bool(%b, %p), 0)",
    .cell_text_z = "COALESCE(gm_text(%b, %p), gm_json(%b, %p), '')",
    .empty_text_z = "''",
    .collate_z = "",
    .average_z = "AVG(%1)",
    .array_contains_z = {[GM_SQL_NUMBER] = "gm_has_number(%b, %p, %1)",
                         [GM_SQL_TEXT] = "gm_has_text(%b, %p, %1)",
                         [GM_SQL_BOOL] = "gm_has_bool(%b, %p, %1)"},
    .param_z = {[GM_SQL_NUMBER] = "%p", [GM_SQL_TEXT] = "%p"},
    .int_param_z = "%p",
    .text_param_z = "%p",
    .time_z = "gm_written(%b, %p)",
    .source_time_z = "gm_source_time(%b, %p)",
    .twin_etag_z = "gm_twin_etag(%b.num, %b.version)",
    .relationship_etag_z = "gm_relationship_etag(%b.source, %b.version, %b.id)",
    .starts_z = "(substr(%1, 1, length(%2)) = %2)",
    .ends_z = "(CASE WHEN length(%2) = 0 THEN %1 = %1 ELSE substr(%1, -length(%2)) = %2 END)",
    .contains_z = "(instr(%1, %2) > 0)",
};

static const struct gm_dialect postgresql = {
    .defined_z = "(" PG_AT " IS NOT NULL)",
    .is_null_z = "COALESCE(json_typeof" PG_AT " = 'null', FALSE)",
    .is_bool_z = "COALESCE(json_typeof" PG_AT " = 'boolean', FALSE)",
    .is_number_z = "COALESCE(json_typeof" PG_AT " = 'number', FALSE)",
    .is_string_z = "COALESCE(json_typeof" PG_AT " = 'string', FALSE)",
    .is_object_z = "COALESCE(json_typeof" PG_AT " = 'object', FALSE)",
    .is_primitive_z = "COALESCE(json_typeof" PG_AT " NOT IN ('object', 'array'), FALSE)",
    .value_z = {[GM_SQL_NUMBER] =
                    "CASE json_typeof" PG_AT " WHEN 'number' THEN CAST(" PG_TEXT " AS NUMERIC) END",
                [GM_SQL_TEXT] =
                    "(CASE json_typeof" PG_AT " WHEN 'string' THEN " PG_TEXT " END COLLATE \"C\")",
                [GM_SQL_BOOL] = "CASE json_typeof" PG_AT " WHEN 'boolean' THEN CAST(" PG_TEXT
                                " AS BOOLEAN) END"},
    .rank_z = "CASE json_typeof" PG_AT
              " WHEN 'null' THEN 1 WHEN 'boolean' THEN 2 WHEN 'number' THEN 3 WHEN 'string' THEN 4 "
              "WHEN 'array' THEN 5 WHEN 'object' THEN 6 ELSE 0 END",
    .cell_number_z = "CASE json_typeof" PG_AT " WHEN 'number' THEN CAST(" PG_TEXT
                     " AS NUMERIC) WHEN 'boolean' THEN CAST(CAST(CAST(" PG_TEXT
                     " AS BOOLEAN) AS INTEGER) AS NUMERIC) ELSE CAST(0 AS NUMERIC) END",
    .cell_text_z = "(CASE WHEN json_typeof" PG_AT " IN ('string', 'array', 'object') THEN " PG_TEXT
                   " ELSE '' END COLLATE \"C\")",
    .empty_text_z = "(CAST('' AS TEXT) COLLATE \"C\")",
    .collate_z = " COLLATE \"C\"",
    .average_z = "CAST(AVG(%1) AS DOUBLE PRECISION)",
    .array_contains_z =
        {[GM_SQL_NUMBER] =
             "EXISTS (SELECT 1 FROM json_array_elements(CASE json_typeof" PG_AT
             " WHEN 'array' THEN " PG_AT " END) AS e (v) WHERE CASE json_typeof(e.v) WHEN 'number' "
             "THEN CAST(e.v #>> '{}' AS NUMERIC) = %1 "
             "END)",
         [GM_SQL_TEXT] = "EXISTS (SELECT 1 FROM json_array_elements(CASE json_typeof" PG_AT
                         " WHEN 'array' THEN " PG_AT
                         " END) AS e (v) WHERE json_typeof(e.v) = 'string' AND e.v #>> '{}' = %1)",
         [GM_SQL_BOOL] =
             "EXISTS (SELECT 1 FROM json_array_elements(CASE json_typeof" PG_AT
             " WHEN 'array' THEN " PG_AT " END) AS e (v) WHERE CASE json_typeof(e.v) WHEN "
             "'boolean' THEN CAST(e.v #>> '{}' AS BOOLEAN) = %1 "
             "END)"},
    .param_z = {[GM_SQL_NUMBER] = "CAST(%p AS NUMERIC)", [GM_SQL_TEXT] = "CAST(%p AS TEXT)"},
    .int_param_z = "CAST(%p AS BIGINT)",
    .text_param_z = "CAST(%p AS TEXT)",
    .time_z = "CAST(CASE json_typeof" PG_TIMES " WHEN 'array' THEN " PG_TIMES
              " ->> 0 ELSE CAST(" PG_TIMES " AS TEXT) END AS BIGINT)",
    .source_time_z = "CASE json_typeof" PG_TIMES
                     " WHEN 'array' THEN CAST(floor(EXTRACT(EPOCH FROM CAST(" PG_TIMES
                     " ->> 1 AS TIMESTAMP WITH TIME ZONE)) * 10000000) AS BIGINT) END",
    .starts_z = "(left(%1, length(%2)) = %2)",
    .ends_z = "(right(%1, length(%2)) = %2)",
    .contains_z = "(strpos(%1, %2) > 0)",
};

const struct gm_dialect *gm_dialect_of(enum gm_db_engine engine)
{
    return engine == GM_DB_POSTGRESQL ? &postgresql : &sqlite;
}

/* $."a"."b": names are compared as they stand in the text, with their escapes. */
static void add_sqlite_path(struct gm_buf *out, const struct gm_str *segments, size_t count)
{
    gm_buf_add_char(out, '$');
    for (size_t i = 0; i < count; i++) {
        gm_buf_add_char(out, '.');
        gm_json_quote(out, segments[i]);
    }
}

/* {"a","b"} */
static void add_array(struct gm_buf *out, const struct gm_str *segments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gm_buf_add_z(out, i == 0 ? "{\"" : ",\"");
        for (size_t k = 0; k < segments[i].n; k++) {
            char c = segments[i].p[k];
            if (c == '"' || c == '\\') {
                gm_buf_add_char(out, '\\');
            }
            gm_buf_add_char(out, c);
        }
        gm_buf_add_char(out, '"');
    }
    gm_buf_add_char(out, '}');
}

struct gm_str gm_dialect_path(enum gm_db_engine engine, struct gm_arena *arena,
                              const struct gm_str *segments, size_t count)
{
    struct gm_str none = {NULL, 0};
    for (size_t i = 0; i < count; i++) {
        /* No member has the empty name, and PostgreSQL's texts hold no NUL. */
        bool impossible = segments[i].n == 0 || memchr(segments[i].p, '\0', segments[i].n) != NULL;
        if (impossible) {
            return none;
        }
    }
    struct gm_buf buf;
    gm_buf_init(&buf, GM_QUERY_SQL_SIZE_MAX);
    if (engine == GM_DB_POSTGRESQL) {
        add_array(&buf, segments, count);
    } else {
        add_sqlite_path(&buf, segments, count);
    }
    struct gm_str path = gm_buf_failed(&buf) ? none : gm_arena_dup(arena, gm_buf_str(&buf));
    gm_buf_deinit(&buf);
    return path;
}

/* ---- building ---- */

void gm_sql_init(struct gm_sql *sql, enum gm_db_engine engine, struct gm_arena *arena)
{
    *sql = (struct gm_sql){.dialect = gm_dialect_of(engine), .engine = engine, .arena = arena};
    gm_buf_init(&sql->text, GM_QUERY_SQL_SIZE_MAX);
}

void gm_sql_deinit(struct gm_sql *sql)
{
    gm_buf_deinit(&sql->text);
    gm_vec_deinit(&sql->params);
    gm_free(sql->numbers);
}

/* The number behind a '$', which only parameters have in the pieces; *at moves behind it. */
static int take_number(const char *text, size_t *at)
{
    int number = 0;
    while (text[*at] >= '0' && text[*at] <= '9') {
        number = number * 10 + (text[(*at)++] - '0');
    }
    return number;
}

/* Numbers the parameters that are used, in the order they were added. */
static void renumber(struct gm_sql *sql)
{
    sql->numbers = gm_alloc_array(sql->params.n + 1, sizeof(sql->numbers[0]));
    for (size_t i = 0; i < sql->text.n;) {
        if (sql->text.p[i++] == '$') {
            sql->numbers[take_number(sql->text.p, &i)] = 1;
        }
    }
    int used = 0;
    for (size_t i = 1; i <= sql->params.n; i++) {
        if (sql->numbers[i] != 0) {
            sql->params.at[used++] = sql->params.at[i - 1];
            sql->numbers[i] = used;
        }
    }
    sql->params.n = (size_t)used;
}

gm_rc gm_sql_finish(struct gm_sql *sql, struct gm_err *err)
{
    if (sql->failed || gm_buf_failed(&sql->text)) {
        return gm_fail(err, GM_E_INVALID,
                       "the query is too large: at most %d values and names, %d bytes as SQL",
                       GM_QUERY_PARAMS_MAX, GM_QUERY_SQL_SIZE_MAX);
    }
    renumber(sql);
    struct gm_buf text;
    gm_buf_init(&text, GM_QUERY_SQL_SIZE_MAX);
    for (size_t i = 0; i < sql->text.n;) {
        char c = sql->text.p[i++];
        gm_buf_add_char(&text, c);
        if (c == '$') {
            gm_buf_addf(&text, "%d", sql->numbers[take_number(sql->text.p, &i)]);
        }
    }
    gm_buf_deinit(&sql->text);
    sql->text = text; /* no longer than it was: numbers only become smaller */
    return GM_OK;
}

static int add_param(struct gm_sql *sql, struct gm_sql_param param)
{
    if (sql->params.n >= GM_QUERY_PARAMS_MAX) {
        sql->failed = true;
        return 1;
    }
    *gm_vec_push(&sql->params) = param;
    return (int)sql->params.n;
}

int gm_sql_i64(struct gm_sql *sql, int64_t v)
{
    return add_param(sql, (struct gm_sql_param){.type = GM_SQL_PARAM_I64, .i = v});
}

int gm_sql_double(struct gm_sql *sql, double v)
{
    return add_param(sql, (struct gm_sql_param){.type = GM_SQL_PARAM_DOUBLE, .d = v});
}

int gm_sql_text(struct gm_sql *sql, struct gm_str v)
{
    return add_param(sql, (struct gm_sql_param){.type = GM_SQL_PARAM_TEXT, .s = v});
}

static void expand(struct gm_buf *out, const char *piece_z, const struct gm_sql_args *args)
{
    for (const char *p = piece_z; *p != '\0'; p++) {
        if (*p != '%' || args == NULL) {
            gm_buf_add_char(out, *p);
            continue;
        }
        switch (*++p) {
        case 'b':
            gm_buf_add_z(out, args->body_z);
            break;
        case 'p':
            gm_buf_addf(out, "$%d", args->param);
            break;
        case '1':
            gm_buf_add(out, args->a);
            break;
        default:
            GM_ASSERT(*p == '2');
            gm_buf_add(out, args->b);
            break;
        }
    }
}

void gm_sql_add(struct gm_sql *sql, const char *piece_z, const struct gm_sql_args *args)
{
    expand(&sql->text, piece_z, args);
}

struct gm_str gm_sql_render(struct gm_sql *sql, const char *piece_z, const struct gm_sql_args *args)
{
    struct gm_buf buf;
    gm_buf_init(&buf, GM_QUERY_SQL_SIZE_MAX);
    expand(&buf, piece_z, args);
    struct gm_str text =
        gm_buf_failed(&buf) ? (struct gm_str){NULL, 0} : gm_arena_dup(sql->arena, gm_buf_str(&buf));
    gm_buf_deinit(&buf);
    if (text.p == NULL) {
        sql->failed = true;
        text = GM_STR("NULL");
    }
    return text;
}

/* ---- binding ---- */

void gm_sql_bind(struct gm_stmt *stmt, int index, const struct gm_sql_param *param)
{
    switch (param->type) {
    case GM_SQL_PARAM_I64:
        gm_bind_i64(stmt, index, param->i);
        break;
    case GM_SQL_PARAM_DOUBLE:
        gm_bind_double(stmt, index, param->d);
        break;
    case GM_SQL_PARAM_TEXT:
        gm_bind_text(stmt, index, param->s);
        break;
    }
}

void gm_sql_bind_all(struct gm_stmt *stmt, const struct gm_sql *sql)
{
    for (size_t i = 0; i < sql->params.n; i++) {
        gm_sql_bind(stmt, (int)i + 1, &sql->params.at[i]);
    }
}
