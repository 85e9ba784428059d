/* csr_check.h: what a CA could return instead of what a request asked for. */
#include "test/unit/csr_fixture.h"
#include "certs/chain.h"

enum { YEAR = 365 * ISSUE_DAY };

static struct err e;
static struct lib *lib;
static EVP_PKEY *root_key, *sub_key, *leaf_key, *other_key;
static X509 *root, *sub;
static struct buf anchors = BUF_INIT(1 << 16);
static struct check_policy policy;
static struct csr_limits limits;
static struct issue got;
static struct req asked;
static const char *const ekus[] = { "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4",
    "1.3.6.1.4.1.311.20.2.1" };

#define SID_HEAD "DER:3025a023060a2b060104018237190201a0150413532d312d352d32312d312d322d332d313130"
#define NAMES                                                                                   \
    "@DNS=host.contoso.example|IP=192.0.2.1|otherName=1.3.6.1.4.1.311.20.2.3;UTF8:ada@contoso." \
    "example"

enum { KU, EKU, SAN, BC, EXTRA };

static int setup(void **state)
{
    (void)state;
    e = (struct err){ 0 };
    policy =
        (struct check_policy){ .anchors = buf_view(&anchors), .now = ISSUE_NOW, .skew_s = 300 };
    limits = (struct csr_limits){
        .key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, .ekus = ekus, .eku_count = 3
    };
    got = (struct issue){ .subject = "CN=Ada/O=Contoso",
        .key = leaf_key,
        .issuer = sub,
        .issuer_key = sub_key,
        .begin = ISSUE_NOW - 600,
        .end = ISSUE_NOW - 600 + YEAR,
        .ext = { [KU] = { "keyUsage", "critical,digitalSignature" },
            [EKU] = { "extendedKeyUsage", "clientAuth" },
            [SAN] = { "subjectAltName", NAMES },
            [BC] = { "basicConstraints", "critical,CA:FALSE" },
            [EXTRA] = { "subjectKeyIdentifier", "hash" } } };
    asked = (struct req){ .subject = "CN=Ada,O=Contoso",
        .ext = { [KU] = { "keyUsage", "critical,digitalSignature" },
            [EKU] = { "extendedKeyUsage", "clientAuth" },
            [SAN] = { "subjectAltName", NAMES } },
        .key = leaf_key };
    return 0;
}

static int judge(void)
{
    struct buf der = BUF_INIT(REQ_MAX), chain = BUF_INIT(REQ_MAX);
    struct issue s = got;
    size_t n = 0;
    struct csr c;
    X509 *x;
    int rc;

    memset(s.ext, 0, sizeof s.ext);
    for (size_t i = 0; i < ISSUE_EXT_MAX; i++)
        if (got.ext[i].value != NULL)
            s.ext[n++] = got.ext[i];
    x = issue(&s);
    issue_der(x, &chain);
    X509_free(x);
    issue_der(sub, &chain);
    req_make(&asked, &der);
    T_OK(csr_parse(buf_view(&der), &c, &e));
    rc = csr_check_issued(lib, &c, &limits, buf_view(&chain), &policy, &e);
    csr_free(&c);
    buf_free(&der);
    buf_free(&chain);
    return rc;
}

static void accepts_what_was_asked_for(void **state)
{
    (void)state;
    T_OK(judge());
    got.subject = "CN=ADA/O=contoso";
    got.ext[SAN].value = "@otherName=1.3.6.1.4.1.311.20.2.3;UTF8:ada@contoso.example|IP=192.0.2.1|"
                         "DNS=HOST.contoso.example";
    T_OK(judge());
    got.subject = "CN=Ada Lovelace";
    policy.subject_by_ca = true;
    T_OK(judge());
}

/* Asked for nothing particular: anything within the limits. */
static void accepts_the_templates_own(void **state)
{
    static const struct {
        int at;
        const char *value, *says; /* NULL: fine */
    } rows[] = {
        { KU, "digitalSignature,keyEncipherment", NULL },
        { KU, NULL, NULL },
        { KU, "digitalSignature,nonRepudiation", "keyUsage: got 0x3, allowed here is 0x5" },
        { KU, "digitalSignature,keyCertSign", "may sign certificates" },
        { EKU, "clientAuth,emailProtection", NULL },
        { EKU, "emailProtection", NULL },
        { EKU, "clientAuth,serverAuth",
            "extKeyUsage: got 1.3.6.1.5.5.7.3.1, which is not allowed" },
        { EKU, "anyExtendedKeyUsage", "got 2.5.29.37.0, which has to be asked for by name" },
        { EKU, "clientAuth,1.3.6.1.4.1.311.20.2.1", "got 1.3.6.1.4.1.311.20.2.1, which has to be" },
        { EKU, NULL, "extKeyUsage: got none, which allows every use" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        asked.ext[KU].value = asked.ext[EKU].value = NULL;
        got.ext[rows[i].at].value = rows[i].value;
        if (rows[i].says == NULL)
            T_OK(judge());
        else
            T_ERR_SAYS(judge(), ERR_MISMATCH, rows[i].says);
        setup(state);
    }
    limits.eku_count = 0; /* an endpoint without uses */
    asked.ext[EKU].value = got.ext[EKU].value = NULL;
    T_OK(judge());
    got.ext[EKU].value = "clientAuth";
    T_ERR_SAYS(judge(), ERR_MISMATCH, "which is not allowed here");
}

static void one_thing_differs(void **state)
{
    static const struct {
        const char *subject;
        int at;
        const char *name, *value; /* value "": left out */
        const char *says;
        enum err_class cls;
    } rows[] = {
        { "CN=Eve/O=Contoso", 0, NULL, NULL,
            "subject: asked for \"CN=Ada, O=Contoso\", got \"CN=Eve, O=Contoso\"", 0 },
        { "O=Contoso/CN=Ada", 0, NULL, NULL, "subject: ", 0 },
        { "CN=Ada", 0, NULL, NULL, "subject: ", 0 },
        { "CN=Ada/O=Contoso/OU=Admins", 0, NULL, NULL, "subject: ", 0 },
        { "", 0, NULL, NULL, "subject: ", 0 },
        { NULL, SAN, NULL, "", "subjectAltName: asked for", 0 },
        { NULL, SAN, NULL, NAMES "|DNS=eve.example",
            "got \"DNS eve.example\", it is not among the 3 asked for", 0 },
        { NULL, SAN, NULL, "@DNS=host.contoso.example|IP=192.0.2.1",
            "asked for \"UPN ada@contoso.example\", it is not among the 2 got", 0 },
        { NULL, SAN, NULL,
            "@DNS=host.contoso.example|IP=192.0.2.1|"
            "otherName=1.3.6.1.4.1.311.20.2.3;UTF8:ADA@contoso.example",
            "got \"UPN ADA@contoso.example\"", 0 },
        { NULL, SAN, "2.5.29.17", "DER:0500", "subjectAltName", ERR_PROTO },
        { NULL, EXTRA, "1.3.6.1.4.1.311.25.2", SID_HEAD "35",
            "SID extension: asked for none, got S-1-5-21-1-2-3-1105", 0 },
        { NULL, EKU, NULL, "clientAuth,emailProtection",
            "extKeyUsage: got 1.3.6.1.5.5.7.3.4, which was not asked for", 0 },
        { NULL, EKU, NULL, "emailProtection", "got 1.3.6.1.5.5.7.3.4, which was not", 0 },
        { NULL, EKU, NULL, "", "extKeyUsage: got none", 0 },
        { NULL, EXTRA, "1.3.6.1.4.1.311.21.10", "DER:300c300a06082b06010505070304",
            "application policies: got 1.3.6.1.5.5.7.3.4, which was not asked for", 0 },
        { NULL, EXTRA, "1.3.6.1.4.1.311.21.10", "DER:30020500", "application policies", ERR_PROTO },
        { NULL, KU, NULL, "digitalSignature,keyEncipherment", "keyUsage: asked for 0x1, got 0x5",
            0 },
        { NULL, KU, NULL, "keyEncipherment", "keyUsage: asked for 0x1, got 0x4", 0 },
        { NULL, KU, NULL, "", "keyUsage: asked for 0x1, got 0x0", 0 },
        { NULL, BC, NULL, "critical,CA:TRUE", "basic constraints: asked for no CA", 0 },
        { NULL, EXTRA, "1.2.3.4", "critical,DER:0500", "extension 1.2.3.4: critical", 0 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].subject != NULL)
            got.subject = rows[i].subject;
        if (rows[i].value != NULL)
            got.ext[rows[i].at].value = rows[i].value[0] != '\0' ? rows[i].value : NULL;
        if (rows[i].name != NULL)
            got.ext[rows[i].at].name = rows[i].name;
        T_ERR_SAYS(judge(), rows[i].cls != 0 ? rows[i].cls : ERR_MISMATCH, rows[i].says);
        assert_memory_equal(e.msg, "issued certificate: ", 20);
        setup(state);
    }
    T_OK(judge());
}

static void sid_asked_for(void **state)
{
    (void)state;
    asked.ext[EXTRA] = (struct issue_ext){ "1.3.6.1.4.1.311.25.2", SID_HEAD "35" };
    T_ERR_SAYS(judge(), ERR_MISMATCH, "SID extension: asked for S-1-5-21-1-2-3-1105, got none");
    got.ext[EXTRA] = (struct issue_ext){ "1.3.6.1.4.1.311.25.2", SID_HEAD "36" };
    T_ERR_SAYS(judge(), ERR_MISMATCH, "1105, got \"S-1-5-21-1-2-3-1106\"");
    got.ext[EXTRA].value = SID_HEAD "35";
    T_OK(judge());
}

static void limits_changed_since(void **state)
{
    (void)state;
    limits.ekus = ekus + 1;
    limits.eku_count = 2;
    T_ERR_SAYS(judge(), ERR_MISMATCH, "got 1.3.6.1.5.5.7.3.2, which is not allowed here");
    setup(state);
    limits.key_usage = KU_KEY_ENCIPHERMENT;
    T_ERR_SAYS(judge(), ERR_MISMATCH, "keyUsage: got 0x1, allowed here is 0x4");
}

static void key_time_and_path(void **state)
{
    (void)state;
    got.key = other_key;
    T_ERR_SAYS(judge(), ERR_MISMATCH, "public key: the request's has SHA-256 ");
    setup(state);
    got.begin = ISSUE_NOW + 301;
    T_ERR_SAYS(judge(), ERR_MISMATCH, "validity: begins 301 s from now");
    setup(state);
    got.end = ISSUE_NOW;
    T_ERR_SAYS(judge(), ERR_MISMATCH, "validity: ended 0 s ago");
    setup(state);
    got.end = ISSUE_NOW + 20 * (int64_t)YEAR;
    T_OK(judge()); /* nobody asked for less */
    policy.validity_max_s = YEAR;
    T_ERR_SAYS(judge(), ERR_MISMATCH, "validity: asked for at most 31536000 s");
    setup(state);
    got.issuer_key = other_key;
    T_ERR_SAYS(judge(), ERR_TRUST, "no path to a trust anchor");
    setup(state);
    got.issuer = NULL;
    got.issuer_key = NULL;
    T_ERR_SAYS(judge(), ERR_TRUST, "no path to a trust anchor");
}

static void not_a_certificate(void **state)
{
    struct buf der = BUF_INIT(REQ_MAX);
    struct csr c;

    (void)state;
    req_make(&asked, &der);
    T_OK(csr_parse(buf_view(&der), &c, &e));
    T_ERR_SAYS(csr_check_issued(lib, &c, &limits, view_of(NULL, 0), &policy, &e), ERR_PROTO,
        "no certificate");
    T_ERR(csr_check_issued(lib, &c, &limits, buf_view(&der), &policy, &e), ERR_PROTO);
    asked.ext[KU] = (struct issue_ext){ "2.5.29.15", "DER:0500" };
    T_ERR_SAYS(judge(), ERR_PROTO, "request: keyUsage");
    buf_free(&der);
}

static int start(void)
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
    return 0;
}

static void stop(void)
{
    X509_free(root);
    X509_free(sub);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(sub_key);
    EVP_PKEY_free(leaf_key);
    EVP_PKEY_free(other_key);
    buf_free(&anchors);
    lib_free(lib);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
    static const struct CMUnitTest tests[] = {
        T(accepts_what_was_asked_for),
        T(accepts_the_templates_own),
        T(one_thing_differs),
        T(sid_asked_for),
        T(limits_changed_since),
        T(key_time_and_path),
        T(not_a_certificate),
    };
    int failed;

    if (start() != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    stop();
    return failed;
}
