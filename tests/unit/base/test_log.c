#include "base/log.h"

#include <math.h>
#include <yyjson.h>

#include "base/mem.h"
#include "support/check.h"

static char written[4 * GM_LOG_LINE_MAX];
static size_t written_n;
static int writes;

static int64_t fixed_now(void)
{
    return INT64_C(1795194595123456789);
}

static void remember(const char *line, size_t n)
{
    assert_true(n <= GM_LOG_LINE_MAX);
    memcpy(written, line, n);
    written[n] = '\0';
    written_n = n;
    writes++;
}

static void start(enum gm_log_level level, enum gm_log_format format)
{
    static const struct gm_log_sink sink = {fixed_now, remember};
    gm_log_init(&sink, level, format);
    written[0] = '\0';
    writes = 0;
}

static void events_before_the_start_are_dropped(void **state)
{
    (void)state;
    gm_log_error("too.early", GM_L_INT("n", 1));
}

static void a_logfmt_line_has_time_level_event_and_fields(void **state)
{
    (void)state;
    start(GM_LOG_INFO, GM_LOG_LOGFMT);
    gm_log_info("run.done", GM_L_STR("pipeline", GM_STR("products")), GM_L_INT("rows", 77),
                GM_L_DOUBLE("seconds", 1.5));
    assert_string_equal(
        written, "2026-11-20T17:09:55.123Z info run.done pipeline=products rows=77 seconds=1.5\n");
    assert_int_equal(writes, 1);
}

static void a_json_line_is_json(void **state)
{
    (void)state;
    start(GM_LOG_INFO, GM_LOG_JSON);
    gm_log_warn("run.slow", GM_L_Z("pipeline", "pro\"ducts\n\x01\x7F\xC3\xA4"),
                GM_L_INT("rows", -77), GM_L_DOUBLE("seconds", 2), GM_L_DOUBLE("rate", (double)NAN));
    assert_string_equal(
        written, "{\"time\":\"2026-11-20T17:09:55.123Z\",\"level\":\"warn\",\"event\":\"run.slow\","
                 "\"pipeline\":\"pro\\\"ducts\\n\\u0001\\u007f\xC3\xA4\",\"rows\":-77,"
                 "\"seconds\":2.0,\"rate\":null}\n");
}

static void lower_levels_are_left_out(void **state)
{
    (void)state;
    start(GM_LOG_WARN, GM_LOG_LOGFMT);
    gm_log_debug("a", GM_L_INT("n", 1));
    gm_log_info("b", GM_L_INT("n", 1));
    assert_int_equal(writes, 0);
    gm_log_warn("c", GM_L_INT("n", 1));
    gm_log_error("d", GM_L_INT("n", 1));
    assert_int_equal(writes, 2);
    assert_string_equal(written, "2026-11-20T17:09:55.123Z error d n=1\n");
}

static void a_value_cannot_forge_a_line_or_a_field(void **state)
{
    (void)state;
    start(GM_LOG_INFO, GM_LOG_LOGFMT);
    gm_log_info("e", GM_L_Z("a", "x\n2026 info forged"), GM_L_Z("b", "x y=1"), GM_L_Z("c", ""),
                GM_L_Z("d", "back\\slash"), GM_L_Z("e", "tab\t\"q\""));
    assert_string_equal(
        written, "2026-11-20T17:09:55.123Z info e a=\"x\\n2026 info forged\" b=\"x y=1\" c=\"\" "
                 "d=\"back\\\\slash\" e=\"tab\\t\\\"q\\\"\"\n");
}

static void bytes_that_are_not_utf8_are_replaced(void **state)
{
    (void)state;
    start(GM_LOG_INFO, GM_LOG_LOGFMT);
    gm_log_info("e", GM_L_Z("a", "x\xFFy\xC3"), GM_L_STR("b", GM_STR("n\0l")));
    assert_string_equal(
        written,
        "2026-11-20T17:09:55.123Z info e a=\"x\xEF\xBF\xBDy\xEF\xBF\xBD\" b=\"n\\u0000l\"\n");
}

static void long_values_are_cut_and_too_many_left_out(void **state)
{
    (void)state;
    char *long_z = gm_alloc(100001);
    for (size_t i = 0; i + 1 < 100000; i += 2) {
        memcpy(long_z + i, "\xC3\xA4", 2);
    }
    start(GM_LOG_INFO, GM_LOG_JSON);
    gm_log_info("e", GM_L_STR("odd", ((struct gm_str){long_z + 1, 99999})), GM_L_Z("even", long_z),
                GM_L_Z("c", long_z), GM_L_Z("d", long_z), GM_L_INT("last", 7));
    yyjson_doc *doc = yyjson_read(written, written_n, 0);
    assert_non_null(doc);
    yyjson_val *root = yyjson_doc_get_root(doc);
    const char *even_z = yyjson_get_str(yyjson_obj_get(root, "even"));
    assert_true(strlen(even_z) < 2100);
    assert_string_equal(even_z + strlen(even_z) - 3, "\xE2\x80\xA6");
    assert_null(yyjson_obj_get(root, "d"));
    assert_int_equal(yyjson_get_int(yyjson_obj_get(root, "last")), 7);
    assert_int_equal(yyjson_get_int(yyjson_obj_get(root, "cut")), 1);
    yyjson_doc_free(doc);

    start(GM_LOG_INFO, GM_LOG_LOGFMT);
    memset(long_z, '"', 100000); /* escapes double it */
    gm_log_info("e", GM_L_Z("a", long_z), GM_L_Z("b", long_z), GM_L_INT("last", 7));
    assert_non_null(strstr(written, " last=7 cut=1\n"));
    gm_free(long_z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_before_the_start_are_dropped),
        cmocka_unit_test(a_logfmt_line_has_time_level_event_and_fields),
        cmocka_unit_test(a_json_line_is_json),
        cmocka_unit_test(lower_levels_are_left_out),
        cmocka_unit_test(a_value_cannot_forge_a_line_or_a_field),
        cmocka_unit_test(bytes_that_are_not_utf8_are_replaced),
        cmocka_unit_test(long_values_are_cut_and_too_many_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
