#ifndef AGENT_SYSTEMD_H
#define AGENT_SYSTEMD_H
#include <stdbool.h>
#include "certs/buf.h"

/*
 * systemd.h - the service manager as a command sees it: is it there, its unit files, systemctl.  systemd_posix.c here.
 *
 * systemctl is run without a shell, found in fixed folders, with our standard output and error.
 */
#define SYSTEMD_UNIT "certferry.service"

bool systemd_runs(void); /* this system was booted with it */

/* systemd_unit - where the unit file is under root ("" or a folder); false: nowhere.  ours: `service install` wrote it */
bool systemd_unit(const char *root, char *path, size_t size, bool *ours);

/* systemd_write - unit, user and folders, for the program that runs now.  fails ERR_CONFIG, ERR_STORE */
int systemd_write(const char *root, const char *conf_path, struct err *e) MUST;
/* systemd_remove - what systemd_write wrote; what is not there is fine */
int systemd_remove(const char *root, struct err *e) MUST;

/* systemctl - with these words (NULL-ended); returns its exit code, or -1: it cannot be run.  out NULL: ours */
int systemctl(const char *const *words, struct buf *out, struct err *e) MUST;
/* systemd_show - `systemctl show` of our unit, with that option; a manager that does not answer is given up after 5 s.
 * fails ERR_GONE, ERR_BUSY */
int systemd_show(const char *option, struct buf *out, struct err *e) MUST;
/* systemd_run - another program of systemd's by name, as "systemd-sysusers" */
int systemd_run(const char *program, const char *const *words, struct buf *out, struct err *e) MUST;
#endif
