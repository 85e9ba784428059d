/* see scep.h: what a client asks */
#include "proto/scep_part.h"
#include "certs/cms.h"
#include <stdio.h>

enum { ENVELOPE_MAX = 1 << 20 };

int scep_ask_write(struct lib *l, const struct scep_ask *q, struct buf *out, struct err *e)
{
    struct scep_attrs a = { .der = BUF_INIT(SCEP_ATTRS_MAX) };
    struct buf envelope = BUF_INIT(ENVELOPE_MAX);
    struct signed_out o = { .digest = DIGEST_SHA256,
        .key = q->key,
        .certificate = q->certificate,
        .include_certificate = true,
        .has_content = true };
    char type[16];
    int rc = -1;

    (void)snprintf(type, sizeof type, "%d", (int)q->type);
    scep_add_text(&a, SCEP_OID_TRANSACTION, view_text(q->transaction));
    scep_add_text(&a, SCEP_OID_MESSAGE_TYPE, view_text(type));
    scep_add_octets(&a, SCEP_OID_SENDER_NONCE, q->nonce);
    if (cms_envelope(l, q->recipient, CMS_AES256_CBC, CMS_RSA_PKCS1, q->content, &envelope, e)
        == 0) {
        o.content = buf_view(&envelope);
        rc = scep_sign(l, &a, &o, out, e);
    }
    buf_free(&envelope);
    buf_free(&a.der);
    return rc;
}
