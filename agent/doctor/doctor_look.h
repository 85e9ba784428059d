#ifndef AGENT_DOCTOR_LOOK_H
#define AGENT_DOCTOR_LOOK_H
#include "agent/ca/ca.h"
#include "agent/conf/proxy.h"
#include "agent/doctor/doctor.h"
#include "agent/io/io_look.h"

/*
 * doctor_look.h - the peers as places: each host and port that is reached in one way, under one trust, is looked at once,
 * whoever uses it; all at the same time.
 *
 * What is said of them is shared by the rows of NET, TIME, TLS, CLOUD, AUTH, CA and SCEP.
 */
enum { DOCTOR_PEER_ABOUT = 400 };

struct doctor_end {
    char about[DOCTOR_PEER_ABOUT]; /* "ca.contoso.example:443 (ca "one", ca "two")" */
    char target[320]; /* what is connected to: "ca.contoso.example:443", "proxy http://p:3128" */
    char host[256], proxy_host[256];
    unsigned port, proxy_port;
    struct proxy_way way;
    struct err way_why;          /* its class is ERR_NONE: there is a way */
    const char *trust, *setting; /* setting: "cloud.trust", for fixes */
    struct buf credential;       /* of the proxy; SECRET */
    struct io_look look;
    char broken
        [DOCTOR_PEER_ABOUT]; /* "needs NET-02 of ...": why nothing can be asked there; "" = it can */
};

/* doctor_looks - look at every peer; the second call does nothing. */
void doctor_looks(struct doctor *d);
void doctor_looks_free(struct doctor *d);

/* doctor_end - the place of this URL under this trust; NULL: it was not looked at */
struct doctor_end *doctor_end(struct doctor *d, const char *url, const char *trust);
/* doctor_broken - a FAIL of this code makes it pointless to ask there. */
void doctor_broken(struct doctor_end *p, const char *code, const char *about);

/* doctor_tls_peers - of TLS-01 to TLS-03 the rows of peers, without those of our own listeners */
void doctor_tls_peers(struct doctor *d);

/* doctor_place - host (lower case, without brackets), port and scheme of a URL.  false: it has none */
bool doctor_place(const char *url, char *host, size_t size, unsigned *port, bool *tls);

/* doctor_way - fills way, way_why and credential. */
void doctor_way(
    struct doctor *d, struct doctor_end *p, const char *own, const char *own_credential);
#endif
