/* see scep_certs.h */
#include <string.h>
#include "agent/probe/scep_certs.h"
#include "certs/name.h"
#include "certs/template.h"
#include "certs/verify.h"
#include "proto/http.h"

enum { CERTS_MAX = 256 << 10, RSA_LEAST = 2048, DAYS_SOON = 30, DAY_S = 86400 };

/* ---- roles ---------------------------------------------------------------------------------------------------- */

static unsigned role_of(const struct cert *c)
{
    unsigned usage = 0, role = 0;
    struct err e;
    bool all = c->key_usage.len == 0 || cert_key_usage(c, &usage, &e) != 0;

    if (c->ca)
        return cert_self_issued(c) ? SCEP_ROLE_CA | SCEP_ROLE_ROOT : SCEP_ROLE_CA;
    if (all || (usage & KU_DIGITAL_SIGNATURE) != 0)
        role |= SCEP_ROLE_SIGNING;
    if (all || (usage & KU_KEY_ENCIPHERMENT) != 0)
        role |= SCEP_ROLE_ENCRYPTION;
    return role;
}

/* Of several that could, the one that can nothing else: as Apple chooses. */
static int pick(const struct scep_certs *c, unsigned role)
{
    int found = -1;

    for (size_t i = 0; i < c->count; i++)
        if ((c->role[i] & role) != 0 && (found < 0 || c->role[i] == role))
            if (found < 0 || c->role[found] != role)
                found = (int)i;
    return found;
}

/* Without a registration authority the CA itself does both. */
static void pick_ca(struct scep_certs *c)
{
    int ca = pick(c, SCEP_ROLE_CA);

    if (ca < 0)
        return;
    c->signing = c->encryption = ca;
}

int scep_certs_read(struct view body, struct scep_certs *c, struct err *e)
{
    struct view rest, der;

    *c = (struct scep_certs){ .der = BUF_INIT(CERTS_MAX), .signing = -1, .encryption = -1 };
    if (chain_read(NULL, body, &c->der, &c->count, e) != 0)
        goto failed;
    rest = buf_view(&c->der);
    for (size_t i = 0; i < c->count; i++) {
        if (chain_next(&rest, &der, e) != 1 || cert_parse(der, &c->cert[i], e) != 0)
            goto failed;
        c->role[i] = role_of(&c->cert[i]);
    }
    c->signing = pick(c, SCEP_ROLE_SIGNING);
    c->encryption = pick(c, SCEP_ROLE_ENCRYPTION);
    c->ra = c->signing >= 0 || c->encryption >= 0;
    if (!c->ra)
        pick_ca(c);
    return 0;
failed:
    scep_certs_free(c);
    return -1;
}

void scep_certs_free(struct scep_certs *c)
{
    buf_free(&c->der);
    *c = (struct scep_certs){ .signing = -1, .encryption = -1 };
}

void scep_role_text(unsigned role, struct buf *out)
{
    static const struct {
        unsigned bit;
        const char *text;
    } rows[] = { { SCEP_ROLE_SIGNING, "RA signing" }, { SCEP_ROLE_ENCRYPTION, "RA encryption" },
        { SCEP_ROLE_ROOT, "root" } };
    const char *between = "";

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((role & rows[i].bit) != 0) {
            buf_printf(out, "%s%s", between, rows[i].text);
            between = ", ";
        }
    if (role == SCEP_ROLE_CA)
        buf_add_text(out, "CA");
    else if (role == 0)
        buf_add_text(out, "none: its key usage allows neither");
}

const struct cert *scep_certs_issuer(
    struct lib *l, const struct scep_certs *c, const struct cert *leaf)
{
    struct err e;

    for (size_t i = 0; i < c->count; i++)
        if (c->cert[i].ca && name_equal(c->cert[i].subject, leaf->issuer)
            && verify_signature(l, c->cert[i].spki, leaf->signature_algorithm, DIGEST_NONE,
                   leaf->tbs, leaf->signature, NULL, &e)
                   == 0)
            return &c->cert[i];
    return NULL;
}

/* ---- what to think of them -------------------------------------------------------------------------------------- */

static void judge_time(const struct cert *c, const char *what, int64_t now, struct finding *f)
{
    char at[24];

    time_text(c->not_after_at, at);
    if (now > c->not_after_at)
        finding_worse(f, GRADE_FAIL, ERR_EXPIRED,
            "renew it; devices refuse it and their messages to it are lost",
            "the %s certificate ended on %s", what, at);
    else if (now < c->not_before_at)
        finding_worse(f, GRADE_FAIL, ERR_EXPIRED,
            "compare the clocks of this machine and of the CA",
            "the %s certificate is not valid yet", what);
    else if (c->not_after_at - now < (int64_t)DAYS_SOON * DAY_S)
        finding_worse(f, GRADE_WARN, ERR_EXPIRED, "renew it in time",
            "the %s certificate ends in %lld days", what,
            (long long)((c->not_after_at - now) / DAY_S));
}

static void judge_key(const struct cert *c, const char *what, struct finding *f)
{
    struct spki k;
    struct err e;

    if (spki_parse(c->spki, &k, &e) != 0 || k.ec)
        finding_worse(f, GRADE_FAIL, ERR_UNSUPPORTED, "use an RSA key",
            "the %s certificate's key is not RSA; devices know no other for SCEP", what);
    else if (k.bits < RSA_LEAST)
        finding_worse(f, GRADE_FAIL, ERR_UNSUPPORTED, "use a key of 2048 bits or more",
            "the %s certificate's key has %zu bits", what, k.bits);
}

static void judge_one(struct lib *l, const struct scep_certs *c, int i, const char *what,
    int64_t now, struct finding *f)
{
    if (i < 0) {
        finding_worse(f, GRADE_FAIL, ERR_PROTO,
            "a registration authority needs a certificate with digitalSignature and one with "
            "keyEncipherment, or one with both",
            "no %s certificate", what);
        return;
    }
    judge_time(&c->cert[i], what, now, f);
    judge_key(&c->cert[i], what, f);
    if (c->ra && scep_certs_issuer(l, c, &c->cert[i]) == NULL)
        finding_worse(f, GRADE_WARN, ERR_TRUST,
            "Apple devices want the whole chain in GetCACert, the issuing CA and the root",
            "the CA that issued the %s certificate is not in the list", what);
}

/* The type says which of the two forms it is; Apple compares it and then looks for what it promises. */
static void judge_type(const struct scep_certs *c, const char *type, struct finding *f)
{
    bool list = http_type_is(type, "application/x-x509-ca-ra-cert");

    if (!list && !http_type_is(type, "application/x-x509-ca-cert"))
        finding_worse(f, GRADE_WARN, ERR_PROTO,
            "the server, or what stands in front of it, must leave the type as it is",
            "the answer's type is \"%.60s\", which strict devices refuse", type);
    else if (list && !c->ra)
        finding_worse(f, GRADE_FAIL, ERR_PROTO,
            "send the CA's certificate as application/x-x509-ca-cert",
            "the type promises a registration authority and there is none: Apple devices stop "
            "here");
    else if (!list && c->count > 1)
        finding_worse(f, GRADE_FAIL, ERR_PROTO, "use application/x-x509-ca-ra-cert",
            "%zu certificates under the type of a single one", c->count);
}

void scep_certs_judge(
    struct lib *l, const struct scep_certs *c, const char *type, int64_t now, struct finding *f)
{
    finding_set(f, GRADE_PASS, ERR_NONE, "%zu certificate%s, %s", c->count,
        c->count == 1 ? "" : "s",
        !c->ra                        ? "the CA's own"
        : c->signing == c->encryption ? "one for the registration authority"
                                      : "two for the registration authority");
    judge_type(c, type, f);
    judge_one(l, c, c->signing, "signing", now, f);
    if (c->encryption != c->signing)
        judge_one(l, c, c->encryption, "encryption", now, f);
}
