/* see csr_check.h: csr_check_renewal, csr_check_signed_by */
#include "certs/chain.h"
#include "certs/check_set.h"
#include "certs/csr_check.h"
#include "certs/name.h"
#include "certs/san.h"

enum { TEXT_MAX = 8 << 10 };

static const struct check_words words = { "the old certificate has", "the request has",
    "which the old certificate does not have" };

/* ---- who issued it ---- */

static int not_ours(const struct cert *x, const char *why, struct err *e)
{
    struct buf issuer = BUF_INIT(TEXT_MAX);

    name_text(x->issuer, &issuer);
    err_set(e, ERR_TRUST, "issuer \"%.80s\": %s", buf_text(&issuer), why);
    buf_free(&issuer);
    return -1;
}

/* 1: this one has signed it; 0: not; -1: we cannot tell. */
static int signed_by(
    struct lib *l, const struct cert *x, const struct cert *issuer, bool *sha1, struct err *e)
{
    enum digest used = DIGEST_NONE;
    struct err why = { 0 };

    if (verify_signature(
            l, issuer->spki, x->signature_algorithm, DIGEST_NONE, x->tbs, x->signature, &used, &why)
        == 0) {
        *sha1 = used == DIGEST_SHA1;
        return !*sha1;
    }
    if (why.cls != ERR_NOMEM && why.cls != ERR_CRYPTO)
        return 0;
    *e = why;
    return -1;
}

int csr_check_signed_by(
    struct lib *l, const struct cert *certificate, struct view issuers, struct err *e)
{
    bool named = false, sha1 = false;
    int more, found = 0;
    struct cert issuer;
    struct view der;

    while (found == 0 && (more = chain_next(&issuers, &der, e)) != 0) {
        if (more < 0 || cert_parse(der, &issuer, e) != 0)
            return err_wrap(e, "list of issuers");
        if (!name_equal(issuer.subject, certificate->issuer))
            continue;
        named = true;
        found = signed_by(l, certificate, &issuer, &sha1, e);
    }
    if (found != 0)
        return found > 0 ? 0 : -1;
    if (sha1)
        return not_ours(certificate, "signed with SHA-1, which can be forged", e);
    return not_ours(certificate,
        named ? "has the name of a listed CA, but not its key" : "not one of the listed CAs", e);
}

/* ---- the old certificate ---- */

static int check_kind(const struct cert *old, struct err *e)
{
    if (old->ca)
        return err_set(e, ERR_MISMATCH, "basicConstraints: a CA certificate is not renewed here");
    if (cert_self_issued(old))
        return not_ours(old, "self-signed", e);
    return 0;
}

static int check_time(const struct cert *old, int64_t now, unsigned window, struct err *e)
{
    int64_t begin = old->not_before_at, end = old->not_after_at;

    if (now < begin)
        return err_set(
            e, ERR_EXPIRED, "validity: begins %lld s from now", (long long)(begin - now));
    if (now >= end)
        return err_set(e, ERR_EXPIRED, "validity: ended %lld s ago", (long long)(now - end));
    if ((now - begin) * 100 < (end - begin) * (int64_t)window)
        return err_set(e, ERR_EXPIRED,
            "validity: too early, only %lld %% of it are over and %u have to be",
            (long long)((now - begin) * 100 / (end - begin)), window);
    return 0;
}

/* ---- the request ---- */

static int check_sid(const struct csr *c, const struct cert *old, struct err *e)
{
    if (c->sid.len == 0 || view_equal(c->sid, old->sid))
        return 0;
    return err_set(e, ERR_MISMATCH, "SID extension: %s %s, %s another one", words.want,
        old->sid.len != 0 ? "one" : "none", words.got);
}

int csr_check_renewal(struct lib *l, const struct csr *c, const struct cert *old,
    struct view issuers, int64_t now, unsigned window, struct err *e)
{
    if (check_kind(old, e) != 0 || check_time(old, now, window, e) != 0)
        return err_wrap(e, "old certificate");
    if (check_same_subject(old->subject, c->subject, false, &words, e) != 0
        || check_sans_within(old->san, c->san, san_same, &words, e) != 0
        || check_sid(c, old, e) != 0
        || (c->eku.len != 0 && check_same_ekus(old->eku, c->eku, &words, e) != 0))
        return err_wrap(e, "renewal");
    if (csr_check_signed_by(l, old, issuers, e) != 0)
        return err_wrap(e, "old certificate");
    return 0;
}

/* Not one in every detail, but nothing that could pass for anything else. */
static bool looks_like_sid(struct view v)
{
    if (v.len < 5 || !view_equal(view_of(v.p, 4), view_text("S-1-")))
        return false;
    for (size_t i = 4; i < v.len; i++)
        if (v.p[i] != '-' && (v.p[i] < '0' || v.p[i] > '9'))
            return false;
    return true;
}

bool csr_renewal_sid(const struct cert *old, struct buf *out)
{
    struct view sid = { 0 }, one;
    struct check_list names;
    struct err ignored;

    if (old->sid.len != 0 && !check_sid_read(old->sid, &sid))
        return false;
    if (check_list_read(old->san, "subjectAltName", &names, &ignored) != 0)
        return false;
    for (size_t i = 0; i < names.count; i++) {
        if (!san_sid(names.item[i], &one))
            continue;
        if (sid.len != 0 && !view_equal(sid, one))
            return false;
        sid = one;
    }
    if (!looks_like_sid(sid))
        return false;
    buf_add_view(out, sid);
    return true;
}
