/*
 * see floor.h: the primitives of one SCEP enrolment, back to back, without ASN.1.
 *
 * What is done: the message's signature and the CSR's are verified, the envelope's key is decrypted with the RA's key and
 * its content with AES; then the answer's content is encrypted, its key to the device, and the whole is signed by
 * the RA: two private and three public RSA operations.  `-issued` also verifies what the CA has issued, which a server
 * with a CA of its own need not.  Keys and contexts are made once; for a device's key that is less than
 * anybody can do, who sees each device once.
 */
#include "test/bench/floor.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>

enum { SIG_LEN = 256, KEY_LEN = 16, CONTENT_LEN = 1024, ANSWER_LEN = 1024, ATTRS_LEN = 300 };
enum { CSR_LEN = 700, TBS_LEN = 600, WRAPPED_MAX = 256 };

static const unsigned char bytes[CONTENT_LEN + 64];
static EVP_PKEY *ra_sign, *ra_open, *device, *issuer;
static EVP_PKEY_CTX *opener, *sealer, *signer, *checker;
static EVP_MD_CTX *md, *issuer_md;
static EVP_CIPHER_CTX *cipher;
static unsigned char device_sig[SIG_LEN], issuer_sig[SIG_LEN], wrapped[WRAPPED_MAX];
static size_t issuer_sig_len, wrapped_len;

static int hash(struct lib *l, size_t len, unsigned char out[32], struct err *e)
{
    unsigned n;

    return EVP_DigestInit_ex2(md, l->sha256, NULL) == 1 && EVP_DigestUpdate(md, bytes, len) == 1
                   && EVP_DigestFinal_ex(md, out, &n) == 1
               ? 0
               : lib_err(e, "SHA-256");
}

/* A signature of the device's over so many bytes; what it signed does not matter to the cost. */
static int check(struct lib *l, size_t len, struct err *e)
{
    unsigned char digest[32];

    if (hash(l, len, digest, e) != 0 || hash(l, ATTRS_LEN, digest, e) != 0)
        return -1;
    return EVP_PKEY_verify(checker, device_sig, SIG_LEN, digest, sizeof digest) == 1
               ? 0
               : lib_err(e, "verification");
}

static int crypt(struct lib *l, int encrypt, int len, struct err *e)
{
    static const unsigned char key[KEY_LEN], iv[16];
    unsigned char out[CONTENT_LEN + 64];
    int n;

    if (EVP_CipherInit_ex2(cipher, l->aes128_cbc, key, iv, encrypt, NULL) != 1
        || EVP_CIPHER_CTX_set_padding(cipher, 0) != 1
        || EVP_CipherUpdate(cipher, out, &n, bytes, len) != 1)
        return lib_err(e, "AES");
    return 0;
}

static int open_it(struct lib *l, struct err *e)
{
    unsigned char key[WRAPPED_MAX];
    size_t len = sizeof key;

    if (EVP_PKEY_decrypt(opener, key, &len, wrapped, wrapped_len) != 1)
        return lib_err(e, "decryption");
    return crypt(l, 0, CONTENT_LEN, e);
}

static int answer(struct lib *l, struct err *e)
{
    unsigned char key[KEY_LEN], out[WRAPPED_MAX], digest[32], sig[SIG_LEN];
    size_t len = sizeof out, sig_len = sizeof sig;

    if (lib_random(l, key, sizeof key, e) != 0 || crypt(l, 1, ANSWER_LEN, e) != 0
        || hash(l, ANSWER_LEN, digest, e) != 0 || hash(l, ATTRS_LEN, digest, e) != 0)
        return -1;
    if (EVP_PKEY_encrypt(sealer, out, &len, key, sizeof key) != 1
        || EVP_PKEY_sign(signer, sig, &sig_len, digest, sizeof digest) != 1)
        return lib_err(e, "the answer");
    return 0;
}

static int enrol(struct lib *l, struct err *e)
{
    return check(l, CONTENT_LEN, e) == 0 && open_it(l, e) == 0 && check(l, CSR_LEN, e) == 0
                   && answer(l, e) == 0
               ? 0
               : -1;
}

static int enrol_issued(struct lib *l, struct err *e)
{
    if (EVP_DigestVerifyInit_ex(issuer_md, NULL, "SHA2-256", l->ctx, NULL, issuer, NULL) != 1
        || EVP_DigestVerify(issuer_md, issuer_sig, issuer_sig_len, bytes, TBS_LEN) != 1)
        return lib_err(e, "verification of the certificate");
    return enrol(l, e);
}

const struct op floor_scep_ops[] = {
    { "scep-bare", "SCEP enrolment with RSA-2048, EVP primitives", enrol, false },
    { "scep-issued", "the same, and the CA's P-256 signature verified", enrol_issued, false },
    { NULL, NULL, NULL, false },
};

/* ---- made once ---- */

static EVP_PKEY_CTX *context(struct lib *l, EVP_PKEY *k)
{
    return k != NULL ? EVP_PKEY_CTX_new_from_pkey(l->ctx, k, NULL) : NULL;
}

static bool pkcs1(EVP_PKEY_CTX *c)
{
    return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1;
}

static bool open_contexts(struct lib *l)
{
    signer = context(l, ra_sign);
    opener = context(l, ra_open);
    sealer = context(l, device);
    checker = context(l, device);
    return signer != NULL && opener != NULL && sealer != NULL && checker != NULL
           && EVP_PKEY_sign_init(signer) == 1 && pkcs1(signer)
           && EVP_PKEY_CTX_set_signature_md(signer, l->sha256) == 1
           && EVP_PKEY_decrypt_init(opener) == 1
           && EVP_PKEY_CTX_set_rsa_padding(opener, RSA_NO_PADDING) == 1 /* as envelope.h says */
           && EVP_PKEY_encrypt_init(sealer) == 1 && pkcs1(sealer)
           && EVP_PKEY_verify_init(checker) == 1 && pkcs1(checker)
           && EVP_PKEY_CTX_set_signature_md(checker, l->sha256) == 1;
}

/* What a device and a CA have sent. */
static bool make_messages(struct lib *l, struct err *e)
{
    EVP_PKEY_CTX *to_ra = context(l, ra_open), *by_device = context(l, device);
    unsigned char digest[32];
    size_t len = SIG_LEN;
    bool ok = to_ra != NULL && by_device != NULL && EVP_PKEY_encrypt_init(to_ra) == 1
              && pkcs1(to_ra) && EVP_PKEY_sign_init(by_device) == 1 && pkcs1(by_device)
              && EVP_PKEY_CTX_set_signature_md(by_device, l->sha256) == 1;

    wrapped_len = sizeof wrapped;
    issuer_sig_len = sizeof issuer_sig;
    ok = ok && EVP_PKEY_encrypt(to_ra, wrapped, &wrapped_len, bytes, KEY_LEN) == 1
         && hash(l, ATTRS_LEN, digest, e) == 0
         && EVP_PKEY_sign(by_device, device_sig, &len, digest, sizeof digest) == 1
         && EVP_DigestSignInit_ex(issuer_md, NULL, "SHA2-256", l->ctx, NULL, issuer, NULL) == 1
         && EVP_DigestSign(issuer_md, issuer_sig, &issuer_sig_len, bytes, TBS_LEN) == 1;
    EVP_PKEY_CTX_free(to_ra);
    EVP_PKEY_CTX_free(by_device);
    return ok;
}

int floor_scep_open(struct lib *l, struct err *e)
{
    ra_sign = EVP_PKEY_Q_keygen(l->ctx, NULL, "RSA", (size_t)2048);
    ra_open = EVP_PKEY_Q_keygen(l->ctx, NULL, "RSA", (size_t)2048);
    device = EVP_PKEY_Q_keygen(l->ctx, NULL, "RSA", (size_t)2048);
    issuer = EVP_PKEY_Q_keygen(l->ctx, NULL, "EC", "P-256");
    md = EVP_MD_CTX_new();
    issuer_md = EVP_MD_CTX_new();
    cipher = EVP_CIPHER_CTX_new();
    if (ra_sign == NULL || ra_open == NULL || device == NULL || issuer == NULL || md == NULL
        || issuer_md == NULL || cipher == NULL || !open_contexts(l) || !make_messages(l, e))
        return lib_err(e, "contexts for the SCEP floor");
    return 0;
}

void floor_scep_close(void)
{
    EVP_PKEY *const keys[] = { ra_sign, ra_open, device, issuer };
    EVP_PKEY_CTX *const contexts[] = { opener, sealer, signer, checker };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        EVP_PKEY_free(keys[i]);
        EVP_PKEY_CTX_free(contexts[i]);
    }
    EVP_MD_CTX_free(md);
    EVP_MD_CTX_free(issuer_md);
    EVP_CIPHER_CTX_free(cipher);
}
