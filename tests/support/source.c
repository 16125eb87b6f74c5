#include "support/source.h"

#include "base/buf.h"
#include "base/mem.h"

enum { TEXT_MAX = 64 << 20 };

static gm_ns stopped_wall(const struct gm_clock *clock)
{
    return ((const struct source *)clock->self)->now;
}

static gm_ns system_mono(const struct gm_clock *clock)
{
    (void)clock;
    return gm_clock_system()->mono(gm_clock_system());
}

static void set_up_world(struct source *source, struct tmp *tmp)
{
    source->tmp = tmp;
    source->now = (gm_ns)1795194595 * GM_SECOND; /* 2026-11-20T17:09:55Z */
    source->clock = (struct gm_clock){.wall = stopped_wall, .mono = system_mono, .self = source};
    source->stop = gm_stop_new();
    source->deadline = (struct gm_deadline){.at = 0, .stop = source->stop};
    source->batch = gm_batch_new();
    source->env = (struct gm_connect_env){
        .folder_z = tmp_folder(tmp),
        .clock = &source->clock,
        .stop = source->stop,
        .hash_seed = 17,
    };
}

static void must_be_clean(const struct gm_conf_doc *doc)
{
    if (gm_conf_error_count(doc) > 0) {
        struct gm_buf errors;
        gm_buf_init(&errors, TEXT_MAX);
        gm_conf_print_errors(doc, &errors);
        fail_msg("%s", errors.p);
    }
}

struct source *source_new_in(struct tmp *tmp, const char *connector_z, const char *settings_z)
{
    struct source *source = gm_alloc(sizeof(*source));
    set_up_world(source, tmp);
    source->connector = gm_connector_find(gm_str_z(connector_z));
    assert_non_null(source->connector);
    source->doc = gm_conf_doc_new(NULL);
    const struct gm_node *node =
        gm_conf_load(source->doc, tmp_path(tmp, "gemel.yaml"), gm_str_z(settings_z));
    source->conf = gm_alloc(source->connector->conf_size);
    if (node != NULL) {
        gm_conf_decode(source->doc, node, source->connector->fields, source->conf);
        source->connector->lint(source->doc, node, source->conf);
    }
    must_be_clean(source->doc);
    check_ok(source->connector->open(source->conf, &source->env, &source->self, &source->err),
             source->err);
    return source;
}

struct source *source_new(const char *connector_z, const char *settings_z)
{
    return source_new_in(tmp_new(), connector_z, settings_z);
}

struct source *source_of(const char *connector_z, const char *settings_z, const char *content_z)
{
    struct source *source = source_new(connector_z, settings_z);
    GM_AUTO_FREE char *name_z = gm_format_z("a.%s", connector_z);
    tmp_write(source->tmp, name_z, gm_str_z(content_z));
    return source;
}

static void forget_rows(struct source *source)
{
    for (size_t i = 0; i < source->rows.n; i++) {
        gm_free(source->rows.at[i].key_z);
        gm_free(source->rows.at[i].origin_z);
        gm_free(source->rows.at[i].json_z);
        gm_free(source->rows.at[i].error_z);
    }
    gm_vec_deinit(&source->rows);
    gm_free(source->cursor_z);
    gm_free(source->first_batch_cursor_z);
    source->cursor_z = NULL;
    source->first_batch_cursor_z = NULL;
    source->batches = 0;
    source->bytes_read = 0;
}

void source_free(struct source *source)
{
    if (source == NULL) {
        return;
    }
    source->connector->close(source->self);
    forget_rows(source);
    gm_batch_free(source->batch);
    gm_stop_free(source->stop);
    gm_conf_doc_free(source->doc);
    gm_free(source->conf);
    gm_free(source);
}

void source_end(struct source *source)
{
    struct tmp *tmp = source->tmp;
    source_free(source);
    tmp_free(tmp);
}

const char *source_lint(const char *connector_z, const char *settings_z)
{
    static char text[4096];
    const struct gm_connector *connector = gm_connector_find(gm_str_z(connector_z));
    struct gm_conf_doc *doc = gm_conf_doc_new(NULL);
    const struct gm_node *node = gm_conf_load(doc, "a.yaml", gm_str_z(settings_z));
    void *conf = gm_alloc(connector->conf_size);
    if (node != NULL) {
        gm_conf_decode(doc, node, connector->fields, conf);
        connector->lint(doc, node, conf);
    }
    struct gm_buf errors;
    gm_buf_init(&errors, sizeof(text) - 1);
    gm_conf_print_errors(doc, &errors);
    memcpy(text, errors.n > 0 ? errors.p : "", errors.n + 1);
    gm_buf_deinit(&errors);
    gm_free(conf);
    gm_conf_doc_free(doc);
    return text;
}

gm_rc source_connect(struct source *source, const char *cursor_z)
{
    /* The cursor may be one of those that are forgotten. */
    GM_AUTO_FREE char *cursor = gm_strdup_z(cursor_z);
    forget_rows(source);
    source->err = (struct gm_err){0};
    source->pass = (struct gm_pass){0};
    return source->connector->connect(source->self, gm_str_z(cursor), &source->pass, &source->err);
}

void source_connect_ok(struct source *source, const char *cursor_z)
{
    check_ok(source_connect(source, cursor_z), source->err);
}

static char *json_of(struct gm_batch *batch, struct gm_record *record)
{
    struct gm_buf json;
    gm_buf_init(&json, TEXT_MAX);
    gm_json_canonical(batch->doc, gm_record_json(batch, record), &json);
    assert_false(gm_buf_failed(&json));
    return gm_buf_take_z(&json);
}

static void keep_record(struct source *source, struct gm_record *record)
{
    *gm_vec_push(&source->rows) = (struct source_row){
        .key_z = gm_str_dup_z(record->key),
        .origin_z = gm_str_dup_z(source->batch->origin),
        .json_z = json_of(source->batch, record),
        .error_z = record->rc != GM_OK ? gm_str_dup_z(record->error) : NULL,
        .rc = record->rc,
        .position = record->position,
        .version = record->version,
        .hash = record->hash,
    };
}

gm_rc source_read(struct source *source)
{
    source->err = (struct gm_err){0};
    gm_batch_reset(source->batch);
    gm_rc rc =
        source->connector->read(source->self, source->batch, &source->deadline, &source->err);
    for (size_t i = 0; i < source->batch->count; i++) {
        keep_record(source, &source->batch->records[i]);
    }
    gm_free(source->cursor_z);
    source->cursor_z = gm_str_dup_z(source->batch->cursor);
    if (source->batches++ == 0) {
        source->first_batch_cursor_z = gm_strdup_z(source->cursor_z);
    }
    source->bytes_read += source->batch->bytes_read;
    /* The contract: records and GM_OK, or no record and the end. */
    assert_false(rc == GM_OK && source->batch->count == 0);
    assert_false(rc == GM_E_END && source->batch->count > 0);
    return rc;
}

gm_rc source_read_all(struct source *source)
{
    gm_rc rc;
    do {
        rc = source_read(source);
    } while (rc == GM_OK);
    return rc;
}

void source_pass(struct source *source, const char *cursor_z)
{
    source_connect_ok(source, cursor_z);
    check_rc(source_read_all(source), GM_E_END, source->err);
    check_ok(source->connector->ack(source->self, gm_str_z(source->cursor_z), true, &source->err),
             source->err);
}

void check_rows_at(struct source *source, const char *expected_z, const struct check_place *place)
{
    struct gm_buf text;
    gm_buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < source->rows.n; i++) {
        const struct source_row *row = &source->rows.at[i];
        if (row->error_z != NULL) {
            gm_buf_addf(&text, "%s !%s\n", row->key_z, row->error_z);
        } else {
            gm_buf_add_z(&text, row->key_z);
            gm_buf_add_char(&text, ' ');
            gm_buf_add_z(&text, row->json_z);
            gm_buf_add_char(&text, '\n');
        }
    }
    check_str_at(text.n > 0 ? gm_buf_str(&text) : GM_STR(""), expected_z, place);
    gm_buf_deinit(&text);
}

void source_expect_rows(struct source *source, const char *rows_z)
{
    source_pass(source, "");
    check_rows(source, rows_z);
    source_end(source);
}

void source_expect_broken(struct source *source, gm_rc rc, const char *says_z)
{
    gm_rc got = source_connect(source, "");
    if (got == GM_OK) {
        got = source_read_all(source);
    }
    check_rc(got, rc, source->err);
    check_err_says(source->err, says_z);
    source_end(source);
}
