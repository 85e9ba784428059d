/* see scep.h: what we answer */
#include "proto/scep_part.h"
#include <stdio.h>

/* What NDES puts where others put nothing. */
static const uint8_t ndes_nothing[] = { 0 };

static void add_number(struct scep_attrs *a, const char *oid, int32_t number)
{
    char text[16];

    (void)snprintf(text, sizeof text, "%ld", (long)number);
    scep_add_text(a, oid, view_text(text));
}

static void add_fail(struct scep_attrs *a, const struct scep_reply *r)
{
    enum scep_fail fail = r->fail == SCEP_NO_FAIL ? SCEP_BAD_REQUEST : r->fail;

    add_number(a, SCEP_OID_FAIL, fail);
    if (r->ndes && r->hresult != 0)
        add_number(a, SCEP_OID_HRESULT, (int32_t)r->hresult);
}

/* RFC 8894 3: no content but that of a SUCCESS. */
static void choose_content(const struct scep_reply *r, struct signed_out *o)
{
    if (r->status == SCEP_SUCCESS)
        o->content = r->envelope;
    else if (r->status == SCEP_FAILURE && r->ndes)
        o->content = view_of(ndes_nothing, sizeof ndes_nothing);
    o->has_content = o->content.len != 0;
}

int scep_reply_write(struct lib *l, const struct scep_reply *r, struct buf *out, struct err *e)
{
    struct scep_attrs a = { .der = BUF_INIT(SCEP_ATTRS_MAX) };
    struct signed_out o = { .digest = r->digest,
        .key = r->key,
        .certificate = r->certificate,
        .include_certificate = !r->ndes };
    int rc = -1;

    scep_add_text(&a, SCEP_OID_TRANSACTION, view_text(r->transaction));
    add_number(&a, SCEP_OID_MESSAGE_TYPE, SCEP_CERT_REP);
    add_number(&a, SCEP_OID_STATUS, (int32_t)r->status);
    if (r->status == SCEP_FAILURE)
        add_fail(&a, r);
    if (r->nonce.len != 0)
        scep_add_octets(&a, SCEP_OID_RECIPIENT_NONCE, r->nonce);
    choose_content(r, &o);
    if (scep_add_fresh_nonce(l, &a, e) == 0)
        rc = scep_sign(l, &a, &o, out, e);
    buf_free(&a.der);
    return rc;
}
