/* What an engine implements, and the state that db.c keeps for both. Internal to this folder.
 *
 * db.c is the door: it checks the connection's state, calls the engine through the table below, and
 * remembers failures after which nothing may be written. sqlite.c and postgresql.c embed struct
 * gm_db and struct gm_stmt as the first member of their own structs. An engine never calls back
 * into db.c, and reports a failure in the error's text with the database's label. */
#ifndef GM_DB_ENGINE_H
#define GM_DB_ENGINE_H

#include "base/vec.h"
#include "db/db.h"

/* The highest parameter number: PostgreSQL's protocol counts them with 16 bits. */
enum { GM_DB_PARAMS_MAX = 65535 };

/* A statement of gm_db_prepare_once. */
struct gm_db_kept {
    const char *sql_z; /* told apart by address */
    struct gm_stmt *stmt;
};

struct gm_db {
    const struct gm_engine *ops;
    const struct gm_deadline *deadline; /* borrows until replaced; NULL: none */
    struct gm_stmt *stmts;              /* all that are not finalized */
    GM_VEC(struct gm_db_kept) kept;     /* as many as the program has statements, at most */
    GM_VEC(const struct gm_db_function *) functions;
    char *label_z; /* names the database in messages; never holds a password */
    enum gm_db_mode mode;
    bool source;
    bool in_tx;            /* between begin and commit or rollback, as the caller sees it */
    bool tx_lost;          /* the engine undid the transaction by itself; only rollback helps */
    struct gm_err refusal; /* rc not GM_OK: storage failed, everything is refused with this */
    struct gm_err unheard; /* where an error's text goes when the caller wants none */
};

struct gm_stmt {
    const struct gm_engine *ops;
    struct gm_db *db;
    struct gm_stmt *prev, *next;
};

struct gm_engine {
    enum gm_db_engine engine;
    /* `location` is the url without "sqlite:", or the whole url for PostgreSQL. On success the
     * struct is allocated with gm_alloc and its label set; db.c fills in the rest. */
    gm_rc (*open)(const struct gm_db_options *options, const char *location_z,
                  struct gm_db **out_db, struct gm_err *err);
    void (*close)(
        struct gm_db *db); /* all statements are finalized; frees the struct but not the label */
    /* NULL: the engine has none of the caller's functions */
    gm_rc (*add_function)(struct gm_db *db, const struct gm_db_function *function,
                          struct gm_err *err);
    gm_rc (*exec)(struct gm_db *db, const char *sql_z, struct gm_err *err);
    gm_rc (*begin)(struct gm_db *db, struct gm_err *err);
    gm_rc (*begin_snapshot)(struct gm_db *db, struct gm_err *err);
    /* GM_OK only when the transaction is durable; after any failure there is no transaction any
     * more. */
    gm_rc (*commit)(struct gm_db *db, struct gm_err *err);
    void (*rollback)(struct gm_db *db);
    bool (*in_transaction)(struct gm_db *db); /* what the engine itself believes; no I/O */

    gm_rc (*prepare)(struct gm_db *db, const char *sql_z, struct gm_stmt **out_stmt,
                     struct gm_err *err);
    void (*finalize)(struct gm_stmt *stmt); /* frees the struct */
    /* A wrong index or value is remembered and reported by the next step. */
    void (*bind_null)(struct gm_stmt *stmt, int index);
    void (*bind_i64)(struct gm_stmt *stmt, int index, int64_t v);
    void (*bind_double)(struct gm_stmt *stmt, int index, double v);
    void (*bind_text)(struct gm_stmt *stmt, int index, struct gm_str v);
    void (*bind_blob)(struct gm_stmt *stmt, int index, struct gm_str v);
    gm_rc (*step)(struct gm_stmt *stmt, struct gm_err *err); /* anything but GM_OK also resets */
    gm_rc (*run)(struct gm_stmt *stmt, int64_t *out_changes, struct gm_err *err);
    void (*reset)(struct gm_stmt *stmt);

    int (*column_count)(const struct gm_stmt *stmt);
    struct gm_str (*column_name)(const struct gm_stmt *stmt, int index);
    enum gm_column_type (*column_type)(const struct gm_stmt *stmt, int index);
    int64_t (*column_i64)(const struct gm_stmt *stmt, int index);
    double (*column_double)(const struct gm_stmt *stmt, int index);
    struct gm_str (*column_text)(const struct gm_stmt *stmt, int index);
    struct gm_str (*column_blob)(const struct gm_stmt *stmt, int index);
};

extern const struct gm_engine gm_engine_sqlite;
extern const struct gm_engine gm_engine_postgresql;

#endif
