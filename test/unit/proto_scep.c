/* SCEP requests: written and read again; and everything in one that is refused. */
#include "test/unit/scep_fixture.h"
#include "certs/ber.h"
#include "certs/envelope.h"

/* ---- a request ---- */

static void there_and_read(void **state)
{
    static const enum scep_type types[] = { SCEP_RENEWAL_REQ, SCEP_PKCS_REQ, SCEP_CERT_POLL,
        SCEP_GET_CERT, SCEP_GET_CRL };

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct buf out = BUF_INIT(ROOM), der = BUF_INIT(ROOM), envelope = BUF_INIT(ROOM);
        struct buf plain = BUF_SECRET(ROOM);
        struct scep_ask q = ask(types[i]);
        struct scep_request r;
        struct envelope v;

        T_OK(scep_ask_write(lib, &q, &out, &e));
        T_OK(ber_to_der(buf_view(&out), &der, &e));
        T_OK(scep_request_parse(buf_view(&der), &r, &e));
        assert_true(r.parsed);
        assert_int_equal(r.type, types[i]);
        assert_string_equal(r.transaction, q.transaction);
        assert_true(view_equal(view_of(r.nonce, r.nonce_len), q.nonce));
        assert_true(view_equal(r.signer, buf_view(&device.der)));
        assert_int_equal(scep_hash(&r, true), DIGEST_SHA256);
        T_OK(signed_verify(lib, &r.s, r.signer, &e));
        T_OK(ber_to_der(r.envelope, &envelope, &e));
        T_OK(envelope_parse(buf_view(&envelope), &v, &e));
        assert_true(envelope_is_for(&v, buf_view(&ra.der)));
        T_OK(envelope_open(lib, &v, ra.key, &plain, &e));
        assert_true(view_equal(buf_view(&plain), q.content));
        envelope_free(&v);
        buf_free(&out);
        buf_free(&der);
        buf_free(&envelope);
        buf_free(&plain);
    }
}

static void types(void **state)
{
    static const struct {
        const char *text;
        enum scep_type type;
    } rows[] = {
        { "3", SCEP_CERT_REP },
        { "17", SCEP_RENEWAL_REQ },
        { "19", SCEP_PKCS_REQ },
        { "20", SCEP_CERT_POLL },
        { "21", SCEP_GET_CERT },
        { "22", SCEP_GET_CRL },
        { "0", SCEP_TYPE_OTHER },
        { "18", SCEP_TYPE_OTHER },
        { "23", SCEP_TYPE_OTHER },
        { "", SCEP_TYPE_OTHER },
        { "019", SCEP_TYPE_OTHER },
        { "+19", SCEP_TYPE_OTHER },
        { "-19", SCEP_TYPE_OTHER },
        { "19 ", SCEP_TYPE_OTHER },
        { " 19", SCEP_TYPE_OTHER },
        { "19\n", SCEP_TYPE_OTHER },
        { "19.0", SCEP_TYPE_OTHER },
        { "0x13", SCEP_TYPE_OTHER },
        { "PKCSReq", SCEP_TYPE_OTHER },
        { "4294967315", SCEP_TYPE_OTHER }, /* 19 + 2^32 */
        { "256", SCEP_TYPE_OTHER },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct odd_message m = { .attr = { TYPE(rows[i].text), TRANSACTION("t"), NONCE("n") } };
        struct buf out = BUF_INIT(ROOM);
        struct scep_request r;

        write_odd(&m, &out);
        T_OK(scep_request_parse(buf_view(&out), &r, &e));
        if (r.type != rows[i].type)
            fail_msg("messageType \"%s\": %d", rows[i].text, r.type);
        buf_free(&out);
    }
}

/* Every number there could be: five are requests, and one is an answer. */
static void every_number(void **state)
{
    size_t known = 0;

    (void)state;
    for (int n = 0; n < 256; n++) {
        char text[8];
        struct odd_message m = { .attr = { TYPE(text), TRANSACTION("t") } };
        struct buf out = BUF_INIT(ROOM);
        struct scep_request r;

        (void)snprintf(text, sizeof text, "%d", n);
        write_odd(&m, &out);
        T_OK(scep_request_parse(buf_view(&out), &r, &e));
        assert_true(r.type == SCEP_TYPE_OTHER || (int)r.type == n);
        known += r.type != SCEP_TYPE_OTHER;
        buf_free(&out);
    }
    assert_int_equal(known, 6);
}

static char longest[SCEP_TRANSACTION_MAX + 1], too_long[SCEP_TRANSACTION_MAX + 2];
static char nonce_64[65], nonce_65[66];

static void attributes(void **state)
{
    static const struct {
        struct odd_message m;
        enum err_class cls; /* ERR_NONE: taken */
        const char *transaction;
        size_t nonce_len;
    } rows[] = {
        { { .attr = { TYPE("19"), TRANSACTION("t"), NONCE("12345678") } }, ERR_NONE, "t", 8 },
        { { .attr = { TYPE("19"), TRANSACTION("t") } }, ERR_NONE, "t",
            0 }, /* old devices have no nonce */
        { { .attr = { TYPE("19"), TRANSACTION("t"), NONCE("") } }, ERR_NONE, "t", 0 },
        { { .attr = { TYPE("19"), TRANSACTION("t"), NONCE(nonce_64) } }, ERR_NONE, "t", 64 },
        { { .attr = { TYPE("19"), TRANSACTION("t"), NONCE(nonce_65) } }, ERR_PROTO, "t", 0 },
        { { .attr = { TYPE("19"), TRANSACTION("t"), { OID(5), DER_PRINTABLE, "n" } } }, ERR_PROTO,
            "t", 0 },
        { { .attr = { TYPE("19"), TRANSACTION("t"), NONCE("a"), NONCE("b") } }, ERR_PROTO, "t", 0 },
        { { .attr = { TYPE("19"), { OID(7), DER_UTF8, "SSCEP transactionId" } } }, ERR_NONE,
            "SSCEP transactionId", 0 },
        { { .attr = { TYPE("19"), { OID(7), DER_IA5, "a@b_c/+=" } } }, ERR_NONE, "a@b_c/+=", 0 },
        { { .attr = { TYPE("19"), TRANSACTION("\x01") } }, ERR_PROTO, "", 0 },
        { { .attr = { TYPE("19"), TRANSACTION("a\nb") } }, ERR_PROTO, "", 0 },
        { { .attr = { TYPE("19"), TRANSACTION("a\x7f") } }, ERR_PROTO, "", 0 },
        { { .attr = { TYPE("19"), { OID(7), DER_UTF8, "\xc3\xa9" } } }, ERR_PROTO, "", 0 },
        { { .attr = { TYPE("19"), { OID(7), DER_BMP, "0t" } } }, ERR_PROTO, "", 0 },
        { { .attr = { TYPE("19"), { OID(7), DER_OCTET_STRING, "t" } } }, ERR_PROTO, "", 0 },
        { { .attr = { TYPE("19"), TRANSACTION("") } }, ERR_PROTO, "", 0 },
        { { .attr = { TYPE("19"), TRANSACTION(longest) } }, ERR_NONE, longest, 0 },
        { { .attr = { TYPE("19"), TRANSACTION(too_long) } }, ERR_PROTO, "", 0 },
        { { .attr = { TYPE("19"), NONCE("n") } }, ERR_PROTO, "", 1 },
        { { .attr = { TYPE("19"), TRANSACTION("t"), TRANSACTION("t") } }, ERR_PROTO, "", 0 },
        { { .attr = { TRANSACTION("t"), NONCE("n") } }, ERR_PROTO, "t", 1 }, /* no messageType */
        { { .attr = { TYPE("19"), TYPE("19"), TRANSACTION("t") } }, ERR_PROTO, "t", 0 },
        { { .attr = { TYPE("19"), TYPE("18"), TRANSACTION("t") } }, ERR_PROTO, "t", 0 },
        { { .attr = { { OID(2), DER_INTEGER, "\x13" }, TRANSACTION("t") } }, ERR_PROTO, "t", 0 },
        { { .attr = { TYPE("19"), TRANSACTION("t") }, .unsigned_by_name = true }, ERR_PROTO, "t",
            0 },
        { { .attr = { TYPE("18"), TRANSACTION("t") }, .unsigned_by_name = true }, ERR_NONE, "t",
            0 },
        { { .attr = { TYPE("19"), TRANSACTION("t") }, .empty = true }, ERR_NONE, "t", 0 },
    };

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    memset(too_long, 'x', sizeof too_long - 1);
    memset(nonce_64, 'n', sizeof nonce_64 - 1);
    memset(nonce_65, 'n', sizeof nonce_65 - 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = BUF_INIT(ROOM);
        struct scep_request r;

        write_odd(&rows[i].m, &out);
        e = (struct err){ 0 };
        if (scep_request_parse(buf_view(&out), &r, &e) != (rows[i].cls == ERR_NONE ? 0 : -1)
            || e.cls != rows[i].cls)
            fail_msg("row %zu: %s %s", i, err_name(e.cls), e.msg);
        assert_true(r.parsed);
        if (strcmp(r.transaction, rows[i].transaction) != 0 || r.nonce_len != rows[i].nonce_len)
            fail_msg("row %zu: \"%s\", nonce %zu", i, r.transaction, r.nonce_len);
        assert_int_equal(r.envelope.len, rows[i].m.empty ? 0 : 7);
        assert_int_equal(r.signer.len, rows[i].m.unsigned_by_name ? 0 : device.der.len);
        buf_free(&out);
    }
}

/* SHA-224: a digest that nobody has asked for.  The answer says badAlg, so the rest must be there. */
static void unsupported(void **state)
{
    static const uint8_t sha256[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 };
    struct odd_message m = { .attr = { TYPE("19"), TRANSACTION("t"), NONCE("n") } };
    struct buf out = BUF_INIT(ROOM);
    struct scep_request r;

    (void)state;
    write_odd(&m, &out);
    for (size_t i = 0; i + sizeof sha256 <= out.len; i++)
        if (memcmp(out.p + i, sha256, sizeof sha256) == 0)
            out.p[i + sizeof sha256 - 1] = 0x04;
    T_ERR(scep_request_parse(buf_view(&out), &r, &e), ERR_UNSUPPORTED);
    assert_true(r.parsed);
    assert_string_equal(r.transaction, "t");
    assert_int_equal(r.nonce_len, 1);
    assert_int_equal(r.type, SCEP_PKCS_REQ);
    assert_int_equal(scep_hash(&r, true), DIGEST_SHA256);
    buf_free(&out);
}

static void not_a_message(void **state)
{
    struct odd_message m = { .attr = { TYPE("19"), TRANSACTION("t"), NONCE("n") } };
    struct buf out = BUF_INIT(ROOM);
    struct scep_request r;

    (void)state;
    write_odd(&m, &out);
    for (size_t len = 0; len < out.len; len += 1 + len / 8) {
        T_ERR(scep_request_parse(view_of(out.p, len), &r, &e), ERR_PROTO);
        assert_false(r.parsed);
        assert_string_equal(r.transaction, "");
    }
    T_ERR(scep_request_parse(buf_view(&device.der), &r, &e), ERR_PROTO);
    buf_free(&out);
}

static void hashes(void **state)
{
    static const enum digest all[] = { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct odd_message m = { .attr = { TYPE("19"), TRANSACTION("t") }, .digest = all[i] };
        struct buf out = BUF_INIT(ROOM);
        struct scep_request r;

        write_odd(&m, &out);
        T_OK(scep_request_parse(buf_view(&out), &r, &e));
        assert_int_equal(scep_hash(&r, true), all[i]);
        assert_int_equal(scep_hash(&r, false), i == 0 ? DIGEST_SHA256 : all[i]);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_read),
        cmocka_unit_test(types),
        cmocka_unit_test(every_number),
        cmocka_unit_test(attributes),
        cmocka_unit_test(unsupported),
        cmocka_unit_test(not_a_message),
        cmocka_unit_test(hashes),
    };

    return run(tests, sizeof tests / sizeof tests[0], "tests");
}
