/* envelope.h: every shape but one is refused before a key is touched. */
#include "test/unit/signed_fixture.h"
#include "certs/der.h"
#include "certs/envelope.h"
#include "certs/text.h"

static struct party rsa, other, ec;

static const char TEXT[] = "a request with a password in it";

#define BYTES(text) view_of((text), sizeof(text) - 1)

static void refuse(struct buf *b, enum err_class cls, const char *says)
{
    struct envelope v = { .serial = view_text("untouched") };

    T_ERR_SAYS(envelope_parse(buf_view(b), &v, &e), cls, says);
    assert_int_equal(v.serial.len, 9);
    buf_free(b);
}

static void refuse_sealed(
    const struct party *p, const struct seal *how, enum err_class cls, const char *says)
{
    struct buf b = BUF_INIT(ROOM);

    seal_message(p, view_text(TEXT), how, &b);
    refuse(&b, cls, says);
}

/* One string of bytes in a good message for another of the same length. */
static void refuse_changed(struct view from, struct view to, enum err_class cls, const char *says)
{
    struct buf b = BUF_INIT(ROOM);

    assert_int_equal(from.len, to.len);
    seal_message(&rsa, view_text(TEXT), &(struct seal){ .cipher = EVP_des_ede3_cbc() }, &b);
    memcpy(find(&b, from.p, from.len), to.p, to.len);
    refuse(&b, cls, says);
}

static void other_recipients(void **state)
{
    struct buf b = BUF_INIT(ROOM);
    CMS_ContentInfo *cms;

    (void)state;
    refuse_sealed(&rsa, &(struct seal){ .second = &other }, ERR_PROTO, "more than one recipient");
    refuse_sealed(&rsa, &(struct seal){ .second = &ec }, ERR_PROTO, "");
    refuse_sealed(&ec, &(struct seal){ 0 }, ERR_PROTO, "KeyTransRecipientInfo: tag 0xa1");
    cms = CMS_encrypt(NULL, NULL, EVP_aes_128_cbc(), CMS_BINARY | CMS_PARTIAL);
    assert_non_null(CMS_add0_recipient_password(
        cms, -1, NID_undef, NID_undef, (unsigned char *)OPENSSL_strdup("pass"), 4, NULL));
    put_message(cms, view_text(TEXT), CMS_BINARY, &b);
    refuse(&b, ERR_PROTO, "");
    CMS_ContentInfo_free(cms);
    cms = CMS_encrypt(NULL, NULL, EVP_aes_128_cbc(), CMS_BINARY | CMS_PARTIAL);
    assert_non_null(CMS_add0_recipient_key(
        cms, NID_id_aes128_wrap, OPENSSL_zalloc(16), 16, OPENSSL_zalloc(4), 4, NULL, NULL, NULL));
    put_message(cms, view_text(TEXT), CMS_BINARY, &b);
    refuse(&b, ERR_PROTO, "");
    CMS_ContentInfo_free(cms);
}

static void other_algorithms(void **state)
{
    (void)state;
    refuse_sealed(
        &rsa, &(struct seal){ .cipher = EVP_aes_256_gcm() }, ERR_PROTO, "not an EnvelopedData");
    refuse_sealed(
        &rsa, &(struct seal){ .oaep = EVP_sha384() }, ERR_UNSUPPORTED, "RSA-OAEP with sha384");
    refuse_sealed(&rsa, &(struct seal){ .oaep = EVP_sha256(), .mgf1 = EVP_sha1() }, ERR_UNSUPPORTED,
        "sha256 and a mask of sha1");
    refuse_sealed(&rsa, &(struct seal){ .cipher = EVP_camellia_128_cbc() }, ERR_UNSUPPORTED,
        "content encryption 1.2.392");
    /* RC2-CBC; rsaEncryption with a number; RSA-KEM instead of it */
    refuse_changed(BYTES("\x2a\x86\x48\x86\xf7\x0d\x03\x07"),
        BYTES("\x2a\x86\x48\x86\xf7\x0d\x03\x02"), ERR_UNSUPPORTED,
        "content encryption 1.2.840.113549.3.2");
    refuse_changed(BYTES("\xf7\x0d\x01\x01\x01\x05\x00"), BYTES("\xf7\x0d\x01\x01\x01\x04\x00"),
        ERR_PROTO, "other than NULL");
    refuse_changed(BYTES("\xf7\x0d\x01\x01\x01\x05\x00"), BYTES("\xf7\x0d\x01\x01\x08\x05\x00"),
        ERR_UNSUPPORTED, "key transport 1.2.840.113549.1.1.8");
}

/* OAEP with a label, or with parameters that are not there. */
static void oaep_parameters(void **state)
{
    static const struct {
        const char *der;
        int ok;
        enum envelope_transport transport;
        enum err_class cls;
    } rows[] = {
        { "300D06092A864886F70D0101073000", 1, ENVELOPE_OAEP_SHA1, ERR_NONE },
        { "301E06092A864886F70D0101073011A20F300D06092A864886F70D0101090400", 1, ENVELOPE_OAEP_SHA1,
            ERR_NONE },
        { "301F06092A864886F70D0101073012A210300E06092A864886F70D010109040161", 0, 0,
            ERR_UNSUPPORTED },
        { "300B06092A864886F70D010107", 0, 0, ERR_PROTO },
        { "300D06092A864886F70D0101070500", 0, 0, ERR_PROTO },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static const char v15[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
        struct buf b = BUF_INIT(ROOM), in = BUF_INIT(100);
        struct envelope v = { 0 };
        size_t grown;

        T_OK(hex_parse(view_text(rows[i].der), &in, &e));
        seal_message(&rsa, view_text(TEXT), &(struct seal){ 0 }, &b);
        splice(&b, (size_t)(find(&b, v15, 15) - b.p), 15, buf_view(&in));
        /* the lengths around it: 82 hh ll, of ContentInfo, [0], EnvelopedData, the SET and the recipient */
        for (size_t at = 0, n = 0; n < 5; at++)
            if (b.p[at] != 0 && b.p[at + 1] == 0x82) {
                grown = (size_t)b.p[at + 2] * 256 + b.p[at + 3] + in.len - 15;
                b.p[at + 2] = (uint8_t)(grown / 256);
                b.p[at + 3] = (uint8_t)grown;
                n++;
            }
        if (rows[i].ok) {
            T_OK(envelope_parse(buf_view(&b), &v, &e));
            assert_int_equal(v.transport, rows[i].transport);
            envelope_free(&v);
        } else {
            T_ERR(envelope_parse(buf_view(&b), &v, &e), rows[i].cls);
        }
        buf_free(&b);
        buf_free(&in);
    }
}

static void refuse_content_tag(uint8_t tag, const char *says)
{
    struct buf b = BUF_INIT(ROOM);

    seal_message(&rsa, view_text(TEXT), &(struct seal){ 0 }, &b);
    assert_int_equal(b.p[b.len - 34], DER_CONTEXT | 0);
    b.p[b.len - 34] = tag;
    refuse(&b, ERR_PROTO, says);
}

static void other_shapes(void **state)
{
    struct buf b = BUF_INIT(ROOM);
    struct envelope v = { 0 };

    (void)state;
    refuse_changed(BYTES("\x03\x07\x04\x08"), BYTES("\x03\x07\x04\x07"), ERR_PROTO, "");
    /* the content encrypted is not id-data; it has another tag */
    refuse_changed(
        BYTES("\xf7\x0d\x01\x07\x01"), BYTES("\xf7\x0d\x01\x07\x02"), ERR_PROTO, "not id-data");
    refuse_content_tag(0x81, "tag 0x81");
    refuse_content_tag(0x04, "tag 0x04");
    refuse_content_tag(0xa0, "");
    seal_message(&rsa, view_text(TEXT), &(struct seal){ 0 }, &b);
    for (size_t i = 0; i < b.len; i++)
        T_ERR(envelope_parse(view_of(b.p, i), &v, &e), ERR_PROTO);
    buf_add_byte(&b, 0);
    T_ERR(envelope_parse(buf_view(&b), &v, &e), ERR_PROTO);
    buf_free(&b);
}

/* The IV that made OpenSSL's CMS write over its stack (2025) was too long; none is as bad. */
static void initialisation_vectors(void **state)
{
    static const size_t lens[] = { 0, 7, 9, 16, 40 };

    (void)state;
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct buf b = BUF_INIT(ROOM);
        size_t info = der_open(&b, DER_SEQUENCE), wrap, data, set, part, iv;
        struct envelope v = { 0 };

        der_oid_known(&b, "1.2.840.113549.1.7.3");
        wrap = der_open(&b, DER_CONTEXTC | 0);
        data = der_open(&b, DER_SEQUENCE);
        der_uint(&b, 2);
        set = der_open(&b, DER_SET);
        part = der_open(&b, DER_SEQUENCE);
        der_uint(&b, 2);
        der_tlv(&b, DER_CONTEXT | 0, view_text("key id"));
        buf_add(&b, "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", 15);
        der_tlv(&b, DER_OCTET_STRING, view_text("wrapped"));
        der_close(&b, part);
        der_close(&b, set);
        part = der_open(&b, DER_SEQUENCE);
        der_oid_known(&b, "1.2.840.113549.1.7.1");
        iv = der_open(&b, DER_SEQUENCE);
        der_oid_known(&b, "1.2.840.113549.3.7");
        set = der_open(&b, DER_OCTET_STRING);
        (void)buf_extend(&b, lens[i]);
        der_close(&b, set);
        der_close(&b, iv);
        der_tlv(&b, DER_CONTEXT | 0, view_text("12345678"));
        der_close(&b, part);
        der_close(&b, data);
        der_close(&b, wrap);
        der_close(&b, info);
        T_ERR_SAYS(envelope_parse(buf_view(&b), &v, &e), ERR_PROTO, "an IV of");
        buf_free(&b);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_recipients),
        cmocka_unit_test(other_algorithms),
        cmocka_unit_test(oaep_parameters),
        cmocka_unit_test(other_shapes),
        cmocka_unit_test(initialisation_vectors),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    party_init(&rsa, "rsa2048", "CN=RA/O=Contoso");
    party_init(&other, "rsa2048", "CN=Another RA/O=Contoso");
    party_init(&ec, "P-256", "CN=RA with EC/O=Contoso");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    party_free(&rsa);
    party_free(&other);
    party_free(&ec);
    lib_free(lib);
    return failed;
}
