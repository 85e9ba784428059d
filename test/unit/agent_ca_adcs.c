/* The AD CS driver: the requests it describes, byte for byte, and what it makes of every page. */
#include "test/t.h"
#include "agent/ca/ca.h"
#include "test/unit/agent_ca_driver.h"

static const uint8_t csr[] = { 0x30, 0x03, 0x02, 0x01, 0x05 };
static const char html[] = "text/html; charset=UTF-8";

static int begin(void **state)
{
    (void)state;
    open_driver(&ca_adcs, "https://ca01.contoso.example/certsrv/");
    return 0;
}

static struct ca_ask asking(const char *template_name, const char *reference)
{
    return (struct ca_ask){ .id = "req-1",
        .template_name = template_name,
        .csr = view_of(csr, sizeof csr),
        .reference = reference };
}

/* ---- requests ---- */

static void submit(void **state)
{
    struct ca_ask ask = asking("ContosoUser", "");
    struct err e = { 0 };

    (void)state;
    T_OK(ca_adcs.submit(ca, &ask, &q, &e));
    assert_string_equal(q.method, "POST");
    assert_string_equal(q.url, "https://ca01.contoso.example/certsrv/certfnsh.asp");
    assert_int_equal(q.header_count, 2);
    assert_string_equal(header("Content-Type"), "application/x-www-form-urlencoded");
    assert_string_equal(
        header("User-Agent"), "Mozilla/5.0 (compatible; certferry/" CERTFERRY_VERSION ")");
    assert_int_equal(q.timeout_ms, 77000);
    assert_in_range(q.max_reply, 100000, 1 << 20);
    body_is("Mode=newreq"
            "&CertRequest=-----BEGIN%20CERTIFICATE%20REQUEST-----%0D%0AMAMCAQU%3D%0D%0A"
            "-----END%20CERTIFICATE%20REQUEST-----%0D%0A"
            "&CertAttrib=CertificateTemplate%3AContosoUser%0D%0A"
            "&FriendlyType=Saved-Request%20Certificate"
            "&TargetStoreFlags=0&SaveCert=yes&ThumbPrint=");
}

/* The same instance describes one request after the other; nothing of the last one is left. */
static void submit_again(void **state)
{
    static const char validity[] =
        "%0D%0AValidityPeriod%3ADays%0D%0AValidityPeriodUnits%3A30%0D%0A&FriendlyType";
    struct ca_ask ask = asking("A&B=C%20 +\xc3\x84", "");
    struct err e = { 0 };

    (void)state;
    for (int i = 0; i < 3; i++) {
        ask.validity_s = i == 1 ? 86400 * 30 + 5 : 0;
        T_OK(ca_adcs.submit(ca, &ask, &q, &e));
        assert_string_equal(q.url, "https://ca01.contoso.example/certsrv/certfnsh.asp");
        assert_int_equal(q.header_count, 2);
    }
    body_is("Mode=newreq"
            "&CertRequest=-----BEGIN%20CERTIFICATE%20REQUEST-----%0D%0AMAMCAQU%3D%0D%0A"
            "-----END%20CERTIFICATE%20REQUEST-----%0D%0A"
            "&CertAttrib=CertificateTemplate%3AA%26B%3DC%2520%20%2B%C3%84%0D%0A"
            "&FriendlyType=Saved-Request%20Certificate"
            "&TargetStoreFlags=0&SaveCert=yes&ThumbPrint=");
    ask.validity_s = 86400 * 30 + 5;
    T_OK(ca_adcs.submit(ca, &ask, &q, &e));
    assert_non_null(memmem(q.body.p, q.body.len, validity, strlen(validity)));
}

/* Names never become attributes: ESC6 and its kin begin with a line break in a name. */
static void names_that_would_break_out(void **state)
{
    static const char *const names[] = { "User\r\nSAN:upn=admin@contoso.example", "User\nx",
        "User\rx", "User\x7f", "\x01", "", "\xff\xfe" };
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct ca_ask ask = asking(names[i], "");

        T_ERR(ca_adcs.submit(ca, &ask, &q, &e), ERR_INPUT);
    }
}

static void collect_and_chain(void **state)
{
    struct ca_ask ask = asking("ContosoUser", "1234567890");
    struct err e = { 0 };

    (void)state;
    T_OK(ca_adcs.collect(ca, &ask, &q, &e));
    assert_string_equal(q.method, "GET");
    assert_string_equal(
        q.url, "https://ca01.contoso.example/certsrv/certnew.cer?ReqID=1234567890&Enc=bin");
    assert_int_equal(q.header_count, 1);
    assert_non_null(header("User-Agent"));
    assert_int_equal(q.body.len, 0);
    assert_int_equal(q.timeout_ms, 77000);
    T_OK(ca_adcs.chain(ca, &ask, &q, &e));
    assert_string_equal(q.method, "GET");
    assert_string_equal(
        q.url, "https://ca01.contoso.example/certsrv/certnew.p7b?ReqID=1234567890&Enc=bin");
    assert_int_equal(q.body.len, 0);
    ask = asking("ContosoUser", ""); /* of no request: the CA's own, the newest */
    T_OK(ca_adcs.chain(ca, &ask, &q, &e));
    assert_string_equal(q.method, "GET");
    assert_string_equal(
        q.url, "https://ca01.contoso.example/certsrv/certnew.p7b?ReqID=CACert&Renewal=-1&Enc=bin");
}

static void references_that_are_none(void **state)
{
    static const char *const bad[] = { "", "CACert", "83&Enc=b64", "83 ", " 83", "-1", "0x53",
        "12345678901", "83/../x", "same-csr" };
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ca_ask ask = asking("ContosoUser", bad[i]);

        T_ERR(ca_adcs.collect(ca, &ask, &q, &e), ERR_PROTO);
        if (bad[i][0] != '\0')
            T_ERR(ca_adcs.chain(ca, &ask, &q, &e), ERR_PROTO);
    }
}

static void too_large_a_csr(void **state)
{
    static uint8_t big[200000];
    struct ca_ask ask = asking("ContosoUser", "");
    struct err e = { 0 };

    (void)state;
    ask.csr = view_of(big, sizeof big);
    T_ERR(ca_adcs.submit(ca, &ask, &q, &e), ERR_TOO_LARGE);
    ask = asking("ContosoUser", ""); /* and the instance is as good as new */
    T_OK(ca_adcs.submit(ca, &ask, &q, &e));
}

/* ---- answers ---- */

static void load(const char *name, struct buf *out)
{
    char path[200], piece[4096];
    size_t n;
    FILE *f;

    (void)snprintf(path, sizeof path, "test/data/adcs/%s.html", name);
    if ((f = fopen(path, "rb")) == NULL)
        fail_msg("%s: not there", path);
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(out, piece, n);
    (void)fclose(f);
    assert_true(out->len > 0 && !out->bad);
}

static const struct {
    const char *page;
    enum ca_answer answer;
    const char *reference;
    enum err_class cls;
    uint32_t number;
    const char *says;
} pages[] = {
    { "issued_en", CA_ACCEPTED, "83", ERR_NONE, 0, "" },
    { "issued_de", CA_ACCEPTED, "1234567890", ERR_NONE, 0, "" },
    { "pending_en", CA_PENDING, "89", ERR_NONE, 0, "" },
    { "pending_fr", CA_PENDING, "1507", ERR_NONE, 0, "" },
    { "error_pending", CA_PENDING, "", ERR_NONE, 0, "" },
    { "denied_en", CA_ERROR, "85", ERR_TEMPLATE, 0x80094800,
        "CA request 85: Denied by Policy Module 0x80094800" },
    { "denied_de", CA_ERROR, "4711", ERR_DENIED, 0x80094012, "CA request 4711: Vom Richtlinien" },
    { "denied_fr", CA_ERROR, "12", ERR_DENIED, 0x80094014, "CA request 12: Demande" },
    { "denied_lookalike", CA_ERROR, "90", ERR_INPUT, 0x80094001, "The subject is empty" },
    { "denied_no_reason", CA_ERROR, "", ERR_DENIED, 0, "CA request without id: The request was" },
    { "error_denied", CA_ERROR, "", ERR_DENIED, 0x80094014, "Denied by CONTOSO\\grace" },
    { "error_denied_de", CA_ERROR, "", ERR_DENIED, 0x80094014, "Verweigert durch" },
    { "error_revoked", CA_ERROR, "", ERR_DENIED, 0, "Revoked by" },
    { "error_rpc", CA_ERROR, "", ERR_NET, 0x800706ba, "CA request without id" },
    { "error_unknown_id", CA_ERROR, "", ERR_GONE, 0x80094004, "does not know the request" },
    { "error_issued", CA_ERROR, "", ERR_NET, 0, "" },
    { "error_silent", CA_ERROR, "", ERR_NET, 0, "" },
    { "pending_no_id", CA_ERROR, "", ERR_NET, 0, "no request id" },
    { "two_requests", CA_ERROR, "", ERR_PROTO, 0, "two requests" },
    { "captive_portal", CA_ERROR, "", ERR_INTERCEPTED, 0, "none of the CA's" },
    { "home", CA_ERROR, "", ERR_INTERCEPTED, 0, "none of the CA's" },
    { "iis_401", CA_ERROR, "", ERR_INTERCEPTED, 0, "none of the CA's" },
};

static void every_page(void **state)
{
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        struct buf text = BUF_INIT(1 << 16);
        struct http_reply r;
        enum ca_answer got;

        load(pages[i].page, &text);
        r = reply(200, html, buf_view(&text));
        got = judge(&r, &e);
        if (got != pages[i].answer || strcmp(issue_out.reference, pages[i].reference) != 0
            || e.cls != pages[i].cls || e.number != pages[i].number
            || strstr(e.msg, pages[i].says) == NULL)
            fail_msg("%s: answer %d, reference \"%s\", %s %08x \"%s\"", pages[i].page, (int)got,
                issue_out.reference, err_name(e.cls), e.number, e.msg);
        assert_int_equal(issue_out.certificates.len, 0);
        for (size_t cut = 1; cut < text.len; cut += 7) { /* a page that was cut promises nothing */
            r.body.len = text.len - cut;
            got = judge(&r, &e);
            assert_true(got != CA_ISSUED);
            if (got == CA_ACCEPTED || got == CA_PENDING)
                assert_string_equal(issue_out.reference, pages[i].reference);
        }
        buf_free(&text);
    }
}

/* A certificate is one by its bytes, whatever the header says. */
static void certificates(void **state)
{
    static const char pem[] =
        "-----BEGIN CERTIFICATE-----\r\nMAMCAQU=\r\n-----END CERTIFICATE-----\r\n";
    struct http_reply r = reply(200, "application/pkix-cert", view_of(csr, sizeof csr));
    struct err e;

    (void)state;
    assert_int_equal(judge(&r, &e), CA_ISSUED);
    assert_true(view_equal(buf_view(&issue_out.certificates), r.body));
    r.content_type = html;
    assert_int_equal(judge(&r, &e), CA_ISSUED);
    r.body = view_text(pem);
    assert_int_equal(judge(&r, &e), CA_ISSUED);
    assert_true(view_equal(buf_view(&issue_out.certificates), r.body));
    r.body = view_of(csr, sizeof csr - 1);
    assert_int_equal(judge(&r, &e), CA_ERROR);
    assert_int_equal(e.cls, ERR_NET);
    assert_int_equal(issue_out.certificates.len, 0);
}

static const struct {
    int status;
    enum err_class cls;
} statuses[] = {
    { 302, ERR_CONFIG },
    { 400, ERR_INPUT },
    { 401, ERR_AUTH },
    { 403, ERR_FORBIDDEN },
    { 404, ERR_CONFIG },
    { 407, ERR_PROXY },
    { 413, ERR_TOO_LARGE },
    { 429, ERR_BUSY },
    { 500, ERR_NET },
    { 503, ERR_BUSY },
};

/* The body of such an answer is never looked at: it may be anybody's. */
static void statuses_come_first(void **state)
{
    struct buf issued = BUF_INIT(1 << 16), out = BUF_INIT(100);
    struct err e;

    (void)state;
    load("issued_en", &issued);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct http_reply r = reply(statuses[i].status, html, buf_view(&issued));

        r.authenticate = "Negotiate, NTLM";
        assert_int_equal(judge(&r, &e), CA_ERROR);
        assert_int_equal(e.cls, statuses[i].cls);
        assert_int_equal(e.number, statuses[i].status);
        assert_string_equal(issue_out.reference, "");
        if (e.cls == ERR_AUTH)
            assert_non_null(strstr(e.msg, "Negotiate, NTLM"));
        T_ERR(ca_adcs.judge_chain(ca, &r, &out, &e), statuses[i].cls);
        assert_int_equal(out.len, 0);
    }
    buf_free(&issued);
}

static void the_chain_is_handed_on(void **state)
{
    struct http_reply r = reply(200, "application/x-pkcs7-certificates", view_text("whatever"));
    struct buf out = BUF_INIT(100);
    struct err e = { 0 };

    (void)state;
    T_OK(ca_adcs.judge_chain(ca, &r, &out, &e));
    assert_string_equal(buf_text(&out), "whatever");
    buf_free(&out);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, close_driver)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(submit),
        TEST(submit_again),
        TEST(names_that_would_break_out),
        TEST(collect_and_chain),
        TEST(references_that_are_none),
        TEST(too_large_a_csr),
        TEST(every_page),
        TEST(certificates),
        TEST(statuses_come_first),
        TEST(the_chain_is_handed_on),
    };

    return cmocka_run_group_tests_name("agent_ca_adcs", tests, NULL, NULL);
}
