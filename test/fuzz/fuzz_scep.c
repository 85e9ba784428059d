/* SCEP messages as they come from anybody: BER to DER, then the outer message. */
#include "certs/ber.h"
#include "certs/envelope.h"
#include "certs/text.h"
#include "proto/scep.h"
#include <stdlib.h>
#include <string.h>

static bool inside(struct view part, struct view whole)
{
    return part.len == 0 || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

static void request(struct view der)
{
    struct scep_request r;
    struct err e = { 0 };
    int rc = scep_request_parse(der, &r, &e);

    if (rc != 0 && e.cls != ERR_PROTO && e.cls != ERR_UNSUPPORTED)
        abort();
    if (text_has_control(view_text(e.msg)) || text_has_control(view_text(r.transaction)))
        abort();
    if (!r.parsed && (rc == 0 || r.transaction[0] != '\0' || r.type != SCEP_TYPE_NONE))
        abort();
    if (rc == 0 && (r.transaction[0] == '\0' || r.type == SCEP_TYPE_NONE))
        abort();
    if (rc == 0 && r.type >= SCEP_RENEWAL_REQ && r.type <= SCEP_GET_CRL && r.signer.len == 0)
        abort();
    if (r.nonce_len > sizeof r.nonce || strlen(r.transaction) > SCEP_TRANSACTION_MAX
        || !inside(r.signer, der) || !inside(r.envelope, der))
        abort();
    if (scep_hash(&r, false) == DIGEST_SHA1 || scep_hash(&r, true) == DIGEST_NONE)
        abort();
}

static void answer(struct view der)
{
    struct view issuer, second;
    struct scep_answer a;
    struct err e;

    if (scep_answer_parse(der, "t", view_text("n"), &a, &e) == 0
        && (!inside(a.envelope, der) || (a.status == SCEP_SUCCESS) != (a.envelope.len != 0)))
        abort();
    if (scep_issuer_and(der, &issuer, &second, &e) == 0
        && (!inside(issuer, der) || !inside(second, der) || second.len == 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf der = BUF_INIT(BER_MAX * 2);
    struct err e = { 0 };

    if (ber_to_der(view_of(data, size), &der, &e) == 0) {
        request(buf_view(&der));
        answer(buf_view(&der));
    }
    buf_free(&der);
    return 0;
}
