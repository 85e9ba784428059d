#ifndef TEST_UNIT_CSR_FIXTURE_H
#define TEST_UNIT_CSR_FIXTURE_H
/*
 * csr_fixture.h - requests of strangers: written piece by piece, so that nothing in them has to be right.
 *
 * Extensions are made by OpenSSL from issue.h's texts; attributes stand in the order given here.
 */
#include "test/t.h"
#include "test/unit/issue.h"
#include "certs/csr_check.h"
#include "certs/der.h"
#include "certs/mem.h"
#include "certs/name.h"
#include "certs/text.h"

enum { REQ_EXTS_MAX = 40, REQ_ATTRS_MAX = 40, REQ_MAX = 1 << 20 };

struct req {
    const char *subject;     /* name.h's format; NULL: subject_hex */
    const char *subject_hex; /* the whole Name */
    const char *before[REQ_ATTRS_MAX],
        *after[4];         /* whole attributes in hex, around the two below */
    uint8_t challenge_tag; /* 0: none */
    struct view challenge;
    const char *request_oid; /* NULL: PKCS#9's */
    struct issue_ext ext[REQ_EXTS_MAX];
    EVP_PKEY *key, *signer; /* signer NULL: key */
    const EVP_MD *md;       /* NULL: SHA-256 */
    const char *spki_hex;   /* instead of key's */
};

static inline void req_hex(const char *text, struct buf *out)
{
    struct err bad = { 0 };

    assert_int_equal(hex_parse(view_text(text), out, &bad), 0);
}

static inline void req_subject(const struct req *r, struct buf *out)
{
    struct name n = { 0 };
    struct err bad = { 0 };

    if (r->subject == NULL) {
        req_hex(r->subject_hex, out);
        return;
    }
    assert_int_equal(name_parse(&n, r->subject, NULL, 0, &bad), 0);
    assert_int_equal(name_write(&n, out, &bad), 0);
    name_free(&n);
}

static inline void req_ext(const struct issue_ext *ext, struct buf *out)
{
    bool section = ext->value[0] == '@';
    CONF *conf = issue_section(section ? ext->value : "@");
    unsigned char *der = NULL;
    X509_EXTENSION *made;
    X509V3_CTX ctx;
    int len;

    X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, X509V3_CTX_TEST);
    X509V3_set_nconf(&ctx, conf);
    made = X509V3_EXT_nconf(conf, &ctx, ext->name, section ? "@x" : ext->value);
    if (made == NULL || (len = i2d_X509_EXTENSION(made, &der)) <= 0)
        fail_msg("extension %s = %s", ext->name, ext->value);
    else
        buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
    X509_EXTENSION_free(made);
    NCONF_free(conf);
}

static inline void req_request(const struct req *r, struct buf *out)
{
    size_t attr, set, list;

    attr = der_open(out, DER_SEQUENCE);
    der_oid_known(out, r->request_oid != NULL ? r->request_oid : "1.2.840.113549.1.9.14");
    set = der_open(out, DER_SET);
    list = der_open(out, DER_SEQUENCE);
    for (size_t i = 0; i < REQ_EXTS_MAX; i++)
        if (r->ext[i].value != NULL)
            req_ext(&r->ext[i], out);
    der_close(out, list);
    der_close(out, set);
    der_close(out, attr);
}

static inline void req_attrs(const struct req *r, struct buf *out)
{
    size_t attrs = der_open(out, DER_CONTEXTC | 0), attr, set;
    bool any = false;

    for (size_t i = 0; i < REQ_ATTRS_MAX && r->before[i] != NULL; i++)
        req_hex(r->before[i], out);
    if (r->challenge_tag != 0) {
        attr = der_open(out, DER_SEQUENCE);
        der_oid_known(out, "1.2.840.113549.1.9.7");
        set = der_open(out, DER_SET);
        der_tlv(out, r->challenge_tag, r->challenge);
        der_close(out, set);
        der_close(out, attr);
    }
    for (size_t i = 0; i < REQ_EXTS_MAX; i++)
        any = any || r->ext[i].value != NULL;
    if (any)
        req_request(r, out);
    for (size_t i = 0; i < 4 && r->after[i] != NULL; i++)
        req_hex(r->after[i], out);
    der_close(out, attrs);
}

static inline void req_algorithm(EVP_PKEY *key, const EVP_MD *md, struct buf *out)
{
    static const struct {
        int md;
        const char *rsa, *ec;
    } oids[] = {
        { NID_md5, "1.2.840.113549.1.1.4", "1.2.3" },
        { NID_sha1, "1.2.840.113549.1.1.5", "1.2.840.10045.4.1" },
        { NID_sha256, "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2" },
        { NID_sha384, "1.2.840.113549.1.1.12", "1.2.840.10045.4.3.3" },
        { NID_sha512, "1.2.840.113549.1.1.13", "1.2.840.10045.4.3.4" },
    };
    size_t seq = der_open(out, DER_SEQUENCE);

    for (size_t i = 0; i < sizeof oids / sizeof *oids; i++)
        if (md != NULL && oids[i].md == EVP_MD_get_type(md))
            der_oid_known(out, EVP_PKEY_is_a(key, "RSA") ? oids[i].rsa : oids[i].ec);
    if (md == NULL)
        der_oid_known(out, "1.3.101.112");
    if (EVP_PKEY_is_a(key, "RSA"))
        der_null(out);
    der_close(out, seq);
}

static inline void req_sign(EVP_PKEY *key, const EVP_MD *md, struct view tbs, struct buf *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t sig[2048] = { 0 };
    size_t len = sizeof sig - 1;

    req_algorithm(key, md, out);
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, md, NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, sig + 1, &len, tbs.p, tbs.len), 1);
    der_tlv(out, DER_BIT_STRING, view_of(sig, len + 1));
    EVP_MD_CTX_free(ctx);
}

/* The request, appended. */
static inline void req_make(const struct req *r, struct buf *out)
{
    EVP_PKEY *signer = r->signer != NULL ? r->signer : r->key;
    const EVP_MD *md = EVP_PKEY_is_a(signer, "ED25519") ? NULL
                       : r->md != NULL                  ? r->md
                                                        : EVP_sha256();
    struct buf tbs = BUF_INIT(REQ_MAX);
    size_t seq = der_open(&tbs, DER_SEQUENCE);

    der_uint(&tbs, 0);
    req_subject(r, &tbs);
    if (r->spki_hex != NULL)
        req_hex(r->spki_hex, &tbs);
    else
        issue_spki(r->key, &tbs);
    req_attrs(r, &tbs);
    der_close(&tbs, seq);
    seq = der_open(out, DER_SEQUENCE);
    buf_add_view(out, buf_view(&tbs));
    req_sign(signer, md, buf_view(&tbs), out);
    der_close(out, seq);
    assert_false(out->bad);
    buf_free(&tbs);
}
#endif
