/* What was delivered outside the store, and the states of what is under way. */
#include "sync/objects.h"

#include "sync/sweep.h"
#include "sync_sql.h"
#include "unit/sync/fixture.h"

static struct gm_object object_of(const char *id_z, const char *key_z)
{
    return (struct gm_object){.pipeline = PIPELINE,
                              .id = gm_str_z(id_z),
                              .key = gm_str_z(key_z),
                              .target = 77,
                              .owned = true,
                              .body = GM_STR("{}")};
}

static void put(struct fixture *f, const struct gm_object *object)
{
    check_ok(gm_object_put(f->db, object, &f->err), f->err);
}

static size_t length(const struct gm_object *object)
{
    size_t count = 0;
    for (; object != NULL; object = object->behind) {
        count++;
    }
    return count;
}

static struct gm_object *of_key(struct fixture *f, const char *key_z)
{
    struct gm_object *first;
    struct gm_state_key key = {PIPELINE, gm_str_z(key_z)};
    check_ok(gm_objects_of_key(f->db, f->arena, &key, &first, &f->err), f->err);
    return first;
}

static void objects_are_kept_and_found_by_key_and_id(void **state)
{
    struct fixture *f = *state;
    struct gm_object twin = object_of("a", "1"), link = object_of("a/x", "1");
    link.next = GM_STR("{\"n\":1}");
    link.link_to = GM_STR("b");
    put(f, &link);
    put(f, &twin);
    struct gm_object *found = of_key(f, "1"), *one;
    assert_int_equal(length(found), 2);
    bool first = gm_str_is(found->id, "a");
    struct gm_object *of_twin = first ? found : found->behind;
    struct gm_object *of_link = first ? found->behind : found;
    assert_true(of_twin->owned && of_twin->next.p == NULL && of_twin->link_to.p == NULL);
    check_str(of_link->next, "{\"n\":1}");
    check_str(of_link->link_to, "b");
    check_ok(gm_object_get(f->db, f->arena, &(struct gm_state_key){PIPELINE, GM_STR("a")}, &one,
                           &f->err),
             f->err);
    check_str(one->key, "1");
    check_ok(gm_object_get(f->db, f->arena, &(struct gm_state_key){PIPELINE + 1, GM_STR("a")}, &one,
                           &f->err),
             f->err);
    assert_null(one);
}

static void what_is_put_again_replaces_what_was_known(void **state)
{
    struct fixture *f = *state;
    struct gm_object twin = object_of("a", "1");
    put(f, &twin);
    twin.next = GM_STR("{\"a\":1}");
    put(f, &twin);
    check_str(of_key(f, "1")->next, "{\"a\":1}");
    twin.body = twin.next;
    twin.next = (struct gm_str){NULL, 0};
    put(f, &twin);
    check_str(of_key(f, "1")->body, "{\"a\":1}");
    assert_null(of_key(f, "1")->next.p);
    check_ok(gm_object_remove(f->db, PIPELINE, GM_STR("a"), &f->err), f->err);
    assert_null(of_key(f, "1"));
}

static void what_waits_is_found_by_what_it_waits_for_and_page_by_page(void **state)
{
    struct fixture *f = *state;
    struct gm_object *found;
    int64_t count;
    for (int i = 0; i < 5; i++) {
        char id[8] = {'a', '/', (char)('0' + i), '\0'};
        struct gm_object link = object_of(id, "1");
        link.body = (struct gm_str){NULL, 0};
        link.next = GM_STR("{}");
        link.waiting_for = i < 2 ? GM_STR("b") : GM_STR("c");
        put(f, &link);
    }
    check_ok(gm_objects_waiting_for(f->db, f->arena, &(struct gm_state_key){PIPELINE, GM_STR("b")},
                                    &found, &f->err),
             f->err);
    assert_int_equal(length(found), 2);
    struct gm_object after = {
        .pipeline = PIPELINE, .waiting_for = GM_STR("c"), .id = GM_STR("a/2")};
    check_ok(gm_objects_waiting(f->db, f->arena, &after, &found, &f->err), f->err);
    assert_int_equal(length(found), 2);
    check_str(found->id, "a/3");
    check_ok(gm_objects_count_waiting(f->db, &count, &f->err), f->err);
    assert_int_equal(count, 5);
}

static void what_other_pipelines_deliver_to_the_same_service_is_told(void **state)
{
    struct fixture *f = *state;
    struct gm_object mine = object_of("a", "1"), theirs = object_of("a", "9"),
                     elsewhere = object_of("a", "1"), link = object_of("z/x", "2"), *found;
    theirs.pipeline = PIPELINE + 1;
    elsewhere.pipeline = PIPELINE + 2;
    elsewhere.target = 78;
    link.link_to = GM_STR("a");
    put(f, &mine);
    put(f, &theirs);
    put(f, &elsewhere);
    put(f, &link);
    struct gm_object_place place = {77, GM_STR("a"), PIPELINE};
    check_ok(gm_objects_of_others(f->db, f->arena, &place, &found, &f->err), f->err);
    assert_int_equal(length(found), 1);
    check_str(found->key, "9");
    check_ok(gm_objects_linked_to(f->db, f->arena, &place, &found, &f->err), f->err);
    assert_int_equal(length(found), 1);
    check_str(found->id, "z/x");
}

static void a_key_can_be_forgotten_and_a_full_arena_is_told(void **state)
{
    struct fixture *f = *state;
    struct gm_object a = object_of("a", "1"), b = object_of("b", "2"), *found;
    struct gm_state_key key = {PIPELINE, GM_STR("1")};
    put(f, &a);
    put(f, &b);
    struct gm_arena *small = gm_arena_new(16);
    check_rc(gm_objects_of_key(f->db, small, &key, &found, &f->err), GM_E_LIMIT, f->err);
    gm_arena_free(small);
    check_ok(gm_objects_forget_key(f->db, &key, &f->err), f->err);
    assert_null(of_key(f, "1"));
    assert_int_equal(length(of_key(f, "2")), 1);
}

/* Looking must not walk what the pipeline has delivered. */
static void no_statement_walks_all_objects_of_a_pipeline(void **state)
{
    struct fixture *f = *state;
    static const char *const statements[] = {GM_SQL_OBJECTS_OF_KEY,      GM_SQL_OBJECT_GET,
                                             GM_SQL_OBJECTS_WAITING_FOR, GM_SQL_OBJECTS_WAITING,
                                             GM_SQL_OBJECTS_LINKED_TO,   GM_SQL_OBJECTS_OF_OTHERS};
    if (gm_db_engine(f->db) != GM_DB_SQLITE) {
        return; /* there the planner counts */
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(statements); i++) {
        struct gm_stmt *stmt;
        GM_AUTO_FREE char *sql_z = gm_format_z("EXPLAIN QUERY PLAN %s", statements[i]);
        check_ok(gm_db_prepare(f->db, sql_z, &stmt, &f->err), f->err);
        while (gm_step(stmt, &f->err) == GM_OK) {
            GM_AUTO_FREE char *plan_z = gm_str_dup_z(gm_column_text(stmt, 3));
            bool narrow = strncmp(plan_z, "S", 1) != 0 /* not SEARCH or SCAN */ ||
                          strstr(plan_z, " AND ") != NULL || strstr(plan_z, "(id=?)") != NULL ||
                          strstr(plan_z, "(link_to=?)") != NULL;
            if (!narrow) {
                fail_msg("%s: %s", statements[i], plan_z);
            }
        }
        gm_stmt_finalize(stmt);
    }
}

/* ---- states ---- */

static struct gm_record *intend(struct fixture *f, const char *key_z, const char *content_z)
{
    struct gm_record *record = show(f, key_z, content_z);
    assert_int_equal(record->verdict, GM_VERDICT_NONE);
    record->target = TARGET(1, 1);
    record->target_id = GM_STR("a");
    check_ok(gm_state_intend(f->writer, &f->cause, record, &f->err), f->err);
    return record;
}

static void what_is_under_way_is_pending_and_never_counts_as_unchanged(void **state)
{
    struct fixture *f = *state;
    struct gm_record *record = intend(f, "1", "new");
    assert_true(record->known && record->slot == 1);
    assert_int_equal(f->live_count, 1);
    assert_int_equal(row_of(f, "1").state, GM_STATE_PENDING);
    check_str(row_of(f, "1").target_id, "a");
    /* The process dies here; the next run shows the same content. */
    record = intend(f, "1", "new");
    assert_int_equal(record->slot, 1);
    assert_int_equal(f->live_count, 1);
    record->verdict = GM_VERDICT_CREATED;
    write_state(f, record);
    assert_int_equal(row_of(f, "1").state, GM_STATE_COMPLETED);
    assert_int_equal(show(f, "1", "new")->verdict, GM_VERDICT_UNCHANGED);
    /* Back and forth while it is in doubt: the old content has to be sent again as well. */
    (void)intend(f, "1", "newer");
    assert_int_equal(show(f, "1", "new")->verdict, GM_VERDICT_NONE);
}

static void a_record_that_is_parked_after_it_was_sent_is_looked_at_again(void **state)
{
    struct fixture *f = *state;
    (void)deliver(f, "1", "old", TARGET(1, 1));
    struct gm_record *record = intend(f, "1", "new");
    gm_record_fail(f->batch, record, GM_E_INVALID, "refused");
    record->verdict = GM_VERDICT_PARKED;
    write_state(f, record);
    assert_int_equal(row_of(f, "1").state, GM_STATE_DEAD);
    assert_int_equal(show(f, "1", "old")->verdict, GM_VERDICT_NONE);
}

static void a_deletion_under_way_is_pending_and_one_that_failed_is_told(void **state)
{
    struct fixture *f = *state;
    (void)deliver(f, "1", "old", TARGET(1, 1));
    struct gm_run run = {.num = 5, .pipeline = PIPELINE};
    struct gm_sweep_task task = {.db = f->db, .run = &run, .now = NOW};
    struct gm_seen *nothing = gm_seen_new();
    struct gm_sweep_page *page = gm_sweep_page_new();
    check_ok(gm_sweep_find_missing(f->db, PIPELINE, nothing, page, &f->err), f->err);
    check_ok(gm_sweep_doubt(&task, page, &f->err), f->err);
    assert_int_equal(row_of(f, "1").state, GM_STATE_PENDING);
    assert_int_equal(show(f, "1", "old")->verdict, GM_VERDICT_NONE); /* it may be gone */
    check_ok(gm_sweep_failed(&task, GM_STR("1"), GM_STR("it is needed"), &f->err), f->err);
    struct gm_state_row row = row_of(f, "1");
    assert_int_equal(row.state, GM_STATE_FAILED);
    assert_int_equal(row.attempts, 1);
    check_str(row.last_error, "it is needed");
    gm_sweep_page_free(page);
    gm_seen_free(nothing);
}

static void the_kind_of_what_was_delivered_is_told(void **state)
{
    struct fixture *f = *state;
    enum gm_state_kind kind;
    check_ok(gm_state_kind(f->db, PIPELINE, &kind, &f->err), f->err);
    assert_int_equal(kind, GM_STATE_KIND_NONE);
    (void)intend(f, "1", "new");
    check_ok(gm_state_kind(f->db, PIPELINE, &kind, &f->err), f->err);
    assert_int_equal(kind, GM_STATE_KIND_OUTSIDE);
    check_ok(gm_db_exec(f->db, "DELETE FROM sync_state", &f->err), f->err);
    (void)deliver(f, "2", "new", TARGET(1, 1));
    check_ok(gm_state_kind(f->db, PIPELINE, &kind, &f->err), f->err);
    assert_int_equal(kind, GM_STATE_KIND_STORE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(objects_are_kept_and_found_by_key_and_id),
        FIXTURE_TEST(what_is_put_again_replaces_what_was_known),
        FIXTURE_TEST(what_waits_is_found_by_what_it_waits_for_and_page_by_page),
        FIXTURE_TEST(what_other_pipelines_deliver_to_the_same_service_is_told),
        FIXTURE_TEST(a_key_can_be_forgotten_and_a_full_arena_is_told),
        FIXTURE_TEST(no_statement_walks_all_objects_of_a_pipeline),
        FIXTURE_TEST(what_is_under_way_is_pending_and_never_counts_as_unchanged),
        FIXTURE_TEST(a_record_that_is_parked_after_it_was_sent_is_looked_at_again),
        FIXTURE_TEST(a_deletion_under_way_is_pending_and_one_that_failed_is_told),
        FIXTURE_TEST(the_kind_of_what_was_delivered_is_told),
    };
    WORLD_RUN_ON_BOTH(tests);
}
