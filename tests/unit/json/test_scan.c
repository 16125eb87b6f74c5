/* One value out of stored JSON. */
#include "base/mem.h"
#include "support/check.h"
#include "json/json.h"
#include "json/scan.h"

static const char document[] =
    "{\"a\":1,\"a\\\"b\":{\"c\":[10,\"x,]}\\\\\",{\"d\":null}],\"e\":\"\\u0007\\n\\\"q\"},"
    "\"f\":-2.5e3,\"g\":true,\"h\":\"\",\"i\":{},\"j\":[]}";

static void values_are_found_by_path(void **state)
{
    (void)state;
    static const struct {
        const char *path_z;
        enum gm_json_rank rank;
        const char *raw_z;
    } cases[] = {
        {"$", GM_JSON_RANK_OBJECT, document},
        {"$.\"a\"", GM_JSON_RANK_NUMBER, "1"},
        {"$.\"a\\\"b\".\"c\"[0]", GM_JSON_RANK_NUMBER, "10"},
        {"$.\"a\\\"b\".\"c\"[1]", GM_JSON_RANK_TEXT, "x,]}\\\\"},
        {"$.\"a\\\"b\".\"c\"[2].\"d\"", GM_JSON_RANK_NULL, "null"},
        {"$.\"a\\\"b\".\"c\"[3]", GM_JSON_RANK_UNDEFINED, NULL},
        {"$.\"a\\\"b\".\"c\"[2]", GM_JSON_RANK_OBJECT, "{\"d\":null}"},
        {"$.\"f\"", GM_JSON_RANK_NUMBER, "-2.5e3"},
        {"$.\"g\"", GM_JSON_RANK_BOOL, "true"},
        {"$.\"h\"", GM_JSON_RANK_TEXT, ""},
        {"$.\"i\"", GM_JSON_RANK_OBJECT, "{}"},
        {"$.\"j\"", GM_JSON_RANK_ARRAY, "[]"},
        {"$.\"j\"[0]", GM_JSON_RANK_UNDEFINED, NULL},
        {"$.\"i\".\"a\"", GM_JSON_RANK_UNDEFINED, NULL},
        {"$.\"a\".\"a\"", GM_JSON_RANK_UNDEFINED, NULL},
        {"$.\"c\"", GM_JSON_RANK_UNDEFINED, NULL},
        {"$.\"a", GM_JSON_RANK_UNDEFINED, NULL},
        {"$[", GM_JSON_RANK_UNDEFINED, NULL},
        {"$[99999999999999999999]", GM_JSON_RANK_UNDEFINED, NULL},
        {"nonsense", GM_JSON_RANK_UNDEFINED, NULL},
        {"", GM_JSON_RANK_UNDEFINED, NULL},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_json_span span;
        gm_json_scan(gm_str_z(document), gm_str_z(cases[i].path_z), &span);
        assert_int_equal(span.rank, cases[i].rank);
        if (cases[i].raw_z != NULL) {
            check_str(span.raw, cases[i].raw_z);
        }
    }
}

static void escapes_are_undone(void **state)
{
    (void)state;
    struct gm_json_span span = {.rank = GM_JSON_RANK_TEXT,
                                .raw = GM_STR("\\u0007\\n\\\"\\\\q\\u00e9\\ud83d\\ude00\\u20ac")};
    struct gm_buf out;
    gm_buf_init(&out, 1000);
    gm_json_scan_text(&span, &out);
    check_str(gm_buf_str(&out), "\a\n\"\\q\xC3\xA9\xF0\x9F\x98\x80\xE2\x82\xAC");
    gm_buf_deinit(&out);
}

static void items_come_one_after_the_other(void **state)
{
    (void)state;
    struct gm_json_span item;
    size_t at = 0;
    int count = 0;
    while (gm_json_scan_item(GM_STR("[1, \"a\" ,[2,3],{}]"), &at, &item)) {
        count++;
    }
    assert_int_equal(count, 4);
    assert_int_equal(item.rank, GM_JSON_RANK_OBJECT);
    at = 0;
    assert_false(gm_json_scan_item(GM_STR("[]"), &at, &item));
    at = 0;
    assert_false(gm_json_scan_item(GM_STR(""), &at, &item));
}

/* Every beginning of a document, at the end of its memory: nothing is read behind it. */
static void a_text_that_is_cut_off_is_never_read_past(void **state)
{
    (void)state;
    static const char *const paths[] = {"$.\"j\"", "$.\"a\\\"b\".\"c\"[2].\"d\"", "$"};
    for (size_t n = 0; n < sizeof(document); n++) {
        char *copy = gm_alloc(n > 0 ? n : 1);
        memcpy(copy, document, n);
        for (size_t i = 0; i < GM_ARRAY_COUNT(paths); i++) {
            struct gm_json_span span;
            struct gm_buf out;
            gm_json_scan((struct gm_str){copy, n}, gm_str_z(paths[i]), &span);
            gm_buf_init(&out, 1000);
            gm_json_scan_text(&span, &out);
            gm_buf_deinit(&out);
        }
        gm_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_path),
        cmocka_unit_test(escapes_are_undone),
        cmocka_unit_test(items_come_one_after_the_other),
        cmocka_unit_test(a_text_that_is_cut_off_is_never_read_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
