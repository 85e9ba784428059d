#ifndef SANDBOX_SETUP_H
#define SANDBOX_SETUP_H
#include <openssl/evp.h>
#include <openssl/x509.h>
#include "test/sandbox/dir.h"

/*
 * setup.h - the keys, certificates and passwords of one sandbox: made at its first start, read again
 * at the next.
 */
enum device { DEVICE_RSA, DEVICE_EC, DEVICES };

struct setup {
    X509 *root, *issuing;
    EVP_PKEY *issuing_key;
    X509 *device[DEVICES];
    EVP_PKEY *device_key[DEVICES];
    struct str device_b64[DEVICES];                /* the certificate, as an item carries it */
    struct str tls_ca, tls_server, tls_server_key; /* PEM, for the listener */
    struct str ca_login;                           /* "user:password" of both CA faces */
    struct str bearer;                             /* token of the cloud */
    X509 *intune_app;                              /* with --scep: registered for the connector */
    struct str intune_secret;                      /* the same client's other credential */
};

/* setup_open - from DIR, or made and written there.  false: `why` */
bool setup_open(const char *dir, bool ca_rsa, struct setup *s, char why[DIR_WHY]);
void setup_done(struct setup *s);
/* setup_scep - what only --scep needs: the client of the Intune services, a pair of RA certificates. */
bool setup_scep(const char *dir, struct setup *s, char why[DIR_WHY]);

/* A certificate of our own making (setup_cert.c). */
struct cert_plan {
    const char *cn, *o;
    EVP_PKEY *key;
    X509 *issuer; /* NULL: self-signed */
    EVP_PKEY *issuer_key;
    int days;
    struct {
        int nid;
        const char *value; /* in the words of OpenSSL's configuration files */
    } extension[6];
};
X509 *cert_make(const struct cert_plan *plan);
void random_serial(X509 *x); /* 16 bytes, positive, never shorter */
#endif
