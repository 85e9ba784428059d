/* name.h: adding and encoding, with OpenSSL's X509_NAME as a second opinion. */
#include "test/t.h"
#include "certs/der.h"
#include "certs/name.h"
#include "certs/text.h"
#include <openssl/x509.h>

static struct err e;
static struct name n;
static struct buf out = BUF_INIT(1 << 20);

static int clear(void **state)
{
    (void)state;
    name_free(&n);
    buf_free(&out);
    return 0;
}

static const char *hex_of_name(void)
{
    static struct buf hex = BUF_INIT(1 << 16);

    buf_reset(&out);
    buf_reset(&hex);
    T_OK(name_write(&n, &out, &e));
    hex_add(&hex, buf_view(&out));
    return buf_text(&hex);
}

static void empty_name(void **state)
{
    (void)state;
    assert_string_equal(hex_of_name(), "3000");
}

static void two_rdns_in_order(void **state)
{
    (void)state;
    T_OK(name_add(&n, "C", "DE", false, &e));
    T_OK(name_add(&n, "CN", "Ada", false, &e));
    assert_string_equal(hex_of_name(), "301B"
                                       "310B300906035504061302"
                                       "4445"
                                       "310C300A06035504030C03"
                                       "416461");
}

/* Every type: its OID and its string type, as OpenSSL reads them. */
static void every_type(void **state)
{
    static const struct {
        const char *type, *value;
        int nid, tag;
    } rows[] = {
        { "CN", "x\xc3\xbc", NID_commonName, V_ASN1_UTF8STRING },
        { "cn", "x", NID_commonName, V_ASN1_UTF8STRING },
        { "2.5.4.3", "x", NID_commonName, V_ASN1_UTF8STRING },
        { "E", "a@b.c", NID_pkcs9_emailAddress, V_ASN1_IA5STRING },
        { "emailAddress", "a@b.c", NID_pkcs9_emailAddress, V_ASN1_IA5STRING },
        { "1.2.840.113549.1.9.1", "a@b.c", NID_pkcs9_emailAddress, V_ASN1_IA5STRING },
        { "O", "x", NID_organizationName, V_ASN1_UTF8STRING },
        { "OU", "x", NID_organizationalUnitName, V_ASN1_UTF8STRING },
        { "C", "de", NID_countryName, V_ASN1_PRINTABLESTRING },
        { "L", "x", NID_localityName, V_ASN1_UTF8STRING },
        { "S", "x", NID_stateOrProvinceName, V_ASN1_UTF8STRING },
        { "st", "x", NID_stateOrProvinceName, V_ASN1_UTF8STRING },
        { "STREET", "x", NID_streetAddress, V_ASN1_UTF8STRING },
        { "T", "x", NID_title, V_ASN1_UTF8STRING },
        { "G", "x", NID_givenName, V_ASN1_UTF8STRING },
        { "SN", "x", NID_surname, V_ASN1_UTF8STRING },
        { "I", "x", NID_initials, V_ASN1_UTF8STRING },
        { "DC", "x", NID_domainComponent, V_ASN1_IA5STRING },
        { "UID", "x", NID_userId, V_ASN1_UTF8STRING },
        { "serialNumber", "A-1:2", NID_serialNumber, V_ASN1_PRINTABLESTRING },
        { "SERIALNUMBER", "A1", NID_serialNumber, V_ASN1_PRINTABLESTRING },
        { "2.5.4.15", "x", NID_businessCategory, V_ASN1_UTF8STRING },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        X509_NAME *theirs;
        X509_NAME_ENTRY *entry;
        const unsigned char *p;
        const ASN1_STRING *value;

        name_free(&n);
        buf_reset(&out);
        T_OK(name_add(&n, rows[i].type, rows[i].value, false, &e));
        T_OK(name_write(&n, &out, &e));
        p = out.p;
        theirs = d2i_X509_NAME(NULL, &p, (long)out.len);
        assert_non_null(theirs);
        assert_int_equal(X509_NAME_entry_count(theirs), 1);
        entry = X509_NAME_get_entry(theirs, 0);
        assert_int_equal(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)), rows[i].nid);
        value = X509_NAME_ENTRY_get_data(entry);
        assert_int_equal(ASN1_STRING_type(value), rows[i].tag);
        assert_true(view_equal(view_text(rows[i].value),
            view_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value))));
        X509_NAME_free(theirs);
    }
}

/* X.690 11.6 SET OF: by encoding, whatever order they were added in; X509_NAME sorts by the same rule. */
static void joined_attributes_are_sorted(void **state)
{
    static const char *const types[] = { "CN", "serialNumber", "O", "UID", "C", "2.5.4.15" };
    struct buf first = BUF_INIT(1000);

    (void)state;
    for (size_t turn = 0; turn < 6; turn++) {
        X509_NAME *theirs = X509_NAME_new();
        unsigned char *der = NULL;
        int len;

        name_free(&n);
        buf_reset(&out);
        for (size_t i = 0; i < 6; i++) {
            const char *type = types[(turn + 5 * i) % 6];
            ASN1_OBJECT *o;
            const char *openssl = strcmp(type, "C") == 0 ? "2.5.4.6" : NULL;
            int string = strcmp(type, "C") == 0 || strcmp(type, "serialNumber") == 0
                             ? V_ASN1_PRINTABLESTRING
                             : V_ASN1_UTF8STRING;

            T_OK(name_add(&n, type, "DE", i != 0, &e));
            o = OBJ_txt2obj(openssl != NULL ? openssl : type, 0);
            assert_int_equal(X509_NAME_add_entry_by_OBJ(theirs, o, string,
                                 (const unsigned char *)"DE", 2, -1, i == 0 ? 0 : -1),
                1);
            ASN1_OBJECT_free(o);
        }
        T_OK(name_write(&n, &out, &e));
        len = i2d_X509_NAME(theirs, &der);
        assert_true(view_equal(buf_view(&out), view_of(der, (size_t)len)));
        OPENSSL_free(der);
        X509_NAME_free(theirs);
        if (turn == 0)
            buf_add_view(&first, buf_view(&out));
        assert_true(view_equal(buf_view(&out), buf_view(&first)));
    }
    buf_free(&first);
}

static void values_are_bounded(void **state)
{
    static const struct {
        const char *type;
        size_t most;
    } rows[] = { { "CN", 64 }, { "O", 64 }, { "OU", 64 }, { "L", 128 }, { "S", 128 }, { "T", 64 },
        { "E", 255 }, { "serialNumber", 64 }, { "STREET", 255 }, { "UID", 255 }, { "DC", 255 },
        { "1.2.3.4", 255 }, { "G", 32768 }, { "SN", 32768 }, { "I", 32768 } };
    static char value[40000];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        name_free(&n);
        memset(value, 'a', sizeof value);
        value[rows[i].most] = '\0';
        T_OK(name_add(&n, rows[i].type, value, false, &e));
        value[rows[i].most] = 'a';
        value[rows[i].most + 1] = '\0';
        T_ERR_SAYS(name_add(&n, rows[i].type, value, false, &e), ERR_INPUT, "characters");
        T_ERR(name_add(&n, rows[i].type, "", false, &e), ERR_INPUT);
        assert_int_equal(n.count, 1);
    }
}

/* The bound counts characters: 64 of four bytes each are fine. */
static void bounds_count_characters(void **state)
{
    char value[4 * 65 + 1] = "";

    (void)state;
    for (size_t i = 0; i < 65; i++)
        memcpy(value + 4 * i, "\xf0\x9f\x98\x80", 4);
    T_ERR_SAYS(
        name_add(&n, "CN", value, false, &e), ERR_INPUT, "65 characters, allowed are 1 to 64");
    value[4 * 64] = '\0';
    T_OK(name_add(&n, "CN", value, false, &e));
}

static void refuses_values(void **state)
{
    static const struct {
        const char *type, *value, *says;
    } rows[] = {
        { "CN", "a\nb", "U+000A at character 2" },
        { "CN", "a\x7f", "U+007F" },
        { "CN", "\xc2\x85", "U+0085" },
        { "CN", "\xff", "not UTF-8 at character 1" },
        { "CN", "ab\xc3", "not UTF-8 at character 3" },
        { "C", "D", "1 characters" },
        { "C", "DEU", "3 characters" },
        { "C", "D1", "U+0031" },
        { "C", "\xc3\xbc\xc3\xbc", "U+00FC" },
        { "E", "\xc3\xbc@b.c", "U+00FC" },
        { "DC", "b\xc3\xbc", "U+00FC" },
        { "serialNumber", "a_b", "U+005F" },
        { "serialNumber", "a@b", "U+0040" },
        { "FOO", "x", "FOO" },
        { "", "x", "no attribute type" },
        { "CN ", "x", "no attribute type" },
        { "1.2.", "x", "no attribute type" },
        { "OID.2.5.4.3", "x", "no attribute type" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        T_ERR_SAYS(name_add(&n, rows[i].type, rows[i].value, false, &e), ERR_INPUT, rows[i].says);
        assert_int_equal(n.count, 0);
    }
}

static void counts_are_bounded(void **state)
{
    (void)state;
    T_ERR_SAYS(name_add(&n, "CN", "x", true, &e), ERR_INPUT, "no part");
    for (int i = 0; i < NAME_RDN_MAX; i++)
        T_OK(name_add(&n, "OU", "x", false, &e));
    T_ERR_SAYS(name_add(&n, "OU", "x", false, &e), ERR_INPUT, "at most 32");
    for (int i = 1; i < NAME_ATTR_MAX; i++) {
        char type[20];

        (void)snprintf(type, sizeof type, "1.2.3.%d", i);
        T_OK(name_add(&n, type, "x", true, &e));
    }
    T_ERR_SAYS(name_add(&n, "CN", "x", true, &e), ERR_INPUT, "at most 8");
    T_OK(name_write(&n, &out, &e));
}

static void a_type_comes_once_in_an_rdn(void **state)
{
    (void)state;
    T_OK(name_add(&n, "CN", "x", false, &e));
    T_ERR_SAYS(name_add(&n, "cn", "y", true, &e), ERR_INPUT, "joined to another CN");
    T_ERR(name_add(&n, "2.5.4.3", "y", true, &e), ERR_INPUT);
    T_OK(name_add(&n, "CN", "y", false, &e));
}

static void writing_stops_at_the_maximum(void **state)
{
    struct buf small = BUF_INIT(20);

    (void)state;
    buf_add_text(&small, "kept");
    T_OK(name_add(&n, "CN", "Ada Lovelace", false, &e));
    T_ERR(name_write(&n, &small, &e), ERR_TOO_LARGE);
    assert_int_equal(small.len, 4);
    buf_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(empty_name, clear),
        cmocka_unit_test_teardown(two_rdns_in_order, clear),
        cmocka_unit_test_teardown(every_type, clear),
        cmocka_unit_test_teardown(joined_attributes_are_sorted, clear),
        cmocka_unit_test_teardown(values_are_bounded, clear),
        cmocka_unit_test_teardown(bounds_count_characters, clear),
        cmocka_unit_test_teardown(refuses_values, clear),
        cmocka_unit_test_teardown(counts_are_bounded, clear),
        cmocka_unit_test_teardown(a_type_comes_once_in_an_rdn, clear),
        cmocka_unit_test_teardown(writing_stops_at_the_maximum, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
