/* see check_quick.h */
#include "certs/check_quick.h"
#include "certs/der.h"
#include "certs/spki.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

enum {
    DESCRIPTION_MAX = 256 << 10,
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 16384,
    SERIAL_LEN_MAX = 20
};

/* ---- signatures ---- */

struct check_signature {
    const char *der; /* the whole AlgorithmIdentifier, in the only form that is known here */
    size_t der_len;
    const char *key, *md; /* OpenSSL's names; md NULL: the algorithm has its own */
    int salt_len;         /* of RSA-PSS, else 0 */
};
#define DER(bytes)  (bytes), sizeof(bytes) - 1
#define RSA_(last)  DER("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01" last "\x05\x00")
#define ECDSA(last) DER("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03" last)
/* RFC 4055 3.1: digest, the same for MGF1, a salt as long as it */
#define SHA_(last)      "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" last "\x05\x00"
#define PSS_OID         "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define MGF1_OID        "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
#define MGF1(last)      "\xa1\x1c\x30\x1a" MGF1_OID SHA_(last)
#define SALT(len)       "\xa2\x03\x02\x01" len
#define PSS(last, salt) DER("\x30\x41" PSS_OID "\x30\x34\xa0\x0f" SHA_(last) MGF1(last) SALT(salt))

static const struct check_signature signatures[] = {
    { RSA_("\x0b"), "RSA", "SHA2-256", 0 },
    { RSA_("\x0c"), "RSA", "SHA2-384", 0 },
    { RSA_("\x0d"), "RSA", "SHA2-512", 0 },
    { PSS("\x01", "\x20"), "RSA", "SHA2-256", 32 },
    { PSS("\x02", "\x30"), "RSA", "SHA2-384", 48 },
    { PSS("\x03", "\x40"), "RSA", "SHA2-512", 64 },
    { ECDSA("\x02"), "EC", "SHA2-256", 0 },
    { ECDSA("\x03"), "EC", "SHA2-384", 0 },
    { ECDSA("\x04"), "EC", "SHA2-512", 0 },
    { DER("\x30\x05\x06\x03\x2b\x65\x70"), "ED25519", NULL, 0 },
};

static const struct check_signature *find_signature(struct view algorithm)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        if (view_equal(algorithm, view_of(signatures[i].der, signatures[i].der_len)))
            return &signatures[i];
    return NULL;
}

static bool set_pss(EVP_PKEY_CTX *ctx, const struct check_signature *how)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1
           && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, how->salt_len) == 1
           && EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, how->md, NULL) == 1;
}

bool check_quick_signed(const struct ask *a, const struct check_case *c, EVP_PKEY *key)
{
    const struct cert *leaf = &a->leaf;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *params = NULL;
    bool fits;

    fits =
        ctx != NULL && EVP_PKEY_is_a(key, c->how->key) == 1
        && EVP_DigestVerifyInit_ex(ctx, &params, c->how->md, a->lib->ctx, NULL, key, NULL) == 1
        && (c->how->salt_len == 0 || set_pss(params, c->how))
        && EVP_DigestVerify(ctx, leaf->signature.p, leaf->signature.len, leaf->tbs.p, leaf->tbs.len)
               == 1;
    EVP_MD_CTX_free(ctx);
    return fits;
}

/* ---- what may differ ---- */

static bool item_reads(struct view der, const ASN1_ITEM *it)
{
    const unsigned char *p = der.p;
    ASN1_VALUE *read = ASN1_item_d2i(NULL, &p, (long)der.len, it);

    ASN1_item_free(read, it);
    return read != NULL && p == der.p + der.len;
}

static bool octets_read(struct view der)
{
    struct der tlv;
    struct err ignored;

    return der_expect(&der, DER_OCTET_STRING, "SKI", &tlv, &ignored) == 0 && der.len == 0
           && tlv.content.len != 0;
}

/* Extensions whose values differ from leaf to leaf, and what OpenSSL reads in them on its way. */
static const struct own {
    const char *oid;
    size_t oid_len;
    enum { SAN, SKI, OPAQUE } kind;
} own[] = {
    { DER("\x55\x1d\x11"), SAN }, { DER("\x55\x1d\x0e"), SKI },
    { DER("\x2b\x06\x01\x04\x01\x82\x37\x19\x02"), OPAQUE },     /* 311.25.2, the SID */
    { DER("\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02"), OPAQUE }, /* 11129.2.4.2, RFC 6962 */
};

static const struct own *find_own(struct view oid)
{
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (view_equal(oid, view_of(own[i].oid, own[i].oid_len)))
            return &own[i];
    return NULL;
}

static bool value_is_good(const struct own *x, struct view value)
{
    if (x->kind == SAN)
        return item_reads(value, ASN1_ITEM_rptr(GENERAL_NAMES));
    return x->kind == OPAQUE || octets_read(value);
}

/* The key itself has been compared with the request's; OpenSSL would not verify a weak or broken one. */
static bool key_is_good(const struct ask *a)
{
    struct err ignored;
    EVP_PKEY *key;
    struct spki s;

    if (spki_parse(a->leaf.spki, &s, &ignored) != 0)
        return false;
    if (!s.ec)
        return s.bits >= RSA_BITS_MIN && s.bits <= RSA_BITS_MAX && s.exponent.len != 0;
    key = spki_key(a->lib, &s, &ignored); /* looks whether the point is on the curve */
    EVP_PKEY_free(key);
    return key != NULL;
}

/* cert_parse lets zero and negative numbers pass; nothing here depends on how OpenSSL sees those. */
static bool serial_is_good(struct view content)
{
    return content.len >= 1 && content.len <= SERIAL_LEN_MAX && content.p[0] < 0x80;
}

/* ---- the description ---- */

/* The fixed parts whole; of the others OID and criticality, as they stand before the value. */
static bool describe_extensions(struct view list, struct buf *to)
{
    struct err ignored;
    struct der ext, oid, value;

    while (list.len != 0) {
        const struct own *x;
        struct view rest;

        if (der_expect(&list, DER_SEQUENCE, "", &ext, &ignored) != 0)
            return false;
        rest = ext.content;
        if (der_expect(&rest, DER_OID, "", &oid, &ignored) != 0)
            return false;
        if ((x = find_own(oid.content)) == NULL) {
            buf_add_view(to, ext.whole);
            continue;
        }
        buf_add_view(to, oid.whole);
        if (der_peek(rest, DER_BOOLEAN)) {
            if (der_next(&rest, &value, &ignored) != 0)
                return false;
            buf_add_view(to, value.whole);
        }
        if (der_expect(&rest, DER_OCTET_STRING, "", &value, &ignored) != 0 || rest.len != 0
            || !value_is_good(x, value.content))
            return false;
    }
    return true;
}

/* TBSCertificate (RFC 5280 4.1): every part that is its issuer's, in order.  Only version 3 has any. */
static bool describe_body(const struct cert *leaf, struct buf *to)
{
    static const char version3[] = "\xa0\x03\x02\x01\x02";
    struct view rest = leaf->tbs;
    struct err ignored;
    struct der body, part;

    if (der_expect(&rest, DER_SEQUENCE, "", &body, &ignored) != 0)
        return false;
    rest = body.content;
    if (der_next(&rest, &part, &ignored) != 0
        || !view_equal(part.whole, view_of(version3, sizeof version3 - 1))
        || der_expect(&rest, DER_INTEGER, "", &part, &ignored) != 0
        || !serial_is_good(part.content))
        return false;
    for (int i = 0; i < 5; i++) { /* algorithm, issuer, validity, subject, key */
        if (der_expect(&rest, DER_SEQUENCE, "", &part, &ignored) != 0)
            return false;
        if (i < 2)
            buf_add_view(to, part.whole);
    }
    if (der_expect(&rest, DER_CONTEXTC | 3, "", &part, &ignored) != 0 || rest.len != 0
        || der_expect(&part.content, DER_SEQUENCE, "", &body, &ignored) != 0
        || part.content.len != 0)
        return false;
    return describe_extensions(body.content, to);
}

bool check_quick_case(const struct ask *a, const uint8_t *anchors_digest, struct check_case *c)
{
    struct buf text = BUF_INIT(DESCRIPTION_MAX);
    struct err ignored;
    bool good = false;

    if ((c->how = find_signature(a->leaf.signature_algorithm)) == NULL)
        return false;
    /* One digest of fixed length, a list in front of which its length stands, and DER values. */
    buf_add(&text, anchors_digest, CHECK_DIGEST_LEN);
    der_tlv(&text, DER_OCTET_STRING, a->uppers);
    good = !cert_self_issued(&a->leaf) && describe_body(&a->leaf, &text)
           && item_reads(a->leaf.subject, ASN1_ITEM_rptr(X509_NAME)) && key_is_good(a)
           && buf_check(&text, &ignored) == 0
           && lib_sha256(a->lib, buf_view(&text), c->like, &ignored) == 0;
    buf_free(&text);
    return good;
}

/* ---- time ---- */

static void narrow(int64_t edge, int64_t at, int64_t *after_at, int64_t *before_at)
{
    if (edge <= at && edge > *after_at)
        *after_at = edge;
    if (edge >= at && edge < *before_at)
        *before_at = edge;
}

static bool narrow_by(struct view list, int64_t at, int64_t *after_at, int64_t *before_at)
{
    struct err ignored;
    struct view der;
    struct cert c;
    int more;

    while ((more = chain_next(&list, &der, &ignored)) == 1) {
        if (cert_parse(der, &c, &ignored) != 0)
            return false;
        narrow(c.not_before_at, at, after_at, before_at);
        narrow(c.not_after_at, at, after_at, before_at);
    }
    return more == 0;
}

bool check_quick_window(const struct ask *a, int64_t at, int64_t *after_at, int64_t *before_at)
{
    *after_at = INT64_MIN;
    *before_at = INT64_MAX;
    return narrow_by(a->uppers, at, after_at, before_at)
           && narrow_by(a->policy->anchors, at, after_at, before_at) && *after_at < at
           && at < *before_at;
}
