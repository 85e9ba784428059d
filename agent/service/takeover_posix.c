/* see takeover.h */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/service/notify.h"
#include "agent/service/takeover.h"
#include "certs/buf.h"
#include "certs/mem.h"

extern char **environ;

#define VARIABLE "CERTFERRY_TAKEOVER"
enum { HEAD_FIELDS = 3, LOCK_FD_LEAST = 64 };

static char program[4096];
static int handed_lock = -1;

void takeover_program_find(void)
{
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);

    program[n > 0 ? (size_t)n : 0] = '\0';
}

void takeover_open(struct takeover *t)
{
    const char *text = getenv(VARIABLE);
    long long number, at;
    int used = 0;

    takeover_program_find();
    *t = (struct takeover){ .lock_fd = -1 };
    if (text != NULL
        && sscanf(text, "%d %lld %lld\n%n", &t->lock_fd, &number, &at, &used) == HEAD_FIELDS
        && used > 0 && strlen(text + used) < sizeof t->sockets) {
        t->taken = true;
        t->number = number;
        t->at = at;
        (void)snprintf(t->sockets, sizeof t->sockets, "%s", text + used);
        handed_lock = t->lock_fd;
        (void)fcntl(handed_lock, F_SETFD, FD_CLOEXEC);
    }
    (void)unsetenv(VARIABLE);
}

const char *takeover_program(void)
{
    return program[0] == '/' ? program : NULL;
}

static void mask(int how)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(how, &set, NULL);
}

void takeover_hold(void)
{
    mask(SIG_BLOCK);
}

void takeover_go(void)
{
    mask(SIG_UNBLOCK);
}

int takeover_lock(void)
{
    int fd = handed_lock;

    handed_lock = -1;
    return fd;
}

/* The lock belongs to the open file, not to the descriptor: a copy holds it. */
int takeover_keep_lock(int lock_fd)
{
    return fcntl(lock_fd, F_DUPFD, LOCK_FD_LEAST);
}

/* Ours, what the manager told us, and what we hand on. */
static char **environment_of(char *handed)
{
    const char *const *notify = notify_environment();
    size_t count = 0, n = 0;
    char **all;

    while (environ[count] != NULL)
        count++;
    all = xcalloc(count + NOTIFY_VARIABLES + 2, sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[n++] = environ[i];
    for (size_t i = 0; notify[i] != NULL; i++)
        all[n++] = (char *)(uintptr_t)notify[i];
    all[n] = handed;
    return all;
}

void takeover(const struct takeover *t, const char *conf_path, bool quiet)
{
    struct buf handed = BUF_INIT(sizeof t->sockets + 100);
    char *arguments[6] = { program, "run", "--config", (char *)(uintptr_t)conf_path,
        quiet ? "--quiet" : NULL, NULL };
    char **environment;

    buf_printf(&handed, VARIABLE "=%d %lld %lld\n%s", t->lock_fd, (long long)t->number,
        (long long)t->at, t->sockets);
    buf_add_byte(&handed, '\0');
    if (!handed.bad) {
        environment = environment_of((char *)handed.p);
        (void)execve(program, arguments, environment);
        free(environment);
    }
    buf_free(&handed);
}
