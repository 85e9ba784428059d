/* see setup.h: certificates made at the first start; speed does not matter here */
#include "test/sandbox/setup.h"
#include <openssl/rand.h>
#include <openssl/x509v3.h>

void random_serial(X509 *x)
{
    unsigned char bytes[16];
    BIGNUM *bn = NULL;

    if (RAND_bytes(bytes, sizeof bytes) == 1) {
        bytes[0] = (unsigned char)((bytes[0] & 0x3f) | 0x40);
        bn = BN_bin2bn(bytes, sizeof bytes, NULL);
    }
    need(bn == NULL ? NULL : BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)));
    BN_free(bn);
}

static bool set_name(X509 *x, const struct cert_plan *plan)
{
    X509_NAME *n = X509_get_subject_name(x);

    return X509_NAME_add_entry_by_txt(
               n, "O", MBSTRING_UTF8, (const unsigned char *)plan->o, -1, -1, 0)
               == 1
           && X509_NAME_add_entry_by_txt(
                  n, "CN", MBSTRING_UTF8, (const unsigned char *)plan->cn, -1, -1, 0)
                  == 1
           && X509_set_issuer_name(
                  x, plan->issuer == NULL ? n : X509_get_subject_name(plan->issuer))
                  == 1;
}

static bool add_extensions(X509 *x, const struct cert_plan *plan)
{
    X509V3_CTX ctx;
    bool ok = true;

    X509V3_set_ctx(&ctx, plan->issuer == NULL ? x : plan->issuer, x, NULL, NULL, 0);
    for (size_t i = 0; ok && i < 6 && plan->extension[i].value != NULL; i++) {
        X509_EXTENSION *e =
            X509V3_EXT_conf_nid(NULL, &ctx, plan->extension[i].nid, plan->extension[i].value);

        ok = e != NULL && X509_add_ext(x, e, -1) == 1;
        X509_EXTENSION_free(e);
    }
    return ok;
}

static bool set_times(X509 *x, const struct cert_plan *plan, int64_t life_s)
{
    long before = life_s == 0 ? -3600 : life_s < 0 ? (long)life_s - 3600 : 0;

    return X509_time_adj_ex(X509_getm_notBefore(x), 0, before, NULL) != NULL
           && X509_time_adj_ex(
                  X509_getm_notAfter(x), life_s == 0 ? plan->days : 0, (long)life_s, NULL)
                  != NULL;
}

X509 *cert_make_for(const struct cert_plan *plan, int64_t life_s)
{
    X509 *x = need(X509_new());
    EVP_PKEY *signer = plan->issuer == NULL ? plan->key : plan->issuer_key;

    random_serial(x);
    if (X509_set_version(x, X509_VERSION_3) == 1 && set_name(x, plan) && set_times(x, plan, life_s)
        && X509_set_pubkey(x, plan->key) == 1 && add_extensions(x, plan)
        && X509_sign(x, signer, EVP_sha256()) > 0)
        return x;
    X509_free(x);
    return NULL;
}

X509 *cert_make(const struct cert_plan *plan)
{
    return cert_make_for(plan, 0);
}
