/* csr_read.h: requests as clients write them; what is refused, and for what. */
#include "test/unit/csr_fixture.h"
#include "certs/csr.h"
#include "certs/key.h"

static struct err e;
static struct lib *lib;
static EVP_PKEY *p256;
static struct buf der = BUF_INIT(REQ_MAX), text = BUF_INIT(REQ_MAX);
static struct csr c;

#define CHALLENGE(tag, bytes) \
    .challenge_tag = (tag), .challenge = { (const uint8_t *)(bytes), sizeof(bytes) - 1 }

/* What Windows adds: OS version, client information, CSP; a name-value pair. */
#define OS_VERSION  "3019060A2B0601040182370D0203310B160931302E302E31393034"
#define CLIENT_INFO "301B06092B0601040182371514310E300C0201010C01610C01620C0163"
#define CSP         "301A060A2B0601040182370D0202310C300A0201011E020041030100"

static int teardown(void **state)
{
    (void)state;
    csr_free(&c);
    e = (struct err){ 0 };
    return 0;
}

static int parse(const struct req *r)
{
    buf_reset(&der);
    req_make(r, &der);
    csr_free(&c);
    return csr_parse(buf_view(&der), &c, &e);
}

static const char *san_at(size_t i)
{
    buf_reset(&text);
    return csr_san_at(&c, i, &text) ? buf_text(&text) : NULL;
}

static const char *eku_at(size_t i)
{
    buf_reset(&text);
    return csr_eku_at(&c, i, &text) ? buf_text(&text) : NULL;
}

static const char *oid_of(struct view oid)
{
    buf_reset(&text);
    der_oid_text(oid, &text);
    return buf_text(&text);
}

/* ---- what is there ---- */

static void every_part(void **state)
{
    struct req r = { .subject = "CN=Ada,O=Contoso",
        CHALLENGE(DER_PRINTABLE, "8A3F secret"),
        .ext = { { "keyUsage", "critical,digitalSignature,keyEncipherment" },
            { "extendedKeyUsage", "clientAuth,1.3.6.1.4.1.311.20.2.2" },
            { "subjectAltName",
                "DNS:host.contoso.example,email:ada@contoso.example,URI:urn:x,IP:192.0.2.1,"
                "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:ada@contoso.example,RID:1.2.3" },
            { "basicConstraints", "CA:FALSE" }, { "subjectKeyIdentifier", "01:02" },
            { "1.3.6.1.4.1.311.25.2", "DER:3000" }, { "1.2.3.4", "critical,DER:0500" } },
        .key = p256 };
    unsigned bits = 0;
    struct view spki;

    (void)state;
    T_OK(parse(&r));
    assert_true(view_equal(c.der, buf_view(&der)));
    T_OK(csr_spki(c.der, &spki, &e));
    assert_true(view_equal(c.spki, spki));
    buf_reset(&text);
    name_text(c.subject, &text);
    assert_string_equal(buf_text(&text), "CN=Ada, O=Contoso");
    assert_true(c.has_challenge);
    assert_true(c.challenge.secret);
    assert_string_equal(buf_text(&c.challenge), "8A3F secret");
    T_OK(csr_key_usage(&c, &bits, &e));
    assert_int_equal(bits, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_string_equal(eku_at(0), "1.3.6.1.5.5.7.3.2");
    assert_string_equal(eku_at(1), "1.3.6.1.4.1.311.20.2.2");
    assert_null(eku_at(2));
    assert_string_equal(san_at(0), "DNS host.contoso.example");
    assert_string_equal(san_at(1), "EMAIL ada@contoso.example");
    assert_string_equal(san_at(2), "URI urn:x");
    assert_string_equal(san_at(3), "IP 192.0.2.1");
    assert_string_equal(san_at(4), "UPN ada@contoso.example");
    assert_string_equal(san_at(5), "a name of type [8]");
    assert_null(san_at(6));
    assert_int_equal(c.basic_constraints.len, 2);
    assert_int_equal(c.ski.len, 4);
    assert_int_equal(c.sid.len, 2);
    assert_int_equal(c.other_count, 2);
    assert_string_equal(oid_of(c.other_oid[0]), "1.3.6.1.4.1.311.25.2");
    assert_false(c.other_critical[0]);
    assert_string_equal(oid_of(c.other_oid[1]), "1.2.3.4");
    assert_true(c.other_critical[1]);
    assert_int_equal(c.attribute_count, 0);
}

static void nothing_but_a_name(void **state)
{
    struct req r = { .subject = "CN=Ada", .key = p256 };
    unsigned bits = 1;

    (void)state;
    T_OK(parse(&r));
    assert_false(c.has_challenge);
    T_OK(csr_key_usage(&c, &bits, &e));
    assert_int_equal(bits, 0);
    assert_null(san_at(0));
    assert_null(eku_at(0));
    assert_int_equal(c.challenge.len + c.san.len + c.eku.len + c.attribute_count, 0);
}

/* Ours, and what OpenSSL's tools make of the same. */
static void as_our_own_are_written(void **state)
{
    struct template t = { .hash = HASH_SHA256, .key_usage = KU_DIGITAL_SIGNATURE };
    struct key *key = key_new(lib, KEY_P256, KEYGEN_FAST, &e);

    (void)state;
    assert_non_null(key);
    T_OK(name_add(&t.subject, "CN", "Ada", false, &e));
    T_OK(template_add_san(&t, SAN_UPN, "ada@contoso.example", &e));
    T_OK(template_add_eku(&t, "1.2.3", &e));
    t.name = xstrdup("ContosoUser");
    t.in_csr_pair = t.in_csr_v1 = true;
    buf_reset(&der);
    T_OK(csr_build(lib, &t, key, &der, &e));
    T_OK(csr_parse(buf_view(&der), &c, &e));
    T_OK(csr_verify(lib, &c, 2048, false, &e));
    assert_string_equal(san_at(0), "UPN ada@contoso.example");
    assert_string_equal(eku_at(0), "1.2.3");
    assert_string_equal(oid_of(c.other_oid[0]), "1.3.6.1.4.1.311.20.2");
    assert_string_equal(oid_of(c.attribute_oid[0]), "1.3.6.1.4.1.311.13.2.1");
    template_free(&t);
    key_free(key);
}

/* strongSwan sorts nothing; Windows brings attributes of its own and an extension request under its OID. */
static void attributes_in_any_order(void **state)
{
    struct req r = { .subject = "CN=Ada",
        .before = { CLIENT_INFO, OS_VERSION },
        .after = { CSP },
        CHALLENGE(DER_UTF8, "x"),
        .request_oid = "1.3.6.1.4.1.311.2.1.14",
        .ext = { { "subjectAltName", "DNS:a" } },
        .key = p256 };

    (void)state;
    T_OK(parse(&r));
    assert_string_equal(san_at(0), "DNS a");
    assert_int_equal(c.attribute_count, 3);
    assert_string_equal(oid_of(c.attribute_oid[0]), "1.3.6.1.4.1.311.21.20");
    assert_string_equal(oid_of(c.attribute_oid[1]), "1.3.6.1.4.1.311.13.2.3");
    assert_string_equal(oid_of(c.attribute_oid[2]), "1.3.6.1.4.1.311.13.2.2");
    T_OK(csr_verify(lib, &c, 2048, false, &e));
}

static void challenges_in_every_string_type(void **state)
{
    static const struct {
        uint8_t tag;
        struct view bytes;
        const char *text; /* NULL: refused */
    } rows[] = {
#define ROW(tag, bytes, text) { tag, { (const uint8_t *)(bytes), sizeof(bytes) - 1 }, text }
        ROW(DER_PRINTABLE, "8A3F", "8A3F"),
        ROW(DER_PRINTABLE, "a_b@c*", "a_b@c*"), /* not of that alphabet, but clients do */
        ROW(DER_IA5, "8A3F", "8A3F"),
        ROW(DER_UTF8, "J\xc3\xbcrgen", "J\xc3\xbcrgen"),
        ROW(DER_BMP, "\0J\0\xfc\x20\xac", "J\xc3\xbc\xe2\x82\xac"),
        ROW(0x14, "J\xfc", "J\xc3\xbc"),
        ROW(0x1c, "\0\0\0J\0\1\xf6\0", "J\xf0\x9f\x98\x80"),
        ROW(DER_PRINTABLE, "", NULL),
        ROW(DER_PRINTABLE, "8A3F\0", NULL),
        ROW(DER_PRINTABLE, "8A\0 3F", NULL),
        ROW(DER_PRINTABLE, "8A3F\n", NULL),
        ROW(DER_PRINTABLE, "\xfc", NULL),
        ROW(DER_UTF8, "\xff", NULL),
        ROW(DER_BMP, "\0J\0", NULL),
        ROW(DER_BMP, "\0J\0\0", NULL),
        ROW(DER_BMP, "\xd8\0\xdc\0", NULL),
        ROW(0x1c, "\0\0\0", NULL),
        ROW(DER_OCTET_STRING, "8A3F", NULL),
        ROW(DER_INTEGER, "\1", NULL),
        ROW(0x33, "8A3F", NULL),
#undef ROW
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct req r = { .subject = "CN=Ada",
            .challenge_tag = rows[i].tag,
            .challenge = rows[i].bytes,
            .key = p256 };

        if (rows[i].text == NULL) {
            T_ERR_SAYS(parse(&r), ERR_PROTO, "challengePassword: ");
            continue;
        }
        T_OK(parse(&r));
        assert_true(c.has_challenge);
        assert_string_equal(buf_text(&c.challenge), rows[i].text);
    }
}

static void long_challenges(void **state)
{
    static uint8_t bytes[(64 << 10) + 1];
    struct req r = { .subject = "CN=Ada",
        .challenge_tag = DER_PRINTABLE,
        .challenge = { bytes, 64 << 10 },
        .key = p256 };

    (void)state;
    memset(bytes, 'A', sizeof bytes);
    T_OK(parse(&r));
    assert_int_equal(c.challenge.len, 64 << 10);
    r.challenge.len++;
    T_ERR_SAYS(parse(&r), ERR_PROTO, "challengePassword: more than 65536 bytes");
}

/* ---- what is refused ---- */

#define CHALLENGE_ATTR "301106092A864886F70D010907310413023841"
#define REQUEST        "301B06092A864886F70D01090E310E300C300A0603551D130403020100"

static void broken_attributes(void **state)
{
    static const struct {
        struct req r;
        const char *says;
    } rows[] = {
        { { .before = { CHALLENGE_ATTR, CHALLENGE_ATTR } },
            "attribute 1.2.840.113549.1.9.7 stands twice" },
        { { .before = { CHALLENGE_ATTR }, CHALLENGE(DER_UTF8, "x") }, "stands twice" },
        { { .before = { REQUEST, REQUEST } }, "attribute 1.2.840.113549.1.9.14 stands twice" },
        { { .before = { REQUEST },
              .request_oid = "1.3.6.1.4.1.311.2.1.14",
              .ext = { { "subjectAltName", "DNS:a" } } },
            "two extension requests" },
        { { .before = { OS_VERSION, OS_VERSION } }, "1.3.6.1.4.1.311.13.2.3 stands twice" },
        { { .before = { "301506092A864886F70D01090731081302384113023841" } },
            "challengePassword: 4 bytes too many" },
        { { .before = { "300D06092A864886F70D0109073100" } }, "challengePassword: DER" },
        { { .before = { "300D06092A864886F70D01090E3100" } }, "extension request: DER" },
        { { .before = { "301106092A864886F70D01090E310430003000" } }, "2 bytes too many" },
        { { .before = { "300F06092A864886F70D01090E31023100" } }, "extension request: tag 0x31" },
        { { .before = { "301806092A864886F70D01090E310B300930070603551D110400" } },
            "extension 2.5.29.17 has no value" },
        { { .before = { "3000" } }, "attribute: DER" },
        { { .before = { "300506032A0304" } }, "attribute values: DER" },
        { { .before = { "300706032A03043000" } }, "attribute values: tag 0x30" },
        { { .before = { "300906032A030431000500" } }, "attribute: 2 bytes too many" },
        { { .before = { "0500" } }, "attribute: tag 0x05" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct req r = rows[i].r;

        r.subject = "CN=Ada";
        r.key = p256;
        T_ERR_SAYS(parse(&r), ERR_PROTO, rows[i].says);
    }
}

static void broken_extensions(void **state)
{
    static const struct {
        struct issue_ext ext[3];
        const char *says;
    } rows[] = {
        { { { "subjectAltName", "DNS:a" }, { "subjectAltName", "DNS:b" } },
            "extension 2.5.29.17 stands twice" },
        { { { "1.2.3", "DER:0500" }, { "1.2.3", "DER:0500" } }, "extension 1.2.3 stands twice" },
        { { { "2.5.29.17", "DER:3000" } }, "subjectAltName: no name in it" },
        { { { "2.5.29.17", "DER:0500" } }, "subjectAltName: tag 0x05" },
        { { { "2.5.29.17", "DER:30038201610500" } }, "subjectAltName: 2 bytes too many" },
        { { { "2.5.29.17", "DER:3003820261" } }, "subjectAltName" },
        { { { "2.5.29.17", "DER:30030c0161" } }, "subjectAltName: tag 0x0c is no name" },
        { { { "2.5.29.17", "DER:30028200" } }, "subjectAltName: an empty name" },
        { { { "2.5.29.17", "DER:30058203610062" } }, "a name that is not plain text" },
        { { { "2.5.29.17", "DER:300482026180" } }, "a name that is not plain text" },
        { { { "2.5.29.17", "DER:30058703010203" } }, "an address of 3 bytes" },
        { { { "2.5.29.17", "DER:3014a012060a2b060104018237140203a0040c02610a" } },
            "a name that is not plain text" },
        { { { "2.5.29.37", "DER:3000" } }, "extKeyUsage: no use in it" },
        { { { "2.5.29.37", "DER:30020500" } }, "extKeyUsage: tag 0x05" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct req r = { .subject = "CN=Ada", .key = p256 };

        memcpy(r.ext, rows[i].ext, sizeof rows[i].ext);
        T_ERR_SAYS(parse(&r), ERR_PROTO, rows[i].says);
    }
}

static void broken_key_usage(void **state)
{
    struct req r = { .subject = "CN=Ada", .ext = { { "2.5.29.15", "DER:0500" } }, .key = p256 };
    unsigned bits;

    (void)state;
    T_OK(parse(&r));
    T_ERR_SAYS(csr_key_usage(&c, &bits, &e), ERR_PROTO, "keyUsage");
}

static void broken_subjects(void **state)
{
    static const char *const names[] = { "30023100", "3003310130", "30043102300", "30020500",
        "300C310A300806035504030C0161" };
    struct req r = { .subject_hex = names[0], .key = p256 };

    (void)state;
    T_ERR_SAYS(parse(&r), ERR_PROTO, "request subject: not a name");
    r.subject_hex = names[1];
    T_ERR_SAYS(parse(&r), ERR_PROTO, "request subject: not a name");
    r.subject_hex = names[3];
    T_ERR_SAYS(parse(&r), ERR_PROTO, "request subject: not a name");
    r.subject_hex = names[4];
    T_OK(parse(&r));
    r.subject_hex = "3000";
    T_OK(parse(&r));
}

/* So many of a kind, and one more. */
static void counted(
    const char *what, size_t most, const char *first, const char *each, const char *says)
{
    for (size_t n = most; n <= most + 1; n++) {
        struct req r = { .subject = "CN=Ada", .key = p256 };
        struct buf value = BUF_INIT(REQ_MAX);

        buf_add_text(&value, first);
        for (size_t i = 0; i < n; i++)
            buf_printf(&value, "%s%s%zu", i != 0 ? "," : "", each, i);
        r.ext[0] = (struct issue_ext){ what, buf_text(&value) };
        if (n == most)
            T_OK(parse(&r));
        else
            T_ERR_SAYS(parse(&r), ERR_PROTO, says);
        buf_free(&value);
    }
}

static void too_many(void **state)
{
    struct req r = { .subject = "CN=Ada", .key = p256 };
    char oid[40][12], attr[40][40];

    (void)state;
    counted("subjectAltName", CSR_SANS_MAX, "", "DNS:h", "more than 64 names");
    counted("extendedKeyUsage", CSR_EKUS_MAX, "", "1.2.", "extKeyUsage: more than 32");
    for (size_t i = 0; i <= CSR_LIST_MAX; i++) {
        (void)snprintf(oid[i], sizeof oid[i], "1.2.%zu", i);
        (void)snprintf(attr[i], sizeof attr[i], "300706032A03%02zX3100", i);
    }
    for (size_t i = 0; i < CSR_LIST_MAX; i++) {
        r.ext[i] = (struct issue_ext){ oid[i], "DER:0500" };
        r.before[i] = attr[i];
    }
    r.ext[CSR_LIST_MAX + 1] = (struct issue_ext){ "subjectAltName", "DNS:a" };
    T_OK(parse(&r));
    assert_int_equal(c.other_count, CSR_LIST_MAX);
    assert_int_equal(c.attribute_count, CSR_LIST_MAX);
    r.ext[CSR_LIST_MAX] = (struct issue_ext){ oid[CSR_LIST_MAX], "DER:0500" };
    T_ERR_SAYS(parse(&r), ERR_PROTO, "extension: more than 32");
    r.ext[CSR_LIST_MAX].value = NULL;
    r.before[CSR_LIST_MAX] = attr[CSR_LIST_MAX];
    T_ERR_SAYS(parse(&r), ERR_PROTO, "attribute: more than 32");
}

static void broken_outside(void **state)
{
    struct req r = { .subject = "CN=Ada",
        CHALLENGE(DER_PRINTABLE, "8A3F"),
        .ext = { { "subjectAltName", "DNS:a" } },
        .key = p256 };

    (void)state;
    T_OK(parse(&r));
    for (size_t len = 0; len < der.len; len++) {
        struct csr cut = { .attribute_count = 7 };

        T_ERR(csr_parse(view_of(der.p, len), &cut, &e), ERR_PROTO);
        assert_int_equal(cut.attribute_count, 7);
    }
    buf_add_byte(&der, 0);
    csr_free(&c);
    T_ERR_SAYS(csr_parse(buf_view(&der), &c, &e), ERR_PROTO, "request: 1 bytes too many");
    buf_truncate(&der, der.len - 1);
    assert_int_equal(der.p[8], 0); /* 30 81 len 30 81 len 02 01 00 */
    der.p[8] = 1;
    T_ERR_SAYS(csr_parse(buf_view(&der), &c, &e), ERR_PROTO, "request version: not v1");
}

/* RFC 2986 has the attributes in every request; without any, some clients leave the field out. */
static void no_attributes_field(void **state)
{
    struct req r = { .subject = "CN=Ada", .key = p256 };

    (void)state;
    T_OK(parse(&r)); /* ends in A0 00, and this is how long the parts are */
    for (size_t i = c.tbs.len; i-- > c.tbs.len - 2;)
        assert_int_equal(c.tbs.p[i], i % 2 == c.tbs.len % 2 ? 0xa0 : 0x00);
    memmove(der.p + (c.tbs.p - der.p) + c.tbs.len - 2, c.tbs.p + c.tbs.len,
        (size_t)(der.p + der.len - c.tbs.p) - c.tbs.len);
    buf_truncate(&der, der.len - 2);
    assert_int_equal(der.p[1], 0x81);
    der.p[2] = (uint8_t)(der.p[2] - 2);
    assert_int_equal(der.p[3], 0x30);
    if (der.p[4] == 0x81)
        der.p[5] = (uint8_t)(der.p[5] - 2);
    else
        der.p[4] = (uint8_t)(der.p[4] - 2);
    csr_free(&c);
    T_OK(csr_parse(buf_view(&der), &c, &e));
    T_ERR(csr_verify(lib, &c, 2048, false, &e), ERR_MISMATCH); /* signed otherwise */
}

/* ---- signatures and keys ---- */

static void verified(EVP_PKEY *key, const EVP_MD *md, bool ec, size_t bits, enum digest hash)
{
    struct req r = { .subject = "CN=Ada", .key = key, .md = md };

    T_OK(parse(&r));
    T_OK(csr_verify(lib, &c, 2048, hash == DIGEST_SHA1, &e));
    assert_int_equal(c.ec, ec);
    assert_int_equal(c.key_bits, bits);
    assert_int_equal(c.hash, hash);
    if (hash == DIGEST_SHA1)
        T_ERR_SAYS(csr_verify(lib, &c, 2048, false, &e), ERR_UNSUPPORTED, "SHA-1");
}

static void good_signatures(void **state)
{
    EVP_PKEY *rsa = issue_key("rsa2048"), *p384 = issue_key("P-384"), *p521 = issue_key("P-521");

    (void)state;
    verified(rsa, EVP_sha256(), false, 2048, DIGEST_SHA256);
    verified(rsa, EVP_sha512(), false, 2048, DIGEST_SHA512);
    verified(rsa, EVP_sha1(), false, 2048, DIGEST_SHA1);
    verified(p256, EVP_sha256(), true, 256, DIGEST_SHA256);
    verified(p384, EVP_sha384(), true, 384, DIGEST_SHA384);
    verified(p521, EVP_sha512(), true, 521, DIGEST_SHA512);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(p384);
    EVP_PKEY_free(p521);
}

static void bad_signatures(void **state)
{
    EVP_PKEY *other = issue_key("P-256"), *rsa = issue_key("rsa2048");
    struct req r = { .subject = "CN=Ada", .key = p256, .signer = other };

    (void)state;
    T_OK(parse(&r));
    T_ERR_SAYS(csr_verify(lib, &c, 2048, false, &e), ERR_MISMATCH, "request: ");
    assert_int_equal(c.hash, DIGEST_NONE);
    r.signer = rsa; /* the algorithm does not fit the key */
    T_OK(parse(&r));
    T_ERR(csr_verify(lib, &c, 2048, false, &e), ERR_UNSUPPORTED);
    r.signer = NULL;
    T_OK(parse(&r));
    der.p[c.subject.p - der.p + (long)c.subject.len - 1] ^= 1;
    T_ERR(csr_verify(lib, &c, 2048, false, &e), ERR_MISMATCH);
    EVP_PKEY_free(other);
    EVP_PKEY_free(rsa);
}

static EVP_PKEY *rsa_with_exponent(const char *decimal)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *power = NULL;
    EVP_PKEY *key = NULL;

    BN_dec2bn(&power, decimal);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, power), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    BN_free(power);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void weak_keys(void **state)
{
    struct {
        EVP_PKEY *key;
        const EVP_MD *md;
        const char *says;
    } rows[] = {
        { issue_key("rsa1024"), NULL, "an RSA key of 1024 bits, allowed are 2048 to 8192" },
        { issue_key("rsa2047"), NULL, "an RSA key of 2047 bits" },
        { rsa_with_exponent("3"), NULL, "exponent" },
        { rsa_with_exponent("65535"), NULL, "exponent" },
        { issue_key("rsa2048"), EVP_md5(), "not supported" },
        { issue_key("ed25519"), NULL, "a key of type 1.3.101.112" },
        { issue_key("secp256k1"), NULL, "curve 1.3.132.0.10" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct req r = { .subject = "CN=Ada", .key = rows[i].key, .md = rows[i].md };

        T_OK(parse(&r));
        T_ERR_SAYS(csr_verify(lib, &c, 2048, true, &e), ERR_UNSUPPORTED, rows[i].says);
        EVP_PKEY_free(rows[i].key);
    }
}

/* SubjectPublicKeyInfo of RSA, of whatever numbers. */
static void odd_numbers(void **state)
{
    static const struct {
        size_t modulus_len;
        uint8_t last;
        const char *power_hex, *says;
    } rows[] = {
        { 1025, 1, "010001", "an RSA key of 8200 bits" },
        { 256, 2, "010001", "an even modulus" },
        { 256, 1, "010002", "exponent" },
        { 256, 1, "010000000000000000000000000000000000000000000000000000000000000001",
            "exponent" },
        { 256, 1, "", "exponent" },
        { 0, 0, "010001", "an RSA key of 0 bits" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf spki = BUF_INIT(1 << 16), power = BUF_INIT(100), hex = BUF_INIT(1 << 16);
        uint8_t modulus[1025] = { 0x80 };
        struct req r = { .subject = "CN=Ada", .key = p256 };
        size_t seq, bits, inner;

        if (rows[i].modulus_len != 0)
            modulus[rows[i].modulus_len - 1] = rows[i].last;
        req_hex(rows[i].power_hex, &power);
        seq = der_open(&spki, DER_SEQUENCE);
        req_hex("300D06092A864886F70D0101010500", &spki);
        bits = der_open(&spki, DER_BIT_STRING);
        buf_add_byte(&spki, 0);
        inner = der_open(&spki, DER_SEQUENCE);
        der_uint_bytes(&spki, view_of(modulus, rows[i].modulus_len));
        der_uint_bytes(&spki, buf_view(&power));
        der_close(&spki, inner);
        der_close(&spki, bits);
        der_close(&spki, seq);
        hex_add(&hex, buf_view(&spki));
        r.spki_hex = buf_text(&hex);
        T_OK(parse(&r));
        T_ERR_SAYS(csr_verify(lib, &c, 2048, false, &e), ERR_UNSUPPORTED, rows[i].says);
        buf_free(&spki);
        buf_free(&power);
        buf_free(&hex);
    }
}

/* ---- memory ---- */

static void memory_runs_out(void **state)
{
    struct req r = { .subject = "CN=Ada", CHALLENGE(DER_PRINTABLE, "8A3F"), .key = p256 };
    struct csr got = { .attribute_count = 7 };
    unsigned long n = 0;
    int rc;

    (void)state;
    T_OK(parse(&r));
    do {
        mem_fail_after(++n);
        rc = csr_parse(buf_view(&der), &got, &e);
        mem_fail_after(0);
        if (rc != 0) {
            assert_int_equal(e.cls, ERR_NOMEM);
            assert_int_equal(got.attribute_count, 7);
        }
    } while (rc != 0);
    assert_true(n > 1);
    csr_free(&got);
    csr_free(&got); /* twice is fine */
}

int main(void)
{
#define T(f) cmocka_unit_test_teardown(f, teardown)
    static const struct CMUnitTest tests[] = {
        T(every_part),
        T(nothing_but_a_name),
        T(as_our_own_are_written),
        T(attributes_in_any_order),
        T(challenges_in_every_string_type),
        T(long_challenges),
        T(broken_attributes),
        T(broken_extensions),
        T(broken_key_usage),
        T(broken_subjects),
        T(too_many),
        T(broken_outside),
        T(no_attributes_field),
        T(good_signatures),
        T(bad_signatures),
        T(weak_keys),
        T(odd_numbers),
        T(memory_runs_out),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    p256 = issue_key("P-256");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    EVP_PKEY_free(p256);
    buf_free(&der);
    buf_free(&text);
    lib_free(lib);
    return failed;
}
