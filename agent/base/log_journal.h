#ifndef AGENT_LOG_JOURNAL_H
#define AGENT_LOG_JOURNAL_H
#include "agent/base/log.h"

/*
 * log_journal.h - one event to systemd's journal, as its native protocol has it: a datagram of KEY=value lines.
 *
 * Our values have no line ends (they are cleaned), and all of them together are far below what a datagram may hold, so
 * neither the protocol's binary form nor its memfd for large ones is needed.  Never waits: what the journal does not
 * take at once is lost, and the caller counts it.
 */
bool log_journal_put(enum log_event ev, const char *request, const char *peer, const char *text,
    const struct err *why);
#endif
