/* see agents.h */
#include "test/sandbox/agents.h"
#include "test/sandbox/cloud.h"
#include "test/sandbox/sandbox.h"
#include "test/sandbox/signin.h"
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

struct agent *agents_add(struct agents *a)
{
    struct agent *g = need(calloc(1, sizeof *g));

    guid_new(g->id);
    g->highest_counter = -1;
    a->agent = need(realloc(a->agent, (a->count + 1) * sizeof(struct agent *)));
    return a->agent[a->count++] = g;
}

struct agent *agents_find(const struct agents *a, const char *id)
{
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->agent[i]->id, id) == 0)
            return a->agent[i];
    }
    return NULL;
}

void agents_done(struct agents *a)
{
    for (size_t i = 0; i < a->count; i++) {
        for (size_t n = 0; n < a->agent[i]->certificate_count; n++)
            X509_free(a->agent[i]->certificate[n].x);
        free(a->agent[i]);
    }
    free(a->agent);
}

/* ---- certificates ---- */

static int64_t when_ms(const ASN1_TIME *t)
{
    int days = 0, seconds = 0;

    need(ASN1_TIME_diff(&days, &seconds, NULL, t) == 1 ? &days : NULL);
    return wall_ms() + ((int64_t)days * 86400 + seconds) * 1000;
}

static struct agent_certificate *put(struct agent *a, X509 *x)
{
    struct agent_certificate *c = a->certificate;

    if (a->certificate_count == AGENT_CERTIFICATES) {
        X509_free(c[0].x);
        memmove(c, c + 1, (AGENT_CERTIFICATES - 1) * sizeof *c);
        a->certificate_count--;
    }
    c += a->certificate_count++;
    *c = (struct agent_certificate){ x, when_ms(X509_get0_notBefore(x)),
        when_ms(X509_get0_notAfter(x)), false, false };
    return c;
}

struct agent_certificate *agent_certify(
    struct agent *a, const struct setup *s, EVP_PKEY *key, int64_t life_s)
{
    X509 *x = cert_make_for(
        &(struct cert_plan){ a->id, "Sandbox connectors", key, s->cloud_ca, s->cloud_key, 0,
            { { NID_basic_constraints, "critical,CA:FALSE" }, { NID_ext_key_usage, "clientAuth" },
                { NID_key_usage, "critical,digitalSignature" },
                { NID_subject_key_identifier, "hash" },
                { NID_authority_key_identifier, "keyid" } } },
        life_s);

    return x == NULL ? NULL : put(a, x);
}

const char *agent_good(const struct agent *a, const struct agent_certificate *c)
{
    if (a->revoked)
        return "the connector was revoked";
    if (c->superseded)
        return "the certificate is void: a newer one has been used";
    if (c->until_ms <= wall_ms())
        return "the certificate has ended";
    return NULL;
}

void agent_used(struct exchange *x, struct agent *a, struct agent_certificate *c)
{
    if (c->used)
        return;
    c->used = true;
    for (struct agent_certificate *old = a->certificate; old < c; old++)
        old->superseded = true;
    ledger_begin(x->sandbox->ledger, "certificate-used");
    ledger_text(x->sandbox->ledger, "agentId", a->id);
    ledger_int(x->sandbox->ledger, "number", c - a->certificate);
    ledger_end(x->sandbox->ledger);
}

/* ---- who calls ---- */

/* Ours from before a restart, when nobody knows it any more: its subject says whose it is. */
static struct agent_certificate *adopt(struct sandbox *s, X509 *x, struct agent **whose)
{
    char id[64] = "";
    bool ours = X509_verify(x, X509_get0_pubkey(s->setup.cloud_ca)) == 1;

    ERR_clear_error();
    if (!ours
        || X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, id, sizeof id) <= 0
        || !guid_ok(id) || agents_find(&s->signin->agents, id) != NULL)
        return NULL;
    *whose = agents_add(&s->signin->agents);
    copy_n((*whose)->id, sizeof(*whose)->id, id);
    X509_up_ref(x);
    return put(*whose, x);
}

static struct agent_certificate *certificate_of(
    struct sandbox *s, const struct str *der, struct agent **whose)
{
    const unsigned char *p = (const unsigned char *)der->p;
    X509 *x = d2i_X509(NULL, &p, (long)der->len);
    struct agent_certificate *found = NULL;

    for (size_t i = 0; x != NULL && found == NULL && i < s->signin->agents.count; i++) {
        struct agent *a = s->signin->agents.agent[i];

        for (size_t n = 0; n < a->certificate_count; n++) {
            if (X509_cmp(a->certificate[n].x, x) == 0) {
                *whose = a;
                found = &a->certificate[n];
            }
        }
    }
    if (x != NULL && found == NULL)
        found = adopt(s, x, whose);
    X509_free(x);
    return found;
}

static struct agent *by_certificate(struct exchange *x, const struct str *der)
{
    struct agent *a = NULL;
    struct agent_certificate *c = certificate_of(x->sandbox, der, &a);
    const char *why =
        c == NULL ? "not the certificate of a connector that enrolled" : agent_good(a, c);

    if (why != NULL) {
        cloud_refuse(x, 403, "AuthenticationException", why);
        return NULL;
    }
    agent_used(x, a, c);
    return a;
}

static struct agent *by_token(struct exchange *x)
{
    const char *header = http_header(x, "Authorization");
    const struct grant *g = header == NULL || strncmp(header, "Bearer ", 7) != 0
                                ? NULL
                                : signin_find(x->sandbox->signin, header + 7);

    if (g != NULL && g->agent != NULL && !g->agent->revoked)
        return g->agent;
    cloud_refuse(x, g == NULL ? 401 : 403, "AuthenticationException",
        g == NULL          ? "no token of this server, or its time is over"
        : g->agent == NULL ? "a token for enrolling is for nothing else"
                           : "the connector was revoked");
    if (g == NULL)
        x->reply.authenticate = "Bearer";
    return NULL;
}

struct agent *agent_caller(struct exchange *x)
{
    struct str der = { 0 };
    struct agent *a = NULL;

    if (x->agent != NULL)
        return x->agent;
    if (x->sandbox->opt.sign_in == SIGN_IN_JWT) {
        a = by_token(x);
    } else if (http_client_der(x, &der)) {
        a = by_certificate(x, &der);
    } else {
        cloud_refuse(x, 401, "AuthenticationException", "no client certificate: enrol first");
        x->reply.authenticate = "Bearer";
    }
    str_free(&der);
    return x->agent = a;
}
