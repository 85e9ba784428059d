/* signed.h: messages that OpenSSL's CMS made are read and verified, and ours are read by it. */
#include "test/unit/signed_fixture.h"
#include "certs/cms.h"
#include "certs/signed.h"

static struct party rsa, ec, other;

static const char TEXT[] = "a message of some length, so that there is something to hash";

static struct view text(void)
{
    return view_text(TEXT);
}

static struct signed_data parse(const struct buf *b)
{
    struct signed_data s = { 0 };

    T_OK(signed_parse(buf_view(b), &s, &e));
    return s;
}

/* ---- what OpenSSL signs ---- */

static void assert_reads(const struct party *p, struct view content, const struct sign *how)
{
    struct buf b = BUF_INIT(ROOM);
    struct signed_data s;
    struct view signer;

    sign_message(p, content, how, &b);
    as_der(&b);
    s = parse(&b);
    assert_true(s.has_content);
    assert_true(view_equal(s.content, content));
    T_OK(signed_signer(&s, &signer, &e));
    assert_true(view_equal(signer, buf_view(&p->der)));
    T_OK(signed_verify(lib, &s, signer, &e));
    T_ERR(signed_verify(lib, &s, buf_view(&other.der), &e),
        p->pkey == rsa.pkey ? ERR_MISMATCH : ERR_UNSUPPORTED);
    buf_free(&b);
}

static void openssl_signs(void **state)
{
    const EVP_MD *const mds[] = { EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512() };
    struct buf large = BUF_INIT(ROOM);

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_reads(&rsa, text(), &(struct sign){ .md = mds[i] });
        assert_reads(&rsa, text(), &(struct sign){ .md = mds[i], .pss = true });
        assert_reads(&ec, text(), &(struct sign){ .md = mds[i] });
    }
    assert_reads(&rsa, text(), &(struct sign){ .flags = CMS_USE_KEYID });
    assert_reads(&rsa, text(), &(struct sign){ .flags = CMS_STREAM });
    assert_reads(&ec, text(), &(struct sign){ .flags = CMS_STREAM | CMS_USE_KEYID });
    while (large.len < 50000) /* in several pieces */
        buf_add_text(&large, TEXT);
    assert_reads(&rsa, buf_view(&large), &(struct sign){ .flags = CMS_STREAM });
    buf_free(&large);
}

/* A bit anywhere in what is signed, or in what signs it, is noticed. */
static void every_bit_counts(void **state)
{
    struct buf b = BUF_INIT(ROOM);
    struct signed_data s;

    (void)state;
    sign_message(&rsa, text(), &(struct sign){ 0 }, &b);
    s = parse(&b);
    for (int part = 0; part < 3; part++) {
        struct view v = part == 0 ? s.content : part == 1 ? s.attrs : s.signature;

        for (size_t i = 0; i < v.len; i += part == 1 ? 1 : 17) {
            struct signed_data changed = { 0 };
            uint8_t *at = (uint8_t *)(uintptr_t)v.p + i;

            *at ^= 1;
            if (signed_parse(buf_view(&b), &changed, &e) == 0
                && signed_verify(lib, &changed, buf_view(&rsa.der), &e) == 0)
                fail_msg("part %d, byte %zu", part, i);
            *at ^= 1;
        }
    }
    T_OK(signed_verify(lib, &s, buf_view(&rsa.der), &e));
    buf_free(&b);
}

/* ---- shapes ---- */

static void refuse_signed(const struct sign *how, const char *says)
{
    struct buf b = BUF_INIT(ROOM);
    struct signed_data s = { 0 };

    sign_message(&rsa, text(), how, &b);
    as_der(&b);
    T_ERR_SAYS(signed_parse(buf_view(&b), &s, &e), ERR_PROTO, says);
    assert_null(s.attrs.p);
    buf_free(&b);
}

/* What replaces `from`, of the same length, in a message that would be good, and then is refused. */
static void refuse_changed(struct view from, struct view to, enum err_class cls, const char *says)
{
    struct buf b = BUF_INIT(ROOM);
    struct signed_data s = { 0 };

    assert_int_equal(from.len, to.len);
    sign_message(&rsa, text(), &(struct sign){ .without_certificate = true }, &b);
    memcpy(find(&b, from.p, from.len), to.p, to.len);
    T_ERR_SAYS(signed_parse(buf_view(&b), &s, &e), cls, says);
    buf_free(&b);
}

#define BYTES(text) view_of((text), sizeof(text) - 1)

static void refused_shapes(void **state)
{
    struct buf b = BUF_INIT(ROOM);
    struct signed_data s = { 0 };

    (void)state;
    refuse_signed(&(struct sign){ .second = &other }, "more than one signer");
    refuse_signed(&(struct sign){ .flags = CMS_NOATTR }, "no signed attributes");
    refuse_changed(BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"),
        BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"), ERR_PROTO, "not a SignedData");
    refuse_changed(BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0"),
        BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0"), ERR_PROTO, "not id-data");
    /* the list of digests has another one than the signer */
    refuse_changed(BYTES("\x31\x0d\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"),
        BYTES("\x31\x0d\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02"), ERR_PROTO,
        "not listed");
    sign_message(&rsa, text(), &(struct sign){ 0 }, &b);
    for (size_t i = 0; i < b.len; i++)
        T_ERR(signed_parse(view_of(b.p, i), &s, &e), ERR_PROTO);
    buf_add_byte(&b, 0);
    T_ERR_SAYS(signed_parse(buf_view(&b), &s, &e), ERR_PROTO, "too many");
    buf_reset(&b);
    T_OK(signed_certs_only(buf_view(&rsa.der), view_of(NULL, 0), &b, &e));
    T_ERR_SAYS(signed_parse(buf_view(&b), &s, &e), ERR_PROTO, "SignerInfo");
    buf_free(&b);
}

/* An empty list of digests once made OpenSSL read what was not there. */
static void no_digests(void **state)
{
    struct buf b = BUF_INIT(ROOM);
    struct signed_data s = { 0 };
    uint8_t *at;

    (void)state;
    sign_message(&rsa, text(), &(struct sign){ 0 }, &b);
    at = find(&b, "\x02\x01\x01\x31\x0d\x30\x0b", 7) + 3;
    splice(&b, (size_t)(at - b.p), 15, BYTES("\x31\x0d\x02\x0b\0\0\0\0\0\0\0\0\0\0\1"));
    T_ERR_SAYS(signed_parse(buf_view(&b), &s, &e), ERR_PROTO, "digestAlgorithms");
    buf_free(&b);
}

/* A digest that we do not do: what else was read is there for an answer. */
static void unsupported_digest(void **state)
{
    struct buf b = BUF_INIT(ROOM);
    struct signed_data s = { 0 };
    struct view signer;

    (void)state;
    sign_message(&rsa, text(), &(struct sign){ .md = EVP_sha224() }, &b);
    T_ERR_SAYS(signed_parse(buf_view(&b), &s, &e), ERR_UNSUPPORTED, "2.16.840.1.101.3.4.2.4");
    assert_int_equal(s.digest, DIGEST_NONE);
    assert_true(view_equal(s.content, text()));
    T_OK(signed_signer(&s, &signer, &e));
    T_ERR(signed_verify(lib, &s, signer, &e), ERR_UNSUPPORTED);
    buf_free(&b);
}

/* ---- attributes ---- */

#define OID_MESSAGE_TYPE "2.16.840.1.113733.1.9.2"
#define OID_NONCE        "2.16.840.1.113733.1.9.5"

/* A message with these attributes besides the two there have to be. */
static struct buf written(const struct party *p, const struct signed_attr_out *attrs, size_t count)
{
    struct buf out = BUF_INIT(ROOM);
    struct signed_out s = { .content = text(),
        .has_content = true,
        .digest = DIGEST_SHA256,
        .key = p->key,
        .certificate = buf_view(&p->der),
        .include_certificate = true,
        .attrs = attrs,
        .attr_count = count };

    T_OK(signed_write(lib, &s, &out, &e));
    return out;
}

static void attributes(void **state)
{
    const struct signed_attr_out attrs[] = {
        { OID_NONCE, BYTES("\x04\x02xy") },
        { OID_MESSAGE_TYPE, BYTES("\x13\x02"
                                  "19") },
        { "1.2.3", BYTES("") },
        { "1.2.4", BYTES("\x05\x00\x05\x00") },
        { "1.2.5", BYTES("\x05\x00") },
        { "1.2.5", BYTES("\x05\x00") },
    };
    struct buf b = written(&rsa, attrs, 6);
    struct signed_data s = parse(&b);
    struct der v = { 0 };

    (void)state;
    assert_int_equal(signed_attr(&s, OID_MESSAGE_TYPE, &v, &e), 1);
    assert_int_equal(v.tag, DER_PRINTABLE);
    assert_true(view_equal(v.content, view_text("19")));
    assert_int_equal(signed_attr(&s, "1.2.9", &v, &e), 0);
    assert_true(view_equal(v.content, view_text("19")));
    T_ERR(signed_attr(&s, "1.2.3", &v, &e), ERR_PROTO);
    T_ERR(signed_attr(&s, "1.2.4", &v, &e), ERR_PROTO);
    T_ERR_SAYS(signed_attr(&s, "1.2.5", &v, &e), ERR_PROTO, "twice");
    assert_true(view_equal(v.content, view_text("19")));
    T_OK(signed_verify(lib, &s, buf_view(&rsa.der), &e));
    buf_free(&b);
}

static void attributes_of_ours_twice(void **state)
{
    const struct signed_attr_out type[] = { { "1.2.840.113549.1.9.3", BYTES("\x05\x00") } };
    const struct signed_attr_out digest[] = { { "1.2.840.113549.1.9.4", BYTES("\x04\x00") } };
    struct buf a = written(&rsa, type, 1), b = written(&rsa, digest, 1);
    struct signed_data s = parse(&a);

    (void)state;
    T_ERR_SAYS(signed_verify(lib, &s, buf_view(&rsa.der), &e), ERR_PROTO, "twice");
    s = parse(&b);
    T_ERR_SAYS(signed_verify(lib, &s, buf_view(&rsa.der), &e), ERR_PROTO, "twice");
    buf_free(&a);
    buf_free(&b);
}

/* The attributes have been changed in place: sign them again. */
static void sign_again(const struct signed_data *s)
{
    struct buf attrs = BUF_INIT(ROOM), signature = BUF_INIT(ROOM);
    uint8_t hash[64];
    size_t len;

    buf_add_view(&attrs, s->attrs_whole);
    attrs.p[0] = DER_SET;
    T_OK(digest_of(lib, s->digest, buf_view(&attrs), hash, &len, &e));
    T_OK(key_sign_digest(lib, rsa.key, lib->sha256, view_of(hash, len), &signature, &e));
    assert_int_equal(signature.len, s->signature.len);
    memcpy((uint8_t *)(uintptr_t)s->signature.p, signature.p, signature.len);
    buf_free(&attrs);
    buf_free(&signature);
}

/* RFC 5652 5.4: what is signed is the SET OF; in whichever order it came. */
static void unsorted_attributes(void **state)
{
    struct buf b = written(&rsa, NULL, 0), attrs = BUF_INIT(ROOM);
    struct signed_data s = parse(&b);
    struct view rest = s.attrs;
    struct der one, two;

    (void)state;
    T_OK(der_next(&rest, &one, &e));
    T_OK(der_next(&rest, &two, &e));
    assert_int_equal(rest.len, 0);
    buf_add_view(&attrs, two.whole);
    buf_add_view(&attrs, one.whole);
    memcpy((uint8_t *)(uintptr_t)s.attrs.p, attrs.p, attrs.len);
    T_ERR(signed_verify(lib, &s, buf_view(&rsa.der), &e), ERR_MISMATCH);
    sign_again(&s);
    T_OK(signed_verify(lib, &s, buf_view(&rsa.der), &e));
    buf_free(&b);
    buf_free(&attrs);
}

/* RFC 5652 5.3: If the field is present, it MUST contain, at a minimum, [contentType and messageDigest] */
static void attributes_there_must_be(void **state)
{
    static const struct {
        struct {
            const char *p;
            size_t len;
        } find, put;
        enum err_class cls;
        const char *says;
    } rows[] = {
#define ROW(find, put, cls, says) \
    { { find, sizeof(find) - 1 }, { put, sizeof(put) - 1 }, cls, says }
        ROW("\x01\x09\x03\x31", "\x01\x09\x44\x31", ERR_PROTO, "contentType"),
        ROW("\x0d\x01\x07\x01\x30", "\x0d\x01\x07\x03\x30", ERR_PROTO, "contentType"),
        ROW("\x01\x09\x04\x31", "\x01\x09\x44\x31", ERR_PROTO, "messageDigest"),
        ROW("\x31\x22\x04\x20", "\x31\x22\x05\x20", ERR_PROTO, "messageDigest"),
        ROW("\x31\x22\x04\x20", "\x31\x22\x04\x20", ERR_NONE, NULL),
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = written(&rsa, NULL, 0);
        struct signed_data s = parse(&b);
        uint8_t *at = memmem(s.attrs.p, s.attrs.len, rows[i].find.p, rows[i].find.len);

        assert_non_null(at);
        memcpy(at, rows[i].put.p, rows[i].put.len);
        sign_again(&s);
        if (rows[i].says != NULL)
            T_ERR_SAYS(signed_verify(lib, &s, buf_view(&rsa.der), &e), rows[i].cls, rows[i].says);
        else
            T_OK(signed_verify(lib, &s, buf_view(&rsa.der), &e));
        buf_free(&b);
    }
}

/* ---- the signer's certificate ---- */

static void signers(void **state)
{
    struct buf b = written(&rsa, NULL, 0), certs = BUF_INIT(ROOM), twin = BUF_INIT(ROOM);
    struct signed_data s = parse(&b);
    struct view found = { 0 };

    (void)state;
    buf_add(&certs, "\x30\x03\x02\x01\x05", 5); /* not a certificate: not looked at */
    buf_add_view(&certs, buf_view(&other.der));
    s.certs = buf_view(&certs);
    T_ERR_SAYS(signed_signer(&s, &found, &e), ERR_PROTO, "without the signer's certificate");
    buf_add_view(&certs, buf_view(&rsa.der));
    buf_add_view(&certs, buf_view(&rsa.der));
    s.certs = buf_view(&certs);
    T_OK(signed_signer(&s, &found, &e));
    assert_true(view_equal(found, buf_view(&rsa.der)));
    /* the same name and number, another certificate: which key is meant? */
    buf_add_view(&twin, buf_view(&rsa.der));
    twin.p[twin.len - 1] ^= 1;
    buf_add_view(&certs, buf_view(&twin));
    s.certs = buf_view(&certs);
    T_ERR_SAYS(signed_signer(&s, &found, &e), ERR_PROTO, "two certificates");
    s.certs = view_of(NULL, 0);
    T_ERR(signed_signer(&s, &found, &e), ERR_PROTO);
    buf_free(&b);
    buf_free(&certs);
    buf_free(&twin);
}

/* certmonger's first certificate has a serial number of 32 bytes. */
static void long_serial_number(void **state)
{
    struct party p = rsa;
    struct signed_data s;
    struct view signer;
    BIGNUM *n = BN_new();
    struct buf b;

    (void)state;
    BN_set_bit(n, 250);
    p.x509 = X509_dup(rsa.x509);
    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(p.x509));
    X509_sign(p.x509, p.pkey, EVP_sha256());
    p.der = (struct buf)BUF_INIT(ROOM);
    issue_der(p.x509, &p.der);
    assert_reads(&p, text(), &(struct sign){ 0 });
    b = written(&p, NULL, 0);
    s = parse(&b);
    assert_int_equal(s.serial.len, 32);
    T_OK(signed_signer(&s, &signer, &e));
    buf_reset(&b);
    T_OK(cms_envelope(lib, buf_view(&p.der), CMS_AES128_CBC, CMS_RSA_PKCS1, text(), &b, &e));
    BN_free(n);
    X509_free(p.x509);
    buf_free(&p.der);
    buf_free(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_signs),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(refused_shapes),
        cmocka_unit_test(no_digests),
        cmocka_unit_test(unsupported_digest),
        cmocka_unit_test(attributes),
        cmocka_unit_test(attributes_of_ours_twice),
        cmocka_unit_test(unsorted_attributes),
        cmocka_unit_test(attributes_there_must_be),
        cmocka_unit_test(signers),
        cmocka_unit_test(long_serial_number),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    party_init(&rsa, "rsa2048", "CN=Device/O=Contoso");
    party_init(&ec, "P-256", "CN=Device/O=Contoso");
    party_init(&other, "rsa2048", "CN=Another");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    party_free(&rsa);
    party_free(&ec);
    party_free(&other);
    lib_free(lib);
    return failed;
}
