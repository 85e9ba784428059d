/* see check.h */
#include "certs/check.h"
#include "certs/check_part.h"
#include "certs/check_set.h"
#include "certs/csr.h"
#include "certs/der.h"
#include "certs/name.h"
#include "certs/text.h"

enum {
    /* How far back CAs date the beginning of a certificate, so that slow clocks accept it at once (AD CS:
     * 10 minutes).  It is not held against them. */
    BACKDATED_S = 3600,
    /* "Six months" were asked for and came here as seconds; the CA counts calendar months.  They are up
     * to two days longer than mean ones, and no month is shorter than 28 days. */
    UNEVEN_FROM_S = 28 * 86400,
    UNEVEN_S = 2 * 86400,
    MADE_MAX = 1 << 20
};

static int check_key(const struct ask *a, struct err *e)
{
    struct buf asked = BUF_INIT(64), got = BUF_INIT(64);
    uint8_t digest[32];
    int rc = -1;

    if (view_equal(a->want->spki, a->leaf.spki))
        return 0;
    if (lib_sha256(a->lib, a->want->spki, digest, e) != 0)
        goto done;
    hex_add(&asked, view_of(digest, 8));
    if (lib_sha256(a->lib, a->leaf.spki, digest, e) != 0)
        goto done;
    hex_add(&got, view_of(digest, 8));
    err_set(e, ERR_MISMATCH,
        "public key: the request's has SHA-256 %s..., the certificate's has %s...",
        buf_text(&asked), buf_text(&got));
done:
    buf_free(&asked);
    buf_free(&got);
    return rc;
}

static int check_subject(const struct ask *a, struct err *e)
{
    static const struct check_words words = { .want = "asked for", .got = "got" };

    if (a->policy->subject_by_ca)
        return 0;
    return check_same_subject(a->want->subject, a->leaf.subject, false, &words, e);
}

static int check_ca(const struct ask *a, struct err *e)
{
    if (a->leaf.ca)
        return err_set(e, ERR_MISMATCH, "basic constraints: asked for no CA, got cA TRUE");
    return 0;
}

static int check_critical(const struct ask *a, struct err *e)
{
    struct buf oid = BUF_INIT(256);

    if (!a->leaf.unknown_critical)
        return 0;
    der_oid_text(a->leaf.unknown_critical_oid, &oid);
    err_set(e, ERR_MISMATCH,
        "extension %s: critical and not asked for; devices that do not know it refuse the "
        "certificate",
        buf_text(&oid));
    buf_free(&oid);
    return -1;
}

/* The longest life that is accepted, 0: any. */
static int64_t longest_s(const struct ask *a)
{
    int64_t asked = a->want->validity_s;

    if (a->policy->validity_max_s != 0)
        return a->policy->validity_max_s;
    return asked >= UNEVEN_FROM_S ? asked + UNEVEN_S : asked;
}

static int check_validity(const struct ask *a, struct err *e)
{
    int64_t begin = a->leaf.not_before_at, end = a->leaf.not_after_at, life = end - begin;
    int64_t now = a->policy->now, skew = a->policy->skew_s, most = longest_s(a);

    if (begin > now + skew)
        return err_set(e, ERR_MISMATCH,
            "validity: begins %lld s from now, at most %lld s of clock difference are tolerated",
            (long long)(begin - now), (long long)skew);
    if (end <= now)
        return err_set(e, ERR_MISMATCH, "validity: ended %lld s ago", (long long)(now - end));
    if (most != 0 && life > most + skew + BACKDATED_S)
        return err_set(e, ERR_MISMATCH,
            "validity: asked for at most %lld s (%lld days), got %lld s (%lld days)",
            (long long)most, (long long)(most / 86400), (long long)life, (long long)(life / 86400));
    return 0;
}

int check_leaf(struct lib *l, const struct want *want, struct view chain,
    const struct check_policy *p, struct err *e)
{
    static check_fn *const checks[] = {
        check_key,
        check_subject,
        check_sans,
        check_sid,
        check_ekus,
        check_app_policies,
        check_key_usage,
        check_ca,
        check_critical,
        check_template_id,
        check_validity,
        check_path,
    };
    struct ask a = { .lib = l, .want = want, .policy = p, .uppers = chain };
    struct view leaf;
    int more = chain_next(&a.uppers, &leaf, e);

    if (more == 0)
        err_set(e, ERR_PROTO, "no certificate");
    if (more != 1 || cert_parse(leaf, &a.leaf, e) != 0)
        return err_wrap(e, "issued certificate");
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (checks[i](&a, e) != 0)
            return err_wrap(e, "issued certificate");
    return 0;
}

/* ---- what a template asks for ---- */

struct made {
    struct buf subject, sans, ekus, sid;
};

static int make_want(const struct template *t, struct made *m, struct want *w, struct err *e)
{
    if (name_write(&t->subject, &m->subject, e) != 0 || template_write_sans(t, &m->sans, e) != 0
        || check_write_ekus(t, &m->ekus, e) != 0)
        return -1;
    if (t->sid != NULL && (t->sid_encoding & SID_EXTENSION) != 0)
        csr_write_sid(&m->sid, t->sid);
    if (buf_check(&m->ekus, e) != 0 || buf_check(&m->sid, e) != 0)
        return -1;
    w->subject = buf_view(&m->subject);
    w->sans = buf_view(&m->sans);
    w->ekus = buf_view(&m->ekus);
    w->sid = buf_view(&m->sid);
    w->key_usage = t->key_usage;
    w->template_name = t->name;
    w->template_oid = t->in_csr_oid;
    w->validity_s = t->validity_s;
    return 0;
}

int check_issued(struct lib *l, const struct template *t, struct view spki, struct view chain,
    const struct check_policy *p, struct err *e)
{
    struct made m = { BUF_INIT(MADE_MAX), BUF_INIT(MADE_MAX), BUF_INIT(MADE_MAX),
        BUF_INIT(MADE_MAX) };
    struct want w = { .spki = spki };
    int rc = -1;

    if (make_want(t, &m, &w, e) != 0)
        err_wrap(e, "issued certificate");
    else
        rc = check_leaf(l, &w, chain, p, e);
    buf_free(&m.subject);
    buf_free(&m.sans);
    buf_free(&m.ekus);
    buf_free(&m.sid);
    return rc;
}
