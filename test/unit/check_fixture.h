#ifndef TEST_UNIT_CHECK_FIXTURE_H
#define TEST_UNIT_CHECK_FIXTURE_H
/* check_fixture.h - a request, and a CA that issues exactly what it asks for until a test changes that. */
#include "test/t.h"
#include "test/unit/issue.h"
#include "certs/check.h"
#include "certs/mem.h"

enum { ROOM = 1 << 20, YEAR = 365 * ISSUE_DAY };

#define SID     "S-1-5-21-1-2-3-1105"
#define SID_HEX "532d312d352d32312d312d322d332d31313035"
#define SID_DER "DER:3025a023060a2b060104018237190201a0150413" SID_HEX
#define SID_TAG "tag:microsoft.com,2022-09-14:sid:"

static struct err e;
static struct lib *lib;
static EVP_PKEY *root_key, *sub_key, *leaf_key, *other_key;
static X509 *root, *sub;
static struct template t;
static struct check_policy policy;
static struct buf anchors = BUF_INIT(ROOM), spki = BUF_INIT(ROOM);
static struct issue good;

/* The extensions of the certificate that is right, by place in good.ext. */
enum { KU, EKU, SAN, SID_EXT, NAME, OID, APP, BC, AKI, SKI, CDP, AIA, POLICY, SMIME, EXT_COUNT };
static const struct issue_ext good_ext[EXT_COUNT] = {
    [KU] = { "keyUsage", "critical,digitalSignature,keyEncipherment" },
    [EKU] = { "extendedKeyUsage", "clientAuth,1.3.6.1.4.1.311.20.2.2" },
    [SAN] = { "subjectAltName", "@URI=" SID_TAG SID "|DNS=HOST.contoso.example|IP=192.0.2.1|"
                                "email=ada@CONTOSO.example|"
                                "otherName=1.3.6.1.4.1.311.20.2.3;UTF8:ada@contoso.example" },
    [SID_EXT] = { "1.3.6.1.4.1.311.25.2", SID_DER },
    [NAME] = { "1.3.6.1.4.1.311.20.2", "ASN1:BMPSTRING:contosoUSER" },
    [OID] = { "1.3.6.1.4.1.311.21.7", "DER:300b06032a0304020164020104" },
    [APP] = { "1.3.6.1.4.1.311.21.10", "DER:300c300a06082b06010505070302" },
    [BC] = { "basicConstraints", "critical,CA:FALSE" },
    [AKI] = { "authorityKeyIdentifier", "keyid" },
    [SKI] = { "subjectKeyIdentifier", "hash" },
    [CDP] = { "crlDistributionPoints", "URI:http://crl.example/" },
    [AIA] = { "authorityInfoAccess", "caIssuers;URI:http://ca.example/" },
    [POLICY] = { "certificatePolicies", "1.2.3.4" },
    [SMIME] = { "1.2.840.113549.1.9.15", "DER:300f300d06092a864886f70d010902020080" },
};

static inline int setup(void **state)
{
    (void)state;
    e = (struct err){ 0 };
    t = (struct template){ .key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
        .validity_s = YEAR };
    t.name = xstrdup("ContosoUser");
    t.in_csr_oid = xstrdup("1.2.3.4");
    T_OK(name_add(&t.subject, "CN", "Ada", false, &e));
    T_OK(name_add(&t.subject, "O", "Contoso", false, &e));
    T_OK(template_add_san(&t, SAN_DNS, "host.contoso.example", &e));
    T_OK(template_add_san(&t, SAN_EMAIL, "ada@contoso.example", &e));
    T_OK(template_add_san(&t, SAN_IP, "192.0.2.1", &e));
    T_OK(template_add_san(&t, SAN_UPN, "ada@contoso.example", &e));
    T_OK(template_set_sid(&t, SID, SID_BOTH, &e));
    T_OK(template_add_eku(&t, "1.3.6.1.4.1.311.20.2.2", &e));
    T_OK(template_add_eku(&t, "1.3.6.1.5.5.7.3.2", &e));
    policy =
        (struct check_policy){ .anchors = buf_view(&anchors), .now = ISSUE_NOW, .skew_s = 300 };
    good = (struct issue){ .subject = "CN=Ada/O=Contoso",
        .key = leaf_key,
        .issuer = sub,
        .issuer_key = sub_key,
        .begin = ISSUE_NOW - 600,
        .end = ISSUE_NOW - 600 + YEAR };
    memcpy(good.ext, good_ext, sizeof good_ext);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    template_free(&t);
    return 0;
}

/* Issue what `good` has become and check it; an extension whose value was set to NULL is left out. */
static inline int check_with(X509 *const *uppers)
{
    struct buf chain = BUF_INIT(ROOM);
    struct issue s = good;
    size_t n = 0;
    X509 *x;
    int rc;

    memset(s.ext, 0, sizeof s.ext);
    for (size_t i = 0; i < ISSUE_EXT_MAX; i++)
        if (good.ext[i].value != NULL)
            s.ext[n++] = good.ext[i];
    x = issue(&s);
    issue_der(x, &chain);
    X509_free(x);
    for (; *uppers != NULL; uppers++)
        issue_der(*uppers, &chain);
    rc = check_issued(lib, &t, buf_view(&spki), buf_view(&chain), &policy, &e);
    buf_free(&chain);
    return rc;
}
#define UPPERS(...) ((X509 *const[]){ __VA_ARGS__, NULL })

static inline int check(void)
{
    return check_with(UPPERS(sub));
}

static inline int start(void)
{
    if ((lib = lib_new(&e)) == NULL)
        return -1;
    root_key = issue_key("P-256");
    sub_key = issue_key("P-256");
    leaf_key = issue_key("P-256");
    other_key = issue_key("P-256");
    root = issue_ca("CN=Root", root_key, NULL, NULL);
    sub = issue_ca("CN=Sub", sub_key, root, root_key);
    issue_der(root, &anchors);
    issue_spki(leaf_key, &spki);
    return 0;
}

static inline void stop(void)
{
    X509_free(root);
    X509_free(sub);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(sub_key);
    EVP_PKEY_free(leaf_key);
    EVP_PKEY_free(other_key);
    buf_free(&anchors);
    buf_free(&spki);
    lib_free(lib);
}
#endif
