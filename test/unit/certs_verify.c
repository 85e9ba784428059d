/* verify.h: signatures as OpenSSL makes them, with every algorithm that is read, and what is refused. */
#include "test/unit/signed_fixture.h"
#include "certs/cert.h"
#include "certs/der.h"
#include "certs/text.h"
#include "certs/verify.h"

static struct party rsa, rsa1024, p256, p384, p521;

/* A certificate is a signed thing whose algorithm stands beside it. */
struct sample {
    struct buf der;
    struct cert cert;
};

static struct sample sample(const struct party *p, const EVP_MD *md, int pss_salt)
{
    struct sample s = { .der = BUF_INIT(ROOM) };
    X509 *x = X509_dup(p->x509);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx;

    assert_int_equal(EVP_DigestSignInit(c, &pctx, md, NULL, p->pkey), 1);
    if (pss_salt >= 0) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, pss_salt), 1);
    }
    assert_true(X509_sign_ctx(x, c) > 0);
    issue_der(x, &s.der);
    T_OK(cert_parse(buf_view(&s.der), &s.cert, &e));
    EVP_MD_CTX_free(c);
    X509_free(x);
    return s;
}

static int verify(const struct sample *s, enum digest given, enum digest *used)
{
    return verify_signature(lib, s->cert.spki, s->cert.signature_algorithm, given, s->cert.tbs,
        s->cert.signature, used, &e);
}

/* Good as it is; not with a bit of the signature, or of what was signed, turned over. */
static void assert_verifies(const struct party *p, const EVP_MD *md, int salt, enum digest want)
{
    struct sample s = sample(p, md, salt);
    enum digest used = DIGEST_NONE;
    uint8_t *end = s.der.p + s.der.len - 1;

    T_OK(verify(&s, DIGEST_NONE, &used));
    assert_int_equal(used, want);
    T_OK(verify(&s, want, NULL));
    *end ^= 1;
    used = DIGEST_NONE;
    T_ERR(verify(&s, DIGEST_NONE, &used), ERR_MISMATCH);
    assert_int_equal(used, DIGEST_NONE);
    *end ^= 1;
    *(uint8_t *)(uintptr_t)(s.cert.serial.p) ^= 1;
    T_ERR(verify(&s, DIGEST_NONE, NULL), ERR_MISMATCH);
    buf_free(&s.der);
}

static void every_algorithm(void **state)
{
    const EVP_MD *const mds[] = { NULL, EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512() };
    const struct party *const ec[] = { &p256, &p384, &p521 };

    (void)state;
    for (enum digest d = DIGEST_SHA1; d <= DIGEST_SHA512; d++) {
        assert_verifies(&rsa, mds[d], -1, d);
        assert_verifies(&rsa1024, mds[d], -1, d);
        assert_verifies(&rsa, mds[d], EVP_MD_get_size(mds[d]), d);
        for (size_t i = 0; i < 3; i++)
            assert_verifies(ec[i], mds[d], -1, d);
    }
    assert_verifies(&rsa, EVP_sha256(), 0, DIGEST_SHA256);
    assert_verifies(&rsa, EVP_sha256(), 20, DIGEST_SHA256);  /* the default, left out */
    assert_verifies(&rsa, EVP_sha256(), 222, DIGEST_SHA256); /* what OpenSSL's maximum is */
    assert_verifies(&rsa, EVP_sha1(), 20, DIGEST_SHA1);      /* nothing but defaults */
}

static struct buf bytes(const char *hex)
{
    struct buf b = BUF_INIT(ROOM);

    T_OK(hex_parse(view_text(hex), &b, &e));
    return b;
}

/* The signature of s under another AlgorithmIdentifier. */
static int verify_as(const struct sample *s, const char *algorithm, enum digest given)
{
    struct buf a = bytes(algorithm);
    int rc = verify_signature(
        lib, s->cert.spki, buf_view(&a), given, s->cert.tbs, s->cert.signature, NULL, &e);

    buf_free(&a);
    return rc;
}

#define RSA_ENCRYPTION "06092A864886F70D010101"
#define RSA_SHA256     "06092A864886F70D01010B"
#define RSA_MD5        "06092A864886F70D010104"
#define RSA_PSS        "06092A864886F70D01010A"
#define ECDSA_SHA256   "06082A8648CE3D040302"
#define SHA256         "300B0609608648016503040201"
#define SHA384         "300B0609608648016503040202"

/* RFC 3370 3.2: in CMS the algorithm may be rsaEncryption alone; parameters are NULL or absent. */
static void names_of_the_same(void **state)
{
    struct sample s = sample(&rsa, EVP_sha256(), -1), ec = sample(&p256, EVP_sha256(), -1);

    (void)state;
    T_OK(verify_as(&s, "300D" RSA_ENCRYPTION "0500", DIGEST_SHA256));
    T_OK(verify_as(&s, "300B" RSA_ENCRYPTION, DIGEST_SHA256));
    T_OK(verify_as(&s, "300B" RSA_SHA256, DIGEST_NONE));
    T_OK(verify_as(&ec, "300C" ECDSA_SHA256 "0500", DIGEST_NONE));
    T_ERR(verify_as(&s, "300D" RSA_ENCRYPTION "0500", DIGEST_SHA384), ERR_MISMATCH);
    T_ERR_SAYS(
        verify_as(&s, "300D" RSA_ENCRYPTION "0500", DIGEST_NONE), ERR_UNSUPPORTED, "no hash");
    T_ERR_SAYS(verify_as(&s, "300D" RSA_SHA256 "0500", DIGEST_SHA1), ERR_UNSUPPORTED,
        "sha256 over a digest with sha1");
    buf_free(&s.der);
    buf_free(&ec.der);
}

static void refused_algorithms(void **state)
{
    struct sample s = sample(&rsa, EVP_sha256(), -1), ec = sample(&p256, EVP_sha256(), -1);

    (void)state;
    T_ERR_SAYS(
        verify_as(&s, "300D" RSA_MD5 "0500", DIGEST_NONE), ERR_UNSUPPORTED, "1.2.840.113549.1.1.4");
    T_ERR_SAYS(verify_as(&s, "300A" ECDSA_SHA256, DIGEST_NONE), ERR_UNSUPPORTED, "an RSA key");
    T_ERR_SAYS(verify_as(&ec, "300B" RSA_SHA256, DIGEST_NONE), ERR_UNSUPPORTED, "an EC key");
    T_ERR(verify_as(&s, "300E" RSA_SHA256 "020101", DIGEST_NONE), ERR_PROTO);
    T_ERR(verify_as(&s, "300F" RSA_SHA256 "05000500", DIGEST_NONE), ERR_PROTO);
    T_ERR(verify_as(&s, "300D" RSA_SHA256 "050000", DIGEST_NONE), ERR_PROTO);
    T_ERR(verify_as(&s, "0500", DIGEST_NONE), ERR_PROTO);
    /* RSA-PSS: no parameters; MGF1 with another hash; an own mask; a negative, a huge salt; a trailer of 2 */
    T_ERR(verify_as(&s, "300B" RSA_PSS, DIGEST_NONE), ERR_PROTO);
    T_ERR_SAYS(verify_as(&s, "301C" RSA_PSS "300FA00D" SHA256, DIGEST_NONE), ERR_UNSUPPORTED,
        "sha256 and a mask of sha1");
    T_ERR_SAYS(
        verify_as(&s, "3038" RSA_PSS "302BA00D" SHA256 "A11A301806092A864886F70D010108" SHA384,
            DIGEST_NONE),
        ERR_UNSUPPORTED, "a mask of sha384");
    T_ERR_SAYS(verify_as(&s, "301C" RSA_PSS "300FA10D" SHA256, DIGEST_NONE), ERR_UNSUPPORTED,
        "mask generation 2.16.840");
    T_ERR(verify_as(&s, "3012" RSA_PSS "3005A2030201FF", DIGEST_NONE), ERR_PROTO);
    T_ERR_SAYS(
        verify_as(&s, "3014" RSA_PSS "3007A20502037FFFFF", DIGEST_NONE), ERR_UNSUPPORTED, "salt");
    T_ERR_SAYS(
        verify_as(&s, "3012" RSA_PSS "3005A303020102", DIGEST_NONE), ERR_UNSUPPORTED, "trailer");
    T_ERR(verify_as(&s, "3012" RSA_PSS "3005A303020101", DIGEST_NONE), ERR_MISMATCH);
    T_ERR(verify_as(&s, "3014" RSA_PSS "3007A3030201010500", DIGEST_NONE), ERR_PROTO);
    buf_free(&s.der);
    buf_free(&ec.der);
}

/* The salt has the length that the parameters say, not the one it turns out to have. */
static void salt_of_another_length(void **state)
{
    struct sample right = sample(&rsa, EVP_sha1(), 20), longer = sample(&rsa, EVP_sha1(), 32);

    (void)state;
    T_OK(verify_as(&right, "300D" RSA_PSS "3000", DIGEST_NONE));
    T_ERR(verify_as(&longer, "300D" RSA_PSS "3000", DIGEST_NONE), ERR_MISMATCH);
    T_OK(verify_as(&longer, "3012" RSA_PSS "3005A203020120", DIGEST_NONE));
    buf_free(&right.der);
    buf_free(&longer.der);
}

/* ---- keys ---- */

/* An RSA key of these numbers, SubjectPublicKeyInfo. */
static struct buf rsa_spki(struct view n, const char *exponent)
{
    struct buf b = BUF_INIT(ROOM), power = bytes(exponent);
    size_t outer = der_open(&b, DER_SEQUENCE), inner = der_open(&b, DER_SEQUENCE), seq;

    der_oid_known(&b, "1.2.840.113549.1.1.1");
    der_null(&b);
    der_close(&b, inner);
    inner = der_open(&b, DER_BIT_STRING);
    buf_add_byte(&b, 0);
    seq = der_open(&b, DER_SEQUENCE);
    der_uint_bytes(&b, n);
    der_uint_bytes(&b, buf_view(&power));
    der_close(&b, seq);
    der_close(&b, inner);
    der_close(&b, outer);
    buf_free(&power);
    return b;
}

static void refuse_key(struct view modulus, const char *exponent, const char *says)
{
    struct sample s = sample(&rsa, EVP_sha256(), -1);
    struct buf spki = rsa_spki(modulus, exponent);

    T_ERR_SAYS(verify_signature(lib, buf_view(&spki), s.cert.signature_algorithm, DIGEST_NONE,
                   s.cert.tbs, s.cert.signature, NULL, &e),
        ERR_UNSUPPORTED, says);
    buf_free(&spki);
    buf_free(&s.der);
}

/* With an exponent of 1 the padded digest itself is a "signature". */
static void keys_that_are_none(void **state)
{
    static uint8_t huge[2049];
    struct sample s = sample(&rsa, EVP_sha256(), -1);

    (void)state;
    memset(huge, 0xff, sizeof huge);
    refuse_key(view_of(huge, 256), "01", "exponent");
    refuse_key(view_of(huge, 256), "02", "exponent");
    refuse_key(view_of(huge, 256), "00", "exponent");
    refuse_key(view_of(huge, 127), "010001", "1016 bits");
    refuse_key(view_of(huge, 2049), "010001", "16392 bits");
    T_ERR(verify_signature(lib, view_text("x"), s.cert.signature_algorithm, DIGEST_NONE, s.cert.tbs,
              s.cert.signature, NULL, &e),
        ERR_PROTO);
    buf_free(&s.der);
}

/* Signatures of odd sizes are wrong ones, not faults of the library. */
static void odd_signatures(void **state)
{
    static const struct party *const parties[] = { &rsa, &p256 };
    uint8_t zeros[600] = { 0 };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sample s = sample(parties[i], EVP_sha256(), -1);
        const size_t lens[] = { 0, 1, s.cert.signature.len - 1, s.cert.signature.len, 600 };

        for (size_t n = 0; n < sizeof lens / sizeof *lens; n++) {
            s.cert.signature = view_of(zeros, lens[n]);
            T_ERR(verify(&s, DIGEST_NONE, NULL), ERR_MISMATCH);
        }
        buf_free(&s.der);
    }
}

/* ---- hashes ---- */

static void digests(void **state)
{
    static const struct {
        const char *der;
        enum digest digest;
        const char *name, *abc; /* FIPS 180-4's example, its first bytes */
        size_t len;
    } rows[] = {
        { "300906052B0E03021A0500", DIGEST_SHA1, "sha1", "A9993E36", 20 },
        { "300D06096086480165030402010500", DIGEST_SHA256, "sha256", "BA7816BF", 32 },
        { SHA256, DIGEST_SHA256, "sha256", "BA7816BF", 32 },
        { SHA384, DIGEST_SHA384, "sha384", "CB00753F", 48 },
        { "300B0609608648016503040203", DIGEST_SHA512, "sha512", "DDAF35A1", 64 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf der = bytes(rows[i].der), hex = BUF_INIT(100);
        enum digest d = DIGEST_NONE;
        uint8_t out[64];
        size_t len = 0;

        T_OK(digest_read(buf_view(&der), &d, &e));
        assert_int_equal(d, rows[i].digest);
        assert_string_equal(digest_name(d), rows[i].name);
        T_OK(digest_of(lib, d, view_text("abc"), out, &len, &e));
        assert_int_equal(len, rows[i].len);
        hex_add(&hex, view_of(out, 4));
        assert_string_equal(buf_text(&hex), rows[i].abc);
        buf_free(&der);
        buf_free(&hex);
    }
    assert_string_equal(digest_name(DIGEST_NONE), "none");
    assert_string_equal(digest_name((enum digest)99), "none");
    assert_null(digest_oid(DIGEST_NONE));
}

static void refused_digests(void **state)
{
    static const struct {
        const char *der;
        enum err_class cls;
        const char *says;
    } rows[] = {
        { "300C06082A864886F70D02050500", ERR_UNSUPPORTED, "1.2.840.113549.2.5" },   /* MD5 */
        { "300B0609608648016503040204", ERR_UNSUPPORTED, "2.16.840.1.101.3.4.2.4" }, /* SHA-224 */
        { "300E0609608648016503040201020101", ERR_PROTO, "parameters" },
        { "3000", ERR_PROTO, "hash" },
        { "0500", ERR_PROTO, "hash" },
        { "300B06096086480165030402010500", ERR_PROTO, "too many" },
    };
    uint8_t out[64];
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf der = bytes(rows[i].der);
        enum digest d = DIGEST_NONE;

        T_ERR_SAYS(digest_read(buf_view(&der), &d, &e), rows[i].cls, rows[i].says);
        assert_int_equal(d, DIGEST_NONE);
        buf_free(&der);
    }
    T_ERR(digest_of(lib, DIGEST_NONE, view_text("x"), out, &len, &e), ERR_UNSUPPORTED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm),
        cmocka_unit_test(names_of_the_same),
        cmocka_unit_test(refused_algorithms),
        cmocka_unit_test(salt_of_another_length),
        cmocka_unit_test(keys_that_are_none),
        cmocka_unit_test(odd_signatures),
        cmocka_unit_test(digests),
        cmocka_unit_test(refused_digests),
    };
    struct party *const parties[] = { &rsa, &rsa1024, &p256, &p384, &p521 };
    static const char *const kinds[] = { "rsa2048", "rsa1024", "P-256", "P-384", "P-521" };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    for (size_t i = 0; i < 5; i++)
        party_init(parties[i], kinds[i], "CN=Signer");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < 5; i++)
        party_free(parties[i]);
    lib_free(lib);
    return failed;
}
