#include "base/buf.h"

#include "base/mem.h"
#include "support/check.h"

static void what_is_added_stands_in_order_with_a_nul_behind(void **state)
{
    (void)state;
    struct gm_buf buf;
    gm_buf_init(&buf, 1 << 20);
    gm_buf_add(&buf, GM_STR("id="));
    gm_buf_addf(&buf, "%d", 7);
    gm_buf_add_char(&buf, ';');
    gm_buf_add_z(&buf, "x");
    gm_buf_add(&buf, (struct gm_str){NULL, 0});
    assert_string_equal(buf.p, "id=7;x");
    check_str(gm_buf_str(&buf), "id=7;x");
    assert_false(gm_buf_failed(&buf));
    gm_buf_reset(&buf);
    assert_string_equal(buf.p, "");
    assert_int_equal(buf.n, 0);
    gm_buf_deinit(&buf);
}

static void an_empty_addition_makes_a_c_string(void **state)
{
    (void)state;
    struct gm_buf buf;
    gm_buf_init(&buf, 0);
    gm_buf_add(&buf, GM_STR(""));
    assert_string_equal(buf.p, "");
    assert_false(gm_buf_failed(&buf));
    gm_buf_deinit(&buf);
}

static void the_limit_is_exact_and_failing_is_remembered(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 200; limit++) {
        struct gm_buf buf;
        gm_buf_init(&buf, limit);
        for (size_t i = 0; i < limit; i++) {
            gm_buf_add_char(&buf, 'a');
        }
        assert_int_equal(buf.n, limit);
        assert_false(gm_buf_failed(&buf));
        gm_buf_add(&buf, GM_STR("b"));
        assert_true(gm_buf_failed(&buf));
        gm_buf_add(&buf, GM_STR(""));
        gm_buf_addf(&buf, "%s", "");
        assert_int_equal(buf.n, limit);
        gm_buf_reset(&buf);
        assert_false(gm_buf_failed(&buf));
        gm_buf_deinit(&buf);
    }
}

static void what_does_not_fit_leaves_no_trace(void **state)
{
    (void)state;
    struct gm_buf buf;
    gm_buf_init(&buf, 10);
    gm_buf_add(&buf, GM_STR("12345"));
    gm_buf_addf(&buf, "%s", "too long for it");
    assert_true(gm_buf_failed(&buf));
    assert_string_equal(buf.p, "12345");
    gm_buf_add(&buf, GM_STR("6")); /* would fit, but something before it is missing */
    assert_string_equal(buf.p, "12345");
    gm_buf_deinit(&buf);

    gm_buf_init(&buf, 10);
    gm_buf_put_bytes(&buf, GM_STR("1234567890"));
    assert_true(gm_buf_failed(&buf));
    assert_int_equal(buf.n, 0);
    gm_buf_deinit(&buf);
}

static void reserved_bytes_are_committed_in_part(void **state)
{
    (void)state;
    struct gm_buf buf;
    gm_buf_init(&buf, 100);
    char *to = gm_buf_reserve(&buf, 100);
    assert_non_null(to);
    memcpy(to, "abc", 3);
    gm_buf_commit(&buf, 3);
    assert_string_equal(buf.p, "abc");
    assert_null(gm_buf_reserve(&buf, 98));
    assert_true(gm_buf_failed(&buf));
    gm_buf_reset(&buf);
    assert_null(gm_buf_reserve(&buf, SIZE_MAX));
    gm_buf_deinit(&buf);
    gm_buf_init(&buf, SIZE_MAX);
    gm_buf_add_char(&buf, 'a');
    assert_null(gm_buf_reserve(&buf, SIZE_MAX));
    assert_null(gm_buf_reserve(&buf, SIZE_MAX / 2));
    gm_buf_deinit(&buf);
}

static void formatting_crosses_any_capacity(void **state)
{
    (void)state;
    struct gm_buf buf;
    gm_buf_init(&buf, 1 << 20);
    for (int width = 1; width < 600; width++) {
        size_t before = buf.n;
        gm_buf_addf(&buf, "%*d", width, 7);
        assert_int_equal(buf.n, before + (size_t)width);
        assert_int_equal(buf.p[buf.n - 1], '7');
        assert_int_equal(buf.p[buf.n], '\0');
    }
    gm_buf_deinit(&buf);
}

static void taken_text_leaves_an_empty_buffer(void **state)
{
    (void)state;
    struct gm_buf buf;
    gm_buf_init(&buf, 100);
    GM_AUTO_FREE char *nothing = gm_buf_take_z(&buf);
    assert_string_equal(nothing, "");
    gm_buf_add(&buf, GM_STR("abc"));
    GM_AUTO_FREE char *text = gm_buf_take_z(&buf);
    assert_string_equal(text, "abc");
    assert_int_equal(buf.n, 0);
    gm_buf_add(&buf, GM_STR("d"));
    assert_string_equal(buf.p, "d");
    gm_buf_deinit(&buf);
}

static void stored_bytes_have_a_fixed_form(void **state)
{
    (void)state;
    struct gm_buf buf;
    gm_buf_init(&buf, 1000);
    gm_buf_put_u8(&buf, 0xAB);
    gm_buf_put_u32(&buf, 0x01020304);
    gm_buf_put_u64(&buf, UINT64_C(0x0102030405060708));
    gm_buf_put_varint(&buf, 300);
    gm_buf_put_zigzag(&buf, -1);
    gm_buf_put_zigzag(&buf, 1);
    gm_buf_put_bytes(&buf, GM_STR("hi"));
    static const char wanted[] =
        "\xAB\x04\x03\x02\x01\x08\x07\x06\x05\x04\x03\x02\x01\xAC\x02\x01\x02\x02hi";
    assert_int_equal(buf.n, sizeof(wanted) - 1);
    assert_memory_equal(buf.p, wanted, buf.n);
    gm_buf_deinit(&buf);
}

static void stored_values_read_back(void **state)
{
    (void)state;
    static const uint64_t values[] = {
        0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX};
    struct gm_buf buf;
    gm_buf_init(&buf, 1000);
    for (size_t i = 0; i < GM_ARRAY_COUNT(values); i++) {
        gm_buf_put_varint(&buf, values[i]);
        gm_buf_put_zigzag(&buf, (int64_t)values[i]);
        gm_buf_put_u64(&buf, values[i]);
        gm_buf_put_u32(&buf, (uint32_t)values[i]);
        gm_buf_put_u8(&buf, (uint8_t)values[i]);
    }
    gm_buf_put_bytes(&buf, GM_STR("a\0b"));
    gm_buf_put_bytes(&buf, (struct gm_str){NULL, 0});
    struct gm_reader reader;
    gm_reader_init(&reader, gm_buf_str(&buf));
    for (size_t i = 0; i < GM_ARRAY_COUNT(values); i++) {
        assert_true(gm_read_varint(&reader) == values[i]);
        assert_true(gm_read_zigzag(&reader) == (int64_t)values[i]);
        assert_true(gm_read_u64(&reader) == values[i]);
        assert_true(gm_read_u32(&reader) == (uint32_t)values[i]);
        assert_true(gm_read_u8(&reader) == (uint8_t)values[i]);
    }
    assert_true(gm_str_eq(gm_read_bytes(&reader), GM_STR("a\0b")));
    assert_int_equal(gm_read_bytes(&reader).n, 0);
    assert_false(reader.bad);
    assert_true(reader.p == reader.end);
    gm_buf_deinit(&buf);
}

static void short_or_malformed_input_is_noticed_once_and_stays(void **state)
{
    (void)state;
    static const struct gm_str bad[] = {
        {NULL, 0},
        {"\x80", 1},                                          /* varint without end */
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", 10},     /* 65 bits */
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11}, /* eleven bytes */
        {"\x05hi", 3},                                        /* fewer bytes than announced */
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01x", 11},    /* 2^64 - 1 bytes announced */
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(bad); i++) {
        struct gm_reader reader;
        gm_reader_init(&reader, bad[i]);
        struct gm_str bytes = gm_read_bytes(&reader);
        assert_true(reader.bad);
        assert_int_equal(bytes.n, 0);
        assert_int_equal(gm_read_u8(&reader), 0);
        assert_int_equal(gm_read_varint(&reader), 0);
        assert_true(reader.bad);
    }
    struct gm_reader reader;
    gm_reader_init(&reader, GM_STR("1234567"));
    assert_int_equal(gm_read_u64(&reader), 0);
    assert_true(reader.bad);
    assert_int_equal(gm_read_u32(&reader),
                     0); /* four bytes would be there: reading does not start over */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_stands_in_order_with_a_nul_behind),
        cmocka_unit_test(an_empty_addition_makes_a_c_string),
        cmocka_unit_test(the_limit_is_exact_and_failing_is_remembered),
        cmocka_unit_test(what_does_not_fit_leaves_no_trace),
        cmocka_unit_test(reserved_bytes_are_committed_in_part),
        cmocka_unit_test(formatting_crosses_any_capacity),
        cmocka_unit_test(taken_text_leaves_an_empty_buffer),
        cmocka_unit_test(stored_bytes_have_a_fixed_form),
        cmocka_unit_test(stored_values_read_back),
        cmocka_unit_test(short_or_malformed_input_is_noticed_once_and_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
