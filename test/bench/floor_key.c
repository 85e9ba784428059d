/* see floor.h: making keys, signing */
#include "test/bench/floor.h"
#include "certs/key.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>

static EVP_PKEY_CTX *rsa_maker, *ec_maker;
static EVP_PKEY *rsa;
static EVP_MD_CTX *signer;

static int make(struct lib *l, enum key_type t, enum keygen how, struct err *e)
{
    struct key *k = key_new(l, t, how, e);

    key_free(k);
    return k != NULL ? 0 : -1;
}

static int rsa_primes(struct lib *l, struct err *e)
{
    return make(l, KEY_RSA2048, KEYGEN_PRIMES, e);
}

static int rsa_fast(struct lib *l, struct err *e)
{
    return make(l, KEY_RSA2048, KEYGEN_FAST, e);
}

static int rsa_openssl(struct lib *l, struct err *e)
{
    return make(l, KEY_RSA2048, KEYGEN_OPENSSL, e);
}

static int p256_key(struct lib *l, struct err *e)
{
    return make(l, KEY_P256, KEYGEN_PRIMES, e);
}

static int generate(EVP_PKEY_CTX *c, struct err *e)
{
    EVP_PKEY *k = NULL;
    int rc = EVP_PKEY_generate(c, &k) == 1 ? 0 : lib_err(e, "EVP_PKEY_generate");

    EVP_PKEY_free(k);
    return rc;
}

static int rsa_evp(struct lib *l, struct err *e)
{
    (void)l;
    return generate(rsa_maker, e);
}

static int p256_evp(struct lib *l, struct err *e)
{
    (void)l;
    return generate(ec_maker, e);
}

static int rsa_sign(struct lib *l, struct err *e)
{
    static const unsigned char tbs[600];
    unsigned char sig[256];
    size_t len = sizeof sig;

    if (EVP_DigestSignInit_ex(signer, NULL, "SHA2-256", l->ctx, NULL, rsa, NULL) != 1
        || EVP_DigestSign(signer, sig, &len, tbs, sizeof tbs) != 1)
        return lib_err(e, "RSA signature");
    return 0;
}

const struct op floor_key_ops[] = {
    { "rsa2048-primes", "RSA-2048 key by certs/, the library's primes", rsa_primes, true },
    { "rsa2048-fast", "RSA-2048 key by certs/, our own search", rsa_fast, true },
    { "rsa2048-openssl", "RSA-2048 key by certs/, the library's key generation", rsa_openssl,
        true },
    { "rsa2048-evp", "RSA-2048 key, EVP_PKEY_generate alone", rsa_evp, true },
    { "rsa2048-sign", "RSA-2048 signature, EVP", rsa_sign, false },
    { "p256-key", "P-256 key by certs/", p256_key, false },
    { "p256-keygen", "P-256 key, EVP_PKEY_generate alone", p256_evp, false },
    { NULL, NULL, NULL, false },
};

int floor_key_open(struct lib *l, struct err *e)
{
    rsa_maker = EVP_PKEY_CTX_new_from_name(l->ctx, "RSA", NULL);
    ec_maker = EVP_PKEY_CTX_new_from_name(l->ctx, "EC", NULL);
    signer = EVP_MD_CTX_new();
    rsa = EVP_PKEY_Q_keygen(l->ctx, NULL, "RSA", (size_t)2048);
    if (rsa == NULL || signer == NULL || EVP_PKEY_keygen_init(rsa_maker) != 1
        || EVP_PKEY_CTX_set_rsa_keygen_bits(rsa_maker, 2048) != 1
        || EVP_PKEY_keygen_init(ec_maker) != 1
        || EVP_PKEY_CTX_set_group_name(ec_maker, "P-256") != 1)
        return lib_err(e, "keys for the floor");
    return 0;
}

void floor_key_close(void)
{
    EVP_PKEY_CTX_free(rsa_maker);
    EVP_PKEY_CTX_free(ec_maker);
    EVP_MD_CTX_free(signer);
    EVP_PKEY_free(rsa);
}
