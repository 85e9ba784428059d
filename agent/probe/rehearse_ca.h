#ifndef AGENT_REHEARSE_CA_H
#define AGENT_REHEARSE_CA_H
#include "agent/probe/rehearse.h"
#include "certs/template.h"

/* rehearse_ca.h - between rehearse.c and rehearse_ca.c: the stage that leaves this machine, or says what would. */
int rehearse_ca(struct rehearse *r, struct finding *f, struct err *e) MUST;
#endif
