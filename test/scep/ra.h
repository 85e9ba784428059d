#ifndef SCEP_RA_H
#define SCEP_RA_H
#include <openssl/x509.h>
#include "test/scep/temper.h"

/* ra.h - what a client learns before it asks for anything: GetCACaps and GetCACert. */
struct ra {
    char caps[512];       /* the body */
    X509 *sign, *encrypt; /* of two registration authority certificates; or one that is both */
    STACK_OF(X509) * all;
};
/* ra_fetch - and hold both answers against what clients insist on.  false: `why` */
bool ra_fetch(const struct temper *t, const struct target *to, struct ra *r, struct str *why);
bool ra_offers(const struct ra *r, const char *keyword); /* a whole line, exact case */
void ra_free(struct ra *r);
#endif
