#ifndef AGENT_DOCTOR_UNIT_H
#define AGENT_DOCTOR_UNIT_H
#include "agent/probe/finding.h"
#include "certs/buf.h"

/*
 * doctor_unit.h - what the service manager says of the running service, for SVC-02: is it its own, has it restarted it
 * within a day, who watches it, and is its sandbox whole?  Facts are added to the finding (finding_worse).
 */

/*
 * doctor_unit_judge - what `systemctl show` printed.
 *
 * shown   lines NAME=VALUE; what is missing (an older systemd) is not judged
 * pid     of the running service: another one is not the unit's, and nothing of the unit is said then
 * now_us  CLOCK_MONOTONIC, on which systemd's times are
 */
void doctor_unit_judge(struct finding *f, const char *shown, int64_t pid, int64_t now_us);

/* doctor_unit - asks it, where systemd runs; elsewhere nothing is added. */
void doctor_unit(struct finding *f, int64_t pid);
#endif
