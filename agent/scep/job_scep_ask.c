/* see job_scep_inner.h.  The plugin is asked whether, and told how it ended. */
#include <stdio.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/crash.h"
#include "agent/base/metrics.h"
#include "agent/scep/job_scep_inner.h"
#include "certs/chain.h"
#include "proto/claims.h"

enum { LATER_LEAST_S = 1, LATER_MOST_S = 3600, NOTIFY_DAYS_S = 7 * 86400 };

typedef enum verdict after_allow(struct job *j, const struct certferry_verdict *v);

/* The plugin's notes survive with the next commit. */
static void keep_notes(struct job *j)
{
    struct scep *c = scep_of(j);
    struct buf notes = BUF_INIT(1 + sizeof c->memo);
    size_t len = sizeof c->memo;

    while (len > 0 && c->memo[len - 1] == '\0')
        len--;
    buf_add_byte(&notes, c->passed ? 'A' : c->allowed ? 'a' : '-');
    buf_add(&notes, c->memo, len);
    job_put(j, BLOB_NOTES, &notes);
}

/* What an operation brought, as the plugin sees it. */
static void reply_of(const struct result *r, struct certferry_reply *out)
{
    *out = (struct certferry_reply){
        .size = sizeof *out, .status = -1, .content_type = "", .retry_after_s = -1, .error = ""
    };
    if (r->err != NULL) {
        out->error = r->err->msg;
        out->needs_help = err_action(r->err->cls) == ERR_DO_HOLD;
        return;
    }
    out->status = r->http->status;
    out->body = (struct certferry_bytes){ r->http->body.p, r->http->body.len };
    out->content_type = r->http->content_type != NULL ? r->http->content_type : "";
    out->retry_after_s = r->http->retry_after_s;
}

static void told(struct endpoint *p, const struct result *r)
{
    struct err e;

    if (r->err != NULL)
        peer_failed(p->asked, r->err, -1);
    else if (r->http->status >= 500 || r->http->status == 429) {
        (void)err_set(&e, r->http->status == 429 ? ERR_BUSY : ERR_NET, "HTTP %d", r->http->status);
        peer_failed(p->asked, &e, r->http->retry_after_s);
    } else {
        peer_ok(p->asked);
    }
}

static enum verdict ask(struct job *j, const struct certferry_verdict *v)
{
    struct scep *c = scep_of(j);
    struct op *op = NULL;

    if (++c->round > CERTFERRY_ROUNDS_MAX)
        (void)err_set(
            &j->why, ERR_CHALLENGE, "the plugin asks more than %d questions", CERTFERRY_ROUNDS_MAX);
    else if ((op = plugin_ask(c->p->plugin, &v->ask, job_wake, j, &j->why)) == NULL)
        j->why.cls = ERR_CHALLENGE; /* a question that cannot be asked is a refusal, not a wait */
    return job_ask(j, op);
}

/* Whose request waits unjudged may be anybody: only so many are kept. */
static bool turned_away(struct job *j)
{
    struct scepd *s = j->a->scepd;
    struct err e;

    if (!j->unsaved || scepd_has_room(s))
        return false;
    (void)err_set(&e, ERR_BUSY, "too many requests wait; this one has to come again");
    log_err(EV_SCEP_REFUSED, j->r.id, j->r.ca, &e);
    scepd_lost(s, j->r.id);
    jobs_drop(j);
    return true;
}

static enum verdict later(struct job *j, const struct certferry_verdict *v)
{
    const struct scep *c = scep_of(j);
    int64_t s = v->later_s;

    if (turned_away(j))
        return V_WAIT;
    (void)err_set(&j->why, ERR_NET, "%s", v->why[0] != '\0' ? v->why : "the plugin asks for time");
    if (!j->r.failed)
        j->r.why = j->why;
    log_err(c->allowed ? EV_SCEP_NOTIFY_FAILED : EV_SCEP_ATTEMPT_FAILED, j->r.id, c->item.endpoint,
        &j->why);
    keep_notes(j);
    s = s < LATER_LEAST_S ? LATER_LEAST_S : s > LATER_MOST_S ? LATER_MOST_S : s;
    /* Never sooner, the second that has begun does not count; and not all at once. */
    j->wait_s = s + 1 + (int64_t)jitter((uint64_t)s / 4 + 1);
    return V_LATER;
}

static enum verdict denied(struct job *j, const struct certferry_verdict *v)
{
    (void)err_set(&j->why, ERR_CHALLENGE, "%s", v->why[0] != '\0' ? v->why : "refused");
    j->why.number = v->hresult;
    metric_add(METRIC_CHALLENGE, NULL, NULL);
    scep_of(j)->fail = (enum scep_fail)v->fail;
    return V_FAILED;
}

static enum verdict follow(struct job *j, const struct certferry_verdict *v, after_allow *allow)
{
    memcpy(scep_of(j)->memo, v->memo, sizeof v->memo);
    switch (v->answer) {
    case CERTFERRY_ALLOW:
        return allow(j, v);
    case CERTFERRY_ASK:
        return ask(j, v);
    case CERTFERRY_LATER:
        return later(j, v);
    case CERTFERRY_DENY:
        break;
    }
    return denied(j, v);
}

/* ---- ASK: may it have a certificate?  Output: notes, and the challenge is this request's. -------------------- */

bool scep_ask_done(const struct job *j)
{
    return scep_of(j)->passed;
}

/* A renewal may carry the SID of the certificate that is renewed. */
static const char *sid_of_old(struct job *j, struct buf *text)
{
    struct cert old;
    struct err e;

    if (!scep_of(j)->item.renewal || cert_parse(buf_view(&j->blob[BLOB_SIGNER]), &old, &e) != 0
        || !csr_renewal_sid(&old, text))
        return NULL;
    return buf_text(text);
}

/* What the challenge entitles to, against what is asked for. */
static int check_claims(struct job *j, const char *text, const char **sid, struct claims *claims)
{
    struct scep *c = scep_of(j);

    if (text == NULL)
        return 0;
    if (claims_parse(view_text(text), claims, &j->why) != 0)
        return err_wrap(&j->why, "the plugin's claims");
    *sid = claims->csr.t.sid; /* what is claimed counts, not what was */
    if (claims_check(claims, j->r.template_name, c->item.endpoint, clock_now(), &j->why) != 0)
        return -1;
    return csr_check_claims(&c->csr, &claims->csr, &j->why);
}

static bool serves_once(const struct scep *c)
{
    return c->item.challenge[0] != '\0' && c->p->plugin != NULL
           && (plugin_table(c->p->plugin)->flags & CERTFERRY_MANY_USES) == 0;
}

static int spent(struct job *j)
{
    return err_set(&j->why, ERR_CHALLENGE, "the challenge was used for another request");
}

static int reserve(struct job *j)
{
    struct scep *c = scep_of(j);
    int got;

    if (!serves_once(c))
        return 0;
    got = store_reserve(j->a->store, c->item.challenge, j->r.id, clock_now(), &j->why);
    if (got == 1)
        return 0;
    c->allowed = false; /* what it would hear is how another's request ended */
    return got == 0 ? spent(j) : -1;
}

static enum verdict allowed(struct job *j, const struct certferry_verdict *v)
{
    struct scep *c = scep_of(j);
    struct claims claims = { 0 };
    struct buf old_sid = BUF_INIT(200);
    const char *sid = sid_of_old(j, &old_sid);
    bool vouched =
        c->p->plugin != NULL && (plugin_table(c->p->plugin)->flags & CERTFERRY_COMPARES) != 0;
    enum verdict next = V_FAILED;

    c->allowed = true; /* from here on the plugin hears how it ends */
    if (check_claims(j, v != NULL ? v->claims : NULL, &sid, &claims) == 0
        && csr_check_limits(&c->csr, &c->p->rules.limits, vouched ? CSR_SID_VOUCHED : sid, &j->why)
               == 0
        && reserve(j) == 0) {
        log_event(EV_SCEP_VERIFIED, j->r.id, j->r.ca, "%s, endpoint %s%s", j->r.subject,
            c->item.endpoint, c->item.renewal ? ", a renewal" : "");
        c->passed = true;
        jobs_vouched(j);
        next = V_NEXT;
    }
    keep_notes(j);
    crash_point(17);
    buf_free(&old_sid);
    claims_free(&claims);
    return next;
}

typedef enum verdict next_round(struct job *j, const struct certferry_reply *reply);

/* A plugin may know the answer, or that it is too early, without a question.  Then the peer's breaker has let us through
 * for nothing, and must not wait for what becomes of it. */
static enum verdict first_round(struct job *j, next_round *round)
{
    struct peer *asked = scep_of(j)->p->asked;
    bool let_through = !j->unsaved;
    enum verdict v = round(j, NULL);

    if (v != V_WAIT && let_through) /* with V_WAIT, j may be gone */
        peer_unasked(asked);
    return v;
}

static enum verdict ask_round(struct job *j, const struct certferry_reply *reply)
{
    struct scep *c = scep_of(j);
    struct certferry_verdict v = { .size = sizeof v };

    memcpy(v.memo, c->memo, sizeof v.memo);
    plugin_verify(c->p->plugin, &c->seen, reply, c->round, &v);
    return follow(j, &v, allowed);
}

/* A request that has waited let go of its challenge meanwhile.  Who has it now is judged first: were both with the
 * plugin at once, its service could remember the one that does not get the certificate. */
static bool must_queue(struct job *j)
{
    const struct scep *c = scep_of(j);

    return serves_once(c) && !scepd_reserve(j->a->scepd, c->item.challenge, j->r.id);
}

enum verdict scep_ask_begin(struct job *j)
{
    static const struct certferry_verdict queue = { .later_s = LATER_LEAST_S,
        .why = "another request with this challenge is being judged" };
    struct scep *c = scep_of(j);
    int64_t away_s;
    int has;

    c->round = 0;
    if (c->p->plugin == NULL) /* challenge = "none" */
        return allowed(j, NULL);
    if (must_queue(j))
        return later(j, &queue);
    if (!c->csr.has_challenge && !c->item.renewal
        && (plugin_table(c->p->plugin)->flags & CERTFERRY_NO_CHALLENGE) == 0) {
        (void)err_set(&j->why, ERR_CHALLENGE, "the request has no challenge");
        return V_FAILED;
    }
    if (serves_once(c)
        && (has = store_reserved(j->a->store, c->item.challenge, j->r.id, &j->why)) != 0) {
        if (has == 1)
            (void)spent(j);
        return V_FAILED;
    }
    /* Those that wait already do not all take a place to learn that whoever is asked is still away. */
    if (!j->unsaved && (away_s = peer_wait_s(c->p->asked)) > 0) {
        j->wait_s = away_s + (int64_t)jitter((uint64_t)away_s / 4 + 2);
        return V_LATER;
    }
    return first_round(j, ask_round);
}

enum verdict scep_ask_end(struct job *j, const struct result *r)
{
    struct certferry_reply reply;

    told(scep_of(j)->p, r);
    reply_of(r, &reply);
    return ask_round(j, &reply);
}

/* ---- NOTIFY: the plugin hears how it ended; the device gets nothing before it has taken it. --------------------- */

bool scep_notify_done(const struct job *j)
{
    const struct scep *c = scep_of(j);

    return c->p == NULL || c->p->plugin == NULL || !c->allowed
           || plugin_table(c->p->plugin)->notify == NULL;
}

void scep_notify_before(struct job *j)
{
    scep_of(j)->round = 0;
}

struct ended { /* the outcome, and its texts */
    struct certferry_outcome o;
    struct buf thumbprint, issuer;
};

static int describe(struct job *j, struct ended *n, struct err *e)
{
    struct view rest = buf_view(&j->blob[BLOB_RESULT]), leaf;
    struct cert cert;

    n->thumbprint = (struct buf)BUF_INIT(64);
    n->issuer = (struct buf)BUF_INIT(1024);
    n->o = (struct certferry_outcome){ .size = sizeof n->o,
        .disposition = j->r.failed ? CERTFERRY_FAILED : CERTFERRY_ISSUED,
        .hresult = err_hresult(&j->r.why) != 0 ? err_hresult(&j->r.why) : 0x80004005u, /* E_FAIL */
        .description = err_text(j->r.why.cls),
        .thumbprint = "",
        .serial = j->r.serial,
        .issuer = "" };
    if (j->r.failed)
        return 0;
    if (chain_next(&rest, &leaf, e) != 1 || cert_parse(leaf, &cert, e) != 0
        || cert_thumbprint(j->a->lib, leaf, &n->thumbprint, e) != 0)
        return -1;
    name_text(cert.issuer, &n->issuer);
    n->o.hresult = 0;
    n->o.description = "";
    n->o.certificate = (struct certferry_bytes){ leaf.p, leaf.len };
    n->o.not_after_at = cert.not_after_at;
    n->o.thumbprint = buf_text(&n->thumbprint);
    n->o.issuer = buf_text(&n->issuer);
    return 0;
}

static enum verdict noted(struct job *j, const struct certferry_verdict *v)
{
    (void)v;
    log_event(EV_SCEP_NOTIFIED, j->r.id, scep_of(j)->item.endpoint, "%s",
        j->r.failed ? "the failure" : "the certificate");
    return V_NEXT;
}

static enum verdict notify_round(struct job *j, const struct certferry_reply *reply)
{
    struct scep *c = scep_of(j);
    struct certferry_verdict v = { .size = sizeof v };
    struct ended n;
    enum verdict next = V_FAILED;

    if (describe(j, &n, &j->why) == 0) {
        memcpy(v.memo, c->memo, sizeof v.memo);
        plugin_notify(c->p->plugin, &c->seen, &n.o, reply, c->round, &v);
        next = follow(j, &v, noted);
    }
    buf_free(&n.thumbprint);
    buf_free(&n.issuer);
    if (next == V_LATER && clock_now() > j->r.expires_at + NOTIFY_DAYS_S) {
        j->why.cls = ERR_EXPIRED;
        return V_FAILED;
    }
    return next;
}

enum verdict scep_notify_begin(struct job *j)
{
    crash_point(19);
    return first_round(j, notify_round);
}

enum verdict scep_notify_end(struct job *j, const struct result *r)
{
    struct certferry_reply reply;

    crash_point(20);
    told(scep_of(j)->p, r);
    reply_of(r, &reply);
    return notify_round(j, &reply);
}
