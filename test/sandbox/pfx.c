/*
 * see pfx.h
 *
 * PKCS12_parse verifies the MAC and gives key and certificates; the bags are then gone through once more for what it does
 * not tell: attributes, algorithms, order.
 */
#include "test/sandbox/pfx.h"
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs12err.h>
#include <stdlib.h>
#include <string.h>

enum { BAGS_MAX = 32 };

/* ---- algorithms ---- */

static bool pbes2_modern(const ASN1_TYPE *parameter)
{
    PBE2PARAM *p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), parameter);
    PBKDF2PARAM *kdf = NULL;
    bool ok = false;

    if (p != NULL && OBJ_obj2nid(p->encryption->algorithm) == NID_aes_256_cbc
        && OBJ_obj2nid(p->keyfunc->algorithm) == NID_id_pbkdf2)
        kdf = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), p->keyfunc->parameter);
    if (kdf != NULL)
        ok = kdf->prf != NULL && OBJ_obj2nid(kdf->prf->algorithm) == NID_hmacWithSHA256;
    PBKDF2PARAM_free(kdf);
    PBE2PARAM_free(p);
    return ok;
}

static const char *encryption_profile(const X509_ALGOR *alg)
{
    int nid = OBJ_obj2nid(alg->algorithm);

    if (nid == NID_pbes2 && pbes2_modern(alg->parameter))
        return "modern";
    return nid == NID_pbe_WithSHA1And3_Key_TripleDES_CBC ? "compat" : NULL;
}

static const char *mac_profile(const PKCS12 *p12)
{
    const X509_ALGOR *alg = NULL;
    int nid;

    PKCS12_get0_mac(NULL, &alg, NULL, NULL, p12);
    nid = alg == NULL ? NID_undef : OBJ_obj2nid(alg->algorithm);
    return nid == NID_sha256 ? "modern" : nid == NID_sha1 ? "compat" : NULL;
}

/* Every part must be of the profile the MAC is of. */
static bool same_profile(struct pfx *f, const char *part, const char *profile, struct str *why)
{
    if (profile != NULL && f->profile != NULL && strcmp(profile, f->profile) == 0)
        return true;
    str_f(why, "PKCS#12: algorithms of the %s are %s, of the MAC %s", part,
        profile == NULL ? "in no profile" : profile,
        f->profile == NULL ? "in no profile" : f->profile);
    return false;
}

/* ---- bags ---- */

/* LocalKeySet is an empty SET, for which the usual getter has nothing to give. */
static bool has_attr(const PKCS12_SAFEBAG *bag, int nid)
{
    return X509at_get_attr_by_NID(PKCS12_SAFEBAG_get0_attrs(bag), nid, -1) >= 0;
}

static void read_bag(PKCS12_SAFEBAG *bag, struct pfx_bag *out)
{
    const ASN1_TYPE *id = PKCS12_SAFEBAG_get0_attr(bag, NID_localKeyID);
    char *name = PKCS12_get_friendlyname(bag);

    if (id != NULL && id->type == V_ASN1_OCTET_STRING
        && (size_t)ASN1_STRING_length(id->value.octet_string) <= sizeof out->local_key_id) {
        out->local_key_id_len = (size_t)ASN1_STRING_length(id->value.octet_string);
        memcpy(out->local_key_id, ASN1_STRING_get0_data(id->value.octet_string),
            out->local_key_id_len);
    }
    if (name != NULL)
        out->friendly_name = need_copy(name);
    OPENSSL_free(name);
    out->csp_name = has_attr(bag, NID_ms_csp_name);
    out->machine_keyset = has_attr(bag, NID_LocalKeySet);
}

static bool key_bag(PKCS12_SAFEBAG *bag, struct pfx *f, struct str *why)
{
    const X509_SIG *sig = PKCS12_SAFEBAG_get0_pkcs8(bag);
    const X509_ALGOR *alg;

    X509_SIG_get0(sig, &alg, NULL);
    if (f->keys++ == 0)
        read_bag(bag, &f->key_bag);
    return same_profile(f, "key", encryption_profile(alg), why);
}

static bool cert_bag(PKCS12_SAFEBAG *bag, struct pfx *f)
{
    X509 *x = PKCS12_SAFEBAG_get1_cert(bag);
    bool ok = x != NULL;

    if (ok && f->first == NULL) {
        X509_up_ref(x);
        f->first = x;
    }
    if (ok && f->certs++ < BAGS_MAX) {
        if (f->leaf != NULL && X509_cmp(x, f->leaf) == 0)
            read_bag(bag, &f->leaf_bag);
        else if (has_attr(bag, NID_localKeyID))
            f->others_named = true;
    }
    X509_free(x);
    return ok;
}

static bool walk_bags(
    STACK_OF(PKCS12_SAFEBAG) * bags, struct pfx *f, bool encrypted, struct str *why)
{
    bool ok = true;

    for (int i = 0; ok && i < sk_PKCS12_SAFEBAG_num(bags); i++) {
        PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);

        switch (PKCS12_SAFEBAG_get_nid(bag)) {
        case NID_pkcs8ShroudedKeyBag:
            ok = key_bag(bag, f, why);
            break;
        case NID_certBag:
            ok = encrypted && cert_bag(bag, f);
            if (!ok)
                str_puts(why, "PKCS#12: a certificate that is not encrypted or not readable");
            break;
        default:
            str_puts(why, "PKCS#12: a bag that is neither an encrypted key nor a certificate");
            ok = false;
        }
    }
    return ok;
}

static bool walk_safe(PKCS7 *p7, const char *password, struct pfx *f, struct str *why)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    bool encrypted = PKCS7_type_is_encrypted(p7), ok = true;

    if (encrypted) {
        ok = same_profile(
            f, "certificates", encryption_profile(p7->d.encrypted->enc_data->algorithm), why);
        if (ok)
            bags = PKCS12_unpack_p7encdata(p7, password, (int)strlen(password));
    } else if (PKCS7_type_is_data(p7)) {
        bags = PKCS12_unpack_p7data(p7);
    }
    if (ok && bags == NULL) {
        str_puts(why, "PKCS#12: a safe cannot be opened");
        ok = false;
    }
    ok = ok && walk_bags(bags, f, encrypted, why);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    return ok;
}

static bool walk(PKCS12 *p12, const char *password, struct pfx *f, struct str *why)
{
    STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(p12);
    bool ok = safes != NULL;

    if (!ok)
        str_puts(why, "PKCS#12: no safes");
    for (int i = 0; ok && i < sk_PKCS7_num(safes); i++)
        ok = walk_safe(sk_PKCS7_value(safes, i), password, f, why);
    sk_PKCS7_pop_free(safes, PKCS7_free);
    return ok;
}

bool pfx_open(const struct str *der, const char *password, struct pfx *f, struct str *why)
{
    const unsigned char *p = (const unsigned char *)str_text(der), *end = p + der->len;
    PKCS12 *p12 = d2i_PKCS12(NULL, &p, (long)der->len);
    bool ok = false;

    *f = (struct pfx){ 0 };
    if (p12 == NULL || p != end) {
        str_puts(why, "PKCS#12: not readable");
    } else if (PKCS12_mac_present(p12) != 1) {
        str_puts(why, "PKCS#12: no MAC");
    } else if (PKCS12_parse(p12, password, &f->key, &f->leaf, &f->others) != 1) {
        str_puts(why, ERR_GET_REASON(ERR_peek_last_error()) == PKCS12_R_MAC_VERIFY_FAILURE
                          ? "PKCS#12: wrong MAC or password"
                          : "PKCS#12: cannot be opened");
    } else if (f->key == NULL || f->leaf == NULL) {
        str_puts(why, "PKCS#12: no key with its certificate");
    } else {
        f->profile = mac_profile(p12);
        ok = walk(p12, password, f, why);
    }
    PKCS12_free(p12);
    ERR_clear_error();
    return ok;
}

void pfx_done(struct pfx *f)
{
    EVP_PKEY_free(f->key);
    X509_free(f->leaf);
    X509_free(f->first);
    sk_X509_pop_free(f->others, X509_free);
    free(f->key_bag.friendly_name);
    free(f->leaf_bag.friendly_name);
    *f = (struct pfx){ 0 };
}
