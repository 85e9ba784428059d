/* see envelope.h */
#include "test/sandbox/envelope.h"
#include <openssl/asn1t.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

/* The header of the next element; false when it is not there in full. */
struct element {
    int tag, class;
    const unsigned char *p;
    long len;
};

static bool next(const unsigned char **p, const unsigned char *end, struct element *e)
{
    int flags;

    e->p = *p;
    flags = ASN1_get_object(&e->p, &e->len, &e->tag, &e->class, end - *p);
    if ((flags & 0x80) != 0 || (flags & 1) != 0)
        return false;
    *p = e->p + e->len;
    return true;
}

/*
 * OpenSSL opens every cipher but does not say which it was, so the way to the content encryption
 * algorithm is walked: ContentInfo, [0], (Auth)EnvelopedData, after the SET of recipients the
 * EncryptedContentInfo, whose second element it is.
 */
static int content_nid(const struct str *cms)
{
    const unsigned char *p = (const unsigned char *)cms->p, *end = p + cms->len;
    struct element e;
    ASN1_OBJECT *o;
    int nid = NID_undef;

    if (!next(&p, end, &e))
        return NID_undef;
    p = e.p;
    if (!next(&p, end, &e) || !next(&p, end, &e))
        return NID_undef;
    p = e.p;
    if (!next(&p, end, &e))
        return NID_undef;
    p = e.p;
    do {
        if (!next(&p, end, &e))
            return NID_undef;
    } while (e.tag != V_ASN1_SET || e.class != V_ASN1_UNIVERSAL);
    if (!next(&p, end, &e))
        return NID_undef;
    p = e.p;
    if (!next(&p, end, &e) || !next(&p, end, &e))
        return NID_undef;
    p = e.p;
    o = d2i_ASN1_OBJECT(NULL, &p, end - p);
    nid = OBJ_obj2nid(o);
    ASN1_OBJECT_free(o);
    return nid;
}

static bool content_ok(CMS_ContentInfo *c, const struct str *cms, const char *want, struct str *why)
{
    static const struct {
        const char *name;
        int type, cipher;
    } kinds[] = {
        { "aes256-gcm", NID_id_smime_ct_authEnvelopedData, NID_aes_256_gcm },
        { "aes256-cbc", NID_pkcs7_enveloped, NID_aes_256_cbc },
        { "des-ede3-cbc", NID_pkcs7_enveloped, NID_des_ede3_cbc },
    };
    int type = OBJ_obj2nid(CMS_get0_type(c)), cipher = content_nid(cms);

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, want) == 0 && kinds[i].type == type && kinds[i].cipher == cipher)
            return true;
    }
    str_f(why, "envelope: %s in %s, asked for was %s", OBJ_nid2sn(cipher), OBJ_nid2sn(type), want);
    return false;
}

static bool is_oaep_sha256(X509_ALGOR *alg)
{
    RSA_OAEP_PARAMS *oaep;
    X509_ALGOR *mask = NULL;
    bool ok;

    if (OBJ_obj2nid(alg->algorithm) != NID_rsaesOaep)
        return false;
    oaep = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_OAEP_PARAMS), alg->parameter);
    if (oaep != NULL && oaep->maskGenFunc != NULL
        && OBJ_obj2nid(oaep->maskGenFunc->algorithm) == NID_mgf1)
        mask = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR), oaep->maskGenFunc->parameter);
    ok = oaep != NULL && oaep->hashFunc != NULL && mask != NULL
         && OBJ_obj2nid(oaep->hashFunc->algorithm) == NID_sha256
         && OBJ_obj2nid(mask->algorithm) == NID_sha256;
    X509_ALGOR_free(mask);
    RSA_OAEP_PARAMS_free(oaep);
    return ok;
}

/* ECDH with the SHA-256 KDF, AES-256 key wrap (RFC 5753), one key, named by issuer and serial. */
static bool agreement_ok(CMS_RecipientInfo *r)
{
    STACK_OF(CMS_RecipientEncryptedKey) *keys = CMS_RecipientInfo_kari_get0_reks(r);
    X509_ALGOR *alg = NULL, *wrap = NULL;
    X509_NAME *issuer = NULL;
    bool ok;

    if (CMS_RecipientInfo_kari_get0_alg(r, &alg, NULL) != 1
        || OBJ_obj2nid(alg->algorithm) != NID_dhSinglePass_stdDH_sha256kdf_scheme
        || sk_CMS_RecipientEncryptedKey_num(keys) != 1
        || CMS_RecipientEncryptedKey_get0_id(
               sk_CMS_RecipientEncryptedKey_value(keys, 0), NULL, NULL, NULL, &issuer, NULL)
               != 1)
        return false;
    wrap = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR), alg->parameter);
    ok = issuer != NULL && wrap != NULL && OBJ_obj2nid(wrap->algorithm) == NID_id_aes256_wrap;
    X509_ALGOR_free(wrap);
    return ok;
}

static bool transport_ok(CMS_RecipientInfo *r, const char *want, struct str *why)
{
    X509_ALGOR *alg = NULL;
    X509_NAME *issuer = NULL;

    if (CMS_RecipientInfo_ktri_get0_algs(r, NULL, NULL, &alg) != 1
        || CMS_RecipientInfo_ktri_get0_signer_id(r, NULL, &issuer, NULL) != 1 || issuer == NULL) {
        str_puts(why, "envelope: the recipient is not named by issuer and serial number");
        return false;
    }
    if (strcmp(want, "rsaOaepSha256") == 0 ? is_oaep_sha256(alg)
                                           : OBJ_obj2nid(alg->algorithm) == NID_rsaEncryption)
        return true;
    str_f(why, "envelope: key transport %s, asked for was %s",
        OBJ_nid2sn(OBJ_obj2nid(alg->algorithm)), want);
    return false;
}

static bool recipient_ok(CMS_ContentInfo *c, const struct envelope_want *w, struct str *why)
{
    STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(c);
    CMS_RecipientInfo *r = sk_CMS_RecipientInfo_value(all, 0);

    if (sk_CMS_RecipientInfo_num(all) != 1) {
        str_f(why, "envelope: %d recipients", sk_CMS_RecipientInfo_num(all));
        return false;
    }
    if (w->device == DEVICE_RSA && CMS_RecipientInfo_type(r) == CMS_RECIPINFO_TRANS)
        return transport_ok(r, w->transport, why);
    if (w->device == DEVICE_EC && CMS_RecipientInfo_type(r) == CMS_RECIPINFO_AGREE
        && agreement_ok(r))
        return true;
    str_puts(why, w->device == DEVICE_RSA
                      ? "envelope: no key transport for the RSA device"
                      : "envelope: no ECDH with SHA-256 and AES-256 key wrap for the EC device");
    return false;
}

static bool decrypt(
    CMS_ContentInfo *c, const struct setup *s, enum device d, struct str *out, struct str *why)
{
    BIO *b = need(BIO_new(BIO_s_mem()));
    char *p = NULL;
    bool ok = CMS_decrypt(c, s->device_key[d], s->device[d], NULL, b, CMS_BINARY) == 1;
    long len = BIO_get_mem_data(b, &p);

    if (ok)
        str_add(out, p, len > 0 ? (size_t)len : 0);
    else
        str_puts(why, "envelope: the device cannot open it");
    if (len > 0)
        OPENSSL_cleanse(p, (size_t)len);
    BIO_free(b);
    ERR_clear_error();
    return ok;
}

bool envelope_open(const struct setup *s, const struct envelope_want *w, const struct str *cms,
    struct str *out, struct str *why)
{
    const unsigned char *p = (const unsigned char *)str_text(cms), *end = p + cms->len;
    CMS_ContentInfo *c = d2i_CMS_ContentInfo(NULL, &p, (long)cms->len);
    int type = c == NULL ? NID_undef : OBJ_obj2nid(CMS_get0_type(c));
    bool ok = false;

    ERR_clear_error();
    if (c == NULL || p != end)
        str_puts(why, "envelope: not a CMS message");
    else if (type != NID_pkcs7_enveloped && type != NID_id_smime_ct_authEnvelopedData)
        str_f(why, "envelope: is %s", OBJ_nid2sn(type));
    else if (OBJ_obj2nid(CMS_get0_eContentType(c)) != NID_pkcs7_data)
        str_puts(why, "envelope: what is inside is not id-data");
    else
        ok = content_ok(c, cms, w->content, why) && recipient_ok(c, w, why)
             && decrypt(c, s, w->device, out, why);
    CMS_ContentInfo_free(c);
    return ok;
}
