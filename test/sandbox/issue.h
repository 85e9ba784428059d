#ifndef SANDBOX_ISSUE_H
#define SANDBOX_ISSUE_H
#include "test/sandbox/fault.h"
#include "test/sandbox/setup.h"

/*
 * issue.h - a certificate from a request: subject and extensions as asked, key identifiers, a random
 * serial, the template extension, and on purpose whatever a fault wants wrong about it.
 */
struct ca_template {
    const char *name;
    const char
        *oid; /* in extension 1.3.6.1.4.1.311.21.7; NULL: a version 1 template, named by 20.2 */
    int major, minor;
    enum { ISSUES, WAITS, DENIES } rule;
};
const struct ca_template *template_find(const char *name); /* NULL: not offered */
const struct ca_template *template_at(size_t n);           /* NULL: so many there are not */

struct issuer {
    X509 *cert;
    EVP_PKEY *key;
    X509_EXTENSION *key_id; /* authorityKeyIdentifier of everything it issues */
};
void issuer_open(struct issuer *i, const struct setup *s);
void issuer_done(struct issuer *i);

struct issue_plan {
    X509_REQ *req;
    const struct ca_template *template;
    bool name_template; /* the AD CS face adds the template's extension */
    int64_t validity_s;
    const struct hit *twist; /* or NULL */
};
X509 *issue(const struct issuer *i, const struct issue_plan *p); /* NULL: OpenSSL would not */

/* What the request says about its own template; the name of 20.2 (out empty: none), the OID of 21.7 is
 * compared with t.  false: it names another one */
bool template_agrees(X509_REQ *req, const struct ca_template *t);
/* template_in_request - the template named by extension 20.2, or NULL. */
const struct ca_template *template_in_request(X509_REQ *req);

/* twist.c: make it wrong; may replace the signer.  *signer is up-referenced, the caller frees it. */
bool twist(X509 *x, const struct hit *h, EVP_PKEY **signer);
bool twist_wanted(const struct hit *h);
#endif
