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
    struct str tls_trust;                          /* PEM: issuers of client certificates */
    struct str ca_login;                           /* "user:password" of both CA faces */
    struct str bearer;                             /* token of the cloud */
    X509 *intune_app;                              /* with --scep: registered for the connector */
    struct str intune_secret;                      /* the same client's other credential */
    X509 *cloud_ca;                                /* with --sign-in: issues to connectors */
    EVP_PKEY *cloud_key;
    X509 *login_app; /* registered for SIGNIN_APP */
    struct str login_secret, bootstrap;
};

/* setup_open - from DIR, or made and written there.  false: `why` */
bool setup_open(const char *dir, bool ca_rsa, struct setup *s, char why[DIR_WHY]);
void setup_done(struct setup *s);
/* setup_scep - what only --scep needs: the client of the Intune services, a pair of RA certificates. */
bool setup_scep(const char *dir, struct setup *s, char why[DIR_WHY]);

/* setup_signin - what only --sign-in needs: the cloud's CA, the client that is no person, a bootstrap token. */
bool setup_signin(const char *dir, struct setup *s, char why[DIR_WHY]);

/* For setup_signin.c: files as setup_open has them. */
bool setup_put_pair(
    const char *dir, const char *name, X509 *cert, EVP_PKEY *key, char why[DIR_WHY]);
bool setup_put_random(const char *dir, const char *name, const char *before, char why[DIR_WHY]);
bool setup_get_pem(
    const char *dir, const char *name, X509 **cert, EVP_PKEY **key, char why[DIR_WHY]);
bool setup_get_line(const char *dir, const char *name, struct str *out, char why[DIR_WHY]);

/* A certificate of our own making (setup_cert.c). */
struct cert_plan {
    const char *cn, *o;
    EVP_PKEY *key;
    X509 *issuer; /* NULL: self-signed */
    EVP_PKEY *issuer_key;
    int days; /* and an hour before now */
    struct {
        int nid;
        const char *value; /* in the words of OpenSSL's configuration files */
    } extension[6];
};
X509 *cert_make(const struct cert_plan *plan);
/* cert_make_for - from now on, for life_s instead of the plan's days; negative: it ended that long ago */
X509 *cert_make_for(const struct cert_plan *plan, int64_t life_s);
void random_serial(X509 *x); /* 16 bytes, positive, never shorter */
#endif
