#ifndef SANDBOX_CONF_H
#define SANDBOX_CONF_H
#include "test/sandbox/dir.h"

/* conf.h - certferry.conf for an agent that is to talk to this sandbox; with the certificate made by hand, or with
 * none: it is to sign in. */
bool conf_write(const char *dir, unsigned port, bool by_hand, char why[DIR_WHY]);

/*
 * conf_write_scep - certferry-scep.conf: no cloud, a listener on 127.0.0.1:scep_port (0: one that is free
 * now) and a SCEP endpoint with the Intune plugin, pointed at this sandbox; its URL is in scep-url.
 * scep-renewals.conf: to be put behind it, an endpoint where a certificate is enough to renew it (otp
 * plugin); its URL is in scep-renew-url.
 */
bool conf_write_scep(const char *dir, unsigned port, unsigned scep_port, char why[DIR_WHY]);
#endif
