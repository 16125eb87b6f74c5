/* The SQL that a query becomes: a text made from fixed pieces, with its parameters; and the pieces
 * that differ between the engines. For the query's own files. */
#ifndef GM_TWIN_QUERY_SQL_H
#define GM_TWIN_QUERY_SQL_H

#include "base/vec.h"
#include "twin/query.h"

/* What a value is compared as. A value of another kind is SQL's NULL then. */
enum gm_sql_kind { GM_SQL_NUMBER, GM_SQL_TEXT, GM_SQL_BOOL, GM_SQL_KIND_COUNT };

/* Pieces: %b the column with the JSON, %p the parameter with the path into it, %1 and %2 values. */
struct gm_dialect {
    const char *defined_z;
    const char *is_null_z, *is_bool_z, *is_number_z, *is_string_z, *is_object_z,
        *is_primitive_z; /* never NULL */
    const char *value_z[GM_SQL_KIND_COUNT];
    const char *rank_z, *cell_number_z, *cell_text_z; /* a cell's columns, never NULL */
    const char *empty_text_z;                         /* '' as a text that compares by bytes */
    const char *collate_z;                            /* behind a text that is to */
    const char *average_z;                            /* of the numbers %1 */
    const char *array_contains_z[GM_SQL_KIND_COUNT];  /* with %1 */
    const char *param_z[GM_SQL_KIND_COUNT]; /* %p the parameter; BOOL is written as TRUE or FALSE */
    const char *int_param_z, *text_param_z;
    const char *time_z;        /* nanoseconds at %p in the text column %b, of a twin's times */
    const char *source_time_z; /* the source's time there, in hundreds of nanoseconds */
    const char *twin_etag_z, *relationship_etag_z; /* of table %b; NULL: the engine has none */
    const char *starts_z, *ends_z, *contains_z;
};
const struct gm_dialect *gm_dialect_of(enum gm_db_engine engine);

/* A path into a JSON column as the engine takes it in a parameter. p NULL: no member can have such
 * a name there, or no room. */
struct gm_str gm_dialect_path(enum gm_db_engine engine, struct gm_arena *arena,
                              const struct gm_str *segments, size_t count);

enum gm_sql_param_type { GM_SQL_PARAM_I64, GM_SQL_PARAM_DOUBLE, GM_SQL_PARAM_TEXT };

struct gm_sql_param {
    enum gm_sql_param_type type;
    int64_t i;
    double d;
    struct gm_str s; /* lives in the plan's arena */
};

struct gm_sql {
    const struct gm_dialect *dialect;
    enum gm_db_engine engine;
    struct gm_arena *arena;
    struct gm_buf text;
    GM_VEC(struct gm_sql_param) params;
    int *numbers; /* after gm_sql_finish: a parameter's number, 0 when nothing uses it */
    bool failed;  /* a bound was reached: checked once, by gm_sql_finish */
};
void gm_sql_init(struct gm_sql *sql, enum gm_db_engine engine, struct gm_arena *arena);
void gm_sql_deinit(struct gm_sql *sql);
/* Takes parameters out that the text does not use, which both engines refuse, and numbers the
 * others anew. GM_E_INVALID when a bound was reached. */
gm_rc gm_sql_finish(struct gm_sql *sql, struct gm_err *err) GM_MUST_CHECK;

/* Adds a parameter and returns its number until gm_sql_finish, from 1. */
int gm_sql_i64(struct gm_sql *sql, int64_t v);
int gm_sql_double(struct gm_sql *sql, double v);
int gm_sql_text(struct gm_sql *sql, struct gm_str v);

/* Binds the parameters as they stand. After gm_sql_finish. */
void gm_sql_bind(struct gm_stmt *stmt, int index, const struct gm_sql_param *param);
void gm_sql_bind_all(struct gm_stmt *stmt, const struct gm_sql *sql);

struct gm_sql_args {
    const char *body_z;
    int param;
    struct gm_str a, b; /* %1, %2 */
};
void gm_sql_add(struct gm_sql *sql, const char *piece_z,
                const struct gm_sql_args *args); /* args NULL: as it is */
/* The same, as a text of the arena. */
struct gm_str gm_sql_render(struct gm_sql *sql, const char *piece_z,
                            const struct gm_sql_args *args);

#endif
