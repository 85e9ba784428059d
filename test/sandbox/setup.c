/* see setup.h; issuing-ca.key is written last, so that its presence means the set is whole */
#include "test/sandbox/setup.h"
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define LAST "issuing-ca.key"

static const char *const device_name[DEVICES] = { "device-rsa", "device-ec" };

static bool put_pem(const char *dir, const char *name, X509 *cert, EVP_PKEY *key, char why[DIR_WHY])
{
    BIO *b = need(BIO_new(BIO_s_mem()));
    struct str pem = { 0 };
    char *p = NULL;
    long len;
    bool ok;

    ok = cert != NULL ? PEM_write_bio_X509(b, cert) == 1
                      : PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) == 1;
    len = BIO_get_mem_data(b, &p);
    str_add(&pem, p, ok && len > 0 ? (size_t)len : 0);
    ok = ok && dir_write(dir, name, &pem, cert != NULL ? 0644 : 0600, why);
    str_free(&pem);
    BIO_free(b);
    return ok;
}

bool setup_put_pair(const char *dir, const char *name, X509 *cert, EVP_PKEY *key, char why[DIR_WHY])
{
    char file[64];

    snprintf(file, sizeof file, "%s.pem", name);
    if (!put_pem(dir, file, cert, NULL, why))
        return false;
    snprintf(file, sizeof file, "%s.key", name);
    return put_pem(dir, file, NULL, key, why);
}

bool setup_put_random(const char *dir, const char *name, const char *before, char why[DIR_WHY])
{
    unsigned char bytes[24];
    struct str s = { 0 };
    bool ok;

    need(RAND_bytes(bytes, sizeof bytes) == 1 ? bytes : NULL);
    str_puts(&s, before);
    str_hex(&s, bytes, sizeof bytes, false);
    str_puts(&s, "\n");
    ok = dir_write(dir, name, &s, 0600, why);
    str_free(&s);
    return ok;
}

static bool make_tls(const char *dir, EVP_PKEY *device_key[DEVICES], char why[DIR_WHY])
{
    EVP_PKEY *key[3] = { EVP_EC_gen("P-256"), EVP_EC_gen("P-256"), EVP_EC_gen("P-256") };
    X509 *ca = cert_make(&(struct cert_plan){ "certferry sandbox TLS root", "Sandbox", key[0], NULL,
        NULL, 3650,
        { { NID_basic_constraints, "critical,CA:TRUE" }, { NID_key_usage, "critical,keyCertSign" },
            { NID_subject_key_identifier, "hash" } } });
    X509 *server = cert_make(&(struct cert_plan){ "localhost", "Sandbox", key[1], ca, key[0], 3650,
        { { NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1" },
            { NID_ext_key_usage, "serverAuth" }, { NID_key_usage, "critical,digitalSignature" },
            { NID_authority_key_identifier, "keyid" } } });
    X509 *client =
        cert_make(&(struct cert_plan){ "certferry connector", "Sandbox", key[2], ca, key[0], 3650,
            { { NID_ext_key_usage, "clientAuth" }, { NID_key_usage, "critical,digitalSignature" },
                { NID_authority_key_identifier, "keyid" } } });
    X509 *rsa =
        cert_make(&(struct cert_plan){ "LAPTOP-RSA", "Sandbox devices", device_key[DEVICE_RSA], ca,
            key[0], 3650, { { NID_key_usage, "critical,keyEncipherment" } } });
    X509 *ec = cert_make(&(struct cert_plan){ "LAPTOP-EC", "Sandbox devices", device_key[DEVICE_EC],
        ca, key[0], 3650, { { NID_key_usage, "critical,keyAgreement" } } });
    bool ok = ca != NULL && server != NULL && client != NULL && rsa != NULL && ec != NULL;

    if (!ok)
        snprintf(why, DIR_WHY, "cannot make the TLS certificates");
    ok = ok && put_pem(dir, "tls-ca.pem", ca, NULL, why)
         && setup_put_pair(dir, "tls-server", server, key[1], why)
         && setup_put_pair(dir, "connector", client, key[2], why)
         && setup_put_pair(dir, device_name[DEVICE_RSA], rsa, device_key[DEVICE_RSA], why)
         && setup_put_pair(dir, device_name[DEVICE_EC], ec, device_key[DEVICE_EC], why);
    for (int i = 0; i < 3; i++)
        EVP_PKEY_free(key[i]);
    X509_free(ca);
    X509_free(server);
    X509_free(client);
    X509_free(rsa);
    X509_free(ec);
    return ok;
}

static EVP_PKEY *ca_key(bool rsa)
{
    return rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
}

static bool make_ca(const char *dir, bool rsa, char why[DIR_WHY])
{
    EVP_PKEY *root_key = ca_key(rsa), *issuing_key = ca_key(rsa);
    X509 *root = cert_make(
        &(struct cert_plan){ "Contoso Sandbox Root CA", "Contoso", root_key, NULL, NULL, 7300,
            { { NID_basic_constraints, "critical,CA:TRUE" },
                { NID_key_usage, "critical,keyCertSign,cRLSign" },
                { NID_subject_key_identifier, "hash" } } });
    X509 *issuing = cert_make(&(struct cert_plan){ "Contoso Issuing CA 1", "Contoso", issuing_key,
        root, root_key, 3650,
        { { NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
            { NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature" },
            { NID_subject_key_identifier, "hash" }, { NID_authority_key_identifier, "keyid" } } });
    bool ok = root != NULL && issuing != NULL;

    if (!ok)
        snprintf(why, DIR_WHY, "cannot make the issuing certificates");
    ok = ok && put_pem(dir, "root-ca.pem", root, NULL, why)
         && setup_put_pair(dir, "issuing-ca", issuing, issuing_key, why);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(issuing_key);
    X509_free(root);
    X509_free(issuing);
    return ok;
}

static bool make_all(const char *dir, bool ca_rsa, char why[DIR_WHY])
{
    EVP_PKEY *device[DEVICES] = { EVP_RSA_gen(2048), EVP_EC_gen("P-256") };
    bool ok = device[DEVICE_RSA] != NULL && device[DEVICE_EC] != NULL;

    if (!ok)
        snprintf(why, DIR_WHY, "cannot make the device keys");
    ok = ok && make_tls(dir, device, why)
         && setup_put_random(dir, "ca-password.txt", "certferry:", why)
         && setup_put_random(dir, "bearer-token.txt", "", why) && make_ca(dir, ca_rsa, why);
    for (int i = 0; i < DEVICES; i++)
        EVP_PKEY_free(device[i]);
    return ok;
}

bool setup_get_pem(
    const char *dir, const char *name, X509 **cert, EVP_PKEY **key, char why[DIR_WHY])
{
    struct str pem = { 0 };
    BIO *b = NULL;
    bool ok = dir_read(dir, name, &pem, why);

    if (ok) {
        b = need(BIO_new_mem_buf(pem.p, (int)pem.len));
        if (cert != NULL)
            ok = (*cert = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL;
        else
            ok = (*key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL)) != NULL;
        if (!ok)
            snprintf(why, DIR_WHY, "%s/%s: not readable as PEM", dir, name);
    }
    BIO_free(b);
    str_free(&pem);
    return ok;
}

bool setup_get_line(const char *dir, const char *name, struct str *out, char why[DIR_WHY])
{
    if (!dir_read(dir, name, out, why))
        return false;
    str_cut(out, strcspn(out->p, "\r\n"));
    if (out->len > 0)
        return true;
    snprintf(why, DIR_WHY, "%s/%s: empty", dir, name);
    return false;
}

static bool get_device(const char *dir, struct setup *s, enum device d, char why[DIR_WHY])
{
    char file[64];
    unsigned char *der = NULL;
    int len;

    snprintf(file, sizeof file, "%s.pem", device_name[d]);
    if (!setup_get_pem(dir, file, &s->device[d], NULL, why))
        return false;
    snprintf(file, sizeof file, "%s.key", device_name[d]);
    if (!setup_get_pem(dir, file, NULL, &s->device_key[d], why))
        return false;
    len = i2d_X509(s->device[d], &der);
    need(der);
    str_b64(&s->device_b64[d], der, (size_t)len);
    OPENSSL_free(der);
    return true;
}

/* The connector's pair is not for us, but without it certferry.conf would name what is not there. */
static bool has_connector(const char *dir, char why[DIR_WHY])
{
    X509 *cert = NULL;
    EVP_PKEY *key = NULL;
    bool ok = setup_get_pem(dir, "connector.pem", &cert, NULL, why)
              && setup_get_pem(dir, "connector.key", NULL, &key, why);

    X509_free(cert);
    EVP_PKEY_free(key);
    return ok;
}

bool setup_open(const char *dir, bool ca_rsa, struct setup *s, char why[DIR_WHY])
{
    *s = (struct setup){ 0 };
    if (!dir_has(dir, LAST) && !make_all(dir, ca_rsa, why))
        return false;
    return setup_get_pem(dir, "root-ca.pem", &s->root, NULL, why)
           && setup_get_pem(dir, "issuing-ca.pem", &s->issuing, NULL, why)
           && setup_get_pem(dir, LAST, NULL, &s->issuing_key, why)
           && get_device(dir, s, DEVICE_RSA, why) && get_device(dir, s, DEVICE_EC, why)
           && dir_read(dir, "tls-ca.pem", &s->tls_ca, why)
           && dir_read(dir, "tls-server.pem", &s->tls_server, why)
           && dir_read(dir, "tls-server.key", &s->tls_server_key, why)
           && setup_get_line(dir, "ca-password.txt", &s->ca_login, why)
           && setup_get_line(dir, "bearer-token.txt", &s->bearer, why) && has_connector(dir, why)
           && dir_read(dir, "tls-ca.pem", &s->tls_trust, why);
}

/* RA certificates as NDES has them: one that signs, one that is encrypted to, both of the CA. */
static bool make_ra(const char *dir, struct setup *s, char why[DIR_WHY])
{
    EVP_PKEY *key[2] = { EVP_RSA_gen(2048), EVP_RSA_gen(2048) };
    static const char *const usage[2] = { "critical,digitalSignature", "critical,keyEncipherment" };
    static const char *const name[2] = { "scep-sign", "scep-encrypt" };
    bool ok = true;

    for (int i = 0; ok && i < 2; i++) {
        X509 *x = cert_make(&(struct cert_plan){ "CONNECTOR-MSCEP-RA", "Contoso", key[i],
            s->issuing, s->issuing_key, 730,
            { { NID_key_usage, usage[i] }, { NID_ext_key_usage, "1.3.6.1.4.1.311.20.2.1" },
                { NID_subject_key_identifier, "hash" },
                { NID_authority_key_identifier, "keyid" } } });

        ok = x != NULL && setup_put_pair(dir, name[i], x, key[i], why);
        X509_free(x);
    }
    EVP_PKEY_free(key[0]);
    EVP_PKEY_free(key[1]);
    return ok;
}

static bool make_client(const char *dir, char why[DIR_WHY])
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *x = cert_make(&(struct cert_plan){ "certferry connector", "Sandbox", key, NULL, NULL, 730,
        { { NID_key_usage, "critical,digitalSignature" } } });
    bool ok = x != NULL && setup_put_pair(dir, "intune-app", x, key, why)
              && setup_put_random(dir, "intune-secret.txt", "", why);

    X509_free(x);
    EVP_PKEY_free(key);
    return ok;
}

bool setup_scep(const char *dir, struct setup *s, char why[DIR_WHY])
{
    snprintf(why, DIR_WHY, "cannot make the SCEP certificates");
    return (dir_has(dir, "intune-secret.txt") || (make_ra(dir, s, why) && make_client(dir, why)))
           && setup_get_pem(dir, "intune-app.pem", &s->intune_app, NULL, why)
           && setup_get_line(dir, "intune-secret.txt", &s->intune_secret, why);
}

void setup_done(struct setup *s)
{
    X509_free(s->root);
    X509_free(s->issuing);
    EVP_PKEY_free(s->issuing_key);
    for (int i = 0; i < DEVICES; i++) {
        X509_free(s->device[i]);
        EVP_PKEY_free(s->device_key[i]);
        str_free(&s->device_b64[i]);
    }
    str_free(&s->tls_ca);
    str_free(&s->tls_server);
    str_free(&s->tls_server_key);
    str_free(&s->ca_login);
    str_free(&s->bearer);
    X509_free(s->intune_app);
    str_free(&s->intune_secret);
    str_free(&s->tls_trust);
    X509_free(s->cloud_ca);
    EVP_PKEY_free(s->cloud_key);
    X509_free(s->login_app);
    str_free(&s->login_secret);
    str_free(&s->bootstrap);
    *s = (struct setup){ 0 };
}
