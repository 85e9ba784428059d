/* check.h: real certificates that differ in one thing from what was asked for, and what is said then. */
#include "test/unit/check_fixture.h"

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
            "asked for \"EMAIL ada@contoso.example\", got \"EMAIL ADA@contoso.example\"" },
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
    good.begin = ISSUE_NOW - 600; /* two days for the calendar, an hour for dating back, the skew */
    good.end = good.begin + YEAR + 2 * ISSUE_DAY + 3600 + 300;
    T_OK(check());
    good.end++;
    T_ERR_SAYS(
        check(), ERR_MISMATCH, "validity: asked for at most 31708800 s (367 days), got 31712701 s");
    t.validity_s = 0;
    T_OK(check());
    policy.validity_max_s = 90 * ISSUE_DAY;
    T_ERR_SAYS(check(), ERR_MISMATCH, "asked for at most 7776000 s (90 days), got");
    good.end = good.begin + 90 * ISSUE_DAY + 3600 + 300;
    T_OK(check());
    good.end++;
    T_ERR_SAYS(check(), ERR_MISMATCH, "(90 days), got");
    policy.validity_max_s = 0;
    t.validity_s = ISSUE_DAY; /* days are even */
    good.end = good.begin + ISSUE_DAY + 3600 + 300;
    T_OK(check());
    good.end++;
    T_ERR_SAYS(check(), ERR_MISMATCH, "(1 days), got");
    good.end = good.begin + 366 * ISSUE_DAY;
    t.validity_s = 31556952; /* "one year", and it is a leap year */
    T_OK(check());
    t.validity_s = ISSUE_DAY;
    policy.validity_max_s = 400 * ISSUE_DAY; /* the configured limit wins */
    T_OK(check());
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
    };
    int failed;

    if (start() != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    stop();
    return failed;
}
