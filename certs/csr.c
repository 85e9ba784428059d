/*
 * see csr.h
 *
 * Everything but the signature is written by hand: X509_REQ_set_pubkey alone costs several times what
 * a P-256 signature does.
 */
#include "certs/csr.h"
#include "certs/der.h"
#include "certs/text.h"
#include <string.h>

enum { CSR_MAX = 1 << 20, KU_KNOWN = 0x1f };

/* ---- extension values and the attribute ---- */

void csr_write_template_name(struct buf *out, const char *name)
{
    der_bmp(out, name);
}

int csr_write_template_oid(
    struct buf *out, const char *oid, uint32_t major, uint32_t minor, struct err *e)
{
    size_t start = out->len, seq = der_open(out, DER_SEQUENCE);

    if (der_oid(out, oid, e) != 0) {
        buf_truncate(out, start);
        return err_wrap(e, "template OID");
    }
    der_uint(out, major);
    der_uint(out, minor);
    der_close(out, seq);
    return buf_finish(out, start, e);
}

void csr_write_sid(struct buf *out, const char *sid)
{
    size_t names = der_open(out, DER_SEQUENCE), other = der_open(out, DER_CONTEXTC | 0), value;

    der_oid_known(out, "1.3.6.1.4.1.311.25.2.1");
    value = der_open(out, DER_CONTEXTC | 0);
    der_tlv(out, DER_OCTET_STRING, view_text(sid));
    der_close(out, value);
    der_close(out, other);
    der_close(out, names);
}

void csr_write_pair(struct buf *out, const char *name, const char *value)
{
    size_t seq = der_open(out, DER_SEQUENCE);

    der_bmp(out, name);
    der_bmp(out, value);
    der_close(out, seq);
}

/* A named bit list: bit 0 is the most significant, zero bits at the end are left out (X.690 11.2.2). */
static void write_key_usage(struct buf *out, unsigned usage)
{
    uint8_t content[2] = { 8, 0 };

    for (unsigned bit = 0; bit < 8; bit++) {
        if ((usage & 1u << bit) == 0)
            continue;
        content[0] = (uint8_t)(7 - bit);
        content[1] |= (uint8_t)(0x80 >> bit);
    }
    der_tlv(out, DER_BIT_STRING, view_of(content, sizeof content));
}

static int write_ekus(struct buf *out, const struct template *t, struct err *e)
{
    size_t seq = der_open(out, DER_SEQUENCE);

    for (size_t i = 0; i < t->eku_count; i++)
        if (der_oid(out, t->ekus[i], e) != 0)
            return err_wrap(e, "extended key usage");
    der_close(out, seq);
    return 0;
}

/* ---- the extension request ---- */

struct open_ext {
    size_t seq, value;
};

static struct open_ext ext_open(struct buf *b, const char *oid, bool critical)
{
    struct open_ext x;

    x.seq = der_open(b, DER_SEQUENCE);
    der_oid_known(b, oid);
    if (critical)
        der_bool_true(b);
    x.value = der_open(b, DER_OCTET_STRING);
    return x;
}

static void ext_close(struct buf *b, struct open_ext x)
{
    der_close(b, x.value);
    der_close(b, x.seq);
}

static bool has_sans(const struct template *t)
{
    return t->san_count != 0 || (t->sid != NULL && (t->sid_encoding & SID_URI) != 0);
}

/* What template and request ask of the certificate; nothing is appended when that is nothing. */
static int write_extensions(struct buf *b, const struct template *t, struct err *e)
{
    struct open_ext x;

    if (t->key_usage != 0) {
        x = ext_open(b, "2.5.29.15", true);
        write_key_usage(b, t->key_usage);
        ext_close(b, x);
    }
    if (t->eku_count != 0) {
        x = ext_open(b, "2.5.29.37", false);
        if (write_ekus(b, t, e) != 0)
            return -1;
        ext_close(b, x);
    }
    if (has_sans(t)) {
        x = ext_open(b, "2.5.29.17", t->subject.count == 0);
        if (template_write_sans(t, b, e) != 0)
            return -1;
        ext_close(b, x);
    }
    if (t->sid != NULL && (t->sid_encoding & SID_EXTENSION) != 0) {
        x = ext_open(b, "1.3.6.1.4.1.311.25.2", false);
        csr_write_sid(b, t->sid);
        ext_close(b, x);
    }
    if (t->in_csr_v1) {
        x = ext_open(b, "1.3.6.1.4.1.311.20.2", false);
        csr_write_template_name(b, t->name);
        ext_close(b, x);
    }
    if (t->in_csr_oid != NULL) {
        x = ext_open(b, "1.3.6.1.4.1.311.21.7", false);
        if (csr_write_template_oid(b, t->in_csr_oid, t->in_csr_major, t->in_csr_minor, e) != 0)
            return -1;
        ext_close(b, x);
    }
    return 0;
}

/* ---- attributes: [0] IMPLICIT SET OF, so in ascending order of their encodings ---- */

static int write_request_attribute(struct buf *b, const struct template *t, struct err *e)
{
    size_t attribute = der_open(b, DER_SEQUENCE), set, list, start;

    der_oid_known(b, "1.2.840.113549.1.9.14");
    set = der_open(b, DER_SET);
    list = start = der_open(b, DER_SEQUENCE);
    if (write_extensions(b, t, e) != 0)
        return -1;
    if (!b->bad && b->len == start) {
        buf_truncate(b, 0);
        return 0;
    }
    der_close(b, list);
    der_close(b, set);
    der_close(b, attribute);
    return 0;
}

static void write_pair_attribute(struct buf *b, const struct template *t)
{
    size_t attribute = der_open(b, DER_SEQUENCE), set;

    der_oid_known(b, "1.3.6.1.4.1.311.13.2.1");
    set = der_open(b, DER_SET);
    csr_write_pair(b, "CertificateTemplate", t->name);
    der_close(b, set);
    der_close(b, attribute);
}

/* PrintableString where it can hold the text: all that NDES reads. */
static uint8_t string_type(const char *text)
{
    return text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                             " '()+,-./:=?")]
                   == '\0'
               ? DER_PRINTABLE
               : DER_UTF8;
}

static void write_challenge_attribute(struct buf *b, const char *challenge)
{
    size_t attribute = der_open(b, DER_SEQUENCE), set;

    der_oid_known(b, "1.2.840.113549.1.9.7");
    set = der_open(b, DER_SET);
    der_tlv(b, string_type(challenge), view_text(challenge));
    der_close(b, set);
    der_close(b, attribute);
}

static bool before(const struct buf *a, const struct buf *b)
{
    size_t shorter = a->len < b->len ? a->len : b->len;
    int order = shorter != 0 ? memcmp(a->p, b->p, shorter) : 0;

    return order < 0 || (order == 0 && a->len < b->len);
}

static int write_attributes(struct buf *out, const struct template *t, struct err *e)
{
    enum { REQUEST, PAIR, CHALLENGE, ATTRIBUTES };
    struct buf b[ATTRIBUTES] = {
        [REQUEST] = BUF_INIT(CSR_MAX), [PAIR] = BUF_INIT(CSR_MAX), [CHALLENGE] = BUF_SECRET(CSR_MAX)
    };
    const struct buf *order[ATTRIBUTES] = { &b[0], &b[1], &b[2] };
    size_t set;
    int rc = -1;

    if (write_request_attribute(&b[REQUEST], t, e) != 0)
        goto done;
    if (t->in_csr_pair)
        write_pair_attribute(&b[PAIR], t);
    if (t->challenge != NULL)
        write_challenge_attribute(&b[CHALLENGE], t->challenge);
    for (size_t i = 0; i < ATTRIBUTES; i++)
        if (buf_check(&b[i], e) != 0)
            goto done;
    for (size_t i = 1; i < ATTRIBUTES; i++)
        for (size_t k = i; k > 0 && before(order[k], order[k - 1]); k--) {
            const struct buf *later = order[k - 1];

            order[k - 1] = order[k];
            order[k] = later;
        }
    set = der_open(out, DER_CONTEXTC | 0);
    for (size_t i = 0; i < ATTRIBUTES; i++)
        buf_add_view(out, buf_view(order[i]));
    der_close(out, set);
    rc = 0;
done:
    for (size_t i = 0; i < ATTRIBUTES; i++)
        buf_free(&b[i]);
    return rc;
}

/* ---- the request ---- */

/* The template's name goes out as BMPString, which has no room for characters above U+FFFF. */
static bool bmp_can_hold(const char *utf8)
{
    struct view rest = view_text(utf8);

    while (rest.len != 0) {
        uint32_t c;
        size_t step = utf8_next(rest, &c);

        if (step == 0 || c > 0xffff)
            return false;
        rest = view_of(rest.p + step, rest.len - step);
    }
    return true;
}

static int check_template(const struct template *t, const struct key *k, struct err *e)
{
    bool needs_name = t->in_csr_v1 || t->in_csr_pair;

    if (t->subject.count == 0 && !has_sans(t))
        return err_set(e, ERR_INPUT, "neither a subject nor a subject alternative name");
    if (t->key != KEY_NONE && t->key != key_type(k))
        return err_set(e, ERR_INPUT, "the template wants a key of type %s, this one is %s",
            key_type_name(t->key), key_type_name(key_type(k)));
    if (t->challenge != NULL
        && (t->challenge[0] == '\0' || text_has_control(view_text(t->challenge))
            || !utf8_valid(view_text(t->challenge))))
        return err_set(e, ERR_INPUT, "a challenge that is empty or no plain text");
    if ((t->key_usage & ~(unsigned)KU_KNOWN) != 0)
        return err_set(
            e, ERR_INPUT, "key usage 0x%x has bits that cannot be asked for", t->key_usage);
    if (needs_name && (t->name == NULL || t->name[0] == '\0'))
        return err_set(
            e, ERR_INPUT, "the CA wants the template in the request, but it has no name");
    if (needs_name && !bmp_can_hold(t->name))
        return err_set(e, ERR_INPUT, "template name \"%.80s\" does not fit a BMPString", t->name);
    return 0;
}

static int write_tbs(struct buf *out, const struct template *t, const struct key *k, struct err *e)
{
    size_t info = der_open(out, DER_SEQUENCE);

    der_uint(out, 0);
    if (name_write(&t->subject, out, e) != 0)
        return -1;
    buf_add_view(out, key_spki(k));
    if (write_attributes(out, t, e) != 0)
        return -1;
    der_close(out, info);
    return buf_check(out, e);
}

int csr_build(
    struct lib *l, const struct template *t, struct key *k, struct buf *out, struct err *e)
{
    bool secret = t->challenge != NULL; /* then so is the request */
    struct buf tbs = { .max = CSR_MAX, .secret = secret },
               csr = { .max = CSR_MAX, .secret = secret };
    size_t start = out->len, seq;
    int rc = -1;

    if (check_template(t, k, e) != 0 || write_tbs(&tbs, t, k, e) != 0)
        goto done;
    seq = der_open(&csr, DER_SEQUENCE);
    buf_add_view(&csr, buf_view(&tbs));
    if (key_sign(l, k, t->hash, buf_view(&tbs), &csr, e) != 0)
        goto done;
    der_close(&csr, seq);
    if (buf_check(&csr, e) != 0)
        goto done;
    buf_add_view(out, buf_view(&csr));
    rc = buf_finish(out, start, e);
done:
    buf_free(&tbs);
    buf_free(&csr);
    return rc;
}

int csr_spki(struct view csr, struct view *spki, struct err *e)
{
    struct der request, info, part, key;

    if (der_expect(&csr, DER_SEQUENCE, "request", &request, e) != 0
        || der_end(csr, "request", e) != 0
        || der_expect(&request.content, DER_SEQUENCE, "request info", &info, e) != 0
        || der_expect(&request.content, DER_SEQUENCE, "request algorithm", &part, e) != 0
        || der_expect(&request.content, DER_BIT_STRING, "request signature", &part, e) != 0
        || der_end(request.content, "request", e) != 0)
        return -1;
    if (der_expect(&info.content, DER_INTEGER, "request version", &part, e) != 0
        || der_expect(&info.content, DER_SEQUENCE, "request subject", &part, e) != 0
        || der_expect(&info.content, DER_SEQUENCE, "request key", &key, e) != 0
        || der_expect(&info.content, DER_CONTEXTC | 0, "request attributes", &part, e) != 0
        || der_end(info.content, "request info", e) != 0)
        return -1;
    *spki = key.whole;
    return 0;
}
