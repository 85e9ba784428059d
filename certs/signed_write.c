/* see signed.h, writing */
#include "certs/cms_cert.h"
#include "certs/signed.h"

enum { ATTRS_LEN_MAX = 64 << 10 };

/* ---- what a signed and a degenerate message share ---- */

struct frame {
    size_t info, wrap, data;
};

static struct frame open_frame(struct buf *out)
{
    struct frame f;

    f.info = der_open(out, DER_SEQUENCE);
    der_oid_known(out, "1.2.840.113549.1.7.2"); /* id-signedData */
    f.wrap = der_open(out, DER_CONTEXTC | 0);
    f.data = der_open(out, DER_SEQUENCE);
    der_uint(
        out, 1); /* RFC 5652 5.1: id-data, no attribute certificates, named by issuer and serial */
    return f;
}

static void close_frame(struct buf *out, struct frame f)
{
    der_close(out, f.data);
    der_close(out, f.wrap);
    der_close(out, f.info);
}

static void write_content(struct buf *out, bool has_content, struct view content)
{
    size_t info = der_open(out, DER_SEQUENCE), wrap;

    der_oid_known(out, "1.2.840.113549.1.7.1"); /* id-data */
    if (has_content) {
        wrap = der_open(out, DER_CONTEXTC | 0);
        der_tlv(out, DER_OCTET_STRING, content);
        der_close(out, wrap);
    }
    der_close(out, info);
}

/* ---- attributes ---- */

struct attr_list {
    struct buf bytes; /* attributes, one behind the other in the order they came */
    size_t end[SIGNED_ATTRS_MAX];
    size_t count;
};

static void add_attr(struct attr_list *a, const char *oid, uint8_t tag, struct view content)
{
    size_t seq = der_open(&a->bytes, DER_SEQUENCE), set;

    der_oid_known(&a->bytes, oid);
    set = der_open(&a->bytes, DER_SET);
    if (tag != 0)
        der_tlv(&a->bytes, tag, content);
    else
        buf_add_view(&a->bytes, content);
    der_close(&a->bytes, set);
    der_close(&a->bytes, seq);
    a->end[a->count++] = a->bytes.len;
}

static struct view nth_attr(const struct attr_list *a, size_t n)
{
    size_t from = n != 0 ? a->end[n - 1] : 0;

    return view_of(a->bytes.p + from, a->end[n] - from);
}

/* X.690 11.6: as octet strings; no encoding is the beginning of another, so lengths need not count. */
static bool before(struct view a, struct view b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (a.p[i] != b.p[i])
            return a.p[i] < b.p[i];
    return a.len < b.len;
}

/* The SET OF attributes, in DER order. */
static void write_sorted(struct buf *out, const struct attr_list *a)
{
    struct view sorted[SIGNED_ATTRS_MAX];
    size_t mark = der_open(out, DER_SET);

    for (size_t n = 0; n < a->count; n++) {
        struct view next = nth_attr(a, n);
        size_t at = n;

        for (; at > 0 && before(next, sorted[at - 1]); at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = next;
    }
    for (size_t n = 0; n < a->count; n++)
        buf_add_view(out, sorted[n]);
    der_close(out, mark);
}

/* Append the SET that is signed: the caller's attributes, contentType and messageDigest. */
static int write_attrs(struct lib *l, const struct signed_out *s, struct buf *out, struct err *e)
{
    static const uint8_t id_data[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
    struct attr_list a = { .bytes = BUF_INIT(ATTRS_LEN_MAX) };
    struct view content = s->has_content ? s->content : view_of(NULL, 0);
    uint8_t digest[64];
    size_t len;
    int rc = -1;

    if (s->attr_count > SIGNED_ATTRS_MAX - 2)
        return err_set(e, ERR_INPUT, "%zu signed attributes", s->attr_count);
    if (digest_of(l, s->digest, content, digest, &len, e) != 0)
        return -1;
    add_attr(&a, "1.2.840.113549.1.9.3", 0, view_of(id_data, sizeof id_data - 1));
    add_attr(&a, "1.2.840.113549.1.9.4", DER_OCTET_STRING, view_of(digest, len));
    for (size_t i = 0; i < s->attr_count; i++)
        add_attr(&a, s->attrs[i].oid, 0, s->attrs[i].value);
    if (buf_check(&a.bytes, e) == 0) {
        write_sorted(out, &a);
        rc = buf_check(out, e);
    }
    buf_free(&a.bytes);
    return rc;
}

/* ---- the signer ---- */

/* RFC 5754 2: without parameters. */
static void write_digest_algorithm(struct buf *out, enum digest d)
{
    size_t mark = der_open(out, DER_SEQUENCE);

    der_oid_known(out, digest_oid(d));
    der_close(out, mark);
}

static void write_signature_algorithm(struct buf *out, const struct signed_out *s)
{
    static const char *const ecdsa[] = {
        [DIGEST_NONE] = NULL,
        [DIGEST_SHA1] = "1.2.840.10045.4.1",
        [DIGEST_SHA256] = "1.2.840.10045.4.3.2",
        [DIGEST_SHA384] = "1.2.840.10045.4.3.3",
        [DIGEST_SHA512] = "1.2.840.10045.4.3.4",
    };
    size_t mark = der_open(out, DER_SEQUENCE);

    if (key_type_is_rsa(key_type(s->key))) {
        der_oid_known(out, "1.2.840.113549.1.1.1");
        der_null(out);
    } else {
        der_oid_known(out, ecdsa[s->digest]);
    }
    der_close(out, mark);
}

/* The signature over `attrs`, the bytes of the SET. */
static int sign(
    struct lib *l, const struct signed_out *s, struct view attrs, struct buf *out, struct err *e)
{
    uint8_t digest[64];
    size_t len;

    if (digest_of(l, s->digest, attrs, digest, &len, e) != 0)
        return -1;
    return key_sign_digest(l, s->key, digest_md(l, s->digest), view_of(digest, len), out, e);
}

/* SignerInfo (RFC 5652 5.3).  `attrs` is the SET as signed; here its tag is [0]. */
static void write_signer(struct buf *out, const struct signed_out *s, const struct cms_cert *c,
    struct view attrs, struct view signature)
{
    size_t info = der_open(out, DER_SEQUENCE), id;

    der_uint(out, 1);
    id = der_open(out, DER_SEQUENCE);
    buf_add_view(out, c->issuer);
    buf_add_view(out, c->serial.whole);
    der_close(out, id);
    write_digest_algorithm(out, s->digest);
    buf_add_byte(out, DER_CONTEXTC | 0);
    buf_add(out, attrs.p + 1, attrs.len - 1);
    write_signature_algorithm(out, s);
    der_tlv(out, DER_OCTET_STRING, signature);
    der_close(out, info);
}

static void write_message(struct buf *out, const struct signed_out *s, const struct cms_cert *c,
    struct view attrs, struct view signature)
{
    struct frame f = open_frame(out);
    size_t set = der_open(out, DER_SET);

    write_digest_algorithm(out, s->digest);
    der_close(out, set);
    write_content(out, s->has_content, s->content);
    if (s->include_certificate)
        der_tlv(out, DER_CONTEXTC | 0, s->certificate);
    set = der_open(out, DER_SET);
    write_signer(out, s, c, attrs, signature);
    der_close(out, set);
    close_frame(out, f);
}

int signed_write(struct lib *l, const struct signed_out *s, struct buf *out, struct err *e)
{
    struct buf attrs = BUF_INIT(ATTRS_LEN_MAX), signature = BUF_INIT(KEY_RSA_LEN_MAX);
    size_t start = out->len;
    struct cms_cert c;
    int rc = -1;

    if (digest_oid(s->digest) == NULL)
        return err_set(e, ERR_INPUT, "hash %d for a signature", (int)s->digest);
    if (cms_cert_read(s->certificate, &c, e) != 0) {
        e->cls = ERR_INPUT;
        return err_wrap(e, "signer");
    }
    if (write_attrs(l, s, &attrs, e) == 0 && sign(l, s, buf_view(&attrs), &signature, e) == 0) {
        write_message(out, s, &c, buf_view(&attrs), buf_view(&signature));
        rc = buf_finish(out, start, e);
    }
    buf_free(&attrs);
    buf_free(&signature);
    return rc;
}

/* ---- degenerate ---- */

static int check_values(struct view list, const char *what, struct err *e)
{
    struct der part;

    while (list.len != 0)
        if (der_expect(&list, DER_SEQUENCE, what, &part, e) != 0) {
            e->cls = ERR_INPUT;
            return -1;
        }
    return 0;
}

int signed_certs_only(struct view certificates, struct view crl, struct buf *out, struct err *e)
{
    size_t start = out->len;
    struct frame f;

    if (check_values(certificates, "certificate", e) != 0 || check_values(crl, "CRL", e) != 0)
        return -1;
    f = open_frame(out);
    der_tlv(out, DER_SET, view_of(NULL, 0)); /* digestAlgorithms */
    write_content(out, false, view_of(NULL, 0));
    if (certificates.len != 0)
        der_tlv(out, DER_CONTEXTC | 0, certificates);
    if (crl.len != 0)
        der_tlv(out, DER_CONTEXTC | 1, crl);
    der_tlv(out, DER_SET, view_of(NULL, 0)); /* signerInfos */
    close_frame(out, f);
    return buf_finish(out, start, e);
}
