#ifndef AGENT_SCEP_OWN_H
#define AGENT_SCEP_OWN_H
#include "agent/conf/conf.h"

/*
 * scep_own.h - from a listener of the configuration to a URL at which it can be asked from this machine.
 *
 * A listener with TLS is asked under the name in its certificate, at its own address, and with that certificate's file as
 * trust: the handshake is a whole one, verified, without a public name that need not lead here from inside.
 */
struct scep_own {
    char url[1024];
    char address[128]; /* connect there; "" = as the URL says */
    const char *trust; /* of conf; NULL: plain HTTP */
};

/* fails ERR_CONFIG: the listener's port is not in the configuration, its certificate has no name */
int scep_own(struct lib *l, const struct conf_scep *s, const struct conf_listen *listen,
    struct scep_own *out, struct err *e) MUST;
#endif
