/* see issue.h */
#include "test/sandbox/issue.h"
#include <openssl/x509v3.h>
#include <string.h>

#define OID_ARC "1.3.6.1.4.1.311.21.8.1234567.7654321.1.2.3."

static const struct ca_template templates[] = {
    { "ContosoUser", OID_ARC "1", 100, 4, ISSUES },
    { "WiFiUser", OID_ARC "2", 100, 7, ISSUES },
    { "ContosoComputer", NULL, 0, 0, ISSUES },
    { "ManualUser", OID_ARC "4", 101, 0, WAITS },
    { "DeniedUser", OID_ARC "5", 100, 0, DENIES },
    { "EnrollmentAgentOffline", NULL, 0, 0, ISSUES },
    { "CEPEncryption", NULL, 0, 0, ISSUES },
};

static const char v1_oid[] = "1.3.6.1.4.1.311.20.2", v2_oid[] = "1.3.6.1.4.1.311.21.7";

const struct ca_template *template_find(const char *name)
{
    for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) {
        if (strcmp(templates[i].name, name) == 0)
            return &templates[i];
    }
    return NULL;
}

const struct ca_template *template_at(size_t n)
{
    return n < sizeof templates / sizeof templates[0] ? &templates[n] : NULL;
}

void issuer_open(struct issuer *i, const struct setup *s)
{
    X509V3_CTX ctx;

    i->cert = s->issuing;
    i->key = s->issuing_key;
    X509V3_set_ctx(&ctx, s->issuing, NULL, NULL, NULL, 0);
    i->key_id = need(X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always"));
}

void issuer_done(struct issuer *i)
{
    X509_EXTENSION_free(i->key_id);
}

static ASN1_OCTET_STRING *octets(const unsigned char *bytes, size_t len)
{
    ASN1_OCTET_STRING *o = need(ASN1_OCTET_STRING_new());

    need(ASN1_OCTET_STRING_set(o, bytes, (int)len) == 1 ? o : NULL);
    return o;
}

static X509_EXTENSION *extension_of(const char *oid, const unsigned char *value, size_t len)
{
    ASN1_OBJECT *object = need(OBJ_txt2obj(oid, 1));
    ASN1_OCTET_STRING *o = octets(value, len);
    X509_EXTENSION *e = need(X509_EXTENSION_create_by_OBJ(NULL, object, 0, o));

    ASN1_OCTET_STRING_free(o);
    ASN1_OBJECT_free(object);
    return e;
}

/* 20.2: a BMPString; all our names are ASCII and short. */
static X509_EXTENSION *v1_extension(const struct ca_template *t)
{
    unsigned char der[2 + 2 * 40] = { 0x1e };
    size_t len = strlen(t->name);

    der[1] = (unsigned char)(2 * len);
    for (size_t i = 0; i < len; i++)
        der[3 + 2 * i] = (unsigned char)t->name[i];
    return extension_of(v1_oid, der, 2 + 2 * len);
}

/* 21.7: SEQUENCE { OID, INTEGER major, INTEGER minor }; both numbers are below 128. */
static X509_EXTENSION *v2_extension(const struct ca_template *t)
{
    ASN1_OBJECT *object = need(OBJ_txt2obj(t->oid, 1));
    unsigned char der[64] = { 0x30 }, *p = der + 2;

    i2d_ASN1_OBJECT(object, &p);
    ASN1_OBJECT_free(object);
    memcpy(p, (unsigned char[]){ 2, 1, (unsigned char)t->major, 2, 1, (unsigned char)t->minor }, 6);
    p += 6;
    der[1] = (unsigned char)(p - der - 2);
    return extension_of(v2_oid, der, (size_t)(p - der));
}

static X509_EXTENSION *template_extension(const struct ca_template *t)
{
    return t->oid == NULL ? v1_extension(t) : v2_extension(t);
}

/* Parts that only the CA may say, whatever the request says about them. */
static bool is_ours(const X509_EXTENSION *e)
{
    char oid[64];
    ASN1_OBJECT *o = X509_EXTENSION_get_object((X509_EXTENSION *)e);
    int nid = OBJ_obj2nid(o);

    if (nid == NID_basic_constraints || nid == NID_subject_key_identifier
        || nid == NID_authority_key_identifier)
        return true;
    OBJ_obj2txt(oid, sizeof oid, o, 1);
    return strcmp(oid, v1_oid) == 0 || strcmp(oid, v2_oid) == 0;
}

static bool copy_extensions(X509 *x, X509_REQ *req)
{
    STACK_OF(X509_EXTENSION) *asked = X509_REQ_get_extensions(req);
    bool ok = true;

    for (int i = 0; ok && i < sk_X509_EXTENSION_num(asked); i++) {
        X509_EXTENSION *e = sk_X509_EXTENSION_value(asked, i);

        ok = is_ours(e) || X509_add_ext(x, e, -1) == 1;
    }
    sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
    return ok;
}

/* What the template says where the request says nothing, as a real template does. */
static bool template_usage(X509 *x)
{
    X509_EXTENSION *e;
    bool ok;

    if (X509_get_ext_by_NID(x, NID_ext_key_usage, -1) >= 0)
        return true;
    e = need(X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "clientAuth"));
    ok = X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    return ok;
}

static bool subject_key_id(X509 *x)
{
    unsigned char sha1[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    ASN1_OCTET_STRING *o;
    bool ok;

    if (X509_pubkey_digest(x, EVP_sha1(), sha1, &len) != 1)
        return false;
    o = octets(sha1, len);
    ok = X509_add1_ext_i2d(x, NID_subject_key_identifier, o, 0, X509V3_ADD_APPEND) == 1;
    ASN1_OCTET_STRING_free(o);
    return ok;
}

/* The key's bytes as they are: decoding and encoding them again would cost more than the signature. */
static bool copy_key(X509 *x, X509_REQ *req)
{
    const unsigned char *bits;
    const void *param;
    X509_ALGOR *alg;
    const ASN1_OBJECT *oid;
    ASN1_OBJECT *oid_copy;
    void *param_copy = NULL;
    unsigned char *bits_copy;
    int len, type;

    if (X509_PUBKEY_get0_param(NULL, &bits, &len, &alg, X509_REQ_get_X509_PUBKEY(req)) != 1)
        return false;
    X509_ALGOR_get0(&oid, &type, &param, alg);
    if (type == V_ASN1_OBJECT)
        param_copy = need(OBJ_dup(param));
    else if (type != V_ASN1_UNDEF && type != V_ASN1_NULL)
        param_copy = need(ASN1_STRING_dup(param));
    oid_copy = need(OBJ_dup(oid));
    bits_copy = need(OPENSSL_memdup(bits, (size_t)len));
    return X509_PUBKEY_set0_param(
               X509_get_X509_PUBKEY(x), oid_copy, type, param_copy, bits_copy, len)
           == 1;
}

static bool fill(X509 *x, const struct issuer *i, const struct issue_plan *p)
{
    int64_t from = wall_s() - 60;
    X509_EXTENSION *t;
    bool ok;

    random_serial(x);
    ok = X509_set_version(x, X509_VERSION_3) == 1
         && X509_set_subject_name(x, X509_REQ_get_subject_name(p->req)) == 1
         && X509_set_issuer_name(x, X509_get_subject_name(i->cert)) == 1 && copy_key(x, p->req)
         && ASN1_TIME_set(X509_getm_notBefore(x), from) != NULL
         && ASN1_TIME_set(X509_getm_notAfter(x), from + p->validity_s) != NULL
         && copy_extensions(x, p->req) && template_usage(x) && subject_key_id(x)
         && X509_add_ext(x, i->key_id, -1) == 1;
    if (ok && p->name_template) {
        t = template_extension(p->template);
        ok = X509_add_ext(x, t, -1) == 1;
        X509_EXTENSION_free(t);
    }
    return ok;
}

X509 *issue(const struct issuer *i, const struct issue_plan *p)
{
    X509 *x = need(X509_new());
    EVP_PKEY *signer = i->key;
    bool ok;

    EVP_PKEY_up_ref(signer);
    ok = fill(x, i, p)
         && (p->twist == NULL || !twist_wanted(p->twist) || twist(x, p->twist, &signer))
         && X509_sign(x, signer, EVP_sha256()) > 0;
    EVP_PKEY_free(signer);
    if (ok)
        return x;
    X509_free(x);
    return NULL;
}

/* The value of the extension named by dotted OID, NULL if the request has none. */
static const ASN1_OCTET_STRING *request_extension(STACK_OF(X509_EXTENSION) * all, const char *oid)
{
    ASN1_OBJECT *o = need(OBJ_txt2obj(oid, 1));
    int at = X509v3_get_ext_by_OBJ(all, o, -1);

    ASN1_OBJECT_free(o);
    return at < 0 ? NULL : X509_EXTENSION_get_data(X509v3_get_ext(all, at));
}

static bool same_value(const ASN1_OCTET_STRING *have, const struct ca_template *t)
{
    X509_EXTENSION *want = template_extension(t);
    bool same = ASN1_OCTET_STRING_cmp(have, X509_EXTENSION_get_data(want)) == 0;

    X509_EXTENSION_free(want);
    return same;
}

bool template_agrees(X509_REQ *req, const struct ca_template *t)
{
    STACK_OF(X509_EXTENSION) *all = X509_REQ_get_extensions(req);
    const ASN1_OCTET_STRING *v1 = request_extension(all, v1_oid),
                            *v2 = request_extension(all, v2_oid);
    struct ca_template named_by_v1 = { t->name, NULL, 0, 0, ISSUES };
    bool ok = (v1 == NULL || same_value(v1, &named_by_v1))
              && (v2 == NULL || (t->oid != NULL && same_value(v2, t)));

    sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
    return ok;
}

const struct ca_template *template_in_request(X509_REQ *req)
{
    for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) {
        STACK_OF(X509_EXTENSION) *all = X509_REQ_get_extensions(req);
        bool named =
            request_extension(all, v1_oid) != NULL || request_extension(all, v2_oid) != NULL;

        sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
        if (named && template_agrees(req, &templates[i]))
            return &templates[i];
    }
    return NULL;
}
