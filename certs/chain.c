/* see chain.h */
#include "certs/chain.h"
#include "certs/cms.h"
#include "certs/der.h"
#include "certs/name.h"
#include "certs/text.h"
#include <string.h>

#define PEM_BEGIN "-----BEGIN "

int chain_next(struct view *rest, struct view *der, struct err *e)
{
    struct der cert;

    if (rest->len == 0)
        return 0;
    if (der_expect(rest, DER_SEQUENCE, "list of certificates", &cert, e) != 0)
        return -1;
    *der = cert.whole;
    return 1;
}

/* ---- reading ---- */

/* A ContentInfo begins with an OID where a certificate has a SEQUENCE; true for BER, too. */
static bool is_content_info(struct view in)
{
    size_t head = 2;

    if (in.len < 2 || in.p[0] != DER_SEQUENCE)
        return false;
    if (in.p[1] > 0x80)
        head += in.p[1] & 0x7f;
    return in.len > head && in.p[head] == DER_OID;
}

/* One binary object, a certificate or a SignedData: its certificates are appended and counted. */
static int read_object(struct view in, struct buf *out, size_t *count, struct err *e)
{
    struct view rest, der;
    struct cert ignored;
    size_t start = out->len, n;
    int more;

    if (!is_content_info(in)) {
        if (cert_parse(in, &ignored, e) != 0)
            return -1;
        buf_add_view(out, in);
        *count += 1;
    } else {
        if (cms_certs(in, out, &n, e) != 0)
            return -1;
        rest = view_of(out->p + start, out->len - start);
        while ((more = chain_next(&rest, &der, e)) == 1)
            if (cert_parse(der, &ignored, e) != 0)
                return -1;
        if (more != 0)
            return -1;
        *count += n;
    }
    if (*count > CHAIN_MAX)
        return err_set(e, ERR_PROTO, "more than %d certificates", CHAIN_MAX);
    return 0;
}

static bool take_prefix(struct view *v, const char *prefix)
{
    size_t len = strlen(prefix);

    if (v->len < len || memcmp(v->p, prefix, len) != 0)
        return false;
    *v = view_of(v->p + len, v->len - len);
    return true;
}

/* The next line in *text that may begin a PEM block, or false; *text moves there. */
static bool find_pem(struct view *text)
{
    for (size_t i = 0; i < text->len; i++) {
        struct view line = view_of(text->p + i, text->len - i), rest = line;

        if (i != 0 && text->p[i - 1] != '\n' && text->p[i - 1] != '\r')
            continue;
        if (take_prefix(&rest, PEM_BEGIN)) {
            *text = line;
            return true;
        }
    }
    return false;
}

/* The label of the block at the front of `text`, if it is one that holds certificates; else NULL. */
static const char *pem_label(struct view text)
{
    static const char *const labels[] = { "CERTIFICATE", "X509 CERTIFICATE", "PKCS7", "CMS" };

    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        struct view rest = text;

        if (take_prefix(&rest, PEM_BEGIN) && take_prefix(&rest, labels[i])
            && take_prefix(&rest, "-----"))
            return labels[i];
    }
    return NULL;
}

static int read_pem(struct view text, struct buf *out, size_t *count, struct err *e)
{
    struct buf der = BUF_INIT(CHAIN_INPUT_MAX);
    const char *label;
    int rc = 0;

    while (rc == 0 && find_pem(&text)) {
        if ((label = pem_label(text)) == NULL) {
            text = view_of(text.p + 1, text.len - 1);
            continue;
        }
        buf_reset(&der);
        if ((rc = pem_next(&text, label, &der, e)) != 1)
            break;
        rc = read_object(buf_view(&der), out, count, e);
    }
    buf_free(&der);
    return rc;
}

int chain_read(struct lib *l, struct view in, struct buf *out, size_t *count, struct err *e)
{
    size_t start = out->len, n = 0;
    struct view text = in;
    int rc;

    (void)l;
    if (in.len > CHAIN_INPUT_MAX)
        return err_set(
            e, ERR_PROTO, "certificates: %zu bytes, at most %d are read", in.len, CHAIN_INPUT_MAX);
    if (in.len != 0 && in.p[0] == DER_SEQUENCE)
        rc = read_object(in, out, &n, e);
    else if (find_pem(&text))
        rc = read_pem(text, out, &n, e);
    else
        return err_set(e, ERR_PROTO, "neither DER nor PEM: no certificate in %zu bytes", in.len);
    if (rc == 0 && n == 0)
        rc = err_set(e, ERR_PROTO, "no certificate in %zu bytes", in.len);
    if (rc != 0) {
        buf_truncate(out, start);
        return -1;
    }
    if (buf_finish(out, start, e) != 0)
        return -1;
    *count = n;
    return 0;
}

/* ---- ordering ---- */

struct pool {
    struct cert cert[CHAIN_MAX];
    bool used[CHAIN_MAX];
    size_t count;
};

static int read_pool(struct view list, struct pool *p, struct err *e)
{
    struct view der;
    int more;

    while ((more = chain_next(&list, &der, e)) == 1) {
        if (p->count == CHAIN_MAX)
            return err_set(e, ERR_PROTO, "more than %d certificates", CHAIN_MAX);
        if (cert_parse(der, &p->cert[p->count], e) != 0)
            return -1;
        p->count++;
    }
    return more;
}

static bool may_have_issued(const struct cert *issuer, const struct cert *c)
{
    if (issuer->ski.len != 0 && c->aki.len != 0 && !view_equal(issuer->ski, c->aki))
        return false;
    return view_equal(issuer->subject, c->issuer) || name_equal(issuer->subject, c->issuer);
}

/* Which unused certificate of the pool issued `c` (or, without c, has the key `spki`); NULL: none. */
static const struct cert *pick(struct pool *p, const struct cert *c, struct view spki)
{
    size_t best = CHAIN_MAX;

    for (size_t i = 0; i < p->count; i++) {
        const struct cert *x = &p->cert[i];

        if (p->used[i] || (c != NULL ? !may_have_issued(x, c) : !view_equal(x->spki, spki)))
            continue;
        if (best == CHAIN_MAX || x->not_after_at > p->cert[best].not_after_at)
            best = i;
    }
    if (best == CHAIN_MAX)
        return NULL;
    p->used[best] = true;
    return &p->cert[best];
}

int chain_order(struct view pool, struct view spki, struct buf *out, struct err *e)
{
    struct pool p = { 0 };
    size_t start = out->len;
    const struct cert *c;

    if (read_pool(pool, &p, e) != 0)
        return -1;
    if ((c = pick(&p, NULL, spki)) == NULL)
        return err_set(e, ERR_MISMATCH,
            "none of the %zu certificates the CA sent has the key of the request", p.count);
    buf_add_view(out, c->der);
    while (!cert_self_issued(c) && (c = pick(&p, c, spki)) != NULL)
        if (!cert_self_issued(c))
            buf_add_view(out, c->der);
    return buf_finish(out, start, e);
}
