/* The contract of connector.h, checked on every source connector in the same way. A kit makes a
 * connector's world; a new connector adds a kit here and passes. */
#include <stdio.h>

#include "base/map.h"
#include "base/mem.h"
#include "db/db.h"
#include "os/file.h"
#include "support/pg.h"
#include "support/source.h"
#include "sync/governor.h"

enum { ROWS = 40000 }; /* more than two batches */

struct world {
    struct source *source;
    struct tmp *tmp;
    bool halted; /* the server */
    char *url_z;
};

struct kit {
    const char *name_z;
    const char *connector_z;
    /* Makes ROWS things with the keys 1 … ROWS. Returns the settings, owned. */
    char *(*make)(struct world *world);
    /* Takes the source away, or damages it, while a pass is under way. */
    void (*break_off)(struct world *world);
    /* Changes the thing 1 and adds the thing ROWS + 1. */
    void (*change)(struct world *world);
    bool increments; /* files that go to an archive */
};

/* ---- kits: sql ---- */

static void exec(const char *url_z, const char *sql_z)
{
    struct gm_db_options options = {.url_z = url_z, .mode = GM_DB_WRITE};
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    check_ok(gm_db_open(&options, &db, &err), err);
    check_ok(gm_db_exec(db, sql_z, &err), err);
    gm_db_close(db);
}

static void make_table(struct world *world)
{
    GM_AUTO_FREE char *sql_z =
        gm_format_z("DROP TABLE IF EXISTS things;"
                    "CREATE TABLE things(id INTEGER PRIMARY KEY, v INTEGER, name TEXT);"
                    "INSERT INTO things WITH RECURSIVE n(i) AS "
                    "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
                    "SELECT i, i / 7, 'thing ' || i FROM n",
                    ROWS);
    exec(world->url_z, sql_z);
}

static char *make_sqlite_table(struct world *world)
{
    world->url_z = gm_strdup_z(tmp_url(world->tmp, "sqlite:", "erp.db"));
    make_table(world);
    return gm_strdup_z("{url: 'sqlite:erp.db', table: things, key: id}");
}

static char *make_sqlite_watermark(struct world *world)
{
    gm_free(make_sqlite_table(world));
    return gm_strdup_z("{url: 'sqlite:erp.db', table: things, key: id, watermark: v}");
}

static char *make_sqlite_query(struct world *world)
{
    gm_free(make_sqlite_table(world));
    return gm_strdup_z("{url: 'sqlite:erp.db', query: 'SELECT name, id, v FROM things', key: id, "
                       "watermark: v}");
}

static void cut_file(struct world *world, const char *name_z)
{
    struct gm_str content = tmp_read(world->tmp, name_z);
    struct gm_err err = {0};
    struct gm_file *file = NULL;
    /* In place: another file of the same name would leave the open one whole. */
    check_ok(gm_file_create(tmp_path(world->tmp, name_z), &file, &err), err);
    check_ok(gm_file_write(file, (struct gm_str){content.p, content.n / 2}, &err), err);
    gm_file_close(file);
}

static void cut_sqlite(struct world *world)
{
    cut_file(world, "erp.db");
}

static void change_table(struct world *world)
{
    GM_AUTO_FREE char *sql_z =
        gm_format_z("UPDATE things SET v = 100000, name = 'changed' WHERE id = 1;"
                    "INSERT INTO things VALUES(%d, 100001, 'new')",
                    ROWS + 1);
    exec(world->url_z, sql_z);
}

static struct pg_server *the_server; /* of all tests of this program; NULL: not installed */

static char *make_postgresql(struct world *world)
{
    world->url_z = gm_strdup_z(pg_server_url(the_server, "postgres"));
    make_table(world);
    return gm_format_z("{url: '%s', table: things, key: id, watermark: v}", world->url_z);
}

static void halt_postgresql(struct world *world)
{
    pg_server_halt(the_server);
    world->halted = true;
}

/* ---- kits: files ---- */

/* Lines from … to, made of a pattern in which '#' is the number. */
struct lines {
    const char *head_z;
    const char *pattern_z;
    int from;
    int to;
};

static void write_lines(struct world *world, const char *name_z, const struct lines *lines)
{
    struct gm_buf text;
    gm_buf_init(&text, 64 << 20);
    gm_buf_add_z(&text, lines->head_z);
    for (int i = lines->from; i <= lines->to; i++) {
        for (const char *p = lines->pattern_z; *p != '\0'; p++) {
            if (*p == '#') {
                gm_buf_addf(&text, "%d", i);
            } else {
                gm_buf_add_char(&text, *p);
            }
        }
    }
    tmp_write(world->tmp, name_z, gm_buf_str(&text));
    gm_buf_deinit(&text);
}

static char *make_csv(struct world *world)
{
    write_lines(world, "things.csv", &(struct lines){"id,name\n", "#,\"thing, #\"\n", 1, ROWS});
    return gm_strdup_z("{path: things.csv, key: id}");
}

static void cut_csv(struct world *world)
{
    cut_file(world, "things.csv");
}

static void change_csv(struct world *world)
{
    write_lines(world, "things.csv",
                &(struct lines){"id,name\n1,changed\n", "#,\"thing, #\"\n", 2, ROWS + 1});
}

static char *make_csv_folder(struct world *world)
{
    write_lines(world, "in/b.csv", &(struct lines){"name,id\n", "thing #,#\n", ROWS / 2 + 1, ROWS});
    write_lines(world, "in/a.csv", &(struct lines){"id,name\n", "#,thing #\n", 1, ROWS / 2});
    return gm_strdup_z("{path: 'in/*.csv', key: id, archive: done}");
}

static void remove_csv_folder(struct world *world)
{
    struct gm_err err = {0};
    check_ok(gm_file_remove(tmp_path(world->tmp, "in/b.csv"), &err), err);
}

static void change_csv_folder(struct world *world)
{
    write_lines(world, "in/c.csv",
                &(struct lines){"id,name\n1,changed\n", "#,new\n", ROWS + 1, ROWS + 1});
}

static char *make_jsonl(struct world *world)
{
    write_lines(world, "things.jsonl",
                &(struct lines){"", "{\"id\":#,\"name\":\"thing #\"}\n", 1, ROWS});
    return gm_strdup_z("{path: things.jsonl, key: id}");
}

static void cut_jsonl(struct world *world)
{
    cut_file(world, "things.jsonl");
}

static void change_jsonl(struct world *world)
{
    write_lines(world, "things.jsonl",
                &(struct lines){"{\"id\":1,\"name\":\"changed\"}\n",
                                "{\"id\":#,\"name\":\"thing #\"}\n", 2, ROWS + 1});
}

static const struct kit kits[] = {
    {"sqlite table", "sql", make_sqlite_table, cut_sqlite, change_table, false},
    {"sqlite table with a watermark", "sql", make_sqlite_watermark, cut_sqlite, change_table,
     false},
    {"sqlite query with a watermark", "sql", make_sqlite_query, cut_sqlite, change_table, false},
    {"postgresql table with a watermark", "sql", make_postgresql, halt_postgresql, change_table,
     false},
    {"csv file", "csv", make_csv, cut_csv, change_csv, false},
    {"csv folder with an archive", "csv", make_csv_folder, remove_csv_folder, change_csv_folder,
     true},
    {"jsonl file", "jsonl", make_jsonl, cut_jsonl, change_jsonl, false},
};

static struct world enter(const struct kit *kit)
{
    struct world world = {.tmp = tmp_new()};
    char *settings_z = kit->make(&world);
    world.source = source_new_in(world.tmp, kit->connector_z, settings_z);
    gm_free(settings_z);
    return world;
}

static void leave(struct world *world)
{
    source_free(world->source);
    tmp_free(world->tmp);
    gm_free(world->url_z);
    if (world->halted) {
        pg_server_resume(the_server);
    }
}

/* Runs a check in a world of its own for every kit. */
static void for_each_kit(void (*check)(const struct kit *kit, struct world *world))
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(kits); i++) {
        if (kits[i].make == make_postgresql && the_server == NULL) {
            print_message("skipped: %s (PostgreSQL is not installed)\n", kits[i].name_z);
            continue;
        }
        print_message("%s\n", kits[i].name_z);
        struct world world = enter(&kits[i]);
        check(&kits[i], &world);
        leave(&world);
    }
}

/* ---- checks ---- */

static unsigned caps(const struct world *world)
{
    return world->source->connector->caps;
}

/* Each of the keys 1 … count once, and nothing else. */
static void check_keys(const struct source *source, size_t count)
{
    struct gm_map *seen = gm_map_new();
    for (size_t i = 0; i < source->rows.n; i++) {
        assert_int_equal(source->rows.at[i].rc, GM_OK);
        assert_true(gm_map_set(seen, gm_str_z(source->rows.at[i].key_z), i));
    }
    assert_int_equal(gm_map_count(seen), count);
    for (size_t i = 1; i <= count; i++) {
        char key[16];
        uint64_t row;
        (void)snprintf(key, sizeof(key), "%zu", i);
        assert_true(gm_map_get(seen, gm_str_z(key), &row));
    }
    gm_map_free(seen);
}

static void check_full_pass(const struct kit *kit, struct world *world)
{
    source_pass(world->source, "");
    check_keys(world->source, ROWS);
    assert_true(world->source->pass.full == !kit->increments);
    check_rc(source_read(world->source), GM_E_END, world->source->err); /* and stays at the end */
}

static void a_pass_from_the_beginning_delivers_everything_once(void **state)
{
    (void)state;
    for_each_kit(check_full_pass);
}

static void check_records(const struct kit *kit, struct world *world)
{
    (void)kit;
    struct source *source = world->source;
    source_connect_ok(source, "");
    for (gm_rc rc = GM_OK; rc == GM_OK;) {
        rc = source_read(source);
        const struct gm_batch *batch = source->batch;
        assert_true(batch->count <= GM_BATCH_RECORDS_MAX);
        assert_true(rc == GM_E_END || batch->origin.n > 0);
        for (size_t i = 0; i < batch->count; i++) {
            const struct gm_record *record = &batch->records[i];
            assert_true(record->key.n > 0 && record->key.n <= GM_KEY_SIZE_MAX);
            assert_true(record->position > (i > 0 ? batch->records[i - 1].position : 0));
            assert_false(record->hash.high == 0 && record->hash.low == 0);
            assert_true((record->cells != NULL) != (record->body != NULL));
            assert_true(record->body != NULL || batch->shape != NULL);
            assert_int_equal(record->verdict, GM_VERDICT_NONE);
        }
    }
}

static void records_carry_key_position_origin_and_hash(void **state)
{
    (void)state;
    for_each_kit(check_records);
}

static void check_progress(const struct kit *kit, struct world *world)
{
    (void)kit;
    struct source *source = world->source;
    source_pass(source, "");
    assert_true(source->bytes_read > 0);
    uint64_t rows = source->pass.rows_estimate;
    uint64_t bytes = source->pass.bytes_estimate;
    assert_true(rows > 0 || bytes > 0);
    assert_true(rows == 0 || (rows > ROWS / 2 && rows < 2 * ROWS));
    assert_true(bytes == 0 || bytes == source->bytes_read);
}

static void estimates_say_how_far_a_pass_is(void **state)
{
    (void)state;
    for_each_kit(check_progress);
}

static void check_stop(const struct kit *kit, struct world *world)
{
    (void)kit;
    struct source *source = world->source;
    source_connect_ok(source, "");
    check_rc(source_read(source), GM_OK, source->err);
    gm_stop_request(source->stop);
    check_rc(source_read_all(source), GM_E_CANCELLED, source->err);
    assert_true(source->rows.n < ROWS);
    check_rc(source_read(source), GM_E_CANCELLED, source->err); /* it does not heal */
}

static void a_stop_cancels_a_pass(void **state)
{
    (void)state;
    for_each_kit(check_stop);
}

static void check_deadline(const struct kit *kit, struct world *world)
{
    (void)kit;
    struct source *source = world->source;
    source_connect_ok(source, "");
    source->deadline.at = 1; /* long ago */
    check_rc(source_read(source), GM_E_CANCELLED, source->err);
    assert_int_equal(source->rows.n, 0);
    source->deadline.at = 0;
    source_pass(source, ""); /* connecting starts anew */
    check_keys(source, ROWS);
}

static void a_deadline_cancels_a_pass(void **state)
{
    (void)state;
    for_each_kit(check_deadline);
}

static void check_close(const struct kit *kit, struct world *world)
{
    for (int reached = 0; reached < 5; reached++) {
        struct world other = enter(kit);
        if (reached >= 1) {
            source_connect_ok(other.source, "");
        }
        if (reached >= 2) {
            check_rc(source_read(other.source), GM_OK, other.source->err);
        }
        if (reached == 3) {
            check_rc(source_read_all(other.source), GM_E_END, other.source->err);
        }
        if (reached == 4) {
            kit->break_off(&other);
            (void)source_read_all(other.source);
        }
        leave(&other);
    }
    world->source->connector->close(NULL);
}

static void closing_is_fine_in_any_state(void **state)
{
    (void)state;
    for_each_kit(check_close);
}

static void check_read_unconnected(const struct kit *kit, struct world *world)
{
    (void)kit;
    struct source *source = world->source;
    gm_rc rc = source_read(source);
    assert_true(rc != GM_OK && rc != GM_E_END);
    source_pass(source, "");
    check_keys(source, ROWS);
}

static void reading_before_connecting_is_no_end(void **state)
{
    (void)state;
    for_each_kit(check_read_unconnected);
}

static void check_connect_again(const struct kit *kit, struct world *world)
{
    (void)kit;
    struct source *source = world->source;
    source_connect_ok(source, "");
    check_rc(source_read(source), GM_OK, source->err);
    source_pass(source, "");
    check_keys(source, ROWS);
}

static void connecting_again_starts_anew(void **state)
{
    (void)state;
    for_each_kit(check_connect_again);
}

static void check_broken(const struct kit *kit, struct world *world)
{
    struct source *source = world->source;
    source_connect_ok(source, "");
    check_rc(source_read(source), GM_OK, source->err);
    kit->break_off(world);
    gm_rc rc = source_read_all(source);
    if (rc == GM_E_END) {
        check_keys(source, ROWS); /* all of it was in memory already */
        return;
    }
    assert_true(rc == GM_E_RETRY || rc == GM_E_CONFIG);
    assert_true(source->err.text[0] != '\0');
    check_rc(source_read(source), rc, source->err);
}

static void a_source_that_breaks_off_never_ends_with_less_than_everything(void **state)
{
    (void)state;
    for_each_kit(check_broken);
}

static void check_snapshot(const struct kit *kit, struct world *world)
{
    if ((caps(world) & GM_CAP_SNAPSHOT) == 0) {
        return;
    }
    struct source *source = world->source;
    source_connect_ok(source, "");
    check_rc(source_read(source), GM_OK, source->err);
    kit->change(world);
    check_rc(source_read_all(source), GM_E_END, source->err);
    check_keys(source, ROWS);
    for (size_t i = 0; i < source->rows.n; i++) {
        assert_null(strstr(source->rows.at[i].json_z, "changed"));
    }
}

static void a_snapshot_does_not_show_later_changes(void **state)
{
    (void)state;
    for_each_kit(check_snapshot);
}

static void check_changes(const struct kit *kit, struct world *world)
{
    struct source *source = world->source;
    source_pass(source, "");
    GM_AUTO_FREE char *cursor_z = gm_strdup_z(source->cursor_z);
    kit->change(world);
    source_pass(source, cursor_z);
    bool incremental = cursor_z[0] != '\0' || kit->increments;
    assert_true(source->pass.full == !incremental);
    bool changed = false;
    bool added = false;
    for (size_t i = 0; i < source->rows.n; i++) {
        changed = changed || strstr(source->rows.at[i].json_z, "changed") != NULL;
        added = added || strcmp(source->rows.at[i].key_z, "40001") == 0;
    }
    assert_true(changed && added);
    assert_int_equal(source->rows.n, incremental ? 2 : ROWS + 1);
}

static void the_pass_behind_a_cursor_shows_what_came_since(void **state)
{
    (void)state;
    for_each_kit(check_changes);
}

/* A run that dies goes on at the cursor of its last durable batch: between both, nothing is
 * lost. */
static void check_restart(const struct kit *kit, struct world *world)
{
    (void)kit;
    struct source *source = world->source;
    if ((caps(world) & GM_CAP_CURSOR) == 0 || world->url_z == NULL) {
        return;
    }
    source_connect_ok(source, "v=int:-1"); /* from the beginning, as increments */
    if (source->pass.full) {
        return; /* a table without a watermark */
    }
    struct gm_map *seen = gm_map_new();
    for (gm_rc rc = GM_OK; rc == GM_OK;) {
        rc = source_read(source);
        for (size_t i = 0; i < source->rows.n; i++) {
            (void)gm_map_set(seen, gm_str_z(source->rows.at[i].key_z), 1);
        }
        source_connect_ok(source, source->cursor_z); /* dies after each batch */
        assert_false(source->pass.full);
    }
    assert_int_equal(gm_map_count(seen), ROWS);
    gm_map_free(seen);
}

static void a_restart_at_a_batch_cursor_loses_nothing(void **state)
{
    (void)state;
    for_each_kit(check_restart);
}

static void check_foreign_cursor(const struct kit *kit, struct world *world)
{
    source_pass(world->source, "what another source may have written");
    check_keys(world->source, ROWS);
    assert_true(world->source->pass.full == !kit->increments);
}

static void a_foreign_cursor_starts_from_the_beginning(void **state)
{
    (void)state;
    for_each_kit(check_foreign_cursor);
}

static void check_ack(const struct kit *kit, struct world *world)
{
    (void)kit;
    struct source *source = world->source;
    source_connect_ok(source, "");
    check_rc(source_read(source), GM_OK, source->err);
    check_ok(source->connector->ack(source->self, GM_STR(""), false, &source->err), source->err);
    check_rc(source_read_all(source), GM_E_END, source->err);
    /* Not acknowledged as a whole: the next pass shows all of it again. */
    source_pass(source, "");
    check_keys(source, ROWS);
}

static void nothing_is_taken_away_before_the_pass_is_acknowledged(void **state)
{
    (void)state;
    for_each_kit(check_ack);
}

static void check_hashes(const struct kit *kit, struct world *world)
{
    (void)kit;
    struct source *source = world->source;
    struct gm_map *seen = gm_map_new();
    for (int pass = 0; pass < 2; pass++) {
        source_connect_ok(source, "");
        check_rc(source_read_all(source), GM_E_END, source->err);
        for (size_t i = 0; i < source->rows.n; i++) {
            uint64_t hash = source->rows.at[i].hash.low;
            struct gm_str key = gm_str_z(source->rows.at[i].key_z);
            uint64_t before = hash;
            (void)gm_map_get(seen, key, &before);
            assert_int_equal(before, hash);
            (void)gm_map_set(seen, key, hash);
        }
    }
    gm_map_free(seen);
}

static void a_thing_that_did_not_change_has_the_same_hash_in_every_pass(void **state)
{
    (void)state;
    for_each_kit(check_hashes);
}

/* ---- the table ---- */

static bool has_kit(const char *name_z)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(kits); i++) {
        if (strcmp(kits[i].connector_z, name_z) == 0) {
            return true;
        }
    }
    return false;
}

static void check_example(const struct gm_connector *connector)
{
    struct gm_conf_doc *doc = gm_conf_doc_new(NULL);
    const struct gm_node *node = gm_conf_load(doc, "a.yaml", gm_str_z(connector->example_z));
    assert_non_null(node);
    const struct gm_node *settings = gm_node_member(node, gm_str_z(connector->name_z));
    assert_non_null(settings);
    assert_non_null(connector->fields);
    gm_conf_doc_free(doc);
}

static void every_connector_describes_itself(void **state)
{
    (void)state;
    for (size_t i = 0; gm_connectors()[i] != NULL; i++) {
        const struct gm_connector *connector = gm_connectors()[i];
        assert_ptr_equal(gm_connector_find(gm_str_z(connector->name_z)), connector);
        assert_ptr_equal(connector->self, connector);
        assert_string_equal(connector->alternative.name_z, connector->name_z);
        assert_ptr_equal(connector->alternative.fields, connector->fields);
        assert_int_equal(connector->alternative.conf_size, connector->conf_size);
        assert_true(strlen(connector->help_z) > 20);
        if ((connector->roles & GM_ROLE_SOURCE) != 0) {
            /* Of events the rules are others: tests/pipeline/test_streams.py. */
            assert_true(has_kit(connector->name_z) || (connector->caps & GM_CAP_EVENTS) != 0);
            check_example(connector);
            for (const struct gm_field *field = connector->fields; field->type != GM_T_END;
                 field++) {
                assert_non_null(field->help);
            }
        }
    }
    assert_null(gm_connector_find(GM_STR("nothing")));
}

static void every_sink_has_the_functions_of_its_kind(void **state)
{
    (void)state;
    for (size_t i = 0; gm_connectors()[i] != NULL; i++) {
        const struct gm_connector *connector = gm_connectors()[i];
        if ((connector->roles & GM_ROLE_SINK) == 0) {
            continue;
        }
        print_message("%s\n", connector->name_z);
        const struct gm_outside *outside = connector->outside;
        assert_true(connector->sink_open != NULL && connector->sink_close != NULL &&
                    connector->prepare != NULL && connector->expect != NULL &&
                    connector->actual != NULL);
        /* In the store it takes effect in a transaction; outside it is looked at, noted, sent,
         * kept. */
        assert_true((outside == NULL) == (connector->apply != NULL));
        assert_true((outside == NULL) == (connector->remove != NULL));
        if (outside != NULL) {
            assert_true(outside->look != NULL && outside->look_removals != NULL &&
                        outside->intend != NULL && outside->send != NULL && outside->keep != NULL &&
                        outside->fetch != NULL);
        }
        /* What it notes there is brought elsewhere behind the commit. */
        const struct gm_behind *behind = connector->behind;
        assert_true(behind == NULL || (outside == NULL && behind->begin != NULL &&
                                       behind->deliver != NULL && behind->settle != NULL));
        const struct gm_alternative *sink = gm_connector_as_sink(connector);
        assert_string_equal(sink->name_z, connector->name_z);
        assert_ptr_equal(sink->self, connector);
        assert_true(strlen(sink->help_z) > 20);
        for (const struct gm_field *field = sink->fields; field->type != GM_T_END; field++) {
            assert_non_null(field->help);
        }
    }
}

static gm_rc resolve_to_itself(void *ctx, struct gm_str kind, struct gm_str name,
                               struct gm_buf *out, struct gm_err *err)
{
    (void)ctx;
    (void)kind;
    (void)err;
    gm_buf_add(out, name);
    return GM_OK;
}

/* Settings as in the connector's own example, opened and closed without a service. */
static void every_sink_opens_offline(void **state)
{
    (void)state;
    struct gm_governors *governors = gm_governors_new();
    for (size_t i = 0; gm_connectors()[i] != NULL; i++) {
        const struct gm_connector *connector = gm_connectors()[i];
        if ((connector->roles & GM_ROLE_SINK) == 0) {
            continue;
        }
        struct gm_conf_resolver resolver = {.lookup = resolve_to_itself};
        struct gm_conf_doc *doc = gm_conf_doc_new(&resolver);
        const struct gm_alternative *sink = gm_connector_as_sink(connector);
        const char *example_z =
            sink == &connector->as_sink ? connector->sink_example_z : connector->example_z;
        const struct gm_node *node = gm_conf_load(doc, "a.yaml", gm_str_z(example_z));
        const struct gm_node *settings = gm_node_member(node, gm_str_z(connector->name_z));
        void *conf = gm_alloc(sink->conf_size);
        void *self = NULL;
        struct gm_err err = {0};
        gm_conf_decode(doc, settings, sink->fields, conf);
        assert_int_equal(gm_conf_error_count(doc), 0);
        struct gm_sink_env env = {.governors = governors, .clock = gm_clock_system()};
        check_ok(connector->sink_open(conf, &env, &self, &err), err);
        connector->sink_close(self);
        gm_free(conf);
        gm_conf_doc_free(doc);
    }
    gm_governors_free(governors);
}

static size_t count_in(const struct gm_alternative *const *list, const struct gm_connector *wanted)
{
    size_t count = 0;
    for (size_t i = 0; list[i] != NULL; i++) {
        count += list[i]->self == wanted;
    }
    return count;
}

static void every_connector_can_be_chosen_in_its_roles(void **state)
{
    (void)state;
    for (size_t i = 0; gm_connectors()[i] != NULL; i++) {
        const struct gm_connector *connector = gm_connectors()[i];
        bool source = (connector->roles & GM_ROLE_SOURCE) != 0;
        bool sink = (connector->roles & GM_ROLE_SINK) != 0;
        assert_int_equal(count_in(gm_source_alternatives(), connector), source);
        assert_int_equal(count_in(gm_sink_alternatives(), connector), sink);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_from_the_beginning_delivers_everything_once),
        cmocka_unit_test(records_carry_key_position_origin_and_hash),
        cmocka_unit_test(estimates_say_how_far_a_pass_is),
        cmocka_unit_test(a_stop_cancels_a_pass),
        cmocka_unit_test(a_deadline_cancels_a_pass),
        cmocka_unit_test(closing_is_fine_in_any_state),
        cmocka_unit_test(reading_before_connecting_is_no_end),
        cmocka_unit_test(connecting_again_starts_anew),
        cmocka_unit_test(a_source_that_breaks_off_never_ends_with_less_than_everything),
        cmocka_unit_test(a_snapshot_does_not_show_later_changes),
        cmocka_unit_test(the_pass_behind_a_cursor_shows_what_came_since),
        cmocka_unit_test(a_restart_at_a_batch_cursor_loses_nothing),
        cmocka_unit_test(a_foreign_cursor_starts_from_the_beginning),
        cmocka_unit_test(nothing_is_taken_away_before_the_pass_is_acknowledged),
        cmocka_unit_test(a_thing_that_did_not_change_has_the_same_hash_in_every_pass),
        cmocka_unit_test(every_connector_describes_itself),
        cmocka_unit_test(every_connector_can_be_chosen_in_its_roles),
        cmocka_unit_test(every_sink_has_the_functions_of_its_kind),
        cmocka_unit_test(every_sink_opens_offline),
    };
    the_server = pg_server_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pg_server_stop(the_server);
    return failed;
}
