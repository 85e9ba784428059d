/* csr_check.h: who may renew what, one thing wrong at a time. */
#include "test/unit/csr_fixture.h"
#include "certs/chain.h"

static struct err e;
static struct lib *lib;
static EVP_PKEY *ca_key, *previous_key, *other_key, *leaf_key;
static X509 *ca, *previous, *impostor, *stranger;
static struct issue old;
static struct req good;
static struct buf issuers = BUF_INIT(1 << 16);
static unsigned window;
static int64_t now;

#define SID      "S-1-5-21-1-2-3-1105"
#define SID_TAG  "tag:microsoft.com,2022-09-14:sid:"
#define SID_HEAD "DER:3025a023060a2b060104018237190201a0150413532d312d352d32312d312d322d332d313130"
#define NAMES                                                                                   \
    "@DNS=host.contoso.example|IP=192.0.2.1|otherName=1.3.6.1.4.1.311.20.2.3;UTF8:ada@contoso." \
    "example"

enum { SAN, EKU, BC, EXTRA };

static int setup(void **state)
{
    (void)state;
    e = (struct err){ 0 };
    window = 80;
    now = ISSUE_NOW + 81 * ISSUE_DAY;
    old = (struct issue){ .subject = "CN=Ada/O=Contoso",
        .key = leaf_key,
        .issuer = ca,
        .issuer_key = ca_key,
        .begin = ISSUE_NOW,
        .end = ISSUE_NOW + 100 * ISSUE_DAY,
        .ext = { [SAN] = { "subjectAltName", NAMES },
            [EKU] = { "extendedKeyUsage", "clientAuth,emailProtection" },
            [BC] = { "basicConstraints", "CA:FALSE" } } };
    good = (struct req){ .subject = "CN=Ada,O=Contoso",
        .ext = { [SAN] = { "subjectAltName", NAMES },
            [EKU] = { "extendedKeyUsage", "emailProtection,clientAuth" } },
        .key = leaf_key };
    buf_reset(&issuers);
    issue_der(ca, &issuers);
    return 0;
}

static int judge(void)
{
    struct buf der = BUF_INIT(REQ_MAX), old_der = BUF_INIT(REQ_MAX);
    X509 *x = issue(&old);
    struct cert cert;
    struct csr c;
    int rc;

    issue_der(x, &old_der);
    X509_free(x);
    req_make(&good, &der);
    T_OK(csr_parse(buf_view(&der), &c, &e));
    T_OK(cert_parse(buf_view(&old_der), &cert, &e));
    rc = csr_check_renewal(lib, &c, &cert, buf_view(&issuers), now, window, &e);
    csr_free(&c);
    buf_free(&der);
    buf_free(&old_der);
    return rc;
}

static void accepts_the_same_again(void **state)
{
    (void)state;
    T_OK(judge());
    good.subject = "CN=ADA,O=contoso";
    good.ext[SAN].value = "@IP=192.0.2.1|DNS=HOST.contoso.example"; /* fewer */
    good.ext[EKU].value = NULL;
    T_OK(judge());
    good.ext[SAN].value = NULL;
    T_OK(judge());
    good.key = other_key; /* a new key is the point of it */
    T_OK(judge());
    old.ext[BC].value = "CA:FALSE"; /* without any names */
    T_OK(judge());
}

static void another_request(void **state)
{
    static const struct {
        const char *subject;
        int at;
        const char *value, *says;
    } rows[] = {
        { "CN=Eve,O=Contoso", 0, NULL,
            "subject: the old certificate has \"CN=Ada, O=Contoso\", the request has \"CN=Eve" },
        { "CN=Ada", 0, NULL, "subject: " },
        { "CN=Ada,O=Contoso,C=DE", 0, NULL, "subject: " },
        { "O=Contoso,CN=Ada", 0, NULL, "subject: " },
        { "CN=Ada,CN=Ada,O=Contoso", 0, NULL, "subject: " },
        { "", 0, NULL, "subject: " },
        { NULL, SAN, NAMES "|DNS=eve.example",
            "subjectAltName: the request has \"DNS eve.example\", it is not among the 3 the old "
            "certificate has" },
        { NULL, SAN, "@DNS=eve.example", "\"DNS eve.example\"" },
        { NULL, SAN, "@otherName=1.3.6.1.4.1.311.20.2.3;UTF8:admin@contoso.example",
            "\"UPN admin@contoso.example\"" },
        { NULL, SAN, NAMES "|URI=" SID_TAG SID, "\"URI tag:microsoft.com,2022-09-14:sid:S-1" },
        { NULL, EKU, "clientAuth,emailProtection,serverAuth",
            "extKeyUsage: the request has 1.3.6.1.5.5.7.3.1, which the old certificate does not" },
        { NULL, EKU, "clientAuth",
            "extKeyUsage: the old certificate has 1.3.6.1.5.5.7.3.4, it is not among the 1" },
        { NULL, EXTRA, SID_HEAD "35", "SID extension: the old certificate has none" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].subject != NULL)
            good.subject = rows[i].subject;
        if (rows[i].value != NULL)
            good.ext[rows[i].at].value = rows[i].value;
        good.ext[EXTRA].name = "1.3.6.1.4.1.311.25.2";
        T_ERR_SAYS(judge(), ERR_MISMATCH, rows[i].says);
        assert_memory_equal(e.msg, "renewal: ", 9);
        setup(state);
    }
    old.ext[EXTRA] = (struct issue_ext){ "1.3.6.1.4.1.311.25.2", SID_HEAD "36" };
    good.ext[EXTRA] = (struct issue_ext){ "1.3.6.1.4.1.311.25.2", SID_HEAD "35" };
    T_ERR_SAYS(
        judge(), ERR_MISMATCH, "SID extension: the old certificate has one, the request has");
    old.ext[EXTRA].value = SID_HEAD "35";
    T_OK(judge());
    old.ext[EKU].value = "clientAuth";
    good.ext[EKU].value = "clientAuth,serverAuth";
    T_ERR_SAYS(judge(), ERR_MISMATCH, "extKeyUsage: the request has 1.3.6.1.5.5.7.3.1");
    old.ext[SAN] = old.ext[BC];
    old.ext[BC] = (struct issue_ext){ 0 };
    T_ERR_SAYS(judge(), ERR_MISMATCH, "not among the 0 the old certificate has");
}

static void another_time(void **state)
{
    (void)state;
    now = ISSUE_NOW - 1;
    T_ERR_SAYS(judge(), ERR_EXPIRED, "old certificate: validity: begins 1 s from now");
    now = old.end;
    T_ERR_SAYS(judge(), ERR_EXPIRED, "validity: ended 0 s ago");
    now = old.end - 1;
    T_OK(judge());
    now = ISSUE_NOW + 80 * ISSUE_DAY - 1;
    T_ERR_SAYS(judge(), ERR_EXPIRED, "too early, only 79 % of it are over and 80 have to be");
    now++;
    T_OK(judge());
    now = ISSUE_NOW;
    window = 0;
    T_OK(judge());
}

static void another_issuer(void **state)
{
    (void)state;
    /* a CA of the same name with another key */
    old.issuer = impostor;
    old.issuer_key = other_key;
    T_ERR_SAYS(
        judge(), ERR_TRUST, "issuer \"CN=CA\": has the name of a listed CA, but not its key");
    /* one that nobody listed */
    old.issuer = stranger;
    T_ERR_SAYS(judge(), ERR_TRUST, "issuer \"CN=Stranger\": not one of the listed CAs");
    /* the CA's previous certificate and key, of the same name: listed or not */
    old.issuer = previous;
    old.issuer_key = previous_key;
    T_ERR_SAYS(judge(), ERR_TRUST, "not its key");
    issue_der(previous, &issuers);
    T_OK(judge());
    /* our key under another name: the certificate does not say that the CA issued it */
    old.issuer = stranger;
    old.issuer_key = ca_key;
    T_ERR_SAYS(judge(), ERR_TRUST, "not one of the listed CAs");
    /* none listed at all */
    setup(state);
    buf_reset(&issuers);
    T_ERR_SAYS(judge(), ERR_TRUST, "not one of the listed CAs");
    buf_add_text(&issuers, "nonsense");
    T_ERR_SAYS(judge(), ERR_PROTO, "list of issuers");
}

static void self_signed(void **state)
{
    (void)state;
    old.issuer = NULL;
    old.issuer_key = NULL;
    T_ERR_SAYS(judge(), ERR_TRUST, "issuer \"CN=Ada, O=Contoso\": self-signed");
    /* in the CA's own name, with its own key, and listed */
    setup(state);
    old.subject = "CN=CA";
    good.subject = "CN=CA";
    T_ERR_SAYS(judge(), ERR_TRUST, "self-signed");
}

static void certificate_of_a_ca(void **state)
{
    (void)state;
    old.ext[BC].value = "critical,CA:TRUE";
    T_ERR_SAYS(judge(), ERR_MISMATCH, "basicConstraints: a CA certificate");
}

static void weak_signature(void **state)
{
    (void)state;
    old.md = EVP_sha1();
    T_ERR_SAYS(judge(), ERR_TRUST, "signed with SHA-1");
    old.md = EVP_sha384();
    T_OK(judge());
}

/* ---- the SID that may be asked for again ---- */

static void sids(void **state)
{
    static const struct {
        const char *extension, *uri, *text; /* NULL: none */
    } rows[] = {
        { NULL, NULL, NULL },
        { SID_HEAD "35", NULL, SID },
        { NULL, "@URI=" SID_TAG SID, SID },
        { SID_HEAD "35", "@DNS=a|URI=" SID_TAG SID, SID },
        { SID_HEAD "36", "@URI=" SID_TAG SID, NULL },
        { NULL, "@URI=" SID_TAG SID "|URI=" SID_TAG SID "6", NULL },
        { "DER:3000", "@URI=" SID_TAG SID, NULL },
        { NULL, "@URI=" SID_TAG, NULL },
        { NULL, "@URI=" SID_TAG "*", NULL },
        { NULL, "@URI=" SID_TAG "S-1-", NULL },
        { NULL, "@URI=" SID_TAG "S-1-x", NULL },
        { NULL, "DER:0500", NULL },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf der = BUF_INIT(REQ_MAX), text = BUF_INIT(100);
        struct cert cert;
        X509 *x;

        setup(state);
        old.ext[SAN] = old.ext[BC];
        old.ext[BC] = (struct issue_ext){ "1.2.3", "DER:0500" };
        if (rows[i].extension != NULL)
            old.ext[BC] = (struct issue_ext){ "1.3.6.1.4.1.311.25.2", rows[i].extension };
        if (rows[i].uri != NULL)
            old.ext[EXTRA] = (struct issue_ext){ "2.5.29.17", rows[i].uri };
        if (rows[i].uri != NULL && rows[i].uri[0] == '@')
            old.ext[EXTRA].name = "subjectAltName";
        x = issue(&old);
        issue_der(x, &der);
        X509_free(x);
        T_OK(cert_parse(buf_view(&der), &cert, &e));
        assert_int_equal(csr_renewal_sid(&cert, &text), rows[i].text != NULL);
        assert_string_equal(buf_text(&text), rows[i].text != NULL ? rows[i].text : "");
        buf_free(&text);
        buf_free(&der);
    }
}

static void memory_runs_out(void **state)
{
    struct buf der = BUF_INIT(REQ_MAX), old_der = BUF_INIT(REQ_MAX);
    unsigned long n = 0;
    X509 *x = issue(&old);
    struct cert cert;
    struct csr c;
    int rc;

    (void)state;
    issue_der(x, &old_der);
    X509_free(x);
    good.subject = "CN=ada,O=CONTOSO";
    req_make(&good, &der);
    T_OK(csr_parse(buf_view(&der), &c, &e));
    T_OK(cert_parse(buf_view(&old_der), &cert, &e));
    do {
        mem_fail_after(++n);
        rc = csr_check_renewal(lib, &c, &cert, buf_view(&issuers), now, window, &e);
        if (rc == 0)
            rc = csr_verify(lib, &c, 2048, false, &e);
        mem_fail_after(0);
        if (rc != 0 && e.cls != ERR_NOMEM)
            fail_msg("%lu: %s %s (%s)", n, err_name(e.cls), e.msg, e.where);
    } while (rc != 0);
    assert_true(n > 1);
    csr_free(&c);
    buf_free(&der);
    buf_free(&old_der);
}

static int start(void)
{
    mem_torture_openssl();
    if ((lib = lib_new(&e)) == NULL)
        return -1;
    ca_key = issue_key("P-256");
    previous_key = issue_key("rsa2048");
    other_key = issue_key("P-256");
    leaf_key = issue_key("P-256");
    ca = issue_ca("CN=CA", ca_key, NULL, NULL);
    previous = issue_ca("CN=CA", previous_key, NULL, NULL);
    impostor = issue_ca("CN=CA", other_key, NULL, NULL);
    stranger = issue_ca("CN=Stranger", other_key, NULL, NULL);
    return 0;
}

static void stop(void)
{
    EVP_PKEY *const keys[] = { ca_key, previous_key, other_key, leaf_key };
    X509 *const certs[] = { ca, previous, impostor, stranger };

    for (size_t i = 0; i < 4; i++) {
        EVP_PKEY_free(keys[i]);
        X509_free(certs[i]);
    }
    buf_free(&issuers);
    lib_free(lib);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
    static const struct CMUnitTest tests[] = {
        T(accepts_the_same_again),
        T(another_request),
        T(another_time),
        T(another_issuer),
        T(self_signed),
        T(certificate_of_a_ca),
        T(weak_signature),
        T(sids),
        T(memory_runs_out),
    };
    int failed;

    if (start() != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    stop();
    return failed;
}
