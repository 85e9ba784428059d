/* text.h: vectors of RFC 4648 10, what strict and loose decoders must tell apart, PEM, UTF-8. */
#include "test/t.h"
#include "certs/mem.h"
#include "certs/text.h"

static struct err e;
static struct buf out = BUF_INIT(1 << 16);

static const struct {
    const char *plain, *base64;
} vectors[] = {
    { "", "" },
    { "f", "Zg==" },
    { "fo", "Zm8=" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" },
    { "\xfb\xff\xbf", "+/+/" },
};

static void base64_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        buf_reset(&out);
        base64_add(&out, view_text(vectors[i].plain));
        assert_string_equal(buf_text(&out), vectors[i].base64);
        buf_reset(&out);
        T_OK(base64_parse(view_text(vectors[i].base64), &out, &e));
        assert_string_equal(buf_text(&out), vectors[i].plain);
        buf_reset(&out);
        T_OK(base64_parse_loose(view_text(vectors[i].base64), &out, &e));
        assert_string_equal(buf_text(&out), vectors[i].plain);
    }
}

static void base64_strict_refuses(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        { "Z", "cut" },
        { "Zm9vZ", "cut" },
        { "Zg", "padding" },
        { "Zg=", "padding" },
        { "Zm8", "padding" },
        { "Zm8==", "padding" },
        { "Zm9v=", "padding" },
        { "Zm9v====", "more than two" },
        { "=", "padding" },
        { "Zg==Zg==", "after the padding" },
        { "Zm9v\nYg==", "character 5 is 0x0a" },
        { " Zm9v", "character 1" },
        { "Zm9-", "character 4 is 0x2d" },
        { "Zm9_", "character 4" },
        { "Zh==", "bits after" },
        { "Zm9=", "bits after" },
        { "Zm\xc3\xa9v", "character 3 is 0xc3" },
    };

    (void)state;
    buf_reset(&out);
    buf_add_text(&out, "kept");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        T_ERR_SAYS(base64_parse(view_text(rows[i].text), &out, &e), ERR_PROTO, rows[i].says);
        assert_string_equal(buf_text(&out), "kept");
    }
    T_ERR(base64_parse(view_of("Zm9v\0", 5), &out, &e), ERR_PROTO);
}

static void base64_loose_skips(void **state)
{
    static const char *const good[] = { "Zm9v\r\nYg==\r\n", " Z m 9 v Y g ", "Zm9vYg",
        "Zm-9v!Yg=\n=" };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        buf_reset(&out);
        T_OK(base64_parse_loose(view_text(good[i]), &out, &e));
        assert_string_equal(buf_text(&out), "foob");
    }
    T_ERR(base64_parse_loose(view_text("Zm9vY"), &out, &e), ERR_PROTO);
    T_ERR(base64_parse_loose(view_text("Zg==Zg=="), &out, &e), ERR_PROTO);
    T_ERR(base64_parse_loose(view_text("Zm9v===="), &out, &e), ERR_PROTO);
    T_ERR(base64_parse_loose(view_text("Zg="), &out, &e), ERR_PROTO);
}

static void base64_of_every_length(void **state)
{
    uint8_t bytes[200];
    struct buf text = BUF_INIT(400), lines = BUF_INIT(500);

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 91 + 7);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        buf_reset(&out);
        buf_reset(&text);
        buf_reset(&lines);
        base64_add(&text, view_of(bytes, n));
        base64_add_lines(&lines, view_of(bytes, n), 64);
        T_OK(buf_check(&text, &e));
        assert_int_equal(text.len, (n + 2) / 3 * 4);
        assert_int_equal(lines.len, text.len + (text.len + 63) / 64);
        T_OK(base64_parse(buf_view(&text), &out, &e));
        assert_true(view_equal(buf_view(&out), view_of(bytes, n)));
        buf_reset(&out);
        T_OK(base64_parse_loose(buf_view(&lines), &out, &e));
        assert_true(view_equal(buf_view(&out), view_of(bytes, n)));
    }
    buf_free(&text);
    buf_free(&lines);
}

static void decoders_stop_at_the_maximum(void **state)
{
    struct buf small = BUF_INIT(4);

    (void)state;
    buf_add_text(&small, "ab");
    T_ERR(base64_parse(view_text("Zm9v"), &small, &e), ERR_TOO_LARGE);
    assert_int_equal(small.len, 2);
    buf_truncate(&small, 0);
    buf_reset(&small);
    T_ERR(hex_parse(view_text("0102030405"), &small, &e), ERR_TOO_LARGE);
    assert_int_equal(small.len, 0);
    buf_free(&small);
}

static void hexadecimal(void **state)
{
    (void)state;
    buf_reset(&out);
    hex_add(&out, view_of("\x00\x9f\xAB\xff", 4));
    assert_string_equal(buf_text(&out), "009FABFF");
    buf_reset(&out);
    T_OK(hex_parse(view_text("009fABfF"), &out, &e));
    assert_true(view_equal(buf_view(&out), view_of("\x00\x9f\xAB\xff", 4)));
    T_OK(hex_parse(view_text(""), &out, &e));
    T_ERR_SAYS(hex_parse(view_text("abc"), &out, &e), ERR_PROTO, "odd");
    T_ERR_SAYS(hex_parse(view_text("00g0"), &out, &e), ERR_PROTO, "character 3");
    T_ERR(hex_parse(view_text("0:"), &out, &e), ERR_PROTO);
    assert_int_equal(out.len, 4);
}

static void pem_round_trip(void **state)
{
    uint8_t bytes[100];
    struct view rest;

    (void)state;
    memset(bytes, 0x11, sizeof bytes);
    buf_reset(&out);
    buf_add_text(&out, "Subject: two of them\n");
    pem_add(&out, "CERTIFICATE", view_of(bytes, 48));
    pem_add(&out, "X509 CRL", view_of(bytes, 3));
    pem_add(&out, "CERTIFICATE", view_of(bytes, 100));
    rest = buf_view(&out);
    for (int round = 0; round < 2; round++) {
        struct buf der = BUF_INIT(1000);

        assert_int_equal(pem_next(&rest, "CERTIFICATE", &der, &e), 1);
        assert_true(view_equal(buf_view(&der), view_of(bytes, round == 0 ? 48 : 100)));
        buf_free(&der);
    }
    assert_int_equal(pem_next(&rest, "CERTIFICATE", &out, &e), 0);
    buf_reset(&out);
    pem_add(&out, "PKCS7", view_of(bytes, 48));
    assert_string_equal(buf_text(&out),
        "-----BEGIN PKCS7-----\n"
        "ERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERER\n"
        "-----END PKCS7-----\n");
}

static void pem_lax_forms(void **state)
{
    static const char *const good[] = {
        "-----BEGIN X-----\r\nZm9v\r\nYmFy\r\n-----END X-----\r\n",
        "-----BEGIN X-----Zm9vYmFy\n-----END X-----",
        "\xef\xbb\xbf\n-----BEGIN X-----\n\n Zm9v\tYmFy \n\n-----END X-----",
        "junk -----BEGIN X-----\n-----BEGIN X-----\nZm9vYmFy\n-----END X-----",
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct view rest = view_text(good[i]);

        buf_reset(&out);
        assert_int_equal(pem_next(&rest, "X", &out, &e), 1);
        assert_string_equal(buf_text(&out), "foobar");
    }
}

static void pem_refuses(void **state)
{
    static const char *const bad[] = {
        "-----BEGIN X-----\nZm9v\n",
        "-----BEGIN X-----\nZm9v\n-----END Y-----\n",
        "-----BEGIN X-----\nZm9v -----END X-----\n",
        "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nZm9v\n-----END X-----\n",
        "-----BEGIN X-----\nZm9\n-----END X-----\n",
    };

    (void)state;
    buf_reset(&out);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct view rest = view_text(bad[i]), was = rest;

        T_ERR(pem_next(&rest, "X", &out, &e), ERR_PROTO);
        assert_true(rest.p == was.p && rest.len == was.len);
        assert_int_equal(out.len, 0);
    }
    {
        struct view rest = view_text("nothing here"), none = { 0 };

        assert_int_equal(pem_next(&rest, "X", &out, &e), 0);
        assert_int_equal(pem_next(&none, "X", &out, &e), 0);
    }
}

static void utf8(void **state)
{
    static const char *const good[] = { "", "ascii", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
        "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
    static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80", "\xff", "\xc2", "\xe2\x82", "\xf0\x9f\x98", "\xc2\x41",
        "a\xe2\x28\xa1" };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(utf8_valid(view_text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(utf8_valid(view_text(bad[i])));
    assert_true(utf8_valid(view_of("a\0b", 3)));
    assert_int_equal(utf8_length(view_text("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80")), 4);
}

/* Every code point there is, encoded here by the table of RFC 3629 3. */
static void utf8_every_code_point(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x110200; c++) {
        uint8_t p[4];
        size_t len;
        uint32_t got;
        bool scalar = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);

        if (c < 0x80) {
            len = 1, p[0] = (uint8_t)c;
        } else if (c < 0x800) {
            len = 2, p[0] = (uint8_t)(0xc0 | c >> 6);
        } else if (c < 0x10000) {
            len = 3, p[0] = (uint8_t)(0xe0 | c >> 12);
        } else {
            len = 4, p[0] = (uint8_t)(0xf0 | c >> 18);
        }
        for (size_t i = 1; i < len; i++)
            p[i] = (uint8_t)(0x80 | (c >> 6 * (len - 1 - i) & 0x3f));
        assert_int_equal(utf8_next(view_of(p, len), &got), scalar ? len : 0);
        assert_int_equal(got, scalar ? c : 0);
    }
}

static void controls(void **state)
{
    (void)state;
    assert_false(text_has_control(view_text("plain \xc3\xbc")));
    assert_false(text_has_control(view_text("")));
    assert_true(text_has_control(view_text("a\nb")));
    assert_true(text_has_control(view_text("a\x7f")));
    assert_true(text_has_control(view_of("a\0", 2)));
    assert_true(text_has_control(view_text("\x1f")));
}

static int free_out(void **state)
{
    (void)state;
    buf_free(&out);
    return 0;
}

static void base64url(void **state)
{
    static const struct {
        const char *bytes, *text;
    } rows[] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" },
        { "\xfb\xff\xbe\xfe", "-_--_g" } };
    struct buf got = BUF_INIT(100);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_reset(&got);
        buf_add_text(&got, "a+/="); /* what stands in front stays */
        base64url_add(&got, view_text(rows[i].bytes));
        assert_string_equal(buf_text(&got) + 4, rows[i].text);
        assert_memory_equal(got.p, "a+/=", 4);
    }
    buf_free(&got);
}

/* FNV-1a's own vectors. */
static void hashes(void **state)
{
    (void)state;
    assert_true(text_hash(TEXT_HASH, "") == 0xcbf29ce484222325u);
    assert_true(text_hash(TEXT_HASH, NULL) == TEXT_HASH);
    assert_true(text_hash(TEXT_HASH, "a") == 0xaf63dc4c8601ec8cu);
    assert_true(text_hash(text_hash(TEXT_HASH, "foo"), "bar") == 0x85944171f73967e8u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64url),
        cmocka_unit_test(base64_vectors),
        cmocka_unit_test(base64_strict_refuses),
        cmocka_unit_test(base64_loose_skips),
        cmocka_unit_test(base64_of_every_length),
        cmocka_unit_test(decoders_stop_at_the_maximum),
        cmocka_unit_test(hexadecimal),
        cmocka_unit_test(pem_round_trip),
        cmocka_unit_test(pem_lax_forms),
        cmocka_unit_test(pem_refuses),
        cmocka_unit_test(utf8),
        cmocka_unit_test(utf8_every_code_point),
        cmocka_unit_test(controls),
        cmocka_unit_test(hashes),
    };

    return cmocka_run_group_tests(tests, NULL, free_out);
}
