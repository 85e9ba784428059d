/* The CA of the simulated world, with an AD CS and an EST face.  OpenSSL only; nothing of certs/. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "test/sim/world.h"
#include "test/sim/world_keys.h"

enum { DAYS_90 = 90 * 86400, YEARS_5 = 5 * 365 * 86400 };

/* ---- issuing ---------------------------------------------------------------------------------------------------- */

static struct world_request *request_of(struct world *w, X509_REQ *csr)
{
    char cn[64] = "";

    (void)X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(csr), NID_commonName, cn, sizeof cn);
    for (size_t i = 0; i < w->request_count; i++)
        if (strcmp(w->requests[i].name, cn) == 0)
            return &w->requests[i];
    return NULL;
}

static void spki_of(X509_REQ *csr, uint8_t out[32])
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(csr), &der);

    (void)EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
}

static void remember_key(struct world_request *r, const uint8_t spki[32])
{
    for (size_t i = 0; i < r->spki_count; i++)
        if (memcmp(r->spkis[i], spki, 32) == 0)
            return;
    if (r->spki_count < WORLD_SPKIS)
        memcpy(r->spkis[r->spki_count++], spki, 32);
}

static X509 *make(struct world *w, X509_REQ *csr, int64_t now)
{
    X509 *x = X509_new();
    unsigned char serial[16];
    BIGNUM *bn;
    STACK_OF(X509_EXTENSION) *ext = X509_REQ_get_extensions(csr);
    X509_NAME *name = X509_NAME_dup(X509_REQ_get_subject_name(csr));
    EVP_PKEY *other = w->mood == CA_WRONG_KEY ? EVP_EC_gen("P-256") : NULL;

    (void)RAND_bytes(serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40);
    bn = BN_bin2bn(serial, sizeof serial, NULL);
    (void)BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x));
    BN_free(bn);
    if (w->mood == CA_WRONG_NAME)
        (void)X509_NAME_add_entry_by_txt(
            name, "OU", MBSTRING_UTF8, (const unsigned char *)"Evil", -1, -1, 0);
    (void)X509_set_version(x, 2);
    (void)X509_set_issuer_name(x, X509_get_subject_name(world_keys.issuing));
    (void)X509_set_subject_name(x, name);
    (void)X509_set_pubkey(x, other != NULL ? other : X509_REQ_get0_pubkey(csr));
    (void)ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(now - 60));
    (void)ASN1_TIME_set(
        X509_getm_notAfter(x), (time_t)(now + (w->mood == CA_LONG_LIFE ? YEARS_5 : DAYS_90)));
    for (int i = 0; i < sk_X509_EXTENSION_num(ext); i++)
        (void)X509_add_ext(x, sk_X509_EXTENSION_value(ext, i), -1);
    (void)X509_sign(x, world_keys.issuing_key, EVP_sha256());
    sk_X509_EXTENSION_pop_free(ext, X509_EXTENSION_free);
    X509_NAME_free(name);
    EVP_PKEY_free(other);
    return x;
}

static struct world_cert *issue(struct world *w, X509_REQ *csr, struct world_request *r)
{
    struct world_cert *c = &w->certs[w->cert_count];
    X509 *x = make(w, csr, sim_world_s());
    unsigned char *der = NULL;
    int len = i2d_X509(x, &der);
    BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *hex = BN_bn2hex(bn);

    if (w->cert_count == WORLD_CERTS)
        abort();
    w->cert_count++;
    c->request = r;
    c->wrong = w->mood == CA_WRONG_KEY || w->mood == CA_WRONG_NAME || w->mood == CA_LONG_LIFE;
    (void)snprintf(c->serial, sizeof c->serial, "%s", hex);
    spki_of(csr, c->spki);
    c->der = (struct buf)BUF_INIT(65536);
    buf_add(&c->der, der, (size_t)len);
    r->issued++;
    OPENSSL_free(hex);
    BN_free(bn);
    OPENSSL_free(der);
    X509_free(x);
    return c;
}

/* A certs-only SignedData with the issuing CA's certificate, and a leaf if there is one. */
static void certs_only(struct view leaf, struct buf *out)
{
    PKCS7 *p = PKCS7_new();
    const unsigned char *in = leaf.p;
    X509 *x = leaf.len > 0 ? d2i_X509(NULL, &in, (long)leaf.len) : NULL;
    unsigned char *der = NULL;
    int len;

    (void)PKCS7_set_type(p, NID_pkcs7_signed);
    (void)PKCS7_content_new(p, NID_pkcs7_data);
    ASN1_TYPE_free(p->d.sign->contents->d.other); /* no content */
    p->d.sign->contents->d.other = NULL;
    if (x != NULL)
        (void)PKCS7_add_certificate(p, x);
    else
        (void)PKCS7_add_certificate(p, world_keys.issuing);
    len = i2d_PKCS7(p, &der);
    buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
    X509_free(x);
    PKCS7_free(p);
}

/* ---- AD CS -------------------------------------------------------------------------------------------------------- */

static void adcs_page(struct world *w, size_t id, struct sim_answer *out)
{
    static const char head[] =
        "<html><head><title>Microsoft Active Directory Certificate Services</title></head><body>";

    if (w->mood == CA_DENIES || w->mood == CA_NO_TEMPLATE)
        world_page(out, 200, "text/html",
            "%s<P ID=locDenied>Denied</P><P ID=locInfoReqIDandReason>Your Request Id is %zu. The "
            "disposition message is "
            "\"Denied by Policy Module  0x%s, refused.\n\".</P></body></html>",
            head, id, w->mood == CA_DENIES ? "80094012" : "80094800");
    else if (w->mood == CA_PENDS)
        world_page(out, 200, "text/html",
            "%s<P ID=locInfoNewReq>received</P><P ID=locInfoReqID>Your Request Id is "
            "%zu.</P></body></html>",
            head, id);
    else
        world_page(out, 200, "text/html",
            "%s<P ID=locPageTitle>Certificate Issued</P><P ID=locInfo>ok</P><A "
            "HREF=\"certnew.cer?ReqID=%zu&amp;Enc=bin\">"
            "get</A><A HREF=\"certnew.cer?ReqID=CACert&amp;Enc=bin\">ca</A></body></html>",
            head, id);
}

/* The newest one for the key it was last asked for; none yet: NULL */
static const struct world_cert *newest(const struct world *w, const struct world_request *r)
{
    uint8_t spki[32];

    if (r->csr == NULL)
        return NULL;
    spki_of(r->csr, spki);
    for (size_t i = w->cert_count; i > 0; i--)
        if (w->certs[i - 1].request == r && memcmp(w->certs[i - 1].spki, spki, 32) == 0)
            return &w->certs[i - 1];
    return NULL;
}

/* Request ids are the place in the list of requests, plus 100. */
static void adcs_fetch(struct world *w, const char *query, bool chain, struct sim_answer *out)
{
    size_t id = 0;
    struct world_request *r;
    const struct world_cert *c;

    if (sscanf(query, "ReqID=%zu", &id) != 1 || id < 100 || id - 100 >= w->request_count) {
        world_page(out, 404, "text/html", "no");
        return;
    }
    r = &w->requests[id - 100];
    if (chain) {
        out->status = 200;
        out->type = "application/x-pkcs7-certificates";
        certs_only((struct view){ 0 }, &out->body);
        return;
    }
    c = newest(w, r);
    if (c == NULL && w->mood == CA_PENDS && ++r->polls < w->pend_polls) {
        world_page(out, 200, "text/html",
            "<html><body><P ID=locPageTitle>Error</P><DL><DT ID=locDispLabel>Disposition:<DD>5 - "
            "(unknown)<DT "
            "ID=locDispMsgLabel>Disposition message:<DD>\t\tTaken Under "
            "Submission\r\n</DL></body></html>");
        return;
    }
    if (c == NULL && w->mood == CA_PENDS && r->csr != NULL) /* approved meanwhile */
        c = issue(w, r->csr, r);
    if (c != NULL) {
        out->status = 200;
        out->type = "application/pkix-cert";
        buf_add_view(&out->body, buf_view(&c->der));
        return;
    }
    world_page(out, 200, "text/html",
        "<html><body><DL><DT ID=locLastStatLabel>LastStatus:<DD>\t\t0x80094004 "
        "(-2146877436)\r\n</DL></body></html>");
}

/* The CSR out of the form: percent-decoded, PEM armour dropped. */
static X509_REQ *csr_from_form(struct view body)
{
    char *text = calloc(1, body.len + 1), *to = text, *begin;
    X509_REQ *csr = NULL;
    BIO *b;

    for (size_t i = 0; i < body.len; i++) {
        unsigned byte;

        if (body.p[i] == '%' && i + 2 < body.len
            && sscanf((const char *)body.p + i + 1, "%2x", &byte) == 1) {
            *to++ = (char)byte;
            i += 2;
        } else {
            *to++ = (char)body.p[i];
        }
    }
    if ((begin = strstr(text, "-----BEGIN")) != NULL) {
        b = BIO_new_mem_buf(begin, (int)(to - begin));
        csr = PEM_read_bio_X509_REQ(b, NULL, NULL, NULL);
        BIO_free(b);
    }
    free(text);
    return csr;
}

/* ---- EST ---------------------------------------------------------------------------------------------------------- */

static X509_REQ *csr_from_base64(struct view body)
{
    BIO *m = BIO_new_mem_buf(body.p, (int)body.len), *f = BIO_new(BIO_f_base64());
    X509_REQ *csr = d2i_X509_REQ_bio(BIO_push(f, m), NULL);

    BIO_free_all(f);
    return csr;
}

static void base64_page(struct view der, struct sim_answer *out)
{
    char *text = calloc(1, der.len * 2 + 8);

    (void)EVP_EncodeBlock((unsigned char *)text, der.p, (int)der.len);
    world_page(out, 200, "application/pkcs7-mime; smime-type=certs-only", "%s\r\n", text);
    free(text);
}

static void est_enroll(
    struct world *w, struct world_request *r, X509_REQ *csr, struct sim_answer *out)
{
    struct buf cms = BUF_INIT(65536);

    if (w->mood == CA_DENIES || w->mood == CA_NO_TEMPLATE) {
        world_page(out, 400, "text/plain", "not allowed");
    } else if (w->mood == CA_PENDS && r->issued == 0 && r->polls++ < w->pend_polls) {
        world_page(out, 202, "text/plain", "later");
        out->retry_after_s = 600;
    } else {
        certs_only(buf_view(&issue(w, csr, r)->der), &cms);
        base64_page(buf_view(&cms), out);
    }
    buf_free(&cms);
}

/* ---- both ---------------------------------------------------------------------------------------------------------- */

static void submit(struct world *w, X509_REQ *csr, bool est, struct sim_answer *out)
{
    struct world_request *r = csr != NULL ? request_of(w, csr) : NULL;
    uint8_t spki[32];

    if (r == NULL || X509_REQ_verify(csr, X509_REQ_get0_pubkey(csr)) != 1) {
        world_page(out, 400, "text/plain", "not a request");
        return;
    }
    spki_of(csr, spki);
    remember_key(r, spki);
    X509_REQ_free(r->csr);
    r->csr = X509_REQ_dup(csr);
    r->submitted++;
    if (est) {
        est_enroll(w, r, csr, out);
        return;
    }
    /* Issues again for every submission, as the real one does; what pends is issued when approved. */
    if (w->mood != CA_DENIES && w->mood != CA_NO_TEMPLATE && w->mood != CA_PENDS)
        (void)issue(w, csr, r);
    adcs_page(w, (size_t)(r - w->requests) + 100, out);
}

bool world_ca(
    struct world *w, const char *method, const char *path, struct view body, struct sim_answer *out)
{
    static const char certsrv[] = "/certsrv/", est[] = "/.well-known/est/";
    struct buf cms = BUF_INIT(65536);
    X509_REQ *csr;

    if (strncmp(path, certsrv, sizeof certsrv - 1) == 0) {
        const char *page = path + sizeof certsrv - 1;

        if (strncmp(page, "certnew.cer?", 12) == 0 || strncmp(page, "certnew.p7b?", 12) == 0) {
            adcs_fetch(w, page + 12, page[8] == 'p', out);
        } else if (strcmp(page, "certfnsh.asp") == 0 && strcmp(method, "POST") == 0) {
            csr = csr_from_form(body);
            submit(w, csr, false, out);
            X509_REQ_free(csr);
        } else {
            world_page(out, 404, "text/html", "no");
        }
        return true;
    }
    if (strncmp(path, est, sizeof est - 1) != 0)
        return false;
    if (strstr(path, "/cacerts") != NULL) {
        certs_only((struct view){ 0 }, &cms);
        base64_page(buf_view(&cms), out);
    } else {
        csr = csr_from_base64(body);
        submit(w, csr, true, out);
        X509_REQ_free(csr);
    }
    buf_free(&cms);
    return true;
}
