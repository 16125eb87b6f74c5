/* The endpoint `file`: whole lines, whatever happens in between. */
#include "support/check.h"
#include "support/tmp.h"

#include "base/mem.h"
#include "connect/endpoint.h"
#include "os/file.h"

/* As the endpoint's table has it. */
struct fixture {
    struct tmp *tmp;
    struct gm_conf_doc *doc;
    struct gm_conf_map endpoints;
    void *self;
};
static const struct gm_field fields[] = {
    GM_FIELD_MAP(struct fixture, endpoints, .alternatives = gm_endpoint_alternatives,
                 .item_size = sizeof(struct gm_conf_choice)),
    GM_FIELD_END,
};

static void open_endpoint(struct fixture *fixture, const char *settings_z)
{
    struct gm_err err = {0};
    GM_AUTO_FREE char *text_z = gm_format_z("endpoints: {e: {file: {%s}}}", settings_z);
    fixture->doc = gm_conf_doc_new(NULL);
    GM_AUTO_FREE char *path_z = gm_strdup_z(tmp_path(fixture->tmp, "gemel.yaml"));
    const struct gm_node *root = gm_conf_load(fixture->doc, path_z, gm_str_z(text_z));
    gm_conf_decode(fixture->doc, root, fields, fixture);
    assert_int_equal(gm_conf_error_count(fixture->doc), 0);
    const struct gm_conf_choice *choice = fixture->endpoints.at[0].value;
    check_ok(gm_endpoint_file.open(choice->conf, NULL, &fixture->self, &err), err);
}

static gm_rc deliver(struct fixture *fixture, struct gm_str event, size_t count, size_t *out_taken)
{
    struct gm_err err = {0};
    struct gm_str events[100];
    assert_true(count <= GM_ARRAY_COUNT(events));
    for (size_t i = 0; i < count; i++) {
        events[i] = event;
    }
    struct gm_delivery delivery = {.events = events, .count = count};
    gm_rc rc = gm_endpoint_file.deliver(fixture->self, &delivery, &err);
    *out_taken = delivery.taken;
    return rc;
}

static int setup(void **state)
{
    struct fixture *fixture = gm_alloc(sizeof(*fixture));
    fixture->tmp = tmp_new();
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    gm_endpoint_file.close(fixture->self);
    gm_conf_doc_free(fixture->doc);
    tmp_free(fixture->tmp);
    gm_free(fixture);
    return 0;
}

static void events_are_lines_behind_those_that_are_there(void **state)
{
    struct fixture *fixture = *state;
    size_t taken;
    (void)tmp_write(fixture->tmp, "e.ndjson", GM_STR("{\"old\":1}\n{\"torn"));
    open_endpoint(fixture, "path: e.ndjson");
    assert_int_equal(deliver(fixture, GM_STR("{}"), 2, &taken), GM_OK);
    assert_int_equal(taken, 2);
    check_str(tmp_read(fixture->tmp, "e.ndjson"), "{\"old\":1}\n{}\n{}\n");
    /* somebody else wrote half a line meanwhile */
    (void)tmp_write(fixture->tmp, "e.ndjson", GM_STR("{}\n{"));
    assert_int_equal(deliver(fixture, GM_STR("{\"a\":1}"), 1, &taken), GM_OK);
    check_str(tmp_read(fixture->tmp, "e.ndjson"), "{}\n{\"a\":1}\n");
}

static void full_files_are_put_aside_and_the_oldest_go(void **state)
{
    struct fixture *fixture = *state;
    size_t taken;
    open_endpoint(fixture, "path: e.ndjson, rotate: {size: 20B, keep: 2}");
    static const char *const events[] = {"\"111111111111\"", "\"222222222222\"", "\"333333333333\"",
                                         "\"444444444444\""};
    for (size_t i = 0; i < GM_ARRAY_COUNT(events); i++) {
        assert_int_equal(deliver(fixture, gm_str_z(events[i]), 1, &taken), GM_OK);
    }
    check_str(tmp_read(fixture->tmp, "e.ndjson"), "\"444444444444\"\n");
    check_str(tmp_read(fixture->tmp, "e.ndjson.1"), "\"333333333333\"\n");
    check_str(tmp_read(fixture->tmp, "e.ndjson.2"), "\"222222222222\"\n");
    /* what is larger than a file may be is a file by itself */
    assert_int_equal(deliver(fixture, GM_STR("\"55555555555555555555555555555\""), 1, &taken),
                     GM_OK);
    check_str(tmp_read(fixture->tmp, "e.ndjson"), "\"55555555555555555555555555555\"\n");
    check_str(tmp_read(fixture->tmp, "e.ndjson.2"), "\"333333333333\"\n");
}

static void what_cannot_be_written_now_may_be_later(void **state)
{
    struct fixture *fixture = *state;
    struct gm_err err = {0};
    size_t taken;
    open_endpoint(fixture, "path: later/e.ndjson");
    assert_int_equal(deliver(fixture, GM_STR("{}"), 1, &taken), GM_E_RETRY);
    assert_int_equal(taken, 0);
    check_ok(gm_folder_make(tmp_path(fixture->tmp, "later"), &err), err);
    assert_int_equal(deliver(fixture, GM_STR("{}"), 1, &taken), GM_OK);
    check_str(tmp_read(fixture->tmp, "later/e.ndjson"), "{}\n");
}

static void a_full_disk_confirms_nothing(void **state)
{
    struct fixture *fixture = *state;
    size_t taken;
    open_endpoint(fixture, "path: /dev/full");
    assert_int_equal(deliver(fixture, GM_STR("{}"), 3, &taken), GM_E_RETRY);
    assert_int_equal(taken, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(events_are_lines_behind_those_that_are_there),
        TEST(full_files_are_put_aside_and_the_oldest_go),
        TEST(what_cannot_be_written_now_may_be_later),
        TEST(a_full_disk_confirms_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
