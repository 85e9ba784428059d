#ifndef AGENT_HELD_H
#define AGENT_HELD_H
/*
 * held.h - requests that are held because the cloud did not accept who we are, and now does: they go on at once, or
 * each would wait for the end of its pause.
 */
struct agent;
void held_release(struct agent *a);
#endif
