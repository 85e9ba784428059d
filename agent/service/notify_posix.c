/* see notify.h */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "agent/service/notify.h"
#include "certs/err.h"

enum { VALUE_MAX = 256, MESSAGE_MAX = 512, WATCHDOG_LEAST_US = 1000 };

static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID" };
static char taken[NOTIFY_VARIABLES][VALUE_MAX];
static const char *environment[NOTIFY_VARIABLES + 1];
static struct sockaddr_un manager;
static socklen_t manager_len; /* 0: nobody listens */
static uint64_t watchdog_ms;

/* A number and nothing else; 0: it is none. */
static uint64_t number_of(const char *text)
{
    unsigned long long n;
    char *end;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return 0;
    errno = 0;
    n = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0 ? n : 0;
}

/* A path, or "@name": an abstract one, whose first byte is 0 and whose end is the length. */
static void set_manager(const char *name)
{
    size_t len = name != NULL ? strlen(name) : 0;

    manager_len = 0;
    if (len < 2 || len >= sizeof manager.sun_path || (name[0] != '/' && name[0] != '@'))
        return;
    manager = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(manager.sun_path, name, len);
    if (name[0] == '@')
        manager.sun_path[0] = '\0';
    manager_len =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '@' ? 0 : 1));
}

void notify_open(void)
{
    const char *value[NOTIFY_VARIABLES];
    uint64_t pid;
    size_t n = 0;

    for (size_t i = 0; i < NOTIFY_VARIABLES; i++) {
        value[i] = getenv(names[i]);
        if (value[i] == NULL || strlen(names[i]) + 1 + strlen(value[i]) >= VALUE_MAX)
            value[i] = NULL;
        else
            (void)snprintf(taken[n], VALUE_MAX, "%s=%s", names[i], value[i]);
        if (value[i] != NULL)
            environment[n] = taken[n], n++;
    }
    environment[n] = NULL;
    set_manager(value[0]);
    pid = number_of(value[2]);
    watchdog_ms = manager_len != 0 && (value[2] == NULL || pid == (uint64_t)getpid())
                          && number_of(value[1]) >= WATCHDOG_LEAST_US
                      ? number_of(value[1]) / 1000
                      : 0;
    for (size_t i = 0; i < NOTIFY_VARIABLES; i++)
        (void)unsetenv(names[i]);
}

bool notify_wanted(void)
{
    return manager_len != 0;
}

uint64_t notify_watchdog_ms(void)
{
    return watchdog_ms;
}

const char *const *notify_environment(void)
{
    return environment;
}

/* Never waits: a manager whose queue is full hears the next one. */
static void say(const char *message)
{
    int fd;

    if (manager_len == 0 || (fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
        return;
    (void)sendto(fd, message, strlen(message), MSG_DONTWAIT | MSG_NOSIGNAL,
        (const struct sockaddr *)&manager, manager_len);
    (void)close(fd);
}

/* One line for each variable, so a text must have none of its own. */
static void say_with(const char *what, const char *status)
{
    char text[MESSAGE_MAX - 100], message[MESSAGE_MAX];

    (void)snprintf(text, sizeof text, "%s", status);
    err_clean(text);
    (void)snprintf(message, sizeof message, "%sSTATUS=%s\n", what, text);
    say(message);
}

void notify_ready(const char *status)
{
    say_with("READY=1\n", status);
}

void notify_reloading(const char *status)
{
    struct timespec now = { 0 };
    char what[80];

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)snprintf(what, sizeof what, "RELOADING=1\nMONOTONIC_USEC=%llu\n",
        (unsigned long long)now.tv_sec * 1000000u + (unsigned long long)now.tv_nsec / 1000u);
    say_with(what, status);
}

void notify_stopping(const char *status)
{
    say_with("STOPPING=1\n", status);
}

void notify_status(const char *fmt, ...)
{
    char text[MESSAGE_MAX - 100];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    say_with("", text);
}

void notify_alive(void)
{
    say("WATCHDOG=1\n");
}
