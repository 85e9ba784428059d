/* see ccp.h: what became of a request.  The same struct always gives the same bytes: a result is
 * written once, stored, and posted as often as need be. */
#include "proto/ccp.h"
#include "certs/chain.h"
#include <string.h>

static void put_verdict(struct json_out *o, const struct ccp_result *r)
{
    bool pending = r->why == NULL && strcmp(r->issuance_state, "issuePending") == 0;

    json_put_bool(o, "succeeded", r->why == NULL && !pending);
    json_put_text(o, "errorCode", pending ? "IssuancePending" : ccp_error_code(r->why, NULL));
    json_put_int(o, "hResult", err_hresult(r->why));
    json_put_text(o, "errorMessage", r->why != NULL ? r->why->msg : NULL);
    json_put_text(o, "certificateIssuanceState", r->issuance_state);
}

/* The leaf as `certificate`, what is above it as `chain`. */
static void put_chain(struct json_out *o, struct view chain)
{
    struct view der;
    struct err e;
    int more = chain_next(&chain, &der, &e);

    if (more == 1) {
        json_put_base64(o, "certificate", der);
        json_open(o, "chain", '[');
        while ((more = chain_next(&chain, &der, &e)) == 1)
            json_put_base64(o, NULL, der);
        json_close(o, ']');
    }
    if (more < 0)
        buf_spoil(o->to, ERR_PROTO);
}

static void put_pfx(struct json_out *o, const struct ccp_result *r)
{
    if (r->pfx.len == 0)
        return;
    json_open(o, "pfx", '{');
    json_put_base64(o, "encryptedPfxBlob", r->pfx);
    if (r->pfx_password.len != 0)
        json_put_base64(o, "encryptedPfxPassword", r->pfx_password);
    json_put_text(o, "recipientThumbprint", r->recipient_thumbprint);
    json_put_text(o, "profile", r->profile);
    json_close(o, '}');
}

void ccp_result_write(struct buf *out, const struct ccp_result *r)
{
    struct json_out o = { .to = out };

    json_open(&o, NULL, '{');
    json_put_text(&o, "requestId", r->head->id);
    json_put_text(&o, "requestContext", r->context);
    json_put_text(&o, "requestType", r->head->type_name);
    put_verdict(&o, r);
    json_put_text(&o, "certificateThumbprint", r->thumbprint);
    json_put_text(&o, "certificateSerialNumber", r->serial);
    json_put_time(&o, "certificateExpirationDateUtc", r->not_after_at);
    json_put_text(&o, "issuingCertificateAuthority", r->issuing_ca);
    json_put_text(&o, "certificateAuthority", r->ca);
    json_put_text(&o, "caConfiguration", r->ca);
    put_chain(&o, r->chain);
    put_pfx(&o, r);
    json_put_text(&o, "activityId", r->activity_id);
    json_close(&o, '}');
}
