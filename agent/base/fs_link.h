#ifndef AGENT_FS_LINK_H
#define AGENT_FS_LINK_H
#include <stdbool.h>
#include <sys/stat.h>

/*
 * fs_link.h - between fs_trust_posix.c, fs_owner_posix.c and fs_posix.c: who leads us where a path leads?
 *
 * fs_led_by - true: a symbolic link on the way is somebody else's than root's, and `at` is the first such one: whatever
 * stands at the end was his choice.  false: none, and `at` is what stands at the end (zeros: nothing does).
 */
bool fs_led_by(const char *path, struct stat *at);
#endif
