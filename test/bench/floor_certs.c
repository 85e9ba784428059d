/*
 * see floor.h: the request of the sandbox's load, done with certs/ on one thread.
 *
 * What the agent's cryptography costs without the agent: no store, no network, no JSON, no sealing.  The
 * certificate that is checked and packed is always the same one, for issuing is not our work.
 */
#include "test/bench/floor.h"
#include "certs/check.h"
#include "certs/cms.h"
#include "certs/csr.h"
#include "certs/mem.h"
#include "certs/p12.h"
#include "certs/text.h"
#include <time.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

enum { PART_MAX = 65536, YEAR_S = 365 * 86400 };
enum { DIGITAL_SIGNATURE = 1 << 0 }; /* <openssl/x509v3.h> hides template.h's name of it */

static EVP_PKEY *ca_key, *leaf_key, *device_key;
static X509 *ca, *leaf, *device;
static struct buf ca_der = BUF_INIT(PART_MAX), chain = BUF_INIT(PART_MAX);
static struct buf device_der = BUF_INIT(PART_MAX), spki = BUF_INIT(PART_MAX);
static struct template t;
static struct key *key;
static char password[P12_PASSWORD_LEN + 1];

/* ---- the parts; each throws away what it made ---- */

static int csr(struct lib *l, struct err *e)
{
    struct buf out = BUF_INIT(PART_MAX);
    int rc = csr_build(l, &t, key, &out, e);

    buf_free(&out);
    return rc;
}

static int check(struct lib *l, struct err *e)
{
    const struct check_policy p = {
        .anchors = buf_view(&ca_der), .now = time(NULL), .skew_s = 300
    };

    return check_issued(l, &t, buf_view(&spki), buf_view(&chain), &p, e);
}

static int p12(struct lib *l, struct err *e)
{
    struct p12_spec s = { .profile = P12_MODERN,
        .iterations = P12_ITERATIONS,
        .password = password,
        .pkcs8 = key_pkcs8(key),
        .chain = buf_view(&chain),
        .friendly_name = "Load",
        .provider_name = "Microsoft Software Key Storage Provider" };
    struct buf out = BUF_INIT(PART_MAX), text = BUF_INIT(PART_MAX);
    int rc = p12_password(l, password, e);

    if (rc == 0 && (rc = p12_build(l, &s, &out, e)) == 0) {
        base64_add(&text, buf_view(&out));
        rc = buf_check(&text, e);
    }
    buf_free(&out);
    buf_free(&text);
    return rc;
}

static int cms(struct lib *l, struct err *e)
{
    struct buf out = BUF_INIT(PART_MAX);
    int rc = cms_envelope(l, buf_view(&device_der), CMS_AES256_GCM, CMS_RSA_OAEP_SHA256,
        view_text(password), &out, e);

    buf_free(&out);
    return rc;
}

static int whole(struct lib *l, struct err *e)
{
    struct key *fresh = key_new(l, KEY_P256, KEYGEN_PRIMES, e);

    if (fresh == NULL)
        return -1;
    key_free(key);
    key = fresh;
    return csr(l, e) != 0 || check(l, e) != 0 || p12(l, e) != 0 || cms(l, e) != 0 ? -1 : 0;
}

const struct op floor_certs_ops[] = {
    { "csr", "CSR by certs/, P-256", csr, false },
    { "check", "check of the issued certificate by certs/", check, false },
    { "p12", "PKCS#12 by certs/, base64", p12, false },
    { "cms", "envelope by certs/, AES-256-GCM, RSA-OAEP", cms, false },
    { "p256-certs", "P-256 request by certs/: key, csr, check, p12, cms", whole, false },
    { NULL, NULL, NULL, false },
};

/* ---- certificates ---- */

static bool extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX c;
    X509_EXTENSION *ext;
    bool ok;

    X509V3_set_ctx(&c, issuer, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &c, nid, value);
    ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

/* A certificate over `of`; the CA's own with issuer NULL. */
static X509 *issue(EVP_PKEY *of, const char *cn, X509 *issuer, struct err *e)
{
    X509 *x = X509_new();
    X509_NAME *name = x != NULL ? X509_get_subject_name(x) : NULL;
    bool ok = name != NULL
              && X509_NAME_add_entry_by_txt(
                     name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0)
                     == 1
              && X509_set_issuer_name(x, issuer != NULL ? X509_get_subject_name(issuer) : name) == 1
              && X509_set_version(x, X509_VERSION_3) == 1 && X509_set_pubkey(x, of) == 1
              && ASN1_INTEGER_set(X509_get_serialNumber(x), issuer != NULL ? 2 : 1) == 1
              && X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL
              && X509_gmtime_adj(X509_getm_notAfter(x), YEAR_S) != NULL;

    if (ok && issuer == NULL)
        ok = extend(x, x, NID_basic_constraints, "critical,CA:TRUE")
             && extend(x, x, NID_subject_key_identifier, "hash");
    else if (ok && of == leaf_key)
        ok = extend(x, issuer, NID_key_usage, "critical,digitalSignature")
             && extend(x, issuer, NID_ext_key_usage, "clientAuth")
             && extend(x, issuer, NID_subject_alt_name,
                 "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:load@contoso.example")
             && extend(x, issuer, NID_authority_key_identifier, "keyid");
    if (ok && X509_sign(x, ca_key, EVP_sha256()) > 0)
        return x;
    lib_err(e, cn);
    X509_free(x);
    return NULL;
}

static int add_der(struct buf *out, X509 *x, struct err *e)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x, &der);

    if (len <= 0)
        return lib_err(e, "i2d_X509");
    buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
    return buf_check(out, e);
}

static int add_spki(struct buf *out, EVP_PKEY *of, struct err *e)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(of, &der);

    if (len <= 0)
        return lib_err(e, "i2d_PUBKEY");
    buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
    return buf_check(out, e);
}

static int open_template(struct err *e)
{
    t = (struct template){ .name = xstrdup("ContosoUser"),
        .key = KEY_P256,
        .hash = HASH_SHA256,
        .key_usage = DIGITAL_SIGNATURE };
    if (name_add(&t.subject, "CN", "load-000001", false, e) != 0
        || template_add_san(&t, SAN_UPN, "load@contoso.example", e) != 0)
        return -1;
    return template_add_eku(&t, "1.3.6.1.5.5.7.3.2", e);
}

int floor_certs_open(struct lib *l, struct err *e)
{
    ca_key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    leaf_key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    device_key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    if (ca_key == NULL || leaf_key == NULL || device_key == NULL)
        return lib_err(e, "keys for the floor");
    if ((ca = issue(ca_key, "Bench CA", NULL, e)) == NULL
        || (leaf = issue(leaf_key, "load-000001", ca, e)) == NULL
        || (device = issue(device_key, "device", ca, e)) == NULL
        || (key = key_new(l, KEY_P256, KEYGEN_PRIMES, e)) == NULL)
        return -1;
    if (add_der(&ca_der, ca, e) != 0 || add_der(&chain, leaf, e) != 0 || add_der(&chain, ca, e) != 0
        || add_der(&device_der, device, e) != 0 || add_spki(&spki, leaf_key, e) != 0)
        return -1;
    return open_template(e) == 0 ? p12_password(l, password, e) : -1;
}

void floor_certs_close(void)
{
    key_free(key);
    template_free(&t);
    X509_free(ca);
    X509_free(leaf);
    X509_free(device);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(leaf_key);
    EVP_PKEY_free(device_key);
    buf_free(&ca_der);
    buf_free(&chain);
    buf_free(&device_der);
    buf_free(&spki);
}
