#ifndef AGENT_SCEP_CLIENT_H
#define AGENT_SCEP_CLIENT_H
#include "agent/base/io.h"

/*
 * scep_client.h - questions to a SCEP server (RFC 8894 4), each one op of io.h; the result is the answer as it
 * came, of whatever status.  What the messages say is scep_enrol.h's, what the answers mean scep_probe.h's.
 *
 * Over http:// as well as https://: SCEP protects its messages itself, and devices use both.
 */
struct scep_client;

struct scep_client_conf { /* strings are copied */
    const char *
        url; /* with the path, without a query: "http://scep.contoso.example/certsrv/mscep/mscep.dll" */
    const char *trust;   /* PEM anchors for https; NULL = the system's */
    const char *address; /* see struct io_peer_conf */
    unsigned
        timeout_ms; /* of one answer; 0 = 30 s, as a server may hold a request until the CA has answered */
};

/* fails ERR_INPUT: not such a URL; ERR_CONFIG: the trust file */
struct scep_client *scep_client_new(const struct scep_client_conf *c, struct err *e) MUST;
void scep_client_free(struct scep_client *c); /* after every op of it is gone; NULL is fine */

/* scep_client_get - operation NULL: the bare URL, as monitoring asks; message: base64 and escaped; empty = none */
struct op *scep_client_get(struct scep_client *c, const char *operation, struct view message,
    io_fn *fn, void *arg, struct err *e) MUST;

/* scep_client_long - GetCACaps with so much of a message behind it that the URL is `len` bytes long: a healthy
 * server answers as ever, what stands in front of it and cannot carry long URLs does not. */
struct op *scep_client_long(
    struct scep_client *c, size_t len, io_fn *fn, void *arg, struct err *e) MUST;

/* scep_client_post - PKIOperation */
struct op *scep_client_post(
    struct scep_client *c, struct view message, io_fn *fn, void *arg, struct err *e) MUST;
#endif
