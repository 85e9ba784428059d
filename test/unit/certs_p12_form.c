/* p12.h: the structure of the files, and that OpenSSL would write the same bytes. */
#include "test/unit/p12_fixture.h"
#include "certs/der.h"
#include "certs/text.h"

static struct der take(struct view *rest, uint8_t tag)
{
    struct der d;

    T_OK(der_expect(rest, tag, "PKCS#12", &d, &e));
    return d;
}

/* Safe 0 holds the certificates, safe 1 the key. */
static void decrypt(
    PKCS12 *p12, int which, PKCS8_PRIV_KEY_INFO **key, STACK_OF(PKCS12_SAFEBAG) * *bags)
{
    STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(p12);
    PKCS7 *safe = sk_PKCS7_value(safes, which);

    assert_int_equal(sk_PKCS7_num(safes), 2);
    if (which == 0) {
        assert_int_equal(OBJ_obj2nid(safe->type), NID_pkcs7_encrypted);
        *bags = PKCS12_unpack_p7encdata(safe, PASSWORD, -1);
    } else {
        assert_int_equal(OBJ_obj2nid(safe->type), NID_pkcs7_data);
        *bags = PKCS12_unpack_p7data(safe);
    }
    assert_non_null(*bags);
    if (which == 1) {
        PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(*bags, 0);

        assert_int_equal(sk_PKCS12_SAFEBAG_num(*bags), 1);
        assert_int_equal(PKCS12_SAFEBAG_get_nid(bag), NID_pkcs8ShroudedKeyBag);
        *key = PKCS12_decrypt_skey(bag, PASSWORD, -1);
        assert_non_null(*key);
    }
    sk_PKCS7_pop_free(safes, PKCS7_free);
}

/* "nid:len," for each attribute of a bag, in file order. */
static void assert_attrs(const PKCS12_SAFEBAG *bag, const char *want)
{
    const STACK_OF(X509_ATTRIBUTE) *attrs = PKCS12_SAFEBAG_get0_attrs(bag);
    struct buf text = BUF_INIT(1024);

    for (int i = 0; i < sk_X509_ATTRIBUTE_num(attrs); i++) {
        X509_ATTRIBUTE *a = sk_X509_ATTRIBUTE_value(attrs, i);
        ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(a, 0);
        char oid[80];

        OBJ_obj2txt(oid, sizeof oid, X509_ATTRIBUTE_get0_object(a), 1);
        buf_printf(&text, "%s=%d", oid, X509_ATTRIBUTE_count(a));
        if (value != NULL) {
            buf_printf(&text, ":%d:", value->type);
            hex_add(&text, view_of(value->value.octet_string->data,
                               (size_t)value->value.octet_string->length));
        }
        buf_add_text(&text, "\n");
    }
    assert_string_equal(buf_text(&text), want);
    buf_free(&text);
}

static void attributes(void **state)
{
    struct p12_spec s = spec(P12_MODERN, &subjects[0]);
    struct buf out = BUF_INIT(ROOM), id = BUF_INIT(64);
    STACK_OF(PKCS12_SAFEBAG) * bags;
    PKCS8_PRIV_KEY_INFO *key = NULL;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len;
    char want[400], friendly[64];
    PKCS12 *p12;

    (void)state;
    s.friendly_name = "ger\xc3\xa4t";
    s.provider_name = "KSP";
    s.machine_keyset = true;
    p12 = build(&s, &out);
    X509_digest(subjects[0].leaf, EVP_sha1(), digest, &digest_len);
    hex_add(&id, view_of(digest, digest_len));
    snprintf(friendly, sizeof friendly,
        "1.2.840.113549.1.9.20=1:%d:006700650072"
        "00E40074\n",
        V_ASN1_BMPSTRING);
    decrypt(p12, 0, &key, &bags);
    assert_int_equal(sk_PKCS12_SAFEBAG_num(bags), 2);
    snprintf(want, sizeof want, "%s1.2.840.113549.1.9.21=1:%d:%s\n", friendly, V_ASN1_OCTET_STRING,
        buf_text(&id));
    assert_attrs(sk_PKCS12_SAFEBAG_value(bags, 0), want);
    assert_attrs(sk_PKCS12_SAFEBAG_value(bags, 1), "");
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    decrypt(p12, 1, &key, &bags);
    snprintf(want, sizeof want,
        "1.3.6.1.4.1.311.17.2=0\n"
        "1.3.6.1.4.1.311.17.1=1:%d:004B00530050\n"
        "%s1.2.840.113549.1.9.21=1:%d:%s\n",
        V_ASN1_BMPSTRING, friendly, V_ASN1_OCTET_STRING, buf_text(&id));
    assert_attrs(sk_PKCS12_SAFEBAG_value(bags, 0), want);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    PKCS8_PRIV_KEY_INFO_free(key);
    PKCS12_free(p12);
    buf_free(&out);
    buf_free(&id);
}

/* SET OF in order of the encodings; OpenSSL sorts when it writes, so the same bytes must come back. */
static void rewritten_by_openssl_it_is_the_same(void **state)
{
    struct buf out = BUF_INIT(ROOM);

    (void)state;
    for (enum p12_profile profile = P12_MODERN; profile <= P12_COMPAT; profile++) {
        for (int with = 0; with < 16; with++) {
            struct p12_spec s = spec(profile, &subjects[0]);
            unsigned char *der = NULL;
            PKCS12 *p12;
            int len;

            s.iterations = 1 + (unsigned)with / 8;
            s.friendly_name =
                with & 1 ? "A rather long friendly name, longer than the provider's" : "b";
            s.provider_name = with & 2 ? "Microsoft Software Key Storage Provider" : NULL;
            s.machine_keyset = (with & 4) != 0;
            p12 = build(&s, &out);
            len = i2d_PKCS12(p12, &der);
            assert_int_equal(len, out.len);
            assert_memory_equal(der, out.p, out.len);
            OPENSSL_free(der);
            {
                STACK_OF(PKCS12_SAFEBAG) * bags;
                PKCS8_PRIV_KEY_INFO *key = NULL;
                unsigned char *again = NULL;
                int again_len;

                decrypt(p12, 1, &key, &bags);
                again_len =
                    ASN1_item_i2d((ASN1_VALUE *)bags, &again, ASN1_ITEM_rptr(PKCS12_SAFEBAGS));
                assert_true(again_len > 0);
                assert_non_null(memmem(out.p, out.len, again, (size_t)again_len));
                OPENSSL_free(again);
                sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
                PKCS8_PRIV_KEY_INFO_free(key);
            }
            PKCS12_free(p12);
        }
    }
    buf_free(&out);
}

/* PBES2-params out of an AlgorithmIdentifier: salt, iterations, IV. */
static void read_pbes2(struct view algorithm, struct view *salt, struct view *iv)
{
    struct der seq = take(&algorithm, DER_SEQUENCE), kdf, scheme, prf;
    struct der oid = take(&seq.content, DER_OID);

    assert_true(der_is_oid(oid, "1.2.840.113549.1.5.13"));
    seq = take(&seq.content, DER_SEQUENCE);
    kdf = take(&seq.content, DER_SEQUENCE);
    scheme = take(&seq.content, DER_SEQUENCE);
    assert_int_equal(seq.content.len, 0);
    assert_true(der_is_oid(take(&kdf.content, DER_OID), "1.2.840.113549.1.5.12"));
    kdf = take(&kdf.content, DER_SEQUENCE);
    *salt = take(&kdf.content, DER_OCTET_STRING).content;
    assert_true(view_equal(take(&kdf.content, DER_INTEGER).content, view_of("\x08\x00", 2)));
    prf = take(&kdf.content, DER_SEQUENCE);
    assert_int_equal(kdf.content.len, 0);
    assert_true(der_is_oid(take(&prf.content, DER_OID), "1.2.840.113549.2.9"));
    take(&prf.content, DER_NULL);
    assert_true(der_is_oid(take(&scheme.content, DER_OID), "2.16.840.1.101.3.4.1.42"));
    *iv = take(&scheme.content, DER_OCTET_STRING).content;
}

static void modern_shares_salt_not_iv(void **state)
{
    struct p12_spec s = spec(P12_MODERN, &subjects[0]);
    struct buf out = BUF_INIT(ROOM);
    struct view salt[2], iv[2], rest;
    struct der pfx, d, list, mac;

    (void)state;
    T_OK(p12_build(lib, &s, &out, &e));
    rest = buf_view(&out);
    pfx = take(&rest, DER_SEQUENCE);
    take(&pfx.content, DER_INTEGER);
    d = take(&pfx.content, DER_SEQUENCE);
    take(&d.content, DER_OID);
    d = take(&d.content, DER_CONTEXTC | 0);
    d = take(&d.content, DER_OCTET_STRING);
    list = take(&d.content, DER_SEQUENCE);
    /* certificates */
    d = take(&list.content, DER_SEQUENCE);
    take(&d.content, DER_OID);
    d = take(&d.content, DER_CONTEXTC | 0);
    d = take(&d.content, DER_SEQUENCE);
    take(&d.content, DER_INTEGER);
    d = take(&d.content, DER_SEQUENCE);
    take(&d.content, DER_OID);
    read_pbes2(d.content, &salt[0], &iv[0]);
    /* key */
    d = take(&list.content, DER_SEQUENCE);
    assert_int_equal(list.content.len, 0);
    take(&d.content, DER_OID);
    d = take(&d.content, DER_CONTEXTC | 0);
    d = take(&d.content, DER_OCTET_STRING);
    d = take(&d.content, DER_SEQUENCE);
    d = take(&d.content, DER_SEQUENCE);
    take(&d.content, DER_OID);
    d = take(&d.content, DER_CONTEXTC | 0);
    d = take(&d.content, DER_SEQUENCE);
    read_pbes2(d.content, &salt[1], &iv[1]);
    assert_int_equal(salt[0].len, 16);
    assert_int_equal(iv[0].len, 16);
    assert_true(view_equal(salt[0], salt[1]));
    assert_false(view_equal(iv[0], iv[1]));
    /* MacData { DigestInfo, salt, 2048 } */
    mac = take(&pfx.content, DER_SEQUENCE);
    assert_int_equal(pfx.content.len, 0);
    take(&mac.content, DER_SEQUENCE);
    d = take(&mac.content, DER_OCTET_STRING);
    assert_int_equal(d.content.len, 16);
    assert_false(view_equal(d.content, salt[0]));
    assert_true(view_equal(take(&mac.content, DER_INTEGER).content, view_of("\x08\x00", 2)));
    assert_int_equal(mac.content.len, 0);
    buf_free(&out);
}

static void one_iteration_is_left_out(void **state)
{
    struct buf out = BUF_INIT(ROOM);

    (void)state;
    for (enum p12_profile profile = P12_MODERN; profile <= P12_COMPAT; profile++) {
        struct p12_spec s = spec(profile, &subjects[0]);
        const ASN1_INTEGER *count;
        const X509_ALGOR *digest;
        const ASN1_OBJECT *oid;
        PKCS12 *p12;

        s.iterations = 1;
        p12 = build(&s, &out);
        PKCS12_get0_mac(NULL, &digest, NULL, &count, p12);
        assert_null(count);
        X509_ALGOR_get0(&oid, NULL, NULL, digest);
        assert_int_equal(OBJ_obj2nid(oid), profile == P12_MODERN ? NID_sha256 : NID_sha1);
        assert_int_equal(PKCS12_verify_mac(p12, PASSWORD, -1), 1);
        PKCS12_free(p12);
    }
    buf_free(&out);
}

static void compat_is_3des_with_a_salt_each(void **state)
{
    struct p12_spec s = spec(P12_COMPAT, &subjects[0]);
    struct buf out = BUF_INIT(ROOM);
    const uint8_t oid[] = { 0x06, 0x0a, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01,
        0x03 };
    const uint8_t *first, *second;

    (void)state;
    T_OK(p12_build(lib, &s, &out, &e));
    first = memmem(out.p, out.len, oid, sizeof oid);
    assert_non_null(first);
    second = memmem(first + 1, out.len - (size_t)(first + 1 - out.p), oid, sizeof oid);
    assert_non_null(second);
    assert_memory_equal(first + sizeof oid, "\x30\x0e\x04\x08", 4);
    assert_memory_not_equal(first + sizeof oid + 4, second + sizeof oid + 4, 8);
    buf_free(&out);
}

static void never_the_same_twice(void **state)
{
    struct p12_spec s = spec(P12_MODERN, &subjects[0]);
    struct buf a = BUF_INIT(ROOM), b = BUF_INIT(ROOM);

    (void)state;
    T_OK(p12_build(lib, &s, &a, &e));
    T_OK(p12_build(lib, &s, &b, &e));
    assert_false(view_equal(buf_view(&a), buf_view(&b)));
    buf_free(&a);
    buf_free(&b);
}

/* The plain key must not be left in the output buffer, not even behind its end. */
static void key_is_not_in_the_file(void **state)
{
    struct p12_spec s = spec(P12_MODERN, &subjects[1]);
    struct buf out = BUF_INIT(ROOM);
    struct view key = key_pkcs8(subjects[1].key);

    (void)state;
    T_OK(p12_build(lib, &s, &out, &e));
    assert_null(memmem(out.p, out.cap, key.p + 100, 32));
    assert_null(memmem(out.p, out.cap, PASSWORD, 16));
    buf_free(&out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes),
        cmocka_unit_test(rewritten_by_openssl_it_is_the_same),
        cmocka_unit_test(modern_shares_salt_not_iv),
        cmocka_unit_test(one_iteration_is_left_out),
        cmocka_unit_test(compat_is_3des_with_a_salt_each),
        cmocka_unit_test(never_the_same_twice),
        cmocka_unit_test(key_is_not_in_the_file),
    };
    int failed;

    if (start() != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    stop();
    return failed;
}
