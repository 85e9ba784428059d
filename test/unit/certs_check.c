/* check.h: real certificates that differ in one thing from what was asked for, and what is said then. */
#include "test/t.h"
#include "test/unit/issue.h"
#include "certs/check.h"
#include "certs/csr.h"
#include "certs/mem.h"
#include "certs/text.h"

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

static int setup(void **state)
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

static int teardown(void **state)
{
    (void)state;
    template_free(&t);
    return 0;
}

/* Issue what `good` has become and check it; an extension whose value was set to NULL is left out. */
static int check_with(X509 *const *uppers)
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

static int check(void)
{
    return check_with(UPPERS(sub));
}

static void accepts_what_was_asked_for(void **state)
{
    (void)state;
    T_OK(check());
    T_OK(check()); /* anchors and issuer from the cache */
    T_OK(check_with(UPPERS(sub, root)));
    T_OK(check_with(UPPERS(root, sub)));
}

/* Asked for nothing particular: what the CA's template gives is fine, within bounds. */
static void accepts_the_templates_own(void **state)
{
    (void)state;
    while (t.eku_count > 0)
        free(t.ekus[--t.eku_count]);
    t.key_usage = 0;
    t.validity_s = 0;
    free(t.in_csr_oid);
    t.in_csr_oid = NULL;
    good.end = ISSUE_NOW + 20 * (int64_t)YEAR;
    good.ext[EKU].value = "serverAuth,codeSigning";
    good.ext[KU].value = "keyAgreement";
    T_OK(check());
    good.ext[EKU].value = good.ext[KU].value = good.ext[APP].value = good.ext[NAME].value = NULL;
    good.ext[OID].value = good.ext[BC].value = NULL;
    T_OK(check());
}

/* One extension changed (value) or left out (NULL). */
static void one_extension_differs(void **state)
{
    static const struct {
        int at;
        const char *value;
        enum err_class cls;
        const char *says;
    } rows[] = {
        { KU, "critical,digitalSignature", ERR_MISMATCH, "keyUsage: asked for 0x5, got 0x1" },
        { KU, "digitalSignature,keyEncipherment,nonRepudiation", ERR_MISMATCH, "got 0x7" },
        { KU, "digitalSignature,keyEncipherment,keyCertSign", ERR_MISMATCH,
            "may sign certificates" },
        { KU, "digitalSignature,keyEncipherment,cRLSign", ERR_MISMATCH, "may sign certificates" },
        { KU, NULL, ERR_MISMATCH, "keyUsage: asked for 0x5, got 0x0" },
        { KU, "DER:0500", ERR_PROTO, "keyUsage" },
        { EKU, "clientAuth", ERR_MISMATCH,
            "extKeyUsage: asked for 1.3.6.1.4.1.311.20.2.2, it is not among the 1" },
        { EKU, "clientAuth,1.3.6.1.4.1.311.20.2.2,serverAuth", ERR_MISMATCH,
            "extKeyUsage: got 1.3.6.1.5.5.7.3.1, which was not asked for" },
        { EKU, "clientAuth,1.3.6.1.4.1.311.20.2.2,anyExtendedKeyUsage", ERR_MISMATCH,
            "got 2.5.29.37.0" },
        { EKU, "clientAuth,1.3.6.1.4.1.311.20.2.2,1.3.6.1.4.1.311.20.2.1", ERR_MISMATCH,
            "got 1.3.6.1.4.1.311.20.2.1" },
        { EKU, NULL, ERR_MISMATCH, "not among the 0 got" },
        { EKU, "DER:0500", ERR_PROTO, "extKeyUsage" },
        { APP, "DER:300c300a06082b06010505070301", ERR_MISMATCH,
            "application policies: got 1.3.6.1.5.5.7.3.1, which was not asked for" },
        { APP, "DER:300e300c060a2b0601040182370a0c01", ERR_MISMATCH,
            "got 1.3.6.1.4.1.311.10.12.1" },
        { APP, "DER:300e300c060a2b060104018237140201", ERR_MISMATCH, "got 1.3.6.1.4.1.311.20.2.1" },
        { APP, "DER:3003020100", ERR_PROTO, "application policies" },
        { SAN, NULL, ERR_MISMATCH, "it is not among the 0 got" },
        { SAN,
            "@URI=" SID_TAG SID "|DNS=host.contoso.example|IP=192.0.2.1|email=ada@contoso.example",
            ERR_MISMATCH,
            "subjectAltName: asked for \"UPN ada@contoso.example\", it is not among the 4 got" },
        { SAN,
            "@DNS=host.contoso.example|IP=192.0.2.1|email=ada@contoso.example|"
            "otherName=1.3.6.1.4.1.311.20.2.3;UTF8:ada@contoso.example",
            ERR_MISMATCH,
            "asked for \"URI tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-1105\"" },
        { SAN,
            "@URI=" SID_TAG SID "|DNS=host.contoso.example|IP=192.0.2.1|email=ada@contoso.example|"
            "otherName=1.3.6.1.4.1.311.20.2.3;UTF8:ada@contoso.example|DNS=evil.example",
            ERR_MISMATCH,
            "subjectAltName: got \"DNS evil.example\", it is not among the 5 asked for" },
        { SAN,
            "@URI=" SID_TAG SID "|DNS=host.contoso.example|IP=192.0.2.9|email=ada@contoso.example|"
            "otherName=1.3.6.1.4.1.311.20.2.3;UTF8:ada@contoso.example",
            ERR_MISMATCH, "subjectAltName: asked for \"IP 192.0.2.1\", got \"IP 192.0.2.9\"" },
        { SAN,
            "@URI=" SID_TAG SID "|DNS=host.contoso.example|IP=192.0.2.1|email=ADA@contoso.example|"
            "otherName=1.3.6.1.4.1.311.20.2.3;UTF8:ada@contoso.example",
            ERR_MISMATCH,
            "asked for \"e-mail ada@contoso.example\", got \"e-mail ADA@contoso.example\"" },
        { SAN,
            "@URI=" SID_TAG SID "|DNS=host.contoso.example|IP=192.0.2.1|email=ada@contoso.example|"
            "otherName=1.3.6.1.4.1.311.20.2.3;UTF8:eve@contoso.example",
            ERR_MISMATCH,
            "asked for \"UPN ada@contoso.example\", got \"UPN eve@contoso.example\"" },
        { SAN,
            "@URI=" SID_TAG SID "|DNS=host.contoso.example|IP=192.0.2.1|email=ada@contoso.example|"
            "otherName=1.2.3;UTF8:ada@contoso.example",
            ERR_MISMATCH, "got \"otherName 1.2.3\"" },
        { SAN,
            "@URI=" SID_TAG SID "6|DNS=host.contoso.example|IP=192.0.2.1|email=ada@contoso.example|"
            "otherName=1.3.6.1.4.1.311.20.2.3;UTF8:ada@contoso.example",
            ERR_MISMATCH, "S-1-5-21-1-2-3-11056\"" },
        { SAN, "DER:0500", ERR_PROTO, "subjectAltName" },
        { SAN, "DER:3002020100", ERR_PROTO, "subjectAltName" },
        { SID_EXT, NULL, ERR_MISMATCH, "SID extension: asked for S-1-5-21-1-2-3-1105, got none" },
        { SID_EXT,
            "DER:3025a023060a2b060104018237190201a0150413532d312d352d32312d312d322d332d31313036",
            ERR_MISMATCH, "asked for S-1-5-21-1-2-3-1105, got \"S-1-5-21-1-2-3-1106\"" },
        { SID_EXT, "DER:3000", ERR_MISMATCH,
            "SID extension: asked for S-1-5-21-1-2-3-1105, got \"\"" },
        { NAME, "ASN1:BMPSTRING:ContosoAdmin", ERR_MISMATCH,
            "template: asked for \"ContosoUser\", got \"ContosoAdmin\"" },
        { NAME, "ASN1:UTF8:ContosoAdmin", ERR_MISMATCH, "got \"ContosoAdmin\"" },
        { NAME, "DER:30070c0541646d696e", ERR_MISMATCH, "got \"Admin\"" },
        { NAME, "DER:0500", ERR_PROTO, "template name" },
        { NAME, "DER:1e03004100", ERR_PROTO, "template name" },
        { OID, "DER:300b06032a0305020164020104", ERR_MISMATCH,
            "template: asked for 1.2.3.4, got 1.2.3.5" },
        { OID, "DER:0500", ERR_PROTO, "template OID" },
        { BC, "CA:TRUE", ERR_MISMATCH, "asked for no CA" },
        { SMIME, "critical,DER:3000", ERR_MISMATCH, "extension 1.2.840.113549.1.9.15: critical" },
        { SID_EXT, "critical," SID_DER, ERR_MISMATCH, "extension 1.3.6.1.4.1.311.25.2: critical" },
        { APP, "critical,DER:300c300a06082b06010505070302", ERR_MISMATCH,
            "1.3.6.1.4.1.311.21.10: critical" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        good.ext[rows[i].at].value = rows[i].value;
        T_ERR_SAYS(check(), rows[i].cls, rows[i].says);
        assert_memory_equal(e.msg, "issued certificate: ", 20);
        teardown(state);
        setup(state);
    }
    T_OK(check());
}

static void nothing_asked_but_dangerous_things_given(void **state)
{
    static const struct {
        int at;
        const char *value, *says;
    } rows[] = {
        { EKU, "anyExtendedKeyUsage",
            "extKeyUsage: got 2.5.29.37.0, which has to be asked for by name" },
        { EKU, "clientAuth,1.3.6.1.4.1.311.20.2.1",
            "extKeyUsage: got 1.3.6.1.4.1.311.20.2.1, which has to" },
        { EKU, "1.3.6.1.4.1.311.10.12.1", "got 1.3.6.1.4.1.311.10.12.1" },
        { APP, "DER:300e300c060a2b060104018237140201",
            "policies: got 1.3.6.1.4.1.311.20.2.1, which has to" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        while (t.eku_count > 0)
            free(t.ekus[--t.eku_count]);
        good.ext[rows[i].at].value = rows[i].value;
        T_ERR_SAYS(check(), ERR_MISMATCH, rows[i].says);
        teardown(state);
        setup(state);
    }
    /* unless they were asked for */
    T_OK(template_add_eku(&t, "1.3.6.1.4.1.311.20.2.1", &e));
    good.ext[EKU].value = "clientAuth,1.3.6.1.4.1.311.20.2.2,1.3.6.1.4.1.311.20.2.1";
    good.ext[APP].value = "DER:300e300c060a2b060104018237140201";
    T_OK(check());
}

static void sid_nobody_asked_for(void **state)
{
    (void)state;
    t.sid_encoding = SID_URI;
    T_ERR_SAYS(check(), ERR_MISMATCH, "SID extension: asked for none, got " SID);
    good.ext[SID_EXT].value = NULL;
    T_OK(check());
    t.sid_encoding = SID_NONE; /* now the URI is one name too many */
    T_ERR_SAYS(check(), ERR_MISMATCH, "got \"URI tag:microsoft.com,2022-09-14:sid:" SID);
    t.sid_encoding = SID_EXTENSION;
    T_ERR_SAYS(check(), ERR_MISMATCH, "got \"URI tag:");
}

static void another_key(void **state)
{
    (void)state;
    good.key = other_key;
    T_ERR_SAYS(check(), ERR_MISMATCH, "public key: the request's has SHA-256 ");
}

static void another_subject(void **state)
{
    (void)state;
    good.subject = "CN=Eve/O=Contoso";
    T_ERR_SAYS(check(), ERR_MISMATCH,
        "subject: asked for \"CN=Ada, O=Contoso\", got \"CN=Eve, O=Contoso\"");
    good.subject = "CN=Ada";
    T_ERR_SAYS(check(), ERR_MISMATCH, "got \"CN=Ada\"");
    good.subject = "O=Contoso/CN=Ada";
    T_ERR_SAYS(check(), ERR_MISMATCH, "subject: asked for");
    good.subject = "";
    T_ERR_SAYS(check(), ERR_MISMATCH, "got \"\"");
    policy.subject_by_ca = true;
    T_OK(check());
}

static void another_time(void **state)
{
    (void)state;
    good.begin = ISSUE_NOW + 301;
    T_ERR_SAYS(check(), ERR_MISMATCH, "validity: begins 301 s from now, at most 300 s");
    good.begin = ISSUE_NOW + 300;
    T_OK(check());
    good.begin = ISSUE_NOW - YEAR;
    good.end = ISSUE_NOW;
    T_ERR_SAYS(check(), ERR_MISMATCH, "validity: ended 0 s ago");
    good.end = ISSUE_NOW + 1;
    T_OK(check());
    good.begin = ISSUE_NOW - 600;
    good.end = ISSUE_NOW - 600 + YEAR + 3600 + 300;
    T_OK(check());
    good.end++;
    T_ERR_SAYS(
        check(), ERR_MISMATCH, "validity: asked for at most 31536000 s (365 days), got 31539901 s");
    t.validity_s = 0;
    T_OK(check());
    policy.validity_max_s = 90 * ISSUE_DAY;
    T_ERR_SAYS(check(), ERR_MISMATCH, "(90 days), got");
    policy.validity_max_s = 400 * ISSUE_DAY;
    T_OK(check());
}

/* ---- paths ---- */

static void no_path(void **state)
{
    EVP_PKEY *k = issue_key("P-256");
    X509 *r2 = issue_ca("CN=Root", k, NULL, NULL), *s2 = issue_ca("CN=Sub", k, r2, k);
    struct buf garbage = BUF_INIT(ROOM);

    (void)state;
    T_ERR_SAYS(check_with(UPPERS(NULL)), ERR_TRUST, "issuer \"CN=Sub\": no path to a trust anchor");
    T_ERR_SAYS(check_with(UPPERS(root)), ERR_TRUST, "no path");
    T_ERR_SAYS(check_with(UPPERS(s2)), ERR_TRUST, "no path");
    good.issuer = s2;
    good.issuer_key = k;
    T_ERR_SAYS(check_with(UPPERS(s2, r2)), ERR_TRUST, "self-signed certificate");
    good.issuer = sub; /* right names, signed by somebody else */
    T_ERR_SAYS(check(), ERR_TRUST, "no path");
    good.issuer_key = sub_key;
    policy.anchors = view_of(NULL, 0);
    T_ERR_SAYS(check(), ERR_TRUST, "no trust anchor is configured");
    issue_der(root, &garbage);
    policy.anchors = view_of(garbage.p, garbage.len - 1);
    T_ERR_SAYS(check(), ERR_TRUST, "trust anchor 1");
    buf_add_text(&garbage, "x");
    policy.anchors = buf_view(&garbage);
    T_ERR_SAYS(check(), ERR_TRUST, "trust anchor 2");
    policy.anchors = buf_view(&anchors);
    T_OK(check());
    X509_free(r2);
    X509_free(s2);
    EVP_PKEY_free(k);
    buf_free(&garbage);
}

static X509 *ca_with(
    const char *constraints, const char *usage, int64_t end, const EVP_MD *md, EVP_PKEY *key)
{
    struct issue s = { .subject = "CN=Sub",
        .key = key,
        .issuer = root,
        .issuer_key = root_key,
        .md = md,
        .end = end,
        .ext = { { "subjectKeyIdentifier", "hash" }, { "keyUsage", usage },
            { "basicConstraints", constraints } } };

    if (constraints == NULL)
        s.ext[2].name = NULL;
    return issue(&s);
}

static void issuers_that_may_not(void **state)
{
    EVP_PKEY *weak = issue_key("rsa1024");
    struct {
        X509 *x;
        EVP_PKEY *key;
        const char *says;
    } rows[] = {
        { ca_with("CA:FALSE", "keyCertSign", 0, NULL, sub_key), sub_key, "no path" },
        { ca_with(NULL, "digitalSignature", 0, NULL, sub_key), sub_key, "no path" },
        { ca_with("CA:TRUE", "digitalSignature", 0, NULL, sub_key), sub_key, "no path" },
        { ca_with("CA:TRUE", "keyCertSign", ISSUE_NOW - 10, NULL, sub_key), sub_key, "expired" },
        { ca_with("CA:TRUE", "keyCertSign", 0, EVP_sha1(), sub_key), sub_key,
            "digest algorithm too weak" },
        { ca_with("CA:TRUE", "keyCertSign", 0, NULL, weak), weak, "key too weak" },
        { ca_with("CA:TRUE", "keyCertSign", 0, NULL, sub_key), sub_key, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        good.issuer = rows[i].x;
        good.issuer_key = rows[i].key;
        if (rows[i].says == NULL)
            T_OK(check_with(UPPERS(rows[i].x)));
        else
            T_ERR_SAYS(check_with(UPPERS(rows[i].x)), ERR_TRUST, rows[i].says);
        X509_free(rows[i].x);
    }
    EVP_PKEY_free(weak);
}

static void leaf_signed_with_sha1(void **state)
{
    (void)state;
    good.md = EVP_sha1();
    T_ERR_SAYS(check(), ERR_TRUST, "too weak");
}

/* An intermediate listed as anchor ends a path; one that only came along does not. */
static void anchor_below_the_root(void **state)
{
    struct buf only_sub = BUF_INIT(ROOM), leaf_too = BUF_INIT(ROOM);
    X509 *x;

    (void)state;
    issue_der(sub, &only_sub);
    policy.anchors = buf_view(&only_sub);
    T_OK(check_with(UPPERS(NULL)));
    T_OK(check());
    T_OK(check_with(UPPERS(sub, root)));
    x = issue(&good);
    issue_der(sub, &leaf_too);
    issue_der(x, &leaf_too);
    policy.anchors = buf_view(&leaf_too);
    T_ERR_SAYS(check(), ERR_TRUST, "trust anchor 2: not a CA certificate");
    X509_free(x);
    buf_free(&only_sub);
    buf_free(&leaf_too);
}

/* More sets and issuers than the cache keeps: what was thrown out is read again, and nothing mixes. */
static void cache_is_bounded(void **state)
{
    enum { SETS = 9, SUBS = 20 };
    struct buf set[SETS] = { 0 };
    EVP_PKEY *key[SETS];
    X509 *r[SETS], *subs[SUBS + 1] = { NULL };

    (void)state;
    for (int i = 0; i < SETS; i++) {
        set[i].max = ROOM;
        key[i] = issue_key("P-256");
        r[i] = issue_ca("CN=Root", key[i], NULL, NULL);
        issue_der(r[i], &set[i]);
    }
    for (int round = 0; round < 2 * SETS; round++) {
        int i = round * 4 % SETS;

        good.issuer = r[i];
        good.issuer_key = key[i];
        policy.anchors = buf_view(&set[i]);
        T_OK(check_with(UPPERS(NULL)));
        policy.anchors = buf_view(&set[(i + 1) % SETS]);
        T_ERR(check_with(UPPERS(NULL)), ERR_TRUST);
    }
    policy.anchors = buf_view(&anchors);
    good.issuer = sub;
    good.issuer_key = sub_key;
    for (int i = 0; i < SUBS - 1; i++) {
        char name[20];

        snprintf(name, sizeof name, "CN=Sub %d", i);
        subs[i] = issue_ca(name, sub_key, root, root_key);
    }
    subs[SUBS - 1] = sub;
    for (int round = 0; round < 3; round++)
        T_OK(check_with(subs));
    for (int i = 0; i < SUBS - 1; i++)
        X509_free(subs[i]);
    for (int i = 0; i < SETS; i++) {
        X509_free(r[i]);
        EVP_PKEY_free(key[i]);
        buf_free(&set[i]);
    }
}

static void not_a_chain(void **state)
{
    X509 *many[CHAIN_MAX + 1];

    (void)state;
    T_ERR_SAYS(check_issued(lib, &t, buf_view(&spki), view_of(NULL, 0), &policy, &e), ERR_PROTO,
        "no certificate");
    T_ERR(check_issued(lib, &t, buf_view(&spki), view_text("x"), &policy, &e), ERR_PROTO);
    T_ERR(check_issued(lib, &t, buf_view(&spki), view_text("0\x03\x02\x01\x01"), &policy, &e),
        ERR_PROTO);
    for (int i = 0; i < CHAIN_MAX; i++)
        many[i] = sub;
    many[CHAIN_MAX] = NULL;
    T_ERR_SAYS(check_with(many), ERR_PROTO, "more than 32");
}

/* Not only extensions: whatever byte of the certificate is changed, it is refused. */
static void any_byte_changed(void **state)
{
    struct buf chain = BUF_INIT(ROOM);
    X509 *x = issue(&good);
    size_t leaf_len;

    (void)state;
    issue_der(x, &chain);
    leaf_len = chain.len;
    issue_der(sub, &chain);
    for (size_t i = 0; i < leaf_len; i++) {
        chain.p[i] ^= 0x01;
        e = (struct err){ 0 };
        if (check_issued(lib, &t, buf_view(&spki), buf_view(&chain), &policy, &e) == 0)
            fail_msg("byte %zu changed and still accepted", i);
        assert_true(e.cls == ERR_PROTO || e.cls == ERR_MISMATCH || e.cls == ERR_TRUST);
        chain.p[i] ^= 0x01;
    }
    T_OK(check_issued(lib, &t, buf_view(&spki), buf_view(&chain), &policy, &e));
    X509_free(x);
    buf_free(&chain);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(accepts_what_was_asked_for),
        T(accepts_the_templates_own),
        T(one_extension_differs),
        T(nothing_asked_but_dangerous_things_given),
        T(sid_nobody_asked_for),
        T(another_key),
        T(another_subject),
        T(another_time),
        T(no_path),
        T(issuers_that_may_not),
        T(leaf_signed_with_sha1),
        T(anchor_below_the_root),
        T(cache_is_bounded),
        T(not_a_chain),
        T(any_byte_changed),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    root_key = issue_key("P-256");
    sub_key = issue_key("P-256");
    leaf_key = issue_key("P-256");
    other_key = issue_key("P-256");
    root = issue_ca("CN=Root", root_key, NULL, NULL);
    sub = issue_ca("CN=Sub", sub_key, root, root_key);
    issue_der(root, &anchors);
    issue_spki(leaf_key, &spki);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    X509_free(root);
    X509_free(sub);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(sub_key);
    EVP_PKEY_free(leaf_key);
    EVP_PKEY_free(other_key);
    buf_free(&anchors);
    buf_free(&spki);
    lib_free(lib);
    return failed;
}
