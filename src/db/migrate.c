/* Bringing the schema up, one step a transaction. Two processes may start at the same moment: the
 * version is read, and the step taken, under the lock that the transaction holds (SQLite: the write
 * lock; PostgreSQL: an advisory lock). */
#include "db/migrate.h"

#include "db/engine.h"
#include "db_sql.h"

static int newest_of(const struct gm_migration *list)
{
    int newest = 0;
    for (; list->version != 0; list++) {
        newest = list->version;
    }
    return newest;
}

static gm_rc run_once(struct gm_db *db, const char *sql_z, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare(db, sql_z, &stmt, err));
    gm_rc rc = gm_stmt_run(stmt, NULL, err);
    gm_stmt_finalize(stmt);
    return rc;
}

static gm_rc read_version(struct gm_db *db, int *out_version, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare(db, GM_SQL_SCHEMA_VERSION_GET, &stmt, err));
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_OK) {
        *out_version = (int)gm_column_i64(stmt, 0);
    }
    gm_stmt_finalize(stmt);
    return rc;
}

static gm_rc write_version(struct gm_db *db, const struct gm_migration *step, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare(db, GM_SQL_SCHEMA_VERSION_PUT, &stmt, err));
    gm_bind_i64(stmt, 1, step->version);
    gm_bind_text(stmt, 2, gm_str_z(step->name_z));
    gm_bind_i64(stmt, 3, gm_clock_wall_now());
    gm_rc rc = gm_stmt_run(stmt, NULL, err);
    gm_stmt_finalize(stmt);
    return rc;
}

/* Within the transaction: takes the step after the present version, or says that there is nothing
 * left. */
static gm_rc take_step(struct gm_db *db, const struct gm_migration *list, int target,
                       bool *out_done, struct gm_err *err)
{
    if (gm_db_engine(db) == GM_DB_POSTGRESQL) {
        GM_TRY(run_once(db, GM_SQL_SCHEMA_LOCK_POSTGRESQL, err));
    }
    GM_TRY(run_once(db, GM_SQL_SCHEMA_VERSION_CREATE, err));
    int version = 0;
    GM_TRY(read_version(db, &version, err));
    int newest = newest_of(list);
    if (version > newest) {
        return gm_fail(
            err, GM_E_CONFIG,
            "%s: written by a newer Gemel (schema %d, this one knows %d); use that version",
            db->label_z, version, newest);
    }
    *out_done = version >= target;
    if (*out_done) {
        return GM_OK;
    }
    const struct gm_migration *step = &list[version];
    GM_ASSERT(step->version == version + 1);
    gm_rc rc = gm_db_exec(db, step->sql_z[gm_db_engine(db)], err);
    if (rc != GM_OK) {
        return gm_fail_within(err, "schema step %d (%s)", step->version, step->name_z);
    }
    return write_version(db, step, err);
}

gm_rc gm_migrate_list(struct gm_db *db, const struct gm_migration *list, int version,
                      struct gm_err *err)
{
    GM_ASSERT(version <= newest_of(list));
    for (bool done = false; !done;) {
        GM_TRY(gm_db_begin(db, err));
        gm_rc rc = take_step(db, list, version, &done, err);
        if (rc != GM_OK) {
            gm_db_rollback(db);
            return rc;
        }
        GM_TRY(gm_db_commit(db, err));
    }
    return GM_OK;
}

gm_rc gm_db_migrate(struct gm_db *db, struct gm_err *err)
{
    return gm_migrate_list(db, gm_migrations, gm_db_schema_newest(), err);
}

int gm_db_schema_newest(void)
{
    return newest_of(gm_migrations);
}

gm_rc gm_db_migrate_to(struct gm_db *db, int version, struct gm_err *err)
{
    return gm_migrate_list(db, gm_migrations, version, err);
}
