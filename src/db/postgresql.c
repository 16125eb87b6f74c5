/* PostgreSQL behind db.h: the only file that includes libpq-fe.h.
 *
 * Every statement is prepared on the server and runs over the extended protocol. Rows arrive in
 * libpq's single-row mode: one small result per row, so that memory holds one row whatever the
 * result's size. (Measured against a cursor fetched 2000 rows at a time: 2.4 M rows/s
 * against 1.6-2.0 M rows/s of ten columns, with less memory and without planning anew.)
 *
 * A connection carries one result at a time. A statement that starts while another one's rows still
 * arrive first takes those into memory (bounded by ABSORB_BYTES_MAX); rows that nobody wants any
 * more (after a reset) are read and dropped before the next command, or cancelled where the
 * server's work can be thrown away.
 *
 * The socket never blocks: all waiting is gm_poll with the connection's deadline. Commits are the
 * exception, they wait without one: a commit that is given up halfway has an unknown outcome. After
 * the connection is lost everything is GM_E_RETRY, and the caller opens again. */
#include <libpq-fe.h>
#include <stdio.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/vec.h"
#include "db/engine.h"
#include "db/pg_params.h"
#include "db/pg_text.h"
#include "os/poll.h"

enum {
    ABSORB_BYTES_MAX = 64 << 20,
    DROP_ROWS_MAX = 1000, /* rows nobody wants that are read before the server is asked to stop */
};
static const gm_ns CONNECT_TIMEOUT_DEFAULT = 10 * GM_SECOND;
static const gm_ns BUSY_TIMEOUT_DEFAULT = 5 * GM_SECOND;
static const gm_ns CANCEL_REPEAT = 100 * GM_MS;
static const gm_ns CANCEL_TIMEOUT = 5 * GM_SECOND; /* how long the server may take to stop */

struct pg_db {
    struct gm_db base;
    PGconn *conn;
    struct pg_stmt *streaming; /* its rows are arriving; NULL: none */
    bool orphaned;             /* rows are arriving that nobody wants */
    bool orphan_reads;         /* they come from a statement without effects: it may be cancelled */
    bool snapshot;             /* the transaction is read-only: there is nothing to lose in it */
    bool lost;                 /* the connection is unusable */
    uint64_t prepared;         /* names statements */
    GM_VEC(uint64_t) forgotten; /* finalized statements that the server still holds */
};

struct column {
    unsigned type;
    enum gm_column_type kind;
    int64_t blob_row; /* the row whose bytea was decoded in place */
    size_t blob_n;
};

struct pg_stmt {
    struct gm_stmt base;
    uint64_t number;
    char name[24];
    PGresult *description;
    bool reads; /* SELECT or VALUES */
    bool active;
    bool cut;        /* a rollback took the remaining rows */
    int64_t changes; /* of the command that ended last */
    int64_t row;     /* counts rows, to notice stale decodings */
    PGresult *current;
    GM_VEC(PGresult *) absorbed; /* arrived while another statement needed the connection */
    size_t absorbed_next;

    struct gm_pg_params params;
    int columns;
    struct column *column;
};

static struct pg_db *db_of(struct gm_db *db)
{
    return (struct pg_db *)db;
}

static struct pg_stmt *stmt_of(struct gm_stmt *stmt)
{
    return (struct pg_stmt *)stmt;
}

static struct pg_db *db_of_stmt(struct pg_stmt *stmt)
{
    return db_of(stmt->base.db);
}

/* ---- errors ---- */

static gm_rc lost(struct pg_db *db, struct gm_err *err)
{
    db->lost = true;
    struct gm_str line = gm_pg_first_line(PQerrorMessage(db->conn));
    return gm_fail(err, GM_E_RETRY, "%s: the connection is lost%s" GM_STR_FMT, db->base.label_z,
                   line.n != 0 ? ": " : "", GM_STR_ARG(line));
}

static gm_rc result_failed(struct pg_db *db, const PGresult *result, struct gm_err *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state == NULL || strlen(state) != 5) {
        return lost(db, err); /* libpq's own words: the server said nothing */
    }
    if (PQstatus(db->conn) == CONNECTION_BAD) {
        db->lost = true;
    }
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    struct gm_str line = gm_pg_first_line(message != NULL ? message : "unknown error");
    struct gm_str more = gm_pg_first_line(detail != NULL ? detail : hint != NULL ? hint : "");
    return gm_fail(err, gm_pg_classify(state), "%s: " GM_STR_FMT "%s" GM_STR_FMT " (SQLSTATE %s)",
                   db->base.label_z, GM_STR_ARG(line), more.n != 0 ? "; " : "", GM_STR_ARG(more),
                   state);
}

/* ---- the socket ---- */

static gm_rc wait_socket(struct pg_db *db, int want, const struct gm_deadline *deadline,
                         struct gm_err *err)
{
    if (gm_poll(PQsocket(db->conn), want, deadline) != GM_OK) {
        return gm_fail(err, GM_E_CANCELLED, "%s: stopped at the deadline or by request",
                       db->base.label_z);
    }
    return GM_OK;
}

/* Sends what libpq holds back. The server may be sending as well: reading keeps both from waiting
 * for each other. */
static gm_rc flush(struct pg_db *db, const struct gm_deadline *deadline, struct gm_err *err)
{
    for (;;) {
        int rc = PQflush(db->conn);
        if (rc == 0) {
            return GM_OK;
        }
        if (rc < 0) {
            return lost(db, err);
        }
        GM_TRY(wait_socket(db, GM_POLL_READ | GM_POLL_WRITE, deadline, err));
        if (PQconsumeInput(db->conn) == 0) {
            return lost(db, err);
        }
    }
}

/* The next result, NULL when the command is complete. */
static gm_rc next_result(struct pg_db *db, const struct gm_deadline *deadline,
                         PGresult **out_result, struct gm_err *err)
{
    while (PQisBusy(db->conn) != 0) {
        GM_TRY(wait_socket(db, GM_POLL_READ, deadline, err));
        if (PQconsumeInput(db->conn) == 0) {
            return lost(db, err);
        }
    }
    *out_result = PQgetResult(db->conn);
    return GM_OK;
}

/* Reads results to the end of the command, up to `rows_max` of them; *out_ended tells whether the
 * end was seen. */
static gm_rc drop_results(struct pg_db *db, const struct gm_deadline *deadline, int64_t rows_max,
                          bool *out_ended, struct gm_err *err)
{
    for (int64_t i = 0; i < rows_max; i++) {
        PGresult *result = NULL;
        GM_TRY(next_result(db, deadline, &result, err));
        if (result == NULL) {
            *out_ended = true;
            return GM_OK;
        }
        PQclear(result);
    }
    *out_ended = false;
    return GM_OK;
}

static void request_cancel(struct pg_db *db)
{
    PGcancel *request = PQgetCancel(db->conn);
    if (request != NULL) {
        char reason[256];
        (void)PQcancel(request, reason,
                       sizeof(reason)); /* a failure shows in the wait for the end */
        PQfreeCancel(request);
    }
}

/* Makes the server stop what it does. A request that comes before the server has begun the command
 * does nothing, so it is repeated. When the end does not come within CANCEL_TIMEOUT the connection
 * is given up. */
static void cancel(struct pg_db *db)
{
    struct gm_deadline last = gm_deadline_in(CANCEL_TIMEOUT, NULL);
    struct gm_err unheard;
    bool ended = false;
    gm_rc rc;
    do {
        request_cancel(db);
        struct gm_deadline again = gm_deadline_in(CANCEL_REPEAT, NULL);
        rc = drop_results(db, &again, INT64_MAX, &ended, &unheard);
    } while (rc == GM_E_CANCELLED && !gm_deadline_passed(&last));
    if (rc != GM_OK || !ended) {
        db->lost = true;
    }
}

static void stop_streaming(struct pg_db *db)
{
    if (db->streaming != NULL) {
        db->streaming->cut = true;
        db->streaming = NULL;
    }
    db->orphaned = false;
}

/* After a wait that failed in the middle of a command: brings the connection to rest. */
static gm_rc abandon(struct pg_db *db, gm_rc rc)
{
    if (!db->lost) {
        cancel(db);
    }
    stop_streaming(db);
    return rc;
}

/* ---- making the connection free for the next command ---- */

static gm_rc absorb(struct pg_db *db, struct gm_err *err)
{
    struct pg_stmt *stmt = db->streaming;
    size_t bytes = 0;
    for (;;) {
        PGresult *result = NULL;
        gm_rc rc = next_result(db, db->base.deadline, &result, err);
        if (rc != GM_OK) {
            return abandon(db, rc);
        }
        if (result == NULL) {
            db->streaming = NULL;
            return GM_OK;
        }
        *gm_vec_push(&stmt->absorbed) = result;
        bytes += PQresultMemorySize(result);
        if (bytes > ABSORB_BYTES_MAX) {
            return gm_fail(
                err, GM_E_LIMIT,
                "%s: a statement began while more than %d MiB of another one's rows were "
                "still to be read",
                db->base.label_z, ABSORB_BYTES_MAX >> 20);
        }
    }
}

static gm_rc drop_orphan(struct pg_db *db, struct gm_err *err)
{
    bool in_tx = db->base.in_tx;
    bool ended = false;
    gm_rc rc = drop_results(db, db->base.deadline, DROP_ROWS_MAX, &ended, err);
    if (rc == GM_OK && !ended && db->orphan_reads && !in_tx) {
        cancel(db);
        ended = true;
    }
    if (rc == GM_OK && !ended) { /* within a transaction a cancel would undo all of it */
        rc = drop_results(db, db->base.deadline, INT64_MAX, &ended, err);
    }
    db->orphaned = false;
    return rc == GM_OK ? GM_OK : abandon(db, rc);
}

static gm_rc settle(struct pg_db *db, struct gm_err *err)
{
    if (db->orphaned) {
        GM_TRY(drop_orphan(db, err));
    }
    if (db->streaming != NULL) {
        GM_TRY(absorb(db, err));
    }
    return db->lost ? lost(db, err) : GM_OK;
}

/* ---- commands without a prepared statement ---- */

/* Reads the results of what was just sent. The first failure counts; `tag` (may be NULL) gets the
 * last command's tag. */
static gm_rc finish_command(struct pg_db *db, const struct gm_deadline *deadline, char *tag,
                            size_t tag_size, struct gm_err *err)
{
    gm_rc outcome = GM_OK;
    for (;;) {
        PGresult *result = NULL;
        gm_rc rc = next_result(db, deadline, &result, err);
        if (rc != GM_OK) {
            return abandon(db, rc);
        }
        if (result == NULL) {
            return outcome;
        }
        switch (PQresultStatus(result)) {
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
        case PGRES_EMPTY_QUERY:
            if (tag != NULL) {
                (void)snprintf(tag, tag_size, "%s", PQcmdStatus(result));
            }
            break;
        case PGRES_COPY_IN:
        case PGRES_COPY_OUT:
        case PGRES_COPY_BOTH:
            PQclear(result);
            db->lost = true; /* nothing else can be said on this connection any more */
            return gm_fail(err, GM_E_CONFIG, "%s: COPY is not possible here; write a query",
                           db->base.label_z);
        default:
            if (outcome == GM_OK) {
                outcome = result_failed(db, result, err);
            }
        }
        PQclear(result);
    }
}

static gm_rc command(struct pg_db *db, const char *sql_z, const struct gm_deadline *deadline,
                     char tag[16], struct gm_err *err)
{
    GM_TRY(settle(db, err));
    if (PQsendQuery(db->conn, sql_z) == 0) {
        return lost(db, err);
    }
    gm_rc rc = flush(db, deadline, err);
    return rc == GM_OK ? finish_command(db, deadline, tag, 16, err) : abandon(db, rc);
}

static gm_rc pg_exec(struct gm_db *base, const char *sql_z, struct gm_err *err)
{
    return command(db_of(base), sql_z, base->deadline, NULL, err);
}

/* ---- transactions ---- */

static gm_rc pg_begin(struct gm_db *base, struct gm_err *err)
{
    db_of(base)->snapshot = false;
    return pg_exec(base, "BEGIN", err);
}

static gm_rc pg_begin_snapshot(struct gm_db *base, struct gm_err *err)
{
    /* BEGIN alone waits for the first query to choose the snapshot. */
    gm_rc rc = pg_exec(base, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1", err);
    db_of(base)->snapshot = rc == GM_OK;
    return rc;
}

static bool pg_in_transaction(struct gm_db *base)
{
    switch (PQtransactionStatus(db_of(base)->conn)) {
    case PQTRANS_ACTIVE:
    case PQTRANS_INTRANS:
    case PQTRANS_INERROR:
        return !db_of(base)->lost;
    default:
        return false;
    }
}

static void pg_rollback(struct gm_db *base)
{
    struct pg_db *db = db_of(base);
    struct gm_err unheard;
    if (db->lost) {
        return;
    }
    if (db->streaming != NULL || db->orphaned) {
        bool ended = false;
        gm_rc rc = drop_results(db, base->deadline, DROP_ROWS_MAX, &ended, &unheard);
        if (rc != GM_OK || !ended) {
            cancel(db);
        }
        stop_streaming(db);
    }
    struct gm_deadline deadline = gm_deadline_in(CANCEL_TIMEOUT, NULL);
    if (!db->lost && pg_in_transaction(base) &&
        command(db, "ROLLBACK", &deadline, NULL, &unheard) != GM_OK) {
        db->lost = true; /* the server undoes the transaction when the connection goes */
    }
}

static gm_rc pg_commit(struct gm_db *base, struct gm_err *err)
{
    struct pg_db *db = db_of(base);
    if (db->snapshot) {
        pg_rollback(base);
        return db->lost ? lost(db, err) : GM_OK;
    }
    char tag[16] = "";
    gm_rc rc = settle(db, err);
    if (rc == GM_OK) {
        rc = command(db, "COMMIT", NULL, tag, err);
    }
    if (rc == GM_OK && strcmp(tag, "COMMIT") != 0) {
        /* In a transaction that failed before, COMMIT succeeds, and rolls back. */
        rc = gm_fail(err, GM_E_RETRY, "%s: the transaction was undone by an earlier failure in it",
                     base->label_z);
    }
    if (rc != GM_OK) {
        pg_rollback(base);
    }
    return rc;
}

/* ---- preparing ---- */

/* The server keeps finalized statements until it is told; that waits for a moment when a command
 * cannot disturb. */
static gm_rc forget_finalized(struct pg_db *db, struct gm_err *err)
{
    PGTransactionStatusType status = PQtransactionStatus(db->conn);
    if (db->forgotten.n == 0 || (status != PQTRANS_IDLE && status != PQTRANS_INTRANS)) {
        return GM_OK;
    }
    struct gm_buf sql;
    gm_buf_init(&sql, db->forgotten.n * 64);
    for (size_t i = 0; i < db->forgotten.n; i++) {
        gm_buf_addf(&sql, "DEALLOCATE gm%llu;", (unsigned long long)db->forgotten.at[i]);
    }
    db->forgotten.n = 0;
    gm_rc rc = command(db, sql.p, db->base.deadline, NULL, err);
    gm_buf_deinit(&sql);
    return rc;
}

/* True when the statement begins with a word that only reads; comments and parentheses before it do
 * not count. */
static bool only_reads(const char *sql_z)
{
    const char *p = sql_z;
    for (;;) {
        p += strspn(p, " \t\r\n(");
        if (p[0] == '-' && p[1] == '-') {
            p += strcspn(p, "\n");
        } else if (p[0] == '/' && p[1] == '*') {
            const char *end = strstr(p, "*/");
            p = end != NULL ? end + 2 : p + strlen(p);
        } else {
            break;
        }
    }
    return strncasecmp(p, "select", 6) == 0 || strncasecmp(p, "values", 6) == 0;
}

static gm_rc describe(struct pg_db *db, struct pg_stmt *stmt, struct gm_err *err)
{
    if (PQsendDescribePrepared(db->conn, stmt->name) == 0) {
        return lost(db, err);
    }
    gm_rc rc = flush(db, db->base.deadline, err);
    if (rc == GM_OK) {
        rc = next_result(db, db->base.deadline, &stmt->description, err);
    }
    if (rc != GM_OK) {
        return abandon(db, rc);
    }
    rc = finish_command(db, db->base.deadline, NULL, 0, err);
    if (rc == GM_OK && PQresultStatus(stmt->description) != PGRES_COMMAND_OK) {
        rc = result_failed(db, stmt->description, err);
    }
    return rc;
}

static void lay_out(struct pg_stmt *stmt)
{
    gm_pg_params_init(&stmt->params, PQnparams(stmt->description));
    for (int i = 0; i < stmt->params.count; i++) {
        stmt->params.types[i] = PQparamtype(stmt->description, i);
    }
    stmt->columns = PQnfields(stmt->description);
    stmt->column = gm_alloc_array((size_t)stmt->columns, sizeof(*stmt->column));
    for (int i = 0; i < stmt->columns; i++) {
        stmt->column[i].type = PQftype(stmt->description, i);
        stmt->column[i].kind = gm_pg_column_type(stmt->column[i].type);
        stmt->column[i].blob_row = -1;
    }
}

static void free_stmt(struct pg_stmt *stmt)
{
    gm_pg_params_deinit(&stmt->params);
    gm_free(stmt->column);
    gm_vec_deinit(&stmt->absorbed);
    PQclear(stmt->description);
    gm_free(stmt);
}

static gm_rc pg_prepare(struct gm_db *base, const char *sql_z, struct gm_stmt **out_stmt,
                        struct gm_err *err)
{
    struct pg_db *db = db_of(base);
    GM_TRY(settle(db, err));
    GM_TRY(forget_finalized(db, err));
    struct pg_stmt *stmt = gm_alloc(sizeof(*stmt));
    stmt->number = ++db->prepared;
    stmt->reads = only_reads(sql_z);
    (void)snprintf(stmt->name, sizeof(stmt->name), "gm%llu", (unsigned long long)stmt->number);
    gm_rc rc = GM_OK;
    if (PQsendPrepare(db->conn, stmt->name, sql_z, 0, NULL) == 0) {
        rc = lost(db, err);
    }
    if (rc == GM_OK) {
        rc = flush(db, base->deadline, err);
        rc = rc == GM_OK ? finish_command(db, base->deadline, NULL, 0, err) : abandon(db, rc);
    }
    if (rc == GM_OK) {
        rc = describe(db, stmt, err);
    }
    if (rc != GM_OK) {
        free_stmt(stmt);
        return rc;
    }
    lay_out(stmt);
    *out_stmt = &stmt->base;
    return GM_OK;
}

static void pg_reset(struct gm_stmt *base)
{
    struct pg_stmt *stmt = stmt_of(base);
    struct pg_db *db = db_of_stmt(stmt);
    if (db->streaming == stmt) {
        db->streaming = NULL;
        db->orphaned = true;
        db->orphan_reads = stmt->reads;
    }
    for (; stmt->absorbed_next < stmt->absorbed.n; stmt->absorbed_next++) {
        PQclear(stmt->absorbed.at[stmt->absorbed_next]);
    }
    stmt->absorbed.n = stmt->absorbed_next = 0;
    PQclear(stmt->current);
    stmt->current = NULL;
    stmt->active = stmt->cut = false;
    stmt->params.bad_index = 0;
}

static void pg_finalize(struct gm_stmt *base)
{
    struct pg_stmt *stmt = stmt_of(base);
    pg_reset(base);
    *gm_vec_push(&db_of_stmt(stmt)->forgotten) = stmt->number;
    free_stmt(stmt);
}

/* ---- binding ---- */

static struct gm_pg_params *params_of(struct gm_stmt *base)
{
    struct pg_stmt *stmt = stmt_of(base);
    GM_ASSERT(!stmt->active); /* bound between steps without a reset */
    return &stmt->params;
}

static void pg_bind_null(struct gm_stmt *base, int index)
{
    gm_pg_set_null(params_of(base), index);
}

static void pg_bind_i64(struct gm_stmt *base, int index, int64_t v)
{
    gm_pg_set_i64(params_of(base), index, v);
}

static void pg_bind_double(struct gm_stmt *base, int index, double v)
{
    gm_pg_set_double(params_of(base), index, v);
}

static void pg_bind_text(struct gm_stmt *base, int index, struct gm_str v)
{
    gm_pg_set_text(params_of(base), index, v);
}

static void pg_bind_blob(struct gm_stmt *base, int index, struct gm_str v)
{
    gm_pg_set_blob(params_of(base), index, v);
}

static gm_rc bind_failed(struct pg_stmt *stmt, struct gm_err *err)
{
    int index = stmt->params.bad_index;
    const char *label_z = stmt->base.db->label_z;
    stmt->params.bad_index = 0;
    if (stmt->params.bad_reason_z == NULL) {
        return gm_fail(err, GM_E_CONFIG, "%s: the statement has no parameter $%d", label_z, index);
    }
    return gm_fail(err, GM_E_INVALID, "%s: parameter $%d: %s", label_z, index,
                   stmt->params.bad_reason_z);
}

/* ---- running ---- */

static gm_rc start(struct pg_db *db, struct pg_stmt *stmt, struct gm_err *err)
{
    if (stmt->params.bad_index != 0) {
        return bind_failed(stmt, err);
    }
    GM_TRY(settle(db, err));
    const struct gm_pg_params *params = &stmt->params;
    if (PQsendQueryPrepared(db->conn, stmt->name, params->count, params->values, params->lengths,
                            params->formats, 0) == 0) {
        return lost(db, err);
    }
    (void)PQsetSingleRowMode(db->conn);
    gm_rc rc = flush(db, db->base.deadline, err);
    if (rc != GM_OK) {
        return abandon(db, rc);
    }
    stmt->active = true;
    stmt->changes = 0;
    db->streaming = stmt;
    return GM_OK;
}

/* The statement's next result, from memory or from the server; NULL at the end. */
static gm_rc take_result(struct pg_db *db, struct pg_stmt *stmt, PGresult **out_result,
                         struct gm_err *err)
{
    *out_result = NULL;
    if (stmt->absorbed_next < stmt->absorbed.n) {
        *out_result = stmt->absorbed.at[stmt->absorbed_next++];
        return GM_OK;
    }
    if (db->streaming != stmt) {
        return GM_OK;
    }
    gm_rc rc = next_result(db, db->base.deadline, out_result, err);
    if (rc != GM_OK) {
        return abandon(db, rc);
    }
    if (*out_result == NULL) {
        db->streaming = NULL;
    }
    return GM_OK;
}

static int64_t changes_of(PGresult *result)
{
    const char *tag = PQcmdStatus(result);
    int64_t n = 0;
    bool writes = strncmp(tag, "INSERT", 6) == 0 || strncmp(tag, "UPDATE", 6) == 0 ||
                  strncmp(tag, "DELETE", 6) == 0 || strncmp(tag, "MERGE", 5) == 0;
    return writes && gm_parse_i64(gm_str_z(PQcmdTuples(result)), &n) ? n : 0;
}

/* GM_OK: stmt->current is a row. GM_E_END: the command is complete, and its failure, if any, was
 * returned before. */
static gm_rc advance(struct pg_db *db, struct pg_stmt *stmt, struct gm_err *err)
{
    gm_rc outcome = GM_E_END;
    for (;;) {
        PGresult *result = NULL;
        GM_TRY(take_result(db, stmt, &result, err));
        if (result == NULL) {
            return outcome;
        }
        switch (PQresultStatus(result)) {
        case PGRES_SINGLE_TUPLE:
            stmt->current = result;
            stmt->row++;
            return GM_OK;
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
            stmt->changes = changes_of(result);
            break;
        case PGRES_EMPTY_QUERY:
            outcome = gm_fail(err, GM_E_CONFIG,
                              "%s: the statement is empty; write exactly one SQL statement",
                              db->base.label_z);
            break;
        case PGRES_COPY_IN:
        case PGRES_COPY_OUT:
        case PGRES_COPY_BOTH:
            db->lost = true; /* nothing else can be said on this connection any more */
            db->streaming = NULL;
            outcome = gm_fail(err, GM_E_CONFIG, "%s: COPY is not possible here; write a query",
                              db->base.label_z);
            break;
        default:
            outcome = result_failed(db, result, err);
        }
        PQclear(result);
    }
}

static gm_rc pg_step(struct gm_stmt *base, struct gm_err *err)
{
    struct pg_stmt *stmt = stmt_of(base);
    struct pg_db *db = db_of_stmt(stmt);
    gm_rc rc = GM_OK;
    if (stmt->cut) {
        rc = gm_fail(err, GM_E_RETRY, "%s: a rollback took the rows that were still to be read",
                     db->base.label_z);
    } else if (!stmt->active) {
        rc = start(db, stmt, err);
    } else {
        PQclear(stmt->current);
        stmt->current = NULL;
    }
    if (rc == GM_OK) {
        rc = advance(db, stmt, err);
    }
    if (rc != GM_OK) {
        pg_reset(base);
    }
    return rc;
}

static gm_rc pg_run(struct gm_stmt *base, int64_t *out_changes, struct gm_err *err)
{
    gm_rc rc;
    do {
        rc = pg_step(base, err);
    } while (rc == GM_OK);
    if (rc != GM_E_END) {
        return rc;
    }
    if (out_changes != NULL) {
        *out_changes = stmt_of(base)->changes;
    }
    return GM_OK;
}

/* ---- columns ---- */

static int pg_column_count(const struct gm_stmt *base)
{
    return ((const struct pg_stmt *)base)->columns;
}

static struct gm_str pg_column_name(const struct gm_stmt *base, int index)
{
    return gm_str_z(PQfname(((const struct pg_stmt *)base)->description, index));
}

static inline struct gm_str raw(const struct pg_stmt *stmt, int index)
{
    if (PQgetisnull(stmt->current, 0, index) != 0) {
        return (struct gm_str){NULL, 0};
    }
    return (struct gm_str){PQgetvalue(stmt->current, 0, index),
                           (size_t)PQgetlength(stmt->current, 0, index)};
}

static enum gm_column_type pg_column_type(const struct gm_stmt *base, int index)
{
    const struct pg_stmt *stmt = (const struct pg_stmt *)base;
    return PQgetisnull(stmt->current, 0, index) != 0 ? GM_COLUMN_NULL : stmt->column[index].kind;
}

static int64_t pg_column_i64(const struct gm_stmt *base, int index)
{
    return gm_pg_i64(raw((const struct pg_stmt *)base, index));
}

static double pg_column_double(const struct gm_stmt *base, int index)
{
    return gm_pg_double(raw((const struct pg_stmt *)base, index));
}

/* The bytes of a bytea; its text form is twice as long, so they are decoded where it stands. */
static struct gm_str decoded(const struct pg_stmt *stmt, int index)
{
    struct column *column = &stmt->column[index];
    char *p = PQgetvalue(stmt->current, 0, index);
    if (column->blob_row != stmt->row) {
        column->blob_n = gm_pg_unhex(p, (size_t)PQgetlength(stmt->current, 0, index));
        column->blob_row = stmt->row;
    }
    return (struct gm_str){p, column->blob_n};
}

static struct gm_str pg_column_text(const struct gm_stmt *base, int index)
{
    const struct pg_stmt *stmt = (const struct pg_stmt *)base;
    struct gm_str text = raw(stmt, index);
    if (text.p == NULL) {
        return text;
    }
    switch (stmt->column[index].kind) {
    case GM_COLUMN_BLOB:
        return decoded(stmt, index);
    case GM_COLUMN_BOOL:
        return gm_str_is(text, "t") ? GM_STR("true") : GM_STR("false");
    default:
        return text;
    }
}

/* ---- opening ---- */

/* A password with characters that mean something in a url is cut at them, and its rest would turn
 * up in messages as the name of a host or database. So such urls are refused before anything is
 * said about their parts. */
static bool has_stray_password(const PQconninfoOption *options)
{
    for (; options->keyword != NULL; options++) {
        bool part = strcmp(options->keyword, "host") == 0 ||
                    strcmp(options->keyword, "dbname") == 0 ||
                    strcmp(options->keyword, "port") == 0;
        if (part && options->val != NULL && strchr(options->val, '@') != NULL) {
            return true;
        }
    }
    return false;
}

static gm_rc check_url(const char *url_z, struct gm_err *err)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(url_z, &message);
    PQfreemem(message); /* it may quote the url, and with it the password */
    bool sound = options != NULL && !has_stray_password(options);
    PQconninfoFree(options);
    if (sound) {
        return GM_OK;
    }
    return gm_fail(
        err, GM_E_CONFIG,
        "database url: cannot be parsed; write postgresql://user:password@host:port/database, "
        "with special characters in the password as %%XX (`@` is %%40, `/` is %%2F)");
}

static char *label_of(PGconn *conn)
{
    const char *user = PQuser(conn);
    const char *host = PQhost(conn);
    const char *port = PQport(conn);
    return gm_format_z("postgresql://%s@%s:%s/%s", user != NULL ? user : "",
                       host != NULL ? host : "", port != NULL ? port : "",
                       PQdb(conn) != NULL ? PQdb(conn) : "");
}

static void ignore_notice(void *ctx, const PGresult *result)
{
    (void)ctx;
    (void)result;
}

static gm_rc connect_failed(struct pg_db *db, struct gm_err *err)
{
    const char *message = PQerrorMessage(db->conn);
    const char *state = gm_pg_find_state(message);
    gm_rc rc = state != NULL ? gm_pg_classify(state) : GM_E_RETRY;
    bool login =
        PQconnectionNeedsPassword(db->conn) != 0 || PQconnectionUsedPassword(db->conn) != 0;
    if (state == NULL && login) {
        rc = GM_E_CONFIG; /* it asked for a password and there was none */
    }
    struct gm_str line = gm_pg_first_line(message);
    return gm_fail(err, rc, "%s: cannot connect: " GM_STR_FMT "%s", db->base.label_z,
                   GM_STR_ARG(line),
                   rc == GM_E_CONFIG ? "; check user, password and database"
                                     : "; is it running, and reachable from here?");
}

static gm_rc connect_steps(struct pg_db *db, const struct gm_db_options *options,
                           struct gm_err *err)
{
    gm_ns span = options->connect_timeout != 0 ? options->connect_timeout : CONNECT_TIMEOUT_DEFAULT;
    struct gm_deadline deadline = gm_deadline_in(span, NULL);
    /* With the state in the message: libpq gives it in no other way before there is a session. */
    (void)PQsetErrorVerbosity(db->conn, PQERRORS_VERBOSE);
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (PQstatus(db->conn) != CONNECTION_BAD && next != PGRES_POLLING_OK) {
        if (next == PGRES_POLLING_FAILED) {
            break;
        }
        int want = next == PGRES_POLLING_READING ? GM_POLL_READ : GM_POLL_WRITE;
        if (gm_poll(PQsocket(db->conn), want, &deadline) != GM_OK) {
            return gm_fail(err, GM_E_RETRY,
                           "%s: no answer; is it running, and reachable from here?",
                           db->base.label_z);
        }
        next = PQconnectPoll(db->conn);
    }
    if (next != PGRES_POLLING_OK) {
        return connect_failed(db, err);
    }
    (void)PQsetErrorVerbosity(db->conn, PQERRORS_DEFAULT);
    (void)PQsetnonblocking(db->conn, 1);
    return GM_OK;
}

/* Texts of values must not depend on the server's settings, and a commit must be durable whatever
 * the database's default. */
static gm_rc set_up_session(struct pg_db *db, const struct gm_db_options *options,
                            struct gm_err *err)
{
    gm_ns wait = options->busy_timeout != 0 ? options->busy_timeout : BUSY_TIMEOUT_DEFAULT;
    GM_AUTO_FREE char *sql_z = gm_format_z(
        "SET datestyle = 'ISO, YMD'; SET intervalstyle = iso_8601; SET timezone = 'UTC';"
        "SET extra_float_digits = 1; SET bytea_output = hex; SET standard_conforming_strings = on;"
        "SET lc_monetary = 'C'; SET lock_timeout = %lld; SET default_transaction_read_only = %s;"
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'",
        (long long)(wait / GM_MS), options->mode == GM_DB_READ || options->source ? "on" : "off");
    return command(db, sql_z, NULL, NULL, err);
}

static void pg_close(struct gm_db *base)
{
    struct pg_db *db = db_of(base);
    if (db->orphaned && !db->lost) {
        cancel(db); /* else the server would go on computing rows for nobody */
    }
    PQfinish(db->conn);
    gm_vec_deinit(&db->forgotten);
    gm_free(db);
}

static gm_rc pg_open(const struct gm_db_options *options, const char *location_z,
                     struct gm_db **out_db, struct gm_err *err)
{
    GM_TRY(check_url(location_z, err));
    /* What stands before the url are defaults for it, what stands behind overrides it. The user
     * timeout bounds how long a connection that went dead stays unnoticed, and how long a cancel
     * request may take to connect. */
    const char *const keys[] = {"tcp_user_timeout", "fallback_application_name", "password",
                                "dbname",           "client_encoding",           NULL};
    const char *const values[] = {"10000", "gemel", options->password_z, location_z, "UTF8", NULL};
    struct pg_db *db = gm_alloc(sizeof(*db));
    db->conn = PQconnectStartParams(keys, values, 1);
    GM_ASSERT(db->conn != NULL); /* out of memory */
    (void)PQsetNoticeReceiver(db->conn, ignore_notice, NULL);
    db->base.label_z = label_of(db->conn);
    gm_rc rc = connect_steps(db, options, err);
    if (rc == GM_OK) {
        rc = set_up_session(db, options, err);
    }
    if (rc != GM_OK) {
        gm_free(db->base.label_z);
        pg_close(&db->base);
        return rc;
    }
    *out_db = &db->base;
    return GM_OK;
}

const struct gm_engine gm_engine_postgresql = {
    .engine = GM_DB_POSTGRESQL,
    .open = pg_open,
    .close = pg_close,
    .exec = pg_exec,
    .begin = pg_begin,
    .begin_snapshot = pg_begin_snapshot,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .in_transaction = pg_in_transaction,
    .prepare = pg_prepare,
    .finalize = pg_finalize,
    .bind_null = pg_bind_null,
    .bind_i64 = pg_bind_i64,
    .bind_double = pg_bind_double,
    .bind_text = pg_bind_text,
    .bind_blob = pg_bind_blob,
    .step = pg_step,
    .run = pg_run,
    .reset = pg_reset,
    .column_count = pg_column_count,
    .column_name = pg_column_name,
    .column_type = pg_column_type,
    .column_i64 = pg_column_i64,
    .column_double = pg_column_double,
    .column_text = pg_column_text,
    .column_blob = pg_column_text,
};
