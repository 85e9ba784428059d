/* see signin.h.  A key made here, a certificate for it, and one message that proves both. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "agent/base/clock.h"
#include "agent/cloud/cloud.h"
#include "agent/cloud/signin_inner.h"

enum { CSR_MAX = 16 << 10, BODY_MAX = 64 << 10, TIMEOUT_MS = 30000 };

static int write_body(struct signin *s, struct key *key, struct buf *out, struct err *e)
{
    static const enum ccp_type features[] = { CCP_PKCS_ISSUE };
    struct buf csr = BUF_INIT(CSR_MAX);
    char machine[256] = "";
    int rc = -1;

    if (gethostname(machine, sizeof machine - 1) != 0)
        machine[0] = '\0';
    if (connector_csr(s->lib, key, s->to.name, &csr, e) == 0) {
        ccp_enroll_write(out, &(struct ccp_enroll){ .csr = buf_view(&csr),
                                  .agent_name = s->to.name,
                                  .machine_name = machine[0] != '\0' ? machine : NULL,
                                  .version = CERTFERRY_VERSION,
                                  .features = features,
                                  .feature_count = 1 });
        rc = buf_check(out, e);
    }
    buf_free(&csr);
    return rc;
}

/* ---- the answer ------------------------------------------------------------------------------------------------------- */

static int take(struct signin *s, struct err *e)
{
    struct ccp_identity *got = &s->got;

    (void)snprintf(s->made.cloud, sizeof s->made.cloud, "%s", s->at.requests);
    if (strcmp(s->at.agents, s->at.requests) != 0)
        (void)snprintf(s->made.agents, sizeof s->made.agents, "%s", s->at.agents);
    if (got->method == CCP_PRIVATE_KEY_JWT && got->token_url[0] == '\0') /* it has one already */
        (void)snprintf(got->token_url, sizeof got->token_url, "%s", s->server.token_url);
    return connector_give(&s->made, got, s->key, clock_now(), e);
}

static int judge_enrolment(struct signin *s, const struct http_reply *r, struct err *e)
{
    if (ccp_judge(r, e) != 0) {
        s->wants_rsa = e->cls == ERR_UNSUPPORTED && key_type(s->key) == KEY_P256;
        return -1;
    }
    return ccp_identity_parse(r->body, key_spki(s->key), NULL, clock_now(), &s->got, e);
}

static int enrol_with(struct signin *s, enum key_type type, struct err *e)
{
    struct buf body = BUF_INIT(BODY_MAX), url = BUF_INIT(2048),
               bearer = BUF_SECRET(SIGNIN_TOKEN_MAX + 16);
    struct http_req q = { .method = "POST" };
    struct ccp_headers storage;
    char activity[40];
    int rc = -1;

    s->got = (struct ccp_identity)CCP_IDENTITY_INIT;
    buf_add_text(&bearer, "Bearer ");
    buf_add_view(&bearer, buf_view(&s->token));
    http_url_join(&url, s->at.agents, "agents/enroll");
    if ((s->key = key_new(s->lib, type, KEYGEN_PRIMES, e)) == NULL
        || write_body(s, s->key, &body, e) != 0 || guid_new(s->lib, activity, e) != 0
        || buf_check(&bearer, e) != 0 || buf_check(&url, e) != 0)
        goto done;
    q.url = buf_text(&url);
    q.body = buf_view(&body);
    ccp_headers(&q, activity, &storage);
    q.header[q.header_count++] = (struct http_header){ "Authorization", buf_text(&bearer) };
    if (signin_ask(s, &q, judge_enrolment, e) == 0)
        rc = take(s, e);
done:
    buf_free(&body);
    buf_free(&url);
    buf_free(&bearer);
    ccp_identity_free(&s->got);
    key_free(s->key);
    s->key = NULL;
    return rc;
}

int signin_enrol(struct signin *s, struct err *e)
{
    int rc;

    signin_show(s, SIGNIN_ENROL);
    rc = enrol_with(s, KEY_P256, e);
    if (rc != 0 && s->wants_rsa)
        rc = enrol_with(s, KEY_RSA3072, e);
    return rc == 0 ? 0 : err_wrap(e, "enrolment");
}

/* ---- the proof -------------------------------------------------------------------------------------------------------- */

struct proof {
    struct err *e;
    int rc;
};

static void on_told(void *arg, struct cloud_way *w, const struct result *r)
{
    (void)arg;
    (void)w;
    (void)r;
}

/* That nobody has the lease is what we expect: who we are was accepted before that was said. */
static void on_proof(void *arg, const struct result *r)
{
    struct proof *p = arg;

    if (r->err != NULL)
        *p->e = *r->err;
    else
        p->rc = ccp_judge(r->http, p->e) == 0 || p->e->cls == ERR_CONFLICT || p->e->cls == ERR_GONE
                    ? 0
                    : -1;
}

int signin_prove(struct signin *s, struct err *e)
{
    struct conf_cloud cloud = { .url = s->made.cloud, .trust = (char *)s->to.trust };
    const struct conf *all = s->to.conf;
    const struct cloud_way_conf conf = {
        .cloud = &cloud, .secrets = s->to.secrets, .lib = s->lib, .who = &s->made, .told = on_told
    };
    struct buf url = BUF_INIT(2048), body = BUF_INIT(4096);
    struct cloud_way *way = NULL;
    struct proof p = { e, -1 };
    char activity[40];

    if ((cloud.all = all) != NULL) {
        cloud.proxy = all->cloud.proxy;
        cloud.proxy_credential = all->cloud.proxy_credential;
    }
    signin_show(s, SIGNIN_PROOF);
    http_url_join(&url, s->made.cloud, "requests/extend");
    if (guid_new(s->lib, activity, e) == 0 && (way = cloud_way_new(&conf, e)) != NULL) {
        ccp_leases_write(&body, &(struct ccp_lease){ activity, "none" }, 1);
        if (buf_check(&body, e) == 0 && buf_check(&url, e) == 0
            && cloud_way_post(
                   way, buf_text(&url), activity, buf_view(&body), TIMEOUT_MS, on_proof, &p, e)
                   != NULL)
            io_run();
    }
    cloud_way_free(way);
    buf_free(&url);
    buf_free(&body);
    return p.rc == 0 ? 0 : err_wrap(e, "the new identity did not work");
}
