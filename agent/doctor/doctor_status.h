#ifndef AGENT_DOCTOR_STATUS_H
#define AGENT_DOCTOR_STATUS_H
#include "agent/doctor/doctor.h"
#include "proto/json.h"

/* doctor_status.h - what the running service says of itself; it is asked once. */

bool doctor_running(struct doctor *d);
const struct json *doctor_status(struct doctor *d); /* "data" of its answer, or NULL */
const char *doctor_status_text(struct doctor *d, const char *name); /* "" if there is none */
int64_t doctor_status_number(struct doctor *d, const char *name);   /* 0 if there is none */

/* doctor_start_blocked - the FAIL that keeps the service from starting, or NULL */
const struct doctor_row *doctor_start_blocked(const struct doctor *d);
#endif
