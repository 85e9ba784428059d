#ifndef AGENT_CRASH_H
#define AGENT_CRASH_H

/*
 * crash.h - the points CP01-CP31 at which the tests kill the service.
 *
 * Compiled in only with -DCRASH_POINTS.  CERTFERRY_CRASH_AT=CP05:3 ends the process by SIGKILL the
 * third time it passes CP05, as a power cut would.  crash_soon() does it some milliseconds later, from
 * outside the loop, so that what was begun is under way.  CERTFERRY_STICK_AT=CP05:FILE lets the loop stand still at CP05
 * for ever, if FILE is there; it is removed first.  agent/requests/DESIGN.md says what each point lies between.
 */
#ifdef CRASH_POINTS
void crash_point(int number);
void crash_soon(int number);
#else
#define crash_point(number) ((void)0)
#define crash_soon(number)  ((void)0)
#endif
#endif
