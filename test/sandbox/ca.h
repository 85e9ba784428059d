#ifndef SANDBOX_CA_H
#define SANDBOX_CA_H
#include "test/sandbox/issue.h"
#include "test/sandbox/map.h"

/*
 * ca.h - the CA's book: every request it got, under a number, with what became of it.
 *
 * Both faces write into it.  It repeats nothing of its own accord: the same request twice is two
 * certificates, unless the face (EST, while pending) asks for the entry it has.
 */
enum face { FACE_ADCS, FACE_EST };
const char *face_name(enum face f); /* "adcs", "est" */

enum ca_state { CA_PENDING = 1, CA_ISSUED, CA_DENIED };

enum { SHA256_LEN = 32, SERIAL_HEX = 42 };

struct ca_entry {
    unsigned id;
    enum face face;
    enum ca_state state;
    char *cn;
    const struct ca_template *template;
    unsigned char csr_sha256[SHA256_LEN], spki_sha256[SHA256_LEN];
    X509_REQ *req; /* while pending */
    int64_t validity_s;
    int64_t polls_left; /* while pending; -1: until approved */
    struct hit *hit;    /* faults that go into the certificate, whenever it is issued; or NULL */
    bool waited;        /* was pending once */
    struct str cert;    /* DER, when issued */
    char serial[SERIAL_HEX];
    bool delivered;   /* a device got it, says the cloud */
    uint32_t hresult; /* when denied */
    char message[120];
};

struct ca {
    struct issuer issuer;
    struct ledger *ledger;
    struct ca_entry **entry;
    size_t count, cap;
    struct map by_serial; /* upper hex */
    struct map by_csr;    /* SHA-256: the last entry with that request */
    int64_t manual_polls; /* -1: until approved */
};
void ca_open(struct ca *c, const struct setup *s, struct ledger *l, int64_t manual_polls);
void ca_done(struct ca *c);

/* What one face received. */
struct ca_request {
    enum face face;
    const struct str *csr; /* DER */
    const char *template;  /* "" = none named */
    int64_t validity_s;    /* 0: the template's own, 90 days */
    const struct hit *hit;
};

/* ca_cn - the subject's common name, for faults that match it; "" if there is none or no request. */
void ca_cn(const struct str *csr, char *out, size_t room);

/* ca_submit - a new entry, already issued, pending or denied.  NULL: not a request, or its signature
 * is wrong; `why` says which */
struct ca_entry *ca_submit(struct ca *c, const struct ca_request *r, const char **why);

/* ca_poll - somebody asks for a pending entry: counts, and issues when it is time. */
void ca_poll(struct ca *c, struct ca_entry *e);
/* ca_approve - entries with this cn, this id, or all; returns how many. */
size_t ca_approve(struct ca *c, const char *cn, int64_t id, bool all);

struct ca_entry *ca_by_id(const struct ca *c, const char *decimal);
struct ca_entry *ca_by_csr(const struct ca *c, const struct str *csr);
struct ca_entry *ca_by_serial(const struct ca *c, const char *upper_hex);

/* ca_fit - a certificate as it was asked for, or one that a connector must refuse? */
bool ca_fit(const struct ca_entry *e);

void sha256(const void *bytes, size_t len, unsigned char out[SHA256_LEN]);
void serial_hex(const X509 *x, char out[SERIAL_HEX]); /* upper, no leading zeros */

/* ca_pkcs7 - DER certs-only message: the leaf (NULL: none), and the path above it if `chain`. */
void ca_pkcs7(const struct setup *s, const struct str *leaf, bool chain, struct str *out);
#endif
