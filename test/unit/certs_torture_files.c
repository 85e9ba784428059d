/*
 * Memory runs out while requests, certificates and files are made: the rows and the rules are those of
 * certs_torture.c.  A run that succeeds although an allocation failed has to have made the whole thing.
 */
#include "test/t.h"
#include "test/unit/issue.h"
#include <openssl/cms.h>
#include <openssl/pkcs12.h>
#include "certs/check.h"
#include "certs/cms.h"
#include "certs/csr.h"
#include "certs/der.h"
#include "certs/key.h"
#include "certs/mem.h"
#include "certs/p12.h"
#include "certs/text.h"

enum { ROOM = 1 << 18 };

static struct lib *l;
static struct key *ec;
static struct template t;
static EVP_PKEY *ca_key, *other_ca_key, *rsa_key, *ec_key;
static struct buf chain = BUF_INIT(ROOM), other_chain = BUF_INIT(ROOM), anchors = BUF_INIT(ROOM),
                  pool = BUF_INIT(ROOM);
static struct buf p7 = BUF_INIT(ROOM), ber = BUF_INIT(ROOM), pem = BUF_INIT(ROOM);
static struct buf rsa_device = BUF_INIT(ROOM), ec_device = BUF_INIT(ROOM);
static struct check_policy policy = { .now = ISSUE_NOW, .skew_s = 300 };
static size_t csr_info_len; /* of the part that is the same every time */

/* ---- rows ---- */

static int fill_template(struct template *to, struct err *e)
{
    if (template_add_san(to, SAN_DNS, "host.contoso.example", e) != 0
        || template_add_san(to, SAN_UPN, "ada@contoso.example", e) != 0
        || template_add_eku(to, "1.3.6.1.5.5.7.3.2", e) != 0)
        return -1;
    return template_set_sid(to, "S-1-5-21-1-2-3-1105", SID_BOTH, e);
}

static int fill(struct buf *out, struct err *e)
{
    struct template made = { 0 };
    int rc = fill_template(&made, e);

    (void)out;
    if (rc == 0)
        assert_true(made.san_count == 2 && made.eku_count == 1 && made.sid != NULL);
    template_free(&made);
    return rc;
}

static int sans(struct buf *out, struct err *e)
{
    return template_write_sans(&t, out, e);
}

/* Memory that runs out must not make a request with less in it. */
static int csr(struct buf *out, struct err *e)
{
    size_t start = out->len;
    struct view rest;
    struct der request, info;

    if (csr_build(l, &t, ec, out, e) != 0)
        return -1;
    rest = view_of(out->p + start, out->len - start);
    if (der_expect(&rest, DER_SEQUENCE, "", &request, e) != 0
        || der_expect(&request.content, DER_SEQUENCE, "", &info, e) != 0)
        fail_msg("%s", e->msg);
    if (csr_info_len == 0)
        csr_info_len = info.whole.len;
    assert_int_equal(info.whole.len, csr_info_len);
    return 0;
}

static int certificate(struct buf *out, struct err *e)
{
    struct view rest = buf_view(&chain), leaf;
    struct cert c;

    if (chain_next(&rest, &leaf, e) != 1 || cert_parse(leaf, &c, e) != 0)
        return -1;
    cert_serial_hex(&c, out);
    return buf_finish(out, 6, e);
}

static int thumbprint(struct buf *out, struct err *e)
{
    return cert_thumbprint(l, buf_view(&anchors), out, e);
}

static int read_chain(struct view in, struct buf *out, struct err *e)
{
    size_t start = out->len, count;
    int rc = chain_read(l, in, out, &count, e);

    if (rc == 0)
        assert_true(count == 2 && out->len == start + chain.len);
    return rc;
}

static int read_p7(struct buf *out, struct err *e)
{
    return read_chain(buf_view(&p7), out, e);
}

static int read_ber(struct buf *out, struct err *e)
{
    return read_chain(buf_view(&ber), out, e);
}

static int read_pem(struct buf *out, struct err *e)
{
    return read_chain(buf_view(&pem), out, e);
}

static int order(struct buf *out, struct err *e)
{
    return chain_order(buf_view(&pool), key_spki(ec), out, e);
}

static int check_warm(struct buf *out, struct err *e)
{
    (void)out;
    return check_issued(l, &t, key_spki(ec), buf_view(&chain), &policy, e);
}

/*
 * Every second run starts without the cache; the one after it finds what memory running out has left
 * in there, and wants the other anchor.
 */
static int check_cold(struct buf *out, struct err *e)
{
    static unsigned runs;

    (void)out;
    if (runs++ % 2 == 0)
        return check_issued(l, &t, key_spki(ec), buf_view(&other_chain), &policy, e);
    if (l->cache != NULL)
        l->cache_free(l->cache);
    l->cache = NULL;
    return check_issued(l, &t, key_spki(ec), buf_view(&chain), &policy, e);
}

static int p12(enum p12_profile profile, struct buf *out, struct err *e)
{
    struct p12_spec s = { .profile = profile,
        .iterations = 2,
        .password = "abcdefghijklmnop",
        .pkcs8 = key_pkcs8(ec),
        .chain = buf_view(&chain),
        .friendly_name = "Ada",
        .provider_name = "Microsoft Software Key Storage Provider",
        .machine_keyset = true };
    size_t start = out->len;
    const unsigned char *p;
    PKCS12 *read;

    if (p12_build(l, &s, out, e) != 0)
        return -1;
    p = out->p + start;
    read = d2i_PKCS12(NULL, &p, (long)(out->len - start));
    if (read != NULL) /* NULL: this reading is what ran out of memory */
        assert_ptr_equal(p, out->p + out->len);
    PKCS12_free(read);
    return 0;
}

static int p12_modern(struct buf *out, struct err *e)
{
    return p12(P12_MODERN, out, e);
}

static int p12_compat(struct buf *out, struct err *e)
{
    return p12(P12_COMPAT, out, e);
}

static int oaep_gcm(struct buf *out, struct err *e)
{
    return cms_envelope(
        l, buf_view(&rsa_device), CMS_AES256_GCM, CMS_RSA_OAEP_SHA256, view_text("hello"), out, e);
}

static int pkcs1_cbc(struct buf *out, struct err *e)
{
    return cms_envelope(
        l, buf_view(&rsa_device), CMS_AES256_CBC, CMS_RSA_PKCS1, view_text("hello"), out, e);
}

static int ecdh_gcm(struct buf *out, struct err *e)
{
    return cms_envelope(
        l, buf_view(&ec_device), CMS_AES256_GCM, CMS_TRANSPORT_NONE, view_text("hello"), out, e);
}

/* Half a derived key, or none, would not show before the device. */
static void opens(struct view made, EVP_PKEY *key)
{
    const unsigned char *p = made.p;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)made.len);
    BIO *out = BIO_new(BIO_s_mem());
    char *text;

    assert_non_null(cms);
    assert_int_equal(CMS_decrypt(cms, key, NULL, NULL, out, 0), 1);
    assert_int_equal(BIO_get_mem_data(out, &text), 5);
    assert_memory_equal(text, "hello", 5);
    BIO_free(out);
    CMS_ContentInfo_free(cms);
}

/* ---- the table and the sweep ---- */

/* step: every step-th allocation fails; more than 1 where there are thousands. */
static const struct row {
    const char *name;
    int (*run)(struct buf *out, struct err *e);
    unsigned long step;
    EVP_PKEY **opener; /* of what was appended, once memory is there again */
} rows[] = {
    { "template_add_san, _eku, _sid", fill, 1, NULL },
    { "template_write_sans", sans, 1, NULL },
    { "csr_build", csr, 1, NULL },
    { "cert_parse, cert_serial_hex", certificate, 1, NULL },
    { "cert_thumbprint", thumbprint, 1, NULL },
    { "chain_read DER", read_p7, 1, NULL },
    { "chain_read BER", read_ber, 1, NULL },
    { "chain_read PEM", read_pem, 1, NULL },
    { "chain_order", order, 1, NULL },
    { "check_issued cold", check_cold, 7, NULL },
    { "check_issued warm", check_warm, 1, NULL },
    { "p12_build modern", p12_modern, 1, NULL },
    { "p12_build compat", p12_compat, 1, NULL },
    { "cms_envelope RSA-OAEP GCM", oaep_gcm, 1, &rsa_key },
    { "cms_envelope RSA CBC", pkcs1_cbc, 1, &rsa_key },
    { "cms_envelope ECDH GCM", ecdh_gcm, 1, &ec_key },
};

/* One run with the n-th allocation failing; true once a run needs fewer than n. */
static bool run_once(const struct row *row, unsigned long n)
{
    static const char before[] = "before";
    struct buf out = BUF_INIT(ROOM);
    struct err e = { 0 };
    bool over;
    int rc;

    buf_add_text(&out, before);
    mem_fail_after(n);
    rc = row->run(&out, &e);
    over = mem_count() < n || n == 0;
    mem_fail_after(0);
    if (rc != 0) {
        if (over || rc != -1)
            fail_msg("%s: fails although memory is there: %s", row->name, e.msg);
        if (e.cls != ERR_NOMEM)
            fail_msg(
                "%s, allocation %lu: %s (%s: %s)", row->name, n, err_name(e.cls), e.where, e.msg);
        assert_int_equal(out.len, sizeof before - 1);
    } else if (row->opener != NULL) {
        opens(view_of(out.p + sizeof before - 1, out.len - (sizeof before - 1)), *row->opener);
    }
    assert_memory_equal(out.p, before, sizeof before - 1);
    buf_free(&out);
    return over;
}

static void sweep(void **state)
{
    const struct row *row = *state;
    unsigned long n = 1;

    run_once(row, 0); /* what OpenSSL sets up once for a process is not the point */
    while (!run_once(row, n)) {
        run_once(row, 0);
        n += row->step;
    }
    assert_true(n > 1);
}

/* ---- inputs ---- */

/* A certs-only message around `chain`; BER: the outermost value without a length. */
static void write_p7(struct buf *b, bool indefinite)
{
    size_t info = der_open(b, DER_SEQUENCE), wrap, data, part;

    if (indefinite)
        buf_add_byte(b, 0x80);
    der_oid_known(b, "1.2.840.113549.1.7.2");
    wrap = der_open(b, DER_CONTEXTC | 0);
    data = der_open(b, DER_SEQUENCE);
    der_uint(b, 1);
    der_tlv(b, DER_SET, view_text(""));
    part = der_open(b, DER_SEQUENCE);
    der_oid_known(b, "1.2.840.113549.1.7.1");
    der_close(b, part);
    der_tlv(b, DER_CONTEXTC | 0, buf_view(&chain));
    der_tlv(b, DER_SET, view_text(""));
    der_close(b, data);
    der_close(b, wrap);
    if (indefinite)
        buf_add(b, "\0\0", 2);
    else
        der_close(b, info);
}

static void make_device(const char *kind, EVP_PKEY **key, struct buf *der)
{
    X509 *x;

    *key = issue_key(kind);
    x = issue(&(struct issue){ .subject = "CN=Device", .key = *key });
    issue_der(x, der);
    X509_free(x);
}

/* A certificate that is what the template asks for, and its root, which becomes an anchor. */
static void make_chain(const char *name, EVP_PKEY *key, struct buf *to)
{
    const unsigned char *p = key_spki(ec).p;
    EVP_PKEY *pub = d2i_PUBKEY(NULL, &p, (long)key_spki(ec).len);
    X509 *root = issue_ca(name, key, NULL, NULL), *leaf;

    leaf = issue(&(struct issue){ .subject = "CN=Ada",
        .key = pub,
        .issuer = root,
        .issuer_key = key,
        .ext = { { "subjectAltName", "@DNS=host.contoso.example|"
                                     "otherName=1.3.6.1.4.1.311.20.2.3;UTF8:ada@contoso.example|"
                                     "URI=tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-1105" },
            { "extendedKeyUsage", "clientAuth" },
            { "1.3.6.1.4.1.311.25.2", "DER:3025a023060a2b060104018237190201a0150413"
                                      "532d312d352d32312d312d322d332d31313035" } } });
    issue_der(leaf, to);
    issue_der(root, to);
    issue_der(root, &anchors);
    issue_der(root, &pool);
    issue_der(leaf, &pool);
    X509_free(root);
    X509_free(leaf);
    EVP_PKEY_free(pub);
}

static int set_up(void **state)
{
    struct err e = { 0 };

    (void)state;
    if ((l = lib_new(&e)) == NULL || (ec = key_new(l, KEY_P256, KEYGEN_FAST, &e)) == NULL)
        return -1;
    t.name = xstrdup("ContosoUser");
    t.hash = HASH_SHA256;
    t.in_csr_v1 = t.in_csr_pair = true;
    if (name_add(&t.subject, "CN", "Ada", false, &e) != 0 || fill_template(&t, &e) != 0)
        return -1;
    ca_key = issue_key("P-256");
    other_ca_key = issue_key("P-256");
    make_chain("CN=Root", ca_key, &chain);
    make_chain("CN=Other", other_ca_key, &other_chain);
    policy.anchors = buf_view(&anchors);
    write_p7(&p7, false);
    write_p7(&ber, true);
    pem_add(&pem, "CERTIFICATE", buf_view(&p7));
    make_device("rsa2048", &rsa_key, &rsa_device);
    make_device("P-256", &ec_key, &ec_device);
    return buf_check(&pem, &e);
}

static int tear_down(void **state)
{
    struct buf *const bufs[] = { &chain, &other_chain, &anchors, &pool, &p7, &ber, &pem,
        &rsa_device, &ec_device };

    (void)state;
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        buf_free(bufs[i]);
    template_free(&t);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(other_ca_key);
    EVP_PKEY_free(rsa_key);
    EVP_PKEY_free(ec_key);
    key_free(ec);
    lib_free(l);
    return 0;
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof rows[0] };
    struct CMUnitTest tests[ROWS];

    mem_torture_openssl();
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = sweep, .initial_state = (void *)(uintptr_t)&rows[i]
        };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
