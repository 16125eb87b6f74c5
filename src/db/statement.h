/* A statement that was compiled in from a .sql file, and the engines it is for. */
#ifndef GM_DB_STATEMENT_H
#define GM_DB_STATEMENT_H

#include "db/db.h"

enum { GM_STATEMENT_BOTH = (1u << GM_DB_SQLITE) | (1u << GM_DB_POSTGRESQL) };

struct gm_statement {
    const char *name_z; /* the file's stem */
    const char *sql_z;
    unsigned engines; /* bits 1 << enum gm_db_engine */
};

#endif
