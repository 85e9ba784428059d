/* JSON out: always valid, whatever goes in. */
#include "test/t.h"
#include "proto/json.h"

static void writing(void **state)
{
    struct buf out = BUF_INIT(4096);
    struct json_out o = { .to = &out };

    (void)state;
    json_open(&o, NULL, '{');
    json_put_text(&o, "text", "a \"b\" \\ /\n\r\t\b\f\x01\x1f");
    json_put_text(&o, "absent", NULL);
    json_put_view(&o, "view", view_of("\x7f\xc2\x85\xff\xe2\x82z\xed\xa0\x80\0", 11));
    json_open(&o, "list", '[');
    json_put_int(&o, NULL, INT64_MIN);
    json_put_bool(&o, NULL, true);
    json_put_bool(&o, NULL, false);
    json_put_null(&o, NULL);
    json_open(&o, NULL, '{');
    json_close(&o, '}');
    json_close(&o, ']');
    json_put_base64(&o, "b\"64", view_of("\1\2\3\4", 4));
    json_put_time(&o, "at", 1795161600);
    json_put_time(&o, "never", 0);
    json_put_raw(&o, "raw", view_text("[1,2]"));
    json_close(&o, '}');
    assert_string_equal(buf_text(&out),
        "{\"text\":\"a \\\"b\\\" \\\\ /\\n\\r\\t\\b\\f\\u0001\\u001f\","
        "\"view\":\"\x7f\xc2\x85\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"
        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\u0000\","
        "\"list\":[-9223372036854775808,true,false,null,{}],\"b\\\"64\":\"AQIDBA==\","
        "\"at\":\"2026-11-20T08:00:00Z\",\"raw\":[1,2]}");
    buf_free(&out);
}

/* Whatever bytes go in, what comes out is JSON with the same text, except for what was no UTF-8. */
static void writing_random(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct buf out = BUF_INIT(4096);
        struct json_out o = { .to = &out };
        struct err e = { 0 };
        struct json *root;
        char bytes[40];
        const char *text = NULL;
        bool ascii = round % 2 == 0;

        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = (char)(ascii ? 1 + (seed >> 24) % 127 : 1 + (seed >> 24) % 255);
        }
        bytes[sizeof bytes - 1] = '\0';
        json_open(&o, NULL, '{');
        json_put_text(&o, "t", bytes);
        json_close(&o, '}');
        if ((root = json_parse(buf_view(&out), 4096, &e)) == NULL)
            fail_msg("%s: %s", buf_text(&out), e.msg);
        T_OK(json_text(root, "t", true, 4096, &text, &e));
        if (ascii)
            assert_string_equal(text, bytes);
        json_free(root);
        buf_free(&out);
    }
}

static void full_buffer(void **state)
{
    struct buf out = BUF_INIT(10);
    struct json_out o = { .to = &out };
    struct err e = { 0 };
    struct json *root = json_parse(view_text("{\"a\":\"0123456789\"}"), 100, &e);

    (void)state;
    json_open(&o, NULL, '{');
    json_put_text(&o, "a", "0123456789");
    json_close(&o, '}');
    T_ERR(buf_check(&out, &e), ERR_TOO_LARGE);
    buf_reset(&out);
    json_print(root, &out);
    T_ERR(buf_check(&out, &e), ERR_TOO_LARGE);
    json_free(root);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writing),
        cmocka_unit_test(writing_random),
        cmocka_unit_test(full_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
