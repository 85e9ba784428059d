/* see scep_probe.h.  The order of the stages, what each needs, and what happens without an answer. */
#include <string.h>
#include "agent/probe/scep_probe_inner.h"

enum { POLL_MS = 2000 };

static const struct stage {
    const char *name, *text;
    scep_begin_fn *begin; /* NULL: nothing is asked, only judged */
    scep_judge_fn *judge;
    enum scep_stage needs; /* SCEP_STAGE_COUNT: none */
} stages[] = {
    [SCEP_STAGE_BARE] = { "bare", "Bare GET", probe_ask_bare, probe_judge_bare, SCEP_STAGE_COUNT },
    [SCEP_STAGE_CAPS] = { "caps", "GetCACaps", probe_ask_caps, probe_judge_caps, SCEP_STAGE_COUNT },
    [SCEP_STAGE_CERTS] = { "certs", "GetCACert", probe_ask_certs, probe_judge_certs,
        SCEP_STAGE_CAPS },
    [SCEP_STAGE_NEXT_CA] = { "nextCa", "GetNextCACert", probe_ask_next, probe_judge_next,
        SCEP_STAGE_CERTS },
    [SCEP_STAGE_LONG] = { "get30k", "30 KB GET", probe_ask_long, probe_judge_long,
        SCEP_STAGE_CAPS },
    [SCEP_STAGE_LONGER] = { "get60k", "60 KB GET", probe_ask_longer, probe_judge_long,
        SCEP_STAGE_LONG },
    [SCEP_STAGE_REQUEST] = { "request", "Request", NULL, probe_make_request, SCEP_STAGE_CERTS },
    [SCEP_STAGE_SEND] = { "send", "PKIOperation", probe_send, probe_judge_send,
        SCEP_STAGE_REQUEST },
    [SCEP_STAGE_REPLY] = { "reply", "Reply", NULL, probe_judge_reply, SCEP_STAGE_SEND },
    [SCEP_STAGE_VERDICT] = { "verdict", "Verdict", NULL, probe_judge_verdict, SCEP_STAGE_REPLY },
    [SCEP_STAGE_ISSUED] = { "certificate", "Certificate", NULL, probe_judge_issued,
        SCEP_STAGE_REPLY }, /* also of what should not have been issued */
};
_Static_assert(sizeof stages / sizeof stages[0] == SCEP_STAGE_COUNT, "every stage has a row");

const char *scep_stage_name(enum scep_stage s)
{
    return stages[s].name;
}

const char *scep_stage_text(enum scep_stage s)
{
    return stages[s].text;
}

const struct finding *scep_probe_worst(const struct scep_probe *p)
{
    for (size_t i = 0; i < SCEP_STAGE_COUNT; i++)
        if (p->found[i].grade == GRADE_FAIL)
            return &p->found[i];
    return NULL;
}

/* ---- without an answer ----------------------------------------------------------------------------------------- */

static const char *fix_of(enum err_class cls)
{
    switch (cls) {
    case ERR_TRUST:
        return "give the root of the server's certificate with --trust FILE";
    case ERR_NET:
        return "is it running, is name and port right, does a firewall stand between?";
    default:
        return "compare the URL with the configuration of the server";
    }
}

static void no_answer(struct scep_probe *p, const struct err *why)
{
    struct finding *f = &p->found[p->at];

    finding_set(f, GRADE_FAIL, why->cls, "%s", why->msg);
    finding_fix(f, "%s", fix_of(why->cls));
    /* A long URL may fail alone, and what could not be written was not sent. */
    p->unreachable = p->at != SCEP_STAGE_LONG && p->at != SCEP_STAGE_LONGER
                     && (why->cls == ERR_NET || why->cls == ERR_TRUST || why->cls == ERR_CONFIG
                         || why->cls == ERR_PROXY);
}

/* ---- from stage to stage ---------------------------------------------------------------------------------------- */

static void advance(struct scep_probe *p);

static bool has_failed(const struct scep_probe *p, enum scep_stage s)
{
    return s != SCEP_STAGE_COUNT
           && (p->found[s].grade == GRADE_FAIL || p->found[s].grade == GRADE_SKIP);
}

static bool skipped(struct scep_probe *p)
{
    enum scep_stage needs = stages[p->at].needs;

    if (p->unreachable)
        finding_set(&p->found[p->at], GRADE_SKIP, ERR_NONE, "the server cannot be reached");
    else if (has_failed(p, needs))
        finding_set(&p->found[p->at], GRADE_SKIP, ERR_NONE, "needs %s", stages[needs].text);
    else
        return false;
    return true;
}

static void on_answer(void *arg, const struct result *r);

/* A timer's end: ask again. */
static void on_poll(void *arg, const struct result *r)
{
    struct scep_probe *p = arg;
    struct err e = { 0 };

    (void)r;
    p->op = NULL;
    if (probe_send(p, on_answer, &e) == 0)
        return;
    no_answer(p, &e);
    p->at++;
    advance(p);
}

static void on_answer(void *arg, const struct result *r)
{
    struct scep_probe *p = arg;

    p->op = NULL;
    if (r->err != NULL)
        no_answer(p, r->err);
    else
        stages[p->at].judge(p, r->http, &p->found[p->at]);
    if (p->at == SCEP_STAGE_SEND && probe_polls(p)) {
        p->op = io_timer(POLL_MS, on_poll, p);
        return;
    }
    p->at++;
    advance(p);
}

static void advance(struct scep_probe *p)
{
    struct err e = { 0 };

    for (; p->at < SCEP_STAGE_COUNT; p->at++) {
        if ((p->stages & 1u << p->at) == 0 || skipped(p))
            continue;
        if (stages[p->at].begin == NULL)
            stages[p->at].judge(p, NULL, &p->found[p->at]);
        else if (stages[p->at].begin(p, on_answer, &e) != 0)
            no_answer(p, &e);
        else if (p->op != NULL) /* else there is nothing to ask, and it is judged already */
            return;
    }
    p->done(p->arg);
}

static void on_begin(void *arg, const struct result *r)
{
    struct scep_probe *p = arg;

    (void)r;
    p->op = NULL;
    advance(p);
}

int scep_probe_start(
    struct scep_probe *p, struct lib *l, void (*done)(void *arg), void *arg, struct err *e)
{
    if ((p->client = scep_client_new(&p->to, e)) == NULL)
        return -1;
    p->lib = l;
    p->done = done;
    p->arg = arg;
    p->caps = (struct buf)BUF_INIT(4096);
    p->certs.signing = p->certs.encryption = -1;
    p->at = 0;
    p->op = io_timer(0, on_begin, p);
    return 0;
}

void scep_probe_end(struct scep_probe *p)
{
    io_cancel(p->op);
    p->op = NULL;
    scep_client_free(p->client);
    p->client = NULL;
    buf_free(&p->caps);
    scep_certs_free(&p->certs);
    scep_certs_free(&p->next);
    scep_outcome_free(&p->outcome);
    scep_enrol_close(&p->enrol);
}

static void stop(void *arg)
{
    (void)arg;
    io_stop();
}

int scep_probe_run(struct scep_probe *p, struct lib *l, struct err *e)
{
    if (scep_probe_start(p, l, stop, NULL, e) != 0)
        return -1;
    io_run();
    return 0;
}
