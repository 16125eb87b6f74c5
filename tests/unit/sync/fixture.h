/* A store with one pipeline on either engine, and short words for what happens to its objects. */
#ifndef GM_TESTS_UNIT_SYNC_FIXTURE_H
#define GM_TESTS_UNIT_SYNC_FIXTURE_H

#include "base/mem.h"
#include "sync/state.h"
#include "unit/db/world.h"

enum { PIPELINE = 3, RUN = 41 };
#define NOW ((gm_ns)1000 * GM_SECOND)
/* A number as the graph makes them: the type's number in the upper half. */
#define TARGET(type, count) ((int64_t)(type)*4294967296 + (count))

struct fixture {
    struct world *world;
    struct gm_db *db;
    struct gm_err err;
    struct gm_state_reader *reader;
    struct gm_state_writer *writer;
    struct gm_batch *batch;
    int64_t last_slot, live_count;
    struct gm_state_cause cause;
    struct gm_arena *arena; /* of rows that were got */
};

static inline int fixture_setup(void **state)
{
    (void)world_setup(state);
    struct fixture *f = gm_alloc(sizeof(*f));
    f->world = *state;
    f->db = f->world->db;
    check_ok(gm_db_migrate(f->db, &f->err), f->err);
    check_ok(gm_state_reader_open(f->db, &f->reader, &f->err), f->err);
    check_ok(gm_state_writer_open(f->db, &f->writer, &f->err), f->err);
    f->batch = gm_batch_new();
    f->arena = gm_arena_new(16 << 20);
    f->cause = (struct gm_state_cause){PIPELINE, RUN, NOW, &f->last_slot, &f->live_count};
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    gm_arena_free(f->arena);
    gm_batch_free(f->batch);
    gm_state_reader_close(f->reader);
    gm_state_writer_close(f->writer);
    *state = f->world;
    gm_free(f);
    return world_teardown(state);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static inline struct gm_hash128 hash_of(const char *content_z)
{
    return gm_hash128(gm_str_z(content_z), 0);
}

/* A record at the end of the batch; `key` must live as long. */
static inline struct gm_record *add(struct fixture *f, struct gm_str key, const char *content_z)
{
    struct gm_record *record = gm_batch_add(f->batch);
    assert_non_null(record);
    record->key = key;
    record->hash = hash_of(content_z);
    return record;
}

static inline void compare(struct fixture *f)
{
    check_ok(gm_state_compare(f->reader, PIPELINE, f->batch, &f->err), f->err);
}

static inline void write_state(struct fixture *f, struct gm_record *record)
{
    check_ok(gm_state_write(f->writer, &f->cause, record, &f->err), f->err);
}

/* A batch of one record, compared. */
static inline struct gm_record *show(struct fixture *f, const char *key_z, const char *content_z)
{
    gm_batch_reset(f->batch);
    struct gm_record *record = add(f, gm_str_z(key_z), content_z);
    compare(f);
    return record;
}

/* Shows an object whose content takes effect on `target`. */
static inline struct gm_record *deliver(struct fixture *f, const char *key_z, const char *content_z,
                                        int64_t target)
{
    struct gm_record *record = show(f, key_z, content_z);
    assert_int_equal(record->rc, GM_OK);
    assert_int_equal(record->verdict, GM_VERDICT_NONE);
    record->verdict = record->known ? GM_VERDICT_UPDATED : GM_VERDICT_CREATED;
    record->target = target;
    write_state(f, record);
    return record;
}

/* Shows an object whose content cannot be applied. */
static inline struct gm_record *fail_to_deliver(struct fixture *f, const char *key_z,
                                                const char *content_z)
{
    struct gm_record *record = show(f, key_z, content_z);
    assert_int_equal(record->verdict, GM_VERDICT_NONE);
    gm_record_fail(f->batch, record, GM_E_INVALID, "no good: %s", content_z);
    record->verdict = GM_VERDICT_PARKED;
    write_state(f, record);
    return record;
}

/* ---- looking ---- */

struct got_row {
    struct gm_arena *arena;
    struct gm_state_row row;
};

static inline gm_rc take_row(void *ctx, const struct gm_state_row *row, struct gm_err *err)
{
    (void)err;
    struct got_row *got = ctx;
    got->row = *row;
    got->row.key = gm_arena_dup(got->arena, row->key);
    if (row->target_id.p != NULL) {
        got->row.target_id = gm_arena_dup(got->arena, row->target_id);
    }
    if (row->last_error.p != NULL) {
        got->row.last_error = gm_arena_dup(got->arena, row->last_error);
    }
    return GM_OK;
}

static inline struct gm_state_row row_of(struct fixture *f, const char *key_z)
{
    struct got_row got = {.arena = f->arena};
    struct gm_state_key key = {PIPELINE, gm_str_z(key_z)};
    check_ok(gm_state_get(f->db, &key, take_row, &got, &f->err), f->err);
    return got.row;
}

static inline void check_hash(struct gm_hash128 hash, const char *content_z)
{
    assert_true(gm_hash128_eq(hash, hash_of(content_z)));
}

/* Fakes what a run left of an object, for states that take several runs to reach. */
static inline void set_row(struct fixture *f, const char *key_z, const char *assignment_z)
{
    GM_AUTO_FREE char *sql_z =
        gm_format_z("UPDATE sync_state SET %s WHERE key = '%s'", assignment_z, key_z);
    check_ok(gm_db_exec(f->db, sql_z, &f->err), f->err);
}

#endif
