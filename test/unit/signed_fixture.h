#ifndef TEST_UNIT_SIGNED_FIXTURE_H
#define TEST_UNIT_SIGNED_FIXTURE_H
/* signed_fixture.h - signers and recipients, and the messages OpenSSL's CMS makes with them, in DER or in the
 * BER of a stream: indefinite lengths, OCTET STRINGs in pieces. */
#include "test/t.h"
#include "test/unit/issue.h"
#include <openssl/cms.h>
#include <openssl/rsa.h>
#include "certs/ber.h"
#include "certs/key.h"

enum { ROOM = 1 << 18 };

static struct err e;
static struct lib *lib;

struct party {
    EVP_PKEY *pkey;
    X509 *x509;
    struct buf der, pkcs8, spki;
    struct key *key; /* the same pair for our own functions */
};

static inline void party_init(struct party *p, const char *kind, const char *name)
{
    *p = (struct party){ .der = BUF_INIT(ROOM), .pkcs8 = BUF_INIT(ROOM), .spki = BUF_INIT(ROOM) };
    p->pkey = issue_key(kind);
    p->x509 = issue(&(struct issue){
        .subject = name, .key = p->pkey, .ext = { { "subjectKeyIdentifier", "hash" } } });
    issue_der(p->x509, &p->der);
    issue_pkcs8(p->pkey, &p->pkcs8);
    issue_spki(p->pkey, &p->spki);
    if (strcmp(kind, "rsa1024") != 0)
        assert_non_null(p->key = key_parse(lib, buf_view(&p->pkcs8), &e));
}

static inline void party_free(struct party *p)
{
    key_free(p->key);
    EVP_PKEY_free(p->pkey);
    X509_free(p->x509);
    buf_free(&p->der);
    buf_free(&p->pkcs8);
    buf_free(&p->spki);
}

/* Write it out: CMS_STREAM writes BER while it reads `content`. */
static inline void put_message(
    CMS_ContentInfo *cms, struct view content, unsigned flags, struct buf *out)
{
    BIO *in = BIO_new_mem_buf(content.p != NULL ? (const void *)content.p : "", (int)content.len);
    BIO *mem = BIO_new(BIO_s_mem());
    char *bytes;

    assert_non_null(cms);
    if ((flags & CMS_STREAM) == 0)
        assert_int_equal(CMS_final(cms, in, NULL, flags), 1);
    assert_int_equal(i2d_CMS_bio_stream(mem, cms, in, (int)flags), 1);
    buf_add(out, bytes, (size_t)BIO_get_mem_data(mem, &bytes));
    BIO_free(in);
    BIO_free(mem);
}

struct sign {
    const EVP_MD *md; /* NULL: SHA-256 */
    bool pss, without_certificate;
    unsigned flags; /* CMS_STREAM, CMS_USE_KEYID, CMS_NOATTR ... */
    const struct party *second;
};

static inline void sign_message(
    const struct party *p, struct view content, const struct sign *s, struct buf *out)
{
    unsigned flags = CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP | s->flags;
    const EVP_MD *md = s->md != NULL ? s->md : EVP_sha256();
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
    CMS_SignerInfo *info;

    flags |= s->without_certificate ? CMS_NOCERTS : 0;
    assert_non_null(
        info = CMS_add1_signer(cms, p->x509, p->pkey, md, flags | (s->pss ? CMS_KEY_PARAM : 0)));
    if (s->pss)
        assert_int_equal(
            EVP_PKEY_CTX_set_rsa_padding(CMS_SignerInfo_get0_pkey_ctx(info), RSA_PKCS1_PSS_PADDING),
            1);
    if (s->second != NULL)
        assert_non_null(CMS_add1_signer(cms, s->second->x509, s->second->pkey, md, flags));
    put_message(cms, content, flags & ~(unsigned)CMS_PARTIAL, out);
    CMS_ContentInfo_free(cms);
}

struct seal {
    const EVP_CIPHER *cipher;  /* NULL: AES-128-CBC */
    const EVP_MD *oaep, *mgf1; /* NULL: PKCS#1 v1.5; the same */
    unsigned flags;            /* CMS_STREAM, CMS_USE_KEYID */
    const struct party *second;
};

static inline void seal_message(
    const struct party *p, struct view content, const struct seal *s, struct buf *out)
{
    unsigned flags = CMS_BINARY | CMS_PARTIAL | s->flags;
    const EVP_CIPHER *cipher = s->cipher != NULL ? s->cipher : EVP_aes_128_cbc();
    CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, cipher, flags);
    CMS_RecipientInfo *info;
    EVP_PKEY_CTX *ctx;

    assert_non_null(info = CMS_add1_recipient_cert(
                        cms, p->x509, flags | (s->oaep != NULL ? CMS_KEY_PARAM : 0)));
    if (s->oaep != NULL) {
        ctx = CMS_RecipientInfo_get0_pkey_ctx(info);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, s->oaep), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, s->mgf1 != NULL ? s->mgf1 : s->oaep), 1);
    }
    if (s->second != NULL)
        assert_non_null(CMS_add1_recipient_cert(cms, s->second->x509, flags));
    put_message(cms, content, flags & ~(unsigned)CMS_PARTIAL, out);
    CMS_ContentInfo_free(cms);
}

/* In place: what ber_to_der makes of it. */
static inline void as_der(struct buf *b)
{
    struct buf der = BUF_INIT(ROOM);

    T_OK(ber_to_der(buf_view(b), &der, &e));
    buf_take(b, &der);
}

/* The only place where these bytes stand. */
static inline uint8_t *find(const struct buf *b, const void *bytes, size_t len)
{
    uint8_t *at = memmem(b->p, b->len, bytes, len);

    assert_non_null(at);
    assert_null(memmem(at + 1, b->len - (size_t)(at + 1 - b->p), bytes, len));
    return at;
}

/* len bytes out, these in instead; the lengths around it are the caller's business. */
static inline void splice(struct buf *b, size_t at, size_t len, struct view in)
{
    struct buf made = BUF_INIT(ROOM);

    buf_add(&made, b->p, at);
    buf_add_view(&made, in);
    buf_add(&made, b->p + at + len, b->len - at - len);
    buf_take(b, &made);
}
#endif
