/* What comparing a batch with the sync state says, and that it says it for any keys in any
 * order. */
#include <stdlib.h>

#include "base/map.h"
#include "base/num.h"
#include "base/rng.h"
#include "unit/sync/fixture.h"

/* ---- verdicts ---- */

static void an_object_without_a_row_is_not_known(void **state)
{
    struct gm_record *record = show(*state, "a", "1");
    assert_false(record->known);
    assert_int_equal(record->verdict, GM_VERDICT_NONE);
    assert_int_equal(record->slot, 0);
    assert_int_equal(record->target, 0);
    assert_null(record->target_id.p);
}

static void an_object_with_the_same_hash_is_unchanged(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", TARGET(2, 7));
    struct gm_record *record = show(f, "a", "1");
    assert_true(record->known);
    assert_int_equal(record->verdict, GM_VERDICT_UNCHANGED);
    assert_int_equal(record->slot, 1);
    assert_int_equal(record->target, TARGET(2, 7));
    assert_false(record->revive);
}

static void an_object_with_another_hash_is_to_be_applied_where_it_was(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", TARGET(2, 7));
    struct gm_record *record = show(f, "a", "2");
    assert_true(record->known);
    assert_int_equal(record->verdict, GM_VERDICT_NONE);
    assert_int_equal(record->slot, 1);
    assert_int_equal(record->target, TARGET(2, 7));
    check_hash(record->known_hash, "1");
}

static void a_target_id_comes_back_and_lives_as_long_as_the_batch(void **state)
{
    struct fixture *f = *state;
    struct gm_record *record = show(f, "a", "1");
    record->target_id = GM_STR("twin/likes-other");
    record->verdict = GM_VERDICT_CREATED;
    write_state(f, record);
    record = show(f, "a", "1");
    check_str(record->target_id, "twin/likes-other");
    assert_int_equal(record->target, 0);
}

static void a_record_that_is_wrong_already_is_left_alone(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    gm_batch_reset(f->batch);
    struct gm_record *wrong = add(f, GM_STR("a"), "1");
    gm_record_fail(f->batch, wrong, GM_E_INVALID, "half a line");
    struct gm_record *good = add(f, GM_STR("a"), "1");
    compare(f);
    assert_false(wrong->known);
    assert_int_equal(wrong->verdict, GM_VERDICT_NONE);
    assert_int_equal(wrong->slot, 0);
    assert_int_equal(good->verdict, GM_VERDICT_UNCHANGED);
    assert_int_equal(good->slot, 1);
}

static void a_deleted_object_that_is_back_counts_as_new(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    set_row(f, "a", "state = 5");
    struct gm_record *record = show(f, "a", "1");
    assert_false(record->known);
    assert_int_equal(record->verdict, GM_VERDICT_NONE);
    assert_int_equal(record->slot, 0);
    assert_int_equal(record->target, 0);
}

static struct gm_record *show_version(struct fixture *f, const char *content_z, int64_t version)
{
    gm_batch_reset(f->batch);
    struct gm_record *record = add(f, GM_STR("a"), content_z);
    record->version = version;
    compare(f);
    return record;
}

static void an_older_version_is_stale_and_equal_or_unknown_ones_are_not(void **state)
{
    struct fixture *f = *state;
    struct gm_record *record = show_version(f, "1", 20);
    record->verdict = GM_VERDICT_CREATED;
    write_state(f, record);
    record = show_version(f, "2", 19);
    assert_int_equal(record->verdict, GM_VERDICT_STALE);
    assert_int_equal(record->slot, 1); /* it was seen all the same */
    assert_int_equal(show_version(f, "2", 20)->verdict, GM_VERDICT_NONE);
    assert_int_equal(show_version(f, "2", 21)->verdict, GM_VERDICT_NONE);
    assert_int_equal(show_version(f, "2", 0)->verdict, GM_VERDICT_NONE);
    assert_int_equal(show_version(f, "1", 19)->verdict, GM_VERDICT_UNCHANGED);
}

static void a_dead_object_that_shows_what_is_applied_is_revived(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    fail_to_deliver(f, "a", "bad");
    struct gm_record *record = show(f, "a", "bad");
    assert_int_equal(record->verdict, GM_VERDICT_NONE); /* tried again */
    assert_int_equal(record->target, 9);
    record = show(f, "a", "1");
    assert_int_equal(record->verdict, GM_VERDICT_UNCHANGED);
    assert_true(record->revive);
}

static void a_missing_object_that_is_back_is_revived(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    set_row(f, "a", "missed_in = 40, version = 5");
    struct gm_record *record = show(f, "a", "1");
    assert_int_equal(record->verdict, GM_VERDICT_UNCHANGED);
    assert_true(record->revive);
    record = show_version(f, "0", 4);
    assert_int_equal(record->verdict, GM_VERDICT_STALE);
    assert_true(record->revive);
    assert_false(show(f, "a", "2")->revive); /* its write clears the misses anyway */
}

static void objects_of_other_pipelines_are_not_looked_at(void **state)
{
    struct fixture *f = *state;
    int64_t other_slot = 0, other_live = 0;
    struct gm_state_cause other = {PIPELINE + 1, RUN, NOW, &other_slot, &other_live};
    struct gm_record *record = show(f, "a", "1");
    record->verdict = GM_VERDICT_CREATED;
    check_ok(gm_state_write(f->writer, &other, record, &f->err), f->err);
    assert_false(show(f, "a", "1")->known);
    deliver(f, "b", "1", 9);
    assert_false(show(f, "a", "1")->known);
    assert_false(show(f, "c", "1")->known);
    assert_true(show(f, "b", "1")->known);
}

static void a_hash_of_another_size_is_corruption(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    struct gm_stmt *stmt =
        world_prepare(f->world, f->db, "UPDATE sync_state SET hash = $1 WHERE key = 'a'");
    gm_bind_blob(stmt, 1, GM_STR("short"));
    check_ok(gm_stmt_run(stmt, NULL, &f->err), f->err);
    gm_batch_reset(f->batch);
    add(f, GM_STR("a"), "1");
    check_rc(gm_state_compare(f->reader, PIPELINE, f->batch, &f->err), GM_E_CORRUPT, f->err);
    check_err_says(f->err, "\"a\"");
}

/* ---- the same key twice ---- */

static void an_equal_record_of_the_same_key_is_unchanged_without_a_slot(void **state)
{
    struct fixture *f = *state;
    gm_batch_reset(f->batch);
    struct gm_record *first = add(f, GM_STR("a"), "1");
    add(f, GM_STR("b"), "1");
    struct gm_record *later = add(f, GM_STR("a"), "1");
    compare(f);
    assert_int_equal(first->verdict, GM_VERDICT_NONE);
    assert_int_equal(first->slot, 0);
    assert_int_equal(later->verdict, GM_VERDICT_UNCHANGED);
    assert_int_equal(later->slot, -1);
    assert_false(later->known);
    assert_false(later->revive);
}

static void another_record_of_the_same_key_is_refused_and_the_first_stands(void **state)
{
    struct fixture *f = *state;
    deliver(f, "a", "1", 9);
    gm_batch_reset(f->batch);
    struct gm_record *records[] = {add(f, GM_STR("a"), "2"), add(f, GM_STR("a"), "3"),
                                   add(f, GM_STR("a"), "2"), add(f, GM_STR("a"), "1")};
    compare(f);
    assert_int_equal(records[0]->rc, GM_OK);
    assert_int_equal(records[0]->verdict, GM_VERDICT_NONE);
    assert_int_equal(records[1]->rc, GM_E_INVALID);
    check_str(records[1]->error, "key \"a\" came before in this run with other content; make "
                                 "`key` name what tells records apart");
    assert_true(records[1]->known);
    assert_int_equal(records[2]->verdict, GM_VERDICT_UNCHANGED);
    assert_int_equal(records[2]->slot, -1);
    assert_int_equal(records[3]->rc, GM_E_INVALID);
}

static void a_batch_may_be_compared_twice(void **state)
{
    struct fixture *f = *state;
    deliver(f, "b", "1", 9);
    gm_batch_reset(f->batch);
    struct gm_record *a = add(f, GM_STR("a"), "1");
    struct gm_record *b = add(f, GM_STR("b"), "1");
    struct gm_record *again = add(f, GM_STR("a"), "1");
    compare(f);
    assert_int_equal(b->verdict, GM_VERDICT_UNCHANGED);

    /* Meanwhile another batch created a, and the other object was deleted. */
    struct gm_record created = *a;
    created.verdict = GM_VERDICT_CREATED;
    created.target = 5;
    write_state(f, &created);
    set_row(f, "b", "state = 5");
    compare(f);
    assert_int_equal(a->verdict, GM_VERDICT_UNCHANGED);
    assert_true(a->known);
    assert_int_equal(a->slot, 2);
    assert_int_equal(a->target, 5);
    assert_int_equal(b->verdict, GM_VERDICT_NONE);
    assert_false(b->known);
    assert_int_equal(b->slot, 0);
    assert_int_equal(again->verdict, GM_VERDICT_UNCHANGED);
    assert_int_equal(again->slot, -1);
}

/* ---- connections ---- */

static void comparing_holds_no_snapshot_behind_its_end(void **state)
{
    struct fixture *f = *state;
    deliver(f, "b", "1", 9);
    deliver(f, "c", "1", 9);
    struct gm_db *db = world_open(f->world, GM_DB_READ);
    struct gm_state_reader *reader;
    check_ok(gm_state_reader_open(db, &reader, &f->err), f->err);
    gm_batch_reset(f->batch);
    struct gm_record *record = add(f, GM_STR("a"), "1"); /* rows follow: the walk ends early */
    check_ok(gm_state_compare(reader, PIPELINE, f->batch, &f->err), f->err);
    assert_false(record->known);
    deliver(f, "a", "1", 9);
    gm_batch_reset(f->batch);
    record = add(f, GM_STR("a"), "1");
    check_ok(gm_state_compare(reader, PIPELINE, f->batch, &f->err), f->err);
    assert_true(record->known);
    gm_state_reader_close(reader);
    gm_db_close(db);
}

/* ---- any keys in any order ---- */

/* In no order; some begin like others, some with bytes above 127, one is empty. */
static const struct gm_str odd_keys[] = {
    {"b", 1},
    {"a", 1},
    {"", 0},
    {"aa", 2},
    {"a\x01", 2},
    {"ab", 2},
    {"product-1", 9},
    {"product-10", 10},
    {"product-9", 9},
    {"Käse", 5},
    {"K", 1},
    {"zz", 2},
    {"é", 2},
    {"日本", 6},
    {"\xf0\x9f\xa7\x80", 4},
    {"~", 1},
    {"A", 1},
    {" ", 1},
    {"12345678", 8},
    {"123456789", 9},
    {"12345678 ", 9},
    {"12345677999", 11},
    {"-5", 2},
    {"5", 1},
};

static void keys_are_ordered_by_their_bytes(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < GM_ARRAY_COUNT(odd_keys); i++) {
        add(f, odd_keys[i], "1");
    }
    compare(f);
    for (size_t i = 0; i < GM_ARRAY_COUNT(odd_keys); i += 2) { /* every second one is written */
        f->batch->records[i].verdict = GM_VERDICT_CREATED;
        write_state(f, &f->batch->records[i]);
    }
    gm_batch_reset(f->batch);
    for (size_t i = GM_ARRAY_COUNT(odd_keys); i > 0; i--) {
        add(f, odd_keys[i - 1], "1");
    }
    compare(f);
    for (size_t i = 0; i < GM_ARRAY_COUNT(odd_keys); i++) {
        const struct gm_record *record = &f->batch->records[GM_ARRAY_COUNT(odd_keys) - 1 - i];
        assert_int_equal(record->known, i % 2 == 0);
        assert_int_equal(record->slot, i % 2 == 0 ? i / 2 + 1 : 0);
    }
}

static void a_key_may_hold_a_nul_byte(void **state)
{
    struct fixture *f = *state;
    if (gm_db_engine(f->db) != GM_DB_SQLITE) {
        return; /* PostgreSQL's text has none */
    }
    const struct gm_str keys[] = {{"a", 1}, {"a\0", 2}, {"a\0b", 3}};
    for (int pass = 0; pass < 2; pass++) {
        gm_batch_reset(f->batch);
        for (size_t i = 0; i < GM_ARRAY_COUNT(keys); i++) {
            add(f, keys[i], "1");
        }
        compare(f);
        for (size_t i = 0; i < GM_ARRAY_COUNT(keys); i++) {
            struct gm_record *record = &f->batch->records[i];
            assert_int_equal(record->slot, pass == 0 ? 0 : i + 1);
            record->verdict = GM_VERDICT_CREATED;
            if (pass == 0) {
                write_state(f, record);
            }
        }
    }
}

/* ---- against a naive model ---- */

enum { MODEL_KEYS = 200000 };

static uint64_t test_seed(void)
{
    const char *given = getenv("GEMEL_TEST_SEED");
    int64_t seed = 20261120;
    assert_true(given == NULL || gm_parse_i64(gm_str_z(given), &seed));
    return (uint64_t)seed;
}

/* Styles of keys that sources have; `n` tells them apart within a style. */
static struct gm_str make_key(struct gm_arena *arena, uint64_t style, uint64_t n)
{
    switch (style % 5) {
    case 0:
        return gm_arena_format(arena, "%llu", (unsigned long long)n);
    case 1:
        return gm_arena_format(arena, "product-%llu", (unsigned long long)n);
    case 2:
        return gm_arena_format(arena, "%08llx-long-common-tail",
                               (unsigned long long)n * 2654435761U);
    case 3:
        return gm_arena_format(arena, "%llu|%llu", (unsigned long long)n / 7,
                               (unsigned long long)n % 7);
    default:
        return gm_arena_format(arena, "ü%.*s", (int)(n % 40),
                               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    }
}

/* What the model knows of a key: its content's number and its slot. */
static uint64_t model_value(int64_t content, int64_t slot)
{
    return (uint64_t)content << 32 | (uint64_t)slot;
}

static struct gm_hash128 content_hash(int64_t content)
{
    return gm_hash128((struct gm_str){(const char *)&content, sizeof(content)}, 0);
}

static void check_against_model(const struct gm_map *model, const struct gm_batch *batch,
                                uint64_t seed)
{
    struct gm_map *in_batch = gm_map_new();
    for (size_t i = 0; i < batch->count; i++) {
        const struct gm_record *record = &batch->records[i];
        uint64_t value = 0, first = 0;
        bool repeated = gm_map_get(in_batch, record->key, &first);
        bool known = gm_map_get(model, record->key, &value);
        bool same = known && gm_hash128_eq(record->hash, content_hash((int64_t)(value >> 32)));
        bool right;
        if (repeated) {
            bool equal = gm_hash128_eq(record->hash, batch->records[first].hash);
            right = equal ? record->verdict == GM_VERDICT_UNCHANGED && record->slot == -1
                          : record->rc == GM_E_INVALID;
        } else {
            gm_map_set(in_batch, record->key, i);
            right = record->rc == GM_OK && record->known == known &&
                    record->slot == (int64_t)(value & 0xffffffff) &&
                    (record->verdict == GM_VERDICT_UNCHANGED) == same;
        }
        if (!right) {
            fail_msg("seed %llu: record %zu, key %.*s", (unsigned long long)seed, i,
                     GM_STR_ARG(record->key));
        }
    }
    gm_map_free(in_batch);
}

static void apply_to_both(struct fixture *f, struct gm_map *model, int64_t content_of[])
{
    for (size_t i = 0; i < f->batch->count; i++) {
        struct gm_record *record = &f->batch->records[i];
        if (record->rc == GM_OK && record->verdict == GM_VERDICT_NONE) {
            record->verdict = GM_VERDICT_UPDATED;
            write_state(f, record);
            gm_map_set(model, record->key, model_value(content_of[i], record->slot));
        }
    }
}

/* One batch: a stretch of keys in order, or keys from anywhere. */
static void model_round(struct fixture *f, struct gm_map *model, struct gm_rng *rng, uint64_t seed)
{
    static int64_t content_of[GM_BATCH_RECORDS_MAX];
    gm_batch_reset(f->batch);
    uint64_t style = gm_rng_below(rng, 5), start = gm_rng_below(rng, MODEL_KEYS);
    uint64_t count = 1 + gm_rng_below(rng, GM_BATCH_RECORDS_MAX);
    uint64_t stride = 1 + gm_rng_below(rng, 40);
    bool mixed = gm_rng_below(rng, 3) == 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t n = mixed ? gm_rng_below(rng, MODEL_KEYS) : start + i * stride;
        content_of[i] = (int64_t)gm_rng_below(rng, 8) / 7; /* seven in eight have content 0 */
        struct gm_record *record = gm_batch_add(f->batch);
        record->key = make_key(f->batch->arena, mixed ? gm_rng_next(rng) : style, n);
        record->hash = content_hash(content_of[i]);
    }
    compare(f);
    check_against_model(model, f->batch, seed);
    apply_to_both(f, model, content_of);
}

static void comparing_equals_a_naive_model(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = test_seed();
    /* As many as it takes for batches of this size to meet most of the keys. */
    bool thorough = gm_db_engine(f->db) == GM_DB_SQLITE;
    int rounds = (thorough ? 400000 : 40000) / GM_BATCH_RECORDS_MAX;
    struct gm_rng rng;
    gm_rng_init(&rng, seed);
    struct gm_map *model = gm_map_new();
    check_ok(gm_db_begin(f->db, &f->err), f->err);
    for (int round = 0; round < rounds; round++) {
        model_round(f, model, &rng, seed);
    }
    check_ok(gm_db_commit(f->db, &f->err), f->err);
    assert_int_equal(f->live_count, gm_map_count(model));
    assert_true(!thorough || gm_map_count(model) > MODEL_KEYS / 2);
    gm_map_free(model);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(an_object_without_a_row_is_not_known),
        FIXTURE_TEST(an_object_with_the_same_hash_is_unchanged),
        FIXTURE_TEST(an_object_with_another_hash_is_to_be_applied_where_it_was),
        FIXTURE_TEST(a_target_id_comes_back_and_lives_as_long_as_the_batch),
        FIXTURE_TEST(a_record_that_is_wrong_already_is_left_alone),
        FIXTURE_TEST(a_deleted_object_that_is_back_counts_as_new),
        FIXTURE_TEST(an_older_version_is_stale_and_equal_or_unknown_ones_are_not),
        FIXTURE_TEST(a_dead_object_that_shows_what_is_applied_is_revived),
        FIXTURE_TEST(a_missing_object_that_is_back_is_revived),
        FIXTURE_TEST(objects_of_other_pipelines_are_not_looked_at),
        FIXTURE_TEST(a_hash_of_another_size_is_corruption),
        FIXTURE_TEST(an_equal_record_of_the_same_key_is_unchanged_without_a_slot),
        FIXTURE_TEST(another_record_of_the_same_key_is_refused_and_the_first_stands),
        FIXTURE_TEST(a_batch_may_be_compared_twice),
        FIXTURE_TEST(comparing_holds_no_snapshot_behind_its_end),
        FIXTURE_TEST(keys_are_ordered_by_their_bytes),
        FIXTURE_TEST(a_key_may_hold_a_nul_byte),
        FIXTURE_TEST(comparing_equals_a_naive_model),
    };
    WORLD_RUN_ON_BOTH(tests);
}
