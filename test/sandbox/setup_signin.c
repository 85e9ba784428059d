/* see setup.h: what only --sign-in needs; bootstrap-token.txt is written last */
#include "test/sandbox/setup.h"
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdio.h>

#define LAST "bootstrap-token.txt"

static bool make_ca(const char *dir, char why[DIR_WHY])
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = cert_make(&(struct cert_plan){ "Sandbox connectors CA", "Sandbox cloud", key, NULL,
        NULL, 3650,
        { { NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
            { NID_key_usage, "critical,keyCertSign" }, { NID_subject_key_identifier, "hash" } } });
    bool ok = x != NULL && setup_put_pair(dir, "cloud-ca", x, key, why);

    X509_free(x);
    EVP_PKEY_free(key);
    return ok;
}

static bool make_app(const char *dir, char why[DIR_WHY])
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *x = cert_make(&(struct cert_plan){ "certferry automation", "Sandbox", key, NULL, NULL,
        730, { { NID_key_usage, "critical,digitalSignature" } } });
    bool ok = x != NULL && setup_put_pair(dir, "login-app", x, key, why)
              && setup_put_random(dir, "login-secret.txt", "", why)
              && setup_put_random(dir, LAST, "bt.", why);

    X509_free(x);
    EVP_PKEY_free(key);
    return ok;
}

bool setup_signin(const char *dir, struct setup *s, char why[DIR_WHY])
{
    snprintf(why, DIR_WHY, "cannot make the certificates for signing in");
    return (dir_has(dir, LAST) || (make_ca(dir, why) && make_app(dir, why)))
           && setup_get_pem(dir, "cloud-ca.pem", &s->cloud_ca, NULL, why)
           && setup_get_pem(dir, "cloud-ca.key", NULL, &s->cloud_key, why)
           && setup_get_pem(dir, "login-app.pem", &s->login_app, NULL, why)
           && setup_get_line(dir, "login-secret.txt", &s->login_secret, why)
           && setup_get_line(dir, LAST, &s->bootstrap, why)
           && dir_read(dir, "cloud-ca.pem", &s->tls_trust, why);
}
