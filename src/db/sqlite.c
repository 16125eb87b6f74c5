/* SQLite behind db.h: with checkpoint.c and sqlite_functions.c the only files that include
 * sqlite3.h.
 *
 * The store is opened in WAL mode with synchronous=FULL: a commit is one append to the log and one
 * sync, readers never wait for the writer, and a crash at any point leaves either the whole
 * transaction in the log or a tail whose checksums do not match, which the next open ignores.
 * Checkpoints (copying the log into the file) are ours rather than SQLite's own, because SQLite
 * drops their errors, and a sync that failed must stop this writer even though the log still holds
 * everything: checkpoint.h.
 *
 * Somebody else's database (options->source) is opened read-only and nothing in it is changed, with
 * one exception: when its owner died in the middle of a transaction, the transaction must be undone
 * before anyone can read, and the same happens here that would happen when its owner came back.
 *
 * Nothing here locks: a connection belongs to one thread at a time (SQLITE_OPEN_NOMUTEX). */
#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "db/checkpoint.h"
#include "db/engine.h"
#include "db/sqlite_functions.h"
#include "os/file.h"

enum {
    PAGE_SIZE = 8192,
    /* A log that grew past this behind a long reader is cut back. One that is not is written over,
     * which costs the file system less than growing does. */
    JOURNAL_KEEP_BYTES = GM_LOG_BYTES_MAX,
    /* Savepoints of small jobs stay in memory. What is larger is spilled by SQLite in one write of
     * this size, and its unix VFS takes more than 128 KiB - 1 at once for a full disk
     * (seekAndWriteFd in os_unix.c keeps 17 bits of the length). */
    STATEMENT_JOURNAL_BYTES = 120 << 10,
    CACHE_BYTES_DEFAULT = 16 << 20,
    PROGRESS_STEPS =
        2000, /* virtual machine steps between looks at the deadline: well under a ms */
};
static const gm_ns BUSY_TIMEOUT_DEFAULT = 5 * GM_SECOND;
static const gm_ns CHECKPOINT_WAIT = 50 * GM_MS; /* for readers to leave the log */

struct sqlite_db {
    struct gm_db base;
    sqlite3 *handle;
    gm_ns busy_timeout;
    gm_ns busy_since; /* monotonic: when the lock that is waited for was first refused */
    struct gm_checkpointer *checkpointer; /* of a store; NULL for readers */
};

struct sqlite_stmt {
    struct gm_stmt base;
    sqlite3_stmt *handle;
    int *index_of; /* parameter number - 1 → SQLite's index, 0 when the statement does not use it */
    int params;    /* the highest parameter number */
    int bind_rc;   /* the first failure of a bind, reported by the next step */
    int bind_index;
};

static struct sqlite_db *db_of(struct gm_db *db)
{
    return (struct sqlite_db *)db;
}

static struct sqlite_stmt *stmt_of(struct gm_stmt *stmt)
{
    return (struct sqlite_stmt *)stmt;
}

static sqlite3_stmt *handle_of(const struct gm_stmt *stmt)
{
    return ((const struct sqlite_stmt *)stmt)->handle;
}

/* ---- errors ---- */

/* By what the caller does next; `code` is an extended result code
 * (https://www.sqlite.org/rescode.html). */
static gm_rc classify(int code)
{
    switch (code) {
    case SQLITE_READONLY_ROLLBACK: /* its owner died: opening again undoes the rest and goes on */
        return GM_E_RETRY;
    case SQLITE_READONLY_DBMOVED:
        return GM_E_IO;
    case SQLITE_IOERR_DATA:
    case SQLITE_IOERR_CORRUPTFS:
        return GM_E_CORRUPT;
    case SQLITE_CONSTRAINT_DATATYPE:
        return GM_E_INVALID;
    default:
        break;
    }
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_SCHEMA:
    case SQLITE_ABORT:
        return GM_E_RETRY;
    case SQLITE_CONSTRAINT:
        return GM_E_CONFLICT;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_INTERNAL:
        return GM_E_IO;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return GM_E_CORRUPT;
    case SQLITE_INTERRUPT:
        return GM_E_CANCELLED;
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
        return GM_E_INVALID;
    default: /* ERROR, CANTOPEN, READONLY, PERM, AUTH, RANGE, NOLFS: what the user wrote or set up
              */
        return GM_E_CONFIG;
    }
}

/* Which operation of the file system failed; NULL when the code does not say. */
static const char *io_operation(int code)
{
    switch (code) {
    case SQLITE_IOERR_READ:
    case SQLITE_IOERR_SHORT_READ:
        return "read";
    case SQLITE_IOERR_WRITE:
        return "write";
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
        return "sync";
    case SQLITE_IOERR_TRUNCATE:
        return "truncate";
    case SQLITE_IOERR_FSTAT:
        return "stat";
    case SQLITE_IOERR_DELETE:
    case SQLITE_IOERR_DELETE_NOENT:
        return "delete";
    case SQLITE_IOERR_SHMOPEN:
    case SQLITE_IOERR_SHMSIZE:
    case SQLITE_IOERR_SHMLOCK:
    case SQLITE_IOERR_SHMMAP:
        return "shared memory";
    default:
        return NULL;
    }
}

/* What to do about it; empty when SQLite's own words already say. */
static const char *cure_of(int code)
{
    switch (code) {
    case SQLITE_READONLY_ROLLBACK:
        return "; its owner stopped in the middle of a transaction: open it again";
    case SQLITE_READONLY_DBMOVED:
        return "; the file was moved or replaced while in use: stop what does that and start again";
    case SQLITE_READONLY_DIRECTORY:
    case SQLITE_READONLY_CANTINIT:
    case SQLITE_READONLY_CANTLOCK:
    case SQLITE_READONLY_RECOVERY:
        return "; it is in WAL mode, whose readers too must write its -shm file: give this user "
               "write "
               "permission to its folder";
    default:
        break;
    }
    switch (code & 0xff) {
    case SQLITE_FULL:
        return "; free space on its disk, then start again";
    case SQLITE_IOERR:
        return "; check its disk and file system, then start again";
    case SQLITE_NOMEM:
        return "; give the process more memory, then start again";
    case SQLITE_CORRUPT:
        return "; restore it from a backup, or recover what can be read with `sqlite3 FILE "
               ".recover`";
    case SQLITE_NOTADB:
        return "; it is not an SQLite database, or encrypted: check the path";
    case SQLITE_READONLY:
        return "; give this user write permission, or open another file";
    default:
        return "";
    }
}

/* Turns SQLite's last failure on this connection into ours. */
static gm_rc failed(struct sqlite_db *db, int code, struct gm_err *err)
{
    if (code == (code & 0xff)) {
        int extended = sqlite3_extended_errcode(db->handle);
        code = (extended & 0xff) == code ? extended : code;
    }
    const char *label_z = db->base.label_z;
    gm_rc rc = classify(code);
    char waited[GM_TIME_TEXT_SIZE] = "";
    switch (code & 0xff) {
    case SQLITE_INTERRUPT:
        return gm_fail(err, rc, "%s: stopped at the deadline or by request", label_z);
    case SQLITE_BUSY:
        (void)gm_span_format(db->busy_timeout, waited);
        return gm_fail(err, rc, "%s: another program has it locked (%s); waited %s", label_z,
                       sqlite3_errmsg(db->handle), waited);
    case SQLITE_IOERR:
    case SQLITE_FULL:
        break;
    default:
        return gm_fail(err, rc, "%s: %s%s", label_z, sqlite3_errmsg(db->handle), cure_of(code));
    }
    const char *operation = io_operation(code);
    int os_error = sqlite3_system_errno(db->handle);
    char reason[128] = "";
    if (os_error != 0 && strerror_r(os_error, reason, sizeof(reason)) != 0) {
        reason[0] = '\0';
    }
    return gm_fail(err, rc, "%s: %s (%s%s%s; code %d)%s", label_z, sqlite3_errmsg(db->handle),
                   operation != NULL ? operation : "file", reason[0] != '\0' ? ": " : "", reason,
                   code, cure_of(code));
}

/* ---- deadlines and locks ---- */

static int on_progress(void *ctx)
{
    const struct sqlite_db *db = ctx;
    return db->base.deadline != NULL && gm_deadline_passed(db->base.deadline);
}

/* Waits for a lock in growing steps, as SQLite's own handler does, but not past the deadline.
 * SQLite offers nothing to wait on: file locks do not notify. */
static int on_busy(void *ctx, int refusals)
{
    struct sqlite_db *db = ctx;
    gm_ns now = gm_clock_system()->mono(gm_clock_system());
    if (refusals == 0) {
        db->busy_since = now;
    }
    gm_ns left = db->busy_timeout - (now - db->busy_since);
    if (left <= 0 || on_progress(ctx)) {
        return 0;
    }
    static const int wait_ms[] = {1, 2, 5, 10};
    int last = (int)GM_ARRAY_COUNT(wait_ms) - 1;
    gm_ns wait = (gm_ns)wait_ms[refusals < last ? refusals : last] * GM_MS;
    (void)sqlite3_sleep((int)((left < wait ? left : wait) / GM_MS) + (left < GM_MS));
    return 1;
}

/* The commit this runs in is durable already, so that a failure must not be reported as the
 * commit's: the checkpointer keeps it for the next begin. */
static int on_commit(void *ctx, sqlite3 *handle, const char *name_z, int frames)
{
    struct sqlite_db *db = ctx;
    (void)handle;
    (void)name_z; /* always "main": nothing is attached */
    gm_ns busy_timeout = db->busy_timeout;
    db->busy_timeout = CHECKPOINT_WAIT;
    gm_checkpointer_committed(db->checkpointer, frames);
    db->busy_timeout = busy_timeout;
    return SQLITE_OK;
}

/* ---- opening ---- */

/* Process-wide settings, before the first connection; when the library is already in use they are
 * refused, harmlessly. */
static void configure_library(void)
{
    enum { NOT_YET, UNDER_WAY, DONE };
    static _Atomic int state = NOT_YET;
    int expected = NOT_YET;
    if (atomic_compare_exchange_strong(&state, &expected, UNDER_WAY)) {
        /* Memory statistics take a mutex per allocation, which threads would fight for. */
        (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        (void)sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, (int)STATEMENT_JOURNAL_BYTES);
        (void)sqlite3_initialize();
        atomic_store(&state, DONE);
    }
    while (atomic_load(&state) != DONE) {
        /* Another thread is a few microseconds from done. */
    }
}

static gm_rc exec(struct sqlite_db *db, const char *sql_z, struct gm_err *err)
{
    int rc = sqlite3_exec(db->handle, sql_z, NULL, NULL, NULL);
    return rc == SQLITE_OK ? GM_OK : failed(db, rc, err);
}

/* First column of the first row, cut to the buffer. */
static gm_rc query_text(struct sqlite_db *db, const char *sql_z, char *out, size_t size,
                        struct gm_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db->handle, sql_z, -1, &stmt, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(stmt);
    }
    const unsigned char *text = rc == SQLITE_ROW ? sqlite3_column_text(stmt, 0) : NULL;
    (void)snprintf(out, size, "%s", text != NULL ? (const char *)text : "");
    gm_rc result = rc == SQLITE_ROW || rc == SQLITE_DONE ? GM_OK : failed(db, rc, err);
    (void)sqlite3_finalize(stmt);
    return result;
}

/* What SQLite would say too late or not clearly. `creates`: a missing file is no mistake. */
static gm_rc check_path(const char *path_z, bool creates, struct gm_err *err)
{
    struct gm_file_info info = {0};
    GM_TRY(gm_file_info(path_z, &info, err));
    if (info.type == GM_FILE_FOLDER) {
        return gm_fail(err, GM_E_CONFIG, "%s: is a folder; name the database file in it", path_z);
    }
    if (info.type == GM_FILE_MISSING && !creates) {
        return gm_fail(err, GM_E_CONFIG, "%s: there is no such file; check the path in the url",
                       path_z);
    }
    return GM_OK;
}

static gm_rc cannot_open(struct sqlite_db *db, const char *path_z, struct gm_err *err)
{
    char reason[128] = "unable to open";
    int os_error = db->handle != NULL ? sqlite3_system_errno(db->handle) : 0;
    if (os_error != 0) {
        (void)strerror_r(os_error, reason, sizeof(reason));
    }
    return gm_fail(err, GM_E_CONFIG,
                   "%s: cannot be opened (%s); its folder must exist, and this user needs "
                   "permission for both",
                   path_z, reason);
}

/* The settings of Gemel's own store, which also create the file and notice what is not a database.
 */
static gm_rc set_up_store(struct sqlite_db *db, struct gm_err *err)
{
    if (sqlite3_db_readonly(db->handle, "main") == 1) {
        return gm_fail(err, GM_E_CONFIG, "%s: cannot be written; give this user write permission",
                       db->base.label_z);
    }
    char text[32];
    (void)snprintf(text, sizeof(text), "PRAGMA page_size=%d", PAGE_SIZE);
    GM_TRY(exec(db, text, err)); /* without effect on a file that has pages */
    GM_TRY(query_text(db, "PRAGMA journal_mode=WAL", text, sizeof(text), err));
    if (sqlite3_stricmp(text, "wal") != 0) {
        return gm_fail(
            err, GM_E_CONFIG,
            "%s: its file system cannot share memory between processes, which WAL mode needs; "
            "keep the data on a local disk",
            db->base.label_z);
    }
    GM_TRY(query_text(db, "PRAGMA page_size", text, sizeof(text), err));
    int64_t page_size = PAGE_SIZE;
    (void)gm_parse_i64(gm_str_z(text), &page_size);
    char limit[64];
    (void)snprintf(limit, sizeof(limit), "PRAGMA journal_size_limit=%d", JOURNAL_KEEP_BYTES);
    GM_TRY(exec(db, limit, err));
    /* secure_delete would overwrite what is deleted with zeros: Debian turns it on, at a third of
     * the write speed. */
    GM_TRY(exec(db, "PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF; PRAGMA secure_delete=OFF",
                err));
    db->checkpointer = gm_checkpointer_new(db->handle, (int)page_size);
    (void)sqlite3_wal_hook(db->handle, on_commit, db);
    return GM_OK;
}

/* Reads only. The first read finds out whether it is a database at all, and whether it is in a
 * state to be read. */
static gm_rc set_up_reader(struct sqlite_db *db, bool source, struct gm_err *err)
{
    /* Closing the last connection would copy the log into the file: that is its owner's to do. */
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    GM_TRY(exec(db, "PRAGMA query_only=ON", err));
    if (source) {
        /* What others wrote is not trusted: no functions with effects from its schema, no attached
         * files, checked pages. */
        (void)sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);
        GM_TRY(exec(db, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON", err));
    }
    int rc = sqlite3_exec(db->handle, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);
    if ((rc & 0xff) == SQLITE_CANTOPEN) {
        return gm_fail(err, GM_E_CONFIG, "%s: cannot be read%s", db->base.label_z,
                       cure_of(SQLITE_READONLY_CANTINIT));
    }
    return rc == SQLITE_OK ? GM_OK : failed(db, rc, err);
}

static gm_rc open_handle(struct sqlite_db *db, const struct gm_db_options *options, bool write,
                         const char *path_z, struct gm_err *err)
{
    bool creates = options->mode == GM_DB_WRITE && !options->source;
    GM_TRY(check_path(path_z, creates, err));
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |= write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    flags |= creates ? SQLITE_OPEN_CREATE : 0;
    int rc = sqlite3_open_v2(path_z, &db->handle, flags, options->vfs_z);
    if ((rc & 0xff) == SQLITE_CANTOPEN) {
        return cannot_open(db, path_z, err);
    }
    if (rc != SQLITE_OK) {
        return failed(db, rc, err);
    }
    (void)sqlite3_busy_handler(db->handle, on_busy, db);
    sqlite3_progress_handler(db->handle, PROGRESS_STEPS, on_progress, db);
    return GM_OK;
}

static gm_rc open_store(struct sqlite_db *db, const struct gm_db_options *options,
                        const char *path_z, struct gm_err *err)
{
    GM_TRY(open_handle(db, options, true, path_z, err));
    return set_up_store(db, err);
}

static gm_rc open_reader(struct sqlite_db *db, const struct gm_db_options *options,
                         const char *path_z, struct gm_err *err)
{
    GM_TRY(open_handle(db, options, false, path_z, err));
    gm_rc rc = set_up_reader(db, options->source, err);
    if (rc == GM_OK || sqlite3_extended_errcode(db->handle) != SQLITE_READONLY_ROLLBACK) {
        return rc;
    }
    /* Its owner died in the middle of a transaction. A connection that may write undoes it, as its
     * owner's next start would; query_only keeps everything else out. */
    (void)sqlite3_close(db->handle);
    db->handle = NULL;
    GM_TRY(open_handle(db, options, true, path_z, err));
    if (sqlite3_db_readonly(db->handle, "main") == 1) {
        return gm_fail(err, GM_E_CONFIG,
                       "%s: its owner stopped in the middle of a transaction, which must be undone "
                       "before it can be read; start its owner, or give this user write permission",
                       db->base.label_z);
    }
    return set_up_reader(db, options->source, err);
}

static gm_rc open_steps(struct sqlite_db *db, const struct gm_db_options *options,
                        const char *path_z, struct gm_err *err)
{
    bool store = options->mode == GM_DB_WRITE && !options->source;
    GM_TRY(store ? open_store(db, options, path_z, err) : open_reader(db, options, path_z, err));
    char cache[64];
    uint64_t cache_bytes = options->cache_bytes != 0 ? options->cache_bytes : CACHE_BYTES_DEFAULT;
    (void)snprintf(cache, sizeof(cache), "PRAGMA cache_size=-%llu",
                   (unsigned long long)(cache_bytes / 1024));
    GM_TRY(exec(db, cache, err));
    int rc = options->source ? SQLITE_OK : gm_sqlite_add_functions(db->handle);
    return rc == SQLITE_OK ? GM_OK : failed(db, rc, err);
}

static gm_rc sqlite_open(const struct gm_db_options *options, const char *location_z,
                         struct gm_db **out_db, struct gm_err *err)
{
    if (location_z[0] == '\0') {
        return gm_fail(err, GM_E_CONFIG, "database url `sqlite:`: no path; write sqlite:PATH");
    }
    configure_library();
    /* SQLite gives these beginnings a meaning of their own; here they are file names like any
     * other. */
    bool special = location_z[0] == ':' || gm_str_starts(gm_str_z(location_z), GM_STR("file:"));
    GM_AUTO_FREE char *path_z = gm_format_z("%s%s", special ? "./" : "", location_z);
    struct sqlite_db *db = gm_alloc(sizeof(*db));
    db->base.label_z = gm_strdup_z(location_z);
    db->busy_timeout = options->busy_timeout != 0 ? options->busy_timeout : BUSY_TIMEOUT_DEFAULT;
    gm_rc rc = open_steps(db, options, path_z, err);
    if (rc != GM_OK) {
        gm_checkpointer_free(db->checkpointer);
        (void)sqlite3_close(db->handle);
        gm_free(db->base.label_z);
        gm_free(db);
        return rc;
    }
    *out_db = &db->base;
    return GM_OK;
}

static void sqlite_close(struct gm_db *base)
{
    gm_checkpointer_free(db_of(base)->checkpointer);
    int rc = sqlite3_close(db_of(base)->handle);
    GM_ASSERT(rc == SQLITE_OK); /* only unfinished statements make it fail */
    gm_free(base);
}

/* ---- functions of the caller ---- */

enum { FUNCTION_ARGS_MAX = 4, FUNCTION_TEXT_SIZE_MAX = 1 << 20 };

static void call_function(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    const struct gm_db_function *function = sqlite3_user_data(ctx);
    struct gm_db_value values[FUNCTION_ARGS_MAX];
    struct gm_buf out;
    for (int i = 0; i < count; i++) {
        const unsigned char *p = sqlite3_value_text(args[i]);
        values[i].i = sqlite3_value_int64(args[i]);
        values[i].s = (struct gm_str){(const char *)p, (size_t)sqlite3_value_bytes(args[i])};
    }
    gm_buf_init(&out, FUNCTION_TEXT_SIZE_MAX);
    function->fn(values, &out);
    if (out.p != NULL && !gm_buf_failed(&out)) {
        sqlite3_result_text64(ctx, out.p, out.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    gm_buf_deinit(&out);
}

static gm_rc sqlite_add_function(struct gm_db *base, const struct gm_db_function *function,
                                 struct gm_err *err)
{
    struct sqlite_db *db = db_of(base);
    GM_ASSERT(function->arg_count <= FUNCTION_ARGS_MAX);
    void *data;
    memcpy(&data, &function, sizeof(data)); /* SQLite hands it back as it is */
    int rc = sqlite3_create_function_v2(db->handle, function->name_z, function->arg_count,
                                        SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, data,
                                        call_function, NULL, NULL, NULL);
    return rc == SQLITE_OK ? GM_OK : failed(db, rc, err);
}

/* ---- transactions ---- */

static gm_rc sqlite_exec(struct gm_db *base, const char *sql_z, struct gm_err *err)
{
    return exec(db_of(base), sql_z, err);
}

static bool sqlite_in_transaction(struct gm_db *base)
{
    return sqlite3_get_autocommit(db_of(base)->handle) == 0;
}

static void sqlite_rollback(struct gm_db *base)
{
    if (sqlite_in_transaction(base)) {
        /* Fails only in ways that leave the transaction undone all the same
         * (https://www.sqlite.org/lang_transaction.html). */
        (void)sqlite3_exec(db_of(base)->handle, "ROLLBACK", NULL, NULL, NULL);
    }
}

static gm_rc sqlite_begin(struct gm_db *base, struct gm_err *err)
{
    struct sqlite_db *db = db_of(base);
    int failure = db->checkpointer != NULL ? gm_checkpointer_failure(db->checkpointer) : SQLITE_OK;
    if (failure != SQLITE_OK) {
        return gm_fail(err, classify(failure), "%s: copying the log into the file failed: %s%s",
                       base->label_z, sqlite3_errstr(failure), cure_of(failure));
    }
    return exec(db, "BEGIN IMMEDIATE", err);
}

static gm_rc sqlite_begin_snapshot(struct gm_db *base, struct gm_err *err)
{
    /* BEGIN alone waits for the first read to choose the snapshot. */
    gm_rc rc = exec(db_of(base), "BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1", err);
    if (rc != GM_OK) {
        sqlite_rollback(base);
    }
    return rc;
}

static gm_rc sqlite_commit(struct gm_db *base, struct gm_err *err)
{
    gm_rc rc = exec(db_of(base), "COMMIT", err);
    if (rc != GM_OK) {
        sqlite_rollback(base);
    }
    return rc;
}

/* ---- statements ---- */

/* Maps $1 … $n to SQLite's indexes, which count names in the order of their first use. */
static gm_rc map_parameters(struct sqlite_stmt *stmt, const char *label_z, struct gm_err *err)
{
    int count = sqlite3_bind_parameter_count(stmt->handle);
    int numbers[16];
    GM_AUTO_FREE int *more = count > 16 ? gm_alloc_array((size_t)count, sizeof(int)) : NULL;
    int *number_of = more != NULL ? more : numbers;
    for (int i = 1; i <= count; i++) {
        const char *name_z = sqlite3_bind_parameter_name(stmt->handle, i);
        int64_t number = 0;
        if (name_z == NULL || name_z[0] != '$' || name_z[1] < '1' || name_z[1] > '9' ||
            !gm_parse_i64(gm_str_z(name_z + 1), &number) || number > GM_DB_PARAMS_MAX) {
            return gm_fail(err, GM_E_CONFIG, "%s: parameter `%s`: parameters are written $1 to $%d",
                           label_z, name_z != NULL ? name_z : "?", GM_DB_PARAMS_MAX);
        }
        number_of[i - 1] = (int)number;
        stmt->params = (int)number > stmt->params ? (int)number : stmt->params;
    }
    stmt->index_of = gm_alloc_array((size_t)stmt->params, sizeof(int));
    for (int i = 1; i <= count; i++) {
        stmt->index_of[number_of[i - 1] - 1] = i;
    }
    return GM_OK;
}

/* True when nothing but white space, comments and semicolons follows. */
static bool is_blank_sql(struct sqlite_db *db, const char *sql_z)
{
    while (*sql_z != '\0') {
        sqlite3_stmt *more = NULL;
        const char *tail_z = sql_z;
        int rc = sqlite3_prepare_v2(db->handle, sql_z, -1, &more, &tail_z);
        (void)sqlite3_finalize(more);
        if (rc != SQLITE_OK || more != NULL) {
            return false;
        }
        if (tail_z == sql_z) {
            break;
        }
        sql_z = tail_z;
    }
    return true;
}

static gm_rc sqlite_prepare(struct gm_db *base, const char *sql_z, struct gm_stmt **out_stmt,
                            struct gm_err *err)
{
    struct sqlite_db *db = db_of(base);
    sqlite3_stmt *handle = NULL;
    const char *tail_z = NULL;
    int rc = sqlite3_prepare_v3(db->handle, sql_z, -1, SQLITE_PREPARE_PERSISTENT, &handle, &tail_z);
    if (rc != SQLITE_OK) {
        return failed(db, rc, err);
    }
    bool single = handle != NULL && is_blank_sql(db, tail_z);
    if (!single) {
        (void)sqlite3_finalize(handle);
        return gm_fail(err, GM_E_CONFIG, "%s: %s; write exactly one SQL statement", base->label_z,
                       handle == NULL ? "the statement is empty" : "more than one statement");
    }
    struct sqlite_stmt *stmt = gm_alloc(sizeof(*stmt));
    stmt->handle = handle;
    gm_rc result = map_parameters(stmt, base->label_z, err);
    if (result != GM_OK) {
        (void)sqlite3_finalize(handle);
        gm_free(stmt);
        return result;
    }
    *out_stmt = &stmt->base;
    return GM_OK;
}

static void sqlite_finalize(struct gm_stmt *base)
{
    struct sqlite_stmt *stmt = stmt_of(base);
    (void)sqlite3_finalize(stmt->handle); /* its code repeats the last step's */
    gm_free(stmt->index_of);
    gm_free(stmt);
}

/* SQLite's index of parameter `index`; -1, which every bind refuses, when there is none. */
static inline int parameter(const struct sqlite_stmt *stmt, int index)
{
    return index >= 1 && index <= stmt->params ? stmt->index_of[index - 1] : -1;
}

static inline void note_bind(struct sqlite_stmt *stmt, int index, int rc)
{
    if (rc != SQLITE_OK && stmt->bind_rc == SQLITE_OK) {
        GM_ASSERT(rc != SQLITE_MISUSE); /* bound between steps without a reset */
        stmt->bind_rc = rc;
        stmt->bind_index = index;
    }
}

static void sqlite_bind_null(struct gm_stmt *base, int index)
{
    struct sqlite_stmt *stmt = stmt_of(base);
    note_bind(stmt, index, sqlite3_bind_null(stmt->handle, parameter(stmt, index)));
}

static void sqlite_bind_i64(struct gm_stmt *base, int index, int64_t v)
{
    struct sqlite_stmt *stmt = stmt_of(base);
    note_bind(stmt, index, sqlite3_bind_int64(stmt->handle, parameter(stmt, index), v));
}

static void sqlite_bind_double(struct gm_stmt *base, int index, double v)
{
    struct sqlite_stmt *stmt = stmt_of(base);
    note_bind(stmt, index, sqlite3_bind_double(stmt->handle, parameter(stmt, index), v));
}

static void sqlite_bind_text(struct gm_stmt *base, int index, struct gm_str v)
{
    struct sqlite_stmt *stmt = stmt_of(base);
    note_bind(stmt, index,
              sqlite3_bind_text64(stmt->handle, parameter(stmt, index), v.p, v.n, SQLITE_STATIC,
                                  SQLITE_UTF8));
}

static void sqlite_bind_blob(struct gm_stmt *base, int index, struct gm_str v)
{
    struct sqlite_stmt *stmt = stmt_of(base);
    note_bind(stmt, index,
              sqlite3_bind_blob64(stmt->handle, parameter(stmt, index), v.p, v.n, SQLITE_STATIC));
}

static gm_rc bind_failed(struct sqlite_stmt *stmt, struct gm_err *err)
{
    int rc = stmt->bind_rc;
    stmt->bind_rc = SQLITE_OK;
    if (rc == SQLITE_RANGE) {
        return gm_fail(err, GM_E_CONFIG, "%s: the statement has no parameter $%d: %s",
                       stmt->base.db->label_z, stmt->bind_index, sqlite3_sql(stmt->handle));
    }
    return gm_fail(err, classify(rc), "%s: parameter $%d: %s", stmt->base.db->label_z,
                   stmt->bind_index, sqlite3_errstr(rc));
}

/* A generic error of a step is the user's SQL when it cannot be prepared any more (a table is
 * gone), else this row's values. */
static gm_rc step_failed(struct sqlite_stmt *stmt, int code, struct gm_err *err)
{
    struct sqlite_db *db = db_of(stmt->base.db);
    gm_rc rc = failed(db, code, err);
    (void)sqlite3_reset(stmt->handle);
    if (code == SQLITE_ERROR) {
        sqlite3_stmt *again = NULL;
        bool sound = sqlite3_prepare_v2(db->handle, sqlite3_sql(stmt->handle), -1, &again, NULL) ==
                     SQLITE_OK;
        (void)sqlite3_finalize(again);
        rc = sound ? GM_E_INVALID : GM_E_CONFIG;
        err->rc = rc;
    }
    return rc;
}

static gm_rc sqlite_step(struct gm_stmt *base, struct gm_err *err)
{
    struct sqlite_stmt *stmt = stmt_of(base);
    if (stmt->bind_rc != SQLITE_OK) {
        return bind_failed(stmt, err);
    }
    int rc = sqlite3_step(stmt->handle);
    if (rc == SQLITE_ROW) {
        return GM_OK;
    }
    if (rc == SQLITE_DONE) {
        (void)sqlite3_reset(stmt->handle);
        return GM_E_END;
    }
    return step_failed(stmt, rc, err);
}

static gm_rc sqlite_run(struct gm_stmt *base, int64_t *out_changes, struct gm_err *err)
{
    sqlite3 *handle = db_of(base->db)->handle;
    int64_t before = sqlite3_total_changes64(handle);
    gm_rc rc;
    do {
        rc = sqlite_step(base, err);
    } while (rc == GM_OK);
    if (rc != GM_E_END) {
        return rc;
    }
    if (out_changes != NULL) {
        /* The last statement's count stays when a later one changes nothing by nature. */
        *out_changes = sqlite3_total_changes64(handle) != before ? sqlite3_changes64(handle) : 0;
    }
    return GM_OK;
}

static void sqlite_reset(struct gm_stmt *base)
{
    struct sqlite_stmt *stmt = stmt_of(base);
    (void)sqlite3_reset(stmt->handle); /* its code repeats the last step's */
    stmt->bind_rc = SQLITE_OK;
}

/* ---- columns ---- */

static int sqlite_column_count(const struct gm_stmt *base)
{
    return sqlite3_column_count(handle_of(base));
}

static struct gm_str sqlite_column_name(const struct gm_stmt *base, int index)
{
    return gm_str_z(sqlite3_column_name(handle_of(base), index));
}

static enum gm_column_type sqlite_column_type(const struct gm_stmt *base, int index)
{
    static const enum gm_column_type type_of[] = {
        [SQLITE_INTEGER] = GM_COLUMN_INT, [SQLITE_FLOAT] = GM_COLUMN_DOUBLE,
        [SQLITE_TEXT] = GM_COLUMN_TEXT,   [SQLITE_BLOB] = GM_COLUMN_BLOB,
        [SQLITE_NULL] = GM_COLUMN_NULL,
    };
    return type_of[sqlite3_column_type(handle_of(base), index)];
}

static int64_t sqlite_column_i64(const struct gm_stmt *base, int index)
{
    return sqlite3_column_int64(handle_of(base), index);
}

static double sqlite_column_double(const struct gm_stmt *base, int index)
{
    return sqlite3_column_double(handle_of(base), index);
}

static struct gm_str sqlite_column_text(const struct gm_stmt *base, int index)
{
    sqlite3_stmt *stmt = handle_of(base);
    const unsigned char *p = sqlite3_column_text(stmt, index);
    return (struct gm_str){(const char *)p, (size_t)sqlite3_column_bytes(stmt, index)};
}

static struct gm_str sqlite_column_blob(const struct gm_stmt *base, int index)
{
    sqlite3_stmt *stmt = handle_of(base);
    const void *p = sqlite3_column_blob(stmt, index);
    if (p == NULL && sqlite3_column_type(stmt, index) != SQLITE_NULL) {
        return GM_STR(""); /* SQLite gives no pointer for an empty blob, but it is not NULL */
    }
    return (struct gm_str){p, (size_t)sqlite3_column_bytes(stmt, index)};
}

const struct gm_engine gm_engine_sqlite = {
    .engine = GM_DB_SQLITE,
    .open = sqlite_open,
    .close = sqlite_close,
    .add_function = sqlite_add_function,
    .exec = sqlite_exec,
    .begin = sqlite_begin,
    .begin_snapshot = sqlite_begin_snapshot,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .in_transaction = sqlite_in_transaction,
    .prepare = sqlite_prepare,
    .finalize = sqlite_finalize,
    .bind_null = sqlite_bind_null,
    .bind_i64 = sqlite_bind_i64,
    .bind_double = sqlite_bind_double,
    .bind_text = sqlite_bind_text,
    .bind_blob = sqlite_bind_blob,
    .step = sqlite_step,
    .run = sqlite_run,
    .reset = sqlite_reset,
    .column_count = sqlite_column_count,
    .column_name = sqlite_column_name,
    .column_type = sqlite_column_type,
    .column_i64 = sqlite_column_i64,
    .column_double = sqlite_column_double,
    .column_text = sqlite_column_text,
    .column_blob = sqlite_column_blob,
};
