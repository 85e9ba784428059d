/*
 * Devices of the simulated world that speak SCEP.  OpenSSL's CMS only; nothing of certs/ or proto/.
 *
 * A device makes its key and request once, asks, and asks again with the same message until it has a certificate or
 * a refusal; when it has one it asks once more, and must get the same.
 */
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "test/sim/world.h"
#include "test/sim/world_keys.h"

enum { AGAIN_S = 90 };

static struct {
    EVP_PKEY *ra_key, *key[WORLD_REQUESTS];
    X509 *ra, *self[WORLD_REQUESTS];
    struct buf message[WORLD_REQUESTS]; /* made once: the same bytes every time */
    char name[WORLD_REQUESTS][64];
} d;

static void extension(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    (void)X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static X509 *certificate(const char *cn, EVP_PKEY *key, X509 *issuer, EVP_PKEY *signer, long serial)
{
    X509 *x = X509_new();
    X509_NAME *n = X509_get_subject_name(x);

    (void)X509_set_version(x, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
    (void)X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
    (void)X509_set_issuer_name(x, issuer != NULL ? X509_get_subject_name(issuer) : n);
    (void)X509_set_pubkey(x, key);
    (void)ASN1_TIME_set_string_X509(X509_getm_notBefore(x), "20200101000000Z");
    (void)ASN1_TIME_set_string_X509(X509_getm_notAfter(x), "20600101000000Z");
    extension(x, NID_key_usage, "critical,digitalSignature,keyEncipherment");
    (void)X509_sign(x, signer, EVP_sha256());
    return x;
}

int world_device_open(const char *dir, struct err *e)
{
    char path[4096];
    FILE *f;

    d.ra_key = EVP_RSA_gen(2048);
    d.ra = certificate("Sim RA", d.ra_key, world_keys.root, world_keys.root_key, 7);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, i == 0 ? "ra.pem" : "ra.key");
        if ((f = fopen(path, "w")) == NULL)
            return err_set(e, ERR_STORE, "%s", path);
        if (i == 0)
            (void)PEM_write_X509(f, d.ra);
        else
            (void)PEM_write_PKCS8PrivateKey(f, d.ra_key, NULL, NULL, 0, NULL, NULL);
        (void)fclose(f);
        (void)chmod(path, 0600);
    }
    return 0;
}

static void forget(size_t i)
{
    EVP_PKEY_free(d.key[i]);
    X509_free(d.self[i]);
    buf_free(&d.message[i]);
    d.key[i] = NULL;
    d.self[i] = NULL;
    d.name[i][0] = '\0';
}

void world_device_close(void)
{
    for (size_t i = 0; i < WORLD_REQUESTS; i++)
        forget(i);
    EVP_PKEY_free(d.ra_key);
    X509_free(d.ra);
}

/* ---- the message ---------------------------------------------------------------------------------------------------- */

static BIO *request(const struct world_request *r, EVP_PKEY *key)
{
    X509_REQ *q = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *ext = sk_X509_EXTENSION_new_null();
    BIO *out = BIO_new(BIO_s_mem());

    (void)X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(q), "CN", MBSTRING_UTF8,
        (const unsigned char *)r->name, -1, -1, 0);
    (void)X509_REQ_set_pubkey(q, key);
    sk_X509_EXTENSION_push(
        ext, X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "digitalSignature,keyEncipherment"));
    sk_X509_EXTENSION_push(ext, X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "clientAuth"));
    (void)X509_REQ_add_extensions(q, ext);
    (void)X509_REQ_add1_attr_by_NID(
        q, NID_pkcs9_challengePassword, MBSTRING_ASC, (const unsigned char *)r->challenge, -1);
    (void)X509_REQ_sign(q, key, EVP_sha256());
    (void)i2d_X509_REQ_bio(out, q);
    sk_X509_EXTENSION_pop_free(ext, X509_EXTENSION_free);
    X509_REQ_free(q);
    return out;
}

static void attribute(CMS_SignerInfo *s, const char *oid, int type, const char *value, int len)
{
    ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);

    (void)CMS_signed_add1_attr_by_OBJ(s, o, type, value, len);
    ASN1_OBJECT_free(o);
}

static void make_message(size_t i, const struct world_request *r)
{
    STACK_OF(X509) *to = sk_X509_new_null();
    BIO *csr, *inner = BIO_new(BIO_s_mem());
    CMS_ContentInfo *envelope, *outer;
    CMS_SignerInfo *s;
    unsigned char *der = NULL;
    int len;

    forget(i);
    (void)snprintf(d.name[i], sizeof d.name[i], "%s", r->name);
    d.key[i] = EVP_RSA_gen(2048);
    d.self[i] = certificate(r->name, d.key[i], NULL, d.key[i], 1);
    d.message[i] = (struct buf)BUF_INIT(65536);
    csr = request(r, d.key[i]);
    (void)sk_X509_push(to, d.ra);
    envelope = CMS_encrypt(to, csr, EVP_aes_128_cbc(), CMS_BINARY);
    (void)i2d_CMS_bio(inner, envelope);
    outer = CMS_sign(NULL, NULL, NULL, inner, CMS_PARTIAL | CMS_BINARY);
    s = CMS_add1_signer(
        outer, d.self[i], d.key[i], EVP_sha256(), CMS_PARTIAL | CMS_NOSMIMECAP | CMS_BINARY);
    attribute(s, "2.16.840.1.113733.1.9.2", V_ASN1_PRINTABLESTRING, "19", 2);
    attribute(s, "2.16.840.1.113733.1.9.7", V_ASN1_PRINTABLESTRING, r->name, (int)strlen(r->name));
    attribute(s, "2.16.840.1.113733.1.9.5", V_ASN1_OCTET_STRING, "0123456789abcdef", 16);
    if (CMS_final(outer, inner, NULL, CMS_BINARY) != 1)
        abort();
    len = i2d_CMS_ContentInfo(outer, &der);
    buf_add(&d.message[i], der, (size_t)len);
    OPENSSL_free(der);
    CMS_ContentInfo_free(outer);
    CMS_ContentInfo_free(envelope);
    BIO_free(csr);
    BIO_free(inner);
    sk_X509_free(to);
}

/* ---- the answer ------------------------------------------------------------------------------------------------------ */

static void trouble(struct world_request *r, const char *what)
{
    (void)snprintf(r->trouble, sizeof r->trouble, "%s", what);
    r->done = true;
}

/* The first certificate inside, as a device takes it. */
static X509 *first_inside(struct world_request *r, size_t i, BIO *envelope)
{
    CMS_ContentInfo *e = d2i_CMS_bio(envelope, NULL), *inside;
    BIO *plain = BIO_new(BIO_s_mem());
    STACK_OF(X509) * all;
    X509 *x = NULL;

    if (e == NULL || CMS_decrypt(e, d.key[i], d.self[i], NULL, plain, 0) != 1) {
        trouble(r, "the envelope of the answer does not open");
    } else if ((inside = d2i_CMS_bio(plain, NULL)) != NULL) {
        if ((all = CMS_get1_certs(inside)) != NULL && sk_X509_num(all) == 1)
            X509_up_ref(x = sk_X509_value(all, 0));
        sk_X509_pop_free(all, X509_free);
        CMS_ContentInfo_free(inside);
    }
    BIO_free(plain);
    CMS_ContentInfo_free(e);
    return x;
}

static struct world_cert *known(struct world *w, X509 *x)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x, &der);
    struct world_cert *found = NULL;

    for (size_t i = 0; i < w->cert_count; i++)
        if (w->certs[i].der.len == (size_t)len && memcmp(w->certs[i].der.p, der, (size_t)len) == 0)
            found = &w->certs[i];
    OPENSSL_free(der);
    return found;
}

static void take_certificate(struct world *w, struct world_request *r, size_t i, BIO *envelope)
{
    X509 *x = first_inside(r, i, envelope);
    struct world_cert *c = x != NULL ? known(w, x) : NULL;

    if (c == NULL || c->request != r || c->wrong)
        trouble(r, "the certificate is none that was issued for it");
    else if (strcmp(r->noted, c->serial) != 0)
        trouble(r, "released before the cloud was told");
    else if (r->succeeded && strcmp(r->serial, c->serial) != 0)
        trouble(r, "the second answer has another certificate");
    else if (!r->succeeded) {
        r->succeeded = true;
        (void)snprintf(r->serial, sizeof r->serial, "%s", c->serial);
        r->ask_at = io_wall_s() + 1; /* and once more */
    } else {
        r->replayed = r->done = true;
    }
    X509_free(x);
}

static int status_of(CMS_ContentInfo *m)
{
    CMS_SignerInfo *s = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(m), 0);
    ASN1_OBJECT *o = OBJ_txt2obj("2.16.840.1.113733.1.9.3", 1);
    const ASN1_STRING *v = CMS_signed_get0_data_by_OBJ(s, o, -3, V_ASN1_PRINTABLESTRING);
    int status = v != NULL && ASN1_STRING_length(v) == 1 ? ASN1_STRING_get0_data(v)[0] - '0' : -1;

    ASN1_OBJECT_free(o);
    return status;
}

struct asking {
    struct world *w;
    struct world_request *r;
};
static struct asking asking[WORLD_REQUESTS];

static void on_answer(void *arg, const struct http1_answer *a)
{
    struct asking *q = arg;
    struct world_request *r = q->r;
    size_t i = (size_t)(r - q->w->requests);
    BIO *in, *content = BIO_new(BIO_s_mem()), *none = BIO_new_mem_buf("", 0);
    CMS_ContentInfo *m = NULL;
    STACK_OF(X509) *ra = sk_X509_new_null();

    r->asking = NULL;
    r->ask_at = io_wall_s() + AGAIN_S;
    (void)sk_X509_push(ra, d.ra);
    if (a != NULL && a->status == 200) {
        in = BIO_new_mem_buf(a->body.p, (int)a->body.len);
        m = d2i_CMS_bio(in, NULL);
        BIO_free(in);
        if (m == NULL
            || CMS_verify(m, ra, NULL, CMS_is_detached(m) ? none : NULL, content,
                   CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY)
                   != 1)
            trouble(r, "an answer that the RA has not signed");
        else if (status_of(m) == 0)
            take_certificate(q->w, r, i, content);
        else if (status_of(m) == 2 && r->succeeded)
            trouble(r, "asked again it is refused");
        else if (status_of(m) == 2)
            r->done = true;
    }
    CMS_ContentInfo_free(m);
    BIO_free(content);
    BIO_free(none);
    sk_X509_free(ra);
}

void world_device(struct world *w)
{
    for (size_t i = 0; i < w->request_count; i++) {
        struct world_request *r = &w->requests[i];
        struct http1_request q = { .method = "POST",
            .path = view_text("/certsrv/mscep/mscep.dll"),
            .query = view_text("operation=PKIOperation"),
            .authorization = "",
            .forwarded_for = "",
            .user_agent = "sim" };
        char path[64];

        if (!r->scep || r->done || r->asking != NULL || io_wall_s() < r->ask_at)
            continue;
        if (strcmp(d.name[i], r->name) != 0)
            make_message(i, r);
        (void)snprintf(path, sizeof path, "/%s/mscep.dll", r->ca);
        q.path = view_text(path);
        q.body = buf_view(&d.message[i]);
        asking[i] = (struct asking){ w, r };
        r->ask_at = io_wall_s() + AGAIN_S;
        r->asking = sim_ask("devices", &q, "192.0.2.7", on_answer, &asking[i]);
    }
}
