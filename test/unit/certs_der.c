/* der.h: examples of X.690, every wrong form the reader must refuse, OpenSSL as a second opinion. */
#include "test/t.h"
#include "certs/der.h"
#include "certs/text.h"
#include <openssl/asn1.h>
#include <openssl/objects.h>

static struct err e;
static struct buf out = BUF_INIT(1 << 20);

static const char *hex_of(struct view v)
{
    static struct buf text = BUF_INIT(1 << 16);

    buf_reset(&text);
    hex_add(&text, v);
    return buf_text(&text);
}

static struct view from_hex(const char *hex)
{
    static struct buf bytes = BUF_INIT(4096);

    buf_reset(&bytes);
    if (hex_parse(view_text(hex), &bytes, &e) != 0)
        fail_msg("test data: %s", hex);
    return buf_view(&bytes);
}

static void writes_small_values(void **state)
{
    static const struct {
        uint64_t value;
        const char *hex;
    } rows[] = { { 0, "020100" }, { 127, "02017F" }, { 128, "02020080" }, { 256, "02020100" },
        { 65537, "0203010001" }, { UINT64_MAX, "020900FFFFFFFFFFFFFFFF" } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_reset(&out);
        der_uint(&out, rows[i].value);
        assert_string_equal(hex_of(buf_view(&out)), rows[i].hex);
    }
    buf_reset(&out);
    der_bool_true(&out);
    der_null(&out);
    der_utf8(&out, "\xc3\xbc");
    der_bmp(&out, "a\xe2\x82\xac");
    der_tlv(&out, DER_OCTET_STRING, view_text(""));
    der_uint_bytes(&out, view_of("\0\0\x80", 3));
    der_uint_bytes(&out, view_of("\0", 1));
    der_uint_bytes(&out, view_of(NULL, 0));
    assert_string_equal(hex_of(buf_view(&out)), "0101FF"
                                                "0500"
                                                "0C02C3BC"
                                                "1E04006120AC"
                                                "0400"
                                                "02020080"
                                                "020100"
                                                "020100");
}

/* Lengths around every step of X.690 8.1.3, checked against OpenSSL's reader. */
static void closes_with_the_right_length(void **state)
{
    static const size_t lens[] = { 0, 1, 127, 128, 255, 256, 65535, 65536, 100000 };

    (void)state;
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        size_t mark;
        long len;
        int tag, class;
        const unsigned char *p;
        struct view rest;
        struct der tlv;

        buf_reset(&out);
        mark = der_open(&out, DER_SEQUENCE);
        (void)buf_extend(&out, lens[i]);
        der_close(&out, mark);
        T_OK(buf_check(&out, &e));
        p = out.p;
        assert_int_equal(
            ASN1_get_object(&p, &len, &tag, &class, (long)out.len), V_ASN1_CONSTRUCTED);
        assert_int_equal(len, lens[i]);
        assert_int_equal((size_t)(p - out.p) + (size_t)len, out.len);
        rest = buf_view(&out);
        T_OK(der_next(&rest, &tlv, &e));
        assert_int_equal(tlv.content.len, lens[i]);
        assert_int_equal(tlv.whole.len, out.len);
        assert_int_equal(rest.len, 0);
    }
}

static void nests(void **state)
{
    size_t a, b;

    (void)state;
    buf_reset(&out);
    a = der_open(&out, DER_SEQUENCE);
    der_uint(&out, 1);
    b = der_open(&out, DER_CONTEXTC | 0);
    (void)buf_extend(&out, 130);
    der_close(&out, b);
    der_uint(&out, 2);
    der_close(&out, a);
    assert_int_equal(out.len, 3 + 3 + 3 + 130 + 3);
    assert_string_equal(hex_of(view_of(out.p, 9)), "30818B020101A08182");
    assert_string_equal(hex_of(view_of(out.p + out.len - 3, 3)), "020102");
}

/* A writer that ran out of room in the middle must not touch what is there. */
static void a_full_buf_survives_the_writers(void **state)
{
    for (size_t max = 0; max < 40; max++) {
        struct buf b = BUF_INIT(max);
        size_t outer = der_open(&b, DER_SEQUENCE), inner;

        der_oid_known(&b, "1.3.6.1.4.1.311.25.2");
        inner = der_open(&b, DER_SET);
        der_utf8(&b, "0123456789");
        der_close(&b, inner);
        der_close(&b, outer);
        assert_true(b.len <= max);
        if (max < 27)
            T_ERR(buf_check(&b, &e), ERR_TOO_LARGE);
        else
            T_OK(buf_check(&b, &e));
        buf_free(&b);
    }
    (void)state;
}

static void bmp_has_no_place_for_the_rest(void **state)
{
    struct buf b = BUF_INIT(100);

    (void)state;
    der_bmp(&b, "smile \xf0\x9f\x98\x80");
    T_ERR(buf_check(&b, &e), ERR_TOO_LARGE);
    buf_free(&b);
    der_bmp(&b, "\xff");
    T_ERR(buf_check(&b, &e), ERR_TOO_LARGE);
    buf_free(&b);
}

static void oids_as_openssl_writes_them(void **state)
{
    static const char *const good[] = { "0.0", "0.39", "1.0", "1.39", "2.0", "2.40", "2.999",
        "2.5.4.3", "1.2.840.113549.1.1.11", "1.3.6.1.4.1.311.21.8.16777216.4294967295.1",
        "2.16.840.1.101.3.4.2.1", "1.3.101.112", "1.2.18446744073709551615",
        "2.18446744073709551535" };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ASN1_OBJECT *o = OBJ_txt2obj(good[i], 1);
        unsigned char *der = NULL;
        int len = i2d_ASN1_OBJECT(o, &der);
        struct der tlv;
        struct view rest;
        struct buf text = BUF_INIT(200);

        buf_reset(&out);
        T_OK(der_oid(&out, good[i], &e));
        assert_true(view_equal(buf_view(&out), view_of(der, (size_t)len)));
        rest = buf_view(&out);
        T_OK(der_next(&rest, &tlv, &e));
        assert_true(der_is_oid(tlv, good[i]));
        assert_false(der_is_oid(tlv, "1.2.3"));
        der_oid_text(tlv.content, &text);
        assert_string_equal(buf_text(&text), good[i]);
        buf_free(&text);
        OPENSSL_free(der);
        ASN1_OBJECT_free(o);
    }
}

static void refuses_what_is_no_oid(void **state)
{
    static const char *const bad[] = { "", "1", "1.", ".1", "1..2", "1.2.", "3.1", "1.40", "0.40",
        "01.2", "1.02", "1.2.00", "1.2.x", "1.2 ", " 1.2", "-1.2", "1.-2",
        "1.2.18446744073709551616", "2.18446744073709551615", "1,2", "4294967296.1",
        "1.2.99999999999999999999999999999999999999999" };
    struct buf longest = BUF_INIT(1000);
    struct der tlv = { .tag = DER_OID };

    (void)state;
    buf_reset(&out);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        T_ERR_SAYS(der_oid(&out, bad[i], &e), ERR_INPUT, "not an object identifier");
        assert_int_equal(out.len, 0);
        assert_false(der_is_oid(tlv, bad[i]));
    }
    buf_add_text(&longest, "1.2");
    for (int i = 0; i < 127; i++)
        buf_add_text(&longest, ".1");
    T_OK(der_oid(&out, buf_text(&longest), &e)); /* 128 bytes of content: the limit */
    buf_add_text(&longest, ".1");
    T_ERR(der_oid(&out, buf_text(&longest), &e), ERR_INPUT);
    buf_free(&longest);
}

static void oid_text_of_nonsense(void **state)
{
    static const char *const bad[] = { "", "80", "8001", "2A80", "2A8001", "2A86",
        "2A82FFFFFFFFFFFFFFFFFF7F" };
    struct buf text = BUF_INIT(100);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        buf_reset(&text);
        buf_add_text(&text, "OID ");
        der_oid_text(from_hex(bad[i]), &text);
        assert_string_equal(buf_text(&text), "OID ?");
    }
    buf_free(&text);
}

static void reads_only_der(void **state)
{
    static const struct {
        const char *hex, *says;
    } rows[] = {
        { "", "nothing" },
        { "30", "length" },
        { "3001", "1 bytes, 0 are there" },
        { "30020100"
          "00",
            NULL },
        { "30800000", "length" }, /* indefinite */
        { "308100", "length" },   /* long form for 0 */
        { "30817F", "length" },   /* long form for 127 */
        { "3082007F", "length" }, /* leading zero */
        { "30820080", "length" },
        { "3085000000000100", "length" }, /* five length bytes */
        { "3084FFFFFFFF00", "are there" },
        { "3081", "length" },
        { "308201", "length" },
        { "30FF", "length" },
        { "1F8101", "several bytes" },
        { "BF2A0100", "several bytes" },
        { "0401", "are there" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct view rest = from_hex(rows[i].hex), was = rest;
        struct der tlv = { .tag = 0x77 };

        if (rows[i].says == NULL) {
            T_OK(der_next(&rest, &tlv, &e));
            assert_int_equal(rest.len, 1);
            continue;
        }
        T_ERR_SAYS(der_next(&rest, &tlv, &e), ERR_PROTO, rows[i].says);
        assert_int_equal(tlv.tag, 0x77);
        assert_ptr_equal(rest.p, was.p);
        assert_int_equal(rest.len, was.len);
    }
}

/* Whatever three bytes stand there, der_next agrees with OpenSSL's reader wherever both accept. */
static void every_short_input(void **state)
{
    uint8_t in[131] = { 0 };

    (void)state;
    for (unsigned i = 0; i < 1u << 16; i++) {
        struct view rest = view_of(in, sizeof in);
        struct der tlv;
        const unsigned char *p = in;
        long len = 0;
        int tag, class;

        in[0] = DER_SEQUENCE;
        in[1] = (uint8_t)(i >> 8);
        in[2] = (uint8_t)i;
        if (der_next(&rest, &tlv, &e) != 0)
            continue;
        assert_int_equal(ASN1_get_object(&p, &len, &tag, &class, sizeof in) & 0x81, 0);
        assert_int_equal(tlv.content.len, len);
        assert_true(len == 0 || tlv.content.p == p);
    }
}

static void expects_and_peeks(void **state)
{
    struct view rest = from_hex("0201050500");
    struct der tlv;

    (void)state;
    assert_true(der_peek(rest, DER_INTEGER));
    assert_false(der_peek(rest, DER_NULL));
    T_ERR_SAYS(der_expect(&rest, DER_OID, "algorithm", &tlv, &e), ERR_PROTO,
        "algorithm: tag 0x02 where 0x06 should be");
    T_OK(der_expect(&rest, DER_INTEGER, "version", &tlv, &e));
    T_ERR_SAYS(der_end(rest, "outer", &e), ERR_PROTO, "outer: 2 bytes");
    T_OK(der_expect(&rest, DER_NULL, "parameters", &tlv, &e));
    T_OK(der_end(rest, "outer", &e));
    assert_false(der_peek(rest, DER_NULL));
    T_ERR_SAYS(der_expect(&rest, DER_NULL, "more", &tlv, &e), ERR_PROTO, "more: DER: nothing");
}

static void unsigned_integers(void **state)
{
    static const struct {
        const char *hex, *magnitude;
    } rows[] = { { "020100", "" }, { "02017F", "7F" }, { "02020080", "80" }, { "02020100", "0100" },
        { "0200", NULL }, { "0201FF", NULL }, { "02020001", NULL }, { "0202FF7F", NULL },
        { "040101", NULL } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct view rest = from_hex(rows[i].hex), got = { 0 };
        struct der tlv;

        T_OK(der_next(&rest, &tlv, &e));
        if (rows[i].magnitude == NULL) {
            T_ERR(der_unsigned(tlv, "serial", &got, &e), ERR_PROTO);
            continue;
        }
        T_OK(der_unsigned(tlv, "serial", &got, &e));
        assert_string_equal(hex_of(got), rows[i].magnitude);
    }
}

static struct der time_of(uint8_t tag, const char *text)
{
    return (struct der){ .tag = tag, .content = view_text(text) };
}

static void times(void **state)
{
    static const struct {
        uint8_t tag;
        const char *text;
        int64_t at;
    } rows[] = {
        { DER_UTC_TIME, "700101000000Z", 0 },
        { DER_UTC_TIME, "500101000000Z", -631152000 },
        { DER_UTC_TIME, "691231235959Z", -1 },
        { DER_UTC_TIME, "000229120000Z", 951825600 },
        { DER_UTC_TIME, "380119031408Z", 2147483648 },
        { DER_UTC_TIME, "491231235959Z", 2524607999 },
        { DER_GENERAL_TIME, "20500101000000Z", 2524608000 },
        { DER_GENERAL_TIME, "21000228235959Z", 4107542399 },
        { DER_GENERAL_TIME, "99991231235959Z", 253402300799 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t at = 42;

        T_OK(der_time(time_of(rows[i].tag, rows[i].text), &at, &e));
        assert_int_equal(at, rows[i].at);
    }
}

/* One day after the other for 450 years, each 86400 seconds after the last. */
static void the_calendar_has_no_gaps(void **state)
{
    int64_t last = 2524608000 - 86400, at;
    int days = 0;

    (void)state;
    for (int year = 2050; year < 2500; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= 31; day++) {
                char text[40];

                (void)snprintf(text, sizeof text, "%04d%02d%02d000000Z", year, month, day);
                if (der_time(time_of(DER_GENERAL_TIME, text), &at, &e) != 0)
                    continue;
                assert_int_equal(at, last + 86400);
                last = at;
                days++;
            }
    assert_int_equal(days, 450 * 365 + 109); /* leap years 2052..2496 but 2100, 2200, 2300 */
}

static void refuses_other_times(void **state)
{
    static const struct {
        uint8_t tag;
        const char *text;
    } rows[] = {
        { DER_UTC_TIME, "7001010000Z" },       /* no seconds */
        { DER_UTC_TIME, "700101000000" },      /* no zone */
        { DER_UTC_TIME, "700101000000+0000" }, /* offset */
        { DER_UTC_TIME, "700101000000z" },
        { DER_UTC_TIME, "701301000000Z" }, /* month 13 */
        { DER_UTC_TIME, "700001000000Z" },
        { DER_UTC_TIME, "700100000000Z" },
        { DER_UTC_TIME, "700132000000Z" },
        { DER_UTC_TIME, "010229000000Z" }, /* not a leap year */
        { DER_UTC_TIME, "700431000000Z" },
        { DER_UTC_TIME, "700101240000Z" },
        { DER_UTC_TIME, "700101006000Z" },
        { DER_UTC_TIME, "700101000060Z" }, /* leap second */
        { DER_UTC_TIME, "7001 1000000Z" },
        { DER_UTC_TIME, "" },
        { DER_UTC_TIME, "20500101000000Z" },
        { DER_GENERAL_TIME, "20491231235959Z" }, /* must be UTCTime */
        { DER_GENERAL_TIME, "20500101000000.5Z" },
        { DER_GENERAL_TIME, "20500101000000" },
        { DER_GENERAL_TIME, "205001010000Z" },
        { DER_GENERAL_TIME, "21000229000000Z" },
        { DER_UTF8, "700101000000Z" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t at = 42;

        T_ERR_SAYS(der_time(time_of(rows[i].tag, rows[i].text), &at, &e), ERR_PROTO, "time:");
        assert_int_equal(at, 42);
    }
}

static int free_out(void **state)
{
    (void)state;
    buf_free(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_small_values),
        cmocka_unit_test(closes_with_the_right_length),
        cmocka_unit_test(nests),
        cmocka_unit_test(a_full_buf_survives_the_writers),
        cmocka_unit_test(bmp_has_no_place_for_the_rest),
        cmocka_unit_test(oids_as_openssl_writes_them),
        cmocka_unit_test(refuses_what_is_no_oid),
        cmocka_unit_test(oid_text_of_nonsense),
        cmocka_unit_test(reads_only_der),
        cmocka_unit_test(every_short_input),
        cmocka_unit_test(expects_and_peeks),
        cmocka_unit_test(unsigned_integers),
        cmocka_unit_test(times),
        cmocka_unit_test(the_calendar_has_no_gaps),
        cmocka_unit_test(refuses_other_times),
    };

    return cmocka_run_group_tests(tests, NULL, free_out);
}
