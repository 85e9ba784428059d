#ifndef AGENT_SIGNIN_H
#define AGENT_SIGNIN_H
#include "agent/base/io.h"
#include "agent/cloud/connector.h"
#include "agent/conf/conf.h"
#include "proto/oauth_device.h"
#include "proto/oauth_error.h"
#include "proto/oauth_metadata.h"

/*
 * signin.h - becoming somebody at the policy cloud.  Source: proto/ccp.md 2 and 3, RFC 8628.
 *
 * Five stages: where the cloud's services are; what its authorization server can; an access token, by one of three
 * ways in; enrolment with a key made here; one message that proves the new identity.  The token serves for the
 * enrolment alone: a person's too, so nobody who signed in stays.
 *
 * For commands: signin_run runs the loop and returns when it is over.  Nothing is kept: that is the caller's.
 */
enum signin_way {
    SIGNIN_DEVICE, /* a person types a code somewhere */
    SIGNIN_CLIENT, /* client credentials */
    SIGNIN_TOKEN   /* a token that somebody else has given: bootstrap, or an access token */
};

enum signin_stage {
    SIGNIN_DISCOVERY,
    SIGNIN_SERVER,
    SIGNIN_TOKEN_WAIT, /* device code: to be shown now */
    SIGNIN_ENROL,
    SIGNIN_PROOF,
    SIGNIN_DONE
};

struct signin_conf { /* borrowed until signin_end */
    const char *cloud, *trust;
    struct secrets *secrets; /* for the way out */
    const struct conf *conf; /* its settings, and section cloud's */
    const char *name;        /* shown to administrators of the cloud */
    enum signin_way way;
    const char *client_id, *scope;
    struct view secret;                      /* of the client; with SIGNIN_TOKEN the token */
    const char *certificate_file, *key_file; /* SIGNIN_CLIENT instead of a secret */
};

struct signin {
    struct signin_conf to;
    void (*show)(void *arg, struct signin *s, enum signin_stage stage); /* may be NULL */
    void *arg;

    /* What is known so far; for show, and for errors. */
    struct ccp_discovery at;
    struct oauth_metadata server;
    struct oauth_device device;
    struct oauth_error refused; /* by the authorization server, if that is why; else no reason */
    enum signin_stage stage;
    struct connector made; /* the new identity, once it has worked */

    struct lib *lib;
    struct io_peer *io;
    struct buf token;
    struct key *key; /* while it is enrolled */
    bool wants_rsa;  /* the cloud does not take its kind */
    struct ccp_identity got;
};

/*
 * signin_run - s->to and show are set, the rest is zero; signin_end in any case.
 *
 * fails    ERR_INPUT the URL; ERR_CONFIG what is no such cloud, or one that has not this way in; ERR_AUTH,
 *          ERR_FORBIDDEN s->refused says why: the person declined, the code was not used ...; ERR_MISMATCH,
 *          ERR_PROTO an answer that is none; ERR_NET, ERR_TRUST, ERR_PROXY ... on the way
 */
int signin_run(struct signin *s, struct lib *l, struct err *e) MUST;
void signin_end(struct signin *s); /* wipes */

/* signin_fix - what an administrator does about this failure */
const char *signin_fix(const struct signin *s, const struct err *e);
#endif
