/* chain.h: certificates in every form they are sent in. */
#include "test/unit/chain_fixture.h"
#include <openssl/cms.h>
#include "certs/cms.h"
#include "certs/der.h"
#include "certs/text.h"

static struct lib *lib;

enum form { DEFINITE, INDEFINITE };

static size_t ber_open(struct buf *b, enum form f, uint8_t tag)
{
    size_t mark = der_open(b, tag);

    if (f == INDEFINITE)
        buf_add_byte(b, 0x80);
    return mark;
}

static void ber_close(struct buf *b, enum form f, size_t mark)
{
    if (f == INDEFINITE)
        buf_add(b, "\0\0", 2);
    else
        der_close(b, mark);
}

/* RFC 5652 5.2, as AD CS and EST servers send it; content must be absent. */
static void write_p7(struct buf *b, enum form f, struct view certs, const char *content)
{
    size_t info = ber_open(b, f, DER_SEQUENCE), wrap, data, encap, list;

    der_oid_known(b, "1.2.840.113549.1.7.2");
    wrap = ber_open(b, f, DER_CONTEXTC | 0);
    data = ber_open(b, f, DER_SEQUENCE);
    der_uint(b, 1);
    der_tlv(b, DER_SET, view_text(""));
    encap = ber_open(b, f, DER_SEQUENCE);
    der_oid_known(b, "1.2.840.113549.1.7.1");
    if (content != NULL) {
        size_t explicit = ber_open(b, f, DER_CONTEXTC | 0);

        der_tlv(b, DER_OCTET_STRING, view_text(content));
        ber_close(b, f, explicit);
    }
    ber_close(b, f, encap);
    if (certs.len != 0) {
        list = ber_open(b, f, DER_CONTEXTC | 0);
        buf_add_view(b, certs);
        ber_close(b, f, list);
    }
    der_tlv(b, DER_SET, view_text(""));
    ber_close(b, f, data);
    ber_close(b, f, wrap);
    ber_close(b, f, info);
    assert_false(b->bad);
}

static void assert_reads(struct view in, struct view want, size_t want_count)
{
    struct buf out = BUF_INIT(ROOM);
    size_t count = 0;

    buf_add_text(&out, "before");
    T_OK(chain_read(lib, in, &out, &count, &e));
    assert_int_equal(count, want_count);
    assert_memory_equal(out.p, "before", 6);
    assert_int_equal(out.len - 6, want.len);
    assert_memory_equal(out.p + 6, want.p, want.len);
    buf_free(&out);
}

static void assert_refuses(struct view in, const char *says)
{
    struct buf out = BUF_INIT(ROOM);
    size_t count = 77;

    buf_add_text(&out, "before");
    T_ERR_SAYS(chain_read(lib, in, &out, &count, &e), ERR_PROTO, says);
    assert_int_equal(out.len, 6);
    assert_int_equal(count, 77);
    buf_free(&out);
}

static void reads_der(void **state)
{
    struct buf der = BUF_INIT(ROOM);

    (void)state;
    issue_der(leaf, &der);
    assert_reads(buf_view(&der), buf_view(&der), 1);
    buf_add_byte(&der, 0);
    assert_refuses(buf_view(&der), "too many");
    buf_free(&der);
}

static void reads_certs_only(void **state)
{
    (void)state;
    for (enum form f = DEFINITE; f <= INDEFINITE; f++) {
        struct buf p7 = BUF_INIT(ROOM);

        write_p7(&p7, f, buf_view(&three), NULL);
        assert_reads(buf_view(&p7), buf_view(&three), 3);
        buf_add_byte(&p7, 0);
        assert_refuses(buf_view(&p7), "too many");
        buf_free(&p7);
    }
}

static void reads_openssl_certs_only(void **state)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    struct buf out = BUF_INIT(ROOM);
    CMS_ContentInfo *cms;
    unsigned char *der = NULL;
    size_t count;
    int len;

    (void)state;
    sk_X509_push(certs, leaf);
    sk_X509_push(certs, sub);
    cms = CMS_sign(NULL, NULL, certs, NULL, CMS_DETACHED | CMS_BINARY | CMS_PARTIAL);
    assert_non_null(cms);
    len = i2d_CMS_ContentInfo(cms, &der);
    T_OK(cms_certs(view_of(der, (size_t)len), &out, &count, &e));
    assert_int_equal(count, 2);
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    sk_X509_free(certs);
    buf_free(&out);
}

static void reads_pem(void **state)
{
    static const char *const labels[] = { "CERTIFICATE", "X509 CERTIFICATE", "PKCS7", "CMS" };
    struct buf p7 = BUF_INIT(ROOM), ber = BUF_INIT(ROOM), text = BUF_INIT(ROOM),
               der = BUF_INIT(ROOM);
    struct buf want = BUF_INIT(ROOM);

    (void)state;
    write_p7(&p7, DEFINITE, buf_view(&three), NULL);
    write_p7(&ber, INDEFINITE, buf_view(&three), NULL);
    issue_der(leaf, &der);
    for (size_t i = 0; i < 4; i++) {
        buf_reset(&text);
        pem_add(&text, labels[i], buf_view(&p7));
        assert_reads(buf_view(&text), buf_view(&three), 3);
        buf_reset(&text);
        pem_add(&text, labels[i], buf_view(&ber));
        assert_reads(buf_view(&text), buf_view(&three), 3);
        buf_reset(&text);
        pem_add(&text, labels[i], buf_view(&der));
        assert_reads(buf_view(&text), buf_view(&der), 1);
    }
    /* several blocks, in their order, with words, a key and -----BEGIN inside a line between them */
    buf_reset(&text);
    buf_add_text(&text, "\xef\xbb\xbfsubject=CN=Leaf -----BEGIN CERTIFICATE-----\r\n");
    pem_add(&text, "X509 CERTIFICATE", buf_view(&der));
    pem_add(&text, "PRIVATE KEY", view_text("not ours"));
    pem_add(&text, "PKCS7", buf_view(&p7));
    buf_add_text(&text, "-----BEGIN \n-----BEGIN CERTIFICATE\n");
    pem_add(&text, "CERTIFICATE", buf_view(&der));
    buf_add_text(&text, "the end");
    buf_add_view(&want, buf_view(&der));
    buf_add_view(&want, buf_view(&three));
    buf_add_view(&want, buf_view(&der));
    assert_reads(buf_view(&text), buf_view(&want), 5);
    buf_free(&p7);
    buf_free(&ber);
    buf_free(&text);
    buf_free(&der);
    buf_free(&want);
}

static void refuses_other_things(void **state)
{
    struct buf b = BUF_INIT(ROOM);

    (void)state;
    assert_refuses(view_of(NULL, 0), "neither DER nor PEM");
    assert_refuses(view_text("<html>sign in</html>"), "neither DER nor PEM");
    assert_refuses(view_text("0"), "certificate");
    assert_refuses(view_text("0\x80"), "certificate");
    assert_refuses(view_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        "no certificate in");
    assert_refuses(view_text("-----BEGIN CERTIFICATE-----\nAAAA\n"), "without its END");
    assert_refuses(
        view_text("-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n"), "base64");
    assert_refuses(
        view_text("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), "certificate");
    assert_refuses(
        view_text("-----BEGIN PKCS7-----\nMAMGASo=\n-----END PKCS7-----\n"), "not a SignedData");
    assert_null(buf_extend(&b, ROOM + 1));
    buf_free(&b);
    memset(buf_extend(&b, CHAIN_INPUT_MAX + 1), DER_SEQUENCE, 1);
    assert_refuses(buf_view(&b), "at most 1048576");
    buf_free(&b);
}

static void refuses_signed_data_that_is_more(void **state)
{
    (void)state;
    for (enum form f = DEFINITE; f <= INDEFINITE; f++) {
        struct buf p7 = BUF_INIT(ROOM);

        write_p7(&p7, f, buf_view(&three), "content");
        assert_refuses(buf_view(&p7), "certificates only");
        buf_reset(&p7);
        write_p7(&p7, f, view_of(NULL, 0), NULL);
        assert_refuses(buf_view(&p7), "0 certificates");
        buf_reset(&p7);
        write_p7(&p7, f, view_text("\x30\x03\x02\x01\x01"), NULL);
        assert_refuses(buf_view(&p7), "certificate");
        buf_free(&p7);
    }
}

static void refuses_signed_messages(void **state)
{
    BIO *content = BIO_new_mem_buf("hello", 5);
    CMS_ContentInfo *cms = CMS_sign(leaf, leaf_key, NULL, content, CMS_BINARY);
    STACK_OF(X509) *to = sk_X509_new_null();
    unsigned char *der = NULL;
    int len = i2d_CMS_ContentInfo(cms, &der);

    (void)state;
    assert_refuses(view_of(der, (size_t)len), "certificates only");
    OPENSSL_free(der);
    der = NULL;
    CMS_ContentInfo_free(cms);
    cms = CMS_sign(leaf, leaf_key, NULL, content, CMS_BINARY | CMS_DETACHED);
    len = i2d_CMS_ContentInfo(cms, &der);
    assert_refuses(view_of(der, (size_t)len), "certificates only");
    OPENSSL_free(der);
    der = NULL;
    CMS_ContentInfo_free(cms);
    sk_X509_push(to, leaf);
    cms = CMS_encrypt(to, content, EVP_aes_256_cbc(), CMS_BINARY);
    len = i2d_CMS_ContentInfo(cms, &der);
    assert_refuses(view_of(der, (size_t)len), "not a SignedData");
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    sk_X509_free(to);
    BIO_free(content);
}

static void counts_are_bounded(void **state)
{
    struct buf many = BUF_INIT(ROOM), p7 = BUF_INIT(ROOM), text = BUF_INIT(ROOM);

    (void)state;
    for (int i = 0; i < CHAIN_MAX; i++)
        issue_der(leaf, &many);
    for (enum form f = DEFINITE; f <= INDEFINITE; f++) {
        buf_reset(&p7);
        write_p7(&p7, f, buf_view(&many), NULL);
        assert_reads(buf_view(&p7), buf_view(&many), CHAIN_MAX);
    }
    pem_add(&text, "CMS", buf_view(&p7));
    pem_add(&text, "CERTIFICATE", view_of(many.p, many.len / CHAIN_MAX));
    assert_refuses(buf_view(&text), "more than 32");
    issue_der(leaf, &many);
    for (enum form f = DEFINITE; f <= INDEFINITE; f++) {
        buf_reset(&p7);
        write_p7(&p7, f, buf_view(&many), NULL);
        assert_refuses(buf_view(&p7), "33 certificates");
    }
    buf_free(&many);
    buf_free(&p7);
    buf_free(&text);
}

/* Indefinite lengths nest without end in few bytes. */
static void depth_is_bounded(void **state)
{
    struct buf deep = BUF_INIT(ROOM);

    (void)state;
    buf_add(&deep, "\x30\x80\x06\x01\x2a", 5);
    for (int i = 0; i < 200000; i++)
        buf_add(&deep, "\xa0\x80", 2);
    assert_refuses(buf_view(&deep), "more than 16 levels");
    buf_free(&deep);
}

/* Cut at every byte, every byte changed: refused or read, never a crash or a read past the end. */
static void any_damage(void **state)
{
    struct buf form[3] = { BUF_INIT(ROOM), BUF_INIT(ROOM), BUF_INIT(ROOM) };
    unsigned refused = 0, all = 0;

    (void)state;
    write_p7(&form[0], DEFINITE, buf_view(&three), NULL);
    write_p7(&form[1], INDEFINITE, buf_view(&three), NULL);
    pem_add(&form[2], "CERTIFICATE", buf_view(&form[0]));
    for (size_t f = 0; f < 3; f++) {
        for (size_t i = 0; i < form[f].len; i++) {
            struct buf cut = BUF_INIT(ROOM), out = BUF_INIT(ROOM);
            size_t count;

            buf_add(&cut, form[f].p, i);
            if (f < 2 || i + 1 < form[f].len) /* without its last newline PEM is still PEM */
                T_ERR(chain_read(lib, buf_view(&cut), &out, &count, &e), ERR_PROTO);
            form[f].p[i] ^= 0x41;
            e = (struct err){ 0 };
            if (chain_read(lib, buf_view(&form[f]), &out, &count, &e) != 0) {
                assert_int_equal(e.cls, ERR_PROTO);
                assert_int_equal(out.len, 0);
                refused++;
            }
            form[f].p[i] ^= 0x41;
            all++;
            buf_free(&cut);
            buf_free(&out);
        }
        buf_free(&form[f]);
    }
    assert_true(refused > all / 4);
}

static void next(void **state)
{
    struct view rest = buf_view(&three), der;
    size_t total = 0, count = 0;

    (void)state;
    while (chain_next(&rest, &der, &e) == 1) {
        total += der.len;
        count++;
    }
    assert_int_equal(count, 3);
    assert_int_equal(total, three.len);
    rest = view_of(three.p, 10);
    T_ERR(chain_next(&rest, &der, &e), ERR_PROTO);
    rest = view_text("x");
    T_ERR(chain_next(&rest, &der, &e), ERR_PROTO);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_der),
        cmocka_unit_test(reads_certs_only),
        cmocka_unit_test(reads_openssl_certs_only),
        cmocka_unit_test(reads_pem),
        cmocka_unit_test(refuses_other_things),
        cmocka_unit_test(refuses_signed_data_that_is_more),
        cmocka_unit_test(refuses_signed_messages),
        cmocka_unit_test(counts_are_bounded),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(any_damage),
        cmocka_unit_test(next),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    setup();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    teardown();
    lib_free(lib);
    return failed;
}
