/* JSON into events: forms, paths, what is refused. */
#include "hub/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct bench {
    struct gm_decoder *decoder;
    struct gm_decoded *decoded;
};

static struct bench open_bench(const struct gm_stream_conf *conf)
{
    struct bench bench = {.decoded = gm_decoded_new(1 << 20)};
    struct gm_err err = {0};
    assert_int_equal(gm_decoder_new(conf, &bench.decoder, &err), GM_OK);
    return bench;
}

static void close_bench(struct bench *bench)
{
    gm_decoder_free(bench->decoder);
    gm_decoded_free(bench->decoded);
}

#define assert_text(str, z) assert_true(gm_str_is((str), (z)))

static void lines_become_events_with_their_bodies_as_they_came(void **state)
{
    (void)state;
    const struct gm_stream_conf conf = {
        .key = "machine-{machine.id}", .time = "at", .sequence = "n"};
    struct bench bench = open_bench(&conf);
    gm_decode(bench.decoder, GM_FORM_LINES,
              GM_STR(" {\"machine\": {\"id\": 7},\"at\":\"2026-11-20T00:00:00Z\",\"n\":3}\r\n\n"
                     "{\"machine\":{\"id\":\"a\\u0062\"},\"at\":5}"),
              bench.decoded);
    assert_int_equal(bench.decoded->wrong_count, 0);
    assert_int_equal(bench.decoded->events.n, 2);
    const struct gm_event *events = bench.decoded->events.at;
    assert_text(events[0].key, "machine-7");
    assert_int_equal(events[0].sequence, 3);
    assert_int_equal(events[0].time, 1795132800 * GM_SECOND);
    assert_text(events[0].body,
                "{\"machine\": {\"id\": 7},\"at\":\"2026-11-20T00:00:00Z\",\"n\":3}");
    assert_text(events[1].key, "machine-ab");
    assert_int_equal(events[1].time, 5 * GM_SECOND);
    assert_int_equal(bench.decoded->numbers.at[1], 3);
    close_bench(&bench);
}

static void wrong_lines_are_named_and_the_others_taken(void **state)
{
    (void)state;
    const struct gm_stream_conf conf = {0};
    struct bench bench = open_bench(&conf);
    gm_decode(bench.decoder, GM_FORM_LINES,
              GM_STR("{\"key\":\"a\"}\n{\"key\":\n{\"name\":1}\n{\"key\":[]}\n{\"key\":\"b\","
                     "\"time\":\"soon\"}\n{\"key\":\"c\"}"),
              bench.decoded);
    assert_int_equal(bench.decoded->events.n, 2);
    assert_int_equal(bench.decoded->wrong_count, 4);
    assert_int_equal(bench.decoded->wrong.at[0].number, 2);
    assert_text(bench.decoded->wrong.at[1].reason,
                "there is nothing at `key`, which makes its key");
    assert_int_equal(bench.decoded->wrong.at[2].number, 4);
    assert_int_equal(bench.decoded->wrong.at[3].number, 5);
    close_bench(&bench);
}

static void json_is_an_array_a_value_or_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text_z;
        size_t events, wrong;
    } cases[] = {
        {"[{\"key\":\"a\"}, {\"key\":\"b,]\"} ]", 2, 0},
        {"{\n  \"key\": \"a\"\n}", 1, 0},
        {"{\"key\":\"a\"}\n{\"key\":\"b\"}\n", 2, 0},
        {"[]", 0, 0},
        {"[{\"key\":\"a\"},]", 1, 1},
        {"[{\"key\":\"a\"} {\"key\":\"b\"}]", 0, 1},
        {"[{\"key\":\"a\"}", 0, 1},
        {"[{\"key\":\"a\"}] x", 1, 1},
        {"[{\"key\":\"a\"}}", 1, 1},
        {"", 0, 1},
        {"\"text\"", 0, 1},
    };
    const struct gm_stream_conf conf = {0};
    struct bench bench = open_bench(&conf);
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        gm_decoded_reset(bench.decoded);
        gm_decode(bench.decoder, GM_FORM_JSON, gm_str_z(cases[i].text_z), bench.decoded);
        assert_int_equal(bench.decoded->events.n, cases[i].events);
        assert_int_equal(bench.decoded->wrong_count, cases[i].wrong);
    }
    close_bench(&bench);
}

static void a_cloud_event_gives_its_attributes_and_its_data(void **state)
{
    (void)state;
    const struct gm_stream_conf conf = {0};
    struct bench bench = open_bench(&conf);
    gm_decode(bench.decoder, GM_FORM_CLOUD_BATCH,
              GM_STR("[{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/gw\",\"type\":\"t\","
                     "\"subject\":\"s\",\"time\":\"1970-01-01T00:00:09Z\",\"data\":{\"v\": 1.50}},"
                     "{\"specversion\":\"1.0\",\"source\":\"/gw\",\"type\":\"t\"}]"),
              bench.decoded);
    assert_int_equal(bench.decoded->events.n, 1);
    assert_int_equal(bench.decoded->wrong_count, 1);
    const struct gm_event *event = &bench.decoded->events.at[0];
    assert_text(event->key, "s");
    assert_text(event->id, "e1");
    assert_text(event->origin, "/gw");
    assert_text(event->type, "t");
    assert_text(event->body, "{\"v\":1.5}");
    assert_int_equal(event->time, 9 * GM_SECOND);
    assert_text(bench.decoded->wrong.at[0].reason, "no CloudEvent: it has no `id`");
    close_bench(&bench);
}

static void declared_types_are_enforced(void **state)
{
    (void)state;
    struct gm_conf_doc *doc = gm_conf_doc_new(NULL);
    const struct gm_node *node = gm_conf_load(
        doc, "x",
        GM_STR("{ types: { reading: { required: { m.t: double }, optional: { n: integer } } } }"));
    struct gm_stream_conf conf = {0};
    gm_conf_decode(doc, node, gm_stream_fields, &conf);
    assert_int_equal(gm_conf_error_count(doc), 0);
    struct bench bench = open_bench(&conf);
    gm_decode(bench.decoder, GM_FORM_LINES,
              GM_STR("{\"key\":\"a\",\"type\":\"reading\",\"m\":{\"t\":1.5},\"n\":null}\n"
                     "{\"key\":\"a\",\"type\":\"reading\",\"m\":{\"t\":\"1.5\"}}\n"
                     "{\"key\":\"a\",\"type\":\"reading\",\"m\":{}}\n"
                     "{\"key\":\"a\",\"type\":\"reading\",\"m\":{\"t\":1},\"n\":1.5}\n"
                     "{\"key\":\"a\",\"type\":\"other\"}\n{\"key\":\"a\"}\n"),
              bench.decoded);
    assert_int_equal(bench.decoded->events.n, 1);
    assert_int_equal(bench.decoded->wrong_count, 5);
    assert_text(bench.decoded->wrong.at[0].reason, "`m.t` of a `reading`: double is wanted");
    assert_text(bench.decoded->wrong.at[3].reason, "its type `other` is not declared");
    close_bench(&bench);
    gm_conf_doc_free(doc);
}

static void wrong_templates_are_told(void **state)
{
    (void)state;
    static const char *const keys[] = {"a-{b", "a}-{b}", "x-{{}}", "a..b", ""};
    for (size_t i = 0; i < GM_ARRAY_COUNT(keys); i++) {
        struct gm_decoder *decoder = NULL;
        struct gm_err err = {0};
        const struct gm_stream_conf conf = {.key = keys[i]};
        assert_int_equal(gm_decoder_new(&conf, &decoder, &err), GM_E_CONFIG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_events_with_their_bodies_as_they_came),
        cmocka_unit_test(wrong_lines_are_named_and_the_others_taken),
        cmocka_unit_test(json_is_an_array_a_value_or_lines),
        cmocka_unit_test(a_cloud_event_gives_its_attributes_and_its_data),
        cmocka_unit_test(declared_types_are_enforced),
        cmocka_unit_test(wrong_templates_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
