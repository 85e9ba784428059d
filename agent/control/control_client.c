/* The asking side of control.h: a command line tool may block. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "agent/base/fs.h"
#include "agent/control/control.h"

enum { ANSWER_MS = 10000 };

void control_path(const char *store_dir, char *out, size_t size)
{
    fs_join(out, size, store_dir, "control.sock");
}

static int receive(int fd, struct buf *reply, struct err *e)
{
    char piece[8192];
    ssize_t n;

    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        if (poll(&p, 1, ANSWER_MS) != 1)
            return err_set(e, ERR_NET, "the service does not answer");
        if ((n = read(fd, piece, sizeof piece)) < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, ERR_NET, "control socket: %s", strerror(errno));
        if (n == 0)
            break;
        buf_add(reply, piece, (size_t)n);
    }
    if (reply->len == 0)
        return err_set(e, ERR_NET, "the service closed the connection without an answer");
    return buf_check(reply, e);
}

int control_ask(const char *store_dir, struct view request, struct buf *reply, struct err *e)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char path[4096];
    int fd, rc = -1;

    control_path(store_dir, path, sizeof path);
    if (strlen(path) >= sizeof a.sun_path)
        return err_set(e, ERR_CONFIG, "%s: too long for a socket; use a shorter store.dir", path);
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
        return err_set(e, ERR_NET, "socket: %s", strerror(errno));
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) != 0)
        (void)fs_failed(errno == ENOENT || errno == ECONNREFUSED ? ERR_GONE : ERR_CONFIG, path, e);
    else if (send(fd, request.p, request.len, MSG_NOSIGNAL) != (ssize_t)request.len
             || send(fd, "\n", 1, MSG_NOSIGNAL) != 1)
        err_set(e, ERR_NET, "%s: %s", path, strerror(errno));
    else
        rc = receive(fd, reply, e);
    (void)close(fd);
    return rc;
}
