/* see hostile.h: from a row to a message, and from an answer to an outcome */
#include "test/scep/hostile.h"
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 86400, GARBAGE_LEN = 700 };

/* "%s" replaced by the common name. */
static char *fill(const char *pattern, const char *cn)
{
    const char *at = strstr(pattern, "%s");
    struct str out = { 0 };

    str_add(&out, pattern, at == NULL ? strlen(pattern) : (size_t)(at - pattern));
    if (at != NULL)
        str_f(&out, "%s%s", cn, at + 2);
    return out.p == NULL ? need_copy("") : out.p;
}

static const EVP_MD *md_named(const char *name)
{
    return name == NULL ? NULL : need((void *)EVP_get_digestbyname(name));
}

/* ---- request ---- */

static const char *const base_san[PKCS10_LIST] = { "dns:%s.contoso.example",
    "email:%s@contoso.example", "upn:%s@contoso.example", "uri:urn:device:%s" };

static void make_request(
    struct bench *b, const struct row *r, struct made *m, const char *challenge)
{
    struct pkcs10_plan p = r->csr;
    const char *const *san = r->csr.san[0] != NULL ? r->csr.san : base_san;
    char *subject = fill(p.subject == NULL ? "CN=%s,O=Contoso" : p.subject, m->cn);

    p.subject = r->no_subject ? "" : subject;
    for (size_t i = 0; i < PKCS10_LIST; i++)
        p.san[i] = r->no_san || san[i] == NULL ? NULL : fill(san[i], m->cn);
    p.key_usage = r->no_ku ? 0 : p.key_usage == 0 ? 5 : p.key_usage;
    if (p.eku[0] == NULL && !r->no_eku)
        p.eku[0] = "1.3.6.1.5.5.7.3.2";
    p.key = m->key;
    p.other = bench_key(b, "other");
    p.md = md_named(r->csr_md);
    p.challenge = r->challenge == NONE ? NULL : challenge;
    pkcs10_write(&p, &m->csr);
    for (size_t i = 0; i < PKCS10_LIST; i++)
        free((char *)p.san[i]);
    free(subject);
}

/* ---- signer ---- */

static X509 *self(struct bench *b, const struct row *r, struct made *m)
{
    struct str subject = { 0 };
    struct identity_plan p = { .key = m->signer_key };

    str_f(&subject, "CN=%s", m->cn);
    p.subject = subject.p;
    p.critical_aki = r->who == SELF_AKI;
    p.key_id = r->who == SELF_KEY_ID;
    p.ca = r->who == SELF_CA;
    if (r->who == SELF_EXPIRED) {
        p.from_s = -3 * DAY;
        p.until_s = -2 * DAY;
    } else if (r->who == SELF_EARLY) {
        p.from_s = 2 * DAY;
        p.until_s = 3 * DAY;
    }
    m->signer = identity_make(&p);
    str_free(&subject);
    (void)b;
    return m->signer;
}

/* As if our CA had issued it to the holder; or really so. */
static X509 *holder(struct bench *b, const struct row *r, struct made *m)
{
    struct str subject = { 0 };
    struct identity_plan p = { .issuer = "O=Contoso,CN=Contoso Issuing CA 1",
        .key = m->signer_key };

    str_f(&subject, "CN=%s,O=Contoso", b->held_cn);
    p.subject = subject.p;
    p.issuer_key = r->who == HOLDER_FORGED ? bench_key(b, "forger") : b->ca_key;
    if (r->who == HOLDER_EXPIRED) {
        p.from_s = -30 * DAY;
        p.until_s = -DAY;
    } else if (r->who == HOLDER_EARLY) {
        p.from_s = DAY;
        p.until_s = 30 * DAY;
    }
    m->signer = identity_make(&p);
    str_free(&subject);
    return m->signer;
}

static bool make_signer(struct bench *b, const struct row *r, struct made *m)
{
    m->signer_key = r->who == STRANGER   ? bench_key(b, "stranger")
                    : r->who == WEAK_KEY ? bench_key(b, "rsa1024")
                                         : m->key;
    switch (r->who) {
    case HOLDER:
        m->signer_key = b->held_key;
        m->signer = b->held;
        return m->signer != NULL && X509_up_ref(m->signer) == 1;
    case AGENT:
        m->signer_key = b->agent_key;
        m->signer = b->ra.sign;
        return m->signer_key != NULL && X509_up_ref(m->signer) == 1;
    case HOLDER_FORGED:
    case HOLDER_EXPIRED:
    case HOLDER_EARLY:
    case HOLDER_FOREIGN:
        m->signer_key = bench_key(b, "old");
        return b->ca_key != NULL && holder(b, r, m) != NULL;
    default:
        return self(b, r, m) != NULL;
    }
}

/* ---- envelope and message ---- */

static void issuer_and(struct bench *b, const struct made *m, enum inside what, struct str *out)
{
    if (what == OTHER_SERIAL)
        name_write("CN=Somebody's CA", 0, false, out);
    else
        der_name(out, X509_get_issuer_name(b->ra.sign));
    if (what == ISSUER_SUBJECT)
        der_name(out, X509_get_subject_name(m->signer));
    else
        der_hex(out, "0205 0102030405");
    der_close(out, 0, 0x30);
}

static void make_content(
    struct bench *b, const struct row *r, const struct made *m, struct str *out)
{
    unsigned char noise[GARBAGE_LEN];

    switch (r->inside) {
    case GARBAGE:
        need(RAND_bytes(noise, sizeof noise) == 1 ? out : NULL);
        str_add(out, noise, sizeof noise);
        break;
    case ISSUER_SUBJECT:
    case ISSUER_SERIAL:
    case OTHER_SERIAL:
        issuer_and(b, m, r->inside, out);
        break;
    case NOTHING:
    case ABSENT:
        str_add(out, "", 0);
        break;
    default:
        str_add(out, m->csr.p, m->csr.len);
    }
}

static void make_message(struct bench *b, const struct row *r, struct made *m)
{
    struct envelope_plan e = r->env;
    struct message_plan p = r->msg;
    struct str content = { 0 }, env = { 0 };

    make_content(b, r, m, &content);
    e.recipient = r->to_signer ? b->ra.sign : b->ra.encrypt;
    e.second = b->ra.sign;
    if (r->inside == BARE_REQUEST)
        str_add(&env, content.p, content.len);
    else if (r->inside != ABSENT)
        envelope_write(&e, &content, &env);
    p.signer = m->signer;
    p.key = m->signer_key;
    p.other_key = bench_key(b, "other");
    p.other_certificate = b->ra.encrypt;
    p.md = md_named(r->msg_md);
    p.type = p.type == NULL ? "19" : p.type;
    p.transaction = m->transaction.p;
    p.nonce = m->nonce;
    p.nonce_len = m->nonce_len;
    if (r->inside == ABSENT)
        p.twist |= MSG_NO_CONTENT;
    message_write(&p, &env, &m->message);
    str_free(&content);
    str_free(&env);
}

bool make_case(struct bench *b, const struct row *r, struct made *m)
{
    const char *key = r->who == EC_SIGNER ? "p256" : r->key == NULL ? "rsa2048" : r->key;
    struct str challenge = { 0 };
    bool ok;

    *m = (struct made){ .key = NULL };
    if (r->who >= HOLDER && r->who <= HOLDER_FOREIGN)
        copy_n(m->cn, sizeof m->cn, b->held_cn);
    else
        bench_new_cn(b, m->cn);
    m->key = bench_key(b, key);
    m->renews = r->renews;
    m->nonce_len = r->nonce_len == 0 ? 16 : r->nonce_len;
    m->has_nonce = (r->msg.twist & (MSG_NO_NONCE | MSG_NONCE_INTEGER)) == 0
                   && m->nonce_len <= 64; /* nobody has to send back more */
    need(m->nonce_len <= sizeof m->nonce ? m : NULL);
    need(RAND_bytes(m->nonce, sizeof m->nonce) == 1 ? m : NULL);
    if (r->msg.transaction != NULL) {
        char *id = fill(r->msg.transaction, m->cn);

        str_puts(&m->transaction, id);
        free(id);
    } else {
        str_f(&m->transaction, "T-%s-%u", b->run, b->number++);
    }
    while (m->transaction.len < r->transaction_len)
        str_puts(&m->transaction, "X");
    ok = bench_challenge(b, r->challenge, m->cn, &challenge) && make_signer(b, r, m);
    if (ok) {
        make_request(b, r, m, str_text(&challenge));
        make_message(b, r, m);
        if (b->used.len == 0)
            str_puts(&b->used, str_text(&challenge));
    }
    str_free(&challenge);
    return ok;
}

void made_free(struct made *m)
{
    str_free(&m->transaction);
    str_free(&m->csr);
    str_free(&m->message);
    X509_free(m->signer);
}

/* ---- answers ---- */

static const struct {
    unsigned bit;
    int status;
    const char *name;
} outcomes[] = { { OK, 0, "SUCCESS" }, { BAD_ALG, 0, "badAlg" },
    { BAD_CHECK, 0, "badMessageCheck" }, { BAD_REQUEST, 0, "badRequest" },
    { BAD_TIME, 0, "badTime" }, { BAD_CERT_ID, 0, "badCertId" }, { HTTP_400, 400, "400" },
    { HTTP_413, 413, "413" }, { HTTP_414, 414, "414" }, { HTTP_431, 431, "431" },
    { HTTP_403, 403, "403" }, { HTTP_404, 404, "404" }, { HTTP_405, 405, "405" },
    { HTTP_501, 501, "501" }, { HTTP_505, 505, "505" }, { HTTP_200, 0, "200" },
    { HTTP_429, 429, "429" }, { CLOSED, 0, "closed" }, { PENDING, 0, "PENDING" } };

void outcome_text(unsigned bits, struct str *out)
{
    str_add(out, "", 0);
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        if ((bits & outcomes[i].bit) != 0)
            str_f(out, "%s%s", out->len > 0 ? " or " : "", outcomes[i].name);
    }
}

/* SR-08: nothing of a library, a file or a stack in what a stranger gets. */
static bool leaks(const struct str *body)
{
    static const char *const words[] = { "openssl", "OpenSSL", "libcrypto", "error:", "routines",
        "sqlite", "SQLITE", ".c:", "asn1", "malloc", "/etc/", "/usr/", "/var/", "errno" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (memmem(str_text(body), body->len, words[i], strlen(words[i])) != NULL)
            return true;
    }
    return false;
}

static unsigned read_message(
    struct bench *b, const struct response *a, const struct made *m, struct certrep *rep)
{
    struct certrep_want want = { .signer = b->ra.sign,
        .transaction = str_text(&m->transaction),
        .nonce = m->has_nonce ? m->nonce : NULL,
        .nonce_len = m->nonce_len,
        .recipient = m->signer,
        .key = m->signer_key,
        .requested = m->key };
    struct str why = { 0 };
    unsigned bit = 0;

    if (!certrep_read(&a->body, &want, rep, &why))
        str_f(&b->why, "a CertRep that is wrong: %s", str_text(&why));
    else if (rep->status == STATUS_SUCCESS)
        bit = OK;
    else if (rep->status == STATUS_PENDING)
        bit = PENDING;
    else
        bit = (unsigned)BAD_ALG << rep->fail;
    str_free(&why);
    return bit;
}

unsigned read_answer(
    struct bench *b, const struct response *a, const struct made *m, struct certrep *rep)
{
    unsigned bit = 0;

    if (leaks(&a->body)) {
        str_puts(&b->why, "the answer tells about the inside");
        return 0;
    }
    if (a->status == 200 && m != NULL && strcmp(a->type, "application/x-pki-message") == 0) {
        bit = read_message(b, a, m, rep);
    } else if (a->status == 200) {
        bit = HTTP_200;
    } else {
        for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
            bit |= outcomes[i].status == a->status ? outcomes[i].bit : 0;
    }
    if (bit == 0 && b->why.len == 0)
        str_f(&b->why, "HTTP %d", a->status);
    else if (bit != 0)
        outcome_text(bit, &b->why);
    return bit;
}

unsigned post_case(struct bench *b, const struct made *m, struct certrep *rep)
{
    struct str request = { 0 };
    struct response a = { 0 };
    struct certrep own = { 0 };
    char why[WHY] = "";
    unsigned bit = CLOSED;
    const struct target *to = m->renews ? &b->renew_to : &b->to;

    str_cut(&b->why, 0);
    post_request(to, "operation=PKIOperation", "application/x-pki-message", &m->message, &request);
    if (talk(to, &request, &a, why))
        bit = read_answer(b, &a, m, rep == NULL ? &own : rep);
    else
        str_f(&b->why, "%s", why);
    certrep_free(&own);
    response_free(&a);
    str_free(&request);
    return bit;
}
