/* The steps that bring a store's schema to its newest form. Internal to this folder.
 *
 * A step is a pair of files in src/db/migrations (one per engine) and runs in one transaction
 * together with the row in the table schema_version that says it ran. Steps are only ever added:
 * stores of every older version are in the field. */
#ifndef GM_DB_MIGRATE_H
#define GM_DB_MIGRATE_H

#include "db/db.h"

struct gm_migration {
    int version; /* 1, 2, …; 0 ends a list */
    const char *name_z;
    const char *sql_z[GM_DB_POSTGRESQL + 1]; /* by enum gm_db_engine */
};

extern const struct gm_migration gm_migrations[];

/* Runs what is missing of `list` up to `version`. GM_E_CONFIG when the database is newer than the
 * whole list. */
gm_rc gm_migrate_list(struct gm_db *db, const struct gm_migration *list, int version,
                      struct gm_err *err) GM_MUST_CHECK;

#endif
