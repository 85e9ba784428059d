/* see scep.h: what others send */
#include "proto/scep_part.h"
#include <stdlib.h>
#include <string.h>

/* ---- parts of both ---- */

/* RFC 8894 3.2.1.2: decimal text; anything but exactly these is another type. */
static enum scep_type scep_type(struct view text)
{
    static const struct {
        const char *text;
        enum scep_type type;
    } rows[] = {
        { "3", SCEP_CERT_REP },
        { "17", SCEP_RENEWAL_REQ },
        { "19", SCEP_PKCS_REQ },
        { "20", SCEP_CERT_POLL },
        { "21", SCEP_GET_CERT },
        { "22", SCEP_GET_CRL },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (view_equal(text, view_text(rows[i].text)))
            return rows[i].type;
    return SCEP_TYPE_OTHER;
}

/* ---- a request ---- */

/* It goes into answers, files and logs: nothing but printable ASCII. */
static int read_transaction(struct scep_request *r, struct err *e)
{
    struct view id = { 0 };

    if (scep_attr_text(&r->s, SCEP_OID_TRANSACTION, "transactionID", true, &id, e) != 0)
        return -1;
    if (id.len == 0 || id.len > SCEP_TRANSACTION_MAX)
        return err_set(e, ERR_PROTO, "SCEP: transactionID of %zu characters, 1 to %d are taken",
            id.len, SCEP_TRANSACTION_MAX);
    for (size_t i = 0; i < id.len; i++)
        if (id.p[i] < 0x20 || id.p[i] > 0x7e)
            return err_set(
                e, ERR_PROTO, "SCEP: transactionID with character 0x%02x", (unsigned)id.p[i]);
    memcpy(r->transaction, id.p, id.len);
    r->transaction[id.len] = '\0';
    return 0;
}

static int read_nonce(struct scep_request *r, struct err *e)
{
    struct view nonce = { 0 };

    if (scep_attr_octets(&r->s, SCEP_OID_SENDER_NONCE, "senderNonce", false, &nonce, e) != 0)
        return -1;
    if (nonce.len != 0)
        memcpy(r->nonce, nonce.p, nonce.len);
    r->nonce_len = nonce.len;
    return 0;
}

static int read_type(struct scep_request *r, struct err *e)
{
    struct view text = { 0 };

    if (scep_attr_text(&r->s, SCEP_OID_MESSAGE_TYPE, "messageType", true, &text, e) != 0)
        return -1;
    r->type = scep_type(text);
    return 0;
}

/* Whatever else a message is, it is refused without a look at its signature. */
static bool needs_signer(enum scep_type type)
{
    return type != SCEP_TYPE_NONE && type != SCEP_TYPE_OTHER && type != SCEP_CERT_REP;
}

static int read_signer(struct scep_request *r, struct err *e)
{
    struct err why = { 0 };

    if (signed_signer(&r->s, &r->signer, &why) == 0 || !needs_signer(r->type))
        return 0;
    *e = why;
    return -1;
}

int scep_request_parse(struct view der, struct scep_request *r, struct err *e)
{
    static int (*const parts[])(struct scep_request *, struct err *) = { read_transaction,
        read_nonce, read_type, read_signer };
    struct err why = { 0 };
    int rc;

    *r = (struct scep_request){ 0 };
    rc = signed_parse(der, &r->s, e);
    if (rc != 0 && e->cls != ERR_UNSUPPORTED)
        return -1;
    r->parsed = true;
    r->envelope = r->s.content;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i](r, &why) == 0 || rc != 0)
            continue;
        *e = why;
        rc = -1;
    }
    return rc;
}

enum digest scep_hash(const struct scep_request *r, bool sha1)
{
    if (r->s.digest == DIGEST_NONE || (r->s.digest == DIGEST_SHA1 && !sha1))
        return DIGEST_SHA256;
    return r->s.digest;
}

/* ---- an answer ---- */

static int read_status(struct scep_answer *a, struct err *e)
{
    struct view text = { 0 };

    if (scep_attr_text(&a->s, SCEP_OID_STATUS, "pkiStatus", true, &text, e) != 0)
        return -1;
    if (text.len != 1 || (text.p[0] != '0' && text.p[0] != '2' && text.p[0] != '3'))
        return err_set(e, ERR_PROTO, "SCEP: pkiStatus \"%.*s\"", text.len < 20 ? (int)text.len : 20,
            (const char *)text.p);
    a->status = (enum scep_status)(text.p[0] - '0');
    return 0;
}

static int read_fail(struct scep_answer *a, struct err *e)
{
    struct view text = { 0 }, hresult = { 0 };
    char number[16];

    if (scep_attr_text(&a->s, SCEP_OID_FAIL, "failInfo", true, &text, e) != 0
        || scep_attr_text(&a->s, SCEP_OID_HRESULT, "HRESULT", false, &hresult, e) != 0)
        return -1;
    if (text.len != 1 || text.p[0] < '0' || text.p[0] > '4')
        return err_set(e, ERR_PROTO, "SCEP: failInfo \"%.*s\"", text.len < 20 ? (int)text.len : 20,
            (const char *)text.p);
    a->fail = (enum scep_fail)(text.p[0] - '0');
    if (hresult.len != 0 && hresult.len < sizeof number) { /* as far as it is a number */
        memcpy(number, hresult.p, hresult.len);
        number[hresult.len] = '\0';
        a->hresult = (uint32_t)strtol(number, NULL, 10);
    }
    return 0;
}

/* RFC 8894 3.2.1.5: what came back must be what we sent. */
static int check_ours(
    const struct scep_answer *a, const char *transaction, struct view nonce, struct err *e)
{
    struct view type = { 0 }, id = { 0 }, back = { 0 };

    if (scep_attr_text(&a->s, SCEP_OID_MESSAGE_TYPE, "messageType", true, &type, e) != 0
        || scep_attr_text(&a->s, SCEP_OID_TRANSACTION, "transactionID", true, &id, e) != 0
        || scep_attr_octets(&a->s, SCEP_OID_RECIPIENT_NONCE, "recipientNonce", true, &back, e) != 0)
        return -1;
    if (scep_type(type) != SCEP_CERT_REP)
        return err_set(e, ERR_PROTO, "SCEP: the answer is not a CertRep");
    if (!view_equal(id, view_text(transaction)))
        return err_set(e, ERR_PROTO, "SCEP: the answer is for another transaction");
    if (!view_equal(back, nonce))
        return err_set(e, ERR_PROTO, "SCEP: the answer's recipientNonce is not what was sent");
    return 0;
}

int scep_answer_parse(struct view der, const char *transaction, struct view nonce,
    struct scep_answer *a, struct err *e)
{
    struct scep_answer got = { .fail = SCEP_NO_FAIL };

    if (signed_parse(der, &got.s, e) != 0 || check_ours(&got, transaction, nonce, e) != 0
        || read_status(&got, e) != 0)
        return -1;
    if (got.status == SCEP_FAILURE && read_fail(&got, e) != 0)
        return -1;
    if (got.status == SCEP_SUCCESS)
        got.envelope = got.s.content;
    if (got.status == SCEP_SUCCESS && got.envelope.len == 0)
        return err_set(e, ERR_PROTO, "SCEP: SUCCESS without a certificate");
    *a = got;
    return 0;
}

/* ---- payloads ---- */

int scep_issuer_and(struct view der, struct view *issuer, struct view *second, struct err *e)
{
    struct der outer, name, what;

    if (der_expect(&der, DER_SEQUENCE, "IssuerAnd...", &outer, e) != 0
        || der_end(der, "IssuerAnd...", e) != 0
        || der_expect(&outer.content, DER_SEQUENCE, "issuer", &name, e) != 0
        || der_next(&outer.content, &what, e) != 0
        || der_end(outer.content, "IssuerAnd...", e) != 0)
        return -1;
    if (what.tag != DER_SEQUENCE && (what.tag != DER_INTEGER || what.content.len == 0))
        return err_set(e, ERR_PROTO, "IssuerAnd...: neither a serial number nor a name");
    *issuer = name.whole;
    *second = what.tag == DER_INTEGER ? what.content : what.whole;
    return 0;
}
