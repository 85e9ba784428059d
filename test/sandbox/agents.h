#ifndef SANDBOX_AGENTS_H
#define SANDBOX_AGENTS_H
#include <openssl/x509.h>
#include "test/sandbox/http.h"
#include "test/sandbox/setup.h"

/*
 * agents.h - the connectors that enrolled: their certificates, their counters.
 *
 * A certificate is void when it has ended, when the connector is revoked, or when a newer one has been used once.
 */
enum { AGENT_CERTIFICATES = 8, AGENT_EPOCHS = 8 };

struct agent_certificate {
    X509 *x;
    int64_t from_ms, until_ms; /* wall_ms() */
    bool used, superseded;
};
struct agent {
    char id[40];
    bool revoked;
    struct agent_certificate certificate[AGENT_CERTIFICATES]; /* oldest first */
    size_t certificate_count;
    char epoch[AGENT_EPOCHS][64]; /* those it has had, the last one now */
    size_t epoch_count;
    int64_t highest_counter; /* -1: none yet */
    int64_t audit_count;     /* as it was told last, with the head */
    char audit_head[65];
};
struct agents {
    struct agent **agent;
    size_t count;
};

struct agent *agents_add(struct agents *a);
struct agent *agents_find(const struct agents *a, const char *id); /* NULL: unknown */
void agents_done(struct agents *a);

/* agent_certify - a certificate of the cloud's CA for this key; NULL: OpenSSL would not.  life_s: also negative */
struct agent_certificate *agent_certify(
    struct agent *a, const struct setup *s, EVP_PKEY *key, int64_t life_s);

/* agent_good - NULL: this certificate may be used now; else why not */
const char *agent_good(const struct agent *a, const struct agent_certificate *c);
/* agent_used - it was used: older ones are void from now on. */
void agent_used(struct exchange *x, struct agent *a, struct agent_certificate *c);

/*
 * agent_caller - who calls: by client certificate or, with `--sign-in jwt`, by token; NULL: nobody who may, and the
 * 401 or 403 is filled in and in the ledger.
 */
struct agent *agent_caller(struct exchange *x);
#endif
