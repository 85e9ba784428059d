/* see scep_enrol.h */
#include <stdio.h>
#include <string.h>
#include "agent/base/io.h"
#include "agent/probe/scep_enrol.h"
#include "certs/ber.h"
#include "certs/cms_cert.h"
#include "certs/csr.h"
#include "certs/der.h"
#include "certs/envelope.h"
#include "certs/text.h"
#include "proto/civil.h"

enum { PART_MAX = 256 << 10, HOUR_S = 3600, LIFE_S = 7 * 86400, SERIAL_LEN = 16 };

const char *scep_fail_text(enum scep_fail f)
{
    static const char *const names[] = { [SCEP_BAD_ALG] = "badAlg",
        [SCEP_BAD_MESSAGE_CHECK] = "badMessageCheck",
        [SCEP_BAD_REQUEST] = "badRequest",
        [SCEP_BAD_TIME] = "badTime",
        [SCEP_BAD_CERT_ID] = "badCertId" };

    return f >= SCEP_BAD_ALG && f <= SCEP_BAD_CERT_ID ? names[f] : "no failInfo";
}

/* ---- key, request, certificate ------------------------------------------------------------------------------- */

static int make_csr(struct scep_enrol *s, const char *subject, const char *challenge, struct err *e)
{
    struct template t = { .key = KEY_RSA2048,
        .hash = HASH_SHA256,
        .key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
        .challenge = challenge };
    int rc = -1;

    if (name_parse(&t.subject, subject, NULL, 0, e) != 0)
        return err_wrap(e, "subject");
    if (t.subject.count == 0)
        (void)err_set(e, ERR_INPUT, "subject: it is empty");
    else if (name_write(&t.subject, &s->subject, e) == 0)
        rc = csr_build(s->lib, &t, s->key, &s->csr, e);
    template_free(&t);
    return rc;
}

static void add_time(struct buf *b, int64_t at)
{
    struct civil c;
    char text[24];

    civil_split(at, &c);
    (void)snprintf(text, sizeof text, "%02d%02d%02d%02d%02d%02dZ", c.year % 100, c.month, c.day,
        c.hour, c.minute, c.second);
    der_tlv(b, DER_UTC_TIME, view_text(text));
}

static void add_key_usage(struct buf *b)
{
    static const uint8_t usage[] = { 5, 0xa0 }; /* digitalSignature, keyEncipherment */
    size_t outer = der_open(b, DER_CONTEXTC | 3), list = der_open(b, DER_SEQUENCE),
           one = der_open(b, DER_SEQUENCE), value;

    der_oid_known(b, "2.5.29.15");
    der_bool_true(b);
    value = der_open(b, DER_OCTET_STRING);
    der_tlv(b, DER_BIT_STRING, view_of(usage, sizeof usage));
    der_close(b, value);
    der_close(b, one);
    der_close(b, list);
    der_close(b, outer);
}

static int write_tbs(struct scep_enrol *s, struct buf *b, struct err *e)
{
    uint8_t serial[SERIAL_LEN];
    size_t tbs = der_open(b, DER_SEQUENCE), part;
    int64_t now = io_wall_s();

    if (lib_random(s->lib, serial, sizeof serial, e) != 0)
        return -1;
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
    part = der_open(b, DER_CONTEXTC | 0);
    der_uint(b, 2); /* version 3 */
    der_close(b, part);
    der_uint_bytes(b, view_of(serial, sizeof serial));
    part = der_open(b, DER_SEQUENCE);
    der_oid_known(b, "1.2.840.113549.1.1.11"); /* sha256WithRSAEncryption */
    der_null(b);
    der_close(b, part);
    buf_add_view(b, buf_view(&s->subject));
    part = der_open(b, DER_SEQUENCE);
    add_time(b, now - HOUR_S);
    add_time(b, now + LIFE_S);
    der_close(b, part);
    buf_add_view(b, buf_view(&s->subject));
    buf_add_view(b, key_spki(s->key));
    add_key_usage(b);
    der_close(b, tbs);
    return buf_check(b, e);
}

static int make_signer(struct scep_enrol *s, struct err *e)
{
    struct buf tbs = BUF_INIT(PART_MAX);
    size_t whole;
    int rc = -1;

    if (write_tbs(s, &tbs, e) == 0) {
        whole = der_open(&s->signer, DER_SEQUENCE);
        buf_add_view(&s->signer, buf_view(&tbs));
        if (key_sign(s->lib, s->key, HASH_SHA256, buf_view(&tbs), &s->signer, e) == 0) {
            der_close(&s->signer, whole);
            rc = buf_check(&s->signer, e);
        }
    }
    buf_free(&tbs);
    return rc;
}

static int name_transaction(struct scep_enrol *s, struct err *e)
{
    struct buf hex = BUF_INIT(72);
    uint8_t hash[32];

    if (lib_sha256(s->lib, key_spki(s->key), hash, e) != 0)
        return -1;
    hex_add(&hex, view_of(hash, sizeof hash));
    (void)snprintf(s->transaction, sizeof s->transaction, "%s", buf_text(&hex));
    buf_free(&hex);
    return 0;
}

int scep_enrol_open(
    struct scep_enrol *s, struct lib *l, const char *subject, const char *challenge, struct err *e)
{
    *s = (struct scep_enrol){ .lib = l,
        .subject = BUF_INIT(PART_MAX),
        .csr = BUF_SECRET(PART_MAX),
        .signer = BUF_INIT(PART_MAX) };
    if ((s->key = key_new(l, KEY_RSA2048, KEYGEN_PRIMES, e)) != NULL
        && make_csr(s, subject, challenge, e) == 0 && make_signer(s, e) == 0
        && name_transaction(s, e) == 0)
        return 0;
    scep_enrol_close(s);
    return -1;
}

void scep_enrol_close(struct scep_enrol *s)
{
    key_free(s->key);
    buf_free(&s->subject);
    buf_free(&s->csr);
    buf_free(&s->signer);
    *s = (struct scep_enrol){ 0 };
}

/* ---- what is sent ------------------------------------------------------------------------------------------------ */

/* CertPoll says whose request it is: IssuerAndSubject (RFC 8894 3.3.3). */
static void write_poll(const struct scep_enrol *s, const struct cert *ra, struct buf *out)
{
    size_t seq = der_open(out, DER_SEQUENCE);

    buf_add_view(out, ra->ca ? ra->subject : ra->issuer);
    buf_add_view(out, buf_view(&s->subject));
    der_close(out, seq);
}

int scep_enrol_message(struct scep_enrol *s, enum scep_type type, const struct scep_certs *server,
    struct buf *out, struct err *e)
{
    struct buf poll = BUF_INIT(PART_MAX);
    struct scep_ask ask = { .type = type,
        .transaction = s->transaction,
        .nonce = view_of(s->nonce, sizeof s->nonce),
        .content = buf_view(&s->csr),
        .key = s->key,
        .certificate = buf_view(&s->signer) };
    int rc = -1;

    if (server->encryption < 0)
        return err_set(e, ERR_INPUT, "the server has no certificate that may be encrypted to");
    ask.recipient = server->cert[server->encryption].der;
    if (type == SCEP_CERT_POLL) {
        write_poll(s, &server->cert[server->encryption], &poll);
        ask.content = buf_view(&poll);
    }
    if (buf_check(&poll, e) == 0 && lib_random(s->lib, s->nonce, sizeof s->nonce, e) == 0)
        rc = scep_ask_write(s->lib, &ask, out, e);
    buf_free(&poll);
    return rc;
}

/* ---- what comes back ------------------------------------------------------------------------------------------ */

static int find_signer(
    const struct signed_data *d, const struct scep_certs *server, struct view *der, struct err *e)
{
    struct cms_cert c;
    struct err ignored;

    for (size_t i = 0; i < server->count; i++)
        if (cms_cert_read(server->cert[i].der, &c, &ignored) == 0
            && cms_cert_is(&c, d->issuer, d->serial, d->key_id)) {
            *der = server->cert[i].der;
            return 0;
        }
    return err_set(
        e, ERR_TRUST, "the reply is signed with a certificate that GetCACert does not have");
}

int scep_enrol_answer(struct scep_enrol *s, const struct scep_certs *server, struct view body,
    struct scep_outcome *o, struct err *e)
{
    struct view signer;

    *o = (struct scep_outcome){ .der = BUF_INIT(PART_MAX), .certificates = BUF_INIT(PART_MAX) };
    if (ber_to_der(body, &o->der, e) == 0
        && scep_answer_parse(
               buf_view(&o->der), s->transaction, view_of(s->nonce, sizeof s->nonce), &o->answer, e)
               == 0
        && find_signer(&o->answer.s, server, &signer, e) == 0
        && signed_verify(s->lib, &o->answer.s, signer, e) == 0)
        return 0;
    scep_outcome_free(o);
    return -1;
}

static int find_leaf(struct scep_enrol *s, struct scep_outcome *o, struct err *e)
{
    struct view rest = buf_view(&o->certificates), der;
    int got;

    for (o->leaf_at = 0; (got = chain_next(&rest, &der, e)) == 1; o->leaf_at++)
        if (cert_parse(der, &o->leaf, e) != 0)
            return -1;
        else if (view_equal(o->leaf.spki, key_spki(s->key)))
            return 0;
    return got < 0
               ? -1
               : err_set(e, ERR_MISMATCH, "no certificate of the reply is over the key that asked");
}

int scep_enrol_certificate(struct scep_enrol *s, struct scep_outcome *o, struct err *e)
{
    struct buf der = BUF_INIT(PART_MAX), plain = BUF_SECRET(PART_MAX);
    struct envelope v = { 0 };
    size_t count;
    int rc = -1;

    if (ber_to_der(o->answer.envelope, &der, e) == 0 && envelope_parse(buf_view(&der), &v, e) == 0
        && envelope_open(s->lib, &v, s->key, &plain, e) == 0
        && chain_read(s->lib, buf_view(&plain), &o->certificates, &count, e) == 0)
        rc = find_leaf(s, o, e);
    envelope_free(&v);
    buf_free(&der);
    buf_free(&plain);
    return rc;
}

void scep_outcome_free(struct scep_outcome *o)
{
    buf_free(&o->der);
    buf_free(&o->certificates);
    *o = (struct scep_outcome){ 0 };
}
