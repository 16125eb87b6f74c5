/* The door to both engines: which one a url means, the transaction's state, and the rule that a
 * connection whose storage failed refuses everything. */
#include "db/db.h"

#include "base/buf.h"
#include "base/mem.h"
#include "db/engine.h"

static struct gm_err *error_of(struct gm_db *db, struct gm_err *err)
{
    return err != NULL ? err : &db->unheard;
}

/* A failure of storage is final for a writer: what the engine holds in memory may differ from what
 * is on disk, and only opening again finds out. A lost transaction must not go unseen either: later
 * statements would commit one by one. */
static gm_rc after_failure(struct gm_db *db, gm_rc rc, const struct gm_err *err)
{
    if ((rc == GM_E_IO || rc == GM_E_CORRUPT) && db->mode == GM_DB_WRITE &&
        db->refusal.rc == GM_OK) {
        db->refusal = *err;
        (void)gm_fail_within(&db->refusal, "refused after an earlier failure");
    }
    if (db->in_tx && !db->ops->in_transaction(db)) {
        db->tx_lost = true;
    }
    return rc;
}

static bool is_refused(const struct gm_db *db)
{
    return db->refusal.rc != GM_OK || db->tx_lost;
}

static gm_rc refuse(const struct gm_db *db, struct gm_err *err)
{
    if (db->refusal.rc != GM_OK) {
        return gm_fail(err, db->refusal.rc, "%s", db->refusal.text);
    }
    return gm_fail(err, GM_E_RETRY, "%s: the transaction was undone by an earlier failure in it",
                   db->label_z);
}

gm_rc gm_db_open(const struct gm_db_options *options, struct gm_db **out_db, struct gm_err *err)
{
    struct gm_err unheard;
    err = err != NULL ? err : &unheard;
    struct gm_str url = gm_str_z(options->url_z);
    const struct gm_engine *ops = NULL;
    const char *location_z = options->url_z;
    if (gm_str_starts(url, GM_STR("sqlite:"))) {
        ops = &gm_engine_sqlite;
        location_z += sizeof("sqlite:") - 1;
    } else if (gm_str_starts(url, GM_STR("postgresql://")) ||
               gm_str_starts(url, GM_STR("postgres://"))) {
        ops = &gm_engine_postgresql;
    } else {
        /* The url is not shown: what cannot be parsed may hold a password anywhere. */
        return gm_fail(err, GM_E_CONFIG,
                       "database url: unknown scheme; write sqlite:PATH or "
                       "postgresql://user@host:port/database");
    }
    struct gm_db *db = NULL;
    GM_TRY(ops->open(options, location_z, &db, err));
    db->ops = ops;
    db->mode = options->mode;
    db->source = options->source;
    *out_db = db;
    return GM_OK;
}

void gm_db_close(struct gm_db *db)
{
    if (db == NULL) {
        return;
    }
    while (db->stmts != NULL) {
        gm_stmt_finalize(db->stmts);
    }
    gm_db_rollback(db);
    gm_vec_deinit(&db->kept);
    gm_vec_deinit(&db->functions);
    char *label_z = db->label_z;
    db->ops->close(db);
    gm_free(label_z);
}

enum gm_db_engine gm_db_engine(const struct gm_db *db)
{
    return db->ops->engine;
}

void gm_db_set_deadline(struct gm_db *db, const struct gm_deadline *deadline)
{
    db->deadline = deadline;
}

gm_rc gm_db_check_deadline(struct gm_db *db, struct gm_err *err)
{
    bool passed = db->deadline != NULL && gm_deadline_passed(db->deadline);
    return passed ? gm_fail(error_of(db, err), GM_E_CANCELLED,
                            "%s: stopped at the deadline or by request", db->label_z)
                  : GM_OK;
}

gm_rc gm_db_allow_scratch(struct gm_db *db, bool allow, struct gm_err *err)
{
    static const char *const sql[][2] = {
        [GM_DB_SQLITE] = {"PRAGMA query_only = ON", "PRAGMA query_only = OFF"},
        [GM_DB_POSTGRESQL] = {"SET default_transaction_read_only = on",
                              "SET default_transaction_read_only = off"}};
    return db->mode == GM_DB_READ ? gm_db_exec(db, sql[gm_db_engine(db)][allow], err) : GM_OK;
}

gm_rc gm_db_exec(struct gm_db *db, const char *sql_z, struct gm_err *err)
{
    err = error_of(db, err);
    if (is_refused(db)) {
        return refuse(db, err);
    }
    gm_rc rc = db->ops->exec(db, sql_z, err);
    return rc == GM_OK ? rc : after_failure(db, rc, err);
}

gm_rc gm_db_add_function(struct gm_db *db, const struct gm_db_function *function,
                         struct gm_err *err)
{
    err = error_of(db, err);
    for (size_t i = 0; i < db->functions.n; i++) {
        if (db->functions.at[i] == function) {
            return GM_OK;
        }
    }
    if (db->ops->add_function == NULL) {
        return gm_fail(err, GM_E_CONFIG, "%s: this engine has no function %s", db->label_z,
                       function->name_z);
    }
    GM_TRY(db->ops->add_function(db, function, err));
    *gm_vec_push(&db->functions) = function;
    return GM_OK;
}

/* ---- transactions ---- */

static gm_rc begin(struct gm_db *db, gm_rc (*engine_begin)(struct gm_db *, struct gm_err *),
                   struct gm_err *err)
{
    GM_ASSERT(!db->in_tx);
    err = error_of(db, err);
    if (is_refused(db)) {
        return refuse(db, err);
    }
    gm_rc rc = engine_begin(db, err);
    db->in_tx = rc == GM_OK;
    return rc == GM_OK ? rc : after_failure(db, rc, err);
}

gm_rc gm_db_begin(struct gm_db *db, struct gm_err *err)
{
    return begin(db, db->ops->begin, err);
}

gm_rc gm_db_begin_snapshot(struct gm_db *db, struct gm_err *err)
{
    return begin(db, db->ops->begin_snapshot, err);
}

gm_rc gm_db_commit(struct gm_db *db, struct gm_err *err)
{
    GM_ASSERT(db->in_tx);
    err = error_of(db, err);
    if (is_refused(db)) {
        gm_rc rc = refuse(db, err);
        gm_db_rollback(db);
        return rc;
    }
    gm_rc rc = db->ops->commit(db, err);
    db->in_tx = false;
    return rc == GM_OK ? rc : after_failure(db, rc, err);
}

void gm_db_rollback(struct gm_db *db)
{
    if (db->in_tx) {
        db->ops->rollback(db);
        db->in_tx = false;
        db->tx_lost = false;
    }
}

bool gm_db_in_transaction(const struct gm_db *db)
{
    return db->in_tx;
}

gm_rc gm_db_savepoint(struct gm_db *db, struct gm_err *err)
{
    GM_ASSERT(db->in_tx);
    return gm_db_exec(db, "SAVEPOINT gm", err);
}

gm_rc gm_db_savepoint_release(struct gm_db *db, struct gm_err *err)
{
    return gm_db_exec(db, "RELEASE SAVEPOINT gm", err);
}

gm_rc gm_db_savepoint_rollback(struct gm_db *db, struct gm_err *err)
{
    return gm_db_exec(db, "ROLLBACK TO SAVEPOINT gm; RELEASE SAVEPOINT gm", err);
}

/* ---- statements ---- */

gm_rc gm_db_prepare(struct gm_db *db, const char *sql_z, struct gm_stmt **out_stmt,
                    struct gm_err *err)
{
    err = error_of(db, err);
    if (is_refused(db)) {
        return refuse(db, err);
    }
    struct gm_stmt *stmt = NULL;
    gm_rc rc = db->ops->prepare(db, sql_z, &stmt, err);
    if (rc != GM_OK) {
        return after_failure(db, rc, err);
    }
    stmt->ops = db->ops;
    stmt->db = db;
    stmt->next = db->stmts;
    if (db->stmts != NULL) {
        db->stmts->prev = stmt;
    }
    db->stmts = stmt;
    *out_stmt = stmt;
    return GM_OK;
}

gm_rc gm_db_prepare_once(struct gm_db *db, const char *sql_z, struct gm_stmt **out_stmt,
                         struct gm_err *err)
{
    for (size_t i = 0; i < db->kept.n; i++) {
        if (db->kept.at[i].sql_z == sql_z) {
            *out_stmt = db->kept.at[i].stmt;
            gm_reset(*out_stmt);
            return GM_OK;
        }
    }
    GM_TRY(gm_db_prepare(db, sql_z, out_stmt, err));
    *gm_vec_push(&db->kept) = (struct gm_db_kept){sql_z, *out_stmt};
    return GM_OK;
}

void gm_stmt_finalize(struct gm_stmt *stmt)
{
    if (stmt == NULL) {
        return;
    }
    if (stmt->prev != NULL) {
        stmt->prev->next = stmt->next;
    } else {
        stmt->db->stmts = stmt->next;
    }
    if (stmt->next != NULL) {
        stmt->next->prev = stmt->prev;
    }
    stmt->ops->finalize(stmt);
}

void gm_bind_null(struct gm_stmt *stmt, int index)
{
    stmt->ops->bind_null(stmt, index);
}

void gm_bind_i64(struct gm_stmt *stmt, int index, int64_t v)
{
    stmt->ops->bind_i64(stmt, index, v);
}

void gm_bind_double(struct gm_stmt *stmt, int index, double v)
{
    stmt->ops->bind_double(stmt, index, v);
}

void gm_bind_text(struct gm_stmt *stmt, int index, struct gm_str v)
{
    stmt->ops->bind_text(stmt, index, v);
}

void gm_bind_blob(struct gm_stmt *stmt, int index, struct gm_str v)
{
    stmt->ops->bind_blob(stmt, index, v);
}

gm_rc gm_step(struct gm_stmt *stmt, struct gm_err *err)
{
    struct gm_db *db = stmt->db;
    err = error_of(db, err);
    if (is_refused(db)) {
        return refuse(db, err);
    }
    gm_rc rc = stmt->ops->step(stmt, err);
    return rc == GM_OK || rc == GM_E_END ? rc : after_failure(db, rc, err);
}

gm_rc gm_stmt_run(struct gm_stmt *stmt, int64_t *out_changes, struct gm_err *err)
{
    struct gm_db *db = stmt->db;
    err = error_of(db, err);
    if (is_refused(db)) {
        return refuse(db, err);
    }
    gm_rc rc = stmt->ops->run(stmt, out_changes, err);
    return rc == GM_OK ? rc : after_failure(db, rc, err);
}

void gm_reset(struct gm_stmt *stmt)
{
    stmt->ops->reset(stmt);
}

int gm_column_count(const struct gm_stmt *stmt)
{
    return stmt->ops->column_count(stmt);
}

struct gm_str gm_column_name(const struct gm_stmt *stmt, int index)
{
    return stmt->ops->column_name(stmt, index);
}

enum gm_column_type gm_column_type(const struct gm_stmt *stmt, int index)
{
    return stmt->ops->column_type(stmt, index);
}

int64_t gm_column_i64(const struct gm_stmt *stmt, int index)
{
    return stmt->ops->column_i64(stmt, index);
}

double gm_column_double(const struct gm_stmt *stmt, int index)
{
    return stmt->ops->column_double(stmt, index);
}

struct gm_str gm_column_text(const struct gm_stmt *stmt, int index)
{
    return stmt->ops->column_text(stmt, index);
}

struct gm_str gm_column_blob(const struct gm_stmt *stmt, int index)
{
    return stmt->ops->column_blob(stmt, index);
}

void gm_db_quote_name(struct gm_buf *out, struct gm_str name)
{
    gm_buf_add_char(out, '"');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"') {
            gm_buf_add_char(out, '"');
        }
        gm_buf_add_char(out, name.p[i]);
    }
    gm_buf_add_char(out, '"');
}
