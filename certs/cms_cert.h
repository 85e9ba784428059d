#ifndef CERTS_CMS_CERT_H
#define CERTS_CMS_CERT_H
#include "certs/der.h"

/*
 * cms_cert.h - a stranger's certificate, read only for what a CMS message needs of it: who signed this, with
 * which key, and to whom do we answer?
 *
 * The first certificate of a device is one it made itself, and looks it: certmonger's has a serial number of
 * 32 bytes, which cert_parse refuses.  Here the parts that are used must be well formed; version, validity,
 * names and the other extensions are not looked at.  What this says of a certificate is good for finding it and
 * for its key, never for trusting it.  Threads: pure.
 */
struct cms_cert {
    struct view issuer; /* DER Name */
    struct der serial;  /* INTEGER as it stands there: of any length, negative ones as well */
    struct view spki;
    struct view key_usage; /* value of the extension; empty = absent */
    struct view ski;       /* the key identifier's bytes; empty = absent */
};

/* cms_cert_read - views into `der`.  fails ERR_PROTO: not the DER of a certificate, trailing bytes, key usage or
 * key identifier twice */
int cms_cert_read(struct view der, struct cms_cert *c, struct err *e) MUST;

/*
 * cms_cert_is - is it the one that a message names?
 *
 * issuer   DER Name, compared as name_equal does; with serial, the content of an INTEGER
 * key_id   if it is not empty it alone counts
 */
bool cms_cert_is(
    const struct cms_cert *c, struct view issuer, struct view serial, struct view key_id);
#endif
