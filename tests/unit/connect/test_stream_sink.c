/* The sink `stream`, cut off at every step between a transaction and the stream. */
#include <stdio.h>

#include "base/mem.h"
#include "connect/stream/sink.h"
#include "stream/directory.h"
#include "support/check.h"
#include "support/tmp.h"

enum { PIPELINE = 3, STREAMS = 2 };

struct world {
    struct tmp *tmp;
    struct gm_db *db;
    struct gm_stream *streams[STREAMS]; /* "s0", "s1" */
    struct gm_stream_directory directory;
    struct gm_stream_sink_conf conf;
    bool events, dry, resync;
    void *sink;
    struct gm_batch *batch;
    struct gm_arena *arena; /* of what outlives a batch */
    struct gm_err err;
};

static struct gm_stream *find(void *ctx, struct gm_str name)
{
    struct world *world = ctx;
    size_t number = name.n == 2 && name.p[0] == 's' ? (size_t)(name.p[1] - '0') : STREAMS;
    return number < STREAMS ? world->streams[number] : NULL;
}

static void open_stream(struct world *world, size_t number)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "streams/s%zu.db", number);
    const struct gm_stream_options options = {.path_z = tmp_path(world->tmp, name),
                                              .clock = gm_clock_system()};
    gm_stream_close(world->streams[number]);
    world->streams[number] = NULL;
    check_ok(gm_stream_open(&options, &world->streams[number], &world->err), world->err);
}

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    world->tmp = tmp_new();
    const struct gm_db_options options = {.url_z = tmp_url(world->tmp, "sqlite:", "store.db"),
                                          .mode = GM_DB_WRITE};
    check_ok(gm_db_open(&options, &world->db, &world->err), world->err);
    check_ok(gm_db_migrate(world->db, &world->err), world->err);
    for (size_t i = 0; i < STREAMS; i++) {
        open_stream(world, i);
    }
    world->directory = (struct gm_stream_directory){.find = find, .ctx = world};
    world->conf = (struct gm_stream_sink_conf){
        .name = "s0", .created = "created", .updated = "updated", .deleted = "deleted"};
    world->batch = gm_batch_new();
    world->arena = gm_arena_new(1 << 20);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_stream_sink_close(world->sink);
    gm_batch_free(world->batch);
    gm_arena_free(world->arena);
    gm_db_close(world->db);
    for (size_t i = 0; i < STREAMS; i++) {
        gm_stream_close(world->streams[i]);
    }
    tmp_free(world->tmp);
    gm_free(world);
    return 0;
}

static struct gm_sink_work work_of(struct world *world)
{
    return (struct gm_sink_work){
        .db = world->db, .pipeline = PIPELINE, .dry = world->dry, .resync = world->resync};
}

/* Another process: nothing is known but what is stored. */
static gm_rc start(struct world *world)
{
    const struct gm_sink_env env = {.clock = gm_clock_system(),
                                    .pipeline = GM_STR("p"),
                                    .streams = &world->directory,
                                    .events = world->events};
    const struct gm_sink_work work = work_of(world);
    gm_stream_sink_close(world->sink);
    world->sink = NULL;
    check_ok(gm_stream_sink_open(&world->conf, &env, &world->sink, &world->err), world->err);
    return gm_stream_behind.begin(world->sink, &work, &world->err);
}

static void start_ok(struct world *world)
{
    check_ok(start(world), world->err);
}

static struct gm_record *add(struct world *world, const char *key_z, const char *body_z)
{
    struct gm_record *record = gm_batch_add(world->batch);
    record->key = gm_str_z(key_z);
    check_ok(gm_json_parse(world->batch->doc, gm_str_z(body_z), &record->body, &world->err),
             world->err);
    record->original = record->body;
    return record;
}

static void prepare(struct world *world)
{
    check_ok(gm_stream_sink_prepare(world->sink, world->batch, &world->err), world->err);
}

static void apply(struct world *world)
{
    const struct gm_sink_work work = work_of(world);
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    check_ok(gm_stream_sink_apply(world->sink, &work, world->batch, &world->err), world->err);
}

static void commit(struct world *world)
{
    check_ok(gm_db_commit(world->db, &world->err), world->err);
}

static gm_rc deliver(struct world *world)
{
    const struct gm_sink_work work = work_of(world);
    return gm_stream_behind.deliver(world->sink, &work, world->batch, &world->err);
}

static void settle(struct world *world)
{
    const struct gm_sink_work work = work_of(world);
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    check_ok(gm_stream_behind.settle(world->sink, &work, &world->err), world->err);
    commit(world);
}

/* One new record through transaction and commit, but not to the stream. */
static void note(struct world *world, const char *key_z)
{
    gm_batch_reset(world->batch);
    (void)add(world, key_z, "{\"a\":1}");
    prepare(world);
    apply(world);
    commit(world);
}

static void write_one(struct world *world, const char *key_z)
{
    note(world, key_z);
    check_ok(deliver(world), world->err);
}

static int64_t parts_noted(struct world *world)
{
    struct gm_stmt *stmt = NULL;
    check_ok(gm_db_prepare(world->db, "SELECT COUNT(*) FROM outbox", &stmt, &world->err),
             world->err);
    check_ok(gm_step(stmt, &world->err), world->err);
    int64_t count = gm_column_i64(stmt, 0);
    gm_stmt_finalize(stmt);
    return count;
}

/* The keys of a stream's events, and the first letter of their types: "ac bc au". */
static void check_events(struct world *world, size_t number, const char *wanted_z)
{
    struct gm_stream_reader *reader;
    const struct gm_event *events;
    size_t count;
    struct gm_buf text;
    gm_buf_init(&text, 1 << 20);
    check_ok(gm_stream_reader_open(world->streams[number], &(struct gm_stream_place){0, 0}, &reader,
                                   &world->err),
             world->err);
    while (gm_stream_read(reader, &events, &count, &world->err) == GM_OK) {
        for (size_t i = 0; i < count; i++) {
            gm_buf_add(&text, text.n > 0 ? GM_STR(" ") : GM_STR(""));
            gm_buf_add(&text, events[i].key);
            gm_buf_add(&text, (struct gm_str){events[i].type.p, events[i].type.n > 0});
        }
    }
    gm_stream_reader_close(reader);
    check_str(gm_buf_str(&text), wanted_z);
    gm_buf_deinit(&text);
}

static void what_was_noted_and_not_delivered_is_delivered_first(void **state)
{
    struct world *world = *state;
    start_ok(world);
    write_one(world, "a");
    note(world, "b");
    check_events(world, 0, "ac");
    start_ok(world);
    check_events(world, 0, "ac bc");
    write_one(world, "c");
    check_events(world, 0, "ac bc cc");
}

static void what_was_delivered_and_not_settled_is_there_once(void **state)
{
    struct world *world = *state;
    start_ok(world);
    write_one(world, "a");
    write_one(world, "b");
    assert_int_equal(parts_noted(world), 1); /* the first went with the second's transaction */
    for (int i = 0; i < 3; i++) {
        start_ok(world);
    }
    check_events(world, 0, "ac bc");
    settle(world);
    assert_int_equal(parts_noted(world), 0);
}

static void a_transaction_that_is_undone_leaves_neither_event_nor_gap(void **state)
{
    struct world *world = *state;
    start_ok(world);
    write_one(world, "a");
    gm_batch_reset(world->batch);
    (void)add(world, "b", "{}");
    prepare(world);
    apply(world);
    gm_db_rollback(world->db);
    start_ok(world);
    write_one(world, "c");
    check_events(world, 0, "ac cc");
}

static void nothing_is_delivered_behind_what_failed(void **state)
{
    struct world *world = *state;
    start_ok(world);
    write_one(world, "a");
    struct stream_sink *sink = world->sink;
    struct gm_stream *stream = sink->stream;
    note(world, "b");
    sink->broken = true; /* its delivery failed */
    note(world, "c");
    check_rc(deliver(world), GM_E_RETRY, world->err);
    check_events(world, 0, "ac");
    assert_ptr_equal(sink->stream, stream);
    const struct gm_sink_work work = work_of(world);
    check_ok(gm_stream_behind.begin(world->sink, &work, &world->err), world->err);
    check_events(world, 0, "ac bc cc");
}

static void a_plan_delivers_and_keeps_nothing(void **state)
{
    struct world *world = *state;
    start_ok(world);
    note(world, "a");
    world->dry = true;
    start_ok(world);
    check_events(world, 0, "");
    gm_batch_reset(world->batch);
    struct gm_record *record = add(world, "b", "{}");
    prepare(world);
    apply(world);
    assert_int_equal(record->verdict, GM_VERDICT_CREATED);
    gm_db_rollback(world->db);
    world->dry = false;
    start_ok(world);
    check_events(world, 0, "ac");
}

/* The state that a record would have, for the next one of its key. */
static void tell(struct world *world, const char *key_z, const char *body_z, struct gm_str *told)
{
    gm_batch_reset(world->batch);
    struct gm_record *record = add(world, key_z, body_z);
    record->known = told->p != NULL;
    record->target_id = *told;
    prepare(world);
    apply(world);
    commit(world);
    check_ok(deliver(world), world->err);
    *told = gm_arena_dup(world->arena, record->target_id);
}

static void what_says_the_same_is_not_told_again_and_what_changes_back_is(void **state)
{
    struct world *world = *state;
    struct gm_str told = {NULL, 0};
    start_ok(world);
    tell(world, "a", "{\"v\":1}", &told);
    tell(world, "a", "{\"v\":1}", &told);
    tell(world, "a", "{\"v\":2}", &told);
    tell(world, "a", "{\"v\":1}", &told);
    check_events(world, 0, "ac au au");
}

static void what_has_another_key_now_is_gone_under_the_former_one(void **state)
{
    struct world *world = *state;
    struct gm_str told = {NULL, 0};
    world->conf.key = "k";
    start_ok(world);
    tell(world, "1", "{\"k\":\"x\"}", &told);
    tell(world, "1", "{\"k\":\"y\"}", &told);
    check_events(world, 0, "xc xd yc");
    const struct gm_sink_target target = {.num = -1, .id = told, .key = GM_STR("1")};
    const struct gm_sink_work work = work_of(world);
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    check_ok(gm_stream_sink_remove(world->sink, &work, &target, 1, &world->err), world->err);
    commit(world);
    check_ok(gm_stream_behind.deliver(world->sink, &work, NULL, &world->err), world->err);
    check_events(world, 0, "xc xd yc yd");
}

static void what_was_for_another_stream_goes_there_first(void **state)
{
    struct world *world = *state;
    start_ok(world);
    note(world, "a");
    world->conf.name = "s1";
    start_ok(world);
    check_events(world, 0, "ac");
    write_one(world, "b");
    check_events(world, 0, "ac");
    check_events(world, 1, "bc");
    start_ok(world);
    write_one(world, "c");
    check_events(world, 1, "bc cc");
}

static void what_was_for_a_stream_that_is_gone_is_not_dropped_in_silence(void **state)
{
    struct world *world = *state;
    start_ok(world);
    note(world, "a");
    gm_stream_close(world->streams[0]);
    world->streams[0] = NULL;
    world->conf.name = "s1";
    check_rc(start(world), GM_E_CONFIG, world->err);
    check_err_says(world->err, "`s0`, which is not declared any more");
}

static void numbers_that_do_not_fit_stop_the_pipeline_until_a_resync(void **state)
{
    struct world *world = *state;
    start_ok(world);
    write_one(world, "a");
    write_one(world, "b");
    check_ok(gm_db_exec(world->db, "UPDATE outboxes SET next = 1; DELETE FROM outbox", &world->err),
             world->err); /* an older copy */
    check_rc(start(world), GM_E_CONFIG, world->err);
    check_err_says(world->err, "older copy");
    world->resync = true;
    start_ok(world);
    write_one(world, "c");
    check_events(world, 0, "ac bc cc");
    check_ok(gm_db_exec(world->db, "UPDATE outboxes SET next = 9; DELETE FROM outbox", &world->err),
             world->err); /* the stream is the older one */
    world->resync = false;
    check_rc(start(world), GM_E_CONFIG, world->err);
    world->resync = true;
    start_ok(world);
    write_one(world, "d");
    check_events(world, 0, "ac bc cc dc");
}

static void each_event_passes_and_one_that_cannot_holds_back_its_key(void **state)
{
    struct world *world = *state;
    const struct gm_event good = {
        .key = GM_STR("a"), .type = GM_STR("t"), .time = 5, .body = GM_STR("[1.50]")};
    struct gm_event too_long = good;
    char type[GM_EVENT_TEXT_SIZE_MAX + 1];
    memset(type, 'x', sizeof(type));
    too_long.type = (struct gm_str){type, sizeof(type)};
    world->events = true;
    start_ok(world);
    gm_batch_reset(world->batch);
    const struct gm_event *events[] = {&good, &good, &too_long, &good};
    for (size_t i = 0; i < GM_ARRAY_COUNT(events); i++) {
        add(world, "a", "{\"value\":[1.5]}")->event = events[i];
    }
    add(world, "b", "{\"value\":[1.5]}")->event = &good;
    prepare(world);
    apply(world);
    commit(world);
    check_ok(deliver(world), world->err);
    check_events(world, 0, "at at at"); /* the last one is the record b's event */
    assert_int_equal(world->batch->records[2].rc, GM_E_INVALID);
    assert_int_equal(world->batch->records[3].rc, GM_E_CONFLICT);
    assert_int_equal(world->batch->records[4].verdict, GM_VERDICT_CREATED);
}

#define SINK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SINK_TEST(what_was_noted_and_not_delivered_is_delivered_first),
        SINK_TEST(what_was_delivered_and_not_settled_is_there_once),
        SINK_TEST(a_transaction_that_is_undone_leaves_neither_event_nor_gap),
        SINK_TEST(nothing_is_delivered_behind_what_failed),
        SINK_TEST(a_plan_delivers_and_keeps_nothing),
        SINK_TEST(what_says_the_same_is_not_told_again_and_what_changes_back_is),
        SINK_TEST(what_has_another_key_now_is_gone_under_the_former_one),
        SINK_TEST(what_was_for_another_stream_goes_there_first),
        SINK_TEST(what_was_for_a_stream_that_is_gone_is_not_dropped_in_silence),
        SINK_TEST(numbers_that_do_not_fit_stop_the_pipeline_until_a_resync),
        SINK_TEST(each_event_passes_and_one_that_cannot_holds_back_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
