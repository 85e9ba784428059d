#ifndef AGENT_REHEARSE_H
#define AGENT_REHEARSE_H
#include "agent/ca/ca.h"
#include "agent/probe/finding.h"
#include "certs/key.h"

/*
 * rehearse.h - a PKCS request from beginning to end without a cloud: key, request, the CA, check, PKCS#12, the envelope to
 * a device that is made on the spot.  certferry try pkcs.
 *
 * Without `submit` it stops before the CA: nothing leaves this machine.  With it a certificate is issued, whose serial
 * number is said; its key and file are destroyed.  A stage that needs another which failed is SKIP.
 * Threads: the loop's, which is run; for commands.
 */
enum rehearse_stage {
    REHEARSE_CA,     /* the section opens, the template is one of it */
    REHEARSE_KEY,    /* a key pair, as the service makes them */
    REHEARSE_CSR,    /* the request */
    REHEARSE_SUBMIT, /* to the CA and, if it was accepted, the certificate back */
    REHEARSE_CHECK,  /* is it what was asked for? */
    REHEARSE_FILE,   /* PKCS#12, made and read again */
    REHEARSE_DEVICE, /* encrypted to the device */
    REHEARSE_STAGE_COUNT
};

struct rehearse {
    /* in; borrowed */
    const struct conf *conf;
    const struct conf_ca *ca_conf;
    const char *template_name, *subject;
    struct secrets *secrets; /* NULL: none */
    struct lib *lib;
    bool submit;
    void (*on_stage)(void *arg, enum rehearse_stage s, const struct finding *f); /* may be NULL */
    void *arg;

    /* out */
    struct finding found[REHEARSE_STAGE_COUNT];
    char serial[64]; /* of what was issued; "" = nothing */
    bool pending;    /* the CA wants somebody to approve it; its reference is in the finding */

    /* its own */
    struct ca *ca;
    struct key *key;
    struct buf csr, chain, path, file;
    struct template *template;
    char reference[128];
};

void rehearse_run(struct rehearse *r);
void rehearse_free(struct rehearse *r); /* zeros are fine */
const char *rehearse_stage_text(enum rehearse_stage s);
const struct finding *rehearse_worst(const struct rehearse *r); /* the first FAIL, or NULL */
#endif
