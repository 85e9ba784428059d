/* see issue.h: the ways in which a CA's answer is not what was asked for */
#include "test/sandbox/issue.h"
#include <openssl/ec.h>
#include <openssl/x509v3.h>

static const enum fault_what ways[] = { FAULT_WRONG_KEY, FAULT_WRONG_SUBJECT, FAULT_WRONG_SAN,
    FAULT_NO_SAN, FAULT_EXTRA_EKU, FAULT_CA_TRUE, FAULT_LONG_VALIDITY, FAULT_EXPIRED,
    FAULT_OTHER_ISSUER };

bool twist_wanted(const struct hit *h)
{
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (hit_has(h, ways[i]))
            return true;
    }
    return false;
}

static void drop(X509 *x, int nid)
{
    int at = X509_get_ext_by_NID(x, nid, -1);

    if (at >= 0)
        X509_EXTENSION_free(X509_delete_ext(x, at));
}

static bool put(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool ok = e != NULL && X509_add_ext(x, e, -1) == 1;

    X509_EXTENSION_free(e);
    return ok;
}

static bool mallory(X509_NAME *n)
{
    return X509_NAME_add_entry_by_txt(
               n, "CN", MBSTRING_UTF8, (const unsigned char *)"Mallory Mole", -1, -1, 0)
           == 1;
}

static bool change_name(X509 *x, int (*set)(X509 *, const X509_NAME *))
{
    X509_NAME *n = need(X509_NAME_new());
    bool ok = mallory(n) && set(x, n) == 1;

    X509_NAME_free(n);
    return ok;
}

static bool change_key(X509 *x)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    bool ok = key != NULL && X509_set_pubkey(x, key) == 1;

    EVP_PKEY_free(key);
    return ok;
}

/* Enrolment agent: whoever holds such a certificate can ask for one in anybody's name. */
static bool add_agent_eku(X509 *x)
{
    EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
    ASN1_OBJECT *agent = OBJ_txt2obj("1.3.6.1.4.1.311.20.2.1", 1);
    bool ok;

    if (eku == NULL)
        eku = need(sk_ASN1_OBJECT_new_null());
    ok = agent != NULL && sk_ASN1_OBJECT_push(eku, agent) > 0
         && X509_add1_ext_i2d(x, NID_ext_key_usage, eku, 0, X509V3_ADD_REPLACE) == 1;
    sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
    return ok;
}

static bool set_days(X509 *x, int from, int to)
{
    return X509_time_adj_ex(X509_getm_notBefore(x), from, 0, NULL) != NULL
           && X509_time_adj_ex(X509_getm_notAfter(x), to, 0, NULL) != NULL;
}

static bool another_issuer(X509 *x, EVP_PKEY **signer)
{
    EVP_PKEY_free(*signer);
    *signer = EVP_EC_gen("P-256");
    drop(x, NID_authority_key_identifier);
    return *signer != NULL && change_name(x, X509_set_issuer_name);
}

bool twist(X509 *x, const struct hit *h, EVP_PKEY **signer)
{
    if (hit_has(h, FAULT_NO_SAN) || hit_has(h, FAULT_WRONG_SAN))
        drop(x, NID_subject_alt_name);
    return (!hit_has(h, FAULT_WRONG_SAN)
               || put(x, NID_subject_alt_name, "email:mallory@contoso.example"))
           && (!hit_has(h, FAULT_WRONG_SUBJECT) || change_name(x, X509_set_subject_name))
           && (!hit_has(h, FAULT_WRONG_KEY) || change_key(x))
           && (!hit_has(h, FAULT_EXTRA_EKU) || add_agent_eku(x))
           && (!hit_has(h, FAULT_CA_TRUE) || put(x, NID_basic_constraints, "critical,CA:TRUE"))
           && (!hit_has(h, FAULT_LONG_VALIDITY) || set_days(x, 0, 7300))
           && (!hit_has(h, FAULT_EXPIRED) || set_days(x, -10, -1))
           && (!hit_has(h, FAULT_OTHER_ISSUER) || another_issuer(x, signer));
}
