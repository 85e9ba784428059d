/* see io_listen_inner.h.  Where the listening socket comes from: bind(2), or the service manager. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/io/io_listen_inner.h"

enum {
    BACKLOG = 511,
    FIRST_PASSED = 3, /* sd_listen_fds(3) */
    PASSED_MAX = 64,
    /* A client that vanished without a word is noticed after some two minutes. */
    KEEP_IDLE_S = 60,
    KEEP_INTERVAL_S = 15,
    KEEP_COUNT = 4
};

static void set_int(int fd, int level, int option, int value)
{
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

/* Accepted sockets inherit these. */
static void set_options(int fd)
{
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S);
    set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S);
    set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT);
}

static int bound(const char *address, struct err *e)
{
    struct sockaddr_storage sa;
    socklen_t len;
    int fd;

    if (io_address_listen(address, &sa, &len, e) != 0)
        return -1;
    fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(e, ERR_NET, "%s: %s", address, strerror(errno));
    set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1); /* a restart does not wait for old connections */
    if (sa.ss_family == AF_INET6)
        set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (bind(fd, (struct sockaddr *)&sa, len) != 0 || listen(fd, BACKLOG) != 0) {
        (void)err_set(e, ERR_NET, "%s: %s", address, strerror(errno));
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* The number that the environment has under this name; 0: none or none that makes sense. */
static long number_of(const char *name)
{
    const char *text = getenv(name);
    char *end;
    long n = text != NULL ? strtol(text, &end, 10) : 0;

    return text != NULL && *text != '\0' && *end == '\0' && n > 0 ? n : 0;
}

/* Which of the names "a:b:a" is this one?  -1: none; -2: several */
static int index_of(const char *names, const char *name, long count)
{
    size_t len = strlen(name);
    int found = -1;

    for (int i = 0; i < count; i++) {
        size_t one = strcspn(names, ":");

        if (one == len && strncmp(names, name, len) == 0)
            found = found == -1 ? i : -2;
        if (names[one] == '\0')
            break;
        names += one + 1;
    }
    return found;
}

static bool is_listening(int fd)
{
    struct sockaddr_storage sa;
    int value = 0;
    socklen_t len = sizeof value, sa_len = sizeof sa;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == 0 && value != 0
           && getsockname(fd, (struct sockaddr *)&sa, &sa_len) == 0
           && (sa.ss_family == AF_INET || sa.ss_family == AF_INET6);
}

/* We keep a copy: the passed one stays for when the listener is opened again. */
static int passed(const char *name, struct err *e)
{
    const char *names = getenv("LISTEN_FDNAMES");
    long count = number_of("LISTEN_FDS");
    int i, fd;

    if (number_of("LISTEN_PID") != (long)getpid() || count == 0)
        return err_set(e, ERR_CONFIG, "systemd:%s: the service manager passed us no sockets", name);
    i = index_of(names != NULL ? names : "", name, count < PASSED_MAX ? count : PASSED_MAX);
    if (i < 0)
        return err_set(e, ERR_CONFIG,
            "systemd:%s: %s of the sockets passed to us has that name (%s)", name,
            i == -1 ? "none" : "more than one", names != NULL ? names : "they have none");
    (void)fcntl(FIRST_PASSED + i, F_SETFD, FD_CLOEXEC);
    if (!is_listening(FIRST_PASSED + i))
        return err_set(e, ERR_CONFIG, "systemd:%s: not a listening TCP socket", name);
    if ((fd = fcntl(FIRST_PASSED + i, F_DUPFD_CLOEXEC, 0)) < 0)
        return err_set(e, ERR_NET, "systemd:%s: %s", name, strerror(errno));
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

int io_listen_bind(const char *address, struct err *e)
{
    return strncmp(address, "systemd:", 8) == 0 ? passed(address + 8, e) : bound(address, e);
}

int io_listen_socket(const char *name, const char *address, struct err *e)
{
    int fd = io_kept_take(name, address);

    if (fd < 0 || !is_listening(fd))
        fd = io_listen_bind(address, e);
    if (fd < 0)
        return -1;
    set_options(fd);
    io_kept_opened(name, address, fd);
    return fd;
}

void io_listen_pass_on(void)
{
    long count = number_of("LISTEN_PID") == (long)getpid() ? number_of("LISTEN_FDS") : 0;

    for (int i = 0; i < count && i < PASSED_MAX; i++)
        (void)fcntl(FIRST_PASSED + i, F_SETFD, 0);
}
