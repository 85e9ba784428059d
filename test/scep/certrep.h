#ifndef SCEP_CERTREP_H
#define SCEP_CERTREP_H
#include <openssl/cms.h>
#include <openssl/x509.h>
#include "test/scep/der.h"

/*
 * certrep.h - a CertRep, read with OpenSSL's CMS calls and held against everything that any client is known
 * to insist on.
 */
enum { STATUS_SUCCESS = 0, STATUS_FAILURE = 2, STATUS_PENDING = 3 };
enum { NO_FAIL = -1 };

struct certrep_want {
    X509 *signer; /* the RA's, from GetCACert */
    const char *transaction;
    const unsigned char *nonce; /* that we sent; NULL: none */
    size_t nonce_len;
    X509 *recipient;     /* the request's signer */
    EVP_PKEY *key;       /* and its key */
    EVP_PKEY *requested; /* the request's public key; NULL: not a request for a certificate */
};

struct certrep {
    int status, fail;
    struct str text; /* failInfoText, or empty */
    unsigned char sender_nonce[64];
    size_t sender_nonce_len;
    X509 *first;      /* on success: the first certificate */
    struct str certs; /* on success: the degenerate SignedData inside */
    size_t cert_count, crl_count;
    bool ndes_content; /* a failure with the one byte 00 */
};

/* certrep_read - false: `why` says which rule is broken.  *r is to be freed in any case. */
bool certrep_read(
    const struct str *der, const struct certrep_want *want, struct certrep *r, struct str *why);
void certrep_free(struct certrep *r);
#endif
