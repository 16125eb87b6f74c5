/* Letters: their order, their numbers, and what becomes of what waits behind them. */
#include "base/buf.h"
#include "sync/dead_letter.h"
#include "unit/sync/fixture.h"

static struct gm_dead_letter letter_of(const char *key_z, const char *content_z)
{
    return (struct gm_dead_letter){
        .pipeline = PIPELINE,
        .key = gm_str_z(key_z),
        .run = RUN,
        .parked = NOW,
        .attempts = 1,
        .last_attempt = NOW,
        .hash = hash_of(content_z),
        .version = 4,
        .kind = GM_RECORD_PATCH,
        .origin = GM_STR("Products"),
        .position = 17,
        .code = GM_STR("invalid"),
        .error = GM_STR("no good"),
        .record = GM_STR("{\"id\":17}"),
    };
}

static bool put_letter(struct fixture *f, const struct gm_dead_letter *letter)
{
    bool new = false;
    check_ok(gm_dead_letter_put(f->db, letter, &new, &f->err), f->err);
    return new;
}

static bool put(struct fixture *f, const char *key_z, const char *content_z, bool held)
{
    struct gm_dead_letter letter = letter_of(key_z, content_z);
    letter.held = held;
    return put_letter(f, &letter);
}

/* "num:key" of each, 'h' behind what is held. */
static gm_rc note_letter(void *ctx, const struct gm_dead_letter *letter, struct gm_err *err)
{
    (void)err;
    gm_buf_addf(ctx, "%lld:" GM_STR_FMT "%s ", (long long)letter->num, GM_STR_ARG(letter->key),
                letter->held ? "h" : "");
    return GM_OK;
}

static void check_list(struct fixture *f, const struct gm_dead_letter_query *query,
                       const char *expected_z)
{
    struct gm_buf buf;
    gm_buf_init(&buf, 4096);
    gm_buf_add_z(&buf, "");
    check_ok(gm_dead_letters_list(f->db, query, note_letter, &buf, &f->err), f->err);
    check_str(gm_buf_str(&buf), expected_z);
    gm_buf_deinit(&buf);
}

static void check_all(struct fixture *f, const char *expected_z)
{
    check_list(f, &(struct gm_dead_letter_query){0}, expected_z);
}

/* ---- putting ---- */

static gm_rc check_letter(void *ctx, const struct gm_dead_letter *letter, struct gm_err *err)
{
    (void)ctx;
    (void)err;
    assert_int_equal(letter->num, 1);
    assert_int_equal(letter->pipeline, PIPELINE);
    assert_null(letter->pipeline_name.p); /* the test's pipeline has no row */
    check_str(letter->key, "a");
    assert_false(letter->held);
    assert_int_equal(letter->run, RUN);
    assert_int_equal(letter->parked, NOW);
    assert_int_equal(letter->attempts, 1);
    assert_int_equal(letter->last_attempt, NOW);
    check_hash(letter->hash, "1");
    assert_int_equal(letter->version, 4);
    assert_int_equal(letter->kind, GM_RECORD_PATCH);
    check_str(letter->origin, "Products");
    assert_int_equal(letter->position, 17);
    check_str(letter->code, "invalid");
    check_str(letter->error, "no good");
    check_str(letter->record, "{\"id\":17}");
    return GM_OK;
}

static void a_letter_comes_back_as_it_was_put(void **state)
{
    struct fixture *f = *state;
    assert_true(put(f, "a", "1", false));
    check_ok(gm_dead_letter_get(f->db, 1, check_letter, NULL, &f->err), f->err);
}

static gm_rc check_second_attempt(void *ctx, const struct gm_dead_letter *letter,
                                  struct gm_err *err)
{
    (void)ctx;
    (void)err;
    assert_int_equal(letter->num, 1);
    assert_int_equal(letter->attempts, 2);
    assert_int_equal(letter->parked, NOW);
    assert_int_equal(letter->last_attempt, NOW + 9);
    assert_int_equal(letter->run, RUN + 1);
    assert_int_equal(letter->position, 18);
    check_str(letter->error, "still no good");
    check_str(letter->record, "{\"id\":17}");
    return GM_OK;
}

static void the_same_record_again_is_one_letter_with_more_attempts(void **state)
{
    struct fixture *f = *state;
    assert_true(put(f, "a", "1", false));
    struct gm_dead_letter again = letter_of("a", "1");
    again.run = RUN + 1;
    again.parked = again.last_attempt = NOW + 9;
    again.position = 18;
    again.error = GM_STR("still no good");
    assert_false(put_letter(f, &again));
    check_ok(gm_dead_letter_get(f->db, 1, check_second_attempt, NULL, &f->err), f->err);
    assert_true(put(f, "a", "2", true)); /* another content is another letter */
    check_all(f, "1:a 2:ah ");
}

static void equal_keys_of_two_pipelines_are_two_letters(void **state)
{
    struct fixture *f = *state;
    assert_true(put(f, "a", "1", false));
    struct gm_dead_letter other = letter_of("a", "1");
    other.pipeline = PIPELINE + 1;
    assert_true(put_letter(f, &other));
    int64_t count;
    check_ok(gm_dead_letters_count(f->db, PIPELINE, &count, &f->err), f->err);
    assert_int_equal(count, 1);
    check_ok(gm_dead_letters_count(f->db, 0, &count, &f->err), f->err);
    assert_int_equal(count, 2);
}

static void what_has_no_text_is_put_as_empty(void **state)
{
    struct fixture *f = *state;
    struct gm_dead_letter letter = letter_of("a", "1");
    letter.origin = letter.error = letter.record = (struct gm_str){NULL, 0};
    assert_true(put_letter(f, &letter));
    check_all(f, "1:a ");
}

static void a_number_never_comes_back(void **state)
{
    struct fixture *f = *state;
    put(f, "a", "1", false);
    put(f, "b", "1", false);
    check_ok(gm_dead_letter_remove(f->db, 2, &f->err), f->err);
    check_ok(gm_dead_letter_remove(f->db, 1, &f->err), f->err);
    put(f, "c", "1", false);
    check_all(f, "3:c ");
}

/* ---- order ---- */

static void letters_are_listed_in_the_order_they_came(void **state)
{
    struct fixture *f = *state;
    put(f, "b", "1", false);
    put(f, "a", "1", false);
    put(f, "b", "2", true);
    put(f, "b", "1", false); /* keeps its place */
    put(f, "c", "1", false);
    check_all(f, "1:b 2:a 3:bh 4:c ");
}

static void a_list_is_narrowed_by_pipeline_key_place_and_count(void **state)
{
    struct fixture *f = *state;
    put(f, "a", "1", false);
    put(f, "b", "1", false);
    put(f, "a", "2", true);
    struct gm_dead_letter other = letter_of("a", "1");
    other.pipeline = PIPELINE + 1;
    put_letter(f, &other);
    check_list(f, &(struct gm_dead_letter_query){.pipeline = PIPELINE}, "1:a 2:b 3:ah ");
    check_list(f, &(struct gm_dead_letter_query){.key = GM_STR("a")}, "1:a 3:ah 4:a ");
    check_list(f, &(struct gm_dead_letter_query){.after = 1, .limit = 2}, "2:b 3:ah ");
    check_list(f,
               &(struct gm_dead_letter_query){
                   .pipeline = PIPELINE, .key = GM_STR("a"), .after = 1, .limit = 5},
               "3:ah ");
    check_list(f, &(struct gm_dead_letter_query){.key = GM_STR("x")}, "");
}

/* ---- going ---- */

static void when_the_first_letter_goes_the_next_is_held_no_more(void **state)
{
    struct fixture *f = *state;
    put(f, "a", "1", false);
    put(f, "b", "1", false);
    put(f, "a", "2", true);
    put(f, "a", "3", true);
    check_ok(gm_dead_letter_remove(f->db, 1, &f->err), f->err);
    check_all(f, "2:b 3:a 4:ah ");
    check_ok(gm_dead_letter_remove(f->db, 4, &f->err), f->err);
    check_all(f, "2:b 3:a ");
}

static void removing_a_held_letter_frees_none_of_those_behind_it(void **state)
{
    struct fixture *f = *state;
    put(f, "a", "1", false);
    put(f, "a", "2", true);
    put(f, "a", "3", true);
    check_ok(gm_dead_letter_remove(f->db, 2, &f->err), f->err);
    check_all(f, "1:a 3:ah ");
}

static void all_letters_of_a_key_go_at_once(void **state)
{
    struct fixture *f = *state;
    put(f, "a", "1", false);
    put(f, "a", "2", true);
    put(f, "b", "1", false);
    int64_t count;
    check_ok(gm_dead_letters_remove_key(f->db, PIPELINE, GM_STR("a"), &count, &f->err), f->err);
    assert_int_equal(count, 2);
    check_all(f, "3:b ");
    check_ok(gm_dead_letters_remove_key(f->db, PIPELINE, GM_STR("a"), NULL, &f->err), f->err);
    check_ok(gm_dead_letters_remove_key(f->db, PIPELINE + 1, GM_STR("b"), &count, &f->err), f->err);
    assert_int_equal(count, 0);
}

static gm_rc check_failed(void *ctx, const struct gm_dead_letter *letter, struct gm_err *err)
{
    (void)ctx;
    (void)err;
    assert_int_equal(letter->attempts, 2);
    assert_int_equal(letter->last_attempt, NOW + 3);
    check_str(letter->error, "again");
    return GM_OK;
}

static void a_failed_attempt_is_counted(void **state)
{
    struct fixture *f = *state;
    put(f, "a", "1", false);
    check_ok(gm_dead_letter_failed(f->db, 1, NOW + 3, GM_STR("again"), &f->err), f->err);
    check_ok(gm_dead_letter_get(f->db, 1, check_failed, NULL, &f->err), f->err);
}

static void a_letter_that_is_not_there_is_told_by_number(void **state)
{
    struct fixture *f = *state;
    check_rc(gm_dead_letter_get(f->db, 12, note_letter, NULL, &f->err), GM_E_END, f->err);
    check_err_says(f->err, "12");
    check_rc(gm_dead_letter_remove(f->db, 12, &f->err), GM_E_END, f->err);
    check_rc(gm_dead_letter_failed(f->db, 12, NOW, GM_STR("x"), &f->err), GM_E_END, f->err);
}

static gm_rc write_within(void *ctx, const struct gm_dead_letter *letter, struct gm_err *err)
{
    struct fixture *f = ctx;
    int64_t count;
    GM_TRY(gm_dead_letters_count(f->db, letter->pipeline, &count, err));
    return gm_dead_letter_failed(f->db, letter->num, NOW + 1, GM_STR("later"), err);
}

static void a_callback_may_write_while_letters_are_listed(void **state)
{
    struct fixture *f = *state;
    put(f, "a", "1", false);
    put(f, "b", "1", false);
    struct gm_dead_letter_query all = {0};
    check_ok(gm_dead_letters_list(f->db, &all, write_within, f, &f->err), f->err);
    check_all(f, "1:a 2:b ");
}

/* ---- as JSON ---- */

static void a_letter_is_written_as_json(void **state)
{
    (void)state;
    struct gm_dead_letter letter = letter_of("a\"b", "1");
    letter.num = 5;
    letter.pipeline_name = GM_STR("products");
    letter.held = true;
    letter.hash = (struct gm_hash128){1, 2};
    struct gm_buf buf;
    gm_buf_init(&buf, 4096);
    gm_dead_letter_write_json(&letter, &buf);
    check_str(gm_buf_str(&buf),
              "{\"num\":5,\"pipeline\":\"products\",\"key\":\"a\\\"b\",\"status\":\"held\","
              "\"code\":\"invalid\",\"error\":\"no good\",\"run\":41,"
              "\"parked\":\"1970-01-01T00:16:40.0000000Z\",\"attempts\":1,"
              "\"last_attempt\":\"1970-01-01T00:16:40.0000000Z\",\"kind\":\"patch\",\"version\":4,"
              "\"hash\":\"00000000000000010000000000000002\",\"origin\":\"Products\","
              "\"position\":17,\"record\":{\"id\":17}}");
    gm_buf_deinit(&buf);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_letter_comes_back_as_it_was_put),
        FIXTURE_TEST(the_same_record_again_is_one_letter_with_more_attempts),
        FIXTURE_TEST(equal_keys_of_two_pipelines_are_two_letters),
        FIXTURE_TEST(what_has_no_text_is_put_as_empty),
        FIXTURE_TEST(a_number_never_comes_back),
        FIXTURE_TEST(letters_are_listed_in_the_order_they_came),
        FIXTURE_TEST(a_list_is_narrowed_by_pipeline_key_place_and_count),
        FIXTURE_TEST(when_the_first_letter_goes_the_next_is_held_no_more),
        FIXTURE_TEST(removing_a_held_letter_frees_none_of_those_behind_it),
        FIXTURE_TEST(all_letters_of_a_key_go_at_once),
        FIXTURE_TEST(a_failed_attempt_is_counted),
        FIXTURE_TEST(a_letter_that_is_not_there_is_told_by_number),
        FIXTURE_TEST(a_callback_may_write_while_letters_are_listed),
        FIXTURE_TEST(a_letter_is_written_as_json),
    };
    WORLD_RUN_ON_BOTH(tests);
}
