#ifndef AGENT_CONNECTOR_RENEW_H
#define AGENT_CONNECTOR_RENEW_H
/*
 * connector_renew.h - when the connector's certificate is renewed, and who hears that it ends.
 *
 * From two thirds of its life on the cloud is asked for another one, with a new key (agents/renew). It is kept beside
 * the one in use until a heartbeat by it was answered (cloud.h). What is kept says where a renewal stands, so it goes
 * on after a crash as after a pause; one whose answer was lost is begun again with another key. A refusal is
 * followed by another attempt after 15 minutes, then 30, up to a day.
 *
 * A certificate that ends in 30, 14, 7 and 1 days is an alarm (EV_IDENTITY_EXPIRES), each once; not before a day or
 * so has been spent on its renewal. One that has ended needs a sign-in.
 */
#include <stdbool.h>
#include <stdint.h>
struct agent;
struct connector_renew;
struct err;

struct connector_renew *connector_renew_start(
    struct agent *a);                                 /* look now, and every five minutes */
void connector_renew_stop(struct connector_renew *r); /* NULL is fine */
/* connector_renew_fails - the last attempt failed and none has succeeded since: why, since when, and when the next one
 * is made.  r NULL: it does not */
bool connector_renew_fails(
    const struct connector_renew *r, struct err *why, int64_t *since, int64_t *next_try_at);
#endif
