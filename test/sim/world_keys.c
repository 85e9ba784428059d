/* see world_keys.h and world.h: keys, files, and what the device does with a result. */
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "test/sim/world.h"
#include "test/sim/world_keys.h"

struct world_keys world_keys;
static struct buf device_der = BUF_INIT(65536);

static void add(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    if ((e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value)) == NULL)
        abort();
    (void)X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static X509 *certificate(
    const char *cn, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, bool ca, long serial)
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
    add(x, issuer != NULL ? issuer : x, NID_basic_constraints,
        ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add(x, issuer != NULL ? issuer : x, NID_key_usage,
        ca ? "critical,keyCertSign,cRLSign" : "critical,keyEncipherment,keyAgreement");
    (void)X509_sign(x, issuer_key, EVP_sha256());
    return x;
}

int world_open(const char *dir, struct err *e)
{
    struct world_keys *k = &world_keys;
    unsigned char *der = NULL;
    char path[4096];
    FILE *f;
    int len;

    k->root_key = EVP_EC_gen("P-256");
    k->issuing_key = EVP_EC_gen("P-256");
    k->device_key = EVP_EC_gen("P-256");
    k->root = certificate("Sim Root", k->root_key, NULL, k->root_key, true, 1);
    k->issuing = certificate("Sim Issuing CA", k->issuing_key, k->root, k->root_key, true, 2);
    k->device = certificate("device", k->device_key, k->root, k->root_key, false, 3);
    len = i2d_X509(k->device, &der);
    buf_add(&device_der, der, (size_t)len);
    OPENSSL_free(der);
    (void)snprintf(path, sizeof path, "%s/root.pem", dir);
    if ((f = fopen(path, "w")) == NULL)
        return err_set(e, ERR_STORE, "%s", path);
    (void)PEM_write_X509(f, k->root);
    return fclose(f) == 0 ? world_device_open(dir, e) : err_set(e, ERR_STORE, "%s", path);
}

void world_close(void)
{
    struct world_keys *k = &world_keys;

    X509_free(k->root);
    X509_free(k->issuing);
    X509_free(k->device);
    EVP_PKEY_free(k->root_key);
    EVP_PKEY_free(k->issuing_key);
    EVP_PKEY_free(k->device_key);
    world_device_close();
    buf_free(&device_der);
}

struct view world_device_certificate(void)
{
    return buf_view(&device_der);
}

void world_reset(struct world *w)
{
    for (size_t i = 0; i < w->cert_count; i++)
        buf_free(&w->certs[i].der);
    memset(w->certs, 0, sizeof w->certs);
    w->cert_count = w->calls = w->certs_then = 0;
    w->highest = w->twin_next_at = w->restored_at = 0;
    w->past = PAST_NONE;
    w->stepped = false;
    w->restarts_left = w->restarts;
    for (size_t i = 0; i < w->request_count; i++) {
        struct world_request *r = &w->requests[i], fresh = { .malformed = r->malformed,
            .expect_success = r->expect_success };

        X509_REQ_free(r->csr);
        memcpy(fresh.id, r->id, sizeof fresh.id);
        memcpy(fresh.name, r->name, sizeof fresh.name);
        memcpy(fresh.ca, r->ca, sizeof fresh.ca);
        memcpy(fresh.template_name, r->template_name, sizeof fresh.template_name);
        memcpy(fresh.key, r->key, sizeof fresh.key);
        memcpy(fresh.expect_code, r->expect_code, sizeof fresh.expect_code);
        memcpy(fresh.challenge, r->challenge, sizeof fresh.challenge);
        fresh.scep = r->scep;
        fresh.either = r->either;
        *r = fresh;
    }
}

void world_page(struct sim_answer *out, int status, const char *type, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    out->status = status;
    out->type = type;
    buf_reset(&out->body);
    buf_add(&out->body, text, (size_t)n);
    free(text);
}

void world_answer(
    struct world *w, const char *method, const char *url, struct view body, struct sim_answer *out)
{
    static const char cloud[] = "https://cloud.sim", ca[] = "https://ca.sim";

    w->calls++;
    if (strncmp(url, cloud, sizeof cloud - 1) == 0
        && world_cloud(w, url + sizeof cloud - 1, body, out))
        return;
    if (strncmp(url, ca, sizeof ca - 1) == 0 && world_ca(w, method, url + sizeof ca - 1, body, out))
        return;
    (void)fprintf(stderr, "nobody answers %s\n", url);
    abort();
}

/* ---- the device ---------------------------------------------------------------------------------------------------- */

static char *decrypt(struct view cms)
{
    const unsigned char *in = cms.p;
    CMS_ContentInfo *c = d2i_CMS_ContentInfo(NULL, &in, (long)cms.len);
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL, *data;
    long n;

    if (c != NULL && CMS_decrypt(c, world_keys.device_key, world_keys.device, NULL, out, 0) == 1) {
        n = BIO_get_mem_data(out, &data);
        text = calloc(1, (size_t)n + 1);
        memcpy(text, data, (size_t)n);
    }
    BIO_free(out);
    CMS_ContentInfo_free(c);
    return text;
}

static struct world_cert *certificate_known(struct world *w, X509 *x)
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

const char *world_unwrap(
    struct world *w, struct world_request *r, struct view password_cms, struct view pfx)
{
    const unsigned char *in = pfx.p;
    PKCS12 *p12 = d2i_PKCS12(NULL, &in, (long)pfx.len);
    char *password = decrypt(password_cms);
    EVP_PKEY *key = NULL;
    X509 *x = NULL;
    STACK_OF(X509) *chain = NULL;
    struct world_cert *c;
    const char *wrong = NULL;

    if (password == NULL)
        wrong = "the password does not decrypt";
    else if (p12 == NULL || PKCS12_parse(p12, password, &key, &x, &chain) != 1)
        wrong = "the PKCS#12 does not open";
    else if (X509_check_private_key(x, key) != 1)
        wrong = "key and certificate do not belong together";
    else if ((c = certificate_known(w, x)) == NULL)
        wrong = "the certificate was never issued";
    else if (c->request != r || c->wrong)
        wrong = "the certificate is not what was asked for";
    else if (sk_X509_num(chain) != 1)
        wrong = "the chain is not the issuing CA alone";
    else
        (void)snprintf(r->serial, sizeof r->serial, "%s", c->serial);
    free(password);
    EVP_PKEY_free(key);
    X509_free(x);
    sk_X509_pop_free(chain, X509_free);
    PKCS12_free(p12);
    return wrong;
}
