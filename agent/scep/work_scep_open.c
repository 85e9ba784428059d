/*
 * see work_scep.h.  From the bytes of a pkiMessage to a request that may be judged.
 *
 * What is refused until the envelope is opened depends on nothing secret and says what it was.  From there on every
 * refusal is badRequest (SR-07): that the envelope opened, what was in it and whether the challenge is right must
 * not be told apart.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/scep/work_scep.h"
#include "certs/ber.h"
#include "certs/cms_content.h"
#include "certs/cms_cert.h"
#include "certs/envelope.h"
#include "certs/mem.h"
#include "certs/spki.h"
#include "certs/text.h"

enum {
    SIGNER_RSA_LEAST = 2048,
    SIGNER_RSA_MOST =
        8192, /* larger keys, and longer exponents, are work that a stranger gives us */
    SIGNER_EXPONENT_MOST = 32,
    ID_DIGITS = 28,
    CHALLENGE_BASE64 = 200
};

struct opening { /* while it is worked on */
    struct work_scep_open *w;
    struct lib *l;
    struct cms_cert signer;
    struct buf der; /* what `envelope` points into */
    struct envelope envelope;
    struct csr csr;
};

static int refuse(struct work_scep_open *w, enum scep_fail fail)
{
    w->opened = SCEP_REFUSED;
    w->fail = fail;
    return -1;
}

/* ---- the outer message: nothing here is secret ------------------------------------------------------------ */

static int read_outer(struct work_scep_open *w)
{
    w->opened = SCEP_UNREADABLE;
    if (ber_to_der(buf_view(&w->message), &w->der, &w->why) != 0)
        return -1;
    if (scep_request_parse(buf_view(&w->der), &w->q, &w->why) == 0)
        return 0;
    if (w->q.transaction[0] != '\0')
        (void)refuse(w, w->why.cls == ERR_UNSUPPORTED ? SCEP_BAD_ALG : SCEP_BAD_REQUEST);
    return -1;
}

/* Fail closed: only what stands here goes on. */
static int check_type(struct work_scep_open *w)
{
    switch (w->q.type) {
    case SCEP_PKCS_REQ:
    case SCEP_RENEWAL_REQ:
    case SCEP_CERT_POLL:
        return 0;
    case SCEP_GET_CERT:
    case SCEP_GET_CRL:
        (void)err_set(&w->why, ERR_UNSUPPORTED, "GetCert and GetCRL are not offered");
        return refuse(w, SCEP_BAD_CERT_ID);
    default:
        (void)err_set(&w->why, ERR_INPUT, "a messageType that is not served");
        return refuse(w, SCEP_BAD_REQUEST);
    }
}

/* The answer will be encrypted to the signer: a key that cannot be encrypted to is refused before the CA issues
 * something nobody could read. */
static int check_signer_key(struct opening *o)
{
    struct work_scep_open *w = o->w;
    struct spki k;

    if (cms_cert_read(w->q.signer, &o->signer, &w->why) != 0)
        return refuse(w, SCEP_BAD_MESSAGE_CHECK);
    if (spki_parse(o->signer.spki, &k, &w->why) != 0)
        return refuse(w, w->why.cls == ERR_UNSUPPORTED ? SCEP_BAD_ALG : SCEP_BAD_MESSAGE_CHECK);
    if (!k.ec && k.bits >= SIGNER_RSA_LEAST && k.bits <= SIGNER_RSA_MOST
        && k.exponent.len <= SIGNER_EXPONENT_MOST)
        return 0;
    (void)err_set(&w->why, ERR_UNSUPPORTED, "the signer's key is %s; RSA of 2048 bits is needed",
        k.ec                        ? "EC"
        : k.bits < SIGNER_RSA_LEAST ? "too short"
                                    : "too large");
    return refuse(w, SCEP_BAD_ALG);
}

static int check_signature(struct opening *o)
{
    struct work_scep_open *w = o->w;

    if (w->q.s.digest == DIGEST_SHA1 && !w->rules->sha1) {
        (void)err_set(&w->why, ERR_UNSUPPORTED, "SHA-1 is switched off here");
        return refuse(w, SCEP_BAD_ALG);
    }
    if (signed_verify(o->l, &w->q.s, w->q.signer, &w->why) == 0)
        return 0;
    return refuse(w, w->why.cls == ERR_UNSUPPORTED ? SCEP_BAD_ALG : SCEP_BAD_MESSAGE_CHECK);
}

static int check_envelope(struct opening *o)
{
    struct work_scep_open *w = o->w;

    if (w->q.envelope.len == 0) {
        (void)err_set(&w->why, ERR_PROTO, "the message has no envelope");
        return refuse(w, SCEP_BAD_REQUEST);
    }
    o->der = (struct buf)BUF_INIT(BER_MAX);
    if (ber_to_der(w->q.envelope, &o->der, &w->why)
        != 0) /* signed as it stands, so it may be BER */
        return refuse(w, SCEP_BAD_REQUEST);
    if (envelope_parse(buf_view(&o->der), &o->envelope, &w->why) != 0)
        return refuse(w, w->why.cls == ERR_UNSUPPORTED ? SCEP_BAD_ALG : SCEP_BAD_REQUEST);
    if (o->envelope.cipher == ENVELOPE_DES3 && !w->rules->des3) {
        (void)err_set(&w->why, ERR_UNSUPPORTED, "triple DES is switched off here");
        return refuse(w, SCEP_BAD_ALG);
    }
    w->cipher = o->envelope.cipher == ENVELOPE_DES3     ? CMS_DES3_CBC
                : o->envelope.cipher == ENVELOPE_AES256 ? CMS_AES256_CBC
                                                        : CMS_AES128_CBC;
    return 0;
}

/* ---- inside: every refusal is the same from outside ---------------------------------------------------------- */

static const struct ra_pair *recipient(const struct ra *ra, const struct envelope *v)
{
    for (size_t i = 0; i < ra->previous_count; i++)
        if (envelope_is_for(v, buf_view(&ra->previous[i].certificate)))
            return &ra->previous[i];
    return &ra->encryption; /* also for one that names nobody we know: it will not open */
}

static int open_envelope(struct opening *o)
{
    struct work_scep_open *w = o->w;
    struct key *k = key_kept(o->l, buf_view(&recipient(w->ra, &o->envelope)->key), &w->why);

    return k != NULL && envelope_open(o->l, &o->envelope, k, &w->csr, &w->why) == 0 ? 0 : -1;
}

/* A certificate of this CA: is this a renewal of it? */
static void check_renewal(struct opening *o, const struct cert *old)
{
    struct work_scep_open *w = o->w;
    struct buf hex = BUF_INIT(64);

    if (!w->rules->renewal) {
        (void)err_set(&w->renewal_why, ERR_UNSUPPORTED, "renewal is switched off here");
        return;
    }
    w->renewal = csr_check_renewal(o->l, &o->csr, old, buf_view(&w->ra->ca_certs), w->now,
                     w->rules->renewal_window, &w->renewal_why)
                 == 0;
    cert_serial_hex(old, &hex);
    (void)snprintf(w->signer_serial, sizeof w->signer_serial, "%s", buf_text(&hex));
    buf_free(&hex);
}

/*
 * Who signs?  A first request: the request's own key, under a certificate the device made itself.  A renewal: the
 * certificate that is to be renewed, whatever key the request has.  An old certificate of ours that does not
 * fit may still carry a request with a challenge (certmonger, macOS); a RenewalReq is what it says or nothing.
 */
static int check_signer(struct opening *o)
{
    struct work_scep_open *w = o->w;
    struct cert old;

    if (cert_parse(w->q.signer, &old, &w->why) == 0
        && csr_check_signed_by(o->l, &old, buf_view(&w->ra->ca_certs), &w->why) == 0) {
        check_renewal(o, &old);
        if (w->renewal || w->q.type != SCEP_RENEWAL_REQ)
            return 0;
        w->why = w->renewal_why;
        return -1;
    }
    if (w->q.type != SCEP_RENEWAL_REQ && view_equal(o->signer.spki, o->csr.spki))
        return 0;
    return err_set(&w->why, ERR_TRUST,
        "the signer's certificate is neither of this CA nor of the request's own key");
}

/* ---- names for it ------------------------------------------------------------------------------------------- */

static int hash_of(struct lib *l, const char *endpoint, struct view a, struct view b, char *out,
    size_t digits, struct err *e)
{
    struct buf all = BUF_SECRET(1 << 20), hex = BUF_INIT(72);
    uint8_t hash[32];
    int rc = -1;

    buf_add_text(&all, endpoint);
    buf_add_byte(&all, 0);
    buf_printf(&all, "%zu", a.len); /* so that no two pairs run into the same bytes */
    buf_add_byte(&all, 0);
    buf_add_view(&all, a);
    buf_add_view(&all, b);
    if (buf_check(&all, e) == 0 && lib_sha256(l, buf_view(&all), hash, e) == 0) {
        hex_add(&hex, view_of(hash, sizeof hash));
        (void)snprintf(out, digits + 1, "%s", buf_text(&hex));
        rc = 0;
    }
    buf_free(&all);
    buf_free(&hex);
    return rc;
}

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c == '-' ? '+' : c == '_' ? '/' : c);

    return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

/*
 * A long challenge that is base64 can be written in many ways that say the same (alphabet, padding, line ends,
 * loose last bits): what it is known by is what it says.  False: it is no base64, or a short password.
 */
static bool what_it_says(struct view text, struct buf *out)
{
    uint32_t bits = 0;
    unsigned have = 0;

    for (size_t i = 0; i < text.len; i++) {
        int v = base64_value((char)text.p[i]);

        if (v < 0 && strchr("=\r\n\t ", text.p[i]) != NULL && text.p[i] != '\0')
            continue;
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        if ((have += 6) >= 8)
            buf_add_byte(out, (uint8_t)(bits >> (have -= 8)));
    }
    return text.len >= CHALLENGE_BASE64;
}

/*
 * Without the endpoint: what serves once serves at one endpoint only.  Challenges that a cloud signs or encrypts are CMS
 * messages, as far as is known: one that its holder has written another way is not another one (cms_content.h).
 */
static int name_challenge(struct opening *o)
{
    struct work_scep_open *w = o->w;
    struct view name = buf_view(&o->csr.challenge);
    struct buf said = BUF_SECRET(BER_MAX), content = BUF_SECRET(BER_MAX);
    const char *kind = "challenge";
    int rc;

    if (what_it_says(name, &said)) {
        name = buf_view(&said);
        if (cms_content(name, &content)) {
            name = buf_view(&content);
            kind = "content of a challenge";
        }
    }
    rc = hash_of(o->l, "", view_text(kind), name, w->challenge, 64, &w->why);
    buf_free(&said);
    buf_free(&content);
    return rc;
}

static int name_it(struct opening *o)
{
    struct work_scep_open *w = o->w;
    const char *p = w->rules->endpoint;
    char digits[40];

    if (hash_of(o->l, p, o->signer.spki, view_text(w->q.transaction), w->alias, 64, &w->why) != 0)
        return -1;
    if (w->q.type == SCEP_CERT_POLL)
        return 0;
    if (hash_of(o->l, p, o->signer.spki, buf_view(&w->csr), digits, ID_DIGITS, &w->why) != 0)
        return -1;
    (void)snprintf(w->id, sizeof w->id, "scep-%s", digits);
    if (!o->csr.has_challenge)
        return 0;
    return name_challenge(o);
}

static void describe(struct opening *o)
{
    struct work_scep_open *w = o->w;
    struct buf text = BUF_INIT(4096);
    unsigned usage = 0;
    const unsigned both = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
    struct err e;

    w->hash = o->csr.hash;
    w->ec = o->csr.ec;
    w->key_bits = o->csr.key_bits;
    name_text(o->csr.subject, &text);
    (void)snprintf(w->subject, sizeof w->subject, "%s", buf_text(&text));
    buf_free(&text);
    if (csr_key_usage(&o->csr, &usage, &e) != 0)
        usage = 0;
    w->template_use = (usage & both) == KU_DIGITAL_SIGNATURE  ? 's'
                      : (usage & both) == KU_KEY_ENCIPHERMENT ? 'e'
                                                              : 'g';
}

static int open_inside(struct opening *o)
{
    struct work_scep_open *w = o->w;

    /* What is asked for is the transaction (RFC 8894 3.3.3), so our key has nothing to do with it: a poll around a
     * captured envelope, altered, would be answered one way if it still opens and another if not. */
    if (w->q.type == SCEP_CERT_POLL)
        return name_it(o);
    if (open_envelope(o) != 0)
        return -1;
    if (csr_parse(buf_view(&w->csr), &o->csr, &w->why) != 0
        || csr_verify(o->l, &o->csr, w->rules->rsa_min_bits, w->rules->sha1, &w->why) != 0
        || check_signer(o) != 0 || name_it(o) != 0)
        return -1;
    describe(o);
    return 0;
}

static int run(struct lib *l, struct io_work *base, struct err *e)
{
    struct opening o = { .w = (struct work_scep_open *)base, .l = l };
    struct work_scep_open *w = o.w;

    (void)e; /* a refusal is a result, not a failure of the work */
    if (read_outer(w) == 0 && check_type(w) == 0 && check_signer_key(&o) == 0
        && check_signature(&o) == 0 && check_envelope(&o) == 0) {
        if (open_inside(&o) == 0)
            w->opened = SCEP_OPENED;
        else
            (void)refuse(w, SCEP_BAD_REQUEST);
    }
    csr_free(&o.csr);
    envelope_free(&o.envelope);
    buf_free(&o.der);
    return 0;
}

static void work_free(struct io_work *base)
{
    struct work_scep_open *w = (struct work_scep_open *)base;

    buf_free(&w->message);
    buf_free(&w->der);
    buf_free(&w->csr);
    free(w);
}

struct work_scep_open *work_scep_open_new(
    const struct ra *ra, const struct scep_rules *rules, struct view message, int64_t now)
{
    struct work_scep_open *w = xcalloc(1, sizeof *w);

    w->work = (struct io_work){ .run = run, .free = work_free };
    w->ra = ra;
    w->rules = rules;
    w->now = now;
    w->message = (struct buf)BUF_INIT(BER_MAX);
    w->der = (struct buf)BUF_INIT(2 * BER_MAX);
    w->csr = (struct buf)BUF_SECRET(BER_MAX);
    buf_add_view(&w->message, message);
    return w;
}
