/* key_sign: the exact AlgorithmIdentifier, and a signature others verify. */
#include "test/t.h"
#include "certs/der.h"
#include "certs/key.h"
#include "certs/text.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

static struct err e;
static struct lib *l;

static int make_lib(void **state)
{
    (void)state;
    return (l = lib_new(&e)) != NULL ? 0 : -1;
}

static int free_lib(void **state)
{
    (void)state;
    lib_free(l);
    return 0;
}

static const struct {
    enum key_type type;
    enum hash hash;
    const char *algorithm; /* RFC 4055 2.1 and 5, RFC 5758 3.2, RFC 8410 3 */
    const char *digest;
} rows[] = {
    { KEY_RSA2048, HASH_SHA256, "300D06092A864886F70D01010B0500", "SHA256" },
    { KEY_RSA2048, HASH_SHA384, "300D06092A864886F70D01010C0500", "SHA384" },
    { KEY_RSA2048, HASH_SHA512, "300D06092A864886F70D01010D0500", "SHA512" },
    { KEY_RSA3072, HASH_SHA384, "300D06092A864886F70D01010C0500", "SHA384" },
    { KEY_RSA4096, HASH_SHA512, "300D06092A864886F70D01010D0500", "SHA512" },
    { KEY_P256, HASH_SHA256, "300A06082A8648CE3D040302", "SHA256" },
    { KEY_P256, HASH_SHA512, "300A06082A8648CE3D040304", "SHA512" },
    { KEY_P384, HASH_SHA384, "300A06082A8648CE3D040303", "SHA384" },
    { KEY_P521, HASH_SHA512, "300A06082A8648CE3D040304", "SHA512" },
    { KEY_ED25519, HASH_NONE, "300506032B6570", NULL },
    { KEY_ED25519, HASH_SHA384, "300506032B6570", NULL },
};

static EVP_PKEY *public_half(const struct key *k)
{
    struct view v = key_spki(k);
    const unsigned char *p = v.p;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)v.len);

    assert_non_null(pkey);
    return pkey;
}

static bool verifies(
    const struct key *k, const char *digest, struct view signature, struct view tbs)
{
    EVP_PKEY *pkey = public_half(k);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    int ok;

    assert_int_equal(EVP_DigestVerifyInit_ex(c, NULL, digest, NULL, NULL, pkey, NULL), 1);
    ok = EVP_DigestVerify(c, signature.p, signature.len, tbs.p, tbs.len);
    EVP_MD_CTX_free(c);
    EVP_PKEY_free(pkey);
    return ok == 1;
}

static void every_scheme(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct key *k = key_new(l, rows[i].type, KEYGEN_FAST, &e);
        struct buf out = BUF_INIT(2000), hex = BUF_INIT(200);
        struct view rest, signature;
        struct der algorithm, bits;

        assert_non_null(k);
        buf_add_text(&out, "tbs");
        T_OK(key_sign(l, k, rows[i].hash, view_text("to be signed"), &out, &e));
        rest = view_of(out.p + 3, out.len - 3);
        T_OK(der_expect(&rest, DER_SEQUENCE, "algorithm", &algorithm, &e));
        T_OK(der_expect(&rest, DER_BIT_STRING, "signature", &bits, &e));
        T_OK(der_end(rest, "signature", &e));
        hex_add(&hex, algorithm.whole);
        assert_string_equal(buf_text(&hex), rows[i].algorithm);
        assert_int_equal(bits.content.p[0], 0);
        signature = view_of(bits.content.p + 1, bits.content.len - 1);
        assert_true(verifies(k, rows[i].digest, signature, view_text("to be signed")));
        assert_false(verifies(k, rows[i].digest, signature, view_text("to be Signed")));
        buf_free(&out);
        buf_free(&hex);
        key_free(k);
    }
}

/* RFC 8032 7.1, TEST 2: Ed25519 has no randomness, so the signature is known. */
static void ed25519_vector(void **state)
{
    struct buf pkcs8 = BUF_SECRET(200), expect = BUF_INIT(200), out = BUF_INIT(200);
    struct key *k;

    (void)state;
    T_OK(hex_parse(view_text("302E020100300506032B657004220420"
                             "4CCD089B28FF96DA9DB6C346EC114E0F5B8A319F35ABA624DA8CF6ED4FB8A6FB"),
        &pkcs8, &e));
    k = key_parse(l, buf_view(&pkcs8), &e);
    assert_non_null(k);
    T_OK(hex_parse(view_text("302A300506032B6570032100"
                             "3D4017C3E843895A92B70AA74D1B7EBC9C982CCF2EC4968CC0CD55F12AF4660C"),
        &expect, &e));
    assert_true(view_equal(key_spki(k), buf_view(&expect)));
    buf_reset(&expect);
    T_OK(hex_parse(view_text("300506032B6570034100"
                             "92A009A9F0D4CAB8720E820B5F642540A2B27B5416503F8FB3762223EBDB69DA"
                             "085AC1E43E15996E458F3613D0F11D8C387B2EAEB4302AEEB00D291612BB0C00"),
        &expect, &e));
    T_OK(key_sign(l, k, HASH_NONE, view_of("\x72", 1), &out, &e));
    assert_true(view_equal(buf_view(&out), buf_view(&expect)));
    buf_free(&pkcs8);
    buf_free(&expect);
    buf_free(&out);
    key_free(k);
}

/* RSASSA-PKCS1-v1_5 has none either: twice the same bytes. */
static void rsa_is_deterministic(void **state)
{
    struct key *k = key_new(l, KEY_RSA2048, KEYGEN_FAST, &e);
    struct buf a = BUF_INIT(600), b = BUF_INIT(600);

    (void)state;
    T_OK(key_sign(l, k, HASH_SHA256, view_text("x"), &a, &e));
    T_OK(key_sign(l, k, HASH_SHA256, view_text("x"), &b, &e));
    assert_true(view_equal(buf_view(&a), buf_view(&b)));
    buf_free(&a);
    buf_free(&b);
    key_free(k);
}

static void refuses(void **state)
{
    struct key *rsa = key_new(l, KEY_RSA2048, KEYGEN_FAST, &e), *ec = key_new(l, KEY_P256, 0, &e);
    struct buf out = BUF_INIT(10);

    (void)state;
    buf_add_text(&out, "kept");
    T_ERR_SAYS(key_sign(l, rsa, HASH_NONE, view_text("x"), &out, &e), ERR_UNSUPPORTED, "hash 0");
    T_ERR(key_sign(l, ec, HASH_NONE, view_text("x"), &out, &e), ERR_UNSUPPORTED);
    T_ERR(key_sign(l, ec, (enum hash)4, view_text("x"), &out, &e), ERR_UNSUPPORTED);
    T_ERR(key_sign(l, ec, HASH_SHA256, view_text("x"), &out, &e), ERR_TOO_LARGE);
    assert_int_equal(out.len, 4);
    buf_free(&out);
    key_free(rsa);
    key_free(ec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scheme),
        cmocka_unit_test(ed25519_vector),
        cmocka_unit_test(rsa_is_deterministic),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, make_lib, free_lib);
}
