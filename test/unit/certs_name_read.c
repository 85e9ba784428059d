/* name.h: names as text, and whether two of them mean the same. */
#include "test/t.h"
#include "certs/der.h"
#include "certs/name.h"
#include "certs/text.h"

static struct err e;

/* One RDN per call: OID, string tag, value; joined to the last if asked. */
struct made {
    struct buf der;
    size_t mark;
};

static void begin(struct made *m)
{
    *m = (struct made){ .der = BUF_INIT(1 << 18) };
    m->mark = der_open(&m->der, DER_SEQUENCE);
}

static void rdn(struct made *m, const char *oid, uint8_t tag, struct view value)
{
    size_t set = der_open(&m->der, DER_SET), seq = der_open(&m->der, DER_SEQUENCE);

    der_oid_known(&m->der, oid);
    der_tlv(&m->der, tag, value);
    der_close(&m->der, seq);
    der_close(&m->der, set);
}

static struct view end(struct made *m)
{
    der_close(&m->der, m->mark);
    return buf_view(&m->der);
}

static const char *text_of(struct view der)
{
    static struct buf text = BUF_INIT(1 << 18);

    buf_reset(&text);
    buf_add_text(&text, "<");
    name_text(der, &text);
    return buf_text(&text);
}

static void parsed(const char *format, struct buf *der)
{
    struct name n = { 0 };

    buf_reset(der);
    T_OK(name_parse(&n, format, NULL, 0, &e));
    T_OK(name_write(&n, der, &e));
    name_free(&n);
}

static void text_of_our_own(void **state)
{
    struct buf der = BUF_INIT(10000);

    (void)state;
    parsed("CN=Ada,O=Contoso", &der);
    assert_string_equal(text_of(buf_view(&der)), "<CN=Ada, O=Contoso");
    parsed("CN=\"a,b+c;d=e\\\"<f>\",OU=J\xc3\xbcrgen", &der);
    assert_string_equal(
        text_of(buf_view(&der)), "<CN=a\\,b\\+c\\;d\\=e\\\"\\<f\\>, OU=J\xc3\xbcrgen");
    parsed("serialNumber=1+CN=x,1.2.3=y", &der);
    assert_string_equal(text_of(buf_view(&der)), "<CN=x + serialNumber=1, 1.2.3=y");
    parsed("", &der);
    assert_string_equal(text_of(buf_view(&der)), "<");
    buf_free(&der);
}

static void text_of_every_string(void **state)
{
    static const struct {
        uint8_t tag;
        const char *bytes;
        size_t len;
        const char *text;
    } rows[] = {
        { DER_BMP, "\0J\0\xfc\x20\xac", 6, "<CN=J\xc3\xbc\xe2\x82\xac" },
        { 0x1c, "\0\1\xf6\0", 4, "<CN=\xf0\x9f\x98\x80" },
        { 0x14, "J\xfc", 2, "<CN=J\xc3\xbc" },
        { DER_IA5, "a", 1, "<CN=a" },
        { DER_UTF8, "a\x1b[31m\n", 7, "<CN=a?[31m?" },
        { DER_UTF8, "a\0b", 3, "<CN=a?b" },
        { DER_UTF8, "\xe2\x80\xae", 3, "<CN=?" },
        { DER_UTF8, "", 0, "<CN=" },
        { DER_UTF8, "\xff", 1, "<CN=#0C01FF" },
        { DER_PRINTABLE, "\xfc", 1, "<CN=#1301FC" },
        { DER_BMP, "\0a\0", 3, "<CN=#1E03006100" },
        { DER_BMP, "\xd8\0", 2, "<CN=#1E02D800" },
        { DER_INTEGER, "\1", 1, "<CN=#020101" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct made m;

        begin(&m);
        rdn(&m, "2.5.4.3", rows[i].tag, view_of(rows[i].bytes, rows[i].len));
        assert_string_equal(text_of(end(&m)), rows[i].text);
        buf_free(&m.der);
    }
}

static const char *const no_names[] = { "", "00", "3001", "300000", "30023100", "3003310130",
    "3104310230003000", "300431023000", "3006310430020603", "30093107300506035504", "0500",
    "300B310930070603550403" };

static void text_of_no_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof no_names / sizeof no_names[0]; i++) {
        struct buf bytes = BUF_INIT(100);

        T_OK(hex_parse(view_text(no_names[i]), &bytes, &e));
        assert_string_equal(text_of(buf_view(&bytes)), "<?");
        assert_false(name_equal(buf_view(&bytes), buf_view(&bytes)));
        buf_free(&bytes);
    }
}

static void equal_names(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        { "CN=Ada,O=Contoso", "CN=Ada,O=Contoso", true },
        { "CN=Ada,O=Contoso", "CN=ADA,O=contoso", true },
        { "CN=Ada Lovelace", "CN=\"  ada   lovelace \"", true },
        { "CN=Ada Lovelace", "CN=AdaLovelace", false },
        { "CN=Ada,O=Contoso", "O=Contoso,CN=Ada", false },
        { "CN=Ada,O=Contoso", "CN=Ada", false },
        { "CN=Ada", "CN=Ada,O=Contoso", false },
        { "CN=Ada+O=Contoso", "O=Contoso+CN=Ada", true },
        { "CN=Ada+O=Contoso", "CN=Ada,O=Contoso", false },
        { "CN=Ada+O=Contoso", "CN=Ada", false },
        { "CN=Ada+O=Contoso", "CN=Ada+OU=Contoso", false },
        { "CN=Ada", "OU=Ada", false },
        { "CN=J\xc3\xbcrgen", "CN=J\xc3\xbcrgen", true },
        { "CN=J\xc3\xbcrgen", "CN=J\xc3\x9crgen", false }, /* case counts outside ASCII */
        { "", "", true },
        { "", "CN=x", false },
    };
    struct buf a = BUF_INIT(1000), b = BUF_INIT(1000);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        parsed(rows[i].a, &a);
        parsed(rows[i].b, &b);
        assert_int_equal(name_equal(buf_view(&a), buf_view(&b)), rows[i].equal);
        assert_int_equal(name_equal(buf_view(&b), buf_view(&a)), rows[i].equal);
    }
    buf_free(&a);
    buf_free(&b);
}

/* A CA may write another string type than was asked for. */
static void equal_across_string_types(void **state)
{
    static const struct {
        uint8_t tag;
        const char *bytes;
        size_t len;
        bool equal;
    } rows[] = {
        { DER_PRINTABLE, "Ada", 3, true },
        { DER_IA5, "ADA", 3, true },
        { DER_BMP, "\0A\0d\0a", 6, true },
        { 0x14, "Ada", 3, true },
        { 0x1c, "\0\0\0A\0\0\0d\0\0\0a", 12, true },
        { DER_PRINTABLE, "Adb", 3, false },
        { DER_UTF8, "Ada\0", 4, false },
        { DER_OCTET_STRING, "Ada", 3, false },
        { DER_BMP, "\0A\0d\0", 5, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct made a, b;

        begin(&a);
        rdn(&a, "2.5.4.3", DER_UTF8, view_text("Ada"));
        begin(&b);
        rdn(&b, "2.5.4.3", rows[i].tag, view_of(rows[i].bytes, rows[i].len));
        assert_int_equal(name_equal(end(&a), end(&b)), rows[i].equal);
        buf_free(&a.der);
        buf_free(&b.der);
    }
}

/* Two attributes of one RDN may not both be matched by the same one of the other. */
static void sets_match_one_to_one(void **state)
{
    static const char *const hex[] = {
        "301A3118300A06035504030C0341646130"
        "0A06035504030C03416462",
        "301A3118300A06035504030C0341646130"
        "0A06035504030C03416461",
    };
    struct buf a = BUF_INIT(100), b = BUF_INIT(100);

    (void)state;
    T_OK(hex_parse(view_text(hex[0]), &a, &e));
    T_OK(hex_parse(view_text(hex[1]), &b, &e));
    assert_true(name_equal(buf_view(&a), buf_view(&a)));
    assert_true(name_equal(buf_view(&b), buf_view(&b)));
    assert_false(name_equal(buf_view(&a), buf_view(&b)));
    assert_false(name_equal(buf_view(&b), buf_view(&a)));
    buf_free(&a);
    buf_free(&b);
}

/* A value too long to look at equals nothing, not even itself, and is shown as it is encoded. */
static void monstrous_values(void **state)
{
    static uint8_t huge[70000];
    struct made m;

    (void)state;
    memset(huge, 'a', sizeof huge);
    begin(&m);
    rdn(&m, "2.5.4.3", DER_UTF8, view_of(huge, sizeof huge));
    end(&m);
    assert_false(name_equal(buf_view(&m.der), buf_view(&m.der)));
    assert_int_equal(strncmp(text_of(buf_view(&m.der)), "<CN=#0C83011170", 15), 0);
    buf_free(&m.der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_our_own),
        cmocka_unit_test(text_of_every_string),
        cmocka_unit_test(text_of_no_name),
        cmocka_unit_test(equal_names),
        cmocka_unit_test(equal_across_string_types),
        cmocka_unit_test(sets_match_one_to_one),
        cmocka_unit_test(monstrous_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
