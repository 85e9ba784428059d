/* see ca.h */
#include "test/sandbox/ca.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, FIRST_ID = 100 };

#define DENIED_TEMPLATE 0x80094800u
#define DENIED_ENROLL   0x80094012u
#define DENIED_CONFLICT 0x80094802u

const char *face_name(enum face f)
{
    return f == FACE_EST ? "est" : "adcs";
}

void sha256(const void *bytes, size_t len, unsigned char out[SHA256_LEN])
{
    need(EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL) == 1 ? out : NULL);
}

void serial_hex(const X509 *x, char out[SERIAL_HEX])
{
    struct str s = { 0 };
    const ASN1_INTEGER *n = X509_get0_serialNumber(x);
    const char *from;

    str_hex(&s, ASN1_STRING_get0_data(n), (size_t)ASN1_STRING_length(n), true);
    from = s.p + strspn(s.p, "0");
    copy_n(out, SERIAL_HEX, *from == '\0' ? "0" : from);
    str_free(&s);
}

void ca_open(struct ca *c, const struct setup *s, struct ledger *l, int64_t manual_polls)
{
    *c = (struct ca){ .ledger = l, .manual_polls = manual_polls };
    issuer_open(&c->issuer, s);
}

void ca_done(struct ca *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->entry[i]->cn);
        free(c->entry[i]->hit);
        X509_REQ_free(c->entry[i]->req);
        str_free(&c->entry[i]->cert);
        free(c->entry[i]);
    }
    free(c->entry);
    map_done(&c->by_serial);
    map_done(&c->by_csr);
    issuer_done(&c->issuer);
}

static X509_REQ *read_request(const struct str *csr)
{
    const unsigned char *p = (const unsigned char *)csr->p;
    X509_REQ *req = csr->len == 0 ? NULL : d2i_X509_REQ(NULL, &p, (long)csr->len);

    if (req != NULL && p != (const unsigned char *)csr->p + csr->len) {
        X509_REQ_free(req);
        req = NULL;
    }
    ERR_clear_error();
    return req;
}

static void common_name(X509_REQ *req, char *out, size_t space)
{
    X509_NAME *n = X509_REQ_get_subject_name(req);
    int at = X509_NAME_get_index_by_NID(n, NID_commonName, -1);
    unsigned char *utf8 = NULL;

    out[0] = '\0';
    if (at >= 0
        && ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(n, at))) >= 0)
        copy_n(out, space, (const char *)utf8);
    OPENSSL_free(utf8);
}

void ca_cn(const struct str *csr, char *out, size_t space)
{
    X509_REQ *req = read_request(csr);

    out[0] = '\0';
    if (req != NULL)
        common_name(req, out, space);
    X509_REQ_free(req);
}

static struct ca_entry *new_entry(struct ca *c, const struct ca_request *r, X509_REQ *req)
{
    struct ca_entry *e = need(calloc(1, sizeof *e));
    unsigned char *spki = NULL;
    char cn[256];
    int len;

    if (c->count == c->cap) {
        c->cap = c->cap == 0 ? 256 : 2 * c->cap;
        c->entry = need(realloc(c->entry, c->cap * sizeof *c->entry));
    }
    c->entry[c->count] = e;
    e->id = FIRST_ID + (unsigned)c->count++;
    e->face = r->face;
    e->req = req;
    if (r->hit->set != 0) {
        e->hit = need(malloc(sizeof *e->hit));
        *e->hit = *r->hit;
    }
    e->validity_s = r->validity_s == 0 ? 90 * DAY_S : r->validity_s;
    if (e->validity_s > 365 * DAY_S)
        e->validity_s = 365 * DAY_S;
    common_name(req, cn, sizeof cn);
    e->cn = need_copy(cn);
    sha256(r->csr->p, r->csr->len, e->csr_sha256);
    len = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(req), &spki);
    sha256(need(spki), (size_t)len, e->spki_sha256);
    OPENSSL_free(spki);
    map_put(&c->by_csr, e->csr_sha256, SHA256_LEN, e);
    return e;
}

bool ca_fit(const struct ca_entry *e)
{
    return e->hit == NULL || !twist_wanted(e->hit);
}

static void note(struct ca *c, const char *event, const struct ca_entry *e)
{
    ledger_begin(c->ledger, event);
    ledger_text(c->ledger, "face", face_name(e->face));
    ledger_int(c->ledger, "id", e->id);
    ledger_text(c->ledger, "cn", e->cn);
    if (e->state == CA_ISSUED) {
        ledger_text(c->ledger, "serial", e->serial);
        ledger_hex(c->ledger, "spkiSha256", e->spki_sha256, SHA256_LEN, false);
        ledger_bool(c->ledger, "twisted", !ca_fit(e));
        ledger_text(c->ledger, "template", e->template->name);
    }
    if (e->state == CA_DENIED) {
        char number[16];

        snprintf(number, sizeof number, "0x%08X", e->hresult);
        ledger_text(c->ledger, "hresult", number);
        ledger_text(c->ledger, "message", e->message);
    }
    ledger_end(c->ledger);
}

static void note_received(struct ca *c, const struct ca_entry *e, const char *template)
{
    ledger_begin(c->ledger, "csr-received");
    ledger_text(c->ledger, "face", face_name(e->face));
    ledger_text(c->ledger, "cn", e->cn);
    ledger_text(c->ledger, "template", template);
    ledger_hex(c->ledger, "csrSha256", e->csr_sha256, SHA256_LEN, false);
    ledger_hex(c->ledger, "spkiSha256", e->spki_sha256, SHA256_LEN, false);
    ledger_end(c->ledger);
}

static void deny(struct ca *c, struct ca_entry *e, uint32_t hresult, const char *message)
{
    e->state = CA_DENIED;
    e->hresult = hresult;
    copy_n(e->message, sizeof e->message, message);
    note(c, "denied", e);
}

static void grant(struct ca *c, struct ca_entry *e)
{
    struct issue_plan plan = { e->req, e->template, e->face == FACE_ADCS, e->validity_s, e->hit };
    X509 *x = issue(&c->issuer, &plan);
    unsigned char *der = NULL;
    int len = x == NULL ? -1 : i2d_X509(x, &der);

    if (len <= 0) {
        deny(c, e, 0x80090027, "The request cannot be made into a certificate.");
    } else {
        str_add(&e->cert, der, (size_t)len);
        serial_hex(x, e->serial);
        e->state = CA_ISSUED;
        map_put_text(&c->by_serial, e->serial, e);
        note(c, "issued", e);
    }
    OPENSSL_free(der);
    X509_free(x);
}

static void drop_request(struct ca_entry *e)
{
    X509_REQ_free(e->req);
    e->req = NULL;
}

static void wait_for(struct ca *c, struct ca_entry *e, int64_t polls)
{
    e->state = CA_PENDING;
    e->waited = true;
    e->polls_left = polls;
    note(c, "pending", e);
}

/* What the policy module would say. */
static void decide(struct ca *c, struct ca_entry *e, const struct hit *h)
{
    if (e->template == NULL) {
        deny(c, e, DENIED_TEMPLATE,
            "The request was for a certificate template that is not supported by this policy.");
    } else if (!template_agrees(e->req, e->template)) {
        deny(c, e, DENIED_CONFLICT, "The request names two different certificate templates.");
    } else if (hit_has(h, FAULT_DENY)) {
        deny(c, e, (uint32_t)h->argument[FAULT_DENY], "The policy module says no.");
    } else if (e->template->rule == DENIES) {
        deny(c, e, DENIED_ENROLL,
            "The permissions on the certificate template do not allow the current user to enroll.");
    } else if (hit_has(h, FAULT_PENDING)) {
        wait_for(c, e, h->argument[FAULT_PENDING]);
    } else if (e->template->rule == WAITS) {
        wait_for(c, e, c->manual_polls);
    } else {
        grant(c, e);
    }
}

struct ca_entry *ca_submit(struct ca *c, const struct ca_request *r, const char **why)
{
    X509_REQ *req = read_request(r->csr);
    struct ca_entry *e;

    if (req == NULL) {
        *why = "Error Parsing Request  ASN1 bad tag value met.";
        return NULL;
    }
    if (X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) != 1) {
        ERR_clear_error();
        X509_REQ_free(req);
        *why = "Error Verifying Request Signature or Signing Certificate  Invalid Signature.";
        return NULL;
    }
    e = new_entry(c, r, req);
    e->template = r->template[0] == '\0' ? template_in_request(req) : template_find(r->template);
    note_received(c, e, r->template);
    decide(c, e, r->hit);
    if (e->state != CA_PENDING)
        drop_request(e);
    return e;
}

void ca_poll(struct ca *c, struct ca_entry *e)
{
    if (e->state != CA_PENDING || e->polls_left < 0 || --e->polls_left > 0)
        return;
    grant(c, e);
    drop_request(e);
}

size_t ca_approve(struct ca *c, const char *cn, int64_t id, bool all)
{
    size_t n = 0;

    for (size_t i = 0; i < c->count; i++) {
        struct ca_entry *e = c->entry[i];

        if (e->state != CA_PENDING)
            continue;
        if (!all && !(cn != NULL && strcmp(cn, e->cn) == 0) && !(id == (int64_t)e->id))
            continue;
        note(c, "approved", e);
        grant(c, e);
        drop_request(e);
        n++;
    }
    return n;
}

struct ca_entry *ca_by_id(const struct ca *c, const char *decimal)
{
    char *end;
    unsigned long id = strtoul(decimal, &end, 10);

    if (*decimal < '0' || *decimal > '9' || *end != '\0' || id < FIRST_ID
        || id - FIRST_ID >= c->count)
        return NULL;
    return c->entry[id - FIRST_ID];
}

struct ca_entry *ca_by_csr(const struct ca *c, const struct str *csr)
{
    unsigned char digest[SHA256_LEN];

    sha256(str_text(csr), csr->len, digest);
    return map_get(&c->by_csr, digest, SHA256_LEN);
}

struct ca_entry *ca_by_serial(const struct ca *c, const char *upper_hex)
{
    return map_get_text(&c->by_serial, upper_hex);
}
