#ifndef AGENT_DOCTOR_PERM_H
#define AGENT_DOCTOR_PERM_H
#include "agent/base/fs_mode.h"
#include "agent/challenge/plugin.h"
#include "agent/doctor/doctor.h"
#include "agent/secrets/vault.h"

/* doctor_perm.h - between doctor_perm.c and doctor_secrets.c: which files of the configuration are secret. */

/* doctor_each_secret - fn for the path of every private key and every file with a secret; "secret:NAME" is none. */
void doctor_each_secret(const struct conf *c, void (*fn)(void *arg, const char *path), void *arg);
#endif
