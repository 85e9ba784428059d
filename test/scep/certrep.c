/* see certrep.h */
#include "test/scep/certrep.h"
#include <openssl/err.h>
#include <string.h>
#include <stdlib.h>

#define OID_VERISIGN  "2.16.840.1.113733.1.9."
#define OID_FAIL_TEXT "1.3.6.1.5.5.7.24.1"

struct reading {
    const struct certrep_want *want;
    struct certrep *r;
    struct str *why;
    CMS_ContentInfo *cms;
    CMS_SignerInfo *signer;
};

static bool no(struct reading *d, const char *why)
{
    str_puts(d->why, why);
    ERR_clear_error();
    return false;
}

/* ---- attributes ---- */

/* The one value of an attribute of that type; NULL: it is not there like that. */
static const ASN1_STRING *attribute(struct reading *d, const char *oid, int type)
{
    ASN1_OBJECT *o = need(OBJ_txt2obj(oid, 1));
    const ASN1_STRING *s =
        CMS_signed_get0_data_by_OBJ(d->signer, o, -3, type); /* -3: there once, with one value */

    ASN1_OBJECT_free(o);
    ERR_clear_error();
    return s;
}

static bool has(struct reading *d, const char *oid)
{
    ASN1_OBJECT *o = need(OBJ_txt2obj(oid, 1));
    bool there = CMS_signed_get_attr_by_OBJ(d->signer, o, -1) >= 0;

    ASN1_OBJECT_free(o);
    return there;
}

static bool text_is(struct reading *d, const char *oid, const char *want)
{
    const ASN1_STRING *s = attribute(d, oid, V_ASN1_PRINTABLESTRING);

    return s != NULL && (size_t)ASN1_STRING_length(s) == strlen(want)
           && memcmp(ASN1_STRING_get0_data(s), want, strlen(want)) == 0;
}

/* A number of one digit as text; -1: not there like that. */
static int digit(struct reading *d, const char *oid)
{
    const ASN1_STRING *s = attribute(d, oid, V_ASN1_PRINTABLESTRING);
    const unsigned char *p = s == NULL ? NULL : ASN1_STRING_get0_data(s);

    return s != NULL && ASN1_STRING_length(s) == 1 && p[0] >= '0' && p[0] <= '9' ? p[0] - '0' : -1;
}

static bool read_nonces(struct reading *d)
{
    const ASN1_STRING *ours = attribute(d, OID_VERISIGN "6", V_ASN1_OCTET_STRING);
    const ASN1_STRING *theirs = attribute(d, OID_VERISIGN "5", V_ASN1_OCTET_STRING);
    size_t len = ours == NULL ? 0 : (size_t)ASN1_STRING_length(ours);

    if (theirs == NULL || ASN1_STRING_length(theirs) != 16)
        return no(d, "senderNonce is not there, or has not 16 bytes");
    memcpy(d->r->sender_nonce, ASN1_STRING_get0_data(theirs), 16);
    d->r->sender_nonce_len = 16;
    if (d->want->nonce == NULL)
        return true;
    if (ours == NULL || len != d->want->nonce_len
        || memcmp(ASN1_STRING_get0_data(ours), d->want->nonce, len) != 0)
        return no(d, "recipientNonce is not what was sent");
    return true;
}

static bool read_attributes(struct reading *d)
{
    const ASN1_STRING *text;

    if (attribute(d, "1.2.840.113549.1.9.3", V_ASN1_OBJECT) == NULL)
        return no(d, "contentType is not there");
    if (attribute(d, "1.2.840.113549.1.9.4", V_ASN1_OCTET_STRING) == NULL)
        return no(d, "messageDigest is not there");
    if (!text_is(d, OID_VERISIGN "2", "3"))
        return no(d, "messageType is not CertRep");
    if (!text_is(d, OID_VERISIGN "7", d->want->transaction))
        return no(d, "transactionID is not the request's");
    d->r->status = digit(d, OID_VERISIGN "3");
    if (d->r->status != STATUS_SUCCESS && d->r->status != STATUS_FAILURE
        && d->r->status != STATUS_PENDING)
        return no(d, "pkiStatus");
    d->r->fail = digit(d, OID_VERISIGN "4");
    if (d->r->status == STATUS_FAILURE && (d->r->fail < 0 || d->r->fail > 4))
        return no(d, "a FAILURE without failInfo");
    if (d->r->status != STATUS_FAILURE && has(d, OID_VERISIGN "4"))
        return no(d, "failInfo, but no FAILURE");
    text = attribute(d, OID_FAIL_TEXT, V_ASN1_UTF8STRING);
    if (text != NULL)
        str_add(&d->r->text, ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
    return read_nonces(d);
}

/* ---- the outer message ---- */

static bool verify(struct reading *d)
{
    STACK_OF(X509) *only = need(sk_X509_new_null());
    ASN1_OCTET_STRING **content = CMS_get0_content(d->cms);
    BIO *empty = content != NULL && *content != NULL ? NULL : need(BIO_new_mem_buf("", 0));
    BIO *out = need(BIO_new(BIO_s_mem()));
    bool good;

    sk_X509_push(only, d->want->signer);
    good = CMS_verify(d->cms, only, NULL, empty, out,
               CMS_NO_SIGNER_CERT_VERIFY | CMS_NOINTERN | CMS_BINARY)
           == 1;
    sk_X509_free(only);
    BIO_free(empty);
    BIO_free(out);
    return good || no(d, "the signature is wrong, or not the RA's");
}

static bool read_outer(struct reading *d, const struct str *der)
{
    const unsigned char *p = (const unsigned char *)str_text(der);
    STACK_OF(CMS_SignerInfo) * signers;
    X509_ALGOR *digest = NULL, *signature = NULL;

    if (!der_strict(der))
        return no(d, "the reply is not DER");
    d->cms = d2i_CMS_ContentInfo(NULL, &p, (long)der->len);
    if (d->cms == NULL || OBJ_obj2nid(CMS_get0_type(d->cms)) != NID_pkcs7_signed)
        return no(d, "the reply is no SignedData");
    if (OBJ_obj2nid(CMS_get0_eContentType(d->cms)) != NID_pkcs7_data)
        return no(d, "its content is not id-data");
    signers = CMS_get0_SignerInfos(d->cms);
    if (sk_CMS_SignerInfo_num(signers) != 1)
        return no(d, "it has not one signer");
    d->signer = sk_CMS_SignerInfo_value(signers, 0);
    if (CMS_SignerInfo_cert_cmp(d->signer, d->want->signer) != 0)
        return no(d, "it is not signed by the RA's signing certificate");
    CMS_SignerInfo_get0_algs(d->signer, NULL, NULL, &digest, &signature);
    if (OBJ_obj2nid(signature->algorithm) != NID_rsaEncryption)
        return no(d, "its signature algorithm is not rsaEncryption");
    return verify(d);
}

/* ---- what is inside ---- */

static bool read_certs(struct reading *d)
{
    const unsigned char *p = (const unsigned char *)str_text(&d->r->certs);
    CMS_ContentInfo *inner = NULL;
    STACK_OF(X509) *certs = NULL;
    STACK_OF(X509_CRL) *crls = NULL;
    bool ok = false;

    if (!der_strict(&d->r->certs)
        || (inner = d2i_CMS_ContentInfo(NULL, &p, (long)d->r->certs.len)) == NULL
        || OBJ_obj2nid(CMS_get0_type(inner)) != NID_pkcs7_signed
        || sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(inner)) > 0) {
        no(d, "the envelope does not hold a degenerate SignedData in DER");
        goto done;
    }
    certs = CMS_get1_certs(inner);
    crls = CMS_get1_crls(inner);
    d->r->cert_count = certs == NULL ? 0 : (size_t)sk_X509_num(certs);
    d->r->crl_count = crls == NULL ? 0 : (size_t)sk_X509_CRL_num(crls);
    if (d->r->cert_count > 0) {
        d->r->first = sk_X509_value(certs, 0);
        X509_up_ref(d->r->first);
    }
    ok = d->want->requested == NULL
         || (d->r->first != NULL
             && EVP_PKEY_eq(X509_get0_pubkey(d->r->first), d->want->requested) == 1);
    if (!ok)
        no(d, "the first certificate is not for the requested key");
done:
    sk_X509_pop_free(certs, X509_free);
    sk_X509_CRL_pop_free(crls, X509_CRL_free);
    CMS_ContentInfo_free(inner);
    ERR_clear_error();
    return ok;
}

static bool one_recipient(struct reading *d, CMS_ContentInfo *env)
{
    STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(env);
    CMS_RecipientInfo *r =
        sk_CMS_RecipientInfo_num(all) == 1 ? sk_CMS_RecipientInfo_value(all, 0) : NULL;

    if (r == NULL || CMS_RecipientInfo_type(r) != CMS_RECIPINFO_TRANS
        || CMS_RecipientInfo_ktri_cert_cmp(r, d->want->recipient) != 0)
        return no(d, "the envelope is not for the request's signer alone");
    return true;
}

static bool open_envelope(struct reading *d, const struct str *der)
{
    const unsigned char *p = (const unsigned char *)str_text(der);
    CMS_ContentInfo *env = d2i_CMS_ContentInfo(NULL, &p, (long)der->len);
    BIO *out = need(BIO_new(BIO_s_mem()));
    char *plain = NULL;
    long len = 0;
    bool ok = false;

    if (env == NULL || !der_strict(der) || OBJ_obj2nid(CMS_get0_type(env)) != NID_pkcs7_enveloped)
        no(d, "the content is no EnvelopedData in DER");
    else if (!one_recipient(d, env))
        ok = false;
    else if (CMS_decrypt(env, d->want->key, d->want->recipient, NULL, out, CMS_BINARY) != 1)
        no(d, "the envelope does not open");
    else
        ok = true;
    if (ok) {
        len = BIO_get_mem_data(out, &plain);
        str_add(&d->r->certs, plain, len > 0 ? (size_t)len : 0);
    }
    BIO_free(out);
    CMS_ContentInfo_free(env);
    ERR_clear_error();
    return ok && read_certs(d);
}

static bool read_content(struct reading *d)
{
    ASN1_OCTET_STRING **at = CMS_get0_content(d->cms), *content = at == NULL ? NULL : *at;
    size_t len = content == NULL ? 0 : (size_t)ASN1_STRING_length(content);
    struct str der = { 0 };
    bool ok;

    if (d->r->status != STATUS_SUCCESS) {
        d->r->ndes_content = len == 1 && ASN1_STRING_get0_data(content)[0] == 0;
        return len == 0 || d->r->ndes_content || no(d, "a content, but no SUCCESS");
    }
    if (len == 0)
        return no(d, "SUCCESS without a content");
    str_add(&der, ASN1_STRING_get0_data(content), len);
    ok = open_envelope(d, &der);
    str_free(&der);
    return ok;
}

bool certrep_read(
    const struct str *der, const struct certrep_want *want, struct certrep *r, struct str *why)
{
    struct reading d = { .want = want, .r = r, .why = why };
    bool ok;

    *r = (struct certrep){ .status = -1, .fail = NO_FAIL };
    ok = read_outer(&d, der) && read_attributes(&d) && read_content(&d);
    CMS_ContentInfo_free(d.cms);
    ERR_clear_error();
    return ok;
}

void certrep_free(struct certrep *r)
{
    str_free(&r->text);
    str_free(&r->certs);
    X509_free(r->first);
}
