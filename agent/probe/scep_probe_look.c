/* see scep_probe_inner.h.  What can be seen of a server without sending it a message. */
#include <string.h>
#include <strings.h>
#include "agent/probe/scep_probe_inner.h"
#include "certs/ber.h"
#include "certs/signed.h"

enum { LONG = 30 << 10, LONGER = 60 << 10, WORD_MAX = 40 };

static const struct view nothing = { NULL, 0 };

static int begun(struct op *op, struct scep_probe *p)
{
    p->op = op;
    return op != NULL ? 0 : -1;
}

/* ---- answers that are none ---------------------------------------------------------------------------------------- */

static const char *fix_of_status(int status)
{
    switch (status) {
    case 401:
    case 407:
        return "a SCEP URL must not ask for credentials; devices have none";
    case 403:
        return "the bare URL is forbidden, its operations must not be; look at what stands in "
               "front";
    case 404:
    case 410:
        return "the path is wrong: NDES's is /certsrv/mscep/mscep.dll, compare paths in section "
               "scep";
    case 413:
    case 414:
    case 431:
        return "let every proxy on the way pass URLs of 65534 bytes";
    case 429:
        return "wait a minute; the server limits failures of one address";
    case 503:
        return "the server says that it cannot serve; on its machine: certferry status";
    default:
        return status >= 300 && status < 400 ? "use the URL it redirects to; devices do not follow"
                                             : "look into the log of the server";
    }
}

bool probe_answered(const struct http_reply *r, const char *const *types, struct finding *f)
{
    struct err e;

    if (http_judge(r, types, &e) == 0)
        return true;
    finding_set(f, GRADE_FAIL, e.cls == ERR_INPUT ? ERR_PROTO : e.cls, "%s", e.msg);
    if (e.cls == ERR_INTERCEPTED)
        finding_fix(
            f, "is this the SCEP URL? A portal, a proxy or another application has answered");
    else
        finding_fix(f, "%s", fix_of_status(r->status));
    return false;
}

/* ---- the bare URL ------------------------------------------------------------------------------------------------- */

int probe_ask_bare(struct scep_probe *p, io_fn *fn, struct err *e)
{
    return begun(scep_client_get(p->client, NULL, nothing, fn, p, e), p);
}

void probe_judge_bare(struct scep_probe *p, const struct http_reply *r, struct finding *f)
{
    p->bare_status = r->status;
    switch (r->status) {
    case 403:
        finding_set(f, GRADE_PASS, ERR_NONE, "HTTP 403: healthy, requests are judged by a plugin");
        return;
    case 200:
        finding_set(f, GRADE_WARN, ERR_NONE,
            "HTTP 200: serving, but with no policy module or plugin that judges requests");
        finding_fix(f, "of an NDES: install the policy module and restart; here: set plugin in "
                       "section scep");
        return;
    case 503:
        finding_set(f, GRADE_FAIL, ERR_BUSY, "HTTP 503: it cannot serve at the moment");
        break;
    default:
        finding_set(f, GRADE_FAIL, r->status == 404 ? ERR_GONE : ERR_PROTO,
            "HTTP %d; a healthy server answers 403", r->status);
    }
    finding_fix(f, "%s", fix_of_status(r->status));
}

/* ---- GetCACaps ------------------------------------------------------------------------------------------------------ */

int probe_ask_caps(struct scep_probe *p, io_fn *fn, struct err *e)
{
    return begun(scep_client_get(p->client, "GetCACaps", nothing, fn, p, e), p);
}

/* One line of words for people, whatever the server put between and into them. */
static void keep_words(struct scep_probe *p, struct view body)
{
    size_t word = 0;

    buf_reset(&p->caps);
    for (size_t i = 0; i < body.len && p->caps.len < 1000; i++) {
        uint8_t c = body.p[i];

        if (c <= ' ') {
            word = 0;
            continue;
        }
        if (word++ == 0 && p->caps.len > 0)
            buf_add_byte(&p->caps, ' ');
        if (word <= WORD_MAX)
            buf_add_byte(&p->caps, c < 0x7f ? c : '?');
    }
}

static void remarks(struct view body, struct finding *f)
{
    static const struct {
        const char *keyword;
        bool bad; /* to have; else to miss */
        const char *fact, *fix;
    } rows[] = {
        { "AES", false, "no AES: devices fall back to triple DES, strongSwan refuses",
            "an NDES of Windows has none; here: ndes = false" },
        { "POSTPKIOperation", false, "no POST: every message becomes a long URL",
            "switch it on, or make sure that long URLs pass" },
        { "SHA-256", false, "no SHA-256: Apple devices refuse, or sign with SHA-1",
            "switch it on" },
        { "MD5", true, "MD5 is offered, which anybody can forge", "switch it off" },
        { "DES", true, "single DES is offered, which anybody can break", "switch it off" },
        { "UpdateReq", true,
            "a message type of old drafts is offered that was used to get "
            "certificates without a challenge",
            "update the server" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (scep_caps_have(body, rows[i].keyword) == rows[i].bad)
            finding_worse(f, GRADE_WARN, ERR_NONE, rows[i].fix, "%s", rows[i].fact);
    if (scep_caps_have(body, "DES3") || scep_caps_have(body, "SHA-1"))
        finding_worse(f, GRADE_PASS, ERR_NONE, NULL, "%s%s%s offered for older devices",
            scep_caps_have(body, "DES3") ? "triple DES" : "",
            scep_caps_have(body, "DES3") && scep_caps_have(body, "SHA-1") ? " and " : "",
            scep_caps_have(body, "SHA-1") ? "SHA-1" : "");
}

static bool knows_one(struct view body)
{
    static const char *const known[] = { "AES", "DES3", "DES", "GetNextCACert", "POSTPKIOperation",
        "Renewal", "SHA-1", "SHA-256", "SHA-512", "SCEPStandard", "MD5" };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (scep_caps_have(body, known[i]))
            return true;
    return false;
}

/* The type is compared with care only where the words are none: real servers send many. */
void probe_judge_caps(struct scep_probe *p, const struct http_reply *r, struct finding *f)
{
    if (!probe_answered(r, NULL, f))
        return;
    if (r->body.len == 0) {
        finding_set(f, GRADE_WARN, ERR_NONE,
            "no capabilities at all: devices take the server for one that knows DES and MD5 only");
        return;
    }
    if (!knows_one(r->body)) {
        finding_set(f, GRADE_FAIL, ERR_INTERCEPTED,
            "HTTP %d with %zu bytes of type \"%.60s\" and no capability of SCEP in them", r->status,
            r->body.len, r->content_type);
        finding_fix(
            f, "is this the SCEP URL? A portal, a proxy or another application has answered");
        return;
    }
    keep_words(p, r->body);
    finding_set(f, GRADE_PASS, ERR_NONE, "%s", buf_text(&p->caps));
    remarks(r->body, f);
    if (!http_type_is(r->content_type, "text/plain"))
        finding_worse(
            f, GRADE_WARN, ERR_NONE, "send text/plain", "of type \"%.60s\"", r->content_type);
}

/* ---- GetCACert, GetNextCACert --------------------------------------------------------------------------------------- */

int probe_ask_certs(struct scep_probe *p, io_fn *fn, struct err *e)
{
    return begun(scep_client_get(p->client, "GetCACert", nothing, fn, p, e), p);
}

void probe_judge_certs(struct scep_probe *p, const struct http_reply *r, struct finding *f)
{
    struct err e;

    if (!probe_answered(r, NULL, f))
        return;
    if (scep_certs_read(r->body, &p->certs, &e) == 0) {
        scep_certs_judge(p->lib, &p->certs, r->content_type, io_wall_s(), f);
        return;
    }
    finding_set(f, GRADE_FAIL, ERR_PROTO, "no certificates in %zu bytes of type \"%.60s\": %s",
        r->body.len, r->content_type, e.msg);
    finding_fix(f, "look into the log of the server");
}

int probe_ask_next(struct scep_probe *p, io_fn *fn, struct err *e)
{
    if (strstr(buf_text(&p->caps), "GetNextCACert") == NULL) {
        finding_set(&p->found[p->at], GRADE_PASS, ERR_NONE, "not offered: no CA comes next");
        return 0;
    }
    return begun(scep_client_get(p->client, "GetNextCACert", nothing, fn, p, e), p);
}

void probe_judge_next(struct scep_probe *p, const struct http_reply *r, struct finding *f)
{
    struct buf der = BUF_INIT(BER_MAX);
    struct signed_data s;
    struct err e;

    if (!probe_answered(r, NULL, f))
        return;
    if (ber_to_der(r->body, &der, &e) == 0 && signed_parse(buf_view(&der), &s, &e) == 0
        && scep_certs_read(s.content, &p->next, &e) == 0)
        finding_set(
            f, GRADE_PASS, ERR_NONE, "%zu certificates of the CA that comes next", p->next.count);
    else {
        finding_set(f, GRADE_WARN, ERR_PROTO, "offered, but its answer cannot be read: %s", e.msg);
        finding_fix(f, "here: look at next_ca in section scep");
    }
    buf_free(&der);
}

/* ---- long URLs ---------------------------------------------------------------------------------------------------- */

int probe_ask_long(struct scep_probe *p, io_fn *fn, struct err *e)
{
    return begun(scep_client_long(p->client, LONG, fn, p, e), p);
}

int probe_ask_longer(struct scep_probe *p, io_fn *fn, struct err *e)
{
    return begun(scep_client_long(p->client, LONGER, fn, p, e), p);
}

void probe_judge_long(struct scep_probe *p, const struct http_reply *r, struct finding *f)
{
    bool longer = p->at == SCEP_STAGE_LONGER;

    if (r->status >= 200 && r->status < 300 && knows_one(r->body)) {
        finding_set(f, GRADE_PASS, ERR_NONE, "a URL of %d bytes passes", longer ? LONGER : LONG);
        return;
    }
    finding_set(f, longer ? GRADE_WARN : GRADE_FAIL, ERR_TOO_LARGE,
        "a URL of %d bytes is answered with HTTP %d; devices that send by GET may fail",
        longer ? LONGER : LONG, r->status);
    finding_fix(f, "let every proxy on the way pass URLs of 65534 bytes; of IIS: MaxFieldLength, "
                   "MaxRequestBytes, maxUrl and maxQueryString");
}
