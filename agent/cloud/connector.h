#ifndef AGENT_CONNECTOR_H
#define AGENT_CONNECTOR_H
#include "agent/secrets/secret.h"
#include "certs/key.h"
#include "proto/ccp_identity.h"

/*
 * connector.h - who we are to the policy cloud: a certificate it gave us for a key made here.  Source: proto/ccp.md,
 * Discovery and identity.
 *
 * Kept as one sealed secret, so that key, certificate and how to use them change together: "certferry.connector" is
 * used; "certferry.connector.next" is a renewed one that has not worked yet.
 */
enum connector_method { CONNECTOR_MTLS, CONNECTOR_JWT };

struct connector {
    char cloud[512];  /* the URL it belongs to; to another one it is not shown */
    char agents[512]; /* where agents/... is; "": there as well */
    char agent_id[64];
    enum connector_method method;
    char token_url[512], client_id[200], scope[200]; /* CONNECTOR_JWT */
    struct buf certificate;                          /* PEM: ours, then its issuers */
    struct buf key;                                  /* PEM, PKCS#8; secret */
    int64_t enrolled_at;
    int64_t not_before_at, not_after_at; /* the certificate's */
};

/* connector_load - 1, 0: there is none, -1.  name: CONNECTOR_NOW or CONNECTOR_NEXT.  out is empty, or one to be freed
 * first; fails ERR_CRYPTO: it does not open, or is not one; ERR_STORE */
#define CONNECTOR_NOW  "certferry.connector"
#define CONNECTOR_NEXT "certferry.connector.next"
int connector_load(struct secrets *s, const char *name, struct connector *out, struct err *e) MUST;
/* connector_keep - durable when it returns 0.  fails ERR_INPUT: a text that cannot be kept; ERR_STORE */
int connector_keep(
    struct secrets *s, const char *name, const struct connector *c, struct err *e) MUST;
/* connector_write, connector_read - the form it is kept in; out is a secret buf, or empty.  As their callers above */
int connector_write(const struct connector *c, struct buf *out, struct err *e) MUST;
int connector_read(struct view in, struct connector *out, struct err *e) MUST;
/* connector_drop - it is destroyed; that there was none is fine.  fails ERR_STORE */
int connector_drop(struct secrets *s, const char *name, struct err *e) MUST;
void connector_free(struct connector *c); /* wipes; zeros are fine */

/* connector_csr - a request for a certificate of key, appended; the cloud ignores the subject. */
int connector_csr(
    struct lib *l, struct key *key, const char *name, struct buf *out, struct err *e) MUST;

/*
 * connector_give - what an enrolment or a renewal brought, for the key it was asked with; ccp_identity_parse has
 * checked that it is for that key.  cloud and agents stay as they are.
 * fails    ERR_TOO_LARGE, ERR_NOMEM: c is as it was
 */
int connector_give(struct connector *c, const struct ccp_identity *from, const struct key *key,
    int64_t now, struct err *e) MUST;

/* connector_renew_at - two thirds of its life.  connector_days_left - rounded down, negative: it has ended */
int64_t connector_renew_at(const struct connector *c);
int64_t connector_days_left(const struct connector *c, int64_t now);

const char *connector_method_name(enum connector_method m); /* "mtls", "private_key_jwt" */
#endif
