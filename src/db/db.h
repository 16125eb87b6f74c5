/* One SQL interface, two engines: SQLite (3.40) and PostgreSQL (15).
 *
 *     struct gm_db *db;
 *     struct gm_db_options options = {.url_z = "sqlite:data/store.db", .mode = GM_DB_WRITE};
 *     GM_TRY(gm_db_open(&options, &db, err));
 *     struct gm_stmt *stmt;
 *     GM_TRY(gm_db_prepare(db, GM_SQL_TWIN_GET, &stmt, err));   // $1 … $n in both engines
 *     gm_bind_text(stmt, 1, id);
 *     while ((rc = gm_step(stmt, err)) == GM_OK) { n = gm_column_i64(stmt, 0); }
 *     gm_reset(stmt);                                           // GM_E_END: no more rows
 *
 * URLs: `sqlite:PATH` (relative to the working folder) and
 * `postgresql://user:password@host:port/db?params`, which goes to libpq as it is. SQLite opens in
 * WAL mode with synchronous=FULL; a file whose format is not SQLite's is GM_E_CORRUPT.
 *
 * Results stream: rows are fetched as they are stepped (PostgreSQL in single-row mode inside a
 * transaction), so memory does not grow with the result. Text and blob columns are borrowed until
 * the next step, reset or finalize.
 *
 * Errors: GM_E_RETRY (busy, connection lost, serialization failure, too many connections),
 * GM_E_CONFIG (no such file, table or column, login refused, syntax), GM_E_CONFLICT (constraint),
 * GM_E_IO (I/O, disk full), GM_E_CORRUPT, GM_E_CANCELLED (deadline), GM_E_INVALID (value). After
 * GM_E_IO or GM_E_CORRUPT on a writer the connection refuses everything: recovery is to open again.
 * Thread rule: a connection and its statements belong to one thread at a time. */
#ifndef GM_DB_DB_H
#define GM_DB_DB_H

#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "os/clock.h"

enum gm_db_engine { GM_DB_SQLITE, GM_DB_POSTGRESQL };
enum gm_db_mode {
    GM_DB_READ,  /* no writes; the file must exist */
    GM_DB_WRITE, /* creates the file */
};

struct gm_db_options {
    const char *url_z;
    const char *password_z; /* PostgreSQL, when not in the url; NULL: none */
    enum gm_db_mode mode;
    gm_ns busy_timeout;    /* how long to wait for a lock; 0: 5 s */
    gm_ns connect_timeout; /* 0: 10 s */
    uint64_t cache_bytes;  /* page cache of SQLite; 0: 16 MiB */
    const char *vfs_z; /* SQLite VFS by name; NULL: the default. Storage is tested through this. */
    bool source;       /* somebody else's database: no journal mode change, no pragmas that write */
};

struct gm_db;
struct gm_stmt;

gm_rc gm_db_open(const struct gm_db_options *options, struct gm_db **out_db, struct gm_err *err)
    GM_MUST_CHECK;
void gm_db_close(struct gm_db *db); /* finalizes its statements; NULL is fine */
enum gm_db_engine gm_db_engine(const struct gm_db *db);
/* Calls are cancelled when it passes; NULL takes it away. Borrowed until replaced. */
void gm_db_set_deadline(struct gm_db *db, const struct gm_deadline *deadline);
/* For work between calls: GM_E_CANCELLED when it has passed. */
gm_rc gm_db_check_deadline(struct gm_db *db, struct gm_err *err) GM_MUST_CHECK;
/* Lets a connection of GM_DB_READ write temporary tables of its own, or no longer; on PostgreSQL
 * outside of transactions, for making them. SQLite's main file stays out of its reach either way.
 * Nothing to do for others. */
gm_rc gm_db_allow_scratch(struct gm_db *db, bool allow, struct gm_err *err) GM_MUST_CHECK;

/* A function that SQL statements of this connection may call from now on. It appends its text to
 * `out`, or nothing for NULL, and depends on its arguments alone. Kept until the connection closes;
 * adding it again is fine. GM_E_CONFIG: the engine (PostgreSQL) has none. */
struct gm_db_value {
    int64_t i;       /* 0 when it is no number */
    struct gm_str s; /* p NULL: NULL */
};
struct gm_buf;
struct gm_db_function {
    const char *name_z;
    int arg_count; /* at most 4 */
    void (*fn)(const struct gm_db_value *args, struct gm_buf *out);
};
gm_rc gm_db_add_function(struct gm_db *db, const struct gm_db_function *function,
                         struct gm_err *err) GM_MUST_CHECK;

/* Any number of statements separated by ';', no parameters, results thrown away. */
gm_rc gm_db_exec(struct gm_db *db, const char *sql_z, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_db_begin(struct gm_db *db, struct gm_err *err) GM_MUST_CHECK; /* write transaction */
/* Consistent snapshot until commit or rollback (SQLite: read transaction in WAL; PostgreSQL:
 * REPEATABLE READ READ ONLY). */
gm_rc gm_db_begin_snapshot(struct gm_db *db, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_db_commit(struct gm_db *db, struct gm_err *err) GM_MUST_CHECK;
void gm_db_rollback(struct gm_db *db);             /* fine without a transaction */
bool gm_db_in_transaction(const struct gm_db *db); /* begun here, and not ended yet */
gm_rc gm_db_savepoint(struct gm_db *db, struct gm_err *err) GM_MUST_CHECK; /* one level */
gm_rc gm_db_savepoint_release(struct gm_db *db, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_db_savepoint_rollback(struct gm_db *db, struct gm_err *err)
    GM_MUST_CHECK; /* and release */

gm_rc gm_db_prepare(struct gm_db *db, const char *sql_z, struct gm_stmt **out_stmt,
                    struct gm_err *err) GM_MUST_CHECK;
void gm_stmt_finalize(struct gm_stmt *stmt); /* NULL is fine */
/* For statements that are compiled in and used now and then: prepared at the first call, the same
 * one at every later call with the same address, reset, kept until the connection closes (so never
 * finalized by the caller). Not for a statement that may begin again while its own result is being
 * read, as from a callback: prepare that. */
gm_rc gm_db_prepare_once(struct gm_db *db, const char *sql_z, struct gm_stmt **out_stmt,
                         struct gm_err *err) GM_MUST_CHECK;

/* Parameters count from 1. Bytes are borrowed until the next reset. Bindings stay over a reset
 * until bound again. */
void gm_bind_null(struct gm_stmt *stmt, int index);
void gm_bind_i64(struct gm_stmt *stmt, int index, int64_t v);
void gm_bind_double(struct gm_stmt *stmt, int index, double v);
void gm_bind_text(struct gm_stmt *stmt, int index, struct gm_str v); /* p NULL: SQL NULL */
void gm_bind_blob(struct gm_stmt *stmt, int index, struct gm_str v);

/* GM_OK: a row is there. GM_E_END: done; the statement is reset by itself. */
gm_rc gm_step(struct gm_stmt *stmt, struct gm_err *err) GM_MUST_CHECK;
/* For statements without a result: steps to the end and resets. *out_changes (may be NULL): rows
 * affected. */
gm_rc gm_stmt_run(struct gm_stmt *stmt, int64_t *out_changes, struct gm_err *err) GM_MUST_CHECK;
void gm_reset(struct gm_stmt *stmt);

enum gm_column_type {
    GM_COLUMN_NULL,
    GM_COLUMN_INT,
    GM_COLUMN_DOUBLE,
    GM_COLUMN_TEXT,
    GM_COLUMN_BLOB,
    GM_COLUMN_BOOL,
    GM_COLUMN_JSON
};
/* Columns count from 0. PostgreSQL's numeric, dates, times, uuid, arrays come as TEXT in their ISO
 * form; json(b) as JSON. */
int gm_column_count(const struct gm_stmt *stmt); /* known after prepare */
struct gm_str gm_column_name(const struct gm_stmt *stmt, int index);
enum gm_column_type gm_column_type(const struct gm_stmt *stmt, int index);
int64_t gm_column_i64(const struct gm_stmt *stmt, int index); /* 0 for NULL */
double gm_column_double(const struct gm_stmt *stmt, int index);
struct gm_str gm_column_text(const struct gm_stmt *stmt, int index); /* p NULL for NULL */
struct gm_str gm_column_blob(const struct gm_stmt *stmt, int index);

/* Quoted identifier for `sql` sources' table and column names: "a""b". Appends to `out`. */
struct gm_buf;
void gm_db_quote_name(struct gm_buf *out, struct gm_str name);

/* ---- the store's schema ---- */

/* Brings the schema up to the newest version, each migration in one transaction. GM_E_CONFIG when
 * the database was written by a newer Gemel. */
gm_rc gm_db_migrate(struct gm_db *db, struct gm_err *err) GM_MUST_CHECK;
int gm_db_schema_newest(void);
/* Runs migrations up to `version` only: how older stores are made in tests of upgrades, and by
 * `gemel` never. */
gm_rc gm_db_migrate_to(struct gm_db *db, int version, struct gm_err *err) GM_MUST_CHECK;

#endif
