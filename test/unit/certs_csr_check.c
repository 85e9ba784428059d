/*
 * csr_check.h: a request that is what its challenge entitles to, and everything that can be different about
 * it, one thing at a time.
 */
#include "test/unit/csr_fixture.h"

static struct err e;
static struct lib *lib;
static EVP_PKEY *rsa2048, *rsa3072, *p256;
static struct csr_claims claims;
static struct req good;
static struct csr_limits limits;
static const char *const ekus[] = { "1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2",
    "1.3.6.1.5.5.7.3.1", "2.5.29.37.0", "1.3.6.1.4.1.311.20.2.1" };
static const char *const extensions[] = { "1.2.3.4", "1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.21.7",
    "1.3.6.1.4.1.311.21.10" };
static const char *const attributes[] = { "1.3.6.1.4.1.311.13.2.3", "1.3.6.1.4.1.311.13.2.1" };

#define SID      "S-1-5-21-1-2-3-1105"
#define SID_TAG  "tag:microsoft.com,2022-09-14:sid:"
#define SID_HEAD "DER:3025a023060a2b060104018237190201a0150413532d312d352d32312d312d322d332d313130"
#define UPN      "otherName=1.3.6.1.4.1.311.20.2.3;UTF8:"
#define NAMES    "@DNS=host.contoso.example|email=ada@contoso.example|IP=192.0.2.1|URI=urn:x|" URI_SID
#define URI_SID  "URI=" SID_TAG SID
#define ADA      "|" UPN "ada@contoso.example"

enum { KU, EKU, SAN, BC, EXTRA, EXTRA2 };

static int setup(void **state)
{
    (void)state;
    e = (struct err){ 0 };
    claims = (struct csr_claims){ .t = { .key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
                                      .key = KEY_RSA2048,
                                      .hash = HASH_SHA384 } };
    T_OK(name_parse(&claims.t.subject, "CN=Ada,OU=Sales,O=Contoso", NULL, 0, &e));
    T_OK(template_add_san(&claims.t, SAN_DNS, "host.contoso.example", &e));
    T_OK(template_add_san(&claims.t, SAN_EMAIL, "ada@contoso.example", &e));
    T_OK(template_add_san(&claims.t, SAN_IP, "192.0.2.1", &e));
    T_OK(template_add_san(&claims.t, SAN_URI, "urn:x", &e));
    T_OK(template_add_san(&claims.t, SAN_UPN, "ada@contoso.example", &e));
    T_OK(template_set_sid(&claims.t, SID, SID_NONE, &e));
    T_OK(template_add_eku(&claims.t, "1.3.6.1.5.5.7.3.2", &e));
    T_OK(template_add_eku(&claims.t, "1.3.6.1.4.1.311.20.2.2", &e));
    limits = (struct csr_limits){ .key_usage = 0x1f,
        .ekus = ekus,
        .eku_count = 5,
        .extensions = extensions,
        .extension_count = 4,
        .attributes = attributes,
        .attribute_count = 2 };
    good = (struct req){ .subject = "CN=Ada,OU=Sales,O=Contoso",
        .challenge_tag = DER_PRINTABLE,
        .challenge = view_text("8A3F"),
        .ext = { [KU] = { "keyUsage", "critical,digitalSignature,keyEncipherment" },
            [EKU] = { "extendedKeyUsage", "clientAuth,1.3.6.1.4.1.311.20.2.2" },
            [SAN] = { "subjectAltName", NAMES ADA },
            [BC] = { "basicConstraints", "critical,CA:FALSE" } },
        .key = rsa2048,
        .md = EVP_sha384() };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    template_free(&claims.t);
    return 0;
}

/* The way of every request: read, verified, within the limits, what was claimed. */
static int judge(void)
{
    struct buf der = BUF_INIT(REQ_MAX);
    struct csr c = { 0 };
    int rc = -1;

    req_make(&good, &der);
    if (csr_parse(buf_view(&der), &c, &e) == 0 && csr_verify(lib, &c, 2048, false, &e) == 0
        && csr_check_limits(&c, &limits, claims.t.sid, &e) == 0)
        rc = csr_check_claims(&c, &claims, &e);
    csr_free(&c);
    buf_free(&der);
    return rc;
}

/* ---- what is right, also in other clothes ---- */

static void accepts_what_was_claimed(void **state)
{
    static const char *const subjects[] = { "O=Contoso,OU=Sales,CN=Ada",
        "cn=ADA,OU=sales,O=\" contoso  \"" };
    static const char *const sans[] = {
        "@DNS=HOST.contoso.example|email=ada@CONTOSO.example|IP=192.0.2.1|URI=urn:x|" URI_SID ADA,
        NAMES "|" UPN "Ada@CONTOSO.example",
        "@" UPN "ada@contoso.example|" URI_SID "|URI=urn:x|IP=192.0.2.1|email=ada@contoso.example|"
        "DNS=host.contoso.example",
        NAMES ADA "|DNS=host.contoso.example",
    };

    T_OK(judge());
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        good.subject = subjects[i];
        T_OK(judge());
    }
    for (size_t i = 0; i < sizeof sans / sizeof *sans; i++) {
        good.ext[SAN].value = sans[i];
        T_OK(judge());
    }
    teardown(state);
    setup(state);
    good.ext[EKU].value = "1.3.6.1.4.1.311.20.2.2,clientAuth";
    good.md = EVP_sha512();
    good.ext[BC].value = NULL;
    good.ext[EXTRA] = (struct issue_ext){ "1.2.3.4", "DER:0500" };
    good.ext[EXTRA2] = (struct issue_ext){ "1.3.6.1.4.1.311.25.2", SID_HEAD "35" };
    good.before[0] = "3019060A2B0601040182370D0203310B160931302E302E31393034"; /* listed */
    T_OK(judge());
    good.ext[SAN].value =
        "@DNS=host.contoso.example|email=ada@contoso.example|IP=192.0.2.1|URI=urn:x" ADA;
    T_OK(judge()); /* the SID in the extension alone */
}

/* ---- one thing changed ---- */

struct row {
    const char *says;
    enum err_class cls;
    const char *subject, *subject_hex;
    int at;
    const char *value, *name; /* of extension `at`; value "": without it */
    const char *attr;
    int key; /* 1: RSA 3072, 2: P-256 */
    const EVP_MD *(*md)(void);
};

static const struct row rows[] = {
    /* the subject */
    { "subject: the challenge allows \"CN=Ada, ", ERR_MISMATCH,
        .subject = "CN=Eve,OU=Sales,O=Contoso" },
    { "subject: ", ERR_MISMATCH, .subject = "CN=Ada,OU=Board,O=Contoso" },
    { "subject: ", ERR_MISMATCH, .subject = "CN=Ada,OU=Sales,O=Fabrikam" },
    { "subject: ", ERR_MISMATCH, .subject = "OU=Sales,O=Contoso" },
    { "subject: ", ERR_MISMATCH, .subject = "CN=Ada,O=Contoso" },
    { "subject: ", ERR_MISMATCH, .subject = "CN=Ada,OU=Sales" },
    { "subject: ", ERR_MISMATCH, .subject = "" },
    { "subject: ", ERR_MISMATCH, .subject = "CN=Ada,OU=Sales,O=Contoso,C=DE" },
    { "subject: ", ERR_MISMATCH, .subject = "CN=Ada,CN=Ada,OU=Sales,O=Contoso" },
    { "subject: ", ERR_MISMATCH, .subject = "CN=Ada,CN=Eve,OU=Sales,O=Contoso" },
    { "subject: ", ERR_MISMATCH, .subject = "CN=Ada,OU=Sales,OU=Sales" },
    { "subject: ", ERR_MISMATCH, .subject = "CN=Ada+OU=Sales,O=Contoso" },
    { "subject: ", ERR_MISMATCH, .subject = "CN=Ada+UID=eve,OU=Sales,O=Contoso" },
    { "subject: ", ERR_MISMATCH, .subject = "CN=Ada2,OU=Sales,O=Contoso" },
    { "subject: ", ERR_MISMATCH, .subject = "O=Ada,OU=Sales,CN=Contoso" },
    { "request subject: not a name", ERR_PROTO, .subject_hex = "30023100" },
    /* alternative names: another, one more, one less */
    { "subjectAltName: the challenge allows \"DNS host.contoso.example\", the request has "
      "\"DNS eve.example\"",
        ERR_MISMATCH, .at = SAN,
        .value = "@DNS=eve.example|email=ada@contoso.example|IP=192.0.2.1|URI=urn:x|" URI_SID ADA },
    { "the request has \"DNS eve.example\", it is not among the 6 the challenge allows",
        ERR_MISMATCH, .at = SAN, .value = NAMES ADA "|DNS=eve.example" },
    { "the challenge allows \"DNS host.contoso.example\", it is not among the 5 the request has",
        ERR_MISMATCH, .at = SAN,
        .value = "@email=ada@contoso.example|IP=192.0.2.1|URI=urn:x|" URI_SID ADA },
    { "subjectAltName: the challenge allows \"EMAIL ada@contoso.example\", the request has "
      "\"EMAIL eve@contoso.example\"",
        ERR_MISMATCH, .at = SAN,
        .value =
            "@DNS=host.contoso.example|email=eve@contoso.example|IP=192.0.2.1|URI=urn:x|" URI_SID
                ADA },
    { "the request has \"EMAIL ADA@contoso.example\"", ERR_MISMATCH, .at = SAN,
        .value = NAMES ADA "|email=ADA@contoso.example" },
    { "allows \"EMAIL ada@contoso.example\", it is not", ERR_MISMATCH, .at = SAN,
        .value = "@DNS=host.contoso.example|IP=192.0.2.1|URI=urn:x|" URI_SID ADA },
    { "the request has \"IP 192.0.2.9\"", ERR_MISMATCH, .at = SAN,
        .value =
            "@DNS=host.contoso.example|email=ada@contoso.example|IP=192.0.2.9|URI=urn:x|" URI_SID
                ADA },
    { "the request has \"IP 2001:db8:0:0", ERR_MISMATCH, .at = SAN,
        .value = NAMES ADA "|IP=2001:db8::1" },
    { "allows \"IP 192.0.2.1\", it is not", ERR_MISMATCH, .at = SAN,
        .value = "@DNS=host.contoso.example|email=ada@contoso.example|URI=urn:x|" URI_SID ADA },
    { "the request has \"URI urn:X\"", ERR_MISMATCH, .at = SAN,
        .value =
            "@DNS=host.contoso.example|email=ada@contoso.example|IP=192.0.2.1|URI=urn:X|" URI_SID
                ADA },
    { "the request has \"URI urn:y\"", ERR_MISMATCH, .at = SAN, .value = NAMES ADA "|URI=urn:y" },
    { "allows \"URI urn:x\", it is not", ERR_MISMATCH, .at = SAN,
        .value = "@DNS=host.contoso.example|email=ada@contoso.example|IP=192.0.2.1|" URI_SID ADA },
    { "the challenge allows \"UPN ada@contoso.example\", the request has \"UPN "
      "eve@contoso.example\"",
        ERR_MISMATCH, .at = SAN, .value = NAMES "|" UPN "eve@contoso.example" },
    { "the request has \"UPN eve@contoso.example\"", ERR_MISMATCH, .at = SAN,
        .value = NAMES ADA "|" UPN "eve@contoso.example" },
    { "allows \"UPN ada@contoso.example\", it is not", ERR_MISMATCH, .at = SAN, .value = NAMES },
    { "the request has \"UPN ada@contoso.example.evil\"", ERR_MISMATCH, .at = SAN,
        .value = NAMES ADA "|" UPN "ada@contoso.example.evil" },
    { "subjectAltName: otherName 1.3.6.1.4.1.311.20.2.3 may not be asked for", ERR_INPUT, .at = SAN,
        .value = NAMES ADA "|otherName=1.3.6.1.4.1.311.20.2.3;IA5:eve@contoso.example" },
    { "subjectAltName: otherName 1.3.6.1.5.2.2 may not be asked for", ERR_INPUT, .at = SAN,
        .value = NAMES ADA "|otherName=1.3.6.1.5.2.2;UTF8:eve" },
    { "subjectAltName: a name of type [8] may not be asked for", ERR_INPUT, .at = SAN,
        .value = NAMES ADA "|RID=1.2.3" },
    { "allows \"", ERR_MISMATCH, .at = SAN, .value = "@" URI_SID },
    /* the SID */
    { "SID: the challenge allows " SID ", it is missing", ERR_MISMATCH, .at = SAN, .value = "" },
    { "sid:S-1-5-21-1-2-3-1106 is not the SID claimed", ERR_INPUT, .at = SAN,
        .value = NAMES ADA "|URI=" SID_TAG "S-1-5-21-1-2-3-1106" },
    { "sid:S-1-5-21-1-2-3-1105x is not", ERR_INPUT, .at = SAN, .value = NAMES ADA "|" URI_SID "x" },
    { "sid:S-1-5-21-1-2-3-500 is not", ERR_INPUT, .at = SAN,
        .value = NAMES ADA "|URI=TAG:Microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500" },
    { "SID extension: it is not " SID, ERR_INPUT, .at = EXTRA, .name = "1.3.6.1.4.1.311.25.2",
        .value = SID_HEAD "36" },
    { "SID extension: has another form", ERR_INPUT, .at = EXTRA, .name = "1.3.6.1.4.1.311.25.2",
        .value = "DER:3000" },
    { "extension 1.3.6.1.4.1.311.25.2 is critical", ERR_INPUT, .at = EXTRA,
        .name = "1.3.6.1.4.1.311.25.2", .value = "critical," SID_HEAD "35" },
    /* uses */
    { "extKeyUsage: the request has 1.3.6.1.5.5.7.3.1, which the challenge does not allow",
        ERR_MISMATCH, .at = EKU, .value = "clientAuth,1.3.6.1.4.1.311.20.2.2,serverAuth" },
    { "extKeyUsage: the request has 1.3.6.1.5.5.7.3.1", ERR_MISMATCH, .at = EKU,
        .value = "clientAuth,serverAuth" },
    { "extKeyUsage: the challenge allows 1.3.6.1.4.1.311.20.2.2, it is not among the 1",
        ERR_MISMATCH, .at = EKU, .value = "clientAuth" },
    { "extKeyUsage: the challenge allows 1.3.6.1.5.5.7.3.2, it is not among the 0", ERR_MISMATCH,
        .at = EKU, .value = "" },
    { "extKeyUsage: 1.3.6.1.5.5.7.3.3 may not be asked for", ERR_INPUT, .at = EKU,
        .value = "clientAuth,1.3.6.1.4.1.311.20.2.2,codeSigning" },
    { "extKeyUsage: 2.5.29.37.0 may not", ERR_INPUT, .at = EKU,
        .value = "clientAuth,1.3.6.1.4.1.311.20.2.2,anyExtendedKeyUsage" },
    { "extKeyUsage: 1.3.6.1.4.1.311.20.2.1 may not", ERR_INPUT, .at = EKU,
        .value = "clientAuth,1.3.6.1.4.1.311.20.2.2,1.3.6.1.4.1.311.20.2.1" },
    { "keyUsage: the challenge allows 0x5, the request has 0x7", ERR_MISMATCH, .at = KU,
        .value = "digitalSignature,nonRepudiation,keyEncipherment" },
    { "keyUsage: the challenge allows 0x5, the request has 0x1", ERR_MISMATCH, .at = KU,
        .value = "digitalSignature" },
    { "keyUsage: the challenge allows 0x5, the request has 0x0", ERR_MISMATCH, .at = KU,
        .value = "" },
    { "keyUsage: 0x25, which may sign certificates", ERR_INPUT, .at = KU,
        .value = "digitalSignature,keyEncipherment,keyCertSign" },
    { "keyUsage: 0x45, which may sign certificates", ERR_INPUT, .at = KU,
        .value = "digitalSignature,keyEncipherment,cRLSign" },
    { "keyUsage: 0x85, allowed here is 0x1f", ERR_INPUT, .at = KU,
        .value = "digitalSignature,keyEncipherment,encipherOnly" },
    { "keyUsage: ", ERR_PROTO, .at = KU, .name = "2.5.29.15", .value = "DER:0500" },
    /* key and hash */
    { "key: the challenge allows rsa2048, the request has RSA of 3072 bits", ERR_MISMATCH,
        .key = 1 },
    { "key: the challenge allows rsa2048, the request has EC of 256 bits", ERR_MISMATCH, .key = 2 },
    { "hash: the challenge allows sha384 or a stronger one, the request has sha256", ERR_MISMATCH,
        .md = EVP_sha256 },
    { "signed with SHA-1", ERR_UNSUPPORTED, .md = EVP_sha1 },
    { "not supported", ERR_UNSUPPORTED, .md = EVP_md5 },
    /* extensions and attributes; the first three are on the list of what may be asked for */
    { "extension 1.3.6.1.4.1.311.20.2 may not", ERR_INPUT, .at = EXTRA,
        .name = "1.3.6.1.4.1.311.20.2", .value = "ASN1:BMPSTRING:ContosoAdmin" },
    { "extension 1.3.6.1.4.1.311.21.7 may not", ERR_INPUT, .at = EXTRA,
        .name = "1.3.6.1.4.1.311.21.7", .value = "DER:300b06032a0304020164020104" },
    { "extension 1.3.6.1.4.1.311.21.10 may not", ERR_INPUT, .at = EXTRA,
        .name = "1.3.6.1.4.1.311.21.10", .value = "DER:300c300a06082b06010505070302" },
    { "extension 1.2.3.4 is critical", ERR_INPUT, .at = EXTRA, .name = "1.2.3.4",
        .value = "critical,DER:0500" },
    { "extension 1.2.3.5 may not be asked for", ERR_INPUT, .at = EXTRA, .name = "1.2.3.5",
        .value = "DER:0500" },
    { "extension 2.5.29.32 may not", ERR_INPUT, .at = EXTRA, .name = "certificatePolicies",
        .value = "1.2.3.4" },
    { "extension 2.5.29.30 is critical", ERR_INPUT, .at = EXTRA, .name = "nameConstraints",
        .value = "critical,permitted;DNS:x" },
    { "basicConstraints: cA TRUE", ERR_INPUT, .at = BC, .value = "critical,CA:TRUE" },
    { "basicConstraints: cA TRUE", ERR_INPUT, .at = BC, .value = "CA:TRUE,pathlen:0" },
    { "basicConstraints: cA TRUE", ERR_INPUT, .at = BC, .name = "2.5.29.19",
        .value = "DER:3003010101" },
    { "basicConstraints", ERR_PROTO, .at = BC, .name = "2.5.29.19", .value = "DER:0500" },
    { "extension 2.5.29.17 stands twice", ERR_PROTO, .at = EXTRA, .name = "subjectAltName",
        .value = "DNS:eve.example" },
    { "attribute 1.3.6.1.4.1.311.21.20 may not be in a request", ERR_INPUT,
        .attr = "301B06092B0601040182371514310E300C0201010C01610C01620C0163" },
    { "attribute 1.3.6.1.4.1.311.13.2.1 may not be in a request", ERR_INPUT,
        .attr = "300E060A2B0601040182370D02013100" },
    { "attribute 1.2.840.113549.1.9.7 stands twice", ERR_PROTO,
        .attr = "300F06092A864886F70D01090731021300" },
};

static void apply(const struct row *r)
{
    if (r->subject != NULL)
        good.subject = r->subject;
    if (r->subject_hex != NULL) {
        good.subject = NULL;
        good.subject_hex = r->subject_hex;
    }
    if (r->value != NULL)
        good.ext[r->at].value = r->value[0] != '\0' ? r->value : NULL;
    if (r->name != NULL)
        good.ext[r->at].name = r->name;
    if (r->key != 0)
        good.key = r->key == 1 ? rsa3072 : p256;
    if (r->md != NULL)
        good.md = r->md();
    good.after[0] = r->attr;
}

static void refuses_every_single_change(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        apply(&rows[i]);
        T_ERR_SAYS(judge(), rows[i].cls, rows[i].says);
        teardown(state);
        setup(state);
    }
    T_OK(judge());
}

/* ---- claims that say less ---- */

static void claims_of_nothing(void **state)
{
    (void)state;
    template_free(&claims.t);
    good.ext[SAN].value = "@DNS=eve.example";
    good.subject = "CN=Eve";
    good.key = p256;
    good.md = EVP_sha256();
    good.ext[EKU].value = "serverAuth";
    good.ext[KU].value = NULL;
    T_OK(judge());
    /* but a SID is never anybody's own word */
    good.ext[SAN].value = "@" URI_SID;
    T_ERR_SAYS(judge(), ERR_INPUT, "is a SID that nobody has claimed");
    good.ext[SAN].value = NULL;
    good.ext[EXTRA] = (struct issue_ext){ "1.3.6.1.4.1.311.25.2", SID_HEAD "35" };
    T_ERR_SAYS(judge(), ERR_INPUT, "SID extension: a SID that nobody");
    good.ext[EXTRA].value = NULL;
    good.subject = "";
    T_ERR_SAYS(judge(), ERR_INPUT, "neither a subject nor");
}

/* The same part twice is two parts. */
static void parts_claimed_twice(void **state)
{
    (void)state;
    T_OK(name_add(&claims.t.subject, "OU", "Sales", false, &e));
    T_ERR_SAYS(judge(), ERR_MISMATCH, "subject: ");
    good.subject = "CN=Ada,OU=Sales,O=Contoso,O=Contoso";
    T_ERR_SAYS(judge(), ERR_MISMATCH, "subject: ");
    good.subject = "OU=Sales,CN=Ada,OU=Sales,O=Contoso";
    T_OK(judge());
}

/* One of the two kinds of name claimed: then there is none of the other. */
static void names_of_one_kind(void **state)
{
    (void)state;
    template_free(&claims.t);
    claims.has_subject = true;
    T_OK(name_parse(&claims.t.subject, "CN=Ada", NULL, 0, &e));
    good = (struct req){ .subject = "CN=Ada", .key = p256 };
    good.ext[SAN] = (struct issue_ext){ "subjectAltName", "@" UPN "admin@contoso.example" };
    T_ERR_SAYS(judge(), ERR_MISMATCH, "the request has \"UPN admin@contoso.example\"");
    good.ext[SAN].value = NULL;
    T_OK(judge());
    name_free(&claims.t.subject);
    T_ERR_SAYS(judge(), ERR_MISMATCH, "subject: the challenge allows \"\"");
    claims.has_subject = false;
    claims.has_sans = true;
    T_ERR_SAYS(judge(), ERR_MISMATCH, "subject: the challenge allows \"\"");
    good.subject = "";
    good.ext[SAN].value = "DNS:host.contoso.example";
    T_ERR_SAYS(judge(), ERR_MISMATCH, "not among the 0 the challenge allows");
    T_OK(template_add_san(&claims.t, SAN_DNS, "host.contoso.example", &e));
    T_OK(judge());
    claims.has_sans = false; /* the list itself says enough */
    T_OK(judge());
    good.subject = "CN=Eve";
    T_ERR_SAYS(judge(), ERR_MISMATCH, "subject: ");
}

static void forms_of_the_sid(void **state)
{
    static const struct {
        enum sid_encoding due;
        bool uri, extension, good;
    } forms[] = {
        { SID_NONE, true, false, true },
        { SID_NONE, false, true, true },
        { SID_NONE, false, false, false },
        { SID_URI, true, false, true },
        { SID_URI, false, true, false },
        { SID_EXTENSION, true, false, false },
        { SID_EXTENSION, false, true, true },
        { SID_BOTH, true, true, true },
        { SID_BOTH, true, false, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        template_free(&claims.t);
        T_OK(template_set_sid(&claims.t, SID, forms[i].due, &e));
        good = (struct req){ .subject = "CN=Ada", .key = p256 };
        if (forms[i].uri)
            good.ext[SAN] = (struct issue_ext){ "subjectAltName", "@" URI_SID };
        if (forms[i].extension)
            good.ext[EXTRA] = (struct issue_ext){ "1.3.6.1.4.1.311.25.2", SID_HEAD "35" };
        if (forms[i].good)
            T_OK(judge());
        else
            T_ERR_SAYS(judge(), ERR_MISMATCH, "SID: the challenge allows " SID);
    }
}

/* Nobody has been asked about the limits. */
static void claims_alone_refuse_foreign_sids(void **state)
{
    struct buf der = BUF_INIT(REQ_MAX);
    struct csr c;

    (void)state;
    template_free(&claims.t);
    good = (struct req){
        .subject = "CN=Ada", .ext = { { "subjectAltName", "@" URI_SID } }, .key = p256
    };
    req_make(&good, &der);
    T_OK(csr_parse(buf_view(&der), &c, &e));
    T_ERR_SAYS(csr_check_claims(&c, &claims, &e), ERR_MISMATCH, "SID in subjectAltName: ");
    T_OK(template_set_sid(&claims.t, "S-1-5-21-1-2-3-1106", SID_NONE, &e));
    T_ERR_SAYS(csr_check_claims(&c, &claims, &e), ERR_MISMATCH, "1106, the request has another");
    good.ext[0] = (struct issue_ext){ "1.3.6.1.4.1.311.25.2", SID_HEAD "35" };
    buf_reset(&der);
    req_make(&good, &der);
    T_OK(csr_parse(buf_view(&der), &c, &e));
    T_ERR_SAYS(csr_check_claims(&c, &claims, &e), ERR_MISMATCH, "SID in extension: ");
    template_free(&claims.t);
    T_ERR_SAYS(csr_check_claims(&c, &claims, &e), ERR_MISMATCH, "allows none, the request has");
    buf_free(&der);
}

/* The plugin has compared the whole request and says so. */
static void sids_vouched_for(void **state)
{
    struct buf der = BUF_INIT(REQ_MAX);
    struct csr c;

    (void)state;
    good.ext[EXTRA] = (struct issue_ext){ "1.3.6.1.4.1.311.25.2", SID_HEAD "36" };
    req_make(&good, &der);
    T_OK(csr_parse(buf_view(&der), &c, &e));
    T_OK(csr_check_limits(&c, &limits, CSR_SID_VOUCHED, &e));
    T_ERR_SAYS(csr_check_limits(&c, &limits, SID, &e), ERR_INPUT, "SID extension: it is not " SID);
    T_ERR_SAYS(
        csr_check_limits(&c, &limits, NULL, &e), ERR_INPUT, "SID extension: a SID that nobody");
    csr_free(&c);
    good.ext[EXTRA].value = "DER:3000"; /* what cannot be read, nobody can have compared */
    buf_reset(&der);
    req_make(&good, &der);
    T_OK(csr_parse(buf_view(&der), &c, &e));
    T_ERR_SAYS(csr_check_limits(&c, &limits, CSR_SID_VOUCHED, &e), ERR_INPUT,
        "SID extension: has another form");
    csr_free(&c);
    buf_free(&der);
}

/* A request that nobody has verified has no hash and no key size. */
static void verify_first(void **state)
{
    struct buf der = BUF_INIT(REQ_MAX);
    struct csr c;

    (void)state;
    req_make(&good, &der);
    T_OK(csr_parse(buf_view(&der), &c, &e));
    T_ERR_SAYS(csr_check_claims(&c, &claims, &e), ERR_MISMATCH, "key: ");
    claims.t.key = KEY_NONE;
    T_ERR_SAYS(csr_check_claims(&c, &claims, &e), ERR_MISMATCH, "hash: ");
    csr_free(&c);
    buf_free(&der);
}

static void memory_runs_out(void **state)
{
    struct buf der = BUF_INIT(REQ_MAX);
    unsigned long n = 0;
    struct csr c;
    int rc;

    (void)state;
    good.subject = "O=Contoso,OU=Sales,CN=ADA";
    good.ext[SAN].value = NAMES "|" UPN "ADA@contoso.example";
    req_make(&good, &der);
    T_OK(csr_parse(buf_view(&der), &c, &e));
    T_OK(csr_verify(lib, &c, 2048, false, &e));
    do {
        mem_fail_after(++n);
        rc = csr_check_limits(&c, &limits, SID, &e);
        if (rc == 0)
            rc = csr_check_claims(&c, &claims, &e);
        mem_fail_after(0);
        if (rc != 0 && e.cls != ERR_NOMEM)
            fail_msg("%lu: %s", n, e.msg);
    } while (rc != 0);
    assert_true(n > 1);
    csr_free(&c);
    buf_free(&der);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(accepts_what_was_claimed),
        T(refuses_every_single_change),
        T(claims_of_nothing),
        T(parts_claimed_twice),
        T(names_of_one_kind),
        T(forms_of_the_sid),
        T(claims_alone_refuse_foreign_sids),
        T(sids_vouched_for),
        T(verify_first),
        T(memory_runs_out),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    rsa2048 = issue_key("rsa2048");
    rsa3072 = issue_key("rsa3072");
    p256 = issue_key("P-256");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    EVP_PKEY_free(rsa2048);
    EVP_PKEY_free(rsa3072);
    EVP_PKEY_free(p256);
    lib_free(lib);
    return failed;
}
