/* see io_kept.h */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/io/io_kept.h"
#include "agent/io/io_listen_inner.h"

enum { NAME_MAX_BYTES = 64, ADDRESS_MAX_BYTES = 128, FD_LEAST = 100 };

struct socket {
    char name[NAME_MAX_BYTES], address[ADDRESS_MAX_BYTES];
    int fd;
    bool used; /* of an open one: the next program has it; of one that was left: taken */
};
struct sockets {
    struct socket at[IO_KEPT_MAX];
    size_t count;
};
static struct sockets open_ones, wanted, left;

static void add(struct sockets *s, const char *name, const char *address, int fd)
{
    struct socket *x = &s->at[s->count];

    if (s->count == IO_KEPT_MAX)
        return;
    *x = (struct socket){ .fd = fd };
    (void)snprintf(x->name, sizeof x->name, "%s", name);
    (void)snprintf(x->address, sizeof x->address, "%s", address);
    s->count++;
}

/* By both; else by the address alone, for a section that was renamed. */
static struct socket *find(struct sockets *s, const char *name, const char *address)
{
    struct socket *other = NULL;

    for (size_t i = 0; i < s->count; i++) {
        struct socket *x = &s->at[i];

        if (x->used || strcmp(x->address, address) != 0)
            continue;
        if (strcmp(x->name, name) == 0)
            return x;
        if (other == NULL)
            other = x;
    }
    return other;
}

/* ---- what the one before us left --------------------------------------------------------------------------------- */

void io_kept_left(const char *text)
{
    while (*text != '\0') {
        char address[ADDRESS_MAX_BYTES], name[NAME_MAX_BYTES];
        int fd, used = 0;

        if (sscanf(text, "%d\t%127[^\t\n]\t%63[^\t\n]\n%n", &fd, address, name, &used) != 3
            || used == 0)
            return;
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        add(&left, name, address, fd);
        text += used;
    }
}

int io_kept_take(const char *name, const char *address)
{
    struct socket *x = find(&left, name, address);

    if (x == NULL)
        return -1;
    x->used = true;
    return x->fd;
}

void io_kept_close(void)
{
    for (size_t i = 0; i < left.count; i++)
        if (!left.at[i].used)
            (void)close(left.at[i].fd);
    left.count = 0;
}

/* ---- the open ones ------------------------------------------------------------------------------------------------- */

void io_kept_opened(const char *name, const char *address, int fd)
{
    add(&open_ones, name, address, fd);
}

void io_kept_closed(int fd)
{
    for (size_t i = 0; i < open_ones.count; i++)
        if (open_ones.at[i].fd == fd) {
            open_ones.at[i] = open_ones.at[--open_ones.count];
            return;
        }
}

/* ---- what the next one needs --------------------------------------------------------------------------------------- */

int io_kept_want(const char *name, const char *address, struct err *e)
{
    struct socket *x = find(&open_ones, name, address);
    int fd, copy;

    if (wanted.count == IO_KEPT_MAX)
        return err_set(e, ERR_CONFIG, "more than %d listening sockets", IO_KEPT_MAX);
    if (x != NULL) {
        x->used = true;
        fd = x->fd;
    } else if ((fd = io_listen_bind(address, e)) < 0) {
        return err_wrap(e, "listen %s", name);
    }
    copy = fcntl(fd, F_DUPFD_CLOEXEC, FD_LEAST);
    if (x == NULL)
        (void)close(fd);
    if (copy < 0)
        return err_set(e, ERR_NET, "listen %s: %s", name, strerror(errno));
    add(&wanted, name, address, copy);
    return 0;
}

void io_kept_forget(void)
{
    for (size_t i = 0; i < wanted.count; i++)
        (void)close(wanted.at[i].fd);
    wanted.count = 0;
    for (size_t i = 0; i < open_ones.count; i++)
        open_ones.at[i].used = false;
}

bool io_kept_text(char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < wanted.count && len < size; i++) {
        const struct socket *x = &wanted.at[i];
        int n = snprintf(out + len, size - len, "%d\t%s\t%s\n", x->fd, x->address, x->name);

        (void)fcntl(x->fd, F_SETFD, 0);
        len += n > 0 ? (size_t)n : 0;
    }
    io_listen_pass_on();
    return len < size;
}
