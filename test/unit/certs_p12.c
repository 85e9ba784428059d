/*
 * p12.h: files as OpenSSL's own reader opens them, and their structure as our DER reader finds it.
 * PKCS12_parse is for tests: the product never opens a PKCS#12 file.
 */
#include "test/t.h"
#include "test/unit/issue.h"
#include <openssl/pkcs12.h>
#include "certs/der.h"
#include "certs/key.h"
#include "certs/p12.h"
#include "certs/text.h"

enum { ROOM = 1 << 20 };

#define PASSWORD "abcdefghijklmnopqrstuvwxyz012345"

static struct err e;
static struct lib *lib;
static EVP_PKEY *root_key, *sub_key;
static X509 *root, *sub;

/* A key of ours with a certificate for it. */
static struct subject {
    struct key *key;
    X509 *leaf;
    struct buf chain; /* leaf, sub, root */
} subjects[3];
static const enum key_type types[3] = { KEY_P256, KEY_RSA2048, KEY_ED25519 };

static struct p12_spec spec(enum p12_profile profile, const struct subject *s)
{
    return (struct p12_spec){
        .profile = profile,
        .iterations = P12_ITERATIONS,
        .password = PASSWORD,
        .pkcs8 = key_pkcs8(s->key),
        .chain = buf_view(&s->chain),
    };
}

static PKCS12 *build(const struct p12_spec *s, struct buf *out)
{
    const unsigned char *p;
    PKCS12 *p12;

    buf_reset(out);
    T_OK(p12_build(lib, s, out, &e));
    p = out->p;
    p12 = d2i_PKCS12(NULL, &p, (long)out->len);
    assert_non_null(p12);
    assert_ptr_equal(p, out->p + out->len);
    return p12;
}

/* ---- what a reader gets ---- */

static void opens_with_the_password_only(void **state)
{
    struct buf out = BUF_INIT(ROOM);

    (void)state;
    for (enum p12_profile profile = P12_MODERN; profile <= P12_COMPAT; profile++) {
        for (size_t i = 0; i < 3; i++) {
            struct p12_spec s = spec(profile, &subjects[i]);
            PKCS12 *p12 = build(&s, &out);
            STACK_OF(X509) *more = NULL;
            EVP_PKEY *key = NULL;
            X509 *leaf = NULL;

            assert_int_equal(PKCS12_verify_mac(p12, PASSWORD, -1), 1);
            assert_int_equal(PKCS12_parse(p12, PASSWORD, &key, &leaf, &more), 1);
            assert_int_equal(X509_cmp(leaf, subjects[i].leaf), 0);
            assert_int_equal(X509_check_private_key(leaf, key), 1);
            assert_int_equal(sk_X509_num(more), 1);
            assert_int_equal(X509_cmp(sk_X509_value(more, 0), sub), 0);
            EVP_PKEY_free(key);
            X509_free(leaf);
            sk_X509_pop_free(more, X509_free);
            key = NULL;
            leaf = NULL;
            assert_int_equal(
                PKCS12_parse(p12, "abcdefghijklmnopqrstuvwxyz012346", &key, &leaf, NULL), 0);
            assert_int_equal(PKCS12_verify_mac(p12, "", -1), 0);
            assert_int_equal(PKCS12_verify_mac(p12, NULL, 0), 0);
            PKCS12_free(p12);
        }
    }
    buf_free(&out);
}

static size_t place(const struct buf *b, const ASN1_OCTET_STRING *of)
{
    const uint8_t *p = memmem(b->p, b->len, of->data, (size_t)of->length);

    assert_non_null(p);
    return (size_t)(p - b->p);
}

static void any_byte_of_content_or_mac_changed(void **state)
{
    struct buf out = BUF_INIT(ROOM);

    (void)state;
    for (enum p12_profile profile = P12_MODERN; profile <= P12_COMPAT; profile++) {
        struct p12_spec s = spec(profile, &subjects[0]);
        const ASN1_OCTET_STRING *mac, *salt;
        size_t at[4];
        PKCS12 *p12;

        s.iterations = 10;
        p12 = build(&s, &out);
        PKCS12_get0_mac(&mac, NULL, &salt, NULL, p12);
        at[0] = place(&out, mac);
        at[1] = at[0] + (size_t)mac->length - 1;
        at[2] = place(&out, salt);
        at[3] = out.len / 2; /* in the encrypted part */
        PKCS12_free(p12);
        for (size_t i = 0; i < 4; i++) {
            const unsigned char *p = out.p;

            out.p[at[i]] ^= 1;
            p12 = d2i_PKCS12(NULL, &p, (long)out.len);
            assert_int_equal(p12 != NULL && PKCS12_verify_mac(p12, PASSWORD, -1) == 1, 0);
            PKCS12_free(p12);
            out.p[at[i]] ^= 1;
        }
    }
    buf_free(&out);
}

static void root_only_when_asked_for(void **state)
{
    struct p12_spec s = spec(P12_MODERN, &subjects[0]);
    struct buf out = BUF_INIT(ROOM);
    STACK_OF(X509) *more = NULL;
    EVP_PKEY *key;
    X509 *leaf;
    PKCS12 *p12;

    (void)state;
    s.include_root = true;
    s.iterations = 1;
    p12 = build(&s, &out);
    assert_int_equal(PKCS12_parse(p12, PASSWORD, &key, &leaf, &more), 1);
    assert_int_equal(sk_X509_num(more), 2);
    EVP_PKEY_free(key);
    X509_free(leaf);
    sk_X509_pop_free(more, X509_free);
    PKCS12_free(p12);
    buf_free(&out);
}

/* ---- structure ---- */

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

/* ---- refusals ---- */

static void refusals(void **state)
{
    const struct p12_spec good = spec(P12_MODERN, &subjects[0]);
    char long65[66] = "", long129[130] = "";
    struct buf out = BUF_INIT(ROOM), small = BUF_INIT(50), junk = BUF_INIT(ROOM),
               many = BUF_INIT(ROOM);
    struct p12_spec s;

    (void)state;
    memset(long65, 'a', 65);
    memset(long129, 'a', 129);
    buf_add_text(&out, "kept");
#define WITH(member, value, says)                                  \
    do {                                                           \
        s = good;                                                  \
        s.member = (value);                                        \
        T_ERR_SAYS(p12_build(lib, &s, &out, &e), ERR_INPUT, says); \
        assert_int_equal(out.len, 4);                              \
    } while (0)
    WITH(profile, P12_NONE, "profile 0");
    WITH(profile, (enum p12_profile)3, "profile 3");
    WITH(iterations, 0, "iterations: 0");
    WITH(iterations, 1000001, "iterations: 1000001");
    WITH(password, NULL, "password: 0");
    WITH(password, "", "password: 0");
    WITH(password, long65, "password: 65");
    WITH(password, "p\xc3\xa4ss", "printable ASCII");
    WITH(password, "a\tb", "printable ASCII");
    WITH(friendly_name, "", "friendly name: 0");
    WITH(friendly_name, long65, "friendly name: 65");
    WITH(friendly_name, "a\nb", "control");
    WITH(friendly_name, "a\xf0\x9d\x84\x9e", "character 2 does not fit");
    WITH(friendly_name, "a\xff", "character 2 does not fit");
    WITH(provider_name, long129, "provider name: 129");
    WITH(provider_name, "", "provider name: 0");
    WITH(pkcs8, view_of(NULL, 0), "PKCS#12 key");
    WITH(pkcs8, view_text("x"), "PKCS#12 key");
    WITH(pkcs8, view_of("\x30\x00\x00", 3), "too many");
    WITH(chain, view_of(NULL, 0), "no certificate");
    WITH(chain, view_text("x"), "certificate 1");
    WITH(chain, view_of("\x30\x03\x02\x01\x01", 5), "certificate 1");
    issue_der(subjects[0].leaf, &junk);
    buf_add_text(&junk, "x");
    WITH(chain, buf_view(&junk), "certificate 2");
    for (int i = 0; i < 33; i++)
        issue_der(sub, &many);
    WITH(chain, buf_view(&many), "more than 32");
    s = good;
    T_ERR(p12_build(lib, &s, &small, &e), ERR_TOO_LARGE);
    assert_int_equal(small.len, 0);
    long65[64] = '\0';
    s.friendly_name = s.password = long65;
    T_OK(p12_build(lib, &s, &out, &e));
    assert_memory_equal(out.p, "kept", 4);
    buf_free(&out);
    buf_free(&small);
    buf_free(&junk);
    buf_free(&many);
}

static void profiles(void **state)
{
    static const struct {
        const char *name, *platform;
        enum p12_profile want;
        bool guessed;
    } rows[] = {
        { "modern", NULL, P12_MODERN, false },
        { "compat", "linux", P12_COMPAT, false },
        { "auto", "windows10AndLater", P12_MODERN, false },
        { "auto", "linux", P12_MODERN, false },
        { "auto", "iOS", P12_COMPAT, false },
        { "auto", "macOS", P12_COMPAT, false },
        { "auto", "android", P12_COMPAT, false },
        { "auto", "amiga", P12_COMPAT, true },
        { "auto", NULL, P12_COMPAT, true },
        { "Modern", "linux", P12_NONE, false },
        { "", "linux", P12_NONE, false },
        { NULL, "linux", P12_NONE, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool guessed = !rows[i].guessed;

        assert_int_equal(p12_profile_for(rows[i].name, rows[i].platform, &guessed), rows[i].want);
        assert_int_equal(guessed, rows[i].guessed);
    }
}

/* Every character of the alphabet turns up about as often as any other (chi squared, 61 degrees). */
static void passwords(void **state)
{
    enum { ROUNDS = 4000 };
    unsigned seen[256] = { 0 };
    char out[P12_PASSWORD_LEN + 1], last[P12_PASSWORD_LEN + 1] = "";
    double expect = ROUNDS * P12_PASSWORD_LEN / 62.0, chi = 0;
    unsigned kinds = 0;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        T_OK(p12_password(lib, out, &e));
        assert_int_equal(strlen(out), P12_PASSWORD_LEN);
        assert_string_not_equal(out, last);
        memcpy(last, out, sizeof out);
        for (size_t j = 0; j < P12_PASSWORD_LEN; j++)
            seen[(uint8_t)out[j]]++;
    }
    for (unsigned c = 0; c < 256; c++) {
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        assert_int_equal(seen[c] != 0, letter);
        if (letter)
            chi += (seen[c] - expect) * (seen[c] - expect) / expect;
        kinds += letter;
    }
    assert_int_equal(kinds, 62);
    assert_true(chi < 140); /* p < 1e-7 */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_with_the_password_only),
        cmocka_unit_test(any_byte_of_content_or_mac_changed),
        cmocka_unit_test(root_only_when_asked_for),
        cmocka_unit_test(attributes),
        cmocka_unit_test(rewritten_by_openssl_it_is_the_same),
        cmocka_unit_test(modern_shares_salt_not_iv),
        cmocka_unit_test(one_iteration_is_left_out),
        cmocka_unit_test(compat_is_3des_with_a_salt_each),
        cmocka_unit_test(never_the_same_twice),
        cmocka_unit_test(key_is_not_in_the_file),
        cmocka_unit_test(refusals),
        cmocka_unit_test(profiles),
        cmocka_unit_test(passwords),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    root_key = issue_key("P-256");
    sub_key = issue_key("P-256");
    root = issue_ca("CN=Root", root_key, NULL, NULL);
    sub = issue_ca("CN=Sub", sub_key, root, root_key);
    for (size_t i = 0; i < 3; i++) {
        struct subject *s = &subjects[i];
        const unsigned char *p;
        struct view der;
        EVP_PKEY *pub;

        if ((s->key = key_new(lib, types[i], KEYGEN_FAST, &e)) == NULL)
            return 1;
        der = key_spki(s->key);
        p = der.p;
        pub = d2i_PUBKEY(NULL, &p, (long)der.len);
        s->leaf = issue(&(struct issue){
            .subject = "CN=Ada", .key = pub, .issuer = sub, .issuer_key = sub_key });
        s->chain.max = ROOM;
        issue_der(s->leaf, &s->chain);
        issue_der(sub, &s->chain);
        issue_der(root, &s->chain);
        EVP_PKEY_free(pub);
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < 3; i++) {
        key_free(subjects[i].key);
        X509_free(subjects[i].leaf);
        buf_free(&subjects[i].chain);
    }
    X509_free(root);
    X509_free(sub);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(sub_key);
    lib_free(lib);
    return failed;
}
