/* A fresh database per test, on either engine: the same test body runs on both. */
#ifndef GM_TESTS_DB_WORLD_H
#define GM_TESTS_DB_WORLD_H

#include "db/db.h"
#include "support/check.h"
#include "support/pg.h"
#include "support/tmp.h"

struct world {
    struct tmp *tmp;
    const char *url_z;
    struct gm_db *db; /* in write mode */
    struct gm_err err;
};

static struct pg_server *world_server; /* NULL: the tests run on SQLite */

static inline struct gm_db *world_open(struct world *world, enum gm_db_mode mode)
{
    struct gm_db *db = NULL;
    struct gm_db_options options = {.url_z = world->url_z, .mode = mode};
    check_ok(gm_db_open(&options, &db, &world->err), world->err);
    return db;
}

static inline void world_exec(struct world *world, struct gm_db *db, const char *sql_z)
{
    check_ok(gm_db_exec(db, sql_z, &world->err), world->err);
}

static inline struct gm_stmt *world_prepare(struct world *world, struct gm_db *db,
                                            const char *sql_z)
{
    struct gm_stmt *stmt = NULL;
    check_ok(gm_db_prepare(db, sql_z, &stmt, &world->err), world->err);
    return stmt;
}

/* The first column of the only row. */
static inline int64_t world_number(struct world *world, struct gm_db *db, const char *sql_z)
{
    struct gm_stmt *stmt = world_prepare(world, db, sql_z);
    check_ok(gm_step(stmt, &world->err), world->err);
    int64_t v = gm_column_i64(stmt, 0);
    check_rc(gm_step(stmt, &world->err), GM_E_END, world->err);
    gm_stmt_finalize(stmt);
    return v;
}

static inline int world_setup(void **state)
{
    static struct world world;
    world = (struct world){.tmp = tmp_new()};
    world.url_z = world_server != NULL ? pg_server_new_database(world_server)
                                       : tmp_url(world.tmp, "sqlite:", "store.db");
    world.db = world_open(&world, GM_DB_WRITE);
    *state = &world;
    return 0;
}

static inline int world_teardown(void **state)
{
    struct world *world = *state;
    gm_db_close(world->db);
    tmp_free(world->tmp);
    return 0;
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

/* For main: the tests on SQLite, then on PostgreSQL when it is there. */
#define WORLD_RUN_ON_BOTH(tests)                                                                   \
    int failures = cmocka_run_group_tests_name("SQLite", tests, NULL, NULL);                       \
    world_server = pg_server_start();                                                              \
    if (world_server == NULL) {                                                                    \
        return failures != 0 ? failures : PG_SKIPPED;                                              \
    }                                                                                              \
    failures += cmocka_run_group_tests_name("PostgreSQL", tests, NULL, NULL);                      \
    pg_server_stop(world_server);                                                                  \
    return failures

#endif
