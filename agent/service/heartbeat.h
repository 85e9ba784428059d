#ifndef AGENT_HEARTBEAT_H
#define AGENT_HEARTBEAT_H
/*
 * heartbeat.h - telling the cloud that we are here: state, version, counts, the ends of the connector's, the CAs' and
 * the registration authorities' certificates, the head of the audit log (what the cloud keeps of it nobody on this
 * machine can take back), and the store's epoch and counter, by which the cloud notices a restored backup or a clone.
 *
 * Sent at the start and every 15 minutes, or as often as the cloud asks; only when we know our agent id: by an
 * identity, or by cloud.agent_id.  It is what proves a renewed identity (cloud.h).
 */
struct agent;
struct heartbeat;

struct heartbeat *heartbeat_start(struct agent *a); /* NULL: not configured */
void heartbeat_now(struct agent *a);                /* the identity has changed */
void heartbeat_stop(struct heartbeat *h);           /* NULL is fine */
#endif
