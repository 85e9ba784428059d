#ifndef AGENT_SCEP_ENROL_H
#define AGENT_SCEP_ENROL_H
#include "agent/probe/scep_certs.h"
#include "certs/key.h"
#include "proto/scep.h"

/*
 * scep_enrol.h - a SCEP client's messages: a new key, the request for it, and what is in the answer.
 *
 * Threads: the lib's.  Makes an RSA key, which takes tenths of a second: for commands, not for the loop of the
 * service.
 */
struct scep_enrol {
    struct lib *lib;
    struct key *key;
    struct buf subject; /* DER Name */
    struct buf csr;     /* has the challenge in it: secret */
    struct buf signer;  /* certificate over the same key, made here, that signs the messages */
    char transaction[72];
    uint8_t nonce[16]; /* of the message last written */
};

/*
 * scep_enrol_open - RSA-2048 key, PKCS#10 request, certificate.
 *
 * subject    a subject format, see name.h
 * challenge  NULL: none
 * fails      ERR_INPUT: the subject or the challenge; ERR_CRYPTO, ERR_NOMEM.  Nothing is left to close then.
 */
int scep_enrol_open(struct scep_enrol *s, struct lib *l, const char *subject, const char *challenge,
    struct err *e) MUST;
void scep_enrol_close(struct scep_enrol *s); /* zeros are fine */

/* scep_enrol_message - PKCSReq, or CertPoll for a request that is pending, with a fresh nonce, appended.
 * fails ERR_INPUT: the server's encryption certificate forbids it or is none; ERR_CRYPTO, ERR_NOMEM */
int scep_enrol_message(struct scep_enrol *s, enum scep_type type, const struct scep_certs *server,
    struct buf *out, struct err *e) MUST;

struct scep_outcome {
    struct buf der;            /* of the CertRep; scep_outcome_free */
    struct scep_answer answer; /* points into it */
    struct buf certificates;   /* SUCCESS, after scep_enrol_certificate: DER, as they came */
    struct cert leaf;          /* and the one over our key among them */
    size_t leaf_at;            /* its place, from 0 */
};

/* scep_enrol_answer - is it a CertRep to the last message, signed by the server?  Then o->answer is filled.
 * fails ERR_PROTO: no such message, another transactionID or recipientNonce; ERR_TRUST: signed by nobody of
 *       GetCACert; ERR_MISMATCH: the signature is wrong; ERR_UNSUPPORTED, ERR_CRYPTO, ERR_NOMEM */
int scep_enrol_answer(struct scep_enrol *s, const struct scep_certs *server, struct view body,
    struct scep_outcome *o, struct err *e) MUST;

/* scep_enrol_certificate - of a SUCCESS: open it and find the certificate over our key.
 * fails ERR_INPUT: it does not open; ERR_MISMATCH: none is over our key; ERR_PROTO, ERR_UNSUPPORTED ... */
int scep_enrol_certificate(struct scep_enrol *s, struct scep_outcome *o, struct err *e) MUST;
void scep_outcome_free(struct scep_outcome *o); /* zeros are fine */

const char *scep_fail_text(enum scep_fail f); /* "badRequest" */
#endif
