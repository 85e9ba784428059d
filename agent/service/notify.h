#ifndef AGENT_NOTIFY_H
#define AGENT_NOTIFY_H
#include <stdbool.h>
#include <stdint.h>

/*
 * notify.h - what the service manager is told of us: systemd's sd_notify(3) protocol, by hand; it is one datagram a
 * message.  notify_posix.c here.
 *
 * Without a manager that listens every call does nothing.  A message that cannot be sent is lost: the next one says
 * how things are then, and the manager restarts whoever falls silent.
 *
 * notify_open takes the variables out of the environment: a program that we start is not asked, and could only say
 * something wrong.  notify_environment has them for the one that takes over from us (see takeover.h).
 * Threads: the loop's.
 */
void notify_open(void); /* NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID */
bool notify_wanted(void);

void notify_ready(const char *status);     /* READY=1, and STATUS */
void notify_reloading(const char *status); /* RELOADING=1, with the time that systemd 253 wants */
void notify_stopping(const char *status);
void notify_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void notify_alive(void); /* WATCHDOG=1 */

/* notify_watchdog_ms - after so much silence the manager kills us; 0: never */
uint64_t notify_watchdog_ms(void);

/* notify_environment - what notify_open took, as "NAME=value", at most NOTIFY_VARIABLES; NULL-ended */
enum { NOTIFY_VARIABLES = 3 };
const char *const *notify_environment(void);
#endif
