/* AD CS web enrolment: the form, the pages in three languages, error codes. */
#include "test/t.h"
#include "proto/adcs.h"

static void load(const char *name, struct buf *out)
{
    char path[256], block[4096];
    size_t n;
    FILE *f;

    (void)snprintf(path, sizeof path, "test/data/adcs/%s.html", name);
    f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("%s: not there", path);
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        buf_add(out, block, n);
    (void)fclose(f);
    assert_true(!out->bad && out->len > 0);
}

/* ---- pages ---- */

static const struct {
    const char *page;
    enum adcs_outcome outcome;
    const char *id;
    uint32_t hresult;
    const char *message;
} pages[] = {
    { "issued_en", ADCS_ISSUED, "83", 0, "" },
    { "issued_de", ADCS_ISSUED, "1234567890", 0, "" },
    { "pending_en", ADCS_PENDING, "89", 0, "" },
    { "pending_fr", ADCS_PENDING, "1507", 0, "" },
    { "denied_en", ADCS_DENIED, "85", 0x80094800,
        "Denied by Policy Module 0x80094800, The request was for a certificate template that this "
        "CA does "
        "not offer: NoSuchTemplate." },
    { "denied_de", ADCS_DENIED, "4711", 0x80094012,
        "Vom Richtlinienmodul verweigert 0x80094012 (-2146877422 CERTSRV_E_TEMPLATE_DENIED), das "
        "Konto "
        "\xe2\x80\x9e"
        "certferry\xe2\x80\x9c darf die Vorlage nicht verwenden." },
    { "denied_fr", ADCS_DENIED, "12", 0x80094014,
        "Demande n\xc2\xb0 12 : refus\xc3\xa9"
        "e par un responsable, 0x80094014" },
    { "denied_no_reason", ADCS_DENIED, "", 0, "The request was turned down." },
    { "denied_lookalike", ADCS_DENIED, "90", 0x80094001, "0x80094001 The subject is empty" },
    { "error_pending", ADCS_PENDING, "", 0, "Taken Under Submission" },
    { "error_denied", ADCS_DENIED, "", 0x80094014, "Denied by CONTOSO\\grace" },
    { "error_denied_de", ADCS_DENIED, "", 0x80094014, "Verweigert durch CONTOSO\\grace" },
    { "error_unknown_id", ADCS_UNKNOWN_ID, "", 0x80094004, "(none)" },
    { "error_revoked", ADCS_DENIED, "", 0, "Revoked by CONTOSO\\grace" },
    { "error_rpc", ADCS_DENIED, "", 0x800706ba,
        "The operation completed successfully. 0x0 (WIN32: 0)" },
};

static void every_page(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        struct buf text = BUF_INIT(1 << 20);
        struct adcs_answer a = { 0 };
        struct err e = { 0 };
        struct view certificate = { 0 };

        load(pages[i].page, &text);
        if (adcs_submit_parse(buf_view(&text), &a, &e) != 0)
            fail_msg("%s: %s %s", pages[i].page, err_name(e.cls), e.msg);
        if (a.outcome != pages[i].outcome || a.hresult != pages[i].hresult
            || strcmp(a.id, pages[i].id) != 0)
            fail_msg("%s: outcome %d, hresult %08x, id \"%s\"", pages[i].page, (int)a.outcome,
                a.hresult, a.id);
        assert_string_equal(a.message, pages[i].message);
        T_OK(adcs_fetch_parse(buf_view(&text), &certificate, &a, &e));
        assert_int_equal(a.outcome, pages[i].outcome);
        assert_int_equal(certificate.len, 0);
        buf_free(&text);
    }
}

static void page_faults(void **state)
{
    static const struct {
        const char *page;
        enum err_class cls;
        const char *says;
    } rows[] = {
        { "iis_401", ERR_INTERCEPTED,
            "with the title \"401 - Unauthorized: Access is denied due to invalid credentials.\"" },
        { "captive_portal", ERR_INTERCEPTED,
            "with the title \"Caf\xc3\xa9 WLAN \xe2\x80\x93 bitte anmelden" },
        { "home", ERR_INTERCEPTED, "with the title \"Certificate Services\"" },
        { "two_requests", ERR_PROTO, "certificates of two requests, 83 and 84" },
        { "pending_no_id", ERR_NET, "has no request id" },
        { "error_issued", ERR_NET, "says the certificate is issued" },
        { "error_silent", ERR_NET, "neither a known disposition nor an error code" },
    };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf text = BUF_INIT(1 << 20);
        struct adcs_answer a = { .id = "untouched" };
        struct view certificate = { 0 };

        load(rows[i].page, &text);
        T_ERR_SAYS(adcs_submit_parse(buf_view(&text), &a, &e), rows[i].cls, rows[i].says);
        T_ERR_SAYS(
            adcs_fetch_parse(buf_view(&text), &certificate, &a, &e), rows[i].cls, rows[i].says);
        assert_string_equal(a.id, "untouched");
        for (const char *p = e.msg; *p != '\0'; p++)
            assert_true((uint8_t)*p >= 0x20);
        buf_free(&text);
    }
}

static void no_pages(void **state)
{
    struct adcs_answer a;
    struct err e = { 0 };

    (void)state;
    T_ERR(adcs_submit_parse(view_text(""), &a, &e), ERR_PROTO);
    T_ERR(adcs_submit_parse(view_text("internal error"), &a, &e), ERR_PROTO);
    T_ERR(adcs_submit_parse(view_text("{\"error\":1}"), &a, &e), ERR_PROTO);
    T_ERR(adcs_submit_parse(view_of("\0\1\2", 3), &a, &e), ERR_PROTO);
    T_ERR_SAYS(adcs_submit_parse(view_text("<p id=locInfoReqID>Your Request Id is 8"), &a, &e),
        ERR_NET, "cut");
    T_ERR_SAYS(
        adcs_submit_parse(view_text("<p>x</p><!-- <p id=locDenied>"), &a, &e), ERR_NET, "comment");
}

/* A portal's page may be as large as it likes: it is still a portal's. */
static void large_page(void **state)
{
    struct buf text = BUF_INIT(2 << 20);
    struct adcs_answer a;
    struct err e = { 0 };

    (void)state;
    buf_add_text(&text, "<title>Sign in</title>");
    while (text.len <= 1 << 20)
        buf_add_text(&text, "<p>Please sign in.</p>");
    T_ERR_SAYS(adcs_submit_parse(buf_view(&text), &a, &e), ERR_INTERCEPTED, "none of the CA's");
    buf_free(&text);
}

/* Cut anywhere, a page never becomes an answer, or an answer about a request, that the whole one is not. */
static void cut_pages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        struct buf text = BUF_INIT(1 << 20);

        load(pages[i].page, &text);
        for (size_t len = 0; len < text.len; len++) {
            struct adcs_answer a = { 0 };
            struct err e = { 0 };

            if (adcs_submit_parse(view_of(text.p, len), &a, &e) != 0)
                continue;
            if (a.outcome != pages[i].outcome
                || (a.id[0] != '\0' && strcmp(a.id, pages[i].id) != 0))
                fail_msg("%s cut at %zu: outcome %d, id \"%s\"", pages[i].page, len, (int)a.outcome,
                    a.id);
        }
        buf_free(&text);
    }
}

/* A disposition message longer than we keep is cut between characters. */
static void long_message(void **state)
{
    struct buf text = BUF_INIT(10000);
    struct adcs_answer a = { 0 };
    struct err e = { 0 };

    (void)state;
    buf_add_text(&text, "<p id=locInfoReqIDandReason>1 \"");
    for (int i = 0; i < 500; i++)
        buf_add_text(&text, "\xe6\x9d\xb1");
    buf_add_text(&text, "\"</p>");
    T_OK(adcs_submit_parse(buf_view(&text), &a, &e));
    assert_int_equal(strlen(a.message), 159);
    assert_memory_equal(a.message + 156, "\xe6\x9d\xb1", 4);
    buf_free(&text);
}

/* The digits of an error code are no request id. */
static void code_without_id(void **state)
{
    struct adcs_answer a = { 0 };
    struct err e = { 0 };

    (void)state;
    T_OK(
        adcs_submit_parse(view_text("<p id=locDenied>Refused, 0x80094800, request 7</p>"), &a, &e));
    assert_string_equal(a.id, "");
    assert_int_equal(a.hresult, 0x80094800);
    T_OK(adcs_submit_parse(view_text("<p id=locDenied>Request 123456789012 refused</p>"), &a, &e));
    assert_string_equal(a.id, "");
    assert_int_equal(a.hresult, 0);
}

/* ---- certificates ---- */

static void fetched(void **state)
{
    static const uint8_t der[] = { 0x30, 0x82, 0x00, 0x80 };
    static const char *const pem[] = { "-----BEGIN CERTIFICATE-----\r\nMIIB\r\n",
        "\r\n -----BEGIN PKCS7-----\nMIIB\n", "-----BEGIN X509 CERTIFICATE-----\n",
        "-----BEGIN CMS-----\n" };
    static const char *const others[] = { "-----BEGIN PRIVATE KEY-----\nMIIB\n",
        "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n", "MIIBkTCB", "0" };
    uint8_t body[132] = { 0x30, 0x81, 129, 0x30, 0x81, 126 };
    struct view certificate = { 0 };
    struct adcs_answer a = { 0 };
    struct err e = { 0 };

    (void)state;
    T_OK(adcs_fetch_parse(view_of(body, sizeof body), &certificate, &a, &e));
    assert_int_equal(a.outcome, ADCS_ISSUED);
    assert_ptr_equal(certificate.p, body);
    assert_int_equal(certificate.len, sizeof body);
    T_ERR_SAYS(adcs_fetch_parse(view_of(body, sizeof body - 1), &certificate, &a, &e), ERR_NET,
        "131 bytes");
    T_ERR(adcs_fetch_parse(view_of(body, 2), &certificate, &a, &e), ERR_NET);
    T_ERR(adcs_fetch_parse(view_of(der, sizeof der), &certificate, &a, &e), ERR_NET);
    T_OK(adcs_fetch_parse(view_of("\x30\x80\x06\x01", 4), &certificate, &a, &e)); /* BER CMS */
    for (size_t i = 0; i < sizeof pem / sizeof pem[0]; i++) {
        certificate = (struct view){ 0 };
        T_OK(adcs_fetch_parse(view_text(pem[i]), &certificate, &a, &e));
        assert_int_equal(certificate.len, strlen(pem[i]));
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        T_ERR(adcs_fetch_parse(view_text(others[i]), &certificate, &a, &e), ERR_PROTO);
}

/* ---- what we send ---- */

static void attributes(void **state)
{
    struct buf out = BUF_INIT(8192);
    struct err e = { 0 };
    char name[1600];

    (void)state;
    T_OK(adcs_attributes("ContosoUser", 0, &out, &e));
    assert_string_equal(buf_text(&out), "CertificateTemplate:ContosoUser\r\n");
    buf_reset(&out);
    T_OK(adcs_attributes("ContosoUser", 30 * 86400, &out, &e));
    assert_string_equal(buf_text(&out),
        "CertificateTemplate:ContosoUser\r\nValidityPeriod:Days\r\nValidityPeriodUnits:30\r\n");
    buf_reset(&out);
    T_OK(adcs_attributes("K\xc3\xbc\xc3\x9f"
                         "e",
        2629746, &out, &e)); /* a month: 30.4 days */
    assert_non_null(strstr(buf_text(&out), "ValidityPeriod:Days\r\nValidityPeriodUnits:30\r\n"));
    buf_reset(&out);
    T_OK(adcs_attributes("T", 7300, &out, &e));
    assert_non_null(strstr(buf_text(&out), "ValidityPeriod:Hours\r\nValidityPeriodUnits:2\r\n"));
    buf_reset(&out);
    T_OK(adcs_attributes("T", 1, &out, &e));
    assert_non_null(strstr(buf_text(&out), "ValidityPeriod:Seconds\r\nValidityPeriodUnits:1\r\n"));
    buf_reset(&out);

    T_ERR(adcs_attributes("", 0, &out, &e), ERR_INPUT);
    T_ERR(adcs_attributes("User\r\nSAN:upn=admin@contoso.example", 0, &out, &e), ERR_INPUT);
    T_ERR(adcs_attributes("User\n", 0, &out, &e), ERR_INPUT);
    T_ERR(adcs_attributes("User\x7f", 0, &out, &e), ERR_INPUT);
    T_ERR(adcs_attributes("User\xff", 0, &out, &e), ERR_INPUT);
    T_ERR(adcs_attributes("User", -1, &out, &e), ERR_INPUT);
    memset(name, 'x', sizeof name);
    name[1536 - 22] = '\0'; /* with "CertificateTemplate:" and CRLF just what fits */
    T_OK(adcs_attributes(name, 0, &out, &e));
    assert_int_equal(out.len, 1536);
    buf_reset(&out);
    name[1536 - 22] = 'x';
    name[1536 - 21] = '\0';
    T_ERR_SAYS(adcs_attributes(name, 0, &out, &e), ERR_INPUT, "1537 UTF-16 units");
    name[1536 - 21] = 'x';
    name[1590] = '\0';
    T_ERR_SAYS(adcs_attributes(name, 0, &out, &e), ERR_INPUT, "1590 UTF-16 units");
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

/* Every byte of the form as a browser would send it. */
static void form(void **state)
{
    uint8_t csr[60];
    struct buf out = BUF_INIT(8192), small = BUF_INIT(50);
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof csr; i++)
        csr[i] = (uint8_t)(i * 37 + 250);
    adcs_submit_body(
        view_of(csr, sizeof csr), view_text("CertificateTemplate:ContosoUser\r\n"), &out);
    assert_string_equal(buf_text(&out),
        "Mode=newreq&CertRequest=-----BEGIN%20CERTIFICATE%20REQUEST-----%0D%0A"
        "%2Bh9EaY6z2P0iR2yRttsAJUpvlLneAyhNcpe84QYrUHWav%2BQJLlN4ncLnDDFWe6DF%0D%0A"
        "6g80WX6jyO0SN1yB%0D%0A-----END%20CERTIFICATE%20REQUEST-----%0D%0A"
        "&CertAttrib=CertificateTemplate%3AContosoUser%0D%0A"
        "&FriendlyType=Saved-Request%20Certificate&TargetStoreFlags=0&SaveCert=yes&ThumbPrint=");
    buf_free(&out);
    adcs_submit_body(view_of(csr, sizeof csr), view_text("x"), &small);
    T_ERR(buf_check(&small, &e), ERR_TOO_LARGE);
    buf_free(&small);
}

static void ids(void **state)
{
    struct buf out = BUF_INIT(100);

    (void)state;
    assert_true(adcs_id_ok("1"));
    assert_true(adcs_id_ok("0123456789"));
    assert_false(adcs_id_ok(""));
    assert_false(adcs_id_ok("12345678901"));
    assert_false(adcs_id_ok("12a"));
    assert_false(adcs_id_ok("-1"));
    assert_false(adcs_id_ok("1&Enc=b64"));
    assert_false(adcs_id_ok("CACert"));
    adcs_fetch_path("83", &out);
    assert_string_equal(buf_text(&out), "certnew.cer?ReqID=83&Enc=bin");
    buf_free(&out);
}

static void hresults(void **state)
{
    (void)state;
    assert_int_equal(adcs_class(0x80094800), ERR_TEMPLATE);
    assert_int_equal(adcs_class(0x80094802), ERR_TEMPLATE);
    assert_int_equal(adcs_class(0x80094012), ERR_DENIED);
    assert_int_equal(adcs_class(0x80094011), ERR_FORBIDDEN);
    assert_int_equal(adcs_class(0x80094001), ERR_INPUT);
    assert_int_equal(adcs_class(0x8009480f), ERR_INPUT);
    assert_int_equal(adcs_class(0x80094004), ERR_GONE);
    assert_int_equal(adcs_class(0x80094014), ERR_DENIED);
    assert_int_equal(adcs_class(0x80094009), ERR_FORBIDDEN);
    assert_int_equal(adcs_class(0x80070005), ERR_FORBIDDEN);
    assert_int_equal(adcs_class(0x800706ba), ERR_NET);
    assert_int_equal(adcs_class(0x80094015), ERR_NET);
    assert_int_equal(adcs_class(0), ERR_DENIED);
    assert_int_equal(adcs_class(0x80091234), ERR_DENIED);
    assert_string_equal(adcs_hresult_name(0x80094800), "CERTSRV_E_UNSUPPORTED_CERT_TYPE");
    assert_string_equal(adcs_hresult_name(0x800706ba), "RPC_S_SERVER_UNAVAILABLE");
    assert_null(adcs_hresult_name(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page),
        cmocka_unit_test(page_faults),
        cmocka_unit_test(no_pages),
        cmocka_unit_test(large_page),
        cmocka_unit_test(cut_pages),
        cmocka_unit_test(long_message),
        cmocka_unit_test(code_without_id),
        cmocka_unit_test(fetched),
        cmocka_unit_test(attributes),
        cmocka_unit_test(form),
        cmocka_unit_test(ids),
        cmocka_unit_test(hresults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
