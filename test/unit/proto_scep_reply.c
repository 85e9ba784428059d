/* SCEP answers, read by us and by OpenSSL; capabilities, payloads, and memory that runs out. */
#include "test/unit/scep_fixture.h"
#include <openssl/cms.h>

/* ---- an answer ---- */

static struct scep_reply reply(enum scep_status status, enum scep_fail fail)
{
    return (struct scep_reply){ .status = status,
        .fail = fail,
        .transaction = "7XXEY_@2JDR9",
        .nonce = view_of(nonce, sizeof nonce),
        .envelope = view_text(status == SCEP_SUCCESS ? "an envelope" : NULL),
        .digest = DIGEST_SHA256,
        .key = ra.key,
        .certificate = buf_view(&ra.der) };
}

/* OpenSSL's opinion of it.  *has_content: eContent is there. */
static bool openssl_verifies(struct view in, bool *has_content, int *certificates)
{
    const unsigned char *p = in.p;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)in.len);
    STACK_OF(X509) *own = sk_X509_new_null(), *inside;
    BIO *nothing = BIO_new_mem_buf("", 0);
    bool good;

    assert_non_null(cms);
    sk_X509_push(own, ra.x509);
    inside = CMS_get1_certs(cms);
    *certificates = inside != NULL ? sk_X509_num(inside) : 0;
    *has_content = *CMS_get0_content(cms) != NULL;
    good = CMS_verify(cms, own, NULL, *has_content ? NULL : nothing, NULL,
               CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY)
           == 1;
    sk_X509_pop_free(inside, X509_free);
    sk_X509_free(own);
    BIO_free(nothing);
    CMS_ContentInfo_free(cms);
    return good;
}

static void check_reply(const struct scep_reply *r, bool content)
{
    struct buf out = BUF_INIT(ROOM);
    struct scep_answer a;
    struct der fresh;
    bool has_content;
    int certificates;

    T_OK(scep_reply_write(lib, r, &out, &e));
    T_OK(scep_answer_parse(buf_view(&out), r->transaction, r->nonce, &a, &e));
    T_OK(signed_verify(lib, &a.s, buf_view(&ra.der), &e));
    assert_int_equal(a.status, r->status);
    assert_int_equal(a.fail, r->fail);
    assert_int_equal(a.hresult, r->ndes && r->status == SCEP_FAILURE ? r->hresult : 0);
    assert_true(view_equal(a.envelope, r->envelope));
    assert_int_equal(a.s.digest, r->digest);
    assert_int_equal(signed_attr(&a.s, OID(5), &fresh, &e), 1);
    assert_int_equal(fresh.content.len, 16);
    assert_false(view_equal(fresh.content, r->nonce));
    assert_true(openssl_verifies(buf_view(&out), &has_content, &certificates));
    assert_int_equal(has_content, content);
    assert_int_equal(certificates, r->ndes ? 0 : 1);
    if (r->ndes && r->status == SCEP_FAILURE)
        assert_true(view_equal(a.s.content, view_of("\0", 1)));
    buf_free(&out);
}

static void replies(void **state)
{
    struct scep_reply r = reply(SCEP_SUCCESS, SCEP_NO_FAIL);

    (void)state;
    check_reply(&r, true);
    r.ndes = true;
    r.digest = DIGEST_SHA1;
    check_reply(&r, true);
    r = reply(SCEP_PENDING, SCEP_NO_FAIL);
    check_reply(&r, false);
    r.ndes = true;
    check_reply(&r, false);
    for (int fail = SCEP_BAD_ALG; fail <= SCEP_BAD_CERT_ID; fail++) {
        r = reply(SCEP_FAILURE, (enum scep_fail)fail);
        r.hresult = 0x80070057;
        check_reply(&r, false);
        r.ndes = true;
        r.digest = DIGEST_SHA512;
        check_reply(&r, true);
        r.hresult = 0;
        check_reply(&r, true);
    }
}

/* What clients compare and count, as bytes. */
static void reply_bytes(void **state)
{
    struct scep_reply r = reply(SCEP_FAILURE, SCEP_NO_FAIL);
    struct buf out = BUF_INIT(ROOM);
    struct signed_data s;
    struct der value;

    (void)state;
    r.ndes = true;
    r.hresult = 0x80070057;
    r.nonce = (struct view){ 0 };
    T_OK(scep_reply_write(lib, &r, &out, &e));
    T_OK(signed_parse(buf_view(&out), &s, &e));
    assert_int_equal(signed_attr(&s, OID(7), &value, &e), 1);
    assert_int_equal(value.tag, DER_PRINTABLE);
    assert_true(view_equal(value.content, view_text("7XXEY_@2JDR9")));
    assert_int_equal(signed_attr(&s, OID(2), &value, &e), 1);
    assert_true(view_equal(value.whole, view_of("\x13\x01"
                                                "3",
                                            3)));
    assert_int_equal(signed_attr(&s, OID(3), &value, &e), 1);
    assert_true(view_equal(value.whole, view_of("\x13\x01"
                                                "2",
                                            3)));
    assert_int_equal(signed_attr(&s, OID(4), &value, &e), 1);
    assert_true(view_equal(value.content, view_text("2"))); /* badRequest if nothing is said */
    assert_int_equal(signed_attr(&s, OID(6), &value, &e), 0);
    assert_int_equal(signed_attr(&s, "1.3.6.1.4.1.311.21.33", &value, &e), 1);
    assert_int_equal(value.tag, DER_PRINTABLE);
    assert_true(view_equal(value.content, view_text("-2147024809")));
    buf_reset(&out);
    r = reply(SCEP_PENDING, SCEP_BAD_TIME);
    T_OK(scep_reply_write(lib, &r, &out, &e));
    T_OK(signed_parse(buf_view(&out), &s, &e));
    assert_int_equal(signed_attr(&s, OID(4), &value, &e), 0);
    buf_free(&out);
}

static void wrong_answers(void **state)
{
    static const struct {
        struct odd_message m;
        const char *says;
    } rows[] = {
        { { .attr = { TYPE("19"), TRANSACTION("t"), { OID(6), 4, "n" }, { OID(3), 0x13, "0" } } },
            "not a CertRep" },
        { { .attr = { TYPE("3"), TRANSACTION("u"), { OID(6), 4, "n" }, { OID(3), 0x13, "0" } } },
            "another transaction" },
        { { .attr = { TYPE("3"), TRANSACTION("t"), { OID(6), 4, "m" }, { OID(3), 0x13, "0" } } },
            "not what was sent" },
        { { .attr = { TYPE("3"), TRANSACTION("t"), { OID(3), 0x13, "0" } } },
            "recipientNonce is missing" },
        { { .attr = { TYPE("3"), TRANSACTION("t"), { OID(6), 4, "n" } } }, "pkiStatus is missing" },
        { { .attr = { TYPE("3"), TRANSACTION("t"), { OID(6), 4, "n" }, { OID(3), 0x13, "1" } } },
            "pkiStatus \"1\"" },
        { { .attr = { TYPE("3"), TRANSACTION("t"), { OID(6), 4, "n" }, { OID(3), 0x13, "00" } } },
            "pkiStatus \"00\"" },
        { { .attr = { TYPE("3"), TRANSACTION("t"), { OID(6), 4, "n" }, { OID(3), 0x13, "2" } } },
            "failInfo is missing" },
        { { .attr = { TYPE("3"), TRANSACTION("t"), { OID(6), 4, "n" }, { OID(3), 0x13, "2" },
                { OID(4), 0x13, "5" } } },
            "failInfo \"5\"" },
        { { .attr = { TYPE("3"), TRANSACTION("t"), { OID(6), 4, "n" }, { OID(3), 0x13, "0" } },
              .empty = true },
            "without a certificate" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = BUF_INIT(ROOM);
        struct scep_answer a;

        write_odd(&rows[i].m, &out);
        T_ERR_SAYS(scep_answer_parse(buf_view(&out), "t", view_text("n"), &a, &e), ERR_PROTO,
            rows[i].says);
        buf_free(&out);
    }
}

/* ---- the small things ---- */

static void caps(void **state)
{
    struct buf out = BUF_INIT(1000);

    (void)state;
    scep_caps_write(&out, &(struct scep_caps){ .des3 = true, .sha1 = true, .renewal = true });
    assert_string_equal(buf_text(&out),
        "AES\nPOSTPKIOperation\nRenewal\nSHA-512\nSHA-384\nSHA-256\n"
        "SHA-1\nDES3\nSCEPStandard");
    buf_reset(&out);
    scep_caps_write(
        &out, &(struct scep_caps){ .des3 = true, .sha1 = true, .renewal = true, .ndes = true });
    assert_string_equal(buf_text(&out), "POSTPKIOperation\nRenewal\nSHA-512\nSHA-256\nSHA-1\nDES3");
    buf_reset(&out);
    scep_caps_write(&out, &(struct scep_caps){ .next_ca = true });
    assert_string_equal(buf_text(&out), "AES\nPOSTPKIOperation\nGetNextCACert\nSHA-512\nSHA-384\n"
                                        "SHA-256\nSCEPStandard");
    assert_true(scep_caps_have(buf_view(&out), "sha-384"));
    assert_true(scep_caps_have(buf_view(&out), "SCEPStandard"));
    assert_false(scep_caps_have(buf_view(&out), "SHA-38"));
    assert_false(scep_caps_have(buf_view(&out), "DES3"));
    assert_false(scep_caps_have(buf_view(&out), "Renewal"));
    buf_free(&out);
    assert_true(scep_caps_have(view_text("SCEPStandard"), "AES"));
    assert_false(scep_caps_have(view_text("SCEPStandard"), "Renewal"));
    assert_true(scep_caps_have(view_text("a\r\n des3 \r\n"), "DES3"));
    assert_true(scep_caps_have(view_text("DES3"), "DES3"));
    assert_false(scep_caps_have(view_text("DES3 AES"), "AES"));
    assert_false(scep_caps_have(view_text(""), "AES"));
    assert_false(scep_caps_have(view_text("\n \n"), "AES"));
}

static void issuer_and(void **state)
{
    static const uint8_t serial[] = "\x30\x05\x30\x00\x02\x01\x07";
    static const uint8_t subject[] = "\x30\x06\x30\x00\x30\x02\x31\x00";
    static const struct {
        const char *der;
        size_t len;
    } bad[] = {
        { "", 0 },
        { "\x30\x00", 2 },
        { "\x30\x02\x30\x00", 4 },
        { "\x30\x05\x30\x00\x04\x01\x07", 7 },
        { "\x30\x04\x30\x00\x02\x00", 6 },
        { "\x30\x05\x31\x00\x02\x01\x07", 7 },
        { "\x30\x05\x30\x00\x02\x01\x07\x00", 8 },
        { "\x30\x07\x30\x00\x02\x01\x07\x05\x00", 9 },
        { "\x30\x05\x30\x00\x02\x01", 6 },
    };
    struct view issuer = { 0 }, second = { 0 };

    (void)state;
    T_OK(scep_issuer_and(view_of(serial, 7), &issuer, &second, &e));
    assert_true(view_equal(issuer, view_of("\x30\x00", 2)));
    assert_true(view_equal(second, view_of("\x07", 1)));
    T_OK(scep_issuer_and(view_of(subject, 8), &issuer, &second, &e));
    assert_true(view_equal(second, view_of("\x30\x02\x31\x00", 4)));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        T_ERR(scep_issuer_and(view_of(bad[i].der, bad[i].len), &issuer, &second, &e), ERR_PROTO);
    assert_int_equal(second.len, 4);
}

/* ---- memory ---- */

static int one_ask(struct buf *out)
{
    struct scep_ask q = ask(SCEP_PKCS_REQ);

    return scep_ask_write(lib, &q, out, &e);
}

static int one_reply(struct buf *out)
{
    struct scep_reply r = reply(SCEP_FAILURE, SCEP_BAD_REQUEST);

    return scep_reply_write(lib, &r, out, &e);
}

static void no_memory(void **state)
{
    static int (*const rows[])(struct buf *) = { one_ask, one_reply };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        unsigned long n = 0, needed;

        do {
            struct buf out = BUF_INIT(ROOM);
            int rc;

            mem_fail_after(++n);
            rc = rows[i](&out);
            needed = mem_count();
            mem_fail_after(0);
            if (rc != 0) {
                if (e.cls != ERR_NOMEM)
                    fail_msg("allocation %lu: %s %s", n, err_name(e.cls), e.msg);
                assert_int_equal(out.len, 0);
            }
            buf_free(&out);
        } while (n <= needed);
        assert_true(n > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),
        cmocka_unit_test(reply_bytes),
        cmocka_unit_test(wrong_answers),
        cmocka_unit_test(caps),
        cmocka_unit_test(issuer_and),
        cmocka_unit_test(no_memory),
    };

    return run(tests, sizeof tests / sizeof tests[0], "tests");
}
