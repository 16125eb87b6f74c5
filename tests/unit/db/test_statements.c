/* Every statement that runs on the store, prepared on the store's newest schema, on both engines:
 * the SQL they share stays the SQL they share. */
#include "connect_sql.h"
#include "db_sql.h"
#include "route_sql.h"
#include "sync_sql.h"
#include "twin_sql.h"
#include "unit/db/world.h"

static const struct {
    const char *part_z;
    const struct gm_statement *statements;
} parts[] = {
    {"db", gm_db_statements},           {"twin", gm_twin_statements},
    {"connect", gm_connect_statements}, {"sync", gm_sync_statements},
    {"route", gm_route_statements},
};

static int count_faulty(struct world *world, const char *part_z,
                        const struct gm_statement *statements)
{
    int faulty = 0;
    for (const struct gm_statement *s = statements; s->name_z != NULL; s++) {
        if ((s->engines & (1u << gm_db_engine(world->db))) == 0) {
            continue;
        }
        struct gm_stmt *stmt = NULL;
        if (gm_db_prepare(world->db, s->sql_z, &stmt, &world->err) != GM_OK) {
            print_error("%s/%s: %s\n", part_z, s->name_z, world->err.text);
            faulty++;
        }
        gm_stmt_finalize(stmt);
    }
    return faulty;
}

static void every_statement_can_be_prepared(void **state)
{
    struct world *world = *state;
    check_ok(gm_db_migrate(world->db, &world->err), world->err);
    int faulty = 0;
    for (size_t i = 0; i < GM_ARRAY_COUNT(parts); i++) {
        faulty += count_faulty(world, parts[i].part_z, parts[i].statements);
    }
    assert_int_equal(faulty, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {WORLD_TEST(every_statement_can_be_prepared)};
    WORLD_RUN_ON_BOTH(tests);
}
